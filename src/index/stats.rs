//! Figures of the index: what is in it, how large it is, what it still has to forget.

use std::fs;

use super::error::{Error, Result};
use super::numbers::NumberQuery;
use super::parts::{Index, PartName};
use super::terms::key_range;
use crate::domain::MessageNo;

/// Figures of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartStats {
    /// The part.
    pub part: PartName,
    /// Messages that searches see.
    pub messages: u64,
    /// Messages deleted from view whose words are still in the files.
    pub deleted: u64,
    /// Segments.
    pub segments: u32,
    /// Bytes on disk, sealing included.
    pub bytes: u64,
    /// Commits so far.
    pub generation: u64,
}

impl Index {
    /// Figures of every part, oldest first.
    ///
    /// # Errors
    /// When a directory cannot be read.
    pub fn stats(&self) -> Result<Vec<PartStats>> {
        let mut all = Vec::new();
        for part in self.shared.all() {
            let searcher = part.searcher();
            let readers = searcher.segment_readers();
            let deleted = readers
                .iter()
                .map(|reader| u64::from(reader.num_deleted_docs()))
                .sum();
            all.push(PartStats {
                part: part.name,
                messages: searcher.num_docs(),
                deleted,
                segments: readers.len() as u32,
                bytes: bytes_below(&self.shared.root_of(part.name))
                    .map_err(|error| Error::io(part.name.to_string(), error))?,
                generation: part.directory.list().generation,
            });
        }
        Ok(all)
    }

    /// How many documents of these messages lie in any segment, deleted ones included: 0 proves
    /// that the messages are gone from the files.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn documents_of(&self, messages: impl Iterator<Item = MessageNo>) -> Result<u64> {
        let query = NumberQuery::new(messages);
        let mut total = 0;
        for part in self.shared.all() {
            for reader in part.searcher().segment_readers() {
                let docs = query
                    .docs(reader)
                    .map_err(|error| part.directory.explain(error))?;
                total += docs.len() as u64;
            }
        }
        Ok(total)
    }

    /// How many places of the dictionaries hold a folded word, deleted messages included: 0 proves
    /// that a removed word is gone from the files.
    ///
    /// # Errors
    /// When a dictionary cannot be read.
    pub fn word_frequency(&self, folded: &str) -> Result<u64> {
        let fields = &self.shared.fields;
        let (from, until) = key_range(folded);
        let mut total = 0;
        for part in self.shared.all() {
            for reader in part.searcher().segment_readers() {
                for field in [fields.text, fields.filename, fields.attachment] {
                    let inverted = reader
                        .inverted_index(field)
                        .map_err(|error| part.directory.explain(error))?;
                    let range = inverted.terms().range().ge(&from).lt(&until);
                    let mut stream = range
                        .into_stream()
                        .map_err(|error| part.directory.explain(error.into()))?;
                    while stream.advance() {
                        total += u64::from(stream.value().doc_freq);
                    }
                }
            }
        }
        Ok(total)
    }

    /// Reads what the next queries will want of every segment: lengths of texts, times, and the
    /// dictionaries. Meant for a background thread after commits; what is warm costs nothing.
    ///
    /// # Errors
    /// A damaged file, by name.
    pub fn warm(&self) -> Result<()> {
        let fields = &self.shared.fields;
        for part in self.shared.all() {
            let explained = |error| part.directory.explain(error);
            for reader in part.searcher().segment_readers() {
                reader.inverted_index(fields.text).map_err(explained)?;
                reader.inverted_index(fields.fact).map_err(explained)?;
                reader
                    .get_fieldnorms_reader(fields.text)
                    .map_err(explained)?;
                for column in [super::schema::NO, super::schema::ORDER] {
                    reader.fast_fields().u64(column).map_err(explained)?;
                }
                reader
                    .fast_fields()
                    .i64(super::schema::SENT)
                    .map_err(explained)?;
            }
        }
        Ok(())
    }
}

fn bytes_below(root: &std::path::Path) -> std::io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(root)? {
        match entry?.metadata() {
            Ok(metadata) => total += metadata.len(),
            // A merge may take a file away between the two questions.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use crate::index::testing::*;

    #[test]
    fn figures_count_living_and_deleted_messages() {
        let messages: Vec<Message> = (1..=10).map(|no| Message::new(no, "deal")).collect();
        let (_world, index) = World::with(std::slice::from_ref(&messages));
        let mut writer = index.writer();
        let (no, sent) = (
            crate::domain::MessageNo(3),
            crate::domain::Timestamp(messages[2].sent),
        );
        writer.delete(no, sent).unwrap();
        writer.commit_all().unwrap();
        let stats = &index.stats().unwrap()[0];
        assert_eq!((stats.messages, stats.deleted), (9, 1));
        assert!(stats.bytes > 1_000);
        index.warm().unwrap();
    }
}
