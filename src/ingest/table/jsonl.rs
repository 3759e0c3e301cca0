//! One JSON object a line (RFC 8259 objects, split at line ends).
//!
//! A row is read without building a tree: the mapped keys are picked out as borrowed text, the
//! rest is only checked.

use std::fmt;
use std::io::Read;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::domain::NoteKind;
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::lines::Lines;
use crate::ingest::message::Sink;

use super::cell::Cell;
use super::mapping::{Column, Mapping, SLOTS};
use super::templates::TemplateLearner;
use super::writer::{
    Check, Plan, Record, Row, Step, Writer, file_title, mapping_question, refused,
};

/// A record longer than this is rejected; bytes.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Lists and objects lie at most this deep in each other.
const DEPTH_MAX: usize = 128;

/// The reader of tables in JSON lines.
#[derive(Clone, Copy, Debug)]
pub struct Jsonl;

impl Format for Jsonl {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn is_generic(&self) -> bool {
        true
    }

    fn refers(&self, answers: &Answers) -> bool {
        let mapping = answers.mapping.as_ref();
        mapping.is_some_and(|mapping| mapping.reply_to.is_some())
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let first = head
            .split(|byte| *byte == b'\n')
            .find(|line| !is_blank(line));
        match first {
            Some(line) if serde_json::from_slice::<Keys>(line).is_ok() => Claim::Yes(1),
            // A first row longer than the head: the brace and a key must do.
            Some(line) if line.len() == head.len() && line.starts_with(b"{\"") => Claim::Maybe,
            _ => Claim::No,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let Some(mapping) = &answers.mapping else {
            let head = container.head(main, 64 * 1024)?;
            return Ok(mapping_question(&entry, &keys_of(&head)));
        };
        let picker = Picker::new(mapping);
        let prepared = Plan::new(mapping, answers);
        let mut plan = match prepared {
            Ok(plan) => plan,
            Err(reason) => return Ok(refused(reason)),
        };
        let mut check = Check::default();
        let mut learner = TemplateLearner::new(file_title(&entry));
        container.read(main, |bytes| {
            each_record(bytes, &picker, &mut |record| {
                match record {
                    Step::Record(record) => {
                        check.record(&mut plan, &entry, &record);
                        learner.learn(&record, &picker, &mut plan);
                    }
                    Step::Frame(..) => {}
                }
                Ok(())
            })
        })?;
        if let Some(refusal) = check.refusal(answers) {
            return Ok(refusal);
        }
        let mut writer = Writer::new(plan, container, main, answers, self.name(), sink);
        writer.templates(learner.finish())?;
        container.read(main, |bytes| {
            each_record(bytes, &picker, &mut |step| match step {
                Step::Record(record) => writer.record(&record),
                Step::Frame(raw, offset) => writer.frame(raw, offset),
            })
        })?;
        Ok(Outcome::Done(Box::new(writer.summary)))
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(u8::is_ascii_whitespace)
}

/// The keys of the first rows, to help whoever writes the mapping.
fn keys_of(head: &[u8]) -> Vec<String> {
    let first = head
        .split(|byte| *byte == b'\n')
        .find(|line| !is_blank(line));
    first
        .and_then(|line| serde_json::from_slice::<Keys>(line).ok())
        .map(|keys| keys.0)
        .unwrap_or_default()
}

/// The keys of an object.
struct Keys(Vec<String>);

impl<'de> serde::Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(KeyVisitor)
    }
}

/// Which keys go to which slots.
pub(super) struct Picker {
    keys: Vec<(String, Vec<usize>)>,
}

impl Picker {
    fn new(mapping: &Mapping) -> Self {
        let mut keys: Vec<(String, Vec<usize>)> = Vec::new();
        for (slot, column) in mapping.columns().into_iter().enumerate() {
            let Some(Column::Named(name)) = column else {
                continue;
            };
            match keys.iter_mut().find(|(key, _)| key == name) {
                Some((_, slots)) => slots.push(slot),
                None => keys.push((name.clone(), vec![slot])),
            }
        }
        Self { keys }
    }

    /// The slots a key feeds.
    pub fn slots(&self, key: &str) -> &[usize] {
        self.keys
            .iter()
            .find(|(known, _)| known == key)
            .map_or(&[], |(_, slots)| slots.as_slice())
    }
}

/// A row picked apart, and whether a key stood twice.
struct Picked<'a> {
    row: Row<'a>,
    doubled: bool,
}

struct PickSeed<'p>(&'p Picker);

impl<'de> DeserializeSeed<'de> for PickSeed<'_> {
    type Value = Picked<'de>;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> std::result::Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for PickSeed<'_> {
    type Value = Picked<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("one JSON object a line")
    }

    fn visit_map<A: MapAccess<'de>>(
        self,
        mut map: A,
    ) -> std::result::Result<Self::Value, A::Error> {
        let mut picked = Picked {
            row: [None; SLOTS],
            doubled: false,
        };
        while let Some(KeyText(key)) = map.next_key::<KeyText<'de>>()? {
            let value: &'de RawValue = map.next_value()?;
            if depth(value.get()) > DEPTH_MAX {
                return Err(serde::de::Error::custom(
                    "lists and objects lie more than 128 deep",
                ));
            }
            for slot in self.0.slots(&key) {
                let doubled = picked.row[*slot].replace(Cell::Json(value.get())).is_some();
                picked.doubled |= doubled;
            }
        }
        Ok(picked)
    }
}

/// A key, borrowed unless it holds escapes.
struct KeyText<'a>(std::borrow::Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for KeyText<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = KeyText<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Self::Value, E> {
                Ok(KeyText(text.into()))
            }
            fn visit_str<E>(self, text: &str) -> std::result::Result<Self::Value, E> {
                Ok(KeyText(text.to_owned().into()))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// How deep lists and objects of a checked value lie in each other; 1 for the row itself.
fn depth(json: &str) -> usize {
    if !json.starts_with(['{', '[']) {
        return 1;
    }
    let mut deepest = 1;
    let mut depth = 1;
    let mut inside = false;
    let mut escaped = false;
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b'{' | b'[' if !inside => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !inside => depth -= 1,
            _ => {}
        }
    }
    deepest
}

/// Hands every line to `take`: rows as records, blank lines and the mark of byte order as frames.
fn each_record(
    bytes: &mut dyn Read,
    picker: &Picker,
    take: &mut dyn FnMut(Step<'_>) -> Result<()>,
) -> Result<()> {
    let mut lines = Lines::new(bytes)?;
    let mark = lines.mark().to_vec();
    take(Step::Frame(&mark, 0))?;
    let mut number = 0;
    // The pieces of a line that is longer than one piece.
    let mut gathered: Vec<u8> = Vec::new();
    let mut gathered_text: Vec<u8> = Vec::new();
    let mut gathered_at = 0;
    while let Some(line) = lines.next()? {
        number += u64::from(!line.continues);
        let whole = !line.goes_on;
        if whole && gathered.is_empty() {
            take(step(line.raw, line.text, line.offset, number, picker))?;
            continue;
        }
        if gathered.is_empty() {
            gathered_at = line.offset;
        }
        if gathered.len() + line.raw.len() > RECORD_BYTES_MAX {
            take(too_long(&gathered, gathered_at, number))?;
            gathered.clear();
            gathered_text.clear();
            gathered_at = line.offset;
        }
        gathered.extend_from_slice(line.raw);
        gathered_text.extend_from_slice(line.text);
        if whole {
            take(step(&gathered, &gathered_text, gathered_at, number, picker))?;
            gathered.clear();
            gathered_text.clear();
        }
    }
    if !gathered.is_empty() {
        take(step(&gathered, &gathered_text, gathered_at, number, picker))?;
    }
    Ok(())
}

fn too_long(raw: &[u8], offset: u64, line: u64) -> Step<'_> {
    Step::Record(Record {
        row: Err("the record is longer than 64 MiB".to_owned()),
        raw,
        offset,
        line,
        remark: None,
    })
}

fn step<'a>(raw: &'a [u8], text: &'a [u8], offset: u64, line: u64, picker: &Picker) -> Step<'a> {
    if is_blank(text) {
        return Step::Frame(raw, offset);
    }
    let picked = match std::str::from_utf8(text) {
        Ok(text) => pick(text, picker),
        Err(_) => Err("the row is not UTF-8".to_owned()),
    };
    let (row, remark) = match picked {
        Ok(picked) => {
            let remark = picked.doubled.then_some((
                NoteKind::Other,
                "a key stands twice in the row; the last one was taken",
            ));
            (Ok(picked.row), remark)
        }
        Err(reason) => (Err(reason), None),
    };
    Step::Record(Record {
        row,
        raw,
        offset,
        line,
        remark,
    })
}

fn pick<'a>(text: &'a str, picker: &Picker) -> std::result::Result<Picked<'a>, String> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let picked = PickSeed(picker).deserialize(&mut deserializer);
    picked
        .and_then(|picked| deserializer.end().map(|()| picked))
        .map_err(|error| format!("the row is not one JSON object: {error}"))
}
