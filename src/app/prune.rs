//! The use-cases that prune the log: what was typed in a year that is over can no longer be read; the
//! first entries are no longer kept.

use std::sync::PoisonError;

use super::verify::VerifyRequest;
use super::{AppError, Appliance, Result, Session};
use crate::archive::{ArchiveError, Prunable, PruneLimit, Pruned};
use crate::audit::{Action, Appended, PRUNE_DAYS_MIN};
use crate::crypto::{Checkpoint, TILE_WIDTH};
use crate::domain::{Right, Timestamp};
use crate::store::{Rows, WriteTx};

/// What a pruning of the first entries goes by.
#[derive(Clone, Debug)]
pub struct PruneRequest {
    /// A checkpoint that was kept elsewhere, three lines: no entry behind it goes.
    pub anchor: String,
    /// Entries that are to be gone then, as [`Appliance::prunable_entries`] tells.
    pub entries: u64,
    /// Why.
    pub reason: String,
}

impl Appliance {
    /// How far the log may be pruned by a checkpoint that was kept elsewhere. Changes nothing.
    ///
    /// # Errors
    /// For anybody but a records officer; `Usage` when the checkpoint is none of this log.
    pub fn prunable_entries(&self, session: &Session, anchor: &str) -> Result<Prunable> {
        self.require(session, Right::RequestDisposition, Action::LogPrune)?;
        let anchor = self.anchor_of(anchor)?;
        Ok(self.archive.prunable(self.clock.now(), anchor.size)?)
    }

    /// Removes the first entries of the log, with what was typed for them. Every hash stays: proofs
    /// that were given hold, and the rules are judged from there on as if the entries had been read.
    /// The whole log is verified against the checkpoint first.
    ///
    /// # Errors
    /// For anybody but a records officer; `Blocked` while a freeze stands or any hold protects, or
    /// when so many entries may not go; `Integrity` when the log does not hold.
    pub fn prune_entries(
        &self,
        session: &Session,
        request: &PruneRequest,
    ) -> Result<(Prunable, Appended)> {
        self.require(session, Right::RequestDisposition, Action::LogPrune)?;
        let reason = reason_of(&request.reason)?;
        let anchor = self.anchor_of(&request.anchor)?;
        let _alone = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        self.may_prune(&*self.archive.store().read()?, now.compliance)?;
        let may = self.archive.prunable(now, anchor.size)?;
        if request.entries <= may.before || request.entries > may.entries {
            return Err(AppError::Blocked(refusal_of(&may, request.entries)));
        }
        self.sign_log()?;
        let known = VerifyRequest {
            anchors: vec![request.anchor.clone()],
            ..VerifyRequest::default()
        };
        let log = self.verify_own_log(&known)?;
        if let Some(problem) = log.problems.first() {
            return Err(AppError::Integrity(format!(
                "nothing is pruned of a log that does not hold: {}",
                problem.what
            )));
        }
        let mut appended = None;
        self.archive
            .prune_entries(now, anchor.size, request.entries, |tx, beginning| {
                self.still_prunable(tx)?;
                let draft = self.draft(session, Action::LogPrune);
                let draft = beginning.told(draft);
                appended = Some(self.archive.log(tx, now, draft, Some(reason.as_bytes()))?);
                Ok(())
            })?;
        self.sign_log()?;
        let entry = appended.ok_or_else(|| AppError::Integrity("no entry was made".to_owned()))?;
        let pruned = Prunable {
            entries: request.entries,
            ..may
        };
        Ok((pruned, entry))
    }

    fn anchor_of(&self, text: &str) -> Result<Checkpoint> {
        let anchor = Checkpoint::parse(text).map_err(|error| {
            AppError::Usage(format!("a checkpoint is three lines, as printed: {error}"))
        })?;
        let name = &self.archive.log_verifier().name;
        match anchor.origin == *name {
            true => Ok(anchor),
            false => Err(AppError::Usage(format!(
                "the checkpoint is of {}, and this log is {name}",
                anchor.origin
            ))),
        }
    }

    /// Neither a freeze nor a hold stands in the way of pruning.
    fn may_prune(&self, rows: &Rows, at: Timestamp) -> Result<()> {
        if let Some(freeze) = rows.standing_freeze()? {
            return Err(AppError::Blocked(format!(
                "purging is frozen ({}, freeze {}): two people can lift it",
                freeze.reason.name(),
                freeze.no
            )));
        }
        let holds = rows.holds()?;
        match holds.iter().find(|row| row.hold.protects_at(at)) {
            Some(row) => Err(AppError::Blocked(format!(
                "hold {} protects, and the log may be evidence: two of legal can release it",
                row.id
            ))),
            None => Ok(()),
        }
    }

    /// Asked in the transaction: nobody else writes between this and the commit.
    fn still_prunable(&self, tx: &WriteTx<'_>) -> std::result::Result<(), ArchiveError> {
        let at = self.clock.now().compliance;
        if tx.holds()?.iter().any(|row| row.hold.protects_at(at)) {
            let what = "a hold was placed meanwhile: two of legal can release it";
            return Err(ArchiveError::PurgeRefused(what.to_owned()));
        }
        Ok(())
    }

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
        let reason = reason_of(reason)?;
        let _alone = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        self.may_prune(&*self.archive.store().read()?, now.compliance)?;
        let mut appended = None;
        let pruned = self.archive.prune_payloads(now, year, |tx, pruned| {
            self.still_prunable(tx)?;
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

fn reason_of(text: &str) -> Result<&str> {
    match text.trim() {
        "" => Err(AppError::Usage("the reason is missing".to_owned())),
        reason => Ok(reason),
    }
}

/// Why so many entries may not go.
fn refusal_of(may: &Prunable, wanted: u64) -> String {
    if may.entries == wanted && may.before >= wanted {
        return format!("the first {wanted} entries of the log were pruned before");
    }
    let why = limit_of(may.limit);
    format!(
        "{wanted} entries of the log cannot be pruned: {} were before, {} may be, in tiles of \
         {TILE_WIDTH}; {why}",
        may.before, may.entries
    )
}

/// Why no more of the log may be pruned, in words.
pub fn limit_of(limit: PruneLimit) -> String {
    match limit {
        PruneLimit::Anchor => "the checkpoint that was kept elsewhere knows no more".to_owned(),
        PruneLimit::Age => format!("those behind it are less than {PRUNE_DAYS_MIN} days old"),
        PruneLimit::Live => {
            "messages are live that came in with what the next ones tell of".to_owned()
        }
        PruneLimit::Recent => {
            format!("messages of which the next ones tell went less than {PRUNE_DAYS_MIN} days ago")
        }
    }
}
