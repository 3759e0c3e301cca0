//! Matters, holds, policies, lists of disposition and requests, done through the pages alone.

use axum::http::StatusCode;
use wordkeep::app::{HoldStanding, Review, verify_certificate};
use wordkeep::domain::{BatchNo, HoldId, MessageId, Role};

use crate::house::{count, import, ios_export, log_in};
use crate::served::{Answer, Served, Who, served, settled};

const LAW: Who = Who::Person(Role::Lawyer);
const REC: Who = Who::Person(Role::RecordsOfficer);
const AUD: Who = Who::Person(Role::Auditor);

/// Sends a form that must be done, and opens the page it leads to.
fn done(served: &Served, who: Who, path: &str, fields: &[(&str, &str)]) -> (String, Answer) {
    let answer = served.post_form(who, path, fields);
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "{path} {fields:?}: {}",
        answer.body
    );
    let to = answer.location().to_owned();
    let page = served.get(who, &to);
    assert_eq!(page.status, StatusCode::OK, "{to}: {}", page.body);
    (to, page)
}

fn refused(served: &Served, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = served.post_form(who, path, fields);
    assert!(answer.status.is_client_error(), "{path}: {}", answer.status);
    assert!(answer.body.contains("role=\"alert\""), "{}", answer.body);
    answer
}

fn says(page: &Answer, words: &str) {
    assert!(page.body.contains(words), "no \"{words}\" in {}", page.body);
}

/// The number behind a word of an address, such as the hold of `/holds/hld_…`.
fn id_in(path: &str) -> &str {
    let path = path.split('?').next().unwrap();
    path.rsplit('/').next().unwrap()
}

/// A matter that was opened on its page.
fn matter(served: &Served) -> String {
    let fields = [("name", "Nordwind & Söhne"), ("reference", "2026-CV-118")];
    let (to, page) = done(served, LAW, "/matters", &fields);
    says(&page, "The matter is open.");
    says(&page, "audit #");
    says(&page, "Nordwind &amp; Söhne");
    id_in(&to).to_owned()
}

/// A chat of other people about other things, that no hold of the harness protects.
fn further(served: &Served, word: &str) {
    let folder = served.court.dir.path().join(word);
    std::fs::create_dir_all(&folder).unwrap();
    let lines = (0..40).map(|n| {
        let who = ["Dana Fox", "Eli Katz"][n % 2];
        format!(
            "[{}/05/2022, 10:{n:02}:00] {who}: {word} about the lease, page {n}\n",
            13 + n % 9
        )
    });
    let mut chat: Vec<String> = lines.collect();
    chat.sort();
    let path = ios_export(&folder, "Lease", &chat.concat(), &[]);
    import(&served.court.appliance, &served.court.rec, &path).unwrap();
}

/// What a page shows of the long look that a form asks for.
fn looked(served: &Served, who: Who, path: &str, fields: &[(&str, &str)]) -> Answer {
    let answer = served.post_form(who, path, fields);
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    let to = answer.location().split('#').next().unwrap().to_owned();
    assert!(to.contains("?trial=job_"), "{to}");
    for _ in 0..600 {
        let page = served.get(who, &to);
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let state = |name: &str| page.body.contains(&format!("data-state=\"{name}\""));
        if !state("waiting") && !state("running") {
            return page;
        }
        // Without script the page looks again by itself, and the act can be stopped.
        says(&page, "http-equiv=\"refresh\"");
        says(&page, "/stop\"");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("not over in time: {to}");
}

#[test]
fn x1_what_a_page_simulates_is_a_job_of_whoever_asked() {
    let served = served();
    let (to, _) = done(&served, REC, "/policies/new", &DELETE);
    let path = format!("/policies/{}", id_in(&to));
    let begun = served.post_form(REC, &format!("{path}/simulate"), &[("as_of", "")]);
    let job = begun.location().split_once("?trial=").unwrap().1;
    let job = job.split('#').next().unwrap();
    looked(&served, REC, &format!("{path}/simulate"), &[("as_of", "")]);
    let page = served.get(REC, &format!("/jobs/{job}"));
    says(&page, "Simulate a policy");
    says(&page, "would be due");
    // The part of the page that is asked for while it runs has the whole page shown again.
    let part = served.get(REC, &format!("/jobs/{job}/state?page={path}"));
    assert_eq!(part.headers.get("hx-refresh").unwrap(), "true");
    let elsewhere = served.get(REC, &format!("/jobs/{job}/state?page=//evil.example"));
    assert!(!elsewhere.body.contains("evil"));
    // Nobody else sees it.
    let other = served.get(LAW, &format!("{path}?trial={job}"));
    assert_eq!(other.status, StatusCode::OK);
    assert!(!other.body.contains("id=\"simulation\""));
    assert_eq!(
        served.get(LAW, &format!("/jobs/{job}")).status,
        StatusCode::NOT_FOUND
    );
    let lost = served.post_form(
        REC,
        "/policies/pol_00000000000000000000000000/simulate",
        &[],
    );
    assert_eq!(lost.status, StatusCode::NOT_FOUND);
}

#[test]
fn h1_a_hold_is_previewed_exactly_then_placed_and_follows_what_comes() {
    let served = served();
    let app = &served.court.appliance;
    let matter = matter(&served);
    let path = format!("/matters/{matter}/hold");
    let mut fields = vec![
        ("name", "Claim of 3 March"),
        ("by", "query"),
        ("query", "quetzalixword7 OR quetzalixword8"),
        ("extent", "later"),
        ("reason", "letter of 3 March"),
    ];
    let matching = count(app, &served.court.law, fields[2].1);
    assert!(matching > 0);
    let holds = || app.holds(&served.court.law).unwrap().len();
    let before = holds();
    let preview = looked(&served, LAW, &path, &fields);
    let noun = if matching == 1 { "message" } else { "messages" };
    says(&preview, &format!("<strong>{matching} {noun}</strong> now"));
    says(&preview, "Read as");
    says(&preview, "By platform");
    assert_eq!(holds(), before, "a preview places nothing");
    fields.push(("act", "place"));
    let (to, page) = done(&served, LAW, &path, &fields);
    says(&page, "Effective now");
    says(&page, "are protected when they match");
    let dynamic: HoldId = id_in(&to).parse().unwrap();
    fields[3].1 = "now";
    let (to, page) = done(&served, LAW, &path, &fields);
    says(&page, "it names its messages");
    let fixed: HoldId = id_in(&to).parse().unwrap();
    let protected = |id| app.hold_extent(&served.court.law, id).unwrap().messages;
    assert_eq!((protected(dynamic), protected(fixed)), (matching, matching));
    // What comes later falls under the one that follows, and not under the other.
    further(&served, "quetzalixword7");
    let after = count(app, &served.court.law, fields[2].1);
    assert!(after > matching);
    assert_eq!((protected(dynamic), protected(fixed)), (after, matching));
    let counts = app.hold_extent(&served.court.law, dynamic).unwrap().spread;
    for total in [
        counts.by_app.iter().map(|(_, n)| n).sum::<u64>(),
        counts.by_year.iter().map(|(_, n)| n).sum(),
        counts.by_person.iter().map(|(_, n)| n).sum(),
    ] {
        assert_eq!(total, after);
    }
    // Nobody but a lawyer places one.
    assert_eq!(served.get(REC, &path).status, StatusCode::FORBIDDEN);
}

#[test]
fn h1_what_is_not_clear_is_shown_in_place_with_the_form_as_it_was() {
    let served = served();
    let path = format!("/matters/{}/hold", matter(&served));
    let fields = [
        ("name", "Kept name"),
        ("by", "query"),
        ("query", "on:05/03/2024"),
        ("reason", "kept reason"),
    ];
    let page = refused(&served, LAW, &path, &fields);
    for words in ["Q009", "^^^", "Kept name", "kept reason", "on:05/03/2024"] {
        says(&page, words);
    }
    let nobody = [
        ("name", "x"),
        ("by", "person"),
        ("person", "Nobody Nowhere"),
        ("reason", "kept reason"),
    ];
    let page = refused(&served, LAW, &path, &nobody);
    says(&page, "Nobody Nowhere");
}

#[test]
fn h4_a_release_needs_two_people_and_the_name_typed() {
    let served = served();
    let app = &served.court.appliance;
    let hold: HoldId = served.ids["holds"].parse().unwrap();
    let path = format!("/holds/{hold}/release");
    let line = || {
        let holds = app.holds(&served.court.law).unwrap();
        holds.into_iter().find(|line| line.id == hold).unwrap()
    };
    let name = line().name;
    let page = served.get(LAW, &path);
    says(&page, "would be held by nobody");
    let wrong = [("reason", "settled"), ("confirm", "something else")];
    says(&refused(&served, LAW, &path, &wrong), "settled");
    assert_eq!(line().standing, HoldStanding::Active);
    let right = [("reason", "settled"), ("confirm", name.as_str())];
    let (_, page) = done(&served, LAW, &path, &right);
    says(&page, "Nothing changes until another");
    says(&page, "law</bdi> asked for its release");
    assert_eq!(line().standing, HoldStanding::ReleaseRequested);
    says(&served.get(REC, "/retention"), "Waits for another person");
    // The same person cannot agree, and is offered nothing to agree with.
    assert!(!served.get(LAW, &path).body.contains("name=\"confirm\""));
    refused(&served, LAW, &path, &right);
    let (_, page) = done(&served, REC, &path, &right);
    says(&page, "The grace has begun");
    assert!(matches!(line().standing, HoldStanding::Grace(_)));
}

/// The fields of a policy that lets everything go after a year.
const DELETE: [(&str, &str); 8] = [
    ("name", "A year of chats"),
    ("scope", "*"),
    ("action", "delete"),
    ("period", "P1Y"),
    ("trigger", "sent"),
    ("reviewers", "1"),
    ("reason", "the board wants it"),
    ("act", "write"),
];

/// A policy that is written, simulated and enabled on its pages.
fn in_force(served: &Served) -> String {
    let (to, page) = done(served, REC, "/policies/new", &DELETE);
    says(&page, "Written as a draft");
    let path = format!("/policies/{}", id_in(&to));
    let enable = format!("{path}/enable");
    let early = refused(served, REC, &enable, &[("reason", "decided")]);
    says(&early, "simulation");
    let tried = looked(
        served,
        REC,
        &format!("{path}/simulate"),
        &[("as_of", "2099-01-01")],
    );
    for words in [
        "would be due",
        "Beside the rules in force",
        "By person",
        "/why\"",
    ] {
        says(&tried, words);
    }
    let (_, page) = done(served, REC, &enable, &[("reason", "decided")]);
    says(&page, "The version is in force.");
    path
}

#[test]
fn r3_a_policy_is_read_back_simulated_enabled_and_not_ended_by_its_author() {
    let served = served();
    let check = [("scope", "app:whatsapp"), ("name", "x"), ("act", "check")];
    let page = served.post_form(REC, "/policies/new", &check);
    assert_eq!(page.status, StatusCode::OK);
    says(&page, "Read as");
    let mut wrong = DELETE;
    wrong[1].1 = "on:05/03/2024";
    let page = refused(&served, REC, "/policies/new", &wrong);
    says(&page, "Q009");
    says(&page, "A year of chats");
    wrong = DELETE;
    wrong[3].1 = "a year";
    says(
        &refused(&served, REC, "/policies/new", &wrong),
        "is not a period",
    );
    let path = in_force(&served);
    says(&served.get(AUD, &path), "A year of chats");
    let end = [("reason", "away"), ("confirm", "A year of chats")];
    let page = refused(&served, REC, &format!("{path}/disable"), &end);
    says(&page, "another records officer");
    says(&served.get(AUD, "/retention"), "in force");
    says(&served.get(AUD, "/retention/due"), "By policy");
}

#[test]
fn d1_what_is_due_is_listed_approved_run_and_certified_on_pages() {
    let served = served();
    let app = &served.court.appliance;
    further(&served, "lease");
    in_force(&served);
    served.court.clock.days(31);
    let (to, page) = done(&served, REC, "/dispositions", &[]);
    says(&page, "You cannot approve it");
    says(&page, "A year of chats");
    let no = BatchNo(id_in(&to).parse().unwrap());
    let number = no.0.to_string();
    let path = format!("/dispositions/{no}");
    let story = app
        .disposition(&served.session(Role::Lawyer), no, 0, 1)
        .unwrap();
    let total = story.line.items;
    assert!(total >= 40, "{total}");
    let first: MessageId = story.items[0].message.unwrap();
    // One message comes off, with a reason.
    let off = [
        ("act", "exclude"),
        ("message", &*first.to_string()),
        ("reason", "still needed"),
    ];
    let review = format!("{path}/review");
    let (_, page) = done(&served, LAW, &review, &off);
    says(&page, "still needed");
    let unsure = [
        ("act", "approve"),
        ("reason", "looked at it"),
        ("confirm", ""),
    ];
    refused(&served, LAW, &review, &unsure);
    let sure = [
        ("act", "approve"),
        ("reason", "looked at it"),
        ("confirm", number.as_str()),
    ];
    let (_, page) = done(&served, LAW, &review, &sure);
    says(&page, "1 of 2, by ");
    let second = log_in(app, "rec2");
    app.review_disposition(&second, no, Review::Approve, "looked too")
        .unwrap();
    says(&served.get(LAW, &path), "ends ");
    let run = format!("{path}/run");
    let sure = [("confirm", number.as_str())];
    says(&refused(&served, REC, &run, &sure), "recall");
    served.court.clock.days(8);
    refused(&served, REC, &run, &[("confirm", "no")]);
    let begun = served.post_form(REC, &run, &sure);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    assert!(
        begun.location().starts_with("/jobs/job_"),
        "{}",
        begun.location()
    );
    let page = settled(&served, REC, begun.location());
    says(&page, &format!("{} messages destroyed", total - 1));
    let way = format!("{path}/certificate");
    says(&page, &way);
    let page = served.get(REC, &way);
    says(&page, "It holds.");
    says(&page, &format!("<strong>{} messages</strong>", total - 1));
    let file = served.get(AUD, &format!("{path}/certificate.json"));
    let placed = file.headers["content-disposition"].to_str().unwrap();
    assert!(placed.starts_with("attachment"), "{placed}");
    let document = file.body.trim_end().as_bytes();
    let certificate = verify_certificate(document, app.archive().log_verifier()).unwrap();
    assert_eq!(certificate.items.len() as u64, total - 1);
}

#[test]
fn r8_the_page_says_why_as_the_command_does() {
    let served = served();
    let app = &served.court.appliance;
    let id: MessageId = served.ids["m"].parse().unwrap();
    let page = served.get(LAW, &format!("/m/{id}/why"));
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let why = app.why(&served.court.law, id, None).unwrap();
    // The command writes instants in another form: without them, both say the same.
    let plain = |_| "\u{1}".to_owned();
    let sentences = why.reason_sentences(&plain);
    assert!(!sentences.is_empty());
    for sentence in sentences.into_iter().chain([why.verdict_sentence(&plain)]) {
        for piece in sentence.text.split('\u{1}') {
            let piece = piece.replace('"', "&quot;");
            assert!(page.body.contains(&piece), "no {piece:?} in {}", page.body);
        }
    }
    // Who sees the rules finds the way from the message.
    let conversation = format!("/c/{}", served.ids["c"]);
    let way = format!("/m/{id}/why");
    assert!(
        served.get(LAW, &conversation).body.contains("/why\""),
        "{way}"
    );
    let manager = served.get(Who::Person(Role::Manager), &conversation);
    assert!(!manager.body.contains("/why\""));
}

#[test]
fn r9_a_request_is_decided_message_by_message() {
    let served = served();
    further(&served, "lease");
    let id = &served.ids["requests"];
    let path = format!("/requests/{id}");
    let page = served.get(AUD, &path);
    says(&page, "Answer by");
    assert!(!page.body.contains("/decide"), "an auditor decides nothing");
    let decide = format!("{path}/decide");
    let message = served.ids["messages"].as_str();
    let groundless = [
        ("act", "refuse"),
        ("messages", message),
        ("reason", "tax law"),
    ];
    says(&refused(&served, REC, &decide, &groundless), "ground");
    let grounded = [
        ("act", "refuse"),
        ("ground", "b"),
        ("messages", message),
        ("reason", "tax law"),
    ];
    let (_, page) = done(&served, REC, &decide, &grounded);
    says(&page, "refused");
    says(&page, "art. 17(3)(b)");
    let new = [("person", "Dana Fox"), ("reason", "asked in writing")];
    let (_, page) = done(&served, REC, "/requests", &new);
    says(&page, "Recorded.");
    says(
        &refused(&served, REC, "/requests", &[("reason", "x")]),
        "who asks",
    );
}

#[test]
fn r7_one_person_freezes_and_two_lift_it() {
    let served = served();
    let (_, page) = done(
        &served,
        LAW,
        "/retention/freeze",
        &[("reason", "litigation expected")],
    );
    says(&page, "All purges are frozen");
    says(&page, "litigation expected");
    let lift = [("reason", "counsel agreed")];
    let (_, page) = done(&served, LAW, "/retention/freeze/1/lift", &lift);
    says(&page, "The freeze stands until another");
    refused(&served, LAW, "/retention/freeze/1/lift", &lift);
    let (_, page) = done(&served, REC, "/retention/freeze/1/lift", &lift);
    says(&page, "The freeze is lifted");
    assert!(!page.body.contains("All purges are frozen"));
}

#[test]
fn m6_what_counts_asks_again_who_it_is_after_a_while() {
    let served = served();
    let app = &served.court.appliance;
    let hold = &served.ids["holds"];
    let path = format!("/holds/{hold}/release");
    assert_eq!(served.get(LAW, &path).status, StatusCode::OK);
    // Still signed in, and no longer fresh.
    served.court.clock.seconds(11 * 60);
    let away = served.get(LAW, &path);
    assert_eq!(away.location(), format!("/step-up?to={path}"));
    let fields = [("reason", "settled"), ("confirm", "claim")];
    let away = served.post_form(LAW, &path, &fields);
    assert!(away.location().starts_with("/step-up"), "{}", away.status);
    let holds = app.holds(&served.court.law).unwrap();
    assert!(holds.iter().all(|line| line.release_asked.is_none()));
}
