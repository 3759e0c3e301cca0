//! Floor 5: what must go, what must stay, why?
//!
//! Purpose: the verdict on a record from policies, labels, events, holds and the clock; the
//! compliance clock itself; simulations; the frozen lists that people approve; whether an edit
//! weakens what was promised.
//!
//! Invariants:
//! - A verdict is a pure function of rules, facts and the present; it allocates nothing, and gives
//!   every reason when asked.
//! - Scopes are evaluated exactly by `query` over the record, never through the search index.
//! - More protection never lets more go: a hold, a keeping policy or a longer period never enlarges
//!   what is eligible. Without a policy everything is kept.
//! - What a compliance lock promised for a record never becomes earlier.
//! - Compliance time may be slow, never fast.
//!
//! Must not know: how anything is destroyed, who may ask, what the clock on the wall says.

mod book;
mod calendar;
mod certificate;
pub mod clock;
mod enable;
mod error;
mod facts;
mod matcher;
mod membership;
mod plan;
mod recheck;
mod request;
mod rules;
mod scope;
mod simulate;
mod survey;
mod verdict;
mod weaken;
mod words;

pub use book::Book;
pub use calendar::due;
pub use certificate::{
    Approver, Authority, BatchFacts, CERTIFICATE_SCHEMA, Certificate, ClockFacts, Exception, Item,
    LogFacts, Method, Verification,
};
pub use enable::{check_version, locks_to_record, may_enable, scope_change};
pub use error::{Result, RetentionError};
pub use facts::{Facts, Present};
pub use matcher::{Matcher, Subject};
pub use membership::{Answer, Proved};
pub use plan::{
    DAY_PERCENT_MAX, DayShare, Draft, RECALL_MICROS, approved, approved_under, barred, may_approve,
    remaining, within_day_share,
};
pub use recheck::{Recheck, grounds_of, keep, reason_of};
pub use request::{
    ANSWER_DAYS, Ground, ItemOutcome, REQUEST, REVIEW_DAYS, item_outcome, item_outcomes,
};
pub use rules::{FLOOR_DAYS, FUTURE_MICROS, Known, Rules, ScopeRef, Term};
pub use scope::{Needs, Scope, ScopeContext};
pub use simulate::{
    Blocked, Counted, RECORDS_PER_WORD, SAMPLES_MAX, Simulation, simulate, simulate_watched,
};
pub use survey::{Looked, survey, why};
pub use verdict::{explain, verdict};
pub use weaken::{
    Edit, Lifter, ScopeChange, WEAKENING_DAYS, Weakening, edit, lifter, lifter_of_hold, weakenings,
};
pub use words::{EventWords, HoldWords, LabelWords, MatterWords, PolicyWords};
