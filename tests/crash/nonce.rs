//! The nonce law: no (key, nonce) pair is used twice, whatever is undone, reopened or tried again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use wordkeep::app::Witnesses;
use wordkeep::archive::{
    Archive, ArchiveConfig, ArchiveError, Batch, Fate, Incoming, NewConversation, NewVault, Packed,
    Vault,
};
use wordkeep::audit::{Action, Draft, EntryActor};
use wordkeep::crypto::{
    BLOB_PAGE_LEN, Geometry, INDEX_PAGE_LEN, KeyFingerprint, NONCE_LEN, Nonce, SealObserver,
    Secret, SeededEntropy, StretchCost, WatchedEntropy,
};
use wordkeep::domain::{
    App, ConversationKind, ImportId, ImportNo, Kind, Now, Precision, Presence, Timestamp, UserNo,
    ZoneSource,
};
use wordkeep::store::{ImportCounts, ImportRow, ImportState};

use crate::house::{Place, copy_tree, files_below, import, ios_export, log_in, plain_chat, secret};

/// Seals in all, by default; the law of the house wants a million.
const SEALS_DEFAULT: u64 = 1_000_000;
/// Messages in one batch.
const BATCH: u64 = 2_000;
/// One batch in so many is shown to the index as well.
const SETTLED: u64 = 8;
/// The start after which the directory is copied, and the one after which the copy is put back.
const COPIED: u64 = 3;
const REVERTED: u64 = 5;

#[derive(Default)]
struct Recorder {
    seen: Mutex<HashSet<(KeyFingerprint, [u8; NONCE_LEN])>>,
    seals: AtomicU64,
    repeats: AtomicU64,
}

impl SealObserver for Recorder {
    fn sealed(&self, key: KeyFingerprint, nonce: Nonce) {
        self.seals.fetch_add(1, Ordering::Relaxed);
        if !self.seen.lock().unwrap().insert((key, *nonce.as_bytes())) {
            self.repeats.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn e2_the_recorder_sees_a_repetition() {
    let recorder = Recorder::default();
    let (key, nonce) = (KeyFingerprint([1; 16]), Nonce::row(1, 0, 0));
    recorder.sealed(key, nonce);
    assert_eq!(recorder.repeats.load(Ordering::Relaxed), 0);
    recorder.sealed(key, nonce);
    assert_eq!(recorder.repeats.load(Ordering::Relaxed), 1);
}

struct Life {
    root: std::path::PathBuf,
    recorder: Arc<Recorder>,
    starts: u64,
    import: ImportNo,
}

impl Life {
    fn now(&self, round: u64) -> Now {
        let at = Timestamp::from_seconds(1_720_000_000 + round as i64);
        Now {
            compliance: at,
            wall: at,
        }
    }

    fn open(&mut self) -> Archive {
        self.starts += 1;
        let seeded = Arc::new(SeededEntropy::new(self.starts));
        let entropy = Arc::new(WatchedEntropy::new(seeded, self.recorder.clone()));
        let secret = Secret::key_file(&[7; 64]);
        let now = self.now(0).wall;
        let vault = match self.starts {
            1 => Vault::create(
                &NewVault {
                    root: &self.root,
                    keys: None,
                    secret: &secret,
                    label: "first",
                    cost: StretchCost::LOGIN,
                },
                entropy,
                now,
            ),
            _ => Vault::open(&self.root, None, &secret, entropy, now),
        }
        .unwrap();
        let config = ArchiveConfig {
            cache_bytes: 1 << 20,
            ..ArchiveConfig::default()
        };
        Archive::open(vault, config).unwrap()
    }

    fn batch(&self, archive: &Archive, round: u64) -> Batch {
        let mut batch = Batch::new(self.import);
        let no = archive.next_conversation();
        let lookup = archive.lookup("conversation", &[&round.to_be_bytes(), &no.0.to_be_bytes()]);
        let shard = archive.shard_of(&lookup);
        batch.create_conversation(NewConversation {
            no,
            app: App::WhatsApp,
            kind: ConversationKind::Direct,
            lookup,
            shard,
            title: format!("conversation {round}"),
        });
        for n in 0..BATCH {
            let body = format!("message {n} of round {round}");
            let incoming = Incoming {
                fate: Fate::New,
                conversation: no,
                shard,
                app: App::WhatsApp,
                conversation_kind: ConversationKind::Direct,
                sender: None,
                sent: Timestamp::from_seconds(1_600_000_000 + (n * 40_000) as i64),
                order: n,
                kind: Kind::Text,
                presence: Presence::default(),
            };
            let packed = Packed {
                body: &body,
                precision: Precision::Second,
                zone_source: ZoneSource::Record,
                local_offset: None,
                source_id: None,
                reply_to: None,
                entry: 0,
                span: (0, 0),
                raw_form: &[],
                attachments: Vec::new(),
                extras: wordkeep::domain::Extras::default(),
            };
            batch.push(incoming, &packed, std::iter::empty());
        }
        batch
    }

    fn begin(&mut self, archive: &Archive) {
        let row = ImportRow {
            no: ImportNo(0),
            id: ImportId(u128::from(self.starts)),
            actor: UserNo(1),
            began: self.now(0).wall,
            ended: None,
            state: ImportState::Running,
            source_lookup: self.starts.to_be_bytes().to_vec(),
            source_bytes: 0,
            report_no: None,
            counts: ImportCounts::default(),
        };
        self.import = archive
            .write(self.now(0), |tx| Ok(tx.insert_import(&row)?))
            .unwrap();
    }

    fn log(&self, archive: &Archive, round: u64, fails: bool) {
        let now = self.now(round);
        let done = archive.write(now, |tx| {
            let action = match tx.audit_edge()? {
                None => Action::StoreCreate,
                Some(_) => Action::StoreOpen,
            };
            let draft = Draft::new(EntryActor::system(), action, "nonce-law");
            archive.log(tx, now, draft, Some(b"why"))?;
            match fails {
                true => Err(ArchiveError::Malformed("undone on purpose")),
                false => Ok(()),
            }
        });
        assert_eq!(done.is_err(), fails);
    }
}

#[test]
fn e2_no_key_and_nonce_come_twice_over_a_million_seals() {
    let wanted = std::env::var("WORDKEEP_NONCE_SEALS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(SEALS_DEFAULT);
    let dir = tempfile::tempdir().unwrap();
    let recorder = Arc::new(Recorder::default());
    let (root, copy) = (dir.path().join("data"), dir.path().join("copy"));
    let mut life = Life {
        root: root.clone(),
        recorder: recorder.clone(),
        starts: 0,
        import: ImportNo(0),
    };
    let mut archive = life.open();
    life.begin(&archive);
    let (mut round, mut undone) = (0, 0);
    while recorder.seals.load(Ordering::Relaxed) < wanted {
        round += 1;
        let fails = round % 3 == 0;
        let batch = life.batch(&archive, round);
        let admitted = archive.admit(batch, life.now(round), |_, _| match fails {
            true => Err(ArchiveError::Malformed("undone on purpose")),
            false => Ok(()),
        });
        assert_eq!(admitted.is_err(), fails);
        undone += u64::from(fails);
        if let Ok(admitted) = &admitted
            && round % SETTLED == 0
        {
            let mut settler = archive.settler();
            settler.show(admitted, life.now(round)).unwrap();
            settler.finish(life.now(round)).unwrap();
        }
        life.log(&archive, round, round % 5 == 0);
        if round % 20 == 0 {
            // The directory is left as after a crash: nothing is settled or closed in order.
            drop(archive);
            match life.starts {
                COPIED => copy_tree(&root, &copy),
                // The elder copy is put back: what was sealed since then is sealed anew.
                REVERTED => {
                    std::fs::remove_dir_all(&root).unwrap();
                    copy_tree(&copy, &root);
                }
                _ => {}
            }
            archive = life.open();
            life.begin(&archive);
        }
    }
    assert!(undone > 0 && (life.starts > REVERTED || wanted < SEALS_DEFAULT));
    assert_eq!(recorder.repeats.load(Ordering::Relaxed), 0);
}

impl Recorder {
    /// The streams that were heard whole, from the first page to the last: pages -> how many.
    fn streams(&self) -> BTreeMap<u64, u64> {
        let mut pages: BTreeMap<KeyFingerprint, BTreeSet<[u8; NONCE_LEN]>> = BTreeMap::new();
        for (key, nonce) in self.seen.lock().unwrap().iter() {
            pages.entry(*key).or_default().insert(*nonce);
        }
        let mut streams = BTreeMap::new();
        for nonces in pages.values() {
            let count = nonces.len() as u64;
            let whole = |n| *Nonce::chunk(n, n + 1 == count).as_bytes();
            if nonces.iter().copied().eq((0..count).map(whole)) {
                *streams.entry(count).or_default() += 1;
            }
        }
        streams
    }

    /// Seals under the one key that sealed most.
    fn most_under_one_key(&self) -> u64 {
        let mut counts: BTreeMap<KeyFingerprint, u64> = BTreeMap::new();
        for (key, _) in self.seen.lock().unwrap().iter() {
            *counts.entry(*key).or_default() += 1;
        }
        counts.into_values().max().unwrap_or(0)
    }

    fn forget(&self) {
        self.seen.lock().unwrap().clear();
        self.seals.store(0, Ordering::Relaxed);
    }
}

/// Pages of the sealed files below a folder, as their lengths tell: pages -> how many files.
fn pages_on_disk(
    folder: &Path,
    page_len: usize,
    ahead: impl Fn(&str) -> u64,
) -> BTreeMap<u64, u64> {
    let mut files = BTreeMap::new();
    for path in files_below(folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let length = std::fs::metadata(&path).unwrap().len();
        if name.starts_with('.') || length == 0 {
            continue;
        }
        let geometry = Geometry::of_file(length - ahead(&name), page_len).unwrap();
        *files.entry(geometry.page_count()).or_default() += 1;
    }
    files
}

/// The recorder is worth something only if nothing is sealed behind its back.
#[test]
fn e2_every_sealed_file_and_every_wrapped_key_on_disk_was_heard() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    place.create().close().unwrap();
    let before = files_below(&place.data().join("index"));
    assert_eq!(before, Vec::<std::path::PathBuf>::new());
    let recorder = Arc::new(Recorder::default());
    let witnesses = Witnesses {
        seals: Some(recorder.clone()),
        ..Witnesses::default()
    };
    let appliance = place.open_watched(witnesses).unwrap();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let mut chat = plain_chat("heard", 20_000);
    chat.push_str("[20/12/2023, 10:00:00] Ana Reis: \u{200e}<attached: 00000001-SCAN.txt>\n");
    let media = vec![b'x'; 3 * BLOB_PAGE_LEN + 5];
    let export = ios_export(dir.path(), "Heard", &chat, &[("00000001-SCAN.txt", &media)]);
    import(&appliance, &root, &export).unwrap();
    appliance.rebuild_index(&rec, &mut |_, _| ()).unwrap();
    // In front of an index file stands the number of its key, in front of a list its place.
    let ahead = |name: &str| if name == "meta.json" { 20 } else { 8 };
    let mut files = pages_on_disk(&place.data().join("index"), INDEX_PAGE_LEN, ahead);
    assert!(files.len() > 2, "files of different lengths: {files:?}");
    for (pages, count) in pages_on_disk(&place.data().join("blobs"), BLOB_PAGE_LEN, |_| 0) {
        *files.entry(pages).or_default() += count;
        assert_eq!((pages, count), (4, 1));
    }
    let streams = recorder.streams();
    for (pages, count) in files {
        let heard = streams.get(&pages).copied().unwrap_or(0);
        assert!(
            heard >= count,
            "{heard} of {count} streams of {pages} pages"
        );
    }
    // A rotation wraps every key anew under one key, and the new keyhold under root.
    recorder.forget();
    let (rotated, _) = appliance.rotate_keys(&root, &secret()).unwrap();
    assert!(rotated.keys > 50, "{rotated:?}");
    assert!(recorder.most_under_one_key() >= rotated.keys);
    assert_eq!(recorder.repeats.load(Ordering::Relaxed), 0);
}
