//! How fast text is read into terms and facts, over the chats of the corpus, in processor time.
//!
//! The corpus is named by `WORDKEEP_CORPUS` (default `../shared/corpus` beside the package); without
//! it nothing is measured, and that is said. An argument picks the files whose name contains it.

#![expect(
    clippy::expect_used,
    reason = "a bench without its corpus has nothing to go on with"
)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use wordkeep::query::analysis::{Analysis, analyse, facts_of};

/// Messages read from each file; enough for a steady figure, little enough for a quick run.
const MESSAGES_PER_FILE_MAX: usize = 60_000;

/// How often every text is read; the best round counts.
const ROUNDS: usize = 5;

fn main() {
    let corpus = std::env::var_os("WORDKEEP_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"),
        PathBuf::from,
    );
    let Ok(entries) = std::fs::read_dir(corpus.join("chats")) else {
        println!(
            "SKIPPED: no chats under {} - nothing measured",
            corpus.display()
        );
        return;
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let picked = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    let picked = picked.unwrap_or_default();
    files.retain(|file| file.to_string_lossy().contains(&picked));
    let mut all = Vec::new();
    for file in files {
        let texts = read(&file);
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        measure(&name, &texts);
        all.extend(texts);
    }
    measure("all", &all);
    let bytes: usize = all.iter().map(String::len).sum();
    println!("average message {} bytes", bytes / all.len().max(1));
}

fn read(file: &Path) -> Vec<String> {
    let open = std::fs::File::open(file).expect("a listed file opens");
    let plain = zstd::Decoder::new(open).expect("the corpus is zstd");
    let lines = BufReader::new(plain).lines().take(MESSAGES_PER_FILE_MAX);
    lines
        .map(|line| {
            let line = line.expect("the corpus is UTF-8");
            let row: serde_json::Value = serde_json::from_str(&line).expect("a line is JSON");
            row["text"].as_str().unwrap_or_default().to_owned()
        })
        .collect()
}

fn measure(name: &str, texts: &[String]) {
    let mut analysis = Analysis::new();
    let mut terms = 0usize;
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let start = cpu_time();
        terms = 0;
        for text in texts {
            analyse(text, &mut analysis);
            terms += analysis.len();
        }
        best = best.min(cpu_time() - start);
    }
    report(name, "terms", texts, best);
    let (took, found) = measure_facts(texts);
    report(name, "facts", texts, took);
    let count = texts.len().max(1) as f64;
    let terms = terms as f64 / count;
    let share = found as f64 / count * 100.0;
    println!("{name:<24} {terms:.1} terms a message, {share:.1}% of messages with facts");
}

/// The best time of a round, and how many messages have a fact.
fn measure_facts(texts: &[String]) -> (Duration, usize) {
    let mut best = Duration::MAX;
    let mut found = 0;
    for _ in 0..ROUNDS {
        let start = cpu_time();
        found = texts
            .iter()
            .filter(|text| facts_of(text).presence.0 != 0)
            .count();
        best = best.min(cpu_time() - start);
    }
    (best, found)
}

/// The processor time of this thread: other work on the machine does not count.
fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn report(name: &str, what: &str, texts: &[String], took: Duration) {
    let bytes: usize = texts.iter().map(String::len).sum();
    let seconds = took.as_secs_f64().max(1e-9);
    println!(
        "{name:<24} {what:<6} {:>10.0} messages/s {:>8.1} MB/s {:>8.3} us/message",
        texts.len() as f64 / seconds,
        bytes as f64 / seconds / 1e6,
        seconds * 1e6 / texts.len().max(1) as f64,
    );
}
