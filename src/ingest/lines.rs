//! Text as physical lines: chunked, flat in memory, with every byte accounted for.
//!
//! CR, LF and CRLF each end a line. A mark of byte order at the start is a frame and sets the
//! encoding; without one the text is taken as UTF-8 and its faults are the reader's to note.

use std::io::{self, Read};

/// Bytes asked from the source at a time.
const CHUNK_BYTES: usize = 256 * 1024;
/// A physical line longer than this is handed out in pieces of this size.
pub const LINE_PIECE_BYTES: usize = 16 * 1024 * 1024;

/// How the bytes of a text become letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, or ASCII.
    Utf8,
    /// UTF-16, low byte first.
    Utf16Le,
    /// UTF-16, high byte first.
    Utf16Be,
}

impl Encoding {
    /// The encoding a mark of byte order at the start announces, and the length of the mark.
    pub fn of_mark(head: &[u8]) -> (Encoding, usize) {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => (Encoding::Utf8, 3),
            [0xFF, 0xFE, ..] => (Encoding::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Encoding::Utf16Be, 2),
            _ => (Encoding::Utf8, 0),
        }
    }

    /// The letters of `raw` into `text`, which is cleared first; lone surrogates become U+FFFD.
    fn decode(self, raw: &[u8], text: &mut Vec<u8>) {
        text.clear();
        let units = raw.chunks_exact(2).map(|pair| match self {
            Encoding::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
            _ => u16::from_le_bytes([pair[0], pair[1]]),
        });
        let mut utf8 = [0u8; 4];
        for letter in char::decode_utf16(units) {
            let letter = letter.unwrap_or(char::REPLACEMENT_CHARACTER);
            text.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
        }
        if raw.len() % 2 == 1 {
            text.extend_from_slice("\u{FFFD}".as_bytes());
        }
    }
}

/// One physical line, or a piece of one.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The bytes in the file, with the line end.
    pub raw: &'a [u8],
    /// The letters as UTF-8 (not yet checked), with the line end.
    pub text: &'a [u8],
    /// Length of the line end within `text`: 0, 1 or 2.
    pub end_len: usize,
    /// Offset of `raw` in the file.
    pub offset: u64,
    /// Whether the line goes on from the piece before.
    pub continues: bool,
    /// Whether the line goes on in the piece after.
    pub goes_on: bool,
}

impl<'a> Line<'a> {
    /// The letters without the line end.
    pub fn content(&self) -> &'a [u8] {
        &self.text[..self.text.len() - self.end_len]
    }
}

/// Reads lines from any reader.
pub struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    start: usize,
    filled: usize,
    offset: u64,
    ended: bool,
    inside: bool,
    encoding: Encoding,
    mark: Vec<u8>,
    decoded: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// A reader of lines; reads the first chunk to find the encoding.
    ///
    /// # Errors
    /// What the reader reports.
    pub fn new(reader: R) -> io::Result<Self> {
        let mut lines = Self {
            reader,
            buffer: vec![0; CHUNK_BYTES],
            start: 0,
            filled: 0,
            offset: 0,
            ended: false,
            inside: false,
            encoding: Encoding::Utf8,
            mark: Vec::new(),
            decoded: Vec::new(),
        };
        while lines.filled < 3 && !lines.ended {
            lines.fill()?;
        }
        let (encoding, mark_len) = Encoding::of_mark(&lines.buffer[..lines.filled]);
        lines.encoding = encoding;
        lines.mark = lines.buffer[..mark_len].to_vec();
        lines.start = mark_len;
        lines.offset = mark_len as u64;
        Ok(lines)
    }

    /// The mark of byte order at the start, verbatim; empty without one.
    pub fn mark(&self) -> &[u8] {
        &self.mark
    }

    /// The encoding in use.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The next line, or `None` after the last. A final line without a line end counts.
    ///
    /// # Errors
    /// What the reader reports.
    pub fn next(&mut self) -> io::Result<Option<Line<'_>>> {
        let mut searched = 0;
        let (raw_len, end_bytes) = loop {
            match self.find_end(searched) {
                Some(found) => break found,
                None if self.ended => break (self.filled - self.start, 0),
                None if self.filled - self.start >= LINE_PIECE_BYTES => {
                    return Ok(Some(self.take(self.piece_len(), 0, true)));
                }
                None => {
                    // One unit is searched again: a CR at the very end may be half of a CRLF.
                    searched = (self.filled - self.start).saturating_sub(4) & !1;
                    self.fill()?;
                }
            }
        };
        if raw_len == 0 {
            return Ok(None);
        }
        Ok(Some(self.take(raw_len, end_bytes, false)))
    }

    /// Length of a piece that cuts no letter of UTF-8 in two.
    fn piece_len(&self) -> usize {
        let goes_on = |at: usize| self.buffer[self.start + at] & 0xC0 == 0x80;
        let end = (LINE_PIECE_BYTES - 3..LINE_PIECE_BYTES)
            .rev()
            .find(|at| self.encoding == Encoding::Utf8 && !goes_on(*at));
        end.unwrap_or(LINE_PIECE_BYTES)
    }

    /// Cuts `raw_len` bytes off the front of the buffer.
    fn take(&mut self, raw_len: usize, end_bytes: usize, goes_on: bool) -> Line<'_> {
        let range = self.start..self.start + raw_len;
        let offset = self.offset;
        let continues = self.inside;
        self.inside = goes_on;
        self.start += raw_len;
        self.offset += raw_len as u64;
        let raw = &self.buffer[range];
        if self.encoding == Encoding::Utf8 {
            Line {
                raw,
                text: raw,
                end_len: end_bytes,
                offset,
                continues,
                goes_on,
            }
        } else {
            self.encoding.decode(raw, &mut self.decoded);
            Line {
                raw,
                text: &self.decoded,
                end_len: end_bytes / 2,
                offset,
                continues,
                goes_on,
            }
        }
    }

    /// Length of the first line in the buffer with its end, and the bytes of the end; `None` when
    /// the end is not in the buffer yet. Nothing before `searched` is looked at again.
    fn find_end(&self, searched: usize) -> Option<(usize, usize)> {
        let bytes = &self.buffer[self.start..self.filled];
        if self.encoding == Encoding::Utf8 {
            let at = searched + memchr::memchr2(b'\n', b'\r', bytes.get(searched..)?)?;
            return match (bytes[at], bytes.get(at + 1)) {
                (b'\r', Some(b'\n')) => Some((at + 2, 2)),
                (b'\r', None) if !self.ended => None,
                _ => Some((at + 1, 1)),
            };
        }
        let unit = |at: usize| -> Option<u16> {
            let pair = bytes.get(at..at + 2)?;
            Some(match self.encoding {
                Encoding::Utf16Be => u16::from_be_bytes([pair[0], pair[1]]),
                _ => u16::from_le_bytes([pair[0], pair[1]]),
            })
        };
        let mut at = searched;
        loop {
            match unit(at)? {
                0x0A => return Some((at + 2, 2)),
                0x0D => {
                    return match unit(at + 2) {
                        Some(0x0A) => Some((at + 4, 4)),
                        None if !self.ended => None,
                        _ => Some((at + 2, 2)),
                    };
                }
                _ => at += 2,
            }
        }
    }

    /// Reads one more chunk, moving what is left to the front.
    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.filled, 0);
            self.filled -= self.start;
            self.start = 0;
        }
        if self.buffer.len() - self.filled < CHUNK_BYTES / 2 {
            self.buffer.resize(self.buffer.len() + CHUNK_BYTES, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(0) => self.ended = true,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Hands out one byte a read, so that every boundary is met.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else {
                return Ok(0);
            };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    fn contents(bytes: &[u8]) -> Vec<String> {
        let mut lines = Lines::new(Trickle(bytes)).unwrap();
        let mut all = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            all.push(String::from_utf8_lossy(line.content()).into_owned());
        }
        all
    }

    #[test]
    fn cr_lf_and_crlf_each_end_a_line() {
        assert_eq!(
            contents(b"a\nb\r\nc\rd\n\ne"),
            ["a", "b", "c", "d", "", "e"]
        );
        assert_eq!(contents(b"a\r"), ["a"]);
    }

    #[test]
    fn utf16_is_decoded_in_both_orders() {
        let text = "12:00 ж😀\r\nb\n";
        for big in [false, true] {
            let mut bytes = if big {
                vec![0xFE, 0xFF]
            } else {
                vec![0xFF, 0xFE]
            };
            for unit in text.encode_utf16() {
                bytes.extend(if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                });
            }
            assert_eq!(contents(&bytes), ["12:00 ж😀", "b"]);
        }
    }

    #[test]
    fn a_huge_line_comes_in_pieces() {
        let bytes = "é".repeat(LINE_PIECE_BYTES / 2 + 5);
        let bytes = [b"x", bytes.as_bytes()].concat();
        let mut lines = Lines::new(&bytes[..]).unwrap();
        let piece = lines.next().unwrap().unwrap();
        assert!(piece.goes_on && std::str::from_utf8(piece.text).is_ok());
        assert_eq!(piece.raw.len(), LINE_PIECE_BYTES - 1);
        let rest = lines.next().unwrap().unwrap();
        assert!(rest.continues && !rest.goes_on);
        assert_eq!(rest.raw.len(), 12);
    }

    proptest! {
        #[test]
        fn lines_put_together_are_the_file(bytes in proptest::collection::vec(prop_oneof![
            Just(b'\r'), Just(b'\n'), Just(0u8), Just(0xFFu8), Just(0xFEu8), any::<u8>()], 0..200)) {
            let mut lines = Lines::new(Trickle(&bytes)).unwrap();
            let mut again = lines.mark().to_vec();
            while let Some(line) = lines.next().unwrap() {
                prop_assert_eq!(line.offset, again.len() as u64);
                again.extend_from_slice(line.raw);
            }
            prop_assert_eq!(again, bytes);
        }
    }
}
