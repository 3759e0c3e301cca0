//! The clock beats in the log, and a clock that ran ahead of the log is not believed.

use wordkeep::audit::Action;
use wordkeep::domain::{FreezeReason, Timestamp};
use wordkeep::retention::clock::Quality;

use super::court::{Moved, opened};
use super::house::{Place, log_in};
use super::world::{HONEST, World};
use wordkeep::app::{Appliance, LogRequest, VerifyRequest};
use wordkeep::audit::Entry;
use wordkeep::domain::EntryNo;

fn beats(appliance: &Appliance) -> Vec<Entry> {
    let rows = appliance.archive().store().read().unwrap();
    let rows = rows.audit_entries(EntryNo(0), EntryNo(1 << 40)).unwrap();
    rows.iter()
        .map(|row| Entry::parse(&row.entry).unwrap())
        .filter(|entry| entry.draft.action == Action::ClockHeartbeat)
        .collect()
}

#[test]
fn t12_the_clock_beats_every_hour_and_at_each_jump() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    place.create().close().unwrap();
    let clock = Moved::new();
    let appliance = opened(&place, &clock);
    assert_eq!(beats(&appliance).len(), 0, "the log has only begun");
    // Called every minute for five hours: five beats, an hour apart.
    for _ in 0..300 {
        clock.seconds(60);
        appliance.keep_clock().unwrap();
    }
    let found = beats(&appliance);
    assert_eq!(found.len(), 5);
    let apart = found[1].t_c.0 - found[0].t_c.0;
    assert!((3_600..3_670).contains(&(apart / Timestamp::MICROS_PER_SECOND)));
    clock.jump_seconds(600);
    appliance.keep_clock().unwrap();
    let found = beats(&appliance);
    assert_eq!(found.len(), 6);
    assert_eq!(found[5].draft.fact_word("alarm"), Some("wall_ran_ahead"));
    let jump = found[5].draft.number("jump").unwrap() / 1_000_000;
    assert!((599..=600).contains(&jump), "{jump}");
    // The honest world ran for weeks in jumps of days; its log is sound and beats too.
    assert!(!HONEST.entries().is_empty());
}

#[test]
fn t12_a_clock_row_ahead_of_the_log_freezes_and_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    place.create().close().unwrap();
    let clock = Moved::new();
    let appliance = opened(&place, &clock);
    clock.seconds(3_000);
    appliance.keep_clock().unwrap();
    let before = appliance.now().compliance;
    drop(appliance);
    // An hour at most between heartbeats, a minute between rows: this one is believed.
    let appliance = opened(&place, &clock);
    let rec = log_in(&appliance, "rec");
    assert_eq!(appliance.freezes(&rec).unwrap().len(), 0);
    // Somebody writes into the record that ten years went by.
    let mut row = appliance
        .archive()
        .store()
        .read()
        .unwrap()
        .clock()
        .unwrap()
        .unwrap();
    row.compliance = row.compliance.plus_days(3_650);
    row.wall = row.wall.plus_days(3_650);
    clock.jump_seconds(3_650 * 86_400);
    let archive = appliance.archive();
    archive
        .write(appliance.now(), |tx| Ok(tx.put_clock(&row)?))
        .unwrap();
    drop(appliance);
    let appliance = opened(&place, &clock);
    let rec = log_in(&appliance, "rec");
    let freezes = appliance.freezes(&rec).unwrap();
    assert_eq!(freezes.len(), 1);
    assert_eq!(freezes[0].reason, FreezeReason::ClockDoubt);
    assert!(
        appliance.now().compliance < before.plus_days(1),
        "it was not taken"
    );
    assert_eq!(appliance.clock_quality(), Quality::Gap);
    let last = beats(&appliance).pop().unwrap();
    assert_eq!(last.draft.fact_word("alarm"), Some("row_ahead_of_log"));
}

#[test]
fn t12_a_clock_that_two_people_advanced_is_believed_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    place.create().close().unwrap();
    let clock = Moved::new();
    let appliance = opened(&place, &clock);
    let (law, rec) = (log_in(&appliance, "law"), log_in(&appliance, "rec"));
    clock.jump_seconds(30 * 86_400);
    appliance.keep_clock().unwrap();
    assert_eq!(appliance.freezes(&rec).unwrap().len(), 1);
    let proven = appliance.now().wall;
    let (claim, _) = appliance.claim_time(&rec, proven, "a letter").unwrap();
    appliance.agree_time(&law, claim, "saw the letter").unwrap();
    // It dies before anything else is written.
    drop(appliance);
    let appliance = opened(&place, &clock);
    let rec = log_in(&appliance, "rec");
    assert!(appliance.now().compliance >= proven, "the time is kept");
    assert_eq!(appliance.freezes(&rec).unwrap().len(), 1, "no new doubt");
}

#[test]
fn a3_a_line_a_day_goes_outside_and_the_log_is_held_against_every_one() {
    let world = World::founded();
    let outside = tempfile::tempdir().unwrap();
    let file = outside.path().join("anchors");
    let World {
        dir,
        clock,
        appliance,
        ..
    } = world;
    appliance.close().unwrap();
    drop(appliance);
    let place = Place::new(dir.path());
    let config = dir.path().join("home/.config/wordkeep/wordkeep.toml");
    let text = format!("anchor_files = [{:?}]\n", file.display().to_string());
    std::fs::write(&config, text).unwrap();
    let app = opened(&place, &clock);
    let (rec, aud) = (log_in(&app, "rec"), log_in(&app, "aud"));
    let lines = || {
        std::fs::read_to_string(&file)
            .unwrap_or_default()
            .lines()
            .count()
    };
    for day in 1..5 {
        for _ in 0..3 {
            app.read_log(&aud, &LogRequest::default()).unwrap();
            app.checkpoint(&aud).unwrap();
        }
        assert_eq!(lines(), day);
        clock.days(1);
        app.keep_clock().unwrap();
    }
    let verify = || {
        let request = VerifyRequest::default();
        let report = app.verify(&rec, &request, &mut |_, _, _| ());
        report.map(|report| (report.exit_code(), report.log.anchors))
    };
    let (code, anchors) = verify().unwrap();
    assert!(code == 0 && anchors >= 4, "{code} {anchors}");
    // One line is of another history.
    let kept = std::fs::read_to_string(&file).unwrap();
    let mut forged: Vec<String> = kept.lines().map(str::to_owned).collect();
    let mut words: Vec<&str> = forged[1].split(' ').collect();
    words[3] = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    forged[1] = words.join(" ");
    std::fs::write(&file, forged.join("\n") + "\n").unwrap();
    assert_eq!(verify().unwrap().0, 6);
    // One was cut off.
    std::fs::write(&file, &kept[..kept.len() - 30]).unwrap();
    assert!(verify().is_err());
}
