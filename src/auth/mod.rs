//! Floor 4: who is asking, and what may they see?
//!
//! Purpose: users, roles, log-ins and tokens become an `Actor`; grants become a `Scope`.
//!
//! Invariants:
//! - Passwords are kept as Argon2id hashes, tokens as SHA-256 of random bytes; neither is logged.
//! - A wrong login and a wrong password answer alike and take alike.
//! - A role that may not read content has an empty scope, whatever it was granted.
//! - There is always an administrator.
//!
//! Must not know: what is searched, what is stored in messages, the wall clock.

mod error;
mod scope;
mod token;
mod user;

pub use error::{AuthError, Result};
pub use scope::{require, scope_of, scope_with_restricted};
pub use token::{TOKEN_DAYS_MAX, Token, actor_of_token, issue_token};
pub use user::{
    LoginCost, NewUser, PASSWORD_CHARS_MIN, actor_of, check_new_user, create_user, disable_user,
    log_in, set_role, user_named,
};
