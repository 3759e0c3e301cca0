//! Words, phrases and regular expressions, outside the values of other fields.

use super::Parser;
use crate::query::analysis::{TermKind, analyse_query_word, fold};
use crate::query::ast::{
    ExprKind, Pattern, Phrase, PhraseItem, Piece, Pieces, StemLanguage, TextField, Word, WordForm,
};
use crate::query::evaluate::SLOP_WORDS_MAX;
use crate::query::lexer::number;
use crate::query::matcher::{REGEX_BYTES_MAX, TermPattern};
use crate::query::problem::{Code, Problem, Span};
use crate::query::token::{RawPhrase, RawWord, Suffix};

/// Fewest letters of a fuzzy word.
const FUZZY_LETTERS_MIN: usize = 4;
/// Largest distance of a fuzzy word.
const FUZZY_MAX: u32 = 2;
/// Largest slop of a phrase, in positions.
const SLOP_MAX: u32 = 250;

impl Parser<'_> {
    pub(super) fn word(&mut self, raw: &RawWord, span: Span) -> Option<ExprKind> {
        let pieces = self.drop_unspaced_wildcards(&raw.pieces, span);
        let only_stars =
            pieces.0.iter().all(|piece| *piece == Piece::AnyRun) && !pieces.0.is_empty();
        if only_stars && raw.suffix == Suffix::None {
            return Some(ExprKind::Everything);
        }
        if !self.is_searchable(&pieces, span) {
            return None;
        }
        if raw.suffix == Suffix::None {
            self.note_word(&pieces, span);
        }
        let form = match &raw.suffix {
            Suffix::None => WordForm::Plain,
            Suffix::Fuzzy(digits) => self.fuzzy(&pieces, digits, raw.suffix_span, span)?,
            Suffix::Stem(code) => self.stem(&pieces, code.as_deref(), raw.suffix_span)?,
        };
        Some(ExprKind::Word(Word { pieces, form }))
    }

    /// Whether something is left to search; reports what is not.
    fn is_searchable(&mut self, pieces: &Pieces, span: Span) -> bool {
        if pieces.has_wildcard() {
            let literal = pieces.0.iter().any(|piece| match piece {
                Piece::Literal(text) => fold(text).chars().any(char::is_alphanumeric),
                _ => false,
            });
            if !literal {
                self.report(Problem::new(
                    Code::Q022,
                    span,
                    "a wildcard needs at least one letter or digit beside it",
                ));
            }
            return literal;
        }
        let text = pieces.text();
        let found = !analyse_query_word(&text).is_empty();
        if !found {
            self.report(
                Problem::new(
                    Code::Q017,
                    span,
                    format!("\"{text}\" has no searchable character"),
                )
                .suggest("drop it", span, ""),
            );
        }
        found
    }

    fn note_word(&mut self, pieces: &Pieces, span: Span) {
        let raw = self.text(span);
        let operator = match raw {
            "and" => Some("AND"),
            "or" => Some("OR"),
            "not" => Some("NOT"),
            _ => None,
        };
        if let Some(operator) = operator {
            let message = format!("\"{raw}\" is searched as a word; the operator is {operator}");
            let problem = Problem::new(Code::N01, span, message).suggest(
                format!("the operator {operator}"),
                span,
                operator,
            );
            self.report(problem);
        }
        if let [.., Piece::Literal(_), Piece::AnyOne] = pieces.0.as_slice() {
            let end = Span::new(span.end.saturating_sub(1), span.end);
            if self.text(end) == "?" {
                self.report(
                    Problem::new(
                        Code::N07,
                        span,
                        "? at the end of a word stands for one more character",
                    )
                    .suggest("without ?", end, ""),
                );
            }
        }
    }

    fn fuzzy(
        &mut self,
        pieces: &Pieces,
        digits: &str,
        suffix: Span,
        span: Span,
    ) -> Option<WordForm> {
        let distance = if digits.is_empty() {
            Some(1)
        } else {
            number(digits)
        };
        let distance = distance.filter(|distance| (1..=FUZZY_MAX).contains(distance));
        let text = pieces.text();
        let letters = fold(&text)
            .chars()
            .filter(|letter| letter.is_alphanumeric())
            .count();
        let message = match distance {
            None => "a fuzzy word has distance 1 or 2".to_owned(),
            _ if pieces.has_wildcard() => "a word is fuzzy or has wildcards, not both".to_owned(),
            _ if letters < FUZZY_LETTERS_MIN => {
                format!("a fuzzy word needs at least {FUZZY_LETTERS_MIN} letters")
            }
            _ if analyse_query_word(&text).unquoted.len() != 1 => {
                "only one word of a script with blanks can be fuzzy".to_owned()
            }
            Some(distance) => return Some(WordForm::Fuzzy(distance as u8)),
        };
        let mut problem = Problem::new(Code::Q018, span, message);
        if distance.is_none() {
            problem = problem.suggest("distance 2", suffix, "~2");
        }
        self.report(problem.suggest("exactly this word", suffix, ""));
        None
    }

    fn stem(&mut self, pieces: &Pieces, code: Option<&str>, suffix: Span) -> Option<WordForm> {
        if pieces.has_wildcard() {
            self.report(
                Problem::new(
                    Code::Q022,
                    suffix,
                    "a word has wildcards or a stem, not both",
                )
                .suggest("without the stem", suffix, ""),
            );
            return None;
        }
        let language = code.map(StemLanguage::from_code);
        if language == Some(None) || analyse_query_word(&pieces.text()).unquoted.len() != 1 {
            let codes: Vec<&str> = StemLanguage::ALL.iter().map(|l| l.code()).collect();
            let message = format!("stems are known in {}", codes.join(" "));
            self.report(Problem::new(Code::Q008, suffix, message).suggest(
                "without the stem",
                suffix,
                "",
            ));
            return None;
        }
        Some(WordForm::Stem(language.flatten()))
    }

    pub(super) fn phrase(&mut self, raw: &RawPhrase, span: Span) -> Option<ExprKind> {
        let mut items = Vec::with_capacity(raw.items.len());
        for item in &raw.items {
            items.push(match item {
                PhraseItem::AnyWord => PhraseItem::AnyWord,
                PhraseItem::Word(pieces) => {
                    let pieces = self.drop_unspaced_wildcards(pieces, span);
                    if pieces.has_wildcard() && !self.is_searchable(&pieces, span) {
                        return None;
                    }
                    PhraseItem::Word(pieces)
                }
            });
        }
        let found = items.iter().any(|item| match item {
            PhraseItem::AnyWord => false,
            PhraseItem::Word(pieces) => {
                pieces.has_wildcard() || !analyse_query_word(&pieces.text()).is_empty()
            }
        });
        if !found {
            let (code, message) = match items.contains(&PhraseItem::AnyWord) {
                true => (Code::Q022, "a phrase needs at least one word besides *"),
                false => (Code::Q017, "this phrase has no searchable character"),
            };
            self.report(Problem::new(code, span, message).suggest("drop it", span, ""));
            return None;
        }
        let slop = match &raw.slop {
            None => None,
            Some(digits) => Some(self.slop(digits, items.len(), raw.slop_span)?),
        };
        Some(ExprKind::Phrase(Phrase { items, slop }))
    }

    fn slop(&mut self, digits: &str, words: usize, span: Span) -> Option<u32> {
        if words > SLOP_WORDS_MAX {
            let message = format!("a phrase with slop has at most {SLOP_WORDS_MAX} words");
            self.report(Problem::new(Code::Q002, span, message).suggest(
                "adjacent and in order",
                span,
                "",
            ));
            return None;
        }
        let slop = number(digits).filter(|slop| (1..=SLOP_MAX).contains(slop));
        if slop.is_none() {
            let message = format!("the slop of a phrase goes from 1 to {SLOP_MAX}");
            let nearest = number(digits).unwrap_or(1).clamp(1, SLOP_MAX);
            self.report(
                Problem::new(Code::Q011, span, message)
                    .suggest("the nearest allowed", span, format!("~{nearest}"))
                    .suggest("adjacent and in order", span, ""),
            );
        }
        slop
    }

    pub(super) fn term_regex(&mut self, pattern: Pattern, span: Span) -> Option<ExprKind> {
        match TermPattern::regex(&pattern.source, false) {
            Ok(_) => Some(ExprKind::TermRegex(Pattern {
                ignore_case: false,
                ..pattern
            })),
            Err(error) => {
                self.report(regex_problem(&error, span));
                None
            }
        }
    }

    pub(super) fn text_regex(
        &mut self,
        field: TextField,
        pattern: Pattern,
        span: Span,
    ) -> Option<ExprKind> {
        match compile_text_regex(&pattern) {
            Ok(_) => Some(ExprKind::TextRegex(field, pattern)),
            Err(error) => {
                self.report(regex_problem(&error, span));
                None
            }
        }
    }

    /// Characters of scripts without blanks are found as substrings anyway: wildcards that touch
    /// them are dropped (N15).
    fn drop_unspaced_wildcards(&mut self, pieces: &Pieces, span: Span) -> Pieces {
        let literal = |piece: &Piece| match piece {
            Piece::Literal(text) => Some(text.clone()),
            _ => None,
        };
        // The literal nearest to a wildcard, other wildcards passed over.
        let touches = |place: usize| {
            let (before, after) = (&pieces.0[..place], &pieces.0[place..]);
            let left = before.iter().rev().find_map(literal);
            let right = after.iter().find_map(literal);
            left.and_then(|text| text.chars().next_back())
                .is_some_and(is_unspaced)
                || right
                    .and_then(|text| text.chars().next())
                    .is_some_and(is_unspaced)
        };
        let mut kept: Vec<Piece> = Vec::with_capacity(pieces.0.len());
        for (place, piece) in pieces.0.iter().enumerate() {
            let is_wildcard = !matches!(piece, Piece::Literal(_));
            if is_wildcard && touches(place) {
                continue;
            }
            match (piece, kept.last_mut()) {
                (Piece::Literal(text), Some(Piece::Literal(last))) => last.push_str(text),
                _ => kept.push(piece.clone()),
            }
        }
        let dropped = kept
            .iter()
            .filter(|p| !matches!(p, Piece::Literal(_)))
            .count()
            < pieces
                .0
                .iter()
                .filter(|p| !matches!(p, Piece::Literal(_)))
                .count();
        if dropped {
            self.report(Problem::new(
                Code::N15,
                span,
                "the wildcard was dropped: words of this script are found inside longer runs anyway",
            ));
        }
        Pieces(kept)
    }
}

/// Whether a letter belongs to a script that is written without blanks: two of them are a pair.
fn is_unspaced(letter: char) -> bool {
    !letter.is_ascii()
        && analyse_query_word(&format!("{letter}{letter}"))
            .unquoted
            .iter()
            .any(|place| place.any.iter().any(|form| form.kind == TermKind::Bigram))
}

/// Compiles a regular expression over stored text.
pub(crate) fn compile_text_regex(pattern: &Pattern) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&pattern.source)
        .case_insensitive(pattern.ignore_case)
        .size_limit(REGEX_BYTES_MAX)
        .build()
}

fn regex_problem(error: &regex::Error, span: Span) -> Problem {
    let message = match error {
        regex::Error::CompiledTooBig(_) => "this regular expression is too large".to_owned(),
        error => {
            let text = error.to_string();
            let reason = text
                .lines()
                .last()
                .unwrap_or("")
                .trim_start_matches("error: ");
            format!("this is no regular expression: {reason}")
        }
    };
    Problem::new(Code::Q020, span, message)
}
