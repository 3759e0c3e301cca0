//! Assistants read with the token of a program, tool by tool, where the house lets them at all.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use wordkeep::app::{Appliance, LogRequest, NewApiToken};
use wordkeep::domain::ApiScope;
use wordkeep::http::{House, HouseOptions, router};

use crate::house::{Place, count, import, ios_export, log_in, plain_chat, secret};

struct World {
    _dir: tempfile::TempDir,
    app: Arc<Appliance>,
    router: Router,
    runtime: tokio::runtime::Runtime,
}

impl World {
    fn new(on: bool) -> World {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path());
        place.create().close().unwrap();
        let mut settings = place.settings();
        assert!(!settings.mcp, "off by default");
        settings.mcp = on;
        let app = Arc::new(Appliance::open(settings, &secret()).unwrap());
        let path = ios_export(dir.path(), "Nordwind", &plain_chat("quince", 90), &[]);
        import(&app, &log_in(&app, "rec"), &path).unwrap();
        let house = House::open(Arc::clone(&app), HouseOptions::default());
        World {
            _dir: dir,
            router: router(&house),
            app,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn token(&self, login: &str, scopes: &[ApiScope]) -> String {
        let new = NewApiToken {
            name: "assistant".to_owned(),
            scopes: scopes.to_vec(),
            days: 1,
        };
        let session = log_in(&self.app, login);
        let (token, _, _) = self.app.create_api_token(&session, &new).unwrap();
        token.to_string()
    }

    fn send(&self, token: &str, message: &Value, headers: &[(&str, &str)]) -> (StatusCode, Value) {
        let mut request = Request::post("/mcp")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream");
        if !token.is_empty() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(message.to_string())).unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = to_bytes(body, 4 << 20).await.unwrap();
            (
                parts.status,
                serde_json::from_slice(&bytes).unwrap_or_default(),
            )
        })
    }

    fn call(&self, token: &str, tool: &str, arguments: &Value) -> Value {
        let message = json!({
            "jsonrpc": "2.0", "id": 7, "method": "tools/call",
            "params": { "name": tool, "arguments": arguments },
        });
        let (status, answer) = self.send(token, &message, &[]);
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(answer["id"], 7);
        answer
    }

    fn entries(&self) -> usize {
        let rec = log_in(&self.app, "rec");
        let mut found = 0;
        for action in ["content.search", "content.view"] {
            let request = LogRequest {
                action: Some(action.to_owned()),
                ..LogRequest::default()
            };
            found += self.app.read_log(&rec, &request).unwrap().lines.len();
        }
        found
    }
}

fn ask(method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": {} })
}

const READING: [ApiScope; 2] = [ApiScope::SearchRead, ApiScope::ConversationRead];

#[test]
fn x4_assistants_are_let_in_by_the_house_and_by_a_token_alone() {
    let off = World::new(false);
    let token = off.token("law", &READING);
    assert_eq!(off.send(&token, &ask("ping"), &[]).0, StatusCode::NOT_FOUND);
    let on = World::new(true);
    let token = on.token("law", &READING);
    assert_eq!(on.send(&token, &ask("ping"), &[]).0, StatusCode::OK);
    assert_eq!(on.send("", &ask("ping"), &[]).0, StatusCode::UNAUTHORIZED);
    let blind = on.token("root", &[ApiScope::UserWrite]);
    assert_eq!(on.send(&blind, &ask("ping"), &[]).0, StatusCode::FORBIDDEN);
    let page = [("origin", "https://evil.example")];
    assert_eq!(
        on.send(&token, &ask("ping"), &page).0,
        StatusCode::FORBIDDEN
    );
    let elder = [("mcp-protocol-version", "1999-01-01")];
    assert_eq!(
        on.send(&token, &ask("ping"), &elder).0,
        StatusCode::BAD_REQUEST
    );
    let heard = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(on.send(&token, &heard, &[]).0, StatusCode::ACCEPTED);
    let hello = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": { "protocolVersion": "2025-03-26", "capabilities": {}, "clientInfo": { "name": "t" } },
    });
    let (_, greeting) = on.send(&token, &hello, &[]);
    assert_eq!(greeting["result"]["protocolVersion"], "2025-03-26");
    let (_, unknown) = on.send(&token, &ask("resources/list"), &[]);
    assert_eq!(unknown["error"]["code"], -32601);
}

#[test]
fn x4_the_tools_answer_like_the_archive_and_each_call_is_logged() {
    let world = World::new(true);
    let token = world.token("law", &READING);
    let (_, listed) = world.send(&token, &ask("tools/list"), &[]);
    let tools = listed["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["search", "count", "read_conversation", "read_message"]
    );
    let before = world.entries();
    let law = log_in(&world.app, "law");
    let counted = world.call(&token, "count", &json!({ "query": "shipment" }));
    let counted = &counted["result"]["structuredContent"];
    let found = world.call(
        &token,
        "search",
        &json!({ "query": "shipment", "limit": 50 }),
    );
    let found = &found["result"]["structuredContent"];
    assert_eq!(found["hits"].as_array().unwrap().len(), 50);
    let cursor = found["next_cursor"].as_str().unwrap();
    let rest = json!({ "query": "shipment", "limit": 50, "cursor": cursor });
    let rest = world.call(&token, "search", &rest);
    let rest = &rest["result"]["structuredContent"];
    assert_eq!(rest["hits"].as_array().unwrap().len(), 40);
    let hit = &rest["hits"][0];
    let around = json!({ "conversation": hit["conversation"], "around": hit["id"], "limit": 10 });
    let window = world.call(&token, "read_conversation", &around);
    let messages = &window["result"]["structuredContent"]["messages"];
    assert!(
        messages
            .as_array()
            .unwrap()
            .iter()
            .any(|one| one["id"] == hit["id"])
    );
    assert!(messages.as_array().unwrap().len() <= 11, "{messages}");
    let one = world.call(&token, "read_message", &json!({ "message": hit["id"] }));
    let text = &one["result"]["structuredContent"]["versions"][0];
    assert!(text.as_str().unwrap().contains("shipment"), "{one}");
    assert_eq!(world.entries(), before + 5, "an entry for each call");
    assert_eq!(counted["total"], 90);
    assert_eq!(count(&world.app, &law, "shipment"), 90);
}

#[test]
fn x4_a_tool_needs_its_scope_and_what_is_wrong_is_told_to_the_assistant() {
    let world = World::new(true);
    let token = world.token("law", &[ApiScope::SearchRead]);
    let (_, listed) = world.send(&token, &ask("tools/list"), &[]);
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 2);
    let found = world.call(
        &token,
        "search",
        &json!({ "query": "shipment", "limit": 1 }),
    );
    let hit = &found["result"]["structuredContent"]["hits"][0];
    let refused = world.call(&token, "read_message", &json!({ "message": hit["id"] }));
    assert_eq!(refused["result"]["isError"], true, "{refused}");
    assert!(!refused.to_string().contains("shipment"));
    for (tool, arguments) in [
        ("search", json!({ "query": "(shipment" })),
        ("search", json!({ "query": "shipment", "limit": 51 })),
        ("search", json!({ "query": "shipment", "extra": 1 })),
        ("count", json!({})),
    ] {
        let told = world.call(&token, tool, &arguments);
        assert_eq!(
            told["result"]["isError"], true,
            "{tool} {arguments}: {told}"
        );
    }
    let unknown = world.call(&token, "delete", &json!({}));
    assert_eq!(unknown["error"]["code"], -32602);
}
