//! Words at places: phrases, slop, proximity and anchors, evaluated on the positions of the index.
//!
//! The engine's own slop charges two for a swap and may count wrongly with more than two words, so
//! nothing here uses it. The index holds every term the analyser gave, at its position and with
//! the positions it covers, so this is the evaluator's answer without opening the text.

use std::collections::HashSet;

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::{DocId, DocSet};

use super::aligned;
use super::docset::{DocTest, Docs, Filtered, all_of, any_of};
use super::error::Result;
use super::segment::View;
use super::terms::POSITION_GAP;
use crate::query::ast::TextField;
use crate::query::{Near, Slot, SpanQuery};

/// A closed interval of positions of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Occurrence {
    pub start: i64,
    pub end: i64,
}

/// The texts of one message: first position and the position after the last.
type Texts = Vec<(i64, i64)>;

/// The places of a span query in one segment.
pub(super) fn docs(
    view: &View<'_>,
    field: TextField,
    span: &SpanQuery,
    lead: Option<u64>,
) -> Result<Docs> {
    if let Some(docs) = aligned::docs(view, field, span)? {
        return Ok(docs);
    }
    let candidates = candidates(view, field, span, lead)?;
    Ok(Box::new(Filtered::new(
        candidates,
        SpanTest {
            scan: SpanScan::open(view, field, span)?,
            found: Vec::new(),
        },
    )))
}

/// Messages that hold the words, wherever.
fn candidates(
    view: &View<'_>,
    field: TextField,
    span: &SpanQuery,
    lead: Option<u64>,
) -> Result<Docs> {
    Ok(match span {
        SpanQuery::Term(patterns) => view.words(field, patterns, lead)?,
        SpanQuery::Phrase(slots) => {
            let mut sets = Vec::new();
            for slot in slots {
                if let Slot::Term { any, .. } = slot {
                    sets.push(view.words(field, any, lead)?);
                }
            }
            if sets.is_empty() {
                view.marked(field)?
            } else {
                all_of(sets)
            }
        }
        SpanQuery::Window { words, .. } => {
            let sets: Result<Vec<Docs>> = words
                .iter()
                .map(|word| candidates(view, field, word, lead))
                .collect();
            all_of(sets?)
        }
        SpanQuery::Or(spans) => {
            let sets: Result<Vec<Docs>> = spans
                .iter()
                .map(|span| candidates(view, field, span, lead))
                .collect();
            any_of(sets?, view.max_doc(), lead)
        }
        SpanQuery::Start | SpanQuery::End => view.marked(field)?,
        SpanQuery::Near(near) => {
            let left = candidates(view, field, &near.left, lead)?;
            if near.negated {
                left
            } else {
                let right = candidates(view, field, &near.right, lead)?;
                all_of(vec![left, right])
            }
        }
    })
}

struct SpanTest {
    scan: SpanScan,
    found: Vec<Occurrence>,
}

impl DocTest for SpanTest {
    fn passes(&mut self, doc: DocId) -> bool {
        self.found.clear();
        self.scan.occurrences(doc, &mut self.found);
        !self.found.is_empty()
    }
}

/// A span query with its lists of positions in one segment. Messages are asked in rising order.
pub(super) struct SpanScan {
    root: Operand,
    marks: Option<SegmentPostings>,
    texts: Texts,
    scratch: Vec<u32>,
}

/// A span query over open lists.
enum Operand {
    Term(Vec<(SegmentPostings, u32)>),
    Phrase(Vec<OpenSlot>),
    Window(Vec<Operand>, i64),
    Or(Vec<Operand>),
    Start,
    End,
    Near(Box<NearOperand>),
}

/// A slot of a phrase over open lists.
enum OpenSlot {
    Term {
        lists: Vec<(SegmentPostings, u32)>,
        overlap: i64,
    },
    AnyWord,
}

struct NearOperand {
    left: Operand,
    right: Operand,
    ordered: bool,
    negated: bool,
    distance: i64,
}

impl SpanScan {
    /// Opens the lists.
    pub fn open(view: &View<'_>, field: TextField, span: &SpanQuery) -> Result<SpanScan> {
        let marks = if needs_texts(span) {
            view.marks(field)?
        } else {
            None
        };
        Ok(SpanScan {
            root: operand(view, field, span)?,
            marks,
            texts: Texts::new(),
            scratch: Vec::new(),
        })
    }

    /// Where the query occurs in a message, sorted, each once.
    pub fn occurrences(&mut self, doc: DocId, out: &mut Vec<Occurrence>) {
        self.texts.clear();
        if let Some(marks) = &mut self.marks {
            read_texts(marks, doc, &mut self.scratch, &mut self.texts);
        }
        let mut reading = Reading {
            doc,
            texts: &self.texts,
            scratch: &mut self.scratch,
        };
        reading.read(&mut self.root, out);
    }
}

/// Anchors and lone `*` at the edge of a phrase need to know where a text begins and ends.
fn needs_texts(span: &SpanQuery) -> bool {
    match span {
        SpanQuery::Term(_) => false,
        SpanQuery::Phrase(slots) => {
            let any = |slot: Option<&Slot>| matches!(slot, Some(Slot::AnyWord));
            any(slots.first()) || any(slots.last())
        }
        SpanQuery::Or(spans) | SpanQuery::Window { words: spans, .. } => {
            spans.iter().any(needs_texts)
        }
        SpanQuery::Start | SpanQuery::End => true,
        SpanQuery::Near(near) => needs_texts(&near.left) || needs_texts(&near.right),
    }
}

fn operand(view: &View<'_>, field: TextField, span: &SpanQuery) -> Result<Operand> {
    let all = |spans: &[SpanQuery]| -> Result<Vec<Operand>> {
        spans
            .iter()
            .map(|span| operand(view, field, span))
            .collect()
    };
    Ok(match span {
        SpanQuery::Term(patterns) => Operand::Term(view.places(field, patterns)?),
        SpanQuery::Phrase(slots) => {
            let mut open = Vec::with_capacity(slots.len());
            for slot in slots {
                open.push(match slot {
                    Slot::Term { any, overlap } => OpenSlot::Term {
                        lists: view.places(field, any)?,
                        overlap: (*overlap).into(),
                    },
                    Slot::AnyWord => OpenSlot::AnyWord,
                });
            }
            Operand::Phrase(open)
        }
        SpanQuery::Window { words, positions } => Operand::Window(all(words)?, (*positions).into()),
        SpanQuery::Or(spans) => Operand::Or(all(spans)?),
        SpanQuery::Start => Operand::Start,
        SpanQuery::End => Operand::End,
        SpanQuery::Near(near) => Operand::Near(Box::new(near_operand(view, field, near)?)),
    })
}

fn near_operand(view: &View<'_>, field: TextField, near: &Near) -> Result<NearOperand> {
    Ok(NearOperand {
        left: operand(view, field, &near.left)?,
        right: operand(view, field, &near.right)?,
        ordered: near.ordered,
        negated: near.negated,
        distance: near.distance.into(),
    })
}

/// Positions of a list in one message.
fn positions(list: &mut SegmentPostings, doc: DocId, out: &mut Vec<u32>) {
    out.clear();
    if list.doc() < doc {
        list.seek(doc);
    }
    if list.doc() == doc {
        list.append_positions_with_offset(0, out);
    }
}

/// A text begins a gap behind the mark of the one before.
fn read_texts(marks: &mut SegmentPostings, doc: DocId, scratch: &mut Vec<u32>, texts: &mut Texts) {
    positions(marks, doc, scratch);
    let mut begin = 0;
    for end in scratch.iter().copied().map(i64::from) {
        texts.push((begin, end));
        begin = end + i64::from(POSITION_GAP);
    }
}

struct Reading<'a> {
    doc: DocId,
    texts: &'a [(i64, i64)],
    scratch: &'a mut Vec<u32>,
}

impl Reading<'_> {
    fn read(&mut self, operand: &mut Operand, out: &mut Vec<Occurrence>) {
        match operand {
            Operand::Term(lists) => self.term(lists, out),
            Operand::Phrase(slots) => self.adjacent(slots, out),
            Operand::Window(words, positions) => self.window(words, *positions, out),
            Operand::Or(operands) => {
                for operand in operands {
                    self.read(operand, out);
                }
            }
            Operand::Start => out.extend(self.texts.iter().map(|(begin, _)| Occurrence {
                start: begin - 1,
                end: begin - 1,
            })),
            Operand::End => out.extend(self.texts.iter().map(|(_, end)| Occurrence {
                start: *end,
                end: *end,
            })),
            Operand::Near(near) => self.near(near, out),
        }
        out.sort_unstable();
        out.dedup();
    }

    fn term(&mut self, lists: &mut [(SegmentPostings, u32)], out: &mut Vec<Occurrence>) {
        for (list, span) in lists {
            positions(list, self.doc, self.scratch);
            let span = i64::from(*span);
            out.extend(self.scratch.iter().map(|position| {
                let start = i64::from(*position);
                Occurrence {
                    start,
                    end: start + span - 1,
                }
            }));
        }
    }

    fn terms(&mut self, lists: &mut [(SegmentPostings, u32)]) -> Vec<Occurrence> {
        let mut out = Vec::new();
        self.term(lists, &mut out);
        out.sort_unstable();
        out.dedup();
        out
    }

    /// Each slot begins right behind the one before, or shares its last positions.
    fn adjacent(&mut self, slots: &mut [OpenSlot], out: &mut Vec<Occurrence>) {
        let any = |slot: &OpenSlot| matches!(slot, OpenSlot::AnyWord);
        let leading = slots.iter().take_while(|slot| any(slot)).count();
        if leading == slots.len() {
            return self.any_words(slots.len() as i64, out);
        }
        let edged = leading > 0 || slots.last().is_some_and(any);
        let mut chains: Vec<Occurrence> = Vec::new();
        let mut shared = 0;
        for (place, slot) in slots.iter_mut().enumerate().skip(leading) {
            match slot {
                OpenSlot::Term { lists, overlap } => {
                    let words = self.terms(lists);
                    chains = if place == leading {
                        begun(words, leading as i64)
                    } else {
                        joined(&chains, &words, shared)
                    };
                    shared = *overlap;
                }
                OpenSlot::AnyWord => {
                    for chain in &mut chains {
                        chain.end += 1 - shared;
                    }
                    shared = 0;
                }
            }
            if chains.is_empty() {
                return;
            }
        }
        if edged {
            chains.retain(|chain| {
                self.texts
                    .iter()
                    .any(|(begin, end)| *begin <= chain.start && chain.end < *end)
            });
        }
        out.extend(chains);
    }

    /// Any so many words in a row.
    fn any_words(&self, count: i64, out: &mut Vec<Occurrence>) {
        for (begin, end) in self.texts {
            out.extend((*begin..=end - count).map(|start| Occurrence {
                start,
                end: start + count - 1,
            }));
        }
    }

    /// Every word of the phrase, none overlapping another, in any order inside a window.
    fn window(&mut self, words: &mut [Operand], positions: i64, out: &mut Vec<Occurrence>) {
        let mut found = Vec::with_capacity(words.len());
        for word in words {
            let mut occurrences = Vec::new();
            self.read(word, &mut occurrences);
            found.push(occurrences);
        }
        windows(&found, positions, out);
    }

    fn near(&mut self, near: &mut NearOperand, out: &mut Vec<Occurrence>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        self.read(&mut near.left, &mut left);
        if left.is_empty() {
            return;
        }
        self.read(&mut near.right, &mut right);
        let reach = near.distance;
        let close = |a: &Occurrence, b: &Occurrence| {
            distance(*a, *b, near.ordered).is_some_and(|distance| distance <= reach)
        };
        if near.negated {
            out.extend(left.iter().filter(|a| !right.iter().any(|b| close(a, b))));
            return;
        }
        for a in &left {
            out.extend(right.iter().filter(|b| close(a, b)).map(|b| Occurrence {
                start: a.start.min(b.start),
                end: a.end.max(b.end),
            }));
        }
    }
}

/// Positions from the end of one to the start of the other; `None` where they overlap, or stand in
/// the wrong order.
pub(super) fn distance(a: Occurrence, b: Occurrence, ordered: bool) -> Option<i64> {
    if a.end < b.start {
        Some(b.start - a.end)
    } else if !ordered && b.end < a.start {
        Some(a.start - b.end)
    } else {
        None
    }
}

/// The first words of chains, moved back over the free places before them.
fn begun(mut words: Vec<Occurrence>, leading: i64) -> Vec<Occurrence> {
    for word in &mut words {
        word.start -= leading;
    }
    words
}

/// Chains followed at once by a word, sharing some positions; the words are sorted.
fn joined(chains: &[Occurrence], words: &[Occurrence], shared: i64) -> Vec<Occurrence> {
    let mut out = Vec::new();
    for chain in chains {
        let next = chain.end + 1 - shared;
        let from = words.partition_point(|word| word.start < next);
        out.extend(
            words[from..]
                .iter()
                .take_while(|word| word.start == next)
                .map(|word| Occurrence {
                    start: chain.start,
                    end: word.end,
                }),
        );
    }
    out.sort_unstable();
    out.dedup();
    out
}

/// A set of words, one bit for each.
type WordSet = u64;

/// Every stretch from the first to the last of a choice of occurrences, one for each word, none
/// overlapping another, all inside a window of so many positions.
fn windows(words: &[Vec<Occurrence>], positions: i64, out: &mut Vec<Occurrence>) {
    let fits = (1..=WordSet::BITS as usize).contains(&words.len());
    if !fits || words.iter().any(Vec::is_empty) {
        return;
    }
    let mut candidates: Vec<(Occurrence, usize)> = words
        .iter()
        .enumerate()
        .flat_map(|(word, list)| list.iter().map(move |occurrence| (*occurrence, word)))
        .collect();
    candidates.sort_unstable();
    // A word that is typed twice takes its places in order: the second needs the first.
    let needs: Vec<WordSet> = (0..words.len())
        .map(|word| {
            let twin = (0..word).rev().find(|twin| words[*twin] == words[word]);
            twin.map_or(0, |twin| 1 << twin)
        })
        .collect();
    let search = WindowSearch {
        candidates: &candidates,
        needs: &needs,
        full: WordSet::MAX >> (WordSet::BITS as usize - words.len()),
    };
    for (first, (occurrence, word)) in candidates.iter().enumerate() {
        if needs[*word] == 0 {
            let limit = occurrence.start + positions - 1;
            search.from(first, limit, out);
        }
    }
}

struct WindowSearch<'a> {
    candidates: &'a [(Occurrence, usize)],
    needs: &'a [WordSet],
    full: WordSet,
}

impl WindowSearch<'_> {
    /// Every end that can be reached from a leftmost word. A state is the last taken candidate and
    /// the words taken; each is visited once.
    fn from(&self, first: usize, limit: i64, out: &mut Vec<Occurrence>) {
        let (start, word) = self.candidates[first];
        let mut visited: HashSet<(usize, WordSet)> = HashSet::new();
        let mut open: Vec<(usize, WordSet)> = Vec::new();
        if start.end <= limit {
            open.push((first, 1 << word));
        }
        while let Some((last, taken)) = open.pop() {
            if !visited.insert((last, taken)) {
                continue;
            }
            let end = self.candidates[last].0.end;
            if taken == self.full {
                let start = start.start;
                out.push(Occurrence { start, end });
                continue;
            }
            for (place, (next, word)) in self.candidates.iter().enumerate().skip(last + 1) {
                if next.start > limit {
                    break;
                }
                let needs = self.needs[*word];
                let free = taken & (1 << word) == 0 && taken & needs == needs;
                if free && next.start > end && next.end <= limit {
                    open.push((place, taken | 1 << word));
                }
            }
        }
    }
}
