//! Reads the header of a line: date, time, and where the words begin. Never looks at the words.
//!
//! Lines in plain ASCII, and lines whose only other letters are blanks and day words, are read in
//! place. Everything else (marks of direction inside the date, digits of other scripts, odd
//! commas) is first brought to a normal form: the header's span only, never the body.

use unicode_normalization::UnicodeNormalization;

use super::shapes::{
    Clock, DAY_WORDS, DateMark, DayPart, Enclosure, Glue, Shape, TimeMark, YearPlace,
};

/// No header of the closed table is longer than this, marks included; bytes.
const HEADER_BYTES_MAX: usize = 160;

/// A line's header, read but not yet understood: which part is the day is decided per file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The style.
    pub shape: Shape,
    /// The numbers of the date in printed order.
    pub parts: [u16; 3],
    /// Time of day in seconds, the half of the day applied.
    pub second_of_day: u32,
    /// Offset in the line of what follows the header.
    pub rest: usize,
}

/// Reads headers; holds the buffers of the slow path.
#[derive(Debug, Default)]
pub struct HeaderReader {
    normal: Vec<u8>,
    origin: Vec<u16>,
}

impl HeaderReader {
    /// The header of a line (without its line end), or `None`.
    pub fn read(&mut self, line: &[u8]) -> Option<Header> {
        let skipped = skip_marks(line);
        if !may_open(&line[skipped..]) {
            return None;
        }
        let direct = Scanner::new(&line[skipped..]).header();
        if let Some(mut header) = direct {
            header.rest += skipped;
            return Some(header);
        }
        let window = &line[..line.len().min(HEADER_BYTES_MAX)];
        if window.is_ascii() {
            return None;
        }
        self.read_normalised(window)
    }

    /// The slow path: the same grammar over the normal form of the line's beginning.
    fn read_normalised(&mut self, window: &[u8]) -> Option<Header> {
        let valid = match std::str::from_utf8(window) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).ok()?,
        };
        self.normal.clear();
        self.origin.clear();
        let mut native_digits = false;
        for (at, letter) in valid.char_indices() {
            if is_mark(letter) {
                continue;
            }
            if let Some(digit) = native_digit(letter) {
                native_digits = true;
                self.push(at, digit);
            } else if is_blank(letter) {
                self.push(at, ' ');
            } else if letter == '\u{60C}' {
                self.push(at, ',');
            } else {
                for normal in std::iter::once(letter).nfkc().flat_map(char::to_lowercase) {
                    self.push(at, normal);
                }
            }
        }
        self.origin.push(u16::try_from(valid.len()).ok()?);
        let mut header = Scanner::new(&self.normal).header()?;
        header.shape.native_digits = native_digits && self.header_is_native(header.rest, valid);
        // Marks behind the header belong to what follows it.
        let last = usize::from(*self.origin.get(header.rest.checked_sub(1)?)?);
        header.rest = last + valid[last..].chars().next().map_or(0, char::len_utf8);
        Some(header)
    }

    fn push(&mut self, at: usize, letter: char) {
        let mut utf8 = [0u8; 4];
        for byte in letter.encode_utf8(&mut utf8).bytes() {
            self.normal.push(byte);
            // The window is shorter than 2^16 bytes.
            self.origin.push(at as u16);
        }
    }

    /// Whether digits of another script stand in the header itself, not just after it.
    fn header_is_native(&self, rest: usize, text: &str) -> bool {
        let end = self
            .origin
            .get(rest)
            .map_or(text.len(), |at| usize::from(*at));
        text[..end]
            .chars()
            .any(|letter| native_digit(letter).is_some())
    }
}

/// Marks of direction and joining, which may stand anywhere in a header.
pub fn is_mark(letter: char) -> bool {
    matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'
        | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{61C}')
}

/// Blanks that take the place of U+0020 in a header.
fn is_blank(letter: char) -> bool {
    matches!(
        letter,
        ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}' | '\u{3000}'
    )
}

/// The ASCII digit of a decimal digit of another script (Unicode general category Nd).
fn native_digit(letter: char) -> Option<char> {
    const ZEROS: [u32; 40] = [
        0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6,
        0xE50, 0xED0, 0xF20, 0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90,
        0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0, 0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0,
        0xFF10, 0x104A0, 0x11136, 0x1E2F0, 0x1E950,
    ];
    let code = letter as u32;
    if code < 0x660 {
        return None;
    }
    let place = ZEROS.partition_point(|zero| *zero <= code).checked_sub(1)?;
    char::from_digit(code - ZEROS[place], 10)
}

/// Length of the marks a line begins with.
pub fn skip_marks(line: &[u8]) -> usize {
    let mut at = 0;
    while at < line.len() && line[at] >= 0x80 {
        match line[at..] {
            [0xE2, 0x80, 0x8B..=0x8F | 0xAA..=0xAE, ..] => at += 3,
            [0xE2, 0x81, 0xA0 | 0xA6..=0xA9, ..] | [0xEF, 0xBB, 0xBF, ..] => at += 3,
            [0xD8, 0x9C, ..] => at += 2,
            _ => break,
        }
    }
    at
}

/// Whether a line may open a message, by its first byte: a bracket, a digit, or a letter that may
/// be a digit of another script.
fn may_open(line: &[u8]) -> bool {
    matches!(
        line.first(),
        Some(b'[' | b'0'..=b'9' | 0xD9 | 0xDB | 0xDF..=0xE1 | 0xEA | 0xEF | 0xF0)
    )
}

/// Reads the grammar from a normalised or plain beginning of a line.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// A time of day as printed.
struct Time {
    mark: TimeMark,
    seconds: bool,
    clock: Clock,
    second_of_day: u32,
}

/// A date as printed.
struct Date {
    mark: DateMark,
    year: YearPlace,
    tail: bool,
    parts: [u16; 3],
}

impl<'a> Scanner<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn header(mut self) -> Option<Header> {
        let bracket = self.eat(b"[");
        if bracket {
            self.at += skip_marks(&self.bytes[self.at..]);
        }
        let start = self.at;
        let (date, glue, time) = match self.date_first() {
            Some(found) => found,
            None => {
                self.at = start;
                self.time_first()?
            }
        };
        let enclosure = self.enclosure(bracket, time.seconds)?;
        Some(Header {
            shape: Shape {
                enclosure,
                date_mark: date.mark,
                year: date.year,
                date_tail: date.tail,
                glue,
                time_mark: time.mark,
                seconds: time.seconds,
                clock: time.clock,
                native_digits: false,
            },
            parts: date.parts,
            second_of_day: time.second_of_day,
            rest: self.at,
        })
    }

    fn date_first(&mut self) -> Option<(Date, Glue, Time)> {
        let date = self.date()?;
        let glue = self.glue()?;
        let time = self.time()?;
        if glue == Glue::Round && !self.eat(b")") {
            return None;
        }
        Some((date, glue, time))
    }

    fn time_first(&mut self) -> Option<(Date, Glue, Time)> {
        let time = self.time()?;
        self.eat(b",");
        if !self.blank() {
            return None;
        }
        let date = self.date()?;
        Some((date, Glue::TimeFirst, time))
    }

    fn date(&mut self) -> Option<Date> {
        let (first, first_len) = self.number(4)?;
        let mark = match self.peek()? {
            b'/' => DateMark::Slash,
            b'-' => DateMark::Hyphen,
            b'.' => DateMark::Dot,
            _ => return None,
        };
        self.at += 1;
        let mark = if mark == DateMark::Dot && self.blank() {
            DateMark::DotSpace
        } else {
            mark
        };
        let (second, second_len) = self.number(2)?;
        if !self.eat(&mark.text().as_bytes()[..1]) || mark == DateMark::DotSpace && !self.blank() {
            return None;
        }
        let (third, third_len) = self.number(4)?;
        let year = match (first_len, second_len, third_len) {
            (4, 1 | 2, 1 | 2) => YearPlace::First,
            (1 | 2, 1 | 2, 4) => YearPlace::Last,
            (1 | 2, 1 | 2, 1 | 2) => YearPlace::Unsaid,
            _ => return None,
        };
        Some(Date {
            mark,
            year,
            tail: self.date_tail(mark),
            parts: [first, second, third],
        })
    }

    /// A point after the date, or the Bulgarian letters for "year".
    fn date_tail(&mut self, mark: DateMark) -> bool {
        if !matches!(mark, DateMark::Dot | DateMark::DotSpace) {
            return false;
        }
        let start = self.at;
        self.blank();
        if self.eat("г.".as_bytes()) {
            return true;
        }
        self.at = start;
        self.eat(b".")
    }

    fn glue(&mut self) -> Option<Glue> {
        if self.eat(b",") {
            return self.blank().then_some(Glue::Comma);
        }
        if !self.blank() {
            return None;
        }
        if self.eat(b"klo ") {
            return Some(Glue::Klo);
        }
        if self.eat(b"(") {
            return Some(Glue::Round);
        }
        Some(Glue::Space)
    }

    fn time(&mut self) -> Option<Time> {
        let before = self.day_word();
        if before.is_some() {
            self.blank();
        }
        let (hour, _) = self.number(2)?;
        let mark = self.time_mark()?;
        let (minute, minute_len) = self.number(2)?;
        let second = self.second(mark)?;
        if hour > 23 || minute > 59 || minute_len != 2 || second.unwrap_or(0) > 59 {
            return None;
        }
        let after = match before {
            Some(_) => None,
            None => self.day_word_after(),
        };
        let hour = hour as u8;
        let hour = before.or(after).map_or(hour, |part| part.hour(hour));
        Some(Time {
            mark,
            seconds: second.is_some(),
            clock: match (before, after) {
                (Some(_), _) => Clock::WordBefore,
                (_, Some(_)) => Clock::WordAfter,
                _ => Clock::Full,
            },
            second_of_day: u32::from(hour) * 3_600
                + u32::from(minute) * 60
                + u32::from(second.unwrap_or(0)),
        })
    }

    fn time_mark(&mut self) -> Option<TimeMark> {
        if self.eat(b":") {
            Some(TimeMark::Colon)
        } else if self.eat(b".") {
            Some(TimeMark::Dot)
        } else if self.blank() && self.eat(b"h") && self.blank() {
            Some(TimeMark::Letters)
        } else {
            None
        }
    }

    /// The seconds, if they follow; `None` when something follows that is no time.
    fn second(&mut self, mark: TimeMark) -> Option<Option<u16>> {
        let start = self.at;
        let follows = match mark {
            TimeMark::Colon => self.eat(b":"),
            TimeMark::Dot => self.eat(b"."),
            TimeMark::Letters => self.blank() && self.eat(b"min") && self.blank(),
        };
        if !follows {
            self.at = start;
            return Some(None);
        }
        let (second, length) = self.number(2)?;
        if length != 2 || mark == TimeMark::Letters && !(self.blank() && self.eat(b"s")) {
            return None;
        }
        Some(Some(second))
    }

    /// A day word behind the time, with any blank, an underscore (seen in a published sample) or
    /// nothing between.
    fn day_word_after(&mut self) -> Option<DayPart> {
        let start = self.at;
        if !self.blank() {
            self.eat(b"_");
        }
        let word = self.day_word();
        if word.is_none() {
            self.at = start;
        }
        word
    }

    fn day_word(&mut self) -> Option<DayPart> {
        let first = self.peek()?;
        if first.is_ascii_digit() || matches!(first, b'-' | b']' | b')' | b':') {
            return None;
        }
        let start = self.at;
        for (word, part) in DAY_WORDS {
            self.at = start;
            // Names begin like day words: Sara, Chris, Amir.
            if self.eat_word(word) && !self.is_in_a_word(word) {
                return Some(*part);
            }
        }
        self.at = start;
        None
    }

    /// Whether the letters of a Latin day word go on behind it.
    fn is_in_a_word(&self, word: &str) -> bool {
        let latin = word.ends_with(|letter: char| letter.is_ascii_alphabetic());
        latin
            && self
                .peek()
                .is_some_and(|byte| byte.is_ascii_alphabetic() || byte >= 0x80)
    }

    /// A word of the table, case-blind, its blanks of any kind.
    fn eat_word(&mut self, word: &str) -> bool {
        word.bytes().all(|wanted| {
            if wanted == b' ' {
                return self.blank();
            }
            let met = self
                .peek()
                .is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted));
            self.at += usize::from(met);
            met
        })
    }

    fn enclosure(&mut self, bracket: bool, seconds: bool) -> Option<Enclosure> {
        if bracket {
            return (self.eat(b"]") && self.blank()).then_some(Enclosure::Bracket);
        }
        if self.eat(b":") {
            return (seconds && self.blank()).then_some(Enclosure::Colon);
        }
        if !self.blank() {
            return None;
        }
        if self.eat(b"-") {
            return self.blank().then_some(Enclosure::Dash);
        }
        seconds.then_some(Enclosure::Bare)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn eat(&mut self, wanted: &[u8]) -> bool {
        let met = self.bytes[self.at..].starts_with(wanted);
        if met {
            self.at += wanted.len();
        }
        met
    }

    /// One blank of any kind.
    fn blank(&mut self) -> bool {
        let length = match self.bytes[self.at..] {
            [b' ', ..] => 1,
            [0xC2, 0xA0, ..] => 2,
            [0xE2, 0x80, 0xAF | 0x89, ..] | [0xE3, 0x80, 0x80, ..] => 3,
            _ => return false,
        };
        self.at += length;
        true
    }

    /// A number of at most `digits_max` digits and its length.
    fn number(&mut self, digits_max: usize) -> Option<(u16, usize)> {
        let mut value = 0;
        let mut length = 0;
        while let Some(byte) = self.peek().filter(u8::is_ascii_digit) {
            if length == digits_max {
                return None;
            }
            value = value * 10 + u16::from(byte - b'0');
            length += 1;
            self.at += 1;
        }
        (length > 0).then_some((value, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, parts: [u16; 3], time: (u32, u32, u32), rest: &str) {
        let header = HeaderReader::default()
            .read(line.as_bytes())
            .unwrap_or_else(|| panic!("no header in {line}"));
        assert_eq!(header.parts, parts, "{line}");
        let second = time.0 * 3_600 + time.1 * 60 + time.2;
        assert_eq!(header.second_of_day, second, "{line}");
        assert_eq!(&line[header.rest..], rest, "{line}");
    }

    #[test]
    fn every_family_of_header_is_read() {
        check("12/03/24, 10:15 - A: b", [12, 3, 24], (10, 15, 0), "A: b");
        check(
            "[8/15/23, 9:12:33 PM] A: b",
            [8, 15, 23],
            (21, 12, 33),
            "A: b",
        );
        check(
            "\u{200E}[\u{FEFF}8/15/23, 9:12:33\u{202F}AM] A: b",
            [8, 15, 23],
            (9, 12, 33),
            "A: b",
        );
        check(
            "01/20/2019, 08:49 p. m. - J: x",
            [1, 20, 2019],
            (20, 49, 0),
            "J: x",
        );
        check(
            "01/20/2019, 08:49 p.\u{A0}m. - J: x",
            [1, 20, 2019],
            (20, 49, 0),
            "J: x",
        );
        check("13.06.18 21.25.15: a: m", [13, 6, 18], (21, 25, 15), "a: m");
        check(
            "13. 6. 2018. 21:25:15 a: m",
            [13, 6, 2018],
            (21, 25, 15),
            "a: m",
        );
        check("2.1.2024 klo 9.05 - a: m", [2, 1, 2024], (9, 5, 0), "a: m");
        check(
            "2.01.24\u{202F}г., 9:05 - a: m",
            [2, 1, 24],
            (9, 5, 0),
            "a: m",
        );
        check(
            "2024-01-02 14 h 05 - a: m",
            [2024, 1, 2],
            (14, 5, 0),
            "a: m",
        );
        check(
            "[2024-01-02 14 h 05 min 09 s] a: m",
            [2024, 1, 2],
            (14, 5, 9),
            "a: m",
        );
        check("24/1/2 (09:05) - a: m", [24, 1, 2], (9, 5, 0), "a: m");
        check("09:05 2/1/24 - a: m", [2, 1, 24], (9, 5, 0), "a: m");
        check("24. 1. 2. 오후 3:05 - a: m", [24, 1, 2], (15, 5, 0), "a: m");
        check("2/1/2024 下午3:05 - a: m", [2, 1, 2024], (15, 5, 0), "a: m");
        check(
            "[2024/1/2 晚上12:05:01] a: m",
            [2024, 1, 2],
            (0, 5, 1),
            "a: m",
        );
    }

    #[test]
    fn digits_and_marks_of_other_scripts_are_read() {
        let arabic = "٢\u{200F}/١\u{200F}/٢٠٢٤، ٣:٠٥ م - أ: ب";
        check(arabic, [2, 1, 2024], (15, 5, 0), "أ: ب");
        let header = HeaderReader::default().read(arabic.as_bytes()).unwrap();
        assert!(header.shape.native_digits);
        check(
            "۲۰۲۴/۱/۲،\u{200F} ۹:۰۵ - آ: ب",
            [2024, 1, 2],
            (9, 5, 0),
            "آ: ب",
        );
        check(
            "[2\u{200F}/1\u{200F}/2024، 3:05:09 ص] \u{200E}x: ٣",
            [2, 1, 2024],
            (3, 5, 9),
            "\u{200E}x: ٣",
        );
    }

    #[test]
    fn what_only_resembles_a_header_is_none() {
        for line in [
            "",
            "[",
            "1",
            "12/03/24",
            "12/03/24, 10:15",
            "12/03/24, 10:15 A: b",
            "1/2, 10:15 - A: b",
            "2016-04-29 10:30:00",
            "12/03/24, 10:60 - A",
            "12/03/24, 24:00 - A",
            "12/03/240, 10:15 - A",
            "12/03.24, 10:15 - A: b",
            "12/03/24, 10:15am- A",
            "[12/03/24, 10:15]A",
            "hello - A: b",
        ] {
            assert_eq!(
                HeaderReader::default().read(line.as_bytes()),
                None,
                "{line}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn reading_never_panics(line in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut reader = HeaderReader::default();
            if let Some(header) = reader.read(&line) {
                assert!(header.rest <= line.len());
            }
        }

        #[test]
        fn digits_of_any_script_never_panic(line in "[\\[0-9٠-٩۰-۹/.,، :\u{200F}\u{202F}amp\\]-]{0,60}") {
            if let Some(header) = HeaderReader::default().read(line.as_bytes()) {
                assert!(line.is_char_boundary(header.rest));
            }
        }
    }
}
