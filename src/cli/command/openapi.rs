//! `wordkeep openapi`: the description of the API for programs.

use super::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Exit;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Print the description of the API

Examples:
  $ wordkeep openapi > openapi.json

OpenAPI 3.1, made from the same table of routes that is served; a running server gives the same at
/api/v1/openapi.json.";

/// Prints the description.
pub(in crate::cli) fn run(context: &mut Context) -> Ended {
    let text = crate::http::openapi();
    context.printer.sink().write_all(text.as_bytes())?;
    context.printer.flush()?;
    Ok(Exit::Done)
}
