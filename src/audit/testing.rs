//! A store in a scratch directory and a log in memory, for the tests of this room.

use std::collections::BTreeMap;

use tempfile::TempDir;

use crate::crypto::{Checkpoint, Key, SeededEntropy, SigningKey};
use crate::domain::{Now, StoreId, Timestamp};
use crate::store::{DataDirectory, Store};

use super::checkpoint::{LogSigner, sign};
use super::entry::{Draft, EntryActor};
use super::log::{LogEnd, append};
use super::payload::Payload;
use super::{Action, LogFiles};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) struct Scratch(TempDir);

impl Scratch {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a scratch directory"))
    }

    pub(super) fn open(&self) -> Store {
        let directory = DataDirectory::create(&self.0.path().join("data"), None).expect("creates");
        Store::create(directory, Key::from_bytes([7; 32])).expect("creates")
    }
}

pub(super) fn now(at: i64) -> Now {
    Now {
        compliance: Timestamp(at),
        wall: Timestamp(at),
    }
}

pub(super) fn draft(action: Action) -> Draft {
    Draft::new(EntryActor::system(), action, "r1")
}

pub(super) fn signer() -> LogSigner {
    let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
    LogSigner::new("example", StoreId(1), key).expect("a fine name")
}

/// Appends entries of a lawful story: a store, then openings of it.
pub(super) fn fill(store: &Store, count: u64) {
    let tx = store.write().expect("writes");
    let start = LogEnd::read(&tx).expect("reads").edge.size();
    for at in start..start + count {
        // One seed for each place: the same story gives the same bytes in every store.
        let entropy = SeededEntropy::new(at);
        let action = match at {
            0 => Action::StoreCreate,
            _ => Action::StoreOpen,
        };
        append(&tx, &now(at as i64), draft(action), Payload::none(&entropy)).expect("appends");
    }
    tx.commit().expect("commits");
}

/// Signs and publishes; gives the newest checkpoint.
pub(super) fn checkpoint_now(store: &Store, files: &mut Files) -> Checkpoint {
    let tx = store.write().expect("writes");
    let signed = sign(&tx, files, &signer()).expect("signs");
    tx.commit().expect("commits");
    if let Some(signed) = signed {
        signed.publish(files).expect("writes to memory");
        return signed.checkpoint;
    }
    let note = files
        .read("checkpoint")
        .expect("reads")
        .expect("there is one");
    crate::crypto::open_checkpoint(&note, signer().verifier()).expect("ours")
}
