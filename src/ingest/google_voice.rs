//! Google Voice from Takeout: one page of HTML for every slice of a conversation, for every call and
//! every voicemail.
//!
//! Format facts: psanford/google-voice-takeout-parser.
//!
//! What it cannot tell: there are no ids. Slices of one conversation are known by the numbers of the
//! others in it; where a page has none (only the account's owner wrote in it, numbers are withheld),
//! by the name in its title.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::DateTime;

use crate::domain::{App, ConversationKind, Kind, NoteKind, Precision, Presence, Timestamp};

use super::answers::{Answers, Outcome};
use super::beside::names_beside;
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::html::{Node, Piece, Tag, each_record};
use super::message::{ParsedAttachment, ParsedMessage, Sink};
use super::teller::Teller;
use super::transcript::Files;

/// Most people that are counted in one slice.
const PEOPLE_MAX: usize = 4_096;
/// What the platform writes instead of words where only a picture was sent.
const PLACEHOLDERS: [&str; 2] = ["MMS Sent", "MMS Received"];

/// The reader of Google Voice's pages.
#[derive(Clone, Copy, Debug)]
pub struct GoogleVoice;

impl Format for GoogleVoice {
    fn name(&self) -> &'static str {
        "google-voice"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let talk = has("hChatLog") && has("class=\"dt\"");
        let call = has("class=\"haudio\"") && has("class=\"published\"");
        match talk || call {
            true => Claim::Yes(3),
            false => Claim::No,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let mut people = People::default();
        container.read(main, |bytes| {
            each_record(bytes, is_record, &mut |piece| {
                match piece {
                    Piece::Record { raw, .. } => people.learn(&Node::read(raw)),
                    Piece::Frame { raw, .. } => people.learn_head(&Node::read(raw)),
                    Piece::Broken { .. } => {}
                }
                Ok(())
            })
        })?;
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            chat: people.chat(&entry, answers),
            files: names_beside(container, main),
            me: answers.me.clone(),
        };
        container.read(main, |bytes| {
            each_record(bytes, is_record, &mut |piece| reading.take(piece))
        })?;
        Ok(reading.teller.done())
    }
}

fn is_record(tag: &Tag) -> bool {
    tag.name == "div" && (tag.is("message") || tag.is("haudio"))
}

/// Somebody on a page.
#[derive(Clone, Debug, Default)]
struct Person {
    name: String,
    /// The number; empty where it is withheld.
    number: String,
    is_me: bool,
}

/// The person of a card: `a.tel` with a number, and a name, which for the owner is an abbreviation.
fn person(node: &Node) -> Person {
    let link = node.find(&|tag| tag.is("tel"));
    let number = link.and_then(|link| link.tag.attribute("href"));
    let name = node.find(&|tag| tag.is("fn"));
    Person {
        name: name.map(Node::line).unwrap_or_default(),
        number: number
            .and_then(|number| number.strip_prefix("tel:"))
            .unwrap_or_default()
            .to_owned(),
        is_me: name.is_some_and(|name| name.tag.name == "abbr"),
    }
}

/// Who is on a page.
#[derive(Debug, Default)]
struct People {
    /// The others: names by numbers, or by themselves.
    others: BTreeMap<String, String>,
    title: Option<String>,
}

/// The conversation a page is a slice of.
#[derive(Debug)]
struct Chat {
    key: String,
    title: String,
    kind: ConversationKind,
}

impl People {
    fn add(&mut self, person: Person) {
        if person.is_me || self.others.len() >= PEOPLE_MAX {
            return;
        }
        let by = match person.number.is_empty() {
            true => person.name.clone(),
            false => person.number,
        };
        if !by.is_empty() {
            self.others.entry(by).or_insert(person.name);
        }
    }

    fn learn(&mut self, record: &Node) {
        if let Some(card) = record.find(&|tag| tag.is("sender") || tag.is("contributor")) {
            self.add(person(card));
        }
    }

    /// The title and the list of a group stand before the messages.
    fn learn_head(&mut self, frame: &Node) {
        if let Some(title) = frame.find(&|tag| tag.name == "title") {
            let line = title.line();
            self.title = line.strip_prefix("Me to ").map(str::to_owned);
        }
        let mut cards = Vec::new();
        if let Some(list) = frame.find(&|tag| tag.is("participants")) {
            list.all(&|tag| tag.is("sender"), &mut cards);
        }
        cards.into_iter().for_each(|card| self.add(person(card)));
    }

    fn chat(self, entry: &Entry, answers: &Answers) -> Chat {
        let names: Vec<&str> = self
            .others
            .iter()
            .map(|(number, name)| {
                if name.is_empty() {
                    number.as_str()
                } else {
                    name
                }
            })
            .collect();
        let file = entry.file_name();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        // `Tony - Text - 2022-07-01T01_06_39Z`
        let named = stem.split(" - ").next().unwrap_or(stem);
        let alone = || self.title.clone().unwrap_or_else(|| named.to_owned());
        let title = match names.is_empty() {
            true => alone(),
            false => names.join(", "),
        };
        let numbers: Vec<&str> = self.others.keys().map(String::as_str).collect();
        Chat {
            key: match numbers.is_empty() {
                true => format!("name {title}"),
                false => numbers.join(" "),
            },
            title: answers.conversation_title.clone().unwrap_or(title),
            kind: match self.others.len() {
                0 | 1 => ConversationKind::Direct,
                _ => ConversationKind::Group,
            },
        }
    }
}

/// The second reading.
struct Reading<'s> {
    teller: Teller<'s>,
    chat: Chat,
    files: Files,
    me: Option<String>,
}

/// What a record says.
#[derive(Debug, Default)]
struct Said {
    body: String,
    person: Person,
    stamp: String,
    files: Vec<String>,
    kind: Option<Kind>,
    presence: Presence,
}

impl Reading<'_> {
    fn take(&mut self, piece: Piece<'_>) -> Result<()> {
        let (raw, at) = match piece {
            Piece::Frame { raw, at } => return self.teller.frame(raw, at),
            Piece::Broken { raw, at, reason } => return self.teller.reject(raw, at, reason),
            Piece::Record { raw, at } => (raw, at),
        };
        let page = Node::read(raw);
        let Some(record) = page.nodes().next() else {
            return self
                .teller
                .reject(raw, at, "there is nothing in this message");
        };
        let said = match record.tag.is("haudio") {
            true => call(record),
            false => message(record),
        };
        let Ok(sent) = DateTime::parse_from_rfc3339(&said.stamp) else {
            return self
                .teller
                .reject(raw, at, "this message has no readable time");
        };
        let sent = Timestamp(sent.timestamp_micros());
        self.hand_out(&said, sent, raw, (at, at + raw.len() as u64))
    }

    fn hand_out(
        &mut self,
        said: &Said,
        sent: Timestamp,
        raw: &[u8],
        span: (u64, u64),
    ) -> Result<()> {
        if std::str::from_utf8(raw).is_err() {
            let reason = "some bytes are no UTF-8; they show as U+FFFD, the bytes are kept";
            self.teller.note(NoteKind::Encoding, span, reason)?;
        }
        let mut attachments = Vec::new();
        for name in &said.files {
            let found = entry_of(&self.files, name);
            if found.is_none() && !self.files.is_empty() {
                let reason = format!("the file {name} did not come along");
                self.teller.note(NoteKind::MissingMedia, span, &reason)?;
            }
            attachments.push(ParsedAttachment {
                name: Cow::Borrowed(found.map_or(name.as_str(), |(name, _)| name)),
                entry: found.map(|(_, entry)| entry),
            });
        }
        let wordless = said.body.is_empty() || PLACEHOLDERS.contains(&said.body.as_str());
        let kind = said
            .kind
            .unwrap_or(match wordless && !attachments.is_empty() {
                true => Kind::Media,
                false => Kind::Text,
            });
        let with_files = match attachments.is_empty() {
            true => Presence::default(),
            false => Presence::ATTACHMENT,
        };
        let name = match (said.person.is_me, &self.me) {
            (true, Some(me)) => me.as_str(),
            _ => said.person.name.as_str(),
        };
        let number = Some(said.person.number.as_str()).filter(|number| !number.is_empty());
        self.teller.message(&ParsedMessage {
            conversation_key: &self.chat.key,
            conversation_title: &self.chat.title,
            conversation_kind: self.chat.kind,
            app: App::GoogleVoice,
            sender_label: Some(name).filter(|name| !name.is_empty()).or(number),
            sender_handle: number,
            body: &said.body,
            kind,
            sent: Some(sent),
            precision: Precision::Milli,
            attachments: &attachments,
            presence: said.presence.with(with_files),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}

/// A message of a slice.
fn message(record: &Node) -> Said {
    let card = record.find(&|tag| tag.is("sender"));
    let stamp = record.find(&|tag| tag.is("dt"));
    let words = record.find(&|tag| tag.name == "q");
    let mut carried = Vec::new();
    let carries = |tag: &Tag| {
        matches!(tag.name.as_str(), "img" | "audio" | "video") || tag.is("vcard") && tag.name == "a"
    };
    record.all(&carries, &mut carried);
    let mut presence = Presence::default();
    let mut files = Vec::new();
    for node in carried {
        let source = node
            .tag
            .attribute("src")
            .or_else(|| node.tag.attribute("href"));
        let Some(source) = source else { continue };
        files.push(source.to_owned());
        presence = presence.with(match node.tag.name.as_str() {
            "img" => Presence::IMAGE,
            "audio" => Presence::AUDIO,
            "video" => Presence::VIDEO,
            _ => Presence::CONTACT,
        });
    }
    Said {
        body: words.map(Node::whole_text).unwrap_or_default(),
        person: card.map(person).unwrap_or_default(),
        stamp: title_of(stamp),
        files,
        kind: None,
        presence,
    }
}

/// A call or a voicemail: a page of its own.
fn call(record: &Node) -> Said {
    let said = record.find(&|tag| tag.is("fn"));
    let card = record.find(&|tag| tag.is("contributor"));
    let stamp = record.find(&|tag| tag.is("published"));
    let words = record.find(&|tag| tag.is("full-text"));
    let sound = record.find(&|tag| tag.name == "audio");
    let file = sound.and_then(|sound| sound.tag.attribute("src"));
    let what = said.map(Node::line).unwrap_or_default();
    let other = card.map(person).unwrap_or_default();
    let placed = what.starts_with("Placed call");
    let me = Person {
        name: "Me".to_owned(),
        number: String::new(),
        is_me: true,
    };
    let presence = match file {
        Some(_) => Presence::AUDIO.with(Presence::VOICE),
        None => Presence::default(),
    };
    let is_mail = what.starts_with("Voicemail");
    Said {
        body: match words {
            Some(words) => words.text(),
            None => what,
        },
        person: if placed { me } else { other },
        stamp: title_of(stamp),
        files: file.map(str::to_owned).into_iter().collect(),
        kind: Some(if is_mail { Kind::Media } else { Kind::Call }),
        presence,
    }
}

fn title_of(node: Option<&Node>) -> String {
    let title = node.and_then(|node| node.tag.attribute("title"));
    title.unwrap_or_default().to_owned()
}

/// The file a page names: pages leave the ending out.
fn entry_of<'f>(files: &'f Files, name: &str) -> Option<(&'f str, u32)> {
    if let Some((name, entry)) = files.get_key_value(name) {
        return Some((name, *entry));
    }
    let begins = format!("{name}.");
    let mut fitting = files
        .range(begins.clone()..)
        .take_while(|(known, _)| known.starts_with(&begins));
    let found = fitting.next()?;
    // Two that fit are none.
    fitting
        .next()
        .is_none()
        .then_some((found.0.as_str(), *found.1))
}
