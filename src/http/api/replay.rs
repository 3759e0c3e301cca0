//! Acts that were done once: the answer is kept under the key that the program gave, so that a
//! request that is sent again starts nothing again (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! Kept in memory, for a day and bounded: after a restart a key is free again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};

use crate::crypto::Digest;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Most answers kept at once; the eldest is forgotten first.
const ANSWERS_MAX: usize = 10_000;
/// Longest key, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 255;

/// An answer as it was given.
#[derive(Clone, Debug)]
pub(in crate::http) struct Kept {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What is known of a key.
#[derive(Debug)]
pub(super) enum Known {
    /// Nothing: it is this request's now. Whoever got this must end it.
    Fresh,
    /// It was done: this was the answer.
    Done(Kept),
    /// It is being done.
    Running,
    /// It was used for something else.
    Other,
}

struct Slot {
    /// Hash of method, path and body.
    what: Digest,
    turn: u64,
    since: Instant,
    answer: Option<Kept>,
}

#[derive(Default)]
struct Slots {
    by_key: HashMap<(String, String), Slot>,
    /// Keys by age.
    turns: BTreeMap<u64, (String, String)>,
    next: u64,
}

/// The answers that are kept.
#[derive(Default)]
pub(in crate::http) struct Replays {
    slots: Mutex<Slots>,
}

impl Replays {
    /// What is known of a key of an asker. A fresh one is taken.
    pub(super) fn take(&self, asker: &str, key: &str, what: Digest) -> Known {
        self.take_at(asker, key, what, Instant::now())
    }

    fn take_at(&self, asker: &str, key: &str, what: Digest, now: Instant) -> Known {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.forget(now);
        let name = (asker.to_owned(), key.to_owned());
        if let Some(slot) = slots.by_key.get(&name) {
            return match (&slot.answer, slot.what == what) {
                (_, false) => Known::Other,
                (Some(kept), true) => Known::Done(kept.clone()),
                (None, true) => Known::Running,
            };
        }
        let turn = slots.next;
        slots.next += 1;
        slots.turns.insert(turn, name.clone());
        slots.by_key.insert(
            name,
            Slot {
                what,
                turn,
                since: now,
                answer: None,
            },
        );
        Known::Fresh
    }

    /// Ends what was taken: keeps its answer, or frees the key when nothing was done.
    pub(super) fn end(&self, asker: &str, key: &str, answer: Option<Kept>) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let name = (asker.to_owned(), key.to_owned());
        match answer {
            Some(answer) => {
                if let Some(slot) = slots.by_key.get_mut(&name) {
                    slot.answer = Some(answer);
                }
            }
            None => {
                if let Some(slot) = slots.by_key.remove(&name) {
                    slots.turns.remove(&slot.turn);
                }
            }
        }
    }
}

impl Slots {
    fn forget(&mut self, now: Instant) {
        while let Some((turn, name)) = self.turns.first_key_value() {
            let (turn, name) = (*turn, name.clone());
            let is_old = self
                .by_key
                .get(&name)
                .is_none_or(|slot| now.saturating_duration_since(slot.since) > KEPT);
            if !is_old && self.by_key.len() < ANSWERS_MAX {
                return;
            }
            self.turns.remove(&turn);
            self.by_key.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Option<Kept> {
        Some(Kept {
            status: StatusCode::CREATED,
            headers: HeaderMap::new(),
            body: Bytes::from_static(b"{}"),
        })
    }

    #[test]
    fn x1_a_key_is_used_once_by_one_asker_for_one_thing() {
        let replays = Replays::default();
        assert!(matches!(replays.take("a", "k", [1; 32]), Known::Fresh));
        assert!(matches!(replays.take("a", "k", [1; 32]), Known::Running));
        assert!(matches!(replays.take("b", "k", [1; 32]), Known::Fresh));
        replays.end("a", "k", kept());
        assert!(matches!(replays.take("a", "k", [1; 32]), Known::Done(_)));
        assert!(matches!(replays.take("a", "k", [2; 32]), Known::Other));
        replays.end("b", "k", None);
        assert!(matches!(replays.take("b", "k", [2; 32]), Known::Fresh));
    }

    #[test]
    fn answers_are_forgotten_after_a_day_and_when_there_are_too_many() {
        let replays = Replays::default();
        let start = Instant::now();
        assert!(matches!(
            replays.take_at("a", "k", [1; 32], start),
            Known::Fresh
        ));
        replays.end("a", "k", kept());
        let later = start + KEPT + Duration::from_secs(1);
        assert!(matches!(
            replays.take_at("a", "k", [2; 32], later),
            Known::Fresh
        ));
        for number in 0..ANSWERS_MAX + 10 {
            replays.take_at("b", &number.to_string(), [0; 32], later);
        }
        let slots = replays.slots.lock().unwrap();
        assert!(slots.by_key.len() <= ANSWERS_MAX);
        assert_eq!(slots.by_key.len(), slots.turns.len());
    }
}
