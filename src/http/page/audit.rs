//! The audit log: who did what, filtered; verified; signed, to be taken away.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use chrono::{NaiveDate, TimeZone};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobResult, NewJob, Teller, Tone};
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::audit_words::{facts, sentence};
use super::frame::{Frame, Section};
use super::import_report::download;
use super::{Page, job, part};
use crate::app::{Appliance, LogLine, LogPage, LogRequest, Session, VerifyReport, VerifyRequest};
use crate::audit::{Action, Outcome, Verdict};
use crate::crypto::hex;
use crate::domain::{Right, Timestamp};

/// Entries on a page.
const LINES: usize = 50;
/// Messages whose own words must find them again, when everything is verified.
const SAMPLE: u64 = 100;
/// Most of them that can be asked for.
const SAMPLE_MAX: u64 = 10_000;
/// Problems that a result lists.
const PROBLEMS: usize = 100;
/// What a verification is called among jobs.
const VERIFYING: &str = "Verify everything";

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/audit", Access::With(Right::ReadAudit), || get(list)),
    Route::get("/audit/verify", Access::With(Right::Verify), || {
        get(verify_page)
    }),
    Route::post("/audit/verify", Access::With(Right::Verify), || {
        post(verify)
    }),
    Route::get("/audit/checkpoint", Access::With(Right::ReadAudit), || {
        get(checkpoint)
    }),
    Route::get(
        "/audit/checkpoint.txt",
        Access::With(Right::ReadAudit),
        || get(checkpoint_file),
    ),
];

/// What is filtered by: ids, names of acts, days.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Filter {
    actor: String,
    action: String,
    object: String,
    since: String,
    until: String,
    before: String,
}

impl Filter {
    fn request(&self, zone: Tz) -> Result<LogRequest, Refusal> {
        let given = |text: &String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        Ok(LogRequest {
            since: day(&self.since, zone, 0)?,
            until: day(&self.until, zone, 1)?,
            actor: given(&self.actor),
            action: given(&self.action),
            object: given(&self.object),
            from: 0,
            limit: LINES,
        })
    }

    /// The address of the page that goes on before an entry. Every value is plain.
    fn address(&self, before: u64) -> String {
        let mut address = format!("/audit?before={before}");
        for (name, value) in [
            ("actor", &self.actor),
            ("action", &self.action),
            ("object", &self.object),
            ("since", &self.since),
            ("until", &self.until),
        ] {
            let plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.:".contains(letter);
            let value = value.trim();
            if !value.is_empty() && value.chars().all(plain) {
                address += &format!("&{name}={value}");
            }
        }
        address
    }
}

/// The beginning of a day in a zone, some days later.
fn day(text: &str, zone: Tz, later: u64) -> Result<Option<Timestamp>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let found = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d")
        .ok()
        .and_then(|day| day.checked_add_days(chrono::Days::new(later)))
        .and_then(|day| day.and_hms_opt(0, 0, 0))
        .and_then(|local| {
            // Where the clock skips midnight, the day begins an hour later.
            let hour_later = local.checked_add_signed(chrono::TimeDelta::hours(1))?;
            let begin = zone.from_local_datetime(&local).earliest();
            begin.or_else(|| zone.from_local_datetime(&hour_later).earliest())
        });
    match found {
        Some(begin) => Ok(Some(Timestamp(begin.timestamp_micros()))),
        None => Err(Refusal::usage("Write days as 2024-02-11.")),
    }
}

async fn list(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(filter): Asked<Filter>,
) -> Page {
    let zone = job::zone(&house);
    let request = filter.request(zone)?;
    let before = match filter.before.as_str() {
        "" => None,
        number => Some(number.parse().map_err(|_| Refusal::not_found())?),
    };
    let session = who.session.clone();
    let (page, names) = house
        .ask(move |one| {
            let names = one.actor_names(&session)?;
            Ok((one.read_log_back(&session, &request, before)?, names))
        })
        .await?;
    let content = html! {
        h1 { "Audit" }
        p {
            a.button href="/audit/verify" { "Verify" } " "
            a.button href="/audit/checkpoint" { "Checkpoint" }
        }
        (filters(&filter, &names))
        (entries(&frame, &filter, &page, &names, zone))
    };
    Ok(frame.at(Section::Audit, "Audit").page(&content))
}

fn filters(filter: &Filter, names: &BTreeMap<String, String>) -> Markup {
    html! {
        form.filters method="get" action="/audit" role="search" aria-label="Filter" {
            label.field {
                span { "Actor" }
                select name="actor" {
                    option value="" { "Everybody" }
                    option value="system" selected[filter.actor == "system"] { "The house itself" }
                    @for (id, login) in names {
                        option value=(id) selected[filter.actor == *id] { (login) }
                    }
                }
            }
            label.field {
                span { "Act" }
                select name="action" {
                    option value="" { "Every act" }
                    @for stem in stems() {
                        option value=(stem) selected[filter.action == stem] { (stem) }
                    }
                }
            }
            label.field {
                span { "Object" }
                input name="object" value=(filter.object) placeholder="cnv_…, imp_…, usr_…"
                    spellcheck="false" autocomplete="off" maxlength="128";
            }
            label.field { span { "From" } input type="date" name="since" value=(filter.since); }
            label.field { span { "To" } input type="date" name="until" value=(filter.until); }
            div { button.primary type="submit" { "Filter" } " " a.button href="/audit" { "All" } }
        }
    }
}

/// Families of acts, and the acts that stand alone.
fn stems() -> Vec<&'static str> {
    let mut stems: Vec<&str> = Action::ALL
        .iter()
        .map(|action| action.name().split('.').next().unwrap_or_default())
        .collect();
    stems.sort_unstable();
    stems.dedup();
    stems
}

fn entries(
    frame: &Frame,
    filter: &Filter,
    page: &LogPage,
    names: &BTreeMap<String, String>,
    zone: Tz,
) -> Markup {
    html! {
        p.summary {
            span { (part::count(page.lines.len() as u64, "entry", "entries")) " shown, newest first" }
            (part::entry(page.audit.seq))
        }
        @if page.lines.is_empty() {
            (part::empty(
                "No entry here",
                match page.next {
                    Some(_) => "Nothing among the entries that were looked through fits. Go on with older ones.",
                    None => "No entry fits this filter.",
                },
                Some(("Show all", "/audit")),
            ))
        } @else {
            div.scroll {
                table.grid {
                    thead { tr { th.figure { "No" } th { "Time" } th { "What happened" } } }
                    tbody { @for line in &page.lines { (row(frame, line, names, zone)) } }
                }
            }
        }
        @if let Some(next) = page.next {
            nav.pager { a.button rel="next" href=(filter.address(next)) { "Older entries" } }
        }
    }
}

fn row(frame: &Frame, line: &LogLine, names: &BTreeMap<String, String>, zone: Tz) -> Markup {
    let entry = &line.entry;
    let draft = &entry.draft;
    html! {
        tr tabindex="0" {
            td.figure { "#" (entry.seq.0) }
            td.when { (part::time(entry.t_c, zone, "%-d %b %Y, %H:%M:%S")) }
            td {
                (part::name(&sentence(draft, names)))
                @match draft.result {
                    Outcome::Done => {},
                    Outcome::Refused => { " " span.chip.warn { "refused" } },
                    Outcome::Failed => { " " span.chip.bad { "failed" } },
                }
                @for object in &draft.objects { " " (object_link(frame, object)) }
                @for (name, value) in facts(draft) {
                    " " small { "· " (name) ": " (value) }
                }
                @if let Some(typed) = &line.payload {
                    p { span.label { "Typed: " } (part::words(typed)) }
                }
                details {
                    summary { "Entry as it is hashed" }
                    code.block hx-disable dir="ltr" { (line.json) }
                }
            }
        }
    }
}

/// An object, as a way to everything that happened to it.
fn object_link(frame: &Frame, object: &str) -> Markup {
    let page = match object.split('_').next() {
        Some("imp") if frame.may(Right::Import) => Some(format!("/imports/{object}")),
        Some("cnv") if frame.may(Right::ReadContent) => Some(format!("/c/{object}")),
        _ => None,
    };
    html! {
        a href={ "/audit?object=" (object) } title="Everything that happened to it" {
            code { (object) }
        }
        @if let Some(page) = page { " " a href=(page) { "open" } }
    }
}

async fn verify_page(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let jobs = house.jobs.of(who.session.actor.no);
    let runs: Vec<_> = jobs.iter().filter(|job| job.title == VERIFYING).collect();
    let content = html! {
        h1 { "Verify" }
        p {
            "Every entry of the log against its place in the tree, every page of the database, every \
             sealed row and attachment, the index, and that everything that came in is there or was \
             disposed of. It may take minutes, and imports wait meanwhile."
        }
        form.card method="post" action="/audit/verify" {
            (frame.mark())
            label.field {
                span { "Messages whose own words must find them again" }
                input type="number" name="sample" value=(SAMPLE) min="0" max=(SAMPLE_MAX);
            }
            label.field {
                span { "A checkpoint that was kept elsewhere" }
                textarea name="anchor" spellcheck="false" dir="ltr" autocomplete="off" {}
                small {
                    "Three lines, as they were printed. With it the log is proven to have only grown \
                     since. This computer remembers the last one it saw in any case."
                }
            }
            button.primary type="submit" { "Verify everything" }
        }
        @for run in &runs {
            section {
                h2 { "Begun " (part::time(run.began, job::zone(&house), part::MINUTE)) }
                (job::state(&frame, run))
            }
        }
        @if runs.iter().any(|run| !run.state.is_over()) { (job::look_again()) }
    };
    Ok(frame.at(Section::Audit, "Verify").page(&content))
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    sample: String,
    #[serde(default)]
    anchor: String,
}

async fn verify(State(house): State<Arc<House>>, who: Who, Posted(wanted): Posted<Wanted>) -> Page {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let sample: u64 = match wanted.sample.trim() {
        "" => SAMPLE,
        number => number
            .parse()
            .map_err(|_| Refusal::usage("Write a number of messages."))?,
    };
    let anchor = wanted.anchor.replace("\r\n", "\n");
    let anchors = match anchor.trim() {
        "" => Vec::new(),
        lines => vec![format!("{lines}\n")],
    };
    let request = VerifyRequest {
        key: None,
        anchors,
        sample: sample.min(SAMPLE_MAX),
    };
    let new = NewJob {
        id: appliance.mint_job(),
        owner: who.session.actor.no,
        title: VERIFYING,
        stops: false,
    };
    let session = who.session.clone();
    let act: Act = Box::new(move |one, teller| run_verify(one, &session, &request, teller));
    let id = house.jobs.start(&appliance, new, act)?;
    Ok(Redirect::to(&format!("/jobs/{id}")).into_response())
}

fn run_verify(
    appliance: &Appliance,
    session: &Session,
    request: &VerifyRequest,
    teller: &Teller,
) -> crate::app::Result<JobResult> {
    let report = appliance.verify(session, request, &mut |what, done, of| {
        teller.tell(what, done, of);
    })?;
    let mut result = verdict(&report);
    let at = appliance.now().wall;
    let at = chrono::DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    let stamp = at.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    result.facts.insert(0, ("Verified", stamp));
    Ok(result)
}

/// What the verifier found, as a result with its stamp.
fn verdict(report: &VerifyReport) -> JobResult {
    let log = &report.log;
    let broken = report
        .record
        .as_ref()
        .map(|record| record.problems())
        .unwrap_or_default();
    let (tone, text) = match (broken.is_empty(), log.verdict) {
        (true, Verdict::Sound) => (
            Tone::Good,
            "Everything holds, and something from outside agrees.",
        ),
        (true, Verdict::Unanchored) => (
            Tone::Warning,
            "Everything holds within itself. Nothing from outside was there to compare with: an older \
             copy would look the same. Give a checkpoint that was kept elsewhere.",
        ),
        _ => (
            Tone::Bad,
            "Something does not hold. Change nothing, keep a copy of the data, and look at the list.",
        ),
    };
    let mut result = JobResult::new(tone, text);
    let facts = &mut result.facts;
    facts.push(("Entries of the log", part::number(log.size)));
    if let Some(root) = &log.root {
        facts.push(("Root", hex(root)));
    }
    facts.push(("Signed checkpoints", part::number(log.checkpoints)));
    facts.push(("From outside", part::number(log.anchors)));
    if let Some(record) = &report.record {
        facts.push(("Messages", part::number(record.content.messages)));
        facts.push(("Sealed rows", part::number(record.content.rows)));
        facts.push(("Attachments", part::number(record.content.blobs)));
        facts.push(("In the index", part::number(record.index.messages)));
        facts.push(("Asked of the index", part::number(record.index.asked)));
        let live = format!(
            "{} by the log, {} there",
            part::number(record.logged),
            part::number(record.live)
        );
        facts.push(("Conservation", live));
    }
    let of_log = log.problems.iter().map(|problem| {
        let file = problem.file.as_deref().unwrap_or("log");
        match problem.index {
            Some(index) => format!("{file} entry {index}: {}", problem.what),
            None => format!("{file}: {}", problem.what),
        }
    });
    result.problems = of_log.chain(broken).take(PROBLEMS).collect();
    result.audit = report.audit.as_ref().map(|appended| appended.seq);
    result
}

async fn checkpoint(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session.clone();
    let (signed, key) = house
        .ask(move |one| Ok((one.checkpoint(&session)?, one.vkey_line())))
        .await?;
    let content = html! {
        p { a.back href="/audit" { "← Audit" } }
        h1 { "Checkpoint" }
        p {
            "These three lines stand for " (part::count(signed.size, "entry", "entries"))
            " and everything in them. Keep them where whoever holds the data cannot change them: on \
             paper, in a mail, with a notary. The verifier then proves that the log has only grown."
        }
        pre.block hx-disable dir="ltr" { (signed.to_text()) }
        p { a.button href="/audit/checkpoint.txt" { "Download" } }
        h2 { "Key of the log" }
        p { "Whoever verifies an exported log gives this key." }
        pre.block hx-disable dir="ltr" { (key) }
    };
    Ok(frame.at(Section::Audit, "Checkpoint").page(&content))
}

async fn checkpoint_file(State(house): State<Arc<House>>, who: Who) -> Page {
    let signed = house.ask(move |one| one.checkpoint(&who.session)).await?;
    let name = format!("checkpoint-{}.txt", signed.size);
    let text = signed.to_text().into_bytes();
    Ok(download(&name, "text/plain; charset=utf-8", text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_filter_and_nothing_else() {
        let filter = Filter {
            actor: "usr_01".to_owned(),
            action: "import".to_owned(),
            object: "x&y=<script>".to_owned(),
            ..Filter::default()
        };
        assert_eq!(
            filter.address(77),
            "/audit?before=77&actor=usr_01&action=import"
        );
    }

    #[test]
    fn the_last_day_is_whole() {
        let zone = chrono_tz::Europe::Berlin;
        let since = day("2024-02-11", zone, 0).unwrap().unwrap();
        let until = day("2024-02-11", zone, 1).unwrap().unwrap();
        assert_eq!(until.0 - since.0, Timestamp::MICROS_PER_DAY);
        assert_eq!(day("", zone, 0).unwrap(), None);
        assert!(day("11.2.2024", zone, 0).is_err());
    }

    #[test]
    fn families_of_acts_stand_once() {
        let stems = stems();
        assert!(stems.contains(&"import") && stems.contains(&"login"));
        assert!(stems.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
