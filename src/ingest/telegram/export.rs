//! The export as a whole: what stands about its chats, then their messages.

use crate::domain::{ConversationKind, IdScope, NoteKind, Presence, Timestamp, ZoneSource};
use crate::ingest::answers::{Answers, Outcome, Question, QuestionKind};
use crate::ingest::beside::files_beside;
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::json::{Part, Shape, Step, Text, read_record, scan};
use crate::ingest::message::{ParsedMessage, Sink};
use crate::ingest::teller::{Slip, Teller};
use crate::ingest::zone::LocalClock;

use std::collections::{BTreeMap, BTreeSet};

use super::record::Record;
use super::words;

const SHAPE: Shape = Shape {
    records: &[
        &["messages", "*"],
        &["chats", "list", "*", "messages", "*"],
        &["left_chats", "list", "*", "messages", "*"],
    ],
    members: &[
        &["name"],
        &["type"],
        &["id"],
        &["personal_information", "user_id"],
        &["chats", "list", "*", "name"],
        &["chats", "list", "*", "type"],
        &["chats", "list", "*", "id"],
        &["left_chats", "list", "*", "name"],
        &["left_chats", "list", "*", "type"],
        &["left_chats", "list", "*", "id"],
    ],
};

/// The reader of Telegram Desktop's JSON export.
#[derive(Clone, Copy, Debug)]
pub struct Telegram;

impl Format for Telegram {
    fn name(&self) -> &'static str {
        "telegram"
    }

    /// By what stands in every message of it and in no other format: a list of messages whose type is
    /// `message` or `service`, with `from` or `actor`, `text` and a date of Telegram's two names.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let has = |word: &str| memchr::memmem::find(head, word.as_bytes()).is_some();
        let opens = head
            .iter()
            .find(|byte| !byte.is_ascii_whitespace() && !matches!(byte, 0xEF | 0xBB | 0xBF));
        let lists = has("\"messages\"") && opens == Some(&b'{');
        let typed = has("\"message\"") || has("\"service\"");
        let dated = has("\"date_unixtime\"") || (has("\"date\"") && has("\"from_id\""));
        match lists && typed && dated && has("\"text\"") {
            true => Claim::Yes(2),
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
        let learned = container.read(main, |bytes| {
            let mut learned = Learned::default();
            scan(bytes, &SHAPE, &mut |part| {
                learned.take(part);
                Ok(())
            })?;
            Ok(learned)
        })?;
        let clock = match (learned.local, &answers.zone) {
            (0, _) => None,
            (_, Some(zone)) => LocalClock::new(&zone.name).map(|clock| (clock, zone.clone())),
            _ => None,
        };
        if learned.local > 0 && clock.is_none() {
            return Ok(Outcome::Ask(vec![zone_question(&entry, learned.local)]));
        }
        let files = files_beside(container, &entry);
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            chats: learned.chats(),
            clock,
            files,
        };
        if let Some((_, zone)) = &reading.clock {
            reading.teller.summary.zone = Some(zone.clone());
        }
        container.read(main, |bytes| {
            let ending = scan(bytes, &SHAPE, &mut |part| reading.take(part))?;
            reading.teller.ending(ending)
        })?;
        Ok(reading.teller.done())
    }
}

fn zone_question(entry: &Entry, messages: u64) -> Question {
    Question {
        kind: QuestionKind::Zone,
        entry: entry.display_name.clone(),
        reason: format!(
            "{messages} messages carry a local time and no instant (exports before 2021); in which \
             zone did the computer stand that exported them?"
        ),
        readings: Vec::new(),
        preselect: None,
    }
}

/// What stands about a chat outside of its messages.
#[derive(Clone, Debug, Default)]
struct Head {
    name: Option<String>,
    kind: String,
    id: Option<String>,
    /// Who writes in it, by their ids.
    authors: BTreeSet<String>,
}

/// The first reading: the chats, who writes in them, whether a zone is needed.
#[derive(Debug, Default)]
struct Learned {
    heads: BTreeMap<String, Head>,
    me: Option<String>,
    /// Messages with a local time and no instant.
    local: u64,
}

/// The chat that a path lies in; the root is the chat of a single export.
fn chat_of(path: &[Step]) -> String {
    match path {
        [Step::Key(list), _, Step::Element(number), ..] => format!("{list}/{number}"),
        _ => String::new(),
    }
}

impl Learned {
    fn take(&mut self, part: Part<'_>) {
        match part {
            Part::Member { raw, path } => self.member(raw, path),
            Part::Record { raw, path, .. } => {
                let Ok((record, _)) = read_record::<Record>(raw) else {
                    return;
                };
                self.local += u64::from(record.needs_zone());
                if let Some(author) = record.author_id() {
                    let head = self.heads.entry(chat_of(path)).or_default();
                    head.authors.insert(author);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, raw: &[u8], path: &[Step]) {
        let Ok((value, _)) = read_record::<Option<Text>>(raw) else {
            return;
        };
        let Some(Step::Key(name)) = path.last() else {
            return;
        };
        if name == "user_id" {
            self.me = value.map(|id| format!("user{}", id.0));
            return;
        }
        let head = self.heads.entry(chat_of(path)).or_default();
        match (name.as_str(), value) {
            ("name", name) => head.name = name.map(|name| name.0),
            ("type", Some(kind)) => head.kind = kind.0,
            ("id", Some(id)) => head.id = Some(id.0),
            _ => {}
        }
    }

    fn chats(self) -> BTreeMap<String, Chat> {
        let me = self.me;
        let chat = |(place, head): (String, Head)| (place, Chat::of(&head, me.as_deref()));
        self.heads.into_iter().map(chat).collect()
    }
}

/// A chat, as its messages need it.
#[derive(Clone, Debug, Default)]
struct Chat {
    key: String,
    title: String,
    kind: ConversationKind,
    /// How far message ids reach; `None` where the account is not known whose ids they are.
    scope: Option<IdScope>,
}

impl Chat {
    /// Ids of channels and supergroups are the same for everybody; those of private chats and basic
    /// groups are counted by each account of its own.
    fn of(head: &Head, me: Option<&str>) -> Chat {
        let id = head.id.clone().unwrap_or_default();
        let (kind, shared) = match head.kind.as_str() {
            "personal_chat" | "bot_chat" | "saved_messages" | "replies" => {
                (ConversationKind::Direct, false)
            }
            "private_group" => (ConversationKind::Group, false),
            "private_supergroup" | "public_supergroup" => (ConversationKind::Group, true),
            "private_channel" | "public_channel" => (ConversationKind::Channel, true),
            _ => (ConversationKind::Unknown, false),
        };
        let other = format!("user{id}");
        // In a chat of two the account is the one that is not the other.
        let guessed = match (kind, head.authors.len()) {
            (ConversationKind::Direct, 1..=2) => head.authors.iter().find(|one| **one != other),
            _ => None,
        };
        let account = me.or(guessed.map(String::as_str));
        let (key, scope) = match (shared, account) {
            _ if id.is_empty() => (String::new(), None),
            (true, _) => (format!("chat {id}"), Some(IdScope::Chat)),
            (false, Some(account)) => (format!("{account} chat {id}"), Some(IdScope::AccountChat)),
            (false, None) => (format!("chat {id} of an unknown account"), None),
        };
        let title = head
            .name
            .clone()
            .unwrap_or_else(|| match head.kind.as_str() {
                "saved_messages" => "Saved Messages".to_owned(),
                _ => "Deleted Account".to_owned(),
            });
        Chat {
            key: if key.is_empty() { title.clone() } else { key },
            title,
            kind,
            scope,
        }
    }
}

/// The second reading: records become messages.
struct Reading<'s> {
    teller: Teller<'s>,
    chats: BTreeMap<String, Chat>,
    clock: Option<(LocalClock, crate::ingest::answers::ZoneAnswer)>,
    files: BTreeMap<String, u32>,
}

impl Reading<'_> {
    fn take(&mut self, part: Part<'_>) -> Result<()> {
        let path = match part {
            Part::Record { path, .. } => path,
            _ => &[],
        };
        match self.teller.besides(part)? {
            Some(slip) => {
                let chat = self.chats.get(&chat_of(path)).cloned().unwrap_or_default();
                self.record(&slip, &chat)
            }
            None => Ok(()),
        }
    }

    fn record(&mut self, slip: &Slip<'_>, chat: &Chat) -> Result<()> {
        let Some(record) = self.teller.read::<Record>(slip)? else {
            return Ok(());
        };
        let span = slip.span();
        let words = words::read(&record);
        if words.disagree {
            let reason = "text and text_entities disagree; text_entities were taken";
            self.teller.note(NoteKind::Assumption, span, reason)?;
        }
        let attachments = record.attachments(&self.files);
        self.teller.missing(&attachments, span)?;
        let (sent, local, zone_source, doubts) = self.time_of(&record);
        let author = record.author_id();
        let label = record.author();
        let id = record.id.as_ref().filter(|_| chat.scope.is_some());
        self.teller.message(&ParsedMessage {
            conversation_key: &chat.key,
            conversation_title: &chat.title,
            conversation_kind: chat.kind,
            app: crate::domain::App::Telegram,
            sender_label: label.or(author.as_deref()),
            sender_handle: author.as_deref(),
            body: &words.body,
            kind: record.kind(),
            sent,
            local,
            precision: match sent {
                Some(_) => crate::domain::Precision::Second,
                None => crate::domain::Precision::None,
            },
            zone_source,
            source_id: id.map(|id| id.0.as_str()),
            id_scope: chat.scope.filter(|_| id.is_some()),
            reply_to: record.reply_to(),
            edited: record.edited(),
            reactions: &record.reactions(),
            mentions: &words.mentions(),
            attachments: &attachments,
            presence: record.presence().with(doubts),
            raw: slip.raw,
            span,
            ..ParsedMessage::BARE
        })
    }

    /// The instant; where only a local time is written, by the zone that was answered.
    fn time_of(
        &mut self,
        record: &Record,
    ) -> (Option<Timestamp>, Option<i64>, ZoneSource, Presence) {
        let (local, none) = (record.local(), Presence::default());
        match (record.instant(), local, &mut self.clock) {
            (Some(sent), ..) => (Some(sent), None, ZoneSource::Record, none),
            (None, Some(local), Some((clock, zone))) => {
                let (sent, doubtful) = clock.instant(local);
                let doubts = LocalClock::doubts(zone.source, doubtful);
                (Some(sent), Some(local), zone.source, doubts)
            }
            _ => (None, None, ZoneSource::Record, none),
        }
    }
}
