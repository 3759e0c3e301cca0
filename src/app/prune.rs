//! The use-case "prune payloads": what was typed in a year that is over can no longer be read.

use super::{AppError, Appliance, Result, Session};
use crate::archive::{ArchiveError, Pruned};
use crate::audit::{Action, Appended};
use crate::domain::{HoldId, Right};

impl Appliance {
    /// Destroys the keys of what was typed (queries, reasons) in a year. The log stays whole and every
    /// proof holds; in no copy of the record can it be read again.
    ///
    /// # Errors
    /// For anybody but a records officer; `Blocked` while a freeze stands, while any hold protects
    /// (what was typed may be evidence), when the year is not over or has nothing to prune.
    pub fn prune_payloads(
        &self,
        session: &Session,
        year: u32,
        reason: &str,
    ) -> Result<(Pruned, Appended)> {
        self.require(session, Right::RequestDisposition, Action::PayloadPrune)?;
        self.whole_archive(session)?;
        let reason = reason.trim();
        if reason.is_empty() {
            return Err(AppError::Usage("the reason is missing".to_owned()));
        }
        let _alone = self
            .importing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        if let Some(freeze) = rows.standing_freeze()? {
            return Err(AppError::Blocked(format!(
                "purging is frozen ({}, freeze {}): two people can lift it",
                freeze.reason.name(),
                freeze.no
            )));
        }
        let holds = rows.holds()?;
        let open: Vec<HoldId> = holds
            .iter()
            .filter(|row| row.hold.protects_at(now.compliance))
            .map(|row| row.id)
            .collect();
        if let Some(id) = open.first() {
            return Err(AppError::Held {
                text: format!(
                    "hold {id} protects, and what was typed may be evidence: two of legal can \
                     release it"
                ),
                holds: open,
            });
        }
        drop(rows);
        let mut appended = None;
        let pruned = self.archive.prune_payloads(now, year, |tx, pruned| {
            // Nobody else writes between this and the commit.
            let at = self.clock.now().compliance;
            if tx.holds()?.iter().any(|row| row.hold.protects_at(at)) {
                let what = "a hold was placed meanwhile: two of legal can release it";
                return Err(ArchiveError::PurgeRefused(what.to_owned()));
            }
            let draft = self
                .draft(session, Action::PayloadPrune)
                .count("year", u64::from(pruned.year))
                .count("keys", pruned.keys)
                .count("generation", pruned.generation);
            let entry = self.archive.log(tx, now, draft, Some(reason.as_bytes()))?;
            appended = Some(entry);
            Ok(())
        })?;
        self.escrow_after_purge()?;
        self.sign_log()?;
        let entry = appended.ok_or_else(|| AppError::Integrity("no entry was made".to_owned()))?;
        Ok((pruned, entry))
    }
}
