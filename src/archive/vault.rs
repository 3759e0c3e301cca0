//! From a secret to an opened record: slots, root, keyhold, database.

use std::path::Path;
use std::sync::Arc;

use super::error::Result;
use super::{ArchiveError, Keyring};
use crate::crypto::{
    Entropy, Key, Keyhold, KeyholdFile, PLACE_LEN, Place, Secret, SlotFile, StretchCost,
};
use crate::domain::{StoreId, Timestamp};
use crate::store::{DataDirectory, KEYHOLD_FILE, SLOTS_FILE, Store};

/// Name of the fact that holds the store id.
const FACT_STORE_ID: &str = "store_id";

/// How a data directory is made.
pub struct NewVault<'a> {
    /// Where.
    pub root: &'a Path,
    /// Where the key files lie, when not below the directory.
    pub keys: Option<&'a Path>,
    /// The first secret that opens it.
    pub secret: &'a Secret,
    /// What people call the first slot.
    pub label: &'a str,
    /// Cost of stretching a passphrase.
    pub cost: StretchCost,
}

/// An opened record with its keys.
pub struct Vault {
    /// The record.
    pub store: Arc<Store>,
    /// The keys.
    pub keyring: Keyring,
    /// Which data directory this is.
    pub id: StoreId,
}

impl Vault {
    /// Makes a data directory. The id is minted from `now` and entropy.
    pub fn create(new: &NewVault<'_>, entropy: Arc<dyn Entropy>, now: Timestamp) -> Result<Vault> {
        let id = StoreId(mint(&*entropy, now));
        let directory = DataDirectory::create(new.root, new.keys)?;
        let root = Key::random(&*entropy);
        let db_key = Key::random(&*entropy);
        let mut slots = SlotFile::new(id, &root, &db_key, &*entropy)?;
        slots.add(&root, new.secret, new.label, &new.cost, &*entropy)?;
        let hold = Keyhold::first(&*entropy);
        let place = hold.to_place(&root, id, &*entropy)?;
        directory.write_key_file(KEYHOLD_FILE, &[place, place].concat())?;
        let store = Arc::new(Store::create(directory, db_key)?);
        let tx = store.write()?;
        tx.put_fact(FACT_STORE_ID, &id.0.to_be_bytes())?;
        tx.commit()?;
        // The slots come last: a directory without them was never finished and says so.
        store
            .directory()
            .write_key_file(SLOTS_FILE, &slots.to_bytes())?;
        let keyring = Keyring::start(Arc::clone(&store), id, hold, entropy, now)?;
        Ok(Vault { store, keyring, id })
    }

    /// Opens a data directory with a secret of any slot.
    pub fn open(
        root: &Path,
        keys: Option<&Path>,
        secret: &Secret,
        entropy: Arc<dyn Entropy>,
        now: Timestamp,
    ) -> Result<Vault> {
        let directory = DataDirectory::open(root, keys)?;
        let slots = SlotFile::parse(&directory.read_key_file(SLOTS_FILE)?)
            .map_err(|error| ArchiveError::KeyFile(format!("keys/slots: {error}")))?;
        let unlocked = slots.unlock(secret)?;
        let id = slots.store();
        let hold = read_keyhold(&directory, &unlocked.root, id)?;
        let store = Arc::new(Store::open(directory, unlocked.db_key)?);
        let known = store.read()?.fact(FACT_STORE_ID)?;
        if known.as_deref() != Some(&id.0.to_be_bytes()[..]) {
            return Err(ArchiveError::KeyFile(
                "keys/slots belongs to another data directory".to_owned(),
            ));
        }
        let keyring = Keyring::start(Arc::clone(&store), id, hold, entropy, now)?;
        Ok(Vault { store, keyring, id })
    }
}

fn read_keyhold(directory: &DataDirectory, root: &Key, id: StoreId) -> Result<Keyhold> {
    let file = directory.read_key_file(KEYHOLD_FILE)?;
    let read = KeyholdFile::read(&file, root, id)
        .map_err(|error| ArchiveError::KeyFile(format!("keys/keyhold: {error}")))?;
    let Some((_, hold)) = read.holds.first() else {
        return Err(ArchiveError::KeyFile(
            "keys/keyhold holds no generation".to_owned(),
        ));
    };
    let hold = hold.clone();
    // A torn place is mended from the whole one, so that the next tear finds two again.
    for place in read.torn {
        let mut mended = file.clone();
        mended.resize(2 * PLACE_LEN, 0);
        let at = if place == Place::A { 0 } else { PLACE_LEN };
        let other = PLACE_LEN - at;
        mended.copy_within(other..other + PLACE_LEN, at);
        directory.overwrite_key_file(KEYHOLD_FILE, &mended)?;
    }
    Ok(hold)
}

/// A time-ordered 128-bit id: 48 bits of milliseconds, 80 random bits (the ULID layout).
pub fn mint(entropy: &dyn Entropy, now: Timestamp) -> u128 {
    let random = u128::from_be_bytes(crate::crypto::random_bytes::<16>(entropy));
    let millis = now.millis().clamp(0, (1 << 48) - 1) as u128;
    millis << 80 | random & ((1 << 80) - 1)
}
