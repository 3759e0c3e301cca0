//! Conversations: the list of them, and one of them around a message.
//!
//! A window of a conversation costs the same wherever it stands: it is loaded around a message, and
//! goes on by links on both ends.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, part, search};
use crate::app::{ConversationLine, ConversationRequest, ConversationSlice, ShownMessage};
use crate::domain::{ConversationId, Kind, MessageId, Right, SearchId, Timestamp};

/// Messages on each side of the one that was asked for.
const WINDOW: u32 = 100;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/c", Access::With(Right::ReadContent), || get(list)),
    Route::get("/c/{id}", Access::With(Right::ReadContent), || get(show)),
];

#[derive(Deserialize)]
struct At {
    at: Option<String>,
    /// The search somebody came from.
    from: Option<String>,
    /// A day to jump to.
    day: Option<String>,
}

/// A conversation in a list.
pub(super) fn row(line: &ConversationLine) -> Markup {
    html! {
        li.conversation {
            a href={ "/c/" (line.id) } { (part::name(&line.title)) }
            span.aside {
                (part::app(line.app)) " · " (part::count(line.messages, "message", "messages"))
                @if let (Some(first), Some(last)) = (line.first, line.last) {
                    " · " (part::time(first, Tz::UTC, part::DAY)) " – " (part::time(last, Tz::UTC, part::DAY))
                }
            }
        }
    }
}

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let lines = house
        .ask(move |appliance| appliance.conversations(&who.session))
        .await?;
    let content = html! {
        h1 { "Conversations" }
        @if lines.is_empty() {
            (part::empty(
                "No conversation is here for you",
                "Nothing was imported yet, or nothing of it is within your sight. An administrator \
                 can widen it.",
                frame.may(Right::Import).then_some(("Import", "/imports")),
            ))
        } @else {
            p { (part::count(lines.len() as u64, "conversation", "conversations")) ", latest first" }
            ul.rows { @for line in &lines { (row(line)) } }
        }
    };
    Ok(frame
        .at(Section::Conversations, "Conversations")
        .page(&content))
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(at): Asked<At>,
) -> Page {
    let id: ConversationId = id.parse().map_err(|_| Refusal::not_found())?;
    let around = match &at.at {
        Some(text) => Some(
            text.parse::<MessageId>()
                .map_err(|_| Refusal::not_found())?,
        ),
        None => None,
    };
    let from: Option<SearchId> = at.from.as_deref().and_then(|text| text.parse().ok());
    let day = at.day.as_deref().filter(|day| !day.is_empty());
    let day = day.map(parse_day).transpose()?;
    let slice = house
        .ask(move |appliance| {
            let zone: Tz = appliance.settings().zone.parse().unwrap_or(Tz::UTC);
            appliance.conversation(
                &who.session,
                &ConversationRequest {
                    id,
                    around,
                    since: day.map(|day| midnight(day, zone)),
                    until: None,
                    limit: if around.is_some() { WINDOW } else { 2 * WINDOW },
                    zone: None,
                },
            )
        })
        .await?;
    let content = view(&slice, around, from, frame.may(Right::ReadRules));
    Ok(frame
        .wide()
        .at(Section::Conversations, "Conversation")
        .page(&content))
}

pub(super) fn parse_day(text: &str) -> Result<NaiveDate, Refusal> {
    text.parse()
        .map_err(|_| Refusal::usage("Write the day as 2024-02-29."))
}

/// The first instant of a day in a zone; where the clocks jump over midnight, the next there is.
pub(super) fn midnight(day: NaiveDate, zone: Tz) -> Timestamp {
    let local = day.and_time(NaiveTime::MIN);
    let instant = zone.from_local_datetime(&local).earliest().or_else(|| {
        zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1)))
            .earliest()
    });
    Timestamp(instant.map_or_else(
        || local.and_utc().timestamp_micros(),
        |instant| instant.timestamp_micros(),
    ))
}

fn view(
    slice: &ConversationSlice,
    around: Option<MessageId>,
    from: Option<SearchId>,
    says_why: bool,
) -> Markup {
    let about = &slice.conversation;
    html! {
        header.conversation-head {
            @if let Some(search) = from { a.back href={ "/s/" (search) } { "← Hits" } }
            h1 { (part::name(&about.title)) }
            p {
                (part::app(about.app)) " · " (part::count(about.messages, "message", "messages"))
                @if let (Some(first), Some(last)) = (about.first, about.last) {
                    " · " (part::time(first, slice.zone, part::DAY)) " – " (part::time(last, slice.zone, part::DAY))
                }
                " · times in " (slice.zone.name()) " · " (part::entry(slice.audit))
            }
            p.people {
                @for person in &about.participants { span.chip { (part::name(person)) } " " }
            }
            form.inline.jump method="get" action={ "/c/" (about.id) } {
                label for="day" { "Jump to" }
                input #day type="date" name="day"
                    value=[slice.messages.first().map(|first| first.local.date().to_string())];
                button type="submit" { "Go" }
            }
        }
        @if slice.messages.is_empty() {
            (part::empty("No message here", "There is none from that day on.", None))
        }
        @if slice.more_before && let Some(first) = slice.messages.first() {
            (further(slice, first, from, "Earlier messages"))
        }
        div.feed role="feed" aria-label="Messages" {
            @for (place, message) in slice.messages.iter().enumerate() {
                @let new_day = place == 0
                    || slice.messages[place - 1].local.date() != message.local.date();
                article.post #(message.id) tabindex="0" aria-labelledby={ "by-" (message.id) }
                    aria-posinset=(place + 1) aria-setsize=(slice.messages.len()) {
                    @if new_day { (day_heading(message.local.date())) }
                    (bubble(message, about, around == Some(message.id), says_why))
                }
            }
        }
        @if slice.more_after && let Some(last) = slice.messages.last() {
            (further(slice, last, from, "Later messages"))
        }
    }
}

fn further(
    slice: &ConversationSlice,
    edge: &ShownMessage,
    from: Option<SearchId>,
    words: &str,
) -> Markup {
    let search = from
        .map(|search| format!("&from={search}"))
        .unwrap_or_default();
    html! {
        nav.pager {
            a.button href={ "/c/" (slice.conversation.id) "?at=" (edge.id) (search) "#" (edge.id) } { (words) }
        }
    }
}

fn day_heading(day: NaiveDate) -> Markup {
    html! { h2.day { (day.format("%A, %-d %B ")) (day.year()) } }
}

fn bubble(
    message: &ShownMessage,
    about: &ConversationLine,
    is_asked_for: bool,
    says_why: bool,
) -> Markup {
    let system = message.sender.is_none() || message.kind == Kind::System;
    // The same name stands on the same side all through.
    let side = message
        .sender
        .as_ref()
        .is_some_and(|name| about.participants.first() == Some(name));
    html! {
        div.message .system[system] .ours[side] .asked[is_asked_for] {
            header {
                span.sender id={ "by-" (message.id) } {
                    @match &message.sender {
                        Some(name) => (part::name(name)),
                        None => "Notice of the platform",
                    }
                }
                a.cite href={ "#" (message.id) } title={ "Address of " (message.id) } {
                    (part::local(message.local, message.sent, "%H:%M"))
                }
                @if says_why { a.why href={ "/m/" (message.id) "/why" } { "Why is it here?" } }
            }
            @if !message.body.is_empty() { p.body { (part::words(&message.body)) } }
            @for file in &message.attachments {
                p.file { span.chip { "file " (part::name(&file.name)) } }
            }
            footer {
                (search::facts(&message.presence, message.earlier.len() as u16 + 1))
                @if !message.earlier.is_empty() {
                    details {
                        summary { (part::count(message.earlier.len() as u64, "earlier version", "earlier versions")) }
                        ol.versions { @for version in &message.earlier { li { (part::words(version)) } } }
                    }
                }
            }
        }
    }
}
