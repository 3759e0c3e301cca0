//! Pruning the first entries of the log: those of which no message lives any more, and nothing that
//! went did so within the last year. Hashes and proofs stay.

use std::sync::PoisonError;

use super::super::error::Result;
use super::super::journal::audit_failed;
use super::super::{Archive, ArchiveError};
use crate::audit::{Beginning, Entry, PRUNE_DAYS_MIN};
use crate::crypto::TILE_WIDTH;
use crate::domain::{EntryNo, Now, Timestamp};
use crate::store::{Rows, WriteTx};

/// What ends the part of the log that may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PruneLimit {
    /// The checkpoint that was kept elsewhere knows no more entries.
    Anchor,
    /// The entries behind it are not old enough.
    Age,
    /// Messages are live that came in with what the next entries tell of.
    Live,
    /// Messages that came in with what the next entries tell of went less than a year ago.
    Recent,
}

/// How far the log may be pruned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prunable {
    /// Entries that are pruned already.
    pub before: u64,
    /// Entries that may be pruned in all; whole tiles of 256.
    pub entries: u64,
    /// Why it is no more.
    pub limit: PruneLimit,
}

impl Archive {
    /// How far the log may be pruned, given a checkpoint of so many entries that somebody keeps
    /// elsewhere. Changes nothing.
    pub fn prunable(&self, now: Now, anchored: u64) -> Result<Prunable> {
        prunable(&*self.store.read()?, now, anchored)
    }

    /// Removes the first `entries` entries of the log and keeps what stands in their stead. `with`
    /// writes the entry that tells of it, in the same transaction.
    ///
    /// # Errors
    /// `PurgeRefused` when they are more than may go, or none that are still there.
    pub fn prune_entries(
        &self,
        now: Now,
        anchored: u64,
        entries: u64,
        with: impl FnOnce(&WriteTx<'_>, &Beginning) -> Result<()>,
    ) -> Result<()> {
        let _alone = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(now, |tx| {
            let may = prunable(tx, now, anchored)?;
            let whole = entries.is_multiple_of(u64::from(TILE_WIDTH));
            if entries <= may.before || entries > may.entries || !whole {
                return Err(ArchiveError::PurgeRefused(format!(
                    "{entries} entries of the log cannot be pruned: {} are, {} may be, in whole \
                     tiles of {TILE_WIDTH}",
                    may.before, may.entries
                )));
            }
            let beginning = Beginning::compute(tx, entries).map_err(audit_failed)?;
            tx.delete_audit_entries(EntryNo(entries))?;
            beginning.keep(tx).map_err(audit_failed)?;
            with(tx, &beginning)
        })?;
        self.reached("prune.entries_gone");
        self.empty_log()
    }
}

fn prunable(rows: &Rows, now: Now, anchored: u64) -> Result<Prunable> {
    let kept = Beginning::kept(rows).map_err(audit_failed)?;
    let before = kept.map_or(0, |beginning| beginning.size());
    let aged = now.compliance.plus_days(-PRUNE_DAYS_MIN);
    // An entry about a message is no older than the import that brought it.
    let first = |began: Option<Timestamp>| began.map_or(Timestamp::NEVER, |at| Timestamp(at.0 - 1));
    let bounds = [
        (PruneLimit::Age, aged),
        (PruneLimit::Live, first(rows.first_import_of_live()?)),
        (
            PruneLimit::Recent,
            first(rows.first_import_of_disposed(aged)?),
        ),
    ];
    let (mut limit, until) = bounds
        .into_iter()
        .min_by_key(|(_, until)| *until)
        .unwrap_or((PruneLimit::Age, aged));
    let tile = u64::from(TILE_WIDTH);
    let (mut low, mut high) = (before / tile, anchored / tile);
    if high > low && last_of(rows, high * tile)? <= until {
        low = high;
        limit = PruneLimit::Anchor;
    }
    // Compliance time never goes back in the log.
    while low < high {
        let middle = (low + high).div_ceil(2);
        match last_of(rows, middle * tile)? <= until {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    Ok(Prunable {
        before,
        entries: low * tile,
        limit,
    })
}

/// Compliance time of the last of the first `entries`.
fn last_of(rows: &Rows, entries: u64) -> Result<Timestamp> {
    let seq = EntryNo(entries.saturating_sub(1));
    let row = rows.audit_entries(seq, EntryNo(entries))?.pop();
    let row = row.ok_or_else(|| ArchiveError::Audit(format!("entry {seq} is missing")))?;
    let entry = Entry::parse(&row.entry).map_err(ArchiveError::Audit)?;
    Ok(entry.t_c)
}
