//! One event: its members, and what they mean for us.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Kind, Presence, Timestamp};

/// The members that are read; everything else stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub event_id: Option<String>,
    pub room_id: Option<String>,
    pub sender: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    origin_server_ts: Option<i64>,
    content: Value,
    unsigned: Value,
    state_key: Option<String>,
    redacts: Option<String>,
}

/// What begins the address of a person in a link.
const PERSON_LINK: &str = "https://matrix.to/#/@";

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    let mut at = value;
    for name in path {
        at = at.get(name)?;
    }
    at.as_str()
}

impl Event {
    fn form(&self) -> &str {
        self.form.as_deref().unwrap_or_default()
    }

    fn member(&self, path: &[&str]) -> Option<&str> {
        text(&self.content, path)
    }

    fn relates(&self, form: &str) -> Option<&str> {
        let is = self.member(&["m.relates_to", "rel_type"])? == form;
        self.member(&["m.relates_to", "event_id"]).filter(|_| is)
    }

    /// The event whose words it replaces.
    pub fn replaces(&self) -> Option<&str> {
        // An edit that could not be decrypted tells no words: it must not take those that were there.
        self.relates("m.replace").filter(|_| !self.is_encrypted())
    }

    /// The event it takes away.
    pub fn redacts(&self) -> Option<&str> {
        let target = self.redacts.as_deref().or(self.member(&["redacts"]));
        target.filter(|_| self.form() == "m.room.redaction")
    }

    /// The event it is a reaction to, and its sign.
    pub fn reaction(&self) -> Option<(&str, &str)> {
        let target = self.relates("m.annotation")?;
        let key = self.member(&["m.relates_to", "key"])?;
        (self.form() == "m.reaction").then_some((target, key))
    }

    /// Whose name it shows, and that name.
    pub fn shown_name(&self) -> Option<(&str, &str)> {
        let person = self.state_key.as_deref()?;
        let name = self
            .member(&["displayname"])
            .filter(|name| !name.is_empty())?;
        (self.form() == "m.room.member").then_some((person, name))
    }

    /// Whether nobody could read it.
    pub fn is_encrypted(&self) -> bool {
        self.form() == "m.room.encrypted" && !self.is_redacted()
    }

    fn is_redacted(&self) -> bool {
        self.unsigned
            .get("redacted_because")
            .is_some_and(|one| !one.is_null())
    }

    /// When it was sent.
    pub fn sent(&self) -> Option<Timestamp> {
        self.origin_server_ts.map(Timestamp::from_millis)
    }

    /// The message that begins its thread.
    pub fn thread(&self) -> Option<&str> {
        self.relates("m.thread")
    }

    /// The message it answers. In a thread an answer may only stand there for programs that know no
    /// threads; then it answers that which begins the thread.
    pub fn reply_to(&self) -> Option<&str> {
        let replied = self.member(&["m.relates_to", "m.in_reply_to", "event_id"]);
        let relation = self.content.get("m.relates_to");
        let fallback = relation.and_then(|relation| relation.get("is_falling_back"));
        let reaction = self.reaction().map(|(target, _)| target);
        match self.thread() {
            Some(thread) if fallback == Some(&Value::Bool(true)) => Some(thread),
            Some(thread) => replied.or(Some(thread)),
            None => replied.or(reaction),
        }
    }

    /// What sort of message.
    pub fn kind(&self) -> Kind {
        if self.is_redacted() {
            return Kind::Deleted;
        }
        match self.form() {
            "m.room.message" => match self.member(&["msgtype"]) {
                Some("m.image" | "m.file" | "m.audio" | "m.video") => Kind::Media,
                Some("m.location") => Kind::Location,
                _ => Kind::Text,
            },
            "m.sticker" => Kind::Media,
            "m.poll.start" | "org.matrix.msc3381.poll.start" => Kind::Poll,
            "m.room.member" => Kind::SystemMembership,
            "m.room.create" | "m.room.tombstone" => Kind::SystemCreated,
            "m.room.name" | "m.room.topic" | "m.room.avatar" => Kind::SystemSubject,
            "m.room.encryption" => Kind::SystemEncryption,
            "m.room.encrypted" | "m.reaction" => Kind::Unknown,
            form if form.starts_with("m.call.") => Kind::Call,
            form if form.starts_with("m.room.") => Kind::System,
            _ => Kind::Unknown,
        }
    }

    /// What its members tell beside the words.
    pub fn presence(&self, kind: Kind) -> Presence {
        let form = self.member(&["msgtype"]).unwrap_or_default();
        let voice = self.content.get("org.matrix.msc3245.voice").is_some();
        Presence::of([
            (kind.is_system(), Presence::SYSTEM),
            (kind == Kind::Deleted, Presence::DELETED),
            (kind == Kind::Poll, Presence::POLL),
            (kind == Kind::Location, Presence::LOCATION),
            (form == "m.image", Presence::IMAGE),
            (form == "m.video", Presence::VIDEO),
            (form == "m.audio" && !voice, Presence::AUDIO),
            (form == "m.audio" && voice, Presence::VOICE),
            (form == "m.file", Presence::FILE),
            (self.sent().is_none(), Presence::TIME_ASSUMED),
        ])
    }

    /// The words; those that came new where it replaces others. What a notice does has no words: its
    /// members stand for them, as the source writes them.
    pub fn body(&self, replacing: bool) -> String {
        let new = self
            .member(&["m.new_content", "body"])
            .filter(|_| replacing);
        if let Some(body) = new.or(self.member(&["body"])) {
            // Without a caption the words of a file are its name.
            let is_name = self.file_name() == Some(body);
            return if is_name {
                String::new()
            } else {
                body.to_owned()
            };
        }
        if let Some((_, key)) = self.reaction() {
            return key.to_owned();
        }
        match self.form() {
            "m.room.member" => {
                let named = self.member(&["displayname"]).or(self.state_key.as_deref());
                let membership = self.member(&["membership"]).unwrap_or_default();
                format!("{membership}: {}", named.unwrap_or_default())
            }
            "m.room.name" => self.member(&["name"]).unwrap_or_default().to_owned(),
            "m.room.topic" => self.member(&["topic"]).unwrap_or_default().to_owned(),
            "m.poll.start" | "org.matrix.msc3381.poll.start" => self.poll(),
            "m.room.redaction" => self.member(&["reason"]).unwrap_or_default().to_owned(),
            "m.room.message" | "m.room.encrypted" | "m.sticker" => String::new(),
            form => form.to_owned(),
        }
    }

    /// The question of a poll and its answers.
    fn poll(&self) -> String {
        let poll = ["m.poll", "m.poll.start", "org.matrix.msc3381.poll.start"];
        let poll = poll.into_iter().find_map(|name| self.content.get(name));
        let words = |value: &Value| {
            let stable = value.get("m.text").and_then(Value::as_array);
            let stable = stable.and_then(|texts| text(texts.first()?, &["body"]));
            let old = ["org.matrix.msc1767.text", "body"];
            let old = old.into_iter().find_map(|name| text(value, &[name]));
            stable.or(old).map(str::to_owned)
        };
        let question = poll.and_then(|poll| words(poll.get("question")?));
        let answers = poll.and_then(|poll| poll.get("answers")?.as_array());
        let answers = answers.into_iter().flatten().filter_map(words);
        let lines: Vec<String> = question.into_iter().chain(answers).collect();
        lines.join("\n")
    }

    /// The name of the file it carries.
    pub fn file_name(&self) -> Option<&str> {
        let file = matches!(
            self.member(&["msgtype"]),
            Some("m.image" | "m.file" | "m.audio" | "m.video")
        );
        let name = self.member(&["filename"]).or(self.member(&["body"]));
        name.filter(|_| file && !self.is_redacted())
    }

    /// Whom it addresses, by their ids.
    pub fn mentions(&self) -> BTreeSet<&str> {
        let listed = self.content.get("m.mentions");
        if let Some(listed) = listed {
            let ids = listed.get("user_ids").and_then(Value::as_array);
            return ids
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
        }
        let marked = self.member(&["formatted_body"]).unwrap_or_default();
        let links = marked.match_indices(PERSON_LINK);
        let ids = links.map(|(at, link)| {
            let id = &marked[at + link.len() - 1..];
            let end = id.find(['"', '\'', '<', '?']).unwrap_or(id.len());
            &id[..end]
        });
        ids.collect()
    }
}
