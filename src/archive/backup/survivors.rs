//! The list of survivor packs beside a backup, and the writer a purge calls.
//!
//! `packs.json` (canonical JSON by `schema/json/survivor-packs.json`, signed by the log) names every
//! pack in `packs/`, in the order in which a restore applies them.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::{Deserialize, Serialize};

use super::super::error::Result;
use super::super::{Archive, ArchiveError, KeptBackups, Survivors};
use super::manifest::{open_document, signed_document};
use super::pack::{Pack, PackedBlob};
use super::registry::KeptBackup;
use crate::audit::StatementKind;
use crate::crypto::{Digest, NoteVerifier, hex, sha256};
use crate::store::{BackupFiles, DataKeyId, Rows, StoreError};

/// Name of the list inside a backup.
pub const PACKS_FILE: &str = "packs.json";
/// Longest list that is read, in bytes.
const LIST_BYTES_MAX: u64 = 16 << 20;
/// What the field `format` says.
const FORMAT: &str = "wordkeep-survivor-packs-1";

/// One pack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackEntry {
    /// The batch of destruction that wrote it.
    pub batch: u64,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Hash of what the pack holds, in hex: the same survivors are not written twice.
    pub contents: String,
    /// Its number, from 1.
    pub n: u32,
    /// SHA-256 of the file in hex.
    pub sha256: String,
}

impl PackEntry {
    /// Name of the file inside the backup.
    pub fn path(&self) -> String {
        format!("packs/{:06}.pack", self.n)
    }
}

/// The list of packs. Fields stand in the order of the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackList {
    /// The backup.
    pub backup: String,
    /// The format of the list.
    pub format: String,
    /// The packs, in order.
    pub packs: Vec<PackEntry>,
    /// The data directory.
    pub store: String,
}

impl PackList {
    /// Reads the list beside a backup and what it hashes to; `None` when there is none yet.
    pub fn read(files: &BackupFiles, key: &NoteVerifier) -> Result<Option<(PackList, Digest)>> {
        let Some(bytes) = files.read(PACKS_FILE, LIST_BYTES_MAX)? else {
            return Ok(None);
        };
        let list: PackList = open_document(&bytes, StatementKind::SurvivorPacks, key)?;
        let in_order = list.packs.iter().zip(1..).all(|(pack, n)| pack.n == n);
        match list.format == FORMAT && in_order {
            true => Ok(Some((list, sha256(&bytes)))),
            false => Err(ArchiveError::Malformed("the list of survivor packs")),
        }
    }
}

/// The backups an archive keeps, as a purge sees them.
impl KeptBackups for Archive {
    fn keep(&self, survivors: &Survivors<'_>) -> Result<()> {
        self.write_survivor_packs(survivors.batch, survivors.keys, survivors.rows)
            .map(drop)
    }
}

impl Archive {
    /// Writes what a purge leaves alive beside every kept backup and makes it durable: all content
    /// rows and sealed files under `keys`, the new keys of the buckets that batch `batch` touches.
    /// May be repeated; survivors that lie there already are not written again. Gives the number
    /// of packs that were written.
    ///
    /// # Errors
    /// The first backup that cannot be reached: nothing may be destroyed then.
    pub fn write_survivor_packs(&self, batch: u64, keys: &[DataKeyId], rows: &Rows) -> Result<u32> {
        let kept = self.kept_backups()?;
        if kept.is_empty() || keys.is_empty() {
            return Ok(0);
        }
        let mut pack = self.survivors(batch, keys, rows)?;
        let mut written = 0;
        for backup in &kept {
            written += u32::from(self.add_pack(backup, &mut pack, rows)?);
        }
        Ok(written)
    }

    fn survivors(&self, batch: u64, keys: &[DataKeyId], rows: &Rows) -> Result<Pack> {
        let mut pack = Pack {
            store: self.keyring.store_id(),
            backup: crate::domain::BackupId(0),
            batch,
            n: 0,
            runs: BTreeMap::new(),
            rows: Vec::new(),
            blobs: Vec::new(),
        };
        for key in keys {
            pack.rows.extend(rows.contents_under(*key, None, u32::MAX)?);
        }
        rows.each_blob(|blob| {
            if keys.contains(&blob.data_key) {
                pack.blobs.push(PackedBlob {
                    name: blob.name,
                    data_key: blob.data_key,
                    nonce: blob.nonce,
                    wrapped: blob.wrapped,
                });
            }
            Ok::<_, ArchiveError>(())
        })?;
        for row in &pack.rows {
            if let Entry::Vacant(place) = pack.runs.entry(row.run) {
                let missing = || StoreError::Corrupt(format!("seal run {} is missing", row.run));
                place.insert(rows.seal_run(row.run)?.ok_or_else(missing)?);
            }
        }
        Ok(pack)
    }

    fn add_pack(&self, backup: &KeptBackup, pack: &mut Pack, rows: &Rows) -> Result<bool> {
        let files = backup.files();
        if !files.exists() {
            return Err(ArchiveError::Unreachable(format!(
                "the backup {} is not at {}: bring it back, or forget it",
                backup.row.id,
                files.root().display()
            )));
        }
        let key = self.log_verifier();
        let mut list = match PackList::read(&files, key)? {
            Some((list, _)) => list,
            None => PackList {
                backup: backup.row.id.to_string(),
                format: FORMAT.to_owned(),
                packs: Vec::new(),
                store: self.keyring.store_id().to_string(),
            },
        };
        let contents = hex(&pack.digest());
        let is_there = list
            .packs
            .iter()
            .any(|known| known.batch == pack.batch && known.contents == contents);
        if is_there {
            return Ok(false);
        }
        pack.backup = backup.row.id;
        pack.n = list.packs.last().map_or(1, |last| last.n + 1);
        let db_key = self.keyring.key(rows, backup.row.db_key)?;
        let file = pack.seal(&db_key, &**self.keyring.entropy())?;
        let entry = PackEntry {
            batch: pack.batch,
            bytes: file.len() as u64,
            contents,
            n: pack.n,
            sha256: hex(&sha256(&file)),
        };
        // The pack first: a list never names what is not there.
        files.write(&entry.path(), &file)?;
        list.packs.push(entry);
        let bytes = signed_document(&list, StatementKind::SurvivorPacks, &self.signer)?;
        files.write(PACKS_FILE, &bytes)?;
        Ok(true)
    }
}
