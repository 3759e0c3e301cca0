//! Turns parsed messages into batches: conversation, handle, alignment, packing.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use super::pipeline::Feed;
use super::probe::{Probe, assumed_time};
use super::request::Progress;
use super::source::Media;
use super::{AppError, Result};
use crate::app::Appliance;
use crate::archive::{Batch, Fate, Incoming, Links, NewConversation, NewHandle, Packed};
use crate::domain::{
    App, Attachment, AttachmentState, ConversationNo, Extras, HandleNo, ImportNo, Note, NoteKind,
    Presence, Reaction, Timestamp,
};
use crate::ingest::align::{Sighting, Verdict};
use crate::ingest::raw::{Fields, Templates, raw_form};
use crate::ingest::{Frame, ParsedMessage, ParsedPerson, ParsedReaction, Sink, Stop};
use crate::query::analysis::facts_of;
use crate::store::ImportCounts;

/// The words of a message without what is sealed beside them.
fn bare_words<'a>(message: &ParsedMessage<'a>, sent: Timestamp) -> Packed<'a> {
    Packed {
        body: message.body,
        local_offset: message
            .local
            .map(|local| (local - sent.0).div_euclid(1_000_000)),
        precision: message.precision,
        zone_source: message.zone_source,
        // What replaces the words of another goes by its id.
        source_id: message.identity().or(message.amends),
        reply_to: message.reply_to,
        entry: message.entry,
        span: (message.span.0, message.span.1 - message.span.0),
        raw_form: &[],
        attachments: Vec::new(),
        extras: Extras::default(),
    }
}

/// Messages between two reports of progress.
const PROGRESS_MESSAGES: u64 = 4_096;

/// Where batches go.
pub(super) enum Writing {
    /// Nowhere: a dry run counts.
    Counting,
    /// To the writer.
    Pipeline(Feed),
}

struct Conversation {
    no: ConversationNo,
    shard: u16,
    lookup: [u8; 16],
    /// What each message is, in order; empty when all are new.
    verdicts: std::vec::IntoIter<Verdict>,
    all_new: bool,
    /// Hashes of the platform ids met in this source, where all are new.
    ids: HashSet<u64>,
    last_sent: Option<Timestamp>,
    /// Who was met in it: by the platform's handle, or by name where there is none.
    by_handle: HashMap<String, HandleNo>,
    by_label: HashMap<String, HandleNo>,
    /// Who writes in it.
    writers: HashSet<HandleNo>,
    /// Its title went with its last message.
    nameless: bool,
}

impl Conversation {
    /// What a message is; `None` when its source shows it twice under one id.
    fn fate(&mut self, hasher: &RandomState, message: &ParsedMessage<'_>) -> Option<Fate> {
        if message.amends.is_some() {
            return Some(Fate::Amends);
        }
        if self.all_new {
            let met = message
                .identity()
                .is_some_and(|id| !self.ids.insert(hasher.hash_one(id)));
            return (!met).then_some(Fate::New);
        }
        match self.verdicts.next() {
            Some(Verdict::Known(no)) => Some(Fate::Known(no)),
            Some(Verdict::Revised(no)) => Some(Fate::Revised(no)),
            Some(Verdict::Repeats(_)) => None,
            Some(Verdict::New { .. }) | None => Some(Fate::New),
        }
    }
}

/// The sink of one chat.
pub(super) struct Importer<'a> {
    appliance: &'a Appliance,
    import: ImportNo,
    writing: Writing,
    probe: Probe,
    fallback: Timestamp,
    media: &'a Media,
    telling: Telling<'a>,
    batch: Batch,
    conversations: HashMap<String, usize>,
    open: Vec<Conversation>,
    current: Option<(String, usize)>,
    handles: HashMap<[u8; 16], HandleNo>,
    /// Handles whose names went with their last message.
    nameless: HashMap<HandleNo, NewHandle>,
    hasher: RandomState,
    templates: Templates,
    raw: Vec<u8>,
    counts: ImportCounts,
    /// How many bytes of the chat were read, of all its entries.
    read: u64,
    failure: Option<AppError>,
}

/// Who hears how far the reading of a chat is, told in bytes of the source as it lies on disk.
pub(super) struct Telling<'a> {
    pub(super) progress: &'a dyn Progress,
    /// Bytes of the source before the chat.
    pub(super) before: u64,
    /// Bytes the entries of the chat take in the source.
    pub(super) packed: u64,
    /// Bytes of its entries as they are read.
    pub(super) unpacked: u64,
}

impl Telling<'_> {
    /// The byte of the source that is reached after `at` bytes of the chat; in packed entries about so.
    fn source_byte(&self, at: u64) -> u64 {
        let unpacked = u128::from(self.unpacked.max(1));
        let share = u128::from(self.packed) * u128::from(at).min(unpacked) / unpacked;
        self.before + share as u64
    }
}

impl<'a> Importer<'a> {
    pub(super) fn new(
        appliance: &'a Appliance,
        import: ImportNo,
        writing: Writing,
        probe: Probe,
        fallback: Timestamp,
        media: &'a Media,
        telling: Telling<'a>,
    ) -> Self {
        Self {
            appliance,
            import,
            writing,
            probe,
            fallback,
            media,
            telling,
            batch: Batch::new(import),
            conversations: HashMap::new(),
            open: Vec::new(),
            current: None,
            handles: HashMap::new(),
            nameless: HashMap::new(),
            hasher: RandomState::new(),
            templates: Templates::default(),
            raw: Vec::new(),
            counts: ImportCounts::default(),
            read: 0,
            failure: None,
        }
    }

    /// Sends what is left and ends the feed. Gives the counts of a dry run.
    pub(super) fn finish(mut self) -> Result<ImportCounts> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        self.flush();
        Ok(self.counts)
    }

    fn flush(&mut self) -> bool {
        if self.batch.is_empty() {
            return true;
        }
        let batch = std::mem::replace(&mut self.batch, Batch::new(self.import));
        match &self.writing {
            Writing::Counting => true,
            Writing::Pipeline(feed) => feed.send(batch),
        }
    }

    /// The conversation of a key: met before in this entry, known from an elder import, or new.
    fn conversation(&mut self, message: &ParsedMessage<'_>) -> Result<usize> {
        if let Some((key, at)) = &self.current
            && key == message.conversation_key
        {
            return Ok(*at);
        }
        let key = message.conversation_key.to_owned();
        let at = match self.conversations.get(&key) {
            Some(at) => *at,
            None => {
                let conversation = self.open_conversation(message)?;
                self.open.push(conversation);
                self.conversations.insert(key.clone(), self.open.len() - 1);
                self.open.len() - 1
            }
        };
        self.current = Some((key, at));
        Ok(at)
    }

    fn open_conversation(&mut self, message: &ParsedMessage<'_>) -> Result<Conversation> {
        let archive = &self.appliance.archive;
        let plan = self.probe.plan(archive, message);
        let all_new = plan.verdicts.is_none();
        let verdicts = plan.verdicts.unwrap_or_default().into_iter();
        let row = match plan.known {
            Some(no) => archive.store().read()?.conversation(no)?,
            None => None,
        };
        let opened = |no, shard, lookup| Conversation {
            no,
            shard,
            lookup,
            verdicts,
            all_new,
            ids: HashSet::new(),
            last_sent: None,
            by_handle: HashMap::new(),
            by_label: HashMap::new(),
            writers: HashSet::new(),
            nameless: false,
        };
        if let Some(row) = row {
            if self.probe.refers {
                let targets = plan.targets.into_iter();
                targets.for_each(|(id, no)| self.batch.target(row.no, id, no));
            }
            let mut lookup = plan.lookup;
            lookup.copy_from_slice(row.lookup.get(..16).unwrap_or(&plan.lookup));
            return Ok(Conversation {
                nameless: row.title_no == 0,
                ..opened(row.no, row.shard, lookup)
            });
        }
        let shard = archive.shard_of(&plan.lookup);
        let no = archive.next_conversation();
        self.batch.create_conversation(NewConversation {
            no,
            app: message.app,
            kind: message.conversation_kind,
            lookup: plan.lookup,
            shard,
            title: message.conversation_title.to_owned(),
        });
        Ok(opened(no, shard, plan.lookup))
    }

    /// The handle of the author. A platform's handle is one person everywhere on the platform; a
    /// mere display name only inside its conversation, since two people may share it.
    fn handle(&mut self, at: usize, message: &ParsedMessage<'_>) -> Result<Option<HandleNo>> {
        let Some(label) = message.sender_label.or(message.sender_handle) else {
            return Ok(None);
        };
        let author = ParsedPerson {
            label,
            handle: message.sender_handle,
        };
        let no = self.person(at, message.app, author)?;
        let conversation = &mut self.open[at];
        if conversation.writers.insert(no) {
            self.batch.join(conversation.no, no);
        }
        Ok(Some(no))
    }

    /// The handle of somebody who writes.
    fn person(&mut self, at: usize, app: App, person: ParsedPerson<'_>) -> Result<HandleNo> {
        let (met, lookup) = self.met(at, app, person);
        if let Some(no) = met {
            return Ok(no);
        }
        let no = self.known_or_new_handle(app, lookup, person)?;
        self.handles.insert(lookup, no);
        self.meet(at, person, no);
        Ok(no)
    }

    /// The handle of somebody a message names, who may never have written.
    fn known_person(
        &mut self,
        at: usize,
        app: App,
        person: ParsedPerson<'_>,
    ) -> Result<Option<HandleNo>> {
        let (met, lookup) = self.met(at, app, person);
        if met.is_some() {
            return Ok(met);
        }
        let writers = self.probe.writers.get(&app);
        if let Some(handle) = person.handle
            && writers.is_some_and(|writers| writers.contains(handle))
        {
            return self.person(at, app, person).map(Some);
        }
        let rows = self.appliance.archive.store().read()?;
        Ok(rows.handle_by_lookup(&lookup)?.map(|row| row.no))
    }

    /// Who was met in this entry, and by what they are looked up.
    fn met(&self, at: usize, app: App, person: ParsedPerson<'_>) -> (Option<HandleNo>, [u8; 16]) {
        let (archive, conversation) = (&self.appliance.archive, &self.open[at]);
        let number = [app as u8];
        let (met, parts): (_, &[&[u8]]) = match person.handle {
            Some(handle) => (
                conversation.by_handle.get(handle),
                &[&number, handle.as_bytes()],
            ),
            None => (
                conversation.by_label.get(person.label),
                &[&number, &conversation.lookup, person.label.as_bytes()],
            ),
        };
        if met.is_some() {
            return (met.copied(), [0; 16]);
        }
        let space = if person.handle.is_some() {
            "handle"
        } else {
            "label"
        };
        let lookup = archive.lookup(space, parts);
        (self.handles.get(&lookup).copied(), lookup)
    }

    fn meet(&mut self, at: usize, person: ParsedPerson<'_>, no: HandleNo) {
        let conversation = &mut self.open[at];
        match person.handle {
            Some(handle) => conversation.by_handle.insert(handle.to_owned(), no),
            None => conversation.by_label.insert(person.label.to_owned(), no),
        };
    }

    fn known_or_new_handle(
        &mut self,
        app: App,
        lookup: [u8; 16],
        person: ParsedPerson<'_>,
    ) -> Result<HandleNo> {
        let archive = &self.appliance.archive;
        let named = |no| NewHandle {
            no,
            app,
            lookup,
            label: person.label.to_owned(),
            handle: person.handle.map(str::to_owned),
        };
        if let Some(row) = archive.store().read()?.handle_by_lookup(&lookup)? {
            if row.name_no == 0 {
                self.nameless.insert(row.no, named(row.no));
            }
            return Ok(row.no);
        }
        let no = archive.next_handle();
        self.batch.create_handle(named(no));
        Ok(no)
    }

    fn take(&mut self, message: &ParsedMessage<'_>) -> Result<()> {
        let at = self.conversation(message)?;
        let sender = self.handle(at, message)?;
        let conversation = &mut self.open[at];
        let mut presence = message.facts();
        let sent = match message.sent {
            Some(sent) => sent,
            None => {
                presence = presence.with(Presence::TIME_ASSUMED);
                assumed_time(conversation.last_sent, self.fallback)
            }
        };
        conversation.last_sent = Some(sent);
        let Some(fate) = conversation.fate(&self.hasher, message) else {
            return self.repeated(message);
        };
        let (no, shard) = (conversation.no, conversation.shard);
        self.name_again(at, sender, message);
        match fate {
            Fate::New => self.counts.fresh += 1,
            Fate::Known(_) => self.counts.known += 1,
            Fate::Revised(_) | Fate::Later | Fate::Amends => self.counts.revised += 1,
        }
        let incoming = Incoming {
            fate,
            conversation: no,
            shard,
            sender,
            sent,
            order: message.order,
            app: message.app,
            conversation_kind: message.conversation_kind,
            kind: message.kind,
            presence,
        };
        let fate = self.earlier(incoming, message);
        self.words(at, Incoming { fate, ..incoming }, message)
    }

    /// Hands over earlier words that the record holds: what the words of today then are.
    fn earlier(&mut self, incoming: Incoming, message: &ParsedMessage<'_>) -> Fate {
        let mut fate = incoming.fate;
        // A message that is known has them, or a sighting that holds its record.
        if matches!(fate, Fate::Known(_) | Fate::Amends) {
            return fate;
        }
        let links = self.links(message);
        // Without an id nothing tells which of them are known.
        if matches!(fate, Fate::Revised(_)) && links.id.is_none() {
            return fate;
        }
        for version in message.earlier {
            let words = Packed {
                body: &version.body,
                span: (message.span.0, 0),
                raw_form: &[],
                attachments: Vec::new(),
                extras: Extras {
                    edited: version.written,
                    ..Extras::default()
                },
                ..bare_words(message, incoming.sent)
            };
            let was = Presence(incoming.presence.0 & !Presence::EDITED.0);
            let (as_fate, links) = match fate {
                Fate::Revised(_) => (
                    Fate::Amends,
                    Links {
                        amends: links.id,
                        ..Links::default()
                    },
                ),
                fate => (fate, links),
            };
            let older = Incoming {
                fate: as_fate,
                presence: was.with(facts_of(&version.body).presence),
                ..incoming
            };
            self.batch
                .push_linked(older, &words, std::iter::empty(), links);
            if fate == Fate::New {
                fate = Fate::Later;
            }
        }
        fate
    }

    /// Hands over the words of today.
    fn words(
        &mut self,
        at: usize,
        mut incoming: Incoming,
        message: &ParsedMessage<'_>,
    ) -> Result<()> {
        incoming.presence = incoming.presence.with(facts_of(message.body).presence);
        let attachments = self.attachments(message, &mut incoming.presence);
        let extras = self.extras(at, message)?;
        let links = self.links(message);
        self.raw.clear();
        let fields = Fields {
            body: message.body,
            sender: message.sender_label,
            conversation: message.conversation_key,
            source_id: message.identity(),
            reply_to: message.reply_to,
            sent: message.sent,
        };
        raw_form(message.raw, &fields, &self.templates, &mut self.raw);
        let words = Packed {
            raw_form: &self.raw,
            attachments,
            extras,
            ..bare_words(message, incoming.sent)
        };
        let entries = message.attachments.iter().map(|one| one.entry);
        self.batch.push_linked(incoming, &words, entries, links);
        Ok(())
    }

    /// The ids by which messages refer to each other, where they do.
    fn links(&self, message: &ParsedMessage<'_>) -> Links {
        let hash = |id: Option<&str>| id.filter(|_| self.probe.refers).map(Sighting::id_hash);
        Links {
            id: hash(message.source_id),
            reply_to: hash(message.reply_to),
            amends: hash(message.amends),
        }
    }

    fn extras(&mut self, at: usize, message: &ParsedMessage<'_>) -> Result<Extras> {
        // Only who writes somewhere is named: of others nothing may be kept but the words themselves,
        // which go with their message.
        let mut mentions = Vec::with_capacity(message.mentions.len());
        for person in message.mentions {
            mentions.extend(self.known_person(at, message.app, *person)?);
        }
        let reaction = |parsed: &ParsedReaction<'_>| Reaction {
            value: parsed.value.clone().into_owned(),
            count: parsed.count,
            by: parsed.by.iter().map(|name| name.to_string()).collect(),
        };
        Ok(Extras {
            thread: message.thread.map(str::to_owned),
            edited: message.edited,
            reactions: message.reactions.iter().map(reaction).collect(),
            mentions,
        })
    }

    /// What lost its name with its last message gets it again, if this message is admitted.
    fn name_again(&mut self, at: usize, sender: Option<HandleNo>, message: &ParsedMessage<'_>) {
        let conversation = &self.open[at];
        if conversation.nameless {
            let title = message.conversation_title;
            self.batch
                .retitle(conversation.no, conversation.shard, title);
        }
        if let Some(nameless) = sender.and_then(|sender| self.nameless.get(&sender)) {
            self.batch.rename(nameless.clone());
        }
    }

    /// A record that stands in the source twice under one id is kept once, and said.
    fn repeated(&mut self, message: &ParsedMessage<'_>) -> Result<()> {
        self.counts.known += 1;
        self.counts.notes += 1;
        self.batch.repeat(Note {
            kind: NoteKind::Other,
            entry: String::new(),
            start: message.span.0,
            end: message.span.1,
            line: 0,
            // Its words stand in the message; here they would outlive it.
            raw: String::new(),
            reason: "this message stands in the source twice under one id; it is kept once"
                .to_owned(),
        });
        Ok(())
    }

    fn attachments(
        &mut self,
        message: &ParsedMessage<'_>,
        presence: &mut Presence,
    ) -> Vec<Attachment> {
        if message.attachments.is_empty() {
            return Vec::new();
        }
        let mut attachments = Vec::with_capacity(message.attachments.len());
        for parsed in message.attachments {
            let state = match parsed.entry {
                None => AttachmentState::NotExported,
                Some(entry) => self.media.state(entry),
            };
            if let AttachmentState::Present { mime, .. } = &state {
                *presence = presence.with(presence_of_mime(mime));
            }
            attachments.push(Attachment {
                name: parsed.name.clone().into_owned(),
                state,
            });
        }
        attachments
    }

    fn stop(&mut self, failure: AppError) -> Stop {
        self.failure = Some(failure);
        Stop
    }

    fn keep_going(&mut self) -> std::result::Result<(), Stop> {
        let done = self.counts.fresh + self.counts.known + self.counts.revised;
        if done.is_multiple_of(PROGRESS_MESSAGES) {
            let at = self.telling.source_byte(self.read);
            let progress = self.telling.progress;
            progress.advances(done, self.counts.rejected, at);
            if progress.cancelled() {
                self.flush();
                let saved = "what was read so far is saved; the same command continues";
                return Err(self.stop(AppError::Interrupted(saved.to_owned())));
            }
        }
        // A feed that refuses has an error of its own, told when the pipeline ends.
        if self.batch.is_full() && !self.flush() {
            Err(Stop)
        } else {
            Ok(())
        }
    }
}

fn presence_of_mime(mime: &str) -> Presence {
    match mime.split('/').next() {
        Some("image") => Presence::IMAGE,
        Some("video") => Presence::VIDEO,
        Some("audio") => Presence::AUDIO,
        _ => Presence::FILE,
    }
}

impl Sink for Importer<'_> {
    fn message(&mut self, message: &ParsedMessage<'_>) -> std::result::Result<(), Stop> {
        self.read += message.raw.len() as u64;
        self.take(message).map_err(|error| self.stop(error))?;
        self.keep_going()
    }

    fn note(&mut self, note: Note) -> std::result::Result<(), Stop> {
        self.counts.notes += 1;
        if note.kind == NoteKind::Rejected {
            self.counts.rejected += 1;
        }
        self.batch.note(note);
        if self.batch.is_full() && !self.flush() {
            Err(Stop)
        } else {
            Ok(())
        }
    }

    fn frame(&mut self, frame: Frame<'_>) -> std::result::Result<(), Stop> {
        self.read += frame.raw.len() as u64;
        Ok(())
    }

    fn templates(&mut self, templates: &Templates) -> std::result::Result<(), Stop> {
        self.templates = templates.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::import::SilentProgress;

    #[test]
    fn progress_inside_a_packed_entry_is_told_in_bytes_of_the_source() {
        let telling = Telling {
            progress: &SilentProgress,
            before: 1_000,
            packed: 100,
            unpacked: 400,
        };
        let told = [0, 200, 400, 500].map(|at| telling.source_byte(at));
        assert_eq!(told, [1_000, 1_050, 1_100, 1_100]);
        let empty = Telling {
            unpacked: 0,
            ..telling
        };
        assert_eq!(empty.source_byte(0), 1_000);
    }
}
