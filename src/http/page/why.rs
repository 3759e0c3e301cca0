//! Why a message is still here: the verdict and every reason, as the command line says it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use chrono::DateTime;
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, form, part};
use crate::app::{About, Sentence, Why};
use crate::domain::{MessageId, Right, Timestamp};

pub(in crate::http) const ROUTES: &[Route] = &[Route::get(
    "/m/{id}/why",
    Access::With(Right::ReadRules),
    || get(show),
)];

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
    let why = house
        .ask(move |appliance| appliance.why(&who.session, id, as_of))
        .await?;
    let frame = frame.at(Section::Retention, "Why is it here");
    let content = view(&why, zone, &at.at, &frame);
    Ok(frame.page(&content))
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
