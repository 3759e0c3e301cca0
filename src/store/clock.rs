//! The row of the compliance clock, and the time it took over without evidence.

use rusqlite::OptionalExtension;

use super::{Rows, StoreError, WriteTx};
use crate::domain::Timestamp;

/// The clock as it was written last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockRow {
    /// Compliance time.
    pub compliance: Timestamp,
    /// The wall clock at that moment.
    pub wall: Timestamp,
    /// Microseconds since the computer started.
    pub boot_micros: i64,
    /// Which start of the computer that was.
    pub boot_id: [u8; 16],
    /// Compliance time of the last evidence.
    pub attested: Option<Timestamp>,
    /// Credits: compliance time after each, and its microseconds, oldest first.
    pub credits: Vec<(Timestamp, i64)>,
}

impl Rows {
    /// The clock; `None` when it was never written.
    pub fn clock(&self) -> Result<Option<ClockRow>, StoreError> {
        let row = self
            .connection
            .prepare_cached(
                "select compliance, wall, boot, boot_id, attested from clock where only = 1",
            )?
            .query_row([], |row| {
                Ok(ClockRow {
                    compliance: Timestamp(row.get(0)?),
                    wall: Timestamp(row.get(1)?),
                    boot_micros: row.get(2)?,
                    boot_id: row.get(3)?,
                    attested: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                    credits: Vec::new(),
                })
            })
            .optional()?;
        let Some(mut row) = row else {
            return Ok(None);
        };
        let mut statement = self
            .connection
            .prepare_cached("select at, micros from clock_credit order by no")?;
        let credits = statement.query_map([], |row| Ok((Timestamp(row.get(0)?), row.get(1)?)))?;
        row.credits = credits.collect::<rusqlite::Result<_>>()?;
        Ok(Some(row))
    }
}

impl WriteTx<'_> {
    /// Writes the clock and replaces the list of credits.
    pub fn put_clock(&self, row: &ClockRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into clock (only, compliance, wall, boot, boot_id, attested)
                 values (1, ?1, ?2, ?3, ?4, ?5)
                 on conflict (only) do update set compliance = excluded.compliance,
                   wall = excluded.wall, boot = excluded.boot, boot_id = excluded.boot_id,
                   attested = excluded.attested",
            )?
            .execute((
                row.compliance.0,
                row.wall.0,
                row.boot_micros,
                &row.boot_id[..],
                row.attested.map(|at| at.0),
            ))?;
        self.connection()
            .prepare_cached("delete from clock_credit")?
            .execute([])?;
        let mut insert = self
            .connection()
            .prepare_cached("insert into clock_credit (at, micros) values (?1, ?2)")?;
        for (at, micros) in &row.credits {
            insert.execute((at.0, micros))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn the_clock_reads_back_with_its_credits() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        assert_eq!(tx.clock().unwrap(), None);
        let mut row = ClockRow {
            compliance: Timestamp(5),
            wall: Timestamp(6),
            boot_micros: 7,
            boot_id: [8; 16],
            attested: None,
            credits: vec![(Timestamp(1), 2), (Timestamp(3), 4)],
        };
        tx.put_clock(&row).unwrap();
        assert_eq!(tx.clock().unwrap(), Some(row.clone()));
        row.credits.remove(0);
        row.attested = Some(Timestamp(4));
        tx.put_clock(&row).unwrap();
        assert_eq!(tx.clock().unwrap(), Some(row));
    }
}
