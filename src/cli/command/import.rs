//! `wordkeep import`: bring exports in.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::{Ended, import_report};
use crate::app::import::{ImportReceipt, ImportRequest};
use crate::app::{AppError, Appliance, Session};
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::interrupt::Interrupt;
use crate::cli::meter::{Meter, Way};
use crate::cli::printable::{in_zone, line, thousands};
use crate::cli::printer::{Shape, aside};
use crate::domain::{ConversationId, ImportId};
use crate::ingest::{DateOrder, Summary, local_time};
use crate::store::ImportState;

/// What the help says at length.
pub(in crate::cli) const LONG: &str = "Bring chat exports in

Examples:
  $ wordkeep import 'WhatsApp Chat with Nordwind.zip' --tz Europe/Lisbon
  $ wordkeep import ~/exports/*.zip --dry-run
  $ wordkeep import slack.jsonl --map slack-mapping.json
  $ wordkeep import list

A PATH is a file, an archive or a folder; the app it came from is found out. What cannot be decided
from the file (whether 03/04 is in March or April, in which zone the phone stood) is asked, with what
each answer would mean, and nothing is imported until a flag settles it. Importing the same messages
again changes nothing. Lines that cannot be read are kept and shown by `wordkeep import errors ID`;
the exit code is then 1. Ctrl-C saves what was read; the same command continues.

To import a file that is called list, show or errors, write ./list.";

/// What was typed.
#[derive(Debug, Args)]
#[command(
    long_about = LONG,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    arg_required_else_help = true
)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Files, archives or folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Zone in which the phone stood, such as Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Local time at which a meeting began, where its chat has no date: "2024-05-06 09:15"
    #[arg(long, value_name = "TIME", value_parser = start)]
    start: Option<i64>,
    /// Order of day, month and year, where the dates do not decide it
    #[arg(long, value_enum)]
    date_order: Option<Order>,
    /// Whether lines headed in a second style, or against the order of time, are messages
    #[arg(long, value_name = "yes|no", value_parser = yes_or_no)]
    trust_headers: Option<bool>,
    /// Name of the person who exported, where the file only says "me"
    #[arg(long, value_name = "NAME")]
    me: Option<String>,
    /// How the columns of a table become messages (JSON)
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,
    /// Leave out rows without a readable date instead of refusing all
    #[arg(long)]
    import_rest: bool,
    /// Title of the conversation, where the file does not name it
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// The conversation this continues
    #[arg(long, value_name = "ID", conflicts_with = "new_conversation")]
    conversation: Option<ConversationId>,
    /// Start a conversation of its own, where it is unclear whether one is continued
    #[arg(long)]
    new_conversation: bool,
    /// Say what would happen and change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Way::Auto)]
    progress: Way,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the imports
    #[command(long_about = import_report::LIST)]
    List,
    /// Show the report of an import
    #[command(long_about = import_report::SHOW)]
    Show {
        /// Id of the import
        id: ImportId,
    },
    /// Show what an import could not take, and its other remarks
    #[command(long_about = import_report::ERRORS)]
    Errors {
        /// Id of the import
        id: ImportId,
        /// Only places that were rejected
        #[arg(long)]
        rejected: bool,
    },
}

/// Order of day, month and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Day first
    Dmy,
    /// Month first
    Mdy,
    /// Year first
    Ymd,
}

impl From<Order> for DateOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Dmy => DateOrder::DayFirst,
            Order::Mdy => DateOrder::MonthFirst,
            Order::Ymd => DateOrder::YearFirst,
        }
    }
}

fn yes_or_no(text: &str) -> Result<bool, &'static str> {
    match text {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("write yes or no"),
    }
}

fn start(text: &str) -> Result<i64, &'static str> {
    local_time(text).ok_or("write a day and a time, such as \"2024-05-06 09:15\"")
}

/// What one source came to, for programs.
#[derive(Serialize)]
struct Imported {
    source: String,
    import: Option<String>,
    same_as: Option<String>,
    dry_run: bool,
    new: u64,
    known: u64,
    revised: u64,
    rejected: u64,
    disposed: u64,
    notes: u64,
    missing_media: u64,
    audit: Option<u64>,
}

impl Imported {
    fn of(receipt: &ImportReceipt, dry_run: bool) -> Imported {
        let counts = &receipt.counts;
        Imported {
            source: receipt.name.clone(),
            import: receipt.id.map(|id| id.to_string()),
            same_as: receipt.same_as.map(|id| id.to_string()),
            dry_run,
            new: counts.fresh,
            known: counts.known,
            revised: counts.revised,
            rejected: counts.rejected,
            disposed: counts.disposed,
            notes: counts.notes,
            missing_media: receipt.missing_media,
            audit: receipt.audit.map(|no| no.0),
        }
    }
}

/// Imports, or runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: Typed) -> Ended {
    match typed.verb {
        Some(Verb::List) => import_report::list(context),
        Some(Verb::Show { id }) => import_report::show(context, id),
        Some(Verb::Errors { id, rejected }) => import_report::errors(context, id, rejected),
        None => bring_in(context, &typed),
    }
}

fn bring_in(context: &mut Context, typed: &Typed) -> Ended {
    if typed.paths.iter().any(|path| path == Path::new("-")) {
        let text = "an import reads its source twice, so it cannot come through a pipe; save it to \
                    a file first";
        return Err(AppError::Usage(text.to_owned()).into());
    }
    let (appliance, session) = context.open_session()?;
    let meter = Meter::new(typed.progress, context.is_lively, Interrupt::listen()?);
    let mut worst = Exit::Done;
    let mut all = Vec::new();
    for path in &typed.paths {
        let done = appliance.import(&session, &request(typed, path), &meter);
        meter.clear();
        match done {
            Ok(receipt) => {
                if receipt.counts.rejected > 0 {
                    worst = worst.max(Exit::Negative);
                }
                let one = Imported::of(&receipt, typed.dry_run);
                say_findings(context, &receipt);
                print_one(context, &one)?;
                all.push(one);
            }
            Err(error @ AppError::Interrupted(_)) => {
                say_saved(context, &appliance, &session)?;
                return Err(error.into());
            }
            Err(error) if typed.paths.len() == 1 => return Err(error.into()),
            // The other sources do not suffer from this one.
            Err(error) => {
                aside(format_args!("{}:", line(&path.display().to_string())));
                worst = worst.max(Failure::App(error).tell());
            }
        }
    }
    if context.printer.shape() == Shape::Json {
        context.printer.one(&all, |_| Ok(()))?;
    }
    match worst {
        Exit::Done | Exit::Negative => Ok(worst),
        worst => Err(Failure::Told(worst)),
    }
}

fn request(typed: &Typed, path: &Path) -> ImportRequest {
    ImportRequest {
        path: path.to_owned(),
        uploaded: None,
        zone: typed.tz.clone(),
        start: typed.start,
        date_order: typed.date_order.map(DateOrder::from),
        trust_headers: typed.trust_headers,
        me: typed.me.clone(),
        mapping: typed.map.clone(),
        mapping_text: None,
        import_rest: typed.import_rest,
        title: typed.title.clone(),
        conversation: typed.conversation,
        new_conversation: typed.new_conversation,
        dry_run: typed.dry_run,
    }
}

/// What was found in the source, told beside the result.
fn say_findings(context: &Context, receipt: &ImportReceipt) {
    for (entry, summary) in &receipt.summaries {
        context.say(&format!(" detect  {} · {}", line(entry), summary.format));
        for told in findings(summary) {
            context.say(&format!("         {}", line(&told)));
        }
    }
    if context.is_verbose {
        for note in &receipt.remarks {
            let place = match note.line {
                0 => line(&note.entry),
                number => format!("{} line {number}", line(&note.entry)),
            };
            context.say(&format!(
                " {:7} {place}: {}",
                note.kind.name(),
                line(&note.reason)
            ));
        }
    }
}

fn findings(summary: &Summary) -> Vec<String> {
    let mut told: Vec<String> = summary
        .orders
        .iter()
        .map(|decision| {
            let (shape, order) = (&decision.shape, decision.order.name());
            format!("dates like {shape} read as {order}: {}", decision.reason)
        })
        .collect();
    if let Some(zone) = &summary.zone {
        told.push(format!("local times in {}", zone.name));
    }
    if let (Some(first), Some(last)) = (summary.first, summary.last) {
        let zone = summary
            .zone
            .as_ref()
            .and_then(|zone| zone.name.parse().ok());
        let zone = zone.unwrap_or(chrono_tz::UTC);
        told.push(format!(
            "from {} to {}",
            in_zone(first, zone),
            in_zone(last, zone)
        ));
    }
    told
}

fn print_one(context: &mut Context, one: &Imported) -> Result<(), Failure> {
    match context.printer.shape() {
        // All of them together, at the end.
        Shape::Json => return Ok(()),
        Shape::Plain => {
            let id = one
                .import
                .as_deref()
                .or(one.same_as.as_deref())
                .unwrap_or("-");
            let (new, known, revised) = (one.new, one.known, one.revised);
            let (source, rejected) = (line(&one.source), one.rejected);
            let row = format!("{source}\t{id}\t{new}\t{known}\t{revised}\t{rejected}");
            writeln!(context.printer.sink(), "{row}")?;
        }
        Shape::JsonLines => context.printer.one(one, |_| Ok(()))?,
        Shape::Human => {
            let text = sentence(one);
            writeln!(context.printer.sink(), "{text}")?;
        }
    }
    Ok(context.printer.flush()?)
}

fn sentence(one: &Imported) -> String {
    if let Some(before) = &one.same_as {
        let known = thousands(one.known);
        let report = format!("wordkeep import show {before}");
        return format!(
            "= this very file was imported before: {known} already known   report: {report}"
        );
    }
    let mut text = format!(
        "{} new · {} already known · {} revised · {} rejected",
        thousands(one.new),
        thousands(one.known),
        thousands(one.revised),
        thousands(one.rejected),
    );
    if one.disposed > 0 {
        let disposed = thousands(one.disposed);
        text.push_str(&format!(" · {disposed} left out, disposed of before"));
    }
    if one.missing_media > 0 {
        text.push_str(&format!(
            " · {} files not in the export",
            thousands(one.missing_media)
        ));
    }
    match (&one.import, one.audit) {
        (Some(id), Some(audit)) => {
            format!("✓ {text}   report: wordkeep import show {id}   audit #{audit}")
        }
        _ => format!("dry run: {text}   nothing was changed"),
    }
}

/// After Ctrl-C: what is safe.
fn say_saved(context: &Context, appliance: &Appliance, session: &Session) -> Result<(), Failure> {
    let imports = appliance.imports(session)?;
    let stopped = imports
        .iter()
        .rev()
        .find(|import| import.row.state == ImportState::Interrupted);
    if let Some(import) = stopped {
        let counts = &import.row.counts;
        context.say(&format!(
            "saved: {} new · {} already known · {} revised   report: wordkeep import show {}",
            thousands(counts.fresh),
            thousands(counts.known),
            thousands(counts.revised),
            import.row.id,
        ));
    }
    Ok(())
}
