//! The use-cases "restore" and "try a restore": a new data directory from backup, escrow and
//! recovery key.

use std::fs;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::check::{Finding, Standing, finding};
use super::clock::{self, Stopwatch};
use super::entropy::SystemEntropy;
use super::files::read_bytes;
use super::{AppError, Appliance, Result, Session, Settings};
use crate::archive::{
    Archive, ArchiveConfig, DrillVerdict, EscrowContents, MANIFEST_BYTES_MAX, MANIFEST_FILE,
    Manifest, NewVault, RestoreRequest, Restored, restore,
};
use crate::audit::{Action, Appended, AuthStrength, Draft, EntryActor};
use crate::crypto::{Entropy, RecoveryKey, Secret, StretchCost, hex, random_bytes, sha256};
use crate::domain::{BackupId, Right, Timestamp};
use crate::store::{HoldRow, Rows};

/// Days after which a trial restore is due again.
const DRILL_DAYS: i64 = 7;
/// When the last one was, how long it took, its report and whether it was sound.
const FACT_DRILL: &str = "backup-drill";
/// Longest escrow file that is read, in bytes.
const ESCROW_BYTES_MAX: u64 = 8 << 20;

/// What is restored, and with what.
pub struct RestoreOrder<'a> {
    /// The directory of the backup.
    pub from: &'a Path,
    /// The escrow file: the newest there is.
    pub escrow: &'a Path,
    /// The recovery key it is sealed to.
    pub recovery: &'a RecoveryKey,
}

impl RestoreOrder<'_> {
    fn open_escrow(&self) -> Result<EscrowContents> {
        let file = read_bytes(self.escrow, ESCROW_BYTES_MAX)?;
        Ok(EscrowContents::open(&file, self.recovery)?)
    }
}

/// How the new data directory is opened from now on.
pub struct NewSecret<'a> {
    /// The first secret.
    pub secret: &'a Secret,
    /// What people call its slot.
    pub label: &'a str,
    /// Cost of stretching a passphrase.
    pub cost: StretchCost,
}

/// What a restore did.
#[derive(Clone, Debug)]
pub struct RestoreReceipt {
    /// The backup.
    pub backup: BackupId,
    /// Messages that are there.
    pub messages: u64,
    /// Messages that were destroyed after the backup and stay so.
    pub disposed: u64,
    /// Survivor packs that were applied.
    pub packs: u64,
    /// Entries of the log in the backup.
    pub log_size: u64,
    /// Entries the log had when the escrow was written; the difference is lost.
    pub escrow_log_size: u64,
    /// Messages in the new index.
    pub indexed: u64,
    /// The entry of the restore.
    pub audit: Appended,
}

/// Makes a new data directory at `settings.data`, builds its index, and marks it: nothing is
/// destroyed in it until a records officer confirmed it. Nobody is logged in afterwards.
pub fn restore_backup(
    settings: Settings,
    order: &RestoreOrder<'_>,
    new: &NewSecret<'_>,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<RestoreReceipt> {
    let escrow = order.open_escrow()?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let request = RestoreRequest {
        backup: order.from,
        escrow: &escrow,
        new: NewVault {
            root: &settings.data,
            keys: settings.keys_dir.as_deref(),
            secret: new.secret,
            label: new.label,
            cost: new.cost,
        },
    };
    let restored = restore(&request, Arc::clone(&entropy), clock::wall(), progress)?;
    let Restored {
        vault,
        backup,
        messages,
        disposed,
        packs,
        log_size,
        escrow_log_size,
        governance,
        ..
    } = restored;
    let appliance = Appliance::start(vault, settings, entropy, None)?;
    appliance.replay_governance(&governance)?;
    let now = appliance.clock.now();
    appliance.archive.adopt_backups(now, &escrow)?;
    let audit = appliance.change(now, |tx| {
        let mut host = EntryActor::system();
        host.auth_strength = AuthStrength::Host;
        let request = appliance.request();
        // The copy was made before its own backup was whole.
        let whole = Draft::new(host.clone(), Action::BackupOutcome, request.clone()).object(backup);
        appliance.log(tx, now, whole, None)?;
        let draft = Draft::new(host.clone(), Action::BackupRestore, request.clone())
            .object(backup)
            .count("certificates", tx.last_certificate()?)
            .count("disposed", disposed)
            .count("packs", packs)
            .count("log_size", log_size)
            .count("escrow_log_size", escrow_log_size);
        let entry = appliance.log(tx, now, draft, None)?;
        for row in tx.holds()? {
            let draft = Draft::new(host.clone(), Action::HoldCarry, request.clone());
            let draft = appliance.carried(tx, &row, draft)?;
            appliance.log(tx, now, draft, None)?;
        }
        Ok(entry)
    })?;
    appliance.sign_log()?;
    let rebuilt = appliance.archive.rebuild_index(
        appliance.clock.now(),
        &mut |done, of| progress("index", done, of),
        |_, _| Ok(()),
    )?;
    appliance.close_interrupted_imports()?;
    appliance.close()?;
    Ok(RestoreReceipt {
        backup,
        messages,
        disposed,
        packs,
        log_size,
        escrow_log_size,
        indexed: rebuilt.messages,
        audit,
    })
}

impl Appliance {
    /// How a hold stands in a restored record: its entries may be newer than the log of the backup.
    fn carried(&self, rows: &Rows, row: &HoldRow, draft: Draft) -> Result<Draft> {
        let draft = draft.object(row.id);
        let draft = match row.hold.release {
            Some(_) => draft.instant("until", row.hold.ends()),
            None => draft,
        };
        Ok(match row.release_requested {
            Some((_, by)) => draft.word("requested_by", self.user_id(rows, by)?),
            None => draft,
        })
    }
}

/// What a trial restore found.
#[derive(Clone, Debug)]
pub struct DrillReport {
    /// The report as it is signed: canonical JSON.
    pub signed: Vec<u8>,
    /// What was opened.
    pub verdict: DrillVerdict,
    /// What does not hold, in words.
    pub problems: Vec<String>,
    /// Messages that were destroyed after the backup.
    pub disposed: u64,
    /// How long restoring and opening took, in milliseconds.
    pub millis: u64,
}

/// Really restores a backup into a directory below `scratch`, opens its rows (`sample` of them, 0:
/// all), and removes the directory again. What lies there meanwhile is sealed under a key that
/// nobody is told.
pub fn drill_backup(
    order: &RestoreOrder<'_>,
    scratch: &Path,
    sample: u64,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<DrillReport> {
    let escrow = order.open_escrow()?;
    drill(order.from, &escrow, scratch, sample, progress)
}

fn drill(
    from: &Path,
    escrow: &EscrowContents,
    scratch: &Path,
    sample: u64,
    progress: &mut dyn FnMut(&'static str, u64, u64),
) -> Result<DrillReport> {
    let watch = Stopwatch::start();
    let name = hex(&random_bytes::<8>(&SystemEntropy));
    let place = Scratch::make(scratch.join(format!("wordkeep-drill-{name}")))?;
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    let secret = Secret::key_file(&random_bytes::<32>(&*entropy));
    let request = RestoreRequest {
        backup: from,
        escrow,
        new: NewVault {
            root: &place.path.join("data"),
            keys: None,
            secret: &secret,
            label: "drill",
            cost: StretchCost::LOGIN,
        },
    };
    let restored = restore(&request, entropy, clock::wall(), progress)?;
    let (backup, disposed, messages) = (restored.backup, restored.disposed, restored.messages);
    let (packs, log_size) = (restored.packs, restored.log_size);
    let archive = Archive::open(restored.vault, ArchiveConfig::default())?;
    archive.check_log()?;
    let verdict = archive.drill(sample, progress)?;
    let bytes = read_bytes(&from.join(MANIFEST_FILE), MANIFEST_BYTES_MAX)?;
    let manifest = Manifest::open(&bytes, archive.log_verifier())?;
    let mut problems = verdict.broken.clone();
    if messages + disposed != manifest.messages {
        problems.push(format!(
            "{messages} messages and {disposed} disposed of, the manifest says {}",
            manifest.messages
        ));
    }
    let millis = u64::try_from(watch.elapsed().as_millis()).unwrap_or(u64::MAX);
    let report = json!({
        "attachments": verdict.attachments,
        "backup": backup.to_string(),
        "broken": verdict.broken_count,
        "disposed": disposed,
        "escrow_written": escrow.written.0,
        "format": "wordkeep-restore-report-1",
        "log_size": log_size,
        "manifest_sha256": hex(&Manifest::hash(&bytes)),
        "messages": messages,
        "millis": millis,
        "opened": verdict.opened,
        "packs": packs,
        "problems": problems,
        "rows": verdict.rows,
        "sample": sample,
        "sound": problems.is_empty(),
        "store": manifest.store,
        "verified": clock::wall().0,
    });
    let signed = archive.sign_restore_report(&report)?;
    drop(archive);
    place.remove()?;
    Ok(DrillReport {
        signed,
        verdict,
        problems,
        disposed,
        millis,
    })
}

impl DrillReport {
    /// The signed report as a value.
    pub fn to_json(&self) -> Value {
        serde_json::from_slice(&self.signed).unwrap_or_default()
    }
}

/// The trial restore of the week, as it was recorded.
#[derive(Clone, Debug)]
pub struct WeeklyDrill {
    /// The backup.
    pub backup: BackupId,
    /// What was found.
    pub report: DrillReport,
    /// The audit entry.
    pub audit: Appended,
}

impl Appliance {
    /// Restores the newest kept backup for trial with the keys that are open anyway, and records the
    /// signed report. With `if_due`, only when the last one is a week old: `None` otherwise. That the
    /// recovery key opens the escrow is proved by [`drill_backup`] alone.
    ///
    /// # Errors
    /// For anybody but an administrator; `NotFound` without a kept backup; what the restore says.
    pub fn drill_newest(
        &self,
        session: &Session,
        if_due: bool,
        scratch: &Path,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<Option<WeeklyDrill>> {
        self.require(session, Right::ManageKeys, Action::BackupDrill)?;
        let now = self.clock.now();
        let last = self.last_drill()?;
        let due = |last: LastDrill| now.compliance >= last.at.plus_days(DRILL_DAYS);
        if if_due && !last.is_none_or(due) {
            return Ok(None);
        }
        let Some((escrow, newest)) = self.archive.live_escrow(now)? else {
            return match if_due {
                true => Ok(None),
                false => Err(AppError::NotFound("a backup that is kept".to_owned())),
            };
        };
        let report = drill(&newest.path(), &escrow, scratch, 0, progress)?;
        let backup = newest.row.id;
        let audit = self.change(now, |tx| {
            let text = String::from_utf8_lossy(&report.signed);
            let text_no = self.archive.seal_texts(tx, &[&text])?;
            let sound = report.problems.is_empty();
            let mut fact = now.compliance.0.to_be_bytes().to_vec();
            fact.extend_from_slice(&report.millis.to_be_bytes());
            fact.extend_from_slice(&text_no.to_be_bytes());
            fact.push(u8::from(sound));
            tx.put_fact(FACT_DRILL, &fact)?;
            let draft = self
                .draft(session, Action::BackupDrill)
                .object(backup)
                .count("sound", u64::from(sound))
                .count("millis", report.millis)
                .word("report", hex(&sha256(&report.signed)));
            self.log(tx, now, draft, None)
        })?;
        Ok(Some(WeeklyDrill {
            backup,
            report,
            audit,
        }))
    }

    /// The last trial restore, if there was one.
    pub(super) fn last_drill(&self) -> Result<Option<LastDrill>> {
        let kept = self.archive.store().read()?.fact(FACT_DRILL)?;
        let kept = kept.and_then(|bytes| <[u8; 25]>::try_from(bytes).ok());
        Ok(kept.map(|bytes| {
            let number = |at: usize| {
                let mut eight = [0; 8];
                eight.copy_from_slice(&bytes[at..at + 8]);
                u64::from_be_bytes(eight)
            };
            LastDrill {
                at: Timestamp(number(0) as i64),
                millis: number(8),
                sound: bytes[24] != 0,
            }
        }))
    }

    /// How the weekly trial stands; nothing where no backup is kept.
    pub(super) fn check_drill(&self, kept: u64) -> Result<Option<Finding>> {
        if kept == 0 {
            return Ok(None);
        }
        let now = self.clock.now().compliance;
        let late = |last: &LastDrill| now >= last.at.plus_days(DRILL_DAYS + 1);
        Ok(Some(match self.last_drill()? {
            None => finding(
                "drill",
                Standing::Warning,
                "no backup was ever restored for trial: wordkeep backup drill",
            ),
            Some(last) if !last.sound => finding(
                "drill",
                Standing::Bad,
                "the last trial restore found something broken: wordkeep backup drill",
            ),
            Some(last) if late(&last) => finding(
                "drill",
                Standing::Warning,
                "the last trial restore is more than a week old: wordkeep backup drill",
            ),
            Some(last) => finding(
                "drill",
                Standing::Good,
                format!("the newest backup was restored in {} ms", last.millis),
            ),
        }))
    }
}

/// What is kept of the last trial.
#[derive(Clone, Copy, Debug)]
pub(super) struct LastDrill {
    /// When.
    pub(super) at: Timestamp,
    /// How long it took.
    pub(super) millis: u64,
    /// Whether all was sound.
    pub(super) sound: bool,
}

/// A directory that goes when the trial ends, however it ends.
struct Scratch {
    path: PathBuf,
}

impl Scratch {
    fn make(path: PathBuf) -> Result<Scratch> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .map_err(|error| AppError::file(&path, &error))?;
        Ok(Scratch { path })
    }

    fn remove(self) -> Result<()> {
        fs::remove_dir_all(&self.path).map_err(|error| AppError::file(&self.path, &error))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is sealed under a key that is gone.
        let _ = fs::remove_dir_all(&self.path);
    }
}
