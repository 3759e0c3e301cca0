//! Who is let in: sessions, the first claim, links, second factors, tokens, passwords, grants.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/court.rs"]
mod court;
#[path = "../support/house.rs"]
mod house;

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use court::{Court, court};
use house::{PASSWORD, Place, secret};
use wordkeep::app::{AppError, Appliance, SignIn, VerifyRequest, WebSession};
use wordkeep::auth::{AuthError, SessionKey};
use wordkeep::crypto::StretchCost;
use wordkeep::domain::Role;

const MINUTE: i64 = 60;
const OTHER: &str = "another good passphrase";

/// Signs in somebody without a second factor.
fn sign_in(app: &Appliance, login: &str) -> (SessionKey, WebSession) {
    match app.sign_in(login, PASSWORD, None).unwrap() {
        SignIn::In(key, web) => (key, web),
        SignIn::CodeNeeded => panic!("nobody has a second factor here"),
    }
}

fn is_over(app: &Appliance, key: &SessionKey) -> bool {
    matches!(
        app.web_session(key),
        Err(AppError::Auth(AuthError::Session))
    )
}

/// Nothing that was done broke a rule of the log or of the record.
fn sound(court: &Court) {
    let request = VerifyRequest {
        records: true,
        ..VerifyRequest::default()
    };
    let report = court.appliance.verify(&court.rec, &request, &mut |_, _| {});
    let report = report.unwrap();
    let record = report.record.as_ref().unwrap();
    assert!(record.problems().is_empty(), "{:?}", record.problems());
}

#[test]
fn t7_a_session_ends_with_idleness_with_the_day_and_with_signing_out() {
    let court = court();
    let app = &court.appliance;
    let (key, web) = sign_in(app, "LAW");
    assert_eq!(
        (web.login.as_str(), web.session.actor.role),
        ("law", Role::Lawyer)
    );
    assert!(web.stepped_up && !web.second_factor);
    court.clock.seconds(11 * MINUTE);
    let later = app.web_session(&key).unwrap();
    assert!(!later.stepped_up && later.csrf == web.csrf);
    for _ in 0..10 {
        court.clock.seconds(29 * MINUTE);
        app.web_session(&key).unwrap();
    }
    court.clock.seconds(31 * MINUTE);
    assert!(is_over(app, &key));
    // Twelve hours are the end, whoever is there.
    let (key, _) = sign_in(app, "law");
    for _ in 0..24 {
        court.clock.seconds(29 * MINUTE);
        app.web_session(&key).unwrap();
    }
    court.clock.seconds(25 * MINUTE);
    assert!(is_over(app, &key));
    // A computer that slept counts by its wall clock.
    let (key, _) = sign_in(app, "law");
    court.clock.jump_seconds(31 * MINUTE);
    assert!(is_over(app, &key));
    // Whoever signs out is out, and the other browser is not.
    let ((key, web), (other, other_web)) = (sign_in(app, "law"), sign_in(app, "law"));
    assert_ne!(web.csrf, other_web.csrf);
    app.sign_out(&key).unwrap();
    assert!(is_over(app, &key) && !is_over(app, &other));
    app.sign_out(&key).unwrap();
    let forged: SessionKey = "0".repeat(64).parse().unwrap();
    assert!(is_over(app, &forged));
}
