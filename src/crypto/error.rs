//! What can go wrong when bytes are sealed or opened, by what the caller can do about it.

/// Errors of the room. None carries plaintext, key bytes or a hint which check failed first.
///
/// Policy: damage and attack look the same ([`Error::Integrity`]); a key that simply is not the
/// right one is told apart where a commitment makes that possible ([`Error::WrongKey`]); the rest
/// are limits and malformed outer shapes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The sealed bytes were changed, moved, exchanged or opened with another key. Restore them
    /// from a copy.
    #[error("integrity failure: the sealed bytes are not what was written here")]
    Integrity,
    /// The key or the name does not belong to this stream. Look for another key; the data may be
    /// sound.
    #[error("wrong key: this stream was sealed under another key or name")]
    WrongKey,
    /// The bytes are not of the expected format at all, or of a newer one.
    #[error("not {expected}: {found}")]
    Format {
        /// What the reader wanted, with its article.
        expected: &'static str,
        /// What is wrong with the bytes.
        found: &'static str,
    },
    /// A file of keys is damaged by accident: its checksum does not fit. Restore it from its copy;
    /// the passphrase may be right.
    #[error("{0} is damaged: its checksum does not fit, restore it from its copy")]
    Damaged(&'static str),
    /// The end is missing or something follows it. Restore the bytes from a copy.
    #[error("cut or extended: the length does not fit the sealed form")]
    Length,
    /// A limit of the format was reached; the sentence names it and says what to do.
    #[error("{0}")]
    Limit(&'static str),
    /// No slot opens with what was given. Try another passphrase or key file.
    #[error("wrong passphrase or key file: no slot opens with it")]
    WrongPassphrase,
    /// The parameters for stretching a passphrase are below the floor or above the ceiling.
    #[error("passphrase parameters out of range: {0}")]
    Parameters(&'static str),
    /// A signature does not match the text and the key.
    #[error("the signature does not match")]
    Signature,
    /// A Merkle proof does not lead from the leaf or the old root to the root.
    #[error("the proof does not lead to the root")]
    Proof,
    /// A node of a tree was asked for that the source does not hold.
    #[error("tree node {index} of level {level} is missing")]
    MissingNode {
        /// Height above the leaves.
        level: u8,
        /// Position within the level, counted from 0.
        index: u64,
    },
}

/// The room's result.
pub type Result<T> = std::result::Result<T, Error>;
