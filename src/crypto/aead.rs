//! AES-256-GCM over caller buffers, and the only ways to make a nonce.

use std::fmt;
use std::sync::Arc;

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};

use super::error::{Error, Result};
use super::key::{Entropy, Key, KeyFingerprint, random_bytes};
use super::observer::SealObserver;

/// Bytes a sealed text is longer than its plaintext.
pub const TAG_LEN: usize = 16;
/// Bytes of a nonce.
pub const NONCE_LEN: usize = 12;
/// Longest plaintext of one seal, in bytes: 64 GiB less two blocks (NIST SP 800-38D section 5.2.1.1).
pub const PLAIN_LEN_MAX: u64 = (1 << 36) - 32;

const TOO_LONG: Error = Error::Limit("more than 64 GiB in one sealed piece: use a stream");

/// The 96-bit number that must never meet the same key twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce([u8; NONCE_LEN]);

impl Nonce {
    /// The nonce of a row: be64 number, be16 version, be16 part. Numbers are handed out once for
    /// ever, so the triple is unique under a key; larger versions or parts do not fit the type.
    pub fn row(no: u64, version: u16, part: u16) -> Self {
        let mut bytes = [0; NONCE_LEN];
        bytes[..8].copy_from_slice(&no.to_be_bytes());
        bytes[8..10].copy_from_slice(&version.to_be_bytes());
        bytes[10..].copy_from_slice(&part.to_be_bytes());
        Self(bytes)
    }

    /// The nonce of a page of a stream: 11-byte big-endian counter, then 1 on the last page.
    pub fn chunk(counter: u64, last: bool) -> Self {
        let mut bytes = [0; NONCE_LEN];
        bytes[3..11].copy_from_slice(&counter.to_be_bytes());
        bytes[11] = u8::from(last);
        Self(bytes)
    }

    /// A random nonce, for wraps only: a key may meet at most 2^20 of them (see `wrap`).
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(random_bytes(entropy))
    }

    /// The nonce stored beside a wrap.
    pub const fn from_bytes(bytes: [u8; NONCE_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, to be stored beside a wrap.
    pub const fn as_bytes(&self) -> &[u8; NONCE_LEN] {
        &self.0
    }
}

/// AES-256-GCM (NIST SP 800-38D) with its key schedule expanded; the schedule is wiped on drop.
#[derive(Clone)]
pub struct Cipher {
    engine: Aes256Gcm,
    watch: Option<Watch>,
}

#[derive(Clone)]
struct Watch {
    key: KeyFingerprint,
    observer: Arc<dyn SealObserver>,
}

impl Cipher {
    /// Expands the key.
    pub fn new(key: &Key) -> Self {
        Self {
            engine: Aes256Gcm::new(key.expose().into()),
            watch: None,
        }
    }

    /// Expands the key and reports every seal to the observer, if there is one.
    pub fn watched(key: &Key, observer: Option<&Arc<dyn SealObserver>>) -> Self {
        Self {
            watch: observer.map(|observer| Watch {
                key: key.fingerprint(),
                observer: Arc::clone(observer),
            }),
            ..Self::new(key)
        }
    }

    /// Appends ciphertext and tag (`plain.len() + 16` bytes) to `out`.
    ///
    /// Allocates only if `out` has no room. Fails beyond [`PLAIN_LEN_MAX`].
    pub fn seal(&self, nonce: &Nonce, aad: &[u8], plain: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        out.reserve(plain.len() + TAG_LEN);
        out.extend_from_slice(plain);
        match self.seal_in_place(nonce, aad, &mut out[start..]) {
            Ok(tag) => {
                out.extend_from_slice(&tag);
                Ok(())
            }
            Err(error) => {
                out.truncate(start);
                Err(error)
            }
        }
    }

    /// Appends the plaintext of `sealed` to `out`; on failure `out` is as it was.
    pub fn open(&self, nonce: &Nonce, aad: &[u8], sealed: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let (text, tag) = split_tag(sealed)?;
        let start = out.len();
        out.extend_from_slice(text);
        let opened = self.open_in_place(nonce, aad, &mut out[start..], tag);
        if opened.is_err() {
            out.truncate(start);
        }
        opened
    }

    /// Seals into a buffer of exactly `plain.len() + 16` bytes, without allocation.
    pub fn seal_into(&self, nonce: &Nonce, aad: &[u8], plain: &[u8], out: &mut [u8]) -> Result<()> {
        let Some((text, tag_out)) = out.split_last_chunk_mut::<TAG_LEN>() else {
            return Err(Error::Length);
        };
        let buffer = InOutBuf::new(plain, text).map_err(|_| Error::Length)?;
        let tag = self
            .engine
            .encrypt_inout_detached(nonce.as_bytes().into(), aad, buffer)
            .map_err(|_| TOO_LONG)?;
        tag_out.copy_from_slice(&tag);
        self.report(nonce);
        Ok(())
    }

    /// Opens into a buffer of exactly `sealed.len() - 16` bytes, without allocation. On failure
    /// the buffer holds nothing of the plaintext.
    pub fn open_into(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<()> {
        let (text, tag) = split_tag(sealed)?;
        let buffer = InOutBuf::new(text, out).map_err(|_| Error::Length)?;
        self.engine
            .decrypt_inout_detached(nonce.as_bytes().into(), aad, buffer, tag.into())
            .map_err(|_| Error::Integrity)
    }

    /// Encrypts the buffer where it stands and gives the tag apart.
    pub fn seal_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        buffer: &mut [u8],
    ) -> Result<[u8; TAG_LEN]> {
        let tag = self
            .engine
            .encrypt_inout_detached(nonce.as_bytes().into(), aad, buffer.into())
            .map_err(|_| TOO_LONG)?;
        self.report(nonce);
        Ok(tag.into())
    }

    /// Checks the tag, then decrypts the buffer where it stands; on failure it is untouched.
    pub fn open_in_place(
        &self,
        nonce: &Nonce,
        aad: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<()> {
        self.engine
            .decrypt_inout_detached(nonce.as_bytes().into(), aad, buffer.into(), tag.into())
            .map_err(|_| Error::Integrity)
    }

    fn report(&self, nonce: &Nonce) {
        if let Some(watch) = &self.watch {
            watch.observer.sealed(watch.key, *nonce);
        }
    }
}

fn split_tag(sealed: &[u8]) -> Result<(&[u8], &[u8; TAG_LEN])> {
    // Too short to hold a tag is damage like any other: one error, no oracle.
    sealed.split_last_chunk().ok_or(Error::Integrity)
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::{from_hex, hex};
    use proptest::prelude::*;

    fn cipher(byte: u8) -> Cipher {
        Cipher::new(&Key::from_bytes([byte; 32]))
    }

    #[test]
    fn e2_gcm_specification_test_case_16() {
        // McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test case 16
        // (AES-256 with associated data), taken over into the NIST vectors.
        let bytes = |text: &str| from_hex(text).expect("test vector");
        let key = bytes("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = bytes("cafebabefacedbaddecaf888")
            .try_into()
            .expect("12 bytes");
        let plain = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let cipher = Cipher::new(&Key::from_slice(&key).expect("32 bytes"));
        let mut sealed = Vec::new();
        let nonce = Nonce::from_bytes(nonce);
        cipher
            .seal(&nonce, &aad, &plain, &mut sealed)
            .expect("seals");
        assert_eq!(
            hex(&sealed),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b"
        );
    }

    #[test]
    fn e2_gcm_specification_test_case_13_seals_nothing() {
        let mut sealed = Vec::new();
        let nonce = Nonce::from_bytes([0; NONCE_LEN]);
        cipher(0)
            .seal(&nonce, b"", b"", &mut sealed)
            .expect("seals");
        assert_eq!(hex(&sealed), "530f8afbc74536b9a963b4f1c4cb738b");
    }

    // NIST SP 800-38D section 5.2.1.1: at most 2^39 - 256 bits.
    #[test]
    fn the_longest_plaintext_is_that_of_the_standard() {
        assert_eq!(u128::from(PLAIN_LEN_MAX) * 8, (1 << 39) - 256);
    }

    #[test]
    fn a_cipher_is_not_printed_by_chance() {
        assert_eq!(format!("{:?}", cipher(7)), "Cipher(***)");
    }

    #[test]
    fn the_row_nonce_is_number_version_part() {
        let nonce = Nonce::row(0x0102_0304_0506_0708, 0x090a, 0x0b0c);
        assert_eq!(hex(nonce.as_bytes()), "0102030405060708090a0b0c");
    }

    #[test]
    fn the_chunk_nonce_is_an_eleven_byte_counter_and_the_last_flag() {
        let nonce = Nonce::chunk(0x0102_0304_0506_0708, true);
        assert_eq!(hex(nonce.as_bytes()), "000000010203040506070801");
        assert_ne!(Nonce::chunk(1, true), Nonce::chunk(1, false));
    }

    #[test]
    fn buffers_of_the_wrong_size_are_refused() {
        let nonce = Nonce::row(1, 0, 0);
        let mut out = [0u8; 24];
        assert_eq!(
            cipher(1).seal_into(&nonce, b"", b"1234567", &mut out),
            Err(Error::Length)
        );
        assert_eq!(
            cipher(1).seal_into(&nonce, b"", b"", &mut out[..15]),
            Err(Error::Length)
        );
        cipher(1)
            .seal_into(&nonce, b"", b"12345678", &mut out)
            .expect("seals");
        let mut plain = [0u8; 9];
        assert_eq!(
            cipher(1).open_into(&nonce, b"", &out, &mut plain),
            Err(Error::Length)
        );
    }

    #[test]
    fn the_observer_hears_every_seal_and_no_opening() {
        use std::sync::Mutex;
        #[derive(Default)]
        struct Recorder(Mutex<Vec<(KeyFingerprint, Nonce)>>);
        impl SealObserver for Recorder {
            fn sealed(&self, key: KeyFingerprint, nonce: Nonce) {
                self.0.lock().expect("no panic holds it").push((key, nonce));
            }
        }
        let recorder = Arc::new(Recorder::default());
        let observer: Arc<dyn SealObserver> = Arc::clone(&recorder) as _;
        let key = Key::from_bytes([3; 32]);
        let cipher = Cipher::watched(&key, Some(&observer));
        let (mut sealed, mut into) = (Vec::new(), [0; TAG_LEN]);
        cipher
            .seal(&Nonce::row(1, 0, 0), b"", b"a", &mut sealed)
            .expect("seals");
        cipher
            .seal_into(&Nonce::row(2, 0, 0), b"", b"", &mut into)
            .expect("seals");
        cipher
            .open(&Nonce::row(1, 0, 0), b"", &sealed, &mut Vec::new())
            .expect("opens");
        let seen = recorder.0.lock().expect("no panic holds it").clone();
        let named = key.fingerprint();
        assert_eq!(
            seen,
            [(named, Nonce::row(1, 0, 0)), (named, Nonce::row(2, 0, 0))]
        );
    }

    proptest! {
        #[test]
        fn every_way_of_sealing_gives_the_same_bytes(
            plain in prop::collection::vec(any::<u8>(), 0..300),
            aad in prop::collection::vec(any::<u8>(), 0..100),
            no: u64,
        ) {
            let (cipher, nonce) = (cipher(9), Nonce::row(no, 1, 2));
            let mut sealed = b"before".to_vec();
            cipher.seal(&nonce, &aad, &plain, &mut sealed).expect("seals");
            let sealed = sealed.strip_prefix(b"before").expect("appended").to_vec();
            let mut into = vec![0; plain.len() + TAG_LEN];
            cipher.seal_into(&nonce, &aad, &plain, &mut into).expect("seals");
            prop_assert_eq!(&into, &sealed);
            let mut opened = b"before".to_vec();
            cipher.open(&nonce, &aad, &sealed, &mut opened).expect("opens");
            prop_assert_eq!(opened.strip_prefix(b"before").expect("appended"), &plain[..]);
            let mut opened_into = vec![0; plain.len()];
            cipher.open_into(&nonce, &aad, &sealed, &mut opened_into).expect("opens");
            prop_assert_eq!(opened_into, plain);
        }

        #[test]
        fn e2_flipped_bit_is_found(
            plain in prop::collection::vec(any::<u8>(), 0..200),
            place: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let (cipher, nonce) = (cipher(9), Nonce::row(1, 1, 1));
            let mut sealed = Vec::new();
            cipher.seal(&nonce, b"aad", &plain, &mut sealed).expect("seals");
            let place = place.index(sealed.len());
            sealed[place] ^= 1 << bit;
            let mut out = b"kept".to_vec();
            prop_assert_eq!(cipher.open(&nonce, b"aad", &sealed, &mut out), Err(Error::Integrity));
            prop_assert_eq!(out, b"kept");
            let mut into = vec![0; plain.len()];
            prop_assert_eq!(
                cipher.open_into(&nonce, b"aad", &sealed, &mut into),
                Err(Error::Integrity)
            );
            prop_assert!(into.iter().all(|byte| *byte == 0));
        }

        #[test]
        fn e2_cut_other_key_other_nonce_other_aad_are_found(
            plain in prop::collection::vec(any::<u8>(), 0..200),
            cut in 1..216usize,
        ) {
            let nonce = Nonce::row(1, 1, 1);
            let mut sealed = Vec::new();
            cipher(9).seal(&nonce, b"aad", &plain, &mut sealed).expect("seals");
            let open = |cipher: Cipher, nonce, aad: &[u8], sealed: &[u8]| {
                cipher.open(&nonce, aad, sealed, &mut Vec::new())
            };
            let short = &sealed[..sealed.len().saturating_sub(cut)];
            prop_assert_eq!(open(cipher(9), nonce, b"aad", short), Err(Error::Integrity));
            prop_assert_eq!(open(cipher(8), nonce, b"aad", &sealed), Err(Error::Integrity));
            prop_assert_eq!(open(cipher(9), nonce, b"aaD", &sealed), Err(Error::Integrity));
            let other = Nonce::row(1, 1, 2);
            prop_assert_eq!(open(cipher(9), other, b"aad", &sealed), Err(Error::Integrity));
        }
    }
}
