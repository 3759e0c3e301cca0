//! The first entries of a log go when nothing that they tell of lives any more; the rest is proved and
//! judged as before, and so is every proof that was given out.

use std::sync::Arc;

use proptest::prelude::*;
use wordkeep::app::{
    AppError, Appliance, HoldTarget, HostClock, LogRequest, PruneRequest, SearchRequest,
    VerifyRequest, Witnesses,
};
use wordkeep::archive::{Milestones, PruneLimit};
use wordkeep::audit::{Action, InclusionProof};
use wordkeep::domain::{EntryNo, Lock, PolicyAction};

use super::court::opened;
use super::house::{Place, log_in};
use super::world::{World, verify_exported};

impl World {
    /// So many entries of what somebody did: searches.
    fn busy(&self, entries: u64) {
        for n in 0..entries {
            let request = SearchRequest::new(format!("word{n}"));
            self.appliance.search(&self.law, &request).unwrap();
        }
    }

    /// The three lines that somebody puts away.
    fn put_away(&self) -> String {
        let auditor = log_in(&self.appliance, "aud");
        self.appliance.checkpoint(&auditor).unwrap().to_text()
    }

    fn later(&self, days: i64) {
        self.clock.days(days);
        self.appliance.keep_clock().unwrap();
    }

    fn proof_of(&self, seq: u64) -> (Vec<u8>, InclusionProof) {
        self.appliance.archive().prove_entry(EntryNo(seq)).unwrap()
    }

    fn prune(&self, anchor: &str, entries: u64) -> Result<u64, AppError> {
        let request = PruneRequest {
            anchor: anchor.to_owned(),
            entries,
            reason: "the trail is kept for a year".to_owned(),
        };
        let done = self.appliance.prune_entries(&self.rec, &request)?;
        Ok(done.0.entries - done.0.before)
    }

    /// Exit code and problems of the opened store against what was put away.
    fn verify_against(&self, anchors: &[String]) -> (u8, String) {
        let request = VerifyRequest {
            anchors: anchors.to_vec(),
            ..VerifyRequest::default()
        };
        let mut quiet = |_: &'static str, _, _| ();
        let report = self.appliance.verify(&self.rec, &request, &mut quiet);
        let report = report.unwrap();
        (report.exit_code(), report.to_json())
    }

    /// Everything in the archive is put on a list, approved and destroyed.
    fn dispose_all(&self) {
        let app = &self.appliance;
        let policy = self.policy(None, PolicyAction::RetainThenDelete, 1, Lock::None);
        app.enable_policy(&self.rec, policy, "decided").unwrap();
        self.later(8);
        let batch = app.plan_disposition(&self.second).unwrap().batch;
        for by in [&self.law, &self.second_law] {
            let act = wordkeep::app::Review::Approve;
            app.review_disposition(by, batch, act, "looked at it")
                .unwrap();
        }
        self.later(8);
        app.run_disposition(&self.second, batch).unwrap();
        assert_eq!(
            app.archive()
                .store()
                .read()
                .unwrap()
                .message_count()
                .unwrap(),
            0
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn s17_a7_the_log_is_shortened_and_log_and_elder_proofs_hold(
        busy in prop::collection::vec(60u64..330, 3),
        asked in any::<prop::sample::Index>(),
    ) {
        let world = World::founded();
        let app = &world.appliance;
        let (mut anchors, mut kept) = (Vec::new(), Vec::new());
        for entries in busy {
            world.busy(entries);
            anchors.push(world.put_away());
            let newest = world.entries().len() as u64 - 1;
            kept.extend([0, newest / 2, newest].map(|seq| world.proof_of(seq)));
            world.later(200);
        }
        for anchor in &anchors {
            let may = app.prunable_entries(&world.rec, anchor).unwrap();
            if may.entries > may.before {
                let tiles = (may.entries - may.before) / 256;
                let entries = may.before + 256 * (1 + asked.index(tiles as usize) as u64);
                prop_assert_eq!(world.prune(anchor, entries).unwrap(), entries - may.before);
            }
        }
        let (code, told) = world.verify_against(&anchors);
        prop_assert_eq!(code, 0, "{}", told);
        for (bytes, proof) in &kept {
            prop_assert!(proof.verify(bytes, app.archive().log_verifier()).is_ok());
        }
        let auditor = log_in(app, "aud");
        let log = world.dir.path().join("log-out");
        app.export_log(&auditor, &log).unwrap();
        prop_assert_eq!(verify_exported(&log), (1, Vec::new()));
        // What is left is read as before, from whatever place it is asked for.
        let page = app.read_log(&auditor, &LogRequest::default()).unwrap();
        let first = page.lines[0].entry.seq.0;
        prop_assert_eq!(first % 256, 0);
        let back = app.read_log_back(&auditor, &LogRequest::default(), Some(first + 1)).unwrap();
        prop_assert_eq!((back.lines.len(), back.next), (1, None));
        if first > 0 {
            let gone = app.archive().prove_entry(EntryNo(first - 1)).unwrap_err();
            prop_assert!(gone.to_string().contains("pruned"), "{}", gone);
        }
        app.close().unwrap();
        let World { dir, clock, appliance, law, .. } = world;
        drop(appliance);
        let again = opened(&Place::new(dir.path()), &clock);
        prop_assert!(again.search(&law, &SearchRequest::new("word")).is_ok());
    }
}

#[test]
fn s17_a7_entries_stay_while_what_they_tell_of_lives_and_for_a_year_after() {
    let world = World::founded();
    let app = &world.appliance;
    world.busy(20);
    world.chat("shortchat", 4);
    world.busy(300);
    let anchor = world.put_away();
    let limit = || {
        let may = app.prunable_entries(&world.rec, &anchor).unwrap();
        (may.entries, may.limit)
    };
    assert_eq!(limit(), (0, PruneLimit::Age));
    world.later(800);
    assert_eq!(limit(), (0, PruneLimit::Live));
    let refused = |entries| match world.prune(&anchor, entries).unwrap_err() {
        AppError::Blocked(why) | AppError::Held { text: why, .. } => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(256).contains("messages are live"));
    world.dispose_all();
    assert_eq!(limit(), (0, PruneLimit::Recent));
    assert!(refused(256).contains("less than 365 days ago"));
    world.later(366);
    assert_eq!(limit(), (256, PruneLimit::Anchor));
    assert!(refused(512).contains("knows no more"));
    let (freeze, _) = app.freeze(&world.law, "litigation").unwrap();
    assert!(refused(256).contains("frozen"));
    app.lift_freeze(&world.law, freeze, "over").unwrap();
    app.lift_freeze(&world.second, freeze, "over").unwrap();
    let matter = app.open_matter(&world.law, "Nordwind", "").unwrap().0;
    let hold = world.place_hold(matter, HoldTarget::Query("anything".to_owned()));
    assert!(refused(256).contains("may be evidence"));
    app.release_hold(&world.law, hold, "settled").unwrap();
    app.release_hold(&world.second, hold, "settled").unwrap();
    world.later(40);
    let other = anchor.replacen("/sto_", "/sto-", 1);
    assert!(matches!(world.prune(&other, 256), Err(AppError::Usage(_))));
    let forged = {
        let mut lines: Vec<&str> = anchor.lines().collect();
        lines[2] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        lines.join("\n") + "\n"
    };
    assert!(matches!(
        world.prune(&forged, 256),
        Err(AppError::Integrity(_))
    ));
    let lawyer = app.prunable_entries(&world.law, &anchor);
    assert!(matches!(lawyer, Err(AppError::Auth(_))), "{lawyer:?}");
    assert_eq!(world.prune(&anchor, 256).unwrap(), 256);
    assert!(refused(256).contains("pruned before"));
    let (code, told) = world.verify_against(&[anchor]);
    assert_eq!(code, 0, "{told}");
}

struct DiesAt(&'static str);

impl Milestones for DiesAt {
    fn reached(&self, name: &'static str) {
        assert!(name != self.0, "died on purpose");
    }
}

#[test]
fn a7_a_shortening_that_dies_was_done() {
    let world = World::founded();
    world.busy(300);
    let anchor = world.put_away();
    world.later(400);
    let World {
        dir,
        clock,
        appliance,
        ..
    } = world;
    appliance.close().unwrap();
    drop(appliance);
    let place = Place::new(dir.path());
    let doomed: Appliance = place
        .open_watched(Witnesses {
            clock: Some(Arc::clone(&clock) as Arc<dyn HostClock>),
            milestones: Some(Arc::new(DiesAt("prune.entries_gone"))),
            ..Witnesses::default()
        })
        .unwrap();
    let rec = log_in(&doomed, "rec");
    let request = PruneRequest {
        anchor: anchor.clone(),
        entries: 256,
        reason: "the trail is kept for a year".to_owned(),
    };
    let prune = std::panic::AssertUnwindSafe(|| doomed.prune_entries(&rec, &request));
    assert!(std::panic::catch_unwind(prune).is_err());
    drop(doomed);
    let again = opened(&place, &clock);
    let request = VerifyRequest {
        anchors: vec![anchor],
        ..VerifyRequest::default()
    };
    let report = again.verify(&rec, &request, &mut |_, _, _| ()).unwrap();
    assert_eq!(report.exit_code(), 0, "{}", report.to_json());
    let rows = again.archive().store().read().unwrap();
    let pruned = |entry: &wordkeep::store::AuditEntryRow| {
        let entry = wordkeep::audit::Entry::parse(&entry.entry).unwrap();
        entry.draft.action == Action::LogPrune
    };
    let entries = rows.audit_entries(EntryNo(0), EntryNo(1 << 40)).unwrap();
    assert_eq!(entries[0].seq, EntryNo(256));
    assert_eq!(entries.iter().filter(|row| pruned(row)).count(), 1);
}
