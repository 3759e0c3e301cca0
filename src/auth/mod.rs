//! Floor 4: who is asking, and what may they see?
//!
//! Purpose: users, roles, log-ins, sessions and tokens become an `Actor`; grants become a `Scope`.
//!
//! Invariants:
//! - Passwords are kept as Argon2id hashes, whatever else lets somebody in as SHA-256 of random bytes;
//!   none is logged.
//! - Whatever ends in time ends by whichever clock comes first.
//! - A wrong login and a wrong password answer alike and take alike.
//! - A role that may not read content has an empty scope, whatever it was granted.
//! - There is always an administrator.
//! - Somebody at a provider is issuer and subject; names and addresses prove nothing.
//!
//! Must not know: what is searched, what is stored in messages, the wall clock.

mod code;
mod deadline;
mod error;
mod factor;
mod four_eyes;
mod link;
mod notice_link;
mod scope;
mod setup;
pub mod sso;
mod token;
mod user;
mod web_session;

pub use error::{AuthError, Result, SsoRefusal};
pub use factor::{RECOVERY_CODES, WRONG_CODES_MAX, confirm_factor, take_code};
pub use four_eyes::{
    WAIT_MINUTES, WATCHED_HOURS, four_eyes_of, let_in, may_confirm, refuse_watched, still_entered,
    waited_too_long, watch_session,
};
pub use link::{LINK_MINUTES, LinkToken, make_link, take_link};
pub use notice_link::{NOTICE_LINK_DAYS, NoticeToken, make_notice_link, open_notice_link};
pub use scope::{require, require_person, scope_of, scope_with_restricted};
pub use setup::{SETUP_MINUTES, SetupToken, check_setup, claim_setup, offer_setup, setup_open};
pub use token::{
    FoundToken, TOKEN_DAYS_MAX, Token, find_token, issue_api_token, issue_token, token_of_hash,
};
pub use user::{
    LoginCost, NewUser, PASSWORD_CHARS_MIN, actor_of, check_login, check_new_user,
    check_own_password, create_unlocked_user, create_user, disable_user, enable_user,
    is_last_administrator, log_in, set_password, set_role, user_named,
};
pub use web_session::{
    FoundSession, IDLE_MINUTES, SESSION_HOURS, STEP_UP_MINUTES, SessionKey, begin_session,
    end_access, end_provider_sessions, find_session, prove_session, strength_of,
};
