//! The words of a record: a text, or a list of plain and marked pieces, put together as they stand.

use serde_json::Value;

use super::record::Record;
use crate::ingest::message::ParsedPerson;

/// The words and whom they name.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub body: String,
    /// Whether the two members that hold the words say different things.
    pub disagree: bool,
    people: Vec<(String, Option<String>)>,
}

impl Words {
    /// Whom the words name.
    pub fn mentions(&self) -> Vec<ParsedPerson<'_>> {
        let people = self.people.iter();
        people
            .map(|(label, handle)| ParsedPerson {
                label,
                handle: handle.as_deref(),
            })
            .collect()
    }
}

/// The words of a record. What a notice does has no words: its action and whom it names stand for them,
/// as the source writes them.
pub(super) fn read(record: &Record) -> Words {
    let mut words = Words::default();
    let entities = joined(record.text_entities.iter(), &mut words.people);
    let mut spare = Vec::new();
    let text = match &record.text {
        Value::String(text) => text.clone(),
        Value::Array(parts) => joined(parts.iter(), &mut spare),
        _ => String::new(),
    };
    if record.text_entities.is_empty() {
        words.people = spare;
        words.body = text;
    } else {
        words.disagree = !text.is_empty() && text != entities;
        words.body = entities;
    }
    if words.body.is_empty() {
        words.body = instead(record);
    }
    words
}

fn joined<'v>(
    parts: impl Iterator<Item = &'v Value>,
    people: &mut Vec<(String, Option<String>)>,
) -> String {
    let mut body = String::new();
    for part in parts {
        let text = match part {
            Value::String(text) => text.as_str(),
            _ => part.get("text").and_then(Value::as_str).unwrap_or_default(),
        };
        body += text;
        let id = || match part.get("user_id") {
            Some(Value::Number(id)) => Some(format!("user{id}")),
            Some(Value::String(id)) => Some(id.clone()),
            _ => None,
        };
        match part.get("type").and_then(Value::as_str) {
            Some("mention") => people.push((text.to_owned(), None)),
            Some("mention_name") => people.push((text.to_owned(), id())),
            _ => {}
        }
    }
    body
}

/// What stands for the words where there are none: the question of a poll and its answers, a contact,
/// a place, the action of a notice.
fn instead(record: &Record) -> String {
    let mut lines: Vec<String> = Vec::new();
    if let Some(poll) = &record.poll {
        lines.push(poll.question.clone());
        lines.extend(poll.answers.iter().map(|answer| answer.text.clone()));
    }
    if let Some(contact) = &record.contact_information {
        let name = format!("{} {}", contact.first_name, contact.last_name);
        lines.push(name.trim().to_owned());
        lines.push(contact.phone_number.clone());
    }
    lines.extend(
        [&record.place_name, &record.address]
            .into_iter()
            .flatten()
            .cloned(),
    );
    let place = &record.location_information;
    if let (Some(latitude), Some(longitude)) = (place.get("latitude"), place.get("longitude")) {
        lines.push(format!("{latitude}, {longitude}"));
    }
    if let Some(action) = &record.action {
        let named = record.members.iter().flatten().map(|name| name.0.as_str());
        let mut about: Vec<&str> = named.collect();
        about.extend(record.title.as_ref().map(|title| title.0.as_str()));
        lines.push(match about.is_empty() {
            true => action.clone(),
            false => format!("{action}: {}", about.join(", ")),
        });
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}
