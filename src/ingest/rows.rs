//! Tables of separated values whose columns a platform fixes: rows of cells, with every byte
//! accounted for.

use std::io::Read;

use super::error::Result;
use super::lines::Lines;
use super::table::{Cells, reader};

/// A record longer than this is taken as it is: its quotes do not match; bytes.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Cells of a row behind these are not read apart; the platforms' tables have some dozen.
const CELLS_MAX: usize = 256;

/// What is noted of a row that is not UTF-8.
pub const FOREIGN: &str = "the row is not UTF-8; it was read as Windows-1252, the bytes are kept";

/// What the lines of a table turn out to be.
#[derive(Clone, Debug)]
pub enum Row<'a> {
    /// Bytes that are no row: a mark of byte order, a blank line.
    Frame {
        /// The bytes.
        raw: &'a [u8],
        /// Their offset.
        at: u64,
    },
    /// A row.
    Cells {
        /// Its cells, without quotes.
        cells: Vec<String>,
        /// Its bytes, with the line end.
        raw: &'a [u8],
        /// Their offset.
        at: u64,
        /// Its place among the rows, from 0: the row of names is the first.
        number: u64,
        /// Whether it is not UTF-8 and was read as Windows-1252.
        foreign: bool,
    },
}

/// Hands every row to `take`.
///
/// # Errors
/// What the source and `take` report.
pub fn each_row(
    bytes: &mut dyn Read,
    delimiter: u8,
    take: &mut dyn FnMut(Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut lines = Lines::new(bytes)?;
    let mark = lines.mark().to_vec();
    take(Row::Frame { raw: &mark, at: 0 })?;
    let mut cells = Cells::new(reader(delimiter, b'"'));
    let mut raw = Vec::new();
    let (mut at, mut number, mut foreign) = (0, 0, false);
    while let Some(line) = lines.next()? {
        if raw.is_empty() {
            if line.content().is_empty() {
                take(Row::Frame {
                    raw: line.raw,
                    at: line.offset,
                })?;
                continue;
            }
            at = line.offset;
        }
        raw.extend_from_slice(line.raw);
        let complete = match std::str::from_utf8(line.text) {
            Ok(_) => cells.feed(line.text),
            Err(_) => {
                foreign = true;
                let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(line.text);
                cells.feed(text.as_bytes())
            }
        };
        if !complete && raw.len() <= RECORD_BYTES_MAX {
            continue;
        }
        take(Row::Cells {
            cells: cells.first_texts(CELLS_MAX),
            raw: &raw,
            at,
            number,
            foreign,
        })?;
        if !complete {
            cells = Cells::new(reader(delimiter, b'"'));
        }
        cells.clear();
        raw.clear();
        number += 1;
        foreign = false;
    }
    if !raw.is_empty() {
        cells.finish();
        take(Row::Cells {
            cells: cells.first_texts(CELLS_MAX),
            raw: &raw,
            at,
            number,
            foreign,
        })?;
    }
    Ok(())
}

/// The cells of the first row of a head.
pub fn first_row(head: &[u8], delimiter: u8) -> Option<Vec<String>> {
    rows_of(head, delimiter, 1).pop()
}

/// The cells of the first rows of a head, at most `count`. The last may be cut off.
pub fn rows_of(head: &[u8], delimiter: u8, count: usize) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut bytes = head;
    // Reading from memory does not fail, and what the closure refuses is the end it wants.
    let _ = each_row(&mut bytes, delimiter, &mut |row| match row {
        Row::Cells { cells, .. } if rows.len() < count => {
            rows.push(cells);
            Ok(())
        }
        Row::Frame { .. } => Ok(()),
        Row::Cells { .. } => Err(super::error::IngestError::Stopped),
    });
    rows
}
