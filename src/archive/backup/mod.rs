//! Backups: ciphertext without keys, an escrow that carries the keys, and the way back.
//!
//! Purpose: copies the record, its sealed files and its log into a directory that opens nothing by
//! itself; seals all live keys to the recovery key; makes a new data directory from both.
//!
//! Invariants:
//! - A backup holds no key. Its own database key lives in the record (`backup_db`) and the escrow.
//! - The escrow holds live keys only. What was destroyed before it was written stays dead in every
//!   older backup; what a purge left alive comes as a survivor pack beside each kept backup.
//! - A backup is whole or has no name: everything is written and synced before the one rename.
//! - While a backup copies, nothing is destroyed, and the other way round.
//! - A restored directory has a new root, new slots, a new keyhold generation and a new seal run,
//!   and destroys nothing until somebody confirmed it.
//!
//! Must not know: who asks, what holds and policies mean (they pass through as rows).

mod check;
mod create;
mod drill;
mod escrow;
mod manifest;
mod pack;
mod registry;
mod restore;
mod rules;
mod survivors;

pub use check::{BackupCheck, check_backup};
pub use create::{BackupBegun, BackupMade};
pub use drill::{DrillVerdict, SAMPLE_ALL};
pub use escrow::{EscrowBackup, EscrowContents, EscrowKey, EscrowReplaced};
pub use manifest::{FileEntry, MANIFEST_BYTES_MAX, MANIFEST_FILE, Manifest, RECORD_FILE};
pub use registry::{BackupHealth, KeptBackup};
pub use restore::{RestoreRequest, Restored, RestoredMark, restore};
pub use rules::CarriedRules;
pub use survivors::{PACKS_FILE, PackEntry, PackList};
