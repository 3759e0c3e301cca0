//! Rows of the audit log. The room `audit` decides what they say.

use rusqlite::{OptionalExtension, Row};

use super::{DataKeyId, Rows, StoreError, WriteTx};
use crate::domain::{EntryNo, TenantNo};

/// One entry as kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntryRow {
    /// Its place in the log, counted from 0.
    pub seq: EntryNo,
    /// The canonical JSON that is hashed.
    pub entry: Vec<u8>,
    /// The key and the sealed payload, when there is one and it was not pruned.
    pub payload: Option<(DataKeyId, Vec<u8>)>,
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<AuditEntryRow> {
    let key: Option<u32> = row.get(2)?;
    let payload: Option<Vec<u8>> = row.get(3)?;
    Ok(AuditEntryRow {
        seq: EntryNo(row.get(0)?),
        entry: row.get(1)?,
        payload: key.map(DataKeyId).zip(payload),
    })
}

impl Rows {
    /// Entries with `first <= seq < end`, in order.
    pub fn audit_entries(
        &self,
        first: EntryNo,
        end: EntryNo,
    ) -> Result<Vec<AuditEntryRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select seq, entry, payload_key, payload from audit_entry
             where seq >= ?1 and seq < ?2 order by seq",
        )?;
        let rows = statement.query_map([first.0, end.0], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Hands the place and the canonical JSON of every entry with `first <= seq < end` to `take`, in
    /// order and without a copy: for whoever reads the whole log.
    pub fn each_audit_entry(
        &self,
        first: EntryNo,
        end: EntryNo,
        mut take: impl FnMut(EntryNo, &[u8]),
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select seq, entry from audit_entry where seq >= ?1 and seq < ?2 order by seq",
        )?;
        let mut rows = statement.query([first.0, end.0])?;
        while let Some(row) = rows.next()? {
            let entry = row.get_ref(1)?.as_blob().map_err(rusqlite::Error::from)?;
            take(EntryNo(row.get(0)?), entry);
        }
        Ok(())
    }

    /// Size of the log and the right edge of its tree; `None` for a log without entries.
    pub fn audit_edge(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select size, edge from audit_edge where only = 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }

    /// Every signed checkpoint, by size.
    pub fn audit_checkpoints(&self) -> Result<Vec<(u64, String)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select size, note from audit_checkpoint order by size")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Signed checkpoints with `first <= size < end`, by size.
    pub fn audit_checkpoints_between(
        &self,
        first: u64,
        end: u64,
    ) -> Result<Vec<(u64, String)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select size, note from audit_checkpoint where size >= ?1 and size < ?2 order by size",
        )?;
        let rows = statement.query_map([first, end], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest signed checkpoint.
    pub fn last_audit_checkpoint(&self) -> Result<Option<(u64, String)>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select size, note from audit_checkpoint order by size desc limit 1")?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Appends an entry; its place must be the size of the log.
    pub fn insert_audit_entry(&self, row: &AuditEntryRow) -> Result<(), StoreError> {
        let (key, payload) = match &row.payload {
            Some((key, payload)) => (Some(key.0), Some(payload)),
            None => (None, None),
        };
        self.connection()
            .prepare_cached(
                "insert into audit_entry (seq, tenant, entry, payload_key, payload)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((row.seq.0, TenantNo::FIRST.0, &row.entry, key, payload))?;
        Ok(())
    }

    /// Drops the entries before this one, with what was typed for them.
    pub fn delete_audit_entries(&self, before: EntryNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from audit_entry where seq < ?1")?
            .execute([before.0])?;
        Ok(())
    }

    /// Sets the size of the log and the right edge of its tree.
    pub fn put_audit_edge(&self, size: u64, edge: &[u8]) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into audit_edge (only, size, edge) values (1, ?1, ?2)
                 on conflict (only) do update set size = excluded.size, edge = excluded.edge",
            )?
            .execute((size, edge))?;
        Ok(())
    }

    /// Keeps a signed checkpoint.
    pub fn insert_audit_checkpoint(&self, size: u64, note: &str) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("insert into audit_checkpoint (size, note) values (?1, ?2)")?
            .execute((size, note))?;
        Ok(())
    }
}
