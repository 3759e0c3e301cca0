//! Long acts as programs meet them: files sent in parts, questions answered, jobs followed, listened to,
//! cancelled, told after a restart; exports made, fetched, verified.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wordkeep::app::export::verify_bundle;
use wordkeep::app::{HoldTarget, LogRequest, VerifyRequest};
use wordkeep::audit::Verdict;
use wordkeep::crypto::sha256;
use wordkeep::domain::{HoldId, Role};
use wordkeep::http::{House, HouseOptions, router};

use crate::house::{count, plain_chat};
use crate::served::{Answer, CANARY, Served, Who, over, served, settled};

const LAWYER: Who = Who::Person(Role::Lawyer);
const OFFICER: Who = Who::Person(Role::RecordsOfficer);
const ADMINISTRATOR: Who = Who::Person(Role::Administrator);
const AUDITOR: Who = Who::Person(Role::Auditor);
/// No day is above 12: which number is the month stays open.
const UNDECIDED: &str = "[02/03/24, 10:00:00] Ana Reis: quince one\n\
                         [02/03/24, 10:01:00] Bo Lund: quince two\n\
                         [03/03/24, 10:02:00] Ana Reis: quince three\n";

fn keyed(served: &Served, who: Who, path: &str, body: &Value, key: &str) -> Answer {
    let key = [("idempotency-key", key)];
    served.api_with(who, Method::POST, path, Some(body), &key)
}

fn announce(served: &Served, who: Who, key: &str) -> String {
    let made = keyed(served, who, "/api/v1/imports", &json!({}), key);
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.json()["state"], "receiving");
    made.json()["id"].as_str().unwrap().to_owned()
}

/// Sends bytes to an announced import.
fn send(served: &Served, who: Who, id: &str, bytes: &[u8], headers: &[(&str, &str)]) -> Answer {
    let Who::Person(role) = who else {
        panic!("somebody sends it");
    };
    let mut request = Request::builder()
        .method(Method::PUT)
        .uri(format!("/api/v1/imports/{id}/files/chat.txt"))
        .header(
            header::AUTHORIZATION,
            format!("Bearer {}", served.token(role)),
        );
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(request.body(Body::from(bytes.to_vec())).unwrap())
}

fn offset(served: &Served, who: Who, id: &str) -> HeaderMap {
    let path = format!("/api/v1/imports/{id}/files/chat.txt");
    let answer = served.api(who, Method::HEAD, &path, None);
    assert_eq!(answer.status, StatusCode::OK);
    answer.headers
}

fn digest_of(bytes: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(sha256(bytes)))
}

fn found(served: &Served, query: &str) -> u64 {
    count(&served.court.appliance, &served.court.law, query)
}

fn entries(served: &Served, action: &str) -> usize {
    let request = LogRequest {
        action: Some(action.to_owned()),
        ..LogRequest::default()
    };
    let page = served.court.appliance.read_log(&served.court.rec, &request);
    page.unwrap().lines.len()
}

#[test]
fn x3_a_file_is_sent_in_parts_resumed_checked_and_imported() {
    let served = served();
    let chat = plain_chat("damson", 90);
    let (bytes, all) = (chat.as_bytes(), chat.len());
    let id = announce(&served, LAWYER, "a");
    assert_eq!(offset(&served, LAWYER, &id)["upload-offset"], "0");
    let range = format!("bytes 0-999/{all}");
    let first = send(
        &served,
        LAWYER,
        &id,
        &bytes[..1_000],
        &[("content-range", &range)],
    );
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.body);
    // A part that breaks off: what arrived is kept, and HEAD says where to go on.
    let range = format!("bytes 1000-2999/{all}");
    let torn = send(
        &served,
        LAWYER,
        &id,
        &bytes[1_000..1_800],
        &[("content-range", &range)],
    );
    assert_eq!(torn.status, StatusCode::BAD_REQUEST, "{}", torn.body);
    let here = offset(&served, LAWYER, &id);
    assert_eq!(here["upload-offset"], "1800");
    assert_eq!(here["upload-complete"], "?0");
    // Again from the start, with a hole, with another length: nothing is written.
    for wrong in [
        format!("bytes 0-999/{all}"),
        format!("bytes 2000-2999/{all}"),
        format!("bytes 1800-2799/{}", all + 1),
    ] {
        let answer = send(
            &served,
            LAWYER,
            &id,
            &bytes[..1_000],
            &[("content-range", &wrong)],
        );
        assert_eq!(answer.status, StatusCode::CONFLICT, "{wrong}");
        assert_eq!(answer.json()["current"]["received"], 1_800);
    }
    let run = format!("/api/v1/imports/{id}/runs");
    not_yet(&served, &id, &run);
    let directory = served.court.appliance.archive().store().directory();
    let range = format!("bytes 1800-{}/{all}", all - 1);
    let digest = digest_of(bytes);
    let headers = [("content-range", range.as_str()), ("repr-digest", &digest)];
    let last = send(&served, LAWYER, &id, &bytes[1_800..], &headers);
    assert_eq!(last.status, StatusCode::OK, "{}", last.body);
    assert_eq!(last.headers["repr-digest"], digest.as_str());
    assert_eq!(last.json()["state"], "here");
    assert_eq!(offset(&served, LAWYER, &id)["upload-complete"], "?1");
    assert_eq!(directory.files_with(&["damsonword"]).unwrap(), 0);
    let tried = keyed(&served, LAWYER, &run, &json!({ "dry_run": true }), "dry");
    let job = over(&served, LAWYER, &tried);
    assert_eq!(job["result"]["details"]["new"], 90, "{job}");
    assert_eq!(found(&served, "damsonword7"), 0);
    let done = keyed(&served, LAWYER, &run, &json!({}), "run");
    let job = over(&served, LAWYER, &done);
    assert_eq!(job["state"], "done", "{job}");
    let import = job["result"]["details"]["import"].as_str().unwrap();
    let report = served.api(
        LAWYER,
        Method::GET,
        &format!("/api/v1/imports/{import}"),
        None,
    );
    assert_eq!(report.json()["new"], 90);
    assert_eq!(found(&served, "damsonword7"), 1);
    same_run(&served, &run, &done);
}

/// The same key is the same run.
fn same_run(served: &Served, run: &str, done: &Answer) {
    let again = keyed(served, LAWYER, run, &json!({}), "run");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(again.location(), done.location());
}

/// It cannot be run yet, and nobody else sees it.
fn not_yet(served: &Served, id: &str, run: &str) {
    let early = keyed(served, LAWYER, run, &json!({}), "early");
    assert_eq!(early.status, StatusCode::BAD_REQUEST);
    let hidden = served.api(OFFICER, Method::GET, &format!("/api/v1/imports/{id}"), None);
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
}

#[test]
fn x3_a_file_that_is_not_what_was_sent_is_thrown_away() {
    let served = served();
    let chat = plain_chat("medlar", 5);
    let id = announce(&served, LAWYER, "a");
    let wrong = digest_of(b"something else");
    let refused = send(
        &served,
        LAWYER,
        &id,
        chat.as_bytes(),
        &[("repr-digest", &wrong)],
    );
    assert_eq!(
        refused.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "{}",
        refused.body
    );
    assert_eq!(refused.json()["type"], "/problems/digest");
    assert_eq!(offset(&served, LAWYER, &id)["upload-offset"], "0");
    let right = digest_of(chat.as_bytes());
    let sent = send(
        &served,
        LAWYER,
        &id,
        chat.as_bytes(),
        &[("repr-digest", &right)],
    );
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
    // A name is never a path, and no file is empty.
    for (id, name, status) in [
        (id.as_str(), "other.txt", StatusCode::BAD_REQUEST),
        (
            &announce(&served, LAWYER, "b"),
            "a%2Fb.txt",
            StatusCode::BAD_REQUEST,
        ),
        (
            "imp_00000000000000000000000000",
            "a.txt",
            StatusCode::NOT_FOUND,
        ),
    ] {
        let path = format!("/api/v1/imports/{id}/files/{name}");
        let answer = served.api(LAWYER, Method::PUT, &path, None);
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[test]
fn x3_questions_come_back_and_are_answered_by_another_run() {
    let served = served();
    let id = announce(&served, ADMINISTRATOR, "a");
    let sent = send(&served, ADMINISTRATOR, &id, UNDECIDED.as_bytes(), &[]);
    assert_eq!(sent.status, StatusCode::OK, "{}", sent.body);
    let run = format!("/api/v1/imports/{id}/runs");
    let asked = keyed(&served, ADMINISTRATOR, &run, &json!({}), "1");
    let job = over(&served, ADMINISTRATOR, &asked);
    let question = &job["result"]["details"]["questions"][0];
    assert_eq!(question["field"], "date_order", "{job}");
    let answers: Vec<&str> = question["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["answer"].as_str().unwrap())
        .collect();
    assert!(
        answers.contains(&"dmy") && answers.contains(&"mdy"),
        "{answers:?}"
    );
    let stands = served.api(
        ADMINISTRATOR,
        Method::GET,
        &format!("/api/v1/imports/{id}"),
        None,
    );
    assert_eq!(stands.json()["state"], "asking");
    assert_eq!(stands.json()["questions"][0]["field"], "date_order");
    assert_eq!(found(&served, "quince"), 0);
    let wrong = keyed(
        &served,
        ADMINISTRATOR,
        &run,
        &json!({ "date_order": "x" }),
        "2",
    );
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    let said = json!({ "date_order": "dmy" });
    let answered = keyed(&served, ADMINISTRATOR, &run, &said, "3");
    let job = over(&served, ADMINISTRATOR, &answered);
    assert_eq!(job["result"]["details"]["new"], 3, "{job}");
    assert_eq!(found(&served, "quince date:2024-03"), 3);
    // What is announced can be thrown away, by whoever saw how it stands.
    let path = format!("/api/v1/imports/{id}");
    let bare = served.api(ADMINISTRATOR, Method::DELETE, &path, None);
    assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED);
    let seen = served.api(ADMINISTRATOR, Method::GET, &path, None);
    let tag = [("if-match", seen.headers[header::ETAG].to_str().unwrap())];
    let gone = served.api_with(ADMINISTRATOR, Method::DELETE, &path, None, &tag);
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.body);
    let gone = served.api(ADMINISTRATOR, Method::GET, &path, None);
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[test]
fn x3_a_job_is_listened_to_until_it_is_over_and_seen_by_its_owner_alone() {
    let served = served();
    let new = json!({ "query": "shipment", "reason": "claim of Acme" });
    let started = keyed(&served, LAWYER, "/api/v1/exports", &new, "e");
    assert_eq!(started.status, StatusCode::ACCEPTED, "{}", started.body);
    let events = format!("{}/events", started.location());
    let told = served.api(LAWYER, Method::GET, &events, None);
    assert_eq!(told.kind(), "text/event-stream");
    let last = told.body.trim_end().rsplit("\n\n").next().unwrap();
    let data = last.split_once("data: ").unwrap().1;
    let last: Value = serde_json::from_str(data).unwrap();
    assert_eq!(last["state"], "done", "{}", told.body);
    let shown = served.api(LAWYER, Method::GET, started.location(), None);
    assert_eq!(shown.json(), last);
    for path in [started.location(), events.as_str()] {
        let hidden = served.api(OFFICER, Method::GET, path, None);
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
    }
    let cancel = format!("{}/cancel", started.location());
    let hidden = served.api(OFFICER, Method::POST, &cancel, None);
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    // What is over stays as it ended.
    let late = served.api(LAWYER, Method::POST, &cancel, None);
    assert_eq!(late.json()["state"], "done");
}

#[test]
fn x3_whoever_loses_the_token_is_cut_off_from_the_stream() {
    let served = served();
    // While somebody else writes, the job waits: its listener hears that, and nothing more.
    let store = served.court.appliance.archive().store();
    let writing = store.write().unwrap();
    let started = served.post_form(ADMINISTRATOR, "/system/index/verify", &[]);
    assert_eq!(started.status, StatusCode::SEE_OTHER, "{}", started.body);
    let token = served.token(Role::Administrator);
    let listen = || {
        let request = Request::builder()
            .uri(format!("/api/v1{}/events", started.location()))
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        served.begin(request.body(Body::empty()).unwrap())
    };
    let listeners: Vec<_> = (0..6).map(|_| listen()).collect();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert!(listeners.iter().all(|listener| !listener.is_finished()));
    let one_more = served.ended(listen());
    assert_eq!(one_more.status, StatusCode::TOO_MANY_REQUESTS);
    // The token ends: within a second so do the streams.
    served.court.clock.days(2);
    let began = std::time::Instant::now();
    for listener in listeners {
        let heard = served.ended(listener);
        assert_eq!(heard.status, StatusCode::OK);
        assert_eq!(
            heard.body.matches("event: job").count(),
            1,
            "{}",
            heard.body
        );
        assert!(
            heard.body.contains("\"state\":\"waiting\""),
            "{}",
            heard.body
        );
    }
    assert!(began.elapsed().as_millis() < 2_000, "{:?}", began.elapsed());
    drop(writing);
}

#[test]
fn x3_what_the_end_of_the_server_cut_off_is_told_as_that() {
    let served = served();
    let app = &served.court.appliance;
    let id = app.mint_job();
    let owner = served.session(Role::Lawyer).actor.no;
    app.job_began(owner, id, "Import").unwrap();
    let shown = served.api(LAWYER, Method::GET, &format!("/api/v1/jobs/{id}"), None);
    assert_eq!(shown.json()["state"], "interrupted", "{}", shown.body);
    assert!(
        shown.json()["saved"]
            .as_str()
            .unwrap()
            .contains("start it again")
    );
    let page = served.get(LAWYER, &format!("/jobs/{id}"));
    assert!(page.body.contains("Interrupted"), "{}", page.body);
    let list = served.get(LAWYER, "/jobs");
    assert!(list.body.contains("interrupted"), "{}", list.body);
}

#[test]
fn x3_how_a_job_ended_is_told_after_a_restart() {
    let served = served();
    let path = "/api/v1/holds/preview";
    let started = keyed(&served, LAWYER, path, &json!({ "query": "shipment" }), "p");
    let job = over(&served, LAWYER, &started);
    let words = json!({ "query": "shipment", "accept": ["nonsense"] });
    let refused = keyed(&served, LAWYER, path, &words, "q");
    let refused_job = over(&served, LAWYER, &refused);
    assert_eq!(refused_job["state"], "refused", "{refused_job}");
    // Its end is written down a moment after it is told.
    let kept = || {
        served
            .court
            .appliance
            .kept_jobs(&served.session(Role::Lawyer))
    };
    while kept()
        .unwrap()
        .iter()
        .filter(|job| job.end.is_some())
        .count()
        < 2
    {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    // Another server on the same archive knows nothing but what was kept.
    let house = House::open(Arc::clone(&served.court.appliance), HouseOptions::default());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (started, before) in [(&started, &job), (&refused, &refused_job)] {
        let request = Request::builder()
            .uri(started.location())
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", served.token(Role::Lawyer)),
            )
            .body(Body::empty())
            .unwrap();
        let answer = runtime.block_on(router(&house).oneshot(request)).unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = runtime
            .block_on(to_bytes(answer.into_body(), 1 << 20))
            .unwrap();
        let after: Value = serde_json::from_slice(&body).unwrap();
        for field in ["id", "title", "state", "result", "problem", "warnings"] {
            assert_eq!(after[field], before[field], "{field}");
        }
    }
    let directory = served.court.appliance.archive().store().directory();
    assert_eq!(directory.files_with(&["shipment"]).unwrap(), 0);
}

fn fetched(served: &Served, who: Who, path: &str) -> (Answer, Vec<u8>) {
    let Who::Person(role) = who else {
        panic!("somebody fetches it");
    };
    let request = Request::builder().uri(path).header(
        header::AUTHORIZATION,
        format!("Bearer {}", served.token(role)),
    );
    served.send_bytes(request.body(Body::empty()).unwrap())
}

#[test]
fn x4_an_export_is_made_fetched_logged_and_verifies() {
    let served = served();
    let new = json!({ "query": "shipment", "reason": "claim of Acme", "matter": "NW-1" });
    for wrong in [
        json!({ "query": "shipment", "reason": " " }),
        json!({ "query": "(shipment", "reason": "claim" }),
        json!({ "query": "shipment", "reason": "claim", "context": 51 }),
    ] {
        let refused = keyed(&served, LAWYER, "/api/v1/exports", &wrong, "w");
        assert_eq!(
            refused.status,
            StatusCode::BAD_REQUEST,
            "{wrong}: {}",
            refused.body
        );
    }
    let started = keyed(&served, LAWYER, "/api/v1/exports", &new, "e");
    let job = over(&served, LAWYER, &started);
    let details = &job["result"]["details"];
    let hits = found(&served, "shipment");
    assert_eq!(details["messages"], hits, "{job}");
    let path = format!("/api/v1/exports/{}", details["export"].as_str().unwrap());
    let file = format!("{path}/file");
    // Nobody else fetches it, whatever they may.
    for who in [OFFICER, AUDITOR] {
        assert_eq!(
            served.api(who, Method::GET, &file, None).status,
            StatusCode::NOT_FOUND
        );
    }
    let before = entries(&served, "export.take");
    let (answer, bytes) = fetched(&served, LAWYER, &file);
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.kind(), "application/x-tar");
    assert_eq!(
        answer.headers[header::CONTENT_LENGTH],
        bytes.len().to_string().as_str()
    );
    assert_eq!(answer.headers["repr-digest"], digest_of(&bytes).as_str());
    assert_eq!(entries(&served, "export.take"), before + 1);
    verified(&served, &bytes);
    // It lies sealed, and what the disk shows of it is nothing.
    let directory = served.court.appliance.archive().store().directory();
    assert_eq!(directory.files_with(&[CANARY]).unwrap(), 0);
    let list = served
        .api(LAWYER, Method::GET, "/api/v1/exports", None)
        .json();
    assert_eq!(list["total"]["value"], 1);
    let seen = served.api(LAWYER, Method::GET, &path, None);
    let tag = [("if-match", seen.headers[header::ETAG].to_str().unwrap())];
    let gone = served.api_with(LAWYER, Method::DELETE, &path, None, &tag);
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(
        served.api(LAWYER, Method::GET, &file, None).status,
        StatusCode::NOT_FOUND
    );
}

/// The bundle holds: as anybody finds who knows the key of the log.
fn verified(served: &Served, bytes: &[u8]) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle.tar");
    std::fs::write(&path, bytes).unwrap();
    let request = VerifyRequest {
        key: Some(served.court.appliance.vkey_line().trim().to_owned()),
        anchors: Vec::new(),
        sample: 0,
    };
    let report = verify_bundle(&path, dir.path(), &request).unwrap();
    assert_eq!(report.verdict, Verdict::Sound, "{report:?}");
}

#[test]
fn x4_who_sees_less_than_before_has_to_export_again() {
    let served = served();
    let new = json!({ "query": "shipment", "reason": "claim of Acme" });
    let started = keyed(&served, LAWYER, "/api/v1/exports", &new, "e");
    let job = over(&served, LAWYER, &started);
    let export = job["result"]["details"]["export"].as_str().unwrap();
    let app = &served.court.appliance;
    let conversation = served.ids["c"].parse().unwrap();
    app.set_grants(
        &served.court.root,
        "law",
        &[wordkeep::app::Grant::Conversation(conversation)],
    )
    .unwrap();
    let file = format!("/api/v1/exports/{export}/file");
    let refused = served.api(LAWYER, Method::GET, &file, None);
    assert_ne!(refused.status, StatusCode::OK);
    assert!(!refused.body.contains(CANARY));
}

#[test]
fn x4_the_pages_export_with_a_reason_and_the_bundle_is_fetched() {
    let served = served();
    let asked = served.post_form(LAWYER, "/search", &[("query", "shipment")]);
    let search = asked.location().to_owned();
    let hits = served.get(LAWYER, &search);
    assert!(
        hits.body.contains(&format!("{search}/export")),
        "{}",
        hits.body
    );
    let manager = Who::Person(Role::Manager);
    let theirs = served.post_form(manager, "/search", &[("query", "shipment")]);
    assert!(
        !served
            .get(manager, theirs.location())
            .body
            .contains("/export\"")
    );
    let form = format!("{search}/export");
    assert_eq!(served.get(LAWYER, &form).status, StatusCode::OK);
    let bare = served.post_form(LAWYER, &form, &[("reason", "")]);
    assert_eq!(bare.status, StatusCode::BAD_REQUEST);
    assert!(bare.body.contains("role=\"alert\""), "{}", bare.body);
    let begun = served.post_form(LAWYER, &form, &[("reason", "claim of Acme")]);
    assert!(begun.location().starts_with("/jobs/job_"), "{}", begun.body);
    let page = settled(&served, LAWYER, begun.location());
    let (_, way) = page.body.split_once("href=\"/exports/exp_").unwrap();
    let way = format!("/exports/exp_{}", &way[..26]);
    let export = served.get(LAWYER, &way);
    assert!(export.body.contains("SHA-256"), "{}", export.body);
    assert!(served.get(LAWYER, "/exports").body.contains(&way));
    assert_eq!(served.get(OFFICER, &way).status, StatusCode::NOT_FOUND);
    assert!(!served.get(OFFICER, "/exports").body.contains(&way));
    let request = served.request(LAWYER, &Method::GET, &format!("{way}/file"));
    let (answer, bytes) = served.send_bytes(request.body(Body::empty()).unwrap());
    assert_eq!(answer.status, StatusCode::OK);
    verified(&served, &bytes);
    let named = answer.headers[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap();
    assert!(
        named.starts_with("attachment; filename=\"wordkeep-exp_"),
        "{named}"
    );
    served.post_form(LAWYER, &format!("{way}/discard"), &[]);
    assert_eq!(served.get(LAWYER, &way).status, StatusCode::NOT_FOUND);
}

#[test]
fn x4_the_log_is_exported_by_who_may_read_it() {
    let served = served();
    let refused = keyed(&served, LAWYER, "/api/v1/audit/exports", &json!({}), "l");
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let before = entries(&served, "log.export");
    let started = keyed(&served, AUDITOR, "/api/v1/audit/exports", &json!({}), "l");
    let job = over(&served, AUDITOR, &started);
    let export = job["result"]["details"]["export"].as_str().unwrap();
    let (answer, bytes) = fetched(&served, AUDITOR, &format!("/api/v1/exports/{export}/file"));
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(entries(&served, "log.export"), before + 2);
    for name in ["checkpoint", "vkey"] {
        let found = bytes
            .chunks(512)
            .any(|block| block.starts_with(name.as_bytes()));
        assert!(found, "{name}");
    }
    let begun = served.post_form(AUDITOR, "/audit/export", &[]);
    let page = settled(&served, AUDITOR, begun.location());
    assert!(page.body.contains("/exports/exp_"), "{}", page.body);
}

#[test]
fn x5_events_and_labels_over_the_api_are_those_of_the_commands() {
    let served = served();
    let happened = json!({
        "kind": "employee_left", "key": "emp42", "at": "2024-03-01T00:00:00Z", "reason": "HR list",
    });
    let recorded = keyed(&served, OFFICER, "/api/v1/events", &happened, "e");
    assert_eq!(recorded.status, StatusCode::CREATED, "{}", recorded.body);
    let no = recorded.json()["number"].as_u64().unwrap();
    let mut corrected = happened.clone();
    corrected["corrects"] = json!(no);
    corrected["at"] = json!("2024-04-01T00:00:00Z");
    let again = keyed(&served, OFFICER, "/api/v1/events", &corrected, "f");
    assert_eq!(again.status, StatusCode::CREATED, "{}", again.body);
    corrected["corrects"] = json!(99);
    let none = keyed(&served, OFFICER, "/api/v1/events", &corrected, "g");
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    let listed = served
        .api(AUDITOR, Method::GET, "/api/v1/events", None)
        .json();
    let lines = served.court.appliance.events(&served.court.rec).unwrap();
    assert_eq!(listed["total"]["value"], lines.len());
    assert_eq!(listed["items"][lines.len() - 1]["corrects"], no);

    let made = keyed(
        &served,
        OFFICER,
        "/api/v1/labels",
        &json!({ "name": "tax" }),
        "l",
    );
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let taken = keyed(
        &served,
        OFFICER,
        "/api/v1/labels",
        &json!({ "name": "Tax" }),
        "m",
    );
    assert_eq!(taken.status, StatusCode::CONFLICT);
    let label = made.json()["id"].as_str().unwrap().to_owned();
    let put = format!("/api/v1/labels/{label}/records");
    // A request for erasure restricted it: it is labelled with a reason.
    let on = json!({ "message": served.ids["messages"], "restricted": "the tax office asks" });
    let applied = keyed(&served, OFFICER, &put, &on, "n");
    assert_eq!(applied.status, StatusCode::CREATED, "{}", applied.body);
    let carried = || {
        let listed = served
            .api(OFFICER, Method::GET, "/api/v1/labels", None)
            .json();
        let items = listed["items"].as_array().unwrap().clone();
        let one = items.into_iter().find(|one| one["id"] == label.as_str());
        one.unwrap()["messages"].clone()
    };
    assert_eq!(carried(), 1);
    let off = json!({
        "message": served.ids["messages"], "reason": "mistake", "restricted": "it was a mistake",
    });
    let removed = keyed(&served, OFFICER, "/api/v1/labels/removals", &off, "o");
    assert_eq!(removed.status, StatusCode::CREATED, "{}", removed.body);
    assert_eq!(carried(), 0);
}

#[test]
fn x5_hits_spread_over_time_and_words_go_on() {
    let served = served();
    for step in ["day", "month", "year"] {
        let body = json!({ "query": "shipment", "step": step });
        let spread = served.api(
            LAWYER,
            Method::POST,
            "/api/v1/search/histogram",
            Some(&body),
        );
        assert_eq!(spread.status, StatusCode::OK, "{}", spread.body);
        let spread = spread.json();
        let bars = spread["bars"].as_array().unwrap();
        let sum: u64 = bars.iter().map(|bar| bar["count"].as_u64().unwrap()).sum();
        assert_eq!(spread["total"]["value"], sum, "{step}");
        // Each bar is what the query finds with its date.
        for bar in bars.iter().take(5) {
            let date = bar["date"].as_str().unwrap();
            let query = format!("(shipment) AND date:{date}");
            assert_eq!(bar["count"], found(&served, &query), "{query}");
        }
    }
    let suggest = |beginning: &str| {
        let path = format!("/api/v1/suggest?beginning={beginning}");
        let answer = served.api(LAWYER, Method::GET, &path, None);
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["items"].as_array().unwrap().clone()
    };
    let kinds = |beginning: &str| -> Vec<String> {
        let items = suggest(beginning);
        items.iter().map(|one| one["kind"].to_string()).collect()
    };
    assert!(kinds("fro").contains(&"\"field\"".to_owned()));
    assert!(kinds("zebra").contains(&"\"conversation\"".to_owned()));
    let people = suggest("rei");
    let person = people.iter().find(|one| one["kind"] == "person").unwrap();
    assert!(found(&served, person["insert"].as_str().unwrap()) > 0);
    let wrong = served.api(LAWYER, Method::GET, "/api/v1/suggest?limit=51", None);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
}

#[test]
fn x3_a_preview_of_a_hold_is_a_job() {
    let served = served();
    let target = json!({ "query": "shipment" });
    let started = keyed(&served, LAWYER, "/api/v1/holds/preview", &target, "p");
    let job = over(&served, LAWYER, &started);
    let app = &served.court.appliance;
    let target = HoldTarget::Query("shipment".to_owned());
    let extent = app.preview_hold(&served.court.law, &target, None, &[]);
    assert_eq!(
        job["result"]["details"]["messages"],
        extent.unwrap().messages
    );
    let holds = served.court.appliance.holds(&served.court.law).unwrap();
    let known: Vec<HoldId> = holds.iter().map(|hold| hold.id).collect();
    assert_eq!(known.len(), 1, "nothing is placed");
}
