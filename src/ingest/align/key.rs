//! The short form in which messages are compared: what stays the same when one chat is exported
//! twice, by whatever phone.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use crate::crypto::sha256_of;
use crate::domain::{Kind, Precision, Presence, Timestamp};

/// A text of at least this many letters may be rare enough to recognise a chat by.
const ANCHOR_LETTERS_MIN: usize = 8;
/// The suffix of an edited message (WhatsApp).
const EDITED: &str = "<This message was edited>";
/// Stands for a body that is only a file or its placeholder.
const MEDIA_TOKEN: &str = "\u{0}media";
/// Stands for a body that was deleted before the export.
const DELETED_TOKEN: &str = "\u{0}deleted";

/// What of a message takes part in comparison. The stored message and the incoming one are put in
/// the same form by the same function.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The author's label, after aliases were applied; `None` for notices.
    pub sender: Option<&'a str>,
    /// The words as written.
    pub body: &'a str,
    /// The kind.
    pub kind: Kind,
    /// Facts the reader told.
    pub presence: Presence,
    /// Whether the bytes of its file came along.
    pub file_is_here: bool,
    /// The instant.
    pub sent: Option<Timestamp>,
    /// How sharp it is.
    pub precision: Precision,
    /// The platform's id, where it has one; ids of different reach never meet in one alignment.
    pub source_id: Option<&'a str>,
}

/// Hash of author and normalised text: equal for copies, different for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchKey(pub u128);

impl MatchKey {
    /// The key of a message. SHA-256 cut to 128 bits: a counterparty who could make two messages
    /// collide could make one disappear.
    pub fn of(facts: &Facts<'_>) -> MatchKey {
        let text = comparable(facts);
        let sender = facts.sender.map_or("", trimmed);
        let length = (sender.len() as u64).to_le_bytes();
        MatchKey(cut(&[b"m", &length, sender.as_bytes(), text.as_bytes()]))
    }
}

fn cut(parts: &[&[u8]]) -> u128 {
    let digest = sha256_of(parts);
    digest[..16]
        .iter()
        .fold(0, |value, byte| value << 8 | u128::from(*byte))
}

/// What markers say about the words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Words as they were sent.
    Whole,
    /// Changed after sending.
    Edited,
    /// Deleted; only the placeholder is left.
    Deleted,
    /// A file that did not come along.
    FileMissing,
}

/// A message in short form: one side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Author and text.
    pub key: MatchKey,
    /// Author alone.
    pub sender: u64,
    /// Text alone, where it is long enough to recognise a chat by.
    pub anchor: Option<u64>,
    /// The instant in microseconds.
    pub at: Option<i64>,
    /// Length of one unit of its precision in microseconds.
    pub unit: i64,
    /// Hash of the platform's id.
    pub source_id: Option<u64>,
    /// What markers say.
    pub standing: Standing,
}

impl Sighting {
    /// The short form of a message.
    pub fn of(facts: &Facts<'_>) -> Sighting {
        let text = comparable(facts);
        let long = text.chars().count() >= ANCHOR_LETTERS_MIN && !text.starts_with('\u{0}');
        Sighting {
            key: MatchKey::of(facts),
            sender: Self::sender_hash(facts.sender),
            anchor: long.then(|| cut(&[b"a", text.as_bytes()]) as u64),
            at: facts.sent.map(|sent| sent.0),
            unit: facts.precision.unit_micros().max(1),
            source_id: facts.source_id.map(Self::id_hash),
            standing: standing(facts),
        }
    }

    /// The hash of a platform's id, by which messages of one conversation refer to each other.
    pub fn id_hash(id: &str) -> u64 {
        cut(&[b"i", id.as_bytes()]) as u64
    }

    /// The hash of an author's label, for whoever proposes aliases.
    pub fn sender_hash(label: Option<&str>) -> u64 {
        cut(&[b"s", label.map_or("", trimmed).as_bytes()]) as u64
    }
}

fn standing(facts: &Facts<'_>) -> Standing {
    if facts.kind == Kind::Deleted || facts.presence.has(Presence::DELETED) {
        Standing::Deleted
    } else if facts.presence.has(Presence::EDITED) {
        Standing::Edited
    } else if is_file_only(facts) && !facts.file_is_here {
        Standing::FileMissing
    } else {
        Standing::Whole
    }
}

/// Whether the body is nothing but a file's name or placeholder.
fn is_file_only(facts: &Facts<'_>) -> bool {
    facts.presence.has(Presence::ATTACHMENT) && matches!(facts.kind, Kind::Media | Kind::Contact)
}

/// Marks that come and go with the exporting phone.
fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{61C}')
}

fn trimmed(label: &str) -> &str {
    label.trim_matches(|letter: char| is_mark(letter) || letter.is_whitespace())
}

/// The text as it is compared: normal form C, marks dropped, line ends alike, trailing blanks
/// gone, markers as tokens. Never stored.
fn comparable<'a>(facts: &Facts<'a>) -> std::borrow::Cow<'a, str> {
    if facts.kind == Kind::Deleted || facts.presence.has(Presence::DELETED) {
        return DELETED_TOKEN.into();
    }
    if is_file_only(facts) {
        return MEDIA_TOKEN.into();
    }
    let mut body = facts.body.trim_end();
    if facts.presence.has(Presence::EDITED) {
        body = body.strip_suffix(EDITED).unwrap_or(body);
        body = body.trim_end_matches(|letter: char| is_mark(letter) || letter.is_whitespace());
    }
    let plain = body.is_ascii() && !body.contains('\r');
    if plain {
        return body.into();
    }
    let letters = body.chars().filter(|letter| !is_mark(*letter));
    let mut text: String = match is_nfc_quick(body.chars()) {
        IsNormalized::Yes => letters.collect(),
        _ => letters.nfc().collect(),
    };
    if text.contains('\r') {
        text = text.replace("\r\n", "\n").replace('\r', "\n");
    }
    text.truncate(text.trim_end().len());
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(sender: &'a str, body: &'a str) -> Facts<'a> {
        Facts {
            sender: Some(sender),
            body,
            kind: Kind::Text,
            presence: Presence::default(),
            file_is_here: false,
            sent: None,
            precision: Precision::Minute,
            source_id: None,
        }
    }

    fn key(sender: &str, body: &str) -> MatchKey {
        MatchKey::of(&facts(sender, body))
    }

    #[test]
    fn what_exports_change_does_not_change_the_key() {
        assert_eq!(key("Ana", "a\r\nb "), key("\u{202A}Ana\u{202C}", "a\nb"));
        assert_eq!(key("Ana", "\u{200E}caf\u{65}\u{301}"), key("Ana", "café"));
        let edited = Facts {
            presence: Presence::EDITED,
            ..facts("Ana", "hi \u{200E}<This message was edited>")
        };
        assert_eq!(MatchKey::of(&edited), key("Ana", "hi"));
    }

    #[test]
    fn author_and_text_do_not_run_into_each_other() {
        assert_ne!(key("Ana", "Bo: hi"), key("AnaBo", ": hi"));
        assert_ne!(key("Ana", "ok"), key("Bo", "ok"));
    }
}
