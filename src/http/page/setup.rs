//! Setting up: whoever holds the token of the start makes the first administrator.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::html;
use serde::Deserialize;

use super::super::house::House;
use super::super::posted::{Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::sign_in::entered;
use super::{Page, form, wizard};
use crate::app::SignIn;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/setup", Access::Anyone, || get(show)),
    Route::post("/setup", Access::Anyone, || post(claim)),
];

#[derive(Deserialize)]
struct Claim {
    token: Hidden,
    login: String,
    password: Hidden,
}

async fn show(State(house): State<Arc<House>>, frame: Frame) -> Page {
    match house.ask(|appliance| appliance.setup_open()).await? {
        true => Ok(claiming(&frame, None)),
        false => Err(Refusal::not_found()),
    }
}

fn claiming(frame: &Frame, why: Option<&str>) -> Response {
    let content = html! {
        section.card.gate {
            (form::step(1, wizard::STEPS))
            h1 { "First administrator" }
            p { "The administrator adds people and keeps the archive running, and reads no message." }
            @if let Some(why) = why { p.notice.bad role="alert" { (why) } }
            form method="post" action="/setup" {
                label.field {
                    span { "Setup token" }
                    input #token name="token" required autocomplete="off" spellcheck="false"
                        placeholder="XXXX-XXXX-XXXX-XXXX";
                    small { "Printed where the program was started; also in the file setup-token." }
                }
                label.field {
                    span { "Login" }
                    input name="login" required autocomplete="username" spellcheck="false"
                        maxlength="64";
                }
                label.field {
                    span { "Password" }
                    input type="password" name="password" required minlength="10"
                        autocomplete="new-password";
                    small { "At least ten characters. Long is better than odd." }
                }
                button.primary type="submit" { "Create administrator" }
            }
        }
    };
    frame.clone().at(Section::Outside, "Set up").page(&content)
}

async fn claim(
    State(house): State<Arc<House>>,
    frame: Frame,
    Posted(claim): Posted<Claim>,
) -> Page {
    let claimed = house
        .ask(move |appliance| {
            appliance.claim_setup(&claim.token, &claim.login, &claim.password)?;
            // Nothing is asked twice: who just chose a password is signed in with it.
            appliance.sign_in(&claim.login, &claim.password, None)
        })
        .await;
    match claimed {
        Ok(SignIn::In(key, _)) => Ok(entered(&house, &key, "/setup/keys")),
        Ok(SignIn::CodeNeeded | SignIn::Waits(_)) => Ok(Redirect::to("/sign-in").into_response()),
        Err(refusal) if refusal.status.is_client_error() && refusal != Refusal::not_found() => {
            let mut response = claiming(&frame, Some(&refusal.detail));
            *response.status_mut() = refusal.status;
            Ok(response)
        }
        Err(refusal) => Err(refusal),
    }
}
