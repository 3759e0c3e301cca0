//! What an import hands over at a time: messages packed into one arena, and the names they need.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::packed::Packed;
use crate::domain::{
    App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo, Note, Presence,
    Timestamp,
};

/// Messages in one batch at most: few enough that the writer is held for tens of milliseconds.
pub const BATCH_MESSAGES: usize = 4_096;
/// Packed bytes in one batch after which it is full.
pub const BATCH_BYTES: usize = 4 << 20;

/// What the alignment found a message to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Never seen before.
    New,
    /// Another sighting of a message that is here.
    Known(MessageNo),
    /// A message that is here, with other words.
    Revised(MessageNo),
    /// Later words of the message in front of it in the batch, which is new.
    Later,
    /// Other words of the message that `Links::amends` names: known words are another sighting. Where
    /// that message is not here they are a message of their own.
    Amends,
}

/// Ids of the source by which messages refer to each other, hashed; of one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Links {
    /// Its own.
    pub id: Option<u64>,
    /// That of the message it answers.
    pub reply_to: Option<u64>,
    /// That of the message whose words it replaces.
    pub amends: Option<u64>,
}

/// Where the messages are that others may refer to: by conversation and hashed id.
pub type Targets = HashMap<(ConversationNo, u64), MessageNo>;

/// The columns of one incoming message; its words are packed beside it.
#[derive(Clone, Copy, Debug)]
pub struct Incoming {
    /// What it was found to be.
    pub fate: Fate,
    /// The conversation.
    pub conversation: ConversationNo,
    /// Shard of that conversation.
    pub shard: u16,
    /// Who wrote it.
    pub sender: Option<HandleNo>,
    /// Effective time.
    pub sent: Timestamp,
    /// Place in the order of its source.
    pub order: u64,
    /// The platform.
    pub app: App,
    /// Shape of the conversation.
    pub conversation_kind: ConversationKind,
    /// What sort of message.
    pub kind: Kind,
    /// Yes/no facts.
    pub presence: Presence,
}

impl Incoming {
    /// Who writes where; `None` for notices of the platform.
    pub(super) fn writer(&self) -> Option<(ConversationNo, HandleNo)> {
        self.sender.map(|sender| (self.conversation, sender))
    }
}

/// One message of a batch.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) incoming: Incoming,
    pub(super) packed: Range<usize>,
    pub(super) body: Range<usize>,
    /// Whether it has neither attachments nor extras.
    pub(super) is_bare: bool,
    pub(super) entries: Vec<Option<u32>>,
    pub(super) links: Links,
    /// The message it answers; found when the batch is written.
    pub(super) reply_to: Option<MessageNo>,
    /// Given when the batch is written.
    pub(super) no: MessageNo,
    /// The batch that had disposed of it, when a hold wants it back.
    pub(super) readmits: Option<u64>,
}

/// A conversation that this batch creates.
#[derive(Clone, Debug)]
pub struct NewConversation {
    /// The number it will have.
    pub no: ConversationNo,
    /// Its platform.
    pub app: App,
    /// Its shape.
    pub kind: ConversationKind,
    /// Keyed hash by which the source finds it again.
    pub lookup: [u8; 16],
    /// Shard of its erase buckets.
    pub shard: u16,
    /// Its name, for people.
    pub title: String,
}

/// A handle that this batch creates, with a person of its own.
#[derive(Clone, Debug)]
pub struct NewHandle {
    /// The number it will have.
    pub no: HandleNo,
    /// Its platform.
    pub app: App,
    /// Keyed hash of the identity.
    pub lookup: [u8; 16],
    /// The name as the source shows it.
    pub label: String,
    /// The platform's handle beside the label, when there is one.
    pub handle: Option<String>,
}

/// Messages on their way in, in the order of their source.
#[derive(Debug)]
pub struct Batch {
    pub(super) import: ImportNo,
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Item>,
    pub(super) conversations: Vec<NewConversation>,
    pub(super) handles: Vec<NewHandle>,
    pub(super) participants: Vec<(ConversationNo, HandleNo)>,
    pub(super) notes: Vec<Note>,
    /// Messages that stand in the source once more and are not among the items.
    pub(super) repeats: u64,
    /// Titles and names to be given again to what lost them, if anything of it is admitted.
    pub(super) titles: BTreeMap<ConversationNo, (u16, String)>,
    /// Messages that are here already and may be referred to.
    pub(super) targets: Vec<((ConversationNo, u64), MessageNo)>,
    pub(super) names: BTreeMap<HandleNo, NewHandle>,
}

impl Batch {
    /// An empty batch of an import.
    pub fn new(import: ImportNo) -> Self {
        Self {
            import,
            bytes: Vec::new(),
            items: Vec::new(),
            conversations: Vec::new(),
            handles: Vec::new(),
            participants: Vec::new(),
            notes: Vec::new(),
            repeats: 0,
            titles: BTreeMap::new(),
            targets: Vec::new(),
            names: BTreeMap::new(),
        }
    }

    /// Adds a message with its words; `entries` are the entries of the container that hold the bytes
    /// of its attachments, in their order.
    pub fn push(
        &mut self,
        incoming: Incoming,
        words: &Packed<'_>,
        entries: impl Iterator<Item = Option<u32>>,
    ) {
        self.push_linked(incoming, words, entries, Links::default());
    }

    /// As [`Batch::push`], for a message that others refer to or that refers to another.
    pub fn push_linked(
        &mut self,
        incoming: Incoming,
        words: &Packed<'_>,
        entries: impl Iterator<Item = Option<u32>>,
        links: Links,
    ) {
        let start = self.bytes.len();
        let body = words.write(&mut self.bytes);
        self.items.push(Item {
            incoming,
            packed: start..self.bytes.len(),
            body,
            is_bare: words.attachments.is_empty() && words.extras.is_empty(),
            entries: entries.collect(),
            links,
            reply_to: None,
            no: MessageNo(0),
            readmits: None,
        });
    }

    /// Adds a conversation that messages of this or a later batch refer to.
    pub fn create_conversation(&mut self, conversation: NewConversation) {
        self.conversations.push(conversation);
    }

    /// Adds a handle that messages of this or a later batch refer to.
    pub fn create_handle(&mut self, handle: NewHandle) {
        self.handles.push(handle);
    }

    /// The title of a conversation that lost it when its last message was disposed of. It gets it
    /// back with the first message of this batch that is admitted. `shard` is its own.
    pub fn retitle(&mut self, no: ConversationNo, shard: u16, title: &str) {
        self.titles
            .entry(no)
            .or_insert_with(|| (shard, title.to_owned()));
    }

    /// The names of a handle that lost them, as [`Batch::retitle`].
    pub fn rename(&mut self, handle: NewHandle) {
        self.names.entry(handle.no).or_insert(handle);
    }

    /// A message that is here already, to which messages of this or a later batch may refer by the
    /// hash of its id.
    pub fn target(&mut self, conversation: ConversationNo, id: u64, no: MessageNo) {
        self.targets.push(((conversation, id), no));
    }

    /// Records that a handle writes in a conversation.
    pub fn join(&mut self, conversation: ConversationNo, handle: HandleNo) {
        self.participants.push((conversation, handle));
    }

    /// Adds a remark.
    pub fn note(&mut self, note: Note) {
        self.notes.push(note);
    }

    /// Counts a message that stands in its source once more as known; the remark says which.
    pub fn repeat(&mut self, remark: Note) {
        self.repeats += 1;
        self.notes.push(remark);
    }

    /// Whether it should be written now.
    pub fn is_full(&self) -> bool {
        self.items.len() + self.notes.len() >= BATCH_MESSAGES || self.bytes.len() >= BATCH_BYTES
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
            && self.notes.is_empty()
            && self.conversations.is_empty()
            && self.handles.is_empty()
    }

    /// How many numbers of the sequence it needs: one for each sealed row.
    pub(super) fn numbers(&self) -> u64 {
        let named = self.conversations.len() + self.handles.len();
        let again = self.titles.len() + self.names.len();
        (self.items.len() + self.notes.len() + named + again) as u64
    }
}
