//! Where the author ends and the words begin.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::system;
use crate::ingest::printed::is_mark;

/// No name of an author is longer; bytes. The apps allow 25 letters for a push name and 100 for a
/// group.
const AUTHOR_BYTES_MAX: usize = 640;
/// Most different names one file is believed to have.
const AUTHORS_MAX: usize = 65_536;

/// The names a file puts before the first colon, with how often.
#[derive(Debug, Default)]
pub struct Authors {
    counts: BTreeMap<Box<[u8]>, u64>,
    last: Vec<u8>,
    last_count: u64,
}

/// What follows a header: an author and where the words start, or a notice without one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Length of the author's name.
    pub author: usize,
    /// Offset of the body.
    pub body: usize,
}

impl Authors {
    /// Counts the name before the first colon of what follows a header.
    pub fn learn(&mut self, rest: &[u8]) {
        let Some(split) = separators(rest).next() else {
            return;
        };
        let name = &rest[..split.author];
        if name == self.last.as_slice() {
            self.last_count += 1;
            return;
        }
        self.settle();
        self.last.clear();
        self.last.extend_from_slice(name);
        self.last_count = 1;
    }

    /// Writes down the name counted last; call once after the file.
    pub fn settle(&mut self) {
        if self.last_count == 0 {
            return;
        }
        if let Some(count) = self.counts.get_mut(self.last.as_slice()) {
            *count += self.last_count;
        } else if self.counts.len() < AUTHORS_MAX {
            self.counts
                .insert(self.last.as_slice().into(), self.last_count);
        }
        self.last_count = 0;
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether a name was met at least `times` times.
    pub fn met(&self, name: &[u8], times: u64) -> bool {
        self.counts.get(name).is_some_and(|count| *count >= times)
    }

    /// Splits what follows a header: at the earliest name met before, else at the first colon.
    pub fn split(&self, rest: &[u8]) -> Option<Split> {
        let mut all = separators(rest);
        let first = all.next();
        if let Some(first) = first {
            if self.met(&rest[..first.author], 2) {
                return Some(first);
            }
            let later = all.find(|split| self.met(&rest[..split.author], 2));
            if later.is_some() {
                return later;
            }
            let before = String::from_utf8_lossy(&rest[..first.author]);
            return (!system::opens_notice(&before)).then_some(first);
        }
        // `John Doe:.` has no blank behind its colon; a known name is needed to believe it.
        let colon = memchr::memchr(b':', &rest[..rest.len().min(AUTHOR_BYTES_MAX)])?;
        self.met(&rest[..colon], 1).then_some(Split {
            author: colon,
            body: colon + 1,
        })
    }
}

/// Every place where a name could end, the first first.
fn separators(rest: &[u8]) -> impl Iterator<Item = Split> {
    let window = &rest[..rest.len().min(AUTHOR_BYTES_MAX)];
    let window = &window[..memchr::memchr2(b'\n', b'\r', window).unwrap_or(window.len())];
    memchr::memchr_iter(b':', window).filter_map(move |colon| {
        let blank = match rest[colon + 1..] {
            [b' ', ..] => 1,
            [0xC2, 0xA0, ..] => 2,
            // A mark of direction takes the place of the blank but belongs to the words.
            [0xE2, 0x80, 0x8E, ..] => 0,
            _ => return None,
        };
        (colon > 0).then_some(Split {
            author: colon,
            body: colon + 1 + blank,
        })
    })
}

/// The author's name without the marks of direction around it.
pub fn label(author: &str) -> &str {
    author.trim_matches(is_mark)
}

/// The number in international form, if the label is one; otherwise `None`.
pub fn phone(label: &str) -> Option<Cow<'_, str>> {
    /// Digits of the shortest and longest number (ITU-T E.164 allows 15).
    const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;
    let digits = label.strip_prefix('+')?;
    let mut number = String::with_capacity(16);
    number.push('+');
    for letter in digits.chars() {
        match letter {
            '0'..='9' => number.push(letter),
            ' ' | '\u{A0}' | '\u{202F}' | '-' | '\u{2011}' | '(' | ')' | '.' => {}
            letter if is_mark(letter) => {}
            _ => return None,
        }
    }
    DIGITS
        .contains(&(number.len() - 1))
        .then_some(Cow::Owned(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'a>(known: &[&str], rest: &'a str) -> Option<(&'a str, &'a str)> {
        let mut authors = Authors::default();
        for name in known {
            for _ in 0..2 {
                authors.learn(format!("{name}: x").as_bytes());
            }
        }
        authors.settle();
        let split = authors.split(rest.as_bytes())?;
        Some((&rest[..split.author], &rest[split.body..]))
    }

    #[test]
    fn the_earliest_known_name_ends_before_its_colon() {
        assert_eq!(split(&[], "Ana: hi: there"), Some(("Ana", "hi: there")));
        assert_eq!(split(&["Ana"], "Ana:."), Some(("Ana", ".")));
        assert_eq!(split(&[], "12:30 is fine"), None);
        assert_eq!(split(&[], "Ana:\u{200E}x"), Some(("Ana", "\u{200E}x")));
    }

    #[test]
    fn a_notice_with_a_colon_keeps_no_author() {
        assert_eq!(
            split(&["Ana"], "Ana changed the subject from \"x: y\" to \"z\""),
            None
        );
    }

    #[test]
    fn numbers_are_recognised_inside_marks() {
        assert_eq!(
            phone(label("\u{202A}+49 170 1234567\u{202C}")).as_deref(),
            Some("+491701234567")
        );
        assert_eq!(phone("+12\u{A0}345\u{A0}578").as_deref(), Some("+12345578"));
        assert_eq!(phone("+1 Ana"), None);
        assert_eq!(phone("Ana"), None);
    }
}
