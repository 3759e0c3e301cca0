//! Labels, the spans in which records carry them, and the floors that records keep by themselves.

use rusqlite::Row;

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    ConversationNo, LabelId, LabelNo, LabelTarget, MessageNo, TenantNo, Timestamp, UserNo,
};

/// One label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRow {
    /// Its number.
    pub no: LabelNo,
    /// Its public id.
    pub id: LabelId,
    /// Content number of its words (name, description).
    pub text_no: u64,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: UserNo,
}

/// One label on one target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelSpanRow {
    /// Which label.
    pub label: LabelNo,
    /// What it is on.
    pub target: LabelTarget,
    /// Since when.
    pub applied: Timestamp,
    /// Who put it there.
    pub applied_by: UserNo,
    /// First instant without it, and who took it away.
    pub ended: Option<(Timestamp, UserNo)>,
}

/// What a message keeps by itself. Both only grow; `ALWAYS` = nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageFloor {
    /// A compliance lock earned under facts that have changed since.
    pub locked_until: Timestamp,
    /// What a reviewer extended.
    pub extended_until: Timestamp,
}

impl Default for MessageFloor {
    fn default() -> Self {
        MessageFloor {
            locked_until: Timestamp::ALWAYS,
            extended_until: Timestamp::ALWAYS,
        }
    }
}

const SPAN_COLUMNS: &str = "label, target_kind, target, applied, applied_by, ended, ended_by";

fn target_numbers(target: LabelTarget) -> (u8, u64) {
    match target {
        LabelTarget::Message(no) => (0, no.0),
        LabelTarget::Conversation(no) => (1, u64::from(no.0)),
    }
}

fn read_span(row: &Row<'_>) -> rusqlite::Result<LabelSpanRow> {
    let target = match row.get::<_, u8>(1)? {
        0 => LabelTarget::Message(MessageNo(row.get(2)?)),
        _ => LabelTarget::Conversation(ConversationNo(row.get(2)?)),
    };
    let ended: Option<i64> = row.get(5)?;
    let ended_by: Option<u32> = row.get(6)?;
    Ok(LabelSpanRow {
        label: LabelNo(row.get(0)?),
        target,
        applied: Timestamp(row.get(3)?),
        applied_by: UserNo(row.get(4)?),
        ended: ended.map(|at| (Timestamp(at), UserNo(ended_by.unwrap_or_default()))),
    })
}

impl Rows {
    /// Every label, by number.
    pub fn labels(&self) -> Result<Vec<LabelRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select no, id, text_no, created, created_by from label order by no")?;
        let rows = statement.query_map([], |row| {
            Ok(LabelRow {
                no: LabelNo(row.get(0)?),
                id: LabelId(u128::from_be_bytes(row.get(1)?)),
                text_no: row.get(2)?,
                created: Timestamp(row.get(3)?),
                created_by: UserNo(row.get(4)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every span of every label, in the order in which they were applied.
    pub fn label_spans(&self) -> Result<Vec<LabelSpanRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {SPAN_COLUMNS} from label_span order by no"
        ))?;
        let rows = statement.query_map([], read_span)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The spans of one target, in the order in which they were applied.
    pub fn label_spans_of(&self, target: LabelTarget) -> Result<Vec<LabelSpanRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {SPAN_COLUMNS} from label_span where target_kind = ?1 and target = ?2
             order by no"
        ))?;
        let rows = statement.query_map(target_numbers(target), read_span)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The floors of every message that has one, by number.
    pub fn message_floors(&self) -> Result<Vec<(MessageNo, MessageFloor)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select message, locked_until, extended_until from message_floor order by message",
        )?;
        let rows = statement.query_map([], |row| {
            let floor = MessageFloor {
                locked_until: Timestamp(row.get(1)?),
                extended_until: Timestamp(row.get(2)?),
            };
            Ok((MessageNo(row.get(0)?), floor))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Adds a label; its `no` is ignored and the given number returned.
    pub fn insert_label(&self, row: &LabelRow) -> Result<LabelNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into label (tenant, id, text_no, created, created_by)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.text_no,
                row.created.0,
                row.created_by.0,
            ))?;
        self.last_no("labels are used up").map(LabelNo)
    }

    /// Puts a label on a target; the one it carried ends at the same instant.
    pub fn apply_label(
        &self,
        label: LabelNo,
        target: LabelTarget,
        at: Timestamp,
        by: UserNo,
    ) -> Result<(), StoreError> {
        self.end_label(target, at, by)?;
        let (kind, no) = target_numbers(target);
        self.connection()
            .prepare_cached(
                "insert into label_span (tenant, label, target_kind, target, applied, applied_by)
                 values (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute((TenantNo::FIRST.0, label.0, kind, no, at.0, by.0))?;
        self.rules_changed()
    }

    /// Takes the label off a target; without one nothing changes.
    pub fn end_label(
        &self,
        target: LabelTarget,
        at: Timestamp,
        by: UserNo,
    ) -> Result<(), StoreError> {
        let (kind, no) = target_numbers(target);
        let changed = self
            .connection()
            .prepare_cached(
                "update label_span set ended = ?3, ended_by = ?4
                 where target_kind = ?1 and target = ?2 and ended is null",
            )?
            .execute((kind, no, at.0, by.0))?;
        match changed {
            0 => Ok(()),
            _ => self.rules_changed(),
        }
    }

    /// Raises the floors of a message; what is lower than what stands changes nothing.
    pub fn raise_floor(&self, message: MessageNo, floor: MessageFloor) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into message_floor (message, tenant, locked_until, extended_until)
                 values (?1, ?2, ?3, ?4)
                 on conflict (message) do update set
                   locked_until = max(locked_until, excluded.locked_until),
                   extended_until = max(extended_until, excluded.extended_until)",
            )?
            .execute((
                message.0,
                TenantNo::FIRST.0,
                floor.locked_until.0,
                floor.extended_until.0,
            ))?;
        self.rules_changed()
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn a_target_carries_one_label_at_a_time_and_remembers_the_others() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let target = LabelTarget::Conversation(ConversationNo(5));
        tx.apply_label(LabelNo(1), target, Timestamp(10), UserNo(1))
            .unwrap();
        tx.apply_label(LabelNo(2), target, Timestamp(20), UserNo(2))
            .unwrap();
        tx.end_label(target, Timestamp(30), UserNo(3)).unwrap();
        tx.end_label(target, Timestamp(40), UserNo(4)).unwrap();
        let message = LabelTarget::Message(MessageNo(5));
        tx.apply_label(LabelNo(1), message, Timestamp(50), UserNo(1))
            .unwrap();
        let spans = tx.label_spans_of(target).unwrap();
        assert_eq!(
            spans.iter().map(|span| span.ended).collect::<Vec<_>>(),
            [
                Some((Timestamp(20), UserNo(2))),
                Some((Timestamp(30), UserNo(3)))
            ]
        );
        assert_eq!(tx.label_spans_of(message).unwrap()[0].ended, None);
        assert_eq!(tx.label_spans().unwrap().len(), 3);
    }

    #[test]
    fn floors_only_rise() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let floor = |locked: i64, extended: i64| MessageFloor {
            locked_until: Timestamp(locked),
            extended_until: Timestamp(extended),
        };
        for (locked, extended) in [(5, i64::MIN), (3, 8), (4, 7)] {
            tx.raise_floor(MessageNo(1), floor(locked, extended))
                .unwrap();
        }
        assert_eq!(tx.message_floors().unwrap(), [(MessageNo(1), floor(5, 8))]);
    }
}
