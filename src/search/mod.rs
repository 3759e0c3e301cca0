//! Floor 5: a query within a scope -> hits in context, exact counts, facets.
//!
//! Purpose: join what the index finds with what the record says, and show it: snippets cut where
//! the evaluator matched, the messages around a hit, who and when, how complete the answer is.
//!
//! Invariants:
//! - Every total is exact or the search fails: what the index cannot decide is opened and judged by
//!   the evaluator of `query`, within a budget that names the clause it was spent on.
//! - The scope is part of the index query and is checked again on every row that is opened. Names,
//!   totals, facets, errors and suggestions tell nothing of what lies outside.
//! - Highlights are the evaluator's own ranges.
//! - `scan` reads the record alone; it is what every other way is compared with.
//!
//! Must not know: the engine of the index, SQL, who asks (a scope is handed in), the clock.

mod budget;
mod clause;
mod cursor;
mod each;
mod error;
mod execute;
mod facet;
mod hit;
mod judge;
mod marks;
mod names;
mod notes;
mod order;
mod scan;
mod snippet;

pub use budget::{BUDGET_DEFAULT, Budget};
pub use clause::{CLAUSES_MAX, ClauseCount, SPELLINGS_MAX};
pub use cursor::{Cursor, Snapshot};
pub use error::{Result, SearchError};
pub use execute::{Answer, CONTEXT_LINES_MAX, Cost, OPENED_MAX, PAGE_HITS_MAX, Page, Search};
pub use facet::{Facet, FacetField, FacetValue, Step};
pub use hit::{Hit, Line, LocalTime, Piece, Place, Sender};
pub use marks::Marks;
pub use names::{NameIndex, ScopedNames};
pub use order::{Order, SortKey};
pub use scan::Scanned;
pub use snippet::{SNIPPET_CHARACTERS_MAX, SNIPPETS_MAX, Snippet};
