//! The whole engine, simulated: imports, holds, policies, purges, backups and crashes by chance,
//! compared after every act with an oracle that knows nothing but sets and loops.
//!
//! A seed that breaks a law prints itself; `WORDKEEP_SEED=<seed> cargo test --release --test
//! simulation law_` walks it again, act by act. `WORDKEEP_SEEDS` says how many seeds are walked,
//! `WORDKEEP_THREADS` by how many threads. Calls that change files fail where the program was
//! started with `LD_PRELOAD` of `tests/support/faulty.c` (see `faults`).
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../support/chance.rs"]
mod chance;
#[path = "../../support/house.rs"]
mod house;

mod act;
mod deeds;
mod disk;
mod engine;
mod faults;
mod host;
mod laws;
mod lock_model;
mod oracle;
mod race;
mod restored;
mod rot;
mod seeds;
mod walk;
mod world;
