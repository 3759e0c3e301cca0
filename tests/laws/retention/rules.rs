//! Edits, frozen lists and the words of reasons: what stands around the verdict.

use wordkeep::domain::{
    BatchNo, Blocker, Disposition, Level, Lock, MessageNo, Now, PolicyAction, PolicyState,
    PolicyVersion, Reason, Timestamp, Trigger, UserNo,
};
use wordkeep::domain::{ConversationNo, ImportNo, Kind, Presence};
use wordkeep::retention::{
    DayShare, Draft, Edit, Present, RetentionError, ScopeChange, Weakening, approved_under, barred,
    check_version, edit, may_enable, remaining, weakenings,
};
use wordkeep::store::{
    ActKind, DispositionActRow, DispositionItemRow, DispositionRow, DispositionState, Epochs,
    MessageRow, SimulationRow,
};

use super::world::{MANY, Rec, World, at, hold, key, policy, present};

/// A message row of a record.
fn row(rec: &Rec) -> MessageRow {
    MessageRow {
        no: MessageNo(rec.no),
        conversation: ConversationNo(1),
        sender: None,
        import: ImportNo(1),
        sent: rec.sent,
        order: 0,
        kind: Kind::Text,
        presence: Presence::default(),
        version: 3,
        reply_to: None,
    }
}

/// What of some records may go, as a list.
pub fn listed(world: &World, recs: &[&Rec], present: &Present) -> Draft {
    let mut draft = Draft::new();
    for rec in recs {
        draft.add(&row(rec), &world.verdict(rec, present));
    }
    draft
}

/// A list frozen on 1 January 2022, and who may not approve it.
pub fn frozen_list(
    world: &World,
    recs: &[&Rec],
    by: UserNo,
) -> (DispositionRow, Vec<DispositionItemRow>, Vec<UserNo>) {
    let draft = listed(world, recs, &present("2022-01-01"));
    let now = present("2022-01-01").now;
    let (mut row, items) = draft.freeze(now, by, Epochs::default(), MANY, 1);
    row.batch = BatchNo(5);
    let barred = barred(&world.rules(), &items);
    (row, items, barred)
}

fn act(kind: ActKind, by: u32, day: &str, message: Option<u64>) -> DispositionActRow {
    DispositionActRow {
        kind,
        by: UserNo(by),
        at: at(day),
        message: message.map(MessageNo),
        until: None,
        text_no: None,
    }
}

fn now(day: &str) -> Now {
    present(day).now
}

#[test]
fn d1_d3_a_list_needs_its_reviewers_and_its_window() {
    let world = World::of(&[policy(1, PolicyAction::Delete, "P1Y")]);
    let (one, two) = (Rec::new(1, "2020-01-01"), Rec::new(2, "2020-02-01"));
    let rules = world.rules();
    let (row, items, _) = frozen_list(&world, &[&one, &two], UserNo(1));
    assert_eq!((row.reviewers, row.items), (2, 2));
    let approve = |by, day| act(ActKind::Approved, by, day, None);
    let tried = |acts: &[DispositionActRow], day: &str| {
        approved_under(&rules, &row, &items, acts, now(day))
    };
    let one_person = [approve(2, "2022-01-02")];
    assert!(matches!(
        tried(&one_person, "2022-03-01"),
        Err(RetentionError::NotApproved(_))
    ));
    let both = [approve(2, "2022-01-02"), approve(3, "2022-01-05")];
    assert!(tried(&both, "2022-01-11").is_err());
    assert_eq!(tried(&both, "2022-01-12").unwrap().get().items.len(), 2);
    // What a reviewer took off is not in the plan; a cancelled list makes no plan.
    let mut acts = both.to_vec();
    acts.push(act(ActKind::Extended, 2, "2022-01-06", Some(1)));
    let plan = tried(&acts, "2022-01-12").unwrap();
    assert_eq!(plan.get().items[0].no, MessageNo(2));
    assert_eq!((plan.get().batch, plan.get().items[0].revision), (5, 3));
    assert_eq!(remaining(&items, &acts).len(), 1);
    acts.push(act(ActKind::Cancelled, 2, "2022-01-06", None));
    assert!(matches!(
        tried(&acts, "2022-01-12"),
        Err(RetentionError::Refused(_))
    ));
    // A list that was changed since is no list.
    let mut altered = items.clone();
    altered[0].revision = 9;
    assert!(matches!(
        approved_under(&rules, &row, &altered, &both, now("2022-01-12")),
        Err(RetentionError::Malformed(_))
    ));
    let closed = DispositionRow {
        state: DispositionState::Certified,
        ..row
    };
    assert!(approved_under(&rules, &closed, &items, &both, now("2022-01-12")).is_err());
}

#[test]
fn d1_many_at_once_need_one_more() {
    let world = World::of(&[policy(1, PolicyAction::Delete, "P1Y")]);
    let rec = Rec::new(1, "2020-01-01");
    let reviewers = |live: u64, listed_today: u64| {
        let draft = listed(&world, &[&rec], &present("2022-01-01"));
        let share = DayShare {
            live,
            listed: listed_today,
        };
        let frozen = draft.freeze(now("2022-01-01"), UserNo(1), Epochs::default(), share, 1);
        frozen.0.reviewers
    };
    assert_eq!((reviewers(100, 0), reviewers(99, 0)), (2, 3));
    // Small lists one after the other are no way around it.
    assert_eq!((reviewers(200, 1), reviewers(200, 2)), (2, 3));
}

#[test]
fn d1_only_what_is_eligible_is_listed_and_once() {
    let mut world = World::of(&[policy(1, PolicyAction::Delete, "P1Y")]);
    world.place(hold(1), 2);
    let free = Rec::new(1, "2020-01-01");
    let held = Rec {
        tags: 3,
        ..Rec::new(2, "2020-01-01")
    };
    let young = Rec::new(3, "2021-12-01");
    let list = listed(
        &world,
        &[&free, &free, &held, &young],
        &present("2022-01-01"),
    );
    let listed: Vec<u64> = list.items().iter().map(|item| item.message.0).collect();
    assert_eq!(listed, [1]);
}

#[test]
fn h7_only_growth_is_no_weakening() {
    let base = PolicyVersion {
        lock: Lock::Compliance(at("2030-01-01")),
        ..policy(1, PolicyAction::RetainThenDelete, "P6Y")
    };
    let ways = |after: PolicyVersion, scope| weakenings(&base, &after, scope);
    let same = ScopeChange::Same;
    let longer = PolicyVersion {
        period: "P7Y".parse().unwrap(),
        ..base
    };
    assert_eq!(ways(longer, same), []);
    let only_keeps = PolicyVersion {
        action: PolicyAction::Retain,
        ..base
    };
    assert_eq!(ways(only_keeps, ScopeChange::Wider), []);
    assert_eq!(ways(base, ScopeChange::Wider), [Weakening::LetsMoreGo]);
    assert_eq!(ways(base, ScopeChange::Other), [Weakening::NarrowerScope]);
    let softer = PolicyVersion {
        lock: Lock::Compliance(at("2029-01-01")),
        ..base
    };
    assert_eq!(ways(softer, same), [Weakening::Lock]);
    let governance = PolicyVersion {
        lock: Lock::Governance(at("2040-01-01")),
        ..base
    };
    assert_eq!(ways(governance, same), [Weakening::Lock]);
    let alone = PolicyVersion {
        disposition: Disposition::Reviewed(1),
        ..base
    };
    assert_eq!(ways(alone, same), [Weakening::FewerReviewers]);
    let auto = PolicyVersion {
        disposition: Disposition::Auto,
        ..base
    };
    assert_eq!(ways(auto, same), [Weakening::FewerReviewers]);
    let no_keeping = PolicyVersion {
        action: PolicyAction::Delete,
        ..base
    };
    assert_eq!(ways(no_keeping, same), [Weakening::Action]);
    let elsewhere = PolicyVersion {
        trigger: Trigger::Event(key(1)),
        zone: chrono_tz::Tz::Asia__Tokyo,
        level: Level::Scoped,
        ..base
    };
    assert_eq!(
        ways(elsewhere, same),
        [Weakening::Trigger, Weakening::Zone, Weakening::Level]
    );
    let disabled = PolicyVersion {
        state: PolicyState::Disabled,
        ..base
    };
    assert_eq!(ways(disabled, same), [Weakening::Disabled]);
}

#[test]
fn h7_what_an_edit_needs() {
    let day = at("2021-01-01");
    let base = policy(1, PolicyAction::Delete, "P6Y");
    let longer = PolicyVersion {
        period: "P7Y".parse().unwrap(),
        ..base
    };
    let same = ScopeChange::Same;
    assert_eq!(edit(None, &base, same, day), Edit::Strengthens);
    assert_eq!(edit(Some(&base), &longer, same, day), Edit::Strengthens);
    let weak = Edit::Weakens {
        ways: vec![Weakening::ShorterPeriod],
        earliest: at("2021-01-08"),
        bypass: false,
    };
    assert_eq!(edit(Some(&longer), &base, same, day), weak);
    // A wider scope keeps all that was kept: no lock forbids it, and it still waits.
    let locked = PolicyVersion {
        lock: Lock::Compliance(at("2030-01-01")),
        ..policy(1, PolicyAction::RetainThenDelete, "P6Y")
    };
    let wider = edit(Some(&locked), &locked, ScopeChange::Wider, day);
    assert!(matches!(wider, Edit::Weakens { bypass: false, .. }));
    // Ending a default that only lets go lets nothing more go; at a nearer level it might.
    let ends = |version: PolicyVersion| {
        let after = PolicyVersion {
            state: PolicyState::Disabled,
            ..version
        };
        weakenings(&version, &after, same).is_empty()
    };
    let nearer = PolicyVersion {
        level: Level::Scoped,
        ..base
    };
    assert!(ends(base) && !ends(nearer));
}

#[test]
fn rec_1_why_names_everything() {
    let mut world = World::of(&[
        policy(1, PolicyAction::Retain, "P10Y"),
        PolicyVersion {
            lock: Lock::Compliance(at("2030-01-01")),
            ..policy(2, PolicyAction::Retain, "P2Y")
        },
        policy(3, PolicyAction::Delete, "P1Y"),
        policy(4, PolicyAction::Delete, "P3Y"),
    ]);
    world.place(hold(1), 1);
    world.place(hold(2), 1);
    let rec = Rec {
        extended_until: at("2021-01-01"),
        locked_until: at("2020-01-01"),
        ..Rec::new(1, "2015-01-01").labelled(9, "2016-01-01")
    };
    let (verdict, reasons) = world.why(&rec, &present("2024-01-01"));
    let count = |wanted: &dyn Fn(&Reason) -> bool| reasons.iter().filter(|r| wanted(r)).count();
    assert_eq!(count(&|r| matches!(r, Reason::Retains { .. })), 2);
    assert_eq!(count(&|r| matches!(r, Reason::Locks { .. })), 1);
    assert_eq!(count(&|r| matches!(r, Reason::Deletes { .. })), 2);
    assert_eq!(
        count(&|r| matches!(r, Reason::Deletes { wins: true, .. })),
        1
    );
    assert_eq!(count(&|r| matches!(r, Reason::Held { .. })), 2);
    for wanted in [
        |r: &Reason| matches!(r, Reason::Labelled { own: true, .. }),
        |r: &Reason| matches!(r, Reason::Extended { .. }),
        |r: &Reason| matches!(r, Reason::LockRecorded { .. }),
        |r: &Reason| matches!(r, Reason::Floor { .. }),
        |r: &Reason| matches!(r, Reason::Clock { trusted: true, .. }),
        |r: &Reason| {
            matches!(
                r,
                Reason::Outcome {
                    blocker: Some(Blocker::Held(_))
                }
            )
        },
    ] {
        assert_eq!(count(&wanted), 1);
    }
    // Asking for reasons never changes the verdict.
    assert_eq!(verdict, world.verdict(&rec, &present("2024-01-01")));
    assert_eq!(verdict.due, Timestamp(verdict.retain_until.0));
}

#[test]
fn h6_enabling_needs_a_simulation_newer_than_the_last_change() {
    let epochs = Epochs { hold: 3, rule: 8 };
    let ran = SimulationRow {
        policy: policy(1, PolicyAction::Delete, "P1Y").id,
        epochs,
        ran: at("2022-01-01"),
        ran_by: UserNo(1),
        as_of: at("2022-01-01"),
        records: 1,
        eligible: 1,
        text_no: 1,
    };
    assert!(may_enable(Some(&ran), epochs).is_ok());
    assert!(may_enable(None, epochs).is_err());
    for newer in [Epochs { hold: 4, ..epochs }, Epochs { rule: 9, ..epochs }] {
        assert!(may_enable(Some(&ran), newer).is_err());
    }
}

#[test]
fn h1_what_does_not_go_together_is_refused() {
    let good = policy(1, PolicyAction::Retain, "P1Y");
    assert!(check_version(&good).is_ok());
    for version in [
        PolicyVersion {
            disposition: Disposition::Reviewed(0),
            ..good
        },
        PolicyVersion {
            disposition: Disposition::Reviewed(6),
            ..good
        },
        PolicyVersion {
            trigger: Trigger::LabelApplied,
            ..good
        },
        PolicyVersion {
            action: PolicyAction::Delete,
            lock: Lock::Compliance(at("2030-01-01")),
            ..good
        },
    ] {
        assert!(check_version(&version).is_err());
    }
}
