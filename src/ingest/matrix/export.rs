//! The room as a whole: names and reactions, then its events.

use std::borrow::Cow;
use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{Hash, Hasher};

use crate::domain::{App, IdScope, Kind, NoteKind, Precision};
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::beside::files_beside;
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, Step, Text, read_record, scan};
use crate::ingest::message::{ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use crate::ingest::teller::{Slip, Teller};

use super::event::Event;

const SHAPE: Shape = Shape {
    records: &[&["messages", "*"]],
    members: &[&["room_name"], &["room_creator"]],
};
/// Reactions that are laid to their messages; those beyond stand by themselves.
const REACTIONS_MAX: usize = 1_000_000;

/// The reader of Element's exports.
#[derive(Clone, Copy, Debug)]
pub struct Matrix;

impl Format for Matrix {
    fn name(&self) -> &'static str {
        "matrix"
    }

    /// By the members of its root, or of an event.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let root = has("\"room_name\"") && has("\"exported_by\"");
        let event = has("\"event_id\"") && has("\"origin_server_ts\"");
        match has("\"messages\"") && (root || event) {
            true => Claim::Yes(4),
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
        let learned = container.read(main, |bytes| {
            let mut learned = Learned::default();
            scan(bytes, &SHAPE, &mut |part| {
                learned.take(part);
                Ok(())
            })?;
            Ok(learned)
        })?;
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            key: learned.key(&entry),
            title: learned
                .title
                .clone()
                .unwrap_or_else(|| entry.file_name().to_owned()),
            learned,
            files: files_beside(container, &entry),
        };
        container.read(main, |bytes| {
            let ending = scan(
                bytes,
                &SHAPE,
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

/// A short form of an id, to hold many.
fn short(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// One sign at a message and who gave it.
#[derive(Debug)]
struct Given {
    key: String,
    by: String,
}

/// The first reading: names, reactions, which events there are.
#[derive(Debug, Default)]
struct Learned {
    title: Option<String>,
    creator: Option<String>,
    room: Option<String>,
    /// The names people show, as of the event that is read.
    names: BTreeMap<String, String>,
    /// Events that become messages, and who wrote them.
    events: HashMap<u64, u64>,
    reactions: HashMap<u64, Vec<Given>>,
    /// Events that are reactions laid to a message.
    laid: HashSet<u64>,
    held: usize,
}

impl Learned {
    fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Member { raw, path } => {
                let value = read_record::<Text>(raw).ok().map(|(Text(text), _)| text);
                match path.last() {
                    Some(Step::Key(name)) if name == "room_name" => self.title = value,
                    _ => self.creator = value,
                }
            }
            Part::Record { raw, .. } => {
                if let Ok((event, _)) = read_record::<Event>(raw) {
                    self.event(&event);
                }
            }
            _ => {}
        }
    }

    fn event(&mut self, event: &Event) {
        if self.room.is_none() {
            self.room.clone_from(&event.room_id);
        }
        if let Some((person, name)) = event.shown_name() {
            // The first name, until the event of a later one is reached.
            let known = self.names.entry(person.to_owned());
            known.or_insert_with(|| name.to_owned());
        }
        let (Some(id), Some(sender)) = (&event.event_id, &event.sender) else {
            return;
        };
        match event.reaction() {
            Some((target, key)) if self.held < REACTIONS_MAX => {
                self.held += 1;
                self.laid.insert(short(id));
                self.reactions
                    .entry(short(target))
                    .or_default()
                    .push(Given {
                        key: key.to_owned(),
                        by: sender.clone(),
                    });
            }
            _ if event.replaces().is_some() || event.redacts().is_some() => {}
            _ => {
                self.events.insert(short(id), short(sender));
            }
        }
    }

    /// The id of the room, which its events carry; else what the head tells.
    fn key(&self, entry: &Entry) -> String {
        let named = || {
            let creator = self.creator.as_deref()?;
            Some(format!("{creator} {}", self.title.as_deref()?))
        };
        let key = self.room.clone().or_else(named);
        key.unwrap_or_else(|| format!("file {}", entry.file_name()))
    }

    fn name<'a>(&'a self, person: &'a str) -> &'a str {
        self.names.get(person).map_or(person, String::as_str)
    }

    /// Reactions to an event: one for each sign, with everybody who gave it.
    fn reactions_to(&self, id: &str) -> Vec<ParsedReaction<'_>> {
        let given = self.reactions.get(&short(id)).into_iter().flatten();
        ParsedReaction::gathered(given.map(|one| (one.key.as_str(), Some(self.name(&one.by)))))
    }
}

/// What an event does to another one.
#[derive(Clone, Copy, Debug, Default)]
struct Bearing<'e> {
    amends: Option<&'e str>,
    takes_away: bool,
}

/// The second reading: events become messages.
struct Reading<'s> {
    teller: Teller<'s>,
    learned: Learned,
    key: String,
    title: String,
    files: BTreeMap<String, u32>,
}

impl Reading<'_> {
    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(event) = self.teller.read::<Event>(slip)? else {
            return Ok(());
        };
        if let Some((person, name)) = event.shown_name() {
            self.learned
                .names
                .insert(person.to_owned(), name.to_owned());
        }
        if let (Some(id), Some((target, _))) = (&event.event_id, event.reaction())
            && self.learned.laid.contains(&short(id))
            && self.learned.events.contains_key(&short(target))
        {
            // It stands at its message.
            return self.teller.frame(slip.raw, slip.at);
        }
        if event.is_encrypted() {
            let reason = "this event is encrypted: whoever exported it could not read it";
            self.teller.note(NoteKind::Other, slip.span(), reason)?;
        }
        let bearing = self.bearing(&event, slip.span())?;
        self.message(slip, &event, bearing)
    }

    /// Whether it replaces or takes away the words of another. Only who wrote them may replace them; what
    /// takes a reaction away stands by itself.
    fn bearing<'e>(&mut self, event: &'e Event, span: (u64, u64)) -> Result<Bearing<'e>> {
        if let Some(target) = event.replaces() {
            let author = self.learned.events.get(&short(target));
            let own = event.sender.as_deref().map(short);
            if author.is_some() && author.copied() != own {
                let reason =
                    "this event says it replaces the words of somebody else; it stands by itself";
                self.teller.note(NoteKind::Other, span, reason)?;
                return Ok(Bearing::default());
            }
            return Ok(Bearing {
                amends: Some(target),
                takes_away: false,
            });
        }
        let taken = event.redacts();
        let taken = taken.filter(|target| !self.learned.laid.contains(&short(target)));
        Ok(Bearing {
            amends: taken,
            takes_away: taken.is_some(),
        })
    }

    /// Files that came along: the exporter puts the time behind the name.
    fn attachments<'e>(
        &mut self,
        event: &'e Event,
        span: (u64, u64),
    ) -> Result<Vec<ParsedAttachment<'e>>> {
        let Some(name) = event.file_name() else {
            return Ok(Vec::new());
        };
        let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
        let fits = |path: &str| {
            let last = path.rsplit('/').next().unwrap_or(path);
            let rest = last
                .strip_prefix(stem)
                .and_then(|rest| rest.strip_suffix(kind));
            last == name || rest.is_some_and(|rest| rest.starts_with('-'))
        };
        let mut found = self.files.iter().filter(|(path, _)| fits(path));
        let (first, second) = (found.next(), found.next());
        let entry = first.filter(|_| second.is_none()).map(|(_, entry)| *entry);
        if entry.is_none() {
            let reason = match second {
                Some(_) => format!("several files named {name:?} came along; none was chosen"),
                None => format!("{name:?} did not come along with the export"),
            };
            self.teller.note(NoteKind::MissingMedia, span, &reason)?;
        }
        Ok(vec![ParsedAttachment {
            name: Cow::Borrowed(name),
            entry,
        }])
    }

    fn message(&mut self, slip: &Slip<'_>, event: &Event, bearing: Bearing<'_>) -> Result<()> {
        let attachments = self.attachments(event, slip.span())?;
        let learned = &self.learned;
        let body = match bearing.takes_away {
            true => String::new(),
            false => event.body(bearing.amends.is_some()),
        };
        let kind = match bearing.takes_away {
            true => Kind::Deleted,
            false => event.kind(),
        };
        let people: BTreeSet<&str> = event.mentions();
        let mentions = people.into_iter().map(|id| ParsedPerson {
            label: learned.name(id),
            handle: Some(id),
        });
        let sent = event.sent();
        let id = event.event_id.as_deref();
        let sender = event.sender.as_deref();
        let reactions = id.map_or_else(Vec::new, |id| learned.reactions_to(id));
        let mentions: Vec<ParsedPerson<'_>> = mentions.collect();
        self.teller.message(&ParsedMessage {
            conversation_key: &self.key,
            conversation_title: &self.title,
            app: App::Matrix,
            sender_label: sender.map(|sender| learned.name(sender)),
            sender_handle: sender,
            body: &body,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            source_id: id.filter(|_| bearing.amends.is_none()),
            id_scope: Some(IdScope::Global),
            reply_to: event.reply_to(),
            thread: event.thread(),
            amends: bearing.amends,
            edited: sent.filter(|_| bearing.amends.is_some()),
            reactions: &reactions,
            mentions: &mentions,
            attachments: &attachments,
            presence: event.presence(kind),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}
