//! Pruning the payloads of the audit log by year: the key of a year dies, the tree stays whole.
//!
//! What an entry says and what it commits to stays for ever; what was typed then - queries, reasons -
//! is noise from here on, in every copy of the record.

use std::sync::PoisonError;

use super::super::error::Result;
use super::super::{Archive, ArchiveError};
use crate::domain::Now;
use crate::store::{DataKeyId, KeyKind, WriteTx};

/// What pruning did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// The year whose payloads can no longer be read.
    pub year: u32,
    /// Keys that were destroyed.
    pub keys: u64,
    /// Generation of the keyhold that wraps the others now.
    pub generation: u64,
}

impl Archive {
    /// Destroys the keys of the payloads of a year that is over. `with` runs in the transaction of
    /// the decision (the audit entry). The elder keyhold is overwritten afterwards, so that no copy
    /// of the record opens them again; an escrow that is kept must be replaced by the caller.
    ///
    /// # Errors
    /// `PurgeRefused` when the year is not over, or has no payloads (any more).
    pub fn prune_payloads(
        &self,
        now: Now,
        year: u32,
        with: impl FnOnce(&WriteTx<'_>, &Pruned) -> Result<()>,
    ) -> Result<Pruned> {
        let _alone = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let present = now.compliance.civil_utc().0;
        if i64::from(year) >= i64::from(present) {
            return Err(ArchiveError::PurgeRefused(format!(
                "the year {year} is not over: its payloads are still being written"
            )));
        }
        let keys = self.payload_keys(year)?;
        if keys.is_empty() {
            return Err(ArchiveError::PurgeRefused(format!(
                "there are no payloads of {year}, or they were pruned"
            )));
        }
        let next = self.write_next_hold(self.keyring.root())?;
        self.reached("prune.hold_written");
        let mut former = None;
        let done = self.write(now, |tx| {
            for id in &keys {
                tx.delete_data_key(*id)?;
            }
            let (rotated, elder) = self.keyring.rewrap_in(tx, next.hold.clone())?;
            former = Some(elder);
            let pruned = Pruned {
                year,
                keys: keys.len() as u64,
                generation: rotated.generation,
            };
            with(tx, &pruned)?;
            Ok(pruned)
        });
        let pruned = match done {
            Ok(pruned) => pruned,
            Err(error) => {
                if let Some(former) = former {
                    self.keyring.take_back(former);
                }
                return Err(error);
            }
        };
        self.reached("prune.decided");
        self.retire_hold(&next)?;
        self.reached("prune.retired");
        for id in keys {
            self.keyring.forget(id);
        }
        self.empty_log()?;
        self.reached("prune.emptied");
        Ok(pruned)
    }

    fn payload_keys(&self, year: u32) -> Result<Vec<DataKeyId>> {
        let year = year.to_string();
        let rows = self.store.read()?.data_keys()?.into_iter();
        Ok(rows
            .filter(|row| row.purpose.kind == KeyKind::AuditPayload)
            .filter(|row| row.purpose.object.as_deref() == Some(year.as_str()))
            .map(|row| row.id)
            .collect())
    }
}
