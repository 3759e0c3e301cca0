//! An import of several files: one announcement, one job, a report for each; and whoever brought
//! something in sees it in their list.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use wordkeep::app::Grant;
use wordkeep::domain::Role;

use crate::house::{PASSWORD, count, import, ios_export, log_in, plain_chat};
use crate::served::{Answer, Served, Who, over, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
/// No day is above 12: which number is the month stays open.
const UNDECIDED: &str = "[02/03/24, 10:00:00] Ana Reis: quince one\n\
                         [02/03/24, 10:01:00] Bo Lund: quince two\n";

fn keyed(served: &Served, path: &str, body: &Value, key: &str) -> Answer {
    let key = [("idempotency-key", key)];
    served.api_with(LAWYER, Method::POST, path, Some(body), &key)
}

fn put(served: &Served, id: &str, name: &str, bytes: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/api/v1/imports/{id}/files/{name}"))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", served.token(Role::Lawyer)),
        );
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(request.body(Body::from(bytes.to_owned())).unwrap())
}

fn announce(served: &Served) -> String {
    let made = keyed(served, "/api/v1/imports", &json!({}), "announce");
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.json()["id"].as_str().unwrap().to_owned()
}

fn names(import: &Value) -> Vec<(String, String)> {
    let files = import["files"].as_array().unwrap().iter();
    files
        .map(|file| {
            let word = |field: &str| file[field].as_str().unwrap().to_owned();
            (word("name"), word("state"))
        })
        .collect()
}

#[test]
#[expect(clippy::too_many_lines, reason = "one import, told step by step")]
fn x1_several_files_are_one_import_with_a_report_for_each() {
    let served = served();
    let id = announce(&served);
    let (one, two) = (plain_chat("damson", 40), plain_chat("medlar", 25));
    assert_eq!(
        put(&served, &id, "one.txt", &one, &[]).status,
        StatusCode::OK
    );
    // The second comes in two parts, and HEAD says where to go on.
    let all = two.len();
    let range = format!("bytes 0-499/{all}");
    let first = put(
        &served,
        &id,
        "two.txt",
        &two[..500],
        &[("content-range", &range)],
    );
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    assert_eq!(first.json()["state"], "receiving");
    let path = format!("/api/v1/imports/{id}/files/two.txt");
    let asked = served.api(LAWYER, Method::HEAD, &path, None);
    assert_eq!(asked.headers["upload-offset"], "500");
    let early = keyed(
        &served,
        &format!("/api/v1/imports/{id}/runs"),
        &json!({}),
        "early",
    );
    assert_eq!(early.status, StatusCode::BAD_REQUEST, "{}", early.body);
    let range = format!("bytes 500-{}/{all}", all - 1);
    let rest = put(
        &served,
        &id,
        "two.txt",
        &two[500..],
        &[("content-range", &range)],
    );
    assert_eq!(rest.status, StatusCode::OK, "{}", rest.body);
    assert_eq!(
        put(&served, &id, "asks.txt", UNDECIDED, &[]).status,
        StatusCode::OK
    );
    assert_eq!(
        put(&served, &id, "none.txt", "no chat at all", &[]).status,
        StatusCode::OK
    );
    // Thrown away: its digest was another.
    let wrong = [(
        "repr-digest",
        "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
    )];
    let refused = put(&served, &id, "torn.txt", "x", &wrong);
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);

    let run = format!("/api/v1/imports/{id}/runs");
    let job = over(&served, LAWYER, &keyed(&served, &run, &json!({}), "1"));
    let details = &job["result"]["details"];
    assert_eq!(details["new"], 65, "{job}");
    let ends = details["files"].as_array().unwrap();
    assert_eq!(ends.len(), 4);
    assert_eq!(
        (&ends[0]["name"], &ends[0]["new"]),
        (&json!("one.txt"), &json!(40))
    );
    assert_eq!(
        (&ends[1]["name"], &ends[1]["new"]),
        (&json!("two.txt"), &json!(25))
    );
    assert_eq!(ends[2]["questions"][0]["field"], "date_order");
    assert!(ends[3]["refused"].is_string(), "{job}");
    let stands = served.api(LAWYER, Method::GET, &format!("/api/v1/imports/{id}"), None);
    let expected = [
        ("one.txt", "done"),
        ("two.txt", "done"),
        ("asks.txt", "asking"),
        ("none.txt", "refused"),
    ];
    let expected = expected.map(|(name, state)| (name.to_owned(), state.to_owned()));
    assert_eq!(names(&stands.json()), expected);
    assert_eq!(stands.json()["state"], "asking");
    // Each has a report of its own.
    for end in &ends[..2] {
        let path = format!("/api/v1/imports/{}", end["import"].as_str().unwrap());
        let report = served.api(LAWYER, Method::GET, &path, None);
        assert_eq!(report.json()["new"], end["new"], "{}", report.body);
    }

    // What asked is answered by itself; what was imported is not touched again.
    let said = json!({ "date_order": "dmy", "only": ["asks.txt"] });
    let job = over(&served, LAWYER, &keyed(&served, &run, &said, "2"));
    assert_eq!(job["result"]["details"]["new"], 2, "{job}");
    assert_eq!(
        job["result"]["details"]["files"].as_array().unwrap().len(),
        1
    );
    let unknown = keyed(&served, &run, &json!({ "only": ["nothing.txt"] }), "3");
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    let (app, law) = (&served.court.appliance, &served.court.law);
    assert_eq!(count(app, law, "shipment (damsonword* OR medlarword*)"), 65);
    assert_eq!(count(app, law, "quince"), 2);
}

#[test]
fn x1_who_brought_something_in_sees_it_with_few_grants_too() {
    let served = served();
    let app = &served.court.appliance;
    let seen: wordkeep::domain::ConversationId = served.ids["c"].parse().unwrap();
    app.add_user(&served.court.root, "few", Role::Lawyer, PASSWORD, &[])
        .unwrap();
    app.set_grants(&served.court.root, "few", &[Grant::Conversation(seen)])
        .unwrap();
    let few = log_in(app, "few");
    let before = app.imports(&few).unwrap().len();
    let folder = served.court.dir.path().join("mine");
    std::fs::create_dir_all(&folder).unwrap();
    let path = ios_export(&folder, "Mine", &plain_chat("rowan", 12), &[]);
    let mine = import(app, &few, &path).unwrap().id.unwrap();
    let other = ios_export(&folder, "Other", &plain_chat("sloe", 12), &[]);
    let other = import(app, &served.court.rec, &other).unwrap().id.unwrap();
    let listed = app.imports(&few).unwrap();
    assert_eq!(listed.len(), before + 1);
    assert!(listed.iter().any(|line| line.row.id == mine));
    assert!(listed.iter().all(|line| line.row.id != other));
    // The list shows what they did, and not what others wrote: its messages stay outside their sight.
    assert_eq!(count(app, &few, "rowanword1"), 0);
}
