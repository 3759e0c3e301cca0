//! The tokens of a query, before the grammar gives them meaning.

use super::ast::{Anchor, Comparison, Pattern, PhraseItem, Piece, Pieces};
use super::fields::Field;
use super::problem::Span;

/// One token with its place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: TokenKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum TokenKind {
    Open,
    Close,
    /// `@name` or `@name(duration)` right after a closing parenthesis.
    Scope {
        name: String,
        duration: Option<String>,
    },
    And,
    Or,
    Not,
    Minus,
    Proximity(RawProximity),
    /// A field and what follows its colon; a group follows as ordinary tokens.
    Field(Field, RawValue),
    Word(RawWord),
    Phrase(RawPhrase),
    Regex(Pattern),
    Anchor(Anchor),
}

/// A proximity operator as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RawProximity {
    pub ordered: bool,
    pub negated: bool,
    /// Saturated at `u32::MAX`.
    pub count: u32,
    pub unit: RawUnit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RawUnit {
    Words,
    Messages,
    Minutes,
    Hours,
    Days,
}

/// A word with its suffix.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawWord {
    pub pieces: Pieces,
    pub suffix: Suffix,
    /// Where the suffix stands; empty at the end of the word when there is none.
    pub suffix_span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Suffix {
    None,
    /// `~` with the digits after it.
    Fuzzy(String),
    /// `^stem` with the code after its colon.
    Stem(Option<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawPhrase {
    pub items: Vec<PhraseItem>,
    /// The digits after `~`, where there is one.
    pub slop: Option<String>,
    pub slop_span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum RawValue {
    /// Nothing after the colon.
    Missing,
    /// `(` follows.
    Group,
    /// `/re/`.
    Regex(Pattern, Span),
    /// One or several atoms.
    Atoms {
        comparison: Option<Comparison>,
        atoms: Vec<RawAtom>,
        range: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct RawAtom {
    pub kind: AtomKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum AtomKind {
    Word(RawWord),
    Phrase(RawPhrase),
}

impl RawAtom {
    /// The characters without quotes and escapes.
    pub fn pieces(&self) -> Pieces {
        match &self.kind {
            AtomKind::Word(word) => word.pieces.clone(),
            AtomKind::Phrase(phrase) => phrase.joined(),
        }
    }
}

impl RawPhrase {
    /// The items as one name, one blank between.
    pub fn joined(&self) -> Pieces {
        let mut out = Pieces::default();
        for (place, item) in self.items.iter().enumerate() {
            if place > 0 {
                push_literal(&mut out, ' ');
            }
            match item {
                PhraseItem::AnyWord => out.0.push(Piece::AnyRun),
                PhraseItem::Word(pieces) => {
                    for piece in &pieces.0 {
                        match piece {
                            Piece::Literal(text) => {
                                text.chars()
                                    .for_each(|letter| push_literal(&mut out, letter));
                            }
                            wild => out.0.push(wild.clone()),
                        }
                    }
                }
            }
        }
        out
    }
}

impl Pieces {
    /// The same name with one blank where it had several, and none at its ends: escaped blanks and
    /// blanks in quotes are the same value, and print alike.
    pub(super) fn single_spaced(&self) -> Self {
        let mut out = Self::default();
        let mut blank = false;
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => {
                    for letter in text.chars() {
                        if letter.is_whitespace() {
                            blank = !out.0.is_empty();
                        } else {
                            if std::mem::take(&mut blank) {
                                push_literal(&mut out, ' ');
                            }
                            push_literal(&mut out, letter);
                        }
                    }
                }
                wild => {
                    if std::mem::take(&mut blank) {
                        push_literal(&mut out, ' ');
                    }
                    out.0.push(wild.clone());
                }
            }
        }
        out
    }
}

/// Adds a letter to the last literal.
pub(super) fn push_literal(pieces: &mut Pieces, letter: char) {
    match pieces.0.last_mut() {
        Some(Piece::Literal(text)) => text.push(letter),
        _ => pieces.0.push(Piece::Literal(letter.to_string())),
    }
}
