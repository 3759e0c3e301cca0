//! Transactions as types: `Rows` reads, `ReadTx` is a stable picture, `WriteTx` may also write.

use std::ops::Deref;
use std::sync::MutexGuard;

use rusqlite::Connection;

use super::{Store, StoreError};

/// Everything that can be read inside a transaction. Both kinds of transaction deref to it.
pub struct Rows {
    pub(super) connection: Connection,
}

/// A stable picture of the record. Keep it short: while it lives the log cannot be truncated.
pub struct ReadTx<'s> {
    rows: Option<Rows>,
    store: &'s Store,
}

impl<'s> ReadTx<'s> {
    pub(super) fn begin(connection: Connection, store: &'s Store) -> Result<Self, StoreError> {
        connection.execute_batch("begin deferred")?;
        Ok(Self {
            rows: Some(Rows { connection }),
            store,
        })
    }
}

impl Deref for ReadTx<'_> {
    type Target = Rows;
    #[expect(
        clippy::expect_used,
        reason = "the rows leave only in drop, after the last deref"
    )]
    fn deref(&self) -> &Rows {
        self.rows.as_ref().expect("rows are present until drop")
    }
}

impl Drop for ReadTx<'_> {
    fn drop(&mut self) {
        if let Some(rows) = self.rows.take() {
            // A connection whose transaction does not end is not handed out again.
            if rows.connection.execute_batch("rollback").is_ok() {
                self.store.keep_reader(rows.connection);
            }
        }
    }
}

/// The permission to write. There is one at a time; dropped without `commit` it undoes everything.
pub struct WriteTx<'s> {
    guard: MutexGuard<'s, Rows>,
    open: bool,
}

impl<'s> WriteTx<'s> {
    pub(super) fn begin(guard: MutexGuard<'s, Rows>) -> Result<Self, StoreError> {
        guard.connection.execute_batch("begin immediate")?;
        Ok(Self { guard, open: true })
    }

    /// Makes everything written durable: when this returns it survives a power cut.
    pub fn commit(mut self) -> Result<(), StoreError> {
        self.open = false;
        let ended = self.guard.connection.execute_batch("commit");
        if ended.is_err() {
            // A failed commit leaves the transaction open; undo it so that the writer is free.
            let _ = self.guard.connection.execute_batch("rollback");
        }
        Ok(ended?)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.guard.connection
    }
}

impl Deref for WriteTx<'_> {
    type Target = Rows;
    fn deref(&self) -> &Rows {
        &self.guard
    }
}

impl Drop for WriteTx<'_> {
    fn drop(&mut self) {
        if self.open {
            // If the rollback fails the next "begin" fails too and says why.
            let _ = self.guard.connection.execute_batch("rollback");
        }
    }
}
