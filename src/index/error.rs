//! What can go wrong in the index, by what the caller can do about it.

use std::path::PathBuf;

use super::keys::KeyError;
use crate::crypto;

/// Errors of the room.
///
/// Policy: the index is a cache. Damage, loss and age all end in [`Error::needs_rebuild`]: the
/// caller drops the part and feeds it again from the store. A query that asks too much is the
/// asker's to change. Nothing here carries text of a message; terms of the query may be named.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A sealed file was changed, cut, extended, exchanged or put in from elsewhere. Rebuild.
    #[error("index file {file}: {reason}: rebuild the index")]
    Damaged {
        /// Part and name of the file.
        file: String,
        /// What the reader found.
        reason: String,
    },
    /// The part is older than the store says: it could show again what was deleted. Rebuild.
    #[error(
        "index file {part}/meta.json is older than its anchor (generation {found}, the store says \
         {expected}): rebuild the index"
    )]
    OlderThanAnchor {
        /// The part.
        part: String,
        /// Generation on disk.
        found: u64,
        /// Generation in the store.
        expected: u64,
    },
    /// The part went on without the store, so the store was put back to an older copy. Rebuild.
    #[error(
        "index file {part}/meta.json is newer than its anchor by more than one commit (generation {found}, \
         the store says {expected}): rebuild the index"
    )]
    NewerThanAnchor {
        /// The part.
        part: String,
        /// Generation on disk.
        found: u64,
        /// Generation in the store.
        expected: u64,
    },
    /// The generation fits but the list of segments is another one. Rebuild.
    #[error("index file {part}/meta.json is not the list the store knows: rebuild the index")]
    ForeignList {
        /// The part.
        part: String,
    },
    /// The store has an anchor for a part that is not there. Rebuild.
    #[error("index file {part}/meta.json is missing: rebuild the index")]
    MissingPart {
        /// The part.
        part: String,
    },
    /// The part was written by a program with other fields. Rebuild.
    #[error("index part {part} has the fields of another version: rebuild the index")]
    OtherFields {
        /// The part.
        part: String,
    },
    /// A segment key is gone or cannot be read.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A pattern stands for too many different words (Q019). Ask for a longer one.
    #[error("\"{term}\" stands for more than {limit} different words: write more letters of it")]
    TooManyExpansions {
        /// The pattern as asked.
        term: String,
        /// The limit that was passed.
        limit: usize,
    },
    /// The caller's time budget ran out; never a partial count. Narrow the clause.
    #[error("the query takes too long, most of it in {clause}: narrow that clause")]
    Budget {
        /// The expensive clause as asked.
        clause: String,
    },
    /// The disk or the file system refused.
    #[error("index {place}: {source}")]
    Io {
        /// Part and file.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine failed in a way no other variant names.
    #[error("the search engine failed: {0}")]
    Engine(#[from] tantivy::TantivyError),
}

impl Error {
    /// Whether dropping and feeding the part again is the remedy.
    pub fn needs_rebuild(&self) -> bool {
        matches!(
            self,
            Error::Damaged { .. }
                | Error::OlderThanAnchor { .. }
                | Error::NewerThanAnchor { .. }
                | Error::ForeignList { .. }
                | Error::MissingPart { .. }
                | Error::OtherFields { .. }
        )
    }

    pub(super) fn io(place: impl Into<String>, source: std::io::Error) -> Error {
        Error::Io {
            place: place.into(),
            source,
        }
    }
}

/// The room's result.
pub type Result<T> = std::result::Result<T, Error>;

/// Names the file of a failure while it travels through the engine as an `io::Error`.
#[derive(Debug, Clone, thiserror::Error)]
#[error("index file {file}: {reason}")]
pub(super) struct FileFailure {
    pub file: String,
    pub reason: String,
}

impl FileFailure {
    pub(super) fn of_sealing(file: &str, error: &crypto::Error) -> std::io::Error {
        FileFailure {
            file: file.to_owned(),
            reason: error.to_string(),
        }
        .into_io()
    }

    pub(super) fn into_io(self) -> std::io::Error {
        std::io::Error::new(std::io::ErrorKind::InvalidData, self)
    }
}

/// The path as the errors show it: the part and the file name, never the directory around them.
pub(super) fn shown(part: &str, path: &std::path::Path) -> String {
    PathBuf::from(part).join(path).display().to_string()
}
