//! What an escrow carries, and replacing it wherever it is kept.
//!
//! Plain form, before it is sealed to the recovery key (numbers LEB128, bytes behind their length):
//!
//! ```text
//! "WKPLAIN1"  store 16 B  written be64  checkpoint note  vkey  keyhold generation  last seal run
//! sequences  count, each: name, high water
//! keys       count, each: id, kind, month + 1 or 0, shard + 1 or 0, object or empty, state, since, key 32 B
//! backups    count, each: id 16 B, created be64, key id, manifest 32 B, messages, bytes, packs,
//!            hash of their list 32 B or zeros, path of the target
//! targets    count, each: path
//! rules      holds, policies, grants, leavers, traces of destruction (rules.rs)
//! governance bytes that the application packs and replays
//! ```
//! Keys of index segments are left out: a restore builds the index anew.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::super::error::Result;
use super::super::wire::{Input, put_bytes, put_number};
use super::super::{Archive, ArchiveError};
use super::pack::{fixed, small, wide};
use super::registry::{KeptBackup, path_text};
use super::rules::CarriedRules;
use super::survivors::PackList;
use crate::audit::CHECKPOINT_FILE;
use crate::crypto::{KEY_LEN, Key, RecoveryKey};
use crate::domain::{BackupId, Now, StoreId, Timestamp};
use crate::store::{
    BackupRow, CERTIFICATE_SEQUENCE, DataKeyId, DataKeyState, KeyKind, KeyPurpose, Rows, WriteTx,
    replace_whole_file,
};

/// Name of the escrow inside a target.
const ESCROW_FILE: &str = "escrow";
const MAGIC: &[u8; 8] = b"WKPLAIN1";

/// A live key as the escrow carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowKey {
    /// Number of its row.
    pub id: DataKeyId,
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Whether it may still seal.
    pub state: DataKeyState,
    /// Audit sequence number at which it was made.
    pub created_seq: u64,
    /// The key.
    pub key: Key,
}

/// A kept backup as the escrow knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowBackup {
    /// Its id.
    pub id: BackupId,
    /// When it was begun.
    pub created: Timestamp,
    /// Its database key, among the keys.
    pub db_key: DataKeyId,
    /// SHA-256 of its manifest.
    pub manifest: [u8; 32],
    /// Messages inside.
    pub messages: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Survivor packs it must have.
    pub packs: u32,
    /// SHA-256 of their list; zeros: none.
    pub packs_hash: [u8; 32],
    /// Where it was made.
    pub target: String,
}

/// Everything inside an escrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscrowContents {
    /// Whose keys.
    pub store: StoreId,
    /// Compliance time of writing.
    pub written: Timestamp,
    /// The newest checkpoint of the log then, as a signed note.
    pub checkpoint: String,
    /// Public key of the log.
    pub log_key: String,
    /// Keyhold generation that was in use.
    pub generation: u64,
    /// Highest seal run.
    pub last_run: u32,
    /// High-water marks.
    pub sequences: Vec<(String, u64)>,
    /// Every live key but those of index segments.
    pub keys: Vec<EscrowKey>,
    /// Every kept backup.
    pub backups: Vec<EscrowBackup>,
    /// Where the escrow is replaced.
    pub targets: Vec<String>,
    /// Holds, policies, grants, leavers and traces of destruction as of writing.
    pub rules: CarriedRules,
    /// Bytes of the application, to be replayed before the first read.
    pub governance: Vec<u8>,
}

impl EscrowContents {
    /// Opens an escrow file.
    pub fn open(file: &[u8], key: &RecoveryKey) -> Result<EscrowContents> {
        let header = crate::crypto::EscrowHeader::parse(file)
            .map_err(|error| ArchiveError::Mismatch(error.to_string()))?;
        let plain = key
            .open_escrow(header.store, file)
            .map_err(|error| match error {
                crate::crypto::Error::WrongKey => ArchiveError::Mismatch(format!(
                    "the escrow is sealed to the recovery key {}, not to this one",
                    header.public.name()
                )),
                _ => ArchiveError::Integrity("the escrow".to_owned()),
            })?;
        read(&plain)
    }

    /// The backup of an id, if it was still kept.
    pub fn backup(&self, id: BackupId) -> Option<&EscrowBackup> {
        self.backups.iter().find(|backup| backup.id == id)
    }

    /// The key of a number.
    pub fn key(&self, id: DataKeyId) -> Option<&Key> {
        self.keys
            .iter()
            .find(|key| key.id == id)
            .map(|key| &key.key)
    }

    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // Room ahead, so that no copy of the keys stays behind in memory.
        let room = 256 + 128 * self.keys.len() + 512 * self.backups.len();
        let room =
            room + 4_200 * self.targets.len() + self.governance.len() + self.checkpoint.len();
        let mut out = Zeroizing::new(Vec::with_capacity(room));
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&self.store.0.to_be_bytes());
        out.extend_from_slice(&self.written.0.to_be_bytes());
        put_bytes(&mut out, self.checkpoint.as_bytes());
        put_bytes(&mut out, self.log_key.as_bytes());
        put_number(&mut out, self.generation);
        put_number(&mut out, u64::from(self.last_run));
        put_number(&mut out, self.sequences.len() as u64);
        for (name, high_water) in &self.sequences {
            put_bytes(&mut out, name.as_bytes());
            put_number(&mut out, *high_water);
        }
        put_number(&mut out, self.keys.len() as u64);
        self.keys.iter().for_each(|key| put_key(&mut out, key));
        put_number(&mut out, self.backups.len() as u64);
        self.backups
            .iter()
            .for_each(|backup| put_backup(&mut out, backup));
        put_number(&mut out, self.targets.len() as u64);
        for target in &self.targets {
            put_bytes(&mut out, target.as_bytes());
        }
        self.rules.put(&mut out);
        put_bytes(&mut out, &self.governance);
        out
    }
}

fn put_key(out: &mut Vec<u8>, key: &EscrowKey) {
    let purpose = &key.purpose;
    put_number(out, u64::from(key.id.0));
    put_number(out, purpose.kind as u64);
    put_number(
        out,
        purpose.bucket_month.map_or(0, |month| month as u64 + 1),
    );
    put_number(
        out,
        purpose.bucket_shard.map_or(0, |shard| u64::from(shard) + 1),
    );
    put_bytes(
        out,
        purpose.object.as_deref().unwrap_or_default().as_bytes(),
    );
    put_number(out, key.state as u64);
    put_number(out, key.created_seq);
    out.extend_from_slice(key.key.expose());
}

fn put_backup(out: &mut Vec<u8>, backup: &EscrowBackup) {
    out.extend_from_slice(&backup.id.0.to_be_bytes());
    out.extend_from_slice(&backup.created.0.to_be_bytes());
    put_number(out, u64::from(backup.db_key.0));
    out.extend_from_slice(&backup.manifest);
    put_number(out, backup.messages);
    put_number(out, backup.bytes);
    put_number(out, u64::from(backup.packs));
    out.extend_from_slice(&backup.packs_hash);
    put_bytes(out, backup.target.as_bytes());
}

fn read(plain: &[u8]) -> Result<EscrowContents> {
    let mut input = Input { rest: plain };
    if input.take(MAGIC.len())? != MAGIC {
        return Err(ArchiveError::Malformed("an escrow"));
    }
    let mut contents = EscrowContents {
        store: StoreId(wide(&mut input)?),
        written: Timestamp(i64::from_be_bytes(fixed(&mut input)?)),
        checkpoint: input.text()?.to_owned(),
        log_key: input.text()?.to_owned(),
        generation: input.number()?,
        last_run: small(&mut input)?,
        sequences: Vec::new(),
        keys: Vec::new(),
        backups: Vec::new(),
        targets: Vec::new(),
        rules: CarriedRules::default(),
        governance: Vec::new(),
    };
    for _ in 0..input.number()? {
        let name = input.text()?.to_owned();
        contents.sequences.push((name, input.number()?));
    }
    for _ in 0..input.number()? {
        contents.keys.push(read_key(&mut input)?);
    }
    for _ in 0..input.number()? {
        contents.backups.push(read_backup(&mut input)?);
    }
    for _ in 0..input.number()? {
        contents.targets.push(input.text()?.to_owned());
    }
    contents.rules = CarriedRules::read(&mut input)?;
    contents.governance = input.bytes()?.to_vec();
    match input.rest.is_empty() {
        true => Ok(contents),
        false => Err(ArchiveError::Malformed("an escrow: bytes follow")),
    }
}

fn read_key(input: &mut Input<'_>) -> Result<EscrowKey> {
    const WRONG: ArchiveError = ArchiveError::Malformed("a key of an escrow");
    let id = DataKeyId(small(input)?);
    let kind = u8::try_from(input.number()?)
        .ok()
        .and_then(KeyKind::from_number);
    let (month, shard) = (input.number()?, input.number()?);
    let object = input.text()?.to_owned();
    let state = match input.number()? {
        0 => DataKeyState::Current,
        1 => DataKeyState::ResealOnly,
        _ => DataKeyState::Unassigned,
    };
    let purpose = KeyPurpose {
        kind: kind.ok_or(WRONG)?,
        bucket_month: match month {
            0 => None,
            month => Some(i32::try_from(month - 1).map_err(|_| WRONG)?),
        },
        bucket_shard: match shard {
            0 => None,
            shard => Some(u16::try_from(shard - 1).map_err(|_| WRONG)?),
        },
        object: (!object.is_empty()).then_some(object),
    };
    Ok(EscrowKey {
        id,
        purpose,
        state,
        created_seq: input.number()?,
        key: Key::from_bytes(fixed::<KEY_LEN>(input)?),
    })
}

fn read_backup(input: &mut Input<'_>) -> Result<EscrowBackup> {
    Ok(EscrowBackup {
        id: BackupId(wide(input)?),
        created: Timestamp(i64::from_be_bytes(fixed(input)?)),
        db_key: DataKeyId(small(input)?),
        manifest: fixed(input)?,
        messages: input.number()?,
        bytes: input.number()?,
        packs: small(input)?,
        packs_hash: fixed(input)?,
        target: input.text()?.to_owned(),
    })
}

/// What replacing the escrow did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EscrowReplaced {
    /// Where it was replaced.
    pub written: Vec<PathBuf>,
    /// Where it could not be, and why: that copy is older than the newest state.
    pub unreached: Vec<(PathBuf, String)>,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// Kept backups it knows.
    pub backups: u64,
}

impl Archive {
    /// Replaces the escrow at every target with all live keys as of now. `governance` is what the
    /// application wants replayed when an older backup is restored. `log` runs in the transaction
    /// that notes it.
    ///
    /// # Errors
    /// `Mismatch` without a tested recovery key, a limit above 5 MB, `Unreachable` when no target
    /// took it.
    pub fn replace_escrow(
        &self,
        now: Now,
        governance: &[u8],
        log: impl FnOnce(&WriteTx<'_>, &EscrowReplaced) -> Result<()>,
    ) -> Result<EscrowReplaced> {
        let public = self.recovery_public()?.ok_or_else(|| {
            ArchiveError::Mismatch(
                "there is no recovery key that was typed in again: make one with wordkeep keys \
                 recovery create, then wordkeep keys recovery test"
                    .to_owned(),
            )
        })?;
        self.sign_log(now)?;
        let mut kept = self.kept_backups()?;
        for backup in &mut kept {
            self.look_at_packs(backup)?;
        }
        let targets = self.escrow_targets()?;
        let contents = self.escrow_contents(now, &kept, governance, &targets)?;
        let store = self.keyring.store_id();
        let file = public.seal_escrow(store, &contents.to_bytes(), &**self.keyring.entropy())?;
        let mut replaced = EscrowReplaced {
            bytes: file.len() as u64,
            backups: kept.len() as u64,
            ..EscrowReplaced::default()
        };
        for (_, target) in &targets {
            match replace_whole_file(&target.join(ESCROW_FILE), &file) {
                Ok(()) => replaced.written.push(target.clone()),
                Err(error) => replaced.unreached.push((target.clone(), error.to_string())),
            }
        }
        self.reached("escrow.written");
        let newest = kept.last().map(|backup| backup.row.no);
        self.write(now, |tx| {
            for backup in &kept {
                tx.update_backup(&backup.row)?;
            }
            for target in &replaced.written {
                let lookup = self.target_lookup(&path_text(target)?);
                tx.escrow_written(&lookup, now.compliance, newest)?;
            }
            log(tx, &replaced)
        })?;
        match replaced.written.is_empty() && !targets.is_empty() {
            true => Err(ArchiveError::Unreachable(
                "the escrow could be replaced at no target: bring one back and run it again"
                    .to_owned(),
            )),
            false => Ok(replaced),
        }
    }

    /// What an escrow written now would hold, and the newest kept backup: for a trial restore by the
    /// house itself, which has no recovery key. `None` without a kept backup.
    pub fn live_escrow(&self, now: Now) -> Result<Option<(EscrowContents, KeptBackup)>> {
        let mut kept = self.kept_backups()?;
        for backup in &mut kept {
            self.look_at_packs(backup)?;
        }
        let targets = self.escrow_targets()?;
        let contents = self.escrow_contents(now, &kept, &[], &targets)?;
        Ok(kept.pop().map(|newest| (contents, newest)))
    }

    /// Where the escrow of a target lies.
    pub fn escrow_path(target: &Path) -> PathBuf {
        target.join(ESCROW_FILE)
    }

    /// Notes how many survivor packs lie beside a backup, where it can be reached.
    fn look_at_packs(&self, backup: &mut KeptBackup) -> Result<()> {
        let files = backup.files();
        if !files.exists() {
            return Ok(());
        }
        if let Some((list, hash)) = PackList::read(&files, self.log_verifier())? {
            backup.row.packs = u32::try_from(list.packs.len()).unwrap_or(u32::MAX);
            backup.row.packs_hash = Some(hash);
        }
        Ok(())
    }

    fn escrow_contents(
        &self,
        now: Now,
        kept: &[KeptBackup],
        governance: &[u8],
        targets: &[(crate::store::EscrowTargetRow, PathBuf)],
    ) -> Result<EscrowContents> {
        let rows = self.store.read()?;
        let note = self.store.directory().read_log_file(CHECKPOINT_FILE)?;
        let paths = targets.iter().map(|(_, path)| path_text(path));
        Ok(EscrowContents {
            store: self.keyring.store_id(),
            written: now.compliance,
            checkpoint: note
                .and_then(|note| String::from_utf8(note).ok())
                .ok_or(ArchiveError::Malformed("log/checkpoint"))?,
            log_key: self.log_verifier().to_vkey(),
            generation: self.keyring.generation(),
            last_run: rows.last_seal_run()?,
            sequences: sequences_of(&rows)?,
            keys: self.live_keys(&rows)?,
            backups: kept.iter().map(escrow_backup).collect::<Result<_>>()?,
            targets: paths.collect::<Result<_>>()?,
            rules: CarriedRules::gather(
                &rows,
                kept.first()
                    .map_or(now.compliance, |oldest| oldest.row.created),
            )?,
            governance: governance.to_vec(),
        })
    }

    fn live_keys(&self, rows: &Rows) -> Result<Vec<EscrowKey>> {
        let mut keys = Vec::new();
        for row in rows.data_keys()? {
            if row.purpose.kind == KeyKind::IndexSegment || row.state == DataKeyState::Unassigned {
                continue;
            }
            keys.push(EscrowKey {
                id: row.id,
                key: self.keyring.key(rows, row.id)?,
                purpose: row.purpose,
                state: row.state,
                created_seq: row.created_seq,
            });
        }
        Ok(keys)
    }
}

/// The marks of all sequences, and the last number of a certificate: it is replaced between a purge
/// and its certificate, and so tells of that one too.
fn sequences_of(rows: &Rows) -> Result<Vec<(String, u64)>> {
    let mut sequences = rows.sequences()?;
    sequences.retain(|(name, _)| name != CERTIFICATE_SEQUENCE);
    match rows.certificates_to_come()? {
        0 => {}
        last => sequences.push((CERTIFICATE_SEQUENCE.to_owned(), last)),
    }
    Ok(sequences)
}

fn escrow_backup(backup: &KeptBackup) -> Result<EscrowBackup> {
    let BackupRow {
        id,
        created,
        db_key,
        manifest,
        messages,
        bytes,
        packs,
        packs_hash,
        ..
    } = backup.row;
    Ok(EscrowBackup {
        id,
        created,
        db_key,
        manifest: manifest.ok_or(ArchiveError::Malformed("a kept backup without manifest"))?,
        messages,
        bytes,
        packs,
        packs_hash: packs_hash.unwrap_or_default(),
        target: path_text(&backup.target)?,
    })
}
