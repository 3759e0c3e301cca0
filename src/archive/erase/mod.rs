//! The only door of destruction: an approved plan goes in, facts for a certificate come out.
//!
//! Purpose: destroys messages in every copy of the record by destroying the keys of their buckets,
//! and keeps everything else readable.
//!
//! Invariants:
//! - Only an [`Approved`] plan is taken. Inside the transaction that decides, a [`Judge`] is asked
//!   once more about every item; whatever is doubtful stays.
//! - Before the decision everything is live and readable, after it the purge only rolls forward;
//!   every step can be repeated and is repeated on open.
//! - A key is destroyed only when no row names it any more. Survivors are read back under their
//!   new key first.
//! - Nothing of a message outlives it but a [`tombstone`]: keyed hashes, times, numbers.
//!
//! Must not know: policies, holds, what a certificate looks like.

mod again;
mod approved;
mod decide;
mod entries;
mod facts;
mod finish;
mod identity;
mod judge;
mod kept;
mod payloads;
mod plan;
mod reseal;
mod residue;
mod run;
mod slice;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use again::Disposed;
pub use approved::{APPROVALS_MAX, Approval, ApprovalRule, Approved, NotApproved};
pub use entries::{Prunable, PruneLimit};
pub use facts::{Erased, ErasedItem, Residue, identities_root};
pub use finish::Unfinished;
pub use judge::{Grounds, Judge, JudgeError, Judged, Judgement, KeepReason};
pub use kept::{KeptBackups, NoBackups, Survivors};
pub use payloads::Pruned;
pub use plan::{PLAN_ITEMS_MAX, Plan, PlanError, PlanItem};
pub use run::{EraseContext, SLICE_ITEMS};
