//! Matters: the cases that holds belong to.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, Named, answer, id};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged, tagged_as};
use crate::app::{Appliance, MatterLine, Session};
use crate::domain::{ApiScope, MatterId, Right};

const TOPIC: &str = "Matters";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/matters", Access::With(Right::ReadRules), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listMatters",
        "Lists the matters",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Matter>()),
    )),
    Route::post("/api/v1/matters", Access::With(Right::PlaceHolds), || {
        post(open)
    })
    .doing(
        Operation::read(
            TOPIC,
            "openMatter",
            "Opens a matter",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Matter>()),
        )
        .starting(Shape::of::<NewMatter>()),
    ),
    Route::get(
        "/api/v1/matters/{id}",
        Access::With(Right::ReadRules),
        || get(show),
    )
    .doing(Operation::read(
        TOPIC,
        "showMatter",
        "Shows a matter",
        ApiScope::PolicyRead,
        Gives::One(Shape::of::<Matter>()),
    )),
    Route::new(
        Method::PATCH,
        "/api/v1/matters/{id}",
        Access::With(Right::PlaceHolds),
        || patch(close),
    )
    .doing(
        Operation::read(
            TOPIC,
            "closeMatter",
            "Closes a matter whose holds have ended",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Matter>()),
        )
        .changing(Some(Shape::of::<Closing>())),
    ),
];

/// A matter as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewMatter {
    /// What people call it.
    name: String,
    /// How courts or counsel call it.
    #[serde(default)]
    reference: String,
}

/// A matter.
#[derive(Serialize, ToSchema)]
struct Matter {
    id: String,
    name: String,
    reference: String,
    opened: Instant,
    closed: Option<Instant>,
    /// Holds that belong to it.
    holds: u64,
}

/// What becomes of a matter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Closing {
    /// closed.
    state: String,
    /// Why.
    reason: String,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.matters(&who.session)?;
            let place = |line: &MatterLine| line.id.0;
            paged.page(appliance, &who.session, "matters", lines, place, matter)
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

async fn open(State(house): State<Arc<House>>, who: Who, Given(new): Given<NewMatter>) -> Answer {
    let opened = house
        .try_ask(move |appliance| {
            let (id, _) = appliance.open_matter(&who.session, &new.name, &new.reference)?;
            one(appliance, &who.session, id)
        })
        .await?;
    tagged_as(StatusCode::CREATED, &opened)
}

async fn close(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(closing): Given<Closing>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    if closing.state != "closed" {
        return Err(Refusal::usage("\"state\" is closed."));
    }
    let closed = house
        .try_change(move |appliance| {
            seen.check(&one(appliance, &who.session, wanted)?)?;
            appliance.close_matter(&who.session, wanted, &closing.reason)?;
            one(appliance, &who.session, wanted)
        })
        .await?;
    tagged(&closed)
}

fn one(appliance: &Appliance, session: &Session, id: MatterId) -> Result<Matter, Refusal> {
    let lines = appliance.matters(session)?;
    let line = lines.iter().find(|line| line.id == id);
    line.map(matter).ok_or_else(Refusal::not_found)
}

fn matter(line: &MatterLine) -> Matter {
    Matter {
        id: line.id.to_string(),
        name: line.name.clone(),
        reference: line.reference.clone(),
        opened: Instant(line.opened),
        closed: line.closed.map(Instant),
        holds: line.holds,
    }
}
