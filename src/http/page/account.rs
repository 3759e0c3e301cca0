//! The own account: who somebody is, what their role may do, colours, password, second factor, tokens.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::cookie::Theme;
use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section, role_name};
use super::users::{Done, right_words};
use super::{Page, job, part, step_up};
use crate::app::{ApiTokenLine, Appliance, NewApiToken, Session, TotpOffer};
use crate::audit::{Appended, AuthStrength};
use crate::auth::TOKEN_DAYS_MAX;
use crate::domain::{ApiScope, EntryNo, Right, Role, Timestamp, TokenId};

/// Days that a token is offered to live.
const TOKEN_DAYS: u32 = 90;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/account", Access::SignedIn, || get(show)),
    Route::post("/account/password", Access::SignedIn, || {
        post(change_password)
    }),
    Route::post("/account/factor", Access::SignedIn, || post(begin_factor)),
    Route::post("/account/factor/confirm", Access::SignedIn, || {
        post(confirm_factor)
    }),
    Route::post("/account/factor/remove", Access::SignedIn, || {
        post(remove_factor)
    }),
    Route::post("/account/tokens", Access::SignedIn, || post(create_token)),
    Route::post("/account/tokens/{id}/revoke", Access::SignedIn, || {
        post(revoke_token)
    }),
];

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(done): Asked<Done>,
) -> Page {
    page(&house, &frame, &who, &done, None).await
}

/// The page again, with what stood in the way at its top.
async fn page(
    house: &House,
    frame: &Frame,
    who: &Who,
    done: &Done,
    why: Option<&Refusal>,
) -> Result<Response, Refusal> {
    let session = who.session.clone();
    let (tokens, codes_left) = house
        .ask(move |one| {
            Ok((
                one.api_tokens(&session)?,
                one.recovery_codes_left(&session)?,
            ))
        })
        .await?;
    let (zone, role) = (job::zone(house), who.session.actor.role);
    let content = html! {
        h1 { "Your account" }
        (done.shown())
        @if let Some(why) = why { p.notice.bad role="alert" hx-disable { (why.detail) } }
        (about(who))
        div.cards {
            (colours(frame))
            @if who.session.strength == AuthStrength::Provider {
                section.card {
                    h2 { "Password and second factor" }
                    p { "They are with the provider that signed you in, and are changed there." }
                }
            } @else {
                (password_form(frame))
                (factor(frame, codes_left))
            }
        }
        (token_list(frame, who, &tokens, zone))
        section {
            h2 { "What your role may do" }
            ul {
                @for right in Right::ALL {
                    @if role.may(right) { li { (right_words(right)) } }
                }
            }
        }
    };
    Ok(frame
        .clone()
        .at(Section::Outside, "Your account")
        .page(&content))
}

fn about(who: &Who) -> Markup {
    let login = who.web.as_ref().map_or("", |web| &web.login);
    let by = match who.session.strength {
        AuthStrength::SecondFactor => "password and second factor",
        AuthStrength::Password => "password",
        AuthStrength::Provider => "single sign-on",
        AuthStrength::Token => "a link or a token",
        AuthStrength::Host => "this computer",
        AuthStrength::System => "the house itself",
    };
    html! {
        dl.facts {
            dt { "Login" } dd { (part::name(login)) }
            dt { "Role" } dd { (role_name(who.session.actor.role)) }
            dt { "Signed in by" } dd { (by) }
            dt { "In the log you are" } dd { code { (who.session.actor.id) } }
        }
    }
}

fn colours(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Colours" }
            form.inline method="post" action="/theme" {
                (frame.mark())
                input type="hidden" name="back" value="/account";
                @for theme in Theme::ALL {
                    button type="submit" name="theme" value=(theme.name()) {
                        @match theme {
                            Theme::System => "As this computer is set",
                            Theme::Light => "Light",
                            Theme::Dark => "Dark",
                        }
                    }
                }
            }
        }
    }
}

fn password_form(frame: &Frame) -> Markup {
    html! {
        section.card {
            h2 { "Password" }
            form method="post" action="/account/password" {
                (frame.mark())
                label.field {
                    span { "Password now" }
                    input type="password" name="old" required autocomplete="current-password";
                }
                label.field {
                    span { "New password" }
                    input type="password" name="new" required minlength="10"
                        autocomplete="new-password";
                    small { "At least ten characters. Your other sessions and tokens end." }
                }
                button type="submit" { "Change the password" }
            }
        }
    }
}

fn factor(frame: &Frame, codes_left: Option<u32>) -> Markup {
    html! {
        section.card {
            h2 { "Second factor" }
            @match codes_left {
                None => {
                    p { "None. With one, a password alone opens nothing." }
                    form method="post" action="/account/factor" {
                        (frame.mark())
                        button type="submit" { "Set up an authenticator" }
                    }
                },
                Some(left) => {
                    p {
                        span.chip.good { "in use" } " "
                        (part::count(u64::from(left), "recovery code", "recovery codes")) " left"
                    }
                    form method="post" action="/account/factor/remove" {
                        (frame.mark())
                        (code_field("Code of your authenticator, or a recovery code"))
                        button type="submit" { "Remove it" }
                    }
                },
            }
        }
    }
}

fn code_field(label: &str) -> Markup {
    html! {
        label.field {
            span { (label) }
            input name="code" required autocomplete="one-time-code" maxlength="20" spellcheck="false";
        }
    }
}

fn token_list(frame: &Frame, who: &Who, tokens: &[ApiTokenLine], zone: Tz) -> Markup {
    let proven = step_up::proven(who);
    html! {
        section {
            h2 { "Tokens for programs" }
            @if tokens.is_empty() { p { "None. A program that uses the API needs one." } }
            @else {
                div.scroll {
                    table.grid {
                        thead {
                            tr { th { "Name" } th { "May" } th { "Made" } th { "Ends" } th { "Last used" } th { "" } }
                        }
                        tbody { @for token in tokens { (token_row(frame, token, zone)) } }
                    }
                }
            }
            @if proven { (token_form(frame, who.session.actor.role)) }
            @else {
                p {
                    "A token signs a program in as you. "
                    a.button href="/step-up?to=/account" { "Confirm that it is you, then make one" }
                }
            }
        }
    }
}

fn token_row(frame: &Frame, token: &ApiTokenLine, zone: Tz) -> Markup {
    html! {
        tr {
            th scope="row" { (part::name(&token.name)) }
            td { @for scope in &token.scopes { span.chip { (scope.name()) } " " } }
            td { (part::time(token.created, zone, part::DAY)) }
            td { (part::time(token.expires, zone, part::DAY)) }
            td {
                @match token.last_used {
                    Some(at) => (part::time(at, zone, part::MINUTE)),
                    None => "never",
                }
            }
            td {
                form method="post" action={ "/account/tokens/" (token.id) "/revoke" } {
                    (frame.mark())
                    button.danger type="submit" {
                        "Revoke" span.unseen { " " (part::name(&token.name)) }
                    }
                }
            }
        }
    }
}

fn token_form(frame: &Frame, role: Role) -> Markup {
    html! {
        form.card method="post" action="/account/tokens" {
            (frame.mark())
            h3 { "Make a token" }
            label.field {
                span { "What it is for" }
                input name="name" required maxlength="120" autocomplete="off";
            }
            label.field {
                span { "Days until it ends" }
                input type="number" name="days" value=(TOKEN_DAYS) min="1" max=(TOKEN_DAYS_MAX) required;
            }
            fieldset {
                legend { "What it may do" }
                div.checks {
                    @for scope in ApiScope::ALL.into_iter().filter(|scope| scope.fits(role)) {
                        label { input type="checkbox" name=(scope.name()) value="yes"; " " (scope.name()) }
                    }
                }
            }
            button.primary type="submit" { "Make the token" }
        }
    }
}

/// Does something to the own account, and shows the page again.
async fn change(
    house: &House,
    frame: &Frame,
    who: &Who,
    act: impl FnOnce(&Appliance, &Session) -> crate::app::Result<Appended> + Send + 'static,
) -> Page {
    let session = who.session.clone();
    match house.ask(move |one| act(one, &session)).await {
        Ok(entry) => Ok(Redirect::to(&format!("/account?done={}", entry.seq.0)).into_response()),
        Err(refusal) => refused(house, frame, who, refusal).await,
    }
}

async fn refused(house: &House, frame: &Frame, who: &Who, refusal: Refusal) -> Page {
    if !refusal.status.is_client_error() || refusal == Refusal::nobody() {
        return Err(refusal);
    }
    let mut page = page(house, frame, who, &Done::default(), Some(&refusal)).await?;
    *page.status_mut() = refusal.status;
    Ok(page)
}

#[derive(Deserialize)]
struct Passwords {
    old: Hidden,
    new: Hidden,
}

async fn change_password(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Passwords>,
) -> Page {
    let login = who.web.as_ref().map(|web| web.login.clone());
    if let Err(wait) = house.sign_ins.take((None, login.unwrap_or_default())) {
        return refused(&house, &frame, &who, Refusal::too_often(wait)).await;
    }
    change(&house, &frame, &who, move |one, session| {
        one.change_password(session, &typed.old, &typed.new)
    })
    .await
}

async fn begin_factor(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    if let Some(first) = step_up::asked(&who, "/account") {
        return Ok(first);
    }
    let session = who.session.clone();
    match house.ask(move |one| one.begin_totp(&session)).await {
        Ok(offer) => Ok(offered(&frame, Some(&offer), None)),
        Err(refusal) => refused(&house, &frame, &who, refusal).await,
    }
}

/// The secret, once, and the form that proves that it arrived.
fn offered(frame: &Frame, offer: Option<&TotpOffer>, why: Option<&str>) -> Response {
    let content = html! {
        section.card.gate {
            h1 { "Second factor" }
            @if let Some(why) = why { p.notice.bad role="alert" { (why) } }
            @if let Some(offer) = offer {
                p { "Type this secret into your authenticator program (time-based, six digits):" }
                code.once hx-disable dir="ltr" { (offer.secret_base32) }
                details {
                    summary { "As a link" }
                    code.once hx-disable dir="ltr" { (offer.uri) }
                }
            }
            form method="post" action="/account/factor/confirm" {
                (frame.mark())
                (code_field("Code that the program shows now"))
                button.primary type="submit" { "Take it into use" }
                " " a.button href="/account" { "Back" }
            }
        }
    };
    frame
        .clone()
        .at(Section::Outside, "Second factor")
        .page(&content)
}

#[derive(Deserialize)]
struct Code {
    code: Hidden,
}

async fn confirm_factor(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Code>,
) -> Page {
    let session = who.session.clone();
    let confirmed = house
        .ask(move |one| one.confirm_totp(&session, typed.code.trim()))
        .await;
    let (codes, entry) = match confirmed {
        Ok(confirmed) => confirmed,
        Err(refusal) if refusal.status == axum::http::StatusCode::BAD_REQUEST => {
            let mut page = offered(&frame, None, Some(&refusal.detail));
            *page.status_mut() = refusal.status;
            return Ok(page);
        }
        Err(refusal) => return refused(&house, &frame, &who, refusal).await,
    };
    let content = html! {
        section.card.gate {
            h1 { "Recovery codes" }
            (part::done("The second factor is in use.", entry.seq))
            p { "Each of these stands in for one code, once, when the device is lost. Keep them on \
                 paper. They are not shown again." }
            ol.codes {
                @for code in &codes { li { code { (code) } } }
            }
            p { a.button.primary href="/account" { "I have written them down" } }
        }
    };
    Ok(frame.at(Section::Outside, "Recovery codes").page(&content))
}

async fn remove_factor(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Code>,
) -> Page {
    change(&house, &frame, &who, move |one, session| {
        one.remove_totp(session, typed.code.trim())
    })
    .await
}

/// Reads the form of a new token: its name, its days, and a field for each scope.
fn new_token(fields: &BTreeMap<String, String>) -> Result<NewApiToken, Refusal> {
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let days = text("days").trim().parse();
    Ok(NewApiToken {
        name: text("name").trim().to_owned(),
        scopes: ApiScope::ALL
            .into_iter()
            .filter(|scope| fields.contains_key(scope.name()))
            .collect(),
        days: days.map_err(|_| Refusal::usage("Write a number of days."))?,
    })
}

async fn create_token(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(fields): Posted<BTreeMap<String, String>>,
) -> Page {
    if let Some(first) = step_up::asked(&who, "/account") {
        return Ok(first);
    }
    let new = match new_token(&fields) {
        Ok(new) => new,
        Err(refusal) => return refused(&house, &frame, &who, refusal).await,
    };
    let session = who.session.clone();
    let made = house
        .ask(move |one| one.create_api_token(&session, &new))
        .await;
    let (token, line, entry) = match made {
        Ok(made) => made,
        Err(refusal) => return refused(&house, &frame, &who, refusal).await,
    };
    let zone = job::zone(&house);
    let secret = token.to_string();
    let content = token_page(&secret, &line, line.expires, zone, entry.seq);
    Ok(frame.at(Section::Outside, "Token").page(&content))
}

fn token_page(
    secret: &str,
    line: &ApiTokenLine,
    expires: Timestamp,
    zone: Tz,
    entry: EntryNo,
) -> Markup {
    html! {
        section.card {
            h1 { "Token: " (part::name(&line.name)) }
            (part::done("The token is made.", entry))
            p { "It is shown now and never again. Give it to the program, not to a person:" }
            code.once hx-disable dir="ltr" { (secret) }
            dl.facts {
                dt { "May" } dd { @for scope in &line.scopes { span.chip { (scope.name()) } " " } }
                dt { "Ends" } dd { (part::time(expires, zone, part::DAY)) }
                dt { "Id" } dd { code { (line.id) } }
            }
            p { a.button.primary href="/account" { "I have it" } }
        }
    }
}

async fn revoke_token(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let id: TokenId = id.parse().map_err(|_| Refusal::not_found())?;
    change(&house, &frame, &who, move |one, session| {
        one.revoke_api_token(session, id)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_form_reads_scopes_it_knows() {
        let fields = BTreeMap::from(
            [
                ("name", " nightly "),
                ("days", "30"),
                ("search:read", "yes"),
                ("keys:write", "yes"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let new = new_token(&fields).unwrap();
        assert_eq!((new.name.as_str(), new.days), ("nightly", 30));
        assert_eq!(new.scopes, [ApiScope::SearchRead]);
        assert!(new_token(&BTreeMap::new()).is_err());
    }
}
