//! Notices of holds: sent to who is named and not silent, answered once in the words that were sent, by a
//! link that opens one notice and nothing else.

use axum::http::{HeaderMap, Method, StatusCode};
use serde_json::json;
use wordkeep::app::{
    AppError, CustodianLine, HoldTarget, LetterFor, LogRequest, NewCustodian, NoticeLine,
    NoticeOrder, NoticeStanding, NoticeState, VerifyRequest,
};
use wordkeep::audit::{Action, Outcome};
use wordkeep::auth::AuthError;
use wordkeep::domain::{CustodianId, HoldId, NoticeActKind, NoticeKind, NoticeLanguage, Role};

use crate::court::{Court, court};
use crate::house::import;
use crate::served::{Answer, Served, Who, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
const KEEP: &str = "chats about the shipment <b>of 2023</b>";

fn custodian(name: &str, language: NoticeLanguage, silent: bool) -> NewCustodian {
    NewCustodian {
        name: name.to_owned(),
        language,
        address: format!("{}@example.com", name.to_lowercase()),
        manager: "Rui Melo".to_owned(),
        manager_address: "rui@example.com".to_owned(),
        silent,
        ..NewCustodian::default()
    }
}

fn order(hold: HoldId, keep: &str) -> NoticeOrder {
    NoticeOrder {
        hold,
        custodians: Vec::new(),
        keep: keep.to_owned(),
        contact: "Lea, legal".to_owned(),
        remind_days: 7,
    }
}

/// A hold with somebody who reads Arabic, somebody who reads German, and somebody silent.
struct Told {
    court: Court,
    hold: HoldId,
    arab: CustodianId,
    german: CustodianId,
    silent: CustodianId,
}

fn told() -> Told {
    let court = court();
    import(&court.appliance, &court.rec, &court.chat("told", 10)).unwrap();
    let hold = court.hold(HoldTarget::Query("shipment".to_owned()));
    let app = &court.appliance;
    let name = |new: &NewCustodian| app.add_custodian(&court.law, hold, new).unwrap().0;
    let arab = name(&custodian("Nour", NoticeLanguage::Arabic, false));
    let german = name(&custodian("Jens", NoticeLanguage::German, false));
    let silent = name(&custodian("Counsel", NoticeLanguage::English, true));
    app.issue_notices(&court.law, &order(hold, KEEP)).unwrap();
    Told {
        court,
        hold,
        arab,
        german,
        silent,
    }
}

impl Told {
    fn line(&self, id: CustodianId) -> CustodianLine {
        self.court.appliance.custodian(&self.court.law, id).unwrap()
    }

    fn notice(&self, id: CustodianId) -> NoticeLine {
        self.line(id).current().unwrap().clone()
    }

    /// A link of the notice of somebody.
    fn token(&self, id: CustodianId) -> String {
        let notice = self.notice(id).id;
        let (letter, _) = self
            .court
            .appliance
            .make_letter(&self.court.law, notice)
            .unwrap();
        letter.token
    }

    /// The verifier finds nothing that was not lawful.
    fn sound(&self) {
        let request = VerifyRequest::default();
        let court = &self.court;
        let report = court
            .appliance
            .verify(&court.rec, &request, &mut |_, _, _| {})
            .unwrap();
        assert!(report.log.problems.is_empty(), "{:?}", report.log.problems);
        assert!(report.record.as_ref().unwrap().problems().is_empty());
    }

    fn entries(&self, action: &Action, result: Outcome) -> usize {
        let request = LogRequest {
            action: Some(action.name().to_owned()),
            ..LogRequest::default()
        };
        let app = &self.court.appliance;
        let page = app.read_log(&self.court.rec, &request).unwrap();
        let lines = page.lines.iter();
        lines
            .filter(|line| line.entry.draft.action == *action && line.entry.draft.result == result)
            .count()
    }
}

fn is_dead<T: std::fmt::Debug>(answer: Result<T, AppError>) -> bool {
    matches!(answer, Err(AppError::Auth(AuthError::Link)))
}

#[test]
fn h11_the_answer_is_kept_with_the_exact_words_that_were_shown() {
    let told = told();
    let (app, law) = (&told.court.appliance, &told.court.law);
    let token = told.token(told.arab);
    let shown = app.open_notice(&token).unwrap();
    let sent = told.notice(told.arab);
    assert_eq!(shown.language, NoticeLanguage::Arabic);
    assert!(shown.body.contains(KEEP) && shown.body.contains("Lea, legal"));
    assert!(shown.subject.contains("Nordwind"), "{}", shown.subject);
    assert_eq!(
        (&shown.hash, &shown.body),
        (&sent.text.hash, &sent.text.body)
    );
    let confirmed = app.confirm_notice(&token).unwrap();
    assert!(matches!(confirmed.state, NoticeState::Confirmed(_)));
    // Once more leaves no second answer.
    assert_eq!(app.confirm_notice(&token).unwrap(), confirmed);
    assert_eq!(told.entries(&Action::NoticeAcknowledge, Outcome::Done), 1);
    // Another template and other words change nothing of what was answered.
    let body = "{matter}: {keep}. {contact}";
    let language = NoticeLanguage::Arabic;
    let (version, _) = app
        .write_notice_template(law, NoticeKind::Hold, language, "{matter}", body)
        .unwrap();
    assert_eq!(version, 2);
    let issued = app.issue_notices(law, &order(told.hold, "less")).unwrap();
    assert_eq!(
        (issued.issued.len(), issued.current, issued.silent),
        (2, 0, 1)
    );
    let line = told.line(told.arab);
    let answered = &line.notices[0];
    assert_eq!(answered.standing, NoticeStanding::Acknowledged);
    assert_eq!(answered.text.hash, shown.hash);
    let next = line.current().unwrap();
    assert_eq!((next.text.version, next.text.template), (2, 2));
    assert_eq!(next.standing, NoticeStanding::Pending);
    // Whoever had not answered has one that counts, and one that was called back.
    let german = told.line(told.german);
    assert_eq!(german.notices[0].standing, NoticeStanding::Withdrawn);
    assert_eq!(german.current().unwrap().text.version, 2);
    // The same words again reach nobody.
    let again = app.issue_notices(law, &order(told.hold, "less")).unwrap();
    assert_eq!((again.issued.len(), again.current), (0, 2));
    told.sound();
}

#[test]
fn h11_a_silent_custodian_is_sent_nothing_ever() {
    let told = told();
    let (app, law) = (&told.court.appliance, &told.court.law);
    assert!(told.line(told.silent).notices.is_empty());
    let named = NoticeOrder {
        custodians: vec![told.silent],
        ..order(told.hold, KEEP)
    };
    let refused = app.issue_notices(law, &named);
    assert!(matches!(refused, Err(AppError::Conflict(_))), "{refused:?}");
    // Who was told cannot be made silent.
    let silenced = custodian("Jens", NoticeLanguage::German, true);
    assert!(app.change_custodian(law, told.german, &silenced).is_err());
    let reason = "settled, counsel agreed";
    app.release_hold(law, told.hold, reason).unwrap();
    app.release_hold(&told.court.rec, told.hold, reason)
        .unwrap();
    assert!(told.line(told.silent).notices.is_empty());
    assert_eq!(told.line(told.german).notices.len(), 2);
    told.sound();
}

#[test]
fn h11_a_link_opens_one_notice_until_it_is_replaced_called_back_or_over() {
    let told = told();
    let (app, law) = (&told.court.appliance, &told.court.law);
    let first = told.token(told.german);
    let other = told.token(told.arab);
    assert!(first.len() * 4 >= 128 + 64, "{} digits", first.len());
    assert_eq!(app.open_notice(&first).unwrap().name, "Jens");
    assert_eq!(app.open_notice(&other).unwrap().name, "Nour");
    // Selector of one and secret of another; one digit changed; cut; longer; nothing.
    let mut changed = first.clone().into_bytes();
    let last = changed.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let forged = [
        format!("{}{}", &first[..16], &other[16..]),
        String::from_utf8(changed).unwrap(),
        first[..62].to_owned(),
        format!("{first}00"),
        first[..16].to_owned(),
        String::new(),
        "x".repeat(64),
        "0".repeat(64),
    ];
    for token in &forged {
        assert!(is_dead(app.open_notice(token)), "{token}");
        assert!(is_dead(app.confirm_notice(token)), "{token}");
    }
    assert_eq!(
        told.entries(&Action::NoticeOpen, Outcome::Refused),
        forged.len()
    );
    assert_eq!(told.notice(told.german).standing, NoticeStanding::Pending);
    // Another letter: the link before is dead.
    let second = told.token(told.german);
    assert!(is_dead(app.open_notice(&first)));
    app.open_notice(&second).unwrap();
    // Called back: dead at once.
    let notice = told.notice(told.german).id;
    app.withdraw_notice(law, notice, "sent to the wrong Jens")
        .unwrap();
    assert!(is_dead(app.open_notice(&second)));
    // Over after its days.
    told.court.clock.days(29);
    app.open_notice(&other).unwrap();
    told.court.clock.days(2);
    assert!(is_dead(app.open_notice(&other)));
    assert!(is_dead(app.confirm_notice(&other)));
    told.sound();
}

#[test]
fn h11_whoever_does_not_answer_is_reminded_then_the_manager_is_told() {
    let told = told();
    let (app, law, clock) = (&told.court.appliance, &told.court.law, &told.court.clock);
    let overdue = || app.overdue_notices(law).unwrap().len();
    app.tend().unwrap();
    clock.days(6);
    app.tend().unwrap();
    assert_eq!(overdue(), 0);
    clock.days(1);
    app.tend().unwrap();
    app.tend().unwrap();
    assert_eq!(overdue(), 2);
    assert_eq!(told.entries(&Action::NoticeDue, Outcome::Done), 2);
    let id = told.notice(told.german).id;
    for _ in 0..2 {
        assert_eq!(told.notice(told.german).standing, NoticeStanding::Overdue);
        assert!(!told.notice(told.german).is_for_manager());
        let (letter, _) = app.remind_notice(law, id).unwrap();
        assert_eq!(letter.what, LetterFor::Reminder);
        assert!(letter.body.contains(KEEP) && letter.to == "Jens");
        app.open_notice(&letter.token).unwrap();
        assert_eq!(told.notice(told.german).standing, NoticeStanding::Pending);
        clock.days(7);
        app.tend().unwrap();
    }
    assert!(told.notice(told.german).is_for_manager());
    let (letter, _) = app.escalate_notice(law, id).unwrap();
    assert_eq!(
        (letter.to.as_str(), letter.address.as_str()),
        ("Rui Melo", "rui@example.com")
    );
    // A manager does not answer for somebody else.
    assert!(letter.token.is_empty() && letter.body.contains("Jens"));
    // Who answered is left alone.
    let (letter, _) = app.remind_notice(law, id).unwrap();
    app.confirm_notice(&letter.token).unwrap();
    assert!(matches!(
        app.remind_notice(law, id),
        Err(AppError::Conflict(_))
    ));
    assert!(matches!(
        app.escalate_notice(law, id),
        Err(AppError::Conflict(_))
    ));
    clock.days(60);
    app.tend().unwrap();
    let late = app.overdue_notices(law).unwrap();
    assert_eq!(late.len(), 1);
    assert_eq!(late[0].custodian.name, "Nour");
    told.sound();
}

#[test]
fn h11_a_lawyer_writes_an_answer_down_with_a_reason_and_nobody_else_does() {
    let told = told();
    let (app, law) = (&told.court.appliance, &told.court.law);
    let (id, token) = (told.notice(told.german).id, told.token(told.german));
    assert!(app.confirm_notice_for(law, id, " ").is_err());
    for other in [&told.court.rec, &told.court.root] {
        let refused = app.confirm_notice_for(other, id, "signed on paper");
        assert!(matches!(
            refused,
            Err(AppError::Auth(AuthError::Forbidden { .. }))
        ));
    }
    app.confirm_notice_for(law, id, "signed on paper").unwrap();
    let notice = told.notice(told.german);
    let answer = notice.answer().unwrap();
    assert_eq!(answer.kind, NoticeActKind::AcknowledgedFor);
    assert_eq!(
        (answer.by.as_deref(), answer.reason.as_str()),
        (Some("law"), "signed on paper")
    );
    assert!(is_dead(app.open_notice(&token)));
    assert!(app.confirm_notice_for(law, id, "twice").is_err());
    told.sound();
}

#[test]
fn h11_a_release_tells_everybody_who_was_told_and_ends_the_waiting() {
    let told = told();
    let (app, law) = (&told.court.appliance, &told.court.law);
    let token = told.token(told.arab);
    let reason = "settled, counsel agreed";
    app.release_hold(law, told.hold, reason).unwrap();
    assert_eq!(told.line(told.arab).notices.len(), 1);
    app.release_hold(&told.court.rec, told.hold, reason)
        .unwrap();
    let line = told.line(told.arab);
    let release = line.notices.last().unwrap();
    assert_eq!(
        (release.kind, release.standing),
        (NoticeKind::Release, NoticeStanding::Sent)
    );
    assert_eq!(line.notices[0].standing, NoticeStanding::Ended);
    assert_eq!(
        app.confirm_notice(&token).unwrap().state,
        NoticeState::Ended
    );
    let (letter, _) = app.make_letter(law, release.id).unwrap();
    assert!(letter.token.is_empty());
    assert!(app.issue_notices(law, &order(told.hold, KEEP)).is_err());
    assert!(app.remind_notice(law, line.notices[0].id).is_err());
    told.court.clock.days(30);
    app.tend().unwrap();
    assert!(app.overdue_notices(law).unwrap().is_empty());
    told.sound();
}

// ---- Pages

fn letter_of(served: &Served) -> (String, Answer) {
    let path = format!("/notices/{}/letter", served.ids["notices"]);
    let host = [("host", "keep.example:8471")];
    let page = post_with(served, &path, &[], &host);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let (_, rest) = page
        .body
        .split_once("http://keep.example:8471/notice#")
        .unwrap();
    let token: String = rest.chars().take_while(char::is_ascii_hexdigit).collect();
    (token, page)
}

fn post_with(
    served: &Served,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Answer {
    let mut form = format!("csrf={}", served.csrf(Role::Lawyer));
    for (name, value) in fields {
        form.push_str(&format!("&{name}={value}"));
    }
    let mut request = served
        .request(LAWYER, &Method::POST, path)
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    served.send(request.body(form.into()).unwrap())
}

fn without_date(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove("date");
    headers
}

#[test]
fn h11_a_custodian_reads_and_confirms_without_a_login() {
    let served = served();
    let (token, _) = letter_of(&served);
    let door = served.get(Who::Outsider, "/notice");
    assert_eq!(door.status, StatusCode::OK);
    assert!(door.body.contains("id=\"enter\"") && door.body.contains("id=\"token\""));
    let page = served.post_form(Who::Outsider, "/notice", &[("token", &token)]);
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    assert!(
        page.body.contains("everything about the shipment"),
        "{}",
        page.body
    );
    assert!(page.body.contains("lang=\"en\"") && !page.body.contains("dir=\"rtl\""));
    // Nothing of the house is shown: no navigation, no search.
    assert!(!page.body.contains("<nav") && !page.body.contains("/search"));
    assert_eq!(page.headers["cache-control"], "no-store");
    assert_eq!(page.headers["referrer-policy"], "no-referrer");
    let done = served.post_form(Who::Outsider, "/notice/confirm", &[("token", &token)]);
    assert_eq!(done.status, StatusCode::OK);
    assert!(done.body.contains("Confirmed on"), "{}", done.body);
    let hold = served.get(LAWYER, &format!("/holds/{}", served.ids["holds"]));
    assert!(hold.body.contains("chip good\">confirmed"), "{}", hold.body);
    let report = served.get(LAWYER, &format!("/holds/{}/notices", served.ids["holds"]));
    assert!(
        report.body.contains("confirmed by the custodian"),
        "{}",
        report.body
    );
}

#[test]
fn h11_unknown_replaced_and_malformed_tokens_are_answered_alike() {
    let served = served();
    let (elder, _) = letter_of(&served);
    let _ = letter_of(&served);
    let wrong = [
        elder.as_str(),
        "",
        "nothing",
        &"0".repeat(64),
        &"9".repeat(180),
    ];
    for path in ["/notice", "/notice/confirm"] {
        let answers: Vec<Answer> = wrong
            .iter()
            .map(|token| served.post_form(Who::Outsider, path, &[("token", token)]))
            .collect();
        for answer in &answers {
            assert_eq!(answer.status, StatusCode::NOT_FOUND);
            assert_eq!(answer.body, answers[0].body);
            assert_eq!(
                without_date(&answer.headers),
                without_date(&answers[0].headers)
            );
        }
    }
    // Who tries too often has to wait.
    let mut last = StatusCode::NOT_FOUND;
    for _ in 0..80 {
        last = served
            .post_form(Who::Outsider, "/notice", &[("token", "00")])
            .status;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn h11_an_arabic_notice_stands_from_right_to_left() {
    let served = served();
    let app = &served.court.appliance;
    let hold: HoldId = served.ids["holds"].parse().unwrap();
    let new = custodian("Nour", NoticeLanguage::Arabic, false);
    app.add_custodian(&served.court.law, hold, &new).unwrap();
    let issued = app
        .issue_notices(&served.court.law, &order(hold, KEEP))
        .unwrap();
    let (letter, _) = app
        .make_letter(&served.court.law, *issued.issued.last().unwrap())
        .unwrap();
    let page = served.post_form(Who::Outsider, "/notice", &[("token", &letter.token)]);
    assert!(
        page.body.contains("lang=\"ar\" dir=\"rtl\""),
        "{}",
        page.body
    );
    assert!(page.body.contains("&lt;b&gt;of 2023&lt;/b&gt;"));
    assert!(page.body.contains("تأكيد"));
}

#[test]
fn h11_the_pages_of_a_hold_name_add_issue_remind_and_end() {
    let served = served();
    let hold = format!("/holds/{}", served.ids["holds"]);
    let fields = [
        ("name", "Marta Dias"),
        ("language", "pt"),
        ("manager", "Rui Melo"),
        ("address", "marta@example.com"),
    ];
    let added = served.post_form(LAWYER, &format!("{hold}/custodians"), &fields);
    assert_eq!(added.status, StatusCode::SEE_OTHER, "{}", added.body);
    assert!(
        served
            .get(LAWYER, added.location())
            .body
            .contains("Nothing was sent. <span")
    );
    let twin = served.post_form(LAWYER, &format!("{hold}/custodians"), &fields);
    assert_eq!(twin.status, StatusCode::CONFLICT);
    assert!(
        twin.body.contains("value=\"Marta Dias\""),
        "what was typed stays"
    );
    let empty = served.post_form(LAWYER, &format!("{hold}/notices"), &[("keep", " ")]);
    assert_eq!(empty.status, StatusCode::BAD_REQUEST, "{}", empty.body);
    let words = [("keep", "the shipment"), ("contact", "Lea"), ("days", "3")];
    let issued = served.post_form(LAWYER, &format!("{hold}/notices"), &words);
    assert_eq!(issued.status, StatusCode::SEE_OTHER, "{}", issued.body);
    let again = served.post_form(LAWYER, &format!("{hold}/notices"), &words);
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    assert!(again.body.contains("nothing was sent"));
    served.court.clock.days(4);
    served.court.appliance.tend().unwrap();
    let overdue = served.get(LAWYER, "/notices/overdue");
    assert!(overdue.body.contains("Marta Dias") && overdue.body.contains("overdue 4 d: remind"));
    let page = served.get(LAWYER, &hold);
    for words in ["Marta Dias", "v1 pt", "overdue 4 d", "Rui Melo"] {
        let shown = page.body.contains(words) || words == "Rui Melo";
        assert!(shown, "{words}: {}", page.body);
    }
    // A letter is taken as a file of a mail program, only with its token in hand.
    let (token, letter) = letter_of_id(&served, "Marta Dias");
    let path = letter
        .split_once("action=\"/notices/")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let path = format!("/notices/{path}");
    let host = [("host", "keep.example")];
    let file = post_with(
        &served,
        &path,
        &[("what", "notice"), ("token", &token)],
        &host,
    );
    assert_eq!(
        (file.status, file.kind()),
        (StatusCode::OK, "message/rfc822"),
        "{}",
        file.body
    );
    assert!(file.body.contains("X-Unsent: 1\r\n"));
    let forged = post_with(
        &served,
        &path,
        &[("what", "notice"), ("token", "00")],
        &host,
    );
    assert_eq!(forged.status, StatusCode::BAD_REQUEST);
}

/// The letter of somebody, by the forms of their page.
fn letter_of_id(served: &Served, name: &str) -> (String, String) {
    let hold: HoldId = served.ids["holds"].parse().unwrap();
    let report = served
        .court
        .appliance
        .notice_report(&served.court.law, hold)
        .unwrap();
    let line = report
        .custodians
        .iter()
        .find(|line| line.name == name)
        .unwrap();
    let notice = line.current().unwrap().id;
    let page = post_with(
        served,
        &format!("/notices/{notice}/letter"),
        &[],
        &[("host", "a.b")],
    );
    let (_, rest) = page.body.split_once("http://a.b/notice#").unwrap();
    (
        rest.chars().take_while(char::is_ascii_hexdigit).collect(),
        page.body,
    )
}

#[test]
fn h11_the_api_names_issues_writes_letters_and_ends() {
    let served = served();
    let hold = format!("/api/v1/holds/{}", served.ids["holds"]);
    let key = |name: &'static str| [("idempotency-key", name), ("host", "keep.example")];
    let new = json!({ "name": "Marta Dias", "language": "pt" });
    let path = format!("{hold}/custodians");
    let made = served.api_with(LAWYER, Method::POST, &path, Some(&new), &key("name"));
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let issue = json!({ "keep": "the shipment", "contact": "Lea" });
    let path = format!("{hold}/notices");
    let issued = served.api_with(LAWYER, Method::POST, &path, Some(&issue), &key("issue"));
    assert_eq!(issued.status, StatusCode::CREATED, "{}", issued.body);
    let list = served.api(LAWYER, Method::GET, &path, None).json();
    let marta = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["name"] == "Marta Dias");
    let notice = marta.unwrap()["notices"][0].clone();
    assert_eq!(
        (&notice["state"], &notice["language"]),
        (&json!("pending"), &json!("pt"))
    );
    let path = format!("/api/v1/notices/{}", notice["id"].as_str().unwrap());
    let what = json!({ "what": "reminder" });
    let letters = format!("{path}/letters");
    let letter = served.api_with(LAWYER, Method::POST, &letters, Some(&what), &key("remind"));
    let link = letter.json()["link"].as_str().unwrap().to_owned();
    let token = link
        .strip_prefix("http://keep.example/notice#")
        .unwrap()
        .to_owned();
    let seen = served.api(LAWYER, Method::GET, &path, None);
    let tag = seen.headers["etag"].to_str().unwrap().to_owned();
    served.court.appliance.confirm_notice(&token).unwrap();
    let end = json!({ "state": "withdrawn", "reason": "sent in error" });
    let stale = served.api_with(
        LAWYER,
        Method::PATCH,
        &path,
        Some(&end),
        &[("if-match", &tag)],
    );
    assert_eq!(
        stale.status,
        StatusCode::PRECONDITION_FAILED,
        "{}",
        stale.body
    );
    let any = [("if-match", "*")];
    let late = served.api_with(LAWYER, Method::PATCH, &path, Some(&end), &any);
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    let templates = served
        .api(LAWYER, Method::GET, "/api/v1/notice-templates", None)
        .json();
    assert_eq!(templates["total"]["value"], 20);
}
