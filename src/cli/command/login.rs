//! `wordkeep login`: password in, token file out.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::Ended;
use crate::app::{AppError, replace_secret};
use crate::auth::{AuthError, TOKEN_DAYS_MAX};
use crate::cli::context::{Context, last_entry};
use crate::cli::failure::Exit;
use crate::cli::printable::line;
use crate::cli::secrets;

/// Days a token lives unless said otherwise.
const DAYS_DEFAULT: u32 = 30;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Log in and keep a token for the commands that follow

Examples:
  $ wordkeep login ana
  $ wordkeep login ana --password-file - --days 1 < password.txt
  $ wordkeep login ana --password-file password.txt --code-file code.txt

The token is written to a file only you may read (--token-file chooses another place, for example one
per person on a shared host). Commands that touch messages need it: being root on the host is not
enough. It ends after 30 days, with `wordkeep logout`, or when an administrator ends your access.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Log-in name
    login: Option<String>,
    /// Read the password from the first line of a file (- for standard input)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the code of the second factor, or a recovery code, from the first line of a file
    #[arg(long, value_name = "FILE")]
    code_file: Option<PathBuf>,
    /// Days until the token ends, at most 365
    #[arg(long, value_name = "N", default_value_t = DAYS_DEFAULT,
          value_parser = clap::value_parser!(u32).range(1..=i64::from(TOKEN_DAYS_MAX)))]
    days: u32,
}

#[derive(Serialize)]
struct LoggedIn {
    login: String,
    role: &'static str,
    token_file: PathBuf,
    days: u32,
    audit: u64,
}

/// Logs in.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let appliance = context.open()?;
    let login = match &typed.login {
        Some(login) => login.clone(),
        None if context.may_ask => secrets::ask("log-in: ")?,
        None => {
            let text = "who logs in? write: wordkeep login LOGIN";
            return Err(AppError::Usage(text.to_owned()).into());
        }
    };
    let password = context.password(typed.password_file.as_ref(), &login, false)?;
    let given = match &typed.code_file {
        Some(path) => Some(secrets::first_line(path)?),
        None => None,
    };
    let code = given.as_ref().map(|code| code.as_str());
    let (session, token) = match appliance.log_in_with(&login, &password, code, typed.days) {
        Err(AppError::Auth(AuthError::CodeMissing)) if context.may_ask => {
            let code = secrets::prompt("code of your second factor: ")?;
            appliance.log_in_with(&login, &password, Some(&code), typed.days)?
        }
        done => done?,
    };
    let token_file = appliance.settings().token.clone();
    replace_secret(&token_file, format!("{token}\n").as_bytes())?;
    let done = LoggedIn {
        login,
        role: session.actor.role.name(),
        token_file,
        days: typed.days,
        audit: last_entry(&appliance)?,
    };
    context.printer.one(&done, |to| {
        writeln!(
            to,
            "✓ {} is logged in as {} for {} day{}   audit #{}",
            line(&done.login),
            done.role,
            done.days,
            if done.days == 1 { "" } else { "s" },
            done.audit
        )
    })?;
    context.say(&format!("token: {} (0600)", done.token_file.display()));
    Ok(Exit::Done)
}
