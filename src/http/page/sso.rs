//! Single sign-on: to the provider and back, and what it says of somebody who tries it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::get;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::super::cookie;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::{self, Refusal};
use super::super::route::{Access, Route};
use super::super::server::Peer;
use super::frame::{Frame, Section, role_name};
use super::sign_in::{Entry, form, safe_path};
use super::{Page, job, part};
use crate::app::{ProviderLine, ReceivedClaims, SsoArrival, SsoAsk};
use crate::auth::SsoRefusal;
use crate::auth::sso::{BrowserKey, Callback, SsoPurpose};
use crate::domain::Right;

/// Claims that bind a token to its request and say nothing of the person.
const OF_THE_PROTOCOL: [&str; 4] = ["nonce", "at_hash", "c_hash", "jti"];
/// Longest value of a claim that is shown, in characters.
const CLAIM_CHARS_MAX: usize = 2_000;
/// Goes on by itself, as a page of ours: a redirect out of an answer to the provider would not carry the
/// cookie of the session, which no other site may send.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/sso/start", Access::Anyone, || get(depart)),
    Route::get("/sso/callback", Access::Anyone, || get(arrive)),
    Route::get("/sso/step-up", Access::SignedIn, || get(depart_again)),
    Route::get("/users/sso", Access::With(Right::ManageUsers), || get(show)),
    Route::get("/users/sso/test", Access::With(Right::ManageUsers), || {
        get(depart_to_test)
    }),
];

/// Where signing in by the provider begins.
pub(super) fn start(to: &str) -> String {
    format!("/sso/start?to={}", safe_path(to))
}

/// Where proving it once more by the provider begins.
pub(super) fn step_up(to: &str) -> String {
    format!("/sso/step-up?to={}", safe_path(to))
}

#[derive(Deserialize)]
struct To {
    #[serde(default)]
    to: String,
}

/// How the browser names us: what the provider sends it back to, and what letters lead to.
pub(in crate::http) fn origin(house: &House, headers: &HeaderMap) -> Result<String, Refusal> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-.:[]".contains(letter);
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let host = host
        .filter(|host| !host.is_empty() && host.chars().all(plain))
        .ok_or_else(|| Refusal::usage("The request names no host."))?;
    let scheme = if house.options.secure {
        "https"
    } else {
        "http"
    };
    Ok(format!("{scheme}://{host}"))
}

/// Each departure is a row and each arrival a question to the provider: strangers may not make many.
fn admit(house: &House, peer: Option<Extension<Peer>>) -> Result<(), Refusal> {
    let peer = peer.map(|peer| peer.0.0);
    house.strangers.take(peer).map_err(Refusal::too_often)
}

async fn depart(
    State(house): State<Arc<House>>,
    peer: Option<Extension<Peer>>,
    frame: Frame,
    headers: HeaderMap,
    Asked(to): Asked<To>,
) -> Page {
    admit(&house, peer)?;
    let origin = origin(&house, &headers)?;
    let back = safe_path(&to.to).to_owned();
    let sent = house
        .ask(move |one| one.sso_depart(SsoAsk::SignIn, &back, &origin))
        .await;
    match sent {
        Ok(sent) => Ok(away(&house, &sent.location, &sent.browser)),
        Err(refusal) if refusal.kind == "sso" => {
            let entry = Entry {
                to: &to.to,
                why: Some(&refusal.detail),
                ..Entry::default()
            };
            Ok(refusal.dress(form(&house, &frame, &entry).await?))
        }
        Err(refusal) => Err(refusal),
    }
}

async fn depart_again(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Asked(to): Asked<To>,
) -> Page {
    let origin = origin(&house, &headers)?;
    let back = safe_path(&to.to).to_owned();
    let sent = house
        .ask(move |one| one.sso_depart(SsoAsk::StepUp(&who.session), &back, &origin))
        .await?;
    Ok(away(&house, &sent.location, &sent.browser))
}

async fn depart_to_test(State(house): State<Arc<House>>, who: Who, headers: HeaderMap) -> Page {
    let origin = origin(&house, &headers)?;
    let sent = house
        .ask(move |one| one.sso_depart(SsoAsk::Test(&who.session), "/users/sso", &origin))
        .await?;
    Ok(away(&house, &sent.location, &sent.browser))
}

fn away(house: &House, location: &str, browser: &BrowserKey) -> Response {
    let cookie = cookie::away(house.options.secure, &browser.to_string());
    (
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to(location),
    )
        .into_response()
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    state: String,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

async fn arrive(
    State(house): State<Arc<House>>,
    peer: Option<Extension<Peer>>,
    frame: Frame,
    headers: HeaderMap,
    Asked(answered): Asked<Answered>,
) -> Page {
    admit(&house, peer)?;
    let origin = origin(&house, &headers)?;
    let browser = cookie::read(&headers).away;
    let browser: Option<BrowserKey> = browser.and_then(|key| key.parse().ok());
    let back = Callback {
        state: answered.state,
        code: answered.code,
        error: answered.error,
        issuer: answered.iss,
    };
    let arrived = house
        .ask(move |one| one.sso_arrive(&back, browser.as_ref(), &origin))
        .await;
    let arrived = match arrived {
        // The session that asked has ended meanwhile; this address leads nowhere twice.
        Err(refusal) if refusal == Refusal::nobody() => {
            return Ok(Redirect::to("/sign-in").into_response());
        }
        arrived => arrived?,
    };
    let secure = house.options.secure;
    let mut page = match arrived {
        SsoArrival::In(key, _, to) => {
            let mut page = go_on(&frame, "You are signed in", &to);
            let cookie = cookie::session(secure, &key.to_string());
            append_cookie(&mut page, &cookie);
            page
        }
        SsoArrival::Waits(key) => {
            let mut page = go_on(&frame, "A second person is needed", "/sign-in/waiting");
            append_cookie(&mut page, &cookie::session(secure, &key.to_string()));
            page
        }
        SsoArrival::Proved(to) => go_on(&frame, "It is confirmed", &to),
        SsoArrival::Claims(claims) => received(&frame, &claims),
        SsoArrival::Refused(purpose, why) => refused(&house, &frame, purpose, &why).await?,
    };
    append_cookie(&mut page, &cookie::back(secure));
    Ok(page)
}

fn append_cookie(page: &mut Response, line: &str) {
    if let Ok(value) = line.parse() {
        page.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// A page that goes on by itself.
fn go_on(frame: &Frame, title: &str, to: &str) -> Response {
    let to = safe_path(to);
    let content = html! {
        section.card.gate {
            h1 { (title) }
            p { a.button.primary href=(to) autofocus { "Go on" } }
        }
    };
    let mut page = frame.clone().at(Section::Outside, title).page(&content);
    if let Ok(value) = format!("0; url={to}").parse() {
        page.headers_mut().insert(REFRESH, value);
    }
    page
}

/// Why somebody was not let in, where they began.
async fn refused(house: &House, frame: &Frame, purpose: SsoPurpose, why: &SsoRefusal) -> Page {
    let refusal = refusal::sso(why);
    let page = match purpose {
        SsoPurpose::SignIn => {
            let entry = Entry {
                why: Some(&refusal.detail),
                ..Entry::default()
            };
            form(house, frame, &entry).await?
        }
        SsoPurpose::StepUp(_) => not_done(frame, &refusal, "/"),
        SsoPurpose::Test(_) => not_done(frame, &refusal, "/users/sso"),
    };
    Ok(refusal.dress(page))
}

fn not_done(frame: &Frame, refusal: &Refusal, back: &str) -> Response {
    let content = html! {
        section.card.gate {
            h1 { (refusal.title) }
            p.notice.bad role="alert" hx-disable { (refusal.detail) }
            p { a.button href=(back) { "Back" } }
        }
    };
    let frame = frame.clone().at(Section::Outside, refusal.title);
    frame.page(&content)
}

/// What the provider says of whoever tried it.
fn received(frame: &Frame, received: &ReceivedClaims) -> Response {
    let content = html! {
        section.card {
            h1 { "What the provider says of you" }
            p.notice.good role="status" { "The signature and every check are right. Nobody was signed in by this test." }
            dl.facts {
                dt { "Role" }
                dd {
                    @match received.role {
                        Some(role) => (role_name(role)),
                        None => span.chip.warn { "none: no group is mapped" },
                    }
                }
                dt { "Here" }
                dd {
                    @match &received.known_as {
                        Some(login) => { "bound to " (part::name(login)) },
                        None => { "not known yet; the login would be " (part::name(&received.login)) },
                    }
                }
            }
            h2 { "Claims" }
            dl.facts {
                @for (name, value) in &received.claims {
                    @if !OF_THE_PROTOCOL.contains(&name.as_str()) {
                        dt hx-disable { (name) }
                        dd hx-disable dir="auto" { (shown(value)) }
                    }
                }
            }
            p { a.button href="/users/sso" { "Back" } }
        }
    };
    let frame = frame.clone().at(Section::Outside, "Single sign-on");
    frame.page(&content)
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(many) => many.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    text.chars().take(CLAIM_CHARS_MAX).collect()
}

async fn show(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session;
    let line = house.ask(move |one| one.provider_line(&session)).await?;
    let content = html! {
        p { a.back href="/users" { "← Users" } }
        h1 { "Single sign-on" }
        @match &line {
            None => (part::empty(
                "No provider is configured",
                "People sign in with passwords, and nothing is asked of another computer. A provider is \
                 configured on the host: wordkeep sso set --issuer URL --client-id ID --map GROUP=ROLE",
                None,
            )),
            Some(line) => (configured(&house, line)),
        }
    };
    Ok(frame.at(Section::Users, "Single sign-on").page(&content))
}

fn configured(house: &House, line: &ProviderLine) -> Markup {
    html! {
        section.card {
            h2 { (part::name(&line.issuer)) }
            dl.facts {
                dt { "Known there as" } dd { code hx-disable { (line.client_id) } }
                dt { "Proves itself" }
                dd { @if line.has_secret { "with a secret, and PKCE" } @else { "with PKCE" } }
                dt { "Passwords" }
                dd {
                    @match (&line.break_glass, line.only) {
                        (Some(login), _) => {
                            span.chip.warn { "refused" } " but for " (part::name(login)) ", for the day the provider fails"
                        },
                        (None, true) => span.chip.warn { "refused" },
                        (None, false) => "taken too",
                    }
                }
                dt { "People who came by it" } dd { (part::number(line.bound)) }
                dt { "Configured" }
                dd { (part::time(line.changed, job::zone(house), part::MINUTE)) }
            }
            p {
                a.button.primary href="/users/sso/test" { "Test" }
                " " small { "You sign in at the provider and see what it says of you. Nothing is changed." }
            }
        }
        section {
            h2 { "Groups and roles" }
            p { "Read from the claim " code hx-disable { (line.claim) } ". The first line that fits counts." }
            @if line.map.is_empty() {
                p.notice.warn { "No group gives a role: nobody new is let in." }
            } @else {
                div.scroll {
                    table.grid {
                        thead { tr { th { "Group" } th { "Role" } } }
                        tbody {
                            @for (group, role) in &line.map {
                                tr { th scope="row" { (part::name(group)) } td { (role_name(*role)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}
