//! A file of messages as a whole: who writes where, then the messages.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::domain::{App, ConversationKind, IdScope, Precision};
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, read_record, scan};
use crate::ingest::message::{ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use crate::ingest::teller::{Slip, Teller};

use super::record::{Lowered, Record};

const LIST: Shape = Shape {
    records: &[&["*"]],
    members: &[],
};
const PAGE: Shape = Shape {
    records: &[
        &["value", "*"],
        &["Value", "*"],
        &["messages", "*"],
        &["Messages", "*"],
    ],
    members: &[],
};
/// The title of a chat without a name is made of so many names at most.
const TITLE_NAMES_MAX: usize = 8;
/// A list of channels longer than this is not looked at; bytes.
const CHANNELS_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The reader of messages of Teams.
#[derive(Clone, Copy, Debug)]
pub struct Teams;

impl Format for Teams {
    fn name(&self) -> &'static str {
        "teams"
    }

    /// By the members of a message, whatever the case of their names.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let head = head.to_ascii_lowercase();
        let has = |word: &str| memchr::memmem::find(&head, word.as_bytes()).is_some();
        let placed = has("\"chatid\"") || has("\"channelidentity\"");
        let message = has("\"messagetype\"") && has("\"createddatetime\"");
        match placed && message && has("\"contenttype\"") {
            true => Claim::Yes(5),
            false => Claim::No,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        _answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let head = container.head(main, 64)?;
        let first = head.iter().find(|byte| byte.is_ascii_punctuation());
        let shape = if first == Some(&b'[') { LIST } else { PAGE };
        let mut learned = container.read(main, |bytes| {
            let mut learned = Learned::default();
            scan(bytes, &shape, &mut |part| {
                learned.take(part);
                Ok(())
            })?;
            Ok(learned)
        })?;
        learned.channels(container)?;
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            learned,
            files: files_by_name(container, main),
            fallback: format!("file {}", entry.file_name()),
        };
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

fn files_by_name(container: &Container<'_>, main: u32) -> BTreeMap<String, Vec<u32>> {
    let mut files: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for entry in container.entries() {
        if entry.refused.is_none() && entry.ordinal != main {
            let name = entry.file_name().to_owned();
            files.entry(name).or_default().push(entry.ordinal);
        }
    }
    files
}

/// The first reading: who writes where.
#[derive(Debug, Default)]
struct Learned {
    /// Names of people by their ids.
    names: BTreeMap<String, String>,
    /// Names of those who write in a chat.
    writers: BTreeMap<String, BTreeSet<String>>,
    /// Names of channels.
    channels: BTreeMap<String, String>,
}

impl Learned {
    fn take(&mut self, part: Part<'_>) {
        if let Part::Record { raw, .. } = part
            && let Ok((Lowered(record), _)) = read_record::<Lowered>(raw)
        {
            self.record(&record);
        }
    }

    fn record(&mut self, record: &Record) {
        let Some(author) = record.author() else {
            return;
        };
        let Some(name) = author.displayname.clone().filter(|name| !name.is_empty()) else {
            return;
        };
        if let Some(id) = &author.id {
            self.names.insert(id.clone(), name.clone());
        }
        if let Some(chat) = record.chat() {
            let writers = self.writers.entry(chat.to_owned()).or_default();
            if writers.len() < TITLE_NAMES_MAX {
                writers.insert(name);
            }
        }
    }

    /// Reads the lists of channels that dumps lay beside the messages.
    fn channels(&mut self, container: &mut Container<'_>) -> Result<()> {
        let lists = container
            .entries()
            .iter()
            .filter(|entry| entry.refused.is_none() && entry.file_name().starts_with("channels_"));
        let lists: Vec<u32> = lists.map(|entry| entry.ordinal).collect();
        for list in lists {
            let bytes = container.head(list, CHANNELS_BYTES_MAX).unwrap_or_default();
            let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            for channel in value.as_array().into_iter().flatten() {
                let member = |names: [&str; 2]| {
                    let mut values = names.into_iter().filter_map(|name| channel.get(name));
                    values.find_map(Value::as_str).map(str::to_owned)
                };
                let (id, name) = (member(["id", "Id"]), member(["displayName", "DisplayName"]));
                if let (Some(id), Some(name)) = (id, name) {
                    self.channels.insert(id, name);
                }
            }
        }
        Ok(())
    }

    fn title(&self, chat: &str) -> String {
        if let Some(name) = self.channels.get(chat) {
            return name.clone();
        }
        let writers = self.writers.get(chat).into_iter().flatten();
        let writers: Vec<&str> = writers.map(String::as_str).collect();
        match writers.is_empty() {
            true => chat.to_owned(),
            false => writers.join(", "),
        }
    }
}

/// The second reading: records become messages.
struct Reading<'s> {
    teller: Teller<'s>,
    learned: Learned,
    files: BTreeMap<String, Vec<u32>>,
    /// The conversation of messages that do not say theirs.
    fallback: String,
}

impl Reading<'_> {
    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(Lowered(record)) = self.teller.read::<Lowered>(slip)? else {
            return Ok(());
        };
        let chat = record.chat().unwrap_or(&self.fallback).to_owned();
        let kind = record.conversation_kind();
        self.message(&record, slip.raw, slip.span(), (&chat, kind))?;
        // Answers may lie inside of what they answer; their bytes went out with it.
        let end = slip.span().1;
        for reply in record.replies.iter().flatten() {
            self.message(reply, &[], (end, end), (&chat, kind))?;
        }
        Ok(())
    }

    fn message(
        &mut self,
        record: &Record,
        raw: &[u8],
        span: (u64, u64),
        (chat, conversation_kind): (&str, ConversationKind),
    ) -> Result<()> {
        let attachments = record.attachments(&self.files);
        self.teller.missing(&attachments, span)?;
        let words = record.words();
        let kind = record.kind(&words);
        let author = record.author();
        let handle = author.and_then(|author| author.id.as_deref());
        let label = author.and_then(|author| author.displayname.as_deref());
        let known = handle.and_then(|id| self.learned.names.get(id));
        let mentions = record
            .mentions()
            .map(|(label, handle)| ParsedPerson { label, handle });
        let sent = record.sent();
        let id = record.id.as_ref().map(|id| id.0.as_str());
        let message = ParsedMessage {
            conversation_key: chat,
            conversation_title: &self.learned.title(chat),
            conversation_kind,
            app: App::Teams,
            sender_label: label.or(known.map(String::as_str)).or(handle),
            sender_handle: handle,
            body: &words,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            source_id: id,
            id_scope: id.map(|_| IdScope::Chat),
            reply_to: record.reply_to(),
            thread: record.thread(),
            edited: record.edited(),
            reactions: &reactions(record, &self.learned.names),
            mentions: &mentions.collect::<Vec<_>>(),
            attachments: &attachments,
            presence: record.presence(kind),
            raw,
            span,
            ..ParsedMessage::BARE
        };
        self.teller.message(&message)
    }
}

/// One for each sign, by the names of those who gave it.
fn reactions<'r>(
    record: &'r Record,
    names: &'r BTreeMap<String, String>,
) -> Vec<ParsedReaction<'r>> {
    ParsedReaction::gathered(record.reactions().map(|(sign, giver)| {
        let id = giver.and_then(|giver| giver.id.as_deref());
        let own = giver.and_then(|giver| giver.displayname.as_deref());
        let known = id.and_then(|id| names.get(id)).map(String::as_str);
        (sign, own.or(known).or(id))
    }))
}
