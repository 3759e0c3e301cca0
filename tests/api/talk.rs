//! A conversation as a page: what a message answers, months and people beside it, what a citation needs; and
//! the pages of an auditor's morning and of what is not there.

use axum::http::StatusCode;
use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::domain::Role;

use crate::served::{Served, TITLE, Who, served};

const LAW: Who = Who::Person(Role::Lawyer);
const AUD: Who = Who::Person(Role::Auditor);
const ROOT: Who = Who::Person(Role::Administrator);

/// How the rows of the chat below are read.
const MAPPING: &str = r#"{
  "conversation": "chat", "sender": "from", "body": "text", "ts": "at", "ts_format": "unix",
  "id": "id", "reply_to": "answers", "app": {"constant": "telegram"}
}"#;

/// A chat whose messages answer others: near, far back, and one that is not there.
fn chat_with_answers(served: &Served) -> String {
    let message = |id: u32, from: &str, text: &str, answers: Option<u32>| {
        let answers = answers.map_or("null".to_owned(), |to| format!("\"{to}\""));
        let at = 1_714_557_600 + id * 86_400;
        format!(
            "{{\"chat\": \"Bo\", \"id\": \"{id}\", \"at\": {at}, \"from\": \"{from}\", \
             \"answers\": {answers}, \"text\": \"{text}\"}}\n"
        )
    };
    let mut rows = message(1, "Ana", "Shall we say 10 % <b>off</b>?", None);
    rows.push_str(&message(2, "Bo", "yes, agreed", Some(1)));
    rows.extend((3..260).map(|id| message(id, "Bo", "padding", None)));
    rows.push_str(&message(260, "Ana", "as I said", Some(30)));
    rows.push_str(&message(261, "Ana", "and before that", Some(9_999)));
    let folder = served.court.dir.path();
    let (path, mapping) = (folder.join("bo.jsonl"), folder.join("mapping.json"));
    std::fs::write(&path, rows).unwrap();
    std::fs::write(&mapping, MAPPING).unwrap();
    let request = ImportRequest {
        path,
        mapping: Some(mapping),
        ..ImportRequest::default()
    };
    let app = &served.court.appliance;
    app.import(&served.court.rec, &request, &SilentProgress)
        .unwrap();
    let lines = served
        .court
        .appliance
        .conversations(&served.court.law)
        .unwrap();
    let line = lines.iter().find(|line| line.messages > 250).unwrap();
    format!("/c/{}", line.id)
}

#[test]
fn x1_an_answer_stands_below_what_it_answers_however_far_back_that_is() {
    let served = served();
    let path = chat_with_answers(&served);
    let first = served.get(LAW, &path).body;
    let quote = first.split("class=\"answered\"").nth(1).unwrap();
    let quote = &quote[..quote.find("</blockquote>").unwrap()];
    assert!(quote.contains("10 % &lt;b&gt;off"), "{quote}");
    assert!(quote.contains("Ana") && quote.contains("?at=msg_"));
    let last = served.get(LAW, &format!("{path}?day=2025-01-01")).body;
    let quotes: Vec<&str> = last.split("class=\"answered\"").skip(1).collect();
    assert_eq!(quotes.len(), 2, "{last}");
    // The one stands before the page, and is found; the other was never exported.
    assert!(quotes[0].contains("padding"), "{}", quotes[0]);
    assert!(quotes[1].contains("answers a message further back"));
}

#[test]
fn x1_months_and_people_beside_a_conversation_count_every_message() {
    let served = served();
    let path = chat_with_answers(&served);
    let app = &served.court.appliance;
    let id = path.rsplit('/').next().unwrap().parse().unwrap();
    let figures = app.conversation_figures(&served.court.law, id).unwrap();
    let sum = |counts: &[(String, u64)]| counts.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!((sum(&figures.months), sum(&figures.people)), (261, 261));
    assert_eq!(figures.months[0].0, "2024-05");
    let page = served.get(LAW, &format!("{path}/figures"));
    assert!(page.body.contains("?day=2024-06-01"), "{}", page.body);
    let other = served.get(Who::Person(Role::Manager), &format!("{path}/figures"));
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[test]
fn x1_a_message_carries_what_a_citation_needs() {
    let served = served();
    let page = served.get(LAW, &format!("/c/{}", served.ids["c"])).body;
    let posts = page.matches("<article class=\"post\"").count();
    assert!(posts > 50);
    assert_eq!(page.matches("data-sha256=\"").count(), posts);
    let message = page.split("<article class=\"post\" id=\"").nth(1).unwrap();
    let id = &message[..message.find('"').unwrap()];
    let sha = message.split("data-sha256=\"").nth(1).unwrap();
    let cited = served.get(LAW, &format!("/m/{id}")).body;
    assert!(
        cited.contains(&sha[..64]),
        "the page of the message says the same"
    );
}

#[test]
fn x1_who_is_signed_in_keeps_the_navigation_where_nothing_is() {
    let served = served();
    let bar = "aria-label=\"Sections\"";
    for path in ["/nowhere", "/c/cnv_00000000000000000000000000", "/c/%00"] {
        let lost = served.get(LAW, path);
        assert_eq!(lost.status, StatusCode::NOT_FOUND, "{path}");
        assert!(lost.body.contains(bar), "{path}");
    }
    let refused = served.get(ROOT, "/search");
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains(bar) && refused.body.contains("/problems/forbidden"));
    let stranger = served.get(Who::Outsider, "/nowhere");
    assert_eq!(stranger.status, StatusCode::NOT_FOUND);
    assert!(!stranger.body.contains(bar));
}

#[test]
fn x1_an_auditor_opens_what_every_morning_needs() {
    let served = served();
    served.get(ROOT, "/search");
    let page = served.get(AUD, "/");
    assert_eq!(page.status, StatusCode::OK);
    for words in [
        "Verification",
        "Since your last visit",
        "Take a checkpoint",
        "Worth a look",
        "asked for what the role does not carry",
        "Who has access",
        "without a second factor",
        "audit #",
    ] {
        assert!(page.body.contains(words), "no {words} in {}", page.body);
    }
    assert!(!page.body.contains(TITLE), "no content");
    let digest = served
        .court
        .appliance
        .log_digest(&served.session(Role::Auditor))
        .unwrap();
    assert!(digest.unusual_count >= digest.unusual.len() as u64);
    assert!(digest.people.len() >= 5 && digest.from == 0);
    assert!(
        served
            .court
            .appliance
            .log_digest(&served.court.law)
            .is_err()
    );
}
