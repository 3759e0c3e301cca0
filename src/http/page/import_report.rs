//! The report of an import: counts, assumptions, and every place that could not be taken.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use chrono_tz::Tz;
use maud::{Markup, html};

use super::super::guard::Who;
use super::super::house::House;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, job, part};
use crate::app::import::{ImportLine, ImportReceipt};
use crate::domain::{ImportId, Note, NoteKind, Right};
use crate::ingest::{BYTE_ORDER_MARK, write_row};
use crate::store::{ImportCounts, ImportState};

/// Remarks on the page; the table to take away has all of them.
const NOTES: usize = 200;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/imports/{id}", Access::With(Right::Import), || get(show)),
    Route::get(
        "/imports/{id}/notes",
        Access::With(Right::ReadContent),
        || get(notes_page),
    ),
    Route::get(
        "/imports/{id}/notes.csv",
        Access::With(Right::ReadContent),
        || get(notes_table),
    ),
];

/// What an import came to, in one sentence.
pub(in crate::http) fn sentence(receipt: &ImportReceipt) -> String {
    let counts = &receipt.counts;
    if receipt.same_as.is_some() {
        return format!(
            "This very file was imported before: {} already known.",
            part::number(counts.known)
        );
    }
    let mut text = format!(
        "{} new · {} already known · {} revised · {} rejected",
        part::number(counts.fresh),
        part::number(counts.known),
        part::number(counts.revised),
        part::number(counts.rejected)
    );
    if counts.disposed > 0 {
        text += &format!(
            " · {} left out, disposed of before",
            part::number(counts.disposed)
        );
    }
    if receipt.missing_media > 0 {
        text += &format!(
            " · {} not in the export",
            part::count(receipt.missing_media, "file", "files")
        );
    }
    if receipt.id.is_none() {
        text += " · nothing was changed";
    }
    text
}

/// The counts, each with what it means.
pub(super) fn counts(counts: &ImportCounts) -> Markup {
    let rows = [
        ("New", counts.fresh, "messages that were not here"),
        ("Known", counts.known, "messages that were here already"),
        ("Revised", counts.revised, "messages that gained a version"),
        (
            "Rejected",
            counts.rejected,
            "places that could not be read; kept word for word",
        ),
        (
            "Remarks",
            counts.notes,
            "everything worth saying, rejected places included",
        ),
        (
            "Left out",
            counts.disposed,
            "messages that were disposed of before",
        ),
    ];
    html! {
        table.grid {
            tbody {
                @for (name, value, meaning) in rows {
                    tr { th scope="row" { (name) } td.figure { (part::number(value)) } td { (meaning) } }
                }
            }
        }
    }
}

fn state_chip(state: ImportState) -> Markup {
    let (word, class) = match state {
        ImportState::Running => ("running", "chip"),
        ImportState::Done => ("done", "chip good"),
        ImportState::Interrupted => ("interrupted", "chip warn"),
        ImportState::Refused => ("refused", "chip bad"),
    };
    html! { span class=(class) { (word) } }
}

fn source_name(line: &ImportLine) -> &str {
    line.report.as_ref().map_or("", |report| &report.name)
}

/// Every import, newest first.
pub(super) fn table(imports: &[ImportLine], zone: Tz) -> Markup {
    html! {
        section {
            h2 { (part::count(imports.len() as u64, "import", "imports")) }
            div.scroll {
                table.grid {
                    thead {
                        tr {
                            th { "Source" } th { "Begun" } th { "State" } th.figure { "New" }
                            th.figure { "Known" } th.figure { "Revised" } th.figure { "Rejected" }
                        }
                    }
                    tbody {
                        @for line in imports.iter().rev() {
                            tr {
                                th scope="row" {
                                    a href={ "/imports/" (line.row.id) } {
                                        @match source_name(line) {
                                            "" => "without a report",
                                            name => (part::name(name)),
                                        }
                                    }
                                }
                                td { (part::time(line.row.began, zone, part::MINUTE)) }
                                td { (state_chip(line.row.state)) }
                                td.figure { (part::number(line.row.counts.fresh)) }
                                td.figure { (part::number(line.row.counts.known)) }
                                td.figure { (part::number(line.row.counts.revised)) }
                                td.figure { (part::number(line.row.counts.rejected)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn import_id(text: &str) -> Result<ImportId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let id = import_id(&id)?;
    let session = who.session.clone();
    let imports = house.ask(move |one| one.imports(&session)).await?;
    let line = imports
        .into_iter()
        .find(|line| line.row.id == id)
        .ok_or_else(Refusal::not_found)?;
    let content = html! {
        p { a.back href="/imports" { "← Import" } }
        h1 { "Import" }
        (facts(&line, job::zone(&house)))
        section { h2 { "Counts" } (counts(&line.row.counts)) }
        @if line.row.state == ImportState::Interrupted {
            p.notice.warn {
                "It was interrupted. What was read is here and whole; import the same file again, and \
                 it goes on."
            }
        }
        @if line.row.counts.notes > 0 {
            @if frame.may(Right::ReadContent) {
                p {
                    a.button href={ "/imports/" (id) "/notes" } {
                        (part::count(line.row.counts.notes, "remark", "remarks"))
                    }
                    " " a.button href={ "/imports/" (id) "/notes.csv" } { "As a table (CSV)" }
                }
            } @else {
                p { "The remarks quote what people wrote: a lawyer or a records officer can see them." }
            }
        }
    };
    Ok(frame.at(Section::Import, "Import").page(&content))
}

fn facts(line: &ImportLine, zone: Tz) -> Markup {
    html! {
        dl.facts {
            dt { "Id" } dd { code { (line.row.id) } }
            dt { "State" } dd { (state_chip(line.row.state)) }
            dt { "Begun" } dd { (part::time(line.row.began, zone, part::MINUTE)) }
            @if let Some(ended) = line.row.ended {
                dt { "Ended" } dd { (part::time(ended, zone, part::MINUTE)) }
            }
            dt { "Length" } dd { (part::number(line.row.source_bytes)) " bytes" }
            @if let Some(report) = &line.report {
                dt { "Source" } dd { (part::name(&report.name)) }
                dt { "SHA-256" } dd { code { (report.sha256) } }
                @for (entry, format) in &report.formats {
                    dt { "Read" } dd { (part::name(entry)) " as " (format) }
                }
                @for assumption in &report.assumptions {
                    dt { "Assumed" } dd hx-disable dir="auto" { (assumption) }
                }
            }
        }
    }
}

async fn notes(house: &House, who: &Who, id: ImportId) -> Result<Vec<Note>, Refusal> {
    let session = who.session.clone();
    house.ask(move |one| one.import_notes(&session, id)).await
}

async fn notes_page(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let id = import_id(&id)?;
    let notes = notes(&house, &who, id).await?;
    let content = html! {
        p { a.back href={ "/imports/" (id) } { "← Import" } }
        h1 { (part::count(notes.len() as u64, "remark", "remarks")) }
        @if notes.is_empty() {
            (part::empty("No remarks", "Everything in the file was read.", None))
        } @else {
            p { a.button href={ "/imports/" (id) "/notes.csv" } { "As a table (CSV)" } }
            (note_table(&notes))
            @if notes.len() > NOTES {
                p { "Shown are the first " (part::number(NOTES as u64)) "; the table to take away has all." }
            }
        }
    };
    Ok(frame.wide().at(Section::Import, "Import").page(&content))
}

fn note_table(notes: &[Note]) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead {
                    tr { th { "Kind" } th { "File" } th.figure { "Line" } th { "Reason" } th { "Words" } }
                }
                tbody {
                    @for note in notes.iter().take(NOTES) {
                        tr {
                            td {
                                @if note.kind == NoteKind::Rejected { span.chip.bad { "rejected" } }
                                @else { span.chip { (note.kind.name().replace('_', " ")) } }
                            }
                            td { (part::name(&note.entry)) }
                            td.figure { @if note.line > 0 { (part::number(note.line)) } }
                            td hx-disable { (note.reason) }
                            td { (part::words(&note.raw)) }
                        }
                    }
                }
            }
        }
    }
}

async fn notes_table(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Page {
    let id = import_id(&id)?;
    let notes = notes(&house, &who, id).await?;
    let table = note_rows(&notes).map_err(|_| Refusal::broken())?;
    Ok(download(
        &format!("{id}-remarks.csv"),
        "text/csv; charset=utf-8",
        table,
    ))
}

/// A file to take away. The name is ours and needs no quoting.
pub(super) fn download(name: &str, kind: &'static str, bytes: Vec<u8>) -> axum::response::Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, kind.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, bytes).into_response()
}

fn note_rows(notes: &[Note]) -> std::io::Result<Vec<u8>> {
    let mut table = BYTE_ORDER_MARK.to_vec();
    write_row(
        &mut table,
        [
            "kind",
            "file",
            "line",
            "first_byte",
            "last_byte",
            "reason",
            "words",
        ],
    )?;
    for note in notes {
        let (line, start, end) = (
            note.line.to_string(),
            note.start.to_string(),
            note.end.to_string(),
        );
        write_row(
            &mut table,
            [
                note.kind.name(),
                &note.entry,
                &line,
                &start,
                &end,
                &note.reason,
                &note.raw,
            ],
        )?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> Note {
        Note {
            kind: NoteKind::Rejected,
            entry: "chat.txt".to_owned(),
            start: 10,
            end: 20,
            line: 8_113,
            raw: "=HYPERLINK(\"x\") <script>".to_owned(),
            reason: "no date".to_owned(),
        }
    }

    #[test]
    fn x1_rejected_words_are_shown_as_words() {
        let shown = note_table(&[note()]).into_string();
        assert!(shown.contains("8,113") && shown.contains("&lt;script&gt;"));
        assert!(shown.contains("dir=\"auto\""));
    }

    #[test]
    fn x1_a_table_runs_no_formula() {
        let table = String::from_utf8(note_rows(&[note()]).unwrap()).unwrap();
        assert!(table.contains("\"'=HYPERLINK"), "{table}");
    }
}
