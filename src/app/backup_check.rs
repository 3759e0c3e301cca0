//! The use-case "verify a backup" without keys: every file, every signature, the log inside.

use std::path::Path;

use serde_json::{Value, json};

use super::audit::LogDirectory;
use super::pins::PinBoard;
use super::verify::Known;
use super::{Result, VerifyRequest};
use crate::archive::{BackupCheck, MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, check_backup};
use crate::audit::{Report, Verdict, verify_files};
use crate::store::{BackupFiles, StoreError};

/// What verifying the files of a backup found.
#[derive(Clone, Debug)]
pub struct BackupReport {
    /// The files; `None` when nothing could be read far enough.
    pub check: Option<BackupCheck>,
    /// The log in the backup.
    pub log: Report,
    /// Whether the log was known from before; if not, its key was taken on trust this once.
    pub known_before: bool,
    /// What could not be read, in words.
    pub unreadable: Option<String>,
}

impl BackupReport {
    /// The verdict over files and log.
    pub fn verdict(&self) -> Verdict {
        match &self.check {
            None => Verdict::Unreadable,
            Some(check) if !check.is_sound() => Verdict::Broken,
            // Signed by a log that was known before: what came after the backup proves nothing.
            Some(_) if self.known_before && self.log.verdict == Verdict::Unanchored => {
                Verdict::Sound
            }
            Some(_) => self.log.verdict,
        }
    }

    /// What does not hold, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self.unreadable.iter().cloned().collect();
        if let Some(check) = &self.check {
            problems.extend(check.problems.iter().cloned());
        }
        problems.extend(self.log.problems.iter().map(|problem| {
            let file = problem.file.as_deref().unwrap_or("the log");
            format!("log/{file}: {}", problem.what)
        }));
        problems
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> Value {
        let check = self.check.as_ref();
        let manifest = check.and_then(|check| check.manifest.as_ref());
        json!({
            "exit_code": self.verdict().exit_code(),
            "verdict": self.verdict(),
            "known_before": self.known_before,
            "backup": manifest.map(|manifest| &manifest.id),
            "store": manifest.map(|manifest| &manifest.store),
            "messages": manifest.map(|manifest| manifest.messages),
            "files": check.map(|check| check.files),
            "bytes": check.map(|check| check.bytes),
            "packs": check.and_then(|check| check.packs.as_ref()).map_or(0, |(list, _)| list.packs.len()),
            "log_size": self.log.size,
            "anchors": self.log.anchors,
            "problems": self.problems(),
        })
    }
}

/// Verifies a backup from its files alone: no key, no configuration, no network. `pins` is where
/// this computer remembers logs.
pub fn verify_backup(
    path: &Path,
    pins: &Path,
    request: &VerifyRequest,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<BackupReport> {
    let files = BackupFiles::new(path);
    let log_files = LogDirectory::new(&path.join("log"));
    let board = PinBoard::new(pins);
    let mut known = Known::gather(&log_files, &board, request)?;
    let manifest = files.read(MANIFEST_FILE, MANIFEST_BYTES_MAX);
    let unreadable = |what: String| BackupReport {
        check: None,
        log: verify_files(&log_files, &Default::default()),
        known_before: false,
        unreadable: Some(what),
    };
    let manifest = match manifest {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let path = path.display();
            return Ok(unreadable(format!("{path}: there is no whole backup")));
        }
        Err(error) => return Ok(unreadable(error.to_string())),
    };
    // A damaged file of the log must not hide what the manifest says of it.
    if known.pins.keys.is_empty() {
        known.pins.keys.extend(Manifest::stated_key(&manifest));
    }
    let Some(key) = known.pins.keys.first().cloned() else {
        return Ok(unreadable(format!("{MANIFEST_FILE}: it names no key")));
    };
    let check = match check_backup(&files, &key, &mut |done, of| progress("hashes", done, of)) {
        Ok(check) => check,
        Err(crate::archive::ArchiveError::Store(error @ StoreError::File { .. })) => {
            return Ok(unreadable(error.to_string()));
        }
        Err(error) => return Err(error.into()),
    };
    // A backup is older than the log it comes from: a later checkpoint says nothing of it.
    let size = check.checkpoint.as_ref().map_or(0, |note| note.size);
    known.pins.anchors.retain(|anchor| anchor.size <= size);
    let mut log = verify_files(&log_files, &known.pins);
    known.judge(&mut log);
    if check.is_sound() {
        known.remember(&board, &log)?;
    }
    Ok(BackupReport {
        check: Some(check),
        log,
        known_before: known.before,
        unreadable: None,
    })
}
