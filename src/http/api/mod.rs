//! The API of programs, `/api/v1`: JSON in, JSON out, the same use-cases as the pages.
//!
//! Purpose: turns requests into calls of use-cases. Every route carries what it takes and gives
//! ([`Operation`]); the description that programs read (OpenAPI 3.1) is made from that, and so is
//! the gate behind the guard: limits, keys of repetition, conditions on the state of an object.
//!
//! Invariants:
//! - Unknown fields of a request are refused; times are RFC 3339 in UTC; ids carry their prefix.
//! - Lists have no numbered pages and no hidden end: a sealed mark leads from page to page.
//! - What creates or starts something names itself with a key, and is done once.
//! - What changes an object says which state of it was seen.
//! - Nothing a program reads is less logged than what a person reads.
//!
//! Must not know: how anything is decided, sealed, found or kept.

pub(super) mod audit;
pub(super) mod conversations;
pub(super) mod describe;
pub(super) mod dispositions;
pub(super) mod events;
pub(super) mod exports;
mod gate;
pub(super) mod holds;
pub(super) mod imports;
pub(super) mod jobs;
mod json;
pub(super) mod labels;
pub(super) mod matters;
pub(super) mod mcp;
pub(super) mod notices;
mod operation;
mod paging;
pub(super) mod policies;
mod replay;
pub(super) mod search;
mod state;
pub(super) mod tokens;
pub(super) mod uploads;
pub(super) mod users;

pub use describe::openapi;
pub(super) use gate::{Post, gate};
pub(super) use operation::{Gives, Operation, Parameter};
pub(super) use replay::Secrets;
