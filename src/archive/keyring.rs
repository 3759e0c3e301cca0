//! The opened keys: minted in the caller's transaction, cached, never used twice with one nonce.
//!
//! Nonce law, as kept here: a row's key is derived from its bucket key and the salt of the run;
//! the run changes at every start of the process and after every transaction that sealed something
//! and did not commit. `Archive::write` sees to the latter.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::Result;
use super::{ArchiveError, Rotated};
use crate::crypto::{
    Entropy, Key, Keyhold, RowCipher, RunSalt, WrapPlace, WrappedKey, Wrapper, bucket_tag,
};
use crate::domain::{Now, StoreId, Timestamp};
use crate::store::{
    DataKeyId, DataKeyRow, DataKeyState, KeyKind, KeyPurpose, Rows, Store, StoreError, WriteTx,
};

/// The opened keys of a data directory.
pub struct Keyring {
    store: Arc<Store>,
    id: StoreId,
    /// Wraps the generations of the keyhold: a purge makes one without asking for a secret.
    root: Key,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
}

struct State {
    hold: Keyhold,
    wrapper: Wrapper,
    run: u32,
    run_salt: RunSalt,
    /// Set when a transaction that sealed was undone: the next use takes a new run first.
    run_stale: bool,
    opened: HashMap<DataKeyId, Opened>,
    current: HashMap<KeyPurpose, DataKeyId>,
    salts: HashMap<u32, RunSalt>,
}

/// What a rewrap replaced.
pub(super) struct Former {
    hold: Keyhold,
    wrapper: Wrapper,
}

#[derive(Clone)]
struct Opened {
    key: Key,
    tag: u64,
}

/// A row cipher with what its places need.
#[derive(Clone)]
pub(super) struct BucketCipher {
    pub(super) data_key: DataKeyId,
    pub(super) run: u32,
    pub(super) tag: u64,
    pub(super) cipher: Arc<RowCipher>,
}

/// The bucket of a purpose as the one number that wraps and rows bind.
pub(super) fn tag(purpose: &KeyPurpose) -> u64 {
    match (purpose.bucket_month, purpose.bucket_shard) {
        (Some(month), shard) => bucket_tag(month as u32, u32::from(shard.unwrap_or(0))),
        // No calendar month reaches the upper bit, so kinds and months cannot meet.
        (None, shard) => bucket_tag(1 << 31 | purpose.kind as u32, u32::from(shard.unwrap_or(0))),
    }
}

impl Keyring {
    pub(super) fn start(
        store: Arc<Store>,
        id: StoreId,
        (root, hold): (Key, Keyhold),
        entropy: Arc<dyn Entropy>,
        now: Timestamp,
    ) -> Result<Keyring> {
        let generation = generation(&hold)?;
        let used = store.read()?.wrap_count(generation)?;
        let run_salt = RunSalt::random(&*entropy);
        let tx = store.write()?;
        let run = tx.insert_seal_run(&run_salt.0, now.0)?;
        tx.commit()?;
        let state = State {
            hold: hold.clone(),
            wrapper: Wrapper::new(&hold.key, used),
            run,
            run_salt,
            run_stale: false,
            opened: HashMap::new(),
            current: HashMap::new(),
            salts: HashMap::from([(run, run_salt)]),
        };
        Ok(Keyring {
            store,
            id,
            root,
            entropy,
            state: Mutex::new(state),
        })
    }

    /// The source of randomness.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }

    /// The data directory's id.
    pub fn store_id(&self) -> StoreId {
        self.id
    }

    /// Generation of the keyhold that wraps new keys.
    pub fn generation(&self) -> u64 {
        self.state().hold.generation
    }

    /// The keyhold that wraps new keys.
    pub(super) fn hold(&self) -> Keyhold {
        self.state().hold.clone()
    }

    /// The key that wraps the keyhold.
    pub(super) fn root(&self) -> &Key {
        &self.root
    }

    /// Wraps every key row under another keyhold, in one transaction.
    pub(super) fn rewrap(
        &self,
        store: &Store,
        now: Now,
        new: Keyhold,
        with: impl FnOnce(&WriteTx<'_>, &Rotated) -> Result<()>,
    ) -> Result<Rotated> {
        self.refresh_run(now.compliance)?;
        let tx = store.write()?;
        let (rotated, former) = match self.rewrap_in(&tx, new) {
            Ok(done) => done,
            Err(error) => {
                self.undone();
                return Err(error);
            }
        };
        let done = with(&tx, &rotated).and_then(|()| Ok(tx.commit()?));
        if done.is_err() {
            self.take_back(former);
        }
        done.map(|()| rotated)
    }

    /// Wraps every key row under another keyhold inside the caller's transaction. If that is undone,
    /// `take_back` must follow. What readers of an elder picture still ask for stays opened.
    pub(super) fn rewrap_in(&self, tx: &WriteTx<'_>, new: Keyhold) -> Result<(Rotated, Former)> {
        let generation = generation(&new)?;
        let mut wrapper = Wrapper::new(&new.key, tx.wrap_count(generation)?);
        let mut rewrapped = HashMap::new();
        for row in tx.data_keys()? {
            let opened = self.open_row(&self.state(), &row)?;
            let place = self.place(row.id, &row.purpose, opened.tag, new.generation);
            let wrapped = wrapper.wrap(&place, &opened.key, &*self.entropy)?;
            tx.rewrap_data_key(row.id, generation, &wrapped.nonce, &wrapped.sealed)?;
            rewrapped.insert(row.id, opened);
        }
        let rotated = Rotated {
            generation: new.generation,
            keys: rewrapped.len() as u64,
        };
        // The entry may mint the payload key of a new year: under the elder generation it would be
        // lost, so the new one counts from here, and is taken back if the transaction is undone.
        let mut state = self.state();
        state.opened.extend(rewrapped);
        let wrapper = std::mem::replace(&mut state.wrapper, wrapper);
        let hold = std::mem::replace(&mut state.hold, new);
        Ok((rotated, Former { hold, wrapper }))
    }

    /// The transaction of `rewrap_in` was undone: the elder keyhold counts again.
    pub(super) fn take_back(&self, former: Former) {
        let mut state = self.state();
        (state.hold, state.wrapper) = (former.hold, former.wrapper);
        drop(state);
        self.undone();
    }

    /// Keeps a key opened for readers of an elder picture while its row is destroyed; `forget` ends
    /// it.
    pub(super) fn keep_opened(&self, rows: &Rows, id: DataKeyId) -> Result<()> {
        self.opened(rows, id).map(drop)
    }

    /// Retires the current key of a purpose, which only opens from now on, and mints another.
    pub(super) fn renew(&self, tx: &WriteTx<'_>, purpose: &KeyPurpose) -> Result<DataKeyId> {
        let mut state = self.state();
        if let Some(row) = tx.current_data_key(purpose)? {
            tx.set_data_key_state(row.id, DataKeyState::ResealOnly)?;
        }
        let (id, opened) = self.mint(&mut state, tx, purpose, DataKeyState::Current)?;
        state.opened.insert(id, opened);
        state.current.insert(purpose.clone(), id);
        Ok(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Must be called when a transaction that sealed or minted was undone: its keys are forgotten
    /// and nothing more is sealed in its run.
    pub(super) fn undone(&self) {
        let mut state = self.state();
        state.run_stale = true;
        state.opened.clear();
        state.current.clear();
    }

    /// Forgets an opened key whose row was destroyed.
    pub(super) fn forget(&self, id: DataKeyId) {
        self.state().opened.remove(&id);
    }

    /// Takes a new run if the last was spoilt. Must not be called inside a write transaction.
    pub(super) fn refresh_run(&self, now: Timestamp) -> Result<()> {
        if !self.state().run_stale {
            return Ok(());
        }
        // First the transaction, then the state: the order of everybody who seals.
        let salt = RunSalt::random(&*self.entropy);
        let tx = self.store.write()?;
        let run = tx.insert_seal_run(&salt.0, now.0)?;
        tx.commit()?;
        let mut state = self.state();
        state.run = run;
        state.run_salt = salt;
        state.run_stale = false;
        state.salts.insert(run, salt);
        Ok(())
    }

    /// The current key of a purpose, minted in this transaction when there is none.
    pub fn current(&self, tx: &WriteTx<'_>, purpose: &KeyPurpose) -> Result<(DataKeyId, Key)> {
        let mut state = self.state();
        if let Some(id) = state.current.get(purpose)
            && let Some(opened) = state.opened.get(id)
        {
            return Ok((*id, opened.key.clone()));
        }
        let (id, opened) = match tx.current_data_key(purpose)? {
            Some(row) => (row.id, self.open_row(&state, &row)?),
            None => self.mint(&mut state, tx, purpose, DataKeyState::Current)?,
        };
        let key = opened.key.clone();
        state.opened.insert(id, opened);
        state.current.insert(purpose.clone(), id);
        Ok((id, key))
    }

    /// The current key of a purpose, if there is one.
    pub fn existing(&self, rows: &Rows, purpose: &KeyPurpose) -> Result<Option<(DataKeyId, Key)>> {
        let Some(row) = rows.current_data_key(purpose)? else {
            return Ok(None);
        };
        let opened = self.open_row(&self.state(), &row)?;
        Ok(Some((row.id, opened.key)))
    }

    /// Mints a key that nothing uses yet, in this transaction.
    pub fn mint_unassigned(&self, tx: &WriteTx<'_>, kind: KeyKind) -> Result<(DataKeyId, Key)> {
        let mut state = self.state();
        let purpose = KeyPurpose::only(kind);
        let (id, opened) = self.mint(&mut state, tx, &purpose, DataKeyState::Unassigned)?;
        Ok((id, opened.key))
    }

    fn mint(
        &self,
        state: &mut State,
        tx: &WriteTx<'_>,
        purpose: &KeyPurpose,
        kind: DataKeyState,
    ) -> Result<(DataKeyId, Opened)> {
        let id = tx.next_data_key_id()?;
        let key = Key::random(&*self.entropy);
        let tag = tag(purpose);
        let place = self.place(id, purpose, tag, state.hold.generation);
        let wrapped = state.wrapper.wrap(&place, &key, &*self.entropy)?;
        tx.insert_data_key(&DataKeyRow {
            id,
            purpose: purpose.clone(),
            generation: generation(&state.hold)?,
            nonce: wrapped.nonce,
            wrapped: wrapped.sealed.to_vec(),
            created_seq: tx.audit_edge()?.map_or(0, |(size, _)| size),
            state: kind,
        })?;
        Ok((id, Opened { key, tag }))
    }

    fn place(&self, id: DataKeyId, purpose: &KeyPurpose, tag: u64, generation: u64) -> WrapPlace {
        WrapPlace::data_key(
            self.id,
            u64::from(id.0),
            purpose.kind as u8,
            tag,
            generation,
        )
    }

    fn open_row(&self, state: &State, row: &DataKeyRow) -> Result<Opened> {
        let broken = || ArchiveError::Integrity(format!("data key {}", row.id.0));
        if u64::from(row.generation) != state.hold.generation {
            return Err(broken());
        }
        let sealed = row.wrapped.as_slice().try_into().map_err(|_| broken())?;
        let tag = tag(&row.purpose);
        let key = state
            .wrapper
            .unwrap(
                &self.place(row.id, &row.purpose, tag, state.hold.generation),
                &WrappedKey {
                    nonce: row.nonce,
                    sealed,
                },
            )
            .map_err(|_| broken())?;
        Ok(Opened { key, tag })
    }

    /// The key of a row number; `Disposed` when its row is gone.
    pub fn key(&self, rows: &Rows, id: DataKeyId) -> Result<Key> {
        Ok(self.opened(rows, id)?.key)
    }

    fn opened(&self, rows: &Rows, id: DataKeyId) -> Result<Opened> {
        let mut state = self.state();
        if let Some(opened) = state.opened.get(&id) {
            return Ok(opened.clone());
        }
        let row = rows
            .data_key(id)?
            .ok_or_else(|| ArchiveError::Disposed(format!("content under data key {}", id.0)))?;
        let opened = self.open_row(&state, &row)?;
        state.opened.insert(id, opened.clone());
        Ok(opened)
    }

    /// The cipher that seals rows of a purpose in the present run.
    pub(super) fn sealing(&self, tx: &WriteTx<'_>, purpose: &KeyPurpose) -> Result<BucketCipher> {
        let (data_key, key) = self.current(tx, purpose)?;
        let state = self.state();
        if state.run_stale {
            return Err(ArchiveError::Malformed(
                "the seal run after an undone transaction",
            ));
        }
        let cipher = RowCipher::watched(&key, &state.run_salt, self.entropy.observer());
        Ok(BucketCipher {
            data_key,
            run: state.run,
            tag: tag(purpose),
            cipher: Arc::new(cipher),
        })
    }

    /// The cipher that opens rows of a data key and run.
    pub(super) fn opening(
        &self,
        rows: &Rows,
        data_key: DataKeyId,
        run: u32,
    ) -> Result<BucketCipher> {
        let opened = self.opened(rows, data_key)?;
        let known = self.state().salts.get(&run).copied();
        let salt = match known {
            Some(salt) => salt,
            None => {
                let salt = rows.seal_run(run)?.map(RunSalt).ok_or_else(|| {
                    ArchiveError::Store(StoreError::Corrupt(format!("seal run {run} is missing")))
                })?;
                self.state().salts.insert(run, salt);
                salt
            }
        };
        let cipher = RowCipher::derive(&opened.key, &salt);
        Ok(BucketCipher {
            data_key,
            run,
            tag: opened.tag,
            cipher: Arc::new(cipher),
        })
    }
}

fn generation(hold: &Keyhold) -> Result<u32> {
    u32::try_from(hold.generation)
        .map_err(|_| ArchiveError::Store(StoreError::Limit("keyhold generations are used up")))
}
