//! Sealed rows: every body, name, title and report, each under the key of its erase bucket.

use rusqlite::OptionalExtension;

use super::{DataKeyId, Rows, StoreError, WriteTx};
use crate::domain::TenantNo;

/// Parts a version may have; the key keeps four bits for them.
pub const PARTS_MAX: u16 = 16;

/// Where a sealed row stands: number of the sequence, version, part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentKey {
    /// Number of the message or entity.
    pub no: u64,
    /// Version, 0 the first.
    pub version: u16,
    /// Part of the version, below `PARTS_MAX`; 0 holds the packed short parts.
    pub part: u16,
}

impl ContentKey {
    /// Part 0 of version 0, where everything starts.
    pub const fn first(no: u64) -> Self {
        Self {
            no,
            version: 0,
            part: 0,
        }
    }

    pub(super) fn column(self) -> Result<i64, StoreError> {
        if self.part >= PARTS_MAX || self.no >= 1 << 43 {
            return Err(StoreError::Limit("parts of a version, or message numbers"));
        }
        Ok((self.no << 20 | u64::from(self.version) << 4 | u64::from(self.part)) as i64)
    }

    fn from_column(column: i64) -> Self {
        let column = column as u64;
        Self {
            no: column >> 20,
            version: (column >> 4) as u16,
            part: (column & 15) as u16,
        }
    }
}

/// A sealed row with what is needed to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentRow {
    /// Where it stands.
    pub key: ContentKey,
    /// The bucket key it is sealed under.
    pub data_key: DataKeyId,
    /// The seal run whose salt derives the row key.
    pub run: u32,
    /// Ciphertext and tag.
    pub sealed: Vec<u8>,
}

impl Rows {
    /// A sealed row; `None` when it does not exist (any more).
    pub fn content(&self, key: ContentKey) -> Result<Option<ContentRow>, StoreError> {
        let column = key.column()?;
        Ok(self
            .connection
            .prepare_cached("select data_key, run, sealed from content where key = ?1")?
            .query_row([column], |row| {
                Ok(ContentRow {
                    key,
                    data_key: DataKeyId(row.get(0)?),
                    run: row.get(1)?,
                    sealed: row.get(2)?,
                })
            })
            .optional()?)
    }

    /// All rows of one number, by version and part.
    pub fn contents(&self, no: u64) -> Result<Vec<ContentRow>, StoreError> {
        let mut rows = Vec::new();
        self.each_content(no, no + 1, |row| {
            rows.push(row);
            Ok::<(), StoreError>(())
        })?;
        Ok(rows)
    }

    /// How many sealed rows there are.
    pub fn content_count(&self) -> Result<u64, StoreError> {
        let sql = "select count(*) from content";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The largest number with content; 0 when there is none.
    pub fn last_content(&self) -> Result<u64, StoreError> {
        let highest: Option<i64> =
            self.connection
                .query_row("select max(key) from content", [], |row| row.get(0))?;
        Ok(highest.map_or(0, |key| ContentKey::from_column(key).no))
    }

    /// Visits all rows with `first <= number < end` in order. Stops at the visitor's first error.
    pub fn each_content<E: From<StoreError>>(
        &self,
        first: u64,
        end: u64,
        mut visit: impl FnMut(ContentRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let low = ContentKey::first(first).column()?;
        let high = ContentKey::first(end).column()?;
        let mut statement = self
            .connection
            .prepare_cached(
                "select key, data_key, run, sealed from content
                 where key >= ?1 and key < ?2 order by key",
            )
            .map_err(StoreError::from)?;
        let mut rows = statement.query([low, high]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            visit(read_row(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }
}

impl Rows {
    /// Up to `limit` rows under a key that stand behind `after`, in order.
    pub fn contents_under(
        &self,
        data_key: DataKeyId,
        after: Option<ContentKey>,
        limit: u32,
    ) -> Result<Vec<ContentRow>, StoreError> {
        let after = after.map_or(Ok(-1), ContentKey::column)?;
        let mut statement = self.connection.prepare_cached(
            "select key, data_key, run, sealed from content
             where data_key = ?1 and key > ?2 order by key limit ?3",
        )?;
        let rows = statement.query_map((data_key.0, after, limit), read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many rows lie under a key.
    pub fn content_count_under(&self, data_key: DataKeyId) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select count(*) from content where data_key = ?1")?
            .query_row([data_key.0], |row| row.get(0))?)
    }

    /// Where the rows of a number stand and under which key, without their bytes.
    pub fn content_places(&self, no: u64) -> Result<Vec<(ContentKey, DataKeyId)>, StoreError> {
        let (low, high) = (
            ContentKey::first(no).column()?,
            ContentKey::first(no + 1).column()?,
        );
        let mut statement = self.connection.prepare_cached(
            "select key, data_key from content where key >= ?1 and key < ?2 order by key",
        )?;
        let rows = statement.query_map([low, high], |row| {
            Ok((ContentKey::from_column(row.get(0)?), DataKeyId(row.get(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<ContentRow> {
    Ok(ContentRow {
        key: ContentKey::from_column(row.get(0)?),
        data_key: DataKeyId(row.get(1)?),
        run: row.get(2)?,
        sealed: row.get(3)?,
    })
}

impl WriteTx<'_> {
    /// Adds a sealed row. Its place must be free: a number is used once.
    pub fn insert_content(
        &self,
        key: ContentKey,
        data_key: DataKeyId,
        run: u32,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into content (key, tenant, data_key, run, sealed)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((key.column()?, TenantNo::FIRST.0, data_key.0, run, sealed))?;
        Ok(())
    }

    /// Replaces the sealing of a row: a survivor moves to another key.
    pub fn reseal_content(
        &self,
        key: ContentKey,
        data_key: DataKeyId,
        run: u32,
        sealed: &[u8],
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update content set data_key = ?2, run = ?3, sealed = ?4 where key = ?1",
            )?
            .execute((key.column()?, data_key.0, run, sealed))?;
        Ok(())
    }

    /// Deletes every row of a number: all versions and parts.
    pub fn delete_content(&self, no: u64) -> Result<(), StoreError> {
        let (low, high) = (
            ContentKey::first(no).column()?,
            ContentKey::first(no + 1).column()?,
        );
        self.connection()
            .prepare_cached("delete from content where key >= ?1 and key < ?2")?
            .execute([low, high])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn a_key_survives_its_column() {
        for key in [
            ContentKey::first(1),
            ContentKey {
                no: (1 << 43) - 1,
                version: u16::MAX,
                part: 15,
            },
        ] {
            assert_eq!(ContentKey::from_column(key.column().unwrap()), key);
        }
        assert!(
            ContentKey {
                no: 1,
                version: 0,
                part: 16
            }
            .column()
            .is_err()
        );
    }

    #[test]
    fn a_place_is_written_once() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let key = ContentKey::first(9);
        tx.insert_content(key, DataKeyId(1), 1, b"sealed").unwrap();
        assert!(tx.insert_content(key, DataKeyId(1), 1, b"again").is_err());
        assert_eq!(tx.contents(9).unwrap().len(), 1);
    }
}
