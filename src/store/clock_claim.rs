//! What two people said of the time that has passed.

use rusqlite::Row;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{TenantNo, Timestamp, UserNo};

/// One claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockClaimRow {
    /// Its number.
    pub no: u32,
    /// The instant that is said to have come.
    pub proven: Timestamp,
    /// Compliance time when it was said.
    pub claimed: Timestamp,
    /// Who said it.
    pub claimed_by: UserNo,
    /// When the second person agreed, and who.
    pub agreed: Option<(Timestamp, UserNo)>,
    /// Content number of the evidence in words.
    pub text_no: u64,
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<ClockClaimRow> {
    let agreed = row.get::<_, Option<i64>>(4)?.map(Timestamp);
    let by = row.get::<_, Option<u32>>(5)?.map(UserNo);
    Ok(ClockClaimRow {
        no: row.get(0)?,
        proven: Timestamp(row.get(1)?),
        claimed: Timestamp(row.get(2)?),
        claimed_by: UserNo(row.get(3)?),
        agreed: agreed.zip(by),
        text_no: row.get(6)?,
    })
}

impl Rows {
    /// Every claim there ever was, by number.
    pub fn clock_claims(&self) -> Result<Vec<ClockClaimRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, proven, claimed, claimed_by, agreed, agreed_by, text_no
             from clock_claim order by no",
        )?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Records a claim; `no` and `agreed` are ignored and the given number returned.
    pub fn insert_clock_claim(&self, row: &ClockClaimRow) -> Result<u32, StoreError> {
        Ok(self
            .connection()
            .prepare_cached(
                "insert into clock_claim (tenant, proven, claimed, claimed_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5) returning no",
            )?
            .query_row(
                (
                    TenantNo::FIRST.0,
                    row.proven.0,
                    row.claimed.0,
                    row.claimed_by.0,
                    row.text_no,
                ),
                |row| row.get(0),
            )?)
    }

    /// A second person agrees to a claim. Fails when it is unknown, agreed already, or theirs.
    pub fn agree_clock_claim(&self, no: u32, at: Timestamp, by: UserNo) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update clock_claim set agreed = ?2, agreed_by = ?3
                 where no = ?1 and agreed is null",
            )?
            .execute((no, at.0, by.0))?;
        match changed {
            1 => Ok(()),
            _ => Err(StoreError::NotFound(format!("an open claim {no}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn a_claim_takes_two() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = ClockClaimRow {
            no: 0,
            proven: Timestamp(9),
            claimed: Timestamp(1),
            claimed_by: UserNo(2),
            agreed: None,
            text_no: 3,
        };
        row.no = tx.insert_clock_claim(&row).unwrap();
        assert_eq!(tx.clock_claims().unwrap(), [row]);
        assert!(
            tx.agree_clock_claim(row.no, Timestamp(4), UserNo(2))
                .is_err()
        );
        tx.agree_clock_claim(row.no, Timestamp(4), UserNo(5))
            .unwrap();
        row.agreed = Some((Timestamp(4), UserNo(5)));
        assert_eq!(tx.clock_claims().unwrap(), [row]);
        assert!(
            tx.agree_clock_claim(row.no, Timestamp(4), UserNo(6))
                .is_err()
        );
    }
}
