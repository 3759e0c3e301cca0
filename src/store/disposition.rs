//! Simulations, and frozen lists on their way through review.

use rusqlite::{OptionalExtension, Row};

use super::{Epochs, Rows, StoreError, WriteTx};
use crate::domain::{BatchNo, MessageNo, PolicyNo, PolicyRef, TenantNo, Timestamp, UserNo};

/// What a simulation found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SimulationRow {
    /// The version that was tried.
    pub policy: PolicyRef,
    /// The counters when it ran.
    pub epochs: Epochs,
    /// When it ran.
    pub ran: Timestamp,
    /// Who let it run.
    pub ran_by: UserNo,
    /// The day it looked at.
    pub as_of: Timestamp,
    /// Records looked at.
    pub records: u64,
    /// Records that would be due.
    pub eligible: u64,
    /// Content number of the report.
    pub text_no: u64,
}

/// How a disposition stands. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DispositionState {
    /// Reviewers look at it.
    InReview = 0,
    /// Enough of them approved; the recall window runs.
    Approved = 1,
    /// The erase door has it.
    HandedOver = 2,
    /// It will not happen.
    Cancelled = 3,
    /// Done, with a certificate.
    Certified = 4,
}

impl DispositionState {
    /// The state of a stored number; unknown numbers are `Cancelled`, which destroys nothing.
    pub const fn from_number(number: u8) -> DispositionState {
        match number {
            0 => DispositionState::InReview,
            1 => DispositionState::Approved,
            2 => DispositionState::HandedOver,
            4 => DispositionState::Certified,
            _ => DispositionState::Cancelled,
        }
    }
}

/// One frozen list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispositionRow {
    /// Its number.
    pub batch: BatchNo,
    /// How it stands.
    pub state: DispositionState,
    /// When it was computed.
    pub computed: Timestamp,
    /// Who asked for it.
    pub requested_by: UserNo,
    /// The counters when it was computed.
    pub epochs: Epochs,
    /// Distinct approvers it needs.
    pub reviewers: u8,
    /// Recall window in microseconds.
    pub recall_micros: i64,
    /// How many items it has.
    pub items: u64,
    /// Root over its items.
    pub root: [u8; 32],
    /// Content number of the preview.
    pub text_no: u64,
}

/// One item of a frozen list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispositionItemRow {
    /// The message.
    pub message: MessageNo,
    /// Its latest version when the list was frozen.
    pub revision: u16,
    /// The policy that lets it go.
    pub policy: PolicyRef,
    /// When the period of that policy began.
    pub t0: Timestamp,
    /// D: when it was over.
    pub delete_from: Timestamp,
    /// R: until when policies kept it; `ALWAYS` where none did.
    pub retain_until: Timestamp,
    /// Its due date: the latest of D, R and thirty days after it was taken in.
    pub due: Timestamp,
}

/// What a reviewer did. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ActKind {
    /// Approved the list.
    Approved = 0,
    /// Took an item off.
    Excluded = 1,
    /// Took an item off and keeps it longer.
    Extended = 2,
    /// Cancelled the list.
    Cancelled = 3,
}

/// One act of review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DispositionActRow {
    /// What was done.
    pub kind: ActKind,
    /// Who.
    pub by: UserNo,
    /// When (compliance time).
    pub at: Timestamp,
    /// The message it is about; `None` = the list.
    pub message: Option<MessageNo>,
    /// The new date of an extension.
    pub until: Option<Timestamp>,
    /// Content number of the reason.
    pub text_no: Option<u64>,
}

const BATCH_COLUMNS: &str = "batch, state, computed, requested_by, hold_epoch, rule_epoch, \
                             reviewers, recall, items, root, text_no";

fn read_batch(row: &Row<'_>) -> rusqlite::Result<DispositionRow> {
    Ok(DispositionRow {
        batch: BatchNo(row.get(0)?),
        state: DispositionState::from_number(row.get(1)?),
        computed: Timestamp(row.get(2)?),
        requested_by: UserNo(row.get(3)?),
        epochs: Epochs {
            hold: row.get(4)?,
            rule: row.get(5)?,
        },
        reviewers: row.get(6)?,
        recall_micros: row.get(7)?,
        items: row.get(8)?,
        root: row.get(9)?,
        text_no: row.get(10)?,
    })
}

impl Rows {
    /// The newest simulation of a version.
    pub fn last_simulation(&self, policy: PolicyRef) -> Result<Option<SimulationRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select hold_epoch, rule_epoch, ran, ran_by, as_of, records, eligible, text_no
                 from simulation where policy = ?1 and version = ?2 order by no desc limit 1",
            )?
            .query_row((policy.no.0, policy.version), |row| {
                Ok(SimulationRow {
                    policy,
                    epochs: Epochs {
                        hold: row.get(0)?,
                        rule: row.get(1)?,
                    },
                    ran: Timestamp(row.get(2)?),
                    ran_by: UserNo(row.get(3)?),
                    as_of: Timestamp(row.get(4)?),
                    records: row.get(5)?,
                    eligible: row.get(6)?,
                    text_no: row.get(7)?,
                })
            })
            .optional()?)
    }

    /// Every frozen list, by number.
    pub fn dispositions(&self) -> Result<Vec<DispositionRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {BATCH_COLUMNS} from disposition order by batch"
        ))?;
        let rows = statement.query_map([], read_batch)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A frozen list by number.
    pub fn disposition(&self, batch: BatchNo) -> Result<Option<DispositionRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {BATCH_COLUMNS} from disposition where batch = ?1"
            ))?
            .query_row([batch.0], read_batch)
            .optional()?)
    }

    /// The items of a frozen list, by message.
    pub fn disposition_items(&self, batch: BatchNo) -> Result<Vec<DispositionItemRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select message, revision, policy, policy_version, t0, delete_from, retain_until, due
             from disposition_item where batch = ?1 order by message",
        )?;
        let rows = statement.query_map([batch.0], |row| {
            Ok(DispositionItemRow {
                message: MessageNo(row.get(0)?),
                revision: row.get(1)?,
                policy: PolicyRef {
                    no: PolicyNo(row.get(2)?),
                    version: row.get(3)?,
                },
                t0: Timestamp(row.get(4)?),
                delete_from: Timestamp(row.get(5)?),
                retain_until: Timestamp(row.get(6)?),
                due: Timestamp(row.get(7)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What reviewers did with a list, in order.
    pub fn disposition_acts(&self, batch: BatchNo) -> Result<Vec<DispositionActRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select kind, by_user, at, message, until, text_no from disposition_act
             where batch = ?1 order by ordinal",
        )?;
        let rows = statement.query_map([batch.0], |row| {
            Ok(DispositionActRow {
                kind: match row.get::<_, u8>(0)? {
                    0 => ActKind::Approved,
                    1 => ActKind::Excluded,
                    2 => ActKind::Extended,
                    _ => ActKind::Cancelled,
                },
                by: UserNo(row.get(1)?),
                at: Timestamp(row.get(2)?),
                message: row.get::<_, Option<u64>>(3)?.map(MessageNo),
                until: row.get::<_, Option<i64>>(4)?.map(Timestamp),
                text_no: row.get(5)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Keeps what a simulation found.
    pub fn insert_simulation(&self, row: &SimulationRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into simulation (tenant, policy, version, hold_epoch, rule_epoch, ran,
                   ran_by, as_of, records, eligible, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                TenantNo::FIRST.0,
                row.policy.no.0,
                row.policy.version,
                row.epochs.hold,
                row.epochs.rule,
                row.ran.0,
                row.ran_by.0,
                row.as_of.0,
                row.records,
                row.eligible,
                row.text_no,
            ))?;
        Ok(())
    }

    /// Freezes a list; the `batch` of the row is ignored and the given number returned.
    pub fn insert_disposition(
        &self,
        row: &DispositionRow,
        items: &[DispositionItemRow],
    ) -> Result<BatchNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into disposition (tenant, state, computed, requested_by, hold_epoch,
                   rule_epoch, reviewers, recall, items, root, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                TenantNo::FIRST.0,
                row.state as u8,
                row.computed.0,
                row.requested_by.0,
                row.epochs.hold,
                row.epochs.rule,
                row.reviewers,
                row.recall_micros,
                items.len() as u64,
                &row.root[..],
                row.text_no,
            ))?;
        let batch = BatchNo(u64::from(self.last_no("batches are used up")?));
        let mut insert = self.connection().prepare_cached(
            "insert into disposition_item (batch, message, revision, policy, policy_version, t0,
               delete_from, retain_until, due)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        for item in items {
            insert.execute((
                batch.0,
                item.message.0,
                item.revision,
                item.policy.no.0,
                item.policy.version,
                item.t0.0,
                item.delete_from.0,
                item.retain_until.0,
                item.due.0,
            ))?;
        }
        Ok(batch)
    }

    /// Moves a list from one state to another; refused when it is not in the first.
    pub fn move_disposition(
        &self,
        batch: BatchNo,
        from: DispositionState,
        to: DispositionState,
    ) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update disposition set state = ?3 where batch = ?1 and state = ?2")?
            .execute((batch.0, from as u8, to as u8))?;
        self.one_changed(changed, "a list in this state")
    }

    /// Adds an act of review.
    pub fn insert_disposition_act(
        &self,
        batch: BatchNo,
        act: &DispositionActRow,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into disposition_act (batch, ordinal, kind, by_user, at, message, until,
                   text_no)
                 values (?1, (select count(*) from disposition_act where batch = ?1), ?2, ?3, ?4,
                   ?5, ?6, ?7)",
            )?
            .execute((
                batch.0,
                act.kind as u8,
                act.by.0,
                act.at.0,
                act.message.map(|no| no.0),
                act.until.map(|until| until.0),
                act.text_no,
            ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    const POLICY: PolicyRef = PolicyRef {
        no: PolicyNo(1),
        version: 2,
    };

    #[test]
    fn a_list_goes_through_review() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = DispositionRow {
            batch: BatchNo(0),
            state: DispositionState::InReview,
            computed: Timestamp(1),
            requested_by: UserNo(2),
            epochs: Epochs { hold: 3, rule: 4 },
            reviewers: 2,
            recall_micros: 5,
            items: 1,
            root: [6; 32],
            text_no: 7,
        };
        let item = DispositionItemRow {
            message: MessageNo(8),
            revision: 9,
            t0: Timestamp(11),
            delete_from: Timestamp(12),
            retain_until: Timestamp(13),
            policy: POLICY,
            due: Timestamp(10),
        };
        row.batch = tx.insert_disposition(&row, &[item]).unwrap();
        assert_eq!(tx.disposition(row.batch).unwrap(), Some(row));
        assert_eq!(tx.dispositions().unwrap(), [row]);
        assert_eq!(tx.disposition_items(row.batch).unwrap(), [item]);
        let act = DispositionActRow {
            kind: ActKind::Extended,
            by: UserNo(3),
            at: Timestamp(11),
            message: Some(MessageNo(8)),
            until: Some(Timestamp(12)),
            text_no: Some(13),
        };
        tx.insert_disposition_act(row.batch, &act).unwrap();
        tx.insert_disposition_act(row.batch, &act).unwrap();
        assert_eq!(tx.disposition_acts(row.batch).unwrap(), [act, act]);
        let (review, approved) = (DispositionState::InReview, DispositionState::Approved);
        tx.move_disposition(row.batch, review, approved).unwrap();
        assert!(tx.move_disposition(row.batch, review, approved).is_err());
    }

    #[test]
    fn the_newest_simulation_counts() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = SimulationRow {
            policy: POLICY,
            epochs: Epochs { hold: 1, rule: 2 },
            ran: Timestamp(3),
            ran_by: UserNo(4),
            as_of: Timestamp(5),
            records: 6,
            eligible: 7,
            text_no: 8,
        };
        assert_eq!(tx.last_simulation(POLICY).unwrap(), None);
        tx.insert_simulation(&row).unwrap();
        row.ran = Timestamp(9);
        tx.insert_simulation(&row).unwrap();
        assert_eq!(tx.last_simulation(POLICY).unwrap(), Some(row));
    }
}
