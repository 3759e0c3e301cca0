//! The audit log: entries in their order, and where to go on.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::route::{Access, Route};
use super::json::{Answer, Instant, answer};
use super::operation::{Gives, Operation, Parameter, Shape};
use super::paging::{foreign, limited};
use crate::app::{LogLine, LogRequest};
use crate::domain::{ApiScope, Right};

pub(in crate::http) const ROUTES: &[Route] =
    &[
        Route::get("/api/v1/audit", Access::With(Right::ReadAudit), || {
            get(list)
        })
        .doing(
            Operation::read(
                "Audit",
                "readAudit",
                "Reads the audit log, eldest entry first; the reading is an entry itself",
                ApiScope::AuditRead,
                Gives::One(Shape::of::<Entries>()),
            )
            .asking(&[
                Parameter::text("cursor", "Where the page before ended, as it said itself"),
                Parameter::number("limit", "Most entries, 1 to 1000; 100 when absent"),
                Parameter::time("since", "Not before this instant"),
                Parameter::time("until", "Before this instant"),
                Parameter::text("actor", "Only by this user, by id, or by `system`"),
                Parameter::text("action", "Only this act, or acts of this stem"),
                Parameter::text("object", "Only entries that name this id"),
            ]),
        ),
    ];

/// Entries of the log.
#[derive(Serialize, ToSchema)]
struct Entries {
    items: Vec<Entry>,
    /// Leads to the next page; null on the last.
    next_cursor: Option<String>,
    /// Number of the entry of this reading.
    audit: u64,
}

/// An entry.
#[derive(Serialize, ToSchema)]
struct Entry {
    number: u64,
    /// Compliance time.
    time: Instant,
    action: String,
    actor: String,
    objects: Vec<String>,
    /// What was typed, for those who may read it.
    payload: Option<String>,
    /// The entry as it is hashed.
    #[schema(value_type = Object)]
    entry: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    cursor: Option<String>,
    limit: Option<usize>,
    since: Option<Instant>,
    until: Option<Instant>,
    actor: Option<String>,
    action: Option<String>,
    object: Option<String>,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(wanted): Asked<Wanted>) -> Answer {
    let limit = limited(wanted.limit)?;
    let entries = house
        .try_ask(move |appliance| {
            let session = &who.session;
            let from = match &wanted.cursor {
                None => 0,
                Some(mark) => appliance
                    .open_mark(session, "audit", mark)
                    .and_then(|place| place.parse().ok())
                    .ok_or_else(foreign)?,
            };
            let request = LogRequest {
                since: wanted.since.map(|at| at.0),
                until: wanted.until.map(|at| at.0),
                actor: wanted.actor,
                action: wanted.action,
                object: wanted.object,
                from,
                limit,
            };
            let page = appliance.read_log(session, &request)?;
            let mark = |next: u64| appliance.seal_mark(session, "audit", &next.to_string());
            Ok(Entries {
                items: page.lines.iter().map(entry).collect(),
                next_cursor: page.next.map(mark),
                audit: page.audit.seq.0,
            })
        })
        .await?;
    answer(StatusCode::OK, &entries)
}

fn entry(line: &LogLine) -> Entry {
    let draft = &line.entry.draft;
    Entry {
        number: line.entry.seq.0,
        time: Instant(line.entry.t_c),
        action: draft.action.name().to_owned(),
        actor: draft.actor.id.clone(),
        objects: draft.objects.clone(),
        payload: line.payload.clone(),
        entry: serde_json::from_str(&line.json).unwrap_or_default(),
    }
}
