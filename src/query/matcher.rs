//! The one matcher of terms: words, wildcards, fuzzy words, stems and term regexes, over the folded
//! and the exact form of a term. The evaluator asks it per term, the index per dictionary entry.

use regex::Regex;
use rust_stemmers::Stemmer;

use super::analysis;
use super::ast::{Piece, Pieces, StemLanguage};

/// Which form of a term is meant: the two dictionaries of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TermForm {
    /// Case and accents folded.
    Folded,
    /// Case folded, accents kept.
    Exact,
}

/// A pattern over terms. A term matches when any form the pattern reads matches
/// (see [`TermPattern::reads`]).
#[derive(Clone, Debug)]
pub struct TermPattern {
    kind: PatternKind,
    strict: bool,
}

/// The sorts of pattern, for callers that treat one specially.
#[derive(Clone, Debug)]
pub enum PatternKind {
    /// One term.
    Literal {
        /// Folded form.
        folded: String,
        /// Exact form.
        exact: String,
    },
    /// `*` and `?`.
    Wildcard {
        /// Over folded forms.
        folded: Glob,
        /// Over exact forms.
        exact: Glob,
    },
    /// Optimal string alignment distance.
    Fuzzy {
        /// Folded form.
        folded: String,
        /// Exact form.
        exact: String,
        /// Largest distance, 1 or 2.
        distance: u8,
    },
    /// Same Snowball stem.
    Stem {
        /// The language.
        language: StemLanguage,
        /// Stem of the folded form.
        folded: String,
        /// Stem of the exact form.
        exact: String,
    },
    /// Whole-term regular expression, case-blind.
    Regex(Regex),
}

impl TermPattern {
    /// The pattern of one term in both forms; `strict` compares exact forms only.
    pub fn literal(
        folded: impl Into<String>,
        exact: impl Into<String>,
        strict: bool,
    ) -> TermPattern {
        let (folded, exact) = (folded.into(), exact.into());
        TermPattern {
            kind: PatternKind::Literal { folded, exact },
            strict,
        }
    }

    /// The pattern of a word with wildcards, its literals in both forms.
    pub fn wildcard(folded: Glob, exact: Glob, strict: bool) -> TermPattern {
        TermPattern {
            kind: PatternKind::Wildcard { folded, exact },
            strict,
        }
    }

    /// Terms within `distance` (1 or 2) edits of the word.
    pub fn fuzzy(
        folded: impl Into<String>,
        exact: impl Into<String>,
        distance: u8,
        strict: bool,
    ) -> TermPattern {
        let (folded, exact) = (folded.into(), exact.into());
        TermPattern {
            kind: PatternKind::Fuzzy {
                folded,
                exact,
                distance,
            },
            strict,
        }
    }

    /// Terms with the same stem as the word, given in both forms. Stems are compared folded unless
    /// `strict`; the exact form is read too because stemmers know accents.
    pub fn stem(language: StemLanguage, folded: &str, exact: &str, strict: bool) -> TermPattern {
        TermPattern {
            kind: PatternKind::Stem {
                language,
                folded: stem(language, folded, false),
                exact: stem(language, exact, strict),
            },
            strict,
        }
    }

    /// Terms that match the expression as a whole, in either form.
    ///
    /// # Errors
    /// The compiler's error when the expression is not valid or too large.
    pub fn regex(source: &str, strict: bool) -> Result<TermPattern, regex::Error> {
        // Alone first: an expression that closes the group early must not pass.
        let build = |source: &str| {
            regex::RegexBuilder::new(source)
                .case_insensitive(true)
                .size_limit(REGEX_BYTES_MAX)
                .build()
        };
        build(source)?;
        let regex = build(&format!("^(?:{source})$"))?;
        Ok(TermPattern {
            kind: PatternKind::Regex(regex),
            strict,
        })
    }

    /// What sort it is.
    pub const fn kind(&self) -> &PatternKind {
        &self.kind
    }

    /// Whether only exact forms count (`accent:strict`).
    pub const fn is_strict(&self) -> bool {
        self.strict
    }

    /// The forms the pattern reads, first the one most terms are found by. A dictionary of a form
    /// that is not read need not be scanned.
    pub const fn reads(&self) -> &'static [TermForm] {
        match (&self.kind, self.strict) {
            (_, true) => &[TermForm::Exact],
            (PatternKind::Stem { .. } | PatternKind::Regex(_), false) => {
                &[TermForm::Folded, TermForm::Exact]
            }
            _ => &[TermForm::Folded],
        }
    }

    /// Whether one form of a term matches. Only meaningful for forms in [`TermPattern::reads`].
    pub fn matches_form(&self, form: TermForm, term: &str) -> bool {
        match (&self.kind, form) {
            (PatternKind::Literal { folded, .. }, TermForm::Folded) => folded == term,
            (PatternKind::Literal { exact, .. }, TermForm::Exact) => exact == term,
            (PatternKind::Wildcard { folded, .. }, TermForm::Folded) => folded.matches(term),
            (PatternKind::Wildcard { exact, .. }, TermForm::Exact) => exact.matches(term),
            (
                PatternKind::Fuzzy {
                    folded, distance, ..
                },
                TermForm::Folded,
            ) => within(folded, term, *distance),
            (
                PatternKind::Fuzzy {
                    exact, distance, ..
                },
                TermForm::Exact,
            ) => within(exact, term, *distance),
            (
                PatternKind::Stem {
                    language, folded, ..
                },
                TermForm::Folded,
            ) => stem(*language, term, false) == *folded,
            (
                PatternKind::Stem {
                    language, exact, ..
                },
                TermForm::Exact,
            ) => stem(*language, term, self.strict) == *exact,
            (PatternKind::Regex(regex), _) => regex.is_match(term),
        }
    }

    /// Whether a term matches.
    pub fn matches(&self, folded: &str, exact: &str) -> bool {
        self.reads().iter().any(|form| match form {
            TermForm::Folded => self.matches_form(TermForm::Folded, folded),
            TermForm::Exact => self.matches_form(TermForm::Exact, exact),
        })
    }

    /// The only term that can match in that form: no dictionary scan is needed.
    pub fn only_term(&self, form: TermForm) -> Option<&str> {
        match (&self.kind, form) {
            (PatternKind::Literal { folded, .. }, TermForm::Folded) => Some(folded),
            (PatternKind::Literal { exact, .. }, TermForm::Exact) => Some(exact),
            _ => None,
        }
    }

    /// What every matching term begins with in that form; empty when nothing is known. A scan of
    /// the dictionary may be limited to this prefix.
    pub fn prefix(&self, form: TermForm) -> &str {
        match (&self.kind, form) {
            (PatternKind::Wildcard { folded, .. }, TermForm::Folded) => folded.prefix(),
            (PatternKind::Wildcard { exact, .. }, TermForm::Exact) => exact.prefix(),
            _ => self.only_term(form).unwrap_or(""),
        }
    }
}

/// The largest compiled regular expression, in bytes.
pub const REGEX_BYTES_MAX: usize = 1 << 20;

/// Whether a term matches a pattern: the same answer for evaluator and index.
pub fn matches_term(pattern: &TermPattern, folded: &str, exact: &str) -> bool {
    pattern.matches(folded, exact)
}

/// The stem of one form of a term; accents stay only when the comparison is strict.
fn stem(language: StemLanguage, term: &str, strict: bool) -> String {
    let stem = Stemmer::create(language.algorithm()).stem(term);
    if strict {
        stem.into_owned()
    } else {
        analysis::fold(&stem)
    }
}

fn within(word: &str, term: &str, distance: u8) -> bool {
    analysis::osa_distance_at_most(word, term, distance.into())
}

/// A wildcard pattern: literals with `*` (any run) and `?` (one character) between.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    pieces: Vec<Piece>,
}

impl Glob {
    /// The pattern of a word, each literal put through `form` (fold or exact) first. Neighbouring
    /// `*` are one.
    pub fn new(pieces: &Pieces, form: impl Fn(&str) -> String) -> Glob {
        let mut out: Vec<Piece> = Vec::with_capacity(pieces.0.len());
        for piece in &pieces.0 {
            match (piece, out.last_mut()) {
                (Piece::AnyRun, Some(Piece::AnyRun)) => {}
                (Piece::Literal(text), Some(Piece::Literal(last))) => last.push_str(&form(text)),
                (Piece::Literal(text), _) => out.push(Piece::Literal(form(text))),
                (piece, _) => out.push(piece.clone()),
            }
        }
        Glob { pieces: out }
    }

    /// Whether the whole term matches.
    pub fn matches(&self, term: &str) -> bool {
        matches_pieces(&self.pieces, term)
    }

    /// The literal every match begins with; may be empty.
    pub fn prefix(&self) -> &str {
        match self.pieces.first() {
            Some(Piece::Literal(text)) => text,
            _ => "",
        }
    }

    /// The pieces, literals already in the right form.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }
}

/// Greedy matching with one point of return, the last `*`: linear in the term for each piece.
fn matches_pieces(pieces: &[Piece], term: &str) -> bool {
    let (mut piece, mut rest) = (0, term);
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let step = match pieces.get(piece) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Piece::AnyRun) => {
                retry = Some((piece + 1, rest));
                piece += 1;
                continue;
            }
            Some(Piece::AnyOne) => rest.chars().next().map(|letter| &rest[letter.len_utf8()..]),
            Some(Piece::Literal(text)) => rest.strip_prefix(text.as_str()),
        };
        if let Some(next) = step {
            rest = next;
            piece += 1;
            continue;
        }
        let Some((after_star, from)) = retry else {
            return false;
        };
        let Some(letter) = from.chars().next() else {
            return false;
        };
        rest = &from[letter.len_utf8()..];
        retry = Some((after_star, rest));
        piece = after_star;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glob(text: &str) -> Glob {
        let pieces = text
            .chars()
            .map(|letter| match letter {
                '*' => Piece::AnyRun,
                '?' => Piece::AnyOne,
                letter => Piece::Literal(letter.to_string()),
            })
            .collect();
        Glob::new(&Pieces(pieces), str::to_owned)
    }

    #[test]
    fn s3_wildcards_match_whole_terms() {
        for (pattern, term, expected) in [
            ("disc*", "discount", true),
            ("disc*", "disc", true),
            ("disc*", "a-disc", false),
            ("?at", "cat", true),
            ("?at", "at", false),
            ("*count*", "discounts", true),
            ("colo*r", "colour", true),
            ("colo*r", "color", true),
            ("colo*r", "colors", false),
            ("*ab*ab", "ababab", true),
            ("*ab*ab", "ab", false),
            ("a?c", "aéc", true),
            ("*", "", true),
        ] {
            assert_eq!(glob(pattern).matches(term), expected, "{pattern} on {term}");
        }
        assert_eq!(glob("disc*").prefix(), "disc");
        assert_eq!(glob("*disc").prefix(), "");
    }

    #[test]
    fn s5_a_term_regex_matches_the_whole_term_in_either_form() {
        let pattern = TermPattern::regex("caf[eé]s?", false).unwrap();
        assert!(pattern.matches("cafe", "café"));
        assert!(!pattern.matches("cafeteria", "cafetéria"));
        let alternatives = TermPattern::regex("a|b", false).unwrap();
        assert!(!alternatives.matches("ab", "ab"));
        assert!(TermPattern::regex("(a", false).is_err());
    }

    #[test]
    fn strict_patterns_compare_exact_forms_only() {
        let lenient = TermPattern::literal("cafe", "café", false);
        let strict = TermPattern::literal("cafe", "café", true);
        assert!(lenient.matches("cafe", "cafe"));
        assert!(!strict.matches("cafe", "cafe"));
        assert!(strict.matches("cafe", "café"));
    }

    #[test]
    fn stems_join_the_forms_of_one_word() {
        let pattern = TermPattern::stem(StemLanguage::English, "promise", "promise", false);
        assert!(pattern.matches("promises", "promises"));
        assert!(pattern.matches("promised", "promised"));
        assert!(!pattern.matches("premise", "premise"));
    }
}
