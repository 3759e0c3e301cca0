//! What was typed can go year by year; the log stays whole and every elder proof holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use wordkeep::app::{
    AppError, Appliance, HoldTarget, HostClock, LogRequest, SearchRequest, VerifyRequest, Witnesses,
};
use wordkeep::archive::Milestones;
use wordkeep::audit::{Action, InclusionProof};
use wordkeep::domain::EntryNo;

use super::court::opened;
use super::house::{Place, log_in};
use super::world::{World, verify_exported};

/// Years in which something is searched for; the last one is not over.
const YEARS: usize = 4;

/// An entry with the proof somebody was given when it was new.
struct Kept {
    year: u32,
    bytes: Vec<u8>,
    proof: InclusionProof,
    word: String,
}

impl World {
    fn year(&self) -> u32 {
        self.appliance.now().compliance.civil_utc().0 as u32
    }

    /// Something is searched for, and the searcher keeps the proof of it.
    fn searched(&self, word: &str) -> Kept {
        let app = &self.appliance;
        app.search(&self.law, &SearchRequest::new(word)).unwrap();
        app.checkpoint(&self.rec).unwrap();
        let found = self.entries();
        let last = found
            .iter()
            .rposition(|entry| entry.draft.action == Action::ContentSearch)
            .unwrap();
        let (bytes, proof) = app.archive().prove_entry(EntryNo(last as u64)).unwrap();
        Kept {
            year: self.year(),
            bytes,
            proof,
            word: word.to_owned(),
        }
    }
}

/// What can still be read of what was typed.
fn typed(appliance: &Appliance) -> String {
    let auditor = log_in(appliance, "aud");
    let page = appliance
        .read_log(&auditor, &LogRequest::default())
        .unwrap();
    let lines = page.lines.into_iter();
    lines.filter_map(|line| line.payload).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    #[test]
    fn a7_pruned_years_cannot_be_read_and_log_and_proofs_hold(
        searches in prop::collection::vec(1usize..4, YEARS),
        pruned in prop::collection::btree_set(0usize..YEARS - 1, 1..YEARS),
    ) {
        let world = World::founded();
        let app = &world.appliance;
        let mut kept: Vec<Kept> = Vec::new();
        for (year, count) in searches.iter().enumerate() {
            for n in 0..*count {
                kept.push(world.searched(&format!("typedword{year}x{n}")));
            }
            world.clock.days(if year + 1 < YEARS { 366 } else { 0 });
            app.keep_clock().unwrap();
        }
        let years: Vec<u32> = kept.iter().map(|one| one.year).collect::<BTreeSet<_>>().into_iter().collect();
        let gone: BTreeSet<u32> = pruned.iter().map(|nth| years[*nth]).collect();
        for year in &gone {
            app.prune_payloads(&world.rec, *year, "six years are over").unwrap();
            let again = app.prune_payloads(&world.rec, *year, "again");
            prop_assert!(matches!(again, Err(AppError::Blocked(_))), "{again:?}");
        }
        let (code, problems) = world.verify();
        prop_assert!(code < 6, "{problems:?}");
        let typed = typed(app);
        for one in &kept {
            prop_assert_eq!(typed.contains(&one.word), !gone.contains(&one.year), "{}", one.word);
            prop_assert!(one.proof.verify(&one.bytes, app.archive().log_verifier()).is_ok());
        }
        let log = world.dir.path().join("log-out");
        let auditor = log_in(app, "aud");
        app.export_log(&auditor, &log).unwrap();
        prop_assert_eq!(verify_exported(&log), (1, Vec::new()));
        // Every key that is left opens after the rotation: the record reads as before.
        app.close().unwrap();
        let request = VerifyRequest::default();
        let report = app.verify(&world.rec, &request, &mut |_, _, _| ()).unwrap();
        prop_assert!(report.exit_code() < 6);
    }
}

#[test]
fn a7_nothing_is_pruned_of_this_year_under_a_hold_or_in_a_freeze() {
    let world = World::founded();
    let app = &world.appliance;
    world.chat("prunechat", 4);
    world.searched("prunechatword1");
    let year = world.year();
    let refused = |year: u32| match app.prune_payloads(&world.rec, year, "reason").unwrap_err() {
        AppError::Blocked(why) | AppError::Held { text: why, .. } => why,
        other => panic!("{other:?}"),
    };
    assert!(refused(year).contains("is not over"));
    assert!(refused(year - 1).contains("no payloads"));
    world.clock.days(366);
    app.keep_clock().unwrap();
    let (freeze, _) = app.freeze(&world.law, "litigation").unwrap();
    assert!(refused(year).contains("frozen"));
    app.lift_freeze(&world.law, freeze, "over").unwrap();
    app.lift_freeze(&world.second, freeze, "over").unwrap();
    let matter = app.open_matter(&world.law, "Nordwind", "").unwrap().0;
    world.place_hold(matter, HoldTarget::Query("prunechat*".to_owned()));
    assert!(refused(year).contains("may be evidence"));
    let lawyer = app.prune_payloads(&world.law, year, "reason");
    assert!(matches!(lawyer, Err(AppError::Auth(_))), "{lawyer:?}");
}

/// Named points of a pruning, and whether it is decided there.
const STOPS: [(&str, bool); 4] = [
    ("prune.hold_written", false),
    ("prune.decided", true),
    ("prune.retired", true),
    ("prune.emptied", true),
];

struct DiesAt(&'static str);

impl Milestones for DiesAt {
    fn reached(&self, name: &'static str) {
        assert!(name != self.0, "died on purpose");
    }
}

#[test]
fn a7_a_pruning_that_dies_was_done_or_never_begun() {
    for (point, is_decided) in STOPS {
        let world = World::founded();
        let kept = world.searched("typedword");
        world.clock.days(366);
        world.appliance.keep_clock().unwrap();
        let World {
            dir,
            clock,
            appliance,
            ..
        } = world;
        appliance.close().unwrap();
        drop(appliance);
        let place = Place::new(dir.path());
        let watched = Witnesses {
            clock: Some(Arc::clone(&clock) as Arc<dyn HostClock>),
            milestones: Some(Arc::new(DiesAt(point))),
            ..Witnesses::default()
        };
        let doomed = place.open_watched(watched).unwrap();
        let rec = log_in(&doomed, "rec");
        let prune = std::panic::AssertUnwindSafe(|| {
            doomed.prune_payloads(&rec, kept.year, "six years are over")
        });
        assert!(std::panic::catch_unwind(prune).is_err(), "{point}");
        drop(doomed);
        let again = opened(&place, &clock);
        assert_eq!(typed(&again).contains("typedword"), !is_decided, "{point}");
        let done = again.prune_payloads(&rec, kept.year, "again");
        assert_eq!(done.is_ok(), !is_decided, "{point}: {done:?}");
        assert!(!typed(&again).contains("typedword"), "{point}");
        let request = VerifyRequest::default();
        let report = again.verify(&rec, &request, &mut |_, _, _| ()).unwrap();
        assert!(report.exit_code() < 6, "{point}: {}", report.to_json());
        let verifier = again.archive().log_verifier();
        assert!(kept.proof.verify(&kept.bytes, verifier).is_ok(), "{point}");
    }
}
