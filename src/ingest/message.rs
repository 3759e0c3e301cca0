//! What leaves this room: one message after the other, the notes and frames between them, and
//! the sink that takes all three.

use std::borrow::Cow;

use crate::domain::{
    App, ConversationKind, IdScope, Kind, Note, Precision, Presence, Timestamp, ZoneSource,
};

use super::raw::Templates;

/// A file a message carries or names, as the reader of the format sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedAttachment<'a> {
    /// The name as the source wrote it; empty when the source only says that there was one.
    pub name: Cow<'a, str>,
    /// The entry of the container that holds the bytes; `None` when they were not exported.
    pub entry: Option<u32>,
}

/// One message as its source shows it. Everything is borrowed from the reader's buffers: a sink
/// that keeps something copies it.
#[derive(Clone, Debug)]
pub struct ParsedMessage<'a> {
    /// What tells this conversation from the others of the same import. Not an identity across
    /// imports: that is found by alignment or said by the operator.
    pub conversation_key: &'a str,
    /// The name to show for it.
    pub conversation_title: &'a str,
    /// The shape of the conversation, as far as the source tells.
    pub conversation_kind: ConversationKind,
    /// The platform it was written on.
    pub app: App,
    /// The author as the source names them; `None` for notices of the platform.
    pub sender_label: Option<&'a str>,
    /// The author's handle where the source gives one beside the label (a number in international
    /// form, an account id).
    pub sender_handle: Option<&'a str>,
    /// The words as written: nothing added, nothing taken away.
    pub body: &'a str,
    /// What sort of message.
    pub kind: Kind,
    /// The instant, after the zone was applied; `None` when the source has no time for it.
    pub sent: Option<Timestamp>,
    /// The printed local time, in microseconds as if it were UTC; `None` when the source gave an
    /// instant or nothing.
    pub local: Option<i64>,
    /// How sharply the source knew the time.
    pub precision: Precision,
    /// Where the zone came from.
    pub zone_source: ZoneSource,
    /// Position in the source, from 0. The order of the source is kept for ever.
    pub order: u64,
    /// The platform's own id of the message.
    pub source_id: Option<&'a str>,
    /// How far that id reaches; `None` without an id.
    pub id_scope: Option<IdScope>,
    /// The id of the message this one answers.
    pub reply_to: Option<&'a str>,
    /// Files it carries or names.
    pub attachments: &'a [ParsedAttachment<'a>],
    /// What only the reader of the format knows: edited, deleted, forwarded, assumed times.
    pub presence: Presence,
    /// The bytes of the source that are this message, with their line ends, verbatim.
    pub raw: &'a [u8],
    /// First byte of `raw` in its entry and one past its last.
    pub span: (u64, u64),
    /// Ordinal of the entry inside the container.
    pub entry: u32,
}

/// Bytes between the messages that carry none of their words: a mark of byte order, blank lines
/// before the first message, the column names of a table, a rejected record.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Ordinal of the entry inside the container.
    pub entry: u32,
    /// First byte in the entry and one past its last.
    pub span: (u64, u64),
    /// The bytes verbatim.
    pub raw: &'a [u8],
}

/// The sink wants no more: cancelled, or it failed and keeps the reason itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stop;

/// Takes what a reader finds, in the order of the source.
///
/// The raw bytes of messages and of frames, put one after the other, are the entry byte for byte.
/// The bytes of a rejected record go out as a frame; a note of kind `Rejected` quotes them.
pub trait Sink {
    /// Takes one message.
    ///
    /// # Errors
    /// [`Stop`] ends the import at once.
    fn message(&mut self, message: &ParsedMessage<'_>) -> Result<(), Stop>;

    /// Takes one remark.
    ///
    /// # Errors
    /// [`Stop`] ends the import at once.
    fn note(&mut self, note: Note) -> Result<(), Stop>;

    /// Takes bytes that are neither message nor note. Not kept by default.
    ///
    /// # Errors
    /// [`Stop`] ends the import at once.
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Stop> {
        let _ = frame;
        Ok(())
    }

    /// Takes the row templates of the import, before its first message; see
    /// [`super::raw::raw_form`]. Not kept by default.
    ///
    /// # Errors
    /// [`Stop`] ends the import at once.
    fn templates(&mut self, templates: &Templates) -> Result<(), Stop> {
        let _ = templates;
        Ok(())
    }
}
