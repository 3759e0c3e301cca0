//! Tokens of programs: made by a person who is signed in, shown once, revoked.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, Named, answer, id, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged};
use crate::app::{ApiTokenLine, Appliance, NewApiToken, Session};
use crate::domain::{ApiScope, TokenId};

const TOPIC: &str = "Tokens";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/tokens", Access::SignedIn, || get(list)).doing(
        Operation::read(
            TOPIC,
            "listTokens",
            "Lists the tokens of your programs, never the tokens themselves",
            ApiScope::SystemRead,
            Gives::Page(Shape::of::<Token>()),
        )
        .without_scope(),
    ),
    Route::post("/api/v1/tokens", Access::SignedIn, || post(create)).doing(
        Operation::read(
            TOPIC,
            "createToken",
            "Makes a token for a program of yours; people only",
            ApiScope::SystemRead,
            Gives::One(Shape::of::<Created>()),
        )
        .without_scope()
        .starting(Shape::of::<NewToken>())
        .secret()
        .dangerous(),
    ),
    Route::get("/api/v1/tokens/{id}", Access::SignedIn, || get(show)).doing(
        Operation::read(
            TOPIC,
            "showToken",
            "Shows a token of your programs, never the token itself",
            ApiScope::SystemRead,
            Gives::One(Shape::of::<Token>()),
        )
        .without_scope(),
    ),
    Route::new(
        Method::DELETE,
        "/api/v1/tokens/{id}",
        Access::SignedIn,
        || delete(revoke),
    )
    .doing(
        Operation::read(
            TOPIC,
            "revokeToken",
            "Ends a token, at once; people only",
            ApiScope::SystemRead,
            Gives::Other("Nothing"),
        )
        .without_scope()
        .changing(None)
        .empty(),
    ),
];

/// A token as its owner sees it.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    /// What it is for.
    name: String,
    scopes: Vec<&'static str>,
    created: Instant,
    expires: Instant,
}

/// A token as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewToken {
    /// What it is for.
    name: String,
    /// What it may do, such as search:read; each must fit your role.
    scopes: Vec<String>,
    /// Days until it ends, 1 to 365.
    days: u32,
}

/// A token that was made.
#[derive(Serialize, ToSchema)]
struct Created {
    /// The token itself: in this answer and nowhere else.
    secret: String,
    token: Token,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.api_tokens(&who.session)?;
            let place = |line: &ApiTokenLine| line.id.0;
            paged.page(appliance, &who.session, "tokens", lines, place, token)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let wanted = id(&name)?;
    let found = house
        .try_ask(move |appliance| one(appliance, &who.session, wanted))
        .await?;
    tagged(&found)
}

async fn create(State(house): State<Arc<House>>, who: Who, Given(new): Given<NewToken>) -> Answer {
    let scopes = new
        .scopes
        .iter()
        .map(|scope| read::<ApiScope>("scopes", scope));
    let new = NewApiToken {
        name: new.name,
        scopes: scopes.collect::<Result<_, _>>()?,
        days: new.days,
    };
    let (secret, line, audit) = house
        .ask(move |appliance| appliance.create_api_token(&who.session, &new))
        .await?;
    let created = Created {
        secret: secret.to_string(),
        token: token(&line),
        audit: audit.seq.0,
    };
    answer(StatusCode::CREATED, &created)
}

async fn revoke(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    house
        .try_change(move |appliance| {
            seen.check(&one(appliance, &who.session, wanted)?)?;
            Ok(appliance.revoke_api_token(&who.session, wanted)?)
        })
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn one(appliance: &Appliance, session: &Session, id: TokenId) -> Result<Token, Refusal> {
    let lines = appliance.api_tokens(session)?;
    let line = lines.iter().find(|line| line.id == id);
    line.map(token).ok_or_else(Refusal::not_found)
}

/// Without its last use: that is no change of the token.
fn token(line: &ApiTokenLine) -> Token {
    Token {
        id: line.id.to_string(),
        name: line.name.clone(),
        scopes: line.scopes.iter().map(|scope| scope.name()).collect(),
        created: Instant(line.created),
        expires: Instant(line.expires),
    }
}
