//! Links that open one notice without a login: one for each notice, for some days, until it is called back.

use std::fmt;

use zeroize::Zeroizing;

use super::deadline::{MINUTE, after, is_over};
use super::{AuthError, Result};
use crate::crypto::{Entropy, equal, from_hex, hex, random_bytes, sha256};
use crate::domain::{NoticeNo, Now};
use crate::store::{NoticeLinkRow, Rows, WriteTx};

/// Days a link lives.
pub const NOTICE_LINK_DAYS: i64 = 30;
/// Bytes of a token that its row is found by; they are no secret.
const SELECTOR_LEN: usize = 8;
/// Random bytes of the secret: 192 bits.
const SECRET_LEN: usize = 24;

/// What stands in a link, in hexadecimal digits. It prints itself once; debug output hides it.
pub struct NoticeToken(Zeroizing<[u8; SELECTOR_LEN + SECRET_LEN]>);

impl fmt::Display for NoticeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0[..]))
    }
}

impl fmt::Debug for NoticeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Gives a notice a link, in the place of an elder one, and says when it ends.
pub fn make_notice_link(
    tx: &WriteTx<'_>,
    notice: NoticeNo,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<(NoticeToken, Now)> {
    let token = NoticeToken(Zeroizing::new(random_bytes(entropy)));
    let (selector, secret) = token.0.split_at(SELECTOR_LEN);
    let mut row = NoticeLinkRow {
        notice,
        selector: [0; SELECTOR_LEN],
        hash: sha256(secret),
        expires: after(now, NOTICE_LINK_DAYS * 24 * 60 * MINUTE),
    };
    row.selector.copy_from_slice(selector);
    tx.put_notice_link(&row)?;
    Ok((token, row.expires))
}

/// The notice a token opens. Unknown, replaced, called back, expired and mistyped ones answer alike, and
/// the secret is compared in constant time.
///
/// # Errors
/// [`AuthError::Link`].
pub fn open_notice_link(rows: &Rows, token: &str, now: Now) -> Result<NoticeNo> {
    let bytes = from_hex(token.trim()).map(Zeroizing::new);
    let typed = bytes.as_deref().map(Vec::as_slice).unwrap_or_default();
    let selector = typed
        .get(..SELECTOR_LEN)
        .and_then(|part| part.try_into().ok());
    let secret = typed.get(SELECTOR_LEN..).unwrap_or_default();
    let row = match selector {
        Some(selector) => rows.notice_link(selector)?,
        None => None,
    };
    // A row that is not there is compared too, with what no secret has as its digest.
    let kept = row.as_ref().map_or([0; 32], |row| row.hash);
    let is_right = equal(&sha256(secret), &kept) && secret.len() == SECRET_LEN;
    match row {
        Some(row) if is_right && !is_over(row.expires, now) => Ok(row.notice),
        _ => Err(AuthError::Link),
    }
}
