//! Wrapped keys: one row for each thing that can be erased by forgetting its key.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::TenantNo;

/// Row number of a wrapped key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataKeyId(pub u32);

/// What a key protects. The number is stored and bound into the wrap; it never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// Content of one month and shard.
    Bucket = 0,
    /// Names and titles of one entity shard.
    EntityBucket = 1,
    /// One segment of the search index.
    IndexSegment = 2,
    /// The meta files of the search index.
    IndexMeta = 3,
    /// One uploaded original.
    ImportOriginal = 4,
    /// Audit payloads of one year.
    AuditPayload = 5,
    /// Spooled events.
    SpoolSegment = 6,
    /// Files on their way in.
    Staging = 7,
    /// Database keys of kept backups.
    BackupDb = 8,
    /// Names of blobs.
    BlobName = 9,
    /// Identities of disposed messages.
    Tombstone = 10,
    /// Equality look-ups.
    Lookup = 11,
    /// The signing key of the audit log.
    LogSigning = 12,
    /// Secrets of channels.
    ChannelSecret = 13,
}

impl KeyKind {
    /// The kind of a stored number; `None` for numbers of a newer program.
    pub fn from_number(number: u8) -> Option<Self> {
        use KeyKind::*;
        [
            Bucket,
            EntityBucket,
            IndexSegment,
            IndexMeta,
            ImportOriginal,
            AuditPayload,
            SpoolSegment,
            Staging,
            BackupDb,
            BlobName,
            Tombstone,
            Lookup,
            LogSigning,
            ChannelSecret,
        ]
        .get(usize::from(number))
        .copied()
    }
}

/// Whether a key may still seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DataKeyState {
    /// The one that seals for its purpose.
    Current = 0,
    /// Opens only, while survivors of a purge move to the new key.
    ResealOnly = 1,
    /// Minted ahead; nothing uses it yet.
    Unassigned = 2,
}

/// What a key is for: the columns by which it is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPurpose {
    /// What it protects.
    pub kind: KeyKind,
    /// year * 12 + month - 1 in UTC, for bucket keys.
    pub bucket_month: Option<i32>,
    /// Shard, for bucket keys.
    pub bucket_shard: Option<u16>,
    /// What a key of another kind belongs to.
    pub object: Option<String>,
}

impl KeyPurpose {
    /// A key of which there is one.
    pub const fn only(kind: KeyKind) -> Self {
        Self {
            kind,
            bucket_month: None,
            bucket_shard: None,
            object: None,
        }
    }

    /// The key of the content of a month and shard.
    pub const fn bucket(month: i32, shard: u16) -> Self {
        Self {
            kind: KeyKind::Bucket,
            bucket_month: Some(month),
            bucket_shard: Some(shard),
            object: None,
        }
    }

    /// The key of something named.
    pub fn object(kind: KeyKind, object: impl Into<String>) -> Self {
        Self {
            kind,
            bucket_month: None,
            bucket_shard: None,
            object: Some(object.into()),
        }
    }
}

/// A wrapped key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Its number.
    pub id: DataKeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Keyhold generation that wraps it.
    pub generation: u32,
    /// Nonce of the wrap.
    pub nonce: [u8; 12],
    /// 32 bytes of key and 16 of tag, sealed.
    pub wrapped: Vec<u8>,
    /// Audit sequence number at which it was made.
    pub created_seq: u64,
    /// Whether it may still seal.
    pub state: DataKeyState,
}

const COLUMNS: &str = "id, kind, bucket_month, bucket_shard, object, generation, nonce, wrapped, \
                       created_seq, state";

fn read_row(row: &Row<'_>) -> rusqlite::Result<Option<DataKeyRow>> {
    let Some(kind) = KeyKind::from_number(row.get(1)?) else {
        return Ok(None);
    };
    let state = match row.get::<_, u8>(9)? {
        0 => DataKeyState::Current,
        1 => DataKeyState::ResealOnly,
        _ => DataKeyState::Unassigned,
    };
    Ok(Some(DataKeyRow {
        id: DataKeyId(row.get(0)?),
        purpose: KeyPurpose {
            kind,
            bucket_month: row.get(2)?,
            bucket_shard: row.get(3)?,
            object: row.get(4)?,
        },
        generation: row.get(5)?,
        nonce: row.get(6)?,
        wrapped: row.get(7)?,
        created_seq: row.get(8)?,
        state,
    }))
}

impl Rows {
    /// A key row by number.
    pub fn data_key(&self, id: DataKeyId) -> Result<Option<DataKeyRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from data_key where id = ?1"))?
            .query_row([id.0], read_row)
            .optional()?
            .flatten())
    }

    /// The current key of a purpose.
    pub fn current_data_key(&self, purpose: &KeyPurpose) -> Result<Option<DataKeyRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from data_key where state = 0 and tenant = ?1 and kind = ?2
                 and bucket_month is ?3 and bucket_shard is ?4 and object is ?5"
            ))?
            .query_row(
                (
                    TenantNo::FIRST.0,
                    purpose.kind as u8,
                    purpose.bucket_month,
                    purpose.bucket_shard,
                    &purpose.object,
                ),
                read_row,
            )
            .optional()?
            .flatten())
    }

    /// Every key row, by number.
    pub fn data_keys(&self) -> Result<Vec<DataKeyRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from data_key order by id"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows
            .collect::<rusqlite::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// How many wraps a keyhold generation has made.
    pub fn wrap_count(&self, generation: u32) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select wraps from wrap_count where generation = ?1")?
            .query_row([generation], |row| row.get(0))
            .optional()?
            .unwrap_or(0))
    }

    /// The number the next key row will get. Stable inside a write transaction until it is used.
    pub fn next_data_key_id(&self) -> Result<DataKeyId, StoreError> {
        let highest: u32 = self
            .connection
            .prepare_cached("select coalesce(max(id), 0) from data_key")?
            .query_row([], |row| row.get(0))?;
        // A number of a destroyed row may come again after its highest died, so the mark is kept.
        let kept: u32 = self
            .connection
            .prepare_cached("select high_water from number_sequence where name = 'data_key'")?
            .query_row([], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        Ok(DataKeyId(highest.max(kept) + 1))
    }
}

impl WriteTx<'_> {
    /// Adds a key row under the number `next_data_key_id` gave, and counts the wrap.
    pub fn insert_data_key(&self, row: &DataKeyRow) -> Result<(), StoreError> {
        let purpose = &row.purpose;
        self.connection()
            .prepare_cached(
                "insert into data_key (id, tenant, kind, bucket_month, bucket_shard, object,
                   generation, nonce, wrapped, created_seq, state)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                row.id.0,
                TenantNo::FIRST.0,
                purpose.kind as u8,
                purpose.bucket_month,
                purpose.bucket_shard,
                &purpose.object,
                row.generation,
                &row.nonce[..],
                &row.wrapped,
                row.created_seq,
                row.state as u8,
            ))?;
        self.connection()
            .prepare_cached(
                "insert into number_sequence (name, high_water) values ('data_key', ?1)
                 on conflict (name) do update set high_water = max(high_water, excluded.high_water)",
            )?
            .execute([row.id.0])?;
        self.count_wrap(row.generation)
    }

    fn count_wrap(&self, generation: u32) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into wrap_count (generation, wraps) values (?1, 1)
                 on conflict (generation) do update set wraps = wraps + 1",
            )?
            .execute([generation])?;
        Ok(())
    }

    /// Replaces the wrap of a key row: rotation under a new keyhold generation.
    pub fn rewrap_data_key(
        &self,
        id: DataKeyId,
        generation: u32,
        nonce: &[u8; 12],
        wrapped: &[u8],
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update data_key set generation = ?2, nonce = ?3, wrapped = ?4 where id = ?1",
            )?
            .execute((id.0, generation, &nonce[..], wrapped))?;
        self.count_wrap(generation)
    }

    /// Gives a minted key its object, which makes it current.
    pub fn assign_data_key(&self, id: DataKeyId, object: &str) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update data_key set object = ?2, state = 0 where id = ?1")?
            .execute((id.0, object))?;
        Ok(())
    }

    /// Says whether a key may still seal.
    pub fn set_data_key_state(&self, id: DataKeyId, state: DataKeyState) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update data_key set state = ?2 where id = ?1")?
            .execute((id.0, state as u8))?;
        Ok(())
    }

    /// Destroys a key row. What was sealed under it is gone once the keyhold rotates.
    pub fn delete_data_key(&self, id: DataKeyId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from data_key where id = ?1")?
            .execute([id.0])?;
        Ok(())
    }

    /// Records a new seal run and returns its number.
    pub fn insert_seal_run(&self, salt: &[u8; 32], began: i64) -> Result<u32, StoreError> {
        self.connection()
            .prepare_cached("insert into seal_run (tenant, salt, began) values (?1, ?2, ?3)")?
            .execute((TenantNo::FIRST.0, &salt[..], began))?;
        u32::try_from(self.connection().last_insert_rowid())
            .map_err(|_| StoreError::Limit("seal runs are used up"))
    }
}

impl Rows {
    /// The salt of a seal run.
    pub fn seal_run(&self, no: u32) -> Result<Option<[u8; 32]>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select salt from seal_run where no = ?1")?
            .query_row([no], |row| row.get(0))
            .optional()?)
    }
}
