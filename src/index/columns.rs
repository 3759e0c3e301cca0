//! The columns by which hits are ordered, kept open for the segments that searches take hits from.
//!
//! The engine reads the headers of all blocks of a column whenever it opens one, which costs more
//! than the rest of a search for a rare word.

use std::sync::{Arc, Mutex, PoisonError};

use tantivy::SegmentReader;
use tantivy::columnar::Column;
use tantivy::index::SegmentId;

use super::error::Result;
use super::schema::{NO, ORDER, SENT};

/// Messages in all segments whose columns are kept, about 10 bytes each. Newest hits come from the
/// newest parts, so those of a few years serve most searches.
const KEPT_MESSAGES_MAX: u32 = 2_000_000;

/// The columns of one segment that a page needs.
pub(super) struct Columns {
    /// Number of the message.
    pub no: Column<u64>,
    /// Time.
    pub sent: Column<i64>,
    /// Sequence in the source.
    pub order: Column<u64>,
}

impl Columns {
    fn open(reader: &SegmentReader) -> Result<Columns> {
        let fast = reader.fast_fields();
        Ok(Columns {
            no: fast.u64(NO)?,
            sent: fast.i64(SENT)?,
            order: fast.u64(ORDER)?,
        })
    }
}

struct Kept {
    segment: SegmentId,
    messages: u32,
    columns: Arc<Columns>,
}

/// Columns of the segments used last, the one used longest ago first.
#[derive(Default)]
pub(super) struct KeptColumns(Mutex<Vec<Kept>>);

impl KeptColumns {
    /// The columns of a segment.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn of(&self, reader: &SegmentReader) -> Result<Arc<Columns>> {
        let (segment, messages) = (reader.segment_id(), reader.max_doc());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = kept.iter().position(|known| known.segment == segment) {
            let columns = Arc::clone(&kept[place].columns);
            kept[place..].rotate_left(1);
            return Ok(columns);
        }
        drop(kept);
        let columns = Arc::new(Columns::open(reader)?);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(Kept {
            segment,
            messages,
            columns: Arc::clone(&columns),
        });
        let mut total: u32 = kept.iter().map(|known| known.messages).sum();
        while total > KEPT_MESSAGES_MAX {
            total -= kept.remove(0).messages;
        }
        Ok(columns)
    }

    /// Forgets segments that are gone.
    pub fn forget(&self, gone: &[SegmentId]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| !gone.contains(&known.segment));
    }
}
