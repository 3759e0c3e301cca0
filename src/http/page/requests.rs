//! Requests of people that their data be erased: recorded, shown, decided message by message.

use std::sync::Arc;

use axum::extract::{Path, State};
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
use crate::app::{
    NewRequest, RequestAct, RequestCounts, RequestDecision, RequestItem, RequestLine,
};
use crate::domain::{Ground, MessageId, RequestId, RequestOutcome, Right};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/requests", Access::With(Right::ReadRules), || get(list)),
    Route::post("/requests", Access::With(Right::HandleRequests), || {
        post(record)
    }),
    Route::get("/requests/{id}", Access::With(Right::ReadRules), || {
        get(show)
    }),
    Route::post(
        "/requests/{id}/decide",
        Access::With(Right::HandleRequests),
        || post(decide),
    ),
];

/// Messages of a request on a page.
const ITEMS: usize = 100;

const DONE: &[(&str, &str)] = &[
    (
        "recorded",
        "Recorded. Each message stands in one way from now on.",
    ),
    ("decided", "Decided."),
];

#[derive(Clone, Default, Deserialize)]
struct New {
    #[serde(default)]
    person: String,
    #[serde(default)]
    messages: String,
    #[serde(default)]
    received: String,
    #[serde(default)]
    reference: String,
    #[serde(default)]
    reason: String,
}

impl New {
    fn request(&self, zone: Tz) -> Result<NewRequest, Refusal> {
        let people = self.person.lines().map(str::trim);
        let people: Vec<String> = people
            .filter(|name| !name.is_empty())
            .map(str::to_owned)
            .collect();
        let messages = message_ids(&self.messages)?;
        if people.is_empty() && messages.is_empty() {
            return Err(Refusal::usage(
                "Say who asks, or which messages it is about.",
            ));
        }
        Ok(NewRequest {
            people,
            messages,
            received: form::day(&self.received, zone)?,
            reference: self.reference.clone(),
            reason: self.reason.clone(),
        })
    }
}

fn message_ids(text: &str) -> Result<Vec<MessageId>, Refusal> {
    let ids: Result<Vec<MessageId>, _> = text.split_whitespace().map(str::parse).collect();
    ids.map_err(|_| {
        Refusal::usage("One of the messages is not a number of ours, such as msg_01JD…")
    })
}

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    listed(&house, frame, &who, &New::default(), None).await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    new: &New,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let requests = house
        .ask(move |appliance| appliance.requests(&session))
        .await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Retention, "Requests for erasure");
    let content = html! {
        p { a.back href="/retention" { "← Retention" } }
        h1 { "Requests for erasure" }
        @if requests.is_empty() {
            (part::empty("Nobody asked yet", "A person who asks that their data be erased is to be answered within a month.", None))
        } @else { (table(&requests, zone)) }
        @if frame.may(Right::HandleRequests) { (recording(&frame, new, refusal)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn table(requests: &[RequestLine], zone: Tz) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead { tr {
                    th scope="col" { "Who" } th scope="col" { "Reference" } th scope="col" { "Answer by" }
                    th.figure scope="col" { "Due" } th.figure scope="col" { "Erased" }
                    th.figure scope="col" { "Restricted" } th.figure scope="col" { "Refused" }
                } }
                tbody {
                    @for request in requests.iter().rev() {
                        tr {
                            th scope="row" {
                                a href={ "/requests/" (request.id) } {
                                    @if request.who.is_empty() { "named messages" } @else { (part::name(&request.who)) }
                                }
                            }
                            td { (part::name(&request.reference)) }
                            td { (part::time(request.answer_by, zone, part::DAY)) }
                            td.figure { (part::number(request.counts.due)) }
                            td.figure { (part::number(request.counts.erased)) }
                            td.figure { (part::number(request.counts.restricted)) }
                            td.figure { (part::number(request.counts.refused)) }
                        }
                    }
                }
            }
        }
    }
}

fn recording(frame: &Frame, new: &New, refusal: Option<&Refusal>) -> Markup {
    html! {
        details.card open[refusal.is_some()] {
            summary { "Record a request" }
            (form::refused(refusal))
            p.aside {
                "Everything the person wrote is on it. What nothing keeps goes with the next list; what a hold or "
                "a duty to keep protects is hidden from ordinary search and goes by itself when they end."
            }
            form method="post" action="/requests" {
                (frame.mark())
                label.field {
                    span { "Who asks" }
                    textarea name="person" rows="2" dir="auto" { (new.person) }
                    small { "By name, handle or id; one a line." }
                }
                label.field {
                    span { "Further messages it is about" }
                    textarea name="messages" rows="2" spellcheck="false" placeholder="msg_… msg_…" { (new.messages) }
                }
                label.field {
                    span { "Received" }
                    input type="date" name="received" value=(new.received);
                    small { "Today, where none is given." }
                }
                label.field {
                    span { "Reference of the letter" }
                    input name="reference" value=(new.reference) maxlength="200" dir="auto" autocomplete="off";
                }
                (form::reason(&new.reason))
                button.primary type="submit" { "Record the request" }
            }
        }
    }
}

async fn record(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(new): Posted<New>,
) -> Page {
    let zone = form::zone(&house).await?;
    let session = who.session.clone();
    let answer = match new.request(zone) {
        Err(refusal) => Err(refusal),
        Ok(request) => {
            house
                .ask(move |appliance| appliance.add_request(&session, &request))
                .await
        }
    };
    match answer {
        Ok((line, entry)) => Ok(form::after(
            &format!("/requests/{}", line.id),
            "recorded",
            entry.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, &new, Some(&refusal)).await
        }
    }
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    first: usize,
}

#[derive(Clone, Default, Deserialize)]
struct Decision {
    #[serde(default)]
    act: String,
    #[serde(default)]
    ground: String,
    /// One message; empty: all that are not gone.
    #[serde(default)]
    messages: String,
    #[serde(default)]
    review: String,
    #[serde(default)]
    reason: String,
}

impl Decision {
    fn decision(&self, zone: Tz) -> Result<RequestDecision, Refusal> {
        let ground = match self.ground.as_str() {
            "b" => Some(Ground::LegalObligation),
            "e" => Some(Ground::LegalClaims(None)),
            _ => None,
        };
        let no_ground = || {
            Refusal::usage("Say on which ground they stay: a legal obligation, or legal claims.")
        };
        let act = match self.act.as_str() {
            "refuse" => RequestAct::Refuse(ground.ok_or_else(no_ground)?),
            "restrict" => RequestAct::Restrict(ground.ok_or_else(no_ground)?),
            "resume" => RequestAct::Resume,
            _ => return Err(Refusal::usage("Choose what is decided.")),
        };
        Ok(RequestDecision {
            act,
            messages: message_ids(&self.messages)?,
            review: form::day(&self.review, zone)?,
            reason: self.reason.clone(),
        })
    }
}

fn request_id(text: &str) -> Result<RequestId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
    Asked(after): Asked<After>,
) -> Page {
    let (id, notice) = (request_id(&id)?, did.notice(DONE));
    let typed = Decision::default();
    one(
        &house,
        frame,
        &who,
        (id, after.first),
        &notice,
        &typed,
        None,
    )
    .await
}

async fn one(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    (id, first): (RequestId, usize),
    notice: &Markup,
    typed: &Decision,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let (line, items) = house
        .ask(move |appliance| appliance.show_request(&session, id))
        .await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Retention, "Request for erasure");
    let open = items
        .iter()
        .any(|item| item.outcome != RequestOutcome::Erased);
    let content = html! {
        p { a.back href="/requests" { "← Requests" } }
        h1 { @if line.who.is_empty() { "Named messages" } @else { (part::name(&line.who)) } }
        (notice)
        (form::refused(refusal))
        (facts(&line, zone))
        @if open && frame.may(Right::HandleRequests) { (deciding(&frame, id, typed, refusal)) }
        (messages(id, &items, first, zone))
    };
    Ok(form::again(&frame, &content, refusal))
}

fn facts(line: &RequestLine, zone: Tz) -> Markup {
    let RequestCounts {
        due,
        erased,
        restricted,
        refused,
    } = line.counts;
    html! {
        dl.facts {
            dt { "Received" } dd { (part::time(line.received, zone, part::DAY)) }
            dt { "Answer by" } dd { strong { (part::time(line.answer_by, zone, part::DAY)) } }
            @if !line.reference.is_empty() { dt { "Reference" } dd { (part::name(&line.reference)) } }
            dt { "Due" } dd { (part::count(due, "message goes", "messages go")) " with the next list" }
            dt { "Erased" } dd { (part::number(erased)) }
            dt { "Restricted" } dd { (part::count(restricted, "message stays, hidden", "messages stay, hidden")) }
            dt { "Refused" } dd { (part::count(refused, "message stays as it was", "messages stay as they were")) }
            @if let Some(review) = line.review { dt { "Look again" } dd { (part::time(review, zone, part::DAY)) } }
            dt { "Number" } dd { code { (line.id) } }
        }
    }
}

fn deciding(frame: &Frame, id: RequestId, typed: &Decision, refusal: Option<&Refusal>) -> Markup {
    const ACTS: [(&str, &str); 3] = [
        ("restrict", "They stay and are hidden"),
        ("refuse", "They stay as they were"),
        ("resume", "The rules decide again"),
    ];
    const GROUNDS: [(&str, &str); 3] = [
        ("", "none, to let the rules decide"),
        ("b", "art. 17(3)(b), a legal obligation"),
        ("e", "art. 17(3)(e), legal claims"),
    ];
    html! {
        details.card #decide open[refusal.is_some()] {
            summary { "Decide" }
            form method="post" action={ "/requests/" (id) "/decide" } {
                (frame.mark())
                fieldset {
                    legend { "What is decided" }
                    @for (value, words) in ACTS {
                        label.check {
                            input type="radio" name="act" value=(value) required checked[typed.act == value];
                            span { (words) }
                        }
                    }
                }
                label.field {
                    span { "On which ground they stay" }
                    select name="ground" {
                        @for (value, words) in GROUNDS {
                            option value=(value) selected[typed.ground == value] { (words) }
                        }
                    }
                }
                label.field {
                    span { "Messages" }
                    textarea name="messages" rows="2" spellcheck="false" placeholder="msg_… msg_…" { (typed.messages) }
                    small { "Empty: all that are not gone." }
                }
                label.field {
                    span { "Look again on" }
                    input type="date" name="review" value=(typed.review);
                    small { "In half a year, where no day is given." }
                }
                (form::reason(&typed.reason))
                button.primary type="submit" { "Decide" }
            }
        }
    }
}

fn messages(id: RequestId, items: &[RequestItem], first: usize, zone: Tz) -> Markup {
    let shown: Vec<&RequestItem> = items.iter().skip(first).take(ITEMS).collect();
    let last = first.saturating_add(shown.len());
    html! {
        @if !shown.is_empty() {
            h2 {
                "Messages " (part::number(first as u64 + 1)) " to " (part::number(last as u64))
                " of " (part::number(items.len() as u64))
            }
            div.scroll {
                table.grid {
                    thead { tr {
                        th scope="col" { "Message" } th scope="col" { "Stands" } th scope="col" { "Ground" }
                        th scope="col" { "Look again" } th scope="col" { "Since" } th scope="col" { "Reason" }
                    } }
                    tbody { @for item in shown { (row(item, zone)) } }
                }
            }
            nav.pager {
                @if first > 0 {
                    a.button href={ "/requests/" (id) "?first=" (first.saturating_sub(ITEMS)) } { "Before" }
                }
                @if last < items.len() { a.button href={ "/requests/" (id) "?first=" (last) } { "Next" } }
            }
        }
    }
}

fn row(item: &RequestItem, zone: Tz) -> Markup {
    html! {
        tr {
            th scope="row" { @match item.message { Some(id) => code { (id) }, None => "gone" } }
            td {
                span .chip .good[item.outcome == RequestOutcome::Erased]
                    .warn[item.outcome == RequestOutcome::Restricted] { (item.outcome.name()) }
            }
            td { @if let Some(ground) = item.ground { "art. " (ground.article()) } }
            td { @if let Some(review) = item.review { (part::time(review, zone, part::DAY)) } }
            td { (part::time(item.decided, zone, part::DAY)) }
            td { (part::words(&item.reason)) }
        }
    }
}

async fn decide(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Decision>,
) -> Page {
    let id = request_id(&id)?;
    let zone = form::zone(&house).await?;
    let session = who.session.clone();
    let answer = match typed.decision(zone) {
        Err(refusal) => Err(refusal),
        Ok(decision) => {
            house
                .ask(move |appliance| appliance.decide_request(&session, id, &decision))
                .await
        }
    };
    match answer {
        Ok((_, entry)) => Ok(form::after(
            &format!("/requests/{id}"),
            "decided",
            entry.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            one(
                &house,
                frame,
                &who,
                (id, 0),
                &html! {},
                &typed,
                Some(&refusal),
            )
            .await
        }
    }
}
