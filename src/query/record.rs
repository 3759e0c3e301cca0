//! One message as the evaluator and the index see it: borrowed, with every name already a number.

use crate::domain::{
    AccountNo, App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo,
    Presence, Timestamp,
};

/// What the language can ask of an attachment without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AttachmentFact<'a> {
    /// Extension of the name, without dot, any case; empty when there is none.
    pub ext: &'a str,
    /// Type by magic bytes, such as `image/jpeg`; empty when unknown.
    pub mime: &'a str,
    /// Length in bytes; 0 when the bytes did not come along.
    pub size: u64,
}

/// One message with all its versions.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Row number of the message.
    pub no: MessageNo,
    /// Its conversation.
    pub conversation: ConversationNo,
    /// The company account it came through, if any.
    pub account: Option<AccountNo>,
    /// Who sent it; `None` for notices without author.
    pub sender: Option<HandleNo>,
    /// When it was sent.
    pub sent: Timestamp,
    /// Order inside its source, the tie-breaker of equal times.
    pub order: u64,
    /// The platform.
    pub app: App,
    /// What sort of message.
    pub kind: Kind,
    /// The shape of its conversation.
    pub conversation_kind: ConversationKind,
    /// Yes/no facts (`has:` and `is:`).
    pub presence: Presence,
    /// The import that brought it first.
    pub import: ImportNo,
    /// The first message of its thread, where the source has threads.
    pub thread: Option<MessageNo>,
    /// The message it answers, where the source has replies.
    pub reply_to: Option<MessageNo>,
    /// Every version of the text, oldest first; the last is the latest.
    pub versions: &'a [&'a str],
    /// Names of the attachments.
    pub filenames: &'a [&'a str],
    /// Text extracted from the attachments.
    pub extracted: &'a [&'a str],
    /// Reactions: emoji, or `:name:` of a custom one.
    pub reactions: &'a [&'a str],
    /// Who is mentioned.
    pub mentions: &'a [HandleNo],
    /// The attachments.
    pub attachments: &'a [AttachmentFact<'a>],
}

impl Record<'_> {
    /// The key of conversation order (spec: sent instant, source sequence, message number).
    pub const fn conversation_key(&self) -> (Timestamp, u64, MessageNo) {
        (self.sent, self.order, self.no)
    }

    /// Whether `msg` distances count it: notices of the platform are not counted.
    pub const fn counts(&self) -> bool {
        !self.kind.is_system() && !self.presence.has(Presence::SYSTEM)
    }
}
