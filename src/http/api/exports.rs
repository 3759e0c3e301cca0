//! Exports: messages, or the log, leave the house in a bundle that proves itself.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::outbox::{OutLine, Packed, begin_export, begin_log};
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::super::stream::file_body;
use super::dispositions::Nothing;
use super::jobs::{Job, started};
use super::json::{Answer, Given, Instant, Named, answer, id};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged};
use crate::app::export::ExportRequest;
use crate::crypto::from_hex;
use crate::domain::{ApiScope, ExportId, Right};

const TOPIC: &str = "Exports";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/exports", Access::SignedIn, || get(list)).doing(
        Operation::read(
            TOPIC,
            "listExports",
            "Lists the exports that you made and that still wait to be fetched, eldest first",
            ApiScope::ExportCreate,
            Gives::Page(Shape::of::<Export>()),
        )
        .without_scope(),
    ),
    Route::post("/api/v1/exports", Access::With(Right::Export), || {
        post(create)
    })
    .doing(
        Operation::read(
            TOPIC,
            "createExport",
            "Packs the messages that match into a bundle that proves itself; the details of the job name the export",
            ApiScope::ExportCreate,
            Gives::One(Shape::of::<Job>()),
        )
        .starting_job(Shape::of::<NewExport>())
        .resulting(Shape::of::<Packed>())
        .dangerous(),
    ),
    Route::post(
        "/api/v1/audit/exports",
        Access::With(Right::ReadAudit),
        || post(create_log),
    )
    .doing(
        Operation::read(
            TOPIC,
            "exportAudit",
            "Packs the audit log, without any content, so that anybody can verify it; the details of the job name the export",
            ApiScope::AuditRead,
            Gives::One(Shape::of::<Job>()),
        )
        .starting_job(Shape::of::<Nothing>())
        .resulting(Shape::of::<Packed>()),
    ),
    Route::get("/api/v1/exports/{id}", Access::SignedIn, || get(show)).doing(
        Operation::read(
            TOPIC,
            "showExport",
            "Shows an export that you made",
            ApiScope::ExportCreate,
            Gives::One(Shape::of::<Export>()),
        )
        .without_scope(),
    ),
    Route::new(
        Method::DELETE,
        "/api/v1/exports/{id}",
        Access::SignedIn,
        || delete(discard),
    )
    .doing(
        Operation::read(
            TOPIC,
            "discardExport",
            "Throws an export away before its time",
            ApiScope::ExportCreate,
            Gives::Other("Nothing"),
        )
        .without_scope()
        .changing(None)
        .empty(),
    ),
    Route::get("/api/v1/exports/{id}/file", Access::SignedIn, || get(file)).doing(
        Operation::read(
            TOPIC,
            "fetchExport",
            "Fetches the bundle (tar); that you do stands in the log before a byte leaves",
            ApiScope::ExportCreate,
            Gives::Bytes("application/x-tar", "The bundle, with its SHA-256 in Repr-Digest"),
        )
        .without_scope()
        .conflicting(),
    ),
];

/// An export as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewExport {
    /// The query, in the language of the search box; it is read strictly.
    query: String,
    /// Who asked for it and what for.
    reason: String,
    /// Zone of its dates and of the times shown; that of the house when absent.
    #[serde(default)]
    zone: Option<String>,
    /// Warnings accepted by code, such as W03.
    #[serde(default)]
    accept: Vec<String>,
    /// The matter, as one word.
    #[serde(default)]
    matter: Option<String>,
    /// Messages taken along before and after each hit, 0 to 50.
    #[serde(default)]
    context: u32,
}

/// An export that waits to be fetched.
#[derive(Serialize, ToSchema)]
struct Export {
    id: String,
    /// messages or audit.
    kind: &'static str,
    made: Instant,
    /// Messages in it; null for the audit log.
    messages: Option<u64>,
    bytes: u64,
    /// SHA-256 of the file in hex.
    sha256: String,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let lines = house.outbox.of(who.session.actor.no);
    let page = house
        .try_ask(move |appliance| {
            let place = |line: &OutLine| line.file.id.0;
            paged.page(appliance, &who.session, "exports", lines, place, export)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn create(State(house): State<Arc<House>>, who: Who, Given(new): Given<NewExport>) -> Answer {
    let request = ExportRequest {
        query: new.query,
        zone: new.zone,
        accept: new.accept,
        reason: new.reason,
        matter: new.matter,
        context: new.context,
        ..ExportRequest::default()
    };
    check(&house, &who, &request).await?;
    let job = begin_export(&house, &who, request)?;
    started(&house, &who, job).await
}

/// Refuses at once what would be refused later: a query that is not clear, a missing reason.
pub(in crate::http) async fn check(
    house: &House,
    who: &Who,
    request: &ExportRequest,
) -> Result<(), Refusal> {
    let (session, request) = (who.session.clone(), request.clone());
    house
        .ask(move |appliance| appliance.check_export(&session, &request))
        .await
        .map(drop)
}

async fn create_log(State(house): State<Arc<House>>, who: Who, Given(_): Given<Nothing>) -> Answer {
    let job = begin_log(&house, &who)?;
    started(&house, &who, job).await
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let line = house.outbox.find(who.session.actor.no, id(&name)?)?;
    tagged(&export(&line))
}

async fn discard(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
) -> Answer {
    let (seen, id) = (Seen::read(&headers)?, id::<ExportId>(&name)?);
    let owner = who.session.actor.no;
    seen.check(&export(&house.outbox.find(owner, id)?))?;
    house.outbox.discard(owner, id);
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn file(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    fetched(&house, &who, id(&name)?).await
}

/// The bytes of an export, for whoever made it. The entry in the log comes first.
pub(in crate::http) async fn fetched(house: &House, who: &Who, id: ExportId) -> Answer {
    let line = house.outbox.find(who.session.actor.no, id)?;
    let (session, file) = (who.session.clone(), line.file.clone());
    house
        .ask(move |appliance| appliance.take_export(&session, &file))
        .await?;
    house.outbox.fetched(id);
    let (bytes, name) = (line.file.bytes(), line.file.file_name());
    let digest = from_hex(&line.file.sha256).unwrap_or_default();
    let digest = format!("sha-256=:{}:", STANDARD.encode(digest));
    let mut response = Response::new(file_body(line.file));
    let headers = response.headers_mut();
    for (header, value) in [
        (header::CONTENT_TYPE, "application/x-tar".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}\""),
        ),
        (header::HeaderName::from_static("repr-digest"), digest),
    ] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header, value);
        }
    }
    Ok(response)
}

fn export(line: &OutLine) -> Export {
    Export {
        id: line.file.id.to_string(),
        kind: match line.file.messages {
            Some(_) => "messages",
            None => "audit",
        },
        made: Instant(line.file.made),
        messages: line.file.messages,
        bytes: line.file.bytes(),
        sha256: line.file.sha256.clone(),
    }
}
