//! Links that sign one person in, once.

use std::fmt;

use zeroize::Zeroizing;

use super::deadline::{MINUTE, after, is_over};
use super::{AuthError, Result, user_named};
use crate::crypto::{Digest, Entropy, from_hex, hex, random_bytes, sha256};
use crate::domain::{Now, UserNo};
use crate::store::{LinkRow, UserRow, WriteTx};

/// Minutes a link lives.
pub const LINK_MINUTES: i64 = 15;
/// Random bytes of a link.
const LINK_LEN: usize = 32;

/// The secret of a link, in hexadecimal digits. It prints itself once; debug output hides it.
pub struct LinkToken(Zeroizing<[u8; LINK_LEN]>);

impl fmt::Display for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..]))
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Makes a link for a user that ends soon.
pub fn make_link(
    tx: &WriteTx<'_>,
    login: &str,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<(UserRow, LinkToken)> {
    let user = user_named(tx, login)?;
    if user.disabled {
        return Err(AuthError::Refused);
    }
    let token = LinkToken(Zeroizing::new(random_bytes(entropy)));
    tx.insert_link(&LinkRow {
        hash: sha256(&token.0[..]),
        user: user.no,
        expires: after(now, LINK_MINUTES * MINUTE),
    })?;
    Ok((user, token))
}

/// Takes a link out and gives its user. Used, expired and wrong ones answer alike. The caller commits
/// also when this refuses: a link that was tried late is gone.
pub fn take_link(tx: &WriteTx<'_>, token: &str, now: Now) -> Result<UserRow> {
    let row = tx.take_link(&hash_of(token)?)?.ok_or(AuthError::Link)?;
    match is_over(row.expires, now) {
        true => Err(AuthError::Link),
        false => enabled(tx, row.user),
    }
}

fn hash_of(token: &str) -> Result<Digest> {
    let bytes = from_hex(token.trim()).map(Zeroizing::new);
    match bytes {
        Some(bytes) if bytes.len() == LINK_LEN => Ok(sha256(&bytes)),
        _ => Err(AuthError::Link),
    }
}

fn enabled(tx: &WriteTx<'_>, user: UserNo) -> Result<UserRow> {
    tx.user(user)?
        .filter(|user| !user.disabled)
        .ok_or(AuthError::Link)
}
