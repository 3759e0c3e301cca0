//! What follows the decision: P4's emptied log, the index (P5), the files (P6), the certificate
//! (P8), and the way back into all of it after a crash.

use std::sync::PoisonError;

use super::super::error::Result;
use super::super::open::index_failed;
use super::super::{Archive, ArchiveError, parts};
use super::facts::{Erased, identities_root};
use super::judge::KeepReason;
use super::residue::Samples;
use super::run::{EraseContext, object_of};
use crate::audit::{Action, Entry, LogEnd};
use crate::crypto::hex;
use crate::domain::{EntryNo, MessageNo, Now, Timestamp};
use crate::index::Removed;
use crate::store::{
    AnchorRow, DataKeyId, DataKeyState, EraseFate, EraseItemRow, EraseState, KeyKind, Rows,
    StoreError, WriteTx,
};

/// How often the log is tried to be emptied; each try waits ten seconds for elder readers.
const EMPTYING_TRIES: u32 = 3;

/// A batch that a crash or a failure cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The batch.
    pub batch: u64,
    /// Items nobody has decided about yet; they are live. Call [`Archive::erase`] again with the
    /// same approved plan, or [`Archive::close_erasure`].
    pub waiting: u64,
}

impl Archive {
    /// Writes the log back and empties it: elder wraps and deleted rows stand in it until then.
    pub(super) fn empty_log(&self) -> Result<()> {
        for _ in 0..EMPTYING_TRIES {
            if self.store.empty_log()? {
                return Ok(());
            }
        }
        Err(ArchiveError::PurgeRefused(
            "a reader has held an elder picture of the record for 30 s; what was decided is \
             finished with the next try"
                .to_owned(),
        ))
    }

    /// P5 to P7.
    pub(super) fn finish(
        &self,
        batch: u64,
        samples: &Samples,
        context: &EraseContext<'_>,
    ) -> Result<Erased> {
        if self.batch_row(&*self.store.read()?, batch)?.state < EraseState::Checked {
            self.unindex(batch, EraseState::Unindexed, context)?;
            self.drop_files(batch, EraseState::Unlinked, context)?;
            self.check_residue(batch, samples, context)?;
        }
        self.erased(batch)
    }

    /// P5: segments that hold a destroyed message are written anew, their keys die, and the keyhold
    /// rotates once more.
    fn unindex(&self, batch: u64, state: EraseState, context: &EraseContext<'_>) -> Result<()> {
        let messages = self.store.read()?.erased_but_indexed()?;
        let removed = self.remove_from_index(&messages, (context.now)())?;
        self.reached("erase.unindexed");
        let next = self.write_next_hold(self.keyring.root())?;
        let now = (context.now)();
        let mut former = None;
        let done = self.write(now, |tx| {
            self.settle_removal(tx, batch, &removed)?;
            let (rotated, elder) = self.keyring.rewrap_in(tx, next.hold.clone())?;
            former = Some(elder);
            let mut row = self.batch_row(tx, batch)?;
            row.generation_after = rotated.generation;
            row.state = row.state.max(state);
            tx.update_erase_batch(&row)?;
            self.reached("erase.index_written");
            Ok(())
        });
        if let Err(error) = done {
            if let Some(former) = former {
                self.keyring.take_back(former);
            }
            return Err(error);
        }
        self.reached("erase.index_settled");
        self.retire_hold(&next)?;
        for key in removed.keys {
            self.keyring.forget(key_row(key.0)?);
        }
        self.hide_erased(&*self.store.read()?)?;
        self.empty_log()?;
        self.reached("erase.index_forgotten");
        Ok(())
    }

    fn remove_from_index(&self, messages: &[(MessageNo, Timestamp)], now: Now) -> Result<Removed> {
        let _alone = self
            .rebuilding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((part, why)) = self.refused_parts().first() {
            return Err(ArchiveError::Index(format!(
                "part {part} is closed ({why}), and may hold what was destroyed: repair the index"
            )));
        }
        let mut writer = self.index().writer();
        let removed = writer.remove(messages);
        if removed.is_err() {
            // Whatever was committed on the way must not run ahead of its anchor.
            self.anchor_all(now)?;
        }
        removed.map_err(index_failed)
    }

    fn settle_removal(&self, tx: &WriteTx<'_>, batch: u64, removed: &Removed) -> Result<()> {
        let settled = tx.anchors()?;
        for part in self.index().committed() {
            let number = parts::of_name(part.part);
            let before = settled.iter().find(|row| row.part == number);
            tx.put_anchor(&AnchorRow {
                part: number,
                generation: part.anchor.generation,
                revision: part.anchor.revision,
                meta_hash: part.anchor.hash.to_vec(),
                settled_seq: before.map_or(0, |row| row.settled_seq),
            })?;
        }
        for part in &removed.committed {
            for (segment, key) in &part.keys {
                tx.assign_data_key(key_row(key.0)?, &format!("{}/{segment}", part.part))?;
            }
        }
        for key in &removed.keys {
            let id = key_row(key.0)?;
            tx.delete_data_key(id)?;
            tx.insert_erase_key(batch, id)?;
        }
        Ok(())
    }

    /// P6: files whose rows are gone leave the disk.
    fn drop_files(&self, batch: u64, state: EraseState, context: &EraseContext<'_>) -> Result<()> {
        let names = self.store.read()?.blobs_to_unlink()?;
        for name in &names {
            self.blobs.destroy(name)?;
        }
        if !names.is_empty() {
            self.blobs.sync()?;
        }
        self.reached("erase.unlinked");
        self.write((context.now)(), |tx| {
            tx.blobs_unlinked()?;
            let mut row = self.batch_row(tx, batch)?;
            row.state = row.state.max(state);
            Ok(tx.update_erase_batch(&row)?)
        })
    }

    /// Finishes on open what was decided before: keys, log, index, files. Call it when the index is
    /// repaired and replayed, before anything is served. Items of a batch that nobody decided about
    /// stay live and are told.
    ///
    /// # Errors
    /// When a step fails again; nothing may be served then.
    pub fn resume_erasures(&self, context: &EraseContext<'_>) -> Result<Vec<Unfinished>> {
        let _alone = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.give_survivors(context) {
            // A disk that is not plugged in keeps nobody from reading: it stays owed, and stops the
            // next purge.
            Ok(()) | Err(ArchiveError::Unreachable(_)) => {}
            Err(error) => return Err(error),
        }
        let batches = self.store.read()?.erase_batches()?;
        let mut told = Vec::new();
        for row in batches.iter().filter(|row| row.state < EraseState::Checked) {
            // The keyhold was mended when the vault was opened.
            self.empty_log()?;
            if row.state > EraseState::Intended {
                self.finish(row.batch, &Samples::none(), context)?;
                continue;
            }
            if !self.store.read()?.erased_but_indexed()?.is_empty() {
                self.unindex(row.batch, EraseState::Intended, context)?;
            }
            self.drop_files(row.batch, EraseState::Intended, context)?;
            told.push(self.unfinished(row.batch)?);
        }
        Ok(told)
    }

    fn unfinished(&self, batch: u64) -> Result<Unfinished> {
        let items = self.store.read()?.erase_items(batch)?;
        let waiting = |item: &&EraseItemRow| item.fate == EraseFate::Waiting;
        Ok(Unfinished {
            batch,
            waiting: items.iter().filter(waiting).count() as u64,
        })
    }

    /// Ends a batch that will not go on: what nobody decided about drops out as
    /// [`KeepReason::CLOSED`], what was decided is finished. Gives the facts.
    ///
    /// # Errors
    /// As [`Archive::erase`].
    pub fn close_erasure(&self, batch: u64, context: &EraseContext<'_>) -> Result<Erased> {
        let _alone = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write((context.now)(), |tx| {
            let mut row = self.batch_row(tx, batch)?;
            for item in tx.erase_items(batch)? {
                if item.fate == EraseFate::Waiting {
                    let fate = EraseFate::Dropped(KeepReason::CLOSED.code, 0);
                    tx.set_erase_fate(batch, &EraseItemRow { fate, ..item })?;
                }
            }
            row.state = row.state.max(EraseState::Decided);
            Ok(tx.update_erase_batch(&row)?)
        })?;
        self.gather_leftovers(batch, context)?;
        self.give_survivors(context)?;
        self.finish(batch, &Samples::none(), context)
    }

    /// Rows that a cut-off slice left under a retired key join the others; the key has no use then.
    fn gather_leftovers(&self, batch: u64, context: &EraseContext<'_>) -> Result<()> {
        let retired: Vec<_> = self
            .store
            .read()?
            .data_keys()?
            .into_iter()
            .filter(|row| row.state == DataKeyState::ResealOnly)
            .filter(|row| matches!(row.purpose.kind, KeyKind::Bucket | KeyKind::EntityBucket))
            .collect();
        for row in retired {
            self.write((context.now)(), |tx| {
                self.move_rest(tx, batch, row.id, &row.purpose)?;
                self.keyring.keep_opened(tx, row.id)?;
                Ok(tx.delete_data_key(row.id)?)
            })?;
        }
        Ok(())
    }

    /// P8: a certificate of this number is made for a checked batch. Again with the same number is
    /// no change. Signs the log, and gives the place of the entry that the certificate proves.
    ///
    /// # Errors
    /// When the batch is not checked yet, or has another certificate.
    pub fn certified(
        &self,
        batch: u64,
        number: u64,
        context: &EraseContext<'_>,
    ) -> Result<EntryNo> {
        let now = (context.now)();
        let entry = self.write(now, |tx| {
            let mut row = self.batch_row(tx, batch)?;
            match (row.state, row.certificate) {
                (EraseState::Certified, Some(known)) if known == number => {
                    return self.outcome_of(tx, batch);
                }
                (EraseState::Checked, None) => {}
                _ => {
                    return Err(ArchiveError::PurgeRefused(format!(
                        "batch {batch} awaits no certificate"
                    )));
                }
            }
            row.state = EraseState::Certified;
            row.certificate = Some(number);
            tx.update_erase_batch(&row)?;
            let items = tx.erase_items(batch)?;
            let erased: Vec<[u8; 32]> = items
                .iter()
                .filter_map(|item| match item.fate {
                    EraseFate::Erased { keyed_id, .. } => Some(keyed_id),
                    _ => None,
                })
                .collect();
            let count = erased.len() as u64;
            let draft = self
                .draft_of(Action::EraseOutcome, batch, context)
                .count("certificate", number)
                .count("erased", count)
                .count("dropped", items.len() as u64 - count)
                .word("items_root", hex(&identities_root(erased)));
            Ok(self.log(tx, now, draft, None)?.seq)
        })?;
        self.reached("erase.certified");
        self.sign_log(now)?;
        Ok(entry)
    }

    /// The place of the outcome of a batch in the log: it is among the newest.
    fn outcome_of(&self, rows: &Rows, batch: u64) -> Result<EntryNo> {
        let end = LogEnd::read(rows).map_err(|error| ArchiveError::Audit(error.to_string()))?;
        let mut until = end.edge.size();
        while until > 0 {
            let from = until.saturating_sub(LOG_PAGE);
            for row in rows
                .audit_entries(EntryNo(from), EntryNo(until))?
                .iter()
                .rev()
            {
                let entry = Entry::parse(&row.entry).map_err(ArchiveError::Audit)?;
                let first = entry.draft.objects.first();
                if entry.draft.action == Action::EraseOutcome
                    && first.is_some_and(|first| *first == object_of(batch))
                {
                    return Ok(entry.seq);
                }
            }
            until = from;
        }
        Err(StoreError::NotFound(format!("the outcome of batch {batch}")).into())
    }
}

/// Entries of the log that are looked through at a time.
const LOG_PAGE: u64 = 256;

fn key_row(id: u64) -> Result<DataKeyId> {
    u32::try_from(id)
        .map(DataKeyId)
        .map_err(|_| ArchiveError::Malformed("the number of a segment key"))
}
