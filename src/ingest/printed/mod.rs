//! Dates and times as phones print them at the head of a message, and what they mean.
//!
//! Purpose: read the header of a line in any style of the closed table, decide by evidence which
//! part of a date is the day, and tell headers from words that look like one. Shared by every text
//! export whose style the phone's language sets.
//!
//! Invariants: there is no default; what evidence leaves open is a question. Words behind a header
//! are never looked at.
//!
//! Must not know: formats, the store, the clock.

mod clock;
mod header;
mod order;
mod run;
mod shapes;

pub use clock::hour_of;
pub use header::{Header, HeaderReader, is_mark};
pub use order::{Evidence, MediaDate, Printed, Years, decided, is_buddhist_year, is_foreign_year};
pub use run::{DayRun, credible_bound, outliers, trust_question};
pub use shapes::Shape;
