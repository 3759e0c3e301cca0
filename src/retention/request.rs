//! Requests for erasure of a person's data (GDPR art. 17), item by item: what may go, what is only
//! restricted (art. 18) for now, on which ground, and when to look again.

use super::book::Book;
use super::error::Result;
use super::facts::Present;
use super::matcher::{Matcher, Subject};
use super::verdict::verdict;
use crate::archive::Archive;
pub use crate::domain::Ground;
use crate::domain::{MessageNo, PolicyNo, PolicyRef, Timestamp, Verdict};

/// Stands where a policy would stand on lists that follow a request instead.
pub const REQUEST: PolicyRef = PolicyRef {
    no: PolicyNo(0),
    version: 0,
};
/// Days after which a restriction without an end of its own is looked at again.
pub const REVIEW_DAYS: i64 = 180;
/// Days within which a request is answered: the shortest month (art. 12(3) says one month).
pub const ANSWER_DAYS: i64 = 28;

/// Messages looked at over one stable picture.
const MESSAGES_PER_PICTURE: usize = 4_096;

/// What becomes of one item of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Nothing stands in the way: it may be handed to the door.
    Erase,
    /// It stays, hidden from ordinary search, and comes up again by itself.
    Restrict {
        /// On which ground.
        ground: Ground,
        /// When to look again: the end of the duty, where it has one.
        review: Timestamp,
    },
    /// Destruction stands still (clock, freeze): ask again when it goes on.
    Wait,
}

/// What becomes of an item whose erasure a person asks for. No policy has to let it go, and the
/// days after it was taken in do not count; holds and duties to keep do.
pub fn item_outcome(verdict: &Verdict, present: &Present) -> ItemOutcome {
    let now = present.now.compliance;
    let again = now.plus_days(REVIEW_DAYS);
    if let Some(hold) = verdict.held_by {
        return ItemOutcome::Restrict {
            ground: Ground::LegalClaims(Some(hold)),
            review: again,
        };
    }
    let earliest = now.min(present.now.wall);
    if earliest < verdict.retain_until {
        let endless = verdict.retain_until == Timestamp::NEVER;
        return ItemOutcome::Restrict {
            ground: Ground::LegalObligation,
            review: if endless { again } else { verdict.retain_until },
        };
    }
    match present.trusted && present.frozen.is_none() {
        true => ItemOutcome::Erase,
        false => ItemOutcome::Wait,
    }
}

/// What becomes of each of these messages now; `None` where the message is gone.
///
/// # Errors
/// When a message cannot be read or a scope cannot be answered.
pub fn item_outcomes(
    archive: &Archive,
    book: &Book,
    present: &Present,
    messages: &[MessageNo],
) -> Result<Vec<Option<ItemOutcome>>> {
    let mut labels = Vec::new();
    let mut outcomes = Vec::with_capacity(messages.len());
    for some in messages.chunks(MESSAGES_PER_PICTURE) {
        // A picture that stands long would keep the log from shrinking.
        let mut matcher = Matcher::new(book, archive);
        for no in some {
            let Some(row) = matcher.message(*no)? else {
                outcomes.push(None);
                continue;
            };
            let facts = book.facts(&row, present.now.compliance, &mut labels)?;
            let subject = Subject::of(&row);
            let mut matches = |scope| matcher.matches(scope, &subject);
            let found = verdict(book.rules(), &facts, present, &mut matches);
            matcher.check()?;
            outcomes.push(Some(item_outcome(&found, present)));
        }
    }
    Ok(outcomes)
}
