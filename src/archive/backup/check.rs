//! Checking the files of a backup without any key: hashes, signatures, what is missing or too much.

use std::collections::BTreeMap;

use super::super::ArchiveError;
use super::super::error::Result;
use super::manifest::{MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest};
use super::survivors::{PACKS_FILE, PackList};
use crate::audit::CHECKPOINT_FILE;
use crate::crypto::{Checkpoint, Digest, NoteVerifier, hex, open_checkpoint};
use crate::store::{BackupFiles, StoreError};

/// Problems that are named; the rest is counted.
const PROBLEMS_MAX: usize = 100;
/// Longest note of a checkpoint, in bytes.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// What checking the files of a backup found.
#[derive(Clone, Debug)]
pub struct BackupCheck {
    /// The manifest, when it could be believed.
    pub manifest: Option<Manifest>,
    /// SHA-256 of the manifest's file.
    pub manifest_hash: Digest,
    /// The checkpoint of the log in the backup.
    pub checkpoint: Option<Checkpoint>,
    /// The list of survivor packs and its hash, when there is one.
    pub packs: Option<(PackList, Digest)>,
    /// Files whose hash was compared.
    pub files: u64,
    /// Bytes that were hashed.
    pub bytes: u64,
    /// What does not hold, by file; at most a hundred.
    pub problems: Vec<String>,
    /// How many problems there are in all.
    pub problem_count: u64,
}

impl BackupCheck {
    fn put(&mut self, problem: String) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// Whether everything holds.
    pub fn is_sound(&self) -> bool {
        self.problem_count == 0 && self.manifest.is_some()
    }
}

/// The bytes of a backup's manifest. `NotFound` when there is none: then it is no backup.
pub(super) fn manifest_bytes(files: &BackupFiles) -> Result<Vec<u8>> {
    let bytes = files.read(MANIFEST_FILE, MANIFEST_BYTES_MAX)?;
    Ok(bytes.ok_or_else(|| {
        StoreError::NotFound(format!("a whole backup at {}", files.root().display()))
    })?)
}

/// Checks a backup against its manifest under the key of its log. `progress` hears files done and
/// files in all.
///
/// # Errors
/// Only what cannot be read at all; what does not hold is in the answer.
pub fn check_backup(
    files: &BackupFiles,
    key: &NoteVerifier,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<BackupCheck> {
    let bytes = manifest_bytes(files)?;
    let mut check = BackupCheck {
        manifest: None,
        manifest_hash: Manifest::hash(&bytes),
        checkpoint: None,
        packs: None,
        files: 0,
        bytes: 0,
        problems: Vec::new(),
        problem_count: 0,
    };
    let manifest = match Manifest::open(&bytes, key) {
        Ok(manifest) => manifest,
        Err(error) => {
            check.put(format!("{MANIFEST_FILE}: {error}"));
            return Ok(check);
        }
    };
    check_note(&mut check, files, &manifest, key)?;
    check_packs(&mut check, files, &manifest, key)?;
    check_files(&mut check, files, &manifest, progress)?;
    check.manifest = Some(manifest);
    Ok(check)
}

/// The checkpoint is signed, and is the one the copied log ends with.
fn check_note(
    check: &mut BackupCheck,
    files: &BackupFiles,
    manifest: &Manifest,
    key: &NoteVerifier,
) -> Result<()> {
    match open_checkpoint(manifest.checkpoint.as_bytes(), key) {
        Ok(checkpoint) => check.checkpoint = Some(checkpoint),
        Err(error) => check.put(format!("{MANIFEST_FILE}: its checkpoint: {error}")),
    }
    let note = files.read(&format!("log/{CHECKPOINT_FILE}"), NOTE_BYTES_MAX)?;
    if note.as_deref() != Some(manifest.checkpoint.as_bytes()) {
        check.put(format!(
            "log/{CHECKPOINT_FILE}: not the checkpoint of the manifest"
        ));
    }
    Ok(())
}

fn check_packs(
    check: &mut BackupCheck,
    files: &BackupFiles,
    manifest: &Manifest,
    key: &NoteVerifier,
) -> Result<()> {
    match PackList::read(files, key) {
        Ok(Some((list, _))) if list.backup != manifest.id || list.store != manifest.store => {
            check.put(format!("{PACKS_FILE}: the list of another backup"));
        }
        Ok(list) => check.packs = list,
        Err(ArchiveError::Store(error)) => return Err(error.into()),
        Err(error) => check.put(format!("{PACKS_FILE}: {error}")),
    }
    Ok(())
}

/// Every file that is named is there and is what it was; nothing else is there.
fn check_files(
    check: &mut BackupCheck,
    files: &BackupFiles,
    manifest: &Manifest,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<()> {
    let mut expected: BTreeMap<String, (u64, String)> = manifest
        .files
        .iter()
        .map(|file| (file.path.clone(), (file.bytes, file.sha256.clone())))
        .collect();
    if let Some((list, _)) = &check.packs {
        for pack in &list.packs {
            expected.insert(pack.path(), (pack.bytes, pack.sha256.clone()));
        }
    }
    let total = expected.len() as u64;
    for name in files.names()? {
        let is_document = name == MANIFEST_FILE || name == PACKS_FILE;
        if !is_document && !expected.contains_key(&name) {
            check.put(format!("{name}: nobody put it there"));
        }
    }
    for (done, (name, (length, sha256))) in (1..).zip(expected) {
        match files.digest(&name) {
            Err(error @ StoreError::Corrupt(_)) => check.put(error.to_string()),
            Err(error) => return Err(error.into()),
            Ok(None) => check.put(format!("{name}: it is missing")),
            Ok(Some((found, digest))) => {
                check.files += 1;
                check.bytes += found;
                if found != length || hex(&digest) != sha256 {
                    check.put(format!("{name}: not what was written"));
                }
            }
        }
        progress(done, total);
    }
    Ok(())
}
