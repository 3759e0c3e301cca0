//! What machines ask: alive, ready, and figures without content.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::house::House;
use super::route::{Access, Route};

pub(super) const ROUTES: &[Route] = &[
    Route::get("/health", Access::Unlogged, || get(alive)),
    Route::get("/ready", Access::Unlogged, || get(ready)),
    Route::get("/metrics", Access::Unlogged, || get(metrics)),
];

async fn alive() -> &'static str {
    "ok\n"
}

/// Ready is who can answer: an archive that is unlocked.
async fn ready(State(house): State<Arc<House>>) -> (StatusCode, &'static str) {
    match house
        .appliance()
        .map(|appliance| appliance.quarantine().is_some())
    {
        Some(false) => (StatusCode::OK, "ready\n"),
        Some(true) => (StatusCode::OK, "ready, read-only\n"),
        None => (StatusCode::SERVICE_UNAVAILABLE, "sealed\n"),
    }
}

/// Prometheus text format 0.0.4: counts only, never a name or a word.
async fn metrics(State(house): State<Arc<House>>) -> Response {
    let mut text = String::new();
    let mut row = |name: &str, help: &str, value: u64| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "# HELP {name} {help}\n# TYPE {name} {}\n{name} {value}\n",
            if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            }
        );
    };
    let sealed = house.appliance().is_none();
    row(
        "wordkeep_sealed",
        "1 while nobody has unlocked the archive",
        u64::from(sealed),
    );
    for (name, help, counter) in [
        (
            "wordkeep_answers_total",
            "Requests that were answered",
            &house.answered,
        ),
        (
            "wordkeep_refusals_total",
            "Requests that were refused",
            &house.refused,
        ),
        (
            "wordkeep_failures_total",
            "Requests that failed",
            &house.failed,
        ),
    ] {
        row(name, help, counter.load(Ordering::Relaxed));
    }
    let kind = [(
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    )];
    (kind, text).into_response()
}
