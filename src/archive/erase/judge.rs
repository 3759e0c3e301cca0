//! Who is asked about every item inside the transaction that decides. The trait stands here, the
//! room `retention` implements it.

use crate::domain::{Now, Timestamp};
use crate::query::Record;
use crate::store::{ConversationRow, MessageRow, Rows};

/// Why a message stays. Codes below [`KeepReason::CODES_OF_ARCHIVE`] are the archive's own, the
/// meaning of all others belongs to the judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeepReason {
    /// What sort of reason.
    pub code: u16,
    /// The number of what stands in the way: a hold, a policy; 0 where there is none.
    pub object: u64,
}

impl KeepReason {
    /// Codes below this one are the archive's own.
    pub const CODES_OF_ARCHIVE: u16 = 16;
    /// There is no such message (any more); the object is the elder batch that erased it, or 0.
    pub const GONE: KeepReason = KeepReason { code: 1, object: 0 };
    /// It gained a version since the plan was made.
    pub const CHANGED: KeepReason = KeepReason { code: 2, object: 0 };
    /// The batch was closed before the message had its turn.
    pub const CLOSED: KeepReason = KeepReason { code: 3, object: 0 };
}

/// What a judge says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// Nothing stands in the way now.
    Erase,
    /// It stays.
    Keep(KeepReason),
}

/// The judge cannot or will not judge: the whole slice stays, nothing is destroyed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// Purging is frozen, the clock is in doubt, an approval was recalled: who can lift it is told.
    #[error("{0}")]
    Refused(String),
    /// Something the judge needs could not be read.
    #[error("{0}")]
    Failed(String),
}

/// A message in front of its judge, freshly opened inside the deciding transaction.
pub struct Judged<'a> {
    /// The message as the evaluator of queries sees it, all versions.
    pub record: &'a Record<'a>,
    /// Its row.
    pub row: &'a MessageRow,
    /// Its conversation: app, account, first and last message.
    pub conversation: &'a ConversationRow,
    /// When the import that brought it first began, in compliance time.
    pub ingested: Timestamp,
    /// Everything else of the record, as the deciding transaction sees it.
    pub rows: &'a Rows,
    /// The present.
    pub now: Now,
}

/// What a judge judges by, as the audit log names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// Ids of every hold that protects now, ascending.
    pub holds: Vec<String>,
    /// Versions of the policies that let the items go, as `policy:version`, ascending.
    pub policies: Vec<String>,
}

/// Today's verdict on every item of a plan.
pub trait Judge {
    /// Called once at the start of every deciding transaction, before the first item: load holds,
    /// policies, freezes from `rows`, check approvals and clock. No hold can be placed between this
    /// call and the commit. `hold_epoch` is the plan's.
    ///
    /// # Errors
    /// When nothing may be destroyed now.
    fn begin(&self, rows: &Rows, hold_epoch: u64, now: Now) -> Result<(), JudgeError>;

    /// Whether the message may be destroyed now.
    ///
    /// # Errors
    /// When that cannot be said: the whole slice stays.
    fn judge(&self, message: &Judged<'_>) -> Result<Judgement, JudgeError>;

    /// What was judged by since the last [`Judge::begin`]: it stands in the entry of the decision.
    /// A judge that asks no hold and no policy names none.
    fn grounds(&self) -> Grounds {
        Grounds::default()
    }
}
