//! Retention and destruction through the whole product, by a clock that can be moved.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/house.rs"]
mod house;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use house::{PASSWORD, Place, count, files_below, import, ios_export, log_in, plain_chat};
use wordkeep::app::{
    AppError, Appliance, HoldTarget, HostClock, NewHold, NewPolicy, Review, SearchRequest, Session,
    SystemClock, VerifyRequest, Witnesses, verify_certificate,
};
use wordkeep::archive::Milestones;
use wordkeep::domain::{
    BatchNo, Blocker, FreezeReason, Lock, MatterId, MessageId, Period, PolicyAction, PolicyId,
    Role, Timestamp,
};
use wordkeep::retention::clock::Reading;

/// The clocks of the host, moved forward by hand.
struct Moved {
    host: SystemClock,
    wall: AtomicI64,
    boot: AtomicI64,
}

impl Moved {
    fn new() -> Arc<Moved> {
        Arc::new(Moved {
            host: SystemClock::new([9; 16]),
            wall: AtomicI64::new(0),
            boot: AtomicI64::new(0),
        })
    }

    /// Time passes while the computer runs.
    fn days(&self, days: i64) {
        self.boot
            .fetch_add(days * Timestamp::MICROS_PER_DAY, Ordering::Relaxed);
        self.jump(days);
    }

    /// Somebody sets the wall clock.
    fn jump(&self, days: i64) {
        self.wall
            .fetch_add(days * Timestamp::MICROS_PER_DAY, Ordering::Relaxed);
    }
}

impl HostClock for Moved {
    fn reading(&self) -> Reading {
        let host = self.host.reading();
        Reading {
            wall: Timestamp(host.wall.0 + self.wall.load(Ordering::Relaxed)),
            boot_micros: host.boot_micros + self.boot.load(Ordering::Relaxed),
            boot_id: host.boot_id,
        }
    }
}

struct Court {
    dir: tempfile::TempDir,
    clock: Arc<Moved>,
    appliance: Appliance,
    root: Session,
    law: Session,
    rec: Session,
    second: Session,
}

fn court() -> Court {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    place.create().close().unwrap();
    let clock = Moved::new();
    let appliance = opened(&place, &clock);
    let root = log_in(&appliance, "root");
    appliance
        .add_user(&root, "rec2", Role::RecordsOfficer, PASSWORD, &[])
        .unwrap();
    Court {
        law: log_in(&appliance, "law"),
        rec: log_in(&appliance, "rec"),
        second: log_in(&appliance, "rec2"),
        dir,
        clock,
        root,
        appliance,
    }
}

fn opened(place: &Place, clock: &Arc<Moved>) -> Appliance {
    let witnesses = Witnesses {
        clock: Some(Arc::clone(clock) as Arc<dyn HostClock>),
        ..Witnesses::default()
    };
    place.open_watched(witnesses).unwrap()
}

impl Court {
    fn chat(&self, tag: &str, messages: usize) -> std::path::PathBuf {
        let folder = self.dir.path().join(tag);
        std::fs::create_dir_all(&folder).unwrap();
        ios_export(&folder, tag, &plain_chat(tag, messages), &[])
    }

    fn policy(&self, action: PolicyAction, years: u32, lock: Lock) -> PolicyId {
        let new = policy(action, years, lock);
        self.appliance.write_policy(&self.rec, &new).unwrap().0
    }

    fn enable(&self, id: PolicyId) {
        self.appliance.simulate_policy(&self.rec, id, None).unwrap();
        self.appliance
            .enable_policy(&self.rec, id, "decided by the board")
            .unwrap();
    }

    fn hold(&self, target: HoldTarget) -> wordkeep::domain::HoldId {
        let matter = match self.appliance.matters(&self.law).unwrap().first() {
            Some(matter) => matter.id,
            None => self.matter(),
        };
        let new = NewHold {
            matter,
            name: "claim".to_owned(),
            target,
            reason: "letter of 3 March".to_owned(),
            grace_days: None,
            keep_context: 0,
            zone: None,
            accept: Vec::new(),
        };
        self.appliance.place_hold(&self.law, &new).unwrap().id
    }

    fn matter(&self) -> MatterId {
        self.appliance
            .open_matter(&self.law, "Nordwind", "")
            .unwrap()
            .0
    }

    fn approve(&self, by: &Session, batch: BatchNo) -> Result<(), AppError> {
        let reason = "looked at the samples";
        self.appliance
            .review_disposition(by, batch, Review::Approve, reason)
            .map(drop)
    }

    fn one(&self, query: &str) -> MessageId {
        let answer = self
            .appliance
            .search(&self.law, &SearchRequest::new(query))
            .unwrap();
        answer.answer.hits[0].line.id
    }

    fn all(&self) -> u64 {
        count(&self.appliance, &self.law, "*")
    }
}

fn policy(action: PolicyAction, years: u32, lock: Lock) -> NewPolicy {
    NewPolicy {
        of: None,
        name: "chats".to_owned(),
        scope: "*".to_owned(),
        action,
        period: Period::years(years),
        zone: None,
        trigger: "sent".to_owned(),
        label: None,
        organisation: false,
        lock,
        reviewers: None,
        citation: "Art. 5".to_owned(),
        reason: "the board wants it".to_owned(),
        accept: Vec::new(),
    }
}

fn blocked<T: std::fmt::Debug>(result: Result<T, AppError>) -> String {
    match result.unwrap_err() {
        AppError::Blocked(why) => why,
        other => panic!("not blocked: {other:?}"),
    }
}

fn holds_word(root: &Path, word: &str) -> bool {
    files_below(root).iter().any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    })
}

#[test]
fn d1_what_is_due_is_listed_reviewed_recalled_destroyed_and_certified() {
    let court = court();
    let app = &court.appliance;
    let (gone, kept) = (court.chat("oldchat", 60), court.chat("heldchat", 60));
    import(app, &court.root, &gone).unwrap();
    import(app, &court.root, &kept).unwrap();
    court.hold(HoldTarget::Query("heldchat*".to_owned()));
    let id = court.policy(PolicyAction::Delete, 1, Lock::None);
    assert!(blocked(app.enable_policy(&court.rec, id, "now")).contains("simulation"));
    court.enable(id);
    // Thirty days after it came in, nothing may go.
    assert!(blocked(app.plan_disposition(&court.rec)).contains("no policy in force"));
    court.clock.days(31);
    let planned = app.plan_disposition(&court.rec).unwrap();
    assert!(planned.items > 0 && planned.held > 0, "{planned:?}");
    assert_eq!(planned.items + planned.held, court.all());
    let batch = planned.batch;
    // More than one percent goes: two people, and never the one who asked.
    assert_eq!(planned.reviewers, 2);
    assert!(blocked(court.approve(&court.rec, batch)).contains("cannot approve"));
    court.approve(&court.second, batch).unwrap();
    assert!(blocked(court.approve(&court.second, batch)).contains("already"));
    assert!(blocked(app.run_disposition(&court.rec, batch)).contains("1 of 2"));
    court.approve(&court.law, batch).unwrap();
    assert!(blocked(app.run_disposition(&court.rec, batch)).contains("recall"));
    court.clock.days(8);
    // A hold that comes in the recall window rescues its message.
    let rescued = court.one("oldchatword7");
    court.hold(HoldTarget::Messages(vec![rescued]));
    let before = court.all();
    let erased = app.run_disposition(&court.rec, batch).unwrap();
    assert_eq!(erased.dropped.len(), 1, "{:?}", erased.dropped);
    assert_eq!(erased.erased.len() as u64, planned.items - 1);
    assert!(erased.residue.is_clean(), "{:?}", erased.residue);
    assert_eq!(court.all(), before - (planned.items - 1));
    assert_eq!(court.one("oldchatword7"), rescued);
    let why = app.why(&court.law, rescued, None).unwrap();
    assert!(matches!(why.verdict.blocker, Some(Blocker::Held(_))));
    // The certificate proves itself, and no byte of it can change.
    let document = app.certificate(&court.rec, batch).unwrap();
    let key = app.archive().log_verifier();
    let certificate = verify_certificate(&document, key).unwrap();
    assert_eq!(certificate.items.len() as u64, planned.items - 1);
    assert_eq!(certificate.exceptions.len(), 1);
    assert_eq!(certificate.number, 1);
    assert!(
        certificate
            .items
            .iter()
            .all(|item| certificate.names(&item.id))
    );
    for at in (0..document.len()).step_by(7) {
        let mut changed = document.clone();
        changed[at] ^= 1;
        assert!(verify_certificate(&changed, key).is_err(), "byte {at}");
    }
    // What was destroyed does not come back, and the books agree.
    let again = import(app, &court.root, &gone).unwrap();
    assert_eq!(again.counts.fresh, 0, "{:?}", again.counts);
    assert!(!holds_word(
        &Place::new(court.dir.path()).data(),
        "oldchatword9"
    ));
    let report = app
        .verify(&court.rec, &VerifyRequest::default(), &mut |_, _, _| ())
        .unwrap();
    assert!(report.exit_code() < 6, "{report:?}");
}

#[test]
fn h7_a_compliance_lock_yields_to_nobody_and_weakening_takes_two_and_seven_days() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("locked", 20)).unwrap();
    let until = Timestamp(app.now().compliance.0).plus_days(3_650);
    let id = court.policy(PolicyAction::Retain, 10, Lock::Compliance(until));
    court.enable(id);
    let shorter = NewPolicy {
        of: Some(id),
        ..policy(PolicyAction::Retain, 1, Lock::Compliance(until))
    };
    app.write_policy(&court.rec, &shorter).unwrap();
    app.simulate_policy(&court.second, id, None).unwrap();
    assert!(blocked(app.enable_policy(&court.second, id, "shorter")).contains("compliance lock"));
    assert!(blocked(app.disable_policy(&court.second, id, "away")).contains("compliance lock"));
    let longer = NewPolicy {
        of: Some(id),
        ..policy(PolicyAction::Retain, 12, Lock::Compliance(until))
    };
    app.write_policy(&court.rec, &longer).unwrap();
    court.enable(id);
    // Without a lock: another person, and seven days.
    let free = court.policy(PolicyAction::Retain, 5, Lock::None);
    court.enable(free);
    assert!(blocked(app.disable_policy(&court.rec, free, "away")).contains("another"));
    let ended = app.disable_policy(&court.second, free, "away").unwrap();
    assert!(ended.counts_from >= app.now().compliance.plus_days(6));
    let in_force = |id| {
        let lines = app.policies(&court.rec).unwrap();
        lines.iter().find(|line| line.id == id).unwrap().in_force
    };
    assert!(in_force(free).is_some());
    court.clock.days(8);
    assert!(in_force(free).is_none());
    assert!(in_force(id).is_some());
}

#[test]
fn h7_a_lock_from_the_last_activity_outlives_what_was_said_last() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("lastly", 20)).unwrap();
    let until = Timestamp(app.now().compliance.0).plus_days(3_650);
    let lock = NewPolicy {
        trigger: "last_activity".to_owned(),
        scope: "lastlyword3".to_owned(),
        ..policy(PolicyAction::Retain, 20, Lock::Compliance(until))
    };
    let id = app.write_policy(&court.rec, &lock).unwrap().0;
    court.enable(id);
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    let locked = court.one("lastlyword3");
    let promised = app
        .why(&court.law, locked, None)
        .unwrap()
        .verdict
        .locked_until;
    assert!(promised > app.now().compliance);
    court.clock.days(31);
    let batch = app.plan_disposition(&court.rec).unwrap().batch;
    court.approve(&court.second, batch).unwrap();
    court.approve(&court.law, batch).unwrap();
    court.clock.days(8);
    app.run_disposition(&court.rec, batch).unwrap();
    assert_eq!(
        court.all(),
        1,
        "everything else was said later, or earlier, and is gone"
    );
    let kept = app
        .why(&court.law, locked, None)
        .unwrap()
        .verdict
        .locked_until;
    assert_eq!(kept, promised);
}

#[test]
fn h5_a_hold_on_what_is_gone_is_answered_with_its_list_and_certificate() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("gone", 20)).unwrap();
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    let gone = court.one("goneword3");
    court.clock.days(31);
    let batch = app.plan_disposition(&court.rec).unwrap().batch;
    court.approve(&court.second, batch).unwrap();
    court.approve(&court.law, batch).unwrap();
    court.clock.days(8);
    app.run_disposition(&court.rec, batch).unwrap();
    let new = NewHold {
        matter: court.matter(),
        name: "claim".to_owned(),
        target: HoldTarget::Messages(vec![gone]),
        reason: "letter of 3 March".to_owned(),
        grace_days: None,
        keep_context: 0,
        zone: None,
        accept: Vec::new(),
    };
    match app.place_hold(&court.law, &new) {
        Err(AppError::Conflict(why)) => assert!(why.contains("list 1, certificate 1"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn d3_a_freeze_stops_an_approved_list_and_two_lift_it() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("frozen", 20)).unwrap();
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    court.clock.days(31);
    let batch = app.plan_disposition(&court.rec).unwrap().batch;
    court.approve(&court.second, batch).unwrap();
    court.approve(&court.law, batch).unwrap();
    court.clock.days(8);
    let (freeze, _) = app.freeze(&court.law, "litigation expected").unwrap();
    assert!(blocked(app.run_disposition(&court.rec, batch)).contains("frozen"));
    assert!(
        !app.lift_freeze(&court.law, freeze, "counsel agreed")
            .unwrap()
            .0
    );
    assert!(blocked(app.run_disposition(&court.rec, batch)).contains("frozen"));
    assert!(app.lift_freeze(&court.second, freeze, "agreed").unwrap().0);
    assert!(
        !app.run_disposition(&court.rec, batch)
            .unwrap()
            .erased
            .is_empty()
    );
}

/// Dies once, right after a purge has written down what it is about to do.
struct DiesOnce(AtomicBool);

impl Milestones for DiesOnce {
    fn reached(&self, name: &'static str) {
        let dies = name == "erase.intended" && !self.0.swap(true, Ordering::Relaxed);
        assert!(!dies, "died on purpose");
    }
}

#[test]
fn d7_a_list_whose_destruction_has_begun_is_not_reviewed_any_more_and_finishes() {
    let court = court();
    import(&court.appliance, &court.root, &court.chat("begun", 20)).unwrap();
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    court.clock.days(31);
    let batch = court.appliance.plan_disposition(&court.rec).unwrap().batch;
    court.approve(&court.second, batch).unwrap();
    court.approve(&court.law, batch).unwrap();
    court.clock.days(8);
    let place = Place::new(court.dir.path());
    let watched = Witnesses {
        clock: Some(Arc::clone(&court.clock) as Arc<dyn HostClock>),
        milestones: Some(Arc::new(DiesOnce(AtomicBool::new(false)))),
        ..Witnesses::default()
    };
    let Court {
        dir,
        appliance,
        law,
        rec,
        ..
    } = court;
    appliance.close().unwrap();
    drop(appliance);
    let reopened = place.open_watched(watched).unwrap();
    let app = &reopened;
    let run = std::panic::AssertUnwindSafe(|| app.run_disposition(&rec, batch));
    assert!(std::panic::catch_unwind(run).is_err());
    let cancel = app.review_disposition(&law, batch, Review::Cancel, "wrong day");
    assert!(matches!(cancel, Err(AppError::Conflict(_))), "{cancel:?}");
    assert!(!app.run_disposition(&rec, batch).unwrap().erased.is_empty());
    assert_eq!(count(app, &law, "*"), 0);
    drop(dir);
}

#[test]
fn clock_jump_freezes() {
    let court = court();
    court.clock.jump(3_650);
    court.appliance.close().unwrap();
    let freezes = court.appliance.freezes(&court.rec).unwrap();
    assert_eq!(freezes.len(), 1);
    assert_eq!(freezes[0].reason, FreezeReason::ClockDoubt);
    let now = court.appliance.now();
    assert!(
        now.compliance.plus_days(3_000) < now.wall,
        "compliance time did not follow"
    );
    // Again is no second freeze; the next process stays behind too.
    court.clock.jump(1);
    court.appliance.close().unwrap();
    assert_eq!(court.appliance.freezes(&court.rec).unwrap().len(), 1);
    drop(court.appliance);
    let again = opened(&Place::new(court.dir.path()), &court.clock);
    let now = again.now();
    assert!(now.compliance.plus_days(3_000) < now.wall);
}

#[test]
fn h12_release_takes_two_and_the_grace_protects() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("grace", 20)).unwrap();
    let hold = court.hold(HoldTarget::Query("graceword*".to_owned()));
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    court.clock.days(31);
    let due = |court: &Court| court.appliance.plan_disposition(&court.rec);
    assert!(blocked(due(&court)).contains("holds protect all"));
    app.release_hold(&court.law, hold, "settled").unwrap();
    assert!(blocked(app.release_hold(&court.law, hold, "settled")).contains("another"));
    app.release_hold(&court.rec, hold, "settled").unwrap();
    court.clock.days(29);
    assert!(blocked(due(&court)).contains("holds protect all"));
    court.clock.days(2);
    assert_eq!(due(&court).unwrap().items, court.all());
}
