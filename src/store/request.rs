//! Requests for erasure and what became of each message they are about. Never deleted.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Row;

use super::{ConversationSpan, Rows, StoreError, WriteTx};
use crate::domain::{
    ConversationNo, Ground, HoldNo, MessageNo, PersonNo, RequestId, RequestNo, RequestOutcome,
    TenantNo, Timestamp, UserNo,
};

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestRow {
    /// Its number.
    pub no: RequestNo,
    /// Its public id.
    pub id: RequestId,
    /// When the person asked, as typed.
    pub received: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Who recorded it.
    pub recorded_by: UserNo,
    /// Until when it has to be answered.
    pub answer_by: Timestamp,
    /// Content number of its words (who, reference, reason).
    pub text_no: u64,
}

/// How many messages conversations hold, and what those span.
pub type Spans = BTreeMap<ConversationNo, (u64, Option<ConversationSpan>)>;

/// One message of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestItemRow {
    /// The message.
    pub message: MessageNo,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// On which ground it stays.
    pub ground: Option<Ground>,
    /// When to look at it again.
    pub review: Option<Timestamp>,
    /// Since when it stands so.
    pub decided: Timestamp,
    /// Who decided; `None`: the house, by its rules.
    pub decided_by: Option<UserNo>,
    /// Content number of the reason a person gave.
    pub text_no: Option<u64>,
}

fn read_request(row: &Row<'_>) -> rusqlite::Result<RequestRow> {
    Ok(RequestRow {
        no: RequestNo(row.get(0)?),
        id: RequestId(u128::from_be_bytes(row.get(1)?)),
        received: Timestamp(row.get(2)?),
        recorded: Timestamp(row.get(3)?),
        recorded_by: UserNo(row.get(4)?),
        answer_by: Timestamp(row.get(5)?),
        text_no: row.get(6)?,
    })
}

fn read_item(row: &Row<'_>) -> rusqlite::Result<RequestItemRow> {
    let hold = row.get::<_, Option<u32>>(3)?.map(HoldNo);
    Ok(RequestItemRow {
        message: MessageNo(row.get(0)?),
        outcome: RequestOutcome::from_number(row.get(1)?),
        ground: Ground::from_numbers(row.get(2)?, hold),
        review: row.get::<_, Option<i64>>(4)?.map(Timestamp),
        decided: Timestamp(row.get(5)?),
        decided_by: row.get::<_, Option<u32>>(6)?.map(UserNo),
        text_no: row.get(7)?,
    })
}

impl Rows {
    /// Every request there ever was, by number.
    pub fn requests(&self) -> Result<Vec<RequestRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, id, received, recorded, recorded_by, answer_by, text_no
             from erasure_request order by no",
        )?;
        let rows = statement.query_map([], read_request)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The messages of a request, by number.
    pub fn request_items(&self, request: RequestNo) -> Result<Vec<RequestItemRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select message, outcome, ground, hold, review, decided, decided_by, text_no
             from erasure_item where request = ?1 order by message",
        )?;
        let rows = statement.query_map([request.0], read_item)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Messages hidden from ordinary search.
    pub fn withheld(&self) -> Result<BTreeSet<MessageNo>, StoreError> {
        self.messages_of("select message from erasure_item where outcome in (0, 2)")
    }

    /// The conversations that hold messages hidden from ordinary search: how many others each holds,
    /// and what those span.
    pub fn spans_without_withheld(&self) -> Result<Spans, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "with hidden as (select distinct message from erasure_item where outcome in (0, 2))
             select conversation,
                    count(*) filter (where hidden.message is null),
                    min(sent) filter (where hidden.message is null),
                    max(sent) filter (where hidden.message is null)
             from message left join hidden on hidden.message = message.no
             where conversation in
                   (select conversation from hidden join message on message.no = hidden.message)
             group by conversation",
        )?;
        let rows = statement.query_map([], |row| {
            let first: Option<i64> = row.get(2)?;
            let last: Option<i64> = row.get(3)?;
            let span = first.zip(last).map(|(first, last)| ConversationSpan {
                first: Timestamp(first),
                last: Timestamp(last),
            });
            Ok((ConversationNo(row.get(0)?), (row.get(1)?, span)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Messages that a request wants on the next list.
    pub fn request_due(&self) -> Result<BTreeSet<MessageNo>, StoreError> {
        self.messages_of("select message from erasure_item where outcome in (0, 2) and outcome = 0")
    }

    /// Messages that requests name and none of them wants gone now.
    pub fn called_back(&self) -> Result<BTreeSet<MessageNo>, StoreError> {
        self.messages_of(
            "select message from erasure_item group by message having min(outcome) > 0",
        )
    }

    fn messages_of(&self, sql: &str) -> Result<BTreeSet<MessageNo>, StoreError> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| Ok(MessageNo(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Records a request with the people it names; its `no` is ignored and the given one returned.
    pub fn insert_request(
        &self,
        row: &RequestRow,
        people: &[PersonNo],
    ) -> Result<RequestNo, StoreError> {
        let no = self
            .connection()
            .prepare_cached(
                "insert into erasure_request
                 (tenant, id, received, recorded, recorded_by, answer_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7) returning no",
            )?
            .query_row(
                (
                    TenantNo::FIRST.0,
                    row.id.0.to_be_bytes(),
                    row.received.0,
                    row.recorded.0,
                    row.recorded_by.0,
                    row.answer_by.0,
                    row.text_no,
                ),
                |row| Ok(RequestNo(row.get(0)?)),
            )?;
        let mut statement = self
            .connection()
            .prepare_cached("insert into erasure_person (request, person) values (?1, ?2)")?;
        for person in people {
            statement.execute((no.0, person.0))?;
        }
        Ok(no)
    }

    /// Writes how a message of a request stands now, in the place of how it stood.
    pub fn put_request_item(
        &self,
        request: RequestNo,
        item: &RequestItemRow,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert or replace into erasure_item
                 (request, message, outcome, ground, hold, review, decided, decided_by, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                request.0,
                item.message.0,
                item.outcome as u8,
                item.ground.map_or(0, Ground::number),
                item.ground.and_then(Ground::hold).map(|hold| hold.0),
                item.review.map(|at| at.0),
                item.decided.0,
                item.decided_by.map(|by| by.0),
                item.text_no,
            ))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn a_request_and_its_items_read_back_and_hide_what_is_open() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = RequestRow {
            no: RequestNo(0),
            id: RequestId(5),
            received: Timestamp(1),
            recorded: Timestamp(2),
            recorded_by: UserNo(3),
            answer_by: Timestamp(4),
            text_no: 6,
        };
        row.no = tx
            .insert_request(&row, &[PersonNo(7), PersonNo(8)])
            .unwrap();
        assert_eq!(tx.requests().unwrap(), [row]);
        let item = |no, outcome| RequestItemRow {
            message: MessageNo(no),
            outcome,
            ground: Some(Ground::LegalClaims(Some(HoldNo(9)))),
            review: Some(Timestamp(10)),
            decided: Timestamp(11),
            decided_by: Some(UserNo(12)),
            text_no: Some(13),
        };
        let items = [
            item(1, RequestOutcome::Due),
            item(2, RequestOutcome::Erased),
            item(3, RequestOutcome::Restricted),
            item(4, RequestOutcome::Refused),
        ];
        for item in &items {
            tx.put_request_item(row.no, item).unwrap();
        }
        assert_eq!(tx.request_items(row.no).unwrap(), items);
        let set = |numbers: &[u64]| numbers.iter().copied().map(MessageNo).collect();
        assert_eq!(tx.withheld().unwrap(), set(&[1, 3]));
        assert_eq!(tx.request_due().unwrap(), set(&[1]));
        assert_eq!(tx.called_back().unwrap(), set(&[2, 3, 4]));
        tx.put_request_item(row.no, &item(1, RequestOutcome::Refused))
            .unwrap();
        assert_eq!(tx.withheld().unwrap(), set(&[3]));
    }
}
