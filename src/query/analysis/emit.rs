//! How terms are written down: forms into the arena, terms into the list, wholes around parts.

use super::fold::forms_into;
use super::scan::Scan;
use super::term::{Raw, Slice, TERM_BYTES_MAX, TermKind};

/// Both forms of one term.
#[derive(Clone, Copy, Debug)]
pub(super) struct Forms {
    pub folded: Slice,
    pub exact: Slice,
}

impl Forms {
    /// A form that has no accents to fold.
    pub fn same(form: Slice) -> Self {
        Forms {
            folded: form,
            exact: form,
        }
    }
}

/// A compound being written: its wholes first, then its parts, then [`Scan::close`].
#[derive(Debug)]
pub(super) struct Unit {
    /// The number of its first term.
    mark: usize,
    /// The position of its first part.
    pub first: u32,
    /// One past the last position its wholes need.
    reach: u32,
    /// Whether a whole had to be cut.
    long: bool,
}

impl Scan<'_, '_> {
    /// One word or part at its own position.
    pub fn atom(&mut self, start: usize, end: usize, kind: TermKind) {
        if self.bytes[start..end].is_ascii() {
            self.plain(start, end, kind);
            return;
        }
        forms_into(&self.text[start..end], &mut self.exact, &mut self.folded);
        if let Some(forms) = self.intern() {
            self.single(forms, (start, end), kind);
        }
    }

    /// One word of ASCII letters and digits: its forms are the slice of the lowered text.
    #[inline]
    pub fn plain(&mut self, start: usize, end: usize, kind: TermKind) {
        let forms = Forms::same(lowered(start, end));
        if end - start > TERM_BYTES_MAX {
            self.single(forms, (start, end), kind);
            return;
        }
        self.push(forms, self.position, 1, (start, end), kind);
        self.position += 1;
    }

    /// A term of one position, or of several when it is too long for one term.
    pub fn single(&mut self, forms: Forms, bytes: (usize, usize), kind: TermKind) {
        let mut rest = Some(forms);
        let mut from = 0;
        while let Some(forms) = rest {
            let (piece, next) = self.cut(forms);
            let to = from + piece.folded.len as usize;
            let place = self.piece_bytes(forms, bytes, (from, to));
            self.push(piece, self.position, 1, place, kind);
            self.position += 1;
            rest = next;
            from = to;
        }
    }

    /// Where a piece of a cut term stands: exactly where its bytes stand when folding kept their
    /// number, else where the whole word stands.
    fn piece_bytes(
        &self,
        rest: Forms,
        word: (usize, usize),
        piece: (usize, usize),
    ) -> (usize, usize) {
        let (start, end) = (word.0 + piece.0, word.0 + piece.1);
        let kept = piece.0 + rest.folded.len as usize == word.1 - word.0;
        let fits = kept && self.text.is_char_boundary(start) && self.text.is_char_boundary(end);
        if fits { (start, end) } else { word }
    }

    /// Begins a compound at the next position.
    pub fn open(&self) -> Unit {
        Unit {
            mark: self.out.raw.len(),
            first: self.position,
            reach: self.position,
            long: false,
        }
    }

    /// A whole, an alias or a wider name of the compound `unit`. Its span is known when the
    /// compound is closed. Too long for one term, it is cut into terms at consecutive positions.
    pub fn whole(&mut self, unit: &mut Unit, forms: Forms, bytes: (usize, usize), kind: TermKind) {
        let mut rest = Some(forms);
        let mut position = unit.first;
        while let Some(forms) = rest {
            let (piece, next) = self.cut(forms);
            let span = u32::from(next.is_some());
            self.push(piece, position, span, bytes, kind);
            unit.long |= next.is_some();
            position += 1;
            rest = next;
        }
        unit.reach = unit.reach.max(position);
    }

    /// Ends a compound after its last part: the wholes now span all of it.
    pub fn close(&mut self, unit: Unit) {
        if self.position == unit.first {
            // Nothing in it has a searchable character.
            self.out.raw.truncate(unit.mark);
            return;
        }
        self.position = self.position.max(unit.reach);
        let end = self.position;
        let terms = &mut self.out.raw[unit.mark..];
        for raw in &mut *terms {
            if raw.span == 0 {
                raw.span = end - raw.position;
            } else if !unit.long {
                break;
            }
        }
        if unit.long {
            terms.sort_by_key(|raw| raw.position);
        }
    }

    /// Appends one term.
    #[inline]
    pub fn push(
        &mut self,
        forms: Forms,
        position: u32,
        span: u32,
        bytes: (usize, usize),
        kind: TermKind,
    ) {
        self.out.raw.push(Raw {
            folded: forms.folded,
            exact: forms.exact,
            position,
            span,
            start: bytes.0 as u32,
            end: bytes.1 as u32,
            kind,
        });
    }

    /// Stores the forms just written to `exact` and `folded`; `None` when nothing is left to find.
    pub fn intern(&mut self) -> Option<Forms> {
        if self.folded.is_empty() {
            return None;
        }
        let arena = &mut self.out.arena;
        let folded = append(arena, &self.folded);
        let exact = if self.exact == self.folded {
            folded
        } else {
            append(arena, &self.exact)
        };
        Some(Forms { folded, exact })
    }

    /// Stores the forms of the text just composed in `scratch`.
    pub fn intern_scratch(&mut self) -> Option<Forms> {
        if self.scratch.is_ascii() {
            self.scratch.make_ascii_lowercase();
            let form = append(&mut self.out.arena, &self.scratch);
            return (form.len > 0).then_some(Forms::same(form));
        }
        forms_into(&self.scratch, &mut self.exact, &mut self.folded);
        self.intern()
    }

    /// The first piece of a pair of forms that fits a term, and what is left. The exact form is
    /// cut beside the folded one; should it run out first, the folded piece stands for it.
    fn cut(&self, forms: Forms) -> (Forms, Option<Forms>) {
        if forms.folded.len as usize <= TERM_BYTES_MAX {
            let (exact, _) = self.cut_one(forms.exact);
            let piece = Forms { exact, ..forms };
            return (piece, None);
        }
        let (folded, rest) = self.cut_one(forms.folded);
        let (exact, exact_rest) = self.cut_one(forms.exact);
        let rest = rest.map(|folded| Forms {
            folded,
            exact: exact_rest.unwrap_or(folded),
        });
        (Forms { folded, exact }, rest)
    }

    fn cut_one(&self, form: Slice) -> (Slice, Option<Slice>) {
        let (start, len) = (form.start as usize, form.len as usize);
        if len <= TERM_BYTES_MAX {
            return (form, None);
        }
        let text = &self.out.arena[start..start + len];
        let head = text.floor_char_boundary(TERM_BYTES_MAX) as u32;
        let piece = Slice { len: head, ..form };
        let rest = Slice {
            start: form.start + head,
            len: form.len - head,
        };
        (piece, Some(rest))
    }
}

/// The slice of the lowered text at these bytes.
#[inline]
pub(super) fn lowered(start: usize, end: usize) -> Slice {
    Slice {
        start: start as u32,
        len: (end - start) as u32,
    }
}

/// Appends a form to the arena.
pub(super) fn append(arena: &mut String, form: &str) -> Slice {
    let start = arena.len() as u32;
    arena.push_str(form);
    Slice {
        start,
        len: form.len() as u32,
    }
}
