//! Single sign-on: whom a provider may vouch for, and everything it may not get away with.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/court.rs"]
mod court;
#[path = "../support/house.rs"]
mod house;
#[path = "../support/provider.rs"]
mod provider;

use std::net::TcpListener;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use court::{Court, court, holds_word};
use house::{PASSWORD, count, import};
use provider::{CLIENT, Draft, Provider, SECRET, Signer, answer};
use serde_json::{Value, json};
use wordkeep::app::{
    AppError, Appliance, LogRequest, NewApiToken, NewProvider, SignIn, SsoArrival, SsoAsk,
    SsoDeparture, VerifyRequest, WebSession,
};
use wordkeep::audit::AuthStrength;
use wordkeep::auth::sso::{BrowserKey, Callback, KEYS_AGAIN_SECONDS, RoleMap, SsoConfig};
use wordkeep::auth::{AuthError, SessionKey, SsoRefusal};
use wordkeep::capture::{ANSWER_SECONDS, OUTGOING_MAX};
use wordkeep::domain::{ApiScope, Role};
use zeroize::Zeroizing;

const MINUTE: i64 = 60;
const ORIGIN: &str = "https://archive.example";

/// A house with a provider that it knows.
struct World {
    court: Court,
    provider: Provider,
}

fn configured(provider: &Provider) -> NewProvider {
    NewProvider {
        config: SsoConfig {
            issuer: provider.issuer.clone(),
            client_id: CLIENT.to_owned(),
            secret: Some(Zeroizing::new(SECRET.to_owned())),
            claim: "groups".to_owned(),
            address: None,
            authority: provider.certificate.clone(),
            map: RoleMap(vec![
                ("admins".to_owned(), Role::Administrator),
                ("legal".to_owned(), Role::Lawyer),
                ("sales".to_owned(), Role::Manager),
            ]),
        },
        only: false,
        break_glass: None,
    }
}

fn world() -> World {
    let court = court();
    let provider = Provider::start(court.appliance.now().wall.seconds());
    let new = configured(&provider);
    court.appliance.set_provider(&court.root, &new).unwrap();
    World { court, provider }
}

/// Somebody at the provider.
fn person(subject: &str, groups: &[&str]) -> Value {
    json!({"sub": subject, "preferred_username": format!("p{subject}"), "groups": groups})
}

impl World {
    fn app(&self) -> &Appliance {
        &self.court.appliance
    }

    fn depart(&self, ask: SsoAsk<'_>) -> SsoDeparture {
        self.app().sso_depart(ask, "/audit", ORIGIN).unwrap()
    }

    /// Time passes here and there.
    fn seconds(&self, seconds: i64) {
        self.court.clock.seconds(seconds);
        self.provider.script().now = self.app().now().wall.seconds();
    }

    fn arrive(&self, code: &str, state: &str, browser: &BrowserKey) -> SsoArrival {
        let back = Callback {
            state: state.to_owned(),
            code: Some(code.to_owned()),
            ..Callback::default()
        };
        self.app().sso_arrive(&back, Some(browser), ORIGIN).unwrap()
    }

    /// The whole way, there and back.
    fn go(&self, ask: SsoAsk<'_>, claims: &Value) -> SsoArrival {
        let sent = self.depart(ask);
        let (code, state) = self.provider.authorise(&sent.location, claims);
        self.arrive(&code, &state, &sent.browser)
    }

    fn sign_in(&self, claims: &Value) -> (SessionKey, WebSession) {
        match self.go(SsoAsk::SignIn, claims) {
            SsoArrival::In(key, web, back) => {
                assert_eq!(back, "/audit");
                (key, *web)
            }
            other => panic!("{other:?}"),
        }
    }

    fn refused(&self, claims: &Value) -> SsoRefusal {
        match self.go(SsoAsk::SignIn, claims) {
            SsoArrival::Refused(_, why) => why,
            other => panic!("let in: {other:?}"),
        }
    }

    fn users(&self) -> Vec<String> {
        let users = self.app().users(&self.court.root).unwrap().into_iter();
        users.map(|user| user.login).collect()
    }

    /// Reasons of the refused sign-ins in the log, eldest first.
    fn reasons(&self) -> Vec<String> {
        let request = LogRequest {
            action: Some("login".to_owned()),
            ..LogRequest::default()
        };
        let page = self.app().read_log(&self.court.rec, &request).unwrap();
        let lines = page
            .lines
            .iter()
            .filter_map(|line| line.entry.draft.reason_code.clone());
        lines.collect()
    }

    /// Nothing that was done broke a rule of the log or of the record.
    fn sound(&self) {
        let request = VerifyRequest::default();
        let report = self
            .app()
            .verify(&self.court.rec, &request, &mut |_, _, _| {});
        let report = report.unwrap();
        assert!(report.log.problems.is_empty(), "{:?}", report.log.problems);
        let record = report.record.as_ref().unwrap();
        assert!(record.problems().is_empty(), "{:?}", record.problems());
    }
}

fn is_over(app: &Appliance, key: &SessionKey) -> bool {
    matches!(
        app.web_session(key),
        Err(AppError::Auth(AuthError::Session))
    )
}

#[test]
fn m3_somebody_of_a_mapped_group_becomes_a_user_and_stays_one() {
    let world = world();
    for (number, signer) in [Signer::rsa(), Signer::p256(), Signer::ed25519(7)]
        .into_iter()
        .enumerate()
    {
        world.seconds(2 * MINUTE);
        world.provider.script().kid = format!("key {number}");
        world.provider.script().signer = signer;
        let (key, web) = world.sign_in(&person(&format!("{number}"), &["legal"]));
        assert_eq!(web.login, format!("p{number}"));
        assert_eq!(web.session.actor.role, Role::Lawyer);
        assert_eq!(web.session.strength, AuthStrength::Provider);
        // The provider may have asked nobody anything: dangerous acts ask.
        assert!(!web.stepped_up && !is_over(world.app(), &key));
    }
    // The same subject is the same user, whatever they are called meanwhile.
    let (_, first) = world.sign_in(&person("0", &["legal"]));
    let mut married = person("0", &["legal"]);
    married["preferred_username"] = json!("another");
    let (_, again) = world.sign_in(&married);
    assert_eq!(first.session.actor.id, again.session.actor.id);
    assert_eq!(again.login, "p0");
    assert_eq!(
        world
            .users()
            .iter()
            .filter(|login| login.starts_with('p'))
            .count(),
        3
    );
    // A lawyer sees, as one whom an administrator added.
    import(
        world.app(),
        &world.court.rec,
        &world.court.chat("quetzal", 20),
    )
    .unwrap();
    assert_eq!(count(world.app(), &again.session, "shipment"), 20);
    // No password lets them in.
    for password in ["", PASSWORD] {
        let tried = world.app().sign_in("p0", password, None);
        assert!(matches!(tried, Err(AppError::Auth(AuthError::Refused))));
    }
    world.sound();
}

#[test]
fn m3_a_role_follows_the_groups_at_every_sign_in() {
    let world = world();
    import(
        world.app(),
        &world.court.rec,
        &world.court.chat("quetzal", 20),
    )
    .unwrap();
    let (elder, web) = world.sign_in(&person("1", &["sales", "legal"]));
    assert_eq!(
        web.session.actor.role,
        Role::Lawyer,
        "the first line of the map counts"
    );
    let (younger, web) = world.sign_in(&person("1", &["sales"]));
    assert_eq!(web.session.actor.role, Role::Manager);
    assert!(is_over(world.app(), &elder) && !is_over(world.app(), &younger));
    // Who sees everything by their role sees nothing without it.
    assert_eq!(count(world.app(), &web.session, "shipment"), 0);
    let (_, web) = world.sign_in(&person("1", &["legal"]));
    assert_eq!(count(world.app(), &web.session, "shipment"), 20);
    // Without a group they are refused, and what they were signed in with ends, programs too.
    let new = NewApiToken {
        name: "nightly".to_owned(),
        scopes: vec![ApiScope::SearchRead],
        days: 5,
    };
    let (token, _, _) = world.app().create_api_token(&web.session, &new).unwrap();
    let (last, _) = world.sign_in(&person("1", &["legal"]));
    assert_eq!(world.refused(&person("1", &["cooks"])), SsoRefusal::NoRole);
    assert!(is_over(world.app(), &last));
    assert!(world.app().session_of_token(&token).is_err());
    assert_eq!(world.refused(&person("2", &[])), SsoRefusal::NoRole);
    assert!(!world.users().contains(&"p2".to_owned()));
    world.sound();
}

#[test]
fn m3_an_ended_access_stays_ended_and_the_last_administrator_stays() {
    let world = world();
    let app = world.app();
    world.sign_in(&person("1", &["legal"]));
    app.disable_user(&world.court.root, "p1").unwrap();
    assert_eq!(
        world.refused(&person("1", &["legal"])),
        SsoRefusal::Disabled
    );
    app.bind_user(&world.court.root, "root", "boss").unwrap();
    assert_eq!(
        world.refused(&person("boss", &["legal"])),
        SsoRefusal::LastAdministrator
    );
    let (_, web) = world.sign_in(&person("boss", &["admins"]));
    assert_eq!(web.login, "root");
    assert_eq!(world.reasons(), ["sso-disabled", "sso-last-administrator"]);
    world.sound();
}

#[test]
fn t7_a_name_or_an_address_makes_nobody_a_user_who_was_there() {
    let world = world();
    for claims in [
        json!({"sub": "9", "preferred_username": "law", "groups": ["legal"]}),
        json!({"sub": "9", "email": "law", "email_verified": true, "groups": ["legal"]}),
        json!({"sub": "9", "preferred_username": "ROOT", "groups": ["admins"]}),
    ] {
        assert_eq!(world.refused(&claims), SsoRefusal::Taken);
    }
    world
        .app()
        .bind_user(&world.court.root, "law", "9")
        .unwrap();
    let (_, web) = world.sign_in(&person("9", &["legal"]));
    assert_eq!(web.login, "law");
    // Somebody else does not become them by their name, nor they somebody else by binding again.
    assert!(matches!(
        world.app().bind_user(&world.court.root, "rec", "9"),
        Err(AppError::Conflict(_))
    ));
    // The subject of another issuer is another person.
    let other = Provider::start(world.app().now().wall.seconds());
    let new = configured(&other);
    world.app().set_provider(&world.court.root, &new).unwrap();
    let other = World {
        court: world.court,
        provider: other,
    };
    let (_, web) = other.sign_in(&person("9", &["legal"]));
    assert_eq!(web.login, "p9");
    other.sound();
}

type Forgery = (&'static str, SsoRefusal, fn(Draft, &Signer) -> String);

fn claim(mut draft: Draft, signer: &Signer, name: &str, value: Value) -> String {
    draft.claims[name] = value;
    draft.signed(signer)
}

fn header(mut draft: Draft, name: &str, value: Value) -> Draft {
    draft.header[name] = value;
    draft
}

/// Everything a thief may send instead of the token.
const FORGERIES: &[Forgery] = &[
    (
        "a flipped signature",
        SsoRefusal::Signature,
        |draft, signer| {
            let mut token = draft.signed(signer).into_bytes();
            let at = token.len() - 10;
            token[at] = if token[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(token).unwrap()
        },
    ),
    (
        "a key of somebody else under its name",
        SsoRefusal::Signature,
        |draft, _| draft.signed(&Signer::ed25519(99)),
    ),
    (
        "other words under a good signature",
        SsoRefusal::Signature,
        |draft, signer| {
            let good = draft.signed(signer);
            let signature = good.rsplit('.').next().unwrap().to_owned();
            let mut other = draft;
            other.claims["groups"] = json!(["admins"]);
            format!("{}{signature}", other.unsigned())
        },
    ),
    ("no signature", SsoRefusal::Algorithm, |draft, _| {
        header(draft, "alg", json!("none")).unsigned()
    }),
    (
        "no signature in other letters",
        SsoRefusal::Algorithm,
        |draft, _| header(draft, "alg", json!("nOnE")).unsigned(),
    ),
    ("an empty signature", SsoRefusal::Signature, |draft, _| {
        draft.unsigned()
    }),
    (
        "the secret of the client",
        SsoRefusal::Algorithm,
        |draft, _| header(draft, "alg", json!("HS256")).with_secret(SECRET.as_bytes()),
    ),
    (
        "the public key as a secret",
        SsoRefusal::Algorithm,
        |draft, signer| {
            let shown = signer.shown("first").to_string();
            header(draft, "alg", json!("HS256")).with_secret(shown.as_bytes())
        },
    ),
    (
        "another algorithm than that of the key",
        SsoRefusal::UnknownKey,
        |draft, signer| header(draft, "alg", json!("RS256")).signed(signer),
    ),
    (
        "an extension nobody knows",
        SsoRefusal::Algorithm,
        |draft, signer| header(draft, "crit", json!(["exp"])).signed(signer),
    ),
    ("an unknown key", SsoRefusal::UnknownKey, |draft, signer| {
        header(draft, "kid", json!("unknown")).signed(signer)
    }),
    (
        "a key it brings along",
        SsoRefusal::UnknownKey,
        |draft, _| {
            let own = Signer::ed25519(98);
            let draft = header(draft, "jwk", own.shown("own"));
            header(draft, "kid", json!("own")).signed(&own)
        },
    ),
    ("another issuer", SsoRefusal::Issuer, |draft, signer| {
        claim(draft, signer, "iss", json!("https://id.example"))
    }),
    ("another program", SsoRefusal::Audience, |draft, signer| {
        claim(draft, signer, "aud", json!("payroll"))
    }),
    (
        "another party",
        SsoRefusal::Audience,
        |mut draft, signer| {
            draft.claims["aud"] = json!([CLIENT, "payroll"]);
            claim(draft, signer, "azp", json!("payroll"))
        },
    ),
    (
        "many programs and nobody named",
        SsoRefusal::Audience,
        |draft, signer| claim(draft, signer, "aud", json!([CLIENT, "payroll"])),
    ),
    ("another nonce", SsoRefusal::Nonce, |draft, signer| {
        claim(draft, signer, "nonce", json!("0".repeat(64)))
    }),
    ("no nonce", SsoRefusal::Nonce, |mut draft, signer| {
        draft.claims.as_object_mut().unwrap().remove("nonce");
        draft.signed(signer)
    }),
    (
        "an end that is past",
        SsoRefusal::Expired,
        |draft, signer| {
            let past = draft.claims["iat"].as_i64().unwrap() - 61;
            claim(draft, signer, "exp", json!(past))
        },
    ),
    (
        "an old token with a late end",
        SsoRefusal::Expired,
        |draft, signer| {
            let old = draft.claims["iat"].as_i64().unwrap() - 3_600;
            claim(draft, signer, "iat", json!(old))
        },
    ),
    (
        "a beginning in the future",
        SsoRefusal::NotYet,
        |draft, signer| {
            let late = draft.claims["iat"].as_i64().unwrap() + 600;
            claim(draft, signer, "nbf", json!(late))
        },
    ),
    ("nobody", SsoRefusal::Malformed, |draft, signer| {
        claim(draft, signer, "sub", json!(""))
    }),
    ("no token", SsoRefusal::Malformed, |_, _| "a.b".to_owned()),
    ("a sealed token", SsoRefusal::Malformed, |_, _| {
        "a.b.c.d.e".to_owned()
    }),
    ("a token without end", SsoRefusal::Malformed, |_, _| {
        "x".repeat(200_000)
    }),
];

#[test]
fn m3_forged_expired_and_foreign_tokens_let_nobody_in() {
    let world = world();
    let users = world.users();
    let mut classes = Vec::new();
    for (what, refusal, forge) in FORGERIES {
        // Unknown keys are looked for again once a minute.
        world.seconds(KEYS_AGAIN_SECONDS);
        world.provider.forge(forge);
        assert_eq!(world.refused(&person("1", &["legal"])), *refusal, "{what}");
        classes.push(refusal.class().to_owned());
    }
    assert_eq!(world.users(), users, "nobody was made");
    assert_eq!(world.reasons(), classes);
    // The provider was right all the time but for that: without the forgery it lets in.
    world.provider.mend();
    world.sign_in(&person("1", &["legal"]));
    world.sound();
}

#[test]
fn t7_a_return_counts_once_in_its_browser_and_in_time() {
    let world = world();
    let claims = person("1", &["legal"]);
    let state_is_over = |arrival: SsoArrival, what: &str| {
        assert!(
            matches!(arrival, SsoArrival::Refused(_, SsoRefusal::State)),
            "{what}: {arrival:?}"
        );
    };
    let departed = || {
        let sent = world.depart(SsoAsk::SignIn);
        let (code, state) = world.provider.authorise(&sent.location, &claims);
        (code, state, sent.browser)
    };
    let (code, state, browser) = departed();
    assert!(matches!(
        world.arrive(&code, &state, &browser),
        SsoArrival::In(..)
    ));
    state_is_over(world.arrive(&code, &state, &browser), "replayed");
    // The code alone is dead too: asked for anew, it is another departure.
    let fresh = world.depart(SsoAsk::SignIn);
    let (_, fresh_state) = world.provider.authorise(&fresh.location, &claims);
    assert!(matches!(
        world.arrive(&code, &fresh_state, &fresh.browser),
        SsoArrival::Refused(_, SsoRefusal::Denied(_))
    ));
    let asked = world.provider.asked("/token");
    let ((code, state, _), (_, _, other)) = (departed(), departed());
    state_is_over(world.arrive(&code, &state, &other), "another browser");
    let (code, state, _) = departed();
    let back = Callback {
        state: state.clone(),
        code: Some(code),
        ..Callback::default()
    };
    let without = world.app().sso_arrive(&back, None, ORIGIN).unwrap();
    state_is_over(without, "no browser");
    let (code, state, browser) = departed();
    world.seconds(10 * MINUTE);
    state_is_over(world.arrive(&code, &state, &browser), "late");
    for forged in ["", "00", &"f".repeat(64)] {
        state_is_over(world.arrive(&code, forged, &browser), "forged");
    }
    assert_eq!(
        world.provider.asked("/token"),
        asked,
        "no code of theirs was used"
    );
    let (code, state, browser) = departed();
    let (entered, start) = (AtomicUsize::new(0), Barrier::new(20));
    std::thread::scope(|threads| {
        for _ in 0..20 {
            threads.spawn(|| {
                start.wait();
                if matches!(world.arrive(&code, &state, &browser), SsoArrival::In(..)) {
                    entered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(entered.into_inner(), 1);
    world.sound();
}

#[test]
fn t7_a_swapped_code_is_of_no_use() {
    let world = world();
    let thief = world.depart(SsoAsk::SignIn);
    let (stolen, _) = world
        .provider
        .authorise(&thief.location, &person("victim", &["admins"]));
    let own = world.depart(SsoAsk::SignIn);
    let (_, state) = world
        .provider
        .authorise(&own.location, &person("thief", &["sales"]));
    assert!(matches!(
        world.arrive(&stolen, &state, &own.browser),
        SsoArrival::Refused(_, SsoRefusal::Denied(_))
    ));
    // A provider that forgets to compare is caught by the nonce.
    world.provider.script().checks_pkce = false;
    let thief = world.depart(SsoAsk::SignIn);
    let (stolen, _) = world
        .provider
        .authorise(&thief.location, &person("victim", &["admins"]));
    let own = world.depart(SsoAsk::SignIn);
    let (_, state) = world
        .provider
        .authorise(&own.location, &person("thief", &["sales"]));
    assert!(matches!(
        world.arrive(&stolen, &state, &own.browser),
        SsoArrival::Refused(_, SsoRefusal::Nonce)
    ));
    assert!(!world.users().iter().any(|login| login.contains("victim")));
}

#[test]
fn t7_an_answer_of_another_provider_is_none() {
    let world = world();
    let arrive = |issuer: Option<&str>, error: Option<&str>| {
        let sent = world.depart(SsoAsk::SignIn);
        let claims = person("1", &["legal"]);
        let (code, state) = world.provider.authorise(&sent.location, &claims);
        let back = Callback {
            state,
            code: Some(code),
            error: error.map(str::to_owned),
            issuer: issuer.map(str::to_owned),
        };
        world
            .app()
            .sso_arrive(&back, Some(&sent.browser), ORIGIN)
            .unwrap()
    };
    let own = world.provider.issuer.clone();
    assert!(matches!(arrive(Some(&own), None), SsoArrival::In(..)));
    assert!(matches!(
        arrive(Some("https://evil.example"), None),
        SsoArrival::Refused(_, SsoRefusal::Issuer)
    ));
    let denied = arrive(None, Some("access_denied<script>"));
    let SsoArrival::Refused(_, SsoRefusal::Denied(why)) = denied else {
        panic!("{denied:?}");
    };
    assert_eq!(why, "access_denied_script_");
    // One that says it names itself has to.
    world.provider.script().more = json!({"authorization_response_iss_parameter_supported": true});
    world.seconds(61 * MINUTE);
    assert!(matches!(arrive(Some(&own), None), SsoArrival::In(..)));
    assert!(matches!(
        arrive(None, None),
        SsoArrival::Refused(_, SsoRefusal::Issuer)
    ));
}

#[test]
fn m3_keys_are_asked_for_seldom_whoever_names_unknown_ones() {
    let world = world();
    let claims = person("1", &["legal"]);
    for _ in 0..5 {
        world.sign_in(&claims);
    }
    assert_eq!(world.provider.asked("/keys"), 1);
    assert_eq!(world.provider.asked("/.well-known/openid-configuration"), 1);
    world
        .provider
        .forge(|draft, signer| header(draft, "kid", json!("made up")).signed(signer));
    for _ in 0..5 {
        assert_eq!(world.refused(&claims), SsoRefusal::UnknownKey);
    }
    assert_eq!(world.provider.asked("/keys"), 2, "once for all of them");
    world.seconds(KEYS_AGAIN_SECONDS);
    assert_eq!(world.refused(&claims), SsoRefusal::UnknownKey);
    assert_eq!(world.provider.asked("/keys"), 3);
    // A key that was changed is found after a minute at the latest.
    world.provider.mend();
    world.seconds(KEYS_AGAIN_SECONDS);
    world.provider.script().signer = Signer::p256();
    world.provider.script().kid = "second".to_owned();
    world.sign_in(&claims);
    assert_eq!(world.provider.asked("/keys"), 4);
    world.sign_in(&claims);
    assert_eq!(world.provider.asked("/keys"), 4);
}

#[test]
fn t7_answers_without_end_redirects_and_nonsense_are_refused() {
    let world = world();
    let (app, root) = (world.app(), &world.court.root);
    let endless = [
        b"HTTP/1.1 200 Said\r\nconnection: close\r\n\r\n".to_vec(),
        vec![b' '; 1 << 20],
    ]
    .concat();
    let wide = format!(
        "HTTP/1.1 200 Said\r\nx: {}\r\n\r\n{{}}",
        "y".repeat(200_000)
    );
    let claimed = b"HTTP/1.1 200 Said\r\ncontent-length: 99999999999\r\n\r\n{}".to_vec();
    let away = answer(
        302,
        &format!("location: {}/elsewhere\r\n", world.provider.issuer),
        "",
    );
    for (what, said) in [
        ("endless", endless),
        ("a wide head", wide.into_bytes()),
        ("a length that is a lie", claimed),
        ("a redirect", away),
        ("a page", answer(200, "", "<html>")),
        ("an error", answer(500, "", "{}")),
        ("deep", answer(200, "", &"[".repeat(100_000))),
        ("no HTTP", b"\x16\x03\x01".to_vec()),
        ("nothing", Vec::new()),
    ] {
        for path in ["/.well-known/openid-configuration", "/keys", "/token"] {
            let new = configured(&world.provider);
            app.set_provider(root, &new).unwrap();
            let sent = world.depart(SsoAsk::SignIn);
            let claims = person("1", &["legal"]);
            let (code, state) = world.provider.authorise(&sent.location, &claims);
            app.set_provider(root, &new).unwrap();
            world.provider.instead(path, said.clone());
            let arrived = world.arrive(&code, &state, &sent.browser);
            assert!(
                matches!(arrived, SsoArrival::Refused(..)),
                "{what} at {path}: {arrived:?}"
            );
            if path != "/token" {
                assert!(app.check_provider(root).is_err(), "{what} at {path}");
            }
            world.provider.mend();
        }
    }
    assert_eq!(
        world.provider.asked("/elsewhere"),
        0,
        "no redirect was followed"
    );
    assert!(!world.users().contains(&"p1".to_owned()));
    let found = app.check_provider(root).unwrap();
    assert_eq!((found.keys, found.notes.len()), (1, 0));
    world.sound();
}

/// Somebody who takes every call and never says a word.
#[test]
fn t7_a_silent_provider_is_waited_for_a_while_and_by_few() {
    let court = court();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let calls = silent.try_clone().unwrap();
    std::thread::spawn(move || calls.incoming().collect::<Vec<_>>());
    let mut new = NewProvider {
        only: false,
        break_glass: None,
        config: SsoConfig {
            issuer: format!("http://{}", silent.local_addr().unwrap()),
            client_id: CLIENT.to_owned(),
            secret: None,
            claim: "groups".to_owned(),
            address: None,
            authority: None,
            map: RoleMap::default(),
        },
    };
    new.config.map.0.push(("legal".to_owned(), Role::Lawyer));
    let app = &court.appliance;
    app.set_provider(&court.root, &new).unwrap();
    let (began, extra) = (Instant::now(), 4);
    let turned_away = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..OUTGOING_MAX + extra {
            threads.spawn(|| {
                let refused = app.sso_depart(SsoAsk::SignIn, "/", ORIGIN).unwrap_err();
                let AppError::Auth(AuthError::Sso(SsoRefusal::Unreachable(why))) = refused else {
                    panic!("{refused}");
                };
                if why.contains("too many") {
                    turned_away.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(turned_away.into_inner(), extra);
    let waited = began.elapsed().as_secs();
    assert!(
        (ANSWER_SECONDS..ANSWER_SECONDS + 8).contains(&waited),
        "{waited} s"
    );
    // Everybody else comes in meanwhile and afterwards, as ever.
    assert!(matches!(
        app.sign_in("law", PASSWORD, None),
        Ok(SignIn::In(..))
    ));
}

#[test]
fn t7_only_whom_somebody_trusts_is_asked_under_tls() {
    let court = court();
    let provider = Provider::start_secure(court.appliance.now().wall.seconds());
    let mut new = configured(&provider);
    new.config.authority = None;
    court.appliance.set_provider(&court.root, &new).unwrap();
    let refused = court.appliance.check_provider(&court.root).unwrap_err();
    assert!(matches!(
        refused,
        AppError::Auth(AuthError::Sso(SsoRefusal::Unreachable(_)))
    ));
    let new = configured(&provider);
    court.appliance.set_provider(&court.root, &new).unwrap();
    let world = World { court, provider };
    world.app().check_provider(&world.court.root).unwrap();
    world.sign_in(&person("1", &["legal"]));
}

#[test]
fn m3_only_the_provider_and_one_administrator_where_passwords_are_refused() {
    let world = world();
    let (app, root) = (world.app(), &world.court.root);
    let SignIn::In(elder, _) = app.sign_in("law", PASSWORD, None).unwrap() else {
        panic!("nobody has a second factor here");
    };
    let (_, token) = app.log_in("law", PASSWORD, 30).unwrap();
    let mut new = configured(&world.provider);
    new.only = true;
    new.break_glass = Some("law".to_owned());
    assert!(matches!(
        app.set_provider(root, &new),
        Err(AppError::Usage(_))
    ));
    new.break_glass = None;
    app.set_provider(root, &new).unwrap();
    assert!(is_over(app, &elder) && app.session_of_token(&token).is_err());
    // Right and wrong passwords, known and unknown logins are refused alike.
    for (login, password) in [
        ("law", PASSWORD),
        ("law", "wrong wrong wrong"),
        ("nobody", PASSWORD),
        ("root", "wrong wrong wrong"),
    ] {
        let by_page = app.sign_in(login, password, None).unwrap_err();
        let by_line = app.log_in(login, password, 1).unwrap_err();
        for error in [by_page, by_line] {
            assert!(
                matches!(error, AppError::Auth(AuthError::ProviderOnly)),
                "{login}: {error}"
            );
        }
    }
    assert!(matches!(
        app.sign_in("root", PASSWORD, None),
        Ok(SignIn::In(..))
    ));
    world.sign_in(&person("1", &["legal"]));
    // Whoever has the host makes the administrator who comes by password.
    app.break_glass_create("eva", PASSWORD, "the provider is down and root has left")
        .unwrap();
    assert!(matches!(
        app.sign_in("eva", PASSWORD, None),
        Ok(SignIn::In(..))
    ));
    assert!(app.sign_in("root", PASSWORD, None).is_err());
    app.remove_provider(root).unwrap();
    assert!(matches!(
        app.sign_in("law", PASSWORD, None),
        Ok(SignIn::In(..))
    ));
    world.sound();
}

#[test]
fn m3_without_its_provider_nobody_stays_signed_in_by_it() {
    let world = world();
    let (app, root) = (world.app(), &world.court.root);
    let (key, _) = world.sign_in(&person("1", &["legal"]));
    let sent = world.depart(SsoAsk::SignIn);
    let (code, state) = world
        .provider
        .authorise(&sent.location, &person("1", &["legal"]));
    app.remove_provider(root).unwrap();
    assert!(is_over(app, &key));
    assert!(matches!(
        world.arrive(&code, &state, &sent.browser),
        SsoArrival::Refused(_, SsoRefusal::State)
    ));
    assert!(matches!(
        app.sso_depart(SsoAsk::SignIn, "/", ORIGIN),
        Err(AppError::Auth(AuthError::Sso(SsoRefusal::NotConfigured)))
    ));
    assert!(app.sso_offer().unwrap().is_none() && app.provider_line(root).unwrap().is_none());
    assert!(app.remove_provider(root).is_err());
    // Who was bound is bound again with the same provider.
    app.set_provider(root, &configured(&world.provider))
        .unwrap();
    let (_, web) = world.sign_in(&person("1", &["legal"]));
    assert_eq!(web.login, "p1");
    world.sound();
}

#[test]
fn t7_a_proof_at_the_provider_is_fresh_and_of_the_same_person() {
    let world = world();
    let app = world.app();
    let claims = person("1", &["legal"]);
    let (key, web) = world.sign_in(&claims);
    // A password, even a right one, is not what they came by.
    assert!(matches!(
        app.step_up(&key, PASSWORD, None),
        Err(AppError::Auth(AuthError::ProviderProof))
    ));
    let proved = |claims: &Value, ago: Option<i64>| {
        let sent = world.depart(SsoAsk::StepUp(&web.session));
        assert!(
            sent.location.contains("&prompt=login&max_age=0"),
            "{}",
            sent.location
        );
        let mut claims = claims.clone();
        if let Some(ago) = ago {
            claims["auth_time"] = json!(app.now().wall.seconds() - ago);
        }
        let (code, state) = world.provider.authorise(&sent.location, &claims);
        world.arrive(&code, &state, &sent.browser)
    };
    for ago in [None, Some(3_600), Some(62)] {
        let arrived = proved(&claims, ago);
        assert!(
            matches!(arrived, SsoArrival::Refused(_, SsoRefusal::NotFresh)),
            "{ago:?}: {arrived:?}"
        );
    }
    assert!(matches!(
        proved(&person("2", &["legal"]), Some(0)),
        SsoArrival::Refused(_, SsoRefusal::OtherPerson)
    ));
    assert!(!app.web_session(&key).unwrap().stepped_up);
    assert!(matches!(proved(&claims, Some(0)), SsoArrival::Proved(back) if back == "/audit"));
    assert!(app.web_session(&key).unwrap().stepped_up);
    world.seconds(10 * MINUTE);
    assert!(!app.web_session(&key).unwrap().stepped_up);
    // It proves a session that stands, and begins none.
    let sent = world.depart(SsoAsk::StepUp(&web.session));
    let mut fresh = claims.clone();
    fresh["auth_time"] = json!(app.now().wall.seconds());
    let (code, state) = world.provider.authorise(&sent.location, &fresh);
    app.sign_out(&key).unwrap();
    let back = Callback {
        state,
        code: Some(code),
        ..Callback::default()
    };
    let arrived = app.sso_arrive(&back, Some(&sent.browser), ORIGIN);
    assert!(matches!(arrived, Err(AppError::Auth(AuthError::Session))));
    assert!(is_over(app, &key));
    world.sound();
}

#[test]
fn m3_a_test_shows_what_is_said_and_lets_nobody_in() {
    let world = world();
    let app = world.app();
    let SignIn::In(_, web) = app.sign_in("root", PASSWORD, None).unwrap() else {
        panic!("nobody has a second factor here");
    };
    let users = world.users();
    let mut claims = person("1", &["legal"]);
    claims["department"] = json!("Ops");
    let SsoArrival::Claims(said) = world.go(SsoAsk::Test(&web.session), &claims) else {
        panic!("no claims");
    };
    assert_eq!(said.claims["department"], "Ops");
    assert_eq!((said.role, said.login.as_str()), (Some(Role::Lawyer), "p1"));
    assert_eq!(said.known_as, None);
    assert_eq!(world.users(), users);
    // Only for whoever manages users.
    let lawyer = app.sso_depart(SsoAsk::Test(&world.court.law), "/", ORIGIN);
    assert!(matches!(
        lawyer,
        Err(AppError::Auth(AuthError::Forbidden { .. }))
    ));
    for (session, done) in [(&world.court.law, false), (&world.court.root, true)] {
        assert_eq!(app.provider_line(session).is_ok(), done);
        assert_eq!(app.check_provider(session).is_ok(), done);
        assert_eq!(app.bind_user(session, "law", "77").is_ok(), done);
        assert_eq!(
            app.set_provider(session, &configured(&world.provider))
                .is_ok(),
            done
        );
    }
    world.sound();
}

#[test]
fn t1_the_secret_of_the_client_is_nowhere_on_the_disk() {
    let world = world();
    world.sign_in(&person("subject-canary", &["legal"]));
    let place = house::Place::new(world.court.dir.path());
    world.court.appliance.close().unwrap();
    let root = world.court.dir.path();
    for word in [SECRET, "subject-canary", world.provider.issuer.as_str()] {
        assert!(!holds_word(root, word), "{word}");
    }
    // Another secret takes its place, and the elder can no longer be read.
    drop(place);
    let mut new = configured(&world.provider);
    new.config.secret = Some(Zeroizing::new("changed".to_owned()));
    world.app().set_provider(&world.court.root, &new).unwrap();
    assert!(matches!(
        world.go(SsoAsk::SignIn, &person("2", &["legal"])),
        SsoArrival::Refused(_, SsoRefusal::Denied(why)) if why == "invalid_client"
    ));
}
