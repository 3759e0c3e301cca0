//! One event of a manifest: what its members say.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDateTime};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::{Kind, Presence, Timestamp};
use crate::ingest::json::Text;
use crate::ingest::message::{ParsedAttachment, ParsedReaction, ParsedVersion};

/// An event. Members of other names stand in `rest`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub form: String,
    pub id: Option<Text>,
    pub parent: Option<Text>,
    pub body: Option<String>,
    pub participant: Option<Text>,
    pub conversation: Option<Text>,
    timestamp: Option<String>,
    deleted: Option<bool>,
    #[serde(rename = "importance")]
    _importance: Value,
    #[serde(rename = "direction")]
    _direction: Value,
    reactions: Vec<Reaction>,
    attachments: Vec<Attachment>,
    edits: Vec<Edit>,
    #[serde(rename = "read_receipts")]
    _read_receipts: Value,
    #[serde(rename = "custom")]
    _custom: Value,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// A reaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    value: String,
    count: Option<u32>,
    participants: Vec<Text>,
}

/// A file inside the zip.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attachment {
    id: Text,
    display: Option<String>,
}

/// An edit.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Edit {
    timestamp: Option<String>,
    previous: Option<String>,
    new: Option<String>,
}

/// When an event was, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// With its distance from UTC.
    Instant(Timestamp),
    /// Without: microseconds as if it were UTC.
    Local(i64),
    /// Not at all, or nothing that can be read.
    Unknown,
}

/// Reads a time as ISO 8601 writes it.
pub(super) fn when(text: Option<&str>) -> When {
    let Some(text) = text.map(str::trim) else {
        return When::Unknown;
    };
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return When::Instant(Timestamp(instant.timestamp_micros()));
    }
    for form in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
    ] {
        if let Ok(local) = NaiveDateTime::parse_from_str(text, form) {
            return When::Local(local.and_utc().timestamp_micros());
        }
    }
    When::Unknown
}

impl Event {
    /// When it was.
    pub fn when(&self) -> When {
        when(self.timestamp.as_deref())
    }

    /// The time as written, where it cannot be read.
    pub fn unreadable_time(&self) -> Option<&str> {
        let text = self.timestamp.as_deref()?;
        (self.when() == When::Unknown).then_some(text)
    }

    /// What sort of message.
    pub fn kind(&self) -> Kind {
        let wordless = self.body.as_deref().is_none_or(str::is_empty);
        match self.form.as_str() {
            "message" if self.deleted == Some(true) && wordless => Kind::Deleted,
            "message" if wordless && !self.attachments.is_empty() => Kind::Media,
            "message" => Kind::Text,
            "disclaimer" | "history" => Kind::System,
            "join" | "leave" => Kind::SystemMembership,
            _ => Kind::Unknown,
        }
    }

    /// The words; comings and goings without any are called by their kind, as they would show nothing.
    pub fn words(&self) -> &str {
        match self.body.as_deref() {
            None | Some("") if self.kind() == Kind::SystemMembership => &self.form,
            words => words.unwrap_or_default(),
        }
    }

    /// What its members tell beside the words.
    pub fn presence(&self) -> Presence {
        Presence::of([
            (self.deleted == Some(true), Presence::DELETED),
            (!self.edits.is_empty(), Presence::EDITED),
            (self.kind().is_system(), Presence::SYSTEM),
        ])
    }

    /// The files it names, looked for in the zip.
    pub fn attachments(&self, files: &BTreeMap<String, u32>) -> Vec<ParsedAttachment<'_>> {
        let parsed = self.attachments.iter().map(|file| ParsedAttachment {
            name: Cow::Borrowed(file.display.as_deref().unwrap_or(&file.id.0)),
            entry: files.get(&file.id.0).copied(),
        });
        parsed.collect()
    }

    /// The reactions, each with who gave it as far as the manifest tells.
    pub fn reactions<'a>(&'a self, named: impl Fn(&'a Text) -> &'a str) -> Vec<ParsedReaction<'a>> {
        let parsed = self.reactions.iter().map(|reaction| ParsedReaction {
            value: Cow::Borrowed(&reaction.value),
            count: (reaction.count.unwrap_or(1)).max(reaction.participants.len() as u32),
            by: reaction
                .participants
                .iter()
                .map(|id| Cow::Borrowed(named(id)))
                .collect(),
        });
        parsed.collect()
    }

    /// Earlier words, oldest first, and when those of today were written. `instant` reads a time.
    pub fn earlier(
        &self,
        mut instant: impl FnMut(When) -> Option<Timestamp>,
    ) -> (Vec<ParsedVersion<'_>>, Option<Timestamp>) {
        let mut earlier: Vec<ParsedVersion<'_>> = Vec::new();
        let mut since = None;
        for edit in &self.edits {
            // What an edit left behind is what the one before it brought, where both are told.
            if let Some(previous) = edit.previous.as_deref()
                && earlier.last().is_none_or(|last| last.body != previous)
            {
                earlier.push(ParsedVersion {
                    body: Cow::Borrowed(previous),
                    written: since,
                });
            }
            since = instant(when(edit.timestamp.as_deref()));
            if let Some(new) = edit.new.as_deref() {
                earlier.push(ParsedVersion {
                    body: Cow::Borrowed(new),
                    written: since,
                });
            }
        }
        let now = self.body.as_deref().unwrap_or_default();
        if earlier.last().is_some_and(|last| last.body == now) {
            earlier.pop();
        }
        (earlier, since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(json: &str) -> Event {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn edits_give_every_wording_once_and_in_order() {
        let event = event(
            r#"{"type": "message", "body": "three", "edits": [
                {"participant": "1", "timestamp": "2024-02-11T10:00:00Z", "previous": "one", "new": "two"},
                {"participant": "1", "timestamp": "2024-02-11T11:00:00Z", "previous": "two", "new": "three"}]}"#,
        );
        let read = |when| match when {
            When::Instant(at) => Some(at),
            _ => None,
        };
        let (earlier, edited) = event.earlier(read);
        let bodies: Vec<&str> = earlier.iter().map(|one| &*one.body).collect();
        assert_eq!(bodies, ["one", "two"]);
        assert_eq!(earlier[0].written, None);
        assert!(earlier[1].written < edited);
    }

    #[test]
    fn times_with_and_without_a_zone_are_told_apart() {
        assert_eq!(
            when(Some("1970-01-01T01:00:00+01:00")),
            When::Instant(Timestamp(0))
        );
        assert_eq!(when(Some("1970-01-01T00:00:01")), When::Local(1_000_000));
        assert_eq!(when(Some("yesterday")), When::Unknown);
        assert_eq!(when(None), When::Unknown);
    }
}
