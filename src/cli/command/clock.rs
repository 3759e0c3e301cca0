//! `wordkeep clock`: how compliance time stands; two people say that time has passed.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, line, rfc3339};
use crate::domain::Timestamp;

const AFTER: &str = "Examples:
  $ wordkeep clock show
  $ wordkeep clock advance --to 2027-03-01 --evidence \"invoice of the power company\"
  $ wordkeep clock agree 1 --reason \"saw the invoice\"";
const SHOW: &str = "Show compliance time beside the wall clock

Examples:
  $ wordkeep clock show

Periods run by compliance time, which may be slow and never fast. While the computer is off at most
seven days a year are taken over without evidence.";
const ADVANCE: &str = "Say that an instant has come, with the evidence

Examples:
  $ wordkeep clock advance --to 2027-03-01 --evidence \"invoice of the power company\"

Nothing moves before somebody else agrees. It can be said up to the wall clock and no further.";
const AGREE: &str = "Agree to what somebody else said

Examples:
  $ wordkeep clock agree 1 --reason \"saw the invoice\"

A freeze for doubt of the clock stands until two people lift it.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show compliance time beside the wall clock
    #[command(long_about = SHOW)]
    Show,
    /// Say that an instant has come
    #[command(long_about = ADVANCE)]
    Advance {
        /// The instant
        #[arg(long, value_name = "TIME")]
        to: String,
        /// What proves it
        #[arg(long, value_name = "TEXT")]
        evidence: String,
    },
    /// Agree to what somebody else said
    #[command(long_about = AGREE)]
    Agree {
        /// Number of the claim
        no: u32,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
}

#[derive(Serialize)]
struct Shown {
    compliance: String,
    wall: String,
    quality: &'static str,
    credit_left_seconds: i64,
    claims: Vec<Claim>,
}

#[derive(Serialize)]
struct Claim {
    no: u32,
    proven: String,
    evidence: String,
    agreed: Option<String>,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    match &typed.verb {
        Verb::Advance { to, evidence } => {
            let to = instant(to, zone)?;
            let (no, entry) = appliance.claim_time(&session, to, evidence)?;
            let told = "waits for a second person to agree: nothing moves before";
            changed(context, &format!("claim {no}"), told, &entry)
        }
        Verb::Agree { no, reason } => {
            let (now, entry) = appliance.agree_time(&session, *no, reason)?;
            let told = format!("agreed: compliance time is {}", in_zone(now, zone));
            changed(context, &format!("claim {no}"), &told, &entry)
        }
        Verb::Show => {
            let standing = appliance.clock_standing(&session)?;
            let seconds = standing.credit_left / Timestamp::MICROS_PER_SECOND;
            let shown = Shown {
                compliance: rfc3339(standing.now.compliance),
                wall: rfc3339(standing.now.wall),
                quality: standing.quality.name(),
                credit_left_seconds: seconds,
                claims: standing
                    .claims
                    .iter()
                    .map(|claim| Claim {
                        no: claim.no,
                        proven: rfc3339(claim.proven),
                        evidence: claim.evidence.clone(),
                        agreed: claim.agreed.map(rfc3339),
                    })
                    .collect(),
            };
            context.printer.one(&shown, |to| {
                let local = |at| in_zone(at, zone);
                writeln!(to, "compliance time  {}", local(standing.now.compliance))?;
                writeln!(to, "wall clock       {}", local(standing.now.wall))?;
                writeln!(to, "quality          {}", shown.quality)?;
                writeln!(to, "credit           {} s of this year", seconds)?;
                for claim in &shown.claims {
                    let state = match claim.agreed {
                        Some(_) => "agreed",
                        None => "waits for a second person",
                    };
                    let evidence = line(&claim.evidence);
                    writeln!(
                        to,
                        "claim {}  {}  {state}: {evidence}",
                        claim.no, claim.proven
                    )?;
                }
                Ok(())
            })?;
            Ok(Exit::Done)
        }
    }
}
