//! Runs of scripts without spaces: one position per character, with every pair of neighbours.
//!
//! A query run of n characters is found by its n - 1 pairs at consecutive positions: pairs never
//! reach over the end of a run, so this is exactly "contiguous substring of a run".

use unicode_normalization::{IsNormalized, is_nfkc_quick};
use unicode_segmentation::UnicodeSegmentation;

use super::emit::{Forms, append, lowered};
use super::fold::forms_into;
use super::scan::Scan;
use super::scripts::{
    Role, is_accent, is_cluster_base, is_cluster_mark, is_ignorable, is_normal_cluster,
    is_plain_unspaced, role,
};
use super::term::{Slice, TERM_BYTES_MAX, TermKind};

/// The longest form of one character: half a term, so that a pair fits a term.
const CHARACTER_BYTES_MAX: usize = TERM_BYTES_MAX / 2;

impl Scan<'_, '_> {
    /// The run of unspaced characters at `start`; gives where it ends.
    pub fn unspaced(&mut self, start: usize) -> usize {
        let (end, clean) = self.unspaced_end(start);
        let mut before: Option<(Forms, usize)> = None;
        let mut at = start;
        while at < end {
            let next = self.cluster_end(at, end);
            let bytes = (at, next);
            at = next;
            let Some(forms) = self.character(bytes, clean) else {
                continue;
            };
            if let Some((forms_before, from)) = before {
                let pair = self.pair(forms_before, forms);
                let position = self.position - 1;
                self.push(pair, position, 2, (from, bytes.1), TermKind::Bigram);
            }
            self.push(forms, self.position, 1, bytes, TermKind::Unigram);
            self.position += 1;
            before = Some((forms, bytes.0));
        }
        end
    }

    /// The forms of one character; `None` for format characters.
    fn character(&mut self, bytes: (usize, usize), clean: bool) -> Option<Forms> {
        let text = &self.text[bytes.0..bytes.1];
        if text.len() <= CHARACTER_BYTES_MAX && (clean || is_clean(text)) {
            return Some(Forms::same(lowered(bytes.0, bytes.1)));
        }
        forms_into(text, &mut self.exact, &mut self.folded);
        for form in [&mut self.exact, &mut self.folded] {
            form.truncate(form.floor_char_boundary(CHARACTER_BYTES_MAX));
        }
        self.intern()
    }

    /// Both forms of two neighbours; where they stand side by side in the arena, nothing is copied.
    fn pair(&mut self, one: Forms, other: Forms) -> Forms {
        let both = one.folded == one.exact && other.folded == other.exact;
        if both && one.folded.start + one.folded.len == other.folded.start {
            return Forms::same(Slice {
                start: one.folded.start,
                len: one.folded.len + other.folded.len,
            });
        }
        Forms {
            folded: self.joined(one.folded, other.folded),
            exact: self.joined(one.exact, other.exact),
        }
    }

    fn joined(&mut self, one: Slice, other: Slice) -> Slice {
        let arena = &mut self.out.arena;
        let slice = append(arena, "");
        for part in [one, other] {
            let from = part.start as usize;
            arena.extend_from_within(from..from + part.len as usize);
        }
        Slice {
            len: one.len + other.len,
            ..slice
        }
    }

    /// The end of the run, and whether all of it is plain: its own exact and folded form.
    pub fn unspaced_end(&self, start: usize) -> (usize, bool) {
        let (mut end, mut plain) = (start, true);
        for (at, c) in self.text[start..].char_indices() {
            if !is_plain_unspaced(c) {
                plain = false;
                match role(c) {
                    Role::Unspaced | Role::Mark => {}
                    Role::Ignorable => continue,
                    Role::Word | Role::Other => break,
                }
            }
            end = start + at + c.len_utf8();
        }
        (end, plain)
    }

    /// The end of the grapheme cluster at `at`, at most `end`.
    fn cluster_end(&self, at: usize, end: usize) -> usize {
        let run = &self.text[at..end];
        let mut chars = run.chars();
        if let Some(first) = chars.next().filter(|c| is_cluster_base(*c)) {
            let marks = chars.clone().take_while(|c| is_cluster_mark(*c));
            let marks: usize = marks.map(char::len_utf8).sum();
            let len = first.len_utf8() + marks;
            if run[len..].chars().next().is_none_or(is_cluster_base) {
                return at + len;
            }
        }
        at + run.graphemes(true).next().map_or(run.len(), str::len)
    }
}

/// Whether a character of an unspaced script is its own exact and folded form.
fn is_clean(text: &str) -> bool {
    let dropped = |c: char| is_ignorable(c) || is_accent(c);
    is_normal_cluster(text)
        || (!text.chars().any(dropped) && is_nfkc_quick(text.chars()) == IsNormalized::Yes)
}
