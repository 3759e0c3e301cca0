//! How a term of a text becomes a key of the dictionary, and how the terms of a message travel to
//! the engine without an allocation per term.
//!
//! ```text
//! key  = folded                                     covers one position, exact form is the same
//!      | folded NUL span(char) [exact]              otherwise; exact only where it differs
//! mark = NUL "e"                                    at the position after the last word of a text
//! ```
//! Every occurrence is in the index once, under one key. Sorted order keeps all keys of a folded
//! form together, so a word is one short range of the dictionary, `accent:strict` a selection of
//! it, and the positions a term covers are known without opening the text.
//!
//! Two texts of one field are [`POSITION_GAP`] apart: a text begins that far behind the mark of the
//! one before, so the marks alone tell where every text begins and ends.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::query::analysis::Analysis;

/// Positions between two texts of one field: more than the longest phrase plus its slop, so
/// nothing spans two texts (spec/index section 5).
pub(super) const POSITION_GAP: u32 = 4_096;
/// The key of the mark behind the last word of a text.
pub(super) const END_KEY: &str = "\0e";
/// The first key that is a term.
pub(super) const FIRST_TERM: &str = "\u{1}";
/// Name under which the engine knows the tokenizer.
pub(super) const TOKENIZER: &str = "packed";
/// Widest span a key can say.
const SPAN_MAX: u32 = 0xD7FF;

/// A key taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TermKey<'a> {
    pub folded: &'a str,
    pub exact: &'a str,
    pub span: u32,
}

impl<'a> TermKey<'a> {
    /// Reads a key of the dictionary; `None` for marks and for bytes no writer left.
    pub fn parse(key: &'a [u8]) -> Option<TermKey<'a>> {
        let text = std::str::from_utf8(key).ok()?;
        let Some((folded, rest)) = text.split_once('\0') else {
            return Some(TermKey {
                folded: text,
                exact: text,
                span: 1,
            });
        };
        if folded.is_empty() {
            return None;
        }
        let span = rest.chars().next()?;
        let exact = &rest[span.len_utf8()..];
        Some(TermKey {
            folded,
            exact: if exact.is_empty() { folded } else { exact },
            span: u32::from(span),
        })
    }

    /// Writes the key behind `out`.
    pub fn write(&self, out: &mut String) {
        out.push_str(self.folded);
        let same = self.exact == self.folded;
        if self.span == 1 && same {
            return;
        }
        out.push('\0');
        out.push(char::from_u32(self.span.clamp(1, SPAN_MAX)).unwrap_or('\u{1}'));
        if !same {
            out.push_str(self.exact);
        }
    }
}

/// The bounds of all keys of one folded form: from itself to before itself + U+0001.
pub(super) fn key_range(folded: &str) -> (String, String) {
    (folded.to_owned(), format!("{folded}{FIRST_TERM}"))
}

/// A number (a step between positions, a length) as one character, leaving out the surrogates.
fn push_number(out: &mut String, number: u32) {
    let code = if number < 0xD800 {
        number
    } else {
        number + 0x800
    };
    out.push(char::from_u32(code).unwrap_or(char::MAX));
}

fn number_of(letter: char) -> u32 {
    let code = u32::from(letter);
    if code < 0xD800 { code } else { code - 0x800 }
}

/// Collects the terms of all texts of one field of one message.
#[derive(Default)]
pub(super) struct Packer {
    out: String,
    key: String,
    base: u32,
    /// Position of the last term, from which the next one counts.
    last: u32,
    /// Keys already written at the current position, as ranges of `out`.
    here: Vec<std::ops::Range<usize>>,
}

impl Packer {
    /// Starts a message anew.
    pub fn begin(&mut self) {
        self.out.clear();
        self.base = 0;
        self.last = 0;
    }

    /// Adds one text. Texts without words leave no trace.
    pub fn add(&mut self, analysis: &Analysis) {
        if analysis.positions() == 0 {
            return;
        }
        self.here.clear();
        let mut at = u32::MAX;
        for term in analysis.terms() {
            let position = self.base.saturating_add(term.position);
            if position != at {
                self.here.clear();
                at = position;
            }
            self.key.clear();
            TermKey {
                folded: term.folded,
                exact: term.exact,
                span: term.span,
            }
            .write(&mut self.key);
            self.push(position);
        }
        self.key.clear();
        self.key.push_str(END_KEY);
        let end = self.base.saturating_add(analysis.positions());
        self.here.clear();
        self.here.clear();
        self.push(end);
        self.base = end.saturating_add(POSITION_GAP);
    }

    /// An alias may spell what another term of the same place spells already.
    fn push(&mut self, position: u32) {
        let known = self
            .here
            .iter()
            .any(|range| self.out[range.clone()] == self.key);
        if known {
            return;
        }
        push_number(&mut self.out, position - self.last);
        self.last = position;
        push_number(&mut self.out, self.key.len() as u32);
        let start = self.out.len();
        self.out.push_str(&self.key);
        self.here.push(start..self.out.len());
    }

    /// The packed terms; empty when no text had a word.
    pub fn packed(&self) -> &str {
        &self.out
    }
}

/// Unpacks for the engine.
#[derive(Clone, Default)]
pub(super) struct PackedTokenizer {
    token: Token,
}

/// The terms of a packed text, through one reused token.
pub(super) struct PackedStream<'a> {
    rest: &'a str,
    position: usize,
    token: &'a mut Token,
}

impl Tokenizer for PackedTokenizer {
    type TokenStream<'a> = PackedStream<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PackedStream<'a> {
        self.token.reset();
        PackedStream {
            rest: text,
            position: 0,
            token: &mut self.token,
        }
    }
}

impl TokenStream for PackedStream<'_> {
    #[inline]
    fn advance(&mut self) -> bool {
        let mut letters = self.rest.chars();
        let (Some(position), Some(length)) = (letters.next(), letters.next()) else {
            return false;
        };
        let rest = letters.as_str();
        let (key, rest) = rest.split_at(number_of(length) as usize);
        self.position += number_of(position) as usize;
        self.token.position = self.position;
        self.token.text.clear();
        self.token.text.push_str(key);
        self.rest = rest;
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::analysis::analyse;

    fn packed(texts: &[&str]) -> Vec<(u32, String)> {
        let mut packer = Packer::default();
        packer.begin();
        let mut analysis = Analysis::new();
        for text in texts {
            analyse(text, &mut analysis);
            packer.add(&analysis);
        }
        let mut tokenizer = PackedTokenizer::default();
        let mut stream = tokenizer.token_stream(packer.packed());
        let mut tokens = Vec::new();
        while stream.advance() {
            tokens.push((stream.token().position as u32, stream.token().text.clone()));
        }
        tokens
    }

    #[test]
    fn a_key_reads_back() {
        for (folded, exact, span) in [
            ("cafe", "cafe", 1),
            ("cafe", "café", 1),
            ("e-mail", "e-mail", 2),
            ("sao-joao", "são-joão", 2),
        ] {
            let key = TermKey {
                folded,
                exact,
                span,
            };
            let mut text = String::new();
            key.write(&mut text);
            assert_eq!(TermKey::parse(text.as_bytes()), Some(key));
        }
        assert_eq!(TermKey::parse(END_KEY.as_bytes()), None);
    }

    #[test]
    fn all_keys_of_a_word_lie_in_its_range() {
        let (from, until) = key_range("cafe");
        for key in ["cafe", "cafe\0\u{1}café", "cafe\0\u{3}"] {
            assert!(*key >= *from && *key < *until);
        }
        for key in ["cafes", "caf", "cafe-creme", "cafe\u{1}"] {
            assert!(!(*key >= *from && *key < *until));
        }
    }

    #[test]
    fn versions_are_a_gap_apart_and_empty_ones_leave_no_trace() {
        let tokens = packed(&["alpha beta", "", "gamma"]);
        let expected = [
            (0, "alpha"),
            (1, "beta"),
            (2, END_KEY),
            (2 + POSITION_GAP, "gamma"),
            (3 + POSITION_GAP, END_KEY),
        ];
        let expected: Vec<(u32, String)> = expected
            .into_iter()
            .map(|(position, key)| (position, key.to_owned()))
            .collect();
        assert_eq!(tokens, expected);
    }

    #[test]
    fn positions_never_go_back() {
        let tokens = packed(&["mail ana@acme.example re INV-2024/17, don't 1,200.50 今天 ok"]);
        assert!(tokens.is_sorted_by_key(|(position, _)| *position));
    }
}
