//! A term of a text and the reusable store of all terms of one text.

use std::ops::Range;

use super::scan::Buffers;

/// The longest form of a term, in bytes of UTF-8; longer terms are cut into consecutive terms.
pub const TERM_BYTES_MAX: usize = 255;

/// What a term is to the text, and so what a query may do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TermKind {
    /// A plain word.
    Word,
    /// One part of a compound; its wholes stand before it, at or before its position.
    Part,
    /// A compound as written (`1,200.50`, `@ana`, `don't`); spans all its parts.
    Whole,
    /// Another way to write the same compound (`1200.50`, `dont`, `usa`); good on both sides: a
    /// query for the compound finds its aliases, and the other way round.
    Alias,
    /// A wider name of a compound (the host of a URL, a number without its sign, `offre` of
    /// `l'offre`); a query for the wider name finds the compound, never the other way round.
    Wider,
    /// One character (grapheme cluster) of a script without spaces.
    Unigram,
    /// Two neighbouring characters of one run of a script without spaces; spans two positions.
    Bigram,
    /// An emoji sequence, or a `:name:` that stands for one.
    Emoji,
}

/// One term of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term<'a> {
    /// The form that is matched: normalised, case and accents folded.
    pub folded: &'a str,
    /// The form before accents are folded; equal exact forms rank higher.
    pub exact: &'a str,
    /// The word position in the text, from 0.
    pub position: u32,
    /// How many positions the term covers, at least 1.
    pub span: u32,
    /// Where the term stands in the original text, in bytes.
    pub bytes: Range<u32>,
    /// What the term is to the text.
    pub kind: TermKind,
}

/// A form in the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slice {
    pub start: u32,
    pub len: u32,
}

/// A term whose forms are places in the arena.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw {
    pub folded: Slice,
    pub exact: Slice,
    pub position: u32,
    pub span: u32,
    pub start: u32,
    pub end: u32,
    pub kind: TermKind,
}

/// The terms of one text. Reuse one value for many texts: its buffers are kept, so that analysing
/// allocates nothing once they have grown.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// The text with its ASCII letters lowered (most forms are slices of it), then every form that
    /// had to be built.
    pub(super) arena: String,
    pub(super) raw: Vec<Raw>,
    pub(super) positions: u32,
    /// Working memory of the walk.
    pub(super) buffers: Buffers,
}

impl Analysis {
    /// An empty analysis without buffers.
    pub fn new() -> Self {
        Self::default()
    }

    /// The terms, ordered by position; the wholes of a compound stand before its parts.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            arena: &self.arena,
            raw: self.raw.iter(),
        }
    }

    /// How many terms there are, over all kinds.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether the text had no searchable character at all.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// How many word positions the text has: one more than the last position covered.
    pub fn positions(&self) -> u32 {
        self.positions
    }

    /// Forgets the text, keeps the buffers.
    pub(super) fn begin(&mut self, text: &str) {
        self.arena.clear();
        self.arena.push_str(text);
        self.arena.make_ascii_lowercase();
        self.raw.clear();
        self.positions = 0;
    }
}

/// The terms of an [`Analysis`], in order.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    arena: &'a str,
    raw: std::slice::Iter<'a, Raw>,
}

impl<'a> Iterator for Terms<'a> {
    type Item = Term<'a>;

    #[inline]
    fn next(&mut self) -> Option<Term<'a>> {
        let raw = self.raw.next()?;
        Some(Term {
            folded: slice(self.arena, raw.folded),
            exact: slice(self.arena, raw.exact),
            position: raw.position,
            span: raw.span,
            bytes: raw.start..raw.end,
            kind: raw.kind,
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.raw.size_hint()
    }
}

impl ExactSizeIterator for Terms<'_> {}

#[inline]
fn slice(arena: &str, at: Slice) -> &str {
    let start = at.start as usize;
    &arena[start..start + at.len as usize]
}
