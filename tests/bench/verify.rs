//! How long a log takes to verify: `cargo bench --bench verify -- [entries]`, a million unless said.
//!
//! Measured are the files of an exported log (hashes, signatures, every entry, the rules of the story)
//! and the log of an opened store, from warm memory.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up must fail"
)]

use std::collections::BTreeMap;
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};
use wordkeep::audit::{
    Action, AuthStrength, Draft, EntryActor, LogSigner, Payload, Pins, Report, append, export,
    sign, verify_files, verify_store,
};
use wordkeep::crypto::{Key, SeededEntropy, SigningKey};
use wordkeep::domain::{Now, Role, StoreId, Timestamp};
use wordkeep::store::{DataDirectory, Store};

const ENTRIES: u64 = 1_000_000;
/// Entries between two checkpoints: one a minute of a busy day.
const SIGNED_EVERY: u64 = 1_000;
const PEOPLE: u64 = 200;

fn main() {
    let given = std::env::args().skip(1).find_map(|word| word.parse().ok());
    let entries = given.unwrap_or(ENTRIES);
    let dir = tempfile::tempdir().unwrap();
    let directory = DataDirectory::create(&dir.path().join("data"), None).unwrap();
    let store = Store::create(directory, Key::from_bytes([7; 32])).unwrap();
    let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
    let signer = LogSigner::new("example", StoreId(1), key).unwrap();
    let mut published = BTreeMap::new();
    timed(entries, "append and sign", || {
        fill(&store, &signer, &mut published, entries);
    });
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    timed(entries, "export", || {
        export(
            &store.read().unwrap(),
            &store.directory(),
            signer.verifier(),
            &mut files,
        )
        .unwrap();
    });
    let bytes: usize = files.values().map(Vec::len).sum();
    println!("{:>40} bytes in {} files", bytes, files.len());
    let pins = Pins {
        keys: vec![signer.verifier().clone()],
        anchors: Vec::new(),
    };
    for _ in 0..3 {
        timed(entries, "verify an exported log", || {
            sound(&verify_files(&files, &pins), entries);
        });
    }
    for _ in 0..3 {
        timed(entries, "verify an opened store", || {
            let rows = store.read().unwrap();
            sound(&verify_store(&rows, &published, &pins), entries);
        });
    }
}

fn sound(report: &Report, entries: u64) {
    assert_eq!(report.problem_count, 0, "{:?}", report.problems);
    assert_eq!((report.size, report.entries), (entries, entries));
}

/// A log as a company writes it: people search, look, import and log in.
fn fill(store: &Store, signer: &LogSigner, files: &mut BTreeMap<String, Vec<u8>>, entries: u64) {
    let entropy = SeededEntropy::new(1);
    let mut tx = store.write().unwrap();
    for at in 0..entries {
        let instant = Timestamp(1_700_000_000_000_000 + at as i64 * 1_000);
        let now = Now {
            compliance: instant,
            wall: instant,
        };
        append(&tx, &now, draft(at), Payload::none(&entropy)).unwrap();
        if (at + 1) % SIGNED_EVERY == 0 || at + 1 == entries {
            let signed = sign(&tx, files, signer).unwrap();
            tx.commit().unwrap();
            if let Some(signed) = signed {
                signed.publish(files).unwrap();
            }
            tx = store.write().unwrap();
        }
    }
}

fn id(prefix: &str, number: u64) -> String {
    format!("{prefix}_{number:026}")
}

fn draft(at: u64) -> Draft {
    let request = format!("{at:016x}");
    if at == 0 {
        return Draft::new(EntryActor::system(), Action::StoreCreate, request);
    }
    let lawyer = |nth: u64| EntryActor {
        id: id("usr", nth),
        role: Some(Role::Lawyer),
        login: None,
        auth_strength: AuthStrength::Token,
    };
    if at <= PEOPLE {
        return Draft::new(EntryActor::system(), Action::UserAdd, request)
            .object(id("usr", at - 1))
            .word("role", Role::Lawyer.name());
    }
    let actor = lawyer(at % PEOPLE);
    match at % 8 {
        0 => Draft::new(actor, Action::Login, request),
        1 | 2 => Draft::new(actor, Action::ContentView, request)
            .object(id("cnv", at % 5_000))
            .count("messages", 50),
        3 => Draft::new(actor, Action::RulesRead, request).count("items", 3),
        _ => Draft::new(actor, Action::ContentSearch, request)
            .count("hits", at % 5_000)
            .count("shown", 20)
            .word("ids_root", "4f".repeat(32))
            .word("query_commit", "9a".repeat(32)),
    }
}

/// Runs and tells wall time, processor time and speed.
fn timed(entries: u64, what: &str, act: impl FnOnce()) {
    let (began, cpu) = (Instant::now(), cpu_seconds());
    act();
    let (wall, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    println!(
        "{what:>24}: {wall:7.2} s, processor {cpu:7.2} s, {:9.0} entries/s",
        entries as f64 / wall
    );
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}
