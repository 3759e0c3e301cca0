//! Exports of one Discord channel by DiscordChatExporter, as JSON.
//!
//! Field names are those of Tyrrrz/DiscordChatExporter, `JsonMessageWriter.cs`. What an export does not
//! tell: deleted messages, words before an edit. Names in the words were put in by the exporter.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::{
    App, ConversationKind, IdScope, Kind, NoteKind, Precision, Presence, Timestamp,
};

use super::answers::{Answers, Outcome};
use super::beside::files_beside;
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::json::{Part, Shape, Step, Text, read_record, scan};
use super::message::{ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use super::table::TimeFormat;
use super::teller::{Slip, Teller};

const SHAPE: Shape = Shape {
    records: &[&["messages", "*"]],
    members: &[&["guild"], &["channel"], &["messageCount"]],
};
/// What tells of the channel stands in front of the messages, within so many bytes.
const HEAD_BYTES: usize = 64 * 1024;
/// Milliseconds since 1970 at which the ids of Discord begin to count.
const EPOCH_MILLIS: u64 = 1_420_070_400_000;
/// An id and the time beside it may differ by less than this; microseconds.
const ROUNDING_MICROS: u64 = 1_000;

/// The reader of Discord exports.
#[derive(Clone, Copy, Debug)]
pub struct Discord;

impl Format for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    /// By the members of its root that stand in front of the messages.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let root = has("\"guild\"") && has("\"channel\"") && has("\"messages\"");
        match root && (has("\"dateRange\"") || has("\"exportedAt\"")) {
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
        let head = container.head(main, HEAD_BYTES)?;
        let mut about = About::default();
        scan(&mut head.as_slice(), &SHAPE, &mut |part| {
            about.take(part);
            Ok(())
        })?;
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            chat: about.chat(&entry),
            channel: about.channel.id.clone().unwrap_or_default().0,
            files: files_beside(container, &entry),
            records: 0,
            announced: None,
        };
        container.read(main, |bytes| {
            let ending = scan(bytes, &SHAPE, &mut |part| reading.take(part))?;
            reading.teller.ending(ending)?;
            reading.count(ending.bytes)
        })?;
        Ok(reading.teller.done())
    }
}

/// A guild or a channel.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Place {
    id: Option<Text>,
    name: Option<String>,
    #[serde(rename = "type")]
    form: Option<Text>,
}

/// What stands about the channel.
#[derive(Debug, Default)]
struct About {
    guild: Place,
    channel: Place,
}

impl About {
    fn take(&mut self, part: Part<'_>) {
        let Part::Member { raw, path } = part else {
            return;
        };
        let (Some(Step::Key(name)), Ok((place, _))) = (path.last(), read_record::<Place>(raw))
        else {
            return;
        };
        match name.as_str() {
            "guild" => self.guild = place,
            "channel" => self.channel = place,
            _ => {}
        }
    }

    fn chat(&self, entry: &Entry) -> Chat {
        let form = self
            .channel
            .form
            .as_ref()
            .map_or("", |form| form.0.as_str());
        let kind = match form {
            "DirectTextChat" | "1" => ConversationKind::Direct,
            "DirectGroupTextChat" | "3" => ConversationKind::Group,
            "" => ConversationKind::Unknown,
            _ => ConversationKind::Channel,
        };
        let name = self.channel.name.as_deref();
        let name = name.unwrap_or_else(|| entry.file_name());
        let guild = self.guild.name.as_deref().unwrap_or_default();
        let title = match kind {
            ConversationKind::Channel if !guild.is_empty() => format!("{guild} / {name}"),
            _ => name.to_owned(),
        };
        let id = self.channel.id.as_ref().map(|id| id.0.clone());
        Chat {
            key: id.unwrap_or_else(|| format!("file {}", entry.file_name())),
            title,
            kind,
        }
    }
}

struct Chat {
    key: String,
    title: String,
    kind: ConversationKind,
}

/// A message; what is not read stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    id: Option<Text>,
    #[serde(rename = "type")]
    form: Option<Text>,
    timestamp: Option<String>,
    #[serde(rename = "timestampEdited")]
    edited: Option<String>,
    content: Option<String>,
    author: Option<Person>,
    attachments: Option<Vec<File>>,
    embeds: Option<Vec<Value>>,
    stickers: Option<Vec<Sticker>>,
    reactions: Option<Vec<Reaction>>,
    mentions: Option<Vec<Person>>,
    reference: Option<Reference>,
    #[serde(rename = "forwardedMessage")]
    forwarded: Option<Forwarded>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    id: Option<Text>,
    name: Option<String>,
    nickname: Option<String>,
}

impl Person {
    fn shown(&self) -> Option<&str> {
        let names = [&self.nickname, &self.name].map(Option::as_deref);
        let mut names = names.into_iter().flatten().filter(|name| !name.is_empty());
        names.next().or(self.id())
    }

    fn id(&self) -> Option<&str> {
        self.id.as_ref().map(|id| id.0.as_str())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct File {
    url: Option<String>,
    file_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Sticker {
    name: Option<String>,
    source_url: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    emoji: Emoji,
    count: u32,
    users: Option<Vec<Person>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Emoji {
    id: Option<Text>,
    name: Option<String>,
    code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    message_id: Option<Text>,
    channel_id: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Forwarded {
    content: Option<String>,
    attachments: Option<Vec<File>>,
}

/// The instant that an id holds.
fn instant_of(id: &str) -> Option<Timestamp> {
    let millis = (id.parse::<u64>().ok()? >> 22).checked_add(EPOCH_MILLIS)?;
    i64::try_from(millis).ok().map(Timestamp::from_millis)
}

fn printed(time: Option<&str>) -> Option<Timestamp> {
    let instant = TimeFormat::Rfc3339.read(time?, None)?;
    Some(instant.sent)
}

impl Record {
    fn body(&self) -> String {
        let content = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        if let Some(content) = content(&self.content) {
            return content;
        }
        if let Some(content) = self
            .forwarded
            .as_ref()
            .and_then(|one| content(&one.content))
        {
            return content;
        }
        let embeds = self.embeds.iter().flatten();
        let texts = embeds.flat_map(|embed| {
            let member = |name: &str| embed.get(name).and_then(Value::as_str);
            [member("title"), member("description")]
        });
        let texts: Vec<&str> = texts.flatten().filter(|text| !text.is_empty()).collect();
        texts.join("\n")
    }

    fn kind(&self, body: &str) -> Kind {
        let has_files = self.files().next().is_some() || self.stickers.iter().flatten().count() > 0;
        match self.form.as_ref().map_or("Default", |form| form.0.as_str()) {
            "Default" | "Reply" | "0" | "19" | "20" | "21" | "23" => {
                match body.is_empty() && has_files {
                    true => Kind::Media,
                    false => Kind::Text,
                }
            }
            "RecipientAdd" | "RecipientRemove" | "GuildMemberJoin" | "1" | "2" | "7" => {
                Kind::SystemMembership
            }
            "Call" | "3" => Kind::Call,
            "ChannelNameChange" | "ChannelIconChange" | "4" | "5" => Kind::SystemSubject,
            "ChannelPinnedMessage" | "6" | "8" | "9" | "10" | "11" | "12" => Kind::System,
            "ThreadCreated" | "18" => Kind::SystemCreated,
            _ => Kind::Unknown,
        }
    }

    fn files(&self) -> impl Iterator<Item = &File> {
        let forwarded = self
            .forwarded
            .as_ref()
            .and_then(|one| one.attachments.as_ref());
        let own = self.attachments.iter().flatten();
        own.chain(forwarded.into_iter().flatten())
    }

    /// Files and stickers; an address without a scheme is the path of a file that came along.
    fn attachments(&self, files: &BTreeMap<String, u32>) -> Vec<ParsedAttachment<'_>> {
        let named = self
            .files()
            .map(|file| (file.file_name.as_deref(), file.url.as_deref()));
        let stickers = self.stickers.iter().flatten();
        let stickers = stickers.map(|one| (one.name.as_deref(), one.source_url.as_deref()));
        let parsed = named.chain(stickers).map(|(name, url)| {
            let path = decoded(url.unwrap_or_default()).replace('\\', "/");
            let last = path.rsplit('/').next().unwrap_or_default().to_owned();
            ParsedAttachment {
                name: name.map_or(Cow::Owned(last), Cow::Borrowed),
                entry: files.get(path.as_str()).copied(),
            }
        });
        parsed.collect()
    }

    fn reactions(&self) -> Vec<ParsedReaction<'_>> {
        let parsed = self.reactions.iter().flatten().map(|reaction| {
            let emoji = &reaction.emoji;
            let names = [&emoji.name, &emoji.code].map(Option::as_deref);
            let mut names = names.into_iter().flatten().filter(|name| !name.is_empty());
            let id = emoji.id.as_ref().map(|id| id.0.as_str());
            let by = reaction.users.iter().flatten().filter_map(Person::shown);
            let by: Vec<Cow<'_, str>> = by.map(Cow::Borrowed).collect();
            ParsedReaction {
                value: Cow::Borrowed(names.next().or(id).unwrap_or_default()),
                count: reaction.count.max(by.len() as u32),
                by,
            }
        });
        parsed.collect()
    }

    /// The message it answers, where that is in the same channel.
    fn reply_to(&self, channel: &str) -> Option<&str> {
        let reference = self
            .reference
            .as_ref()
            .filter(|_| self.forwarded.is_none())?;
        let elsewhere = reference
            .channel_id
            .as_ref()
            .is_some_and(|id| id.0 != channel);
        let id = reference.message_id.as_ref().filter(|_| !elsewhere)?;
        Some(&id.0)
    }
}

/// An address without its percent signs, where that is possible.
fn decoded(url: &str) -> String {
    let bytes = url.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).filter(|_| *byte == b'%');
        let hex = hex.and_then(|digits| std::str::from_utf8(digits).ok());
        match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(value) => {
                out.push(value);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| url.to_owned())
}

/// An import under way.
struct Reading<'s> {
    teller: Teller<'s>,
    chat: Chat,
    channel: String,
    files: BTreeMap<String, u32>,
    /// Messages met, read or not.
    records: u64,
    /// How many the export says there are.
    announced: Option<u64>,
}

impl Reading<'_> {
    fn take(&mut self, part: Part<'_>) -> Result<()> {
        if let Part::Member { raw, path } = part
            && path == [Step::Key("messageCount".to_owned())]
        {
            let count = std::str::from_utf8(raw).unwrap_or_default();
            self.announced = count.trim().parse().ok();
        }
        match self.teller.besides(part)? {
            Some(slip) => self.record(&slip),
            None => Ok(()),
        }
    }

    /// Whether as many came as were announced.
    fn count(&mut self, end: u64) -> Result<()> {
        let Some(announced) = self.announced.filter(|count| *count != self.records) else {
            return Ok(());
        };
        let reason = format!(
            "the export says it has {announced} messages and has {}",
            self.records
        );
        self.teller.note(NoteKind::Gap, (end, end), &reason)
    }

    /// When it was sent: the id tells; the time beside it is compared.
    fn sent(&mut self, record: &Record, span: (u64, u64)) -> Result<Option<Timestamp>> {
        let by_id = record.id.as_ref().and_then(|id| instant_of(&id.0));
        let by_time = printed(record.timestamp.as_deref());
        if let (Some(id), Some(time)) = (by_id, by_time)
            && id.0.abs_diff(time.0) >= ROUNDING_MICROS
        {
            let reason = "the time and the id of this message disagree; the id was taken";
            self.teller.note(NoteKind::Assumption, span, reason)?;
        }
        Ok(by_id.or(by_time))
    }

    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        self.records += 1;
        let Some(record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        let sent = self.sent(&record, slip.span())?;
        let attachments = record.attachments(&self.files);
        self.teller.missing(&attachments, slip.span())?;
        let body = record.body();
        let kind = record.kind(&body);
        let facts = [
            (kind.is_system(), Presence::SYSTEM),
            (record.forwarded.is_some(), Presence::FORWARDED),
            (sent.is_none(), Presence::TIME_ASSUMED),
        ];
        let people = record.mentions.iter().flatten();
        let mentions = people.filter_map(|person| {
            let (label, handle) = (person.shown()?, person.id());
            Some(ParsedPerson { label, handle })
        });
        let id = record.id.as_ref().map(|id| id.0.as_str());
        self.teller.message(&ParsedMessage {
            conversation_key: &self.chat.key,
            conversation_title: &self.chat.title,
            conversation_kind: self.chat.kind,
            app: App::Discord,
            sender_label: record.author.as_ref().and_then(Person::shown),
            sender_handle: record.author.as_ref().and_then(Person::id),
            body: &body,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            source_id: id,
            id_scope: id.map(|_| IdScope::Global),
            reply_to: record.reply_to(&self.channel),
            edited: printed(record.edited.as_deref()),
            reactions: &record.reactions(),
            mentions: &mentions.collect::<Vec<_>>(),
            attachments: &attachments,
            presence: Presence::of(facts),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}
