//! Phone numbers written in groups: the digits as one term, with and without `+`.

use super::compound::{Atom, PHONE_DIGITS};
use super::emit::Unit;
use super::scan::Scan;
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

/// What the groups of digits read so far are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opening {
    Plus,
    Bracket,
    Digit,
}

impl Scan<'_, '_> {
    /// The phone number at `at` (a `+`, a bracket or a digit); `None` when it is none, or when it
    /// is one compound without blanks, which is kept as written as well.
    pub fn phone(&mut self, at: usize) -> Option<usize> {
        let opening = match self.char_at(at)? {
            '+' | '\u{FF0B}' => Opening::Plus,
            '(' | '\u{FF08}' => Opening::Bracket,
            _ => Opening::Digit,
        };
        self.read_groups(at, opening);
        let blanks = self.atoms.iter().any(|group| group.joiner == b' ');
        let total: usize = self.atoms.iter().map(|group| group.digits).sum();
        let groups_fit = || self.atoms.iter().all(|g| GROUP_DIGITS.contains(&g.digits));
        let is_phone = match opening {
            Opening::Plus => PHONE_DIGITS.contains(&total),
            Opening::Bracket => {
                self.is_closed() && groups_fit() && BRACKETED_DIGITS.contains(&total)
            }
            Opening::Digit => {
                blanks && self.atoms.len() > 2 && groups_fit() && NATIONAL_DIGITS.contains(&total)
            }
        };
        let end = self.atoms.last()?.end;
        if !is_phone {
            return None;
        }
        self.write_phone((at, end), opening);
        Some(end)
    }

    /// Collects the groups of digits from `at` in `atoms`; the joiner of a group is a blank when
    /// a blank or bracket stands behind it.
    fn read_groups(&mut self, at: usize, opening: Opening) {
        self.atoms.clear();
        let mut start = at;
        if opening != Opening::Digit {
            start = self.separators(at).0;
        }
        let mut total = 0;
        while self.is_digit(start) {
            let rest = self.bytes[start..].iter();
            let digits = rest.take_while(|byte| byte.is_ascii_digit()).count();
            let end = start + digits;
            total += digits;
            if total > *PHONE_DIGITS.end() || self.run(start) > end {
                break;
            }
            let (next, blank) = self.separators(end);
            let joins = next > end && self.is_digit(next);
            let joiner = match (joins, blank) {
                (false, _) => 0,
                (true, true) => b' ',
                (true, false) => b'-',
            };
            self.atoms.push(Atom {
                start,
                end,
                digits,
                all_digits: true,
                leading_zero: self.bytes[start] == b'0',
                apostrophe: false,
                joiner,
            });
            start = next;
            if !joins {
                break;
            }
        }
        if let Some(last) = self.atoms.last_mut() {
            last.joiner = 0;
        }
    }

    /// Whether the bracket before the first group is closed behind it, and more follows.
    fn is_closed(&self) -> bool {
        let first = self.atoms.first();
        let closing = first.and_then(|group| self.char_at(group.end));
        self.atoms.len() > 1 && matches!(closing, Some(')' | '\u{FF09}'))
    }

    /// The end of the separators at `at`, and whether a blank or bracket is among them.
    fn separators(&self, at: usize) -> (usize, bool) {
        let mut end = at;
        let mut blank = false;
        for c in self.text[at..].chars().take(SEPARATORS_MAX) {
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
