//! Who may take which route: every role and an outsider against the whole table.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use serde_json::json;
use wordkeep::app::LogRequest;
use wordkeep::domain::Role;
use wordkeep::http::{Access, House, HouseOptions, ROUTES, Route, router};

use crate::served::{Answer, CANARY, Served, Who, served};

fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().copied().flatten()
}

/// Takes a route as somebody would who has nothing more to say.
fn take(served: &Served, who: Who, route: &Route) -> Answer {
    let path = served.path(route, who);
    match (route.is_api(), route.method == Method::GET) {
        (true, true) => served.api(who, Method::GET, &path, None),
        (true, false) => {
            // Named and conditional, so that what is judged is who asks; the body says nothing.
            let headers = [("idempotency-key", route.path), ("if-match", "\"seen\"")];
            let method = route.method.clone();
            served.api_with(who, method, &path, Some(&json!({})), &headers)
        }
        (false, true) => served.get(who, &path),
        (false, false) => served.post_form(who, &path, &[]),
    }
}

/// What is wrong with an answer, when the table is right.
fn judged(who: Who, route: &Route, answer: &Answer) -> Option<String> {
    let what = format!("{who} {} {}: {}", route.method, route.path, answer.status);
    if answer.status.is_server_error() {
        return Some(format!("{what}: {}", answer.body));
    }
    if who.may_take(route.access) {
        // Nothing was typed: signing in with nothing is refused by itself. Who signs out is sent there.
        let outside = route.access == Access::Anyone || route.path == "/sign-out";
        // People alone make tokens, and end them: a program is told so.
        let outside = outside || route.path.starts_with("/api/v1/tokens");
        return match answer.is_turned_away() && !outside {
            true => Some(format!("{what}, and may pass: {}", answer.body)),
            false => None,
        };
    }
    let right = match (who, route.is_api()) {
        (Who::Outsider, true) => answer.status == StatusCode::UNAUTHORIZED,
        (Who::Outsider, false) => {
            answer.status == StatusCode::SEE_OTHER && answer.location().starts_with("/sign-in")
        }
        (Who::Person(_), _) => answer.status == StatusCode::FORBIDDEN,
    };
    (!right).then(|| format!("{what}, and may not pass"))
}

#[test]
fn m6_every_role_passes_exactly_where_the_table_says() {
    let served = served();
    let mut wrong = Vec::new();
    let mut refused = 0;
    for who in Who::all() {
        for route in routes() {
            let answer = take(&served, who, route);
            refused += usize::from(!who.may_take(route.access));
            wrong.extend(judged(who, route, &answer));
            if !who.reads() && answer.body.contains(CANARY) {
                wrong.push(format!("{who} sees words of messages at {}", route.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 15, "{refused}");
}

#[test]
fn m6_a_program_with_the_cookie_of_a_browser_passes_as_its_owner() {
    let served = served();
    let mut wrong = Vec::new();
    for who in Who::all() {
        for route in routes().filter(|route| route.is_api()) {
            let path = served.path(route, who);
            let mut request = served.request(who, &route.method, &path);
            if let Who::Person(role) = who {
                request = request.header("x-csrf-token", served.csrf(role));
            }
            let request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", format!("cookie {}", route.path))
                .header("if-match", "\"seen\"");
            let answer = served.send(request.body(Body::from("{}")).unwrap());
            wrong.extend(judged(who, route, &answer));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The words do appear for those who read: the law above could fail.
#[test]
fn t4_words_of_messages_reach_readers_and_nobody_else() {
    let served = served();
    let conversation = format!("/c/{}", served.ids["c"]);
    for who in Who::all() {
        let found = served.post_form(who, "/search", &[("query", "shipment")]);
        let hits = match found.status {
            StatusCode::SEE_OTHER => served.get(who, found.location()),
            _ => found,
        };
        let slice = served.get(who, &conversation);
        for answer in [&hits, &slice] {
            assert_eq!(
                answer.body.contains(CANARY),
                who.reads(),
                "{who}: {} {}",
                answer.status,
                answer.body
            );
        }
    }
}

#[test]
fn m6_a_refusal_at_the_door_stands_in_the_log() {
    let served = served();
    let auditor = Who::Person(Role::Auditor);
    let asked = || {
        let request = LogRequest {
            action: Some("access.ask".to_owned()),
            ..LogRequest::default()
        };
        let page = served.court.appliance.read_log(&served.court.rec, &request);
        page.unwrap().lines.len()
    };
    let before = asked();
    assert_eq!(served.get(auditor, "/search").status, StatusCode::FORBIDDEN);
    assert_eq!(asked(), before + 1);
}

#[test]
fn t7_a_change_with_a_cookie_needs_the_mark_of_its_session() {
    let served = served();
    let lawyer = Who::Person(Role::Lawyer);
    let others_mark = format!("csrf={}", served.csrf(Role::RecordsOfficer));
    let changes = routes().filter(|route| {
        let open = matches!(route.access, Access::Unlogged | Access::Anyone);
        !matches!(route.method, Method::GET | Method::HEAD)
            && !open
            && lawyer.may_take(route.access)
    });
    let mut tried = 0;
    for route in changes {
        let path = served.path(route, lawyer);
        for form in ["", "csrf=", others_mark.as_str()] {
            let request = served
                .request(lawyer, &route.method, &path)
                .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let answer = served.send(request.body(Body::from(form.to_owned())).unwrap());
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {form}");
        }
        // The right mark, sent from a page of somebody else.
        let request = served
            .request(lawyer, &route.method, &path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "cross-site");
        let form = format!("csrf={}", served.csrf(Role::Lawyer));
        let answer = served.send(request.body(Body::from(form)).unwrap());
        assert_eq!(
            answer.status,
            StatusCode::FORBIDDEN,
            "{path} from elsewhere"
        );
        tried += 1;
    }
    assert!(tried >= 3, "{tried}");
}

#[test]
fn t7_a_cookie_or_token_that_is_not_ours_is_nobody() {
    let served = served();
    for cookie in [
        "",
        "wordkeep=",
        "wordkeep=00",
        &format!("wordkeep={}", "0".repeat(64)),
    ] {
        let request = Request::builder()
            .uri("/search")
            .header(header::COOKIE, cookie);
        let answer = served.send(request.body(Body::empty()).unwrap());
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{cookie}");
        assert_eq!(answer.location(), "/sign-in?to=/search");
    }
    let token = served.token(Role::Lawyer);
    let mut forged = token.clone();
    let last = forged.pop().unwrap();
    forged.push(if last == '0' { '1' } else { '0' });
    for (token, right) in [(token.as_str(), false), (forged.as_str(), false)] {
        // A token is for programs: pages do not take it.
        let request = Request::builder()
            .uri("/search")
            .header(header::AUTHORIZATION, format!("Bearer {token}"));
        let answer = served.send(request.body(Body::empty()).unwrap());
        assert_eq!(answer.status == StatusCode::OK, right);
    }
}

/// What every answer carries, whatever it is.
fn hardened(headers: &HeaderMap) -> Result<(), String> {
    let value = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.ok_or_else(|| format!("without {name}"))
    };
    let policy = value("content-security-policy")?;
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        let sandboxed = policy.contains("sandbox");
        if !sandboxed && !policy.split("; ").any(|one| one.trim() == part) {
            return Err(format!("the policy lacks {part}: {policy}"));
        }
    }
    if policy.contains("unsafe") {
        return Err(format!("the policy is loose: {policy}"));
    }
    for (name, wanted) in [
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        let given = value(name)?;
        if given != wanted {
            return Err(format!("{name}: {given}"));
        }
    }
    value("permissions-policy")?;
    value("cache-control").map(drop)
}

#[test]
fn m6_every_answer_carries_the_rules_for_browsers() {
    let served = served();
    let mut wrong = Vec::new();
    for who in Who::all() {
        for route in routes() {
            let answer = take(&served, who, route);
            if let Err(why) = hardened(&answer.headers) {
                wrong.push(format!("{who} {}: {why}", route.path));
            }
            let kept = answer.headers[header::CACHE_CONTROL].to_str().unwrap();
            let words = answer.kind().starts_with("text/html") || route.is_api();
            if words && !kept.contains("no-store") {
                wrong.push(format!("{who} {}: browsers keep it: {kept}", route.path));
            }
        }
    }
    for path in [
        "/nowhere",
        "/api/v1/nowhere",
        "/c/cnv_wrong",
        "/assets/0/none",
    ] {
        let answer = served.get(Who::Outsider, path);
        if let Err(why) = hardened(&answer.headers) {
            wrong.push(format!("{path}: {why}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn m6_a_sealed_house_answers_nothing_but_how_it_stands() {
    let unlock = |_: &str| {
        Err(wordkeep::app::AppError::Configuration(
            "the secret opens no slot".to_owned(),
        ))
    };
    let house = House::sealed(Box::new(unlock), HouseOptions::default());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    for route in routes() {
        let open = route.access == Access::Unlogged;
        let path = route.path.replace(['{', '}'], "");
        let request = Request::builder()
            .method(&route.method)
            .uri(&path)
            .header(header::COOKIE, format!("wordkeep={}", "0".repeat(64)))
            .body(Body::empty())
            .unwrap();
        let answer = runtime
            .block_on(tower::ServiceExt::oneshot(router(&house), request))
            .unwrap();
        let status = answer.status();
        if route.is_api() && !open {
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        } else if !open && route.access != Access::Anyone {
            assert_eq!(status, StatusCode::SEE_OTHER, "{path}");
            assert_eq!(answer.headers()[header::LOCATION], "/unlock", "{path}");
        }
    }
}

/// Two routes with one path and method would hide each other; a row without method is none.
#[test]
fn every_row_of_the_table_stands_once() {
    let mut seen = std::collections::BTreeSet::new();
    for route in routes() {
        assert!(
            seen.insert((route.method.to_string(), route.path)),
            "{} {} stands twice",
            route.method,
            route.path
        );
        assert!(route.path.starts_with('/'), "{}", route.path);
    }
}
