//! What a crash, a thief and a meddler find: nothing readable, nothing lost, nothing accepted.
//!
//! A child is this program again: it runs the test `child` alone, with its orders in the
//! environment, and dies where it was told to.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/chance.rs"]
mod chance;
#[path = "../support/house.rs"]
mod house;

mod canary;
mod child;
mod faults;
mod kills;
mod losses;
mod nonce;
mod purge;
mod refusals;
mod removal;
mod ripe;
mod seals;
mod tamper;
