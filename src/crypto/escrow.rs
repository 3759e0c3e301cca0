//! The escrow: bytes sealed to a recovery key whose secret half the running product does not have.
//!
//! HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one message.
//!
//! ```text
//! file = header 64 B, then encapsulated key 32 B, then ciphertext and tag
//! header = "WKESC1\0\0"  store 16 B  recovery key, public 32 B  plain length be64
//! info = "wordkeep/v1/escrow"   aad = header
//! ```
//! The recovery key is printed for people: `WKREC1-` and twelve groups of Crockford base32 that
//! hold the 32 secret bytes and a checksum of five, so that a slip of the pen is told at once.

use std::convert::Infallible;
use std::fmt;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{
    Deserializable, Kem as _, OpModeR, OpModeS, Serializable, single_shot_open,
    single_shot_seal_with_rng,
};
use zeroize::Zeroizing;

use crate::domain::StoreId;

use super::error::{Error, Result};
use super::hash::{equal, sha256_of};
use super::key::{Entropy, KEY_LEN, Key};

/// Most plain bytes of an escrow: it is written at every backup and every purge, and carried away.
pub const ESCROW_LEN_MAX: usize = 5 * 1000 * 1000;
/// Bytes before the sealed part.
pub const ESCROW_HEADER_LEN: usize = 64;
/// Bytes of a recovery public key.
pub const RECOVERY_PUBLIC_LEN: usize = 32;

const MAGIC: &[u8; 8] = b"WKESC1\0\0";
const INFO: &[u8] = b"wordkeep/v1/escrow";
/// What every printed recovery key begins with; the digit is the version of the form.
const PRINTED_PREFIX: &str = "WKREC1";
const CHECK_LABEL: &[u8] = b"wordkeep/v1/recovery-key";
/// Bytes of the checksum: a wrong key passes once in 2^40.
const CHECK_LEN: usize = 5;
/// Letters of one printed group.
const GROUP_LEN: usize = 5;
/// Crockford's letters: none that look alike.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

type Kem = X25519HkdfSha256;
type Secret = <Kem as hpke::Kem>::PrivateKey;
type Public = <Kem as hpke::Kem>::PublicKey;
type Encapsulated = <Kem as hpke::Kem>::EncappedKey;

/// The public half of a recovery key: seals, and opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RecoveryPublic(pub [u8; RECOVERY_PUBLIC_LEN]);

/// The secret half of a recovery key: opens every escrow sealed to it. Wiped when dropped.
pub struct RecoveryKey(Zeroizing<[u8; KEY_LEN]>);

impl RecoveryKey {
    /// A fresh key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(*Key::random(entropy).expose()))
    }

    /// The public half.
    pub fn public(&self) -> Result<RecoveryPublic> {
        let public = Kem::sk_to_pk(&self.secret()?);
        let mut bytes = [0; RECOVERY_PUBLIC_LEN];
        bytes.copy_from_slice(&public.to_bytes());
        Ok(RecoveryPublic(bytes))
    }

    fn secret(&self) -> Result<Secret> {
        Secret::from_bytes(&self.0[..]).map_err(|_| Error::Format {
            expected: "a recovery key",
            found: "the bytes are no X25519 key",
        })
    }

    /// The form for paper: `WKREC1-` and groups of five letters.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(self.0.to_vec());
        bytes.extend_from_slice(&check(&self.0[..]));
        // Room ahead, so that no copy of the letters stays behind in memory.
        let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len() + 16));
        text.push_str(PRINTED_PREFIX);
        for (n, letter) in letters(&bytes).enumerate() {
            if n % GROUP_LEN == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }

    /// Reads the printed form: case, blanks and hyphens do not matter, and O, I and L are read as
    /// the digits they look like. [`Error::Format`] says what is wrong.
    pub fn from_text(text: &str) -> Result<Self> {
        let wrong = |found| Error::Format {
            expected: "a recovery key",
            found,
        };
        let mut plain = Zeroizing::new(String::with_capacity(text.len()));
        plain.extend(
            text.chars()
                .filter(|letter| !letter.is_whitespace() && *letter != '-')
                .map(|letter| letter.to_ascii_uppercase()),
        );
        let rest = plain
            .strip_prefix(PRINTED_PREFIX)
            .ok_or_else(|| wrong("it does not begin with WKREC1"))?;
        let bytes = bytes_of(rest).ok_or_else(|| wrong("a letter that never stands in one"))?;
        let (secret, sum) = bytes
            .split_first_chunk::<KEY_LEN>()
            .ok_or_else(|| wrong("letters are missing"))?;
        if sum.len() != CHECK_LEN {
            return Err(wrong("letters are missing or too many"));
        }
        if !equal(&check(secret), sum) {
            return Err(wrong("its checksum does not fit: a letter is wrong"));
        }
        Ok(Self(Zeroizing::new(*secret)))
    }

    /// Opens an escrow file of this store. [`Error::WrongKey`] when it was sealed to another
    /// recovery key or belongs to another store, [`Error::Integrity`] when it was changed.
    pub fn open_escrow(&self, store: StoreId, file: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let header = EscrowHeader::parse(file)?;
        if header.store != store || header.public != self.public()? {
            return Err(Error::WrongKey);
        }
        let (head, rest) = file
            .split_at_checked(ESCROW_HEADER_LEN)
            .ok_or(Error::Length)?;
        let (encapsulated, sealed) = rest
            .split_first_chunk::<RECOVERY_PUBLIC_LEN>()
            .ok_or(Error::Length)?;
        let encapsulated = Encapsulated::from_bytes(encapsulated).map_err(|_| Error::Integrity)?;
        let plain = single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &self.secret()?,
            &encapsulated,
            INFO,
            sealed,
            head,
        )
        .map_err(|_| Error::Integrity)?;
        let plain = Zeroizing::new(plain);
        match plain.len() as u64 == header.plain_len {
            true => Ok(plain),
            false => Err(Error::Length),
        }
    }
}

impl fmt::Debug for RecoveryKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryKey(***)")
    }
}

impl RecoveryPublic {
    /// Eight letters by which people tell recovery keys apart; they say nothing of the secret.
    pub fn name(&self) -> String {
        letters(&sha256_of(&[CHECK_LABEL, b"/name", &self.0])[..CHECK_LEN]).collect()
    }

    /// Seals an escrow file for this store: at most [`ESCROW_LEN_MAX`] plain bytes.
    pub fn seal_escrow(
        &self,
        store: StoreId,
        plain: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>> {
        if plain.len() > ESCROW_LEN_MAX {
            return Err(Error::Limit(
                "an escrow holds at most 5 MB: forget the oldest backups, and with them the traces of \
                 what was disposed of since",
            ));
        }
        let header = EscrowHeader {
            store,
            public: *self,
            plain_len: plain.len() as u64,
        };
        let mut file = header.to_bytes();
        let public = Public::from_bytes(&self.0).map_err(|_| Error::Format {
            expected: "a recovery key",
            found: "the public half is no X25519 key",
        })?;
        let (encapsulated, sealed) = single_shot_seal_with_rng::<AesGcm256, HkdfSha256, Kem>(
            &OpModeS::Base,
            &public,
            INFO,
            plain,
            &file,
            &mut Chance(entropy),
        )
        .map_err(|_| Error::Integrity)?;
        file.extend_from_slice(&encapsulated.to_bytes());
        file.extend_from_slice(&sealed);
        Ok(file)
    }
}

/// What stands in clear before an escrow; it is bound to what is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EscrowHeader {
    /// The store whose keys are inside.
    pub store: StoreId,
    /// The recovery key that opens it.
    pub public: RecoveryPublic,
    /// Length of what is sealed, in bytes.
    pub plain_len: u64,
}

impl EscrowHeader {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.store.0.to_be_bytes());
        bytes.extend_from_slice(&self.public.0);
        bytes.extend_from_slice(&self.plain_len.to_be_bytes());
        bytes
    }

    /// Reads the first 64 bytes of a file; [`Error::Format`] when it is no escrow. Nothing of it
    /// is to be believed before the escrow opened.
    pub fn parse(file: &[u8]) -> Result<Self> {
        let wrong = |found| Error::Format {
            expected: "an escrow",
            found,
        };
        let head = file
            .get(..ESCROW_HEADER_LEN)
            .ok_or_else(|| wrong("it is cut"))?;
        let rest = head
            .strip_prefix(MAGIC)
            .ok_or_else(|| wrong("the first eight bytes are not WKESC1"))?;
        let (store, rest) = rest.split_first_chunk::<16>().ok_or(Error::Length)?;
        let (public, rest) = rest.split_first_chunk().ok_or(Error::Length)?;
        let plain_len = rest.first_chunk::<8>().ok_or(Error::Length)?;
        Ok(Self {
            store: StoreId(u128::from_be_bytes(*store)),
            public: RecoveryPublic(*public),
            plain_len: u64::from_be_bytes(*plain_len),
        })
    }
}

fn check(secret: &[u8]) -> [u8; CHECK_LEN] {
    let digest = sha256_of(&[CHECK_LABEL, secret]);
    let mut sum = [0; CHECK_LEN];
    sum.copy_from_slice(&digest[..CHECK_LEN]);
    sum
}

/// Five bits a letter, the last group filled with zeros.
fn letters(bytes: &[u8]) -> impl Iterator<Item = char> + '_ {
    (0..(bytes.len() * 8).div_ceil(5)).map(move |n| {
        let value = (0..5).fold(0u8, |value, bit| {
            let at = n * 5 + bit;
            let byte = bytes.get(at / 8).copied().unwrap_or(0);
            value << 1 | byte >> (7 - at % 8) & 1
        });
        char::from(LETTERS[usize::from(value)])
    })
}

fn bytes_of(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(vec![0; text.len() * 5 / 8]);
    let mut bits = 0;
    for letter in text.bytes() {
        let letter = match letter {
            b'O' => b'0',
            b'I' | b'L' => b'1',
            other => other,
        };
        let value = LETTERS.iter().position(|known| *known == letter)?;
        for bit in (0..5).rev() {
            let is_set = value >> bit & 1 == 1;
            match bytes.get_mut(bits / 8) {
                Some(byte) => *byte |= u8::from(is_set) << (7 - bits % 8),
                None if is_set => return None,
                None => {}
            }
            bits += 1;
        }
    }
    Some(bytes)
}

/// Entropy as the `hpke` crate asks for it.
struct Chance<'e>(&'e dyn Entropy);

impl TryRng for Chance<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> std::result::Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> std::result::Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> std::result::Result<(), Infallible> {
        self.0.fill(buffer);
        Ok(())
    }
}

impl TryCryptoRng for Chance<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{SeededEntropy, from_hex};
    use hpke::aead::AesGcm128;

    const STORE: StoreId = StoreId(7);

    struct Fixed(Vec<u8>);

    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.copy_from_slice(&self.0[..buffer.len()]);
        }
    }

    fn bytes(text: &str) -> Vec<u8> {
        from_hex(text).unwrap()
    }

    // RFC 9180 appendix A.1.1: ikmE, skRm, pkRm, info, aad, plain text, enc and the ciphertext of
    // "Count-0". The suite there has AES-128-GCM; our suite (AES-256-GCM) is not in the appendix.
    // Its ciphertext was computed from the formulas of the RFC by a program that reproduces both
    // A.1.1 and BoringSSL's vector for X25519, HKDF-SHA256, AES-256-GCM.
    const IKM_E: &str = "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234";
    const SK_R: &str = "4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8";
    const PK_R: &str = "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d";
    const INFO_A1: &str = "4f6465206f6e2061204772656369616e2055726e";
    const PLAIN_A1: &str = "4265617574792069732074727574682c20747275746820626561757479";
    const ENC: &str = "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431";
    const SEALED_128: &str = "f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9\
                              6d8770ac83d07bea87e13c512a";
    const SEALED_256: &str = "090b7dc225419f7da9e8b460becfbb96a26c7964d79b8010d397fa838530a32a\
                              397b14f5776db19ff5e57734e0";

    fn sealed_by<A: hpke::aead::Aead>() -> (Vec<u8>, Vec<u8>) {
        let entropy = Fixed(bytes(IKM_E));
        let (enc, sealed) = single_shot_seal_with_rng::<A, HkdfSha256, Kem>(
            &OpModeS::Base,
            &Public::from_bytes(&bytes(PK_R)).unwrap(),
            &bytes(INFO_A1),
            &bytes(PLAIN_A1),
            b"Count-0",
            &mut Chance(&entropy),
        )
        .unwrap();
        (enc.to_bytes().to_vec(), sealed)
    }

    #[test]
    fn rfc_9180_a_1_1() {
        assert_eq!(sealed_by::<AesGcm128>(), (bytes(ENC), bytes(SEALED_128)));
        assert_eq!(sealed_by::<AesGcm256>(), (bytes(ENC), bytes(SEALED_256)));
        let secret = RecoveryKey(Zeroizing::new(bytes(SK_R).try_into().unwrap()));
        assert_eq!(secret.public().unwrap().0.to_vec(), bytes(PK_R));
        let opened = single_shot_open::<AesGcm256, HkdfSha256, Kem>(
            &OpModeR::Base,
            &secret.secret().unwrap(),
            &Encapsulated::from_bytes(&bytes(ENC)).unwrap(),
            &bytes(INFO_A1),
            &bytes(SEALED_256),
            b"Count-0",
        );
        assert_eq!(opened.unwrap(), bytes(PLAIN_A1));
    }

    #[test]
    fn what_hpke_asks_for_comes_from_the_entropy() {
        let entropy = Fixed((1..=8).collect());
        let mut chance = Chance(&entropy);
        assert_eq!(chance.try_next_u32(), Ok(0x0403_0201));
        assert_eq!(chance.try_next_u64(), Ok(0x0807_0605_0403_0201));
        let mut bytes = [0; 3];
        assert_eq!(chance.try_fill_bytes(&mut bytes), Ok(()));
        assert_eq!(bytes, [1, 2, 3]);
    }

    #[test]
    fn an_escrow_has_a_largest_size() {
        let entropy = SeededEntropy::new(3);
        let public = RecoveryKey::random(&entropy).public().unwrap();
        let mut plain = vec![7; 5_000_000];
        assert!(public.seal_escrow(STORE, &plain, &entropy).is_ok());
        for _ in 0..2 {
            plain.push(7);
            let refused = public.seal_escrow(STORE, &plain, &entropy);
            assert!(matches!(refused, Err(Error::Limit(_))));
        }
    }

    #[test]
    fn a_recovery_key_is_not_printed_by_chance() {
        let key = RecoveryKey::random(&SeededEntropy::new(2));
        assert_eq!(format!("{key:?}"), "RecoveryKey(***)");
    }

    #[test]
    fn only_the_recovery_key_of_the_store_opens() {
        let entropy = SeededEntropy::new(1);
        let key = RecoveryKey::random(&entropy);
        let file = key
            .public()
            .unwrap()
            .seal_escrow(STORE, b"all keys", &entropy)
            .unwrap();
        assert_eq!(&key.open_escrow(STORE, &file).unwrap()[..], b"all keys");
        assert_eq!(
            key.open_escrow(StoreId(8), &file).unwrap_err(),
            Error::WrongKey
        );
        let other = RecoveryKey::random(&entropy);
        assert_eq!(
            other.open_escrow(STORE, &file).unwrap_err(),
            Error::WrongKey
        );
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(key.open_escrow(STORE, &changed).is_err(), "byte {at}");
            assert!(key.open_escrow(STORE, &file[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn the_printed_key_reads_back_and_a_slip_is_told() {
        let key = RecoveryKey::random(&SeededEntropy::new(2));
        let text = key.to_text();
        assert!(text.starts_with("WKREC1-"), "{}", text.len());
        let typed = text.to_lowercase().replace('-', " ").replace('0', "o");
        let typed = typed.replacen('1', "l", 5).replacen("wkrecl", "wkrec1", 1);
        assert_eq!(
            RecoveryKey::from_text(&typed).unwrap().0[..],
            key.0[..],
            "case, blanks and look-alikes do not matter"
        );
        for at in PRINTED_PREFIX.len()..text.len() {
            let mut wrong = text.as_bytes().to_vec();
            if wrong[at] == b'-' {
                continue;
            }
            wrong[at] = if wrong[at] == b'Z' { b'Y' } else { b'Z' };
            let wrong = String::from_utf8(wrong).unwrap();
            assert!(RecoveryKey::from_text(&wrong).is_err(), "letter {at}");
        }
        assert!(RecoveryKey::from_text(&text[..text.len() - 1]).is_err());
        // 60 letters carry four bits more than the key and its checksum: they are zero.
        let last = LETTERS
            .iter()
            .position(|letter| text.ends_with(char::from(*letter)));
        for padding in 1..16 {
            let other = char::from(LETTERS[last.unwrap() | padding]);
            let wrong = format!("{}{other}", &text[..text.len() - 1]);
            assert!(RecoveryKey::from_text(&wrong).is_err(), "padding {padding}");
        }
        assert!(RecoveryKey::from_text(&format!("{}00", *text)).is_err());
    }
}
