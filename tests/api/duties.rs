//! Account, users, audit and system as their people meet them.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use wordkeep::domain::{Right, Role};

use crate::house::PASSWORD;
use crate::served::{Answer, Served, Who, served};

const ROOT: Who = Who::Person(Role::Administrator);
const LAWYER: Who = Who::Person(Role::Lawyer);
const AUDITOR: Who = Who::Person(Role::Auditor);

/// Between two marks of a page.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap();
    rest.split_once(after).unwrap().0
}

fn step_up(served: &Served, who: Who) {
    let form = [("password", PASSWORD), ("to", "/account")];
    let proven = served.post_form(who, "/step-up", &form);
    assert_eq!(proven.status, StatusCode::SEE_OTHER, "{}", proven.body);
    assert_eq!(proven.location(), "/account");
}

#[test]
fn m4_the_password_is_asked_again_and_never_leads_elsewhere() {
    let served = served();
    let wrong = served.post_form(LAWYER, "/step-up", &[("password", "wrong password")]);
    assert_eq!(wrong.status, StatusCode::FORBIDDEN);
    assert!(wrong.body.contains("role=\"alert\""));
    let form = [("password", PASSWORD), ("to", "//evil.example/x")];
    let away = served.post_form(LAWYER, "/step-up", &form);
    assert_eq!(away.location(), "/");
    let page = served.get(LAWYER, "/step-up?to=/matters");
    assert!(page.body.contains("value=\"/matters\""));
}

#[test]
fn m4_a_token_is_shown_once_and_works_until_it_is_revoked() {
    let served = served();
    step_up(&served, LAWYER);
    let fields = [("name", "nightly"), ("days", "30"), ("search:read", "yes")];
    let made = served.post_form(LAWYER, "/account/tokens", &fields);
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let token = between(&made.body, "hx-disable dir=\"ltr\">", "</code>").to_owned();
    assert!(token.starts_with("wk_"), "{token}");
    let known = |token: &str| {
        let token = token.parse().unwrap();
        served.court.appliance.session_of_token(&token).is_ok()
    };
    assert!(known(&token));
    let list = served.get(LAWYER, "/account");
    assert!(list.body.contains("nightly") && !list.body.contains(&token));
    let id = between(&list.body, "/account/tokens/", "/revoke");
    let revoked = served.post_form(LAWYER, &format!("/account/tokens/{id}/revoke"), &[]);
    assert!(
        revoked.location().starts_with("/account?done="),
        "{}",
        revoked.body
    );
    assert!(!known(&token));
    // Without a scope there is nothing to make, and the page says why.
    let none = served.post_form(LAWYER, "/account/tokens", &fields[..2]);
    assert_eq!(none.status, StatusCode::BAD_REQUEST);
    assert!(none.body.contains("one scope at least"), "{}", none.body);
}

#[test]
fn m4_a_password_is_changed_with_the_old_one_alone() {
    let served = served();
    let wrong = [("old", "not my password"), ("new", "another long password")];
    let refused = served.post_form(LAWYER, "/account/password", &wrong);
    assert!(refused.status.is_client_error() && refused.body.contains("role=\"alert\""));
    let right = [("old", PASSWORD), ("new", "another long password")];
    let changed = served.post_form(LAWYER, "/account/password", &right);
    assert!(
        changed.location().starts_with("/account?done="),
        "{}",
        changed.body
    );
    let page = served.get(LAWYER, changed.location());
    assert!(page.body.contains("It is changed.") && page.body.contains("audit #"));
    let app = &served.court.appliance;
    assert!(app.sign_in("law", PASSWORD, None).is_err());
    assert!(app.sign_in("law", "another long password", None).is_ok());
}

#[test]
fn m4_an_authenticator_is_confirmed_before_it_counts() {
    let served = served();
    step_up(&served, LAWYER);
    let offer = served.post_form(LAWYER, "/account/factor", &[]);
    assert!(
        offer.body.contains("otpauth://totp/Wordkeep:law"),
        "{}",
        offer.body
    );
    let wrong = served.post_form(LAWYER, "/account/factor/confirm", &[("code", "000000")]);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(!wrong.body.contains("otpauth:"), "the secret is shown once");
    let page = served.get(LAWYER, "/account");
    assert!(
        page.body.contains("Set up an authenticator"),
        "not in use yet"
    );
}

#[test]
fn m6_users_are_added_changed_and_reviewed() {
    let served = served();
    let fields = [
        ("login", "Nora"),
        ("role", "manager"),
        ("password", "long enough 1"),
    ];
    let added = served.post_form(ROOT, "/users", &fields);
    assert!(
        added.location().starts_with("/users?done="),
        "{}",
        added.body
    );
    let again = served.post_form(ROOT, "/users", &fields);
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(
        again.body.contains("value=\"Nora\""),
        "the form stays filled"
    );
    let granted = format!("conversation {}", served.ids["c"]);
    let form = [("grants", granted.as_str())];
    let grants = served.post_form(ROOT, "/users/nora/grants", &form);
    assert!(grants.location().contains("?done="), "{}", grants.body);
    let page = served.get(ROOT, grants.location());
    assert!(page.body.contains(&granted));
    let wrong = served.post_form(ROOT, "/users/nora/grants", &[("grants", "all of it")]);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(wrong.body.contains("is no grant"), "{}", wrong.body);
    let csv = served.get(ROOT, "/users/review.csv");
    assert!(csv.body.contains("\"nora\"") && csv.body.contains(&granted));
    assert!(csv.kind().starts_with("text/csv"));
    served.post_form(ROOT, "/users/nora/disable", &[]);
    assert!(
        served
            .court
            .appliance
            .sign_in("nora", "long enough 1", None)
            .is_err()
    );
    let last = served.post_form(ROOT, "/users/root/role", &[("role", "auditor")]);
    assert!(last.status.is_client_error() && last.body.contains("last administrator"));
}

#[test]
fn m6_nobody_elses_password_is_set_without_the_own_one() {
    let served = served();
    let form = [("password", "a stolen password")];
    let page = served.get(ROOT, "/users/man");
    let proven = page.body.contains("Reset the password");
    let reset = served.post_form(ROOT, "/users/man/password", &form);
    match proven {
        true => assert!(reset.location().contains("?done="), "{}", reset.body),
        false => assert_eq!(reset.location(), "/step-up?to=/users/man"),
    }
    let signs_in = served
        .court
        .appliance
        .sign_in("man", form[0].1, None)
        .is_ok();
    assert_eq!(signs_in, proven);
}

#[test]
fn m6_the_matrix_of_rights_is_the_programs_own() {
    let served = served();
    let page = served.get(ROOT, "/users").body;
    let yes = page.matches(">yes<").count();
    let held = Role::ALL.into_iter().flat_map(|role| {
        let rights = Right::ALL.into_iter();
        rights.filter(move |right| role.may(*right))
    });
    assert_eq!(yes, held.count());
}

#[test]
fn t4_the_log_is_filtered_paged_and_its_reading_logged() {
    let served = served();
    for _ in 0..60 {
        served.get(LAWYER, &format!("/c/{}", served.ids["c"]));
    }
    let first = served.get(AUDITOR, "/audit?action=content");
    assert_eq!(first.status, StatusCode::OK, "{}", first.body);
    assert!(
        first.body.contains("law (lawyer) looked at messages"),
        "{}",
        first.body
    );
    assert!(!first.body.contains("imported a batch"));
    assert!(first.body.contains("50 entries shown"));
    let next = between(&first.body, "rel=\"next\" href=\"", "\"").replace("&amp;", "&");
    assert!(next.contains("action=content"), "{next}");
    let second = served.get(AUDITOR, &next);
    assert!(second.body.contains("looked at messages"));
    let newest = |page: &str| -> u64 {
        between(page, "<td class=\"figure\">#", "<")
            .parse()
            .unwrap()
    };
    assert!(newest(&second.body) < newest(&first.body));
    // Every entry of the two pages is another one.
    let numbers = |page: &str| -> Vec<String> {
        let rows = page.split("<td class=\"figure\">#").skip(1);
        rows.map(|row| row.split('<').next().unwrap().to_owned())
            .collect()
    };
    let (one, two) = (numbers(&first.body), numbers(&second.body));
    assert!(!two.is_empty() && two.iter().all(|no| !one.contains(no)));
    let object = served.get(AUDITOR, &format!("/audit?object={}", served.ids["imports"]));
    assert!(object.body.contains("ended an import"), "{}", object.body);
    let reading = served.get(AUDITOR, "/audit?action=log.read");
    assert!(reading.body.contains("aud (auditor) read the log"));
    let none = served.get(AUDITOR, "/audit?actor=usr_00000000000000000000000000");
    assert!(none.body.contains("No entry fits"));
    assert_eq!(
        served.get(AUDITOR, "/audit?since=x").status,
        StatusCode::BAD_REQUEST
    );
}

#[test]
fn t4_a_checkpoint_can_be_taken_away_and_proves_growth() {
    let served = served();
    let file = served.get(AUDITOR, "/audit/checkpoint.txt");
    assert_eq!(file.body.lines().count(), 3, "{}", file.body);
    let kept = file.headers["content-disposition"].to_str().unwrap();
    assert!(kept.starts_with("attachment"), "{kept}");
    let as_typed = file.body.replace('\n', "\r\n");
    let form = [("anchor", as_typed.as_str()), ("sample", "0")];
    let begun = served.post_form(AUDITOR, "/audit/verify", &form);
    let began = std::time::Instant::now();
    let page = loop {
        let page = served.get(AUDITOR, begun.location());
        if page.body.contains("data-state=\"done\"") {
            break page;
        }
        assert!(began.elapsed().as_secs() < 60, "{}", page.body);
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(
        page.body.contains("something from outside agrees"),
        "{}",
        page.body
    );
}

#[test]
fn m6_the_system_page_shows_what_its_reader_may_do() {
    let served = served();
    for (who, rebuilds, backs_up) in [
        (ROOT, true, true),
        (Who::Person(Role::RecordsOfficer), true, false),
        (AUDITOR, false, false),
    ] {
        let page = served.get(who, "/system");
        assert_eq!(page.status, StatusCode::OK, "{who}: {}", page.body);
        assert_eq!(
            page.body.contains("/system/index/rebuild"),
            rebuilds,
            "{who}"
        );
        assert_eq!(
            page.body.contains("action=\"/system/backup\""),
            backs_up,
            "{who}"
        );
        assert!(page.body.contains("Compliance time") && page.body.contains("Recovery key"));
    }
}

#[test]
fn m6_what_was_rejected_is_for_whoever_sees_what_came_along() {
    let served = served();
    let manager = Who::Person(Role::Manager);
    let mut seen = 0;
    for import in served.court.appliance.imports(&served.court.rec).unwrap() {
        let page = format!("/imports/{}/notes", import.row.id);
        assert_eq!(served.get(LAWYER, &page).status, StatusCode::OK);
        seen += usize::from(served.get(manager, &page).status == StatusCode::OK);
        assert_eq!(served.get(ROOT, &page).status, StatusCode::FORBIDDEN);
    }
    assert_eq!(seen, 1, "the manager sees one of the two conversations");
}

/// Sends JSON as a script of a page does: with the cookie and the mark of the session.
fn scripted(served: &Served, role: Role, method: &Method, path: &str, body: &str) -> Answer {
    let request = served
        .request(Who::Person(role), method, path)
        .header("x-csrf-token", served.csrf(role))
        .header("idempotency-key", "once")
        .header(header::CONTENT_TYPE, "application/json");
    served.send(request.body(Body::from(body.to_owned())).unwrap())
}

#[test]
fn m4_the_api_asks_a_browser_again_where_the_pages_do() {
    let served = served();
    let token = r#"{"name":"nightly","scopes":["search:read"],"days":1}"#;
    let policy = "/api/v1/policies/pol_00000000000000000000000000";
    let officer = Who::Person(Role::RecordsOfficer);
    // Signing in counts as having shown it: for ten minutes.
    served.court.clock.seconds(11 * 60);
    for (role, method, path, body) in [
        (Role::Lawyer, Method::POST, "/api/v1/tokens", token),
        (Role::RecordsOfficer, Method::PATCH, policy, "{}"),
    ] {
        let refused = scripted(&served, role, &method, path, body);
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(refused.json()["type"], "/problems/step-up", "{path}");
    }
    step_up(&served, LAWYER);
    step_up(&served, officer);
    let made = scripted(
        &served,
        Role::Lawyer,
        &Method::POST,
        "/api/v1/tokens",
        token,
    );
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let next = scripted(&served, Role::RecordsOfficer, &Method::PATCH, policy, "{}");
    assert_eq!(
        next.status,
        StatusCode::PRECONDITION_REQUIRED,
        "{}",
        next.body
    );
}

#[test]
fn t7_strangers_have_to_wait_at_every_open_door() {
    for path in ["/sign-in", "/setup", "/enter", "/unlock"] {
        let served = served();
        let tries = (0..200).map(|n| {
            // Another login each time: the bucket of one login does not answer for this.
            let login = format!("nobody{n}");
            served.post_form(Who::Outsider, path, &[("login", &login)])
        });
        let waits = tries
            .filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS)
            .inspect(|answer| assert!(answer.headers.contains_key(header::RETRY_AFTER)))
            .count();
        assert!(waits > 0, "{path}");
        let page = served.get(Who::Outsider, "/sign-in");
        assert_eq!(page.status, StatusCode::OK, "looking is free");
    }
}
