//! What a word of a query must find in a text.

use super::scan::analyse;
use super::term::{Analysis, Term, TermKind};

/// One form that a term of the text may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// Compared with [`Term::folded`].
    pub folded: String,
    /// Compared with [`Term::exact`] under `accent:strict`, and for ranking.
    pub exact: String,
    /// What the form is to the query word; a plain word also finds parts, wholes and aliases.
    pub kind: TermKind,
}

/// One place of a sequence: any of its forms stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Positions from the start of the sequence, when every term covers `span` positions.
    pub offset: u32,
    /// Positions the forms cover in the query word itself. Where the matched term of the text
    /// covers more, the places after it move by the difference.
    pub span: u32,
    /// The forms, at least one.
    pub any: Vec<Form>,
}

/// What a word of a query must find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryTerms {
    /// Outside quotes: all of these places, adjacent in order. A simple word or a compound is one
    /// place whose forms are its whole term and aliases; more places where the word is glued from
    /// several (`iPhone手机`) or is a run of a script without spaces (one place per bigram).
    pub unquoted: Vec<Place>,
    /// Inside quotes: the parts, adjacent in order, joiners ignored.
    pub quoted: Vec<Place>,
}

impl QueryTerms {
    /// Whether the word has no searchable character (Q017).
    pub fn is_empty(&self) -> bool {
        self.unquoted.is_empty()
    }
}

/// Analyses one word of a query, without its wildcards and operators.
///
/// The word is read by the same analyser as texts, so whatever it is made of, it finds the same
/// characters in a text. A wider name of the word ([`TermKind::Wider`]) is never looked for.
pub fn analyse_query_word(word: &str) -> QueryTerms {
    let mut analysis = Analysis::new();
    analyse(word, &mut analysis);
    let terms: Vec<Term<'_>> = analysis.terms().collect();
    let quoted = places(&terms, analysis.positions(), Reading::Parts);
    let unquoted = places(&terms, analysis.positions(), Reading::Wholes);
    QueryTerms { unquoted, quoted }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Wholes,
    Parts,
}

/// The places from the first position to the last.
fn places(terms: &[Term<'_>], positions: u32, reading: Reading) -> Vec<Place> {
    let mut places = Vec::new();
    let mut position = 0;
    while position < positions {
        let here = at_position(terms, position);
        let place = match reading {
            Reading::Wholes => whole(here).or_else(|| part(here)),
            Reading::Parts => part(here).or_else(|| whole(here)),
        };
        let Some(place) = place else {
            position += 1;
            continue;
        };
        // The second character of a pair is the first of the next pair, and nothing by itself.
        let pair = place.any.iter().any(|form| form.kind == TermKind::Bigram);
        let next_is_pair = at_position(terms, position + 1)
            .iter()
            .any(|term| term.kind == TermKind::Bigram);
        position += if pair && next_is_pair { 1 } else { place.span };
        places.push(place);
    }
    places
}

/// The terms at one position.
fn at_position<'t, 'a>(terms: &'t [Term<'a>], position: u32) -> &'t [Term<'a>] {
    let start = terms.partition_point(|term| term.position < position);
    let end = terms.partition_point(|term| term.position <= position);
    &terms[start..end]
}

/// The whole of the compound that begins here, with its aliases.
fn whole(here: &[Term<'_>]) -> Option<Place> {
    let is_whole = |term: &Term<'_>| matches!(term.kind, TermKind::Whole | TermKind::Emoji);
    let first = here.iter().find(|term| is_whole(term))?;
    Some(place(here, first.span, |term| {
        is_whole(term) || term.kind == TermKind::Alias
    }))
}

/// The part, word or pair of characters that begins here.
fn part(here: &[Term<'_>]) -> Option<Place> {
    if here.iter().any(|term| term.kind == TermKind::Bigram) {
        return Some(place(here, 2, |term| term.kind == TermKind::Bigram));
    }
    if let Some(emoji) = here.iter().find(|term| term.kind == TermKind::Emoji) {
        return Some(place(here, emoji.span, |term| term.kind == TermKind::Emoji));
    }
    let single = |term: &&Term<'_>| {
        term.span == 1
            && matches!(
                term.kind,
                TermKind::Word | TermKind::Part | TermKind::Unigram
            )
    };
    here.iter().find(single)?;
    Some(place(here, 1, |term| {
        term.kind != TermKind::Wider && term.kind != TermKind::Whole
    }))
}

fn place(here: &[Term<'_>], span: u32, wanted: impl Fn(&Term<'_>) -> bool) -> Place {
    let any = here
        .iter()
        .filter(|term| term.span == span && wanted(term))
        .map(|term| Form {
            folded: term.folded.to_owned(),
            exact: term.exact.to_owned(),
            kind: term.kind,
        })
        .collect();
    Place {
        offset: here.first().map_or(0, |term| term.position),
        span,
        any,
    }
}
