//! What keeps the search index honest: the outbox and the anchors.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{MessageNo, TenantNo};

/// A range of messages of one part that the index has yet to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// Its sequence number; the watermark counts in these.
    pub seq: u64,
    /// Part of the index.
    pub part: i32,
    /// First message of the range.
    pub first: MessageNo,
    /// Last message of the range.
    pub last: MessageNo,
    /// Whether the index may hold elder versions of them.
    pub replaces: bool,
}

/// What a part of the index stood at when its outbox rows were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnchorRow {
    /// The part.
    pub part: i32,
    /// Generation of its meta file.
    pub generation: u64,
    /// Rewrites of its meta file since that commit.
    pub revision: u64,
    /// Hash of its meta file.
    pub meta_hash: Vec<u8>,
    /// Last outbox sequence number that was settled into it.
    pub settled_seq: u64,
}

fn read_outbox(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    Ok(OutboxRow {
        seq: row.get(0)?,
        part: row.get(1)?,
        first: MessageNo(row.get(2)?),
        last: MessageNo(row.get(3)?),
        replaces: row.get(4)?,
    })
}

impl Rows {
    /// Every unsettled range, oldest first.
    pub fn outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select seq, part, first_no, last_no, replaces from outbox order by seq",
        )?;
        let rows = statement.query_map([], read_outbox)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The last sequence number ever written to the outbox; 0 when there was none.
    pub fn outbox_last_seq(&self) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select high_water from number_sequence where name = 'outbox'")?
            .query_row([], |row| row.get(0))
            .optional()?
            .unwrap_or(0))
    }

    /// Every part's anchor.
    pub fn anchors(&self) -> Result<Vec<AnchorRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select part, generation, revision, meta_hash, settled_seq from index_anchor order by part",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(AnchorRow {
                part: row.get(0)?,
                generation: row.get(1)?,
                revision: row.get(2)?,
                meta_hash: row.get(3)?,
                settled_seq: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Queues a range for the index and returns its sequence number.
    pub fn insert_outbox(
        &self,
        part: i32,
        first: MessageNo,
        last: MessageNo,
        replaces: bool,
    ) -> Result<u64, StoreError> {
        let seq: u64 = self
            .connection()
            .prepare_cached(
                "insert into number_sequence (name, high_water) values ('outbox', 1)
                 on conflict (name) do update set high_water = high_water + 1
                 returning high_water",
            )?
            .query_row([], |row| row.get(0))?;
        self.connection()
            .prepare_cached(
                "insert into outbox (seq, tenant, part, first_no, last_no, replaces)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((seq, TenantNo::FIRST.0, part, first.0, last.0, replaces))?;
        Ok(seq)
    }

    /// Removes the ranges of a part up to `seq`: the index commit that shows them is durable.
    pub fn settle_outbox(&self, part: i32, seq: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from outbox where part = ?1 and seq <= ?2")?
            .execute((part, seq))?;
        Ok(())
    }

    /// Sets the anchor of a part.
    pub fn put_anchor(&self, row: &AnchorRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into index_anchor (part, generation, revision, meta_hash, settled_seq)
                 values (?1, ?2, ?3, ?4, ?5)
                 on conflict (part) do update set generation = excluded.generation,
                   revision = excluded.revision, meta_hash = excluded.meta_hash, settled_seq = excluded.settled_seq",
            )?
            .execute((row.part, row.generation, row.revision, &row.meta_hash, row.settled_seq))?;
        Ok(())
    }

    /// Forgets the anchor of a part: it is fed again from the outbox.
    pub fn delete_anchor(&self, part: i32) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from index_anchor where part = ?1")?
            .execute([part])?;
        Ok(())
    }

    /// Forgets all anchors and all index work: the caller rebuilds from the messages.
    pub fn clear_index_rows(&self) -> Result<(), StoreError> {
        self.connection()
            .execute_batch("delete from index_anchor; delete from outbox;")?;
        Ok(())
    }
}
