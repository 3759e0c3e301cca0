//! Compounds: words joined by `.` `,` `-` `_` `/` `'` `@` `+` are kept whole and split.

use super::emit::{Forms, Unit};
use super::number::{Shape, shape};
use super::scan::Scan;
use super::scripts::{Role, digit_value, is_apostrophe, is_currency_sign, joiner, role};
use super::term::{Slice, TermKind};

/// What French, Italian and Catalan glue before a word with an apostrophe.
const ELISIONS: [&str; 15] = [
    "l", "d", "j", "m", "t", "s", "n", "c", "qu", "dell", "nell", "all", "dall", "sull", "un",
];

/// The most groups of one number; also bounds what is read twice when a list of numbers only
/// looks like one number.
pub(super) const NUMBER_GROUPS_MAX: usize = 16;

/// How far an e-mail address is looked for behind a `+`, in bytes.
const LOCAL_PART_BYTES_MAX: usize = 64;

/// The most digits of a phone number (E.164) and the fewest that are taken for one.
pub(super) const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// One part of a compound: a word, with any apostrophes inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Atom {
    pub start: usize,
    pub end: usize,
    /// How many decimal digits it begins with.
    pub digits: usize,
    /// Whether it is nothing but those digits.
    pub all_digits: bool,
    /// How many characters stand behind those digits.
    pub rest: usize,
    /// Whether the first of those digits is a zero: no number is grouped behind one.
    pub leading_zero: bool,
    /// Whether an apostrophe joins two words of it.
    pub apostrophe: bool,
    /// The joiner after it (`b' '` for the narrow blank of grouped numbers); 0 after the last.
    pub joiner: u8,
}

impl Scan<'_, '_> {
    /// The compound or word at `start`, behind the currency sign at `sign` if there is one;
    /// inside another compound its wholes are only wider names of that one.
    pub fn compound(&mut self, start: usize, sign: Option<usize>, inner: bool) -> usize {
        self.gather(start);
        self.gathered(sign, inner)
    }

    /// Collects the atoms of the compound that begins at `start`.
    pub fn gather(&mut self, start: usize) {
        self.atoms.clear();
        let mut at = start;
        loop {
            let mut atom = self.read_atom(at);
            let joint = self.joint(&atom);
            atom.joiner = joint.map_or(0, |(code, _)| code);
            self.atoms.push(atom);
            match joint {
                Some((_, next)) => at = next,
                None => break,
            }
        }
        self.check_number();
    }

    /// A list such as `1,234,56` is no number: what follows its first comma is a word of its own.
    fn check_number(&mut self) {
        let grouping = |joiner: u8| matches!(joiner, b',' | b'\'' | b' ');
        let Some(first) = self.atoms.iter().position(|atom| grouping(atom.joiner)) else {
            return;
        };
        if shape(&self.atoms).is_none() {
            self.atoms.truncate(first + 1);
            self.atoms[first].joiner = 0;
        }
    }

    /// The word at `start` up to the next joiner that is no apostrophe between letters.
    fn read_atom(&self, start: usize) -> Atom {
        let mut apostrophe = false;
        let mut end = self.run(start);
        while let Some((c, next)) = self.joined_at(end) {
            let between_digits = self.ends_with_digit(end) && self.digit_at(next).is_some();
            if !is_apostrophe(c) || between_digits {
                break;
            }
            apostrophe = true;
            end = self.run(next);
        }
        let text = self.text[start..end].chars();
        let digits = text.clone().take_while(|c| digit_value(*c).is_some());
        let digits = digits.count();
        let rest = text.count() - digits;
        Atom {
            start,
            end,
            digits,
            all_digits: rest == 0,
            rest,
            leading_zero: self.digit_at(start) == Some(0),
            apostrophe,
            joiner: 0,
        }
    }

    /// The character that joins the word ending at `end` to another, and where that begins.
    fn joined_at(&self, end: usize) -> Option<(char, usize)> {
        let at = self.skip_ignorable(end);
        let c = self.char_at(at)?;
        let narrow = matches!(c, '\u{A0}' | '\u{2009}' | '\u{202F}');
        if !narrow {
            joiner(c)?;
        }
        let next = self.skip_ignorable(at + c.len_utf8());
        (role(self.char_at(next)?) == Role::Word).then_some((c, next))
    }

    /// The joiner after `atom` and where the next atom begins, when they belong together.
    fn joint(&self, atom: &Atom) -> Option<(u8, usize)> {
        let (c, next) = self.joined_at(atom.end)?;
        let code = joiner(c).unwrap_or(b' ');
        let numeric = |joiner: u8| matches!(joiner, b'.' | b',' | b'\'' | b' ');
        let grouping = |joiner: u8| matches!(joiner, b',' | b'\'' | b' ');
        let so_far = self.atoms.as_slice();
        let list_start = so_far.first().map_or(atom.start, |first| first.start);
        let number_so_far = atom.all_digits
            && so_far.len() < NUMBER_GROUPS_MAX
            && so_far.iter().all(|a| a.all_digits && numeric(a.joiner));
        // Only the first groups can be a number's; looking at more would cost quadratic time.
        let first = &so_far[..so_far.len().min(NUMBER_GROUPS_MAX)];
        let grouped = first.iter().any(|a| grouping(a.joiner));
        let joins = match code {
            b',' => number_so_far && !self.is_listed(list_start) && self.group_follows(next),
            b'\'' | b' ' => number_so_far && self.digits_from(next) == 3,
            b'.' if grouped => number_so_far && self.digit_at(next).is_some(),
            _ if grouped => false,
            b'+' => self.is_local_part(next),
            _ => true,
        };
        joins.then_some((code, next))
    }

    /// Whether what begins at `start` follows a digit and a comma, so is the next of a list.
    fn is_listed(&self, start: usize) -> bool {
        self.bytes[..start].ends_with(b",") && start > 1 && self.is_digit(start - 2)
    }

    /// Whether the digits at `at` can be a group or the decimals of a number after a comma.
    fn group_follows(&self, at: usize) -> bool {
        match self.digits_from(at) {
            0 => false,
            2 | 3 => true,
            digits => {
                // Decimals: no other group may follow. Only ASCII digits come in such numbers.
                let end = at + digits;
                !(self.bytes.get(end) == Some(&b',') && self.is_digit(end + 1))
            }
        }
    }

    fn digits_from(&self, at: usize) -> usize {
        let digits = self.text[at..].chars();
        digits.take_while(|c| digit_value(*c).is_some()).count()
    }

    fn digit_at(&self, at: usize) -> Option<u8> {
        self.char_at(at).and_then(digit_value)
    }

    fn ends_with_digit(&self, end: usize) -> bool {
        let last = self.text[..end].chars().next_back();
        last.is_some_and(|c| digit_value(c).is_some())
    }

    /// Whether `at` continues the local part of an e-mail address up to its `@`.
    fn is_local_part(&self, at: usize) -> bool {
        let rest = &self.bytes[at..];
        let rest = &rest[..rest.len().min(LOCAL_PART_BYTES_MAX)];
        let end = rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric() && !matches!(b, b'.' | b'_' | b'-' | b'+'));
        end.is_some_and(|end| {
            rest[end] == b'@' && rest.get(end + 1).is_some_and(u8::is_ascii_alphanumeric)
        })
    }

    /// Writes the compound collected in `atoms`; gives where it ends.
    pub fn gathered(&mut self, sign: Option<usize>, inner: bool) -> usize {
        let (Some(first), Some(last)) = (self.atoms.first().copied(), self.atoms.last().copied())
        else {
            return self.bytes.len();
        };
        let suffix = self.suffix_end(&last);
        if let Some(shape) = shape(&self.atoms)
            && (sign.is_some() || suffix.is_some() || self.atoms.len() > 1)
        {
            let bytes = (
                sign.unwrap_or(first.start),
                suffix.filter(|_| last.all_digits).unwrap_or(last.end),
            );
            self.number(shape, bytes, inner);
            return bytes.1;
        }
        if self.atoms.len() == 1 {
            let kind = if inner {
                TermKind::Part
            } else {
                TermKind::Word
            };
            self.one_atom(first, kind, inner);
            return last.end;
        }
        self.joined_words((first.start, last.end), inner);
        last.end
    }

    /// The end of a percent or currency sign glued behind a number.
    fn suffix_end(&self, last: &Atom) -> Option<usize> {
        if !last.all_digits {
            return None;
        }
        let c = self.char_at(last.end)?;
        let is_sign = matches!(c, '%' | '‰' | '\u{FF05}' | '\u{66A}') || is_currency_sign(c);
        is_sign.then_some(last.end + c.len_utf8())
    }

    /// A number: as written, without grouping; with a sign, also without it.
    fn number(&mut self, shape: Shape, bytes: (usize, usize), inner: bool) {
        let (first, last) = (self.atoms[0].start, self.atoms[self.atoms.len() - 1].end);
        let (whole, alias) = kinds(inner);
        let mut unit = self.open();
        let signed = bytes != (first, last);
        let (start, end) = bytes;
        if let Some(forms) = self.compose(start, end) {
            self.whole(&mut unit, forms, bytes, whole);
        }
        if shape != Shape::Plain {
            self.ungrouped(&mut unit, shape, bytes, alias);
        }
        if signed && self.atoms.len() > 1 {
            if let Some(forms) = self.compose(first, last) {
                self.whole(&mut unit, forms, (first, last), TermKind::Wider);
            }
            if shape != Shape::Plain {
                self.ungrouped(&mut unit, shape, (first, last), TermKind::Wider);
            }
        }
        self.atom_parts();
        self.close(unit);
    }

    /// The number in `bytes` without its grouping.
    fn ungrouped(&mut self, unit: &mut Unit, shape: Shape, bytes: (usize, usize), kind: TermKind) {
        self.scratch.clear();
        let count = self.atoms.len();
        let mut from = bytes.0;
        for i in 0..count {
            let atom = self.atoms[i];
            let to = if i + 1 == count { bytes.1 } else { atom.end };
            self.compose_on(from, to);
            if shape == Shape::GroupedDecimal && i + 2 == count {
                self.scratch.push(char::from(atom.joiner));
            }
            from = self.atoms.get(i + 1).map_or(to, |next| next.start);
        }
        if let Some(forms) = self.intern_scratch() {
            self.whole(unit, forms, bytes, kind);
        }
    }

    /// Words joined by anything else: as written, an acronym joined, digits as a phone.
    fn joined_words(&mut self, bytes: (usize, usize), inner: bool) {
        let (whole, alias) = kinds(inner);
        let mut unit = self.open();
        if let Some(forms) = self.compose(bytes.0, bytes.1) {
            self.whole(&mut unit, forms, bytes, whole);
        }
        if self.is_acronym() || self.is_phone_code() {
            self.scratch.clear();
            for i in 0..self.atoms.len() {
                let atom = self.atoms[i];
                self.compose_on(atom.start, atom.end);
            }
            if let Some(forms) = self.intern_scratch() {
                self.whole(&mut unit, forms, bytes, alias);
            }
        }
        self.host(&mut unit, bytes.0);
        self.atom_parts();
        self.close(unit);
    }

    /// `U.S.A.`: single letters joined by dots.
    fn is_acronym(&self) -> bool {
        self.atoms.iter().all(|atom| {
            let mut chars = self.text[atom.start..atom.end].chars();
            let letter = chars.next().is_some_and(char::is_alphabetic);
            letter && chars.next().is_none() && matches!(atom.joiner, 0 | b'.')
        })
    }

    /// `912-345-678`: digits joined by hyphens, as many as a phone has, and no date.
    fn is_phone_code(&self) -> bool {
        let digits: usize = self.atoms.iter().map(|atom| atom.digits).sum();
        let hyphens = |atom: &Atom| atom.all_digits && matches!(atom.joiner, 0 | b'-' | b'.');
        let is_date = digits <= 8 && self.atoms.len() == 3;
        PHONE_DIGITS.contains(&digits) && !is_date && self.atoms.iter().all(hyphens)
    }

    /// What stands before the first slash, if it looks like the name of a host.
    fn host(&mut self, unit: &mut Unit, start: usize) {
        let Some(slash) = self.atoms.iter().position(|atom| atom.joiner == b'/') else {
            return;
        };
        let before = &self.atoms[..=slash];
        let letters = before[slash].digits == 0;
        let dots = slash > 0
            && before[..slash]
                .iter()
                .all(|a| matches!(a.joiner, b'.' | b'-'));
        let end = before[slash].end;
        if letters
            && dots
            && before.iter().any(|a| a.joiner == b'.')
            && let Some(forms) = self.compose(start, end)
        {
            self.whole(unit, forms, (start, end), TermKind::Wider);
        }
    }

    /// Every atom as a part.
    fn atom_parts(&mut self) {
        for i in 0..self.atoms.len() {
            let atom = self.atoms[i];
            self.one_atom(atom, TermKind::Part, true);
        }
    }

    /// One atom at one position, whatever apostrophes it has.
    fn one_atom(&mut self, atom: Atom, kind: TermKind, inner: bool) {
        if !atom.apostrophe {
            self.atom(atom.start, atom.end, kind);
            return;
        }
        let whole = if inner {
            TermKind::Part
        } else {
            TermKind::Whole
        };
        self.apostrophes(atom.start, atom.end, whole);
    }

    /// `don't`: with the apostrophe, joined, without elision and without the final `'s`, all at
    /// one position.
    fn apostrophes(&mut self, start: usize, end: usize, kind: TermKind) {
        let bytes = (start, end);
        let mut unit = self.open();
        let Some(written) = self.compose(start, end) else {
            return;
        };
        self.whole(&mut unit, written, bytes, kind);
        self.scratch.clear();
        let joined = self.text[start..end].chars().filter(|c| !is_apostrophe(*c));
        self.scratch.extend(joined);
        if let Some(forms) = self.intern_scratch() {
            self.whole(&mut unit, forms, bytes, TermKind::Alias);
        }
        self.stripped(&mut unit, written, bytes);
        self.position += 1;
        self.close(unit);
    }

    /// The wider names of `l'offre` and `Ana's`: slices of the form as written.
    fn stripped(&mut self, unit: &mut Unit, written: Forms, bytes: (usize, usize)) {
        let arena = self.out.arena.as_str();
        let both = |strip: fn(&str, Slice) -> Option<Slice>, forms: Forms| {
            Some(Forms {
                folded: strip(arena, forms.folded)?,
                exact: strip(arena, forms.exact)?,
            })
        };
        let without_elision = both(without_elision, written);
        let found = [
            without_elision,
            both(without_possessive, written),
            without_elision.and_then(|forms| both(without_possessive, forms)),
        ];
        for forms in found.into_iter().flatten() {
            self.whole(unit, forms, bytes, TermKind::Wider);
        }
    }
}

/// The form behind its elided article or pronoun.
fn without_elision(arena: &str, form: Slice) -> Option<Slice> {
    let start = form.start as usize;
    let text = &arena[start..start + form.len as usize];
    let (prefix, rest) = text.split_once('\'')?;
    let skipped = prefix.len() as u32 + 1;
    (ELISIONS.contains(&prefix) && !rest.is_empty()).then_some(Slice {
        start: form.start + skipped,
        len: form.len - skipped,
    })
}

/// The form before its final `'s`.
fn without_possessive(arena: &str, form: Slice) -> Option<Slice> {
    let start = form.start as usize;
    let rest = arena[start..start + form.len as usize].strip_suffix("'s")?;
    (!rest.is_empty()).then_some(Slice {
        start: form.start,
        len: rest.len() as u32,
    })
}

/// The kinds of the whole and of its aliases; inside another compound both are wider names.
fn kinds(inner: bool) -> (TermKind, TermKind) {
    if inner {
        (TermKind::Wider, TermKind::Wider)
    } else {
        (TermKind::Whole, TermKind::Alias)
    }
}
