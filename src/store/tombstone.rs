//! What is left of a disposed message: keyed hashes by which it is recognised when it comes again.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{ConversationNo, MessageNo, TenantNo, Timestamp};

/// What an identity is taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TombstoneKind {
    /// The message in its conversation.
    Message = 0,
    /// The message in whatever conversation: finds the conversation of a chat without a key.
    Anywhere = 1,
}

/// One tombstone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TombstoneRow {
    /// The keyed identity.
    pub identity: [u8; 32],
    /// What it is taken over.
    pub kind: TombstoneKind,
    /// The conversation the message stood in.
    pub conversation: ConversationNo,
    /// The batch that destroyed it.
    pub batch: u64,
    /// When, in compliance time.
    pub disposed: Timestamp,
}

impl Rows {
    /// The tombstone of an identity.
    pub fn tombstone(&self, identity: &[u8; 32]) -> Result<Option<TombstoneRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select kind, conversation, batch, disposed from tombstone where identity = ?1",
            )?
            .query_row([&identity[..]], |row| {
                Ok(TombstoneRow {
                    identity: *identity,
                    kind: match row.get::<_, u8>(0)? {
                        0 => TombstoneKind::Message,
                        _ => TombstoneKind::Anywhere,
                    },
                    conversation: ConversationNo(row.get(1)?),
                    batch: row.get(2)?,
                    disposed: Timestamp(row.get(3)?),
                })
            })
            .optional()?)
    }

    /// Whether there is any tombstone.
    pub fn has_tombstones(&self) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select exists (select 1 from tombstone)")?
            .query_row([], |row| row.get(0))?)
    }

    /// The batch that had disposed of a message that was admitted again for a hold.
    pub fn readmitted(&self, message: MessageNo) -> Result<Option<u64>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select batch from readmitted where message = ?1")?
            .query_row([message.0], |row| row.get(0))
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Adds a tombstone; the same identity disposed of again takes the later batch.
    pub fn put_tombstone(&self, row: &TombstoneRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into tombstone (identity, tenant, kind, conversation, batch, disposed)
                 values (?1, ?2, ?3, ?4, ?5, ?6)
                 on conflict (identity) do update set conversation = excluded.conversation,
                   batch = excluded.batch, disposed = excluded.disposed",
            )?
            .execute((
                &row.identity[..],
                TenantNo::FIRST.0,
                row.kind as u8,
                row.conversation.0,
                row.batch,
                row.disposed.0,
            ))?;
        Ok(())
    }

    /// Flags a message that a batch had disposed of and that was admitted again.
    pub fn insert_readmitted(&self, message: MessageNo, batch: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("insert into readmitted (message, tenant, batch) values (?1, ?2, ?3)")?
            .execute((message.0, TenantNo::FIRST.0, batch))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn an_identity_disposed_of_twice_names_the_later_batch() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        assert!(!tx.has_tombstones().unwrap());
        let mut row = TombstoneRow {
            identity: [4; 32],
            kind: TombstoneKind::Anywhere,
            conversation: ConversationNo(3),
            batch: 1,
            disposed: Timestamp(5),
        };
        tx.put_tombstone(&row).unwrap();
        row.batch = 2;
        tx.put_tombstone(&row).unwrap();
        assert_eq!(tx.tombstone(&[4; 32]).unwrap(), Some(row));
        assert_eq!(tx.tombstone(&[5; 32]).unwrap(), None);
        assert!(tx.has_tombstones().unwrap());
        tx.insert_readmitted(MessageNo(8), 2).unwrap();
        assert_eq!(tx.readmitted(MessageNo(8)).unwrap(), Some(2));
    }
}
