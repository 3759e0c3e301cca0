//! Legal holds: previewed, placed, listed, released by two people.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, patch, post};
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
use crate::app::{Appliance, HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold, Session};
use crate::domain::{ApiScope, HoldId, Right};

const TOPIC: &str = "Holds";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/holds", Access::With(Right::ReadRules), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listHolds",
        "Lists the holds",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Hold>()),
    )),
    Route::post("/api/v1/holds", Access::With(Right::PlaceHolds), || {
        post(place)
    })
    .doing(
        Operation::read(
            TOPIC,
            "placeHold",
            "Places a hold; it protects when this is answered",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Hold>()),
        )
        .starting(Shape::of::<Order>()),
    ),
    Route::post(
        "/api/v1/holds/preview",
        Access::With(Right::PlaceHolds),
        || post(preview),
    )
    .doing(
        Operation::read(
            TOPIC,
            "previewHold",
            "Says what a hold would protect; nothing is placed. The details of the job are an Extent",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Extent>()),
        )
        .starting_job(Shape::of::<Target>())
        .resulting(Shape::of::<Extent>()),
    ),
    Route::get("/api/v1/holds/{id}", Access::With(Right::ReadRules), || {
        get(show)
    })
    .doing(Operation::read(
        TOPIC,
        "showHold",
        "Shows a hold",
        ApiScope::PolicyRead,
        Gives::One(Shape::of::<Hold>()),
    )),
    Route::new(
        Method::PATCH,
        "/api/v1/holds/{id}",
        Access::With(Right::ReleaseHolds),
        || patch(release),
    )
    .doing(
        Operation::read(
            TOPIC,
            "releaseHold",
            "Asks for the release of a hold, or agrees to it as the second person",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Released>()),
        )
        .changing(Some(Shape::of::<Release>()))
        .dangerous(),
    ),
];

/// What a hold protects: one of the four.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Target {
    /// Whatever it matches, also what comes later.
    #[serde(default)]
    query: Option<String>,
    /// Every conversation of a person, by name, handle or id.
    #[serde(default)]
    custodian: Option<String>,
    /// One conversation, by id.
    #[serde(default)]
    conversation: Option<String>,
    /// These messages, by id.
    #[serde(default)]
    messages: Option<Vec<String>>,
    /// Zone of the dates of the query.
    #[serde(default)]
    zone: Option<String>,
    /// Warnings accepted by code.
    #[serde(default)]
    accept: Vec<String>,
}

/// A hold as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Order {
    /// Id of the matter.
    matter: String,
    /// What people call it.
    name: String,
    target: Target,
    /// Why.
    reason: String,
    /// Days that it protects after its release; 30 when absent.
    #[serde(default)]
    grace_days: Option<u16>,
    /// Messages before and after each one that are protected too.
    #[serde(default)]
    keep_context: u16,
}

/// A hold.
#[derive(Serialize, ToSchema)]
struct Hold {
    id: String,
    matter: String,
    name: String,
    /// What it protects, in words.
    protects: String,
    reason: String,
    /// Since when.
    from: Instant,
    /// active, release_requested, grace or ended.
    state: &'static str,
    /// Until when it protects, once released.
    until: Option<Instant>,
    /// Days that it protects after its release.
    grace_days: u16,
}

/// How much a hold protects.
#[derive(Serialize, ToSchema)]
struct Extent {
    messages: u64,
    /// What it protects, in words.
    protects: String,
    /// Last sequence number that the count knows.
    complete_through: u64,
    complete: bool,
}

/// What becomes of a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Release {
    /// released.
    state: String,
    /// Why.
    reason: String,
}

/// What became of a hold.
#[derive(Serialize, ToSchema)]
struct Released {
    hold: Hold,
    /// Messages that it no longer protects after the grace.
    released: u64,
    /// Those of them that may be destroyed then.
    purgeable: u64,
    /// When the grace ends.
    from: Option<Instant>,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.holds(&who.session)?;
            let place = |line: &HoldLine| line.id.0;
            paged.page(appliance, &who.session, "holds", lines, place, hold)
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

async fn place(State(house): State<Arc<House>>, who: Who, Given(order): Given<Order>) -> Answer {
    let new = NewHold {
        matter: read("matter", &order.matter)?,
        name: order.name,
        target: order.target.read()?,
        reason: order.reason,
        grace_days: order.grace_days,
        keep_context: order.keep_context,
        zone: order.target.zone,
        accept: order.target.accept,
    };
    let placed = house
        .try_ask(move |appliance| {
            let placed = appliance.place_hold(&who.session, &new)?;
            one(appliance, &who.session, placed.id)
        })
        .await?;
    tagged_as(StatusCode::CREATED, &placed)
}

async fn preview(
    State(house): State<Arc<House>>,
    who: Who,
    Given(target): Given<Target>,
) -> Answer {
    let aimed = target.read()?;
    let session = who.session.clone();
    let act: Act = Box::new(move |appliance, teller| {
        teller.tell("messages judged", 0, 0);
        let zone = target.zone.as_deref();
        let extent: HoldExtent = appliance.preview_hold(&session, &aimed, zone, &target.accept)?;
        let text = format!(
            "It would protect {}.",
            part::count(extent.messages, "message", "messages")
        );
        let shown = Extent {
            messages: extent.messages,
            protects: extent.protects,
            complete_through: extent.watermark.through,
            complete: extent.watermark.is_complete(),
        };
        Ok(JobResult::new(Tone::Good, text).telling(&shown))
    });
    let job = start(&house, &who, "Preview of a hold", false, act)?;
    started(&house, &who, job).await
}

async fn release(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(release): Given<Release>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    if release.state != "released" {
        return Err(Refusal::usage("\"state\" is released."));
    }
    let released = house
        .try_change(move |appliance| {
            seen.check(&one(appliance, &who.session, wanted)?)?;
            let done = appliance.release_hold(&who.session, wanted, &release.reason)?;
            Ok(Released {
                hold: one(appliance, &who.session, wanted)?,
                released: done.consequences.released,
                purgeable: done.consequences.purgeable,
                from: Instant::of(done.consequences.from),
                audit: done.audit.seq.0,
            })
        })
        .await?;
    answer(StatusCode::OK, &released)
}

fn one(appliance: &Appliance, session: &Session, id: HoldId) -> Result<Hold, Refusal> {
    let lines = appliance.holds(session)?;
    let line = lines.iter().find(|line| line.id == id);
    line.map(hold).ok_or_else(Refusal::not_found)
}

impl Target {
    fn read(&self) -> Result<HoldTarget, Refusal> {
        match (
            &self.query,
            &self.custodian,
            &self.conversation,
            &self.messages,
        ) {
            (Some(query), None, None, None) => Ok(HoldTarget::Query(query.clone())),
            (None, Some(person), None, None) => Ok(HoldTarget::Custodian(person.clone())),
            (None, None, Some(id), None) => Ok(HoldTarget::Conversation(read("conversation", id)?)),
            (None, None, None, Some(ids)) => {
                let ids = ids.iter().map(|id| read("messages", id));
                Ok(HoldTarget::Messages(ids.collect::<Result<_, _>>()?))
            }
            _ => Err(Refusal::usage(
                "A target is one of \"query\", \"custodian\", \"conversation\" and \"messages\".",
            )),
        }
    }
}

fn hold(line: &HoldLine) -> Hold {
    Hold {
        id: line.id.to_string(),
        matter: line.matter.to_string(),
        name: line.name.clone(),
        protects: line.protects.clone(),
        reason: line.reason.clone(),
        from: Instant(line.from),
        state: line.standing.name(),
        until: match line.standing {
            HoldStanding::Active | HoldStanding::ReleaseRequested => None,
            HoldStanding::Grace(until) | HoldStanding::Ended(until) => Instant::of(until),
        },
        grace_days: line.grace_days,
    }
}
