//! Search: how the query was read, the exact count, hits in their conversations, counts beside them.
//!
//! The query stays on the server: a page of hits has an address of its own (`/s/srch_…`) that can be
//! kept and sent, and that nobody reads anything from.

pub(super) mod chosen;
mod hits;
mod months;
mod readings;
mod view;

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
use crate::archive::Watermark;
use crate::domain::{App, Right, SearchId};
use crate::search::{Facet, FacetField, FacetValue, Order};
use hits::Hits;
pub(super) use hits::facts;
use readings::OtherReading;
use view::{AskedView, View};

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
    Route::get("/s/{id}/chosen", Access::With(Right::ReadContent), || {
        get(chosen::act)
    }),
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
                p { a href="/terms" { "Count many terms at once" } }
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
    Asked(view): Asked<AskedView>,
) -> Page {
    let (id, notice, view) = (search_id(&id)?, view.notice(), View::of(&view));
    let session = who.session.clone();
    let kept = house
        .ask(move |appliance| appliance.kept_search(&session, id))
        .await?;
    let mut request = SearchRequest::new(kept.text.clone());
    (request.order, request.limit) = (kept.order, HITS);
    (request.context_lines, request.cursor) = (view.lines, after.after);
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
        Ok(Ok((answer, readings))) => {
            let found = found(&frame, (&kept, view), answer, readings);
            (html! { (notice) (found) }, StatusCode::OK)
        }
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
    (kept, view): (&KeptSearch, View),
    answer: &SearchAnswer,
    other: &[OtherReading],
) -> Markup {
    let (total, search) = (answer.answer.total, kept.id);
    let choose = total > 0 && chosen::may_choose(frame);
    let hits = Hits {
        search,
        view,
        choose,
    };
    html! {
        h1.unseen { "Search" }
        a.skip href="#hits" { "Skip to the hits" }
        a.skip href="#counts" { "Skip to the counts" }
        (form(frame, &kept.text, kept.order, false))
        (readings::reading(frame, kept.order, answer))
        (readings::both(frame, kept.order, answer, other))
        div.split {
            div #hits.hits .picks[choose] tabindex="-1" {
                (summary(frame, kept, answer))
                (behind(&answer.answer.watermark))
                div #months {}
                @if total == 0 { (nothing(frame, kept.order, answer)) } @else { (view.chooser(search)) }
                (hits.list(&answer.answer.hits))
                @if let Some(next) = &answer.next {
                    nav.pager aria-label="Further hits" {
                        a.button rel="next" href=(view.address(search, Some(next))) { "Next hits" }
                    }
                }
                @if choose { (chosen::bar(frame, kept, total)) }
            }
            aside #counts.facets aria-label="Counts" tabindex="-1"
                hx-get={ "/s/" (kept.id) "/counts" } hx-trigger="load" {
                a href={ "/s/" (kept.id) "/counts" } { "Show counts" }
            }
        }
    }
}

/// The index has not read everything yet: what that means, and what to do.
pub(super) fn behind(mark: &Watermark) -> Markup {
    html! {
        @if !mark.is_complete() {
            p.notice.warn role="status" {
                "The index is behind: messages that were taken in a moment ago are neither among these hits nor in \
                 the counts. It catches up by itself; exports wait until it has. "
                a href="" { "Look again" }
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
            @if frame.may(Right::Export) && answer.answer.total > 0 {
                a.button href={ "/s/" (kept.id) "/export" } { "Export all…" }
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
        @for facet in answer.facets.iter().filter(|facet| !by_month(facet) && !facet.values.is_empty()) {
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
