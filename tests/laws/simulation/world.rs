//! The world of the oracle: nothing but lists and sets. It knows no store, no key, no index.

use std::collections::{BTreeMap, BTreeSet};

pub const DAY: i64 = 86_400_000_000;
pub const NEVER: i64 = i64::MAX;
/// Before everything.
pub const ALWAYS: i64 = i64::MIN;

/// A message by chat and the id its platform gave it.
pub type Key = (u8, u32);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    pub key: Key,
    pub sender: u8,
    pub sent: i64,
    pub versions: Vec<String>,
    /// When its import ended; `NEVER` while it did not.
    pub ingested: i64,
    /// Until when a reviewer keeps it.
    pub extended: i64,
    /// The lock it had when other messages were destroyed: what it hung on may be gone.
    pub locked: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Ids(BTreeSet<u64>),
    Word(String),
    Chat(u8),
    Person(u8),
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub target: Target,
    pub from: i64,
    pub asked: Option<u8>,
    pub released: Option<i64>,
    pub grace: i64,
    /// So many messages before and after a match are protected too.
    pub around: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Sent,
    Ingested,
    LastActivity,
    Label,
    Event(u8),
}

/// A version of a policy. Scopes are a word, or everything.
#[derive(Clone, Debug)]
pub struct Version {
    pub policy: u32,
    pub version: u32,
    pub enabled: bool,
    pub draft: bool,
    pub retains: bool,
    pub deletes: bool,
    pub days: i64,
    pub trigger: Trigger,
    /// 1 organisation, 2 scoped, 3 of a label.
    pub level: u8,
    pub label: Option<u32>,
    /// Until when a compliance lock keeps the policy as it is.
    pub lock: Option<i64>,
    pub word: Option<String>,
    pub from: i64,
    pub author: u8,
}

#[derive(Clone, Copy, Debug)]
pub struct Event {
    pub key: u8,
    pub at: i64,
    pub corrects: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    Message(u64),
    Chat(u8),
}

#[derive(Clone, Copy, Debug)]
pub struct Span {
    pub label: u32,
    pub on: On,
    pub from: i64,
    pub until: i64,
}

/// Everything verdicts hang on.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub live: BTreeMap<u64, Record>,
    pub gone: BTreeMap<u64, Key>,
    pub holds: Vec<Hold>,
    pub versions: Vec<Version>,
    pub events: Vec<Event>,
    pub spans: Vec<Span>,
    /// Who was ever seen in a chat, since it was last empty.
    pub members: BTreeSet<(u8, u8)>,
    /// Chats that were ever seen.
    pub chats: BTreeSet<u8>,
    pub lists: Vec<List>,
    pub freezes: Vec<Freeze>,
    /// Imports that failed so badly that they could not write down their end.
    pub running: usize,
    pub backups: Vec<Backup>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Review,
    Approved,
    Cancelled,
    Done,
}

/// A list of what is due.
#[derive(Clone, Debug)]
pub struct List {
    /// Message -> versions it had, and the policy that lets it go.
    pub items: BTreeMap<u64, (usize, (u32, u32))>,
    pub off: BTreeSet<u64>,
    pub approvals: Vec<(u8, i64)>,
    pub needed: usize,
    /// Who asked for it.
    pub asked: u8,
    pub stage: Stage,
    /// Its destruction was written down.
    pub begun: bool,
    /// It was decided about its items.
    pub decided: bool,
    /// Nothing of its destruction is left but the certificate.
    pub checked: bool,
}

/// A stop of all destruction by a person.
#[derive(Clone, Copy, Debug)]
pub struct Freeze {
    pub no: u32,
    pub asked: Option<u8>,
    pub lifted: bool,
}

/// A backup and what was live when it was made.
#[derive(Clone, Debug)]
pub struct Backup {
    pub live: BTreeMap<u64, Record>,
}

/// The moment: compliance time, wall clock, and whether anything stops destruction.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub now: i64,
    pub wall: i64,
    pub stopped: bool,
}

/// What the oracle says of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub held: bool,
    pub retain_until: i64,
    pub locked_until: i64,
    pub delete_from: i64,
    pub floor: i64,
    pub eligible: bool,
    /// Policy and version that let it go.
    pub winner: Option<(u32, u32)>,
}
