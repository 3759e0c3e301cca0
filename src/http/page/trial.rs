//! Long looks that a page asks for: started as jobs, shown on the page that asked, with and without
//! script. What they found waits in memory for whoever asked; that they ran stands in the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobLine, JobState};
use super::super::outbox::start_as;
use super::super::refusal::Refusal;
use super::frame::Frame;
use super::job;
use crate::domain::JobId;

/// How long a form waits for its answer before it shows the way there.
const PATIENCE: Duration = Duration::from_millis(800);
/// Between two looks whether the answer has come.
const LOOK_EVERY: Duration = Duration::from_millis(15);
/// Answers that are kept; the eldest is forgotten first.
const KEPT_MAX: usize = 64;

/// What long looks found, by their jobs. Whoever takes something shows first that the job is theirs.
pub(in crate::http) struct Shelf<T>(Arc<Mutex<VecDeque<(JobId, T)>>>);

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Shelf(Arc::default())
    }
}

impl<T> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Shelf(Arc::clone(&self.0))
    }
}

impl<T: Clone> Shelf<T> {
    /// Puts something there; what the same job put there before goes.
    pub(super) fn put(&self, job: JobId, found: T) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|(one, _)| *one != job);
        while shelf.len() >= KEPT_MAX {
            shelf.pop_front();
        }
        shelf.push_back((job, found));
    }

    /// What a job put there, as long as it is remembered.
    pub(super) fn get(&self, job: JobId) -> Option<T> {
        let shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = shelf.iter().find(|(one, _)| *one == job);
        found.map(|(_, found)| found.clone())
    }
}

/// The job that an address names.
#[derive(Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    trial: String,
}

impl Wanted {
    /// The job; `None` where the address names none, or one that is forgotten or somebody else's.
    pub(super) async fn job(&self, house: &House, who: &Who) -> Result<Option<JobLine>, Refusal> {
        let Ok(id) = self.trial.parse() else {
            return Ok(None);
        };
        match house.job_of(who, id).await {
            Ok(job) => Ok(Some(job)),
            Err(refusal) if refusal == Refusal::not_found() => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

/// Where a page shows a job that it asked for.
pub(super) fn address(page: &str, job: JobId) -> String {
    format!("{page}?trial={job}")
}

/// Starts a long look and waits a moment: most are over before somebody could read that they began.
///
/// # Errors
/// As the job where it is refused by then, so that the form can say so at its place.
pub(super) async fn begun(
    house: &House,
    who: &Who,
    title: &'static str,
    act: impl FnOnce(JobId) -> Act,
) -> Result<JobId, Refusal> {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let id = appliance.mint_job();
    start_as(house, who, id, title, true, act(id))?;
    let began = Instant::now();
    loop {
        match house.job_of(who, id).await?.state {
            JobState::Refused(refusal) => return Err(refusal),
            state if state.is_over() || began.elapsed() > PATIENCE => return Ok(id),
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

/// How a job stands that `page` asked for, until it is over and the page shows what was found.
pub(super) fn standing(frame: &Frame, job: &JobLine, page: &str) -> Markup {
    html! {
        (job::state_on(frame, job, Some(page)))
        @if !job.state.is_over() { (job::look_again()) }
        @else if matches!(job.state, JobState::Done(_)) {
            p.aside { "The whole account was kept for a while and is gone; ask again to see it." }
        }
    }
}

/// A page of its own for a job that is under way, was refused late, stopped or cut off.
pub(super) fn alone(
    frame: &Frame,
    job: &JobLine,
    page: &str,
    head: &Markup,
    again: &Markup,
) -> Response {
    frame.page(&html! {
        (head)
        (standing(frame, job, page))
        @if job.state.is_over() { (again) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shelf_forgets_the_eldest_and_keeps_one_answer_of_a_job() {
        let shelf = Shelf::default();
        shelf.put(JobId(1), "first");
        shelf.put(JobId(1), "second");
        assert_eq!(shelf.get(JobId(1)), Some("second"));
        for no in 0..KEPT_MAX as u128 {
            shelf.put(JobId(100 + no), "later");
        }
        assert_eq!(shelf.get(JobId(1)), None);
        assert_eq!(shelf.get(JobId(100)), Some("later"));
    }
}
