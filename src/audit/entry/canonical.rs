//! The reader of canonical bytes: it takes exactly what [`Entry::to_bytes`] writes.
//!
//! An entry has one spelling, so nothing is skipped, unescaped or looked for: every field stands
//! where it must, and each byte is looked at once. A verifier reads a million of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error as NameError;

use super::{
    Draft, ENTRY_BYTES_MAX, Entry, EntryActor, Fact, INTEGER_MAX, NO_WORD, OBJECTS_MAX,
    WORD_BYTES_MAX, is_word_byte,
};
use crate::audit::action::Action;
use crate::crypto::{Digest, digest_from_hex};
use crate::domain::{EntryNo, Role, Timestamp};

/// What was taken, or what is wrong in words.
type Taken<T> = Result<T, String>;

/// Reads a whole entry.
pub(super) fn read(bytes: &[u8]) -> Taken<Entry> {
    if bytes.len() > ENTRY_BYTES_MAX {
        return Err("longer than 8 KiB".to_owned());
    }
    let rest = str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut line = Line {
        len: bytes.len(),
        rest,
    };
    let entry = line.entry()?;
    match line.rest {
        "" => Ok(entry),
        _ => Err(line.wrong()),
    }
}

/// What is left of an entry.
struct Line<'a> {
    len: usize,
    rest: &'a str,
}

impl<'a> Line<'a> {
    fn entry(&mut self) -> Taken<Entry> {
        self.fixed("{\"action\":")?;
        let action = Action::from_name(self.word()?);
        let actor = self.actor()?;
        self.fixed(",\"clock_quality\":")?;
        let clock_quality = self.name()?;
        self.fixed(",\"facts\":")?;
        let facts = self.facts()?;
        self.fixed(",\"hold_versions\":")?;
        let hold_versions = self.words()?;
        self.fixed(",\"matter\":")?;
        let matter = self.word_if_any()?.map(str::to_owned);
        self.fixed(",\"objects\":")?;
        let objects = self.words()?;
        self.fixed(",\"on_behalf\":")?;
        let on_behalf = self.word_if_any()?.map(str::to_owned);
        self.fixed(",\"payload_commit\":")?;
        let payload_commit = self.digest()?;
        self.fixed(",\"policy_versions\":")?;
        let policy_versions = self.words()?;
        self.fixed(",\"reason_code\":")?;
        let reason_code = self.word_if_any()?.map(str::to_owned);
        self.fixed(",\"request_id\":")?;
        let request_id = self.word()?.to_owned();
        self.fixed(",\"result\":")?;
        let result = self.name()?;
        self.fixed(",\"seq\":")?;
        let seq = u64::try_from(self.number()?).map_err(|_| self.wrong())?;
        self.fixed(",\"t_c\":")?;
        let t_c = self.number()?;
        self.fixed(",\"wall\":")?;
        let wall = self.number()?;
        self.fixed("}")?;
        Ok(Entry {
            seq: EntryNo(seq),
            t_c: Timestamp(t_c),
            wall: Timestamp(wall),
            payload_commit,
            draft: Draft {
                actor,
                on_behalf,
                action,
                objects,
                matter,
                reason_code,
                policy_versions,
                hold_versions,
                result,
                request_id,
                clock_quality,
                facts,
            },
        })
    }

    fn actor(&mut self) -> Taken<EntryActor> {
        self.fixed(",\"actor\":{\"auth_strength\":")?;
        let auth_strength = self.name()?;
        self.fixed(",\"id\":")?;
        let id = self.word()?.to_owned();
        self.fixed(",\"login\":")?;
        let login = self.word_if_any()?.map(str::to_owned);
        self.fixed(",\"role\":")?;
        let role = self.word_if_any()?.map(|name| {
            // The look-up is case-blind, the bytes are not.
            Role::from_name(name)
                .filter(|role| role.name() == name)
                .ok_or_else(|| format!("unknown role {name:?}"))
        });
        self.fixed("}")?;
        Ok(EntryActor {
            id,
            role: role.transpose()?,
            login,
            auth_strength,
        })
    }

    fn facts(&mut self) -> Taken<BTreeMap<String, Fact>> {
        let mut facts: BTreeMap<String, Fact> = BTreeMap::new();
        self.fixed("{")?;
        while !self.skip("}") {
            if !facts.is_empty() {
                self.fixed(",")?;
            }
            let name = self.word()?;
            let last = facts.last_key_value();
            if last.is_some_and(|(last, _)| last.as_str() >= name) {
                return Err(self.wrong());
            }
            self.fixed(":")?;
            let fact = match self.rest.starts_with('"') {
                true => Fact::Word(self.word()?.to_owned()),
                false => Fact::Number(self.number()?),
            };
            facts.insert(name.to_owned(), fact);
        }
        Ok(facts)
    }

    fn words(&mut self) -> Taken<Vec<String>> {
        let mut words = Vec::new();
        self.fixed("[")?;
        while !self.skip("]") {
            if !words.is_empty() {
                self.fixed(",")?;
            }
            if words.len() == OBJECTS_MAX {
                return Err("more than 32 ids".to_owned());
            }
            words.push(self.word()?.to_owned());
        }
        Ok(words)
    }

    fn word_if_any(&mut self) -> Taken<Option<&'a str>> {
        match self.skip("null") {
            true => Ok(None),
            false => self.word().map(Some),
        }
    }

    fn word(&mut self) -> Taken<&'a str> {
        self.fixed("\"")?;
        let word = self.span(is_word_byte);
        if !(1..=WORD_BYTES_MAX).contains(&word.len()) || !self.skip("\"") {
            return Err(NO_WORD.to_owned());
        }
        Ok(word)
    }

    /// One of the names of a closed list.
    fn name<T: Deserialize<'a>>(&mut self) -> Taken<T> {
        T::deserialize(self.word()?.into_deserializer())
            .map_err(|error: NameError| error.to_string())
    }

    fn digest(&mut self) -> Taken<Digest> {
        digest_from_hex(self.word()?)
            .ok_or_else(|| "payload_commit is not 32 bytes in lower-case hex".to_owned())
    }

    fn number(&mut self) -> Taken<i64> {
        let digits = self.span(|byte| byte.is_ascii_digit() || byte == b'-');
        let canonical = digits == "0" || !(digits.starts_with('0') || digits.starts_with("-0"));
        match digits.parse() {
            Ok(number) if canonical && (-INTEGER_MAX..=INTEGER_MAX).contains(&number) => Ok(number),
            Ok(_) if canonical => Err("an integer is beyond 2^53 - 1".to_owned()),
            _ => Err(self.wrong()),
        }
    }

    /// Takes what comes first of these bytes, all of them ASCII.
    fn span(&mut self, of: impl Fn(u8) -> bool) -> &'a str {
        let len = self.rest.bytes().take_while(|byte| of(*byte)).count();
        let (span, rest) = self.rest.split_at_checked(len).unwrap_or(("", self.rest));
        self.rest = rest;
        span
    }

    fn skip(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn fixed(&mut self, text: &str) -> Taken<()> {
        match self.skip(text) {
            true => Ok(()),
            false => Err(self.wrong()),
        }
    }

    #[cold]
    fn wrong(&self) -> String {
        let at = self.len - self.rest.len();
        format!("not in canonical form at byte {at}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AuthStrength, ClockQuality, Outcome};
    use super::*;
    use proptest::prelude::*;

    const WORD: &str = "[a-zA-Z0-9_.:/@+=-]{1,12}";
    const INTEGER: std::ops::RangeInclusive<i64> = -INTEGER_MAX..=INTEGER_MAX;

    fn actor() -> impl Strategy<Value = EntryActor> {
        let roles = prop::option::of(prop::sample::select(Role::ALL.to_vec()));
        let strengths = prop::sample::select(vec![
            AuthStrength::System,
            AuthStrength::Host,
            AuthStrength::Token,
            AuthStrength::Password,
            AuthStrength::SecondFactor,
            AuthStrength::Provider,
        ]);
        (WORD, roles, prop::option::of(WORD), strengths).prop_map(
            |(id, role, login, auth_strength)| EntryActor {
                id,
                role,
                login,
                auth_strength,
            },
        )
    }

    fn draft() -> impl Strategy<Value = Draft> {
        let action = prop_oneof![
            prop::sample::select(Action::ALL.to_vec()),
            WORD.prop_map(|name| Action::from_name(&name)),
        ];
        let fact = prop_oneof![INTEGER.prop_map(Fact::Number), WORD.prop_map(Fact::Word)];
        let facts = prop::collection::btree_map(WORD, fact, 0..5);
        let words = || prop::collection::vec(WORD, 0..4);
        let results = vec![Outcome::Done, Outcome::Refused, Outcome::Failed];
        let clocks = vec![
            ClockQuality::Good,
            ClockQuality::Degraded,
            ClockQuality::Frozen,
        ];
        let codes = (
            prop::option::of(WORD),
            prop::option::of(WORD),
            prop::option::of(WORD),
        );
        let lists = (words(), words(), words());
        let rest = (
            WORD,
            facts,
            prop::sample::select(results),
            prop::sample::select(clocks),
        );
        (actor(), action, codes, lists, rest).prop_map(|(actor, action, codes, lists, rest)| {
            Draft {
                actor,
                on_behalf: codes.0,
                action,
                objects: lists.0,
                matter: codes.1,
                reason_code: codes.2,
                policy_versions: lists.1,
                hold_versions: lists.2,
                result: rest.2,
                request_id: rest.0,
                clock_quality: rest.3,
                facts: rest.1,
            }
        })
    }

    fn entry() -> impl Strategy<Value = Entry> {
        (
            0..=INTEGER_MAX as u64,
            INTEGER,
            INTEGER,
            any::<[u8; 32]>(),
            draft(),
        )
            .prop_map(|(seq, t_c, wall, payload_commit, draft)| Entry {
                seq: EntryNo(seq),
                t_c: Timestamp(t_c),
                wall: Timestamp(wall),
                payload_commit,
                draft,
            })
    }

    proptest! {
        #[test]
        fn a1_every_entry_that_is_written_is_read_back(entry in entry()) {
            let bytes = entry.to_bytes().expect("fits");
            prop_assert_eq!(Entry::parse(&bytes), Ok(entry));
        }

        /// With the law above: what is read is what is written, and nothing else.
        #[test]
        fn a1_what_is_read_after_a_change_is_written_the_same(
            entry in entry(),
            at: prop::sample::Index,
            cut in 0..3usize,
            put in prop::sample::select(vec![
                "", " ", "0", "-", "7", ",", "\"", ":", "{", "}", "[", "]", "a", "A", "null",
                "\\u0061", "1.0", "1e3", "\"a\",", "\"\"", "\"a\":1,", "\n", "é",
            ]),
        ) {
            let mut bytes = entry.to_bytes().expect("fits");
            let at = at.index(bytes.len());
            let end = bytes.len().min(at + cut);
            bytes.splice(at..end, put.bytes());
            if let Ok(read) = Entry::parse(&bytes) {
                prop_assert_eq!(read.to_bytes().expect("fits"), bytes);
            }
        }
    }

    #[test]
    fn integers_have_one_spelling() {
        let number = |text: &str| {
            let mut line = Line {
                len: text.len(),
                rest: text,
            };
            line.number().ok().filter(|_| line.rest.is_empty())
        };
        for good in [0, 1, -1, 10, INTEGER_MAX, -INTEGER_MAX] {
            assert_eq!(number(&good.to_string()), Some(good));
        }
        for bad in [
            "",
            "-",
            "-0",
            "00",
            "01",
            "-01",
            "+1",
            "1-",
            "--1",
            "1.0",
            "1e3",
            " 1",
            "9007199254740992",
            "-9007199254740992",
            "99999999999999999999",
        ] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
