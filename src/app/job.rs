//! The use-cases of long acts: kept when they begin and when they end, shown to their owner, marked as
//! cut off when the process that ran them died.

use super::{Appliance, Result, Session};
use crate::domain::{JobId, Timestamp, UserNo};
use crate::store::{JobRow, JobStage};

/// Jobs of one person that are remembered; the eldest are forgotten first.
const OWN_MAX: u32 = 200;
/// Longest account of an end that is kept, in bytes; what is longer is told shorter.
pub const JOB_END_BYTES_MAX: usize = 64 << 10;

/// A long act as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptJob {
    /// Its id.
    pub id: JobId,
    /// What it does, in words of ours.
    pub title: String,
    /// When it was asked for.
    pub began: Timestamp,
    /// When it ended, as far as is known.
    pub ended: Option<Timestamp>,
    /// How it ended, as whoever ran it wrote it down; `None` while it has not, and when the process
    /// ended first.
    pub end: Option<String>,
    /// Whether the process that ran it ended first.
    pub is_cut_off: bool,
}

impl Appliance {
    /// An id for a long act.
    pub fn mint_job(&self) -> JobId {
        JobId(crate::archive::mint(&*self.entropy, self.clock.now().wall))
    }

    /// Keeps a long act that somebody started, with a title of ours. One that is kept already stays.
    ///
    /// # Errors
    /// When it cannot be written, as in a copy that may only be read.
    pub fn job_began(&self, owner: UserNo, id: JobId, title: &str) -> Result<()> {
        let now = self.clock.now();
        self.change(now, |tx| {
            if tx.job(id)?.is_some() {
                return Ok(());
            }
            for elder in tx.jobs_of(owner, OWN_MAX - 1, OWN_MAX)? {
                if elder.stage != JobStage::UnderWay {
                    tx.delete_job(&elder)?;
                }
            }
            Ok(tx.insert_job(&JobRow {
                id,
                owner,
                title: title.to_owned(),
                began: now.compliance,
                ended: None,
                stage: JobStage::UnderWay,
                text_no: None,
            })?)
        })
    }

    /// Keeps how it ended: a text of at most [`JOB_END_BYTES_MAX`], sealed like content.
    ///
    /// # Errors
    /// As [`Appliance::job_began`].
    pub fn job_ended(&self, id: JobId, end: &str) -> Result<()> {
        let now = self.clock.now();
        self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[end])?;
            Ok(tx.end_job(id, now.compliance, text_no)?)
        })
    }

    /// The long acts of whoever asks, the latest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn kept_jobs(&self, session: &Session) -> Result<Vec<KeptJob>> {
        let rows = self.archive.store().read()?;
        let jobs = rows.jobs_of(session.actor.no, 0, OWN_MAX)?;
        jobs.into_iter()
            .map(|row| {
                let end = match row.text_no {
                    Some(no) => self.archive.open_texts(&rows, no)?.into_iter().next(),
                    None => None,
                };
                Ok(KeptJob {
                    id: row.id,
                    title: row.title,
                    began: row.began,
                    ended: row.ended,
                    end,
                    is_cut_off: row.stage == JobStage::CutOff,
                })
            })
            .collect()
    }

    /// Marks what was under way when a process died.
    pub(super) fn cut_jobs_off(&self) -> Result<()> {
        let now = self.clock.now();
        self.change(now, |tx| Ok(tx.cut_jobs_off(now.compliance).map(drop)?))
    }
}
