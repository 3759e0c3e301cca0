//! The use-cases "list conversations" and "show a slice of one".

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;

use super::search::zone;
use super::{AppError, Appliance, Result, Session};
use crate::archive::{OpenedMessage, OpenedVersion};
use crate::audit::Action;
use crate::crypto::{hex, sha256_of};
use crate::domain::{
    App, Attachment, ConversationId, ConversationNo, EntryNo, Kind, MessageId, Presence, Right,
    Scope, Timestamp,
};
use crate::search::NameIndex;
use crate::store::{ConversationRow, MessageRow, Rows};

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
        let mut messages = Vec::with_capacity(rows.len());
        for row in rows {
            let message = reader.open(row)?;
            messages.push(shown(&names, message, zone));
        }
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

fn shown(names: &NameIndex, message: OpenedMessage, zone: Tz) -> ShownMessage {
    let sender = message
        .row
        .sender
        .and_then(|handle| names.directory().handles.get(&handle))
        .map(|entry| entry.label.clone());
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
        body: latest.map(body).unwrap_or_default(),
        earlier: versions.into_iter().map(body).collect(),
    }
}
