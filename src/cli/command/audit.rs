//! `wordkeep audit`: read, prove, sign and export the log.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::changed::changed;
use super::{Ended, verify};
use crate::app::{AppError, LogLine, LogRequest, PruneRequest, anchors_in, limit_of};
use crate::audit::{Fact, Outcome};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::{Exit, Failure};
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, rfc3339, thousands};
use crate::cli::printer::Row;

const AFTER: &str = "Examples:
  $ wordkeep audit list --since 2024-02-01 --action import
  $ wordkeep audit verify";
const LIST: &str = "List entries of the audit log

Examples:
  $ wordkeep audit list --since 2024-02-01 --action content
  $ wordkeep audit list --object imp_01JD2V7Q4M8W3K5T9R6X0ZB1CE --jsonl

Oldest first. Reading the log is itself an entry, written before anything is shown. What was typed
(queries, reasons) is shown to auditors and records officers.";
const VERIFY: &str = "Prove that nothing in the log was changed, removed or put back

Examples:
  $ wordkeep audit verify
  $ wordkeep audit verify --against checkpoint-2024-02.txt
  $ wordkeep audit verify exported-log --key 'wordkeep/...+1a2b3c4d+AUvX...'

Reads the files of the log alone: no key, no log-in, no network. PATH is a data directory or what
`wordkeep audit export` wrote. What this computer saw before is held against the log. Ends with 0
when everything holds and something from outside agrees, 1 when everything holds but nothing from
outside was there to compare with, 6 when something was tampered with.";
const CHECKPOINT: &str = "Sign the log now and print the checkpoint

Examples:
  $ wordkeep audit checkpoint
  $ wordkeep audit checkpoint -o checkpoint-2024-02.txt

Three lines (name, size, root). Keep them where whoever holds the data cannot change them: on paper,
in a mail, with a notary. `wordkeep audit verify --against FILE` then proves the log has only grown.";
const EXPORT: &str = "Export the log for anybody to verify

Examples:
  $ wordkeep audit export log-2024

Writes C2SP tiles, checkpoints and the public key into a new directory. No message and nothing that
was typed is in it.";

const PRUNE: &str = "Destroy what was typed in a year that is over

Examples:
  $ wordkeep audit prune --year 2019 --confirm 2019 --reason \"retention of the audit trail: six years\"

Queries and reasons of that year can no longer be read, in no copy of the record. The entries stay, the
log stays whole and every proof holds. Not while a hold protects or purging is frozen. There is no way
back.";

const PRUNE_ENTRIES: &str = "Remove the first entries of the log

Examples:
  $ wordkeep audit prune-entries --against checkpoint-2019.txt --dry-run
  $ wordkeep audit prune-entries --against checkpoint-2019.txt --confirm 40960 --reason \"the trail of 2019\"

Only entries that a checkpoint kept elsewhere knows, that are a year old, of which no message lives any
more and none went within the year; not while a hold protects or purging is frozen. Every hash stays:
proofs that were given hold, and `wordkeep verify` judges the rest by what the first entries came to.
Backups keep what they hold until they are forgotten. There is no way back.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List entries of the audit log
    #[command(long_about = LIST)]
    List(List),
    /// Prove that nothing in the log was changed, removed or put back
    #[command(long_about = VERIFY)]
    Verify {
        /// A data directory or an exported log
        path: Option<PathBuf>,
        #[command(flatten)]
        known: verify::KnownBefore,
    },
    /// Sign the log now and print the checkpoint
    #[command(long_about = CHECKPOINT)]
    Checkpoint,
    /// Export the log for anybody to verify
    #[command(long_about = EXPORT)]
    Export {
        /// A new directory
        dir: PathBuf,
    },
    /// Destroy what was typed in a year that is over
    #[command(long_about = PRUNE)]
    Prune {
        /// The year
        #[arg(long, value_name = "YEAR")]
        year: u32,
        /// The year once more: there is no way back
        #[arg(long, value_name = "YEAR")]
        confirm: u32,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Remove the first entries of the log
    #[command(long_about = PRUNE_ENTRIES)]
    PruneEntries(PruneEntries),
}

#[derive(Debug, Args)]
struct PruneEntries {
    /// A checkpoint that was kept elsewhere, as `wordkeep audit checkpoint` printed it
    #[arg(long, value_name = "FILE")]
    against: PathBuf,
    /// Say how far the log may be pruned and what stands in the way of more, change nothing
    #[arg(long)]
    dry_run: bool,
    /// The number of entries that the dry run told: there is no way back
    #[arg(long, value_name = "N", required_unless_present = "dry_run")]
    confirm: Option<u64>,
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct PrunableLine {
    pruned: u64,
    prunable: u64,
    limit: String,
}

#[derive(Debug, Args)]
struct List {
    /// From this day or time on
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this day or time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Only by this actor (usr_... or system)
    #[arg(long, value_name = "ID")]
    actor: Option<String>,
    /// Only this act, such as user.add, or acts of this stem, such as import
    #[arg(long, value_name = "NAME")]
    action: Option<String>,
    /// Only entries about this object
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// From this entry on
    #[arg(long, value_name = "N", default_value_t = 0)]
    from: u64,
    /// Entries at most
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    limit: usize,
}

#[derive(Serialize)]
struct EntryLine {
    audit: u64,
    time: String,
    actor: String,
    action: String,
    result: &'static str,
    objects: Vec<String>,
    facts: String,
    typed: Option<String>,
    #[serde(skip)]
    time_local: String,
}

impl EntryLine {
    fn of(shown: LogLine, zone: chrono_tz::Tz) -> EntryLine {
        let draft = shown.entry.draft;
        let facts: Vec<String> = draft
            .facts
            .iter()
            .map(|(name, fact)| match fact {
                Fact::Number(number) => format!("{name}={number}"),
                Fact::Word(word) => format!("{name}={word}"),
            })
            .collect();
        EntryLine {
            audit: shown.entry.seq.0,
            time: rfc3339(shown.entry.t_c),
            time_local: in_zone(shown.entry.t_c, zone),
            actor: draft.actor.id,
            action: draft.action.name().to_owned(),
            result: match draft.result {
                Outcome::Done => "done",
                Outcome::Refused => "refused",
                Outcome::Failed => "failed",
            },
            objects: draft.objects,
            facts: facts.join(" "),
            typed: shown.payload,
        }
    }
}

impl Row for EntryLine {
    const HEADINGS: &'static [&'static str] = &[
        "AUDIT", "TIME", "ACTOR", "ACT", "RESULT", "ABOUT", "FACTS", "TYPED",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.audit.to_string(),
            self.time_local.clone(),
            self.actor.clone(),
            self.action.clone(),
            self.result.to_owned(),
            self.objects.join(" "),
            self.facts.clone(),
            self.typed.clone().unwrap_or_default(),
        ]
    }
}

#[derive(Serialize)]
struct Checkpoint {
    origin: String,
    size: u64,
    root: String,
}

#[derive(Serialize)]
struct Exported {
    dir: PathBuf,
    entries: u64,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    match typed.verb {
        Verb::List(typed) => list(context, typed),
        Verb::Verify { path, known } => {
            let path = match path {
                Some(path) => path,
                None => context.settings()?.data,
            };
            verify::files(context, &path, &known)
        }
        Verb::Checkpoint => checkpoint(context),
        Verb::Export { dir } => export(context, dir),
        Verb::Prune {
            year,
            confirm,
            reason,
        } if year == confirm => prune(context, year, &reason),
        Verb::Prune { year, .. } => Err(AppError::Usage(format!(
            "to destroy what was typed in {year}, repeat the year: --confirm {year}"
        ))
        .into()),
        Verb::PruneEntries(typed) => prune_entries(context, &typed),
    }
}

fn prune_entries(context: &mut Context, typed: &PruneEntries) -> Ended {
    let (appliance, session) = context.open_session()?;
    let kept = anchors(&typed.against)?.pop().unwrap_or_default();
    let (Some(entries), Some(reason), false) = (typed.confirm, &typed.reason, typed.dry_run) else {
        let may = appliance.prunable_entries(&session, &kept)?;
        let told = PrunableLine {
            pruned: may.before,
            prunable: may.entries,
            limit: limit_of(may.limit),
        };
        return context
            .printer
            .one(&told, |to| {
                let [before, entries] = [may.before, may.entries].map(thousands);
                writeln!(to, "{before} entries were pruned before, {entries} may be")?;
                writeln!(to, "no more: {}", told.limit)
            })
            .map(|()| Exit::Done)
            .map_err(Failure::from);
    };
    let request = PruneRequest {
        anchor: kept,
        entries,
        reason: reason.clone(),
    };
    let (pruned, entry) = appliance.prune_entries(&session, &request)?;
    let gone = thousands(pruned.entries - pruned.before);
    let told = format!("pruned: {gone} entries are gone, their hashes stay");
    changed(context, "the beginning of the log", &told, &entry)
}

fn prune(context: &mut Context, year: u32, reason: &str) -> Ended {
    let (appliance, session) = context.open_session()?;
    let (pruned, entry) = appliance.prune_payloads(&session, year, reason)?;
    let told = format!(
        "can no longer be read: {} key(s) destroyed",
        thousands(pruned.keys)
    );
    changed(context, &format!("what was typed in {year}"), &told, &entry)
}

fn list(context: &mut Context, typed: List) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let read = |text: &Option<String>| text.as_deref().map(|text| instant(text, zone)).transpose();
    let request = LogRequest {
        since: read(&typed.since)?,
        until: read(&typed.until)?,
        actor: typed.actor,
        action: typed.action,
        object: typed.object,
        from: typed.from,
        limit: typed.limit,
    };
    let page = appliance.read_log(&session, &request)?;
    let rows: Vec<EntryLine> = page
        .lines
        .into_iter()
        .map(|shown| EntryLine::of(shown, zone))
        .collect();
    context.printer.list(&rows)?;
    if let Some(next) = page.next {
        context.say(&format!("more: --from {next}"));
    }
    context.say(&format!("audit #{}", page.audit.seq));
    Ok(Exit::Done)
}

fn checkpoint(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let signed = appliance.checkpoint(&session)?;
    let text = signed.to_text();
    let wire = Checkpoint {
        origin: signed.origin.clone(),
        size: signed.size,
        root: text.lines().nth(2).unwrap_or_default().to_owned(),
    };
    context.printer.one(&wire, |to| write!(to, "{text}"))?;
    context.say("keep these three lines where whoever holds the data cannot change them");
    Ok(Exit::Done)
}

fn export(context: &mut Context, dir: PathBuf) -> Ended {
    let (appliance, session) = context.open_session()?;
    let (checkpoint, appended) = appliance.export_log(&session, &dir)?;
    let done = Exported {
        dir,
        entries: checkpoint.size,
        audit: appended.seq.0,
    };
    context.printer.one(&done, |to| {
        let (entries, dir) = (thousands(done.entries), done.dir.display());
        writeln!(
            to,
            "✓ {entries} entries exported to {dir}   audit #{}",
            done.audit
        )
    })?;
    Ok(Exit::Done)
}

/// Reads what was kept elsewhere: a checkpoint, or every line of a file of anchors.
pub(super) fn anchors(path: &std::path::Path) -> Result<Vec<String>, Failure> {
    /// Longest file of anchors, in bytes; a checkpoint has three lines.
    const ANCHORS_BYTES_MAX: u64 = 16 << 20;
    let text = crate::app::read_text(path, ANCHORS_BYTES_MAX)
        .map_err(|error| AppError::Usage(error.to_string()))?;
    Ok(anchors_in(&text)?.unwrap_or_else(|| vec![text]))
}
