//! The language through its public face: laws over generated trees and archives, and fixtures of
//! every problem and of the sentences of *Read as*.

#[path = "../support/corpus_gen.rs"]
mod corpus_gen;
#[path = "../support/query_gen.rs"]
mod query_gen;

mod algebra;
mod meaning;
mod parsing;
mod problems;
mod read_as;
mod speed;

use chrono_tz::Tz;
use wordkeep::domain::Timestamp;
use wordkeep::query::{ParseContext, Purpose, ResolveContext};

/// The present of every test: 2024-04-02 10:00 UTC, a Tuesday.
pub const NOW: Timestamp = Timestamp::from_seconds(1_712_052_000);
/// The display zone of every test.
pub const ZONE: Tz = chrono_tz::Europe::Lisbon;

/// How tests read queries.
pub const CONTEXT: ParseContext = ParseContext {
    zone: ZONE,
    now: NOW,
    strict: false,
    purpose: Purpose::Search,
};

/// How tests resolve queries.
pub const RESOLVE: ResolveContext = ResolveContext {
    zone: ZONE,
    now: NOW,
};
