//! Links to the files of Slack carry what opens them. It is kept with the sealed bytes and shown nowhere: on
//! no page, in no answer of a program, in no export, in no log, and no search finds it.

use std::fs::File;
use std::io::Read as _;

use axum::http::{Method, StatusCode};
use serde_json::json;
use wordkeep::app::export::ExportRequest;
use wordkeep::app::{LogRequest, SearchRequest};
use wordkeep::domain::{MessageId, MessageNo, Role};
use wordkeep::ingest::BundleReader;

use crate::house::{files_below, import, zipped};
use crate::served::{Served, Who, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
/// A part of the credential that stands nowhere else.
const CANARY: &str = "kanarienvogel";

/// Every place of an export in which a link to a file may stand.
const DAY: &str = r#"[
 {"type":"message","text":"dysprosium <https://files.slack.com/files-pri/T-F1/a.pdf?t=xoxe-1-2-kanarienvogel|a.pdf>","user":"U01ANA","ts":"1707648247.000300","edited":{"user":"U01ANA","ts":"1707648250.000000"}},
 {"type":"message","text":"dysprosium file","user":"U01ANA","ts":"1707648248.000300","files":[{"id":"F0OFFER01","name":"a.pdf?t=xoxe-1-2-kanarienvogel","url_private":"https:\/\/files.slack.com\/files-pri\/T-F1\/a.pdf?t=xoxe-1-2-kanarienvogel","permalink":"https:\/\/x.slack.com\/?a=1\u0026t=xoxe-1-2-kanarienvogel"}]},
 {"type":"message","text":"","user":"U01ANA","ts":"1707648249.000300","blocks":[{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"dysprosium block "},{"type":"link","url":"https://files.slack.com/b?t=xoxe-1-2-kanarienvogel"}]}]}]},
 {"type":"message","subtype":"bot_message","text":"","bot_id":"B1","username":"Robot","ts":"1707648251.000300","attachments":[{"fallback":"dysprosium card https://files.slack.com/c?pub=1&amp;t=xoxe-1-2-kanarienvogel"}]},
 {"type":"message","subtype":"message_changed","hidden":true,"ts":"1707648800.001100","message":{"user":"U01ANA","text":"dysprosium without","ts":"1707648247.000300"},"previous_message":{"user":"U01ANA","text":"dysprosium before https://files.slack.com/d?t=xoxe-1-2-kanarienvogel","ts":"1707648247.000300"}},
 {"type":"message","text":"dysprosium twice https://x/?u=https%3A%2F%2Ffiles%3Ft%3Dxoxe-1-2-kanarienvogel","user":"U01ANA","ts":"1707648252.000300"},
 {"type":"message","text":"dysprosium twice https://x/?u=https%3A%2F%2Ffiles%3Ft%3Dxoxe-1-2-kanarienvogel","user":"U01ANA","ts":"1707648252.000300"},
 {"type":"message","text":"rejected https://files.slack.com/e?t=xoxe-1-2-kanarienvogel","user":"U01ANA","ts":"1707648253.000300","reactions":"https://files.slack.com/f?t=xoxe-1-2-kanarienvogel"},
 {"type":"message","text":"cut https://files.slack.com/g?t=xoxe-1-2-kanarienvogel and"#;

fn bring(served: &Served) -> String {
    let users = r#"[{"id":"U01ANA","name":"ana","profile":{"display_name":"Ana Reis"}}]"#;
    let entries = [
        ("users.json", users),
        (
            "channels.json",
            r#"[{"id":"C0SALES01","name":"slack-sales"}]"#,
        ),
        ("slack-sales/2024-02-11.json", DAY),
    ];
    let entries = entries.iter().map(|(name, text)| (*name, text.as_bytes()));
    let path = zipped(served.court.dir.path(), "nord.zip", entries);
    let receipt = import(&served.court.appliance, &served.court.law, &path).unwrap();
    std::fs::remove_file(path).unwrap();
    assert_eq!((receipt.counts.fresh, receipt.counts.rejected), (5, 2));
    assert!(!format!("{receipt:?}").contains(CANARY));
    receipt.id.unwrap().to_string()
}

fn messages(served: &Served) -> Vec<MessageId> {
    let request = SearchRequest::new("in:slack-sales");
    let found = served.court.appliance.search(&served.court.law, &request);
    let found = found.unwrap();
    assert!(!format!("{found:?}").contains(CANARY));
    found.answer.hits.iter().map(|hit| hit.line.id).collect()
}

/// The sealed bytes of messages, opened.
fn sealed(served: &Served, id: MessageId) -> Vec<u8> {
    let archive = served.court.appliance.archive();
    let no: MessageNo = archive.message_of_id(id).unwrap().unwrap();
    let message = archive.reader().unwrap().message(no).unwrap().unwrap();
    let forms = message
        .versions
        .iter()
        .map(|version| version.raw_form.clone());
    forms.flatten().collect()
}

#[test]
fn c3_what_opens_the_files_of_slack_is_shown_nowhere() {
    let served = served();
    let report = bring(&served);
    let ids = messages(&served);
    assert_eq!(ids.len(), 5);
    let mut pages = vec![
        format!("/imports/{report}"),
        format!("/imports/{report}/notes"),
        format!("/imports/{report}/notes.csv"),
        format!("/api/v1/imports/{report}"),
        "/api/v1/conversations".to_owned(),
    ];
    let (mut kept, mut lines) = (0, 0);
    for id in &ids {
        kept += usize::from(
            sealed(&served, *id)
                .windows(CANARY.len())
                .any(|part| part == CANARY.as_bytes()),
        );
        let story = served
            .court
            .appliance
            .message(&served.court.law, *id)
            .unwrap();
        lines += story
            .versions
            .iter()
            .filter(|one| one.source.raw.is_some())
            .count();
        assert!(!format!("{story:?}").contains(CANARY), "{story:?}");
        pages.push(format!("/c/{}", story.conversation));
        pages.push(format!(
            "/api/v1/conversations/{}/messages",
            story.conversation
        ));
        pages.push(format!("/m/{id}"));
    }
    // The sealed bytes are as they came, and the source lines are shown.
    assert_eq!(kept, 5);
    assert!(lines >= 5, "{lines}");
    pages.dedup();
    for page in pages {
        let answer = match page.starts_with("/api/") {
            true => served.api(LAWYER, Method::GET, &page, None),
            false => served.get(LAWYER, &page),
        };
        assert_eq!(answer.status, StatusCode::OK, "{page}: {}", answer.body);
        assert!(!answer.body.contains(CANARY), "{page}: {}", answer.body);
    }
    let sent = served.post_form(LAWYER, "/search", &[("query", "dysprosium")]);
    let hits = served.get(LAWYER, sent.location());
    assert!(hits.body.contains("dysprosium") && !hits.body.contains(CANARY));
    let asked = json!({ "query": "dysprosium" });
    let hits = served.api(LAWYER, Method::POST, "/api/v1/search", Some(&asked));
    assert!(hits.body.contains("dysprosium") && !hits.body.contains(CANARY));
    in_no_export(&served);
    in_no_log_and_no_index(&served);
}

fn in_no_export(served: &Served) {
    let request = ExportRequest {
        query: "dysprosium".to_owned(),
        reason: "Case 12/24".to_owned(),
        out: served.court.dir.path().join("canary.tar"),
        ..ExportRequest::default()
    };
    let app = &served.court.appliance;
    app.export(&served.court.law, &request, &mut |_, _, _| true)
        .unwrap();
    let mut reader = BundleReader::new(File::open(&request.out).unwrap());
    let mut seen = 0;
    while let Some(entry) = reader.next_entry().unwrap() {
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        seen += usize::from(text.contains("dysprosium"));
        assert!(!text.contains(CANARY), "{}", entry.name);
    }
    assert!(seen >= 2, "{seen}");
    std::fs::remove_file(&request.out).unwrap();
}

fn in_no_log_and_no_index(served: &Served) {
    let app = &served.court.appliance;
    let log = app.read_log(&served.court.rec, &LogRequest::default());
    let log = format!("{:?}", log.unwrap().lines);
    assert!(log.contains("ImportOutcome") && !log.contains(CANARY));
    for file in files_below(served.court.dir.path()) {
        let bytes = std::fs::read(&file).unwrap();
        let shown = bytes
            .windows(CANARY.len())
            .any(|part| part == CANARY.as_bytes());
        assert!(!shown, "{}", file.display());
    }
    // Typed last: what is typed stands in the log.
    for query in ["kanarienvogel", "kanarien*", "xoxe", "text:kanarienvogel"] {
        let found = app.search(&served.court.law, &SearchRequest::new(query));
        assert_eq!(found.unwrap().answer.total, 0, "{query}");
    }
}
