//! `wordkeep user`: add, list, change and end users.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::listed::listed;
use crate::audit::Appended;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::cli::printer::Row;
use crate::domain::{ConversationId, Role};

const AFTER: &str = "Examples:
  $ wordkeep user add rui --role manager --conversation cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep user list";
const ADD: &str = "Add a user

Examples:
  $ wordkeep user add lea --role lawyer
  $ wordkeep user add rui --role manager --conversation cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE

Lawyers and records officers see every conversation unless --conversation names some; managers see
what is named. Administrators and auditors see none. The password is asked for, or read from
--password-file.";
const LIST: &str = "List the users

Examples:
  $ wordkeep user list
  $ wordkeep user list --jsonl

Users whose access ended stay listed: the audit log goes on naming them.";
const ROLE: &str = "Give a user another role

Examples:
  $ wordkeep user role rui lawyer

Their tokens end; what they were granted stays. The last administrator cannot become something else.";
const DISABLE: &str = "End a user's access

Examples:
  $ wordkeep user disable rui

At once: no log-in, no token. The user stays in the list and in the audit log; their messages stay.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a user
    #[command(long_about = ADD)]
    Add(Add),
    /// List the users
    #[command(long_about = LIST)]
    List,
    /// Give a user another role
    #[command(long_about = ROLE)]
    Role {
        /// Log-in name
        login: String,
        /// The new role
        #[arg(value_parser = role_parser())]
        role: Role,
    },
    /// End a user's access
    #[command(long_about = DISABLE)]
    Disable {
        /// Log-in name
        login: String,
    },
}

#[derive(Debug, Args)]
struct Add {
    /// Log-in name: a-z 0-9 . _ - @
    login: String,
    /// Job title
    #[arg(long, value_parser = role_parser())]
    role: Role,
    /// Read the password from the first line of a file (- for standard input)
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A conversation the user may see; may be repeated
    #[arg(long, value_name = "ID")]
    conversation: Vec<ConversationId>,
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(Role::ALL.map(Role::name))
        .try_map(|name| Role::from_name(&name).ok_or("no such role"))
}

#[derive(Serialize)]
struct UserLine {
    login: String,
    role: &'static str,
    id: String,
    created: String,
    active: bool,
    #[serde(skip)]
    created_local: String,
}

impl Row for UserLine {
    const HEADINGS: &'static [&'static str] = &["LOGIN", "ROLE", "STATE", "ADDED", "ID"];
    fn cells(&self) -> Vec<String> {
        let state = if self.active { "active" } else { "disabled" };
        vec![
            self.login.clone(),
            self.role.to_owned(),
            state.to_owned(),
            self.created_local.clone(),
            self.id.clone(),
        ]
    }
}

#[derive(Serialize)]
struct Changed<'a> {
    login: &'a str,
    change: String,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    match &typed.verb {
        Verb::List => {
            let zone = zone_of(appliance.settings())?;
            let rows = appliance.users(&session)?.into_iter().map(|user| UserLine {
                login: user.login,
                role: user.role.name(),
                id: user.id.to_string(),
                created: rfc3339(user.created),
                active: !user.disabled,
                created_local: in_zone(user.created, zone),
            });
            listed(context, rows)
        }
        Verb::Add(add) => {
            let password = context.password(add.password_file.as_ref(), &add.login, true)?;
            let grants = &add.conversation;
            let entry = appliance.add_user(&session, &add.login, add.role, &password, grants)?;
            changed(
                context,
                &add.login,
                format!("added as {}", add.role.name()),
                &entry,
            )
        }
        Verb::Role { login, role } => {
            let entry = appliance.set_role(&session, login, *role)?;
            changed(context, login, format!("is now {}", role.name()), &entry)
        }
        Verb::Disable { login } => {
            let entry = appliance.disable_user(&session, login)?;
            changed(context, login, "may no longer log in".to_owned(), &entry)
        }
    }
}

fn changed(context: &mut Context, login: &str, change: String, entry: &Appended) -> Ended {
    let done = Changed {
        login,
        change,
        audit: entry.seq.0,
    };
    context.printer.one(&done, |to| {
        writeln!(
            to,
            "✓ {} {}   audit #{}",
            line(done.login),
            done.change,
            done.audit
        )
    })?;
    Ok(Exit::Done)
}
