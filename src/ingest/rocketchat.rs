//! Messages of Rocket.Chat in JSON: the collection `rocketchat_message` as the tools of MongoDB write it, a
//! document a line or in a list, with `rocketchat_room` beside it where it came along.
//!
//! What it does not tell: the words of messages that were removed for good. Earlier words are hidden
//! documents that name the message they were of.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{
    App, ConversationKind, IdScope, Kind, NoteKind, Precision, Presence, Timestamp,
};

use super::answers::{Answers, Outcome};
use super::beside::place_of;
use super::container::{Container, Entry};
use super::detect::Found;
use super::error::Result;
use super::format::{Claim, Format};
use super::json::{Part, Shape, read_record, scan};
use super::message::{
    ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, ParsedVersion, Sink,
};
use super::table::TimeFormat;
use super::teller::{Slip, Teller};

/// A document a line.
const LINES: Shape = Shape {
    records: &[&[]],
    members: &[],
};
/// A list of documents.
const LIST: Shape = Shape {
    records: &[&["*"]],
    members: &[],
};
/// Earlier words that are laid to their messages; those beyond stand by themselves. Bytes.
const EARLIER_BYTES_MAX: usize = 64 * 1024 * 1024;
/// What holding the words of one document takes beside them; bytes, about.
const EARLIER_BYTES_EACH: usize = 128;
/// The collection of messages.
const MESSAGES_FILE: &str = "rocketchat_message.json";
/// Bytes of it that are looked at to tell what it is.
const HEAD_BYTES: usize = 64 * 1024;
/// Collections that tell about rooms and people.
const BESIDE: [&str; 2] = ["rocketchat_room.json", "users.json"];

/// The reader of Rocket.Chat's messages.
#[derive(Clone, Copy, Debug)]
pub struct RocketChat;

impl Format for RocketChat {
    fn name(&self) -> &'static str {
        "rocketchat"
    }

    /// By the members of a document that no other format has together.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        match has("\"rid\"") && has("\"msg\"") && has("\"_id\"") && has("\"u\"") {
            true => Claim::Yes(4),
            false => Claim::No,
        }
    }

    /// Messages and the collections beside them, as the tools of MongoDB name them.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let entries = container.entries().to_vec();
        let named = |one: &&Entry| one.refused.is_none() && one.file_name() == MESSAGES_FILE;
        let mut found = Vec::new();
        for entry in entries.iter().filter(named) {
            let head = container
                .head(entry.ordinal, HEAD_BYTES)
                .unwrap_or_default();
            if self.claim(entry, &head) != Claim::No {
                let parts = beside(&entries, entry);
                found.push(Found::gathered(self.name(), entry.ordinal, parts));
            }
        }
        Ok(found)
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        _answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let shape = shape_of(container, main)?;
        let mut earlier = Earlier::default();
        container.read(main, |bytes| {
            scan(bytes, &shape, &mut |part| {
                earlier.take(part);
                Ok(())
            })
        })?;
        if !earlier.words.is_empty() {
            container.read(main, |bytes| {
                scan(bytes, &shape, &mut |part| {
                    earlier.look_for(part);
                    Ok(())
                })
            })?;
        }
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            rooms: BTreeMap::new(),
            names: BTreeMap::new(),
            earlier,
        };
        for other in beside(container.entries(), &entry) {
            reading.about(container, other)?;
        }
        reading.teller.turn_to(&entry);
        container.read(main, |bytes| {
            let ending = scan(
                bytes,
                &shape,
                &mut |part| match reading.teller.besides(part)? {
                    Some(slip) => reading.record(&slip),
                    None => Ok(()),
                },
            )?;
            reading.teller.ending(ending)
        })?;
        Ok(reading.teller.done())
    }
}

fn shape_of(container: &mut Container<'_>, entry: u32) -> Result<Shape> {
    let head = container.head(entry, 64)?;
    let first = head.iter().find(|byte| byte.is_ascii_punctuation());
    Ok(if first == Some(&b'[') { LIST } else { LINES })
}

/// A room.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Room {
    #[serde(rename = "_id")]
    id: Option<String>,
    name: Option<String>,
    fname: Option<String>,
    #[serde(rename = "t")]
    form: Option<String>,
    usernames: Option<Vec<String>>,
}

/// What lies beside the messages and tells about rooms and people.
fn beside(entries: &[Entry], messages: &Entry) -> Vec<u32> {
    let beside = entries.iter().filter(|other| {
        place_of(other) == place_of(messages)
            && other.refused.is_none()
            && BESIDE.contains(&other.file_name())
    });
    beside.map(|entry| entry.ordinal).collect()
}

/// A document; what is not read stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(rename = "_id")]
    id: Value,
    rid: Option<String>,
    msg: Option<String>,
    ts: Value,
    u: Option<Person>,
    #[serde(rename = "editedAt")]
    edited_at: Value,
    t: Option<String>,
    attachments: Option<Vec<Attached>>,
    file: Option<File>,
    files: Option<Vec<File>>,
    tmid: Option<String>,
    reactions: Option<BTreeMap<String, Reaction>>,
    mentions: Option<Vec<Person>>,
    #[serde(rename = "_hidden")]
    hidden: Option<bool>,
    parent: Option<String>,
    location: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    #[serde(rename = "_id")]
    id: Option<String>,
    username: Option<String>,
    name: Option<String>,
}

impl Person {
    fn shown(&self) -> Option<&str> {
        let names = [&self.name, &self.username, &self.id].map(Option::as_deref);
        names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attached {
    title: Option<String>,
    text: Option<String>,
    description: Option<String>,
    message_link: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    #[serde(rename = "_id")]
    id: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    usernames: Option<Vec<String>>,
}

/// An instant: as text, as milliseconds, or in the clothes of MongoDB.
fn instant(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => match text.parse() {
            Ok(millis) => Some(Timestamp::from_millis(millis)),
            Err(_) => TimeFormat::Rfc3339.read(text, None).map(|read| read.sent),
        },
        Value::Number(number) => number.as_i64().map(Timestamp::from_millis),
        _ => instant(value.get("$date").or_else(|| value.get("$numberLong"))?),
    }
}

impl Record {
    fn id(&self) -> Option<&str> {
        self.id.as_str().or_else(|| self.id.get("$oid")?.as_str())
    }

    /// The message whose earlier words these are.
    fn earlier_of(&self) -> Option<&str> {
        self.parent.as_deref().filter(|_| self.hidden == Some(true))
    }

    /// The words; where there are none, what describes the files.
    fn body(&self) -> String {
        let message = self.msg.clone().unwrap_or_default();
        if !message.is_empty() {
            return message;
        }
        let attached = self.attachments.iter().flatten();
        let texts = attached.filter_map(|one| one.description.as_deref().or(one.text.as_deref()));
        texts
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn kind(&self, body: &str) -> Kind {
        match self.t.as_deref().unwrap_or_default() {
            "" if self.hidden == Some(true) => Kind::Unknown,
            "" if self.location.is_object() => Kind::Location,
            "" | "e2e" if body.is_empty() && self.files().next().is_some() => Kind::Media,
            "" => Kind::Text,
            "rm" => Kind::Deleted,
            "uj" | "ul" | "ut" | "au" | "ru" | "ult" | "added-user-to-team" => {
                Kind::SystemMembership
            }
            "user-added-room-to-team" | "removed-user-from-team" => Kind::SystemMembership,
            "discussion-created" => Kind::SystemCreated,
            "videoconf" | "jitsi_call_started" => Kind::Call,
            "r" => Kind::SystemSubject,
            form if form.starts_with("room_changed") => Kind::SystemSubject,
            "wm"
            | "message_pinned"
            | "message_snippeted"
            | "subscription-role-added"
            | "subscription-role-removed"
            | "user-muted"
            | "user-unmuted"
            | "room-archived"
            | "room-unarchived" => Kind::System,
            _ => Kind::Unknown,
        }
    }

    /// The message that is quoted.
    fn quoted(&self) -> Option<&str> {
        let mut links = self.attachments.iter().flatten();
        let quoted = links.find_map(|one| one.message_link.as_deref()?.split_once("msg="));
        quoted.map(|(_, id)| id.split('&').next().unwrap_or(id))
    }

    /// The message that is quoted, else that which begins its thread.
    fn reply_to(&self) -> Option<&str> {
        self.quoted().or(self.tmid.as_deref())
    }

    fn files(&self) -> impl Iterator<Item = &File> {
        let all = self.files.iter().flatten();
        let one = self.file.iter().filter(|_| self.files.is_none());
        all.chain(one)
    }

    /// The files it carries: their bytes lie in other collections, which are no part of this.
    fn attachments(&self) -> Vec<ParsedAttachment<'_>> {
        let name = |file: &'_ File| file.name.clone().or_else(|| file.id.clone());
        let titles = self
            .attachments
            .iter()
            .flatten()
            .map(|one| one.title.clone());
        let has_files = self.files().next().is_some();
        let titles = titles.filter(|title| title.is_some() && !has_files && self.t.is_none());
        let names = self.files().map(name).chain(titles);
        let parsed = names.map(|name| ParsedAttachment {
            name: Cow::Owned(name.unwrap_or_default()),
            entry: None,
        });
        parsed.collect()
    }

    fn reactions<'r>(&'r self, names: &'r BTreeMap<String, String>) -> Vec<ParsedReaction<'r>> {
        let name = |user: &'r String| Cow::Borrowed(names.get(user).unwrap_or(user).as_str());
        let parsed = self.reactions.iter().flatten().map(|(sign, reaction)| {
            let by: Vec<Cow<'_, str>> = reaction.usernames.iter().flatten().map(name).collect();
            ParsedReaction {
                value: Cow::Borrowed(sign),
                count: by.len() as u32,
                by,
            }
        });
        parsed.collect()
    }
}

/// Words that were replaced.
#[derive(Debug)]
struct Replaced {
    /// When others took their place.
    until: Option<Timestamp>,
    /// When the message was sent.
    sent: Option<Timestamp>,
    words: String,
}

/// The readings before: earlier words, by the messages they were of.
#[derive(Debug, Default)]
struct Earlier {
    words: BTreeMap<String, Vec<Replaced>>,
    /// Bytes of all of them.
    held: usize,
    /// The documents they stand in.
    laid: BTreeSet<String>,
    /// Which of the messages are there.
    present: BTreeSet<String>,
}

impl Earlier {
    fn take(&mut self, part: Part<'_>) {
        let Part::Record { raw, .. } = part else {
            return;
        };
        let Ok((record, _)) = read_record::<Record>(raw) else {
            return;
        };
        if let (Some(of), Some(id)) = (record.earlier_of(), record.id()) {
            let words = record.body();
            if self.held + words.len() <= EARLIER_BYTES_MAX {
                self.held += words.len() + EARLIER_BYTES_EACH;
                self.laid.insert(id.to_owned());
                self.words.entry(of.to_owned()).or_default().push(Replaced {
                    until: instant(&record.edited_at),
                    sent: instant(&record.ts),
                    words,
                });
            }
        }
    }

    fn look_for(&mut self, part: Part<'_>) {
        if let Part::Record { raw, .. } = part
            && let Ok((record, _)) = read_record::<Record>(raw)
            && let (None, Some(id)) = (record.earlier_of(), record.id())
            && self.words.contains_key(id)
        {
            self.present.insert(id.to_owned());
        }
    }

    /// Whether the words of a document stand at the message they were of.
    fn holds(&self, record: &Record) -> bool {
        let of = record.earlier_of().filter(|of| self.present.contains(*of));
        let own = record.id().filter(|id| self.laid.contains(*id));
        of.and(own).is_some()
    }

    /// The earlier words of a message that differ from those of today, oldest first.
    fn of(&self, id: Option<&str>, body: &str) -> Vec<ParsedVersion<'static>> {
        let words = id.and_then(|id| self.words.get(id));
        let mut words: Vec<&Replaced> = words.into_iter().flatten().collect();
        words.sort_by_key(|one| one.until);
        let first = words.first().and_then(|one| one.sent);
        // Each was written when the one before it was replaced.
        let written = std::iter::once(first).chain(words.iter().map(|one| one.until));
        let mut versions: Vec<_> = words.iter().zip(written).collect();
        // What is pinned leaves a copy as well.
        versions.dedup_by(|(one, _), (before, _)| one.words == before.words);
        let differ = versions.into_iter().filter(|(one, _)| one.words != body);
        let version = |(one, written): (&&Replaced, Option<Timestamp>)| ParsedVersion {
            body: Cow::Owned(one.words.clone()),
            written,
        };
        differ.map(version).collect()
    }
}

/// The second reading: documents become messages.
struct Reading<'s> {
    teller: Teller<'s>,
    rooms: BTreeMap<String, Room>,
    /// Names of people by their user names.
    names: BTreeMap<String, String>,
    earlier: Earlier,
}

impl Reading<'_> {
    /// Reads a collection of rooms or of people: its bytes are frames.
    fn about(&mut self, container: &mut Container<'_>, ordinal: u32) -> Result<()> {
        let shape = shape_of(container, ordinal)?;
        let entry = container.entries()[ordinal as usize].clone();
        self.teller.turn_to(&entry);
        let read = container.read(ordinal, |bytes| {
            let ending = scan(bytes, &shape, &mut |part| {
                let Some(slip) = self.teller.besides(part)? else {
                    return Ok(());
                };
                self.teller.frame(slip.raw, slip.at)?;
                match entry.file_name() {
                    "users.json" => self.person(slip.raw),
                    _ => self.listed(slip.raw),
                }
                Ok(())
            })?;
            self.teller.ending(ending)
        });
        self.teller.part(read)
    }

    fn person(&mut self, raw: &[u8]) {
        if let Ok((person, _)) = read_record::<Person>(raw)
            && let (Some(user), Some(name)) = (person.username, person.name)
        {
            self.names.insert(user, name);
        }
    }

    fn listed(&mut self, raw: &[u8]) {
        if let Ok((room, _)) = read_record::<Room>(raw)
            && let Some(id) = room.id.clone()
        {
            self.rooms.insert(id, room);
        }
    }

    /// The name of a user name.
    fn name<'a>(&'a self, user: &'a str) -> &'a str {
        self.names.get(user).map_or(user, String::as_str)
    }

    /// The title and the kind of a room.
    fn room(&self, rid: &str) -> (String, ConversationKind) {
        let Some(room) = self.rooms.get(rid) else {
            return (rid.to_owned(), ConversationKind::Unknown);
        };
        let kind = match (room.form.as_deref(), &room.usernames) {
            (Some("c"), _) => ConversationKind::Channel,
            (Some("p"), _) => ConversationKind::Group,
            (Some("d"), Some(names)) if names.len() > 2 => ConversationKind::Group,
            (Some("d"), _) => ConversationKind::Direct,
            _ => ConversationKind::Unknown,
        };
        let people = room.usernames.iter().flatten();
        let people: Vec<&str> = people.map(|user| self.name(user)).collect();
        let people = Some(people.join(", "));
        let titles = [room.fname.clone(), room.name.clone(), people];
        let title = titles.into_iter().flatten().find(|title| !title.is_empty());
        (title.unwrap_or_else(|| rid.to_owned()), kind)
    }

    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        if self.earlier.holds(&record) {
            return self.teller.frame(slip.raw, slip.at);
        }
        if record.t.as_deref() == Some("e2e") {
            let reason = "this message is encrypted: the collection holds no readable words of it";
            self.teller.note(NoteKind::Other, slip.span(), reason)?;
        }
        let attachments = record.attachments();
        self.teller.missing(&attachments, slip.span())?;
        let rid = record.rid.as_deref().unwrap_or("a room without an id");
        let (title, conversation_kind) = self.room(rid);
        let body = record.body();
        let kind = record.kind(&body);
        let sent = instant(&record.ts);
        let facts = [
            (kind.is_system(), Presence::SYSTEM),
            (kind == Kind::Deleted, Presence::DELETED),
            (kind == Kind::Location, Presence::LOCATION),
            (record.quoted().is_some(), Presence::QUOTE),
            (sent.is_none(), Presence::TIME_ASSUMED),
        ];
        let people = record.mentions.iter().flatten();
        let mentions = people.filter_map(|person| {
            let handle = person.id.as_deref();
            person.shown().map(|label| ParsedPerson { label, handle })
        });
        let id = record.id();
        self.teller.message(&ParsedMessage {
            conversation_key: rid,
            conversation_title: &title,
            conversation_kind,
            app: App::RocketChat,
            sender_label: record.u.as_ref().and_then(Person::shown),
            sender_handle: record.u.as_ref().and_then(|person| person.id.as_deref()),
            body: &body,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            source_id: id,
            id_scope: id.map(|_| IdScope::Global),
            reply_to: record.reply_to(),
            thread: record.tmid.as_deref(),
            earlier: &self.earlier.of(id, &body),
            edited: instant(&record.edited_at),
            reactions: &record.reactions(&self.names),
            mentions: &mentions.collect::<Vec<_>>(),
            attachments: &attachments,
            presence: Presence::of(facts),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}
