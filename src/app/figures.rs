//! How the house stands, in figures: sizes, counts, ages. No content, no name.

use std::fs;
use std::path::Path;

use super::{AppError, Appliance, Result, Session};
use crate::archive::Watermark;
use crate::audit::{Action, LogEnd};
use crate::domain::{Now, Right, Timestamp};

/// Figures of the house.
#[derive(Clone, Debug)]
pub struct SystemFigures {
    /// The present.
    pub now: Now,
    /// Messages in the record.
    pub messages: u64,
    /// Entries of the log.
    pub entries: u64,
    /// Entries that are signed.
    pub signed: u64,
    /// Bytes of the database and its write-ahead log.
    pub database: u64,
    /// Bytes of sealed attachments.
    pub blobs: u64,
    /// Bytes of the search index.
    pub index: u64,
    /// Bytes free on the disk of the data.
    pub free: u64,
    /// How far the index has read.
    pub watermark: Watermark,
    /// Keyhold generation in use.
    pub generation: u64,
    /// Ways to open the data.
    pub slots: u64,
    /// When the newest recovery key was made, and when one was typed in again.
    pub recovery: Option<(Timestamp, Option<Timestamp>)>,
    /// Backups that are kept.
    pub backups: u64,
    /// When the newest of them was made.
    pub newest_backup: Option<Timestamp>,
    /// The last trial restore: when, in how many milliseconds, whether all was sound.
    pub drill: Option<(Timestamp, u64, bool)>,
    /// How near compliance time is.
    pub quality: crate::retention::clock::Quality,
}

impl Appliance {
    /// The figures, for those who may run the verifier.
    ///
    /// # Errors
    /// For everybody else; when the record cannot be read.
    pub fn system_figures(&self, session: &Session) -> Result<SystemFigures> {
        self.require(session, Right::Verify, Action::AccessAsk)?;
        let data = &self.settings.data;
        let rows = self.archive.store().read()?;
        let end = LogEnd::read(&rows).map_err(|error| AppError::Integrity(error.to_string()))?;
        let signed = rows.last_audit_checkpoint()?.map_or(0, |(size, _)| size);
        let messages = rows.message_count()?;
        let keys = rows.recovery_keys()?;
        drop(rows);
        let tested = keys.iter().filter_map(|key| key.tested).max();
        let health = self.archive.backup_health()?;
        let file = |name: &str| fs::metadata(data.join(name)).map_or(0, |meta| meta.len());
        Ok(SystemFigures {
            now: self.clock.now(),
            messages,
            entries: end.edge.size(),
            signed,
            database: file("wordkeep.db") + file("wordkeep.db-wal"),
            blobs: bytes_below(&data.join("blobs")),
            index: bytes_below(&data.join("index")),
            free: rustix::fs::statvfs(data)
                .map_or(0, |disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
            watermark: self.archive.watermark()?,
            generation: self.archive.keyring().generation(),
            slots: self.archive.slots()?.len() as u64,
            recovery: keys.last().map(|key| (key.created, tested)),
            backups: health.kept,
            newest_backup: health.newest,
            drill: self
                .last_drill()?
                .map(|last| (last.at, last.millis, last.sound)),
            quality: self.clock_quality(),
        })
    }
}

/// Bytes of the files of a folder and the folders below it. What goes meanwhile is not counted.
fn bytes_below(folder: &Path) -> u64 {
    let mut bytes = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(meta) if meta.is_dir() => folders.push(entry.path()),
                Ok(meta) => bytes += meta.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
