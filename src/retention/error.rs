//! What can go wrong when rules are read or asked; variants are named by what the caller can do.

use crate::archive::ArchiveError;
use crate::query::Problem;
use crate::store::StoreError;

/// Errors of the room `retention`.
#[derive(Debug, thiserror::Error)]
pub enum RetentionError {
    /// The archive refused.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A scope is no query, is ambiguous, or asks what nothing can answer: show the problems with
    /// `query::render_carets` and let it be written anew.
    #[error("the scope is not accepted: {}", first_of(.problems))]
    ScopeRefused {
        /// The scope as typed.
        text: String,
        /// What is wrong with it.
        problems: Vec<Problem>,
    },
    /// A scope asks a field whose answers are not recorded: name conversations, people or words.
    #[error("{0}: cannot be asked in a scope yet: nothing records its answers")]
    ScopeUnanswerable(String),
    /// A stored scope no longer reads as it did when it was accepted. Nothing may be destroyed.
    #[error("the stored scope of {what} no longer reads: {reason}; nothing is destroyed meanwhile")]
    ScopeBroken {
        /// The hold or policy.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// A stored text is not what it should be.
    #[error("integrity failure: the words of {0} are not well-formed")]
    Malformed(&'static str),
    /// There is no such thing.
    #[error("{0} does not exist")]
    NotFound(String),
    /// The list is not approved.
    #[error(transparent)]
    NotApproved(#[from] crate::archive::NotApproved),
    /// Whoever waited asked to stop. Nothing was changed.
    #[error("it was stopped; nothing was changed")]
    Stopped,
    /// The frozen list was made under another state, or is in another one.
    #[error("{0}")]
    Refused(String),
}

impl From<StoreError> for RetentionError {
    fn from(error: StoreError) -> Self {
        RetentionError::Archive(ArchiveError::Store(error))
    }
}

fn first_of(problems: &[Problem]) -> &str {
    problems
        .first()
        .map_or("it says nothing", |problem| problem.message.as_str())
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, RetentionError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_scope_says_its_first_problem() {
        let refused = RetentionError::ScopeRefused {
            text: String::new(),
            problems: Vec::new(),
        };
        let said = "the scope is not accepted: it says nothing";
        assert_eq!(refused.to_string(), said);
        let missing = RetentionError::from(StoreError::NotFound("a chat".to_owned()));
        assert!(matches!(missing, RetentionError::Archive(_)));
    }
}
