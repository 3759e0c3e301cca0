//! What the entries tell, replayed: was each act lawful when it was done, do the counts agree?
//!
//! Purpose: the rules of the story in `schema/log.md`. Whoever holds the key of the log can sign
//! anything; what he signs must still be a story in which every act follows from those before.
//!
//! Invariants:
//! - Nothing but entries is looked at, in their order, once.
//! - An honest log breaks no rule: a rule may be laxer than the product, never stricter.
//!
//! Must not know: texts of payloads, rows of the record, the present.

mod claims;
mod disposals;
mod freezes;
mod holds;
mod notices;
mod policies;
mod story;
mod told;
mod watch;

pub use disposals::Disposal;
pub use story::{Conservation, Replay, Violation};
pub(in crate::audit) use told::ToldTerms;

use crate::domain::Timestamp;

/// An act is stamped when it begins to wait for its turn, its entry when it is written: so much may
/// lie between the two, in microseconds (one hour).
const WAIT_MICROS: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;
