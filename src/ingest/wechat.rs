//! WeChat, as the table that WeChatMsg and its kin write: `localId,TalkerId,Type,SubType,IsSender,
//! CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender`, in some dumps with `MsgSvrID`.
//!
//! What it cannot tell: media are known by their kind alone; what a message quotes stands in bytes
//! (`CompressContent`) that stay in the raw record. Without `MsgSvrID` there are no ids: `localId`
//! counts anew with every device.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    App, ConversationKind, IdScope, Kind, NoteKind, Precision, Presence, Timestamp,
};

use super::answers::{Answers, Outcome};
use super::container::{Container, Entry};
use super::detect::HEAD_BYTES;
use super::error::Result;
use super::format::{Claim, Format};
use super::message::{ParsedAttachment, ParsedMessage, Sink};
use super::rows::{FOREIGN, Row, each_row, first_row};
use super::teller::Teller;
use super::transcript::{kind_of, refused, title_of};

/// Columns without which it is not this table.
const NEEDED: [&str; 4] = ["Type", "IsSender", "CreateTime", "StrContent"];
/// Most people that are counted in one conversation.
const PEOPLE_MAX: usize = 65_536;
/// Conversations of one file.
const CHATS_MAX: usize = 100_000;

/// The reader of WeChat's tables.
#[derive(Clone, Copy, Debug)]
pub struct WeChat;

impl Format for WeChat {
    fn name(&self) -> &'static str {
        "wechat"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let names = first_row(head, b',').unwrap_or_default();
        match Columns::of(&names) {
            Some(_) => Claim::Yes(3),
            None => Claim::No,
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
        let head = container.head(main, HEAD_BYTES)?;
        let names = first_row(&head, b',').unwrap_or_default();
        let Some(columns) = Columns::of(&names) else {
            return Ok(refused(
                "the table has not the columns Type, IsSender, CreateTime and StrContent",
            ));
        };
        let mut chats: BTreeMap<String, Chat> = BTreeMap::new();
        container.read(main, |bytes| {
            each_row(bytes, b',', &mut |row| {
                if let Row::Cells {
                    cells, number: 1.., ..
                } = row
                    && cells.len() == columns.width
                {
                    learn(&mut chats, &columns.row(&cells));
                }
                Ok(())
            })
        })?;
        let title = title_of(&entry, answers, None);
        let mut reading = Reading {
            teller: Teller::new(self.name(), &entry, sink),
            single: chats.len() <= 1,
            columns,
            chats,
            title,
            me: answers.me.clone(),
        };
        container.read(main, |bytes| {
            each_row(bytes, b',', &mut |row| reading.take(row))
        })?;
        Ok(reading.teller.done())
    }
}

/// Where each column stands.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    talker: Option<usize>,
    form: Option<usize>,
    sub: Option<usize>,
    own: Option<usize>,
    created: Option<usize>,
    content: Option<usize>,
    remark: Option<usize>,
    nick: Option<usize>,
    sender: Option<usize>,
    server_id: Option<usize>,
    width: usize,
}

/// One row by its columns; an absent cell is an empty one.
#[derive(Clone, Copy, Debug)]
struct Cells<'c> {
    talker: &'c str,
    form: &'c str,
    sub: &'c str,
    own: bool,
    created: &'c str,
    content: &'c str,
    remark: &'c str,
    nick: &'c str,
    sender: &'c str,
    server_id: &'c str,
}

impl Columns {
    fn of(names: &[String]) -> Option<Columns> {
        let place = |name: &str| names.iter().position(|known| known.trim() == name);
        let all = NEEDED.iter().all(|name| place(name).is_some());
        all.then(|| Columns {
            talker: place("TalkerId").or_else(|| place("StrTalker")),
            form: place("Type"),
            sub: place("SubType"),
            own: place("IsSender"),
            created: place("CreateTime"),
            content: place("StrContent"),
            remark: place("Remark"),
            nick: place("NickName"),
            sender: place("Sender"),
            server_id: place("MsgSvrID"),
            width: names.len(),
        })
    }

    fn row<'c>(&self, cells: &'c [String]) -> Cells<'c> {
        let cell = |place: Option<usize>| place.and_then(|place| cells.get(place));
        let text = |place| cell(place).map_or("", String::as_str);
        Cells {
            talker: text(self.talker),
            form: text(self.form).trim(),
            sub: text(self.sub).trim(),
            own: text(self.own).trim() == "1",
            created: text(self.created).trim(),
            content: text(self.content),
            remark: text(self.remark),
            nick: text(self.nick),
            sender: text(self.sender),
            server_id: text(self.server_id).trim(),
        }
    }
}

impl<'c> Cells<'c> {
    /// The name as shown: the exporter's own word for them, their own, their id.
    fn label(&self) -> &'c str {
        let names = [self.remark, self.nick, self.sender];
        names
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or_default()
    }

    fn is_notice(&self) -> bool {
        self.form == "10000"
    }
}

/// A conversation, as the first reading saw it.
#[derive(Debug, Default)]
struct Chat {
    people: BTreeSet<String>,
    /// The first name in it that is not the exporter's.
    other: Option<String>,
}

fn learn(chats: &mut BTreeMap<String, Chat>, cells: &Cells<'_>) {
    if chats.len() >= CHATS_MAX && !chats.contains_key(cells.talker) {
        return;
    }
    let chat = chats.entry(cells.talker.to_owned()).or_default();
    // The exporter is counted under no name, whatever they are called.
    let label = if cells.own { "" } else { cells.label() };
    if cells.is_notice() || label.is_empty() && !cells.own {
        return;
    }
    if chat.people.len() < PEOPLE_MAX {
        chat.people.insert(label.to_owned());
    }
    if !cells.own && chat.other.is_none() {
        chat.other = Some(cells.label().to_owned());
    }
}

/// The second reading.
struct Reading<'s> {
    teller: Teller<'s>,
    columns: Columns,
    chats: BTreeMap<String, Chat>,
    single: bool,
    title: String,
    me: Option<String>,
}

impl Reading<'_> {
    fn take(&mut self, row: Row<'_>) -> Result<()> {
        let (cells, raw, at, foreign) = match row {
            Row::Frame { raw, at } => return self.teller.frame(raw, at),
            Row::Cells {
                raw, at, number: 0, ..
            } => return self.teller.frame(raw, at),
            Row::Cells {
                cells,
                raw,
                at,
                foreign,
                ..
            } => (cells, raw, at, foreign),
        };
        if cells.len() != self.columns.width {
            let reason = "the row has not as many cells as the table has columns";
            return self.teller.reject(raw, at, reason);
        }
        let columns = self.columns;
        let row = columns.row(&cells);
        let Ok(seconds) = row.created.parse::<i64>() else {
            return self
                .teller
                .reject(raw, at, "the row has no readable CreateTime");
        };
        if foreign {
            let span = (at, at + raw.len() as u64);
            self.teller.note(NoteKind::Encoding, span, FOREIGN)?;
        }
        self.message(&row, seconds, raw, at)
    }

    fn message(&mut self, row: &Cells<'_>, seconds: i64, raw: &[u8], at: u64) -> Result<()> {
        let chat = self.chats.get(row.talker);
        let shape = chat.map_or(ConversationKind::Unknown, |chat| kind_of(chat.people.len()));
        let other = chat.and_then(|chat| chat.other.as_deref());
        let title = match (self.single, other) {
            (false, Some(other)) => other,
            _ => self.title.as_str(),
        };
        let key = match self.single {
            true => title.to_owned(),
            false => format!("{} talker {}", self.title, row.talker),
        };
        let (form, presence, is_media) = sort_of(row);
        let label = match (&self.me, row.own) {
            (Some(me), true) => me.as_str(),
            (None, true) if row.label().is_empty() => "Me",
            _ => row.label(),
        };
        let sender = Some(label).filter(|label| !row.is_notice() && !label.is_empty());
        let id = Some(row.server_id).filter(|id| !id.is_empty() && *id != "0");
        let unnamed = ParsedAttachment {
            name: "".into(),
            entry: None,
        };
        self.teller.message(&ParsedMessage {
            conversation_key: &key,
            conversation_title: title,
            conversation_kind: shape,
            app: App::WeChat,
            sender_label: sender,
            sender_handle: sender.and(Some(row.sender)).filter(|id| !id.is_empty()),
            body: row.content,
            kind: form,
            sent: Some(Timestamp::from_seconds(seconds)),
            precision: Precision::Second,
            source_id: id,
            id_scope: id.map(|_| IdScope::Global),
            attachments: Some(unnamed).filter(|_| is_media).as_slice(),
            presence,
            raw,
            span: (at, at + raw.len() as u64),
            ..ParsedMessage::BARE
        })
    }
}

/// What sort of message a row is, what it carries, and whether that is a file.
fn sort_of(row: &Cells<'_>) -> (Kind, Presence, bool) {
    let file = Presence::ATTACHMENT;
    match (row.form, row.sub) {
        ("1", _) => (Kind::Text, Presence::default(), false),
        ("3" | "47", _) => (Kind::Media, file.with(Presence::IMAGE), true),
        ("34", _) => {
            let voice = Presence::AUDIO.with(Presence::VOICE);
            (Kind::Media, file.with(voice), true)
        }
        ("43" | "62", _) => (Kind::Media, file.with(Presence::VIDEO), true),
        ("42", _) => (Kind::Contact, Presence::CONTACT, false),
        ("48", _) => (Kind::Location, Presence::LOCATION, false),
        ("49", "6") => (Kind::Media, file.with(Presence::FILE), true),
        ("49", "57") => (Kind::Text, Presence::QUOTE, false),
        ("49", _) => (Kind::Text, Presence::default(), false),
        ("50", _) => (Kind::Call, Presence::default(), false),
        // The wording that the app leaves in place of words that were taken back.
        ("10000", _) if row.content.ends_with("撤回了一条消息") => (
            Kind::Deleted,
            Presence::SYSTEM.with(Presence::DELETED),
            false,
        ),
        ("10000", _) => (Kind::System, Presence::SYSTEM, false),
        _ => (Kind::Unknown, Presence::default(), false),
    }
}
