//! How fast text is read into terms and facts, over the chats of the corpus.
//!
//! The corpus is named by `WORDKEEP_CORPUS` (default `../shared/corpus` beside the package); without
//! it nothing is measured, and that is said.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

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
        let start = Instant::now();
        terms = 0;
        for text in texts {
            analyse(text, &mut analysis);
            terms += analysis.len();
        }
        best = best.min(start.elapsed());
    }
    report(name, "terms", texts, best);
    println!(
        "{:>40}",
        format!("{:.1} terms a message", terms as f64 / texts.len() as f64)
    );
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
