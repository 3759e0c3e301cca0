//! What an incoming message is: new, another sighting, or a revision of one that is here.
//!
//! The observation model: copies of one text by one sender in one unit of time are as many as the
//! source that shows most of them; never their sum, never one.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use super::Result;
use crate::archive::{Archive, Fate};
use crate::domain::{ConversationNo, MessageNo, Presence, Timestamp};
use crate::ingest::ParsedMessage;

/// The words for comparison: marks and trailing blanks do not tell two messages apart.
fn normal(body: &str) -> impl Iterator<Item = char> + '_ {
    body.trim_end()
        .chars()
        .filter(|letter| !matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\r'))
}

/// One conversation's messages, as hashes.
pub(super) struct Alignment {
    hasher: RandomState,
    /// Platform id -> message and hash of its latest words.
    by_id: HashMap<u64, (MessageNo, u64)>,
    /// (sender, words, unit of time) -> messages not yet seen again.
    by_words: HashMap<u64, VecDeque<MessageNo>>,
    /// (sender, unit of time) -> messages not yet seen again, for revisions.
    by_place: HashMap<u64, Vec<(MessageNo, u64)>>,
    /// Whether the conversation was here before this import.
    known: bool,
}

impl Alignment {
    /// Nothing is known of the conversation: everything is new, but for ids met twice.
    pub(super) fn empty() -> Self {
        Self {
            hasher: RandomState::new(),
            by_id: HashMap::new(),
            by_words: HashMap::new(),
            by_place: HashMap::new(),
            known: false,
        }
    }

    /// Reads what is known of a conversation. Memory: some fifty bytes a message.
    pub(super) fn with_known(archive: &Archive, conversation: ConversationNo) -> Result<Self> {
        let mut alignment = Self { known: true, ..Self::empty() };
        let mut reader = archive.reader()?;
        let mut rows = Vec::new();
        reader.rows().each_message_of(conversation, |row| {
            rows.push(row);
            Ok::<(), crate::archive::ArchiveError>(())
        })?;
        for row in rows {
            let sender = row.sender.map_or(0, |handle| u64::from(handle.0) + 1);
            let message = reader.open(row)?;
            for version in &message.versions {
                alignment.learn(sender, message.row.sent, message.row.no, version);
            }
        }
        Ok(alignment)
    }

    fn learn(
        &mut self,
        sender: u64,
        sent: Timestamp,
        no: MessageNo,
        version: &crate::archive::OpenedVersion,
    ) {
        let words = self.words(&version.body);
        if let Some(id) = &version.source_id {
            self.by_id.insert(self.hasher.hash_one(id.as_str()), (no, words));
            return;
        }
        let unit = unit(sent, version.precision.unit_micros());
        let key = self.hasher.hash_one((sender, words, unit));
        let queue = self.by_words.entry(key).or_default();
        if queue.back() != Some(&no) {
            queue.push_back(no);
        }
        let place = self.hasher.hash_one((sender, unit));
        self.by_place.entry(place).or_default().push((no, words));
    }

    fn words(&self, body: &str) -> u64 {
        let mut text = String::with_capacity(body.len());
        text.extend(normal(body));
        self.hasher.hash_one(text)
    }

    /// What an incoming message is.
    pub(super) fn fate(
        &mut self,
        message: &ParsedMessage<'_>,
        sender: Option<crate::domain::HandleNo>,
        sent: Timestamp,
    ) -> Fate {
        if let Some(id) = message.source_id {
            return self.fate_by_id(id, message.body);
        }
        if !self.known {
            return Fate::New;
        }
        let sender = sender.map_or(0, |handle| u64::from(handle.0) + 1);
        let unit = unit(sent, message.precision.unit_micros());
        let words = self.words(message.body);
        let key = self.hasher.hash_one((sender, words, unit));
        let place = self.hasher.hash_one((sender, unit));
        if let Some(no) = self.by_words.get_mut(&key).and_then(VecDeque::pop_front) {
            if let Some(left) = self.by_place.get_mut(&place) {
                left.retain(|(other, _)| *other != no);
            }
            return Fate::Known(no);
        }
        let marked = message.presence.has(Presence::EDITED)
            || message.presence.has(Presence::DELETED);
        match self.by_place.get_mut(&place) {
            // One message left at this place, and the source says it was changed: the same one.
            Some(left) if marked && left.len() == 1 => {
                left.pop().map_or(Fate::New, |(no, _)| Fate::Revised(no))
            }
            _ => Fate::New,
        }
    }

    fn fate_by_id(&mut self, id: &str, body: &str) -> Fate {
        let key = self.hasher.hash_one(id);
        let words = self.words(body);
        match self.by_id.get_mut(&key) {
            Some((no, known)) if *known == words => Fate::Known(*no),
            Some((no, known)) => {
                *known = words;
                Fate::Revised(*no)
            }
            None => Fate::New,
        }
    }
}

/// The unit of time an instant falls into, in the precision of its source.
fn unit(sent: Timestamp, micros: i64) -> i64 {
    if micros == 0 { 0 } else { sent.0.div_euclid(micros) }
}
