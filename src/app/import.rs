//! The use-case "import": foreign files become sealed, searchable, proven messages.
//!
//! Order of events: authorise; hash the source (the same file again is no change); read the
//! container; ask or refuse before anything is written; then parse, write and settle side by side;
//! then the report. Every batch is durable with its index work and its audit entry together, so
//! that whatever stops the import, what is kept is whole and the same import can be run again.

mod importer;
mod pipeline;
mod probe;
mod report;
mod request;
mod run;
mod source;

pub use report::{ImportLine, ImportReport};
pub use request::{ImportReceipt, ImportRequest, Progress, SilentProgress};

use std::sync::PoisonError;

use self::run::Run;
use self::source::Opened;
use super::{AppError, Appliance, Result, Session};
use crate::audit::{Action, Draft, EntryActor, Outcome as AuditOutcome};
use crate::domain::{Note, NoteKind, Right, ZoneSource};
use crate::ingest::{Summary, detect};
use crate::store::{ImportCounts, ImportRow, ImportState};

/// What is told of files that nobody looked at.
fn not_looked_at(name: &str, files: u64) -> Note {
    Note {
        kind: NoteKind::Limit,
        entry: name.to_owned(),
        start: 0,
        end: 0,
        line: 0,
        raw: String::new(),
        reason: format!(
            "{files} files were not looked at, for there are very many and their names are not those of \
             chats; if one of them is a chat, import it by itself"
        ),
    }
}

/// What is told of a table beside chats.
fn taken_for_a_file(entry: &str) -> Note {
    Note {
        kind: NoteKind::Assumption,
        entry: entry.to_owned(),
        start: 0,
        end: 0,
        line: 0,
        raw: String::new(),
        reason:
            "a table beside chats, taken for a file; if it is a chat, import it by itself with \
                 a mapping"
                .to_owned(),
    }
}

impl Appliance {
    /// Imports one source (a file, a folder, an archive). Asks and refuses before it writes.
    pub fn import(
        &self,
        session: &Session,
        request: &ImportRequest,
        progress: &dyn Progress,
    ) -> Result<ImportReceipt> {
        self.require(session, Right::Import, Action::ImportIntent)?;
        let _alone = self
            .importing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.record_locks()?;
        // An import whose disk failed could end neither its row nor the index: that comes first.
        self.close_interrupted_imports()?;
        self.archive.replay_outbox(self.clock.now())?;
        let mut opened = Opened::open(request)?;
        progress.begins(&opened.name, opened.bytes);
        let digest = opened.digest()?;
        let lookup = self.archive.lookup("import", &[&digest]);
        // What was disposed of since must be counted, and may be wanted by a hold.
        let looked_at = !self.archive.has_disposed()?;
        if let Some(before) = self.same_source(&lookup)?.filter(|_| looked_at) {
            return Ok(ImportReceipt::same(before, opened.name));
        }
        let answers = request.answers(self.clock.now().wall, &self.zone_name())?;
        let mut detection = detect(&mut opened.container)?;
        let tables = match answers.mapping {
            None => detection.lay_tables_aside(),
            Some(_) => Vec::new(),
        };
        if detection.chats.is_empty() {
            return Err(AppError::Usage(format!(
                "{}: nothing in it is a chat that can be read; exports of WhatsApp, Telegram, Slack, \
                 Teams, Discord, Messenger, Instagram, Google Chat, Google Voice, Matrix, Mattermost, \
                 Rocket.Chat, LINE, KakaoTalk, Signal (signal-export), Viber, WeChat and Zoom are, RSMF \
                 is, and JSON lines or CSV with --map",
                opened.name
            )));
        }
        let mut receipt = ImportReceipt::new(opened.name.clone(), digest);
        if detection.unseen > 0 {
            receipt.remark(not_looked_at(&opened.name, detection.unseen));
        }
        for table in tables {
            let entry = &opened.container.entries()[table as usize].display_name;
            receipt.remark(taken_for_a_file(entry));
        }
        let mut run = Run {
            appliance: self,
            chats: detection.chats.len(),
            session,
            request,
            progress,
            answers,
            row: None,
            lookup: lookup.to_vec(),
            receipt,
        };
        let finished = run.entries(&mut opened, &detection.chats);
        let receipt = run.end(finished);
        let signed = self.sign_log();
        let receipt = receipt?;
        signed.map(|_| receipt)
    }

    fn same_source(&self, lookup: &[u8]) -> Result<Option<ImportRow>> {
        Ok(self
            .archive
            .store()
            .read()?
            .imports_of_source(lookup)?
            .into_iter()
            .next_back())
    }

    /// Imports that were running when a process died, or could not write down how they ended: their
    /// batches are whole, they are not. Nothing may be importing.
    pub(super) fn close_interrupted_imports(&self) -> Result<()> {
        let running = self.archive.store().read()?.running_imports()?;
        let now = self.clock.now();
        for mut row in running {
            self.change(now, |tx| {
                row.state = ImportState::Interrupted;
                row.ended = Some(now.compliance);
                tx.update_import(&row)?;
                let draft = Draft::new(EntryActor::system(), Action::ImportOutcome, self.request())
                    .object(row.id)
                    .result(AuditOutcome::Failed);
                self.log(tx, now, counted(draft, &row.counts), None)
            })?;
        }
        Ok(())
    }
}

/// Adds the counts of a receipt to an entry.
fn counted(draft: Draft, counts: &ImportCounts) -> Draft {
    let draft = match counts.disposed {
        0 => draft,
        disposed => draft.count("disposed", disposed),
    };
    draft
        .count(
            "seen",
            counts.fresh + counts.known + counts.revised + counts.rejected + counts.disposed,
        )
        .count("fresh", counts.fresh)
        .count("known", counts.known)
        .count("revised", counts.revised)
        .count("rejected", counts.rejected)
        .count("notes", counts.notes)
}

/// What a summary tells about assumptions, in words.
fn assumptions(summary: &Summary) -> Vec<String> {
    let mut told = Vec::new();
    for decision in &summary.orders {
        told.push(format!(
            "dates like {} are {} ({} headers): {}",
            decision.shape,
            decision.order.name(),
            decision.headers,
            decision.reason
        ));
    }
    if let Some(zone) = &summary.zone {
        let by = match zone.source {
            ZoneSource::Default => "the default of this workspace",
            ZoneSource::Operator => "as you said",
            _ => "as the file says",
        };
        told.push(format!("local times are in {} ({by})", zone.name));
    }
    told
}
