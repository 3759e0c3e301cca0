//! `wordkeep why`: why a message is still here.

use clap::Args;
use serde::Serialize;

use super::Ended;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, line};
use crate::domain::{MessageId, Timestamp};

/// The long help.
pub(in crate::cli) const LONG: &str = "Say why a message is still here

Examples:
  $ wordkeep why msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep why msg_01JD2V7Q4M8W3K5T9R6X0ZB1CE --at 2030-01-01

Every policy, label, hold, lock, clock and date that has a say, and what stands in the way of its
destruction. The rules are asked exactly, over the record itself.";

/// What was typed.
#[derive(Debug, Args)]
pub(in crate::cli) struct Typed {
    /// The message
    id: MessageId,
    /// As of this day; now, where none is given
    #[arg(long, value_name = "DATE")]
    at: Option<String>,
    /// Show a message that a request for erasure restricted, too: for lawyers and records officers, with
    /// a reason
    #[arg(long, requires = "reason")]
    restricted: bool,
    /// Why, where it is restricted
    #[arg(long, value_name = "TEXT", requires = "restricted")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    message: String,
    verdict: String,
    eligible: bool,
    due: Option<String>,
    reasons: Vec<String>,
}

/// Says it.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, mut session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let at = typed
        .at
        .as_ref()
        .map(|text| instant(text, zone))
        .transpose()?;
    if let Some(reason) = &typed.reason {
        session = appliance.look_at_restricted(&session, &typed.id.to_string(), reason)?;
    }
    let why = appliance.why(&session, typed.id, at)?;
    let local = |time: Timestamp| in_zone(time, zone);
    let mut verdict = why.verdict_sentence(&local).text;
    if why.verdict.blocker.is_none() {
        verdict.push_str(" with: wordkeep dispose plan");
    }
    let due = why.verdict.due;
    let shown = Shown {
        message: why.message.to_string(),
        verdict,
        eligible: why.verdict.eligible,
        due: (due < Timestamp::NEVER).then(|| match due {
            Timestamp::ALWAYS => "always".to_owned(),
            due => local(due),
        }),
        reasons: why
            .reason_sentences(&local)
            .into_iter()
            .map(|sentence| sentence.text)
            .collect(),
    };
    context.printer.one(&shown, |to| {
        writeln!(to, "{}", line(&shown.verdict))?;
        for reason in &shown.reasons {
            writeln!(to, "  · {}", line(reason))?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}
