//! Refusals: each thing that keeps a data directory from opening has an error of its own.

use std::process::Command;

use wordkeep::app::{AppError, Appliance};
use wordkeep::crypto::Secret;

use crate::house::{Place, import, ios_export, log_in, plain_chat};

fn refused(opened: Result<Appliance, AppError>) -> AppError {
    match opened {
        Ok(_) => panic!("it must not open"),
        Err(error) => error,
    }
}

#[test]
fn e1_a_wrong_key_file_and_missing_or_foreign_keys_are_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(&dir.path().join("one"));
    place.create().close().unwrap();
    let wrong = refused(Appliance::open(
        place.settings(),
        &Secret::key_file(&[8; 64]),
    ));
    assert!(matches!(wrong, AppError::Configuration(_)), "{wrong}");
    assert!(wrong.to_string().contains("opens no slot"), "{wrong}");
    let other = Place::new(&dir.path().join("two"));
    other.create().close().unwrap();
    // The keys of another directory, whose secret is the same.
    for name in ["slots", "keyhold"] {
        let keys = |place: &Place| place.data().join("keys").join(name);
        std::fs::copy(keys(&other), keys(&place)).unwrap();
    }
    let foreign = refused(place.open());
    assert!(matches!(foreign, AppError::Configuration(_)), "{foreign}");
    assert!(
        foreign.to_string().contains("another data directory"),
        "{foreign}"
    );
    std::fs::remove_file(other.data().join("keys/slots")).unwrap();
    assert!(matches!(
        refused(other.open()),
        AppError::Io(_) | AppError::Configuration(_)
    ));
    let nowhere = Place::new(&dir.path().join("three"));
    let missing = refused(nowhere.open());
    assert!(matches!(missing, AppError::Configuration(_)), "{missing}");
    assert!(missing.to_string().contains("wordkeep init"), "{missing}");
}

#[test]
fn e8_a_second_process_is_refused_while_the_first_lives() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let first = place.create();
    let second = refused(place.open());
    assert!(matches!(second, AppError::Conflict(_)), "{second}");
    drop(first);
    place.open().unwrap();
}

#[test]
fn e8_a_full_disk_keeps_earlier_steps_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let small = dir.path().join("small");
    std::fs::create_dir_all(&small).unwrap();
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs"])
        .arg(&small)
        .status()
        .is_ok_and(|status| status.success());
    if !mounted {
        eprintln!("SKIPPED: no right to mount a small file system; nothing was tested");
        return;
    }
    let place = Place::new(&small);
    let appliance = place.create();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let mut full = None;
    for n in 0..40 {
        let chat = plain_chat(&format!("full{n}x"), 2_000);
        let export = ios_export(dir.path(), &format!("Full {n}"), &chat, &[]);
        if let Err(error) = import(&appliance, &root, &export) {
            full = Some(error);
            break;
        }
    }
    drop((appliance, root));
    let unmounted = || {
        Command::new("umount")
            .arg("-l")
            .arg(&small)
            .status()
            .unwrap();
    };
    let error = full.map(|error| error.to_string()).unwrap_or_default();
    // Room again: everything that was acknowledged is there and everything holds.
    let roomy = Command::new("mount")
        .args(["-o", "remount,size=256m"])
        .arg(&small)
        .status()
        .is_ok_and(|status| status.success());
    let reopened = place.open();
    let sound = reopened.as_ref().is_ok_and(|appliance| {
        appliance
            .verify(&rec, &Default::default(), &mut |_, _, _| ())
            .is_ok_and(|report| report.exit_code() < 6)
    });
    let why = reopened.as_ref().err().map(ToString::to_string);
    drop(reopened);
    unmounted();
    assert!(
        error.contains("full") || error.contains("No space"),
        "{error}"
    );
    assert!(roomy && sound, "{why:?}");
}
