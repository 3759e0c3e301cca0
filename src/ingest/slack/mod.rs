//! Slack workspace exports: an archive or a folder with lists of people and conversations, and for each
//! conversation a folder with a file for each day.
//!
//! Facts: Slack help, "How to read Slack data exports"; slackhq/slack-api-docs. What an export does not
//! tell: words before an edit (except in exports of whole organisations), files (only links), private
//! conversations in exports of public channels.

mod export;
mod people;
mod plan;
mod record;
mod words;

pub use export::Slack;
