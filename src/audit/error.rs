//! What can go wrong in the log, by what the caller can do about it.

use crate::crypto;
use crate::store::StoreError;

/// Errors of the room.
///
/// Policy: whatever stops an entry from becoming durable stops the act it describes; the caller
/// undoes its transaction and gives nothing away.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The store refused; the entry is not durable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealing, opening or signing failed.
    #[error("audit log: {0}")]
    Crypto(#[from] crypto::Error),
    /// An entry that must not be written as it is: too long, or with words where ids belong.
    #[error("the audit entry cannot be written: {0}")]
    Entry(String),
    /// The log contradicts itself or what was signed earlier. Run the verifier; restore from a copy
    /// that agrees with an anchor.
    #[error("the audit log is broken: {0}")]
    Broken(String),
    /// A file of the log cannot be read or written.
    #[error("the audit log is unreadable: {0}")]
    Unreadable(String),
}

/// The room's result.
pub type Result<T> = std::result::Result<T, AuditError>;
