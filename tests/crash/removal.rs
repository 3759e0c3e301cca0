//! Removal from the index, killed at every step: what was removed is in no file and under no key
//! once the work is finished after reopening.
//!
//! The steps: every key that is taken, every file that is begun, every page that is sealed. The
//! deletions of old files, which seal nothing, are played after: a kill between two of them leaves
//! some of the old files beside the new list, and so does the test.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use memchr::memmem;
use rustix::process::{Signal, getpid, kill_process};
use wordkeep::crypto::{
    Entropy, Key, KeyFingerprint, Nonce, SealObserver, SeededEntropy, WatchedEntropy,
};
use wordkeep::domain::{
    App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo, Presence, StoreId,
    Timestamp,
};
use wordkeep::index::{
    Anchor, Committed, Index, IndexConfig, KeyError, KeyId, Novelty, Opened, PartName, SegmentKeys,
    Words,
};
use wordkeep::query::Record;
use wordkeep::query::analysis::{Analysis, analyse, facts_of};

use crate::house::{copy_tree, files_below};

const ROOT: &str = "WORDKEEP_REMOVAL_ROOT";
const DIE_AT: &str = "WORDKEEP_REMOVAL_DIE_AT";
/// The present of the test: the middle of 2025.
const NOW: Timestamp = Timestamp::from_seconds(1_750_000_000);
/// Messages in all; each batch is a segment.
const MESSAGES: u64 = 60;
const BATCH: u64 = 15;
/// What is removed: from three segments of two parts.
const REMOVED: [u64; 4] = [7, 8, 25, 50];
/// More steps than this are not expected; the law would run for minutes.
const STEPS_MAX: u32 = 400;

/// The keys of segments as files of a folder: what a process takes, the next one finds. A key is
/// derived from its number; whether it lives is whether its file is there.
struct FolderKeys {
    folder: PathBuf,
    steps: Arc<Steps>,
}

impl FolderKeys {
    fn path(&self, id: KeyId) -> PathBuf {
        self.folder.join(id.0.to_string())
    }

    fn key(id: KeyId) -> Key {
        Key::random(&SeededEntropy::new(id.0))
    }

    fn living(&self) -> BTreeSet<KeyId> {
        let numbers = files_below(&self.folder).into_iter().filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            name.parse().ok().map(KeyId)
        });
        numbers.collect()
    }
}

impl SegmentKeys for FolderKeys {
    fn take(&self) -> Result<(KeyId, Key), KeyError> {
        self.steps.step();
        let counter = self.folder.join("taken");
        let taken: u64 = std::fs::read_to_string(&counter)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        let id = KeyId(taken + 1);
        std::fs::write(counter, id.0.to_string()).unwrap();
        std::fs::write(self.path(id), b"").unwrap();
        Ok((id, Self::key(id)))
    }

    fn find(&self, id: KeyId) -> Result<Option<Key>, KeyError> {
        Ok(self.path(id).exists().then(|| Self::key(id)))
    }

    fn drop_keys(&self, ids: &[KeyId]) -> Result<(), KeyError> {
        for id in ids {
            let _ = std::fs::remove_file(self.path(*id));
        }
        Ok(())
    }

    fn meta_key(&self) -> Result<Key, KeyError> {
        Ok(Key::from_bytes([9; 32]))
    }
}

/// Counts the steps and dies at one of them.
#[derive(Default)]
struct Steps {
    taken: AtomicU32,
    die_at: Option<u32>,
}

impl Steps {
    fn step(&self) {
        if Some(self.taken.fetch_add(1, Ordering::SeqCst) + 1) == self.die_at {
            kill_process(getpid(), Signal::KILL).unwrap();
            loop {
                std::thread::park();
            }
        }
    }
}

impl SealObserver for Steps {
    fn sealed(&self, _key: KeyFingerprint, _nonce: Nonce) {
        self.step();
    }
}

/// An index below a folder, with its keys and the anchors a store would hold.
struct House {
    root: PathBuf,
    steps: Arc<Steps>,
}

impl House {
    fn new(root: &Path) -> House {
        Self::dying(root, None)
    }

    fn dying(root: &Path, die_at: Option<u32>) -> House {
        std::fs::create_dir_all(root.join("keys")).unwrap();
        let steps = Arc::new(Steps {
            die_at,
            ..Steps::default()
        });
        House {
            root: root.to_owned(),
            steps,
        }
    }

    fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    fn keys(&self) -> FolderKeys {
        FolderKeys {
            folder: self.root.join("keys"),
            steps: self.steps.clone(),
        }
    }

    fn open(&self, seed: u64) -> Opened {
        self.open_at(&self.index(), seed)
    }

    fn open_at(&self, index: &Path, seed: u64) -> Opened {
        let seeded = Arc::new(SeededEntropy::new(seed));
        let entropy: Arc<dyn Entropy> = Arc::new(WatchedEntropy::new(seeded, self.steps.clone()));
        let config = IndexConfig::new(StoreId(5));
        Index::open(
            index,
            Arc::new(self.keys()),
            entropy,
            config,
            &self.anchors(),
        )
        .unwrap()
    }

    fn anchors(&self) -> BTreeMap<PartName, Anchor> {
        let text = std::fs::read_to_string(self.root.join("anchors")).unwrap_or_default();
        let rows: Vec<(String, u64, u64, [u8; 32])> =
            serde_json::from_str(&text).unwrap_or_default();
        rows.into_iter()
            .map(|(part, generation, revision, hash)| {
                let anchor = Anchor {
                    generation,
                    revision,
                    hash,
                };
                (part.parse().unwrap(), anchor)
            })
            .collect()
    }

    /// What the store does after a commit.
    fn settle(&self, committed: &[Committed]) {
        let mut anchors = self.anchors();
        anchors.extend(committed.iter().map(|commit| (commit.part, commit.anchor)));
        let rows: Vec<_> = anchors
            .iter()
            .map(|(part, anchor)| {
                let Anchor {
                    generation,
                    revision,
                    hash,
                } = anchor;
                (part.to_string(), generation, revision, hash)
            })
            .collect();
        let text = serde_json::to_string(&rows).unwrap();
        std::fs::write(self.root.join("anchors"), text).unwrap();
    }

    /// Segments of two years, with a word of its own in every message.
    fn fill(&self) {
        let opened = self.open(1);
        let mut writer = opened.index.writer();
        for no in 1..=MESSAGES {
            let text = format!("common {} said here", canary(no));
            let mut analysis = Analysis::new();
            analyse(&text, &mut analysis);
            let facts = facts_of(&text);
            let words = Words {
                versions: &[&analysis],
                filenames: &[],
                extracted: &[],
                facts: &[&facts],
            };
            self.settle(
                &writer
                    .add(&record(no, &[&text]), words, Novelty::New, NOW)
                    .unwrap(),
            );
            if no % BATCH == 0 {
                self.settle(&writer.commit_all().unwrap());
            }
        }
        self.settle(&writer.close().unwrap());
        // Merges since a commit rewrote the lists.
        self.settle(&opened.index.committed());
    }
}

fn canary(no: u64) -> String {
    let letter = |n: u64| char::from(b'a' + n as u8);
    format!("qzxcanary{}{}", letter(no / 26), letter(no % 26))
}

fn sent(no: u64) -> Timestamp {
    // The first forty-five in 2023, the rest in 2024.
    let year = if no <= 3 * BATCH { 0 } else { 31_536_000 };
    Timestamp::from_seconds(1_680_000_000 + year + no as i64 * 60)
}

fn record<'a>(no: u64, versions: &'a [&'a str]) -> Record<'a> {
    Record {
        no: MessageNo(no),
        conversation: ConversationNo(1),
        account: None,
        sender: Some(HandleNo(1)),
        sent: sent(no),
        order: no,
        app: App::Slack,
        kind: Kind::Text,
        conversation_kind: ConversationKind::Group,
        presence: Presence::default(),
        import: ImportNo(1),
        thread: None,
        reply_to: None,
        versions,
        filenames: &[],
        extracted: &[],
        reactions: &[],
        mentions: &[],
        attachments: &[],
    }
}

fn doomed() -> Vec<(MessageNo, Timestamp)> {
    REMOVED.map(|no| (MessageNo(no), sent(no))).to_vec()
}

/// Not a law of its own: the removal in a process that dies. Without orders there is nothing to do.
#[test]
fn child() {
    let Ok(root) = std::env::var(ROOT) else {
        return;
    };
    let die_at = std::env::var(DIE_AT)
        .ok()
        .and_then(|text| text.parse().ok());
    let house = House::dying(Path::new(&root), die_at);
    let opened = house.open(2);
    opened.index.writer().remove(&doomed()).unwrap();
    println!("FINISHED");
}

/// Whether the removal came to its end before it died.
fn remove_and_die(house: &House, die_at: u32) -> bool {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "removal::child",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ROOT, &house.root)
        .env(DIE_AT, die_at.to_string())
        .output()
        .unwrap();
    let finished = String::from_utf8_lossy(&output.stdout).contains("FINISHED");
    assert_eq!(finished, output.status.success());
    finished
}

/// Where words of removed messages are still told.
fn told(index: &Index) -> Vec<u64> {
    let is_told = |no: &u64| index.word_frequency(&canary(*no)).unwrap() > 0;
    REMOVED.into_iter().filter(is_told).collect()
}

fn names(house: &House) -> Vec<String> {
    let shown = |path: PathBuf| {
        path.strip_prefix(house.index())
            .unwrap()
            .display()
            .to_string()
    };
    files_below(&house.index()).into_iter().map(shown).collect()
}

/// Reopens as the archive does, finishes, and looks for what should be gone.
fn finish_and_judge(house: &House, before: &Path, what: &str) {
    for path in files_below(&house.index()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(
            memmem::find(&bytes, b"qzxcanary").is_none(),
            "{what}: {}",
            path.display()
        );
    }
    let opened = house.open(3);
    assert!(opened.refused.is_empty(), "{what}: {:?}", opened.refused);
    house.keys().drop_keys(&opened.orphans).unwrap();
    let removed = opened.index.writer().remove(&doomed()).unwrap();
    let rest = opened.index.writer().rewrite_dirty().unwrap();
    for done in [&removed, &rest] {
        house.settle(&done.committed);
        house.keys().drop_keys(&done.keys).unwrap();
    }
    house.settle(&opened.index.committed());
    let used: BTreeSet<KeyId> = opened
        .index
        .segment_keys()
        .into_iter()
        .map(|(_, key)| key)
        .collect();
    // Keys that were taken for files that never came about, as the archive's strays.
    let strays: Vec<KeyId> = house.keys().living().difference(&used).copied().collect();
    house.keys().drop_keys(&strays).unwrap();
    drop(opened);
    let opened = house.open(4);
    assert!(opened.refused.is_empty(), "{what}: {:?}", opened.refused);
    assert_eq!(opened.orphans, [], "{what}");
    let index = &opened.index;
    assert_eq!(told(index), [0; 0], "{what}: words of removed messages");
    let left = MESSAGES - REMOVED.len() as u64;
    assert_eq!(index.word_frequency("common").unwrap(), left, "{what}");
    index.prove_files().unwrap();
    let living: BTreeSet<String> = index
        .segment_keys()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    for name in names(house) {
        let file = name.rsplit('/').next().unwrap();
        let segment = file.split('.').next().unwrap();
        let known = file.starts_with('.') || file == "meta.json" || living.contains(segment);
        assert!(known, "{what}: {name} is nobody's file");
    }
    // Who kept a copy of the files from before opens nothing of it with the keys of today.
    let old = house.open_at(before, 5);
    assert_eq!(old.refused.len(), 2, "{what}: parts of the old copy");
    assert_eq!(told(&old.index), [0; 0], "{what}: words in the old copy");
}

#[test]
fn d5_removal_killed_at_every_step_leaves_no_word_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = House::new(&dir.path().join("fresh"));
    fresh.fill();
    let opened = fresh.open(9);
    assert_eq!(
        told(&opened.index),
        REMOVED,
        "the words are there to be removed"
    );
    drop(opened);
    let mut steps = 0;
    loop {
        steps += 1;
        assert!(steps < STEPS_MAX, "a removal of {steps} steps");
        let root = dir.path().join(format!("step{steps}"));
        copy_tree(&fresh.root, &root);
        let house = House::new(&root);
        let finished = remove_and_die(&house, steps);
        let before = root.join("before");
        copy_tree(&fresh.index(), &before);
        finish_and_judge(&house, &before, &format!("killed at step {steps}"));
        std::fs::remove_dir_all(&root).unwrap();
        if finished {
            break;
        }
    }
    println!("removal has {} steps", steps - 1);
    assert!(steps > 20, "only {steps} steps were seen");
}

#[test]
fn d5_removal_goes_on_where_a_loss_of_power_left_names_without_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = House::new(&dir.path().join("fresh"));
    fresh.fill();
    let known: BTreeSet<String> = names(&fresh).into_iter().collect();
    for step in 1..STEPS_MAX {
        let root = dir.path().join(format!("step{step}"));
        copy_tree(&fresh.root, &root);
        let house = House::new(&root);
        let finished = remove_and_die(&house, step);
        // What came to be and is in no list yet may have kept nothing but its name.
        let meta = |root: &House| std::fs::read(root.index().join("2023/meta.json")).unwrap();
        if meta(&house) == meta(&fresh) {
            for name in names(&house)
                .iter()
                .filter(|name| name.starts_with("2023/"))
            {
                if !known.contains(name) {
                    std::fs::write(house.index().join(name), b"").unwrap();
                }
            }
        }
        let before = root.join("before");
        copy_tree(&fresh.index(), &before);
        finish_and_judge(&house, &before, &format!("power lost at step {step}"));
        std::fs::remove_dir_all(&root).unwrap();
        if finished {
            return;
        }
    }
    panic!("no removal came to its end");
}

#[test]
fn d5_removal_killed_between_two_deletions_leaves_no_word_and_no_key() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = House::new(&dir.path().join("fresh"));
    fresh.fill();
    let done = House::new(&dir.path().join("done"));
    copy_tree(&fresh.root, &done.root);
    done.open(2).index.writer().remove(&doomed()).unwrap();
    let after: BTreeSet<String> = names(&done).into_iter().collect();
    let gone: Vec<String> = names(&fresh)
        .into_iter()
        .filter(|name| !after.contains(name))
        .collect();
    assert!(gone.len() > 10, "{gone:?}");
    // The first so many are deleted, the others not yet; and the other way round.
    for deleted in 0..=gone.len() {
        for (turn, left) in [&gone[deleted..], &gone[..gone.len() - deleted]]
            .into_iter()
            .enumerate()
        {
            let root = dir.path().join(format!("state{deleted}-{turn}"));
            copy_tree(&done.root, &root);
            let house = House::new(&root);
            for name in left {
                std::fs::copy(fresh.index().join(name), house.index().join(name)).unwrap();
            }
            let before = root.join("before");
            copy_tree(&fresh.index(), &before);
            let what = format!("{} old files are left, turn {turn}", left.len());
            finish_and_judge(&house, &before, &what);
            std::fs::remove_dir_all(&root).unwrap();
        }
    }
}
