//! The nonce law: no (key, nonce) pair is used twice, whatever is undone, reopened or tried again.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use wordkeep::archive::{
    Archive, ArchiveConfig, ArchiveError, Batch, Fate, Incoming, NewConversation, NewVault, Packed,
    Vault,
};
use wordkeep::audit::{Action, Draft, EntryActor};
use wordkeep::crypto::{
    KeyFingerprint, NONCE_LEN, Nonce, SealObserver, Secret, SeededEntropy, StretchCost,
};
use wordkeep::domain::{
    App, ConversationKind, ImportId, ImportNo, Kind, Now, Precision, Presence, Timestamp, UserNo,
    ZoneSource,
};
use wordkeep::store::{ImportCounts, ImportRow, ImportState};

/// Seals in all, by default; the law of the house wants a million.
const SEALS_DEFAULT: u64 = 1_000_000;
/// Messages in one batch.
const BATCH: u64 = 2_000;

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
        let entropy = Arc::new(SeededEntropy::new(self.starts));
        let secret = Secret::key_file(&[7; 64]);
        let now = self.now(0).wall;
        let mut vault = match self.starts {
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
        vault.keyring.watch(self.recorder.clone());
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
    let mut life = Life {
        root: dir.path().join("data"),
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
        life.log(&archive, round, round % 5 == 0);
        if round % 20 == 0 {
            // The directory is left as after a crash: nothing is settled or closed in order.
            drop(archive);
            archive = life.open();
            life.begin(&archive);
        }
    }
    assert!(undone > 0 && (life.starts > 1 || wanted < SEALS_DEFAULT));
    assert_eq!(recorder.repeats.load(Ordering::Relaxed), 0);
}
