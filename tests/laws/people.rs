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

use court::{Court, blocked, court};
use house::{PASSWORD, Place, count, import, log_in, secret};
use wordkeep::app::{
    AppError, Appliance, ConversationRequest, Grant, LogRequest, NewApiToken, SearchRequest,
    Session, SignIn, VerifyRequest, WebSession,
};
use wordkeep::audit::{Action, AuthStrength, Outcome};
use wordkeep::auth::{AuthError, SessionKey, require};
use wordkeep::crypto::{StretchCost, TOTP_STEP_SECONDS, TotpSecret};
use wordkeep::domain::{ApiScope, ConversationId, Right, Role};

const MINUTE: i64 = 60;
const OTHER: &str = "another good passphrase";

/// Signs in somebody without a second factor.
fn sign_in(app: &Appliance, login: &str) -> (SessionKey, WebSession) {
    match app.sign_in(login, PASSWORD, None).unwrap() {
        SignIn::In(key, web) => (key, web),
        SignIn::Waits(_) => panic!("nobody needs a second person here"),
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
    let request = VerifyRequest::default();
    let report = court
        .appliance
        .verify(&court.rec, &request, &mut |_, _, _| {})
        .unwrap();
    assert!(report.log.problems.is_empty(), "{:?}", report.log.problems);
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

#[test]
fn t7_a_session_dies_with_the_role_and_the_access() {
    let court = court();
    let app = &court.appliance;
    for change in [
        |court: &Court| court.appliance.set_role(&court.root, "law", Role::Manager),
        |court: &Court| court.appliance.disable_user(&court.root, "law"),
    ] {
        let (key, _) = sign_in(app, "law");
        let (other, _) = sign_in(app, "rec");
        let link = app.sign_in_link("law").unwrap().to_string();
        let (_, token) = app.log_in("law", PASSWORD, 1).unwrap();
        change(&court).unwrap();
        assert!(is_over(app, &key) && !is_over(app, &other));
        assert!(app.session_of_token(&token).is_err());
        assert!(matches!(
            app.open_link(&link),
            Err(AppError::Auth(AuthError::Link))
        ));
    }
    assert!(matches!(
        app.sign_in("law", PASSWORD, None),
        Err(AppError::Auth(AuthError::Refused))
    ));
    sound(&court);
}

#[test]
fn t7_a_password_given_again_counts_for_ten_minutes() {
    let court = court();
    let app = &court.appliance;
    let (key, _) = sign_in(app, "rec");
    court.clock.seconds(10 * MINUTE);
    assert!(!app.web_session(&key).unwrap().stepped_up);
    assert!(matches!(
        app.step_up(&key, OTHER, None),
        Err(AppError::Auth(AuthError::Refused))
    ));
    assert!(!app.web_session(&key).unwrap().stepped_up);
    assert!(app.step_up(&key, PASSWORD, None).unwrap().stepped_up);
    court.clock.seconds(9 * MINUTE);
    assert!(app.web_session(&key).unwrap().stepped_up);
    court.clock.seconds(MINUTE);
    assert!(!app.web_session(&key).unwrap().stepped_up);
}

#[test]
fn t7_a_link_signs_in_once_and_for_fifteen_minutes() {
    let court = court();
    let app = &court.appliance;
    let link = app.sign_in_link("rec").unwrap().to_string();
    let (key, web) = app.open_link(&link).unwrap();
    assert_eq!(web.login, "rec");
    assert!(!web.stepped_up && !is_over(app, &key));
    assert!(app.open_link(&link).is_err());
    let late = app.sign_in_link("rec").unwrap().to_string();
    court.clock.seconds(15 * MINUTE);
    assert!(app.open_link(&late).is_err());
    for forged in ["", "00", &"f".repeat(64)] {
        assert!(matches!(
            app.open_link(forged),
            Err(AppError::Auth(AuthError::Link))
        ));
    }
    let link = app.sign_in_link("rec").unwrap().to_string();
    let opened = AtomicUsize::new(0);
    let start = Barrier::new(20);
    std::thread::scope(|threads| {
        for _ in 0..20 {
            threads.spawn(|| {
                start.wait();
                if app.open_link(&link).is_ok() {
                    opened.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(opened.into_inner(), 1);
    sound(&court);
}

fn unclaimed(place: &Place) -> Appliance {
    Appliance::create_unclaimed(place.settings(), &secret(), "first", StretchCost::LOGIN).unwrap()
}

#[test]
fn t7_fifty_claims_of_one_setup_token_make_one_administrator() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let app = unclaimed(&place);
    assert!(app.setup_open().unwrap());
    let token = app.new_setup_token().unwrap().unwrap().to_string();
    assert_eq!((token.len(), token.matches('-').count()), (19, 3));
    let file = place.data().join("setup-token");
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), token);
    let made = AtomicUsize::new(0);
    let start = Barrier::new(50);
    std::thread::scope(|threads| {
        for no in 0..50 {
            let (app, token, made, start) = (&app, &token, &made, &start);
            threads.spawn(move || {
                start.wait();
                match app.claim_setup(token, &format!("admin{no}"), PASSWORD) {
                    Ok(_) => made.fetch_add(1, Ordering::Relaxed),
                    Err(AppError::Auth(AuthError::Setup)) => 0,
                    Err(other) => panic!("{other}"),
                };
            });
        }
    });
    assert_eq!(made.into_inner(), 1);
    assert!(!app.setup_open().unwrap() && !file.exists());
    assert!(app.new_setup_token().unwrap().is_none());
    let rows = app.archive().store().read().unwrap();
    let users = rows.users().unwrap();
    assert_eq!(users.len(), 1);
    drop(rows);
    // The one who made it can sign in and go on.
    let (_, web) = sign_in(&app, &users[0].login);
    app.add_user(&web.session, "lea", Role::Lawyer, PASSWORD, &[])
        .unwrap();
    assert!(app.claim_setup(&token, "late", PASSWORD).is_err());
}

#[test]
fn t7_a_setup_token_is_replaced_expires_and_survives_a_typing_error() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    unclaimed(&place).close().unwrap();
    let clock = court::Moved::new();
    let app = court::opened(&place, &clock);
    let refused = |token: &str| {
        matches!(
            app.claim_setup(token, "ana", PASSWORD),
            Err(AppError::Auth(AuthError::Setup))
        )
    };
    assert!(refused("K7QD-9F2M-XW4T-HHJ6"));
    let elder = app.new_setup_token().unwrap().unwrap().to_string();
    let token = app.new_setup_token().unwrap().unwrap().to_string();
    assert!(refused(&elder) && refused("") && refused("K7QD-9F2M-XW4T-HHJ6"));
    clock.seconds(30 * MINUTE);
    assert!(refused(&token));
    let token = app.new_setup_token().unwrap().unwrap().to_string();
    // What would be no login or no password uses nothing up; it is told to who holds the token alone.
    assert!(matches!(
        app.claim_setup(&token, "a b", PASSWORD),
        Err(AppError::Auth(AuthError::Login))
    ));
    assert!(matches!(
        app.claim_setup(&token, "ana", "short"),
        Err(AppError::Auth(AuthError::WeakPassword))
    ));
    assert!(matches!(
        app.claim_setup(&elder, "a b", "short"),
        Err(AppError::Auth(AuthError::Setup))
    ));
    clock.seconds(29 * MINUTE);
    // Typed by hand: small letters, no hyphens.
    app.claim_setup(&token.to_lowercase().replace('-', ""), "ana", PASSWORD)
        .unwrap();
    assert!(refused(&token));
}

/// The code an authenticator program shows at the wall clock of the court, steps away from now.
fn code(court: &Court, secret: &str, steps: i64) -> String {
    let step = court.appliance.now().wall.seconds() / TOTP_STEP_SECONDS + steps;
    let secret = TotpSecret::from_base32(secret).unwrap();
    secret.code(u64::try_from(step).unwrap())
}

/// Sets up a second factor; a step passes, so that the next code is a new one.
fn with_factor(court: &Court, login: &str) -> (String, Vec<String>) {
    let app = &court.appliance;
    let (_, web) = sign_in(app, login);
    let offer = app.begin_totp(&web.session).unwrap();
    let uri = format!(
        "otpauth://totp/Wordkeep:{login}?secret={}&",
        offer.secret_base32
    );
    assert!(offer.uri.starts_with(&uri), "{}", offer.uri);
    let now = code(court, &offer.secret_base32, 0);
    let (recovery, _) = app.confirm_totp(&web.session, &now).unwrap();
    court.clock.seconds(TOTP_STEP_SECONDS);
    (offer.secret_base32, recovery)
}

fn wrong_code<T: std::fmt::Debug>(result: Result<T, AppError>) {
    match result.unwrap_err() {
        AppError::Auth(AuthError::Code) => {}
        other => panic!("not a wrong code: {other:?}"),
    }
}

#[test]
fn m4_a_second_factor_is_asked_for_once_it_is_confirmed() {
    let court = court();
    let app = &court.appliance;
    let (_, web) = sign_in(app, "law");
    assert!(matches!(
        app.confirm_totp(&web.session, "123456"),
        Err(AppError::Conflict(_))
    ));
    let offer = app.begin_totp(&web.session).unwrap();
    wrong_code(app.confirm_totp(&web.session, "12345"));
    // An offer asks nothing of anybody.
    sign_in(app, "law");
    let elder = code(&court, &offer.secret_base32, 0);
    app.begin_totp(&web.session).unwrap();
    wrong_code(app.confirm_totp(&web.session, &elder));

    let (secret, recovery) = with_factor(&court, "law");
    assert_eq!(recovery.len(), 10);
    assert!(matches!(
        app.begin_totp(&web.session),
        Err(AppError::Conflict(_))
    ));
    assert!(matches!(
        app.sign_in("law", PASSWORD, None),
        Ok(SignIn::CodeNeeded)
    ));
    assert!(matches!(
        app.sign_in("law", PASSWORD, Some("  ")),
        Ok(SignIn::CodeNeeded)
    ));
    let typed = code(&court, &secret, 0);
    let SignIn::In(key, web) = app.sign_in("law", PASSWORD, Some(&typed)).unwrap() else {
        panic!("a right code lets in");
    };
    assert!(web.second_factor && web.session.strength == AuthStrength::SecondFactor);
    // The command line asks too, and a password alone proves nothing again.
    assert!(matches!(
        app.log_in("law", PASSWORD, 1),
        Err(AppError::Auth(AuthError::CodeMissing))
    ));
    assert!(matches!(
        app.step_up(&key, PASSWORD, None),
        Err(AppError::Auth(AuthError::CodeMissing))
    ));
    court.clock.seconds(TOTP_STEP_SECONDS);
    let next = code(&court, &secret, 0);
    assert!(app.step_up(&key, PASSWORD, Some(&next)).unwrap().stepped_up);
    sound(&court);
}

#[test]
fn m4_a_code_is_taken_once_and_one_step_off_at_most() {
    let court = court();
    let app = &court.appliance;
    let (secret, _) = with_factor(&court, "rec");
    let attempt = |code: &str| app.sign_in("rec", PASSWORD, Some(code));
    let now = code(&court, &secret, 0);
    let early = code(&court, &secret, 2);
    let late = code(&court, &secret, -2);
    assert!(matches!(attempt(&now), Ok(SignIn::In(..))));
    wrong_code(attempt(&now));
    // An elder one that was never shown is refused behind a newer one.
    wrong_code(attempt(&code(&court, &secret, -1)));
    wrong_code(attempt(&early));
    wrong_code(attempt(&late));
    let grouped = code(&court, &secret, 1);
    let grouped = format!("{} {}", &grouped[..3], &grouped[3..]);
    assert!(matches!(attempt(&grouped), Ok(SignIn::In(..))));
    // Set back, the clock does not make old codes good.
    court.clock.jump_seconds(-TOTP_STEP_SECONDS);
    wrong_code(attempt(&code(&court, &secret, 0)));
    // Ten who have seen the same code: one comes in.
    court.clock.seconds(20 * TOTP_STEP_SECONDS);
    let seen = code(&court, &secret, 0);
    let entered = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..5 {
            threads.spawn(|| {
                if matches!(attempt(&seen), Ok(SignIn::In(..))) {
                    entered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(entered.into_inner(), 1);
}

#[test]
fn m4_guessing_is_slowed_down_and_ends_by_itself() {
    let court = court();
    let app = &court.appliance;
    let (secret, recovery) = with_factor(&court, "rec");
    let attempt = |code: &str| app.sign_in("rec", PASSWORD, Some(code));
    for _ in 0..5 {
        wrong_code(attempt(&code(&court, &secret, 3)));
    }
    // Now not even the right one is looked at, for five minutes.
    wrong_code(attempt(&code(&court, &secret, 0)));
    wrong_code(attempt(&recovery[0]));
    court.clock.seconds(5 * MINUTE + TOTP_STEP_SECONDS);
    assert!(matches!(
        attempt(&code(&court, &secret, 0)),
        Ok(SignIn::In(..))
    ));
    assert!(matches!(attempt(&recovery[0]), Ok(SignIn::In(..))));
}

#[test]
fn m4_a_recovery_code_stands_in_once() {
    let court = court();
    let app = &court.appliance;
    let (_, recovery) = with_factor(&court, "law");
    let (_, others) = with_factor(&court, "rec");
    let attempt = |code: &str| app.sign_in("law", PASSWORD, Some(code));
    let typed = recovery[3].to_lowercase().replace('-', " ");
    let SignIn::In(_, web) = attempt(&typed).unwrap() else {
        panic!("a recovery code lets in");
    };
    wrong_code(attempt(&recovery[3]));
    wrong_code(attempt(&others[3]));
    assert_eq!(app.recovery_codes_left(&web.session).unwrap(), Some(9));
    // It also takes the factor away from a lost device.
    wrong_code(app.remove_totp(&web.session, "000000"));
    app.remove_totp(&web.session, &recovery[4]).unwrap();
    assert_eq!(app.recovery_codes_left(&web.session).unwrap(), None);
    sign_in(app, "law");
    // An administrator takes it from others, never their own without a code.
    app.reset_totp(&court.root, "rec").unwrap();
    sign_in(app, "rec");
    assert!(matches!(
        app.reset_totp(&court.root, "rec"),
        Err(AppError::Conflict(_))
    ));
    with_factor(&court, "root");
    assert!(matches!(
        app.reset_totp(&court.root, "root"),
        Err(AppError::Usage(_))
    ));
    assert!(matches!(
        app.reset_totp(&court.law, "root"),
        Err(AppError::Auth(AuthError::Forbidden { .. }))
    ));
    sound(&court);
}

#[test]
fn t7_another_password_ends_every_other_log_in() {
    let court = court();
    let app = &court.appliance;
    let ((key, web), (other, _)) = (sign_in(app, "law"), sign_in(app, "law"));
    let (_, token) = app.log_in("law", PASSWORD, 1).unwrap();
    let link = app.sign_in_link("law").unwrap().to_string();
    let (program, ..) = app
        .create_api_token(&web.session, &wanted(&[ApiScope::SearchRead]))
        .unwrap();
    assert!(matches!(
        app.change_password(&web.session, OTHER, "yet another one"),
        Err(AppError::Auth(AuthError::OldPassword))
    ));
    assert!(matches!(
        app.change_password(&web.session, PASSWORD, "short"),
        Err(AppError::Auth(AuthError::WeakPassword))
    ));
    assert!(!is_over(app, &other));
    app.change_password(&web.session, PASSWORD, OTHER).unwrap();
    assert!(!is_over(app, &key) && is_over(app, &other));
    assert!(app.session_of_token(&token).is_err());
    assert!(app.session_of_token(&program).is_err());
    assert!(app.open_link(&link).is_err());
    assert!(app.sign_in("law", PASSWORD, None).is_err());
    app.sign_in("law", OTHER, None).unwrap();
    // At the command line the token at hand stays.
    let (session, token) = app.log_in("law", OTHER, 1).unwrap();
    app.change_password(&session, OTHER, PASSWORD).unwrap();
    assert!(is_over(app, &key));
    app.session_of_token(&token).unwrap();
    // An administrator resets it: nothing stays.
    let (key, _) = sign_in(app, "law");
    app.reset_password(&court.root, "law", OTHER).unwrap();
    assert!(is_over(app, &key) && app.session_of_token(&token).is_err());
    assert!(matches!(
        app.reset_password(&court.rec, "law", PASSWORD),
        Err(AppError::Auth(AuthError::Forbidden { .. }))
    ));
    assert!(matches!(
        app.reset_password(&court.root, "root", OTHER),
        Err(AppError::Usage(_))
    ));
    sound(&court);
}

#[test]
fn t4_the_host_lets_administrators_in_again_and_nobody_who_reads() {
    let court = court();
    let app = &court.appliance;
    with_factor(&court, "root");
    let reason = "lost phone";
    assert!(blocked(app.break_glass_reset("law", OTHER, reason)).contains("no administrator"));
    assert!(matches!(
        app.break_glass_reset("root", OTHER, " "),
        Err(AppError::Usage(_))
    ));
    app.break_glass_reset("root", OTHER, reason).unwrap();
    let SignIn::In(_, web) = app.sign_in("root", OTHER, None).unwrap() else {
        panic!("the second factor went with the password");
    };
    app.break_glass_create("eva", OTHER, "root left").unwrap();
    app.disable_user(&web.session, "root").unwrap();
    app.sign_in("eva", OTHER, None).unwrap();
    // Who has a right to it reads in the log why.
    let page = app.read_log(&court.rec, &LogRequest::default()).unwrap();
    let told: Vec<_> = page
        .lines
        .iter()
        .filter(|line| line.entry.draft.fact_word("way") == Some("break-glass"))
        .map(|line| line.payload.clone().unwrap())
        .collect();
    assert_eq!(told, ["lost phone", "root left"]);
    sound(&court);
}

/// The conversation whose title holds a word.
fn conversation(court: &Court, title: &str) -> ConversationId {
    let lines = court.appliance.conversations(&court.law).unwrap();
    let found = lines.iter().find(|line| line.title.contains(title));
    found.unwrap().id
}

fn asked(id: ConversationId) -> ConversationRequest {
    ConversationRequest {
        id,
        around: None,
        since: None,
        until: None,
        limit: 10,
        zone: None,
    }
}

fn wanted(scopes: &[ApiScope]) -> NewApiToken {
    NewApiToken {
        name: "monthly report".to_owned(),
        scopes: scopes.to_vec(),
        days: 30,
    }
}

#[test]
fn x2_a_token_does_what_its_scopes_name_and_no_more() {
    let court = court();
    let app = &court.appliance;
    let chat = court.chat("words", 20);
    import(app, &court.root, &chat).unwrap();
    let search = |session: &Session| app.search(session, &SearchRequest::new("wordsword3"));
    let refused =
        |error: Option<AppError>| matches!(error, Some(AppError::Auth(AuthError::Scope { .. })));
    let program = |scopes: &[ApiScope]| {
        let (token, line, _) = app.create_api_token(&court.rec, &wanted(scopes)).unwrap();
        assert_eq!(line.scopes, scopes);
        app.session_of_token(&token).unwrap()
    };
    let searcher = program(&[ApiScope::SearchRead]);
    assert_eq!(search(&searcher).unwrap().answer.total, 1);
    let id = conversation(&court, "words");
    let slice = |session: &Session| app.conversation(session, &asked(id));
    assert!(refused(slice(&searcher).err()));
    assert!(refused(
        app.read_log(&searcher, &LogRequest::default()).err()
    ));
    assert!(refused(app.matters(&searcher).err()));
    let reader = program(&[ApiScope::ConversationRead]);
    assert!(slice(&reader).is_ok() && refused(search(&reader).err()));
    let auditor = program(&[ApiScope::AuditRead]);
    assert!(app.read_log(&auditor, &LogRequest::default()).is_ok());
    assert!(refused(search(&auditor).err()) && refused(slice(&auditor).err()));
    // A program changes nothing of its owner.
    assert!(refused(
        app.create_api_token(&searcher, &wanted(&[ApiScope::SearchRead]))
            .err()
    ));
    assert!(refused(
        app.change_password(&searcher, PASSWORD, OTHER).err()
    ));
    assert!(refused(app.begin_totp(&searcher).err()));
    // Refusals stand in the log under the id of the token.
    let page = app.read_log(&court.rec, &LogRequest::default()).unwrap();
    let id = app.api_tokens(&court.rec).unwrap()[0].id.to_string();
    let refusals = page.lines.iter().filter(|line| {
        line.entry.draft.actor.login.as_ref() == Some(&id)
            && line.entry.draft.result == Outcome::Refused
    });
    assert!(refusals.count() >= 5);
    sound(&court);
}

#[test]
fn x2_scopes_are_a_part_of_the_role_when_made_and_whenever_used() {
    let court = court();
    let app = &court.appliance;
    for (session, scope) in [
        (&court.root, ApiScope::SearchRead),
        (&court.root, ApiScope::AuditRead),
        (&court.law, ApiScope::UserWrite),
        (&court.law, ApiScope::AuditRead),
        (&court.rec, ApiScope::UserWrite),
    ] {
        let made = app.create_api_token(session, &wanted(&[ApiScope::SystemRead, scope]));
        let error = made.err().unwrap();
        assert!(
            matches!(error, AppError::Auth(AuthError::ScopeTooWide { .. })),
            "{error}"
        );
    }
    for wrong in [
        wanted(&[]),
        NewApiToken {
            days: 0,
            ..wanted(&[ApiScope::SearchRead])
        },
        NewApiToken {
            days: 366,
            ..wanted(&[ApiScope::SearchRead])
        },
        NewApiToken {
            name: " ".to_owned(),
            ..wanted(&[ApiScope::SearchRead])
        },
    ] {
        let made = app.create_api_token(&court.law, &wrong);
        assert!(matches!(made, Err(AppError::Usage(_))), "{wrong:?}");
    }
    // No role and no scope together give what the role has not: over all of both.
    for role in Role::ALL {
        for scope in ApiScope::ALL {
            let actor = wordkeep::domain::Actor {
                scopes: Some([scope].into_iter().collect()),
                role,
                ..court.law.actor.clone()
            };
            for action in Action::ALL {
                let Some(right) = action.right() else {
                    continue;
                };
                let allowed = require(&actor, right, action).is_ok();
                let carried = role.may(right) && scope.rights().contains(&right);
                assert!(!allowed || carried, "{role:?} {scope} {action:?}");
            }
        }
    }
}

#[test]
fn x2_tokens_expire_are_revoked_and_are_listed_without_themselves() {
    let court = court();
    let app = &court.appliance;
    let (token, line, _) = app
        .create_api_token(&court.law, &wanted(&[ApiScope::SearchRead]))
        .unwrap();
    assert_eq!(line.last_used, None);
    app.session_of_token(&token).unwrap();
    let first = app.api_tokens(&court.law).unwrap()[0].last_used.unwrap();
    court.clock.seconds(30);
    app.session_of_token(&token).unwrap();
    assert_eq!(
        app.api_tokens(&court.law).unwrap()[0].last_used,
        Some(first)
    );
    court.clock.seconds(31);
    app.session_of_token(&token).unwrap();
    assert!(app.api_tokens(&court.law).unwrap()[0].last_used.unwrap() > first);
    // Logging out at the command line ends no program; others cannot revoke it.
    app.log_out(&court.law, &court.dir.path().join("none"))
        .unwrap();
    app.session_of_token(&token).unwrap();
    assert!(app.api_tokens(&court.rec).unwrap().is_empty());
    assert!(matches!(
        app.revoke_api_token(&court.rec, line.id),
        Err(AppError::NotFound(_))
    ));
    app.revoke_api_token(&court.law, line.id).unwrap();
    assert!(app.session_of_token(&token).is_err());
    assert!(matches!(
        app.revoke_api_token(&court.law, line.id),
        Err(AppError::NotFound(_))
    ));
    let (token, ..) = app
        .create_api_token(&court.law, &wanted(&[ApiScope::SearchRead]))
        .unwrap();
    court.clock.days(30);
    assert!(app.session_of_token(&token).is_err());
    assert_eq!(app.api_tokens(&court.law).unwrap().len(), 1);
    let kept = app.archive().store().read().unwrap().token(&token.hash());
    assert!(kept.unwrap().is_some());
    // Neither a token nor its name lies anywhere in the clear.
    let text = token.to_string();
    let data = court.dir.path().join("data");
    assert!(!court::holds_word(&data, &text[3..40]) && !court::holds_word(&data, "monthly"));
    sound(&court);
}

#[test]
fn m1_grants_count_from_the_next_request_and_deny_wins() {
    let court = court();
    let app = &court.appliance;
    for tag in ["oak", "elm"] {
        import(app, &court.root, &court.chat(tag, 20)).unwrap();
    }
    app.add_user(&court.root, "rui", Role::Manager, PASSWORD, &[])
        .unwrap();
    let rui = log_in(app, "rui");
    let seen = || [count(app, &rui, "oakword3"), count(app, &rui, "elmword3")];
    assert_eq!(seen(), [0, 0]);
    let (oak, elm) = (conversation(&court, "oak"), conversation(&court, "elm"));
    let grant = |grants: &[Grant]| app.set_grants(&court.root, "rui", grants);
    for (grants, expected) in [
        (vec![Grant::Conversation(oak)], [1, 0]),
        (vec![Grant::Everything], [1, 1]),
        (vec![Grant::Everything, Grant::Denied(oak)], [0, 1]),
        (vec![Grant::Conversation(elm), Grant::Denied(elm)], [0, 0]),
        (vec![], [0, 0]),
    ] {
        grant(&grants).unwrap();
        assert_eq!(seen(), expected, "{grants:?}");
        assert_eq!(app.grants_of(&court.root, "rui").unwrap(), grants);
    }
    // What cannot be granted leaves what was granted.
    grant(&[Grant::Conversation(oak)]).unwrap();
    let absent = "cnv_01JD2V7Q4M8W3K5T9R6X0ZB1CE".parse().unwrap();
    assert!(matches!(
        grant(&[Grant::Everything, Grant::Conversation(absent)]),
        Err(AppError::NotFound(_))
    ));
    assert_eq!(seen(), [1, 0]);
    assert!(matches!(
        app.set_grants(&court.law, "rui", &[Grant::Everything]),
        Err(AppError::Auth(AuthError::Forbidden { .. }))
    ));
    sound(&court);
}

#[test]
fn m1_to_see_everything_goes_with_the_role() {
    let court = court();
    let app = &court.appliance;
    import(app, &court.root, &court.chat("oak", 20)).unwrap();
    let oak = conversation(&court, "oak");
    app.add_user(&court.root, "rui", Role::Lawyer, PASSWORD, &[])
        .unwrap();
    let becomes = |role| {
        app.set_role(&court.root, "rui", role).unwrap();
        app.grants_of(&court.root, "rui").unwrap()
    };
    assert_eq!(becomes(Role::Manager), []);
    assert_eq!(count(app, &log_in(app, "rui"), "oakword3"), 0);
    assert_eq!(becomes(Role::RecordsOfficer), [Grant::Everything]);
    // What was granted one by one stays, and narrows.
    app.set_grants(&court.root, "rui", &[Grant::Conversation(oak)])
        .unwrap();
    assert_eq!(becomes(Role::Lawyer), [Grant::Conversation(oak)]);
    sound(&court);
}

#[test]
fn m6_nobody_reads_by_being_granted_and_the_last_administrator_stays() {
    let court = court();
    let app = &court.appliance;
    for login in ["root", "aud"] {
        assert!(matches!(
            app.set_grants(&court.root, login, &[Grant::Everything]),
            Err(AppError::Usage(_))
        ));
    }
    // What was granted before somebody became an administrator shows them nothing.
    import(app, &court.root, &court.chat("oak", 20)).unwrap();
    app.set_role(&court.root, "law", Role::Administrator)
        .unwrap();
    let both = log_in(app, "law");
    assert!(matches!(
        app.search(&both, &SearchRequest::new("oakword3")),
        Err(AppError::Auth(AuthError::Forbidden { .. }))
    ));
    app.set_role(&both, "root", Role::Auditor).unwrap();
    for error in [
        app.set_role(&both, "law", Role::Lawyer).err(),
        app.disable_user(&both, "law").err(),
    ] {
        assert!(matches!(
            error,
            Some(AppError::Auth(AuthError::LastAdministrator))
        ));
    }
    // One person, one role: nobody holds two that check each other.
    for role in Role::ALL {
        let may = |right| role.may(right);
        assert!(
            !(may(Right::ManageUsers) && may(Right::ReadContent)),
            "{role:?}"
        );
        assert!(
            !(may(Right::ManageKeys) && may(Right::RequestDisposition)),
            "{role:?}"
        );
    }
    sound(&court);
}

#[test]
fn t19_access_that_ends_is_refused_in_the_middle_of_a_storm() {
    let court = court();
    let app = &court.appliance;
    let keys: Vec<SessionKey> = (0..4).map(|_| sign_in(app, "law").0).collect();
    let ended = AtomicUsize::new(0);
    let late = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for key in &keys {
            let (ended, late) = (&ended, &late);
            threads.spawn(move || {
                loop {
                    let was_ended = ended.load(Ordering::SeqCst) == 1;
                    match app.web_session(key) {
                        Ok(_) if was_ended => late.fetch_add(1, Ordering::SeqCst),
                        Ok(_) => continue,
                        Err(_) => break,
                    };
                }
            });
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
        app.disable_user(&court.root, "law").unwrap();
        ended.store(1, Ordering::SeqCst);
    });
    assert_eq!(late.into_inner(), 0);
    app.enable_user(&court.root, "law").unwrap();
    assert!(is_over(app, &keys[0]));
    sign_in(app, "law");
    sound(&court);
}
