//! Room `query`: what was asked?
//!
//! Purpose: text analysis, lexer, parser, AST, canonical print and *Read as*, and the exact
//! evaluation of a query against one record.
//!
//! Must not know: storage, indexes, people of the directory, the wall clock.

pub mod analysis;
