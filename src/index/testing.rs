//! A ready-made world for the tests of the room: keys in memory, an index in a temporary
//! directory, messages from plain texts, queries from words.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::*;
use crate::crypto::{Entropy, Key, SeededEntropy};
use crate::domain::{
    AccountNo, App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo,
    Presence, Scope, StoreId, Timestamp,
};
use crate::query::analysis::{Analysis, TextFacts, analyse, exact, facts_of, fold};
use crate::query::ast::{Expr, ExprKind, Query, TextField};
use crate::query::{AttachmentFact, Node, Record, Resolved, SpanQuery, TermPattern, TextLeaf};

/// Keys in memory.
#[derive(Default)]
pub(super) struct MemoryKeys {
    keys: Mutex<(u64, BTreeMap<KeyId, Key>)>,
}

impl MemoryKeys {
    /// The ids that still open something.
    pub fn living(&self) -> BTreeSet<KeyId> {
        self.keys.lock().unwrap().1.keys().copied().collect()
    }

    /// Destroys keys, as a purge does.
    pub fn destroy(&self, ids: &[KeyId]) {
        let mut keys = self.keys.lock().unwrap();
        for id in ids {
            keys.1.remove(id);
        }
    }
}

impl SegmentKeys for MemoryKeys {
    fn take(&self) -> std::result::Result<(KeyId, Key), KeyError> {
        let mut keys = self.keys.lock().unwrap();
        keys.0 += 1;
        let id = KeyId(keys.0);
        let key = Key::random(&SeededEntropy::new(id.0));
        keys.1.insert(id, key.clone());
        Ok((id, key))
    }

    fn find(&self, id: KeyId) -> std::result::Result<Option<Key>, KeyError> {
        Ok(self.keys.lock().unwrap().1.get(&id).cloned())
    }

    fn drop_keys(&self, ids: &[KeyId]) -> std::result::Result<(), KeyError> {
        self.destroy(ids);
        Ok(())
    }

    fn meta_key(&self) -> std::result::Result<Key, KeyError> {
        Ok(Key::from_bytes([9; 32]))
    }
}

/// The present of every test: the middle of 2025.
pub(super) const NOW: Timestamp = Timestamp(1_750_000_000_000_000);

/// An owned message.
#[derive(Clone, Debug)]
pub(super) struct Message {
    pub no: u64,
    pub conversation: u32,
    pub account: Option<u32>,
    pub sender: u32,
    pub sent: i64,
    pub order: u64,
    pub presence: Presence,
    pub kind: Kind,
    pub thread: Option<u64>,
    pub versions: Vec<String>,
    pub filenames: Vec<String>,
    pub reactions: Vec<String>,
}

impl Message {
    /// A message with one text, a minute after the one before.
    pub fn new(no: u64, text: &str) -> Message {
        Message {
            no,
            conversation: 1,
            account: None,
            sender: 1,
            sent: 1_700_000_000_000_000 + no as i64 * 60_000_000,
            order: no,
            presence: Presence::default(),
            kind: Kind::Text,
            thread: None,
            versions: vec![text.to_owned()],
            filenames: Vec::new(),
            reactions: Vec::new(),
        }
    }

    /// Calls with the record that borrows from the message.
    pub fn record<T>(&self, call: impl FnOnce(&Record<'_>) -> T) -> T {
        let attachments: Vec<AttachmentFact<'_>> = self
            .filenames
            .iter()
            .map(|name| AttachmentFact {
                ext: name.rsplit_once('.').map_or("", |(_, ext)| ext),
                mime: "application/pdf",
                size: name.len() as u64 * 1_000,
            })
            .collect();
        call(&Record {
            no: MessageNo(self.no),
            conversation: ConversationNo(self.conversation),
            account: self.account.map(AccountNo),
            sender: Some(HandleNo(self.sender)),
            sent: Timestamp(self.sent),
            order: self.order,
            app: App::Slack,
            kind: self.kind,
            conversation_kind: ConversationKind::Group,
            presence: self.presence,
            import: ImportNo(1),
            thread: self.thread.map(MessageNo),
            reply_to: None,
            versions: &strs_of(&self.versions),
            filenames: &strs_of(&self.filenames),
            extracted: &[],
            reactions: &strs_of(&self.reactions),
            mentions: &[],
            attachments: &attachments,
        })
    }
}

fn strs_of(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

/// An index with its directory and keys.
pub(super) struct World {
    pub directory: tempfile::TempDir,
    pub keys: Arc<MemoryKeys>,
    pub anchors: BTreeMap<PartName, Anchor>,
}

impl World {
    pub fn new() -> World {
        World {
            directory: tempfile::tempdir().unwrap(),
            keys: Arc::default(),
            anchors: BTreeMap::new(),
        }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    pub fn open_with(&self, seed: u64) -> Opened {
        let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(seed));
        let keys: Arc<dyn SegmentKeys> = Arc::clone(&self.keys) as _;
        let config = IndexConfig::new(StoreId(5));
        Index::open(self.path(), keys, entropy, config, &self.anchors).unwrap()
    }

    pub fn settle(&mut self, committed: Vec<Committed>) {
        for commit in committed {
            self.anchors.insert(commit.part, commit.anchor);
        }
    }

    /// An open index over the messages, one commit for each batch.
    pub fn with(batches: &[Vec<Message>]) -> (World, Index) {
        let mut world = World::new();
        let index = world.open_with(7).index;
        let mut writer = index.writer();
        for batch in batches {
            for message in batch {
                let closed = add(&mut writer, message, Novelty::New);
                world.settle(closed);
            }
            let committed = writer.commit_all().unwrap();
            world.settle(committed);
        }
        let committed = writer.close().unwrap();
        world.settle(committed);
        (world, index)
    }
}

pub(super) fn add(writer: &mut Writer, message: &Message, novelty: Novelty) -> Vec<Committed> {
    with_words(message, |record, words| {
        writer.add(record, words, novelty, NOW).unwrap()
    })
}

/// Calls with the record of a message and its analyses.
pub(super) fn with_words<T>(
    message: &Message,
    call: impl FnOnce(&Record<'_>, Words<'_>) -> T,
) -> T {
    let analysed = |texts: &[String]| -> Vec<Analysis> {
        texts
            .iter()
            .map(|text| {
                let mut analysis = Analysis::new();
                analyse(text, &mut analysis);
                analysis
            })
            .collect()
    };
    let (versions, filenames) = (analysed(&message.versions), analysed(&message.filenames));
    let facts: Vec<TextFacts> = message.versions.iter().map(|text| facts_of(text)).collect();
    let words = Words {
        versions: &versions.iter().collect::<Vec<_>>(),
        filenames: &filenames.iter().collect::<Vec<_>>(),
        extracted: &[],
        facts: &facts.iter().collect::<Vec<_>>(),
    };
    message.record(|record| call(record, words))
}

/// The pattern of one plain word.
pub(super) fn pattern(word: &str) -> TermPattern {
    TermPattern::literal(fold(word), exact(word), false)
}

pub(super) fn text(span: SpanQuery) -> Node {
    Node::Text(TextLeaf {
        field: TextField::Text,
        span,
    })
}

pub(super) fn term(word: &str) -> SpanQuery {
    SpanQuery::Term(vec![pattern(word)])
}

pub(super) fn word(word: &str) -> Node {
    text(term(word))
}

/// A query ready to run.
pub(super) fn resolved(root: Node) -> Resolved {
    let query = Query {
        root: Expr::from(ExprKind::Everything),
        zone: None,
        accent_strict: false,
        strict: false,
    };
    Resolved {
        root,
        canonical: query.clone(),
        absolute: query,
        zone: chrono_tz::UTC,
        names: Vec::new(),
        problems: Vec::new(),
    }
}

/// Every hit of a query, sorted by number.
pub(super) fn hits(index: &Index, root: Node, scope: &Scope) -> Vec<u64> {
    let page = Page::first(Order::Newest, usize::MAX);
    let answer = index.search(&resolved(root), scope, page).unwrap();
    let mut numbers: Vec<u64> = answer.hits.iter().map(|hit| hit.no.0).collect();
    assert_eq!(answer.total, numbers.len() as u64);
    numbers.sort_unstable();
    numbers
}
