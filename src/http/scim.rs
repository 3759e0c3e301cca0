//! SCIM 2.0 (RFC 7643, RFC 7644), the part that directories use to bring users and to end them: users are
//! read, created, replaced and switched off; groups are the roles, and are read.
//!
//! A token needs the scope `directory:sync`, and sees only users that a directory brought.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use chrono::DateTime;
use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Gives, Operation, Parameter};
use super::guard::Who;
use super::house::House;
use super::posted::Asked;
use super::refusal::Refusal;
use super::route::{Access, Route};
use crate::app::{Appliance, DirectoryLine, DirectoryPerson, Session};
use crate::domain::{ApiScope, Right, Role, UserId};

const MAY: Access = Access::With(Right::SyncDirectory);
const TOPIC: &str = "Directory";
/// The kind of what is said in SCIM.
pub(super) const MEDIA: &str = "application/scim+json";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
/// Where what is said is said in SCIM.
pub(super) const BELOW: &str = "/scim/";
/// Users of one page.
const PAGE_MAX: usize = 200;

const fn operation(name: &'static str, about: &'static str) -> Operation {
    Operation::read(
        TOPIC,
        name,
        about,
        ApiScope::DirectorySync,
        Gives::Other("A resource of SCIM 2.0 (RFC 7643), as application/scim+json"),
    )
}

pub(super) const ROUTES: &[Route] = &[
    Route::get("/scim/v2/Users", MAY, || get(list)).doing(
        operation("scimListUsers", "Lists the users that a directory brought").asking(&[
            Parameter::text("filter", "userName eq \"login\", and no other"),
            Parameter::number("startIndex", "The first user of the page, from 1 on"),
            Parameter::number("count", "Most users of the page, to 200"),
        ]),
    ),
    Route::post("/scim/v2/Users", MAY, || post(create))
        .doing(operation("scimCreateUser", "Adds a user without a password").conflicting()),
    Route::get("/scim/v2/Users/{id}", MAY, || get(show)).doing(operation(
        "scimShowUser",
        "Shows a user that a directory brought",
    )),
    Route::new(Method::PUT, "/scim/v2/Users/{id}", MAY, || put(replace))
        .doing(operation("scimReplaceUser", "Tells anew of a user").conflicting()),
    Route::new(Method::PATCH, "/scim/v2/Users/{id}", MAY, || patch(switch)).doing(
        operation(
            "scimSwitchUser",
            "Ends the access of a user, or gives it back: active alone",
        )
        .conflicting(),
    ),
    Route::get("/scim/v2/Groups", MAY, || get(groups)).doing(operation(
        "scimListGroups",
        "Lists the roles with who is in them",
    )),
    Route::get("/scim/v2/Groups/{role}", MAY, || get(group))
        .doing(operation("scimShowGroup", "Shows a role with who is in it")),
    Route::get("/scim/v2/ServiceProviderConfig", MAY, || get(config))
        .doing(operation("scimConfig", "Says what of SCIM is spoken here")),
];

/// What a handler gives: a resource, or an error in the words of SCIM.
type Answer = Result<Response, Refusal>;

/// Something that SCIM refuses, with its own word for why (RFC 7644, section 3.12).
struct Fault {
    status: StatusCode,
    kind: &'static str,
    detail: String,
}

impl Fault {
    fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Fault {
        Fault {
            status,
            kind,
            detail: detail.into(),
        }
    }

    fn value(detail: &str) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, "invalidValue", detail)
    }

    fn response(&self) -> Response {
        let mut body = json!({
            "schemas": [ERROR],
            "status": self.status.as_str(),
            "detail": self.detail,
        });
        if !self.kind.is_empty() {
            body["scimType"] = json!(self.kind);
        }
        resource(self.status, &body)
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Fault {
        let kind = match refusal.kind {
            "conflict" => "uniqueness",
            "blocked" => "mutability",
            _ => "",
        };
        Fault::new(refusal.status, kind, refusal.detail)
    }
}

fn resource(status: StatusCode, body: &Value) -> Response {
    let mut response = (status, body.to_string()).into_response();
    let kind = HeaderValue::from_static(MEDIA);
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

fn told(answer: Result<(StatusCode, Value), Fault>) -> Answer {
    Ok(match answer {
        Ok((status, body)) => resource(status, &body),
        Err(fault) => fault.response(),
    })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(wanted): Asked<Wanted>) -> Answer {
    let login = match wanted.filter.as_deref().map(login_of_filter) {
        Some(None) => {
            let detail = "the one filter is: userName eq \"login\"";
            let fault = Fault::new(StatusCode::BAD_REQUEST, "invalidFilter", detail);
            return told(Err(fault));
        }
        login => login.flatten(),
    };
    let lines = house
        .ask(move |one| one.directory_people(&who.session))
        .await;
    told(lines.map_err(Fault::from).map(|lines| {
        let is_wanted =
            |line: &&DirectoryLine| login.as_ref().is_none_or(|login| line.user.login == *login);
        let found: Vec<Value> = lines.iter().filter(is_wanted).map(user).collect();
        // Numbers below their least are taken for it (RFC 7644, section 3.4.2.4).
        let first = usize::try_from(wanted.start_index.unwrap_or(1).max(1)).unwrap_or(1);
        let count = usize::try_from(wanted.count.unwrap_or(100).max(0))
            .unwrap_or(0)
            .min(PAGE_MAX);
        let page: Vec<&Value> = found.iter().skip(first - 1).take(count).collect();
        let body = json!({
            "schemas": [LIST],
            "totalResults": found.len(),
            "startIndex": first,
            "itemsPerPage": page.len(),
            "Resources": page,
        });
        (StatusCode::OK, body)
    }))
}

/// The login of the one filter that is understood.
fn login_of_filter(filter: &str) -> Option<String> {
    let mut words = filter.trim().splitn(3, ' ');
    let (field, operator, value) = (words.next()?, words.next()?, words.next()?.trim());
    let is_ours = field.eq_ignore_ascii_case("userName") && operator.eq_ignore_ascii_case("eq");
    let login: String = serde_json::from_str(value).ok()?;
    is_ours.then(|| login.to_ascii_lowercase())
}

async fn create(State(house): State<Arc<House>>, who: Who, body: Bytes) -> Answer {
    let person = match person_of(&body) {
        Ok(person) => person,
        Err(fault) => return told(Err(fault)),
    };
    let made = house
        .ask(move |one| {
            let session = &who.session;
            let id = one.add_directory_person(session, &person)?;
            line_of(one, session, id)
        })
        .await;
    told(
        made.map_err(Fault::from)
            .map(|line| (StatusCode::CREATED, shown(line.as_ref()))),
    )
}

async fn show(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Answer {
    let found = find(&house, &who.session, &id).await;
    told(found.map(|line| (StatusCode::OK, user(&line))))
}

async fn replace(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    told(replaced(&house, &who.session, &id, &body).await)
}

async fn replaced(
    house: &House,
    session: &Session,
    id: &str,
    body: &Bytes,
) -> Result<(StatusCode, Value), Fault> {
    let line = find(house, session, id).await?;
    let person = person_of(body)?;
    if person.login.to_ascii_lowercase() != line.user.login {
        return Err(Fault::new(
            StatusCode::BAD_REQUEST,
            "mutability",
            "a login never changes: the log names people by it",
        ));
    }
    change(house, session, person).await
}

async fn switch(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    told(switched(&house, &who.session, &id, &body).await)
}

async fn switched(
    house: &House,
    session: &Session,
    id: &str,
    body: &Bytes,
) -> Result<(StatusCode, Value), Fault> {
    let line = find(house, session, id).await?;
    let active = active_of_patch(body)?;
    let person = DirectoryPerson {
        login: line.user.login,
        role: None,
        name: line.name,
        external: line.external,
        active,
    };
    change(house, session, person).await
}

async fn change(
    house: &House,
    session: &Session,
    person: DirectoryPerson,
) -> Result<(StatusCode, Value), Fault> {
    let session = session.clone();
    let line = house
        .ask(move |one| {
            let id = one.change_directory_person(&session, &person)?;
            line_of(one, &session, id)
        })
        .await?;
    Ok((StatusCode::OK, shown(line.as_ref())))
}

fn shown(line: Option<&DirectoryLine>) -> Value {
    line.map_or(Value::Null, user)
}

fn line_of(
    appliance: &Appliance,
    session: &Session,
    id: UserId,
) -> crate::app::Result<Option<DirectoryLine>> {
    let lines = appliance.directory_people(session)?;
    Ok(lines.into_iter().find(|line| line.user.id == id))
}

async fn find(house: &House, session: &Session, id: &str) -> Result<DirectoryLine, Fault> {
    let id: UserId = id.parse().map_err(|_| Fault::from(Refusal::not_found()))?;
    let session = session.clone();
    let found = house.ask(move |one| line_of(one, &session, id)).await?;
    found.ok_or_else(|| Refusal::not_found().into())
}

async fn groups(State(house): State<Arc<House>>, who: Who) -> Answer {
    let lines = house
        .ask(move |one| one.directory_people(&who.session))
        .await;
    told(lines.map_err(Fault::from).map(|lines| {
        let groups: Vec<Value> = Role::ALL
            .into_iter()
            .map(|role| role_group(role, &lines))
            .collect();
        let body = json!({
            "schemas": [LIST],
            "totalResults": groups.len(),
            "startIndex": 1,
            "itemsPerPage": groups.len(),
            "Resources": groups,
        });
        (StatusCode::OK, body)
    }))
}

async fn group(State(house): State<Arc<House>>, who: Who, Path(name): Path<String>) -> Answer {
    let Some(role) = Role::from_name(&name) else {
        return told(Err(Refusal::not_found().into()));
    };
    let lines = house
        .ask(move |one| one.directory_people(&who.session))
        .await;
    told(
        lines
            .map_err(Fault::from)
            .map(|lines| (StatusCode::OK, role_group(role, &lines))),
    )
}

async fn config() -> Answer {
    let no = json!({ "supported": false });
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": { "supported": true },
        "bulk": { "supported": false, "maxOperations": 0, "maxPayloadSize": 0 },
        "filter": { "supported": true, "maxResults": PAGE_MAX },
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Token of a program",
            "description": "A token with the scope directory:sync",
        }],
    });
    told(Ok((StatusCode::OK, body)))
}

fn user(line: &DirectoryLine) -> Value {
    let user = &line.user;
    let created = DateTime::from_timestamp_micros(user.created.0).unwrap_or_default();
    let mut shown = json!({
        "schemas": [USER],
        "id": user.id.to_string(),
        "userName": user.login,
        "active": !user.disabled,
        "roles": [{ "value": user.role.name(), "primary": true }],
        "groups": [{ "value": user.role.name(), "display": user.role.name() }],
        "meta": {
            "resourceType": "User",
            "created": created.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "location": format!("/scim/v2/Users/{}", user.id),
        },
    });
    for (field, text) in [("externalId", &line.external), ("displayName", &line.name)] {
        if !text.is_empty() {
            shown[field] = json!(text);
        }
    }
    shown
}

fn role_group(role: Role, lines: &[DirectoryLine]) -> Value {
    let members: Vec<Value> = lines
        .iter()
        .filter(|line| line.user.role == role && !line.user.disabled)
        .map(|line| json!({ "value": line.user.id.to_string(), "display": line.user.login }))
        .collect();
    json!({
        "schemas": [GROUP],
        "id": role.name(),
        "displayName": role.name(),
        "members": members,
        "meta": { "resourceType": "Group", "location": format!("/scim/v2/Groups/{}", role.name()) },
    })
}

fn json_of(body: &Bytes) -> Result<Value, Fault> {
    let value = serde_json::from_slice(body).ok().filter(Value::is_object);
    value.ok_or_else(|| {
        Fault::new(
            StatusCode::BAD_REQUEST,
            "invalidSyntax",
            "the body is no object of JSON",
        )
    })
}

/// A user as a directory writes it; what is not known here is left out (RFC 7644, section 3.3).
fn person_of(body: &Bytes) -> Result<DirectoryPerson, Fault> {
    let value = json_of(body)?;
    let text = |field: &str| match value.get(field) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Fault::value(&format!("{field} is a text"))),
    };
    let login = text("userName")?;
    if login.trim().is_empty() {
        return Err(Fault::value("userName is missing"));
    }
    Ok(DirectoryPerson {
        role: role_of(value.get("roles"))?,
        name: text("displayName")?,
        external: text("externalId")?,
        active: match value.get("active") {
            None | Some(Value::Null) => true,
            Some(active) => truth(active).ok_or_else(|| Fault::value("active is true or false"))?,
        },
        login: login.trim().to_owned(),
    })
}

fn role_of(roles: Option<&Value>) -> Result<Option<Role>, Fault> {
    let names: Vec<&str> = match roles {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(roles)) => roles
            .iter()
            .filter_map(|role| role.as_str().or_else(|| role.get("value")?.as_str()))
            .collect(),
        Some(_) => return Err(Fault::value("roles is a list")),
    };
    match names.as_slice() {
        [] => Ok(None),
        [name] => Role::from_name(name)
            .map(Some)
            .ok_or_else(|| Fault::value("there is no such role; /scim/v2/Groups lists them")),
        _ => Err(Fault::value("somebody has one role here")),
    }
}

/// Some directories write truth as a text.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(*is),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// Whether somebody works here from now on: the one thing that is patched (RFC 7644, section 3.5.2.3).
fn active_of_patch(body: &Bytes) -> Result<bool, Fault> {
    let value = json_of(body)?;
    let operations = value.get("Operations").and_then(Value::as_array);
    let mut active = None;
    for operation in operations.into_iter().flatten() {
        let op = operation
            .get("op")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !op.eq_ignore_ascii_case("replace") && !op.eq_ignore_ascii_case("add") {
            return Err(Fault::new(
                StatusCode::BAD_REQUEST,
                "mutability",
                "active is replaced",
            ));
        }
        let (path, value) = (operation.get("path"), operation.get("value"));
        let found = match (path.and_then(Value::as_str), value) {
            (Some(path), Some(value)) if path.eq_ignore_ascii_case("active") => truth(value),
            (None, Some(Value::Object(fields))) if fields.len() == 1 => {
                fields.get("active").and_then(truth)
            }
            _ => None,
        };
        active = Some(found.ok_or_else(|| {
            Fault::new(
                StatusCode::BAD_REQUEST,
                "invalidPath",
                "active is patched with true or false; replace the user for the rest",
            )
        })?);
    }
    active.ok_or_else(|| Fault::value("there is no operation"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m7_one_filter_is_understood() {
        assert_eq!(
            login_of_filter("userName eq \"Lea@x\""),
            Some("lea@x".to_owned())
        );
        assert_eq!(
            login_of_filter("USERNAME EQ \"a b\""),
            Some("a b".to_owned())
        );
        for wrong in [
            "",
            "userName",
            "userName ne \"x\"",
            "active eq true",
            "userName eq x",
            "userName eq \"x\" or active eq true",
        ] {
            assert_eq!(login_of_filter(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn m7_active_alone_is_patched_in_the_ways_directories_write_it() {
        let patch = |text: &str| active_of_patch(&Bytes::from(text.to_owned())).ok();
        let one = |operation: &str| patch(&format!("{{\"Operations\":[{operation}]}}"));
        assert_eq!(
            one(r#"{"op":"replace","path":"active","value":false}"#),
            Some(false)
        );
        assert_eq!(
            one(r#"{"op":"Replace","path":"active","value":"True"}"#),
            Some(true)
        );
        assert_eq!(
            one(r#"{"op":"replace","value":{"active":false}}"#),
            Some(false)
        );
        for wrong in [
            r#"{"op":"remove","path":"active"}"#,
            r#"{"op":"replace","path":"userName","value":"eve"}"#,
            r#"{"op":"replace","value":{"active":false,"roles":["administrator"]}}"#,
            r#"{"op":"replace","path":"active","value":"maybe"}"#,
            "",
        ] {
            assert_eq!(one(wrong), None, "{wrong}");
        }
        assert_eq!(patch("[]"), None);
    }
}
