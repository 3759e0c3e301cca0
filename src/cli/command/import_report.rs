//! `wordkeep import list`, `show`, `errors`: what came in, and what could not.

use serde::Serialize;

use super::Ended;
use super::listed::listed;
use crate::app::AppError;
use crate::app::import::ImportLine;
use crate::cli::context::{Context, zone_of};
use crate::cli::failure::Exit;
use crate::cli::printable::{in_zone, line, rfc3339, thousands};
use crate::cli::printer::Row;
use crate::domain::{ImportId, Note, NoteKind};
use crate::store::ImportState;

/// Help of `import list`.
pub(super) const LIST: &str = "List the imports

Examples:
  $ wordkeep import list
  $ wordkeep import list --jsonl

Oldest first.";
/// Help of `import show`.
pub(super) const SHOW: &str = "Show the report of an import

Examples:
  $ wordkeep import show imp_01JD2V7Q4M8W3K5T9R6X0ZB1CE

What was read, with its SHA-256, what was assumed and why, and the counts.";
/// Help of `import errors`.
pub(super) const ERRORS: &str = "Show what an import could not take, and its other remarks

Examples:
  $ wordkeep import errors imp_01JD2V7Q4M8W3K5T9R6X0ZB1CE
  $ wordkeep import errors imp_01JD2V7Q4M8W3K5T9R6X0ZB1CE --rejected --jsonl

Rejected places are shown word for word, so this needs the right to read messages, and is logged.";

#[derive(Serialize)]
struct Report {
    import: String,
    source: Option<String>,
    state: &'static str,
    began: String,
    ended: Option<String>,
    new: u64,
    known: u64,
    revised: u64,
    rejected: u64,
    notes: u64,
    bytes: u64,
    sha256: Option<String>,
    formats: Vec<(String, String)>,
    assumptions: Vec<String>,
    #[serde(skip)]
    began_local: String,
}

impl Report {
    fn of(import: ImportLine, zone: chrono_tz::Tz) -> Report {
        let ImportLine { row, report } = import;
        let (source, sha256, formats, assumptions) = match report {
            Some(kept) => (
                Some(kept.name),
                Some(kept.sha256),
                kept.formats,
                kept.assumptions,
            ),
            None => (None, None, Vec::new(), Vec::new()),
        };
        Report {
            import: row.id.to_string(),
            source,
            state: state_name(row.state),
            began: rfc3339(row.began),
            ended: row.ended.map(rfc3339),
            new: row.counts.fresh,
            known: row.counts.known,
            revised: row.counts.revised,
            rejected: row.counts.rejected,
            notes: row.counts.notes,
            bytes: row.source_bytes,
            sha256,
            formats,
            assumptions,
            began_local: in_zone(row.began, zone),
        }
    }
}

fn state_name(state: ImportState) -> &'static str {
    match state {
        ImportState::Running => "running",
        ImportState::Done => "done",
        ImportState::Interrupted => "interrupted",
        ImportState::Refused => "refused",
    }
}

impl Row for Report {
    const HEADINGS: &'static [&'static str] = &[
        "IMPORT", "BEGAN", "STATE", "NEW", "KNOWN", "REVISED", "REJECTED", "SOURCE",
    ];
    fn cells(&self) -> Vec<String> {
        vec![
            self.import.clone(),
            self.began_local.clone(),
            self.state.to_owned(),
            self.new.to_string(),
            self.known.to_string(),
            self.revised.to_string(),
            self.rejected.to_string(),
            self.source.clone().unwrap_or_default(),
        ]
    }
}

#[derive(Serialize)]
struct Remark {
    kind: &'static str,
    entry: String,
    line: u64,
    start: u64,
    end: u64,
    reason: String,
    raw: String,
}

impl From<Note> for Remark {
    fn from(note: Note) -> Self {
        Remark {
            kind: note.kind.name(),
            entry: note.entry,
            line: note.line,
            start: note.start,
            end: note.end,
            reason: note.reason,
            raw: note.raw,
        }
    }
}

impl Row for Remark {
    const HEADINGS: &'static [&'static str] = &["KIND", "ENTRY", "LINE", "REASON", "WORDS"];
    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.to_owned(),
            self.entry.clone(),
            self.line.to_string(),
            self.reason.clone(),
            self.raw.clone(),
        ]
    }
}

/// Lists the imports.
pub(super) fn list(context: &mut Context) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let imports = appliance.imports(&session)?;
    let rows = imports.into_iter().map(|import| Report::of(import, zone));
    listed(context, rows)
}

/// Shows one.
pub(super) fn show(context: &mut Context, id: ImportId) -> Ended {
    let (appliance, session) = context.open_session()?;
    let zone = zone_of(appliance.settings())?;
    let import = appliance
        .imports(&session)?
        .into_iter()
        .find(|import| import.row.id == id)
        .ok_or_else(|| AppError::NotFound(id.to_string()))?;
    let report = Report::of(import, zone);
    context.printer.one(&report, |to| {
        writeln!(to, "import    {}", report.import)?;
        writeln!(
            to,
            "source    {}",
            line(report.source.as_deref().unwrap_or("unknown"))
        )?;
        writeln!(to, "bytes     {}", thousands(report.bytes))?;
        writeln!(
            to,
            "sha256    {}",
            report.sha256.as_deref().unwrap_or("unknown")
        )?;
        writeln!(to, "began     {}", report.began_local)?;
        writeln!(to, "state     {}", report.state)?;
        writeln!(
            to,
            "messages  {} new · {} already known · {} revised · {} rejected",
            thousands(report.new),
            thousands(report.known),
            thousands(report.revised),
            thousands(report.rejected)
        )?;
        for (entry, format) in &report.formats {
            writeln!(to, "read      {} as {}", line(entry), format)?;
        }
        for assumption in &report.assumptions {
            writeln!(to, "assumed   {}", line(assumption))?;
        }
        Ok(())
    })?;
    if report.notes > 0 {
        context.say(&format!(
            "{} remarks: wordkeep import errors {}",
            thousands(report.notes),
            report.import
        ));
    }
    Ok(Exit::Done)
}

/// Shows remarks.
pub(super) fn errors(context: &mut Context, id: ImportId, rejected: bool) -> Ended {
    let (appliance, session) = context.open_session()?;
    let notes = appliance.import_notes(&session, id)?;
    let rows = notes
        .into_iter()
        .filter(|note| !rejected || note.kind == NoteKind::Rejected)
        .map(Remark::from);
    listed(context, rows)
}
