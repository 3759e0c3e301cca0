//! The purge law: whatever stops a purge, every message is whole or gone; what is gone is in no
//! file, and in no elder copy that is opened with the keys of today.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memmem;
use wordkeep::archive::{
    Approval, ApprovalRule, Approved, Archive, ArchiveConfig, Batch, EraseContext, Erased, Fate,
    Incoming, Judge, JudgeError, Judged, Judgement, Milestones, NewConversation, NewVault,
    NoBackups, Packed, Plan, PlanItem, SLICE_ITEMS, Vault,
};
use wordkeep::audit::EntryActor;
use wordkeep::crypto::{
    KeyholdFile, Secret, SeededEntropy, SlotFile, StretchCost, WrapPlace, WrappedKey, Wrapper,
    bucket_tag, sha256,
};
use wordkeep::domain::{
    App, Attachment, AttachmentState, ConversationKind, ImportId, ImportNo, Kind, MessageNo, Now,
    Precision, Presence, StoreId, Timestamp, UserNo, ZoneSource,
};
use wordkeep::store::{
    DataDirectory, DataKeyRow, ImportCounts, ImportRow, ImportState, KEYHOLD_FILE, KeyKind,
    SLOTS_FILE, Store, StoreError,
};

use crate::child::{Death, Stop, orders, run_as, say};
use crate::house::{copy_tree, files_below};

/// In every message that is to go; nothing else in the world has it.
const DOOMED: &str = "qzxdoomedjv";
/// In every message that stays.
const LIVING: &str = "qzxlivingjv";
const CHATS: usize = 3;
const MESSAGES: usize = 60;
const NOW: Now = Now {
    compliance: Timestamp(1_720_000_000_000_000),
    wall: Timestamp(1_720_000_000_000_000),
};

struct Nobody;

impl Judge for Nobody {
    fn begin(&self, _: &wordkeep::store::Rows, _: u64, _: Now) -> Result<(), JudgeError> {
        Ok(())
    }

    fn judge(&self, _: &Judged<'_>) -> Result<Judgement, JudgeError> {
        Ok(Judgement::Erase)
    }
}

fn secret() -> Secret {
    Secret::key_file(&[7; 64])
}

fn open(root: &Path, seed: u64, milestones: Option<Arc<dyn Milestones>>) -> Archive {
    let entropy = Arc::new(SeededEntropy::new(seed));
    let mut vault = match root.exists() {
        true => Vault::open(root, None, &secret(), entropy, NOW.wall).unwrap(),
        false => {
            let new = NewVault {
                root,
                keys: None,
                secret: &secret(),
                label: "first",
                cost: StretchCost::LOGIN,
            };
            Vault::create(&new, entropy, NOW.wall).unwrap()
        }
    };
    if let Some(milestones) = milestones {
        vault.milestones = milestones;
    }
    let config = ArchiveConfig {
        cache_bytes: 4 << 20,
        ..ArchiveConfig::default()
    };
    let archive = Archive::open(vault, config).unwrap();
    assert!(archive.refused_parts().is_empty());
    archive.replay_outbox(NOW).unwrap();
    archive
}

fn context() -> EraseContext<'static> {
    EraseContext {
        actor: EntryActor::system(),
        request: "crash".to_owned(),
        now: &|| NOW,
        backups: &NoBackups,
        slice_items: SLICE_ITEMS,
    }
}

fn begin_import(archive: &Archive) -> ImportNo {
    let row = ImportRow {
        no: ImportNo(0),
        id: ImportId(1),
        actor: UserNo(1),
        began: NOW.wall,
        ended: None,
        state: ImportState::Running,
        source_lookup: vec![1],
        source_bytes: 0,
        report_no: None,
        counts: ImportCounts::default(),
    };
    archive
        .write(NOW, |tx| Ok(tx.insert_import(&row)?))
        .unwrap()
}

/// Every third message is doomed; some carry a file, doomed or living like them.
fn body(chat: usize, n: usize) -> String {
    let mark = if n.is_multiple_of(3) { DOOMED } else { LIVING };
    format!("{mark} number{chat}x{n} is agreed")
}

fn file_of(body: &str, n: usize) -> Option<Vec<u8>> {
    n.is_multiple_of(10).then(|| body.repeat(40).into_bytes())
}

fn said(archive: &Archive, import: ImportNo, chat: usize) -> Batch {
    let mut batch = Batch::new(import);
    let no = archive.next_conversation();
    let lookup = archive.lookup("conversation", &[&[chat as u8]]);
    let shard = archive.shard_of(&lookup);
    batch.create_conversation(NewConversation {
        no,
        app: App::WhatsApp,
        kind: ConversationKind::Direct,
        lookup,
        shard,
        title: format!("chat {chat}"),
    });
    for n in 0..MESSAGES {
        let body = body(chat, n);
        let incoming = Incoming {
            fate: Fate::New,
            conversation: no,
            shard,
            sender: None,
            // Three months, in two years.
            sent: Timestamp::from_seconds(1_575_000_000 + n as i64 * 90_000),
            order: n as u64,
            app: App::WhatsApp,
            conversation_kind: ConversationKind::Direct,
            kind: Kind::Text,
            presence: Presence::default(),
        };
        let file = file_of(&body, n);
        let attachments = file.iter().map(|bytes| Attachment {
            name: format!("{body}.pdf"),
            state: AttachmentState::Present {
                size: bytes.len() as u64,
                sha256: sha256(bytes),
                mime: "application/pdf".to_owned(),
            },
        });
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
            attachments: attachments.collect(),
            extras: wordkeep::domain::Extras::default(),
        };
        batch.push(incoming, &packed, file.iter().map(|_| Some(n as u32)));
    }
    batch
}

/// An archive with talk, settled and closed as a crash closes.
fn planted(root: &Path) {
    let archive = open(root, 1, None);
    let import = begin_import(&archive);
    for chat in 0..CHATS {
        let batch = said(&archive, import, chat);
        let admitted = archive.admit(batch, NOW, |_, _| Ok(())).unwrap();
        let mut settler = archive.settler();
        settler.show(&admitted, NOW).unwrap();
        settler.finish(NOW).unwrap();
        for one in admitted.attachments().collect::<Vec<_>>() {
            let bytes = file_of(&body(chat, one.entry as usize), one.entry as usize).unwrap();
            archive
                .seal_attachment(NOW, &one, &sha256(&bytes), &mut &*bytes)
                .unwrap();
        }
    }
}

fn words(archive: &Archive) -> BTreeMap<MessageNo, String> {
    let mut reader = archive.reader().unwrap();
    let last = reader.rows().last_message().unwrap().0;
    (1..=last)
        .filter_map(|no| {
            let message = reader.message(MessageNo(no)).unwrap()?;
            Some((MessageNo(no), message.latest().unwrap().body.clone()))
        })
        .collect()
}

/// The plan: every doomed message, as it stood in the planted archive.
fn plan(all: &BTreeMap<MessageNo, String>) -> Approved<Plan> {
    let doomed = all.iter().filter(|(_, body)| body.contains(DOOMED));
    let plan = Plan {
        batch: 1,
        hold_epoch: 0,
        items: doomed
            .map(|(no, _)| PlanItem {
                no: *no,
                revision: 0,
            })
            .collect(),
    };
    let rule = ApprovalRule {
        needed: 1,
        requester: UserNo(1),
        barred: Vec::new(),
        computed: Timestamp(0),
        recall_micros: 0,
    };
    let approval = Approval {
        by: UserNo(2),
        at: Timestamp(1),
    };
    Approved::new(plan, &[approval], &rule, NOW).unwrap()
}

fn listed(path: &Path) -> BTreeMap<MessageNo, String> {
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let (no, body) = line.split_once(' ')?;
        Some((MessageNo(no.parse().ok()?), body.to_owned()))
    };
    text.lines().filter_map(line).collect()
}

/// Not a law of its own: the purge a child process runs. Without orders there is nothing to do.
#[test]
fn child() {
    let Some((root, milestones)) = orders() else {
        return;
    };
    let all = listed(&root.join("list"));
    let archive = open(&root.join("data"), 2, milestones);
    archive.resume_erasures(&context()).unwrap();
    archive.erase(&plan(&all), &Nobody, &context()).unwrap();
    say("DURABLE erased");
    archive.certified(1, 1, &context()).unwrap();
    say("FINISHED");
}

fn files_with(root: &Path, mark: &str) -> Vec<PathBuf> {
    let wide: Vec<u8> = mark.encode_utf16().flat_map(u16::to_le_bytes).collect();
    files_below(root)
        .into_iter()
        .filter(|path| {
            let bytes = std::fs::read(path).unwrap();
            memmem::find(&bytes, mark.as_bytes()).is_some() || memmem::find(&bytes, &wide).is_some()
        })
        .collect()
}

fn count(archive: &Archive, word: &str) -> u64 {
    archive.index().word_frequency(word).unwrap()
}

/// What must hold once the batch is finished.
fn judge(data: &Path, all: &BTreeMap<MessageNo, String>, erased: &Erased, told: &str) {
    let living: BTreeMap<_, _> = all
        .iter()
        .filter(|(_, body)| body.contains(LIVING))
        .map(|(no, body)| (*no, body.clone()))
        .collect();
    assert_eq!(erased.erased.len(), all.len() - living.len(), "{told}");
    assert!(erased.residue.is_clean(), "{told}: {:?}", erased.residue);
    let archive = open(data, 9, None);
    assert_eq!(words(&archive), living, "{told}");
    assert_eq!(count(&archive, DOOMED), 0, "{told}");
    assert!(count(&archive, LIVING) >= living.len() as u64, "{told}");
    let content = archive.verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(content.broken, Vec::<String>::new(), "{told}");
    assert_eq!(content.messages, living.len() as u64, "{told}");
    let files = (0..MESSAGES).filter(|n| n.is_multiple_of(10) && !n.is_multiple_of(3));
    assert_eq!(content.blobs, (CHATS * files.count()) as u64, "{told}");
    assert_eq!(files_below(&data.join("blobs")).len() as u64, content.blobs);
    let index = archive.verify_index(20, NOW, &mut |_, _| ()).unwrap();
    assert!(index.is_sound(), "{told}: {index:?}");
    archive.store().checkpoint().unwrap();
    drop(archive);
    assert_eq!(files_with(data, DOOMED), Vec::<PathBuf>::new(), "{told}");
}

/// Opens nothing of what a data directory of before the purge holds, with the keys of today.
fn elder_copy_is_dead(old: &Path, today: &Path, scratch: &Path, told: &str) {
    copy_tree(old, scratch);
    std::fs::remove_dir_all(scratch.join("keys")).unwrap();
    copy_tree(&today.join("keys"), &scratch.join("keys"));
    let entropy = Arc::new(SeededEntropy::new(3));
    let opened = Vault::open(scratch, None, &secret(), entropy, NOW.wall);
    assert!(opened.is_err(), "{told}: an elder copy opens");
    drop(opened);
    // Nor with every key there is, by hand.
    let (opened, tried) = thieving(scratch);
    assert!(tried > 10, "{told}: {tried} rows");
    assert_eq!(opened, 0, "{told}: keys of the elder copy open");
}

/// Tries every wrapped key of a copy under every keyhold its key files hold.
fn thieving(root: &Path) -> (usize, usize) {
    let directory = DataDirectory::open(root, None).unwrap();
    let slots = SlotFile::parse(&directory.read_key_file(SLOTS_FILE).unwrap()).unwrap();
    let unlocked = slots.unlock(&secret()).unwrap();
    let file = directory.read_key_file(KEYHOLD_FILE).unwrap();
    let holds = KeyholdFile::read(&file, &unlocked.root, slots.store()).unwrap();
    let store = Store::open(directory, unlocked.db_key).unwrap();
    let rows = store.read().unwrap().data_keys().unwrap();
    let mut opened = 0;
    for row in &rows {
        for (_, hold) in &holds.holds {
            for generation in [u64::from(row.generation), hold.generation] {
                let place = place_of(slots.store(), row, generation);
                let wrapped = WrappedKey {
                    nonce: row.nonce,
                    sealed: row.wrapped.as_slice().try_into().unwrap(),
                };
                let tried = Wrapper::new(&hold.key, 0).unwrap(&place, &wrapped);
                opened += usize::from(tried.is_ok());
            }
        }
    }
    (opened, rows.len())
}

fn place_of(store: StoreId, row: &DataKeyRow, generation: u64) -> WrapPlace {
    let purpose = &row.purpose;
    let shard = u32::from(purpose.bucket_shard.unwrap_or(0));
    let tag = match purpose.bucket_month {
        Some(month) => bucket_tag(month as u32, shard),
        None => bucket_tag(1 << 31 | purpose.kind as u32, shard),
    };
    WrapPlace::data_key(
        store,
        u64::from(row.id.0),
        purpose.kind as u8,
        tag,
        generation,
    )
}

#[test]
fn e4_the_thief_of_a_copy_with_its_own_keys_opens_every_row() {
    let dir = tempfile::tempdir().unwrap();
    planted(&dir.path().join("data"));
    let (opened, rows) = thieving(&dir.path().join("data"));
    assert!(opened >= rows && rows > 10, "{opened} of {rows}");
}

/// Every named point of the protocol, P0 to P8; true where the decision is made.
pub const STOPS: [(&str, u32, bool); 20] = [
    ("erase.intended", 1, false),
    ("erase.renewed", 1, false),
    ("erase.moved", 1, false),
    ("erase.moved", 7, false),
    ("erase.resealed", 1, false),
    ("erase.read_back", 1, false),
    ("erase.hold_written", 1, false),
    ("erase.judged", 1, false),
    ("erase.decided", 1, true),
    ("erase.retired", 1, true),
    ("erase.forgotten", 1, true),
    ("erase.unindexed", 1, true),
    ("erase.index_written", 1, true),
    ("erase.index_settled", 1, true),
    ("erase.index_forgotten", 1, true),
    ("erase.unlinked", 1, true),
    ("erase.looked", 1, true),
    ("erase.checked", 1, true),
    ("erase.certified", 1, true),
    ("sign.committed", 1, true),
];

#[test]
fn kill_at_every_step() {
    let dir = tempfile::tempdir().unwrap();
    let fresh = dir.path().join("fresh");
    std::fs::create_dir_all(&fresh).unwrap();
    planted(&fresh.join("data"));
    let archive = open(&fresh.join("data"), 5, None);
    let all = words(&archive);
    assert!(count(&archive, DOOMED) > 0);
    drop(archive);
    let list: String = all
        .iter()
        .map(|(no, body)| format!("{no} {body}\n"))
        .collect();
    std::fs::write(fresh.join("list"), list).unwrap();
    for (milestone, nth, decided) in STOPS {
        let told = format!("{milestone}#{nth}");
        let root = dir.path().join(&told);
        copy_tree(&fresh, &root);
        let stop = Stop {
            milestone,
            nth,
            death: Death::Kill,
        };
        let ended = run_as("purge::child", &root, Some(stop));
        assert!(
            !ended.finished,
            "{told} was never reached: {}",
            ended.printed
        );
        let data = root.join("data");
        let archive = open(&data, 6, None);
        archive.resume_erasures(&context()).unwrap();
        let left = words(&archive);
        let doomed = left.values().filter(|body| body.contains(DOOMED)).count();
        let expected = if decided { 0 } else { all.len() / 3 };
        assert_eq!(doomed, expected, "{told}: half");
        assert_eq!(count(&archive, DOOMED) == 0, decided, "{told}");
        let erased = archive.erase(&plan(&all), &Nobody, &context()).unwrap();
        archive.certified(1, 1, &context()).unwrap();
        drop(archive);
        judge(&data, &all, &erased, &told);
        elder_copy_is_dead(
            &fresh.join("data"),
            &data,
            &dir.path().join("stolen").join(&told),
            &told,
        );
    }
}

#[test]
fn e4_a_purge_names_the_keys_that_died() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    planted(&data);
    let archive = open(&data, 2, None);
    let all = words(&archive);
    let erased = archive.erase(&plan(&all), &Nobody, &context()).unwrap();
    let rows = archive.store().read().unwrap();
    let living = rows.data_keys().unwrap();
    assert!(!erased.keys_destroyed.is_empty());
    for key in &erased.keys_destroyed {
        assert!(living.iter().all(|row| u64::from(row.id.0) != *key));
    }
    assert!(living.iter().all(|row| row.purpose.kind != KeyKind::Bucket
        || u64::from(row.generation) == erased.generation_after));
    drop(rows);
    let missing = archive.erased(2);
    assert!(matches!(
        missing,
        Err(wordkeep::archive::ArchiveError::Store(
            StoreError::NotFound(_)
        ))
    ));
}
