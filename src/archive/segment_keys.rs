//! Keys of index segments, minted ahead so that the engine never waits for a transaction.

use std::sync::{Arc, Mutex, PoisonError};

use super::Keyring;
use super::error::Result;
use crate::crypto::Key;
use crate::index::{KeyError, KeyId, SegmentKeys};
use crate::store::{DataKeyId, KeyKind, KeyPurpose, Store};

/// Keys minted at a time, and the number of ready keys below which more are minted.
const BATCH: usize = 64;
const LOW: usize = 16;

/// The key table as the index sees it.
pub(super) struct MintedKeys {
    store: Arc<Store>,
    keyring: Arc<Keyring>,
    meta: Key,
    ready: Mutex<Vec<(KeyId, Key)>>,
}

impl MintedKeys {
    /// Opens the key of the meta files (minted on the first start) and mints a first batch. Keys
    /// that a crash left unassigned are destroyed by the caller once the index told which are used.
    pub(super) fn start(store: &Arc<Store>, keyring: &Arc<Keyring>) -> Result<Arc<MintedKeys>> {
        let tx = store.write()?;
        let (_, meta) = keyring.current(&tx, &KeyPurpose::only(KeyKind::IndexMeta))?;
        tx.commit()?;
        let keys = MintedKeys {
            store: Arc::clone(store),
            keyring: Arc::clone(keyring),
            meta,
            ready: Mutex::new(Vec::new()),
        };
        keys.refill()?;
        Ok(Arc::new(keys))
    }

    /// Mints more when few are ready. Must not be called inside a write transaction.
    pub(super) fn refill(&self) -> Result<()> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= LOW {
            return Ok(());
        }
        let tx = self.store.write()?;
        let mut minted = Vec::with_capacity(BATCH);
        for _ in 0..BATCH {
            let (id, key) = self.keyring.mint_unassigned(&tx, KeyKind::IndexSegment)?;
            minted.push((KeyId(u64::from(id.0)), key));
        }
        tx.commit()?;
        ready.append(&mut minted);
        Ok(())
    }

    /// Keys in the table that are neither ready here nor in `used`: left by a crash, or by an index
    /// that another one replaced.
    pub(super) fn strays(&self, used: &[KeyId]) -> Result<Vec<KeyId>> {
        let ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.store.read()?.data_keys()?;
        Ok(rows
            .iter()
            .filter(|row| row.purpose.kind == KeyKind::IndexSegment)
            .map(|row| KeyId(u64::from(row.id.0)))
            .filter(|id| !used.contains(id) && !ready.iter().any(|(known, _)| known == id))
            .collect())
    }
}

fn failed(error: impl std::fmt::Display) -> KeyError {
    KeyError(error.to_string())
}

fn row_id(id: KeyId) -> std::result::Result<DataKeyId, KeyError> {
    u32::try_from(id.0).map(DataKeyId).map_err(failed)
}

impl SegmentKeys for MintedKeys {
    fn take(&self) -> std::result::Result<(KeyId, Key), KeyError> {
        let taken = self
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(taken) = taken {
            return Ok(taken);
        }
        // More segments than expected since the last settlement: mint now.
        self.refill().map_err(failed)?;
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        ready
            .pop()
            .ok_or_else(|| failed("no key is ready; try again"))
    }

    fn find(&self, id: KeyId) -> std::result::Result<Option<Key>, KeyError> {
        let rows = self.store.read().map_err(failed)?;
        match self.keyring.key(&rows, row_id(id)?) {
            Ok(key) => Ok(Some(key)),
            Err(super::ArchiveError::Disposed(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    fn drop_keys(&self, ids: &[KeyId]) -> std::result::Result<(), KeyError> {
        if ids.is_empty() {
            return Ok(());
        }
        let tx = self.store.write().map_err(failed)?;
        for id in ids {
            tx.delete_data_key(row_id(*id)?).map_err(failed)?;
        }
        tx.commit().map_err(failed)?;
        for id in ids {
            self.keyring.forget(row_id(*id)?);
        }
        Ok(())
    }

    fn meta_key(&self) -> std::result::Result<Key, KeyError> {
        Ok(self.meta.clone())
    }
}
