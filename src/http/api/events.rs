//! Events: things that happened and start periods.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, answer};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use crate::app::{EventLine, NewEvent};
use crate::domain::{ApiScope, EventNo, Right};

const TOPIC: &str = "Events";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/events", Access::With(Right::ReadRules), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listEvents",
        "Lists what happened, in the order of recording",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Event>()),
    )),
    Route::post("/api/v1/events", Access::With(Right::MarkRecords), || {
        post(record)
    })
    .doing(
        Operation::read(
            TOPIC,
            "recordEvent",
            "Records that something happened; periods that begin with it count from then on",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Recorded>()),
        )
        .starting(Shape::of::<Happened>()),
    ),
];

/// Something that happened.
#[derive(Serialize, ToSchema)]
struct Event {
    number: u64,
    /// What happened, such as employee_left.
    kind: String,
    /// To whom or what, such as emp42.
    key: String,
    at: Instant,
    recorded: Instant,
    /// The event it corrects.
    corrects: Option<u64>,
    reason: String,
}

/// Something that happened, as it is recorded.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Happened {
    /// What happened, such as employee_left.
    kind: String,
    /// To whom or what, such as emp42.
    key: String,
    /// When.
    at: Instant,
    /// Why it is recorded.
    reason: String,
    /// Number of the event that it corrects: of the same kind and key.
    #[serde(default)]
    corrects: Option<u64>,
}

/// An event that was recorded.
#[derive(Serialize, ToSchema)]
struct Recorded {
    number: u64,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.events(&who.session)?;
            let place = |line: &EventLine| u128::from(line.no.0);
            paged.page(appliance, &who.session, "events", lines, place, event)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn record(
    State(house): State<Arc<House>>,
    who: Who,
    Given(happened): Given<Happened>,
) -> Answer {
    let corrects = match happened.corrects.map(u32::try_from) {
        None => None,
        Some(Ok(no)) => Some(EventNo(no)),
        Some(Err(_)) => return Err(Refusal::not_found()),
    };
    let (no, audit) = house
        .ask(move |appliance| {
            let new = NewEvent {
                kind: &happened.kind,
                key: &happened.key,
                at: happened.at.0,
                reason: &happened.reason,
                corrects,
            };
            appliance.record_event(&who.session, &new)
        })
        .await?;
    let recorded = Recorded {
        number: no.0.into(),
        audit: audit.seq.0,
    };
    answer(StatusCode::CREATED, &recorded)
}

fn event(line: &EventLine) -> Event {
    Event {
        number: line.no.0.into(),
        kind: line.kind.clone(),
        key: line.key.clone(),
        at: Instant(line.at),
        recorded: Instant(line.recorded),
        corrects: line.corrects.map(|no| no.0.into()),
        reason: line.reason.clone(),
    }
}
