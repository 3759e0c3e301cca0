//! Labels: made, put on messages and conversations, taken off.

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
use super::json::{Answer, Given, Instant, Named, answer, id, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use crate::app::{Appliance, LabelLine, LabelOn, Session};
use crate::domain::{ApiScope, LabelId, Right};

const TOPIC: &str = "Labels";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/labels", Access::With(Right::ReadRules), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listLabels",
        "Lists the labels, and how much carries them",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Label>()),
    )),
    Route::post("/api/v1/labels", Access::With(Right::MarkRecords), || {
        post(create)
    })
    .doing(
        Operation::read(
            TOPIC,
            "createLabel",
            "Makes a label",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Made>()),
        )
        .starting(Shape::of::<NewLabel>()),
    ),
    Route::post(
        "/api/v1/labels/{id}/records",
        Access::With(Right::MarkRecords),
        || post(apply),
    )
    .doing(
        Operation::read(
            TOPIC,
            "applyLabel",
            "Puts a label on a message or a conversation; it takes the place of the one that is there",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Marked>()),
        )
        .starting(Shape::of::<On>()),
    ),
    Route::post(
        "/api/v1/labels/removals",
        Access::With(Right::MarkRecords),
        || post(remove),
    )
    .doing(
        Operation::read(
            TOPIC,
            "removeLabel",
            "Takes the label off a message or a conversation; what a compliance lock earned stays",
            ApiScope::PolicyWrite,
            Gives::One(Shape::of::<Marked>()),
        )
        .starting(Shape::of::<Off>()),
    ),
];

/// A label.
#[derive(Serialize, ToSchema)]
struct Label {
    id: String,
    name: String,
    created: Instant,
    /// Messages that carry it as their own.
    messages: u64,
    conversations: u64,
}

/// A label as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewLabel {
    name: String,
}

/// A label that was made.
#[derive(Serialize, ToSchema)]
struct Made {
    id: String,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// What is to carry a label: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct On {
    /// Id of a message.
    #[serde(default)]
    message: Option<String>,
    /// Id of a conversation: its messages that carry no label of their own.
    #[serde(default)]
    conversation: Option<String>,
    /// Why, for a message that a request for erasure restricted; for people whose role may look at it.
    #[serde(default)]
    restricted: Option<String>,
}

/// What is to lose its label: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Off {
    /// Id of a message.
    #[serde(default)]
    message: Option<String>,
    /// Id of a conversation.
    #[serde(default)]
    conversation: Option<String>,
    /// Why.
    reason: String,
    /// Why it is looked at, for a message that a request for erasure restricted.
    #[serde(default)]
    restricted: Option<String>,
}

/// What was done.
#[derive(Serialize, ToSchema)]
struct Marked {
    /// Id of the message or conversation.
    on: String,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.labels(&who.session)?;
            let place = |line: &LabelLine| line.id.0;
            paged.page(appliance, &who.session, "labels", lines, place, label)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn create(State(house): State<Arc<House>>, who: Who, Given(new): Given<NewLabel>) -> Answer {
    let (id, audit) = house
        .ask(move |appliance| appliance.create_label(&who.session, &new.name))
        .await?;
    let made = Made {
        id: id.to_string(),
        audit: audit.seq.0,
    };
    answer(StatusCode::CREATED, &made)
}

async fn apply(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Given(on): Given<On>,
) -> Answer {
    let (label, asked): (LabelId, _) = (id(&name)?, on.restricted);
    let on = target(on.message.as_deref(), on.conversation.as_deref())?;
    let audit = house
        .ask(move |appliance| {
            let session = looking(appliance, &who, on, asked.as_deref())?;
            appliance.apply_label(&session, &label.to_string(), on)
        })
        .await?;
    marked(on, audit.seq.0)
}

async fn remove(State(house): State<Arc<House>>, who: Who, Given(off): Given<Off>) -> Answer {
    let on = target(off.message.as_deref(), off.conversation.as_deref())?;
    let audit = house
        .ask(move |appliance| {
            let session = looking(appliance, &who, on, off.restricted.as_deref())?;
            appliance.remove_label(&session, on, &off.reason)
        })
        .await?;
    marked(on, audit.seq.0)
}

/// The session that acts; with a reason, one that is shown what a request restricted.
fn looking(
    appliance: &Appliance,
    who: &Who,
    on: LabelOn,
    reason: Option<&str>,
) -> crate::app::Result<Session> {
    match reason {
        None => Ok(who.session.clone()),
        Some(reason) => appliance.look_at_restricted(&who.session, &on.to_string(), reason),
    }
}

fn marked(on: LabelOn, audit: u64) -> Answer {
    let marked = Marked {
        on: on.to_string(),
        audit,
    };
    answer(StatusCode::CREATED, &marked)
}

fn target(message: Option<&str>, conversation: Option<&str>) -> Result<LabelOn, Refusal> {
    match (message, conversation) {
        (Some(id), None) => Ok(LabelOn::Message(read("message", id)?)),
        (None, Some(id)) => Ok(LabelOn::Conversation(read("conversation", id)?)),
        _ => Err(Refusal::usage(
            "Name one of \"message\" and \"conversation\".",
        )),
    }
}

fn label(line: &LabelLine) -> Label {
    Label {
        id: line.id.to_string(),
        name: line.name.clone(),
        created: Instant(line.created),
        messages: line.messages,
        conversations: line.conversations,
    }
}
