//! Where words begin and end: the walk over a text that fills an [`Analysis`].
//!
//! The walk is over bytes. A run of ASCII letters and digits that no joiner follows is a word at
//! once: its forms are the slice of the lowered copy of the text. Everything else goes the slower
//! way around that word only.

use unicode_segmentation::UnicodeSegmentation;

use super::fold::forms_into;
use super::scripts::{Role, is_ignorable, is_plain_unspaced, role};
use super::term::{Analysis, Raw, Slice, TERM_BYTES_MAX, TermKind};

/// The longest text that is analysed, in bytes; what follows is not searchable. Far above any
/// message or extracted text; it keeps every place within 32 bits whatever folding adds.
const TEXT_BYTES_MAX: usize = 128 << 20;

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
    let mut scan = Scan::new(text, into);
    scan.text();
    let positions = scan.position;
    into.positions = positions;
}

/// What a byte can begin.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// Nothing.
    Skip,
    /// A word: ASCII letter or digit.
    Word,
    /// A compound, when a word follows.
    Sign,
    /// A character beyond ASCII.
    High,
}

/// The class of every byte.
pub(super) const CLASS: [Class; 256] = {
    let mut table = [Class::Skip; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = if b.is_ascii_alphanumeric() {
            Class::Word
        } else if b >= 0x80 {
            Class::High
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
    exact: String,
    folded: String,
}

impl<'t, 'a> Scan<'t, 'a> {
    fn new(text: &'t str, out: &'a mut Analysis) -> Self {
        Scan {
            text,
            bytes: text.as_bytes(),
            out,
            position: 0,
            exact: String::new(),
            folded: String::new(),
        }
    }

    fn text(&mut self) {
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            at = match CLASS[usize::from(*byte)] {
                Class::Skip | Class::Sign => at + 1,
                Class::Word => self.word(at),
                Class::High => self.high(at),
            };
        }
    }

    /// The word that begins with the ASCII letter or digit at `start`; gives where it ends.
    fn word(&mut self, start: usize) -> usize {
        let end = self.ascii_run(start);
        if self.bytes.get(end).is_none_or(|byte| *byte < 0x80) {
            self.plain(start, end, TermKind::Word);
            return end;
        }
        let end = self.run(start);
        self.atom(start, end, TermKind::Word);
        end
    }

    /// What begins with the character beyond ASCII at `at`; gives where it ends.
    fn high(&mut self, at: usize) -> usize {
        let Some(c) = self.char_at(at) else {
            return self.bytes.len();
        };
        match role(c) {
            Role::Word => {
                let end = self.run(at);
                self.atom(at, end, TermKind::Word);
                end
            }
            Role::Unspaced => self.unspaced(at),
            Role::Mark | Role::Ignorable | Role::Other => at + c.len_utf8(),
        }
    }

    /// The end of the ASCII letters and digits from `start`.
    #[inline]
    pub fn ascii_run(&self, start: usize) -> usize {
        let mut end = start;
        while self
            .bytes
            .get(end)
            .is_some_and(|byte| CLASS[usize::from(*byte)] == Class::Word)
        {
            end += 1;
        }
        end
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
                at += 1;
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

    /// The character at a boundary.
    #[inline]
    pub fn char_at(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    /// One word at its own position.
    pub fn atom(&mut self, start: usize, end: usize, kind: TermKind) {
        if self.bytes[start..end].is_ascii() {
            self.plain(start, end, kind);
            return;
        }
        forms_into(&self.text[start..end], &mut self.exact, &mut self.folded);
        self.push_built(start, end, 1, kind);
    }

    /// One word of ASCII: its forms are slices of the lowered text.
    #[inline]
    pub fn plain(&mut self, start: usize, end: usize, kind: TermKind) {
        let mut from = start;
        loop {
            let to = end.min(from + TERM_BYTES_MAX);
            let form = Slice {
                start: from as u32,
                len: (to - from) as u32,
            };
            self.push(form, form, 1, (from, to), kind);
            self.position += 1;
            if to == end {
                return;
            }
            from = to;
        }
    }

    /// The forms just built in `exact` and `folded`, cut when too long.
    fn push_built(&mut self, start: usize, end: usize, span: u32, kind: TermKind) {
        if self.folded.is_empty() {
            return;
        }
        let same = self.exact == self.folded;
        let folded = self.intern_folded();
        let exact = if same { folded } else { self.intern_exact() };
        let (mut folded, mut exact) = (Some(folded), Some(exact));
        while let Some(rest) = folded {
            let (piece, next) = self.cut(rest);
            let (exact_piece, exact_next) = exact.map_or((piece, None), |rest| self.cut(rest));
            self.push(piece, exact_piece, span, (start, end), kind);
            self.position += span;
            (folded, exact) = (next, exact_next);
        }
    }

    fn intern_folded(&mut self) -> Slice {
        let start = self.out.arena.len() as u32;
        self.out.arena.push_str(&self.folded);
        Slice {
            start,
            len: self.folded.len() as u32,
        }
    }

    fn intern_exact(&mut self) -> Slice {
        let start = self.out.arena.len() as u32;
        self.out.arena.push_str(&self.exact);
        Slice {
            start,
            len: self.exact.len() as u32,
        }
    }

    /// The first piece of a form that fits a term, and what is left.
    fn cut(&self, form: Slice) -> (Slice, Option<Slice>) {
        if form.len as usize <= TERM_BYTES_MAX {
            return (form, None);
        }
        let start = form.start as usize;
        let text = &self.out.arena[start..start + form.len as usize];
        let len = text.floor_char_boundary(TERM_BYTES_MAX) as u32;
        let piece = Slice {
            start: form.start,
            len,
        };
        let rest = Slice {
            start: form.start + len,
            len: form.len - len,
        };
        (piece, Some(rest))
    }

    #[inline]
    pub fn push(
        &mut self,
        folded: Slice,
        exact: Slice,
        span: u32,
        bytes: (usize, usize),
        kind: TermKind,
    ) {
        self.out.raw.push(Raw {
            folded,
            exact,
            position: self.position,
            span,
            start: bytes.0 as u32,
            end: bytes.1 as u32,
            kind,
        });
    }

    /// The run of unspaced characters at `start`: every character and every pair of neighbours.
    fn unspaced(&mut self, start: usize) -> usize {
        let end = self.unspaced_end(start);
        let mut before: Option<(Slice, Slice, usize)> = None;
        let mut at = start;
        let first = self.position;
        while at < end {
            let next = self.cluster_end(at, end);
            let (from, to) = (at, next);
            at = next;
            if self.text[from..to].chars().all(is_ignorable) {
                continue;
            }
            forms_into(&self.text[from..to], &mut self.exact, &mut self.folded);
            if self.folded.is_empty() {
                continue;
            }
            self.shorten();
            let folded = self.intern_folded();
            let exact = self.intern_exact();
            if let Some((folded_before, exact_before, from_before)) = before {
                let folded = self.pair(folded_before, folded);
                let exact = self.pair(exact_before, exact);
                self.position -= 1;
                self.push(folded, exact, 2, (from_before, to), TermKind::Bigram);
                self.position += 1;
            }
            self.push(folded, exact, 1, (from, to), TermKind::Unigram);
            self.position += 1;
            before = Some((folded, exact, from));
        }
        debug_assert!(self.position >= first);
        end
    }

    /// A character of an unspaced script keeps at most half of a term, so that a pair fits.
    fn shorten(&mut self) {
        let half = TERM_BYTES_MAX / 2;
        self.exact.truncate(self.exact.floor_char_boundary(half));
        self.folded.truncate(self.folded.floor_char_boundary(half));
    }

    fn pair(&mut self, one: Slice, other: Slice) -> Slice {
        let start = self.out.arena.len() as u32;
        for part in [one, other] {
            let from = part.start as usize;
            self.out
                .arena
                .extend_from_within(from..from + part.len as usize);
        }
        Slice {
            start,
            len: one.len + other.len,
        }
    }

    fn unspaced_end(&self, start: usize) -> usize {
        let mut end = start;
        for (at, c) in self.text[start..].char_indices() {
            match role(c) {
                Role::Unspaced | Role::Mark => end = start + at + c.len_utf8(),
                Role::Ignorable => {}
                Role::Word | Role::Other => break,
            }
        }
        end
    }

    /// The end of the grapheme cluster at `at`, at most `end`.
    fn cluster_end(&self, at: usize, end: usize) -> usize {
        let run = &self.text[at..end];
        let mut chars = run.chars();
        let plain = chars.next().is_some_and(is_plain_unspaced)
            && chars.next().is_none_or(is_plain_unspaced);
        if plain {
            return at + run.chars().next().map_or(0, char::len_utf8);
        }
        at + run.graphemes(true).next().map_or(run.len(), str::len)
    }
}
