//! The state of an object as programs name it: an entity tag over what they were shown.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::Serialize;

use super::super::refusal::Refusal;
use super::json::Answer;
use crate::crypto::{hex, sha256};

/// Bytes of the hash in a tag.
const TAG_BYTES: usize = 16;

/// The tag of an object.
fn tag(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).unwrap_or_default();
    format!("\"{}\"", hex(&sha256(&json)[..TAG_BYTES]))
}

/// The object with its tag.
pub(super) fn tagged(value: &impl Serialize) -> Answer {
    tagged_as(StatusCode::OK, value)
}

/// The same with a status of its own.
pub(super) fn tagged_as(status: StatusCode, value: &impl Serialize) -> Answer {
    let mut response = (status, axum::Json(value)).into_response();
    if let Ok(tag) = HeaderValue::from_str(&tag(value)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    Ok(response)
}

/// What a program says it saw.
#[derive(Clone, Debug)]
pub(super) struct Seen(String);

impl Seen {
    /// Reads the header.
    ///
    /// # Errors
    /// 428 without it.
    pub(super) fn read(headers: &HeaderMap) -> Result<Seen, Refusal> {
        let value = headers.get(header::IF_MATCH);
        match value.and_then(|value| value.to_str().ok()) {
            Some(text) => Ok(Seen(text.to_owned())),
            None => Err(Refusal::new(
                StatusCode::PRECONDITION_REQUIRED,
                "if-match",
                "Say what you saw",
                "A change needs If-Match with the ETag of the object as you read it.",
            )),
        }
    }

    /// Compares with the object as it is.
    ///
    /// # Errors
    /// 412 with the object as it is when that is not what was seen.
    pub(super) fn check(&self, now: &impl Serialize) -> Result<(), Refusal> {
        let tag = tag(now);
        let seen = self.0.split(',').map(str::trim);
        if seen.into_iter().any(|one| one == tag || one == "*") {
            return Ok(());
        }
        Err(Refusal {
            current: serde_json::to_value(now).ok().map(Box::new),
            ..Refusal::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "Somebody changed it since",
                "The object is not as you saw it. It comes with this answer as it is now.",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &'static str) -> Result<Seen, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_MATCH, HeaderValue::from_static(text));
        Seen::read(&headers)
    }

    #[test]
    fn a_change_needs_the_state_that_was_seen() {
        let object = serde_json::json!({"name": "a"});
        let missing = Seen::read(&HeaderMap::new()).unwrap_err();
        assert_eq!(missing.status, StatusCode::PRECONDITION_REQUIRED);
        let stale = seen("\"0\"").unwrap().check(&object).unwrap_err();
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        assert_eq!(stale.current.as_deref(), Some(&object));
        assert!(
            Seen(format!("\"0\", {}", tag(&object)))
                .check(&object)
                .is_ok()
        );
        assert!(seen("*").unwrap().check(&object).is_ok());
    }
}
