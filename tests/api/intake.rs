//! Files on their way in: in one go and in parts, asked about, imported, watched, stopped.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use wordkeep::domain::Role;

use crate::house::{count, plain_chat};
use crate::served::{Answer, Served, Who, served, settled};

const LAWYER: Who = Who::Person(Role::Lawyer);
const OFFICER: Who = Who::Person(Role::RecordsOfficer);
/// No day is above 12: which number is the month stays open.
const UNDECIDED: &str = "[02/03/24, 10:00:00] Ana Reis: marmalade one\n\
                         [02/03/24, 10:01:00] Bo Lund: marmalade two\n\
                         [03/03/24, 10:02:00] Ana Reis: marmalade three\n";

fn send_part(served: &Served, id: &str, bytes: &str, range: &str, marked: bool) -> Answer {
    let path = format!("/imports/uploads/{id}/part");
    let mut request = served
        .request(LAWYER, &Method::POST, &path)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::CONTENT_RANGE, range);
    if marked {
        request = request.header("x-csrf-token", served.csrf(Role::Lawyer));
    }
    served.send(request.body(Body::from(bytes.to_owned())).unwrap())
}

fn found(served: &Served, query: &str) -> u64 {
    count(&served.court.appliance, &served.court.law, query)
}

#[test]
fn m1_a_file_sent_by_a_plain_form_is_imported_and_reported() {
    let served = served();
    let chat = plain_chat("gooseberry", 40);
    let mark = served.csrf(Role::Lawyer);
    let sent = served.post_file(
        LAWYER,
        "/imports",
        &mark,
        &[("zone", "Europe/Lisbon")],
        &chat,
    );
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert!(sent.location().starts_with("/imports/uploads/upl_"));
    let page = settled(&served, LAWYER, sent.location());
    assert!(page.body.contains("40 new"), "{}", page.body);
    assert!(page.body.contains("audit #"), "{}", page.body);
    assert_eq!(found(&served, "gooseberryword7"), 1);
    let (_, report) = page.body.split_once("/imports/imp_").unwrap();
    let report = format!("/imports/imp_{}", &report[..26]);
    let report = served.get(LAWYER, &report);
    assert_eq!(report.status, StatusCode::OK);
    assert!(report.body.contains("Europe/Lisbon") && report.body.contains("chat.txt"));
    // The same again changes nothing.
    let again = served.post_file(LAWYER, "/imports", &mark, &[], &chat);
    let page = settled(&served, LAWYER, again.location());
    assert!(page.body.contains("imported before"), "{}", page.body);
    assert_eq!(found(&served, "gooseberryword7"), 1);
}

#[test]
fn t7_a_form_with_files_needs_the_mark_of_its_session_in_front() {
    let served = served();
    let chat = plain_chat("gooseberry", 5);
    let others = served.csrf(Role::RecordsOfficer);
    for mark in ["", "0", others.as_str()] {
        let sent = served.post_file(LAWYER, "/imports", mark, &[], &chat);
        assert_eq!(sent.status, StatusCode::FORBIDDEN, "{mark}");
    }
    // The right mark behind the file is too late.
    let body = format!(
        "--e\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{chat}\r\n\
         --e\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{}\r\n--e--\r\n",
        served.csrf(Role::Lawyer)
    );
    let late = served
        .request(LAWYER, &Method::POST, "/imports")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=e");
    let late = served.send(late.body(Body::from(body)).unwrap());
    assert_eq!(late.status, StatusCode::FORBIDDEN);
    let list = served.get(LAWYER, "/imports");
    assert!(
        !list.body.contains("/imports/uploads/upl_"),
        "nothing is kept"
    );
    // In parts, without the mark in the header.
    let begun = served.post_form(
        LAWYER,
        "/imports/uploads",
        &[("name", "a.txt"), ("bytes", "3")],
    );
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let part = send_part(&served, &id, "abc", "bytes 0-2/3", false);
    assert_eq!(part.status, StatusCode::FORBIDDEN);
    let path = format!("/imports/uploads/{id}/part");
    assert_eq!(served.get(LAWYER, &path).json()["at"], 0);
}

#[test]
fn m1_a_file_in_parts_goes_on_where_it_was_cut_off() {
    let served = served();
    let chat = plain_chat("rhubarb", 90);
    let bytes = chat.len().to_string();
    let form = [
        ("name", "C:\\chats\\rhubarb.txt"),
        ("bytes", bytes.as_str()),
    ];
    let begun = served.post_form(LAWYER, "/imports/uploads", &form);
    assert_eq!(begun.status, StatusCode::CREATED);
    let id = begun.json()["id"].as_str().unwrap().to_owned();
    let (first, second) = chat.split_at(1_000);
    let range = format!("bytes 0-999/{bytes}");
    assert_eq!(
        send_part(&served, &id, first, &range, true).json()["at"],
        1_000
    );
    // The same part again, and one that leaves a hole: told where to go on, nothing is written.
    for wrong in [range, format!("bytes 2000-2999/{bytes}")] {
        let answer = send_part(&served, &id, first, &wrong, true);
        assert_eq!(answer.status, StatusCode::CONFLICT);
        assert_eq!(answer.json()["at"], 1_000);
    }
    // Begun too early.
    let path = format!("/imports/uploads/{id}");
    let early = served.post_form(LAWYER, &path, &[]);
    assert_eq!(early.status, StatusCode::BAD_REQUEST);
    let range = format!("bytes 1000-{}/{bytes}", chat.len() - 1);
    assert_eq!(
        send_part(&served, &id, second, &range, true).status,
        StatusCode::OK
    );
    // Nobody else sees it, and nobody reads it on the disk.
    assert_eq!(served.get(OFFICER, &path).status, StatusCode::NOT_FOUND);
    let directory = served.court.appliance.archive().store().directory();
    assert_eq!(directory.files_with(&["rhubarbword"]).unwrap(), 0);
    let tried = served.post_form(LAWYER, &path, &[("run", "dry")]);
    assert_eq!(tried.status, StatusCode::SEE_OTHER);
    let page = settled(&served, LAWYER, &path);
    assert!(
        page.body.contains("What an import would do"),
        "{}",
        page.body
    );
    assert!(page.body.contains("90 new") && page.body.contains("rhubarb.txt"));
    assert!(!page.body.contains("C:\\chats"), "a name is never a path");
    assert_eq!(found(&served, "rhubarbword7"), 0);
    served.post_form(LAWYER, &path, &[("run", "commit")]);
    let page = settled(&served, LAWYER, &path);
    assert!(page.body.contains("Imported"), "{}", page.body);
    assert_eq!(found(&served, "rhubarbword7"), 1);
    assert_eq!(directory.files_with(&["rhubarbword"]).unwrap(), 0);
}

#[test]
fn m1_what_a_file_leaves_open_is_asked_with_its_evidence() {
    let served = served();
    let mark = served.csrf(Role::Lawyer);
    let sent = served.post_file(LAWYER, "/imports", &mark, &[], UNDECIDED);
    let path = sent.location().to_owned();
    let page = settled(&served, LAWYER, &path);
    assert!(
        page.body.contains("This must be decided first"),
        "{}",
        page.body
    );
    assert!(page.body.contains("name=\"date_order\"") && page.body.contains("Day, month, year"));
    assert!(page.body.contains("2 Mar 2024") && page.body.contains("3 Feb 2024"));
    assert_eq!(found(&served, "marmalade"), 0);
    let wrong = served.post_form(LAWYER, &path, &[("date_order", "sideways")]);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    served.post_form(LAWYER, &path, &[("date_order", "dmy")]);
    let page = settled(&served, LAWYER, &path);
    assert!(page.body.contains("3 new"), "{}", page.body);
    assert_eq!(found(&served, "marmalade date:2024-03"), 3);
}

#[test]
fn m1_a_file_that_is_no_chat_says_so_and_can_be_thrown_away() {
    let served = served();
    let mark = served.csrf(Role::Lawyer);
    let sent = served.post_file(LAWYER, "/imports", &mark, &[], "\u{0}\u{1}\u{2} nothing");
    let path = sent.location().to_owned();
    let page = settled(&served, LAWYER, &path);
    assert!(page.body.contains("notice bad"), "{}", page.body);
    assert!(
        page.body.contains("nothing in it is a chat"),
        "{}",
        page.body
    );
    let thrown = served.post_form(LAWYER, &format!("{path}/discard"), &[]);
    assert_eq!(thrown.location(), "/imports");
    assert_eq!(served.get(LAWYER, &path).status, StatusCode::NOT_FOUND);
}

#[test]
fn m6_a_job_is_seen_by_whoever_started_it_and_by_nobody_else() {
    let served = served();
    let auditor = Who::Person(Role::Auditor);
    let begun = served.post_form(auditor, "/audit/verify", &[("sample", "5")]);
    assert!(begun.location().starts_with("/jobs/job_"), "{}", begun.body);
    assert_eq!(
        served.get(LAWYER, begun.location()).status,
        StatusCode::NOT_FOUND
    );
    let stop = format!("{}/stop", begun.location());
    assert_eq!(
        served.post_form(LAWYER, &stop, &[]).status,
        StatusCode::NOT_FOUND
    );
    let page = settled(&served, auditor, begun.location());
    assert!(page.body.contains("Entries of the log"), "{}", page.body);
    assert!(page.body.contains("Conservation") && page.body.contains("audit #"));
    let fragment = served.get(auditor, &format!("{}/state", begun.location()));
    assert!(fragment.body.starts_with("<section"), "{}", fragment.body);
    assert!(
        !fragment.body.contains("hx-get"),
        "what is over is not asked for again"
    );
}
