//! Separated values (RFC 4180 and its relatives): the delimiter, the quote and the encoding are
//! found by looking. Cells that look like formulas stay the text they are.

use std::io::Read;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

use crate::domain::NoteKind;
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::lines::Lines;
use crate::ingest::message::Sink;

use super::cell::Cell;
use super::mapping::{Column, Mapping, SLOTS, Slot};
use super::writer::{Check, Plan, Record, Row, Step, Writer, mapping_question, refused};

/// Delimiters that are looked for, the likeliest first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows of the head that must agree on their number of cells.
const ROWS_AGREEING_MIN: usize = 2;
/// Rows of the head that are looked at.
const ROWS_LOOKED_AT: usize = 50;
/// A record longer than this is rejected: its quotes do not match; bytes.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Bytes of the head that are looked at.
const HEAD_BYTES: usize = 64 * 1024;

/// The reader of tables of separated values.
#[derive(Clone, Copy, Debug)]
pub struct Csv;

impl Format for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn is_generic(&self) -> bool {
        true
    }

    fn refers(&self, answers: &Answers) -> bool {
        let mapping = answers.mapping.as_ref();
        mapping.is_some_and(|mapping| mapping.reply_to.is_some())
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        match Dialect::of_head(head) {
            Some(dialect) if dialect.rows >= ROWS_AGREEING_MIN => Claim::Maybe,
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
        let head = container.head(main, HEAD_BYTES)?;
        let Some(dialect) = Dialect::of_head(&head) else {
            let reason = "the file has no delimiter that its rows agree on (comma, semicolon, tabulator or bar)";
            return Ok(refused(reason.to_owned()));
        };
        let Some(mapping) = &answers.mapping else {
            return Ok(mapping_question(&entry, &dialect.names));
        };
        let columns = match columns(mapping, &dialect.names) {
            Ok(columns) => columns,
            Err(reason) => return Ok(refused(reason)),
        };
        let mut plan = match Plan::new(mapping, answers) {
            Ok(plan) => plan,
            Err(reason) => return Ok(refused(reason)),
        };
        let mut check = Check::default();
        let table = Table {
            dialect: &dialect,
            columns,
            header: mapping.header,
        };
        container.read(main, |bytes| {
            table.each_record(bytes, &mut |step| {
                if let Step::Record(record) = step {
                    check.record(&mut plan, &entry, &record);
                }
                Ok(())
            })
        })?;
        if let Some(refusal) = check.refusal(answers) {
            return Ok(refusal);
        }
        let mut writer = Writer::new(plan, container, main, answers, self.name(), sink);
        container.read(main, |bytes| {
            table.each_record(bytes, &mut |step| match step {
                Step::Record(record) => writer.record(&record),
                Step::Frame(raw, offset) => writer.frame(raw, offset),
            })
        })?;
        Ok(Outcome::Done(Box::new(writer.summary)))
    }
}

/// How a table separates and quotes, and what its first row says.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Dialect {
    delimiter: u8,
    quote: u8,
    /// The cells of the first row.
    names: Vec<String>,
    /// Rows of the head that have as many cells.
    rows: usize,
    /// Whether the first line only names the delimiter (`sep=;`, as Excel writes).
    declared: bool,
}

impl Dialect {
    /// The dialect whose rows agree best, if any has more than one cell.
    fn of_head(head: &[u8]) -> Option<Dialect> {
        let mut text = Vec::new();
        let mut lines = Lines::new(head).ok()?;
        let mut declared = None;
        while let Ok(Some(line)) = lines.next() {
            match line.content() {
                [b's', b'e', b'p', b'=', delimiter] if text.is_empty() => {
                    declared = Some(*delimiter)
                }
                _ => text.extend_from_slice(line.text),
            }
        }
        let double = memchr::memchr(b'"', &text).is_some();
        let single = DELIMITERS
            .iter()
            .any(|delimiter| memchr::memmem::find(&text, &[b'\'', *delimiter, b'\'']).is_some());
        let quote = if single && !double { b'\'' } else { b'"' };
        let candidates = match declared {
            Some(delimiter) => vec![delimiter],
            None => DELIMITERS.to_vec(),
        };
        // The last row of the head may be cut off.
        let whole = head.len() < HEAD_BYTES;
        candidates
            .into_iter()
            .filter_map(|delimiter| {
                let mut rows = rows_of(&text, delimiter, quote);
                if !whole && rows.len() > 1 {
                    rows.pop();
                }
                let names = rows.first()?.clone();
                let agree = rows.iter().all(|row| row.len() == names.len());
                (names.len() > 1 && (agree || declared.is_some())).then(|| Dialect {
                    delimiter,
                    quote,
                    rows: rows.len(),
                    names,
                    declared: declared.is_some(),
                })
            })
            .max_by_key(|dialect| dialect.names.len())
    }

    fn reader(&self) -> Reader {
        reader(self.delimiter, self.quote)
    }
}

/// A splitter of cells by a delimiter and a quote.
pub fn reader(delimiter: u8, quote: u8) -> Reader {
    ReaderBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .build()
}

/// The first rows of a text.
fn rows_of(text: &[u8], delimiter: u8, quote: u8) -> Vec<Vec<String>> {
    let mut cells = Cells::new(reader(delimiter, quote));
    let mut rows = Vec::new();
    for line in text.split_inclusive(|byte| *byte == b'\n' || *byte == b'\r') {
        if cells.feed(line) {
            rows.push(cells.texts());
            cells.clear();
        }
        if rows.len() >= ROWS_LOOKED_AT {
            return rows;
        }
    }
    if cells.finish() {
        rows.push(cells.texts());
    }
    rows
}

/// Where each slot stands in a row.
fn columns(
    mapping: &Mapping,
    names: &[String],
) -> std::result::Result<[Option<usize>; SLOTS], String> {
    let mut found = [None; SLOTS];
    for (slot, column) in mapping.columns().into_iter().enumerate() {
        found[slot] = match column {
            None | Some(Column::Constant { .. }) => None,
            Some(Column::Numbered { column }) => {
                let place = column.checked_sub(1).filter(|place| *place < names.len());
                Some(place.ok_or_else(|| {
                    format!(
                        "there is no column {column}; the table has {} (counted from 1)",
                        names.len()
                    )
                })?)
            }
            Some(Column::Named(name)) => {
                let place = names
                    .iter()
                    .position(|known| known.trim() == name)
                    .filter(|_| mapping.header);
                Some(place.ok_or_else(|| {
                    format!(
                        "there is no column \"{name}\"; the table has {}",
                        names.join(", ")
                    )
                })?)
            }
        };
    }
    Ok(found)
}

/// The cells of the record that is being read.
pub struct Cells {
    reader: Reader,
    letters: Vec<u8>,
    used: usize,
    ends: Vec<usize>,
    count: usize,
}

impl Cells {
    /// No cells yet.
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            letters: vec![0; 1_024],
            used: 0,
            ends: vec![0; 64],
            count: 0,
        }
    }

    /// Takes a piece of text; whether a record is complete.
    pub fn feed(&mut self, mut text: &[u8]) -> bool {
        loop {
            let (result, taken, written, ended) = self.reader.read_record(
                text,
                &mut self.letters[self.used..],
                &mut self.ends[self.count..],
            );
            text = &text[taken..];
            self.used += written;
            self.count += ended;
            match result {
                ReadRecordResult::InputEmpty => return false,
                ReadRecordResult::OutputFull => self.letters.resize(self.letters.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::Record => return true,
                ReadRecordResult::End => return false,
            }
        }
    }

    /// Ends the text; whether that completed a record.
    pub fn finish(&mut self) -> bool {
        self.feed(b"")
    }

    /// Forgets the record.
    pub fn clear(&mut self) {
        self.used = 0;
        self.count = 0;
    }

    fn cell(&self, place: usize) -> Option<&str> {
        let end = *self.ends[..self.count].get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        std::str::from_utf8(&self.letters[start..end]).ok()
    }

    /// The cells of the record.
    pub fn texts(&self) -> Vec<String> {
        self.first_texts(self.count)
    }

    /// The first cells of the record, so many at most.
    pub fn first_texts(&self, most: usize) -> Vec<String> {
        (0..self.count.min(most))
            .map(|place| self.cell(place).unwrap_or_default().to_owned())
            .collect()
    }
}

/// The lines of one record so far.
#[derive(Default)]
struct Gathered {
    raw: Vec<u8>,
    offset: u64,
    line: u64,
    foreign: bool,
}

/// A table ready to be read row by row.
struct Table<'t> {
    dialect: &'t Dialect,
    columns: [Option<usize>; SLOTS],
    header: bool,
}

impl Table<'_> {
    /// Hands every record to `take`; the row of names, blank lines and marks as frames.
    fn each_record(
        &self,
        bytes: &mut dyn Read,
        take: &mut dyn FnMut(Step<'_>) -> Result<()>,
    ) -> Result<()> {
        let mut lines = Lines::new(bytes)?;
        let mark = lines.mark().to_vec();
        take(Step::Frame(&mark, 0))?;
        let mut cells = Cells::new(self.dialect.reader());
        let mut gathered = Gathered::default();
        let mut number = 0;
        let mut skip = usize::from(self.header);
        let mut declared = self.dialect.declared;
        while let Some(line) = lines.next()? {
            number += u64::from(!line.continues);
            let first = gathered.raw.is_empty();
            if std::mem::take(&mut declared) || first && line.content().is_empty() {
                take(Step::Frame(line.raw, line.offset))?;
                continue;
            }
            if first {
                (gathered.offset, gathered.line) = (line.offset, number);
            }
            gathered.raw.extend_from_slice(line.raw);
            let complete = match std::str::from_utf8(line.text) {
                Ok(_) => cells.feed(line.text),
                Err(_) => {
                    gathered.foreign = true;
                    let (text, _) =
                        encoding_rs::WINDOWS_1252.decode_without_bom_handling(line.text);
                    cells.feed(text.as_bytes())
                }
            };
            let too_long = gathered.raw.len() > RECORD_BYTES_MAX;
            if !complete && !too_long {
                continue;
            }
            take(self.step(&cells, &gathered, complete, &mut skip))?;
            if !complete {
                cells.reader.reset();
            }
            cells.clear();
            gathered.raw.clear();
            gathered.foreign = false;
        }
        if !gathered.raw.is_empty() {
            cells.finish();
            take(self.step(&cells, &gathered, true, &mut skip))?;
        }
        Ok(())
    }

    /// What a gathered record is; the row of names is a frame.
    fn step<'r>(
        &self,
        cells: &'r Cells,
        gathered: &'r Gathered,
        complete: bool,
        skip: &mut usize,
    ) -> Step<'r> {
        if *skip > 0 {
            *skip -= 1;
            return Step::Frame(&gathered.raw, gathered.offset);
        }
        let too_long =
            || "the record is longer than 64 MiB; a quote is probably not closed".to_owned();
        let remark = gathered.foreign.then_some((
            NoteKind::Encoding,
            "the row is not UTF-8; it was read as Windows-1252, the bytes are kept",
        ));
        Step::Record(Record {
            row: complete.then(|| self.row(cells)).ok_or_else(too_long),
            raw: &gathered.raw,
            offset: gathered.offset,
            line: gathered.line,
            remark,
        })
    }

    /// The cells by slot; an empty cell is an absent one, except for the words.
    fn row<'c>(&self, cells: &'c Cells) -> Row<'c> {
        let mut row: Row<'c> = [None; SLOTS];
        for (slot, column) in self.columns.iter().enumerate() {
            row[slot] = column
                .and_then(|column| cells.cell(column))
                .filter(|text| !text.is_empty() || slot == Slot::Body as usize)
                .map(Cell::Text);
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(head: &str, delimiter: u8, quote: u8, cells: usize) {
        let dialect = Dialect::of_head(head.as_bytes()).unwrap_or_else(|| panic!("{head}"));
        assert_eq!(
            (dialect.delimiter, dialect.quote, dialect.names.len()),
            (delimiter, quote, cells),
            "{head}"
        );
    }

    #[test]
    fn the_dialect_is_found_by_looking() {
        check("a,b,c\n1,2,3\n", b',', b'"', 3);
        check("a;b\n\"x, y\";2\n", b';', b'"', 2);
        check("a\tb\tc\n1,5\t2\t3\n", b'\t', b'"', 3);
        check("'a','b'\n'x,y','2'\n", b',', b'\'', 2);
        check("sep=|\na|b\n1|2\n", b'|', b'"', 2);
        check("a,b\n\"two\nlines\",2\n", b',', b'"', 2);
        assert_eq!(Dialect::of_head(b"just words\nand more, words\n"), None);
        assert_eq!(Dialect::of_head(b""), None);
    }
}
