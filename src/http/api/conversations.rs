//! Conversations: listed, and slices of their messages.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::route::{Access, Route};
use super::json::{Answer, Instant, Named, answer, id, read};
use super::operation::{Gives, Operation, Parameter, Shape};
use super::paging::{Paged, limited};
use crate::app::{ConversationLine, ConversationRequest, ShownMessage};
use crate::crypto::hex;
use crate::domain::{
    ApiScope, Attachment, AttachmentState, ConversationId, Presence, Reaction, Right,
};

const TOPIC: &str = "Conversations";
const SCOPE: ApiScope = ApiScope::ConversationRead;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get(
        "/api/v1/conversations",
        Access::With(Right::ReadContent),
        || get(list),
    )
    .doing(Operation::read(
        TOPIC,
        "listConversations",
        "Lists the conversations that you see",
        SCOPE,
        Gives::Page(Shape::of::<Conversation>()),
    )),
    Route::get(
        "/api/v1/conversations/{id}/messages",
        Access::With(Right::ReadContent),
        || get(slice),
    )
    .doing(
        Operation::read(
            TOPIC,
            "readConversation",
            "Reads a slice of a conversation: around a message, or from an instant on",
            SCOPE,
            Gives::One(Shape::of::<Slice>()),
        )
        .asking(&[
            Parameter::text("around", "Id of the message to stand in the middle"),
            Parameter::time("since", "From this instant on"),
            Parameter::time("until", "Before this instant"),
            Parameter::number("limit", "Most messages, on each side of `around` or in all"),
            Parameter::text("zone", "Zone of the local times"),
        ]),
    ),
];

/// A conversation.
#[derive(Serialize, ToSchema)]
struct Conversation {
    id: String,
    title: String,
    app: &'static str,
    /// Messages it holds.
    messages: u64,
    first: Option<Instant>,
    last: Option<Instant>,
    /// Who writes in it.
    participants: Vec<String>,
}

/// A slice of a conversation.
#[derive(Serialize, ToSchema)]
struct Slice {
    conversation: Conversation,
    items: Vec<Message>,
    /// Whether messages stand before the first.
    more_before: bool,
    /// Whether messages stand after the last.
    more_after: bool,
    /// Zone of the local times.
    zone: String,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// A message.
#[derive(Serialize, ToSchema)]
struct Message {
    id: String,
    /// Who wrote it; null for notices of the platform.
    sender: Option<String>,
    sent: Instant,
    /// The same in the zone, without offset.
    local: String,
    kind: &'static str,
    edited: bool,
    deleted: bool,
    forwarded: bool,
    /// The latest words.
    text: String,
    /// Earlier words, oldest first.
    earlier: Vec<String>,
    attachments: Vec<File>,
    /// What people answered to the latest words with one sign.
    reactions: Vec<Reacted>,
    /// The message it answers, where that is near.
    reply_to: Option<String>,
}

/// One sign that people answered with.
#[derive(Serialize, ToSchema)]
struct Reacted {
    /// The sign: an emoji, or the name that the platform gives it.
    value: String,
    /// How many gave it, as the source counts.
    count: u32,
    /// Who gave it, as far as the source tells.
    by: Vec<String>,
}

/// A file of a message.
#[derive(Serialize, ToSchema)]
struct File {
    name: String,
    /// Whether its bytes came along.
    present: bool,
    size: Option<u64>,
    /// Hex.
    sha256: Option<String>,
    mime: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Around {
    around: Option<String>,
    since: Option<Instant>,
    until: Option<Instant>,
    limit: Option<usize>,
    zone: Option<String>,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.conversations(&who.session)?;
            let place = |line: &ConversationLine| line.id.0;
            paged.page(
                appliance,
                &who.session,
                "conversations",
                lines,
                place,
                conversation,
            )
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn slice(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Asked(asked): Asked<Around>,
) -> Answer {
    let request = ConversationRequest {
        id: id::<ConversationId>(&name)?,
        around: match &asked.around {
            None => None,
            Some(text) => Some(read("around", text)?),
        },
        since: asked.since.map(|at| at.0),
        until: asked.until.map(|at| at.0),
        limit: u32::try_from(limited(asked.limit)?).unwrap_or(u32::MAX),
        zone: asked.zone,
    };
    let slice = house
        .ask(move |appliance| appliance.conversation(&who.session, &request))
        .await?;
    let shown = Slice {
        conversation: conversation(&slice.conversation),
        items: slice.messages.iter().map(message).collect(),
        more_before: slice.more_before,
        more_after: slice.more_after,
        zone: slice.zone.name().to_owned(),
        audit: slice.audit.0,
    };
    answer(StatusCode::OK, &shown)
}

fn conversation(line: &ConversationLine) -> Conversation {
    Conversation {
        id: line.id.to_string(),
        title: line.title.clone(),
        app: line.app.name(),
        messages: line.messages,
        first: line.first.map(Instant),
        last: line.last.map(Instant),
        participants: line.participants.clone(),
    }
}

fn message(message: &ShownMessage) -> Message {
    Message {
        id: message.id.to_string(),
        sender: message.sender.clone(),
        sent: Instant(message.sent),
        local: message.local.format("%Y-%m-%dT%H:%M:%S").to_string(),
        kind: message.kind.name(),
        edited: message.presence.has(Presence::EDITED),
        deleted: message.presence.has(Presence::DELETED),
        forwarded: message.presence.has(Presence::FORWARDED),
        text: message.body.clone(),
        earlier: message.earlier.clone(),
        attachments: message.attachments.iter().map(file).collect(),
        reactions: message.reactions.iter().map(reacted).collect(),
        reply_to: message
            .answers
            .as_ref()
            .and_then(|answered| answered.id)
            .map(|id| id.to_string()),
    }
}

fn reacted(reaction: &Reaction) -> Reacted {
    Reacted {
        value: reaction.value.clone(),
        count: reaction.count,
        by: reaction.by.clone(),
    }
}

fn file(attachment: &Attachment) -> File {
    let (size, sha256, mime) = match &attachment.state {
        AttachmentState::Present { size, sha256, mime } => {
            (Some(*size), Some(hex(sha256)), Some(mime.clone()))
        }
        _ => (None, None, None),
    };
    File {
        name: attachment.name.clone(),
        present: size.is_some(),
        size,
        sha256,
        mime,
    }
}
