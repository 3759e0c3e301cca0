//! Browsers that are signed in: hashes of what their cookies hold.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Now, TenantNo, Timestamp, UserNo};

/// One browser that is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSessionRow {
    /// SHA-256 of the key in the cookie.
    pub hash: [u8; 32],
    /// Who signed in.
    pub user: UserNo,
    /// How they were recognised, by the numbers of the room `auth`.
    pub strength: u8,
    /// When it began.
    pub began: Now,
    /// Last request, to the minute.
    pub seen: Now,
    /// When the password was given last.
    pub proved: Option<Now>,
}

impl Rows {
    /// The session of a hash.
    pub fn web_session(&self, hash: &[u8; 32]) -> Result<Option<WebSessionRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select user, strength, began, began_wall, seen, seen_wall, proved, proved_wall
                 from web_session where hash = ?1",
            )?
            .query_row([&hash[..]], |row| {
                let both = |first, second| Now {
                    compliance: Timestamp(first),
                    wall: Timestamp(second),
                };
                let proved = row.get::<_, Option<i64>>(6)?.zip(row.get(7)?);
                Ok(WebSessionRow {
                    hash: *hash,
                    user: UserNo(row.get(0)?),
                    strength: row.get(1)?,
                    began: both(row.get(2)?, row.get(3)?),
                    seen: both(row.get(4)?, row.get(5)?),
                    proved: proved.map(|(first, second)| both(first, second)),
                })
            })
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Adds a session.
    pub fn insert_web_session(&self, row: &WebSessionRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into web_session (hash, tenant, user, strength, began, began_wall, seen,
                   seen_wall, proved, proved_wall)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                &row.hash[..],
                TenantNo::FIRST.0,
                row.user.0,
                row.strength,
                row.began.compliance.0,
                row.began.wall.0,
                row.seen.compliance.0,
                row.seen.wall.0,
                row.proved.map(|proved| proved.compliance.0),
                row.proved.map(|proved| proved.wall.0),
            ))?;
        Ok(())
    }

    /// Remembers a request; `false` when the session is gone.
    pub fn touch_web_session(&self, hash: &[u8; 32], seen: Now) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update web_session set seen = ?2, seen_wall = ?3 where hash = ?1")?
            .execute((&hash[..], seen.compliance.0, seen.wall.0))?;
        Ok(changed == 1)
    }

    /// Remembers that the password was given again; `false` when the session is gone.
    pub fn prove_web_session(
        &self,
        hash: &[u8; 32],
        strength: u8,
        proved: Now,
    ) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update web_session set strength = ?2, proved = ?3, proved_wall = ?4
                 where hash = ?1",
            )?
            .execute((&hash[..], strength, proved.compliance.0, proved.wall.0))?;
        Ok(changed == 1)
    }

    /// Ends a session; again is no change.
    pub fn delete_web_session(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from web_session where hash = ?1")?
            .execute([&hash[..]])?;
        Ok(())
    }

    /// Ends every session of a user but `except`.
    pub fn delete_web_sessions(
        &self,
        user: UserNo,
        except: Option<&[u8; 32]>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from web_session where user = ?1 and hash is not ?2")?
            .execute((user.0, except.map(|hash| &hash[..])))?;
        Ok(())
    }

    /// Ends every session of people who were recognised in one way, by its number.
    pub fn delete_web_sessions_by(&self, strength: u8) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from web_session where strength = ?1")?
            .execute([strength])?;
        Ok(())
    }

    /// Forgets sessions that began, or were seen last, before these limits by either clock.
    pub fn delete_ended_web_sessions(&self, began: Now, seen: Now) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "delete from web_session where began <= ?1 or began_wall <= ?2
                 or seen <= ?3 or seen_wall <= ?4",
            )?
            .execute((
                began.compliance.0,
                began.wall.0,
                seen.compliance.0,
                seen.wall.0,
            ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    const fn at(instant: i64) -> Now {
        Now {
            compliance: Timestamp(instant),
            wall: Timestamp(instant + 1),
        }
    }

    fn row(byte: u8) -> WebSessionRow {
        WebSessionRow {
            hash: [byte; 32],
            user: UserNo(2),
            strength: 1,
            began: at(10),
            seen: at(10),
            proved: None,
        }
    }

    #[test]
    fn a_session_is_seen_proved_and_ended() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        for byte in [1, 2, 3] {
            tx.insert_web_session(&row(byte)).unwrap();
        }
        assert!(tx.touch_web_session(&[1; 32], at(40)).unwrap());
        assert!(tx.prove_web_session(&[1; 32], 2, at(50)).unwrap());
        let found = tx.web_session(&[1; 32]).unwrap().unwrap();
        assert_eq!(
            (found.seen, found.proved, found.strength),
            (at(40), Some(at(50)), 2)
        );
        tx.delete_web_sessions(UserNo(2), Some(&[1; 32])).unwrap();
        assert!(tx.web_session(&[2; 32]).unwrap().is_none());
        assert!(!tx.touch_web_session(&[2; 32], at(60)).unwrap());
        tx.delete_ended_web_sessions(at(9), at(39)).unwrap();
        assert!(tx.web_session(&[1; 32]).unwrap().is_some());
        tx.delete_ended_web_sessions(at(10), at(39)).unwrap();
        assert!(tx.web_session(&[1; 32]).unwrap().is_none());
    }
}
