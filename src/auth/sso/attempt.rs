//! A browser on its way to the provider and back: what binds its return to its departure.
//!
//! Two random keys are made: the *state* goes to the provider and comes back in the address, the
//! *browser key* stays in a cookie. The record keeps a hash of each. Nonce and PKCE verifier are keyed
//! hashes over both, so that nothing secret waits in the record, and neither half alone is of use.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use super::super::deadline::{MINUTE, after, before, is_over};
use super::super::{AuthError, Result, SsoRefusal};
use crate::crypto::{
    Digest, Entropy, Key, equal, from_hex, hex, hmac_sha256, random_bytes, sha256,
};
use crate::domain::Now;
use crate::store::{SsoAttemptRow, WriteTx};

/// Minutes a browser has for its way to the provider and back.
pub const ATTEMPT_MINUTES: i64 = 10;
/// Browsers on their way at once; beyond, the eldest is forgotten.
const ATTEMPTS_MAX: u32 = 10_000;
/// Random bytes of a state and of a browser key.
const KEY_LEN: usize = 32;

/// Why a browser is sent to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SsoPurpose {
    /// To sign in.
    SignIn,
    /// To prove once more who it is: the session of this hash.
    StepUp(Digest),
    /// To see what the provider says: asked by the session of this hash.
    Test(Digest),
}

/// What the cookie of a browser holds while it is away, in hexadecimal digits. Debug output hides it.
#[derive(Clone)]
pub struct BrowserKey(Zeroizing<[u8; KEY_LEN]>);

impl fmt::Display for BrowserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..]))
    }
}

impl fmt::Debug for BrowserKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromStr for BrowserKey {
    type Err = AuthError;
    fn from_str(text: &str) -> Result<Self> {
        let bytes = from_hex(text).map(Zeroizing::new);
        let key = bytes
            .as_deref()
            .and_then(|bytes| <[u8; KEY_LEN]>::try_from(&bytes[..]).ok());
        let key = key.ok_or(AuthError::Sso(SsoRefusal::State))?;
        Ok(BrowserKey(Zeroizing::new(key)))
    }
}

/// What departure and return share. Debug output hides it.
pub struct SsoSecrets {
    /// What the provider gives back in the address, in hexadecimal digits.
    pub state: String,
    /// What the token must repeat.
    pub nonce: String,
    /// What proves to the provider that who redeems the code asked for it (RFC 7636).
    pub verifier: Zeroizing<String>,
}

impl fmt::Debug for SsoSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SsoSecrets(***)")
    }
}

impl SsoSecrets {
    fn of(key: &Key, state: &str, browser: &BrowserKey) -> SsoSecrets {
        let part = |what: &str| {
            let parts = [what.as_bytes(), state.as_bytes(), &browser.0[..]];
            hex(&hmac_sha256(key.expose(), &parts))
        };
        SsoSecrets {
            state: state.to_owned(),
            nonce: part("nonce/"),
            verifier: Zeroizing::new(part("verifier/")),
        }
    }

    /// The challenge that goes ahead of the verifier: S256.
    pub fn challenge(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(sha256(self.verifier.as_bytes()))
    }
}

/// A browser that came back in time.
#[derive(Debug)]
pub struct Attempt {
    /// Why it was sent.
    pub purpose: SsoPurpose,
    /// Path of the page to come back to.
    pub back: String,
    /// When it was sent.
    pub began: Now,
    /// What departure and return share.
    pub secrets: SsoSecrets,
}

/// Remembers a browser that is sent away; gives what its cookie holds, and what goes along.
pub fn begin_attempt(
    tx: &WriteTx<'_>,
    key: &Key,
    purpose: SsoPurpose,
    back: &str,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<(BrowserKey, SsoSecrets)> {
    let browser = BrowserKey(Zeroizing::new(random_bytes(entropy)));
    let state = hex(&random_bytes::<KEY_LEN>(entropy));
    let (purpose, session) = match purpose {
        SsoPurpose::SignIn => (0, None),
        SsoPurpose::StepUp(session) => (1, Some(session)),
        SsoPurpose::Test(session) => (2, Some(session)),
    };
    let row = SsoAttemptRow {
        state: sha256(state.as_bytes()),
        browser: sha256(&browser.0[..]),
        purpose,
        session,
        back: back.to_owned(),
        began: now,
    };
    tx.insert_sso_attempt(&row, before(now, ATTEMPT_MINUTES * MINUTE), ATTEMPTS_MAX)?;
    let secrets = SsoSecrets::of(key, &state, &browser);
    Ok((browser, secrets))
}

/// Takes a browser that came back out of the list. Unknown, used and late states, and those of another
/// browser, answer alike. The caller commits also when this refuses: the state is used up.
pub fn take_attempt(
    tx: &WriteTx<'_>,
    key: &Key,
    state: &str,
    browser: Option<&BrowserKey>,
    now: Now,
) -> Result<Attempt> {
    let refused = || AuthError::Sso(SsoRefusal::State);
    let row = tx.take_sso_attempt(&sha256(state.as_bytes()))?;
    let (row, browser) = row.zip(browser).ok_or_else(refused)?;
    let is_same = equal(&row.browser, &sha256(&browser.0[..]));
    if !is_same || is_over(after(row.began, ATTEMPT_MINUTES * MINUTE), now) {
        return Err(refused());
    }
    let purpose = match (row.purpose, row.session) {
        (0, None) => SsoPurpose::SignIn,
        (1, Some(session)) => SsoPurpose::StepUp(session),
        (2, Some(session)) => SsoPurpose::Test(session),
        _ => return Err(refused()),
    };
    Ok(Attempt {
        purpose,
        back: row.back,
        began: row.began,
        secrets: SsoSecrets::of(key, state, browser),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    #[test]
    fn m3_the_challenge_is_that_of_the_standard() {
        // RFC 7636, appendix B.
        let secrets = SsoSecrets {
            state: String::new(),
            nonce: String::new(),
            verifier: Zeroizing::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned()),
        };
        assert_eq!(
            secrets.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn m3_the_parts_of_an_attempt_are_apart() {
        let entropy = SeededEntropy::new(4);
        let key = Key::random(&entropy);
        let browser = BrowserKey(Zeroizing::new(random_bytes(&entropy)));
        let other = BrowserKey(Zeroizing::new(random_bytes(&entropy)));
        let secrets = SsoSecrets::of(&key, "aa", &browser);
        assert_ne!(secrets.nonce, *secrets.verifier);
        assert_ne!(secrets.nonce, SsoSecrets::of(&key, "aa", &other).nonce);
        assert_ne!(secrets.nonce, SsoSecrets::of(&key, "ab", &browser).nonce);
        assert_eq!(secrets.nonce, SsoSecrets::of(&key, "aa", &browser).nonce);
        // RFC 7636, section 4.1: 43 to 128 unreserved characters.
        assert_eq!(secrets.verifier.len(), 64);
        let read: BrowserKey = browser.to_string().parse().unwrap();
        assert_eq!(read.to_string(), browser.to_string());
        assert!("00".parse::<BrowserKey>().is_err());
        assert_eq!(format!("{browser:?} {secrets:?}"), "*** SsoSecrets(***)");
    }
}
