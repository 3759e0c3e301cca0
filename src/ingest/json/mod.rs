//! JSON documents of any size as a stream of records.
//!
//! The scanner finds the lists that hold records by their path and hands out one record after the
//! other with its bytes; everything else is a frame. A record is then read by `serde`, and mended
//! first where platforms write what is not quite JSON.

mod record;
mod scan;

pub use record::{Text, read_record};
pub use scan::{Ending, Part, Shape, Step, scan};
