//! Telegram Desktop's export as pages: `messages.html`, `messages2.html` and so on. Where there is a
//! `result.json` of the same chat, that tells more.
//!
//! What it cannot tell: pages do not say whose account they are of, so messages answer each other by
//! their ids, but are not known again by them. Edits are not shown. The printed offset can ignore daylight saving time: it is what the file
//! states, and noted as an assumption. Notices carry no time; they keep their place. A message at
//! the top of a page that goes on from a page that did not come along has no name.

use std::borrow::Cow;
use std::collections::BTreeSet;

use chrono::NaiveDateTime;

use crate::domain::{
    App, ConversationKind, Kind, NoteKind, Precision, Presence, Timestamp, ZoneSource,
};

use super::answers::{Answers, Outcome};
use super::beside::{folder_of, gathered, parted, parts_of};
use super::container::{Container, Entry};
use super::detect::{Found, HEAD_BYTES};
use super::error::Result;
use super::format::{Claim, Format};
use super::html::{Node, Piece, Tag, each_record};
use super::message::{ParsedAttachment, ParsedMessage, ParsedReaction, Sink};
use super::teller::Teller;
use super::transcript::{Clocked, Files, kind_of, title_of};

/// Most names that are counted.
const NAMES_MAX: usize = 65_536;
/// Kinds of media by their class, and what they are.
const MEDIA: [(&str, Kind, Presence); 17] = [
    ("media_photo", Kind::Media, Presence::IMAGE),
    ("photo_wrap", Kind::Media, Presence::IMAGE),
    ("sticker_wrap", Kind::Media, Presence::IMAGE),
    ("animated_wrap", Kind::Media, Presence::VIDEO),
    ("video_file_wrap", Kind::Media, Presence::VIDEO),
    ("media_video", Kind::Media, Presence::VIDEO),
    ("media_voice_message", Kind::Media, Presence::VOICE),
    ("media_audio_file", Kind::Media, Presence::AUDIO),
    ("media_file", Kind::Media, Presence::FILE),
    ("media_contact", Kind::Contact, Presence::CONTACT),
    ("media_location", Kind::Location, Presence::LOCATION),
    ("media_live_location", Kind::Location, Presence::LOCATION),
    ("media_venue", Kind::Location, Presence::LOCATION),
    ("media_poll", Kind::Poll, Presence::POLL),
    ("media_call", Kind::Call, Presence(0)),
    ("media_game", Kind::Text, Presence(0)),
    ("media_invoice", Kind::Text, Presence(0)),
];

/// The reader of Telegram Desktop's pages.
#[derive(Clone, Copy, Debug)]
pub struct TelegramPage;

impl Format for TelegramPage {
    fn name(&self) -> &'static str {
        "telegram-html"
    }

    fn has_keys(&self) -> bool {
        false
    }

    /// The pages of one chat are one chat.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let pages = pages(container.entries());
        Ok(gathered(self, container, pages))
    }

    /// By the classes of its messages and its page, which no other format has together.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let message = has("class=\"message default") || has("class=\"message service");
        match message && has("class=\"history\"") {
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
        let page = Node::read(&container.head(main, HEAD_BYTES)?);
        let header = page.find(&|tag| tag.is("page_header"));
        let title = header.and_then(|header| header.find(&|tag| tag.is("text")));
        let title = title_of(&entry, answers, title.map(Node::line));
        let pages = pages(container.entries());
        let pages = parts_of(self, container, pages, main);
        let mut learned = Learned::default();
        for page in &pages {
            container.read(*page, |bytes| {
                each_record(bytes, is_record, &mut |piece| {
                    if let Piece::Record { raw, .. } = piece {
                        learned.learn(&Said::read(&Node::read(raw)));
                    }
                    Ok(())
                })
            })?;
        }
        // Who says the zone knows better than an offset that may be of another season.
        let said = answers.zone.as_ref();
        let is_said = said.is_some_and(|zone| zone.source == ZoneSource::Operator);
        let mut clocked = None;
        if learned.needs_zone || is_said {
            match Clocked::of(&entry, answers) {
                Ok(found) => clocked = Some(found),
                Err(question) => return Ok(Outcome::Ask(vec![question])),
            }
        }
        let mut teller = Teller::new(self.name(), &entry, sink);
        teller.summary.zone = clocked.as_ref().map(|clocked| clocked.zone.clone());
        let mut reading = Reading {
            teller,
            title,
            kind: kind_of(learned.names.len()),
            files: files_by_path(container, &entry),
            folder: folder_of(&entry.name).to_owned(),
            clocked,
            is_said,
            last_name: None,
            offset_noted: false,
        };
        for page in pages {
            let entry = &container.entries()[page as usize];
            reading.teller.turn_to(entry);
            container.read(page, |bytes| {
                each_record(bytes, is_record, &mut |piece| reading.take(piece))
            })?;
        }
        Ok(reading.teller.done())
    }
}

/// The pages `messages.html`, `messages2.html` of each folder, by their numbers.
fn pages(entries: &[Entry]) -> Vec<Vec<u32>> {
    parted(entries, |name| {
        let number = name.strip_prefix("messages")?.strip_suffix(".html")?;
        let number = if number.is_empty() { "1" } else { number };
        Some((String::new(), number.parse().ok()?))
    })
}

fn is_record(tag: &Tag) -> bool {
    tag.name == "div" && tag.is("message") && (tag.is("default") || tag.is("service"))
}

/// Files of the same archive, or handed in together, by their whole paths.
fn files_by_path(container: &Container<'_>, entry: &Entry) -> Files {
    let beside = container.entries().iter().filter(|other| {
        other.parent == entry.parent && other.refused.is_none() && other.ordinal != entry.ordinal
    });
    beside
        .map(|other| (other.name.clone(), other.ordinal))
        .collect()
}

/// The whole path of what a page names from its own folder. Pages of a whole account go up to the
/// folder of the account and down again.
fn path_from(folder: &str, named: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in named.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What the first reading finds.
#[derive(Debug, Default)]
struct Learned {
    names: BTreeSet<String>,
    needs_zone: bool,
}

impl Learned {
    fn learn(&mut self, said: &Said) {
        self.needs_zone |= said.when.is_some_and(|(_, offset)| offset.is_none());
        if let Some(name) = &said.name
            && self.names.len() < NAMES_MAX
        {
            self.names.insert(name.clone());
        }
    }
}

/// A file a message names.
#[derive(Debug)]
struct File {
    /// Its path from the page, if it was exported.
    path: Option<String>,
    name: String,
}

/// What a record says.
#[derive(Debug, Default)]
struct Said {
    is_service: bool,
    is_joined: bool,
    /// The number of the message; that of a heading of a day is below zero.
    number: Option<i64>,
    /// Its id on the page, `message7`, by which answers name it.
    id: Option<String>,
    name: Option<String>,
    body: String,
    /// The printed local time in microseconds, and the offset in seconds east, if one is printed.
    when: Option<(i64, Option<i64>)>,
    kind: Option<Kind>,
    presence: Presence,
    files: Vec<File>,
    reply_to: Option<String>,
    reactions: Vec<(String, u32, Vec<String>)>,
}

impl Said {
    fn read(page: &Node) -> Said {
        let Some(record) = page.nodes().next() else {
            return Said::default();
        };
        let tag = &record.tag;
        let number = tag
            .attribute("id")
            .and_then(|id| id.strip_prefix("message"));
        let mut said = Said {
            is_service: tag.is("service"),
            is_joined: tag.is("joined"),
            number: number.and_then(|number| number.parse().ok()),
            id: number.map(|number| format!("message{number}")),
            ..Said::default()
        };
        let Some(body) = record.nodes().find(|node| node.tag.is("body")) else {
            return said;
        };
        if said.is_service {
            said.body = body.text();
            return said;
        }
        let of = |class: &str| body.nodes().find(|node| node.tag.is(class));
        let date = of("date").and_then(|date| date.tag.attribute("title"));
        said.when = date.and_then(when);
        said.name = of("from_name").map(|name| without_bot(&name.own_text()));
        let forwarded = of("forwarded");
        if forwarded.is_some() {
            said.presence = said.presence.with(Presence::FORWARDED);
        }
        // What was forwarded stands in a body of its own, with what it answers.
        let within =
            |class: &str| of(class).or_else(|| forwarded?.nodes().find(|node| node.tag.is(class)));
        said.body = within("text").map(Node::text).unwrap_or_default();
        said.reply_to = within("reply_to").and_then(answered);
        said.media(body);
        said.react(body);
        said
    }

    /// Media: a link where it was exported, else what it was and why it was not.
    fn media(&mut self, body: &Node) {
        let is_media = |tag: &Tag| MEDIA.iter().any(|(class, ..)| tag.is(class));
        let mut found = Vec::new();
        body.all(&is_media, &mut found);
        for node in found {
            let told = MEDIA.iter().find(|(class, ..)| node.tag.is(class));
            let Some((_, kind, presence)) = told else {
                continue;
            };
            self.presence = self.presence.with(*presence);
            let path = node.tag.attribute("href").map(str::to_owned);
            let path = path.filter(|path| !path.is_empty() && !path.contains("://"));
            if *kind == Kind::Media || *kind == Kind::Contact && path.is_some() {
                self.presence = self.presence.with(Presence::ATTACHMENT);
                let title = node.find(&|tag| tag.is("title"));
                let last = path.as_deref().and_then(|path| path.rsplit('/').next());
                let name = match *presence {
                    Presence::FILE | Presence::AUDIO => title.map(Node::line),
                    _ => None,
                };
                let name = name.or(last.map(str::to_owned)).unwrap_or_default();
                self.files.push(File { path, name });
            }
            if *kind != Kind::Media && self.body.is_empty() {
                self.body = match *kind {
                    Kind::Poll => poll(node),
                    _ => words_below(node),
                };
            }
            if *kind != Kind::Media || self.body.is_empty() {
                self.kind = Some(*kind);
            }
        }
    }

    fn react(&mut self, body: &Node) {
        let mut found = Vec::new();
        body.all(&|tag| tag.is("reaction"), &mut found);
        for node in found {
            let emoji = node.find(&|tag| tag.is("emoji")).map(Node::line);
            let count = node.find(&|tag| tag.is("count")).map(Node::line);
            let mut people = Vec::new();
            node.all(&|tag| tag.is("userpic"), &mut people);
            let named = people.len().max(1) as u32;
            let count = count.and_then(|count| count.parse().ok()).unwrap_or(named);
            let by = people.into_iter().filter_map(reactor).collect();
            self.reactions.push((emoji.unwrap_or_default(), count, by));
        }
    }
}

/// A name without the bot it was written by way of: `Ana via @gif`.
fn without_bot(name: &str) -> String {
    let is_bot = |bot: &str| {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        !bot.is_empty() && bot.bytes().all(letter)
    };
    match name.rsplit_once(" via @") {
        Some((name, bot)) if is_bot(bot) => name.trim_end().to_owned(),
        _ => name.to_owned(),
    }
}

/// Who gave a reaction, by the title of their picture: a name, behind it perhaps a date.
fn reactor(picture: &Node) -> Option<String> {
    let title = picture.tag.attribute("title")?.trim();
    let dated = |rest: &str| rest.starts_with(|letter: char| letter.is_ascii_digit());
    let name = match title.rsplit_once(", ") {
        Some((name, rest)) if dated(rest) => name,
        _ => title,
    };
    Some(name.to_owned()).filter(|name| !name.is_empty())
}

/// The question of a poll and its answers, as the export as JSON has them; votes stay in the record.
fn poll(node: &Node) -> String {
    let mut lines: Vec<String> = node
        .find(&|tag| tag.is("question"))
        .map(Node::own_text)
        .into_iter()
        .collect();
    let mut answers = Vec::new();
    node.all(&|tag| tag.is("answer"), &mut answers);
    let answer = |answer: &Node| {
        let text = answer.own_text();
        text.strip_prefix("- ").unwrap_or(&text).to_owned()
    };
    lines.extend(answers.into_iter().map(answer));
    lines.join("\n")
}

/// The lines of text below a node, without empty ones.
fn words_below(node: &Node) -> String {
    let text = node.text();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The message that is answered, where it stands in this chat.
fn answered(node: &Node) -> Option<String> {
    let link = node.find(&|tag| tag.name == "a")?;
    let (_, number) = link.tag.attribute("href")?.split_once("#go_to_message")?;
    Some(format!("message{number}"))
}

/// `23.08.2023 13:11:23 UTC-08:00`: local microseconds, and seconds east where an offset is printed.
fn when(title: &str) -> Option<(i64, Option<i64>)> {
    let stamp = title.get(..19)?;
    let local = NaiveDateTime::parse_from_str(stamp, "%d.%m.%Y %H:%M:%S").ok()?;
    let local = local.and_utc().timestamp_micros();
    let Some(offset) = title[19..].trim().strip_prefix("UTC") else {
        return Some((local, None));
    };
    let (hours, minutes) = offset.split_once(':').unwrap_or((offset, "0"));
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let hours: i64 = hours.trim_start_matches(['+', '-']).parse().ok()?;
    let minutes: i64 = minutes.parse().ok()?;
    let sound = (0..=18).contains(&hours) && (0..60).contains(&minutes);
    let seconds = sign * (hours * 3_600 + minutes * 60);
    sound.then_some((local, Some(seconds)))
}

/// The second reading.
struct Reading<'s> {
    teller: Teller<'s>,
    title: String,
    kind: ConversationKind,
    files: Files,
    /// The folder of the page.
    folder: String,
    clocked: Option<Clocked>,
    /// Whether somebody said the zone.
    is_said: bool,
    /// Who wrote the message before.
    last_name: Option<String>,
    offset_noted: bool,
}

impl Reading<'_> {
    fn take(&mut self, piece: Piece<'_>) -> Result<()> {
        let (raw, at) = match piece {
            Piece::Frame { raw, at } => return self.teller.frame(raw, at),
            Piece::Broken { raw, at, reason } => return self.teller.reject(raw, at, reason),
            Piece::Record { raw, at } => (raw, at),
        };
        let said = Said::read(&Node::read(raw));
        // The headings of days are numbered below zero.
        if said.is_service && said.number.is_some_and(|number| number < 0) {
            return self.teller.frame(raw, at);
        }
        let span = (at, at + raw.len() as u64);
        if std::str::from_utf8(raw).is_err() {
            let reason = "some bytes are no UTF-8; they show as U+FFFD, the bytes are kept";
            self.teller.note(NoteKind::Encoding, span, reason)?;
        }
        if !said.is_service {
            self.name(&said, span)?;
        }
        self.hand_out(&said, raw, span)
    }

    /// Carries the name over to messages that go on from the one before.
    fn name(&mut self, said: &Said, span: (u64, u64)) -> Result<()> {
        if said.name.is_some() || !said.is_joined {
            self.last_name = said.name.clone();
        } else if self.last_name.is_none() {
            let reason =
                "this message goes on from the page before, where the name of its author stands";
            self.teller.note(NoteKind::Assumption, span, reason)?;
        }
        Ok(())
    }

    /// The instant of a message, its presence, and where its zone comes from.
    fn place(
        &mut self,
        said: &Said,
        span: (u64, u64),
    ) -> Result<(Option<Timestamp>, Presence, ZoneSource)> {
        match (said.when, &mut self.clocked) {
            (Some((local, offset)), Some(clocked)) if offset.is_none() || self.is_said => {
                let (sent, doubts) = clocked.place(local);
                Ok((Some(sent), doubts, clocked.zone.source))
            }
            (Some((local, Some(offset))), _) => {
                if !std::mem::replace(&mut self.offset_noted, true) {
                    let reason = "times follow the offsets printed on the page, which may ignore \
                                  daylight saving time; say in which zone the computer stood and \
                                  they follow that; the export as JSON has the instants";
                    self.teller.note(NoteKind::Assumption, span, reason)?;
                }
                let sent = Timestamp(local - offset * Timestamp::MICROS_PER_SECOND);
                Ok((Some(sent), Presence::default(), ZoneSource::File))
            }
            _ => Ok((None, Presence::TIME_ASSUMED, ZoneSource::Record)),
        }
    }

    fn hand_out(&mut self, said: &Said, raw: &[u8], span: (u64, u64)) -> Result<()> {
        let (sent, doubts, zone_source) = self.place(said, span)?;
        let mut attachments = Vec::new();
        for file in &said.files {
            let path = file.path.as_ref();
            let entry = path.and_then(|path| self.files.get(&path_from(&self.folder, path)));
            attachments.push(ParsedAttachment {
                name: Cow::Borrowed(&file.name),
                entry: entry.copied(),
            });
        }
        self.teller.missing(&attachments, span)?;
        let reaction = |(emoji, count, by): &'_ (String, u32, Vec<String>)| ParsedReaction {
            value: Cow::Owned(emoji.clone()),
            count: (*count).max(by.len() as u32),
            by: by.iter().cloned().map(Cow::Owned).collect(),
        };
        let reactions: Vec<ParsedReaction<'_>> = said.reactions.iter().map(reaction).collect();
        let (kind, facts, sender) = match said.is_service {
            true => (Kind::System, Presence::SYSTEM, None),
            false => {
                let kind = said.kind.unwrap_or(Kind::Text);
                (kind, Presence::default(), self.last_name.as_deref())
            }
        };
        self.teller.message(&ParsedMessage {
            conversation_key: &self.title,
            conversation_title: &self.title,
            conversation_kind: self.kind,
            app: App::Telegram,
            sender_label: sender,
            body: &said.body,
            kind,
            sent,
            local: said.when.map(|(local, _)| local),
            precision: match sent {
                Some(_) => Precision::Second,
                None => Precision::None,
            },
            zone_source,
            source_id: said.id.as_deref(),
            reply_to: said.reply_to.as_deref(),
            reactions: &reactions,
            attachments: &attachments,
            presence: said.presence.with(doubts).with(facts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_names_and_reactors_are_read() {
        assert_eq!(
            path_from("export/chats/chat_1", "../../chats/chat_1/photos/a.jpg"),
            "export/chats/chat_1/photos/a.jpg"
        );
        assert_eq!(path_from("", "photos/a.jpg"), "photos/a.jpg");
        assert_eq!(path_from("a", "../../../etc/x"), "etc/x");
        assert_eq!(without_bot("Ana via @gif"), "Ana");
        assert_eq!(
            without_bot("Ana via @gif and more"),
            "Ana via @gif and more"
        );
        let by = |page: &str| Node::read(page.as_bytes()).nodes().next().and_then(reactor);
        assert_eq!(
            by("<i title='Reis, Ana, 01.06.2024 10:00:00'>").as_deref(),
            Some("Reis, Ana")
        );
        assert_eq!(by("<i title='Bob'>").as_deref(), Some("Bob"));
        assert_eq!(by("<i>"), None);
    }

    #[test]
    fn printed_times_have_an_offset_or_none() {
        let local = NaiveDateTime::parse_from_str("2023-08-23 13:11:23", "%Y-%m-%d %H:%M:%S");
        let local = local.unwrap().and_utc().timestamp_micros();
        assert_eq!(
            when("23.08.2023 13:11:23 UTC-08:00"),
            Some((local, Some(-28_800)))
        );
        assert_eq!(
            when("23.08.2023 13:11:23 UTC+05:30"),
            Some((local, Some(19_800)))
        );
        assert_eq!(when("23.08.2023 13:11:23"), Some((local, None)));
        assert_eq!(when("23 August 2023"), None);
    }
}
