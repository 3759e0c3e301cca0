//! Places in one analysed text: words, phrases, windows, proximity, anchors.
//!
//! An occurrence is a closed interval of word positions with the bytes to highlight. Distances
//! follow the language page: B.start - A.end when A ends before B starts.

use std::collections::HashSet;
use std::ops::Range;

use crate::query::analysis::Analysis;
use crate::query::matcher::TermPattern;
use crate::query::resolved::{Near, Slot, SpanQuery};

/// One place where a span query is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// First position; -1 for the start of the text.
    pub start: i64,
    /// Last position.
    pub end: i64,
    /// What to highlight; empty for anchors.
    pub bytes: Vec<Range<u32>>,
}

impl Occurrence {
    /// Positions between this and a later one; `None` when they overlap or it is not later.
    fn distance_to(&self, later: &Occurrence) -> Option<i64> {
        (self.end < later.start).then(|| later.start - self.end)
    }
}

/// Whether there is any occurrence.
pub(super) fn exists(query: &SpanQuery, text: &Analysis) -> bool {
    match query {
        SpanQuery::Term(any) => text.terms().any(|term| {
            any.iter()
                .any(|pattern| pattern.matches(term.folded, term.exact))
        }),
        SpanQuery::Or(parts) => parts.iter().any(|part| exists(part, text)),
        SpanQuery::Start | SpanQuery::End => true,
        SpanQuery::Phrase(slots) => slots_exist(slots, text) && !phrase(slots, text).is_empty(),
        SpanQuery::Window { words, .. } => {
            words.iter().all(|word| exists(word, text)) && !occurrences(query, text).is_empty()
        }
        SpanQuery::Near(near) => {
            let needed = near.negated || exists(&near.right, text);
            needed && exists(&near.left, text) && !occurrences(query, text).is_empty()
        }
    }
}

fn slots_exist(slots: &[Slot], text: &Analysis) -> bool {
    slots.iter().all(|slot| match slot {
        Slot::Term { any, .. } => text.terms().any(|term| {
            any.iter()
                .any(|pattern| pattern.matches(term.folded, term.exact))
        }),
        Slot::AnyWord => text.positions() > 0,
    })
}

/// Every occurrence, by start and end, each interval once.
pub(super) fn occurrences(query: &SpanQuery, text: &Analysis) -> Vec<Occurrence> {
    let mut found = match query {
        SpanQuery::Term(any) => terms(any, text),
        SpanQuery::Phrase(slots) => phrase(slots, text),
        SpanQuery::Window { words, positions } => window(words, *positions, text),
        SpanQuery::Or(parts) => parts
            .iter()
            .flat_map(|part| occurrences(part, text))
            .collect(),
        SpanQuery::Start => vec![anchor(-1)],
        SpanQuery::End => vec![anchor(text.positions().into())],
        SpanQuery::Near(near) => proximity(near, text),
    };
    found.sort_by_key(|one| (one.start, one.end));
    found.dedup_by(|next, kept| {
        let same = (next.start, next.end) == (kept.start, kept.end);
        if same {
            let fresh: Vec<_> = next
                .bytes
                .drain(..)
                .filter(|b| !kept.bytes.contains(b))
                .collect();
            kept.bytes.extend(fresh);
        }
        same
    });
    found
}

fn anchor(at: i64) -> Occurrence {
    Occurrence {
        start: at,
        end: at,
        bytes: Vec::new(),
    }
}

fn terms(any: &[TermPattern], text: &Analysis) -> Vec<Occurrence> {
    text.terms()
        .filter(|term| {
            any.iter()
                .any(|pattern| pattern.matches(term.folded, term.exact))
        })
        .map(|term| Occurrence {
            start: term.position.into(),
            end: i64::from(term.position) + i64::from(term.span) - 1,
            bytes: vec![term.bytes],
        })
        .collect()
}

/// A phrase in the making: where it began, where the next slot begins, what it covers.
#[derive(Clone, PartialEq)]
struct Partial {
    start: i64,
    end: i64,
    next: i64,
    bytes: Option<Range<u32>>,
}

fn phrase(slots: &[Slot], text: &Analysis) -> Vec<Occurrence> {
    let mut partials: Vec<Partial> = Vec::new();
    for (place, slot) in slots.iter().enumerate() {
        let steps = match slot {
            Slot::Term { any, overlap } => (terms(any, text), i64::from(*overlap)),
            Slot::AnyWord => (
                (0..text.positions()).map(|at| anchor(at.into())).collect(),
                0,
            ),
        };
        partials = if place == 0 {
            steps.0.iter().map(|step| begin(step, steps.1)).collect()
        } else {
            extend(&partials, &steps.0, steps.1)
        };
        if partials.is_empty() {
            break;
        }
    }
    partials
        .into_iter()
        .map(|partial| Occurrence {
            start: partial.start,
            end: partial.end,
            bytes: partial.bytes.into_iter().collect(),
        })
        .collect()
}

fn begin(step: &Occurrence, overlap: i64) -> Partial {
    Partial {
        start: step.start,
        end: step.end,
        next: step.end + 1 - overlap,
        bytes: step.bytes.first().cloned(),
    }
}

fn extend(partials: &[Partial], steps: &[Occurrence], overlap: i64) -> Vec<Partial> {
    let mut out: Vec<Partial> = Vec::new();
    for partial in partials {
        let first = steps.partition_point(|step| step.start < partial.next);
        for step in steps[first..]
            .iter()
            .take_while(|step| step.start == partial.next)
        {
            let bytes = match (&partial.bytes, step.bytes.first()) {
                (Some(a), Some(b)) => Some(a.start.min(b.start)..a.end.max(b.end)),
                (a, b) => a.clone().or(b.cloned()),
            };
            let longer = Partial {
                start: partial.start,
                end: step.end,
                next: step.end + 1 - overlap,
                bytes,
            };
            if !out.contains(&longer) {
                out.push(longer);
            }
        }
    }
    out
}

/// A set of words, one bit per word.
type WordSet = u64;
/// Most words of a phrase with slop: one bit each.
pub(in crate::query) const SLOP_WORDS_MAX: usize = WordSet::BITS as usize;

/// Occurrences of all words, none overlapping another, inside a window of positions.
fn window(words: &[SpanQuery], positions: u32, text: &Analysis) -> Vec<Occurrence> {
    let lists: Vec<Vec<Occurrence>> = words.iter().map(|word| occurrences(word, text)).collect();
    let words_fit = (1..=SLOP_WORDS_MAX).contains(&lists.len());
    if lists.iter().any(Vec::is_empty) || !words_fit {
        return Vec::new();
    }
    let mut candidates: Vec<(usize, &Occurrence)> = lists
        .iter()
        .enumerate()
        .flat_map(|(word, list)| list.iter().map(move |occurrence| (word, occurrence)))
        .collect();
    candidates.sort_by_key(|(word, occurrence)| (occurrence.start, occurrence.end, *word));
    // A word that is typed twice takes its places in order: the second needs the first.
    let needs: Vec<WordSet> = (0..lists.len())
        .map(|word| {
            let twin = (0..word)
                .rev()
                .find(|earlier| lists[*earlier] == lists[word]);
            twin.map_or(0, |twin| 1 << twin)
        })
        .collect();
    let search = WindowSearch {
        candidates: &candidates,
        needs: &needs,
        full: WordSet::MAX >> (SLOP_WORDS_MAX - lists.len()),
    };
    let mut found = Vec::new();
    for (first, (word, occurrence)) in candidates.iter().enumerate() {
        if needs[*word] == 0 {
            let limit = occurrence.start + i64::from(positions) - 1;
            search.from(first, limit, &mut found);
        }
    }
    found
}

struct WindowSearch<'a> {
    candidates: &'a [(usize, &'a Occurrence)],
    needs: &'a [WordSet],
    full: WordSet,
}

impl WindowSearch<'_> {
    /// Every end that can be reached with `first` as the leftmost word. A state is the last taken
    /// candidate and the words taken; each is visited once.
    fn from(&self, first: usize, limit: i64, found: &mut Vec<Occurrence>) {
        let mut visited: HashSet<(usize, WordSet)> = HashSet::new();
        let mut ends: HashSet<i64> = HashSet::new();
        let mut open: Vec<(WordSet, Vec<usize>)> = Vec::new();
        if self.candidates[first].1.end <= limit {
            open.push((1 << self.candidates[first].0, vec![first]));
        }
        while let Some((taken, path)) = open.pop() {
            let last = path.last().copied().unwrap_or(first);
            if !visited.insert((last, taken)) {
                continue;
            }
            let end = self.candidates[last].1.end;
            if taken == self.full {
                if ends.insert(end) {
                    found.push(self.occurrence(&path));
                }
                continue;
            }
            let before = open.len();
            for (place, (word, occurrence)) in self.candidates.iter().enumerate().skip(last + 1) {
                if occurrence.start > limit {
                    break;
                }
                let free =
                    taken & (1 << word) == 0 && taken & self.needs[*word] == self.needs[*word];
                if free && occurrence.start > end && occurrence.end <= limit {
                    let mut longer = path.clone();
                    longer.push(place);
                    open.push((taken | 1 << word, longer));
                }
            }
            // The nearest first, so that the pieces shown are the closest ones.
            open[before..].reverse();
        }
    }

    fn occurrence(&self, path: &[usize]) -> Occurrence {
        let taken = path.iter().map(|place| self.candidates[*place].1);
        Occurrence {
            start: taken.clone().map(|one| one.start).min().unwrap_or(0),
            end: taken.clone().map(|one| one.end).max().unwrap_or(0),
            bytes: taken.flat_map(|one| one.bytes.iter().cloned()).collect(),
        }
    }
}

fn proximity(near: &Near, text: &Analysis) -> Vec<Occurrence> {
    let left = occurrences(&near.left, text);
    if left.is_empty() {
        return left;
    }
    let right = occurrences(&near.right, text);
    let reach = i64::from(near.distance);
    let in_range = |a: &Occurrence, b: &Occurrence| {
        let after = a.distance_to(b).is_some_and(|distance| distance <= reach);
        let before = !near.ordered && b.distance_to(a).is_some_and(|distance| distance <= reach);
        after || before
    };
    if near.negated {
        return left
            .into_iter()
            .filter(|a| !right.iter().any(|b| in_range(a, b)))
            .collect();
    }
    let mut found = Vec::new();
    for a in &left {
        // Sorted by start: nothing that starts beyond the reach can be near.
        let near_right = right.iter().take_while(|b| b.start <= a.end + reach);
        for b in near_right.filter(|b| in_range(a, b)) {
            found.push(Occurrence {
                start: a.start.min(b.start),
                end: a.end.max(b.end),
                bytes: a.bytes.iter().chain(&b.bytes).cloned().collect(),
            });
        }
    }
    found
}
