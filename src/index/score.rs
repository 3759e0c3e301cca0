//! Scores: BM25 with statistics over the living messages of the scope and a constant mean length.
//!
//! The engine's own frequencies count deleted and walled-off messages: order would leak them, and
//! change after a merge.

use tantivy::fieldnorm::FieldNormReader;
use tantivy::{DocId, DocSet, TERMINATED};

use super::docset::{Docs, all_of, each};
use super::error::Result;
use super::plan::{Plan, text};
use super::segment::View;
use super::span::{Occurrence, SpanScan};
use crate::query::TextLeaf;
use crate::query::ast::TextField;

/// Saturation of repeated words (the usual value of BM25).
const K1: f32 = 1.2;
/// Weight of the length of a text (the usual value of BM25).
const B: f32 = 0.75;
/// The mean length of a chat message in terms: constant, so that it tells nothing.
const MEAN_LENGTH: f32 = 12.0;

/// How often the scored clauses occur in the scope.
pub(super) struct Statistics {
    messages: u64,
    frequencies: Vec<u64>,
}

impl Statistics {
    /// For so many clauses.
    pub fn new(clauses: usize) -> Statistics {
        Statistics {
            messages: 0,
            frequencies: vec![0; clauses],
        }
    }

    /// Counts one segment.
    pub fn gather(&mut self, view: &View<'_>, clauses: &[TextLeaf], scope: &Plan) -> Result<()> {
        self.messages += living(view, view.docs(scope, None)?);
        for (clause, frequency) in clauses.iter().zip(&mut self.frequencies) {
            let plan = text(clause);
            let everything = matches!(scope, Plan::Everything);
            if everything
                && view.reader.alive_bitset().is_none()
                && let Some(count) = view.count(&plan)?
            {
                *frequency += count;
                continue;
            }
            let mut docs = view.docs(&plan, None)?;
            if !everything {
                let lead = Some(docs.cost());
                docs = all_of(vec![docs, view.docs(scope, lead)?]);
            }
            *frequency += living(view, docs);
        }
        Ok(())
    }

    fn weight(&self, clause: usize) -> f32 {
        let all = self.messages as f32;
        let some = (self.frequencies[clause] as f32).min(all);
        (1.0 + (all - some + 0.5) / (some + 0.5)).ln() * (1.0 + K1)
    }
}

fn living(view: &View<'_>, mut docs: Docs) -> u64 {
    let mut count = 0;
    match view.reader.alive_bitset() {
        Some(alive) => each(&mut docs, |doc| count += u64::from(alive.is_alive(doc))),
        None => each(&mut docs, |_| count += 1),
    }
    count
}

/// Scores places of one segment, in rising order.
pub(super) struct Scorers {
    clauses: Vec<Clause>,
}

struct Clause {
    docs: Docs,
    scan: SpanScan,
    lengths: Option<FieldNormReader>,
    weight: f32,
    found: Vec<Occurrence>,
}

impl Scorers {
    /// Opens the scored clauses of a query.
    pub fn open(view: &View<'_>, clauses: &[TextLeaf], statistics: &Statistics) -> Result<Scorers> {
        let mut open = Vec::with_capacity(clauses.len());
        for (place, clause) in clauses.iter().enumerate() {
            let lengths = match clause.field {
                TextField::Text => Some(view.reader.get_fieldnorms_reader(view.fields.text)?),
                _ => None,
            };
            open.push(Clause {
                docs: view.docs(&text(clause), None)?,
                scan: SpanScan::open(view, clause.field, &clause.span)?,
                lengths,
                weight: statistics.weight(place),
                found: Vec::new(),
            });
        }
        Ok(Scorers { clauses: open })
    }

    /// The score of a place.
    pub fn score(&mut self, doc: DocId) -> f32 {
        self.clauses
            .iter_mut()
            .map(|clause| clause.score(doc))
            .sum()
    }
}

impl Clause {
    fn score(&mut self, doc: DocId) -> f32 {
        if self.docs.doc() < doc {
            self.docs.seek(doc);
        }
        if self.docs.doc() != doc || doc == TERMINATED {
            return 0.0;
        }
        self.found.clear();
        self.scan.occurrences(doc, &mut self.found);
        let times = self.found.len().max(1) as f32;
        let length = self
            .lengths
            .as_ref()
            .map_or(MEAN_LENGTH, |lengths| lengths.fieldnorm(doc) as f32);
        let norm = K1 * (1.0 - B + B * length / MEAN_LENGTH);
        self.weight * times / (times + norm)
    }
}
