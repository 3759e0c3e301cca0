//! Conversations: the list of them, and one of them around a message.
//!
//! A window of a conversation costs the same wherever it stands: it is loaded around a message, and
//! goes on by links on both ends.

mod figures;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use chrono::{Datelike, NaiveDate, NaiveTime, TimeZone};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::assets::address;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, part, search};
use crate::app::{
    Answered, AppError, Appliance, ConversationLine, ConversationRequest, ConversationSlice,
    Session, ShownMessage, Walk, WalkRequest,
};
use crate::crypto::{hex, sha256_of};
use crate::domain::{ConversationId, Kind, MessageId, Presence, Right, SearchId, Timestamp};

/// Messages on each side of the one that was asked for.
const WINDOW: u32 = 100;
/// Messages on each side of a hit in its preview.
const PREVIEW: u32 = 5;
/// Participants named at the head; all of them stand beside the messages.
const NAMED: usize = 8;
/// Longest earlier wording that stands in the bubble itself, in characters.
const SHORT: usize = 140;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/c", Access::With(Right::ReadContent), || get(list)),
    Route::get("/c/{id}", Access::With(Right::ReadContent), || get(show)),
    Route::get("/c/{id}/figures", Access::With(Right::ReadContent), || {
        get(figures)
    }),
    Route::get("/c/{id}/around", Access::With(Right::ReadContent), || {
        get(around)
    }),
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

/// What an address asks for.
struct Wanted {
    id: ConversationId,
    around: Option<MessageId>,
    day: Option<NaiveDate>,
    from: Option<SearchId>,
}

impl Wanted {
    fn read(id: &str, at: &At) -> Result<Wanted, Refusal> {
        let around = at.at.as_deref().map(str::parse::<MessageId>).transpose();
        let day = at.day.as_deref().filter(|day| !day.is_empty());
        Ok(Wanted {
            id: id.parse().map_err(|_| Refusal::not_found())?,
            around: around.map_err(|_| Refusal::not_found())?,
            day: day.map(parse_day).transpose()?,
            from: at.from.as_deref().and_then(|text| text.parse().ok()),
        })
    }

    fn request(&self, each_side: u32, zone: Tz) -> ConversationRequest {
        ConversationRequest {
            id: self.id,
            around: self.around,
            since: self.day.map(|day| midnight(day, zone)),
            until: None,
            limit: if self.around.is_some() {
                each_side
            } else {
                2 * each_side
            },
            zone: None,
        }
    }

    /// The hits of the search somebody came from; nothing where it is not theirs, or takes too long.
    fn walk(
        &self,
        appliance: &Appliance,
        session: &Session,
        slice: &ConversationSlice,
    ) -> Result<Option<Walk>, AppError> {
        let (Some(search), Some(first), Some(last)) =
            (self.from, slice.messages.first(), slice.messages.last())
        else {
            return Ok(None);
        };
        let request = WalkRequest {
            search,
            conversation: self.id,
            at: self.around,
            first: first.sent,
            last: last.sent,
        };
        match appliance.walk(session, &request) {
            Ok(walk) => Ok(Some(walk)),
            Err(AppError::NotFound(_) | AppError::Query { .. } | AppError::Budget(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(at): Asked<At>,
) -> Page {
    let wanted = Wanted::read(&id, &at)?;
    let (around, from) = (wanted.around, wanted.from);
    let (slice, walk) = house
        .ask(move |appliance| {
            let zone: Tz = appliance.zone_name().parse().unwrap_or(Tz::UTC);
            let slice = appliance.conversation(&who.session, &wanted.request(WINDOW, zone))?;
            let walk = wanted.walk(appliance, &who.session, &slice)?;
            Ok((slice, walk))
        })
        .await?;
    let shown = Shown {
        slice: &slice,
        around,
        from: from.filter(|_| walk.is_some()),
        marks: walk.iter().flat_map(|walk| &walk.marks).cloned().collect(),
        walk: walk.as_ref(),
        frame: &frame,
    };
    let content = shown.view();
    Ok(frame
        .wide()
        .at(Section::Conversations, "Conversation")
        .page(&content))
}

/// A few messages around a hit, for a list of hits; as a page of its own it is the conversation.
async fn around(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(at): Asked<At>,
) -> Page {
    let wanted = Wanted::read(&id, &at)?;
    let tail = wanted.tail();
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&format!("/c/{}{tail}", wanted.id)).into_response());
    }
    let asked = wanted.around;
    let slice = house
        .ask(move |appliance| {
            let zone: Tz = appliance.zone_name().parse().unwrap_or(Tz::UTC);
            appliance.conversation(&who.session, &wanted.request(PREVIEW, zone))
        })
        .await?;
    let fragment = html! {
        ol.lines {
            @for message in &slice.messages {
                li.line.context .hit[asked == Some(message.id)] {
                    (part::local(message.local, message.sent, part::MINUTE))
                    @match &message.sender {
                        Some(name) => span.sender { (part::name(name)) },
                        None => span.sender.system { "notice" },
                    }
                    div.text {
                        (part::words(&message.body))
                        (search::facts(&message.presence, message.earlier.len() as u16 + 1))
                    }
                }
            }
        }
        p { a.button href={ "/c/" (slice.conversation.id) (tail) } { "Open the conversation here" } " " (part::entry(slice.audit)) }
    };
    Ok(fragment.into_response())
}

/// When and who: beside the conversation; as a page of its own for browsers without script.
async fn figures(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    Asked(at): Asked<At>,
) -> Page {
    let wanted = Wanted::read(&id, &at)?;
    let id = wanted.id;
    let found = house
        .ask(move |appliance| appliance.conversation_figures(&who.session, id))
        .await?;
    let shown = figures::beside(id, wanted.from, &found);
    if headers.contains_key("hx-request") {
        return Ok(shown.into_response());
    }
    let content = html! {
        p { a.back href={ "/c/" (id) } { "← Conversation" } }
        h1 { "Months and people" }
        div.facets.alone { (shown) }
    };
    Ok(frame
        .at(Section::Conversations, "Months and people")
        .page(&content))
}

impl Wanted {
    /// Behind the address of the conversation: the message and the search.
    fn tail(&self) -> String {
        let from = self.from.map(|search| format!("&from={search}"));
        match self.around {
            Some(id) => format!("?at={id}{}#{id}", from.unwrap_or_default()),
            None => String::new(),
        }
    }
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

/// A page of a conversation.
struct Shown<'a> {
    slice: &'a ConversationSlice,
    around: Option<MessageId>,
    from: Option<SearchId>,
    walk: Option<&'a Walk>,
    marks: HashMap<MessageId, Vec<Range<usize>>>,
    frame: &'a Frame,
}

impl Shown<'_> {
    fn view(&self) -> Markup {
        let slice = self.slice;
        let id = slice.conversation.id;
        let from = self.from.map(|search| format!("?from={search}"));
        html! {
            div.talk {
                (self.head())
                aside.about.facets aria-label="Months and people" hx-trigger="load"
                    hx-get={ "/c/" (id) "/figures" (from.as_deref().unwrap_or_default()) } {
                    a href={ "/c/" (id) "/figures" (from.as_deref().unwrap_or_default()) } { "Months and people" }
                }
                div.talked {
                    @if slice.messages.is_empty() {
                        (part::empty("No message here", "There is none from that day on.", None))
                    }
                    (self.further(slice.messages.first().filter(|_| slice.more_before), "Earlier messages", "before"))
                    div.feed role="feed" aria-label="Messages" data-zone=(slice.zone.name()) data-app=(part::app(slice.conversation.app)) {
                        @for (place, message) in slice.messages.iter().enumerate() {
                            @let new_day = place == 0
                                || slice.messages[place - 1].local.date() != message.local.date();
                            article.post #(message.id) tabindex="0" aria-labelledby={ "by-" (message.id) }
                                aria-posinset=(place + 1) aria-setsize=(slice.messages.len())
                                data-sha256=(hex(&sha256_of(&[message.body.as_bytes()]))) {
                                @if new_day { (day_heading(message.local.date())) }
                                (self.bubble(message))
                            }
                        }
                    }
                    (self.further(slice.messages.last().filter(|_| slice.more_after), "Later messages", "after"))
                }
            }
            script src=(address("conv.js")) defer {}
        }
    }

    fn head(&self) -> Markup {
        let (slice, about) = (self.slice, &self.slice.conversation);
        html! {
            header.conversation-head {
                @if let Some(search) = self.from { a.back href={ "/s/" (search) } { "← All hits" } }
                h1 { (part::name(&about.title)) }
                p {
                    (part::app(about.app)) " · " (part::count(about.messages, "message", "messages"))
                    @if let (Some(first), Some(last)) = (about.first, about.last) {
                        " · " (part::time(first, slice.zone, part::DAY)) " – " (part::time(last, slice.zone, part::DAY))
                    }
                    " · times in " (slice.zone.name()) " · " (part::entry(slice.audit))
                }
                p.people {
                    @for person in about.participants.iter().take(NAMED) { span.chip { (part::name(person)) } " " }
                    @if about.participants.len() > NAMED {
                        span.aside { "and " (about.participants.len() - NAMED) " more" }
                    }
                }
                (self.printed())
                div.tools {
                    (self.jump())
                    @if let Some(walk) = self.walk { (self.steps(walk, "Hits in this conversation")) }
                    p.acts {
                        @if self.frame.may(Right::MarkRecords) {
                            a href={ "/labels/put?conversation=" (about.id) } { "Label" } " "
                        }
                        @if self.frame.may(Right::PlaceHolds) {
                            a href={ "/matters?conversation=" (about.id) } { "Hold" }
                        }
                    }
                }
            }
        }
    }

    fn jump(&self) -> Markup {
        let first = self.slice.messages.first();
        html! {
            form.inline.jump method="get" action={ "/c/" (self.slice.conversation.id) } {
                label for="day" { "Jump to" }
                input #day type="date" name="day" value=[first.map(|first| first.local.date().to_string())];
                @if let Some(search) = self.from { input type="hidden" name="from" value=(search); }
                button type="submit" { "Go" }
            }
        }
    }

    /// From hit to hit: the server knows where they are, however long the conversation is.
    fn steps(&self, walk: &Walk, label: &str) -> Markup {
        let id = self.slice.conversation.id;
        let way = |to: MessageId| {
            let from = self.from.map(|search| format!("&from={search}"));
            format!("/c/{id}?at={to}{}#{to}", from.unwrap_or_default())
        };
        html! {
            nav.steps-of-hits aria-label=(label) {
                @match walk.before {
                    Some(to) => a.button rel="prev" href=(way(to)) { "⟨ Hit before" },
                    None => span.button aria-disabled="true" { "⟨ Hit before" },
                }
                span {
                    @match walk.place {
                        Some(place) => { "hit " (part::number(place)) " of " (part::number(walk.total)) },
                        None => (part::count(walk.total, "hit", "hits")),
                    }
                }
                @match walk.after {
                    Some(to) => a.button rel="next" href=(way(to)) { "Next hit ⟩" },
                    None => span.button aria-disabled="true" { "Next hit ⟩" },
                }
            }
        }
    }

    /// What stands above the messages on paper alone.
    fn printed(&self) -> Markup {
        let messages = &self.slice.messages;
        html! {
            dl.facts.printed {
                dt { "Conversation" } dd { code { (self.slice.conversation.id) } }
                @if let (Some(first), Some(last)) = (messages.first(), messages.last()) {
                    dt { "Messages shown" }
                    dd {
                        (part::number(messages.len() as u64)) ", "
                        (part::local(first.local, first.sent, part::MINUTE)) " – "
                        (part::local(last.local, last.sent, part::MINUTE))
                    }
                }
                dt { "Times in" } dd { (self.slice.zone.name()) }
                @if let Some(walk) = self.walk {
                    dt { "Query" } dd { code hx-disable dir="auto" { (walk.text) } }
                    dt { "Read as" }
                    dd {
                        span hx-disable dir="auto" { (walk.read_as) } ", "
                        (part::count(walk.total, "hit", "hits")) " in this conversation"
                    }
                }
            }
        }
    }

    /// On from an end; a script finds the place even where nothing is left that way.
    fn further(&self, edge: Option<&ShownMessage>, words: &str, side: &str) -> Markup {
        let from = self.from.map(|search| format!("&from={search}"));
        let path = format!("/c/{}?at=", self.slice.conversation.id);
        let tail = from.unwrap_or_default();
        html! {
            nav.pager aria-label=(words) data-side=(side) data-path=(path) data-tail=(tail) hidden[edge.is_none()] {
                @if let Some(edge) = edge {
                    a.button href={ (path) (edge.id) (tail) "#" (edge.id) } { (words) }
                } @else { a.button { (words) } }
            }
        }
    }

    fn bubble(&self, message: &ShownMessage) -> Markup {
        let about = &self.slice.conversation;
        let system = message.sender.is_none() || message.kind == Kind::System;
        // The same name stands on the same side all through.
        let side = message
            .sender
            .as_ref()
            .is_some_and(|name| about.participants.first() == Some(name));
        let deleted = message.presence.has(Presence::DELETED);
        let marks = self.marks.get(&message.id).map_or(&[][..], Vec::as_slice);
        html! {
            div.message .system[system] .ours[side] .deleted[deleted] .asked[self.around == Some(message.id)] {
                header {
                    span.sender id={ "by-" (message.id) } {
                        @match &message.sender {
                            Some(name) => (part::name(name)),
                            None => "Notice of the platform",
                        }
                    }
                    span.acts {
                        a href={ "/m/" (message.id) } { "Details" }
                        @if self.frame.may(Right::ReadRules) {
                            a href={ "/m/" (message.id) "/why" } { "Why is it here?" }
                        }
                    }
                    a.cite href={ "#" (message.id) } title={ "Address of " (message.id) } {
                        (part::local(message.local, message.sent, "%H:%M"))
                    }
                }
                @if let Some(answered) = &message.answers { (quoted(answered, about.id)) }
                @if !message.body.is_empty() { p.body { (part::marked(&message.body, marks)) } }
                @for file in &message.attachments {
                    p.file { span.chip { "file " (part::name(&file.name)) } }
                }
                (part::reactions(&message.reactions))
                footer {
                    (search::facts(&message.presence, message.earlier.len() as u16 + 1))
                    (earlier(message))
                    // Who came by a link stands here: the next hit is not far.
                    @if let Some(walk) = self.walk.filter(|_| self.around == Some(message.id)) {
                        (self.steps(walk, "From this hit"))
                    }
                    code.printed { (message.id) }
                }
            }
        }
    }
}

/// What a message answers, above it.
fn quoted(answered: &Answered, conversation: ConversationId) -> Markup {
    html! {
        blockquote.answered {
            @match answered.id {
                Some(id) => {
                    a href={ "/c/" (conversation) "?at=" (id) "#" (id) } {
                        span aria-hidden="true" { "↩ " }
                        @match &answered.sender { Some(name) => (part::name(name)), None => "a notice" }
                    }
                    " " (part::words(&answered.opening))
                }
                None => { span aria-hidden="true" { "↩ " } "answers a message further back" }
            }
        }
    }
}

fn day_heading(day: NaiveDate) -> Markup {
    html! { h2.day data-day=(day) { (day.format("%A, %-d %B ")) (day.year()) } }
}

/// What the message said before it was changed.
fn earlier(message: &ShownMessage) -> Markup {
    html! {
        @match message.earlier.as_slice() {
            [] => {}
            [one] if one.chars().count() <= SHORT => span.was { "was: " del { (part::words(one)) } },
            more => details {
                summary { (part::count(more.len() as u64, "earlier version", "earlier versions")) }
                ol.versions { @for version in more { li { (part::words(version)) } } }
            },
        }
    }
}
