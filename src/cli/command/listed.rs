//! What a list prints: its rows, in the shape that was asked for.

use super::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::printer::Row;

/// Prints rows and ends the command.
pub(super) fn listed<R: Row>(context: &mut Context, rows: impl IntoIterator<Item = R>) -> Ended {
    let rows: Vec<R> = rows.into_iter().collect();
    context.printer.list(&rows)?;
    Ok(Exit::Done)
}
