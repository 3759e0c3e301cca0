//! Retention and destruction through the whole product, by a clock that can be moved.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/court.rs"]
mod court;
#[path = "../support/house.rs"]
mod house;
#[path = "../support/schema.rs"]
mod schema;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use court::{Court, blocked, court, holds_word, opened, policy};
use house::{Place, count, import};
use schema::Schema;
use wordkeep::app::{
    AppError, ConversationRequest, HoldTarget, HostClock, NewHold, NewPolicy, NewRequest,
    RequestAct, RequestCounts, RequestDecision, RequestLine, Review, SearchRequest, VerifyRequest,
    Witnesses, verify_certificate,
};
use wordkeep::archive::Milestones;
use wordkeep::domain::{
    Blocker, FreezeReason, Ground, HoldId, Lock, PolicyAction, RequestOutcome, Timestamp,
};

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

/// Ana Reis wrote every third of sixty messages, and wants everything gone; a hold protects one.
fn asked() -> (Court, HoldId, RequestLine) {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("askchat", 60)).unwrap();
    let held = court.one("askchatword3");
    let hold = court.hold(HoldTarget::Messages(vec![held]));
    let new = NewRequest {
        people: vec!["Ana Reis".to_owned()],
        reference: "letter 7".to_owned(),
        reason: "she wants everything gone".to_owned(),
        ..NewRequest::default()
    };
    assert!(matches!(
        app.add_request(&court.root, &new),
        Err(AppError::Auth(_))
    ));
    let (line, _) = app.add_request(&court.rec, &new).unwrap();
    let counts = RequestCounts {
        due: 19,
        restricted: 1,
        ..RequestCounts::default()
    };
    assert_eq!(line.counts, counts);
    assert_eq!(line.answer_by, line.received.plus_days(28));
    (court, hold, line)
}

#[test]
fn d6_what_a_request_restricts_is_hidden_from_ordinary_search() {
    let (court, _, _) = asked();
    let app = &court.appliance;
    // Hidden from everybody by ordinary means, and from the neighbours of other hits.
    assert_eq!(court.all(), 40);
    assert_eq!(count(app, &court.law, "askchatword3"), 0);
    let told = app.search(&court.law, &SearchRequest::new("askchatword3"));
    assert_eq!(told.unwrap().withheld, 1);
    let mut near = SearchRequest::new("askchatword4");
    near.context_lines = 2;
    let near = app.search(&court.law, &near).unwrap().answer;
    let shown = format!("{:?}{:?}", near.hits[0].before, near.hits[0].after);
    assert!(
        shown.contains("askchatword2") && !shown.contains("askchatword3"),
        "{shown}"
    );
    assert_eq!(
        count(app, &court.law, "askchatword4 w/2msg askchatword3"),
        0
    );
    let slice = |session| {
        let request = ConversationRequest {
            id: near.hits[0].conversation.id,
            around: None,
            since: None,
            until: None,
            limit: 100,
            zone: None,
        };
        app.conversation(session, &request).unwrap().messages.len()
    };
    assert_eq!(slice(&court.law), 40);
    // Nor do the list and the head of a conversation tell of it.
    let listed = |session| {
        let lines = app.conversations(session).unwrap();
        let line = lines
            .into_iter()
            .find(|line| line.id == near.hits[0].conversation.id);
        let line = line.unwrap();
        (line.messages, line.first, line.last)
    };
    let sent = |session| {
        let mut request = SearchRequest::new("*");
        request.limit = 100;
        let hits = app.search(session, &request).unwrap().answer.hits;
        let times: Vec<Timestamp> = hits.iter().map(|hit| hit.line.time.sent).collect();
        (
            times.len() as u64,
            times.iter().min().copied(),
            times.iter().max().copied(),
        )
    };
    assert_eq!(listed(&court.law), sent(&court.law));
    assert_eq!(listed(&court.law).0, 40);
    // Who has the right and asks for it sees it, and the log says so.
    let mut open = court.law.clone();
    open.restricted = true;
    assert_eq!(count(app, &open, "*"), 60);
    assert_eq!(slice(&open), 60);
    assert_eq!(listed(&open), sent(&open));
    let mut aud = house::log_in(app, "aud");
    aud.restricted = true;
    assert!(app.search(&aud, &SearchRequest::new("*")).is_err());
}

#[test]
fn d6_a_request_erases_what_nothing_keeps_and_goes_on_by_itself() {
    let (court, hold, line) = asked();
    let app = &court.appliance;
    // What is due goes the way of all lists, without any policy.
    let planned = app.plan_disposition(&court.rec).unwrap();
    assert_eq!((planned.items, planned.requested), (19, 19));
    court.approve(&court.second, planned.batch).unwrap();
    court.approve(&court.law, planned.batch).unwrap();
    court.clock.days(8);
    // One of them is refused after the approval, and drops out.
    let (_, items) = app.show_request(&court.rec, line.id).unwrap();
    let spared = items
        .iter()
        .find(|item| item.outcome == RequestOutcome::Due);
    let spared = spared.unwrap().message.unwrap();
    let refuse = RequestDecision {
        act: RequestAct::Refuse(Ground::LegalObligation),
        messages: vec![spared],
        review: None,
        reason: "an invoice".to_owned(),
    };
    app.decide_request(&court.rec, line.id, &refuse).unwrap();
    assert_eq!(court.all(), 41);
    let erased = app.run_disposition(&court.rec, planned.batch).unwrap();
    assert_eq!((erased.erased.len(), erased.dropped.len()), (18, 1));
    let document = app.certificate(&court.rec, planned.batch).unwrap();
    let certificate = verify_certificate(&document, app.archive().log_verifier()).unwrap();
    assert!(certificate.authority[0].citation.contains("art. 17"));
    assert_eq!(certificate.exceptions[0].reason, "called_back");
    let schema = Schema::parse(include_str!("../../schema/json/certificate.json"));
    let document = serde_json::from_slice(&document).unwrap();
    assert_eq!(schema.problems(&document), Vec::<String>::new());
    let counts = |court: &Court| court.appliance.requests(&court.rec).unwrap()[0].counts;
    let now = RequestCounts {
        due: 0,
        erased: 18,
        restricted: 1,
        refused: 1,
    };
    assert_eq!(counts(&court), now);
    // The hold ends: the request goes on by itself.
    app.release_hold(&court.law, hold, "settled").unwrap();
    app.release_hold(&court.rec, hold, "settled").unwrap();
    court.clock.days(29);
    assert_eq!(counts(&court), now);
    court.clock.days(2);
    assert_eq!(counts(&court).due, 1);
    assert_eq!(count(app, &court.law, "askchatword3"), 0);
    let planned = app.plan_disposition(&court.rec).unwrap();
    assert_eq!((planned.items, planned.requested), (1, 1));
    court.approve(&court.second, planned.batch).unwrap();
    if planned.reviewers > 1 {
        court.approve(&court.law, planned.batch).unwrap();
    }
    court.clock.days(8);
    app.run_disposition(&court.rec, planned.batch).unwrap();
    assert_eq!(counts(&court).erased, 19);
    assert!(!holds_word(
        &Place::new(court.dir.path()).data(),
        "askchatword3"
    ));
    let report = app
        .verify(&court.rec, &VerifyRequest::default(), &mut |_, _, _| ())
        .unwrap();
    assert!(report.exit_code() < 6, "{report:?}");
}

#[test]
fn d1_small_lists_of_one_day_add_up() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("daychat", 1_000)).unwrap();
    // One percent is ten messages. Four are few: one approval is enough.
    let wish = |first: usize| {
        let messages = (first..first + 4).map(|n| court.one(&format!("daychatword{n}")));
        let wish = NewRequest {
            messages: messages.collect(),
            reason: "the person wants them gone".to_owned(),
            ..NewRequest::default()
        };
        app.add_request(&court.rec, &wish).unwrap();
    };
    let plan = || {
        let planned = app.plan_disposition(&court.rec).unwrap();
        (planned.batch, planned.items, planned.reviewers)
    };
    wish(10);
    let (one, items, reviewers) = plan();
    assert_eq!((items, reviewers), (4, 1));
    // The next list of the same day is weighed together with the first.
    wish(20);
    let (same_day, items, reviewers) = plan();
    assert_eq!((items, reviewers), (8, 2));
    app.review_disposition(&court.law, same_day, Review::Cancel, "too many")
        .unwrap();
    court.clock.days(2);
    let (other_day, items, reviewers) = plan();
    assert_eq!((items, reviewers), (8, 1));
    court.approve(&court.law, one).unwrap();
    court.approve(&court.law, other_day).unwrap();
    court.clock.days(8);
    // Listed on different days and run on one, they meet at the door.
    app.run_disposition(&court.rec, one).unwrap();
    let why = blocked(app.run_disposition(&court.rec, other_day));
    assert!(why.contains("percent"), "{why}");
    court.clock.days(1);
    let erased = app.run_disposition(&court.rec, other_day).unwrap();
    assert_eq!(erased.erased.len(), 4);
    assert_eq!(count(app, &court.law, "*"), 992);
}
