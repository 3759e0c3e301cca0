//! Long acts as pages: what is under way, how far it is, what it came to, and how to stop it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{INTERRUPTED, JobEnd, JobLine, JobState, Tone};
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::sign_in::safe_path;
use super::{Page, part, trial};
use crate::domain::{EntryNo, JobId};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/jobs", Access::SignedIn, || get(list)),
    Route::get("/jobs/{id}", Access::SignedIn, || get(show)),
    Route::get("/jobs/{id}/state", Access::SignedIn, || get(fragment)),
    Route::post("/jobs/{id}/stop", Access::SignedIn, || post(stop)),
];

/// Seconds after which a page without script looks again.
const LOOK_AGAIN: u32 = 2;

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let jobs = house.jobs_of(&who).await?;
    let zone = zone(&house);
    let content = html! {
        h1 { "Under way" }
        @if jobs.is_empty() {
            (part::empty(
                "Nothing is under way",
                "Imports, exports, checks and rebuilds that you start are listed here.",
                None,
            ))
        } @else {
            div.scroll {
                table.grid {
                    thead { tr { th { "What" } th { "Begun" } th { "State" } } }
                    tbody {
                        @for job in &jobs {
                            tr {
                                th scope="row" { a href={ "/jobs/" (job.id) } { (job.title) } }
                                td { (part::time(job.began, zone, part::MINUTE)) }
                                td { (chip(&job.state)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame.at(Section::Outside, "Under way").page(&content))
}

/// The zone of the workspace, for times.
pub(super) fn zone(house: &House) -> chrono_tz::Tz {
    let zone = house
        .appliance()
        .and_then(|appliance| appliance.zone_name().parse().ok());
    zone.unwrap_or(chrono_tz::UTC)
}

async fn found(house: &House, who: &Who, id: &str) -> Result<JobLine, Refusal> {
    let id: JobId = id.parse().map_err(|_| Refusal::not_found())?;
    house.job_of(who, id).await
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let job = found(&house, &who, &id).await?;
    let content = html! {
        h1 { (job.title) }
        p { "Begun " (part::time(job.began, zone(&house), part::MINUTE)) }
        (state(&frame, &job))
        @if !job.state.is_over() { (look_again()) }
        p { a href="/jobs" { "Everything under way" } }
    };
    let title = job.title.clone();
    Ok(frame.at(Section::Outside, title).page(&content))
}

/// For browsers without script: the page is asked for again.
pub(super) fn look_again() -> Markup {
    html! { noscript { meta http-equiv="refresh" content=(LOOK_AGAIN); } }
}

/// The page that asked for a job, where it is not that of the job itself.
#[derive(Deserialize)]
struct Asker {
    #[serde(default)]
    page: String,
}

impl Asker {
    fn page(&self) -> Option<&str> {
        (!self.page.is_empty()).then(|| safe_path(&self.page))
    }
}

async fn fragment(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(asker): Asked<Asker>,
) -> Page {
    let job = found(&house, &who, &id).await?;
    let mut response = state_on(&frame, &job, asker.page()).into_response();
    if asker.page().is_some() && job.state.is_over() {
        // The page itself shows what came of it.
        let headers = response.headers_mut();
        headers.insert("hx-refresh", HeaderValue::from_static("true"));
    }
    Ok(response)
}

/// How a job stands; while it goes on, this part of the page is asked for every second.
pub(super) fn state(frame: &Frame, job: &JobLine) -> Markup {
    state_on(frame, job, None)
}

/// The same on the page that asked for it, which is shown again as soon as the job is over.
pub(super) fn state_on(frame: &Frame, job: &JobLine, page: Option<&str>) -> Markup {
    let tail = page.map_or_else(String::new, |page| format!("?page={page}"));
    let polls = (!job.state.is_over()).then(|| format!("/jobs/{}/state{tail}", job.id));
    let trigger = polls.is_some().then_some("every 1s");
    html! {
        section.card data-state=(job.state.name()) hx-get=[polls] hx-trigger=[trigger] hx-swap="outerHTML" {
            @match &job.state {
                JobState::Waiting => {
                    h2 { "Waits its turn" }
                    p { "It begins by itself as soon as others are done." }
                }
                JobState::Running { stage, done, total, .. } => (running(stage, *done, *total)),
                JobState::Done(result) => (shown(result)),
                JobState::Refused(refusal) => {
                    h2 { (refusal.title) }
                    p.notice.bad role="alert" hx-disable { (refusal.detail) }
                }
                JobState::Stopped(saved) => {
                    h2 { "Stopped" }
                    p.notice.warn { (saved) }
                }
                JobState::Interrupted => {
                    h2 { "Interrupted" }
                    p.notice.warn { (INTERRUPTED) }
                }
            }
            @if job.stops && !job.state.is_over() {
                @if job.stopping { p { "It stops as soon as it can." } }
                @else {
                    form method="post" action={ "/jobs/" (job.id) "/stop" } {
                        (frame.mark())
                        @if let Some(page) = page { input type="hidden" name="page" value=(page); }
                        button type="submit" { "Stop" }
                    }
                }
            }
        }
    }
}

fn running(stage: &str, done: u64, total: u64) -> Markup {
    html! {
        h2 { "Under way" }
        p {
            (stage)
            @if total > 0 {
                ": " (part::number(done)) " of " (part::number(total))
                " (" (done.saturating_mul(100) / total) " %)"
            } @else if done > 0 { ": " (part::number(done)) }
        }
        @if total > 0 {
            progress max=(total) value=(done) aria-label="How far it is" {}
        } @else {
            progress aria-label="How far it is" {}
        }
    }
}

/// A result: a sentence, its figures, what is wrong, where to read more.
pub(super) fn shown(result: &JobEnd) -> Markup {
    let (title, class) = match result.tone {
        Tone::Good => ("Done", "notice good"),
        Tone::Warning => ("Done, with something to look at", "notice warn"),
        Tone::Bad => ("Something is wrong", "notice bad"),
    };
    html! {
        h2 { (title) }
        p class=(class) role="status" {
            span hx-disable { (result.text) }
            @if let Some(no) = result.audit { " " (part::entry(EntryNo(no))) }
        }
        @if !result.facts.is_empty() {
            dl.facts {
                @for (name, value) in &result.facts { dt { (name) } dd { (value) } }
            }
        }
        @if !result.problems.is_empty() {
            ul {
                @for problem in &result.problems { li hx-disable { (problem) } }
            }
        }
        @if let Some(page) = &result.page { p { a.button href=(page) { "See it" } } }
    }
}

/// The state as a word with a colour.
pub(super) fn chip(state: &JobState) -> Markup {
    let (word, class) = match state {
        JobState::Waiting => ("waiting", "chip"),
        JobState::Running { .. } => ("under way", "chip"),
        JobState::Done(result) => match result.tone {
            Tone::Good => ("done", "chip good"),
            Tone::Warning => ("done, look at it", "chip warn"),
            Tone::Bad => ("something is wrong", "chip bad"),
        },
        JobState::Refused(_) => ("refused", "chip bad"),
        JobState::Stopped(_) => ("stopped", "chip warn"),
        JobState::Interrupted => ("interrupted", "chip warn"),
    };
    html! { span class=(class) { (word) } }
}

async fn stop(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    Posted(asker): Posted<Asker>,
) -> Page {
    let job = found(&house, &who, &id).await?;
    house.jobs.stop(who.session.actor.no, job.id);
    let to = match asker.page() {
        Some(page) => trial::address(page, job.id),
        None => format!("/jobs/{}", job.id),
    };
    Ok(Redirect::to(&to).into_response())
}

#[cfg(test)]
mod tests {
    use super::super::super::jobs::JobResult;
    use super::*;

    #[test]
    fn what_is_wrong_is_said_in_words_and_not_by_colour_alone() {
        let mut result = JobResult::new(Tone::Bad, "the log is <broken>");
        result.problems.push("entry 7".to_owned());
        let text = shown(&result.into()).into_string();
        assert!(text.contains("Something is wrong") && text.contains("entry 7"));
        assert!(text.contains("&lt;broken&gt;"));
        let waiting = chip(&JobState::Waiting).into_string();
        assert!(waiting.contains("waiting"));
    }
}
