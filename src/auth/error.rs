//! Why somebody was not let in; the outside learns no more than this.

use crate::domain::{ApiScope, Right};
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
    /// A log-in that only a second person opens cannot be made this way.
    #[error("this log-in opens only when a second person confirms it: sign in with a browser")]
    FourEyes,
    /// No log-in waits that this person may confirm; which of the two, is not said.
    #[error("no log-in waits under this code that you may confirm; nobody confirms their own")]
    Waiting,
    /// The token of a program does not carry it, or it is for people alone.
    #[error("the scopes of this token do not carry it")]
    Scope {
        /// A scope that would; none where only people may.
        needs: Option<ApiScope>,
    },
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
        /// The right that is missing.
        needs: Right,
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
    /// Only the provider of single sign-on signs people in, but for the emergency administrator. Whether
    /// login and password were right is not said.
    #[error("passwords are not taken here: sign in at the provider, in a browser")]
    ProviderOnly,
    /// Somebody who came by the provider is asked there once more, not for a password.
    #[error("you signed in at the provider: confirm it there")]
    ProviderProof,
    /// The configuration of single sign-on is wrong; the text says how.
    #[error("{0}")]
    SsoConfig(String),
    /// Somebody who came from the provider was not let in.
    #[error(transparent)]
    Sso(#[from] SsoRefusal),
    /// The record refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Hashing failed.
    #[error("password hashing: {0}")]
    Crypto(#[from] crate::crypto::Error),
}

/// Why somebody who came from the provider of single sign-on was not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SsoRefusal {
    /// There is no provider.
    #[error("no provider of single sign-on is configured")]
    NotConfigured,
    /// It did not answer, or not within size and time.
    #[error("the provider did not answer: {0}")]
    Unreachable(String),
    /// What it says of itself does not do.
    #[error("the provider cannot be used: {0}")]
    Metadata(String),
    /// It said no; its own word.
    #[error("the provider said no ({0}); try again, or ask who runs it")]
    Denied(String),
    /// The way back does not fit the way there: used, late, or of another browser.
    #[error("this sign-in is over or was begun in another window; begin again")]
    State,
    /// The answer is not of the form it must have.
    #[error("the provider's answer cannot be read; an administrator finds it in the log")]
    Malformed,
    /// It is signed in a way that is not taken.
    #[error("the provider's token is signed in a way that is not taken")]
    Algorithm,
    /// It is signed by a key that the provider does not show.
    #[error("the provider's token is signed by an unknown key; try again in a minute")]
    UnknownKey,
    /// The signature is wrong.
    #[error("the signature of the provider's token is wrong")]
    Signature,
    /// Somebody else issued it.
    #[error("the answer is of another provider")]
    Issuer,
    /// It is for somebody else.
    #[error("the provider's token is for another program")]
    Audience,
    /// It is too old.
    #[error("the provider's token is too old: begin again, and compare the clocks if it stays")]
    Expired,
    /// It is of the future.
    #[error("the provider's token is of the future: compare the clocks of both computers")]
    NotYet,
    /// It answers another request.
    #[error("the provider's token answers another sign-in; begin again")]
    Nonce,
    /// No group of theirs gives a role.
    #[error(
        "none of your groups at the provider gives you a role here; an administrator can map one"
    )]
    NoRole,
    /// A user of that name exists who is not bound to the provider.
    #[error(
        "there is a user of your name who was not made by the provider; an administrator binds it to you with: wordkeep sso bind"
    )]
    Taken,
    /// Their access ended here.
    #[error("your access has ended; an administrator can let you in again")]
    Disabled,
    /// The map would take the role from the last administrator.
    #[error("your groups would leave the house without an administrator: make another one first")]
    LastAdministrator,
    /// Asked to prove it again, somebody did not.
    #[error("the provider did not ask you again; confirm it there with your password")]
    NotFresh,
    /// Somebody else proved it.
    #[error("somebody else signed in at the provider; confirm it as yourself")]
    OtherPerson,
}

impl SsoRefusal {
    /// The class of the reason, as the log has it.
    pub const fn class(&self) -> &'static str {
        match self {
            SsoRefusal::NotConfigured => "sso-not-configured",
            SsoRefusal::Unreachable(_) => "sso-unreachable",
            SsoRefusal::Metadata(_) => "sso-metadata",
            SsoRefusal::Denied(_) => "sso-denied",
            SsoRefusal::State => "sso-state",
            SsoRefusal::Malformed => "sso-malformed",
            SsoRefusal::Algorithm => "sso-algorithm",
            SsoRefusal::UnknownKey => "sso-unknown-key",
            SsoRefusal::Signature => "sso-signature",
            SsoRefusal::Issuer => "sso-issuer",
            SsoRefusal::Audience => "sso-audience",
            SsoRefusal::Expired => "sso-expired",
            SsoRefusal::NotYet => "sso-not-yet",
            SsoRefusal::Nonce => "sso-nonce",
            SsoRefusal::NoRole => "sso-no-role",
            SsoRefusal::Taken => "sso-login-taken",
            SsoRefusal::Disabled => "sso-disabled",
            SsoRefusal::LastAdministrator => "sso-last-administrator",
            SsoRefusal::NotFresh => "sso-not-fresh",
            SsoRefusal::OtherPerson => "sso-other-person",
        }
    }
}

/// Result of the room.
pub type Result<T> = std::result::Result<T, AuthError>;
