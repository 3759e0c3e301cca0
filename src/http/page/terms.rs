//! Reports on search terms: many terms at once, each with what it finds and what only it finds.

use std::sync::Arc;

use axum::extract::multipart::Multipart;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::{Markup, html};

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobResult, Tone};
use super::super::posted::{Asked, Files, text_of};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::import_report::download;
use super::trial::{self, Shelf};
use super::{Page, form, part, search};
use crate::app::{Session, TERMS_MAX, TermLine, TermReport, terms_of_table};
use crate::domain::{JobId, Right};
use crate::ingest::{BYTE_ORDER_MARK, write_row};

const READ: Access = Access::With(Right::ReadContent);
/// Longest form with its file, in bytes.
const BODY_BYTES_MAX: usize = 2 << 20;
/// People named beside a term; all of them stand in the table that is fetched.
const PEOPLE: usize = 3;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/terms", READ, || get(show)),
    Route::files("/terms", READ, BODY_BYTES_MAX, || post(count)),
    Route::get("/terms/{job}/report.csv", READ, || get(table)),
];

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(trial): Asked<trial::Wanted>,
) -> Page {
    let job = trial.job(&house, &who).await?;
    let frame = frame.at(Section::Search, "Search terms");
    let Some(job) = job else {
        return Ok(frame.page(&asking(&frame, "", None)));
    };
    let head = html! { p { a.back href="/terms" { "← Other terms" } } h1 { "Search terms" } };
    let Some(report) = house.term_reports.get(job.id) else {
        return Ok(trial::alone(&frame, &job, "/terms", &head, &html! {}));
    };
    let content = html! { (head) (reported(&frame, &report, job.id)) };
    Ok(frame.wide().page(&content))
}

fn asking(frame: &Frame, typed: &str, refusal: Option<&Refusal>) -> Markup {
    html! {
        p { a.back href="/search" { "← Search" } }
        h1 { "Search terms" }
        p.aside {
            "How many messages, conversations and days each term finds, and how many only it finds: what parties \
             negotiate on. Every term is a query of its own."
        }
        (form::refused(refusal))
        form.card method="post" action="/terms" enctype="multipart/form-data" {
            (frame.mark())
            label.field {
                span { "Terms, one a line" }
                textarea name="terms" rows="10" dir="auto" spellcheck="false" placeholder="discount OR rebate\n\"delivery date\"\nrefund w/10 invoice" { (typed) }
            }
            label.field {
                span { "Or a table" }
                input type="file" name="file" accept=".csv,.txt,text/csv,text/plain";
                small { "CSV: the first cell of every row is a term, at most " (part::number(TERMS_MAX as u64)) "." }
            }
            button.primary type="submit" { "Count them" }
        }
    }
}

/// The terms of a form: what was typed, then what the file holds; and what was typed, to be shown again.
async fn terms_of(mut form: Multipart) -> Result<(Vec<String>, String), Refusal> {
    let (mut terms, mut typed) = (Vec::new(), String::new());
    let cut_off = |_| Refusal::usage("The form was cut off. Send it again.");
    while let Some(field) = form.next_field().await.map_err(cut_off)? {
        match field.name() {
            Some("terms") => {
                typed = text_of(field).await?;
                let lines = typed.lines().map(str::trim);
                terms.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
            }
            Some("file") => terms.extend(terms_of_table(&text_of(field).await?)),
            _ => {}
        }
    }
    Ok((terms, typed))
}

async fn count(State(house): State<Arc<House>>, frame: Frame, files: Files) -> Page {
    let who = files.who;
    let (terms, typed) = terms_of(files.form).await?;
    let (session, shelf) = (who.session.clone(), house.term_reports.clone());
    let act = move |job| counting(session, shelf, terms, job);
    match trial::begun(&house, &who, "Count search terms", act).await {
        Ok(job) => Ok(Redirect::to(&trial::address("/terms", job)).into_response()),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            // The mark of a form with files is known only behind its first part.
            let frame = frame.of(&who).at(Section::Search, "Search terms");
            let content = asking(&frame, &typed, Some(&refusal));
            Ok(form::again(&frame, &content, Some(&refusal)))
        }
    }
}

fn counting(session: Session, shelf: Shelf<TermReport>, terms: Vec<String>, job: JobId) -> Act {
    Box::new(move |appliance, teller| {
        let report = appliance.term_report(&session, &terms, &mut teller.heed())?;
        let text = format!(
            "{} of {} found {}.",
            part::number(report.lines.iter().filter(|line| line.messages > 0).count() as u64),
            part::count(report.lines.len() as u64, "term", "terms"),
            part::count(report.messages, "message", "messages"),
        );
        let wrong = report.lines.iter().any(|line| line.refused.is_some());
        let mut result = JobResult::new(if wrong { Tone::Warning } else { Tone::Good }, text);
        result.page = Some(trial::address("/terms", job));
        result.audit = Some(report.audit);
        shelf.put(job, report);
        Ok(result)
    })
}

fn reported(frame: &Frame, report: &TermReport, job: JobId) -> Markup {
    let most = report
        .lines
        .iter()
        .map(|line| line.messages)
        .max()
        .unwrap_or(0)
        .max(1);
    html! {
        div.summary {
            p {
                strong { (part::count(report.messages, "message", "messages")) } " in "
                (part::count(report.conversations, "conversation", "conversations")) " by at least one of "
                (part::count(report.lines.len() as u64, "term", "terms"))
                " · " (report.took.as_millis()) " ms · " (part::entry(report.audit))
            }
            a.button href={ "/terms/" (job) "/report.csv" } download { "Fetch as CSV" }
        }
        (search::behind(&report.watermark))
        div.scroll {
            table.grid.terms {
                thead { tr {
                    th scope="col" { "Term" } th.figure scope="col" { "Messages" } th scope="col" { span.unseen { "Share" } }
                    th.figure scope="col" { "Only by it" } th.figure scope="col" { "Conversations" }
                    th.figure scope="col" { "Conversation days" } th scope="col" { "Most by" }
                } }
                tbody { @for line in &report.lines { (row(frame, line, most)) } }
            }
        }
        p.aside {
            "A conversation day is a conversation on one day, in the zone of the workspace. \"Only by it\" counts messages that no other term of this report finds."
        }
    }
}

fn row(frame: &Frame, line: &TermLine, most: u64) -> Markup {
    let people = line.by_person.iter().take(PEOPLE);
    html! {
        tr {
            th scope="row" {
                form method="post" action="/search" {
                    (frame.mark())
                    button.link type="submit" name="query" value=(line.text) { code hx-disable dir="auto" { (line.text) } }
                }
                @if let Some(why) = &line.refused { " " span.chip.bad { "not counted" } " " small hx-disable { (why) } }
                @else { small hx-disable dir="auto" { (line.read_as) } }
                @for note in line.problems.iter().filter(|_| line.refused.is_none()) { " " code title=(note.message) { (note.code.name()) } }
            }
            @if line.refused.is_some() { td colspan="6" {} }
            @else {
                td.figure { (part::number(line.messages)) }
                td.share { (search::bar(line.messages, most)) }
                td.figure { (part::number(line.unique)) }
                td.figure { (part::number(line.conversations)) }
                td.figure { (part::number(line.conversation_days)) }
                td {
                    @for (place, (name, count)) in people.enumerate() {
                        @if place > 0 { ", " }
                        (part::name(name)) " " (part::number(*count))
                    }
                }
            }
        }
    }
}

async fn table(State(house): State<Arc<House>>, who: Who, Path(job): Path<String>) -> Page {
    let job: JobId = job.parse().map_err(|_| Refusal::not_found())?;
    house.job_of(&who, job).await?;
    let report = house.term_reports.get(job).ok_or_else(Refusal::not_found)?;
    let bytes = csv(&report).map_err(|_| Refusal::broken())?;
    Ok(download(
        "search-terms.csv",
        "text/csv; charset=utf-8",
        bytes,
    ))
}

fn csv(report: &TermReport) -> std::io::Result<Vec<u8>> {
    let mut table = BYTE_ORDER_MARK.to_vec();
    let heads = [
        "term",
        "read_as",
        "messages",
        "unique",
        "conversations",
        "conversation_days",
        "by_person",
        "not_counted",
    ];
    write_row(&mut table, heads)?;
    for line in &report.lines {
        let people: Vec<String> = line
            .by_person
            .iter()
            .map(|(name, count)| format!("{name}: {count}"))
            .collect();
        let cells = [
            line.text.clone(),
            line.read_as.clone(),
            line.messages.to_string(),
            line.unique.to_string(),
            line.conversations.to_string(),
            line.conversation_days.to_string(),
            people.join("; "),
            line.refused.clone().unwrap_or_default(),
        ];
        write_row(&mut table, cells.iter().map(String::as_str))?;
    }
    Ok(table)
}
