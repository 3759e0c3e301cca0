//! The laws of proof: the index says what the store says, keys rotate, the log cannot be rewritten.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/house.rs"]
mod house;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use house::{Place, copy_tree, count, files_below, import, ios_export, log_in, plain_chat, secret};
use wordkeep::app::{AppError, Appliance, LogRequest, Session, VerifyRequest, verify_log};
use wordkeep::audit::{Pins, Verdict, verify_files};
use wordkeep::crypto::{NoteVerifier, Secret, StretchCost};
use wordkeep::domain::{FreezeReason, MessageNo, Timestamp};
use wordkeep::store::KeyKind;

struct House {
    place: Place,
    _dir: tempfile::TempDir,
}

fn house(messages: usize) -> (House, Appliance) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let appliance = place.create();
    let root = log_in(&appliance, "root");
    let chat = plain_chat("law", messages);
    let export = ios_export(dir.path(), "Law", &chat, &[]);
    let receipt = import(&appliance, &root, &export).unwrap();
    assert_eq!(receipt.counts.fresh, messages as u64);
    (House { place, _dir: dir }, appliance)
}

fn answers(appliance: &Appliance, session: &Session) -> Vec<u64> {
    let queries = [
        "shipment",
        "\"order is agreed\"",
        "lawword7",
        "lawword1*",
        "from:\"Ana Reis\"",
        "agreed w/3 order",
        "date:2021",
        "nothing",
        "shipment AND NOT lawword3",
    ];
    queries
        .iter()
        .map(|query| count(appliance, session, query))
        .collect()
}

#[test]
fn e3_a_rebuilt_index_gives_the_same_answers_while_searches_go_on() {
    let (_house, appliance) = house(900);
    let rec = log_in(&appliance, "rec");
    let before = answers(&appliance, &rec);
    let keys = |appliance: &Appliance| {
        let rows = appliance.archive().store().read().unwrap();
        let mut ids: Vec<u32> = rows
            .data_keys()
            .unwrap()
            .iter()
            .filter(|row| row.purpose.kind == KeyKind::IndexSegment)
            .filter(|row| row.purpose.object.is_some())
            .map(|row| row.id.0)
            .collect();
        ids.sort_unstable();
        ids
    };
    let old = keys(&appliance);
    let done = AtomicBool::new(false);
    let asked = std::thread::scope(|scope| {
        let searcher = scope.spawn(|| {
            let mut asked = 0;
            while !done.load(Ordering::Relaxed) || asked == 0 {
                assert_eq!(answers(&appliance, &rec), before);
                asked += 1;
            }
            asked
        });
        let mut heard = 0;
        for _ in 0..3 {
            let (rebuilt, _) = appliance
                .rebuild_index(&rec, &mut |done, of| {
                    assert!(done <= of);
                    heard = done;
                })
                .unwrap();
            assert_eq!((rebuilt.messages, heard), (900, 900));
        }
        done.store(true, Ordering::Relaxed);
        searcher.join().unwrap()
    });
    assert!(asked > 0);
    assert_eq!(answers(&appliance, &rec), before);
    let new = keys(&appliance);
    assert!(!new.is_empty() && new.iter().all(|id| !old.contains(id)));
    let (verdict, _) = appliance.verify_index(&rec, 20, &mut |_, _| ()).unwrap();
    assert!(verdict.is_sound(), "{verdict:?}");
    assert_eq!((verdict.messages, verdict.asked), (900, 20));
}

#[test]
fn e3_parts_that_do_not_open_are_rebuilt_on_open() {
    let (house, appliance) = house(300);
    let rec = log_in(&appliance, "rec");
    let before = answers(&appliance, &rec);
    appliance.close().unwrap();
    drop(appliance);
    let index = house.place.data().join("index");
    // One part gone, one whose list is damaged, one with a damaged file.
    std::fs::remove_dir_all(index.join("2019")).unwrap();
    let list = index.join("2020/meta.json");
    let mut bytes = std::fs::read(&list).unwrap();
    bytes[60] ^= 1;
    std::fs::write(&list, bytes).unwrap();
    let appliance = house.place.open().unwrap();
    assert_eq!(appliance.notices().len(), 2, "{:?}", appliance.notices());
    let rec = log_in(&appliance, "rec");
    assert_eq!(answers(&appliance, &rec), before);
    let (verdict, _) = appliance.verify_index(&rec, 5, &mut |_, _| ()).unwrap();
    assert!(verdict.is_sound(), "{verdict:?}");
    appliance.close().unwrap();
    drop(appliance);
    assert!(house.place.open().unwrap().notices().is_empty());
}

/// Changes the index behind the back of the store, as somebody with the keys could.
fn meddle(appliance: &Appliance, how: impl FnOnce(&mut wordkeep::index::Writer)) {
    let mut writer = appliance.archive().index().writer();
    how(&mut writer);
    writer.close().unwrap();
}

#[test]
fn e3_a_removed_message_and_an_added_one_are_found_by_the_index_verifier() {
    let (_house, appliance) = house(120);
    let rec = log_in(&appliance, "rec");
    let archive = appliance.archive();
    let some = archive.store().read().unwrap().last_message().unwrap();
    let message = archive.reader().unwrap().message(some).unwrap().unwrap();
    let sent = message.row.sent;
    // Removed: all its postings go.
    meddle(&appliance, |writer| {
        drop(writer.delete(some, sent).unwrap())
    });
    let (verdict, _) = appliance.verify_index(&rec, 0, &mut |_, _| ()).unwrap();
    assert_eq!(verdict.disagreements.len(), 1, "{verdict:?}");
    let bucket = verdict.disagreements[0];
    assert_eq!(bucket.expected, bucket.found + 1);
    assert!((bucket.from..bucket.until).contains(&some));
    appliance.rebuild_index(&rec, &mut |_, _| ()).unwrap();
    let (verdict, _) = appliance.verify_index(&rec, 0, &mut |_, _| ()).unwrap();
    assert!(verdict.is_sound(), "{verdict:?}");
    // Added: a message the store does not hold.
    let now = Timestamp::from_seconds(1_700_000_000);
    meddle(&appliance, |writer| {
        message.with_record(|record| {
            let mut analysis = wordkeep::query::analysis::Analysis::default();
            wordkeep::query::analysis::analyse("forged", &mut analysis);
            let record = wordkeep::query::Record {
                no: MessageNo(some.0 + 1),
                versions: &["forged"],
                ..*record
            };
            let words = wordkeep::index::Words {
                versions: &[&analysis],
                ..wordkeep::index::Words::default()
            };
            writer
                .add(&record, words, wordkeep::index::Novelty::New, now)
                .unwrap();
        });
    });
    let (verdict, _) = appliance.verify_index(&rec, 0, &mut |_, _| ()).unwrap();
    assert!(!verdict.is_sound());
    assert_eq!(
        verdict.disagreements[0].found,
        verdict.disagreements[0].expected + 1
    );
}

#[test]
fn e3_a_removed_posting_is_found_by_the_index_verifier() {
    let (_house, appliance) = house(60);
    let rec = log_in(&appliance, "rec");
    let archive = appliance.archive();
    let some = archive.store().read().unwrap().last_message().unwrap();
    let message = archive.reader().unwrap().message(some).unwrap().unwrap();
    let now = appliance.now();
    // The same message with one word less: one posting is gone, the count is the same.
    meddle(&appliance, |writer| {
        message.with_record(|record| {
            let text = record.versions[0].replace("shipment ", "");
            let mut analysis = wordkeep::query::analysis::Analysis::default();
            wordkeep::query::analysis::analyse(&text, &mut analysis);
            let words = wordkeep::index::Words {
                versions: &[&analysis],
                ..wordkeep::index::Words::default()
            };
            let novelty = wordkeep::index::Novelty::Replaces(record.sent);
            writer.add(record, words, novelty, now.wall).unwrap();
        });
    });
    let (verdict, _) = appliance.verify_index(&rec, 0, &mut |_, _| ()).unwrap();
    assert_eq!(verdict.disagreements.len(), 1, "{verdict:?}");
    let bucket = verdict.disagreements[0];
    assert_eq!(bucket.expected, bucket.found);
}

#[test]
fn e3_a_removed_segment_is_found_on_open_and_mended() {
    let (house, appliance) = house(200);
    let rec = log_in(&appliance, "rec");
    let before = answers(&appliance, &rec);
    appliance.close().unwrap();
    drop(appliance);
    let part = house.place.data().join("index/2021");
    for file in files_below(&part) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with('.') && name != "meta.json" {
            std::fs::remove_file(file).unwrap();
        }
    }
    let appliance = house.place.open().unwrap();
    assert!(!appliance.notices().is_empty());
    let rec = log_in(&appliance, "rec");
    assert_eq!(answers(&appliance, &rec), before);
}

#[test]
fn e5_any_slot_opens_and_a_removed_one_does_not() {
    let (house, appliance) = house(20);
    let root = log_in(&appliance, "root");
    let second = Secret::passphrase("a recovery passphrase");
    let cost = StretchCost::LOGIN;
    let (number, _) = appliance
        .add_slot(&root, &secret(), &second, "recovery", &cost)
        .unwrap();
    assert_eq!(appliance.key_status(&root).unwrap().slots.len(), 2);
    appliance.close().unwrap();
    drop(appliance);
    let opened = Appliance::open(house.place.settings(), &second).unwrap();
    let root = log_in(&opened, "root");
    // Whoever removes a slot must have another.
    assert!(opened.remove_slot(&root, &second, number).is_err());
    opened.remove_slot(&root, &secret(), number).unwrap();
    assert!(opened.remove_slot(&root, &secret(), 1).is_err());
    opened.close().unwrap();
    drop(opened);
    assert!(matches!(
        Appliance::open(house.place.settings(), &second),
        Err(AppError::Configuration(_))
    ));
    house.place.open().unwrap();
}

#[test]
fn e5_rotation_keeps_everything_readable_and_makes_the_old_keyhold_useless() {
    let (house, appliance) = house(200);
    let root = log_in(&appliance, "root");
    let rec = log_in(&appliance, "rec");
    let before = answers(&appliance, &rec);
    let keyhold = house.place.data().join("keys/keyhold");
    let old = std::fs::read(&keyhold).unwrap();
    let (rotated, _) = appliance.rotate_keys(&root, &secret()).unwrap();
    assert_eq!(rotated.generation, 2);
    assert_eq!(answers(&appliance, &rec), before);
    // New keys after it are of the new generation.
    let chat = plain_chat("after", 30);
    let export = ios_export(&house.place.root, "After", &chat, &[]);
    import(&appliance, &root, &export).unwrap();
    appliance.close().unwrap();
    drop(appliance);
    let new = std::fs::read(&keyhold).unwrap();
    assert_eq!(new[..4096], new[4096..], "the old place was overwritten");
    let appliance = house.place.open().unwrap();
    let rec = log_in(&appliance, "rec");
    assert_eq!(count(&appliance, &rec, "after*"), 30);
    let report = appliance
        .verify(&rec, &VerifyRequest::default(), &mut |_, _, _| ())
        .unwrap();
    assert_eq!(report.exit_code(), 0, "{}", report.to_json());
    drop(appliance);
    std::fs::write(&keyhold, old).unwrap();
    let refused = house
        .place
        .open()
        .err()
        .expect("the old keyhold is refused");
    assert!(matches!(refused, AppError::Configuration(_)), "{refused}");
    assert!(refused.to_string().contains("generation 1"), "{refused}");
}

#[test]
fn a1_the_log_is_read_by_those_who_may_and_says_so() {
    let (_house, appliance) = house(20);
    let rec = log_in(&appliance, "rec");
    count(&appliance, &rec, "lawword3");
    let aud = log_in(&appliance, "aud");
    let wanted = LogRequest {
        action: Some("content".to_owned()),
        ..LogRequest::default()
    };
    let page = appliance.read_log(&aud, &wanted).unwrap();
    assert_eq!(page.lines.len(), 1);
    let payload = page.lines[0].payload.as_deref().unwrap_or_default();
    assert!(payload.contains("lawword3"), "{payload}");
    assert!(!page.lines[0].json.contains("lawword3"));
    let law = log_in(&appliance, "law");
    assert!(appliance.read_log(&law, &wanted).is_err());
    let wanted = LogRequest {
        action: Some("log.read".to_owned()),
        ..LogRequest::default()
    };
    let page = appliance.read_log(&aud, &wanted).unwrap();
    // The auditor's own reading, and the lawyer's refused attempt.
    assert_eq!(page.lines.len(), 2);
}

#[test]
fn a2_verify_remembers_and_finds_a_rollback() {
    let (house, appliance) = house(30);
    let rec = log_in(&appliance, "rec");
    let elsewhere = tempfile::tempdir().unwrap();
    let pins = elsewhere.path().join("pins");
    let verify = || {
        verify_log(&house.place.data(), &pins, &VerifyRequest::default())
            .unwrap()
            .exit_code()
    };
    assert_eq!(verify(), 1, "first seen");
    assert_eq!(verify(), 0, "as it was seen before");
    appliance.close().unwrap();
    drop(appliance);
    let copy = elsewhere.path().join("copy");
    copy_tree(&house.place.data(), &copy);
    let appliance = house.place.open().unwrap();
    count(&appliance, &rec, "lawword3");
    appliance.close().unwrap();
    drop(appliance);
    assert_eq!(verify(), 0, "it grew");
    // The older copy is put back, whole: consistent in itself.
    std::fs::remove_dir_all(house.place.data()).unwrap();
    copy_tree(&copy, &house.place.data());
    assert_eq!(verify(), 6, "it was put back");
    let older = house.place.open().unwrap();
    quarantined(&older, &house);
    let size = |appliance: &Appliance| {
        let rows = appliance.archive().store().read().unwrap();
        rows.audit_edge().unwrap().unwrap().0
    };
    let checkpoint = std::fs::read(house.place.data().join("log/checkpoint")).unwrap();
    // It stays there however often it is opened and read.
    let entries = size(&older);
    older.close().unwrap();
    drop(older);
    let again = house.place.open().unwrap();
    assert_eq!(size(&again), entries);
    quarantined(&again, &house);
    assert!(size(&again) > entries, "reading is logged as always");
    again.close().unwrap();
    drop(again);
    let now = std::fs::read(house.place.data().join("log/checkpoint")).unwrap();
    assert_eq!(now, checkpoint, "nothing is signed");
    std::fs::remove_dir_all(house.place.data()).unwrap();
    copy_tree(&copy, &house.place.data());
    // Without what this computer remembers, a consistent older copy cannot be told from the present.
    std::fs::remove_dir_all(house.place.settings().pins()).unwrap();
    house.place.open().unwrap();
}

/// It can be read and nothing else, and says so.
fn quarantined(older: &Appliance, house: &House) {
    let why = older.quarantine().unwrap();
    assert!(why.contains("older copy"), "{why}");
    assert!(
        older
            .notices()
            .iter()
            .any(|notice| notice.contains("QUARANTINE"))
    );
    let (root, law, rec) = (
        log_in(older, "root"),
        log_in(older, "law"),
        log_in(older, "rec"),
    );
    assert_eq!(count(older, &law, "lawword3"), 1);
    let freezes = older.freezes(&rec).unwrap();
    assert_eq!(freezes.len(), 1);
    assert_eq!(freezes[0].reason, FreezeReason::RollbackSuspected);
    let chat = house::ios_export(
        &house.place.root,
        "late",
        &house::plain_chat("late", 3),
        &[],
    );
    let refused = [
        house::import(older, &root, &chat).err(),
        older.plan_disposition(&rec).err(),
        older.lift_freeze(&rec, freezes[0].no, "go on").err(),
        older.freeze(&law, "stop").err(),
        older.open_matter(&law, "case", "").err(),
        older.rotate_keys(&root, &secret()).err(),
    ];
    for refused in refused {
        let refused = refused.unwrap();
        assert!(matches!(refused, AppError::Integrity(_)), "{refused}");
        assert!(refused.to_string().contains("newest copy"), "{refused}");
    }
}

#[test]
fn a2_a_record_behind_its_published_log_is_read_and_nothing_else() {
    let (house, appliance) = house(30);
    appliance.close().unwrap();
    drop(appliance);
    let data = house.place.data();
    let old = std::fs::read(data.join("wordkeep.db")).unwrap();
    let appliance = house.place.open().unwrap();
    let rec = log_in(&appliance, "rec");
    count(&appliance, &rec, "lawword3");
    appliance.close().unwrap();
    drop(appliance);
    std::fs::write(data.join("wordkeep.db"), old).unwrap();
    let _ = std::fs::remove_file(data.join("wordkeep.db-wal"));
    std::fs::remove_dir_all(house.place.settings().pins()).unwrap();
    quarantined(&house.place.open().unwrap(), &house);
}

fn read_log_files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    files_below(root)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root).unwrap().to_string_lossy();
            (name.into_owned(), std::fs::read(&path).unwrap())
        })
        .collect()
}

#[test]
fn a2_every_flipped_bit_and_every_cut_of_log_and_export_is_found() {
    let (house, appliance) = house(40);
    let rec = log_in(&appliance, "rec");
    for n in 0..30 {
        count(&appliance, &rec, &format!("lawword{n}"));
    }
    let export = house.place.root.join("export");
    let (anchor, _) = appliance.export_log(&rec, &export).unwrap();
    appliance.close().unwrap();
    drop(appliance);
    let pins = house.place.root.join("pins");
    let verify = || {
        verify_log(&export, &pins, &VerifyRequest::default())
            .unwrap()
            .exit_code()
    };
    assert_eq!((verify(), verify()), (1, 0));
    let entries = export.join("tile/entries");
    std::fs::rename(&entries, house.place.root.join("entries")).unwrap();
    assert_eq!(verify(), 6, "an export without entries");
    std::fs::rename(house.place.root.join("entries"), &entries).unwrap();
    for root in [house.place.data().join("log"), export.clone()] {
        let sound = read_log_files(&root);
        let vkey = String::from_utf8(sound["vkey"].clone()).unwrap();
        let pins = Pins {
            keys: vec![NoteVerifier::from_vkey(vkey.trim()).unwrap()],
            anchors: vec![anchor.clone()],
        };
        let report = verify_files(&sound, &pins);
        assert_eq!(report.verdict, Verdict::Sound, "{report:?}");
        for (name, bytes) in &sound {
            if name == "vkey" {
                continue;
            }
            // Every bit of small files, every 97th of large ones.
            let step = if bytes.len() > 2_048 { 97 } else { 1 };
            for bit in (0..bytes.len() * 8).step_by(step) {
                let mut files = sound.clone();
                files.get_mut(name).unwrap()[bit / 8] ^= 1 << (bit % 8);
                let report = verify_files(&files, &pins);
                assert!(
                    matches!(report.verdict, Verdict::Broken | Verdict::Unreadable),
                    "{name} bit {bit}"
                );
                assert!(!report.problems.is_empty(), "{name} bit {bit}");
            }
            let mut files = sound.clone();
            files.remove(name);
            let report = verify_files(&files, &pins);
            // Elder checkpoints are extra evidence: without them the newest still proves all.
            let extra = name.starts_with("checkpoints/");
            // Without its only file of entries an export is a log of hashes, and says so.
            let hashes_only = name.starts_with("tile/entries/") && report.entries == 0;
            let told = extra || hashes_only || report.verdict != Verdict::Sound;
            assert!(told, "{name} removed");
            for cut in [1, bytes.len() / 2, bytes.len()] {
                let mut files = sound.clone();
                files.get_mut(name).unwrap().truncate(bytes.len() - cut);
                let report = verify_files(&files, &pins);
                let extra = extra && cut == bytes.len();
                assert!(
                    extra || report.verdict != Verdict::Sound,
                    "{name} cut {cut}"
                );
            }
        }
    }
}
