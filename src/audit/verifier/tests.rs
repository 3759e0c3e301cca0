//! Tests of the verifier: every cut, flip, fork and broken rule is found.

use super::super::checkpoint::{export, sign};
use super::super::testing::{Files, Scratch, checkpoint_now, draft, fill, now, signer};
use super::*;
use crate::audit::{Action, Payload, append};
use crate::crypto::{Key, SeededEntropy, SigningKey, sign_checkpoint};
use crate::store::Store;
use proptest::prelude::*;
use std::sync::LazyLock;

fn pins(anchors: &[Checkpoint]) -> Pins {
    Pins {
        keys: vec![signer().verifier().clone()],
        anchors: anchors.to_vec(),
    }
}

/// A log with checkpoints at 30, 260, 300 and 600, as exported, with the anchor of 260.
fn exported() -> (Files, Checkpoint) {
    static LOG: LazyLock<(Files, Checkpoint)> = LazyLock::new(|| {
        let scratch = Scratch::new();
        let (_, anchor, exported) = grown(&scratch);
        (exported, anchor)
    });
    LOG.clone()
}

fn grown(scratch: &Scratch) -> (Store, Checkpoint, Files) {
    let store = scratch.open();
    let mut files = Files::new();
    let mut anchors = Vec::new();
    for step in [30, 230, 40, 300] {
        fill(&store, step);
        anchors.push(checkpoint_now(&store, &mut files));
    }
    let mut exported = Files::new();
    export(
        &store.read().expect("reads"),
        &files,
        signer().verifier(),
        &mut exported,
    )
    .expect("exports");
    (store, anchors.remove(1), exported)
}

#[test]
fn a2_a_sound_log_is_sound_and_says_when_it_is_unanchored() {
    let (files, anchor) = exported();
    let report = verify_files(&files, &pins(&[anchor]));
    assert_eq!(report.problems, []);
    assert_eq!(
        (report.verdict, report.verdict.exit_code()),
        (Verdict::Sound, 0)
    );
    assert_eq!(
        (report.size, report.entries, report.checkpoints),
        (600, 600, 5)
    );
    let report = verify_files(&files, &pins(&[]));
    assert_eq!(
        (report.verdict, report.verdict.exit_code()),
        (Verdict::Unanchored, 1)
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
    assert_eq!(json["exit_code"], 1);
}

#[test]
fn a2_hashes_alone_are_checked_too() {
    let (mut files, anchor) = exported();
    files.retain(|name, _| !name.starts_with("tile/entries/"));
    let report = verify_files(&files, &pins(&[anchor]));
    assert_eq!((report.verdict, report.entries), (Verdict::Sound, 0));
}

#[test]
fn an_empty_directory_is_unreadable() {
    let report = verify_files(&Files::new(), &pins(&[]));
    assert_eq!(
        (report.verdict, report.verdict.exit_code()),
        (Verdict::Unreadable, 10)
    );
}

#[test]
fn a2_no_identity_is_taken_from_the_data() {
    let (files, anchor) = exported();
    let stranger = SigningKey::from_key(&Key::from_bytes([5; 32]));
    let name = &signer().verifier().name.clone();
    let other = NoteVerifier::new(name, stranger.verifying_key()).expect("a fine name");
    let wrong = Pins {
        keys: vec![other],
        anchors: vec![anchor],
    };
    assert_eq!(verify_files(&files, &wrong).verdict, Verdict::Broken);
    assert_eq!(
        verify_files(&files, &Pins::default()).verdict,
        Verdict::Broken
    );
}

#[test]
fn a2_every_cut_of_the_log_contradicts_a_later_anchor() {
    // The log is cut and signed again with the stolen key: only the anchor can tell.
    let scratch = Scratch::new();
    let store = scratch.open();
    fill(&store, 60);
    let anchor = checkpoint_now(&store, &mut Files::new());
    for kept in 1..60 {
        let cut = Scratch::new();
        let cut = cut.open();
        fill(&cut, kept);
        let mut files = Files::new();
        checkpoint_now(&cut, &mut files);
        let report = verify_files(&files, &pins(std::slice::from_ref(&anchor)));
        assert_eq!(report.verdict, Verdict::Broken, "{kept} kept");
        assert_eq!(report.first_bad_index(), Some(kept));
    }
}

#[test]
fn a2_a_fork_signed_with_the_stolen_key_contradicts_the_anchor() {
    let (files, anchor) = exported();
    let fork = Checkpoint {
        root: [7; 32],
        ..anchor
    };
    assert_eq!(
        verify_files(&files, &pins(&[fork])).verdict,
        Verdict::Broken
    );
}

#[test]
fn a2_a_forged_elder_checkpoint_is_found() {
    let (mut files, anchor) = exported();
    let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
    let forged = Checkpoint {
        size: 40,
        root: [1; 32],
        ..anchor.clone()
    };
    let note = sign_checkpoint(&forged, &key).expect("signs");
    let mut bytes = files["checkpoints/000"].clone();
    crate::crypto::push_entry(&mut bytes, note.as_bytes()).expect("short");
    files.insert("checkpoints/000".to_owned(), bytes);
    let report = verify_files(&files, &pins(&[anchor]));
    assert_eq!(report.verdict, Verdict::Broken);
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.what.contains("first 40 entries"))
    );
}

#[test]
fn a2_the_store_is_verified_entry_by_entry() {
    let scratch = Scratch::new();
    let (store, anchor, mut files) = grown(&scratch);
    files.retain(|name, _| !name.starts_with("tile/entries/"));
    // Entries behind the last checkpoint are checked against the kept edge.
    fill(&store, 5);
    let rows = store.read().expect("reads");
    let report = verify_store(&rows, &files, &pins(&[anchor]));
    assert_eq!(report.problems, []);
    assert_eq!(
        (report.verdict, report.size, report.entries),
        (Verdict::Sound, 605, 605)
    );
}

#[test]
fn a2_a_changed_entry_in_the_store_is_named() {
    let (one, other) = (Scratch::new(), Scratch::new());
    let (_, anchor, files) = grown(&one);
    // The same history but for one act: as if somebody had rewritten the database.
    let store = other.open();
    fill(&store, 299);
    let tx = store.write().expect("writes");
    let payload = Payload::none(&SeededEntropy::new(1));
    append(&tx, &now(299), draft(Action::StoreClose), payload).expect("appends");
    tx.commit().expect("commits");
    fill(&store, 300);
    let report = verify_store(&store.read().expect("reads"), &files, &pins(&[anchor]));
    assert_eq!(report.verdict, Verdict::Broken);
    assert_eq!(report.first_bad_index(), Some(299));
}

#[test]
fn a2_a_rule_broken_in_the_past_is_found_under_sound_hashes() {
    let scratch = Scratch::new();
    let store = scratch.open();
    fill(&store, 3);
    let tx = store.write().expect("writes");
    let view = draft(Action::ContentView).object("msg_1");
    append(&tx, &now(9), view, Payload::none(&SeededEntropy::new(1))).expect("appends");
    tx.commit().expect("commits");
    let mut files = Files::new();
    let anchor = checkpoint_now(&store, &mut files);
    let report = verify_store(&store.read().expect("reads"), &files, &pins(&[anchor]));
    assert_eq!(
        (report.verdict, report.first_bad_index()),
        (Verdict::Broken, Some(3))
    );
}

#[test]
fn a2_the_data_directory_is_verified_from_its_log_files() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut directory = store.directory();
    fill(&store, 300);
    for _ in 0..2 {
        fill(&store, 10);
        let tx = store.write().expect("writes");
        let signed = sign(&tx, &directory, &signer())
            .expect("signs")
            .expect("it grew");
        tx.commit().expect("commits");
        signed.publish(&mut directory).expect("writes");
    }
    let report = verify_files(&directory, &pins(&[]));
    assert_eq!(
        (report.verdict, report.size, report.checkpoints),
        (Verdict::Unanchored, 320, 3)
    );
    // The partial tile of 310 entries is gone: a wider one took its place.
    assert!(directory.read("tile/0/001.p/54").expect("reads").is_none());
    assert!(directory.read("tile/0/001.p/64").expect("reads").is_some());
}

#[test]
fn a_file_that_cannot_be_read_is_not_called_broken() {
    struct Unreadable(Files);
    impl LogFiles for Unreadable {
        fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
            match name {
                "tile/1/000.p/2" => Err(AuditError::Unreadable("the disk says no".to_owned())),
                name => self.0.read(name),
            }
        }
    }
    let (files, anchor) = exported();
    let report = verify_files(&Unreadable(files), &pins(&[anchor]));
    assert_eq!(report.verdict, Verdict::Unreadable);
}

#[test]
fn a2_every_single_byte_of_a_small_log_counts() {
    let scratch = Scratch::new();
    let store = scratch.open();
    let mut files = Files::new();
    fill(&store, 5);
    let anchor = checkpoint_now(&store, &mut files);
    fill(&store, 4);
    checkpoint_now(&store, &mut files);
    let mut sound = Files::new();
    export(
        &store.read().expect("reads"),
        &files,
        signer().verifier(),
        &mut sound,
    )
    .expect("exports");
    let pins = pins(&[anchor]);
    assert_eq!(verify_files(&sound, &pins).verdict, Verdict::Sound);
    for (name, bytes) in &sound {
        let mut files = sound.clone();
        for at in 0..bytes.len() {
            let mut forged = bytes.clone();
            forged[at] ^= 1 << (at % 8);
            files.insert(name.clone(), forged);
            let verdict = verify_files(&files, &pins).verdict;
            assert_eq!(verdict, Verdict::Broken, "{name} at {at}");
        }
    }
}

#[test]
fn a2_a_removed_file_is_named() {
    let (sound, anchor) = exported();
    for name in sound.keys() {
        let mut files = sound.clone();
        files.remove(name);
        let report = verify_files(&files, &pins(std::slice::from_ref(&anchor)));
        // An elder checkpoint is covered by the newer ones.
        let lawful = name.starts_with("checkpoints/");
        assert_eq!(report.verdict == Verdict::Sound, lawful, "{name}");
        let named = |problem: &Problem| {
            problem.file.as_deref() == Some(name) || problem.what.contains(name.as_str())
        };
        assert!(lawful || report.problems.iter().any(named), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a2_any_flipped_bit_in_any_file_is_found(
        file: prop::sample::Index,
        at: prop::sample::Index,
        bit in 0..8u32,
    ) {
        let (mut files, anchor) = exported();
        let name = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
        let bytes = files.get_mut(&name).expect("it is there");
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        let report = verify_files(&files, &pins(&[anchor]));
        prop_assert!(matches!(report.verdict, Verdict::Broken | Verdict::Unreadable), "{name}");
    }

    #[test]
    fn a2_any_cut_file_and_any_swap_is_found(
        left: prop::sample::Index,
        right: prop::sample::Index,
        cut: prop::sample::Index,
        swap: bool,
    ) {
        let (mut files, anchor) = exported();
        let names: Vec<String> = files.keys().cloned().collect();
        let (left, right) = (left.get(&names), right.get(&names));
        if swap {
            prop_assume!(left != right && files[left] != files[right]);
            let bytes = files[left].clone();
            let other = files.insert(right.clone(), bytes).expect("it is there");
            files.insert(left.clone(), other);
        } else {
            let bytes = files.get_mut(left).expect("it is there");
            let cut = cut.index(bytes.len());
            // A history that loses whole checkpoints at its end stays lawful.
            prop_assume!(!left.starts_with("checkpoints/") || cut % 7 != 0);
            bytes.truncate(cut);
            let whole = read_entries_to_end(bytes);
            prop_assume!(!left.starts_with("checkpoints/") || !whole);
        }
        let report = verify_files(&files, &pins(&[anchor]));
        prop_assert!(matches!(report.verdict, Verdict::Broken | Verdict::Unreadable));
    }
}

fn read_entries_to_end(bytes: &[u8]) -> bool {
    (0..=8).any(|width| read_entries(bytes, width).is_ok())
}
