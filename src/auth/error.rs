//! Why somebody was not let in; the outside learns no more than this.

use crate::store::StoreError;

/// Errors of the room `auth`.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Login and password do not belong together, or the user is disabled. Which, is not said.
    #[error("login or password is wrong")]
    Refused,
    /// Somebody who changes their password did not give the one they have.
    #[error("the old password is wrong; nothing was changed")]
    OldPassword,
    /// The token is unknown, expired or malformed.
    #[error("the token is unknown or expired; log in again with: wordkeep login")]
    Token,
    /// The session of a browser is unknown or over.
    #[error("you are not signed in any more; sign in again")]
    Session,
    /// Login and password are right, and the code of the second factor is missing.
    #[error("a code of the second factor is needed too")]
    CodeMissing,
    /// Login and password are right, and the code of the second factor is wrong or used.
    #[error("the code is wrong or was used already; wait for the next one")]
    Code,
    /// The setup token is wrong, used or expired, or there is an administrator.
    #[error(
        "the setup token is wrong, used or expired; the server makes another one when it starts"
    )]
    Setup,
    /// The link is wrong, used or expired.
    #[error("the link is wrong, used or expired")]
    Link,
    /// The token of a program does not carry it, or it is for people alone.
    #[error("the scopes of this token do not carry it")]
    Scope,
    /// The role has nothing to give to a scope.
    #[error("the role {role} has nothing to give to the scope {scope}")]
    ScopeTooWide {
        /// Name of the role.
        role: &'static str,
        /// Name of the scope.
        scope: &'static str,
    },
    /// The role does not carry the right.
    #[error("the role {role} may not do this")]
    Forbidden {
        /// Name of the role.
        role: &'static str,
    },
    /// The login is taken.
    #[error("there is already a user \"{0}\"")]
    Taken(String),
    /// The login has characters that could be mistaken.
    #[error("a login has 1 to 64 of the characters a-z 0-9 . _ - @")]
    Login,
    /// The password is too short to protect anything.
    #[error("a password has at least {min} characters", min = super::PASSWORD_CHARS_MIN)]
    WeakPassword,
    /// There is no such user.
    #[error("there is no user \"{0}\"")]
    Unknown(String),
    /// The last administrator would be gone.
    #[error("this is the last administrator: make another one first")]
    LastAdministrator,
    /// The record refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Hashing failed.
    #[error("password hashing: {0}")]
    Crypto(#[from] crate::crypto::Error),
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, AuthError>;
