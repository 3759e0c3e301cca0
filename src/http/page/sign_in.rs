//! Signing in and out, the second factor, and the colours of the pages.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::cookie::{self, Theme};
use super::super::house::House;
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::super::server::Peer;
use super::four_eyes::waiting_room;
use super::frame::{Frame, Section};
use super::{Page, part, sso};
use crate::app::SignIn;
use crate::auth::SessionKey;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/sign-in", Access::Anyone, || get(show)),
    Route::post("/sign-in", Access::Anyone, || post(sign_in)),
    Route::get("/enter", Access::Anyone, || get(enter)),
    Route::post("/enter", Access::Anyone, || post(open_link)),
    Route::post("/sign-out", Access::SignedIn, || post(sign_out)),
    Route::post("/theme", Access::SignedIn, || post(theme)),
];

/// Where somebody is sent to sign in, who comes back to the page they wanted.
pub(in crate::http) fn way_back(wanted: &Uri) -> String {
    match safe_path(wanted.path()) {
        "/" => "/sign-in".to_owned(),
        path => format!("/sign-in?to={path}"),
    }
}

/// A path of ours, never another host. Paths hold ids only.
pub(super) fn safe_path(path: &str) -> &str {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-.".contains(letter);
    match path.starts_with('/') && !path.starts_with("//") && path.chars().all(plain) {
        true => path,
        false => "/",
    }
}

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

#[derive(Deserialize)]
struct Typed {
    login: String,
    password: Hidden,
    #[serde(default)]
    code: String,
    #[serde(default)]
    to: String,
}

async fn show(State(house): State<Arc<House>>, frame: Frame, Asked(to): Asked<To>) -> Page {
    if house.ask(|appliance| appliance.setup_open()).await? {
        return Ok(Redirect::to("/setup").into_response());
    }
    form(&house, &frame, &Entry::to(&to.to)).await
}

/// What stands in the form of signing in.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry<'a> {
    /// The login as typed.
    pub(super) login: &'a str,
    /// Where to go on.
    pub(super) to: &'a str,
    /// Whether the code of a second factor is asked for.
    pub(super) code: bool,
    /// What stood in the way.
    pub(super) why: Option<&'a str>,
}

impl<'a> Entry<'a> {
    fn to(to: &'a str) -> Entry<'a> {
        Entry {
            to,
            ..Entry::default()
        }
    }
}

/// The page of signing in: by the provider where there is one, by password where they are taken.
pub(super) async fn form(house: &House, frame: &Frame, entry: &Entry<'_>) -> Page {
    let offer = house.ask(|one| one.sso_offer()).await?;
    let content = html! {
        section.card.gate {
            h1 { "Sign in" }
            @if let Some(why) = entry.why { p.notice.bad role="alert" hx-disable { (why) } }
            @match &offer {
                None => (password_form(entry)),
                Some(offer) => {
                    p {
                        a.button.primary href=(sso::start(entry.to)) {
                            span { "Sign in with " (part::name(&offer.host)) }
                        }
                    }
                    details open[!offer.only || !entry.login.is_empty()] {
                        summary {
                            @if offer.only { "Emergency administrator" } @else { "With a password" }
                        }
                        @if offer.only {
                            p { "Passwords are not taken here, but of one administrator, for the day the provider fails." }
                        }
                        (password_form(entry))
                    }
                },
            }
        }
    };
    Ok(frame.clone().at(Section::Outside, "Sign in").page(&content))
}

fn password_form(entry: &Entry<'_>) -> Markup {
    let Entry {
        login, to, code, ..
    } = *entry;
    html! {
            form method="post" action="/sign-in" {
                input type="hidden" name="to" value=(safe_path(to));
                label.field {
                    span { "Login" }
                    input name="login" value=(login) required autofocus[login.is_empty()]
                        autocomplete="username" spellcheck="false" maxlength="64";
                }
                label.field {
                    span { "Password" }
                    input type="password" name="password" required autofocus[!login.is_empty()]
                        autocomplete="current-password";
                }
                @if code {
                    label.field {
                        span { "Code of your authenticator" }
                        input name="code" required autocomplete="one-time-code"
                            inputmode="numeric" maxlength="20";
                        small { "Six digits; or one of your recovery codes." }
                    }
                }
                button.primary type="submit" { "Sign in" }
            }
    }
}

async fn sign_in(
    State(house): State<Arc<House>>,
    peer: Option<Extension<Peer>>,
    frame: Frame,
    Posted(typed): Posted<Typed>,
) -> Page {
    let peer: Option<IpAddr> = peer.map(|peer| peer.0.0);
    if let Err(wait) = house.sign_ins.take((peer, typed.login.to_lowercase())) {
        let refusal = Refusal::too_often(wait);
        let page = form(&house, &frame, &entry(&typed, &refusal.detail)).await?;
        return Ok(refusal.dress(page));
    }
    let (login, password, code) = (
        typed.login.clone(),
        typed.password.clone(),
        typed.code.clone(),
    );
    let tried = house
        .ask(move |appliance| {
            let code = Some(code.as_str()).filter(|code| !code.is_empty());
            appliance.sign_in(&login, &password, code)
        })
        .await;
    match tried {
        Ok(SignIn::In(key, _)) => Ok(entered(&house, &key, &typed.to)),
        Ok(SignIn::Waits(key)) => Ok(waits(&house, &key, &typed.to)),
        Ok(SignIn::CodeNeeded) => {
            let why = "Type your password again, and the code of your authenticator.";
            let asked = Entry {
                code: true,
                ..entry(&typed, why)
            };
            form(&house, &frame, &asked).await
        }
        Err(refusal) if refusal.status == StatusCode::BAD_REQUEST => {
            let mut page = form(&house, &frame, &entry(&typed, &refusal.detail)).await?;
            *page.status_mut() = StatusCode::UNAUTHORIZED;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

fn entry<'a>(typed: &'a Typed, why: &'a str) -> Entry<'a> {
    Entry {
        login: &typed.login,
        to: &typed.to,
        code: !typed.code.is_empty(),
        why: Some(why),
    }
}

/// Gives a browser its session and shows it a page of ours.
pub(super) fn entered(house: &House, key: &SessionKey, to: &str) -> Response {
    let cookie = cookie::session(house.options.secure, &key.to_string());
    (
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(safe_path(to)),
    )
        .into_response()
}

/// Gives a browser the session that opens when a second person confirms it, and lets it wait.
pub(super) fn waits(house: &House, key: &SessionKey, to: &str) -> Response {
    let cookie = cookie::session(house.options.secure, &key.to_string());
    (
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(&waiting_room(to)),
    )
        .into_response()
}

#[derive(Deserialize)]
struct Link {
    token: Hidden,
}

/// A link that signs somebody in once carries its token behind the hash, where no server and no log
/// sees it; a script of ours sends it, or the person types it.
async fn enter(frame: Frame) -> Page {
    let content = html! {
        section.card.gate {
            h1 { "Sign in by link" }
            form #enter method="post" action="/enter" {
                label.field {
                    span { "Token of the link" }
                    input #token name="token" required autocomplete="off" spellcheck="false";
                    small { "What stands behind the # of the address. It works once." }
                }
                button.primary type="submit" { "Sign in" }
            }
        }
    };
    Ok(frame.at(Section::Outside, "Sign in").page(&content))
}

async fn open_link(State(house): State<Arc<House>>, Posted(link): Posted<Link>) -> Page {
    let (key, _) = house
        .ask(move |appliance| appliance.open_link(&link.token))
        .await?;
    Ok(entered(&house, &key, "/"))
}

async fn sign_out(State(house): State<Arc<House>>, headers: HeaderMap) -> Page {
    let key = cookie::read(&headers).session.unwrap_or_default();
    let key: SessionKey = key.parse().map_err(|_| Refusal::nobody())?;
    house.ask(move |appliance| appliance.sign_out(&key)).await?;
    let cookie = cookie::no_session(house.options.secure);
    Ok((
        AppendHeaders([
            (header::SET_COOKIE, cookie),
            (
                header::HeaderName::from_static("clear-site-data"),
                "\"cache\"".to_owned(),
            ),
        ]),
        Redirect::to("/sign-in"),
    )
        .into_response())
}

#[derive(Deserialize)]
struct Colours {
    theme: String,
    #[serde(default)]
    back: String,
}

async fn theme(Posted(colours): Posted<Colours>) -> Page {
    let theme = Theme::from_name(&colours.theme).unwrap_or_default();
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie::theme(theme))]),
        Redirect::to(safe_path(&colours.back)),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t7_nobody_is_sent_to_another_host_after_signing_in() {
        for path in [
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "/a?b=//c",
            "evil",
        ] {
            assert_eq!(safe_path(path), "/", "{path}");
        }
        assert_eq!(safe_path("/c/cnv_01"), "/c/cnv_01");
    }
}
