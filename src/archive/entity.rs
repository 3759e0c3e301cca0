//! Sealed names: titles of conversations, names of handles, remarks and reports of imports.

use super::error::Result;
use super::wire::{Input, put_bytes, put_number};
use crate::domain::{Note, NoteKind};

/// Packs texts one behind the other.
pub(super) fn pack_texts(texts: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    put_number(&mut out, texts.len() as u64);
    for text in texts {
        put_bytes(&mut out, text.as_bytes());
    }
    out
}

/// Reads what `pack_texts` made.
pub(super) fn read_texts(bytes: &[u8]) -> Result<Vec<String>> {
    let mut input = Input { rest: bytes };
    let count = input.number()?;
    let mut texts = Vec::new();
    for _ in 0..count {
        texts.push(input.text()?.to_owned());
    }
    Ok(texts)
}

/// Packs a remark.
pub(super) fn pack_note(note: &Note) -> Vec<u8> {
    let mut out = vec![note.kind as u8];
    for number in [note.start, note.end, note.line] {
        put_number(&mut out, number);
    }
    for text in [&note.entry, &note.raw, &note.reason] {
        put_bytes(&mut out, text.as_bytes());
    }
    out
}

/// Reads what `pack_note` made.
pub(super) fn read_note(bytes: &[u8]) -> Result<Note> {
    let mut input = Input { rest: bytes };
    let kind = NoteKind::from_number(input.byte()?);
    let (start, end, line) = (input.number()?, input.number()?, input.number()?);
    let mut text = || input.text().map(str::to_owned);
    Ok(Note {
        kind,
        start,
        end,
        line,
        entry: text()?,
        raw: text()?,
        reason: text()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_reads_back() {
        let note = Note {
            kind: NoteKind::Rejected,
            entry: "_chat.txt".to_owned(),
            start: 7,
            end: 300,
            line: 4,
            raw: "31/31/24".to_owned(),
            reason: "no such day".to_owned(),
        };
        assert_eq!(read_note(&pack_note(&note)).unwrap(), note);
        assert_eq!(read_texts(&pack_texts(&["a", ""])).unwrap(), ["a", ""]);
    }
}
