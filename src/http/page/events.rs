//! Events: what happened and starts periods, such as somebody leaving.

use std::sync::Arc;

use axum::extract::State;
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
use super::{Page, part};
use crate::app::{EventLine, NewEvent};
use crate::domain::{EventNo, Right};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/events", Access::With(Right::ReadRules), || get(list)),
    Route::post("/events", Access::With(Right::MarkRecords), || post(record)),
];

const DONE: &[(&str, &str)] = &[(
    "recorded",
    "The event is recorded; periods that begin with it count from its time.",
)];

#[derive(Clone, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    key: String,
    #[serde(default)]
    at: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    corrects: String,
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    listed(
        &house,
        frame,
        &who,
        &did.notice(DONE),
        &Typed::default(),
        None,
    )
    .await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    notice: &Markup,
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let events = house.ask(move |one| one.events(&session)).await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Retention, "Events");
    let content = html! {
        h1 { "Events" }
        (notice)
        p.aside {
            "Policies whose period begins with an event count from the latest of its type and key. An event \
             is never edited: a mistake is corrected by the next one."
        }
        (table(&events, zone, frame.may(Right::MarkRecords)))
        @if frame.may(Right::MarkRecords) { (recording(&frame, &events, typed, refusal)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn table(events: &[EventLine], zone: Tz, may_record: bool) -> Markup {
    html! {
        @if events.is_empty() {
            @let text = match may_record {
                true => "Record the first one below, when something happened that starts a period.",
                false => "A lawyer or a records officer records the first one.",
            };
            (part::empty("No event is recorded", text, None))
        } @else {
            div.scroll { table.grid {
                thead { tr {
                    th.figure { "No" } th { "Type" } th { "Key" } th { "Happened" } th { "Recorded" } th { "Reason" }
                } }
                tbody {
                    @for event in events {
                        @let corrected = events.iter().any(|other| other.corrects == Some(event.no));
                        tr {
                            th scope="row" { (event.no.0) }
                            td { code hx-disable dir="auto" { (event.kind) } }
                            td { (part::name(&event.key)) }
                            td {
                                (part::time(event.at, zone, part::DAY))
                                @if corrected { " " span.chip.warn { "corrected" } }
                            }
                            td { (part::time(event.recorded, zone, part::MINUTE)) }
                            td {
                                (part::words(&event.reason))
                                @if let Some(no) = event.corrects { " " span.chip { "corrects " (no.0) } }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn recording(
    frame: &Frame,
    events: &[EventLine],
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> Markup {
    html! {
        form.card method="post" action="/events" {
            (frame.mark())
            h2 { "Record an event" }
            (form::refused(refusal))
            label.field {
                span { "Type" }
                input name="kind" value=(typed.kind) required maxlength="200" autocomplete="off"
                    spellcheck="false" placeholder="employee_left";
                small { "As the policies name it." }
            }
            label.field {
                span { "Key" }
                input name="key" value=(typed.key) required maxlength="200" autocomplete="off"
                    spellcheck="false" dir="auto" placeholder="emp42";
                small { "To whom or what it happened." }
            }
            label.field {
                span { "Day" }
                input type="date" name="at" value=(typed.at) required;
            }
            @if !events.is_empty() {
                label.field {
                    span { "Corrects" }
                    select name="corrects" {
                        option value="" { "nothing: it is a new event" }
                        @for event in events.iter().rev() {
                            @let no = event.no.0.to_string();
                            option value=(no) selected[no == typed.corrects] { (no) ", " (event.kind) " " (event.key) }
                        }
                    }
                    small { "The other event must have the same type and key." }
                }
            }
            (form::reason(&typed.reason))
            button.primary type="submit" { "Record it" }
        }
    }
}

async fn record(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Typed>,
) -> Page {
    match recorded(&house, &who, typed.clone()).await {
        Ok(entry) => Ok(form::after("/events", "recorded", entry)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, &html! {}, &typed, Some(&refusal)).await
        }
    }
}

async fn recorded(
    house: &Arc<House>,
    who: &Who,
    typed: Typed,
) -> Result<crate::domain::EntryNo, Refusal> {
    let zone = form::zone(house).await?;
    let at = form::day(&typed.at, zone)?.ok_or_else(|| Refusal::usage("Say on which day."))?;
    let corrects = match typed.corrects.trim() {
        "" => None,
        no => Some(no.parse().map_err(|_| Refusal::not_found())?),
    };
    let session = who.session.clone();
    house
        .ask(move |one| {
            let new = NewEvent {
                kind: &typed.kind,
                key: &typed.key,
                at,
                reason: &typed.reason,
                corrects: corrects.map(EventNo),
            };
            Ok(one.record_event(&session, &new)?.1.seq)
        })
        .await
}
