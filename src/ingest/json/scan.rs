//! Finds the records of a JSON document: flat memory, every byte handed out once and in order.
//!
//! The scanner knows strings, lists and objects and nothing else: what stands inside a record is
//! checked by whoever reads it. So a damaged record costs itself, and the list goes on behind it.

use std::io::Read;

use crate::ingest::error::Result;

/// Bytes asked from the source at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// Frames are handed out in pieces of about this size; bytes.
const FRAME_BYTES: usize = 64 * 1024;
/// A record longer than this is handed out as [`Part::TooLong`] and a frame; bytes.
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A member longer than this is not handed out; bytes.
const MEMBER_BYTES_MAX: usize = 1024 * 1024;

/// One step from the root to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member of this name; names with escapes are kept as written.
    Key(String),
    /// The element of this number, from 0.
    Element(u64),
}

/// Which values are wanted, by paths of member names; `*` is any element of a list or any member.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Values that are records.
    pub records: &'static [&'static [&'static str]],
    /// Values outside of records that tell about them: the name of a chat.
    pub members: &'static [&'static [&'static str]],
}

/// What the scanner hands out, in the order of the document.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// Bytes that are no record.
    Frame {
        /// The bytes verbatim.
        raw: &'a [u8],
        /// Offset of the first.
        at: u64,
    },
    /// A record.
    Record {
        /// The bytes of the value verbatim.
        raw: &'a [u8],
        /// Offset of the first.
        at: u64,
        /// Where it stands.
        path: &'a [Step],
    },
    /// A value outside of records; its bytes come again in a frame.
    Member {
        /// The bytes of the value verbatim.
        raw: &'a [u8],
        /// Where it stands.
        path: &'a [Step],
    },
    /// The document ends inside a record: its bytes as far as they go, which come in no frame.
    Cut {
        /// The bytes verbatim.
        raw: &'a [u8],
        /// Offset of its first byte.
        at: u64,
    },
    /// A record is longer than [`RECORD_BYTES_MAX`]; its bytes were handed out as frames before.
    TooLong {
        /// How it begins.
        head: &'a [u8],
        /// Offset of its first byte.
        at: u64,
        /// One past its last byte.
        end: u64,
    },
}

/// How a document ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Whether it ends before its lists and objects do.
    pub cut: bool,
    /// Where it first is not JSON outside of a record.
    pub damaged: Option<u64>,
    /// Its length in bytes.
    pub bytes: u64,
}

/// Scans a document to its end.
///
/// # Errors
/// What the reader or `take` reports. A document that is not JSON is no error: it has frames.
pub fn scan(
    reader: &mut dyn Read,
    shape: &Shape,
    take: &mut dyn FnMut(Part<'_>) -> Result<()>,
) -> Result<Ending> {
    let mut scanner = Scanner {
        reader,
        chunk: vec![0; CHUNK_BYTES],
        next: 0,
        filled: 0,
        at: 0,
        ended: false,
        frame: Vec::new(),
        record: Vec::new(),
        lexer: Lexer::default(),
        path: Vec::new(),
        shape,
        take,
        ending: Ending::default(),
    };
    scanner.mark()?;
    while scanner.peek()?.is_some() {
        scanner.value()?;
    }
    scanner.flush()?;
    scanner.ending.bytes = scanner.at;
    Ok(scanner.ending)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Record,
    Member,
    Inside,
    Nothing,
}

/// How the bytes of a value ended.
enum Value {
    Whole,
    Cut,
    TooLong,
}

/// Where in a value the scanner stands.
#[derive(Clone, Copy, Debug, Default)]
struct Lexer {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Lexer {
    /// How many of these bytes belong to the value, and whether it ends with them.
    fn end_of(&mut self, bytes: &[u8]) -> (usize, bool) {
        for (place, byte) in bytes.iter().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_string = false;
                        if self.depth == 0 {
                            return (place + 1, true);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' if self.depth > 1 => self.depth -= 1,
                b'}' | b']' if self.depth == 1 => return (place + 1, true),
                // A bare word ends before what follows it.
                b'}' | b']' | b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' if self.depth == 0 => {
                    return (place, true);
                }
                _ => {}
            }
        }
        (bytes.len(), false)
    }
}

struct Scanner<'r> {
    reader: &'r mut dyn Read,
    chunk: Vec<u8>,
    next: usize,
    filled: usize,
    /// Offset of the next byte.
    at: u64,
    ended: bool,
    frame: Vec<u8>,
    record: Vec<u8>,
    lexer: Lexer,
    path: Vec<Step>,
    shape: &'r Shape,
    take: &'r mut dyn FnMut(Part<'_>) -> Result<()>,
    ending: Ending,
}

impl Scanner<'_> {
    fn fill(&mut self) -> Result<()> {
        while self.next == self.filled && !self.ended {
            self.next = 0;
            self.filled = match self.reader.read(&mut self.chunk) {
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.ended = self.filled == 0;
        }
        Ok(())
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        self.fill()?;
        Ok((self.next < self.filled).then(|| self.chunk[self.next]))
    }

    /// Takes the next byte into the frame.
    fn pass(&mut self) -> Result<()> {
        self.fill()?;
        if self.next < self.filled {
            self.frame.push(self.chunk[self.next]);
            self.next += 1;
            self.at += 1;
        }
        match self.frame.len() >= FRAME_BYTES {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Hands out the frame so far.
    fn flush(&mut self) -> Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let at = self.at - self.frame.len() as u64;
        let raw = std::mem::take(&mut self.frame);
        (self.take)(Part::Frame { raw: &raw, at })?;
        self.frame = raw;
        self.frame.clear();
        Ok(())
    }

    fn mark(&mut self) -> Result<()> {
        for byte in [0xEF, 0xBB, 0xBF] {
            if self.peek()? != Some(byte) {
                return Ok(());
            }
            self.pass()?;
        }
        Ok(())
    }

    fn damage(&mut self) {
        let at = self.at;
        self.ending.damaged.get_or_insert(at);
    }

    /// Passes blanks; gives the byte behind them.
    fn blanks(&mut self) -> Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.pass()?,
                byte => return Ok(byte),
            }
        }
    }

    fn want(&self) -> Want {
        let fits = |pattern: &&[&str], whole: bool| {
            let steps = self.path.iter().zip(pattern.iter());
            let long_enough = match whole {
                true => pattern.len() == self.path.len(),
                false => pattern.len() > self.path.len(),
            };
            long_enough
                && steps.into_iter().all(|(step, wanted)| match step {
                    _ if *wanted == "*" => true,
                    Step::Key(key) => key == wanted,
                    Step::Element(_) => false,
                })
        };
        let Shape { records, members } = self.shape;
        if records.iter().any(|pattern| fits(pattern, true)) {
            Want::Record
        } else if members.iter().any(|pattern| fits(pattern, true)) {
            Want::Member
        } else if records
            .iter()
            .chain(members.iter())
            .any(|pattern| fits(pattern, false))
        {
            Want::Inside
        } else {
            Want::Nothing
        }
    }

    /// One value with the blanks before it.
    fn value(&mut self) -> Result<()> {
        let Some(first) = self.blanks()? else {
            return Ok(());
        };
        // A record may be a whole document: what closes or parts nothing is none.
        let stray = self.path.is_empty() && matches!(first, b'}' | b']' | b',' | b':');
        match (self.want(), first) {
            (Want::Record, _) if !stray => self.record(),
            (Want::Member, _) => self.member(),
            (Want::Inside, b'{') => self.object(),
            (Want::Inside, b'[') => self.list(),
            (_, b'}' | b']' | b',' | b':') => {
                self.damage();
                self.pass()
            }
            _ => self.skip(),
        }
    }

    fn object(&mut self) -> Result<()> {
        self.pass()?;
        loop {
            match self.blanks()? {
                None => {
                    self.ending.cut = true;
                    return Ok(());
                }
                Some(b'}') => return self.pass(),
                Some(b',') => self.pass()?,
                Some(b'"') => {
                    let key = self.key()?;
                    match self.blanks()? {
                        Some(b':') => self.pass()?,
                        Some(_) => self.damage(),
                        None => {}
                    }
                    self.path.push(Step::Key(key));
                    self.value()?;
                    self.path.pop();
                }
                Some(_) => {
                    self.damage();
                    self.pass()?;
                }
            }
        }
    }

    fn list(&mut self) -> Result<()> {
        self.pass()?;
        let mut number = 0;
        loop {
            match self.blanks()? {
                None => {
                    self.ending.cut = true;
                    return Ok(());
                }
                Some(b']') => return self.pass(),
                Some(b',') => self.pass()?,
                Some(b'}' | b':') => {
                    self.damage();
                    self.pass()?;
                }
                Some(_) => {
                    self.path.push(Step::Element(number));
                    self.value()?;
                    self.path.pop();
                    number += 1;
                }
            }
        }
    }

    /// The name of a member, without its quotes.
    fn key(&mut self) -> Result<String> {
        let mut key = Vec::new();
        self.swallow(&mut key, MEMBER_BYTES_MAX)?;
        self.frame.extend_from_slice(&key);
        if self.frame.len() >= FRAME_BYTES {
            self.flush()?;
        }
        let text = String::from_utf8_lossy(&key);
        Ok(text.trim_matches('"').to_owned())
    }

    /// Passes a value, or the rest of one that was too long.
    fn skip(&mut self) -> Result<()> {
        loop {
            let mut frame = std::mem::take(&mut self.frame);
            let ended = self.swallow(&mut frame, FRAME_BYTES);
            self.frame = frame;
            match ended? {
                Value::TooLong => self.flush()?,
                Value::Cut => {
                    self.ending.cut = true;
                    return Ok(());
                }
                Value::Whole => return Ok(()),
            }
        }
    }

    /// Moves the bytes of a value, or of the rest of one, to `out` until it ends or `out` is as long as
    /// `limit`.
    fn swallow(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<Value> {
        loop {
            self.fill()?;
            if self.next == self.filled {
                let inside = self.lexer.depth > 0 || self.lexer.in_string;
                self.lexer = Lexer::default();
                return Ok(if inside { Value::Cut } else { Value::Whole });
            }
            let room = limit.saturating_sub(out.len()).max(1);
            let until = self.filled.min(self.next.saturating_add(room));
            let (count, ended) = self.lexer.end_of(&self.chunk[self.next..until]);
            out.extend_from_slice(&self.chunk[self.next..self.next + count]);
            self.next += count;
            self.at += count as u64;
            if ended {
                self.lexer = Lexer::default();
                return Ok(Value::Whole);
            }
            if out.len() >= limit {
                return Ok(Value::TooLong);
            }
        }
    }

    fn member(&mut self) -> Result<()> {
        let mut raw = std::mem::take(&mut self.record);
        raw.clear();
        let ended = self.swallow(&mut raw, MEMBER_BYTES_MAX)?;
        if matches!(ended, Value::Whole) {
            (self.take)(Part::Member {
                raw: &raw,
                path: &self.path,
            })?;
        }
        self.ending.cut |= matches!(ended, Value::Cut);
        self.frame.extend_from_slice(&raw);
        self.record = raw;
        if self.frame.len() >= FRAME_BYTES {
            self.flush()?;
        }
        match ended {
            Value::TooLong => self.skip(),
            _ => Ok(()),
        }
    }

    fn record(&mut self) -> Result<()> {
        self.flush()?;
        let at = self.at;
        let mut raw = std::mem::take(&mut self.record);
        raw.clear();
        let ended = self.swallow(&mut raw, RECORD_BYTES_MAX)?;
        match ended {
            Value::Whole => (self.take)(Part::Record {
                raw: &raw,
                at,
                path: &self.path,
            })?,
            Value::Cut => {
                self.ending.cut = true;
                (self.take)(Part::Cut { raw: &raw, at })?;
            }
            Value::TooLong => {
                (self.take)(Part::Frame { raw: &raw, at })?;
                self.skip()?;
                self.flush()?;
                let (head, end) = (&raw[..raw.len().min(FRAME_BYTES)], self.at);
                (self.take)(Part::TooLong { head, at, end })?;
            }
        }
        self.record = raw;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SHAPE: Shape = Shape {
        records: &[&["messages", "*"], &["chats", "list", "*", "messages", "*"]],
        members: &[&["name"], &["chats", "list", "*", "name"]],
    };

    /// What came out: records with their paths, members, and all bytes in order.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Found {
        records: Vec<(String, String)>,
        members: Vec<(String, String)>,
        bytes: Vec<u8>,
        cut: Vec<u64>,
        ending: Ending,
    }

    fn path_of(path: &[Step]) -> String {
        let words = path.iter().map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Element(number) => number.to_string(),
        });
        words.collect::<Vec<_>>().join("/")
    }

    /// Gives so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let count = self.1.min(self.0.len()).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn found(document: &[u8], step: usize) -> Found {
        let mut found = Found::default();
        let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        let ending = scan(&mut Drip(document, step), &SHAPE, &mut |part| {
            match part {
                Part::Frame { raw, at } => {
                    assert_eq!(at, found.bytes.len() as u64);
                    found.bytes.extend_from_slice(raw);
                }
                Part::Record { raw, at, path } => {
                    assert_eq!(at, found.bytes.len() as u64);
                    found.bytes.extend_from_slice(raw);
                    found.records.push((path_of(path), text(raw)));
                }
                Part::Member { raw, path } => found.members.push((path_of(path), text(raw))),
                Part::Cut { raw, at } => {
                    assert_eq!(at, found.bytes.len() as u64);
                    found.bytes.extend_from_slice(raw);
                    found.cut.push(at);
                }
                Part::TooLong { .. } => {}
            }
            Ok(())
        });
        found.ending = ending.expect("memory does not fail");
        found
    }

    #[test]
    fn records_and_members_are_found_by_their_paths() {
        let document = br#"{"about":"x","chats":{"list":[{"name":"A \"b","messages":[{"id":1},
            {"id":2,"messages":[9]}]},{"messages":[3],"name":null}]}}"#;
        let found = found(document, 7);
        let records: Vec<(&str, &str)> = found
            .records
            .iter()
            .map(|(path, raw)| (&path[..], &raw[..]))
            .collect();
        assert_eq!(
            records,
            [
                ("chats/list/0/messages/0", r#"{"id":1}"#),
                ("chats/list/0/messages/1", r#"{"id":2,"messages":[9]}"#),
                ("chats/list/1/messages/0", "3"),
            ]
        );
        assert_eq!(found.members[0].1, r#""A \"b""#);
        assert_eq!(
            found.members[1],
            ("chats/list/1/name".to_owned(), "null".to_owned())
        );
        assert_eq!(found.bytes, document);
        assert_eq!((found.ending.cut, found.ending.damaged), (false, None));
    }

    #[test]
    fn a_document_that_is_cut_gives_what_is_whole() {
        let document = br#"{"name":"A","messages":[{"id":1},{"id":2}, {"id":"#;
        let found = found(document, 5);
        assert_eq!(found.records.len(), 2);
        assert_eq!((found.cut, found.ending.cut), (vec![43], true));
        assert_eq!(found.bytes, document);
    }

    #[test]
    fn damage_outside_of_records_is_told_and_the_list_goes_on() {
        let document = br#"{"name" "A",,"messages":[{"id":1} ] } , {"messages":[2]}"#;
        let found = found(document, 64);
        assert_eq!(found.records.len(), 2);
        assert_eq!(found.ending.damaged, Some(8));
        assert_eq!(found.bytes, document);
    }

    proptest! {
        #[test]
        fn every_byte_comes_out_once_and_in_order_whatever_it_is(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"messages\"", "\"name\"", "\"", "\\", " ", "1",
                "\"chats\"", "\"list\"", "{\"id\":1}", "\u{feff}", "null",
            ]), 0..60),
            step in 1usize..50,
        ) {
            let document = pieces.concat().into_bytes();
            let dripped = found(&document, step);
            prop_assert_eq!(&dripped.bytes, &document);
            prop_assert_eq!(dripped.ending.bytes, document.len() as u64);
            prop_assert_eq!(found(&document, usize::MAX), dripped);
        }
    }
}
