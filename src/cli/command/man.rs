//! `wordkeep man`: the manual pages, one per command.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use crate::app::AppError;
use crate::cli::context::Context;
use crate::cli::definition;
use crate::cli::failure::Exit;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Write the manual pages

Examples:
  $ wordkeep man --dir /usr/share/man/man1
  $ wordkeep man --dir . && man ./wordkeep-search.1

One page per command, made from the same definitions as the commands themselves. The directory must
exist.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Where to put the pages
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

/// Writes the pages.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    clap_mangen::generate_to(definition(), &typed.dir)
        .map_err(|error| AppError::file(&typed.dir, &error))?;
    context.say(&format!("manual pages are in {}", typed.dir.display()));
    Ok(Exit::Done)
}
