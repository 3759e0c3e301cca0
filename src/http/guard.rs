//! The guard before every route: where the request comes from, who sends it, whether they may; and
//! behind it: a refusal becomes a page or a problem.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

use super::cookie;
use super::house::House;
use super::page::refused;
use super::refusal::Refusal;
use super::route::{Access, FORM_BYTES_MAX, is_for_programs};
use super::server::Peer;
use crate::app::{Session, WebSession};
use crate::audit::AuthStrength;
use crate::auth::{SessionKey, Token};

/// Name of the field of a form, and of the header of a script, that shows where it was made.
pub(super) const CSRF_FIELD: &str = "csrf";
const CSRF_HEADER: &str = "x-csrf-token";

/// What the guard of one route knows.
#[derive(Clone)]
pub(super) struct Gate {
    pub house: Arc<House>,
    pub access: Access,
    pub is_api: bool,
    /// Whether files come this way: then a form in parts shows its mark to its handler.
    pub takes_files: bool,
}

/// Somebody who passed the guard.
#[derive(Clone, Debug)]
pub(super) struct Who {
    /// As use-cases want them.
    pub session: Session,
    /// What only a browser has; programs with a token have none.
    pub web: Option<WebSession>,
}

impl Who {
    /// What a form must bring along; empty for programs, who send none.
    pub(super) fn csrf(&self) -> &str {
        self.web.as_ref().map_or("", |web| &web.csrf)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Refusal;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Who, Refusal> {
        parts
            .extensions
            .get::<Who>()
            .cloned()
            .ok_or_else(Refusal::nobody)
    }
}

/// Lets a request through to its handler, or refuses it.
pub(super) async fn guard(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    let back = request.uri().clone();
    let cookies = cookie::read(request.headers());
    let mut known = None;
    let answer = match admitted(&gate, request, &mut known).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    let Some(refusal) = answer.extensions().get::<Refusal>().cloned() else {
        return answer;
    };
    if gate.is_api {
        return refusal.problem(back.path());
    }
    if refusal == Refusal::nobody() {
        return Redirect::to(&super::page::sign_in::way_back(&back)).into_response();
    }
    if refusal == Refusal::sealed() {
        return Redirect::to("/unlock").into_response();
    }
    refused::page(&gate.house, known.as_ref(), cookies.theme, &refusal)
}

async fn admitted(
    gate: &Gate,
    request: Request,
    known: &mut Option<Who>,
) -> Result<Request, Refusal> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    if changes && is_from_elsewhere(request.headers()) {
        return Err(Refusal::foreign_form());
    }
    let right = match gate.access {
        Access::Unlogged | Access::Anyone => {
            let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
            return match changes.then(|| gate.house.strangers.take(peer)) {
                Some(Err(wait)) => Err(Refusal::too_often(wait)),
                _ => Ok(request),
            };
        }
        Access::SignedIn => None,
        Access::With(right) => Some(right),
    };
    let who = recognise(gate, request.headers()).await?;
    *known = Some(who.clone());
    if let Some(right) = right {
        let session = who.session.clone();
        gate.house
            .ask(move |appliance| appliance.enter(&session, right))
            .await?;
    }
    if changes && gate.takes_files && comes_in_parts(request.headers()) {
        // Without [`Who`] no handler does anything; the reader of the parts gives it to them.
        let mut request = request;
        request.extensions_mut().insert(Unproven(who));
        return Ok(request);
    }
    let mut request = match changes {
        true => made_here(request, &who).await?,
        false => request,
    };
    request.extensions_mut().insert(who);
    Ok(request)
}

/// A form whose parts are read one by one, without the mark in a header.
fn comes_in_parts(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("multipart/form-data") && !headers.contains_key(CSRF_HEADER)
}

/// Somebody recognised whose form has not shown its mark yet.
#[derive(Clone)]
pub(super) struct Unproven(Who);

impl Unproven {
    /// The asker, if the form carries the mark of their session. Programs with a token need none.
    pub(super) fn proven(self, mark: &str) -> Result<Who, Refusal> {
        let expected = self.0.csrf().as_bytes();
        let same = self.0.web.is_none() || crate::crypto::equal(mark.as_bytes(), expected);
        match same {
            true => Ok(self.0),
            false => Err(Refusal::foreign_form()),
        }
    }
}

/// Browsers say where a request was made; other programs say nothing.
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get("sec-fetch-site")
        .is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

async fn recognise(gate: &Gate, headers: &HeaderMap) -> Result<Who, Refusal> {
    if gate.is_api
        && let Some(token) = bearer(headers)
    {
        let token: Token = token.parse().map_err(|_| Refusal::nobody())?;
        let session = gate
            .house
            .ask(move |appliance| appliance.session_of_token(&token))
            .await?;
        return Ok(Who { session, web: None });
    }
    let key: SessionKey = cookie::read(headers)
        .session
        .ok_or_else(Refusal::nobody)?
        .parse()
        .map_err(|_| Refusal::nobody())?;
    let web = gate
        .house
        .ask(move |appliance| appliance.web_session(&key))
        .await?;
    Ok(Who {
        session: web.session.clone(),
        web: Some(web),
    })
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

/// What changes something with a cookie must carry the mark of the session: in a header, or in the
/// form itself. Tokens need none: no browser sends them by itself.
async fn made_here(request: Request, who: &Who) -> Result<Request, Refusal> {
    if who.web.is_none() {
        debug_assert_eq!(who.session.strength, AuthStrength::Token);
        return Ok(request);
    }
    let expected = who.csrf().as_bytes();
    if let Some(given) = request.headers().get(CSRF_HEADER) {
        return match crate::crypto::equal(given.as_bytes(), expected) {
            true => Ok(request),
            false => Err(Refusal::foreign_form()),
        };
    }
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| Refusal::usage(format!("A form has at most {} KiB.", FORM_BYTES_MAX >> 10)))?;
    let given = url_pairs(&bytes).find_map(|(name, value)| (name == CSRF_FIELD).then_some(value));
    match given {
        Some(given) if crate::crypto::equal(given.as_bytes(), expected) => {
            Ok(Request::from_parts(parts, Body::from(bytes)))
        }
        _ => Err(Refusal::foreign_form()),
    }
}

/// The mark is hex: nothing in it is ever escaped.
fn url_pairs(form: &[u8]) -> impl Iterator<Item = (&str, &str)> {
    form.split(|byte| *byte == b'&')
        .filter_map(|pair| std::str::from_utf8(pair).ok()?.split_once('='))
}

/// The answer to an address nobody serves.
pub(super) async fn unknown_path(house: Arc<House>, uri: &Uri, headers: &HeaderMap) -> Response {
    if is_for_programs(uri.path()) {
        return Refusal::not_found().problem(uri.path());
    }
    let theme = cookie::read(headers).theme;
    let who = signed_in(&house, headers).await;
    refused::page(&house, who.as_ref(), theme, &Refusal::not_found())
}

/// Whoever is signed in, for a page that anybody may see.
pub(super) async fn signed_in(house: &Arc<House>, headers: &HeaderMap) -> Option<Who> {
    let gate = Gate {
        house: Arc::clone(house),
        access: Access::SignedIn,
        is_api: false,
        takes_files: false,
    };
    recognise(&gate, headers).await.ok()
}
