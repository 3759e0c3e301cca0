//! What the rules need to know of one record, and of the moment in which they are asked.

use crate::domain::{
    AccountNo, ConversationNo, FreezeReason, LabelSpan, MessageNo, Now, SourceTrust, Timestamp,
};

/// One record as the rules see it: numbers and times, no words.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// Row number of the message.
    pub no: MessageNo,
    /// Its conversation.
    pub conversation: ConversationNo,
    /// The company account it came through, if any.
    pub account: Option<AccountNo>,
    /// The time of its first version, as its source claims it.
    pub sent: Timestamp,
    /// When it was taken in, by compliance time; the present while its import still runs.
    pub ingested: Timestamp,
    /// How far its source is trusted with its own times.
    pub trust: SourceTrust,
    /// The last message of its conversation.
    pub last_activity: Timestamp,
    /// Every label it or its conversation carries or carried.
    pub labels: &'a [LabelSpan],
    /// A compliance lock recorded with the record itself; `ALWAYS` when there is none.
    pub locked_until: Timestamp,
    /// What a reviewer extended; `ALWAYS` when nobody did.
    pub extended_until: Timestamp,
}

impl Facts<'_> {
    /// The label that counts at an instant: that of the message before that of the conversation,
    /// the latest first.
    pub fn label_at(&self, at: Timestamp) -> Option<&LabelSpan> {
        self.labels
            .iter()
            .filter(|span| span.is_on(at))
            .max_by_key(|span| (span.own, span.from))
    }
}

/// The moment in which the rules are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// Compliance time and wall clock.
    pub now: Now,
    /// Whether the clock can be trusted: its quality is no gap.
    pub trusted: bool,
    /// Why purging is frozen, if it is.
    pub frozen: Option<FreezeReason>,
}

impl Present {
    /// A moment at which both clocks agree, are trusted, and nothing is frozen: simulations.
    pub const fn as_of(at: Timestamp) -> Present {
        Present {
            now: Now {
                compliance: at,
                wall: at,
            },
            trusted: true,
            frozen: None,
        }
    }
}
