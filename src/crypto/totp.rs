//! One-time passwords by time: RFC 6238 with SHA-1, steps of 30 seconds and six digits, which is what
//! every authenticator program knows. SHA-1 is used for nothing else in the house.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::key::{Entropy, random_bytes};

/// Seconds of one step.
pub const TOTP_STEP_SECONDS: i64 = 30;
/// Digits of a code.
pub const TOTP_DIGITS: usize = 6;
/// Bytes of a secret: as long as the hash (RFC 4226, section 4, R6).
const SECRET_LEN: usize = 20;
/// Codes there are: 10 to the number of digits.
const CODES: u32 = 1_000_000;
/// Base 32 of RFC 4648, which the programs read secrets in.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A secret shared with an authenticator program. Debug output hides it.
pub struct TotpSecret(Zeroizing<[u8; SECRET_LEN]>);

impl TotpSecret {
    /// A new random secret.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random_bytes(entropy)))
    }

    /// The secret of a text that [`TotpSecret::base32`] gave; `None` for any other.
    pub fn from_base32(text: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; SECRET_LEN]);
        if text.len() != SECRET_LEN * 8 / 5 {
            return None;
        }
        for (at, letter) in text.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|known| *known == letter)?;
            for bit in 0..5 {
                let place = at * 5 + bit;
                bytes[place / 8] |= ((digit >> (4 - bit) & 1) as u8) << (7 - place % 8);
            }
        }
        Some(Self(bytes))
    }

    /// The secret as people type it into the program: 32 letters and digits.
    pub fn base32(&self) -> Zeroizing<String> {
        let digit = |at: usize| {
            (at * 5..at * 5 + 5).fold(0, |digit, place| {
                digit << 1 | usize::from(self.0[place / 8] >> (7 - place % 8) & 1)
            })
        };
        Zeroizing::new(
            (0..SECRET_LEN * 8 / 5)
                .map(|at| char::from(ALPHABET[digit(at)]))
                .collect(),
        )
    }

    /// The code of a step, with leading zeros.
    pub fn code(&self, step: u64) -> String {
        format!("{:06}", code_of(&self.0[..], step) % CODES)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// HOTP (RFC 4226, section 5.3) before it is cut to its digits.
fn code_of(secret: &[u8], counter: u64) -> u32 {
    // A key that is shorter than the block of 64 bytes is filled up with zeros (RFC 2104).
    let mut block = [0u8; 64];
    block[..secret.len()].copy_from_slice(secret);
    let mut mac = Hmac::<Sha1>::new(&block.into());
    block.fill(0);
    mac.update(&counter.to_be_bytes());
    let digest: [u8; 20] = mac.finalize().into_bytes().into();
    let offset = usize::from(digest[19] & 15);
    let four = [0, 1, 2, 3].map(|at| digest[offset + at]);
    u32::from_be_bytes(four) & 0x7fff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::SeededEntropy;

    #[test]
    fn rfc_6238_appendix_b() {
        // Eight digits for SHA-1 at the times of the table.
        let secret = b"12345678901234567890";
        for (seconds, code) in [
            (59, 94_287_082),
            (1_111_111_109, 7_081_804),
            (1_111_111_111, 14_050_471),
            (1_234_567_890, 89_005_924),
            (2_000_000_000, 69_279_037),
            (20_000_000_000u64, 65_353_130),
        ] {
            assert_eq!(
                code_of(secret, seconds / 30) % 100_000_000,
                code,
                "{seconds}"
            );
        }
        assert_eq!(TotpSecret(Zeroizing::new(*secret)).code(1), "287082");
    }

    #[test]
    fn a_secret_reads_back() {
        // RFC 4648, base 32 of the secret above.
        let known = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        assert_eq!(*known.base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let secret = TotpSecret::random(&SeededEntropy::new(4));
        let read = TotpSecret::from_base32(&secret.base32()).unwrap();
        assert_eq!(read.0, secret.0);
        assert!(TotpSecret::from_base32("GEZDGNBV").is_none());
        assert!(TotpSecret::from_base32(&"1".repeat(32)).is_none());
        assert_eq!(format!("{secret:?}"), "***");
    }
}
