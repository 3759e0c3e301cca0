//! Bulk exports of Mattermost: one JSON object a line, `version` first, then what posts stand on, then posts.
//!
//! Field names are those of the Mattermost documentation, "Bulk loading data", data format. What an export
//! does not tell: ids of posts, deleted posts, words before an edit. Answers lie inside of what they answer.
//! What tells one post of a channel from others is its instant and its author; that stands for its id.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{App, ConversationKind, IdScope, Kind, Precision, Presence, Timestamp};

use super::answers::{Answers, Outcome};
use super::beside::files_beside;
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::json::{Shape, read_record, scan};
use super::message::{ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use super::teller::{Slip, Teller};

/// Every value at the root is a record.
const SHAPE: Shape = Shape {
    records: &[&[]],
    members: &[],
};
/// The folder in which the files of an export lie, beside the lines.
const FILES_FOLDER: &str = "data/";

/// At most so many people are named by one post.
const MENTIONS_MAX: usize = 1_000;

/// The reader of Mattermost's bulk exports.
#[derive(Clone, Copy, Debug)]
pub struct Mattermost;

impl Format for Mattermost {
    fn name(&self) -> &'static str {
        "mattermost"
    }

    /// By its first line, which tells the version, and what follows.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let mut lines = head.split(|byte| *byte == b'\n');
        let first = lines.find(|line| !line.trim_ascii().is_empty());
        let first = first.and_then(|line| read_record::<Line>(line.trim_ascii()).ok());
        let versioned = first.is_some_and(|(line, _)| line.form == "version");
        let kinds = [
            "team",
            "channel",
            "user",
            "post",
            "direct_channel",
            "direct_post",
        ];
        let known = kinds.iter().any(|kind| has(&format!("\"{kind}\":")));
        match versioned && known {
            true => Claim::Yes(4),
            false => Claim::No,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        _answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            people: BTreeMap::new(),
            channels: BTreeMap::new(),
            files: files_beside(container, &entry),
            met: HashMap::new(),
        };
        container.read(main, |bytes| {
            let ending = scan(
                bytes,
                &SHAPE,
                &mut |part| match reading.teller.besides(part)? {
                    Some(slip) => reading.line(&slip),
                    None => Ok(()),
                },
            )?;
            reading.teller.ending(ending)
        })?;
        Ok(reading.teller.done())
    }
}

/// One line: of a kind, with a member of the name of that kind.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(rename = "type")]
    form: String,
    channel: Option<Channel>,
    user: Option<Person>,
    bot: Option<Person>,
    post: Option<Post>,
    direct_post: Option<Post>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    team: Option<String>,
    name: Option<String>,
    display_name: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    username: Option<String>,
    nickname: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    display_name: Option<String>,
}

impl Person {
    /// The name that is shown.
    fn shown(&self) -> Option<String> {
        let part = |name: &Option<String>| name.clone().unwrap_or_default();
        let full = format!("{} {}", part(&self.first_name), part(&self.last_name));
        let names = [
            part(&self.nickname),
            full.trim().to_owned(),
            part(&self.display_name),
        ];
        names.into_iter().find(|name| !name.is_empty())
    }
}

/// A post, a direct one, or an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Post {
    team: Option<String>,
    channel: Option<String>,
    channel_members: Option<Vec<String>>,
    user: Option<String>,
    message: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    create_at: Option<i64>,
    edit_at: Option<i64>,
    props: Value,
    reactions: Option<Vec<Reaction>>,
    replies: Option<Vec<Post>>,
    attachments: Option<Vec<File>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    user: Option<String>,
    emoji_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    path: Option<String>,
}

impl Post {
    /// The words; where there are none, those of what programs attach.
    fn body(&self) -> String {
        let message = self.message.clone().unwrap_or_default();
        if !message.is_empty() {
            return message;
        }
        let attached = self.props.get("attachments").and_then(Value::as_array);
        let texts = attached.into_iter().flatten().filter_map(|one| {
            let texts = ["text", "fallback", "title"].into_iter();
            let mut texts = texts.filter_map(|name| one.get(name)?.as_str());
            texts.find(|text| !text.is_empty())
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    fn kind(&self, body: &str) -> Kind {
        let form = self.form.as_deref().unwrap_or_default();
        let about = |words: &[&str]| words.iter().any(|word| form.contains(word));
        match form {
            "" | "me" | "slack_attachment" | "system_ephemeral" => {
                match body.is_empty() && self.attachments.iter().flatten().count() > 0 {
                    true => Kind::Media,
                    false => Kind::Text,
                }
            }
            "system_generic" => Kind::System,
            _ if !form.starts_with("system_") && !form.starts_with("custom_") => Kind::Unknown,
            _ if about(&["call"]) => Kind::Call,
            _ if about(&["join", "leave", "add", "remove", "guest"]) => Kind::SystemMembership,
            _ if about(&["header", "purpose", "displayname"]) => Kind::SystemSubject,
            _ if form.starts_with("system_") => Kind::System,
            _ => Kind::Unknown,
        }
    }

    fn sent(&self) -> Option<Timestamp> {
        self.create_at.map(Timestamp::from_millis)
    }

    fn edited(&self) -> Option<Timestamp> {
        let at = self.edit_at.filter(|at| *at > 0)?;
        Some(Timestamp::from_millis(at))
    }
}

/// A conversation, as its messages need it.
#[derive(Clone, Debug)]
struct Chat {
    key: String,
    title: String,
    kind: ConversationKind,
}

/// An import under way.
struct Reading<'s> {
    teller: Teller<'s>,
    /// Names by user names.
    people: BTreeMap<String, String>,
    /// Names and kinds of channels, by team and name.
    channels: BTreeMap<String, (String, ConversationKind)>,
    files: BTreeMap<String, u32>,
    /// How many posts of one instant and author were met, hashed.
    met: HashMap<u64, u32>,
}

/// The place of a post: what stands for its id, and for that of the post it answers.
#[derive(Clone, Copy, Debug, Default)]
struct Place<'p> {
    id: Option<&'p str>,
    answers: Option<&'p str>,
}

impl Reading<'_> {
    fn line(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(line) = self.teller.read::<Line>(slip)? else {
            return Ok(());
        };
        for person in [&line.user, &line.bot].into_iter().flatten() {
            if let Some(user) = &person.username {
                let name = person.shown().unwrap_or_else(|| user.clone());
                self.people.insert(user.clone(), name);
            }
        }
        if let Some(channel) = &line.channel {
            self.channel(channel);
        }
        let Some(post) = line.post.as_ref().or(line.direct_post.as_ref()) else {
            return self.teller.frame(slip.raw, slip.at);
        };
        let chat = self.chat(post);
        let id = self.id(post, &chat);
        let place = Place {
            id: id.as_deref(),
            answers: None,
        };
        self.post(post, &chat, place, (slip.raw, slip.span()))?;
        // Answers lie inside of what they answer; their bytes went out with it.
        let end = slip.span().1;
        for reply in post.replies.iter().flatten() {
            let own = self.id(reply, &chat);
            let place = Place {
                id: own.as_deref(),
                answers: id.as_deref(),
            };
            self.post(reply, &chat, place, (&[], (end, end)))?;
        }
        Ok(())
    }

    /// What stands for the id of a post: its instant, its author, and, from the second of both on, its
    /// number.
    fn id(&mut self, post: &Post, chat: &Chat) -> Option<String> {
        let id = format!("{} {}", post.create_at?, post.user.as_deref()?);
        let mut hasher = DefaultHasher::new();
        (&chat.key, &id).hash(&mut hasher);
        let met = self.met.entry(hasher.finish()).or_default();
        *met += 1;
        Some(match met {
            1 => id,
            number => format!("{id} {number}"),
        })
    }

    fn channel(&mut self, channel: &Channel) {
        let (Some(team), Some(name)) = (&channel.team, &channel.name) else {
            return;
        };
        let shown = channel
            .display_name
            .clone()
            .filter(|shown| !shown.is_empty());
        let kind = match channel.form.as_deref() {
            Some("O") => ConversationKind::Channel,
            Some("P") => ConversationKind::Group,
            _ => ConversationKind::Unknown,
        };
        let shown = shown.unwrap_or_else(|| name.clone());
        self.channels
            .insert(format!("{team}/{name}"), (shown, kind));
    }

    fn name<'a>(&'a self, user: &'a str) -> &'a str {
        self.people.get(user).map_or(user, String::as_str)
    }

    /// A channel goes by its team and name, a direct conversation by who is in it.
    fn chat(&self, post: &Post) -> Chat {
        let Some(members) = &post.channel_members else {
            let part = |name: &Option<String>| name.clone().unwrap_or_default();
            let key = format!("{}/{}", part(&post.team), part(&post.channel));
            let known = self.channels.get(&key).cloned();
            let (title, kind) =
                known.unwrap_or_else(|| (part(&post.channel), ConversationKind::Unknown));
            return Chat { key, title, kind };
        };
        let mut members: Vec<&str> = members.iter().map(String::as_str).collect();
        members.sort_unstable();
        let names: Vec<&str> = members.iter().map(|user| self.name(user)).collect();
        Chat {
            key: format!("direct {}", members.join(",")),
            title: names.join(", "),
            kind: match members.len() {
                0..=2 => ConversationKind::Direct,
                _ => ConversationKind::Group,
            },
        }
    }

    fn post(
        &mut self,
        post: &Post,
        chat: &Chat,
        place: Place<'_>,
        (raw, span): (&[u8], (u64, u64)),
    ) -> Result<()> {
        let paths = post.attachments.iter().flatten();
        let paths = paths.filter_map(|file| file.path.as_deref());
        let attachments: Vec<ParsedAttachment<'_>> = paths
            .map(|path| {
                let inside = format!("{FILES_FOLDER}{path}");
                let entry = self.files.get(path).or(self.files.get(&inside));
                ParsedAttachment {
                    name: Cow::Borrowed(path.rsplit('/').next().unwrap_or(path)),
                    entry: entry.copied(),
                }
            })
            .collect();
        self.teller.missing(&attachments, span)?;
        let body = post.body();
        let kind = post.kind(&body);
        let sent = post.sent();
        let facts = [
            (kind.is_system(), Presence::SYSTEM),
            (sent.is_none(), Presence::TIME_ASSUMED),
        ];
        let user = post.user.as_deref();
        let label = user.map(|user| self.people.get(user).map_or(user, String::as_str));
        self.teller.message(&ParsedMessage {
            conversation_key: &chat.key,
            conversation_title: &chat.title,
            conversation_kind: chat.kind,
            app: App::Mattermost,
            sender_label: label,
            sender_handle: user,
            body: &body,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            source_id: place.id,
            id_scope: place.id.map(|_| IdScope::Chat),
            reply_to: place.answers,
            thread: place.answers,
            edited: post.edited(),
            mentions: &mentions(&self.people, &body),
            reactions: &reactions(post, &self.people),
            attachments: &attachments,
            presence: Presence::of(facts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}

/// One for each sign, by the names of those who gave it.
fn reactions<'r>(post: &'r Post, people: &'r BTreeMap<String, String>) -> Vec<ParsedReaction<'r>> {
    let given = post.reactions.iter().flatten();
    ParsedReaction::gathered(given.map(|reaction| {
        let user = reaction.user.as_deref();
        let name = user.map(|user| people.get(user).map_or(user, String::as_str));
        (reaction.emoji_name.as_str(), name)
    }))
}

/// Whom the words name: `@` and the name of somebody the export lists.
fn mentions<'a>(people: &'a BTreeMap<String, String>, body: &str) -> Vec<ParsedPerson<'a>> {
    let mut named: Vec<ParsedPerson<'a>> = Vec::new();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    for marked in body.split('@').skip(1) {
        let length = marked.find(|letter| !is_name(letter));
        let name = &marked[..length.unwrap_or(marked.len())];
        // A stop behind a name ends the sentence.
        let known = [name, name.trim_end_matches(['.', '-', '_'])];
        let known = known.iter().find_map(|name| people.get_key_value(*name));
        if let Some((user, label)) = known
            && named.len() < MENTIONS_MAX
            && !named.iter().any(|one| one.handle == Some(user))
        {
            named.push(ParsedPerson {
                label,
                handle: Some(user),
            });
        }
    }
    named
}
