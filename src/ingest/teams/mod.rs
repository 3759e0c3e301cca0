//! Microsoft Teams: messages as Microsoft Graph gives them (`chatMessage`), in a list, in pages of answers,
//! or in dumps that write the same members with capitals.
//!
//! Facts: Microsoft Graph documentation, resource types `chatMessage`, `chatMessageAttachment`,
//! `chatMessageReaction`, `chatMessageMention`, `eventMessageDetail`. What it does not tell: words before an
//! edit, names of chats. The same chat stands in the dump of each of its members: ids hold it together.

mod export;
mod html;
mod record;

pub use export::Teams;
