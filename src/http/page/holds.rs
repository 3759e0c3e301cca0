//! Holds: placed in steps with a preview, shown with what they protect, released by two.

mod preview;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
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
use super::matters::{self, Matter, Wanted};
use super::trial;
use super::{Page, notices, part, step_up};
use crate::app::{
    Asked as Voice, Consequences, HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold,
    PREVIEW_DAYS, Spread,
};
use crate::domain::{GRACE_DAYS, GRACE_DAYS_MIN, HoldId, MessageId, Right};

pub(in crate::http) use preview::Preview;
use preview::{previewed, previewing};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get(
        "/matters/{id}/hold",
        Access::With(Right::PlaceHolds),
        || get(begin),
    ),
    Route::post(
        "/matters/{id}/hold",
        Access::With(Right::PlaceHolds),
        || post(go_on),
    ),
    Route::get("/holds/{id}", Access::With(Right::ReadRules), || get(show)),
    Route::get("/holds/{id}/count", Access::With(Right::ReadRules), || {
        get(count)
    }),
    Route::get(
        "/holds/{id}/release",
        Access::With(Right::ReleaseHolds),
        || get(before_release),
    ),
    Route::post(
        "/holds/{id}/release",
        Access::With(Right::ReleaseHolds),
        || post(release),
    ),
];

const STEPS: [&str; 3] = ["What it protects", "Preview", "In force"];

/// What the page of a hold says after an act.
const DONE: &[(&str, &str)] = &[
    (
        "placed",
        "Effective now: what it protects is not destroyed, whatever a policy says.",
    ),
    (
        "asked",
        "The release is asked for. Nothing changes until another lawyer or records officer agrees.",
    ),
    (
        "released",
        "The release is agreed. The grace has begun; until its end the hold protects.",
    ),
];

/// A hold as typed, over all its steps.
#[derive(Clone, Default, Deserialize)]
struct Typed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    query: String,
    /// `now` = only what matches now.
    #[serde(default)]
    extent: String,
    #[serde(default)]
    person: String,
    #[serde(default)]
    conversation: String,
    #[serde(default)]
    messages: String,
    #[serde(default)]
    around: String,
    #[serde(default)]
    grace: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    accept: String,
    /// `place`, `change`, else preview.
    #[serde(default)]
    act: String,
}

impl Typed {
    fn target(&self) -> Result<HoldTarget, Refusal> {
        let wrong = |what: &str| Refusal::usage(format!("{what} is not a number of ours."));
        Ok(match self.by.as_str() {
            "person" => HoldTarget::Custodian(self.person.trim().to_owned()),
            "conversation" => {
                let id = self.conversation.trim();
                HoldTarget::Conversation(id.parse().map_err(|_| wrong("The conversation"))?)
            }
            "messages" => {
                let words = self.messages.split_whitespace();
                let ids: Result<Vec<MessageId>, _> = words.map(str::parse).collect();
                HoldTarget::Messages(ids.map_err(|_| wrong("One of the messages"))?)
            }
            _ if self.query.trim().is_empty() => {
                return Err(Refusal::usage("Write the query of the hold."));
            }
            _ if self.extent == "now" => HoldTarget::Found(self.query.trim().to_owned()),
            _ => HoldTarget::Query(self.query.trim().to_owned()),
        })
    }

    fn new_hold(&self, matter: &Matter) -> Result<NewHold, Refusal> {
        Ok(NewHold {
            matter: matter.line.id,
            name: self.name.clone(),
            target: self.target()?,
            reason: self.reason.clone(),
            grace_days: small(&self.grace, "The grace")?,
            keep_context: small(&self.around, "The number of messages around a match")?
                .unwrap_or(0),
            zone: None,
            accept: form::accepted(&self.accept),
        })
    }
}

fn small(text: &str, what: &str) -> Result<Option<u16>, Refusal> {
    match text.trim() {
        "" => Ok(None),
        text => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Refusal::usage(format!("{what} is a whole number."))),
        },
    }
}

async fn begin(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(from): Asked<Wanted>,
    Asked(trial): Asked<trial::Wanted>,
) -> Page {
    let matter = matters::load(&house, &who, &id).await?;
    if let Some(job) = trial.job(&house, &who).await? {
        let preview = house.previews.get(job.id);
        return Ok(previewed(&frame, &matter, &job, preview.as_ref()));
    }
    if let Some(chosen) = from.chosen() {
        let session = who.session.clone();
        let choice = house.try_ask(move |one| chosen.read(one, &session)).await?;
        return Ok(first_step(&frame, &matter, &Typed::of(choice), None));
    }
    let by = match (from.conversation.is_empty(), from.message.is_empty()) {
        (false, _) => "conversation",
        (_, false) => "messages",
        _ => "query",
    };
    let typed = Typed {
        by: by.to_owned(),
        conversation: from.conversation,
        messages: from.message,
        grace: GRACE_DAYS.to_string(),
        ..Typed::default()
    };
    Ok(first_step(&frame, &matter, &typed, None))
}

async fn go_on(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Page {
    let matter = matters::load(&house, &who, &id).await?;
    if typed.act == "change" {
        return Ok(first_step(&frame, &matter, &typed, None));
    }
    let new = match typed.new_hold(&matter) {
        Ok(new) => new,
        Err(refusal) => return Ok(first_step(&frame, &matter, &typed, Some(&refusal))),
    };
    let session = who.session.clone();
    if typed.act == "place" {
        let placed = house
            .ask(move |appliance| appliance.place_hold(&session, &new))
            .await;
        return match placed {
            Ok(placed) => Ok(form::after(
                &format!("/holds/{}", placed.id),
                "placed",
                placed.audit.seq,
            )),
            Err(refusal) => {
                let refusal = form::at_its_place(refusal)?;
                Ok(first_step(&frame, &matter, &typed, Some(&refusal)))
            }
        };
    }
    let (shelf, page) = (
        house.previews.clone(),
        format!("/matters/{}/hold", matter.line.id),
    );
    let (kept, way) = (typed.clone(), page.clone());
    let act = move |job| previewing(session, shelf, (kept, new), (job, way));
    match trial::begun(&house, &who, "Preview of a hold", act).await {
        Ok(job) => Ok(Redirect::to(&trial::address(&page, job)).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(first_step(&frame, &matter, &typed, Some(&refusal)))
        }
    }
}

fn first_step(
    frame: &Frame,
    matter: &Matter,
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> Response {
    let frame = frame.clone().at(Section::Matters, "Place a hold");
    let path = format!("/matters/{}", matter.line.id);
    let content = html! {
        p { a.back href=(path) { "← " (part::name(&matter.line.name)) } }
        h1 { "Place a hold" }
        (form::step(1, &STEPS))
        @if matter.line.closed.is_some() {
            p.notice.warn { "This matter is closed: no hold can be placed in it." }
        }
        (form::refused(refusal))
        form method="post" action={ (path) "/hold" } {
            (frame.mark())
            label.field {
                span { "Name" }
                input name="name" value=(typed.name) required maxlength="200" dir="auto"
                    autocomplete="off";
            }
            fieldset {
                legend { "What it protects" }
                (by_query(typed))
                (by_others(typed))
            }
            (form::reason(&typed.reason))
            (further(typed))
            (form::acceptance(refusal))
            button.primary type="submit" name="act" value="preview" { "Preview" }
            p.aside { "Nothing is placed yet." }
        }
    };
    form::again(&frame, &content, refusal)
}

fn by(typed: &Typed, value: &str, words: &str) -> Markup {
    html! {
        label.check {
            input type="radio" name="by" value=(value) checked[typed.by == value];
            span { (words) }
        }
    }
}

fn by_query(typed: &Typed) -> Markup {
    html! {
        (by(typed, "query", "Whatever a query matches"))
        label.field {
            span.unseen { "Query" }
            textarea name="query" rows="2" dir="auto" spellcheck="false" maxlength="10000"
                placeholder="exclusiv* AND with:\"Karim Weber\" AND date:2024" { (typed.query) }
        }
        label.check.inner {
            input type="radio" name="extent" value="later" checked[typed.extent != "now"];
            span { "and what matches later, from its first instant" }
        }
        label.check.inner {
            input type="radio" name="extent" value="now" checked[typed.extent == "now"];
            span { "only the messages that match now" }
        }
    }
}

fn by_others(typed: &Typed) -> Markup {
    html! {
        (by(typed, "person", "Every conversation of a person"))
        label.field {
            span.unseen { "Person" }
            input name="person" value=(typed.person) dir="auto" autocomplete="off"
                placeholder="Name, handle or id";
        }
        (by(typed, "conversation", "One conversation"))
        label.field {
            span.unseen { "Conversation" }
            input name="conversation" value=(typed.conversation) autocomplete="off"
                spellcheck="false" placeholder="cnv_…";
        }
        (by(typed, "messages", "These messages, in every version they ever get"))
        label.field {
            span.unseen { "Messages" }
            textarea name="messages" rows="2" spellcheck="false" placeholder="msg_… msg_…" {
                (typed.messages)
            }
        }
    }
}

fn further(typed: &Typed) -> Markup {
    html! {
        details {
            summary { "Grace and surroundings" }
            label.field {
                span { "Days it still protects after its release" }
                input type="number" name="grace" min=(GRACE_DAYS_MIN) max="3650"
                    value=(typed.grace);
            }
            label.field {
                span { "Messages before and after each match that it protects too" }
                input type="number" name="around" min="0" max="1000"
                    value=(if typed.around.is_empty() { "0" } else { &typed.around });
            }
        }
    }
}

fn second_step(frame: &Frame, matter: &Matter, typed: &Typed, extent: &HoldExtent) -> Response {
    let frame = frame.clone().at(Section::Matters, "Place a hold: preview");
    let path = format!("/matters/{}", matter.line.id);
    let content = html! {
        p { a.back href=(path) { "← " (part::name(&matter.line.name)) } }
        h1 { "Preview of " (part::name(&typed.name)) }
        (form::step(2, &STEPS))
        (reach(extent))
        (without(extent))
        (spread(&extent.spread))
        form method="post" action={ (path) "/hold" } {
            (frame.mark())
            (kept(typed))
            p {
                button.primary type="submit" name="act" value="place" { "Place the hold" } " "
                button type="submit" name="act" value="change" { "Change" }
            }
            p.aside { "It protects when the next page says so." }
        }
    };
    frame.page(&content)
}

/// What was typed, carried to the next step.
fn kept(typed: &Typed) -> Markup {
    let fields = [
        ("name", &typed.name),
        ("by", &typed.by),
        ("query", &typed.query),
        ("extent", &typed.extent),
        ("person", &typed.person),
        ("conversation", &typed.conversation),
        ("messages", &typed.messages),
        ("around", &typed.around),
        ("grace", &typed.grace),
        ("reason", &typed.reason),
        ("accept", &typed.accept),
    ];
    html! { @for (name, value) in fields { input type="hidden" name=(name) value=(value); } }
}

/// How much a hold protects now, and how it was read.
fn reach(extent: &HoldExtent) -> Markup {
    let mark = &extent.watermark;
    html! {
        div.reading {
            p {
                span.label { "Read as" } " "
                (part::words(extent.reading.as_ref().map_or(&extent.protects, |one| &one.read_as)))
            }
            @if let Some(reading) = &extent.reading {
                ul.notes {
                    @for note in &reading.problems {
                        li { code { (note.code.name()) } " " span hx-disable { (note.message) } }
                    }
                }
            }
        }
        p {
            strong { (part::count(extent.messages, "message", "messages")) } " now"
            " · counted in " (extent.took.as_millis()) " ms · "
            @if mark.through >= mark.of { "complete" }
            @else { "complete through " (part::number(mark.through)) " of " (part::number(mark.of)) }
        }
    }
}

/// What the rules would let go soon, were it not for the hold.
fn without(extent: &HoldExtent) -> Markup {
    html! {
        @if let Some(soon) = &extent.due_soon {
            @if soon.messages == 0 {
                p.notice.good {
                    "Nothing of it would be due within " (PREVIEW_DAYS) " days by the rules in force."
                }
            } @else {
                div.notice.warn {
                    p {
                        "Without this hold " (part::count(soon.messages, "message", "messages"))
                        " of it would be due within " (PREVIEW_DAYS) " days:"
                    }
                    ul.rows {
                        @for (policy, count) in &soon.by_policy {
                            li { (part::number(*count)) " by " (part::name(policy)) }
                        }
                    }
                }
            }
        }
    }
}

fn spread(spread: &Spread) -> Markup {
    let apps = spread
        .by_app
        .iter()
        .map(|(app, count)| (part::app(*app), *count));
    html! {
        div.cards {
            (form::counts("By platform", &form::named(apps)))
            (form::counts("By year", &form::named(spread.by_year.iter().copied())))
            (form::counts("By person", &spread.by_person))
        }
    }
}

/// How a hold stands, as a chip with its date.
fn standing(hold: &HoldLine, zone: Tz) -> Markup {
    html! {
        @match hold.standing {
            HoldStanding::Active => span.chip.good { "active" },
            HoldStanding::ReleaseRequested => span.chip.warn { "active, release asked for" },
            HoldStanding::Grace(until) => {
                span.chip.warn { "grace until " (part::time(until, zone, part::DAY)) }
            }
            HoldStanding::Ended(at) => span.chip { "ended " (part::time(at, zone, part::DAY)) },
        }
    }
}

/// Holds in a table; how much each protects is counted when the page stands.
pub(super) fn table(holds: &[HoldLine], zone: Tz) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead { tr {
                    th scope="col" { "Hold" } th scope="col" { "State" } th scope="col" { "Since" }
                    th.figure scope="col" { "Messages" } th scope="col" { "Protects" }
                } }
                tbody {
                    @for hold in holds.iter().rev() {
                        tr {
                            th scope="row" { a href={ "/holds/" (hold.id) } { (part::name(&hold.name)) } }
                            td { (standing(hold, zone)) }
                            td { (part::time(hold.from, zone, part::MINUTE)) }
                            td.figure hx-get={ "/holds/" (hold.id) "/count" } hx-trigger="load" {
                                a href={ "/holds/" (hold.id) } { "count" }
                            }
                            td { (part::words(&hold.protects)) }
                        }
                    }
                }
            }
        }
    }
}

fn hold_id(text: &str) -> Result<HoldId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn load(house: &Arc<House>, who: &Who, id: HoldId) -> Result<(HoldLine, Tz), Refusal> {
    let session = who.session.clone();
    let holds = house
        .ask(move |appliance| appliance.holds(&session))
        .await?;
    let hold = holds.into_iter().find(|hold| hold.id == id);
    Ok((
        hold.ok_or_else(Refusal::not_found)?,
        form::zone(house).await?,
    ))
}

async fn count(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Page {
    let id = hold_id(&id)?;
    if !headers.contains_key("hx-request") {
        return Ok(Redirect::to(&format!("/holds/{id}")).into_response());
    }
    let extent = house
        .ask(move |appliance| appliance.hold_extent(&who.session, id))
        .await?;
    Ok(html! { (part::number(extent.messages)) }.into_response())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
) -> Page {
    let id = hold_id(&id)?;
    let (hold, zone) = load(&house, &who, id).await?;
    let (extent, notices) = house
        .ask(move |appliance| {
            let session = &who.session;
            Ok((
                appliance.hold_extent(session, id)?,
                appliance.notice_report(session, id)?,
            ))
        })
        .await?;
    let frame = frame.at(Section::Matters, "Hold");
    let content = html! {
        p { a.back href={ "/matters/" (hold.matter) } { "← Matter" } }
        h1 { (part::name(&hold.name)) " " (standing(&hold, zone)) }
        (did.notice(DONE))
        (voice(&hold, zone))
        (reach(&extent))
        (facts(&hold, zone))
        (notices::section(&notices, &frame, zone))
        @if frame.may(Right::ReleaseHolds) { (way_to_release(&hold)) }
        (spread(&extent.spread))
    };
    Ok(frame.page(&content))
}

fn facts(hold: &HoldLine, zone: Tz) -> Markup {
    html! {
        dl.facts {
            dt { "Since" }
            dd { (part::time(hold.from, zone, part::MINUTE)) " by " (part::name(&hold.placed_by)) }
            dt { "Reason" } dd { (part::words(&hold.reason)) }
            dt { "Later messages" }
            dd { @if hold.is_dynamic { "are protected when they match" } @else { "are not: it names its messages" } }
            @if hold.keep_context > 0 {
                dt { "Around a match" }
                dd { (part::count(hold.keep_context.into(), "message", "messages")) " on each side" }
            }
            dt { "Grace after a release" } dd { (part::count(hold.grace_days.into(), "day", "days")) }
            dt { "Number" } dd { code { (hold.id) } }
        }
    }
}

/// The voice that waits for a second person, or was the first of two.
fn voice(hold: &HoldLine, zone: Tz) -> Markup {
    html! {
        @if let Some(asked) = &hold.release_asked {
            div .notice .warn[hold.standing == HoldStanding::ReleaseRequested] {
                p {
                    (part::name(&asked.by)) " asked for its release on "
                    (part::time(asked.at, zone, part::MINUTE)) ": " (part::words(&asked.reason))
                }
                @if hold.standing == HoldStanding::ReleaseRequested { p { (waits_for(asked)) } }
            }
        }
        @if let HoldStanding::Grace(until) = hold.standing {
            p.notice.warn {
                "Released. It protects until " (part::time(until, zone, part::MINUTE))
                "; place another hold before that, if it is still needed."
            }
        }
    }
}

fn waits_for(asked: &Voice) -> &'static str {
    match asked.is_own {
        true => "Another lawyer or records officer has to agree; until then it protects as before.",
        false => "A second person has to agree; until then it protects as before.",
    }
}

fn way_to_release(hold: &HoldLine) -> Markup {
    let (path, own) = (
        format!("/holds/{}/release", hold.id),
        hold.release_asked
            .as_ref()
            .is_some_and(|asked| asked.is_own),
    );
    html! {
        @match hold.standing {
            HoldStanding::Active => p { a.button href=(path) { "Release…" } },
            HoldStanding::ReleaseRequested if !own => {
                p { a.button.primary href=(path) { "Look at the release" } }
            }
            _ => {}
        }
    }
}

#[derive(Clone, Default, Deserialize)]
struct Release {
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirm: String,
}

async fn before_release(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let id = hold_id(&id)?;
    if let Some(first) = step_up::asked(&who, &format!("/holds/{id}/release")) {
        return Ok(first);
    }
    releasing(&house, frame, &who, id, &Release::default(), None).await
}

async fn releasing(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    id: HoldId,
    typed: &Release,
    refusal: Option<&Refusal>,
) -> Page {
    let (hold, zone) = load(house, who, id).await?;
    let session = who.session.clone();
    let found = house
        .ask(move |appliance| appliance.preview_release(&session, id))
        .await?;
    let frame = frame.at(Section::Matters, "Release of a hold");
    let first = hold.release_asked.is_none();
    let is_own = hold
        .release_asked
        .as_ref()
        .is_some_and(|asked| asked.is_own);
    let content = html! {
        p { a.back href={ "/holds/" (id) } { "← " (part::name(&hold.name)) } }
        h1 { "Release of " (part::name(&hold.name)) }
        (form::step(if first { 1 } else { 2 }, &["One asks", "Another agrees", "Grace", "Ended"]))
        (voice(&hold, zone))
        (form::refused(refusal))
        (consequences(&hold, &found, zone))
        @if is_own {
            p { "You asked for it already: another lawyer or records officer has to agree." }
        } @else {
            form.card method="post" action={ "/holds/" (id) "/release" } {
                (frame.mark())
                (form::reason(&typed.reason))
                (form::confirmation(&hold.name))
                button.danger type="submit" {
                    @if first { "Ask for the release" } @else { "Agree to the release" }
                }
            }
        }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn consequences(hold: &HoldLine, found: &Consequences, zone: Tz) -> Markup {
    html! {
        section.card {
            h2 { "What the release does" }
            p {
                strong { (part::count(found.released, "message", "messages")) }
                " would be held by nobody. After the grace of "
                (part::count(hold.grace_days.into(), "day", "days")) ", that is from "
                (part::time(found.from, zone, part::MINUTE)) " on if it began now, "
                strong { (part::number(found.purgeable)) } " of them may be destroyed."
            }
            @if !found.by_policy.is_empty() || found.requested > 0 {
                ul.rows {
                    @for (policy, count) in &found.by_policy {
                        li { (part::number(*count)) " by " (part::name(policy)) }
                    }
                    @if found.requested > 0 {
                        li { (part::number(found.requested)) " that somebody asked to be erased" }
                    }
                }
            }
            @if !found.samples.is_empty() {
                p { "Some of them:" }
                ul.rows { @for id in &found.samples { li { (super::why::link(*id)) } } }
            }
        }
    }
}

async fn release(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<Release>,
) -> Page {
    let id = hold_id(&id)?;
    let path = format!("/holds/{id}");
    if let Some(first) = step_up::asked(&who, &format!("{path}/release")) {
        return Ok(first);
    }
    let (hold, _) = load(&house, &who, id).await?;
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let released = match form::confirmed(&typed.confirm, &hold.name) {
        Err(refusal) => Err(refusal),
        Ok(()) => {
            house
                .ask(move |appliance| appliance.release_hold(&session, id, &reason))
                .await
        }
    };
    match released {
        Ok(released) => {
            let did = match released.standing {
                HoldStanding::ReleaseRequested => "asked",
                _ => "released",
            };
            Ok(form::after(&path, did, released.audit.seq))
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            releasing(&house, frame, &who, id, &typed, Some(&refusal)).await
        }
    }
}
