//! Matters: the cases and inquiries that holds belong to.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::search::chosen::Chosen;
use super::{Page, holds, part};
use crate::app::{HoldLine, HoldStanding, MatterLine};
use crate::domain::{ConversationId, MatterId, MessageId, Right};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/matters", Access::With(Right::ReadRules), || get(list)),
    Route::post("/matters", Access::With(Right::PlaceHolds), || post(open)),
    Route::get("/matters/{id}", Access::With(Right::ReadRules), || {
        get(show)
    }),
    Route::post(
        "/matters/{id}/close",
        Access::With(Right::PlaceHolds),
        || post(close),
    ),
];

/// What the pages of a matter say after an act.
const DONE: &[(&str, &str)] = &[
    ("opened", "The matter is open."),
    ("closed", "The matter is closed."),
];

#[derive(Clone, Default, Deserialize)]
struct New {
    #[serde(default)]
    name: String,
    #[serde(default)]
    reference: String,
}

#[derive(Clone, Default, Deserialize)]
struct Reason {
    #[serde(default)]
    reason: String,
}

/// What somebody wants to hold, before they chose the matter: ids only.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    pub conversation: String,
    #[serde(default)]
    pub message: String,
    /// Hits of a search, see [`Chosen`].
    #[serde(default)]
    pub search: String,
    #[serde(default)]
    pub hits: String,
    #[serde(default)]
    pub all: String,
}

impl Wanted {
    /// Hits of a search that are to be held.
    pub(super) fn chosen(&self) -> Option<Chosen> {
        let chosen = Chosen {
            search: self.search.clone(),
            hits: self.hits.clone(),
            all: self.all.clone(),
        };
        (!chosen.is_empty()).then_some(chosen)
    }

    /// What is wanted, in words and as the tail of an address; `None` when it is nothing of ours.
    fn told(&self) -> Option<(String, String)> {
        if let Ok(id) = self.conversation.parse::<ConversationId>() {
            return Some((format!("conversation {id}"), format!("?conversation={id}")));
        }
        if let Some(chosen) = self.chosen() {
            let what = match chosen.all == "1" {
                true => "every hit of the search".to_owned(),
                false => {
                    let count = chosen.hits.split_whitespace().count() as u64;
                    part::count(count, "chosen message", "chosen messages")
                }
            };
            return Some((what, format!("?{}", chosen.tail())));
        }
        let id = self.message.parse::<MessageId>().ok()?;
        Some((format!("message {id}"), format!("?message={id}")))
    }
}

/// A matter with its holds.
#[derive(Clone)]
pub(super) struct Matter {
    pub line: MatterLine,
    pub holds: Vec<HoldLine>,
    pub zone: Tz,
}

/// The matter of an id as typed in an address.
pub(super) async fn load(house: &Arc<House>, who: &Who, id: &str) -> Result<Matter, Refusal> {
    let id: MatterId = id.parse().map_err(|_| Refusal::not_found())?;
    let session = who.session.clone();
    let (matters, holds) = house
        .ask(move |appliance| Ok((appliance.matters(&session)?, appliance.holds(&session)?)))
        .await?;
    let line = matters.into_iter().find(|matter| matter.id == id);
    Ok(Matter {
        line: line.ok_or_else(Refusal::not_found)?,
        holds: holds.into_iter().filter(|hold| hold.matter == id).collect(),
        zone: form::zone(house).await?,
    })
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(wanted): Asked<Wanted>,
) -> Page {
    let new = New::default();
    listed(&house, frame, &who, &new, &wanted, None).await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    new: &New,
    wanted: &Wanted,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let matters = house
        .ask(move |appliance| appliance.matters(&session))
        .await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Matters, "Matters");
    let content = html! {
        h1 { "Matters" }
        @let wanted = wanted.told().filter(|_| frame.may(Right::PlaceHolds));
        @if let Some((what, tail)) = &wanted { (choice(&matters, what, tail)) }
        (table(&matters, zone, &frame))
        p { a href="/notices/overdue" { "Overdue notices" } " · " a href="/notices/templates" { "Templates of notices" } }
        @if frame.may(Right::PlaceHolds) { (opening(&frame, new, refusal, matters.is_empty())) }
    };
    Ok(form::again(&frame, &content, refusal))
}

/// In which matter to hold what somebody came with.
fn choice(matters: &[MatterLine], what: &str, tail: &str) -> Markup {
    let open: Vec<&MatterLine> = matters
        .iter()
        .filter(|matter| matter.closed.is_none())
        .collect();
    html! {
        section.card {
            h2 { "In which matter to hold " (what) "?" }
            @if open.is_empty() { p { "None is open: open one first, then come back." } }
            ul.rows {
                @for matter in open {
                    li { a href={ "/matters/" (matter.id) "/hold" (tail) } { (part::name(&matter.name)) } }
                }
            }
        }
    }
}

fn table(matters: &[MatterLine], zone: Tz, frame: &Frame) -> Markup {
    let open = matters.iter().filter(|matter| matter.closed.is_none());
    let holds: u64 = matters.iter().map(|matter| matter.holds).sum();
    html! {
        @if matters.is_empty() {
            @let what = match frame.may(Right::PlaceHolds) {
                true => "A matter is the case or inquiry that holds belong to. Open the first one below.",
                false => "A lawyer opens the first one. Holds belong to matters.",
            };
            (part::empty("No matter was opened yet", what, None))
        } @else {
            p {
                (part::number(open.count() as u64)) " open of " (part::number(matters.len() as u64))
                " · " (part::count(holds, "hold protects", "holds protect"))
            }
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Matter" } th scope="col" { "Reference" }
                        th scope="col" { "State" } th.figure scope="col" { "Holds" }
                        th scope="col" { "Opened" }
                    } }
                    tbody {
                        @for matter in matters.iter().rev() {
                            tr {
                                th scope="row" { a href={ "/matters/" (matter.id) } { (part::name(&matter.name)) } }
                                td { (part::name(&matter.reference)) }
                                td { (state(matter)) }
                                td.figure { (part::number(matter.holds)) }
                                td { (part::time(matter.opened, zone, part::DAY)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn state(matter: &MatterLine) -> Markup {
    html! {
        @match matter.closed {
            None => span.chip.good { "open" },
            Some(_) => span.chip { "closed" },
        }
    }
}

fn opening(frame: &Frame, new: &New, refusal: Option<&Refusal>, is_first: bool) -> Markup {
    html! {
        details.card open[is_first || refusal.is_some()] {
            summary { "Open a matter" }
            (form::refused(refusal))
            form method="post" action="/matters" {
                (frame.mark())
                label.field {
                    span { "Name" }
                    input name="name" value=(new.name) required maxlength="200" dir="auto"
                        autocomplete="off";
                }
                label.field {
                    span { "Reference" }
                    input name="reference" value=(new.reference) maxlength="200" dir="auto"
                        autocomplete="off";
                    small { "The docket number or the like; may stay empty." }
                }
                button.primary type="submit" { "Open the matter" }
            }
        }
    }
}

async fn open(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(new): Posted<New>,
) -> Page {
    let (session, asked) = (who.session.clone(), new.clone());
    let answer = house
        .ask(move |appliance| appliance.open_matter(&session, &asked.name, &asked.reference))
        .await;
    match answer {
        Ok((id, entry)) => Ok(form::after(&format!("/matters/{id}"), "opened", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let wanted = Wanted::default();
            listed(&house, frame, &who, &new, &wanted, Some(&refusal)).await
        }
    }
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
) -> Page {
    let matter = load(&house, &who, &id).await?;
    let notice = did.notice(DONE);
    Ok(one(&frame, &matter, &notice, "", None))
}

fn one(
    frame: &Frame,
    matter: &Matter,
    notice: &Markup,
    reason: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let frame = frame.clone().at(Section::Matters, "Matter");
    let line = &matter.line;
    let is_open = line.closed.is_none();
    let content = html! {
        p { a.back href="/matters" { "← Matters" } }
        h1 { (part::name(&line.name)) " " (state(line)) }
        (notice)
        (form::refused(refusal))
        (facts(matter))
        div.summary {
            h2 { "Holds" }
            @if is_open && frame.may(Right::PlaceHolds) {
                a.button.primary href={ "/matters/" (line.id) "/hold" } { "Place a hold" }
            }
        }
        @if matter.holds.is_empty() {
            (part::empty(
                "No hold was placed in this matter",
                "What no hold protects goes by the rules of retention.",
                None,
            ))
        } @else { (holds::table(&matter.holds, matter.zone)) }
        @if is_open && frame.may(Right::PlaceHolds) { (closing(&frame, line, reason, refusal)) }
    };
    form::again(&frame, &content, refusal)
}

fn facts(matter: &Matter) -> Markup {
    let line = &matter.line;
    let of = |wanted: fn(HoldStanding) -> bool| {
        let some = matter.holds.iter().filter(|hold| wanted(hold.standing));
        part::number(some.count() as u64)
    };
    html! {
        dl.facts {
            @if !line.reference.is_empty() { dt { "Reference" } dd { (part::name(&line.reference)) } }
            dt { "Opened" } dd { (part::time(line.opened, matter.zone, part::MINUTE)) }
            @if let Some(closed) = line.closed {
                dt { "Closed" } dd { (part::time(closed, matter.zone, part::MINUTE)) }
            }
            dt { "Holds" }
            dd {
                (of(|standing| matches!(standing, HoldStanding::Active | HoldStanding::ReleaseRequested)))
                " active, "
                (of(|standing| matches!(standing, HoldStanding::Grace(_)))) " in grace, "
                (of(|standing| matches!(standing, HoldStanding::Ended(_)))) " ended"
            }
            dt { "Number" } dd { code { (line.id) } }
        }
    }
}

fn closing(frame: &Frame, line: &MatterLine, reason: &str, refusal: Option<&Refusal>) -> Markup {
    html! {
        details.card open[refusal.is_some()] {
            summary { "Close the matter" }
            @if line.holds > 0 {
                p {
                    "Closing releases nothing: " (part::count(line.holds, "hold", "holds"))
                    " of this matter must be released first, by two people, and their grace be over."
                }
            } @else {
                form method="post" action={ "/matters/" (line.id) "/close" } {
                    (frame.mark())
                    (form::reason(reason))
                    button type="submit" { "Close the matter" }
                }
            }
        }
    }
}

async fn close(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Reason>,
) -> Page {
    let matter = load(&house, &who, &id).await?;
    let (session, reason, no) = (who.session.clone(), typed.reason.clone(), matter.line.id);
    let answer = house
        .ask(move |appliance| appliance.close_matter(&session, no, &reason))
        .await;
    match answer {
        Ok(entry) => Ok(form::after(&format!("/matters/{no}"), "closed", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(one(
                &frame,
                &matter,
                &html! {},
                &typed.reason,
                Some(&refusal),
            ))
        }
    }
}
