//! The slots file: several ways to the one root key, like the key slots of a disk encryptor.
//!
//! ```text
//! file = "WKSLOT1\0"  store 16 B  db_key wrapped under root 60 B  count be16  slot*
//!        mac 32 B     SHA-256 of all before 32 B
//! slot = number be32  kind u8  label length u8  label  memory KiB be32  passes be32  lanes be32
//!        salt 16 B  commitment 32 B  root wrapped 60 B
//! ```
//! stretched = Argon2id(passphrase) or SHA-256(key file);
//! slot key || commitment = HKDF-SHA256(stretched, salt, "wordkeep/v1/slot" + kind);
//! mac = HMAC-SHA256(HKDF(root, store, "wordkeep/v1/slots-mac"), all before).
//!
//! The checksum tells an accident from a wrong passphrase; the commitment tells which slot a secret
//! belongs to; the MAC, checked as soon as a slot opens, proves that no slot was added, removed or
//! exchanged by somebody without root.

use zeroize::Zeroizing;

use crate::domain::StoreId;

use super::error::{Error, Result};
use super::hash::{DIGEST_LEN, Digest, equal, hmac_sha256, sha256};
use super::key::{Entropy, Key, random_bytes};
use super::password::{SALT_LEN, StretchCost, stretch};
use super::wrap::{WRAP_LEN, WrapPlace, WrappedKey, Wrapper};

/// Slots of one file.
pub const SLOT_COUNT_MAX: usize = 32;
/// Longest label of a slot in bytes.
pub const SLOT_LABEL_LEN_MAX: usize = 64;
/// Fewest bytes of a key file: less cannot hold 256 bits.
pub const KEY_FILE_LEN_MIN: usize = 32;
/// Most bytes of a key file.
pub const KEY_FILE_LEN_MAX: usize = 64 * 1024;

const MAGIC: &[u8; 8] = b"WKSLOT1\0";
const SLOT_LABEL: &[u8] = b"wordkeep/v1/slot";
const MAC_LABEL: &[u8] = b"wordkeep/v1/slots-mac";

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum SlotKind {
    /// A passphrase somebody types.
    Passphrase = 1,
    /// A file of random bytes.
    KeyFile = 2,
    /// A credential the service manager hands over.
    Credential = 3,
}

impl SlotKind {
    fn from_number(number: u8) -> Option<Self> {
        [Self::Passphrase, Self::KeyFile, Self::Credential]
            .into_iter()
            .find(|kind| *kind as u8 == number)
    }
}

/// A secret as somebody presents it.
pub enum Secret {
    /// The bytes of a passphrase; empty is refused when a slot is made.
    Passphrase(Zeroizing<Vec<u8>>),
    /// The bytes of a key file, [`KEY_FILE_LEN_MIN`] to [`KEY_FILE_LEN_MAX`].
    KeyFile(Zeroizing<Vec<u8>>),
    /// The bytes of a credential, bounded like a key file.
    Credential(Zeroizing<Vec<u8>>),
}

impl Secret {
    /// A passphrase; the copy is wiped when dropped.
    pub fn passphrase(text: &str) -> Self {
        Self::Passphrase(Zeroizing::new(text.as_bytes().to_vec()))
    }

    /// The contents of a key file; the copy is wiped when dropped.
    pub fn key_file(bytes: &[u8]) -> Self {
        Self::KeyFile(Zeroizing::new(bytes.to_vec()))
    }

    /// What kind of slot the secret opens.
    pub const fn kind(&self) -> SlotKind {
        match self {
            Self::Passphrase(_) => SlotKind::Passphrase,
            Self::KeyFile(_) => SlotKind::KeyFile,
            Self::Credential(_) => SlotKind::Credential,
        }
    }

    /// Slot key and commitment.
    fn derive(&self, salt: &[u8; SALT_LEN], cost: &StretchCost) -> Result<(Key, Digest)> {
        let stretched = match self {
            Self::Passphrase(passphrase) if passphrase.is_empty() => {
                return Err(Error::Limit(
                    "an empty passphrase protects nothing: type one",
                ));
            }
            Self::Passphrase(passphrase) => stretch(passphrase, salt, cost)?,
            Self::KeyFile(bytes) | Self::Credential(bytes) => match bytes.len() {
                KEY_FILE_LEN_MIN..=KEY_FILE_LEN_MAX => Key::from_bytes(sha256(bytes)),
                _ => return Err(Error::Limit("a key file has 32 bytes to 64 KiB")),
            },
        };
        Ok(stretched.derive_committed(salt, &[SLOT_LABEL, &[self.kind() as u8]]))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}(***)", self.kind())
    }
}

/// One slot as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Number of the slot, never reused within a file.
    pub number: u32,
    /// What opens it.
    pub kind: SlotKind,
    /// What people call it, such as "recovery letter in the safe"; stands in the file in clear.
    pub label: String,
    /// Cost of stretching; zeros for kinds that are not stretched.
    pub cost: StretchCost,
    salt: [u8; SALT_LEN],
    commitment: Digest,
    root: WrappedKey,
}

/// What a slot gives.
#[derive(Debug, PartialEq, Eq)]
pub struct Unlocked {
    /// The number of the slot that opened.
    pub slot: u32,
    /// Wraps the keyhold; nothing else.
    pub root: Key,
    /// The raw key of the database.
    pub db_key: Key,
}

/// The slots file in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFile {
    store: StoreId,
    db_key: WrappedKey,
    slots: Vec<Slot>,
    mac: Digest,
}

const NO_STRETCH: StretchCost = StretchCost {
    memory_kib: 0,
    passes: 0,
    lanes: 0,
};

impl SlotFile {
    /// A file without slots for this root; add one before it is written.
    ///
    /// Root is rotated in the same way: a new file for a new root, each secret added again (a slot
    /// whose secret is not at hand ends here), and the keyhold written anew under that root.
    pub fn new(store: StoreId, root: &Key, db_key: &Key, entropy: &dyn Entropy) -> Result<Self> {
        let place = WrapPlace::new("wordkeep/v1/db_key", store);
        let mut file = Self {
            store,
            db_key: Wrapper::new(root, 0).wrap(&place, db_key, entropy)?,
            slots: Vec::new(),
            mac: [0; DIGEST_LEN],
        };
        file.mac = file.mac_under(root);
        Ok(file)
    }

    /// The store the slots belong to.
    pub const fn store(&self) -> StoreId {
        self.store
    }

    /// The slots in the order they were added.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// Adds a way to root and gives its number. `cost` counts for passphrases only.
    pub fn add(
        &mut self,
        root: &Key,
        secret: &Secret,
        label: &str,
        cost: &StretchCost,
        entropy: &dyn Entropy,
    ) -> Result<u32> {
        self.check_mac(root)?;
        if self.slots.len() >= SLOT_COUNT_MAX {
            return Err(Error::Limit(
                "a store has at most 32 slots: remove one first",
            ));
        }
        if label.len() > SLOT_LABEL_LEN_MAX {
            return Err(Error::Limit("a slot's label has at most 64 bytes"));
        }
        let cost = match secret.kind() {
            SlotKind::Passphrase => *cost,
            SlotKind::KeyFile | SlotKind::Credential => NO_STRETCH,
        };
        let number = self.slots.iter().map(|slot| slot.number).max().unwrap_or(0) + 1;
        let salt = random_bytes(entropy);
        let (key, commitment) = secret.derive(&salt, &cost)?;
        let place = slot_place(self.store, number, secret.kind(), &cost);
        let root_wrapped = Wrapper::new(&key, 0).wrap(&place, root, entropy)?;
        self.slots.push(Slot {
            number,
            kind: secret.kind(),
            label: label.to_owned(),
            cost,
            salt,
            commitment,
            root: root_wrapped,
        });
        self.mac = self.mac_under(root);
        Ok(number)
    }

    /// Removes a slot. The last one stays: a store without slots could never be opened again.
    ///
    /// Old copies of the file still open with the removed secret; after a leak rotate root too.
    pub fn remove(&mut self, root: &Key, number: u32) -> Result<()> {
        self.check_mac(root)?;
        let Some(at) = self.slots.iter().position(|slot| slot.number == number) else {
            return Err(Error::Limit("there is no slot of this number"));
        };
        if self.slots.len() == 1 {
            return Err(Error::Limit(
                "the last slot cannot be removed: add another first",
            ));
        }
        self.slots.remove(at);
        self.mac = self.mac_under(root);
        Ok(())
    }

    /// Tries the secret on every slot of its kind.
    ///
    /// [`Error::WrongPassphrase`] when it belongs to none; [`Error::Integrity`] when it belongs to
    /// one and the file was changed by somebody without root; [`Error::Parameters`] when a slot
    /// could not be tried because it asks for more memory than this machine or our bounds give.
    pub fn unlock(&self, secret: &Secret) -> Result<Unlocked> {
        let mut unusable = None;
        for slot in self.slots.iter().filter(|slot| slot.kind == secret.kind()) {
            match secret.derive(&slot.salt, &slot.cost) {
                Ok((key, commitment)) if equal(&commitment, &slot.commitment) => {
                    return self.unlock_slot(slot, &key);
                }
                Ok(_) => {}
                // The slot could not even be tried on this machine; another may still open.
                Err(error @ Error::Parameters(_)) => unusable = Some(error),
                // An empty passphrase or a key file of impossible length belongs to no slot.
                Err(_) => {}
            }
        }
        Err(unusable.unwrap_or(Error::WrongPassphrase))
    }

    fn unlock_slot(&self, slot: &Slot, key: &Key) -> Result<Unlocked> {
        let place = slot_place(self.store, slot.number, slot.kind, &slot.cost);
        let root = Wrapper::new(key, 0).unwrap(&place, &slot.root)?;
        self.check_mac(&root)?;
        let place = WrapPlace::new("wordkeep/v1/db_key", self.store);
        let db_key = Wrapper::new(&root, 0).unwrap(&place, &self.db_key)?;
        Ok(Unlocked {
            slot: slot.number,
            root,
            db_key,
        })
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.signed_bytes();
        bytes.extend_from_slice(&self.mac);
        let sum = sha256(&bytes);
        bytes.extend_from_slice(&sum);
        bytes
    }

    /// Reads the file. [`Error::Damaged`] when the checksum does not fit, [`Error::Format`] when it
    /// is no slots file or has values out of range. Nothing is believed before a slot opens.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let Some(rest) = bytes.strip_prefix(MAGIC) else {
            return Err(malformed("the first eight bytes are not WKSLOT1"));
        };
        let Some((_, sum)) = rest.split_last_chunk::<DIGEST_LEN>() else {
            return Err(Error::Damaged("the slots file"));
        };
        if sha256(&bytes[..bytes.len() - DIGEST_LEN]) != *sum {
            return Err(Error::Damaged("the slots file"));
        }
        let mut input = Input(&rest[..rest.len() - DIGEST_LEN]);
        let store = StoreId(u128::from_be_bytes(input.take()?));
        let db_key = WrappedKey::from_bytes(&input.take::<WRAP_LEN>()?)?;
        let count = usize::from(u16::from_be_bytes(input.take()?));
        if count > SLOT_COUNT_MAX {
            return Err(malformed("more than 32 slots"));
        }
        let slots = (0..count).map(|_| input.slot()).collect::<Result<_>>()?;
        let mac = input.take()?;
        if !input.0.is_empty() {
            return Err(malformed("bytes follow the last slot"));
        }
        Ok(Self {
            store,
            db_key,
            slots,
            mac,
        })
    }

    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.store.0.to_be_bytes());
        bytes.extend_from_slice(&self.db_key.to_bytes());
        // At most SLOT_COUNT_MAX and SLOT_LABEL_LEN_MAX, so neither cast loses anything.
        bytes.extend_from_slice(&(self.slots.len() as u16).to_be_bytes());
        for slot in &self.slots {
            bytes.extend_from_slice(&slot.number.to_be_bytes());
            bytes.push(slot.kind as u8);
            bytes.push(slot.label.len() as u8);
            bytes.extend_from_slice(slot.label.as_bytes());
            bytes.extend_from_slice(&cost_bytes(&slot.cost));
            bytes.extend_from_slice(&slot.salt);
            bytes.extend_from_slice(&slot.commitment);
            bytes.extend_from_slice(&slot.root.to_bytes());
        }
        bytes
    }

    fn mac_under(&self, root: &Key) -> Digest {
        let key = root.derive(&self.store.0.to_be_bytes(), &[MAC_LABEL]);
        hmac_sha256(key.expose(), &[&self.signed_bytes()])
    }

    fn check_mac(&self, root: &Key) -> Result<()> {
        match equal(&self.mac_under(root), &self.mac) {
            true => Ok(()),
            false => Err(Error::Integrity),
        }
    }
}

fn cost_bytes(cost: &StretchCost) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&cost.memory_kib.to_be_bytes());
    bytes[4..8].copy_from_slice(&cost.passes.to_be_bytes());
    bytes[8..].copy_from_slice(&cost.lanes.to_be_bytes());
    bytes
}

fn slot_place(store: StoreId, number: u32, kind: SlotKind, cost: &StretchCost) -> WrapPlace {
    WrapPlace::new("wordkeep/v1/slot", store)
        .number(u64::from(number))
        .field(&[kind as u8])
        .field(&cost_bytes(cost))
}

fn malformed(found: &'static str) -> Error {
    Error::Format {
        expected: "a slots file",
        found,
    }
}

/// The unread rest of the file.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (bytes, rest) = self
            .0
            .split_first_chunk()
            .ok_or(malformed("it ends inside a field"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    fn slot(&mut self) -> Result<Slot> {
        let number = u32::from_be_bytes(self.take()?);
        let [kind, label_len] = self.take()?;
        let kind = SlotKind::from_number(kind).ok_or(malformed("a slot of an unknown kind"))?;
        let label_len = usize::from(label_len);
        let (label, rest) = self
            .0
            .split_at_checked(label_len)
            .ok_or(malformed("it ends inside a label"))?;
        if label_len > SLOT_LABEL_LEN_MAX {
            return Err(malformed("a label of more than 64 bytes"));
        }
        let label = std::str::from_utf8(label)
            .map_err(|_| malformed("a label that is not text"))?
            .to_owned();
        self.0 = rest;
        Ok(Slot {
            number,
            kind,
            label,
            cost: StretchCost {
                memory_kib: u32::from_be_bytes(self.take()?),
                passes: u32::from_be_bytes(self.take()?),
                lanes: u32::from_be_bytes(self.take()?),
            },
            salt: self.take()?,
            commitment: self.take()?,
            root: WrappedKey::from_bytes(&self.take::<WRAP_LEN>()?)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::SeededEntropy;
    use proptest::prelude::*;

    const STORE: StoreId = StoreId(11);
    /// As cheap as Argon2id goes, so that the laws run often.
    const CHEAP: StretchCost = StretchCost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn keys() -> (Key, Key) {
        (Key::from_bytes([1; 32]), Key::from_bytes([2; 32]))
    }

    fn file() -> SlotFile {
        let (root, db_key) = keys();
        let entropy = SeededEntropy::new(1);
        let mut file = SlotFile::new(STORE, &root, &db_key, &entropy).expect("wraps");
        let mut add = |secret: &Secret, label| file.add(&root, secret, label, &CHEAP, &entropy);
        add(&Secret::passphrase("open sesame"), "front office").expect("adds");
        add(&Secret::key_file(&[7; 40]), "key file").expect("adds");
        add(&Secret::passphrase("second way"), "safe").expect("adds");
        file
    }

    #[test]
    fn e5_any_slot_opens_the_same_root() {
        let (root, db_key) = keys();
        let read = SlotFile::parse(&file().to_bytes()).expect("reads");
        assert_eq!(read, file());
        for (secret, slot) in [
            (Secret::passphrase("open sesame"), 1),
            (Secret::key_file(&[7; 40]), 2),
            (Secret::passphrase("second way"), 3),
        ] {
            let (root, db_key) = (root.clone(), db_key.clone());
            assert_eq!(read.unlock(&secret), Ok(Unlocked { slot, root, db_key }));
        }
    }

    #[test]
    fn e5_a_wrong_secret_is_told_from_damage() {
        let wrong = [
            Secret::passphrase("open sesam"),
            Secret::passphrase(""),
            Secret::key_file(&[8; 40]),
            Secret::key_file(&[7; 4]),
            Secret::Credential(Zeroizing::new(vec![7; 40])),
        ];
        for secret in wrong {
            assert_eq!(file().unlock(&secret), Err(Error::WrongPassphrase));
        }
        let mut bytes = file().to_bytes();
        bytes[30] ^= 1;
        assert_eq!(
            SlotFile::parse(&bytes),
            Err(Error::Damaged("the slots file"))
        );
    }

    #[test]
    fn e5_a_removed_slot_opens_no_more() {
        let (root, _) = keys();
        let mut file = file();
        file.remove(&root, 1).expect("removes");
        let gone = file.unlock(&Secret::passphrase("open sesame"));
        assert_eq!(gone, Err(Error::WrongPassphrase));
        assert!(file.unlock(&Secret::key_file(&[7; 40])).is_ok());
        assert!(matches!(file.remove(&root, 1), Err(Error::Limit(_))));
        file.remove(&root, 2).expect("removes");
        assert!(matches!(file.remove(&root, 3), Err(Error::Limit(_))));
    }

    #[test]
    fn e5_after_a_rotation_of_root_the_old_one_opens_nothing() {
        use crate::crypto::keyhold::{Keyhold, KeyholdFile};
        let (old_root, db_key) = keys();
        let entropy = SeededEntropy::new(8);
        let hold = Keyhold::first(&entropy);
        let new_root = Key::random(&entropy);
        let mut rotated = SlotFile::new(STORE, &new_root, &db_key, &entropy).expect("wraps");
        let secret = Secret::passphrase("open sesame");
        rotated
            .add(&new_root, &secret, "front office", &CHEAP, &entropy)
            .expect("adds");
        let place = hold.to_place(&new_root, STORE, &entropy).expect("wraps");
        let unlocked = rotated.unlock(&secret).expect("opens");
        assert_eq!(unlocked.db_key, db_key);
        let read = KeyholdFile::read(&place, &unlocked.root, STORE).expect("reads");
        assert_eq!(read.holds[0].1, hold);
        assert_eq!(
            KeyholdFile::read(&place, &old_root, STORE),
            Err(Error::Integrity)
        );
        let left_out = rotated.unlock(&Secret::key_file(&[7; 40]));
        assert_eq!(left_out, Err(Error::WrongPassphrase));
    }

    #[test]
    fn only_root_changes_the_slots() {
        let (_, stranger) = keys();
        let entropy = SeededEntropy::new(9);
        let mut file = file();
        let secret = Secret::passphrase("mine");
        let added = file.add(&stranger, &secret, "mine", &CHEAP, &entropy);
        assert_eq!(added, Err(Error::Integrity));
        assert_eq!(file.remove(&stranger, 1), Err(Error::Integrity));
    }

    #[test]
    fn limits_hold() {
        let (root, db_key) = keys();
        let entropy = SeededEntropy::new(1);
        let mut file = SlotFile::new(STORE, &root, &db_key, &entropy).expect("wraps");
        let mut add = |secret: &Secret, label: &str| {
            matches!(
                file.add(&root, secret, label, &CHEAP, &entropy),
                Err(Error::Limit(_))
            )
        };
        assert!(add(&Secret::passphrase(""), "empty"));
        assert!(add(&Secret::passphrase("x"), &"l".repeat(65)));
        assert!(add(&Secret::key_file(&[0; 31]), "short"));
        assert!(add(&Secret::key_file(&[0; 65_537]), "long"));
        assert!(!add(&Secret::key_file(&[0; 65_536]), "fits"));
        for _ in 1..SLOT_COUNT_MAX {
            assert!(!add(&Secret::key_file(&[0; 32]), &"l".repeat(64)));
        }
        assert!(add(&Secret::key_file(&[0; 32]), "one too many"));
        assert_eq!(SlotFile::parse(&file.to_bytes()), Ok(file));
    }

    #[test]
    fn secrets_never_print() {
        let printed = format!("{:?}", Secret::passphrase("open sesame"));
        assert_eq!(printed, "Passphrase(***)");
    }

    /// A file changed by somebody who knows the format: the checksum fits again.
    fn forged(at: usize, flip: u8) -> Vec<u8> {
        let mut bytes = file().to_bytes();
        let end = bytes.len() - DIGEST_LEN;
        bytes[at % end] ^= flip;
        let sum = sha256(&bytes[..end]);
        bytes[end..].copy_from_slice(&sum);
        bytes
    }

    proptest! {
        #[test]
        fn a_forged_slots_file_never_opens(at: usize, flip in 1..=255u8) {
            // Costs stay in range here, so that a forgery cannot make the test itself slow.
            let read = SlotFile::parse(&forged(at, flip));
            let cheap = |file: &SlotFile| file.slots.iter().all(|slot| {
                slot.cost.memory_kib <= 1024 && slot.cost.passes <= 4
            });
            if let Ok(read) = read && cheap(&read) {
                prop_assert!(read.unlock(&Secret::passphrase("open sesame")).is_err());
                prop_assert!(read.unlock(&Secret::key_file(&[7; 40])).is_err());
            }
        }

        #[test]
        fn any_bytes_parse_or_fail_cleanly(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(SlotFile::parse(&bytes).is_err());
            let framed = [&MAGIC[..], &bytes].concat();
            let sum = sha256(&framed);
            let _ = SlotFile::parse(&[framed, sum.to_vec()].concat());
        }

        #[test]
        fn a_cut_or_extended_slots_file_is_damaged(cut: prop::sample::Index, more: u8) {
            let bytes = file().to_bytes();
            prop_assert!(SlotFile::parse(&bytes[..cut.index(bytes.len())]).is_err());
            prop_assert!(SlotFile::parse(&[bytes, vec![more]].concat()).is_err());
        }
    }
}
