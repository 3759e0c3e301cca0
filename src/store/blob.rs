//! Sealed files: put if absent, read a range, delete. Names are keyed hashes, bytes are sealed.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::OptionalExtension;

use super::{DataKeyId, Rows, StoreError, WriteTx};
use crate::domain::{MessageNo, TenantNo};

/// One sealed file and its wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Its number.
    pub no: u64,
    /// Keyed hash that is also the file name.
    pub name: [u8; 32],
    /// The bucket key that wraps the file key.
    pub data_key: DataKeyId,
    /// Nonce of the wrap.
    pub nonce: Vec<u8>,
    /// The wrapped file key.
    pub wrapped: Vec<u8>,
    /// Plain length in bytes.
    pub bytes: u64,
}

/// The directory of sealed files.
#[derive(Clone, Debug)]
pub struct BlobFiles {
    root: PathBuf,
}

impl BlobFiles {
    /// Files below `root`, which exists.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Where a sealed file lies.
    pub fn path(&self, name: &[u8; 32]) -> PathBuf {
        let mut hex = String::with_capacity(64);
        for byte in name {
            hex.push_str(&format!("{byte:02x}"));
        }
        self.root.join(hex)
    }

    /// Opens a temporary file to be sealed into; `keep` gives it its name.
    pub fn begin(&self, temporary: &str) -> Result<File, StoreError> {
        let path = self.root.join(temporary).with_extension("part");
        OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::file(path, error))
    }

    /// Makes a finished temporary file durable under its name. A file of that name that no row
    /// knows was left by a crash, sealed under a key that is lost: it is replaced.
    pub fn keep(&self, temporary: &str, file: &File, name: &[u8; 32]) -> Result<(), StoreError> {
        let from = self.root.join(temporary).with_extension("part");
        let to = self.path(name);
        let keep = || -> io::Result<()> {
            file.sync_all()?;
            fs::rename(&from, &to)?;
            File::open(&self.root)?.sync_all()
        };
        keep().map_err(|error| StoreError::file(&to, error))
    }

    /// Drops a temporary file that will not be kept.
    pub fn discard(&self, temporary: &str) -> Result<(), StoreError> {
        let path = self.root.join(temporary).with_extension("part");
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::file(path, error))
            }
            _ => Ok(()),
        }
    }

    /// Removes a sealed file for good; one that is gone already is no error.
    pub fn destroy(&self, name: &[u8; 32]) -> Result<(), StoreError> {
        let path = self.path(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(StoreError::file(path, error))
            }
            _ => Ok(()),
        }
    }

    /// Makes the removal of names durable.
    pub fn sync(&self) -> Result<(), StoreError> {
        File::open(&self.root)
            .and_then(|root| root.sync_all())
            .map_err(|error| StoreError::file(&self.root, error))
    }

    /// Length of a sealed file in bytes.
    pub fn len(&self, name: &[u8; 32]) -> Result<u64, StoreError> {
        let path = self.path(name);
        fs::metadata(&path)
            .map(|meta| meta.len())
            .map_err(|error| StoreError::file(path, error))
    }

    /// Fills `buffer` with sealed bytes from `offset`.
    pub fn read(&self, name: &[u8; 32], offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        let path = self.path(name);
        File::open(&path)
            .and_then(|file| file.read_exact_at(buffer, offset))
            .map_err(|error| StoreError::file(path, error))
    }
}

impl Rows {
    /// The sealed file of a name.
    pub fn blob_by_name(&self, name: &[u8; 32]) -> Result<Option<BlobRow>, StoreError> {
        self.blob_where("name = ?1", rusqlite::params![&name[..]])
    }

    /// The sealed files of a message's attachments, by ordinal.
    pub fn attachments(&self, message: MessageNo) -> Result<Vec<(u32, Option<u64>)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select ordinal, blob from attachment where message = ?1 order by ordinal",
        )?;
        let rows = statement.query_map([message.0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The sealed files whose keys a key wraps, by number.
    pub fn blobs_under(&self, data_key: DataKeyId) -> Result<Vec<BlobRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, name, data_key, nonce, wrapped, bytes from blob where data_key = ?1
             order by no",
        )?;
        let rows = statement.query_map([data_key.0], read_blob)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The messages that carry a sealed file.
    pub fn messages_of_blob(&self, blob: u64) -> Result<Vec<MessageNo>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select distinct message from attachment where blob = ?1")?;
        let rows = statement.query_map([blob], |row| Ok(MessageNo(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The sealed file of a number.
    pub fn blob(&self, no: u64) -> Result<Option<BlobRow>, StoreError> {
        self.blob_where("no = ?1", rusqlite::params![no])
    }

    fn blob_where(
        &self,
        condition: &str,
        value: &[&dyn rusqlite::ToSql],
    ) -> Result<Option<BlobRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select no, name, data_key, nonce, wrapped, bytes from blob where {condition}"
            ))?
            .query_row(value, read_blob)
            .optional()?)
    }
}

pub(super) fn read_blob(row: &rusqlite::Row<'_>) -> rusqlite::Result<BlobRow> {
    Ok(BlobRow {
        no: row.get(0)?,
        name: row.get(1)?,
        data_key: DataKeyId(row.get(2)?),
        nonce: row.get(3)?,
        wrapped: row.get(4)?,
        bytes: row.get(5)?,
    })
}

impl WriteTx<'_> {
    /// Wraps the key of a sealed file anew.
    pub fn rewrap_blob(&self, row: &BlobRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update blob set data_key = ?2, nonce = ?3, wrapped = ?4 where no = ?1",
            )?
            .execute((row.no, row.data_key.0, &row.nonce, &row.wrapped))?;
        Ok(())
    }

    /// Deletes the row of a sealed file: its wrapped key is gone, the file waits for unlinking.
    pub fn delete_blob(&self, no: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from blob where no = ?1")?
            .execute([no])?;
        Ok(())
    }

    /// Adds a sealed file; its `no` is ignored and the given number returned.
    pub fn insert_blob(&self, row: &BlobRow) -> Result<u64, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into blob (tenant, name, data_key, nonce, wrapped, bytes)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.name[..],
                row.data_key.0,
                &row.nonce,
                &row.wrapped,
                row.bytes,
            ))?;
        Ok(self.connection().last_insert_rowid() as u64)
    }

    /// Records that a message carries an attachment, with its sealed file when the bytes are here.
    pub fn insert_attachment(
        &self,
        message: MessageNo,
        ordinal: u32,
        blob: Option<u64>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into attachment (message, ordinal, blob) values (?1, ?2, ?3)
                 on conflict (message, ordinal) do update set blob = coalesce(excluded.blob, blob)",
            )?
            .execute((message.0, ordinal, blob))?;
        Ok(())
    }
}
