//! Floor 2: where is it kept? The data directory: the encrypted record, sealed files, key files.
//!
//! Purpose: typed rows and transactions over SQLCipher, write-once sealed files, the files that
//! hold wrapped keys, and the lock that makes this process the only one.
//!
//! Invariants:
//! - The only user of SQLite. SQL stands beside the noun it serves.
//! - Reading and writing are different types: a `WriteTx` is the permission to write, there is
//!   one at a time, and dropping it without `commit` undoes everything.
//! - Content arrives sealed. This room never sees a body, a name or a plain key of a bucket.
//! - A number of the sequence is handed out once, whatever crashes or rolls back.
//!
//! Must not know: what the sealed bytes mean, who may see them, what time it is.

mod asked;
mod audit_rows;
mod backup_files;
mod backup_rows;
mod blob;
mod carry;
mod clock;
mod clock_claim;
mod connection;
mod content;
mod conversation;
mod data_key;
mod directory;
mod directory_user;
mod disposition;
mod erase_rows;
mod error;
mod event;
mod fact;
mod four_eyes;
mod freeze;
mod govern;
mod hold;
mod import;
mod index_rows;
mod job;
mod label;
mod message;
mod migration;
mod notice;
mod number;
mod people;
mod policy;
mod record_copy;
mod replay;
mod request;
mod scratch;
mod second_factor;
mod setup;
mod sso;
mod staging;
mod token;
mod tombstone;
mod transaction;
mod user;
mod web_session;

pub use asked::AskedRow;
pub use audit_rows::AuditEntryRow;
pub use backup_files::{BackupDraft, BackupFiles, read_file, replace_whole_file};
pub use backup_rows::{BackupRow, BackupState, EscrowTargetRow, Keyless, RecoveryKeyRow};
pub use blob::{BlobFiles, BlobRow};
pub use carry::{CarriedTable, CarriedValue};
pub use clock::ClockRow;
pub use clock_claim::ClockClaimRow;
pub use connection::Store;
pub use content::{ContentKey, ContentRow, PARTS_MAX};
pub use conversation::{ConversationRow, ConversationSpan};
pub use data_key::{DataKeyId, DataKeyRow, DataKeyState, KeyKind, KeyPurpose};
pub use directory::{DataDirectory, KEYHOLD_FILE, SLOTS_FILE};
pub use directory_user::DirectoryUserRow;
pub use disposition::{
    ActKind, DispositionActRow, DispositionItemRow, DispositionRow, DispositionState, SimulationRow,
};
pub use erase_rows::{CERTIFICATE_SEQUENCE, EraseBatchRow, EraseFate, EraseItemRow, EraseState};
pub use error::StoreError;
pub use event::EventRow;
pub use four_eyes::{FourEyesOf, FourEyesRow, SessionWatchRow};
pub use freeze::FreezeRow;
pub use govern::Epochs;
pub use hold::{HoldRow, MatterRow};
pub use import::{ImportCounts, ImportRow, ImportState};
pub use index_rows::{AnchorRow, OutboxRow};
pub use job::{JobRow, JobStage};
pub use label::{LabelRow, LabelSpanRow, MessageFloor};
pub use message::MessageRow;
pub use migration::SCHEMA_VERSION;
pub use notice::{
    CustodianRow, NoticeActRow, NoticeLinkRow, NoticeRow, NoticeTemplateRow, NoticeTextRow,
};
pub use number::{NUMBER_BLOCK, NumberRange};
pub use people::HandleRow;
pub use policy::PolicyVersionRow;
pub use record_copy::{RecordCounts, check_record_copy};
pub use replay::{ReplayRow, ReplayStage};
pub use request::{RequestItemRow, RequestRow, Spans};
pub use scratch::{Scratch, ScratchPen};
pub use second_factor::SecondFactorRow;
pub use setup::{LinkRow, SetupTokenRow};
pub use sso::{SsoAttemptRow, SsoBindingRow, SsoProviderRow};
pub use staging::{StagedFile, StagedReader, StagedWriter};
pub use token::{ApiTokenPart, TokenRow};
pub use tombstone::{TombstoneKind, TombstoneRow};
pub use transaction::{ReadTx, Rows, WriteTx};
pub use user::{GrantKind, UserRow};
pub use web_session::WebSessionRow;
