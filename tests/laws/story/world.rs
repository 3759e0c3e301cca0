//! A company that does everything once, lawfully, by a clock that can be moved.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use tempfile::TempDir;
use wordkeep::app::export::ExportRequest;
use wordkeep::app::{
    Appliance, HoldTarget, NewHold, NewPolicy, Review, SearchRequest, Session, VerifyRequest,
    verify_log,
};
use wordkeep::audit::Entry;
use wordkeep::domain::{
    BatchNo, EntryNo, HoldId, Lock, MatterId, MessageId, PolicyAction, PolicyId, Role,
};

use super::court::{self, Moved, opened};
use super::house::{PASSWORD, Place, import, ios_export, log_in, plain_chat};

/// The company, after everything was done.
pub struct World {
    pub dir: TempDir,
    pub clock: Arc<Moved>,
    pub appliance: Appliance,
    pub law: Session,
    pub second_law: Session,
    pub rec: Session,
    pub second: Session,
    pub batch: BatchNo,
    /// Every message of the chat that was due, the one that was taken off first.
    pub due: Vec<MessageId>,
}

impl World {
    /// A company with people and nothing else.
    pub fn founded() -> World {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path());
        place.create().close().unwrap();
        let clock = Moved::new();
        let appliance = opened(&place, &clock);
        let root = log_in(&appliance, "root");
        for (login, role) in [("rec2", Role::RecordsOfficer), ("law2", Role::Lawyer)] {
            appliance
                .add_user(&root, login, role, PASSWORD, &[])
                .unwrap();
        }
        World {
            law: log_in(&appliance, "law"),
            second_law: log_in(&appliance, "law2"),
            rec: log_in(&appliance, "rec"),
            second: log_in(&appliance, "rec2"),
            batch: BatchNo(0),
            due: Vec::new(),
            dir,
            clock,
            appliance,
        }
    }

    /// Imports, holds, releases, policies, locks, a freeze, a list, its review and its end, an export.
    pub fn honest() -> World {
        let mut world = World::founded();
        world.chat("duechat", 12);
        world.chat("heldchat", 6);
        world.hold();
        world.govern();
        world.freeze();
        // Under a lock the period of what a person handed in runs from the import.
        world.clock.days(800);
        world.due = world.find("duechat*");
        world.dispose();
        world.look();
        world
    }

    pub fn chat(&self, tag: &str, messages: usize) {
        let folder = self.dir.path().join(tag);
        std::fs::create_dir_all(&folder).unwrap();
        let export = ios_export(&folder, tag, &plain_chat(tag, messages), &[]);
        import(&self.appliance, &self.law, &export).unwrap();
    }

    pub fn find(&self, query: &str) -> Vec<MessageId> {
        let request = SearchRequest::new(query);
        let answer = self.appliance.search(&self.law, &request).unwrap();
        answer.answer.hits.iter().map(|hit| hit.line.id).collect()
    }

    pub fn place_hold(&self, matter: MatterId, target: HoldTarget) -> HoldId {
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

    fn hold(&self) {
        let app = &self.appliance;
        let matter = app.open_matter(&self.law, "Nordwind", "").unwrap().0;
        self.place_hold(matter, HoldTarget::Query("heldchat*".to_owned()));
        let one = self.find("heldchatword1")[0];
        self.place_hold(matter, HoldTarget::Messages(vec![one]));
        let due = self.find("duechatword2")[0];
        let ended = self.place_hold(matter, HoldTarget::Messages(vec![due]));
        app.release_hold(&self.law, ended, "settled").unwrap();
        app.release_hold(&self.second, ended, "settled").unwrap();
    }

    pub fn policy(
        &self,
        of: Option<PolicyId>,
        action: PolicyAction,
        years: u32,
        lock: Lock,
    ) -> PolicyId {
        let new = NewPolicy {
            of,
            ..court::policy(action, years, lock)
        };
        let id = self.appliance.write_policy(&self.rec, &new).unwrap().0;
        self.appliance.simulate_policy(&self.rec, id, None).unwrap();
        id
    }

    fn govern(&self) {
        let app = &self.appliance;
        let until = app.now().compliance.plus_days(3_650);
        let go = self.policy(
            None,
            PolicyAction::RetainThenDelete,
            1,
            Lock::Governance(until),
        );
        app.enable_policy(&self.rec, go, "decided").unwrap();
        // A lock that keeps for a day, prolonged, and a policy that a second person ends.
        for years in [1, 2] {
            let of = match years {
                1 => None,
                _ => app.policies(&self.rec).unwrap().last().map(|line| line.id),
            };
            let lock = Lock::Compliance(until);
            let keep = self.policy(of, PolicyAction::Retain, years, lock);
            app.enable_policy(&self.rec, keep, "the regulator").unwrap();
        }
        let free = self.policy(None, PolicyAction::Retain, 1, Lock::None);
        app.enable_policy(&self.rec, free, "for now").unwrap();
        app.disable_policy(&self.second, free, "no more").unwrap();
    }

    fn freeze(&self) {
        let app = &self.appliance;
        let (freeze, _) = app.freeze(&self.law, "litigation expected").unwrap();
        app.lift_freeze(&self.law, freeze, "counsel agreed")
            .unwrap();
        app.lift_freeze(&self.second, freeze, "agreed").unwrap();
    }

    fn dispose(&mut self) {
        let app = &self.appliance;
        self.batch = app.plan_disposition(&self.second).unwrap().batch;
        let review = |by: &Session, act: Review| {
            app.review_disposition(by, self.batch, act, "looked at it")
                .unwrap();
        };
        review(&self.law, Review::Exclude(self.due[0]));
        review(&self.law, Review::Approve);
        review(&self.second_law, Review::Approve);
        self.clock.days(8);
        let erased = app.run_disposition(&self.second, self.batch).unwrap();
        assert_eq!(erased.erased.len(), self.due.len() - 1);
        assert_eq!(erased.dropped, []);
    }

    /// Content is read and leaves, lawfully.
    fn look(&self) {
        let app = &self.appliance;
        assert!(!app.conversations(&self.law).unwrap().is_empty());
        let request = ExportRequest {
            query: "heldchat*".to_owned(),
            zone: None,
            accept: Vec::new(),
            reason: "case".to_owned(),
            matter: None,
            context: 0,
            out: self.dir.path().join("held.tar"),
        };
        app.export(&self.law, &request, &mut |_, _, _| true)
            .unwrap();
    }

    pub fn entries(&self) -> Vec<Entry> {
        let rows = self.appliance.archive().store().read().unwrap();
        let rows = rows.audit_entries(EntryNo(0), EntryNo(1 << 40)).unwrap();
        let parsed = rows.iter().map(|row| Entry::parse(&row.entry).unwrap());
        parsed.collect()
    }

    /// Exit code and problems of the opened store.
    pub fn verify(&self) -> (u8, Vec<String>) {
        let request = VerifyRequest::default();
        let report = self
            .appliance
            .verify(&self.rec, &request, &mut |_, _, _| ())
            .unwrap();
        let mut problems: Vec<String> = report.log.problems.iter().map(told).collect();
        problems.extend(report.record.as_ref().unwrap().problems());
        (report.exit_code(), problems)
    }
}

fn told(problem: &wordkeep::audit::Problem) -> String {
    format!("{:?}: {}", problem.index, problem.what)
}

/// One honest run for all who only read it.
pub static HONEST: LazyLock<World> = LazyLock::new(World::honest);

/// Exit code of an exported log, and its problems by entry.
pub fn verify_exported(root: &Path) -> (u8, Vec<(Option<u64>, String)>) {
    let pins: PathBuf = root.join("no-pins");
    let report = verify_log(root, &pins, &VerifyRequest::default()).unwrap();
    let problems = report.log.problems.iter();
    let problems = problems.map(|problem| (problem.index, problem.what.clone()));
    (report.exit_code(), problems.collect())
}
