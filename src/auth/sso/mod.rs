//! Single sign-on by OpenID Connect: the authorisation code flow with PKCE, seen from the side that
//! asks.
//!
//! Everything here is a function of what somebody configured, what the provider answered and a `Now`;
//! the way out is an argument ([`Fetch`]). Sources: OpenID Connect Core 1.0 (sections 2, 3.1),
//! Discovery 1.0 (sections 3, 4), RFC 6749 (4.1), RFC 7636 (PKCE), RFC 7517 (keys), RFC 7519 (claims),
//! RFC 9207 (issuer in the answer), RFC 9700 (best practice).

mod address;
mod attempt;
mod claims;
mod config;
mod exchange;
mod fetch;
mod id_token;
mod keys;
mod metadata;
mod provider;

pub use address::Address;
pub use attempt::{
    ATTEMPT_MINUTES, Attempt, BrowserKey, SsoPurpose, SsoSecrets, begin_attempt, take_attempt,
};
pub use claims::{login_of, role_of};
pub use config::{RoleMap, SsoConfig};
pub use exchange::{Callback, authorization_address, exchange_code};
pub use fetch::{Fetch, Incoming, Outgoing};
pub use id_token::{Expected, IdToken, LEEWAY_SECONDS, open_id_token};
pub use keys::KeySet;
pub use metadata::Metadata;
pub use provider::{KEYS_AGAIN_SECONDS, ProviderCache};
