//! The opened archive: what every use-case holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::error::Result;
use super::journal::NUMBERS_READY;
use super::segment_keys::MintedKeys;
use super::settle::COMMIT_MESSAGES;
use super::{ArchiveError, Keyring, Milestones, Vault, parts};
use crate::audit::LogSigner;
use crate::crypto::{Key, SigningKey, hmac_sha256};
use crate::domain::{
    ConversationNo, HandleNo, ImportNo, MessageId, MessageNo, Now, StoreId, Timestamp,
};
use crate::index::{Anchor, Index, IndexConfig, KeyId, PartName};
use crate::store::{BlobFiles, KeyKind, KeyPurpose, NUMBER_BLOCK, NumberRange, Store, WriteTx};

/// Shards of erase buckets per month; fixed when a data directory is made.
const SHARDS: u16 = 16;
/// Numbers reserved ahead while batches are written.
const NUMBERS_AHEAD: u64 = 16 * NUMBER_BLOCK;
/// Organisation in the origin of the audit log, as long as none is configured.
const ORGANISATION: &str = "wordkeep";
/// Length of a keyed look-up in bytes.
const LOOKUP_LEN: usize = 16;

/// How an archive is opened.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveConfig {
    /// Most bytes of decrypted index kept in memory.
    pub cache_bytes: usize,
    /// Memory of all index writers together.
    pub arena_bytes: usize,
    /// Messages after which an import or a rebuild commits what the index has of it.
    pub commit_messages: u64,
}

impl Default for ArchiveConfig {
    fn default() -> Self {
        let index = IndexConfig::new(StoreId(0));
        Self {
            cache_bytes: index.cache_bytes,
            arena_bytes: index.arena_bytes,
            commit_messages: COMMIT_MESSAGES,
        }
    }
}

/// The opened archive. Shared by all threads.
pub struct Archive {
    pub(super) store: Arc<Store>,
    pub(super) keyring: Arc<Keyring>,
    pub(super) index: RwLock<Index>,
    pub(super) index_config: IndexConfig,
    pub(super) commit_messages: u64,
    pub(super) segment_keys: Arc<MintedKeys>,
    pub(super) blobs: BlobFiles,
    lookup: Key,
    pub(super) blob_name: Key,
    reserved: Mutex<Option<NumberRange>>,
    last_conversation: AtomicU32,
    last_handle: AtomicU32,
    refused: RwLock<Vec<(PartName, String)>>,
    pub(super) unsettled: Mutex<bool>,
    pub(super) signer: LogSigner,
    /// One checkpoint is signed and published at a time.
    pub(super) signing: Mutex<()>,
    /// One rebuild of the index at a time.
    pub(super) rebuilding: Mutex<()>,
    /// One purge at a time, and none while a backup copies.
    pub(super) erasing: Mutex<()>,
    tombstone: Key,
    milestones: Arc<dyn Milestones>,
}

impl Archive {
    /// Takes an opened vault and opens the index beside it. Parts of the index that are damaged or
    /// older than their anchor are left closed and told by `refused_parts`: repair the index.
    pub fn open(vault: Vault, config: ArchiveConfig) -> Result<Archive> {
        let Vault {
            store,
            keyring,
            id,
            milestones,
        } = vault;
        let keyring = Arc::new(keyring);
        let tx = store.write()?;
        let (_, lookup) = keyring.current(&tx, &KeyPurpose::only(KeyKind::Lookup))?;
        let (_, blob_name) = keyring.current(&tx, &KeyPurpose::only(KeyKind::BlobName))?;
        let (_, tombstone) = keyring.current(&tx, &KeyPurpose::only(KeyKind::Tombstone))?;
        let (_, signing) = keyring.current(&tx, &KeyPurpose::only(KeyKind::LogSigning))?;
        tx.commit()?;
        let signer = LogSigner::new(ORGANISATION, id, SigningKey::from_key(&signing))
            .map_err(|error| ArchiveError::Audit(error.to_string()))?;
        let segment_keys = MintedKeys::start(&store, &keyring)?;
        let index_config = IndexConfig {
            cache_bytes: config.cache_bytes,
            arena_bytes: config.arena_bytes,
            ..IndexConfig::new(id)
        };
        super::rebuild::resume(&store)?;
        let opened = open_index(&store, &keyring, &segment_keys, index_config)?;
        let rows = store.read()?;
        let last_conversation = rows.last_conversation()?.0;
        let last_handle = rows.last_people()?.0.0;
        let unsettled = !rows.outbox()?.is_empty();
        drop(rows);
        let archive = Archive {
            blobs: BlobFiles::new(&store.directory().blobs()),
            store,
            keyring,
            index: RwLock::new(opened.index),
            index_config,
            commit_messages: config.commit_messages,
            segment_keys,
            lookup,
            blob_name,
            reserved: Mutex::new(None),
            last_conversation: AtomicU32::new(last_conversation),
            last_handle: AtomicU32::new(last_handle),
            refused: RwLock::new(told(opened.refused)),
            unsettled: Mutex::new(unsettled),
            signer,
            signing: Mutex::new(()),
            rebuilding: Mutex::new(()),
            erasing: Mutex::new(()),
            tombstone,
            milestones,
        };
        // What a purge decided is out of sight before the first question is asked.
        archive.hide_erased(&*archive.store.read()?)?;
        archive.drop_orphans(&opened.orphans)?;
        Ok(archive)
    }

    /// Destroys keys of segments that no part uses.
    pub(super) fn drop_orphans(&self, orphans: &[KeyId]) -> Result<()> {
        use crate::index::SegmentKeys as _;
        // Strays are told by the parts that opened; with a part closed nobody knows what it uses.
        let mut gone = orphans.to_vec();
        if self.refused_parts().is_empty() {
            let used: Vec<_> = self
                .index()
                .segment_keys()
                .into_iter()
                .map(|(_, key)| key)
                .collect();
            gone.extend(self.segment_keys.strays(&used)?);
        }
        self.segment_keys
            .drop_keys(&gone)
            .map_err(|error| ArchiveError::Index(error.to_string()))
    }

    /// Opens the index that lies in its place now and lets searches see it.
    pub(super) fn reopen_index(&self) -> Result<()> {
        let opened = open_index(
            &self.store,
            &self.keyring,
            &self.segment_keys,
            self.index_config,
        )?;
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = opened.index;
        self.hide_erased(&*self.store.read()?)?;
        *self.refused.write().unwrap_or_else(PoisonError::into_inner) = told(opened.refused);
        self.drop_orphans(&opened.orphans)
    }

    /// The key of the identities of disposed messages.
    pub(super) fn tombstone_key(&self) -> &Key {
        &self.tombstone
    }

    pub(super) fn part_repaired(&self, repaired: PartName) {
        let mut refused = self.refused.write().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|(part, _)| *part != repaired);
    }

    /// Tells the watcher of a test where the archive stands.
    pub(super) fn reached(&self, milestone: &'static str) {
        self.milestones.reached(milestone);
    }

    /// Backup and purge exclude each other: whoever copies or destroys holds this meanwhile.
    pub(super) fn hold_removal(&self) -> std::sync::MutexGuard<'_, ()> {
        self.erasing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The record.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The keys.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The search index in use now. A search keeps the one it began with, also while a rebuild
    /// puts another in its place.
    pub fn index(&self) -> Index {
        self.index
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Parts of the index that did not open, and why.
    pub fn refused_parts(&self) -> Vec<(PartName, String)> {
        self.refused
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Runs `act` in a write transaction and commits. If it fails, nothing stays, and what was
    /// sealed in it can never share a nonce with what is sealed later.
    pub fn write<T>(&self, now: Now, act: impl FnOnce(&WriteTx<'_>) -> Result<T>) -> Result<T> {
        self.keyring.refresh_run(now.compliance)?;
        self.reserve_ahead()?;
        let tx = self.store.write()?;
        let done = act(&tx).and_then(|value| {
            tx.commit()?;
            Ok(value)
        });
        if done.is_err() {
            self.keyring.undone();
        }
        done
    }

    /// Numbers of the sequence; reserves ahead so that most calls write nothing.
    pub(super) fn take_numbers(&self, count: u64) -> Result<NumberRange> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(range) = reserved.as_mut()
            && let Some(taken) = range.split(count)
        {
            return Ok(taken);
        }
        let ahead = if count < NUMBER_BLOCK {
            NUMBER_BLOCK
        } else {
            NUMBERS_AHEAD
        };
        let mut range = self.store.take_numbers(count.max(ahead))?;
        let taken = range.split(count).unwrap_or_default();
        *reserved = Some(range);
        Ok(taken)
    }

    /// Sees to it that payloads sealed inside a transaction find numbers ready.
    fn reserve_ahead(&self) -> Result<()> {
        let mut reserved = self.reserved.lock().unwrap_or_else(PoisonError::into_inner);
        if reserved
            .as_ref()
            .is_none_or(|range| range.left() < NUMBERS_READY)
        {
            *reserved = Some(self.store.take_numbers(NUMBER_BLOCK)?);
        }
        Ok(())
    }

    pub(super) fn reserved(&self) -> &Mutex<Option<NumberRange>> {
        &self.reserved
    }

    /// A number for a conversation to be created.
    pub fn next_conversation(&self) -> ConversationNo {
        ConversationNo(self.last_conversation.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// A number for a handle to be created.
    pub fn next_handle(&self) -> HandleNo {
        HandleNo(self.last_handle.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Keyed hash of an identity, for equality look-ups. `kind` tells the tables apart.
    pub fn lookup(&self, kind: &str, parts: &[&[u8]]) -> [u8; LOOKUP_LEN] {
        let mut framed: Vec<u8> = Vec::new();
        super::wire::put_bytes(&mut framed, kind.as_bytes());
        for part in parts {
            super::wire::put_bytes(&mut framed, part);
        }
        let digest = hmac_sha256(self.lookup.expose(), &[&framed]);
        let mut short = [0; LOOKUP_LEN];
        short.copy_from_slice(&digest[..LOOKUP_LEN]);
        short
    }

    /// A key for a purpose of its own, derived below the look-up key; the label tells purposes apart.
    pub fn derived_key(&self, label: &str) -> Key {
        self.lookup
            .derive(&[], &[b"wordkeep/v1/", label.as_bytes()])
    }

    /// The shard of something with this look-up.
    pub fn shard_of(&self, lookup: &[u8]) -> u16 {
        u16::from(lookup.first().copied().unwrap_or(0)) % SHARDS
    }

    /// How many shards there are.
    pub fn shards(&self) -> u16 {
        SHARDS
    }

    /// The public id of a message: the time of its import and its number, so that it needs no row.
    pub fn message_id(&self, no: MessageNo, import_began: Timestamp) -> MessageId {
        let millis = import_began.millis().clamp(0, (1 << 48) - 1) as u128;
        let store = self.keyring.store_id().0 & 0xffff_ffff;
        MessageId(millis << 80 | store << 48 | u128::from(no.0 & ((1 << 48) - 1)))
    }

    /// The message of a public id, if it is one of this archive.
    pub fn message_of_id(&self, id: MessageId) -> Result<Option<MessageNo>> {
        let no = MessageNo((id.0 & ((1 << 48) - 1)) as u64);
        let rows = self.store.read()?;
        let Some(row) = rows.message(no)? else {
            // A restored record knows numbers whose keys were destroyed after the backup.
            let Some(import) = rows.disposed_message(no)? else {
                return Ok(None);
            };
            let began = self.import_began(&rows, import)?;
            return match self.message_id(no, began) == id {
                true => Err(ArchiveError::Disposed(id.to_string())),
                false => Ok(None),
            };
        };
        let began = self.import_began(&rows, row.import)?;
        Ok((self.message_id(no, began) == id).then_some(no))
    }

    pub(super) fn import_began(
        &self,
        rows: &crate::store::Rows,
        import: ImportNo,
    ) -> Result<Timestamp> {
        Ok(rows.import(import)?.map_or(Timestamp(0), |row| row.began))
    }
}

fn told(refused: Vec<(PartName, crate::index::Error)>) -> Vec<(PartName, String)> {
    refused
        .into_iter()
        .map(|(part, error)| (part, error.to_string()))
        .collect()
}

fn open_index(
    store: &Store,
    keyring: &Keyring,
    segment_keys: &Arc<MintedKeys>,
    config: IndexConfig,
) -> Result<crate::index::Opened> {
    Index::open(
        &store.directory().index(),
        segment_keys.clone(),
        keyring.entropy().clone(),
        config,
        &anchors(store)?,
    )
    .map_err(index_failed)
}

pub(super) fn index_failed(error: crate::index::Error) -> ArchiveError {
    ArchiveError::Index(error.to_string())
}

pub(super) fn anchors(store: &Store) -> Result<BTreeMap<PartName, Anchor>> {
    let rows = store.read()?.anchors()?;
    rows.into_iter()
        .map(|row| {
            let hash = row
                .meta_hash
                .as_slice()
                .try_into()
                .map_err(|_| ArchiveError::Malformed("an anchor of the index"))?;
            let anchor = Anchor {
                generation: row.generation,
                revision: row.revision,
                hash,
            };
            Ok((parts::name(row.part), anchor))
        })
        .collect()
}
