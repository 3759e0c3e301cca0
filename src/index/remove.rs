//! Removal: after it, no byte of a removed message is left in any file of the index.
//!
//! Deleting hides a message; its words stay in every file of its segment. So segments with
//! deletions are written anew, the old files go, and their keys are handed to the caller, whose
//! purge destroys them. Every step can be repeated: what a crash leaves half done is done again by
//! the next call.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::error::{Error, Result};
use super::keys::KeyId;
use super::parts::{Part, PartName};
use super::writer::{Committed, Writer, engine_writer, state_of};
use crate::domain::{MessageNo, Timestamp};

/// Rewrites until no deletion is left; more arrive only while a merge runs, so this is generous.
const ROUNDS_MAX: usize = 16;

/// What a removal did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// The parts that changed; record their anchors in the purge's own transaction.
    pub committed: Vec<Committed>,
    /// Keys of the segments that are gone, to be destroyed now.
    pub keys: Vec<KeyId>,
    /// Segments written anew.
    pub rewritten: usize,
}

impl Writer {
    /// Removes messages with every trace of them. Blocks until the last file is gone: about four
    /// microseconds for every message that stays in a segment that is touched.
    ///
    /// # Errors
    /// When a part cannot be written or something of it would stay; call again to finish.
    pub fn remove(&mut self, messages: &[(MessageNo, Timestamp)]) -> Result<Removed> {
        let mut parts = BTreeSet::new();
        for (no, sent) in messages {
            self.delete(*no, *sent)?;
            let here = PartName::possible(*sent);
            parts.extend(
                here.into_iter()
                    .filter(|name| self.index().shared.get(*name).is_some()),
            );
        }
        let mut removed = Removed::default();
        for name in parts {
            self.rewrite(name, &mut removed)?;
        }
        Ok(removed)
    }

    /// Writes every segment with deletions anew, in all parts: for the deadline of deletions that
    /// no removal asked for (edits, replaced messages), and to finish a removal after a crash.
    ///
    /// # Errors
    /// As [`Writer::remove`].
    pub fn rewrite_dirty(&mut self) -> Result<Removed> {
        let mut removed = Removed::default();
        for name in self.index().parts() {
            self.rewrite(name, &mut removed)?;
        }
        Ok(removed)
    }

    fn rewrite(&mut self, name: PartName, removed: &mut Removed) -> Result<()> {
        self.close_part(name)?;
        let Some(part) = self.index().shared.get(name) else {
            return Ok(());
        };
        let before = removed.rewritten;
        for _ in 0..ROUNDS_MAX {
            let dirty = dirty_segments(&part)?;
            if dirty.is_empty() {
                break;
            }
            removed.rewritten += dirty.len();
            self.rewrite_segments(&part, &dirty)?;
        }
        if !dirty_segments(&part)?.is_empty() {
            return Err(Error::Engine(tantivy::TantivyError::SystemError(
                "deletions keep arriving: stop other work on the index and try again".to_owned(),
            )));
        }
        removed.keys.extend(part.directory.take_retired());
        if removed.rewritten > before {
            removed.committed.push(state_of(&part));
        }
        Ok(())
    }

    fn rewrite_segments(
        &self,
        part: &Arc<Part>,
        dirty: &[tantivy::index::SegmentId],
    ) -> Result<()> {
        let mut engine = engine_writer(self.index(), part)?;
        engine.set_merge_policy(Box::new(tantivy::indexer::NoMergePolicy));
        let explained = |error| part.directory.explain(error);
        for segment in dirty {
            engine.merge(&[*segment]).wait().map_err(explained)?;
        }
        engine.garbage_collect_files().wait().map_err(explained)?;
        engine.wait_merging_threads().map_err(explained)?;
        part.reload()?;
        for segment in dirty {
            if part.directory.holds(&segment.uuid_string()) {
                return Err(Error::Engine(tantivy::TantivyError::SystemError(
                    "a replaced segment is still on disk: try again".to_owned(),
                )));
            }
        }
        Ok(())
    }
}

fn dirty_segments(part: &Part) -> Result<Vec<tantivy::index::SegmentId>> {
    let metas = part
        .engine
        .searchable_segment_metas()
        .map_err(|error| part.directory.explain(error))?;
    Ok(metas
        .iter()
        .filter(|meta| meta.has_deletes())
        .map(|meta| meta.id())
        .collect())
}

#[cfg(test)]
mod tests {
    use crate::domain::{MessageNo, Scope, Timestamp};
    use crate::index::testing::*;
    use crate::index::{Novelty, Order, Page};
    use std::collections::BTreeSet;

    fn remove(writer: &mut crate::index::Writer, messages: &[&Message]) -> crate::index::Removed {
        let messages: Vec<_> = messages
            .iter()
            .map(|message| (MessageNo(message.no), Timestamp(message.sent)))
            .collect();
        writer.remove(&messages).unwrap()
    }

    #[test]
    fn d5_a_removed_word_is_in_no_dictionary_and_no_key_of_its_files_lives() {
        let mut messages: Vec<Message> = (1..=40).map(|no| Message::new(no, "common")).collect();
        messages[7].versions = vec!["canary7 first".to_owned(), "canary8 second".to_owned()];
        let (world, index) = World::with(&[messages[..20].to_vec(), messages[20..].to_vec()]);
        let before = world.keys.living();
        let mut writer = index.writer();
        let removed = remove(&mut writer, &[&messages[7]]);
        assert_eq!(removed.rewritten, 1);
        assert_eq!(removed.keys.len(), 1);
        assert!(before.contains(&removed.keys[0]));
        world.keys.destroy(&removed.keys);
        for term in ["canary7", "canary8", "first", "second"] {
            assert_eq!(index.word_frequency(term).unwrap(), 0, "{term}");
            assert!(hits(&index, word(term), &Scope::everything()).is_empty());
        }
        assert_eq!(hits(&index, word("common"), &Scope::everything()).len(), 39);
        let used: BTreeSet<_> = removed.committed[0]
            .keys
            .iter()
            .map(|(_, key)| *key)
            .collect();
        assert_eq!(used, world.keys.living());
    }

    #[test]
    fn d5_removing_everything_leaves_nothing() {
        let messages: Vec<Message> = (1..=5).map(|no| Message::new(no, "canary")).collect();
        let (world, index) = World::with(std::slice::from_ref(&messages));
        let mut writer = index.writer();
        let all: Vec<&Message> = messages.iter().collect();
        let removed = remove(&mut writer, &all);
        world.keys.destroy(&removed.keys);
        assert!(world.keys.living().is_empty());
        assert_eq!(index.word_frequency("canary").unwrap(), 0);
        let part = world.path().join("2023");
        let names: Vec<String> = std::fs::read_dir(part)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with('.'))
            .collect();
        assert_eq!(names, ["meta.json"]);
    }

    #[test]
    fn removal_reaches_messages_not_yet_committed_and_can_be_repeated() {
        let (_world, index) = World::with(&[vec![Message::new(1, "stays")]]);
        let mut writer = index.writer();
        let fresh = Message::new(2, "canary");
        add(&mut writer, &fresh, Novelty::New);
        remove(&mut writer, &[&fresh]);
        assert_eq!(index.word_frequency("canary").unwrap(), 0);
        let again = remove(&mut writer, &[&fresh]);
        assert!(again.keys.is_empty());
        assert_eq!(hits(&index, word("stays"), &Scope::everything()), [1]);
    }

    #[test]
    fn a_search_goes_on_while_segments_are_replaced() {
        let messages: Vec<Message> = (1..=300).map(|no| Message::new(no, "deal")).collect();
        let batches: Vec<Vec<Message>> = messages.chunks(50).map(<[Message]>::to_vec).collect();
        let (_world, index) = World::with(&batches);
        let mut writer = index.writer();
        std::thread::scope(|scope| {
            let reader = index.clone();
            let searching = scope.spawn(move || {
                let query = resolved(word("deal"));
                for _ in 0..200 {
                    let page = Page::first(Order::Newest, 10);
                    let answer = reader.search(&query, &Scope::everything(), page).unwrap();
                    assert!((200..=300).contains(&answer.total), "{}", answer.total);
                }
            });
            for message in messages.iter().take(100).step_by(20) {
                remove(&mut writer, &[message]);
            }
            searching.join().unwrap();
        });
    }
}
