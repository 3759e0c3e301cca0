//! Retention policies: written as drafts, simulated, put in force, ended.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobResult, Tone};
use super::super::outbox::start;
use super::super::page::part;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::jobs::started;
use super::json::{Answer, Given, Instant, Named, answer, id, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged, tagged_as};
use crate::app::{Appliance, NewPolicy, PolicyLine, Session, Simulated};
use crate::domain::{ApiScope, Disposition, Lock, PolicyAction, PolicyId, Right};
use crate::query::Code;

const TOPIC: &str = "Policies";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/policies", Access::With(Right::ReadRules), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listPolicies",
        "Lists the retention policies",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Policy>()),
    )),
    Route::post("/api/v1/policies", Access::With(Right::WriteRules), || {
        post(write)
    })
    .doing(
        Operation::read(
            TOPIC,
            "writePolicy",
            "Writes a policy as a draft; nothing is in force until it is simulated and enabled",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Policy>()),
        )
        .starting(Shape::of::<Draft>()),
    ),
    Route::get(
        "/api/v1/policies/{id}",
        Access::With(Right::ReadRules),
        || get(show),
    )
    .doing(Operation::read(
        TOPIC,
        "showPolicy",
        "Shows a policy",
        ApiScope::PolicyRead,
        Gives::One(Shape::of::<Policy>()),
    )),
    Route::new(
        Method::PUT,
        "/api/v1/policies/{id}",
        Access::With(Right::WriteRules),
        || axum::routing::put(rewrite),
    )
    .doing(
        Operation::read(
            TOPIC,
            "rewritePolicy",
            "Writes the next version of a policy as a draft",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Policy>()),
        )
        .changing(Some(Shape::of::<Draft>())),
    ),
    Route::new(
        Method::PATCH,
        "/api/v1/policies/{id}",
        Access::With(Right::WriteRules),
        || axum::routing::patch(turn),
    )
    .doing(
        Operation::read(
            TOPIC,
            "turnPolicy",
            "Puts the newest draft of a policy in force, or ends the policy",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Turned>()),
        )
        .changing(Some(Shape::of::<Turn>()))
        .dangerous(),
    ),
    Route::post(
        "/api/v1/policies/{id}/simulations",
        Access::With(Right::WriteRules),
        || post(simulate),
    )
    .doing(
        Operation::read(
            TOPIC,
            "simulatePolicy",
            "Tries the newest version of a policy over the whole archive; nothing is destroyed. The details of the job are a Simulation",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Simulation>()),
        )
        .starting_job(Shape::of::<AsOf>())
        .resulting(Shape::of::<Simulation>()),
    ),
];

/// A policy as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Draft {
    /// What people call it.
    name: String,
    /// Which records, in the query language; * is everything.
    scope: String,
    /// retain, delete or retain-then-delete.
    action: String,
    /// How long: P7Y, P18M, P90D or infinite.
    period: String,
    /// Zone of its calendar; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// sent, ingested, last_activity, label_applied, or an event such as employee_left(emp42); sent
    /// when absent.
    #[serde(default)]
    trigger: Option<String>,
    /// Name or id of the label it belongs to.
    #[serde(default)]
    label: Option<String>,
    /// It is a default of the organisation, behind every scoped policy.
    #[serde(default)]
    organisation: bool,
    /// Locked until then: two people with a reason can weaken it.
    #[serde(default)]
    governance_lock: Option<Instant>,
    /// Locked until then: nobody can weaken it.
    #[serde(default)]
    compliance_lock: Option<Instant>,
    /// Distinct reviewers of what is due; 1 when absent, 0 destroys without review.
    #[serde(default)]
    reviewers: Option<u8>,
    /// The law or rule it follows.
    #[serde(default)]
    citation: String,
    /// Why it is written.
    reason: String,
    /// Warnings of the scope accepted by code.
    #[serde(default)]
    accept: Vec<String>,
}

/// A policy.
#[derive(Serialize, ToSchema)]
struct Policy {
    id: String,
    name: String,
    /// Which records, in canonical form.
    scope: String,
    citation: String,
    action: &'static str,
    period: String,
    zone: String,
    trigger: &'static str,
    /// 1 organisation, 2 a part of the archive, 3 a label.
    level: u8,
    /// none, governance or compliance.
    lock: &'static str,
    locked_until: Option<Instant>,
    /// Distinct reviewers of what is due; 0 destroys without review.
    reviewers: u8,
    /// Number of the newest version.
    version: u32,
    /// draft, enabled or disabled: how the newest version stands.
    state: &'static str,
    /// The version in force, if one is.
    in_force: Option<u32>,
    created: Instant,
}

/// What becomes of a policy.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Turn {
    /// enabled or disabled.
    state: String,
    /// Why.
    reason: String,
}

/// What became of a policy.
#[derive(Serialize, ToSchema)]
struct Turned {
    policy: Policy,
    /// From when on it counts; null when it never will by itself.
    counts_from: Option<Instant>,
    /// In which ways it is weaker than what it replaces.
    weaker: Vec<&'static str>,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// The instant that is looked at.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AsOf {
    /// Now when absent.
    #[serde(default)]
    as_of: Option<Instant>,
}

/// What a simulation found.
#[derive(Serialize, ToSchema)]
struct Simulation {
    policy: String,
    version: u32,
    as_of: Option<Instant>,
    /// Records looked at.
    records: u64,
    /// Records that would be due.
    eligible: u64,
    /// Records that are due under the rules in force.
    eligible_now: u64,
    /// Due only under the rules that are tried.
    more: u64,
    /// Due only under the rules in force.
    fewer: u64,
    /// Would be due, and a hold protects them.
    held: u64,
    by_app: BTreeMap<&'static str, u64>,
    by_year: BTreeMap<String, u64>,
    /// Ids of some of them.
    samples: Vec<String>,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.policies(&who.session)?;
            let place = |line: &PolicyLine| line.id.0;
            paged.page(appliance, &who.session, "policies", lines, place, policy)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let wanted = id(&name)?;
    let found = house
        .try_ask(move |appliance| one(appliance, &who.session, wanted))
        .await?;
    tagged(&found)
}

async fn write(State(house): State<Arc<House>>, who: Who, Given(draft): Given<Draft>) -> Answer {
    let new = draft.read(None)?;
    let written = house
        .try_ask(move |appliance| {
            let (id, ..) = appliance.write_policy(&who.session, &new)?;
            one(appliance, &who.session, id)
        })
        .await?;
    tagged_as(StatusCode::CREATED, &written)
}

async fn rewrite(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(draft): Given<Draft>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    let new = draft.read(Some(wanted))?;
    let written = house
        .try_change(move |appliance| {
            seen.check(&one(appliance, &who.session, wanted)?)?;
            appliance.write_policy(&who.session, &new)?;
            one(appliance, &who.session, wanted)
        })
        .await?;
    tagged(&written)
}

async fn turn(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(turn): Given<Turn>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    let enabled = match turn.state.as_str() {
        "enabled" => true,
        "disabled" => false,
        _ => return Err(Refusal::usage("\"state\" is enabled or disabled.")),
    };
    let turned = house
        .try_change(move |appliance| {
            let session = &who.session;
            seen.check(&one(appliance, session, wanted)?)?;
            let changed = match enabled {
                true => appliance.enable_policy(session, wanted, &turn.reason)?,
                false => appliance.disable_policy(session, wanted, &turn.reason)?,
            };
            Ok(Turned {
                policy: one(appliance, session, wanted)?,
                counts_from: Instant::of(changed.counts_from),
                weaker: changed.weaker,
                audit: changed.audit.seq.0,
            })
        })
        .await?;
    answer(StatusCode::OK, &turned)
}

async fn simulate(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Given(asked): Given<AsOf>,
) -> Answer {
    let wanted: PolicyId = id(&name)?;
    let as_of = asked.as_of.map(|at| at.0);
    // What is not there is said at once.
    let session = who.session.clone();
    house
        .try_ask(move |appliance| one(appliance, &session, wanted).map(drop))
        .await?;
    let session = who.session.clone();
    let act: Act = Box::new(move |appliance, teller| {
        teller.tell("messages judged", 0, 0);
        let found = appliance.simulate_policy(&session, wanted, as_of)?;
        let text = format!(
            "{} would be due of {}.",
            part::count(found.found.eligible, "message", "messages"),
            part::number(found.found.records)
        );
        let mut result = JobResult::new(Tone::Good, text).telling(&simulation(&found));
        result.page = Some(format!("/policies/{wanted}"));
        result.audit = Some(found.audit.seq);
        Ok(result)
    });
    let job = start(&house, &who, "Simulate a policy", false, act)?;
    started(&house, &who, job).await
}

fn one(appliance: &Appliance, session: &Session, id: PolicyId) -> Result<Policy, Refusal> {
    let lines = appliance.policies(session)?;
    let line = lines.iter().find(|line| line.id == id);
    line.map(policy).ok_or_else(Refusal::not_found)
}

impl Draft {
    fn read(self, of: Option<PolicyId>) -> Result<NewPolicy, Refusal> {
        let action = PolicyAction::from_name(&self.action)
            .ok_or_else(|| Refusal::usage("\"action\" is retain, delete or retain-then-delete."))?;
        let lock = match (self.governance_lock, self.compliance_lock) {
            (None, None) => Lock::None,
            (Some(until), None) => Lock::Governance(until.0),
            (None, Some(until)) => Lock::Compliance(until.0),
            (Some(_), Some(_)) => return Err(Refusal::usage("A policy has one lock.")),
        };
        let accept = self.accept.iter().map(|code| {
            let mut known = Code::ALL.iter().copied();
            known
                .find(|known| known.name().eq_ignore_ascii_case(code))
                .ok_or_else(|| Refusal::usage(format!("There is no warning {code}.")))
        });
        Ok(NewPolicy {
            of,
            name: self.name,
            scope: self.scope,
            action,
            period: read("period", &self.period)?,
            zone: self.zone,
            trigger: self.trigger.unwrap_or_else(|| "sent".to_owned()),
            label: self.label,
            organisation: self.organisation,
            lock,
            reviewers: self.reviewers,
            citation: self.citation,
            reason: self.reason,
            accept: accept.collect::<Result<_, _>>()?,
        })
    }
}

fn policy(line: &PolicyLine) -> Policy {
    let newest = &line.newest;
    Policy {
        id: line.id.to_string(),
        name: line.name.clone(),
        scope: line.scope.clone(),
        citation: line.citation.clone(),
        action: newest.action.name(),
        period: newest.period.to_string(),
        zone: newest.zone.name().to_owned(),
        trigger: newest.trigger.name(),
        level: newest.level.rank(),
        lock: newest.lock.name(),
        locked_until: match newest.lock {
            Lock::None => None,
            Lock::Governance(until) | Lock::Compliance(until) => Instant::of(until),
        },
        reviewers: match newest.disposition {
            Disposition::Reviewed(reviewers) => reviewers,
            Disposition::Auto => 0,
        },
        version: newest.id.version,
        state: newest.state.name(),
        in_force: line.in_force,
        created: Instant(newest.created),
    }
}

fn simulation(simulated: &Simulated) -> Simulation {
    let found = &simulated.found;
    Simulation {
        policy: simulated.policy.to_string(),
        version: simulated.version.version,
        as_of: Instant::of(found.as_of),
        records: found.records,
        eligible: found.eligible,
        eligible_now: found.eligible_now,
        more: found.more,
        fewer: found.fewer,
        held: found.blocked.held,
        by_app: found
            .by_app
            .iter()
            .map(|(app, count)| (app.name(), *count))
            .collect(),
        by_year: found
            .by_year
            .iter()
            .map(|(year, count)| (year.to_string(), *count))
            .collect(),
        samples: simulated.samples.iter().map(ToString::to_string).collect(),
        audit: simulated.audit.seq.0,
    }
}
