//! What can go wrong where it is kept; variants are named by what the caller can do about it.

use std::io;
use std::path::PathBuf;

/// Errors of the room `store`.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no data directory at this place.
    #[error("{0} is not a wordkeep data directory; create one with: wordkeep init --data {0}")]
    Missing(PathBuf),
    /// There is one already, and the caller wanted a new one.
    #[error("{0} already holds a wordkeep data directory")]
    Exists(PathBuf),
    /// Another process owns the data directory.
    #[error("{0} is in use by another wordkeep process; stop it or use its socket")]
    Locked(PathBuf),
    /// The database does not open with this key: another key, or page 1 is damaged.
    #[error(
        "the database does not open with these keys: the key files belong to another data directory, or its first page is damaged"
    )]
    WrongKey,
    /// The directory was written by a newer program.
    #[error(
        "the data directory has format {found}, this program knows up to {supported}; install the newer version"
    )]
    Newer {
        /// The format found.
        found: u32,
        /// The newest this program knows.
        supported: u32,
    },
    /// No room on the disk; the transaction was undone.
    #[error(
        "the disk is full: nothing of the last step was kept, earlier steps are safe; free some space and run it again"
    )]
    Full,
    /// Stored bytes contradict themselves.
    #[error("integrity failure in {0}")]
    Corrupt(String),
    /// A row that must exist does not.
    #[error("{0} does not exist")]
    NotFound(String),
    /// A number ran past its bound.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// The operating system refused a file.
    #[error("{path}: {source}")]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// SQLite refused a statement.
    #[error("database: {0}")]
    Sql(rusqlite::Error),
}

impl StoreError {
    /// Wraps a refusal of the operating system, telling a full disk apart.
    pub fn file(path: impl Into<PathBuf>, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::StorageFull {
            return StoreError::Full;
        }
        StoreError::File {
            path: path.into(),
            source,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreError::Full,
            Some(ErrorCode::NotADatabase) => StoreError::WrongKey,
            Some(ErrorCode::DatabaseCorrupt) => {
                StoreError::Corrupt("wordkeep.db: a page fails its check".to_owned())
            }
            _ => StoreError::Sql(error),
        }
    }
}
