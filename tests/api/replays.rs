//! Keys of acts that are done once: they outlive the server, for a day, each for one asker.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wordkeep::app::{ActKey, Appliance, KnownAct};
use wordkeep::crypto::sha256_of;
use wordkeep::domain::Timestamp;
use wordkeep::http::{House, HouseOptions, router};

use crate::court::{Moved, court, opened};
use crate::house::{PASSWORD, Place, files_below, log_in};

const DAY: i64 = Timestamp::MICROS_PER_DAY / 1_000_000;

/// A house that can be closed and opened again.
struct World {
    dir: tempfile::TempDir,
    clock: Arc<Moved>,
    app: Option<Arc<Appliance>>,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new() -> World {
        let court = court();
        World {
            app: Some(Arc::new(court.appliance)),
            dir: court.dir,
            clock: court.clock,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn app(&self) -> &Arc<Appliance> {
        self.app.as_ref().unwrap()
    }

    fn restart(&mut self) {
        self.app().close().unwrap();
        drop(self.app.take());
        let place = Place::new(self.dir.path());
        self.app = Some(Arc::new(opened(&place, &self.clock)));
    }

    fn token(&self, login: &str) -> String {
        self.app()
            .log_in(login, PASSWORD, 30)
            .unwrap()
            .1
            .to_string()
    }

    fn post(
        &self,
        token: &str,
        path: &str,
        body: &Value,
        key: &str,
    ) -> (StatusCode, HeaderMap, Value) {
        let house = House::open(Arc::clone(self.app()), HouseOptions::default());
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()))
            .unwrap();
        self.runtime.block_on(async {
            let answer = router(&house).oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, 1 << 20).await.unwrap();
            let json = serde_json::from_slice(&bytes).unwrap();
            (parts.status, parts.headers, json)
        })
    }

    fn matters(&self) -> usize {
        let law = log_in(self.app(), "law");
        self.app().matters(&law).unwrap().len()
    }
}

#[test]
fn x1_a_key_outlives_the_server_for_a_day() {
    let mut world = World::new();
    let token = world.token("law");
    let acme = json!({ "name": "Acme", "reference": "quetzalix" });
    let first = world.post(&token, "/api/v1/matters", &acme, "k");
    assert_eq!(first.0, StatusCode::CREATED, "{}", first.2);
    assert!(!first.1.contains_key("idempotency-replayed"));
    world.restart();
    let again = world.post(&token, "/api/v1/matters", &acme, "k");
    assert_eq!(again.0, StatusCode::CREATED, "{}", again.2);
    assert_eq!(again.1["idempotency-replayed"], "true");
    assert_eq!(again.2, first.2);
    assert_eq!(again.1[header::ETAG], first.1[header::ETAG]);
    assert_eq!(again.1[header::CONTENT_TYPE], first.1[header::CONTENT_TYPE]);
    let other = world.post(&token, "/api/v1/matters", &json!({ "name": "Other" }), "k");
    assert_eq!(other.0, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.2["type"], "/problems/key-reused");
    // The key of somebody else is another key.
    let theirs = world.post(&world.token("root"), "/api/v1/matters", &acme, "k");
    assert_ne!(
        theirs
            .1
            .get("idempotency-replayed")
            .map(|one| one.as_bytes()),
        Some(&b"true"[..])
    );
    assert_eq!(world.matters(), 1);
    // What was answered is sealed like everything that people wrote.
    world.restart();
    for file in files_below(&Place::new(world.dir.path()).data()) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(
            !bytes.windows(9).any(|window| window == b"quetzalix"),
            "{file:?}"
        );
    }
    world.clock.seconds(DAY + 60);
    let token = world.token("law");
    let late = world.post(&token, "/api/v1/matters", &json!({ "name": "Late" }), "k");
    assert_eq!(late.0, StatusCode::CREATED, "{}", late.2);
    assert_eq!(world.matters(), 2);
}

#[test]
fn x1_an_act_that_the_end_of_the_server_cut_off_is_not_done_twice() {
    let mut world = World::new();
    let token = world.token("law");
    let body = json!({ "name": "Acme", "reference": "" });
    let law = log_in(world.app(), "law");
    let path = "/api/v1/matters";
    let act = ActKey {
        asker: format!("{} {}", law.actor.id, law.login_name().unwrap_or("")),
        key: "k".to_owned(),
    };
    let what = sha256_of(&[
        b"POST",
        b" ",
        path.as_bytes(),
        b"\n",
        body.to_string().as_bytes(),
    ]);
    assert_eq!(
        world.app().take_act(&law, &act, &what).unwrap(),
        KnownAct::Fresh
    );
    let running = world.post(&token, path, &body, "k");
    assert_eq!(running.0, StatusCode::CONFLICT);
    assert_eq!(running.2["type"], "/problems/running");
    world.restart();
    let lost = world.post(&token, path, &body, "k");
    assert_eq!(lost.0, StatusCode::CONFLICT);
    assert_eq!(lost.2["type"], "/problems/answer-lost");
    assert_eq!(world.matters(), 0);
    let fresh = world.post(&token, path, &body, "k2");
    assert_eq!(fresh.0, StatusCode::CREATED, "{}", fresh.2);
}

#[test]
fn x1_many_at_once_with_one_key_do_it_once() {
    let world = World::new();
    let token = world.token("law");
    let body = json!({ "name": "Acme", "reference": "" });
    let house = House::open(Arc::clone(world.app()), HouseOptions::default());
    let router = router(&house);
    let statuses: Vec<StatusCode> = world.runtime.block_on(async {
        let asked = (0..16).map(|_| {
            let request = Request::post("/api/v1/matters")
                .header(header::AUTHORIZATION, format!("Bearer {token}"))
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", "k")
                .body(Body::from(body.to_string()))
                .unwrap();
            tokio::spawn(router.clone().oneshot(request))
        });
        let asked: Vec<_> = asked.collect();
        let mut statuses = Vec::new();
        for one in asked {
            statuses.push(one.await.unwrap().unwrap().status());
        }
        statuses
    });
    assert!(statuses.contains(&StatusCode::CREATED));
    let fits = |status: &StatusCode| matches!(*status, StatusCode::CREATED | StatusCode::CONFLICT);
    assert!(statuses.iter().all(fits), "{statuses:?}");
    assert_eq!(world.matters(), 1);
}
