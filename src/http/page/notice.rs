//! The page of a custodian: one notice, opened by its link without a login, read and confirmed on a phone.
//!
//! The token stands behind the hash of the address, where no server and no log sees it; a script of
//! ours sends it in a form, or the person types it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::house::House;
use super::super::posted::{Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::notice_words::{preferred, words};
use super::{Page, form, part};
use crate::app::{NoticeShown, NoticeState};
use crate::domain::NoticeLanguage;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/notice", Access::Anyone, || get(ask)),
    Route::post("/notice", Access::Anyone, || post(open)),
    Route::post("/notice/confirm", Access::Anyone, || post(confirm)),
];

/// A day and a minute as every language reads them.
const WHEN: &str = "%Y-%m-%d %H:%M";

#[derive(Deserialize)]
struct Key {
    token: Hidden,
}

async fn ask(frame: Frame, headers: HeaderMap) -> Page {
    Ok(asking(&frame, preferred(&headers), None))
}

fn asking(frame: &Frame, language: NoticeLanguage, why: Option<&str>) -> Response {
    let said = words(language);
    let content = html! {
        section.card.gate {
            h1 { (said.title) }
            @if let Some(why) = why { p.notice.bad role="alert" { (why) } }
            form id=[why.is_none().then_some("enter")] method="post" action="/notice" {
                label.field {
                    span { (said.token) }
                    input id=[why.is_none().then_some("token")] name="token" required autocomplete="off"
                        spellcheck="false" dir="ltr" maxlength="200";
                    small { (said.hint) }
                }
                button.primary type="submit" { (said.open) }
            }
        }
    };
    stranger(frame, language).page(&content)
}

async fn open(
    State(house): State<Arc<House>>,
    frame: Frame,
    headers: HeaderMap,
    Posted(key): Posted<Key>,
) -> Page {
    let token = key.token.clone();
    let opened = house.ask(move |one| one.open_notice(&token)).await;
    answered(&house, &frame, &headers, &key, opened).await
}

async fn confirm(
    State(house): State<Arc<House>>,
    frame: Frame,
    headers: HeaderMap,
    Posted(key): Posted<Key>,
) -> Page {
    let token = key.token.clone();
    let confirmed = house.ask(move |one| one.confirm_notice(&token)).await;
    answered(&house, &frame, &headers, &key, confirmed).await
}

/// The notice; whatever is wrong with a token is answered alike.
async fn answered(
    house: &Arc<House>,
    frame: &Frame,
    headers: &HeaderMap,
    key: &Key,
    answer: Result<NoticeShown, Refusal>,
) -> Page {
    match answer {
        Ok(shown) => Ok(notice(frame, &shown, key, form::zone(house).await?)),
        Err(refusal) if refusal.status.is_client_error() => {
            let language = preferred(headers);
            let mut page = asking(frame, language, Some(words(language).lost));
            *page.status_mut() = StatusCode::NOT_FOUND;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

fn notice(frame: &Frame, shown: &NoticeShown, key: &Key, zone: Tz) -> Response {
    let said = words(shown.language);
    let content = html! {
        section.card {
            p.aside { (said.title) }
            h1 { (part::name(&shown.subject)) }
            p { (part::name(&shown.name)) }
            p { (part::words(&shown.body)) }
            (state(shown, key, zone))
        }
        p.aside {
            (said.sent) " " (part::time(shown.issued, zone, WHEN)) " · " (said.version) " "
            (shown.version) " · " code dir="ltr" { (shown.hash.get(..16).unwrap_or_default()) }
        }
        p.aside { (said.print) }
    };
    stranger(frame, shown.language).page(&content)
}

fn state(shown: &NoticeShown, key: &Key, zone: Tz) -> Markup {
    let said = words(shown.language);
    html! {
        @match shown.state {
            NoticeState::Waits => {
                form method="post" action="/notice/confirm" {
                    input type="hidden" name="token" value=(&*key.token);
                    p { strong { (said.promise) } }
                    button.primary type="submit" { (said.confirm) }
                }
            }
            NoticeState::Confirmed(at) => {
                p.notice.good role="status" {
                    (said.confirmed) " " (part::time(at, zone, WHEN)) ". " (said.promise)
                }
            }
            NoticeState::Ended => p.notice role="status" { (said.ended) },
        }
    }
}

/// A page for somebody who works elsewhere and is not signed in.
fn stranger(frame: &Frame, language: NoticeLanguage) -> Frame {
    let said = words(language);
    frame
        .clone()
        .at(Section::Outside, said.title)
        .speaking(language, said.skip)
}
