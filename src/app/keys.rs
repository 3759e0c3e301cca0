//! The use-cases of keys: what opens the data directory, and a new generation for all keys.

use std::collections::BTreeMap;

use super::{AppError, Appliance, Result, Session};
use crate::archive::{ArchiveError, Rotated, SlotFacts};
use crate::audit::{Action, Appended};
use crate::crypto::{Secret, StretchCost, WRAP_COUNT_ROTATE};
use crate::domain::Right;
use crate::store::KeyKind;

/// What is told of the keys: counts and labels, never a key.
#[derive(Clone, Debug)]
pub struct KeyStatus {
    /// The slots, any of which opens the data directory.
    pub slots: Vec<SlotFacts>,
    /// The keyhold generation in use.
    pub generation: u64,
    /// How many keys of each kind are kept.
    pub keys: BTreeMap<KeyKind, u64>,
    /// Wraps made under this generation.
    pub wraps: u64,
    /// Wraps after which a rotation is due.
    pub wraps_max: u64,
}

impl Appliance {
    /// Slots, generation and numbers of keys.
    pub fn key_status(&self, session: &Session) -> Result<KeyStatus> {
        self.require(session, Right::ManageKeys, Action::KeyRotate)?;
        let generation = self.archive.keyring().generation();
        let rows = self.archive.store().read()?;
        let mut keys = BTreeMap::new();
        for row in rows.data_keys()? {
            *keys.entry(row.purpose.kind).or_insert(0) += 1;
        }
        let wraps = rows.wrap_count(u32::try_from(generation).unwrap_or(u32::MAX))?;
        Ok(KeyStatus {
            slots: self.archive.slots()?,
            generation,
            keys,
            wraps,
            wraps_max: WRAP_COUNT_ROTATE,
        })
    }

    /// Adds a slot for `new`. `secret` is one that opens the directory already: whoever adds a way
    /// in must have one.
    pub fn add_slot(
        &self,
        session: &Session,
        secret: &Secret,
        new: &Secret,
        label: &str,
        cost: &StretchCost,
    ) -> Result<(u32, Appended)> {
        self.require(session, Right::ManageKeys, Action::SlotAdd)?;
        let mut appended = None;
        let number = self
            .archive
            .add_slot(secret, new, label, cost, |number| {
                appended = Some(self.log_slot(session, Action::SlotAdd, number, label)?);
                Ok(())
            })
            .map_err(refused)?;
        self.sign_log()?;
        Ok((number, appended.ok_or_else(no_entry)?))
    }

    /// Removes a slot; the last one stays. `secret` opens another slot than the one that goes.
    pub fn remove_slot(&self, session: &Session, secret: &Secret, number: u32) -> Result<Appended> {
        self.require(session, Right::ManageKeys, Action::SlotRemove)?;
        let mut appended = None;
        self.archive
            .remove_slot(secret, number, || {
                appended = Some(self.log_slot(session, Action::SlotRemove, number, "")?);
                Ok(())
            })
            .map_err(refused)?;
        self.sign_log()?;
        appended.ok_or_else(no_entry)
    }

    fn log_slot(
        &self,
        session: &Session,
        action: Action,
        number: u32,
        label: &str,
    ) -> std::result::Result<Appended, ArchiveError> {
        let now = self.clock.now();
        self.archive.write(now, |tx| {
            let draft = self.draft(session, action).count("slot", u64::from(number));
            let label = Some(label.as_bytes()).filter(|label| !label.is_empty());
            self.archive.log(tx, now, draft, label)
        })
    }

    /// Wraps every key under a new keyhold generation and overwrites the old one.
    pub fn rotate_keys(&self, session: &Session, secret: &Secret) -> Result<(Rotated, Appended)> {
        self.require(session, Right::ManageKeys, Action::KeyRotate)?;
        let now = self.clock.now();
        let mut appended = None;
        let rotated = self.archive.rotate(now, secret, |tx, rotated| {
            let draft = self
                .draft(session, Action::KeyRotate)
                .count("generation", rotated.generation)
                .count("keys", rotated.keys);
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        self.sign_log()?;
        Ok((rotated, appended.ok_or_else(no_entry)?))
    }
}

fn no_entry() -> AppError {
    AppError::Integrity("the act left no audit entry".to_owned())
}

/// Limits of slots are told as what they are: something to do differently.
fn refused(error: ArchiveError) -> AppError {
    match error {
        ArchiveError::Crypto(crate::crypto::Error::Limit(what)) => {
            AppError::Conflict(what.to_owned())
        }
        other => other.into(),
    }
}
