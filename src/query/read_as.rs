//! *Read as*: what a query means, as one plain sentence, from the tree alone.
//!
//! Invariant: the code knows no language; every word of a sentence comes from a table of phrases,
//! so that a new language is a new table.

mod phrases;
mod sentence;

pub use phrases::{ENGLISH, Phrases};
pub use sentence::read_as;
