//! Phrases and pairs of plain words: the commonest span queries, each word with one list.
//!
//! The lists that are intersected are those whose positions are read, so nothing is decoded twice,
//! and nothing is allocated for a message. What has several lists for a word, or more to it than a
//! fixed order or a distance, goes the general way (see `span`).

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::{DocId, DocSet, TERMINATED};

use super::docset::{Docs, NoDocs};
use super::error::Result;
use super::segment::View;
use super::span::{Occurrence, distance};
use crate::query::ast::TextField;
use crate::query::{Near, Slot, SpanQuery, TermPattern};

/// One word: its list and where it stands in a message.
struct Word {
    list: SegmentPostings,
    /// Positions every occurrence covers.
    span: i64,
    /// Where it must start, counted from the start of the first word of a phrase.
    offset: i64,
    positions: Vec<u32>,
}

/// What the words must do.
enum Shape {
    /// Start at their offsets from one another.
    Phrase,
    /// Two words within a distance.
    Near { reach: i64, ordered: bool },
}

/// The places where words stand as asked.
struct Aligned {
    /// The rarest first.
    words: Vec<Word>,
    /// The words in the order of the query, as places of `words`.
    order: Vec<usize>,
    shape: Shape,
    doc: DocId,
}

/// The places of a span query, if it is of the simple sort in this segment.
pub(super) fn docs(view: &View<'_>, field: TextField, span: &SpanQuery) -> Result<Option<Docs>> {
    let mut asked: Vec<(&[TermPattern], i64)> = Vec::new();
    let shape = match span {
        SpanQuery::Phrase(slots) => {
            for slot in slots {
                let Slot::Term { any, overlap } = slot else {
                    return Ok(None);
                };
                asked.push((any, (*overlap).into()));
            }
            Shape::Phrase
        }
        SpanQuery::Near(near) => {
            let Some((pair, shape)) = pair(near) else {
                return Ok(None);
            };
            asked.extend(pair.map(|patterns| (patterns, 0)));
            shape
        }
        _ => return Ok(None),
    };
    let mut words = Vec::with_capacity(asked.len());
    let mut offset = 0;
    for (patterns, overlap) in asked {
        let mut lists = view.places(field, patterns)?;
        let (Some((list, span)), true) = (lists.pop(), lists.is_empty()) else {
            // A word without list leaves nothing; several lists go the general way.
            let none = lists.is_empty();
            return Ok(none.then(|| Box::new(NoDocs) as Docs));
        };
        let span = i64::from(span);
        words.push(Word {
            list,
            span,
            offset,
            positions: Vec::new(),
        });
        offset += span - overlap;
    }
    Ok(Some(aligned(words, shape)))
}

fn pair(near: &Near) -> Option<([&[TermPattern]; 2], Shape)> {
    let shape = Shape::Near {
        reach: near.distance.into(),
        ordered: near.ordered,
    };
    match (&near.left, &near.right) {
        (SpanQuery::Term(left), SpanQuery::Term(right)) if !near.negated => {
            Some(([left, right], shape))
        }
        _ => None,
    }
}

fn aligned(words: Vec<Word>, shape: Shape) -> Docs {
    let mut numbered: Vec<(usize, Word)> = words.into_iter().enumerate().collect();
    numbered.sort_by_key(|(_, word)| word.list.size_hint());
    let mut order = vec![0; numbered.len()];
    for (place, (number, _)) in numbered.iter().enumerate() {
        order[*number] = place;
    }
    let mut aligned = Aligned {
        words: numbered.into_iter().map(|(_, word)| word).collect(),
        order,
        shape,
        doc: 0,
    };
    let first = aligned
        .words
        .first()
        .map_or(TERMINATED, |word| word.list.doc());
    aligned.settle(first);
    Box::new(aligned)
}

impl Aligned {
    /// The first place from `target` on that holds all words as asked.
    fn settle(&mut self, mut target: DocId) -> DocId {
        'next: while target != TERMINATED {
            for word in &mut self.words {
                let doc = if word.list.doc() < target {
                    word.list.seek(target)
                } else {
                    word.list.doc()
                };
                if doc > target {
                    target = doc;
                    continue 'next;
                }
            }
            if self.matches() {
                break;
            }
            target = match self.words.first_mut() {
                Some(word) => word.list.advance(),
                None => TERMINATED,
            };
        }
        self.doc = target;
        target
    }

    fn matches(&mut self) -> bool {
        for word in &mut self.words {
            word.positions.clear();
            word.list
                .append_positions_with_offset(0, &mut word.positions);
        }
        match self.shape {
            Shape::Phrase => self.is_phrase(),
            Shape::Near { reach, ordered } => self.is_near(reach, ordered),
        }
    }

    /// Whether the words start at their offsets, counted from some occurrence of the rarest.
    fn is_phrase(&self) -> bool {
        let Some((rarest, others)) = self.words.split_first() else {
            return false;
        };
        rarest.positions.iter().any(|position| {
            let start = i64::from(*position) - rarest.offset;
            others.iter().all(|word| {
                u32::try_from(start + word.offset)
                    .is_ok_and(|position| word.positions.binary_search(&position).is_ok())
            })
        })
    }

    fn is_near(&self, reach: i64, ordered: bool) -> bool {
        let [left, right] = self.order[..] else {
            return false;
        };
        let (left, right) = (&self.words[left], &self.words[right]);
        left.positions.iter().any(|a| {
            let a = left.occurrence(*a);
            right.positions.iter().any(|b| {
                distance(a, right.occurrence(*b), ordered).is_some_and(|apart| apart <= reach)
            })
        })
    }
}

impl Word {
    fn occurrence(&self, position: u32) -> Occurrence {
        let start = i64::from(position);
        Occurrence {
            start,
            end: start + self.span - 1,
        }
    }
}

impl DocSet for Aligned {
    fn advance(&mut self) -> DocId {
        let target = match self.words.first_mut() {
            Some(word) if self.doc != TERMINATED => word.list.advance(),
            _ => TERMINATED,
        };
        self.settle(target)
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc >= target {
            return self.doc;
        }
        self.settle(target)
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.words.first().map_or(0, |word| word.list.size_hint())
    }
}
