//! Sample data: one fictional company as the export files of its chats, made up in memory.
//!
//! Purpose: the same believable archive for the demonstration, the tour, the tests and the
//! browser, so that none of them can drift from the others.
//!
//! Invariants:
//! - Deterministic: equal seed and number of messages give equal bytes, on every machine. Only
//!   integers are used, and chance comes from [`Chance`] alone.
//! - The number of messages is exact: headers of chat files and records of JSONL files.
//! - Every query of the tour has hits, whatever the seed.
//! - Nobody in it exists. Telephone numbers come from ranges reserved for fiction.
//!
//! Must not know: how files are packed, imported or searched. A zip is handed over as its entries.

mod calendar;
mod cast;
mod chance;
mod jsonl;
mod language;
mod media;
mod planted;
mod scene;
mod story;
mod talk;
mod whatsapp;
mod world;

pub use chance::Chance;
pub use world::{
    Content, Entry, MESSAGES_DEFAULT, MESSAGES_MIN, Options, Sample, SampleFile, TourStep, generate,
};
