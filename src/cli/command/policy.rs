//! `wordkeep policy`: write, simulate, enable, end and list retention policies.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::Ended;
use super::changed::changed;
use super::listed::listed;
use crate::app::{AppError, Appliance, NewPolicy, PolicyChanged, PolicyLine, Session, Simulated};
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::{Exit, Failure};
use crate::cli::instants::instant;
use crate::cli::printable::{in_zone, rfc3339, thousands};
use crate::cli::printer::Row;
use crate::domain::{Lock, Period, PolicyAction, PolicyId, Timestamp};
use crate::query::Code;

const AFTER: &str = "Examples:
  $ wordkeep policy add \"Sales chats\" --scope 'app:whatsapp' --action retain-then-delete --period P7Y --reason \"tax law\"
  $ wordkeep policy simulate POLICY --as-of 2030-01-01
  $ wordkeep policy enable POLICY --reason \"board decision 14\"
  $ wordkeep policy list";
const ADD: &str = "Write a policy, or the next version of one, as a draft

Examples:
  $ wordkeep policy add \"Sales chats\" --scope 'app:whatsapp' --action retain-then-delete --period P7Y --reason \"tax law\"
  $ wordkeep policy add \"Leavers\" --scope 'with:\"Karim Weber\"' --action retain --period P3Y --from 'employee_left(emp42)' --reason \"labour law\"
  $ wordkeep policy add \"Sales chats\" --of POLICY --scope '*' --action retain --period P10Y --reason \"new law\"

A draft does nothing: simulate it, then enable it. Without a policy everything is kept. Where several
policies apply, keeping beats deleting, the longest keeping wins, a label stands before a scope and a
scope before the organisation, and the shortest deletion wins. A hold stands before all of them.
Periods are written as P7Y, P18M, P90D or infinite.";
const SIMULATE: &str = "Try a policy over the whole archive; nothing is destroyed

Examples:
  $ wordkeep policy simulate pol_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep policy simulate pol_01JD2V7Q4M8W3K5T9R6X0ZB1CE --as-of 2030-01-01 --json

Counts what would be due beside what is due by the rules in force, by app and year, with samples.";
const ENABLE: &str = "Put the newest draft of a policy in force

Examples:
  $ wordkeep policy enable pol_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"board decision 14\"

It needs a simulation that is newer than the last change of any rule. A version that weakens the one
in force must be enabled by another records officer than its author, and counts after seven days.
What a compliance lock forbids, nobody can enable.";
const DISABLE: &str = "End a policy

Examples:
  $ wordkeep policy disable pol_01JD2V7Q4M8W3K5T9R6X0ZB1CE --reason \"replaced\"

What it kept is no longer kept by it, after seven days and by a second person. What a compliance lock
earned stays.";
const LIST: &str = "List the policies

Examples:
  $ wordkeep policy list";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a policy as a draft
    #[command(long_about = ADD)]
    Add(Box<Add>),
    /// Try a policy over the whole archive
    #[command(long_about = SIMULATE)]
    Simulate {
        /// The policy
        id: PolicyId,
        /// As of this day; now, where none is given
        #[arg(long, value_name = "DATE")]
        as_of: Option<String>,
    },
    /// Put the newest draft in force
    #[command(long_about = ENABLE)]
    Enable {
        /// The policy
        id: PolicyId,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// End a policy
    #[command(long_about = DISABLE)]
    Disable {
        /// The policy
        id: PolicyId,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// List the policies
    #[command(long_about = LIST)]
    List,
}

#[derive(Debug, Args)]
struct Add {
    /// What people call it
    name: String,
    /// The policy this is the next version of
    #[arg(long, value_name = "ID")]
    of: Option<PolicyId>,
    /// Which records, in the query language; * is everything
    #[arg(long, value_name = "QUERY")]
    scope: String,
    /// What it does
    #[arg(long, value_parser = action_parser())]
    action: PolicyAction,
    /// How long: P7Y, P18M, P90D, infinite
    #[arg(long)]
    period: Period,
    /// What starts the period: sent, ingested, last_activity, label_applied, or an event
    #[arg(long, value_name = "TRIGGER", default_value = "sent")]
    from: String,
    /// Zone of its calendar
    #[arg(long, value_name = "ZONE")]
    tz: Option<String>,
    /// Apply it to the records that carry this label
    #[arg(long, value_name = "LABEL", conflicts_with = "organisation")]
    label: Option<String>,
    /// Make it a default of the organisation, behind every scoped policy
    #[arg(long)]
    organisation: bool,
    /// Lock it until a day: two people with a reason can weaken it
    #[arg(long, value_name = "DATE", conflicts_with = "compliance_lock")]
    governance_lock: Option<String>,
    /// Lock it until a day: nobody can weaken it
    #[arg(long, value_name = "DATE")]
    compliance_lock: Option<String>,
    /// How many people review what is due; 0 destroys without review
    #[arg(long, value_name = "N")]
    reviewers: Option<u8>,
    /// The law or rule it follows
    #[arg(long, value_name = "TEXT", default_value = "")]
    citation: String,
    /// Why it is written
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Accept a warning of the scope, by its code; may be repeated
    #[arg(long, value_name = "CODE", value_parser = code_parser())]
    accept: Vec<Code>,
}

fn action_parser() -> impl TypedValueParser<Value = PolicyAction> {
    PossibleValuesParser::new(["retain", "delete", "retain-then-delete"])
        .try_map(|name| PolicyAction::from_name(&name).ok_or("no such action"))
}

fn code_parser() -> impl TypedValueParser<Value = Code> {
    PossibleValuesParser::new(Code::ALL.iter().map(|code| code.name())).try_map(|name| {
        let known = Code::ALL.iter().copied().find(|code| code.name() == name);
        known.ok_or("no such warning")
    })
}

#[derive(Serialize)]
struct PolicyRow {
    id: String,
    name: String,
    scope: String,
    action: &'static str,
    period: String,
    trigger: &'static str,
    level: &'static str,
    lock: &'static str,
    lock_until: Option<String>,
    newest: u32,
    newest_state: &'static str,
    in_force: Option<u32>,
    citation: String,
    #[serde(skip)]
    standing: &'static str,
}

impl Row for PolicyRow {
    const HEADINGS: &'static [&'static str] = &[
        "POLICY", "STATE", "ACTION", "PERIOD", "FROM", "LEVEL", "LOCK", "NAME", "SCOPE",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.standing.to_owned(),
            self.action.to_owned(),
            self.period.clone(),
            self.trigger.to_owned(),
            self.level.to_owned(),
            self.lock.to_owned(),
            self.name.clone(),
            self.scope.clone(),
        ]
    }
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    match &typed.verb {
        Verb::Add(add) => write(context, &appliance, &session, add),
        Verb::Simulate { id, as_of } => {
            let as_of = as_of.as_ref().map(|text| instant(text, zone)).transpose()?;
            let simulated = appliance.simulate_policy(&session, *id, as_of)?;
            show_simulation(context, &simulated, |time| in_zone(time, zone))
        }
        Verb::Enable { id, reason } => {
            let done = appliance
                .enable_policy(&session, *id, reason)
                .map_err(|error| how_to_go_on(error, *id))?;
            told(context, *id, &done, "is in force", |time| {
                in_zone(time, zone)
            })
        }
        Verb::Disable { id, reason } => {
            let done = appliance.disable_policy(&session, *id, reason)?;
            told(context, *id, &done, "ends", |time| in_zone(time, zone))
        }
        Verb::List => {
            let policies = appliance.policies(&session)?.into_iter();
            let rows = policies.map(row_of);
            listed(context, rows)
        }
    }
}

fn write(context: &mut Context, appliance: &Appliance, session: &Session, add: &Add) -> Ended {
    let zone = zone_of(appliance.settings())?;
    let until = |text: &String| -> Result<Timestamp, Failure> { instant(text, zone) };
    let lock = match (&add.governance_lock, &add.compliance_lock) {
        (Some(day), _) => Lock::Governance(until(day)?),
        (_, Some(day)) => Lock::Compliance(until(day)?),
        _ => Lock::None,
    };
    let (id, version, entry) = appliance.write_policy(
        session,
        &NewPolicy {
            of: add.of,
            name: add.name.clone(),
            scope: add.scope.clone(),
            action: add.action,
            period: add.period,
            zone: add.tz.clone(),
            trigger: add.from.clone(),
            label: add.label.clone(),
            organisation: add.organisation,
            lock,
            reviewers: add.reviewers,
            citation: add.citation.clone(),
            reason: add.reason.clone(),
            accept: add.accept.clone(),
        },
    )?;
    let told = format!("version {} written as a draft", version.version);
    changed(context, &id.to_string(), &told, &entry)?;
    context.say(&format!("next: wordkeep policy simulate {id}"));
    Ok(Exit::Done)
}

/// What is missing is a simulation: the command that runs one.
fn how_to_go_on(error: AppError, id: PolicyId) -> AppError {
    match error {
        AppError::Blocked(why) if why.contains("simulation") => {
            AppError::Blocked(format!("{why}; run: wordkeep policy simulate {id}"))
        }
        other => other,
    }
}

fn told(
    context: &mut Context,
    id: PolicyId,
    done: &PolicyChanged,
    what: &str,
    local: impl Fn(Timestamp) -> String,
) -> Ended {
    let version = done.version.version;
    let told = match done.weaker.is_empty() {
        true => format!("version {version} {what}"),
        false => format!(
            "version {version} {what} from {} on ({})",
            local(done.counts_from),
            done.weaker.join(", ")
        ),
    };
    changed(context, &id.to_string(), &told, &done.audit)
}

#[derive(Serialize)]
struct SimulationShown {
    policy: String,
    version: u32,
    as_of: String,
    records: u64,
    due: u64,
    due_by_rules_in_force: u64,
    more: u64,
    fewer: u64,
    held: u64,
    locked: u64,
    retained: u64,
    not_due: u64,
    by_app: Vec<(&'static str, u64)>,
    by_year: Vec<(i32, u64)>,
    samples: Vec<String>,
    took_ms: u128,
    audit: u64,
}

fn show_simulation(
    context: &mut Context,
    simulated: &Simulated,
    local: impl Fn(Timestamp) -> String,
) -> Ended {
    let found = &simulated.found;
    let shown = SimulationShown {
        policy: simulated.policy.to_string(),
        version: simulated.version.version,
        as_of: rfc3339(found.as_of),
        records: found.records,
        due: found.eligible,
        due_by_rules_in_force: found.eligible_now,
        more: found.more,
        fewer: found.fewer,
        held: found.blocked.held,
        locked: found.blocked.locked,
        retained: found.blocked.retained,
        not_due: found.blocked.not_due,
        by_app: found
            .by_app
            .iter()
            .map(|(app, n)| (app.name(), *n))
            .collect(),
        by_year: found.by_year.iter().map(|(year, n)| (*year, *n)).collect(),
        samples: simulated.samples.iter().map(ToString::to_string).collect(),
        took_ms: simulated.took.as_millis(),
        audit: simulated.audit.seq.0,
    };
    let when = local(found.as_of);
    context.printer.one(&shown, |to| {
        writeln!(
            to,
            "As of {when}: {} messages looked at",
            thousands(shown.records)
        )?;
        writeln!(
            to,
            "due {} (by the rules in force {}; {} more, {} fewer)",
            thousands(shown.due),
            thousands(shown.due_by_rules_in_force),
            thousands(shown.more),
            thousands(shown.fewer)
        )?;
        writeln!(
            to,
            "kept: {} held, {} locked, {} retained, {} not due yet",
            thousands(shown.held),
            thousands(shown.locked),
            thousands(shown.retained),
            thousands(shown.not_due)
        )?;
        for (app, count) in &shown.by_app {
            writeln!(to, "  {app:12} {}", thousands(*count))?;
        }
        for (year, count) in &shown.by_year {
            writeln!(to, "  {year:12} {}", thousands(*count))?;
        }
        match shown.samples.first() {
            Some(first) => writeln!(to, "a sample: {first}"),
            None => Ok(()),
        }
    })?;
    context.say(&format!("{} ms   audit #{}", shown.took_ms, shown.audit));
    Ok(Exit::Done)
}

fn row_of(policy: PolicyLine) -> PolicyRow {
    let standing = policy.standing();
    let newest = &policy.newest;
    PolicyRow {
        id: policy.id.to_string(),
        name: policy.name,
        scope: policy.scope,
        action: newest.action.name(),
        period: newest.period.to_string(),
        trigger: newest.trigger.name(),
        level: newest.level.name(),
        lock: newest.lock.name(),
        lock_until: (newest.lock != Lock::None).then(|| rfc3339(newest.lock.until())),
        newest: newest.id.version,
        newest_state: newest.state.name(),
        in_force: policy.in_force,
        citation: policy.citation,
        standing,
    }
}
