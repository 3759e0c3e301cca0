//! The workspace as a whole: its lists, then the days of each conversation.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use crate::crypto::sha256;
use crate::domain::{App, IdScope, NoteKind, Precision};
use crate::ingest::answers::{Answers, Outcome};
use crate::ingest::container::{Container, Entry};
use crate::ingest::detect::Found;
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, read_record, scan};
use crate::ingest::message::{ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use crate::ingest::teller::{Slip, Teller};

use super::people::{Chat, Directory, Listed, User};
use super::plan::{Day, Workspace, workspaces};
use super::record::Record;
use super::words;

/// Lists at the root and the messages of a day: lists of records.
const SHAPE: Shape = Shape {
    records: &[&["*"]],
    members: &[],
};
/// Files of days whose beginning is looked at to tell a workspace from folders that are named like one.
const DAYS_LOOKED_AT: usize = 8;
/// Bytes of them.
const HEAD_BYTES: usize = 64 * 1024;

/// The reader of Slack's exports.
#[derive(Clone, Copy, Debug)]
pub struct Slack;

impl Format for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    /// One entry alone is no workspace: those are gathered.
    fn claim(&self, _entry: &Entry, _head: &[u8]) -> Claim {
        Claim::No
    }

    /// By the names of its entries, and by the instants in the files of days.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for workspace in workspaces(container.entries()) {
            let mut days = workspace.days.iter().take(DAYS_LOOKED_AT);
            let has_instants = days.any(|day| {
                let head = container.head(day.entry, HEAD_BYTES).unwrap_or_default();
                memchr::memmem::find(&head, b"\"ts\"").is_some()
            });
            if let (Some(main), true) = (workspace.main(), has_instants) {
                found.push(Found::gathered(self.name(), main, workspace.parts()));
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
        let entry = container.entries()[main as usize].clone();
        let all = workspaces(container.entries());
        let workspace = all.into_iter().find(|one| one.main() == Some(main));
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            directory: Directory::default(),
            workspace: workspace.unwrap_or_default(),
            seen: HashMap::new(),
        };
        reading.lists(container)?;
        for (_, days) in reading.conversations() {
            reading.seen.clear();
            reading.conversation(container, &days)?;
        }
        Ok(reading.teller.done())
    }
}

/// An import under way.
struct Reading<'s> {
    teller: Teller<'s>,
    directory: Directory,
    workspace: Workspace,
    /// Messages of the conversation so far: what the words of each id were, hashed.
    seen: HashMap<String, [u8; 32]>,
}

impl Reading<'_> {
    /// Reads the lists; their bytes are frames.
    fn lists(&mut self, container: &mut Container<'_>) -> Result<()> {
        for (list, ordinal) in self.workspace.lists.clone() {
            self.teller.turn_to(&container.entries()[ordinal as usize]);
            let read = container.read(ordinal, |bytes| {
                let ending = scan(bytes, &SHAPE, &mut |part| match part {
                    Part::Record { raw, at, .. } => self.listed(list, raw, at),
                    other => self.teller.besides(other).map(|_| ()),
                })?;
                self.teller.ending(ending)
            });
            self.teller.part(read)?;
        }
        Ok(())
    }

    fn listed(&mut self, list: &str, raw: &[u8], at: u64) -> Result<()> {
        self.teller.frame(raw, at)?;
        let read = match list {
            "users.json" | "org_users.json" => {
                read_record::<User>(raw).map(|(user, _)| self.directory.person(&user))
            }
            "channels.json" | "groups.json" | "dms.json" | "mpims.json" => {
                let listed = read_record::<Listed>(raw);
                listed.map(|(listed, _)| self.directory.conversation(list, listed))
            }
            _ => Ok(()),
        };
        let span = (at, at + raw.len() as u64);
        match read {
            Ok(()) => Ok(()),
            Err(reason) => {
                let reason = format!("this entry of {list} cannot be read: {reason}");
                self.teller.note(NoteKind::Other, span, &reason)
            }
        }
    }

    /// The files of each conversation, in order of their dates: one that changed its name lies in two
    /// folders.
    fn conversations(&self) -> BTreeMap<String, Vec<Day>> {
        let mut conversations: BTreeMap<String, Vec<Day>> = BTreeMap::new();
        for day in &self.workspace.days {
            let key = self.directory.chat(&day.folder).key;
            conversations.entry(key).or_default().push(day.clone());
        }
        conversations
    }

    fn conversation(&mut self, container: &mut Container<'_>, days: &[Day]) -> Result<()> {
        for (place, day) in days.iter().enumerate() {
            let chat = self.directory.chat(&day.folder);
            self.teller
                .turn_to(&container.entries()[day.entry as usize]);
            if place == 0 && !chat.listed {
                let reason = format!(
                    "no list of conversations names {:?}; the name of its folder was taken",
                    day.folder
                );
                self.teller.note(NoteKind::Assumption, (0, 0), &reason)?;
            }
            let read = container.read(day.entry, |bytes| {
                let ending = scan(
                    bytes,
                    &SHAPE,
                    &mut |part| match self.teller.besides(part)? {
                        Some(slip) => self.record(&slip, &chat),
                        None => Ok(()),
                    },
                )?;
                self.teller.ending(ending)
            });
            self.teller.part(read)?;
        }
        Ok(())
    }

    fn record(&mut self, slip: &Slip<'_>, chat: &Chat) -> Result<()> {
        let span = slip.span();
        let Some(record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        let inner = record.inner();
        if let (Some(user), Some(profile)) = (&inner.user, &inner.user_profile) {
            self.directory.guest(user, profile);
        }
        let body = words::body(inner);
        let mut amends = record.amends().map(str::to_owned);
        if let (Some(id), None) = (record.id(), &amends) {
            let hash = sha256(body.as_bytes());
            match self.seen.get(id) {
                // An answer that was shown in the channel as well stands in the export twice.
                Some(known) if *known == hash => {
                    let reason = "this message stands in the export twice; it is kept once";
                    self.teller.frame(slip.raw, slip.at)?;
                    return self.teller.note(NoteKind::Other, span, reason);
                }
                Some(_) => amends = Some(id.to_owned()),
                None => {
                    self.seen.insert(id.to_owned(), hash);
                }
            }
        }
        self.message(slip, chat, &record, &body, amends.as_deref())
    }

    fn message(
        &mut self,
        slip: &Slip<'_>,
        chat: &Chat,
        record: &Record,
        body: &str,
        amends: Option<&str>,
    ) -> Result<()> {
        let inner = record.inner();
        let attachments = inner.attachments(&self.workspace.files);
        self.teller.missing(&attachments, slip.span())?;
        let author = inner.author_id();
        let sent = record.sent();
        let edited = match (record.amends(), inner.edited()) {
            (Some(_), None) => sent,
            (_, edited) => edited,
        };
        let earlier = record.all_earlier(body);
        let named = words::mentions(inner, &self.directory);
        let mentions = named.iter().map(|one| ParsedPerson {
            label: &one.label,
            handle: Some(&one.id),
        });
        let id = record.id().filter(|_| amends.is_none());
        let links = [id, inner.reply_to(), inner.thread(), amends];
        self.teller.message(&ParsedMessage {
            conversation_key: &chat.key,
            conversation_title: &chat.title,
            conversation_kind: chat.kind,
            app: App::Slack,
            sender_label: inner.label(&self.directory),
            sender_handle: author,
            body,
            kind: inner.kind(),
            sent,
            precision: sent.map_or(Precision::None, |_| Precision::Micro),
            source_id: id,
            id_scope: links.iter().any(Option::is_some).then_some(IdScope::Chat),
            reply_to: inner.reply_to(),
            thread: inner.thread(),
            amends,
            earlier: &earlier,
            edited,
            reactions: &reactions(inner, &self.directory),
            mentions: &mentions.collect::<Vec<_>>(),
            attachments: &attachments,
            presence: inner.presence(),
            raw: slip.raw,
            span: slip.span(),
            ..ParsedMessage::BARE
        })
    }
}

/// Reactions with the names of who gave them; the export may name fewer than it counts.
fn reactions<'r>(record: &'r Record, directory: &'r Directory) -> Vec<ParsedReaction<'r>> {
    let reactions = record.reactions.iter().flatten();
    let parsed = reactions.map(|reaction| {
        let users = reaction.users.iter().flatten();
        let by = users.map(|id| Cow::Borrowed(directory.name(id).unwrap_or(id)));
        let by: Vec<Cow<'_, str>> = by.collect();
        ParsedReaction {
            value: Cow::Borrowed(reaction.name.as_deref().unwrap_or_default()),
            count: reaction.count.max(by.len() as u32),
            by,
        }
    });
    parsed.collect()
}
