//! `wordkeep check`: is everything in order to run?

use clap::Args;
use serde::Serialize;

use super::Ended;
use crate::app::{Finding, Standing, check_host};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::printer::Row;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Check configuration, keys, disk, clock, permissions, index and log

Examples:
  $ wordkeep check
  $ wordkeep check --json

Shows states and counts, never a message, and needs no log-in. Ends with 1 when something is wrong.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {}

#[derive(Serialize)]
struct Checked {
    subject: &'static str,
    state: &'static str,
    text: String,
}

impl From<Finding> for Checked {
    fn from(finding: Finding) -> Self {
        Checked {
            subject: finding.subject,
            state: match finding.standing {
                Standing::Good => "good",
                Standing::Warning => "warning",
                Standing::Bad => "bad",
            },
            text: finding.text,
        }
    }
}

impl Row for Checked {
    const HEADINGS: &'static [&'static str] = &["STATE", "ABOUT", "FOUND"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.state.to_owned(),
            self.subject.to_owned(),
            self.text.clone(),
        ]
    }
}

/// Checks.
pub(in crate::cli) fn run(context: &mut Context) -> Ended {
    let settings = context.settings()?;
    match context.open() {
        Ok(appliance) => {
            let findings = appliance.check()?;
            print(context, findings)
        }
        // What can be told without the keys is told, and then why they did not open.
        Err(failure) => {
            print(context, check_host(&settings))?;
            Err(failure)
        }
    }
}

fn print(context: &mut Context, findings: Vec<Finding>) -> Result<Exit, Failure> {
    let is_bad = findings
        .iter()
        .any(|finding| finding.standing == Standing::Bad);
    let rows: Vec<Checked> = findings.into_iter().map(Checked::from).collect();
    context.printer.list(&rows)?;
    Ok(if is_bad { Exit::Negative } else { Exit::Done })
}
