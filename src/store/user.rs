//! Users and what they were granted.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Role, TenantNo, Timestamp, UserId, UserNo};

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Row number.
    pub no: UserNo,
    /// Public id.
    pub id: UserId,
    /// Log-in name, lower case.
    pub login: String,
    /// Job title.
    pub role: Role,
    /// PHC string of the password hash.
    pub password: String,
    /// When it was created.
    pub created: Timestamp,
    /// Whether it may no longer log in.
    pub disabled: bool,
}

/// What a grant names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum GrantKind {
    /// Every record.
    Everything = 0,
    /// One conversation.
    Conversation = 1,
    /// All conversations of an account.
    Account = 2,
    /// A conversation behind a wall.
    Denied = 3,
}

const COLUMNS: &str = "no, id, login, role, password, created, disabled";

fn read_row(row: &Row<'_>) -> rusqlite::Result<Option<UserRow>> {
    let Some(role) = Role::from_number(row.get(3)?) else {
        return Ok(None);
    };
    Ok(Some(UserRow {
        no: UserNo(row.get(0)?),
        id: UserId(u128::from_be_bytes(row.get(1)?)),
        login: row.get(2)?,
        role,
        password: row.get(4)?,
        created: Timestamp(row.get(5)?),
        disabled: row.get(6)?,
    }))
}

impl Rows {
    /// Every user, by number.
    pub fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from user order by no"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows
            .collect::<rusqlite::Result<Vec<_>>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    /// A user by log-in name (lower case).
    pub fn user_by_login(&self, login: &str) -> Result<Option<UserRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from user where login = ?1"))?
            .query_row([login], read_row)
            .optional()?
            .flatten())
    }

    /// A user by number.
    pub fn user(&self, no: UserNo) -> Result<Option<UserRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from user where no = ?1"))?
            .query_row([no.0], read_row)
            .optional()?
            .flatten())
    }

    /// What a user was granted.
    pub fn grants(&self, user: UserNo) -> Result<Vec<(GrantKind, u32)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, object from user_grant where user = ?1 order by kind, object",
        )?;
        let rows = statement.query_map([user.0], |row| {
            let kind = match row.get::<_, u8>(0)? {
                0 => GrantKind::Everything,
                1 => GrantKind::Conversation,
                2 => GrantKind::Account,
                _ => GrantKind::Denied,
            };
            Ok((kind, row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Adds a user; its `no` is ignored and the given number returned.
    pub fn insert_user(&self, row: &UserRow) -> Result<UserNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into user (tenant, id, login, role, password, created, disabled)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                &row.login,
                row.role as u8,
                &row.password,
                row.created.0,
                row.disabled,
            ))?;
        u32::try_from(self.connection().last_insert_rowid())
            .map(UserNo)
            .map_err(|_| StoreError::Limit("users are used up"))
    }

    /// Changes role, password and whether a user may log in.
    pub fn update_user(&self, row: &UserRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update user set role = ?2, password = ?3, disabled = ?4 where no = ?1",
            )?
            .execute((row.no.0, row.role as u8, &row.password, row.disabled))?;
        Ok(())
    }

    /// Adds a grant; again is no change.
    pub fn insert_grant(
        &self,
        user: UserNo,
        kind: GrantKind,
        object: u32,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into user_grant (user, kind, object) values (?1, ?2, ?3)
                 on conflict do nothing",
            )?
            .execute((user.0, kind as u8, object))?;
        Ok(())
    }

    /// Takes every grant from a user.
    pub fn delete_grants(&self, user: UserNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from user_grant where user = ?1")?
            .execute([user.0])?;
        Ok(())
    }
}
