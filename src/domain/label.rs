//! Labels as records carry them: which, since when, until when.

use super::{ConversationNo, LabelNo, MessageNo, Timestamp};

/// What a label was put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LabelTarget {
    /// One message.
    Message(MessageNo),
    /// Every message of a conversation that carries none of its own.
    Conversation(ConversationNo),
}

/// A label on something, from one instant to another. Spans are ended, never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LabelSpan {
    /// Which label.
    pub label: LabelNo,
    /// Since when (compliance time).
    pub from: Timestamp,
    /// First instant without it; `NEVER` while it is there.
    pub until: Timestamp,
    /// Whether it was put on the message itself: it then counts before that of the conversation.
    pub own: bool,
}

impl LabelSpan {
    /// Whether it is there at an instant.
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}
