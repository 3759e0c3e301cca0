//! The laws of re-import over whole collections of chats: the same again, in another order, in
//! part, with holes, with more at the end. Counts alone must tell.
//!
//! The small form makes its chats itself. The whole corpus, printed step by step:
//! `cargo test --release --test imports -- --ignored --nocapture corpus`, with the corpus at
//! `$WORDKEEP_CORPUS` (default `../shared/corpus`).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::{Value, json};
use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::store::ImportCounts;

use crate::chance::Chance;
use crate::{Office, office};

const MAPPING: &str = r#"{
  "conversation": "conversation", "sender": "sender", "body": "text",
  "ts": "ts", "ts_format": "rfc3339", "ts_optional": true,
  "id": "id", "reply_to": "reply_to", "app": {"constant": "other"}
}"#;
/// Time of everything that is said after a collection ends.
const LATER: &str = "2022-02-02T02:02:02Z";

/// One message of a collection.
struct Row {
    /// Which file of the collection it stands in.
    file: usize,
    line: String,
}

/// Chats as files of rows, with what the laws need to know of them.
#[derive(Default)]
struct Collection {
    files: Vec<String>,
    rows: Vec<Row>,
    chats: Vec<Vec<usize>>,
    /// Rows that stand there more than once under one id.
    twice_by_id: u64,
    /// Rows equal to an earlier one in all but their place, without an id: said twice.
    said_twice: u64,
}

impl Collection {
    fn read(files: impl Iterator<Item = (String, Vec<String>)>) -> Collection {
        let mut collection = Collection::default();
        let mut chats: HashMap<String, usize> = HashMap::new();
        let (mut ids, mut said) = (HashSet::new(), HashSet::new());
        for (name, lines) in files {
            for line in lines {
                let row: Value = serde_json::from_str(&line).unwrap();
                let chat = row["conversation"].as_str().unwrap().to_owned();
                let next = chats.len();
                let chat = *chats.entry(chat).or_insert(next);
                match row["id"].as_str() {
                    Some(id) => {
                        let again = !ids.insert((chat, id.to_owned()));
                        collection.twice_by_id += u64::from(again);
                    }
                    None => {
                        let said_before = !said.insert((chat, line.clone()));
                        collection.said_twice += u64::from(said_before);
                    }
                }
                if collection.chats.len() == chat {
                    collection.chats.push(Vec::new());
                }
                collection.chats[chat].push(collection.rows.len());
                let file = collection.files.len();
                collection.rows.push(Row { file, line });
            }
            collection.files.push(name);
        }
        collection
    }

    /// How many messages the collection holds.
    fn messages(&self) -> u64 {
        self.rows.len() as u64 - self.twice_by_id
    }

    /// About half of the rows, from every chat another part: the whole, nothing, its beginning, its
    /// end, or scattered holes. Then shuffled over all chats.
    fn shuffled_half(&self, chance: &mut Chance) -> Vec<&str> {
        let mut kept: Vec<usize> = Vec::new();
        for rows in &self.chats {
            let cut = chance.below(rows.len() + 1);
            match chance.below(6) {
                0 => kept.extend(rows),
                1 => {}
                2 => kept.extend(&rows[..cut]),
                3 => kept.extend(&rows[cut..]),
                _ => kept.extend(rows.iter().filter(|_| chance.once_in(2))),
            }
        }
        for last in (1..kept.len()).rev() {
            kept.swap(last, chance.below(last + 1));
        }
        kept.iter().map(|row| &*self.rows[*row].line).collect()
    }

    /// Some whole chats, each with a new message and a true repeat of its last one at the end.
    fn extended(&self, chance: &mut Chance) -> (Vec<String>, u64) {
        let (mut lines, mut added) = (Vec::new(), 0);
        for (chat, rows) in self.chats.iter().enumerate() {
            if !chance.once_in(5) && chat != 0 {
                continue;
            }
            lines.extend(rows.iter().map(|row| self.rows[*row].line.clone()));
            let last: Value = serde_json::from_str(&self.rows[rows[rows.len() - 1]].line).unwrap();
            for (n, text) in [json!(format!("afterwards {chat}")), last["text"].clone()]
                .into_iter()
                .enumerate()
            {
                let mut row = last.clone();
                row["text"] = text;
                for (field, value) in [("ts", LATER.to_owned()), ("id", format!("later {n}"))] {
                    if row.get(field).is_some() {
                        row[field] = json!(value);
                    }
                }
                lines.push(row.to_string());
                added += 1;
            }
        }
        (lines, added)
    }
}

/// A house into which collections are imported, step by step.
struct Trial {
    office: Office,
    step: u32,
}

impl Trial {
    fn new() -> Trial {
        Trial {
            office: office(),
            step: 0,
        }
    }

    fn write<'l>(&mut self, name: &str, lines: impl Iterator<Item = &'l str>) -> PathBuf {
        self.step += 1;
        let folder = self.office.dir.path().join(format!("step{}", self.step));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        let mut out = BufWriter::new(File::create(&path).unwrap());
        for line in lines {
            writeln!(out, "{line}").unwrap();
        }
        out.flush().unwrap();
        path
    }

    /// Imports files and says what came of it.
    fn take(&self, what: &str, files: &[PathBuf]) -> ImportCounts {
        let mapping = self.office.dir.path().join("mapping.json");
        std::fs::write(&mapping, MAPPING).unwrap();
        let began = Instant::now();
        let mut sum = ImportCounts::default();
        for path in files {
            let request = ImportRequest {
                path: path.clone(),
                mapping: Some(mapping.clone()),
                ..ImportRequest::default()
            };
            let counts = self
                .office
                .appliance
                .import(&self.office.root, &request, &SilentProgress)
                .unwrap()
                .counts;
            sum.fresh += counts.fresh;
            sum.known += counts.known;
            sum.revised += counts.revised;
            sum.rejected += counts.rejected;
        }
        println!(
            "{what:44} {:>9} new {:>9} known {:>3} revised {:>3} rejected, then {:>9} in all \
             ({:.1} s)",
            sum.fresh,
            sum.known,
            sum.revised,
            sum.rejected,
            self.office.all(),
            began.elapsed().as_secs_f64()
        );
        sum
    }

    /// One step of the law: how many must be new, how many known, how many there are afterwards.
    fn expect(&self, what: &str, files: &[PathBuf], fresh: u64, known: u64, all: u64) {
        let counts = self.take(what, files);
        let found = (counts.fresh, counts.known, self.office.all());
        assert_eq!(found, (fresh, known, all), "{what}: new, known, in all");
        assert_eq!((counts.revised, counts.rejected), (0, 0), "{what}");
    }

    fn one_file<'l>(
        &mut self,
        what: &str,
        lines: impl Iterator<Item = &'l str>,
        fresh: u64,
        known: u64,
        all: u64,
    ) {
        let path = self.write("rows.jsonl", lines);
        self.expect(what, std::slice::from_ref(&path), fresh, known, all);
        std::fs::remove_file(path).unwrap();
    }
}

fn lines(collection: &Collection, file: usize) -> impl DoubleEndedIterator<Item = &str> {
    let rows = collection.rows.iter();
    rows.filter(move |row| row.file == file)
        .map(|row| &*row.line)
}

/// Idempotence, subset, hole, repeat and growth: the whole first, then parts of it.
fn the_whole_then_its_parts(collection: &Collection, seed: u64) {
    let mut chance = Chance::new(seed);
    let mut trial = Trial::new();
    let (rows, all) = (collection.rows.len() as u64, collection.messages());
    let files: Vec<PathBuf> = (0..collection.files.len())
        .map(|file| {
            let name = &collection.files[file];
            trial.write(name, lines(collection, file))
        })
        .collect();
    let twice = collection.twice_by_id;
    trial.expect("first", &files, all, twice, all);
    trial.expect("the same files again", &files, 0, rows, all);
    for file in files {
        std::fs::remove_file(file).unwrap();
    }
    let other_order = collection.rows.iter().rev().map(|row| &*row.line);
    trial.one_file("all in one file, backwards", other_order, 0, rows, all);
    let half = collection.shuffled_half(&mut chance);
    let count = half.len() as u64;
    assert!(
        rows / 4 < count && count < rows * 3 / 4,
        "{count} of {rows}"
    );
    trial.one_file(
        "a shuffled half with holes",
        half.into_iter(),
        0,
        count,
        all,
    );
    let (longer, added) = collection.extended(&mut chance);
    let known = longer.len() as u64 - added;
    let lines = || longer.iter().map(String::as_str);
    trial.one_file("chats that go on", lines(), added, known, all + added);
    let again = longer.len() as u64;
    trial.one_file("the same, backwards", lines().rev(), 0, again, all + added);
}

/// What one source lacks another fills: a part first, then the whole, makes the whole.
fn a_part_then_the_whole(collection: &Collection, seed: u64) {
    let mut chance = Chance::new(seed);
    let mut trial = Trial::new();
    let half = collection.shuffled_half(&mut chance);
    let read = [(
        "half".to_owned(),
        half.iter().map(|line| (*line).to_owned()).collect(),
    )];
    let part = Collection::read(read.into_iter());
    let (rows, all) = (collection.rows.len() as u64, collection.messages());
    let (had, twice) = (part.messages(), part.twice_by_id);
    trial.one_file("first a shuffled half", half.into_iter(), had, twice, had);
    let whole = || collection.rows.iter().map(|row| &*row.line);
    trial.one_file(
        "then the whole",
        whole(),
        all - had,
        rows - (all - had),
        all,
    );
    trial.one_file("and backwards", whole().rev(), 0, rows, all);
}

/// Chats of every sort: with ids and times, with either, with neither; short words said often.
fn small() -> Collection {
    let mut chance = Chance::new(7);
    let mut files: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for chat in 0..60 {
        let (has_id, has_time) = (chat % 2 == 0, chat % 3 != 0);
        let mut minute = 0;
        for n in 0..chance.between(1, 60) {
            minute += chance.between(0, 3);
            let text = match chance.below(3) {
                0 => chance.one(&["ok", "yes", "thank you", "👍"]).to_string(),
                _ => format!("word{n} of chat {chat} about {}", chance.below(50)),
            };
            let mut row = json!({
                "conversation": format!("chat {chat}"),
                "sender": chance.one(&["Ana", "Bo", "Cy"]),
                "text": text,
            });
            if has_id {
                row["id"] = json!(format!("{chat}-{n}"));
            }
            if has_time {
                let (day, hour) = (1 + minute / 1_440 % 28, minute / 60 % 24);
                let time = format!(
                    "2021-0{}-{day:02}T{hour:02}:{:02}:00Z",
                    1 + chat % 9,
                    minute % 60
                );
                row["ts"] = json!(time);
            }
            let lines = files.entry(format!("file{}.jsonl", chat % 4)).or_default();
            lines.push(row.to_string());
            if has_id && chance.once_in(40) {
                lines.push(row.to_string());
            }
        }
    }
    Collection::read(files.into_iter())
}

#[test]
fn c6_c7_small_collections_stay_what_they_are_however_they_come_again() {
    let collection = small();
    assert!(collection.twice_by_id > 3 && collection.said_twice > 10);
    for seed in 0..3 {
        the_whole_then_its_parts(&collection, seed);
        a_part_then_the_whole(&collection, seed);
    }
}

fn unpacked(file: &Path) -> (String, Vec<String>) {
    let name = file.file_stem().unwrap().to_string_lossy().into_owned();
    let reader = zstd::Decoder::new(File::open(file).unwrap()).unwrap();
    let lines = BufReader::new(reader).lines();
    (name, lines.map(|line| line.unwrap()).collect())
}

#[test]
#[ignore = "a million messages, eight times: several minutes, and the corpus must be at hand"]
fn c6_c7_the_chats_corpus_stays_what_it_is_however_it_comes_again() {
    let root = std::env::var("WORDKEEP_CORPUS").unwrap_or_else(|_| "../shared/corpus".to_owned());
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(&root).join("chats"))
        .unwrap_or_else(|error| panic!("no corpus at {root}: {error}; set WORDKEEP_CORPUS"))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let collection = Collection::read(files.iter().map(|file| unpacked(file)));
    println!(
        "{} rows in {} chats; {} stand there twice under one id, {} were said twice",
        collection.rows.len(),
        collection.chats.len(),
        collection.twice_by_id,
        collection.said_twice
    );
    the_whole_then_its_parts(&collection, 1);
    a_part_then_the_whole(&collection, 2);
}
