//! The use-cases "list conversations" and "show a slice of one".

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use super::clock::Stopwatch;
use super::search::{refused, zone};
use super::{AppError, Appliance, Result, SearchRequest, Session};
use crate::archive::{OpenedMessage, OpenedVersion, Reader};
use crate::audit::Action;
use crate::crypto::{hex, sha256_of};
use crate::domain::{
    App, Attachment, ConversationId, ConversationNo, EntryNo, Kind, MessageId, Presence, Reaction,
    Right, Scope, Timestamp,
};
use crate::query::{NoFacts, Purpose};
use crate::search::{BUDGET_DEFAULT, Budget, FacetField, NameIndex, Search, Step};
use crate::store::{ConversationRow, MessageRow, Rows};

/// Messages before a slice that are looked through for what is answered in it.
const ANSWERS_BACK: u32 = 300;
/// Most characters of a message that is quoted above its answer.
const QUOTED_CHARS: usize = 160;
/// Most messages of one slice.
pub const SLICE_MESSAGES_MAX: u32 = 10_000;

/// A slice as asked for.
#[derive(Clone, Debug)]
pub struct ConversationRequest {
    /// The conversation.
    pub id: ConversationId,
    /// The message to stand in the middle.
    pub around: Option<MessageId>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
    /// How many messages at most, on each side of `around` or in all.
    pub limit: u32,
    /// Zone of the times; `None` is that of the workspace.
    pub zone: Option<String>,
}

/// A conversation as listed.
#[derive(Clone, Debug)]
pub struct ConversationLine {
    /// Its public id.
    pub id: ConversationId,
    /// Its title.
    pub title: String,
    /// Its platform.
    pub app: App,
    /// Messages it holds and shows.
    pub messages: u64,
    /// Time of the first of them.
    pub first: Option<Timestamp>,
    /// Time of the last of them.
    pub last: Option<Timestamp>,
    /// Who writes in it.
    pub participants: Vec<String>,
}

/// One message of a slice.
#[derive(Clone, Debug)]
pub struct ShownMessage {
    /// Its public id.
    pub id: MessageId,
    /// Who wrote it; `None` for notices of the platform.
    pub sender: Option<String>,
    /// When.
    pub sent: Timestamp,
    /// The same in the zone asked for.
    pub local: NaiveDateTime,
    /// What sort of message.
    pub kind: Kind,
    /// Yes/no facts.
    pub presence: Presence,
    /// The latest words.
    pub body: String,
    /// Earlier words, oldest first.
    pub earlier: Vec<String>,
    /// Files it carries or names.
    pub attachments: Vec<Attachment>,
    /// What people answered to the latest words with one sign.
    pub reactions: Vec<Reaction>,
    /// The message it answers, where the platform says so.
    pub answers: Option<Answered>,
}

/// A message that another one answers, as it is quoted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Its public id; `None` where it is not among the messages near the slice.
    pub id: Option<MessageId>,
    /// Who wrote it.
    pub sender: Option<String>,
    /// The beginning of its latest words.
    pub opening: String,
}

/// What a conversation comes to, over its whole length.
#[derive(Clone, Debug)]
pub struct ConversationFigures {
    /// Messages by calendar month in the zone of the workspace, as `2024-03`, eldest first.
    pub months: Vec<(String, u64)>,
    /// Messages by who wrote them, most first; notices of the platform stand under the empty name.
    pub people: Vec<(String, u64)>,
    /// The audit entry, durable before this was handed out.
    pub audit: EntryNo,
}

/// A slice of a conversation.
#[derive(Clone, Debug)]
pub struct ConversationSlice {
    /// The conversation.
    pub conversation: ConversationLine,
    /// Its messages in order.
    pub messages: Vec<ShownMessage>,
    /// Whether messages stand before the first.
    pub more_before: bool,
    /// Whether messages stand after the last.
    pub more_after: bool,
    /// The zone of the times.
    pub zone: Tz,
    /// The audit entry, durable before this was handed out.
    pub audit: EntryNo,
}

impl Appliance {
    /// Every conversation inside the session's scope, the latest first.
    pub fn conversations(&self, session: &Session) -> Result<Vec<ConversationLine>> {
        self.require(session, Right::ReadContent, Action::ContentView)?;
        let scope = self.scope(session)?;
        let names = self.names()?;
        let picture = self.archive.store().read()?;
        let mut rows = picture.conversations()?;
        rows.retain(|row| scope.allows(row.no, row.account));
        count_shown(&picture, &scope, &mut rows)?;
        drop(picture);
        let mut lines: Vec<ConversationLine> = rows.iter().map(|row| line(&names, row)).collect();
        lines.sort_by_key(|line| std::cmp::Reverse(line.last));
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::ContentView)
            .count("conversations", lines.len() as u64);
        self.change(now, |tx| self.log(tx, now, draft, None))?;
        Ok(lines)
    }

    /// A slice of a conversation. The entry is durable before the slice is handed out. What is
    /// outside the scope is not found.
    pub fn conversation(
        &self,
        session: &Session,
        request: &ConversationRequest,
    ) -> Result<ConversationSlice> {
        self.require(session, Right::ReadContent, Action::ContentView)?;
        let zone = zone(request.zone.as_deref().unwrap_or(&self.zone_name()))?;
        let scope = self.scope(session)?;
        let names = self.names()?;
        let row = self.visible(&scope, request.id)?;
        let (mut rows, more_before, more_after) = self.slice(row.no, request, &scope)?;
        rows.retain(|row| scope.shows(row.no));
        let mut reader = self.archive.reader()?;
        let mut opened = Vec::with_capacity(rows.len());
        for row in rows {
            opened.push(reader.open(row)?);
        }
        let answers = self.answered(&mut reader, &names, &scope, &opened)?;
        drop(reader);
        let messages: Vec<ShownMessage> = opened
            .into_iter()
            .zip(answers)
            .map(|(message, answers)| ShownMessage {
                answers,
                ..shown(&names, message, zone)
            })
            .collect();
        let audit = self.log_view(session, request.id, &messages)?;
        Ok(ConversationSlice {
            conversation: line(&names, &row),
            messages,
            more_before,
            more_after,
            zone,
            audit,
        })
    }

    /// What each message of a slice answers. Only its neighbourhood is looked through, so that it costs
    /// the same however long the conversation is.
    fn answered(
        &self,
        reader: &mut Reader<'_>,
        names: &NameIndex,
        scope: &Scope,
        slice: &[OpenedMessage],
    ) -> Result<Vec<Option<Answered>>> {
        let target = |message: &OpenedMessage| {
            let mut versions = message.versions.iter().rev();
            versions.find_map(|version| version.reply_to.clone())
        };
        let targets: Vec<Option<String>> = slice.iter().map(target).collect();
        let mut wanted: HashMap<&str, Option<Answered>> = targets
            .iter()
            .flatten()
            .map(|id| (id.as_str(), None))
            .collect();
        if wanted.is_empty() {
            return Ok(vec![None; slice.len()]);
        }
        let mut quote = |message: &OpenedMessage| {
            for id in message
                .versions
                .iter()
                .filter_map(|one| one.source_id.as_deref())
            {
                if let Some(place) = wanted.get_mut(id) {
                    *place = Some(quoted(names, message));
                }
            }
        };
        slice.iter().for_each(&mut quote);
        let in_slice = |id: &str| {
            let mut versions = slice.iter().flat_map(|message| &message.versions);
            versions.any(|version| version.source_id.as_deref() == Some(id))
        };
        if let Some(first) = slice.first()
            && targets.iter().flatten().any(|id| !in_slice(id))
        {
            for row in reader.rows().messages_before(&first.row, ANSWERS_BACK)? {
                if scope.shows(row.no) {
                    quote(&reader.open(row)?);
                }
            }
        }
        Ok(targets
            .iter()
            .map(|target| {
                let id = target.as_deref()?;
                let far = || Answered {
                    id: None,
                    sender: None,
                    opening: String::new(),
                };
                Some(wanted.get(id).cloned().flatten().unwrap_or_else(far))
            })
            .collect())
    }

    /// How the messages of a conversation spread over months and people. It is counted by the index.
    ///
    /// # Errors
    /// For who may not read; when it is outside the scope; as a search.
    pub fn conversation_figures(
        &self,
        session: &Session,
        id: ConversationId,
    ) -> Result<ConversationFigures> {
        self.require(session, Right::ReadContent, Action::ContentView)?;
        let scope = self.scope(session)?;
        let (names, alone) = (self.names()?, self.alone(&scope, id)?);
        let everything = SearchRequest::new("*");
        let (resolved, _) = self.understand(&everything, Purpose::Search, &names, &alone)?;
        let (watch, scoped) = (
            Stopwatch::start(),
            names.within(&self.archive, &alone, None),
        );
        let spent = || watch.elapsed();
        let search = Search {
            archive: &self.archive,
            picture: None,
            names: &scoped,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget {
                allowed: BUDGET_DEFAULT,
                spent: &spent,
            },
        };
        let people = search.facets(&[FacetField::From]).map_err(refused)?;
        let months = search.histogram(Step::Month).map_err(refused)?;
        let people = people.into_iter().flat_map(|facet| facet.values);
        let now = self.clock.now();
        let draft = self.draft(session, Action::ContentView).object(id);
        let audit = self.change(now, |tx| Ok(self.log(tx, now, draft, None)?.seq))?;
        Ok(ConversationFigures {
            months,
            people: people.map(|value| (value.label, value.count)).collect(),
            audit,
        })
    }

    fn visible(&self, scope: &Scope, id: ConversationId) -> Result<ConversationRow> {
        let rows = self.archive.store().read()?;
        let mut row = rows
            .conversation_by_id(id)?
            .filter(|row| scope.allows(row.no, row.account))
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        count_shown(&rows, scope, std::slice::from_mut(&mut row))?;
        Ok(row)
    }

    fn slice(
        &self,
        conversation: ConversationNo,
        request: &ConversationRequest,
        scope: &Scope,
    ) -> Result<(Vec<MessageRow>, bool, bool)> {
        let limit = request.limit.min(SLICE_MESSAGES_MAX);
        let rows = self.archive.store().read()?;
        let Some(id) = request.around else {
            let since = request.since.unwrap_or(Timestamp(i64::MIN));
            let until = request.until.unwrap_or(Timestamp(i64::MAX));
            let mut found = rows.messages_between(conversation, since, until, limit + 1)?;
            let more = found.len() as u32 > limit;
            found.truncate(limit as usize);
            let before = match found.first() {
                Some(first) => !rows.messages_before(first, 1)?.is_empty(),
                None => false,
            };
            return Ok((found, before, more));
        };
        let no = self.archive.message_of_id(id)?;
        let middle = match no {
            Some(no) => rows
                .message(no)?
                .filter(|row| row.conversation == conversation && scope.shows(row.no)),
            None => None,
        };
        let middle = middle.ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let mut found = rows.messages_before(&middle, limit + 1)?;
        let more_before = found.len() as u32 > limit;
        found.truncate(limit as usize);
        found.reverse();
        let mut after = rows.messages_after(&middle, limit + 1)?;
        let more_after = after.len() as u32 > limit;
        after.truncate(limit as usize);
        found.push(middle);
        found.extend(after);
        Ok((found, more_before, more_after))
    }

    fn log_view(
        &self,
        session: &Session,
        id: ConversationId,
        messages: &[ShownMessage],
    ) -> Result<EntryNo> {
        let now = self.clock.now();
        let ids: Vec<u8> = messages
            .iter()
            .flat_map(|message| message.id.0.to_be_bytes())
            .collect();
        let draft = self
            .draft(session, Action::ContentView)
            .object(id)
            .count("shown", messages.len() as u64)
            .word("ids", hex(&sha256_of(&[&ids])));
        self.change(now, |tx| Ok(self.log(tx, now, draft, None)?.seq))
    }
}

/// Leaves what is withheld out of the counts and spans of conversations: they would tell of it.
fn count_shown(rows: &Rows, scope: &Scope, conversations: &mut [ConversationRow]) -> Result<()> {
    if scope.withheld.is_empty() {
        return Ok(());
    }
    let shown = rows.spans_without_withheld()?;
    for row in conversations {
        if let Some((messages, span)) = shown.get(&row.no) {
            (row.messages, row.span) = (*messages, *span);
        }
    }
    Ok(())
}

fn line(names: &NameIndex, row: &ConversationRow) -> ConversationLine {
    let directory = names.directory();
    let label = |handle: &crate::domain::HandleNo| {
        directory
            .handles
            .get(handle)
            .map(|entry| entry.label.clone())
    };
    ConversationLine {
        id: row.id,
        title: directory
            .conversations
            .get(&row.no)
            .map(|(_, title)| title.clone())
            .unwrap_or_default(),
        app: row.app,
        messages: row.messages,
        first: row.span.map(|span| span.first),
        last: row.span.map(|span| span.last),
        participants: directory
            .participants
            .get(&row.no)
            .map(|handles| handles.iter().filter_map(label).collect())
            .unwrap_or_default(),
    }
}

fn sender_of(names: &NameIndex, message: &OpenedMessage) -> Option<String> {
    let handle = message.row.sender?;
    let entry = names.directory().handles.get(&handle)?;
    Some(entry.label.clone())
}

fn quoted(names: &NameIndex, message: &OpenedMessage) -> Answered {
    let body = message.latest().map_or("", |version| version.body.as_str());
    let mut opening: String = body.chars().take(QUOTED_CHARS).collect();
    if opening.len() < body.len() {
        opening.push('…');
    }
    Answered {
        id: Some(message.id),
        sender: sender_of(names, message),
        opening,
    }
}

fn shown(names: &NameIndex, message: OpenedMessage, zone: Tz) -> ShownMessage {
    let sender = sender_of(names, &message);
    let utc = DateTime::from_timestamp_micros(message.row.sent.0).unwrap_or_default();
    let mut versions = message.versions;
    let latest = versions.pop();
    let body = |version: OpenedVersion| version.body;
    ShownMessage {
        id: message.id,
        sender,
        sent: message.row.sent,
        local: utc.with_timezone(&zone).naive_local(),
        kind: message.row.kind,
        presence: message.row.presence,
        attachments: latest
            .as_ref()
            .map(|one| one.attachments.clone())
            .unwrap_or_default(),
        reactions: latest
            .as_ref()
            .map(|one| one.extras.reactions.clone())
            .unwrap_or_default(),
        body: latest.map(body).unwrap_or_default(),
        earlier: versions.into_iter().map(body).collect(),
        answers: None,
    }
}
