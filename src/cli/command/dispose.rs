//! `wordkeep dispose`: put what is due on a list, review it, run it, show its certificate.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::changed::changed;
use super::listed::listed;
use super::{Ended, certificate};
use crate::app::{AppError, BatchLine, Review};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, rfc3339, thousands};
use crate::cli::printer::Row;
use crate::domain::{BatchNo, MessageId};
use crate::store::DispositionState;

const AFTER: &str = "Examples:
  $ wordkeep dispose plan
  $ wordkeep dispose approve 1 --reason \"reviewed the samples\"
  $ wordkeep dispose run 1 --confirm 1
  $ wordkeep dispose certificate 1 > certificate.json
  $ wordkeep dispose was msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE";
const PLAN: &str = "Put everything that is due now on a list for review

Examples:
  $ wordkeep dispose plan --json

Nothing is destroyed. Messages that a hold protects are never on a list. Who asks for a list cannot
approve it.";
const APPROVE: &str = "Approve a list

Examples:
  $ wordkeep dispose approve 1 --reason \"reviewed the samples\"

As many different people as its policies ask for, never the one who asked for it, nor who wrote a
locked policy behind it. After the last approval the recall window of seven days begins.";
const EXCLUDE: &str = "Take a message off a list

Examples:
  $ wordkeep dispose exclude 1 msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"still needed\"";
const EXTEND: &str = "Take a message off a list and keep it until a day

Examples:
  $ wordkeep dispose extend 1 msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE --until 2031-01-01 --reason \"warranty\"";
const CANCEL: &str = "Call a list off

Examples:
  $ wordkeep dispose cancel 1 --reason \"wrong day\"";
const RUN: &str = "Destroy what is left on an approved list

Examples:
  $ wordkeep dispose run 1 --confirm 1

After the recall window. Holds, locks and clocks are asked once more in the moment of the decision;
what changed stays. The keys of what is destroyed die, in every copy of the record; a certificate is
made. There is no way back.";
const CERTIFICATE: &str = "Print the certificate of a list

Examples:
  $ wordkeep dispose certificate 1 > certificate.json

Signed with the key of the audit log; it names no content.";
const WAS: &str = "Say whether a message was destroyed, and prove it

Examples:
  $ wordkeep dispose was msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep dispose was msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE --list 3 --json

Names the message as certificates do, by its keyed identity, and proves with a few hashes that it is
among the items of a run, or between which two of them it would stand. Whoever has the certificate can
repeat it: wordkeep verify certificate.json --item ITEM. Without --list it is the run that destroyed it.";
const LIST: &str = "List the lists

Examples:
  $ wordkeep dispose list";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Args)]
struct Act {
    /// Number of the list
    batch: u64,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Put everything that is due on a list
    #[command(long_about = PLAN)]
    Plan,
    /// Approve a list
    #[command(long_about = APPROVE)]
    Approve(Act),
    /// Take a message off a list
    #[command(long_about = EXCLUDE)]
    Exclude {
        #[command(flatten)]
        act: Act,
        /// The message
        message: MessageId,
    },
    /// Take a message off a list and keep it until a day
    #[command(long_about = EXTEND)]
    Extend {
        #[command(flatten)]
        act: Act,
        /// The message
        message: MessageId,
        /// Until when
        #[arg(long, value_name = "DATE")]
        until: String,
    },
    /// Call a list off
    #[command(long_about = CANCEL)]
    Cancel(Act),
    /// Destroy what is left on an approved list
    #[command(long_about = RUN)]
    Run {
        /// Number of the list
        batch: u64,
        /// The number once more: there is no way back
        #[arg(long, value_name = "N")]
        confirm: u64,
    },
    /// Print the certificate of a list
    #[command(long_about = CERTIFICATE)]
    Certificate {
        /// Number of the list
        batch: u64,
    },
    /// Say whether a message was destroyed, and prove it
    #[command(long_about = WAS)]
    Was {
        /// The message
        message: MessageId,
        /// In the run of this list
        #[arg(long, value_name = "N")]
        list: Option<u64>,
    },
    /// List the lists
    #[command(long_about = LIST)]
    List,
}

#[derive(Serialize)]
struct PlanShown {
    batch: u64,
    items: u64,
    reviewers: u8,
    held: u64,
    requested: u64,
    by_app: Vec<(&'static str, u64)>,
    samples: Vec<String>,
    audit: u64,
}

#[derive(Serialize)]
struct RunShown {
    batch: u64,
    erased: u64,
    stayed: u64,
    keys_destroyed: usize,
    files: u64,
    bytes: u64,
    residue: u64,
}

#[derive(Serialize)]
struct BatchRow {
    batch: u64,
    state: &'static str,
    computed: String,
    items: u64,
    taken_off: u64,
    approvals: u8,
    needed: u8,
    runs_from: Option<String>,
    #[serde(skip)]
    runs_local: String,
}

impl Row for BatchRow {
    const HEADINGS: &'static [&'static str] = &[
        "LIST",
        "STATE",
        "ITEMS",
        "TAKEN OFF",
        "APPROVED",
        "RUNS FROM",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.batch.to_string(),
            self.state.to_owned(),
            self.items.to_string(),
            self.taken_off.to_string(),
            format!("{} of {}", self.approvals, self.needed),
            self.runs_local.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    match &typed.verb {
        Verb::Plan => plan(context),
        Verb::Approve(act) => review(context, act, Review::Approve, "approved"),
        Verb::Cancel(act) => review(context, act, Review::Cancel, "called off"),
        Verb::Exclude { act, message } => review(
            context,
            act,
            Review::Exclude(*message),
            "is one message shorter",
        ),
        Verb::Extend {
            act,
            message,
            until,
        } => {
            let zone = zone_of(&context.settings()?)?;
            let until = instant(until, zone)?;
            review(
                context,
                act,
                Review::Extend(*message, until),
                "is one message shorter",
            )
        }
        Verb::Run { batch, confirm } if batch == confirm => purge(context, BatchNo(*batch)),
        Verb::Run { batch, .. } => Err(AppError::Usage(format!(
            "to destroy what is on list {batch}, repeat its number: --confirm {batch}"
        ))
        .into()),
        Verb::Certificate { batch } => {
            let (appliance, session) = context.open_session()?;
            let document = appliance.certificate(&session, BatchNo(*batch))?;
            let sink = context.printer.sink();
            sink.write_all(&document)?;
            sink.write_all(b"\n")?;
            context.printer.flush()?;
            Ok(Exit::Done)
        }
        Verb::Was { message, list } => was(context, *message, list.map(BatchNo)),
        Verb::List => list(context),
    }
}

fn was(context: &mut Context, message: MessageId, list: Option<BatchNo>) -> Ended {
    let (appliance, session) = context.open_session()?;
    let (list, answer) = appliance.was_destroyed(&session, message, list)?;
    context.printer.one(&answer, |to| {
        writeln!(
            to,
            "{message}, list {list}, certificate {}:",
            answer.certificate
        )?;
        certificate::write_answer(to, &answer)
    })?;
    match answer.destroyed {
        true => Ok(Exit::Done),
        false => Ok(Exit::Negative),
    }
}

fn plan(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let planned = appliance.plan_disposition(&session)?;
    let shown = PlanShown {
        batch: planned.batch.0,
        items: planned.items,
        reviewers: planned.reviewers,
        held: planned.held,
        requested: planned.requested,
        by_app: planned
            .by_app
            .iter()
            .map(|(app, n)| (app.name(), *n))
            .collect(),
        samples: planned.samples.iter().map(ToString::to_string).collect(),
        audit: planned.audit.seq.0,
    };
    context.printer.one(&shown, |to| {
        writeln!(
            to,
            "✓ list {}: {} messages are due; it needs {} approvals   audit #{}",
            shown.batch,
            thousands(shown.items),
            shown.reviewers,
            shown.audit
        )?;
        for (app, count) in &shown.by_app {
            writeln!(to, "  {app:12} {}", thousands(*count))?;
        }
        if shown.requested > 0 {
            writeln!(
                to,
                "  {} of them because the person asked for their erasure",
                thousands(shown.requested)
            )?;
        }
        if shown.held > 0 {
            writeln!(
                to,
                "  {} more are due and stay: a hold protects them",
                thousands(shown.held)
            )?;
        }
        match shown.samples.first() {
            Some(first) => writeln!(to, "a sample: {first}"),
            None => Ok(()),
        }
    })?;
    Ok(Exit::Done)
}

fn review(context: &mut Context, act: &Act, review: Review, what: &str) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let batch = BatchNo(act.batch);
    let (line, entry) = appliance.review_disposition(&session, batch, review, &act.reason)?;
    let told = match (line.state, line.runs_from) {
        (DispositionState::Approved, Some(from)) => format!(
            "{what}: {} messages go from {} on, unless it is called off",
            thousands(line.items),
            in_zone(from, zone)
        ),
        (DispositionState::InReview, _) => format!(
            "{what}: {} of {} approvals, {} messages",
            line.approvals.0,
            line.approvals.1,
            thousands(line.items)
        ),
        _ => what.to_owned(),
    };
    changed(context, &format!("list {}", act.batch), &told, &entry)
}

fn purge(context: &mut Context, batch: BatchNo) -> Ended {
    let (appliance, session) = context.open_session()?;
    let erased = appliance.run_disposition(&session, batch)?;
    let shown = RunShown {
        batch: erased.batch,
        erased: erased.erased.len() as u64,
        stayed: erased.dropped.len() as u64,
        keys_destroyed: erased.keys_destroyed.len(),
        files: erased.blobs,
        bytes: erased.bytes,
        residue: erased.residue.scan_hits,
    };
    context.printer.one(&shown, |to| {
        writeln!(
            to,
            "✓ {} messages destroyed, {} stayed; {} keys destroyed, {} files of {} bytes",
            thousands(shown.erased),
            thousands(shown.stayed),
            shown.keys_destroyed,
            shown.files,
            thousands(shown.bytes)
        )?;
        writeln!(to, "checked afterwards: {} traces found", shown.residue)
    })?;
    context.say(&format!(
        "certificate: wordkeep dispose certificate {batch}"
    ));
    match erased.residue.is_clean() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Integrity),
    }
}

fn list(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let lines = appliance.dispositions(&session)?.into_iter();
    let rows = lines.map(|line| {
        let runs_local = line
            .runs_from
            .map_or_else(|| "-".to_owned(), |at| in_zone(at, zone));
        row_of(&line, runs_local)
    });
    listed(context, rows)
}

fn row_of(line: &BatchLine, runs_local: String) -> BatchRow {
    BatchRow {
        batch: line.batch.0,
        state: match line.state {
            DispositionState::InReview => "in_review",
            DispositionState::Approved => "approved",
            DispositionState::HandedOver => "running",
            DispositionState::Cancelled => "cancelled",
            DispositionState::Certified => "certified",
        },
        computed: rfc3339(line.computed),
        items: line.items,
        taken_off: line.taken_off,
        approvals: line.approvals.0,
        needed: line.approvals.1,
        runs_from: line.runs_from.map(rfc3339),
        runs_local,
    }
}
