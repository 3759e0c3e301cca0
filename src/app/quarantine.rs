//! Quarantine: an older copy of the data directory is opened for reading and for nothing else.
//!
//! What was logged, held or destroyed since that copy is not in it, so nothing may build on it:
//! no import, no change of rules, no destruction, no export, no signature of its log. Reading is
//! logged as always. It ends when the newest copy is put back, or a backup is restored.

use super::{AppError, Appliance, Result};
use crate::audit::{CHECKPOINT_FILE, LogEnd};
use crate::crypto::open_checkpoint;
use crate::domain::{FreezeReason, Right};

/// That this copy was found to be older than another: it stays in quarantine wherever it goes.
const FACT_QUARANTINE: &str = "quarantine";
/// Who ends it, as every refusal says.
const WAY_OUT: &str = "the administrator ends it by putting the newest copy of the data directory \
                       back, or by restoring the newest backup";

/// Whether a right is one of reading.
const fn reads(right: Right) -> bool {
    matches!(
        right,
        Right::ReadContent
            | Right::ReadAudit
            | Right::ReadRules
            | Right::ReadRestricted
            | Right::Verify
    )
}

impl Appliance {
    /// Why nothing but reading is allowed; `None` as a rule.
    pub fn quarantine(&self) -> Option<&str> {
        self.quarantine.as_deref()
    }

    /// Decides on open whether this is the newest state that anybody knows of. An older copy goes
    /// into quarantine; whatever else contradicts itself is refused.
    pub(super) fn enter_quarantine(&mut self) -> Result<()> {
        let known = self.archive.store().read()?.fact(FACT_QUARANTINE)?;
        let why = match (known, self.check_freshness()) {
            (Some(why), _) => String::from_utf8_lossy(&why).into_owned(),
            (None, Ok(())) => return Ok(()),
            (None, Err(error)) => match self.is_older()? {
                true => error.to_string(),
                false => return Err(error),
            },
        };
        let now = self.clock.now();
        self.change(now, |tx| {
            if tx.fact(FACT_QUARANTINE)?.is_some() {
                return Ok(());
            }
            tx.put_fact(FACT_QUARANTINE, why.as_bytes())?;
            self.freeze_by_itself(tx, now, FreezeReason::RollbackSuspected, &why)
        })?;
        self.notices.push(format!(
            "QUARANTINE: {why}; it can be read and nothing else, and nothing is destroyed: {WAY_OUT}"
        ));
        self.quarantine = Some(why);
        Ok(())
    }

    /// Refuses whatever would change something while this copy is in quarantine.
    pub(super) fn refuse_in_quarantine(&self, right: Right) -> Result<()> {
        match &self.quarantine {
            Some(why) if !reads(right) => Err(AppError::Integrity(format!(
                "this copy is in quarantine and can only be read ({why}); {WAY_OUT}"
            ))),
            _ => Ok(()),
        }
    }

    /// Whether the record has fewer entries than its published log or this computer has seen.
    fn is_older(&self) -> Result<bool> {
        let rows = self.archive.store().read()?;
        let size = LogEnd::read(&rows)
            .map_err(|error| AppError::Integrity(error.to_string()))?
            .edge
            .size();
        let key = self.archive.log_verifier();
        let published = self
            .archive
            .store()
            .directory()
            .read_log_file(CHECKPOINT_FILE)?;
        let published = published.and_then(|note| open_checkpoint(&note, key).ok());
        let pin = match self.pin_board() {
            Some(board) => board.read(&key.name)?.filter(|pin| pin.key == *key),
            None => None,
        };
        let seen = pin.map_or(0, |pin| pin.checkpoint.size);
        Ok(size < seen.max(published.map_or(0, |checkpoint| checkpoint.size)))
    }
}
