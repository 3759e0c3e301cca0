//! Words, phrases and word proximity as places in one text.

use super::{Resolver, settle_stem};
use crate::query::analysis::{Place, analyse_query_word, exact, fold};
use crate::query::ast::{
    Anchor, Distance, Expr, ExprKind, Phrase, PhraseItem, Piece, Pieces, TextField, Word, WordForm,
};
use crate::query::matcher::{Glob, TermPattern};
use crate::query::resolved::{Near, Node, Slot, SpanQuery, TextLeaf};

impl Resolver<'_> {
    pub(super) fn text_leaf(&mut self, expr: &mut Expr, field: TextField) -> Node {
        Node::Text(TextLeaf {
            field,
            span: self.span(expr),
        })
    }

    /// The places of an operand of word proximity. Expressions that have none find nothing.
    fn span(&mut self, expr: &mut Expr) -> SpanQuery {
        match &mut expr.kind {
            ExprKind::Word(word) => self.word(word),
            ExprKind::Phrase(phrase) => self.phrase(phrase),
            ExprKind::TermRegex(pattern) => {
                let pattern = TermPattern::regex(&pattern.source, self.strict);
                SpanQuery::Term(pattern.into_iter().collect())
            }
            ExprKind::Anchor(Anchor::Start) => SpanQuery::Start,
            ExprKind::Anchor(Anchor::End) => SpanQuery::End,
            ExprKind::Or(parts) => {
                SpanQuery::Or(parts.iter_mut().map(|part| self.span(part)).collect())
            }
            ExprKind::Proximity(near) => {
                let distance = match near.distance {
                    Distance::Words(count) => count,
                    Distance::Messages(_) | Distance::Time(_) => return SpanQuery::Or(Vec::new()),
                };
                SpanQuery::Near(Box::new(Near {
                    left: self.span(&mut near.left),
                    right: self.span(&mut near.right),
                    ordered: near.ordered,
                    negated: near.negated,
                    distance,
                }))
            }
            _ => SpanQuery::Or(Vec::new()),
        }
    }

    fn word(&mut self, word: &mut Word) -> SpanQuery {
        settle_stem(&mut word.form, self.language);
        let strict = self.strict;
        if word.pieces.has_wildcard() {
            return SpanQuery::Term(vec![wildcard(&word.pieces, strict)]);
        }
        let places = analyse_query_word(&word.pieces.text()).unquoted;
        let form = places.first().and_then(|place| place.any.first());
        match (word.form, form) {
            (WordForm::Fuzzy(distance), Some(form)) => SpanQuery::Term(vec![TermPattern::fuzzy(
                form.folded.as_str(),
                form.exact.as_str(),
                distance,
                strict,
            )]),
            (WordForm::Stem(Some(language)), Some(form)) => {
                SpanQuery::Term(vec![TermPattern::stem(
                    language,
                    &form.folded,
                    &form.exact,
                    strict,
                )])
            }
            _ => sequence(&places, strict),
        }
    }

    fn phrase(&mut self, phrase: &Phrase) -> SpanQuery {
        match phrase.slop {
            None => {
                let slots = phrase
                    .items
                    .iter()
                    .flat_map(|item| self.item(item).0)
                    .collect();
                SpanQuery::Phrase(slots)
            }
            Some(slop) => self.window(phrase, slop),
        }
    }

    /// The slots of one item of a phrase, and how many positions they cover.
    fn item(&self, item: &PhraseItem) -> (Vec<Slot>, u32) {
        match item {
            PhraseItem::AnyWord => (vec![Slot::AnyWord], 1),
            PhraseItem::Word(pieces) if pieces.has_wildcard() => {
                let any = vec![wildcard(pieces, self.strict)];
                (vec![Slot::Term { any, overlap: 0 }], 1)
            }
            PhraseItem::Word(pieces) => {
                let places = analyse_query_word(&pieces.text()).quoted;
                (slots(&places, self.strict), length(&places))
            }
        }
    }

    fn window(&self, phrase: &Phrase, slop: u32) -> SpanQuery {
        let mut words = Vec::new();
        let mut positions = slop;
        for item in &phrase.items {
            let (mut slots, length) = self.item(item);
            positions += length;
            match (slots.len(), slots.pop()) {
                (0, _) | (1, Some(Slot::AnyWord)) | (_, None) => {}
                (1, Some(Slot::Term { any, .. })) => words.push(SpanQuery::Term(any)),
                (_, Some(last)) => {
                    slots.push(last);
                    words.push(SpanQuery::Phrase(slots));
                }
            }
        }
        SpanQuery::Window { words, positions }
    }
}

/// A word as its places one after the other.
pub(super) fn sequence(places: &[Place], strict: bool) -> SpanQuery {
    let mut slots = slots(places, strict);
    match (slots.len(), slots.pop()) {
        (1, Some(Slot::Term { any, .. })) => SpanQuery::Term(any),
        (_, Some(last)) => {
            slots.push(last);
            SpanQuery::Phrase(slots)
        }
        (_, None) => SpanQuery::Or(Vec::new()),
    }
}

fn slots(places: &[Place], strict: bool) -> Vec<Slot> {
    let next_offsets = places
        .iter()
        .skip(1)
        .map(|place| Some(place.offset))
        .chain([None]);
    places
        .iter()
        .zip(next_offsets)
        .map(|(place, next)| Slot::Term {
            any: patterns(place, strict),
            overlap: next.map_or(0, |next| (place.offset + place.span).saturating_sub(next)),
        })
        .collect()
}

/// The forms of a place, each once.
pub(super) fn patterns(place: &Place, strict: bool) -> Vec<TermPattern> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for form in &place.any {
        let forms = (form.folded.as_str(), form.exact.as_str());
        if !seen.contains(&forms) {
            seen.push(forms);
        }
    }
    seen.into_iter()
        .map(|(folded, exact)| TermPattern::literal(folded, exact, strict))
        .collect()
}

fn length(places: &[Place]) -> u32 {
    match (places.first(), places.last()) {
        (Some(first), Some(last)) => last.offset + last.span - first.offset,
        _ => 0,
    }
}

/// A wildcard over terms. The scheme of a web address goes: terms of addresses have none.
pub(super) fn wildcard(pieces: &Pieces, strict: bool) -> TermPattern {
    let mut pieces = pieces.clone();
    if let Some(Piece::Literal(text)) = pieces.0.first_mut()
        && let Some((_, rest)) = text.split_once("://")
    {
        *text = rest.to_owned();
    }
    TermPattern::wildcard(Glob::new(&pieces, fold), Glob::new(&pieces, exact), strict)
}
