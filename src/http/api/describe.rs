//! The description of the API for programs, OpenAPI 3.1, made from the table of routes.

use std::sync::Arc;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use serde_json::{Map, Value, json};
use utoipa::openapi::{RefOr, Schema};

use super::super::house::House;
use super::super::route::{Access, ROUTES as TABLE, Route};
use super::super::scim;
use super::operation::{Gives, Operation, Parameter, Shape};

/// Where it is served.
const PATH: &str = "/api/v1/openapi.json";
/// What a refusal looks like, by its name in the description.
const PROBLEM: &str = "Problem";

pub(in crate::http) const ROUTES: &[Route] = &[Route::get(PATH, Access::Unlogged, handler)];

fn handler() -> MethodRouter<Arc<House>> {
    get(serve)
}

async fn serve() -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (kind, openapi()).into_response()
}

/// The description as JSON, the same for the same program.
pub fn openapi() -> String {
    let mut schemas = Map::new();
    let mut paths = Map::new();
    for route in TABLE.iter().copied().flatten() {
        let Some(operation) = &route.operation else {
            continue;
        };
        let path = paths
            .entry(route.path)
            .or_insert_with(|| Value::Object(Map::new()));
        path[route.method.as_str().to_lowercase()] = described(route, operation, &mut schemas);
    }
    schemas.insert(PROBLEM.to_owned(), problem());
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wordkeep",
            "version": "1",
            "summary": "Search, conversations, holds and retention of an archive of chats",
            "description": "Times are RFC 3339. Ids carry their prefix. Unknown fields of a request are refused; \
                fields may be added to answers. What you may not see and what is not there are answered alike.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [], "mark": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of a program: wk_…",
                },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-wordkeep" },
                "mark": { "type": "apiKey", "in": "header", "name": "x-csrf-token" },
            },
        },
    });
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

fn described(route: &Route, operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let mut parameters: Vec<Value> = in_path(route.path);
    parameters.extend(operation.asks.iter().map(asked));
    if operation.keyed {
        parameters.push(header_of(
            "Idempotency-Key",
            "A name of your own making for this act: the same key is done once",
        ));
    }
    if operation.conditional {
        parameters.push(header_of(
            "If-Match",
            "The ETag of the object as you read it",
        ));
    }
    if operation.takes_bytes {
        parameters.push(may_have(
            "Content-Range",
            "Where a part stands: bytes 0-999/5000; without it the body is the whole file",
        ));
        parameters.push(may_have(
            "Repr-Digest",
            "SHA-256 of the whole file (RFC 9530): sha-256=:…:",
        ));
    }
    let mut described = json!({
        "operationId": operation.name,
        "summary": operation.about,
        "tags": [operation.topic],
        "parameters": parameters,
        "responses": responses(operation, schemas),
    });
    if let Some(shape) = operation.takes {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": reference(shape, schemas) } },
        });
    }
    if operation.takes_bytes {
        described["requestBody"] = json!({
            "required": true,
            "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } },
        });
    }
    if let Some(shape) = operation.result {
        described["x-job-details"] = reference(shape, schemas);
    }
    if let Some(scope) = operation.scope {
        described["x-scope"] = json!(scope.name());
    }
    if route.path.starts_with(scim::BELOW) {
        in_scim(&mut described["responses"]);
    }
    described
}

/// Directories are answered in the kind of SCIM; what is refused at the door is a problem as everywhere.
fn in_scim(responses: &mut Value) {
    let contents = responses.as_object_mut().into_iter().flatten();
    for content in contents.filter_map(|(_, one)| one.get_mut("content")?.as_object_mut()) {
        content.remove("application/json");
        let body = json!({ "schema": { "type": "object" } });
        content.insert(scim::MEDIA.to_owned(), body);
    }
}

fn in_path(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            let schema = match name {
                "no" => json!({ "type": "integer", "minimum": 0 }),
                _ => json!({ "type": "string" }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect()
}

fn asked(parameter: &Parameter) -> Value {
    let (kind, format) = parameter.kind;
    let mut schema = json!({ "type": kind });
    if let Some(format) = format {
        schema["format"] = json!(format);
    }
    if kind == "integer" {
        schema["minimum"] = json!(1);
        schema["maximum"] = json!(1_000);
    }
    json!({
        "name": parameter.name,
        "in": "query",
        "required": false,
        "description": parameter.about,
        "schema": schema,
    })
}

fn header_of(name: &str, about: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "required": true,
        "description": about,
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
    })
}

fn may_have(name: &str, about: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "required": false,
        "description": about,
        "schema": { "type": "string", "maxLength": 255 },
    })
}

fn responses(operation: &Operation, schemas: &mut Map<String, Value>) -> Value {
    let (status, gives) = operation.gives;
    let mut responses = Map::new();
    let good = match gives {
        Gives::One(shape) => with_body("Done", reference(shape, schemas)),
        Gives::Page(shape) => {
            let item = reference(shape, schemas);
            with_body("A page of the list", page(&item, schemas))
        }
        Gives::Other(about) if status == 204 => json!({ "description": about }),
        Gives::Other(about) => with_body(about, json!({ "type": "object" })),
        Gives::Empty(about) => json!({ "description": about }),
        Gives::Bytes(media, about) => json!({
            "description": about,
            // Neither bytes nor events are JSON: no schema is theirs.
            "content": { media: {} },
        }),
    };
    responses.insert(status.to_string(), good);
    let mut refuse = |status: u16, about: &str| {
        let body = json!({ "$ref": format!("#/components/schemas/{PROBLEM}") });
        let refusal = json!({
            "description": about,
            "content": { "application/problem+json": { "schema": body } },
        });
        responses.insert(status.to_string(), refusal);
    };
    refuse(400, "The request is wrong");
    refuse(401, "Nobody is signed in");
    refuse(403, "The role or the token does not carry the right");
    refuse(404, "There is nothing here, or nothing that you may see");
    refuse(
        429,
        "Too many requests; Retry-After says when to come again",
    );
    refuse(503, "The archive is sealed");
    if operation.keyed || operation.takes.is_some() || operation.takes_bytes {
        refuse(409, "Something stands in the way, or somebody was first");
        refuse(413, "The body is too long");
        refuse(415, "The body is of a kind that is not read here");
        refuse(422, "Understood, and not done; the detail says why");
    }
    if operation.conflicts {
        refuse(409, "Something stands in the way, or somebody was first");
    }
    if operation.expires {
        refuse(
            410,
            "The state that the cursor was cut from is gone; begin again",
        );
    }
    if operation.conditional {
        refuse(409, "Something stands in the way, or somebody was first");
        refuse(
            412,
            "Somebody changed it since; it comes with the answer as it is",
        );
        refuse(428, "If-Match is missing");
    }
    Value::Object(responses)
}

fn with_body(about: &str, schema: Value) -> Value {
    json!({
        "description": about,
        "content": { "application/json": { "schema": schema } },
    })
}

/// The envelope of a list.
fn page(item: &Value, schemas: &mut Map<String, Value>) -> Value {
    let total = reference(Shape::of::<super::paging::Total>(), schemas);
    json!({
        "type": "object",
        "required": ["items", "next_cursor", "total"],
        "properties": {
            "items": { "type": "array", "items": item },
            "next_cursor": {
                "type": ["string", "null"],
                "description": "Leads to the next page; null on the last",
            },
            "total": total,
        },
    })
}

/// Puts a shape among the schemas, with all it is made of, and names it.
fn reference(shape: Shape, schemas: &mut Map<String, Value>) -> Value {
    let mut parts: Vec<(String, RefOr<Schema>)> = Vec::new();
    (shape.parts)(&mut parts);
    let name = (shape.name)().into_owned();
    parts.push((name.clone(), (shape.schema)()));
    for (name, schema) in parts {
        let schema = serde_json::to_value(schema).unwrap_or_default();
        schemas.insert(name, schema);
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// RFC 9457, with what we add to it.
fn problem() -> Value {
    json!({
        "type": "object",
        "description": "Why a request was not done (RFC 9457)",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "description": "Path of its help page" },
            "title": { "type": "string" },
            "status": { "type": "integer" },
            "detail": { "type": "string", "description": "What happened and what to do" },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": {
                        "code": { "type": "string" },
                        "span": { "type": "array", "items": { "type": "integer" } },
                        "message": { "type": "string" },
                    },
                },
            },
            "instance": { "type": "string", "description": "The path that was asked" },
            "hold_ids": {
                "type": "array",
                "items": { "type": "string" },
                "description": "Holds that stand in the way",
            },
            "required_permission": {
                "type": "string",
                "description": "The right of people, or the scope of tokens, that is missing",
            },
            "query": {
                "type": "string",
                "description": "The query to begin again with, in canonical form, when a snapshot has expired",
            },
            "current": { "description": "The object as it is, when what was seen is stale" },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_and_every_reference_leads_somewhere() {
        let text = openapi();
        let document: Value = serde_json::from_str(&text).unwrap();
        let mut names = std::collections::BTreeSet::new();
        for route in TABLE.iter().copied().flatten() {
            if route.path == PATH || !route.path.starts_with("/api/") {
                continue;
            }
            let operation = route.operation.as_ref().unwrap();
            assert!(names.insert(operation.name), "{} twice", operation.name);
            let method = route.method.as_str().to_lowercase();
            let known = &document["paths"][route.path][&method];
            assert_eq!(known["operationId"], operation.name);
        }
        let schemas = document["components"]["schemas"].as_object().unwrap();
        for piece in text.split("\"#/components/schemas/").skip(1) {
            let name = piece.split('"').next().unwrap();
            assert!(schemas.contains_key(name), "{name} is not described");
        }
    }

    /// Two types of one name would hide each other.
    #[test]
    fn no_two_shapes_share_a_name() {
        let mut seen: std::collections::BTreeMap<String, Value> = Default::default();
        for route in TABLE.iter().copied().flatten() {
            let Some(operation) = &route.operation else {
                continue;
            };
            let given = match operation.gives.1 {
                Gives::One(shape) | Gives::Page(shape) => Some(shape),
                Gives::Other(_) | Gives::Empty(_) | Gives::Bytes(..) => None,
            };
            for shape in operation
                .takes
                .into_iter()
                .chain(given)
                .chain(operation.result)
            {
                let mut parts = Vec::new();
                (shape.parts)(&mut parts);
                parts.push(((shape.name)().into_owned(), (shape.schema)()));
                for (name, schema) in parts {
                    let schema = serde_json::to_value(schema).unwrap();
                    let first = seen.entry(name.clone()).or_insert_with(|| schema.clone());
                    assert_eq!(*first, schema, "{name} is two things");
                }
            }
        }
    }
}
