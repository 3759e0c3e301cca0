//! From a secret to an opened record: slots, root, keyhold, database.

use std::path::Path;
use std::sync::Arc;

use super::error::Result;
use super::{ArchiveError, Keyring, Milestones, Unwatched};
use crate::crypto::{Entropy, Key, Keyhold, KeyholdFile, PLACE_LEN, Secret, SlotFile, StretchCost};
use crate::domain::{StoreId, Timestamp};
use crate::store::{DataDirectory, KEYHOLD_FILE, SLOTS_FILE, Store};

/// Name of the fact that holds the store id.
pub(super) const FACT_STORE_ID: &str = "store_id";

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
    /// Who hears of the points the archive reaches; nobody, unless a test asks.
    pub milestones: Arc<dyn Milestones>,
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
        let keyring = Keyring::start(Arc::clone(&store), id, (root, hold), entropy, now)?;
        Ok(Vault {
            store,
            keyring,
            id,
            milestones: Arc::new(Unwatched),
        })
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
        // The keyhold first: a directory that lacks it is told apart from a damaged database.
        let (file, read) = read_keyhold(&directory, &unlocked.root, id)?;
        let store = Arc::new(Store::open(directory, unlocked.db_key)?);
        let known = store.read()?.fact(FACT_STORE_ID)?;
        if known.as_deref() != Some(&id.0.to_be_bytes()[..]) {
            return Err(ArchiveError::KeyFile(
                "keys/slots belongs to another data directory".to_owned(),
            ));
        }
        let hold = choose_hold(&store, &file, &read)?;
        let held = (unlocked.root, hold);
        let keyring = Keyring::start(Arc::clone(&store), id, held, entropy, now)?;
        Ok(Vault {
            store,
            keyring,
            id,
            milestones: Arc::new(Unwatched),
        })
    }
}

fn read_keyhold(
    directory: &DataDirectory,
    root: &Key,
    id: StoreId,
) -> Result<(Vec<u8>, KeyholdFile)> {
    let file = directory.read_key_file(KEYHOLD_FILE)?;
    let read = KeyholdFile::read(&file, root, id)
        .map_err(|error| ArchiveError::KeyFile(format!("keys/keyhold: {error}")))?;
    Ok((file, read))
}

/// The keyhold of the generation the rows use. The other place then gets the same bytes: a torn
/// write is mended, a rotation that a crash cut off is finished or taken back.
fn choose_hold(store: &Store, file: &[u8], read: &KeyholdFile) -> Result<Keyhold> {
    let used = store.read()?.data_keys()?;
    let newest = used.iter().map(|row| u64::from(row.generation)).max();
    let chosen = match newest {
        Some(generation) => read.of_generation(generation),
        None => read.holds.first(),
    };
    let Some((place, hold)) = chosen else {
        return Err(ArchiveError::KeyFile(format!(
            "keys/keyhold holds generation {}, the record was wrapped under {}: one of the two is \
             an older copy that was put back",
            read.holds.first().map_or(0, |(_, hold)| hold.generation),
            newest.unwrap_or(0)
        )));
    };
    let at = place.offset() as usize;
    let whole: Option<[u8; PLACE_LEN]> = file
        .get(at..at + PLACE_LEN)
        .and_then(|bytes| bytes.try_into().ok());
    let whole = whole.ok_or_else(|| ArchiveError::KeyFile("keys/keyhold is cut".to_owned()))?;
    let mended = super::rotate::with_place(file, place.other(), &whole);
    if mended != file {
        store
            .directory()
            .overwrite_key_file(KEYHOLD_FILE, &mended)?;
    }
    Ok(hold.clone())
}

/// A time-ordered 128-bit id: 48 bits of milliseconds, 80 random bits (the ULID layout).
pub fn mint(entropy: &dyn Entropy, now: Timestamp) -> u128 {
    let random = u128::from_be_bytes(crate::crypto::random_bytes::<16>(entropy));
    let millis = now.millis().clamp(0, (1 << 48) - 1) as u128;
    millis << 80 | random & ((1 << 80) - 1)
}
