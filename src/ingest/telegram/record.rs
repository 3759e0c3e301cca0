//! One record of the list of messages: its members, and what they mean for us.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Kind, Presence, Timestamp};
use crate::ingest::json::Text;
use crate::ingest::message::{ParsedAttachment, ParsedReaction};

/// The members that are read; everything else stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub id: Option<Text>,
    #[serde(rename = "type")]
    pub form: String,
    pub date: Option<String>,
    pub date_unixtime: Option<Text>,
    pub edited_unixtime: Option<Text>,
    pub from: Option<Text>,
    pub from_id: Option<Text>,
    pub actor: Option<Text>,
    pub actor_id: Option<Text>,
    pub action: Option<String>,
    pub title: Option<Text>,
    pub members: Vec<Option<Text>>,
    pub forwarded_from: Value,
    pub saved_from: Value,
    pub reply_to_message_id: Option<Text>,
    pub reply_to_peer_id: Option<Text>,
    pub text: Value,
    pub text_entities: Vec<Value>,
    pub photo: Option<String>,
    pub file: Option<String>,
    pub file_name: Option<String>,
    pub media_type: Option<String>,
    pub contact_information: Option<Contact>,
    pub contact_vcard: Option<String>,
    pub location_information: Value,
    pub place_name: Option<String>,
    pub address: Option<String>,
    pub poll: Option<Poll>,
    pub reactions: Vec<Reaction>,
    pub self_destruct_period_seconds: Option<i64>,
}

/// A contact card.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Contact {
    pub first_name: String,
    pub last_name: String,
    pub phone_number: String,
}

/// A poll.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Poll {
    pub question: String,
    pub answers: Vec<Answer>,
}

/// One answer of a poll.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub text: String,
}

/// A reaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    count: u32,
    emoji: Option<String>,
    document_id: Option<String>,
    #[serde(rename = "type")]
    form: String,
    recent: Vec<Recent>,
}

/// Who gave a reaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Recent {
    from: Option<String>,
    from_id: Option<Text>,
}

impl Record {
    /// Who wrote or did it, as shown; `None` for deleted accounts.
    pub fn author(&self) -> Option<&str> {
        let shown = self.from.as_ref().or(self.actor.as_ref());
        shown.map(|name| name.0.as_str())
    }

    /// The id of that, in the form of today: exports before 2021 wrote the bare number of a user.
    pub fn author_id(&self) -> Option<String> {
        let id = self.from_id.as_ref().or(self.actor_id.as_ref())?;
        let bare = id.0.bytes().all(|byte| byte.is_ascii_digit());
        Some(match bare {
            true => format!("user{}", id.0),
            false => id.0.clone(),
        })
    }

    /// When, where it is written as an instant.
    pub fn instant(&self) -> Option<Timestamp> {
        seconds(self.date_unixtime.as_ref()?)
    }

    /// The local time as printed, in microseconds as if it were UTC.
    pub fn local(&self) -> Option<i64> {
        let printed = self.date.as_deref()?;
        let local = NaiveDateTime::parse_from_str(printed, "%Y-%m-%dT%H:%M:%S").ok()?;
        Some(local.and_utc().timestamp_micros())
    }

    /// Whether it has a local time and no instant.
    pub fn needs_zone(&self) -> bool {
        self.instant().is_none() && self.local().is_some()
    }

    /// When its words were last changed.
    pub fn edited(&self) -> Option<Timestamp> {
        seconds(self.edited_unixtime.as_ref()?)
    }

    /// The message it answers, where that is in the same chat.
    pub fn reply_to(&self) -> Option<&str> {
        let same = self.reply_to_peer_id.is_none();
        let id = self.reply_to_message_id.as_ref().filter(|_| same)?;
        Some(&id.0)
    }

    /// What sort of message.
    pub fn kind(&self) -> Kind {
        if self.form == "service" {
            return self.action.as_deref().map_or(Kind::System, service);
        }
        if self.form != "message" {
            return Kind::Unknown;
        }
        let has_file = self.photo.is_some() || self.file.is_some();
        match () {
            () if self.poll.is_some() => Kind::Poll,
            () if !self.location_information.is_null() => Kind::Location,
            () if self.contact_information.is_some() => Kind::Contact,
            () if has_file && is_wordless(&self.text) => Kind::Media,
            () => Kind::Text,
        }
    }

    /// What its members tell beside the words.
    pub fn presence(&self) -> Presence {
        let media = self.media_type.as_deref().unwrap_or_default();
        Presence::of([
            (!self.forwarded_from.is_null(), Presence::FORWARDED),
            (self.kind().is_system(), Presence::SYSTEM),
            (self.kind() == Kind::Location, Presence::LOCATION),
            (self.kind() == Kind::Contact, Presence::CONTACT),
            (self.kind() == Kind::Poll, Presence::POLL),
            (self.photo.is_some(), Presence::IMAGE),
            (
                media.starts_with("video") || media == "animation",
                Presence::VIDEO,
            ),
            (media == "voice_message", Presence::VOICE),
            (media == "audio_file", Presence::AUDIO),
            (
                self.self_destruct_period_seconds.is_some(),
                Presence::DISAPPEARING,
            ),
            (
                self.date.is_none() && self.date_unixtime.is_none(),
                Presence::TIME_ASSUMED,
            ),
        ])
    }

    /// The files it carries or names, looked for among those that came along.
    pub fn attachments(&self, files: &BTreeMap<String, u32>) -> Vec<ParsedAttachment<'_>> {
        let named = [
            (self.photo.as_deref(), None),
            (self.file.as_deref(), self.file_name.as_deref()),
        ];
        let found = |(path, name): (Option<&'_ str>, Option<&'_ str>)| {
            let path = path?;
            let entry = files.get(path).copied();
            // Instead of a path stands, in brackets, why the file was left out.
            let last = path.rsplit('/').next().unwrap_or(path);
            let shown = match path.starts_with('(') && entry.is_none() {
                true => name.unwrap_or_default(),
                false => name.unwrap_or(last),
            };
            Some((shown.to_owned(), entry))
        };
        let attachments = named.into_iter().filter_map(found);
        attachments
            .map(|(name, entry)| ParsedAttachment {
                name: Cow::Owned(name),
                entry,
            })
            .collect()
    }

    /// The reactions.
    pub fn reactions(&self) -> Vec<ParsedReaction<'_>> {
        let value = |reaction: &'_ Reaction| match (&reaction.emoji, &reaction.document_id) {
            (Some(emoji), _) => emoji.clone(),
            (None, Some(document)) => format!("custom emoji {document}"),
            (None, None) => reaction.form.clone(),
        };
        let by = |recent: &Recent| {
            let id = recent.from_id.as_ref().map(|id| id.0.clone());
            recent.from.clone().or(id).map(Cow::Owned)
        };
        let parsed = self.reactions.iter().map(|reaction| ParsedReaction {
            value: Cow::Owned(value(reaction)),
            count: reaction.count.max(reaction.recent.len() as u32),
            by: reaction.recent.iter().filter_map(by).collect(),
        });
        parsed.collect()
    }
}

fn seconds(text: &Text) -> Option<Timestamp> {
    text.0.parse().ok().map(Timestamp::from_seconds)
}

fn is_wordless(text: &Value) -> bool {
    match text {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(parts) => parts.is_empty(),
        _ => false,
    }
}

/// The kind of a service action.
fn service(action: &str) -> Kind {
    match action {
        "create_group"
        | "create_channel"
        | "topic_created"
        | "migrate_to_supergroup"
        | "migrate_from_group" => Kind::SystemCreated,
        "invite_members"
        | "remove_members"
        | "join_group_by_link"
        | "join_group_by_request"
        | "joined_telegram" => Kind::SystemMembership,
        "edit_group_title" | "edit_group_photo" | "delete_group_photo" | "topic_edit" => {
            Kind::SystemSubject
        }
        "set_messages_ttl" => Kind::SystemTimer,
        "phone_call" | "group_call" | "group_call_scheduled" | "invite_to_group_call" => Kind::Call,
        _ => Kind::System,
    }
}
