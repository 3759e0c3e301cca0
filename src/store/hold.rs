//! Holds and the matters they belong to. A hold row is ended, never deleted.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    Hold, HoldId, HoldNo, HoldScope, MatterId, MatterNo, MessageNo, Release, TenantNo, Timestamp,
    UserNo,
};

/// One hold with the numbers of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HoldRow {
    /// Its public id.
    pub id: HoldId,
    /// What it says.
    pub hold: Hold,
    /// A release that was asked for: when and by whom; it waits for the second person.
    pub release_requested: Option<(Timestamp, UserNo)>,
    /// Content number of its words (name, query, reason).
    pub text_no: u64,
    /// Content number of the reason of its release.
    pub release_text_no: Option<u64>,
}

/// One matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatterRow {
    /// Its number.
    pub no: MatterNo,
    /// Its public id.
    pub id: MatterId,
    /// Content number of its words (name, reference).
    pub text_no: u64,
    /// When it was opened.
    pub opened: Timestamp,
    /// Who opened it.
    pub opened_by: UserNo,
    /// When it was closed.
    pub closed: Option<Timestamp>,
}

const COLUMNS: &str = "no, id, matter, kind, object, placed, placed_by, grace_days, keep_context, \
                       release_requested, release_requested_by, released, released_by, \
                       release_text_no, text_no";

fn read_row(row: &Row<'_>) -> rusqlite::Result<HoldRow> {
    let scope = HoldScope::from_numbers(row.get(3)?, row.get(4)?).ok_or_else(|| {
        rusqlite::Error::FromSqlConversionFailure(
            3,
            rusqlite::types::Type::Integer,
            "hold: scope is of no known kind".into(),
        )
    })?;
    let requested: Option<i64> = row.get(9)?;
    let requested_by: Option<u32> = row.get(10)?;
    let released: Option<i64> = row.get(11)?;
    let released_by: Option<u32> = row.get(12)?;
    let release = match (released, requested_by, released_by) {
        (Some(at), Some(requested_by), Some(approved_by)) => Some(Release {
            at: Timestamp(at),
            requested_by: UserNo(requested_by),
            approved_by: UserNo(approved_by),
        }),
        _ => None,
    };
    Ok(HoldRow {
        id: HoldId(u128::from_be_bytes(row.get(1)?)),
        hold: Hold {
            no: HoldNo(row.get(0)?),
            matter: MatterNo(row.get(2)?),
            scope,
            from: Timestamp(row.get(5)?),
            placed_by: UserNo(row.get(6)?),
            release,
            grace_days: row.get(7)?,
            keep_context: row.get(8)?,
        },
        release_requested: requested
            .zip(requested_by)
            .map(|(at, by)| (Timestamp(at), UserNo(by))),
        release_text_no: row.get(13)?,
        text_no: row.get(14)?,
    })
}

fn read_matter(row: &Row<'_>) -> rusqlite::Result<MatterRow> {
    Ok(MatterRow {
        no: MatterNo(row.get(0)?),
        id: MatterId(u128::from_be_bytes(row.get(1)?)),
        text_no: row.get(2)?,
        opened: Timestamp(row.get(3)?),
        opened_by: UserNo(row.get(4)?),
        closed: row.get::<_, Option<i64>>(5)?.map(Timestamp),
    })
}

impl Rows {
    /// Every hold there ever was, by number.
    pub fn holds(&self) -> Result<Vec<HoldRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from hold order by no"))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// A hold by number.
    pub fn hold(&self, no: HoldNo) -> Result<Option<HoldRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!("select {COLUMNS} from hold where no = ?1"))?
            .query_row([no.0], read_row)
            .optional()?)
    }

    /// The messages of a hold by ids, by number.
    pub fn hold_items(&self, hold: HoldNo) -> Result<Vec<MessageNo>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select message from hold_item where hold = ?1 order by message")?;
        let rows = statement.query_map([hold.0], |row| Ok(MessageNo(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every matter, by number.
    pub fn matters(&self) -> Result<Vec<MatterRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, id, text_no, opened, opened_by, closed from matter order by no",
        )?;
        let rows = statement.query_map([], read_matter)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Places a hold; its `no` is ignored and the given number returned. Effective at commit.
    pub fn insert_hold(&self, row: &HoldRow) -> Result<HoldNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into hold (tenant, id, matter, kind, object, placed, placed_by, grace_days,
                   keep_context, text_no)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.hold.matter.0,
                row.hold.scope.number(),
                row.hold.scope.object(),
                row.hold.from.0,
                row.hold.placed_by.0,
                row.hold.grace_days,
                row.hold.keep_context,
                row.text_no,
            ))?;
        let no = self.last_no("holds are used up").map(HoldNo)?;
        self.holds_changed()?;
        Ok(no)
    }

    /// Puts a message on the list of a hold by ids; again is no change.
    pub fn insert_hold_item(&self, hold: HoldNo, message: MessageNo) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into hold_item (hold, message) values (?1, ?2) on conflict do nothing",
            )?
            .execute((hold.0, message.0))?;
        self.holds_changed()
    }

    /// Notes that somebody asks for the release of a hold; it keeps protecting.
    pub fn request_release(
        &self,
        hold: HoldNo,
        at: Timestamp,
        by: UserNo,
        text_no: u64,
    ) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update hold set release_requested = ?2, release_requested_by = ?3,
                   release_text_no = ?4
                 where no = ?1 and released is null",
            )?
            .execute((hold.0, at.0, by.0, text_no))?;
        self.one_changed(changed, "an open hold")?;
        self.holds_changed()
    }

    /// Releases a hold whose release somebody else asked for; its grace begins.
    pub fn release_hold(&self, hold: HoldNo, at: Timestamp, by: UserNo) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update hold set released = ?2, released_by = ?3
                 where no = ?1 and released is null and release_requested_by is not null
                   and release_requested_by <> ?3",
            )?
            .execute((hold.0, at.0, by.0))?;
        self.one_changed(changed, "a hold whose release somebody else asked for")?;
        self.holds_changed()
    }

    /// Opens a matter; its `no` is ignored and the given number returned.
    pub fn insert_matter(&self, row: &MatterRow) -> Result<MatterNo, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into matter (tenant, id, text_no, opened, opened_by)
                 values (?1, ?2, ?3, ?4, ?5)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.text_no,
                row.opened.0,
                row.opened_by.0,
            ))?;
        self.last_no("matters are used up").map(MatterNo)
    }

    /// Closes a matter. Whether its holds are released is the caller's question.
    pub fn close_matter(&self, no: MatterNo, at: Timestamp) -> Result<(), StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update matter set closed = ?2 where no = ?1 and closed is null")?
            .execute((no.0, at.0))?;
        self.one_changed(changed, "an open matter")
    }

    /// The number of the row just added, as far as numbers of its kind go.
    pub(super) fn last_no(&self, used_up: &'static str) -> Result<u32, StoreError> {
        u32::try_from(self.connection().last_insert_rowid()).map_err(|_| StoreError::Limit(used_up))
    }

    /// Refuses an update that found no row.
    pub(super) fn one_changed(&self, changed: usize, what: &str) -> Result<(), StoreError> {
        match changed {
            0 => Err(StoreError::NotFound(what.to_owned())),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;
    use crate::domain::{AccountNo, ConversationNo, GRACE_DAYS, PersonNo};

    fn row(scope: HoldScope, id: u128) -> HoldRow {
        HoldRow {
            id: HoldId(id),
            hold: Hold {
                no: HoldNo(0),
                matter: MatterNo(1),
                scope,
                from: Timestamp(10),
                placed_by: UserNo(1),
                release: None,
                grace_days: GRACE_DAYS,
                keep_context: 3,
            },
            release_requested: None,
            text_no: 5,
            release_text_no: None,
        }
    }

    #[test]
    fn every_kind_of_hold_reads_back_and_moves_the_epoch() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let scopes = [
            HoldScope::Ids,
            HoldScope::Query,
            HoldScope::Custodian(PersonNo(7)),
            HoldScope::Conversation(ConversationNo(8)),
            HoldScope::Account(AccountNo(9)),
        ];
        for (id, scope) in scopes.into_iter().enumerate() {
            let mut row = row(scope, id as u128);
            let before = tx.epochs().unwrap().hold;
            row.hold.no = tx.insert_hold(&row).unwrap();
            assert_eq!(tx.hold(row.hold.no).unwrap(), Some(row));
            assert_eq!(tx.epochs().unwrap().hold, before + 1);
        }
        assert_eq!(tx.holds().unwrap().len(), scopes.len());
        tx.insert_hold_item(HoldNo(1), MessageNo(4)).unwrap();
        tx.insert_hold_item(HoldNo(1), MessageNo(4)).unwrap();
        assert_eq!(tx.hold_items(HoldNo(1)).unwrap(), [MessageNo(4)]);
    }

    #[test]
    fn nobody_releases_alone_or_twice() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let no = tx.insert_hold(&row(HoldScope::Query, 1)).unwrap();
        assert!(tx.release_hold(no, Timestamp(20), UserNo(2)).is_err());
        tx.request_release(no, Timestamp(15), UserNo(1), 6).unwrap();
        assert!(tx.release_hold(no, Timestamp(20), UserNo(1)).is_err());
        tx.release_hold(no, Timestamp(20), UserNo(2)).unwrap();
        let row = tx.hold(no).unwrap().unwrap();
        assert_eq!(
            row.hold.release,
            Some(Release {
                at: Timestamp(20),
                requested_by: UserNo(1),
                approved_by: UserNo(2)
            })
        );
        assert!(tx.release_hold(no, Timestamp(21), UserNo(2)).is_err());
        assert!(tx.request_release(no, Timestamp(22), UserNo(3), 6).is_err());
    }
}
