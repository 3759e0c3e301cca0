//! What can go wrong in the archive; variants are named by what the caller can do about it.

use crate::store::StoreError;

/// Errors of the room `archive`.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The record refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The passphrase or key file opens no slot.
    #[error("this passphrase or key file opens no slot of the data directory")]
    WrongSecret,
    /// A key file is unreadable.
    #[error("{0}")]
    KeyFile(String),
    /// Sealing or opening failed for a reason other than the bytes at hand.
    #[error("keys: {0}")]
    Crypto(crate::crypto::Error),
    /// Sealed bytes do not open in their place: altered, moved or replaced.
    #[error("integrity failure: {0} does not open in its place")]
    Integrity(String),
    /// The key of the content was destroyed: it was lawfully disposed of.
    #[error("{0} was disposed of")]
    Disposed(String),
    /// What was sealed does not read as what it should be.
    #[error("integrity failure: {0} is not well-formed")]
    Malformed(&'static str),
    /// The index refused.
    #[error("search index: {0}")]
    Index(String),
    /// A backup or a target cannot be reached; nothing was destroyed.
    #[error("{0}")]
    Unreachable(String),
    /// The parts of a restore do not belong together, or one of them is missing.
    #[error("{0}")]
    Mismatch(String),
    /// A purge may not or cannot go on now; nothing of its present slice was destroyed.
    #[error("nothing was destroyed in this step: {0}")]
    PurgeRefused(String),
    /// Another batch is under way: one at a time.
    #[error("batch {0} is unfinished: go on with it or close it first")]
    PurgeUnfinished(u64),
    /// Something of what was destroyed was found afterwards.
    #[error(
        "integrity failure: something of batch {batch} is left (keys gone: {}, index clean: {}, \
         files with readable words: {}); no certificate can be made",
        found.key_absent, found.index_absent, found.scan_hits
    )]
    Residue {
        /// The batch.
        batch: u64,
        /// What was found.
        found: super::Residue,
    },
    /// The audit log refused; nothing was changed and nothing is shown.
    #[error("audit log: {0}")]
    Audit(String),
}

impl From<crate::crypto::Error> for ArchiveError {
    fn from(error: crate::crypto::Error) -> Self {
        match error {
            crate::crypto::Error::WrongPassphrase => ArchiveError::WrongSecret,
            other => ArchiveError::Crypto(other),
        }
    }
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, ArchiveError>;
