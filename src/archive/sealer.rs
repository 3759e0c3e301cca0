//! Seals and opens content rows; one value per thread keeps its ciphers and buffers.

use std::collections::HashMap;

use super::ArchiveError;
use super::error::Result;
use super::keyring::{BucketCipher, Keyring};
use crate::crypto::{RowAad, RowPlace};
use crate::domain::{TenantNo, Timestamp};
use crate::store::{ContentKey, ContentRow, DataKeyId, KeyKind, KeyPurpose, Rows, WriteTx};

/// Table name bound into every content row.
const TABLE: &str = "content";

/// The erase bucket of a message: calendar month (UTC) of its effective time, and the shard of its
/// conversation. It never moves.
pub fn bucket_of(sent: Timestamp, shard: u16) -> KeyPurpose {
    let (year, month, _) = sent.civil_utc();
    KeyPurpose::bucket(year.max(0) * 12 + i32::from(month) - 1, shard)
}

/// The erase bucket of names and titles of a shard.
pub fn entity_bucket(shard: u16) -> KeyPurpose {
    KeyPurpose {
        kind: KeyKind::EntityBucket,
        bucket_month: None,
        bucket_shard: Some(shard),
        object: None,
    }
}

/// Seals rows inside one transaction.
pub(super) struct Sealer<'k> {
    keyring: &'k Keyring,
    aad: RowAad,
    ciphers: HashMap<KeyPurpose, BucketCipher>,
    sealed: Vec<u8>,
}

impl<'k> Sealer<'k> {
    pub(super) fn new(keyring: &'k Keyring) -> Result<Self> {
        let aad = RowAad::new(TABLE, keyring.store_id(), TenantNo::FIRST)?;
        Ok(Self {
            keyring,
            aad,
            ciphers: HashMap::new(),
            sealed: Vec::new(),
        })
    }

    /// Seals `plain` at `key` under the current key of `purpose` and inserts the row.
    pub(super) fn put(
        &mut self,
        tx: &WriteTx<'_>,
        key: ContentKey,
        purpose: &KeyPurpose,
        plain: &[u8],
    ) -> Result<()> {
        let (data_key, run) = self.seal(tx, key, purpose, plain)?;
        Ok(tx.insert_content(key, data_key, run, &self.sealed)?)
    }

    /// Seals the plain bytes of a row that is there anew, under the current key of `purpose`.
    pub(super) fn replace(
        &mut self,
        tx: &WriteTx<'_>,
        key: ContentKey,
        purpose: &KeyPurpose,
        plain: &[u8],
    ) -> Result<()> {
        let (data_key, run) = self.seal(tx, key, purpose, plain)?;
        Ok(tx.reseal_content(key, data_key, run, &self.sealed)?)
    }

    fn seal(
        &mut self,
        tx: &WriteTx<'_>,
        key: ContentKey,
        purpose: &KeyPurpose,
        plain: &[u8],
    ) -> Result<(DataKeyId, u32)> {
        if !self.ciphers.contains_key(purpose) {
            let cipher = self.keyring.sealing(tx, purpose)?;
            self.ciphers.insert(purpose.clone(), cipher);
        }
        let bucket = &self.ciphers[purpose];
        self.sealed.clear();
        bucket
            .cipher
            .seal(&mut self.aad, &place(key, bucket), plain, &mut self.sealed)?;
        Ok((bucket.data_key, bucket.run))
    }
}

fn place(key: ContentKey, bucket: &BucketCipher) -> RowPlace {
    RowPlace {
        no: key.no,
        version: key.version,
        part: key.part,
        bucket: bucket.tag,
        data_key: u64::from(bucket.data_key.0),
        run: u64::from(bucket.run),
    }
}

/// Opens rows; keeps the ciphers it met.
pub struct Opener<'k> {
    keyring: &'k Keyring,
    aad: RowAad,
    ciphers: HashMap<(DataKeyId, u32), BucketCipher>,
}

impl<'k> Opener<'k> {
    /// An opener over the keys.
    pub fn new(keyring: &'k Keyring) -> Result<Self> {
        let aad = RowAad::new(TABLE, keyring.store_id(), TenantNo::FIRST)?;
        Ok(Self {
            keyring,
            aad,
            ciphers: HashMap::new(),
        })
    }

    /// Opens a row and appends its plain bytes to `into`. `Integrity` when it does not open in its
    /// place, `Disposed` when its key is gone.
    pub fn open(&mut self, rows: &Rows, row: &ContentRow, into: &mut Vec<u8>) -> Result<()> {
        let known = (row.data_key, row.run);
        if !self.ciphers.contains_key(&known) {
            let cipher = self.keyring.opening(rows, row.data_key, row.run)?;
            self.ciphers.insert(known, cipher);
        }
        let bucket = &self.ciphers[&known];
        bucket
            .cipher
            .open(&mut self.aad, &place(row.key, bucket), &row.sealed, into)
            .map_err(|_| ArchiveError::Integrity(format!("content {}", row.key.no)))
    }
}
