//! Scenarios of holds, purges, clocks, restores and a log that cannot be written, through the whole
//! product. Each test bears the name of its scenario; those that need rules alone stand in
//! `tests/laws/retention`, kills in `tests/crash`, those of one purge in `src/archive/erase`.
#![expect(
    clippy::unwrap_used,
    reason = "a scenario whose world cannot be set up must fail"
)]

#[path = "../support/chance.rs"]
mod chance;
#[path = "../support/court.rs"]
mod court;
#[path = "../support/house.rs"]
mod house;

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chance::Chance;
use court::{Court, Moved, blocked, court, opened, policy};
use house::{Place, count, import, log_in, secret};
use wordkeep::app::export::ExportRequest;
use wordkeep::app::{
    AppError, Appliance, BackupRequest, ConversationRequest, HoldTarget, HostClock, NewPolicy,
    NewRequest, NewSecret, RestoreOrder, RestoreReceipt, SearchRequest, Session, Standing,
    Witnesses, restore_backup,
};
use wordkeep::archive::{Archive, Milestones};
use wordkeep::crypto::{RecoveryKey, StretchCost};
use wordkeep::domain::{BatchNo, FreezeReason, HoldId, Lock, MessageId, PolicyAction};
use wordkeep::query::Code;
use wordkeep::retention::keep;
use wordkeep::store::KeyKind;

/// Stops a purge at a point until somebody else has done something.
struct Meets {
    at: &'static str,
    done: AtomicBool,
    here: SyncSender<()>,
    on: Mutex<Receiver<()>>,
}

impl Milestones for Meets {
    fn reached(&self, name: &'static str) {
        if name == self.at && !self.done.swap(true, Ordering::Relaxed) {
            self.here.send(()).unwrap();
            self.on.lock().unwrap().recv().unwrap();
        }
    }
}

/// A court with a list of everything that is approved and out of its recall window.
fn ready(tag: &str, messages: usize) -> (Court, BatchNo, u64) {
    let court = court();
    import(&court.appliance, &court.root, &court.chat(tag, messages)).unwrap();
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    court.clock.days(31);
    let planned = court.appliance.plan_disposition(&court.rec).unwrap();
    court.approve(&court.second, planned.batch).unwrap();
    court.approve(&court.law, planned.batch).unwrap();
    court.clock.days(8);
    (court, planned.batch, planned.items)
}

impl Court {
    /// The same house, opened again with somebody who watches.
    fn watched(mut self, milestones: Arc<dyn Milestones>) -> Court {
        let place = Place::new(self.dir.path());
        let witnesses = Witnesses {
            clock: Some(Arc::clone(&self.clock) as Arc<dyn HostClock>),
            milestones: Some(milestones),
            ..Witnesses::default()
        };
        self.appliance.close().unwrap();
        drop(self.appliance);
        self.appliance = place.open_watched(witnesses).unwrap();
        self
    }

    /// Runs a list; when it reaches `at`, `act` happens before it goes on.
    fn while_purging<T>(
        self,
        batch: BatchNo,
        at: &'static str,
        act: impl FnOnce(&Court) -> T,
    ) -> (Court, Result<wordkeep::archive::Erased, AppError>, T) {
        let (here, reached) = sync_channel(1);
        let (go, on) = sync_channel(1);
        let court = self.watched(Arc::new(Meets {
            at,
            done: AtomicBool::new(false),
            here,
            on: Mutex::new(on),
        }));
        let (erased, acted) = std::thread::scope(|scope| {
            let run = scope.spawn(|| court.appliance.run_disposition(&court.rec, batch));
            reached.recv_timeout(Duration::from_secs(60)).unwrap();
            let acted = act(&court);
            go.send(()).unwrap();
            (run.join().unwrap(), acted)
        });
        (court, erased, acted)
    }

    fn try_hold(&self, target: HoldTarget) -> Result<HoldId, AppError> {
        let matter = match self.appliance.matters(&self.law)?.first() {
            Some(matter) => matter.id,
            None => self.matter(),
        };
        let new = court::new_hold(matter, target);
        self.appliance
            .place_hold(&self.law, &new)
            .map(|placed| placed.id)
    }

    /// Destroys messages because somebody asked for it.
    fn erase_on_request(&self, messages: &[MessageId]) -> BatchNo {
        let new = NewRequest {
            messages: messages.to_vec(),
            reason: "the person wants them gone".to_owned(),
            ..NewRequest::default()
        };
        self.appliance.add_request(&self.rec, &new).unwrap();
        let planned = self.appliance.plan_disposition(&self.rec).unwrap();
        assert_eq!(planned.items, messages.len() as u64);
        self.approve(&self.second, planned.batch).unwrap();
        if planned.reviewers > 1 {
            self.approve(&self.law, planned.batch).unwrap();
        }
        self.clock.days(8);
        self.appliance
            .run_disposition(&self.rec, planned.batch)
            .unwrap();
        planned.batch
    }
}

#[test]
fn hold_races_purge() {
    // A millisecond before the decision: what it names survives.
    let (court, batch, items) = ready("racechat", 30);
    let wanted = court.one("racechatword7");
    let (court, erased, _) = court.while_purging(batch, "erase.read_back", |court| {
        court.hold(HoldTarget::Messages(vec![wanted]));
        court.hold(HoldTarget::Query("racechatword8".to_owned()));
    });
    let erased = erased.unwrap();
    assert_eq!(erased.erased.len() as u64, items - 2);
    assert!(
        erased
            .dropped
            .iter()
            .all(|(_, reason)| reason.code == keep::HELD)
    );
    assert_eq!(court.one("racechatword7"), wanted);
    assert_eq!(court.all(), 2);
    // A millisecond after: it is told what became of it.
    let (court, batch, items) = ready("racechat", 30);
    let wanted = court.one("racechatword7");
    let (court, erased, late) = court.while_purging(batch, "erase.decided", |court| {
        court.try_hold(HoldTarget::Messages(vec![wanted]))
    });
    assert_eq!(erased.unwrap().erased.len() as u64, items);
    let late = late.unwrap_err();
    assert!(matches!(late, AppError::Conflict(_)), "{late:?}");
    assert!(late.to_string().contains("already disposed of"), "{late}");
    let later = court
        .try_hold(HoldTarget::Messages(vec![wanted]))
        .unwrap_err();
    assert!(later.to_string().contains("certificate 1"), "{later}");
    assert_eq!(court.all(), 0);
}

#[test]
fn hold_races_purge_at_any_moment() {
    let mut chance = Chance::new(9);
    for round in 0..6 {
        let (court, batch, items) = ready("dashchat", 40);
        let ids: Vec<MessageId> = ["dashchatword3", "dashchatword11", "dashchatword29"]
            .map(|word| court.one(word))
            .to_vec();
        let pause = Duration::from_micros(chance.below(120_000) as u64);
        let by_query = round % 2 == 1;
        let target = match by_query {
            true => {
                HoldTarget::Query("dashchatword3 OR dashchatword11 OR dashchatword29".to_owned())
            }
            false => HoldTarget::Messages(ids.clone()),
        };
        let (erased, held) = std::thread::scope(|scope| {
            let run = scope.spawn(|| court.appliance.run_disposition(&court.rec, batch));
            std::thread::sleep(pause);
            let held = court.try_hold(target);
            (run.join().unwrap().unwrap(), held)
        });
        // There is no third outcome: all of them live, or all of them are gone.
        let alive = court.all();
        let told = format!("round {round} after {pause:?}: {alive} of {items} live, {held:?}");
        assert_eq!(alive, erased.dropped.len() as u64, "{told}");
        match (alive, by_query, held) {
            (3, _, Ok(_)) | (0, true, Ok(_)) => {}
            (0, false, Err(AppError::Conflict(_))) => {}
            _ => panic!("{told}"),
        }
    }
}

#[test]
fn clock_back_in_batch() {
    let (court, batch, items) = ready("backchat", 30);
    let clock = Arc::clone(&court.clock);
    let (court, erased, ()) = court.while_purging(batch, "erase.intended", move |_| clock.jump(-1));
    let error = erased.unwrap_err().to_string();
    assert!(error.contains("clock is in doubt"), "{error}");
    let app = &court.appliance;
    assert_eq!(court.all(), items);
    assert!(matches!(
        app.certificate(&court.rec, batch),
        Err(AppError::NotFound(_))
    ));
    let freezes = app.freezes(&court.rec).unwrap();
    assert_eq!(freezes[0].reason, FreezeReason::ClockDoubt);
    // Set right, and two people let it go on: the same list ends as it should.
    court.clock.jump(1);
    app.check().unwrap();
    assert!(blocked(app.run_disposition(&court.rec, batch)).contains("frozen"));
    app.lift_freeze(&court.law, freezes[0].no, "clock set right")
        .unwrap();
    app.lift_freeze(&court.rec, freezes[0].no, "seen").unwrap();
    app.run_disposition(&court.rec, batch).unwrap();
    assert_eq!(court.all(), 0);
    app.certificate(&court.rec, batch).unwrap();
}

#[test]
fn restore_before_purge() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("oldcopy", 40)).unwrap();
    let (recovery, _) = app.create_recovery_key(&court.root).unwrap();
    app.test_recovery_key(&court.root, &recovery).unwrap();
    let target = court.dir.path().join("target");
    let backup = app
        .create_backup(
            &court.root,
            &BackupRequest {
                target: target.clone(),
                escrow_targets: Vec::new(),
            },
            &mut |_, _, _| (),
        )
        .unwrap();
    // All of this is newer than the backup: a purge, a hold, a policy, a restriction.
    let doomed: Vec<MessageId> = (3..8)
        .map(|n| court.one(&format!("oldcopyword{n}")))
        .collect();
    court.erase_on_request(&doomed);
    let held = court.one("oldcopyword20");
    court.hold(HoldTarget::Messages(vec![held]));
    court.enable(court.policy(PolicyAction::Retain, 30, Lock::None));
    let asked = NewRequest {
        messages: vec![held],
        reason: "the person wants it gone".to_owned(),
        ..NewRequest::default()
    };
    app.add_request(&court.rec, &asked).unwrap();
    assert_eq!(court.all(), 34);
    app.replace_escrow(&court.root).unwrap();
    let escrow = Archive::escrow_path(&target);
    let (place, receipt) = restored(&court, &backup.made.path, &escrow, &recovery);
    assert_eq!((receipt.messages, receipt.disposed), (35, 5));
    let restored = opened(&place, &court.clock);
    let (law, rec) = (log_in(&restored, "law"), log_in(&restored, "rec"));
    // Purged stays disposed, and the restriction hides from the first read on.
    assert_eq!(count(&restored, &law, "*"), 34);
    for id in &doomed {
        assert!(restored.archive().message_of_id(*id).is_err());
    }
    assert_eq!(count(&restored, &law, "oldcopyword20"), 0);
    let mut open = law.clone();
    open.restricted = true;
    assert_eq!(count(&restored, &open, "oldcopyword20"), 1);
    assert_eq!(restored.holds(&rec).unwrap().len(), 1);
    assert!(restored.policies(&rec).unwrap()[0].in_force.is_some());
    let requests = restored.requests(&rec).unwrap();
    assert_eq!(
        (requests[0].counts.erased, requests[1].counts.restricted),
        (5, 1)
    );
    // Nothing is destroyed before somebody confirmed it.
    let wish = NewRequest {
        messages: vec![first(&restored, &law, "oldcopyword30")],
        reason: "the person wants it gone".to_owned(),
        ..NewRequest::default()
    };
    restored.add_request(&rec, &wish).unwrap();
    assert!(blocked(restored.plan_disposition(&rec)).contains("frozen"));
    restored.confirm_restore(&rec).unwrap();
    let standing = restored.freezes(&rec).unwrap();
    assert!(
        standing
            .iter()
            .all(|freeze| { freeze.reason != FreezeReason::Restored || freeze.lifted.is_some() })
    );
}

fn restored(
    court: &Court,
    from: &Path,
    escrow: &Path,
    recovery: &RecoveryKey,
) -> (Place, RestoreReceipt) {
    let place = Place::new(&court.dir.path().join("restored"));
    let order = RestoreOrder {
        from,
        escrow,
        recovery,
    };
    let new = NewSecret {
        secret: &secret(),
        label: "first",
        cost: StretchCost::LOGIN,
    };
    let receipt = restore_backup(place.settings(), &order, &new, &mut |_, _, _| ()).unwrap();
    (place, receipt)
}

fn first(appliance: &Appliance, session: &Session, query: &str) -> MessageId {
    let answer = appliance
        .search(session, &SearchRequest::new(query))
        .unwrap();
    answer.answer.hits[0].line.id
}

#[test]
fn reimport_after_purge() {
    let court = court();
    let app = &court.appliance;
    let chat = court.chat("againchat", 40);
    import(app, &court.root, &chat).unwrap();
    let doomed: Vec<MessageId> = (3..8)
        .map(|n| court.one(&format!("againchatword{n}")))
        .collect();
    court.erase_on_request(&doomed);
    let again = import(app, &court.root, &chat).unwrap();
    assert_eq!(
        (again.counts.fresh, again.counts.disposed),
        (0, 5),
        "{:?}",
        again.counts
    );
    assert_eq!(court.all(), 35);
    // A hold that wants one of them takes it back in.
    court.hold(HoldTarget::Query("againchatword5".to_owned()));
    let wanted = import(app, &court.root, &chat).unwrap();
    assert_eq!(
        (wanted.counts.fresh, wanted.counts.disposed),
        (1, 4),
        "{:?}",
        wanted.counts
    );
    assert_eq!(count(app, &court.law, "againchatword5"), 1);
}

/// Seats come later, and a hold knows people by what they take part in. What the record has of a
/// reassignment is the custodian of each conversation: what A took part in is held whole, also what B
/// said there after the change; what B took part in alone follows policy.
#[test]
fn seat_reassigned_hold() {
    let court = court();
    let app = &court.appliance;
    let day = |n: usize, who: &str, words: &str| {
        format!("[{:02}/01/2020, 10:00:00] {who}: {words}\n", 12 + n)
    };
    // One client, one phone of the company: Ana has it first, then Bruno.
    let passed_on: String = [
        day(1, "Ana Alves", "tenureone the price is fixed"),
        day(2, "Client Cy", "tenuretwo agreed"),
        day(3, "Bruno Brito", "tenurethree Ana left, I go on"),
        day(4, "Client Cy", "tenurefour welcome"),
    ]
    .concat();
    let bruno_alone: String = [
        day(1, "Bruno Brito", "laterone hello"),
        day(2, "Client Dee", "latertwo good day"),
        day(3, "Bruno Brito", "laterthree until tomorrow"),
    ]
    .concat();
    for (title, chat) in [("Cy", passed_on), ("Dee", bruno_alone)] {
        let export = house::ios_export(court.dir.path(), title, &chat, &[]);
        import(app, &court.root, &export).unwrap();
    }
    let hold = court.hold(HoldTarget::Custodian("Ana Alves".to_owned()));
    // The deletion is asked for Bruno.
    let delete = NewPolicy {
        scope: "from:\"Bruno Brito\" OR later*".to_owned(),
        // The archive knows him twice, once in each chat.
        accept: vec![Code::W02],
        ..policy(PolicyAction::Delete, 1, Lock::None)
    };
    let id = app.write_policy(&court.rec, &delete).unwrap().0;
    court.enable(id);
    court.clock.days(31);
    let planned = app.plan_disposition(&court.rec).unwrap();
    assert_eq!((planned.items, planned.held), (3, 1));
    court.approve(&court.second, planned.batch).unwrap();
    court.approve(&court.law, planned.batch).unwrap();
    court.clock.days(8);
    app.run_disposition(&court.rec, planned.batch).unwrap();
    assert_eq!(count(app, &court.law, "tenure*"), 4);
    assert_eq!(count(app, &court.law, "later*"), 0);
    // Who said what stays as it was, and the release says what it would free.
    assert_eq!(count(app, &court.law, "from:\"Ana Alves\" tenureone"), 1);
    let found = app.preview_release(&court.law, hold).unwrap();
    assert_eq!((found.released, found.purgeable), (4, 1), "{found:?}");
}

/// Set in the process that a test starts of itself.
const CHILD: &str = "WORDKEEP_TEST_CHILD";
/// What such a process says when it has been through everything.
const THROUGH: &str = "the child went through everything";

/// Runs a test in a process of its own: the limit that stands in for a full disk is one of the
/// whole process. `true` in the parent, which has nothing left to do.
fn in_a_process_of_its_own(name: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        // With a handler, a write beyond the limit is an error and no death.
        let heard = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(signal_hook::consts::SIGXFSZ, heard).unwrap();
        return false;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{told}");
    assert!(told.contains(THROUGH), "{told}");
    true
}

/// Lets no file be written any more, or lets all be written again.
fn allow_writing(allow: bool) {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let now = getrlimit(Resource::Fsize);
    let limit = Rlimit {
        current: if allow { now.maximum } else { Some(0) },
        maximum: now.maximum,
    };
    setrlimit(Resource::Fsize, limit).unwrap();
}

#[test]
fn log_unwritable() {
    if in_a_process_of_its_own("log_unwritable") {
        return;
    }
    let (court, batch, items) = ready("mutechat", 30);
    let app = &court.appliance;
    let other = court.chat("otherchat", 10);
    let one = app
        .search(&court.law, &SearchRequest::new("mutechatword3"))
        .unwrap();
    let hit = &one.answer.hits[0];
    let slice = ConversationRequest {
        id: hit.conversation.id,
        around: None,
        since: None,
        until: None,
        limit: 10,
        zone: None,
    };
    let bundle = court.dir.path().join("out.tar");
    let export = ExportRequest {
        reason: "asked for".to_owned(),
        out: bundle.clone(),
        query: "mutechatword3".to_owned(),
        ..ExportRequest::default()
    };
    let size = app.archive().store().read().unwrap().audit_edge().unwrap();
    allow_writing(false);
    let refused = [
        (
            "search",
            app.search(&court.law, &SearchRequest::new("*")).err(),
        ),
        ("view", app.conversation(&court.law, &slice).err()),
        ("list", app.conversations(&court.law).err()),
        (
            "export",
            app.export(&court.law, &export, &mut |_, _, _| true).err(),
        ),
        ("import", import(app, &court.root, &other).err()),
        ("purge", app.run_disposition(&court.rec, batch).err()),
        (
            "hold",
            court.try_hold(HoldTarget::Query("mute*".to_owned())).err(),
        ),
        ("freeze", app.freeze(&court.law, "stop").err()),
        ("rules", app.holds(&court.rec).err()),
    ];
    let health = app.check().unwrap();
    allow_writing(true);
    for (what, error) in refused {
        let error = error.unwrap_or_else(|| panic!("{what} went on without a log"));
        assert!(matches!(error, AppError::Io(_)), "{what}: {error:?}");
    }
    let log = health
        .iter()
        .find(|finding| finding.subject == "log")
        .unwrap();
    assert_eq!(log.standing, Standing::Bad, "{log:?}");
    assert!(!bundle.exists());
    // Nothing changed, not even the log; and with room again everything goes on.
    let after = app.archive().store().read().unwrap().audit_edge().unwrap();
    assert_eq!(after, size);
    assert_eq!(court.all(), items);
    assert!(app.holds(&court.rec).unwrap().is_empty());
    assert!(app.freezes(&court.rec).unwrap().is_empty());
    let erased = app.run_disposition(&court.rec, batch).unwrap();
    assert_eq!(erased.erased.len() as u64, items);
    eprintln!("{THROUGH}");
}

#[test]
fn disk_full_in_reseal() {
    if in_a_process_of_its_own("disk_full_in_reseal") {
        return;
    }
    // Before the survivors move to a new key, while they do, and when they were read back.
    for at in [
        "erase.intended",
        "erase.renewed",
        "erase.moved",
        "erase.read_back",
    ] {
        let (court, batch, items) = ready("fullchat", 30);
        let survivor = court.one("fullchatword9");
        court.hold(HoldTarget::Messages(vec![survivor]));
        let keys = |court: &Court| {
            let rows = court.appliance.archive().store().read().unwrap();
            let mut keys = rows.data_keys().unwrap();
            // Opening may retire keys of index segments that nothing uses.
            keys.retain(|row| row.purpose.kind == KeyKind::Bucket);
            keys.iter().map(|row| row.id).collect::<Vec<_>>()
        };
        let before = keys(&court);
        let (court, erased, ()) = court.while_purging(batch, at, |_| allow_writing(false));
        let alive = {
            allow_writing(true);
            court.all()
        };
        let error = erased.unwrap_err();
        assert!(matches!(error, AppError::Io(_)), "{at}: {error:?}");
        assert_eq!(alive, items, "{at}");
        let after = keys(&court);
        assert!(
            before.iter().all(|key| after.contains(key)),
            "{at}: a key died"
        );
        // With room again the same list ends as it should.
        let erased = court.appliance.run_disposition(&court.rec, batch).unwrap();
        assert_eq!(erased.erased.len() as u64, items - 1, "{at}");
        assert_eq!(court.one("fullchatword9"), survivor);
        assert_eq!(court.all(), 1);
    }
    eprintln!("{THROUGH}");
}

#[test]
fn shared_attachment() {
    let court = court();
    let app = &court.appliance;
    let line = |day: &str, word: &str| {
        format!(
            "[{day}, 10:00:00] Ana Alves: {word} the plan\n\
             [{day}, 10:01:00] Ana Alves: \u{200e}<attached: 00000001-plan.txt>\n"
        )
    };
    // The same file three times: twice in one month, once in another.
    let chat = [
        line("14/01/2020", "planone"),
        line("20/01/2020", "plantwo"),
        line("20/03/2020", "planthree"),
    ]
    .concat();
    let plan: &[u8] = b"the plan of the harbour, as agreed";
    let media = [("00000001-plan.txt", plan)];
    let export = house::ios_export(court.dir.path(), "Plans", &chat, &media);
    import(app, &court.root, &export).unwrap();
    let mut request = SearchRequest::new("has:attachment");
    request.order = wordkeep::search::Order::Oldest;
    let found = app.search(&court.law, &request).unwrap().answer.hits;
    let carriers: Vec<MessageId> = found.iter().map(|hit| hit.line.id).collect();
    assert_eq!(carriers.len(), 3);
    let blobs = || {
        let data = Place::new(court.dir.path()).data();
        house::files_below(&data.join("blobs")).len()
    };
    assert_eq!(blobs(), 2, "once in each bucket");
    let readable = |name: &str| {
        let request = ExportRequest {
            query: "has:attachment".to_owned(),
            reason: "asked for".to_owned(),
            out: court.dir.path().join(name),
            ..ExportRequest::default()
        };
        app.export(&court.law, &request, &mut |_, _, _| true)
            .unwrap();
        let bundle = std::fs::read(&request.out).unwrap();
        bundle.windows(plan.len()).any(|window| window == plan)
    };
    court.erase_on_request(&carriers[..1]);
    assert_eq!(
        blobs(),
        2,
        "the bytes live with the live message of the month"
    );
    assert!(readable("one.tar"));
    court.erase_on_request(&carriers[1..2]);
    assert_eq!(blobs(), 1, "after both the file of that month is gone");
    assert!(readable("two.tar"));
    court.erase_on_request(&carriers[2..]);
    assert_eq!(blobs(), 0);
    assert_eq!(count(app, &court.law, "has:attachment"), 0);
    assert_eq!(
        count(app, &court.law, "plan*"),
        3,
        "what was said beside it stays"
    );
}

#[test]
fn t12_two_people_advance_the_clock_and_never_beyond_the_wall() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("timechat", 20)).unwrap();
    court.enable(court.policy(PolicyAction::Delete, 1, Lock::None));
    // The wall says sixty days; the computer cannot prove them.
    court.clock.jump(60);
    let before = app.now();
    assert!(before.compliance.plus_days(59) < before.wall);
    assert!(blocked(app.plan_disposition(&court.rec)).contains("doubt"));
    let ahead = app.claim_time(&court.rec, before.wall.plus_days(1), "hope");
    assert!(matches!(ahead, Err(AppError::Usage(_))), "{ahead:?}");
    assert!(app.claim_time(&court.root, before.wall, "x").is_err());
    let (claim, _) = app
        .claim_time(&court.rec, before.wall, "a letter of the bank")
        .unwrap();
    assert!(blocked(app.agree_time(&court.rec, claim, "me too")).contains("another"));
    assert!(app.now().compliance.plus_days(59) < app.now().wall);
    court.clock.days(1);
    let (now, _) = app.agree_time(&court.law, claim, "saw the letter").unwrap();
    // What passed between the two voices counts too.
    assert!(
        app.now().wall.0 - now.0 < 60_000_000,
        "{now:?} {:?}",
        app.now()
    );
    assert!(matches!(
        app.agree_time(&court.law, claim, "once more"),
        Err(AppError::NotFound(_))
    ));
    let standing = app.clock_standing(&court.rec).unwrap();
    assert_eq!(standing.claims.len(), 1);
    assert_eq!(standing.claims[0].evidence, "a letter of the bank");
    // It is kept: the next process goes on from there.
    court.appliance.close().unwrap();
    drop(court.appliance);
    let again = opened(&Place::new(court.dir.path()), &court.clock);
    assert!(again.now().compliance >= now);
    let _: &Arc<Moved> = &court.clock;
}
