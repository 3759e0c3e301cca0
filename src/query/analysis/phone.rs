//! Phone numbers written in groups: the digits as one term, with and without `+`.

use super::compound::{Atom, PHONE_DIGITS};
use super::emit::Unit;
use super::scan::Scan;
use super::scripts::{Role, role};
use super::term::TermKind;

/// The digits of a number written without `+` in groups between blanks. Fewer are a date or an
/// amount more often than a phone.
const NATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 9..=12;

/// The digits of a number with an area code in brackets.
const BRACKETED_DIGITS: std::ops::RangeInclusive<usize> = 7..=13;

/// The digits of one group of a number without `+`.
const GROUP_DIGITS: std::ops::RangeInclusive<usize> = 2..=5;

/// The fewest digits that are a phone by themselves when the groups after them may be none.
const ENOUGH_DIGITS: usize = 9;

/// The most characters between two groups, as in `) - `.
const SEPARATORS_MAX: usize = 3;

/// What a number in groups begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// `+`: a country code follows.
    Plus,
    /// A bracket around the area code.
    Bracket,
    /// A digit.
    Digit,
}

/// Reads the groups of digits from `at` (a `+`, a bracket or a digit) into `groups`, whose joiners
/// are a blank where a blank or bracket stands behind the group. Gives how the number opens when
/// the groups are a phone number; `None` when they are none, or when they are one compound
/// without blanks, which may be anything.
pub(super) fn read_phone(text: &str, at: usize, groups: &mut Vec<Atom>) -> Option<Opening> {
    let opening = match text[at..].chars().next()? {
        '+' | '\u{FF0B}' => Opening::Plus,
        '(' | '\u{FF08}' => Opening::Bracket,
        _ => Opening::Digit,
    };
    read_groups(text, at, opening, groups);
    let blanks = groups.iter().any(|group| group.joiner == b' ');
    let total: usize = groups.iter().map(|group| group.digits).sum();
    let groups_fit = || groups.iter().all(|g| GROUP_DIGITS.contains(&g.digits));
    let is_phone = match opening {
        Opening::Plus => PHONE_DIGITS.contains(&total),
        Opening::Bracket => {
            is_closed(text, groups) && groups_fit() && BRACKETED_DIGITS.contains(&total)
        }
        Opening::Digit => {
            blanks && groups.len() > 2 && groups_fit() && NATIONAL_DIGITS.contains(&total)
        }
    };
    is_phone.then_some(opening)
}

fn read_groups(text: &str, at: usize, opening: Opening, groups: &mut Vec<Atom>) {
    groups.clear();
    let bytes = text.as_bytes();
    let mut start = at;
    if opening != Opening::Digit {
        start = separators(text, at).0;
    }
    let mut total = 0;
    while bytes.get(start).is_some_and(u8::is_ascii_digit) {
        let rest = bytes[start..].iter();
        let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
        let end = start + digits;
        total += digits;
        let glued = text[end..].chars().next();
        let glued = glued.is_some_and(|c| matches!(role(c), Role::Word | Role::Mark));
        if total > *PHONE_DIGITS.end() || glued {
            break;
        }
        let (next, blank) = separators(text, end);
        let joins = next > end && bytes.get(next).is_some_and(u8::is_ascii_digit);
        let joiner = match (joins, blank) {
            (false, _) => 0,
            (true, true) => b' ',
            (true, false) => b'-',
        };
        groups.push(Atom {
            start,
            end,
            digits,
            all_digits: true,
            rest: 0,
            leading_zero: bytes[start] == b'0',
            apostrophe: false,
            joiner,
        });
        start = next;
        if !joins {
            break;
        }
    }
    if let Some(last) = groups.last_mut() {
        last.joiner = 0;
    }
}

/// Whether the bracket before the first group is closed behind it, and more follows.
fn is_closed(text: &str, groups: &[Atom]) -> bool {
    let first = groups.first();
    let closing = first.and_then(|group| text[group.end..].chars().next());
    groups.len() > 1 && matches!(closing, Some(')' | '\u{FF09}'))
}

/// The end of the separators at `at`, and whether a blank or bracket is among them.
fn separators(text: &str, at: usize) -> (usize, bool) {
    let mut end = at;
    let mut blank = false;
    for c in text[at..].chars().take(SEPARATORS_MAX) {
        match c {
            ' ' | '\u{A0}' | '\u{2009}' | '\u{202F}' => blank = true,
            '(' | ')' | '\u{FF08}' | '\u{FF09}' => blank = true,
            '-' | '.' | '/' | '\u{2010}'..='\u{2013}' => {}
            '+' | '\u{FF0B}' if end == at => {}
            _ => break,
        }
        end += c.len_utf8();
    }
    (end, blank)
}

impl Scan<'_, '_> {
    /// Writes the phone number at `at`; gives where it ends, `None` when there is none.
    pub fn phone(&mut self, at: usize) -> Option<usize> {
        let opening = read_phone(self.text, at, &mut self.atoms)?;
        let end = self.atoms.last()?.end;
        self.write_phone((at, end), opening);
        Some(end)
    }

    /// The wholes over all groups, then every group, before it what the number is without the
    /// groups in front (`912345678` of `+351 912 345 678`).
    fn write_phone(&mut self, bytes: (usize, usize), opening: Opening) {
        let mut unit = self.open();
        let digits = self.digits_between(0, self.atoms.len());
        let international = match opening {
            Opening::Plus => Some(digits.as_str()),
            Opening::Bracket | Opening::Digit => digits.strip_prefix("00"),
        };
        let mut kind = TermKind::Whole;
        if let Some(number) = international {
            self.write_digits(&mut unit, "+", number, bytes, kind);
            kind = TermKind::Alias;
            if number.len() < digits.len() {
                self.write_digits(&mut unit, "", number, bytes, kind);
            }
        }
        self.write_digits(&mut unit, "", &digits, bytes, kind);
        self.shorter_phones(bytes.0, &digits);
        let count = self.atoms.len();
        let mut left = digits.as_str();
        for i in 0..count {
            let group = self.atoms[i];
            if i > 0 && left.len() >= *PHONE_DIGITS.start() {
                self.wider_phone(left, (group.start, bytes.1), count - i);
            }
            left = &left[group.digits..];
            self.plain(group.start, group.end, TermKind::Part);
        }
        self.close(unit);
    }

    /// Blanks may end the number early (`+351912345678 20 units`): what stands before each is a
    /// number too.
    fn shorter_phones(&mut self, start: usize, digits: &str) {
        let mut total = 0;
        for i in 0..self.atoms.len() {
            let group = self.atoms[i];
            total += group.digits;
            if group.joiner == b' ' && total >= ENOUGH_DIGITS {
                self.wider_phone(&digits[..total], (start, group.end), i + 1);
            }
        }
    }

    /// The digits of the groups `from..to`.
    fn digits_between(&self, from: usize, to: usize) -> String {
        let groups = self.atoms[from..to].iter();
        groups
            .map(|group| &self.text[group.start..group.end])
            .collect()
    }

    fn write_digits(
        &mut self,
        unit: &mut Unit,
        sign: &str,
        digits: &str,
        bytes: (usize, usize),
        kind: TermKind,
    ) {
        self.scratch.clear();
        self.scratch.push_str(sign);
        self.scratch.push_str(digits);
        if let Some(forms) = self.intern_scratch() {
            self.whole(unit, forms, bytes, kind);
        }
    }

    fn wider_phone(&mut self, digits: &str, bytes: (usize, usize), groups: usize) {
        self.scratch.clear();
        self.scratch.push_str(digits);
        if let Some(forms) = self.intern_scratch() {
            self.push(forms, self.position, groups as u32, bytes, TermKind::Wider);
        }
    }
}
