//! Tokens: shown once, kept as a hash.

use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::deadline::{MINUTE, after, is_over};
use super::{AuthError, Result, actor_of};
use crate::crypto::{Entropy, from_hex, hex, random_bytes, sha256};
use crate::domain::{Actor, ApiScopes, Now, Timestamp, UserNo};
use crate::store::{ApiTokenPart, Rows, TokenRow, WriteTx};

/// Longest life of a token in days.
pub const TOKEN_DAYS_MAX: u32 = 365;
/// Random bytes of a token.
const SECRET_LEN: usize = 32;
/// Bytes of checksum, so that a mistyped token is told before anything is asked.
const CHECK_LEN: usize = 4;
/// What a token starts with, so that leaked ones can be searched for.
const PREFIX: &str = "wk_";

/// A token in the hand of its owner. It prints itself once, for the owner; debug output hides it.
pub struct Token(Zeroizing<[u8; SECRET_LEN]>);

impl Token {
    /// What is kept of it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.0[..])
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let check = sha256(&self.hash());
        write!(
            f,
            "{PREFIX}{}{}",
            hex(&self.0[..]),
            hex(&check[..CHECK_LEN])
        )
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("wk_***")
    }
}

impl FromStr for Token {
    type Err = AuthError;
    fn from_str(text: &str) -> Result<Token> {
        let bytes = text
            .trim()
            .strip_prefix(PREFIX)
            .and_then(from_hex)
            .map(Zeroizing::new);
        let (secret, check) = bytes
            .as_deref()
            .and_then(|bytes| bytes.split_first_chunk::<SECRET_LEN>())
            .ok_or(AuthError::Token)?;
        let token = Token(Zeroizing::new(*secret));
        if sha256(&token.hash())[..CHECK_LEN] != *check {
            return Err(AuthError::Token);
        }
        Ok(token)
    }
}

/// Makes a token for a log-in of a user that ends `days` (at most 365) after `now`.
pub fn issue_token(
    tx: &WriteTx<'_>,
    user: UserNo,
    now: Now,
    days: u32,
    entropy: &dyn Entropy,
) -> Result<Token> {
    insert_token(tx, user, now, days, None, entropy)
}

/// Makes the token of a program. The caller checked that its scopes fit the owner.
pub fn issue_api_token(
    tx: &WriteTx<'_>,
    user: UserNo,
    now: Now,
    days: u32,
    api: ApiTokenPart,
    entropy: &dyn Entropy,
) -> Result<Token> {
    insert_token(tx, user, now, days, Some(api), entropy)
}

fn insert_token(
    tx: &WriteTx<'_>,
    user: UserNo,
    now: Now,
    days: u32,
    api: Option<ApiTokenPart>,
    entropy: &dyn Entropy,
) -> Result<Token> {
    let token = Token(Zeroizing::new(random_bytes(entropy)));
    let life = i64::from(days.min(TOKEN_DAYS_MAX)) * Timestamp::MICROS_PER_DAY;
    let expires = after(now, life);
    tx.insert_token(&TokenRow {
        hash: token.hash(),
        user,
        created: now.compliance,
        expires: expires.compliance,
        expires_wall: Some(expires.wall),
        used: None,
        api,
    })?;
    Ok(token)
}

/// A token that is known and not expired, with its actor as the user stands now.
#[derive(Clone, Debug)]
pub struct FoundToken {
    /// Its row.
    pub row: TokenRow,
    /// Whose it is, narrowed to its scopes.
    pub actor: Actor,
    /// Whether this use is worth remembering.
    pub is_due: bool,
}

/// Recognises the owner of a token.
pub fn find_token(rows: &Rows, token: &Token, now: Now) -> Result<FoundToken> {
    token_of_hash(rows, &token.hash(), now)
}

/// The same by what is kept of a token.
pub fn token_of_hash(rows: &Rows, hash: &[u8; 32], now: Now) -> Result<FoundToken> {
    let row = rows.token(hash)?.ok_or(AuthError::Token)?;
    let end = Now {
        compliance: row.expires,
        wall: row.expires_wall.unwrap_or(Timestamp::NEVER),
    };
    if is_over(end, now) {
        return Err(AuthError::Token);
    }
    let user = rows
        .user(row.user)?
        .filter(|user| !user.disabled)
        .ok_or(AuthError::Token)?;
    let mut actor = actor_of(&user);
    actor.scopes = row.api.map(|api| ApiScopes::from_bits(api.scopes));
    let due = |used: Timestamp| used.0.saturating_add(MINUTE) <= now.compliance.0;
    Ok(FoundToken {
        is_due: row.api.is_some() && row.used.is_none_or(due),
        row,
        actor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    #[test]
    fn a_token_reads_back_and_one_wrong_digit_is_told() {
        let token = Token(Zeroizing::new(random_bytes(&SeededEntropy::new(3))));
        let text = token.to_string();
        assert_eq!(text.parse::<Token>().unwrap().hash(), token.hash());
        for at in 3..text.len() {
            let mut wrong = text.clone().into_bytes();
            wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
            assert!(String::from_utf8(wrong).unwrap().parse::<Token>().is_err());
        }
        assert_eq!(format!("{token:?}"), "wk_***");
    }
}
