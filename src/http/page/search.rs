//! Search: how the query was read, the exact count, hits in their conversations, counts beside them.
//!
//! The query stays on the server: a page of hits has an address of its own (`/s/srch_…`) that can be
//! kept and sent, and that nobody reads anything from.

mod months;
mod readings;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, part};
use crate::app::{AppError, KeptSearch, SearchAnswer, SearchRequest};
use crate::domain::{App, ConversationId, Presence, Right, SearchId};
use crate::search::{Facet, FacetField, FacetValue, Hit, Line, Order, Piece};
use readings::OtherReading;

/// Hits on a page.
const HITS: usize = 50;
/// Values of one facet that are shown.
const FACET_VALUES: usize = 10;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/search", Access::With(Right::ReadContent), || get(begin)),
    Route::post("/search", Access::With(Right::ReadContent), || post(ask)),
    Route::get("/s/{id}", Access::With(Right::ReadContent), || get(show)),
    Route::get("/s/{id}/counts", Access::With(Right::ReadContent), || {
        get(counts)
    }),
    Route::get(
        "/s/{id}/during/{period}",
        Access::With(Right::ReadContent),
        || get(during),
    ),
    Route::post("/s/{id}/save", Access::With(Right::ReadContent), || {
        post(save)
    }),
];

#[derive(Deserialize)]
struct Typed {
    #[serde(default)]
    query: String,
    #[serde(default)]
    order: String,
    /// A word of a facet to be added to the query.
    #[serde(default)]
    also: String,
}

#[derive(Deserialize)]
struct After {
    after: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

/// The line in which a query is typed.
pub(super) fn form(frame: &Frame, query: &str, order: Order, focus: bool) -> Markup {
    html! {
        form.search role="search" method="post" action="/search" {
            (frame.mark())
            label.unseen for="query" { "Query" }
            input #query type="search" name="query" value=(query) autofocus[focus]
                autocomplete="off" spellcheck="false" dir="auto" maxlength="10000"
                placeholder="discount OR rebate, from:\"Rui Melo\", \"by Friday\"~3, date:2024";
            label.unseen for="order" { "Order" }
            select #order name="order" {
                @for (one, name) in [
                    (Order::Newest, "newest first"),
                    (Order::Oldest, "oldest first"),
                    (Order::Best, "best first"),
                ] {
                    option value=(one.name()) selected[one == order] { (name) }
                }
            }
            button.primary type="submit" { "Search" }
        }
    }
}

/// Ways to ask, for who never did.
const EXAMPLES: [(&str, &str); 6] = [
    ("discount OR rebate", "either word"),
    ("\"delivery date\"", "these words in a row"),
    ("discount w/10 sign*", "near each other, any ending"),
    ("refund has:attachment", "with a file"),
    ("contract is:edited", "changed after it was sent"),
    ("price newer_than:52w", "of the last year"),
];

async fn begin(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session.clone();
    let (saved, recent) = house
        .ask(move |appliance| {
            Ok((
                appliance.kept_searches(&session, true)?,
                appliance.kept_searches(&session, false)?,
            ))
        })
        .await?;
    let content = html! {
        h1 { "Search" }
        (form(&frame, "", Order::Newest, true))
        div.cards {
            @if !saved.is_empty() { section.card { h2 { "Saved" } (kept_list(&saved)) } }
            @if !recent.is_empty() { section.card { h2 { "Asked lately" } (kept_list(&recent)) } }
            section.card {
                h2 { "Ways to ask" }
                ul.rows {
                    @for (query, what) in EXAMPLES {
                        li {
                            form method="post" action="/search" {
                                (frame.mark())
                                button.link type="submit" name="query" value=(query) { code { (query) } }
                                " " small { (what) }
                            }
                        }
                    }
                }
            }
        }
    };
    Ok(frame.at(Section::Search, "Search").page(&content))
}

fn kept_list(searches: &[KeptSearch]) -> Markup {
    html! {
        ul.rows {
            @for kept in searches {
                li {
                    a href={ "/s/" (kept.id) } {
                        @if kept.name.is_empty() { (part::words(&kept.text)) }
                        @else { (part::name(&kept.name)) }
                    }
                }
            }
        }
    }
}

async fn ask(State(house): State<Arc<House>>, who: Who, Posted(typed): Posted<Typed>) -> Page {
    if typed.query.trim().is_empty() {
        return Ok(Redirect::to("/search").into_response());
    }
    let order = Order::from_name(&typed.order).unwrap_or(Order::Newest);
    keep(&house, who, typed.query, typed.also, order).await
}

/// Keeps a query, narrowed by a clause where there is one, and goes to its hits.
async fn keep(house: &Arc<House>, who: Who, text: String, also: String, order: Order) -> Page {
    let id = house
        .ask(move |appliance| {
            let text = match also.is_empty() {
                true => text.trim().to_owned(),
                false => appliance.narrowed_query(&text, &also)?,
            };
            appliance.keep_search(&who.session, &text, order)
        })
        .await?;
    Ok(Redirect::to(&format!("/s/{id}")).into_response())
}

/// The hits of a month or a year alone: a search of its own, with an address of its own.
async fn during(
    State(house): State<Arc<House>>,
    who: Who,
    Path((id, period)): Path<(String, String)>,
) -> Page {
    let id = search_id(&id)?;
    let period = months::period(&period).ok_or_else(Refusal::not_found)?;
    let session = who.session.clone();
    let kept = house
        .ask(move |appliance| appliance.kept_search(&session, id))
        .await?;
    keep(&house, who, kept.text, format!("date:{period}"), kept.order).await
}

fn search_id(text: &str) -> Result<SearchId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(after): Asked<After>,
) -> Page {
    let id = search_id(&id)?;
    let session = who.session.clone();
    let kept = house
        .ask(move |appliance| appliance.kept_search(&session, id))
        .await?;
    let mut request = SearchRequest::new(kept.text.clone());
    (request.order, request.limit) = (kept.order, HITS);
    (request.context_lines, request.cursor) = (1, after.after);
    let answered = house
        .try_ask(
            move |appliance| match appliance.search(&who.session, &request) {
                Ok(answer) => {
                    let readings = readings::other(appliance, &who.session, &answer)?;
                    Ok(Ok((answer, readings)))
                }
                Err(AppError::Query { text, problems }) => Ok(Err((text, problems))),
                Err(error) => Err(error.into()),
            },
        )
        .await;
    let (content, status) = match &answered {
        Ok(Ok((answer, readings))) => (found(&frame, &kept, answer, readings), StatusCode::OK),
        Ok(Err((text, problems))) => {
            let content = html! {
                h1.unseen { "Search" }
                (form(&frame, &kept.text, kept.order, false))
                (readings::unclear(&frame, kept.order, text, problems))
            };
            (content, StatusCode::BAD_REQUEST)
        }
        Err(refusal) if refusal.status.is_client_error() => {
            (refused(&frame, &kept, refusal), refusal.status)
        }
        Err(refusal) => return Err(refusal.clone()),
    };
    let mut page = frame.wide().at(Section::Search, "Search").page(&content);
    *page.status_mut() = status;
    Ok(page)
}

fn refused(frame: &Frame, kept: &KeptSearch, refusal: &Refusal) -> Markup {
    html! {
        h1.unseen { "Search" }
        (form(frame, &kept.text, kept.order, false))
        (super::form::refused(Some(refusal)))
    }
}

fn found(
    frame: &Frame,
    kept: &KeptSearch,
    answer: &SearchAnswer,
    other: &[OtherReading],
) -> Markup {
    html! {
        h1.unseen { "Search" }
        a.skip href="#hits" { "Skip to the hits" }
        a.skip href="#counts" { "Skip to the counts" }
        (form(frame, &kept.text, kept.order, false))
        (readings::reading(frame, kept.order, answer))
        (readings::both(frame, kept.order, answer, other))
        div.split {
            div #hits.hits tabindex="-1" {
                (summary(frame, kept, answer))
                div #months {}
                @if answer.answer.total == 0 { (nothing(frame, kept.order, answer)) }
                @for group in groups(&answer.answer.hits) { (conversation(&kept.id, group)) }
                @if let Some(next) = &answer.next {
                    nav.pager aria-label="Further hits" {
                        a.button rel="next" href={ "/s/" (kept.id) "?after=" (next) } { "Next hits" }
                    }
                }
            }
            aside #counts.facets aria-label="Counts" tabindex="-1"
                hx-get={ "/s/" (kept.id) "/counts" } hx-trigger="load" {
                a href={ "/s/" (kept.id) "/counts" } { "Show counts" }
            }
        }
    }
}

fn summary(frame: &Frame, kept: &KeptSearch, answer: &SearchAnswer) -> Markup {
    let mark = &answer.answer.watermark;
    html! {
        div.summary {
            p {
                strong { (part::count(answer.answer.total, "message", "messages")) }
                " · " (answer.took.as_millis()) " ms · "
                @if mark.through >= mark.of { "complete" }
                @else { "complete through " (part::number(mark.through)) " of " (part::number(mark.of)) }
                @if answer.withheld > 0 {
                    " · " (part::number(answer.withheld)) " restricted, not shown"
                }
                " · " (part::entry(answer.audit))
            }
            @if frame.may(Right::Export) {
                a.button href={ "/s/" (kept.id) "/export" } { "Export…" }
            }
            details.save {
                summary { @if kept.name.is_empty() { "Save" } @else { "Saved as " (part::name(&kept.name)) } }
                form.inline method="post" action={ "/s/" (kept.id) "/save" } {
                    (frame.mark())
                    label.unseen for="name" { "Name" }
                    input #name name="name" value=(kept.name) maxlength="120" placeholder="Name";
                    button type="submit" { "Save" }
                }
            }
        }
    }
}

/// What each clause finds alone, where the whole finds nothing.
fn nothing(frame: &Frame, order: Order, answer: &SearchAnswer) -> Markup {
    html! {
        div.empty {
            h2 { "No message matches" }
            @if answer.zero.is_empty() {
                p { "Try fewer words, another spelling, or a longer time." }
            } @else {
                p { "Alone, each part finds:" }
                table.grid {
                    tbody {
                        @for clause in &answer.zero {
                            tr {
                                th scope="row" hx-disable dir="auto" { (clause.text) }
                                td.figure {
                                    @match clause.count {
                                        Some(count) => (part::number(count)),
                                        None => "too long to count",
                                    }
                                }
                                td {
                                    @for (word, count) in &clause.spellings {
                                        form.repair method="post" action="/search" {
                                            (frame.mark())
                                            input type="hidden" name="query" value=(word);
                                            input type="hidden" name="order" value=(order.name());
                                            button.link type="submit" {
                                                (part::name(word)) " " (part::number(*count))
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Hits of one conversation that stand in a row.
fn groups(hits: &[Hit]) -> impl Iterator<Item = &[Hit]> {
    hits.chunk_by(|one, next| one.conversation.id == next.conversation.id)
}

/// Hits with the messages around them, in the order they were said; hits that stand close together
/// are one passage, and no message is shown twice in it.
fn passages(hits: &[Hit]) -> Vec<Vec<(&Line, Option<&Hit>)>> {
    let mut passages: Vec<Vec<(&Line, Option<&Hit>)>> = Vec::new();
    for hit in hits {
        let around = hit.before.iter().chain(&hit.after).map(|line| (line, None));
        let lines: Vec<(&Line, Option<&Hit>)> = around.chain([(&hit.line, Some(hit))]).collect();
        let meets = passages.last().is_some_and(|last| {
            lines
                .iter()
                .any(|(line, _)| last.iter().any(|(known, _)| known.id == line.id))
        });
        match passages.last_mut() {
            Some(last) if meets => last.extend(lines),
            _ => passages.push(lines),
        }
    }
    for passage in &mut passages {
        // Of a message that is a hit and stands around another, the hit is shown.
        passage.sort_by_key(|(line, hit)| (line.time.sent, line.id, hit.is_none()));
        passage.dedup_by_key(|(line, _)| line.id);
    }
    passages
}

fn conversation(search: &SearchId, hits: &[Hit]) -> Markup {
    let Some(first) = hits.first() else {
        return html! {};
    };
    html! {
        section.group {
            h2 {
                a href={ "/c/" (first.conversation.id) } { (part::name(&first.conversation.title)) }
                " " small { (part::app(first.line.app)) }
            }
            @for passage in passages(hits) {
                ol.lines {
                    @for (line, hit) in passage {
                        @match hit {
                            Some(hit) => (shown(search, hit)),
                            None => (context(line)),
                        }
                    }
                }
            }
        }
    }
}

fn when(line: &Line) -> Markup {
    html! {
        @if line.time.zone_assumed { span.assumed title="The source says no zone; this one is assumed" { "≈ " } }
        (part::local(line.time.local, line.time.sent, part::MINUTE))
    }
}

fn sender(line: &Line) -> Markup {
    html! {
        @match &line.sender {
            Some(sender) => span.sender { (part::name(&sender.label)) },
            None => span.sender.system { "notice" },
        }
    }
}

fn context(line: &Line) -> Markup {
    html! {
        li.line.context {
            (when(line)) (sender(line))
            span.text { (part::words(&line.opening)) @if line.cut { "…" } }
        }
    }
}

/// The address of a message in its conversation, and the search it came from.
pub(super) fn place(conversation: ConversationId, hit: &Hit, search: &SearchId) -> String {
    let message = hit.line.id;
    format!("/c/{conversation}?at={message}&from={search}#{message}")
}

fn shown(search: &SearchId, hit: &Hit) -> Markup {
    html! {
        li.line.hit {
            a.when href=(place(hit.conversation.id, hit, search)) { (when(&hit.line)) }
            (sender(&hit.line))
            div.text {
                @if hit.pieces.is_empty() {
                    (part::words(&hit.line.opening)) @if hit.line.cut { "…" }
                }
                @for piece in &hit.pieces { p { (marked(piece)) } }
                (facts(&hit.line.presence, hit.versions))
                @for file in &hit.attachments { " " span.chip { "file " (part::name(file)) } }
                (preview(search, hit))
            }
        }
    }
}

/// The messages around a hit, without leaving the list; without script a way to them.
fn preview(search: &SearchId, hit: &Hit) -> Markup {
    let (conversation, message) = (hit.conversation.id, hit.line.id);
    html! {
        details.preview hx-get={ "/c/" (conversation) "/around?at=" (message) "&from=" (search) }
            hx-trigger="toggle once" hx-target="find div" {
            summary { "Preview" }
            div { a href=(place(conversation, hit, search)) { "Open the conversation here" } }
        }
    }
}

/// A piece with what matched in it.
fn marked(piece: &Piece) -> Markup {
    let snippet = &piece.snippet;
    html! {
        @if snippet.cut_before { "…" }
        (part::marked(&snippet.text, &snippet.highlights))
        @if snippet.cut_after { "…" }
    }
}

/// What happened to a message, in words.
pub(super) fn facts(presence: &Presence, versions: u16) -> Markup {
    html! {
        @if presence.has(Presence::EDITED) || versions > 1 { " " span.chip { "edited" } }
        @if presence.has(Presence::DELETED) { " " span.chip.bad { "deleted, kept here" } }
        @if presence.has(Presence::FORWARDED) { " " span.chip { "forwarded" } }
    }
}

async fn counts(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Page {
    let id = search_id(&id)?;
    let session = who.session.clone();
    let (kept, answer) = house
        .ask(move |appliance| {
            let kept = appliance.kept_search(&session, id)?;
            let mut request = SearchRequest::new(kept.text.clone());
            request.count_only = true;
            request.facets = FacetField::ALL.to_vec();
            let answer = appliance.search(&session, &request)?;
            Ok((kept, answer))
        })
        .await?;
    let by_month = |facet: &&Facet| facet.field == FacetField::Month;
    let months = answer.facets.iter().find(by_month);
    let fragment = html! {
        @for facet in answer.facets.iter().filter(|facet| !by_month(facet)) {
            (facet_list(&frame, &kept, facet))
        }
    };
    if headers.contains_key("hx-request") {
        let swapped = html! {
            (fragment)
            div #months hx-swap-oob="true" { (months::histogram(&kept.id, months)) }
        };
        return Ok(swapped.into_response());
    }
    let content = html! {
        h1 { "Counts" }
        p { a href={ "/s/" (kept.id) } { "Back to the hits" } }
        (months::histogram(&kept.id, months))
        div.facets.alone { (fragment) }
    };
    Ok(frame.at(Section::Search, "Counts").page(&content))
}

fn facet_list(frame: &Frame, kept: &KeptSearch, facet: &Facet) -> Markup {
    let most = facet
        .values
        .iter()
        .map(|value| value.count)
        .max()
        .unwrap_or(1)
        .max(1);
    let title = match facet.field {
        FacetField::App => "App",
        FacetField::From => "From",
        FacetField::Conversation => "Conversation",
        FacetField::Year => "Year",
        FacetField::Month => "Month",
    };
    html! {
        section.facet {
            h2 { (title) }
            form method="post" action="/search" {
                (frame.mark())
                input type="hidden" name="query" value=(kept.text);
                input type="hidden" name="order" value=(kept.order.name());
                ul {
                    @for value in facet.values.iter().take(FACET_VALUES) {
                        li {
                            @if value.id.is_empty() { span.value { "none" } }
                            @else {
                                button.link.value type="submit" name="also"
                                    value={ (facet_clause(facet.field)) ":" (value.id) } {
                                    (facet_label(facet.field, value))
                                }
                            }
                            (bar(value.count, most))
                            span.figure { (part::number(value.count)) }
                        }
                    }
                }
            }
            @if facet.values.len() > FACET_VALUES {
                small { "and " (part::number((facet.values.len() - FACET_VALUES) as u64)) " more" }
            }
        }
    }
}

fn facet_label(field: FacetField, value: &FacetValue) -> Markup {
    let app = App::from_name(&value.id).filter(|_| field == FacetField::App);
    match app {
        Some(app) => html! { (part::app(app)) },
        None => part::name(&value.label),
    }
}

/// The field of the query language that a facet narrows.
fn facet_clause(field: FacetField) -> &'static str {
    match field {
        FacetField::App => "app",
        FacetField::From => "from",
        FacetField::Conversation => "conv",
        FacetField::Year | FacetField::Month => "date",
    }
}

/// A bar as geometry: no style is written into a page.
pub(super) fn bar(value: u64, most: u64) -> Markup {
    let width = (value.saturating_mul(100) / most).max(1);
    html! {
        svg.bar-of viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true" {
            rect width=(width) height="4" {}
        }
    }
}

async fn save(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    Posted(name): Posted<Name>,
) -> Page {
    let id = search_id(&id)?;
    house
        .ask(move |appliance| appliance.save_search(&who.session, id, &name.name))
        .await?;
    Ok(Redirect::to(&format!("/s/{id}")).into_response())
}
