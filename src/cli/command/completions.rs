//! `wordkeep completions`: what a shell needs to complete commands and flags.

use clap::Args;
use clap_complete::Shell;

use super::Ended;
use crate::cli::context::Context;
use crate::cli::definition;
use crate::cli::failure::Exit;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Print completions for a shell

Examples:
  $ wordkeep completions bash > /etc/bash_completion.d/wordkeep
  $ wordkeep completions fish > ~/.config/fish/completions/wordkeep.fish

They are made from the same definitions as the commands themselves.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// The shell
    shell: Shell,
}

/// Prints the completions.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let mut bytes = Vec::new();
    clap_complete::generate(typed.shell, &mut definition(), "wordkeep", &mut bytes);
    context.printer.sink().write_all(&bytes)?;
    context.printer.flush()?;
    Ok(Exit::Done)
}
