//! One unlawful act in an otherwise honest log, signed anew: only what it says gives it away.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;
use wordkeep::audit::{
    Action, Draft, Entry, EntryActor, Fact, LogSigner, Payload, append, export, sign,
};
use wordkeep::crypto::{Key, SeededEntropy, SigningKey};
use wordkeep::domain::{Now, Role, StoreId, Timestamp};
use wordkeep::store::{DataDirectory, Store};

use super::world::{HONEST, World, verify_exported};

type Files = BTreeMap<String, Vec<u8>>;

/// A story that is being forged by somebody who has the key of the log.
struct Story(Vec<Entry>);

impl Story {
    fn honest() -> Story {
        Story(HONEST.entries())
    }

    /// Place of the last act of this kind that the test wants.
    fn last(&self, action: Action, wanted: impl Fn(&Draft) -> bool) -> usize {
        let place = self
            .0
            .iter()
            .rposition(|entry| entry.draft.action == action && wanted(&entry.draft));
        place.unwrap_or_else(|| panic!("no {} in the story", action.name()))
    }

    fn slice(&self) -> usize {
        self.last(Action::EraseSlice, |draft| {
            draft.number("erased") != Some(0)
        })
    }

    fn draft(&mut self, at: usize) -> &mut Draft {
        &mut self.0[at].draft
    }

    fn set(&mut self, at: usize, name: &str, number: i64) {
        let fact = Fact::Number(number);
        self.draft(at).facts.insert(name.to_owned(), fact);
    }

    /// Puts an act behind another one, at the same moment.
    fn insert(&mut self, after: usize, draft: Draft) -> usize {
        let entry = Entry {
            draft,
            ..self.0[after].clone()
        };
        self.0.insert(after + 1, entry);
        after + 1
    }

    /// Somebody of this role who acts in the honest story; `nth` of them.
    fn actor(&self, role: Role, nth: usize) -> EntryActor {
        let mut seen: Vec<EntryActor> = Vec::new();
        for entry in &self.0 {
            let actor = &entry.draft.actor;
            let is_new = seen.iter().all(|known| known.id != actor.id);
            if actor.role == Some(role) && is_new {
                seen.push(actor.clone());
            }
        }
        seen.swap_remove(nth)
    }

    /// The log of this story, signed with the key that its reader pins.
    fn write(&self, root: &Path) {
        let dir = TempDir::new().unwrap();
        let directory = DataDirectory::create(&dir.path().join("data"), None).unwrap();
        let store = Store::create(directory, Key::from_bytes([7; 32])).unwrap();
        let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
        let signer = LogSigner::new("example", StoreId(10), key).unwrap();
        let entropy = SeededEntropy::new(1);
        let tx = store.write().unwrap();
        for entry in &self.0 {
            let now = Now {
                compliance: entry.t_c,
                wall: entry.wall,
            };
            append(&tx, &now, entry.draft.clone(), Payload::none(&entropy)).unwrap();
        }
        let mut published = Files::new();
        let signed = sign(&tx, &published, &signer).unwrap().unwrap();
        tx.commit().unwrap();
        signed.publish(&mut published).unwrap();
        let mut files = Files::new();
        export(
            &store.read().unwrap(),
            &store.directory(),
            signer.verifier(),
            &mut files,
        )
        .unwrap();
        let vkey = format!("{}\n", signer.verifier().to_vkey());
        files.insert("vkey".to_owned(), vkey.into_bytes());
        for (name, bytes) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
    }

    fn verdict(&self) -> (u8, Vec<(Option<u64>, String)>) {
        let dir = TempDir::new().unwrap();
        self.write(dir.path());
        verify_exported(dir.path())
    }

    /// The verifier names this entry, this rule, and nothing else.
    #[track_caller]
    fn is_found(&self, at: usize, rule: &str) {
        let (code, problems) = self.verdict();
        assert_eq!(code, 6, "{problems:?}");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].0, Some(at as u64), "{problems:?}");
        assert!(problems[0].1.contains(rule), "{problems:?}");
    }
}

#[test]
fn a2_an_honest_run_of_everything_replays_sound() {
    let (code, problems) = HONEST.verify();
    assert!(problems.is_empty() && code < 6, "{problems:?}");
    let log = HONEST.dir.path().join("log-out");
    let auditor = super::house::log_in(&HONEST.appliance, "aud");
    HONEST.appliance.export_log(&auditor, &log).unwrap();
    assert_eq!(verify_exported(&log), (1, Vec::new()));
    // The same story under another key: what the forgeries below begin with.
    assert_eq!(Story::honest().verdict(), (1, Vec::new()));
}

#[test]
fn a2_a_disposal_while_a_hold_is_open_that_was_not_judged_is_found() {
    let mut story = Story::honest();
    let at = story.slice();
    assert_eq!(story.draft(at).hold_versions.len(), 2);
    story.draft(at).hold_versions.remove(0);
    story.is_found(at, "is open, and it was not judged");
}

#[test]
fn a2_a_hold_that_was_placed_in_the_recall_window_and_left_out_is_found() {
    let mut story = Story::honest();
    let placed = story.last(Action::HoldPlace, |_| true);
    let mut hold = story.draft(placed).clone();
    hold.objects = vec!["hld_00000000000000000000000077".to_owned()];
    let intent = story.last(Action::EraseIntent, |_| true);
    story.insert(intent, hold);
    let at = story.slice();
    story.is_found(at, "hold hld_00000000000000000000000077 is open");
}

#[test]
fn a2_a_disposal_of_what_a_hold_names_is_found() {
    let mut story = Story::honest();
    let at = story.slice();
    let doomed = story.draft(at).objects[1].clone();
    // The hold by ids that stays open names one more message.
    let open = story.draft(at).hold_versions.clone();
    let hold = story.last(Action::HoldPlace, |draft| {
        open.contains(&draft.objects[0]) && draft.fact_word("kind") == Some("ids")
    });
    story.draft(hold).objects.push(doomed.clone());
    story.is_found(at, &format!("{doomed} is destroyed, and hold"));
}

#[test]
fn a2_a_release_by_one_person_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::HoldRelease, |_| true);
    let asked = story.last(Action::HoldReleaseRequest, |_| true);
    story.draft(at).actor = story.draft(asked).actor.clone();
    story.is_found(at, "one person alone");
}

#[test]
fn a2_a_release_without_its_grace_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::HoldRelease, |_| true);
    let soon = story.0[at].t_c.plus_days(13).0;
    story.set(at, "until", soon);
    story.is_found(at, "without its grace");
}

#[test]
fn a2_equal_approvers_are_found() {
    let mut story = Story::honest();
    let approves = |draft: &Draft| draft.fact_word("act") == Some("approve");
    let at = story.last(Action::DispositionReview, approves);
    story.draft(at).actor = story.actor(Role::Lawyer, 0);
    // The claim is mended too, so that the list seems to have needed one.
    let plan = story.last(Action::DispositionPlan, |_| true);
    story.set(plan, "reviewers", 1);
    let intent = story.last(Action::EraseIntent, |_| true);
    story.set(intent, "approvals", 1);
    story.is_found(at, "approves twice");
}

#[test]
fn a2_too_few_approvals_are_found() {
    let mut story = Story::honest();
    let approves = |draft: &Draft| draft.fact_word("act") == Some("approve");
    let gone = story.last(Action::DispositionReview, approves);
    story.0.remove(gone);
    let intent = story.last(Action::EraseIntent, |_| true);
    story.set(intent, "approvals", 1);
    story.is_found(intent, "1 of 2 approvals by different people");
}

#[test]
fn a2_a_claim_of_approvals_that_were_never_given_is_found() {
    let mut story = Story::honest();
    let intent = story.last(Action::EraseIntent, |_| true);
    story.set(intent, "approvals", 3);
    story.is_found(intent, "approvals are claimed, and the log knows 2");
}

#[test]
fn a2_an_approval_by_who_asked_for_it_is_found() {
    let mut story = Story::honest();
    let plan = story.last(Action::DispositionPlan, |_| true);
    let asked = story.draft(plan).actor.clone();
    let approves = |draft: &Draft| draft.fact_word("act") == Some("approve");
    let at = story.last(Action::DispositionReview, approves);
    story.draft(at).actor = asked;
    story.is_found(at, "what they asked for themselves");
}

#[test]
fn a2_an_approval_by_the_author_of_a_locked_policy_is_found() {
    let mut story = Story::honest();
    let enabled = story.last(Action::PolicyEnable, |draft| {
        draft.fact_word("action") == Some("retain_then_delete")
    });
    let author = story.draft(enabled).fact_word("author").unwrap().to_owned();
    let approves = |draft: &Draft| draft.fact_word("act") == Some("approve");
    let at = story.last(Action::DispositionReview, approves);
    let known = story
        .0
        .iter()
        .rev()
        .find(|entry| entry.draft.actor.id == author);
    story.draft(at).actor = known.unwrap().draft.actor.clone();
    story.is_found(at, "a locked policy of their own");
}

#[test]
fn a2_a_destruction_inside_the_recall_window_is_found() {
    let mut story = Story::honest();
    let intent = story.last(Action::EraseIntent, |_| true);
    let plan = story.last(Action::DispositionPlan, |_| true);
    story.set(plan, "recall", 9 * Timestamp::MICROS_PER_DAY);
    story.is_found(intent, "recall window");
}

#[test]
fn a2_a_list_that_was_called_off_and_destroyed_is_found() {
    let mut story = Story::honest();
    let approves = |draft: &Draft| draft.fact_word("act") == Some("approve");
    let review = story.last(Action::DispositionReview, approves);
    let mut cancel = story.draft(review).clone();
    cancel.action = Action::DispositionCancel;
    story.insert(review, cancel);
    let intent = story.last(Action::EraseIntent, |_| true);
    story.is_found(intent, "called off");
}

#[test]
fn a2_a_destruction_that_nobody_listed_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::CertificateMake, |_| true);
    let mut intent = story.draft(at).clone();
    intent.action = Action::EraseIntent;
    intent.objects = vec!["batch-9".to_owned()];
    let at = story.insert(at, intent);
    story.is_found(at, "batch-9 was never put on a list");
}

#[test]
fn a2_a_lock_that_a_version_shortens_is_found() {
    let shorter: [(&str, Fact); 5] = [
        ("period", Fact::Word("P1Y".to_owned())),
        ("lock", Fact::Word("governance".to_owned())),
        ("lock_until", Fact::Number(1_900_000_000_000_000)),
        ("action", Fact::Word("delete".to_owned())),
        ("trigger", Fact::Word("ingested".to_owned())),
    ];
    for (name, fact) in shorter {
        let mut story = Story::honest();
        let locked = |draft: &Draft| draft.fact_word("lock") == Some("compliance");
        // What was written and what was enabled agree: only the lock is in the way.
        let at = story.last(Action::PolicyEnable, locked);
        let written = story.last(Action::PolicyWrite, locked);
        for place in [at, written] {
            story
                .draft(place)
                .facts
                .insert(name.to_owned(), fact.clone());
        }
        if name == "period" {
            let first = story.0.iter().position(|entry| {
                entry.draft.action == Action::PolicyEnable && locked(&entry.draft)
            });
            let longer = Fact::Word("P3Y".to_owned());
            let first = first.unwrap();
            let drafted = story.0[..first].iter().rposition(|entry| {
                entry.draft.action == Action::PolicyWrite && locked(&entry.draft)
            });
            for place in [first, drafted.unwrap()] {
                story
                    .draft(place)
                    .facts
                    .insert(name.to_owned(), longer.clone());
            }
        }
        story.is_found(at, "a compliance lock keeps it until");
    }
}

#[test]
fn a2_a_narrower_scope_under_a_lock_is_found() {
    let mut story = Story::honest();
    let locked = |draft: &Draft| draft.fact_word("lock") == Some("compliance");
    let at = story.last(Action::PolicyEnable, locked);
    let scope = Fact::Word("other".to_owned());
    story.draft(at).facts.insert("scope".to_owned(), scope);
    story.is_found(at, "a compliance lock keeps it until");
}

#[test]
fn a2_the_end_of_a_locked_policy_is_found() {
    let mut story = Story::honest();
    let locked = |draft: &Draft| draft.fact_word("lock") == Some("compliance");
    let at = story.last(Action::PolicyEnable, locked);
    let mut end = story.draft(at).clone();
    end.action = Action::PolicyDisable;
    let version = end.number("version").unwrap() as i64;
    let at = story.insert(at, end);
    story.set(at, "version", version + 1);
    story.is_found(at, "a compliance lock keeps it until");
}

#[test]
fn a2_a_weakening_by_its_author_or_without_its_days_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::PolicyDisable, |_| true);
    let author = story.draft(at).fact_word("author").unwrap().to_owned();
    let known = story
        .0
        .iter()
        .rev()
        .find(|entry| entry.draft.actor.id == author);
    story.draft(at).actor = known.unwrap().draft.actor.clone();
    story.is_found(at, "by its author");
    let mut story = Story::honest();
    let soon = story.0[at].t_c.plus_days(6).0;
    story.set(at, "counts_from", soon);
    story.is_found(at, "before 7 days are over");
}

#[test]
fn a2_enabling_other_terms_than_those_written_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::PolicyEnable, |draft| {
        draft.fact_word("action") == Some("retain_then_delete")
    });
    let other = Fact::Word("P1D".to_owned());
    story.draft(at).facts.insert("period".to_owned(), other);
    story.is_found(at, "is not what was written");
}

#[test]
fn a2_ids_outside_the_preview_are_found() {
    let mut story = Story::honest();
    let at = story.slice();
    let stranger = "msg_00000000000000000000000077";
    story.draft(at).objects[1] = stranger.to_owned();
    story.is_found(
        at,
        &format!("{stranger} is destroyed, and was not on the list"),
    );
}

#[test]
fn a2_what_was_taken_off_the_list_and_destroyed_is_found() {
    let mut story = Story::honest();
    let at = story.slice();
    let review = story.last(Action::DispositionReview, |draft| {
        draft.fact_word("act") == Some("exclude")
    });
    let spared = story.draft(review).fact_word("message").unwrap().to_owned();
    story.draft(at).objects[1] = spared.clone();
    story.is_found(
        at,
        &format!("{spared} is destroyed, and was taken off the list"),
    );
}

#[test]
fn a2_more_than_was_previewed_is_found() {
    let mut story = Story::honest();
    let plan = story.last(Action::DispositionPlan, |_| true);
    let items = story.draft(plan).number("items").unwrap() as i64;
    story.set(plan, "items", items - 1);
    let intent = story.last(Action::EraseIntent, |_| true);
    story.is_found(intent, "were previewed and left on the list");
}

#[test]
fn a2_another_list_than_the_previewed_one_is_found() {
    let mut story = Story::honest();
    // Nothing was taken off in this story.
    let review = story.last(Action::DispositionReview, |draft| {
        draft.fact_word("act") == Some("exclude")
    });
    story.0.remove(review);
    let plan = story.last(Action::DispositionPlan, |_| true);
    let items = story.draft(plan).number("items").unwrap() as i64;
    story.set(plan, "items", items - 1);
    let intent = story.last(Action::EraseIntent, |_| true);
    story.is_found(intent, "are not those of the list");
}

#[test]
fn a2_a_slice_beyond_what_was_approved_is_found() {
    let mut story = Story::honest();
    let at = story.slice();
    let dropped = Fact::Number(1_000);
    story.draft(at).facts.insert("dropped".to_owned(), dropped);
    let (code, problems) = story.verdict();
    assert_eq!(code, 6);
    assert_eq!(problems[0].0, Some(at as u64));
    assert!(problems[0].1.contains("were approved"), "{problems:?}");
}

#[test]
fn a2_a_destruction_under_a_freeze_is_found() {
    let mut story = Story::honest();
    let lift = story.last(Action::FreezeLift, |_| true);
    let freeze = story.draft(lift).fact_word("freeze").unwrap().to_owned();
    story.0.remove(lift);
    let at = story.slice();
    story.is_found(at, &format!("while freeze {freeze} stands"));
}

#[test]
fn a2_a_freeze_lifted_by_one_person_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::FreezeLift, |_| true);
    let asked = story.last(Action::FreezeLiftRequest, |_| true);
    story.draft(at).actor = story.draft(asked).actor.clone();
    story.is_found(at, "lifted a freeze");
}

#[test]
fn a2_every_sight_of_content_without_the_right_is_found() {
    for action in [
        Action::ContentSearch,
        Action::ContentView,
        Action::ExportIntent,
    ] {
        for (who, why) in [
            (Role::Administrator, "whose role administrator has no right"),
            (Role::Auditor, "whose role auditor has no right"),
        ] {
            let mut story = Story::honest();
            let actor = story.actor(who, 0);
            let at = story.last(action.clone(), |_| true);
            story.draft(at).actor = actor;
            story.is_found(at, why);
        }
    }
}

#[test]
fn a2_a_view_by_a_role_that_was_taken_away_is_found() {
    let mut story = Story::honest();
    let at = story.last(Action::ContentView, |_| true);
    let viewer = story.draft(at).actor.id.clone();
    let root = story.actor(Role::Administrator, 0);
    let change = Draft::new(root, Action::UserRole, "r")
        .object(viewer)
        .word("role", Role::Auditor.name());
    let changed = story.insert(at - 1, change);
    let (code, problems) = story.verdict();
    assert_eq!(code, 6);
    assert_eq!(problems[0].0, Some(changed as u64 + 1), "{problems:?}");
    assert!(problems[0].1.contains("whose role was auditor then"));
}

#[test]
fn a2_a_destruction_by_who_may_not_is_found() {
    for action in [
        Action::EraseIntent,
        Action::EraseSlice,
        Action::EraseOutcome,
    ] {
        let mut story = Story::honest();
        let lawyer = story.actor(Role::Lawyer, 0);
        let at = story.last(action.clone(), |draft| draft.number("erased") != Some(0));
        story.draft(at).actor = lawyer;
        story.is_found(at, "has no right");
        story.draft(at).actor = EntryActor::system();
        story.is_found(at, "destroys nothing of its own accord");
    }
}

#[test]
fn a2_more_destroyed_than_came_in_is_found() {
    let mut story = Story::honest();
    let at = story.slice();
    for import in 0..at {
        if story.0[import].draft.action == Action::ImportOutcome {
            let fresh = story.draft(import).number("fresh").unwrap() as i64;
            story.set(import, "fresh", 0);
            story.set(import, "known", fresh);
        }
    }
    story.is_found(at, "messages came in by then");
}

#[test]
fn a2_a_certificate_out_of_its_number_is_found() {
    let mut story = Story::honest();
    let outcome = story.last(Action::EraseOutcome, |_| true);
    let made = story.last(Action::CertificateMake, |_| true);
    story.set(outcome, "certificate", 3);
    story.set(made, "certificate", 3);
    story.is_found(outcome, "certificate 3 follows 0");
}

/// What the opened store is asked, the exported log is asked too: the key of the log is in the record,
/// and whoever runs the program can sign with it.
fn planted_in_the_store(plant: impl FnOnce(&World) -> Draft, rule: &str) {
    let world = World::honest();
    let draft = plant(&world);
    let archive = world.appliance.archive();
    let now = world.appliance.now();
    let at = archive
        .write(now, |tx| archive.log(tx, now, draft, None))
        .unwrap()
        .seq;
    let (code, problems) = world.verify();
    assert_eq!(code, 6, "{problems:?}");
    let named = problems
        .iter()
        .any(|problem| problem.starts_with(&format!("Some({at})")) && problem.contains(rule));
    assert!(named, "{problems:?}");
    let log = world.dir.path().join("log-out");
    let auditor = super::house::log_in(&world.appliance, "aud");
    world.appliance.export_log(&auditor, &log).unwrap();
    let (code, problems) = verify_exported(&log);
    assert_eq!(code, 6);
    assert!(problems[0].1.contains(rule), "{problems:?}");
}

#[test]
fn a2_an_act_signed_by_the_real_key_is_found_in_store_and_export() {
    planted_in_the_store(
        |world| {
            let entries = world.entries();
            let slice = entries.iter().rev().find(|entry| {
                entry.draft.action == Action::EraseSlice && entry.draft.number("erased") != Some(0)
            });
            slice.unwrap().draft.clone()
        },
        "without an intent before it",
    );
}
