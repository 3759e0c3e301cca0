//! Finding messages by their row numbers: a sweep over one column.

use std::sync::Arc;

use tantivy::query::{ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, Score, SegmentReader, TantivyError};

use super::docset::ListDocSet;
use super::schema::NO;
use crate::domain::MessageNo;

/// Matches the messages of a set of numbers.
#[derive(Clone, Debug)]
pub(super) struct NumberQuery {
    sorted: Arc<[u64]>,
}

impl NumberQuery {
    /// The query of a set.
    pub fn new(numbers: impl Iterator<Item = MessageNo>) -> NumberQuery {
        let mut sorted: Vec<u64> = numbers.map(|no| no.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        NumberQuery {
            sorted: sorted.into(),
        }
    }

    /// Whether it matches nothing.
    pub fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    /// The places of the numbers in a segment, in order.
    pub fn docs(&self, reader: &SegmentReader) -> tantivy::Result<Vec<DocId>> {
        let (Some(least), Some(most)) = (self.sorted.first(), self.sorted.last()) else {
            return Ok(Vec::new());
        };
        let column = reader.fast_fields().u64(NO)?;
        if *least > column.max_value() || *most < column.min_value() {
            return Ok(Vec::new());
        }
        let mut docs = Vec::new();
        column.get_docids_for_value_range(*least..=*most, 0..reader.max_doc(), &mut docs);
        docs.retain(|doc| {
            column
                .first(*doc)
                .is_some_and(|no| self.sorted.binary_search(&no).is_ok())
        });
        Ok(docs)
    }
}

impl Query for NumberQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for NumberQuery {
    fn scorer(&self, reader: &SegmentReader, _: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let docs = self.docs(reader)?;
        Ok(if docs.is_empty() {
            Box::new(EmptyScorer)
        } else {
            Box::new(ConstScorer::new(ListDocSet::new(docs), 1.0))
        })
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Err(TantivyError::InvalidArgument(
            "numbers have no score".to_owned(),
        ))
    }
}
