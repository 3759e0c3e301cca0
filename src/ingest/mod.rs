//! Floor 5: foreign bytes become messages and notes.
//!
//! Purpose: open containers, find out what is inside, read it, and tell new messages from known
//! ones. Bytes come through [`Source`]; messages, notes and frames leave through [`Sink`].
//!
//! Invariants:
//! - Readers are total: every byte of an entry leaves in exactly one message or frame, and what
//!   cannot be read is a note. They never panic.
//! - Nothing is decided silently. What a file leaves open is asked before the first message
//!   leaves, and the same bytes with the same answers give the same messages.
//! - Memory stays flat: no text format holds a whole file.
//! - Bodies are as written; normal forms serve comparison alone.
//!
//! Must not know: the store, keys, files, the clock, the network.

pub mod align;
mod answers;
mod beside;
mod budget;
mod bundle;
mod calendar;
mod container;
mod credential;
mod detect;
mod discord;
mod error;
mod format;
mod google_voice;
mod googlechat;
mod html;
mod import;
mod inflated;
mod json;
mod kakao;
mod line_chat;
mod lines;
mod mailed;
mod matrix;
mod mattermost;
mod message;
mod messenger;
mod nested;
mod pack;
mod printed;
pub mod raw;
mod rocketchat;
mod rows;
mod rsmf;
mod sheet;
mod signal_text;
mod slack;
mod source;
mod table;
mod tarred;
mod teams;
mod telegram;
mod telegram_page;
mod teller;
mod transcript;
mod viber;
mod wechat;
mod whatsapp;
mod zipped;
mod zone;
mod zoom;

pub use answers::{
    ANSWER_NEW, Answers, DateOrder, OrderDecision, Outcome, Question, QuestionKind, Reading,
    Refusal, Summary, ZoneAnswer,
};
pub use budget::Budget;
pub use bundle::{
    BLOCK_BYTES, BundleEntry, BundleError, BundleReader, BundleWriter, ENTRY_BYTES_MAX,
    ENTRY_NAME_BYTES_MAX, Span,
};
pub use calendar::local_time;
pub use container::{Container, Entry, Packing};
pub use credential::without_credentials;
pub use detect::{Detection, Found, detect, mime_of};
pub use error::{IngestError, Result};
pub use import::{has_keys, import, refers};
pub use message::{
    Frame, ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, ParsedVersion, Sink, Stop,
};
pub use pack::zip_of;
pub use sheet::{BYTE_ORDER_MARK, read_rows, write_row};
pub use source::{Cursor, MemorySource, Source};
pub use table::{Column, Mapping, MappingError};
pub use zone::LocalClock;
