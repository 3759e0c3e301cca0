//! Copies of the record, table by table: out into a backup, back into a new data directory.
//!
//! A page copy would carry keys along: a deleted row lives on in free pages. So a copy is a new
//! database with a key of its own, and the tables of keys are never read into it.

use std::fs::File;
use std::path::Path;

use rusqlite::Connection;
use zeroize::Zeroizing;

use super::connection::{key_text, plain_connection};
use super::migration::{SCHEMA_VERSION, migrate};
use super::{DataDirectory, Rows, Store, StoreError};
use crate::crypto::Key;

/// Tables that never leave the data directory: keys and their counts; log-ins, which end with the
/// house they were made in, and the keys their programs gave; work on an index that is not copied.
const LEFT_OUT: [&str; 12] = [
    "data_key",
    "wrap_count",
    "token",
    "web_session",
    "setup_token",
    "sign_in_link",
    "sso_attempt",
    "replay",
    "notice_link",
    "session_watch",
    "outbox",
    "index_anchor",
];
/// Page cache while copying, in KiB.
const CACHE_KIB: i64 = 16 * 1024;

/// What a copy holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordCounts {
    /// Messages.
    pub messages: u64,
    /// Sealed rows.
    pub contents: u64,
    /// Sealed files it names.
    pub blobs: u64,
}

impl Store {
    /// Copies the record into a new database at `to` under `key`, as one stable picture, while the
    /// writer goes on. `at_picture` runs when the picture stands and sees it. `progress` hears
    /// tables done and tables in all. The file is durable when this returns.
    pub fn copy_record<T>(
        &self,
        to: &Path,
        key: &Key,
        at_picture: impl FnOnce(&Rows) -> Result<T, StoreError>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(RecordCounts, T), StoreError> {
        // SQLite would make it readable for others.
        self.directory().make_private(to)?;
        let mut blank = plain_connection(to, key)?;
        migrate(&mut blank)?;
        drop(blank);
        let connection = plain_connection(&self.directory().database(), self.db_key())?;
        attach(&connection, &path_text(to)?, key)?;
        connection.execute_batch("begin deferred")?;
        // The picture stands from the first read on.
        connection.query_row("select count(*) from main.store_fact", [], |_| Ok(()))?;
        let rows = Rows { connection };
        let seen = at_picture(&rows)?;
        let connection = rows.connection;
        let tables = tables(&connection, "main")?;
        for (done, table) in tables.iter().enumerate() {
            // What the schema itself puts into a blank database makes room for what was kept.
            connection.execute_batch(&format!(
                "delete from other.\"{table}\";
                 insert into other.\"{table}\" select * from main.\"{table}\""
            ))?;
            progress(done as u64 + 1, tables.len() as u64);
        }
        let counts = counts(&connection, "other")?;
        connection.execute_batch("commit; detach database other")?;
        drop(connection);
        sync(to)?;
        Ok((counts, seen))
    }

    /// Makes the database of a fresh directory from a copy at `from`, which is only read, and opens
    /// it under `db_key`. A copy of an elder schema is brought up to date; a newer one is refused.
    pub fn create_from_copy(
        directory: DataDirectory,
        db_key: Key,
        from: &Path,
        from_key: &Key,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Store, StoreError> {
        let database = directory.database();
        directory.make_private(&database)?;
        let mut connection = plain_connection(&database, &db_key)?;
        migrate(&mut connection)?;
        attach(&connection, &read_only_uri(from)?, from_key)?;
        let found: u32 = connection.query_row("pragma other.user_version", [], |row| row.get(0))?;
        if found > SCHEMA_VERSION {
            return Err(StoreError::Newer {
                found,
                supported: SCHEMA_VERSION,
            });
        }
        connection.execute_batch("begin immediate")?;
        let tables = tables(&connection, "other")?;
        for (done, table) in tables.iter().enumerate() {
            let columns = match found {
                SCHEMA_VERSION => "*".to_owned(),
                _ => columns(&connection, table)?,
            };
            let into = match found {
                SCHEMA_VERSION => String::new(),
                _ => format!("({columns})"),
            };
            connection.execute_batch(&format!(
                "delete from main.\"{table}\";
                 insert into main.\"{table}\" {into} select {columns} from other.\"{table}\""
            ))?;
            progress(done as u64 + 1, tables.len() as u64);
        }
        connection.execute_batch("commit; detach database other")?;
        drop(connection);
        sync(&database)?;
        Store::open(directory, db_key)
    }
}

/// Counts what a copy holds and checks every page of it. `Corrupt` names what is broken.
pub fn check_record_copy(path: &Path, key: &Key) -> Result<RecordCounts, StoreError> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch("pragma cipher_log_level = none;")?;
    attach(&connection, &read_only_uri(path)?, key)?;
    let mut statement = connection.prepare("pragma other.cipher_integrity_check")?;
    let mut broken = statement.query([])?;
    if let Some(row) = broken.next()? {
        let what: String = row.get(0)?;
        return Err(StoreError::Corrupt(format!("{}: {what}", path.display())));
    }
    counts(&connection, "other")
}

fn counts(connection: &Connection, of: &str) -> Result<RecordCounts, StoreError> {
    let count = |table: &str| {
        let sql = format!("select count(*) from {of}.{table}");
        connection.query_row(&sql, [], |row| row.get::<_, u64>(0))
    };
    Ok(RecordCounts {
        messages: count("message")?,
        contents: count("content")?,
        blobs: count("blob")?,
    })
}

/// The tables that are copied, by name.
fn tables(connection: &Connection, of: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "select name from {of}.sqlite_schema where type = 'table' and name not like 'sqlite_%'
         order by name"
    ))?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut tables = Vec::new();
    for name in names {
        let name = name?;
        if !LEFT_OUT.contains(&name.as_str()) {
            tables.push(name);
        }
    }
    Ok(tables)
}

/// The columns a table has in the copy; every later schema still has them.
fn columns(connection: &Connection, table: &str) -> Result<String, StoreError> {
    let mut statement = connection.prepare("select name from pragma_table_info(?1, 'other')")?;
    let names = statement.query_map([table], |row| row.get::<_, String>(0))?;
    let names: Vec<String> = names.collect::<rusqlite::Result<_>>()?;
    Ok(names
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect::<Vec<_>>()
        .join(", "))
}

fn attach(connection: &Connection, uri: &str, key: &Key) -> Result<(), StoreError> {
    let key: Zeroizing<String> = key_text(key);
    connection.execute("attach database ?1 as other key ?2", (uri, key.as_str()))?;
    connection.query_row("select count(*) from other.sqlite_schema", [], |_| Ok(()))?;
    connection.execute_batch(&format!(
        "pragma other.cache_size = -{CACHE_KIB}; pragma main.cache_size = -{CACHE_KIB};
         pragma other.synchronous = off;"
    ))?;
    Ok(())
}

fn path_text(path: &Path) -> Result<String, StoreError> {
    let text = path.to_str();
    text.map(str::to_owned).ok_or(StoreError::Limit(
        "the path of a backup must be UTF-8: choose another",
    ))
}

/// A file that is read and never written, nor accompanied by journals, even on a full medium.
fn read_only_uri(path: &Path) -> Result<String, StoreError> {
    let mut uri = String::from("file:");
    for letter in path_text(path)?.chars() {
        match letter {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            other => uri.push(other),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    Ok(uri)
}

fn sync(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| StoreError::file(path, error))
}
