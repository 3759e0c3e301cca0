//! Which conversation a chat without an id of its own continues: found by what was said, never by
//! the name of the file.
//!
//! The first reading of the source collects the chat's rare texts (hashes only) and its interval;
//! conversations of the same platform whose interval meets it are compared by their rare texts.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::run::Run;
use super::{AppError, Result};
use crate::archive::Archive;
use crate::domain::{App, ConversationNo, MessageNo, Note, Timestamp};
use crate::ingest::{Container, Found, IngestError, Outcome, ParsedMessage, Sink, Stop};

/// Shortest text that can be an anchor, in characters.
const ANCHOR_CHARS_MIN: usize = 8;
/// Share of matching anchors, in percent of the smaller side, from which two chats are one.
const SHARE_PERCENT_MIN: usize = 5;
/// Fewest matching anchors that say anything.
const ANCHORS_MIN: usize = 2;

/// Whose messages these are.
pub(super) struct Identity {
    /// The conversation they continue, when that was found.
    pub(super) known: Option<ConversationNo>,
    /// Keyed hash under which a source with keys of its own finds it again.
    pub(super) lookup: [u8; 16],
}

/// What the first reading learned.
#[derive(Default)]
pub(super) struct Probe {
    /// The conversation the operator named.
    named: Option<ConversationNo>,
    /// Conversation key -> conversation found by anchors.
    found: HashMap<String, ConversationNo>,
    /// Makes look-ups of chats without an id of their own unlike any other.
    salt: Vec<u8>,
}

impl Probe {
    pub(super) fn identity(&self, archive: &Archive, message: &ParsedMessage<'_>) -> Identity {
        let app = [message.app as u8];
        let key = message.conversation_key.as_bytes();
        let known = self.named.or_else(|| self.found.get(message.conversation_key).copied());
        let lookup = archive.lookup("conversation", &[&app, &self.salt, key]);
        Identity { known, lookup }
    }
}

/// Reads an entry without keeping anything but hashes. Questions and refusals surface here, before
/// anything is written.
pub(super) fn run(
    run: &Run<'_>,
    container: &mut Container<'_>,
    found: &Found,
    fallback: Timestamp,
) -> Result<Probe> {
    let archive = &run.appliance.archive;
    let named = match run.request.conversation {
        None => None,
        Some(id) => {
            let row = archive.store().read()?.conversation_by_id(id)?;
            Some(row.ok_or_else(|| AppError::NotFound(id.to_string()))?.no)
        }
    };
    let mut collector = Collector::new(fallback);
    let has_keys = !found.formats.contains(&"whatsapp");
    if has_keys {
        // The source names its conversations; nothing has to be found by content.
        return Ok(Probe { named, ..Probe::default() });
    }
    match crate::ingest::import(container, found, &run.answers, &mut collector) {
        Ok(Outcome::Done(_)) | Err(IngestError::Stopped) => {}
        Ok(Outcome::Ask(questions)) => return Err(AppError::Questions(questions)),
        Ok(Outcome::Refused(refusal)) => return Err(AppError::Refused(refusal)),
        Err(error) => return Err(error.into()),
    }
    let mut probe = Probe {
        named,
        salt: crate::crypto::random_bytes::<16>(&*run.appliance.entropy).to_vec(),
        ..Probe::default()
    };
    for (key, chat) in &collector.chats {
        if let Some(no) = best_match(archive, chat, &collector.hasher)? {
            probe.found.insert(key.clone(), no);
        }
    }
    Ok(probe)
}

struct Chat {
    app: App,
    first: Timestamp,
    last: Timestamp,
    /// Hash of text -> how often.
    texts: HashMap<u64, u32>,
}

impl Chat {
    fn anchors(&self) -> HashSet<u64> {
        self.texts.iter().filter(|(_, count)| **count == 1).map(|(text, _)| *text).collect()
    }
}

struct Collector {
    hasher: RandomState,
    fallback: Timestamp,
    chats: HashMap<String, Chat>,
}

impl Collector {
    fn new(fallback: Timestamp) -> Self {
        Self { hasher: RandomState::new(), fallback, chats: HashMap::new() }
    }
}

fn anchor(hasher: &RandomState, body: &str) -> Option<u64> {
    let text = body.trim();
    (text.chars().take(ANCHOR_CHARS_MIN).count() == ANCHOR_CHARS_MIN)
        .then(|| hasher.hash_one(text))
}

impl Sink for Collector {
    fn message(&mut self, message: &ParsedMessage<'_>) -> std::result::Result<(), Stop> {
        let sent = message.sent.unwrap_or(self.fallback);
        if !self.chats.contains_key(message.conversation_key) {
            let chat =
                Chat { app: message.app, first: sent, last: sent, texts: HashMap::new() };
            self.chats.insert(message.conversation_key.to_owned(), chat);
        }
        let Some(chat) = self.chats.get_mut(message.conversation_key) else {
            return Ok(());
        };
        chat.first = chat.first.min(sent);
        chat.last = chat.last.max(sent);
        if let Some(text) = anchor(&self.hasher, message.body)
            && message.sender_label.is_some()
        {
            *chat.texts.entry(text).or_insert(0) += 1;
        }
        Ok(())
    }

    fn note(&mut self, _note: Note) -> std::result::Result<(), Stop> {
        Ok(())
    }
}

/// The conversation that shares most anchors with a chat, if any shares enough.
fn best_match(
    archive: &Archive,
    chat: &Chat,
    hasher: &RandomState,
) -> Result<Option<ConversationNo>> {
    let anchors = chat.anchors();
    let mut reader = archive.reader()?;
    let mut best: Option<(usize, ConversationNo)> = None;
    for row in reader.rows().conversations()? {
        let meets = row.app == chat.app
            && row.span.is_some_and(|span| span.first <= chat.last && span.last >= chat.first);
        if !meets {
            continue;
        }
        let mut numbers: Vec<MessageNo> = Vec::new();
        reader.rows().each_message_of(row.no, |message| {
            if message.sent >= chat.first && message.sent <= chat.last && message.sender.is_some() {
                numbers.push(message.no);
            }
            Ok::<(), crate::archive::ArchiveError>(())
        })?;
        let (mut shared, mut texts) = (HashSet::new(), HashSet::new());
        for no in numbers {
            let Some(message) = reader.message(no)? else { continue };
            for version in &message.versions {
                if let Some(text) = anchor(hasher, &version.body) {
                    texts.insert(text);
                    if anchors.contains(&text) {
                        shared.insert(text);
                    }
                }
            }
        }
        let smaller = texts.len().min(anchors.len()).max(1);
        let enough =
            shared.len() >= ANCHORS_MIN.min(smaller) && shared.len() * 100 >= smaller * SHARE_PERCENT_MIN;
        if enough && best.is_none_or(|(most, _)| shared.len() > most) {
            best = Some((shared.len(), row.no));
        }
    }
    Ok(best.map(|(_, no)| no))
}
