//! Bench: the chats corpus to durable, sealed and searchable, then searched: messages per second,
//! peak memory, bytes on disk, time to reopen, latencies of a mixed set of queries.
//!
//! `cargo bench --bench import -- [messages]`; the corpus lies at `$WORDKEEP_CORPUS` (default
//! `../shared/corpus`).

#[path = "import/corpus.rs"]
mod corpus;
#[path = "import/yardstick.rs"]
mod yardstick;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use wordkeep::app::{Appliance, BackupRequest, SearchRequest, Session};
use wordkeep::crypto::Secret;
use wordkeep::domain::{Role, Scope};
use wordkeep::index;
use wordkeep::query::{
    NoDirectory, ParseContext, Purpose, ResolveContext, Resolved, parse, resolve,
};

use corpus::{MAPPING, Outcome, PASSWORD, QUERIES, corpus, create, import_all, percentile, unpack};

const ROUNDS: usize = 20;
/// Between the rounds of queries that are asked while the index is rebuilt: searches go on, but do
/// not take a core of their own.
const PAUSE: Duration = Duration::from_millis(500);

fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| {
        let kib = line.strip_prefix("VmHWM:")?.split_whitespace().next()?;
        kib.parse::<u64>().ok()
    });
    peak.unwrap_or(0) / 1024
}

fn bytes_below(path: &Path) -> u64 {
    let Ok(meta) = std::fs::metadata(path) else {
        return 0;
    };
    if meta.is_file() {
        return meta.len();
    }
    std::fs::read_dir(path)
        .map(|entries| {
            entries
                .flatten()
                .map(|entry| bytes_below(&entry.path()))
                .sum()
        })
        .unwrap_or(0)
}

/// Every query in turn, many times: first fifty hits opened, exact count, scope, snippets. The
/// audit entry, which waits for the disk, is shown apart.
fn search_all(appliance: &Appliance, session: &Session) -> Outcome<()> {
    let (mut inside, mut whole) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        for query in QUERIES {
            let began = Instant::now();
            let found = appliance.search(session, &SearchRequest::new(query))?;
            // The first round warms the caches.
            if round > 0 {
                inside.push(found.took);
                whole.push(began.elapsed());
            }
            if round == ROUNDS {
                println!(
                    "{query:32} {:>8} hits {:>8.2} ms",
                    found.answer.total,
                    found.took.as_secs_f64() * 1e3
                );
            }
        }
    }
    for (what, mut times) in [("search", inside), ("search and audit entry", whole)] {
        times.sort_unstable();
        println!(
            "{what}: p50 {:.2} ms, p95 {:.2} ms over {} answers",
            percentile(&times, 50),
            percentile(&times, 95),
            times.len()
        );
    }
    Ok(())
}

/// A whole backup, and the drill: restored elsewhere with what is kept of keys, holds and erasures put
/// on again, then read.
fn back_up_and_drill(appliance: &Appliance, root: &Session, dir: &Path) -> Outcome<()> {
    let (key, _) = appliance.create_recovery_key(root)?;
    appliance.test_recovery_key(root, &key)?;
    let (target, scratch) = (dir.join("backups"), dir.join("scratch"));
    std::fs::create_dir_all(&target)?;
    std::fs::create_dir_all(&scratch)?;
    let began = Instant::now();
    let request = BackupRequest {
        target: target.clone(),
        escrow_targets: Vec::new(),
    };
    appliance.create_backup(root, &request, &mut |_, _, _| {})?;
    println!(
        "backup of {:.1} MB made in {:.2} s",
        bytes_below(&target) as f64 / 1e6,
        began.elapsed().as_secs_f64()
    );
    let began = Instant::now();
    let drilled = appliance.drill_newest(root, false, &scratch, &mut |_, _, _| {})?;
    let drilled = drilled.ok_or("a backup to restore")?;
    println!(
        "restored and read again in {:.2} s, {} problems",
        began.elapsed().as_secs_f64(),
        drilled.report.problems.len()
    );
    Ok(())
}

/// Rebuilds the index from the record while another thread goes on searching the old one.
fn rebuild(appliance: &Appliance, root: &Session, lawyer: &Session, rows: u64) -> Outcome<()> {
    let done = AtomicBool::new(false);
    let began = Instant::now();
    let (answers, took) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answers = Vec::new();
            while !done.load(Ordering::Relaxed) {
                for query in QUERIES {
                    let found = appliance.search(lawyer, &SearchRequest::new(query));
                    answers.push(found.map(|found| found.took));
                }
                std::thread::sleep(PAUSE);
            }
            answers
        });
        let rebuilt = appliance.rebuild_index(root, &mut |_, _| {});
        let took = began.elapsed();
        done.store(true, Ordering::Relaxed);
        (asking.join(), rebuilt.map(|_| took))
    });
    let took = took?.as_secs_f64();
    let answers = answers.map_err(|_| "a search died")?;
    let mut times = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
    times.sort_unstable();
    println!(
        "index rebuilt in {took:.2} s = {:.0} messages/s; {} searches meanwhile, p50 {:.2} ms, p95 {:.2} ms",
        rows as f64 / took,
        times.len(),
        percentile(&times, 50),
        percentile(&times, 95),
    );
    Ok(())
}

fn understood(appliance: &Appliance, text: &str) -> Outcome<Resolved> {
    let (now, zone) = (appliance.now().wall, chrono_tz::Tz::UTC);
    let context = ParseContext {
        zone,
        now,
        strict: false,
        purpose: Purpose::Search,
    };
    let query = parse(text, &context).ast.ok_or("a query that reads")?;
    Ok(resolve(&query, &NoDirectory, &ResolveContext { zone, now }))
}

/// The same queries put to the index alone: the numbers of the first page and the exact count,
/// nothing opened.
fn engine_alone(appliance: &Appliance) -> Outcome<()> {
    let index = appliance.archive().index();
    let page = index::Page::first(index::Order::Newest, SearchRequest::new("").limit + 1);
    let mut times = Vec::new();
    for text in QUERIES {
        let query = understood(appliance, text)?;
        let mut each = Vec::new();
        for round in 0..=ROUNDS {
            let began = Instant::now();
            index.search(&query, &Scope::everything(), page)?;
            if round > 0 {
                each.push(began.elapsed());
            }
        }
        each.sort_unstable();
        println!("{text:32} engine alone {:>8.3} ms", percentile(&each, 50));
        times.extend(each);
    }
    times.sort_unstable();
    println!(
        "engine alone: p50 {:.3} ms, p95 {:.3} ms over {} answers",
        percentile(&times, 50),
        percentile(&times, 95),
        times.len()
    );
    Ok(())
}

fn main() -> Outcome<()> {
    let Some(chats) = corpus() else {
        println!("SKIPPED: no corpus; set WORDKEEP_CORPUS");
        return Ok(());
    };
    let limit = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(u64::MAX >> 1);
    let dir = tempfile::tempdir()?;
    let files = unpack(&chats, dir.path(), limit)?;
    let rows: u64 = files.iter().map(|(_, rows)| rows).sum();
    let mapping = dir.path().join("mapping.json");
    std::fs::write(&mapping, MAPPING)?;
    let secret = Secret::key_file(&[7; 32]);
    let (appliance, settings) = create(dir.path(), &secret)?;
    let (root, _) = appliance.log_in("root", PASSWORD, 1)?;
    appliance.add_user(&root, "lawyer", Role::Lawyer, PASSWORD, &[])?;
    let (lawyer, _) = appliance.log_in("lawyer", PASSWORD, 1)?;
    let began = Instant::now();
    import_all(&appliance, &root, &files, &mapping)?;
    let seconds = began.elapsed().as_secs_f64();
    let rate = rows as f64 / seconds;
    println!("import: {rows} messages in {seconds:.2} s = {rate:.0}/s, durable and searchable");
    println!("peak memory {} MB", peak_mb());
    appliance.archive().store().checkpoint()?;
    for part in ["wordkeep.db", "index", "log", ""] {
        let bytes = bytes_below(&settings.data.join(part)) as f64;
        let (part, each) = (
            if part.is_empty() { "all" } else { part },
            bytes / rows as f64,
        );
        println!(
            "{part:12} {:>8.1} MB {each:>6.0} bytes a message",
            bytes / 1e6
        );
    }
    drop(appliance);
    let began = Instant::now();
    let appliance = Appliance::open(settings, &secret)?;
    println!("reopened in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let segments: u32 = appliance
        .archive()
        .index()
        .stats()?
        .iter()
        .map(|part| part.segments)
        .sum();
    println!("{segments} segments of the index");
    search_all(&appliance, &lawyer)?;
    engine_alone(&appliance)?;
    rebuild(&appliance, &root, &lawyer, rows)?;
    back_up_and_drill(&appliance, &root, dir.path())?;
    yardstick::compare(&files, dir.path(), rate)
}
