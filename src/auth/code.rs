//! Codes that people copy by hand: 80 random bits in Crockford's base 32, in groups of four.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::{Digest, Entropy, random_bytes, sha256};

/// Random bytes of a code: 80 bits are beyond guessing, also for who has a year.
const CODE_LEN: usize = 10;
/// Characters of a group.
const GROUP: usize = 4;
/// Crockford's base 32: without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A code in the hand of its owner. It prints itself once; debug output hides it.
pub struct GroupedCode(Zeroizing<[u8; CODE_LEN]>);

impl GroupedCode {
    /// A new random code.
    pub(super) fn random(entropy: &dyn Entropy) -> Self {
        Self(Zeroizing::new(random_bytes(entropy)))
    }

    /// The code as typed: case, blanks and hyphens do not count, I and L read as 1 and O as 0.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits: Option<Vec<u8>> = text
            .bytes()
            .filter(|byte| !matches!(byte, b'-' | b' '))
            .map(|byte| {
                let letter = match byte.to_ascii_uppercase() {
                    b'I' | b'L' => b'1',
                    b'O' => b'0',
                    letter => letter,
                };
                let digit = ALPHABET.iter().position(|known| *known == letter)?;
                u8::try_from(digit).ok()
            })
            .collect();
        let digits = Zeroizing::new(digits?);
        if digits.len() != CODE_LEN * 8 / 5 {
            return None;
        }
        let mut bytes = Zeroizing::new([0; CODE_LEN]);
        for (at, digit) in digits.iter().enumerate() {
            for bit in 0..5 {
                let place = at * 5 + bit;
                bytes[place / 8] |= (digit >> (4 - bit) & 1) << (7 - place % 8);
            }
        }
        Some(Self(bytes))
    }

    /// What is kept of it.
    pub(super) fn hash(&self) -> Digest {
        sha256(&self.0[..])
    }
}

impl fmt::Display for GroupedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for at in 0..CODE_LEN * 8 / 5 {
            if at > 0 && at % GROUP == 0 {
                f.write_str("-")?;
            }
            let digit = (at * 5..at * 5 + 5).fold(0, |digit, place| {
                digit << 1 | usize::from(self.0[place / 8] >> (7 - place % 8) & 1)
            });
            write!(f, "{}", char::from(ALPHABET[digit]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for GroupedCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let entropy = SeededEntropy::new(5);
        for _ in 0..100 {
            let code = GroupedCode::random(&entropy);
            let text = code.to_string();
            assert_eq!((text.len(), text.matches('-').count()), (19, 3));
            let sloppy = text.to_lowercase().replace('-', " ").replace('1', "l");
            for typed in [&text, &sloppy, &text.replace('-', "").replace('0', "o")] {
                let read = GroupedCode::read(typed).unwrap();
                assert_eq!(read.hash(), code.hash(), "{typed}");
            }
            assert!(GroupedCode::read(&text[1..]).is_none());
        }
        assert!(GroupedCode::read("K7QD-9F2M-XW4T-HHJU").is_none());
        assert!(GroupedCode::read("").is_none());
    }
}
