//! Handles and the persons behind them. Names are content; here are numbers and keyed look-ups.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{App, HandleNo, PersonId, PersonNo, TenantNo};

/// One sender identity as sources name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandleRow {
    /// Its number.
    pub no: HandleNo,
    /// Its platform.
    pub app: App,
    /// The person behind it.
    pub person: PersonNo,
    /// Keyed hash of the identity.
    pub lookup: Vec<u8>,
    /// Content number of its sealed name.
    pub name_no: u64,
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<HandleRow> {
    Ok(HandleRow {
        no: HandleNo(row.get(0)?),
        app: App::from_number(row.get(1)?),
        person: PersonNo(row.get(2)?),
        lookup: row.get(3)?,
        name_no: row.get(4)?,
    })
}

impl Rows {
    /// The handle of a keyed look-up.
    pub fn handle_by_lookup(&self, lookup: &[u8]) -> Result<Option<HandleRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select no, app, person, lookup, name_no from handle where lookup = ?1",
            )?
            .query_row([lookup], read_row)
            .optional()?)
    }

    /// Every handle, by number.
    pub fn handles(&self) -> Result<Vec<HandleRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select no, app, person, lookup, name_no from handle order by no")?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The public id of every person, by number.
    pub fn persons(&self) -> Result<Vec<(PersonNo, PersonId)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select no, id from person order by no")?;
        let rows = statement.query_map([], |row| {
            Ok((
                PersonNo(row.get(0)?),
                PersonId(u128::from_be_bytes(row.get(1)?)),
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl Rows {
    /// The largest numbers of handles and persons; 0 when there are none.
    pub fn last_people(&self) -> Result<(HandleNo, PersonNo), StoreError> {
        Ok(self.connection.query_row(
            "select (select coalesce(max(no), 0) from handle),
                    (select coalesce(max(no), 0) from person)",
            [],
            |row| Ok((HandleNo(row.get(0)?), PersonNo(row.get(1)?))),
        )?)
    }
}

impl Rows {
    /// Handles that write in no conversation any more and whose name is not gone: number and
    /// content number of the name.
    pub fn homeless_handles(&self) -> Result<Vec<(HandleNo, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, name_no from handle where name_no > 0 and not exists
               (select 1 from participant where handle = handle.no) order by no",
        )?;
        let rows = statement.query_map([], |row| Ok((HandleNo(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A handle by number.
    pub fn handle(&self, no: HandleNo) -> Result<Option<HandleRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select no, app, person, lookup, name_no from handle where no = ?1")?
            .query_row([no.0], read_row)
            .optional()?)
    }
}

impl WriteTx<'_> {
    /// Sets the content number of a handle's sealed name; 0 when it has none any more.
    pub fn set_name(&self, no: HandleNo, name_no: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update handle set name_no = ?2 where no = ?1")?
            .execute((no.0, name_no))?;
        Ok(())
    }

    /// Adds a person under a number.
    pub fn insert_person(&self, no: PersonNo, id: PersonId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("insert into person (no, tenant, id) values (?1, ?2, ?3)")?
            .execute((no.0, TenantNo::FIRST.0, &id.0.to_be_bytes()[..]))?;
        Ok(())
    }

    /// Adds a handle of a person under its number.
    pub fn insert_handle(&self, row: &HandleRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into handle (no, tenant, app, person, lookup, name_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                row.no.0,
                TenantNo::FIRST.0,
                row.app as u8,
                row.person.0,
                &row.lookup,
                row.name_no,
            ))?;
        Ok(())
    }
}
