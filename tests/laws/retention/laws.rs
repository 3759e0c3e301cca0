//! The laws I2, I6 and I7 over generated worlds, and the calendar against a walk through its days.

use proptest::prelude::*;
use wordkeep::domain::{Blocker, Disposition, FreezeReason};
use wordkeep::domain::{
    Event, EventNo, Hold, HoldNo, LabelNo, LabelSpan, Level, Lock, Period, PolicyAction, PolicyNo,
    PolicyRef, PolicyState, PolicyVersion, SourceTrust, Timestamp, Trigger, UserNo, Verdict,
};
use wordkeep::retention::{Edit, Present, ScopeChange, due, edit};

use super::chance::Chance;
use super::oracle::{Said, say};
use super::walk;
use super::world::{Rec, World, hold, key, policy, release, two_clocks};

const DAY: i64 = Timestamp::MICROS_PER_DAY;
/// The world begins on 1 January 2019 and lasts three years: short enough for things to meet.
const BEGIN: i64 = 17_897 * DAY;
const DAYS: i64 = 1_100;
const ZONES: [chrono_tz::Tz; 4] = [
    chrono_tz::Tz::UTC,
    chrono_tz::Tz::Europe__Berlin,
    chrono_tz::Tz::America__Havana,
    chrono_tz::Tz::Asia__Tokyo,
];
const PERIODS: [&str; 9] = [
    "P0D", "P30D", "P1M", "P90D", "P6M", "P1Y", "P13M", "P2Y", "infinite",
];

/// How many worlds are looked at: `WORDKEEP_CASES`, else a few hundred.
fn cases(usual: u32) -> ProptestConfig {
    let told = std::env::var("WORDKEEP_CASES");
    ProptestConfig {
        cases: told
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(usual),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn day(chance: &mut Chance) -> Timestamp {
    Timestamp(BEGIN + chance.between(0, DAYS) * DAY + chance.between(0, 4) * DAY / 4)
}

fn period(chance: &mut Chance) -> Period {
    chance.one(&PERIODS).parse().unwrap()
}

fn action(chance: &mut Chance) -> PolicyAction {
    *chance.one(&PolicyAction::ALL)
}

fn version(chance: &mut Chance, no: u32, number: u32) -> PolicyVersion {
    let until = day(chance);
    PolicyVersion {
        id: PolicyRef {
            no: PolicyNo(no),
            version: number,
        },
        state: match chance.below(8) {
            0 => PolicyState::Draft,
            1 => PolicyState::Disabled,
            _ => PolicyState::Enabled,
        },
        period: period(chance),
        zone: *chance.one(&ZONES),
        trigger: match chance.below(7) {
            0 => Trigger::Ingested,
            1 => Trigger::LastActivity,
            2 => Trigger::LabelApplied,
            3 => Trigger::Event(key(chance.below(3) as u8)),
            _ => Trigger::Sent,
        },
        level: match chance.below(4) {
            0 => Level::Label(LabelNo(chance.below(2) as u32)),
            1 => Level::Scoped,
            _ => Level::Organisation,
        },
        lock: match chance.below(5) {
            0 => Lock::Governance(until),
            1 | 2 => Lock::Compliance(until),
            _ => Lock::None,
        },
        disposition: Disposition::Reviewed(1),
        valid_from: match chance.once_in(3) {
            true => Timestamp(BEGIN - DAY),
            false => day(chance),
        },
        ..policy(no, action(chance), "P1Y")
    }
}

fn tags(chance: &mut Chance) -> u8 {
    1 << chance.below(3) | 1 << chance.below(3)
}

fn some_hold(chance: &mut Chance, no: u32) -> Hold {
    let from = day(chance);
    Hold {
        from,
        release: match chance.once_in(2) {
            true => release(Timestamp(from.0 + chance.between(0, 300) * DAY)),
            false => None,
        },
        grace_days: [0, 14, 30, 90][chance.below(4)],
        ..hold(no)
    }
}

/// Spans of labels as the store writes them: one after the other, on the record and around it.
fn labels(chance: &mut Chance) -> Vec<LabelSpan> {
    let mut spans = Vec::new();
    for own in [true, false] {
        let mut from = day(chance);
        for _ in 0..chance.below(3) {
            let until = match chance.once_in(3) {
                true => Timestamp::NEVER,
                false => Timestamp(from.0 + chance.between(0, 200) * DAY),
            };
            spans.push(LabelSpan {
                label: LabelNo(chance.below(2) as u32),
                from,
                until,
                own,
            });
            if until == Timestamp::NEVER {
                break;
            }
            from = Timestamp(until.0 + chance.between(0, 2) * 50 * DAY);
        }
    }
    spans
}

fn record(chance: &mut Chance, no: u64) -> Rec {
    let ingested = day(chance);
    let sent = match chance.below(6) {
        0 => day(chance),
        1 => Timestamp(ingested.0 + DAY + chance.between(-1, 2)),
        _ => Timestamp(ingested.0 - chance.between(0, 900) * DAY),
    };
    let maybe = |chance: &mut Chance| match chance.once_in(6) {
        true => day(chance),
        false => Timestamp::ALWAYS,
    };
    Rec {
        no,
        sent,
        ingested,
        trust: [SourceTrust::PersonFile, SourceTrust::Live][chance.below(2)],
        last_activity: sent.max(day(chance)),
        labels: labels(chance),
        locked_until: maybe(chance),
        extended_until: maybe(chance),
        tags: tags(chance),
    }
}

fn event(chance: &mut Chance, no: u32) -> Event {
    Event {
        no: EventNo(no),
        key: key(chance.below(3) as u8),
        at: day(chance),
        recorded: day(chance),
        by: UserNo(1),
        corrects: (no > 1 && chance.once_in(3))
            .then(|| EventNo(1 + chance.below(no as usize - 1) as u32)),
    }
}

fn world(chance: &mut Chance) -> World {
    let mut world = World::default();
    for no in 1..=chance.below(5) as u32 {
        for number in 1..=1 + chance.below(3) as u32 {
            let version = version(chance, no, number);
            let tags = tags(chance);
            world.add(version, tags);
        }
    }
    for no in 1..=chance.below(3) as u32 {
        let hold = some_hold(chance, no);
        let tags = tags(chance);
        world.place(hold, tags);
    }
    world.events = (1..=chance.below(4) as u32)
        .map(|no| event(chance, no))
        .collect();
    world
}

/// A moment that is mostly late enough for things to go.
fn moment(chance: &mut Chance) -> Present {
    let compliance = Timestamp(day(chance).0 + chance.between(0, 3) * 400 * DAY);
    let off = if chance.once_in(4) { 500 } else { 1 };
    let wall = Timestamp(compliance.0 + chance.between(-off, off + 1) * DAY);
    Present {
        trusted: !chance.once_in(10),
        frozen: chance.once_in(10).then_some(FreezeReason::Legal),
        ..two_clocks(compliance, wall)
    }
}

proptest! {
    #![proptest_config(cases(1_500))]

    #[test]
    fn law_i6(seed in any::<u64>()) {
        let mut chance = Chance::new(seed);
        let world = world(&mut chance);
        for no in 0..3 {
            let rec = record(&mut chance, no);
            let present = moment(&mut chance);
            let verdict = agrees(&world, &rec, &present)?;
            // And to the microsecond around every date that it names.
            for date in [verdict.due, verdict.locked_until, verdict.retain_until, verdict.floor] {
                if date > Timestamp(0) && date < Timestamp::NEVER {
                    let just = Timestamp(date.0 - 1);
                    for (compliance, wall) in [(date, date), (just, date), (date, just)] {
                        agrees(&world, &rec, &two_clocks(compliance, wall))?;
                    }
                }
            }
        }
    }

    #[test]
    fn law_i7(seed in any::<u64>()) {
        let mut chance = Chance::new(seed);
        let before = world(&mut chance);
        let mut after = before.clone();
        let tags = tags(&mut chance);
        match chance.below(3) {
            0 => {
                let hold = some_hold(&mut chance, 99);
                after.place(hold, tags);
            }
            1 => {
                let version = PolicyVersion {
                    action: PolicyAction::Retain,
                    ..version(&mut chance, 99, 1)
                };
                after.add(version, tags);
            }
            _ => {
                let longer = period(&mut chance);
                let place = chance.below(after.versions.len());
                if let Some(version) = after.versions.get_mut(place)
                    && longer.is_at_least(version.period)
                {
                    version.period = longer;
                }
            }
        }
        let present = moment(&mut chance);
        for no in 0..8 {
            let rec = record(&mut chance, no);
            let went = before.verdict(&rec, &present).eligible;
            let goes = after.verdict(&rec, &present).eligible;
            prop_assert!(went || !goes, "{:?}\n{:?}\n{:?}", before, after, rec);
        }
    }

    #[test]
    fn law_i2(seed in any::<u64>()) {
        let mut machine = Machine::new(seed);
        for _ in 0..40 {
            machine.step();
            machine.check()?;
        }
    }

    #[test]
    fn h3_due_dates_are_those_of_the_calendar(
        seed in any::<u64>(),
        months in 0u32..60,
        days in 0u32..400,
    ) {
        let mut chance = Chance::new(seed);
        let period = Period::Calendar { months, days };
        let from = Timestamp(chance.between(0, 2_000_000_000) * 1_000_000);
        let zone = *chance.one(&chrono_tz::TZ_VARIANTS);
        // Zones that were ever off by less than a quarter of an hour since 1970 are walked past.
        prop_assume!(zone != chrono_tz::Tz::Africa__Monrovia && zone != chrono_tz::Tz::America__Guyana);
        let due = due(from, period, zone);
        prop_assert_eq!(due, walk::due(from, period, zone), "{} {}", zone, from.0);
        prop_assert!(due > from);
    }
}

/// Compares engine and oracle on one record at one moment.
fn agrees(world: &World, rec: &Rec, present: &Present) -> Result<Verdict, TestCaseError> {
    let verdict = world.verdict(rec, present);
    let said = Said {
        held: verdict.held_by.is_some(),
        retain_until: verdict.retain_until,
        locked_until: verdict.locked_until,
        delete_from: verdict.delete_from,
        floor: verdict.floor,
        eligible: verdict.eligible,
    };
    let expected = say(world, rec, present);
    prop_assert_eq!(said, expected, "{:?}\n{:?}\n{:?}", world, rec, present);
    prop_assert_eq!(verdict, world.verdict(rec, present), "asked twice");
    prop_assert_eq!(verdict, world.why(rec, present).0, "with reasons");
    prop_assert_eq!(verdict.eligible, verdict.blocker.is_none());
    Ok(verdict)
}

/// The laws above prove nothing about what no world reaches.
#[test]
fn generated_worlds_reach_every_verdict() {
    let mut reached = std::collections::BTreeMap::new();
    for seed in 0..4_000 {
        let mut chance = Chance::new(seed);
        let world = world(&mut chance);
        let rec = record(&mut chance, 1);
        let present = moment(&mut chance);
        let verdict = world.verdict(&rec, &present);
        let name = match verdict.blocker {
            None => "eligible",
            Some(Blocker::Held(_)) => "held",
            Some(Blocker::NothingDeletes) => "nothing deletes",
            Some(Blocker::Locked(_)) => "locked",
            Some(Blocker::Retained(_)) => "retained",
            Some(Blocker::NotDue(_)) => "not due",
            Some(Blocker::ClockBehind(_)) => "clock behind",
            Some(Blocker::ClockDoubt) => "clock doubt",
            Some(Blocker::Frozen(_)) => "frozen",
        };
        *reached.entry(name).or_insert(0) += 1;
    }
    assert_eq!(reached.len(), 9, "{reached:?}");
    assert!(reached["eligible"] > 200, "{reached:?}");
    assert!(reached.values().all(|times| *times >= 5), "{reached:?}");
}

/// A house at work: edits that are allowed, labels, events, holds, moved seats, a running clock.
struct Machine {
    chance: Chance,
    world: World,
    recs: Vec<Rec>,
    now: Timestamp,
    promised: Vec<Timestamp>,
}

impl Machine {
    fn new(seed: u64) -> Machine {
        let mut chance = Chance::new(seed);
        let mut machine = Machine {
            now: Timestamp(BEGIN),
            world: World::default(),
            recs: Vec::new(),
            promised: Vec::new(),
            chance: chance.clone(),
        };
        for no in 1..=3 {
            let version = machine.begun(version(&mut chance, no, 1));
            let tags = tags(&mut chance);
            machine.world.add(version, tags);
        }
        machine
    }

    /// The version as it is written now.
    fn begun(&self, version: PolicyVersion) -> PolicyVersion {
        PolicyVersion {
            valid_from: self.now,
            created: self.now,
            ..version
        }
    }

    fn step(&mut self) {
        match self.chance.below(9) {
            0 | 1 => self.edit(),
            2 => self.label(),
            3 => self.happen(),
            4 => self.hold(),
            5 => self.admit(),
            6 => self.move_seat(),
            7 => self.reimport(),
            // Some steps happen at one instant: a clock may stand still.
            _ => self.now = Timestamp(self.now.0 + self.chance.between(0, 60) * DAY),
        }
    }

    /// Writes the next version of a policy: any other terms, or those of long ago.
    fn edit(&mut self) {
        let no = 1 + self.chance.below(3) as u32;
        let of = |world: &World| -> Vec<PolicyVersion> {
            let versions = world.versions.iter();
            versions.filter(|v| v.id.no.0 == no).copied().collect()
        };
        let versions = of(&self.world);
        let number = versions.len() as u32 + 1;
        let mut after = match self.chance.once_in(3) {
            true => *self.chance.one(&versions),
            false => version(&mut self.chance, no, number),
        };
        after.id.version = number;
        after = self.begun(after);
        let in_force = versions
            .iter()
            .rfind(|v| v.state != PolicyState::Draft && v.valid_from <= self.now)
            .filter(|v| v.state == PolicyState::Enabled);
        let (scope, tags) = match (in_force, self.chance.once_in(2)) {
            (Some(before), true) => (ScopeChange::Same, self.world.scopes[&before.id]),
            _ => (ScopeChange::Other, tags(&mut self.chance)),
        };
        if after.state != PolicyState::Draft {
            match edit(in_force, &after, scope, self.now) {
                Edit::Strengthens => {}
                Edit::Weakens { earliest, .. } => after.valid_from = earliest,
                Edit::Refused { .. } => return,
            }
        }
        self.world.add(after, tags);
    }

    fn label(&mut self) {
        let now = self.now;
        let own = self.chance.once_in(2);
        let label = LabelNo(self.chance.below(2) as u32);
        let applies = !self.chance.once_in(3);
        let Some(rec) = pick(&mut self.chance, &mut self.recs) else {
            return;
        };
        for span in rec.labels.iter_mut().filter(|span| span.own == own) {
            span.until = span.until.min(now);
        }
        if applies {
            rec.labels.push(LabelSpan {
                label,
                from: now,
                until: Timestamp::NEVER,
                own,
            });
        }
    }

    fn happen(&mut self) {
        let no = self.world.events.len() as u32 + 1;
        let event = event(&mut self.chance, no);
        self.world.events.push(event);
    }

    fn hold(&mut self) {
        let now = self.now;
        if self.chance.once_in(2)
            && let Some(hold) = pick(&mut self.chance, &mut self.world.holds)
        {
            hold.release = hold.release.or(release(now));
            return;
        }
        let no = self.world.holds.len() as u32 + 1;
        let tags = tags(&mut self.chance);
        let placed = Hold {
            no: HoldNo(no),
            from: now,
            ..hold(no)
        };
        self.world.place(placed, tags);
    }

    fn admit(&mut self) {
        let no = self.recs.len() as u64;
        let rec = Rec {
            ingested: self.now,
            labels: Vec::new(),
            ..record(&mut self.chance, no)
        };
        self.recs.push(rec);
        self.promised.push(Timestamp::ALWAYS);
    }

    /// What a scope asks of a record changes: the lock it earned is recorded with it first.
    fn move_seat(&mut self) {
        let present = Present::as_of(self.now);
        let new_tags = tags(&mut self.chance);
        let world = &self.world;
        if let Some(rec) = pick(&mut self.chance, &mut self.recs) {
            rec.locked_until = world.verdict(rec, &present).locked_until;
            rec.tags = new_tags;
        }
    }

    fn reimport(&mut self) {
        let seen = day(&mut self.chance);
        if let Some(rec) = pick(&mut self.chance, &mut self.recs) {
            rec.last_activity = rec.last_activity.max(seen);
        }
    }

    fn check(&mut self) -> Result<(), TestCaseError> {
        let present = Present::as_of(self.now);
        for (rec, promised) in self.recs.iter().zip(&mut self.promised) {
            let verdict = self.world.verdict(rec, &present);
            prop_assert!(
                verdict.locked_until >= *promised,
                "{:?} fell behind {:?}\n{:?}\n{:?}",
                verdict,
                promised,
                self.world,
                rec
            );
            *promised = verdict.locked_until;
            // And the oracle agrees all along the way.
            let said = say(&self.world, rec, &present);
            prop_assert_eq!(said.locked_until, verdict.locked_until);
            prop_assert_eq!(said.eligible, verdict.eligible);
        }
        Ok(())
    }
}

fn pick<'a, T>(chance: &mut Chance, of: &'a mut [T]) -> Option<&'a mut T> {
    let place = chance.below(of.len());
    of.get_mut(place)
}
