//! The keys of segments, as the index asks its caller for them.

use crate::crypto::Key;

/// Names one segment key in the caller's table. Not secret: it stands in clear before every file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u64);

/// A key could not be handed out, found or destroyed; the text says why and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct KeyError(pub String);

/// Where segment keys come from. The room above implements it over its key table.
///
/// The engine asks on its own threads while the caller may be inside a transaction, so an
/// implementation keeps a small batch of minted, durable keys ready: `take` never waits for a
/// transaction.
pub trait SegmentKeys: Send + Sync {
    /// Hands out a key that was never handed out before and is already durable.
    ///
    /// # Errors
    /// When no key is ready and none can be minted now.
    fn take(&self) -> Result<(KeyId, Key), KeyError>;

    /// The key of an id; `None` when it was destroyed or never existed.
    ///
    /// # Errors
    /// When the table cannot be read.
    fn find(&self, id: KeyId) -> Result<Option<Key>, KeyError>;

    /// Destroys keys of segments that are gone. Called outside purges only (ordinary merges);
    /// a purge gets the ids back and destroys them in its own protocol.
    ///
    /// # Errors
    /// When the table cannot be written; the ids come back at the next open as orphans.
    fn drop_keys(&self, ids: &[KeyId]) -> Result<(), KeyError>;

    /// The key `index_meta`, which seals the list of segments of every part.
    ///
    /// # Errors
    /// When it cannot be read.
    fn meta_key(&self) -> Result<Key, KeyError>;
}
