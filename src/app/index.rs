//! The use-cases of the search index: rebuild it, compare it with the store, tell its figures.

use std::sync::PoisonError;

use super::{AppError, Appliance, Result, Session};
use crate::archive::{ArchiveError, IndexVerdict, Rebuilt, Watermark};
use crate::audit::{Action, Appended, Outcome};
use crate::domain::Right;
use crate::index::PartStats;

/// Figures of the index.
#[derive(Clone, Debug)]
pub struct IndexFigures {
    /// Every part, oldest first.
    pub parts: Vec<PartStats>,
    /// How far it has read.
    pub watermark: Watermark,
    /// Messages in the store.
    pub messages: u64,
}

impl Appliance {
    /// Rebuilds the index from the store. Searches go on against the old one; imports wait.
    /// `progress` hears messages done and messages in all.
    pub fn rebuild_index(
        &self,
        session: &Session,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(Rebuilt, Appended)> {
        self.require(session, Right::MaintainIndex, Action::IndexRebuild)?;
        let _no_import = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let mut appended = None;
        let rebuilt = self.archive.rebuild_index(now, progress, |tx, rebuilt| {
            let draft = self
                .draft(session, Action::IndexRebuild)
                .count("messages", rebuilt.messages)
                .count("parts", rebuilt.parts);
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        let appended = appended.ok_or(ArchiveError::Malformed("the entry of a rebuild"))?;
        Ok((rebuilt, appended))
    }

    /// Compares the index with the store: counts and sums of keyed hashes, every page of every
    /// file, `sample` queries. What it finds is a verdict, not an error. Imports wait.
    pub fn verify_index(
        &self,
        session: &Session,
        sample: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(IndexVerdict, Appended)> {
        self.require(session, Right::Verify, Action::VerifyRun)?;
        let verdict = {
            let _no_import = self
                .importing
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            self.archive.replay_outbox(self.clock.now())?;
            self.archive
                .verify_index(sample, self.clock.now(), progress)?
        };
        let now = self.clock.now();
        let problems = verdict.disagreements.len()
            + verdict.damaged.len()
            + verdict.refused.len()
            + verdict.missed.len();
        let appended = self.change(now, |tx| {
            let draft = self
                .draft(session, Action::VerifyRun)
                .word("of", "index")
                .count("messages", verdict.messages)
                .count("problems", problems as u64)
                .result(match verdict.is_sound() {
                    true => Outcome::Done,
                    false => Outcome::Failed,
                });
            self.log(tx, now, draft, None)
        })?;
        Ok((verdict, appended))
    }

    /// Figures of the index: counts and sizes only.
    pub fn index_figures(&self, session: &Session) -> Result<IndexFigures> {
        self.require(session, Right::MaintainIndex, Action::VerifyRun)?;
        let parts = self
            .archive
            .index()
            .stats()
            .map_err(|error| AppError::Integrity(error.to_string()))?;
        Ok(IndexFigures {
            parts,
            watermark: self.archive.watermark()?,
            messages: self.archive.store().read()?.message_count()?,
        })
    }
}
