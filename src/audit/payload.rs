//! The sealed half of an entry: query text, reasons, before and after.
//!
//! ```text
//! commit  = SHA-256(salt + payload)          in the entry, for ever
//! kept    = number be64  run be32  AES-256-GCM(salt + payload)
//! ```
//! sealed as a row of `audit_entry` under the payload key of its year; the number comes from the one
//! sequence that feeds nonces. Destroying the key of a year prunes the payloads of that year and
//! leaves the tree whole; the salt keeps a commitment from confirming a guess.

use crate::crypto::{Digest, Entropy, RowAad, RowCipher, RowPlace, equal, random_bytes, sha256_of};
use crate::domain::{StoreId, TenantNo};
use crate::store::DataKeyId;

use super::error::{AuditError, Result};

/// Longest payload in bytes.
pub const PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of the salt in front of a payload.
const SALT_LEN: usize = 32;
/// Bytes of number and run in front of the sealed bytes.
const PREFIX_LEN: usize = 12;
/// The table whose name is bound into a sealed payload.
const TABLE: &str = "audit_entry";

/// The commitment of an entry and, if there is one, its sealed payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What the entry carries.
    pub commit: Digest,
    /// The key and the kept bytes.
    pub kept: Option<(DataKeyId, Vec<u8>)>,
}

impl Payload {
    /// No payload: the commitment is to 32 random bytes alone, so that it says nothing.
    pub fn none(entropy: &dyn Entropy) -> Self {
        let salt: [u8; SALT_LEN] = random_bytes(entropy);
        Self {
            commit: sha256_of(&[&salt]),
            kept: None,
        }
    }
}

/// Seals and opens payloads under the key of one year.
pub struct PayloadKey {
    /// The row of the key.
    pub id: DataKeyId,
    /// The year (UTC) it belongs to; bound as the bucket.
    pub year: u32,
    /// Which run's salt the cipher was derived with.
    pub run: u32,
    /// The row cipher of key and run.
    pub cipher: RowCipher,
    /// Which store.
    pub store: StoreId,
}

impl PayloadKey {
    /// Seals a payload. `number` must come from the store's sequence and be used for nothing else.
    pub fn seal(&self, number: u64, payload: &[u8], entropy: &dyn Entropy) -> Result<Payload> {
        if payload.len() > PAYLOAD_BYTES_MAX {
            return Err(AuditError::Entry("a payload has at most 1 MiB".to_owned()));
        }
        let salt: [u8; SALT_LEN] = random_bytes(entropy);
        let plain = [&salt, payload].concat();
        let mut kept = Vec::with_capacity(PREFIX_LEN + plain.len() + 16);
        kept.extend_from_slice(&number.to_be_bytes());
        kept.extend_from_slice(&self.run.to_be_bytes());
        let place = self.place(number);
        self.cipher
            .seal(&mut self.aad()?, &place, &plain, &mut kept)?;
        Ok(Payload {
            commit: sha256_of(&[&plain]),
            kept: Some((self.id, kept)),
        })
    }

    /// Opens kept bytes and checks them against the entry's commitment.
    ///
    /// The cipher must be that of [`kept_run`]; anything that does not open or does not fit is an
    /// integrity failure.
    pub fn open(&self, kept: &[u8], commit: &Digest) -> Result<Vec<u8>> {
        let integrity = AuditError::Crypto(crate::crypto::Error::Integrity);
        let Some((number, rest)) = kept.split_first_chunk::<8>() else {
            return Err(integrity);
        };
        let Some(sealed) = rest.get(PREFIX_LEN - 8..) else {
            return Err(integrity);
        };
        let place = self.place(u64::from_be_bytes(*number));
        let mut plain = Vec::with_capacity(sealed.len());
        self.cipher
            .open(&mut self.aad()?, &place, sealed, &mut plain)?;
        if plain.len() < SALT_LEN || !equal(&sha256_of(&[&plain]), commit) {
            return Err(integrity);
        }
        Ok(plain.split_off(SALT_LEN))
    }

    fn place(&self, number: u64) -> RowPlace {
        RowPlace {
            no: number,
            version: 0,
            part: 0,
            bucket: u64::from(self.year),
            data_key: u64::from(self.id.0),
            run: u64::from(self.run),
        }
    }

    fn aad(&self) -> Result<RowAad> {
        Ok(RowAad::new(TABLE, self.store, TenantNo::FIRST)?)
    }
}

/// The run whose salt sealed these kept bytes; `None` when they are cut.
pub fn kept_run(kept: &[u8]) -> Option<u32> {
    let run = kept.get(8..PREFIX_LEN)?;
    Some(u32::from_be_bytes(run.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Key, RunSalt, SeededEntropy};
    use proptest::prelude::*;

    fn key(year: u32, id: u32) -> PayloadKey {
        PayloadKey {
            id: DataKeyId(id),
            year,
            run: 3,
            cipher: RowCipher::derive(&Key::from_bytes([6; 32]), &RunSalt([1; 32])),
            store: StoreId(9),
        }
    }

    fn sealed(text: &[u8]) -> (Digest, Vec<u8>) {
        let payload = key(2026, 1)
            .seal(77, text, &SeededEntropy::new(1))
            .expect("seals");
        (payload.commit, payload.kept.expect("there is one").1)
    }

    #[test]
    fn a1_a_payload_opens_in_its_year_and_under_its_key_only() {
        let (commit, kept) = sealed(b"from:anna \"best price\"");
        assert_eq!(kept_run(&kept), Some(3));
        let text = key(2026, 1).open(&kept, &commit).expect("opens");
        assert_eq!(text, b"from:anna \"best price\"");
        assert!(key(2025, 1).open(&kept, &commit).is_err());
        assert!(key(2026, 2).open(&kept, &commit).is_err());
        assert!(key(2026, 1).open(&kept, &[0; 32]).is_err());
    }

    #[test]
    fn a1_equal_payloads_have_unequal_commitments() {
        let entropy = SeededEntropy::new(1);
        let commit = |number| {
            key(2026, 1)
                .seal(number, b"x", &entropy)
                .expect("seals")
                .commit
        };
        assert_ne!(commit(1), commit(2));
        assert_ne!(
            Payload::none(&entropy).commit,
            Payload::none(&entropy).commit
        );
    }

    #[test]
    fn an_overlong_payload_is_refused() {
        let long = vec![0; PAYLOAD_BYTES_MAX + 1];
        let refused = key(2026, 1).seal(1, &long, &SeededEntropy::new(1));
        assert!(matches!(refused, Err(AuditError::Entry(_))));
    }

    proptest! {
        #[test]
        fn e2_no_byte_of_a_kept_payload_can_change(
            text in prop::collection::vec(any::<u8>(), 0..60),
            at: prop::sample::Index,
            flip in 1..=255u8,
        ) {
            let (commit, mut kept) = sealed(&text);
            let at = at.index(kept.len());
            kept[at] ^= flip;
            // A changed run is noticed by the caller, who looks up another salt and fails there.
            if kept_run(&kept) == Some(3) {
                prop_assert!(key(2026, 1).open(&kept, &commit).is_err());
            }
            prop_assert!(key(2026, 1).open(&kept[..at], &commit).is_err());
        }
    }
}
