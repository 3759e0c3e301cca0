//! Single sign-on as a browser meets it: the button, the cookies, the way back, errors in their place.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use wordkeep::app::NewProvider;
use wordkeep::auth::sso::{RoleMap, SsoConfig};
use wordkeep::domain::Role;
use wordkeep::http::{House, HouseOptions, router};
use zeroize::Zeroizing;

use crate::provider::{CLIENT, Provider, SECRET, fields};
use crate::served::{Answer, Served, Who, served};

const ADMINISTRATOR: Who = Who::Person(Role::Administrator);
const HOST: &str = "127.0.0.1:8471";

/// A served archive that knows a provider.
fn known() -> (Served, Provider) {
    let served = served();
    let app = &served.court.appliance;
    let provider = Provider::start(app.now().wall.seconds());
    let new = NewProvider {
        config: SsoConfig {
            issuer: provider.issuer.clone(),
            client_id: CLIENT.to_owned(),
            secret: Some(Zeroizing::new(SECRET.to_owned())),
            claim: "groups".to_owned(),
            address: None,
            authority: None,
            map: RoleMap(vec![("legal".to_owned(), Role::Lawyer)]),
        },
        only: false,
        break_glass: None,
    };
    app.set_provider(&served.court.root, &new).unwrap();
    (served, provider)
}

fn open(served: &Served, path: &str, cookie: &str) -> Answer {
    let request = Request::builder()
        .uri(path)
        .header(header::HOST, HOST)
        .header(header::COOKIE, cookie);
    served.send(request.body(Body::empty()).unwrap())
}

/// The lines that set a cookie.
fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer.headers.get_all(header::SET_COOKIE).iter();
    lines
        .map(|line| line.to_str().unwrap().to_owned())
        .collect()
}

/// What a line keeps: `name=value`.
fn kept(line: &str) -> &str {
    line.split(';').next().unwrap()
}

/// There and back; gives the answer to the return.
fn go(served: &Served, provider: &Provider, path: &str, cookie: &str, claims: &Value) -> Answer {
    let sent = open(served, path, cookie);
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let [away] = &cookies(&sent)[..] else {
        panic!("one cookie goes along");
    };
    let (code, state) = provider.authorise(sent.location(), claims);
    let back = format!("/sso/callback?code={code}&state={state}");
    // A browser that comes from another site sends no strict cookie along.
    open(served, &back, kept(away))
}

fn lawyer() -> Value {
    json!({"sub": "7", "preferred_username": "lea", "groups": ["legal"]})
}

#[test]
fn m3_a_button_leads_to_the_provider_and_back_to_the_page_that_was_wanted() {
    let (served, provider) = known();
    let page = open(&served, "/sign-in?to=/audit", "").body;
    let host = provider.issuer.trim_start_matches("http://");
    assert!(
        page.contains("Sign in with") && page.contains(host),
        "{page}"
    );
    assert!(page.contains("href=\"/sso/start?to=/audit\""), "{page}");
    let sent = open(&served, "/sso/start?to=/account", "");
    let asked = fields(sent.location().split_once('?').unwrap().1);
    assert_eq!(asked["redirect_uri"], format!("http://{HOST}/sso/callback"));
    let line = &cookies(&sent)[0];
    assert!(line.starts_with("wordkeep-sso="), "{line}");
    for part in ["HttpOnly", "SameSite=Lax", "Max-Age=600", "Path=/"] {
        assert!(line.contains(part), "{line}");
    }
    let arrived = go(&served, &provider, "/sso/start?to=/account", "", &lawyer());
    assert_eq!(arrived.status, StatusCode::OK, "{}", arrived.body);
    assert_eq!(arrived.headers["refresh"], "0; url=/account");
    let lines = cookies(&arrived);
    assert!(lines[0].starts_with("wordkeep=") && lines[0].contains("SameSite=Strict"));
    assert!(lines[1].starts_with("wordkeep-sso=;") && lines[1].contains("Max-Age=0"));
    let session = kept(&lines[0]);
    let account = open(&served, "/account", session);
    assert!(account.body.contains("single sign-on") && account.body.contains("Lawyer"));
    assert!(
        !account.body.contains("name=\"old\""),
        "no password to change"
    );
    // What is dangerous is confirmed there, not by a password.
    let proof = open(&served, "/step-up?to=/account", session).body;
    assert!(
        proof.contains("href=\"/sso/step-up?to=/account\""),
        "{proof}"
    );
    assert!(!proof.contains("type=\"password\""));
    let mut fresh = lawyer();
    fresh["auth_time"] = json!(served.court.appliance.now().wall.seconds());
    let proved = go(
        &served,
        &provider,
        "/sso/step-up?to=/account",
        session,
        &fresh,
    );
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    let account = open(&served, "/account", session).body;
    assert!(account.contains("Make a token"), "{account}");
}

#[test]
fn t7_nobody_is_sent_to_another_host_by_the_way_back() {
    let (served, provider) = known();
    for to in [
        "//evil.example",
        "https://evil.example",
        "/%0d%0aset-cookie:x",
        "/\\evil",
    ] {
        let arrived = go(
            &served,
            &provider,
            &format!("/sso/start?to={to}"),
            "",
            &lawyer(),
        );
        assert_eq!(arrived.headers["refresh"], "0; url=/", "{to}");
    }
    let strange = Request::builder()
        .uri("/sso/start")
        .header(header::HOST, "evil.example/@x");
    let answer = served.send(strange.body(Body::empty()).unwrap());
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[test]
fn m3_what_went_wrong_stands_in_its_place() {
    let (served, provider) = known();
    let alert = |answer: &Answer, status: StatusCode, said: &str| {
        assert_eq!(answer.status, status, "{}", answer.body);
        let (_, place) = answer.body.split_once("role=\"alert\"").unwrap();
        assert!(place[..200].contains(said), "{place}");
        assert!(
            answer.body.contains("Sign in with"),
            "it can be tried again"
        );
        assert!(
            !cookies(answer)
                .iter()
                .any(|line| line.starts_with("wordkeep="))
        );
    };
    let cook = json!({"sub": "8", "groups": ["kitchen"]});
    let refused = go(&served, &provider, "/sso/start", "", &cook);
    alert(&refused, StatusCode::FORBIDDEN, "None of your groups");
    let state = "0".repeat(64);
    let lost = open(&served, &format!("/sso/callback?code=x&state={state}"), "");
    alert(&lost, StatusCode::FORBIDDEN, "begin again");
    let empty = open(&served, "/sso/callback", "");
    alert(&empty, StatusCode::FORBIDDEN, "begin again");
    provider.instead("/.well-known/openid-configuration", "nonsense");
    served.court.clock.seconds(3_600);
    let down = open(&served, "/sso/start", "");
    alert(&down, StatusCode::BAD_GATEWAY, "did not answer");
}

#[test]
fn m3_whoever_manages_users_sees_the_provider_and_what_it_says() {
    let (served, provider) = known();
    let page = served.get(ADMINISTRATOR, "/users/sso");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains(&provider.issuer) && page.body.contains("legal"));
    assert!(!page.body.contains(SECRET) && page.body.contains("with a secret, and PKCE"));
    assert!(
        served
            .get(ADMINISTRATOR, "/users")
            .body
            .contains("/users/sso")
    );
    let cookie = served.request(ADMINISTRATOR, &Method::GET, "/");
    let cookie = cookie.headers_ref().unwrap()[header::COOKIE]
        .to_str()
        .unwrap()
        .to_owned();
    let mut claims = lawyer();
    claims["name"] = json!("<script>alert(1)</script>");
    let shown = go(&served, &provider, "/users/sso/test", &cookie, &claims);
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    assert!(shown.body.contains("&lt;script&gt;") && !shown.body.contains("<script>alert"));
    assert!(shown.body.contains("would be") && shown.body.contains("Lawyer"));
    assert!(
        cookies(&shown)
            .iter()
            .all(|line| line.starts_with("wordkeep-sso=;"))
    );
    let users = served.get(ADMINISTRATOR, "/users").body;
    assert!(!users.contains(">lea<"), "nobody was made");
}

#[test]
fn t7_under_tls_the_cookie_is_of_this_host_alone() {
    let (served, _provider) = known();
    let options = HouseOptions {
        secure: true,
        demo: false,
    };
    let house = House::open(Arc::clone(&served.court.appliance), options);
    let (_, runtime) = served.many();
    let request = Request::builder()
        .uri("/sso/start")
        .header(header::HOST, "archive.example");
    let request = request.body(Body::empty()).unwrap();
    let answer = runtime.block_on(tower::ServiceExt::oneshot(router(&house), request));
    let answer = answer.unwrap();
    let line = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(
        line.starts_with("__Host-wordkeep-sso=") && line.contains("; Secure;"),
        "{line}"
    );
    let location = answer.headers()[header::LOCATION].to_str().unwrap();
    let asked = fields(location.split_once('?').unwrap().1);
    assert_eq!(
        asked["redirect_uri"],
        "https://archive.example/sso/callback"
    );
}
