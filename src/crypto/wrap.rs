//! Wrapping of keys under keys: AES-256-GCM, random 96-bit nonce, counted.

use std::fmt;

use zeroize::Zeroizing;

use crate::domain::StoreId;

use super::aead::{Cipher, NONCE_LEN, Nonce, TAG_LEN};
use super::error::{Error, Result};
use super::key::{Entropy, KEY_LEN, Key};

/// Wraps after which a wrapping key refuses (the standard's cap for random nonces is 2^32, NIST
/// SP 800-38D section 8.3; ours keeps the chance of a repeat below 2^-57).
pub const WRAP_COUNT_MAX: u64 = 1 << 20;
/// Wraps after which the keyhold is to be rotated: half the cap, so a purge still has room.
pub const WRAP_COUNT_ROTATE: u64 = 1 << 19;
/// Bytes of a wrapped key without its nonce.
pub const WRAPPED_KEY_LEN: usize = KEY_LEN + TAG_LEN;
/// Bytes of nonce and wrapped key together.
pub const WRAP_LEN: usize = NONCE_LEN + WRAPPED_KEY_LEN;

/// A key sealed under another, safe to store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// The random nonce.
    pub nonce: [u8; NONCE_LEN],
    /// Ciphertext and tag.
    pub sealed: [u8; WRAPPED_KEY_LEN],
}

impl WrappedKey {
    /// Nonce and sealed key as one string of bytes.
    pub fn to_bytes(&self) -> [u8; WRAP_LEN] {
        let mut bytes = [0; WRAP_LEN];
        bytes[..NONCE_LEN].copy_from_slice(&self.nonce);
        bytes[NONCE_LEN..].copy_from_slice(&self.sealed);
        bytes
    }

    /// Reads what [`WrappedKey::to_bytes`] gave; any other length is [`Error::Length`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let Some((nonce, sealed)) = bytes.split_first_chunk::<NONCE_LEN>() else {
            return Err(Error::Length);
        };
        Ok(Self {
            nonce: *nonce,
            sealed: sealed.try_into().map_err(|_| Error::Length)?,
        })
    }
}

/// The text bound to a wrap: every field behind its length as u32 little-endian.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrapPlace(Vec<u8>);

impl WrapPlace {
    /// Begins with a label such as `wordkeep/v1/keyhold` and the store.
    pub fn new(label: &str, store: StoreId) -> Self {
        Self(Vec::with_capacity(128))
            .field(label.as_bytes())
            .field(&store.0.to_be_bytes())
    }

    /// Appends a field.
    pub fn field(mut self, bytes: &[u8]) -> Self {
        self.0
            .extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Appends a number as 8 bytes, big-endian.
    pub fn number(self, number: u64) -> Self {
        self.field(&number.to_be_bytes())
    }

    /// The place of a row of the `data_key` table: id, kind, bucket (see
    /// [`bucket_tag`](super::bucket_tag)) and the generation of the keyhold that wraps it.
    pub fn data_key(store: StoreId, id: u64, kind: u8, bucket: u64, generation: u64) -> Self {
        Self::new("wordkeep/v1/data_key", store)
            .number(id)
            .field(&[kind])
            .number(bucket)
            .number(generation)
    }

    /// The place of a blob's file key: blob id (128 bits, minted before the first byte) and bucket.
    pub fn blob_key(store: StoreId, blob: u128, bucket: u64) -> Self {
        Self::new("wordkeep/v1/blob_key", store)
            .field(&blob.to_be_bytes())
            .number(bucket)
    }
}

/// Wraps and unwraps keys under one key and counts the wraps.
pub struct Wrapper {
    key: Key,
    cipher: Cipher,
    used: u64,
}

impl Wrapper {
    /// `used` is the number of wraps this key has made so far, from the store.
    pub fn new(key: &Key, used: u64) -> Self {
        Self {
            key: key.clone(),
            cipher: Cipher::new(key),
            used,
        }
    }

    /// Wraps made so far; the caller stores it in the transaction that stores the wrap.
    pub const fn used(&self) -> u64 {
        self.used
    }

    /// Whether the wrapping key should be rotated soon.
    pub const fn is_worn(&self) -> bool {
        self.used >= WRAP_COUNT_ROTATE
    }

    /// Seals `key` into its place. Refuses after [`WRAP_COUNT_MAX`] wraps.
    pub fn wrap(
        &mut self,
        place: &WrapPlace,
        key: &Key,
        entropy: &dyn Entropy,
    ) -> Result<WrappedKey> {
        if self.used >= WRAP_COUNT_MAX {
            return Err(Error::Limit(
                "a wrapping key made 2^20 wraps: rotate the keyhold first",
            ));
        }
        self.used += 1;
        let nonce = Nonce::random(entropy);
        let mut sealed = [0; WRAPPED_KEY_LEN];
        self.cipher
            .seal_into(&nonce, &place.0, key.expose(), &mut sealed)?;
        if let Some(observer) = entropy.observer() {
            observer.sealed(self.key.fingerprint(), nonce);
        }
        Ok(WrappedKey {
            nonce: *nonce.as_bytes(),
            sealed,
        })
    }

    /// Opens a wrapped key in its place; anything else is [`Error::Integrity`].
    pub fn unwrap(&self, place: &WrapPlace, wrapped: &WrappedKey) -> Result<Key> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        let nonce = Nonce::from_bytes(wrapped.nonce);
        self.cipher
            .open_into(&nonce, &place.0, &wrapped.sealed, &mut bytes[..])?;
        Ok(Key::from_bytes(*bytes))
    }
}

impl fmt::Debug for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapper")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::SeededEntropy;

    const STORE: StoreId = StoreId(7);

    fn wrapper() -> Wrapper {
        Wrapper::new(&Key::from_bytes([1; 32]), 0)
    }

    #[test]
    fn a_wrapper_prints_its_count_and_not_its_key() {
        assert_eq!(format!("{:?}", wrapper()), "Wrapper { used: 0, .. }");
    }

    #[test]
    fn a_wrap_opens_in_its_own_place_only() {
        let entropy = SeededEntropy::new(1);
        let key = Key::random(&entropy);
        let place = WrapPlace::data_key(STORE, 3, 1, 9, 2);
        let wrapped = wrapper().wrap(&place, &key, &entropy).expect("wraps");
        assert_eq!(wrapper().unwrap(&place, &wrapped), Ok(key));
        let others = [
            WrapPlace::data_key(StoreId(8), 3, 1, 9, 2),
            WrapPlace::data_key(STORE, 4, 1, 9, 2),
            WrapPlace::data_key(STORE, 3, 2, 9, 2),
            WrapPlace::data_key(STORE, 3, 1, 8, 2),
            WrapPlace::data_key(STORE, 3, 1, 9, 3),
            WrapPlace::blob_key(STORE, 3, 9),
        ];
        for other in others {
            assert_eq!(wrapper().unwrap(&other, &wrapped), Err(Error::Integrity));
        }
        let stranger = Wrapper::new(&Key::from_bytes([2; 32]), 0);
        assert_eq!(stranger.unwrap(&place, &wrapped), Err(Error::Integrity));
    }

    #[test]
    fn e2_no_byte_of_a_wrap_can_change() {
        let entropy = SeededEntropy::new(1);
        let place = WrapPlace::blob_key(STORE, 1, 1);
        let wrapped = wrapper()
            .wrap(&place, &Key::random(&entropy), &entropy)
            .expect("wraps");
        for at in 0..WRAP_LEN {
            let mut bytes = wrapped.to_bytes();
            bytes[at] ^= 0x10;
            let forged = WrappedKey::from_bytes(&bytes).expect("length is right");
            assert_eq!(wrapper().unwrap(&place, &forged), Err(Error::Integrity));
        }
        let bytes = wrapped.to_bytes();
        assert_eq!(WrappedKey::from_bytes(&bytes), Ok(wrapped));
        assert_eq!(WrappedKey::from_bytes(&bytes[..59]), Err(Error::Length));
        assert_eq!(WrappedKey::from_bytes(&[0; 61]), Err(Error::Length));
    }

    #[test]
    fn e2_a_worn_wrapping_key_refuses() {
        let entropy = SeededEntropy::new(1);
        let mut wrapper = Wrapper::new(&Key::from_bytes([1; 32]), WRAP_COUNT_MAX - 1);
        let place = WrapPlace::blob_key(STORE, 1, 1);
        let key = Key::random(&entropy);
        assert!(wrapper.is_worn());
        assert!(wrapper.wrap(&place, &key, &entropy).is_ok());
        assert_eq!(wrapper.used(), WRAP_COUNT_MAX);
        let refused = wrapper.wrap(&place, &key, &entropy);
        assert!(matches!(refused, Err(Error::Limit(_))));
    }

    #[test]
    fn fields_cannot_flow_into_each_other() {
        let base = || WrapPlace::new("x", STORE);
        assert_ne!(
            base().field(b"ab").field(b"c"),
            base().field(b"a").field(b"bc")
        );
    }
}
