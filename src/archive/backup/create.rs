//! Making a backup: begun in the record, written under a temporary name, kept once it is whole.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::super::error::Result;
use super::super::{Archive, ArchiveError};
use super::manifest::{FileEntry, MANIFEST_FILE, Manifest, RECORD_FILE};
use super::registry::{KeptBackup, path_text};
use crate::audit::CHECKPOINT_FILE;
use crate::crypto::{Digest, hex};
use crate::domain::{BackupId, Now};
use crate::store::{
    BackupDraft, BackupFiles, BackupRow, BackupState, KeyKind, KeyPurpose, RecordCounts, Rows,
    SCHEMA_VERSION, StoreError, WriteTx,
};

/// What a file that is being replaced ends with; a crash leaves it, nobody reads it.
const LEFT_BEHIND: &str = ".new";
/// Longest note of a checkpoint, in bytes.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// A backup that the record knows and that is not written yet.
#[derive(Clone, Debug)]
pub struct BackupBegun {
    /// What the record knows.
    pub row: BackupRow,
    /// Where its directory will lie.
    pub target: PathBuf,
}

/// A backup that is written.
#[derive(Clone, Debug)]
pub struct BackupMade {
    /// Its directory.
    pub path: PathBuf,
    /// SHA-256 of its manifest.
    pub manifest: Digest,
    /// What the record in it holds.
    pub counts: RecordCounts,
    /// Files, without the manifest.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

/// What is read of the record when the picture stands.
struct Picture {
    blobs: Vec<[u8; 32]>,
    checkpoint: String,
}

impl Archive {
    /// Mints id and key of a backup below `target` (absolute) and notes it. `log` runs in the
    /// transaction (the entry of the intent).
    pub fn begin_backup(
        &self,
        now: Now,
        target: &Path,
        log: impl FnOnce(&WriteTx<'_>, BackupId) -> Result<()>,
    ) -> Result<BackupBegun> {
        let path = path_text(target)?;
        let id = BackupId(super::super::mint(&**self.keyring.entropy(), now.wall));
        let (target_no, escrow_no) = (self.one_number()?, self.one_number()?);
        let row = self.write(now, |tx| {
            let purpose = KeyPurpose::object(KeyKind::BackupDb, id.to_string());
            let (db_key, _) = self.keyring.current(tx, &purpose)?;
            self.put_path(tx, target_no, &path)?;
            self.put_escrow_target(tx, escrow_no, &path)?;
            let mut row = BackupRow {
                no: 0,
                id,
                created: now.compliance,
                target_no,
                db_key,
                manifest: None,
                messages: 0,
                bytes: 0,
                packs: 0,
                packs_hash: None,
                state: BackupState::Begun,
            };
            row.no = tx.insert_backup(&row)?;
            log(tx, id)?;
            Ok(row)
        })?;
        Ok(BackupBegun {
            row,
            target: target.to_owned(),
        })
    }

    /// Writes the backup as of now, while imports and searches go on, and gives it its name. No
    /// purge runs meanwhile. `progress` hears what is done, how much, and of how much.
    pub fn write_backup(
        &self,
        begun: &BackupBegun,
        now: Now,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<BackupMade> {
        let _no_removal = self.hold_removal();
        self.sign_log(now)?;
        let draft = BackupDraft::begin(&begun.target, &begun.row.id.to_string())?;
        self.reached("backup.begun");
        let key = self.keyring.key(&*self.store.read()?, begun.row.db_key)?;
        // Until the picture stands nothing is signed: record and log end at one place.
        let signing = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let files = draft.files();
        let (counts, picture) = self.store.copy_record(
            &files.path(RECORD_FILE)?,
            &key,
            |rows| {
                let picture = self.take_log(rows, files)?;
                drop(signing);
                Ok(picture)
            },
            &mut |done, of| progress("record", done, of),
        )?;
        self.reached("backup.copied");
        let total = picture.blobs.len() as u64;
        for (done, name) in (1..).zip(&picture.blobs) {
            files.take(&self.blobs.path(name), &format!("blobs/{}", hex(name)))?;
            progress("files", done, total);
        }
        let entries = digest_all(files, progress)?;
        let manifest = Manifest {
            bytes: entries.iter().map(|file| file.bytes).sum(),
            checkpoint: picture.checkpoint,
            contents: counts.contents,
            created: begun.row.created.0,
            files: entries,
            format: Manifest::format(),
            id: begun.row.id.to_string(),
            log_key: self.log_verifier().to_vkey(),
            messages: counts.messages,
            schema: SCHEMA_VERSION,
            store: self.keyring.store_id().to_string(),
        };
        let bytes = manifest.sign(&self.signer)?;
        files.write(MANIFEST_FILE, &bytes)?;
        self.reached("backup.written");
        let path = draft.finish()?;
        self.reached("backup.named");
        Ok(BackupMade {
            path,
            manifest: Manifest::hash(&bytes),
            counts,
            files: manifest.files.len() as u64,
            bytes: manifest.bytes,
        })
    }

    /// Copies the published log and lists the sealed files, when the picture stands.
    fn take_log(
        &self,
        rows: &Rows,
        files: &BackupFiles,
    ) -> std::result::Result<Picture, StoreError> {
        let log = BackupFiles::new(&self.store.directory().log());
        for name in log.names()? {
            if !name.ends_with(LEFT_BEHIND) {
                files.take(&log.path(&name)?, &format!("log/{name}"))?;
            }
        }
        let note = log.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)?;
        let checkpoint = note.and_then(|note| String::from_utf8(note).ok());
        let mut blobs = Vec::new();
        rows.each_blob(|blob| {
            blobs.push(blob.name);
            Ok::<_, StoreError>(())
        })?;
        Ok(Picture {
            blobs,
            checkpoint: checkpoint
                .ok_or_else(|| StoreError::Corrupt("log/checkpoint".to_owned()))?,
        })
    }

    /// Notes that a backup is whole. `log` runs in the transaction (the entry of the outcome).
    pub fn keep_backup(
        &self,
        now: Now,
        begun: &BackupBegun,
        made: &BackupMade,
        log: impl FnOnce(&WriteTx<'_>) -> Result<()>,
    ) -> Result<()> {
        let row = BackupRow {
            manifest: Some(made.manifest),
            messages: made.counts.messages,
            bytes: made.bytes,
            state: BackupState::Kept,
            ..begun.row.clone()
        };
        self.write(now, |tx| {
            tx.update_backup(&row)?;
            log(tx)
        })
    }

    /// Gives a backup up: its key is destroyed, a draft is removed, a whole one opens no more once
    /// the escrow is replaced. `log` runs in the transaction.
    pub fn forget_backup(
        &self,
        now: Now,
        backup: &KeptBackup,
        log: impl FnOnce(&WriteTx<'_>) -> Result<()>,
    ) -> Result<()> {
        let row = BackupRow {
            state: BackupState::Forgotten,
            ..backup.row.clone()
        };
        self.write(now, |tx| {
            tx.update_backup(&row)?;
            tx.delete_data_key(row.db_key)?;
            log(tx)
        })?;
        self.keyring.forget(row.db_key);
        Ok(BackupDraft::discard(&backup.target, &row.id.to_string())?)
    }
}

/// Length and hash of every file of a draft, by name.
fn digest_all(
    files: &BackupFiles,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Vec<FileEntry>> {
    let names = files.names()?;
    let total = names.len() as u64;
    let mut entries = Vec::with_capacity(names.len());
    for (done, path) in (1..).zip(names) {
        let (bytes, digest) = files
            .digest(&path)?
            .ok_or_else(|| ArchiveError::Integrity(format!("the file {path} of the backup")))?;
        entries.push(FileEntry {
            bytes,
            path,
            sha256: hex(&digest),
        });
        progress("hashes", done, total);
    }
    Ok(entries)
}
