//! Keys as values that wipe themselves, and where their randomness comes from.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use super::hash;
use super::observer::SealObserver;

/// Bytes of every symmetric key of the house.
pub const KEY_LEN: usize = 32;

/// A source of random bytes. `app` passes the operating system's; tests pass a seeded one.
///
/// An implementation must fill the whole buffer; if the operating system cannot give randomness
/// it must not return.
pub trait Entropy: Send + Sync {
    /// Fills the buffer with bytes nobody can predict.
    fn fill(&self, buffer: &mut [u8]);

    /// Who hears of what is sealed with these bytes: nobody, outside tests of the nonce law.
    fn observer(&self) -> Option<&Arc<dyn SealObserver>> {
        None
    }
}

/// `N` random bytes, for salts, ids and nonces.
pub fn random_bytes<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// Repeatable bytes from a seed: SHA-256 of seed and a running counter.
///
/// **For tests and the demonstration archive only**: who knows the seed knows every key. Two
/// values with one seed give the same bytes in the same order of calls.
pub struct SeededEntropy {
    seed: u64,
    counter: AtomicU64,
}

impl SeededEntropy {
    /// Starts the sequence of this seed.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(hash::DIGEST_LEN) {
            let turn = self.counter.fetch_add(1, Ordering::Relaxed);
            let block = hash::sha256_of(&[
                b"wordkeep/v1/seeded",
                &self.seed.to_be_bytes(),
                &turn.to_be_bytes(),
            ]);
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
    }
}

/// A 256-bit secret. It is wiped when dropped, prints as `***` and compares in constant time.
///
/// ```text
/// root                       random, opened by any slot (see `slot`)
///  |- db_key                 random, wrapped under root
///  `- keyhold g              random, wrapped under root (see `keyhold`)
///      `- data keys          random, wrapped rows (see `wrap`)
///          |- row ciphers    derived per run (see `row`)
///          `- stream ciphers derived per file (see `stream`)
/// ```
/// Only what lies below an erasable key is derived; a derived key cannot die by itself.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; KEY_LEN]);

impl Key {
    /// A fresh key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut key = Self([0; KEY_LEN]);
        entropy.fill(&mut key.0);
        key
    }

    /// The key of these bytes. The caller wipes its own copy.
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The key in a slice; `None` unless it is 32 bytes long.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes themselves, for wrapping and for engines that take a raw key. Do not copy them
    /// into anything that is not wiped.
    pub const fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// HKDF-SHA256 (RFC 5869) with this key as input; `info` is the concatenation of its parts, so
    /// the caller keeps the parts unambiguous.
    pub fn derive(&self, salt: &[u8], info: &[&[u8]]) -> Key {
        let mut derived = Key([0; KEY_LEN]);
        expand(&self.0, salt, info, &mut derived.0);
        derived
    }

    /// Like [`Key::derive`], with 64 bytes of output split in a key and a public commitment to it.
    pub fn derive_committed(&self, salt: &[u8], info: &[&[u8]]) -> (Key, [u8; hash::DIGEST_LEN]) {
        let mut output = [0u8; 2 * KEY_LEN];
        expand(&self.0, salt, info, &mut output);
        let mut key = Key([0; KEY_LEN]);
        let mut commitment = [0; hash::DIGEST_LEN];
        key.0.copy_from_slice(&output[..KEY_LEN]);
        commitment.copy_from_slice(&output[KEY_LEN..]);
        output.zeroize();
        (key, commitment)
    }

    /// A public name for the key: it tells keys apart and gives nothing away about their bytes.
    pub fn fingerprint(&self) -> KeyFingerprint {
        let full = hash::hmac_sha256(&self.0, &[b"wordkeep/v1/fingerprint"]);
        let mut short = [0; 16];
        short.copy_from_slice(&full[..16]);
        KeyFingerprint(short)
    }
}

/// Fills `output` with HKDF-SHA256; `output` is at most two blocks, well under the 255 allowed.
fn expand<const N: usize>(input: &[u8], salt: &[u8], info: &[&[u8]], output: &mut [u8; N]) {
    const { assert!(N <= 255 * hash::DIGEST_LEN) };
    #[expect(
        clippy::expect_used,
        reason = "the assertion above is the only condition of RFC 5869 section 2.3"
    )]
    Hkdf::<Sha256>::new(Some(salt), input)
        .expand_multi_info(info, output)
        .expect("an output of at most 255 blocks always expands");
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(***)")
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key {}

/// The public name of a key, see [`Key::fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(pub [u8; 16]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_5869_test_case_1_expands() {
        // RFC 5869 appendix A.1, with its 22-byte input keying material.
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let mut output = [0u8; 42];
        expand(&[0x0b; 22], &salt, &[&info[..4], &info[4..]], &mut output);
        let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf\
                        34007208d5b887185865";
        assert_eq!(hash::hex(&output), expected);
    }

    #[test]
    fn a_key_never_prints_itself() {
        let key = Key::from_bytes([7; KEY_LEN]);
        assert_eq!(format!("{key:?}"), "Key(***)");
    }

    #[test]
    fn the_seeded_source_repeats_and_never_stands_still() {
        let (left, right) = (SeededEntropy::new(1), SeededEntropy::new(1));
        let first: [u8; 80] = random_bytes(&left);
        assert_eq!(first, random_bytes::<80>(&right));
        assert_ne!(first, random_bytes::<80>(&left));
        assert_ne!(first, random_bytes::<80>(&SeededEntropy::new(2)));
    }

    #[test]
    fn salt_and_info_both_separate_derived_keys() {
        let key = Key::from_bytes([1; KEY_LEN]);
        let base = key.derive(b"salt", &[b"info"]);
        assert_eq!(base, key.derive(b"salt", &[b"in", b"fo"]));
        assert_ne!(base, key.derive(b"sAlt", &[b"info"]));
        assert_ne!(base, key.derive(b"salt", &[b"inFo"]));
        let (committed, commitment) = key.derive_committed(b"salt", &[b"info"]);
        assert_eq!(committed, base);
        assert_ne!(committed.expose(), &commitment);
    }

    #[test]
    fn a_slice_of_another_length_is_no_key() {
        assert!(Key::from_slice(&[0; 31]).is_none());
        assert!(Key::from_slice(&[0; 33]).is_none());
        assert!(Key::from_slice(&[0; 32]).is_some());
    }
}
