//! Everything against everything: the index against the store, every sealed byte against its key.

use super::error::Result;
use super::open::index_failed;
use super::words::Analyses;
use super::{Archive, ArchiveError, OpenedMessage};
use crate::crypto::Key;
use crate::domain::{MessageNo, Now, Scope};
use crate::index::{Disagreement, PartName, Tallies};
use crate::query::analysis::{Analysis, TermKind, analyse};
use crate::query::{NoDirectory, ParseContext, Purpose, ResolveContext, parse, resolve};

/// Numbers of the sequence read in one stable picture.
const PAGE_NUMBERS: u64 = 8_192;
/// Things named in a verdict; the rest is counted.
const NAMED_MAX: usize = 20;

/// What comparing the index with the store found.
#[derive(Clone, Debug, Default)]
pub struct IndexVerdict {
    /// Messages compared.
    pub messages: u64,
    /// Ranges of messages of which the index says something else than the store.
    pub disagreements: Vec<Disagreement>,
    /// Files that are not what was written, by name.
    pub damaged: Vec<String>,
    /// Parts that did not open, and why.
    pub refused: Vec<(PartName, String)>,
    /// Ranges that wait to be shown.
    pub waiting: u64,
    /// Sampled queries that were asked.
    pub asked: u64,
    /// Messages that their own words did not find.
    pub missed: Vec<MessageNo>,
}

impl IndexVerdict {
    /// Whether the index says what the store says, of everything.
    pub fn is_sound(&self) -> bool {
        self.disagreements.is_empty()
            && self.damaged.is_empty()
            && self.refused.is_empty()
            && self.waiting == 0
            && self.missed.is_empty()
    }
}

/// What opening every sealed thing found.
#[derive(Clone, Debug, Default)]
pub struct ContentVerdict {
    /// Messages opened, all versions.
    pub messages: u64,
    /// Sealed rows opened: versions, sightings, names, remarks.
    pub rows: u64,
    /// Attachment files opened.
    pub blobs: u64,
    /// What did not open, at most twenty of them.
    pub broken: Vec<String>,
    /// How many did not open in all.
    pub broken_count: u64,
}

impl ContentVerdict {
    fn note(&mut self, what: String) {
        self.broken_count += 1;
        if self.broken.len() < NAMED_MAX {
            self.broken.push(what);
        }
    }
}

impl Archive {
    /// Compares the index with the store: counts and sums of keyed hashes of every posting, every
    /// page of every file, and `sample` queries spread over the messages. Keep imports away.
    pub fn verify_index(
        &self,
        sample: u64,
        now: Now,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<IndexVerdict> {
        let rows = self.store.read()?;
        let (total, last) = (rows.message_count()?, rows.last_message()?.0);
        let waiting = rows.outbox()?.len() as u64;
        drop(rows);
        let index = self.index();
        let mut verdict = IndexVerdict {
            refused: self.refused_parts(),
            waiting,
            ..IndexVerdict::default()
        };
        if let Err(error) = index.prove_files() {
            verdict.damaged.push(error.to_string());
        }
        let key = Key::random(&**self.keyring.entropy());
        let mut expected = Tallies::new(&index, key.clone());
        let every = total
            .checked_div(sample)
            .map_or(u64::MAX, |every| every.max(1));
        let mut analyses = Analyses::default();
        let mut first = 0;
        while first <= last {
            let end = first + PAGE_NUMBERS;
            for message in self.read_page(MessageNo(first), MessageNo(end))? {
                message.with_record(|record| {
                    analyses.words_of(record, |words| expected.add(record, words));
                });
                if verdict.damaged.is_empty() && verdict.messages % every == every / 2 {
                    self.ask_for(&message, now, &mut verdict)?;
                }
                verdict.messages += 1;
            }
            first = end;
            progress(verdict.messages, total);
        }
        let mut found = Tallies::new(&index, key);
        match found.add_index(&index) {
            Ok(()) => verdict.disagreements = expected.compare(&found),
            Err(error) => verdict.damaged.push(error.to_string()),
        }
        Ok(verdict)
    }

    /// Asks the index for the longest word of a message and expects the message among the answers.
    fn ask_for(&self, message: &OpenedMessage, now: Now, verdict: &mut IndexVerdict) -> Result<()> {
        let Some(text) = message.latest().map(|version| version.body.as_str()) else {
            return Ok(());
        };
        let mut analysis = Analysis::default();
        analyse(text, &mut analysis);
        let longest = analysis
            .terms()
            .filter(|term| matches!(term.kind, TermKind::Word))
            .map(|term| term.folded)
            .filter(|word| word.chars().all(char::is_alphanumeric))
            .max_by_key(|word| word.len());
        let Some(word) = longest else { return Ok(()) };
        let Some(found) = self.asked_for_word(word, now)? else {
            return Ok(());
        };
        verdict.asked += 1;
        if !found.contains(&message.row.no) && verdict.missed.len() < NAMED_MAX {
            verdict.missed.push(message.row.no);
        }
        Ok(())
    }

    /// Messages the index gives for a word, deleted and hidden ones left out.
    pub(super) fn found_by_word(&self, word: &str, now: Now) -> Result<Vec<MessageNo>> {
        Ok(self.asked_for_word(word, now)?.unwrap_or_default())
    }

    /// The answers of the index to a word; `None` when it does not read as one.
    fn asked_for_word(&self, word: &str, now: Now) -> Result<Option<Vec<MessageNo>>> {
        let context = ParseContext {
            zone: chrono_tz::UTC,
            now: now.wall,
            strict: false,
            purpose: Purpose::Search,
        };
        let Some(query) = parse(&format!("\"{word}\""), &context).ast else {
            return Ok(None);
        };
        let context = ResolveContext {
            zone: chrono_tz::UTC,
            now: now.wall,
        };
        let resolved = resolve(&query, &NoDirectory, &context);
        let (found, _) = self
            .index()
            .candidates(&resolved, &Scope::everything())
            .map_err(index_failed)?;
        Ok(Some(found))
    }

    /// Opens every sealed row and every attachment.
    pub fn verify_content(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<ContentVerdict> {
        let mut verdict = ContentVerdict::default();
        let rows = self.store.read()?;
        let (total, last) = (rows.message_count()?, rows.last_content()?);
        drop(rows);
        let mut first = 0;
        while first <= last {
            let end = first + PAGE_NUMBERS;
            self.verify_rows(first, end, &mut verdict)?;
            let mut reader = self.reader()?;
            let mut messages = Vec::new();
            reader
                .rows()
                .each_message(MessageNo(first), MessageNo(end), |row| {
                    messages.push(row);
                    Ok::<_, ArchiveError>(())
                })?;
            for row in messages {
                let no = row.no;
                verdict.messages += 1;
                match reader.open(row) {
                    Ok(_) => self.verify_attachments(no, &mut verdict)?,
                    Err(error) => verdict.note(format!("message {no}: {error}")),
                }
            }
            first = end;
            progress(verdict.messages, total);
        }
        Ok(verdict)
    }

    fn verify_rows(&self, first: u64, end: u64, verdict: &mut ContentVerdict) -> Result<()> {
        let reader = self.reader()?;
        let mut opener = super::sealer::Opener::new(&self.keyring)?;
        let mut plain = Vec::new();
        reader.rows().each_content(first, end, |row| {
            plain.clear();
            verdict.rows += 1;
            if let Err(error) = opener.open(reader.rows(), &row, &mut plain) {
                verdict.note(error.to_string());
            }
            Ok::<_, ArchiveError>(())
        })
    }

    fn verify_attachments(&self, no: MessageNo, verdict: &mut ContentVerdict) -> Result<()> {
        let attachments = self.store.read()?.attachments(no)?;
        for (ordinal, blob) in attachments {
            if blob.is_none() {
                continue;
            }
            verdict.blobs += 1;
            if let Err(error) = self.attachment_bytes(no, ordinal) {
                verdict.note(format!("attachment {ordinal} of message {no}: {error}"));
            }
        }
        Ok(())
    }
}
