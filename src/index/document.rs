//! One message as the engine takes it: packed words, packed facts and numbers, nothing stored.

use std::iter::Empty;

use tantivy::schema::Field;
use tantivy::schema::document::{Document, ReferenceValue, ReferenceValueLeaf, Value};

use super::facts::{self, FactPacker};
use super::schema::Fields;
use super::terms::Packer;
use crate::domain::MessageNo;
use crate::query::Record;
use crate::query::analysis::{Analysis, TermKind, TextFacts};

/// The analyses of one message, by field; each in the order of the record.
#[derive(Clone, Copy, Default)]
pub struct Words<'a> {
    /// One for each version, oldest first.
    pub versions: &'a [&'a Analysis],
    /// One for each attachment name.
    pub filenames: &'a [&'a Analysis],
    /// One for each extracted text.
    pub extracted: &'a [&'a Analysis],
    /// What each version says beside its words, in the order of the versions.
    pub facts: &'a [&'a TextFacts],
}

/// A message ready for the engine.
#[derive(Debug)]
pub(super) struct MessageDocument {
    pub no: MessageNo,
    fields: Fields,
    pub text: Box<str>,
    pub filename: Box<str>,
    pub attachment: Box<str>,
    pub facts: Box<[u8]>,
    pub sent: i64,
    pub order: u64,
    pub conversation: u64,
    pub sender: Option<u64>,
    amounts: Box<[(i64, u64)]>,
    sizes: Box<[u64]>,
}

/// Reused buffers that turn records into documents.
#[derive(Default)]
pub(super) struct DocumentMaker {
    packer: Packer,
    facts: FactPacker,
}

/// An ISO 4217 code as a number; 0 = none stated.
pub(super) fn currency_number(code: Option<[u8; 3]>) -> u64 {
    code.map_or(0, |[a, b, c]| u64::from_be_bytes([0, 0, 0, 0, 0, a, b, c]))
}

impl DocumentMaker {
    fn pack<'a>(&mut self, texts: impl Iterator<Item = &'a Analysis>) -> Box<str> {
        self.packer.begin();
        for text in texts {
            self.packer.add(text);
        }
        self.packer.packed().into()
    }

    /// The document of a record.
    pub fn make(
        &mut self,
        fields: Fields,
        record: &Record<'_>,
        words: Words<'_>,
    ) -> MessageDocument {
        // The latest version comes first: its positions stay small.
        let text = self.pack(words.versions.iter().rev().copied());
        let filename = self.pack(words.filenames.iter().copied());
        let attachment = self.pack(words.extracted.iter().copied());
        let has_emoji = words
            .versions
            .iter()
            .any(|version| version.terms().any(|term| term.kind == TermKind::Emoji));
        let amounts = words.facts.iter().flat_map(|facts| &facts.amounts);
        let amounts = amounts.map(|one| (one.value_millis, currency_number(one.currency)));
        let urls = words.facts.iter().flat_map(|facts| &facts.urls);
        let facts = self.facts.pack(record, has_emoji, urls.map(String::as_str));
        MessageDocument {
            no: record.no,
            fields,
            text,
            filename,
            attachment,
            facts: facts.into(),
            sent: record.sent.0,
            order: record.order,
            conversation: record.conversation.0.into(),
            sender: record.sender.map(|sender| sender.0.into()),
            amounts: amounts.collect(),
            sizes: record.attachments.iter().map(|fact| fact.size).collect(),
        }
    }
}

/// One value of a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum DocumentValue<'a> {
    Words(&'a str),
    Fact(&'a [u8]),
    Unsigned(u64),
    Signed(i64),
}

impl<'a> Value<'a> for DocumentValue<'a> {
    type ArrayIter = Empty<Self>;
    type ObjectIter = Empty<(&'a str, Self)>;

    #[inline]
    fn as_value(&self) -> ReferenceValue<'a, Self> {
        ReferenceValue::Leaf(match *self {
            DocumentValue::Words(words) => ReferenceValueLeaf::Str(words),
            DocumentValue::Fact(key) => ReferenceValueLeaf::Bytes(key),
            DocumentValue::Unsigned(number) => ReferenceValueLeaf::U64(number),
            DocumentValue::Signed(number) => ReferenceValueLeaf::I64(number),
        })
    }
}

/// The values of a document, field by field in the order of the schema.
pub(super) struct DocumentValues<'a> {
    document: &'a MessageDocument,
    step: u8,
    facts: &'a [u8],
    amount: usize,
    size: usize,
}

impl<'a> DocumentValues<'a> {
    fn words(&mut self, field: Field, words: &'a str) -> Option<(Field, DocumentValue<'a>)> {
        self.step += 1;
        (!words.is_empty()).then_some((field, DocumentValue::Words(words)))
    }

    fn number(&mut self, field: Field, number: u64) -> Option<(Field, DocumentValue<'a>)> {
        self.step += 1;
        Some((field, DocumentValue::Unsigned(number)))
    }

    fn fact(&mut self) -> Option<(Field, DocumentValue<'a>)> {
        let next = facts::unpack(self.facts).next();
        let Some(key) = next else {
            self.step += 1;
            return None;
        };
        self.facts = &self.facts[key.len() + facts::LENGTH_BYTES..];
        Some((self.document.fields.fact, DocumentValue::Fact(key)))
    }

    fn amount(&mut self, currency: bool) -> Option<(Field, DocumentValue<'a>)> {
        let fields = &self.document.fields;
        let Some((value, code)) = self.document.amounts.get(self.amount) else {
            self.step += 1;
            self.amount = 0;
            return None;
        };
        self.amount += 1;
        Some(if currency {
            (fields.currency, DocumentValue::Unsigned(*code))
        } else {
            (fields.amount, DocumentValue::Signed(*value))
        })
    }

    fn size(&mut self) -> Option<(Field, DocumentValue<'a>)> {
        let Some(size) = self.document.sizes.get(self.size) else {
            self.step += 1;
            return None;
        };
        self.size += 1;
        Some((self.document.fields.size, DocumentValue::Unsigned(*size)))
    }
}

/// The step after the last field.
const DONE: u8 = 12;

impl<'a> Iterator for DocumentValues<'a> {
    type Item = (Field, DocumentValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let document = self.document;
        let fields = &document.fields;
        while self.step < DONE {
            let value = match self.step {
                0 => self.words(fields.text, &document.text),
                1 => self.words(fields.filename, &document.filename),
                2 => self.words(fields.attachment, &document.attachment),
                3 => self.fact(),
                4 => self.number(fields.no, document.no.0),
                5 => {
                    self.step += 1;
                    Some((fields.sent, DocumentValue::Signed(document.sent)))
                }
                6 => self.number(fields.order, document.order),
                7 => self.number(fields.conversation, document.conversation),
                8 => {
                    self.step += 1;
                    document
                        .sender
                        .map(|sender| (fields.sender, DocumentValue::Unsigned(sender)))
                }
                9 => self.amount(false),
                10 => self.amount(true),
                _ => self.size(),
            };
            if value.is_some() {
                return value;
            }
        }
        None
    }
}

impl Document for MessageDocument {
    type Value<'a> = DocumentValue<'a>;
    type FieldsValuesIter<'a> = DocumentValues<'a>;

    fn iter_fields_and_values(&self) -> DocumentValues<'_> {
        DocumentValues {
            document: self,
            step: 0,
            facts: &self.facts,
            amount: 0,
            size: 0,
        }
    }
}
