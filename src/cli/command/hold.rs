//! `wordkeep hold`: preview, place, list, count and release legal holds.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::{
    Appliance, Consequences, HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold, Session,
};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339, thousands};
use crate::cli::printer::Row;
use crate::domain::{ConversationId, HoldId, MatterId, MessageId, Timestamp};
use crate::query::render_carets;

const AFTER: &str = "Examples:
  $ wordkeep hold preview --query 'discount AND with:\"Harbour Roasters\"'
  $ wordkeep hold add \"Iberia sales\" --matter MATTER --custodian \"Karim Weber\" --reason \"claim of 3 March\"
  $ wordkeep hold list";
const PREVIEW: &str = "Say what a hold would protect now; nothing is changed

Examples:
  $ wordkeep hold preview --query 'exclusiv* AND date:2025'
  $ wordkeep hold preview --custodian \"Karim Weber\"

The count is exact and says how far it has read. Messages that come later and match are protected
from their first instant.";
const ADD: &str = "Place a hold; it protects when the command returns

Examples:
  $ wordkeep hold add \"Iberia sales\" --matter MATTER --query 'exclusiv* OR exclusividad*' --reason \"claim of 3 March\"
  $ wordkeep hold add \"One chat\" --matter MATTER --conversation CONVERSATION --reason \"inquiry\" --keep-context 20

For lawyers. Exactly one of --query, --custodian, --conversation, --message (may be repeated). A query
is read strictly: whatever could be read in two ways is an error. Nothing a hold protects is destroyed,
whatever a policy says; several holds may protect the same message.";
const LIST: &str = "List the holds, released ones too

Examples:
  $ wordkeep hold list
  $ wordkeep hold list --jsonl";
const SHOW: &str = "Count what a hold protects now

Examples:
  $ wordkeep hold show hld_01JD2V7Q4M8W3K5T9R6X0ZB1CE";
const NOTICES: &str = "Say how the notices of a hold stand

Examples:
  $ wordkeep hold notices hld_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep hold notices hld_01JD2V7Q4M8W3K5T9R6X0ZB1CE --json

Everybody named with the hold: what they were sent, whether they confirmed it, who was reminded. Notices
are issued with `wordkeep notice`.";
const RELEASE: &str = "Ask for the release of a hold, or agree to it

Examples:
  $ wordkeep hold release hld_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"settled, counsel agreed\"

Two different people (lawyers or records officers) run this command: the first asks, the second
agrees. From then on the hold protects for its days of grace, thirty unless it was placed with others.
What the release makes purgeable is found first and told with either voice; --dry-run tells it and
changes nothing. A released hold stays in the list.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Say what a hold would protect now
    #[command(long_about = PREVIEW)]
    Preview(Target),
    /// Place a hold
    #[command(long_about = ADD)]
    Add(Add),
    /// List the holds
    #[command(long_about = LIST)]
    List,
    /// Count what a hold protects now
    #[command(long_about = SHOW)]
    Show {
        /// The hold
        id: HoldId,
    },
    /// Say how the notices of a hold stand
    #[command(long_about = NOTICES)]
    Notices {
        /// The hold
        id: HoldId,
    },
    /// Ask for the release of a hold, or agree to it
    #[command(long_about = RELEASE)]
    Release {
        /// The hold
        id: HoldId,
        /// Why
        #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
        reason: Option<String>,
        /// Only say what it would make purgeable
        #[arg(long)]
        dry_run: bool,
    },
}

#[derive(Debug, Args)]
struct Target {
    #[command(flatten)]
    one: TargetOne,
    /// Only the messages the query finds now, none that come later
    #[arg(long, requires = "query")]
    fixed: bool,
    /// Zone of the dates of the query, such as Europe/Lisbon
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Accept a warning of the query, by its code; may be repeated
    #[arg(long, value_name = "CODE")]
    accept: Vec<String>,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TargetOne {
    /// Whatever this query matches, also what comes later
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// Every conversation of a person: name, handle or id
    #[arg(long, value_name = "PERSON")]
    custodian: Option<String>,
    /// One conversation
    #[arg(long, value_name = "ID")]
    conversation: Option<ConversationId>,
    /// These messages; may be repeated
    #[arg(long, value_name = "ID")]
    message: Vec<MessageId>,
}

#[derive(Debug, Args)]
struct Add {
    /// What people call it
    name: String,
    /// The matter it belongs to
    #[arg(long, value_name = "ID")]
    matter: MatterId,
    #[command(flatten)]
    target: Target,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Days it still protects after its release, 14 to 3650
    #[arg(long, value_name = "DAYS")]
    grace: Option<u16>,
    /// Protect so many messages before and after a match too
    #[arg(long, value_name = "N", default_value_t = 0)]
    keep_context: u16,
}

impl Target {
    fn target(&self) -> HoldTarget {
        match self.one.target() {
            HoldTarget::Query(query) if self.fixed => HoldTarget::Found(query),
            target => target,
        }
    }
}

impl TargetOne {
    fn target(&self) -> HoldTarget {
        match (&self.query, &self.custodian, self.conversation) {
            (Some(query), _, _) => HoldTarget::Query(query.clone()),
            (_, Some(person), _) => HoldTarget::Custodian(person.clone()),
            (_, _, Some(id)) => HoldTarget::Conversation(id),
            _ => HoldTarget::Messages(self.message.clone()),
        }
    }
}

#[derive(Serialize)]
struct Extent<'a> {
    protects: &'a str,
    messages: u64,
    complete_through: u64,
    of: u64,
    took_ms: u128,
}

#[derive(Serialize)]
struct HoldRow {
    id: String,
    matter: String,
    name: String,
    protects: String,
    reason: String,
    from: String,
    standing: &'static str,
    protects_until: Option<String>,
    grace_days: u16,
    #[serde(skip)]
    from_local: String,
}

impl Row for HoldRow {
    const HEADINGS: &'static [&'static str] =
        &["HOLD", "STATE", "SINCE", "MATTER", "NAME", "PROTECTS"];
    fn cells(&self) -> Vec<String> {
        let state = match &self.protects_until {
            Some(until) => format!("{} {until}", self.standing),
            None => self.standing.to_owned(),
        };
        vec![
            self.id.clone(),
            state,
            self.from_local.clone(),
            self.matter.clone(),
            self.name.clone(),
            self.protects.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    match &typed.verb {
        Verb::Preview(target) => {
            let zone = target.tz.as_deref();
            let aimed = target.target();
            let extent = appliance.preview_hold(&session, &aimed, zone, &target.accept)?;
            show_extent(context, &extent)
        }
        Verb::Add(add) => place(context, &appliance, &session, add),
        Verb::Show { id } => {
            let extent = appliance.hold_extent(&session, *id)?;
            show_extent(context, &extent)
        }
        Verb::Notices { id } => super::notice::report(context, &appliance, &session, *id),
        Verb::List => {
            let zone = zone_of(appliance.settings())?;
            let holds = appliance.holds(&session)?.into_iter();
            let rows = holds.map(|hold| row_of(hold, |time| in_zone(time, zone)));
            listed(context, rows)
        }
        Verb::Release {
            id,
            reason,
            dry_run,
        } => {
            let zone = zone_of(appliance.settings())?;
            let Some(reason) = reason.as_deref().filter(|_| !dry_run) else {
                let consequences = appliance.preview_release(&session, *id)?;
                return show_consequences(context, &consequences);
            };
            let released = appliance.release_hold(&session, *id, reason)?;
            let told = match released.standing {
                HoldStanding::Grace(until) => {
                    format!("released; it protects until {}", in_zone(until, zone))
                }
                _ => "waits for a second person to agree to its release".to_owned(),
            };
            let told = format!("{told}; {}", told_of(&released.consequences));
            changed(context, &id.to_string(), &told, &released.audit)
        }
    }
}

fn place(context: &mut Context, appliance: &Appliance, session: &Session, add: &Add) -> Ended {
    let placed = appliance.place_hold(
        session,
        &NewHold {
            matter: add.matter,
            name: add.name.clone(),
            target: add.target.target(),
            reason: add.reason.clone(),
            grace_days: add.grace,
            keep_context: add.keep_context,
            zone: add.target.tz.clone(),
            accept: add.target.accept.clone(),
        },
    )?;
    let id = placed.id.to_string();
    changed(
        context,
        &id,
        "placed; it protects from now on",
        &placed.audit,
    )?;
    let extent = appliance.hold_extent(session, placed.id)?;
    context.say(&told(&extent));
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct ConsequencesShown {
    released: u64,
    purgeable: u64,
    from: String,
    by_policy: Vec<(String, u64)>,
    requested: u64,
    samples: Vec<String>,
}

fn show_consequences(context: &mut Context, found: &Consequences) -> Ended {
    let shown = ConsequencesShown {
        released: found.released,
        purgeable: found.purgeable,
        from: rfc3339(found.from),
        by_policy: found.by_policy.clone(),
        requested: found.requested,
        samples: found.samples.iter().map(ToString::to_string).collect(),
    };
    context.printer.one(&shown, |to| {
        writeln!(to, "{}", told_of(found))?;
        for (policy, count) in &shown.by_policy {
            writeln!(to, "  {} by {}", thousands(*count), line(policy))?;
        }
        if shown.requested > 0 {
            let count = thousands(shown.requested);
            writeln!(to, "  {count} that somebody asked to be erased")?;
        }
        shown
            .samples
            .iter()
            .try_for_each(|sample| writeln!(to, "  {sample}"))
    })?;
    context.say("nothing was changed");
    Ok(Exit::Done)
}

fn told_of(found: &Consequences) -> String {
    let released = match found.released {
        1 => "1 message".to_owned(),
        many => format!("{} messages", thousands(many)),
    };
    format!(
        "without it {released} would be held by nobody, and after the grace {} may be destroyed",
        thousands(found.purgeable)
    )
}

fn told(extent: &HoldExtent) -> String {
    let messages = match extent.messages {
        1 => "1 message".to_owned(),
        many => format!("{} messages", thousands(many)),
    };
    let watermark = &extent.watermark;
    format!(
        "Protects: {}\n{messages} now, counted through {} of {} in {} ms",
        line(&extent.protects),
        thousands(watermark.through),
        thousands(watermark.of),
        extent.took.as_millis()
    )
}

fn show_extent(context: &mut Context, extent: &HoldExtent) -> Ended {
    let shown = Extent {
        protects: &extent.protects,
        messages: extent.messages,
        complete_through: extent.watermark.through,
        of: extent.watermark.of,
        took_ms: extent.took.as_millis(),
    };
    let text = told(extent);
    context.printer.one(&shown, |to| writeln!(to, "{text}"))?;
    if let Some(reading) = extent
        .reading
        .as_ref()
        .filter(|one| !one.problems.is_empty())
    {
        context.say(render_carets(&reading.text, &reading.problems).trim_end());
    }
    Ok(Exit::Done)
}

fn row_of(hold: HoldLine, local: impl Fn(Timestamp) -> String) -> HoldRow {
    let until = match hold.standing {
        HoldStanding::Grace(until) | HoldStanding::Ended(until) => Some(rfc3339(until)),
        HoldStanding::Active | HoldStanding::ReleaseRequested => None,
    };
    HoldRow {
        id: hold.id.to_string(),
        matter: hold.matter.to_string(),
        name: hold.name,
        protects: hold.protects,
        reason: hold.reason,
        from: rfc3339(hold.from),
        standing: hold.standing.name(),
        protects_until: until,
        grace_days: hold.grace_days,
        from_local: local(hold.from),
    }
}
