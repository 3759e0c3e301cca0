//! Exports as pages: asked for with a reason, made, fetched, thrown away.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::api::exports::{check, fetched};
use super::super::guard::Who;
use super::super::house::House;
use super::super::outbox::{OutLine, begin_export, begin_log};
use super::super::posted::Posted;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, form, job, part, step_up};
use crate::app::KeptSearch;
use crate::app::export::ExportRequest;
use crate::domain::{ExportId, Right, SearchId};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/exports", Access::SignedIn, || get(list)),
    Route::get("/exports/{id}", Access::SignedIn, || get(show)),
    Route::get("/exports/{id}/file", Access::SignedIn, || get(file)),
    Route::post("/exports/{id}/discard", Access::SignedIn, || post(discard)),
    Route::get("/s/{id}/export", Access::With(Right::Export), || get(ask)),
    Route::post("/s/{id}/export", Access::With(Right::Export), || {
        post(begin)
    }),
    Route::post("/audit/export", Access::With(Right::ReadAudit), || {
        post(log)
    }),
];

/// Seconds of an hour.
const HOUR: u64 = 3_600;

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let lines = house.outbox.of(who.session.actor.no);
    let zone = job::zone(&house);
    let content = html! {
        h1 { "Exports" }
        @if frame.may(Right::ReadAudit) {
            form.card method="post" action="/audit/export" {
                (frame.mark())
                p { "The audit log as a file that anybody can verify without a key. There is no content in it." }
                button type="submit" { "Export the audit log" }
            }
        }
        @if lines.is_empty() {
            (part::empty(
                "Nothing waits to be fetched",
                "Search, and export what was found: the bundle waits here for a day, sealed, for you alone.",
                frame.may(Right::Export).then_some(("Search", "/search")),
            ))
        } @else {
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Export" } th scope="col" { "Made" }
                        th.figure scope="col" { "Messages" } th.figure scope="col" { "Bytes" }
                        th.figure scope="col" { "Fetched" } th scope="col" { "Goes" }
                    } }
                    tbody {
                        @for line in &lines {
                            tr {
                                th scope="row" { a href={ "/exports/" (line.file.id) } { code { (line.file.id) } } }
                                td { (part::time(line.file.made, zone, part::MINUTE)) }
                                td.figure { @match line.file.messages { Some(count) => (part::number(count)), None => "log" } }
                                td.figure { (part::number(line.file.bytes())) }
                                td.figure { (part::number(u64::from(line.fetched))) }
                                td { (goes(line)) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame.at(Section::Search, "Exports").page(&content))
}

fn goes(line: &OutLine) -> Markup {
    html! { "in " (part::count(line.left.as_secs().div_ceil(HOUR), "hour", "hours")) }
}

fn export_id(text: &str) -> Result<ExportId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let line = house.outbox.find(who.session.actor.no, export_id(&id)?)?;
    let zone = job::zone(&house);
    let content = html! {
        p { a.back href="/exports" { "← Exports" } }
        h1 { "Export" }
        dl.facts {
            dt { "Made" } dd { (part::time(line.file.made, zone, part::MINUTE)) }
            dt { "Holds" }
            dd {
                @match line.file.messages {
                    Some(count) => (part::count(count, "message", "messages")),
                    None => "the audit log",
                }
            }
            dt { "Length" } dd { (part::number(line.file.bytes())) " bytes" }
            dt { "SHA-256" } dd { code { (line.file.sha256) } }
            dt { "Fetched" } dd { (part::count(u64::from(line.fetched), "time", "times")) }
            dt { "Goes" } dd { (goes(&line)) ", or when the server ends" }
        }
        p.notice {
            "What you fetch leaves the house in the clear. That you do stands in the log before a byte leaves."
        }
        p { a.button.primary href={ "/exports/" (line.file.id) "/file" } { "Fetch the bundle" } }
        @if line.file.messages.is_some() {
            p.aside { "Verify it anywhere, offline: " code { "wordkeep export verify " (line.file.file_name()) } }
        }
        form method="post" action={ "/exports/" (line.file.id) "/discard" } {
            (frame.mark())
            button.quiet type="submit" { "Throw it away" }
        }
    };
    Ok(frame.at(Section::Search, "Export").page(&content))
}

async fn file(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Page {
    fetched(&house, &who, export_id(&id)?).await
}

async fn discard(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Page {
    let (owner, id) = (who.session.actor.no, export_id(&id)?);
    house.outbox.find(owner, id)?;
    house.outbox.discard(owner, id);
    Ok(Redirect::to("/exports").into_response())
}

/// What is typed beside a search.
#[derive(Clone, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    matter: String,
    #[serde(default)]
    context: String,
    #[serde(default)]
    accept: String,
}

async fn kept(house: &House, who: &Who, id: &str) -> Result<KeptSearch, Refusal> {
    let id: SearchId = id.parse().map_err(|_| Refusal::not_found())?;
    let session = who.session.clone();
    house
        .ask(move |appliance| appliance.kept_search(&session, id))
        .await
}

async fn ask(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let kept = kept(&house, &who, &id).await?;
    if let Some(first) = step_up::asked(&who, &format!("/s/{}/export", kept.id)) {
        return Ok(first);
    }
    Ok(asking(&frame, &kept, &Typed::default(), None))
}

fn asking(
    frame: &Frame,
    kept: &KeptSearch,
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> axum::response::Response {
    let content = html! {
        p { a.back href={ "/s/" (kept.id) } { "← Hits" } }
        h1 { "Export what was found" }
        (form::refused(refusal))
        form.card method="post" action={ "/s/" (kept.id) "/export" } {
            (frame.mark())
            p { span.label { "Query" } " " (part::words(&kept.text)) }
            (form::acceptance(refusal))
            (form::reason(&typed.reason))
            label.field {
                span { "Matter" }
                input name="matter" value=(typed.matter) maxlength="128" autocomplete="off" spellcheck="false" placeholder="NW-1";
                small { "One word; may be left empty." }
            }
            label.field {
                span { "Messages around each hit" }
                input name="context" value=(typed.context) inputmode="numeric" maxlength="2" placeholder="0";
                small { "0 to 50, taken along before and after." }
            }
            button.primary type="submit" { "Export" }
        }
    };
    let frame = frame.clone().at(Section::Search, "Export");
    form::again(&frame, &content, refusal)
}

async fn begin(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Page {
    let kept = kept(&house, &who, &id).await?;
    if let Some(first) = step_up::asked(&who, &format!("/s/{}/export", kept.id)) {
        return Ok(first);
    }
    let begun = match request(&kept, &typed) {
        Err(refusal) => Err(refusal),
        Ok(request) => match check(&house, &who, &request).await {
            Err(refusal) => Err(refusal),
            Ok(()) => begin_export(&house, &who, request),
        },
    };
    match begun {
        Ok(job) => Ok(Redirect::to(&format!("/jobs/{job}")).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(asking(&frame, &kept, &typed, Some(&refusal)))
        }
    }
}

fn request(kept: &KeptSearch, typed: &Typed) -> Result<ExportRequest, Refusal> {
    let context = match typed.context.trim() {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| Refusal::usage("Messages around each hit: a number, 0 to 50."))?,
    };
    let matter = typed.matter.trim();
    Ok(ExportRequest {
        query: kept.text.clone(),
        accept: form::accepted(&typed.accept),
        reason: typed.reason.clone(),
        matter: (!matter.is_empty()).then(|| matter.to_owned()),
        context,
        ..ExportRequest::default()
    })
}

async fn log(State(house): State<Arc<House>>, who: Who) -> Page {
    let job = begin_log(&house, &who)?;
    Ok(Redirect::to(&format!("/jobs/{job}")).into_response())
}
