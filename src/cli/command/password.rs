//! `wordkeep password`: change your own password.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use super::changed::changed;
use crate::cli::context::Context;
use crate::cli::secrets;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Change your own password

Examples:
  $ wordkeep password
  $ wordkeep password --old-file old.txt --new-file new.txt

Everything else you are logged in with ends: browsers, other computers, tokens of programs.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Read the old password from the first line of a file
    #[arg(long, value_name = "FILE")]
    old_file: Option<PathBuf>,
    /// Read the new password from the first line of a file
    #[arg(long, value_name = "FILE")]
    new_file: Option<PathBuf>,
}

/// Changes it.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let ask = context.may_ask;
    let old = secrets::password(typed.old_file.as_ref(), "yours", false, ask)?;
    let new = secrets::password(typed.new_file.as_ref(), "yours", true, ask)?;
    let entry = appliance.change_password(&session, &old, &new)?;
    let told = "changed; every other log-in of yours has ended";
    changed(context, "password", told, &entry)
}
