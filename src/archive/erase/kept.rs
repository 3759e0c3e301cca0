//! Backups that are still kept: they lose what a purge leaves alive unless they get it re-sealed.

use super::super::Result;
use crate::domain::Now;
use crate::store::{DataKeyId, Rows};

/// What survives in the buckets a slice touches, under its new keys.
pub struct Survivors<'a> {
    /// The batch.
    pub batch: u64,
    /// The new current keys of the touched buckets: every content row and every blob wrapped under
    /// one of them is a survivor.
    pub keys: &'a [DataKeyId],
    /// Where to read them.
    pub rows: &'a Rows,
    /// The present.
    pub now: Now,
}

/// The backups that are still kept. `backup` implements it; [`NoBackups`] is the empty list.
pub trait KeptBackups {
    /// Writes a survivor pack beside every kept backup and makes it durable. Called after the
    /// survivors were read back (P2), and again with the same keys when more of them dropped out
    /// of the plan in the deciding transaction (P4): write what is not there yet.
    ///
    /// # Errors
    /// A backup that cannot be reached stops the slice before anything is destroyed.
    fn keep(&self, survivors: &Survivors<'_>) -> Result<()>;
}

/// There are none.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBackups;

impl KeptBackups for NoBackups {
    fn keep(&self, _survivors: &Survivors<'_>) -> Result<()> {
        Ok(())
    }
}
