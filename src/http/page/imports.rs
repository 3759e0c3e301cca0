//! Imports: what came in, files on their way in, what must be decided first.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::multipart::Field;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use super::super::assets::address;
use super::super::guard::Who;
use super::super::house::House;
use super::super::importing::{begin_import, finish, place_of, settled, write};
use super::super::intake::{Said, Stand, UploadLine};
use super::super::posted::{Files, Posted, cut_off, text_of};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::import_report::{self, counts, sentence};
use super::{Page, job, part};
use crate::app::import::ImportReceipt;
use crate::domain::{Right, Timestamp, UploadId, UserNo};
use crate::ingest::{ANSWER_NEW, Question, QuestionKind, Reading};

/// Longest part of a file that comes in parts, in bytes.
const PART_BYTES_MAX: usize = 8 << 20;
/// Bytes gathered before they are sealed.
const GATHERED_BYTES: usize = 1 << 20;
/// Places of a refused file that are shown.
const PLACES: usize = 20;

const MAY: Access = Access::With(Right::Import);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/imports", MAY, || get(list)),
    Route::files("/imports", MAY, usize::MAX, || post(receive)),
    Route::post("/imports/uploads", MAY, || post(begin)),
    Route::get("/imports/uploads/{id}", MAY, || get(show)),
    Route::post("/imports/uploads/{id}", MAY, || post(start)),
    Route::get("/imports/uploads/{id}/part", MAY, || get(received)),
    Route::files("/imports/uploads/{id}/part", MAY, PART_BYTES_MAX, || {
        post(take_part)
    }),
    Route::post("/imports/uploads/{id}/discard", MAY, || post(discard)),
];

async fn list(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let owner = who.session.actor.no;
    let session = who.session.clone();
    let imports = house.ask(move |one| one.imports(&session)).await?;
    let waiting: Vec<UploadLine> = house
        .intake
        .of(owner)
        .into_iter()
        .map(|line| settled(&house, owner, line))
        .collect();
    let content = html! {
        h1 { "Import" }
        (drop_zone(&frame, &house))
        @if !waiting.is_empty() {
            section {
                h2 { "On their way in" }
                ul.rows {
                    @for line in &waiting {
                        li {
                            a href={ "/imports/uploads/" (line.id) } {
                                @if line.name.is_empty() { "announced" } @else { (part::name(&line.name)) }
                            }
                            " " (stand_chip(&house, owner, line))
                        }
                    }
                }
            }
        }
        @if imports.is_empty() {
            (part::empty(
                "Nothing was imported yet",
                "Choose an exported chat above. What cannot be decided from the file is asked, and \
                 importing the same messages again changes nothing.",
                None,
            ))
        } @else {
            (import_report::table(&imports, job::zone(&house)))
        }
    };
    Ok(frame.at(Section::Import, "Import").page(&content))
}

/// The form that takes files; a script of ours sends them in parts.
fn drop_zone(frame: &Frame, house: &House) -> Markup {
    html! {
        section.card {
            h2 { "Bring exported chats in" }
            form #upload method="post" action="/imports" enctype="multipart/form-data" {
                (frame.mark())
                div.drop {
                    label.field {
                        span { "Files" }
                        input #files type="file" name="file" multiple required;
                        small {
                            "WhatsApp exports (.txt or .zip), tables (.csv) and JSON lines. Choose \
                             them, or drop them here. They are sealed as they arrive."
                        }
                    }
                }
                details {
                    summary { "What you know about them" }
                    (settings(&Said::default(), &house_zone(house)))
                }
                p {
                    button.primary type="submit" { "Send and import" }
                    " " small { "Nothing is guessed: what the files leave open is asked before anything is written." }
                }
            }
            ul #sending.rows {}
        }
        script src=(address("upload.js")) defer {}
    }
}

fn house_zone(house: &House) -> String {
    job::zone(house).name().to_owned()
}

/// What can be said about a file beforehand.
fn settings(said: &Said, zone: &str) -> Markup {
    html! {
        label.field {
            span { "Time zone of the phone" }
            input name="zone" value=(said.zone) placeholder=(zone) autocomplete="off" maxlength="60";
            small { "Where the file says none. Empty: " (zone) ", marked as assumed." }
        }
        label.field {
            span { "Name of the person who exported" }
            input name="me" value=(said.me) autocomplete="off" maxlength="200";
            small { "Where the file only says “me”." }
        }
        label.field {
            span { "Title of the conversation" }
            input name="title" value=(said.title) autocomplete="off" maxlength="200";
            small { "Where the file does not name it." }
        }
        label.field {
            span { "Mapping of a table (JSON)" }
            textarea name="mapping" spellcheck="false" dir="ltr" { (said.mapping) }
            small { "How columns become messages, for tables and JSON lines." }
        }
    }
}

fn upload_id(text: &str) -> Result<UploadId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

fn stand_chip(house: &House, owner: UserNo, line: &UploadLine) -> Markup {
    match &line.stand {
        Stand::Receiving => html! {
            span.chip { "received " (part::number(line.received)) " of " (part::number(line.bytes)) " bytes" }
        },
        Stand::Here => html! { span.chip { "waits for you" } },
        Stand::Working(id) => match house.jobs.find(owner, *id) {
            Some(found) => job::chip(&found.state),
            None => html! {},
        },
        Stand::Asks(_) => html! { span.chip.warn { "asks something" } },
        Stand::Refused(_) => html! { span.chip.bad { "refused" } },
        Stand::Tried(_) => html! { span.chip.good { "tried" } },
        Stand::Done(_) => html! { span.chip.good { "imported" } },
    }
}

/// A form with files, sent in one go: each becomes an import.
async fn receive(State(house): State<Arc<House>>, files: Files) -> Page {
    let Files { who, mut form } = files;
    let mut said = Said::default();
    let mut ids = Vec::new();
    while let Some(field) = form.next_field().await.map_err(|_| cut_off())? {
        match field.name().map(str::to_owned).as_deref() {
            Some("file") => {
                let name = field.file_name().unwrap_or_default().to_owned();
                if !name.is_empty() {
                    ids.push(stage(&house, &who, &name, field).await?);
                }
            }
            Some(name) => {
                let name = name.to_owned();
                said.take(&name, text_of(field).await?);
            }
            None => return Err(cut_off()),
        }
    }
    let [first, ..] = ids[..] else {
        return Err(Refusal::usage("Choose a file first."));
    };
    for id in &ids {
        begin_import(&house, &who, *id, &said)?;
    }
    let to = match ids.len() {
        1 => format!("/imports/uploads/{first}"),
        _ => "/imports".to_owned(),
    };
    Ok(Redirect::to(&to).into_response())
}

/// Seals a file of a form as it arrives.
async fn stage(
    house: &House,
    who: &Who,
    name: &str,
    mut field: Field<'_>,
) -> Result<UploadId, Refusal> {
    let owner = who.session.actor.no;
    let (session, name) = (who.session.clone(), name.to_owned());
    let (id, now, upload) = house
        .ask(move |one| {
            let upload = one.begin_upload(&session, &name, None)?;
            Ok((one.mint_upload(), one.now().wall, upload))
        })
        .await?;
    house.intake.begin(owner, id, now, upload, 0)?;
    let mut upload = house.intake.lend(owner, id)?;
    let mut gathered = Vec::new();
    loop {
        let chunk = field.chunk().await.map_err(|_| cut_off());
        let chunk = chunk.inspect_err(|_| house.intake.discard(owner, id))?;
        let is_last = chunk.is_none();
        gathered.extend_from_slice(&chunk.unwrap_or_default());
        if is_last || gathered.len() >= GATHERED_BYTES {
            let bytes = std::mem::take(&mut gathered);
            let written = write(house, upload, bytes.into()).await;
            upload = written.inspect_err(|_| house.intake.discard(owner, id))?;
        }
        if is_last {
            break;
        }
    }
    finish(house, owner, id, upload).await?;
    Ok(id)
}

#[derive(Deserialize)]
struct NewFile {
    name: String,
    bytes: u64,
    /// Milliseconds since 1970 at which it was last written.
    modified: Option<i64>,
}

/// Begins a file that comes in parts.
async fn begin(State(house): State<Arc<House>>, who: Who, Posted(new): Posted<NewFile>) -> Page {
    let session = who.session.clone();
    let modified = new
        .modified
        .map(|millis| Timestamp(millis.saturating_mul(1_000)));
    let name = new.name;
    let (id, now, upload) = house
        .ask(move |one| {
            let upload = one.begin_upload(&session, &name, modified)?;
            Ok((one.mint_upload(), one.now().wall, upload))
        })
        .await?;
    let owner = who.session.actor.no;
    house.intake.begin(owner, id, now, upload, new.bytes)?;
    let body = Json(json!({ "id": id.to_string(), "at": 0 }));
    Ok((StatusCode::CREATED, body).into_response())
}

/// How much of a file is here.
async fn received(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Page {
    let line = house.intake.find(who.session.actor.no, upload_id(&id)?)?;
    Ok(Json(json!({ "at": line.received, "of": line.bytes })).into_response())
}

/// Takes the next part of a file.
async fn take_part(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Page {
    let (owner, id) = (who.session.actor.no, upload_id(&id)?);
    let (first, last, total) = place_of(&headers)
        .filter(|(first, last, _)| last - first + 1 == bytes.len() as u64)
        .ok_or_else(|| Refusal::usage("Say with Content-Range where the part stands."))?;
    let line = house.intake.find(owner, id)?;
    let upload = house.intake.lend(owner, id)?;
    if upload.received() != first || total != line.bytes {
        let at = upload.received();
        house.intake.give_back(owner, id, upload);
        let body = Json(json!({ "at": at, "of": line.bytes }));
        return Ok((StatusCode::CONFLICT, body).into_response());
    }
    let written = write(&house, upload, bytes).await;
    let upload = written.inspect_err(|_| house.intake.discard(owner, id))?;
    let at = upload.received();
    match last + 1 == total {
        true => finish(&house, owner, id, upload).await?,
        false => house.intake.give_back(owner, id, upload),
    }
    Ok(Json(json!({ "at": at, "of": total })).into_response())
}

/// Begins the import of a file that is here, with what was said about it.
async fn start(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    Posted(said): Posted<Said>,
) -> Page {
    let id = upload_id(&id)?;
    begin_import(&house, &who, id, &said)?;
    Ok(Redirect::to(&format!("/imports/uploads/{id}")).into_response())
}

async fn discard(State(house): State<Arc<House>>, who: Who, Path(id): Path<String>) -> Page {
    let (owner, id) = (who.session.actor.no, upload_id(&id)?);
    let line = house.intake.find(owner, id)?;
    if let Some(job) = line.last {
        house.jobs.stop(owner, job);
    }
    house.intake.discard(owner, id);
    Ok(Redirect::to("/imports").into_response())
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
) -> Page {
    let owner = who.session.actor.no;
    let line = settled(&house, owner, house.intake.find(owner, upload_id(&id)?)?);
    let last = line.last.and_then(|job| house.jobs.find(owner, job));
    let title = match line.name.as_str() {
        "" => "A file that was announced",
        name => name,
    };
    let content = html! {
        p { a.back href="/imports" { "← Import" } }
        h1 { (part::name(title)) }
        p { (part::number(line.received)) " bytes, sealed until they are imported." }
        @match &line.stand {
            Stand::Receiving => p.notice.warn {
                "Received " (part::number(line.received)) " of " (part::number(line.bytes))
                " bytes. If the sending was cut off, send the file again."
            },
            Stand::Here => {
                @if let Some(last) = &last { (job::state(&frame, last)) }
                (again(&frame, &house, &line, "Import"))
            },
            Stand::Working(_) => {
                @if let Some(last) = &last { (job::state(&frame, last)) }
                (job::look_again())
            },
            Stand::Asks(questions) => (asks(&frame, &line, questions)),
            Stand::Refused(refusal) => {
                (refused(refusal))
                (again(&frame, &house, &line, "Try again"))
            },
            Stand::Tried(receipt) => {
                section.card {
                    h2 { "What an import would do" }
                    p { (sentence(receipt)) }
                    (counts(&receipt.counts))
                }
                (again(&frame, &house, &line, "Import now"))
            },
            Stand::Done(receipt) => (done(receipt)),
        }
        form method="post" action={ "/imports/uploads/" (line.id) "/discard" } {
            (frame.mark())
            button.quiet type="submit" {
                @if matches!(line.stand, Stand::Done(_)) { "Take it off the list" }
                @else { "Throw the file away" }
            }
        }
    };
    Ok(frame.at(Section::Import, "Import").page(&content))
}

fn done(receipt: &ImportReceipt) -> Markup {
    html! {
        section.card {
            h2 { "Imported" }
            p.notice.good role="status" {
                (sentence(receipt))
                @if let Some(no) = receipt.audit { " " (part::entry(no)) }
            }
            (counts(&receipt.counts))
            @if let Some(id) = receipt.id.or(receipt.same_as) {
                p { a.button href={ "/imports/" (id) } { "Report" } }
            }
        }
    }
}

fn refused(refusal: &crate::ingest::Refusal) -> Markup {
    html! {
        section.refused role="alert" {
            h2 { "Nothing was imported" }
            p hx-disable { (refusal.reason) }
            @if !refusal.places.is_empty() {
                ul {
                    @for place in refusal.places.iter().take(PLACES) {
                        li {
                            (part::name(&place.entry)) " line " (part::number(place.line)) ": "
                            span hx-disable { (place.reason) }
                        }
                    }
                }
            }
            @if refusal.total > PLACES as u64 {
                p { "And " (part::count(refusal.total - PLACES as u64, "place", "places")) " more." }
            }
        }
    }
}

/// The form that imports a file that is here.
fn again(frame: &Frame, house: &House, line: &UploadLine, verb: &str) -> Markup {
    let leaves_out = matches!(&line.stand, Stand::Refused(refusal) if refusal.total > 0);
    html! {
        form.card method="post" action={ "/imports/uploads/" (line.id) } {
            (frame.mark())
            @if leaves_out {
                label.field {
                    input type="checkbox" name="import_rest" value="yes";
                    " Leave these places out, keep them in the report, and import the rest"
                }
            }
            details {
                summary { "What you know about it" }
                (settings(&line.said, &house_zone(house)))
            }
            button.primary type="submit" name="run" value="commit" { (verb) }
            " " button type="submit" name="run" value="dry" { "Only say what would happen" }
        }
    }
}

/// Everything that must be decided first, each with its evidence.
fn asks(frame: &Frame, line: &UploadLine, questions: &[Question]) -> Markup {
    const KINDS: [QuestionKind; 7] = [
        QuestionKind::DateOrder,
        QuestionKind::Zone,
        QuestionKind::Start,
        QuestionKind::TrustHeaders,
        QuestionKind::Continues,
        QuestionKind::Mapping,
        QuestionKind::ImportRest,
    ];
    html! {
        form.card method="post" action={ "/imports/uploads/" (line.id) } {
            (frame.mark())
            h2 { "This must be decided first" }
            p { "The file leaves it open, and nothing is guessed. Nothing was imported yet." }
            @for kind in KINDS {
                @let of_kind: Vec<&Question> = questions.iter().filter(|one| one.kind == kind).collect();
                @if !of_kind.is_empty() { (question(kind, &of_kind, &line.said)) }
            }
            button.primary type="submit" name="run" value="commit" { "Import" }
            " " button type="submit" name="run" value="dry" { "Only say what would happen" }
        }
    }
}

/// The questions of one kind: one answer holds for all of them.
fn question(kind: QuestionKind, questions: &[&Question], said: &Said) -> Markup {
    let (title, field) = match kind {
        QuestionKind::DateOrder => ("Which comes first in its dates?", "date_order"),
        QuestionKind::Zone => ("In which time zone did the phone stand?", "zone"),
        QuestionKind::Start => ("When did it begin?", "start"),
        QuestionKind::TrustHeaders => ("Do such lines begin messages?", "trust_headers"),
        QuestionKind::Mapping => ("How do its columns become messages?", "mapping"),
        QuestionKind::ImportRest => (
            "Leave out what has no date that can be read?",
            "import_rest",
        ),
        QuestionKind::Continues => ("Which conversation is it?", "continues"),
    };
    let mut readings: Vec<&Reading> = Vec::new();
    for reading in questions.iter().flat_map(|one| &one.readings) {
        if !readings.iter().any(|known| known.answer == reading.answer) {
            readings.push(reading);
        }
    }
    let preselected = questions.first().and_then(|one| one.preselect);
    html! {
        fieldset {
            legend { (title) }
            @for one in questions {
                p { (part::name(&one.entry)) ": " span hx-disable dir="auto" { (one.reason) } }
            }
            @match kind {
                QuestionKind::Zone => label.field {
                    span { "Zone" }
                    input name="zone" required value=(said.zone) placeholder="Europe/Lisbon" maxlength="60";
                },
                QuestionKind::Start => label.field {
                    span { "Day and local time" }
                    input type="datetime-local" name="start" required value=(said.start) step="1";
                },
                QuestionKind::Mapping => label.field {
                    span { "Mapping (JSON)" }
                    textarea name="mapping" required spellcheck="false" dir="ltr" { (said.mapping) }
                },
                _ if readings.is_empty() => {
                    label { input type="radio" name=(field) value="yes" required; " Yes" }
                    " " label { input type="radio" name=(field) value="no"; " No" }
                },
                _ => @for (place, reading) in readings.iter().enumerate() {
                    p {
                        label {
                            input type="radio" name=(field) value=(reading.answer) required
                                checked[preselected == Some(place)];
                            " " (answer_words(kind, &reading.answer))
                            @if let (Some(first), Some(last)) = (reading.first, reading.last) {
                                small { " from " (wall(first)) " to " (wall(last)) }
                            }
                        }
                    }
                },
            }
        }
    }
}

fn answer_words(kind: QuestionKind, answer: &str) -> String {
    let words = match (kind, answer) {
        (QuestionKind::DateOrder, "dmy") => "Day, month, year",
        (QuestionKind::DateOrder, "mdy") => "Month, day, year",
        (QuestionKind::DateOrder, "ymd") => "Year, month, day",
        (QuestionKind::Continues, ANSWER_NEW) => "It is a conversation of its own",
        (QuestionKind::Continues, id) => return format!("It continues {id}"),
        (_, "yes") => "Yes",
        (_, "no") => "No",
        (_, other) => other,
    };
    words.to_owned()
}

/// A local time that a reading gives.
fn wall(at: Timestamp) -> String {
    let local = chrono::DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    local.format(part::MINUTE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_shows_its_evidence_and_no_answer_of_its_own() {
        let reading = |answer: &str, second| Reading {
            answer: answer.to_owned(),
            first: Some(Timestamp::from_seconds(second)),
            last: Some(Timestamp::from_seconds(second + 60)),
        };
        let question_of = Question {
            kind: QuestionKind::DateOrder,
            entry: "chat<b>.txt".to_owned(),
            reason: "no day is above 12".to_owned(),
            readings: vec![reading("dmy", 0), reading("mdy", 86_400)],
            preselect: None,
        };
        let shown = question(QuestionKind::DateOrder, &[&question_of], &Said::default());
        let shown = shown.into_string();
        assert!(shown.contains("no day is above 12") && shown.contains("chat&lt;b&gt;.txt"));
        assert!(shown.contains("1 Jan 1970") && shown.contains("2 Jan 1970"));
        assert!(!shown.contains("checked"), "{shown}");
    }
}
