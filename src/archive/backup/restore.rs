//! The way back: backup, escrow and recovery key in, a new data directory out.
//!
//! Order: every file against the manifest, the manifest against the escrow; the record into a new
//! database under a new key; keys of the escrow under a new keyhold; survivor packs in order; what
//! has no key then was destroyed since and is noted as disposed of; sealed files and log; at last
//! the slots, without which the directory was never finished.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use super::super::error::Result;
use super::super::keyring::tag;
use super::super::vault::FACT_STORE_ID;
use super::super::wire::{Input, put_number};
use super::super::{Archive, ArchiveError, Keyring, NewVault, Unwatched, Vault};
use super::check::{check_backup, manifest_bytes};
use super::escrow::{EscrowBackup, EscrowContents};
use super::manifest::{Manifest, RECORD_FILE};
use super::pack::{Pack, fixed, wide};
use super::survivors::PackEntry;
use crate::crypto::{
    Entropy, Key, Keyhold, NoteVerifier, RunSalt, SlotFile, WrapPlace, Wrapper, from_hex, hex,
    random_bytes,
};
use crate::domain::{BackupId, FreezeNo, FreezeReason, Now, Timestamp, UserNo};
use crate::store::{
    BackupFiles, BackupRow, BackupState, DataDirectory, DataKeyRow, FreezeRow, KEYHOLD_FILE,
    Keyless, SLOTS_FILE, Store, StoreError, WriteTx,
};

/// Fact of a directory that came from a backup.
const FACT_RESTORED: &str = "restored";
/// Fact that somebody confirmed it.
const FACT_CONFIRMED: &str = "restore_confirmed";
/// Longest survivor pack that is read, in bytes.
const PACK_BYTES_MAX: u64 = 4 << 30;

/// What a restore is made of.
pub struct RestoreRequest<'a> {
    /// The directory of the backup.
    pub backup: &'a Path,
    /// The opened escrow; the newest there is.
    pub escrow: &'a EscrowContents,
    /// The new data directory and the secret that opens it.
    pub new: NewVault<'a>,
}

/// What a restore made.
pub struct Restored {
    /// The opened vault of the new directory.
    pub vault: Vault,
    /// The backup it came from.
    pub backup: BackupId,
    /// Messages that are there.
    pub messages: u64,
    /// Messages whose keys were destroyed since the backup.
    pub disposed: u64,
    /// Other sealed rows without key: sightings, remarks, names.
    pub disposed_other: u64,
    /// Sealed files whose keys were destroyed.
    pub disposed_files: u64,
    /// Survivor packs that were applied.
    pub packs: u64,
    /// Entries of the log in the backup.
    pub log_size: u64,
    /// Entries of the log when the escrow was written; what lies between is not in the backup.
    pub escrow_log_size: u64,
    /// What the application put into the escrow, to be replayed before the first read.
    pub governance: Vec<u8>,
}

/// That a data directory came from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestoredMark {
    /// The backup.
    pub backup: BackupId,
    /// Random: tells this life of the data directory from every other.
    pub incarnation: [u8; 16],
    /// When.
    pub at: Timestamp,
    /// Whether somebody confirmed it. Until then nothing may be destroyed.
    pub confirmed: bool,
}

impl RestoredMark {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.backup.0.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.incarnation);
        put_number(&mut bytes, self.at.0.max(0) as u64);
        bytes
    }

    fn read(bytes: &[u8], confirmed: bool) -> Result<RestoredMark> {
        let mut input = Input { rest: bytes };
        Ok(RestoredMark {
            backup: BackupId(wide(&mut input)?),
            incarnation: fixed(&mut input)?,
            at: Timestamp(input.number()? as i64),
            confirmed,
        })
    }
}

impl Archive {
    /// Whether the directory came from a backup, and whether somebody confirmed it. While it is
    /// not confirmed nothing may be destroyed.
    pub fn restored(&self) -> Result<Option<RestoredMark>> {
        let rows = self.store.read()?;
        let confirmed = rows.fact(FACT_CONFIRMED)?;
        let mark = rows.fact(FACT_RESTORED)?;
        mark.map(|mark| RestoredMark::read(&mark, confirmed.as_deref() == Some(&mark)))
            .transpose()
    }

    /// Takes over from an escrow what a copy could not know: backups younger than itself, and where
    /// escrows go. After a restore.
    pub fn adopt_backups(&self, now: Now, escrow: &EscrowContents) -> Result<()> {
        for target in &escrow.targets {
            let no = self.one_number()?;
            self.write(now, |tx| self.put_escrow_target(tx, no, target))?;
        }
        for backup in &escrow.backups {
            let target_no = self.one_number()?;
            self.write(now, |tx| {
                if tx.backups()?.iter().any(|row| row.id == backup.id) {
                    return Ok(());
                }
                self.put_path(tx, target_no, &backup.target)?;
                tx.insert_backup(&BackupRow {
                    no: 0,
                    id: backup.id,
                    created: backup.created,
                    target_no,
                    db_key: backup.db_key,
                    manifest: Some(backup.manifest),
                    messages: backup.messages,
                    bytes: backup.bytes,
                    packs: backup.packs,
                    packs_hash: (backup.packs > 0).then_some(backup.packs_hash),
                    state: BackupState::Kept,
                })?;
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Confirms a restored directory: destruction may go on. `log` runs in the transaction.
    pub fn confirm_restore(
        &self,
        now: Now,
        by: UserNo,
        log: impl FnOnce(&WriteTx<'_>, &RestoredMark) -> Result<()>,
    ) -> Result<()> {
        let mark = self.restored()?.ok_or_else(|| {
            ArchiveError::Mismatch("this data directory did not come from a backup".to_owned())
        })?;
        self.write(now, |tx| {
            tx.put_fact(FACT_CONFIRMED, &mark.to_bytes())?;
            tx.lift_restored(now.compliance, by)?;
            log(tx, &mark)
        })
    }
}

/// Makes a new data directory from a backup and an escrow. `progress` hears what is done, how much
/// and of how much. A restore that is cut off leaves a directory that does not open; remove it.
///
/// # Errors
/// `Mismatch` when backup and escrow do not belong together or a survivor pack is missing,
/// `Integrity` when a file is not what was written.
pub fn restore(
    request: &RestoreRequest<'_>,
    entropy: Arc<dyn Entropy>,
    now: Timestamp,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<Restored> {
    let (files, escrow) = (BackupFiles::new(request.backup), request.escrow);
    let source = Source::prove(&files, escrow, progress)?;
    let new = &request.new;
    let directory = DataDirectory::create(new.root, new.keys)?;
    let (root, db_key) = (Key::random(&*entropy), Key::random(&*entropy));
    let mut slots = SlotFile::new(escrow.store, &root, &db_key, &*entropy)?;
    slots.add(&root, new.secret, new.label, &new.cost, &*entropy)?;
    // A generation no copy of the elder directory has: an elder keyhold cannot be put back.
    let hold = Keyhold {
        generation: escrow.generation + 1,
        key: Key::random(&*entropy),
    };
    let place = hold.to_place(&root, escrow.store, &*entropy)?;
    directory.write_key_file(KEYHOLD_FILE, &[place, place].concat())?;
    let store = Arc::new(Store::create_from_copy(
        directory,
        db_key,
        &files.path(RECORD_FILE)?,
        source.db_key,
        &mut |done, of| progress("record", done, of),
    )?);
    let mark = RestoredMark {
        backup: source.backup.id,
        incarnation: random_bytes(&*entropy),
        at: now,
        confirmed: false,
    };
    let (keyless, packs) = fill(&store, &source, escrow, &hold, &mark, &*entropy)?;
    give_files(&store, &files, &source.manifest, &keyless, progress)?;
    store
        .directory()
        .write_key_file(SLOTS_FILE, &slots.to_bytes())?;
    let messages = store.read()?.message_count()?;
    let keyring = Keyring::start(Arc::clone(&store), escrow.store, (root, hold), entropy, now)?;
    Ok(Restored {
        vault: Vault {
            store,
            keyring,
            id: escrow.store,
            milestones: Arc::new(Unwatched),
        },
        backup: source.backup.id,
        messages,
        disposed: keyless.messages,
        disposed_other: keyless.other,
        disposed_files: keyless.blobs.len() as u64,
        packs,
        log_size: source.log_size,
        escrow_log_size: source.escrow_log_size,
        governance: escrow.governance.clone(),
    })
}

/// A backup that was proved against its manifest and the escrow.
struct Source<'a> {
    files: &'a BackupFiles,
    manifest: Manifest,
    backup: &'a EscrowBackup,
    db_key: &'a Key,
    packs: Vec<PackEntry>,
    log_size: u64,
    escrow_log_size: u64,
}

impl<'a> Source<'a> {
    fn prove(
        files: &'a BackupFiles,
        escrow: &'a EscrowContents,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<Source<'a>> {
        // The key of the log comes out of the escrow: nobody else can have put it there.
        let key = NoteVerifier::from_vkey(&escrow.log_key)
            .map_err(|_| ArchiveError::Malformed("the log key in the escrow"))?;
        let bytes = manifest_bytes(files)?;
        let manifest = Manifest::open(&bytes, &key)?;
        let mismatch = |what: String| Err(ArchiveError::Mismatch(what));
        if manifest.store != escrow.store.to_string() {
            return mismatch(format!(
                "the backup is of {}, the escrow of {}",
                manifest.store, escrow.store
            ));
        }
        let id = manifest.backup()?;
        let known = escrow
            .backup(id)
            .and_then(|backup| Some((backup, escrow.key(backup.db_key)?)));
        let Some((backup, db_key)) = known else {
            return mismatch(format!(
                "the escrow does not know {id}: it is older than the backup, or the backup was \
                 given up; bring the newest escrow"
            ));
        };
        let check = check_backup(files, &key, &mut |done, of| progress("hashes", done, of))?;
        if let Some(problem) = check.problems.first() {
            return Err(ArchiveError::Integrity(format!("the backup ({problem})")));
        }
        if check.manifest_hash != backup.manifest {
            return Err(ArchiveError::Integrity(
                "the backup (its manifest is not the one the escrow knows)".to_owned(),
            ));
        }
        let packs = check.packs.map(|(list, _)| list.packs).unwrap_or_default();
        if (packs.len() as u64) < u64::from(backup.packs) {
            return mismatch(format!(
                "{} survivor pack(s) lie beside the backup, the escrow knows {}: bring the rest",
                packs.len(),
                backup.packs
            ));
        }
        let then = crate::crypto::open_checkpoint(escrow.checkpoint.as_bytes(), &key)?;
        Ok(Source {
            files,
            manifest,
            backup,
            db_key,
            packs,
            log_size: check.checkpoint.map_or(0, |checkpoint| checkpoint.size),
            escrow_log_size: then.size,
        })
    }
}

/// Everything that must be in the record before anybody reads it, in one transaction.
fn fill(
    store: &Store,
    source: &Source<'_>,
    escrow: &EscrowContents,
    hold: &Keyhold,
    mark: &RestoredMark,
    entropy: &dyn Entropy,
) -> Result<(Keyless, u64)> {
    let tx = store.write()?;
    let known = tx.fact(FACT_STORE_ID)?;
    if known.as_deref() != Some(&escrow.store.0.to_be_bytes()[..]) {
        return Err(ArchiveError::Integrity(
            "the record of the backup (it names another data directory)".to_owned(),
        ));
    }
    for (name, high_water) in &escrow.sequences {
        tx.lift_sequence(name, *high_water)?;
    }
    put_keys(&tx, escrow, hold, entropy)?;
    let mut applied = 0;
    for entry in &source.packs {
        apply_pack(&tx, source, escrow, entry)?;
        applied += 1;
    }
    // Rules of the escrow are newer than those of any backup it knows.
    escrow.rules.apply(&tx)?;
    // Runs after the backup are used up: no number of theirs may come again with another salt.
    if tx.last_seal_run()? < escrow.last_run {
        let salt = RunSalt::random(entropy);
        tx.adopt_seal_run(escrow.last_run, &salt.0, mark.at.0)?;
    }
    let keyless = tx.drop_keyless()?;
    tx.clear_index_rows()?;
    put_backups(&tx, escrow)?;
    tx.put_fact(FACT_RESTORED, &mark.to_bytes())?;
    tx.insert_freeze(&FreezeRow {
        no: FreezeNo(0),
        reason: FreezeReason::Restored,
        since: mark.at,
        set_by: None,
        text_no: None,
        lift_requested_by: None,
        lifted: None,
    })?;
    tx.commit()?;
    Ok((keyless, applied))
}

fn put_keys(
    tx: &WriteTx<'_>,
    escrow: &EscrowContents,
    hold: &Keyhold,
    entropy: &dyn Entropy,
) -> Result<()> {
    let generation = u32::try_from(hold.generation)
        .map_err(|_| StoreError::Limit("keyhold generations are used up"))?;
    let mut wrapper = Wrapper::new(&hold.key, 0);
    for key in &escrow.keys {
        let place = WrapPlace::data_key(
            escrow.store,
            u64::from(key.id.0),
            key.purpose.kind as u8,
            tag(&key.purpose),
            hold.generation,
        );
        let wrapped = wrapper.wrap(&place, &key.key, entropy)?;
        tx.insert_data_key(&DataKeyRow {
            id: key.id,
            purpose: key.purpose.clone(),
            generation,
            nonce: wrapped.nonce,
            wrapped: wrapped.sealed.to_vec(),
            created_seq: key.created_seq,
            state: key.state,
        })?;
    }
    Ok(())
}

/// Puts survivors in the place of their elder selves. A row whose new key the escrow does not hold
/// comes from a purge that never decided: its elder self is still alive.
fn apply_pack(
    tx: &WriteTx<'_>,
    source: &Source<'_>,
    escrow: &EscrowContents,
    entry: &PackEntry,
) -> Result<()> {
    let path = entry.path();
    let missing = || ArchiveError::Mismatch(format!("{path} is missing"));
    let file = source
        .files
        .read(&path, PACK_BYTES_MAX)?
        .ok_or_else(missing)?;
    let id = source.backup.id;
    let pack = Pack::open(&file, source.db_key, escrow.store, id, entry.n)?;
    let live: HashSet<u32> = escrow.keys.iter().map(|key| key.id.0).collect();
    for (no, salt) in &pack.runs {
        tx.adopt_seal_run(*no, salt, 0)?;
        if tx.seal_run(*no)?.as_ref() != Some(salt) {
            return Err(ArchiveError::Integrity(format!("seal run {no} of {path}")));
        }
    }
    for row in pack
        .rows
        .iter()
        .filter(|row| live.contains(&row.data_key.0))
    {
        tx.put_survivor_row(row)?;
    }
    for blob in pack
        .blobs
        .iter()
        .filter(|blob| live.contains(&blob.data_key.0))
    {
        tx.put_survivor_wrap(&blob.name, blob.data_key, &blob.nonce, &blob.wrapped)?;
    }
    Ok(())
}

/// The backups as the escrow knows them; the copy was made before its own backup was whole. Younger
/// ones come with [`Archive::adopt_backups`].
fn put_backups(tx: &WriteTx<'_>, escrow: &EscrowContents) -> Result<()> {
    let known = tx.backups()?;
    tx.clear_backup_rows()?;
    for backup in &escrow.backups {
        // The sealed path of a backup that is younger than the copy is not in it.
        let Some(row) = known.iter().find(|row| row.id == backup.id) else {
            continue;
        };
        tx.insert_backup(&BackupRow {
            manifest: Some(backup.manifest),
            messages: backup.messages,
            bytes: backup.bytes,
            packs: backup.packs,
            packs_hash: (backup.packs > 0).then_some(backup.packs_hash),
            state: BackupState::Kept,
            ..row.clone()
        })?;
    }
    Ok(())
}

/// Sealed files and the published log.
fn give_files(
    store: &Store,
    files: &BackupFiles,
    manifest: &Manifest,
    keyless: &Keyless,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<()> {
    let directory = store.directory();
    let dead: HashSet<String> = keyless.blobs.iter().map(|name| hex(name)).collect();
    let total = manifest.files.len() as u64;
    for (done, file) in (1..).zip(&manifest.files) {
        let to = match file.path.split_once('/') {
            Some(("blobs", name)) if dead.contains(name) || from_hex(name).is_none() => None,
            Some(("blobs", name)) => Some(directory.blobs().join(name)),
            Some(("log", name)) => Some(directory.log().join(name)),
            _ => None,
        };
        if let Some(to) = to {
            files.give(&file.path, &to)?;
        }
        progress("files", done, total);
    }
    Ok(())
}
