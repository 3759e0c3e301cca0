//! What leaves this room: one message after the other, the notes and frames between them, and
//! the sink that takes all three.

use std::borrow::Cow;
use std::collections::BTreeMap;

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

/// Somebody a message names: its author is named by the message itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParsedPerson<'a> {
    /// The name as the source shows it.
    pub label: &'a str,
    /// The platform's handle beside it, as [`ParsedMessage::sender_handle`].
    pub handle: Option<&'a str>,
}

/// A reaction, as the source shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedReaction<'a> {
    /// The sign: an emoji, or the name the platform gives it.
    pub value: Cow<'a, str>,
    /// How many gave it, as the source counts; at least as many as are named.
    pub count: u32,
    /// Who gave it, by the names the source shows.
    pub by: Vec<Cow<'a, str>>,
}

impl<'a> ParsedReaction<'a> {
    /// One for each sign, in the order in which signs were first given, with everybody who gave it.
    pub fn gathered(
        given: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
    ) -> Vec<ParsedReaction<'a>> {
        let mut parsed: Vec<ParsedReaction<'a>> = Vec::new();
        let mut places: BTreeMap<&'a str, usize> = BTreeMap::new();
        for (sign, by) in given {
            let place = *places.entry(sign).or_insert(parsed.len());
            if place == parsed.len() {
                parsed.push(ParsedReaction {
                    value: Cow::Borrowed(sign),
                    count: 0,
                    by: Vec::new(),
                });
            }
            parsed[place].count += 1;
            parsed[place].by.extend(by.map(Cow::Borrowed));
        }
        parsed
    }
}

/// Earlier words of a message that its source still holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParsedVersion<'a> {
    /// The words as written.
    pub body: Cow<'a, str>,
    /// When they were written; `None` for the first words, or where the source does not say.
    pub written: Option<Timestamp>,
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
    /// How far that id reaches; `None` without an id, and where the source does not say whose ids it
    /// shows: then messages of this source refer to each other by it and nothing is known again by it.
    pub id_scope: Option<IdScope>,
    /// The id of the message this one answers; in a thread without such, that which begins it.
    pub reply_to: Option<&'a str>,
    /// The id of the message that begins the thread it stands in.
    pub thread: Option<&'a str>,
    /// The id of the message whose words these replace, where the source tells of an edit or a
    /// deletion by a record of its own. Such a record has no id of its own here.
    pub amends: Option<&'a str>,
    /// Earlier words that the record itself holds, oldest first.
    pub earlier: &'a [ParsedVersion<'a>],
    /// When the words were last changed, where the source says so.
    pub edited: Option<Timestamp>,
    /// Reactions, in the order of the source.
    pub reactions: &'a [ParsedReaction<'a>],
    /// Who is addressed by name.
    pub mentions: &'a [ParsedPerson<'a>],
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

impl<'a> ParsedMessage<'a> {
    /// The id by which another source may know the message again.
    pub fn identity(&self) -> Option<&'a str> {
        self.source_id.filter(|_| self.id_scope.is_some())
    }
}

impl ParsedMessage<'_> {
    /// A message about which the source tells nothing: readers fill in what it tells.
    pub const BARE: ParsedMessage<'static> = ParsedMessage {
        conversation_key: "",
        conversation_title: "",
        conversation_kind: ConversationKind::Unknown,
        app: App::Other,
        sender_label: None,
        sender_handle: None,
        body: "",
        kind: Kind::Text,
        sent: None,
        local: None,
        precision: Precision::None,
        zone_source: ZoneSource::Record,
        order: 0,
        source_id: None,
        id_scope: None,
        reply_to: None,
        thread: None,
        amends: None,
        earlier: &[],
        edited: None,
        reactions: &[],
        mentions: &[],
        attachments: &[],
        presence: Presence(0),
        raw: &[],
        span: (0, 0),
        entry: 0,
    };

    /// Yes/no facts: those the reader told, and those that its other members tell.
    pub fn facts(&self) -> Presence {
        let told = Presence::of([
            (self.reply_to.is_some(), Presence::REPLY),
            (!self.reactions.is_empty(), Presence::REACTION),
            (!self.mentions.is_empty(), Presence::MENTION),
            (self.edited.is_some(), Presence::EDITED),
            (!self.attachments.is_empty(), Presence::ATTACHMENT),
        ]);
        self.presence.with(told)
    }
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
