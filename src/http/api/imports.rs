//! Imports: listed with their reports, and the places that were not taken.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Serialize;
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::intake::{Stand, UploadLine};
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Instant, Named, answer, id};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::tagged;
use super::uploads;
use crate::app::import::{ImportLine, ImportReceipt};
use crate::crypto::hex;
use crate::domain::{ApiScope, ImportId, Note, Right, Timestamp, UploadId};
use crate::ingest::{Question, QuestionKind};
use crate::store::{ImportCounts, ImportState};

const TOPIC: &str = "Imports";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/imports", Access::With(Right::Import), || get(list)).doing(
        Operation::read(
            TOPIC,
            "listImports",
            "Lists the imports, eldest first",
            ApiScope::ImportWrite,
            Gives::Page(Shape::of::<Import>()),
        ),
    ),
    Route::get("/api/v1/imports/{id}", Access::With(Right::Import), || {
        get(show)
    })
    .doing(Operation::read(
        TOPIC,
        "showImport",
        "Shows an import with its report, or how an announced one stands",
        ApiScope::ImportWrite,
        Gives::One(Shape::of::<Import>()),
    )),
    Route::get(
        "/api/v1/imports/{id}/remarks",
        Access::With(Right::ReadContent),
        || get(remarks),
    )
    .doing(Operation::read(
        TOPIC,
        "listImportRemarks",
        "Lists the remarks of an import; places that were not taken are quoted verbatim",
        ApiScope::ConversationRead,
        Gives::Page(Shape::of::<Remark>()),
    )),
];

/// An import: one that was announced (`upl_…`, yours alone) or one that ran (`imp_…`).
#[derive(Serialize, ToSchema)]
pub(super) struct Import {
    id: String,
    /// running, done, interrupted or refused; of an announced one also receiving, here, asking or tried.
    state: &'static str,
    began: Instant,
    ended: Option<Instant>,
    /// Length of the source in bytes.
    bytes: u64,
    /// Messages that are new.
    new: u64,
    /// Messages that were known.
    known: u64,
    /// Messages that gained a version.
    revised: u64,
    /// Places that could not be read.
    rejected: u64,
    /// Remarks, rejected places included.
    remarks: u64,
    /// Messages left out because they were disposed of before.
    disposed: u64,
    /// SHA-256 of the source in hex, when the import ended.
    sha256: Option<String>,
    /// What was assumed, in words.
    assumptions: Vec<String>,
    /// Bytes of the file that are here.
    received: u64,
    /// What must be decided first.
    questions: Vec<AskedOf>,
    /// Id of the import that came of an announced one.
    import: Option<String>,
    /// The last job of an announced one.
    job: Option<String>,
    /// The files of an announced one, in the order in which they came.
    files: Vec<FileOf>,
}

/// A file of an announced import.
#[derive(Serialize, ToSchema)]
struct FileOf {
    name: String,
    /// receiving, here, asking, tried, running, refused or done.
    state: &'static str,
    /// Its length, as its sender said.
    bytes: u64,
    /// Bytes that are here.
    received: u64,
    /// SHA-256 in hex, once it is here whole.
    sha256: Option<String>,
    /// Id of the import with its report.
    import: Option<String>,
    /// What must be decided first.
    questions: Vec<AskedOf>,
}

/// Something that a file leaves open.
#[derive(Clone, Serialize, ToSchema)]
struct AskedOf {
    /// The field that answers it: date_order, zone, start, trust_headers, mapping, import_rest or continues.
    field: &'static str,
    /// Name of the entry.
    entry: String,
    /// Why it cannot be decided, with the evidence.
    reason: String,
    /// What it can be; empty where the answer is free.
    readings: Vec<ReadingOf>,
}

/// One way to understand a file.
#[derive(Clone, Serialize, ToSchema)]
struct ReadingOf {
    /// The answer that chooses it.
    answer: String,
    /// First and last date under it, local time without a zone.
    first: Option<String>,
    last: Option<String>,
}

/// What came of the run of an import: the details of its job.
#[derive(Default, Serialize, ToSchema)]
pub(in crate::http) struct ImportEnd {
    /// Id of the import; null when nothing was written.
    import: Option<String>,
    /// Id of the import that brought the very same file before.
    same_as: Option<String>,
    new: u64,
    known: u64,
    revised: u64,
    rejected: u64,
    disposed: u64,
    /// Media that messages name and the file left out.
    missing_media: u64,
    /// What must be decided first; then nothing was written.
    questions: Vec<AskedOf>,
    /// Why nothing was written.
    refused: Option<String>,
    /// Places that cannot be read, the first of them: entry and line.
    places: Vec<(String, u64)>,
    /// What came of each file.
    files: Vec<EndOf>,
}

/// What came of one file of an import.
#[derive(Serialize, ToSchema)]
struct EndOf {
    name: String,
    /// Id of the import with its report; null when nothing was written.
    import: Option<String>,
    /// Id of the import that brought the very same file before.
    same_as: Option<String>,
    new: u64,
    known: u64,
    revised: u64,
    rejected: u64,
    /// What must be decided first; then nothing of it was written.
    questions: Vec<AskedOf>,
    /// Why nothing of it was written.
    refused: Option<String>,
}

/// Places of a refused file that are told.
const PLACES: usize = 100;

impl ImportEnd {
    /// It ran.
    pub(in crate::http) fn of(receipt: &ImportReceipt) -> ImportEnd {
        let counts = &receipt.counts;
        ImportEnd {
            import: receipt.id.map(|id| id.to_string()),
            same_as: receipt.same_as.map(|id| id.to_string()),
            new: counts.fresh,
            known: counts.known,
            revised: counts.revised,
            rejected: counts.rejected,
            disposed: counts.disposed,
            missing_media: receipt.missing_media,
            ..ImportEnd::default()
        }
    }

    /// What came of several files: sums, and each by itself.
    pub(in crate::http) fn of_all(ends: Vec<(String, ImportEnd)>) -> ImportEnd {
        let single = ends.len() == 1;
        let mut all = ImportEnd::default();
        for (name, end) in ends {
            all.new += end.new;
            all.known += end.known;
            all.revised += end.revised;
            all.rejected += end.rejected;
            all.disposed += end.disposed;
            all.missing_media += end.missing_media;
            all.questions.extend(end.questions.iter().cloned());
            all.places.extend(end.places);
            all.places.truncate(PLACES);
            if single {
                (all.import, all.same_as) = (end.import.clone(), end.same_as.clone());
                all.refused.clone_from(&end.refused);
            }
            all.files.push(EndOf {
                name,
                import: end.import,
                same_as: end.same_as,
                new: end.new,
                known: end.known,
                revised: end.revised,
                rejected: end.rejected,
                questions: end.questions,
                refused: end.refused,
            });
        }
        all
    }

    /// Messages that are new.
    pub(in crate::http) const fn fresh(&self) -> u64 {
        self.new
    }

    /// Messages that were known.
    pub(in crate::http) const fn known(&self) -> u64 {
        self.known
    }

    /// It asks something.
    pub(in crate::http) fn asking(questions: &[Question]) -> ImportEnd {
        ImportEnd {
            questions: questions.iter().map(asked_of).collect(),
            ..ImportEnd::default()
        }
    }

    /// It was refused.
    pub(in crate::http) fn refused(refusal: &crate::ingest::Refusal) -> ImportEnd {
        let places = refusal.places.iter().take(PLACES);
        ImportEnd {
            refused: Some(refusal.reason.clone()),
            rejected: refusal.total,
            places: places.map(|at| (at.entry.clone(), at.line)).collect(),
            ..ImportEnd::default()
        }
    }
}

fn asked_of(question: &Question) -> AskedOf {
    let local = |at: Option<Timestamp>| {
        let at = chrono::DateTime::from_timestamp_micros(at?.0)?;
        Some(at.format("%Y-%m-%dT%H:%M:%S").to_string())
    };
    let readings = question.readings.iter().map(|reading| ReadingOf {
        answer: reading.answer.clone(),
        first: local(reading.first),
        last: local(reading.last),
    });
    AskedOf {
        field: match question.kind {
            QuestionKind::DateOrder => "date_order",
            QuestionKind::Zone => "zone",
            QuestionKind::Start => "start",
            QuestionKind::TrustHeaders => "trust_headers",
            QuestionKind::Mapping => "mapping",
            QuestionKind::ImportRest => "import_rest",
            QuestionKind::Continues => "continues",
        },
        entry: question.entry.clone(),
        reason: question.reason.clone(),
        readings: readings.collect(),
    }
}

/// How far a file is.
fn state_of(stand: &Stand) -> &'static str {
    match stand {
        Stand::Receiving => "receiving",
        Stand::Here => "here",
        Stand::Working(_) => "running",
        Stand::Asks(_) => "asking",
        Stand::Refused(_) => "refused",
        Stand::Tried(_) => "tried",
        Stand::Done(_) => "done",
    }
}

/// What comes first of the states of the files is the state of the import.
const STATES: [&str; 7] = [
    "running",
    "receiving",
    "asking",
    "refused",
    "here",
    "tried",
    "done",
];

fn file_of(line: &UploadLine) -> FileOf {
    let (questions, import) = match &line.stand {
        Stand::Asks(questions) => (&questions[..], None),
        Stand::Done(receipt) => (&[][..], receipt.id.or(receipt.same_as)),
        _ => (&[][..], None),
    };
    FileOf {
        name: line.name.clone(),
        state: state_of(&line.stand),
        bytes: line.bytes,
        received: line.received,
        sha256: line.sha256.map(|digest| hex(&digest)),
        import: import.map(|id| id.to_string()),
        questions: questions.iter().map(asked_of).collect(),
    }
}

/// An announced import. The first of its files stands for itself.
pub(super) fn announced(lines: &[UploadLine]) -> Result<Import, Refusal> {
    let first = lines.first().ok_or_else(Refusal::not_found)?;
    let named = lines.iter().filter(|line| !line.name.is_empty());
    let files: Vec<FileOf> = named.map(file_of).collect();
    let states = lines.iter().map(|line| state_of(&line.stand));
    let state = STATES
        .into_iter()
        .find(|state| states.clone().any(|one| one == *state));
    let mut counts = ImportCounts::default();
    for line in lines {
        if let Stand::Tried(receipt) | Stand::Done(receipt) = &line.stand {
            counts.fresh += receipt.counts.fresh;
            counts.known += receipt.counts.known;
            counts.revised += receipt.counts.revised;
            counts.rejected += receipt.counts.rejected;
            counts.notes += receipt.counts.notes;
            counts.disposed += receipt.counts.disposed;
        }
    }
    let only = (files.len() == 1).then(|| &files[0]);
    Ok(Import {
        id: first.id.to_string(),
        state: state.unwrap_or("receiving"),
        began: Instant(first.began),
        ended: None,
        bytes: lines.iter().map(|line| line.bytes).sum(),
        new: counts.fresh,
        known: counts.known,
        revised: counts.revised,
        rejected: counts.rejected,
        remarks: counts.notes,
        disposed: counts.disposed,
        sha256: only.and_then(|file| file.sha256.clone()),
        assumptions: Vec::new(),
        received: lines.iter().map(|line| line.received).sum(),
        questions: files
            .iter()
            .flat_map(|file| file.questions.iter().cloned())
            .collect(),
        import: only.and_then(|file| file.import.clone()),
        job: lines
            .iter()
            .filter_map(|line| line.last)
            .max()
            .map(|id| id.to_string()),
        files,
    })
}

/// A remark on a place of a source.
#[derive(Serialize, ToSchema)]
struct Remark {
    kind: &'static str,
    /// Name of the entry.
    entry: String,
    /// Line or row, from 1; 0 where the format has none.
    line: u64,
    /// First byte of the place.
    start: u64,
    /// One past the last byte.
    end: u64,
    reason: String,
    /// The place verbatim, where it was rejected.
    raw: String,
}

async fn list(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.imports(&who.session)?;
            let place = |line: &ImportLine| line.row.id.0;
            paged.page(appliance, &who.session, "imports", lines, place, import)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    if let Ok(announced) = name.parse::<UploadId>() {
        return uploads::shown(&house, &who, announced);
    }
    let wanted = id::<ImportId>(&name)?;
    let lines = house
        .ask(move |appliance| appliance.imports(&who.session))
        .await?;
    let line = lines.iter().find(|line| line.row.id == wanted);
    tagged(&import(line.ok_or_else(Refusal::not_found)?))
}

async fn remarks(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Asked(paged): Asked<Paged>,
) -> Answer {
    let wanted = id::<ImportId>(&name)?;
    let page = house
        .try_ask(move |appliance| {
            let notes = appliance.import_notes(&who.session, wanted)?;
            let numbered: Vec<(u128, Note)> = (1..).zip(notes).collect();
            let list = format!("remarks {wanted}");
            let place = |(number, _): &(u128, Note)| *number;
            paged.page(appliance, &who.session, &list, numbered, place, remark)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

fn import(line: &ImportLine) -> Import {
    let row = &line.row;
    Import {
        id: row.id.to_string(),
        state: match row.state {
            ImportState::Running => "running",
            ImportState::Done => "done",
            ImportState::Interrupted => "interrupted",
            ImportState::Refused => "refused",
        },
        began: Instant(row.began),
        ended: row.ended.map(Instant),
        bytes: row.source_bytes,
        new: row.counts.fresh,
        known: row.counts.known,
        revised: row.counts.revised,
        rejected: row.counts.rejected,
        remarks: row.counts.notes,
        disposed: row.counts.disposed,
        sha256: line.report.as_ref().map(|report| report.sha256.clone()),
        assumptions: line
            .report
            .as_ref()
            .map(|report| report.assumptions.clone())
            .unwrap_or_default(),
        received: row.source_bytes,
        questions: Vec::new(),
        import: None,
        job: None,
        files: Vec::new(),
    }
}

fn remark((_, note): &(u128, Note)) -> Remark {
    Remark {
        kind: note.kind.name(),
        entry: note.entry.clone(),
        line: note.line,
        start: note.start,
        end: note.end,
        reason: note.reason.clone(),
        raw: note.raw.clone(),
    }
}
