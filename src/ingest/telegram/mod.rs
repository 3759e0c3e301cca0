//! Telegram Desktop exports: `result.json` of one chat or of a whole account.
//!
//! Field names and their shapes are those of telegramdesktop/tdesktop,
//! `Telegram/SourceFiles/export/output/export_output_json.cpp`.
//!
//! What the format cannot tell: earlier words of an edited message, what was deleted, who read what,
//! and, where a group is exported without the account, whose count the ids of its messages are.

mod export;
mod record;
mod words;

pub use export::Telegram;
