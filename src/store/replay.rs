//! Keys of acts that are done once, and what was answered: kept for a day.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Timestamp, UserNo};

/// How an act stands. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ReplayStage {
    /// It is under way in the process that began it.
    UnderWay = 0,
    /// It was done.
    Done = 1,
    /// The process that worked on it ended first: nobody knows how far it came.
    CutOff = 2,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// Who asked.
    pub owner: UserNo,
    /// Keyed hash over asker and key.
    pub lookup: Vec<u8>,
    /// Keyed hash over what was asked.
    pub what: Vec<u8>,
    /// When it was asked.
    pub began: Timestamp,
    /// How it stands.
    pub stage: ReplayStage,
    /// The answer: content number.
    pub text_no: Option<u64>,
}

const COLUMNS: &str = "owner, lookup, what, began, state, text_no";

fn read(row: &Row<'_>) -> rusqlite::Result<ReplayRow> {
    Ok(ReplayRow {
        owner: UserNo(row.get(0)?),
        lookup: row.get(1)?,
        what: row.get(2)?,
        began: Timestamp(row.get(3)?),
        stage: match row.get::<_, u8>(4)? {
            0 => ReplayStage::UnderWay,
            1 => ReplayStage::Done,
            _ => ReplayStage::CutOff,
        },
        text_no: row.get(5)?,
    })
}

impl Rows {
    /// A key by its keyed hash.
    pub fn replay(&self, lookup: &[u8]) -> Result<Option<ReplayRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from replay where lookup = ?1"))?
            .query_row([lookup], read)
            .optional()?)
    }

    /// Keys that were given before an instant and are not under way, `limit` of them.
    pub fn replays_before(
        &self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<ReplayRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from replay where began < ?1 and state <> 0 order by began limit ?2"
        ))?;
        let rows = statement.query_map((before.0, limit), read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The keys of somebody behind their latest `keep`, `limit` of them, without those under way.
    pub fn replays_beyond(
        &self,
        owner: UserNo,
        keep: u32,
        limit: u32,
    ) -> Result<Vec<ReplayRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from replay where owner = ?1 and state <> 0
             order by no desc limit ?2 offset ?3"
        ))?;
        let rows = statement.query_map((owner.0, limit, keep), read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Takes a key.
    pub fn insert_replay(&self, row: &ReplayRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into replay (tenant, owner, lookup, what, began, state, text_no)
                 values (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((
                row.owner.0,
                &row.lookup,
                &row.what,
                row.began.0,
                row.stage as u8,
                row.text_no,
            ))?;
        Ok(())
    }

    /// Writes down that it was done, and what was answered.
    pub fn end_replay(&self, lookup: &[u8], text_no: Option<u64>) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update replay set state = ?2, text_no = ?3 where lookup = ?1")?
            .execute((lookup, ReplayStage::Done as u8, text_no))?;
        Ok(())
    }

    /// Marks every key that was under way as cut off.
    pub fn cut_replays_off(&self) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update replay set state = ?1 where state = ?2")?
            .execute((ReplayStage::CutOff as u8, ReplayStage::UnderWay as u8))?;
        Ok(())
    }

    /// Forgets a key with what was answered.
    pub fn delete_replay(&self, row: &ReplayRow) -> Result<(), StoreError> {
        if let Some(no) = row.text_no {
            self.delete_content(no)?;
        }
        self.connection()
            .prepare_cached("delete from replay where lookup = ?1")?
            .execute([&row.lookup])?;
        Ok(())
    }
}
