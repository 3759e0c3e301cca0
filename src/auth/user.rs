//! Users: made, changed, recognised.

use zeroize::Zeroizing;

use super::four_eyes::{four_eyes_of, somebody_enters_alone};
use super::{AuthError, Result, end_access};
use crate::crypto::{
    Digest, Entropy, PasswordVerdict, StretchCost, hash_password, random_bytes, verify_password,
};
use crate::domain::{Actor, Right, Role, Timestamp, UserId, UserNo};
use crate::store::{GrantKind, Rows, UserRow, WriteTx};

/// Fewest characters of a password.
pub const PASSWORD_CHARS_MIN: usize = 10;
/// Most characters of a login.
const LOGIN_CHARS_MAX: usize = 64;

/// Cost of hashing login passwords.
#[derive(Clone, Copy, Debug)]
pub struct LoginCost(pub StretchCost);

impl Default for LoginCost {
    /// The floor of OWASP's password storage cheat sheet: 19 MiB, two passes, one lane.
    fn default() -> Self {
        Self(StretchCost {
            memory_kib: 19 * 1024,
            passes: 2,
            lanes: 1,
        })
    }
}

/// A user to be made.
pub struct NewUser<'a> {
    /// Log-in name; lower-cased.
    pub login: &'a str,
    /// Job title.
    pub role: Role,
    /// The password as typed.
    pub password: &'a str,
    /// What the user may see.
    pub grants: &'a [(GrantKind, u32)],
}

/// Checks what a new user would be made of, before anything is made.
pub fn check_new_user(login: &str, password: &str) -> Result<()> {
    checked_login(login)?;
    check_password(password)
}

/// Checks a login that somebody else chose.
pub fn check_login(login: &str) -> Result<()> {
    checked_login(login).map(drop)
}

fn check_password(password: &str) -> Result<()> {
    match password.chars().count() < PASSWORD_CHARS_MIN {
        true => Err(AuthError::WeakPassword),
        false => Ok(()),
    }
}

/// Makes a user and gives its actor.
pub fn create_user(
    tx: &WriteTx<'_>,
    new: &NewUser<'_>,
    cost: LoginCost,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Actor> {
    let login = checked_login(new.login)?;
    if tx.user_by_login(&login)?.is_some() {
        return Err(AuthError::Taken(login));
    }
    check_password(new.password)?;
    let password = hash_password(new.password.as_bytes(), &cost.0, entropy)?;
    insert_user(tx, login, new.role, password, new.grants, entropy, now)
}

/// Makes a user who has no password: nothing that anybody types lets them in. They come by the provider
/// of single sign-on.
pub fn create_unlocked_user(
    tx: &WriteTx<'_>,
    login: &str,
    role: Role,
    grants: &[(GrantKind, u32)],
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Actor> {
    let login = checked_login(login)?;
    if tx.user_by_login(&login)?.is_some() {
        return Err(AuthError::Taken(login));
    }
    // Of 32 random bytes that nobody has seen.
    let unknown = Zeroizing::new(random_bytes::<32>(entropy));
    let password = hash_password(&unknown[..], &LoginCost::default().0, entropy)?;
    insert_user(tx, login, role, password, grants, entropy, now)
}

fn insert_user(
    tx: &WriteTx<'_>,
    login: String,
    role: Role,
    password: String,
    grants: &[(GrantKind, u32)],
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Actor> {
    let mut row = UserRow {
        no: UserNo(0),
        id: UserId(u128::from_be_bytes(random_bytes(entropy)) >> 1),
        login,
        role,
        password,
        created: now,
        disabled: false,
    };
    row.no = tx.insert_user(&row)?;
    for (kind, object) in grants {
        tx.insert_grant(row.no, *kind, *object)?;
    }
    Ok(actor_of(&row))
}

/// A login in lower case, when it has no character that could be mistaken.
pub(super) fn checked_login(login: &str) -> Result<String> {
    let login = login.to_ascii_lowercase();
    let fits = (1..=LOGIN_CHARS_MAX).contains(&login.len())
        && login.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte)
        });
    if fits {
        Ok(login)
    } else {
        Err(AuthError::Login)
    }
}

/// The actor a user row stands for.
pub fn actor_of(row: &UserRow) -> Actor {
    Actor {
        id: row.id,
        no: row.no,
        role: row.role,
        scopes: None,
    }
}

/// Recognises somebody by login and password. Unknown logins cost the same work and give the same
/// answer as wrong passwords.
pub fn log_in(rows: &Rows, login: &str, password: &str, entropy: &dyn Entropy) -> Result<UserRow> {
    let Some(row) = rows.user_by_login(&login.to_ascii_lowercase())? else {
        // One hash, as for a known login; what is too long to be hashed is not hashed for either.
        let _ = hash_password(password.as_bytes(), &LoginCost::default().0, entropy);
        return Err(AuthError::Refused);
    };
    match verify_password(password.as_bytes(), &row.password, &LoginCost::default().0)? {
        PasswordVerdict::Wrong => Err(AuthError::Refused),
        _ if row.disabled => Err(AuthError::Refused),
        _ => Ok(row),
    }
}

/// The user of a login.
pub fn user_named(rows: &Rows, login: &str) -> Result<UserRow> {
    rows.user_by_login(&login.to_ascii_lowercase())?
        .ok_or_else(|| AuthError::Unknown(login.to_owned()))
}

/// Gives a user another role. Everything they are signed in with ends.
pub fn set_role(tx: &WriteTx<'_>, login: &str, role: Role) -> Result<UserRow> {
    let mut row = user_named(tx, login)?;
    row.role = role;
    tx.update_user(&row)?;
    end_access(tx, row.no, None)?;
    still_administered(tx)?;
    Ok(row)
}

/// Ends a user's access: no log-in, no token, no session. The user stays named in the audit log.
pub fn disable_user(tx: &WriteTx<'_>, login: &str) -> Result<UserRow> {
    let mut row = user_named(tx, login)?;
    row.disabled = true;
    tx.update_user(&row)?;
    end_access(tx, row.no, None)?;
    still_administered(tx)?;
    Ok(row)
}

/// Lets a user sign in again.
pub fn enable_user(tx: &WriteTx<'_>, login: &str) -> Result<UserRow> {
    let mut row = user_named(tx, login)?;
    row.disabled = false;
    tx.update_user(&row)?;
    Ok(row)
}

/// Gives a user another password. Everything they are signed in with ends, but the session or token of
/// hash `except`.
pub fn set_password(
    tx: &WriteTx<'_>,
    row: &mut UserRow,
    password: &str,
    except: Option<&Digest>,
    entropy: &dyn Entropy,
) -> Result<()> {
    check_password(password)?;
    row.password = hash_password(password.as_bytes(), &LoginCost::default().0, entropy)?;
    tx.update_user(row)?;
    end_access(tx, row.no, except)
}

/// Checks the password of somebody who was recognised before.
pub fn check_own_password(row: &UserRow, password: &str) -> Result<()> {
    match verify_password(password.as_bytes(), &row.password, &LoginCost::default().0)? {
        PasswordVerdict::Wrong => Err(AuthError::Refused),
        _ => Ok(()),
    }
}

/// Whether somebody can manage users.
pub(super) fn is_administered(rows: &Rows) -> Result<bool> {
    Ok(rows
        .users()?
        .iter()
        .any(|user| !user.disabled && user.role.may(Right::ManageUsers)))
}

/// Whether nobody else of those who can manage users enters alone: then this one stays.
pub fn is_last_administrator(rows: &Rows, user: &UserRow) -> Result<bool> {
    if user.disabled || !user.role.may(Right::ManageUsers) {
        return Ok(false);
    }
    for other in rows.users()? {
        let manages = !other.disabled && other.role.may(Right::ManageUsers);
        if other.no != user.no && manages && four_eyes_of(rows, &other)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn still_administered(tx: &WriteTx<'_>) -> Result<()> {
    match is_administered(tx)? && somebody_enters_alone(tx)? {
        true => Ok(()),
        false => Err(AuthError::LastAdministrator),
    }
}
