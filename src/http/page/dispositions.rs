//! Disposition: what is due on a list, looked through, approved by others, run, certified.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::api::dispositions::begin_run;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::{Page, certificate, part, step_up, why};
use crate::app::{BatchLine, BatchStory, ListedItem, Review, ReviewLine, RuleName};
use crate::audit::Appended;
use crate::domain::{BatchNo, MessageId, Right, Timestamp};
use crate::store::{ActKind, DispositionState};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/dispositions", Access::With(Right::ReadRules), || {
        get(list)
    }),
    Route::post(
        "/dispositions",
        Access::With(Right::RequestDisposition),
        || post(plan),
    ),
    Route::get("/dispositions/{no}", Access::With(Right::ReadRules), || {
        get(show)
    }),
    Route::post(
        "/dispositions/{no}/review",
        Access::With(Right::ReviewDisposition),
        || post(review),
    ),
    Route::post(
        "/dispositions/{no}/run",
        Access::With(Right::RequestDisposition),
        || post(run),
    ),
    Route::get(
        "/dispositions/{no}/certificate",
        Access::With(Right::ReadRules),
        || get(certified),
    ),
    Route::get(
        "/dispositions/{no}/certificate.json",
        Access::With(Right::ReadRules),
        || get(download),
    ),
];

/// Messages of a list on a page.
const ITEMS: usize = 50;

const DONE: &[(&str, &str)] = &[
    (
        "planned",
        "The list is put together. Nothing is destroyed: others have to approve it first.",
    ),
    ("approved", "Approved."),
    ("shorter", "The message is off the list."),
    ("cancelled", "The list is called off; nothing of it goes."),
];

fn state_words(state: DispositionState) -> &'static str {
    match state {
        DispositionState::InReview => "in review",
        DispositionState::Approved => "approved",
        DispositionState::HandedOver => "running",
        DispositionState::Cancelled => "called off",
        DispositionState::Certified => "certified",
    }
}

fn state(state: DispositionState) -> Markup {
    html! {
        span .chip .good[state == DispositionState::Certified]
            .warn[matches!(state, DispositionState::InReview | DispositionState::Approved)]
            .bad[state == DispositionState::HandedOver] { (state_words(state)) }
    }
}

fn batch_no(text: &str) -> Result<BatchNo, Refusal> {
    text.parse().map(BatchNo).map_err(|_| Refusal::not_found())
}

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    listed(&house, frame, &who, None).await
}

async fn listed(house: &Arc<House>, frame: Frame, who: &Who, refusal: Option<&Refusal>) -> Page {
    let session = who.session.clone();
    let batches = house
        .ask(move |appliance| appliance.dispositions(&session))
        .await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Retention, "Disposition");
    let content = html! {
        p { a.back href="/retention" { "← Retention" } }
        h1 { "Disposition" }
        (form::refused(refusal))
        @if frame.may(Right::RequestDisposition) {
            form.card method="post" action="/dispositions" {
                (frame.mark())
                p { "Everything that is due now goes on a list. Nothing is destroyed; who asks for a list cannot approve it." }
                button.primary type="submit" { "Put what is due on a list" }
            }
        }
        @if batches.is_empty() {
            (part::empty("No list was put together yet", "Nothing was ever destroyed by the rules.", None))
        } @else { (table(&batches, zone)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn table(batches: &[BatchLine], zone: Tz) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead { tr {
                    th scope="col" { "List" } th scope="col" { "State" }
                    th scope="col" { "Put together" } th.figure scope="col" { "Messages" }
                    th.figure scope="col" { "Taken off" } th scope="col" { "Approved" }
                    th scope="col" { "Runs from" }
                } }
                tbody {
                    @for batch in batches.iter().rev() {
                        tr {
                            th scope="row" { a href={ "/dispositions/" (batch.batch.0) } { "List " (batch.batch.0) } }
                            td { (state(batch.state)) }
                            td { (part::time(batch.computed, zone, part::MINUTE)) }
                            td.figure { (part::number(batch.items)) }
                            td.figure { (part::number(batch.taken_off)) }
                            td { (batch.approvals.0) " of " (batch.approvals.1) }
                            td { @if let Some(from) = batch.runs_from { (part::time(from, zone, part::MINUTE)) } @else { "–" } }
                        }
                    }
                }
            }
        }
    }
}

async fn plan(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session.clone();
    let planned = house
        .ask(move |appliance| appliance.plan_disposition(&session))
        .await;
    match planned {
        Ok(planned) => Ok(form::after(
            &format!("/dispositions/{}", planned.batch.0),
            "planned",
            planned.audit.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, Some(&refusal)).await
        }
    }
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    first: usize,
}

/// What is typed on the page of a list.
#[derive(Clone, Default, Deserialize)]
struct Typed {
    /// `approve`, `exclude`, `extend` or `cancel`.
    #[serde(default)]
    act: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    confirm: String,
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(no): Path<String>,
    Asked(did): Asked<Did>,
    Asked(after): Asked<After>,
) -> Page {
    let no = batch_no(&no)?;
    let notice = did.notice(DONE);
    let typed = Typed::default();
    one(
        &house,
        frame,
        &who,
        (no, after.first),
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
    (no, first): (BatchNo, usize),
    notice: &Markup,
    typed: &Typed,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let (story, now) = house
        .ask(move |appliance| {
            Ok((
                appliance.disposition(&session, no, first, ITEMS)?,
                appliance.now().compliance,
            ))
        })
        .await?;
    let frame = frame.at(Section::Retention, "List of disposition");
    let zone = form::zone(house).await?;
    let look = Look {
        story: &story,
        zone,
        now,
        fresh: step_up::proven(who),
        typed,
    };
    let content = html! {
        p { a.back href="/dispositions" { "← Disposition" } }
        h1 { "List " (no.0) " " (state(story.line.state)) }
        (notice)
        (form::refused(refusal))
        (form::step(look.place(), &["Review", "Recall window", "Run", "Certificate"]))
        (look.facts())
        (look.acts(&frame))
        (look.counts())
        (look.items(&frame))
        (look.history())
    };
    Ok(form::again(&frame, &content, refusal))
}

/// A list as somebody looks at it.
struct Look<'a> {
    story: &'a BatchStory,
    zone: Tz,
    now: Timestamp,
    /// Whether they showed lately who they are.
    fresh: bool,
    typed: &'a Typed,
}

impl Look<'_> {
    fn is_open(&self) -> bool {
        let open = matches!(
            self.story.line.state,
            DispositionState::InReview | DispositionState::Approved
        );
        open && !self.story.has_begun
    }

    fn is_ripe(&self) -> bool {
        let approved = matches!(
            self.story.line.state,
            DispositionState::Approved | DispositionState::HandedOver
        );
        let over = self
            .story
            .line
            .runs_from
            .is_some_and(|from| from <= self.now);
        approved && (over || self.story.has_begun)
    }

    fn place(&self) -> usize {
        match self.story.line.state {
            DispositionState::Certified => 4,
            _ if self.is_ripe() => 3,
            DispositionState::Approved => 2,
            _ => 1,
        }
    }

    fn facts(&self) -> Markup {
        let (story, line) = (self.story, &self.story.line);
        let days = story.recall_micros / Timestamp::MICROS_PER_DAY;
        html! {
            dl.facts {
                dt { "Asked for" }
                dd { (part::time(line.computed, self.zone, part::MINUTE)) " by " (part::name(&story.requested_by)) }
                dt { "Messages" }
                dd { strong { (part::number(line.items)) } ", " (part::number(line.taken_off)) " taken off" }
                dt { "Approved" }
                dd {
                    (line.approvals.0) " of " (line.approvals.1)
                    @let by = story.acts.iter().filter(|act| act.kind == ActKind::Approved);
                    @for act in by { ", by " (part::name(&act.by)) }
                }
                dt { "Recall window" }
                dd {
                    (part::count(u64::try_from(days).unwrap_or(0), "day", "days")) " after the last approval"
                    @if let Some(from) = line.runs_from {
                        @if from > self.now { ", ends " } @else { ", ended " }
                        (part::time(from, self.zone, part::MINUTE))
                    }
                }
                @if story.has_certificate {
                    dt { "Certificate" }
                    dd { a href={ "/dispositions/" (line.batch.0) "/certificate" } { "Show, verify, print" } }
                }
            }
        }
    }

    /// What whoever looks can do with it.
    fn acts(&self, frame: &Frame) -> Markup {
        let no = self.story.line.batch.0;
        let reviews = frame.may(Right::ReviewDisposition) && self.is_open();
        let runs = frame.may(Right::RequestDisposition) && self.is_ripe();
        html! {
            @if (reviews || runs) && !self.fresh {
                p {
                    a.button.primary href=(step_up::way(&format!("/dispositions/{no}"))) {
                        "Confirm who you are, to review or run it"
                    }
                }
            } @else {
                @if reviews { (self.approval(frame)) (self.calling_off(frame)) }
                @if runs { (self.running(frame)) }
            }
            @if frame.may(Right::RequestDisposition) && self.story.line.state == DispositionState::Approved && !self.is_ripe() {
                p.aside { "It can be run when the recall window is over. Until then anybody who reviews can call it off." }
            }
        }
    }

    fn approval(&self, frame: &Frame) -> Markup {
        let line = &self.story.line;
        html! {
            @if line.state == DispositionState::InReview {
                section.card {
                    h2 { "Approve" }
                    @match &self.story.may_not_approve {
                        Some(why) => p { "You cannot approve it: " (why) "." },
                        None => form method="post" action={ "/dispositions/" (line.batch.0) "/review" } {
                            (frame.mark())
                            p { "Holds, locks and clocks are asked once more when it runs; what changed since drops out, nothing comes in." }
                            (form::reason(self.typed_for("approve")))
                            (form::confirmation(&line.batch.0.to_string()))
                            button.primary type="submit" name="act" value="approve" {
                                "Approve " (part::count(line.items, "message", "messages"))
                            }
                        }
                    }
                }
            }
        }
    }

    fn calling_off(&self, frame: &Frame) -> Markup {
        let no = self.story.line.batch.0;
        html! {
            details.card {
                summary { "Call the list off" }
                form method="post" action={ "/dispositions/" (no) "/review" } {
                    (frame.mark())
                    (form::reason(self.typed_for("cancel")))
                    button type="submit" name="act" value="cancel" { "Call it off" }
                }
            }
        }
    }

    fn running(&self, frame: &Frame) -> Markup {
        let line = &self.story.line;
        html! {
            section.card {
                h2 { @if self.story.has_begun { "Finish it" } @else { "Destroy what is on it" } }
                p.notice.bad {
                    "There is no way back. The keys of these messages die in every copy of the record."
                }
                form method="post" action={ "/dispositions/" (line.batch.0) "/run" } {
                    (frame.mark())
                    (form::confirmation(&line.batch.0.to_string()))
                    button.danger type="submit" {
                        "Destroy " (part::count(line.items, "message", "messages"))
                    }
                }
            }
        }
    }

    /// The reason as it was sent, in the form that sent it.
    fn typed_for(&self, act: &str) -> &str {
        match self.typed.act == act {
            true => &self.typed.reason,
            false => "",
        }
    }

    fn counts(&self) -> Markup {
        let by_rule: Vec<(String, u64)> = self
            .story
            .by_rule
            .iter()
            .map(|(rule, count)| (rule_words(rule), *count))
            .collect();
        let years = self
            .story
            .by_due_year
            .iter()
            .map(|(year, count)| (*year, *count));
        html! {
            @if self.story.line.items > 0 {
                div.cards {
                    (form::counts("By what lets it go", &by_rule))
                    (form::counts("By year it became due", &form::named(years)))
                }
            }
        }
    }

    fn items(&self, frame: &Frame) -> Markup {
        let (story, no) = (self.story, self.story.line.batch.0);
        let shown = story.items.len();
        let acts = frame.may(Right::ReviewDisposition) && self.is_open() && self.fresh;
        html! {
            @if shown > 0 {
                h2 {
                    "Messages " (part::number(story.first as u64 + 1)) " to "
                    (part::number((story.first + shown) as u64)) " of " (part::number(story.line.items))
                }
                div.scroll {
                    table.grid {
                        thead { tr {
                            th scope="col" { "Message" } th scope="col" { "Sent" }
                            th scope="col" { "What lets it go" } th scope="col" { "Due since" }
                            th scope="col" { "Where" }
                        } }
                        tbody { @for item in &story.items { (self.item(item, frame)) } }
                    }
                }
                nav.pager {
                    @if story.first > 0 {
                        a.button href={ "/dispositions/" (no) "?first=" (story.first.saturating_sub(ITEMS)) } { "Before" }
                    }
                    @if ((story.first + shown) as u64) < story.line.items {
                        a.button href={ "/dispositions/" (no) "?first=" (story.first + shown) } { "Next" }
                    }
                }
                @if acts { (self.taking_off(frame)) }
            }
        }
    }

    fn item(&self, item: &ListedItem, frame: &Frame) -> Markup {
        html! {
            tr {
                th scope="row" {
                    @match item.message {
                        Some(id) => (why::named(id, frame)),
                        None => "gone",
                    }
                }
                td { @if let Some(sent) = item.sent { (part::time(sent, self.zone, part::MINUTE)) } }
                td { (rule(&item.rule)) ", since " (part::time(item.begun, self.zone, part::DAY)) }
                td { (part::time(item.due, self.zone, part::DAY)) }
                td {
                    @if let (Some((conversation, app)), Some(id)) = (item.conversation, item.message) {
                        @if frame.may(Right::ReadContent) {
                            a href={ "/c/" (conversation) "?at=" (id) "#" (id) } { (part::app(app)) }
                        } @else { (part::app(app)) }
                    }
                }
            }
        }
    }

    fn taking_off(&self, frame: &Frame) -> Markup {
        let no = self.story.line.batch.0;
        let reason = match self.typed.act.as_str() {
            "exclude" | "extend" => &self.typed.reason,
            _ => "",
        };
        html! {
            details.card open[matches!(self.typed.act.as_str(), "exclude" | "extend")] {
                summary { "Take a message off" }
                form method="post" action={ "/dispositions/" (no) "/review" } {
                    (frame.mark())
                    label.field {
                        span { "Message" }
                        input name="message" value=(self.typed.message) required autocomplete="off"
                            spellcheck="false" placeholder="msg_…";
                    }
                    label.field {
                        span { "Keep it until" }
                        input type="date" name="until" value=(self.typed.until);
                        small { "Without a day it is only taken off this list." }
                    }
                    (form::reason(reason))
                    button type="submit" name="act" value="exclude" { "Take it off" } " "
                    button type="submit" name="act" value="extend" { "Take it off and keep it" }
                }
            }
        }
    }

    fn history(&self) -> Markup {
        html! {
            @if !self.story.acts.is_empty() {
                h2 { "What reviewers did" }
                ul.rows { @for act in &self.story.acts { li { (self.act(act)) } } }
            }
        }
    }

    fn act(&self, act: &ReviewLine) -> Markup {
        html! {
            (part::time(act.at, self.zone, part::MINUTE)) " · " (part::name(&act.by)) " "
            @match act.kind {
                ActKind::Approved => "approved it",
                ActKind::Excluded => "took a message off",
                ActKind::Extended => "took a message off and keeps it",
                ActKind::Cancelled => "called it off",
            }
            @if let Some(until) = act.until { " until " (part::time(until, self.zone, part::DAY)) }
            @if let Some(id) = act.message { " (" code { (id) } ")" }
            ": " (part::words(&act.reason))
        }
    }
}

fn rule_words(rule: &RuleName) -> String {
    match rule {
        RuleName::Policy { name, version, .. } => format!("{name}, version {version}"),
        RuleName::Request => "a request for erasure".to_owned(),
    }
}

fn rule(rule: &RuleName) -> Markup {
    html! {
        @match rule {
            RuleName::Policy { id, name, version } => {
                a href={ "/policies/" (id) } { (part::name(name)) } ", version " (version)
            }
            RuleName::Request => "a request for erasure",
        }
    }
}

fn wanted(typed: &Typed, no: BatchNo, zone: Tz) -> Result<(Review, &'static str), Refusal> {
    let message = || -> Result<MessageId, Refusal> {
        let id = typed.message.trim().parse();
        id.map_err(|_| Refusal::usage("Name the message by its number, such as msg_01JD…"))
    };
    match typed.act.as_str() {
        "approve" => {
            form::confirmed(&typed.confirm, &no.0.to_string())?;
            Ok((Review::Approve, "approved"))
        }
        "exclude" => Ok((Review::Exclude(message()?), "shorter")),
        "extend" => {
            let until = form::day(&typed.until, zone)?;
            let until = until.ok_or_else(|| Refusal::usage("Say until which day to keep it."))?;
            Ok((Review::Extend(message()?, until), "shorter"))
        }
        "cancel" => Ok((Review::Cancel, "cancelled")),
        _ => Err(Refusal::usage("Send the form from its page.")),
    }
}

async fn review(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(no): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Page {
    let no = batch_no(&no)?;
    let path = format!("/dispositions/{}", no.0);
    if let Some(first) = step_up::asked(&who, &path) {
        return Ok(first);
    }
    let zone = form::zone(&house).await?;
    let (session, reason) = (who.session.clone(), typed.reason.clone());
    let answer: Result<(Appended, &str), Refusal> = match wanted(&typed, no, zone) {
        Err(refusal) => Err(refusal),
        Ok((review, did)) => house
            .ask(move |appliance| appliance.review_disposition(&session, no, review, &reason))
            .await
            .map(|(_, entry)| (entry, did)),
    };
    match answer {
        Ok((entry, did)) => Ok(form::after(&path, did, entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            one(
                &house,
                frame,
                &who,
                (no, 0),
                &html! {},
                &typed,
                Some(&refusal),
            )
            .await
        }
    }
}

async fn run(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(no): Path<String>,
    Posted(typed): Posted<Typed>,
) -> Page {
    let no = batch_no(&no)?;
    let path = format!("/dispositions/{}", no.0);
    if let Some(first) = step_up::asked(&who, &path) {
        return Ok(first);
    }
    let begun = match form::confirmed(&typed.confirm, &no.0.to_string()) {
        Err(refusal) => Err(refusal),
        Ok(()) => match may_run(&house, &who, no).await {
            Err(refusal) => Err(refusal),
            Ok(()) => begin_run(&house, &who, no),
        },
    };
    match begun {
        Ok(job) => Ok(Redirect::to(&format!("/jobs/{job}")).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            one(
                &house,
                frame,
                &who,
                (no, 0),
                &html! {},
                &typed,
                Some(&refusal),
            )
            .await
        }
    }
}

/// Refuses at once what the run would refuse before anything is destroyed.
async fn may_run(house: &House, who: &Who, no: BatchNo) -> Result<(), Refusal> {
    let session = who.session.clone();
    house
        .ask(move |appliance| appliance.check_disposition(&session, no))
        .await
}

async fn certified(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(no): Path<String>,
) -> Page {
    let no = batch_no(&no)?;
    let story = house
        .ask(move |appliance| appliance.certificate_story(&who.session, no))
        .await?;
    let zone = form::zone(&house).await?;
    let frame = frame.at(Section::Retention, "Certificate of destruction");
    Ok(frame.page(&certificate::view(&story, zone)))
}

async fn download(State(house): State<Arc<House>>, who: Who, Path(no): Path<String>) -> Page {
    let no = batch_no(&no)?;
    let mut document = house
        .ask(move |appliance| appliance.certificate(&who.session, no))
        .await?;
    document.push(b'\n');
    Ok(as_file(document, no))
}

fn as_file(document: Vec<u8>, no: BatchNo) -> Response {
    let name = format!(
        "attachment; filename=\"wordkeep-certificate-{}.json\"",
        no.0
    );
    (
        [
            (header::CONTENT_TYPE, "application/json".to_owned()),
            (header::CONTENT_DISPOSITION, name),
        ],
        document,
    )
        .into_response()
}
