//! Signatures of tokens that others issue (RFC 7518): public keys alone, never a shared secret, never
//! none.
//!
//! The checks are those of `ring`, which TLS brings along: RSA from 2,048 to 8,192 bits with PKCS #1
//! v1.5 and SHA-256, ECDSA over P-256 with SHA-256 in the fixed form of 64 bytes, Ed25519 (RFC 8037).

use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

/// Longest modulus, in bytes: 8,192 bits.
const MODULUS_MAX: usize = 1_024;
/// Longest exponent, in bytes.
const EXPONENT_MAX: usize = 8;
/// Bytes of a coordinate on P-256, and of a public key of Ed25519.
const COORDINATE_LEN: usize = 32;
/// First byte of a point that is written whole (SEC 1, section 2.3.3).
const POINT_WHOLE: u8 = 4;

/// A way to sign that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JwsAlgorithm {
    /// `RS256`.
    Rs256,
    /// `ES256`.
    Es256,
    /// `EdDSA` with Ed25519.
    EdDsa,
}

impl JwsAlgorithm {
    /// Every one that is taken.
    pub const ALL: [JwsAlgorithm; 3] = [
        JwsAlgorithm::Rs256,
        JwsAlgorithm::Es256,
        JwsAlgorithm::EdDsa,
    ];

    /// Its name in a header.
    pub const fn name(self) -> &'static str {
        match self {
            JwsAlgorithm::Rs256 => "RS256",
            JwsAlgorithm::Es256 => "ES256",
            JwsAlgorithm::EdDsa => "EdDSA",
        }
    }

    /// The one of a name; every other is refused, `none` and those with a shared secret too.
    pub fn from_name(name: &str) -> Option<JwsAlgorithm> {
        JwsAlgorithm::ALL.into_iter().find(|one| one.name() == name)
    }
}

/// A public key of somebody who signs tokens. It knows its one algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JwsKey(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256([u8; 1 + 2 * COORDINATE_LEN]),
    Ed25519([u8; COORDINATE_LEN]),
}

impl JwsKey {
    /// A key of RSA by modulus and exponent, big-endian; `None` beyond what is checked.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<JwsKey> {
        let (modulus, exponent) = (trimmed(modulus), trimmed(exponent));
        let fits = (1..=MODULUS_MAX).contains(&modulus.len())
            && (1..=EXPONENT_MAX).contains(&exponent.len());
        fits.then(|| {
            JwsKey(Kind::Rsa {
                modulus: modulus.to_vec(),
                exponent: exponent.to_vec(),
            })
        })
    }

    /// A key on P-256 by its coordinates of 32 bytes.
    pub fn p256(x: &[u8], y: &[u8]) -> Option<JwsKey> {
        if x.len() != COORDINATE_LEN || y.len() != COORDINATE_LEN {
            return None;
        }
        let mut point = [POINT_WHOLE; 1 + 2 * COORDINATE_LEN];
        point[1..=COORDINATE_LEN].copy_from_slice(x);
        point[1 + COORDINATE_LEN..].copy_from_slice(y);
        Some(JwsKey(Kind::P256(point)))
    }

    /// A key of Ed25519 of 32 bytes.
    pub fn ed25519(x: &[u8]) -> Option<JwsKey> {
        Some(JwsKey(Kind::Ed25519(x.try_into().ok()?)))
    }

    /// The one algorithm this key is for.
    pub const fn algorithm(&self) -> JwsAlgorithm {
        match self.0 {
            Kind::Rsa { .. } => JwsAlgorithm::Rs256,
            Kind::P256(_) => JwsAlgorithm::Es256,
            Kind::Ed25519(_) => JwsAlgorithm::EdDsa,
        }
    }

    /// Whether the owner of the key signed the message.
    pub fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Rsa { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
            Kind::P256(point) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .is_ok(),
            Kind::Ed25519(point) => UnparsedPublicKey::new(&ED25519, point)
                .verify(message, signature)
                .is_ok(),
        }
    }
}

/// A number without leading zeros, which some write and the checker refuses.
fn trimmed(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::from_hex;

    fn bytes(hex: &str) -> Vec<u8> {
        from_hex(hex).unwrap()
    }

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn m3_a_signature_counts_for_its_message_and_its_key_alone() {
        let public = bytes("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let mut signature = bytes(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let key = JwsKey::ed25519(&public).unwrap();
        assert!(key.signed(&[0x72], &signature));
        assert!(!key.signed(&[0x73], &signature));
        signature[5] ^= 1;
        assert!(!key.signed(&[0x72], &signature));
        assert!(!key.signed(&[0x72], &[]));
    }

    /// RFC 7515, appendix A.3: ES256.
    #[test]
    fn m3_the_example_of_the_standard_is_taken() {
        use base64::Engine;
        use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL;
        let decode = |text: &str| URL.decode(text).unwrap();
        let key = JwsKey::p256(
            &decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            &decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
        )
        .unwrap();
        let message = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6\
                       Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = decode(
            "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        );
        assert!(key.signed(message.as_bytes(), &signature));
        assert!(!key.signed(&message.as_bytes()[1..], &signature));
    }

    #[test]
    fn m3_only_three_ways_to_sign_are_known() {
        for name in [
            "none", "None", "", "HS256", "RS512", "PS256", "rs256", "ES384",
        ] {
            assert_eq!(JwsAlgorithm::from_name(name), None, "{name}");
        }
        for one in JwsAlgorithm::ALL {
            assert_eq!(JwsAlgorithm::from_name(one.name()), Some(one));
        }
        assert!(JwsKey::rsa(&[], &[1, 0, 1]).is_none());
        assert!(JwsKey::rsa(&[0; 4], &[1, 0, 1]).is_none());
        assert!(JwsKey::rsa(&[1; MODULUS_MAX + 1], &[1, 0, 1]).is_none());
        assert!(JwsKey::p256(&[1; 32], &[1; 31]).is_none());
        // A short key of RSA is held and signs nothing.
        let short = JwsKey::rsa(&[0xff; 128], &[1, 0, 1]).unwrap();
        assert!(!short.signed(b"x", &[1; 128]));
    }
}
