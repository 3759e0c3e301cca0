//! `wordkeep event`: record what starts periods, such as somebody leaving.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::NewEvent;
use crate::cli::context::{Context, zone_of};
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, rfc3339};
use crate::cli::printer::Row;
use crate::domain::EventNo;

const AFTER: &str = "Examples:
  $ wordkeep event add employee_left emp42 --at 2026-02-28 --reason \"notice of HR\"
  $ wordkeep event list";
const ADD: &str = "Record an event

Examples:
  $ wordkeep event add employee_left emp42 --at 2026-02-28 --reason \"notice of HR\"
  $ wordkeep event add employee_left emp42 --at 2026-03-31 --reason \"typing error\" --corrects 1

Policies whose period starts with this type and key count from it, the latest where there are
several. An event is never edited: a mistake is corrected by the next one, and what a compliance lock
earned by it stays.";
const LIST: &str = "List the events, in the order of recording

Examples:
  $ wordkeep event list";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Record an event
    #[command(long_about = ADD)]
    Add {
        /// What happened, such as employee_left
        #[arg(value_name = "TYPE")]
        kind: String,
        /// To whom or what, such as emp42
        key: String,
        /// When: a day, a local time, or an instant
        #[arg(long, value_name = "TIME")]
        at: String,
        /// Why it is recorded
        #[arg(long, value_name = "TEXT")]
        reason: String,
        /// Number of the event it corrects
        #[arg(long, value_name = "N")]
        corrects: Option<u32>,
    },
    /// List the events
    #[command(long_about = LIST)]
    List,
}

#[derive(Serialize)]
struct EventRow {
    no: u32,
    #[serde(rename = "type")]
    kind: String,
    key: String,
    at: String,
    recorded: String,
    corrects: Option<u32>,
    reason: String,
    #[serde(skip)]
    at_local: String,
}

impl Row for EventRow {
    const HEADINGS: &'static [&'static str] =
        &["EVENT", "TYPE", "KEY", "HAPPENED", "CORRECTS", "REASON"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.no.to_string(),
            self.kind.clone(),
            self.key.clone(),
            self.at_local.clone(),
            self.corrects
                .map_or_else(|| "-".to_owned(), |no| no.to_string()),
            self.reason.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    match &typed.verb {
        Verb::Add {
            kind,
            key,
            at,
            reason,
            corrects,
        } => {
            let new = NewEvent {
                kind,
                key,
                at: instant(at, zone)?,
                reason,
                corrects: corrects.map(EventNo),
            };
            let (no, entry) = appliance.record_event(&session, &new)?;
            changed(context, &format!("event {no}"), "recorded", &entry)
        }
        Verb::List => {
            let events = appliance.events(&session)?.into_iter();
            let rows = events.map(|event| EventRow {
                no: event.no.0,
                kind: event.kind,
                key: event.key,
                at: rfc3339(event.at),
                recorded: rfc3339(event.recorded),
                corrects: event.corrects.map(|no| no.0),
                reason: event.reason,
                at_local: in_zone(event.at, zone),
            });
            listed(context, rows)
        }
    }
}
