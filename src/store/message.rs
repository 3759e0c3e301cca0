//! Messages without their words: numbers, times, flags, edges.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    ConversationNo, HandleNo, ImportNo, Kind, MessageNo, Presence, TenantNo, Timestamp,
};

/// One message row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    /// Its number.
    pub no: MessageNo,
    /// The conversation it stands in.
    pub conversation: ConversationNo,
    /// Who wrote it; `None` for notices of the platform.
    pub sender: Option<HandleNo>,
    /// The import that brought it first.
    pub import: ImportNo,
    /// Effective time.
    pub sent: Timestamp,
    /// Place in the order of its source.
    pub order: u64,
    /// What sort of message.
    pub kind: Kind,
    /// Yes/no facts.
    pub presence: Presence,
    /// Number of the latest version.
    pub version: u16,
    /// The message it answers, when that is here.
    pub reply_to: Option<MessageNo>,
}

impl MessageRow {
    /// A place in front of every message of a conversation; no message stands there.
    pub fn before_all(conversation: ConversationNo) -> MessageRow {
        MessageRow {
            no: MessageNo(0),
            conversation,
            sender: None,
            import: ImportNo(0),
            sent: Timestamp(i64::MIN),
            order: 0,
            kind: Kind::Text,
            presence: Presence::default(),
            version: 0,
            reply_to: None,
        }
    }
}

const COLUMNS: &str = "no, conversation, sender, import, sent, order_index, kind, presence, \
                       version, reply_to";

fn read_row(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok(MessageRow {
        no: MessageNo(row.get(0)?),
        conversation: ConversationNo(row.get(1)?),
        sender: row.get::<_, Option<u32>>(2)?.map(HandleNo),
        import: ImportNo(row.get(3)?),
        sent: Timestamp(row.get(4)?),
        order: row.get(5)?,
        kind: Kind::from_number(row.get(6)?),
        presence: Presence(row.get(7)?),
        version: row.get(8)?,
        reply_to: row.get::<_, Option<u64>>(9)?.map(MessageNo),
    })
}

impl Rows {
    /// A message by number; `None` when it does not exist.
    pub fn message(&self, no: MessageNo) -> Result<Option<MessageRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from message where no = ?1"))?
            .query_row([no.0], read_row)
            .optional()?)
    }

    /// Visits messages with `first <= number < end` by number. Stops at the first error.
    pub fn each_message<E: From<StoreError>>(
        &self,
        first: MessageNo,
        end: MessageNo,
        mut visit: impl FnMut(MessageRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from message where no >= ?1 and no < ?2 order by no"
            ))
            .map_err(StoreError::from)?;
        let mut rows = statement
            .query([first.0, end.0])
            .map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            visit(read_row(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }

    /// Visits the messages of a conversation in conversation order (sent, source order, number).
    pub fn each_message_of<E: From<StoreError>>(
        &self,
        conversation: ConversationNo,
        mut visit: impl FnMut(MessageRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from message where conversation = ?1
                 order by sent, order_index, no"
            ))
            .map_err(StoreError::from)?;
        let mut rows = statement
            .query([conversation.0])
            .map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            visit(read_row(row).map_err(StoreError::from)?)?;
        }
        Ok(())
    }

    /// Up to `limit` messages of the conversation that stand before `of`, nearest first.
    pub fn messages_before(
        &self,
        of: &MessageRow,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.neighbours(
            "(sent, order_index, no) < (?2, ?3, ?4)
             order by sent desc, order_index desc, no desc",
            of,
            limit,
        )
    }

    /// Up to `limit` messages of the conversation that stand after `of`, nearest first.
    pub fn messages_after(
        &self,
        of: &MessageRow,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        self.neighbours(
            "(sent, order_index, no) > (?2, ?3, ?4)
             order by sent, order_index, no",
            of,
            limit,
        )
    }

    fn neighbours(
        &self,
        condition: &str,
        of: &MessageRow,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        // A page of hits without context asks for none, twice for every hit.
        if limit == 0 {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from message where conversation = ?1 and {condition} limit ?5"
        ))?;
        let rows = statement.query_map(
            (of.conversation.0, of.sent.0, of.order, of.no.0, limit),
            read_row,
        )?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Up to `limit` messages of a conversation with `since <= sent < until`, in its order.
    pub fn messages_between(
        &self,
        conversation: ConversationNo,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<MessageRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from message where conversation = ?1 and sent >= ?2 and sent < ?3
             order by sent, order_index, no limit ?4"
        ))?;
        let rows = statement.query_map((conversation.0, since.0, until.0, limit), read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How many messages there are.
    pub fn message_count(&self) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .query_row("select count(*) from message", [], |row| row.get(0))?)
    }

    /// The largest message number; 0 when there is none.
    pub fn last_message(&self) -> Result<MessageNo, StoreError> {
        Ok(MessageNo(self.connection.query_row(
            "select coalesce(max(no), 0) from message",
            [],
            |row| row.get(0),
        )?))
    }
}

impl WriteTx<'_> {
    /// Adds a message row.
    pub fn insert_message(&self, row: &MessageRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into message (no, tenant, conversation, sender, import, sent, order_index,
                   kind, presence, version, reply_to)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                row.no.0,
                TenantNo::FIRST.0,
                row.conversation.0,
                row.sender.map(|handle| handle.0),
                row.import.0,
                row.sent.0,
                row.order,
                row.kind as u8,
                row.presence.0,
                row.version,
                row.reply_to.map(|no| no.0),
            ))?;
        Ok(())
    }

    /// Records that a message gained a version: its number and the flags that now hold.
    pub fn revise_message(
        &self,
        no: MessageNo,
        version: u16,
        presence: Presence,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update message set version = ?2, presence = ?3 where no = ?1")?
            .execute((no.0, version, presence.0))?;
        Ok(())
    }

    /// Records a later sighting of a message, whose sealed sighting is content `content_no`.
    pub fn insert_observation(
        &self,
        message: MessageNo,
        import: ImportNo,
        content_no: u64,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into observation (message, import, content_no) values (?1, ?2, ?3)",
            )?
            .execute((message.0, import.0, content_no))?;
        Ok(())
    }
}

impl WriteTx<'_> {
    /// Deletes a message's row and its links to files. Its sealed words are deleted by content
    /// number, its sightings by [`WriteTx::delete_observations`].
    pub fn delete_message(&self, no: MessageNo) -> Result<(), StoreError> {
        for statement in [
            "delete from attachment where message = ?1",
            "delete from readmitted where message = ?1",
            "delete from message where no = ?1",
        ] {
            self.connection()
                .prepare_cached(statement)?
                .execute([no.0])?;
        }
        Ok(())
    }

    /// Deletes the sightings of a message; their sealed words are deleted by content number.
    pub fn delete_observations(&self, no: MessageNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from observation where message = ?1")?
            .execute([no.0])?;
        Ok(())
    }
}

impl Rows {
    /// Later sightings of a message: the import and the content number of each.
    pub fn observations(&self, message: MessageNo) -> Result<Vec<(ImportNo, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select import, content_no from observation where message = ?1 order by import, content_no",
        )?;
        let rows =
            statement.query_map([message.0], |row| Ok((ImportNo(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}
