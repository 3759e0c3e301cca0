//! Directories of others: who is new comes, who left is out at once, and nobody else is touched.

use std::fmt::Write;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use wordkeep::app::{
    AppError, DirectoryPerson, NewApiToken, SignIn, SyncChange, VerifyRequest, read_directory,
};
use wordkeep::audit::AuthStrength;
use wordkeep::auth::AuthError;
use wordkeep::domain::{ApiScope, Role};

use crate::court::{Court, court};
use crate::house::{PASSWORD, log_in};
use crate::served::{Answer, Served, served};

fn person(login: &str, role: Role) -> DirectoryPerson {
    DirectoryPerson {
        login: login.to_owned(),
        role: Some(role),
        name: format!("Name of {login}"),
        external: format!("ext-{login}"),
        active: true,
    }
}

fn sync(court: &Court, people: &[DirectoryPerson]) -> Vec<(String, SyncChange)> {
    let app = &court.appliance;
    let ahead = app
        .sync_directory(&court.root, people, false, true)
        .unwrap();
    assert!(ahead.audit.is_none());
    let done = app
        .sync_directory(&court.root, people, false, false)
        .unwrap();
    // What was said before is what is done.
    assert_eq!(ahead.changes, done.changes);
    assert_eq!(ahead.same, done.same);
    done.changes
}

fn sound(court: &Court) {
    let request = VerifyRequest::default();
    let report = court
        .appliance
        .verify(&court.rec, &request, &mut |_, _, _| {})
        .unwrap();
    assert!(report.log.problems.is_empty(), "{:?}", report.log.problems);
}

#[test]
fn m7_who_is_new_comes_who_changed_changes_and_who_left_is_out_at_once() {
    let court = court();
    let app = &court.appliance;
    let first = [person("ann", Role::Lawyer), person("bob", Role::Manager)];
    let changes = sync(&court, &first);
    assert_eq!(changes.len(), 2);
    assert!(sync(&court, &first).is_empty());
    // Without a password nobody gets in until somebody gives them one.
    assert!(app.sign_in("ann", PASSWORD, None).is_err());
    app.reset_password(&court.root, "ann", PASSWORD).unwrap();
    let SignIn::In(key, _) = app.sign_in("ann", PASSWORD, None).unwrap() else {
        panic!("ann has no second factor");
    };
    let command_line = log_in(app, "ann");
    let program = NewApiToken {
        name: "nightly".to_owned(),
        scopes: vec![ApiScope::SearchRead],
        days: 9,
    };
    let by_web = app.web_session(&key).unwrap().session;
    let (token, _, _) = app.create_api_token(&by_web, &program).unwrap();
    let changes = sync(&court, &[person("bob", Role::Auditor)]);
    assert_eq!(
        changes,
        [
            ("ann".to_owned(), SyncChange::Left),
            ("bob".to_owned(), SyncChange::Role(Role::Auditor)),
        ]
    );
    assert!(app.web_session(&key).is_err());
    assert!(app.session_of_token(&token).is_err());
    assert_eq!(command_line.strength, AuthStrength::Password);
    assert!(!app.still_stands(&command_line).unwrap());
    assert!(app.sign_in("ann", PASSWORD, None).is_err());
    // Back again, with the same password and nothing else.
    let back = sync(
        &court,
        &[person("ann", Role::Lawyer), person("bob", Role::Auditor)],
    );
    assert_eq!(back, [("ann".to_owned(), SyncChange::Back)]);
    assert!(app.sign_in("ann", PASSWORD, None).is_ok());
    assert!(app.web_session(&key).is_err());
    sound(&court);
}

#[test]
fn m7_who_was_added_by_hand_and_the_last_administrator_stay() {
    let court = court();
    let app = &court.appliance;
    let before = app.users(&court.root).unwrap();
    let changes = sync(
        &court,
        &[person("ann", Role::Manager), person("LAW", Role::Auditor)],
    );
    assert!(
        matches!(&changes[1], (login, SyncChange::Refused(_)) if login == "law"),
        "{changes:?}"
    );
    let kept = app.users(&court.root).unwrap();
    assert!(before.iter().all(|user| kept.contains(user)));
    // Given into its care, they are changed and may leave; the last administrator never.
    let people = [
        person("root", Role::Lawyer),
        person("law", Role::Lawyer),
        person("ann", Role::Manager),
    ];
    let report = app
        .sync_directory(&court.root, &people, true, false)
        .unwrap();
    let of = |login: &str| -> Vec<SyncChange> {
        let found = report.changes.iter().filter(|(of, _)| of == login);
        found.map(|(_, change)| change.clone()).collect()
    };
    assert_eq!(of("law"), [SyncChange::Adopted]);
    assert!(matches!(
        of("root").as_slice(),
        [SyncChange::Adopted, SyncChange::Refused(_)]
    ));
    app.add_user(&court.root, "root2", Role::Administrator, PASSWORD, &[])
        .unwrap();
    app.disable_user(&court.root, "root2").unwrap();
    let changes = sync(&court, &[person("law", Role::Lawyer)]);
    assert!(
        changes.contains(&("ann".to_owned(), SyncChange::Left)),
        "{changes:?}"
    );
    let root = app.users(&court.root).unwrap();
    assert!(
        root.iter()
            .any(|user| user.login == "root" && !user.disabled)
    );
    sound(&court);
}

#[test]
fn m7_only_administrators_sync_and_a_table_is_read_or_refused() {
    let court = court();
    for other in [&court.law, &court.rec] {
        let refused = court.appliance.sync_directory(other, &[], false, true);
        assert!(matches!(
            refused,
            Err(AppError::Auth(AuthError::Forbidden { .. }))
        ));
    }
    let table = "\u{feff}userName,role,displayName,active,externalId\r\nann,Lawyer,\"Dias, Ann\",,7\r\nbob,,,no,\r\n";
    let people = read_directory(table.as_bytes()).unwrap();
    assert_eq!(
        (people[0].login.as_str(), people[0].role),
        ("ann", Some(Role::Lawyer))
    );
    assert_eq!(
        (people[0].name.as_str(), people[0].active),
        ("Dias, Ann", true)
    );
    assert_eq!((people[1].role, people[1].active), (None, false));
    for wrong in [
        "",
        "login\n",
        "name\nann\n",
        "login,salary\nann,7\n",
        "login,role\nann,king\n",
        "login\nann\nANN\n",
        "login,active\nann,maybe\n",
        "login\nann,lawyer\n",
        "login\n\"ann\n",
    ] {
        assert!(read_directory(wrong.as_bytes()).is_err(), "{wrong:?}");
    }
    // Many people, over several transactions, and some of them wrong.
    let mut table = "login,role\n".to_owned();
    for number in 0..45 {
        writeln!(table, "p{number},manager").unwrap();
    }
    table.push_str("not a login!,manager\n");
    let people = read_directory(table.as_bytes()).unwrap();
    let changes = sync(&court, &people);
    assert_eq!(changes.len(), 46);
    assert_eq!(
        changes
            .iter()
            .filter(|(_, change)| change.name() == "refused")
            .count(),
        1
    );
    sound(&court);
}

// ---- SCIM

struct Program<'a> {
    served: &'a Served,
    token: String,
}

impl Program<'_> {
    fn new(served: &Served, scope: ApiScope) -> Program<'_> {
        let app = &served.court.appliance;
        let session = served.session(Role::Administrator);
        let new = NewApiToken {
            name: "directory".to_owned(),
            scopes: vec![scope],
            days: 9,
        };
        let (token, _, _) = app.create_api_token(&session, &new).unwrap();
        Program {
            served,
            token: token.to_string(),
        }
    }

    fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/scim+json");
        let body = body.map_or_else(axum::body::Body::empty, |body| body.to_string().into());
        self.served.send(request.body(body).unwrap())
    }
}

const USERS: &str = "/scim/v2/Users";

fn ann() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "Ann@example.com",
        "externalId": "00u1",
        "displayName": "Ann Dias",
        "emails": [{ "value": "ann@example.com" }],
        "roles": [{ "value": "lawyer" }],
        "active": true,
    })
}

#[test]
fn m7_scim_creates_and_finds() {
    let served = served();
    let program = Program::new(&served, ApiScope::DirectorySync);
    let (users, new) = (USERS, ann());
    let made = program.ask(Method::POST, users, Some(&new));
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!(made.kind(), "application/scim+json");
    let made = made.json();
    assert_eq!(
        (&made["userName"], &made["active"]),
        (&json!("ann@example.com"), &json!(true))
    );
    assert_eq!(made["roles"][0]["value"], "lawyer");
    let twice = program.ask(Method::POST, users, Some(&new));
    assert_eq!(
        (twice.status, &twice.json()["scimType"]),
        (StatusCode::CONFLICT, &json!("uniqueness"))
    );
    let find = |login: &str| {
        let path = format!("{users}?filter=userName%20eq%20%22{login}%22");
        program.ask(Method::GET, &path, None).json()
    };
    assert_eq!(find("ANN@example.com")["Resources"][0]["id"], made["id"]);
    // Who was added by hand is none of its business.
    assert_eq!(find("root")["totalResults"], 0);
    assert_eq!(
        program.ask(Method::GET, users, None).json()["totalResults"],
        1
    );
    let odd = program.ask(
        Method::GET,
        &format!("{users}?filter=active%20eq%20true"),
        None,
    );
    assert_eq!(
        (odd.status, &odd.json()["scimType"]),
        (StatusCode::BAD_REQUEST, &json!("invalidFilter"))
    );
}

#[test]
fn m7_scim_replaces_and_switches_off() {
    let served = served();
    let program = Program::new(&served, ApiScope::DirectorySync);
    let new = ann();
    let made = program.ask(Method::POST, USERS, Some(&new)).json();
    let path = format!("{USERS}/{}", made["id"].as_str().unwrap());
    let mut told = new.clone();
    told["roles"] = json!(["auditor"]);
    told["displayName"] = json!("Ann Dias-Melo");
    let replaced = program.ask(Method::PUT, &path, Some(&told)).json();
    assert_eq!(
        (&replaced["roles"][0]["value"], &replaced["displayName"]),
        (&json!("auditor"), &json!("Ann Dias-Melo"))
    );
    let groups = program.ask(Method::GET, "/scim/v2/Groups", None).json();
    let auditors = groups["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["id"] == "auditor");
    assert_eq!(auditors.unwrap()["members"][0]["value"], made["id"]);
    // Switched off: whatever they were signed in with is dead when it is answered.
    let app = &served.court.appliance;
    app.reset_password(&served.court.root, "ann@example.com", PASSWORD)
        .unwrap();
    let SignIn::In(key, _) = app.sign_in("ann@example.com", PASSWORD, None).unwrap() else {
        panic!("ann has no second factor");
    };
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let left = program.ask(Method::PATCH, &path, Some(&off));
    assert_eq!(
        (left.status, &left.json()["active"]),
        (StatusCode::OK, &json!(false))
    );
    assert!(app.web_session(&key).is_err());
    assert!(app.sign_in("ann@example.com", PASSWORD, None).is_err());
    let on = json!({ "Operations": [{ "op": "Replace", "value": { "active": "True" } }] });
    assert_eq!(
        program.ask(Method::PATCH, &path, Some(&on)).json()["active"],
        true
    );
}

#[test]
fn m7_a_directory_gives_nobody_more_than_it_has_and_other_tokens_do_not_sync() {
    let served = served();
    let program = Program::new(&served, ApiScope::DirectorySync);
    let new = |login: &str, role: &str| json!({ "userName": login, "roles": [role] });
    let king = program.ask(
        Method::POST,
        "/scim/v2/Users",
        Some(&new("eve", "administrator")),
    );
    assert_eq!(king.status, StatusCode::CONFLICT, "{}", king.body);
    let made = program
        .ask(Method::POST, "/scim/v2/Users", Some(&new("eve", "manager")))
        .json();
    let path = format!("/scim/v2/Users/{}", made["id"].as_str().unwrap());
    let king = program.ask(Method::PUT, &path, Some(&new("eve", "administrator")));
    assert!(king.status.is_client_error(), "{}", king.body);
    let renamed = program.ask(Method::PUT, &path, Some(&new("root", "manager")));
    assert_eq!(renamed.json()["scimType"], "mutability");
    let users = served.court.appliance.users(&served.court.root).unwrap();
    assert!(
        users
            .iter()
            .all(|user| user.login != "eve" || user.role == Role::Manager)
    );
    // People added by hand are nowhere.
    let root = users.iter().find(|user| user.login == "root").unwrap();
    let off = json!({ "Operations": [{ "op": "replace", "path": "active", "value": false }] });
    let path = format!("/scim/v2/Users/{}", root.id);
    assert_eq!(
        program.ask(Method::PATCH, &path, Some(&off)).status,
        StatusCode::NOT_FOUND
    );
    // A token of this scope does nothing else, and no other token does this.
    assert_eq!(
        program.ask(Method::GET, "/api/v1/users", None).status,
        StatusCode::FORBIDDEN
    );
    let other = Program::new(&served, ApiScope::UserWrite);
    for path in ["/scim/v2/Users", "/scim/v2/Groups"] {
        assert_eq!(
            other.ask(Method::GET, path, None).status,
            StatusCode::FORBIDDEN
        );
    }
    for wrong in [
        json!([]),
        json!({}),
        json!({ "userName": 7 }),
        json!({ "userName": "x", "active": 3 }),
    ] {
        let answer = program.ask(Method::POST, "/scim/v2/Users", Some(&wrong));
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert_eq!(
            answer.json()["schemas"][0],
            "urn:ietf:params:scim:api:messages:2.0:Error"
        );
    }
}
