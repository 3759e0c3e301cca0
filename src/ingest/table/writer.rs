//! What rows of JSON and of separated values share: the check of every time before anything is
//! handed out, and the making of messages.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::{
    App, ConversationKind, IdScope, Kind, Note, NoteKind, Precision, Presence, Timestamp,
    ZoneSource,
};
use crate::ingest::answers::{Answers, Outcome, Question, QuestionKind, Refusal, Summary};
use crate::ingest::beside::files_beside;
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::message::{Frame, ParsedAttachment, ParsedMessage, Sink};
use crate::ingest::raw::{Fields, Templates};
use crate::ingest::zone::LocalClock;

use super::cell::{Cell, Repaired};
use super::instant::{Instant, TimeFormat};
use super::mapping::{Column, Mapping, SLOTS, Slot};

/// At most so many rows without a readable date are listed.
pub(super) const PROBLEMS_LISTED_MAX: usize = 100;
/// A note quotes at most this many bytes.
const QUOTED_BYTES_MAX: usize = 64 * 1024;

/// The values of a row by slot.
pub(super) type Row<'a> = [Option<Cell<'a>>; SLOTS];

/// A row, where it stands, and what was odd about it.
pub(super) struct Record<'a> {
    /// The values, or why there are none.
    pub row: std::result::Result<Row<'a>, String>,
    /// The bytes of the record with its line end.
    pub raw: &'a [u8],
    /// Offset of `raw` in the entry.
    pub offset: u64,
    /// Number of the line or row, from 1.
    pub line: u64,
    /// What was odd: the kind of note and the reason.
    pub remark: Option<(NoteKind, &'static str)>,
}

/// What the lines of a file turn out to be.
#[expect(
    clippy::large_enum_variant,
    reason = "made and taken once a row, never stored"
)]
pub(super) enum Step<'a> {
    /// A record.
    Record(Record<'a>),
    /// Bytes that are none, and their offset.
    Frame(&'a [u8], u64),
}

/// A mapping made ready for many rows.
pub(super) struct Plan {
    format: TimeFormat,
    ts_optional: bool,
    clock: Option<LocalClock>,
    zone_source: ZoneSource,
    scope: IdScope,
    constants: [Option<String>; SLOTS],
    last_app: Option<(String, App)>,
}

impl Plan {
    /// Prepares a mapping. The zone of the mapping goes before the operator's.
    pub fn new(mapping: &Mapping, answers: &Answers) -> std::result::Result<Self, String> {
        let zone = match (&mapping.zone, &answers.zone) {
            (Some(name), _) => Some((name.clone(), ZoneSource::Operator)),
            (None, Some(zone)) => Some((zone.name.clone(), zone.source)),
            (None, None) => None,
        };
        let clock = match &zone {
            None => None,
            Some((name, _)) => Some(LocalClock::new(name).ok_or_else(|| {
                format!("there is no zone named {name}; give an IANA name such as Europe/Lisbon")
            })?),
        };
        let constants = mapping.columns().map(|column| match column {
            Some(Column::Constant { constant }) => Some(constant.clone()),
            _ => None,
        });
        Ok(Self {
            format: mapping.time_format().map_err(|error| error.to_string())?,
            ts_optional: mapping.ts_optional || mapping.ts.is_none(),
            clock,
            zone_source: zone.map_or(ZoneSource::Record, |(_, source)| source),
            scope: mapping.id_scope().map_err(|error| error.to_string())?,
            constants,
            last_app: None,
        })
    }

    /// The text of a slot.
    pub fn text<'r>(
        &'r self,
        row: &Row<'r>,
        slot: Slot,
        repaired: &mut Repaired,
    ) -> Option<Cow<'r, str>> {
        match &self.constants[slot as usize] {
            Some(constant) => Some(Cow::Borrowed(constant)),
            None => row[slot as usize]?.text(repaired),
        }
    }

    /// The instant of a row: none where none is printed and none is needed; the reason where it
    /// cannot be read.
    pub fn instant(&mut self, row: &Row<'_>) -> std::result::Result<Option<Instant>, String> {
        let cell = row[Slot::Time as usize];
        let constant = self.constants[Slot::Time as usize]
            .as_deref()
            .map(Cell::Text);
        let text = constant
            .or(cell)
            .and_then(|cell| cell.text(&mut Repaired::default()));
        match text {
            None if self.ts_optional => Ok(None),
            Some(text) if text.trim().is_empty() && self.ts_optional => Ok(None),
            None => Err("the row has no time".to_owned()),
            Some(text) => match self.format.read(text.trim(), self.clock.as_mut()) {
                Some(instant) => Ok(Some(instant)),
                None if self.clock.is_none() => Err(format!(
                    "\"{}\" is no time of the stated form, or needs a zone",
                    cut(&text)
                )),
                None => Err(format!("\"{}\" is no time of the stated form", cut(&text))),
            },
        }
    }

    /// The kept fields of a row, for learning templates.
    pub fn fields<'f>(texts: &'f Texts<'_>, sent: Option<Timestamp>) -> Fields<'f> {
        Fields {
            body: &texts.body,
            sender: texts.sender.as_deref(),
            conversation: &texts.conversation,
            source_id: texts.id.as_deref(),
            reply_to: texts.reply_to.as_deref(),
            sent,
        }
    }

    /// The texts of a row. A row without conversation belongs to that of the file.
    pub fn texts<'r>(&'r self, row: &Row<'r>, file: &'r str, repaired: &mut Repaired) -> Texts<'r> {
        let mut text = |slot| self.text(row, slot, repaired);
        Texts {
            conversation: text(Slot::Conversation).unwrap_or(Cow::Borrowed(file)),
            title: text(Slot::Title),
            sender: text(Slot::Sender),
            handle: text(Slot::Handle),
            body: text(Slot::Body).unwrap_or_default(),
            id: text(Slot::Id),
            reply_to: text(Slot::ReplyTo),
            attachment: text(Slot::Attachment),
        }
    }
}

/// The texts of one row.
pub(super) struct Texts<'r> {
    pub conversation: Cow<'r, str>,
    pub title: Option<Cow<'r, str>>,
    pub sender: Option<Cow<'r, str>>,
    pub handle: Option<Cow<'r, str>>,
    pub body: Cow<'r, str>,
    pub id: Option<Cow<'r, str>>,
    pub reply_to: Option<Cow<'r, str>>,
    pub attachment: Option<Cow<'r, str>>,
}

fn cut(text: &str) -> &str {
    /// Letters of a value quoted in a reason.
    const SHOWN: usize = 60;
    text.char_indices()
        .nth(SHOWN)
        .map_or(text, |(at, _)| &text[..at])
}

/// Collects the rows that cannot be placed in time, before anything is handed out.
#[derive(Default)]
pub(super) struct Check {
    pub total: u64,
    pub places: Vec<Note>,
}

impl Check {
    /// Looks at one record.
    pub fn record(&mut self, plan: &mut Plan, entry: &Entry, record: &Record<'_>) {
        let problem = match &record.row {
            Ok(row) => plan.instant(row).err(),
            Err(reason) => Some(reason.clone()),
        };
        let Some(reason) = problem else { return };
        self.total += 1;
        if self.places.len() < PROBLEMS_LISTED_MAX {
            self.places.push(rejected(entry, record, reason));
        }
    }

    /// The refusal, if there is reason for one.
    pub fn refusal(self, answers: &Answers) -> Option<Outcome> {
        (self.total > 0 && !answers.import_rest).then(|| {
            let rows: Vec<String> = self.places.iter().map(|place| place.line.to_string()).collect();
            Outcome::Refused(Refusal {
                reason: format!(
                    "{} rows cannot be read or placed in time (rows {}); mend the file or the mapping, or import the rest without them",
                    self.total,
                    rows.join(", ")
                ),
                places: self.places,
                total: self.total,
            })
        })
    }
}

fn rejected(entry: &Entry, record: &Record<'_>, reason: String) -> Note {
    let quoted = &record.raw[..record.raw.len().min(QUOTED_BYTES_MAX)];
    Note {
        kind: NoteKind::Rejected,
        entry: entry.display_name.clone(),
        start: record.offset,
        end: record.offset + record.raw.len() as u64,
        line: record.line,
        raw: String::from_utf8_lossy(quoted).into_owned(),
        reason,
    }
}

/// Makes messages of records and hands them out.
pub(super) struct Writer<'s> {
    plan: Plan,
    entry: Entry,
    file_title: String,
    files: BTreeMap<String, u32>,
    pub summary: Summary,
    sink: &'s mut dyn Sink,
}

impl<'s> Writer<'s> {
    pub fn new(
        plan: Plan,
        container: &Container<'_>,
        main: u32,
        answers: &Answers,
        format: &'static str,
        sink: &'s mut dyn Sink,
    ) -> Self {
        let entry = container.entries()[main as usize].clone();
        let mut files = files_beside(container, &entry);
        for other in container
            .entries()
            .iter()
            .filter(|other| other.ordinal != main)
        {
            for name in [other.name.as_str(), other.file_name()] {
                files.entry(name.to_owned()).or_insert(other.ordinal);
            }
        }
        Self {
            file_title: answers
                .conversation_title
                .clone()
                .unwrap_or_else(|| file_title(&entry)),
            summary: Summary {
                format,
                zone: answers.zone.clone().filter(|_| plan.clock.is_some()),
                ..Summary::default()
            },
            plan,
            entry,
            files,
            sink,
        }
    }

    /// Hands over the templates, before the first message.
    pub fn templates(&mut self, templates: Templates) -> Result<()> {
        self.sink.templates(&templates)?;
        self.summary.templates = templates;
        Ok(())
    }

    pub fn frame(&mut self, raw: &[u8], offset: u64) -> Result<()> {
        if raw.is_empty() {
            return Ok(());
        }
        self.sink.frame(Frame {
            entry: self.entry.ordinal,
            span: (offset, offset + raw.len() as u64),
            raw,
        })?;
        Ok(())
    }

    /// Hands out one record as a message, or as a rejected frame.
    pub fn record(&mut self, record: &Record<'_>) -> Result<()> {
        self.summary.lines += 1;
        let instant = match &record.row {
            Ok(row) => self.plan.instant(row),
            Err(reason) => Err(reason.clone()),
        };
        match (&record.row, instant) {
            (Ok(row), Ok(instant)) => self.message(record, row, instant),
            (_, problem) => {
                let reason = problem.err().unwrap_or_default();
                self.reject(record, rejected(&self.entry, record, reason))
            }
        }
    }

    fn reject(&mut self, record: &Record<'_>, note: Note) -> Result<()> {
        self.frame(record.raw, record.offset)?;
        self.summary.rejected += 1;
        self.summary.notes += 1;
        self.sink.note(note)?;
        Ok(())
    }

    fn attachment<'n>(&self, name: Option<&'n str>) -> Option<ParsedAttachment<'n>> {
        let name = name.filter(|name| !name.is_empty())?;
        let entry = self.files.get(name);
        let entry = entry.or_else(|| self.files.get(last_part(name)));
        Some(ParsedAttachment {
            name: Cow::Borrowed(name),
            entry: entry.copied(),
        })
    }

    fn message(
        &mut self,
        record: &Record<'_>,
        row: &Row<'_>,
        instant: Option<Instant>,
    ) -> Result<()> {
        let app = self.plan.app(row);
        let mut repaired = Repaired::default();
        let texts = self.plan.texts(row, &self.file_title, &mut repaired);
        let span = (record.offset, record.offset + record.raw.len() as u64);
        let remark = match record.remark {
            None if repaired.0 => Some((
                NoteKind::Encoding,
                "a lone surrogate shows as U+FFFD; the bytes are kept",
            )),
            remark => remark,
        };
        if let Some((kind, reason)) = remark {
            self.summary.notes += 1;
            let mut note = rejected(&self.entry, record, reason.to_owned());
            note.kind = kind;
            note.raw.clear();
            self.sink.note(note)?;
        }
        let attachment = self.attachment(texts.attachment.as_deref());
        let presence = presence_of(instant, self.plan.zone_source, &texts, attachment.is_some());
        let local = instant.and_then(|instant| instant.local);
        let sent = instant.map(|instant| instant.sent);
        let kind = match (&attachment, texts.body.is_empty()) {
            (Some(_), true) => Kind::Media,
            _ => Kind::Text,
        };
        self.sink.message(&ParsedMessage {
            conversation_key: &texts.conversation,
            conversation_title: texts.title.as_deref().unwrap_or(&texts.conversation),
            conversation_kind: ConversationKind::Unknown,
            app,
            sender_label: texts.sender.as_deref(),
            sender_handle: texts.handle.as_deref(),
            body: &texts.body,
            kind,
            sent,
            local,
            precision: instant.map_or(Precision::None, |instant| instant.precision),
            zone_source: match local {
                Some(_) => self.plan.zone_source,
                None => ZoneSource::Record,
            },
            order: self.summary.messages,
            id_scope: texts.id.as_ref().map(|_| self.plan.scope),
            source_id: texts.id.as_deref(),
            reply_to: texts.reply_to.as_deref(),
            attachments: attachment.as_slice(),
            presence,
            raw: record.raw,
            span,
            entry: self.entry.ordinal,
            ..ParsedMessage::BARE
        })?;
        self.summary.messages += 1;
        self.summary.saw(sent);
        Ok(())
    }
}

/// What the parts of a row say about its message.
fn presence_of(
    instant: Option<Instant>,
    zone: ZoneSource,
    texts: &Texts<'_>,
    attached: bool,
) -> Presence {
    let local = instant.is_some_and(|instant| instant.local.is_some());
    let assumed = local && matches!(zone, ZoneSource::Default | ZoneSource::Inferred);
    Presence::of([
        (attached, Presence::ATTACHMENT),
        (instant.is_none(), Presence::TIME_ASSUMED),
        (
            instant.is_some_and(|instant| instant.doubtful),
            Presence::TIME_AMBIGUOUS,
        ),
        (assumed, Presence::ZONE_ASSUMED),
        (texts.reply_to.is_some(), Presence::REPLY),
    ])
}

impl Plan {
    /// The platform of a row; the last one is remembered, since files rarely mix.
    fn app(&mut self, row: &Row<'_>) -> App {
        let app = match self.text(row, Slot::App, &mut Repaired::default()) {
            None => return App::Other,
            Some(name) => match &self.last_app {
                Some((last, app)) if *last == name => return *app,
                _ => (
                    name.clone().into_owned(),
                    App::from_name(&name).unwrap_or(App::Other),
                ),
            },
        };
        let known = app.1;
        self.last_app = Some(app);
        known
    }
}

fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

/// The name of a file without its extension.
pub(super) fn file_title(entry: &Entry) -> String {
    let name = entry.file_name();
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

/// The question for a mapping, with the columns the file has.
pub(super) fn mapping_question(entry: &Entry, columns: &[String]) -> Outcome {
    Outcome::Ask(vec![Question {
        kind: QuestionKind::Mapping,
        entry: entry.display_name.clone(),
        reason: format!(
            "the file is a table; say in a mapping file which of its columns are conversation, sender, body and time (columns: {})",
            columns.join(", ")
        ),
        readings: Vec::new(),
        preselect: None,
    }])
}

/// A refusal without places.
pub(super) fn refused(reason: String) -> Outcome {
    Outcome::Refused(Refusal {
        reason,
        places: Vec::new(),
        total: 0,
    })
}
