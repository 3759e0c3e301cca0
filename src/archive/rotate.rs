//! Key work: slots, and a new keyhold generation that wraps every key anew.
//!
//! Rotation: the new generation is written to the place that is not in use; one store transaction
//! wraps all rows under it; then the old place is overwritten. Whatever a crash leaves, the rows
//! say which generation is theirs, and the next open overwrites the other.

use super::error::Result;
use super::{Archive, ArchiveError};
use crate::crypto::{
    Entropy, Key, Keyhold, KeyholdFile, PLACE_LEN, Place, Secret, SlotFile, SlotKind, StretchCost,
};
use crate::domain::Now;
use crate::store::{DataDirectory, KEYHOLD_FILE, SLOTS_FILE, WriteTx};

/// What is told of a slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFacts {
    /// Its number.
    pub number: u32,
    /// What opens it.
    pub kind: SlotKind,
    /// What people call it.
    pub label: String,
}

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The generation that wraps the keys now.
    pub generation: u64,
    /// Keys that were wrapped anew.
    pub keys: u64,
}

/// The file with one place replaced.
pub(super) fn with_place(file: &[u8], place: Place, bytes: &[u8; PLACE_LEN]) -> Vec<u8> {
    let mut changed = file.to_vec();
    changed.resize(2 * PLACE_LEN, 0);
    let at = place.offset() as usize;
    changed[at..at + PLACE_LEN].copy_from_slice(bytes);
    changed
}

fn read_slots(directory: &DataDirectory) -> Result<SlotFile> {
    SlotFile::parse(&directory.read_key_file(SLOTS_FILE)?)
        .map_err(|error| ArchiveError::KeyFile(format!("keys/slots: {error}")))
}

impl Archive {
    /// The slots that open the data directory.
    pub fn slots(&self) -> Result<Vec<SlotFacts>> {
        let slots = read_slots(self.store.directory())?;
        Ok(slots
            .slots()
            .iter()
            .map(|slot| SlotFacts {
                number: slot.number,
                kind: slot.kind,
                label: slot.label.clone(),
            })
            .collect())
    }

    fn root(&self, slots: &SlotFile, secret: &Secret) -> Result<Key> {
        Ok(slots.unlock(secret)?.root)
    }

    /// Adds a slot for `new`; `secret` is one that opens the directory already. `log` makes the
    /// entry durable before the file changes.
    pub fn add_slot(
        &self,
        secret: &Secret,
        new: &Secret,
        label: &str,
        cost: &StretchCost,
        log: impl FnOnce(u32) -> Result<()>,
    ) -> Result<u32> {
        let directory = self.store.directory();
        let mut slots = read_slots(directory)?;
        let root = self.root(&slots, secret)?;
        let number = slots.add(&root, new, label, cost, &**self.keyring.entropy())?;
        log(number)?;
        directory.write_key_file(SLOTS_FILE, &slots.to_bytes())?;
        Ok(number)
    }

    /// Removes a slot; the last one stays. `secret` opens another slot.
    pub fn remove_slot(
        &self,
        secret: &Secret,
        number: u32,
        log: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let directory = self.store.directory();
        let mut slots = read_slots(directory)?;
        let unlocked = slots.unlock(secret)?;
        if unlocked.slot == number {
            return Err(ArchiveError::KeyFile(
                "this secret opens the slot that is to go: use the secret of another".to_owned(),
            ));
        }
        slots.remove(&unlocked.root, number)?;
        log()?;
        Ok(directory.write_key_file(SLOTS_FILE, &slots.to_bytes())?)
    }

    /// Wraps every key under a new keyhold generation and overwrites the old one. `with` runs in
    /// the transaction of the rows (the audit entry).
    pub fn rotate(
        &self,
        now: Now,
        secret: &Secret,
        with: impl FnOnce(&WriteTx<'_>, &Rotated) -> Result<()>,
    ) -> Result<Rotated> {
        let directory = self.store.directory();
        let root = self.root(&read_slots(directory)?, secret)?;
        let next = self.write_next_hold(&root)?;
        self.reached("rotate.written");
        let rotated = self
            .keyring
            .rewrap(&self.store, now, next.hold.clone(), |tx, rotated| {
                self.reached("rotate.rewrapped");
                with(tx, rotated)
            })?;
        self.reached("rotate.committed");
        self.retire_hold(&next)?;
        self.reached("rotate.overwritten");
        // The elder wraps are in the write-ahead log until it is emptied.
        self.store.checkpoint()?;
        Ok(rotated)
    }

    /// Makes the next generation of the keyhold durable in the place that is not in use. As long as
    /// no row is wrapped under it nothing has changed: the next open overwrites it.
    pub(super) fn write_next_hold(&self, root: &Key) -> Result<NextHold> {
        let directory = self.store.directory();
        let id = self.keyring.store_id();
        let entropy: &dyn Entropy = &**self.keyring.entropy();
        let file = directory.read_key_file(KEYHOLD_FILE)?;
        let read = KeyholdFile::read(&file, root, id)
            .map_err(|error| ArchiveError::KeyFile(format!("keys/keyhold: {error}")))?;
        let old = self.keyring.hold();
        let Some((place, _)) = read.of_generation(old.generation) else {
            return Err(ArchiveError::KeyFile(format!(
                "keys/keyhold does not hold generation {}, which wraps the keys",
                old.generation
            )));
        };
        let hold = old.next(entropy);
        let bytes = hold.to_place(root, id, entropy)?;
        let file = with_place(&file, place.other(), &bytes);
        directory.overwrite_key_file(KEYHOLD_FILE, &file)?;
        let old_place = *place;
        Ok(NextHold {
            hold,
            bytes,
            file,
            old_place,
        })
    }

    /// Overwrites the elder generation: with chance, with zeros, then with the new one, each made
    /// durable, so that a disk that overwrites in place keeps nothing of it.
    pub(super) fn retire_hold(&self, next: &NextHold) -> Result<()> {
        let directory = self.store.directory();
        let mut chance = [0; PLACE_LEN];
        self.keyring.entropy().fill(&mut chance);
        for bytes in [&chance, &[0; PLACE_LEN], &next.bytes] {
            let file = with_place(&next.file, next.old_place, bytes);
            directory.overwrite_key_file(KEYHOLD_FILE, &file)?;
        }
        Ok(())
    }
}

/// A generation of the keyhold that is durable and not in use yet.
pub(super) struct NextHold {
    /// The keyhold.
    pub(super) hold: Keyhold,
    bytes: [u8; PLACE_LEN],
    file: Vec<u8>,
    old_place: Place,
}
