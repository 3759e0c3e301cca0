//! What a change would do: every record under the rules in force and under the rules to be tried,
//! counted and sampled.

use std::collections::BTreeMap;

use super::book::Book;
use super::error::{Result, RetentionError};
use super::facts::Present;
use super::survey::survey;
use crate::archive::Archive;
use crate::domain::{
    App, Blocker, ConversationNo, HandleNo, MessageNo, PersonNo, PolicyRef, Timestamp, Verdict,
};
use crate::store::{MessageRow, Rows};

/// Most messages shown as a sample.
pub const SAMPLES_MAX: usize = 25;
/// Records looked at between two words to whoever waits.
pub const RECORDS_PER_WORD: u64 = 4_096;

/// What is counted of one record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The message.
    pub no: MessageNo,
    /// Its effective time.
    pub sent: Timestamp,
    /// Its platform.
    pub app: App,
    /// Who wrote it; `None` for notices of the platform.
    pub custodian: Option<PersonNo>,
    /// The verdict of the rules in force.
    pub before: Verdict,
    /// The verdict of the rules that are tried.
    pub after: Verdict,
}

/// What stands in the way of how many records, by the first blocker of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Blocked {
    /// Protected by a hold.
    pub held: u64,
    /// Let go by no policy.
    pub nothing_deletes: u64,
    /// Kept by a compliance lock.
    pub locked: u64,
    /// Kept by a policy.
    pub retained: u64,
    /// Not due yet.
    pub not_due: u64,
    /// A clock in doubt or a freeze.
    pub stopped: u64,
}

/// What a simulation found.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Simulation {
    /// The instant looked at.
    pub as_of: Timestamp,
    /// Records looked at.
    pub records: u64,
    /// Records that would be due.
    pub eligible: u64,
    /// Records that are due under the rules in force.
    pub eligible_now: u64,
    /// Due only under the rules that are tried: what the change lets go.
    pub more: u64,
    /// Due only under the rules in force: what the change keeps.
    pub fewer: u64,
    /// Why the others stay.
    pub blocked: Blocked,
    /// Due records by the policy that lets them go.
    pub by_policy: BTreeMap<PolicyRef, u64>,
    /// Due records by platform.
    pub by_app: BTreeMap<App, u64>,
    /// Due records by who wrote them; notices of the platform are left out.
    pub by_custodian: BTreeMap<PersonNo, u64>,
    /// Due records by calendar year (UTC) of their time.
    pub by_year: BTreeMap<i32, u64>,
    /// Times of the oldest and the newest due record.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Records whose claimed time lies more than a day behind their admission: their period begins
    /// when they were taken in.
    pub future_dated: u64,
    /// Up to [`SAMPLES_MAX`] due messages, ascending: always the same ones of the same list.
    pub samples: Vec<MessageNo>,
    /// The weights by which samples are drawn.
    drawn: BTreeMap<u64, MessageNo>,
}

impl Simulation {
    /// An empty count as of an instant.
    pub fn new(as_of: Timestamp) -> Simulation {
        Simulation {
            as_of,
            ..Simulation::default()
        }
    }

    /// Counts a record.
    pub fn add(&mut self, record: &Counted) {
        self.records += 1;
        self.eligible_now += u64::from(record.before.eligible);
        self.more += u64::from(record.after.eligible && !record.before.eligible);
        self.fewer += u64::from(record.before.eligible && !record.after.eligible);
        let admitted = record.after.floor.plus_days(-super::FLOOR_DAYS);
        if record.sent > admitted.plus_days(1) {
            self.future_dated += 1;
        }
        match record.after.blocker {
            Some(blocker) => self.block(blocker),
            None => self.count_due(record),
        }
    }

    fn block(&mut self, blocker: Blocker) {
        let counter = match blocker {
            Blocker::Held(_) => &mut self.blocked.held,
            Blocker::NothingDeletes => &mut self.blocked.nothing_deletes,
            Blocker::Locked(_) => &mut self.blocked.locked,
            Blocker::Retained(_) => &mut self.blocked.retained,
            Blocker::NotDue(_) => &mut self.blocked.not_due,
            Blocker::ClockBehind(_) | Blocker::ClockDoubt | Blocker::Frozen(_) => {
                &mut self.blocked.stopped
            }
        };
        *counter += 1;
    }

    fn count_due(&mut self, record: &Counted) {
        self.eligible += 1;
        if let Some(policy) = record.after.winner {
            *self.by_policy.entry(policy).or_default() += 1;
        }
        *self.by_app.entry(record.app).or_default() += 1;
        if let Some(custodian) = record.custodian {
            *self.by_custodian.entry(custodian).or_default() += 1;
        }
        *self.by_year.entry(record.sent.civil_utc().0).or_default() += 1;
        let (oldest, newest) = self.span.unwrap_or((record.sent, record.sent));
        self.span = Some((oldest.min(record.sent), newest.max(record.sent)));
        self.draw(record.no);
    }

    /// Keeps the messages of the smallest weights: a fair draw that comes out the same each time.
    fn draw(&mut self, no: MessageNo) {
        self.drawn.insert(weight(no.0), no);
        if self.drawn.len() > SAMPLES_MAX {
            self.drawn.pop_last();
        }
    }

    /// Ends the count.
    #[must_use]
    pub fn finish(mut self) -> Simulation {
        self.samples = self.drawn.values().copied().collect();
        self.samples.sort_unstable();
        self.drawn.clear();
        self
    }
}

/// Mixes a number so that its order says nothing (the finaliser of SplitMix64: Steele, Lea, Flood,
/// "Fast splittable pseudorandom number generators", 2014). One to one, so weights never collide.
const fn weight(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// Counts every record of the archive as of an instant: under the rules in force and under those
/// that are tried (see [`Book::try_policy`]). Nothing is changed.
///
/// # Errors
/// When a record cannot be read or a scope cannot be answered.
pub fn simulate(
    archive: &Archive,
    rows: &Rows,
    in_force: &Book,
    tried: &Book,
    as_of: Timestamp,
) -> Result<Simulation> {
    simulate_watched(
        archive,
        rows,
        (in_force, tried),
        as_of,
        &|_| true,
        &mut |_| true,
    )
}

/// The same over the conversations that `inside` allows, for somebody who waits: told now and then how
/// many records were looked at, `go_on` says whether to go on. What is outside is not counted.
///
/// # Errors
/// As [`simulate`]; [`RetentionError::Stopped`] when it says no.
pub fn simulate_watched(
    archive: &Archive,
    rows: &Rows,
    (in_force, tried): (&Book, &Book),
    as_of: Timestamp,
    inside: &dyn Fn(ConversationNo) -> bool,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<Simulation> {
    let persons: BTreeMap<HandleNo, PersonNo> = rows
        .handles()?
        .into_iter()
        .map(|row| (row.no, row.person))
        .collect();
    let custodian = |row: &MessageRow| row.sender.and_then(|no| persons.get(&no).copied());
    let mut simulation = Simulation::new(as_of);
    let mut looked_at = 0u64;
    let present = Present::as_of(as_of);
    survey(archive, &[in_force, tried], &present, |looked| {
        if looked_at.is_multiple_of(RECORDS_PER_WORD) && !go_on(looked_at) {
            return Err(RetentionError::Stopped);
        }
        looked_at += 1;
        if let [before, after] = looked.verdicts
            && inside(looked.row.conversation)
        {
            simulation.add(&Counted {
                no: looked.row.no,
                sent: looked.row.sent,
                app: looked.conversation.app,
                custodian: custodian(looked.row),
                before: *before,
                after: *after,
            });
        }
        Ok(())
    })?;
    Ok(simulation.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Disposition, FreezeReason, HoldNo, PolicyNo};

    const POLICY: PolicyRef = PolicyRef {
        no: PolicyNo(3),
        version: 1,
    };

    /// A verdict on a record that was taken in at the start of 1970.
    fn verdict(blocker: Option<Blocker>) -> Verdict {
        Verdict {
            held_by: None,
            retain_until: Timestamp::ALWAYS,
            locked_until: Timestamp::ALWAYS,
            delete_from: Timestamp(0),
            floor: Timestamp(0).plus_days(30),
            due: Timestamp(0).plus_days(30),
            winner: Some(POLICY),
            t0: Timestamp(0),
            disposition: Disposition::Reviewed(2),
            eligible: blocker.is_none(),
            blocker,
        }
    }

    fn counted(no: u64, before: Option<Blocker>, after: Option<Blocker>) -> Counted {
        Counted {
            no: MessageNo(no),
            sent: Timestamp(0),
            app: App::WhatsApp,
            custodian: Some(PersonNo(7)),
            before: verdict(before),
            after: verdict(after),
        }
    }

    fn simulated(records: &[Counted]) -> Simulation {
        let mut simulation = Simulation::new(Timestamp(9));
        records.iter().for_each(|record| simulation.add(record));
        simulation.finish()
    }

    #[test]
    fn d1_every_record_is_counted_once_and_against_the_rules_in_force() {
        let held = Some(Blocker::Held(HoldNo(1)));
        let found = simulated(&[
            counted(1, None, None),
            counted(2, None, None),
            counted(3, held, None),
            counted(4, None, held),
            counted(5, None, held),
            counted(6, held, held),
        ]);
        assert_eq!((found.as_of, found.records), (Timestamp(9), 6));
        assert_eq!((found.eligible, found.eligible_now), (3, 4));
        assert_eq!((found.more, found.fewer, found.blocked.held), (1, 2, 3));
        assert_eq!(found.by_policy, [(POLICY, 3)].into());
        assert_eq!(found.by_app, [(App::WhatsApp, 3)].into());
        assert_eq!(found.by_custodian, [(PersonNo(7), 3)].into());
        assert_eq!(found.by_year, [(1970, 3)].into());
        assert_eq!(found.samples, [1, 2, 3].map(MessageNo));
    }

    #[test]
    fn d1_what_stays_is_counted_by_what_stands_in_its_way() {
        let at = Timestamp(1);
        let stays = |blocker| counted(1, None, Some(blocker));
        let found = simulated(&[
            stays(Blocker::Held(HoldNo(1))),
            stays(Blocker::NothingDeletes),
            stays(Blocker::Locked(at)),
            stays(Blocker::Retained(at)),
            stays(Blocker::NotDue(at)),
            stays(Blocker::ClockBehind(at)),
            stays(Blocker::ClockDoubt),
            stays(Blocker::Frozen(FreezeReason::IndexLag)),
        ]);
        let each = Blocked {
            held: 1,
            nothing_deletes: 1,
            locked: 1,
            retained: 1,
            not_due: 1,
            stopped: 3,
        };
        assert_eq!((found.blocked, found.eligible), (each, 0));
        assert!(found.samples.is_empty() && found.span.is_none());
    }

    #[test]
    fn the_span_and_dates_ahead_of_admission_are_told() {
        let sent = |days: i64, micros: i64| Counted {
            sent: Timestamp(Timestamp(0).plus_days(days).0 + micros),
            ..counted(1, None, None)
        };
        let found = simulated(&[sent(1, 0), sent(1, 1), sent(-400, 0), sent(2, 0)]);
        let span = (Timestamp(0).plus_days(-400), Timestamp(0).plus_days(2));
        assert_eq!(found.span, Some(span));
        assert_eq!(found.future_dated, 2, "more than a day behind admission");
        assert_eq!(found.by_year, [(1968, 1), (1970, 3)].into());
    }

    #[test]
    fn samples_are_few_fair_and_the_same_in_any_order() {
        let all: Vec<Counted> = (1..=1_000).map(|no| counted(no, None, None)).collect();
        let samples = simulated(&all).samples;
        assert_eq!(samples.len(), SAMPLES_MAX);
        assert!(samples.is_sorted());
        let turned: Vec<Counted> = all.iter().rev().copied().collect();
        assert_eq!(simulated(&turned).samples, samples);
        let low = samples.iter().filter(|no| no.0 <= 500).count();
        assert!((5..=20).contains(&low), "{low} of the first half");
        assert_eq!(simulated(&all[..25]).samples.len(), 25);
    }

    /// The first two numbers of the published generator from seed 0.
    #[test]
    fn weights_are_those_of_splitmix64() {
        assert_eq!(weight(0), 0xE220_A839_7B1D_CDAF);
        assert_eq!(weight(0x9E37_79B9_7F4A_7C15), 0x6E78_9E6A_A1B9_65F4);
    }
}
