//! What the rules say about one record, and why.

use super::{
    Disposition, EventKey, FreezeReason, HoldNo, LabelNo, MatterNo, PolicyRef, Timestamp, Trigger,
};

/// What stands between a record and its destruction. The first of them in this order is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Blocker {
    /// A hold protects it.
    Held(HoldNo),
    /// No policy lets it go.
    NothingDeletes,
    /// A compliance lock keeps it until an instant; nobody can lift it.
    Locked(Timestamp),
    /// A policy keeps it until an instant (`NEVER`: without end, or an event is awaited).
    Retained(Timestamp),
    /// Its period, or the thirty days after it was taken in, runs until an instant.
    NotDue(Timestamp),
    /// It is due by one clock and not by the other.
    ClockBehind(Timestamp),
    /// The clock cannot be trusted.
    ClockDoubt,
    /// Purging is frozen.
    Frozen(FreezeReason),
}

/// The verdict on one record at one instant. Approvals come later: see `retention::plan`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The first hold (by number) that protects it.
    pub held_by: Option<HoldNo>,
    /// R: kept at least until here; `ALWAYS` when nothing keeps it.
    pub retain_until: Timestamp,
    /// The part of R that never becomes earlier: what compliance locks ever promised.
    pub locked_until: Timestamp,
    /// D: may go from here on; `NEVER` when nothing lets it go.
    pub delete_from: Timestamp,
    /// F: thirty days after it was taken in.
    pub floor: Timestamp,
    /// The latest of R, D and F: the due date.
    pub due: Timestamp,
    /// The policy whose D counts.
    pub winner: Option<PolicyRef>,
    /// When the period of that policy began; `NEVER` when nothing lets it go.
    pub t0: Timestamp,
    /// Who looks at it before it goes: that of the winner.
    pub disposition: Disposition,
    /// Whether it may go now, approvals apart.
    pub eligible: bool,
    /// What stands in the way; `None` exactly when it is eligible.
    pub blocker: Option<Blocker>,
}

/// One line of the answer to "why is this still here?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A policy keeps it.
    Retains {
        /// The version in force.
        policy: PolicyRef,
        /// What started its period.
        trigger: Trigger,
        /// When that was; `None` when it is not known yet.
        t0: Option<Timestamp>,
        /// Until when; `NEVER` without end.
        until: Timestamp,
    },
    /// A version with a compliance lock once applied to it, and still keeps it.
    Locks {
        /// The version, in force or not.
        policy: PolicyRef,
        /// When its period began.
        t0: Timestamp,
        /// Until when.
        until: Timestamp,
    },
    /// A lock recorded with the record itself keeps it.
    LockRecorded {
        /// Until when.
        until: Timestamp,
    },
    /// A reviewer extended it.
    Extended {
        /// Until when.
        until: Timestamp,
    },
    /// A policy lets it go.
    Deletes {
        /// The version in force.
        policy: PolicyRef,
        /// What started its period.
        trigger: Trigger,
        /// When that was; `None` when it is not known yet.
        t0: Option<Timestamp>,
        /// From when on; `NEVER` without end.
        from: Timestamp,
        /// Whether it decides: nearest level, then shortest.
        wins: bool,
    },
    /// The claimed time of sending was not taken as the beginning of a period.
    ClaimedTimeNotTaken {
        /// The policy that would have taken it.
        policy: PolicyRef,
        /// The time taken instead: when it came in.
        instead: Timestamp,
        /// Whether it lies in the future; else the source is not trusted under a lock.
        future: bool,
    },
    /// An event is awaited.
    EventUnknown {
        /// The policy that waits.
        policy: PolicyRef,
        /// What it waits for.
        key: EventKey,
    },
    /// It carries a label.
    Labelled {
        /// Which.
        label: LabelNo,
        /// Since when.
        from: Timestamp,
        /// Put on the message itself, not on its conversation.
        own: bool,
    },
    /// A hold protects it.
    Held {
        /// The hold.
        hold: HoldNo,
        /// Its matter.
        matter: MatterNo,
        /// First instant at which it no longer does; `NEVER` while it is not released.
        until: Timestamp,
    },
    /// Thirty days after it was taken in.
    Floor {
        /// Until when.
        until: Timestamp,
    },
    /// The clock and the due date.
    Clock {
        /// Compliance time.
        compliance: Timestamp,
        /// The wall clock.
        wall: Timestamp,
        /// The due date.
        due: Timestamp,
        /// Whether the clock can be trusted.
        trusted: bool,
    },
    /// Purging is frozen.
    Frozen {
        /// Why.
        reason: FreezeReason,
    },
    /// What stands in the way, or that it is eligible.
    Outcome {
        /// `None` = eligible.
        blocker: Option<Blocker>,
    },
}
