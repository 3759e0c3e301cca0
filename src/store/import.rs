//! Imports: what came in, by whom, and how it ended.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    ConversationNo, ImportId, ImportNo, NoteKind, SourceTrust, TenantNo, Timestamp, UserNo,
};

/// How an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ImportState {
    /// Batches may still come.
    Running = 0,
    /// Everything was read.
    Done = 1,
    /// It stopped half-way; what was committed stays, and it can be resumed.
    Interrupted = 2,
    /// Nothing was taken.
    Refused = 3,
}

/// Counts of a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ImportCounts {
    /// Messages that are new.
    pub fresh: u64,
    /// Messages that were already known.
    pub known: u64,
    /// Messages that gained a version.
    pub revised: u64,
    /// Places that could not be read.
    pub rejected: u64,
    /// All remarks, rejected places included.
    pub notes: u64,
    /// Messages that were disposed of before and therefore left out.
    pub disposed: u64,
}

/// One import row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportRow {
    /// Its number.
    pub no: ImportNo,
    /// Its public id.
    pub id: ImportId,
    /// Who imported.
    pub actor: UserNo,
    /// When it began.
    pub began: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub state: ImportState,
    /// Keyed hash of the SHA-256 of the container.
    pub source_lookup: Vec<u8>,
    /// Length of the container in bytes.
    pub source_bytes: u64,
    /// Content number of the sealed report.
    pub report_no: Option<u64>,
    /// The receipt.
    pub counts: ImportCounts,
}

const COLUMNS: &str = "no, id, actor, began, ended, state, source_lookup, source_bytes, \
                       report_no, fresh, known, revised, rejected, notes, disposed";

fn read_row(row: &Row<'_>) -> rusqlite::Result<ImportRow> {
    Ok(ImportRow {
        no: ImportNo(row.get(0)?),
        id: ImportId(u128::from_be_bytes(row.get(1)?)),
        actor: UserNo(row.get(2)?),
        began: Timestamp(row.get(3)?),
        ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        state: match row.get::<_, u8>(5)? {
            0 => ImportState::Running,
            1 => ImportState::Done,
            2 => ImportState::Interrupted,
            _ => ImportState::Refused,
        },
        source_lookup: row.get(6)?,
        source_bytes: row.get(7)?,
        report_no: row.get(8)?,
        counts: ImportCounts {
            fresh: row.get(9)?,
            known: row.get(10)?,
            revised: row.get(11)?,
            rejected: row.get(12)?,
            notes: row.get(13)?,
            disposed: row.get(14)?,
        },
    })
}

impl Rows {
    /// Every import, by number.
    pub fn imports(&self) -> Result<Vec<ImportRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from import order by no"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// An import by number.
    pub fn import(&self, no: ImportNo) -> Result<Option<ImportRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from import where no = ?1"))?
            .query_row([no.0], read_row)
            .optional()?)
    }

    /// When the first import began of which a message is live; `None` without messages. Looks
    /// through every message.
    pub fn first_import_of_live(&self) -> Result<Option<Timestamp>, StoreError> {
        let began = self
            .connection
            .prepare_cached(
                "select min(began) from import where no in (select import from message)",
            )?
            .query_row([], |row| row.get::<_, Option<i64>>(0))?;
        Ok(began.map(Timestamp))
    }

    /// When the first import began of which a message was destroyed after an instant. Of those whose
    /// destruction only a restore knows, the last destruction of any counts.
    pub fn first_import_of_disposed(
        &self,
        after: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        let began = self
            .connection
            .prepare_cached(
                "select min(began) from import where no in (
                     select import from erase_item join erase_batch using (batch)
                     where fate = 1 and coalesce(decided, begun) > ?1)
                 or (no in (select import from disposed_message)
                     and exists (select 1 from tombstone where disposed > ?1))",
            )?
            .query_row([after.0], |row| row.get::<_, Option<i64>>(0))?;
        Ok(began.map(Timestamp))
    }

    /// An import by public id.
    pub fn import_by_id(&self, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from import where id = ?1"))?
            .query_row([&id.0.to_be_bytes()[..]], read_row)
            .optional()?)
    }

    /// How far the source of every import is trusted with its own times, by number.
    pub fn import_trust(&self) -> Result<Vec<(ImportNo, SourceTrust)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select no, trust from import order by no")?;
        let rows = statement.query_map([], |row| {
            let trust = match row.get::<_, u8>(1)? {
                1 => SourceTrust::ServerExport,
                2 => SourceTrust::Live,
                _ => SourceTrust::PersonFile,
            };
            Ok((ImportNo(row.get(0)?), trust))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Finished imports of the same container.
    pub fn imports_of_source(&self, source_lookup: &[u8]) -> Result<Vec<ImportRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from import where source_lookup = ?1 and state = 1 order by no"
        ))?;
        let rows = statement.query_map([source_lookup], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Imports that did not end.
    pub fn running_imports(&self) -> Result<Vec<ImportRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from import where state = 0 order by no"
        ))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The newest import of the same container that stopped half-way.
    pub fn interrupted_import(
        &self,
        source_lookup: &[u8],
    ) -> Result<Option<ImportRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from import where source_lookup = ?1 and state = 2
                 order by no desc limit 1"
            ))?
            .query_row([source_lookup], read_row)
            .optional()?)
    }

    /// Every import with the conversations that hold messages it brought first. Reads every message row.
    pub fn conversations_by_import(
        &self,
    ) -> Result<BTreeMap<ImportNo, Vec<ConversationNo>>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select distinct import, conversation from message")?;
        let rows = statement.query_map([], |row| {
            Ok((ImportNo(row.get(0)?), ConversationNo(row.get(1)?)))
        })?;
        let mut found: BTreeMap<ImportNo, Vec<ConversationNo>> = BTreeMap::new();
        for row in rows {
            let (import, conversation) = row?;
            found.entry(import).or_default().push(conversation);
        }
        Ok(found)
    }

    /// The conversations that hold messages an import brought first. Reads every message row.
    pub fn conversations_of_import(
        &self,
        import: ImportNo,
    ) -> Result<Vec<ConversationNo>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select distinct conversation from message where import = ?1 order by conversation",
        )?;
        let rows = statement.query_map([import.0], |row| Ok(ConversationNo(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Ordinal of the next note of an import.
    pub fn next_import_note(&self, import: ImportNo) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select coalesce(max(ordinal) + 1, 0) from import_note where import = ?1",
            )?
            .query_row([import.0], |row| row.get(0))?)
    }

    /// The notes of an import: kind and content number, in order.
    pub fn import_notes(&self, import: ImportNo) -> Result<Vec<(NoteKind, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, content_no from import_note where import = ?1 order by ordinal",
        )?;
        let rows = statement.query_map([import.0], |row| {
            Ok((NoteKind::from_number(row.get(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Adds a running import; its `no` is ignored and the given number returned.
    pub fn insert_import(&self, row: &ImportRow) -> Result<ImportNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into import (tenant, id, actor, began, state, source_lookup, source_bytes)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.actor.0,
                row.began.0,
                row.state as u8,
                &row.source_lookup,
                row.source_bytes,
            ))?;
        u32::try_from(self.connection().last_insert_rowid())
            .map(ImportNo)
            .map_err(|_| StoreError::Limit("imports are used up"))
    }

    /// Says how far the source of an import is trusted. Only while it runs: due dates hang on it.
    pub fn set_import_trust(&self, no: ImportNo, trust: SourceTrust) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update import set trust = ?2 where no = ?1 and state = 0")?
            .execute((no.0, trust as u8))?;
        self.one_changed(changed, "a running import")
    }

    /// Writes how an import stands: state, end, counts, report.
    pub fn update_import(&self, row: &ImportRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update import set ended = ?2, state = ?3, report_no = ?4, fresh = ?5, known = ?6,
                   revised = ?7, rejected = ?8, notes = ?9, source_lookup = ?10, source_bytes = ?11,
                   disposed = ?12
                 where no = ?1",
            )?
            .execute((
                row.no.0,
                row.ended.map(|ended| ended.0),
                row.state as u8,
                row.report_no,
                row.counts.fresh,
                row.counts.known,
                row.counts.revised,
                row.counts.rejected,
                row.counts.notes,
                &row.source_lookup,
                row.source_bytes,
                row.counts.disposed,
            ))?;
        Ok(())
    }

    /// Adds a note whose sealed text is content `content_no`.
    pub fn insert_import_note(
        &self,
        import: ImportNo,
        ordinal: u64,
        kind: NoteKind,
        content_no: u64,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into import_note (import, ordinal, kind, content_no)
                 values (?1, ?2, ?3, ?4)",
            )?
            .execute((import.0, ordinal, kind as u8, content_no))?;
        Ok(())
    }
}
