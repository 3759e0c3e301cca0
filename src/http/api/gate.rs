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
use super::replay::{KEY_BYTES_MAX, Kept};
use super::state::Seen;
use crate::app::{ActKey, KnownAct};
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
        true => once(post, (who, asker), request, next).await,
        false => Ok(next.run(request).await),
    }
}

/// Who is counted: a token, or a person with all their windows.
pub(super) fn asker(who: &Who) -> String {
    let person = who.session.actor.id.to_string();
    match &who.web {
        Some(_) => person,
        None => format!("{person} {}", who.session.login_name().unwrap_or("")),
    }
}

async fn once(
    post: &Post,
    (who, asker): (Who, String),
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let house = Arc::clone(&post.house);
    let act = ActKey {
        asker,
        key: key_of(request.headers())?,
    };
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
    let asked = act.clone();
    let known = house
        .ask(move |appliance| appliance.take_act(&who.session, &asked, &what))
        .await?;
    match known {
        KnownAct::Fresh => {}
        KnownAct::Done(answer) => {
            let kept = Kept::of_record(answer).ok_or_else(Refusal::broken)?;
            return Ok(again(kept));
        }
        KnownAct::Lost => return house.secrets.of(&act).map(again).ok_or_else(lost),
        KnownAct::Running => return Err(running()),
        KnownAct::Other => return Err(other()),
    }
    let holds_secret = post.operation.secret;
    // Whoever asked may go away: what began is done to its end, and its answer is kept.
    let work = tokio::spawn(async move {
        let mut taken = Taken {
            house,
            act: Some(act),
        };
        let request = Request::from_parts(parts, Body::from(bytes));
        let response = next.run(request).await;
        if !response.status().is_success() {
            taken.refused().await;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ANSWER_BYTES_MAX).await;
        let kept = body.as_ref().ok().map(|body| Kept {
            status: parts.status,
            headers: parts.headers.clone(),
            body: body.clone(),
        });
        taken.done(kept, holds_secret).await?;
        let body = body.map_err(|_| Refusal::broken())?;
        Ok(Response::from_parts(parts, Body::from(body)))
    });
    work.await.unwrap_or_else(|_| Err(Refusal::broken()))
}

/// A key that is in use. However the work ends, also by a fault, the key does not stay in use.
struct Taken {
    house: Arc<House>,
    act: Option<ActKey>,
}

impl Taken {
    /// Nothing was done: the key is free before the refusal is told.
    async fn refused(&mut self) {
        if let Some(act) = self.act.take() {
            let freed = self
                .house
                .ask(move |appliance| appliance.act_refused(&act))
                .await;
            if freed.is_err() {
                tracing::error!("the key of an act that was refused could not be freed");
            }
        }
    }

    /// It was done: the key is used up, and its answer is kept.
    async fn done(&mut self, kept: Option<Kept>, holds_secret: bool) -> Result<(), Refusal> {
        let Some(act) = self.act.take() else {
            return Ok(());
        };
        let record = match (&kept, holds_secret) {
            (Some(kept), false) => kept.to_record(),
            _ => None,
        };
        if let (Some(kept), true) = (kept, holds_secret) {
            self.house.secrets.keep(&act, kept);
        }
        self.house
            .ask(move |appliance| appliance.act_done(&act, record.as_ref()))
            .await
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let (Some(act), Some(appliance)) = (self.act.take(), self.house.appliance()) {
            tokio::task::spawn_blocking(move || appliance.act_refused(&act).is_ok());
        }
    }
}

fn running() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "running",
        "It is being done",
        "A request with this key is being worked on. Ask again in a moment.",
    )
}

fn lost() -> Refusal {
    Refusal::new(
        StatusCode::CONFLICT,
        "answer-lost",
        "The answer is not here any more",
        "A request with this key was taken up before the program started again, and its answer is not \
         kept. Look whether it was done, and take a new key for what is still to be done.",
    )
}

fn other() -> Refusal {
    Refusal::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "key-reused",
        "The key was used for something else",
        "An Idempotency-Key names one act. Take a new one for another.",
    )
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
