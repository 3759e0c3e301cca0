//! `wordkeep user`: add, list, change and end users; say what they see.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::listed::listed;
use crate::app::{
    Appliance, Grant, Marked, Session, SyncChange, SyncReport, read_bytes, read_directory,
};
use crate::audit::Appended;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::cli::printer::Row;
use crate::domain::{ConversationId, Role};

/// Longest table of people, in bytes.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;

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

At once: no log-in, no session, no token. The user stays in the list and in the audit log; their messages stay.";

const ENABLE: &str = "Let a user log in again

Examples:
  $ wordkeep user enable rui

With the password, the role and the grants they had.";
const GRANT: &str = "Say what a user sees

Examples:
  $ wordkeep user grant rui --conversation cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep user grant lea --everything --deny cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep user grant rui --nothing

It takes the place of all that was granted before, and counts from the next request on. A wall
(--deny) stands before every grant. Without a flag it lists what is granted now.";
const RESET_PASSWORD: &str = "Give another user a new password

Examples:
  $ wordkeep user reset-password lea

Everything they are logged in with ends. Their second factor stays.";
const RESET_FACTOR: &str = "Take the second factor from another user

Examples:
  $ wordkeep user reset-factor lea

For somebody who lost the device and the recovery codes: their password alone lets them in until they
set up another one.";

const SYNC: &str = "Take over who works here from a directory

Examples:
  $ wordkeep user sync people.csv --dry-run
  $ wordkeep user sync people.csv
  $ wordkeep user sync people.csv --adopt

A table with the heading login, and if wanted role, name, active and id. Who is new is added without a
password and comes by single sign-on, or when somebody gives them one. Whom a directory brought and it no
longer names has left: at once no log-in, no session, no token. Who was added by hand is left alone unless
--adopt gives them into its care; the last administrator always stays. Ends with 1 when something was
refused.";
const FOUR_EYES: &str = "Let log-ins open only when a second person confirms them

Examples:
  $ wordkeep user four-eyes rui
  $ wordkeep user four-eyes rui --by lea
  $ wordkeep user four-eyes --role auditor
  $ wordkeep user four-eyes rui --off

Each log-in waits ten minutes for its second person (an administrator, or who is named by --by) and
lasts two hours. Neither this command line nor a token lets them in. Without a login and a role it
lists who is marked.";

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
    /// Let a user log in again
    #[command(long_about = ENABLE)]
    Enable {
        /// Log-in name
        login: String,
    },
    /// Say what a user sees
    #[command(long_about = GRANT)]
    Grant(GrantTyped),
    /// Take over who works here from a directory
    #[command(long_about = SYNC)]
    Sync {
        /// A table of people
        file: PathBuf,
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
        /// Give users who are here already into the care of the directory
        #[arg(long)]
        adopt: bool,
    },
    /// Let log-ins open only when a second person confirms them
    #[command(long_about = FOUR_EYES)]
    FourEyes(FourEyesTyped),
    /// Give another user a new password
    #[command(long_about = RESET_PASSWORD)]
    ResetPassword {
        /// Log-in name
        login: String,
        /// Read the password from the first line of a file (- for standard input)
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Take the second factor from another user
    #[command(long_about = RESET_FACTOR)]
    ResetFactor {
        /// Log-in name
        login: String,
    },
}

#[derive(Debug, Args)]
struct FourEyesTyped {
    /// Log-in name
    login: Option<String>,
    /// Everybody in this role
    #[arg(long, value_parser = role_parser(), conflicts_with = "login")]
    role: Option<Role>,
    /// Log-in name of who has to confirm; an administrator unless given
    #[arg(long, value_name = "LOGIN")]
    by: Option<String>,
    /// Take the mark away
    #[arg(long, conflicts_with = "by")]
    off: bool,
}

#[derive(Serialize)]
struct MarkRow {
    of: String,
    confirmed_by: String,
    since: String,
}

impl Row for MarkRow {
    const HEADINGS: &'static [&'static str] = &["MARKED", "CONFIRMED BY"];
    fn cells(&self) -> Vec<String> {
        vec![self.of.clone(), self.confirmed_by.clone()]
    }
}

#[derive(Debug, Args)]
struct GrantTyped {
    /// Log-in name
    login: String,
    /// Every conversation that is not walled off
    #[arg(long)]
    everything: bool,
    /// A conversation; may be repeated
    #[arg(long, value_name = "ID")]
    conversation: Vec<ConversationId>,
    /// A conversation behind a wall; may be repeated
    #[arg(long, value_name = "ID")]
    deny: Vec<ConversationId>,
    /// Nothing at all
    #[arg(long, conflicts_with_all = ["everything", "conversation", "deny"])]
    nothing: bool,
}

impl GrantTyped {
    /// What is to be granted; `None` when nothing was said.
    fn grants(&self) -> Option<Vec<Grant>> {
        let mut grants = Vec::new();
        grants.extend(self.everything.then_some(Grant::Everything));
        grants.extend(self.conversation.iter().copied().map(Grant::Conversation));
        grants.extend(self.deny.iter().copied().map(Grant::Denied));
        (self.nothing || !grants.is_empty()).then_some(grants)
    }
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
struct GrantLine {
    grant: &'static str,
    object: Option<String>,
}

impl GrantLine {
    fn of(grant: &Grant) -> GrantLine {
        let (grant, object) = match grant {
            Grant::Everything => ("everything", None),
            Grant::Conversation(id) => ("conversation", Some(id.to_string())),
            Grant::Account(no) => ("account", Some(no.to_string())),
            Grant::Denied(id) => ("denied", Some(id.to_string())),
        };
        GrantLine { grant, object }
    }
}

impl Row for GrantLine {
    const HEADINGS: &'static [&'static str] = &["GRANT", "OBJECT"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.grant.to_owned(),
            self.object.clone().unwrap_or_default(),
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
    let app: &Appliance = &appliance;
    let (login, told, entry) = match &typed.verb {
        Verb::List => return list(context, app, &session),
        Verb::Sync {
            file,
            dry_run,
            adopt,
        } => {
            let bytes = read_bytes(file, DIRECTORY_BYTES_MAX)?;
            let people = read_directory(&bytes)?;
            let report = app.sync_directory(&session, &people, *adopt, *dry_run)?;
            return synced(context, &report, *dry_run);
        }
        Verb::FourEyes(typed) => return four_eyes(context, app, &session, typed),
        Verb::Grant(typed) => return grant(context, app, &session, typed),
        Verb::Add(new) => {
            let password = context.password(new.password_file.as_ref(), &new.login, true)?;
            let grants = &new.conversation;
            let entry = app.add_user(&session, &new.login, new.role, &password, grants)?;
            (&new.login, format!("added as {}", new.role.name()), entry)
        }
        Verb::Role { login, role } => {
            let entry = app.set_role(&session, login, *role)?;
            (login, format!("is now {}", role.name()), entry)
        }
        Verb::Disable { login } => {
            let entry = app.disable_user(&session, login)?;
            (login, "may no longer log in".to_owned(), entry)
        }
        Verb::Enable { login } => {
            let entry = app.enable_user(&session, login)?;
            (login, "may log in again".to_owned(), entry)
        }
        Verb::ResetPassword {
            login,
            password_file,
        } => {
            let password = context.password(password_file.as_ref(), login, true)?;
            let entry = app.reset_password(&session, login, &password)?;
            (login, "has another password".to_owned(), entry)
        }
        Verb::ResetFactor { login } => {
            let entry = app.reset_totp(&session, login)?;
            (login, "has no second factor".to_owned(), entry)
        }
    };
    changed(context, login, told, &entry)
}

fn list(context: &mut Context, appliance: &Appliance, session: &Session) -> Ended {
    let zone = zone_of(appliance.settings())?;
    let rows = appliance.users(session)?.into_iter().map(|user| UserLine {
        login: user.login,
        role: user.role.name(),
        id: user.id.to_string(),
        created: rfc3339(user.created),
        active: !user.disabled,
        created_local: in_zone(user.created, zone),
    });
    listed(context, rows)
}

/// What a directory changed, or would.
fn synced(context: &mut Context, report: &SyncReport, dry_run: bool) -> Ended {
    let rows: Vec<SyncRow> = report.changes.iter().map(SyncRow::of).collect();
    context.printer.list(&rows)?;
    let count = |name| rows.iter().filter(|row| row.change == name).count();
    let audit = report
        .audit
        .as_ref()
        .map(|entry| format!("   audit #{}", entry.seq.0));
    let end = match dry_run {
        true => "   nothing was changed".to_owned(),
        false => audit.unwrap_or_default(),
    };
    context.say(&format!(
        "{} new · {} changed · {} left · {} as they were · {} refused{end}",
        count("new"),
        count("changed"),
        count("left"),
        report.same,
        count("refused")
    ));
    Ok(match count("refused") {
        0 => Exit::Done,
        _ => Exit::Negative,
    })
}

#[derive(Serialize)]
struct SyncRow {
    login: String,
    change: &'static str,
    role: Option<&'static str>,
    reason: Option<String>,
}

impl SyncRow {
    fn of((login, change): &(String, SyncChange)) -> SyncRow {
        let (role, reason) = match change {
            SyncChange::New(role) | SyncChange::Role(role) => (Some(role.name()), None),
            SyncChange::Refused(why) => (None, Some(why.clone())),
            SyncChange::Back | SyncChange::Left | SyncChange::Adopted => (None, None),
        };
        SyncRow {
            login: login.clone(),
            change: change.name(),
            role,
            reason,
        }
    }
}

impl Row for SyncRow {
    const HEADINGS: &'static [&'static str] = &["LOGIN", "CHANGE", "ROLE OR REASON"];
    fn cells(&self) -> Vec<String> {
        let told = self.role.map(str::to_owned).or_else(|| self.reason.clone());
        vec![
            self.login.clone(),
            self.change.to_owned(),
            told.unwrap_or_else(|| "-".to_owned()),
        ]
    }
}

/// Who is let in only before four eyes, shown or changed.
fn four_eyes(
    context: &mut Context,
    app: &Appliance,
    session: &Session,
    typed: &FourEyesTyped,
) -> Ended {
    let (of, name) = match (&typed.login, typed.role) {
        (Some(login), _) => (Marked::User(login.clone()), login.clone()),
        (None, Some(role)) => (Marked::Role(role), role.name().to_owned()),
        (None, None) => {
            let marks = app.four_eyes_marks(session)?.into_iter();
            let rows = marks.map(|mark| MarkRow {
                of: match mark.of {
                    Marked::User(login) => login,
                    Marked::Role(role) => format!("role {}", role.name()),
                },
                confirmed_by: mark.second.unwrap_or_else(|| "an administrator".to_owned()),
                since: rfc3339(mark.since),
            });
            return listed(context, rows);
        }
    };
    let (entry, told) = match typed.off {
        true => (
            app.unmark_four_eyes(session, &of)?,
            "opens with a password alone",
        ),
        false => (
            app.mark_four_eyes(session, &of, typed.by.as_deref())?,
            "opens only when a second person confirms it",
        ),
    };
    changed(context, &name, told.to_owned(), &entry)
}

/// What a user is granted, shown or replaced.
fn grant(
    context: &mut Context,
    appliance: &Appliance,
    session: &Session,
    typed: &GrantTyped,
) -> Ended {
    let login = &typed.login;
    let Some(grants) = typed.grants() else {
        let granted = appliance.grants_of(session, login)?;
        let rows: Vec<GrantLine> = granted.iter().map(GrantLine::of).collect();
        context.printer.list(&rows)?;
        return Ok(Exit::Done);
    };
    let entry = appliance.set_grants(session, login, &grants)?;
    let told = match grants.len() {
        0 => "sees nothing".to_owned(),
        1 => "has 1 grant".to_owned(),
        many => format!("has {many} grants"),
    };
    changed(context, login, told, &entry)
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
