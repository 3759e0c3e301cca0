//! What the archive knows of its backups: recovery keys, kept backups, escrow targets, health.

use std::path::{Path, PathBuf};

use super::super::error::Result;
use super::super::sealer::{Sealer, entity_bucket};
use super::super::{Archive, ArchiveError, entity};
use crate::crypto::{RecoveryKey, RecoveryPublic};
use crate::domain::{Now, Timestamp};
use crate::store::{
    BackupFiles, BackupRow, BackupState, ContentKey, EscrowTargetRow, RecoveryKeyRow, StoreError,
    WriteTx,
};

/// Kind under which paths of escrow targets are looked up.
const TARGET_LOOKUP: &str = "escrow target";

/// A backup whose key is held, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBackup {
    /// What the record knows.
    pub row: BackupRow,
    /// The directory in which the directory of the backup lies.
    pub target: PathBuf,
}

impl KeptBackup {
    /// The directory of the backup.
    pub fn path(&self) -> PathBuf {
        self.target.join(self.row.id.to_string())
    }

    /// Its files.
    pub fn files(&self) -> BackupFiles {
        BackupFiles::new(&self.path())
    }
}

/// How backups and escrow stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupHealth {
    /// Whether a recovery key was made and typed in again.
    pub recovery_ready: bool,
    /// Kept backups.
    pub kept: u64,
    /// When the newest was begun.
    pub newest: Option<Timestamp>,
    /// Escrow targets.
    pub targets: u64,
    /// Targets whose escrow does not know the newest backup.
    pub stale: Vec<PathBuf>,
}

impl Archive {
    /// Every recovery key, oldest first.
    pub fn recovery_keys(&self) -> Result<Vec<RecoveryKeyRow>> {
        Ok(self.store.read()?.recovery_keys()?)
    }

    /// The recovery key to which the escrow is sealed: the newest that was typed in again.
    pub fn recovery_public(&self) -> Result<Option<RecoveryPublic>> {
        let keys = self.recovery_keys()?;
        let tested = keys.iter().rev().find(|key| key.tested.is_some());
        Ok(tested.map(|key| RecoveryPublic(key.public)))
    }

    /// Makes a recovery key; the record keeps its public half. `log` runs in the transaction.
    pub fn create_recovery_key(
        &self,
        now: Now,
        log: impl FnOnce(&WriteTx<'_>, &RecoveryPublic) -> Result<()>,
    ) -> Result<RecoveryKey> {
        let key = RecoveryKey::random(&**self.keyring.entropy());
        let public = key.public()?;
        self.write(now, |tx| {
            tx.insert_recovery_key(&public.0, now.compliance)?;
            log(tx, &public)
        })?;
        Ok(key)
    }

    /// Proves that a recovery key was written down: from now on escrows are sealed to it.
    /// `Mismatch` when it is not one of this record.
    pub fn test_recovery_key(
        &self,
        now: Now,
        key: &RecoveryKey,
        log: impl FnOnce(&WriteTx<'_>, &RecoveryPublic) -> Result<()>,
    ) -> Result<RecoveryPublic> {
        let public = key.public()?;
        self.write(now, |tx| {
            if !tx.recovery_key_tested(&public.0, now.compliance)? {
                return Err(ArchiveError::Mismatch(format!(
                    "the recovery key {} was not made for this data directory",
                    public.name()
                )));
            }
            log(tx, &public)
        })?;
        Ok(public)
    }

    /// Every backup whose key is held, oldest first.
    pub fn kept_backups(&self) -> Result<Vec<KeptBackup>> {
        self.backups_in(BackupState::Kept)
    }

    /// Every backup of a state, oldest first.
    pub fn backups_in(&self, state: BackupState) -> Result<Vec<KeptBackup>> {
        let mut reader = self.reader()?;
        let mut kept = Vec::new();
        for row in reader.rows().backups()? {
            if row.state == state {
                let target = one_path(reader.texts(row.target_no)?)?;
                kept.push(KeptBackup { row, target });
            }
        }
        Ok(kept)
    }

    /// Every place where the escrow is replaced.
    pub fn escrow_targets(&self) -> Result<Vec<(EscrowTargetRow, PathBuf)>> {
        let mut reader = self.reader()?;
        let mut targets = Vec::new();
        for row in reader.rows().escrow_targets()? {
            let path = one_path(reader.texts(row.target_no)?)?;
            targets.push((row, path));
        }
        Ok(targets)
    }

    /// Names a place where the escrow is replaced from now on.
    pub fn add_escrow_target(&self, now: Now, target: &Path) -> Result<()> {
        let path = path_text(target)?;
        let no = self.one_number()?;
        self.write(now, |tx| self.put_escrow_target(tx, no, &path))
    }

    pub(super) fn put_escrow_target(&self, tx: &WriteTx<'_>, no: u64, path: &str) -> Result<()> {
        let lookup = self.target_lookup(path);
        if tx.escrow_targets()?.iter().any(|row| row.lookup == lookup) {
            return Ok(());
        }
        self.put_path(tx, no, path)?;
        Ok(tx.insert_escrow_target(&lookup, no)?)
    }

    pub(super) fn target_lookup(&self, path: &str) -> [u8; 16] {
        self.lookup(TARGET_LOOKUP, &[path.as_bytes()])
    }

    /// Seals a path as a name is sealed.
    pub(super) fn put_path(&self, tx: &WriteTx<'_>, no: u64, path: &str) -> Result<()> {
        let plain = entity::pack_texts(&[path]);
        let bucket = entity_bucket((no % u64::from(self.shards())) as u16);
        Sealer::new(&self.keyring)?.put(tx, ContentKey::first(no), &bucket, &plain)
    }

    pub(super) fn one_number(&self) -> Result<u64> {
        let no = self.take_numbers(1)?.next();
        Ok(no.ok_or(StoreError::Limit("numbers"))?)
    }

    /// How backups and escrow stand.
    pub fn backup_health(&self) -> Result<BackupHealth> {
        let kept = self.kept_backups()?;
        let newest = kept.last();
        let newest_no = newest.map(|backup| backup.row.no);
        let targets = self.escrow_targets()?;
        let stale = targets
            .iter()
            .filter(|(row, _)| row.written.is_none() || row.newest_backup < newest_no)
            .map(|(_, path)| path.clone())
            .collect();
        Ok(BackupHealth {
            recovery_ready: self.recovery_public()?.is_some(),
            kept: kept.len() as u64,
            newest: newest.map(|backup| backup.row.created),
            targets: targets.len() as u64,
            stale,
        })
    }
}

/// The path as it is sealed and looked up: absolute, UTF-8.
pub(super) fn path_text(path: &Path) -> Result<String> {
    let text = path.to_str().filter(|_| path.is_absolute());
    text.map(str::to_owned).ok_or_else(|| {
        ArchiveError::Mismatch(format!(
            "{}: the path of a target must be absolute and UTF-8",
            path.display()
        ))
    })
}

fn one_path(texts: Vec<String>) -> Result<PathBuf> {
    let text = texts.into_iter().next();
    text.map(PathBuf::from)
        .ok_or(ArchiveError::Malformed("the path of a target"))
}
