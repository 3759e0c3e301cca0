//! Events that start periods: somebody left, a contract ended, a case was closed.

use super::{EventNo, Timestamp, UserNo};

/// Type and key of an event, such as `employee_left(emp42)`, as a keyed hash: rules compare it,
/// the words are sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventKey(pub [u8; 16]);

/// Something that happened. Rows of events are never edited: a mistake is corrected by the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Event {
    /// Its number.
    pub no: EventNo,
    /// What happened to whom.
    pub key: EventKey,
    /// When it happened.
    pub at: Timestamp,
    /// When it was written down (compliance time): it counts from then on.
    pub recorded: Timestamp,
    /// Who wrote it down.
    pub by: UserNo,
    /// The event it corrects, which then no longer counts where no lock stands on it.
    pub corrects: Option<EventNo>,
}
