//! Sets of places in one segment, in order: lists, intersections, unions, exclusions, filters.
//!
//! The engine's own sets serve single lists; these join them without scores, which are counted
//! apart (see `score`).

use tantivy::postings::BlockSegmentPostings;
use tantivy::query::BitSetDocSet;
use tantivy::{BitSet, COLLECT_BLOCK_BUFFER_LEN, DocId, DocSet, TERMINATED};

/// A set of any sort.
pub(super) type Docs = Box<dyn DocSet>;

/// A union is worked off into a bitmap unless something this many times smaller drives the search.
const LAZY_UNION_FACTOR: u64 = 16;
/// Most members of a union that is searched member by member.
const LAZY_UNION_MAX: usize = 64;
/// A set with fewer than one place in this many goes to a list rather than a bitmap.
const SPARSE: u32 = 64;

/// Nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoDocs;

impl DocSet for NoDocs {
    fn advance(&mut self) -> DocId {
        TERMINATED
    }

    fn doc(&self) -> DocId {
        TERMINATED
    }

    fn size_hint(&self) -> u32 {
        0
    }
}

/// The places of one list of the engine, taken block by block.
pub(super) struct PostingDocs {
    block: BlockSegmentPostings,
    at: usize,
    doc: DocId,
}

impl PostingDocs {
    /// The places of an open list.
    pub fn new(block: BlockSegmentPostings) -> PostingDocs {
        let mut docs = PostingDocs {
            block,
            at: 0,
            doc: TERMINATED,
        };
        docs.settle();
        docs
    }

    #[inline]
    fn settle(&mut self) -> DocId {
        // Behind the last place of the last block stands what ends every set.
        self.doc = match self.block.block_len() {
            0 => TERMINATED,
            _ => self.block.doc(self.at),
        };
        self.doc
    }

    /// Goes to the next block.
    fn turn(&mut self) -> DocId {
        self.block.advance();
        self.at = 0;
        self.settle()
    }
}

impl DocSet for PostingDocs {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.at += 1;
        if self.at < self.block.block_len() {
            self.doc = self.block.doc(self.at);
            return self.doc;
        }
        if self.doc == TERMINATED {
            self.at -= 1;
            return TERMINATED;
        }
        self.turn()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc >= target {
            return self.doc;
        }
        // The next place is often the one that is looked for.
        if self.advance() >= target {
            return self.doc;
        }
        self.at = self.block.seek(target);
        self.settle()
    }

    fn fill_buffer(&mut self, buffer: &mut [DocId; COLLECT_BLOCK_BUFFER_LEN]) -> usize {
        let mut filled = 0;
        while filled < buffer.len() && self.doc != TERMINATED {
            let rest = &self.block.docs()[self.at..];
            let take = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + take].copy_from_slice(&rest[..take]);
            filled += take;
            self.at += take;
            if self.at < self.block.block_len() {
                self.settle();
            } else {
                self.turn();
            }
        }
        filled
    }

    #[inline]
    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.block.doc_freq()
    }
}

/// Places in a sorted list.
#[derive(Clone, Debug)]
pub(super) struct ListDocSet {
    docs: Vec<DocId>,
    at: usize,
}

impl ListDocSet {
    /// The set of a sorted list without repeats.
    pub fn new(docs: Vec<DocId>) -> ListDocSet {
        ListDocSet { docs, at: 0 }
    }
}

impl DocSet for ListDocSet {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.at += 1;
        self.doc()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        // Galloping: targets are mostly near.
        let rest = self.docs.get(self.at..).unwrap_or_default();
        let mut reach = 1;
        while rest.get(reach).is_some_and(|doc| *doc < target) {
            reach *= 2;
        }
        let near = &rest[..rest.len().min(reach + 1)];
        self.at += near.partition_point(|doc| *doc < target);
        self.doc()
    }

    #[inline]
    fn doc(&self) -> DocId {
        self.docs.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        self.docs.len() as u32
    }
}

/// Every place of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct AllDocs {
    doc: DocId,
    max_doc: DocId,
}

impl AllDocs {
    /// All places below `max_doc`.
    pub fn new(max_doc: DocId) -> AllDocs {
        AllDocs {
            doc: if max_doc == 0 { TERMINATED } else { 0 },
            max_doc,
        }
    }
}

impl DocSet for AllDocs {
    #[inline]
    fn advance(&mut self) -> DocId {
        self.seek(self.doc.saturating_add(1))
    }

    #[inline]
    fn seek(&mut self, target: DocId) -> DocId {
        self.doc = if target < self.max_doc {
            target
        } else {
            TERMINATED
        };
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.max_doc
    }
}

/// What all members hold; the rarest leads.
struct AllOf {
    members: Vec<Docs>,
    doc: DocId,
}

impl AllOf {
    fn settle(&mut self, mut target: DocId) -> DocId {
        'next: loop {
            if target == TERMINATED {
                break;
            }
            for member in &mut self.members {
                let doc = if member.doc() < target {
                    member.seek(target)
                } else {
                    member.doc()
                };
                if doc > target {
                    target = doc;
                    continue 'next;
                }
            }
            break;
        }
        self.doc = target;
        target
    }
}

impl DocSet for AllOf {
    fn advance(&mut self) -> DocId {
        let target = self.members[0].advance();
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
        self.members[0].size_hint()
    }

    fn cost(&self) -> u64 {
        self.members[0].cost()
    }
}

/// What every one of the sets holds.
pub(super) fn all_of(mut members: Vec<Docs>) -> Docs {
    members.sort_by_key(DocSet::cost);
    match members.len() {
        0 => Box::new(NoDocs),
        1 => members.remove(0),
        _ => {
            let first = members[0].doc();
            let mut all = AllOf { members, doc: 0 };
            all.settle(first);
            Box::new(all)
        }
    }
}

/// What any member holds, searched member by member.
struct AnyOf {
    members: Vec<Docs>,
    doc: DocId,
    size: u32,
}

impl AnyOf {
    fn least(&self) -> DocId {
        self.members
            .iter()
            .map(DocSet::doc)
            .min()
            .unwrap_or(TERMINATED)
    }
}

impl DocSet for AnyOf {
    fn advance(&mut self) -> DocId {
        self.seek(self.doc.saturating_add(1))
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if target >= TERMINATED {
            self.doc = TERMINATED;
            return TERMINATED;
        }
        for member in &mut self.members {
            if member.doc() < target {
                member.seek(target);
            }
        }
        self.doc = self.least();
        self.doc
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.size
    }
}

/// What any of the sets holds. `lead` is the cost of what drives the search around it, if known.
pub(super) fn any_of(mut members: Vec<Docs>, max_doc: DocId, lead: Option<u64>) -> Docs {
    members.retain(|member| member.doc() != TERMINATED);
    if members.len() <= 1 {
        return members.pop().unwrap_or_else(|| Box::new(NoDocs));
    }
    let total: u64 = members.iter().map(DocSet::cost).sum();
    let led = lead.is_some_and(|lead| lead.saturating_mul(LAZY_UNION_FACTOR) < total);
    if led && members.len() <= LAZY_UNION_MAX {
        let mut any = AnyOf {
            members,
            doc: 0,
            size: u32::try_from(total).unwrap_or(max_doc).min(max_doc),
        };
        any.doc = any.least();
        return Box::new(any);
    }
    collected(members, total, max_doc)
}

/// Works the sets off into one.
pub(super) fn collected(mut members: Vec<Docs>, total: u64, max_doc: DocId) -> Docs {
    if total < u64::from(max_doc / SPARSE) {
        let mut docs = Vec::with_capacity(total as usize);
        for member in &mut members {
            each(member, |doc| docs.push(doc));
        }
        docs.sort_unstable();
        docs.dedup();
        return Box::new(ListDocSet::new(docs));
    }
    let mut bits = BitSet::with_max_value(max_doc);
    for member in &mut members {
        each(member, |doc| {
            bits.insert(doc);
        });
    }
    Box::new(BitSetDocSet::from(bits))
}

/// Calls back for every place, from the present one on.
pub(super) fn each(docs: &mut Docs, mut call: impl FnMut(DocId)) {
    let mut buffer = [0; tantivy::COLLECT_BLOCK_BUFFER_LEN];
    loop {
        let count = docs.fill_buffer(&mut buffer);
        for doc in &buffer[..count] {
            call(*doc);
        }
        if count < buffer.len() {
            return;
        }
    }
}

/// The places of one set that pass a test (a column, an exclusion, positions).
pub(super) struct Filtered<T> {
    docs: Docs,
    test: T,
}

/// A test of places in rising order.
pub(super) trait DocTest: Send {
    /// Whether the place passes; asked at most once for each, in rising order.
    fn passes(&mut self, doc: DocId) -> bool;
}

impl<F: FnMut(DocId) -> bool + Send> DocTest for F {
    fn passes(&mut self, doc: DocId) -> bool {
        self(doc)
    }
}

impl<T: DocTest> Filtered<T> {
    /// The places of `docs` that pass.
    pub fn new(docs: Docs, test: T) -> Filtered<T> {
        let mut filtered = Filtered { docs, test };
        filtered.settle();
        filtered
    }

    fn settle(&mut self) -> DocId {
        loop {
            let doc = self.docs.doc();
            if doc == TERMINATED || self.test.passes(doc) {
                return doc;
            }
            self.docs.advance();
        }
    }
}

impl<T: DocTest> DocSet for Filtered<T> {
    fn advance(&mut self) -> DocId {
        self.docs.advance();
        self.settle()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.docs.doc() >= target {
            return self.docs.doc();
        }
        self.docs.seek(target);
        self.settle()
    }

    fn doc(&self) -> DocId {
        self.docs.doc()
    }

    fn size_hint(&self) -> u32 {
        self.docs.size_hint()
    }

    fn cost(&self) -> u64 {
        self.docs.cost()
    }
}

/// What the first set holds and none of the others.
pub(super) fn without(docs: Docs, mut others: Vec<Docs>) -> Docs {
    others.retain(|other| other.doc() != TERMINATED);
    if others.is_empty() {
        return docs;
    }
    Box::new(Filtered::new(docs, move |doc| {
        others.iter_mut().all(|other| {
            if other.doc() < doc {
                other.seek(doc);
            }
            other.doc() != doc
        })
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const MAX: u32 = 300;

    fn list(docs: &BTreeSet<u32>) -> Docs {
        Box::new(ListDocSet::new(docs.iter().copied().collect()))
    }

    fn drain(mut docs: Docs) -> Vec<u32> {
        let mut out = Vec::new();
        each(&mut docs, |doc| out.push(doc));
        out
    }

    fn sets() -> impl Strategy<Value = Vec<BTreeSet<u32>>> {
        prop::collection::vec(prop::collection::btree_set(0..MAX, 0..120), 1..5)
    }

    proptest! {
        #[test]
        fn set_algebra_agrees_with_plain_sets(sets in sets(), lazy: bool) {
            let members = || sets.iter().map(list).collect::<Vec<_>>();
            let all = sets.iter().cloned().reduce(|a, b| &a & &b).unwrap_or_default();
            let any: BTreeSet<u32> = sets.iter().flatten().copied().collect();
            prop_assert_eq!(drain(all_of(members())), all.into_iter().collect::<Vec<_>>());
            let lead = lazy.then_some(0);
            prop_assert_eq!(drain(any_of(members(), MAX, lead)), any.into_iter().collect::<Vec<_>>());
            let rest: BTreeSet<u32> = sets[1..].iter().flatten().copied().collect();
            let left: Vec<u32> = sets[0].difference(&rest).copied().collect();
            prop_assert_eq!(drain(without(list(&sets[0]), sets[1..].iter().map(list).collect())), left);
        }

        #[test]
        fn seeking_lands_on_the_first_place_not_below(sets in sets(), targets in prop::collection::btree_set(0..MAX, 0..40)) {
            let all = sets.iter().cloned().reduce(|a, b| &a & &b).unwrap_or_default();
            let mut docs = all_of(sets.iter().map(list).collect());
            for target in targets {
                let expected = all.range(target..).next().copied().unwrap_or(TERMINATED);
                if docs.doc() < target {
                    docs.seek(target);
                    prop_assert_eq!(docs.doc(), expected);
                }
            }
        }

        #[test]
        fn all_docs_and_lists_seek_alike(max in 0..50u32, targets in prop::collection::btree_set(0..60u32, 0..20)) {
            let (mut all, mut list) = (AllDocs::new(max), ListDocSet::new((0..max).collect()));
            for target in targets {
                if all.doc() < target {
                    prop_assert_eq!(all.seek(target), list.seek(target));
                }
            }
        }
    }
}
