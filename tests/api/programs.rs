//! The API as a program meets it: pages of lists, keys, conditions, limits, scopes, problems.

use std::collections::BTreeSet;

use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use wordkeep::app::NewApiToken;
use wordkeep::domain::{ApiScope, Role};

use crate::served::{Answer, CANARY, Served, Who, over, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
const OFFICER: Who = Who::Person(Role::RecordsOfficer);
const ADMINISTRATOR: Who = Who::Person(Role::Administrator);

fn post(served: &Served, who: Who, path: &str, body: &Value) -> Answer {
    served.api(who, Method::POST, path, Some(body))
}

fn keyed(served: &Served, who: Who, path: &str, body: &Value, key: &str) -> Answer {
    served.api_with(
        who,
        Method::POST,
        path,
        Some(body),
        &[("idempotency-key", key)],
    )
}

fn read(served: &Served, who: Who, path: &str) -> Answer {
    served.api(who, Method::GET, path, None)
}

fn tag(answer: &Answer) -> String {
    answer.headers[header::ETAG].to_str().unwrap().to_owned()
}

/// A token of somebody with some of their scopes.
fn narrow(served: &Served, role: Role, scopes: &[ApiScope]) -> String {
    let new = NewApiToken {
        name: "narrow".to_owned(),
        scopes: scopes.to_vec(),
        days: 1,
    };
    let app = &served.court.appliance;
    let made = app.create_api_token(&served.session(role), &new).unwrap();
    made.0.to_string()
}

fn with_token(served: &Served, method: Method, path: &str, body: &Value, token: &str) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json");
    served.send(
        request
            .body(axum::body::Body::from(body.to_string()))
            .unwrap(),
    )
}

#[test]
fn x1_a_search_is_paged_to_its_end_and_counts_agree() {
    let served = served();
    let (mut seen, mut cursor, mut pages) = (BTreeSet::new(), Value::Null, 0);
    loop {
        let body = json!({ "query": "shipment", "limit": 40, "cursor": cursor, "order": "oldest" });
        let page = post(&served, LAWYER, "/api/v1/search", &body);
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let page = page.json();
        for hit in page["items"].as_array().unwrap() {
            assert!(
                hit["snippets"][0]["text"]
                    .as_str()
                    .unwrap()
                    .contains(CANARY)
            );
            assert!(
                seen.insert(hit["id"].to_string()),
                "a hit stands on two pages"
            );
        }
        pages += 1;
        assert_eq!(page["total"]["relation"], "exact");
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            assert_eq!(page["total"]["value"], seen.len());
            break;
        }
    }
    assert!(pages >= 3, "{pages}");
    let query = json!({ "query": "shipment" });
    let count = post(&served, LAWYER, "/api/v1/search/count", &query).json();
    assert_eq!(count["total"]["value"], seen.len());
    let spread = post(&served, LAWYER, "/api/v1/search/facets", &query).json();
    for facet in spread["facets"].as_array().unwrap() {
        let values = facet["values"].as_array().unwrap();
        let sum: u64 = values
            .iter()
            .map(|one| one["count"].as_u64().unwrap())
            .sum();
        assert_eq!(sum, seen.len() as u64, "{}", facet["field"]);
    }
    // A mark belongs to the query and the asker it was given to.
    let body = json!({ "query": "shipment", "limit": 1 });
    let mark = post(&served, LAWYER, "/api/v1/search", &body).json()["next_cursor"].clone();
    for (who, query) in [(OFFICER, "shipment"), (LAWYER, "agreed")] {
        let body = json!({ "query": query, "cursor": mark });
        let answer = post(&served, who, "/api/v1/search", &body);
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.body);
    }
}

#[test]
fn x1_lists_are_paged_by_marks_that_belong_to_one_person_and_list() {
    let served = served();
    let first = read(&served, LAWYER, "/api/v1/conversations?limit=1").json();
    assert_eq!(first["total"], json!({ "value": 2, "relation": "exact" }));
    let mark = first["next_cursor"].as_str().unwrap();
    let path = format!("/api/v1/conversations?limit=1&cursor={mark}");
    let second = read(&served, LAWYER, &path).json();
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    assert!(second["next_cursor"].is_null());
    for (who, path) in [
        (OFFICER, path.as_str()),
        (LAWYER, &path.replace("conversations", "imports")),
        (LAWYER, "/api/v1/conversations?cursor=wrong"),
        (LAWYER, "/api/v1/conversations?limit=0"),
        (LAWYER, "/api/v1/conversations?page=2"),
    ] {
        let answer = read(&served, who, path);
        assert_eq!(
            answer.status,
            StatusCode::BAD_REQUEST,
            "{path}: {}",
            answer.body
        );
    }
    // The manager sees the one conversation that was granted.
    let seen = read(&served, Who::Person(Role::Manager), "/api/v1/conversations").json();
    assert_eq!(seen["total"]["value"], 1);
}

#[test]
fn x1_what_is_hidden_and_what_is_absent_are_answered_alike() {
    let served = served();
    let manager = Who::Person(Role::Manager);
    let all = read(&served, LAWYER, "/api/v1/conversations").json();
    let seen = &read(&served, manager, "/api/v1/conversations").json()["items"][0]["id"];
    let items = all["items"].as_array().unwrap();
    let hidden = items.iter().find(|one| one["id"] != *seen).unwrap();
    let hidden = hidden["id"].as_str().unwrap();
    let answers = [hidden, "cnv_00000000000000000000000000", "hld_0", "x"].map(|id| {
        let path = format!("/api/v1/conversations/{id}/messages");
        let answer = read(&served, manager, &path);
        // The way that was asked is the asker's own.
        (answer.status, answer.body.replace(&path, ""))
    });
    assert_eq!(answers[0].0, StatusCode::NOT_FOUND);
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}

#[test]
fn x1_the_same_key_is_done_once() {
    let served = served();
    let count = || read(&served, LAWYER, "/api/v1/matters").json()["total"]["value"].clone();
    let body = json!({ "name": "Acme", "reference": "A-1" });
    let missing = post(&served, LAWYER, "/api/v1/matters", &body);
    assert_eq!(missing.status, StatusCode::BAD_REQUEST);
    assert_eq!(missing.json()["type"], "/problems/idempotency-key");
    let before = count();
    let first = keyed(&served, LAWYER, "/api/v1/matters", &body, "k-1");
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = keyed(&served, LAWYER, "/api/v1/matters", &body, "k-1");
    assert_eq!(again.status, StatusCode::CREATED);
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!((&again.body, tag(&again)), (&first.body, tag(&first)));
    let other = json!({ "name": "Other" });
    let other = keyed(&served, LAWYER, "/api/v1/matters", &other, "k-1");
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(count().as_u64(), before.as_u64().map(|before| before + 1));
    // A refused act leaves its key free: nothing was done.
    let wrong = keyed(
        &served,
        LAWYER,
        "/api/v1/matters",
        &json!({ "name": "" }),
        "k-2",
    );
    assert!(wrong.status.is_client_error());
    let right = keyed(
        &served,
        LAWYER,
        "/api/v1/matters",
        &json!({ "name": "Late" }),
        "k-2",
    );
    assert_eq!(right.status, StatusCode::CREATED, "{}", right.body);
}

#[test]
fn x1_a_change_needs_the_state_that_was_seen() {
    let served = served();
    let path = format!("/api/v1/policies/{}", served.ids["policies"]);
    let draft = json!({
        "name": "chats", "scope": "*", "action": "retain", "period": "P9Y", "reason": "new law",
    });
    let put =
        |seen: &[(&str, &str)]| served.api_with(OFFICER, Method::PUT, &path, Some(&draft), seen);
    assert_eq!(put(&[]).status, StatusCode::PRECONDITION_REQUIRED);
    let seen = read(&served, OFFICER, &path);
    assert_eq!(seen.json()["period"], "P7Y");
    let changed = put(&[("if-match", &tag(&seen))]);
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.json()["period"], "P9Y");
    let stale = put(&[("if-match", &tag(&seen))]);
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(stale.json()["current"], changed.json(), "{}", stale.body);
    assert_eq!(tag(&changed), tag(&read(&served, OFFICER, &path)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "three lives, told step by step")]
fn x1_policy_hold_and_user_live_their_lives_over_the_api() {
    let served = served();
    let policy = format!("/api/v1/policies/{}", served.ids["policies"]);
    let tried = keyed(
        &served,
        OFFICER,
        &format!("{policy}/simulations"),
        &json!({}),
        "s",
    );
    let job = over(&served, OFFICER, &tried);
    let details = &job["result"]["details"];
    assert!(details["records"].as_u64().unwrap() > 100, "{job}");
    let change = |who: Who, path: &str, body: Value| {
        let seen = tag(&read(&served, who, path));
        served.api_with(
            who,
            Method::PATCH,
            path,
            Some(&body),
            &[("if-match", &seen)],
        )
    };
    let enabled = change(
        OFFICER,
        &policy,
        json!({ "state": "enabled", "reason": "board" }),
    );
    assert_eq!(enabled.status, StatusCode::OK, "{}", enabled.body);
    assert!(
        enabled.json()["policy"]["in_force"].is_u64(),
        "{}",
        enabled.body
    );

    let hold = json!({
        "matter": served.ids["matters"], "name": "letter", "reason": "claim",
        "target": { "conversation": served.ids["c"] },
    });
    let placed = keyed(&served, LAWYER, "/api/v1/holds", &hold, "h");
    assert_eq!(placed.status, StatusCode::CREATED, "{}", placed.body);
    let path = format!("/api/v1/holds/{}", placed.json()["id"].as_str().unwrap());
    let asked = change(
        LAWYER,
        &path,
        json!({ "state": "released", "reason": "settled" }),
    );
    assert_eq!(
        asked.json()["hold"]["state"],
        "release_requested",
        "{}",
        asked.body
    );
    let alone = change(
        LAWYER,
        &path,
        json!({ "state": "released", "reason": "settled" }),
    );
    assert_eq!(
        alone.status,
        StatusCode::CONFLICT,
        "one person is not two: {}",
        alone.body
    );
    let released = change(
        OFFICER,
        &path,
        json!({ "state": "released", "reason": "agreed" }),
    );
    assert_eq!(
        released.json()["hold"]["state"],
        "grace",
        "{}",
        released.body
    );

    let new = json!({ "login": "new", "role": "manager", "password": "long enough to keep" });
    let added = keyed(&served, ADMINISTRATOR, "/api/v1/users", &new, "u");
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    assert!(!added.body.contains("long enough"));
    let grants = json!({ "grants": [{ "kind": "conversation", "conversation": served.ids["c"] }] });
    let granted = change(ADMINISTRATOR, "/api/v1/users/new", grants.clone());
    assert_eq!(
        granted.json()["grants"],
        grants["grants"],
        "{}",
        granted.body
    );
    let ended = change(
        ADMINISTRATOR,
        "/api/v1/users/new",
        json!({ "enabled": false }),
    );
    assert_eq!(ended.json()["enabled"], false, "{}", ended.body);
}

#[test]
fn x1_a_token_does_what_its_scopes_carry_and_no_more() {
    let served = served();
    let token = narrow(&served, Role::RecordsOfficer, &[ApiScope::PolicyRead]);
    let get = |path: &str| with_token(&served, Method::GET, path, &Value::Null, &token).status;
    assert_eq!(get("/api/v1/policies"), StatusCode::OK);
    assert_eq!(get("/api/v1/holds"), StatusCode::OK);
    for path in ["/api/v1/conversations", "/api/v1/audit", "/api/v1/imports"] {
        assert_eq!(get(path), StatusCode::FORBIDDEN, "{path}");
    }
    let search = json!({ "query": "shipment" });
    let refused = with_token(&served, Method::POST, "/api/v1/search", &search, &token);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(!refused.body.contains(CANARY));
    // Every operation says a scope that lets a token pass where the role may.
    let document: Value = serde_json::from_str(&wordkeep::http::openapi()).unwrap();
    for (path, item) in document["paths"].as_object().unwrap() {
        let Some(scope) = item["get"]["x-scope"].as_str() else {
            continue;
        };
        let scope: ApiScope = scope.parse().unwrap();
        let role = Role::ALL
            .into_iter()
            .find(|role| scope.fits(*role))
            .unwrap();
        let token = narrow(&served, role, &[scope]);
        let id = served.ids.get(path.split('/').nth(3).unwrap());
        let path = path
            .replace("{id}", id.map_or("", String::as_str))
            .replace("{login}", "man")
            .replace("{no}", "1");
        let path = path.replace("{name}", "chat.txt");
        let status = with_token(&served, Method::GET, &path, &Value::Null, &token).status;
        let passed = matches!(status, StatusCode::OK | StatusCode::NOT_FOUND);
        assert!(passed, "{path} with {scope}: {status}");
    }
}

#[test]
fn x1_too_many_requests_are_told_when_to_come_again() {
    let served = served();
    let token = narrow(&served, Role::Auditor, &[ApiScope::AuditRead]);
    let ask = || {
        let path = "/api/v1/audit?limit=0";
        with_token(&served, Method::GET, path, &Value::Null, &token)
    };
    let over = (0..2_000)
        .map(|_| ask())
        .find(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS);
    let over = over.expect("a limit");
    let seconds: u64 = over.headers[header::RETRY_AFTER]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    assert_eq!(over.json()["type"], "/problems/too-often");
    // The bucket is that token's: others go on.
    let other = read(&served, Who::Person(Role::Auditor), "/api/v1/audit?limit=1");
    assert_eq!(other.status, StatusCode::OK);
}

#[test]
fn x1_problems_say_what_and_where() {
    let served = served();
    let wrong = post(
        &served,
        LAWYER,
        "/api/v1/search",
        &json!({ "query": "(a AND" }),
    );
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(wrong.kind(), "application/problem+json");
    let problem = wrong.json();
    assert_eq!(problem["type"], "/problems/query-syntax");
    assert!(problem["errors"][0]["span"].is_array(), "{problem}");
    let path = "/api/v1/query/check";
    for (body, kind, status) in [
        ("{", "application/json", StatusCode::BAD_REQUEST),
        ("{\"query\":1}", "application/json", StatusCode::BAD_REQUEST),
        (
            "{\"query\":\"a\"}",
            "text/plain",
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
    ] {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", served.token(Role::Lawyer)),
            )
            .header(header::CONTENT_TYPE, kind);
        let answer = served.send(request.body(axum::body::Body::from(body)).unwrap());
        assert_eq!(answer.status, status, "{body}");
        assert_eq!(answer.kind(), "application/problem+json", "{body}");
    }
}

#[test]
fn x1_what_programs_read_is_logged_like_pages() {
    let served = served();
    let entries = |stem: &str| {
        let path = format!("/api/v1/audit?action={stem}&limit=1000");
        let page = read(&served, Who::Person(Role::Auditor), &path).json();
        page["items"].as_array().unwrap().len()
    };
    let (searches, views) = (entries("content.search"), entries("content.view"));
    let query = json!({ "query": "shipment" });
    let found = post(&served, LAWYER, "/api/v1/search", &query).json();
    assert!(found["audit"].as_u64().unwrap() > 0);
    post(&served, LAWYER, "/api/v1/search/count", &query);
    let path = format!("/api/v1/conversations/{}/messages?limit=3", served.ids["c"]);
    let slice = read(&served, LAWYER, &path).json();
    assert_eq!(slice["items"].as_array().unwrap().len(), 3);
    assert_eq!(entries("content.search"), searches + 2);
    assert_eq!(entries("content.view"), views + 1);
}
