//! The report of an import: sealed with the record, shown on demand.

use serde::{Deserialize, Serialize};

use super::request::ImportReceipt;
use super::{AppError, Result, assumptions};
use crate::app::{Appliance, Session};
use crate::audit::Action;
use crate::crypto::hex;
use crate::domain::{ImportId, Note, Right};
use crate::store::ImportRow;

/// What is kept of an import beside its counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ImportReport {
    /// Name of the source.
    pub name: String,
    /// SHA-256 of the source in hex.
    pub sha256: String,
    /// Formats read, by entry.
    pub formats: Vec<(String, String)>,
    /// Assumptions made, in words.
    pub assumptions: Vec<String>,
    /// Row templates by entry, in hex: the raw spans of a table are rebuilt with them.
    #[serde(default)]
    pub templates: Vec<(String, String)>,
}

/// An import as listed.
#[derive(Clone, Debug)]
pub struct ImportLine {
    /// The row.
    pub row: ImportRow,
    /// The report, when the import ended.
    pub report: Option<ImportReport>,
}

impl ImportReceipt {
    pub(super) fn to_report(&self) -> Result<String> {
        let report = ImportReport {
            name: self.name.clone(),
            sha256: hex(&self.sha256),
            formats: self
                .summaries
                .iter()
                .map(|(entry, summary)| (entry.clone(), summary.format.to_owned()))
                .collect(),
            templates: self
                .summaries
                .iter()
                .filter(|(_, summary)| !summary.templates.0.is_empty())
                .map(|(entry, summary)| (entry.clone(), hex(&summary.templates.to_bytes())))
                .collect(),
            assumptions: self
                .summaries
                .iter()
                .flat_map(|(_, summary)| assumptions(summary))
                .collect(),
        };
        serde_json::to_string(&report).map_err(|error| AppError::Integrity(error.to_string()))
    }
}

impl Appliance {
    /// Every import, oldest first, with its report. Somebody who reads content, and not all of it, is
    /// shown their own and those whose messages they all see: names of files are words of people too.
    pub fn imports(&self, session: &Session) -> Result<Vec<ImportLine>> {
        self.require(session, Right::Import, Action::ImportIntent)?;
        let mut reader = self.archive.reader()?;
        let mut rows = reader.rows().imports()?;
        if session.actor.role.may(Right::ReadContent) {
            let scope = self.scope(session)?;
            if !scope.sees_all() {
                let spelled = self.names()?.spell_out(&scope);
                let brought = reader.rows().conversations_by_import()?;
                rows.retain(|row| {
                    let of = brought.get(&row.no);
                    // Who brought it knows what was in it.
                    row.actor == session.actor.no
                        || of.is_some_and(|of| of.iter().all(|no| spelled.allows(*no, None)))
                });
            }
        }
        rows.into_iter()
            .map(|row| {
                let report = match row.report_no {
                    None => None,
                    Some(no) => {
                        let texts = reader.texts(no)?;
                        let text = texts.first().map_or("", String::as_str);
                        serde_json::from_str(text).ok()
                    }
                };
                Ok(ImportLine { row, report })
            })
            .collect()
    }

    /// The remarks of an import, rejected places verbatim. They quote what people wrote, so they
    /// are for those who may read content.
    pub fn import_notes(&self, session: &Session, id: ImportId) -> Result<Vec<Note>> {
        self.require(session, Right::ReadContent, Action::ContentView)?;
        let mut reader = self.archive.reader()?;
        let row = reader
            .rows()
            .import_by_id(id)?
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        // What was rejected belongs to no conversation yet: who may see it sees all that came along.
        let scope = self.scope(session)?;
        let came_along = reader.rows().conversations_of_import(row.no)?;
        let sees_all = scope.everything && scope.denied.is_empty();
        if !sees_all && !came_along.iter().all(|no| scope.allows(*no, None)) {
            return Err(AppError::NotFound(id.to_string()));
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            self.log(
                tx,
                now,
                self.draft(session, Action::ContentView).object(id),
                None,
            )
        })?;
        let notes = reader.rows().import_notes(row.no)?;
        notes
            .into_iter()
            .map(|(_, no)| Ok(reader.note(no)?))
            .collect()
    }
}
