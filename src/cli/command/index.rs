//! `wordkeep index`: the search index is a cache of the record; rebuild it, compare it, measure it.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::printable::{line, thousands};
use crate::cli::printer::{Row, Shape};

const AFTER: &str = "Examples:
  $ wordkeep index verify
  $ wordkeep index rebuild";
const REBUILD: &str = "Rebuild the search index from the record

Examples:
  $ wordkeep index rebuild

Nothing is lost by it: the record is what is kept, the index only finds. Searches go on meanwhile,
imports wait.";
const VERIFY: &str = "Compare the search index with the record

Examples:
  $ wordkeep index verify
  $ wordkeep index verify --sample 10000

Counts and hashes of every message, every page of every file, and --sample messages that must be
found by their own words. Ends with 6 when they differ; then rebuild it.";
const STATS: &str = "Show sizes and counts of the search index

Examples:
  $ wordkeep index stats --plain

One line per year.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Rebuild the search index from the record
    #[command(long_about = REBUILD)]
    Rebuild,
    /// Compare the search index with the record
    #[command(long_about = VERIFY)]
    Verify {
        /// Messages whose own words must find them again
        #[arg(long, value_name = "N", default_value_t = 100)]
        sample: u64,
    },
    /// Show sizes and counts of the search index
    #[command(long_about = STATS)]
    Stats,
}

#[derive(Serialize)]
struct Part {
    part: String,
    messages: u64,
    deleted: u64,
    segments: u32,
    bytes: u64,
}

impl Row for Part {
    const HEADINGS: &'static [&'static str] = &["PART", "MESSAGES", "DELETED", "SEGMENTS", "BYTES"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.part.clone(),
            self.messages.to_string(),
            self.deleted.to_string(),
            self.segments.to_string(),
            self.bytes.to_string(),
        ]
    }
}

#[derive(Serialize)]
struct Rebuilt {
    messages: u64,
    parts: u64,
    audit: u64,
}

#[derive(Serialize)]
struct Compared {
    sound: bool,
    messages: u64,
    asked: u64,
    waiting: u64,
    problems: Vec<String>,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    match typed.verb {
        Verb::Rebuild => rebuild(context),
        Verb::Verify { sample } => verify(context, sample),
        Verb::Stats => stats(context),
    }
}

fn rebuild(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let meter = context.counter();
    let (rebuilt, appended) =
        appliance.rebuild_index(&session, &mut |done, of| meter.shows("index", done, of))?;
    meter.clear();
    let done = Rebuilt {
        messages: rebuilt.messages,
        parts: rebuilt.parts,
        audit: appended.seq.0,
    };
    context.printer.one(&done, |to| {
        let (messages, parts) = (thousands(done.messages), done.parts);
        writeln!(
            to,
            "✓ {messages} messages in {parts} part(s) rebuilt   audit #{}",
            done.audit
        )
    })?;
    Ok(Exit::Done)
}

fn verify(context: &mut Context, sample: u64) -> Ended {
    let (appliance, session) = context.open_session()?;
    let meter = context.counter();
    let (verdict, appended) = appliance.verify_index(&session, sample, &mut |done, of| {
        meter.shows("index", done, of)
    })?;
    meter.clear();
    let mut problems: Vec<String> = verdict.damaged.clone();
    problems.extend(
        verdict
            .refused
            .iter()
            .map(|(part, why)| format!("part {part}: {why}")),
    );
    problems.extend(verdict.disagreements.iter().map(|differs| {
        format!(
            "messages {} to {}: {} in the record, {} in the index, or other words",
            differs.from, differs.until, differs.expected, differs.found
        )
    }));
    problems.extend(
        verdict
            .missed
            .iter()
            .map(|no| format!("message {no} is not found by its own words")),
    );
    let done = Compared {
        sound: verdict.is_sound(),
        messages: verdict.messages,
        asked: verdict.asked,
        waiting: verdict.waiting,
        problems,
        audit: appended.seq.0,
    };
    context.printer.one(&done, |to| {
        let (messages, asked) = (thousands(done.messages), thousands(done.asked));
        let mark = if done.sound { "✓ index sound" } else { "✗ index differs" };
        writeln!(
            to,
            "{mark}: {messages} messages compared · {asked} found by their own words · {} waiting   \
             audit #{}",
            done.waiting, done.audit
        )?;
        for problem in &done.problems {
            writeln!(to, "  {}", line(problem))?;
        }
        Ok(())
    })?;
    if done.sound {
        return Ok(Exit::Done);
    }
    context.say("mend it with: wordkeep index rebuild");
    Ok(Exit::Integrity)
}

fn stats(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let figures = appliance.index_figures(&session)?;
    let parts: Vec<Part> = figures
        .parts
        .iter()
        .map(|part| Part {
            part: part.part.to_string(),
            messages: part.messages,
            deleted: part.deleted,
            segments: part.segments,
            bytes: part.bytes,
        })
        .collect();
    context.printer.list(&parts)?;
    if context.printer.shape() == Shape::Human {
        let mark = &figures.watermark;
        let (through, of) = (thousands(mark.through), thousands(mark.of));
        let messages = thousands(figures.messages);
        context.say(&format!(
            "complete through {through} of {of} · {messages} messages in the record"
        ));
    }
    Ok(Exit::Done)
}
