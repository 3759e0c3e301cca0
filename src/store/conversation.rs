//! Conversations: their look-up, shard, span and members.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    AccountNo, App, ConversationId, ConversationKind, ConversationNo, HandleNo, TenantNo, Timestamp,
};

/// One conversation row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// Its number.
    pub no: ConversationNo,
    /// Its public id.
    pub id: ConversationId,
    /// Its platform.
    pub app: App,
    /// Its shape.
    pub kind: ConversationKind,
    /// The company's account it belongs to, when known.
    pub account: Option<AccountNo>,
    /// Keyed hash by which a source finds it again.
    pub lookup: Vec<u8>,
    /// Shard of the erase buckets of its messages.
    pub shard: u16,
    /// Content number of its sealed title.
    pub title_no: u64,
    /// What it spans.
    pub span: Option<ConversationSpan>,
    /// How many messages it holds.
    pub messages: u64,
}

/// First and last message of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConversationSpan {
    /// Time of the first message.
    pub first: Timestamp,
    /// Time of the last message.
    pub last: Timestamp,
}

const COLUMNS: &str = "no, id, app, kind, account, lookup, shard, title_no, first_sent, last_sent, \
                       messages";

fn read_row(row: &Row<'_>) -> rusqlite::Result<ConversationRow> {
    let first: Option<i64> = row.get(8)?;
    let last: Option<i64> = row.get(9)?;
    Ok(ConversationRow {
        no: ConversationNo(row.get(0)?),
        id: ConversationId(u128::from_be_bytes(row.get(1)?)),
        app: App::from_number(row.get(2)?),
        kind: ConversationKind::from_number(row.get(3)?),
        account: row.get::<_, Option<u32>>(4)?.map(AccountNo),
        lookup: row.get(5)?,
        shard: row.get(6)?,
        title_no: row.get(7)?,
        span: first.zip(last).map(|(first, last)| ConversationSpan {
            first: Timestamp(first),
            last: Timestamp(last),
        }),
        messages: row.get(10)?,
    })
}

impl Rows {
    /// A conversation by number.
    pub fn conversation(&self, no: ConversationNo) -> Result<Option<ConversationRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from conversation where no = ?1"))?
            .query_row([no.0], read_row)
            .optional()?)
    }

    /// A conversation by public id.
    pub fn conversation_by_id(
        &self,
        id: ConversationId,
    ) -> Result<Option<ConversationRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from conversation where id = ?1"))?
            .query_row([&id.0.to_be_bytes()[..]], read_row)
            .optional()?)
    }

    /// The conversation a source means by a keyed look-up.
    pub fn conversation_by_lookup(
        &self,
        lookup: &[u8],
    ) -> Result<Option<ConversationRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from conversation where lookup = ?1 order by no limit 1"
            ))?
            .query_row([lookup], read_row)
            .optional()?)
    }

    /// Every conversation, by number.
    pub fn conversations(&self) -> Result<Vec<ConversationRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from conversation order by no"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The largest conversation number; 0 when there is none.
    pub fn last_conversation(&self) -> Result<ConversationNo, StoreError> {
        Ok(ConversationNo(self.connection.query_row(
            "select coalesce(max(no), 0) from conversation",
            [],
            |row| row.get(0),
        )?))
    }

    /// Every membership, by conversation.
    pub fn participants(&self) -> Result<Vec<(ConversationNo, HandleNo)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select conversation, handle from participant order by conversation, handle",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((ConversationNo(row.get(0)?), HandleNo(row.get(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Adds a conversation under its number, without messages yet.
    pub fn insert_conversation(&self, row: &ConversationRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into conversation (no, tenant, id, app, kind, account, lookup, shard, title_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                row.no.0,
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.app as u8,
                row.kind as u8,
                row.account.map(|account| account.0),
                &row.lookup,
                row.shard,
                row.title_no,
            ))?;
        Ok(())
    }

    /// Widens the span of a conversation and counts messages that were added.
    pub fn extend_conversation(
        &self,
        no: ConversationNo,
        span: ConversationSpan,
        added: u64,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update conversation set
                   first_sent = min(coalesce(first_sent, ?2), ?2),
                   last_sent = max(coalesce(last_sent, ?3), ?3),
                   messages = messages + ?4
                 where no = ?1",
            )?
            .execute((no.0, span.first.0, span.last.0, added))?;
        Ok(())
    }

    /// Counts a conversation anew after `removed` of its messages were deleted: its span is that of
    /// the messages that are left.
    pub fn shrink_conversation(&self, no: ConversationNo, removed: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update conversation set
                   first_sent = (select min(sent) from message where conversation = ?1),
                   last_sent = (select max(sent) from message where conversation = ?1),
                   messages = messages - ?2
                 where no = ?1",
            )?
            .execute((no.0, removed))?;
        Ok(())
    }

    /// Sets the content number of a conversation's sealed title; 0 when it has none any more.
    pub fn set_title(&self, no: ConversationNo, title_no: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update conversation set title_no = ?2 where no = ?1")?
            .execute((no.0, title_no))?;
        Ok(())
    }

    /// Forgets who wrote in a conversation.
    pub fn delete_participants(&self, no: ConversationNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from participant where conversation = ?1")?
            .execute([no.0])?;
        Ok(())
    }

    /// Records that a handle takes part in a conversation; again is no change.
    pub fn insert_participant(
        &self,
        conversation: ConversationNo,
        handle: HandleNo,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into participant (conversation, handle) values (?1, ?2)
                 on conflict do nothing",
            )?
            .execute((conversation.0, handle.0))?;
        Ok(())
    }
}
