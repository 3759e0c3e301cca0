//! Opening the record: SQLCipher with a raw key, one writer, a few readers.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use zeroize::Zeroizing;

use super::number::Numbers;
use super::transaction::{ReadTx, Rows, WriteTx};
use super::{DataDirectory, StoreError, migration};
use crate::crypto::Key;

/// Prepared statements kept per connection.
const STATEMENTS_KEPT: usize = 128;
/// How long a reader waits for a checkpoint to finish.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// Pages of the write-ahead log after which a commit also checkpoints: 32 MiB of 4 KiB pages.
const CHECKPOINT_PAGES: u32 = 8_192;
/// Page cache of the writer in KiB.
const WRITER_CACHE_KIB: i64 = 12 * 1024;
/// Page cache of each reader in KiB.
const READER_CACHE_KIB: i64 = 16 * 1024;
/// Idle reader connections kept for reuse.
const READERS_KEPT: usize = 8;

/// The opened record of a data directory.
pub struct Store {
    directory: DataDirectory,
    db_key: Key,
    writer: Mutex<Rows>,
    readers: Mutex<Vec<Connection>>,
    numbers: Mutex<Numbers>,
}

impl Store {
    /// Creates the database of a fresh directory under `db_key`.
    pub fn create(directory: DataDirectory, db_key: Key) -> Result<Store, StoreError> {
        // SQLite would make it readable for others; its journals take the mode of the database.
        directory.make_private(&directory.database())?;
        Self::start(directory, db_key)
    }

    /// Opens the database under `db_key` and brings its schema up to date. `WrongKey` when the key
    /// does not fit; `Newer` when a newer program wrote it.
    pub fn open(directory: DataDirectory, db_key: Key) -> Result<Store, StoreError> {
        Self::start(directory, db_key)
    }

    fn start(directory: DataDirectory, db_key: Key) -> Result<Store, StoreError> {
        let mut writer = connect(&directory.database(), &db_key, WRITER_CACHE_KIB)?;
        migration::migrate(&mut writer)?;
        Ok(Store {
            directory,
            db_key,
            writer: Mutex::new(Rows { connection: writer }),
            readers: Mutex::new(Vec::new()),
            numbers: Mutex::new(Numbers::empty()),
        })
    }

    /// The directory this record lies in.
    pub fn directory(&self) -> &DataDirectory {
        &self.directory
    }

    pub(super) fn db_key(&self) -> &Key {
        &self.db_key
    }

    /// Begins the one write transaction; waits for the writer to be free.
    pub fn write(&self) -> Result<WriteTx<'_>, StoreError> {
        // A panic in another writer rolled its transaction back when the guard was dropped.
        let guard = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        WriteTx::begin(guard)
    }

    /// Begins a read transaction: a stable picture of the record as of now.
    pub fn read(&self) -> Result<ReadTx<'_>, StoreError> {
        let kept = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let connection =
                    connect(&self.directory.database(), &self.db_key, READER_CACHE_KIB)?;
                connection.pragma_update(None, "query_only", true)?;
                connection
            }
        };
        ReadTx::begin(connection, self)
    }

    /// Takes a reader back after its transaction ended.
    pub(super) fn keep_reader(&self, connection: Connection) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
    }

    /// The sequence of numbers, shared by all writers of this process.
    pub(super) fn numbers(&self) -> &Mutex<Numbers> {
        &self.numbers
    }

    /// Writes the write-ahead log back into the database and empties it.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        writer
            .connection
            .query_row("pragma wal_checkpoint(truncate)", [], |_| Ok(()))?;
        Ok(())
    }

    /// Like [`Store::checkpoint`], and says whether the log was emptied: a reader that holds an
    /// elder picture for longer than ten seconds keeps it from it.
    pub fn empty_log(&self) -> Result<bool, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let busy: i64 =
            writer
                .connection
                .query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
        Ok(busy == 0)
    }

    /// Keeps the database from growing beyond `pages` pages of 4 KiB: what would, fails with
    /// [`StoreError::Full`]. `None` lifts the limit. For hosts with a quota, and for tests of a
    /// full disk.
    pub fn limit_size(&self, pages: Option<u32>) -> Result<(), StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = pages.unwrap_or(u32::MAX - 1);
        writer
            .connection
            .query_row(&format!("pragma max_page_count = {pages}"), [], |_| Ok(()))?;
        Ok(())
    }

    /// Pages of 4 KiB of the database, free ones included.
    pub fn pages(&self) -> Result<u32, StoreError> {
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(writer
            .connection
            .query_row("pragma page_count", [], |row| row.get(0))?)
    }

    /// Checks every page's HMAC and the structure of the whole database. Lists what is broken.
    pub fn integrity(&self) -> Result<Vec<String>, StoreError> {
        // The pages are looked at as they lie in the file: after a loss of power some of them may be
        // torn that stand whole in the log, and are written anew from there.
        self.checkpoint()?;
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut broken = Vec::new();
        for check in ["pragma cipher_integrity_check", "pragma integrity_check"] {
            let mut statement = writer.connection.prepare(check)?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            for row in rows {
                let text = row?;
                if text != "ok" {
                    broken.push(text);
                }
            }
        }
        Ok(broken)
    }
}

fn connect(path: &Path, db_key: &Key, cache_kib: i64) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    connection.busy_timeout(BUSY_TIMEOUT)?;
    apply_key(&connection, db_key)?;
    // The first read decides whether the key fits: page 1 fails its HMAC otherwise.
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    connection.execute_batch("pragma journal_mode = wal;")?;
    connection.execute_batch(&format!(
        "pragma synchronous = full;
         pragma secure_delete = on;
         pragma temp_store = memory;
         pragma foreign_keys = off;
         pragma trusted_schema = off;
         pragma cell_size_check = on;
         pragma cache_size = -{cache_kib};
         pragma wal_autocheckpoint = {CHECKPOINT_PAGES};"
    ))?;
    Ok(connection)
}

/// A connection for copying: its file is made anew or only read, so there is nothing to roll back
/// to, and its owner syncs it at the end. Others may be attached by URI.
pub(super) fn plain_connection(path: &Path, key: &Key) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    apply_key(&connection, key)?;
    connection.query_row("select count(*) from sqlite_schema", [], |_| Ok(()))?;
    connection.execute_batch(
        "pragma synchronous = off;
         pragma temp_store = memory;
         pragma foreign_keys = off;
         pragma trusted_schema = off;
         pragma cell_size_check = on;",
    )?;
    Ok(connection)
}

/// Hands the raw key to SQLCipher (`x'..64 hex..'` skips its own PBKDF2).
pub(super) fn apply_key(connection: &Connection, db_key: &Key) -> Result<(), StoreError> {
    // SQLCipher would print to stderr on its own; its errors reach the caller as results.
    connection.execute_batch("pragma cipher_log_level = none;")?;
    let mut statement = Zeroizing::new(String::with_capacity(96));
    statement.push_str("pragma key = \"");
    statement.push_str(&key_text(db_key));
    statement.push_str("\";");
    // SQLCipher prepares its own state when the first connections of a process are keyed; where
    // several threads do that at once, a key may be refused that is taken a moment later. A wrong
    // key is not seen here: it shows when the first page is read.
    let mut patience = KEY_TRIES;
    while let Err(error) = connection.execute_batch(&statement) {
        patience = patience.checked_sub(1).ok_or(error)?;
        std::thread::sleep(KEY_PAUSE);
    }
    connection.execute_batch("pragma cipher_memory_security = off;")?;
    Ok(())
}

/// How often a key is handed over again, and the pause between.
const KEY_TRIES: u32 = 10;
const KEY_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// The raw key as SQLCipher reads it.
pub(super) fn key_text(key: &Key) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(72));
    text.push_str("x'");
    for byte in key.expose() {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A data directory that lives as long as the value.
    pub(in crate::store) struct Scratch {
        dir: TempDir,
    }

    impl Scratch {
        pub(in crate::store) fn open(&self) -> Store {
            self.open_with(7).unwrap()
        }

        fn open_with(&self, key: u8) -> Result<Store, StoreError> {
            let directory = DataDirectory::open(self.dir.path(), None)?;
            Store::open(directory, Key::from_bytes([key; 32]))
        }
    }

    pub(in crate::store) fn scratch() -> Scratch {
        let dir = tempfile::tempdir().unwrap();
        let directory = DataDirectory::create(dir.path(), None).unwrap();
        Store::create(directory, Key::from_bytes([7; 32])).unwrap();
        Scratch { dir }
    }

    #[test]
    fn a_wrong_key_is_told_from_damage() {
        let scratch = scratch();
        assert!(matches!(scratch.open_with(8), Err(StoreError::WrongKey)));
        scratch.open();
    }

    #[test]
    fn a_dropped_transaction_leaves_nothing() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        tx.put_fact("a", b"1").unwrap();
        drop(tx);
        assert_eq!(store.read().unwrap().fact("a").unwrap(), None);
    }

    #[test]
    fn a_newer_directory_is_refused_untouched() {
        let scratch = scratch();
        let store = scratch.open();
        store
            .write()
            .unwrap()
            .connection()
            .pragma_update(None, "user_version", 99)
            .unwrap();
        store
            .write()
            .unwrap()
            .connection()
            .execute_batch("rollback; pragma user_version = 99; begin")
            .unwrap();
        drop(store);
        assert!(matches!(
            scratch.open_with(7),
            Err(StoreError::Newer {
                found: 99,
                supported: migration::SCHEMA_VERSION
            })
        ));
    }
}
