//! Rebuilding the index from the store: beside the old one, or the parts that did not open.
//!
//! A whole rebuild fills a draft while searches use the old index. One store transaction then
//! decides: anchors, keys and the mark "swap". After it the directories change places, the mark
//! goes, the old keys die. A crash before the decision leaves the old index and a draft to throw
//! away; a crash after it is finished on open. At no point can an old part pass for a new one,
//! because the mark is read before any part is opened.
//!
//! A repair of single parts goes through the outbox: one transaction forgets their anchors and
//! queues their messages, so that a crash at any point is replayed like that of an import.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::error::Result;
use super::open::index_failed;
use super::settle::COMMIT_BYTES;
use super::words::Analyses;
use super::{Archive, ArchiveError, OpenedMessage, parts};
use crate::domain::{MessageNo, Now};
use crate::index::{Committed, Index, Novelty, PartName, SegmentKeys};
use crate::store::{AnchorRow, DataKeyId, Store, WriteTx};

/// Fact that says a decided swap of the index is under way.
const FACT_SWAP: &str = "index_swap";
/// What the fact holds while it is.
const SWAP_DECIDED: &[u8] = b"decided";
/// Numbers of the sequence read in one stable picture.
const PAGE_NUMBERS: u64 = 8_192;
/// Pages that wait between reader and writer.
const PAGES_WAITING: usize = 2;

/// What a rebuild did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Messages that were indexed.
    pub messages: u64,
    /// Parts that were written.
    pub parts: u64,
}

/// Finishes or throws away what a crash left of a rebuild; before any part is opened.
pub(super) fn resume(store: &Store) -> Result<()> {
    let decided = store.read()?.fact(FACT_SWAP)?.as_deref() == Some(SWAP_DECIDED);
    if decided {
        promote(store)
    } else {
        Ok(store.directory().drop_index_draft()?)
    }
}

fn promote(store: &Store) -> Result<()> {
    store.directory().promote_index_draft()?;
    let tx = store.write()?;
    tx.put_fact(FACT_SWAP, b"")?;
    Ok(tx.commit()?)
}

impl Archive {
    /// Rebuilds the whole index from the store, while searches go on against the old one.
    ///
    /// No message may come in meanwhile: the caller keeps imports away, and if one came
    /// nevertheless the old index stays and the error says so. `progress` hears messages done and
    /// messages in all. `with` runs in the transaction that decides the swap (the audit entry).
    pub fn rebuild_index(
        &self,
        now: Now,
        progress: &mut dyn FnMut(u64, u64),
        with: impl FnOnce(&WriteTx<'_>, &Rebuilt) -> Result<()>,
    ) -> Result<Rebuilt> {
        let _alone = self
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        resume(&self.store)?;
        let rows = self.store.read()?;
        let (seen, total) = (rows.outbox_last_seq()?, rows.message_count()?);
        drop(rows);
        let draft = Index::open(
            &self.store.directory().index_draft(),
            self.segment_keys.clone(),
            self.keyring.entropy().clone(),
            self.index_config,
            &BTreeMap::new(),
        )
        .map_err(index_failed)?
        .index;
        let decided = self
            .feed(&draft, total, now, progress)
            .and_then(|messages| {
                let committed = draft.committed();
                let rebuilt = Rebuilt {
                    messages,
                    parts: committed.len() as u64,
                };
                self.reached("rebuild.built");
                self.decide(now, seen, &committed, &rebuilt, with)?;
                Ok(rebuilt)
            });
        let rebuilt = match decided {
            Ok(rebuilt) => rebuilt,
            Err(error) => {
                self.throw_away(&draft)?;
                return Err(error);
            }
        };
        drop(draft);
        self.reached("rebuild.decided");
        promote(&self.store)?;
        self.reached("rebuild.swapped");
        self.reopen_index()?;
        Ok(rebuilt)
    }

    fn throw_away(&self, draft: &Index) -> Result<()> {
        let keys: Vec<_> = draft
            .segment_keys()
            .into_iter()
            .map(|(_, key)| key)
            .collect();
        self.store.directory().drop_index_draft()?;
        self.segment_keys
            .drop_keys(&keys)
            .map_err(|error| ArchiveError::Index(error.to_string()))
    }

    /// The transaction from which on the draft is the index.
    fn decide(
        &self,
        now: Now,
        seen: u64,
        committed: &[Committed],
        rebuilt: &Rebuilt,
        with: impl FnOnce(&WriteTx<'_>, &Rebuilt) -> Result<()>,
    ) -> Result<()> {
        self.write(now, |tx| {
            if tx.outbox_last_seq()? != seen {
                return Err(ArchiveError::Index(
                    "messages came in while it was rebuilt; the old one stays in use: rebuild it \
                     when no import runs"
                        .to_owned(),
                ));
            }
            tx.clear_index_rows()?;
            for part in committed {
                tx.put_anchor(&anchor_row(part, seen))?;
                for (segment, key) in &part.keys {
                    let id = u32::try_from(key.0)
                        .map(DataKeyId)
                        .map_err(|_| ArchiveError::Malformed("the number of a segment key"))?;
                    tx.assign_data_key(id, &format!("{}/{segment}", part.part))?;
                }
            }
            tx.put_fact(FACT_SWAP, SWAP_DECIDED)?;
            with(tx, rebuilt)
        })
    }

    /// Feeds every message of the store into an empty index: one thread opens, one analyses.
    fn feed(
        &self,
        draft: &Index,
        total: u64,
        now: Now,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64> {
        std::thread::scope(|scope| {
            let (sender, pages) = bounded(PAGES_WAITING);
            let reader = scope.spawn(move || self.read_pages(&sender));
            let fed = self.write_pages(draft, &pages, total, now, progress);
            // The reader ends when nobody takes its pages any more.
            drop(pages);
            let read = reader
                .join()
                .unwrap_or(Err(ArchiveError::Malformed("a page of messages")));
            let fed = fed?;
            read.map(|()| fed)
        })
    }

    fn read_pages(&self, pages: &Sender<Vec<OpenedMessage>>) -> Result<()> {
        let last = self.store.read()?.last_message()?.0;
        let mut first = 0;
        while first <= last {
            let end = first + PAGE_NUMBERS;
            let page = self.read_page(MessageNo(first), MessageNo(end))?;
            if !page.is_empty() && pages.send(page).is_err() {
                return Ok(());
            }
            first = end;
        }
        Ok(())
    }

    /// The opened messages of a range of numbers, in one stable picture.
    pub(super) fn read_page(&self, first: MessageNo, end: MessageNo) -> Result<Vec<OpenedMessage>> {
        let mut reader = self.reader()?;
        let mut rows = Vec::new();
        reader.rows().each_message(first, end, |row| {
            rows.push(row);
            Ok::<_, ArchiveError>(())
        })?;
        rows.into_iter().map(|row| reader.open(row)).collect()
    }

    fn write_pages(
        &self,
        draft: &Index,
        pages: &Receiver<Vec<OpenedMessage>>,
        total: u64,
        now: Now,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<u64> {
        let mut writer = draft.writer();
        let mut analyses = Analyses::default();
        let (mut messages, mut since, mut bytes) = (0, 0, 0);
        for page in pages {
            for message in &page {
                message
                    .with_record(|record| {
                        bytes += record
                            .versions
                            .iter()
                            .map(|text| text.len() as u64)
                            .sum::<u64>();
                        analyses.words_of(record, |words| {
                            writer.add(record, words, Novelty::New, now.wall)
                        })
                    })
                    .map_err(index_failed)?;
            }
            messages += page.len() as u64;
            since += page.len() as u64;
            if since >= self.commit_messages || bytes >= COMMIT_BYTES {
                writer.commit_all().map_err(index_failed)?;
                (since, bytes) = (0, 0);
                self.segment_keys.refill()?;
                self.reached("rebuild.committed");
            }
            progress(messages, total);
        }
        writer.close().map_err(index_failed)?;
        Ok(messages)
    }

    /// Rebuilds the parts that did not open, from the store. Gives the messages that were indexed.
    pub fn repair_index(&self, now: Now) -> Result<u64> {
        let refused: BTreeSet<PartName> = self
            .refused_parts()
            .into_iter()
            .map(|(part, _)| part)
            .collect();
        if refused.is_empty() {
            return Ok(0);
        }
        let _alone = self
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let mut keys = Vec::new();
        for part in &refused {
            // A part so damaged that its keys cannot be read any more leaves them to the next open.
            match self.index().drop_part(*part) {
                Ok(dropped) => keys.extend(dropped),
                Err(_) => self.index().discard_part(*part).map_err(index_failed)?,
            }
        }
        self.reached("repair.dropped");
        let ranges = self.ranges_of(&refused)?;
        self.write(now, |tx| {
            for part in &refused {
                tx.delete_anchor(parts::of_name(*part))?;
            }
            for (part, first, last) in &ranges {
                tx.insert_outbox(parts::of_name(*part), *first, *last, true)?;
            }
            Ok(())
        })?;
        self.reached("repair.queued");
        self.segment_keys
            .drop_keys(&keys)
            .map_err(|error| ArchiveError::Index(error.to_string()))?;
        for part in refused {
            self.part_repaired(part);
        }
        self.left_unsettled();
        let replayed = self.replay_outbox(now)?;
        self.drop_orphans(&[])?;
        Ok(replayed)
    }

    /// Ranges of numbers that cover every message a part may hold and few others.
    fn ranges_of(
        &self,
        wanted: &BTreeSet<PartName>,
    ) -> Result<Vec<(PartName, MessageNo, MessageNo)>> {
        let rows = self.store.read()?;
        let mut ranges: Vec<(PartName, MessageNo, MessageNo)> = Vec::new();
        let mut open = None;
        rows.each_message(MessageNo(0), MessageNo(i64::MAX as u64), |row| {
            let part = PartName::possible(row.sent)
                .into_iter()
                .find(|part| wanted.contains(part));
            match (part, open, ranges.last_mut()) {
                (Some(part), Some(before), Some(range)) if part == before => range.2 = row.no,
                (Some(part), ..) => ranges.push((part, row.no, row.no)),
                (None, ..) => {}
            }
            open = part;
            Ok::<_, ArchiveError>(())
        })?;
        Ok(ranges)
    }
}

fn anchor_row(part: &Committed, settled: u64) -> AnchorRow {
    AnchorRow {
        part: parts::of_name(part.part),
        generation: part.anchor.generation,
        revision: part.anchor.revision,
        meta_hash: part.anchor.hash.to_vec(),
        settled_seq: settled,
    }
}
