//! Brings a database to the newest schema, one numbered script at a time.

use rusqlite::Connection;

use super::StoreError;

/// Number of the newest migration this program knows.
pub const SCHEMA_VERSION: u32 = 14;

const MIGRATIONS: [&str; SCHEMA_VERSION as usize] = [
    include_str!("../../schema/sql/001_record.sql"),
    include_str!("../../schema/sql/002_govern.sql"),
    include_str!("../../schema/sql/003_erase.sql"),
    include_str!("../../schema/sql/004_backup.sql"),
    include_str!("../../schema/sql/005_request.sql"),
    include_str!("../../schema/sql/006_owed.sql"),
    include_str!("../../schema/sql/007_people.sql"),
    include_str!("../../schema/sql/008_asked.sql"),
    include_str!("../../schema/sql/009_sso.sql"),
    include_str!("../../schema/sql/010_job.sql"),
    include_str!("../../schema/sql/011_order.sql"),
    include_str!("../../schema/sql/012_replay.sql"),
    include_str!("../../schema/sql/013_notices.sql"),
    include_str!("../../schema/sql/014_people.sql"),
];

/// Applies what is missing, each script in its own transaction. A database of a newer program is
/// refused untouched.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let found: u32 = connection.query_row("pragma user_version", [], |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::Newer {
            found,
            supported: SCHEMA_VERSION,
        });
    }
    for (number, script) in (1u32..).zip(MIGRATIONS).skip(found as usize) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(script)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    Ok(())
}
