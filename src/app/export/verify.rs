//! Does a bundle hold? From its bytes alone: no data directory, no secret, no network.

use std::fs::File;
use std::path::Path;

use serde::Serialize;

use super::manifest::{FileLine, Manifest, digest_of_files};
use super::names;
use super::read::Contents;
use super::record::instant;
use crate::app::pins::PinBoard;
use crate::app::verify::{VerifyRequest, parse_key};
use crate::app::{AppError, Result};
use crate::audit::{Action, Entry, Fact, InclusionProof, Verdict};
use crate::crypto::{Checkpoint, NoteVerifier, hex};
use crate::domain::Timestamp;

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleProblem {
    /// The file of the bundle, where one can be named.
    pub file: Option<String>,
    /// The first byte of the bundle it touches, counted from 0, where that is known.
    pub at: Option<u64>,
    /// The line of that file, counted from 1, where it has lines.
    pub line: Option<u64>,
    /// What does not hold.
    pub what: String,
}

/// The answer of the verifier of bundles.
#[derive(Clone, Debug, Serialize)]
pub struct BundleReport {
    /// The verdict: sound where the key was known from before, unanchored where the bundle itself
    /// named it.
    pub verdict: Verdict,
    /// The exit code of the verdict.
    pub exit_code: u8,
    /// Whether the key was given or remembered from before.
    pub known_before: bool,
    /// Checkpoints from outside that agree with the log of the bundle.
    pub anchors: u64,
    /// Files of the bundle, manifest included.
    pub files: u64,
    /// Messages that were read.
    pub messages: u64,
    /// What the bundle says of itself; `None` when its manifest cannot be read.
    pub manifest: Option<Manifest>,
    /// What does not hold, at most a hundred of it.
    pub problems: Vec<BundleProblem>,
    /// How many problems there are in all.
    pub problem_count: u64,
    /// What could not be compared, in words.
    pub notes: Vec<String>,
}

/// Verifies a bundle: form, the hash of every file, every line, the signature, the entry in the log
/// and its proof. `pins` is where this computer remembers logs; nothing is written there.
pub fn verify_bundle(path: &Path, pins: &Path, request: &VerifyRequest) -> Result<BundleReport> {
    let file = File::open(path).map_err(|error| AppError::file(path, &error))?;
    let mut judge = Judge {
        contents: Contents::read(file),
        known_before: false,
        anchors: 0,
        notes: Vec::new(),
    };
    let manifest = judge.judge(&PinBoard::new(pins), request)?;
    let contents = judge.contents;
    let verdict = match (contents.problem_count, contents.unreadable) {
        (_, true) => Verdict::Unreadable,
        (1.., false) => Verdict::Broken,
        (0, false) if judge.known_before || judge.anchors > 0 => Verdict::Sound,
        (0, false) => Verdict::Unanchored,
    };
    Ok(BundleReport {
        verdict,
        exit_code: verdict.exit_code(),
        known_before: judge.known_before,
        anchors: judge.anchors,
        files: contents.files.len() as u64,
        messages: contents.messages.count,
        manifest,
        problems: contents.problems,
        problem_count: contents.problem_count,
        notes: judge.notes,
    })
}

/// A checkpoint from outside, and whether it was named for this run.
type Anchor = (Checkpoint, bool);

struct Judge {
    contents: Contents,
    known_before: bool,
    anchors: u64,
    notes: Vec<String>,
}

impl Judge {
    fn put(&mut self, file: &str, what: impl Into<String>) {
        let span = self.span_of(file);
        self.contents.problem(BundleProblem {
            file: Some(file.to_owned()),
            at: span,
            line: None,
            what: what.into(),
        });
    }

    fn span_of(&self, name: &str) -> Option<u64> {
        let mut files = self.contents.files.iter();
        files
            .find(|(file, _)| file.name == name)
            .map(|(_, span)| span.start)
    }

    fn judge(&mut self, board: &PinBoard, request: &VerifyRequest) -> Result<Option<Manifest>> {
        let given = request.key.as_deref().map(parse_key).transpose()?;
        let Some(bytes) = self.contents.kept.remove(names::MANIFEST) else {
            self.put(names::MANIFEST, "it is missing: this is no whole export");
            return Ok(None);
        };
        let manifest = match Manifest::parse(&bytes) {
            Ok(manifest) => manifest,
            Err(what) => {
                self.put(names::MANIFEST, what);
                return Ok(None);
            }
        };
        let Some((key, anchors)) = self.key(&manifest, given, board, request)? else {
            return Ok(Some(manifest));
        };
        if let Err(what) = manifest.verify(&key) {
            self.put(names::MANIFEST, what);
        }
        self.files(&manifest);
        self.messages(&manifest);
        self.proof(&manifest, &key, &anchors);
        Ok(Some(manifest))
    }

    /// The key to trust, and what else was known of its log. One that was known before wins over
    /// the one that the bundle names.
    fn key(
        &mut self,
        manifest: &Manifest,
        given: Option<NoteVerifier>,
        board: &PinBoard,
        request: &VerifyRequest,
    ) -> Result<Option<(NoteVerifier, Vec<Anchor>)>> {
        let stated = NoteVerifier::from_vkey(&manifest.log.key)
            .ok()
            .filter(|key| key.to_vkey() == manifest.log.key);
        if stated.is_none() {
            self.put(names::MANIFEST, "log.key is not the key of a log");
        }
        let mut anchors = Vec::new();
        for text in &request.anchors {
            let anchor = Checkpoint::parse(text).map_err(|error| {
                AppError::Usage(format!("an anchor is three lines, as printed: {error}"))
            })?;
            anchors.push((anchor, true));
        }
        let origin = given.as_ref().or(stated.as_ref()).map(|key| &key.name);
        let pinned = match origin {
            Some(origin) => board.read(origin)?,
            None => None,
        };
        if let Some(pin) = &pinned {
            anchors.push((pin.checkpoint.clone(), false));
        }
        let trusted = given.or(pinned.map(|pin| pin.key));
        self.known_before = trusted.is_some();
        if let (Some(trusted), Some(stated)) = (&trusted, &stated)
            && trusted != stated
        {
            self.put(
                names::MANIFEST,
                "it names another key than the one that was known before",
            );
        }
        Ok(trusted.or(stated).map(|key| (key, anchors)))
    }

    /// Every file is there, in order, and none besides.
    fn files(&mut self, manifest: &Manifest) {
        let mut found = self.contents.files.clone();
        if found
            .last()
            .is_some_and(|(file, _)| file.name == names::MANIFEST)
        {
            found.pop();
        } else {
            self.put(names::MANIFEST, "it is not the last file");
        }
        for (place, said) in manifest.files.iter().enumerate() {
            match found.get(place) {
                Some((file, _)) if file == said => {}
                Some((file, span)) if file.name == said.name => {
                    let end = span.start + span.length;
                    self.put(
                        &said.name,
                        format!(
                            "its bytes ({} to {end} of the bundle) are not those that were signed",
                            span.start
                        ),
                    );
                }
                _ => self.put(&said.name, "it is missing, or not in its place"),
            }
        }
        for (file, _) in found.iter().skip(manifest.files.len()) {
            self.put(&file.name, "the manifest does not know it");
        }
        let data = manifest.files.iter();
        let data = data.filter(|file| !file.name.starts_with(names::PROOF));
        if hex(&digest_of_files(data)) != manifest.files_digest {
            self.put(names::MANIFEST, "files_digest is not that of its files");
        }
        let made = self.contents.time.map(instant);
        let said = manifest.made.compliance.split('.').next();
        if made.as_deref().and_then(|made| made.split('.').next()) != said {
            self.put(
                names::MANIFEST,
                "the time in the bundle is not the one in made.compliance",
            );
        }
    }

    fn messages(&mut self, manifest: &Manifest) {
        let messages = std::mem::take(&mut self.contents.messages);
        let counts = &manifest.counts;
        if (messages.count, messages.hits) != (counts.messages, counts.hits) {
            let what = format!(
                "{} messages and {} hits, where {} and {} were signed",
                messages.count, messages.hits, counts.messages, counts.hits
            );
            self.put(names::MESSAGES, what);
        }
        if hex(&messages.root.root()) != manifest.messages_root {
            self.put(names::MESSAGES, "its lines do not come to messages_root");
        }
        let attached: Vec<&FileLine> = manifest
            .files
            .iter()
            .filter(|file| file.name.starts_with(names::ATTACHMENTS))
            .collect();
        for file in &attached {
            let named = messages.files.get(&file.name);
            if named != Some(&(file.sha256.clone(), file.size)) {
                self.put(&file.name, "no message names it with this hash and length");
            }
        }
        if attached.len() as u64 != counts.attachments || messages.files.len() != attached.len() {
            self.put(names::MESSAGES, "messages name files that are not there");
        }
        self.contents.messages = messages;
    }

    /// The entry says what the manifest says, and stands in the log that the key signed.
    fn proof(&mut self, manifest: &Manifest, key: &NoteVerifier, anchors: &[Anchor]) {
        let mut kept = |name: &str| self.contents.kept.remove(name);
        let (entry, note) = (kept(names::ENTRY), kept(names::CHECKPOINT));
        let text = kept(names::INCLUSION).and_then(|bytes| String::from_utf8(bytes).ok());
        let (Some(entry), Some(note), Some(text)) = (entry, note, text) else {
            self.put(names::INCLUSION, "the proof is not whole");
            return;
        };
        let proof = match InclusionProof::parse(&text) {
            Ok(proof) if proof.to_text() == text => proof,
            Ok(_) => return self.put(names::INCLUSION, "the proof is spelled in another way"),
            Err(error) => return self.put(names::INCLUSION, error.to_string()),
        };
        if proof.note.as_bytes() != note {
            self.put(names::CHECKPOINT, "the proof leads to another checkpoint");
        }
        let checkpoint = match proof.verify(&entry, key) {
            Ok(checkpoint) => checkpoint,
            Err(error) => return self.put(names::INCLUSION, error.to_string()),
        };
        let log = &manifest.log;
        if (log.entry, log.size) != (proof.seq.0, checkpoint.size)
            || log.root != hex(&checkpoint.root)
        {
            self.put(names::MANIFEST, "log is not the place that the proof shows");
        }
        match Entry::parse(&entry) {
            Ok(entry) => self.entry(manifest, &entry),
            Err(what) => self.put(names::ENTRY, what),
        }
        self.compare(&checkpoint, anchors);
    }

    fn entry(&mut self, manifest: &Manifest, entry: &Entry) {
        let (draft, counts) = (&entry.draft, &manifest.counts);
        let number = |name: &str, number: u64| {
            draft.facts.get(name) == i64::try_from(number).ok().map(Fact::Number).as_ref()
        };
        let word = |name: &str, word: &str| matches!(draft.facts.get(name), Some(Fact::Word(known)) if known == word);
        let agrees = [
            ("the act", draft.action == Action::ExportMade),
            ("the place", entry.seq.0 == manifest.log.entry),
            ("the export", draft.objects == [manifest.export.clone()]),
            ("the exporter", draft.actor.id == manifest.actor.id),
            (
                "the role",
                draft.actor.role.map(|role| role.name()) == Some(manifest.actor.role.as_str()),
            ),
            ("the matter", draft.matter == manifest.matter),
            (
                "the number of messages",
                number("messages", counts.messages),
            ),
            ("the number of hits", number("hits", counts.hits)),
            ("the files", word("files_digest", &manifest.files_digest)),
            (
                "the messages",
                word("messages_root", &manifest.messages_root),
            ),
            ("the time", is_before(&manifest.made.compliance, entry.t_c)),
        ];
        for (what, _) in agrees.iter().filter(|(_, agrees)| !agrees) {
            self.put(
                names::ENTRY,
                format!("{what} in the log is not what the manifest says"),
            );
        }
    }

    /// Compares with checkpoints that were kept elsewhere; those of other sizes say nothing here.
    fn compare(&mut self, checkpoint: &Checkpoint, anchors: &[Anchor]) {
        for anchor in anchors {
            let (anchor, was_given) = anchor;
            if anchor.origin != checkpoint.origin {
                self.put(names::CHECKPOINT, "an anchor is of another log");
            } else if anchor.size != checkpoint.size {
                if !was_given {
                    continue;
                }
                self.notes.push(format!(
                    "the checkpoint of {} entries cannot be compared with that of {} in the bundle; \
                     the log itself can: wordkeep audit verify",
                    anchor.size, checkpoint.size
                ));
            } else if anchor.root == checkpoint.root {
                self.anchors += 1;
            } else {
                self.put(
                    names::CHECKPOINT,
                    "a checkpoint that was kept elsewhere has the same size and another root",
                );
            }
        }
    }
}

/// Whether the bundle was begun no later than its entry was made.
fn is_before(made: &str, entry: Timestamp) -> bool {
    // Both are written with the same digits, so their order is that of the texts.
    *made <= *instant(entry)
}
