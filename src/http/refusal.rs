//! A request that was not done: what it means as a status, in words, and what to do.
//!
//! As JSON it is a problem by RFC 9457, as a page it stands in the frame. Objects that are outside
//! somebody's sight and objects that do not exist are refused alike.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::problem::problem_kind;
use crate::app::AppError;
use crate::auth::{AuthError, SsoRefusal};
use crate::domain::ApiScope;
use crate::query::render_carets;

/// Media type of a problem in JSON.
const PROBLEM_JSON: &str = "application/problem+json";

/// One thing that is wrong, with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Stable code, such as `Q012`.
    pub code: String,
    /// First and last byte in the query, where it has a place there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<(usize, usize)>,
    /// What is wrong.
    pub message: String,
}

/// Why a request was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP.
    pub status: StatusCode,
    /// Last part of its `type`: the name of its help page.
    pub kind: &'static str,
    /// What happened, in a few words.
    pub title: &'static str,
    /// What happened and what to do.
    pub detail: String,
    /// Everything wrong, where there are places.
    pub faults: Vec<Fault>,
    /// Seconds after which to come again.
    pub retry_after: Option<u64>,
    /// The object as it is, where what was seen is stale.
    pub current: Option<Box<Value>>,
    /// What a problem says beside that.
    pub more: Box<More>,
}

/// What only some problems say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct More {
    /// Holds that stand in the way, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hold_ids: Vec<String>,
    /// The right of people, or the scope of tokens, that is missing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_permission: Option<&'static str>,
    /// The query to begin again with, in canonical form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
}

impl Refusal {
    /// A refusal of a kind of its own.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Refusal {
        Refusal {
            status,
            kind,
            title,
            detail: detail.into(),
            faults: Vec::new(),
            retry_after: None,
            current: None,
            more: Box::default(),
        }
    }

    /// One that was written down; of a kind that is no longer known only the detail is left.
    pub fn kept(kind: &str, status: u16, detail: String) -> Refusal {
        let known = problem_kind(kind);
        Refusal::new(
            StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            known.map_or("failure", |known| known.kind),
            known.map_or("Something failed", |known| known.title),
            detail,
        )
    }

    /// The asker has to wait.
    pub fn too_often(wait: Duration) -> Refusal {
        let seconds = wait.as_secs() + 1;
        Refusal {
            retry_after: Some(seconds),
            ..Refusal::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too-often",
                "Too many tries",
                format!("Too many tries. Wait {seconds} seconds, and try again."),
            )
        }
    }

    /// The request is wrong.
    pub fn usage(detail: impl Into<String>) -> Refusal {
        Refusal::new(
            StatusCode::BAD_REQUEST,
            "request",
            "The request is wrong",
            detail,
        )
    }

    /// There is no such thing, for this person.
    pub fn not_found() -> Refusal {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            "There is nothing here, or nothing that you may see.",
        )
    }

    /// Nobody is signed in.
    pub fn nobody() -> Refusal {
        Refusal::new(
            StatusCode::UNAUTHORIZED,
            "sign-in",
            "Sign in first",
            "Your session has ended, or there was none. Sign in; you come back to this page.",
        )
    }

    /// The data directory is still sealed.
    pub fn sealed() -> Refusal {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sealed",
            "The archive is sealed",
            "Somebody has to unlock it first: open /unlock and type the passphrase.",
        )
    }

    /// The role of the asker does not carry the right.
    pub fn forbidden() -> Refusal {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Not for your role",
            "Your role does not carry this right. An administrator can give you another role.",
        )
    }

    /// The form was not made by a page of ours for this session.
    pub fn foreign_form() -> Refusal {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign-form",
            "The form is not from this session",
            "Nothing was changed. Open the page again and send the form from there.",
        )
    }

    /// Something failed that the asker can do nothing about.
    pub fn broken() -> Refusal {
        Refusal::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failure",
            "Something failed",
            "Nothing was lost. Try again; if it stays, an administrator finds the reason under System.",
        )
    }

    /// As a value (RFC 9457), without the request it answers.
    pub fn to_value(&self) -> Value {
        #[derive(Serialize)]
        struct Problem<'a> {
            r#type: String,
            title: &'a str,
            status: u16,
            detail: &'a str,
            #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
            errors: &'a [Fault],
            #[serde(skip_serializing_if = "Option::is_none")]
            current: Option<&'a Value>,
            #[serde(flatten)]
            more: &'a More,
        }
        let problem = Problem {
            r#type: format!("/problems/{}", self.kind),
            title: self.title,
            status: self.status.as_u16(),
            detail: &self.detail,
            errors: &self.faults,
            current: self.current.as_deref(),
            more: &self.more,
        };
        serde_json::to_value(problem).unwrap_or_default()
    }

    /// As JSON. `path` is what was asked, without what stood behind the question mark.
    pub fn problem(&self, path: &str) -> Response {
        let mut value = self.to_value();
        value["instance"] = path.into();
        let body = serde_json::to_vec(&value).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        self.dress(response)
    }

    /// Its status and what it says in headers, on the page that tells it.
    pub(super) fn dress(&self, mut page: Response) -> Response {
        *page.status_mut() = self.status;
        if let Some(seconds) = self.retry_after {
            page.headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        page
    }
}

impl IntoResponse for Refusal {
    /// The guard of the route writes it as a page or as JSON: the refusal travels beside the answer.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Refusal {
        let text = sentence(&error.to_string());
        match error {
            AppError::Query { text, problems } => query(&text, &problems),
            AppError::Usage(_) => Refusal::usage(text),
            AppError::Questions(_) => Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "questions",
                "Something must be decided first",
                text,
            ),
            AppError::Refused(_) => Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "import-refused",
                "Nothing was imported",
                text,
            ),
            AppError::Auth(error) => recognition(&error),
            AppError::NotFound(_) => Refusal::not_found(),
            AppError::Conflict(_) => {
                Refusal::new(StatusCode::CONFLICT, "conflict", "Somebody was first", text)
            }
            AppError::Blocked(_) => Refusal::new(
                StatusCode::CONFLICT,
                "blocked",
                "Something stands in the way",
                text,
            ),
            AppError::Held { holds, .. } => {
                let mut refusal = Refusal::new(
                    StatusCode::CONFLICT,
                    "blocked",
                    "Something stands in the way",
                    text,
                );
                refusal.more.hold_ids = holds.iter().map(ToString::to_string).collect();
                refusal
            }
            AppError::Expired { canonical } => {
                let mut refusal = Refusal::new(
                    StatusCode::GONE,
                    "snapshot-expired",
                    "The search has moved on",
                    text,
                );
                refusal.more.query = Some(canonical);
                refusal
            }
            AppError::Budget(_) => Refusal::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "query-budget",
                "The query takes too long",
                text,
            ),
            // Paths and inner words are for the log of the program, not for the asker.
            AppError::Configuration(_)
            | AppError::Integrity(_)
            | AppError::Io(_)
            | AppError::Interrupted(_) => {
                tracing::error!(kind = error_kind(&error), "a use-case failed");
                Refusal::broken()
            }
        }
    }
}

fn error_kind(error: &AppError) -> &'static str {
    match error {
        AppError::Configuration(_) => "configuration",
        AppError::Integrity(_) => "integrity",
        AppError::Io(_) => "io",
        _ => "interrupted",
    }
}

fn recognition(error: &AuthError) -> Refusal {
    let text = sentence(&error.to_string());
    match error {
        AuthError::Forbidden { needs, .. } => {
            let mut refusal = Refusal::forbidden();
            refusal.more.required_permission = Some(needs.name());
            refusal
        }
        AuthError::Token | AuthError::Session => Refusal::nobody(),
        AuthError::Scope { needs } => {
            let mut refusal =
                Refusal::new(StatusCode::FORBIDDEN, "scope", "Not for this token", text);
            refusal.more.required_permission = needs.map(ApiScope::name);
            refusal
        }
        AuthError::Sso(SsoRefusal::NotConfigured) => Refusal::not_found(),
        AuthError::Sso(why) => sso(why),
        AuthError::Store(_) | AuthError::Crypto(_) => Refusal::broken(),
        AuthError::Taken(_) => {
            Refusal::new(StatusCode::CONFLICT, "conflict", "Somebody was first", text)
        }
        _ => Refusal::usage(text),
    }
}

/// Somebody who came from the provider is not let in, or nobody can be sent there.
pub(super) fn sso(why: &SsoRefusal) -> Refusal {
    let status = match why {
        SsoRefusal::Unreachable(_) | SsoRefusal::Metadata(_) => StatusCode::BAD_GATEWAY,
        _ => StatusCode::FORBIDDEN,
    };
    let detail = sentence(&why.to_string());
    Refusal::new(status, "sso", "Sign-in at the provider failed", detail)
}

fn query(text: &str, problems: &[crate::query::Problem]) -> Refusal {
    let faults = problems
        .iter()
        .map(|problem| Fault {
            code: problem.code.name().to_owned(),
            span: Some((problem.span.start, problem.span.end)),
            message: problem.message.clone(),
        })
        .collect();
    Refusal {
        faults,
        ..Refusal::new(
            StatusCode::BAD_REQUEST,
            "query-syntax",
            "The query is not clear",
            render_carets(text, problems),
        )
    }
}

/// A message of the inner rooms as a sentence.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters
        .next()
        .map(|first| first.to_uppercase().collect())
        .unwrap_or_default();
    let stop = if text.ends_with(['.', '?', '!']) {
        ""
    } else {
        "."
    };
    format!("{first}{}{stop}", characters.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_what_is_hidden_and_what_is_absent_are_refused_alike() {
        let hidden = Refusal::from(AppError::NotFound("cnv_1".to_owned()));
        let absent = Refusal::from(AppError::NotFound("cnv_2 (disposed of)".to_owned()));
        assert_eq!(hidden, absent);
    }

    #[test]
    fn a_failure_of_the_machine_tells_no_path() {
        let refusal = Refusal::from(AppError::Io("/srv/secret: no space".to_owned()));
        assert_eq!(refusal.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!refusal.detail.contains("secret"));
    }
}
