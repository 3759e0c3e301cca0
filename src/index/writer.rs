//! Adding, replacing and deleting messages: one engine writer for each part, few open at a time.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tantivy::IndexWriter;
use tantivy::indexer::{IndexWriterOptions, NoMergePolicy};

use super::document::{DocumentMaker, MessageDocument, Words};
use super::error::Result;
use super::keys::KeyId;
use super::merge::{GentlePolicy, tail};
use super::meta::Anchor;
use super::numbers::NumberQuery;
use super::parts::{Index, Part, PartName};
use crate::domain::{MessageNo, Timestamp};
use crate::query::Record;

/// Writers open at the same time.
pub const OPEN_WRITERS_MAX: usize = 4;
/// Least memory of one writer in bytes; the engine takes no less.
const WRITER_BYTES_MIN: usize = 15_000_000;
/// Replaced messages held back before their elders are deleted in one sweep.
const REPLACED_MAX: usize = 10_000;

/// Whether a message may be in the index already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Novelty {
    /// It was never added: nothing is looked up, which is what makes imports fast.
    New,
    /// It may have been added with this time of sending; the elder goes.
    Replaces(Timestamp),
}

/// A commit of one part. Record it in the store before the part is committed again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The part.
    pub part: PartName,
    /// What the next open is checked against.
    pub anchor: Anchor,
    /// Every segment on disk and the key it took.
    pub keys: Vec<(String, KeyId)>,
}

/// The only writer of an index.
pub struct Writer {
    index: Index,
    maker: DocumentMaker,
    open: BTreeMap<PartName, OpenPart>,
    /// Parts that were opened, whether or not they still are.
    touched: BTreeSet<PartName>,
    turn: u64,
}

struct OpenPart {
    part: Arc<Part>,
    engine: IndexWriter<MessageDocument>,
    /// Elders to delete before anything that is held back is added.
    doomed: BTreeSet<MessageNo>,
    replaced: BTreeMap<MessageNo, MessageDocument>,
    used: u64,
    dirty: bool,
}

impl Index {
    /// What the store records of every part as it is now, oldest first.
    pub fn committed(&self) -> Vec<Committed> {
        self.shared
            .all()
            .iter()
            .map(|part| state_of(part))
            .collect()
    }

    /// The writer. There is one at a time; a second one fails when it opens a part.
    pub fn writer(&self) -> Writer {
        Writer {
            index: self.clone(),
            maker: DocumentMaker::default(),
            open: BTreeMap::new(),
            touched: BTreeSet::new(),
            turn: 0,
        }
    }
}

impl Writer {
    /// Adds a message, visible after the commit of its part. `now` bounds the parts.
    ///
    /// Gives the commits of parts that had to be closed for this one; settle them at once.
    ///
    /// # Errors
    /// When a part cannot be opened or written.
    pub fn add(
        &mut self,
        record: &Record<'_>,
        words: Words<'_>,
        novelty: Novelty,
        now: Timestamp,
    ) -> Result<Vec<Committed>> {
        let name = PartName::of(record.sent, now);
        let mut closed = Vec::new();
        let fields = self.index.shared.fields;
        let document = self.maker.make(fields, record, words);
        if let Novelty::Replaces(sent) = novelty {
            self.doom_elsewhere(record.no, sent, Some(name), &mut closed)?;
        }
        let open = self.open_part(name, &mut closed)?;
        match novelty {
            Novelty::New if !open.holds_back(record.no) => open.send(document)?,
            _ => open.replace(document)?,
        }
        Ok(closed)
    }

    /// Deletes a message from view at the next commit. Its text stays in the files until
    /// [`Writer::remove`]. Gives commits of parts that had to be closed, like [`Writer::add`].
    ///
    /// # Errors
    /// When a part cannot be opened or written.
    pub fn delete(&mut self, no: MessageNo, sent: Timestamp) -> Result<Vec<Committed>> {
        let mut closed = Vec::new();
        self.doom_elsewhere(no, sent, None, &mut closed)?;
        Ok(closed)
    }

    /// Parts with changes that no commit made visible yet.
    pub fn dirty(&self) -> Vec<PartName> {
        self.open
            .iter()
            .filter(|(_, open)| open.dirty)
            .map(|(name, _)| *name)
            .collect()
    }

    /// Makes the changes of one part durable and visible; `None` when there were none.
    ///
    /// # Errors
    /// When the part cannot be written.
    pub fn commit(&mut self, name: PartName) -> Result<Option<Committed>> {
        let index = self.index.clone();
        match self.open.get_mut(&name) {
            Some(open) if open.dirty => open.commit(&index).map(Some),
            _ => Ok(None),
        }
    }

    /// Commits every part with changes.
    ///
    /// # Errors
    /// The first part that cannot be written; the others keep their changes for the next try.
    pub fn commit_all(&mut self) -> Result<Vec<Committed>> {
        let mut committed = Vec::new();
        for name in self.dirty() {
            committed.extend(self.commit(name)?);
        }
        Ok(committed)
    }

    /// Commits everything, waits until no merge runs, and joins the small segments that were left,
    /// part after part: every segment costs every search something.
    ///
    /// # Errors
    /// When a part cannot be written.
    pub fn close(mut self) -> Result<Vec<Committed>> {
        let mut committed = self.commit_all()?;
        for name in std::mem::take(&mut self.touched) {
            let was_open = self.open.contains_key(&name);
            self.close_part(name)?;
            let Some(part) = self.index.shared.get(name) else {
                continue;
            };
            if !self.join_tail(&part)? && !was_open {
                continue;
            }
            self.index.shared.drop_retired(&part.directory);
            let fresh = state_of(&part);
            committed.retain(|old: &Committed| old.part != fresh.part);
            committed.push(fresh);
        }
        Ok(committed)
    }

    /// Joins the smallest segments of a closed part, if there are several.
    fn join_tail(&self, part: &Arc<Part>) -> Result<bool> {
        let explained = |error| part.directory.explain(error);
        let segments = part.engine.searchable_segment_metas().map_err(explained)?;
        let joined = tail(&segments);
        // As long as someone holds what it says of a segment, the engine leaves its files.
        drop(segments);
        if joined.len() < 2 {
            return Ok(false);
        }
        let mut engine = engine_writer(&self.index, part)?;
        engine.set_merge_policy(Box::new(NoMergePolicy));
        engine.merge(&joined).wait().map_err(explained)?;
        engine.garbage_collect_files().wait().map_err(explained)?;
        engine.wait_merging_threads().map_err(explained)?;
        part.reload()?;
        Ok(true)
    }

    /// Closes the part used longest ago when there is no room for another.
    fn make_room(&mut self, name: PartName) -> Result<Option<Committed>> {
        if self.open.contains_key(&name) || self.open.len() < OPEN_WRITERS_MAX {
            return Ok(None);
        }
        let oldest = self
            .open
            .iter()
            .min_by_key(|(_, open)| open.used)
            .map(|(name, _)| *name);
        match oldest {
            Some(oldest) => self.close_part(oldest),
            None => Ok(None),
        }
    }

    /// Commits a part, waits for its merges and gives its memory back.
    pub(super) fn close_part(&mut self, name: PartName) -> Result<Option<Committed>> {
        let committed = self.commit(name)?;
        let Some(open) = self.open.remove(&name) else {
            return Ok(None);
        };
        let part = Arc::clone(&open.part);
        open.finish()?;
        part.reload()?;
        Ok(committed.map(|_| state_of(&part)))
    }

    /// The part's writer, opened if it is closed; makes room first.
    fn open_part(&mut self, name: PartName, closed: &mut Vec<Committed>) -> Result<&mut OpenPart> {
        closed.extend(self.make_room(name)?);
        self.turn += 1;
        self.touched.insert(name);
        let open = match self.open.entry(name) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => {
                let part = self.index.shared.get_or_create(name)?;
                let engine = engine_writer(&self.index, &part)?;
                // The engine holds the part now and has written nothing yet.
                part.sweep()?;
                place.insert(OpenPart {
                    part,
                    engine,
                    doomed: BTreeSet::new(),
                    replaced: BTreeMap::new(),
                    used: 0,
                    dirty: false,
                })
            }
        };
        open.used = self.turn;
        Ok(open)
    }

    /// The elder may lie in another part, when its time was corrected or lay far ahead.
    fn doom_elsewhere(
        &mut self,
        no: MessageNo,
        sent: Timestamp,
        here: Option<PartName>,
        closed: &mut Vec<Committed>,
    ) -> Result<()> {
        for name in PartName::possible(sent) {
            if Some(name) != here && self.index.shared.get(name).is_some() {
                self.open_part(name, closed)?.doom(no)?;
            }
        }
        Ok(())
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }
}

/// A fresh engine writer of a part.
pub(super) fn engine_writer(index: &Index, part: &Part) -> Result<IndexWriter<MessageDocument>> {
    let bytes = (index.shared.config.arena_bytes / OPEN_WRITERS_MAX).max(WRITER_BYTES_MIN);
    let options = IndexWriterOptions::builder()
        .num_worker_threads(1)
        .num_merge_threads(1)
        .memory_budget_per_thread(bytes)
        .build();
    let writer = part
        .engine
        .writer_with_options(options)
        .map_err(|error| part.directory.explain(error))?;
    writer.set_merge_policy(Box::new(GentlePolicy));
    Ok(writer)
}

/// What the store records of a part as it is now.
pub(super) fn state_of(part: &Part) -> Committed {
    Committed {
        part: part.name,
        anchor: part.directory.list().anchor(),
        keys: part.directory.segment_keys(),
    }
}

impl OpenPart {
    fn explain<T>(&self, result: tantivy::Result<T>) -> Result<T> {
        result.map_err(|error| self.part.directory.explain(error))
    }

    fn holds_back(&self, no: MessageNo) -> bool {
        !self.doomed.is_empty() && self.doomed.contains(&no)
    }

    fn send(&mut self, document: MessageDocument) -> Result<()> {
        self.dirty = true;
        self.explain(self.engine.add_document(document)).map(drop)
    }

    fn replace(&mut self, document: MessageDocument) -> Result<()> {
        self.dirty = true;
        self.doomed.insert(document.no);
        self.replaced.insert(document.no, document);
        if self.doomed.len() >= REPLACED_MAX {
            self.settle_replaced()?;
        }
        Ok(())
    }

    fn doom(&mut self, no: MessageNo) -> Result<()> {
        self.dirty = true;
        self.replaced.remove(&no);
        self.doomed.insert(no);
        if self.doomed.len() >= REPLACED_MAX {
            self.settle_replaced()?;
        }
        Ok(())
    }

    /// One sweep over the column of numbers deletes all elders: no dictionary of numbers is kept
    /// for it, which saves its bytes for every message that is never replaced.
    fn settle_replaced(&mut self) -> Result<()> {
        if self.doomed.is_empty() {
            return Ok(());
        }
        let doomed = std::mem::take(&mut self.doomed);
        let query = NumberQuery::new(doomed.iter().copied());
        self.explain(self.engine.delete_query(Box::new(query)))?;
        for (_, document) in std::mem::take(&mut self.replaced) {
            self.send(document)?;
        }
        Ok(())
    }

    fn commit(&mut self, index: &Index) -> Result<Committed> {
        self.settle_replaced()?;
        let committed = self.engine.commit();
        self.explain(committed)?;
        self.dirty = false;
        self.part.reload()?;
        index.shared.drop_retired(&self.part.directory);
        Ok(state_of(&self.part))
    }

    fn finish(self) -> Result<()> {
        let directory = self.part.directory.clone();
        self.engine
            .wait_merging_threads()
            .map_err(|error| directory.explain(error))
    }
}
