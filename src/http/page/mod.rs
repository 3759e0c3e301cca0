//! The pages: each file asks use-cases and shows what they answered. All of them work as plain links
//! and forms; scripts only polish.
//!
//! Must not know: how anything is decided. What somebody may not use is not shown to them, and the
//! use-case refuses it all the same.

pub(super) mod account;
pub(super) mod audit;
mod audit_words;
mod certificate;
pub(super) mod conversation;
pub(super) mod dispositions;
pub(super) mod events;
pub(super) mod exports;
mod form;
pub(super) mod four_eyes;
pub(super) mod frame;
pub(super) mod help;
pub(super) mod help_api;
pub(super) mod holds;
pub(super) mod home;
pub(super) mod import_report;
pub(super) mod imports;
pub(super) mod job;
pub(super) mod labels;
pub(super) mod matters;
pub(super) mod message;
pub(super) mod notice;
pub(super) mod notice_forms;
mod notice_words;
pub(super) mod notices;
pub(super) mod part;
pub(super) mod policies;
mod policy_form;
pub(super) mod problems;
pub(super) mod refused;
pub(super) mod requests;
pub(super) mod retention;
pub(super) mod search;
pub(super) mod setup;
pub(super) mod sign_in;
pub(super) mod sso;
pub(super) mod step_up;
pub(super) mod system;
pub(super) mod terms;
pub(super) mod trial;
pub(super) mod unlock;
pub(super) mod users;
pub(super) mod why;
pub(super) mod wizard;

use axum::response::Response;

use super::refusal::Refusal;
pub(super) use wizard::Kits;

/// What a handler of a page gives.
pub(super) type Page = Result<Response, Refusal>;
