//! Proof that the index holds what the store holds: for every part, bucket by bucket, the number
//! of messages and the sum of keyed hashes of what the index says of each.
//!
//! A removed posting, a removed segment or an added message changes the sum of its bucket. The key
//! is fresh for every run, so that nobody can choose messages whose hashes cancel.

use std::collections::BTreeMap;

use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::tokenizer::{TokenStream, Tokenizer};
use tantivy::{DocSet, SegmentReader, TERMINATED};

use super::document::{DocumentMaker, MessageDocument, Words};
use super::error::Result;
use super::facts;
use super::parts::Index;
use super::schema::{CONVERSATION, Fields, NO, ORDER, SENDER, SENT};
use super::terms::PackedTokenizer;
use crate::crypto::{Key, hmac_sha256};
use crate::domain::MessageNo;
use crate::query::Record;

/// Messages with neighbouring numbers that are summed together.
const BUCKET: u64 = 4_096;
/// What stands for the columns of a message among its postings.
const COLUMNS: u32 = u32::MAX;

/// Count and sum of one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    messages: u64,
    /// Sum of the first 16 bytes of every hash, wrapping.
    sum: u128,
}

/// Sums over messages, from the store or from the index.
pub struct Tallies {
    key: Key,
    fields: Fields,
    maker: DocumentMaker,
    buckets: BTreeMap<u64, Tally>,
}

/// A bucket of messages whose index does not agree with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// First number of the bucket.
    pub from: MessageNo,
    /// One past its last number.
    pub until: MessageNo,
    /// Messages in the store.
    pub expected: u64,
    /// Messages in the index.
    pub found: u64,
}

impl Tallies {
    /// Empty sums under a fresh random key; give both sides the same one.
    pub fn new(index: &Index, key: Key) -> Tallies {
        Tallies {
            key,
            fields: index.shared.fields,
            maker: DocumentMaker::default(),
            buckets: BTreeMap::new(),
        }
    }

    /// Adds a message of the store, with the analyses it is indexed with.
    pub fn add(&mut self, record: &Record<'_>, words: Words<'_>) {
        let document = self.maker.make(self.fields, record, words);
        self.add_document(&document);
    }

    /// Adds every living message of the index.
    ///
    /// # Errors
    /// A damaged file, by name.
    pub fn add_index(&mut self, index: &Index) -> Result<()> {
        for part in index.shared.all() {
            for reader in part.searcher().segment_readers() {
                self.add_segment(reader)
                    .map_err(|error| part.directory.explain(error))?;
            }
        }
        Ok(())
    }

    /// The buckets in which `found` is not what these sums expect.
    pub fn compare(&self, found: &Tallies) -> Vec<Disagreement> {
        let mut buckets: Vec<u64> = self
            .buckets
            .keys()
            .chain(found.buckets.keys())
            .copied()
            .collect();
        buckets.sort_unstable();
        buckets.dedup();
        let of =
            |tallies: &Tallies, bucket| tallies.buckets.get(bucket).copied().unwrap_or_default();
        buckets
            .iter()
            .filter(|bucket| of(self, bucket) != of(found, bucket))
            .map(|bucket| Disagreement {
                from: MessageNo(bucket * BUCKET),
                until: MessageNo((bucket + 1).saturating_mul(BUCKET)),
                expected: of(self, bucket).messages,
                found: of(found, bucket).messages,
            })
            .collect()
    }

    fn bucket(&mut self, no: u64) -> &mut Tally {
        self.buckets.entry(no / BUCKET).or_default()
    }

    fn put(&mut self, no: u64, field: u32, key: &[u8], values: &[u8]) {
        let hash = hmac_sha256(
            self.key.expose(),
            &[
                &no.to_be_bytes(),
                &field.to_be_bytes(),
                &(key.len() as u64).to_be_bytes(),
                key,
                values,
            ],
        );
        let mut half = [0; 16];
        half.copy_from_slice(&hash[..16]);
        let tally = self.bucket(no);
        tally.sum = tally.sum.wrapping_add(u128::from_be_bytes(half));
    }

    fn add_document(&mut self, document: &MessageDocument) {
        let no = document.no.0;
        self.bucket(no).messages += 1;
        let fields = self.fields;
        for (field, packed) in [
            (fields.text, &document.text),
            (fields.filename, &document.filename),
            (fields.attachment, &document.attachment),
        ] {
            for (key, positions) in postings_of(packed) {
                self.put(no, field.field_id(), key.as_bytes(), &positions);
            }
        }
        let mut keys: Vec<&[u8]> = facts::unpack(&document.facts).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            self.put(no, fields.fact.field_id(), key, &[]);
        }
        let columns = columns(
            document.sent,
            document.order,
            document.conversation,
            document.sender,
        );
        self.put(no, COLUMNS, &[], &columns);
    }

    fn add_segment(&mut self, reader: &SegmentReader) -> tantivy::Result<()> {
        let fast = reader.fast_fields();
        let (no, sent) = (fast.u64(NO)?, fast.i64(SENT)?);
        let (order, conversation) = (fast.u64(ORDER)?, fast.u64(CONVERSATION)?);
        let sender = fast.column_opt::<u64>(SENDER)?;
        let mut numbers = Vec::with_capacity(reader.max_doc() as usize);
        for doc in 0..reader.max_doc() {
            numbers.push(no.first(doc).unwrap_or_default());
        }
        for doc in reader.doc_ids_alive() {
            let number = numbers[doc as usize];
            self.bucket(number).messages += 1;
            let columns = columns(
                sent.first(doc).unwrap_or_default(),
                order.first(doc).unwrap_or_default(),
                conversation.first(doc).unwrap_or_default(),
                sender.as_ref().and_then(|sender| sender.first(doc)),
            );
            self.put(number, COLUMNS, &[], &columns);
        }
        let fields = self.fields;
        for field in [fields.text, fields.filename, fields.attachment] {
            self.add_field(
                reader,
                field,
                IndexRecordOption::WithFreqsAndPositions,
                &numbers,
            )?;
        }
        self.add_field(reader, fields.fact, IndexRecordOption::Basic, &numbers)
    }

    fn add_field(
        &mut self,
        reader: &SegmentReader,
        field: Field,
        option: IndexRecordOption,
        numbers: &[u64],
    ) -> tantivy::Result<()> {
        let inverted = reader.inverted_index(field)?;
        let mut stream = inverted.terms().stream()?;
        let mut positions = Vec::new();
        let mut values = Vec::new();
        while stream.advance() {
            let mut list = inverted.read_postings_from_terminfo(stream.value(), option)?;
            while list.doc() != TERMINATED {
                if !reader.is_deleted(list.doc()) {
                    positions.clear();
                    list.append_positions_with_offset(0, &mut positions);
                    values.clear();
                    for position in &positions {
                        values.extend_from_slice(&position.to_be_bytes());
                    }
                    let number = numbers[list.doc() as usize];
                    self.put(number, field.field_id(), stream.key(), &values);
                }
                list.advance();
            }
        }
        Ok(())
    }
}

fn columns(sent: i64, order: u64, conversation: u64, sender: Option<u64>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(33);
    bytes.extend_from_slice(&sent.to_be_bytes());
    bytes.extend_from_slice(&order.to_be_bytes());
    bytes.extend_from_slice(&conversation.to_be_bytes());
    bytes.push(sender.is_some().into());
    bytes.extend_from_slice(&sender.unwrap_or_default().to_be_bytes());
    bytes
}

/// The keys of a packed text with the bytes of their positions.
fn postings_of(packed: &str) -> BTreeMap<String, Vec<u8>> {
    let mut tokenizer = PackedTokenizer::default();
    let mut stream = tokenizer.token_stream(packed);
    let mut postings: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while stream.advance() {
        let token = stream.token();
        let position = (token.position as u32).to_be_bytes();
        match postings.get_mut(&token.text) {
            Some(positions) => positions.extend_from_slice(&position),
            None => {
                postings.insert(token.text.clone(), position.to_vec());
            }
        }
    }
    postings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Novelty;
    use crate::index::testing::*;

    fn tallies(index: &Index, messages: &[Message]) -> Tallies {
        let mut tallies = Tallies::new(index, Key::from_bytes([4; 32]));
        for message in messages {
            with_words(message, |record, words| tallies.add(record, words));
        }
        tallies
    }

    fn found(index: &Index) -> Tallies {
        let mut tallies = Tallies::new(index, Key::from_bytes([4; 32]));
        tallies.add_index(index).unwrap();
        tallies
    }

    fn world() -> (Vec<Message>, World, Index) {
        let mut messages: Vec<Message> = (1..=40)
            .map(|no| Message::new(no * 300, &format!("deal {no} é Déjà e-mail")))
            .collect();
        messages[3].versions.push("second version".to_owned());
        let (world, index) = World::with(&[messages[..25].to_vec(), messages[25..].to_vec()]);
        (messages, world, index)
    }

    #[test]
    fn a_sound_index_agrees_with_the_store() {
        let (messages, _world, index) = world();
        assert_eq!(tallies(&index, &messages).compare(&found(&index)), []);
    }

    #[test]
    fn t9_an_added_a_removed_and_a_changed_message_are_found() {
        let (mut messages, _world, index) = world();
        let gone = messages.pop().unwrap();
        let added = tallies(&index, &messages).compare(&found(&index));
        assert_eq!(added.len(), 1);
        assert_eq!(added[0].found, added[0].expected + 1);
        assert!((added[0].from.0..added[0].until.0).contains(&gone.no));
        messages.push(gone);
        messages.push(Message::new(500_000, "hidden"));
        let removed = tallies(&index, &messages).compare(&found(&index));
        assert_eq!(removed.len(), 1);
        assert_eq!((removed[0].expected, removed[0].found), (1, 0));
        messages.pop();
        // One word less, at the same number of messages: a removed posting.
        messages[0].versions[0] = messages[0].versions[0].replace("deal ", "");
        let changed = tallies(&index, &messages).compare(&found(&index));
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].expected, changed[0].found);
    }

    #[test]
    fn deleted_messages_do_not_count() {
        let (mut messages, _world, index) = world();
        let gone = messages.remove(5);
        let mut writer = index.writer();
        writer
            .delete(MessageNo(gone.no), crate::domain::Timestamp(gone.sent))
            .unwrap();
        messages[0].versions = vec!["anew".to_owned()];
        let novelty = Novelty::Replaces(crate::domain::Timestamp(messages[0].sent));
        add(&mut writer, &messages[0], novelty);
        writer.commit_all().unwrap();
        assert_eq!(tallies(&index, &messages).compare(&found(&index)), []);
    }
}
