//! Rows of rules as an escrow carries them: holds and policies must be in force in a restored
//! record before its first read, also those that are newer than the backup.

use rusqlite::types::{Value, ValueRef};

use super::{ContentRow, Rows, StoreError, WriteTx};
use crate::domain::{TenantNo, Timestamp};

/// Tables that are carried whole and replace what an elder record holds.
const WHOLE: [&str; 22] = [
    "govern_state",
    "matter",
    "policy",
    "policy_version",
    "label",
    "label_span",
    "event",
    "hold",
    "hold_item",
    "notice_template",
    "custodian",
    "notice_text",
    "notice",
    "notice_act",
    "message_floor",
    "purge_freeze",
    "erasure_request",
    "erasure_person",
    "erasure_item",
    "clock_claim",
    "user_grant",
    "four_eyes",
];
/// Columns that name sealed content.
const CONTENT_COLUMNS: [&str; 2] = ["text_no", "release_text_no"];

/// Users whose access ended; only that is carried of them.
const LEAVERS: &str = "user";

/// One value of a carried row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarriedValue {
    /// None.
    Null,
    /// A number.
    Integer(i64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The rows of one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedTable {
    /// Its name.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<String>,
    /// Its rows; each has as many values as there are columns.
    pub rows: Vec<Vec<CarriedValue>>,
}

impl CarriedTable {
    /// Numbers of the sealed content its rows name.
    pub fn contents(&self) -> Vec<u64> {
        let places: Vec<usize> = (0..self.columns.len())
            .filter(|at| CONTENT_COLUMNS.contains(&self.columns[*at].as_str()))
            .collect();
        let mut numbers = Vec::new();
        for row in &self.rows {
            for at in &places {
                if let Some(CarriedValue::Integer(no)) = row.get(*at) {
                    numbers.push(*no as u64);
                }
            }
        }
        numbers
    }
}

impl Rows {
    /// Every rule, and the traces of what was disposed of since `since`.
    pub fn carried(&self, since: Timestamp) -> Result<Vec<CarriedTable>, StoreError> {
        let mut tables = Vec::with_capacity(WHOLE.len() + 2);
        for name in WHOLE {
            tables.push(self.carry(name, &format!("select * from {name}"))?);
        }
        // Who came after the backup stands in no entry of its log and is added again; who left must
        // not come back.
        tables.push(self.carry(LEAVERS, "select no from user where disabled <> 0")?);
        let sql = format!("select * from tombstone where disposed >= {}", since.0);
        tables.push(self.carry("tombstone", &sql)?);
        Ok(tables)
    }

    fn carry(&self, name: &str, sql: &str) -> Result<CarriedTable, StoreError> {
        let mut statement = self.connection.prepare(sql)?;
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let width = columns.len();
        let rows = statement.query_map([], |row| {
            (0..width)
                .map(|at| Ok(value_of(row.get_ref(at)?)))
                .collect()
        })?;
        Ok(CarriedTable {
            name: name.to_owned(),
            rows: rows.collect::<rusqlite::Result<_>>()?,
            columns,
        })
    }
}

fn value_of(value: ValueRef<'_>) -> CarriedValue {
    match value {
        ValueRef::Integer(number) => CarriedValue::Integer(number),
        ValueRef::Text(text) => CarriedValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => CarriedValue::Blob(bytes.to_vec()),
        // No table of the record holds a floating number.
        ValueRef::Null | ValueRef::Real(_) => CarriedValue::Null,
    }
}

impl WriteTx<'_> {
    /// Puts carried rows in force. Rules replace what is there, traces of destruction join it. A
    /// table this program does not know is refused: it may hold what must be obeyed.
    pub fn put_carried(&self, table: &CarriedTable) -> Result<(), StoreError> {
        let name = table.name.as_str();
        if name == LEAVERS {
            return self.disable_carried(table);
        }
        let is_whole = WHOLE.contains(&name);
        if !is_whole && name != "tombstone" {
            return Err(StoreError::Corrupt(format!(
                "the escrow carries {name}, which this program does not know"
            )));
        }
        let is_plain = |column: &String| {
            let mut letters = column.chars();
            letters.all(|letter| letter.is_ascii_lowercase() || letter == '_')
        };
        if !table.columns.iter().all(is_plain) {
            return Err(StoreError::Corrupt(format!("a column of {name}")));
        }
        if is_whole {
            self.connection()
                .execute_batch(&format!("delete from {name}"))?;
        }
        let places: Vec<String> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let mut statement = self.connection().prepare(&format!(
            "insert or replace into {name} ({}) values ({})",
            table.columns.join(", "),
            places.join(", ")
        ))?;
        for row in &table.rows {
            let values = row.iter().map(|value| match value {
                CarriedValue::Null => Value::Null,
                CarriedValue::Integer(number) => Value::Integer(*number),
                CarriedValue::Text(text) => Value::Text(text.clone()),
                CarriedValue::Blob(bytes) => Value::Blob(bytes.clone()),
            });
            statement.execute(rusqlite::params_from_iter(values))?;
        }
        Ok(())
    }

    fn disable_carried(&self, table: &CarriedTable) -> Result<(), StoreError> {
        let mut statement = self
            .connection()
            .prepare("update user set disabled = 1 where no = ?1")?;
        for row in &table.rows {
            if let Some(CarriedValue::Integer(no)) = row.first() {
                statement.execute([no])?;
            }
        }
        // A number of a user who came after the backup will be another's: no grant and no mark waits for it.
        self.connection().execute_batch(
            "delete from user_grant where user not in (select no from user);
                 delete from four_eyes where kind = 0 and object not in (select no from user);
                 update four_eyes set second = null where second not in (select no from user)",
        )?;
        Ok(())
    }

    /// Puts a sealed row that the escrow carries, new or in the place of an elder one.
    pub fn put_carried_content(&self, row: &ContentRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert or replace into content (key, tenant, data_key, run, sealed)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                row.key.column()?,
                TenantNo::FIRST.0,
                row.data_key.0,
                row.run,
                &row.sealed,
            ))?;
        Ok(())
    }
}
