//! Google Chat, as Takeout gives it: for each conversation a folder with `group_info.json`,
//! `messages.json` and the files.
//!
//! What it does not tell: words before an edit, the words of deleted messages. Its times are sentences in
//! the language of the account, in UTC: see [`date`].

mod date;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::{App, ConversationKind, IdScope, Kind, NoteKind, Precision, Presence};
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::beside::{Folder, folder_of, place_of};
use crate::ingest::container::{Container, Entry};
use crate::ingest::detect::Found;
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, Step, read_record, scan};
use crate::ingest::message::{ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use crate::ingest::teller::{Slip, Teller};

const SHAPE: Shape = Shape {
    records: &[&["messages", "*"]],
    members: &[],
};
/// What tells about a conversation: all of it is members, its bytes are frames.
const GROUP: Shape = Shape {
    records: &[],
    members: &[&["name"], &["members"]],
};
/// The file that tells about a conversation.
const GROUP_FILE: &str = "group_info.json";
/// Bytes of a file that are looked at to tell what it is.
const HEAD_BYTES: usize = 64 * 1024;
/// A file name on disk shorter than this is not taken for a longer one that was cut; characters.
const CUT_NAME_MIN: usize = 20;

/// The reader of Google Chat in Takeout.
#[derive(Clone, Copy, Debug)]
pub struct GoogleChat;

impl Format for GoogleChat {
    fn name(&self) -> &'static str {
        "googlechat"
    }

    /// By the members of a message that no other format has together.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let placed = has("\"topic_id\"") || has("\"message_id\"");
        match has("\"messages\"") && has("\"creator\"") && has("\"created_date\"") && placed {
            true => Claim::Yes(4),
            false => Claim::No,
        }
    }

    /// All conversations of a download, what tells about them, and what tells about the account.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for download in downloads(container.entries()) {
            let mut sure = false;
            for messages in download.chats.keys() {
                let entry = container.entries()[*messages as usize].clone();
                let head = container.head(*messages, HEAD_BYTES).unwrap_or_default();
                sure = sure || self.claim(&entry, &head) != Claim::No;
            }
            if let (Some(main), true) = (download.main(), sure) {
                found.push(Found::gathered(self.name(), main, download.parts()));
            }
        }
        Ok(found)
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        _answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entries = container.entries().to_vec();
        let mut all = downloads(&entries).into_iter();
        let download = all.find(|one| one.main() == Some(main));
        // Messages that came alone are a conversation about which nothing is told.
        let download = download.unwrap_or_else(|| Download {
            chats: BTreeMap::from([(main, None)]),
            others: Vec::new(),
        });
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entries[main as usize], sink),
            group: Group::default(),
            folder: String::new(),
            files: BTreeMap::new(),
        };
        let mut files: BTreeMap<Folder<'_>, BTreeMap<String, u32>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.refused.is_none()) {
            let beside = files.entry(place_of(entry));
            let name = entry.file_name().to_owned();
            beside.or_default().insert(name, entry.ordinal);
        }
        for other in download.others {
            reading.about(container, &entries[other as usize])?;
        }
        for (messages, group) in download.chats {
            let entry = &entries[messages as usize];
            let folder = folder_of(&entry.name);
            reading.folder = folder.rsplit('/').next().unwrap_or_default().to_owned();
            reading.files = files.remove(&place_of(entry)).unwrap_or_default();
            reading.group = Group::default();
            if let Some(group) = group {
                reading.about(container, &entries[group as usize])?;
            }
            reading.chat(container, entry)?;
        }
        Ok(reading.teller.done())
    }
}

/// The entries of one download.
#[derive(Debug, Default)]
struct Download {
    /// Messages, and what tells about their conversation.
    chats: BTreeMap<u32, Option<u32>>,
    /// What tells about the account.
    others: Vec<u32>,
}

impl Download {
    /// The entry that stands for it.
    fn main(&self) -> Option<u32> {
        self.chats.keys().next().copied()
    }

    fn parts(&self) -> Vec<u32> {
        let groups = self.chats.values().flatten();
        let all = self.chats.keys().chain(groups).chain(&self.others);
        all.copied().collect()
    }
}

/// The downloads of a container, by the names of their entries: conversations lie in `Groups`, the account
/// in `Users`; a folder that was taken out of a download has what tells about it beside its messages.
fn downloads(entries: &[Entry]) -> Vec<Download> {
    let entries = entries.iter().filter(|entry| entry.refused.is_none());
    let groups = entries.clone().filter(|one| one.file_name() == GROUP_FILE);
    let groups: BTreeMap<Folder<'_>, u32> =
        groups.map(|one| (place_of(one), one.ordinal)).collect();
    let mut downloads: BTreeMap<Folder<'_>, Download> = BTreeMap::new();
    for entry in entries {
        let folder = folder_of(&entry.name);
        let (above, _) = folder.rsplit_once('/').unwrap_or_default();
        let inside = |among: &str| {
            let root = above.strip_suffix(among)?;
            (root.is_empty() || root.ends_with('/')).then_some(root)
        };
        match entry.file_name() {
            "messages.json" => {
                let group = groups.get(&place_of(entry)).copied();
                if let Some(root) = inside("Groups").or(group.map(|_| above)) {
                    let download = downloads.entry((entry.parent, root)).or_default();
                    download.chats.insert(entry.ordinal, group);
                }
            }
            "user_info.json" => {
                if let Some(root) = inside("Users") {
                    let download = downloads.entry((entry.parent, root)).or_default();
                    download.others.push(entry.ordinal);
                }
            }
            _ => {}
        }
    }
    downloads.into_values().collect()
}

#[derive(Debug, Default)]
struct Group {
    name: Option<String>,
    members: Vec<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    name: Option<String>,
    email: Option<String>,
}

impl Person {
    fn shown(&self) -> Option<&str> {
        let names = [&self.name, &self.email].map(Option::as_deref);
        names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

/// A message; what is not read stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Record {
    creator: Option<Person>,
    created_date: Option<String>,
    updated_date: Option<String>,
    text: Option<String>,
    message_id: Option<String>,
    attached_files: Option<Vec<File>>,
    annotations: Option<Vec<Annotation>>,
    quoted_message_metadata: Option<Quoted>,
    message_state: Option<String>,
    deletion_metadata: Option<serde_json::Value>,
    reactions: Option<Vec<Reaction>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct File {
    original_name: Option<String>,
    export_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Annotation {
    user_mention_metadata: Option<Mention>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Mention {
    user: Option<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Quoted {
    message_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reaction {
    emoji: Emoji,
    reactor_emails: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Emoji {
    unicode: Option<String>,
}

impl Record {
    fn is_deleted(&self) -> bool {
        self.message_state.as_deref() == Some("DELETED") || self.deletion_metadata.is_some()
    }

    fn kind(&self) -> Kind {
        let wordless = self.text.as_deref().unwrap_or_default().is_empty();
        match () {
            () if wordless && self.is_deleted() => Kind::Deleted,
            () if wordless && self.attached_files.iter().flatten().count() > 0 => Kind::Media,
            () => Kind::Text,
        }
    }

    /// The message that begins its topic, where that is another one: ids are conversation, topic and
    /// message, and the first message of a topic goes by its name.
    fn thread(&self) -> Option<String> {
        let (rest, message) = self.message_id.as_deref()?.rsplit_once('/')?;
        let (_, topic) = rest.rsplit_once('/')?;
        (topic != message).then(|| format!("{rest}/{topic}"))
    }

    /// Reactions, by the names of those who gave them as far as the members are told.
    fn reactions<'r>(&'r self, members: &'r [Person]) -> Vec<ParsedReaction<'r>> {
        let name = |email: &'r String| {
            let mut known = members.iter();
            let known = known.find(|one| one.email.as_ref() == Some(email));
            let name = known.and_then(Person::shown).unwrap_or(email);
            Cow::Borrowed(name)
        };
        let parsed = self.reactions.iter().flatten().map(|reaction| {
            let by: Vec<Cow<'_, str>> =
                reaction.reactor_emails.iter().flatten().map(name).collect();
            ParsedReaction {
                value: Cow::Borrowed(reaction.emoji.unicode.as_deref().unwrap_or_default()),
                count: by.len() as u32,
                by,
            }
        });
        parsed.collect()
    }

    fn mentions(&self) -> Vec<ParsedPerson<'_>> {
        let marked = self.annotations.iter().flatten();
        let people = marked.filter_map(|one| one.user_mention_metadata.as_ref()?.user.as_ref());
        let named = people.filter_map(|person| {
            let handle = person.email.as_deref();
            person.shown().map(|label| ParsedPerson { label, handle })
        });
        named.collect()
    }
}

/// The file of a name, as it lies on the disk: a long name was cut, and is the one that begins so.
fn file_named(files: &BTreeMap<String, u32>, name: &str) -> Option<u32> {
    if let Some(entry) = files.get(name) {
        return Some(*entry);
    }
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut cut = files.iter().filter(|(path, _)| {
        let (short, own) = path.rsplit_once('.').unwrap_or((path, ""));
        own == kind && short.chars().count() >= CUT_NAME_MIN && stem.starts_with(short)
    });
    let (_, entry) = cut.next()?;
    cut.next().is_none().then_some(*entry)
}

/// An import under way.
struct Reading<'s> {
    teller: Teller<'s>,
    group: Group,
    folder: String,
    files: BTreeMap<String, u32>,
}

impl Reading<'_> {
    /// Reads what tells about a conversation or the account: its bytes are frames.
    fn about(&mut self, container: &mut Container<'_>, entry: &Entry) -> Result<()> {
        self.teller.turn_to(entry);
        container.read(entry.ordinal, |bytes| {
            let ending = scan(bytes, &GROUP, &mut |part| self.group_part(part))?;
            self.teller.ending(ending)
        })
    }

    fn group_part(&mut self, part: Part<'_>) -> Result<()> {
        if let Part::Member { raw, path } = part {
            match path.last() {
                Some(Step::Key(name)) if name == "name" => {
                    self.group.name = read_record(raw).ok().and_then(|(name, _)| name);
                }
                _ => {
                    let members = read_record::<Vec<Person>>(raw);
                    self.group.members = members.map(|(members, _)| members).unwrap_or_default();
                }
            }
        }
        self.teller.besides(part).map(|_| ())
    }

    fn chat(&mut self, container: &mut Container<'_>, entry: &Entry) -> Result<()> {
        self.teller.turn_to(entry);
        container.read(entry.ordinal, |bytes| {
            let ending = scan(
                bytes,
                &SHAPE,
                &mut |part| match self.teller.besides(part)? {
                    Some(slip) => self.record(&slip),
                    None => Ok(()),
                },
            )?;
            self.teller.ending(ending)
        })
    }

    fn kind(&self) -> ConversationKind {
        match self.folder.split_once(' ') {
            Some(("DM", _)) if self.group.members.len() > 2 => ConversationKind::Group,
            Some(("DM", _)) => ConversationKind::Direct,
            Some(("Space", _)) => ConversationKind::Group,
            _ => ConversationKind::Unknown,
        }
    }

    fn title(&self) -> String {
        let named = self.group.name.clone().filter(|name| !name.is_empty());
        let members: Vec<&str> = self
            .group
            .members
            .iter()
            .filter_map(Person::shown)
            .collect();
        match (named, members.is_empty()) {
            (Some(name), _) => name,
            (None, false) => members.join(", "),
            (None, true) => self.folder.clone(),
        }
    }

    /// The conversation goes by the id in its folder's name, which its messages carry as well.
    fn key(&self, record: &Record) -> String {
        let id = record
            .message_id
            .as_deref()
            .and_then(|id| id.split_once('/'));
        let folder = self.folder.rsplit(' ').next().unwrap_or_default();
        match id {
            _ if !folder.is_empty() => folder.to_owned(),
            Some((conversation, _)) => conversation.to_owned(),
            None => "a conversation without a name".to_owned(),
        }
    }

    fn record(&mut self, slip: &Slip<'_>) -> Result<()> {
        let Some(record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        let sent = record.created_date.as_deref().and_then(date::instant);
        if sent.is_none() {
            let reason = match &record.created_date {
                Some(date) => format!("the time {date:?} cannot be read; placed by order"),
                None => "this message has no time; placed by order".to_owned(),
            };
            self.teller
                .note(NoteKind::Assumption, slip.span(), &reason)?;
        }
        let named = record.attached_files.iter().flatten();
        let attachments: Vec<ParsedAttachment<'_>> = named
            .map(|file| {
                let export = file.export_name.as_deref().unwrap_or_default();
                ParsedAttachment {
                    name: Cow::Borrowed(file.original_name.as_deref().unwrap_or(export)),
                    entry: file_named(&self.files, export),
                }
            })
            .collect();
        self.teller.missing(&attachments, slip.span())?;
        let facts = [
            (record.is_deleted(), Presence::DELETED),
            (record.quoted_message_metadata.is_some(), Presence::QUOTE),
            (sent.is_none(), Presence::TIME_ASSUMED),
        ];
        let creator = record.creator.as_ref();
        let thread = record.thread();
        let quoted = record.quoted_message_metadata.as_ref();
        let quoted = quoted.and_then(|quoted| quoted.message_id.as_deref());
        let id = record.message_id.as_deref();
        self.teller.message(&ParsedMessage {
            conversation_key: &self.key(&record),
            conversation_title: &self.title(),
            conversation_kind: self.kind(),
            app: App::GoogleChat,
            sender_label: creator.and_then(Person::shown),
            sender_handle: creator.and_then(|creator| creator.email.as_deref()),
            body: record.text.as_deref().unwrap_or_default(),
            kind: record.kind(),
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Second),
            source_id: id,
            id_scope: id.map(|_| IdScope::Global),
            reply_to: quoted.or(thread.as_deref()),
            thread: thread.as_deref(),
            edited: record.updated_date.as_deref().and_then(date::instant),
            reactions: &record.reactions(&self.group.members),
            mentions: &record.mentions(),
            attachments: &attachments,
            presence: Presence::of(facts),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}
