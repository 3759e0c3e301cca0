//! `wordkeep freeze`: stop all destruction; two people let it go on.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::cli::context::{Context, zone_of};
use crate::cli::printable::{in_zone, rfc3339};
use crate::cli::printer::Row;
use crate::domain::FreezeNo;

const AFTER: &str = "Examples:
  $ wordkeep freeze set --reason \"litigation expected\"
  $ wordkeep freeze lift 1 --reason \"counsel agreed\"
  $ wordkeep freeze list";
const SET: &str = "Stop all destruction, at once

Examples:
  $ wordkeep freeze set --reason \"litigation expected\"

One lawyer or records officer is enough. Reading, importing and searching go on.";
const LIFT: &str = "Ask to lift a freeze, or agree to it

Examples:
  $ wordkeep freeze lift 1 --reason \"counsel agreed\"

Two different people run this command: the first asks, the second agrees.";
const LIST: &str = "List the freezes, lifted ones too

Examples:
  $ wordkeep freeze list";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Stop all destruction
    #[command(long_about = SET)]
    Set {
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Ask to lift a freeze, or agree to it
    #[command(long_about = LIFT)]
    Lift {
        /// Number of the freeze
        no: u32,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the freezes
    #[command(long_about = LIST)]
    List,
}

#[derive(Serialize)]
struct FreezeRow {
    no: u32,
    why: &'static str,
    words: String,
    since: String,
    state: &'static str,
    lifted: Option<String>,
    #[serde(skip)]
    since_local: String,
}

impl Row for FreezeRow {
    const HEADINGS: &'static [&'static str] = &["FREEZE", "STATE", "SINCE", "WHY", "WORDS"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.no.to_string(),
            self.state.to_owned(),
            self.since_local.clone(),
            self.why.to_owned(),
            self.words.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    match &typed.verb {
        Verb::Set { reason } => {
            let (no, entry) = appliance.freeze(&session, reason)?;
            let told = "set: nothing is destroyed while it stands";
            changed(context, &format!("freeze {no}"), told, &entry)
        }
        Verb::Lift { no, reason } => {
            let (done, entry) = appliance.lift_freeze(&session, FreezeNo(*no), reason)?;
            let told = match done {
                true => "lifted",
                false => "waits for a second person to agree to lift it",
            };
            changed(context, &format!("freeze {no}"), told, &entry)
        }
        Verb::List => {
            let zone = zone_of(appliance.settings())?;
            let freezes = appliance.freezes(&session)?.into_iter();
            let rows = freezes.map(|freeze| FreezeRow {
                no: freeze.no.0,
                why: freeze.reason.name(),
                words: freeze.words,
                since: rfc3339(freeze.since),
                state: match (freeze.lifted.is_some(), freeze.lift_requested) {
                    (true, _) => "lifted",
                    (_, true) => "lift_requested",
                    _ => "standing",
                },
                lifted: freeze.lifted.map(rfc3339),
                since_local: in_zone(freeze.since, zone),
            });
            listed(context, rows)
        }
    }
}
