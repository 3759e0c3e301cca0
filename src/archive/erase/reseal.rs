//! P1 and P2: survivors move to a new key of their bucket and are read back under it.
//!
//! Nothing is destroyed here. A row opens under whichever key it names, so a crash at any point
//! leaves everything readable, and the next try goes on where this one stopped.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::Result;
use super::super::sealer::{Opener, Sealer};
use super::super::{Archive, ArchiveError};
use super::kept::Survivors;
use super::run::EraseContext;
use super::slice::{Doomed, Slice};
use crate::store::{ContentKey, DataKeyId, DataKeyState, KeyPurpose, Rows, WriteTx};

/// Rows moved in one transaction.
const MOVED_ROWS: u32 = 10_000;

/// The buckets a slice touches.
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Keys that are to die, and what they are for.
    pub(super) old: BTreeMap<DataKeyId, KeyPurpose>,
    /// The current keys of the same purposes.
    pub(super) new: BTreeSet<DataKeyId>,
    /// Rows that must lie under the new keys once all have moved.
    pub(super) survivors: u64,
    /// Rows that stay under the old keys: those of the items.
    pub(super) doomed: u64,
}

impl Archive {
    /// P1: mints a new current key for each touched bucket and moves everything to it that is not
    /// an item's.
    pub(super) fn reseal(&self, slice: &Slice, context: &EraseContext<'_>) -> Result<Touched> {
        let (touched, doomed) = self.write((context.now)(), |tx| self.renew_keys(tx, slice))?;
        self.reached("erase.renewed");
        for (old, purpose) in &touched.old {
            self.move_rows(*old, purpose, &doomed, context)?;
            self.write((context.now)(), |tx| {
                self.move_blobs(tx, *old, purpose, Some(&doomed))
            })?;
        }
        self.reached("erase.resealed");
        Ok(touched)
    }

    fn renew_keys(&self, tx: &WriteTx<'_>, slice: &Slice) -> Result<(Touched, Doomed)> {
        let doomed = Doomed::find(tx, slice)?;
        let mut touched = Touched::default();
        let mut purposes: Vec<KeyPurpose> = Vec::new();
        for id in &doomed.keys {
            let row = tx.data_key(*id)?.ok_or_else(|| {
                ArchiveError::Integrity(format!("data key {} is missing, its content", id.0))
            })?;
            if row.state == DataKeyState::Current {
                self.keyring.renew(tx, &row.purpose)?;
            }
            if !purposes.contains(&row.purpose) {
                purposes.push(row.purpose.clone());
            }
            touched.survivors += tx.content_count_under(*id)?;
            touched.old.insert(*id, row.purpose);
        }
        for purpose in &purposes {
            let (current, _) = self.keyring.current(tx, purpose)?;
            touched.survivors += tx.content_count_under(current)?;
            touched.new.insert(current);
        }
        touched.doomed = doomed.rows.len() as u64;
        touched.survivors -= touched.doomed;
        Ok((touched, doomed))
    }

    fn move_rows(
        &self,
        old: DataKeyId,
        purpose: &KeyPurpose,
        doomed: &Doomed,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let last = self.write((context.now)(), |tx| {
                self.move_some(tx, old, purpose, after, Some(doomed))
            })?;
            self.reached("erase.moved");
            match last {
                Some(last) => after = Some(last),
                None => return Ok(()),
            }
        }
    }

    /// Moves the rows of one page to the current key; gives the last row seen, `None` at the end.
    fn move_some(
        &self,
        tx: &WriteTx<'_>,
        old: DataKeyId,
        purpose: &KeyPurpose,
        after: Option<ContentKey>,
        doomed: Option<&Doomed>,
    ) -> Result<Option<ContentKey>> {
        let mut sealer = Sealer::new(&self.keyring)?;
        let mut opener = Opener::new(&self.keyring)?;
        let mut plain = zeroize::Zeroizing::new(Vec::new());
        let page = tx.contents_under(old, after, MOVED_ROWS)?;
        for row in &page {
            if doomed.is_some_and(|doomed| doomed.rows.contains(&row.key)) {
                continue;
            }
            plain.clear();
            opener.open(tx, row, &mut plain)?;
            sealer.replace(tx, row.key, purpose, &plain)?;
        }
        Ok(page.last().map(|row| row.key))
    }

    /// Moves whatever still lies under a key, rows and files, inside the transaction that destroys
    /// the key: what dropped out of the plan, and what came in since P1. The kept backups do not
    /// have it under its new key yet: that is written down with it, and [`Archive::give_survivors`]
    /// makes it good, however often the program dies on the way.
    pub(super) fn move_rest(
        &self,
        tx: &WriteTx<'_>,
        batch: u64,
        old: DataKeyId,
        purpose: &KeyPurpose,
    ) -> Result<()> {
        let rows = tx.content_count_under(old)?;
        let mut after = None;
        while let Some(last) = self.move_some(tx, old, purpose, after, None)? {
            after = Some(last);
        }
        let blobs = self.move_blobs(tx, old, purpose, None)?;
        if rows + blobs > 0 {
            let (current, _) = self.keyring.current(tx, purpose)?;
            tx.owe_survivors(batch, current)?;
        }
        Ok(())
    }

    /// Wraps the keys of files anew that something else than an item carries; gives how many.
    fn move_blobs(
        &self,
        tx: &WriteTx<'_>,
        old: DataKeyId,
        purpose: &KeyPurpose,
        doomed: Option<&Doomed>,
    ) -> Result<u64> {
        let mut moved = 0;
        for blob in tx.blobs_under(old)? {
            let carriers = tx.messages_of_blob(blob.no)?;
            let stays = |no| doomed.is_none_or(|doomed| !doomed.messages.contains(no));
            if carriers.iter().any(stays) {
                self.move_blob(tx, purpose, &blob)?;
                moved += 1;
            }
        }
        Ok(moved)
    }

    /// P2: opens every survivor under its new key and counts; then the kept backups get theirs.
    pub(super) fn read_back(
        &self,
        batch: u64,
        touched: &Touched,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let rows = self.store.read()?;
        let mut opened = 0;
        for key in &touched.new {
            opened += self.open_all(&rows, *key)?;
        }
        let mut left = 0;
        for key in touched.old.keys() {
            left += rows.content_count_under(*key)?;
        }
        // More may have come in meanwhile; nothing can have gone.
        if opened < touched.survivors || left < touched.doomed {
            return Err(ArchiveError::Integrity(format!(
                "batch {batch}: {opened} of {} survivors, {left} of {} items, their count",
                touched.survivors, touched.doomed
            )));
        }
        self.reached("erase.read_back");
        let keys: Vec<DataKeyId> = touched.new.iter().copied().collect();
        keep_survivors(batch, &keys, &rows, context)
    }

    /// Hands the kept backups what was moved while its old key was destroyed, and then forgets that
    /// they are owed it.
    ///
    /// # Errors
    /// `Unreachable` when a backup is not there: it stays owed, bring the backup back or forget it.
    pub(super) fn give_survivors(&self, context: &EraseContext<'_>) -> Result<()> {
        for (batch, keys) in self.store.read()?.owed_survivors()? {
            keep_survivors(batch, &keys, &*self.store.read()?, context)?;
            self.reached("erase.survivors_kept");
            self.write((context.now)(), |tx| Ok(tx.settle_survivors(batch)?))?;
        }
        Ok(())
    }

    fn open_all(&self, rows: &Rows, key: DataKeyId) -> Result<u64> {
        let mut opener = Opener::new(&self.keyring)?;
        let mut plain = zeroize::Zeroizing::new(Vec::new());
        let (mut after, mut opened) = (None, 0);
        loop {
            let page = rows.contents_under(key, after, MOVED_ROWS)?;
            for row in &page {
                plain.clear();
                opener.open(rows, row, &mut plain)?;
            }
            opened += page.len() as u64;
            match page.last() {
                Some(last) => after = Some(last.key),
                None => break,
            }
        }
        for blob in rows.blobs_under(key)? {
            self.blob_key(rows, &blob)?;
        }
        Ok(opened)
    }
}

/// Hands the kept backups all that lies under the new keys of a batch.
fn keep_survivors(
    batch: u64,
    keys: &[DataKeyId],
    rows: &Rows,
    context: &EraseContext<'_>,
) -> Result<()> {
    context.backups.keep(&Survivors {
        batch,
        keys,
        rows,
        now: (context.now)(),
    })
}
