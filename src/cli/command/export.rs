//! `wordkeep export`: messages out, with everything that proves them; and the proof looked at.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Ended, verify};
use crate::app::export::{BundleReport, ExportReceipt, ExportRequest, Manifest, verify_bundle};
use crate::audit::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::printable::{line, thousands};
use crate::cli::printer::Shape;
use crate::search::CONTEXT_LINES_MAX;

const AFTER: &str = "Examples:
  $ wordkeep export create --query 'discount w/5 order' --reason 'Case 12/24' --out nw.tar
  $ wordkeep export verify nw.tar";
const CREATE: &str = "Write the messages that match a query into a file that proves itself

Examples:
  $ wordkeep export create --query 'from:rui sent:2024-02' --reason 'Case 12/24' --out rui.tar
  $ wordkeep export create --query 'discount' --context 3 --matter NW-1 --reason 'request of the court' \\
      --out nw-1.tar --tz Europe/Lisbon

The file is a tar archive: the messages as JSON lines, as a table and as a page to read and print, every
version of each with its source, the files that came with them, and a manifest that is signed with the
key of the audit log. README.txt in it says how to check it without this program. A query with a warning
is refused unless the warning is accepted with --accept.

Needs the role of a lawyer or records officer, and a reason. That messages are about to leave is in the
audit log before the file is made, and what became of it afterwards. An existing file is never replaced;
an export that fails or is stopped leaves none.";
const VERIFY: &str = "Prove that an export is as it was made

Examples:
  $ wordkeep export verify nw-1.tar
  $ wordkeep export verify nw-1.tar --key 'wordkeep/...+1a2b3c4d+AUvX...' --json

Needs no data, no log-in and no network. Checks every byte: the form of the archive, the hash of every
file, the digest of every message, the signature, and that the export stands in the audit log of the
archive it says it is from. Ends with 0 when everything holds and the key was known before, 1 when
everything holds but only the file itself says whose key it is, 6 when something was changed; what and
where is printed.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write the messages that match a query into a file that proves itself
    #[command(long_about = CREATE)]
    Create(Create),
    /// Prove that an export is as it was made
    #[command(long_about = VERIFY)]
    Verify {
        /// The export
        file: PathBuf,
        #[command(flatten)]
        known: verify::KnownBefore,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// Which messages
    #[arg(long, value_name = "QUERY")]
    query: String,
    /// Why: who asked for it and what for
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The matter it belongs to, as one word
    #[arg(long, value_name = "MATTER")]
    matter: Option<String>,
    /// Messages to take along before and after each hit, at most 50
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(CONTEXT_LINES_MAX)))]
    context: u32,
    /// Zone of dates and times, such as Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Show what a request for erasure restricted, too: for lawyers and records officers
    #[arg(long)]
    restricted: bool,
    /// Accept a warning about the query by its code; may be repeated
    #[arg(long, value_name = "CODE")]
    accept: Vec<String>,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    match typed.verb {
        Verb::Create(typed) => create(context, typed),
        Verb::Verify { file, known } => verify(context, &file, &known),
    }
}

#[derive(Serialize)]
struct Made<'a> {
    export: String,
    file: &'a Path,
    bytes: u64,
    sha256: &'a str,
    audit: u64,
    key: &'a str,
    manifest: &'a Manifest,
}

fn create(context: &mut Context, typed: Create) -> Ended {
    let interrupt = Interrupt::listen()?;
    let (appliance, mut session) = context.open_session()?;
    session.restricted = typed.restricted;
    let request = ExportRequest {
        query: typed.query,
        zone: typed.tz,
        accept: typed.accept,
        reason: typed.reason,
        matter: typed.matter,
        context: typed.context,
        chosen: Vec::new(),
        out: typed.out,
    };
    let meter = context.counter();
    let made = appliance.export(&session, &request, &mut |stage, done, of| {
        meter.shows(stage, done, of);
        !interrupt.asked()
    });
    meter.clear();
    let receipt = made?;
    let wire = Made {
        export: receipt.id.to_string(),
        file: &receipt.path,
        bytes: receipt.bytes,
        sha256: &receipt.sha256,
        audit: receipt.audit.0,
        key: &receipt.manifest.log.key,
        manifest: &receipt.manifest,
    };
    context
        .printer
        .one(&wire, |to| write_receipt(to, &receipt))?;
    let reading = &receipt.reading;
    context.say(&format!("Read as: {}", line(&reading.read_as)));
    context.say(&format!(
        "complete through {} of {}",
        receipt.manifest.complete.through, receipt.manifest.complete.of
    ));
    if receipt.manifest.counts.unavailable > 0 {
        context.warn(&format!(
            "{} messages were destroyed between the search and the writing",
            thousands(receipt.manifest.counts.unavailable)
        ));
    }
    Ok(Exit::Done)
}

/// The receipt as people read it.
pub(super) fn write_receipt(to: &mut dyn Write, receipt: &ExportReceipt) -> io::Result<()> {
    let counts = &receipt.manifest.counts;
    let (hits, conversations) = (
        counted(counts.hits, "message"),
        counted(counts.conversations, "conversation"),
    );
    write!(to, "✓ {hits} in {conversations}")?;
    let around = counts.messages.saturating_sub(counts.hits);
    if around > 0 {
        write!(to, " and {} around them", thousands(around))?;
    }
    if counts.attachments > 0 {
        write!(to, " with {}", counted(counts.attachments, "file"))?;
    }
    writeln!(
        to,
        " exported to {}   audit #{}",
        receipt.path.display(),
        receipt.audit
    )?;
    writeln!(to, "  {}  {} bytes", receipt.id, thousands(receipt.bytes))?;
    writeln!(to, "  sha256 {}", receipt.sha256)?;
    writeln!(to, "  key    {}", receipt.manifest.log.key)
}

/// A number with its noun.
fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// Verifies a bundle without any key.
pub(super) fn verify(context: &mut Context, path: &Path, known: &verify::KnownBefore) -> Ended {
    let request = known.request(0)?;
    let pins = context.settings()?.pins();
    let report = verify_bundle(path, &pins, &request)?;
    match context.printer.shape() {
        Shape::Json | Shape::JsonLines => context.printer.one(&report, |_| Ok(()))?,
        Shape::Human | Shape::Plain => write_report(context.printer.sink(), &report)?,
    }
    verify::conclude(context, &report.notes, report.verdict, report.exit_code)
}

/// The report as people read it.
pub(super) fn write_report(to: &mut dyn Write, report: &BundleReport) -> io::Result<()> {
    let mark = match report.verdict {
        Verdict::Sound => "✓ export sound",
        Verdict::Unanchored => "✓ export holds within itself",
        Verdict::Broken => "✗ export broken",
        Verdict::Unreadable => "✗ export unreadable",
    };
    writeln!(
        to,
        "{mark}: {} · {}",
        counted(report.messages, "message"),
        counted(report.files, "file")
    )?;
    if let Some(about) = &report.manifest {
        writeln!(
            to,
            "  {}  made {}",
            line(&about.export),
            line(&about.made.compliance)
        )?;
        writeln!(
            to,
            "  by {} ({}): {}",
            line(&about.actor.id),
            line(&about.actor.role),
            line(&about.reason)
        )?;
        writeln!(to, "  query: {}", line(&about.query.typed))?;
        writeln!(
            to,
            "  audit entry {} of {} in {}",
            thousands(about.log.entry),
            thousands(about.log.size),
            line(&about.log.key)
        )?;
    }
    for problem in &report.problems {
        write!(
            to,
            "  {}",
            line(problem.file.as_deref().unwrap_or("the archive"))
        )?;
        if let Some(number) = problem.line {
            write!(to, " line {number}")?;
        }
        if let Some(at) = problem.at {
            write!(to, " (byte {at})")?;
        }
        writeln!(to, ": {}", line(&problem.what))?;
    }
    let untold = report
        .problem_count
        .saturating_sub(report.problems.len() as u64);
    match untold {
        0 => Ok(()),
        more => writeln!(to, "  and {} more", thousands(more)),
    }
}
