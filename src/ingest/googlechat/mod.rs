//! Google Chat, as Takeout gives it: for each conversation a folder with `group_info.json`,
//! `messages.json` and the files.
//!
//! What it does not tell: words before an edit, the words of deleted messages. Its times are sentences in
//! the language of the account, in UTC: see [`date`].

mod date;
mod download;
mod export;
mod record;

pub use export::GoogleChat;
