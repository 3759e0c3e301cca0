//! A small real archive in a temporary directory, one line per actor and message.
//!
//! Seeded: the same calls with the same seed make the same ids and keys.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::expect_used,
    reason = "the helpers of a test may fail like the test"
)]

use std::sync::Arc;

use wordkeep::archive::{
    Archive, ArchiveConfig, Batch, Fate, Incoming, NewConversation, NewHandle, NewVault,
    OpenedMessage, Packed, Vault,
};
use wordkeep::crypto::{Secret, SeededEntropy, StretchCost};
use wordkeep::domain::{
    App, Attachment, ConversationKind, ConversationNo, HandleNo, ImportId, ImportNo, Kind,
    MessageNo, Now, Precision, Presence, Timestamp, UserNo, ZoneSource,
};
use wordkeep::store::{ImportCounts, ImportRow, ImportState};

/// The present of every world: 2024-07-01T12:00:00Z.
pub const NOW: Timestamp = Timestamp::from_seconds(1_719_835_200);

/// One message to be said.
#[derive(Clone, Debug)]
pub struct Said {
    pub conversation: ConversationNo,
    pub sender: Option<HandleNo>,
    pub sent: Timestamp,
    pub order: u64,
    pub body: String,
    pub kind: Kind,
    pub presence: Presence,
    pub attachments: Vec<Attachment>,
    pub zone_source: ZoneSource,
    pub local_offset: Option<i64>,
}

impl Said {
    /// Plain words.
    pub fn new(
        conversation: ConversationNo,
        sender: HandleNo,
        sent: Timestamp,
        body: impl Into<String>,
    ) -> Said {
        Said {
            conversation,
            sender: Some(sender),
            sent,
            order: 0,
            body: body.into(),
            kind: Kind::Text,
            presence: Presence::default(),
            attachments: Vec::new(),
            zone_source: ZoneSource::Record,
            local_offset: None,
        }
    }
}

struct Room {
    app: App,
    kind: ConversationKind,
    shard: u16,
}

/// An archive and what was said in it.
pub struct World {
    pub archive: Archive,
    import: ImportNo,
    rooms: Vec<Room>,
    pending: Batch,
    order: u64,
    _directory: tempfile::TempDir,
}

fn config() -> ArchiveConfig {
    ArchiveConfig {
        cache_bytes: 8 << 20,
        ..ArchiveConfig::default()
    }
}

impl World {
    /// The same archive, closed, robbed of its index and opened again.
    pub fn reopened_without_index(self) -> World {
        let World {
            archive,
            import,
            rooms,
            pending,
            order,
            _directory,
        } = self;
        drop(archive);
        let root = _directory.path().join("data");
        std::fs::remove_dir_all(root.join("index")).expect("an index");
        let secret = Secret::key_file(&[7; 64]);
        let entropy = Arc::new(SeededEntropy::new(u64::MAX));
        let vault = Vault::open(&root, None, &secret, entropy, NOW).expect("a data directory");
        World {
            archive: Archive::open(vault, config()).expect("an archive"),
            import,
            rooms,
            pending,
            order,
            _directory,
        }
    }

    /// An empty archive.
    pub fn new(seed: u64) -> World {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let secret = Secret::key_file(&[7; 64]);
        let new = NewVault {
            root: &directory.path().join("data"),
            keys: None,
            secret: &secret,
            label: "test",
            cost: StretchCost::LOGIN,
        };
        let entropy = Arc::new(SeededEntropy::new(seed));
        let vault = Vault::create(&new, entropy, NOW).expect("a new data directory");
        let archive = Archive::open(vault, config()).expect("an archive");
        let mut world = World {
            archive,
            import: ImportNo(0),
            rooms: Vec::new(),
            pending: Batch::new(ImportNo(0)),
            order: 0,
            _directory: directory,
        };
        world.begin_import();
        world
    }

    /// The present.
    pub fn now(&self) -> Now {
        Now {
            compliance: NOW,
            wall: NOW,
        }
    }

    /// Commits what is pending and begins another import.
    pub fn begin_import(&mut self) -> ImportNo {
        if !self.pending.is_empty() {
            self.commit();
        }
        let ordinal = u128::from(self.import.0) + 1;
        let row = ImportRow {
            no: ImportNo(0),
            id: ImportId((NOW.millis() as u128) << 80 | ordinal),
            actor: UserNo(1),
            began: NOW,
            ended: None,
            state: ImportState::Running,
            source_lookup: ordinal.to_be_bytes().to_vec(),
            source_bytes: 0,
            report_no: None,
            counts: ImportCounts::default(),
        };
        let insert = |tx: &wordkeep::store::WriteTx<'_>| Ok(tx.insert_import(&row)?);
        self.import = self.archive.write(self.now(), insert).expect("an import");
        self.pending = Batch::new(self.import);
        self.import
    }

    /// A new conversation.
    pub fn conversation(
        &mut self,
        title: &str,
        app: App,
        kind: ConversationKind,
    ) -> ConversationNo {
        let no = self.archive.next_conversation();
        let lookup = self.archive.lookup("conversation", &[&no.0.to_be_bytes()]);
        let shard = self.archive.shard_of(&lookup);
        self.rooms.push(Room { app, kind, shard });
        self.pending.create_conversation(NewConversation {
            no,
            app,
            kind,
            lookup,
            shard,
            title: title.to_owned(),
        });
        no
    }

    /// A new identity with a person of its own.
    pub fn handle(&mut self, label: &str, handle: Option<&str>, app: App) -> HandleNo {
        let no = self.archive.next_handle();
        self.pending.create_handle(NewHandle {
            no,
            app,
            lookup: self.archive.lookup("handle", &[&no.0.to_be_bytes()]),
            label: label.to_owned(),
            handle: handle.map(str::to_owned),
        });
        no
    }

    /// A member who need not say anything.
    pub fn join(&mut self, conversation: ConversationNo, handle: HandleNo) {
        self.pending.join(conversation, handle);
    }

    /// Plain words.
    pub fn say(
        &mut self,
        conversation: ConversationNo,
        sender: HandleNo,
        seconds: i64,
        body: &str,
    ) {
        let sent = Timestamp::from_seconds(seconds);
        self.put(Said::new(conversation, sender, sent, body));
    }

    /// Any message. Its source order is the order of the calls unless it states one.
    pub fn put(&mut self, said: Said) {
        self.order += 1;
        let order = if said.order == 0 {
            self.order
        } else {
            said.order
        };
        if let Some(sender) = said.sender {
            self.pending.join(said.conversation, sender);
        }
        self.push(Fate::New, &said, order);
    }

    /// Other words of a message that is here and committed.
    pub fn revise(&mut self, no: MessageNo, body: &str) {
        let row = self
            .archive
            .store()
            .read()
            .and_then(|rows| rows.message(no))
            .expect("a readable row")
            .expect("a message to revise");
        let said = Said {
            conversation: row.conversation,
            sender: row.sender,
            sent: row.sent,
            order: row.order,
            body: body.to_owned(),
            kind: row.kind,
            presence: Presence::default(),
            attachments: Vec::new(),
            zone_source: ZoneSource::Record,
            local_offset: None,
        };
        self.push(Fate::Revised(no), &said, row.order);
    }

    fn push(&mut self, fate: Fate, said: &Said, order: u64) {
        let room = &self.rooms[said.conversation.0 as usize - 1];
        let incoming = Incoming {
            fate,
            conversation: said.conversation,
            shard: room.shard,
            sender: said.sender,
            sent: said.sent,
            order,
            app: room.app,
            conversation_kind: room.kind,
            kind: said.kind,
            presence: said.presence,
        };
        let words = Packed {
            body: &said.body,
            local_offset: said.local_offset,
            precision: Precision::Second,
            zone_source: said.zone_source,
            source_id: None,
            reply_to: None,
            entry: 0,
            span: (0, 0),
            raw_form: &[],
            attachments: said.attachments.clone(),
            extras: wordkeep::domain::Extras::default(),
        };
        let entries = said.attachments.iter().map(|_| None);
        self.pending.push(incoming, &words, entries);
    }

    /// Makes what was said durable and visible in the index, as one commit.
    pub fn commit(&mut self) {
        let batch = std::mem::replace(&mut self.pending, Batch::new(self.import));
        let now = self.now();
        let admitted = self
            .archive
            .admit(batch, now, |_, _| Ok(()))
            .expect("a batch that is taken");
        let mut settler = self.archive.settler();
        settler.show(&admitted, now).expect("a settler that takes");
        settler.finish(now).expect("a settled index");
    }

    /// Makes what was said durable without showing it to the index.
    pub fn commit_unsettled(&mut self) {
        let batch = std::mem::replace(&mut self.pending, Batch::new(self.import));
        let now = self.now();
        let admitted = self.archive.admit(batch, now, |_, _| Ok(()));
        admitted.expect("a batch that is taken");
    }

    /// Every message with its words, by number.
    pub fn messages(&self) -> Vec<OpenedMessage> {
        let mut reader = self.archive.reader().expect("a reader");
        let last = reader.rows().last_message().expect("a last number");
        (1..=last.0)
            .filter_map(|no| reader.message(MessageNo(no)).expect("a whole message"))
            .collect()
    }

    /// The number of the message whose latest words are these.
    pub fn number_of(&self, body: &str) -> MessageNo {
        self.messages()
            .iter()
            .find(|message| message.latest().is_some_and(|latest| latest.body == body))
            .expect("a message with these words")
            .row
            .no
    }
}
