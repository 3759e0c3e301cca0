//! The use-cases of backups: recovery keys, making one, what is kept, how the escrow stands.

use std::path::{Path, PathBuf};

use super::check::finding;
use super::{AppError, Appliance, Finding, Result, Session, Standing};
use crate::archive::{ArchiveError, BackupBegun, BackupMade, EscrowReplaced};
use crate::audit::{Action, Appended, Draft, EntryActor, Outcome};
use crate::crypto::{RecoveryKey, hex};
use crate::domain::{BackupId, Right, Timestamp};
use crate::store::BackupState;

/// What a backup is to be.
#[derive(Clone, Debug, Default)]
pub struct BackupRequest {
    /// The directory below which it is made.
    pub target: PathBuf,
    /// Further directories in which the escrow is replaced, from now on.
    pub escrow_targets: Vec<PathBuf>,
}

/// What making a backup did.
#[derive(Clone, Debug)]
pub struct BackupReceipt {
    /// Its id.
    pub id: BackupId,
    /// The backup itself.
    pub made: BackupMade,
    /// The escrow that was replaced after it.
    pub escrow: EscrowReplaced,
    /// The entry of its outcome.
    pub audit: Appended,
}

/// A backup as it is listed.
#[derive(Clone, Debug)]
pub struct BackupLine {
    /// Its id.
    pub id: BackupId,
    /// When it was begun.
    pub created: Timestamp,
    /// Where it lies.
    pub path: PathBuf,
    /// Messages inside.
    pub messages: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Survivor packs beside it, as last seen.
    pub packs: u32,
    /// Whether its directory is there now.
    pub is_there: bool,
}

impl Appliance {
    /// Makes a recovery key. It is shown once: the caller writes it where nobody finds it with the
    /// data. Escrows are sealed to it as soon as it was typed in again.
    pub fn create_recovery_key(&self, session: &Session) -> Result<(RecoveryKey, Appended)> {
        self.require(session, Right::ManageKeys, Action::RecoveryCreate)?;
        let now = self.clock.now();
        let mut appended = None;
        let key = self.archive.create_recovery_key(now, |tx, public| {
            let draft = self
                .draft(session, Action::RecoveryCreate)
                .word("key", public.name());
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        self.sign_log()?;
        Ok((key, appended.ok_or_else(no_entry)?))
    }

    /// Proves that a recovery key was written down. Gives its name.
    pub fn test_recovery_key(
        &self,
        session: &Session,
        key: &RecoveryKey,
    ) -> Result<(String, Appended)> {
        self.require(session, Right::ManageKeys, Action::RecoveryTest)?;
        let now = self.clock.now();
        let mut appended = None;
        let public = self.archive.test_recovery_key(now, key, |tx, public| {
            let draft = self
                .draft(session, Action::RecoveryTest)
                .word("key", public.name());
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        self.sign_log()?;
        Ok((public.name(), appended.ok_or_else(no_entry)?))
    }

    /// Makes a backup and replaces the escrow. Imports and searches go on meanwhile.
    pub fn create_backup(
        &self,
        session: &Session,
        request: &BackupRequest,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<BackupReceipt> {
        self.require(session, Right::ManageKeys, Action::BackupIntent)?;
        if self.archive.recovery_public()?.is_none() {
            return Err(AppError::Configuration(
                "a backup without a recovery key could never be opened: make one with wordkeep \
                 keys recovery create, then type it in again with wordkeep keys recovery test"
                    .to_owned(),
            ));
        }
        let target = self.outside(&request.target)?;
        for further in &request.escrow_targets {
            let further = self.outside(further)?;
            self.archive.add_escrow_target(self.clock.now(), &further)?;
        }
        let now = self.clock.now();
        let begun = self.archive.begin_backup(now, &target, |tx, id| {
            let draft = self.draft(session, Action::BackupIntent).object(id);
            self.archive.log(tx, now, draft, None).map(drop)
        })?;
        let made = match self.archive.write_backup(&begun, now, progress) {
            Ok(made) => made,
            Err(error) => {
                self.give_up(&begun)?;
                return Err(error.into());
            }
        };
        let audit = self.keep(session, &begun, &made)?;
        let escrow = self.replace_escrow(session)?;
        if !escrow.written.contains(&target) {
            return Err(AppError::Io(format!(
                "the backup {} is whole, but the escrow beside it could not be replaced: {}",
                begun.row.id,
                escrow.unreached.first().map_or("", |(_, why)| why.as_str())
            )));
        }
        Ok(BackupReceipt {
            id: begun.row.id,
            made,
            escrow,
            audit,
        })
    }

    fn keep(&self, session: &Session, begun: &BackupBegun, made: &BackupMade) -> Result<Appended> {
        let now = self.clock.now();
        let mut appended = None;
        self.archive.keep_backup(now, begun, made, |tx| {
            let draft = self
                .draft(session, Action::BackupOutcome)
                .object(begun.row.id)
                .count("messages", made.counts.messages)
                .count("bytes", made.bytes)
                .word("manifest", hex(&made.manifest));
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        appended.ok_or_else(no_entry)
    }

    fn give_up(&self, begun: &BackupBegun) -> Result<()> {
        let backup = crate::archive::KeptBackup {
            row: begun.row.clone(),
            target: begun.target.clone(),
        };
        let now = self.clock.now();
        Ok(self.archive.forget_backup(now, &backup, |tx| {
            let draft = Draft::new(EntryActor::system(), Action::BackupOutcome, self.request())
                .object(begun.row.id)
                .result(Outcome::Failed);
            self.archive.log(tx, now, draft, None).map(drop)
        })?)
    }

    /// Ends what a crash left of backups: their keys are destroyed, their drafts removed.
    pub(super) fn close_interrupted_backups(&self) -> Result<()> {
        for backup in self.archive.backups_in(BackupState::Begun)? {
            self.give_up(&BackupBegun {
                row: backup.row,
                target: backup.target,
            })?;
        }
        Ok(())
    }

    /// Replaces the escrow at every target: after a backup, after a purge, or when one came back.
    pub fn replace_escrow(&self, session: &Session) -> Result<EscrowReplaced> {
        self.require(session, Right::ManageKeys, Action::EscrowReplace)?;
        self.put_escrow(self.draft(session, Action::EscrowReplace))
    }

    /// P8 of a purge: the escrow forgets the destroyed keys too, wherever there is one. Its entry is
    /// by the system: who runs a purge need not manage keys.
    pub(super) fn escrow_after_purge(&self) -> Result<()> {
        let has_key = self.archive.recovery_public()?.is_some();
        if !has_key || self.archive.escrow_targets()?.is_empty() {
            return Ok(());
        }
        let system = EntryActor::system();
        self.put_escrow(Draft::new(system, Action::EscrowReplace, self.request()))
            .map(drop)
    }

    fn put_escrow(&self, draft: Draft) -> Result<EscrowReplaced> {
        let governance = self.governance()?;
        let now = self.clock.now();
        let replaced = self
            .archive
            .replace_escrow(now, &governance, |tx, replaced| {
                let draft = draft
                    .count("targets", replaced.written.len() as u64)
                    .count("unreached", replaced.unreached.len() as u64)
                    .count("backups", replaced.backups);
                self.archive.log(tx, now, draft, None).map(drop)
            })?;
        self.sign_log()?;
        Ok(replaced)
    }

    /// What of the application's own must be replayed before the first read of a restored record.
    /// Holds, policies, leavers and traces of destruction travel as rows; nothing else yet.
    fn governance(&self) -> Result<Vec<u8>> {
        Ok(Vec::new())
    }

    /// Replays what [`Appliance::governance`] packed. What this program cannot read it refuses: to
    /// go on without holds that are in force would be worse than not to go on.
    pub(super) fn replay_governance(&self, packed: &[u8]) -> Result<()> {
        match packed.is_empty() {
            true => Ok(()),
            false => Err(AppError::Configuration(
                "the escrow carries rules that this program does not know: restore with the newer \
                 version"
                    .to_owned(),
            )),
        }
    }

    /// Every backup whose key is held, oldest first.
    pub fn backups(&self, session: &Session) -> Result<Vec<BackupLine>> {
        self.require(session, Right::ManageKeys, Action::BackupIntent)?;
        let kept = self.archive.kept_backups()?;
        Ok(kept
            .into_iter()
            .map(|backup| BackupLine {
                id: backup.row.id,
                created: backup.row.created,
                path: backup.path(),
                messages: backup.row.messages,
                bytes: backup.row.bytes,
                packs: backup.row.packs,
                is_there: backup.path().is_dir(),
            })
            .collect())
    }

    /// Gives a backup up: its key is destroyed and leaves the escrow. Its files stay and are noise.
    pub fn forget_backup(&self, session: &Session, id: BackupId) -> Result<Appended> {
        self.require(session, Right::ManageKeys, Action::BackupForget)?;
        let kept = self.archive.kept_backups()?;
        let backup = kept
            .into_iter()
            .find(|backup| backup.row.id == id)
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let now = self.clock.now();
        let mut appended = None;
        self.archive.forget_backup(now, &backup, |tx| {
            let draft = self.draft(session, Action::BackupForget).object(id);
            appended = Some(self.archive.log(tx, now, draft, None)?);
            Ok(())
        })?;
        self.replace_escrow(session)?;
        appended.ok_or_else(no_entry)
    }

    /// Confirms that a restored data directory is the one to go on with.
    pub fn confirm_restore(&self, session: &Session) -> Result<Appended> {
        self.require(session, Right::ConfirmRestore, Action::RestoreConfirm)?;
        let now = self.clock.now();
        let mut appended = None;
        self.archive
            .confirm_restore(now, session.actor.no, |tx, mark| {
                let draft = self
                    .draft(session, Action::RestoreConfirm)
                    .object(mark.backup);
                appended = Some(self.archive.log(tx, now, draft, None)?);
                Ok(())
            })?;
        self.sign_log()?;
        appended.ok_or_else(no_entry)
    }

    /// How backups, escrow and a restored directory stand.
    pub(super) fn check_backups(&self) -> Result<Vec<Finding>> {
        let health = self.archive.backup_health()?;
        let mut findings = vec![match (health.kept, health.recovery_ready) {
            (_, false) => finding(
                "backup",
                Standing::Warning,
                "no recovery key was typed in again, so there can be no backup: wordkeep keys \
                 recovery create",
            ),
            (0, true) => finding(
                "backup",
                Standing::Warning,
                "none is kept: wordkeep backup create --to DIR",
            ),
            (kept, true) => finding("backup", Standing::Good, format!("{kept} kept")),
        }];
        findings.extend(self.check_drill(health.kept)?);
        if health.kept > 0 {
            findings.push(match (health.stale.first(), health.targets) {
                (Some(stale), _) => finding(
                    "escrow",
                    Standing::Bad,
                    format!(
                        "the escrow in {} is older than the newest backup, which cannot be \
                         restored from it: wordkeep backup escrow",
                        stale.display()
                    ),
                ),
                (None, 1) => finding(
                    "escrow",
                    Standing::Warning,
                    "kept in one place only: name another with wordkeep backup create --escrow-to",
                ),
                (None, targets) => finding(
                    "escrow",
                    Standing::Good,
                    format!("newer than the newest backup, in {targets} places"),
                ),
            });
        }
        if let Some(mark) = self.archive.restored()?
            && !mark.confirmed
        {
            findings.push(finding(
                "restored",
                Standing::Warning,
                format!(
                    "from the backup {}; nothing is destroyed until a records officer confirms \
                     it: wordkeep backup confirm",
                    mark.backup
                ),
            ));
        }
        Ok(findings)
    }

    /// A target as an absolute path, which must lie outside the data directory.
    fn outside(&self, path: &Path) -> Result<PathBuf> {
        let absolute =
            |path: &Path| std::path::absolute(path).map_err(|error| AppError::file(path, &error));
        let (target, data) = (absolute(path)?, absolute(&self.settings.data)?);
        match target.starts_with(&data) {
            true => Err(AppError::Usage(format!(
                "{} lies inside the data directory: what it is to survive would take it along",
                path.display()
            ))),
            false => Ok(target),
        }
    }
}

/// Reads the printed form of a recovery key.
pub fn parse_recovery_key(text: &str) -> Result<RecoveryKey> {
    RecoveryKey::from_text(text).map_err(|error| AppError::Configuration(error.to_string()))
}

fn no_entry() -> AppError {
    ArchiveError::Malformed("the act left no audit entry").into()
}
