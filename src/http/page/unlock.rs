//! The page that asks for the passphrase of a sealed archive.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::html;
use serde::Deserialize;

use super::super::house::House;
use super::super::posted::{Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/unlock", Access::Unlogged, || get(show)),
    Route::post("/unlock", Access::Unlogged, || post(unlock)),
];

#[derive(Deserialize)]
struct Typed {
    passphrase: Hidden,
}

async fn show(State(house): State<Arc<House>>, frame: Frame) -> Page {
    if house.appliance().is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    Ok(ask(&frame, None))
}

fn ask(frame: &Frame, why: Option<&str>) -> axum::response::Response {
    let content = html! {
        section.card.gate {
            h1 { "The archive is sealed" }
            p { "Everything in it is encrypted, and nobody has opened it since the start." }
            @if let Some(why) = why { p.notice.bad role="alert" { (why) } }
            form method="post" action="/unlock" {
                label.field {
                    span { "Passphrase of any slot" }
                    input type="password" name="passphrase" required autofocus
                        autocomplete="current-password";
                }
                button.primary type="submit" { "Unlock" }
            }
        }
    };
    frame.clone().at(Section::Outside, "Unlock").page(&content)
}

async fn unlock(
    State(house): State<Arc<House>>,
    frame: Frame,
    Posted(typed): Posted<Typed>,
) -> Page {
    let opening = Arc::clone(&house);
    let opened = tokio::task::spawn_blocking(move || opening.unlock(&typed.passphrase)).await;
    match opened {
        Ok(Ok(())) => Ok(Redirect::to("/").into_response()),
        Ok(Err(crate::app::AppError::Configuration(_))) => Ok(ask(
            &frame,
            Some("This passphrase opens no slot. Check the keyboard, and try again."),
        )),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Refusal::broken()),
    }
}
