//! Log-ins before four eyes: the password opens nothing until a second person says so.
//!
//! A session that was begun waits for [`WAIT_MINUTES`]; let in, it lasts [`WATCHED_HOURS`]. Who waits is
//! nobody until then.

use super::deadline::{MINUTE, after, is_over};
use super::{AuthError, Result};
use crate::crypto::Digest;
use crate::domain::{Actor, Now, Right};
use crate::store::{FourEyesOf, FourEyesRow, Rows, SessionWatchRow, UserRow, WriteTx};

/// Minutes in which a second person may confirm a log-in.
pub const WAIT_MINUTES: i64 = 10;
/// Hours that a log-in lasts which a second person let in.
pub const WATCHED_HOURS: i64 = 2;

/// The mark on somebody's log-ins: their own, or that of their role.
pub fn four_eyes_of(rows: &Rows, user: &UserRow) -> Result<Option<FourEyesRow>> {
    let marks = rows.four_eyes()?;
    let own = marks
        .iter()
        .find(|mark| mark.of == FourEyesOf::User(user.no));
    let role = marks
        .iter()
        .find(|mark| mark.of == FourEyesOf::Role(user.role));
    Ok(own.or(role).copied())
}

/// Refuses what would let somebody in without the second person: links, tokens, the command line.
///
/// # Errors
/// [`AuthError::FourEyes`].
pub fn refuse_watched(rows: &Rows, user: &UserRow) -> Result<()> {
    match four_eyes_of(rows, user)? {
        Some(_) => Err(AuthError::FourEyes),
        None => Ok(()),
    }
}

/// Lets a session that was just begun wait, where its user is marked; `true` when it waits.
pub fn watch_session(tx: &WriteTx<'_>, user: &UserRow, hash: &Digest, now: Now) -> Result<bool> {
    if four_eyes_of(tx, user)?.is_none() {
        return Ok(false);
    }
    let row = SessionWatchRow {
        hash: *hash,
        user: user.no,
        ends: after(now, WAIT_MINUTES * MINUTE),
        confirmed_by: None,
    };
    tx.insert_session_watch(&row, now)?;
    Ok(true)
}

/// Whether a watched session is open now. An unwatched one always is.
///
/// # Errors
/// [`AuthError::Session`] while it waits, and when it is over.
pub(super) fn passes_watch(rows: &Rows, hash: &Digest, now: Now) -> Result<()> {
    match rows.session_watch(hash)? {
        Some(watch) if watch.confirmed_by.is_none() || is_over(watch.ends, now) => {
            Err(AuthError::Session)
        }
        _ => Ok(()),
    }
}

/// Whether somebody may confirm log-ins under a mark: the person it names, else any administrator; never
/// the person who waits.
pub fn may_confirm(mark: Option<&FourEyesRow>, waiting: &UserRow, second: &Actor) -> bool {
    let named = mark.and_then(|mark| mark.second);
    let entitled = match named {
        Some(named) => named == second.no,
        None => second.may(Right::ManageUsers),
    };
    entitled && second.no != waiting.no && second.scopes.is_none()
}

/// Whether a wait is over.
pub fn waited_too_long(watch: &SessionWatchRow, now: Now) -> bool {
    is_over(watch.ends, now)
}

/// Lets a waiting session in. The caller asked [`may_confirm`].
///
/// # Errors
/// [`AuthError::Waiting`] when it does not wait any more, or is the second person's own.
pub fn let_in(tx: &WriteTx<'_>, watch: &SessionWatchRow, second: &Actor, now: Now) -> Result<()> {
    let ends = after(now, WATCHED_HOURS * 60 * MINUTE);
    let is_late = is_over(watch.ends, now);
    match !is_late && tx.confirm_session_watch(&watch.hash, second.no, ends)? {
        true => Ok(()),
        false => Err(AuthError::Waiting),
    }
}

/// Whether some administrator can sign in without a second person: without one nobody could ever confirm.
pub(super) fn somebody_enters_alone(rows: &Rows) -> Result<bool> {
    for user in rows.users()? {
        let manages = !user.disabled && user.role.may(Right::ManageUsers);
        if manages && four_eyes_of(rows, &user)?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refuses a mark that would leave nobody to confirm.
///
/// # Errors
/// [`AuthError::LastAdministrator`].
pub fn still_entered(rows: &Rows) -> Result<()> {
    match somebody_enters_alone(rows)? {
        true => Ok(()),
        false => Err(AuthError::LastAdministrator),
    }
}
