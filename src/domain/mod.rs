//! Ground floor: the words of the business as plain values.
//!
//! Purpose: one definition of every noun that two rooms share - identifiers, times, messages,
//! people, rights - so that no room invents its own.
//!
//! Invariants:
//! - Values only: no IO, no clock, no randomness, no serde. Wire and file shapes are converted
//!   where they live.
//! - Identifiers and row numbers are newtypes; mixing them does not compile.
//!
//! Must not know: how anything is stored, sealed, indexed or shown.

mod actor;
mod id;
mod message;
mod note;
mod time;

pub use actor::{Actor, Right, Role, Scope};
pub use id::{
    AccountNo, BackupId, ConversationId, ConversationNo, EntryNo, ExportId, HandleNo, IdError,
    ImportId, ImportNo, MessageId, MessageNo, PersonId, PersonNo, StoreId, TenantNo, UserId,
    UserNo,
};
pub use message::{
    App, Attachment, AttachmentState, ConversationKind, IdScope, Kind, Presence, ZoneSource,
};
pub use note::{Note, NoteKind};
pub use time::{Now, Precision, Timestamp};
