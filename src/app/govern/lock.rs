//! Compliance locks on scopes that can change are written down with the messages before they do.

use super::super::{Appliance, Result};
use crate::audit::{Action, Draft, EntryActor};
use crate::domain::Lock;
use crate::retention::locks_to_record;
use crate::store::PolicyVersionRow;

impl Appliance {
    /// Records what compliance locks promise now, before something changes that their scopes ask
    /// for: an import brings people, names, versions and neighbours, a purge takes some away. Without
    /// a lock on such a scope nothing is looked at.
    pub(in crate::app) fn record_locks(&self) -> Result<()> {
        let rows = self.archive.store().read()?;
        let locked = |row: &PolicyVersionRow| matches!(row.version.lock, Lock::Compliance(_));
        if !rows.policy_versions()?.iter().any(locked) {
            return Ok(());
        }
        let (book, present) = (self.book(&rows)?, self.present(&rows)?);
        drop(rows);
        let found = locks_to_record(&self.archive, &book, &present)?;
        if found.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            for (no, floor) in &found {
                tx.raise_floor(*no, *floor)?;
            }
            let house = EntryActor::system();
            let draft = Draft::new(house, Action::LockRecord, self.request())
                .count("messages", found.len() as u64);
            self.log(tx, now, draft, None).map(drop)
        })
    }
}
