//! Searches that somebody asked in a browser, and those they saved. Their words are content.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{SearchId, Timestamp, UserNo};

/// One search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedRow {
    /// Its public id.
    pub id: SearchId,
    /// Who asked.
    pub owner: UserNo,
    /// Keyed hash over owner and words: the same is not kept twice.
    pub lookup: Vec<u8>,
    /// When it was asked first.
    pub first: Timestamp,
    /// When it was asked last.
    pub last: Timestamp,
    /// Whether the owner keeps it under a name.
    pub saved: bool,
    /// Its words: content number.
    pub text_no: u64,
}

const COLUMNS: &str = "id, owner, lookup, first_asked, last_asked, saved, text_no";

fn read(row: &Row<'_>) -> rusqlite::Result<AskedRow> {
    Ok(AskedRow {
        id: SearchId(u128::from_be_bytes(row.get(0)?)),
        owner: UserNo(row.get(1)?),
        lookup: row.get(2)?,
        first: Timestamp(row.get(3)?),
        last: Timestamp(row.get(4)?),
        saved: row.get(5)?,
        text_no: row.get(6)?,
    })
}

impl Rows {
    /// A search by its id.
    pub fn asked(&self, id: SearchId) -> Result<Option<AskedRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from asked where id = ?1"))?
            .query_row([id.0.to_be_bytes()], read)
            .optional()?)
    }

    /// A search by its keyed hash.
    pub fn asked_before(&self, lookup: &[u8]) -> Result<Option<AskedRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from asked where lookup = ?1"))?
            .query_row([lookup], read)
            .optional()?)
    }

    /// The searches of somebody, the latest first, `limit` of them.
    pub fn asked_by(
        &self,
        owner: UserNo,
        saved: bool,
        limit: u32,
    ) -> Result<Vec<AskedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from asked where owner = ?1 and saved = ?2
             order by last_asked desc, no desc limit ?3"
        ))?;
        let rows = statement.query_map((owner.0, saved, limit), read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Keeps a search.
    pub fn insert_asked(&self, row: &AskedRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into asked
                     (tenant, id, owner, lookup, first_asked, last_asked, saved, text_no)
                 values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                row.id.0.to_be_bytes(),
                row.owner.0,
                &row.lookup,
                row.first.0,
                row.last.0,
                row.saved,
                row.text_no,
            ))?;
        Ok(())
    }

    /// It was asked again, or saved, under other words.
    pub fn update_asked(&self, row: &AskedRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update asked set last_asked = ?2, saved = ?3, text_no = ?4 where id = ?1",
            )?
            .execute((row.id.0.to_be_bytes(), row.last.0, row.saved, row.text_no))?;
        Ok(())
    }
}
