//! A house with lawyers, records officers and a clock that can be moved.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use wordkeep::app::{
    AppError, Appliance, HoldTarget, HostClock, NewHold, NewPolicy, Review, SearchRequest, Session,
    SystemClock, Witnesses,
};
use wordkeep::domain::{
    BatchNo, HoldId, Lock, MatterId, MessageId, Period, PolicyAction, PolicyId, Role, Timestamp,
};
use wordkeep::retention::clock::Reading;

use super::house::{PASSWORD, Place, count, files_below, ios_export, log_in, plain_chat};

/// The clocks of the host, moved forward by hand.
pub struct Moved {
    host: SystemClock,
    wall: AtomicI64,
    boot: AtomicI64,
}

impl Moved {
    pub fn new() -> Arc<Moved> {
        Arc::new(Moved {
            host: SystemClock::new([9; 16]),
            wall: AtomicI64::new(0),
            boot: AtomicI64::new(0),
        })
    }

    /// Time passes while the computer runs.
    pub fn seconds(&self, seconds: i64) {
        let micros = seconds * Timestamp::MICROS_PER_SECOND;
        self.boot.fetch_add(micros, Ordering::Relaxed);
        self.jump_seconds(seconds);
    }

    pub fn days(&self, days: i64) {
        self.seconds(days * 86_400);
    }

    /// Somebody sets the wall clock.
    pub fn jump_seconds(&self, seconds: i64) {
        let micros = seconds * Timestamp::MICROS_PER_SECOND;
        self.wall.fetch_add(micros, Ordering::Relaxed);
    }

    pub fn jump(&self, days: i64) {
        self.jump_seconds(days * 86_400);
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

pub struct Court {
    pub dir: tempfile::TempDir,
    pub clock: Arc<Moved>,
    pub appliance: Appliance,
    pub root: Session,
    pub law: Session,
    pub rec: Session,
    pub second: Session,
}

pub fn court() -> Court {
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

pub fn opened(place: &Place, clock: &Arc<Moved>) -> Appliance {
    let witnesses = Witnesses {
        clock: Some(Arc::clone(clock) as Arc<dyn HostClock>),
        ..Witnesses::default()
    };
    place.open_watched(witnesses).unwrap()
}

impl Court {
    pub fn chat(&self, tag: &str, messages: usize) -> std::path::PathBuf {
        let folder = self.dir.path().join(tag);
        std::fs::create_dir_all(&folder).unwrap();
        ios_export(&folder, tag, &plain_chat(tag, messages), &[])
    }

    pub fn policy(&self, action: PolicyAction, years: u32, lock: Lock) -> PolicyId {
        let new = policy(action, years, lock);
        self.appliance.write_policy(&self.rec, &new).unwrap().0
    }

    pub fn enable(&self, id: PolicyId) {
        self.appliance.simulate_policy(&self.rec, id, None).unwrap();
        self.appliance
            .enable_policy(&self.rec, id, "decided by the board")
            .unwrap();
    }

    pub fn hold(&self, target: HoldTarget) -> HoldId {
        let matter = match self.appliance.matters(&self.law).unwrap().first() {
            Some(matter) => matter.id,
            None => self.matter(),
        };
        let new = new_hold(matter, target);
        self.appliance.place_hold(&self.law, &new).unwrap().id
    }

    pub fn matter(&self) -> MatterId {
        self.appliance
            .open_matter(&self.law, "Nordwind", "")
            .unwrap()
            .0
    }

    pub fn approve(&self, by: &Session, batch: BatchNo) -> Result<(), AppError> {
        let reason = "looked at the samples";
        self.appliance
            .review_disposition(by, batch, Review::Approve, reason)
            .map(drop)
    }

    pub fn one(&self, query: &str) -> MessageId {
        let answer = self
            .appliance
            .search(&self.law, &SearchRequest::new(query))
            .unwrap();
        answer.answer.hits[0].line.id
    }

    pub fn all(&self) -> u64 {
        count(&self.appliance, &self.law, "*")
    }
}

pub fn new_hold(matter: MatterId, target: HoldTarget) -> NewHold {
    NewHold {
        matter,
        name: "claim".to_owned(),
        target,
        reason: "letter of 3 March".to_owned(),
        grace_days: None,
        keep_context: 0,
        zone: None,
        accept: Vec::new(),
    }
}

pub fn policy(action: PolicyAction, years: u32, lock: Lock) -> NewPolicy {
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

pub fn blocked<T: std::fmt::Debug>(result: Result<T, AppError>) -> String {
    match result.unwrap_err() {
        AppError::Blocked(why) | AppError::Held { text: why, .. } => why,
        other => panic!("not blocked: {other:?}"),
    }
}

pub fn holds_word(root: &Path, word: &str) -> bool {
    files_below(root).iter().any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes
            .windows(word.len())
            .any(|window| window == word.as_bytes())
    })
}
