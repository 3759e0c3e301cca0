//! The password once more, or the provider, before something dangerous: for ten minutes it is not asked
//! again.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::cookie;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::sign_in::safe_path;
use super::{Page, sso};
use crate::audit::AuthStrength;
use crate::auth::SessionKey;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/step-up", Access::SignedIn, || get(show)),
    Route::post("/step-up", Access::SignedIn, || post(prove)),
];

/// Sends somebody to give their password again, and back to a page of ours; `None` when they gave it a
/// short while ago.
pub(in crate::http) fn asked(who: &Who, back: &str) -> Option<Response> {
    (!proven(who)).then(|| Redirect::to(&way(back)).into_response())
}

/// Whether somebody gave their password a short while ago.
pub(in crate::http) fn proven(who: &Who) -> bool {
    who.web.as_ref().is_some_and(|web| web.stepped_up)
}

/// The address where they give it, and from which they come back.
pub(in crate::http) fn way(back: &str) -> String {
    format!("/step-up?to={}", safe_path(back))
}

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
struct Typed {
    password: Hidden,
    #[serde(default)]
    code: String,
    #[serde(default)]
    to: String,
}

async fn show(frame: Frame, who: Who, Asked(to): Asked<To>) -> Page {
    Ok(form(&frame, &who, &to.to, None))
}

fn form(frame: &Frame, who: &Who, to: &str, why: Option<&str>) -> Response {
    let needs_code = who.web.as_ref().is_some_and(|web| web.second_factor);
    let content = html! {
        section.card.gate {
            h1 { "Confirm that it is you" }
            p { "What comes next cannot be undone, or gives something out of the house. For ten \
                 minutes you are not asked again." }
            @if frame.is_demo() {
                p.notice.warn { "In this demonstration the password stands in the terminal, below the links." }
            }
            @if let Some(why) = why { p.notice.bad role="alert" { (why) } }
            @if by_provider(who) {
                p { "You came by single sign-on: the provider asks you once more, and sends you back." }
                a.button.primary href=(sso::step_up(to)) { "Confirm at the provider" }
                " " a.button href=(safe_path(to)) { "Back" }
            } @else { (password_form(frame, needs_code, to)) }
        }
    };
    frame
        .clone()
        .at(Section::Outside, "Confirm that it is you")
        .page(&content)
}

fn by_provider(who: &Who) -> bool {
    who.session.strength == AuthStrength::Provider
}

fn password_form(frame: &Frame, needs_code: bool, to: &str) -> Markup {
    html! {
            form method="post" action="/step-up" {
                (frame.mark())
                input type="hidden" name="to" value=(safe_path(to));
                label.field {
                    span { "Your password" }
                    input type="password" name="password" required autofocus
                        autocomplete="current-password";
                }
                @if needs_code {
                    label.field {
                        span { "Code of your authenticator" }
                        input name="code" required autocomplete="one-time-code"
                            inputmode="numeric" maxlength="20";
                        small { "Six digits; or one of your recovery codes." }
                    }
                }
                button.primary type="submit" { "Confirm" }
                " " a.button href=(safe_path(to)) { "Back" }
            }
    }
}

async fn prove(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Posted(typed): Posted<Typed>,
) -> Page {
    let login = who.web.as_ref().map(|web| web.login.clone());
    if let Err(wait) = house.sign_ins.take((None, login.unwrap_or_default())) {
        let refusal = Refusal::too_often(wait);
        return Ok(refusal.dress(form(&frame, &who, &typed.to, Some(&refusal.detail))));
    }
    let key = cookie::read(&headers).session.unwrap_or_default();
    let key: SessionKey = key.parse().map_err(|_| Refusal::nobody())?;
    let (password, code) = (typed.password.clone(), typed.code.clone());
    let proven = house
        .ask(move |appliance| {
            let code = Some(code.as_str()).filter(|code| !code.is_empty());
            appliance.step_up(&key, &password, code)
        })
        .await;
    match proven {
        Ok(_) => Ok(Redirect::to(safe_path(&typed.to)).into_response()),
        Err(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
            let mut page = form(&frame, &who, &typed.to, Some(&refusal.detail));
            *page.status_mut() = StatusCode::FORBIDDEN;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}
