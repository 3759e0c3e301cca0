//! The keyhold file: one key in two places, so that a torn write of one leaves the other.
//!
//! ```text
//! file  = place A, place B, 4,096 bytes each
//! place = "WKHOLD1\0"  generation be64  store 16 B  nonce 12 B  wrapped key 48 B
//!         SHA-256 of all before 32 B  zeros to the end
//! ```
//! The keyhold wraps every row of `data_key`. A purge writes generation g+1 into the other place,
//! re-wraps the surviving rows, and only then overwrites the place of g: from that write on, what
//! only old rows could open is gone. Both places may therefore hold different generations after a
//! crash; the store's rows say which one is current.

use crate::domain::StoreId;

use super::error::{Error, Result};
use super::hash::{DIGEST_LEN, sha256};
use super::key::{Entropy, Key};
use super::wrap::{WRAP_LEN, WrapPlace, WrappedKey, Wrapper};

/// Bytes of one place: a page of the usual file system, so that places share no sector.
pub const PLACE_LEN: usize = 4096;
/// Bytes of the whole file.
pub const KEYHOLD_FILE_LEN: usize = 2 * PLACE_LEN;

const MAGIC: &[u8; 8] = b"WKHOLD1\0";
const WRAP_AT: usize = 32;
const SUM_AT: usize = WRAP_AT + WRAP_LEN;
const USED_LEN: usize = SUM_AT + DIGEST_LEN;

/// Where in the file a keyhold lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The first half.
    A,
    /// The second half.
    B,
}

impl Place {
    /// Byte offset of the place in the file.
    pub const fn offset(self) -> u64 {
        match self {
            Place::A => 0,
            Place::B => PLACE_LEN as u64,
        }
    }

    /// The other place.
    pub const fn other(self) -> Place {
        match self {
            Place::A => Place::B,
            Place::B => Place::A,
        }
    }
}

/// A generation of the keyhold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keyhold {
    /// Counted from 1; every purge and every rotation adds one.
    pub generation: u64,
    /// The key that wraps the data keys.
    pub key: Key,
}

impl Keyhold {
    /// The first generation of a fresh store.
    pub fn first(entropy: &dyn Entropy) -> Self {
        Self {
            generation: 1,
            key: Key::random(entropy),
        }
    }

    /// A fresh key under the next number.
    pub fn next(&self, entropy: &dyn Entropy) -> Self {
        Self {
            generation: self.generation + 1,
            key: Key::random(entropy),
        }
    }

    /// The bytes of one place, sealed under root.
    pub fn to_place(
        &self,
        root: &Key,
        store: StoreId,
        entropy: &dyn Entropy,
    ) -> Result<[u8; PLACE_LEN]> {
        let wrapped =
            Wrapper::new(root, 0).wrap(&bound(store, self.generation), &self.key, entropy)?;
        let mut bytes = [0; PLACE_LEN];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.generation.to_be_bytes());
        bytes[16..32].copy_from_slice(&store.0.to_be_bytes());
        bytes[WRAP_AT..SUM_AT].copy_from_slice(&wrapped.to_bytes());
        let sum = sha256(&bytes[..SUM_AT]);
        bytes[SUM_AT..USED_LEN].copy_from_slice(&sum);
        Ok(bytes)
    }
}

fn bound(store: StoreId, generation: u64) -> WrapPlace {
    WrapPlace::new("wordkeep/v1/keyhold", store).number(generation)
}

/// What a keyhold file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyholdFile {
    /// What opened, newest generation first; at least one.
    pub holds: Vec<(Place, Keyhold)>,
    /// Places that did not open although the other did: write the current keyhold there again.
    pub torn: Vec<Place>,
}

impl KeyholdFile {
    /// The keyhold of a generation, if either place still has it.
    pub fn of_generation(&self, generation: u64) -> Option<&(Place, Keyhold)> {
        self.holds
            .iter()
            .find(|(_, hold)| hold.generation == generation)
    }

    /// Reads both places.
    ///
    /// Fails with [`Error::Damaged`] when neither place has a whole record, with
    /// [`Error::Integrity`] when whole records do not open under this root and store.
    pub fn read(file: &[u8], root: &Key, store: StoreId) -> Result<Self> {
        let mut holds = Vec::new();
        let mut torn = Vec::new();
        let mut whole_but_sealed_otherwise = false;
        for place in [Place::A, Place::B] {
            let start = place.offset() as usize;
            let bytes = file.get(start..start + PLACE_LEN).unwrap_or_default();
            match read_place(bytes, root, store) {
                Ok(hold) => holds.push((place, hold)),
                Err(error) => {
                    whole_but_sealed_otherwise |= error == Error::Integrity;
                    torn.push(place);
                }
            }
        }
        holds.sort_by_key(|(_, hold)| std::cmp::Reverse(hold.generation));
        match (holds.is_empty(), whole_but_sealed_otherwise) {
            (false, _) => Ok(Self { holds, torn }),
            (true, true) => Err(Error::Integrity),
            (true, false) => Err(Error::Damaged("the keyhold file")),
        }
    }
}

fn read_place(bytes: &[u8], root: &Key, store: StoreId) -> Result<Keyhold> {
    let used = bytes.get(..USED_LEN).ok_or(Error::Length)?;
    let (record, sum) = used.split_at(SUM_AT);
    if &record[..8] != MAGIC || sha256(record) != sum {
        return Err(Error::Damaged("a place of the keyhold file"));
    }
    let generation = record[8..16]
        .iter()
        .fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let wrapped = WrappedKey::from_bytes(&record[WRAP_AT..])?;
    let key = Wrapper::new(root, 0).unwrap(&bound(store, generation), &wrapped)?;
    Ok(Keyhold { generation, key })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::SeededEntropy;
    use proptest::prelude::*;

    const STORE: StoreId = StoreId(5);

    fn root() -> Key {
        Key::from_bytes([8; 32])
    }

    fn place(hold: &Keyhold) -> Vec<u8> {
        hold.to_place(&root(), STORE, &SeededEntropy::new(2))
            .expect("wraps")
            .to_vec()
    }

    #[test]
    fn both_generations_are_found_newest_first() {
        let old = Keyhold::first(&SeededEntropy::new(1));
        let new = old.next(&SeededEntropy::new(3));
        assert_ne!(old.key, new.key);
        let file = [place(&old), place(&new)].concat();
        let read = KeyholdFile::read(&file, &root(), STORE).expect("reads");
        assert_eq!(read.holds, [(Place::B, new.clone()), (Place::A, old)]);
        assert!(read.torn.is_empty());
        assert_eq!(read.of_generation(2), Some(&(Place::B, new)));
        assert_eq!(read.of_generation(3), None);
    }

    #[test]
    fn the_file_is_two_places_without_a_gap() {
        assert_eq!(Place::A.offset(), 0);
        assert_eq!(Place::B.offset(), PLACE_LEN as u64);
        assert_eq!(KEYHOLD_FILE_LEN, 8192);
    }

    #[test]
    fn damage_and_a_wrong_root_are_told_apart() {
        let file = place(&Keyhold::first(&SeededEntropy::new(1)));
        let read = |file: &[u8], root: &Key, store| KeyholdFile::read(file, root, store);
        let other = Key::from_bytes([9; 32]);
        assert_eq!(read(&file, &other, STORE), Err(Error::Integrity));
        assert_eq!(read(&file, &root(), StoreId(6)), Err(Error::Integrity));
        let mut damaged = file.clone();
        damaged[40] ^= 1;
        assert!(matches!(
            read(&damaged, &root(), STORE),
            Err(Error::Damaged(_))
        ));
        assert!(matches!(read(&[], &root(), STORE), Err(Error::Damaged(_))));
        assert!(matches!(
            read(&file[..100], &root(), STORE),
            Err(Error::Damaged(_))
        ));
    }

    #[test]
    fn a_generation_cannot_be_relabelled() {
        let mut file = place(&Keyhold::first(&SeededEntropy::new(1)));
        file[15] = 2;
        let sum = sha256(&file[..SUM_AT]);
        file[SUM_AT..USED_LEN].copy_from_slice(&sum);
        assert_eq!(
            KeyholdFile::read(&file, &root(), STORE),
            Err(Error::Integrity)
        );
    }

    proptest! {
        #[test]
        fn every_generation_reads_back(generation: u64) {
            let hold = Keyhold { generation, key: Key::from_bytes([6; 32]) };
            let read = KeyholdFile::read(&place(&hold), &root(), STORE).expect("reads");
            prop_assert_eq!(read.holds, [(Place::A, hold)]);
        }

        #[test]
        fn a_torn_write_of_one_place_leaves_the_other(
            written in 0..PLACE_LEN,
            into_b: bool,
        ) {
            let old = Keyhold::first(&SeededEntropy::new(1));
            let new = old.next(&SeededEntropy::new(3));
            let mut file = [place(&old), place(&old)].concat();
            let target = if into_b { Place::B } else { Place::A };
            let start = target.offset() as usize;
            file[start..start + written].copy_from_slice(&place(&new)[..written]);
            let read = KeyholdFile::read(&file, &root(), STORE).expect("one place is whole");
            let kept = (target.other(), old.clone());
            prop_assert!(read.holds.contains(&kept));
            prop_assert!(read.holds.iter().all(|(_, hold)| *hold == old || *hold == new));
        }
    }
}
