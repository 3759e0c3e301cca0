//! Second factors of users: where the sealed secret lies, and which code was taken last.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{TenantNo, UserNo};

/// The second factor of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactorRow {
    /// Whose it is.
    pub user: UserNo,
    /// Content number of the sealed secret.
    pub secret_no: u64,
    /// Whether its owner proved to have it; before, it is only an offer.
    pub in_use: bool,
    /// Last time step whose code was taken.
    pub last_step: u64,
    /// Wrong codes since `wrong_since`.
    pub wrong: u32,
    /// The time step in which the wrong codes began.
    pub wrong_since: u64,
}

impl Rows {
    /// The second factor of a user, in use or offered.
    pub fn second_factor(&self, user: UserNo) -> Result<Option<SecondFactorRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select secret_no, in_use, last_step, wrong, wrong_since
                 from second_factor where user = ?1",
            )?
            .query_row([user.0], |row| {
                Ok(SecondFactorRow {
                    user,
                    secret_no: row.get(0)?,
                    in_use: row.get(1)?,
                    last_step: row.get(2)?,
                    wrong: row.get(3)?,
                    wrong_since: row.get(4)?,
                })
            })
            .optional()?)
    }

    /// How many recovery codes a user has left.
    pub fn recovery_codes(&self, user: UserNo) -> Result<u32, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select count(*) from recovery_code where user = ?1")?
            .query_row([user.0], |row| row.get(0))?)
    }
}

impl WriteTx<'_> {
    /// Puts a second factor in the place of what is known of it.
    pub fn put_second_factor(&self, row: &SecondFactorRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into second_factor (user, tenant, secret_no, in_use, last_step, wrong,
                   wrong_since)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 on conflict (user) do update set secret_no = excluded.secret_no,
                   in_use = excluded.in_use, last_step = excluded.last_step,
                   wrong = excluded.wrong, wrong_since = excluded.wrong_since",
            )?
            .execute((
                row.user.0,
                TenantNo::FIRST.0,
                row.secret_no,
                row.in_use,
                row.last_step,
                row.wrong,
                row.wrong_since,
            ))?;
        Ok(())
    }

    /// Takes the second factor from a user: secret and recovery codes.
    pub fn delete_second_factor(&self, user: UserNo) -> Result<(), StoreError> {
        if let Some(row) = self.second_factor(user)? {
            self.delete_content(row.secret_no)?;
        }
        for sql in [
            "delete from second_factor where user = ?1",
            "delete from recovery_code where user = ?1",
        ] {
            self.connection().prepare_cached(sql)?.execute([user.0])?;
        }
        Ok(())
    }

    /// Keeps the hash of a recovery code.
    pub fn insert_recovery_code(&self, user: UserNo, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("insert into recovery_code (user, hash) values (?1, ?2)")?
            .execute((user.0, &hash[..]))?;
        Ok(())
    }

    /// Uses a recovery code up; `false` when the user has none such.
    pub fn take_recovery_code(&self, user: UserNo, hash: &[u8; 32]) -> Result<bool, StoreError> {
        let taken = self
            .connection()
            .prepare_cached("delete from recovery_code where user = ?1 and hash = ?2")?
            .execute((user.0, &hash[..]))?;
        Ok(taken == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn a_recovery_code_works_once_and_for_its_owner() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = SecondFactorRow {
            user: UserNo(4),
            secret_no: 77,
            in_use: false,
            last_step: 5,
            wrong: 0,
            wrong_since: 0,
        };
        tx.put_second_factor(&row).unwrap();
        row.in_use = true;
        row.wrong = 2;
        tx.put_second_factor(&row).unwrap();
        assert_eq!(tx.second_factor(UserNo(4)).unwrap(), Some(row));
        tx.insert_recovery_code(UserNo(4), &[6; 32]).unwrap();
        assert!(!tx.take_recovery_code(UserNo(5), &[6; 32]).unwrap());
        assert_eq!(tx.recovery_codes(UserNo(4)).unwrap(), 1);
        assert!(tx.take_recovery_code(UserNo(4), &[6; 32]).unwrap());
        assert!(!tx.take_recovery_code(UserNo(4), &[6; 32]).unwrap());
        tx.delete_second_factor(UserNo(4)).unwrap();
        assert_eq!(tx.second_factor(UserNo(4)).unwrap(), None);
    }
}
