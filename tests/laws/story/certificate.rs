//! A certificate keeps its schema, verifies offline, answers for every item, and no byte of it can
//! change.

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use tempfile::TempDir;
use wordkeep::app::{
    AppError, CertificateReport, VerifyRequest, verify_certificate, verify_certificate_file,
};
use wordkeep::audit::Verdict;
use wordkeep::crypto::hex;
use wordkeep::domain::BatchNo;
use wordkeep::retention::{Answer, Certificate};

use super::schema::Schema;
use super::world::HONEST;

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    HONEST
        .appliance
        .certificate(&HONEST.rec, HONEST.batch)
        .unwrap()
});

fn certificate() -> Certificate {
    Certificate::read(&DOCUMENT).unwrap()
}

/// What a stranger's computer says of these bytes.
fn judged(bytes: &[u8], known: bool, item: Option<&str>) -> CertificateReport {
    let dir = TempDir::new().unwrap();
    let path: PathBuf = dir.path().join("certificate.json");
    std::fs::write(&path, bytes).unwrap();
    let key = HONEST.appliance.archive().log_verifier().to_vkey();
    let request = VerifyRequest {
        key: known.then_some(key),
        ..VerifyRequest::default()
    };
    verify_certificate_file(&path, &dir.path().join("pins"), &request, item).unwrap()
}

#[test]
fn d4_a_certificate_keeps_its_schema() {
    let schema = Schema::parse(include_str!("../../../schema/json/certificate.json"));
    let document = serde_json::from_slice(&DOCUMENT).unwrap();
    assert_eq!(schema.problems(&document), Vec::<String>::new());
    // The schema is not so wide that anything keeps it.
    for member in document.as_object().unwrap().keys() {
        let mut part = document.clone();
        part.as_object_mut().unwrap().remove(member);
        assert!(!schema.problems(&part).is_empty(), "{member}");
    }
}

#[test]
fn d4_a_certificate_tells_why_each_item_was_due() {
    let certificate = certificate();
    assert_eq!(certificate.check(), Ok(()));
    let decided = certificate.batch.decided.unwrap();
    for (at, item) in certificate.items.iter().enumerate() {
        assert!(item.t0 < item.delete_from && item.delete_from <= item.due);
        assert!(item.due <= decided);
        // Whoever re-signs it with an item that was not due is found without the archive.
        let mut early = certificate.clone();
        early.items[at].due = decided + 1;
        assert!(early.check().unwrap_err().contains("before it was due"));
        let mut kept = certificate.clone();
        kept.items[at].retain_until = Some(item.due + 1);
        assert!(kept.check().unwrap_err().contains("before it was due"));
        let mut sooner = certificate.clone();
        sooner.items[at].due = item.delete_from - 1;
        assert!(sooner.check().unwrap_err().contains("before it was due"));
    }
}

#[test]
fn d4_a_certificate_verifies_offline_and_names_its_authority() {
    let report = judged(&DOCUMENT, false, None);
    assert_eq!(report.verdict, Verdict::Unanchored, "{:?}", report.problems);
    let report = judged(&[&DOCUMENT[..], b"\n"].concat(), true, None);
    assert_eq!(report.verdict, Verdict::Sound, "{:?}", report.problems);
    let certificate = report.certificate.unwrap();
    assert_eq!(certificate.items.len(), HONEST.due.len() - 1);
    assert_eq!(certificate.authority[0].lock, "governance");
    assert_eq!(certificate.approvals.len(), 2);
    assert!(
        certificate
            .log
            .entry
            .contains(&certificate.batch.items_root)
    );
    // A key from elsewhere that is not that of the log.
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("certificate.json");
    std::fs::write(&path, &*DOCUMENT).unwrap();
    let other = wordkeep::crypto::SigningKey::from_key(&wordkeep::crypto::Key::from_bytes([9; 32]));
    let name = &certificate.origin;
    let other = wordkeep::crypto::NoteVerifier::new(name, other.verifying_key()).unwrap();
    let request = VerifyRequest {
        key: Some(other.to_vkey()),
        ..VerifyRequest::default()
    };
    let report = verify_certificate_file(&path, &dir.path().join("pins"), &request, None).unwrap();
    assert_eq!(report.verdict, Verdict::Broken);
}

#[test]
fn d4_every_message_is_in_its_run_or_between_two_neighbours() {
    let app = &HONEST.appliance;
    for message in &HONEST.due[1..] {
        let (list, answer) = app.was_destroyed(&HONEST.rec, *message, None).unwrap();
        assert_eq!((list, answer.destroyed), (HONEST.batch, true));
        let batch = certificate().batch;
        assert_eq!(answer.check(&batch.items_root, batch.erased), Ok(()));
        // The stranger with the certificate says the same.
        let told = judged(&DOCUMENT, true, Some(&answer.id)).answer;
        assert_eq!(told, Some(answer));
    }
    // The one that was taken off, and those under a hold, live: they would stand between two others.
    let mut live = HONEST.find("heldchat*");
    live.push(HONEST.due[0]);
    for message in live {
        let none = app.was_destroyed(&HONEST.rec, message, None);
        assert!(matches!(none, Err(AppError::NotFound(_))), "{none:?}");
        let list = Some(HONEST.batch);
        let (_, answer) = app.was_destroyed(&HONEST.rec, message, list).unwrap();
        assert!(!answer.destroyed);
        let batch = certificate().batch;
        assert_eq!(answer.check(&batch.items_root, batch.erased), Ok(()));
        assert_eq!(
            judged(&DOCUMENT, true, Some(&answer.id)).answer,
            Some(answer)
        );
    }
    let list = Some(BatchNo(77));
    let none = app.was_destroyed(&HONEST.rec, HONEST.due[1], list);
    assert!(matches!(none, Err(AppError::NotFound(_))), "{none:?}");
}

#[test]
fn d4_one_person_who_approved_twice_is_no_certificate() {
    let mut twice = certificate();
    twice.approvals[1].by = twice.approvals[0].by.clone();
    assert!(twice.check().unwrap_err().contains("approved twice"));
    let mut own = certificate();
    own.batch.requested_by = own.approvals[0].by.clone();
    assert!(own.check().is_err());
    let mut fewer = certificate();
    fewer.items.pop();
    assert!(fewer.check().is_err());
    fewer.batch.erased -= 1;
    assert!(fewer.check().unwrap_err().contains("items_root"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn d4_any_changed_byte_of_a_certificate_fails(at: prop::sample::Index, mask in 1u8..) {
        let mut changed = DOCUMENT.clone();
        let at = at.index(changed.len());
        changed[at] ^= mask;
        let key = HONEST.appliance.archive().log_verifier();
        prop_assert!(verify_certificate(&changed, key).is_err(), "byte {at}");
        prop_assert_eq!(judged(&changed, true, None).exit_code, 6);
        // Not even the key that the certificate itself names makes it sound.
        prop_assert_eq!(judged(&changed, false, None).exit_code, 6);
    }

    #[test]
    fn d4_any_cut_of_a_certificate_fails(at: prop::sample::Index) {
        let at = at.index(DOCUMENT.len());
        prop_assert_eq!(judged(&DOCUMENT[..at], false, None).exit_code, 6);
    }

    #[test]
    fn d4_every_identity_has_one_true_answer(
        seeds in prop::collection::vec(any::<[u8; 32]>(), 0..40),
        asked: [u8; 32],
        pick: prop::sample::Index,
        change in prop::collection::vec(any::<prop::sample::Index>(), 1),
    ) {
        let mut certificate = certificate();
        let mut ids: Vec<String> = seeds.iter().map(|seed| hex(seed)).collect();
        ids.sort();
        let like = certificate.items[0].clone();
        certificate.items = ids
            .iter()
            .map(|id| wordkeep::retention::Item { id: id.clone(), ..like.clone() })
            .collect();
        let mut wanted = vec![hex(&asked)];
        if !ids.is_empty() {
            wanted.push(ids[pick.index(ids.len())].clone());
        }
        for id in wanted {
            let answer = certificate.answer(&id).unwrap();
            prop_assert_eq!(answer.destroyed, ids.contains(&id));
            let (root, items) = (answer.items_root.clone(), answer.items);
            prop_assert_eq!(answer.check(&root, items), Ok(()));
            prop_assert!(answer.check(&root, items + 1).is_err());
            prop_assert!(answer.check(&hex(&[1; 32]), items).is_err());
            // No digit of a proof can change.
            let mut lie = answer.clone();
            let proofs = [lie.item.as_mut(), lie.before.as_mut(), lie.after.as_mut()];
            let hash = proofs.into_iter().flatten().find_map(|proof| proof.path.first_mut());
            let is_changed = hash.map(|hash| {
                let place = change[0].index(hash.len());
                let digit = if &hash[place..=place] == "0" { "1" } else { "0" };
                hash.replace_range(place..=place, digit);
            });
            prop_assert!(is_changed.is_none() || lie.check(&root, items).is_err());
            let denied = Answer { destroyed: !answer.destroyed, ..answer };
            prop_assert!(denied.check(&root, items).is_err());
        }
    }
}
