//! `wordkeep logout`: the token ends.

use clap::Args;
use serde::Serialize;

use super::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Exit;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "End the log-in

Examples:
  $ wordkeep logout
  $ wordkeep logout --token-file ~/.ana.token

Ends every token of the person the token file belongs to, on every computer, and removes the file.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {}

#[derive(Serialize)]
struct LoggedOut {
    audit: u64,
}

/// Logs out.
pub(in crate::cli) fn run(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let appended = appliance.log_out(&session, &appliance.settings().token)?;
    let done = LoggedOut {
        audit: appended.seq.0,
    };
    context.printer.one(&done, |to| {
        writeln!(to, "✓ logged out   audit #{}", done.audit)
    })?;
    Ok(Exit::Done)
}
