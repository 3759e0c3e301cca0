//! The use-cases of the audit log: read it, sign it, give it away, refuse to go on from an old copy.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::pins::{Pin, PinBoard};
use super::{AppError, Appliance, Result, Session};
use crate::audit::{Action, Appended, AuditError, Entry, LogEnd, LogFiles, LogSink, VKEY_FILE};
use crate::crypto::{Checkpoint, open_checkpoint};
use crate::domain::{EntryNo, Right, Role, Timestamp};
use crate::ingest::BundleWriter;
use crate::store::{AuditEntryRow, Rows};

/// Entries read at a time.
const PAGE: u64 = 1_024;
/// Most entries one answer lists.
pub const LOG_LINES_MAX: usize = 10_000;

/// Most entries that are looked through for one page of a filtered log.
pub const LOG_SCAN_MAX: u64 = 200_000;

/// Which entries are wanted; every filter that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct LogRequest {
    /// Not before this compliance time.
    pub since: Option<Timestamp>,
    /// Before this compliance time.
    pub until: Option<Timestamp>,
    /// Only by this actor (`usr_...` or `system`).
    pub actor: Option<String>,
    /// Only this act, or acts of this stem (`import` for `import.intent`).
    pub action: Option<String>,
    /// Only entries that name this object.
    pub object: Option<String>,
    /// From this entry on.
    pub from: u64,
    /// At most so many, up to [`LOG_LINES_MAX`]; 0 means all of them.
    pub limit: usize,
}

impl LogRequest {
    fn takes(&self, entry: &Entry) -> bool {
        let draft = &entry.draft;
        let name = draft.action.name();
        let acts = |wanted: &String| {
            name == wanted
                || name
                    .strip_prefix(wanted.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
        };
        self.since.is_none_or(|since| entry.t_c >= since)
            && self.until.is_none_or(|until| entry.t_c < until)
            && self
                .actor
                .as_ref()
                .is_none_or(|actor| draft.actor.id == *actor)
            && self.action.as_ref().is_none_or(acts)
            && self
                .object
                .as_ref()
                .is_none_or(|object| draft.objects.contains(object))
    }
}

/// One entry as shown.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The entry.
    pub entry: Entry,
    /// The canonical JSON that is hashed.
    pub json: String,
    /// What was typed (query, reason, name), for those who may read it; `None` when there is none
    /// or its year was pruned.
    pub payload: Option<String>,
}

/// Entries that were asked for.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// The entries, oldest first.
    pub lines: Vec<LogLine>,
    /// Where to go on, when there is more.
    pub next: Option<u64>,
    /// The entry of this reading.
    pub audit: Appended,
}

/// Whether somebody may see what was typed.
fn reads_payloads(session: &Session) -> bool {
    matches!(session.actor.role, Role::Auditor | Role::RecordsOfficer)
}

impl Appliance {
    /// Lists entries. That the log was read is itself durable in it before anything is shown.
    pub fn read_log(&self, session: &Session, request: &LogRequest) -> Result<LogPage> {
        self.require(session, Right::ReadAudit, Action::LogRead)?;
        let limit = match request.limit {
            0 => LOG_LINES_MAX,
            limit => limit.min(LOG_LINES_MAX),
        };
        let (mut lines, next) = self.collect(session, request, limit)?;
        let now = self.clock.now();
        let audit = self.change(now, |tx| {
            let draft = self
                .draft(session, Action::LogRead)
                .count("from", request.from)
                .count("entries", lines.len() as u64);
            self.log(tx, now, draft, None)
        })?;
        lines.shrink_to_fit();
        Ok(LogPage { lines, next, audit })
    }

    /// Lists entries newest first, for reading on a page: those before entry `before`, or the last ones.
    /// At most [`LOG_SCAN_MAX`] entries are looked through at a time; `next` says before which entry
    /// to go on. That the log was read is durable in it before anything is shown.
    pub fn read_log_back(
        &self,
        session: &Session,
        request: &LogRequest,
        before: Option<u64>,
    ) -> Result<LogPage> {
        self.require(session, Right::ReadAudit, Action::LogRead)?;
        let (mut lines, mut next) = (Vec::new(), None);
        let limit = request.limit.clamp(1, LOG_LINES_MAX);
        let shows_typed = reads_payloads(session);
        {
            let rows = self.archive.store().read()?;
            let size = rows.audit_edge()?.map_or(0, |(size, _)| size);
            let end = before.unwrap_or(size).min(size);
            let begins = self.archive.log_begins(&rows)?;
            let floor = end.saturating_sub(LOG_SCAN_MAX).max(begins);
            let mut upper = end;
            'reading: while upper > floor {
                let lower = upper.saturating_sub(PAGE).max(floor);
                for row in rows
                    .audit_entries(EntryNo(lower), EntryNo(upper))?
                    .iter()
                    .rev()
                {
                    let Some(line) = self.line(&rows, row, request, shows_typed)? else {
                        continue;
                    };
                    if lines.len() == limit {
                        next = Some(row.seq.0 + 1);
                        break 'reading;
                    }
                    lines.push(line);
                }
                upper = lower;
            }
            if next.is_none() && floor > begins {
                next = Some(floor);
            }
        }
        let now = self.clock.now();
        let audit = self.change(now, |tx| {
            let draft = self
                .draft(session, Action::LogRead)
                .count("entries", lines.len() as u64);
            self.log(tx, now, draft, None)
        })?;
        Ok(LogPage { lines, next, audit })
    }

    /// The log-in names of those whom entries name by id, for those who may read the log.
    pub fn actor_names(&self, session: &Session) -> Result<BTreeMap<String, String>> {
        self.require(session, Right::ReadAudit, Action::LogRead)?;
        let users = self.archive.store().read()?.users()?;
        Ok(users
            .into_iter()
            .map(|user| (user.id.to_string(), user.login))
            .collect())
    }

    /// One entry as shown, if it is wanted.
    fn line(
        &self,
        rows: &Rows,
        row: &AuditEntryRow,
        request: &LogRequest,
        shows_typed: bool,
    ) -> Result<Option<LogLine>> {
        let entry = Entry::parse(&row.entry)
            .map_err(|what| AppError::Integrity(format!("audit entry {}: {what}", row.seq)))?;
        if !request.takes(&entry) {
            return Ok(None);
        }
        let payload = match shows_typed {
            true => self.archive.payload(rows, row, &entry.payload_commit)?,
            false => None,
        };
        Ok(Some(LogLine {
            entry,
            json: String::from_utf8_lossy(&row.entry).into_owned(),
            payload: payload.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        }))
    }

    fn collect(
        &self,
        session: &Session,
        request: &LogRequest,
        limit: usize,
    ) -> Result<(Vec<LogLine>, Option<u64>)> {
        let shows_typed = reads_payloads(session);
        let rows = self.archive.store().read()?;
        let size = rows.audit_edge()?.map_or(0, |(size, _)| size);
        let mut lines = Vec::new();
        let mut from = request.from.max(self.archive.log_begins(&rows)?);
        while from < size {
            let end = (from + PAGE).min(size);
            for row in rows.audit_entries(EntryNo(from), EntryNo(end))? {
                let Some(line) = self.line(&rows, &row, request, shows_typed)? else {
                    continue;
                };
                if lines.len() == limit {
                    return Ok((lines, Some(row.seq.0)));
                }
                lines.push(line);
            }
            from = end;
        }
        Ok((lines, None))
    }

    /// Signs the log now and gives the checkpoint: three lines to print, mail or keep elsewhere.
    pub fn checkpoint(&self, session: &Session) -> Result<Checkpoint> {
        self.require(session, Right::ReadAudit, Action::LogRead)?;
        self.sign_log()?
            .ok_or_else(|| AppError::NotFound("an entry to sign".to_owned()))
    }

    /// Exports the log as C2SP tiles into a new directory: what anybody can verify without a key.
    /// No payload and no content is in it.
    pub fn export_log(&self, session: &Session, into: &Path) -> Result<(Checkpoint, Appended)> {
        self.require(session, Right::ReadAudit, Action::LogExport)?;
        if into.exists() {
            return Err(AppError::Conflict(format!(
                "{} exists already: name a new directory",
                into.display()
            )));
        }
        let now = self.clock.now();
        let appended = self.change(now, |tx| {
            self.log(tx, now, self.draft(session, Action::LogExport), None)
        })?;
        self.sign_log()?;
        let checkpoint = self.write_log(&mut LogDirectory::new(into))?;
        Ok((checkpoint, appended))
    }

    /// Writes the log with its public key.
    pub(super) fn write_log(&self, sink: &mut dyn LogSink) -> Result<Checkpoint> {
        let checkpoint = self.archive.export_log(sink)?;
        sink.write(VKEY_FILE, self.vkey_line().as_bytes())
            .map_err(|error| AppError::Io(error.to_string()))?;
        Ok(checkpoint)
    }

    /// The public key of the log (C2SP vkey), as a line: with it anybody verifies an export.
    pub fn vkey_line(&self) -> String {
        format!("{}\n", self.archive.log_verifier().to_vkey())
    }

    /// Signs and publishes the log, and remembers it on this computer.
    pub(super) fn sign_log(&self) -> Result<Option<Checkpoint>> {
        // A signature under an older copy would tell another story than the newer one did.
        if self.quarantine().is_some() {
            return Ok(None);
        }
        let signed = self.archive.sign_log(self.clock.now())?;
        if let Some(checkpoint) = &signed {
            self.remember(checkpoint);
            self.anchor(checkpoint);
        }
        Ok(signed)
    }

    /// The pins of this computer; `None` where there is no directory of settings.
    pub(super) fn pin_board(&self) -> Option<PinBoard> {
        let settings = self.settings.token.parent()?;
        let board = settings
            .is_dir()
            .then(|| PinBoard::new(&self.settings.pins()))?;
        // What came from a backup goes on in another way than its original: each has its pins.
        Some(match self.archive.restored() {
            Ok(Some(mark)) => board.of_incarnation(mark.incarnation),
            _ => board,
        })
    }

    fn remember(&self, checkpoint: &Checkpoint) {
        let pin = Pin {
            key: self.archive.log_verifier().clone(),
            checkpoint: checkpoint.clone(),
        };
        if let Some(Err(error)) = self.pin_board().map(|board| board.remember(&pin)) {
            tracing::warn!("the checkpoint could not be remembered: {error}");
        }
    }

    /// Refuses to go on from an older copy: the record must not be behind the published log, nor
    /// behind what this computer remembers, and must tell the same story.
    pub(super) fn check_freshness(&self) -> Result<()> {
        self.archive.check_log().map_err(|error| {
            AppError::Integrity(format!(
                "{error}; nothing is opened for writing. Run wordkeep verify, then put the newest \
                 copy back"
            ))
        })?;
        let key = self.archive.log_verifier();
        let Some(pin) = self
            .pin_board()
            .map_or(Ok(None), |board| board.read(&key.name))?
        else {
            return Ok(());
        };
        if pin.key != *key {
            return Err(AppError::Integrity(
                "the audit log is signed with another key than the one this computer remembers"
                    .to_owned(),
            ));
        }
        let rows = self.archive.store().read()?;
        let size = LogEnd::read(&rows)
            .map_err(|error| AppError::Integrity(error.to_string()))?
            .edge
            .size();
        let seen = pin.checkpoint.size;
        if size < seen {
            return Err(AppError::Integrity(format!(
                "the audit log has {size} entries, this computer has seen {seen}: an older copy \
                 of the data directory was put back. Put the newest copy back"
            )));
        }
        let kept = rows.audit_checkpoints_between(seen, seen + 1)?;
        let same = kept.first().is_some_and(|(_, note)| {
            open_checkpoint(note.as_bytes(), key).is_ok_and(|kept| kept == pin.checkpoint)
        });
        match same {
            true => Ok(()),
            false => Err(AppError::Integrity(format!(
                "the audit log does not hold the checkpoint of {seen} entries that this computer \
                 has seen: it is another history"
            ))),
        }
    }
}

/// A directory with the files of a log: an export, or `log/` of a data directory nobody opened.
pub(super) struct LogDirectory {
    root: PathBuf,
}

impl LogDirectory {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    fn failed(&self, name: &str, error: &io::Error) -> AuditError {
        AuditError::Unreadable(format!("{}: {error}", self.root.join(name).display()))
    }
}

/// Longest file of a log that is read, in bytes; an entry bundle has at most 256 entries of 8 KiB.
const LOG_FILE_BYTES_MAX: u64 = 4 << 20;

impl LogFiles for LogDirectory {
    fn read(&self, name: &str) -> std::result::Result<Option<Vec<u8>>, AuditError> {
        use std::io::Read as _;
        let mut bytes = Vec::new();
        let read = fs::File::open(self.root.join(name))
            .and_then(|file| file.take(LOG_FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
        match read {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(name, &error)),
            Ok(_) if bytes.len() as u64 > LOG_FILE_BYTES_MAX => Err(AuditError::Unreadable(
                format!("{name}: longer than a file of a log can be"),
            )),
            Ok(_) => Ok(Some(bytes)),
        }
    }
}

/// A tar file with the files of a log, one behind the other.
pub(super) struct TarLog<W: io::Write + io::Seek> {
    bundle: BundleWriter<W>,
}

impl<W: io::Write + io::Seek> TarLog<W> {
    /// An empty one; every file carries this time.
    pub(super) fn new(inner: W, time: Timestamp) -> Self {
        Self {
            bundle: BundleWriter::new(inner, time),
        }
    }

    /// Ends it and gives its length.
    pub(super) fn finish(self) -> io::Result<u64> {
        let mut inner = self.bundle.finish()?;
        inner.stream_position()
    }
}

impl<W: io::Write + io::Seek> LogFiles for TarLog<W> {
    /// What was put into a bundle is not asked for again.
    fn read(&self, _name: &str) -> std::result::Result<Option<Vec<u8>>, AuditError> {
        Ok(None)
    }
}

impl<W: io::Write + io::Seek> LogSink for TarLog<W> {
    fn write(&mut self, name: &str, bytes: &[u8]) -> std::result::Result<(), AuditError> {
        let mut write = || -> io::Result<()> {
            self.bundle.begin(name)?;
            io::Write::write_all(&mut self.bundle, bytes)?;
            self.bundle.end().map(drop)
        };
        write().map_err(|error| AuditError::Unreadable(format!("{name}: {error}")))
    }

    fn remove(&mut self, name: &str) -> std::result::Result<(), AuditError> {
        Err(AuditError::Unreadable(format!(
            "{name}: a log that is given away takes nothing back"
        )))
    }
}

impl LogSink for LogDirectory {
    fn write(&mut self, name: &str, bytes: &[u8]) -> std::result::Result<(), AuditError> {
        let path = self.root.join(name);
        let write = || -> io::Result<()> {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let mut file = fs::File::create(&path)?;
            io::Write::write_all(&mut file, bytes)?;
            file.sync_all()
        };
        write().map_err(|error| self.failed(name, &error))
    }

    fn remove(&mut self, name: &str) -> std::result::Result<(), AuditError> {
        match fs::remove_file(self.root.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(name, &error)),
            _ => Ok(()),
        }
    }
}
