//! The judge at the door of destruction: today's verdict on every item, inside the transaction that
//! decides. What was approved and is no longer as it was then drops out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::book::Book;
use super::facts::Present;
use super::matcher::{Matcher, Subject};
use super::request::{ItemOutcome, REQUEST, item_outcome};
use super::verdict::verdict;
use crate::archive::{Archive, Grounds, Judge, JudgeError, Judged, Judgement, KeepReason};
use crate::domain::{Blocker, MessageNo, Now, PolicyId, PolicyNo, PolicyRef};
use crate::query::Directory;
use crate::store::{DispositionItemRow, Rows, StoreError};

/// Codes of [`KeepReason`] that this room gives, with what their object is.
pub mod keep {
    use crate::archive::KeepReason;

    /// A hold protects it; the object is the hold.
    pub const HELD: u16 = KeepReason::CODES_OF_ARCHIVE;
    /// No policy lets it go any more.
    pub const NOTHING_DELETES: u16 = HELD + 1;
    /// A compliance lock keeps it; the object is until when, in seconds since 1970.
    pub const LOCKED: u16 = HELD + 2;
    /// A policy keeps it; the object is until when, in seconds since 1970.
    pub const RETAINED: u16 = HELD + 3;
    /// It is not due; the object is when, in seconds since 1970.
    pub const NOT_DUE: u16 = HELD + 4;
    /// Another policy, or another version, would let it go than the one approved; the object is
    /// that policy.
    pub const OTHER_POLICY: u16 = HELD + 5;
    /// It was not on the approved list.
    pub const NOT_LISTED: u16 = HELD + 6;
    /// The clocks do not agree that it is due.
    pub const CLOCK: u16 = HELD + 7;
    /// Purging is frozen; the object is the number of the reason.
    pub const FROZEN: u16 = HELD + 8;

    /// The request for erasure it was listed for was decided otherwise.
    pub const CALLED_BACK: u16 = HELD + 9;

    /// The name of a code in reports.
    pub const fn name(code: u16) -> &'static str {
        match code {
            HELD => "held",
            NOTHING_DELETES => "nothing_deletes",
            LOCKED => "locked",
            RETAINED => "retained",
            NOT_DUE => "not_due",
            OTHER_POLICY => "other_policy",
            NOT_LISTED => "not_listed",
            CLOCK => "clock",
            FROZEN => "frozen",
            CALLED_BACK => "called_back",
            1 => "gone",
            2 => "changed",
            3 => "closed",
            _ => "other",
        }
    }
}

/// What was read when the judge began.
struct State {
    book: Book,
    present: Present,
    /// Messages that requests name and none of them wants gone any more.
    called_back: BTreeSet<MessageNo>,
}

/// Judges the items of one approved list.
pub struct Recheck<'a> {
    archive: &'a Archive,
    names: &'a dyn Directory,
    trusted: bool,
    doubt: Option<&'a dyn Fn() -> bool>,
    items: BTreeMap<MessageNo, PolicyRef>,
    state: RefCell<Option<State>>,
    grounds: RefCell<Grounds>,
}

impl<'a> Recheck<'a> {
    /// A judge for the items of a list. `names` must know everybody; `trusted` says whether the
    /// clock can be trusted now (its quality is no gap).
    pub fn new(
        archive: &'a Archive,
        names: &'a dyn Directory,
        trusted: bool,
        items: &[DispositionItemRow],
    ) -> Recheck<'a> {
        Recheck {
            archive,
            names,
            trusted,
            doubt: None,
            items: items
                .iter()
                .map(|item| (item.message, item.policy))
                .collect(),
            state: RefCell::new(None),
            grounds: RefCell::new(Grounds::default()),
        }
    }

    /// Asks, whenever a decision begins, whether the clock has fallen into doubt since.
    #[must_use]
    pub fn doubting(self, doubt: &'a dyn Fn() -> bool) -> Recheck<'a> {
        Recheck {
            doubt: Some(doubt),
            ..self
        }
    }
}

impl Judge for Recheck<'_> {
    fn begin(&self, rows: &Rows, _hold_epoch: u64, now: Now) -> Result<(), JudgeError> {
        // Everything is read afresh, so that an equal hold epoch would save time and nothing else.
        let failed = |error: &dyn std::fmt::Display| JudgeError::Failed(error.to_string());
        let frozen = rows.standing_freeze().map_err(|error| failed(&error))?;
        if let Some(freeze) = frozen {
            return Err(JudgeError::Refused(format!(
                "purging is frozen ({}, freeze {}): two people can lift it",
                freeze.reason.name(),
                freeze.no
            )));
        }
        if !self.trusted || self.doubt.is_some_and(|doubt| doubt()) {
            return Err(JudgeError::Refused(
                "the clock is in doubt: give evidence of the time, or let two people advance it"
                    .to_owned(),
            ));
        }
        let book = Book::load(self.archive, rows, self.names).map_err(|error| failed(&error))?;
        let present = Present {
            now,
            trusted: self.trusted,
            frozen: None,
        };
        let grounds = grounds_of(rows, now, self.items.values());
        *self.grounds.borrow_mut() = grounds.map_err(|error| failed(&error))?;
        let called_back = rows.called_back().map_err(|error| failed(&error))?;
        *self.state.borrow_mut() = Some(State {
            book,
            present,
            called_back,
        });
        Ok(())
    }

    fn judge(&self, message: &Judged<'_>) -> Result<Judgement, JudgeError> {
        let failed = |error: &dyn std::fmt::Display| JudgeError::Failed(error.to_string());
        let state = self.state.borrow();
        let Some(State {
            book,
            present,
            called_back,
        }) = state.as_ref()
        else {
            return Err(JudgeError::Failed("the judge was not begun".to_owned()));
        };
        let mut labels = Vec::new();
        let facts = book
            .facts(message.row, present.now.compliance, &mut labels)
            .map_err(|error| failed(&error))?;
        // Other messages are read as they stood when the transaction began: nobody else writes.
        let mut matcher = Matcher::new(book, self.archive);
        let subject = Subject::with_record(message.row, message.record);
        let mut matches = |scope| matcher.matches(scope, &subject);
        let verdict = verdict(book.rules(), &facts, present, &mut matches);
        matcher.check().map_err(|error| failed(&error))?;
        let keep = |code, object| Ok(Judgement::Keep(KeepReason { code, object }));
        if self.items.get(&message.row.no) == Some(&REQUEST) {
            if called_back.contains(&message.row.no) {
                return keep(keep::CALLED_BACK, 0);
            }
            return match (item_outcome(&verdict, present), verdict.held_by) {
                (ItemOutcome::Erase, _) => Ok(Judgement::Erase),
                (_, Some(hold)) => keep(keep::HELD, u64::from(hold.0)),
                _ => Ok(Judgement::Keep(reason_of(Blocker::Retained(
                    verdict.retain_until,
                )))),
            };
        }
        if let Some(blocker) = verdict.blocker {
            return Ok(Judgement::Keep(reason_of(blocker)));
        }
        match (self.items.get(&message.row.no), verdict.winner) {
            (None, _) => keep(keep::NOT_LISTED, 0),
            (Some(approved), Some(winner)) if *approved == winner => Ok(Judgement::Erase),
            (Some(_), winner) => keep(
                keep::OTHER_POLICY,
                winner.map_or(0, |policy| u64::from(policy.no.0)),
            ),
        }
    }

    fn grounds(&self) -> Grounds {
        self.grounds.borrow().clone()
    }
}

/// What a decision of this moment is judged by, as the log names it: every hold that protects now,
/// and the versions that let these items go.
///
/// # Errors
/// When the rows cannot be read.
pub fn grounds_of<'p>(
    rows: &Rows,
    now: Now,
    policies: impl IntoIterator<Item = &'p PolicyRef>,
) -> Result<Grounds, StoreError> {
    let mut holds: Vec<String> = rows
        .holds()?
        .iter()
        .filter(|row| row.hold.protects_at(now.compliance))
        .map(|row| row.id.to_string())
        .collect();
    holds.sort_unstable();
    let ids: BTreeMap<PolicyNo, PolicyId> = rows.policies()?.into_iter().collect();
    let named: BTreeSet<PolicyRef> = policies.into_iter().copied().collect();
    let mut policies: Vec<String> = named
        .iter()
        .filter_map(|policy| Some(format!("{}:{}", ids.get(&policy.no)?, policy.version)))
        .collect();
    policies.sort_unstable();
    Ok(Grounds { holds, policies })
}

/// The reason that a blocker gives the archive.
pub fn reason_of(blocker: Blocker) -> KeepReason {
    let seconds = |at: crate::domain::Timestamp| u64::try_from(at.seconds()).unwrap_or(0);
    let (code, object) = match blocker {
        Blocker::Held(hold) => (keep::HELD, u64::from(hold.0)),
        Blocker::NothingDeletes => (keep::NOTHING_DELETES, 0),
        Blocker::Locked(until) => (keep::LOCKED, seconds(until)),
        Blocker::Retained(until) => (keep::RETAINED, seconds(until)),
        Blocker::NotDue(due) => (keep::NOT_DUE, seconds(due)),
        Blocker::ClockBehind(_) | Blocker::ClockDoubt => (keep::CLOCK, 0),
        Blocker::Frozen(reason) => (keep::FROZEN, reason as u64),
    };
    KeepReason { code, object }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FreezeReason, HoldNo, Timestamp};

    /// Codes are recorded with items and stand in certificates: a number never changes its meaning.
    #[test]
    fn codes_keep_their_numbers_and_names() {
        let named = (0..28).map(keep::name).collect::<Vec<_>>();
        let own = [
            "held",
            "nothing_deletes",
            "locked",
            "retained",
            "not_due",
            "other_policy",
            "not_listed",
            "clock",
            "frozen",
            "called_back",
        ];
        assert_eq!(named[..4], ["other", "gone", "changed", "closed"]);
        assert!(named[4..16].iter().all(|name| *name == "other"));
        assert_eq!(named[16..26], own);
        assert_eq!(named[26..], ["other", "other"]);
    }

    #[test]
    fn a_blocker_becomes_its_code_and_what_it_names() {
        let until = Timestamp::from_seconds(90);
        let freeze = FreezeReason::IndexLag;
        for (blocker, name, object) in [
            (Blocker::Held(HoldNo(4)), "held", 4),
            (Blocker::NothingDeletes, "nothing_deletes", 0),
            (Blocker::Locked(until), "locked", 90),
            (Blocker::Retained(until), "retained", 90),
            (Blocker::NotDue(until), "not_due", 90),
            (Blocker::ClockBehind(until), "clock", 0),
            (Blocker::ClockDoubt, "clock", 0),
            (Blocker::Frozen(freeze), "frozen", freeze as u64),
        ] {
            let reason = reason_of(blocker);
            assert_eq!((keep::name(reason.code), reason.object), (name, object));
        }
    }
}
