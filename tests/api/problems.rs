//! What is refused says where to read more, and there is something to read.

use std::collections::BTreeSet;
use std::path::Path;

use axum::http::{Method, StatusCode};
use serde_json::json;
use wordkeep::domain::Role;

use crate::served::{Who, served};

/// The kinds that the source makes refusals of: the first word behind the status.
fn kinds_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            kinds_of(&path, found);
            continue;
        }
        if path.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap();
        for call in product.split("Refusal::new(").skip(1) {
            let Some((before, rest)) = call.split_once('"') else {
                continue;
            };
            if before.contains("StatusCode::") && before.matches(',').count() == 1 {
                found.insert(rest.split('"').next().unwrap().to_owned());
            }
        }
    }
}

#[test]
fn x1_every_kind_of_refusal_has_a_page_that_says_what_to_do() {
    let served = served();
    let mut kinds = BTreeSet::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    kinds_of(&source, &mut kinds);
    assert!(kinds.len() > 20, "{kinds:?}");
    let list = served.get(Who::Outsider, "/problems");
    for kind in &kinds {
        for who in [Who::Outsider, Who::Person(Role::Manager)] {
            let page = served.get(who, &format!("/problems/{kind}"));
            assert_eq!(page.status, StatusCode::OK, "/problems/{kind} for {who}");
            assert!(page.body.contains("What to do"), "{}", page.body);
        }
        assert!(list.body.contains(&format!("/problems/{kind}\"")), "{kind}");
    }
    let none = served.get(Who::Outsider, "/problems/nothing-like-it");
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[test]
fn x1_the_type_of_a_problem_leads_to_its_page() {
    let served = served();
    let lawyer = Who::Person(Role::Lawyer);
    let refusals = [
        served.api(lawyer, Method::GET, "/api/v1/nowhere", None),
        served.api(lawyer, Method::GET, "/api/v1/users", None),
        served.api(Who::Outsider, Method::GET, "/api/v1/jobs", None),
        served.api(
            lawyer,
            Method::POST,
            "/api/v1/search",
            Some(&json!({ "query": "(a" })),
        ),
        served.api(lawyer, Method::POST, "/api/v1/matters", Some(&json!({}))),
    ];
    let mut types = BTreeSet::new();
    for refusal in refusals {
        let problem = refusal.json();
        let way = problem["type"].as_str().unwrap().to_owned();
        let page = served.get(Who::Outsider, &way);
        assert_eq!(page.status, StatusCode::OK, "{way}");
        types.insert(way);
    }
    assert_eq!(types.len(), 5, "{types:?}");
}

#[test]
fn x2_the_description_is_a_page_for_whoever_is_signed_in() {
    let served = served();
    for role in Role::ALL {
        let page = served.get(Who::Person(role), "/help/api");
        assert_eq!(page.status, StatusCode::OK, "{role:?}");
        assert!(page.body.contains("POST /api/v1/exports"), "{role:?}");
        assert!(page.body.contains("shape-Hold"), "{role:?}");
    }
}
