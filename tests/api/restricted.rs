//! What a request for erasure restricted is answered like what is not there, until somebody who may asks
//! for it with a reason, which the log keeps.

use axum::http::{Method, StatusCode};
use serde_json::json;
use wordkeep::app::{AppError, LogRequest};
use wordkeep::domain::{MessageId, Role};

use crate::served::{Served, Who, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
const OFFICER: Who = Who::Person(Role::RecordsOfficer);

fn looked(served: &Served) -> usize {
    let request = LogRequest {
        action: Some("content.view".to_owned()),
        ..LogRequest::default()
    };
    let page = served.court.appliance.read_log(&served.court.rec, &request);
    page.unwrap().lines.len()
}

#[test]
fn h10_why_a_restricted_message_is_here_is_told_with_a_reason_alone() {
    let served = served();
    let (app, law) = (&served.court.appliance, &served.court.law);
    let id = &served.ids["messages"];
    let message: MessageId = id.parse().unwrap();
    assert!(matches!(
        app.why(law, message, None),
        Err(AppError::NotFound(_))
    ));
    let path = format!("/m/{id}/why");
    let closed = served.get(LAWYER, &path);
    assert_eq!(closed.status, StatusCode::NOT_FOUND);
    let nothing = "msg_00000000000000000000000000";
    let absent = served.get(LAWYER, &format!("/m/{nothing}/why"));
    assert_eq!(closed.body.replace(id, nothing), absent.body);
    let before = looked(&served);
    let bare = served.post_form(LAWYER, &path, &[("reason", " ")]);
    assert_eq!(bare.status, StatusCode::BAD_REQUEST, "{}", bare.body);
    assert_eq!(looked(&served), before);
    let told = served.post_form(LAWYER, &path, &[("reason", "the court asks")]);
    assert_eq!(told.status, StatusCode::OK, "{}", told.body);
    assert!(told.body.contains("Everything that has a say"));
    assert_eq!(looked(&served), before + 1);
    // Who may not look at it is refused, and absent is absent.
    let manager = served.post_form(Who::Person(Role::Manager), &path, &[("reason", "curious")]);
    assert_eq!(manager.status, StatusCode::FORBIDDEN);
    let none = served.post_form(LAWYER, &format!("/m/{nothing}/why"), &[("reason", "x")]);
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[test]
fn h10_a_restricted_message_is_labelled_with_a_reason_alone() {
    let served = served();
    let (label, id) = (&served.ids["labels"], &served.ids["messages"]);
    let path = format!("/api/v1/labels/{label}/records");
    let put = |body: serde_json::Value, key: &str| {
        let headers = [("idempotency-key", key)];
        served.api_with(OFFICER, Method::POST, &path, Some(&body), &headers)
    };
    let bare = put(json!({ "message": id }), "1");
    assert_eq!(bare.status, StatusCode::NOT_FOUND, "{}", bare.body);
    let said = put(
        json!({ "message": id, "restricted": "the court asks" }),
        "2",
    );
    assert_eq!(said.status, StatusCode::CREATED, "{}", said.body);
    let off = json!({ "message": id, "reason": "an error" });
    let headers = [("idempotency-key", "3")];
    let away = "/api/v1/labels/removals";
    let bare = served.api_with(OFFICER, Method::POST, away, Some(&off), &headers);
    assert_eq!(bare.status, StatusCode::NOT_FOUND, "{}", bare.body);
    let off = json!({ "message": id, "reason": "an error", "restricted": "the court asks" });
    let gone = served.api_with(OFFICER, Method::POST, away, Some(&off), &headers);
    assert_eq!(gone.status, StatusCode::CREATED, "{}", gone.body);
}
