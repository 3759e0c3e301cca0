//! What matched inside messages that are shown anyway: exact places, for marks in a conversation.

use std::ops::Range;

use super::error::Result;
use super::execute::Search;
use super::judge::Judge;
use crate::domain::{MessageId, MessageNo};
use crate::query::TextPlace;

/// The places that matched in the latest words of one message, in bytes, in order, none overlapping.
pub type Marks = (MessageId, Vec<Range<usize>>);

impl Search<'_> {
    /// Where the latest words of these hits match. A hit whose facts alone decided has no places; one
    /// that is gone is left out.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn marks(&self, hits: &[MessageNo]) -> Result<Vec<Marks>> {
        let mut judge = Judge::new(self)?;
        let mut reader = self.archive.reader()?;
        let mut marks = Vec::with_capacity(hits.len());
        for no in hits {
            let Some(message) = self.open(&mut reader, *no)? else {
                continue;
            };
            let latest = TextPlace::Version(message.row.version.into());
            let spans = judge.spans(&message)?.unwrap_or_default();
            let places = spans.iter().filter(|span| span.place == latest);
            let places = places.map(|span| span.bytes.start as usize..span.bytes.end as usize);
            marks.push((message.id, joined(places.collect())));
        }
        Ok(marks)
    }
}

/// Places in order, what overlaps as one.
fn joined(mut places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    places.sort_by_key(|place| (place.start, place.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(places.len());
    for place in places {
        match joined.last_mut() {
            Some(last) if place.start < last.end => last.end = last.end.max(place.end),
            _ => joined.push(place),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_marks_never_overlap() {
        assert_eq!(
            joined(vec![4..9, 0..3, 5..12, 12..14]),
            [0..3, 4..12, 12..14]
        );
        assert!(joined(Vec::new()).is_empty());
    }
}
