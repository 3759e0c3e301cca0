//! Imports: listed with their reports, and the places that were not taken.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Instant, Named, answer, id};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::tagged;
use crate::app::import::ImportLine;
use crate::domain::{ApiScope, ImportId, Note, Right};
use crate::store::ImportState;

const TOPIC: &str = "Imports";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/imports", Access::With(Right::Import), || get(list)).doing(
        Operation::read(
            TOPIC,
            "listImports",
            "Lists the imports, eldest first",
            ApiScope::ImportWrite,
            Gives::Page(Shape::of::<Import>()),
        ),
    ),
    Route::get("/api/v1/imports/{id}", Access::With(Right::Import), || {
        get(show)
    })
    .doing(Operation::read(
        TOPIC,
        "showImport",
        "Shows an import with its report",
        ApiScope::ImportWrite,
        Gives::One(Shape::of::<Import>()),
    )),
    Route::get(
        "/api/v1/imports/{id}/remarks",
        Access::With(Right::ReadContent),
        || get(remarks),
    )
    .doing(Operation::read(
        TOPIC,
        "listImportRemarks",
        "Lists the remarks of an import; places that were not taken are quoted verbatim",
        ApiScope::ConversationRead,
        Gives::Page(Shape::of::<Remark>()),
    )),
];

/// An import.
#[derive(Serialize, ToSchema)]
struct Import {
    id: String,
    /// running, done, interrupted or refused.
    state: &'static str,
    began: Instant,
    ended: Option<Instant>,
    /// Length of the source in bytes.
    bytes: u64,
    /// Messages that are new.
    new: u64,
    /// Messages that were known.
    known: u64,
    /// Messages that gained a version.
    revised: u64,
    /// Places that could not be read.
    rejected: u64,
    /// Remarks, rejected places included.
    remarks: u64,
    /// Messages left out because they were disposed of before.
    disposed: u64,
    /// SHA-256 of the source in hex, when the import ended.
    sha256: Option<String>,
    /// What was assumed, in words.
    assumptions: Vec<String>,
}

/// A remark on a place of a source.
#[derive(Serialize, ToSchema)]
struct Remark {
    kind: &'static str,
    /// Name of the entry.
    entry: String,
    /// Line or row, from 1; 0 where the format has none.
    line: u64,
    /// First byte of the place.
    start: u64,
    /// One past the last byte.
    end: u64,
    reason: String,
    /// The place verbatim, where it was rejected.
    raw: String,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.imports(&who.session)?;
            let place = |line: &ImportLine| line.row.id.0;
            paged.page(appliance, &who.session, "imports", lines, place, import)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let wanted = id::<ImportId>(&name)?;
    let lines = house
        .ask(move |appliance| appliance.imports(&who.session))
        .await?;
    let line = lines.iter().find(|line| line.row.id == wanted);
    tagged(&import(line.ok_or_else(Refusal::not_found)?))
}

async fn remarks(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Asked(paged): Asked<Paged>,
) -> Answer {
    let wanted = id::<ImportId>(&name)?;
    let page = house
        .try_ask(move |appliance| {
            let notes = appliance.import_notes(&who.session, wanted)?;
            let numbered: Vec<(u128, Note)> = (1..).zip(notes).collect();
            let list = format!("remarks {wanted}");
            let place = |(number, _): &(u128, Note)| *number;
            paged.page(appliance, &who.session, &list, numbered, place, remark)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

fn import(line: &ImportLine) -> Import {
    let row = &line.row;
    Import {
        id: row.id.to_string(),
        state: match row.state {
            ImportState::Running => "running",
            ImportState::Done => "done",
            ImportState::Interrupted => "interrupted",
            ImportState::Refused => "refused",
        },
        began: Instant(row.began),
        ended: row.ended.map(Instant),
        bytes: row.source_bytes,
        new: row.counts.fresh,
        known: row.counts.known,
        revised: row.counts.revised,
        rejected: row.counts.rejected,
        remarks: row.counts.notes,
        disposed: row.counts.disposed,
        sha256: line.report.as_ref().map(|report| report.sha256.clone()),
        assumptions: line
            .report
            .as_ref()
            .map(|report| report.assumptions.clone())
            .unwrap_or_default(),
    }
}

fn remark((_, note): &(u128, Note)) -> Remark {
    Remark {
        kind: note.kind.name(),
        entry: note.entry.clone(),
        line: note.line,
        start: note.start,
        end: note.end,
        reason: note.reason.clone(),
        raw: note.raw.clone(),
    }
}
