//! Exports that wait to be fetched by whoever made them. They go after a day, and with the server.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::guard::Who;
use super::house::House;
use super::jobs::{Act, JobResult, NewJob, Tone};
use super::page::part;
use super::refusal::Refusal;
use crate::app::export::{ExportRequest, StagedExport};
use crate::domain::{ExportId, JobId, UserNo};

/// How long an export waits.
pub(super) const KEPT: Duration = Duration::from_secs(24 * 3_600);
/// Exports of one person at once; the eldest goes first.
const OWN_MAX: usize = 16;
/// Exports of everybody at once; the eldest goes first.
const ALL_MAX: usize = 64;

struct Shelved {
    file: StagedExport,
    since: Instant,
    fetched: u32,
}

/// An export as it is shown.
#[derive(Clone, Debug)]
pub(super) struct OutLine {
    pub file: StagedExport,
    /// How often it was fetched.
    pub fetched: u32,
    /// How long it still waits.
    pub left: Duration,
}

/// The exports that wait.
#[derive(Clone, Default)]
pub(super) struct Outbox {
    shelf: Arc<Mutex<Vec<Shelved>>>,
}

impl Outbox {
    /// Puts an export on the shelf.
    fn put(&self, file: StagedExport) {
        let mut shelf = self.shelf();
        let is_own = |one: &Shelved| one.file.owner() == file.owner();
        if shelf.iter().filter(|one| is_own(one)).count() >= OWN_MAX
            && let Some(eldest) = shelf.iter().position(is_own)
        {
            shelf.remove(eldest);
        }
        if shelf.len() >= ALL_MAX {
            shelf.remove(0);
        }
        shelf.push(Shelved {
            file,
            since: Instant::now(),
            fetched: 0,
        });
    }

    /// Somebody's exports, newest first.
    pub(super) fn of(&self, owner: UserNo) -> Vec<OutLine> {
        let shelf = self.shelf();
        let own = shelf.iter().rev().filter(|one| one.file.owner() == owner);
        own.map(Shelved::line).collect()
    }

    /// One of somebody's exports.
    pub(super) fn find(&self, owner: UserNo, id: ExportId) -> Result<OutLine, Refusal> {
        let lines = self.of(owner);
        let found = lines.into_iter().find(|line| line.file.id == id);
        found.ok_or_else(Refusal::not_found)
    }

    /// Counts that an export was fetched.
    pub(super) fn fetched(&self, id: ExportId) {
        if let Some(one) = self.shelf().iter_mut().find(|one| one.file.id == id) {
            one.fetched += 1;
        }
    }

    /// Throws an export away.
    pub(super) fn discard(&self, owner: UserNo, id: ExportId) {
        self.shelf()
            .retain(|one| one.file.owner() != owner || one.file.id != id);
    }

    /// The shelf, without what waited too long.
    fn shelf(&self) -> MutexGuard<'_, Vec<Shelved>> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        shelf.retain(|one| one.since.elapsed() < KEPT);
        shelf
    }
}

impl Shelved {
    fn line(&self) -> OutLine {
        OutLine {
            file: self.file.clone(),
            fetched: self.fetched,
            left: KEPT.saturating_sub(self.since.elapsed()),
        }
    }
}

/// What programs are told of an export that was packed.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub(super) struct Packed {
    /// Its id.
    export: String,
    /// Messages in it; null for the audit log.
    messages: Option<u64>,
    bytes: u64,
    /// SHA-256 of the file in hex.
    sha256: String,
    /// How the query was read.
    read_as: Option<String>,
}

/// Starts an export of messages.
pub(super) fn begin_export(
    house: &House,
    who: &Who,
    request: ExportRequest,
) -> Result<JobId, Refusal> {
    let (outbox, session) = (house.outbox.clone(), who.session.clone());
    let act: Act = Box::new(move |appliance, teller| {
        let mut progress = |stage: &'static str, done, of| {
            teller.tell(stage, done, of);
            !teller.is_asked_to_stop()
        };
        let (file, receipt) = appliance.stage_export(&session, &request, &mut progress)?;
        let counts = &receipt.manifest.counts;
        let text = format!(
            "{} in the bundle. It waits for a day.",
            part::count(counts.messages, "message is", "messages are")
        );
        let mut result = JobResult::new(Tone::Good, text).telling(&Packed {
            export: file.id.to_string(),
            messages: file.messages,
            bytes: file.bytes(),
            sha256: file.sha256.clone(),
            read_as: Some(receipt.reading.read_as.clone()),
        });
        result.facts = vec![
            ("Messages", part::number(counts.messages)),
            ("Hits", part::number(counts.hits)),
            ("Conversations", part::number(counts.conversations)),
            ("Files", part::number(counts.attachments)),
            ("Bytes", part::number(file.bytes())),
            ("SHA-256", file.sha256.clone()),
        ];
        result.page = Some(format!("/exports/{}", file.id));
        result.audit = Some(receipt.audit);
        outbox.put(file);
        Ok(result)
    });
    start(house, who, "Export", true, act)
}

/// Starts an export of the audit log.
pub(super) fn begin_log(house: &House, who: &Who) -> Result<JobId, Refusal> {
    let (outbox, session) = (house.outbox.clone(), who.session.clone());
    let act: Act = Box::new(move |appliance, teller| {
        teller.tell("entries", 0, 0);
        let (file, entry) = appliance.stage_log(&session)?;
        let text = "The log is packed. It waits for a day; anybody can verify it without a key.";
        let mut result = JobResult::new(Tone::Good, text).telling(&Packed {
            export: file.id.to_string(),
            messages: None,
            bytes: file.bytes(),
            sha256: file.sha256.clone(),
            read_as: None,
        });
        result.facts = vec![
            ("Bytes", part::number(file.bytes())),
            ("SHA-256", file.sha256.clone()),
        ];
        result.page = Some(format!("/exports/{}", file.id));
        result.audit = Some(entry.seq);
        outbox.put(file);
        Ok(result)
    });
    start(house, who, "Export of the audit log", false, act)
}

/// Starts something long.
pub(super) fn start(
    house: &House,
    who: &Who,
    title: &'static str,
    stops: bool,
    act: Act,
) -> Result<JobId, Refusal> {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    start_as(house, who, appliance.mint_job(), title, stops, act)
}

/// The same under an id that the act itself knows.
pub(super) fn start_as(
    house: &House,
    who: &Who,
    id: JobId,
    title: &'static str,
    stops: bool,
    act: Act,
) -> Result<JobId, Refusal> {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let new = NewJob {
        id,
        owner: who.session.actor.no,
        title,
        stops,
    };
    house.jobs.start(&appliance, new, act)
}
