//! Floor 6: every connection that this house opens to others.
//!
//! Purpose: asks the provider of single sign-on; the feeds of live platforms will stand here too.
//!
//! Invariants:
//! - Nothing is asked that nobody configured: without a provider no connection is opened.
//! - Every answer is bounded in size and time; redirects are not followed.
//! - What is not TLS stays on this computer, whatever a name resolves to.
//!
//! Must not know: what the answers mean, who asked.

mod outward;

pub use outward::{ANSWER_SECONDS, OUTGOING_MAX, Outward};
