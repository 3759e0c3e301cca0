//! The exact evaluator: the reference every other way of answering is compared with.
//!
//! Invariants:
//! - Pure: no index, no IO, no limit of expansions.
//! - A leaf is true when it is true in at least one text; booleans join leaf truths per message.
//!
//! Must not know: how candidates were found.

mod conversation;
mod evaluator;
mod places;
mod predicate;
mod texts;

pub use evaluator::{Evaluator, HitSpan, Neighbours, NoNeighbours, Spans, TextPlace, evaluate};
use evaluator::{Run, Wide};
pub(super) use places::SLOP_WORDS_MAX;
