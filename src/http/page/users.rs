//! Users: who works here, in which role, seeing what; and who can do what.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section, role_name};
use super::import_report::download;
use super::{Page, job, part, step_up};
use crate::app::{Appliance, Grant, Session};
use crate::audit::Appended;
use crate::domain::{AccountNo, ConversationId, EntryNo, Right, Role};
use crate::ingest::{BYTE_ORDER_MARK, write_row};
use crate::store::UserRow;

const MAY: Access = Access::With(Right::ManageUsers);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/users", MAY, || get(list)),
    Route::post("/users", MAY, || post(add)),
    Route::get("/users/review.csv", MAY, || get(review)),
    Route::get("/users/{id}", MAY, || get(show)),
    Route::post("/users/{id}/role", MAY, || post(set_role)),
    Route::post("/users/{id}/disable", MAY, || post(disable)),
    Route::post("/users/{id}/enable", MAY, || post(enable)),
    Route::post("/users/{id}/grants", MAY, || post(set_grants)),
    Route::post("/users/{id}/password", MAY, || post(reset_password)),
    Route::post("/users/{id}/factor", MAY, || post(reset_factor)),
];

#[derive(Default, Deserialize)]
pub(super) struct Done {
    /// The entry of what was just done.
    pub(super) done: Option<u64>,
}

impl Done {
    /// Says what was done, with its entry.
    pub(super) fn shown(&self) -> Markup {
        html! {
            @if let Some(no) = self.done { (part::done("It is changed.", EntryNo(no))) }
        }
    }
}

/// What was typed into the form of a new user.
#[derive(Default, Deserialize)]
struct Typed {
    login: String,
    role: String,
    password: Option<Hidden>,
    #[serde(default)]
    conversations: String,
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(done): Asked<Done>,
) -> Page {
    page(&house, &frame, &who, &done, &Typed::default(), None).await
}

async fn page(
    house: &House,
    frame: &Frame,
    who: &Who,
    done: &Done,
    typed: &Typed,
    why: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let users = house.ask(move |one| one.users(&session)).await?;
    let content = html! {
        h1 { "Users" }
        (done.shown())
        (table(&users, job::zone(house)))
        p {
            a.button href="/users/review.csv" { "Review of access (CSV)" }
            " " a.button href="/users/sso" { "Single sign-on" }
            " " a.button href="/users/four-eyes" { "Four eyes" }
        }
        (add_form(frame, typed, why))
        section {
            h2 { "Who can do what" }
            (matrix())
        }
    };
    Ok(frame.clone().at(Section::Users, "Users").page(&content))
}

fn table(users: &[UserRow], zone: Tz) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead { tr { th { "Login" } th { "Role" } th { "State" } th { "Added" } } }
                tbody {
                    @for user in users {
                        tr {
                            th scope="row" { a href={ "/users/" (user.id) } { (part::name(&user.login)) } }
                            td { (role_name(user.role)) }
                            td { (state(user)) }
                            td { (part::time(user.created, zone, part::DAY)) }
                        }
                    }
                }
            }
        }
    }
}

fn state(user: &UserRow) -> Markup {
    html! {
        @if user.disabled { span.chip.warn { "access ended" } }
        @else { span.chip.good { "active" } }
    }
}

fn add_form(frame: &Frame, typed: &Typed, why: Option<&Refusal>) -> Markup {
    html! {
        section.card {
            h2 { "Add somebody" }
            @if let Some(why) = why { p.notice.bad role="alert" hx-disable { (why.detail) } }
            form method="post" action="/users" {
                (frame.mark())
                label.field {
                    span { "Login" }
                    input name="login" value=(typed.login) required autocomplete="off"
                        spellcheck="false" maxlength="64";
                    small { "Letters a to z, digits, and . _ - @" }
                }
                label.field {
                    span { "Role" }
                    (role_select(Role::from_name(&typed.role).unwrap_or(Role::Manager)))
                }
                label.field {
                    span { "First password" }
                    input type="password" name="password" required minlength="10"
                        autocomplete="new-password";
                    small { "At least ten characters. They change it themselves afterwards." }
                }
                label.field {
                    span { "Conversations they may see" }
                    textarea name="conversations" spellcheck="false" dir="ltr"
                        placeholder="cnv_…" { (typed.conversations) }
                    small {
                        "One id a line. Without any, lawyers and records officers see everything and \
                         managers nothing; administrators and auditors never see a message."
                    }
                }
                button.primary type="submit" { "Add" }
            }
        }
    }
}

fn role_select(chosen: Role) -> Markup {
    html! {
        select name="role" {
            @for role in Role::ALL {
                option value=(role.name()) selected[role == chosen] { (role_name(role)) }
            }
        }
    }
}

fn role_of(name: &str) -> Result<Role, Refusal> {
    Role::from_name(name).ok_or_else(|| Refusal::usage("Choose a role."))
}

async fn add(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Typed>,
) -> Page {
    match added(&house, &who, &typed).await {
        Ok(entry) => Ok(Redirect::to(&format!("/users?done={}", entry.seq.0)).into_response()),
        Err(refusal) if refusal.status.is_client_error() => {
            let done = Done::default();
            let mut page = page(&house, &frame, &who, &done, &typed, Some(&refusal)).await?;
            *page.status_mut() = refusal.status;
            Ok(page)
        }
        Err(refusal) => Err(refusal),
    }
}

async fn added(house: &House, who: &Who, typed: &Typed) -> Result<Appended, Refusal> {
    let role = role_of(&typed.role)?;
    let ids: Result<Vec<ConversationId>, _> = typed
        .conversations
        .split_whitespace()
        .map(str::parse)
        .collect();
    let ids = ids.map_err(|error| Refusal::usage(format!("Conversations: {error}.")))?;
    let (session, login) = (who.session.clone(), typed.login.trim().to_lowercase());
    let password = typed.password.clone();
    house
        .ask(move |one| {
            let password = password.as_deref().unwrap_or_default();
            one.add_user(&session, &login, role, password, &ids)
        })
        .await
}

/// Who can do what, as the program itself decides it.
pub(super) fn matrix() -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead {
                    tr {
                        th { "Right" }
                        @for role in Role::ALL { th { (role_name(role)) } }
                    }
                }
                tbody {
                    @for right in Right::ALL {
                        tr {
                            th scope="row" { (right_words(right)) }
                            @for role in Role::ALL {
                                td { @if role.may(right) { "yes" } @else { span.aside { "no" } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A right as people say it.
pub(super) const fn right_words(right: Right) -> &'static str {
    match right {
        Right::ReadContent => "Search and read messages, as far as granted",
        Right::Export => "Give messages out of the house",
        Right::Import => "Import chats",
        Right::ReadAudit => "Read the audit log",
        Right::ManageUsers => "Add, change and end users",
        Right::ManageKeys => "Manage keys and backups",
        Right::MaintainIndex => "Rebuild the search index",
        Right::Verify => "Run the verifier, see how the system stands",
        Right::ConfirmRestore => "Confirm a restored archive",
        Right::PlaceHolds => "Open matters, place holds",
        Right::ReleaseHolds => "Ask for the release of a hold, or agree to it",
        Right::ReadRules => "See holds, policies and verdicts",
        Right::WriteRules => "Write and simulate policies",
        Right::MarkRecords => "Put labels on records, record events",
        Right::Freeze => "Stop all destruction, or agree to let it go on",
        Right::RequestDisposition => "Put together what is due, ask for its destruction",
        Right::ReviewDisposition => "Review what is due: approve, exclude, extend",
        Right::HandleRequests => "Handle requests for erasure",
        Right::ReadRestricted => "Look at what a request restricted",
        Right::SyncDirectory => "Bring users from a directory, end who left",
        Right::AdvanceClock => "Say, with evidence, that time has passed",
    }
}

async fn review(State(house): State<Arc<House>>, who: Who) -> Page {
    let session = who.session;
    let rows = house
        .ask(move |one| {
            let users = one.users(&session)?;
            users
                .into_iter()
                .map(|user| Ok((one.grants_of(&session, &user.login)?, user)))
                .collect::<crate::app::Result<Vec<_>>>()
        })
        .await?;
    let table = review_rows(&rows).map_err(|_| Refusal::broken())?;
    Ok(download(
        "access-review.csv",
        "text/csv; charset=utf-8",
        table,
    ))
}

fn review_rows(rows: &[(Vec<Grant>, UserRow)]) -> std::io::Result<Vec<u8>> {
    let mut table = BYTE_ORDER_MARK.to_vec();
    write_row(
        &mut table,
        ["login", "id", "role", "state", "added", "sees", "may"],
    )?;
    for (grants, user) in rows {
        let added = chrono::DateTime::from_timestamp_micros(user.created.0).unwrap_or_default();
        let sees: Vec<String> = grants.iter().map(Grant::text).collect();
        let may: Vec<&str> = Right::ALL
            .into_iter()
            .filter(|right| !user.disabled && user.role.may(*right))
            .map(right_words)
            .collect();
        let (id, added) = (user.id.to_string(), added.format("%Y-%m-%d").to_string());
        let (sees, may) = (sees.join("; "), may.join("; "));
        let state = match user.disabled {
            true => "access ended",
            false => "active",
        };
        write_row(
            &mut table,
            [
                &*user.login,
                &id,
                user.role.name(),
                state,
                &added,
                &sees,
                &may,
            ],
        )?;
    }
    Ok(table)
}

/// A user by id, or by the name they sign in with.
async fn find(house: &House, who: &Who, id: &str) -> Result<UserRow, Refusal> {
    let named = id.to_owned();
    let session = who.session.clone();
    let users = house.ask(move |one| one.users(&session)).await?;
    users
        .into_iter()
        .find(|user| user.id.to_string() == named || user.login == named)
        .ok_or_else(Refusal::not_found)
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(done): Asked<Done>,
) -> Page {
    let user = find(&house, &who, &id).await?;
    user_page(&house, &frame, &who, &user, &done, None).await
}

async fn user_page(
    house: &House,
    frame: &Frame,
    who: &Who,
    user: &UserRow,
    done: &Done,
    why: Option<&Refusal>,
) -> Page {
    let (session, login) = (who.session.clone(), user.login.clone());
    let grants = house
        .ask(move |one| one.grants_of(&session, &login))
        .await?;
    let is_self = user.no == who.session.actor.no;
    let content = html! {
        p { a.back href="/users" { "← Users" } }
        h1 { (part::name(&user.login)) }
        (done.shown())
        @if let Some(why) = why { p.notice.bad role="alert" hx-disable { (why.detail) } }
        dl.facts {
            dt { "Role" } dd { (role_name(user.role)) }
            dt { "State" } dd { (state(user)) }
            dt { "Added" } dd { (part::time(user.created, job::zone(house), part::MINUTE)) }
            dt { "Id" } dd { code { (user.id) } }
        }
        (role_form(frame, user))
        @if user.role.may(Right::ReadContent) { (grants_form(frame, user, &grants)) }
        @if is_self {
            p { "Your own password and second factor are on the page of your " a href="/account" { "account" } "." }
        } @else { (sign_in_forms(frame, who, user)) }
    };
    Ok(frame.clone().at(Section::Users, "User").page(&content))
}

fn role_form(frame: &Frame, user: &UserRow) -> Markup {
    html! {
        section.card {
            h2 { "Role and access" }
            form.inline method="post" action={ "/users/" (user.id) "/role" } {
                (frame.mark())
                label { span.unseen { "Role" } (role_select(user.role)) }
                button type="submit" { "Give this role" }
            }
            p { small { "Whatever they are signed in with ends. The last administrator stays one." } }
            @if user.disabled {
                form method="post" action={ "/users/" (user.id) "/enable" } {
                    (frame.mark())
                    button type="submit" { "Let them sign in again" }
                }
            } @else {
                form method="post" action={ "/users/" (user.id) "/disable" } {
                    (frame.mark())
                    button.danger type="submit" { "Revoke access" }
                    " " small { "At once. What they wrote and did stays." }
                }
            }
        }
    }
}

fn grants_form(frame: &Frame, user: &UserRow, grants: &[Grant]) -> Markup {
    let lines: Vec<String> = grants.iter().map(Grant::text).collect();
    html! {
        section.card {
            h2 { "What they may see" }
            form method="post" action={ "/users/" (user.id) "/grants" } {
                (frame.mark())
                label.field {
                    span { "Grants" }
                    textarea name="grants" spellcheck="false" dir="ltr" rows="6" { (lines.join("\n")) }
                    small {
                        "One a line: " code { "everything" } ", " code { "conversation cnv_…" } ", "
                        code { "account 7" } ", or a wall: " code { "denied cnv_…" }
                        ". A wall counts before everything else."
                    }
                }
                button type="submit" { "Save" }
            }
        }
    }
}

fn sign_in_forms(frame: &Frame, who: &Who, user: &UserRow) -> Markup {
    let proven = step_up::proven(who);
    html! {
        section.card {
            h2 { "Password and second factor" }
            @if !proven {
                p { "Whoever sets them can sign in as this person, so your password is asked first." }
                p { a.button href={ "/step-up?to=/users/" (user.id) } { "Confirm that it is you" } }
            } @else {
                form method="post" action={ "/users/" (user.id) "/password" } {
                    (frame.mark())
                    label.field {
                        span { "New password" }
                        input type="password" name="password" required minlength="10"
                            autocomplete="new-password";
                        small { "Everything they are signed in with ends, tokens too." }
                    }
                    button type="submit" { "Reset the password" }
                }
                form method="post" action={ "/users/" (user.id) "/factor" } {
                    (frame.mark())
                    button type="submit" { "Remove the second factor" }
                    " " small { "For who lost device and recovery codes." }
                }
            }
        }
    }
}

/// Does something to a user, and shows them again: with the entry, or with what stands in the way.
async fn change(
    house: &House,
    frame: &Frame,
    who: &Who,
    id: &str,
    act: impl FnOnce(&Appliance, &Session, &str) -> crate::app::Result<Appended> + Send + 'static,
) -> Page {
    let user = find(house, who, id).await?;
    let (session, login) = (who.session.clone(), user.login.clone());
    match house.ask(move |one| act(one, &session, &login)).await {
        Ok(entry) => {
            let to = format!("/users/{}?done={}", user.id, entry.seq.0);
            Ok(Redirect::to(&to).into_response())
        }
        Err(refusal) => refused(house, frame, who, &user, refusal).await,
    }
}

async fn refused(
    house: &House,
    frame: &Frame,
    who: &Who,
    user: &UserRow,
    refusal: Refusal,
) -> Result<Response, Refusal> {
    if !refusal.status.is_client_error() {
        return Err(refusal);
    }
    let done = Done::default();
    let mut page = user_page(house, frame, who, user, &done, Some(&refusal)).await?;
    *page.status_mut() = refusal.status;
    Ok(page)
}

#[derive(Deserialize)]
struct NewRole {
    role: String,
}

async fn set_role(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(new): Posted<NewRole>,
) -> Page {
    let role = role_of(&new.role)?;
    change(&house, &frame, &who, &id, move |one, session, login| {
        one.set_role(session, login, role)
    })
    .await
}

async fn disable(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    change(&house, &frame, &who, &id, |one, session, login| {
        one.disable_user(session, login)
    })
    .await
}

async fn enable(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    change(&house, &frame, &who, &id, |one, session, login| {
        one.enable_user(session, login)
    })
    .await
}

#[derive(Deserialize)]
struct NewGrants {
    grants: String,
}

/// Reads grants as they are shown, one a line.
fn grants_of(text: &str) -> Result<Vec<Grant>, Refusal> {
    let read = |line: &str| -> Option<Grant> {
        let (kind, object) = line.split_once(' ').unwrap_or((line, ""));
        let object = object.trim();
        Some(match kind {
            "everything" if object.is_empty() => Grant::Everything,
            "conversation" => Grant::Conversation(object.parse().ok()?),
            "denied" => Grant::Denied(object.parse().ok()?),
            "account" => Grant::Account(AccountNo(object.parse().ok()?)),
            _ => return None,
        })
    };
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            read(line).ok_or_else(|| {
                Refusal::usage(format!(
                    "\"{line}\" is no grant: write everything, conversation ID, account NUMBER or \
                     denied ID."
                ))
            })
        })
        .collect()
}

async fn set_grants(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(new): Posted<NewGrants>,
) -> Page {
    match grants_of(&new.grants) {
        Ok(grants) => {
            change(&house, &frame, &who, &id, move |one, session, login| {
                one.set_grants(session, login, &grants)
            })
            .await
        }
        Err(refusal) => {
            let user = find(&house, &who, &id).await?;
            refused(&house, &frame, &who, &user, refusal).await
        }
    }
}

#[derive(Deserialize)]
struct NewPassword {
    password: Hidden,
}

async fn reset_password(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(new): Posted<NewPassword>,
) -> Page {
    if let Some(first) = step_up::asked(&who, &format!("/users/{id}")) {
        return Ok(first);
    }
    change(&house, &frame, &who, &id, move |one, session, login| {
        one.reset_password(session, login, &new.password)
    })
    .await
}

async fn reset_factor(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    if let Some(first) = step_up::asked(&who, &format!("/users/{id}")) {
        return Ok(first);
    }
    change(&house, &frame, &who, &id, |one, session, login| {
        one.reset_totp(session, login)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Timestamp, UserId, UserNo};

    #[test]
    fn grants_read_back_as_they_are_shown() {
        let id = ConversationId(7);
        let grants = vec![
            Grant::Everything,
            Grant::Conversation(id),
            Grant::Account(AccountNo(3)),
            Grant::Denied(id),
        ];
        let lines: Vec<String> = grants.iter().map(Grant::text).collect();
        assert_eq!(grants_of(&lines.join("\r\n")).unwrap(), grants);
        assert!(grants_of("").unwrap().is_empty());
        for wrong in [
            "all",
            "conversation",
            "conversation 7",
            "account x",
            "everything else",
        ] {
            assert!(grants_of(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_matrix_says_what_the_program_decides() {
        let shown = matrix().into_string();
        let told = shown.matches(">yes<").count();
        let rights = Right::ALL.into_iter();
        let held: usize = rights
            .map(|right| Role::ALL.into_iter().filter(|role| role.may(right)).count())
            .sum();
        assert_eq!(told, held);
    }

    #[test]
    fn the_review_lists_what_somebody_whose_access_ended_could_see_and_no_right() {
        let user = UserRow {
            no: UserNo(1),
            id: UserId(1),
            login: "rui".to_owned(),
            role: Role::Manager,
            password: "secret-hash".to_owned(),
            created: Timestamp::from_seconds(0),
            disabled: true,
        };
        let table = review_rows(&[(vec![Grant::Everything], user)]).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert!(
            table.contains("\"rui\"") && table.contains("\"everything\",\"\""),
            "{table}"
        );
        assert!(!table.contains("secret-hash"));
    }
}
