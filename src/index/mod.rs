//! Room `index`: where does a word occur?
//!
//! Purpose: a sealed, replaceable search index over the messages of the store; it answers which
//! message numbers match a resolved query inside a scope, in order, with an exact total.
//!
//! Invariants:
//! - It is a cache: dropped and fed again from the store it gives the same answers. No text is
//!   stored in it, and it never decides a hold.
//! - Every byte it leaves on disk is sealed and bound to its place, lock files apart (empty); any
//!   change shows as an error that names the file, never as a wrong answer.
//! - It may find too much where it says so (`verified`), never too little.
//! - A part older than the anchor in the store is refused.
//!
//! Must not know: the store, transactions, who asks, the clock. Keys and chance are arguments.

mod aligned;
mod cache;
mod collect;
mod columns;
mod directory;
mod docset;
mod document;
mod error;
mod expand;
mod facts;
mod fuzzy;
mod handle;
mod keys;
mod merge;
mod meta;
mod numbers;
mod parts;
#[cfg(feature = "plain-control")]
mod plain;
mod plan;
mod remove;
mod schema;
mod score;
mod segment;
mod span;
mod stats;
mod terms;
mod top;
mod verify;
mod writer;

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod testing;

pub use cache::CacheUse;
pub use collect::{Answer, Cost, Cursor, Hit, Order, Page, Placed};
pub use document::Words;
pub use error::{Error, Result};
pub use expand::EXPANSIONS_MAX;
pub use keys::{KeyError, KeyId, SegmentKeys};
pub use meta::{Anchor, Freshness};
pub use parts::{
    ARENA_BYTES_DEFAULT, CACHE_BYTES_DEFAULT, Index, IndexConfig, NotAPart, Opened, PartName,
};
pub use remove::Removed;
pub use stats::PartStats;
pub use verify::{Disagreement, Tallies};
pub use writer::{Committed, Novelty, OPEN_WRITERS_MAX, Writer};
