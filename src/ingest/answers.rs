//! What a reader may ask the operator, what the operator answered, and what came out.

use crate::domain::{Note, Timestamp, ZoneSource};

use super::raw::Templates;
use super::table::Mapping;

/// The order of day, month and year in printed dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DateOrder {
    /// Day, month, year.
    DayFirst,
    /// Month, day, year.
    MonthFirst,
    /// Year, month, day.
    YearFirst,
}

impl DateOrder {
    /// Every order, day first first.
    pub const ALL: [DateOrder; 3] = [
        DateOrder::DayFirst,
        DateOrder::MonthFirst,
        DateOrder::YearFirst,
    ];

    /// The name in commands and reports: `dmy`, `mdy`, `ymd`.
    pub const fn name(self) -> &'static str {
        match self {
            DateOrder::DayFirst => "dmy",
            DateOrder::MonthFirst => "mdy",
            DateOrder::YearFirst => "ymd",
        }
    }

    /// The order of a name; `None` when there is none such.
    pub fn from_name(name: &str) -> Option<DateOrder> {
        DateOrder::ALL
            .into_iter()
            .find(|order| order.name() == name)
    }
}

/// An IANA zone and who said it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneAnswer {
    /// Name of the zone, such as `Europe/Lisbon`.
    pub name: String,
    /// Who said so; stored with every message.
    pub source: ZoneSource,
}

/// What is known before the import starts. The same bytes with the same answers give the same
/// messages, so the answers are stored with the import.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// The zone of local times.
    pub zone: Option<ZoneAnswer>,
    /// The order of day and month, for dates that decide nothing themselves.
    pub date_order: Option<DateOrder>,
    /// Whether lines headed in a second style, or against the order of time, are messages.
    pub trust_headers: Option<bool>,
    /// The display name of the exporter, where the platform has only a word for "me".
    pub me: Option<String>,
    /// How the columns of a table become messages.
    pub mapping: Option<Mapping>,
    /// Whether rows without a readable date may be left out (and noted) instead of refusing all.
    pub import_rest: bool,
    /// The name to give the conversation; else the name of the file tells.
    pub conversation_title: Option<String>,
    /// When what the file holds began, where it prints no date: local microseconds as if UTC.
    pub start: Option<i64>,
    /// The present: bounds dates where the file has no date of its own.
    pub now: Option<Timestamp>,
}

/// Sorts of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuestionKind {
    /// Day or month first (`Answers::date_order`).
    DateOrder,
    /// In which zone the phone stood (`Answers::zone`).
    Zone,
    /// On which day, and when, what the file holds began (`Answers::start`).
    Start,
    /// Whether second styles and backward times open messages (`Answers::trust_headers`).
    TrustHeaders,
    /// How columns become messages (`Answers::mapping`).
    Mapping,
    /// Whether to leave out rows without a readable date (`Answers::import_rest`).
    ImportRest,
    /// Which conversation the chat continues: its id, or [`ANSWER_NEW`]. Asked by who knows them.
    Continues,
}

/// The answer to [`QuestionKind::Continues`] that begins a conversation.
pub const ANSWER_NEW: &str = "new";

/// One way to understand the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The answer that chooses it: `dmy`, `yes`, ...
    pub answer: String,
    /// The first printed date under this reading, as local time.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
}

/// Something the reader cannot decide and will not guess. Until it is answered nothing is
/// admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What is asked.
    pub kind: QuestionKind,
    /// The entry it is about.
    pub entry: String,
    /// Why it cannot be decided, in one sentence with the evidence.
    pub reason: String,
    /// The readings to choose from; empty when the answer is free (a zone, a mapping).
    pub readings: Vec<Reading>,
    /// The reading to offer first. A convenience of the page, never an answer.
    pub preselect: Option<usize>,
}

/// How one style of date was read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderDecision {
    /// The style, as in `[dd/MM/y, HH:mm:ss]`.
    pub shape: String,
    /// Messages headed in this style.
    pub headers: u64,
    /// The order of day and month.
    pub order: DateOrder,
    /// The evidence that decided.
    pub reason: String,
}

/// What an import found, beside the messages and notes themselves.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Name of the format: `whatsapp`, `csv`, `jsonl`.
    pub format: &'static str,
    /// The styles of date found, and how each was read.
    pub orders: Vec<OrderDecision>,
    /// The zone applied to local times, if there were any.
    pub zone: Option<ZoneAnswer>,
    /// Messages handed to the sink.
    pub messages: u64,
    /// Notes handed to the sink.
    pub notes: u64,
    /// Records that were rejected, each with a note.
    pub rejected: u64,
    /// Lines or rows read.
    pub lines: u64,
    /// The first instant of any message.
    pub first: Option<Timestamp>,
    /// The last instant of any message.
    pub last: Option<Timestamp>,
    /// Row templates for the compact raw form.
    pub templates: Templates,
}

impl Summary {
    /// Widens the interval to an instant.
    pub(super) fn saw(&mut self, sent: Option<Timestamp>) {
        let Some(sent) = sent else { return };
        self.first = Some(self.first.map_or(sent, |first| first.min(sent)));
        self.last = Some(self.last.map_or(sent, |last| last.max(sent)));
    }
}

/// Why nothing of a source was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reason, with what to do.
    pub reason: String,
    /// The places, at most the first hundred.
    pub places: Vec<Note>,
    /// How many places there are in all.
    pub total: u64,
}

/// How an import ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// Everything was handed over.
    Done(Box<Summary>),
    /// Nothing was handed over; answer and start again.
    Ask(Vec<Question>),
    /// Nothing was handed over and no answer to a question helps (or only
    /// `Answers::import_rest`, where the reason says so).
    Refused(Refusal),
}
