//! Ed25519 signatures (RFC 8032) for checkpoints, certificates and exports.

use std::fmt;

use ed25519_dalek::Signer as _;

use super::error::{Error, Result};
use super::key::{Entropy, Key};

/// Bytes of a signature.
pub const SIGNATURE_LEN: usize = 64;
/// Bytes of a public key.
pub const PUBLIC_KEY_LEN: usize = 32;

/// The secret half of a signing key; wiped when dropped.
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A fresh key.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self::from_key(&Key::random(entropy))
    }

    /// The signing key of 32 secret bytes, as `data_key` keeps them.
    pub fn from_key(seed: &Key) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed.expose()))
    }

    /// The secret bytes, to be wrapped.
    pub fn to_key(&self) -> Key {
        Key::from_bytes(self.0.to_bytes())
    }

    /// The public half.
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey(self.0.verifying_key())
    }

    /// Signs the bytes; the same bytes always give the same signature.
    pub fn sign(&self, message: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

/// The public half of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// Reads a public key; a weak one (of small order, under which many messages share a
    /// signature) or no point at all is [`Error::Format`].
    pub fn from_bytes(bytes: &[u8; PUBLIC_KEY_LEN]) -> Result<Self> {
        ed25519_dalek::VerifyingKey::from_bytes(bytes)
            .ok()
            .filter(|key| !key.is_weak())
            .map(Self)
            .ok_or(Error::Format {
                expected: "an Ed25519 public key",
                found: "the bytes are no usable point of the curve",
            })
    }

    /// The 32 bytes of the key.
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_LEN] {
        self.0.to_bytes()
    }

    /// Checks a signature by the strict rules: only one signature per message and key holds.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<()> {
        let signature =
            ed25519_dalek::Signature::from_slice(signature).map_err(|_| Error::Signature)?;
        self.0
            .verify_strict(message, &signature)
            .map_err(|_| Error::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::{from_hex, hex};
    use proptest::prelude::*;

    #[test]
    fn rfc_8032_test_2() {
        let seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
        let key = SigningKey::from_key(&Key::from_slice(&seed.expect("hex")).expect("32 bytes"));
        assert_eq!(
            hex(&key.verifying_key().to_bytes()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        assert_eq!(
            hex(&key.sign(&[0x72])),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
    }

    #[test]
    fn a_signing_key_is_not_printed_by_chance() {
        let key = SigningKey::from_key(&Key::from_bytes([7; 32]));
        assert_eq!(format!("{key:?}"), "SigningKey(***)");
    }

    #[test]
    fn a_weak_public_key_is_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        assert!(matches!(
            VerifyingKey::from_bytes(&one),
            Err(Error::Format { .. })
        ));
        assert!(matches!(
            VerifyingKey::from_bytes(&[0; 32]),
            Err(Error::Format { .. })
        ));
    }

    proptest! {
        #[test]
        fn only_the_signed_bytes_under_the_right_key_verify(
            message in prop::collection::vec(any::<u8>(), 1..100),
            seed: [u8; 32],
            at: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let key = SigningKey::from_key(&Key::from_bytes(seed));
            let signature = key.sign(&message);
            prop_assert_eq!(key.verifying_key().verify(&message, &signature), Ok(()));
            let mut other = message.clone();
            other[at.index(message.len())] ^= 1 << bit;
            prop_assert_eq!(key.verifying_key().verify(&other, &signature), Err(Error::Signature));
            let mut forged = signature;
            forged[at.index(SIGNATURE_LEN)] ^= 1 << bit;
            prop_assert_eq!(key.verifying_key().verify(&message, &forged), Err(Error::Signature));
            prop_assert_eq!(
                key.verifying_key().verify(&message, &signature[..63]),
                Err(Error::Signature)
            );
        }
    }
}
