//! Reading a bundle from front to back, once, in flat memory: every file is hashed, lines are
//! checked one by one, and only manifest and proof are kept.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::manifest::{FileLine, MANIFEST_BYTES_MAX};
use super::names;
use super::record::{LINE_BYTES_MAX, Record};
use super::verify::BundleProblem;
use crate::crypto::{Digest, Edge, Hasher, hex, leaf_hash};
use crate::domain::Timestamp;
use crate::ingest::{BundleEntry, BundleError, BundleReader, Span};

/// Bytes read at a time.
const CHUNK_BYTES: usize = 1 << 18;
/// Longest file of the proof, in bytes.
const PROOF_BYTES_MAX: u64 = 1 << 20;
/// Most files of a bundle that are looked at.
pub(super) const FILES_MAX: usize = 500_000;
/// Problems that are listed; the rest is counted.
pub(super) const PROBLEMS_MAX: usize = 100;

/// What the lines of `messages.jsonl` came to.
#[derive(Default)]
pub(super) struct Messages {
    pub count: u64,
    pub hits: u64,
    pub root: Edge,
    /// Files of attachments that lines name, with hash and length.
    pub files: BTreeMap<String, (String, u64)>,
}

/// What a bundle holds.
#[derive(Default)]
pub(super) struct Contents {
    pub files: Vec<(FileLine, Span)>,
    pub messages: Messages,
    /// Manifest and proof, by name.
    pub kept: BTreeMap<String, Vec<u8>>,
    pub time: Option<Timestamp>,
    pub problems: Vec<BundleProblem>,
    pub problem_count: u64,
    /// The medium failed before the end.
    pub unreadable: bool,
}

impl Contents {
    /// Reads the whole file.
    pub fn read(file: File) -> Contents {
        let mut contents = Contents::default();
        let mut reader = BundleReader::new(BufReader::with_capacity(CHUNK_BYTES, file));
        if let Err(error) = contents.entries(&mut reader) {
            let (at, what) = match error {
                BundleError::Unreadable(error) => {
                    contents.unreadable = true;
                    (None, error.to_string())
                }
                BundleError::NotCanonical { offset, what } => (Some(offset), what.to_owned()),
            };
            let file = contents.files.last().map(|(file, _)| file.name.clone());
            contents.problem(BundleProblem {
                file: None,
                at,
                line: None,
                what: match file {
                    Some(name) => format!("{what} (behind {name})"),
                    None => what,
                },
            });
        }
        contents
    }

    /// Notes a problem.
    pub fn problem(&mut self, problem: BundleProblem) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    fn entries<R: Read>(&mut self, reader: &mut BundleReader<R>) -> Result<(), BundleError> {
        while let Some(entry) = reader.next_entry()? {
            if self.files.len() >= FILES_MAX {
                return Err(BundleError::NotCanonical {
                    offset: entry.span.start,
                    what: "more files than an export holds",
                });
            }
            self.time = Some(entry.time);
            let mut hashing = Hashing {
                inner: reader,
                hasher: Hasher::new(),
            };
            match entry.name.as_str() {
                names::MESSAGES => self.lines(&mut hashing, &entry)?,
                name if name.starts_with(names::PROOF) => {
                    self.keep(&mut hashing, &entry, PROOF_BYTES_MAX)?;
                }
                names::MANIFEST => self.keep(&mut hashing, &entry, MANIFEST_BYTES_MAX)?,
                _ => {}
            }
            // What was not needed is hashed all the same.
            io::copy(&mut hashing, &mut io::sink())?;
            let hash = hashing.hasher.finish();
            let file = FileLine {
                name: entry.name,
                sha256: hex(&hash),
                size: entry.span.length,
            };
            self.files.push((file, entry.span));
        }
        Ok(())
    }

    fn keep(&mut self, from: &mut dyn Read, entry: &BundleEntry, most: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        from.take(most).read_to_end(&mut bytes)?;
        self.kept.insert(entry.name.clone(), bytes);
        Ok(())
    }

    fn lines(&mut self, from: &mut dyn Read, entry: &BundleEntry) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(CHUNK_BYTES, from);
        let mut text = Vec::new();
        let (mut at, mut number) = (entry.span.start, 0);
        loop {
            text.clear();
            let most = LINE_BYTES_MAX as u64 + 1;
            let bytes = (&mut reader).take(most).read_until(b'\n', &mut text)?;
            if bytes == 0 {
                return Ok(());
            }
            number += 1;
            if let Err(what) = self.line(&text) {
                self.problem(BundleProblem {
                    file: Some(entry.name.clone()),
                    at: Some(at),
                    line: Some(number),
                    what,
                });
            }
            at += bytes as u64;
        }
    }

    fn line(&mut self, text: &[u8]) -> std::result::Result<(), String> {
        let line = text.strip_suffix(b"\n").ok_or("the line is cut")?;
        let line = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8")?;
        let (record, digest): (Record, Digest) = Record::read_line(line)?;
        let messages = &mut self.messages;
        messages.count += 1;
        messages.hits += u64::from(record.hit);
        messages.root.append(leaf_hash(&digest), |_| ());
        if messages.files.len() < FILES_MAX {
            let named = record.files.into_iter();
            messages
                .files
                .extend(named.map(|file| (file.file, (file.sha256, file.size))));
        }
        Ok(())
    }
}

/// Hashes what is read through it.
struct Hashing<'r, R: Read> {
    inner: &'r mut BundleReader<R>,
    hasher: Hasher,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        Ok(count)
    }
}
