//! Retention: the policies, what waits for a second person, and the brake that stops all destruction.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::{Page, part, step_up};
use crate::app::{BatchLine, DueNow, FreezeLine, HoldLine, HoldStanding, PolicyLine, RequestLine};
use crate::domain::{FreezeNo, FreezeReason, Lock, Right};
use crate::store::DispositionState;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/retention", Access::With(Right::ReadRules), || get(show)),
    Route::get("/retention/due", Access::With(Right::ReadRules), || {
        get(due)
    }),
    Route::post("/retention/freeze", Access::With(Right::Freeze), || {
        post(freeze)
    }),
    Route::post(
        "/retention/freeze/{no}/lift",
        Access::With(Right::Freeze),
        || post(lift),
    ),
];

const DONE: &[(&str, &str)] = &[
    ("frozen", "Nothing is destroyed while the freeze stands."),
    (
        "asked",
        "Asked. The freeze stands until another lawyer or records officer agrees to lift it.",
    ),
    (
        "lifted",
        "The freeze is lifted; destruction goes on by the rules.",
    ),
];

#[derive(Clone, Default, Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// Everything the page shows.
struct Overview {
    policies: Vec<PolicyLine>,
    freezes: Vec<FreezeLine>,
    holds: Vec<HoldLine>,
    batches: Vec<BatchLine>,
    requests: Vec<RequestLine>,
    zone: Tz,
}

async fn load(house: &Arc<House>, who: &Who) -> Result<Overview, Refusal> {
    let session = who.session.clone();
    let zone = form::zone(house).await?;
    house
        .ask(move |appliance| {
            Ok(Overview {
                policies: appliance.policies(&session)?,
                freezes: appliance.freezes(&session)?,
                holds: appliance.holds(&session)?,
                batches: appliance.dispositions(&session)?,
                requests: appliance.requests(&session)?,
                zone,
            })
        })
        .await
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    overview(&house, frame, &who, &did.notice(DONE), "", None).await
}

async fn overview(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    notice: &Markup,
    reason: &str,
    refusal: Option<&Refusal>,
) -> Page {
    let all = load(house, who).await?;
    let frame = frame.at(Section::Retention, "Retention");
    let content = html! {
        h1 { "Retention" }
        (notice)
        (form::refused(refusal))
        (freezes(&frame, &all, reason))
        (waiting(&all))
        div.summary {
            h2 { "Policies" }
            @if frame.may(Right::WriteRules) {
                a.button.primary href="/policies/new" { "Write a policy" }
            }
        }
        p.aside { "Nothing is deleted without an approved list. Without a policy everything is kept." }
        (policies(&all.policies, all.zone, &frame))
        nav.cards aria-label="Further" {
            a.card href="/retention/due" { h2 { "What is due now" } p.aside { "Counted exactly, over the whole archive." } }
            a.card href="/dispositions" {
                h2 { "Disposition" }
                p.aside { (part::count(all.batches.len() as u64, "list", "lists")) }
            }
            a.card href="/requests" {
                h2 { "Requests for erasure" }
                p.aside { (part::count(all.requests.len() as u64, "request", "requests")) }
            }
            a.card href="/labels" { h2 { "Labels" } p.aside { "Levels of records that policies name." } }
            a.card href="/events" { h2 { "Events" } p.aside { "What happened and starts a period." } }
        }
    };
    Ok(form::again(&frame, &content, refusal))
}

/// Why nothing is destroyed, in words.
fn freeze_words(reason: FreezeReason) -> &'static str {
    match reason {
        FreezeReason::Legal => "somebody stopped it",
        FreezeReason::Integrity => "stored bytes are not what was stored",
        FreezeReason::RollbackSuspected => "the record may be an older copy",
        FreezeReason::ClockDoubt => "a clock is in doubt",
        FreezeReason::Restored => "the record was restored from a backup",
        FreezeReason::IndexLag => "the index is behind",
    }
}

fn freezes(frame: &Frame, all: &Overview, reason: &str) -> Markup {
    let standing: Vec<&FreezeLine> = all
        .freezes
        .iter()
        .filter(|freeze| freeze.lifted.is_none())
        .collect();
    let may = frame.may(Right::Freeze);
    html! {
        @for freeze in &standing { (standing_freeze(frame, freeze, all.zone, reason)) }
        @if standing.is_empty() && may {
            details.card {
                summary { "Freeze all purges" }
                p { "One person is enough, and it counts at once. Reading, importing and searching go on; two people can lift it." }
                form method="post" action="/retention/freeze" {
                    (frame.mark())
                    (form::reason(reason))
                    button.danger type="submit" { "Freeze all purges" }
                }
            }
        }
    }
}

fn standing_freeze(frame: &Frame, freeze: &FreezeLine, zone: Tz, reason: &str) -> Markup {
    let own = freeze.lift_asked_by.as_ref().is_some_and(|(_, own)| *own);
    html! {
        section.refused aria-label="Freeze" {
            p {
                strong { "All purges are frozen: " (freeze_words(freeze.reason)) ". " }
                "Freeze " (freeze.no.0) ", since " (part::time(freeze.since, zone, part::MINUTE))
                @if let Some(by) = &freeze.set_by { ", by " (part::name(by)) }
                @if !freeze.words.is_empty() { ": " (part::words(&freeze.words)) }
            }
            @if let Some((by, _)) = &freeze.lift_asked_by {
                p { (part::name(by)) " asked to lift it; a second person has to agree." }
            }
            @if frame.may(Right::Freeze) && !own {
                details {
                    summary { @if freeze.lift_requested { "Agree to lift it" } @else { "Ask to lift it" } }
                    form method="post" action={ "/retention/freeze/" (freeze.no.0) "/lift" } {
                        (frame.mark())
                        (form::reason(reason))
                        button type="submit" {
                            @if freeze.lift_requested { "Lift the freeze" } @else { "Ask to lift it" }
                        }
                    }
                }
            }
        }
    }
}

/// What waits for a second person: the home page sends people here for it.
fn waiting(all: &Overview) -> Markup {
    let holds: Vec<&HoldLine> = all
        .holds
        .iter()
        .filter(|hold| hold.standing == HoldStanding::ReleaseRequested)
        .collect();
    let batches: Vec<&BatchLine> = all
        .batches
        .iter()
        .filter(|batch| batch.state == DispositionState::InReview)
        .collect();
    html! {
        @if !holds.is_empty() || !batches.is_empty() {
            section.card {
                h2 { "Waits for another person" }
                ul.rows {
                    @for hold in holds {
                        li {
                            "Release of the hold " a href={ "/holds/" (hold.id) } { (part::name(&hold.name)) }
                            @if let Some(asked) = &hold.release_asked { ", asked for by " (part::name(&asked.by)) }
                        }
                    }
                    @for batch in batches {
                        li {
                            a href={ "/dispositions/" (batch.batch.0) } { "List " (batch.batch.0) }
                            ": " (part::count(batch.items, "message", "messages")) ", approved by "
                            (batch.approvals.0) " of " (batch.approvals.1)
                        }
                    }
                }
            }
        }
    }
}

/// How a policy stands, as a chip.
pub(super) fn standing(policy: &PolicyLine) -> Markup {
    let words = policy.standing();
    html! {
        span .chip .good[words == "in force"] .warn[words.starts_with("in force,") || words == "draft"] {
            (words)
        }
    }
}

fn policies(policies: &[PolicyLine], zone: Tz, frame: &Frame) -> Markup {
    html! {
        @if policies.is_empty() {
            @let way = frame.may(Right::WriteRules).then_some(("Write the first policy", "/policies/new"));
            (part::empty("No policy was written yet", "Everything is kept until one lets something go.", way))
        } @else {
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Policy" } th scope="col" { "State" } th scope="col" { "Scope" }
                        th scope="col" { "Does" } th scope="col" { "From" } th scope="col" { "Lock" }
                        th.figure scope="col" { "Would expire" }
                    } }
                    tbody {
                        @for policy in policies { (row(policy, zone)) }
                    }
                }
            }
        }
    }
}

fn row(policy: &PolicyLine, zone: Tz) -> Markup {
    let newest = &policy.newest;
    html! {
        tr {
            th scope="row" { a href={ "/policies/" (policy.id) } { (part::name(&policy.name)) } }
            td { (standing(policy)) }
            td { code hx-disable dir="auto" { (policy.scope) } }
            td { (super::policies::does(newest.action)) " " (super::policies::length(newest.period)) }
            td { (super::policies::from_when(newest.trigger)) }
            td {
                @match newest.lock {
                    Lock::None => "none",
                    Lock::Governance(until) => { "governance, until " (part::time(until, zone, part::DAY)) }
                    Lock::Compliance(until) => { "compliance, until " (part::time(until, zone, part::DAY)) }
                }
            }
            td.figure {
                @match &policy.simulated {
                    None => "not simulated",
                    Some(last) => {
                        (part::number(last.due)) br;
                        small {
                            "as of " (part::time(last.as_of, zone, part::DAY))
                            @if !last.is_fresh { ", rules changed since" }
                        }
                    }
                }
            }
        }
    }
}

async fn due(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let found = house
        .ask(move |appliance| appliance.due_now(&who.session))
        .await?;
    let zone = form::zone(&house).await?;
    let frame = frame.at(Section::Retention, "What is due now");
    let content = html! {
        p { a.back href="/retention" { "← Retention" } }
        h1 { "What is due now" }
        (due_view(&found, zone))
        @if found.found.eligible > 0 && frame.may(Right::RequestDisposition) {
            p { a.button.primary href="/dispositions" { "Put it on a list" } }
        }
    };
    Ok(frame.page(&content))
}

fn due_view(due: &DueNow, zone: Tz) -> Markup {
    let (found, kept) = (&due.found, &due.found.blocked);
    let apps = found
        .by_app
        .iter()
        .map(|(app, count)| (part::app(*app), *count));
    let by_policy: Vec<(String, u64)> = due
        .by_policy
        .iter()
        .map(|(_, name, count)| (name.clone(), *count))
        .collect();
    html! {
        p {
            "As of " (part::time(found.as_of, zone, part::MINUTE)) ": "
            strong { (part::number(found.eligible)) " due" } " of "
            (part::count(found.records, "message", "messages")) ", counted in "
            (due.took.as_millis()) " ms"
        }
        (kept_view(kept))
        div.cards {
            (form::counts("By policy", &by_policy))
            (form::counts("By platform", &form::named(apps)))
            (form::counts("By year", &form::named(found.by_year.iter().map(|(year, count)| (*year, *count)))))
        }
    }
}

/// Why the others stay.
pub(super) fn kept_view(kept: &crate::retention::Blocked) -> Markup {
    let whys = [
        ("a hold protects them", kept.held),
        ("no policy lets them go", kept.nothing_deletes),
        ("a compliance lock keeps them", kept.locked),
        ("a policy keeps them", kept.retained),
        ("not due yet", kept.not_due),
        ("clock or freeze stops them", kept.stopped),
    ];
    html! {
        p {
            "The others stay: "
            @for (place, (why, count)) in whys.iter().filter(|(_, count)| *count > 0).enumerate() {
                @if place > 0 { ", " }
                (part::number(*count)) " " (why)
            }
            "."
        }
    }
}

async fn freeze(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Reason>,
) -> Page {
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let answer = house
        .ask(move |appliance| appliance.freeze(&session, &reason))
        .await;
    match answer {
        Ok((_, entry)) => Ok(form::after("/retention", "frozen", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            overview(
                &house,
                frame,
                &who,
                &html! {},
                &typed.reason,
                Some(&refusal),
            )
            .await
        }
    }
}

async fn lift(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(no): Path<u32>,
    Posted(typed): Posted<Reason>,
) -> Page {
    if let Some(first) = step_up::asked(&who, "/retention") {
        return Ok(first);
    }
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let answer = house
        .ask(move |appliance| appliance.lift_freeze(&session, FreezeNo(no), &reason))
        .await;
    match answer {
        Ok((done, entry)) => {
            let did = if done { "lifted" } else { "asked" };
            Ok(form::after("/retention", did, entry.seq))
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            overview(
                &house,
                frame,
                &who,
                &html! {},
                &typed.reason,
                Some(&refusal),
            )
            .await
        }
    }
}
