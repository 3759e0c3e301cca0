//! Purge freezes: while one stands, nothing is destroyed. Lifted by two people, never deleted.

use rusqlite::Row;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{FreezeNo, FreezeReason, TenantNo, Timestamp, UserNo};

/// One freeze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FreezeRow {
    /// Its number.
    pub no: FreezeNo,
    /// Why.
    pub reason: FreezeReason,
    /// Since when.
    pub since: Timestamp,
    /// Who froze; `None` when the house itself did.
    pub set_by: Option<UserNo>,
    /// Content number of the reason in words.
    pub text_no: Option<u64>,
    /// Who asked to lift it.
    pub lift_requested_by: Option<UserNo>,
    /// When it was lifted and who agreed.
    pub lifted: Option<(Timestamp, UserNo)>,
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<FreezeRow> {
    let lifted: Option<i64> = row.get(6)?;
    let lifted_by: Option<u32> = row.get(7)?;
    Ok(FreezeRow {
        no: FreezeNo(row.get(0)?),
        // A reason of a newer program freezes as well.
        reason: FreezeReason::from_number(row.get(1)?).unwrap_or(FreezeReason::Integrity),
        since: Timestamp(row.get(2)?),
        set_by: row.get::<_, Option<u32>>(3)?.map(UserNo),
        text_no: row.get(4)?,
        lift_requested_by: row.get::<_, Option<u32>>(5)?.map(UserNo),
        lifted: lifted
            .zip(lifted_by)
            .map(|(at, by)| (Timestamp(at), UserNo(by))),
    })
}

impl Rows {
    /// Every freeze there ever was, by number.
    pub fn freezes(&self) -> Result<Vec<FreezeRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, reason, since, set_by, text_no, lift_requested_by, lifted, lifted_by
             from purge_freeze order by no",
        )?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The oldest freeze that stands.
    pub fn standing_freeze(&self) -> Result<Option<FreezeRow>, StoreError> {
        Ok(self
            .freezes()?
            .into_iter()
            .find(|freeze| freeze.lifted.is_none()))
    }
}

impl WriteTx<'_> {
    /// Freezes; the `no` of the row is ignored and the given number returned.
    pub fn insert_freeze(&self, row: &FreezeRow) -> Result<FreezeNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into purge_freeze (tenant, reason, since, set_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                TenantNo::FIRST.0,
                row.reason as u8,
                row.since.0,
                row.set_by.map(|user| user.0),
                row.text_no,
            ))?;
        self.last_no("freezes are used up").map(FreezeNo)
    }

    /// Notes who asks to lift a freeze; it keeps standing.
    pub fn request_lift(&self, no: FreezeNo, by: UserNo) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update purge_freeze set lift_requested_by = ?2 where no = ?1 and lifted is null",
            )?
            .execute((no.0, by.0))?;
        self.one_changed(changed, "a standing freeze")
    }

    /// Lifts the freezes of a restored directory, which one person confirms.
    pub fn lift_restored(&self, at: Timestamp, by: UserNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update purge_freeze set lifted = ?2, lifted_by = ?3, lift_requested_by = null
                 where reason = ?1 and lifted is null",
            )?
            .execute((FreezeReason::Restored as u8, at.0, by.0))?;
        Ok(())
    }

    /// Lifts a freeze that somebody else asked to lift.
    pub fn lift_freeze(&self, no: FreezeNo, at: Timestamp, by: UserNo) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update purge_freeze set lifted = ?2, lifted_by = ?3
                 where no = ?1 and lifted is null and lift_requested_by is not null
                   and lift_requested_by <> ?3",
            )?
            .execute((no.0, at.0, by.0))?;
        self.one_changed(changed, "a freeze that somebody else asked to lift")
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn two_people_lift_a_freeze() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let row = FreezeRow {
            no: FreezeNo(0),
            reason: FreezeReason::Legal,
            since: Timestamp(1),
            set_by: Some(UserNo(1)),
            text_no: None,
            lift_requested_by: None,
            lifted: None,
        };
        let no = tx.insert_freeze(&row).unwrap();
        assert_eq!(tx.standing_freeze().unwrap().unwrap().no, no);
        assert!(tx.lift_freeze(no, Timestamp(2), UserNo(2)).is_err());
        tx.request_lift(no, UserNo(1)).unwrap();
        assert!(tx.lift_freeze(no, Timestamp(2), UserNo(1)).is_err());
        tx.lift_freeze(no, Timestamp(2), UserNo(2)).unwrap();
        assert_eq!(tx.standing_freeze().unwrap(), None);
        assert_eq!(tx.freezes().unwrap().len(), 1);
    }
}
