//! One import under way: intent, entries, outcome.

use super::importer::{Importer, Telling, Writing};
use super::pipeline::{Pipeline, Written};
use super::probe;
use super::request::{ImportReceipt, ImportRequest, Progress};
use super::source::{Media, Opened};
use super::{AppError, Result, counted};
use crate::app::{Appliance, Session};
use crate::audit::{Action, Outcome as AuditOutcome};
use crate::domain::{ImportId, ImportNo, Note, NoteKind};
use crate::ingest::{Answers, Found, IngestError, Outcome};
use crate::store::{ImportCounts, ImportRow, ImportState};

/// Bytes of a chat: of its entry and of all that are read with it.
#[derive(Clone, Copy, Debug, Default)]
struct Bytes {
    /// As they lie on disk.
    packed: u64,
    /// As they are read.
    unpacked: u64,
}

impl Bytes {
    fn of(opened: &Opened, found: &Found) -> Bytes {
        let all = found.parts.iter().chain([&found.entry]);
        let entries = all.map(|entry| &opened.container.entries()[*entry as usize]);
        entries.fold(Bytes::default(), |sum, entry| Bytes {
            packed: sum.packed.saturating_add(entry.packed_size),
            unpacked: sum.unpacked.saturating_add(entry.size),
        })
    }
}

/// What is told of a chat of which something is missing.
fn gap(entry: &str, reason: String) -> Note {
    Note {
        kind: NoteKind::Gap,
        entry: entry.to_owned(),
        start: 0,
        end: 0,
        line: 0,
        raw: String::new(),
        reason,
    }
}

/// One import under way.
pub(super) struct Run<'a> {
    pub(super) appliance: &'a Appliance,
    /// How many chats the source holds.
    pub(super) chats: usize,
    pub(super) session: &'a Session,
    pub(super) request: &'a ImportRequest,
    pub(super) progress: &'a dyn Progress,
    pub(super) answers: Answers,
    pub(super) row: Option<ImportRow>,
    pub(super) lookup: Vec<u8>,
    pub(super) receipt: ImportReceipt,
}

impl Run<'_> {
    /// Reads every chat of the container; questions and refusals of the first come before anything
    /// is written.
    pub(super) fn entries(&mut self, opened: &mut Opened, chats: &[Found]) -> Result<()> {
        let media = opened.hash_media(chats)?;
        let mut before = 0;
        for found in chats {
            self.entry(opened, found, &media, before)?;
            before += Bytes::of(opened, found).packed;
        }
        for note in opened.container.notes() {
            self.receipt.remark(note.clone());
        }
        Ok(())
    }

    /// Reads one chat; `before` are the bytes of the chats before it, as they lie on disk.
    fn entry(
        &mut self,
        opened: &mut Opened,
        found: &Found,
        media: &Media,
        before: u64,
    ) -> Result<()> {
        let fallback = opened.modified.unwrap_or(self.appliance.clock.now().wall);
        let mut probe = probe::run(self, &mut opened.container, found)?;
        for note in std::mem::take(&mut probe.notes) {
            self.receipt.remark(note);
        }
        if !self.request.dry_run && self.row.is_none() {
            self.begin(opened.bytes)?;
        }
        let import = self.row.as_ref().map_or(ImportNo(0), |row| row.no);
        let Bytes { packed, unpacked } = Bytes::of(opened, found);
        let telling = Telling {
            progress: self.progress,
            before,
            packed,
            unpacked,
        };
        let pipeline = Pipeline::start(self.appliance, self.session, self.row.clone());
        let parsed = std::thread::scope(|scope| {
            let writing = match self.request.dry_run {
                true => Writing::Counting,
                false => Writing::Pipeline(pipeline.spawn(scope)),
            };
            let mut importer = Importer::new(
                self.appliance,
                import,
                writing,
                probe,
                fallback,
                media,
                telling,
            );
            let outcome =
                crate::ingest::import(&mut opened.container, found, &self.answers, &mut importer);
            (outcome, importer.finish())
        });
        let written = pipeline.finish();
        self.conclude(opened, found, media, parsed, written)
    }

    /// Puts the three ends together: what the reader said, what the sink said, what the writer
    /// said. The writer's trouble comes first, since it makes the others stop.
    fn conclude(
        &mut self,
        opened: &mut Opened,
        found: &Found,
        media: &Media,
        parsed: (
            std::result::Result<Outcome, IngestError>,
            Result<ImportCounts>,
        ),
        written: Result<Written>,
    ) -> Result<()> {
        let (outcome, counted) = parsed;
        let written = written?;
        if let Some(row) = self.row.as_mut() {
            row.counts = written.counts;
        }
        let counts = counted?;
        self.receipt.add(if self.request.dry_run {
            counts
        } else {
            written.counts_here
        });
        if !self.request.dry_run {
            opened.seal_media(self.appliance, &written.attachments, media)?;
        }
        let entry = &opened.container.entries()[found.entry as usize].display_name;
        let outcome = match outcome {
            Err(error) if probe::is_damaged(&opened.container, found, &error) => {
                let reason = format!("this entry cannot be read to its end: {error}");
                self.receipt.remark(gap(entry, reason));
                return Ok(());
            }
            outcome => outcome?,
        };
        match outcome {
            Outcome::Done(summary) => {
                if summary.messages == 0 && summary.rejected == 0 {
                    let reason = "it has the form of a chat, and no message was found in it";
                    self.receipt.remark(gap(entry, reason.to_owned()));
                }
                self.receipt.summaries.push((entry.clone(), *summary));
                Ok(())
            }
            Outcome::Ask(questions) => Err(AppError::Questions(questions)),
            Outcome::Refused(refusal) => Err(AppError::Refused(refusal)),
        }
    }

    /// The intent: an import row and an entry, durable before the first batch.
    fn begin(&mut self, bytes: u64) -> Result<()> {
        let now = self.appliance.clock.now();
        let id = ImportId(crate::archive::mint(&*self.appliance.entropy, now.wall));
        let mut row = ImportRow {
            no: ImportNo(0),
            id,
            actor: self.session.actor.no,
            began: now.compliance,
            ended: None,
            state: ImportState::Running,
            source_lookup: self.lookup.clone(),
            source_bytes: bytes,
            report_no: None,
            counts: ImportCounts::default(),
        };
        self.appliance.change(now, |tx| {
            row.no = tx.insert_import(&row)?;
            let draft = self
                .appliance
                .draft(self.session, Action::ImportIntent)
                .object(id)
                .count("bytes", bytes);
            self.appliance
                .log(tx, now, draft, Some(self.receipt.name.as_bytes()))
        })?;
        self.receipt.id = Some(id);
        self.row = Some(row);
        Ok(())
    }

    /// The outcome: state, counts, sealed report, entry.
    pub(super) fn end(mut self, finished: Result<()>) -> Result<ImportReceipt> {
        let Some(mut row) = self.row.take() else {
            finished?;
            return Ok(self.receipt);
        };
        self.appliance.names_changed();
        let now = self.appliance.clock.now();
        let report = self.receipt.to_report()?;
        let report_no = self.appliance.archive.seal_report(now, &report)?;
        let appended = self.appliance.change(now, |tx| {
            row.counts = tx
                .import(row.no)?
                .map(|stored| stored.counts)
                .unwrap_or_default();
            row.ended = Some(now.compliance);
            row.report_no = Some(report_no);
            let (state, result) = match &finished {
                Ok(()) => (ImportState::Done, AuditOutcome::Done),
                Err(_) => (ImportState::Interrupted, AuditOutcome::Failed),
            };
            row.state = state;
            tx.update_import(&row)?;
            let draft = self
                .appliance
                .draft(self.session, Action::ImportOutcome)
                .object(row.id)
                .result(result);
            self.appliance
                .log(tx, now, counted(draft, &row.counts), None)
        })?;
        self.receipt.audit = Some(appended.seq);
        finished?;
        Ok(self.receipt)
    }
}
