//! Tables of any origin: rows of JSON objects or of separated values, read by a declared mapping.
//!
//! Fails closed: one row without a readable date refuses the whole file, with the row numbers,
//! unless the operator accepts to leave such rows out.
//!
//! Must not know: other formats, the store, the clock.

mod cell;
mod csv;
mod instant;
mod jsonl;
mod mapping;
mod templates;
mod writer;

pub use csv::Csv;
pub(in crate::ingest) use csv::{Cells, reader};
pub use instant::TimeFormat;
pub use jsonl::Jsonl;
pub use mapping::{Column, Mapping, MappingError};
