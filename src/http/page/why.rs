//! Why a message is still here: the verdict and every reason, as the command line says it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use chrono::DateTime;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, form, part};
use crate::app::{About, Sentence, Why};
use crate::domain::{MessageId, Right, Timestamp};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/m/{id}/why", Access::With(Right::ReadRules), || get(show)),
    Route::post("/m/{id}/why", Access::With(Right::ReadRestricted), || {
        post(show_restricted)
    }),
];

/// Why somebody looks at what a request for erasure restricted.
#[derive(Deserialize)]
struct Looking {
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct At {
    #[serde(default)]
    at: String,
}

/// A message by its number, with the way to why it is here.
pub(super) fn link(id: MessageId) -> Markup {
    html! { a href={ "/m/" (id) "/why" } { code { (id) } } }
}

/// The same for who may not read messages and gets no verdict on one: the number alone.
pub(super) fn named(id: MessageId, frame: &Frame) -> Markup {
    match frame.may(Right::ReadContent) {
        true => link(id),
        false => html! { code { (id) } },
    }
}

/// How instants stand inside of sentences.
pub(super) fn instant(at: Timestamp, zone: Tz) -> String {
    let utc = DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    utc.with_timezone(&zone)
        .format("%-d %b %Y, %H:%M")
        .to_string()
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(at): Asked<At>,
) -> Page {
    let id: MessageId = id.parse().map_err(|_| Refusal::not_found())?;
    let zone = form::zone(&house).await?;
    let as_of = form::day(&at.at, zone)?;
    let answered = house
        .ask(move |appliance| appliance.why(&who.session, id, as_of))
        .await;
    let frame = frame.at(Section::Retention, "Why is it here");
    match answered {
        Ok(why) => Ok(frame.page(&view(&why, zone, &at.at, &frame))),
        // What a request restricted and what is not there are answered alike here too.
        Err(refusal)
            if refusal.status == StatusCode::NOT_FOUND && frame.may(Right::ReadRestricted) =>
        {
            let mut page = frame.page(&closed(id, &frame, None));
            *page.status_mut() = StatusCode::NOT_FOUND;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

/// The same of a message that a request restricted, with a reason that is logged first.
async fn show_restricted(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(looking): Posted<Looking>,
) -> Page {
    let id: MessageId = id.parse().map_err(|_| Refusal::not_found())?;
    let zone = form::zone(&house).await?;
    let answered = house
        .ask(move |appliance| {
            let reason = &looking.reason;
            let session = appliance.look_at_restricted(&who.session, &id.to_string(), reason)?;
            appliance.why(&session, id, None)
        })
        .await;
    let frame = frame.at(Section::Retention, "Why is it here");
    match answered {
        Ok(why) => Ok(frame.page(&view(&why, zone, "", &frame))),
        Err(refusal) if refusal.status.is_client_error() => {
            let mut page = frame.page(&closed(id, &frame, Some(&refusal)));
            *page.status_mut() = refusal.status;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

/// Nothing is shown: the message is not there, or a reason is needed.
fn closed(id: MessageId, frame: &Frame, refusal: Option<&Refusal>) -> Markup {
    html! {
        h1 { "Why is this message still here?" }
        p { code { (id) } }
        p {
            "There is no such message that you may see. If a request for erasure restricted it, you may \
             look at it with a reason; the log keeps who looked, and why."
        }
        form.card method="post" action={ "/m/" (id) "/why" } {
            (frame.mark())
            (form::refused(refusal))
            div.field {
                label for="reason" { "Reason" }
                input #reason name="reason" required maxlength="500";
            }
            button type="submit" { "Look at it" }
        }
    }
}

fn view(why: &Why, zone: Tz, day: &str, frame: &Frame) -> Markup {
    let local = |time| instant(time, zone);
    let verdict = why.verdict_sentence(&local);
    let goes = why.verdict.blocker.is_none();
    html! {
        h1 { "Why is this message still here?" }
        p {
            code { (why.message) }
            @if frame.may(Right::ReadContent) {
                " · " a href={ "/c/" (why.conversation) "?at=" (why.message) "#" (why.message) } {
                    "in its conversation"
                }
            }
            @if frame.may(Right::PlaceHolds) {
                " · " a href={ "/matters?message=" (why.message) } { "hold it" }
                " · " a href={ "/matters?conversation=" (why.conversation) } { "hold its conversation" }
            }
        }
        p .notice .warn[goes] .good[!goes] { strong { (sentence(&verdict)) "." } }
        p.aside {
            "As of " (part::time(why.at, zone, part::MINUTE)) ", " (zone.name())
            ". The rules are asked exactly, over the record itself."
        }
        h2 { "Everything that has a say" }
        @let reasons = why.reason_sentences(&local);
        @if reasons.is_empty() { p { "No policy, label, hold, lock or date has a say in it." } }
        @else { ul.rows { @for reason in &reasons { li { (sentence(reason)) } } } }
        form.inline method="get" action={ "/m/" (why.message) "/why" } {
            label for="at" { "Ask as of" }
            input #at type="date" name="at" value=(day);
            button type="submit" { "Ask" }
        }
    }
}

fn sentence(sentence: &Sentence) -> Markup {
    html! {
        (part::words(&sentence.text))
        @match sentence.about {
            Some(About::Policy(id)) => { " " a href={ "/policies/" (id) } { "see the policy" } }
            Some(About::Hold(id)) => { " " a href={ "/holds/" (id) } { "see the hold" } }
            None => {}
        }
    }
}
