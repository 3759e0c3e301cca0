//! Floor 3: who did what, provably?
//!
//! Purpose: one log of everything that is done, appended in the transaction of the deed, hashed in a
//! Merkle tree, signed in checkpoints, and a verifier that needs neither key nor network.
//! `schema/log.md` is the byte format, enough for a stranger to write another verifier.
//!
//! Invariants:
//! - No entry durable, no effect and no answer: `append` takes the caller's transaction.
//! - An entry holds ids, counts and codes. Texts are in the payload, which is sealed and can be
//!   destroyed by year without hurting the tree.
//! - Nothing is signed that contradicts what was signed before.
//! - The verifier trusts no identity from the data it verifies.
//!
//! Must not know: what a message says, which clock the time came from, where an anchor is kept.

mod action;
mod beginning;
mod checkpoint;
mod entry;
mod error;
mod files;
mod log;
mod payload;
mod proof;
mod replay;
mod report;
mod statement;
mod terms;
#[cfg(test)]
mod testing;
mod verifier;

pub use action::{Action, Phase};
pub use beginning::{BEGINNING_FILE, Beginning, PRUNE_DAYS_MIN, check_beginning};
pub use checkpoint::{LogSigner, Signed, check, export, sign};
pub use entry::{
    AuthStrength, ClockQuality, Draft, ENTRY_BYTES_MAX, Entry, EntryActor, Fact, INTEGER_MAX,
    OBJECTS_MAX, Outcome, WORD_BYTES_MAX,
};
pub use error::{AuditError, Result};
pub use files::{CHECKPOINT_FILE, HISTORY_SPAN, LogFiles, LogSink, VKEY_FILE, history_name};
pub use log::{Appended, LogEnd, append};
pub use payload::{PAYLOAD_BYTES_MAX, Payload, PayloadKey, kept_run};
pub use proof::{InclusionProof, PublishedNodes, check_consistency, prove_consistency};
pub use replay::{Conservation, Disposal, Replay, Violation};
pub use report::{PROBLEMS_MAX, Problem, Report, Verdict};
pub use statement::{StatementKind, verify_statement};
pub use verifier::{Pins, verify_files, verify_store};
