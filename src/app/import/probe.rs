//! The first reading of a source: which conversations it continues, and what each of its messages
//! is to them. Keeps hashes only; asks and refuses before anything is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::run::Run;
use super::{AppError, Result};
use crate::archive::{Archive, ArchiveError, Directory, OpenedVersion};
use crate::domain::{
    App, AttachmentState, ConversationNo, MessageNo, Note, NoteKind, Presence, Timestamp,
    ZoneSource,
};
use crate::ingest::align::{
    Anchor, Echo, Facts, Identity, Known, Shift, Sighting, Verdict, align, anchors, echo, identify,
    shift,
};
use crate::ingest::{
    ANSWER_NEW, Container, Found, IngestError, Outcome, ParsedMessage, Question, QuestionKind,
    Reading, Sink, Stop,
};
use crate::store::{ConversationRow, MessageRow};

/// What is planned for one conversation of the source.
#[derive(Clone, Debug)]
pub(super) struct ChatPlan {
    /// The conversation it continues.
    pub(super) known: Option<ConversationNo>,
    /// Keyed hash under which the source finds it again.
    pub(super) lookup: [u8; 16],
    /// What each message is, in the order of the source; `None` when all are new.
    pub(super) verdicts: Option<Vec<Verdict>>,
    /// Messages that are here already, by the hash of their id: others may refer to them.
    pub(super) targets: Vec<(u64, MessageNo)>,
}

/// Platforms' handles.
pub(super) type Writers = HashMap<App, HashSet<String>>;

/// What the first reading learned.
#[derive(Default)]
pub(super) struct Probe {
    plans: HashMap<String, ChatPlan>,
    named: Option<ConversationNo>,
    /// Whether messages of the source refer to each other by ids.
    pub(super) refers: bool,
    /// Who writes anywhere in the source, by the platform's handle: these may be named in mentions.
    pub(super) writers: Writers,
    /// What to tell about coverage.
    pub(super) notes: Vec<Note>,
}

impl Probe {
    /// The plan of a conversation; one that was not met in the first reading is new.
    pub(super) fn plan(&mut self, archive: &Archive, message: &ParsedMessage<'_>) -> ChatPlan {
        self.plans
            .remove(message.conversation_key)
            .unwrap_or_else(|| ChatPlan {
                known: self.named,
                lookup: lookup(archive, message),
                verdicts: None,
                targets: Vec::new(),
            })
    }
}

fn lookup(archive: &Archive, message: &ParsedMessage<'_>) -> [u8; 16] {
    let app = [message.app as u8];
    archive.lookup("conversation", &[&app, message.conversation_key.as_bytes()])
}

/// Reads an entry once, unless the archive is empty, the source names its conversations and no message
/// of it refers to another.
pub(super) fn run(run: &Run<'_>, container: &mut Container<'_>, found: &Found) -> Result<Probe> {
    let archive = &run.appliance.archive;
    let named = match run.request.conversation {
        None => None,
        Some(id) => {
            let row = archive.store().read()?.conversation_by_id(id)?;
            Some(row.ok_or_else(|| AppError::NotFound(id.to_string()))?.no)
        }
    };
    let has_keys = crate::ingest::has_keys(found);
    let refers = crate::ingest::refers(found, &run.answers);
    let is_first = named.is_none() && archive.store().read()?.last_conversation()?.0 == 0;
    if has_keys && is_first && !refers {
        return Ok(Probe::default());
    }
    let mut collector = Collector {
        archive,
        has_keys,
        has_disposed: archive.has_disposed()?,
        named,
        refers,
        writers: Writers::new(),
        chats: BTreeMap::new(),
        failure: None,
    };
    let outcome = crate::ingest::import(container, found, &run.answers, &mut collector);
    if let Some(failure) = collector.failure.take() {
        return Err(failure);
    }
    match outcome {
        Ok(Outcome::Done(_)) | Err(IngestError::Stopped) => {}
        Ok(Outcome::Ask(questions)) => return Err(AppError::Questions(questions)),
        Ok(Outcome::Refused(refusal)) => return Err(AppError::Refused(refusal)),
        // What could be read of it is read, and the second reading tells where it ends.
        Err(error) if is_damaged(container, found, &error) => {}
        Err(error) => return Err(error.into()),
    }
    let names = run.appliance.names()?;
    let names = names.directory();
    let mut probe = Probe {
        named,
        refers,
        writers: collector.writers,
        ..Probe::default()
    };
    let chats = collector.chats;
    if named.is_some() && (chats.len() > 1 || run.chats > 1) {
        return Err(AppError::Usage(
            "the source holds several chats, and one conversation was named for them: import the file of \
             that chat by itself, or name none"
                .to_owned(),
        ));
    }
    let is_alone = chats.len() == 1 && run.chats == 1;
    for (key, chat) in chats {
        let kept = Kept { has_keys, is_alone };
        let plan = plan_of(run, names, &key, &chat, kept, &mut probe.notes)?;
        probe.plans.insert(key, plan);
    }
    Ok(probe)
}

/// Whether an error is that of a chat which lies damaged in its archive: the other chats can be read.
pub(super) fn is_damaged(container: &Container<'_>, found: &Found, error: &IngestError) -> bool {
    let entry = &container.entries()[found.entry as usize];
    entry.parent.is_some() && error.is_of_entry()
}

/// How a chat stands in its source.
#[derive(Clone, Copy)]
struct Kept {
    /// Whether the source names its conversations.
    has_keys: bool,
    /// Whether the source holds no other chat.
    is_alone: bool,
}

/// Which conversation a chat continues, and what each of its messages is to it.
fn plan_of(
    run: &Run<'_>,
    names: &Directory,
    key: &str,
    chat: &Chat,
    kept: Kept,
    notes: &mut Vec<Note>,
) -> Result<ChatPlan> {
    let archive = &run.appliance.archive;
    let has_keys = kept.has_keys;
    let known = match chat.known {
        None if !has_keys => continues(run, names, key, chat, kept.is_alone)?,
        known => known,
    };
    let (verdicts, targets) = match known {
        None => (None, Vec::new()),
        Some(no) => {
            let here = known_sightings(archive, names, no)?;
            let moved = on_the_same_clock(run, key, &here, chat)?;
            let incoming = moved.as_deref().unwrap_or(&chat.sightings);
            let found = verdicts(&here.known, incoming, moved.is_some(), notes);
            let target = |known: &Known| Some((known.sighting.source_id?, known.no));
            (Some(found), here.known.iter().filter_map(target).collect())
        }
    };
    // A chat without a key of its own must never be found again by the name of its file.
    let lookup = match has_keys {
        true => chat.lookup,
        false => crate::crypto::random_bytes(&*run.appliance.entropy),
    };
    Ok(ChatPlan {
        known,
        lookup,
        verdicts,
        targets,
    })
}

/// A conversation of the source in short form.
struct Chat {
    app: App,
    known: Option<ConversationNo>,
    lookup: [u8; 16],
    sightings: Vec<Sighting>,
    /// Whether any of its times is a local one.
    is_local: bool,
    /// Keyed identities by which a chat without a key finds a conversation that was disposed of.
    said: Vec<[u8; 32]>,
}

struct Collector<'a> {
    archive: &'a Archive,
    has_keys: bool,
    has_disposed: bool,
    named: Option<ConversationNo>,
    refers: bool,
    writers: Writers,
    chats: BTreeMap<String, Chat>,
    failure: Option<AppError>,
}

impl Collector<'_> {
    fn open(&self, message: &ParsedMessage<'_>) -> Result<Chat> {
        let lookup = lookup(self.archive, message);
        let by_key = match self.has_keys {
            true => self
                .archive
                .store()
                .read()?
                .conversation_by_lookup(&lookup)?,
            false => None,
        };
        let known = self.named.or(by_key.map(|row| row.no));
        Ok(Chat {
            app: message.app,
            known,
            lookup,
            sightings: Vec::new(),
            is_local: false,
            said: Vec::new(),
        })
    }
}

impl Sink for Collector<'_> {
    fn message(&mut self, message: &ParsedMessage<'_>) -> std::result::Result<(), Stop> {
        if self.refers
            && let Some(handle) = message.sender_handle
        {
            let writers = self.writers.entry(message.app).or_default();
            if !writers.contains(handle) {
                writers.insert(handle.to_owned());
            }
        }
        if !self.chats.contains_key(message.conversation_key) {
            match self.open(message) {
                Ok(chat) => self.chats.insert(message.conversation_key.to_owned(), chat),
                Err(error) => {
                    self.failure = Some(error);
                    return Err(Stop);
                }
            };
        }
        if let Some(chat) = self.chats.get_mut(message.conversation_key)
            && (chat.known.is_some() || !self.has_keys)
            // What replaces the words of another is that one, and is not compared by itself.
            && message.amends.is_none()
        {
            if self.has_disposed
                && let Some(sent) = message.sent
            {
                let label = message.sender_label.or(message.sender_handle).unwrap_or("");
                let identity =
                    self.archive
                        .identity_anywhere(message.app, sent, label, message.body);
                chat.said.push(identity);
            }
            chat.is_local |= message.local.is_some();
            chat.sightings.push(Sighting::of(&Facts {
                sender: message.sender_label,
                body: message.body,
                kind: message.kind,
                presence: message.facts(),
                file_is_here: message.attachments.iter().any(|one| one.entry.is_some()),
                sent: message.sent,
                precision: message.precision,
                source_id: message.identity(),
            }));
        }
        Ok(())
    }

    fn note(&mut self, _note: Note) -> std::result::Result<(), Stop> {
        Ok(())
    }
}

/// What a conversation holds, in short form and in its order.
struct Here {
    known: Vec<Known>,
    /// Whether any of its times is a local one that a zone was put to.
    is_local: bool,
}

fn known_sightings(
    archive: &Archive,
    names: &Directory,
    conversation: ConversationNo,
) -> Result<Here> {
    let mut reader = archive.reader()?;
    let mut rows = Vec::new();
    reader.rows().each_message_of(conversation, |row| {
        rows.push(row);
        Ok::<(), ArchiveError>(())
    })?;
    let mut here = Here {
        known: Vec::with_capacity(rows.len()),
        is_local: false,
    };
    for row in rows {
        let message = reader.open(row)?;
        let label = message
            .row
            .sender
            .and_then(|handle| names.handles.get(&handle))
            .map(|entry| entry.label.as_str());
        for (at, version) in message.versions.iter().enumerate() {
            let latest = at + 1 == message.versions.len();
            let sighting = Sighting::of(&stored_facts(&message.row, label, version, latest));
            here.is_local |= version.zone_source != ZoneSource::Record;
            here.known.push(Known {
                no: message.row.no,
                sighting,
            });
        }
    }
    Ok(here)
}

fn stored_facts<'a>(
    row: &MessageRow,
    label: Option<&'a str>,
    version: &'a OpenedVersion,
    latest: bool,
) -> Facts<'a> {
    let changed = Presence::EDITED.with(Presence::DELETED);
    // Only the latest words are the changed ones.
    let presence = if latest {
        row.presence
    } else {
        Presence(row.presence.0 & !changed.0)
    };
    let here = |state: &AttachmentState| matches!(state, AttachmentState::Present { .. });
    Facts {
        sender: label,
        body: &version.body,
        kind: row.kind,
        presence,
        file_is_here: version
            .attachments
            .iter()
            .any(|attachment| here(&attachment.state)),
        sent: (!row.presence.has(Presence::TIME_ASSUMED)).then_some(row.sent),
        precision: version.precision,
        source_id: version.source_id.as_deref(),
    }
}

/// Which conversation a chat without a key of its own continues, by what was said in it.
fn continues(
    run: &Run<'_>,
    names: &Directory,
    key: &str,
    chat: &Chat,
    is_alone: bool,
) -> Result<Option<ConversationNo>> {
    let archive = &run.appliance.archive;
    // What an interrupted import of this very source began, it goes on with, where the source holds one
    // chat: few messages may say too little to be recognised by.
    let rows = archive.store().read()?;
    if is_alone
        && let Some(before) = rows.interrupted_import(&run.lookup)?
        && let [begun] = rows.conversations_of_import(before.no)?.as_slice()
    {
        return Ok(Some(*begun));
    }
    drop(rows);
    let times = chat.sightings.iter().filter_map(|sighting| sighting.at);
    let span = (times.clone().min(), times.max());
    let meets = |row: &ConversationRow| match (row.span, span) {
        (Some(span), (Some(first), Some(last))) => {
            row.app == chat.app && span.first.0 <= last && span.last.0 >= first
        }
        _ => false,
    };
    let rows = archive.store().read()?.conversations()?;
    let mut candidates: Vec<(ConversationNo, Vec<Anchor>)> = Vec::new();
    let mut nearest: Option<(ConversationNo, Echo)> = None;
    for row in rows.iter().filter(|row| meets(row)) {
        let known = known_sightings(archive, names, row.no)?.known;
        let echo = echo(known.iter().map(|known| &known.sighting), &chat.sightings);
        if echo.found > nearest.map_or(0, |(_, best)| best.found) {
            nearest = Some((row.no, echo));
        }
        candidates.push((row.no, anchors(known.iter().map(|known| &known.sighting))));
    }
    let slices: Vec<(ConversationNo, &[Anchor])> = candidates
        .iter()
        .map(|(no, anchors)| (*no, anchors.as_slice()))
        .collect();
    let mut identity = identify(&slices, &anchors(chat.sightings.iter()));
    // A chat of a few words has no rare texts; the same words at the same times tell then.
    if let (Identity::Unclear(None), Some((no, echo))) = (identity, nearest) {
        identity = match echo.is_same() {
            true => Identity::Same(no, echo.found * 1_000 / echo.possible.max(1)),
            false => Identity::Unclear(Some(no)),
        };
    }
    if !matches!(identity, Identity::Same(..))
        && let Some(no) = archive.disposed_conversation(&chat.said)?
    {
        return Ok(Some(no));
    }
    match identity {
        Identity::Same(no, _) => Ok(Some(no)),
        Identity::Unclear(Some(no)) if !run.request.new_conversation => {
            let row = archive.store().read()?.conversation(no)?;
            let id = row.map(|row| row.id.to_string()).unwrap_or_default();
            Err(AppError::Questions(vec![unclear(key, &id)]))
        }
        Identity::Different | Identity::Unclear(_) => Ok(None),
    }
}

/// Whether a chat continues a conversation it has a little in common with.
fn unclear(key: &str, conversation: &str) -> Question {
    let reading = |answer: &str| Reading {
        answer: answer.to_owned(),
        first: None,
        last: None,
    };
    Question {
        kind: QuestionKind::Continues,
        entry: key.to_owned(),
        reason: format!(
            "it has too little in common with conversation {conversation} to tell whether it \
             continues it, or is one of its own"
        ),
        readings: vec![reading(conversation), reading(ANSWER_NEW)],
        preselect: None,
    }
}

/// The messages of a chat at the times at which the conversation has them, where its clock stands
/// apart: it was exported in another zone, or prints times without their summer time.
fn on_the_same_clock(
    run: &Run<'_>,
    key: &str,
    here: &Here,
    chat: &Chat,
) -> Result<Option<Vec<Sighting>>> {
    // Instants stand for themselves: what repeats at another hour is another message.
    if !chat.is_local && !here.is_local {
        return Ok(None);
    }
    let known = here.known.iter().map(|known| &known.sighting);
    match shift(known, &chat.sightings) {
        Shift::None => Ok(None),
        Shift::Moved(sightings) => Ok(Some(sightings)),
        Shift::Unclear { rare, apart } if chat.is_local && run.request.zone.is_none() => {
            Err(AppError::Questions(vec![Question {
                kind: QuestionKind::Zone,
                entry: key.to_owned(),
                reason: format!(
                    "{apart} of {rare} texts that are here already stand at other hours; in which \
                     zone did the device stand that exported this?"
                ),
                readings: Vec::new(),
                preselect: None,
            }]))
        }
        Shift::Unclear { .. } => Ok(None),
    }
}

fn verdicts(
    known: &[Known],
    incoming: &[Sighting],
    is_moved: bool,
    notes: &mut Vec<Note>,
) -> Vec<Verdict> {
    if is_moved {
        notes.push(Note {
            kind: NoteKind::Assumption,
            ..remark(
                "the clock of this source stands apart from that of the messages that are here; \
                 they were compared as if it did not"
                    .to_owned(),
            )
        });
    }
    let alignment = align(known, incoming);
    let coverage = &alignment.coverage;
    if !coverage.absent.is_empty() {
        notes.push(remark(format!(
            "{} messages that are here are absent in this source inside the time it covers; \
             nothing was removed",
            coverage.absent.len()
        )));
    }
    if coverage.filled > 0 {
        notes.push(remark(format!(
            "{} messages fill holes of earlier sources",
            coverage.filled
        )));
    }
    if !alignment.review.is_empty() {
        notes.push(remark(format!(
            "{} messages stand where a known one is missing; both are kept, somebody should look",
            alignment.review.len()
        )));
    }
    alignment.verdicts
}

fn remark(reason: String) -> Note {
    Note {
        kind: NoteKind::Gap,
        entry: String::new(),
        start: 0,
        end: 0,
        line: 0,
        raw: String::new(),
        reason,
    }
}

/// Time of a message whose source gave none: that of the message before it, else the file's.
pub(super) fn assumed_time(before: Option<Timestamp>, fallback: Timestamp) -> Timestamp {
    before.unwrap_or(fallback)
}
