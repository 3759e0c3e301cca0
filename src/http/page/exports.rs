//! Exports as pages: asked for with a reason, made, fetched, thrown away.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
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
use super::search::chosen::messages;
use super::{Page, form, job, part, step_up};
use crate::app::KeptSearch;
use crate::app::export::ExportRequest;
use crate::domain::{ExportId, MessageId, Right, SearchId};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/exports", Access::SignedIn, || get(list)),
    Route::get("/exports/{id}", Access::SignedIn, || get(show)),
    Route::get("/exports/{id}/file", Access::SignedIn, || get(file)),
    Route::post("/exports/{id}/discard", Access::SignedIn, || post(discard)),
    Route::get("/s/{id}/export", Access::With(Right::Export), || get(ask)),
    Route::post("/s/{id}/export", Access::With(Right::Export), || {
        post(begin)
    }),
    // Of the hits only those whose ids stand at the end, with full stops between them.
    Route::get(
        "/s/{id}/export/{chosen}",
        Access::With(Right::Export),
        || get(ask_chosen),
    ),
    Route::post(
        "/s/{id}/export/{chosen}",
        Access::With(Right::Export),
        || post(begin_chosen),
    ),
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

/// What is exported: the hits of a search, or some of them.
struct Object {
    kept: KeptSearch,
    chosen: Vec<MessageId>,
}

impl Object {
    async fn load(house: &House, who: &Who, id: &str, chosen: &str) -> Result<Object, Refusal> {
        Ok(Object {
            kept: kept(house, who, id).await?,
            chosen: match chosen {
                "" => Vec::new(),
                ids => messages(ids.split('.'))?,
            },
        })
    }

    /// The address of its form.
    fn page(&self) -> String {
        let ids: Vec<String> = self.chosen.iter().map(ToString::to_string).collect();
        match ids.is_empty() {
            true => format!("/s/{}/export", self.kept.id),
            false => format!("/s/{}/export/{}", self.kept.id, ids.join(".")),
        }
    }
}

async fn ask(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let object = Object::load(&house, &who, &id, "").await?;
    Ok(asked(&frame, &who, &object))
}

async fn ask_chosen(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path((id, chosen)): Path<(String, String)>,
) -> Page {
    let object = Object::load(&house, &who, &id, &chosen).await?;
    Ok(asked(&frame, &who, &object))
}

fn asked(frame: &Frame, who: &Who, object: &Object) -> Response {
    step_up::asked(who, &object.page())
        .unwrap_or_else(|| asking(frame, object, &Typed::default(), None))
}

fn asking(frame: &Frame, object: &Object, typed: &Typed, refusal: Option<&Refusal>) -> Response {
    let chosen = object.chosen.len() as u64;
    let content = html! {
        p { a.back href={ "/s/" (object.kept.id) } { "← Hits" } }
        h1 {
            @if chosen == 0 { "Export what was found" }
            @else { "Export " (part::count(chosen, "chosen message", "chosen messages")) }
        }
        (form::refused(refusal))
        div.reading {
            p { span.label { "Query" } " " (part::words(&object.kept.text)) }
            @if chosen > 0 { p.aside { "Of its hits only what you chose; the bundle says so." } }
        }
        form.card method="post" action=(object.page()) {
            (frame.mark())
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
    let object = Object::load(&house, &who, &id, "").await?;
    begun(&house, &frame, &who, &object, &typed).await
}

async fn begin_chosen(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path((id, chosen)): Path<(String, String)>,
    Posted(typed): Posted<Typed>,
) -> Page {
    let object = Object::load(&house, &who, &id, &chosen).await?;
    begun(&house, &frame, &who, &object, &typed).await
}

async fn begun(house: &House, frame: &Frame, who: &Who, object: &Object, typed: &Typed) -> Page {
    if let Some(first) = step_up::asked(who, &object.page()) {
        return Ok(first);
    }
    let begun = match request(object, typed) {
        Err(refusal) => Err(refusal),
        Ok(request) => match check(house, who, &request).await {
            Err(refusal) => Err(refusal),
            Ok(()) => begin_export(house, who, request),
        },
    };
    match begun {
        Ok(job) => Ok(Redirect::to(&format!("/jobs/{job}")).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(asking(frame, object, typed, Some(&refusal)))
        }
    }
}

fn request(object: &Object, typed: &Typed) -> Result<ExportRequest, Refusal> {
    let context = match typed.context.trim() {
        "" => 0,
        text => text
            .parse()
            .map_err(|_| Refusal::usage("Messages around each hit: a number, 0 to 50."))?,
    };
    let matter = typed.matter.trim();
    Ok(ExportRequest {
        query: object.kept.text.clone(),
        accept: form::accepted(&typed.accept),
        reason: typed.reason.clone(),
        matter: (!matter.is_empty()).then(|| matter.to_owned()),
        context,
        chosen: object.chosen.clone(),
        ..ExportRequest::default()
    })
}

async fn log(State(house): State<Arc<House>>, who: Who) -> Page {
    let job = begin_log(&house, &who)?;
    Ok(Redirect::to(&format!("/jobs/{job}")).into_response())
}
