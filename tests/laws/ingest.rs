//! The laws of reading foreign data: nothing lost, nothing doubled, nothing guessed.

#[path = "../support/mod.rs"]
mod support;

mod alignment;
mod containers;
mod tables;
mod whatsapp_exports;
mod whatsapp_locales;
