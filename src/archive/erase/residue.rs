//! P7: is anything left? Keys, references, words in the index, bytes on disk.

use std::collections::BTreeSet;

use super::super::error::Result;
use super::super::open::index_failed;
use super::super::{Archive, ArchiveError, OpenedMessage};
use super::facts::Residue;
use super::run::EraseContext;
use crate::domain::MessageNo;
use crate::index::PartName;
use crate::query::analysis::{Analysis, TermKind, analyse};
use crate::store::{DataKeyId, EraseFate, EraseState};

/// Words kept of what is destroyed, to look for them afterwards. They never leave the memory.
const WORDS_MAX: usize = 64;
/// Words that are looked for in the bytes of every file.
const SCANNED_WORDS_MAX: usize = 8;
/// Letters a word must have to be looked for in the bytes: a shorter one occurs by chance.
const SCANNED_LETTERS_MIN: usize = 8;

/// Words of destroyed messages, spread over the batch. After a crash there are none; then the index
/// is checked by message number alone.
pub(super) struct Samples {
    every: usize,
    seen: usize,
    pub(super) words: BTreeSet<String>,
}

impl Samples {
    pub(super) fn new(items: usize) -> Samples {
        Samples {
            every: (items / WORDS_MAX).max(1),
            seen: 0,
            words: BTreeSet::new(),
        }
    }

    pub(super) fn none() -> Samples {
        Samples::new(0)
    }

    /// Keeps the longest word of every so many-th message.
    pub(super) fn see(&mut self, message: &OpenedMessage) {
        self.seen += 1;
        if !(self.seen - 1).is_multiple_of(self.every) || self.words.len() >= WORDS_MAX {
            return;
        }
        let Some(latest) = message.latest() else {
            return;
        };
        let mut analysis = Analysis::default();
        analyse(&latest.body, &mut analysis);
        let longest = analysis
            .terms()
            .filter(|term| matches!(term.kind, TermKind::Word))
            .map(|term| term.folded)
            .filter(|word| word.chars().all(char::is_alphanumeric))
            .max_by_key(|word| word.len());
        self.words.extend(longest.map(str::to_owned));
    }
}

impl Archive {
    /// P7. A batch with a residue stays unchecked: no certificate can be made of it.
    pub(super) fn check_residue(
        &self,
        batch: u64,
        samples: &Samples,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let residue = self.residue(batch, samples, context)?;
        self.reached("erase.looked");
        self.write((context.now)(), |tx| {
            let mut row = self.batch_row(tx, batch)?;
            row.sampled = residue.sampled;
            row.key_absent = residue.key_absent;
            row.index_absent = residue.index_absent;
            row.scan_hits = residue.scan_hits;
            if residue.is_clean() {
                row.state = row.state.max(EraseState::Checked);
            }
            Ok(tx.update_erase_batch(&row)?)
        })?;
        self.reached("erase.checked");
        match residue.is_clean() {
            true => Ok(()),
            false => Err(ArchiveError::Residue {
                batch,
                found: residue,
            }),
        }
    }

    fn residue(
        &self,
        batch: u64,
        samples: &Samples,
        context: &EraseContext<'_>,
    ) -> Result<Residue> {
        let rows = self.store.read()?;
        let mut key_absent = true;
        for key in rows.erase_keys(batch)? {
            let id = DataKeyId(u32::try_from(key).unwrap_or(u32::MAX));
            key_absent &= rows.data_key(id)?.is_none()
                && rows.content_count_under(id)? == 0
                && rows.blobs_under(id)?.is_empty();
        }
        let mut erased: Vec<MessageNo> = Vec::new();
        let mut parts: BTreeSet<PartName> = BTreeSet::new();
        for item in rows.erase_items(batch)? {
            if let EraseFate::Erased { sent, .. } = item.fate {
                erased.push(item.no);
                parts.extend(PartName::possible(sent));
                key_absent &= rows.message(item.no)?.is_none();
            }
        }
        drop(rows);
        let mut index_absent = self.no_document(&erased, &parts)?;
        for word in &samples.words {
            let found = self.found_by_word(word, (context.now)())?;
            let counted = self.index().word_frequency(word).map_err(index_failed)?;
            index_absent &= found.is_empty() == (counted == 0);
        }
        Ok(Residue {
            sampled: (erased.len() + samples.words.len()) as u64,
            key_absent,
            index_absent,
            scan_hits: self.scan(samples)?,
        })
    }

    /// Whether no segment holds a document of the messages, and none of their parts a deleted one.
    fn no_document(&self, erased: &[MessageNo], parts: &BTreeSet<PartName>) -> Result<bool> {
        let index = self.index();
        let documents = index
            .documents_of(erased.iter().copied())
            .map_err(index_failed)?;
        let stats = index.stats().map_err(index_failed)?;
        let deleted = stats
            .iter()
            .any(|part| parts.contains(&part.part) && part.deleted > 0);
        Ok(documents == 0 && !deleted)
    }

    /// Files in which a word stands readable: none may, whether live or destroyed.
    fn scan(&self, samples: &Samples) -> Result<u64> {
        let words: Vec<&str> = samples
            .words
            .iter()
            .map(String::as_str)
            .filter(|word| word.chars().count() >= SCANNED_LETTERS_MIN)
            .take(SCANNED_WORDS_MAX)
            .collect();
        Ok(self.store.directory().files_with(&words)?)
    }
}
