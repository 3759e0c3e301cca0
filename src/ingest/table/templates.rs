//! Learns from the first rows of a file how its rows are put together, so that the raw form of a
//! row costs only what is kept nowhere else.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::ingest::raw::{
    Field, Fields, Piece, Style, TEMPLATES_MAX, Template, Templates, style_of,
};

use super::cell::Repaired;
use super::jsonl::Picker;
use super::mapping::Slot;
use super::writer::{Plan, Record};

/// Rows looked at.
const ROWS_LEARNED: usize = 512;
/// Rows longer than this teach nothing; bytes.
const ROW_BYTES_MAX: usize = 64 * 1024;

/// Gathers the shapes of the first rows.
pub(super) struct TemplateLearner {
    file_title: String,
    rows: usize,
    shapes: BTreeMap<Vec<String>, Shape>,
}

/// The rows with one sequence of keys.
struct Shape {
    rows: usize,
    /// Literal bytes before each value, and behind the last.
    literals: Vec<Vec<u8>>,
    values: Vec<Value>,
}

/// What is known of one value of a shape.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Field(Field, Style),
    Same(Vec<u8>),
    Differs,
}

impl TemplateLearner {
    pub fn new(file_title: String) -> Self {
        Self {
            file_title,
            rows: 0,
            shapes: BTreeMap::new(),
        }
    }

    /// Looks at one record, if it is among the first.
    pub fn learn(&mut self, record: &Record<'_>, picker: &Picker, plan: &mut Plan) {
        if self.rows >= ROWS_LEARNED || record.raw.len() > ROW_BYTES_MAX {
            return;
        }
        let (Ok(row), Ok(text)) = (&record.row, std::str::from_utf8(record.raw)) else {
            return;
        };
        self.rows += 1;
        let Ok(instant) = plan.instant(row) else {
            return;
        };
        let texts = plan.texts(row, &self.file_title, &mut Repaired::default());
        let fields = Plan::fields(&texts, instant.map(|instant| instant.sent));
        let Some(tokens) = tokens(text) else { return };
        let mut shape = Shape {
            rows: 1,
            literals: Vec::new(),
            values: Vec::new(),
        };
        let mut at = 0;
        let mut keys = Vec::new();
        for token in &tokens {
            let is_string = token.value.starts_with('"');
            let inset = usize::from(is_string);
            let start = token.start + inset;
            let end = token.start + token.value.len() - inset;
            shape.literals.push(record.raw[at..start].to_vec());
            at = end;
            shape.values.push(value_of(
                &record.raw[start..end],
                picker.slots(&token.key),
                &fields,
            ));
            keys.push(format!(
                "{}{}",
                if is_string { '"' } else { ' ' },
                token.key
            ));
        }
        shape.literals.push(record.raw[at..].to_vec());
        match self.shapes.get_mut(&keys) {
            Some(known) => known.merge(shape),
            None => {
                self.shapes.insert(keys, shape);
            }
        }
    }

    /// The templates, the most frequent first.
    pub fn finish(self) -> Templates {
        let mut shapes: Vec<Shape> = self.shapes.into_values().collect();
        shapes.sort_by_key(|shape| std::cmp::Reverse(shape.rows));
        shapes.truncate(TEMPLATES_MAX);
        Templates(shapes.into_iter().map(Shape::template).collect())
    }
}

impl Shape {
    /// Keeps what both rows have in common. The blanks between keys are those of the first row.
    fn merge(&mut self, other: Shape) {
        self.rows += 1;
        for (known, new) in self.values.iter_mut().zip(other.values) {
            let same = *known == new;
            let (Value::Field(field, style), Value::Field(other, other_style)) = (&*known, &new)
            else {
                if !same {
                    *known = Value::Differs;
                }
                continue;
            };
            // A row without anything to escape fits both ways of escaping.
            if field == other && *style == Style::Json && *other_style == Style::JsonAscii {
                *known = new;
            }
        }
    }

    fn template(self) -> Template {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut literal = Vec::new();
        let mut literals = self.literals.into_iter();
        for value in self.values {
            literal.extend(literals.next().unwrap_or_default());
            match value {
                Value::Same(bytes) => literal.extend(bytes),
                Value::Field(field, style) => {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    pieces.push(Piece::Field(field, style));
                }
                Value::Differs => {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                    pieces.push(Piece::Hole);
                }
            }
        }
        literal.extend(literals.next().unwrap_or_default());
        pieces.push(Piece::Literal(literal));
        Template { pieces }
    }
}

/// What a value is: a kept field where it renders alike, else bytes.
fn value_of(bytes: &[u8], slots: &[usize], fields: &Fields<'_>) -> Value {
    let field_of = |slot: &usize| {
        [
            (Slot::Conversation, Field::Conversation),
            (Slot::Sender, Field::Sender),
            (Slot::Time, Field::Sent),
            (Slot::Body, Field::Body),
            (Slot::Id, Field::SourceId),
            (Slot::ReplyTo, Field::ReplyTo),
        ]
        .into_iter()
        .find(|(known, _)| *known as usize == *slot)
        .map(|(_, field)| field)
    };
    slots
        .iter()
        .filter_map(field_of)
        .find_map(|field| Some(Value::Field(field, style_of(bytes, fields, field)?)))
        .unwrap_or_else(|| Value::Same(bytes.to_vec()))
}

/// A key with its value and where the value stands.
struct Token<'a> {
    key: String,
    value: &'a str,
    start: usize,
}

/// The keys and values of a checked row.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    struct List<'a>(Vec<(String, &'a RawValue)>);
    impl<'de> serde::Deserialize<'de> for List<'de> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct ListVisitor;
            impl<'de> serde::de::Visitor<'de> for ListVisitor {
                type Value = List<'de>;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Self::Value, A::Error> {
                    let mut list = Vec::new();
                    while let Some(entry) = map.next_entry()? {
                        list.push(entry);
                    }
                    Ok(List(list))
                }
            }
            deserializer.deserialize_map(ListVisitor)
        }
    }
    let List(list) = serde_json::from_str(text).ok()?;
    let place = |value: &str| (value.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
    list.into_iter()
        .map(|(key, value)| {
            let value = value.get();
            Some(Token {
                key,
                value,
                start: place(value)?,
            })
        })
        .collect()
}
