//! Requests for erasure of a person's data (GDPR art. 17), item by item: what may go, what is only
//! restricted (art. 18) for now, on which ground, and when to look again.

use super::facts::Present;
use crate::domain::{HoldNo, PolicyNo, PolicyRef, Timestamp, Verdict};

/// Stands where a policy would stand on lists that follow a request instead.
pub const REQUEST: PolicyRef = PolicyRef {
    no: PolicyNo(0),
    version: 0,
};
/// Days after which a restriction without an end of its own is looked at again.
pub const REVIEW_DAYS: i64 = 180;
/// Days within which a request is answered: the shortest month (art. 12(3) says one month).
pub const ANSWER_DAYS: i64 = 28;

/// Why something may not be erased although a person asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Art. 17(3)(b): a legal obligation to keep it.
    LegalObligation,
    /// Art. 17(3)(e): legal claims; this hold.
    LegalClaims(HoldNo),
}

impl Ground {
    /// The article, as letters quote it.
    pub const fn article(self) -> &'static str {
        match self {
            Ground::LegalObligation => "17(3)(b)",
            Ground::LegalClaims(_) => "17(3)(e)",
        }
    }
}

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
            ground: Ground::LegalClaims(hold),
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
