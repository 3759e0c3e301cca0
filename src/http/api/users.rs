//! Users: listed, added, given a role or access, ended. No password ever leaves.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Hidden};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, Named, answer, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged, tagged_as};
use crate::app::{Appliance, Grant, Session};
use crate::domain::{AccountNo, ApiScope, ConversationId, Right, Role};
use crate::store::UserRow;

const TOPIC: &str = "Users";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/users", Access::With(Right::ManageUsers), || {
        get(list)
    })
    .doing(Operation::read(
        TOPIC,
        "listUsers",
        "Lists the users",
        ApiScope::UserWrite,
        Gives::Page(Shape::of::<User>()),
    )),
    Route::post("/api/v1/users", Access::With(Right::ManageUsers), || {
        post(add)
    })
    .doing(
        Operation::read(
            TOPIC,
            "addUser",
            "Adds a user",
            ApiScope::UserWrite,
            Gives::One(Shape::of::<UserInFull>()),
        )
        .starting(Shape::of::<NewUser>()),
    ),
    Route::get(
        "/api/v1/users/{login}",
        Access::With(Right::ManageUsers),
        || get(show),
    )
    .doing(Operation::read(
        TOPIC,
        "showUser",
        "Shows a user with what they see",
        ApiScope::UserWrite,
        Gives::One(Shape::of::<UserInFull>()),
    )),
    Route::new(
        Method::PATCH,
        "/api/v1/users/{login}",
        Access::With(Right::ManageUsers),
        || patch(change),
    )
    .doing(
        Operation::read(
            TOPIC,
            "changeUser",
            "Gives a user another role or access, ends their access or lets them in again",
            ApiScope::UserWrite,
            Gives::One(Shape::of::<UserInFull>()),
        )
        .changing(Some(Shape::of::<Change>())),
    ),
];

/// A user.
#[derive(Serialize, ToSchema)]
struct User {
    id: String,
    login: String,
    role: &'static str,
    created: Instant,
    /// Whether they may sign in.
    enabled: bool,
}

/// A user with what they see.
#[derive(Serialize, ToSchema)]
struct UserInFull {
    id: String,
    login: String,
    role: &'static str,
    created: Instant,
    /// Whether they may sign in.
    enabled: bool,
    grants: Vec<Seeing>,
}

/// Something that a user sees, or does not.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Seeing {
    /// everything, conversation, account or denied.
    kind: String,
    /// Id of the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation: Option<String>,
    /// Number of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<u32>,
}

/// A user as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewUser {
    login: String,
    /// administrator, lawyer, records-officer, manager or auditor.
    role: String,
    /// At least ten characters.
    #[schema(value_type = String, format = Password)]
    password: Hidden,
    /// Ids of the conversations they see; lawyers and records officers see everything without.
    #[serde(default)]
    conversations: Vec<String>,
}

/// What changes; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Change {
    #[serde(default)]
    role: Option<String>,
    /// Whether they may sign in.
    #[serde(default)]
    enabled: Option<bool>,
    /// What they see from now on.
    #[serde(default)]
    grants: Option<Vec<Seeing>>,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let rows = appliance.users(&who.session)?;
            let place = |row: &UserRow| row.id.0;
            paged.page(appliance, &who.session, "users", rows, place, user)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(login): Named<String>) -> Answer {
    let found = house
        .try_ask(move |appliance| one(appliance, &who.session, &login))
        .await?;
    tagged(&found)
}

async fn add(State(house): State<Arc<House>>, who: Who, Given(new): Given<NewUser>) -> Answer {
    let role = role_of(&new.role)?;
    let conversations = new.conversations.iter().map(|id| read("conversations", id));
    let conversations: Vec<ConversationId> = conversations.collect::<Result<_, _>>()?;
    let added = house
        .try_ask(move |appliance| {
            let session = &who.session;
            appliance.add_user(session, &new.login, role, &new.password, &conversations)?;
            one(appliance, session, &new.login)
        })
        .await?;
    tagged_as(StatusCode::CREATED, &added)
}

async fn change(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(login): Named<String>,
    Given(change): Given<Change>,
) -> Answer {
    let seen = Seen::read(&headers)?;
    let role = change.role.as_deref().map(role_of).transpose()?;
    let grants = match &change.grants {
        None => None,
        Some(grants) => Some(
            grants
                .iter()
                .map(Seeing::read)
                .collect::<Result<Vec<_>, _>>()?,
        ),
    };
    let changed = house
        .try_change(move |appliance| {
            let session = &who.session;
            seen.check(&one(appliance, session, &login)?)?;
            if let Some(role) = role {
                appliance.set_role(session, &login, role)?;
            }
            if let Some(grants) = &grants {
                appliance.set_grants(session, &login, grants)?;
            }
            match change.enabled {
                Some(true) => Some(appliance.enable_user(session, &login)?),
                Some(false) => Some(appliance.disable_user(session, &login)?),
                None => None,
            };
            one(appliance, session, &login)
        })
        .await?;
    tagged(&changed)
}

fn role_of(name: &str) -> Result<Role, Refusal> {
    Role::from_name(name).ok_or_else(|| {
        let names = Role::ALL.map(Role::name).join(", ");
        Refusal::usage(format!("\"role\" is one of {names}."))
    })
}

fn one(appliance: &Appliance, session: &Session, login: &str) -> Result<UserInFull, Refusal> {
    let rows = appliance.users(session)?;
    let row = rows
        .iter()
        .find(|row| row.login == login.to_lowercase())
        .ok_or_else(Refusal::not_found)?;
    let grants = appliance.grants_of(session, &row.login)?;
    let User {
        id,
        login,
        role,
        created,
        enabled,
    } = user(row);
    Ok(UserInFull {
        id,
        login,
        role,
        created,
        enabled,
        grants: grants.iter().map(seeing).collect(),
    })
}

fn user(row: &UserRow) -> User {
    User {
        id: row.id.to_string(),
        login: row.login.clone(),
        role: row.role.name(),
        created: Instant(row.created),
        enabled: !row.disabled,
    }
}

fn seeing(grant: &Grant) -> Seeing {
    let of = |kind: &str, conversation: Option<&ConversationId>, account: Option<u32>| Seeing {
        kind: kind.to_owned(),
        conversation: conversation.map(ToString::to_string),
        account,
    };
    match grant {
        Grant::Everything => of("everything", None, None),
        Grant::Conversation(id) => of("conversation", Some(id), None),
        Grant::Account(no) => of("account", None, Some(no.0)),
        Grant::Denied(id) => of("denied", Some(id), None),
    }
}

impl Seeing {
    fn read(&self) -> Result<Grant, Refusal> {
        match (self.kind.as_str(), &self.conversation, self.account) {
            ("everything", None, None) => Ok(Grant::Everything),
            ("conversation", Some(id), None) => Ok(Grant::Conversation(read("conversation", id)?)),
            ("account", None, Some(no)) => Ok(Grant::Account(AccountNo(no))),
            ("denied", Some(id), None) => Ok(Grant::Denied(read("conversation", id)?)),
            _ => Err(Refusal::usage(
                "A grant is everything; conversation or denied with \"conversation\"; or account \
                 with \"account\".",
            )),
        }
    }
}
