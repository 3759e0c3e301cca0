//! Log-ins before four eyes: the page that waits, the page of the second person, and who is marked.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::cookie;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section, role_name};
use super::sign_in::safe_path;
use super::{Page, job, part, step_up};
use crate::app::{MarkLine, Marked, Waiting, WaitingLine};
use crate::auth::{SessionKey, WAIT_MINUTES, WATCHED_HOURS};
use crate::domain::{Right, Role};

const MAY: Access = Access::With(Right::ManageUsers);
/// Where the second person confirms.
const CONFIRMATIONS: &str = "/confirmations";
/// How often the page that waits looks again.
const LOOK_AGAIN: &str = "5";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/sign-in/waiting", Access::Anyone, || get(wait)),
    Route::get("/confirmations", Access::SignedIn, || get(list)),
    Route::post("/confirmations", Access::SignedIn, || post(decide)),
    Route::get("/users/four-eyes", MAY, || get(marks)),
    Route::post("/users/four-eyes", MAY, || post(mark)),
];

const DONE: &[(&str, &str)] = &[
    ("in", "They are let in."),
    ("denied", "The log-in is refused."),
    (
        "set",
        "Their log-ins open only before four eyes from now on. Whatever they were signed in with ended.",
    ),
    (
        "removed",
        "Their log-ins open with their password alone again.",
    ),
];

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

/// The address where a browser waits that was recognised.
pub(super) fn waiting_room(to: &str) -> String {
    format!("/sign-in/waiting?to={}", safe_path(to))
}

/// The browser that waits shows its code until somebody lets it in.
async fn wait(
    State(house): State<Arc<House>>,
    frame: Frame,
    headers: HeaderMap,
    Asked(to): Asked<To>,
) -> Page {
    let key = cookie::read(&headers).session.unwrap_or_default();
    let Ok(key) = key.parse::<SessionKey>() else {
        return Ok(Redirect::to("/sign-in").into_response());
    };
    match house.ask(move |one| one.waiting(&key)).await? {
        Waiting::In => Ok(Redirect::to(safe_path(&to.to)).into_response()),
        Waiting::Over => Ok(over(&frame)),
        Waiting::For(line) => {
            let mut page = waits(&house, &frame, &line, &to.to);
            let refresh = HeaderName::from_static("refresh");
            page.headers_mut()
                .insert(refresh, HeaderValue::from_static(LOOK_AGAIN));
            Ok(page)
        }
    }
}

fn waits(house: &House, frame: &Frame, line: &WaitingLine, to: &str) -> Response {
    let content = html! {
        section.card.gate {
            h1 { "A second person is needed" }
            p {
                "You were recognised. Ask who confirms your log-ins to open " code { (CONFIRMATIONS) }
                " and to compare this code:"
            }
            p { code.once { (line.code) } }
            p.aside { "Until " (part::time(line.until, job::zone(house), part::MINUTE)) ". This page looks again by itself." }
            p { a.button href=(waiting_room(to)) { "Look again" } }
        }
    };
    frame.clone().at(Section::Outside, "Waiting").page(&content)
}

fn over(frame: &Frame) -> Response {
    let content = html! {
        section.card.gate {
            h1 { "Nobody let you in" }
            p { "The log-in was refused, or nobody confirmed it within " (WAIT_MINUTES) " minutes." }
            p { a.button.primary href="/sign-in" { "Sign in again" } }
        }
    };
    frame
        .clone()
        .at(Section::Outside, "Not signed in")
        .page(&content)
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    listed(&house, frame, &who, Some(&did), None).await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    did: Option<&Did>,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let lines = house.ask(move |one| one.waiting_log_ins(&session)).await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Users, "Log-ins that wait");
    let proven = step_up::proven(who);
    let content = html! {
        h1 { "Log-ins that wait for a second person" }
        @if let Some(did) = did { (did.notice(DONE)) }
        (form::refused(refusal))
        @if lines.is_empty() {
            (part::empty("Nobody waits", "Whose log-in you may confirm stands here, for ten minutes.", Some(("Look again", CONFIRMATIONS))))
        } @else if !proven {
            p { "Your password is asked first." }
            p { a.button href=(step_up::way(CONFIRMATIONS)) { "Confirm that it is you" } }
        }
        @for line in &lines { (one(&frame, line, zone, proven)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn one(frame: &Frame, line: &WaitingLine, zone: Tz, proven: bool) -> Markup {
    html! {
        section.card {
            h2 { (part::name(&line.login)) " " small { (role_name(line.role)) } }
            p { "Code " code { (line.code) } " · until " (part::time(line.until, zone, part::MINUTE)) }
            p { "Let them in only when they are who they say, and their screen shows this code. The log-in lasts " (WATCHED_HOURS) " hours." }
            @if proven {
                form.inline method="post" action=(CONFIRMATIONS) {
                    (frame.mark())
                    input type="hidden" name="code" value=(line.code);
                    button.primary type="submit" name="act" value="in" { "Let them in" } " "
                    button.danger type="submit" name="act" value="deny" { "Refuse" }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Decision {
    code: String,
    act: String,
}

async fn decide(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(decision): Posted<Decision>,
) -> Page {
    if let Some(first) = step_up::asked(&who, CONFIRMATIONS) {
        return Ok(first);
    }
    let lets_in = decision.act == "in";
    let session = who.session.clone();
    let done = house
        .ask(move |one| one.confirm_log_in(&session, &decision.code, lets_in))
        .await;
    match done {
        Ok(entry) => {
            let did = if lets_in { "in" } else { "denied" };
            Ok(form::after(CONFIRMATIONS, did, entry.seq))
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, None, Some(&refusal)).await
        }
    }
}

async fn marks(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    marked(&house, frame, &who, Some(&did), None).await
}

async fn marked(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    did: Option<&Did>,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let lines = house.ask(move |one| one.four_eyes_marks(&session)).await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Users, "Four eyes");
    let content = html! {
        p.back { a href="/users" { "Users" } }
        h1 { "Log-ins before four eyes" }
        @if let Some(did) = did { (did.notice(DONE)) }
        (form::refused(refusal))
        p {
            "Who is marked is let in only when a second person confirms it, each time: within "
            (WAIT_MINUTES) " minutes, and for " (WATCHED_HOURS) " hours. Neither the command line nor a token lets them in."
        }
        p { a.button href=(CONFIRMATIONS) { "Log-ins that wait" } }
        @for line in &lines { (mark_line(&frame, line, zone)) }
        (mark_form(&frame))
    };
    Ok(form::again(&frame, &content, refusal))
}

fn mark_line(frame: &Frame, line: &MarkLine, zone: Tz) -> Markup {
    let (login, role) = match &line.of {
        Marked::User(login) => (login.as_str(), ""),
        Marked::Role(role) => ("", role.name()),
    };
    html! {
        section.card {
            h2 {
                @match &line.of {
                    Marked::User(login) => (part::name(login)),
                    Marked::Role(role) => { "Everybody who is " (role_name(*role)) }
                }
            }
            p {
                "Confirmed by "
                @match &line.second {
                    Some(second) => (part::name(second)),
                    None => "any other administrator",
                }
                " · since " (part::time(line.since, zone, part::DAY))
            }
            form method="post" action="/users/four-eyes" {
                (frame.mark())
                input type="hidden" name="login" value=(login);
                input type="hidden" name="role" value=(role);
                button type="submit" name="act" value="remove" { "Take the mark away" }
            }
        }
    }
}

fn mark_form(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Mark somebody" }
            form method="post" action="/users/four-eyes" {
                (frame.mark())
                label.field {
                    span { "Login" }
                    input name="login" autocomplete="off" spellcheck="false" maxlength="64";
                }
                label.field {
                    span { "or everybody of a role" }
                    select name="role" {
                        option value="" { "–" }
                        @for role in Role::ALL { option value=(role.name()) { (role_name(role)) } }
                    }
                }
                label.field {
                    span { "Who has to confirm" }
                    input name="second" autocomplete="off" spellcheck="false" maxlength="64";
                    small { "A login; empty: any other administrator." }
                }
                button.primary type="submit" name="act" value="set" { "Mark" }
            }
        }
    }
}

#[derive(Deserialize)]
struct Mark {
    #[serde(default)]
    login: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    second: String,
    #[serde(default)]
    act: String,
}

async fn mark(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Mark>,
) -> Page {
    if let Some(first) = step_up::asked(&who, "/users/four-eyes") {
        return Ok(first);
    }
    let of = match (typed.login.trim(), Role::from_name(&typed.role)) {
        (login, None) if !login.is_empty() => Ok(Marked::User(login.to_owned())),
        ("", Some(role)) => Ok(Marked::Role(role)),
        _ => Err(Refusal::usage("Name a login or a role, and not both.")),
    };
    let removes = typed.act == "remove";
    let session = who.session.clone();
    let done = match of {
        Err(refusal) => Err(refusal),
        Ok(of) => {
            house
                .ask(move |one| match removes {
                    true => one.unmark_four_eyes(&session, &of),
                    false => {
                        let second = Some(typed.second.trim()).filter(|second| !second.is_empty());
                        one.mark_four_eyes(&session, &of, second)
                    }
                })
                .await
        }
    };
    match done {
        Ok(entry) => {
            let did = if removes { "removed" } else { "set" };
            Ok(form::after("/users/four-eyes", did, entry.seq))
        }
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            marked(&house, frame, &who, None, Some(&refusal)).await
        }
    }
}
