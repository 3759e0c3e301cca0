//! Behind the guard of every route of the API: how often, once for each key, and only against a state
//! that was seen.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::super::guard::Who;
use super::super::house::House;
use super::super::refusal::Refusal;
use super::super::route::FORM_BYTES_MAX;
use super::operation::Operation;
use super::replay::{KEY_BYTES_MAX, Kept, Known};
use super::state::Seen;
use crate::crypto::sha256_of;

/// The key that names one act.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// On an answer that was given before.
const REPLAYED: &str = "idempotency-replayed";
/// Longest answer that is kept, in bytes.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// What the gate of one route knows.
#[derive(Clone)]
pub(in crate::http) struct Post {
    pub house: Arc<House>,
    pub operation: &'static Operation,
}

/// Lets a request through to its handler, gives an answer again, or refuses.
pub(in crate::http) async fn gate(
    State(post): State<Post>,
    request: Request,
    next: Next,
) -> Response {
    match pass(&post, request, next).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn pass(post: &Post, request: Request, next: Next) -> Result<Response, Refusal> {
    let Some(who) = request.extensions().get::<Who>().cloned() else {
        return Ok(next.run(request).await);
    };
    let asker = asker(&who);
    if let Err(wait) = post.house.programs.take(asker.clone()) {
        return Err(Refusal::too_often(wait));
    }
    let unsure = who.web.as_ref().is_some_and(|web| !web.stepped_up);
    if post.operation.dangerous && unsure {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "step-up",
            "Say again who you are",
            "This cannot be taken back: give your password at /step-up, and send it again.",
        ));
    }
    if post.operation.conditional {
        Seen::read(request.headers())?;
    }
    match post.operation.keyed {
        true => once(post, asker, request, next).await,
        false => Ok(next.run(request).await),
    }
}

/// Who is counted: a token, or a person with all their windows.
fn asker(who: &Who) -> String {
    let person = who.session.actor.id.to_string();
    match &who.web {
        Some(_) => person,
        None => format!("{person} {}", who.session.login_name().unwrap_or("")),
    }
}

async fn once(
    post: &Post,
    asker: String,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let house = Arc::clone(&post.house);
    let key = key_of(request.headers())?;
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, FORM_BYTES_MAX)
        .await
        .map_err(|_| too_long())?;
    let what = sha256_of(&[
        parts.method.as_str().as_bytes(),
        b" ",
        parts.uri.path().as_bytes(),
        b"\n",
        &bytes,
    ]);
    match house.replays.take(&asker, &key, what) {
        Known::Fresh => {}
        Known::Done(kept) => return Ok(again(kept)),
        Known::Running => {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                "running",
                "It is being done",
                "A request with this key is being worked on. Ask again in a moment.",
            ));
        }
        Known::Other => {
            return Err(Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "key-reused",
                "The key was used for something else",
                "An Idempotency-Key names one act. Take a new one for another.",
            ));
        }
    }
    // Whoever asked may go away: what began is done to its end, and its answer is kept.
    let work = tokio::spawn(async move {
        let mut taken = Taken {
            house,
            asker,
            key,
            answer: None,
        };
        let request = Request::from_parts(parts, Body::from(bytes));
        let response = next.run(request).await;
        if !response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, ANSWER_BYTES_MAX)
            .await
            .map_err(|_| Refusal::broken())?;
        taken.answer = Some(Kept {
            status: parts.status,
            headers: parts.headers.clone(),
            body: bytes.clone(),
        });
        Ok(Response::from_parts(parts, Body::from(bytes)))
    });
    work.await.unwrap_or_else(|_| Err(Refusal::broken()))
}

/// A key that is in use. However the work ends, the key does not stay in use.
struct Taken {
    house: Arc<House>,
    asker: String,
    key: String,
    answer: Option<Kept>,
}

impl Drop for Taken {
    fn drop(&mut self) {
        let replays = &self.house.replays;
        replays.end(&self.asker, &self.key, self.answer.take());
    }
}

fn key_of(headers: &HeaderMap) -> Result<String, Refusal> {
    let key = headers
        .get(IDEMPOTENCY_KEY)
        .and_then(|key| key.to_str().ok())
        .unwrap_or("");
    match (1..=KEY_BYTES_MAX).contains(&key.len()) {
        true => Ok(key.to_owned()),
        false => Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "idempotency-key",
            "Name the act",
            format!(
                "What creates or starts something needs an Idempotency-Key of 1 to {KEY_BYTES_MAX} \
                 characters of your own making: the same key is done once."
            ),
        )),
    }
}

fn too_long() -> Refusal {
    Refusal::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body",
        "The body is too long",
        format!("A request has at most {} KiB.", FORM_BYTES_MAX >> 10),
    )
}

fn again(kept: Kept) -> Response {
    let mut response = (kept.status, kept.body).into_response();
    *response.headers_mut() = kept.headers;
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
