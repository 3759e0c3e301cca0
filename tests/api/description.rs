//! The description of the API: the copy that programs are written against is the one that is served,
//! and a difference says whether it breaks them.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use wordkeep::http::openapi;

use crate::served::{Who, served};

const COPY: &str = include_str!("../../schema/openapi.json");

fn methods(path: &Value) -> impl Iterator<Item = (&String, &Value)> {
    path.as_object().into_iter().flatten()
}

fn words(list: &Value) -> BTreeSet<&str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// What a program that was written against `old` would stumble over in `new`.
fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in methods(&old["paths"]) {
        for (method, operation) in methods(item) {
            let now = &new["paths"][path][method];
            if now.is_null() {
                found.push(format!("{method} {path} is gone"));
                continue;
            }
            for (status, _) in
                methods(&operation["responses"]).filter(|(status, _)| *status < &"300".to_owned())
            {
                if now["responses"][status].is_null() {
                    found.push(format!("{method} {path} no longer answers {status}"));
                }
            }
            let needs = |operation: &Value| -> BTreeSet<String> {
                let parameters = operation["parameters"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                let needed = parameters.iter().filter(|one| one["required"] == true);
                needed.map(|one| one["name"].to_string()).collect()
            };
            for name in needs(now).difference(&needs(operation)) {
                found.push(format!("{method} {path} needs {name} now"));
            }
        }
    }
    for (name, schema) in methods(&old["components"]["schemas"]) {
        let now = &new["components"]["schemas"][name];
        if now.is_null() {
            found.push(format!("{name} is gone"));
            continue;
        }
        for (field, shape) in methods(&schema["properties"]) {
            let shape_now = &now["properties"][field];
            let kind = |shape: &Value| (shape["type"].clone(), shape["$ref"].clone());
            if shape_now.is_null() {
                found.push(format!("{name}.{field} is gone"));
            } else if kind(shape) != kind(shape_now) {
                found.push(format!("{name}.{field} is another thing"));
            }
        }
        // Requests are closed: what they need is said by what they refuse.
        let closed = now["additionalProperties"] == false;
        for field in words(&now["required"]).difference(&words(&schema["required"])) {
            if closed {
                found.push(format!("{name} needs {field} now"));
            }
        }
        for field in words(&schema["required"]).difference(&words(&now["required"])) {
            if !closed {
                found.push(format!("{name} may lack {field} now"));
            }
        }
    }
    found
}

#[test]
fn x2_the_committed_description_is_the_one_that_is_served() {
    let (old, new): (Value, Value) = (
        serde_json::from_str(COPY).unwrap(),
        serde_json::from_str(&openapi()).unwrap(),
    );
    let broken = breaks(&old, &new);
    assert!(
        broken.is_empty(),
        "programs that were written against the description would break:\n{}",
        broken.join("\n")
    );
    assert!(
        COPY == openapi(),
        "the API has grown: write the copy anew with `wordkeep openapi > schema/openapi.json`"
    );
    let served = served();
    let answer = served.get(Who::Outsider, "/api/v1/openapi.json");
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body, COPY);
}

#[test]
fn x2_differences_that_break_are_found() {
    let old: Value = serde_json::from_str(COPY).unwrap();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut new = old.clone();
        change(&mut new);
        breaks(&old, &new)
    };
    assert!(changed(&|_| {}).is_empty());
    let grown = changed(&|new| {
        new["paths"]["/api/v1/new"] = json!({ "get": {} });
        new["components"]["schemas"]["Hold"]["properties"]["more"] = json!({ "type": "string" });
    });
    assert!(grown.is_empty(), "{grown:?}");
    type Change<'a> = &'a dyn Fn(&mut Value);
    let planted: [(Change<'_>, &str); 5] = [
        (
            &|new| {
                drop(
                    new["paths"]
                        .as_object_mut()
                        .unwrap()
                        .remove("/api/v1/holds"),
                )
            },
            "/api/v1/holds is gone",
        ),
        (
            &|new| {
                new["components"]["schemas"]["Hold"]["properties"]["name"] =
                    json!({ "type": "integer" })
            },
            "Hold.name is another thing",
        ),
        (
            &|new| {
                let required = &mut new["components"]["schemas"]["NewMatter"]["required"];
                required.as_array_mut().unwrap().push(json!("reference"));
            },
            "NewMatter needs reference now",
        ),
        (
            &|new| new["components"]["schemas"]["Hold"]["required"] = json!([]),
            "Hold may lack",
        ),
        (
            &|new| {
                let parameter = json!({ "name": "sure", "in": "header", "required": true });
                let get = &mut new["paths"]["/api/v1/holds"]["get"]["parameters"];
                get.as_array_mut().unwrap().push(parameter);
            },
            "needs \"sure\" now",
        ),
    ];
    for (change, what) in planted {
        let found = changed(change).join("; ");
        assert!(found.contains(what), "{what}: {found}");
    }
}

/// What is described takes what it says: an unknown field is refused everywhere.
#[test]
fn x2_unknown_fields_are_refused_everywhere() {
    let served = served();
    let document: Value = serde_json::from_str(COPY).unwrap();
    let mut tried = 0;
    for (path, item) in methods(&document["paths"]) {
        for (method, operation) in methods(item) {
            let reference = &operation["requestBody"]["content"]["application/json"]["schema"];
            if reference.is_null() {
                continue;
            }
            let name = reference["$ref"]
                .as_str()
                .unwrap()
                .rsplit('/')
                .next()
                .unwrap();
            let schema = &document["components"]["schemas"][name];
            assert_eq!(schema["additionalProperties"], false, "{name} is open");
            let path = path
                .replace("{no}", "1")
                .replace("{login}", "man")
                .replace("{id}", "pol_00000000000000000000000000");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for role in wordkeep::domain::Role::ALL {
                let key = format!("unknown {path}");
                let headers = [("idempotency-key", key.as_str()), ("if-match", "\"x\"")];
                let body = json!({ "nobody_knows_this": 1 });
                let answer = served.api_with(
                    Who::Person(role),
                    method.clone(),
                    &path,
                    Some(&body),
                    &headers,
                );
                if answer.status == StatusCode::FORBIDDEN {
                    continue;
                }
                let refused = matches!(
                    answer.status,
                    StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND
                );
                assert!(refused, "{role:?} {method} {path}: {}", answer.status);
                assert_eq!(answer.kind(), "application/problem+json", "{path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 10, "{tried}");
}
