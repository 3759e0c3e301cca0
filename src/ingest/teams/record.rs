//! One message: its members, and what they mean for us.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::html::text_of;
use crate::domain::{ConversationKind, Kind, Presence, Timestamp};
use crate::ingest::json::Text;
use crate::ingest::message::ParsedAttachment;
use crate::ingest::table::TimeFormat;

/// What stands in the address of a picture that is part of the words.
const PICTURE: &str = "/hostedContents/";

/// A record of which every member has a name in lower case: dumps write `Id`, Graph writes `id`.
#[derive(Debug, Default)]
pub(super) struct Lowered(pub Record);

impl<'de> Deserialize<'de> for Lowered {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = lowered(Value::deserialize(from)?);
        let record = serde_json::from_value(value).map_err(serde::de::Error::custom)?;
        Ok(Lowered(record))
    }
}

fn lowered(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter();
            let members = members.map(|(name, value)| (name.to_ascii_lowercase(), lowered(value)));
            Value::Object(members.collect::<Map<String, Value>>())
        }
        Value::Array(elements) => elements.into_iter().map(lowered).collect(),
        other => other,
    }
}

/// The members that are read; everything else stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub id: Option<Text>,
    messagetype: Option<String>,
    createddatetime: Option<String>,
    lastediteddatetime: Option<String>,
    deleteddatetime: Option<String>,
    replytoid: Option<Text>,
    chatid: Option<String>,
    channelidentity: Option<Channel>,
    from: Option<Identities>,
    body: Option<Body>,
    subject: Option<String>,
    attachments: Option<Vec<Attached>>,
    mentions: Option<Vec<Mention>>,
    reactions: Option<Vec<Reaction>>,
    eventdetail: Option<Event>,
    pub replies: Option<Vec<Record>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    channelid: Option<String>,
}

/// What happened.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    #[serde(rename = "@odata.type")]
    form: Option<String>,
    initiator: Option<Identities>,
    members: Option<Vec<Identity>>,
    chatdisplayname: Option<String>,
    channeldisplayname: Option<String>,
    teamdisplayname: Option<String>,
}

impl Event {
    /// The name of what happened, without what every such name has.
    fn name(&self) -> &str {
        let name = self.form.as_deref().unwrap_or_default();
        let name = name.rsplit('.').next().unwrap_or_default();
        name.strip_suffix("EventMessageDetail").unwrap_or(name)
    }

    /// What happened, and to whom, as the source writes it.
    fn words(&self) -> String {
        let members = self.members.iter().flatten();
        let members = members.filter_map(|one| said(&one.displayname).or(said(&one.id)));
        let places = [
            &self.chatdisplayname,
            &self.channeldisplayname,
            &self.teamdisplayname,
        ];
        let about: Vec<&str> = members.chain(places.into_iter().filter_map(said)).collect();
        match about.is_empty() {
            true => self.name().to_owned(),
            false => format!("{}: {}", self.name(), about.join(", ")),
        }
    }
}

/// Who: a person, a program or a device.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identities {
    user: Option<Identity>,
    application: Option<Identity>,
    device: Option<Identity>,
}

impl Identities {
    /// The one that is told of: some dumps write all three, two of them without anything.
    pub fn one(&self) -> Option<&Identity> {
        let all = [&self.user, &self.application, &self.device];
        let mut told = all.into_iter().flatten();
        told.find(|one| said(&one.id).or(said(&one.displayname)).is_some())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Identity {
    pub id: Option<String>,
    pub displayname: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    contenttype: Option<String>,
    content: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Attached {
    id: Option<Text>,
    contenttype: Option<String>,
    content: Option<String>,
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mention {
    mentiontext: Option<String>,
    mentioned: Option<Identities>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    reactiontype: Option<String>,
    user: Option<Identities>,
}

fn instant(time: &Option<String>) -> Option<Timestamp> {
    let read = TimeFormat::Rfc3339.read(time.as_deref()?, None)?;
    Some(read.sent)
}

fn said(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.is_empty())
}

impl Record {
    /// What tells its conversation from others.
    pub fn chat(&self) -> Option<&str> {
        let channel = self.channelidentity.as_ref();
        let channel = channel.and_then(|channel| said(&channel.channelid));
        said(&self.chatid).or(channel)
    }

    /// The shape of the conversation, by the form of its id.
    pub fn conversation_kind(&self) -> ConversationKind {
        let id = self.chat().unwrap_or_default();
        match () {
            () if said(&self.chatid).is_none() && !id.is_empty() => ConversationKind::Channel,
            () if id.contains("@thread.tacv2") => ConversationKind::Channel,
            () if id.ends_with("@unq.gbl.spaces") => ConversationKind::Direct,
            () if id.contains("@thread") => ConversationKind::Group,
            () => ConversationKind::Unknown,
        }
    }

    /// Who wrote it; who did what it tells of.
    pub fn author(&self) -> Option<&Identity> {
        let from = self.from.as_ref().and_then(Identities::one);
        from.or(self.initiator())
    }

    fn initiator(&self) -> Option<&Identity> {
        self.eventdetail.as_ref()?.initiator.as_ref()?.one()
    }

    /// When it was sent; ids are the milliseconds of the same instant.
    pub fn sent(&self) -> Option<Timestamp> {
        let by_id = || {
            let millis = self.id.as_ref()?.0.parse().ok()?;
            Some(Timestamp::from_millis(millis))
        };
        instant(&self.createddatetime).or_else(by_id)
    }

    /// When its words were last changed.
    pub fn edited(&self) -> Option<Timestamp> {
        instant(&self.lastediteddatetime)
    }

    fn is_deleted(&self) -> bool {
        said(&self.deleteddatetime).is_some()
    }

    fn is_event(&self) -> bool {
        let form = self.messagetype.as_deref().unwrap_or_default();
        let named = self
            .eventdetail
            .as_ref()
            .is_some_and(|event| event.form.is_some());
        form.eq_ignore_ascii_case("systemEventMessage") || named
    }

    fn attached(&self, form: &str) -> Option<&Attached> {
        let mut all = self.attachments.iter().flatten();
        all.find(|one| said(&one.contenttype).is_some_and(|own| own.eq_ignore_ascii_case(form)))
    }

    /// The message that begins the thread in a channel.
    pub fn thread(&self) -> Option<&str> {
        self.replytoid.as_ref().map(|id| id.0.as_str())
    }

    /// The message it answers: the one that is quoted, else that which begins its thread.
    pub fn reply_to(&self) -> Option<&str> {
        let quoted = self
            .attached("messageReference")
            .and_then(|one| one.id.as_ref());
        quoted.map(|id| id.0.as_str()).or(self.thread())
    }

    /// The words, as they are shown: subject, body, what was forwarded; where there are none, those of
    /// cards or what happened.
    pub fn words(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        lines.extend(said(&self.subject).map(str::to_owned));
        if let Some(body) = &self.body {
            let content = body.content.as_deref().unwrap_or_default();
            let plain =
                said(&body.contenttype).is_some_and(|form| form.eq_ignore_ascii_case("text"));
            lines.push(if plain {
                content.to_owned()
            } else {
                text_of(content)
            });
        }
        let forwarded = self.attached("forwardedMessageReference");
        let forwarded = forwarded.and_then(|one| parsed(one.content.as_deref()?));
        if let Some(content) = forwarded
            .as_ref()
            .and_then(|one| one.get("originalmessagecontent"))
        {
            lines.push(text_of(content.as_str().unwrap_or_default()));
        }
        lines.retain(|line| !line.is_empty());
        let event = self.eventdetail.as_ref().filter(|_| self.is_event());
        if let (true, Some(event)) = (lines.is_empty(), event) {
            lines.push(event.words());
        } else if lines.is_empty() {
            let cards = self
                .attachments
                .iter()
                .flatten()
                .filter(|one| one.is_card());
            let cards = cards.filter_map(|one| parsed(one.content.as_deref()?));
            cards.for_each(|card| collect(&card, &mut lines, 0));
        }
        lines.join("\n")
    }

    /// What sort of message.
    pub fn kind(&self, words: &str) -> Kind {
        if self.is_event() {
            let event = self.eventdetail.as_ref().map_or("", Event::name);
            let event = event.to_ascii_lowercase();
            let has = |part: &str| event.contains(part);
            return match () {
                () if has("members") => Kind::SystemMembership,
                () if has("call") => Kind::Call,
                () if has("renamed") || has("description") => Kind::SystemSubject,
                () if has("created") || has("channeladded") => Kind::SystemCreated,
                () => Kind::System,
            };
        }
        match self
            .messagetype
            .as_deref()
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            _ if self.is_deleted() && words.is_empty() => Kind::Deleted,
            Some("message" | "text") | None
                if words.is_empty() && (self.files().next().is_some() || self.pictures() > 0) =>
            {
                Kind::Media
            }
            Some("message" | "text") | None => Kind::Text,
            _ => Kind::Unknown,
        }
    }

    /// What its members tell beside the words.
    pub fn presence(&self, kind: Kind) -> Presence {
        let quoted = self.attached("messageReference").is_some();
        Presence::of([
            (kind.is_system(), Presence::SYSTEM),
            (self.is_deleted(), Presence::DELETED),
            (quoted, Presence::QUOTE),
            (self.pictures() > 0, Presence::IMAGE),
            (
                self.attached("forwardedMessageReference").is_some(),
                Presence::FORWARDED,
            ),
            (self.sent().is_none(), Presence::TIME_ASSUMED),
        ])
    }

    fn files(&self) -> impl Iterator<Item = &Attached> {
        let all = self.attachments.iter().flatten();
        all.filter(|one| !one.is_card() && said(&one.name).is_some())
    }

    /// Pictures that stand in the words: their bytes lie on the server.
    fn pictures(&self) -> usize {
        let content = self.body.as_ref().and_then(|body| body.content.as_deref());
        content.map_or(0, |content| content.matches(PICTURE).count())
    }

    /// The files it names, looked for by their names among those that came along.
    pub fn attachments(&self, files: &BTreeMap<String, Vec<u32>>) -> Vec<ParsedAttachment<'_>> {
        let parsed = self.files().map(|file| {
            let name = file.name.as_deref().unwrap_or_default();
            let found = files.get(name).filter(|found| found.len() == 1);
            ParsedAttachment {
                name: Cow::Borrowed(name),
                entry: found.and_then(|found| found.first()).copied(),
            }
        });
        let picture = || ParsedAttachment {
            name: Cow::Borrowed(""),
            entry: None,
        };
        let pictures = std::iter::repeat_with(picture).take(self.pictures());
        parsed.chain(pictures).collect()
    }

    /// Signs and who gave each.
    pub fn reactions(&self) -> impl Iterator<Item = (&str, Option<&Identity>)> {
        let all = self.reactions.iter().flatten();
        all.map(|one| {
            let sign = one.reactiontype.as_deref().unwrap_or_default();
            (sign, one.user.as_ref().and_then(Identities::one))
        })
    }

    /// Whom it addresses: the name in the words, and the id.
    pub fn mentions(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.mentions.iter().flatten().filter_map(|one| {
            let person = one.mentioned.as_ref().and_then(Identities::one);
            let name = person.and_then(|person| said(&person.displayname));
            let id = person.and_then(|person| said(&person.id));
            Some((name.or(said(&one.mentiontext)).or(id)?, id))
        })
    }
}

impl Attached {
    /// Whether it is a card or a reference to a message, and no file.
    fn is_card(&self) -> bool {
        let form = self
            .contenttype
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        form.starts_with("application/vnd.microsoft") || form.ends_with("messagereference")
    }
}

fn parsed(content: &str) -> Option<Value> {
    serde_json::from_str(content).ok().map(lowered)
}

/// Cards lie at most this deep in each other.
const CARD_DEPTH_MAX: usize = 32;

/// The texts of a card.
fn collect(card: &Value, lines: &mut Vec<String>, depth: usize) {
    if depth > CARD_DEPTH_MAX {
        return;
    }
    match card {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value) {
                    ("title" | "subtitle" | "text", Value::String(text)) if !text.is_empty() => {
                        lines.push(text_of(text));
                    }
                    _ => collect(value, lines, depth + 1),
                }
            }
        }
        Value::Array(parts) => parts
            .iter()
            .for_each(|part| collect(part, lines, depth + 1)),
        _ => {}
    }
}
