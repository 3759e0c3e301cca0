//! Floor 8: pages and the API; translation only.
//!
//! Purpose: turns requests into calls of the use-cases of `app`, and their answers into pages and
//! JSON. One table ([`ROUTES`]) names every route with who may take it; the router is made from it,
//! and so is the test that tries every role on every route.
//!
//! Invariants:
//! - No route without a row in the table; no row without a decision who may pass.
//! - A use-case authorises and logs; the guard only refuses earlier, and logs that it did.
//! - Text that people wrote leaves escaped, inside elements in which nothing is processed.
//! - Queries and message text are in no address, no title, no log of the program and no storage of
//!   the browser.
//! - Only three things answer without an entry in the log: health, the page that asks for the
//!   secret, and the files of the pages.
//!
//! Must not know: how anything is decided, sealed, found or kept.

mod api;
mod assets;
mod cookie;
mod error;
mod guard;
mod headers;
mod health;
mod house;
mod importing;
mod intake;
mod job_end;
mod jobs;
mod limit;
mod outbox;
mod page;
mod posted;
mod problem;
mod refusal;
mod route;
mod scim;
mod server;
mod stream;
mod tls;

pub use api::openapi;
pub use error::{Result, ServeError};
pub use house::{House, HouseOptions};
pub use route::{Access, ROUTES, Route, router};
pub use server::{ServeOptions, Served, serve};
pub use tls::{SelfSigned, TlsFiles, self_signed};
