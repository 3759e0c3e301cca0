//! One door of destruction: whatever else the product can do, by whomever, what a hold protects is
//! still there and readable afterwards, and who tried is told why.

use std::collections::BTreeSet;
use std::path::Path;

use wordkeep::app::{AppError, BackupRequest, HoldTarget, NewRequest, PruneRequest, Review};
use wordkeep::domain::{Lock, MessageId, PolicyAction, Role};

use super::court::{blocked, opened};
use super::house::{Place, log_in, secret};
use super::world::World;

/// A company with a chat that is due and held, and a freeze on nothing.
struct Held {
    world: World,
    all: Vec<MessageId>,
}

impl Held {
    fn new() -> Held {
        let world = World::founded();
        world.chat("heldchat", 6);
        let all = world.find("heldchat*");
        let app = &world.appliance;
        let policy = world.policy(None, PolicyAction::RetainThenDelete, 1, Lock::None);
        app.enable_policy(&world.rec, policy, "decided").unwrap();
        world.clock.days(800);
        app.keep_clock().unwrap();
        Held { world, all }
    }

    /// Every message is found, opens and says what holds it.
    fn is_whole(&self, after: &str) {
        let app = &self.world.appliance;
        assert_eq!(self.world.find("heldchat*"), self.all, "{after}");
        for id in &self.all {
            let story = app.message(&self.world.law, *id).unwrap();
            assert!(story.versions[0].body.contains("heldchat"), "{after}");
        }
    }
}

/// Approves a list by two people and runs it; how many went, and how many the run left.
fn run_list(world: &World) -> (usize, usize) {
    let app = &world.appliance;
    let batch = app.plan_disposition(&world.second).unwrap().batch;
    for by in [&world.law, &world.second_law] {
        app.review_disposition(by, batch, Review::Approve, "looked at it")
            .unwrap();
    }
    world.clock.days(8);
    app.keep_clock().unwrap();
    let run = app.run_disposition(&world.second, batch).unwrap();
    (run.erased.len(), run.dropped.len())
}

#[test]
fn h10_no_way_leads_around_the_door() {
    let held = Held::new();
    let world = &held.world;
    let app = &world.appliance;

    // A list that was approved before the hold came: every item drops out and is told.
    let batch = app.plan_disposition(&world.second).unwrap().batch;
    for by in [&world.law, &world.second_law] {
        app.review_disposition(by, batch, Review::Approve, "looked at it")
            .unwrap();
    }
    let matter = app.open_matter(&world.law, "Nordwind", "").unwrap().0;
    world.place_hold(matter, HoldTarget::Query("heldchat*".to_owned()));
    world.clock.days(8);
    app.keep_clock().unwrap();
    let run = app.run_disposition(&world.second, batch).unwrap();
    assert_eq!((run.erased.len(), run.dropped.len()), (0, held.all.len()));
    held.is_whole("a disposition");

    // A person's request for erasure: restricted or refused item by item, with its ground.
    let request = NewRequest {
        messages: held.all.clone(),
        reason: "article 17".to_owned(),
        ..NewRequest::default()
    };
    let asked = app.add_request(&world.law, &request).unwrap();
    assert_eq!(asked.0.counts.due, 0, "{:?}", asked.0.counts);
    assert_eq!(asked.0.counts.restricted, held.all.len() as u64);

    // The matter cannot be closed over its hold.
    let why = blocked(app.close_matter(&world.law, matter, "settled"));
    assert!(why.contains("hold"), "{why}");

    upkeep(world);
    let World {
        dir,
        clock,
        appliance,
        law,
        ..
    } = held.world;
    appliance.close().unwrap();
    drop(appliance);

    // Shut and opened again: what cleans up on opening cleans up nothing of it.
    let again = opened(&Place::new(dir.path()), &clock);
    let live = again.archive().store().read().unwrap();
    assert_eq!(live.message_count().unwrap(), held.all.len() as u64);
    drop(live);
    for id in &held.all {
        // Restricted by the request: it is hidden from ordinary reading, and kept.
        let read = again.message(&law, *id);
        assert!(matches!(read, Err(AppError::NotFound(_))), "{read:?}");
    }
    let sound = again.archive().verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(sound.broken, Vec::<String>::new());
}

/// Everything else that administrators and records officers can do.
fn upkeep(world: &World) {
    let app = &world.appliance;
    let root = log_in(app, "root");
    let rec = &world.rec;

    // What administrators do: people, keys, backups.
    app.disable_user(&root, "rec2").unwrap();
    app.enable_user(&root, "rec2").unwrap();
    app.set_role(&root, "law2", Role::Manager).unwrap();
    app.rotate_keys(&root, &secret()).unwrap();
    let (key, _) = app.create_recovery_key(&root).unwrap();
    app.test_recovery_key(&root, &key).unwrap();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("backup");
    let backup = BackupRequest {
        target,
        escrow_targets: Vec::new(),
    };
    let made = app
        .create_backup(&root, &backup, &mut |_, _, _| ())
        .unwrap();
    app.forget_backup(&root, made.id).unwrap();

    // What records officers do to log and index.
    let year = app.now().compliance.civil_utc().0 as u32 - 1;
    assert!(blocked(app.prune_payloads(rec, year, "old")).contains("protects"));
    let auditor = log_in(app, "aud");
    let anchor = app.checkpoint(&auditor).unwrap().to_text();
    let shorten = PruneRequest {
        anchor,
        entries: 256,
        reason: "old".to_owned(),
    };
    assert!(blocked(app.prune_entries(rec, &shorten)).contains("protects"));
    app.rebuild_index(rec, &mut |_, _| ()).unwrap();
}

#[test]
fn h10_without_the_hold_the_door_opens() {
    let held = Held::new();
    held.is_whole("nothing");
    let (erased, dropped) = run_list(&held.world);
    assert_eq!((erased, dropped), (held.all.len(), 0));
    assert_eq!(held.world.find("heldchat*"), Vec::new());
}

/// Operations of the API that take something away, and what: none of them is a message.
const TAKEN: [&str; 3] = ["discardExport", "discardImport", "revokeToken"];

#[test]
fn h10_the_api_takes_no_message_away() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/openapi.json");
    let document: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(document).unwrap()).unwrap();
    let mut taken = BTreeSet::new();
    for (_, path) in document["paths"].as_object().unwrap() {
        if let Some(operation) = path.get("delete") {
            taken.insert(operation["operationId"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(taken, TAKEN.map(str::to_owned).into());
}
