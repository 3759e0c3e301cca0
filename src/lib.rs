//! Wordkeep keeps every word a company gives and gets in chat, finds it again, and lets it go
//! lawfully. This file is the floor plan; `src/README.md` tells the story.
//!
//! A room imports only rooms on strictly lower floors; rooms on one floor never see each other.
//! `tests/tidy.rs` holds the house to it.

// Floor 9
pub mod cli;

// Floor 8
pub mod http;

// Floor 7
pub mod app;

// Floor 6
pub mod capture;

// Floor 5
pub mod ingest;
pub mod retention;
pub mod search;

// Floor 4
pub mod archive;
pub mod auth;

// Floor 3
pub mod audit;

// Floor 2
pub mod index;
pub mod store;

// Floor 1
pub mod crypto;
pub mod query;

// Floor 0
pub mod domain;

/// An import makes and ends many threads; the allocator of the system keeps what they freed. With
/// this one the same import peaks a third lower, and searches are faster by a seventh.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
