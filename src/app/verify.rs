//! The use-case "verify": does everything hold? Without keys over the files of a log, with keys over
//! the whole data directory.

use std::path::Path;

use serde_json::{Value, json};

use super::audit::LogDirectory;
use super::pins::{Pin, PinBoard};
use super::{AppError, Appliance, Result, Session};
use crate::archive::{ContentVerdict, IndexVerdict};
use crate::audit::{
    Action, Appended, CHECKPOINT_FILE, LogFiles, Outcome, Pins, Problem, Report, VKEY_FILE,
    Verdict, verify_files, verify_store,
};
use crate::crypto::{Checkpoint, NoteVerifier};
use crate::domain::Right;

/// What the caller knows of the log from before.
#[derive(Clone, Debug, Default)]
pub struct VerifyRequest {
    /// The public key of the log, as printed by the checkpoint command (C2SP vkey).
    pub key: Option<String>,
    /// Checkpoints kept elsewhere: three lines each.
    pub anchors: Vec<String>,
    /// Queries that are asked of the index, with keys only.
    pub sample: u64,
}

/// What was found inside the opened record.
#[derive(Clone, Debug)]
pub struct RecordVerdict {
    /// Pages of the database that fail their check.
    pub pages: Vec<String>,
    /// Every sealed row and attachment.
    pub content: ContentVerdict,
    /// The index.
    pub index: IndexVerdict,
    /// Messages that the log says must be there.
    pub logged: u64,
    /// Messages that are there.
    pub live: u64,
    /// Where record and log tell of different destructions, or holds name what is gone.
    pub disposals: Vec<String>,
}

impl RecordVerdict {
    /// Everything that does not hold, in words.
    pub fn problems(&self) -> Vec<String> {
        let mut problems: Vec<String> = self
            .pages
            .iter()
            .map(|page| format!("wordkeep.db: {page}"))
            .collect();
        problems.extend(self.content.broken.iter().cloned());
        problems.extend(self.index.damaged.iter().cloned());
        problems.extend(
            self.index
                .refused
                .iter()
                .map(|(part, why)| format!("index part {part}: {why}")),
        );
        problems.extend(self.index.disagreements.iter().map(|bucket| {
            format!(
                "index: messages {} to {}: {} in the store, {} in the index, or other words: \
                 rebuild the index",
                bucket.from, bucket.until, bucket.expected, bucket.found
            )
        }));
        problems.extend(
            self.index
                .missed
                .iter()
                .map(|no| format!("index: message {no} is not found by its own words")),
        );
        problems.extend(self.disposals.iter().cloned());
        if self.logged != self.live {
            problems.push(format!(
                "conservation: the log accounts for {} messages, {} are there",
                self.logged, self.live
            ));
        }
        problems
    }
}

/// The answer of the verifier.
#[derive(Clone, Debug)]
pub struct VerifyReport {
    /// The log.
    pub log: Report,
    /// Whether the key and the state of the log were known from before; if not, both were taken on
    /// trust this once.
    pub known_before: bool,
    /// The record, when it was opened.
    pub record: Option<RecordVerdict>,
    /// The entry of this run, when the record was opened.
    pub audit: Option<Appended>,
}

impl VerifyReport {
    /// 0 sound, 1 sound but nothing from outside agreed, 6 broken, 10 unreadable.
    pub fn exit_code(&self) -> u8 {
        let broken = self
            .record
            .as_ref()
            .is_some_and(|record| !record.problems().is_empty());
        match broken {
            true => Verdict::Broken.exit_code(),
            false => self.log.verdict.exit_code(),
        }
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> String {
        // The report of the log is written by itself; a document that does not parse cannot come.
        let log: Value = serde_json::from_str(&self.log.to_json()).unwrap_or_default();
        let record = self.record.as_ref().map(|record| {
            json!({
                "messages": record.content.messages,
                "rows": record.content.rows,
                "attachments": record.content.blobs,
                "logged": record.logged,
                "live": record.live,
                "index_messages": record.index.messages,
                "queries_asked": record.index.asked,
                "problems": record.problems(),
            })
        });
        let report = json!({
            "exit_code": self.exit_code(),
            "known_before": self.known_before,
            "log": log,
            "record": record,
        });
        format!("{report:#}")
    }
}

/// Verifies the log of a data directory or an exported log from its files alone: no key, no
/// configuration, no network. `pins` is where this computer remembers logs; what it saw before is
/// held against the log, and a sound log is remembered.
pub fn verify_log(path: &Path, pins: &Path, request: &VerifyRequest) -> Result<VerifyReport> {
    let root = match path.join("wordkeep.db").is_file() {
        true => path.join("log"),
        false => path.to_owned(),
    };
    if !root.is_dir() {
        return Err(AppError::Io(format!(
            "{}: neither a data directory nor an exported log",
            path.display()
        )));
    }
    let files = LogDirectory::new(&root);
    let board = PinBoard::new(pins);
    let known = Known::gather(&files, &board, request)?;
    let mut log = match &known.pins.keys[..] {
        [] => unreadable(&files),
        _ => verify_files(&files, &known.pins),
    };
    known.judge(&mut log);
    // The files of a data directory hold hashes only; an export must hold what was hashed.
    let exported = !path.join("wordkeep.db").is_file();
    if exported && log.entries + log.pruned < log.size && log.problem_count == 0 {
        let what = "the export holds hashes and not the entries: they were removed";
        put(&mut log, None, what.to_owned());
    }
    known.remember(&board, &log)?;
    Ok(VerifyReport {
        log,
        known_before: known.before,
        record: None,
        audit: None,
    })
}

fn put(log: &mut Report, file: Option<String>, what: String) {
    log.problem_count += 1;
    log.verdict = Verdict::Broken;
    log.problems.push(Problem {
        file,
        index: None,
        what,
    });
}

/// A log that names no key at all.
fn unreadable(files: &LogDirectory) -> Report {
    let mut log = verify_files(files, &Pins::default());
    log.verdict = Verdict::Unreadable;
    log
}

/// Whose log it is said to be, and by whom.
pub(super) struct Known {
    pub(super) pins: Pins,
    pub(super) before: bool,
    /// What contradicts what was known before anything was verified.
    problems: Vec<String>,
}

impl Known {
    pub(super) fn gather(
        files: &LogDirectory,
        board: &PinBoard,
        request: &VerifyRequest,
    ) -> Result<Known> {
        let read = |name: &str| {
            files
                .read(name)
                .map_err(|error| AppError::Io(error.to_string()))
        };
        let given = request.key.as_deref().map(parse_key).transpose()?;
        let mut anchors = Vec::new();
        for text in &request.anchors {
            let anchor = Checkpoint::parse(text).map_err(|error| {
                AppError::Usage(format!("an anchor is three lines, as printed: {error}"))
            })?;
            anchors.push(anchor);
        }
        let mut problems = Vec::new();
        let stated = match read(VKEY_FILE)? {
            None => None,
            Some(bytes) => {
                let key = String::from_utf8(bytes)
                    .ok()
                    .and_then(|text| NoteVerifier::from_vkey(text.strip_suffix('\n')?).ok());
                if key.is_none() {
                    problems.push(format!("{VKEY_FILE} is not the key of a log"));
                }
                key
            }
        };
        // The name in the checkpoint only chooses the pin; nothing is believed because of it.
        let claimed = read(CHECKPOINT_FILE)?
            .and_then(|note| String::from_utf8(note).ok())
            .and_then(|note| note.lines().next().map(str::to_owned));
        let origins = [
            given.as_ref().map(|key| key.name.clone()),
            stated.as_ref().map(|key| key.name.clone()),
            claimed,
        ];
        let mut pinned = None;
        for origin in origins.iter().flatten() {
            if pinned.is_none() {
                pinned = board.read(origin)?;
            }
        }
        let before = given.is_some() || pinned.is_some();
        if let Some(pin) = &pinned {
            anchors.push(pin.checkpoint.clone());
        }
        let trusted = given.or_else(|| pinned.map(|pin| pin.key));
        if let (Some(trusted), Some(stated)) = (&trusted, &stated)
            && trusted != stated
        {
            problems.push(format!(
                "{VKEY_FILE} names another key than the one known before"
            ));
        }
        let keys = trusted.or(stated).into_iter().collect();
        Ok(Known {
            pins: Pins { keys, anchors },
            before,
            problems,
        })
    }

    pub(super) fn judge(&self, log: &mut Report) {
        for what in &self.problems {
            put(log, Some(VKEY_FILE.to_owned()), what.clone());
        }
    }

    pub(super) fn remember(&self, board: &PinBoard, log: &Report) -> Result<()> {
        let (Some(key), Some(root)) = (self.pins.keys.first(), log.root) else {
            return Ok(());
        };
        if !matches!(log.verdict, Verdict::Sound | Verdict::Unanchored) {
            return Ok(());
        }
        board.remember(&Pin {
            key: key.clone(),
            checkpoint: Checkpoint {
                origin: key.name.clone(),
                size: log.size,
                root,
            },
        })
    }
}

pub(super) fn parse_key(text: &str) -> Result<NoteVerifier> {
    NoteVerifier::from_vkey(text.trim())
        .map_err(|error| AppError::Usage(format!("the key of the log: {error}")))
}

impl Appliance {
    /// Verifies everything with keys: every entry against its leaf and its meaning, every page of
    /// the database, every sealed row and attachment, the index, and that what came in is there.
    pub fn verify(
        &self,
        session: &Session,
        request: &VerifyRequest,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<VerifyReport> {
        self.require(session, Right::Verify, Action::VerifyRun)?;
        let _no_import = self
            .importing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        self.close_interrupted_imports()?;
        self.archive.replay_outbox(self.clock.now())?;
        // What is verified is signed first, so that files and record end at one place.
        self.sign_log()?;
        let log = self.verify_own_log(request)?;
        let record = self.verify_record(request, &log, progress)?;
        let problems = log.problem_count + record.problems().len() as u64;
        let now = self.clock.now();
        let audit = self.change(now, |tx| {
            let draft = self
                .draft(session, Action::VerifyRun)
                .word("of", "everything")
                .count("problems", problems)
                .result(match problems {
                    0 => Outcome::Done,
                    _ => Outcome::Failed,
                });
            self.log(tx, now, draft, None)
        })?;
        Ok(VerifyReport {
            log,
            known_before: true,
            record: Some(record),
            audit: Some(audit),
        })
    }

    pub(super) fn verify_own_log(&self, request: &VerifyRequest) -> Result<Report> {
        // The key comes out of the opened record: nobody else can have put it there.
        let key = self.archive.log_verifier().clone();
        let mut anchors = Vec::new();
        for text in &request.anchors {
            anchors.push(
                Checkpoint::parse(text)
                    .map_err(|error| AppError::Usage(format!("an anchor: {error}")))?,
            );
        }
        if let Some(board) = self.pin_board()
            && let Some(pin) = board.read(&key.name)?
        {
            anchors.push(pin.checkpoint);
        }
        anchors.extend(self.anchors()?);
        let pins = Pins {
            keys: vec![key],
            anchors,
        };
        let store = self.archive.store();
        Ok(verify_store(&*store.read()?, &store.directory(), &pins))
    }

    fn verify_record(
        &self,
        request: &VerifyRequest,
        log: &Report,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<RecordVerdict> {
        let pages = self.archive.store().integrity()?;
        let content = self
            .archive
            .verify_content(&mut |done, of| progress("content", done, of))?;
        let index =
            self.archive
                .verify_index(request.sample, self.clock.now(), &mut |done, of| {
                    progress("index", done, of)
                })?;
        Ok(RecordVerdict {
            pages,
            content,
            index,
            logged: log.conservation.map_or(0, |counts| counts.live()),
            live: self.archive.store().read()?.message_count()?,
            disposals: self.check_disposals(&log.disposals)?,
        })
    }
}
