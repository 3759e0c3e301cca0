//! Rooms of Matrix, as Element exports them in JSON: raw events.
//!
//! Facts: element-hq/element-web, `JSONExport.ts`; the Matrix specification, client-server API, "Room
//! events", "Event replacements", "Redactions", "Threading", "Rich replies". What an export does not tell:
//! the words of redacted events, events that could not be decrypted, sometimes edits.

mod event;
mod export;

pub use export::Matrix;
