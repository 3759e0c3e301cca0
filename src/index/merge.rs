//! When segments are joined.

use tantivy::index::{SegmentId, SegmentMeta};
use tantivy::indexer::{MergeCandidate, MergePolicy};

/// Most messages in a segment that merges make.
pub(super) const SEGMENT_DOCS_MAX: u64 = 2_000_000;
/// Most segments below the cap that a part keeps at rest.
const SEGMENTS_MAX: usize = 10;
/// Segments of one size class that are joined.
const CLASS_MAX: usize = 8;
/// Messages in the smallest size class.
const CLASS_DOCS_MIN: u64 = 16_384;
/// A segment is rewritten for its deletions alone when one in this many messages is deleted.
/// Deadlines of a purge are not waited for here: `Writer::rewrite_dirty` is the caller's.
const DELETED_SHARE: u64 = 5;

/// When a writer closes, a segment is joined with all smaller ones unless it holds this many times
/// what they hold together.
const TAIL_FACTOR: u64 = 2;

/// The segments that are joined when a writer closes: the smallest ones, up to the last that is not
/// much larger than all before it. What stays grows threefold from one to the next, so a part of a
/// million messages has few, and no message is rewritten more often than that.
pub(super) fn tail(segments: &[SegmentMeta]) -> Vec<SegmentId> {
    let mut sorted: Vec<&SegmentMeta> = segments.iter().collect();
    sorted.sort_by_key(|segment| segment.num_docs());
    let (mut before, mut joined) = (0, 0);
    for (place, segment) in sorted.iter().enumerate() {
        let docs = u64::from(segment.num_docs());
        if before + docs > SEGMENT_DOCS_MAX {
            break;
        }
        if docs < CLASS_DOCS_MIN || docs < TAIL_FACTOR * before {
            joined = place + 1;
        }
        before += docs;
    }
    sorted[..joined]
        .iter()
        .map(|segment| segment.id())
        .collect()
}

/// Logarithmic by size, under a cap, and never many at rest.
#[derive(Debug)]
pub(super) struct GentlePolicy;

fn class_of(docs: u64) -> u32 {
    (docs.max(CLASS_DOCS_MIN) / CLASS_DOCS_MIN).ilog2() / CLASS_MAX.ilog2()
}

/// The longest run of the smallest segments that stays below the cap.
fn below_cap<'a>(segments: &[&'a SegmentMeta]) -> Vec<&'a SegmentMeta> {
    let mut total = 0;
    segments
        .iter()
        .copied()
        .take_while(|segment| {
            total += u64::from(segment.num_docs());
            total <= SEGMENT_DOCS_MAX
        })
        .collect()
}

fn candidate(segments: &[&SegmentMeta]) -> MergeCandidate {
    MergeCandidate(segments.iter().map(|segment| segment.id()).collect())
}

impl MergePolicy for GentlePolicy {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let dirty = segments.iter().find(|segment| {
            u64::from(segment.num_deleted_docs()) * DELETED_SHARE > u64::from(segment.max_doc())
        });
        if let Some(dirty) = dirty {
            return vec![candidate(&[dirty])];
        }
        let mut small: Vec<&SegmentMeta> = segments
            .iter()
            .filter(|segment| u64::from(segment.num_docs()) < SEGMENT_DOCS_MAX)
            .collect();
        small.sort_by_key(|segment| segment.num_docs());
        for class in 0..=class_of(SEGMENT_DOCS_MAX) {
            let members: Vec<&SegmentMeta> = small
                .iter()
                .copied()
                .filter(|segment| class_of(segment.num_docs().into()) == class)
                .collect();
            let joined = below_cap(&members);
            if members.len() >= CLASS_MAX && joined.len() > 1 {
                return vec![candidate(&joined)];
            }
        }
        if small.len() > SEGMENTS_MAX {
            let surplus = below_cap(&small[..=small.len() - SEGMENTS_MAX]);
            if surplus.len() > 1 {
                return vec![candidate(&surplus)];
            }
        }
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tantivy::index::SegmentId;
    use tantivy::schema::Schema;

    fn metas(sizes: &[u32]) -> Vec<SegmentMeta> {
        let engine = tantivy::Index::create_in_ram(Schema::builder().build());
        sizes
            .iter()
            .map(|docs| engine.new_segment_meta(SegmentId::generate_random(), *docs))
            .collect()
    }

    /// Plays the policy until it rests.
    fn at_rest(mut sizes: Vec<u32>) -> Vec<u32> {
        for _ in 0..1_000 {
            let metas = metas(&sizes);
            let Some(MergeCandidate(ids)) = GentlePolicy.compute_merge_candidates(&metas).pop()
            else {
                return sizes;
            };
            let joined: u32 = metas
                .iter()
                .filter(|meta| ids.contains(&meta.id()))
                .map(SegmentMeta::num_docs)
                .sum();
            sizes = metas
                .iter()
                .filter(|meta| !ids.contains(&meta.id()))
                .map(SegmentMeta::num_docs)
                .chain([joined])
                .collect();
        }
        panic!("the policy never rests");
    }

    #[test]
    fn a_closed_part_has_few_segments_that_grow_threefold() {
        for step in [1, 700, 20_000, 90_000, 130_000] {
            let (mut sizes, mut written): (Vec<u32>, u64) = (Vec::new(), 0);
            for round in 1..=200_u64 {
                sizes.push(step);
                let metas = metas(&sizes);
                let joined = tail(&metas);
                let (gone, stays): (Vec<&SegmentMeta>, Vec<&SegmentMeta>) =
                    metas.iter().partition(|meta| joined.contains(&meta.id()));
                let docs: u32 = gone.iter().map(|meta| meta.num_docs()).sum();
                sizes = stays.iter().map(|meta| meta.num_docs()).collect();
                sizes.extend((docs > 0).then_some(docs));
                sizes.sort_unstable();
                let below = sizes.iter().filter(|docs| **docs < 1_000_000).count();
                assert!(below <= 5, "{sizes:?}");
                assert!(sizes.iter().all(|docs| *docs <= 2_000_000), "{sizes:?}");
                if joined.len() > 1 && step >= 20_000 {
                    written += u64::from(docs);
                    assert!(written < 10 * round * u64::from(step), "{written}");
                }
            }
        }
    }

    #[test]
    fn never_more_than_ten_below_the_cap_at_rest() {
        for step in [1, 700, 20_000, 90_000, 130_000] {
            let mut sizes = Vec::new();
            for _ in 0..200 {
                sizes.push(step);
                sizes = at_rest(sizes);
                let below = sizes.iter().filter(|docs| **docs < 2_000_000).count();
                // Segments of more than half the cap cannot be joined below it.
                let joinable = sizes.iter().filter(|docs| **docs < 1_000_000).count();
                assert!(below <= 10 || joinable <= 1, "{sizes:?}");
                assert!(sizes.iter().all(|docs| *docs <= 2_000_000));
            }
        }
    }
}
