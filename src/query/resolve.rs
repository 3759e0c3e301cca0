//! Tree to resolved tree: names become numbers, relative dates instants, words patterns over terms.
//!
//! Invariant: what is hidden from the asker and what does not exist resolve alike (W03).

mod fields;
mod resolver;
mod words;

pub(super) use resolver::absolute_field;
pub use resolver::{ResolveContext, resolve};
use resolver::{Resolver, settle_stem};
