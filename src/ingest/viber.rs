//! Viber's export of a chat, as text (`[ 19.02.2024 18:41:43 ] Ana: words`) and as a table (date, time,
//! name, number, words).
//!
//! The form of both is not published; what is accepted is the above, with any of the dates phones
//! print. What it cannot tell: there are no ids, no zone and no media. Which part of a date is the
//! day is decided by the same evidence as elsewhere, or asked.

use crate::domain::{App, ConversationKind, NoteKind, Precision, Timestamp};

use super::answers::{Answers, DateOrder, OrderDecision, Outcome, Question};
use super::container::{Container, Entry};
use super::detect::HEAD_BYTES;
use super::error::Result;
use super::format::{Claim, Format};
use super::message::{ParsedMessage, Sink};
use super::printed::{
    Evidence, Header, HeaderReader, Printed, Shape, Years, credible_bound, decided,
};
use super::rows::{FOREIGN, Row, each_row, rows_of};
use super::teller::Teller;
use super::transcript::{
    Clocked, Files, LineIs, Opening, Script, Words, import, kind_of, openings, title_of,
};
use super::whatsapp::phone;

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// A date and time in brackets are no longer; bytes.
const BRACKET_BYTES_MAX: usize = 64;
/// Rows of a head that are looked at.
const ROWS_LOOKED_AT: usize = 20;
/// Most names that are counted.
const NAMES_MAX: usize = 65_536;

/// The reader of Viber's exports.
#[derive(Clone, Copy, Debug)]
pub struct Viber;

impl Format for Viber {
    fn name(&self) -> &'static str {
        "viber"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        match openings(&mut ViberScript::default(), head) {
            0 if is_table(head) => Claim::Yes(2),
            0 => Claim::No,
            count => Claim::Yes(count),
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let head = container.head(main, HEAD_BYTES)?;
        match is_table(&head) {
            true => table(container, main, answers, sink),
            false => import(&mut ViberScript::default(), container, main, answers, sink),
        }
    }
}

/// The dates of a file: its style, and how it is read.
#[derive(Debug, Default)]
struct Dates {
    reader: HeaderReader,
    /// The style of the first head, which is the file's own.
    shape: Option<Shape>,
    printed: Vec<Printed>,
    order: Option<(DateOrder, Years)>,
    decision: Option<OrderDecision>,
}

impl Dates {
    /// The head of a text `date time`, if it is of the file's style.
    fn read(&mut self, text: &str) -> Option<Header> {
        let header = self
            .reader
            .read(format!("[{}] x", text.trim()).as_bytes())?;
        (*self.shape.get_or_insert(header.shape) == header.shape).then_some(header)
    }

    /// Local microseconds of a head; `None` while it is not decided how dates are read.
    fn local(&mut self, header: &Header) -> Option<i64> {
        let printed = Printed::new(header.parts, header.second_of_day);
        let Some((order, years)) = self.order else {
            self.printed.push(printed);
            return None;
        };
        Some(printed.local_seconds(order, years)? * SECOND)
    }

    /// Decides how dates are read.
    fn decide(&mut self, entry: &Entry, answers: &Answers) -> std::result::Result<(), Question> {
        let Some(shape) = self.shape.filter(|_| self.order.is_none()) else {
            return Ok(());
        };
        let headers = std::mem::take(&mut self.printed);
        let written = credible_bound(&headers, entry.modified, answers.now);
        let years = Years::until(written);
        let evidence = Evidence {
            shape: &shape,
            headers: &headers,
            media: &[],
            written: written.map(Timestamp::seconds),
            years,
        };
        let (order, reason) = decided(&evidence, &entry.display_name, answers)?;
        self.order = Some((order, years));
        self.decision = Some(OrderDecision {
            shape: shape.describe(),
            headers: headers.len() as u64,
            order,
            reason,
        });
        Ok(())
    }
}

fn precision(header: &Header) -> Precision {
    match header.shape.seconds {
        true => Precision::Second,
        false => Precision::Minute,
    }
}

/// Reads the lines.
#[derive(Debug, Default)]
struct ViberScript {
    dates: Dates,
}

impl Script for ViberScript {
    fn name(&self) -> &'static str {
        "viber"
    }

    fn app(&self) -> App {
        App::Viber
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn orders(&self) -> Vec<OrderDecision> {
        self.dates.decision.clone().into_iter().collect()
    }

    fn settle(&mut self, entry: &Entry, answers: &Answers) -> Vec<Question> {
        self.dates
            .decide(entry, answers)
            .err()
            .into_iter()
            .collect()
    }

    fn line(&mut self, line: &str) -> LineIs {
        // The blank behind the bracket is what no other export prints.
        let bracket = line
            .strip_prefix("[ ")
            .and_then(|inner| inner.split_once(']'));
        let Some((date, rest)) = bracket.filter(|(date, _)| date.len() <= BRACKET_BYTES_MAX) else {
            return LineIs::GoesOn;
        };
        let Some(header) = self.dates.read(date) else {
            return LineIs::GoesOn;
        };
        let local = self.dates.local(&header);
        if local.is_none() && self.dates.order.is_some() {
            return LineIs::GoesOn;
        }
        let start = line.len() - rest.len();
        let start = start + usize::from(rest.starts_with(' '));
        let rest = &line[start..];
        let (sender, body) = match rest.split_once(": ") {
            Some((sender, _)) if !sender.is_empty() => {
                (Some(sender.to_owned()), start + sender.len() + 2)
            }
            _ => match rest.strip_suffix(':') {
                Some(sender) if !sender.is_empty() => (Some(sender.to_owned()), line.len()),
                _ => (None, start),
            },
        };
        LineIs::Opens(Opening {
            local,
            precision: precision(&header),
            sender,
            to: None,
            body,
        })
    }

    fn words<'b>(&self, opening: &Opening, body: &'b str, _files: &Files) -> Words<'b> {
        Words::plain(body, opening.sender.as_deref())
    }
}

/// A row: when, who, which number, what.
struct Cells<'c> {
    header: Header,
    sender: &'c str,
    number: &'c str,
    body: &'c str,
}

fn cells_of<'c>(dates: &mut Dates, cells: &'c [String]) -> Option<Cells<'c>> {
    let [date, time, sender, number, body] = cells else {
        return None;
    };
    let header = dates.read(&format!("{date} {time}"))?;
    Some(Cells {
        header,
        sender,
        number,
        body,
    })
}

/// Whether a head is that of the table: most rows but the names have a date, a time, a name, a number
/// or none, and words.
fn is_table(head: &[u8]) -> bool {
    let mut dates = Dates::default();
    let mut rows = rows_of(head, b',', ROWS_LOOKED_AT);
    if head.len() >= HEAD_BYTES {
        rows.pop();
    }
    let numbered = |cells: &Cells<'_>| cells.number.is_empty() || phone(cells.number).is_some();
    let (mut read, mut others, mut numbers) = (0, 0, 0);
    for (place, row) in rows.iter().enumerate() {
        match cells_of(&mut dates, row).filter(numbered) {
            Some(cells) => {
                read += 1;
                numbers += usize::from(!cells.number.is_empty());
            }
            None if place == 0 => {}
            None => others += 1,
        }
    }
    read > others && numbers > 0
}

/// Reads the table.
fn table(
    container: &mut Container<'_>,
    main: u32,
    answers: &Answers,
    sink: &mut dyn Sink,
) -> Result<Outcome> {
    let entry = container.entries()[main as usize].clone();
    let mut dates = Dates::default();
    let mut senders = std::collections::BTreeSet::new();
    container.read(main, |bytes| {
        each_row(bytes, b',', &mut |row| {
            if let Row::Cells { cells, .. } = row
                && let Some(cells) = cells_of(&mut dates, &cells)
            {
                dates.local(&cells.header);
                if senders.len() < NAMES_MAX {
                    senders.insert(cells.sender.to_owned());
                }
            }
            Ok(())
        })
    })?;
    let mut questions: Vec<Question> = dates.decide(&entry, answers).err().into_iter().collect();
    let clocked = Clocked::of(&entry, answers).map_err(|question| questions.push(question));
    let (Ok(clocked), true) = (clocked, questions.is_empty()) else {
        return Ok(Outcome::Ask(questions));
    };
    let mut teller = Teller::new("viber", &entry, sink);
    teller.summary.zone = Some(clocked.zone.clone());
    teller.summary.orders = dates.decision.clone().into_iter().collect();
    let mut reading = Reading {
        teller,
        clocked,
        dates,
        title: title_of(&entry, answers, None),
        kind: kind_of(senders.len()),
    };
    container.read(main, |bytes| {
        each_row(bytes, b',', &mut |row| reading.row(row))
    })?;
    Ok(reading.teller.done())
}

/// The second reading of the table.
struct Reading<'s> {
    teller: Teller<'s>,
    clocked: Clocked,
    dates: Dates,
    title: String,
    kind: ConversationKind,
}

impl Reading<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let (cells, raw, at, number, foreign) = match row {
            Row::Frame { raw, at } => return self.teller.frame(raw, at),
            Row::Cells {
                cells,
                raw,
                at,
                number,
                foreign,
            } => (cells, raw, at, number, foreign),
        };
        let read = cells_of(&mut self.dates, &cells);
        let local = read
            .as_ref()
            .and_then(|read| self.dates.local(&read.header));
        let (Some(read), Some(local)) = (read, local) else {
            // The first row may name the columns: names hold no digits.
            let counts = |cell: &String| cell.bytes().any(|byte| byte.is_ascii_digit());
            if number == 0 && !cells.iter().any(counts) {
                return self.teller.frame(raw, at);
            }
            let reason = "the row is not a date, a time, a name, a number and words";
            return self.teller.reject(raw, at, reason);
        };
        let span = (at, at + raw.len() as u64);
        if foreign {
            self.teller.note(NoteKind::Encoding, span, FOREIGN)?;
        }
        let sender = Some(read.sender).filter(|sender| !sender.is_empty());
        let words = Words::plain(read.body, sender);
        let (sent, doubts) = self.clocked.place(local);
        self.teller.message(&ParsedMessage {
            conversation_key: &self.title,
            conversation_title: &self.title,
            conversation_kind: self.kind,
            app: App::Viber,
            sender_label: sender,
            sender_handle: phone(read.number).as_deref(),
            body: read.body,
            kind: words.kind,
            sent: Some(sent),
            local: Some(local),
            precision: precision(&read.header),
            zone_source: self.clocked.zone.source,
            presence: words.presence.with(doubts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}
