//! What a change prints: what was changed, how, and its audit entry.

use serde::Serialize;

use super::Ended;
use crate::audit::Appended;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::printable::line;

#[derive(Serialize)]
struct Changed<'a> {
    id: &'a str,
    change: &'a str,
    audit: u64,
}

/// Prints `✓ ID change   audit #N`.
pub(super) fn changed(context: &mut Context, id: &str, change: &str, entry: &Appended) -> Ended {
    let audit = entry.seq.0;
    let done = Changed { id, change, audit };
    context.printer.one(&done, |to| {
        writeln!(to, "✓ {} {}   audit #{audit}", line(id), line(change))
    })?;
    Ok(Exit::Done)
}
