//! Where words begin and end: the walk over a text that fills an [`Analysis`].
//!
//! The walk is over bytes. A run of ASCII letters and digits that no joiner follows is a word at
//! once: its forms are the slice of the lowered copy of the text. Everything else goes a slower
//! way, around that word only.
//!
//! Words are those of UAX #29 (runs of letters, numbers and marks), except that a joiner inside a
//! word (`.` `-` `_` `/` `'` `@`, `,` in numbers) makes a compound with parts, and that colon and
//! semicolon always separate: in chat `note:call` is two words far more often than one.

use super::compound::Atom;
use super::emit::{Forms, lowered};
use super::scripts::{Role, digit_value, is_currency_sign, is_ignorable, joiner, role};
use super::term::{Analysis, TermKind};

/// The longest text that is analysed, in bytes; what follows is not searchable. Far above any
/// message or extracted text; it keeps every place within 32 bits whatever folding adds.
pub(super) const TEXT_BYTES_MAX: usize = 128 << 20;

/// Fills `into` with the terms of `text`, forgetting what it held.
///
/// ```
/// use wordkeep::query::analysis::{Analysis, analyse};
/// let mut analysis = Analysis::new();
/// analyse("Best price", &mut analysis);
/// let folded: Vec<&str> = analysis.terms().map(|term| term.folded).collect();
/// assert_eq!(folded, ["best", "price"]);
/// ```
pub fn analyse(text: &str, into: &mut Analysis) {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_MAX)];
    into.begin(text);
    let buffers = std::mem::take(&mut into.buffers);
    let mut scan = Scan {
        text,
        bytes: text.as_bytes(),
        out: into,
        position: 0,
        atoms: buffers.atoms,
        exact: buffers.exact,
        folded: buffers.folded,
        scratch: buffers.scratch,
    };
    scan.text();
    let position = scan.position;
    let buffers = Buffers {
        atoms: scan.atoms,
        exact: scan.exact,
        folded: scan.folded,
        scratch: scan.scratch,
    };
    into.buffers = buffers;
    into.positions = position;
}

/// Working memory that outlives one text.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    atoms: Vec<Atom>,
    exact: String,
    folded: String,
    scratch: String,
}

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    /// Nothing.
    Skip,
    /// A word: ASCII letter or digit.
    Word,
    /// A compound, when the right characters follow.
    Sign,
    /// A character beyond ASCII.
    High,
}

const CLASS: [Class; 256] = {
    let mut table = [Class::Skip; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = if b.is_ascii_alphanumeric() {
            Class::Word
        } else if b >= 0x80 {
            Class::High
        } else if matches!(b, b'@' | b'#' | b'+' | b'(' | b'$' | b':' | b'*') {
            Class::Sign
        } else {
            Class::Skip
        };
        byte += 1;
    }
    table
};

/// One walk over one text.
pub(super) struct Scan<'t, 'a> {
    pub text: &'t str,
    pub bytes: &'t [u8],
    pub out: &'a mut Analysis,
    /// The position of the next word.
    pub position: u32,
    /// The atoms of the compound in hand.
    pub atoms: Vec<Atom>,
    pub exact: String,
    pub folded: String,
    /// A text being composed.
    pub scratch: String,
}

impl Scan<'_, '_> {
    fn text(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            at = match CLASS[usize::from(*byte)] {
                Class::Skip => at + 1,
                Class::Word => self.word(at),
                Class::Sign => self.sign(at),
                Class::High => self.high(at),
            };
        }
    }

    /// What begins with the ASCII letter or digit at `start`; gives where it ends.
    #[inline]
    fn word(&mut self, start: usize) -> usize {
        let end = self.ascii_run(start);
        let after = self.bytes.get(end).copied().unwrap_or(b'\n');
        let digit = self.bytes[start].is_ascii_digit();
        let special = match after {
            b' ' => digit && self.is_digit(end + 1),
            b'.' | b',' | b'-' | b'_' | b'/' | b'\'' | b'`' | b'@' | b'+' => self.is_word(end + 1),
            b':' => self.bytes[end..].starts_with(b"://"),
            b'%' | b'$' => digit,
            0x80.. => true,
            _ => false,
        };
        if !special {
            self.plain(start, end, TermKind::Word);
            return end;
        }
        self.special(start, end)
    }

    /// A word that may be more than its letters: a link, a phone, an emoji keycap, a compound.
    fn special(&mut self, start: usize, run_end: usize) -> usize {
        if let Some(end) = self.link(start, run_end) {
            return end;
        }
        if self.bytes[start].is_ascii_digit() {
            if let Some(end) = self.keycap(start) {
                return end;
            }
            if let Some(end) = self.phone(start) {
                return end;
            }
        }
        self.compound(start, None, false)
    }

    /// What begins with the sign at `at`; gives where it ends.
    fn sign(&mut self, at: usize) -> usize {
        let found = match self.bytes[at] {
            b'#' | b'*' if self.is_high(at + 1) => self.keycap(at),
            b'@' | b'#' => None,
            b'$' => self.money(at, at + 1),
            b':' => self.emoji_name(at),
            b'+' | b'(' => self.phone(at),
            _ => return at + 1,
        };
        let handle = matches!(self.bytes[at], b'@' | b'#');
        match found {
            Some(end) => end,
            None if handle => self.signed(at, at + 1).unwrap_or(at + 1),
            None => at + 1,
        }
    }

    /// What begins with the character beyond ASCII at `at`; gives where it ends.
    fn high(&mut self, at: usize) -> usize {
        let Some(c) = self.char_at(at) else {
            return self.bytes.len();
        };
        let after = at + c.len_utf8();
        match role(c) {
            // An information sign that asks for its picture is an emoji, not the letter i.
            Role::Word if c == 'ℹ' => match self.emoji(at) {
                Some(end) => end,
                None => self.compound(at, None, false),
            },
            Role::Word => self.compound(at, None, false),
            Role::Unspaced => self.unspaced(at),
            Role::Mark | Role::Ignorable => after,
            Role::Other if is_currency_sign(c) => self.money(at, after).unwrap_or(after),
            Role::Other => {
                let found = match c {
                    '\u{FF20}' | '\u{FF03}' => self.signed(at, after),
                    '\u{FF0B}' | '\u{FF08}' => self.phone(at),
                    _ => self.emoji(at),
                };
                found.unwrap_or(after)
            }
        }
    }

    /// A handle or tag: the whole with its sign, then what it is without. `None` when no word
    /// follows the sign.
    fn signed(&mut self, at: usize, after: usize) -> Option<usize> {
        let c = self.char_at(after)?;
        let is_word = match role(c) {
            Role::Word => true,
            Role::Unspaced => false,
            Role::Mark | Role::Ignorable | Role::Other => return None,
        };
        let end = if is_word {
            self.gather(after);
            self.atoms.last().map_or(after, |atom| atom.end)
        } else {
            self.unspaced_end(after).0
        };
        let mut unit = self.open();
        if let Some(forms) = self.compose(at, end) {
            self.whole(&mut unit, forms, (at, end), TermKind::Whole);
        }
        if is_word {
            self.gathered(None, true);
        } else {
            self.unspaced(after);
        }
        self.close(unit);
        Some(end)
    }

    /// An amount behind its currency sign. `None` when no digit follows.
    fn money(&mut self, at: usize, after: usize) -> Option<usize> {
        digit_value(self.char_at(after)?)?;
        Some(self.compound(after, Some(at), false))
    }

    /// The end of the ASCII letters and digits from `start`.
    #[inline]
    pub fn ascii_run(&self, start: usize) -> usize {
        let rest = &self.bytes[start..];
        let len = rest
            .iter()
            .position(|byte| CLASS[usize::from(*byte)] != Class::Word);
        len.map_or(self.bytes.len(), |len| start + len)
    }

    /// The end of the letters, digits and marks from `start`, format characters between them
    /// included.
    pub fn run(&self, start: usize) -> usize {
        let mut end = start;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at) {
            if *byte < 0x80 {
                if CLASS[usize::from(*byte)] != Class::Word {
                    break;
                }
                at = self.ascii_run(at);
                end = at;
                continue;
            }
            let Some(c) = self.char_at(at) else { break };
            match role(c) {
                Role::Word | Role::Mark => {
                    at += c.len_utf8();
                    end = at;
                }
                Role::Ignorable => at += c.len_utf8(),
                Role::Unspaced | Role::Other => break,
            }
        }
        end
    }

    /// The words of `start..end` one by one, whatever joins them; every one is a part.
    pub fn parts(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let Some(c) = self.char_at(at) else { return };
            at = match role(c) {
                Role::Word => {
                    let to = self.run(at).min(end);
                    self.atom(at, to, TermKind::Part);
                    to
                }
                Role::Unspaced => self.unspaced(at),
                Role::Mark | Role::Ignorable | Role::Other => {
                    let emoji = (!c.is_ascii()).then(|| self.emoji(at)).flatten();
                    emoji.unwrap_or(at + c.len_utf8())
                }
            };
        }
    }

    /// Composes the forms of `start..end` as written, joiners unified.
    pub fn compose(&mut self, start: usize, end: usize) -> Option<Forms> {
        let slice = &self.bytes[start..end];
        if slice.is_ascii() && !slice.contains(&b'`') {
            return Some(Forms::same(lowered(start, end)));
        }
        self.scratch.clear();
        self.compose_on(start, end);
        self.intern_scratch()
    }

    /// Appends `start..end` to the text being composed, joiners unified.
    pub fn compose_on(&mut self, start: usize, end: usize) {
        for c in self.text[start..end].chars() {
            let c = if c.is_ascii() && c != '`' {
                c
            } else {
                joiner(c).map_or(c, char::from)
            };
            self.scratch.push(c);
        }
    }

    /// The character at a boundary.
    #[inline]
    pub fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// The first place at or after `at` that is no format character.
    pub fn skip_ignorable(&self, mut at: usize) -> usize {
        while self.is_high(at) {
            match self.char_at(at) {
                Some(c) if is_ignorable(c) => at += c.len_utf8(),
                _ => break,
            }
        }
        at
    }

    /// Whether an ASCII digit stands at `at`.
    #[inline]
    pub fn is_digit(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(u8::is_ascii_digit)
    }

    /// Whether a character beyond ASCII stands at `at`.
    #[inline]
    fn is_high(&self, at: usize) -> bool {
        self.bytes.get(at).is_some_and(|byte| *byte >= 0x80)
    }

    /// Whether a word may begin at `at`.
    #[inline]
    fn is_word(&self, at: usize) -> bool {
        self.bytes
            .get(at)
            .is_some_and(|byte| matches!(CLASS[usize::from(*byte)], Class::Word | Class::High))
    }
}
