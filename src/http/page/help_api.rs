//! The description of the API as a page, made from the very document that programs read.

use std::collections::BTreeMap;

use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use super::super::api::openapi;
use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section};

pub(in crate::http) const ROUTES: &[Route] =
    &[Route::get("/help/api", Access::SignedIn, || get(show))];

async fn show(frame: Frame) -> Page {
    let document: Value = serde_json::from_str(&openapi()).unwrap_or_default();
    Ok(frame
        .at(Section::Outside, "API")
        .page(&Reference { document }.markup()))
}

/// The document as it is read.
struct Reference {
    document: Value,
}

/// An operation with its place.
struct Placed<'a> {
    method: String,
    path: &'a str,
    operation: &'a Value,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn fields<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    value[name].as_object().into_iter().flatten()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten()
}

/// The name of a shape that is referred to.
fn shape_of(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// The kind of a value in words: a shape, a list of one, a type, or one of them or nothing.
fn kind(schema: &Value) -> String {
    if let Some(name) = shape_of(schema) {
        return name.to_owned();
    }
    if let Some(items) = schema.get("items") {
        return format!("list of {}", kind(items));
    }
    for choice in ["oneOf", "anyOf"] {
        let kinds: Vec<String> = list(schema, choice).map(kind).collect();
        if !kinds.is_empty() {
            return kinds.join(" or ");
        }
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let format = text(schema, "format");
    match (kinds.is_empty(), format.is_empty()) {
        (true, _) => "anything".to_owned(),
        (false, true) => kinds.join(" or "),
        (false, false) => format!("{} ({format})", kinds.join(" or ")),
    }
}

impl Reference {
    fn topics(&self) -> BTreeMap<&str, Vec<Placed<'_>>> {
        let mut topics: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
        for (path, item) in fields(&self.document, "paths") {
            for (method, operation) in item.as_object().into_iter().flatten() {
                let topic = operation["tags"][0].as_str().unwrap_or_default();
                topics.entry(topic).or_default().push(Placed {
                    method: method.to_uppercase(),
                    path,
                    operation,
                });
            }
        }
        topics
    }

    fn markup(&self) -> Markup {
        let topics = self.topics();
        html! {
            h1 { "API" }
            p { (text(&self.document["info"], "description")) }
            p {
                "Programs send " code { "Authorization: Bearer wk_…" } " with a token that you make under "
                a href="/account" { "Account" } ". The document for tools: "
                a href="/api/v1/openapi.json" { "openapi.json" } ". Every refusal is "
                a href="/problems" { "one of these" } "."
            }
            nav aria-label="Topics" {
                ul.topics { @for topic in topics.keys() { li { a href={ "#" (topic) } { (topic) } } } }
            }
            @for (topic, operations) in &topics {
                section aria-labelledby=(topic) {
                    h2 id=(topic) { (topic) }
                    @for placed in operations { (self.operation(placed)) }
                }
            }
            section aria-labelledby="shapes" {
                h2 #shapes { "Shapes" }
                @for (name, schema) in fields(&self.document["components"], "schemas") {
                    (self.shape(name, schema))
                }
            }
        }
    }

    fn operation(&self, placed: &Placed<'_>) -> Markup {
        let operation = placed.operation;
        let scope = text(operation, "x-scope");
        html! {
            details.card id=(text(operation, "operationId")) {
                summary { code { (placed.method) " " (placed.path) } " " (text(operation, "summary")) }
                dl.facts {
                    @if !scope.is_empty() { dt { "Scope" } dd { code { (scope) } } }
                    @for (kind, content) in fields(&operation["requestBody"], "content") {
                        dt { "Body" } dd { (named(&content["schema"])) " as " code { (kind) } }
                    }
                    @if let Some(details) = operation.get("x-job-details") {
                        dt { "Details of the job" } dd { (named(details)) }
                    }
                    @for (status, answer) in fields(operation, "responses") {
                        dt { (status) }
                        dd {
                            (text(answer, "description"))
                            @for (_, content) in fields(answer, "content") {
                                @let schema = &content["schema"];
                                @if status.starts_with('2') {
                                    ": "
                                    @match schema["properties"].get("items") {
                                        Some(items) => { "items, " (named(items)) },
                                        None => (named(schema)),
                                    }
                                }
                            }
                        }
                    }
                }
                (parameters(operation))
            }
        }
    }

    fn shape(&self, name: &str, schema: &Value) -> Markup {
        let needed: Vec<&str> = list(schema, "required").filter_map(Value::as_str).collect();
        html! {
            details.card id={ "shape-" (name) } {
                summary { code { (name) } " " (text(schema, "description")) }
                @if schema["properties"].is_object() {
                    div.scroll { table.grid {
                        thead { tr { th scope="col" { "Field" } th scope="col" { "Kind" } th scope="col" { "What" } } }
                        tbody {
                            @for (field, shape) in fields(schema, "properties") {
                                tr {
                                    th scope="row" {
                                        code { (field) }
                                        @if needed.contains(&field.as_str()) { " *" }
                                    }
                                    td { (named(shape)) }
                                    td { (text(shape, "description")) }
                                }
                            }
                        }
                    } }
                    p.aside { "* always there, or needed" }
                }
            }
        }
    }
}

fn named(schema: &Value) -> Markup {
    let target = shape_of(schema).or_else(|| shape_of(&schema["items"]));
    html! {
        @match target {
            Some(name) => a href={ "#shape-" (name) } { (kind(schema)) },
            None => (kind(schema)),
        }
    }
}

fn parameters(operation: &Value) -> Markup {
    html! {
        @if list(operation, "parameters").next().is_some() {
            div.scroll { table.grid {
                thead { tr { th scope="col" { "Parameter" } th scope="col" { "Where" } th scope="col" { "What" } } }
                tbody {
                    @for one in list(operation, "parameters") {
                        tr {
                            th scope="row" {
                                code { (text(one, "name")) }
                                @if one["required"] == true { " *" }
                            }
                            td { (text(one, "in")) }
                            td { (text(one, "description")) }
                        }
                    }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x2_every_operation_and_shape_stands_on_the_page() {
        let document: Value = serde_json::from_str(&openapi()).unwrap();
        let reference = Reference { document };
        let page = reference.markup().into_string();
        let mut operations = 0;
        for (path, item) in fields(&reference.document, "paths") {
            for (method, operation) in item.as_object().unwrap() {
                operations += 1;
                let head = format!("{} {path}", method.to_uppercase());
                assert!(page.contains(&head), "{head}");
                assert!(page.contains(&format!("id=\"{}\"", text(operation, "operationId"))));
            }
        }
        assert!(operations > 50, "{operations}");
        for piece in page.split("href=\"#shape-").skip(1) {
            let name = piece.split('"').next().unwrap();
            assert!(page.contains(&format!("id=\"shape-{name}\"")), "{name}");
        }
        assert!(!page.contains("<script"));
    }

    #[test]
    fn kinds_are_said_in_words() {
        let of = |text: &str| kind(&serde_json::from_str(text).unwrap());
        assert_eq!(of(r#"{"type":["string","null"]}"#), "string or null");
        assert_eq!(
            of(r##"{"type":"array","items":{"$ref":"#/a/Hold"}}"##),
            "list of Hold"
        );
        assert_eq!(
            of(r#"{"type":"string","format":"date-time"}"#),
            "string (date-time)"
        );
        assert_eq!(of("{}"), "anything");
    }
}
