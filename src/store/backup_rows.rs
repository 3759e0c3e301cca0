//! What the record knows of its backups: recovery keys, kept backups, where escrows go.

use rusqlite::{OptionalExtension, Row};

use super::{ContentRow, DataKeyId, Rows, StoreError, WriteTx};
use crate::domain::{BackupId, ImportNo, MessageNo, TenantNo, Timestamp};

/// The public half of a recovery key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryKeyRow {
    /// The public half.
    pub public: [u8; 32],
    /// When it was made.
    pub created: Timestamp,
    /// When it was typed in again and fitted.
    pub tested: Option<Timestamp>,
}

/// How a backup stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum BackupState {
    /// Being written, or cut off by a crash.
    Begun = 0,
    /// Whole, and its key is held.
    Kept = 1,
    /// Its key is destroyed.
    Forgotten = 2,
}

/// A backup the record knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupRow {
    /// Its number, in the order they were made.
    pub no: u32,
    /// Its public id, also the name of its directory.
    pub id: BackupId,
    /// When it was begun.
    pub created: Timestamp,
    /// Content number of the sealed path of its target.
    pub target_no: u64,
    /// Its database key.
    pub db_key: DataKeyId,
    /// SHA-256 of its manifest, once written.
    pub manifest: Option<[u8; 32]>,
    /// Messages inside.
    pub messages: u64,
    /// Bytes of its files, without survivor packs.
    pub bytes: u64,
    /// Survivor packs beside it, as last seen.
    pub packs: u32,
    /// SHA-256 of their list, as last seen.
    pub packs_hash: Option<[u8; 32]>,
    /// How it stands.
    pub state: BackupState,
}

/// A place where the escrow is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowTargetRow {
    /// Keyed hash of its path.
    pub lookup: Vec<u8>,
    /// Content number of its sealed path.
    pub target_no: u64,
    /// When it was last replaced.
    pub written: Option<Timestamp>,
    /// The newest backup it knows.
    pub newest_backup: Option<u32>,
}

const BACKUP: &str = "no, id, created, target_no, db_key, manifest, messages, bytes, packs, \
                      packs_hash, state";

fn read_backup(row: &Row<'_>) -> rusqlite::Result<BackupRow> {
    Ok(BackupRow {
        no: row.get(0)?,
        id: BackupId(u128::from_be_bytes(row.get(1)?)),
        created: Timestamp(row.get(2)?),
        target_no: row.get(3)?,
        db_key: DataKeyId(row.get(4)?),
        manifest: row.get(5)?,
        messages: row.get(6)?,
        bytes: row.get(7)?,
        packs: row.get(8)?,
        packs_hash: row.get(9)?,
        state: match row.get::<_, u8>(10)? {
            0 => BackupState::Begun,
            1 => BackupState::Kept,
            _ => BackupState::Forgotten,
        },
    })
}

impl Rows {
    /// Every recovery key, oldest first.
    pub fn recovery_keys(&self) -> Result<Vec<RecoveryKeyRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select public, created, tested from recovery_key order by no")?;
        let rows = statement.query_map([], |row| {
            Ok(RecoveryKeyRow {
                public: row.get(0)?,
                created: Timestamp(row.get(1)?),
                tested: row.get::<_, Option<i64>>(2)?.map(Timestamp),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every backup, oldest first.
    pub fn backups(&self) -> Result<Vec<BackupRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("select {BACKUP} from backup order by no"))?;
        let rows = statement.query_map([], read_backup)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Every place where the escrow is replaced, in the order they were named.
    pub fn escrow_targets(&self) -> Result<Vec<EscrowTargetRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "select lookup, target_no, written, newest_backup from escrow_target order by no",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(EscrowTargetRow {
                lookup: row.get(0)?,
                target_no: row.get(1)?,
                written: row.get::<_, Option<i64>>(2)?.map(Timestamp),
                newest_backup: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The import of a message whose key was destroyed before the record was restored.
    pub fn disposed_message(&self, no: MessageNo) -> Result<Option<ImportNo>, StoreError> {
        Ok(self
            .connection
            .prepare_cached("select import from disposed_message where no = ?1")?
            .query_row([no.0], |row| row.get(0))
            .optional()?
            .map(ImportNo))
    }

    /// The high-water marks of all sequences, by name.
    pub fn sequences(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select name, high_water from number_sequence order by name")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The highest number of a seal run; 0 when there is none.
    pub fn last_seal_run(&self) -> Result<u32, StoreError> {
        let sql = "select coalesce(max(no), 0) from seal_run";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// Visits every sealed file by number.
    pub fn each_blob<E: From<StoreError>>(
        &self,
        mut visit: impl FnMut(super::BlobRow) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut statement = self
            .connection
            .prepare_cached(
                "select no, name, data_key, nonce, wrapped, bytes from blob order by no",
            )
            .map_err(StoreError::from)?;
        let mut rows = statement.query([]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let blob = super::blob::read_blob(row).map_err(StoreError::from)?;
            visit(blob)?;
        }
        Ok(())
    }
}

impl WriteTx<'_> {
    /// Keeps the public half of a fresh recovery key.
    pub fn insert_recovery_key(&self, public: &[u8; 32], now: Timestamp) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into recovery_key (tenant, public, created) values (?1, ?2, ?3)",
            )?
            .execute((TenantNo::FIRST.0, &public[..], now.0))?;
        Ok(())
    }

    /// Notes that a recovery key was typed in again; whether there is such a key.
    pub fn recovery_key_tested(
        &self,
        public: &[u8; 32],
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached("update recovery_key set tested = ?2 where public = ?1")?
            .execute((&public[..], now.0))?;
        Ok(changed == 1)
    }

    /// Adds a backup; its `no` is ignored and the given number returned.
    pub fn insert_backup(&self, row: &BackupRow) -> Result<u32, StoreError> {
        self.connection()
            .prepare_cached(
                "insert into backup (tenant, id, created, target_no, db_key, manifest, messages,
                   bytes, packs, packs_hash, state)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute((
                TenantNo::FIRST.0,
                &row.id.0.to_be_bytes()[..],
                row.created.0,
                row.target_no,
                row.db_key.0,
                row.manifest.as_ref().map(|hash| &hash[..]),
                row.messages,
                row.bytes,
                row.packs,
                row.packs_hash.as_ref().map(|hash| &hash[..]),
                row.state as u8,
            ))?;
        u32::try_from(self.connection().last_insert_rowid())
            .map_err(|_| StoreError::Limit("backups are used up"))
    }

    /// Replaces what is known of a backup.
    pub fn update_backup(&self, row: &BackupRow) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update backup set manifest = ?2, messages = ?3, bytes = ?4, packs = ?5,
                   packs_hash = ?6, state = ?7 where no = ?1",
            )?
            .execute((
                row.no,
                row.manifest.as_ref().map(|hash| &hash[..]),
                row.messages,
                row.bytes,
                row.packs,
                row.packs_hash.as_ref().map(|hash| &hash[..]),
                row.state as u8,
            ))?;
        Ok(())
    }

    /// Names a place where the escrow is replaced, unless it is known.
    pub fn insert_escrow_target(&self, lookup: &[u8], target_no: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into escrow_target (tenant, lookup, target_no) values (?1, ?2, ?3)
                 on conflict (lookup) do nothing",
            )?
            .execute((TenantNo::FIRST.0, lookup, target_no))?;
        Ok(())
    }

    /// Notes that the escrow of a place was replaced.
    pub fn escrow_written(
        &self,
        lookup: &[u8],
        now: Timestamp,
        newest_backup: Option<u32>,
    ) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "update escrow_target set written = ?2, newest_backup = ?3 where lookup = ?1",
            )?
            .execute((lookup, now.0, newest_backup))?;
        Ok(())
    }
}

/// What a restore does to the fresh copy, before anybody reads it.
impl WriteTx<'_> {
    /// Lifts a sequence to at least `high_water`.
    pub fn lift_sequence(&self, name: &str, high_water: u64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into number_sequence (name, high_water) values (?1, ?2)
                 on conflict (name) do update set high_water = max(high_water, excluded.high_water)",
            )?
            .execute((name, high_water))?;
        Ok(())
    }

    /// Takes over a seal run under its own number, unless it is there.
    pub fn adopt_seal_run(&self, no: u32, salt: &[u8; 32], began: i64) -> Result<(), StoreError> {
        self.connection()
            .prepare_cached(
                "insert into seal_run (no, tenant, salt, began) values (?1, ?2, ?3, ?4)
                 on conflict (no) do nothing",
            )?
            .execute((no, TenantNo::FIRST.0, &salt[..], began))?;
        Ok(())
    }

    /// Puts a re-sealed row in the place of an elder one; whether there was one.
    pub fn put_survivor_row(&self, row: &ContentRow) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update content set data_key = ?2, run = ?3, sealed = ?4 where key = ?1",
            )?
            .execute((row.key.column()?, row.data_key.0, row.run, &row.sealed))?;
        Ok(changed == 1)
    }

    /// Puts a fresh wrap in the place of an elder one; whether the sealed file is known.
    pub fn put_survivor_wrap(
        &self,
        name: &[u8; 32],
        data_key: DataKeyId,
        nonce: &[u8],
        wrapped: &[u8],
    ) -> Result<bool, StoreError> {
        let changed = self
            .connection()
            .prepare_cached(
                "update blob set data_key = ?2, nonce = ?3, wrapped = ?4 where name = ?1",
            )?
            .execute((&name[..], data_key.0, nonce, wrapped))?;
        Ok(changed == 1)
    }

    /// Forgets what the copy said of backups, to be told anew.
    pub fn clear_backup_rows(&self) -> Result<(), StoreError> {
        self.connection().execute_batch("delete from backup;")?;
        Ok(())
    }

    /// Drops every row whose key no longer exists, in the fresh copy of an elder backup: messages
    /// are noted as disposed of, their rows and attachments go, sealed rows and sealed files too.
    /// Nothing is destroyed by it: without their keys they are noise. Gives messages and other
    /// sealed rows (sightings, remarks, names), and the names of the sealed files.
    pub fn drop_keyless(&self) -> Result<Keyless, StoreError> {
        let connection = self.connection();
        connection.execute_batch(
            "create temp table keyless as
               select distinct key >> 20 as no from content
               where data_key not in (select id from data_key);
             insert into disposed_message (no, tenant, import)
               select no, tenant, import from message where no in (select no from keyless)
               on conflict (no) do nothing;",
        )?;
        let mut names = Vec::new();
        let mut statement = connection
            .prepare("select name from blob where data_key not in (select id from data_key)")?;
        for name in statement.query_map([], |row| row.get::<_, [u8; 32]>(0))? {
            names.push(name?);
        }
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, u64>(0));
        let messages = count("select count(*) from message where no in (select no from keyless)")?;
        let other = count("select count(*) from keyless")? - messages;
        connection.execute_batch(
            "create temp table shrunk as select distinct conversation from message
               where no in (select no from keyless);
             delete from attachment where message in (select no from keyless);
             delete from observation where message in (select no from keyless)
               or content_no in (select no from keyless);
             delete from import_note where content_no in (select no from keyless);
             delete from message where no in (select no from keyless);
             delete from content where key >> 20 in (select no from keyless);
             update attachment set blob = null where blob in
               (select no from blob where data_key not in (select id from data_key));
             delete from blob where data_key not in (select id from data_key);
             update import set report_no = null where report_no in (select no from keyless);
             update conversation set messages =
               (select count(*) from message where message.conversation = conversation.no)
               where no in (select conversation from shrunk);
             delete from participant where conversation in (select no from conversation
               where messages = 0 and title_no in (select no from keyless));
             delete from conversation where messages = 0
               and title_no in (select no from keyless);
             delete from handle where name_no in (select no from keyless)
               and no not in (select sender from message where sender is not null);
             delete from escrow_target where target_no in (select no from keyless);
             drop table shrunk; drop table keyless;",
        )?;
        Ok(Keyless {
            messages,
            other,
            blobs: names,
        })
    }
}

/// What of an elder backup has no key any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyless {
    /// Messages.
    pub messages: u64,
    /// Other sealed rows: sightings, remarks, names.
    pub other: u64,
    /// Names of sealed files.
    pub blobs: Vec<[u8; 32]>,
}
