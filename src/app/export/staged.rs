//! Exports that wait to be fetched: sealed in the data directory, for whoever asked, for a while.
//!
//! The key of a staged export lives in memory only: whatever ends the process takes it along. Somebody
//! whose sight has changed since, or who asks after a purge, has to make a new one: what was erased or
//! walled off does not leave the house in an elder bundle.

use std::io;
use std::sync::Arc;

use super::target::Target;
use super::{ExportReceipt, ExportRequest};
use crate::app::audit::TarLog;
use crate::app::{AppError, Appliance, Result, Session};
use crate::archive::mint;
use crate::audit::{Action, Appended};
use crate::domain::{ExportId, Right, Scope, Timestamp, UserNo};
use crate::store::{Rows, Scratch};

/// What was true when it was made.
#[derive(Debug, PartialEq, Eq)]
struct Sight {
    scope: Scope,
    /// Moves with every purge.
    purges: u64,
}

/// A bundle that waits to be fetched.
#[derive(Clone, Debug)]
pub struct StagedExport {
    /// Its id.
    pub id: ExportId,
    /// When it was made, by the wall clock.
    pub made: Timestamp,
    /// Messages in it; `None` for the audit log.
    pub messages: Option<u64>,
    /// SHA-256 of the file in hex.
    pub sha256: String,
    owner: UserNo,
    sight: Option<Arc<Sight>>,
    file: Arc<Scratch>,
}

impl StagedExport {
    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// Whose it is.
    pub const fn owner(&self) -> UserNo {
        self.owner
    }

    /// What the file is called.
    pub fn file_name(&self) -> String {
        match self.messages {
            Some(_) => format!("wordkeep-{}.tar", self.id),
            None => format!("wordkeep-log-{}.tar", self.id),
        }
    }

    /// Fills the front of `buffer` with what stands at `offset`; 0 is the end. Whoever hands bytes out
    /// asks [`Appliance::take_export`] first.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
}

impl Appliance {
    /// Makes the bundle that [`Appliance::export`] makes, sealed among what is staged instead of into
    /// a file of its own.
    ///
    /// # Errors
    /// As [`Appliance::export`].
    pub fn stage_export(
        &self,
        session: &Session,
        request: &ExportRequest,
        progress: &mut dyn FnMut(&'static str, u64, u64) -> bool,
    ) -> Result<(StagedExport, ExportReceipt)> {
        let scratch = Arc::new(self.scratch()?);
        let sight = self.sight(session)?;
        let target = || Ok(Target::sealed(Arc::clone(&scratch)));
        let (target, receipt) = self.export_into(session, request, progress, &target)?;
        target.keep();
        self.sign_log()?;
        let staged = StagedExport {
            id: receipt.id,
            made: self.clock.now().wall,
            messages: Some(receipt.manifest.counts.messages),
            sha256: receipt.sha256.clone(),
            owner: session.actor.no,
            sight: Some(Arc::new(sight)),
            file: scratch,
        };
        Ok((staged, receipt))
    }

    /// Stages the audit log as C2SP tiles in a tar file: what anybody can verify without a key.
    ///
    /// # Errors
    /// For who may not read the log; when the disk fails.
    pub fn stage_log(&self, session: &Session) -> Result<(StagedExport, Appended)> {
        self.require(session, Right::ReadAudit, Action::LogExport)?;
        let now = self.clock.now();
        let id = ExportId(mint(&*self.entropy, now.compliance));
        let entry = self.change(now, |tx| {
            let draft = self.draft(session, Action::LogExport).object(id);
            self.log(tx, now, draft, None)
        })?;
        self.sign_log()?;
        let scratch = self.scratch()?;
        let mut log = TarLog::new(scratch.pen(), now.compliance);
        self.write_log(&mut log)?;
        let failed = |error: io::Error| AppError::Io(error.to_string());
        let bytes = log.finish().map_err(failed)?;
        let target = Target::sealed(Arc::new(scratch));
        let sha256 = target.digest(bytes)?;
        let file = target
            .sealed_file()
            .ok_or_else(|| AppError::Integrity("the staged log is gone".to_owned()))?;
        target.keep();
        let staged = StagedExport {
            id,
            made: now.wall,
            messages: None,
            sha256,
            owner: session.actor.no,
            sight: None,
            file,
        };
        Ok((staged, entry))
    }

    /// Lets whoever made a staged export fetch it: that they do is durable in the log before a byte
    /// leaves.
    ///
    /// # Errors
    /// Not found for anybody else, and for who no longer carries the right; a conflict when something
    /// was erased since, or the sight of the asker is another one.
    pub fn take_export(&self, session: &Session, staged: &StagedExport) -> Result<Appended> {
        let (right, action) = match staged.sight {
            Some(_) => (Right::Export, Action::ExportTake),
            None => (Right::ReadAudit, Action::LogExport),
        };
        self.require(session, right, action.clone())?;
        if session.actor.no != staged.owner {
            return Err(AppError::NotFound(staged.id.to_string()));
        }
        if let Some(then) = &staged.sight
            && **then != self.sight(session)?
        {
            return Err(AppError::Conflict(
                "something was erased since this export was made, or what you may see has changed; \
                 make a new one"
                    .to_owned(),
            ));
        }
        let now = self.clock.now();
        let draft = self
            .draft(session, action)
            .object(staged.id)
            .count("bytes", staged.bytes());
        self.change(now, |tx| self.log(tx, now, draft, None))
    }

    fn scratch(&self) -> Result<Scratch> {
        let directory = self.archive.store().directory();
        Ok(Scratch::begin(directory, &*self.entropy)?)
    }

    fn sight(&self, session: &Session) -> Result<Sight> {
        let scope = self.scope(session)?;
        let rows = self.archive.store().read()?;
        Ok(Sight {
            scope,
            purges: purges(&rows)?,
        })
    }
}

fn purges(rows: &Rows) -> Result<u64> {
    let batches = rows.erase_batches()?;
    Ok(batches.iter().map(|row| row.generation_after + 1).sum())
}
