//! `wordkeep verify`: everything against everything.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Ended, audit, backup, certificate, export};
use crate::app::{AppError, VerifyReport, VerifyRequest, verify_log};
use crate::archive::MANIFEST_FILE;
use crate::audit::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::printable::{line, thousands};
use crate::cli::printer::Shape;
use crate::crypto::hex;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Prove that everything is as it was kept

Examples:
  $ wordkeep verify
  $ wordkeep verify /media/copy/wordkeep
  $ wordkeep verify --against checkpoint-2024-02.txt --sample 1000 --json
  $ wordkeep verify certificate.json --item 9f2c...

Checks every entry of the audit log and its signatures, every page of the database, every sealed
message and attachment, the search index, and that every message that came in is there. Needs the
role of an auditor, records officer or administrator; no message is shown.

With a path - a copy of a data directory, an exported log, a backup, an export of messages or the
certificate of a disposition - it needs no key, no log-in and no configuration, and checks what can be
checked without them: of a data directory the tree, the checkpoints and what was seen before, of an
exported log every entry too. Of every entry it is asked whether the act was lawful when it was done:
whether a hold was open, who approved, what a lock kept, which role had the right.

With --item it says whether a message was destroyed in the run of a certificate, and proves it; wordkeep
dispose was tells the item of a message.

Ends with 0 when everything holds, 1 when nothing from outside was there to compare the log with, 6
when something is not as it was kept.";

/// Queries asked of the index unless said otherwise.
const SAMPLE_DEFAULT: u64 = 100;

/// What the caller knows of the log from before.
#[derive(Debug, Default, Args)]
pub(super) struct KnownBefore {
    /// A checkpoint that was kept elsewhere, or a file of anchors; may be repeated
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Public key of the log, as in the file vkey of an export
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
}

/// Ends the verification of a file that proves itself: its notes, where the key is to be had, and the
/// exit code of its verdict.
pub(super) fn conclude(
    context: &mut Context,
    notes: &[String],
    verdict: Verdict,
    exit_code: u8,
) -> Ended {
    context.printer.flush()?;
    for note in notes {
        context.say(note);
    }
    if verdict == Verdict::Unanchored {
        context.say(
            "only the file itself says whose key signed it: ask the archive's owner for the key, and \
             give it with --key",
        );
    }
    Ok(match exit_code {
        0 => Exit::Done,
        1 => Exit::Negative,
        10 => Exit::Io,
        _ => Exit::Integrity,
    })
}

impl KnownBefore {
    pub(super) fn request(&self, sample: u64) -> Result<VerifyRequest, Failure> {
        Ok(VerifyRequest {
            key: self.key.clone(),
            anchors: self
                .against
                .iter()
                .map(|path| audit::anchors(path))
                .collect::<Result<Vec<_>, _>>()?
                .concat(),
            sample,
        })
    }
}

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// Check this data directory, exported log, backup, export or certificate, without any key
    path: Option<PathBuf>,
    /// Whether this item was destroyed in the run of the certificate
    #[arg(long, value_name = "ITEM", requires = "path")]
    item: Option<String>,
    #[command(flatten)]
    known: KnownBefore,
    /// Messages whose own words must find them again
    #[arg(long, value_name = "N", default_value_t = SAMPLE_DEFAULT)]
    sample: u64,
}

/// Verifies the record with keys.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    if let Some(path) = &typed.path {
        let is_file = path.is_file();
        // The manifest of a backup stands for the backup; that of an export is inside of it.
        if is_file
            && path.ends_with(MANIFEST_FILE)
            && let Some(backup) = path.parent()
        {
            return backup::verify_files(context, backup, &typed.known.request(0)?);
        }
        if is_file && certificate::is_one(path)? {
            return certificate::verify(context, path, &typed.known, typed.item.as_deref());
        }
        if typed.item.is_some() {
            return Err(AppError::Usage(
                "--item asks about the certificate of a disposition: name its file".to_owned(),
            )
            .into());
        }
        if is_file {
            return export::verify(context, path, &typed.known);
        }
        if path.join(MANIFEST_FILE).is_file() {
            return backup::verify_files(context, path, &typed.known.request(0)?);
        }
        return files(context, path, &typed.known);
    }
    let request = typed.known.request(typed.sample)?;
    let (appliance, session) = context.open_session()?;
    let meter = context.counter();
    let report = appliance.verify(&session, &request, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    print(context, &report)
}

/// Verifies the files of a log without any key.
pub(super) fn files(context: &mut Context, path: &Path, known: &KnownBefore) -> Ended {
    let request = known.request(0)?;
    let pins = context.settings()?.pins();
    let report = verify_log(path, &pins, &request)?;
    print(context, &report)
}

fn print(context: &mut Context, report: &VerifyReport) -> Ended {
    match context.printer.shape() {
        Shape::Json | Shape::JsonLines => {
            writeln!(context.printer.sink(), "{}", report.to_json())?;
        }
        Shape::Human | Shape::Plain => write(context.printer.sink(), report)?,
    }
    context.printer.flush()?;
    if let Some(appended) = &report.audit {
        context.say(&format!("audit #{}", appended.seq));
    }
    if report.log.verdict == Verdict::Unanchored {
        context.say(
            "nothing from outside was there to compare with: an older copy would look the same; \
             give --against a checkpoint that was kept elsewhere",
        );
    }
    Ok(match report.exit_code() {
        0 => Exit::Done,
        1 => Exit::Negative,
        10 => Exit::Io,
        _ => Exit::Integrity,
    })
}

fn write(to: &mut dyn Write, report: &VerifyReport) -> io::Result<()> {
    let log = &report.log;
    let mark = match log.verdict {
        Verdict::Sound => "✓ log sound",
        Verdict::Unanchored => "✓ log holds within itself",
        Verdict::Broken => "✗ log broken",
        Verdict::Unreadable => "✗ log unreadable",
    };
    writeln!(
        to,
        "{mark}: {} entries · {} checkpoints · {} from outside",
        thousands(log.size),
        thousands(log.checkpoints),
        thousands(log.anchors)
    )?;
    if let Some(root) = &log.root {
        writeln!(to, "  root {}", hex(root))?;
    }
    for problem in &log.problems {
        let file = problem.file.as_deref().unwrap_or("log");
        match problem.index {
            Some(index) => writeln!(
                to,
                "  {} entry {index}: {}",
                line(file),
                line(&problem.what)
            )?,
            None => writeln!(to, "  {}: {}", line(file), line(&problem.what))?,
        }
    }
    let untold = log.problem_count.saturating_sub(log.problems.len() as u64);
    if untold > 0 {
        writeln!(to, "  and {} more", thousands(untold))?;
    }
    let Some(record) = &report.record else {
        return Ok(());
    };
    let problems = record.problems();
    let mark = if problems.is_empty() {
        "✓ record sound"
    } else {
        "✗ record broken"
    };
    writeln!(
        to,
        "{mark}: {} messages · {} sealed rows · {} attachments · {} in the index",
        thousands(record.content.messages),
        thousands(record.content.rows),
        thousands(record.content.blobs),
        thousands(record.index.messages)
    )?;
    writeln!(
        to,
        "  came in {} · there {} · asked of the index {}",
        thousands(record.logged),
        thousands(record.live),
        thousands(record.index.asked)
    )?;
    for problem in &problems {
        writeln!(to, "  {}", line(problem))?;
    }
    Ok(())
}
