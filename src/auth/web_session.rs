//! Browsers that are signed in: a random key in a cookie, its hash in the record.
//!
//! A session ends after [`IDLE_MINUTES`] without a request, [`SESSION_HOURS`] after it began, and at
//! once with the password, the role or the access of its user.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::deadline::{MINUTE, after, before, is_over};
use super::four_eyes::passes_watch;
use super::{AuthError, Result};
use crate::audit::AuthStrength;
use crate::crypto::{Digest, Entropy, from_hex, hex, random_bytes, sha256};
use crate::domain::{Now, UserNo};
use crate::store::{Rows, UserRow, WebSessionRow, WriteTx};

/// Minutes without a request after which a session ends.
pub const IDLE_MINUTES: i64 = 30;
/// Hours after which a session ends, whatever happens in it.
pub const SESSION_HOURS: i64 = 12;
/// Minutes a password counts as just given.
pub const STEP_UP_MINUTES: i64 = 10;
/// Random bytes of a key.
const KEY_LEN: usize = 32;
/// Last requests are kept to this many microseconds, so that reading pages writes little.
const SEEN_EVERY: i64 = MINUTE;

/// What the cookie of a browser holds, in hexadecimal digits. Debug output hides it.
#[derive(Clone)]
pub struct SessionKey(Zeroizing<[u8; KEY_LEN]>);

impl SessionKey {
    /// What is kept of it.
    pub fn hash(&self) -> Digest {
        sha256(&self.0[..])
    }
}

impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..]))
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl FromStr for SessionKey {
    type Err = AuthError;
    fn from_str(text: &str) -> Result<Self> {
        let bytes = from_hex(text).map(Zeroizing::new);
        let key = bytes
            .as_deref()
            .and_then(|bytes| <&[u8; KEY_LEN]>::try_from(&bytes[..]).ok())
            .ok_or(AuthError::Session)?;
        Ok(Self(Zeroizing::new(*key)))
    }
}

/// A session that stands, with its user as they are now.
#[derive(Clone, Debug)]
pub struct FoundSession {
    /// Its row.
    pub row: WebSessionRow,
    /// Who signed in.
    pub user: UserRow,
    /// Whether the password was given a short while ago.
    pub stepped_up: bool,
    /// Whether this request is worth remembering.
    pub is_due: bool,
}

/// Begins a session. Sessions that are over are forgotten on this occasion.
pub fn begin_session(
    tx: &WriteTx<'_>,
    user: UserNo,
    strength: AuthStrength,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<SessionKey> {
    tx.delete_ended_web_sessions(
        before(now, SESSION_HOURS * 60 * MINUTE),
        before(now, IDLE_MINUTES * MINUTE),
    )?;
    tx.delete_ended_logins(now)?;
    let key = SessionKey(Zeroizing::new(random_bytes(entropy)));
    let by_password = matches!(
        strength,
        AuthStrength::Password | AuthStrength::SecondFactor
    );
    tx.insert_web_session(&WebSessionRow {
        hash: key.hash(),
        user,
        strength: number(strength),
        began: now,
        seen: now,
        proved: by_password.then_some(now),
    })?;
    Ok(key)
}

/// The session of a key, when it stands now.
pub fn find_session(rows: &Rows, hash: &Digest, now: Now) -> Result<FoundSession> {
    let row = rows.web_session(hash)?.ok_or(AuthError::Session)?;
    let idle = is_over(after(row.seen, IDLE_MINUTES * MINUTE), now);
    if idle || is_over(after(row.began, SESSION_HOURS * 60 * MINUTE), now) {
        return Err(AuthError::Session);
    }
    passes_watch(rows, hash, now)?;
    let user = rows
        .user(row.user)?
        .filter(|user| !user.disabled)
        .ok_or(AuthError::Session)?;
    Ok(FoundSession {
        stepped_up: row
            .proved
            .is_some_and(|proved| !is_over(after(proved, STEP_UP_MINUTES * MINUTE), now)),
        is_due: is_over(after(row.seen, SEEN_EVERY), now),
        row,
        user,
    })
}

/// Remembers that the password was given again, and how surely the person is recognised since.
pub fn prove_session(
    tx: &WriteTx<'_>,
    hash: &Digest,
    strength: AuthStrength,
    now: Now,
) -> Result<()> {
    match tx.prove_web_session(hash, number(strength), now)? {
        true => Ok(()),
        false => Err(AuthError::Session),
    }
}

/// Ends everything a user is signed in with, but the session or token of hash `except`.
pub fn end_access(tx: &WriteTx<'_>, user: UserNo, except: Option<&Digest>) -> Result<()> {
    tx.delete_web_sessions(user, except)?;
    tx.delete_tokens(user, except)?;
    Ok(tx.delete_links(user)?)
}

/// Ends every session that the provider of single sign-on vouched for.
pub fn end_provider_sessions(tx: &WriteTx<'_>) -> Result<()> {
    Ok(tx.delete_web_sessions_by(number(AuthStrength::Provider))?)
}

/// How surely somebody was recognised, from the number that is kept.
pub fn strength_of(row: &WebSessionRow) -> AuthStrength {
    match row.strength {
        3 => AuthStrength::Provider,
        2 => AuthStrength::SecondFactor,
        1 => AuthStrength::Password,
        _ => AuthStrength::Token,
    }
}

/// The number that is kept of a strength.
const fn number(strength: AuthStrength) -> u8 {
    match strength {
        AuthStrength::Provider => 3,
        AuthStrength::SecondFactor => 2,
        AuthStrength::Password => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    #[test]
    fn a_key_reads_back_and_hides_itself() {
        let key = SessionKey(Zeroizing::new(random_bytes(&SeededEntropy::new(2))));
        let text = key.to_string();
        assert_eq!(text.parse::<SessionKey>().unwrap().hash(), key.hash());
        assert_eq!(format!("{key:?}"), "***");
        for wrong in [
            "",
            "00",
            &text[2..],
            &format!("{text}00"),
            &text.replace(&text[..1], "x"),
        ] {
            assert!(wrong.parse::<SessionKey>().is_err(), "{wrong}");
        }
    }
}
