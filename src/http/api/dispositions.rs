//! Disposition: lists of what is due, their review by people, and their run.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
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
use super::json::{Answer, Given, Instant, Named, answer, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::tagged;
use crate::app::{BatchLine, Review};
use crate::domain::{ApiScope, BatchNo, JobId, Right};
use crate::store::DispositionState;

const TOPIC: &str = "Dispositions";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get(
        "/api/v1/dispositions",
        Access::With(Right::ReadRules),
        || get(list),
    )
    .doing(Operation::read(
        TOPIC,
        "listDispositions",
        "Lists what was put together for destruction, and how it stands",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Batch>()),
    )),
    Route::post(
        "/api/v1/dispositions",
        Access::With(Right::RequestDisposition),
        || post(plan),
    )
    .doing(
        Operation::read(
            TOPIC,
            "planDisposition",
            "Puts together what is due and asks for its destruction; reviewers decide",
            ApiScope::DispositionWrite,
            Gives::One(Shape::of::<Plan>()),
        )
        .starting(Shape::of::<Nothing>()),
    ),
    Route::get(
        "/api/v1/dispositions/{no}",
        Access::With(Right::ReadRules),
        || get(show),
    )
    .doing(Operation::read(
        TOPIC,
        "showDisposition",
        "Shows a list",
        ApiScope::PolicyRead,
        Gives::One(Shape::of::<Batch>()),
    )),
    Route::post(
        "/api/v1/dispositions/{no}/reviews",
        Access::With(Right::ReviewDisposition),
        || post(review),
    )
    .doing(
        Operation::read(
            TOPIC,
            "reviewDisposition",
            "Approves a list, takes a message off, keeps it longer, or calls the list off",
            ApiScope::DispositionWrite,
            Gives::One(Shape::of::<Batch>()),
        )
        .starting(Shape::of::<Decision>())
        .dangerous(),
    ),
    Route::post(
        "/api/v1/dispositions/{no}/runs",
        Access::With(Right::RequestDisposition),
        || post(run),
    )
    .doing(
        Operation::read(
            TOPIC,
            "runDisposition",
            "Destroys what is left on an approved list; there is no way back. The details of the job say what went",
            ApiScope::DispositionWrite,
            Gives::One(Shape::of::<Batch>()),
        )
        .starting_job(Shape::of::<Confirmation>())
        .resulting(Shape::of::<Ran>())
        .dangerous(),
    ),
    Route::get(
        "/api/v1/dispositions/{no}/certificate",
        Access::With(Right::ReadRules),
        || get(certificate),
    )
    .doing(Operation::read(
        TOPIC,
        "readCertificate",
        "Reads the signed certificate of a list that was run",
        ApiScope::PolicyRead,
        Gives::Other("The certificate, as signed"),
    )),
];

/// Nothing more to say: an empty object.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// A list of what is due.
#[derive(Serialize, ToSchema)]
struct Batch {
    number: u64,
    /// in_review, approved, handed_over, cancelled or certified.
    state: &'static str,
    /// When it was put together.
    computed: Instant,
    /// Messages on it.
    items: u64,
    /// Messages that reviewers took off.
    taken_off: u64,
    /// People who approved.
    approvals: u8,
    /// People who must.
    approvals_needed: u8,
    /// When it may run.
    runs_from: Option<Instant>,
}

/// A list as it was put together.
#[derive(Serialize, ToSchema)]
struct Plan {
    number: u64,
    items: u64,
    /// People who must approve.
    approvals_needed: u8,
    /// Due, and protected by a hold: not on the list.
    held: u64,
    /// On it because a person asked for it.
    requested: u64,
    /// Ids of some of them.
    samples: Vec<String>,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// What a reviewer decides.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Decision {
    /// approve, exclude, extend or cancel.
    decision: String,
    /// Id of the message, for exclude and extend.
    #[serde(default)]
    message: Option<String>,
    /// Until when it is kept, for extend.
    #[serde(default)]
    until: Option<Instant>,
    /// Why.
    reason: String,
}

/// That this list is meant.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The number of the list, once more.
    confirm: u64,
}

/// What a run destroyed.
#[derive(Serialize, ToSchema)]
struct Ran {
    number: u64,
    /// Messages destroyed.
    destroyed: u64,
    /// Messages that stayed, because something protects them now.
    stayed: u64,
    /// Files of attachments removed.
    files: u64,
    /// When it was decided; null when nothing was destroyed.
    decided: Option<Instant>,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.dispositions(&who.session)?;
            let place = |line: &BatchLine| u128::from(line.batch.0);
            paged.page(appliance, &who.session, "dispositions", lines, place, batch)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(number): Named<u64>) -> Answer {
    let lines = house
        .ask(move |appliance| appliance.dispositions(&who.session))
        .await?;
    let line = lines.iter().find(|line| line.batch.0 == number);
    tagged(&batch(line.ok_or_else(Refusal::not_found)?))
}

async fn plan(State(house): State<Arc<House>>, who: Who, Given(_): Given<Nothing>) -> Answer {
    let planned = house
        .ask(move |appliance| appliance.plan_disposition(&who.session))
        .await?;
    let plan = Plan {
        number: planned.batch.0,
        items: planned.items,
        approvals_needed: planned.reviewers,
        held: planned.held,
        requested: planned.requested,
        samples: planned.samples.iter().map(ToString::to_string).collect(),
        audit: planned.audit.seq.0,
    };
    answer(StatusCode::CREATED, &plan)
}

async fn review(
    State(house): State<Arc<House>>,
    who: Who,
    Named(number): Named<u64>,
    Given(decision): Given<Decision>,
) -> Answer {
    let review = decision.read()?;
    let number = BatchNo(number);
    let (line, _) = house
        .ask(move |appliance| {
            appliance.review_disposition(&who.session, number, review, &decision.reason)
        })
        .await?;
    answer(StatusCode::CREATED, &batch(&line))
}

async fn run(
    State(house): State<Arc<House>>,
    who: Who,
    Named(number): Named<u64>,
    Given(typed): Given<Confirmation>,
) -> Answer {
    if typed.confirm != number {
        return Err(Refusal::usage("\"confirm\" is the number of the list."));
    }
    let job = begin_run(&house, &who, BatchNo(number))?;
    started(&house, &who, job).await
}

/// Starts the run of a list.
pub(in crate::http) fn begin_run(
    house: &House,
    who: &Who,
    batch: BatchNo,
) -> Result<JobId, Refusal> {
    let session = who.session.clone();
    let act: Act = Box::new(move |appliance, teller| {
        let told = |done, of| teller.tell("messages decided", done, of);
        let erased = appliance.run_disposition_told(&session, batch, &told)?;
        let ran = Ran {
            number: batch.0,
            destroyed: erased.erased.len() as u64,
            stayed: erased.dropped.len() as u64,
            files: erased.blobs,
            decided: erased.decided.and_then(Instant::of),
        };
        let text = format!(
            "{} destroyed, checked afterwards, certified.",
            part::count(ran.destroyed, "message", "messages")
        );
        let mut result = JobResult::new(Tone::Good, text).telling(&ran);
        result.facts = vec![
            ("Destroyed", part::number(ran.destroyed)),
            (
                "Stayed, because something protects them now",
                part::number(ran.stayed),
            ),
            ("Files removed", part::number(ran.files)),
        ];
        result.page = Some(format!("/dispositions/{}/certificate", batch.0));
        Ok(result)
    });
    start(house, who, "Destroy what is on a list", false, act)
}

async fn certificate(
    State(house): State<Arc<House>>,
    who: Who,
    Named(number): Named<u64>,
) -> Answer {
    let wanted = BatchNo(number);
    let bytes = house
        .ask(move |appliance| appliance.certificate(&who.session, wanted))
        .await?;
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, bytes).into_response())
}

impl Decision {
    fn read(&self) -> Result<Review, Refusal> {
        let message = || match &self.message {
            Some(text) => read("message", text),
            None => Err(Refusal::usage("\"message\" says which.")),
        };
        match (self.decision.as_str(), self.until) {
            ("approve", None) => Ok(Review::Approve),
            ("cancel", None) => Ok(Review::Cancel),
            ("exclude", None) => Ok(Review::Exclude(message()?)),
            ("extend", Some(until)) => Ok(Review::Extend(message()?, until.0)),
            _ => Err(Refusal::usage(
                "\"decision\" is approve, cancel, exclude with \"message\", or extend with \
                 \"message\" and \"until\".",
            )),
        }
    }
}

fn batch(line: &BatchLine) -> Batch {
    Batch {
        number: line.batch.0,
        state: state_name(line.state),
        computed: Instant(line.computed),
        items: line.items,
        taken_off: line.taken_off,
        approvals: line.approvals.0,
        approvals_needed: line.approvals.1,
        runs_from: line.runs_from.and_then(Instant::of),
    }
}

fn state_name(state: DispositionState) -> &'static str {
    match state {
        DispositionState::InReview => "in_review",
        DispositionState::Approved => "approved",
        DispositionState::HandedOver => "handed_over",
        DispositionState::Cancelled => "cancelled",
        DispositionState::Certified => "certified",
    }
}
