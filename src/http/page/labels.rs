//! Labels: which there are, how much carries them; putting one on a message or a conversation, and
//! taking it off.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobResult, Tone};
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::search::chosen::{Choice, Chosen};
use super::{Page, part, trial};
use crate::app::{Carried, LabelLine, LabelMany, LabelOn};
use crate::domain::Right;

const SEE: Access = Access::With(Right::ReadRules);
const MARK: Access = Access::With(Right::MarkRecords);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/labels", SEE, || get(list)),
    Route::post("/labels", MARK, || post(make)),
    Route::get("/labels/put", MARK, || get(choose)),
    Route::post("/labels/put", MARK, || post(put)),
    Route::post("/labels/take-off", MARK, || post(take_off)),
];

/// What the pages say after an act.
pub(super) const DONE: &[(&str, &str)] = &[
    ("label-made", "The label is made; nothing carries it yet."),
    (
        "labelled",
        "The label counts from now on, in every verdict.",
    ),
    (
        "unlabelled",
        "The label is off. What a compliance lock earned under it stays.",
    ),
];

#[derive(Clone, Default, Deserialize)]
struct New {
    #[serde(default)]
    name: String,
}

/// What is to carry a label: ids only. Exactly one of the two is given.
#[derive(Clone, Default, Deserialize)]
struct On {
    #[serde(default)]
    message: String,
    #[serde(default)]
    conversation: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    search: String,
    #[serde(default)]
    hits: String,
    #[serde(default)]
    all: String,
}

impl On {
    /// Hits of a search that are to carry it together.
    fn chosen(&self) -> Option<Chosen> {
        let chosen = Chosen {
            search: self.search.clone(),
            hits: self.hits.clone(),
            all: self.all.clone(),
        };
        (!chosen.is_empty()).then_some(chosen)
    }

    fn target(&self) -> Result<LabelOn, Refusal> {
        let lost = |_| Refusal::not_found();
        match (self.message.as_str(), self.conversation.as_str()) {
            ("", "") => Err(Refusal::usage(
                "Say what is to carry the label: open a message or a conversation, and choose Label there.",
            )),
            ("", id) => Ok(LabelOn::Conversation(id.parse().map_err(lost)?)),
            (id, _) => Ok(LabelOn::Message(id.parse().map_err(lost)?)),
        }
    }
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    listed(&house, frame, &who, &did.notice(DONE), "", None).await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    notice: &Markup,
    name: &str,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let labels = house.ask(move |one| one.labels(&session)).await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Retention, "Labels");
    let content = html! {
        h1 { "Labels" }
        (notice)
        p.aside {
            "A policy may apply to what carries a label; it then stands before all others. A label on a \
             message stands before that of its conversation."
        }
        (table(&labels, zone, frame.may(Right::MarkRecords)))
        @if frame.may(Right::MarkRecords) {
            section.card {
                h2 { "Make a label" }
                (form::refused(refusal))
                form.inline method="post" action="/labels" {
                    (frame.mark())
                    label for="name" { "Name" }
                    input #name name="name" value=(name) required maxlength="200" autocomplete="off" dir="auto";
                    button type="submit" { "Make it" }
                }
            }
        }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn table(labels: &[LabelLine], zone: Tz, may_make: bool) -> Markup {
    html! {
        @if labels.is_empty() {
            @let text = match may_make {
                true => "Make the first one below, then put it on conversations or messages.",
                false => "A lawyer or a records officer makes the first one.",
            };
            (part::empty("There is no label yet", text, None))
        } @else {
            div.scroll { table.grid {
                thead { tr {
                    th { "Label" } th.figure { "Conversations" } th.figure { "Messages of their own" } th { "Since" } th { "Id" }
                } }
                tbody {
                    @for label in labels {
                        tr {
                            th scope="row" { (part::name(&label.name)) }
                            td.figure { (part::number(label.conversations)) }
                            td.figure { (part::number(label.messages)) }
                            td { (part::time(label.created, zone, part::DAY)) }
                            td { code { (label.id) } }
                        }
                    }
                }
            } }
        }
    }
}

async fn make(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(new): Posted<New>,
) -> Page {
    let (session, name) = (who.session.clone(), new.name.clone());
    let made = house
        .ask(move |one| one.create_label(&session, &name))
        .await;
    match made {
        Ok((_, entry)) => Ok(form::after("/labels", "label-made", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, &html! {}, &new.name, Some(&refusal)).await
        }
    }
}

async fn choose(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(on): Asked<On>,
) -> Page {
    if let Some(chosen) = on.chosen() {
        return many(&house, frame, &who, &chosen, None).await;
    }
    if on.message.is_empty() && on.conversation.is_empty() {
        return Ok(Redirect::to("/labels").into_response());
    }
    chosen(&house, frame, &who, &on, None).await
}

async fn chosen(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    on: &On,
    refusal: Option<&Refusal>,
) -> Page {
    let target = on.target()?;
    let session = who.session.clone();
    let (labels, carried) = house
        .ask(move |one| Ok((one.labels(&session)?, one.labels_on(&session, target)?)))
        .await?;
    let frame = frame.at(Section::Retention, "Label");
    let content = html! {
        h1 { "Label " (what(target)) }
        p { a href=(way(target)) { code { (target.to_string()) } } }
        (form::refused(refusal))
        p {
            @match carried.iter().find(|label| label.own) {
                Some(label) => { "It carries " span.chip { (part::name(&label.name)) } "." },
                None => "It carries no label of its own.",
            }
            @if let Some(label) = carried.iter().find(|label| !label.own) {
                " Its conversation carries " span.chip { (part::name(&label.name)) } "."
            }
        }
        (putting(&frame, on, &labels, &carried))
        @if carried.iter().any(|label| label.own) { (taking_off(&frame, on)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

/// A label for hits that were chosen together.
async fn many(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    chosen: &Chosen,
    refusal: Option<&Refusal>,
) -> Page {
    let (session, asked) = (who.session.clone(), chosen.clone());
    let (labels, choice) = house
        .try_ask(move |one| Ok((one.labels(&session)?, asked.read(one, &session)?)))
        .await?;
    let frame = frame.at(Section::Retention, "Label");
    let content = html! {
        p { a.back href={ "/s/" (chosen.search) } { "← Hits" } }
        h1 { "Label " (choice.words()) }
        @if let Choice::Everything(kept) = &choice {
            div.reading { p { span.label { "Query" } " " (part::words(&kept.text)) } }
        }
        (form::refused(refusal))
        @if labels.is_empty() {
            (part::empty("There is no label yet", "Make one first.", Some(("Labels", "/labels"))))
        } @else {
            form.card method="post" action="/labels/put" {
                (frame.mark()) (chosen.fields())
                label.field {
                    span { "Label" }
                    select name="label" required {
                        @for label in &labels { option value=(label.id) { (label.name) } }
                    }
                    small { "It takes the place of the labels they carry, and counts in every verdict from now on. All of them get it, or none." }
                }
                button.primary type="submit" { "Put it on" }
            }
        }
    };
    Ok(form::again(&frame, &content, refusal))
}

/// Puts a label on all that was chosen, as a job: they may be many.
async fn put_on_many(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    on: &On,
    chosen: &Chosen,
) -> Page {
    let (session, asked) = (who.session.clone(), chosen.clone());
    let choice = house.try_ask(move |one| asked.read(one, &session)).await?;
    let target = match choice {
        Choice::Messages(ids) => LabelMany::Messages(ids),
        Choice::Everything(kept) => LabelMany::Found(kept.text),
    };
    let (session, label, search) = (who.session.clone(), on.label.clone(), chosen.search.clone());
    let act = move |_| -> Act {
        Box::new(move |appliance, teller| {
            teller.tell("looking for the messages", 0, 0);
            let (count, entry) = appliance.apply_label_to_many(&session, &label, &target)?;
            let text = part::count(
                count,
                "message carries the label.",
                "messages carry the label.",
            );
            let mut result = JobResult::new(Tone::Good, text);
            result.page = Some(format!("/s/{search}"));
            result.audit = Some(entry.seq);
            Ok(result)
        })
    };
    match trial::begun(house, who, "Label messages", act).await {
        Ok(job) => Ok(Redirect::to(&format!("/jobs/{job}")).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            many(house, frame, who, chosen, Some(&refusal)).await
        }
    }
}

fn what(target: LabelOn) -> &'static str {
    match target {
        LabelOn::Message(_) => "a message",
        LabelOn::Conversation(_) => "a conversation",
    }
}

fn way(target: LabelOn) -> String {
    match target {
        LabelOn::Message(id) => format!("/m/{id}"),
        LabelOn::Conversation(id) => format!("/c/{id}"),
    }
}

fn ids(on: &On) -> Markup {
    html! {
        input type="hidden" name="message" value=(on.message);
        input type="hidden" name="conversation" value=(on.conversation);
    }
}

fn putting(frame: &Frame, on: &On, labels: &[LabelLine], carried: &[Carried]) -> Markup {
    let own = carried.iter().find(|label| label.own).map(|label| label.id);
    html! {
        @if labels.is_empty() {
            (part::empty("There is no label yet", "Make one first.", Some(("Labels", "/labels"))))
        } @else {
            form.card method="post" action="/labels/put" {
                (frame.mark()) (ids(on))
                h2 { "Put a label on it" }
                label.field {
                    span { "Label" }
                    select name="label" required {
                        @for label in labels {
                            option value=(label.id) selected[Some(label.id) == own] { (label.name) }
                        }
                    }
                    small { "It takes the place of the label it carries, and counts in every verdict from now on." }
                }
                button.primary type="submit" { "Put it on" }
            }
        }
    }
}

fn taking_off(frame: &Frame, on: &On) -> Markup {
    html! {
        form.card method="post" action="/labels/take-off" {
            (frame.mark()) (ids(on))
            h2 { "Take it off" }
            (form::reason(&on.reason))
            button.danger type="submit" { "Take it off" }
        }
    }
}

/// Where an act on a target is shown.
fn acted(target: LabelOn, did: &str, entry: crate::domain::EntryNo) -> Response {
    match target {
        LabelOn::Message(_) => form::after(&way(target), did, entry),
        LabelOn::Conversation(_) => form::after("/labels", did, entry),
    }
}

async fn put(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(on): Posted<On>,
) -> Page {
    if let Some(chosen) = on.chosen() {
        return put_on_many(&house, frame, &who, &on, &chosen).await;
    }
    let target = on.target()?;
    let (session, label) = (who.session.clone(), on.label.clone());
    let done = house
        .ask(move |one| one.apply_label(&session, &label, target))
        .await;
    match done {
        Ok(entry) => Ok(acted(target, "labelled", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            chosen(&house, frame, &who, &on, Some(&refusal)).await
        }
    }
}

async fn take_off(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(on): Posted<On>,
) -> Page {
    let target = on.target()?;
    let (session, reason) = (who.session.clone(), on.reason.clone());
    let done = house
        .ask(move |one| one.remove_label(&session, target, &reason))
        .await;
    match done {
        Ok(entry) => Ok(acted(target, "unlabelled", entry.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            chosen(&house, frame, &who, &on, Some(&refusal)).await
        }
    }
}
