//! Acts that were done once: the answer is kept under the key that the program gave, so that a
//! request that is sent again starts nothing again (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! The record keeps it, sealed, for a day. An answer that holds a secret, such as a token that is shown
//! once, is kept in memory alone: after a restart only that it was given is known.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::app::{ActKey, KeptAnswer};

/// How long an answer is kept in memory.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most answers kept in memory at once; further ones are not kept.
const SECRETS_MAX: usize = 1_000;
/// Longest key, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 255;

/// An answer as it was given.
#[derive(Clone, Debug)]
pub(in crate::http) struct Kept {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Kept {
    /// As the record keeps it; `None` for bytes that are no text.
    pub(super) fn to_record(&self) -> Option<KeptAnswer> {
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((name.as_str().to_owned(), value.to_str().ok()?.to_owned()));
        }
        Some(KeptAnswer {
            status: self.status.as_u16(),
            headers,
            body: String::from_utf8(self.body.to_vec()).ok()?,
        })
    }

    /// As it was given.
    pub(super) fn of_record(answer: KeptAnswer) -> Option<Kept> {
        let mut headers = HeaderMap::new();
        for (name, value) in &answer.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            headers.append(name, HeaderValue::from_str(value).ok()?);
        }
        Some(Kept {
            status: StatusCode::from_u16(answer.status).ok()?,
            headers,
            body: Bytes::from(answer.body),
        })
    }
}

/// Answers that hold secrets.
#[derive(Default)]
pub(in crate::http) struct Secrets {
    by_act: Mutex<HashMap<(String, String), (Instant, Kept)>>,
}

impl Secrets {
    /// The answer of an act, while it is kept.
    pub(super) fn of(&self, act: &ActKey) -> Option<Kept> {
        let mut kept = self.by_act.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, (since, _)| since.elapsed() < KEPT);
        let name = (act.asker.clone(), act.key.clone());
        kept.get(&name).map(|(_, answer)| answer.clone())
    }

    /// Keeps the answer of an act.
    pub(super) fn keep(&self, act: &ActKey, answer: Kept) {
        let mut kept = self.by_act.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < SECRETS_MAX {
            let name = (act.asker.clone(), act.key.clone());
            kept.insert(name, (Instant::now(), answer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_an_answer_is_the_same_out_of_the_record() {
        let mut headers = HeaderMap::new();
        headers.append("etag", HeaderValue::from_static("\"7\""));
        headers.append("location", HeaderValue::from_static("/api/v1/jobs/1"));
        let kept = Kept {
            status: StatusCode::CREATED,
            headers,
            body: Bytes::from_static("{\"name\":\"Zoë\"}".as_bytes()),
        };
        let back = Kept::of_record(kept.to_record().unwrap()).unwrap();
        assert_eq!(back.status, kept.status);
        assert_eq!((back.headers, back.body), (kept.headers, kept.body));
    }

    #[test]
    fn a_secret_is_given_again_to_whoever_had_it_and_to_nobody_else() {
        let secrets = Secrets::default();
        let act = |asker: &str| ActKey {
            asker: asker.to_owned(),
            key: "k".to_owned(),
        };
        let kept = Kept {
            status: StatusCode::CREATED,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"wk_secret"),
        };
        secrets.keep(&act("ana"), kept);
        assert!(secrets.of(&act("ana")).is_some());
        assert!(secrets.of(&act("bo")).is_none());
    }
}
