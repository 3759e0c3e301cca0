//! What a use-case answers when it cannot do what was asked; one variant for each kind of remedy.

use std::path::PathBuf;

use crate::archive::ArchiveError;
use crate::auth::AuthError;
use crate::domain::HoldId;
use crate::ingest::{IngestError, Question, Refusal};
use crate::query::Problem;
use crate::retention::RetentionError;
use crate::store::StoreError;

/// Errors of the room `app`.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The request itself is wrong; the text says what to write instead.
    #[error("{0}")]
    Usage(String),
    /// The query has errors.
    #[error("the query has {} error(s)", problems.len())]
    Query {
        /// The query as typed.
        text: String,
        /// Everything wrong with it.
        problems: Vec<Problem>,
    },
    /// The source leaves something open; nothing was imported.
    #[error("{} question(s) must be answered before anything is imported", .0.len())]
    Questions(Vec<Question>),
    /// The source was refused; nothing was imported.
    #[error("nothing was imported: {}", .0.reason)]
    Refused(Refusal),
    /// Configuration or keys.
    #[error("{0}")]
    Configuration(String),
    /// The actor may not, or was not recognised.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// It does not exist, or is outside what the actor may see; which, is not said.
    #[error("{0} was not found")]
    NotFound(String),
    /// The state that the pages of a search are cut from is gone.
    #[error("this search has moved on: begin again from its first page")]
    Expired {
        /// The query as it is read now, in canonical form.
        canonical: String,
    },
    /// Stored bytes are not what was stored.
    #[error("{0}")]
    Integrity(String),
    /// Somebody else is at it.
    #[error("{0}")]
    Conflict(String),
    /// A hold, a lock, a policy or a missing second person stands in the way; the text says which,
    /// and who can lift it.
    #[error("{0}")]
    Blocked(String),
    /// Holds stand in the way; the text says who can lift them.
    #[error("{text}")]
    Held {
        /// What stands in the way, in words.
        text: String,
        /// The holds.
        holds: Vec<HoldId>,
    },
    /// A time budget ran out; the text names the expensive clause.
    #[error("{0}")]
    Budget(String),
    /// Disk or file.
    #[error("{0}")]
    Io(String),
    /// The person stopped it; what was saved is said.
    #[error("interrupted: {0}")]
    Interrupted(String),
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, AppError>;

impl AppError {
    /// Wraps a refusal of the operating system.
    pub fn file(path: impl Into<PathBuf>, error: &std::io::Error) -> Self {
        AppError::Io(format!("{}: {error}", path.into().display()))
    }
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Missing(_) | StoreError::WrongKey | StoreError::Newer { .. } => {
                AppError::Configuration(text)
            }
            StoreError::Exists(_) | StoreError::Locked(_) => AppError::Conflict(text),
            StoreError::Corrupt(_) => AppError::Integrity(text),
            StoreError::NotFound(what) => AppError::NotFound(what),
            StoreError::Full | StoreError::File { .. } | StoreError::Sql(_) => AppError::Io(text),
            StoreError::Limit(_) => AppError::Conflict(text),
        }
    }
}

impl From<ArchiveError> for AppError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::Store(error) => error.into(),
            ArchiveError::WrongSecret | ArchiveError::KeyFile(_) => {
                AppError::Configuration(error.to_string())
            }
            ArchiveError::PurgeRefused(_) => AppError::Blocked(error.to_string()),
            ArchiveError::PurgeUnfinished(_) => AppError::Conflict(error.to_string()),
            ArchiveError::Unreachable(_) => AppError::Io(error.to_string()),
            ArchiveError::Mismatch(_) => AppError::Configuration(error.to_string()),
            ArchiveError::Disposed(what) => AppError::NotFound(format!("{what} (disposed of)")),
            other => AppError::Integrity(other.to_string()),
        }
    }
}

impl From<IngestError> for AppError {
    fn from(error: IngestError) -> Self {
        AppError::Io(error.to_string())
    }
}

impl From<RetentionError> for AppError {
    fn from(error: RetentionError) -> Self {
        let text = error.to_string();
        match error {
            RetentionError::Archive(error) => error.into(),
            RetentionError::ScopeRefused { text, problems } => AppError::Query { text, problems },
            RetentionError::ScopeUnanswerable(_) => AppError::Usage(text),
            RetentionError::ScopeBroken { .. } | RetentionError::Malformed(_) => {
                AppError::Integrity(text)
            }
            RetentionError::NotFound(what) => AppError::NotFound(what),
            RetentionError::Stopped => AppError::Interrupted("Nothing was changed.".to_owned()),
            RetentionError::NotApproved(_) | RetentionError::Refused(_) => AppError::Blocked(text),
        }
    }
}
