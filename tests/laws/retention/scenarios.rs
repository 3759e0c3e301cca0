//! The scenarios of the trust page, section 7, that need no archive: each under its own name.

use chrono_tz::Tz;
use wordkeep::domain::{
    Blocker, Disposition, FreezeReason, HoldNo, HoldScope, LabelNo, Level, Lock, PersonNo,
    PolicyAction, PolicyNo, PolicyRef, PolicyState, PolicyVersion, Reason, SourceTrust, Timestamp,
    Trigger, UserNo,
};
use wordkeep::retention::clock::{self, ClockAlarm, Quality, Reading};
use wordkeep::retention::{
    Edit, Ground, ItemOutcome, Lifter, Present, ScopeChange, Weakening, due, edit, item_outcome,
    lifter, may_approve,
};
use wordkeep::store::{ActKind, DispositionActRow};

use super::rules::{frozen_list, listed};
use super::world::{ALL, Rec, World, at, hold, in_zone, key, policy, present, release, two_clocks};

const DAY: i64 = Timestamp::MICROS_PER_DAY;

fn retain(no: u32, period: &str) -> PolicyVersion {
    policy(no, PolicyAction::Retain, period)
}

fn delete(no: u32, period: &str) -> PolicyVersion {
    policy(no, PolicyAction::Delete, period)
}

fn scoped(version: PolicyVersion) -> PolicyVersion {
    PolicyVersion {
        level: Level::Scoped,
        ..version
    }
}

fn by_label(version: PolicyVersion, label: u32) -> PolicyVersion {
    PolicyVersion {
        level: Level::Label(LabelNo(label)),
        ..version
    }
}

fn compliance(version: PolicyVersion, until: &str) -> PolicyVersion {
    PolicyVersion {
        lock: Lock::Compliance(at(until)),
        ..version
    }
}

fn next(version: PolicyVersion, from: &str) -> PolicyVersion {
    PolicyVersion {
        id: PolicyRef {
            version: version.id.version + 1,
            ..version.id
        },
        valid_from: at(from),
        ..version
    }
}

#[test]
fn no_policy_keeps() {
    let world = World::default();
    let rec = Rec::new(1, "1975-03-01");
    let verdict = world.verdict(&rec, &present("2025-03-01"));
    assert_eq!(verdict.blocker, Some(Blocker::NothingDeletes));
    assert_eq!(verdict.due, Timestamp::NEVER);
    assert_eq!(lifter(Blocker::NothingDeletes), Lifter::RecordsOfficer);
}

#[test]
fn delete_after_one_year() {
    let world = World::of(&[delete(1, "P1Y")]);
    let rec = Rec::new(1, "2023-05-10");
    assert!(!world.goes(&rec, "2024-05-10"));
    assert!(world.goes(&rec, "2024-05-11"));
    let late = Rec {
        ingested: at("2024-05-01"),
        ..rec
    };
    assert_eq!(
        world.verdict(&late, &present("2024-05-30")).blocker,
        Some(Blocker::NotDue(at("2024-05-31")))
    );
    assert!(world.goes(&late, "2024-05-31"));
}

#[test]
fn retain_beats_delete() {
    let mut world = World::of(&[policy(1, PolicyAction::RetainThenDelete, "P7Y")]);
    world.add(scoped(delete(2, "P1Y")), ALL);
    let rec = Rec::new(1, "2015-01-01");
    assert_eq!(
        world.verdict(&rec, &present("2017-01-01")).blocker,
        Some(Blocker::Retained(at("2022-01-02")))
    );
    assert!(!world.goes(&rec, "2022-01-01"));
    assert!(world.goes(&rec, "2022-01-02"));
    let winner = world.verdict(&rec, &present("2022-01-02")).winner;
    assert_eq!(winner.unwrap().no, PolicyNo(2));
}

#[test]
fn longest_retain() {
    let world = World::of(&[retain(1, "P5Y"), retain(2, "P10Y"), delete(3, "P1Y")]);
    let rec = Rec::new(1, "2010-01-01");
    assert!(!world.goes(&rec, "2020-01-01"));
    assert!(world.goes(&rec, "2020-01-02"));
}

#[test]
fn label_delete_wins() {
    let world = World::of(&[
        delete(1, "P5Y"),
        scoped(delete(2, "P10Y")),
        by_label(delete(3, "P7Y"), 4),
    ]);
    let rec = Rec::new(1, "2010-01-01").labelled(4, "2010-02-01");
    assert!(!world.goes(&rec, "2017-01-01"));
    assert!(world.goes(&rec, "2017-01-02"));
    // Another label is no label of that policy: the scope decides.
    let other = Rec::new(2, "2010-01-01").labelled(5, "2010-02-01");
    assert!(!world.goes(&other, "2020-01-01"));
    assert!(world.goes(&other, "2020-01-02"));
}

#[test]
fn scoped_delete_wins() {
    let world = World::of(&[delete(1, "P10Y"), scoped(delete(2, "P5Y"))]);
    let rec = Rec::new(1, "2010-01-01");
    assert!(!world.goes(&rec, "2015-01-01"));
    assert!(world.goes(&rec, "2015-01-02"));
    // And also when the nearer one is the longer one.
    let world = World::of(&[delete(1, "P5Y"), scoped(delete(2, "P10Y"))]);
    assert!(!world.goes(&rec, "2020-01-01"));
    assert!(world.goes(&rec, "2020-01-02"));
}

#[test]
fn retain_over_label_delete() {
    let world = World::of(&[retain(1, "P10Y"), by_label(delete(2, "P7Y"), 4)]);
    let rec = Rec::new(1, "2010-01-01").labelled(4, "2010-01-01");
    assert!(!world.goes(&rec, "2020-01-01"));
    assert!(world.goes(&rec, "2020-01-02"));
}

#[test]
fn retain_only_never_deletes() {
    let world = World::of(&[retain(1, "P3Y")]);
    let rec = Rec::new(1, "1990-01-01");
    let verdict = world.verdict(&rec, &present("2024-01-01"));
    assert_eq!(verdict.blocker, Some(Blocker::NothingDeletes));
    assert!(verdict.retain_until < at("2024-01-01"));
}

#[test]
fn overlapping_holds() {
    let mut world = World::of(&[delete(1, "P1Y")]);
    world.place(hold(1), ALL);
    world.place(hold(2), ALL);
    let rec = Rec::new(1, "2020-01-01");
    let held = |world: &World, day: &str| world.verdict(&rec, &present(day)).held_by;
    assert_eq!(held(&world, "2024-01-01"), Some(HoldNo(1)));
    world.holds[0].release = release(at("2023-01-01"));
    assert_eq!(held(&world, "2024-01-01"), Some(HoldNo(2)));
    world.holds[1].release = release(at("2024-01-01"));
    assert_eq!(held(&world, "2024-01-30"), Some(HoldNo(2)));
    assert!(!world.goes(&rec, "2024-01-30"));
    assert!(world.goes(&rec, "2024-01-31"));
}

#[test]
fn compliance_lock_holds() {
    let locked = compliance(by_label(retain(1, "P6Y"), 4), "2030-01-01");
    let mut world = World::of(&[locked, delete(2, "P1Y")]);
    let mut rec = Rec::new(1, "2020-01-01").labelled(4, "2020-02-01");
    let now = at("2021-01-01");
    let promised = world.verdict(&rec, &present("2021-01-01")).locked_until;
    assert_eq!(promised, at("2026-01-02"));
    // The edit and the end of the policy are refused, until when and by whom is told.
    let shorter = PolicyVersion {
        period: "P1Y".parse().unwrap(),
        ..next(locked, "2021-01-01")
    };
    let refused = edit(Some(&locked), &shorter, ScopeChange::Same, now);
    let until = at("2030-01-01");
    let ways = vec![Weakening::ShorterPeriod];
    assert_eq!(refused, Edit::Refused { ways, until });
    let ended = PolicyVersion {
        state: PolicyState::Disabled,
        ..next(locked, "2021-01-01")
    };
    assert!(matches!(
        edit(Some(&locked), &ended, ScopeChange::Same, now),
        Edit::Refused { .. }
    ));
    assert_eq!(lifter(Blocker::Locked(promised)), Lifter::Nobody(promised));
    // Taking the label off, moving the seat and an old configuration are without effect.
    rec.labels[0].until = now;
    rec.tags = 0;
    world.add(shorter, ALL);
    let moved = Rec {
        locked_until: promised,
        tags: ALL,
        ..rec
    };
    let verdict = world.verdict(&moved, &present("2022-01-01"));
    assert_eq!(verdict.locked_until, promised);
    assert_eq!(verdict.blocker, Some(Blocker::Locked(promised)));
    let unlabelled = Rec {
        locked_until: Timestamp::ALWAYS,
        ..moved
    };
    let verdict = world.verdict(&unlabelled, &present("2022-01-01"));
    assert_eq!(verdict.locked_until, promised);
}

#[test]
fn governance_bypass_two() {
    let locked = PolicyVersion {
        lock: Lock::Governance(at("2030-01-01")),
        ..retain(1, "P6Y")
    };
    let shorter = PolicyVersion {
        period: "P1Y".parse().unwrap(),
        ..next(locked, "2021-01-01")
    };
    let now = at("2021-01-01");
    let change = edit(Some(&locked), &shorter, ScopeChange::Same, now);
    // One person alone never: it is a weakening that waits for the second, and it is a bypass.
    let expected = Edit::Weakens {
        ways: vec![Weakening::ShorterPeriod],
        earliest: at("2021-01-08"),
        bypass: true,
    };
    assert_eq!(change, expected);
    let open = edit(Some(&locked), &shorter, ScopeChange::Same, at("2031-01-01"));
    assert!(matches!(open, Edit::Weakens { bypass: false, .. }));
    let lifts = lifter(Blocker::Retained(at("2026-01-02")));
    assert_eq!(lifts, Lifter::TwoWithReason);
}

#[test]
fn event_clock() {
    let left = Trigger::Event(key(1));
    let keeps = PolicyVersion {
        trigger: left,
        ..policy(1, PolicyAction::RetainThenDelete, "P6Y")
    };
    let rec = Rec::new(1, "2010-01-01");
    let mut world = World::of(&[keeps]);
    let (verdict, reasons) = world.why(&rec, &present("2060-01-01"));
    let awaited = Blocker::Retained(Timestamp::NEVER);
    assert_eq!(verdict.blocker, Some(awaited));
    assert_eq!(lifter(awaited), Lifter::Event);
    assert!(reasons.iter().any(|reason| matches!(
        reason,
        Reason::EventUnknown { key: awaited, .. } if *awaited == key(1)
    )));
    world.happened(1, "2015-06-30", None);
    assert!(!world.goes(&rec, "2021-06-30"));
    assert!(world.goes(&rec, "2021-07-01"));
    // Corrected to be later: it extends. Corrected to be earlier: sooner, as nothing is locked.
    world.happened(1, "2016-06-30", Some(1));
    assert!(!world.goes(&rec, "2021-07-01") && world.goes(&rec, "2022-07-01"));
    world.happened(1, "2014-06-30", Some(2));
    assert!(world.goes(&rec, "2020-07-01"));
    // Under a lock never below what was promised.
    let mut locked = World::of(&[compliance(keeps, "2090-01-01")]);
    locked.happened(1, "2016-06-30", None);
    let promised = locked.verdict(&rec, &present("2018-01-01")).locked_until;
    locked.happened(1, "2014-06-30", Some(1));
    let verdict = locked.verdict(&rec, &present("2020-07-02"));
    assert_eq!((verdict.locked_until, verdict.eligible), (promised, false));
}

#[test]
fn two_events_latest() {
    let mut world = World::of(&[PolicyVersion {
        trigger: Trigger::Event(key(1)),
        ..policy(1, PolicyAction::RetainThenDelete, "P1Y")
    }]);
    world.happened(1, "2015-01-01", None);
    world.happened(1, "2012-01-01", None);
    world.happened(2, "2019-01-01", None);
    let rec = Rec::new(1, "2010-01-01");
    assert!(!world.goes(&rec, "2016-01-01"));
    assert!(world.goes(&rec, "2016-01-02"));
}

#[test]
fn last_activity_late_import() {
    let world = World::of(&[PolicyVersion {
        trigger: Trigger::LastActivity,
        ..policy(1, PolicyAction::RetainThenDelete, "P1Y")
    }]);
    let rec = Rec {
        last_activity: at("2020-06-01"),
        ..Rec::new(1, "2018-01-01")
    };
    let before = world.verdict(&rec, &present("2021-01-01")).due;
    assert_eq!(before, at("2021-06-02"));
    // The store keeps the maximum, so an older message changes nothing and a newer one moves all.
    let moved = Rec {
        last_activity: rec.last_activity.max(at("2020-12-24")),
        ..rec.clone()
    };
    let older = Rec {
        last_activity: rec.last_activity.max(at("2011-12-24")),
        ..rec
    };
    let due = |rec: &Rec| world.verdict(rec, &present("2021-01-01")).due;
    assert_eq!((due(&older), due(&moved)), (before, at("2021-12-25")));
}

#[test]
fn ancient_claimed_date() {
    let world = World::of(&[delete(1, "P1Y")]);
    let rec = Rec {
        ingested: at("2026-06-01"),
        trust: SourceTrust::PersonFile,
        ..Rec::new(1, "1999-05-01")
    };
    assert_eq!(
        world.verdict(&rec, &present("2026-06-30")).blocker,
        Some(Blocker::NotDue(at("2026-07-01")))
    );
    assert!(world.goes(&rec, "2026-07-01"));
    // Under a lock the claimed time of such a file does not count at all.
    let locked = World::of(&[PolicyVersion {
        lock: Lock::Governance(at("2090-01-01")),
        ..delete(1, "P1Y")
    }]);
    let (verdict, reasons) = locked.why(&rec, &present("2026-07-01"));
    assert_eq!(verdict.due, at("2027-06-02"));
    assert!(
        reasons
            .iter()
            .any(|reason| matches!(reason, Reason::ClaimedTimeNotTaken { future: false, .. }))
    );
}

#[test]
fn future_claimed_date() {
    let world = World::of(&[delete(1, "P1Y")]);
    let rec = Rec {
        ingested: at("2020-01-01"),
        ..Rec::new(1, "2099-01-01")
    };
    let (verdict, reasons) = world.why(&rec, &present("2021-01-02"));
    assert!(verdict.eligible);
    assert_eq!(verdict.due, at("2021-01-02"));
    let told = Reason::ClaimedTimeNotTaken {
        policy: world.versions[0].id,
        instead: at("2020-01-01"),
        future: true,
    };
    assert!(reasons.contains(&told));
    // A wrong zone is not the future.
    let near = Rec {
        sent: Timestamp(rec.ingested.0 + DAY),
        ..rec
    };
    assert_eq!(
        world.verdict(&near, &present("2021-01-02")).due,
        at("2021-01-03")
    );
}

fn reading(wall: Timestamp, boot_micros: i64, start: u8) -> Reading {
    Reading {
        wall,
        boot_micros,
        boot_id: [start; 16],
    }
}

#[test]
fn clock_jump_freezes() {
    let world = World::of(&[delete(1, "P1Y")]);
    let rec = Rec::new(1, "2020-01-01");
    let began = clock::first(reading(at("2020-06-01"), 0, 1));
    let mut state = began.clone();
    for start in [1, 2] {
        // Ten years ahead while running, then once more over a restart.
        let jumped = Timestamp(state.wall.0 + 3_650 * DAY);
        let step = clock::step(&state, reading(jumped, 60_000_000, start));
        assert!(matches!(
            step.alarm,
            Some(ClockAlarm::WallRanAhead(_) | ClockAlarm::CreditExceeded(_))
        ));
        assert_eq!(step.quality, Quality::Gap);
        let now = Present {
            trusted: step.quality != Quality::Gap,
            frozen: Some(FreezeReason::ClockDoubt),
            ..two_clocks(step.state.compliance, step.state.wall)
        };
        assert!(!world.verdict(&rec, &now).eligible);
        state = step.state;
    }
    assert!(state.compliance.0 - began.compliance.0 <= clock::CREDIT_MICROS + 120_000_000);
    // Also when it is due by compliance time: doubt and freeze stand in the way.
    let due = Present {
        trusted: false,
        ..present("2024-01-01")
    };
    let blocker = world.verdict(&rec, &due).blocker;
    assert_eq!(blocker, Some(Blocker::ClockDoubt));
    assert_eq!(lifter(Blocker::ClockDoubt), Lifter::Evidence);
    let frozen = Present {
        frozen: Some(FreezeReason::ClockDoubt),
        ..present("2024-01-01")
    };
    assert_eq!(
        world.verdict(&rec, &frozen).blocker,
        Some(Blocker::Frozen(FreezeReason::ClockDoubt))
    );
}

#[test]
fn long_power_gap() {
    let state = clock::first(reading(at("2020-01-01"), 5_000_000, 1));
    let back = clock::step(&state, reading(at("2020-03-01"), 30_000_000, 2));
    assert_eq!(back.credited, 7 * DAY);
    let claimed = at("2020-01-08").0 + 30_000_000;
    assert_eq!(back.state.compliance, Timestamp(claimed));
    assert_eq!(back.quality, Quality::Gap);
    // Running goes on, no further credit comes, and evidence makes up for the rest.
    let later = clock::step(&back.state, reading(at("2020-03-02"), 30_000_000 + DAY, 2));
    assert_eq!(later.state.compliance, Timestamp(claimed + DAY));
    assert_eq!((later.credited, later.quality), (0, Quality::Gap));
    let proven = clock::attest(&later.state, at("2020-03-02"));
    assert_eq!(proven.compliance, at("2020-03-02"));
    assert_eq!(clock::quality(&proven), Quality::Attested);
}

#[test]
fn clock_back_in_batch() {
    let world = World::of(&[delete(1, "P1Y")]);
    let rec = Rec::new(1, "2020-01-01");
    let state = clock::first(reading(at("2021-01-02"), 0, 1));
    let running = two_clocks(state.compliance, state.wall);
    assert!(world.verdict(&rec, &running).eligible);
    let step = clock::step(&state, reading(at("2021-01-01"), 1_000_000, 1));
    assert_eq!(step.alarm, Some(ClockAlarm::WallWentBack(DAY)));
    assert_eq!(step.state.compliance, state.compliance);
    let now = two_clocks(step.state.compliance, step.state.wall);
    assert_eq!(
        world.verdict(&rec, &now).blocker,
        Some(Blocker::ClockBehind(at("2021-01-02")))
    );
}

#[test]
fn calendar_edges() {
    let berlin = Tz::Europe__Berlin;
    let year = "P1Y".parse().unwrap();
    assert_eq!(
        due(in_zone("2024-02-29 15:00", berlin), year, berlin),
        in_zone("2025-03-01", berlin)
    );
    let month = "P1M".parse().unwrap();
    let ends = |from: &str| due(at(from), month, Tz::UTC);
    assert_eq!(ends("2024-01-31"), at("2024-03-01"));
    assert_eq!(ends("2023-01-31"), at("2023-03-01"));
    // The night of the change of clocks: one due instant, whatever the zone does with midnight.
    for zone in [
        berlin,
        Tz::America__Havana,
        Tz::America__Sao_Paulo,
        Tz::Asia__Beirut,
    ] {
        let mut last = Timestamp::ALWAYS;
        for hour in 0..24 * 400 {
            let from = Timestamp(at("2018-01-01").0 + hour * DAY / 24);
            let due = due(from, "P1D".parse().unwrap(), zone);
            assert!(last <= due && due > from, "{zone} {hour}");
            last = due;
        }
    }
}

#[test]
fn change_after_approval() {
    let mut world = World::of(&[delete(1, "P1Y"), by_label(delete(2, "P9Y"), 4)]);
    let (one, two, three) = (
        Rec::new(1, "2020-01-01"),
        Rec::new(2, "2020-01-01"),
        Rec::new(3, "2020-01-01"),
    );
    let day = present("2022-01-01");
    let list = listed(&world, &[&one, &two, &three], &day);
    assert_eq!(list.items().len(), 3);
    // Approved; then one is labelled, another is held, and the third stays as it was.
    world.place(hold(1), 2);
    let one = one.labelled(4, "2022-01-02");
    let two = Rec {
        tags: ALL | 2,
        ..two
    };
    let later = present("2022-02-01");
    let blocker = |rec: &Rec| world.verdict(rec, &later).blocker;
    assert_eq!(blocker(&one), Some(Blocker::NotDue(at("2029-01-02"))));
    assert_eq!(blocker(&two), Some(Blocker::Held(HoldNo(1))));
    assert_eq!(blocker(&three), None);
}

#[test]
fn author_cannot_approve() {
    let author = UserNo(7);
    let locked = PolicyVersion {
        lock: Lock::Governance(at("2030-01-01")),
        author,
        ..delete(1, "P1Y")
    };
    let free = PolicyVersion {
        lock: Lock::None,
        ..locked
    };
    let rec = Rec::new(1, "2020-01-01");
    let by = |version: PolicyVersion, who: UserNo| {
        let world = World::of(&[version]);
        let (row, items, barred) = frozen_list(&world, &[&rec], UserNo(1));
        assert_eq!(items.len(), 1);
        may_approve(&row, &barred, &[], who).is_ok()
    };
    assert!(!by(locked, author));
    assert!(by(free, author) && by(locked, UserNo(8)));
    // Nor does whoever asked for it, nor anybody twice.
    assert!(!by(free, UserNo(1)));
    let world = World::of(&[free]);
    let (row, _, barred) = frozen_list(&world, &[&rec], UserNo(1));
    let act = DispositionActRow {
        kind: ActKind::Approved,
        by: UserNo(8),
        at: at("2022-01-02"),
        message: None,
        until: None,
        text_no: None,
    };
    assert!(may_approve(&row, &barred, &[act], UserNo(8)).is_err());
    assert!(may_approve(&row, &barred, &[act], UserNo(9)).is_ok());
}

#[test]
fn sixty_reboots() {
    let mut state = clock::first(reading(at("2020-01-01"), 0, 0));
    let (mut credited, mut alarms) = (0, Vec::new());
    for start in 1..=60u8 {
        let wall = Timestamp(state.wall.0 + 7 * DAY);
        let step = clock::step(&state, reading(wall, 0, start));
        credited += step.credited;
        alarms.push(step.alarm.is_some());
        state = step.state;
    }
    assert_eq!(credited, clock::CREDIT_MICROS);
    assert_eq!(state.compliance, at("2020-01-08"));
    assert!(!alarms[0] && alarms[1..].iter().all(|alarm| *alarm));
}

#[test]
fn automatic_only_where_the_policy_opted_in() {
    let auto = PolicyVersion {
        disposition: Disposition::Auto,
        ..delete(1, "P1Y")
    };
    let rec = Rec::new(1, "2020-01-01");
    let verdict = World::of(&[auto, retain(2, "P1D")]).verdict(&rec, &present("2022-01-01"));
    assert_eq!(verdict.disposition, Disposition::Auto);
    let reviewed = World::of(&[delete(1, "P1Y")]).verdict(&rec, &present("2022-01-01"));
    assert_eq!(reviewed.disposition, Disposition::Reviewed(2));
}

#[test]
fn h8_a_hold_of_any_custodian_holds() {
    assert_eq!(HoldScope::Custodian(PersonNo(3)).object(), Some(3));
    let mut world = World::of(&[delete(1, "P1Y")]);
    world.place(hold(1), 4);
    let of_both = Rec {
        tags: ALL | 2 | 4,
        ..Rec::new(1, "2020-01-01")
    };
    let (verdict, reasons) = world.why(&of_both, &present("2024-01-01"));
    assert_eq!(verdict.held_by, Some(HoldNo(1)));
    assert!(
        reasons
            .iter()
            .any(|reason| matches!(reason, Reason::Held { .. }))
    );
}

#[test]
fn erasure_against_hold() {
    let mut world = World::of(&[PolicyVersion {
        trigger: Trigger::Sent,
        ..retain(1, "P7Y")
    }]);
    let old = Rec::new(1, "2010-01-01");
    let kept = Rec::new(2, "2020-01-01");
    let mut held = Rec::new(3, "2010-01-01");
    held.tags |= 2;
    world.place(hold(1), 2);
    let day = present("2024-01-01");
    let outcome =
        |world: &World, rec: &Rec, day: &Present| item_outcome(&world.verdict(rec, day), day);
    // No policy lets any of them go: the person's request is enough where nothing keeps it.
    assert_eq!(outcome(&world, &old, &day), ItemOutcome::Erase);
    let duty = ItemOutcome::Restrict {
        ground: Ground::LegalObligation,
        review: at("2027-01-02"),
    };
    assert_eq!(outcome(&world, &kept, &day), duty);
    let claims = ItemOutcome::Restrict {
        ground: Ground::LegalClaims(Some(HoldNo(1))),
        review: at("2024-06-29"),
    };
    assert_eq!(outcome(&world, &held, &day), claims);
    assert_eq!(Ground::LegalObligation.article(), "17(3)(b)");
    assert_eq!(Ground::LegalClaims(Some(HoldNo(1))).article(), "17(3)(e)");
    // The request resumes by itself: at the end of the duty, and of the grace of the hold.
    let later = present("2027-01-02");
    assert_eq!(outcome(&world, &kept, &later), ItemOutcome::Erase);
    world.holds[0].release = release(at("2024-02-01"));
    let grace = outcome(&world, &held, &present("2024-03-01"));
    assert!(matches!(grace, ItemOutcome::Restrict { .. }));
    assert_eq!(
        outcome(&world, &held, &present("2024-03-02")),
        ItemOutcome::Erase
    );
    let frozen = Present {
        frozen: Some(FreezeReason::Legal),
        ..day
    };
    assert_eq!(outcome(&world, &old, &frozen), ItemOutcome::Wait);
}
