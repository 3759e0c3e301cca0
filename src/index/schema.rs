//! The fields of the index; `schema/index.md` lists them for people.

use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};

use super::terms::TOKENIZER;
use crate::query::ast::TextField;

/// Column of the row number of the message.
pub(super) const NO: &str = "no";
/// Column of the effective time, microseconds.
pub(super) const SENT: &str = "sent";
/// Column of the sequence in the source.
pub(super) const ORDER: &str = "order";
/// Column of the conversation's row number.
pub(super) const CONVERSATION: &str = "conversation";
/// Column of the sender's row number; none for notices without author.
pub(super) const SENDER: &str = "sender";
/// Column of the amounts, thousandths.
pub(super) const AMOUNT: &str = "amount";
/// Column of their currencies, in the same order; 0 = none stated.
pub(super) const CURRENCY: &str = "currency";
/// Column of the attachments' sizes, bytes.
pub(super) const SIZE: &str = "size";

/// The fields by name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub text: Field,
    pub filename: Field,
    pub attachment: Field,
    pub fact: Field,
    pub no: Field,
    pub sent: Field,
    pub order: Field,
    pub conversation: Field,
    pub sender: Field,
    pub amount: Field,
    pub currency: Field,
    pub size: Field,
}

impl Fields {
    /// The field of words a query names.
    pub fn of(&self, field: TextField) -> Field {
        match field {
            TextField::Text => self.text,
            TextField::Filename => self.filename,
            TextField::Attachment => self.attachment,
        }
    }
}

fn words(fieldnorms: bool) -> TextOptions {
    TextOptions::default().set_indexing_options(
        TextFieldIndexing::default()
            .set_tokenizer(TOKENIZER)
            .set_fieldnorms(fieldnorms)
            .set_index_option(IndexRecordOption::WithFreqsAndPositions),
    )
}

/// The schema and its fields. The order is part of the format.
pub(super) fn build() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let fast = || NumericOptions::default().set_fast();
    let fields = Fields {
        text: builder.add_text_field("text", words(true)),
        filename: builder.add_text_field("filename", words(false)),
        attachment: builder.add_text_field("attachment", words(false)),
        fact: builder.add_bytes_field("fact", BytesOptions::default().set_indexed()),
        no: builder.add_u64_field(NO, fast()),
        sent: builder.add_i64_field(SENT, fast()),
        order: builder.add_u64_field(ORDER, fast()),
        conversation: builder.add_u64_field(CONVERSATION, fast()),
        sender: builder.add_u64_field(SENDER, fast()),
        amount: builder.add_i64_field(AMOUNT, fast()),
        currency: builder.add_u64_field(CURRENCY, fast()),
        size: builder.add_u64_field(SIZE, fast()),
    };
    (builder.build(), fields)
}
