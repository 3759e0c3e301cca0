//! Long acts as their owners are shown them, across restarts.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{JobId, Timestamp, UserNo};

/// How a kept job stands. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum JobStage {
    /// It is under way in the process that began it.
    UnderWay = 0,
    /// It ended, however.
    Over = 1,
    /// The process that ran it ended first.
    CutOff = 2,
}

impl JobStage {
    fn of(number: u8) -> JobStage {
        match number {
            0 => JobStage::UnderWay,
            1 => JobStage::Over,
            _ => JobStage::CutOff,
        }
    }
}

/// One job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its public id.
    pub id: JobId,
    /// Who started it.
    pub owner: UserNo,
    /// What it does, in words of ours.
    pub title: String,
    /// When it was asked for.
    pub began: Timestamp,
    /// When it ended, as far as is known.
    pub ended: Option<Timestamp>,
    /// How it stands.
    pub stage: JobStage,
    /// How it ended: content number.
    pub text_no: Option<u64>,
}

const COLUMNS: &str = "id, owner, title, began, ended, state, text_no";

fn read(row: &Row<'_>) -> rusqlite::Result<JobRow> {
    Ok(JobRow {
        id: JobId(u128::from_be_bytes(row.get(0)?)),
        owner: UserNo(row.get(1)?),
        title: row.get(2)?,
        began: Timestamp(row.get(3)?),
        ended: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        stage: JobStage::of(row.get(5)?),
        text_no: row.get(6)?,
    })
}

impl Rows {
    /// A job by its id.
    pub fn job(&self, id: JobId) -> Result<Option<JobRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from job where id = ?1"))?
            .query_row([id.0.to_be_bytes()], read)
            .optional()?)
    }

    /// The jobs of somebody, the latest first, `limit` of them behind the first `skip`.
    pub fn jobs_of(&self, owner: UserNo, skip: u32, limit: u32) -> Result<Vec<JobRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from job where owner = ?1 order by no desc limit ?2 offset ?3"
        ))?;
        let rows = statement.query_map((owner.0, limit, skip), read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Keeps a job that begins.
    pub fn insert_job(&self, row: &JobRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into job (tenant, id, owner, title, began, ended, state, text_no)
                 values (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                row.id.0.to_be_bytes(),
                row.owner.0,
                &row.title,
                row.began.0,
                row.ended.map(|at| at.0),
                row.stage as u8,
                row.text_no,
            ))?;
        Ok(())
    }

    /// Writes down how a job ended.
    pub fn end_job(&self, id: JobId, ended: Timestamp, text_no: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("update job set ended = ?2, state = ?3, text_no = ?4 where id = ?1")?
            .execute((id.0.to_be_bytes(), ended.0, JobStage::Over as u8, text_no))?;
        Ok(())
    }

    /// Marks every job that was under way as cut off, and says how many.
    pub fn cut_jobs_off(&self, ended: Timestamp) -> Result<usize, StoreError> {
        Ok(self
            .connection()
            .prepare_cached("update job set ended = ?1, state = ?2 where state = ?3")?
            .execute((ended.0, JobStage::CutOff as u8, JobStage::UnderWay as u8))?)
    }

    /// Forgets a job with what was told of its end.
    pub fn delete_job(&self, row: &JobRow) -> Result<(), StoreError> {
        if let Some(no) = row.text_no {
            self.delete_content(no)?;
        }
        self.connection()
            .prepare_cached("delete from job where id = ?1")?
            .execute([row.id.0.to_be_bytes()])?;
        Ok(())
    }
}
