//! WhatsApp's text export: what the phones of all locales print, read back.
//!
//! The export carries no zone, no ids and dates in whatever style the phone was set to. Two
//! passes: the first learns the styles of the file and decides how dates read, or asks; the
//! second hands out messages. Nothing is decided by a default.
//!
//! Must not know: other formats, the store, the clock.

mod author;
mod body;
mod learn;
mod parse;
mod system;

pub(in crate::ingest) use author::phone;
pub use parse::WhatsApp;
