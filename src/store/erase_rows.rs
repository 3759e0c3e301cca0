//! Rows of destruction: batches and how far they came, their items, the keys and files they cost.

use rusqlite::{OptionalExtension, Row};

use super::{DataKeyId, Rows, StoreError, WriteTx};
use crate::domain::{ConversationNo, ImportNo, MessageNo, TenantNo, Timestamp};

/// How far a batch came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum EraseState {
    /// It is intended; some of its items may be decided.
    Intended = 0,
    /// Every item is decided and the keys of the destroyed ones are dead.
    Decided = 1,
    /// The index has forgotten them.
    Unindexed = 2,
    /// Their files are unlinked.
    Unlinked = 3,
    /// Nothing of them was found; a certificate is awaited.
    Checked = 4,
    /// A certificate was made.
    Certified = 5,
}

impl EraseState {
    fn from_number(number: u8) -> Self {
        use EraseState::*;
        match number {
            0 => Intended,
            1 => Decided,
            2 => Unindexed,
            3 => Unlinked,
            4 => Checked,
            _ => Certified,
        }
    }
}

/// One batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EraseBatchRow {
    /// Its number.
    pub batch: u64,
    /// Root over the approved items.
    pub root: [u8; 32],
    /// State of the holds when it was planned.
    pub hold_epoch: u64,
    /// How many items.
    pub items: u64,
    /// How far it came.
    pub state: EraseState,
    /// When it was intended, in compliance time.
    pub begun: Timestamp,
    /// When its first slice was decided.
    pub decided: Option<Timestamp>,
    /// Keyhold generation before the first step.
    pub generation_before: u64,
    /// Keyhold generation after the last step so far.
    pub generation_after: u64,
    /// Things that were looked for after it.
    pub sampled: u64,
    /// Whether every destroyed key was absent.
    pub key_absent: bool,
    /// Whether the index counted none of its words.
    pub index_absent: bool,
    /// Files in which one of its words stood readable.
    pub scan_hits: u64,
    /// Number of its certificate.
    pub certificate: Option<u64>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EraseFate {
    /// Nothing yet.
    Waiting,
    /// It was destroyed.
    Erased {
        /// The conversation it stood in.
        conversation: ConversationNo,
        /// Its effective time.
        sent: Timestamp,
        /// The import that brought it first.
        import: ImportNo,
        /// Its identity under the tombstone key.
        keyed_id: [u8; 32],
    },
    /// It stays: code and object of the reason.
    Dropped(u16, u64),
}

/// One item of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EraseItemRow {
    /// The message.
    pub no: MessageNo,
    /// The version it was approved in.
    pub revision: u16,
    /// What became of it.
    pub fate: EraseFate,
}

/// Name in `number_sequence` of the numbers of certificates, where they were lifted by a restore: its
/// mark is the last number that is taken.
pub const CERTIFICATE_SEQUENCE: &str = "certificate";

const BATCH_COLUMNS: &str = "batch, root, hold_epoch, items, state, begun, decided, \
    generation_before, generation_after, sampled, key_absent, index_absent, scan_hits, certificate";

fn read_batch(row: &Row<'_>) -> rusqlite::Result<EraseBatchRow> {
    Ok(EraseBatchRow {
        batch: row.get(0)?,
        root: row.get(1)?,
        hold_epoch: row.get(2)?,
        items: row.get(3)?,
        state: EraseState::from_number(row.get(4)?),
        begun: Timestamp(row.get(5)?),
        decided: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        generation_before: row.get(7)?,
        generation_after: row.get(8)?,
        sampled: row.get(9)?,
        key_absent: row.get(10)?,
        index_absent: row.get(11)?,
        scan_hits: row.get(12)?,
        certificate: row.get(13)?,
    })
}

const ITEM_COLUMNS: &str =
    "no, revision, fate, reason_code, reason_object, conversation, sent, import, keyed_id";

fn read_item(row: &Row<'_>) -> rusqlite::Result<EraseItemRow> {
    let fate = match row.get::<_, u8>(2)? {
        0 => EraseFate::Waiting,
        1 => EraseFate::Erased {
            conversation: ConversationNo(row.get(5)?),
            sent: Timestamp(row.get(6)?),
            import: ImportNo(row.get(7)?),
            keyed_id: row.get(8)?,
        },
        _ => EraseFate::Dropped(row.get(3)?, row.get(4)?),
    };
    Ok(EraseItemRow {
        no: MessageNo(row.get(0)?),
        revision: row.get(1)?,
        fate,
    })
}

impl Rows {
    /// A batch by number.
    pub fn erase_batch(&self, batch: u64) -> Result<Option<EraseBatchRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {BATCH_COLUMNS} from erase_batch where batch = ?1"
            ))?
            .query_row([batch], read_batch)
            .optional()?)
    }

    /// Every batch, by number.
    pub fn erase_batches(&self) -> Result<Vec<EraseBatchRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {BATCH_COLUMNS} from erase_batch order by batch"
        ))?;
        let rows = statement.query_map([], read_batch)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The highest number of a certificate there ever was; 0 before the first. In a restored record
    /// those that were made after the backup count too, as far as the escrow knew of them.
    pub fn last_certificate(&self) -> Result<u64, StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select max(
                   coalesce((select max(certificate) from erase_batch), 0),
                   coalesce((select high_water from number_sequence where name = ?1), 0))",
            )?
            .query_row([CERTIFICATE_SEQUENCE], |row| row.get(0))?)
    }

    /// The highest number a certificate may have got by the time somebody restores what is here now:
    /// each run that was begun gets one more.
    pub fn certificates_to_come(&self) -> Result<u64, StoreError> {
        let open: u64 = self.connection.query_row(
            "select count(*) from erase_batch where certificate is null",
            [],
            |row| row.get(0),
        )?;
        Ok(self.last_certificate()? + open)
    }

    /// The items of a batch, by number.
    pub fn erase_items(&self, batch: u64) -> Result<Vec<EraseItemRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {ITEM_COLUMNS} from erase_item where batch = ?1 order by no"
        ))?;
        let rows = statement.query_map([batch], read_item)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The batch that destroyed a message, with what is left of it.
    pub fn erased_item(&self, no: MessageNo) -> Result<Option<(u64, EraseItemRow)>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {ITEM_COLUMNS}, batch from erase_item where no = ?1 and fate = 1"
            ))?
            .query_row([no.0], |row| Ok((row.get(9)?, read_item(row)?)))
            .optional()?)
    }

    /// Messages that were destroyed and may still be in the index, with their times.
    pub fn erased_but_indexed(&self) -> Result<Vec<(MessageNo, Timestamp)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select no, sent from erase_item
             where batch in (select batch from erase_batch where state < 2) and fate = 1
             order by sent, no",
        )?;
        let rows = statement.query_map([], |row| {
            Ok((MessageNo(row.get(0)?), Timestamp(row.get(1)?)))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Numbers of the key rows a batch destroyed, ascending.
    pub fn erase_keys(&self, batch: u64) -> Result<Vec<u64>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select data_key from erase_key where batch = ?1 order by data_key")?;
        let rows = statement.query_map([batch], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What the kept backups are owed: batches, and the current keys of buckets in which something
    /// was moved while its old key was destroyed.
    pub fn owed_survivors(&self) -> Result<Vec<(u64, Vec<DataKeyId>)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select batch, data_key from erase_owed order by batch, data_key")?;
        let mut rows = statement.query([])?;
        let mut owed: Vec<(u64, Vec<DataKeyId>)> = Vec::new();
        while let Some(row) = rows.next()? {
            let (batch, key) = (row.get(0)?, DataKeyId(row.get(1)?));
            match owed.last_mut() {
                Some((last, keys)) if *last == batch => keys.push(key),
                _ => owed.push((batch, vec![key])),
            }
        }
        Ok(owed)
    }

    /// How many files a batch removes, and their plain bytes.
    pub fn erase_blob_totals(&self, batch: u64) -> Result<(u64, u64), StoreError> {
        Ok(self
            .connection
            .prepare_cached(
                "select count(*), coalesce(sum(bytes), 0) from erase_blob where batch = ?1",
            )?
            .query_row([batch], |row| Ok((row.get(0)?, row.get(1)?)))?)
    }

    /// Names of files whose rows are gone and that wait for their unlinking.
    pub fn blobs_to_unlink(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select name from erase_blob where unlinked = 0")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a file name belonged to something that was destroyed: it is not used again.
    pub fn blob_name_is_spent(&self, name: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select exists (select 1 from erase_blob where name = ?1)")?
            .query_row([&name[..]], |row| row.get(0))?)
    }
}

impl WriteTx<'_> {
    /// Adds a batch with its items, all waiting.
    pub fn insert_erase_batch(
        &self,
        row: &EraseBatchRow,
        items: impl Iterator<Item = (MessageNo, u16)>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into erase_batch (batch, tenant, root, hold_epoch, items, state, begun,
                   generation_before, generation_after)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute((
                row.batch,
                TenantNo::FIRST.0,
                &row.root[..],
                row.hold_epoch,
                row.items,
                row.state as u8,
                row.begun.0,
                row.generation_before,
                row.generation_after,
            ))?;
        let mut insert = self.connection().prepare_cached(
            "insert into erase_item (batch, no, revision, fate) values (?1, ?2, ?3, 0)",
        )?;
        for (no, revision) in items {
            insert.execute((row.batch, no.0, revision))?;
        }
        Ok(())
    }

    /// Writes how a batch stands; root, items and begin never change.
    pub fn update_erase_batch(&self, row: &EraseBatchRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update erase_batch set state = ?2, decided = ?3, generation_after = ?4,
                   sampled = ?5, key_absent = ?6, index_absent = ?7, scan_hits = ?8,
                   certificate = ?9
                 where batch = ?1",
            )?
            .execute((
                row.batch,
                row.state as u8,
                row.decided.map(|at| at.0),
                row.generation_after,
                row.sampled,
                row.key_absent,
                row.index_absent,
                row.scan_hits,
                row.certificate,
            ))?;
        Ok(())
    }

    /// Records what became of an item.
    pub fn set_erase_fate(&self, batch: u64, item: &EraseItemRow) -> Result<(), StoreError> {
        let place = (batch, item.no.0);
        match &item.fate {
            EraseFate::Waiting => Ok(()),
            EraseFate::Erased {
                conversation,
                sent,
                import,
                keyed_id,
            } => {
                self.connection()
                    .prepare_cached(
                        "update erase_item set fate = 1, conversation = ?3, sent = ?4, import = ?5,
                           keyed_id = ?6 where batch = ?1 and no = ?2",
                    )?
                    .execute((
                        place.0,
                        place.1,
                        conversation.0,
                        sent.0,
                        import.0,
                        &keyed_id[..],
                    ))?;
                Ok(())
            }
            EraseFate::Dropped(code, object) => {
                self.connection()
                    .prepare_cached(
                        "update erase_item set fate = 2, reason_code = ?3, reason_object = ?4
                         where batch = ?1 and no = ?2",
                    )?
                    .execute((place.0, place.1, code, object))?;
                Ok(())
            }
        }
    }

    /// Records that a batch destroyed a key row.
    pub fn insert_erase_key(&self, batch: u64, key: DataKeyId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into erase_key (batch, data_key) values (?1, ?2) on conflict do nothing",
            )?
            .execute((batch, key.0))?;
        Ok(())
    }

    /// Records that the kept backups are owed what lies under `key`.
    pub fn owe_survivors(&self, batch: u64, key: DataKeyId) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into erase_owed (batch, data_key) values (?1, ?2) on conflict do nothing",
            )?
            .execute((batch, key.0))?;
        Ok(())
    }

    /// Records that the kept backups have what `batch` owed them.
    pub fn settle_survivors(&self, batch: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached("delete from erase_owed where batch = ?1")?
            .execute([batch])?;
        Ok(())
    }

    /// Records that a file is to be unlinked.
    pub fn insert_erase_blob(
        &self,
        batch: u64,
        name: &[u8; 32],
        bytes: u64,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into erase_blob (name, batch, bytes, unlinked) values (?1, ?2, ?3, 0)
                 on conflict (name) do update set batch = excluded.batch, bytes = excluded.bytes,
                   unlinked = 0",
            )?
            .execute((&name[..], batch, bytes))?;
        Ok(())
    }

    /// Records that no destroyed file is left.
    pub fn blobs_unlinked(&self) -> Result<(), StoreError> {
        self.connection()
            .execute("update erase_blob set unlinked = 1 where unlinked = 0", [])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    fn batch(no: u64) -> EraseBatchRow {
        EraseBatchRow {
            batch: no,
            root: [3; 32],
            hold_epoch: 5,
            items: 2,
            state: EraseState::Intended,
            begun: Timestamp(7),
            decided: None,
            generation_before: 1,
            generation_after: 1,
            sampled: 0,
            key_absent: false,
            index_absent: false,
            scan_hits: 0,
            certificate: None,
        }
    }

    #[test]
    fn a_batch_and_its_items_read_back() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let mut row = batch(4);
        let items = [(MessageNo(8), 1), (MessageNo(9), 0)];
        tx.insert_erase_batch(&row, items.into_iter()).unwrap();
        assert_eq!(tx.erase_batch(4).unwrap(), Some(row.clone()));
        let fate = EraseFate::Erased {
            conversation: ConversationNo(2),
            sent: Timestamp(-3),
            import: ImportNo(6),
            keyed_id: [9; 32],
        };
        let erased = EraseItemRow {
            no: MessageNo(8),
            revision: 1,
            fate,
        };
        tx.set_erase_fate(4, &erased).unwrap();
        let dropped = EraseItemRow {
            no: MessageNo(9),
            revision: 0,
            fate: EraseFate::Dropped(17, 3),
        };
        tx.set_erase_fate(4, &dropped).unwrap();
        assert_eq!(tx.erase_items(4).unwrap(), [erased, dropped]);
        assert_eq!(tx.erased_item(MessageNo(8)).unwrap(), Some((4, erased)));
        assert_eq!(tx.erased_item(MessageNo(9)).unwrap(), None);
        let indexed = [(MessageNo(8), Timestamp(-3))];
        assert_eq!(tx.erased_but_indexed().unwrap(), indexed);
        row.state = EraseState::Checked;
        row.decided = Some(Timestamp(8));
        let numbers = |tx: &WriteTx<'_>| {
            let last = tx.last_certificate().unwrap();
            (last, tx.certificates_to_come().unwrap())
        };
        assert_eq!(numbers(&tx), (0, 1));
        row.certificate = Some(1);
        tx.update_erase_batch(&row).unwrap();
        assert_eq!(tx.erase_batches().unwrap(), [row]);
        assert_eq!(numbers(&tx), (1, 1));
        tx.lift_sequence(CERTIFICATE_SEQUENCE, 6).unwrap();
        assert_eq!(numbers(&tx), (6, 6));
        assert!(tx.erased_but_indexed().unwrap().is_empty());
    }

    #[test]
    fn a_file_name_stays_spent_after_its_unlinking() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        tx.insert_erase_blob(1, &[1; 32], 70).unwrap();
        assert_eq!(tx.blobs_to_unlink().unwrap(), [[1; 32]]);
        tx.blobs_unlinked().unwrap();
        assert!(tx.blobs_to_unlink().unwrap().is_empty());
        assert!(tx.blob_name_is_spent(&[1; 32]).unwrap());
        assert!(!tx.blob_name_is_spent(&[2; 32]).unwrap());
        assert_eq!(tx.erase_blob_totals(1).unwrap(), (1, 70));
    }
}
