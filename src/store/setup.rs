//! What lets somebody in once: the token of the first administrator, and links.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Now, TenantNo, Timestamp, UserNo};

/// What the first administrator is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetupTokenRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// When it ends, by either clock.
    pub expires: Now,
}

/// A link that signs one person in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// SHA-256 of the link's token.
    pub hash: [u8; 32],
    /// Whom it signs in.
    pub user: UserNo,
    /// When it ends, by either clock.
    pub expires: Now,
}

fn expires(row: &Row<'_>, first: usize) -> rusqlite::Result<Now> {
    Ok(Now {
        compliance: Timestamp(row.get(first)?),
        wall: Timestamp(row.get(first + 1)?),
    })
}

impl Rows {
    /// The setup token, if one is out.
    pub fn setup_token(&self) -> Result<Option<SetupTokenRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select hash, expires, expires_wall from setup_token")?
            .query_row([], |row| {
                Ok(SetupTokenRow {
                    hash: row.get(0)?,
                    expires: expires(row, 1)?,
                })
            })
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Puts a setup token in the place of an elder.
    pub fn replace_setup_token(&self, row: &SetupTokenRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into setup_token (only, hash, expires, expires_wall) values (1, ?1, ?2, ?3)
                 on conflict (only) do update set hash = excluded.hash,
                   expires = excluded.expires, expires_wall = excluded.expires_wall",
            )?
            .execute((&row.hash[..], row.expires.compliance.0, row.expires.wall.0))?;
        Ok(())
    }

    /// Uses the setup token up.
    pub fn delete_setup_token(&self) -> Result<(), StoreError> {
        self.connection().execute("delete from setup_token", [])?;
        Ok(())
    }

    /// Keeps the hash of a link.
    pub fn insert_link(&self, row: &LinkRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into sign_in_link (hash, tenant, user, expires, expires_wall)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                &row.hash[..],
                TenantNo::FIRST.0,
                row.user.0,
                row.expires.compliance.0,
                row.expires.wall.0,
            ))?;
        Ok(())
    }

    /// Takes a link out: whoever gets it is the only one.
    pub fn take_link(&self, hash: &[u8; 32]) -> Result<Option<LinkRow>, StoreError> {
        Ok(self
            .connection()
            .prepare_cached(
                "delete from sign_in_link where hash = ?1 returning user, expires, expires_wall",
            )?
            .query_row([&hash[..]], |row| {
                Ok(LinkRow {
                    hash: *hash,
                    user: UserNo(row.get(0)?),
                    expires: expires(row, 1)?,
                })
            })
            .optional()?)
    }

    /// Ends every link of a user.
    pub fn delete_links(&self, user: UserNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from sign_in_link where user = ?1")?
            .execute([user.0])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    const LATER: Now = Now {
        compliance: Timestamp(9),
        wall: Timestamp(10),
    };

    #[test]
    fn there_is_one_setup_token() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        for byte in [1, 2] {
            let row = SetupTokenRow {
                hash: [byte; 32],
                expires: LATER,
            };
            tx.replace_setup_token(&row).unwrap();
            assert_eq!(tx.setup_token().unwrap(), Some(row));
        }
        tx.delete_setup_token().unwrap();
        assert_eq!(tx.setup_token().unwrap(), None);
    }

    #[test]
    fn a_link_is_taken_once() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = LinkRow {
            hash: [4; 32],
            user: UserNo(1),
            expires: LATER,
        };
        tx.insert_link(&row).unwrap();
        assert_eq!(tx.take_link(&[4; 32]).unwrap(), Some(row));
        assert_eq!(tx.take_link(&[4; 32]).unwrap(), None);
    }
}
