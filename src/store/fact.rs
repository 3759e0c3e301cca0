//! Named facts about the directory as a whole.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};

impl Rows {
    /// The value of a fact; `None` when it was never put.
    pub fn fact(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select value from store_fact where name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Sets a fact.
    pub fn put_fact(&self, name: &str, value: &[u8]) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into store_fact (name, value) values (?1, ?2)
                 on conflict (name) do update set value = excluded.value",
            )?
            .execute((name, value))?;
        Ok(())
    }
}
