//! `wordkeep why`: why a message is still here.

use clap::Args;
use serde::Serialize;

use super::Ended;
use crate::app::Why;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, line};
use crate::domain::{Blocker, HoldNo, MessageId, PolicyRef, Reason, Timestamp};

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
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let at = typed
        .at
        .as_ref()
        .map(|text| instant(text, zone))
        .transpose()?;
    let why = appliance.why(&session, typed.id, at)?;
    let local = |time: Timestamp| match time {
        Timestamp::NEVER => "no date".to_owned(),
        Timestamp::ALWAYS => "always".to_owned(),
        time => in_zone(time, zone),
    };
    let due = why.verdict.due;
    let shown = Shown {
        message: why.message.to_string(),
        verdict: verdict(&why, &local),
        eligible: why.verdict.eligible,
        due: (due < Timestamp::NEVER).then(|| local(due)),
        reasons: why
            .reasons
            .iter()
            .filter_map(|one| reason(&why, one, &local))
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

fn verdict(why: &Why, local: &impl Fn(Timestamp) -> String) -> String {
    match why.verdict.blocker {
        None => "It may go: put it on a list with: wordkeep dispose plan".to_owned(),
        Some(Blocker::Held(hold)) => {
            format!(
                "It stays: {} protects it; two people can release it",
                named_hold(why, hold)
            )
        }
        Some(Blocker::NothingDeletes) => {
            "It stays: no policy lets it go; a records officer can write one".to_owned()
        }
        Some(Blocker::Locked(until)) => {
            format!(
                "It stays until {}: a compliance lock, which nobody can lift",
                local(until)
            )
        }
        Some(Blocker::Retained(Timestamp::NEVER)) => {
            "It stays: a policy keeps it without end, or waits for an event".to_owned()
        }
        Some(Blocker::Retained(until)) => {
            format!("It stays until {}: a policy keeps it", local(until))
        }
        Some(Blocker::NotDue(due)) => format!("It is not due before {}", local(due)),
        Some(Blocker::ClockBehind(due)) => {
            format!(
                "It is due since {} by one clock and not by the other",
                local(due)
            )
        }
        Some(Blocker::ClockDoubt) => "It stays while the clock is in doubt".to_owned(),
        Some(Blocker::Frozen(reason)) => {
            format!(
                "It stays: purging is frozen ({}); two people can lift it",
                reason.name()
            )
        }
    }
}

fn named_hold(why: &Why, no: HoldNo) -> String {
    let known = why.holds.iter().find(|(known, _, _)| *known == no);
    known.map_or_else(
        || format!("hold {no}"),
        |(_, id, name)| format!("hold {id} \"{name}\""),
    )
}

fn named_policy(why: &Why, policy: PolicyRef) -> String {
    let known = why.policies.iter().find(|(no, _, _)| *no == policy.no);
    let version = policy.version;
    known.map_or_else(
        || format!("policy {} version {version}", policy.no),
        |(_, id, name)| format!("policy {id} \"{name}\" version {version}"),
    )
}

fn reason(why: &Why, reason: &Reason, local: &impl Fn(Timestamp) -> String) -> Option<String> {
    let since = |t0: Option<Timestamp>| t0.map_or_else(|| "not begun".to_owned(), local);
    Some(match reason {
        Reason::Retains {
            policy,
            trigger,
            t0,
            until,
        } => format!(
            "{} keeps it until {} ({}: {})",
            named_policy(why, *policy),
            local(*until),
            trigger.name(),
            since(*t0)
        ),
        Reason::Locks { policy, until, .. } => {
            format!(
                "{} locked it until {}",
                named_policy(why, *policy),
                local(*until)
            )
        }
        Reason::LockRecorded { until } => {
            format!("a lock recorded with it: until {}", local(*until))
        }
        Reason::Extended { until } => format!("a reviewer extended it until {}", local(*until)),
        Reason::Deletes {
            policy,
            trigger,
            t0,
            from,
            wins,
        } => format!(
            "{} lets it go from {} on ({}: {}){}",
            named_policy(why, *policy),
            local(*from),
            trigger.name(),
            since(*t0),
            if *wins { ", and decides" } else { "" }
        ),
        Reason::ClaimedTimeNotTaken {
            policy, instead, ..
        } => format!(
            "{} counts from {}: its claimed time is not believed",
            named_policy(why, *policy),
            local(*instead)
        ),
        Reason::EventUnknown { policy, .. } => {
            format!("{} waits for its event", named_policy(why, *policy))
        }
        other => return circumstance(why, other, local),
    })
}

/// What is no policy: labels, holds, floors, clocks.
fn circumstance(
    why: &Why,
    reason: &Reason,
    local: &impl Fn(Timestamp) -> String,
) -> Option<String> {
    Some(match reason {
        Reason::Labelled { label, from, own } => {
            let known = why.labels.iter().find(|(no, _, _)| no == label);
            let name = known.map_or("?", |(_, _, name)| name.as_str());
            let whose = if *own {
                "its own label"
            } else {
                "the label of its conversation"
            };
            format!("{whose}: \"{name}\" since {}", local(*from))
        }
        Reason::Held { hold, until, .. } => match *until {
            Timestamp::NEVER => format!("{} protects it", named_hold(why, *hold)),
            until => format!(
                "{}, released, protects it until {}",
                named_hold(why, *hold),
                local(until)
            ),
        },
        Reason::Floor { until } => format!("thirty days after it came in: until {}", local(*until)),
        Reason::Clock {
            compliance,
            wall,
            trusted,
            ..
        } => format!(
            "compliance time {}, wall clock {}{}",
            local(*compliance),
            local(*wall),
            if *trusted { "" } else { ", in doubt" }
        ),
        Reason::Frozen { reason } => format!("purging is frozen: {}", reason.name()),
        _ => return None,
    })
}
