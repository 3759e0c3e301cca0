//! The yardsticks of the import bench, in the same run over the same texts: the bare search engine
//! and SQLite's full-text search. Both keep their files in clear, know no record, no scope, no
//! re-import and no audit.

use std::collections::HashMap;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tantivy::collector::Count;
use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, DirectoryLock, FileHandle, Lock, OwnedBytes, TerminatingWrite, WatchCallback,
    WatchCallbackList, WatchHandle, WritePtr,
};
use tantivy::query::{
    BooleanQuery, FuzzyTermQuery, Occur, PhraseQuery, Query, RegexQuery, TermQuery,
};
use tantivy::schema::{FAST, Field, IndexRecordOption, Schema, TEXT};
use tantivy::{Directory, Index, Searcher, TantivyDocument, Term};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// Memory of the engine's writer for each of its threads.
const ARENA_BYTES: usize = 100_000_000;
/// Rows of one transaction of SQLite: few commits, in its favour.
const TRANSACTION_ROWS: u64 = 100_000;
const ROUNDS: usize = 20;

/// What is asked of all: a shape, its words, and the same for SQLite.
const QUERIES: [(Shape, &[&str], &str); 13] = [
    (Shape::All, &["kernel"], "kernel"),
    (Shape::All, &["thanks"], "thanks"),
    (Shape::All, &["the"], "the"),
    (Shape::All, &["ubuntu", "install"], "ubuntu AND install"),
    (Shape::All, &["price", "offer"], "price AND offer"),
    (Shape::Any, &["restaurant", "hotel"], "restaurant OR hotel"),
    (Shape::Near(0), &["thank", "you"], "\"thank you\""),
    (Shape::Near(0), &["how", "do", "i"], "\"how do i\""),
    (Shape::Prefix, &["discount"], "discount*"),
    (Shape::Prefix, &["appl"], "appl*"),
    (
        Shape::Near(5),
        &["deliver", "tomorrow"],
        "NEAR(deliver tomorrow, 5)",
    ),
    (Shape::Near(5), &["can", "help"], "NEAR(can help, 5)"),
    (Shape::Fuzzy, &["discuont"], ""),
];

#[derive(Clone, Copy)]
enum Shape {
    All,
    Any,
    /// With so many words between.
    Near(u32),
    Prefix,
    Fuzzy,
}

/// Indexes the texts of the files with each yardstick and prints its rate beside `ours`, in
/// messages a second.
pub fn compare(files: &[(PathBuf, u64)], scratch: &Path, ours: f64) -> Outcome<()> {
    let texts = Texts::read(files)?;
    println!(
        "yardsticks over {} texts, {:.0} MB, read into memory beforehand",
        texts.ends.len(),
        texts.all.len() as f64 / 1e6
    );
    engine(&texts, &scratch.join("yardstick-engine"), ours)?;
    sqlite(&texts, &scratch.join("yardstick.sqlite"), ours)
}

/// All texts in one piece, so that they cost no more memory than their letters.
#[derive(Default)]
struct Texts {
    all: String,
    ends: Vec<usize>,
}

impl Texts {
    fn read(files: &[(PathBuf, u64)]) -> Outcome<Texts> {
        #[derive(serde::Deserialize)]
        struct Row {
            text: String,
        }
        let mut texts = Texts::default();
        for (file, _) in files {
            for line in BufReader::new(File::open(file)?).lines() {
                let row: Row = serde_json::from_str(&line?)?;
                texts.all.push_str(&row.text);
                texts.ends.push(texts.all.len());
            }
        }
        Ok(texts)
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &str)> {
        let mut start = 0;
        (0..).zip(self.ends.iter().map(move |end| {
            let text = &self.all[start..*end];
            start = *end;
            text
        }))
    }
}

fn told(name: &str, began: Instant, texts: &Texts, ours: f64) {
    let rate = texts.ends.len() as f64 / began.elapsed().as_secs_f64();
    println!(
        "{name}: {rate:.0} messages/s; ours is {:.2} of it",
        ours / rate
    );
}

fn percentiles(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
        times
            .get(place)
            .map_or(0.0, |took| took.as_secs_f64() * 1e3)
    };
    println!(
        "{name}, exact count alone: p50 {:.3} ms, p95 {:.3} ms over {} answers",
        at(50),
        at(95),
        times.len()
    );
}

/// One text field as the engine sets it up by default, one number; as many threads as there are
/// processors; one commit at the end.
fn engine(texts: &Texts, folder: &Path, ours: f64) -> Outcome<()> {
    let mut schema = Schema::builder();
    let text = schema.add_text_field("text", TEXT);
    let id = schema.add_u64_field("id", FAST);
    fs::create_dir_all(folder)?;
    let threads = std::thread::available_parallelism()?.get();
    let began = Instant::now();
    let index = Index::builder()
        .schema(schema.build())
        .open_or_create(PlainDirectory::new(folder))?;
    let mut writer = index.writer_with_num_threads(threads, threads * ARENA_BYTES)?;
    for (no, body) in texts.iter() {
        let mut document = TantivyDocument::new();
        document.add_text(text, body);
        document.add_u64(id, no);
        writer.add_document(document)?;
    }
    writer.commit()?;
    told(
        &format!("the engine alone, {threads} threads, in clear"),
        began,
        texts,
        ours,
    );
    writer.wait_merging_threads()?;
    let searcher = index.reader()?.searcher();
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        for (shape, words, _) in QUERIES {
            let began = Instant::now();
            let query = query(shape, words, text)?;
            let found = count(&searcher, &*query)?;
            let took = began.elapsed();
            match round {
                0 => {}
                ROUNDS => {
                    println!(
                        "  engine {:30} {found:>8} hits {took:>10.1?}",
                        words.join(" ")
                    );
                    times.push(took);
                }
                _ => times.push(took),
            }
        }
    }
    percentiles("the engine alone", times);
    Ok(())
}

fn query(shape: Shape, words: &[&str], field: Field) -> Outcome<Box<dyn Query>> {
    let terms: Vec<Term> = words
        .iter()
        .map(|word| Term::from_field_text(field, word))
        .collect();
    let each = |occur: Occur| -> Box<dyn Query> {
        let word = |term: &Term| -> (Occur, Box<dyn Query>) {
            let query = TermQuery::new(term.clone(), IndexRecordOption::Basic);
            (occur, Box::new(query))
        };
        Box::new(BooleanQuery::new(terms.iter().map(word).collect()))
    };
    let first = || terms.first().cloned().ok_or("a query without words");
    Ok(match shape {
        Shape::All => each(Occur::Must),
        Shape::Any => each(Occur::Should),
        Shape::Near(between) => {
            let mut phrase = PhraseQuery::new(terms.clone());
            phrase.set_slop(between);
            Box::new(phrase)
        }
        Shape::Prefix => Box::new(RegexQuery::from_pattern(
            &format!("{}.*", words.concat()),
            field,
        )?),
        Shape::Fuzzy => Box::new(FuzzyTermQuery::new(first()?, 1, true)),
    })
}

fn count(searcher: &Searcher, query: &dyn Query) -> Outcome<usize> {
    Ok(searcher.search(query, &Count)?)
}

/// The bundled library without a key: a plain database with a full-text table and its texts.
fn sqlite(texts: &Texts, path: &Path, ours: f64) -> Outcome<()> {
    let mut connection = rusqlite::Connection::open(path)?;
    let settings = "pragma journal_mode = wal; pragma synchronous = full;
        create virtual table texts using fts5(text)";
    if let Err(error) = connection.execute_batch(settings) {
        println!("SQLite FTS5 is not part of this build: {error}");
        return Ok(());
    }
    let began = Instant::now();
    let mut rest = texts.iter().peekable();
    while rest.peek().is_some() {
        let transaction = connection.transaction()?;
        let mut insert = transaction.prepare("insert into texts(rowid, text) values (?1, ?2)")?;
        for (no, body) in rest.by_ref().take(TRANSACTION_ROWS as usize) {
            insert.execute(rusqlite::params![no as i64 + 1, body])?;
        }
        drop(insert);
        transaction.commit()?;
    }
    told("SQLite FTS5, one thread, in clear", began, texts, ours);
    let mut statement = connection.prepare("select count(*) from texts where texts match ?1")?;
    let mut times = Vec::new();
    for round in 0..=ROUNDS {
        for (_, _, query) in QUERIES.iter().filter(|(_, _, query)| !query.is_empty()) {
            let began = Instant::now();
            let found: i64 = statement.query_row([query], |row| row.get(0))?;
            let took = began.elapsed();
            if round > 0 {
                times.push(took);
            }
            if round == ROUNDS {
                println!("  FTS5   {query:30} {found:>8} hits {took:>10.1?}");
            }
        }
    }
    percentiles("SQLite FTS5", times);
    Ok(())
}

/// Files in clear, read whole when they are opened: what a memory map is when it is warm. The
/// engine's own map is not part of this build.
#[derive(Clone)]
struct PlainDirectory {
    root: PathBuf,
    opened: Arc<Mutex<HashMap<PathBuf, OwnedBytes>>>,
    watchers: Arc<WatchCallbackList>,
}

impl PlainDirectory {
    fn new(root: &Path) -> PlainDirectory {
        PlainDirectory {
            root: root.to_owned(),
            opened: Arc::default(),
            watchers: Arc::default(),
        }
    }

    fn read(&self, path: &Path) -> Result<OwnedBytes, OpenReadError> {
        let bytes = fs::read(self.root.join(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenReadError::FileDoesNotExist(path.to_owned()),
            _ => OpenReadError::wrap_io_error(error, path.to_owned()),
        })?;
        Ok(OwnedBytes::new(bytes))
    }
}

impl std::fmt::Debug for PlainDirectory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PlainDirectory({})", self.root.display())
    }
}

impl Directory for PlainDirectory {
    fn get_file_handle(&self, path: &Path) -> Result<Arc<dyn FileHandle>, OpenReadError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = opened.get(path) {
            return Ok(Arc::new(bytes.clone()));
        }
        let bytes = self.read(path)?;
        opened.insert(path.to_owned(), bytes.clone());
        Ok(Arc::new(bytes))
    }

    fn delete(&self, path: &Path) -> Result<(), DeleteError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.remove(path);
        fs::remove_file(self.root.join(path)).map_err(|error| DeleteError::IoError {
            io_error: Arc::new(error),
            filepath: path.to_owned(),
        })
    }

    fn exists(&self, path: &Path) -> Result<bool, OpenReadError> {
        Ok(self.root.join(path).exists())
    }

    fn open_write(&self, path: &Path) -> Result<WritePtr, OpenWriteError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.root.join(path))
            .map_err(|error| OpenWriteError::wrap_io_error(error, path.to_owned()))?;
        Ok(BufWriter::new(Box::new(PlainWriter(file))))
    }

    fn atomic_read(&self, path: &Path) -> Result<Vec<u8>, OpenReadError> {
        Ok(self.read(path)?.as_slice().to_vec())
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let draft = self.root.join(".draft");
        let mut file = File::create(&draft)?;
        file.write_all(data)?;
        file.sync_data()?;
        fs::rename(draft, self.root.join(path))
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.root)?.sync_data()
    }

    fn acquire_lock(&self, _lock: &Lock) -> Result<DirectoryLock, LockError> {
        // Nobody else knows this folder.
        Ok(DirectoryLock::from(Box::new(())))
    }

    fn watch(&self, callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(self.watchers.subscribe(callback))
    }
}

struct PlainWriter(File);

impl Write for PlainWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for PlainWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        self.0.sync_data()
    }
}
