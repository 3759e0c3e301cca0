//! The download as a whole: what tells about conversations, then their messages.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::{App, ConversationKind, IdScope, NoteKind, Precision, Presence};
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::beside::{Folder, folder_of, place_of};
use crate::ingest::container::{Container, Entry};
use crate::ingest::detect::Found;
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, Step, read_record, scan};
use crate::ingest::message::{ParsedAttachment, ParsedMessage, Sink};
use crate::ingest::teller::{Slip, Teller};

use super::date;
use super::download::{Download, downloads};
use super::record::{Person, Record, file_named};

const SHAPE: Shape = Shape {
    records: &[&["messages", "*"]],
    members: &[],
};
/// What tells about a conversation: all of it is members, its bytes are frames.
const GROUP: Shape = Shape {
    records: &[],
    members: &[&["name"], &["members"]],
};
/// Bytes of a file that are looked at to tell what it is.
const HEAD_BYTES: usize = 64 * 1024;

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

#[derive(Debug, Default)]
struct Group {
    name: Option<String>,
    members: Vec<Person>,
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
        let read = container.read(entry.ordinal, |bytes| {
            let ending = scan(bytes, &GROUP, &mut |part| self.group_part(part))?;
            self.teller.ending(ending)
        });
        self.teller.part(read)
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
        let read = container.read(entry.ordinal, |bytes| {
            let ending = scan(
                bytes,
                &SHAPE,
                &mut |part| match self.teller.besides(part)? {
                    Some(slip) => self.record(&slip),
                    None => Ok(()),
                },
            )?;
            self.teller.ending(ending)
        });
        self.teller.part(read)
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
        let named = ["DM ", "Space "];
        let folder = named.iter().find_map(|kind| self.folder.strip_prefix(kind));
        match (folder, id) {
            (Some(folder), _) => folder.to_owned(),
            (None, Some((conversation, _))) => conversation.to_owned(),
            (None, None) => format!("a conversation in the folder {:?}", self.folder),
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
