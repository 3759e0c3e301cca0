//! Why serving did not begin or ended.

/// Errors of the room `http`.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address and the protection do not fit; the text says what to give instead.
    #[error("{0}")]
    Refused(String),
    /// Certificate or key cannot be used.
    #[error("{0}")]
    Certificate(String),
    /// The operating system said no.
    #[error("{0}")]
    Io(String),
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, ServeError>;
