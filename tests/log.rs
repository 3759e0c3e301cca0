//! The audit log from outside: a stranger's verifier, written from `schema/log.md` alone, agrees with
//! ours about sound and about damaged logs.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot set its scene up has to stop"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use wordkeep::audit::{
    Action, AuthStrength, Beginning, Draft, EntryActor, LogSigner, Payload, Pins, Verdict, append,
    export, sign, verify_files,
};
use wordkeep::crypto::{Checkpoint, Key, SeededEntropy, SigningKey, open_checkpoint};
use wordkeep::domain::{EntryNo, Now, Role, StoreId, Timestamp};
use wordkeep::store::{DataDirectory, Store};

type Files = BTreeMap<String, Vec<u8>>;

fn signer() -> LogSigner {
    let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
    LogSigner::new("example", StoreId(10), key).unwrap()
}

/// A log of 300 openings of a store with checkpoints at 100, 200 and 300; and the note of 100.
fn exported() -> (Files, Vec<u8>) {
    let dir = TempDir::new().unwrap();
    let directory = DataDirectory::create(&dir.path().join("data"), None).unwrap();
    let store = Store::create(directory, Key::from_bytes([7; 32])).unwrap();
    let entropy = SeededEntropy::new(1);
    let mut published = Files::new();
    let mut anchor = Vec::new();
    for at in 0..300 {
        let tx = store.write().unwrap();
        let action = if at == 0 {
            Action::StoreCreate
        } else {
            Action::StoreOpen
        };
        let draft = Draft::new(EntryActor::system(), action, "r1").count("at", at);
        let instant = Timestamp(at as i64);
        let now = Now {
            compliance: instant,
            wall: instant,
        };
        append(&tx, &now, draft, Payload::none(&entropy)).unwrap();
        let signed = ((at + 1) % 100 == 0).then(|| sign(&tx, &published, &signer()).unwrap());
        tx.commit().unwrap();
        if let Some(signed) = signed.flatten() {
            signed.publish(&mut published).unwrap();
        }
        if at == 99 {
            anchor = published["checkpoint"].clone();
        }
    }
    let mut files = Files::new();
    export(
        &store.read().unwrap(),
        &published,
        signer().verifier(),
        &mut files,
    )
    .unwrap();
    (files, anchor)
}

/// A log whose first 256 entries were pruned; and a note from before that.
fn shortened() -> (Files, Vec<u8>) {
    let dir = TempDir::new().unwrap();
    let directory = DataDirectory::create(&dir.path().join("data"), None).unwrap();
    let store = Store::create(directory, Key::from_bytes([7; 32])).unwrap();
    let entropy = SeededEntropy::new(1);
    let mut published = Files::new();
    let mut put = |at: i64, draft: Draft, pruned: bool| {
        let now = Now {
            compliance: Timestamp(at),
            wall: Timestamp(at),
        };
        let tx = store.write().unwrap();
        let draft = match pruned {
            true => {
                let beginning = Beginning::compute(&tx, 256).unwrap();
                tx.delete_audit_entries(EntryNo(256)).unwrap();
                beginning.keep(&tx).unwrap();
                beginning.told(draft)
            }
            false => draft,
        };
        append(&tx, &now, draft, Payload::none(&entropy)).unwrap();
        let signed = (pruned || at == 280).then(|| sign(&tx, &published, &signer()).unwrap());
        tx.commit().unwrap();
        if let Some(signed) = signed.flatten() {
            signed.publish(&mut published).unwrap();
        }
        published.get("checkpoint").cloned().unwrap_or_default()
    };
    let system = |action| Draft::new(EntryActor::system(), action, "r1");
    put(0, system(Action::StoreCreate), false);
    let officer = EntryActor {
        id: "usr_1".to_owned(),
        role: Some(Role::RecordsOfficer),
        login: None,
        auth_strength: AuthStrength::Password,
    };
    let added = system(Action::UserAdd)
        .object("usr_1")
        .word("role", "records-officer");
    put(1, added, false);
    let mut anchor = Vec::new();
    for at in 2..300 {
        anchor = put(at, system(Action::StoreOpen), false);
    }
    let year = Timestamp(300).plus_days(365).0;
    put(year, Draft::new(officer, Action::LogPrune, "r2"), true);
    let mut files = Files::new();
    let rows = store.read().unwrap();
    export(&rows, &published, signer().verifier(), &mut files).unwrap();
    (files, anchor)
}

/// Exit code of the stranger's verifier; `None` where there is no Python to run it.
fn stranger(files: &Files, anchor: &[u8]) -> Option<i32> {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join("log").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    fs::write(dir.path().join("anchor"), anchor).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/verify_log.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(dir.path().join("log"))
        .arg(signer().verifier().to_vkey())
        .arg(dir.path().join("anchor"))
        .output()
        .ok()?;
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.status.code()
}

fn ours(files: &Files, anchor: &[u8]) -> Verdict {
    let anchors: Vec<Checkpoint> = vec![open_checkpoint(anchor, signer().verifier()).unwrap()];
    let keys = vec![signer().verifier().clone()];
    verify_files(files, &Pins { keys, anchors }).verdict
}

#[test]
fn a5_a_stranger_agrees_that_a_log_is_sound() {
    for (files, anchor) in [exported(), shortened()] {
        assert_eq!(ours(&files, &anchor), Verdict::Sound);
        if let Some(code) = stranger(&files, &anchor) {
            assert_eq!(code, 0);
        }
    }
}

#[test]
fn a5_a_stranger_finds_the_damage_that_we_find() {
    for (sound, anchor) in [exported(), shortened()] {
        for name in sound.keys() {
            let mut files = sound.clone();
            let bytes = files.get_mut(name).unwrap();
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
            assert_eq!(ours(&files, &anchor), Verdict::Broken, "{name}");
            if let Some(code) = stranger(&files, &anchor) {
                assert_eq!(code, 6, "{name}");
            }
        }
    }
}
