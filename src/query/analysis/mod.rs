//! The one text analyser: index, evaluator, highlighter and query words all read text through it.
//!
//! Purpose: turn a text into terms (folded form, exact form, word position, byte range), turn a
//! word of a query into the terms it must find, and compute the typed facts of a text.
//!
//! Invariants:
//! - Byte ranges slice the original text on character boundaries, whatever the input.
//! - Positions never decrease along [`Analysis::terms`]; the parts of a compound follow its wholes.
//! - Analysing is a pure function of the text, total and linear in its length.
//! - There are no stop words and there is no stemming; both forms of a term are never empty and
//!   never over [`TERM_BYTES_MAX`] bytes.
//!
//! Must not know: the grammar of queries, fields, records, the index.

mod amounts;
mod compound;
mod dates;
mod distance;
mod emit;
mod emoji;
mod facts;
#[cfg(test)]
mod fixtures;
mod fold;
mod iban;
mod link;
mod number;
mod phone;
mod queryword;
mod scan;
mod scripts;
mod stem;
mod term;
mod unspaced;

pub use amounts::Amount;
pub use distance::osa_distance_at_most;
pub use facts::{TextFacts, facts_of};
pub use fold::{exact, fold};
pub use queryword::{Form, Place, QueryTerms, analyse_query_word};
pub use scan::analyse;
pub use stem::{stem, stem_languages};
pub use term::{Analysis, TERM_BYTES_MAX, Term, TermKind, Terms};
