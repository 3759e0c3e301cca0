//! Bench: the purge. Re-sealing of one bucket, then a purge with its index work, in records per
//! second. Talk is made up on the spot.
//!
//! `cargo bench --bench purge -- [messages]` (default 300,000; half of them go, spread over every
//! bucket).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rustix::time::{ClockId, clock_gettime};

use wordkeep::archive::{
    Approval, ApprovalRule, Approved, Archive, ArchiveConfig, Batch, EraseContext, Fate, Incoming,
    Judge, JudgeError, Judged, Judgement, Milestones, NewConversation, NewVault, NoBackups, Packed,
    Plan, PlanItem, SLICE_ITEMS, Vault,
};
use wordkeep::audit::EntryActor;
use wordkeep::crypto::{Secret, SeededEntropy, StretchCost};
use wordkeep::domain::{
    App, ConversationKind, ImportId, ImportNo, Kind, MessageNo, Now, Precision, Presence,
    Timestamp, UserNo, ZoneSource,
};
use wordkeep::store::{ImportCounts, ImportRow, ImportState, Rows};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const NOW: Now = Now {
    compliance: Timestamp(1_720_000_000_000_000),
    wall: Timestamp(1_720_000_000_000_000),
};
const MESSAGES_DEFAULT: u64 = 300_000;
/// The bucket of the first figure.
const BUCKET_MESSAGES: u64 = 75_000;
/// Most messages of one batch.
const BATCH: u64 = 4_000;
const WORDS: [&str; 24] = [
    "shipment",
    "order",
    "price",
    "agreed",
    "tomorrow",
    "please",
    "send",
    "the",
    "offer",
    "for",
    "container",
    "contract",
    "we",
    "can",
    "deliver",
    "friday",
    "discount",
    "percent",
    "thanks",
    "meeting",
    "call",
    "about",
    "invoice",
    "paid",
];

/// Where the time of a purge goes: wall and processor seconds up to each named point.
struct Phases(Mutex<Clocks>);

struct Clocks {
    wall: Instant,
    cpu: f64,
    spent: BTreeMap<&'static str, (f64, f64)>,
}

impl Phases {
    fn new() -> Arc<Phases> {
        Arc::new(Phases(Mutex::new(Clocks {
            wall: Instant::now(),
            cpu: cpu_seconds(),
            spent: BTreeMap::new(),
        })))
    }

    /// Prints and forgets what was spent.
    fn tell(&self) {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, (wall, cpu)) in std::mem::take(&mut clocks.spent) {
            println!("    up to {name:<24} {wall:8.2} s wall {cpu:8.2} s processor");
        }
    }
}

impl Milestones for Phases {
    fn reached(&self, name: &'static str) {
        let mut clocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (wall, cpu) = (clocks.wall.elapsed().as_secs_f64(), cpu_seconds());
        let spent = clocks.spent.get(name).copied().unwrap_or_default();
        let spent = (spent.0 + wall, spent.1 + cpu - clocks.cpu);
        clocks.spent.insert(name, spent);
        (clocks.wall, clocks.cpu) = (Instant::now(), cpu);
    }
}

/// Processor time of this process so far.
fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

struct Nobody;

impl Judge for Nobody {
    fn begin(&self, _: &Rows, _: u64, _: Now) -> Result<(), JudgeError> {
        Ok(())
    }

    fn judge(&self, _: &Judged<'_>) -> Result<Judgement, JudgeError> {
        Ok(Judgement::Erase)
    }
}

fn archive(root: &std::path::Path, phases: Arc<Phases>) -> Outcome<Archive> {
    let secret = Secret::key_file(&[7; 64]);
    let new = NewVault {
        root,
        keys: None,
        secret: &secret,
        label: "bench",
        cost: StretchCost::LOGIN,
    };
    let mut vault = Vault::create(&new, Arc::new(SeededEntropy::new(1)), NOW.wall)?;
    vault.milestones = phases;
    Ok(Archive::open(vault, ArchiveConfig::default())?)
}

fn begin_import(archive: &Archive) -> Outcome<ImportNo> {
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
    Ok(archive.write(NOW, |tx| Ok(tx.insert_import(&row)?))?)
}

/// Twelve words, one of them rare.
fn body(n: u64) -> String {
    let mut body = format!("ref{n}");
    let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..11 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        body.push(' ');
        body.push_str(WORDS[(state % WORDS.len() as u64) as usize]);
    }
    body
}

/// `count` messages of one new conversation, `apart` seconds apart.
fn fill(archive: &Archive, import: ImportNo, from: u64, count: u64, apart: i64) -> Outcome<()> {
    let no = archive.next_conversation();
    let lookup = archive.lookup("conversation", &[&no.0.to_be_bytes()]);
    let shard = archive.shard_of(&lookup);
    let mut settler = archive.settler();
    let mut done = 0;
    while done < count {
        let mut batch = Batch::new(import);
        if done == 0 {
            batch.create_conversation(NewConversation {
                no,
                app: App::WhatsApp,
                kind: ConversationKind::Direct,
                lookup,
                shard,
                title: format!("conversation {no}"),
            });
        }
        let end = count.min(done + BATCH);
        for n in done..end {
            let body = body(from + n);
            let incoming = Incoming {
                fate: Fate::New,
                conversation: no,
                shard,
                sender: None,
                sent: Timestamp::from_seconds(1_577_836_800 + n as i64 * apart),
                order: n,
                app: App::WhatsApp,
                conversation_kind: ConversationKind::Direct,
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
        let admitted = archive.admit(batch, NOW, |_, _| Ok(()))?;
        settler.show(&admitted, NOW)?;
        done = end;
    }
    Ok(settler.finish(NOW)?)
}

fn numbers(archive: &Archive, conversation: Option<u32>) -> Outcome<Vec<MessageNo>> {
    let rows = archive.store().read()?;
    let mut numbers = Vec::new();
    rows.each_message(MessageNo(0), MessageNo(i64::MAX as u64), |row| {
        if conversation.is_none_or(|no| row.conversation.0 == no) {
            numbers.push(row.no);
        }
        Ok::<_, wordkeep::store::StoreError>(())
    })?;
    Ok(numbers)
}

fn purge(archive: &Archive, batch: u64, numbers: &[MessageNo]) -> Outcome<(f64, f64)> {
    let items = numbers.iter().map(|no| PlanItem {
        no: *no,
        revision: 0,
    });
    let plan = Plan {
        batch,
        hold_epoch: 0,
        items: items.collect(),
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
    let approved = Approved::new(plan, &[approval], &rule, NOW)?;
    let context = EraseContext {
        actor: EntryActor::system(),
        request: "bench".to_owned(),
        now: &|| NOW,
        backups: &NoBackups,
        slice_items: SLICE_ITEMS,
    };
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let erased = archive.erase(&approved, &Nobody, &context)?;
    let took = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    assert_eq!(erased.erased.len(), numbers.len());
    Ok(took)
}

fn main() -> Outcome<()> {
    let wanted = std::env::args().skip(1).find_map(|text| text.parse().ok());
    let messages: u64 = wanted.unwrap_or(MESSAGES_DEFAULT);
    let dir = tempfile::tempdir()?;
    let phases = Phases::new();
    let archive = archive(&dir.path().join("data"), Arc::clone(&phases))?;
    let import = begin_import(&archive)?;
    // One bucket: all in January 2020.
    fill(&archive, import, 0, BUCKET_MESSAGES, 30)?;
    let one = numbers(&archive, Some(1))?;
    phases.tell();
    let (took, cpu) = purge(&archive, 1, &one[..1])?;
    println!(
        "one message out of a bucket of {BUCKET_MESSAGES}, with its index work: {took:.2} s \
         ({cpu:.2} s processor)"
    );
    phases.tell();
    let each = messages / 20;
    for chat in 0..20 {
        fill(&archive, import, (chat + 1) * 1_000_000, each, 2_400)?;
    }
    let all: Vec<MessageNo> = numbers(&archive, None)?.into_iter().step_by(2).collect();
    report(
        &archive,
        &phases,
        2,
        &all,
        "every second one of every bucket",
    )?;
    let half = numbers(&archive, None)?;
    report(
        &archive,
        &phases,
        3,
        &half[..half.len() / 2],
        "whole buckets",
    )
}

fn report(
    archive: &Archive,
    phases: &Phases,
    batch: u64,
    numbers: &[MessageNo],
    which: &str,
) -> Outcome<()> {
    phases.tell();
    let (took, cpu) = purge(archive, batch, numbers)?;
    let count = numbers.len() as f64;
    println!(
        "{count} messages, {which}: {took:.2} s, {:.0} records/s; {cpu:.2} s processor, {:.0} \
         records per processor second",
        count / took,
        count / cpu
    );
    phases.tell();
    Ok(())
}
