//! What an answer shows of a message: who, where, when, the words around the match.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::names::ScopedNames;
use super::order::SortKey;
use super::snippet::{Snippet, cut};
use crate::archive::OpenedMessage;
use crate::domain::{
    App, ConversationId, ConversationNo, HandleNo, Kind, MessageId, PersonId, Precision, Presence,
    Timestamp, ZoneSource,
};
use crate::query::{HitSpan, TextPlace};

/// One message of an answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// The message.
    pub line: Line,
    /// Its place in the answer.
    pub key: SortKey,
    /// The conversation.
    pub conversation: Place,
    /// Everything that matched, as exact places; empty where only facts decided.
    pub matched: Vec<HitSpan>,
    /// Pieces of its texts with what matched.
    pub pieces: Vec<Piece>,
    /// The versions that matched, oldest = 0; empty where no words were asked for.
    pub versions_matched: Vec<u32>,
    /// How many versions there are.
    pub versions: u16,
    /// Names of its attachments.
    pub attachments: Vec<String>,
    /// Messages that stand before it in its conversation, oldest first.
    pub before: Vec<Line>,
    /// Messages that stand after it, oldest first.
    pub after: Vec<Line>,
}

/// Where a hit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the conversation.
    pub no: ConversationNo,
    /// Its public id.
    pub id: ConversationId,
    /// Its title.
    pub title: String,
}

/// One message as one line: a hit or its context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its public id.
    pub id: MessageId,
    /// Who wrote it; `None` for notices of the platform.
    pub sender: Option<Sender>,
    /// When.
    pub time: LocalTime,
    /// The platform.
    pub app: App,
    /// What sort of message.
    pub kind: Kind,
    /// Yes/no facts.
    pub presence: Presence,
    /// The beginning of the latest version, at most [`SNIPPET_CHARACTERS_MAX`](super::SNIPPET_CHARACTERS_MAX) characters.
    pub opening: String,
    /// Whether the text goes on behind it.
    pub cut: bool,
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// The identity.
    pub handle: HandleNo,
    /// The person behind it.
    pub person: Option<PersonId>,
    /// The name as the source shows it, else the platform's handle.
    pub label: String,
}

/// A time as the asker reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The instant.
    pub sent: Timestamp,
    /// The same in the zone of the query.
    pub local: NaiveDateTime,
    /// The zone of the query.
    pub zone: Tz,
    /// The local time as the source wrote it, where it wrote one.
    pub source_local: Option<NaiveDateTime>,
    /// How sharply the source knew it.
    pub precision: Precision,
    /// The zone of the source was assumed, so the instant may be hours off.
    pub zone_assumed: bool,
}

/// A piece of one text of a hit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which text.
    pub place: TextPlace,
    /// The piece.
    pub snippet: Snippet,
}

impl LocalTime {
    fn of(message: &OpenedMessage, zone: Tz) -> LocalTime {
        let sent = message.row.sent;
        let latest = message.latest();
        let source = latest.and_then(|version| version.local_offset);
        let utc = DateTime::from_timestamp_micros(sent.0).unwrap_or_default();
        let defaulted = latest.is_some_and(|version| version.zone_source == ZoneSource::Default);
        LocalTime {
            sent,
            local: utc.with_timezone(&zone).naive_local(),
            zone,
            source_local: source.and_then(|seconds| {
                let offset = TimeDelta::try_seconds(seconds)?;
                utc.naive_utc().checked_add_signed(offset)
            }),
            precision: latest.map_or(Precision::None, |version| version.precision),
            zone_assumed: defaulted || message.row.presence.has(Presence::ZONE_ASSUMED),
        }
    }
}

impl Line {
    /// The line of an opened message.
    pub(super) fn of(message: &OpenedMessage, names: &ScopedNames<'_>, zone: Tz) -> Line {
        let body = message.latest().map_or("", |version| version.body.as_str());
        let (opening, cut) = opening(body);
        Line {
            id: message.id,
            sender: message.row.sender.map(|handle| sender(handle, names)),
            time: LocalTime::of(message, zone),
            app: message.app,
            kind: message.row.kind,
            presence: message.row.presence,
            opening,
            cut,
        }
    }
}

fn opening(body: &str) -> (String, bool) {
    match cut(body, &[]).into_iter().next() {
        Some(piece) => (piece.text, piece.cut_after),
        None => (String::new(), false),
    }
}

fn sender(handle: HandleNo, names: &ScopedNames<'_>) -> Sender {
    let entry = names.sender(handle);
    Sender {
        handle,
        person: entry.map(|entry| entry.person_id),
        label: match entry {
            Some(entry) if entry.label.is_empty() => entry.handle.clone(),
            Some(entry) => entry.label.clone(),
            None => String::new(),
        },
    }
}

/// Pieces of the texts that matched, latest version first; without any match the beginning of
/// the latest version.
pub(super) fn pieces(message: &OpenedMessage, matched: &[HitSpan]) -> Vec<Piece> {
    let mut places: Vec<TextPlace> = matched.iter().map(|span| span.place).collect();
    places.sort_by_key(|place| match place {
        TextPlace::Version(ordinal) => (0, u32::MAX - ordinal),
        TextPlace::Filename(ordinal) => (1, *ordinal),
        TextPlace::Extracted(ordinal) => (2, *ordinal),
    });
    places.dedup();
    if places.is_empty() {
        places.push(TextPlace::Version(message.row.version.into()));
    }
    message.with_record(|record| {
        let text = |place: &TextPlace| match *place {
            TextPlace::Version(ordinal) => record.versions.get(ordinal as usize),
            TextPlace::Filename(ordinal) => record.filenames.get(ordinal as usize),
            TextPlace::Extracted(ordinal) => record.extracted.get(ordinal as usize),
        };
        let mut pieces = Vec::new();
        for place in places {
            let Some(text) = text(&place) else { continue };
            let ranges: Vec<_> = matched
                .iter()
                .filter(|span| span.place == place)
                .map(|span| span.bytes.start as usize..span.bytes.end as usize)
                .collect();
            let cut = cut(text, &ranges);
            pieces.extend(cut.into_iter().map(|snippet| Piece { place, snippet }));
        }
        pieces
    })
}

/// The versions among the texts that matched, oldest first.
pub(super) fn versions_matched(matched: &[HitSpan]) -> Vec<u32> {
    let mut versions: Vec<u32> = matched
        .iter()
        .filter_map(|span| match span.place {
            TextPlace::Version(ordinal) => Some(ordinal),
            _ => None,
        })
        .collect();
    versions.sort_unstable();
    versions.dedup();
    versions
}
