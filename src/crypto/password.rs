//! Stretching of passphrases and hashing of login passwords: Argon2id (RFC 9106).

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, CustomizedPasswordHasher, Params, PasswordHasher, Version};

use super::error::{Error, Result};
use super::hash::equal;
use super::key::{Entropy, KEY_LEN, Key, random_bytes};

/// Longest password or passphrase in bytes: a longer one costs a server time before it is refused.
pub const PASSWORD_LEN_MAX: usize = 1024;
/// Bytes of a salt.
pub const SALT_LEN: usize = 16;
/// Most memory a stored parameter may ask for, in KiB: 4 GiB. A forged file must not exhaust us.
pub const MEMORY_KIB_MAX: u32 = 4 * 1024 * 1024;
/// Most passes a stored parameter may ask for.
pub const PASSES_MAX: u32 = 64;
/// Most lanes a stored parameter may ask for.
pub const LANES_MAX: u32 = 16;

/// Cost of one Argon2id run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StretchCost {
    /// Memory in KiB, at least 8 per lane.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl StretchCost {
    /// For slots: 256 MiB, 3 passes, 4 lanes.
    pub const SLOT: StretchCost = StretchCost {
        memory_kib: 256 * 1024,
        passes: 3,
        lanes: 4,
    };
    /// The floor for login passwords: 19 MiB, 2 passes, 1 lane (OWASP's first choice).
    pub const LOGIN: StretchCost = StretchCost {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };

    /// Whether no parameter is below the other's.
    pub const fn at_least(&self, floor: &StretchCost) -> bool {
        self.memory_kib >= floor.memory_kib
            && self.passes >= floor.passes
            && self.lanes >= floor.lanes
    }

    fn params(&self) -> Result<Params> {
        if self.memory_kib > MEMORY_KIB_MAX {
            return Err(Error::Parameters("memory beyond 4 GiB"));
        }
        if self.passes > PASSES_MAX || self.lanes > LANES_MAX {
            return Err(Error::Parameters("more than 64 passes or 16 lanes"));
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_LEN))
            .map_err(|_| Error::Parameters("less than 8 KiB per lane, or no pass or lane"))
    }
}

/// 32 bytes stretched from a passphrase.
///
/// The passphrase counts byte for byte: whoever reads it from a keyboard normalises it first.
/// Fails for passphrases beyond [`PASSWORD_LEN_MAX`] and costs out of range.
pub fn stretch(passphrase: &[u8], salt: &[u8; SALT_LEN], cost: &StretchCost) -> Result<Key> {
    bounded(passphrase)?;
    let mut bytes = zeroize::Zeroizing::new([0; KEY_LEN]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?)
        .hash_password_into(passphrase, salt, &mut bytes[..])
        .map_err(|_| Error::Parameters("this machine has not the memory for them"))?;
    Ok(Key::from_bytes(*bytes))
}

fn bounded(password: &[u8]) -> Result<()> {
    match password.len() {
        0..=PASSWORD_LEN_MAX => Ok(()),
        _ => Err(Error::Limit("a password has at most 1,024 bytes")),
    }
}

/// Hashes a login password to a PHC string (`$argon2id$v=19$m=..,t=..,p=..$salt$hash`).
///
/// A cost below [`StretchCost::LOGIN`] is refused.
pub fn hash_password(password: &[u8], cost: &StretchCost, entropy: &dyn Entropy) -> Result<String> {
    if !cost.at_least(&StretchCost::LOGIN) {
        return Err(Error::Parameters(
            "a login needs m=19 MiB, t=2, p=1 at least",
        ));
    }
    bounded(password)?;
    let salt: [u8; SALT_LEN] = random_bytes(entropy);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?)
        .hash_password_with_salt(password, &salt)
        .map(|hash| hash.to_string())
        .map_err(|_| Error::Parameters("this machine has not the memory for them"))
}

/// What a login attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The password is right.
    Right,
    /// The password is right, and its hash was made below the wanted cost: hash it again now.
    RightButCheap,
    /// The password is wrong.
    Wrong,
}

/// Checks a login password against its PHC string, in constant time of the hash.
///
/// Fails with [`Error::Format`] when the stored string is not an Argon2id hash within the bounds,
/// which is a defect of the store and not of the password.
pub fn verify_password(
    password: &[u8],
    phc: &str,
    wanted: &StretchCost,
) -> Result<PasswordVerdict> {
    let format = |found| Error::Format {
        expected: "an Argon2id password hash",
        found,
    };
    let stored = PasswordHash::new(phc).map_err(|_| format("the string is malformed"))?;
    let params = Params::try_from(&stored).map_err(|_| format("its parameters are malformed"))?;
    let cost = StretchCost {
        memory_kib: params.m_cost(),
        passes: params.t_cost(),
        lanes: params.p_cost(),
    };
    cost.params()?;
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(format("salt or hash is missing"));
    };
    if stored.algorithm.as_str() != "argon2id" {
        return Err(format("another algorithm made it"));
    }
    if bounded(password).is_err() {
        return Ok(PasswordVerdict::Wrong);
    }
    let computed = Argon2::default()
        .hash_password_customized(password, salt, Some("argon2id"), stored.version, params)
        .map_err(|_| format("its version or parameters are not usable"))?;
    let right = computed
        .hash
        .is_some_and(|hash| equal(hash.as_bytes(), expected.as_bytes()));
    Ok(match (right, cost.at_least(wanted)) {
        (true, true) => PasswordVerdict::Right,
        (true, false) => PasswordVerdict::RightButCheap,
        (false, _) => PasswordVerdict::Wrong,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::hex;
    use crate::crypto::key::SeededEntropy;

    #[test]
    fn the_reference_implementation_agrees() {
        // phc-winner-argon2, test.c, Argon2id version 0x13: t=2, m=2^8, p=1, "password",
        // salt "somesalt". Ours takes 16 bytes of salt, so the crate is asked directly.
        let params = Params::new(256, 2, 1, Some(32)).expect("in range");
        let mut out = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"password", b"somesalt", &mut out)
            .expect("hashes");
        assert_eq!(
            hex(&out),
            "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe"
        );
    }

    #[test]
    fn a_login_below_the_floor_is_refused() {
        let entropy = SeededEntropy::new(1);
        for cost in [
            StretchCost {
                memory_kib: 19 * 1024 - 1,
                ..StretchCost::LOGIN
            },
            StretchCost {
                passes: 1,
                ..StretchCost::LOGIN
            },
        ] {
            let refused = hash_password(b"secret", &cost, &entropy);
            assert!(matches!(refused, Err(Error::Parameters(_))));
        }
    }

    #[test]
    fn only_the_right_password_is_right() {
        let entropy = SeededEntropy::new(1);
        let phc = hash_password(b"correct horse", &StretchCost::LOGIN, &entropy).expect("hashes");
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let verdict = |password: &[u8], wanted| verify_password(password, &phc, wanted);
        assert_eq!(
            verdict(b"correct horse", &StretchCost::LOGIN),
            Ok(PasswordVerdict::Right)
        );
        assert_eq!(
            verdict(b"correct horse", &StretchCost::SLOT),
            Ok(PasswordVerdict::RightButCheap)
        );
        assert_eq!(
            verdict(b"correct hors", &StretchCost::LOGIN),
            Ok(PasswordVerdict::Wrong)
        );
        assert_eq!(
            verdict(&[b'x'; 2000], &StretchCost::LOGIN),
            Ok(PasswordVerdict::Wrong)
        );
    }

    #[test]
    fn malformed_and_greedy_hashes_are_named() {
        let verify = |phc: &str| verify_password(b"x", phc, &StretchCost::LOGIN);
        for phc in [
            "",
            "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0",
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA",
            "plain text",
        ] {
            assert!(matches!(verify(phc), Err(Error::Format { .. })), "{phc}");
        }
        let greedy = "$argon2id$v=19$m=4294967295,t=2,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA";
        assert!(matches!(verify(greedy), Err(Error::Parameters(_))));
    }

    #[test]
    fn costs_out_of_range_are_refused() {
        let salt = [0; SALT_LEN];
        for (memory_kib, passes, lanes) in [
            (7, 1, 1),
            (MEMORY_KIB_MAX + 1, 1, 1),
            (64, 65, 1),
            (64, 1, 17),
            (64, 0, 1),
            (64, 1, 0),
        ] {
            let cost = StretchCost {
                memory_kib,
                passes,
                lanes,
            };
            assert!(matches!(
                stretch(b"x", &salt, &cost),
                Err(Error::Parameters(_))
            ));
        }
        let cost = StretchCost {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        };
        assert!(matches!(
            stretch(&[0; 1025], &salt, &cost),
            Err(Error::Limit(_))
        ));
    }
}
