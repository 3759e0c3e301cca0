//! Tokens of people's log-ins and of programs: hashes only.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Now, TenantNo, Timestamp, TokenId, UserNo};

/// A log-in, or a token of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// Whose it is.
    pub user: UserNo,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends in compliance time.
    pub expires: Timestamp,
    /// When it ends by the wall clock; elder log-ins end in compliance time alone.
    pub expires_wall: Option<Timestamp>,
    /// Last use, to the minute.
    pub used: Option<Timestamp>,
    /// What the token of a program has besides; `None` for the log-in of a person.
    pub api: Option<ApiTokenPart>,
}

/// What the token of a program has besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiTokenPart {
    /// Its public id.
    pub id: TokenId,
    /// Content number of its sealed name.
    pub name_no: u64,
    /// Its scopes as bits.
    pub scopes: u32,
}

const COLUMNS: &str = "hash, user, created, expires, expires_wall, used, id, name_no, scopes";

fn read_row(row: &Row<'_>) -> rusqlite::Result<TokenRow> {
    let id = row.get::<_, Option<[u8; 16]>>(6)?;
    let name_no = row.get::<_, Option<u64>>(7)?;
    let scopes = row.get::<_, Option<u32>>(8)?;
    let api = id.zip(name_no).zip(scopes);
    Ok(TokenRow {
        hash: row.get(0)?,
        user: UserNo(row.get(1)?),
        created: Timestamp(row.get(2)?),
        expires: Timestamp(row.get(3)?),
        expires_wall: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        used: row.get::<_, Option<i64>>(5)?.map(Timestamp),
        api: api.map(|((id, name_no), scopes)| ApiTokenPart {
            id: TokenId(u128::from_be_bytes(id)),
            name_no,
            scopes,
        }),
    })
}

impl Rows {
    /// The token of a hash.
    pub fn token(&self, hash: &[u8; 32]) -> Result<Option<TokenRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from token where hash = ?1"))?
            .query_row([&hash[..]], read_row)
            .optional()?)
    }

    /// The tokens of programs of a user, eldest first.
    pub fn api_tokens(&self, user: UserNo) -> Result<Vec<TokenRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from token where user = ?1 and id is not null order by created, id"
        ))?;
        let rows = statement.query_map([user.0], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Keeps the hash of a token.
    pub fn insert_token(&self, row: &TokenRow) -> Result<(), StoreError> {
        let api = row.api.as_ref();
        self.connection()
            .prepare_cached(
                "insert into token (hash, tenant, user, created, expires, expires_wall, used, id,
                   name_no, scopes)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                &row.hash[..],
                TenantNo::FIRST.0,
                row.user.0,
                row.created.0,
                row.expires.0,
                row.expires_wall.map(|wall| wall.0),
                row.used.map(|used| used.0),
                api.map(|api| api.id.0.to_be_bytes()),
                api.map(|api| api.name_no),
                api.map(|api| api.scopes),
            ))?;
        Ok(())
    }

    /// Remembers when a token was used last.
    pub fn touch_token(&self, hash: &[u8; 32], used: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update token set used = ?2 where hash = ?1")?
            .execute((&hash[..], used.0))?;
        Ok(())
    }

    /// Ends one token and forgets its name.
    pub fn delete_token(&self, row: &TokenRow) -> Result<(), StoreError> {
        if let Some(api) = &row.api {
            self.delete_content(api.name_no)?;
        }
        self.connection()
            .prepare_cached("delete from token where hash = ?1")?
            .execute([&row.hash[..]])?;
        Ok(())
    }

    /// Ends the log-ins of a user; the tokens of their programs stay. `except` stays too.
    pub fn delete_logins(&self, user: UserNo, except: Option<&[u8; 32]>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from token where user = ?1 and id is null and hash is not ?2")?
            .execute((user.0, except.map(|hash| &hash[..])))?;
        Ok(())
    }

    /// Ends every token of a user, of programs too, but `except`.
    pub fn delete_tokens(&self, user: UserNo, except: Option<&[u8; 32]>) -> Result<(), StoreError> {
        for row in self.api_tokens(user)? {
            if except != Some(&row.hash) {
                self.delete_token(&row)?;
            }
        }
        self.delete_logins(user, except)
    }

    /// Forgets log-ins that are over. Tokens of programs stay listed, as expired.
    pub fn delete_ended_logins(&self, now: Now) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "delete from token where id is null and (expires <= ?1 or expires_wall <= ?2)",
            )?
            .execute((now.compliance.0, now.wall.0))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    fn row(byte: u8, api: Option<ApiTokenPart>) -> TokenRow {
        TokenRow {
            hash: [byte; 32],
            user: UserNo(3),
            created: Timestamp(1),
            expires: Timestamp(90),
            expires_wall: Some(Timestamp(91)),
            used: None,
            api,
        }
    }

    #[test]
    fn logging_out_leaves_the_programs_alone() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let api = ApiTokenPart {
            id: TokenId(5),
            name_no: 8,
            scopes: 3,
        };
        for row in [row(1, None), row(2, None), row(3, Some(api))] {
            tx.insert_token(&row).unwrap();
            assert_eq!(tx.token(&row.hash).unwrap(), Some(row));
        }
        tx.delete_logins(UserNo(3), Some(&[2; 32])).unwrap();
        assert!(tx.token(&[1; 32]).unwrap().is_none());
        assert!(tx.token(&[2; 32]).unwrap().is_some());
        assert_eq!(tx.api_tokens(UserNo(3)).unwrap(), [row(3, Some(api))]);
        tx.delete_tokens(UserNo(3), None).unwrap();
        assert!(tx.token(&[2; 32]).unwrap().is_none());
        assert!(tx.api_tokens(UserNo(3)).unwrap().is_empty());
    }
}
