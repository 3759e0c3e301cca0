//! Room `query`: what was asked?
//!
//! Purpose: text analysis, lexer, parser, AST, canonical print and *Read as*, and the exact
//! evaluation of a query against one record.
//!
//! Invariants:
//! - The parser is total: every input yields a tree or at least one error, and every place it names
//!   lies on character boundaries.
//! - `parse(print(query))` is the query again.
//! - The evaluator is the reference: what the index answers is compared with it.
//! - Everything is a pure function of its arguments; the day and the zone are arguments too.
//!
//! Must not know: storage, indexes, the people of the directory, the wall clock.

pub mod analysis;
pub mod ast;
mod dates;
mod directory;
mod evaluate;
mod facts;
mod fields;
mod lexer;
mod matcher;
mod parser;
mod print;
mod problem;
mod read_as;
mod record;
mod resolve;
mod resolved;
mod token;

pub use directory::{
    ConversationMatch, Directory, NamePattern, NoDirectory, ObjectMatch, PersonMatch,
};
pub use evaluate::{Evaluator, HitSpan, Neighbours, NoNeighbours, Spans, TextPlace, evaluate};
pub use facts::{Facts, NoFacts};
pub use fields::{Class, Field, ValueKind};
pub use matcher::{Glob, PatternKind, REGEX_BYTES_MAX, TermForm, TermPattern, matches_term};
pub use parser::{LEAVES_MAX, NESTING_MAX, ParseContext, Parsed, Purpose, QUERY_CHARS_MAX, parse};
pub use print::print;
pub use problem::{Code, Problem, Severity, Span, Suggestion, render_carets};
pub use read_as::{ENGLISH, Phrases, read_as};
pub use record::{AttachmentFact, Record};
pub use resolve::{ResolveContext, resolve};
pub use resolved::{
    AmountRange, FactTest, FactValues, GroupScope, MessageProximity, NameReading, Near, Node,
    Predicate, Reach, Resolved, Slot, SpanQuery, TEXT_REGEX_CANDIDATES_MAX, TextLeaf, TextRegex,
    TimeRange,
};
