//! Tokens to tree. The parser reports every error, not the first, and never fails: what it cannot
//! read is left out of the tree, and a tree with errors is not handed on.
//!
//! Must not know: which names exist, what the index holds.

mod fields;
mod group;
mod operands;
mod parsed;
mod reader;
mod repair;
mod values;
mod words;

pub use parsed::{LEAVES_MAX, NESTING_MAX, ParseContext, Parsed, Purpose, QUERY_CHARS_MAX, parse};
use reader::{Inside, Operand, Parser};
pub(crate) use values::{SIZE_UNITS, weekday_name};
pub(crate) use words::compile_text_regex;
