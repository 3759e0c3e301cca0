//! The chats corpus in an archive, and queries to ask it: for the benches of import and of serving.

use std::error::Error;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::app::{Appliance, Given, NewAppliance, Session, Settings};
use wordkeep::crypto::{Secret, StretchCost};

pub type Outcome<T> = Result<T, Box<dyn Error>>;

pub const MAPPING: &str = r#"{
  "conversation": "conversation", "sender": "sender", "body": "text",
  "ts": "ts", "ts_format": "rfc3339", "ts_optional": true,
  "id": "id", "reply_to": "reply_to", "app": {"constant": "other"}
}"#;
pub const PASSWORD: &str = "a long enough one";
/// Term, AND, OR, phrase, prefix, proximity, fuzzy, field with date.
pub const QUERIES: [&str; 16] = [
    "kernel",
    "thanks",
    "the",
    "ubuntu AND install",
    "price AND offer",
    "restaurant OR hotel",
    "\"thank you\"",
    "\"how do i\"",
    "discount*",
    "appl*",
    "deliver w/5 tomorrow",
    "can w/5 help",
    "price pre/10 pay",
    "javascript NOT css",
    "meeting since:2015 until:2017",
    "discuont~",
];

pub fn corpus() -> Option<PathBuf> {
    let root = std::env::var("WORDKEEP_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let chats = Path::new(&root).join("chats");
    chats.is_dir().then_some(chats)
}

/// Writes the rows of all sources into one file each, up to `limit` rows in all.
pub fn unpack(chats: &Path, into: &Path, limit: u64) -> Outcome<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(chats)? {
        files.push(entry?.path());
    }
    files.sort();
    let mut left = limit;
    let mut written = Vec::new();
    for file in files {
        if left == 0 {
            break;
        }
        let target = into.join(file.file_stem().ok_or("a file without a name")?);
        let mut out = BufWriter::new(File::create(&target)?);
        let reader = BufReader::new(zstd::Decoder::new(File::open(&file)?)?);
        let mut rows = 0;
        for line in reader.lines().take(usize::try_from(left)?) {
            out.write_all(line?.as_bytes())?;
            out.write_all(b"\n")?;
            rows += 1;
        }
        left -= rows;
        written.push((target, rows));
    }
    Ok(written)
}

pub fn create(root: &Path, secret: &Secret) -> Outcome<(Appliance, Settings)> {
    let given = Given {
        data: Some(root.join("data")),
        ..Given::default()
    };
    let mut settings = Settings::decide(&given, |_| None)?;
    settings.token = root.join("token");
    let new = NewAppliance {
        secret,
        label: "bench",
        administrator: "root",
        password: PASSWORD,
        cost: StretchCost::LOGIN,
    };
    Ok((Appliance::create(settings.clone(), &new)?, settings))
}

pub fn import_all(
    appliance: &Appliance,
    session: &Session,
    files: &[(PathBuf, u64)],
    mapping: &Path,
) -> Outcome<()> {
    for (file, rows) in files {
        let began = Instant::now();
        let request = ImportRequest {
            path: file.clone(),
            mapping: Some(mapping.to_owned()),
            ..ImportRequest::default()
        };
        let receipt = appliance.import(session, &request, &SilentProgress)?;
        println!(
            "{:22} {rows:>8} rows {:>8} new {:>4} rejected {:>8.0}/s",
            receipt.name,
            receipt.counts.fresh,
            receipt.counts.rejected,
            *rows as f64 / began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

pub fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}
