//! Floor 4: the single writer. It admits, seals, settles the index, opens for reading.
//!
//! Purpose: the only room that joins keys, record, sealed files and index, so that no other can
//! forget one of them.
//!
//! Invariants:
//! - Only this room writes messages. A batch is durable with its index work and its audit entry in
//!   one transaction, or not at all.
//! - No (key, nonce) pair twice: numbers are handed out once, and a transaction that sealed and did
//!   not commit ends its seal run.
//! - What the index shows is settled from the outbox; a crash between the two commits is replayed
//!   on open.
//! - Content is opened in its own place or not at all.
//!
//! Must not know: who asks (rooms above pass what may be seen), how foreign files look.

mod admit;
mod attachment;
mod backup;
mod batch;
mod directory;
mod entity;
mod erase;
mod error;
mod journal;
mod keyring;
mod milestone;
mod open;
mod packed;
mod parts;
mod read;
mod rebuild;
mod rotate;
mod sealer;
mod segment_keys;
mod settle;
mod texts;
mod vault;
mod verify;
mod wire;
mod words;

pub use admit::{Admitted, AdmittedAttachment};
pub use backup::{
    BackupBegun, BackupCheck, BackupHealth, BackupMade, CarriedRules, DrillVerdict, EscrowBackup,
    EscrowContents, EscrowKey, EscrowReplaced, FileEntry, KeptBackup, MANIFEST_BYTES_MAX,
    MANIFEST_FILE, Manifest, PACKS_FILE, PackEntry, PackList, RECORD_FILE, RestoreRequest,
    Restored, RestoredMark, SAMPLE_ALL, check_backup, restore,
};
pub use batch::{BATCH_BYTES, BATCH_MESSAGES, Batch, Fate, Incoming, NewConversation, NewHandle};
pub use directory::{Directory, HandleEntry};
pub use erase::{
    APPROVALS_MAX, Approval, ApprovalRule, Approved, Disposed, EraseContext, Erased, ErasedItem,
    Grounds, Judge, JudgeError, Judged, Judgement, KeepReason, KeptBackups, NoBackups, NotApproved,
    PLAN_ITEMS_MAX, Plan, PlanError, PlanItem, Prunable, PruneLimit, Pruned, Residue, SLICE_ITEMS,
    Survivors, Unfinished, identities_root,
};
pub use error::{ArchiveError, Result};
pub use keyring::Keyring;
pub use milestone::{Milestones, Unwatched};
pub use open::{Archive, ArchiveConfig};
pub use packed::{ATTACHMENTS_MAX, Packed};
pub use read::{OpenedMessage, OpenedVersion, Reader};
pub use rebuild::Rebuilt;
pub use rotate::{Rotated, SlotFacts};
pub use sealer::{bucket_of, entity_bucket};
pub use settle::{Settler, Watermark};
pub use vault::{NewVault, Vault, mint};
pub use verify::{ContentVerdict, IndexVerdict};
