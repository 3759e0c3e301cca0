//! Survivor packs: what a purge left alive in the buckets it touched, for one backup older than it.
//!
//! ```text
//! pack  = stream (kind backup, name "<backup id>/<n>", 16 KiB pages) under
//!         HKDF(backup_db key, "wordkeep/v1/survivor-pack")
//! plain = "WKPACK1\0"  store 16 B  backup 16 B  batch  n
//!         runs   count, each: number, salt 32 B
//!         rows   count, each: number, version, part, data key, run, sealed bytes
//!         blobs  count, each: name 32 B, data key, nonce bytes, wrapped bytes
//! ```
//! Numbers are LEB128; bytes stand behind their length. Rows are as sealed as in the record: the
//! pack alone opens no content, and neither does the key of the backup.

use std::collections::BTreeMap;

use super::super::ArchiveError;
use super::super::error::Result;
use super::super::wire::{Input, put_bytes, put_number};
use crate::crypto::{Digest, Entropy, Hasher, Key, StreamKind, open_whole, seal_whole};
use crate::domain::{BackupId, StoreId};
use crate::store::{ContentKey, ContentRow, DataKeyId, StoreError};

const MAGIC: &[u8; 8] = b"WKPACK1\0";
const LABEL: &[u8] = b"wordkeep/v1/survivor-pack";

/// A fresh wrap of a sealed file's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PackedBlob {
    /// The name of the file.
    pub name: [u8; 32],
    /// The bucket key that wraps it now.
    pub data_key: DataKeyId,
    /// Nonce of the wrap.
    pub nonce: Vec<u8>,
    /// Id and wrapped key, as the record keeps them.
    pub wrapped: Vec<u8>,
}

/// The plain contents of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pack {
    pub store: StoreId,
    pub backup: BackupId,
    pub batch: u64,
    pub n: u32,
    pub runs: BTreeMap<u32, [u8; 32]>,
    pub rows: Vec<ContentRow>,
    pub blobs: Vec<PackedBlob>,
}

impl Pack {
    /// What tells two packs of one batch apart: a hash of everything but place and number.
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        let mut bytes = Vec::new();
        self.put_contents(&mut bytes);
        hasher.update(&bytes);
        hasher.finish()
    }

    fn put_contents(&self, out: &mut Vec<u8>) {
        put_number(out, self.runs.len() as u64);
        for (no, salt) in &self.runs {
            put_number(out, u64::from(*no));
            out.extend_from_slice(salt);
        }
        put_number(out, self.rows.len() as u64);
        self.rows.iter().for_each(|row| put_row(out, row));
        put_number(out, self.blobs.len() as u64);
        for blob in &self.blobs {
            out.extend_from_slice(&blob.name);
            put_number(out, u64::from(blob.data_key.0));
            put_bytes(out, &blob.nonce);
            put_bytes(out, &blob.wrapped);
        }
    }

    /// The sealed file of the pack.
    pub fn seal(&self, db_key: &Key, entropy: &dyn Entropy) -> Result<Vec<u8>> {
        let mut plain = MAGIC.to_vec();
        plain.extend_from_slice(&self.store.0.to_be_bytes());
        plain.extend_from_slice(&self.backup.0.to_be_bytes());
        put_number(&mut plain, self.batch);
        put_number(&mut plain, u64::from(self.n));
        self.put_contents(&mut plain);
        Ok(seal_whole(
            &plain,
            &pack_key(db_key),
            StreamKind::Backup,
            &stream_name(self.backup, self.n),
            entropy,
        )
        .map_err(|error| StoreError::file("packs", error))?)
    }

    /// Opens pack `n` of a backup of this store.
    pub fn open(
        file: &[u8],
        db_key: &Key,
        store: StoreId,
        backup: BackupId,
        n: u32,
    ) -> Result<Pack> {
        let name = stream_name(backup, n);
        let plain = open_whole(file, &pack_key(db_key), StreamKind::Backup, &name)
            .map_err(|_| ArchiveError::Integrity(format!("survivor pack {n} of {backup}")))?;
        let pack = read(&plain)?;
        match (pack.store, pack.backup, pack.n) == (store, backup, n) {
            true => Ok(pack),
            false => Err(ArchiveError::Integrity(format!(
                "survivor pack {n} of {backup}"
            ))),
        }
    }
}

fn pack_key(db_key: &Key) -> Key {
    db_key.derive(&[], &[LABEL])
}

fn stream_name(backup: BackupId, n: u32) -> String {
    format!("{backup}/{n}")
}

fn read(plain: &[u8]) -> Result<Pack> {
    let mut input = Input { rest: plain };
    if input.take(MAGIC.len())? != MAGIC {
        return Err(ArchiveError::Malformed("a survivor pack"));
    }
    let store = StoreId(wide(&mut input)?);
    let backup = BackupId(wide(&mut input)?);
    let batch = input.number()?;
    let n = small(&mut input)?;
    let mut runs = BTreeMap::new();
    for _ in 0..input.number()? {
        let no = small(&mut input)?;
        runs.insert(no, fixed(&mut input)?);
    }
    let mut rows = Vec::new();
    for _ in 0..input.number()? {
        rows.push(read_row(&mut input)?);
    }
    let mut blobs = Vec::new();
    for _ in 0..input.number()? {
        blobs.push(PackedBlob {
            name: fixed(&mut input)?,
            data_key: DataKeyId(small(&mut input)?),
            nonce: input.bytes()?.to_vec(),
            wrapped: input.bytes()?.to_vec(),
        });
    }
    match input.rest.is_empty() {
        true => Ok(Pack {
            store,
            backup,
            batch,
            n,
            runs,
            rows,
            blobs,
        }),
        false => Err(ArchiveError::Malformed("a survivor pack: bytes follow")),
    }
}

/// Appends a sealed row.
pub(super) fn put_row(out: &mut Vec<u8>, row: &ContentRow) {
    put_number(out, row.key.no);
    put_number(out, u64::from(row.key.version));
    put_number(out, u64::from(row.key.part));
    put_number(out, u64::from(row.data_key.0));
    put_number(out, u64::from(row.run));
    put_bytes(out, &row.sealed);
}

/// Reads a sealed row.
pub(super) fn read_row(input: &mut Input<'_>) -> Result<ContentRow> {
    let wrong = |_| ArchiveError::Malformed("a row of a survivor pack");
    Ok(ContentRow {
        key: ContentKey {
            no: input.number()?,
            version: u16::try_from(input.number()?).map_err(wrong)?,
            part: u16::try_from(input.number()?).map_err(wrong)?,
        },
        data_key: DataKeyId(small(input)?),
        run: small(input)?,
        sealed: input.bytes()?.to_vec(),
    })
}

/// A number of 32 bits.
pub(super) fn small(input: &mut Input<'_>) -> Result<u32> {
    u32::try_from(input.number()?).map_err(|_| ArchiveError::Malformed("a number of 32 bits"))
}

/// A number of 128 bits, big-endian.
pub(super) fn wide(input: &mut Input<'_>) -> Result<u128> {
    Ok(u128::from_be_bytes(fixed(input)?))
}

/// Bytes of a fixed count.
pub(super) fn fixed<const N: usize>(input: &mut Input<'_>) -> Result<[u8; N]> {
    input
        .take(N)?
        .try_into()
        .map_err(|_| ArchiveError::Malformed("bytes of a fixed count"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    fn pack() -> Pack {
        let row = |no: u64| ContentRow {
            key: ContentKey {
                no,
                version: 1,
                part: 0,
            },
            data_key: DataKeyId(9),
            run: 3,
            sealed: vec![no as u8; 40],
        };
        Pack {
            store: StoreId(1),
            backup: BackupId(2),
            batch: 5,
            n: 1,
            runs: [(3, [4; 32])].into(),
            rows: (1..500).map(row).collect(),
            blobs: vec![PackedBlob {
                name: [8; 32],
                data_key: DataKeyId(9),
                nonce: vec![1; 12],
                wrapped: vec![2; 64],
            }],
        }
    }

    #[test]
    fn a_pack_opens_in_its_place_only() {
        let key = Key::from_bytes([6; 32]);
        let file = pack().seal(&key, &SeededEntropy::new(1)).unwrap();
        let open = |file: &[u8], key: &Key, backup, n| {
            Pack::open(file, key, StoreId(1), BackupId(backup), n)
        };
        assert_eq!(open(&file, &key, 2, 1).unwrap(), pack());
        assert!(open(&file, &Key::from_bytes([7; 32]), 2, 1).is_err());
        assert!(open(&file, &key, 3, 1).is_err());
        assert!(open(&file, &key, 2, 2).is_err());
        for at in (0..file.len()).step_by(97) {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &key, 2, 1).is_err(), "byte {at}");
        }
    }
}
