//! Events that start periods. A correction is a row of its own.

use rusqlite::Row;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{Event, EventKey, EventNo, TenantNo, Timestamp, UserNo};

/// One event with the number of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// What it says.
    pub event: Event,
    /// Content number of its words (type, key, reason).
    pub text_no: u64,
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    Ok(EventRow {
        event: Event {
            no: EventNo(row.get(0)?),
            key: EventKey(row.get(1)?),
            at: Timestamp(row.get(2)?),
            recorded: Timestamp(row.get(3)?),
            by: UserNo(row.get(4)?),
            corrects: row.get::<_, Option<u32>>(5)?.map(EventNo),
        },
        text_no: row.get(6)?,
    })
}

impl Rows {
    /// Every event, in the order in which they were recorded.
    pub fn events(&self) -> Result<Vec<EventRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, key, at, recorded, recorded_by, corrects, text_no from event order by no",
        )?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Records an event; its `no` is ignored and the given number returned.
    pub fn insert_event(&self, row: &EventRow) -> Result<EventNo, StoreError> {
        let event = &row.event;
        self.connection()
            .prepare_cached(
                "insert into event (tenant, key, at, recorded, recorded_by, corrects, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &event.key.0[..],
                event.at.0,
                event.recorded.0,
                event.by.0,
                event.corrects.map(|no| no.0),
                row.text_no,
            ))?;
        let no = self.last_no("events are used up").map(EventNo)?;
        self.rules_changed()?;
        Ok(no)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn an_event_and_its_correction_both_stay() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = EventRow {
            event: Event {
                no: EventNo(0),
                key: EventKey([1; 16]),
                at: Timestamp(-5),
                recorded: Timestamp(10),
                by: UserNo(1),
                corrects: None,
            },
            text_no: 3,
        };
        row.event.no = tx.insert_event(&row).unwrap();
        let mut correction = row;
        correction.event.corrects = Some(row.event.no);
        correction.event.no = tx.insert_event(&correction).unwrap();
        assert_eq!(tx.events().unwrap(), [row, correction]);
    }
}
