//! `wordkeep backup`: copies without keys, the escrow that carries the keys, and the way back.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::listed::listed;
use super::{Ended, audit, init, recovery};
use crate::app::{
    AppError, BackupLine, BackupReport, BackupRequest, DrillReport, NewSecret, RestoreOrder,
    RestoreReceipt, VerifyRequest, drill_backup, restore_backup, verify_backup,
};
use crate::audit::Verdict;
use crate::cli::context::Context;
use crate::cli::failure::{Exit, Failure};
use crate::cli::printable::{line, thousands, wall};
use crate::cli::printer::{Row, Shape};
use crate::crypto::StretchCost;
use crate::domain::BackupId;

const AFTER: &str = "Examples:
  $ wordkeep backup create --to /media/nas/wordkeep --escrow-to /media/usb
  $ wordkeep backup verify /media/nas/wordkeep/bak_01J0";
const CREATE: &str = "Make a backup, and replace the escrow

Examples:
  $ wordkeep backup create --to /media/nas/wordkeep
  $ wordkeep backup create --to /media/nas/wordkeep --escrow-to /media/usb

Imports and searches go on meanwhile. The backup holds ciphertext and no key. The escrow, a small
file beside it and in every directory named once with --escrow-to, holds all keys, sealed to the
recovery key; it is replaced at every backup. Only the newest escrow restores everything.";
const LIST: &str = "List the backups that are kept

Examples:
  $ wordkeep backup list
  $ wordkeep backup list --json";
const VERIFY: &str = "Check a backup; with the recovery key, restore it for a trial

Examples:
  $ wordkeep backup verify /media/nas/wordkeep/bak_01J0
  $ wordkeep backup verify /media/nas/wordkeep/bak_01J0 --escrow /media/usb/escrow \\
        --recovery-key-file recovery.txt --json

Without keys, log-in or configuration: the hash of every file, every signature, the log. With
--escrow and --recovery-key-file the backup is really restored below --scratch, its rows are opened,
and everything is removed again; --json prints a report that is signed.

Ends with 0 when everything holds, 1 when nothing was known of the log before, 6 when something is
not what was written, 10 when it cannot be read.";
const DRILL: &str = "Restore the newest backup for a trial, and record the signed report

Examples:
  $ wordkeep backup drill
  $ wordkeep backup drill --if-due

For a timer: with --if-due it does something once a week. The backup is really restored below --scratch
with the keys that are open anyway, every row is opened, and everything is removed again. That the
recovery key opens the escrow is proved by: wordkeep backup verify --escrow --recovery-key-file";
const RESTORE: &str = "Make a new data directory from a backup

Examples:
  $ wordkeep backup restore --from /media/nas/wordkeep/bak_01J0 --escrow /media/usb/escrow \\
        --recovery-key-file recovery.txt --to /srv/wordkeep

Take the newest escrow there is: what was destroyed before it was written stays destroyed. The new
directory is opened by the unlock key (made when there is none) or by --passphrase-file. Nothing is
destroyed in it until a records officer confirms it with: wordkeep backup confirm";
const ESCROW: &str = "Replace the escrow at every place where it is kept

Examples:
  $ wordkeep backup escrow

For instance when a disk came back that was away when it was last replaced.";
const FORGET: &str = "Give a backup up: destroy its key

Examples:
  $ wordkeep backup forget bak_01J0ABCDEFGHJKMNPQRSTVWXYZ

Its files stay where they are and are noise from now on.";
const CONFIRM: &str = "Confirm that a restored data directory is the one to go on with

Examples:
  $ wordkeep backup confirm

Until then nothing is destroyed in it. Only a records officer may.";

/// What was typed.
#[derive(Debug, Args)]
#[command(after_help = AFTER, subcommand_required = true, arg_required_else_help = true)]
pub(in crate::cli) struct Typed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a backup, and replace the escrow
    #[command(long_about = CREATE)]
    Create {
        /// The directory below which it is made
        #[arg(long, value_name = "DIR")]
        to: PathBuf,
        /// A further directory in which the escrow is kept; may be repeated
        #[arg(long, value_name = "DIR")]
        escrow_to: Vec<PathBuf>,
    },
    /// List the backups that are kept
    #[command(long_about = LIST)]
    List,
    /// Check a backup; with the recovery key, restore it for a trial
    #[command(long_about = VERIFY)]
    Verify(VerifyTyped),
    /// Restore the newest backup for a trial
    #[command(long_about = DRILL)]
    Drill {
        /// Only when the last trial is a week old
        #[arg(long)]
        if_due: bool,
        /// Where the trial has room; the usual place for temporary files unless said otherwise
        #[arg(long, value_name = "DIR")]
        scratch: Option<PathBuf>,
    },
    /// Make a new data directory from a backup
    #[command(long_about = RESTORE)]
    Restore(RestoreTyped),
    /// Replace the escrow at every place where it is kept
    #[command(long_about = ESCROW)]
    Escrow,
    /// Give a backup up: destroy its key
    #[command(long_about = FORGET)]
    Forget {
        /// The backup
        id: String,
    },
    /// Confirm that a restored data directory is the one to go on with
    #[command(long_about = CONFIRM)]
    Confirm,
}

#[derive(Debug, Args)]
struct VerifyTyped {
    /// The directory of the backup
    dir: PathBuf,
    /// The escrow: restore the backup for a trial
    #[arg(long, value_name = "FILE", requires = "recovery_key_file")]
    escrow: Option<PathBuf>,
    /// The recovery key, as it was printed
    #[arg(long, value_name = "FILE", requires = "escrow")]
    recovery_key_file: Option<PathBuf>,
    /// Rows to open in the trial, spread evenly; 0: all
    #[arg(long, value_name = "N", default_value_t = 0)]
    sample: u64,
    /// Where the trial has room; the usual place for temporary files unless said otherwise
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// A checkpoint that was kept elsewhere; may be repeated
    #[arg(long, value_name = "FILE")]
    against: Vec<PathBuf>,
    /// Public key of the log, as in the file vkey of an export
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
}

#[derive(Debug, Args)]
struct RestoreTyped {
    /// The directory of the backup
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// The newest escrow
    #[arg(long, value_name = "FILE")]
    escrow: PathBuf,
    /// The recovery key, as it was printed
    #[arg(long, value_name = "FILE")]
    recovery_key_file: PathBuf,
    /// The new data directory
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

#[derive(Serialize)]
struct Created {
    backup: String,
    path: PathBuf,
    messages: u64,
    files: u64,
    bytes: u64,
    escrows: Vec<PathBuf>,
    escrow_bytes: u64,
    unreached: Vec<PathBuf>,
    audit: u64,
}

#[derive(Serialize)]
struct Listed {
    backup: String,
    created: String,
    messages: u64,
    bytes: u64,
    packs: u32,
    present: bool,
    path: PathBuf,
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] = &[
        "BACKUP", "CREATED", "MESSAGES", "BYTES", "PACKS", "STATE", "PATH",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.backup.clone(),
            self.created.clone(),
            self.messages.to_string(),
            self.bytes.to_string(),
            self.packs.to_string(),
            if self.present { "there" } else { "away" }.to_owned(),
            self.path.display().to_string(),
        ]
    }
}

impl From<BackupLine> for Listed {
    fn from(backup: BackupLine) -> Self {
        Listed {
            backup: backup.id.to_string(),
            created: wall(backup.created),
            messages: backup.messages,
            bytes: backup.bytes,
            packs: backup.packs,
            present: backup.is_there,
            path: backup.path,
        }
    }
}

#[derive(Serialize)]
struct RestoredTo {
    backup: String,
    data: PathBuf,
    messages: u64,
    disposed: u64,
    packs: u64,
    indexed: u64,
    log_size: u64,
    escrow_log_size: u64,
    audit: u64,
}

#[derive(Serialize)]
struct Replaced {
    escrows: Vec<PathBuf>,
    unreached: Vec<PathBuf>,
    backups: u64,
    bytes: u64,
}

#[derive(Serialize)]
struct Changed {
    change: String,
    audit: u64,
}

/// Runs the verb.
pub(in crate::cli) fn run(context: &mut Context, typed: &Typed) -> Ended {
    match &typed.verb {
        Verb::Create { to, escrow_to } => create(context, to, escrow_to),
        Verb::List => list(context),
        Verb::Verify(typed) => verify(context, typed),
        Verb::Drill { if_due, scratch } => drill(context, *if_due, scratch.as_deref()),
        Verb::Restore(typed) => restore(context, typed),
        Verb::Escrow => escrow(context),
        Verb::Forget { id } => forget(context, id),
        Verb::Confirm => confirm(context),
    }
}

fn create(context: &mut Context, to: &Path, escrow_to: &[PathBuf]) -> Ended {
    let (appliance, session) = context.open_session()?;
    let request = BackupRequest {
        target: to.to_owned(),
        escrow_targets: escrow_to.to_vec(),
    };
    let meter = context.counter();
    let receipt = appliance.create_backup(&session, &request, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    for (target, why) in &receipt.escrow.unreached {
        let target = target.display();
        context.warn(&format!(
            "the escrow in {target} is older now: {}; when it is back run: wordkeep backup escrow",
            line(why)
        ));
    }
    let done = Created {
        backup: receipt.id.to_string(),
        path: receipt.made.path,
        messages: receipt.made.counts.messages,
        files: receipt.made.files,
        bytes: receipt.made.bytes,
        escrows: receipt.escrow.written,
        escrow_bytes: receipt.escrow.bytes,
        unreached: receipt
            .escrow
            .unreached
            .into_iter()
            .map(|(path, _)| path)
            .collect(),
        audit: receipt.audit.seq.0,
    };
    context.printer.one(&done, |to| {
        writeln!(
            to,
            "✓ {}: {} messages · {} files · {} bytes   audit #{}",
            done.path.display(),
            thousands(done.messages),
            thousands(done.files),
            thousands(done.bytes),
            done.audit
        )?;
        for place in &done.escrows {
            writeln!(to, "✓ escrow replaced: {}/escrow", place.display())?;
        }
        Ok(())
    })?;
    if done.escrows.len() < 2 {
        context.say("the escrow is kept in one place only: name another with --escrow-to DIR");
    }
    Ok(Exit::Done)
}

fn list(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let rows = appliance.backups(&session)?.into_iter().map(Listed::from);
    listed(context, rows)
}

fn verify(context: &mut Context, typed: &VerifyTyped) -> Ended {
    let request = VerifyRequest {
        key: typed.key.clone(),
        anchors: typed
            .against
            .iter()
            .map(|path| audit::anchors(path))
            .collect::<Result<Vec<_>, _>>()?
            .concat(),
        sample: 0,
    };
    let pins = context.settings()?.pins();
    let meter = context.counter();
    let report = verify_backup(&typed.dir, &pins, &request, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    let (Some(escrow), Some(key_file)) = (&typed.escrow, &typed.recovery_key_file) else {
        return print_report(context, &report);
    };
    if !matches!(report.verdict(), Verdict::Sound | Verdict::Unanchored) {
        return print_report(context, &report);
    }
    let recovery = recovery::read(key_file)?;
    let order = RestoreOrder {
        from: &typed.dir,
        escrow,
        recovery: &recovery,
    };
    let scratch = typed.scratch.clone().unwrap_or_else(std::env::temp_dir);
    let meter = context.counter();
    let drill = drill_backup(&order, &scratch, typed.sample, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    print_drill(context, &report, &drill)
}

/// Verifies the files of a backup, as `wordkeep verify` is asked to.
pub(super) fn verify_files(context: &mut Context, dir: &Path, request: &VerifyRequest) -> Ended {
    let pins = context.settings()?.pins();
    let meter = context.counter();
    let report = verify_backup(dir, &pins, request, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    print_report(context, &report)
}

fn drill(context: &mut Context, if_due: bool, scratch: Option<&Path>) -> Ended {
    let (appliance, session) = context.open_session()?;
    let scratch = scratch.map_or_else(std::env::temp_dir, Path::to_owned);
    let meter = context.counter();
    let drilled = appliance.drill_newest(&session, if_due, &scratch, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    let Some(drilled) = drilled else {
        context.say("nothing is due: the last trial is less than a week old, or no backup is kept");
        return Ok(Exit::Done);
    };
    let report = drilled.report.to_json();
    let verdict = &drilled.report.verdict;
    let sound = drilled.report.problems.is_empty();
    context.printer.one(&report, |to| {
        let mark = if sound { '✓' } else { '✗' };
        writeln!(
            to,
            "{mark} {} restored for a trial in {} ms: {} rows and {} attachments opened   audit #{}",
            drilled.backup,
            thousands(drilled.report.millis),
            thousands(verdict.opened),
            thousands(verdict.attachments),
            drilled.audit.seq.0
        )?;
        drilled
            .report
            .problems
            .iter()
            .try_for_each(|problem| writeln!(to, "  {}", line(problem)))
    })?;
    match sound {
        true => Ok(Exit::Done),
        false => Ok(Exit::Integrity),
    }
}

fn exit_of(verdict: Verdict) -> Exit {
    match verdict {
        Verdict::Sound => Exit::Done,
        Verdict::Unanchored => Exit::Negative,
        Verdict::Broken => Exit::Integrity,
        Verdict::Unreadable => Exit::Io,
    }
}

fn print_report(context: &mut Context, report: &BackupReport) -> Ended {
    write_report(context, report)?;
    context.printer.flush()?;
    let verdict = report.verdict();
    if verdict == Verdict::Unanchored {
        context.say(
            "nothing from outside was there to compare with: give --against a checkpoint that was \
             kept elsewhere",
        );
    }
    Ok(exit_of(verdict))
}

fn write_report(context: &mut Context, report: &BackupReport) -> Result<(), Failure> {
    if matches!(context.printer.shape(), Shape::Json | Shape::JsonLines) {
        writeln!(context.printer.sink(), "{:#}", report.to_json())?;
        return Ok(());
    }
    let to = context.printer.sink();
    let mark = match report.verdict() {
        Verdict::Sound => "✓ backup sound",
        Verdict::Unanchored => "✓ backup holds within itself",
        Verdict::Broken => "✗ backup broken",
        Verdict::Unreadable => "✗ backup unreadable",
    };
    let check = report.check.as_ref();
    writeln!(
        to,
        "{mark}: {} files · {} bytes · {} survivor pack(s) · {} log entries",
        thousands(check.map_or(0, |check| check.files)),
        thousands(check.map_or(0, |check| check.bytes)),
        check
            .and_then(|check| check.packs.as_ref())
            .map_or(0, |(list, _)| list.packs.len()),
        thousands(report.log.size)
    )?;
    for problem in report.problems() {
        writeln!(to, "  {}", line(&problem))?;
    }
    Ok(())
}

fn print_drill(context: &mut Context, report: &BackupReport, drill: &DrillReport) -> Ended {
    if matches!(context.printer.shape(), Shape::Json | Shape::JsonLines) {
        // Canonical and signed: not a blank may be added.
        let text = String::from_utf8_lossy(&drill.signed).into_owned();
        writeln!(context.printer.sink(), "{text}")?;
    } else {
        write_report(context, report)?;
        let verdict = &drill.verdict;
        let mark = match drill.problems.is_empty() {
            true => "✓ restored for a trial",
            false => "✗ does not restore",
        };
        let to = context.printer.sink();
        writeln!(
            to,
            "{mark}: {} of {} sealed rows opened · {} messages · {} attachments · {} disposed of",
            thousands(verdict.opened),
            thousands(verdict.rows),
            thousands(verdict.messages),
            thousands(verdict.attachments),
            thousands(drill.disposed)
        )?;
        for problem in &drill.problems {
            writeln!(to, "  {}", line(problem))?;
        }
    }
    context.printer.flush()?;
    context.say(&format!("took {} ms", thousands(drill.millis)));
    match drill.problems.is_empty() {
        // What opened under the keys of the escrow needs no anchor to be believed.
        true => Ok(Exit::Done),
        false => Ok(Exit::Integrity),
    }
}

fn restore(context: &mut Context, typed: &RestoreTyped) -> Ended {
    let mut settings = context.settings()?;
    settings.data = std::path::absolute(&typed.to)
        .map_err(|error| AppError::Io(format!("{}: {error}", typed.to.display())))?;
    let data = settings.data.clone();
    init::refuse_existing(&settings)?;
    let recovery = recovery::read(&typed.recovery_key_file)?;
    let (secret, label) = init::first_secret(context, &settings, false)?;
    let order = RestoreOrder {
        from: &typed.from,
        escrow: &typed.escrow,
        recovery: &recovery,
    };
    let new = NewSecret {
        secret: &secret,
        label,
        cost: StretchCost::SLOT,
    };
    let meter = context.counter();
    let receipt = restore_backup(settings, &order, &new, &mut |what, done, of| {
        meter.shows(what, done, of);
    })?;
    meter.clear();
    print_restored(context, data, &receipt)
}

fn print_restored(context: &mut Context, data: PathBuf, receipt: &RestoreReceipt) -> Ended {
    let done = RestoredTo {
        backup: receipt.backup.to_string(),
        data,
        messages: receipt.messages,
        disposed: receipt.disposed,
        packs: receipt.packs,
        indexed: receipt.indexed,
        log_size: receipt.log_size,
        escrow_log_size: receipt.escrow_log_size,
        audit: receipt.audit.seq.0,
    };
    context.printer.one(&done, |to| {
        writeln!(
            to,
            "✓ {} restored to {}: {} messages · {} disposed of since · {} survivor pack(s)   \
             audit #{}",
            done.backup,
            done.data.display(),
            thousands(done.messages),
            thousands(done.disposed),
            done.packs,
            done.audit
        )
    })?;
    let lost = done.escrow_log_size.saturating_sub(done.log_size);
    if lost > 0 {
        context.say(&format!(
            "the escrow knows {} audit entries more than the backup: what they tell of is not in \
             it; import it again",
            thousands(lost)
        ));
    }
    context.say(
        "nothing is destroyed in it until a records officer confirms it: wordkeep backup confirm",
    );
    Ok(Exit::Done)
}

fn escrow(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let replaced = appliance.replace_escrow(&session)?;
    for (target, why) in &replaced.unreached {
        context.warn(&format!("{}: {}", target.display(), line(why)));
    }
    let done = Replaced {
        unreached: replaced
            .unreached
            .iter()
            .map(|(path, _)| path.clone())
            .collect(),
        escrows: replaced.written,
        backups: replaced.backups,
        bytes: replaced.bytes,
    };
    context.printer.one(&done, |to| {
        for place in &done.escrows {
            writeln!(to, "✓ escrow replaced: {}/escrow", place.display())?;
        }
        Ok(())
    })?;
    match done.unreached.is_empty() {
        true => Ok(Exit::Done),
        false => Ok(Exit::Negative),
    }
}

fn forget(context: &mut Context, id: &str) -> Ended {
    let id: BackupId = id
        .parse()
        .map_err(|_| AppError::Usage(format!("\"{id}\" is not the id of a backup: bak_...")))?;
    let (appliance, session) = context.open_session()?;
    let appended = appliance.forget_backup(&session, id)?;
    let done = Changed {
        change: format!("{id} given up: its key is destroyed"),
        audit: appended.seq.0,
    };
    print_changed(context, &done)
}

fn confirm(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let appended = appliance.confirm_restore(&session)?;
    let done = Changed {
        change: "the restored data directory is confirmed".to_owned(),
        audit: appended.seq.0,
    };
    print_changed(context, &done)
}

fn print_changed(context: &mut Context, done: &Changed) -> Ended {
    context.printer.one(done, |to| {
        writeln!(to, "✓ {}   audit #{}", done.change, done.audit)
    })?;
    Ok(Exit::Done)
}
