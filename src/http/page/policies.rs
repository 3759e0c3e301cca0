//! One policy: written as a draft, tried over the archive, put in force, ended.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobLine, JobResult, Tone};
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::trial::{self, Shelf};
use super::{Page, part, policy_form, retention, step_up, why};
use crate::app::{PolicyChanged, PolicyStory, Session, Simulated, VersionLine};
use crate::domain::{
    Disposition, JobId, Level, Lock, Period, PolicyAction, PolicyId, PolicyState, Right, Timestamp,
    Trigger,
};
use crate::retention::WEAKENING_DAYS;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/policies/new", Access::With(Right::WriteRules), || {
        get(policy_form::begin)
    }),
    Route::post("/policies/new", Access::With(Right::WriteRules), || {
        post(policy_form::go_on)
    }),
    Route::get("/policies/{id}", Access::With(Right::ReadRules), || {
        get(show)
    }),
    Route::post(
        "/policies/{id}/simulate",
        Access::With(Right::WriteRules),
        || post(simulate),
    ),
    Route::post(
        "/policies/{id}/enable",
        Access::With(Right::WriteRules),
        || post(enable),
    ),
    Route::post(
        "/policies/{id}/disable",
        Access::With(Right::WriteRules),
        || post(disable),
    ),
];

const DONE: &[(&str, &str)] = &[
    (
        "written",
        "Written as a draft. It does nothing yet: simulate it, look, then enable it.",
    ),
    ("enabled", "The version is in force."),
    ("disabled", "The policy has ended."),
    (
        "weakened",
        "Agreed by two. It weakens what was in force, so it counts only after seven days.",
    ),
];

/// What a policy does, in words.
pub(super) fn does(action: PolicyAction) -> &'static str {
    match action {
        PolicyAction::Retain => "keeps",
        PolicyAction::Delete => "lets go after",
        PolicyAction::RetainThenDelete => "keeps, then lets go after",
    }
}

/// What starts its period, in words.
pub(super) fn from_when(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Sent => "when it was sent",
        Trigger::Ingested => "when it was taken in",
        Trigger::LastActivity => "last activity in the conversation",
        Trigger::LabelApplied => "when the label was applied",
        Trigger::Event(_) => "an event",
    }
}

/// A period as people say it.
pub(super) fn length(period: Period) -> String {
    let Period::Calendar { months, days } = period else {
        return "without end".to_owned();
    };
    let parts = [
        (months / 12, "year", "years"),
        (months % 12, "month", "months"),
        (days, "day", "days"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| part::count(u64::from(*count), one, many))
        .collect();
    match said.is_empty() {
        true => "0 days".to_owned(),
        false => said.join(" "),
    }
}

/// The policy of an id as typed in an address.
pub(super) async fn load(
    house: &Arc<House>,
    who: &Who,
    id: PolicyId,
) -> Result<(PolicyStory, Tz), Refusal> {
    let session = who.session.clone();
    let story = house
        .ask(move |appliance| appliance.policy(&session, id))
        .await?;
    Ok((story, form::zone(house).await?))
}

pub(super) fn policy_id(text: &str) -> Result<PolicyId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
    Asked(trial): Asked<trial::Wanted>,
) -> Page {
    let (story, zone) = load(&house, &who, policy_id(&id)?).await?;
    let job = trial.job(&house, &who).await?;
    let simulated = job.as_ref().and_then(|job| house.simulations.get(job.id));
    let shown = Shown {
        story: &story,
        zone,
        notice: did.notice(DONE),
        simulated: simulated.filter(|found| found.policy == story.line.id),
        job,
        ..Shown::of(&story, zone)
    };
    Ok(shown.page(&frame, None))
}

/// The page of a policy.
struct Shown<'a> {
    story: &'a PolicyStory,
    zone: Tz,
    notice: Markup,
    /// The simulation that the page asked for.
    job: Option<JobLine>,
    /// What it found.
    simulated: Option<Simulated>,
    as_of: String,
    reason: String,
}

impl<'a> Shown<'a> {
    fn of(story: &'a PolicyStory, zone: Tz) -> Shown<'a> {
        Shown {
            story,
            zone,
            notice: html! {},
            job: None,
            simulated: None,
            as_of: String::new(),
            reason: String::new(),
        }
    }

    fn page(&self, frame: &Frame, refusal: Option<&Refusal>) -> Response {
        let frame = frame.clone().at(Section::Retention, "Policy");
        let line = &self.story.line;
        let writes = frame.may(Right::WriteRules);
        let content = html! {
            p { a.back href="/retention" { "← Retention" } }
            h1 { (part::name(&line.name)) " " (retention::standing(line)) }
            (self.notice)
            (form::refused(refusal))
            (form::step(self.place(), &["Draft", "Simulated", "In force", "Ended"]))
            @if let Some(newest) = self.story.versions.first() { (version(newest, self.zone)) }
            @if writes && line.newest.state == PolicyState::Draft {
                (self.trial(&frame))
                @match (&self.simulated, &self.job) {
                    (Some(simulated), _) => (simulation(simulated, self.zone)),
                    (None, Some(job)) => {
                        (trial::standing(&frame, job, &format!("/policies/{}", line.id)))
                    }
                    (None, None) => {}
                }
                (self.enabling(&frame))
            }
            @if writes {
                p { a.button href={ "/policies/new?of=" (line.id) } { "Write the next version" } }
                @if line.in_force.is_some() { (self.ending(&frame)) }
            }
            (self.elder())
        };
        form::again(&frame, &content, refusal)
    }

    fn place(&self) -> usize {
        let line = &self.story.line;
        match (line.newest.state, &self.story.missing) {
            (PolicyState::Draft, Some(_)) => 1,
            (PolicyState::Draft, None) => 2,
            (PolicyState::Enabled, _) => 3,
            (PolicyState::Disabled, _) => 4,
        }
    }

    fn trial(&self, frame: &Frame) -> Markup {
        html! {
            form.card.inline method="post" action={ "/policies/" (self.story.line.id) "/simulate" } {
                (frame.mark())
                label for="as_of" { "Simulate as of" }
                input #as_of type="date" name="as_of" value=(self.as_of);
                button type="submit" { "Simulate" }
                span.aside { "Without a day: now. Nothing is destroyed." }
            }
        }
    }

    fn enabling(&self, frame: &Frame) -> Markup {
        let story = self.story;
        html! {
            section.card {
                h2 { "Put it in force" }
                @match &story.missing {
                    Some(missing) => p { (sentence(missing)) },
                    None => {
                        @if story.line.in_force.is_some() {
                            p {
                                "Where it weakens the version in force, another records officer than its author "
                                @if story.is_own { "(you) " }
                                "has to enable it, and it counts after " (WEAKENING_DAYS) " days."
                            }
                        }
                        form method="post" action={ "/policies/" (story.line.id) "/enable" } {
                            (frame.mark())
                            (form::reason(&self.reason))
                            @if let Some(until) = locks_for_good(story) {
                                p.notice.bad {
                                    "There is no way back: nobody can weaken or end it before "
                                    (part::time(until, self.zone, part::DAY)) "."
                                }
                                (form::confirmation(&story.line.name))
                            }
                            button.primary type="submit" { "Enable the policy" }
                        }
                    }
                }
            }
        }
    }

    fn ending(&self, frame: &Frame) -> Markup {
        let line = &self.story.line;
        html! {
            details.card {
                summary { "End the policy" }
                p {
                    "What it kept is no longer kept by it, after " (WEAKENING_DAYS)
                    " days and by another records officer than its author. What a compliance lock earned stays."
                }
                form method="post" action={ "/policies/" (line.id) "/disable" } {
                    (frame.mark())
                    (form::reason(&self.reason))
                    (form::confirmation(&line.name))
                    button.danger type="submit" { "End the policy" }
                }
            }
        }
    }

    fn elder(&self) -> Markup {
        let versions = &self.story.versions;
        html! {
            @if versions.len() > 1 {
                h2 { "Earlier versions" }
                @for line in versions.iter().skip(1) {
                    details.card {
                        summary {
                            "Version " (line.version.id.version) ", " (line.version.state.name()) ", written "
                            (part::time(line.version.created, self.zone, part::DAY)) " by " (part::name(&line.author))
                        }
                        (version(line, self.zone))
                    }
                }
            }
        }
    }
}

/// Until when a compliance lock of the draft that waits holds.
fn locks_for_good(story: &PolicyStory) -> Option<Timestamp> {
    match story.draft()?.version.lock {
        Lock::Compliance(until) => Some(until),
        _ => None,
    }
}

/// A message of the inner rooms as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters
        .next()
        .map(|one| one.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str().trim_end_matches('.'))
}

fn version(line: &VersionLine, zone: Tz) -> Markup {
    let version = &line.version;
    html! {
        div.reading { p { span.label { "Read as" } " " (part::words(&line.read_as)) } }
        dl.facts {
            dt { "Version" } dd { (version.id.version) ", " (version.state.name()) }
            dt { "Scope" } dd { code hx-disable dir="auto" { (line.scope) } }
            dt { "Does" } dd { (does(version.action)) " " (length(version.period)) " (" (version.period) ")" }
            dt { "From" }
            dd {
                (from_when(version.trigger))
                @if !line.event.is_empty() { ": " code hx-disable { (line.event) } }
                ", by the calendar of " (version.zone.name())
            }
            dt { "Level" }
            dd {
                @match version.level {
                    Level::Organisation => "default of the organisation",
                    Level::Scoped => "scoped",
                    Level::Label(_) => { "label " (part::name(&line.label)) }
                }
            }
            dt { "Lock" }
            dd {
                @match version.lock {
                    Lock::None => "none",
                    Lock::Governance(until) => { "until " (part::time(until, zone, part::DAY)) ", two people can weaken it" }
                    Lock::Compliance(until) => { "until " (part::time(until, zone, part::DAY)) ", nobody can weaken it" }
                }
            }
            dt { "Review" }
            dd {
                @match version.disposition {
                    Disposition::Auto => "none: what is due goes without review",
                    Disposition::Reviewed(count) => (part::count(u64::from(count), "person", "people")),
                }
            }
            @if !line.citation.is_empty() { dt { "Follows" } dd { (part::words(&line.citation)) } }
            dt { "Reason" } dd { (part::words(&line.reason)) }
            dt { "Written" }
            dd { (part::time(version.created, zone, part::MINUTE)) " by " (part::name(&line.author)) }
            @if version.state != PolicyState::Draft {
                dt { "Counts from" } dd { (part::time(version.valid_from, zone, part::MINUTE)) }
            }
            @if let Some(by) = &line.approved_by { dt { "Second person" } dd { (part::name(by)) } }
        }
    }
}

fn simulation(simulated: &Simulated, zone: Tz) -> Markup {
    let found = &simulated.found;
    let apps = found
        .by_app
        .iter()
        .map(|(app, count)| (part::app(*app), *count));
    let years = found.by_year.iter().map(|(year, count)| (*year, *count));
    html! {
        section #simulation aria-label="Simulation" {
            h2 { "Simulation as of " (part::time(found.as_of, zone, part::MINUTE)) }
            p {
                strong { (part::number(found.eligible)) " would be due" } " of "
                (part::count(found.records, "message", "messages")) ", counted in "
                (simulated.took.as_millis()) " ms " (part::entry(simulated.audit.seq))
            }
            p .notice .warn[found.more > 0] .good[found.more == 0] {
                "Beside the rules in force (" (part::number(found.eligible_now)) " due): "
                (part::number(found.more)) " more would go, " (part::number(found.fewer)) " fewer."
            }
            (retention::kept_view(&found.blocked))
            @if found.future_dated > 0 {
                p { (part::number(found.future_dated)) " claim a time in the future: their period begins when they were taken in." }
            }
            div.cards {
                (form::counts("By platform", &form::named(apps)))
                (form::counts("By person", &simulated.by_person))
                (form::counts("By year", &form::named(years)))
            }
            @if !simulated.samples.is_empty() {
                details {
                    summary { (part::count(simulated.samples.len() as u64, "sample", "samples")) ", always the same ones of the same list" }
                    ul.rows { @for id in &simulated.samples { li { (why::link(*id)) } } }
                }
            }
        }
    }
}

#[derive(Clone, Default, Deserialize)]
struct AsOf {
    #[serde(default)]
    as_of: String,
}

async fn simulate(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<AsOf>,
) -> Page {
    let id = policy_id(&id)?;
    // What is not there is said at once.
    let (story, zone) = load(&house, &who, id).await?;
    let begun = match form::day(&typed.as_of, zone) {
        Err(refusal) => Err(refusal),
        Ok(day) => {
            let (session, shelf) = (who.session.clone(), house.simulations.clone());
            let act = move |job| simulating(session, shelf, (id, day), job);
            trial::begun(&house, &who, "Simulate a policy", act).await
        }
    };
    match begun {
        Ok(job) => {
            let page = trial::address(&format!("/policies/{id}"), job);
            // A page that looks again by itself must not stand at a place inside itself.
            let place = match house.simulations.get(job) {
                Some(_) => "#simulation",
                None => "",
            };
            Ok(Redirect::to(&format!("{page}{place}")).into_response())
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let shown = Shown {
                as_of: typed.as_of,
                ..Shown::of(&story, zone)
            };
            Ok(shown.page(&frame, Some(&refusal)))
        }
    }
}

/// What a simulation does as a job.
fn simulating(
    session: Session,
    shelf: Shelf<Simulated>,
    (id, day): (PolicyId, Option<Timestamp>),
    job: JobId,
) -> Act {
    Box::new(move |appliance, teller| {
        let found = appliance.simulate_policy_watched(&session, id, day, &mut teller.heed())?;
        let (due, of) = (found.found.eligible, found.found.records);
        let would = part::count(due, "message would be due", "messages would be due");
        let mut result = JobResult::new(Tone::Good, format!("{would} of {}.", part::number(of)));
        result.page = Some(trial::address(&format!("/policies/{id}"), job));
        result.audit = Some(found.audit.seq);
        shelf.put(job, found);
        Ok(result)
    })
}

#[derive(Clone, Default, Deserialize)]
struct Change {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirm: String,
}

async fn enable(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Change>,
) -> Page {
    let id = policy_id(&id)?;
    if let Some(first) = step_up::asked(&who, &format!("/policies/{id}")) {
        return Ok(first);
    }
    let (story, _) = load(&house, &who, id).await?;
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let sure = match locks_for_good(&story) {
        Some(_) => form::confirmed(&typed.confirm, &story.line.name),
        None => Ok(()),
    };
    let answer = match sure {
        Err(refusal) => Err(refusal),
        Ok(()) => {
            house
                .ask(move |appliance| appliance.enable_policy(&session, id, &reason))
                .await
        }
    };
    changed(&house, &frame, &who, id, ("enabled", answer, typed)).await
}

async fn disable(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Change>,
) -> Page {
    let id = policy_id(&id)?;
    if let Some(first) = step_up::asked(&who, &format!("/policies/{id}")) {
        return Ok(first);
    }
    let (story, _) = load(&house, &who, id).await?;
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let answer = match form::confirmed(&typed.confirm, &story.line.name) {
        Err(refusal) => Err(refusal),
        Ok(()) => {
            house
                .ask(move |appliance| appliance.disable_policy(&session, id, &reason))
                .await
        }
    };
    changed(&house, &frame, &who, id, ("disabled", answer, typed)).await
}

async fn changed(
    house: &Arc<House>,
    frame: &Frame,
    who: &Who,
    id: PolicyId,
    (did, answer, typed): (&str, Result<PolicyChanged, Refusal>, Change),
) -> Page {
    match answer {
        Ok(done) => {
            let did = if done.weaker.is_empty() {
                did
            } else {
                "weakened"
            };
            Ok(form::after(&format!("/policies/{id}"), did, done.audit.seq))
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let (story, zone) = load(house, who, id).await?;
            let shown = Shown {
                reason: typed.reason,
                ..Shown::of(&story, zone)
            };
            Ok(shown.page(frame, Some(&refusal)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_said_in_words() {
        let said = |text: &str| length(text.parse().unwrap());
        assert_eq!(said("P7Y"), "7 years");
        assert_eq!(said("P1Y6M"), "1 year 6 months");
        assert_eq!(said("P90D"), "90 days");
        assert_eq!(said("infinite"), "without end");
    }
}
