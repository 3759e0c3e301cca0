//! What was revoked is refused at the next request, while many others search: no answer that was asked
//! for after the revoking call had returned. How long it took is told, and judged by nobody here: a busy
//! computer is slow at everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode, header};
use serde_json::json;
use tower::ServiceExt;
use wordkeep::app::{Appliance, NewApiToken, Session, SignIn};
use wordkeep::auth::SessionKey;
use wordkeep::domain::{ApiScope, Role, TokenId};

use crate::house::{PASSWORD, log_in};
use crate::served::{Served, served};

/// Others who search all the time.
const OTHERS: usize = 8;
/// Windows and programs of the one whose access ends, each asking all the time.
const WINDOWS: usize = 3;
/// How long each storm lasts before and after, at least.
const STORM: Duration = Duration::from_millis(300);
/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 8 << 20;

/// What a request is recognised by.
#[derive(Clone)]
enum Badge {
    Cookie(String),
    Token(String),
}

/// One answer of the storm: when it was asked for, and its status.
type Heard = (Instant, StatusCode);

async fn ask(router: &Router, badge: &Badge, search: bool) -> StatusCode {
    let (method, path, body) = match search {
        true => (
            Method::POST,
            "/api/v1/search",
            json!({ "query": "shipment OR order", "limit": 20 }).to_string(),
        ),
        false => (Method::GET, "/api/v1/conversations", String::new()),
    };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::CONTENT_TYPE, "application/json");
    let request = match badge {
        Badge::Cookie(key) => request.header(header::COOKIE, format!("wordkeep={key}")),
        Badge::Token(token) => request.header(header::AUTHORIZATION, format!("Bearer {token}")),
    };
    let request = request.body(Body::from(body)).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    to_bytes(answer.into_body(), ANSWER_MAX).await.unwrap();
    status
}

/// Somebody whose access ends: their session, and a program and a log-in of theirs.
struct Victim {
    login: String,
    key: SessionKey,
    session: Session,
    token: TokenId,
    badges: Vec<Badge>,
}

fn victim(app: &Appliance, root: &Session, number: usize) -> Victim {
    let login = format!("victim{number}");
    app.add_user(root, &login, Role::Lawyer, PASSWORD, &[])
        .unwrap();
    let SignIn::In(key, web) = app.sign_in(&login, PASSWORD, None).unwrap() else {
        panic!("nobody has a second factor here");
    };
    let (token, line) = token(app, &web.session);
    let (_, typed) = app.log_in(&login, PASSWORD, 1).unwrap();
    Victim {
        login,
        badges: vec![
            Badge::Cookie(key.to_string()),
            Badge::Token(token),
            Badge::Token(typed.to_string()),
        ],
        session: web.session,
        key,
        token: line,
    }
}

fn token(app: &Appliance, session: &Session) -> (String, TokenId) {
    let new = NewApiToken {
        name: "load".to_owned(),
        scopes: vec![ApiScope::SearchRead, ApiScope::ConversationRead],
        days: 1,
    };
    let (token, line, _) = app.create_api_token(session, &new).unwrap();
    (token.to_string(), line.id)
}

/// Revokes something in the middle of a storm, and judges every answer to those `dead`.
fn storm(served: &Served, what: &str, dead: &[Badge], revoke: impl FnOnce()) {
    let (router, runtime) = served.many();
    let ended = Arc::new(AtomicBool::new(false));
    let windows: Vec<_> = (0..WINDOWS)
        .flat_map(|_| dead)
        .map(|badge| {
            let (router, badge, ended) = (router.clone(), badge.clone(), Arc::clone(&ended));
            runtime.spawn(async move {
                let mut heard: Vec<Heard> = Vec::new();
                while !ended.load(Ordering::Acquire) {
                    let asked = Instant::now();
                    let status = ask(&router, &badge, false).await;
                    heard.push((asked, status));
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                heard
            })
        })
        .collect();
    std::thread::sleep(STORM);
    let begun = Instant::now();
    revoke();
    let returned = Instant::now();
    // The very next request of each.
    for badge in dead {
        let status = runtime.block_on(ask(&router, badge, false));
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{what}");
    }
    let refused = begun.elapsed();
    std::thread::sleep(STORM);
    ended.store(true, Ordering::Release);
    let (mut before, mut after) = (0, 0);
    for window in windows {
        for (asked, status) in runtime.block_on(window).unwrap() {
            if asked > returned {
                assert_eq!(
                    status,
                    StatusCode::UNAUTHORIZED,
                    "{what}: answered after its end"
                );
                after += 1;
            } else if asked < begun && status == StatusCode::OK {
                before += 1;
            }
        }
    }
    assert!(
        before > 0 && after > 0,
        "{what}: {before} before, {after} after"
    );
    println!(
        "{what}: refused {refused:?} after the call began; {before} answers before, {after} refusals after"
    );
}

#[test]
fn t19_what_is_revoked_is_refused_at_the_next_request_under_load() {
    let served = served();
    let app = Arc::clone(&served.court.appliance);
    let root = log_in(&app, "root");
    let (router, runtime) = served.many();
    let (ended, found) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    for number in 0..OTHERS {
        // Each with a token of their own: how often one token may ask is limited.
        let login = format!("other{number}");
        app.add_user(&root, &login, Role::Lawyer, PASSWORD, &[])
            .unwrap();
        let badge = Badge::Token(token(&app, &log_in(&app, &login)).0);
        let (router, ended, found) = (router.clone(), Arc::clone(&ended), Arc::clone(&found));
        runtime.spawn(async move {
            while !ended.load(Ordering::Acquire) {
                if ask(&router, &badge, true).await == StatusCode::OK {
                    found.fetch_add(1, Ordering::Relaxed);
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let one = victim(&app, &root, 1);
    storm(&served, "a user disabled", &one.badges, || {
        app.disable_user(&root, &one.login).unwrap();
    });
    let two = victim(&app, &root, 2);
    storm(&served, "a password reset", &two.badges, || {
        app.reset_password(&root, &two.login, "another good passphrase")
            .unwrap();
    });
    let three = victim(&app, &root, 3);
    storm(&served, "a role changed", &three.badges, || {
        app.set_role(&root, &three.login, Role::Manager).unwrap();
    });
    let four = victim(&app, &root, 4);
    storm(
        &served,
        "an own password changed",
        &four.badges[1..],
        || {
            let new = "another good passphrase";
            app.change_password(&four.session, PASSWORD, new).unwrap();
        },
    );
    // The window in which it was changed stays.
    assert!(app.web_session(&four.key).is_ok());
    let five = victim(&app, &root, 5);
    storm(&served, "a token revoked", &five.badges[1..2], || {
        app.revoke_api_token(&five.session, five.token).unwrap();
    });
    let six = victim(&app, &root, 6);
    storm(&served, "signed out", &six.badges[..1], || {
        app.sign_out(&six.key).unwrap()
    });
    ended.store(true, Ordering::Release);
    let found = found.load(Ordering::Relaxed);
    println!("{found} searches of {OTHERS} others were answered meanwhile");
    assert!(found > 100, "{found} searches are no load");
}
