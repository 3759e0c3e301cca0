//! The laws of reading foreign data: nothing lost, nothing doubled, nothing guessed.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails its test by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod alignment;
mod containers;
mod tables;
mod whatsapp_exports;
mod whatsapp_locales;
