//! Bench: the chats corpus to durable, sealed and searchable; messages per second, peak memory,
//! bytes on disk, time to reopen.
//!
//! `cargo bench --bench import -- [messages]`; the corpus lies at `$WORDKEEP_CORPUS` (default
//! `../shared/corpus`).

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::app::{Appliance, Given, NewAppliance, Settings};
use wordkeep::crypto::{Secret, StretchCost};

const MAPPING: &str = r#"{
  "conversation": "conversation", "sender": "sender", "body": "text",
  "ts": "ts", "ts_format": "rfc3339", "ts_optional": true,
  "id": "id", "reply_to": "reply_to", "app": {"constant": "other"}
}"#;

fn corpus() -> Option<PathBuf> {
    let root = std::env::var("WORDKEEP_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let chats = Path::new(&root).join("chats");
    chats.is_dir().then_some(chats)
}

/// Writes the rows of all sources into one file each, up to `limit` rows in all.
fn unpack(chats: &Path, into: &Path, limit: u64) -> Vec<(PathBuf, u64)> {
    let mut files: Vec<_> = std::fs::read_dir(chats)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut left = limit;
    let mut written = Vec::new();
    for file in files {
        if left == 0 {
            break;
        }
        let name = file.file_stem().unwrap().to_owned();
        let target = into.join(&name);
        let mut out = BufWriter::new(std::fs::File::create(&target).unwrap());
        let reader = zstd::Decoder::new(std::fs::File::open(&file).unwrap()).unwrap();
        let mut rows = 0;
        for line in BufReader::new(reader).lines().take(left as usize) {
            out.write_all(line.unwrap().as_bytes()).unwrap();
            out.write_all(b"\n").unwrap();
            rows += 1;
        }
        left -= rows;
        written.push((target, rows));
    }
    written
}

fn status(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| {
            line.strip_prefix(field)?
                .split_whitespace()
                .nth(0)?
                .parse()
                .ok()
        })
        .unwrap_or(0)
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

fn main() {
    let Some(chats) = corpus() else {
        println!("SKIPPED: no corpus; set WORDKEEP_CORPUS");
        return;
    };
    let limit = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next()
        .unwrap_or(1_000_000u64);
    let dir = tempfile::tempdir().unwrap();
    let files = unpack(&chats, dir.path(), limit);
    let rows: u64 = files.iter().map(|(_, rows)| rows).sum();
    let mapping = dir.path().join("mapping.json");
    std::fs::write(&mapping, MAPPING).unwrap();
    let given = Given {
        data: Some(dir.path().join("data")),
        config: None,
        ..Given::default()
    };
    let settings = Settings::decide(&given, |_| None).unwrap();
    let secret = Secret::key_file(&[7; 32]);
    let new = NewAppliance {
        secret: &secret,
        label: "bench",
        administrator: "root",
        password: "a long enough one",
        cost: StretchCost::LOGIN,
    };
    let appliance = Appliance::create(settings.clone(), &new).unwrap();
    let (session, _) = appliance.log_in("root", "a long enough one", 1).unwrap();
    let started = Instant::now();
    for (file, rows) in &files {
        let began = Instant::now();
        let request = ImportRequest {
            path: file.clone(),
            mapping: Some(mapping.clone()),
            ..ImportRequest::default()
        };
        let receipt = appliance
            .import(&session, &request, &SilentProgress)
            .unwrap();
        let seconds = began.elapsed().as_secs_f64();
        println!(
            "{:20} {rows:>8} rows {:>8} new {:>6} known {:>4} revised {:>4} rejected {:>8.0}/s",
            file.file_name().unwrap().to_string_lossy(),
            receipt.counts.fresh,
            receipt.counts.known,
            receipt.counts.revised,
            receipt.counts.rejected,
            *rows as f64 / seconds
        );
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "all: {rows} messages in {seconds:.2} s = {:.0}/s durable and searchable",
        rows as f64 / seconds
    );
    println!("peak memory {} MB", status("VmHWM:") / 1024);
    appliance.archive().store().checkpoint().unwrap();
    let data = dir.path().join("data");
    for part in ["wordkeep.db", "index", "blobs", "log"] {
        let bytes = bytes_below(&data.join(part));
        println!(
            "{part:12} {:>8.1} MB {:>6.0} bytes a message",
            bytes as f64 / 1e6,
            bytes as f64 / rows as f64
        );
    }
    println!(
        "disk {:.0} bytes a message",
        bytes_below(&data) as f64 / rows as f64
    );
    drop(appliance);
    let began = Instant::now();
    let appliance = Appliance::open(settings, &secret).unwrap();
    println!("reopened in {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    drop(appliance);
}
