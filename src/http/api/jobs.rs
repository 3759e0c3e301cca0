//! Long acts: listed, watched, listened to, cancelled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{JobEnd, JobLine, JobState, Tone};
use super::super::posted::Asked;
use super::super::route::{Access, Route};
use super::super::stream::Seat;
use super::json::{Answer, Instant, Named, answer, id};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use crate::domain::{ApiScope, JobId};

const TOPIC: &str = "Jobs";
/// How often a listener is told how a job stands, when that changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How often it is asked whether the listener may still listen.
const ASK_EVERY: Duration = Duration::from_millis(500);
/// After so long without news a line is sent that says nothing, so that nobody takes the connection
/// for dead.
const SILENCE_MAX: Duration = Duration::from_secs(15);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/jobs", Access::SignedIn, || get(list)).doing(
        Operation::read(
            TOPIC,
            "listJobs",
            "Lists the jobs you started, eldest first, those before the last restart included",
            ApiScope::SystemRead,
            Gives::Page(Shape::of::<Job>()),
        )
        .without_scope(),
    ),
    Route::get("/api/v1/jobs/{id}", Access::SignedIn, || get(show)).doing(
        Operation::read(
            TOPIC,
            "showJob",
            "Shows how a job stands, and what it came to",
            ApiScope::SystemRead,
            Gives::One(Shape::of::<Job>()),
        )
        .without_scope(),
    ),
    Route::get("/api/v1/jobs/{id}/events", Access::SignedIn, || get(events)).doing(
        Operation::read(
            TOPIC,
            "listenToJob",
            "Tells each change of a job as it comes (server-sent events named `job`, each a Job), until it is over",
            ApiScope::SystemRead,
            Gives::Bytes("text/event-stream", "Events, each with a Job as its data"),
        )
        .without_scope(),
    ),
    Route::post("/api/v1/jobs/{id}/cancel", Access::SignedIn, || post(cancel)).doing(
        Operation::read(
            TOPIC,
            "cancelJob",
            "Asks a job to stop: what waits is not begun, what runs stops where it can; what is done stays",
            ApiScope::SystemRead,
            Gives::One(Shape::of::<Job>()),
        )
        .without_scope()
        .accepted(),
    ),
];

/// A long act.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(in crate::http) struct Job {
    id: String,
    /// What it does, in words.
    title: String,
    /// waiting, running, done, refused, stopped, or interrupted: the server ended before it was over.
    state: &'static str,
    began: Instant,
    ended: Option<Instant>,
    /// Whether it can be cancelled half-way.
    cancels: bool,
    /// Whether somebody asked it to stop.
    cancelling: bool,
    /// While it runs.
    progress: Option<JobProgress>,
    /// What is not as it should be.
    warnings: Vec<String>,
    /// Once it is done.
    result: Option<JobOutcome>,
    /// Why it was refused: a problem as it would have been answered.
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
    /// What is safe, where it was stopped or interrupted, and what to do.
    saved: Option<String>,
}

/// How far a job is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct JobProgress {
    /// What is being done.
    stage: String,
    done: u64,
    /// null when nobody knows.
    total: Option<u64>,
    /// bytes, messages, files or steps.
    unit: &'static str,
    /// Seconds to the end of this stage; null when nobody knows.
    eta: Option<u64>,
}

/// What a job came to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
struct JobOutcome {
    /// good, warning or bad.
    tone: &'static str,
    /// One sentence.
    text: String,
    /// Figures by name, as a page shows them.
    facts: BTreeMap<String, String>,
    /// Number of the entry in the audit log.
    audit: Option<u64>,
    /// The same for programs: what the operation that started it says; null where it says nothing.
    #[schema(value_type = Option<Object>)]
    details: Value,
}

/// A job that was started, as the answer: 202, where it is, and how it stands.
pub(super) async fn started(house: &House, who: &Who, id: JobId) -> Answer {
    let line = house.job_of(who, id).await?;
    let mut response = (StatusCode::ACCEPTED, axum::Json(job(&line))).into_response();
    if let Ok(place) = HeaderValue::from_str(&format!("/api/v1/jobs/{id}")) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    Ok(response)
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let lines = house.jobs_of(&who).await?;
    let page = house
        .try_ask(move |appliance| {
            let place = |line: &JobLine| line.id.0;
            paged.page(appliance, &who.session, "jobs", lines, place, job)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let line = house.job_of(&who, id(&name)?).await?;
    answer(StatusCode::OK, &job(&line))
}

async fn cancel(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let line = house.job_of(&who, id(&name)?).await?;
    house.jobs.stop(who.session.actor.no, line.id);
    started(&house, &who, line.id).await
}

/// Somebody who listens to a job.
struct Listener {
    house: Arc<House>,
    who: Who,
    id: JobId,
    _seat: Seat,
    told: Option<Job>,
    spoke: Moment,
    asked: Moment,
    is_over: bool,
}

async fn events(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let line = house.job_of(&who, id(&name)?).await?;
    let listener = Listener {
        _seat: house.seats.take(who.session.actor.no)?,
        house,
        who,
        id: line.id,
        told: None,
        spoke: Moment::now(),
        asked: Moment::now(),
        is_over: false,
    };
    let body = stream::unfold(listener, |mut listener| async move {
        let piece = listener.next().await?;
        Some((Ok::<Bytes, std::convert::Infallible>(piece), listener))
    });
    let mut response = Response::new(Body::from_stream(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/event-stream"),
    );
    Ok(response)
}

impl Listener {
    /// What is to be said next, as soon as there is something; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        loop {
            if self.house.is_ending() || !self.may_listen().await {
                return None;
            }
            let line = self.house.job_of(&self.who, self.id).await.ok()?;
            let now = job(&line);
            if self.told.as_ref() != Some(&now) {
                self.is_over = line.state.is_over();
                self.spoke = Moment::now();
                let data = serde_json::to_string(&now).ok()?;
                self.told = Some(now);
                return Some(format!("event: job\ndata: {data}\n\n").into());
            }
            if self.spoke.elapsed() >= SILENCE_MAX {
                self.spoke = Moment::now();
                return Some(Bytes::from_static(b":\n\n"));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether session or token still stand: what is revoked is cut off.
    async fn may_listen(&mut self) -> bool {
        if self.told.is_some() && self.asked.elapsed() < ASK_EVERY {
            return true;
        }
        self.asked = Moment::now();
        let session = self.who.session.clone();
        let stands = self.house.ask(move |one| one.still_stands(&session)).await;
        stands.unwrap_or(false)
    }
}

/// A job for programs.
pub(in crate::http) fn job(line: &JobLine) -> Job {
    let (mut result, mut problem, mut saved) = (None, None, None);
    let mut warnings = Vec::new();
    match &line.state {
        JobState::Waiting | JobState::Running { .. } => {}
        JobState::Done(end) => {
            warnings.clone_from(&end.problems);
            if end.tone != Tone::Good && warnings.is_empty() {
                warnings.push(end.text.clone());
            }
            result = Some(outcome(end));
        }
        JobState::Refused(refusal) => problem = Some(refusal.to_value()),
        JobState::Stopped(text) => saved = Some(text.clone()),
        JobState::Interrupted => saved = Some(super::super::jobs::INTERRUPTED.to_owned()),
    }
    Job {
        id: line.id.to_string(),
        title: line.title.clone().into_owned(),
        state: line.state.name(),
        began: Instant(line.began),
        ended: line.ended.map(Instant),
        cancels: line.stops,
        cancelling: line.stopping,
        progress: progress(&line.state),
        warnings,
        result,
        problem,
        saved,
    }
}

fn outcome(end: &JobEnd) -> JobOutcome {
    JobOutcome {
        tone: end.tone.name(),
        text: end.text.clone(),
        facts: end.facts.iter().cloned().collect(),
        audit: end.audit,
        details: end.details.clone(),
    }
}

fn progress(state: &JobState) -> Option<JobProgress> {
    let JobState::Running {
        stage,
        done,
        total,
        since,
    } = state
    else {
        return None;
    };
    let left = total.saturating_sub(*done);
    let spent = since.elapsed().as_secs();
    Some(JobProgress {
        stage: stage.clone(),
        done: *done,
        total: (*total > 0).then_some(*total),
        unit: unit_of(stage),
        eta: (*total > 0 && *done > 0).then(|| spent.saturating_mul(left) / done),
    })
}

/// What the steps of a stage are.
fn unit_of(stage: &str) -> &'static str {
    match stage {
        "reading" | "table" | "page" => "bytes",
        "attachments" => "files",
        stage if stage.contains("messages") => "messages",
        _ => "steps",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn x1_progress_says_how_far_and_how_long() {
        let line = |done, total, seconds| JobLine {
            id: JobId(1),
            title: "Import".into(),
            began: Timestamp(0),
            ended: None,
            state: JobState::Running {
                stage: "reading".to_owned(),
                done,
                total,
                since: Moment::now() - Duration::from_secs(seconds),
            },
            stops: true,
            stopping: false,
        };
        let told = |line| job(&line).progress.unwrap();
        let half = told(line(50, 100, 10));
        assert_eq!(
            (half.unit, half.total, half.eta),
            ("bytes", Some(100), Some(10))
        );
        assert_eq!(told(line(0, 100, 10)).eta, None);
        assert_eq!(told(line(7, 0, 10)).total, None);
    }
}
