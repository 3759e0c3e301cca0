//! Log-ins before four eyes: recognised is not let in; one second person opens one log-in, once, in time.

use axum::http::{Method, StatusCode, header};
use wordkeep::app::{AppError, Marked, NewApiToken, SignIn, VerifyRequest, Waiting};
use wordkeep::auth::{AuthError, SessionKey};
use wordkeep::domain::{ApiScope, Role};

use crate::court::{Court, court};
use crate::house::PASSWORD;
use crate::served::{Who, served};

const MINUTE: i64 = 60;

fn waits(court: &Court, login: &str) -> (SessionKey, String) {
    let SignIn::Waits(key) = court.appliance.sign_in(login, PASSWORD, None).unwrap() else {
        panic!("{login} was let in alone");
    };
    let Waiting::For(line) = court.appliance.waiting(&key).unwrap() else {
        panic!("{login} does not wait");
    };
    (key, line.code)
}

fn mark(court: &Court, login: &str, second: Option<&str>) {
    let of = Marked::User(login.to_owned());
    court
        .appliance
        .mark_four_eyes(&court.root, &of, second)
        .unwrap();
}

fn is_in(court: &Court, key: &SessionKey) -> bool {
    court.appliance.web_session(key).is_ok()
}

fn refused<T: std::fmt::Debug>(answer: Result<T, AppError>) -> bool {
    matches!(answer, Err(AppError::Auth(AuthError::Waiting)))
}

fn sound(court: &Court) {
    let request = VerifyRequest::default();
    let report = court
        .appliance
        .verify(&court.rec, &request, &mut |_, _, _| {})
        .unwrap();
    assert!(report.log.problems.is_empty(), "{:?}", report.log.problems);
}

#[test]
fn m5_a_marked_log_in_opens_when_an_administrator_confirms_it_and_for_two_hours() {
    let court = court();
    let app = &court.appliance;
    mark(&court, "rec", None);
    // Whatever they were signed in with has ended.
    assert!(!app.still_stands(&court.rec).unwrap());
    let (key, code) = waits(&court, "rec");
    assert!(!is_in(&court, &key));
    assert_eq!(app.waiting_log_ins(&court.root).unwrap().len(), 1);
    assert!(app.waiting_log_ins(&court.law).unwrap().is_empty());
    app.confirm_log_in(&court.root, &code, true).unwrap();
    assert!(is_in(&court, &key));
    assert_eq!(app.waiting(&key).unwrap(), Waiting::In);
    // Time-boxed, whatever happens in it.
    for _ in 0..5 {
        court.clock.seconds(20 * MINUTE);
        assert!(is_in(&court, &key));
    }
    court.clock.seconds(21 * MINUTE);
    assert!(!is_in(&court, &key));
    let unmarked = Marked::User("rec".to_owned());
    app.unmark_four_eyes(&court.root, &unmarked).unwrap();
    assert!(matches!(
        app.sign_in("rec", PASSWORD, None),
        Ok(SignIn::In(..))
    ));
}

#[test]
fn m5_a_confirmation_lets_one_log_in_in_and_is_not_replayed() {
    let court = court();
    let app = &court.appliance;
    mark(&court, "law", None);
    let (first, code) = waits(&court, "law");
    let (second, other) = waits(&court, "law");
    assert_ne!(code, other);
    app.confirm_log_in(&court.root, &code, true).unwrap();
    assert!(is_in(&court, &first) && !is_in(&court, &second));
    assert!(refused(app.confirm_log_in(&court.root, &code, true)));
    app.sign_out(&first).unwrap();
    assert!(refused(app.confirm_log_in(&court.root, &code, true)));
    assert!(!is_in(&court, &first));
    // Refused is refused.
    app.confirm_log_in(&court.root, &other, false).unwrap();
    assert!(refused(app.confirm_log_in(&court.root, &other, true)));
    assert_eq!(app.waiting(&second).unwrap(), Waiting::Over);
    for forged in ["", "0000-0000", "x"] {
        assert!(refused(app.confirm_log_in(&court.root, forged, true)));
    }
    sound(&court);
}

#[test]
fn m5_nobody_confirms_their_own_log_in_nor_who_is_not_entitled() {
    let court = court();
    let app = &court.appliance;
    app.add_user(&court.root, "root2", Role::Administrator, PASSWORD, &[])
        .unwrap();
    mark(&court, "root2", None);
    let (_, code) = waits(&court, "root2");
    let (own, _) = match app.sign_in("root", PASSWORD, None).unwrap() {
        SignIn::In(key, web) => (key, web),
        _ => panic!("root is not marked"),
    };
    // The same person, let in once, does not let themselves in again.
    app.confirm_log_in(&court.root, &code, true).unwrap();
    let (inside, web) = {
        let (key, code) = waits(&court, "root2");
        app.confirm_log_in(&court.root, &code, true).unwrap();
        let web = app.web_session(&key).unwrap();
        (key, web)
    };
    let (again, code) = waits(&court, "root2");
    assert!(refused(app.confirm_log_in(&web.session, &code, true)));
    assert!(app.waiting_log_ins(&web.session).unwrap().is_empty());
    for other in [&court.law, &court.rec] {
        assert!(refused(app.confirm_log_in(other, &code, true)));
    }
    assert!(!is_in(&court, &again) && is_in(&court, &inside) && is_in(&court, &own));
    // A person that is named confirms, and administrators do not.
    mark(&court, "law", Some("rec"));
    let (key, code) = waits(&court, "law");
    assert!(refused(app.confirm_log_in(&court.root, &code, true)));
    app.confirm_log_in(&court.rec, &code, true).unwrap();
    assert!(is_in(&court, &key));
    let own = Marked::User("law".to_owned());
    assert!(app.mark_four_eyes(&court.root, &own, Some("law")).is_err());
    sound(&court);
}

#[test]
fn m5_who_waits_too_long_is_not_let_in() {
    let court = court();
    let app = &court.appliance;
    mark(&court, "law", None);
    let (key, code) = waits(&court, "law");
    court.clock.seconds(9 * MINUTE);
    assert!(matches!(app.waiting(&key).unwrap(), Waiting::For(_)));
    court.clock.seconds(2 * MINUTE);
    assert_eq!(app.waiting(&key).unwrap(), Waiting::Over);
    assert!(refused(app.confirm_log_in(&court.root, &code, true)));
    assert!(!is_in(&court, &key));
    // A new try forgets what waited too long.
    let (key, code) = waits(&court, "law");
    app.confirm_log_in(&court.root, &code, true).unwrap();
    assert!(is_in(&court, &key));
    sound(&court);
}

#[test]
fn m5_no_other_way_leads_in_and_somebody_always_enters_alone() {
    let court = court();
    let app = &court.appliance;
    let of_role = Marked::Role(Role::Lawyer);
    app.mark_four_eyes(&court.root, &of_role, None).unwrap();
    waits(&court, "law");
    let four_eyes = |error: AppError| matches!(error, AppError::Auth(AuthError::FourEyes));
    assert!(four_eyes(app.log_in("law", PASSWORD, 1).unwrap_err()));
    assert!(four_eyes(app.sign_in_link("law").unwrap_err()));
    let (key, code) = waits(&court, "law");
    app.confirm_log_in(&court.root, &code, true).unwrap();
    let session = app.web_session(&key).unwrap().session;
    let token = NewApiToken {
        name: "nightly".to_owned(),
        scopes: vec![ApiScope::SearchRead],
        days: 1,
    };
    assert!(four_eyes(
        app.create_api_token(&session, &token).unwrap_err()
    ));
    // The last administrator who enters alone stays one.
    let last = |of: &Marked| app.mark_four_eyes(&court.root, of, None).unwrap_err();
    for of in [
        Marked::User("root".to_owned()),
        Marked::Role(Role::Administrator),
    ] {
        assert!(matches!(
            last(&of),
            AppError::Auth(AuthError::LastAdministrator)
        ));
    }
    app.add_user(&court.root, "root2", Role::Administrator, PASSWORD, &[])
        .unwrap();
    mark(&court, "root2", None);
    assert!(app.disable_user(&court.root, "root").is_err());
    sound(&court);
}

#[test]
fn m5_the_pages_let_wait_confirm_and_open() {
    let served = served();
    let app = &served.court.appliance;
    let of = Marked::User("law".to_owned());
    app.mark_four_eyes(&served.court.root, &of, None).unwrap();
    let fields = [("login", "law"), ("password", PASSWORD), ("to", "/matters")];
    let sent = served.post_form(Who::Outsider, "/sign-in", &fields);
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    assert_eq!(sent.location(), "/sign-in/waiting?to=/matters");
    let cookie = sent.headers[header::SET_COOKIE].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let with = |path: &str| {
        let request = axum::http::Request::builder().method(Method::GET).uri(path);
        let request = request.header(header::COOKIE, &cookie);
        served.send(request.body(axum::body::Body::empty()).unwrap())
    };
    let room = with(sent.location());
    assert_eq!(room.status, StatusCode::OK);
    assert_eq!(room.headers["refresh"], "5");
    assert!(
        with("/matters").location().starts_with("/sign-in"),
        "not in yet"
    );
    let administrator = Who::Person(Role::Administrator);
    let list = served.get(administrator, "/confirmations");
    let (_, rest) = list.body.split_once("name=\"code\" value=\"").unwrap();
    let code = rest[..9].to_owned();
    assert!(room.body.contains(&code));
    let fields = [("code", code.as_str()), ("act", "in")];
    let done = served.post_form(administrator, "/confirmations", &fields);
    assert!(
        done.location().starts_with("/confirmations?did=in"),
        "{}",
        done.body
    );
    assert_eq!(with(sent.location()).location(), "/matters");
    assert_eq!(with("/matters").status, StatusCode::OK);
    let again = served.post_form(administrator, "/confirmations", &fields);
    assert_eq!(again.status, StatusCode::BAD_REQUEST, "{}", again.body);
}
