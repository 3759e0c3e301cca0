//! `wordkeep matter`: open, list and close matters.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::cli::context::{Context, zone_of};
use crate::cli::printable::{in_zone, rfc3339};
use crate::cli::printer::Row;
use crate::domain::MatterId;

const AFTER: &str = "Examples:
  $ wordkeep matter open \"Nordwind v. Calder\" --reference 2026-CV-118
  $ wordkeep matter list";
const OPEN: &str = "Open a matter: the case or inquiry that holds belong to

Examples:
  $ wordkeep matter open \"Nordwind v. Calder\" --reference 2026-CV-118

For lawyers. The name is sealed like chat; the audit log names the matter by its id.";
const LIST: &str = "List the matters

Examples:
  $ wordkeep matter list --json";
const CLOSE: &str = "Close a matter

Examples:
  $ wordkeep matter close mat_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"settled\"

Its holds must be released first: closing a matter releases nothing.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Open a matter
    #[command(long_about = OPEN)]
    Open {
        /// What people call it
        name: String,
        /// Reference of the case, such as a docket number
        #[arg(long, value_name = "TEXT", default_value = "")]
        reference: String,
    },
    /// List the matters
    #[command(long_about = LIST)]
    List,
    /// Close a matter
    #[command(long_about = CLOSE)]
    Close {
        /// The matter
        id: MatterId,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Serialize)]
struct MatterRow {
    id: String,
    name: String,
    reference: String,
    opened: String,
    closed: Option<String>,
    holds: u64,
    #[serde(skip)]
    opened_local: String,
}

impl Row for MatterRow {
    const HEADINGS: &'static [&'static str] =
        &["MATTER", "STATE", "HOLDS", "OPENED", "REFERENCE", "NAME"];
    fn cells(&self) -> Vec<String> {
        let state = if self.closed.is_some() {
            "closed"
        } else {
            "open"
        };
        vec![
            self.id.clone(),
            state.to_owned(),
            self.holds.to_string(),
            self.opened_local.clone(),
            self.reference.clone(),
            self.name.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    match &typed.verb {
        Verb::Open { name, reference } => {
            let (id, entry) = appliance.open_matter(&session, name, reference)?;
            changed(context, &id.to_string(), "opened", &entry)
        }
        Verb::Close { id, reason } => {
            let entry = appliance.close_matter(&session, *id, reason)?;
            changed(context, &id.to_string(), "closed", &entry)
        }
        Verb::List => {
            let zone = zone_of(appliance.settings())?;
            let matters = appliance.matters(&session)?.into_iter();
            let rows = matters.map(|matter| MatterRow {
                id: matter.id.to_string(),
                name: matter.name,
                reference: matter.reference,
                opened: rfc3339(matter.opened),
                closed: matter.closed.map(rfc3339),
                holds: matter.holds,
                opened_local: in_zone(matter.opened, zone),
            });
            listed(context, rows)
        }
    }
}
