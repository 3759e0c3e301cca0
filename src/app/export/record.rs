//! One line of `messages.jsonl`: a message with everything that is known of it, in canonical JSON
//! (RFC 8785, integers only), with a salted digest by which it can be shown alone.
//! `schema/json/export-message.json` describes it for strangers.

use chrono::{DateTime, TimeDelta};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::app::{AppError, Result};
use crate::archive::OpenedVersion;
use crate::crypto::{Digest, from_hex, hex, sha256_of};
use crate::domain::{
    AttachmentState, ConversationKind, Precision, Presence, Reaction, Timestamp, ZoneSource,
};

/// Longest line that is read back, in bytes: a message with all its versions.
pub(super) const LINE_BYTES_MAX: usize = 64 << 20;

/// A message. Fields stand in the order of their names, which is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub app: String,
    pub conversation: Conversation,
    pub facts: Vec<String>,
    pub files: Vec<FileOf>,
    pub hit: bool,
    /// Who held the seat then; null until seats are kept.
    pub holder: Option<String>,
    pub id: String,
    pub kind: String,
    pub reply_to: Option<String>,
    /// The company's account; null until seats are kept.
    pub seat: Option<String>,
    pub seen_again: Vec<Origin>,
    pub sender: Option<Sender>,
    pub sent: Sent,
    pub versions: Vec<Version>,
}

/// Where the message stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Conversation {
    pub id: String,
    pub kind: String,
    pub title: String,
}

/// Who wrote it, as the source names them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sender {
    pub handle: Option<String>,
    pub name: String,
    pub person: String,
}

/// When it was sent, and how surely that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sent {
    pub doubts: Vec<String>,
    pub instant: String,
    pub local: Option<String>,
    pub precision: String,
    pub zone_source: String,
}

/// The bytes a message was read from: an import, its file, the entry in it, a range in the entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Origin {
    pub bytes: u64,
    pub entry: u32,
    pub file: Option<String>,
    pub first_byte: u64,
    pub import: Option<String>,
    pub source_id: Option<String>,
}

/// One wording of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Version {
    pub attachments: Vec<AttachmentOf>,
    pub body: String,
    /// When these words replaced earlier ones.
    pub edited: Option<String>,
    /// Who is addressed by name.
    pub mentions: Vec<String>,
    pub no: u16,
    pub reactions: Vec<ReactionOf>,
    pub source: Origin,
    /// The platform's id of the message that begins its thread.
    pub thread: Option<String>,
}

/// What people answered with one sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReactionOf {
    pub by: Vec<String>,
    pub count: u32,
    pub value: String,
}

impl ReactionOf {
    /// As it was opened.
    pub fn of(reaction: &Reaction) -> ReactionOf {
        ReactionOf {
            by: reaction.by.clone(),
            count: reaction.count,
            value: reaction.value.clone(),
        }
    }

    /// As one line: the sign, how many gave it, who.
    pub fn line(&self) -> String {
        let by = match self.by.as_slice() {
            [] => String::new(),
            names => format!(" ({})", names.join(", ")),
        };
        format!("{} {}{by}", self.value, self.count)
    }
}

/// A file the version names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AttachmentOf {
    pub mime: Option<String>,
    pub name: String,
    pub sha256: Option<String>,
    pub size: Option<u64>,
    pub state: String,
}

/// Bytes that came along: the attachment's ordinal and the file of the bundle that holds them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOf {
    pub attachment: u32,
    pub file: String,
    pub sha256: String,
    pub size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLine<'a> {
    digest: &'a str,
    #[serde(borrow)]
    record: &'a RawValue,
    salt: &'a str,
}

/// A line with its digest.
pub(super) struct Line {
    /// The line, with its line feed.
    pub text: String,
    /// SHA-256 of the salt and the canonical record.
    pub digest: Digest,
}

/// The digest by which a record is known: without the salt no guess of a short message is confirmed.
fn digest_of(salt: &[u8; 32], record: &str) -> Digest {
    sha256_of(&[salt, record.as_bytes()])
}

impl Record {
    /// The record as a line under a salt of its own.
    pub fn to_line(&self, salt: &[u8; 32]) -> Result<Line> {
        let failed = |error: serde_json::Error| AppError::Integrity(error.to_string());
        let record = serde_json::to_string(self).map_err(failed)?;
        let digest = digest_of(salt, &record);
        let record = RawValue::from_string(record).map_err(failed)?;
        let wire = WireLine {
            digest: &hex(&digest),
            record: &record,
            salt: &hex(salt),
        };
        let mut text = serde_json::to_string(&wire).map_err(failed)?;
        text.push('\n');
        Ok(Line { text, digest })
    }

    /// Reads a line (without its line feed) and gives record and digest; the error says what is
    /// wrong. A line that is spelled in another way than ours is not one.
    pub fn read_line(line: &str) -> std::result::Result<(Record, Digest), String> {
        let wire: WireLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let salt: [u8; 32] = from_hex(wire.salt)
            .and_then(|salt| salt.try_into().ok())
            .ok_or("the salt is not 32 bytes in hex")?;
        let text = wire.record.get();
        let record: Record = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let digest = digest_of(&salt, text);
        if hex(&digest) != wire.digest {
            return Err("the digest is another record's".to_owned());
        }
        let again = record.to_line(&salt).map_err(|error| error.to_string())?;
        match again.text.strip_suffix('\n') == Some(line) {
            true => Ok((record, digest)),
            false => Err("not in canonical form".to_owned()),
        }
    }

    /// Reads a line that this program wrote a moment ago: record and digest, unchecked.
    pub fn read_own(line: &str) -> std::result::Result<(Record, Digest), String> {
        let wire: WireLine<'_> = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let record = serde_json::from_str(wire.record.get()).map_err(|error| error.to_string())?;
        let digest = from_hex(wire.digest).and_then(|digest| digest.try_into().ok());
        Ok((record, digest.ok_or("the digest is not 32 bytes in hex")?))
    }

    /// The latest wording.
    pub fn latest(&self) -> Option<&Version> {
        self.versions.last()
    }

    /// Whether a fact holds, such as `deleted`.
    pub fn has(&self, fact: &str) -> bool {
        self.facts.iter().any(|known| known == fact)
    }
}

impl Sent {
    /// The time of a message as its first version tells it.
    pub fn of(sent: Timestamp, presence: Presence, first: Option<&OpenedVersion>) -> Sent {
        let doubts = [
            (Presence::TIME_AMBIGUOUS, "time-ambiguous"),
            (Presence::TIME_ASSUMED, "time-assumed"),
            (Presence::ZONE_ASSUMED, "zone-assumed"),
        ];
        let local = first.and_then(|version| {
            let offset = TimeDelta::try_seconds(version.local_offset?)?;
            let utc = DateTime::from_timestamp_micros(sent.0)?.naive_utc();
            Some(
                utc.checked_add_signed(offset)?
                    .format("%Y-%m-%dT%H:%M:%S%.f")
                    .to_string(),
            )
        });
        let precision = first.map_or(Precision::None, |version| version.precision);
        let zone = first.map_or(ZoneSource::Default, |version| version.zone_source);
        Sent {
            doubts: names(presence, &doubts),
            instant: instant(sent),
            local,
            precision: precision_name(precision).to_owned(),
            zone_source: zone_source_name(zone).to_owned(),
        }
    }
}

impl AttachmentOf {
    /// What a version says of a file.
    pub fn of(attachment: &crate::domain::Attachment) -> AttachmentOf {
        let (state, present) = match &attachment.state {
            AttachmentState::Present { size, sha256, mime } => {
                ("kept", Some((mime.clone(), hex(sha256), *size)))
            }
            AttachmentState::NotExported => ("not-in-the-source", None),
            AttachmentState::Unreferenced => ("unreferenced", None),
            AttachmentState::Failed(_) => ("unreadable", None),
        };
        let (mime, sha256, size) = match present {
            Some((mime, sha256, size)) => (Some(mime), Some(sha256), Some(size)),
            None => (None, None, None),
        };
        AttachmentOf {
            mime,
            name: attachment.name.clone(),
            sha256,
            size,
            state: state.to_owned(),
        }
    }
}

/// An instant for programs: RFC 3339 in UTC, to the microsecond.
pub(super) fn instant(time: Timestamp) -> String {
    DateTime::from_timestamp_micros(time.0)
        .unwrap_or_default()
        .format("%Y-%m-%dT%H:%M:%S%.6fZ")
        .to_string()
}

/// The facts about a message that readers of an export ask for.
pub(super) fn facts(presence: Presence) -> Vec<String> {
    let known = [
        (Presence::DELETED, "deleted"),
        (Presence::DISAPPEARING, "disappearing"),
        (Presence::EDITED, "edited"),
        (Presence::FORWARDED, "forwarded"),
        (Presence::SYSTEM, "system"),
    ];
    names(presence, &known)
}

fn names(presence: Presence, known: &[(Presence, &str)]) -> Vec<String> {
    known
        .iter()
        .filter(|(bit, _)| presence.has(*bit))
        .map(|(_, name)| (*name).to_owned())
        .collect()
}

/// The name of the shape of a conversation.
pub(super) const fn conversation_kind_name(kind: ConversationKind) -> &'static str {
    match kind {
        ConversationKind::Unknown => "unknown",
        ConversationKind::Direct => "direct",
        ConversationKind::Group => "group",
        ConversationKind::Channel => "channel",
        ConversationKind::Broadcast => "broadcast",
    }
}

const fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::None => "none",
        Precision::Day => "day",
        Precision::Minute => "minute",
        Precision::Second => "second",
        Precision::Milli => "millisecond",
        Precision::Micro => "microsecond",
    }
}

const fn zone_source_name(zone: ZoneSource) -> &'static str {
    match zone {
        ZoneSource::Record => "record",
        ZoneSource::File => "file",
        ZoneSource::Operator => "operator",
        ZoneSource::Inferred => "inferred",
        ZoneSource::Default => "default",
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A made-up message.
    pub fn record(body: &str, title: &str) -> Record {
        let source = Origin {
            bytes: 51,
            entry: 0,
            file: Some("chat.txt".to_owned()),
            first_byte: 812,
            import: Some("imp_1".to_owned()),
            source_id: None,
        };
        Record {
            app: "whatsapp".to_owned(),
            conversation: Conversation {
                id: "cnv_1".to_owned(),
                kind: "group".to_owned(),
                title: title.to_owned(),
            },
            facts: vec!["edited".to_owned()],
            files: Vec::new(),
            hit: true,
            holder: None,
            id: "msg_1".to_owned(),
            kind: "text".to_owned(),
            reply_to: None,
            seat: None,
            seen_again: Vec::new(),
            sender: Some(Sender {
                handle: None,
                name: "Rui".to_owned(),
                person: "per_1".to_owned(),
            }),
            sent: Sent::of(
                Timestamp(1_707_648_240_000_000),
                Presence::ZONE_ASSUMED,
                None,
            ),
            versions: vec![
                Version {
                    attachments: Vec::new(),
                    body: "before".to_owned(),
                    edited: None,
                    mentions: Vec::new(),
                    no: 0,
                    reactions: Vec::new(),
                    source: source.clone(),
                    thread: None,
                },
                Version {
                    attachments: Vec::new(),
                    body: body.to_owned(),
                    edited: Some("2024-02-11T10:46:00.000000Z".to_owned()),
                    mentions: vec!["=Ana".to_owned()],
                    no: 1,
                    reactions: vec![ReactionOf {
                        by: vec!["<b>Ana".to_owned()],
                        count: 2,
                        value: "👍".to_owned(),
                    }],
                    source,
                    thread: Some("=17".to_owned()),
                },
            ],
        }
    }

    #[test]
    fn a_time_is_told_with_its_doubts() {
        let sent = record("a", "b").sent;
        assert_eq!(sent.instant, "2024-02-11T10:44:00.000000Z");
        assert_eq!(sent.doubts, ["zone-assumed"]);
        assert_eq!(sent.local, None);
    }

    proptest! {
        #[test]
        fn a_line_reads_back_and_any_change_of_it_does_not(
            body in ".{0,40}", title in ".{0,20}", salt: [u8; 32],
            at: prop::sample::Index, bit in 0..8u32,
        ) {
            let record = record(&body, &title);
            let line = record.to_line(&salt).unwrap();
            let text = line.text.strip_suffix('\n').unwrap();
            prop_assert!(!text.contains('\n'));
            prop_assert_eq!(Record::read_line(text), Ok((record.clone(), line.digest)));
            prop_assert_eq!(Record::read_own(text), Ok((record, line.digest)));
            let mut bytes = text.as_bytes().to_vec();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            if let Ok(forged) = String::from_utf8(bytes) {
                prop_assert!(Record::read_line(&forged).is_err(), "{}", forged);
            }
        }
    }
}
