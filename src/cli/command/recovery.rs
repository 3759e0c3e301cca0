//! `wordkeep keys recovery`: the key that opens the escrow, made once and kept away from the data.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use zeroize::Zeroizing;

use super::Ended;
use crate::app::{AppError, parse_recovery_key, write_secret};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::secrets;
use crate::crypto::RecoveryKey;

const AFTER: &str = "Examples:
  $ wordkeep keys recovery create --out /media/usb/recovery.txt
  $ wordkeep keys recovery test /media/usb/recovery.txt";
const CREATE: &str = "Make the recovery key

Examples:
  $ wordkeep keys recovery create --out /media/usb/recovery.txt

Backups hold no keys: they lie in the escrow, and only the recovery key opens it. It is written once,
to a file only you may read, and kept nowhere else. Print it or put it into a safe, away from the
data and from the backups; then type it in again with: wordkeep keys recovery test";
const TEST: &str = "Prove that the recovery key was written down

Examples:
  $ wordkeep keys recovery test /media/usb/recovery.txt
  $ wordkeep keys recovery test -

Reads the key as it was printed, from a file or (-) as it is typed. From then on the escrow is sealed
to it.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the recovery key
    #[command(long_about = CREATE)]
    Create {
        /// The file to write; never one that is there already
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Prove that the recovery key was written down
    #[command(long_about = TEST)]
    Test {
        /// The file with the key, or - to type it in
        file: PathBuf,
    },
}

#[derive(Serialize)]
struct Made {
    key: String,
    file: Option<PathBuf>,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    match &typed.verb {
        Verb::Create { out } => create(context, out),
        Verb::Test { file } => test(context, file),
    }
}

/// The recovery key in a file, or on standard input.
pub(super) fn read(path: &Path) -> Result<RecoveryKey, Failure> {
    Ok(parse_recovery_key(&secrets::first_line(path)?)?)
}

fn create(context: &mut Context, out: &Path) -> Ended {
    let refused = || AppError::Conflict(format!("{} exists; name another file", out.display()));
    if out.exists() {
        return Err(refused().into());
    }
    let (appliance, session) = context.open_session()?;
    let (key, appended) = appliance.create_recovery_key(&session)?;
    let mut text = Zeroizing::new(String::with_capacity(128));
    text.push_str(&key.to_text());
    text.push('\n');
    write_secret(out, text.as_bytes())?;
    let name = key
        .public()
        .map_err(|error| AppError::Integrity(error.to_string()))?;
    let made = Made {
        key: name.name(),
        file: Some(out.to_owned()),
        audit: appended.seq.0,
    };
    context.printer.one(&made, |to| {
        writeln!(
            to,
            "✓ recovery key {} written to {} (0600)   audit #{}",
            made.key,
            out.display(),
            made.audit
        )
    })?;
    context.say("it is kept nowhere else: print it or lock it away, far from data and backups");
    context.say(&format!(
        "next: wordkeep keys recovery test {}",
        out.display()
    ));
    Ok(Exit::Done)
}

fn test(context: &mut Context, file: &Path) -> Ended {
    let is_typed = file == Path::new("-");
    let key = match is_typed && context.may_ask {
        true => parse_recovery_key(&secrets::prompt("recovery key: ")?)?,
        false => read(file)?,
    };
    let (appliance, session) = context.open_session()?;
    let (name, appended) = appliance.test_recovery_key(&session, &key)?;
    let made = Made {
        key: name,
        file: None,
        audit: appended.seq.0,
    };
    context.printer.one(&made, |to| {
        writeln!(
            to,
            "✓ recovery key {} fits: escrows are sealed to it   audit #{}",
            made.key, made.audit
        )
    })?;
    Ok(Exit::Done)
}
