//! Pages of hits are cut from one state: what comes in or is merged between them adds nothing, takes
//! nothing and moves nothing; a state that is gone is said.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use wordkeep::app::{Appliance, Grant, HoldTarget, SearchRequest, Session};
use wordkeep::domain::Role;
use wordkeep::search::Order;

use crate::court::court;
use crate::house::{import, ios_export, plain_chat};
use crate::served::{Answer, Served, Who, served};

const LAWYER: Who = Who::Person(Role::Lawyer);

fn search(served: &Served, body: &Value) -> Answer {
    served.api(LAWYER, Method::POST, "/api/v1/search", Some(body))
}

fn bring(served: &Served, tag: &str, messages: usize) {
    let folder = served.court.dir.path().join("later");
    std::fs::create_dir_all(&folder).unwrap();
    let path = ios_export(&folder, tag, &plain_chat(tag, messages), &[]);
    import(&served.court.appliance, &served.court.rec, &path).unwrap();
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Every page from the first on; `between` runs before each next one.
fn walk(served: &Served, query: &Value, mut between: impl FnMut(usize)) -> (Value, Vec<String>) {
    let mut body = query.clone();
    let (mut seen, mut first) = (Vec::new(), Value::Null);
    for turn in 0.. {
        let answer = search(served, &body);
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let page = answer.json();
        seen.extend(ids(&page));
        if turn == 0 {
            first = page.clone();
        }
        for same in ["total", "snapshot", "complete_through"] {
            assert_eq!(page[same], first[same], "{same} on page {turn}");
        }
        if page["next_cursor"].is_null() {
            break;
        }
        body["cursor"] = page["next_cursor"].clone();
        between(turn);
    }
    (first, seen)
}

#[test]
fn x1_pages_give_each_hit_of_the_snapshot_once_while_chats_come_in() {
    let served = served();
    let mut tag = 0;
    let queries = [
        ("shipment", "newest"),
        ("shipment", "oldest"),
        ("shipment OR word7* OR agreed", "best"),
        // Judged message by message, not by the index alone.
        ("/ship.ent/", "newest"),
        ("shipment w/2msg agreed", "oldest"),
    ];
    for (query, order) in queries {
        let whole = json!({ "query": query, "order": order, "limit": 1000 });
        let before = ids(&search(&served, &whole).json());
        let asked = json!({ "query": query, "order": order, "limit": 37 });
        let (first, seen) = walk(&served, &asked, |turn| {
            if turn < 3 {
                tag += 1;
                bring(&served, &format!("late{tag}"), 30 + turn);
            }
        });
        assert_eq!(seen, before, "{query} {order}");
        assert_eq!(first["total"]["value"], before.len());
        let after = search(&served, &whole).json();
        assert!(ids(&after).len() > before.len(), "{query} found what came");
        assert_ne!(after["snapshot"], first["snapshot"]);
    }
}

/// Every page of a search, asked of the use-case: the total of the first and all hits.
fn walk_house(app: &Appliance, session: &Session, order: Order) -> (u64, Vec<String>) {
    let mut request = SearchRequest::new("shipment");
    (request.order, request.limit) = (order, 19);
    let (mut seen, mut total) = (Vec::new(), None);
    loop {
        let found = app.search(session, &request).unwrap();
        assert_eq!(*total.get_or_insert(found.answer.total), found.answer.total);
        let hits = found.answer.hits.iter();
        seen.extend(hits.map(|hit| hit.line.id.to_string()));
        request.cursor = found.next;
        if request.cursor.is_none() {
            return (total.unwrap_or_default(), seen);
        }
    }
}

#[test]
fn x1_pages_hold_while_others_write_and_parts_are_merged() {
    let court = court();
    let (app, over) = (&court.appliance, AtomicBool::new(false));
    import(app, &court.rec, &court.chat("first", 120)).unwrap();
    let walks = std::thread::scope(|threads| {
        threads.spawn(|| {
            for turn in 0..12 {
                let path = court.chat(&format!("stream{turn}"), 12);
                import(app, &court.rec, &path).unwrap();
            }
            over.store(true, Ordering::Relaxed);
        });
        let (mut walks, mut changed) = (0, false);
        while !over.load(Ordering::Relaxed) || walks < 3 {
            let order = Order::ALL[walks % 3];
            let (total, seen) = walk_house(app, &court.law, order);
            let once: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(once.len(), seen.len(), "{order:?}: a hit stands twice");
            assert_eq!(total, seen.len() as u64, "{order:?}: a hit is missing");
            changed |= total > 120;
            walks += 1;
        }
        assert!(changed, "nothing came in while pages were turned");
        walks
    });
    assert!(walks >= 3);
}

#[test]
fn x1_a_snapshot_that_is_gone_is_said_with_the_query_to_begin_again() {
    let served = served();
    let body = json!({ "query": "shipment agreed", "limit": 10 });
    let first = search(&served, &body).json();
    let mut next = body.clone();
    next["cursor"] = first["next_cursor"].clone();
    // Nothing changed: the same state is there for as long as it stays.
    served.court.clock.seconds(3_600);
    assert_eq!(search(&served, &next).status, StatusCode::OK);
    bring(&served, "late", 20);
    assert_eq!(search(&served, &next).status, StatusCode::OK);
    served.court.clock.seconds(16 * 60);
    let gone = search(&served, &next);
    assert_eq!(gone.status, StatusCode::GONE, "{}", gone.body);
    let problem = gone.json();
    assert_eq!(problem["type"], "/problems/snapshot-expired");
    assert_eq!(problem["instance"], "/api/v1/search");
    let again = json!({ "query": problem["query"], "limit": 10 });
    let again = search(&served, &again);
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    // Another order is another list of pages.
    let fresh = search(&served, &body).json()["next_cursor"].clone();
    let other = json!({ "query": "shipment agreed", "cursor": fresh, "order": "best" });
    assert_eq!(search(&served, &other).status, StatusCode::BAD_REQUEST);
}

#[test]
fn x1_a_change_of_sight_ends_the_pages() {
    let served = served();
    let app = &served.court.appliance;
    let manager = Who::Person(Role::Manager);
    let body = json!({ "query": "shipment", "limit": 10 });
    let first = served.api(manager, Method::POST, "/api/v1/search", Some(&body));
    let first = first.json();
    assert!(first["snapshot"].is_null(), "a manager sees a part only");
    let mut next = body.clone();
    next["cursor"] = first["next_cursor"].clone();
    let lines = app.conversations(&served.court.law).unwrap();
    let all: Vec<Grant> = lines
        .iter()
        .map(|line| Grant::Conversation(line.id))
        .collect();
    app.set_grants(&served.court.root, "man", &all).unwrap();
    let answer = served.api(manager, Method::POST, "/api/v1/search", Some(&next));
    // Either the token ended with the change, or the pages did.
    assert!(
        matches!(answer.status, StatusCode::GONE | StatusCode::UNAUTHORIZED),
        "{}",
        answer.body
    );
}

#[test]
fn x1_a_cursor_shows_no_figure() {
    let served = served();
    let body = json!({ "query": "shipment", "limit": 10 });
    let mark = search(&served, &body).json()["next_cursor"].clone();
    let bytes = base64::Engine::decode(
        &base64::engine::general_purpose::URL_SAFE_NO_PAD,
        mark.as_str().unwrap(),
    );
    let bytes = bytes.unwrap();
    let through = served.court.appliance.archive().watermark().unwrap();
    let figure = through.through.to_be_bytes();
    assert!(!bytes.windows(8).any(|window| window == figure));
}

#[test]
fn x1_a_problem_names_where_it_arose_and_what_is_missing() {
    let served = served();
    let users = served.api(LAWYER, Method::GET, "/api/v1/users?limit=3", None);
    assert_eq!(users.status, StatusCode::FORBIDDEN);
    let problem = users.json();
    assert_eq!(problem["instance"], "/api/v1/users");
    assert_eq!(problem["required_permission"], "manage-users");
    let lost = served.api(LAWYER, Method::GET, "/api/v1/nowhere", None);
    assert_eq!(lost.json()["instance"], "/api/v1/nowhere");
    assert!(lost.json().get("required_permission").is_none());

    let path = format!("/api/v1/matters/{}", served.ids["matters"]);
    let seen = served.api(LAWYER, Method::GET, &path, None);
    let state = seen.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({ "state": "closed", "reason": "settled" });
    let refused = served.api_with(
        LAWYER,
        Method::PATCH,
        &path,
        Some(&body),
        &[("if-match", &state)],
    );
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    let problem = refused.json();
    assert_eq!(problem["type"], "/problems/blocked");
    assert_eq!(problem["hold_ids"], json!([served.ids["holds"]]));
}

#[test]
fn x1_what_holds_protect_is_said_by_the_list_that_cannot_be_made() {
    let court = court();
    let hold = court.hold(HoldTarget::Query("shipment".to_owned()));
    let refused = court.appliance.prune_payloads(&court.rec, 2020, "old");
    match refused {
        Err(wordkeep::app::AppError::Held { holds, .. }) => assert_eq!(holds, [hold]),
        other => panic!("{other:?}"),
    }
}
