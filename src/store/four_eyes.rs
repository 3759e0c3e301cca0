//! Log-ins that a second person has to confirm.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Now, Role, TenantNo, Timestamp, UserNo};

/// Whose log-ins are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FourEyesOf {
    /// Those of one user.
    User(UserNo),
    /// Those of everybody in a role.
    Role(Role),
}

impl FourEyesOf {
    const fn columns(self) -> (u8, u32) {
        match self {
            FourEyesOf::User(no) => (0, no.0),
            FourEyesOf::Role(role) => (1, role as u32),
        }
    }
}

/// A mark: log-ins open only when a second person confirms them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FourEyesRow {
    /// Whose.
    pub of: FourEyesOf,
    /// Who has to confirm; `None`: any administrator.
    pub second: Option<UserNo>,
    /// Since when.
    pub since: Timestamp,
    /// Who decided it.
    pub set_by: UserNo,
}

/// A session that waits for a second person, or that one let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionWatchRow {
    /// Hash of the session.
    pub hash: [u8; 32],
    /// Whose it is.
    pub user: UserNo,
    /// Until when it may be confirmed, or lasts.
    pub ends: Now,
    /// Who let it in; `None` while it waits.
    pub confirmed_by: Option<UserNo>,
}

fn read_mark(row: &Row<'_>) -> rusqlite::Result<Option<FourEyesRow>> {
    let (kind, object): (u8, u32) = (row.get(0)?, row.get(1)?);
    let role = u8::try_from(object).ok().and_then(Role::from_number);
    let of = match (kind, role) {
        (0, _) => FourEyesOf::User(UserNo(object)),
        (1, Some(role)) => FourEyesOf::Role(role),
        _ => return Ok(None),
    };
    Ok(Some(FourEyesRow {
        of,
        second: row.get::<_, Option<u32>>(2)?.map(UserNo),
        since: Timestamp(row.get(3)?),
        set_by: UserNo(row.get(4)?),
    }))
}

fn read_watch(row: &Row<'_>) -> rusqlite::Result<SessionWatchRow> {
    Ok(SessionWatchRow {
        hash: row.get(0)?,
        user: UserNo(row.get(1)?),
        ends: Now {
            compliance: Timestamp(row.get(2)?),
            wall: Timestamp(row.get(3)?),
        },
        confirmed_by: row.get::<_, Option<u32>>(4)?.map(UserNo),
    })
}

const WATCH: &str = "select hash, user, ends, ends_wall, confirmed_by from session_watch";

impl Rows {
    /// Every mark: users first, then roles.
    pub fn four_eyes(&self) -> Result<Vec<FourEyesRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, object, second, since, set_by from four_eyes order by kind, object",
        )?;
        let rows = statement.query_map([], read_mark)?;
        let marks: Vec<Option<FourEyesRow>> = rows.collect::<rusqlite::Result<_>>()?;
        Ok(marks.into_iter().flatten().collect())
    }

    /// The watch over a session; `None` for an ordinary one.
    pub fn session_watch(&self, hash: &[u8; 32]) -> Result<Option<SessionWatchRow>, StoreError> {
        let sql = format!("{WATCH} where hash = ?1");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([&hash[..]], read_watch).optional()?)
    }

    /// Sessions that wait for a second person, those that waited too long included.
    pub fn waiting_sessions(&self) -> Result<Vec<SessionWatchRow>, StoreError> {
        let sql = format!("{WATCH} where confirmed_by is null order by ends");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map([], read_watch)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Sets a mark, in the place of an elder one.
    pub fn put_four_eyes(&self, row: &FourEyesRow) -> Result<(), StoreError> {
        let (kind, object) = row.of.columns();
        self.connection()
            .prepare_cached(
                "insert or replace into four_eyes (kind, object, tenant, second, since, set_by)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                kind,
                object,
                TenantNo::FIRST.0,
                row.second.map(|second| second.0),
                row.since.0,
                row.set_by.0,
            ))?;
        Ok(())
    }

    /// Takes a mark away; `false` when there was none.
    pub fn delete_four_eyes(&self, of: FourEyesOf) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached("delete from four_eyes where kind = ?1 and object = ?2")?
            .execute(of.columns())?;
        Ok(changed == 1)
    }

    /// Lets a session wait. Watches that are over at `now` are forgotten, with sessions that waited.
    pub fn insert_session_watch(&self, row: &SessionWatchRow, now: Now) -> Result<(), StoreError> {
        let over = (now.compliance.0, now.wall.0);
        self.connection()
            .prepare_cached(
                "delete from web_session where hash in
                   (select hash from session_watch where ends <= ?1 or ends_wall <= ?2)",
            )?
            .execute(over)?;
        self.connection()
            .prepare_cached("delete from session_watch where ends <= ?1 or ends_wall <= ?2")?
            .execute(over)?;
        self.connection()
            .prepare_cached(
                "insert into session_watch (hash, tenant, user, ends, ends_wall)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                &row.hash[..],
                TenantNo::FIRST.0,
                row.user.0,
                row.ends.compliance.0,
                row.ends.wall.0,
            ))?;
        Ok(())
    }

    /// Lets a waiting session in, by somebody else; `false` when it does not wait.
    pub fn confirm_session_watch(
        &self,
        hash: &[u8; 32],
        by: UserNo,
        ends: Now,
    ) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update session_watch set confirmed_by = ?2, ends = ?3, ends_wall = ?4
                 where hash = ?1 and confirmed_by is null and user <> ?2",
            )?
            .execute((&hash[..], by.0, ends.compliance.0, ends.wall.0))?;
        Ok(changed == 1)
    }

    /// Ends the watch over a session, and the session with it.
    pub fn delete_session_watch(&self, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from session_watch where hash = ?1")?
            .execute([&hash[..]])?;
        self.delete_web_session(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    const fn at(instant: i64) -> Now {
        Now {
            compliance: Timestamp(instant),
            wall: Timestamp(instant),
        }
    }

    #[test]
    fn m5_a_session_is_let_in_once_and_by_somebody_else() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = SessionWatchRow {
            hash: [1; 32],
            user: UserNo(2),
            ends: at(10),
            confirmed_by: None,
        };
        tx.insert_session_watch(&row, at(1)).unwrap();
        assert_eq!(tx.waiting_sessions().unwrap(), [row]);
        assert!(
            !tx.confirm_session_watch(&[1; 32], UserNo(2), at(20))
                .unwrap()
        );
        assert!(
            tx.confirm_session_watch(&[1; 32], UserNo(3), at(20))
                .unwrap()
        );
        assert!(
            !tx.confirm_session_watch(&[1; 32], UserNo(4), at(99))
                .unwrap()
        );
        let watch = tx.session_watch(&[1; 32]).unwrap().unwrap();
        assert_eq!((watch.confirmed_by, watch.ends), (Some(UserNo(3)), at(20)));
        assert!(tx.waiting_sessions().unwrap().is_empty());
        tx.insert_session_watch(
            &SessionWatchRow {
                hash: [2; 32],
                ..row
            },
            at(20),
        )
        .unwrap();
        assert_eq!(tx.session_watch(&[1; 32]).unwrap(), None);
    }

    #[test]
    fn m5_a_mark_is_set_changed_and_taken_away() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = FourEyesRow {
            of: FourEyesOf::Role(Role::Auditor),
            second: None,
            since: Timestamp(1),
            set_by: UserNo(1),
        };
        tx.put_four_eyes(&row).unwrap();
        let other = FourEyesRow {
            second: Some(UserNo(4)),
            ..row
        };
        tx.put_four_eyes(&other).unwrap();
        assert_eq!(tx.four_eyes().unwrap(), [other]);
        assert!(tx.delete_four_eyes(row.of).unwrap());
        assert!(!tx.delete_four_eyes(row.of).unwrap());
    }
}
