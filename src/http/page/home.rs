//! The landing page of each role: what it does every morning, from summaries, never from a search
//! over everything.

mod watch;

use std::sync::Arc;

use axum::extract::State;
use axum::routing::get;
use maud::{Markup, html};

use super::super::guard::Who;
use super::super::house::House;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section, role_name};
use super::{part, search, system};
use crate::domain::{Right, Role};

/// Conversations on the landing page.
const CONVERSATIONS: usize = 8;

pub(in crate::http) const ROUTES: &[Route] = &[Route::get("/", Access::SignedIn, || get(show))];

async fn show(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let role = who.session.actor.role;
    let content = html! {
        h1.unseen { "Home of the " (role_name(role)) }
        @if role.may(Right::ReadContent) { (reading(&house, &who, &frame).await?) }
        @else if role.may(Right::ReadAudit) { (watch::morning(&house, &who, &frame).await?) }
        @if role.may(Right::ManageKeys) { (system::open_points(&house).await?) }
        div.cards { (duties(role)) }
    };
    Ok(frame.at(Section::Home, "Home").page(&content))
}

async fn reading(house: &Arc<House>, who: &Who, frame: &Frame) -> Result<Markup, Refusal> {
    let session = who.session.clone();
    let (conversations, saved) = house
        .ask(move |appliance| {
            Ok((
                appliance.conversations(&session)?,
                appliance.kept_searches(&session, true)?,
            ))
        })
        .await?;
    Ok(html! {
        (search::form(frame, "", crate::search::Order::Newest, true))
        @if conversations.is_empty() {
            (part::empty(
                "Nothing is here yet",
                "Import an exported chat, and it can be searched at once.",
                frame.may(Right::Import).then_some(("Import", "/imports")),
            ))
        } @else {
            section {
                h2 { "Latest conversations" }
                ul.rows {
                    @for line in conversations.iter().take(CONVERSATIONS) {
                        (super::conversation::row(line))
                    }
                }
                p { a href="/c" { (part::count(conversations.len() as u64, "conversation", "conversations")) } }
            }
        }
        @if !saved.is_empty() {
            section {
                h2 { "Saved searches" }
                ul.rows {
                    @for kept in &saved {
                        li { a href={ "/s/" (kept.id) } { (part::name(&kept.name)) } }
                    }
                }
            }
        }
    })
}

/// What a role comes for, with the way there.
fn duties(role: Role) -> Markup {
    const DUTIES: [(Right, &str, &str, &str); 7] = [
        (
            Right::PlaceHolds,
            "Matters and holds",
            "/matters",
            "Open a matter, see what a hold would protect, place it. It counts when the page says so.",
        ),
        (
            Right::WriteRules,
            "Retention",
            "/retention",
            "Write policies, simulate them, approve what is due, keep the certificates.",
        ),
        (
            Right::ReadAudit,
            "Audit",
            "/audit",
            "Who did what, provably: filter the log, verify it, take a checkpoint away.",
        ),
        (
            Right::Import,
            "Import",
            "/imports",
            "Bring exported chats in. Nothing is guessed: what is open is asked with its evidence.",
        ),
        (
            Right::ManageUsers,
            "Users",
            "/users",
            "Who works here, in which role, seeing what.",
        ),
        (
            Right::ManageKeys,
            "System",
            "/system",
            "Keys, backups, index and clock, each with what to do next.",
        ),
        (
            Right::ReleaseHolds,
            "Second person",
            "/retention",
            "Some acts need two people. What waits for a second one stands there.",
        ),
    ];
    html! {
        @for (right, title, path, text) in DUTIES {
            @if role.may(right) {
                a.card.duty href=(path) {
                    h2 { (title) }
                    p { (text) }
                }
            }
        }
    }
}
