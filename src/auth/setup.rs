//! The first administrator of a house that has none: a token shown once, claimed once.

use std::fmt;

use super::code::GroupedCode;
use super::deadline::{MINUTE, after, is_over};
use super::user::is_administered;
use super::{AuthError, LoginCost, NewUser, Result, create_user};
use crate::crypto::{Entropy, equal};
use crate::domain::{Actor, Now, Role};
use crate::store::{Rows, SetupTokenRow, WriteTx};

/// Minutes a setup token lives.
pub const SETUP_MINUTES: i64 = 30;

/// What the first administrator is made with. It prints itself once; debug output hides it.
#[derive(Debug)]
pub struct SetupToken(GroupedCode);

impl fmt::Display for SetupToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Whether the house waits for its first administrator.
pub fn setup_open(rows: &Rows) -> Result<bool> {
    Ok(!is_administered(rows)?)
}

/// Makes a setup token in the place of an elder; `None` where there is an administrator.
pub fn offer_setup(
    tx: &WriteTx<'_>,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<Option<SetupToken>> {
    if !setup_open(tx)? {
        return Ok(None);
    }
    let token = SetupToken(GroupedCode::random(entropy));
    tx.replace_setup_token(&SetupTokenRow {
        hash: token.0.hash(),
        expires: after(now, SETUP_MINUTES * MINUTE),
    })?;
    Ok(Some(token))
}

/// Checks a setup token as typed. Used, replaced, expired and wrong ones answer alike.
pub fn check_setup(rows: &Rows, token: &str, now: Now) -> Result<()> {
    let typed = GroupedCode::read(token).ok_or(AuthError::Setup)?;
    let kept = rows.setup_token()?.ok_or(AuthError::Setup)?;
    let right = equal(&typed.hash(), &kept.hash);
    match right && !is_over(kept.expires, now) && setup_open(rows)? {
        true => Ok(()),
        false => Err(AuthError::Setup),
    }
}

/// Compares, consumes and creates, in the one transaction of the caller.
pub fn claim_setup(
    tx: &WriteTx<'_>,
    token: &str,
    login: &str,
    password: &str,
    now: Now,
    entropy: &dyn Entropy,
) -> Result<Actor> {
    check_setup(tx, token, now)?;
    tx.delete_setup_token()?;
    let new = NewUser {
        login,
        role: Role::Administrator,
        password,
        grants: &[],
    };
    create_user(tx, &new, LoginCost::default(), entropy, now.compliance)
}
