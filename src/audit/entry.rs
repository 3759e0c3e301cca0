//! One entry of the log: its fields, and its canonical JSON in both directions.
//!
//! The bytes are RFC 8785 with integers only. Their form is checked when they are written and again
//! when they are read: an entry that is spelled in another way than ours is not an entry.

mod canonical;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crypto::{Digest, Edge, hex, leaf_hash};
use crate::domain::{EntryNo, Role, Timestamp};

use super::action::Action;
use super::error::{AuditError, Result};

/// Longest entry in bytes.
pub const ENTRY_BYTES_MAX: usize = 8 * 1024;
/// Longest word (id, code, digest) inside an entry, in bytes.
pub const WORD_BYTES_MAX: usize = 128;
/// Most objects, policies or holds an entry names; more are given by root and count.
pub const OBJECTS_MAX: usize = 32;
/// Largest integer that JSON keeps exactly in every reader: 2^53 - 1 (RFC 8785 section 3.2.2.3).
pub const INTEGER_MAX: i64 = (1 << 53) - 1;

/// How surely somebody was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuthStrength {
    /// The house itself acted; nobody was recognised.
    System,
    /// Somebody with the rights of the host.
    Host,
    /// A token.
    Token,
    /// A password.
    Password,
    /// A password and a second factor.
    SecondFactor,
    /// The provider of single sign-on.
    Provider,
}

/// How far the clocks can be trusted (the compliance clock's own judgement).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClockQuality {
    /// Wall and boot clock agree.
    Good,
    /// They were set or stood still lately.
    Degraded,
    /// They contradict each other: nothing may be purged.
    Frozen,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Refused,
    /// It was tried and failed.
    Failed,
}

/// Who acted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryActor {
    /// `usr_...`, or `system`.
    pub id: String,
    /// The role in which they acted; `None` for the house itself.
    pub role: Option<Role>,
    /// Which log-in (session or token id), if any.
    pub login: Option<String>,
    /// How surely they were recognised.
    pub auth_strength: AuthStrength,
}

impl EntryActor {
    /// The id of the house itself.
    pub const SYSTEM: &'static str = "system";

    /// The house itself.
    pub fn system() -> Self {
        Self {
            id: Self::SYSTEM.to_owned(),
            role: None,
            login: None,
            auth_strength: AuthStrength::System,
        }
    }
}

/// A count or an id that an act adds to its entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A count, a size, a number.
    Number(i64),
    /// A digest in hex, an id, a role: one word.
    Word(String),
}

/// An entry before it has a place: everything its author knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Who acted.
    pub actor: EntryActor,
    /// For whom, when somebody acted for another.
    pub on_behalf: Option<String>,
    /// What was done.
    pub action: Action,
    /// To what: ids only.
    pub objects: Vec<String>,
    /// In which matter.
    pub matter: Option<String>,
    /// Why, as a code; the sentence belongs in the payload.
    pub reason_code: Option<String>,
    /// Versions of the policies that were judged by.
    pub policy_versions: Vec<String>,
    /// Versions of the holds that were judged by.
    pub hold_versions: Vec<String>,
    /// What came of it.
    pub result: Outcome,
    /// Ties the entries of one request together.
    pub request_id: String,
    /// How far the clocks can be trusted.
    pub clock_quality: ClockQuality,
    /// Counts and digests, by short name.
    pub facts: BTreeMap<String, Fact>,
}

impl Draft {
    /// An act that was done, so far without objects and facts.
    pub fn new(actor: EntryActor, action: Action, request_id: impl Into<String>) -> Self {
        Self {
            actor,
            on_behalf: None,
            action,
            objects: Vec::new(),
            matter: None,
            reason_code: None,
            policy_versions: Vec::new(),
            hold_versions: Vec::new(),
            result: Outcome::Done,
            request_id: request_id.into(),
            clock_quality: ClockQuality::Good,
            facts: BTreeMap::new(),
        }
    }

    /// Names one more object.
    pub fn object(mut self, id: impl ToString) -> Self {
        self.objects.push(id.to_string());
        self
    }

    /// Names many objects: themselves up to [`OBJECTS_MAX`] in all, beyond that by `objects_count`
    /// and `objects_root`, the Merkle root over their texts in the given order. The list itself then
    /// belongs in the payload.
    pub fn objects<I: ToString>(self, ids: impl IntoIterator<Item = I>) -> Self {
        let room = OBJECTS_MAX.saturating_sub(self.objects.len());
        match Named::gather(ids, room) {
            Named::All(mut ids) => {
                let mut draft = self;
                draft.objects.append(&mut ids);
                draft
            }
            Named::Root { count, root } => self
                .count("objects_count", count)
                .word("objects_root", hex(&root)),
        }
    }

    /// Names the holds that were judged by, in the order of their ids: themselves up to
    /// [`OBJECTS_MAX`], beyond that by `holds_count` and `holds_root`.
    pub fn holds<I: ToString>(self, ids: impl IntoIterator<Item = I>) -> Self {
        match Named::gather(ids, OBJECTS_MAX) {
            Named::All(hold_versions) => Self {
                hold_versions,
                ..self
            },
            Named::Root { count, root } => self
                .count("holds_count", count)
                .word("holds_root", hex(&root)),
        }
    }

    /// Names the versions of policies that were judged by, as `policy:version`: themselves up to
    /// [`OBJECTS_MAX`], beyond that by `policies_count` and `policies_root`.
    pub fn policies<I: ToString>(self, ids: impl IntoIterator<Item = I>) -> Self {
        match Named::gather(ids, OBJECTS_MAX) {
            Named::All(policy_versions) => Self {
                policy_versions,
                ..self
            },
            Named::Root { count, root } => self
                .count("policies_count", count)
                .word("policies_root", hex(&root)),
        }
    }

    /// A count among the facts; `None` where there is none or it is negative.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.facts.get(name)? {
            Fact::Number(number) => u64::try_from(*number).ok(),
            Fact::Word(_) => None,
        }
    }

    /// A word among the facts.
    pub fn fact_word(&self, name: &str) -> Option<&str> {
        match self.facts.get(name)? {
            Fact::Word(word) => Some(word),
            Fact::Number(_) => None,
        }
    }

    /// Adds a count.
    pub fn count(mut self, name: &str, number: u64) -> Self {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.facts.insert(name.to_owned(), Fact::Number(number));
        self
    }

    /// Adds a word: a digest, an id, a role.
    pub fn word(mut self, name: &str, word: impl ToString) -> Self {
        self.facts
            .insert(name.to_owned(), Fact::Word(word.to_string()));
        self
    }

    /// Says what came of it.
    pub fn result(mut self, result: Outcome) -> Self {
        self.result = result;
        self
    }
}

/// Ids as an entry names them.
enum Named {
    All(Vec<String>),
    Root { count: u64, root: Digest },
}

impl Named {
    fn gather<I: ToString>(ids: impl IntoIterator<Item = I>, room: usize) -> Named {
        let mut tree = Edge::new();
        let mut named = Vec::new();
        for id in ids {
            let id = id.to_string();
            tree.append(leaf_hash(id.as_bytes()), |_| ());
            if named.len() <= room {
                named.push(id);
            }
        }
        match named.len() <= room {
            true => Named::All(named),
            false => Named::Root {
                count: tree.size(),
                root: tree.root(),
            },
        }
    }
}

/// An entry in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place, counted from 0.
    pub seq: EntryNo,
    /// Compliance time; never before the entry in front of it.
    pub t_c: Timestamp,
    /// The host's wall clock.
    pub wall: Timestamp,
    /// Commitment to the payload: SHA-256(32-byte salt + payload), of the salt alone without one.
    pub payload_commit: Digest,
    /// The rest.
    pub draft: Draft,
}

/// The shape in the bytes. Fields stand in the order of their names, which is the canonical one.
#[derive(Serialize)]
struct WireEntry<'a> {
    action: &'a str,
    actor: WireActor<'a>,
    clock_quality: ClockQuality,
    facts: BTreeMap<&'a str, WireFact<'a>>,
    hold_versions: &'a [String],
    matter: Option<&'a str>,
    objects: &'a [String],
    on_behalf: Option<&'a str>,
    payload_commit: &'a str,
    policy_versions: &'a [String],
    reason_code: Option<&'a str>,
    request_id: &'a str,
    result: Outcome,
    seq: u64,
    t_c: i64,
    wall: i64,
}

#[derive(Serialize)]
struct WireActor<'a> {
    auth_strength: AuthStrength,
    id: &'a str,
    login: Option<&'a str>,
    role: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WireFact<'a> {
    Number(i64),
    Word(&'a str),
}

impl Entry {
    /// The canonical bytes that are hashed.
    ///
    /// Refuses what does not belong in an entry: words with spaces or beyond [`WORD_BYTES_MAX`]
    /// (text goes into the payload), more than [`OBJECTS_MAX`] objects, integers beyond
    /// [`INTEGER_MAX`], more than [`ENTRY_BYTES_MAX`] in all.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        self.check()?;
        let commit = hex(&self.payload_commit);
        let bytes = serde_json::to_vec(&self.to_wire(&commit))
            .map_err(|error| refuse(error.to_string()))?;
        match bytes.len() {
            0..=ENTRY_BYTES_MAX => Ok(bytes),
            len => Err(refuse(format!("{len} bytes are more than 8 KiB"))),
        }
    }

    /// Reads canonical bytes; the error says what is wrong with others.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Self, String> {
        canonical::read(bytes)
    }

    fn to_wire<'a>(&'a self, commit: &'a str) -> WireEntry<'a> {
        let draft = &self.draft;
        let fact = |fact: &'a Fact| match fact {
            Fact::Number(number) => WireFact::Number(*number),
            Fact::Word(word) => WireFact::Word(word),
        };
        WireEntry {
            action: draft.action.name(),
            actor: WireActor {
                auth_strength: draft.actor.auth_strength,
                id: &draft.actor.id,
                login: draft.actor.login.as_deref(),
                role: draft.actor.role.map(Role::name),
            },
            clock_quality: draft.clock_quality,
            facts: draft
                .facts
                .iter()
                .map(|(name, value)| (name.as_str(), fact(value)))
                .collect(),
            hold_versions: &draft.hold_versions,
            matter: draft.matter.as_deref(),
            objects: &draft.objects,
            on_behalf: draft.on_behalf.as_deref(),
            payload_commit: commit,
            policy_versions: &draft.policy_versions,
            reason_code: draft.reason_code.as_deref(),
            request_id: &draft.request_id,
            result: draft.result,
            seq: self.seq.0,
            t_c: self.t_c.0,
            wall: self.wall.0,
        }
    }

    fn check(&self) -> Result<()> {
        let draft = &self.draft;
        let lists = [&draft.objects, &draft.policy_versions, &draft.hold_versions];
        if lists.iter().any(|list| list.len() > OBJECTS_MAX) {
            return Err(refuse(
                "more than 32 ids: give their root and count".to_owned(),
            ));
        }
        let facts = draft.facts.values().filter_map(|fact| match fact {
            Fact::Word(word) => Some(word),
            Fact::Number(_) => None,
        });
        let optional = [
            &draft.on_behalf,
            &draft.matter,
            &draft.reason_code,
            &draft.actor.login,
        ];
        let words = [&draft.actor.id, &draft.request_id]
            .into_iter()
            .chain(lists.into_iter().flatten())
            .chain(optional.into_iter().flatten())
            .chain(draft.facts.keys())
            .chain(facts)
            .map(String::as_str)
            .chain([draft.action.name()]);
        for word in words {
            if !is_word(word) {
                return Err(refuse(NO_WORD.to_owned()));
            }
        }
        let numbers = draft.facts.values().filter_map(|fact| match fact {
            Fact::Number(number) => Some(*number),
            Fact::Word(_) => None,
        });
        let place = i64::try_from(self.seq.0).unwrap_or(i64::MAX);
        let out_of_range = |number: i64| !(-INTEGER_MAX..=INTEGER_MAX).contains(&number);
        if numbers
            .chain([place, self.t_c.0, self.wall.0])
            .any(out_of_range)
        {
            return Err(refuse("an integer is beyond 2^53 - 1".to_owned()));
        }
        Ok(())
    }
}

fn refuse(reason: String) -> AuditError {
    AuditError::Entry(reason)
}

/// What is wrong with a text where a word belongs.
const NO_WORD: &str = "an id is empty, too long, or has other than letters, digits and _.:/@+=-; \
                       texts belong in the payload";

/// Words are ids, codes and digests: no spaces, so that no name and no text slips in.
fn is_word(word: &str) -> bool {
    (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(is_word_byte)
}

/// None of them is ever escaped in JSON, so a word has one spelling.
const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'.' | b':' | b'/' | b'@' | b'+' | b'=' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry() -> Entry {
        let actor = EntryActor {
            id: "usr_00000000000000000000000001".to_owned(),
            role: Some(Role::Lawyer),
            login: Some("s1".to_owned()),
            auth_strength: AuthStrength::Password,
        };
        Entry {
            seq: EntryNo(7),
            t_c: Timestamp(1_700_000_000_000_000),
            wall: Timestamp(1_700_000_000_000_001),
            payload_commit: [0xab; 32],
            draft: Draft::new(actor, Action::ContentView, "r1")
                .object("msg_00000000000000000000000002")
                .count("hits", 3)
                .word("ids_root", "00ff"),
        }
    }

    #[test]
    fn a1_the_bytes_are_the_documented_ones() {
        let commit = "ab".repeat(32);
        let expected = format!(
            "{{\"action\":\"content.view\",\"actor\":{{\"auth_strength\":\"password\",\
             \"id\":\"usr_00000000000000000000000001\",\"login\":\"s1\",\"role\":\"lawyer\"}},\
             \"clock_quality\":\"good\",\"facts\":{{\"hits\":3,\"ids_root\":\"00ff\"}},\
             \"hold_versions\":[],\"matter\":null,\
             \"objects\":[\"msg_00000000000000000000000002\"],\"on_behalf\":null,\
             \"payload_commit\":\"{commit}\",\"policy_versions\":[],\"reason_code\":null,\
             \"request_id\":\"r1\",\"result\":\"done\",\"seq\":7,\
             \"t_c\":1700000000000000,\"wall\":1700000000000001}}"
        );
        let bytes = entry().to_bytes().expect("fits");
        assert_eq!(String::from_utf8(bytes.clone()).expect("text"), expected);
        assert_eq!(Entry::parse(&bytes), Ok(entry()));
    }

    #[test]
    fn a1_texts_and_names_cannot_slip_into_an_entry() {
        for word in ["", "two words", "Müller", "a\"b", "a\nb", &"x".repeat(129)] {
            let mut with = entry();
            with.draft.reason_code = Some(word.to_owned());
            assert!(
                matches!(with.to_bytes(), Err(AuditError::Entry(_))),
                "{word:?}"
            );
            let mut with = entry();
            with.draft.objects.push(word.to_owned());
            assert!(
                matches!(with.to_bytes(), Err(AuditError::Entry(_))),
                "{word:?}"
            );
            let mut with = entry();
            with.draft = with.draft.word("note", word);
            assert!(
                matches!(with.to_bytes(), Err(AuditError::Entry(_))),
                "{word:?}"
            );
        }
    }

    #[test]
    fn a1_long_lists_are_named_by_root_and_count() {
        let objects = |count: u64| {
            let mut with = entry();
            with.draft = with.draft.objects((0..count).map(crate::domain::EntryNo));
            with.to_bytes().expect("fits");
            with.draft
        };
        assert_eq!(objects(31).objects.len(), 32);
        assert_eq!(objects(32).objects.len(), 1);
        assert_eq!(objects(5000).facts["objects_count"], Fact::Number(5000));
        assert_ne!(
            objects(32).facts["objects_root"],
            objects(33).facts["objects_root"]
        );
    }

    #[test]
    fn limits_hold() {
        let mut long = entry();
        long.draft.objects = vec!["id".to_owned(); OBJECTS_MAX + 1];
        assert!(long.to_bytes().is_err());
        let mut wide = entry();
        wide.draft.objects = vec!["x".repeat(128); OBJECTS_MAX];
        wide.draft.hold_versions = wide.draft.objects.clone();
        assert!(wide.to_bytes().is_err());
        let mut big = entry();
        big.draft = big.draft.count("n", u64::MAX);
        assert!(big.to_bytes().is_err());
        big.draft = big.draft.count("n", INTEGER_MAX as u64);
        assert!(big.to_bytes().is_ok());
    }

    #[test]
    fn other_spellings_of_an_entry_are_refused() {
        let bytes = entry().to_bytes().expect("fits");
        let text = String::from_utf8(bytes).expect("text");
        for (from, to) in [
            ("\"seq\":7", "\"seq\": 7"),
            ("\"seq\":7", "\"seq\":7.0"),
            ("\"seq\":7", "\"seq\":7,\"more\":1"),
            ("\"r1\"", "\"\\u00721\""),
            ("\"hits\":3,", "\"zits\":3,"),
            ("abab", "ABab"),
            ("\"lawyer\"", "\"Lawyer\""),
            ("\"lawyer\"", "\"pirate\""),
            ("\"matter\":null,", ""),
        ] {
            let other = text.replacen(from, to, 1);
            assert_ne!(other, text);
            assert!(Entry::parse(other.as_bytes()).is_err(), "{to}");
        }
        assert!(Entry::parse(format!("{text} ").as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Entry::parse(&bytes).is_err());
        }

        #[test]
        fn what_parses_is_written_back_byte_for_byte(at: prop::sample::Index, byte: u8) {
            let mut bytes = entry().to_bytes().expect("fits");
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(read) = Entry::parse(&bytes) {
                prop_assert_eq!(read.to_bytes().expect("fits"), bytes);
            }
        }
    }
}
