//! People: who is let in, by what, and for how long.
//!
//! Purpose: the use-cases of sign-in, sessions, second factors, passwords, tokens, users and grants,
//! and of single sign-on.
//!
//! Invariants:
//! - What lets somebody in is compared, consumed and logged in one transaction.
//! - A password, a role or an access that changes ends every other log-in in the same transaction.
//! - Refused attempts are logged; what was typed stands in the sealed payload only.
//!
//! Must not know: cookies, forms, addresses.

mod api_tokens;
mod directory;
mod factor;
mod four_eyes;
mod grants;
mod password;
mod session;
mod setup;
mod sign_in;
mod sso;
mod sso_setup;
mod tokens;
mod users;

pub use api_tokens::{API_TOKENS_MAX, ApiTokenLine, NewApiToken};
pub use directory::{
    DIRECTORY_PEOPLE_MAX, DirectoryLine, DirectoryPerson, SyncChange, SyncReport, read_directory,
};
pub use factor::TotpOffer;
pub use four_eyes::{MarkLine, Marked, Waiting, WaitingLine};
pub use grants::Grant;
pub use session::{Session, SignIn, WebSession};
pub use sso::{ReceivedClaims, SSO_CALLBACK, SsoArrival, SsoAsk, SsoDeparture, SsoOffer};
pub use sso_setup::{NewProvider, ProviderCheck, ProviderLine};
