//! What can go wrong in a search; variants are named by what the caller can do about it.

use std::time::Duration;

use crate::archive::ArchiveError;

/// Errors of the room `search`.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The record could not be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The index refused; the text names the part or the clause.
    #[error("search index: {0}")]
    Index(crate::index::Error),
    /// The time allowed is over. Nothing was counted: a part is never shown as the whole.
    #[error(
        "query-budget: \"{clause}\" needs more than {} s; add a word, a person or a date that \
         narrows it, or ask for more time",
        .allowed.as_secs()
    )]
    Budget {
        /// The clause that costs most, in canonical form.
        clause: String,
        /// The time that was allowed.
        allowed: Duration,
    },
    /// A regular expression over stored text with too many messages left to open (Q021).
    #[error(
        "Q021: \"{clause}\" would open {candidates} messages, at most {most} are opened; add a \
         word, a person or a date that narrows it"
    )]
    NotSelective {
        /// The clause, in canonical form.
        clause: String,
        /// Messages it would have to open.
        candidates: u64,
        /// How many are opened at most.
        most: u64,
    },
    /// The cursor was altered, cut, or belongs to another query, order or scope.
    #[error("this page mark does not belong to this search; start again from the first page")]
    ForeignCursor,
    /// A part of the index is closed, so that no total would be true.
    #[error(
        "part {part} of the search index is closed ({reason}); rebuild it with `index rebuild`"
    )]
    ClosedPart {
        /// The part.
        part: String,
        /// Why it did not open.
        reason: String,
    },
}

impl SearchError {
    /// Whether the query asks too much, rather than something being wrong.
    pub const fn is_about_cost(&self) -> bool {
        matches!(
            self,
            SearchError::Budget { .. }
                | SearchError::NotSelective { .. }
                | SearchError::Index(crate::index::Error::TooManyExpansions { .. })
        )
    }
}

impl From<crate::store::StoreError> for SearchError {
    fn from(error: crate::store::StoreError) -> Self {
        SearchError::Archive(error.into())
    }
}

impl From<crate::index::Error> for SearchError {
    fn from(error: crate::index::Error) -> Self {
        SearchError::Index(error)
    }
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, SearchError>;
