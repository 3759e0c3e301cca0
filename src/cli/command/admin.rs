//! `wordkeep admin`: the emergency door of the host, and what the log says of it.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Ended;
use super::changed::changed;
use crate::cli::context::Context;

const AFTER: &str = "Examples:
  $ wordkeep admin create eva --reason \"ana left, nobody else may add users\"
  $ wordkeep admin reset-password ana --reason \"lost phone and password\"";
const CREATE: &str = "Make an administrator without logging in

Examples:
  $ wordkeep admin create eva --reason \"ana left, nobody else may add users\"

For whoever can open the data, when nobody can log in who may add users. Administrators read no
message. The log says that it was done from the host; the reason stands sealed beside it.";
const RESET: &str = "Give an administrator another password without logging in

Examples:
  $ wordkeep admin reset-password ana --reason \"lost phone and password\"

Everything the administrator is logged in with ends, and the second factor is taken away. Nobody
else's password is reset this way: having the host makes nobody a reader. An administrator does that
with `wordkeep user reset-password`.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an administrator
    #[command(long_about = CREATE)]
    Create(Door),
    /// Give an administrator another password
    #[command(long_about = RESET)]
    ResetPassword(Door),
}

#[derive(Debug, Args)]
struct Door {
    /// Log-in name
    login: String,
    /// Why the ordinary way does not do
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Read the password from the first line of a file (- for standard input)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (Verb::Create(door) | Verb::ResetPassword(door)) = &typed.verb;
    let appliance = context.open()?;
    let password = context.password(door.password_file.as_ref(), &door.login, true)?;
    match &typed.verb {
        Verb::Create(door) => {
            let entry = appliance.break_glass_create(&door.login, &password, &door.reason)?;
            changed(context, &door.login, "added as administrator", &entry)
        }
        Verb::ResetPassword(door) => {
            let entry = appliance.break_glass_reset(&door.login, &password, &door.reason)?;
            changed(context, &door.login, "has another password", &entry)
        }
    }
}
