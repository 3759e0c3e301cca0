//! Messenger and Instagram, as "Download your information" gives them in JSON: a folder for each thread
//! with `message_1.json` (the newest) and following; and the other file that end-to-end encrypted chats
//! come in.
//!
//! What a file does not tell: ids of messages, edits, answers. Every text is UTF-8 that was taken for
//! Latin-1 before it was written, except in the encrypted chats: see [`repaired`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{App, ConversationKind, Kind, NoteKind, Precision, Presence, Timestamp};

use super::answers::{Answers, Outcome};
use super::beside::{folder_of, gathered, parted, parts_of};
use super::container::{Container, Entry};
use super::detect::Found;
use super::error::Result;
use super::format::{Claim, Format};
use super::json::{Part, Shape, Step, Text, read_record, scan};
use super::message::{ParsedAttachment, ParsedMessage, ParsedReaction, Sink};
use super::teller::{Slip, Teller};

const SHAPE: Shape = Shape {
    records: &[&["messages", "*"]],
    members: &[
        &["participants"],
        &["title"],
        &["thread_path"],
        &["threadName"],
    ],
};

/// The reader of Messenger's and Instagram's downloads.
#[derive(Clone, Copy, Debug)]
pub struct Messenger;

impl Format for Messenger {
    fn name(&self) -> &'static str {
        "messenger"
    }

    /// By the members of a message that no other format has together.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let plain = has("\"sender_name\"") && has("\"timestamp_ms\"");
        let encrypted = has("\"senderName\"") && has("\"isUnsent\"");
        match has("\"messages\"") && (plain || encrypted) {
            true => Claim::Yes(3),
            false => Claim::No,
        }
    }

    /// The files of one thread are one chat.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let threads = threads(container.entries());
        Ok(gathered(self, container, threads))
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        _answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let threads = threads(container.entries());
        let files = parts_of(self, container, threads, main);
        let about = container.read(main, |bytes| {
            let mut about = About::default();
            scan(bytes, &SHAPE, &mut |part| {
                about.take(part);
                Ok(())
            })?;
            Ok(about)
        })?;
        let mut reading = Reading {
            chat: about.chat(&entry),
            teller: Teller::new(self.name(), &entry, sink),
            media: Media::of(container),
            mangled: !about.encrypted,
        };
        reading.assumptions(&entry, &about)?;
        for ordinal in files {
            reading
                .teller
                .turn_to(&container.entries()[ordinal as usize]);
            let read = container.read(ordinal, |bytes| {
                let ending = scan(
                    bytes,
                    &SHAPE,
                    &mut |part| match reading.teller.besides(part)? {
                        Some(slip) => reading.record(&slip),
                        None => Ok(()),
                    },
                )?;
                reading.teller.ending(ending)
            });
            reading.teller.part(read)?;
        }
        Ok(reading.teller.done())
    }
}

/// The files `message_N.json` of each folder, by their numbers.
fn threads(entries: &[Entry]) -> Vec<Vec<u32>> {
    parted(entries, |name| {
        let number = name.strip_prefix("message_")?.strip_suffix(".json")?;
        Some((String::new(), number.parse().ok()?))
    })
}

/// The text that was written, where its UTF-8 was taken for Latin-1; any other text as it is.
///
/// Decoded once: a text whose letters all lie below U+0100 and whose bytes are UTF-8 was mangled.
pub(super) fn repaired(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let bytes: Option<Vec<u8>> = text.chars().map(|one| u8::try_from(one).ok()).collect();
    match bytes.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(repaired) => Cow::Owned(repaired),
        None => Cow::Borrowed(text),
    }
}

/// What stands about the thread, and who writes in it.
#[derive(Debug, Default)]
struct About {
    people: Vec<String>,
    title: Option<String>,
    path: Option<String>,
    encrypted: bool,
    writers: std::collections::BTreeSet<String>,
}

/// Somebody in the list of participants.
#[derive(Deserialize)]
#[serde(untagged)]
enum Participant {
    Named { name: String },
    Name(String),
}

impl About {
    fn take(&mut self, part: Part<'_>) {
        let (raw, path) = match part {
            Part::Member { raw, path } => (raw, path),
            Part::Record { raw, .. } => {
                let name = read_record::<Record>(raw)
                    .ok()
                    .and_then(|(record, _)| record.sender);
                self.writers
                    .extend(name.map(|name| repaired(&name).into_owned()));
                return;
            }
            _ => return,
        };
        let Some(Step::Key(name)) = path.last() else {
            return;
        };
        if name == "participants" {
            let people = read_record::<Vec<Participant>>(raw).map(|(people, _)| people);
            let name = |one| match one {
                Participant::Named { name } | Participant::Name(name) => name,
            };
            self.people = people.unwrap_or_default().into_iter().map(name).collect();
            return;
        }
        let Ok((Text(value), _)) = read_record::<Text>(raw) else {
            return;
        };
        match name.as_str() {
            "title" => self.title = Some(repaired(&value).into_owned()),
            "threadName" => {
                self.encrypted = true;
                self.path = Some(value);
            }
            _ => self.path = Some(repaired(&value).into_owned()),
        }
    }

    /// The thread goes by the last part of its path, which it keeps when it is moved to the archive; else
    /// by the folder of its file; else by who writes in it.
    fn chat(&self, entry: &Entry) -> Chat {
        let last = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        let own = self
            .path
            .as_deref()
            .map(last)
            .filter(|path| !path.is_empty());
        let numbered = entry.file_name().starts_with("message_");
        let folder = Some(last(folder_of(&entry.name))).filter(|path| numbered && !path.is_empty());
        let writers: Vec<&str> = self.writers.iter().map(String::as_str).collect();
        let between = || format!("between {}", writers.join(", "));
        let title = self.title.clone().filter(|title| !title.is_empty());
        let title = title.or_else(|| self.path.clone().filter(|_| self.encrypted));
        let lower = entry.name.to_lowercase();
        Chat {
            title: title.unwrap_or_else(|| writers.join(", ")),
            key: own.or(folder).unwrap_or_else(between),
            kind: match self.people.len() {
                0 | 1 => ConversationKind::Unknown,
                2 => ConversationKind::Direct,
                _ => ConversationKind::Group,
            },
            app: match lower.contains("instagram") {
                true => App::Instagram,
                false => App::Messenger,
            },
        }
    }
}

struct Chat {
    key: String,
    title: String,
    kind: ConversationKind,
    app: App,
}

/// A message of either kind of file; what is not read stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    #[serde(alias = "sender_name", alias = "senderName")]
    sender: Option<String>,
    #[serde(alias = "timestamp_ms")]
    timestamp: Option<i64>,
    #[serde(alias = "text")]
    content: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    photos: Option<Vec<File>>,
    videos: Option<Vec<File>>,
    audio_files: Option<Vec<File>>,
    gifs: Option<Vec<File>>,
    files: Option<Vec<File>>,
    media: Option<Vec<File>>,
    sticker: Option<File>,
    share: Option<Share>,
    reactions: Option<Vec<Reaction>>,
    call_duration: Option<i64>,
    missed: Option<bool>,
    #[serde(alias = "isUnsent")]
    is_unsent: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Share {
    link: Option<String>,
    share_text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    reaction: String,
    actor: Option<String>,
}

impl Record {
    /// Every text as it was written.
    fn repair(&mut self) {
        let lists = [
            &mut self.photos,
            &mut self.videos,
            &mut self.audio_files,
            &mut self.gifs,
            &mut self.files,
            &mut self.media,
        ];
        let files = lists
            .into_iter()
            .flatten()
            .flatten()
            .chain(&mut self.sticker);
        let uris = files.map(|file| &mut file.uri);
        let share = self.share.iter_mut();
        let shared = share.flat_map(|share| [&mut share.link, &mut share.share_text]);
        let own = [&mut self.sender, &mut self.content].into_iter();
        for text in own.chain(uris).chain(shared).flatten() {
            *text = repaired(text).into_owned();
        }
        for reaction in self.reactions.iter_mut().flatten() {
            reaction.reaction = repaired(&reaction.reaction).into_owned();
            if let Some(actor) = &mut reaction.actor {
                *actor = repaired(actor).into_owned();
            }
        }
    }

    /// The words, and what was shared with them unless they hold it.
    fn body(&self) -> String {
        let mut body = self.content.clone().unwrap_or_default();
        let shared = self
            .share
            .iter()
            .flat_map(|share| [&share.share_text, &share.link]);
        for text in shared.flatten().filter(|text| !text.is_empty()) {
            if !body.contains(text.as_str()) {
                body += if body.is_empty() { "" } else { "\n" };
                body += text;
            }
        }
        body
    }

    fn files(&self) -> impl Iterator<Item = (&File, Presence)> {
        let lists = [
            (&self.photos, Presence::IMAGE),
            (&self.videos, Presence::VIDEO),
            (&self.audio_files, Presence::AUDIO),
            (&self.gifs, Presence::IMAGE),
            (&self.files, Presence::FILE),
            (&self.media, Presence::ATTACHMENT),
        ];
        let all = lists.into_iter().flat_map(|(list, fact)| {
            let files = list.iter().flatten();
            files.map(move |file| (file, fact))
        });
        all.chain(self.sticker.iter().map(|file| (file, Presence::IMAGE)))
    }

    fn kind(&self, body: &str) -> Kind {
        let unsent = self.is_unsent == Some(true) && body.is_empty();
        match self.form.as_deref() {
            _ if self.call_duration.is_some() || self.missed.is_some() => Kind::Call,
            Some("Call") => Kind::Call,
            Some("Subscribe" | "Unsubscribe") => Kind::SystemMembership,
            _ if unsent && self.files().next().is_none() => Kind::Deleted,
            _ if body.is_empty() && self.files().next().is_some() => Kind::Media,
            _ => Kind::Text,
        }
    }

    fn presence(&self, kind: Kind) -> Presence {
        let facts = [
            (self.is_unsent == Some(true), Presence::DELETED),
            (kind.is_system(), Presence::SYSTEM),
            (self.timestamp.is_none(), Presence::TIME_ASSUMED),
        ];
        let facts = facts
            .into_iter()
            .filter(|(is, _)| *is)
            .map(|(_, fact)| fact);
        let files = self.files().map(|(_, fact)| fact);
        facts.chain(files).fold(Presence::default(), Presence::with)
    }

    /// One for each sign, with everybody who gave it.
    fn reactions(&self) -> Vec<ParsedReaction<'_>> {
        let given = self.reactions.iter().flatten();
        let given = given.map(|one| (one.reaction.as_str(), one.actor.as_deref()));
        ParsedReaction::gathered(given)
    }
}

/// The other files of the container, by the last part of their names.
struct Media(BTreeMap<String, Vec<(String, u32)>>);

impl Media {
    fn of(container: &Container<'_>) -> Media {
        let mut media: BTreeMap<String, Vec<(String, u32)>> = BTreeMap::new();
        for entry in container.entries() {
            if entry.refused.is_none() {
                let place = (entry.name.clone(), entry.ordinal);
                media
                    .entry(entry.file_name().to_owned())
                    .or_default()
                    .push(place);
            }
        }
        Media(media)
    }

    /// The file of a path, which begins at a root that the download may have left: the one that shares
    /// most of the path, the folder at least.
    fn find(&self, uri: &str) -> Option<u32> {
        let shared = |name: &str| {
            let steps = name.rsplit('/').zip(uri.rsplit('/'));
            steps.take_while(|(one, other)| one == other).count()
        };
        let named = self.0.get(uri.rsplit('/').next()?)?;
        let best = named.iter().max_by_key(|(name, _)| shared(name))?;
        let wanted = 2.min(uri.split('/').count());
        (shared(&best.0) >= wanted).then_some(best.1)
    }
}

/// An import under way.
struct Reading<'s> {
    teller: Teller<'s>,
    chat: Chat,
    media: Media,
    mangled: bool,
}

impl Reading<'_> {
    /// What had to be assumed about the thread as a whole.
    fn assumptions(&mut self, entry: &Entry, about: &About) -> Result<()> {
        let lower = entry.name.to_lowercase();
        if !["instagram", "facebook", "messenger"]
            .iter()
            .any(|name| lower.contains(name))
        {
            let reason = "nothing in the name of this file says whether it is from Messenger or from \
                          Instagram; it is taken for Messenger";
            self.teller.note(NoteKind::Assumption, (0, 0), reason)?;
        }
        if about.path.is_none() {
            let reason = format!(
                "this file does not say which thread it is; it goes by {:?}",
                self.chat.key
            );
            self.teller.note(NoteKind::Assumption, (0, 0), &reason)?;
        }
        Ok(())
    }

    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(mut record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        if self.mangled {
            record.repair();
        }
        let body = record.body();
        let kind = record.kind(&body);
        let uris = record.files().filter_map(|(file, _)| file.uri.as_deref());
        let attachments: Vec<ParsedAttachment<'_>> = uris
            .map(|uri| ParsedAttachment {
                name: Cow::Borrowed(uri.rsplit('/').next().unwrap_or(uri)),
                entry: self.media.find(uri),
            })
            .collect();
        self.teller.missing(&attachments, slip.span())?;
        let sent = record.timestamp.map(Timestamp::from_millis);
        self.teller.message(&ParsedMessage {
            conversation_key: &self.chat.key,
            conversation_title: &self.chat.title,
            conversation_kind: self.chat.kind,
            app: self.chat.app,
            sender_label: record.sender.as_deref(),
            body: &body,
            kind,
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Milli),
            reactions: &record.reactions(),
            attachments: &attachments,
            presence: record.presence(kind),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mangled(text: &str) -> String {
        text.bytes().map(char::from).collect()
    }

    #[test]
    fn texts_that_were_not_mangled_stay() {
        for text in ["", "plain", "é", "naïve 日本", "\u{ff}\u{fe}"] {
            assert_eq!(repaired(text), text);
        }
        assert_eq!(repaired("JoÃ£o ð\u{9f}\u{91}\u{8d}"), "João 👍");
    }

    proptest! {
        /// Acceptance 12 of the description of the formats.
        #[test]
        fn c12_what_was_mangled_is_repaired_and_nothing_above_latin_1_is_touched(
            text in any::<String>(), high in 0x100u32..0x2000,
        ) {
            let repaired_text = repaired(&mangled(&text)).into_owned();
            prop_assert_eq!(&repaired_text, &text);
            let high = char::from_u32(high).unwrap_or('\u{100}');
            let other = format!("{}{high}", mangled(&text));
            let kept = repaired(&other).into_owned();
            prop_assert_eq!(kept, other);
        }
    }
}
