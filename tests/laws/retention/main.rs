//! The laws of keeping and letting go: the scenarios by name, the verdict against a naive oracle,
//! and the clock that is never fast.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../support/chance.rs"]
mod chance;
#[path = "../../support/house.rs"]
mod house;

mod archive;
mod clocks;
mod laws;
mod oracle;
mod rules;
mod scenarios;
mod walk;
mod world;
