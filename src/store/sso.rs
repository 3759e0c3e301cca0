//! Single sign-on: the provider, whom it means, and browsers that are on their way to it and back.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Now, TenantNo, Timestamp, UserNo};

/// The provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsoProviderRow {
    /// Content number of its address, client, secret, claim and map.
    pub text_no: u64,
    /// Whether passwords are refused, but for the emergency administrator.
    pub passwords_refused: bool,
    /// The emergency administrator.
    pub break_glass: Option<UserNo>,
    /// When it was changed last.
    pub changed: Timestamp,
}

/// A person of the provider, as a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SsoBindingRow {
    /// Keyed hash over issuer and subject.
    pub lookup: [u8; 32],
    /// The user.
    pub user: UserNo,
    /// Since when.
    pub since: Timestamp,
}

/// A browser that was sent to the provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsoAttemptRow {
    /// SHA-256 of the state.
    pub state: [u8; 32],
    /// SHA-256 of what its cookie holds.
    pub browser: [u8; 32],
    /// What for, by the numbers of the room `auth`.
    pub purpose: u8,
    /// Hash of the session that asked, where one did.
    pub session: Option<[u8; 32]>,
    /// Path of the page to come back to.
    pub back: String,
    /// When it was sent.
    pub began: Now,
}

impl Rows {
    /// The provider, if there is one.
    pub fn sso_provider(&self) -> Result<Option<SsoProviderRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select text_no, passwords_refused, break_glass, changed from sso_provider",
            )?
            .query_row([], |row| {
                Ok(SsoProviderRow {
                    text_no: row.get(0)?,
                    passwords_refused: row.get(1)?,
                    break_glass: row.get::<_, Option<u32>>(2)?.map(UserNo),
                    changed: Timestamp(row.get(3)?),
                })
            })
            .optional()?)
    }

    /// Whom the provider means by a keyed hash of issuer and subject.
    pub fn sso_binding(&self, lookup: &[u8; 32]) -> Result<Option<SsoBindingRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select user, since from sso_binding where lookup = ?1")?
            .query_row([&lookup[..]], |row| {
                Ok(SsoBindingRow {
                    lookup: *lookup,
                    user: UserNo(row.get(0)?),
                    since: Timestamp(row.get(1)?),
                })
            })
            .optional()?)
    }

    /// How many people of providers are users.
    pub fn sso_bindings(&self) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select count(*) from sso_binding")?
            .query_row([], |row| row.get(0))?)
    }
}

impl WriteTx<'_> {
    /// Puts a provider in the place of the one before, whose texts are deleted.
    pub fn put_sso_provider(&self, row: &SsoProviderRow) -> Result<(), StoreError> {
        if let Some(elder) = self.sso_provider()?
            && elder.text_no != row.text_no
        {
            self.delete_content(elder.text_no)?;
        }
        self.connection()
            .prepare_cached(
                "insert into sso_provider
                   (only, tenant, text_no, passwords_refused, break_glass, changed)
                 values (1, ?1, ?2, ?3, ?4, ?5)
                 on conflict (only) do update set text_no = excluded.text_no,
                   passwords_refused = excluded.passwords_refused,
                   break_glass = excluded.break_glass, changed = excluded.changed",
            )?
            .execute((
                TenantNo::FIRST.0,
                row.text_no,
                row.passwords_refused,
                row.break_glass.map(|user| user.0),
                row.changed.0,
            ))?;
        Ok(())
    }

    /// Takes the provider away, with its texts and with every browser on its way; `false` when there is
    /// none. Who is bound stays so, for the day the same provider comes back.
    pub fn delete_sso_provider(&self) -> Result<bool, StoreError> {
        let Some(row) = self.sso_provider()? else {
            return Ok(false);
        };
        self.delete_content(row.text_no)?;
        self.connection()
            .execute_batch("delete from sso_provider; delete from sso_attempt")?;
        Ok(true)
    }

    /// Says whom the provider means; a binding of the same person is replaced.
    pub fn put_sso_binding(&self, row: &SsoBindingRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into sso_binding (lookup, tenant, user, since) values (?1, ?2, ?3, ?4)
                 on conflict (lookup) do update set user = excluded.user, since = excluded.since",
            )?
            .execute((&row.lookup[..], TenantNo::FIRST.0, row.user.0, row.since.0))?;
        Ok(())
    }

    /// Remembers a browser that is sent to the provider. Those sent before `ended`, and the eldest
    /// beyond `most`, are forgotten on this occasion.
    pub fn insert_sso_attempt(
        &self,
        row: &SsoAttemptRow,
        ended: Now,
        most: u32,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from sso_attempt where began <= ?1 or began_wall <= ?2")?
            .execute((ended.compliance.0, ended.wall.0))?;
        self.connection()
            .prepare_cached(
                "delete from sso_attempt where state in
                   (select state from sso_attempt order by began desc limit -1 offset ?1)",
            )?
            .execute([most.saturating_sub(1)])?;
        self.connection()
            .prepare_cached(
                "insert into sso_attempt
                   (state, tenant, browser, purpose, session, back, began, began_wall)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute((
                &row.state[..],
                TenantNo::FIRST.0,
                &row.browser[..],
                row.purpose,
                row.session.as_ref().map(|hash| &hash[..]),
                &row.back,
                row.began.compliance.0,
                row.began.wall.0,
            ))?;
        Ok(())
    }

    /// Takes a browser that came back out of the list: whoever gets it is the only one.
    pub fn take_sso_attempt(&self, state: &[u8; 32]) -> Result<Option<SsoAttemptRow>, StoreError> {
        Ok(self
            .connection()
            .prepare_cached(
                "delete from sso_attempt where state = ?1
                 returning browser, purpose, session, back, began, began_wall",
            )?
            .query_row([&state[..]], |row| {
                Ok(SsoAttemptRow {
                    state: *state,
                    browser: row.get(0)?,
                    purpose: row.get(1)?,
                    session: row.get(2)?,
                    back: row.get(3)?,
                    began: Now {
                        compliance: Timestamp(row.get(4)?),
                        wall: Timestamp(row.get(5)?),
                    },
                })
            })
            .optional()?)
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

    fn attempt(byte: u8, began: i64) -> SsoAttemptRow {
        SsoAttemptRow {
            state: [byte; 32],
            browser: [9; 32],
            purpose: 1,
            session: Some([8; 32]),
            back: "/audit".to_owned(),
            began: at(began),
        }
    }

    #[test]
    fn t7_an_attempt_is_taken_once_and_the_eldest_make_room() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        for byte in 1..=5 {
            tx.insert_sso_attempt(&attempt(byte, i64::from(byte)), at(0), 3)
                .unwrap();
        }
        assert_eq!(tx.take_sso_attempt(&[2; 32]).unwrap(), None);
        assert_eq!(tx.take_sso_attempt(&[3; 32]).unwrap(), Some(attempt(3, 3)));
        assert_eq!(tx.take_sso_attempt(&[3; 32]).unwrap(), None);
        // What is over goes with the next one.
        tx.insert_sso_attempt(&attempt(6, 10), at(4), 3).unwrap();
        assert_eq!(tx.take_sso_attempt(&[4; 32]).unwrap(), None);
        assert!(tx.take_sso_attempt(&[5; 32]).unwrap().is_some());
    }

    #[test]
    fn a_person_of_the_provider_is_one_user() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = SsoBindingRow {
            lookup: [1; 32],
            user: UserNo(4),
            since: Timestamp(5),
        };
        tx.put_sso_binding(&row).unwrap();
        row.user = UserNo(6);
        tx.put_sso_binding(&row).unwrap();
        assert_eq!(tx.sso_binding(&[1; 32]).unwrap(), Some(row));
        assert_eq!(tx.sso_binding(&[2; 32]).unwrap(), None);
        assert_eq!(tx.sso_bindings().unwrap(), 1);
    }
}
