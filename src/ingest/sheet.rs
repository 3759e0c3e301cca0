//! Tables that leave the house: CSV that spreadsheets open without running anything.
//!
//! RFC 4180 with a byte order mark, which makes spreadsheets read UTF-8. A cell that a spreadsheet
//! would take for a formula begins with an apostrophe (OWASP, "CSV Injection").

use std::io::{self, Write};

use csv_core::{ReadRecordResult, Reader};

/// What stands in front of a table so that spreadsheets read it as UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Whether a spreadsheet might take the cell for a formula: it begins, after blanks and quotes, with
/// one of the letters that start one, also in their full-width forms, or with a tab or line break.
fn is_formula(cell: &str) -> bool {
    let starts = |letter: char| {
        matches!(
            letter,
            '=' | '+' | '-' | '@' | '\u{ff1d}' | '\u{ff0b}' | '\u{ff0d}' | '\u{ff20}' | '\u{2212}'
        )
    };
    let first = cell.chars().next();
    let telling = cell
        .chars()
        .find(|letter| !letter.is_whitespace() && !matches!(letter, '"' | '\u{feff}'));
    first.is_some_and(|letter| matches!(letter, '\t' | '\r' | '\n')) || telling.is_some_and(starts)
}

/// Writes one row: every cell quoted, formulas disarmed, NUL left out (it ends a cell in some
/// readers), CR LF at the end.
pub fn write_row<'a>(
    out: &mut dyn Write,
    cells: impl IntoIterator<Item = &'a str>,
) -> io::Result<()> {
    let mut row = String::new();
    for cell in cells {
        if !row.is_empty() {
            row.push(',');
        }
        row.push('"');
        if is_formula(cell) {
            row.push('\'');
        }
        for letter in cell.chars() {
            match letter {
                '"' => row.push_str("\"\""),
                '\0' => {}
                letter => row.push(letter),
            }
        }
        row.push('"');
    }
    row.push_str("\r\n");
    out.write_all(row.as_bytes())
}

/// Columns of a table that is read.
const READ_COLUMNS_MAX: usize = 64;

/// Reads a table (RFC 4180, with or without a byte order mark) into rows of cells. `None` when it is not
/// UTF-8 or a row has more than 64 cells. It is held in memory whole: the caller bounds its bytes.
pub fn read_rows(bytes: &[u8]) -> Option<Vec<Vec<String>>> {
    let text = std::str::from_utf8(bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)).ok()?;
    // The last row ends like the others.
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Some(Vec::new());
    }
    let text = format!("{text}\n");
    let mut rest = text.as_bytes();
    let mut reader = Reader::new();
    let mut cells = vec![0; rest.len() + 1];
    let mut ends = [0; READ_COLUMNS_MAX + 1];
    let mut rows = Vec::new();
    loop {
        let (result, read, _, count) = reader.read_record(rest, &mut cells, &mut ends);
        rest = rest.get(read..)?;
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::End => return Some(rows),
            // A quote that is never closed, or more cells than fit.
            ReadRecordResult::InputEmpty
            | ReadRecordResult::OutputFull
            | ReadRecordResult::OutputEndsFull => return None,
        }
        if count > READ_COLUMNS_MAX {
            return None;
        }
        let mut row = Vec::with_capacity(count);
        let mut from = 0;
        for end in &ends[..count] {
            row.push(String::from_utf8(cells.get(from..*end)?.to_vec()).ok()?);
            from = *end;
        }
        rows.push(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(cells: &[&str]) -> String {
        let mut bytes = Vec::new();
        write_row(&mut bytes, cells.iter().copied()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn formulas_are_disarmed_and_words_are_not() {
        for (cell, wanted) in [
            (
                "=HYPERLINK(\"http://x\")",
                "\"'=HYPERLINK(\"\"http://x\"\")\"\r\n",
            ),
            ("+351 912", "\"'+351 912\"\r\n"),
            (" \t@SUM(A1)", "\"' \t@SUM(A1)\"\r\n"),
            ("\u{ff1d}1+1", "\"'\u{ff1d}1+1\"\r\n"),
            ("\"=1", "\"'\"\"=1\"\r\n"),
            ("\rA", "\"'\rA\"\r\n"),
            ("10% - deal", "\"10% - deal\"\r\n"),
            ("", "\"\"\r\n"),
            ("a\0b", "\"ab\"\r\n"),
        ] {
            assert_eq!(row(&[cell]), wanted, "{cell:?}");
        }
    }

    #[test]
    fn a_table_reads_back_and_what_is_none_is_told() {
        let rows = |text: &str| read_rows(text.as_bytes());
        let two = Some(vec![
            vec!["a".to_owned(), "b \"c\"".to_owned()],
            vec!["1".to_owned(), String::new()],
        ]);
        for text in ["a,\"b \"\"c\"\"\"\n1,\n", "\u{feff}a,\"b \"\"c\"\"\"\r\n1,"] {
            assert_eq!(rows(text), two, "{text:?}");
        }
        assert_eq!(rows("\n\n"), Some(Vec::new()));
        assert_eq!(rows("a,\"b\n"), None);
        assert_eq!(rows(&",".repeat(READ_COLUMNS_MAX)), None);
        assert_eq!(read_rows(&[b'a', 0xff]), None);
    }

    proptest! {
        #[test]
        fn cells_read_back(cells in prop::collection::vec("[^\0]{0,20}", 1..5)) {
            let borrowed: Vec<&str> = cells.iter().map(String::as_str).collect();
            let text = row(&borrowed);
            let mut reader = Reader::new();
            let (mut out, mut ends) = (vec![0; 4_096], vec![0; 16]);
            let (result, _, _, count) = reader.read_record(text.as_bytes(), &mut out, &mut ends);
            prop_assert_eq!(result, ReadRecordResult::Record);
            prop_assert_eq!(count, cells.len());
            let mut from = 0;
            for (cell, end) in cells.iter().zip(&ends) {
                let read = std::str::from_utf8(&out[from..*end]).unwrap();
                from = *end;
                prop_assert!(read == cell || read.strip_prefix('\'') == Some(cell));
            }
        }
    }
}
