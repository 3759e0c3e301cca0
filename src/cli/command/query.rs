//! `wordkeep query check`: how a query is read, without running it.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use crate::app::SearchRequest;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::printable::line;
use crate::query::render_carets;

const AFTER: &str = "Examples:
  $ wordkeep query check 'discount w/5 (friday OR monday)'
  $ wordkeep query check 'refund sent:last-month' --strict";
const CHECK: &str = "Say how a query is read, without running it

Examples:
  $ wordkeep query check 'discount w/5 (friday OR monday)'
  $ wordkeep query check 'refund AND sent:2024-02' --tz Europe/Lisbon --json

Prints the query as a sentence, in canonical form with every group in parentheses, and with dates
relative to today made absolute. Errors stand under the place they are at, with a repair; the exit
code is then 2. Names are looked up among the conversations you may see.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say how a query is read, without running it
    #[command(long_about = CHECK)]
    Check {
        /// The query
        #[arg(required = true, value_name = "QUERY")]
        query: Vec<String>,
        /// Zone of dates, such as Europe/Lisbon
        #[arg(long, value_name = "ZONE")]
        tz: Option<String>,
        /// Treat warnings as errors
        #[arg(long)]
        strict: bool,
        /// Accept a warning in strict mode, by its code; may be repeated
        #[arg(long, value_name = "CODE")]
        accept: Vec<String>,
    },
}

#[derive(Serialize)]
struct Checked<'a> {
    query: &'a str,
    read_as: &'a str,
    canonical: &'a str,
    resolved: &'a str,
    zone: &'a str,
    notes: Vec<(&'static str, &'a str)>,
}

/// Checks.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    let Verb::Check {
        query,
        tz,
        strict,
        accept,
    } = typed.verb;
    let (appliance, session) = context.open_session()?;
    let request = SearchRequest {
        zone: tz,
        strict,
        accept,
        ..SearchRequest::new(query.join(" "))
    };
    let reading = appliance.check_query(&session, &request)?;
    let checked = Checked {
        query: &reading.text,
        read_as: &reading.read_as,
        canonical: &reading.canonical,
        resolved: &reading.resolved,
        zone: reading.zone.name(),
        notes: reading
            .problems
            .iter()
            .map(|problem| (problem.code.name(), problem.message.as_str()))
            .collect(),
    };
    context.printer.one(&checked, |to| {
        writeln!(to, "Read as: {}", line(checked.read_as))?;
        writeln!(to, "Query:   {}", line(checked.canonical))?;
        writeln!(to, "Today:   {}", line(checked.resolved))?;
        writeln!(to, "Zone:    {}", checked.zone)
    })?;
    if !reading.problems.is_empty() {
        context.say(render_carets(&reading.text, &reading.problems).trim_end());
    }
    Ok(Exit::Done)
}
