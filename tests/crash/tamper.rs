//! The tamper campaign: single bytes changed all over the data directory are named or harmless.

use std::collections::BTreeMap;
use std::path::Path;

use wordkeep::app::{AppError, Appliance, SearchRequest, Session, VerifyRequest, verify_log};
use wordkeep::auth::AuthError;

use crate::house::{
    PASSWORD, Place, copy_tree, files_below, import, ios_export, log_in, plain_chat,
};

/// Changes of a quick run; `WORDKEEP_TAMPER=10000` is the full campaign.
const CHANGES_DEFAULT: u64 = 60;

/// A small generator (SplitMix64): the same places in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

/// What is asked before and after: totals and the words shown.
fn answers(appliance: &Appliance, rec: &Session) -> Result<Vec<String>, String> {
    let mut answers = Vec::new();
    for query in ["shipment", "tamperword7", "agreed w/3 order", "date:2021"] {
        let answer = appliance
            .search(rec, &SearchRequest::new(query))
            .map_err(|error| error.to_string())?
            .answer;
        answers.push(format!("{} {:?}", answer.total, answer.hits));
    }
    Ok(answers)
}

/// What became of one change.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Opening refused and said why.
    RefusedToOpen,
    /// Opening mended it from the store.
    Mended,
    /// A search failed, or a verifier named it.
    Named,
    /// Nobody noticed, and every answer and every stored thing is what it was.
    Harmless,
}

fn judge(place: &Place, truth: &[String], what: &str) -> Fate {
    let appliance = match place.open() {
        Ok(appliance) => appliance,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "{what}");
            return Fate::RefusedToOpen;
        }
    };
    let mended = !appliance.notices().is_empty();
    // Logging in reads and writes too; what it refuses is named.
    let rec = match appliance.log_in("rec", PASSWORD, 1) {
        Ok((rec, _)) => rec,
        Err(error) => {
            let silent = matches!(error, AppError::Auth(AuthError::Refused));
            assert!(!silent, "{what}: a wrong password, it says");
            return Fate::Named;
        }
    };
    let answered = answers(&appliance, &rec);
    if let Ok(answered) = &answered {
        assert_eq!(answered, truth, "{what}: other answers, accepted silently");
    }
    let report = appliance.verify(&rec, &VerifyRequest::default(), &mut |_, _, _| ());
    let sound = report.as_ref().is_ok_and(|report| report.exit_code() < 6);
    match (mended, answered.is_ok() && sound) {
        (true, true) => Fate::Mended,
        (_, true) => Fate::Harmless,
        (_, false) => Fate::Named,
    }
}

#[test]
fn e2_a_changed_byte_anywhere_is_found_or_harmless() {
    let wanted: u64 = std::env::var("WORDKEEP_TAMPER")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(CHANGES_DEFAULT);
    let dir = tempfile::tempdir().unwrap();
    let fresh = Place::new(&dir.path().join("fresh"));
    let appliance = fresh.create();
    let root = log_in(&appliance, "root");
    let media = [("00000001-QUOTE.txt", &b"quote of the year"[..])];
    let mut chat = plain_chat("tamper", 150);
    chat.push_str("[20/12/2023, 10:00:00] Ana Reis: \u{200e}<attached: 00000001-QUOTE.txt>\n");
    let export = ios_export(dir.path(), "Tamper", &chat, &media);
    import(&appliance, &root, &export).unwrap();
    let truth = answers(&appliance, &log_in(&appliance, "rec")).unwrap();
    appliance.close().unwrap();
    let files = files_below(&fresh.data());
    let mut chance = Chance(2_024);
    let mut fates: BTreeMap<Fate, u64> = BTreeMap::new();
    let mut harmless: BTreeMap<String, u64> = BTreeMap::new();
    let place = Place {
        root: dir.path().join("copy"),
    };
    for _ in 0..wanted {
        // By file, not by byte: the small files are the interesting ones.
        let file = &files[chance.below(files.len() as u64) as usize];
        let name = file.strip_prefix(fresh.data()).unwrap();
        let length = std::fs::metadata(file).unwrap().len();
        if length == 0 {
            continue;
        }
        let _ = std::fs::remove_dir_all(&place.root);
        copy_tree(&fresh.root, &place.root);
        let at = chance.below(length) as usize;
        let bit = 1u8 << chance.below(8);
        flip(&place.data().join(name), at, bit);
        let what = format!("{} byte {at} bit {bit:#04x}", name.display());
        let fate = judge(&place, &truth, &what);
        if fate == Fate::Harmless {
            *harmless.entry(name.display().to_string()).or_default() += 1;
        }
        *fates.entry(fate).or_default() += 1;
    }
    println!("tamper campaign: {fates:?}; harmless: {harmless:?}");
    assert!(fates.values().sum::<u64>() > 0);
    // Sealed bytes are never changed without notice.
    for name in harmless.keys() {
        let sealed = name.starts_with("index/") || name.starts_with("blobs/");
        assert!(!sealed, "{name} was changed and nobody noticed");
    }
}

fn flip(path: &Path, at: usize, bit: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= bit;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a2_a_changed_byte_of_the_published_log_is_named_without_keys() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(&dir.path().join("house"));
    let appliance = place.create();
    appliance.close().unwrap();
    let pins = dir.path().join("pins");
    let verify = || {
        verify_log(&place.data(), &pins, &VerifyRequest::default())
            .unwrap()
            .exit_code()
    };
    assert_eq!((verify(), verify()), (1, 0));
    for file in files_below(&place.data().join("log")) {
        let sound = std::fs::read(&file).unwrap();
        for at in (0..sound.len()).step_by(3) {
            flip(&file, at, 0x04);
            let code = verify();
            assert!(
                code == 6 || code == 10,
                "{} byte {at}: {code}",
                file.display()
            );
            std::fs::write(&file, &sound).unwrap();
        }
    }
    assert_eq!(verify(), 0);
}
