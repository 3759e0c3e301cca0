//! The manifest as a whole: who and where first, then its events.

use std::collections::BTreeMap;

use crate::domain::{NoteKind, Precision, Presence, Timestamp, ZoneSource};
use crate::ingest::answers::{Answers, Outcome, Question, QuestionKind, ZoneAnswer};
use crate::ingest::beside::files_beside;
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, Step, Text, read_record, scan};
use crate::ingest::message::{ParsedMessage, Sink};
use crate::ingest::teller::{Slip, Teller};
use crate::ingest::zone::LocalClock;

use super::check::{HEADERS_BYTES_MAX, Headers, Learned, Participant, Talk};
use super::event::{Event, When};

const SHAPE: Shape = Shape {
    records: &[
        &["participants", "*"],
        &["conversations", "*"],
        &["events", "*"],
    ],
    members: &[&["version"], &["eventcollectionid"]],
};

/// The name of the manifest inside the zip.
const MANIFEST: &str = "rsmf_manifest.json";

/// The reader of RSMF manifests.
#[derive(Clone, Copy, Debug)]
pub struct Rsmf;

impl Format for Rsmf {
    fn name(&self) -> &'static str {
        "rsmf"
    }

    /// By its three lists, which stand in no other format together; its name decides where the head of a
    /// large one shows only the first of them.
    fn claim(&self, entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let named = entry.file_name().eq_ignore_ascii_case(MANIFEST);
        let lists = ["\"participants\"", "\"conversations\"", "\"events\""];
        let seen = lists.iter().filter(|list| has(list)).count();
        match (named, seen) {
            (true, 1..) => Claim::Yes(3),
            (false, 3) if has("\"version\"") => Claim::Yes(2),
            _ => Claim::No,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
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
        let clock = answers
            .zone
            .as_ref()
            .filter(|_| learned.local > 0)
            .and_then(|zone| LocalClock::new(&zone.name).map(|clock| (clock, zone.clone())));
        if learned.local > 0 && clock.is_none() {
            return Ok(Outcome::Ask(vec![zone_question(&entry, learned.local)]));
        }
        let headers = headers_around(container, &entry);
        let collection = headers
            .as_ref()
            .and_then(|headers| headers.collection.clone());
        let mut teller = Teller::new(self.name(), &entry, sink);
        for reason in learned.violations(headers.as_ref()) {
            teller.note(NoteKind::Other, (0, 0), &reason)?;
        }
        if let Some((_, zone)) = &clock {
            teller.summary.zone = Some(zone.clone());
        }
        let mut reading = Reading {
            teller,
            collection: learned.collection.clone().or(collection),
            learned,
            clock,
            files: files_beside(container, &entry),
        };
        container.read(main, |bytes| {
            let ending = scan(bytes, &SHAPE, &mut |part| reading.take(part))?;
            reading.teller.ending(ending)
        })?;
        Ok(reading.teller.done())
    }
}

fn zone_question(entry: &Entry, events: u64) -> Question {
    Question {
        kind: QuestionKind::Zone,
        entry: entry.display_name.clone(),
        reason: format!(
            "{events} events carry a time that names no zone; in which zone were they written? Many tools \
             that make RSMF mean UTC"
        ),
        readings: Vec::new(),
        preselect: None,
    }
}

/// The headers of the mail that the manifest came in; `None` where it came in a bare zip.
fn headers_around(container: &mut Container<'_>, entry: &Entry) -> Option<Headers> {
    let zip = entry.parent?;
    let mail = container.entries()[zip as usize].parent?;
    let head = container.head(mail, HEADERS_BYTES_MAX).ok()?;
    Some(Headers::read(&head))
}

/// The list a record stands in.
fn list_of(path: &[Step]) -> &str {
    match path.first() {
        Some(Step::Key(name)) => name,
        _ => "",
    }
}

impl Learned {
    fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Member { raw, path } => {
                let text = read_record::<Option<Text>>(raw)
                    .ok()
                    .and_then(|(text, _)| text);
                match list_of(path) {
                    "version" => self.version = text.map(|text| text.0),
                    _ => self.collection = text.map(|text| text.0),
                }
            }
            Part::Record { raw, path, .. } => self.record(raw, list_of(path)),
            _ => {}
        }
    }

    fn record(&mut self, raw: &[u8], list: &str) {
        match list {
            "participants" => {
                let Ok((person, _)) = read_record::<Participant>(raw) else {
                    return;
                };
                self.odd("participant", &person.rest);
                match person.id.clone() {
                    Some(id) => drop(self.people.insert(id.0, person)),
                    None => self.nameless += 1,
                }
            }
            "conversations" => {
                let Ok((talk, _)) = read_record::<Talk>(raw) else {
                    return;
                };
                self.odd("conversation", &talk.rest);
                match talk.id.clone() {
                    Some(id) => drop(self.talks.insert(id.0, talk)),
                    None => self.nameless += 1,
                }
            }
            _ => {
                self.events += 1;
                let Ok((event, _)) = read_record::<Event>(raw) else {
                    return;
                };
                self.odd("event", &event.rest);
                self.local += u64::from(matches!(event.when(), When::Local(_)));
                self.ids.extend(event.id.map(|id| id.0));
            }
        }
    }
}

/// The second reading: events become messages.
struct Reading<'s> {
    teller: Teller<'s>,
    learned: Learned,
    collection: Option<String>,
    clock: Option<(LocalClock, ZoneAnswer)>,
    files: BTreeMap<String, u32>,
}

impl Reading<'_> {
    fn take(&mut self, part: Part<'_>) -> Result<()> {
        let list = match part {
            Part::Record { path, .. } => list_of(path).to_owned(),
            _ => String::new(),
        };
        let Some(slip) = self.teller.besides(part)? else {
            return Ok(());
        };
        let read = match list.as_str() {
            "participants" => read_record::<Participant>(slip.raw).map(drop),
            "conversations" => read_record::<Talk>(slip.raw).map(drop),
            _ => return self.event(&slip),
        };
        match read {
            Ok(()) => self.teller.frame(slip.raw, slip.at),
            Err(reason) => self.teller.reject(slip.raw, slip.at, &reason),
        }
    }

    fn event(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(event) = self.teller.read::<Event>(slip)? else {
            return Ok(());
        };
        let (raw, span) = (slip.raw, slip.span());
        self.unresolved(&event, span)?;
        let attachments = event.attachments(&self.files);
        self.teller.missing(&attachments, span)?;
        let (sent, local, zone_source, doubts) = read_time(&mut self.clock, event.when());
        let clock = &mut self.clock;
        let (earlier, edited) = event.earlier(|when| read_time(clock, when).0);
        let people = &self.learned.people;
        let place = event.conversation.as_ref();
        let lone = Talk::unlisted(place);
        let talk = place.and_then(|id| self.learned.talks.get(&id.0));
        let talk = talk.unwrap_or(&lone);
        let author = event.participant.as_ref().and_then(|id| people.get(&id.0));
        let label = author.map(Participant::label);
        let unlisted = event.participant.as_ref().map(|id| id.0.as_str());
        let reactions = event.reactions(|id| label_of(people, id));
        let timeless = match sent {
            Some(_) => Presence::default(),
            None => Presence::TIME_ASSUMED,
        };
        self.teller.message(&ParsedMessage {
            conversation_key: &talk.key(self.collection.as_deref(), people),
            conversation_title: &talk.title(people),
            conversation_kind: talk.kind(),
            app: talk.app(),
            sender_label: label.or(unlisted),
            sender_handle: author.and_then(Participant::handle),
            body: event.words(),
            kind: event.kind(),
            sent,
            local,
            precision: match sent {
                Some(_) => Precision::Second,
                None => Precision::None,
            },
            zone_source,
            // Ids are only unique inside of a file: they join answers, and make nothing known again.
            source_id: event.id.as_ref().map(|id| id.0.as_str()),
            reply_to: event.parent.as_ref().map(|id| id.0.as_str()),
            thread: event.parent.as_ref().map(|id| id.0.as_str()),
            earlier: &earlier,
            edited,
            reactions: &reactions,
            attachments: &attachments,
            presence: event.presence().with(timeless).with(doubts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }

    /// Names what the event refers to and nobody finds.
    fn unresolved(&mut self, event: &Event, span: (u64, u64)) -> Result<()> {
        let learned = &self.learned;
        let mut lost = Vec::new();
        let id = |id: &Option<Text>| id.as_ref().map(|id| id.0.clone());
        match id(&event.conversation) {
            Some(id) if learned.talks.contains_key(&id) => {}
            Some(id) => lost.push(format!("the conversation {id:?}")),
            None => lost.push("any conversation: it names none".to_owned()),
        }
        if let Some(id) = id(&event.participant).filter(|id| !learned.people.contains_key(id)) {
            lost.push(format!("the participant {id:?}"));
        }
        if let Some(id) = id(&event.parent).filter(|id| !learned.ids.contains(id)) {
            lost.push(format!("the parent {id:?}"));
        }
        for lost in lost {
            let reason = format!("the event refers to what is not in the manifest: {lost}");
            self.teller.note(NoteKind::Other, span, &reason)?;
        }
        if let Some(text) = event.unreadable_time() {
            let reason =
                format!("the time {text:?} cannot be read; the event is placed by its order");
            self.teller.note(NoteKind::Assumption, span, &reason)?;
        }
        Ok(())
    }
}

/// The name of a participant, else the id that stands for them.
fn label_of<'a>(people: &'a BTreeMap<String, Participant>, id: &'a Text) -> &'a str {
    people.get(&id.0).map_or(&id.0, Participant::label)
}

/// The instant; where only a local time is written, by the zone that was answered.
fn read_time(
    clock: &mut Option<(LocalClock, ZoneAnswer)>,
    when: When,
) -> (Option<Timestamp>, Option<i64>, ZoneSource, Presence) {
    let none = Presence::default();
    match (when, clock) {
        (When::Instant(sent), _) => (Some(sent), None, ZoneSource::Record, none),
        (When::Local(local), Some((clock, zone))) => {
            let (sent, doubtful) = clock.instant(local);
            let doubts = LocalClock::doubts(zone.source, doubtful);
            (Some(sent), Some(local), zone.source, doubts)
        }
        _ => (None, None, ZoneSource::Record, none),
    }
}
