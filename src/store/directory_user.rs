//! Users that a directory brought.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{TenantNo, Timestamp, UserNo};

/// What is known of a user from a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryUserRow {
    /// The user.
    pub user: UserNo,
    /// When the directory spoke of them last.
    pub synced: Timestamp,
    /// Content number of the directory's name for them, and what it shows.
    pub text_no: u64,
}

impl Rows {
    /// Every user that a directory brought, by number.
    pub fn directory_users(&self) -> Result<Vec<DirectoryUserRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select user, synced, text_no from directory_user order by user")?;
        let rows = statement.query_map([], |row| {
            Ok(DirectoryUserRow {
                user: UserNo(row.get(0)?),
                synced: Timestamp(row.get(1)?),
                text_no: row.get(2)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What a directory knows of a user; `None` when none brought them.
    pub fn directory_user(&self, user: UserNo) -> Result<Option<DirectoryUserRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select synced, text_no from directory_user where user = ?1")?
            .query_row([user.0], |row| {
                Ok(DirectoryUserRow {
                    user,
                    synced: Timestamp(row.get(0)?),
                    text_no: row.get(1)?,
                })
            })
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Keeps what a directory says of a user, in the place of what it said before.
    pub fn put_directory_user(&self, row: &DirectoryUserRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert or replace into directory_user (user, tenant, synced, text_no)
                 values (?1, ?2, ?3, ?4)",
            )?
            .execute((row.user.0, TenantNo::FIRST.0, row.synced.0, row.text_no))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn m7_what_a_directory_says_last_counts() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = DirectoryUserRow {
            user: UserNo(3),
            synced: Timestamp(1),
            text_no: 7,
        };
        tx.put_directory_user(&row).unwrap();
        let later = DirectoryUserRow {
            synced: Timestamp(2),
            ..row
        };
        tx.put_directory_user(&later).unwrap();
        assert_eq!(tx.directory_users().unwrap(), [later]);
        assert_eq!(tx.directory_user(UserNo(4)).unwrap(), None);
    }
}
