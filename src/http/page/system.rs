//! How the house stands: each part with its state and what to do next; and the acts that tend it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};

use super::super::guard::Who;
use super::super::house::House;
use super::super::jobs::{Act, JobResult, NewJob, Tone};
use super::super::posted::Posted;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::frame::{Frame, Section};
use super::{Page, job, part, step_up};
use crate::app::{
    AppError, Appliance, BackupLine, BackupRequest, Finding, IndexFigures, KeyStatus, Standing,
    SystemFigures,
};
use crate::domain::{Right, Timestamp};
use crate::retention::clock::Quality;
use crate::store::KeyKind;

/// Queries that are asked of the index when it is compared with the record.
const SAMPLE: u64 = 100;
/// Problems that a result lists.
const PROBLEMS: usize = 100;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/system", Access::With(Right::Verify), || get(show)),
    Route::post("/system/index/verify", Access::With(Right::Verify), || {
        post(compare_index)
    }),
    Route::post(
        "/system/index/rebuild",
        Access::With(Right::MaintainIndex),
        || post(rebuild_index),
    ),
    Route::post("/system/backup", Access::With(Right::ManageKeys), || {
        post(make_backup)
    }),
];

/// What only some of those who see the page may see.
#[derive(Default)]
struct Private {
    index: Option<IndexFigures>,
    keys: Option<KeyStatus>,
    backups: Vec<BackupLine>,
}

async fn show(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session.clone();
    let (index, keys) = (
        frame.may(Right::MaintainIndex),
        frame.may(Right::ManageKeys),
    );
    let (figures, findings, private) = house
        .ask(move |one| {
            let mut private = Private::default();
            if index {
                private.index = Some(one.index_figures(&session)?);
            }
            if keys {
                private.keys = Some(one.key_status(&session)?);
                private.backups = one.backups(&session)?;
            }
            Ok((one.system_figures(&session)?, one.check()?, private))
        })
        .await?;
    let zone = job::zone(&house);
    let content = html! {
        h1 { "System" }
        (overview(&findings))
        div.cards {
            (storage(&figures, &findings))
            (index_card(&frame, &figures, &private, &findings))
            (key_card(&figures, &private, &findings, zone))
            (backup_card(&frame, &figures, &private, &findings, zone))
            (log_card(&frame, &figures, &findings))
            (clock_card(&figures, &findings, zone))
            (version_card(&house, &findings))
        }
    };
    Ok(frame.wide().at(Section::System, "System").page(&content))
}

/// What is not in order, for who comes to mend it.
pub(super) async fn open_points(house: &Arc<House>) -> Result<Markup, Refusal> {
    let findings = house.ask(Appliance::check).await?;
    let open: Vec<Finding> = findings
        .into_iter()
        .filter(|one| one.standing != Standing::Good)
        .collect();
    let subjects: Vec<&str> = open.iter().map(|one| one.subject).collect();
    Ok(html! {
        section {
            h2 { "State of the house" }
            @if open.is_empty() { p.notice.good { "Everything is in order." } }
            @else {
                div.card { (found(&open, &subjects)) p { a.button href="/system" { "See to it" } } }
            }
        }
    })
}

/// What needs somebody, before everything else.
fn overview(findings: &[Finding]) -> Markup {
    let bad = findings
        .iter()
        .filter(|one| one.standing == Standing::Bad)
        .count();
    let warned = findings
        .iter()
        .filter(|one| one.standing == Standing::Warning)
        .count();
    html! {
        @match (bad, warned) {
            (0, 0) => p.notice.good { "Everything is in order." },
            (0, _) => p.notice.warn {
                (part::count(warned as u64, "thing", "things")) " should be changed: see below."
            },
            _ => p.notice.bad role="alert" {
                (part::count(bad as u64, "thing", "things")) " not safe or not working, "
                (part::number(warned as u64)) " to be changed: see below."
            },
        }
    }
}

/// What was found about a part, as words with a chip.
fn found(findings: &[Finding], subjects: &[&str]) -> Markup {
    html! {
        ul.rows {
            @for one in findings.iter().filter(|one| subjects.contains(&one.subject)) {
                li {
                    @match one.standing {
                        Standing::Good => span.chip.good { "good" },
                        Standing::Warning => span.chip.warn { "to change" },
                        Standing::Bad => span.chip.bad { "bad" },
                    }
                    " " strong { (one.subject) } ": " span hx-disable { (one.text) }
                }
            }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", part::number(bytes.div_ceil(1 << 20)))
}

fn storage(figures: &SystemFigures, findings: &[Finding]) -> Markup {
    html! {
        section.card {
            h2 { "Storage" }
            dl.facts {
                dt { "Messages" } dd { (part::number(figures.messages)) }
                dt { "Record" } dd { (megabytes(figures.database)) }
                dt { "Attachments" } dd { (megabytes(figures.blobs)) }
                dt { "Index" } dd { (megabytes(figures.index)) }
                dt { "Free" } dd { (megabytes(figures.free)) }
            }
            (found(findings, &["disk", "permissions"]))
        }
    }
}

fn index_card(
    frame: &Frame,
    figures: &SystemFigures,
    private: &Private,
    findings: &[Finding],
) -> Markup {
    let mark = &figures.watermark;
    html! {
        section.card {
            h2 { "Search index" }
            dl.facts {
                dt { "Has read" }
                dd { (part::number(mark.through)) " of " (part::number(mark.of)) }
                dt { "Behind" }
                dd { (part::count(mark.of.saturating_sub(mark.through), "message", "messages")) }
                @if let Some(index) = &private.index {
                    dt { "Parts" } dd { (part::number(index.parts.len() as u64)) }
                    dt { "Messages" }
                    dd { (part::number(index.parts.iter().map(|one| one.messages).sum())) }
                }
            }
            (found(findings, &["index"]))
            form method="post" action="/system/index/verify" {
                (frame.mark())
                button type="submit" { "Compare with the record" }
            }
            @if frame.may(Right::MaintainIndex) {
                form method="post" action="/system/index/rebuild" {
                    (frame.mark())
                    button type="submit" { "Rebuild" }
                    " " small { "Searches go on meanwhile, imports wait." }
                }
            }
        }
    }
}

/// "today", "yesterday", "12 days ago".
fn age(at: Timestamp, now: Timestamp) -> String {
    match now.0.saturating_sub(at.0) / Timestamp::MICROS_PER_DAY {
        days if days <= 0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn key_card(figures: &SystemFigures, private: &Private, findings: &[Finding], zone: Tz) -> Markup {
    let now = figures.now.wall;
    html! {
        section.card {
            h2 { "Keys" }
            dl.facts {
                dt { "Generation" } dd { (part::number(figures.generation)) }
                dt { "Ways to open" } dd { (part::number(figures.slots)) }
                dt { "Recovery key" }
                dd {
                    @match figures.recovery {
                        None => "none: without one there is no backup",
                        Some((made, tested)) => {
                            "made " (age(made, now)) " (" (part::time(made, zone, part::DAY)) ")"
                            @match tested {
                                Some(tested) => { ", typed in again " (age(tested, now)) },
                                None => ", never typed in again: it does not count yet",
                            }
                        },
                    }
                }
                @if let Some(keys) = &private.keys {
                    @for slot in &keys.slots {
                        dt { "Slot " (slot.number) } dd { (part::name(&slot.label)) }
                    }
                    dt { "Keys kept" } dd { (part::number(keys.keys.values().sum())) }
                    @if let Some(buckets) = keys.keys.get(&KeyKind::Bucket) {
                        dt { "Of messages" } dd { (part::number(*buckets)) }
                    }
                    dt { "Wraps" }
                    dd { (part::number(keys.wraps)) " of " (part::number(keys.wraps_max)) " until a rotation is due" }
                }
            }
            (found(findings, &["keys", "keyhold"]))
            p { small {
                "Ways in and rotations need a secret that opens the data, and are done on the host: "
                code { "wordkeep keys" }
            } }
        }
    }
}

fn backup_card(
    frame: &Frame,
    figures: &SystemFigures,
    private: &Private,
    findings: &[Finding],
    zone: Tz,
) -> Markup {
    let now = figures.now.wall;
    html! {
        section.card {
            h2 { "Backup" }
            dl.facts {
                dt { "Kept" } dd { (part::number(figures.backups)) }
                dt { "Newest" }
                dd {
                    @match figures.newest_backup {
                        Some(at) => { (part::time(at, zone, part::MINUTE)) ", " (age(at, now)) },
                        None => "none",
                    }
                }
                dt { "Last trial restore" }
                dd {
                    @match figures.drill {
                        Some((at, millis, sound)) => {
                            (part::time(at, zone, part::MINUTE)) ", " (part::number(millis)) " ms, "
                            @if sound { "sound" } @else { "something was broken" }
                        },
                        None => "none",
                    }
                }
            }
            @if !private.backups.is_empty() {
                ul.rows {
                    @for backup in &private.backups {
                        li {
                            (part::time(backup.created, zone, part::MINUTE)) " · "
                            (part::count(backup.messages, "message", "messages")) " · "
                            (megabytes(backup.bytes)) " · "
                            @if backup.is_there { "there" } @else { span.chip.warn { "not there now" } }
                        }
                    }
                }
            }
            (found(findings, &["backup", "drill", "escrow", "restored"]))
            @if frame.may(Right::ManageKeys) {
                form method="post" action="/system/backup" {
                    (frame.mark())
                    label.field {
                        span { "Directory on this server" }
                        input name="target" required spellcheck="false" autocomplete="off" dir="ltr"
                            placeholder="/mnt/backup/wordkeep" maxlength="1000";
                        small { "Outside the data directory, better on another disk." }
                    }
                    button type="submit" { "Make a backup" }
                }
            }
        }
    }
}

fn log_card(frame: &Frame, figures: &SystemFigures, findings: &[Finding]) -> Markup {
    html! {
        section.card {
            h2 { "Audit log" }
            dl.facts {
                dt { "Entries" } dd { (part::number(figures.entries)) }
                dt { "Signed" } dd { (part::number(figures.signed)) }
            }
            (found(findings, &["log", "freshness", "requests"]))
            p {
                a.button href="/audit/verify" { "Verify everything" }
                @if frame.may(Right::ReadAudit) { " " a.button href="/audit" { "Read it" } }
            }
        }
    }
}

fn clock_card(figures: &SystemFigures, findings: &[Finding], zone: Tz) -> Markup {
    let meaning = match figures.quality {
        Quality::Attested => "evidence stood behind it within the last day",
        Quality::FreeRunning => "it runs by the clocks of this computer",
        Quality::Gap => {
            "time passed that nothing proves: nothing is destroyed until two people say so"
        }
    };
    html! {
        section.card {
            h2 { "Clock" }
            dl.facts {
                dt { "Compliance time" } dd { (part::time(figures.now.compliance, zone, part::MINUTE)) }
                dt { "Wall clock" } dd { (part::time(figures.now.wall, zone, part::MINUTE)) }
                dt { "Zone" } dd { (zone.name()) }
                dt { "Quality" } dd { (figures.quality.name()) ": " (meaning) }
            }
            (found(findings, &["clock"]))
        }
    }
}

fn version_card(house: &House, findings: &[Finding]) -> Markup {
    use std::sync::atomic::Ordering::Relaxed;
    html! {
        section.card {
            h2 { "Program" }
            dl.facts {
                dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) }
                dt { "Answered" } dd { (part::number(house.answered.load(Relaxed))) }
                dt { "Refused" } dd { (part::number(house.refused.load(Relaxed))) }
                dt { "Failed" } dd { (part::number(house.failed.load(Relaxed))) }
            }
            (found(findings, &["configuration"]))
            p { a href="/jobs" { "Everything under way" } }
        }
    }
}

/// Starts something long and shows it.
fn begin(house: &House, who: &Who, title: &'static str, act: Act) -> Page {
    let appliance = house.appliance().ok_or_else(Refusal::sealed)?;
    let new = NewJob {
        id: appliance.mint_job(),
        owner: who.session.actor.no,
        title,
        stops: false,
    };
    let id = house.jobs.start(&appliance, new, act)?;
    Ok(Redirect::to(&format!("/jobs/{id}")).into_response())
}

async fn compare_index(State(house): State<Arc<House>>, who: Who) -> Page {
    let session = who.session.clone();
    let act: Act = Box::new(move |one, teller| {
        let (verdict, entry) = one.verify_index(&session, SAMPLE, &mut |done, of| {
            teller.tell("messages compared", done, of);
        })?;
        let mut result = match verdict.is_sound() {
            true => JobResult::new(Tone::Good, "The index agrees with the record."),
            false => JobResult::new(Tone::Bad, "The index differs from the record: rebuild it."),
        };
        result.facts = vec![
            ("Messages compared", part::number(verdict.messages)),
            ("Found by their own words", part::number(verdict.asked)),
            ("Waiting to be read", part::number(verdict.waiting)),
        ];
        let refused = verdict
            .refused
            .iter()
            .map(|(part, why)| format!("part {part}: {why}"));
        let differs = verdict.disagreements.iter().map(|differs| {
            format!(
                "messages {} to {}: {} in the record, {} in the index, or other words",
                differs.from, differs.until, differs.expected, differs.found
            )
        });
        let missed = verdict
            .missed
            .iter()
            .map(|no| format!("message {no} is not found by its own words"));
        let problems = verdict.damaged.iter().cloned().chain(refused);
        result.problems = problems
            .chain(differs)
            .chain(missed)
            .take(PROBLEMS)
            .collect();
        result.audit = Some(entry.seq);
        Ok(result)
    });
    begin(&house, &who, "Compare the index", act)
}

async fn rebuild_index(State(house): State<Arc<House>>, who: Who) -> Page {
    let session = who.session.clone();
    let act: Act = Box::new(move |one, teller| {
        let (rebuilt, entry) = one.rebuild_index(&session, &mut |done, of| {
            teller.tell("messages indexed", done, of);
        })?;
        let mut result = JobResult::new(Tone::Good, "The index was rebuilt from the record.");
        result.facts = vec![
            ("Messages", part::number(rebuilt.messages)),
            ("Parts", part::number(rebuilt.parts)),
        ];
        result.page = Some("/system".to_owned());
        result.audit = Some(entry.seq);
        Ok(result)
    });
    begin(&house, &who, "Rebuild the index", act)
}

#[derive(serde::Deserialize)]
struct Target {
    target: String,
}

async fn make_backup(
    State(house): State<Arc<House>>,
    who: Who,
    Posted(typed): Posted<Target>,
) -> Page {
    if let Some(first) = step_up::asked(&who, "/system") {
        return Ok(first);
    }
    let target = std::path::PathBuf::from(typed.target.trim());
    if !target.is_absolute() {
        return Err(Refusal::usage("Write the whole path, beginning with /."));
    }
    let session = who.session.clone();
    let act: Act = Box::new(move |one, teller| {
        let request = BackupRequest {
            target,
            escrow_targets: Vec::new(),
        };
        let made = one.create_backup(&session, &request, &mut |what, done, of| {
            teller.tell(what, done, of);
        });
        // What stands in the way is for whoever keeps the backups to read.
        let receipt = match made {
            Err(AppError::Configuration(text) | AppError::Io(text)) => {
                return Ok(JobResult::new(Tone::Bad, text));
            }
            made => made?,
        };
        let mut result =
            JobResult::new(Tone::Good, "The backup is whole, and its escrow replaced.");
        result.facts = vec![
            ("Backup", receipt.id.to_string()),
            ("Messages", part::number(receipt.made.counts.messages)),
            ("Length", megabytes(receipt.made.bytes)),
        ];
        result.page = Some("/system".to_owned());
        result.audit = Some(receipt.audit.seq);
        Ok(result)
    });
    begin(&house, &who, "Make a backup", act)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_is_said_first() {
        let finding = |standing| Finding {
            subject: "disk",
            standing,
            text: "x".to_owned(),
        };
        let good = overview(&[finding(Standing::Good)]).into_string();
        assert!(good.contains("in order"));
        let both = [finding(Standing::Warning), finding(Standing::Bad)];
        let bad = overview(&both).into_string();
        assert!(
            bad.contains("1 thing not safe") && bad.contains("1 to be changed"),
            "{bad}"
        );
        let shown = found(&both, &["disk"]).into_string();
        assert!(shown.contains("to change") && shown.contains(">bad<"));
    }

    #[test]
    fn ages_are_said_in_days() {
        let day = Timestamp::from_seconds;
        assert_eq!(age(day(100), day(200)), "today");
        assert_eq!(age(day(200), day(100)), "today");
        assert_eq!(age(day(0), day(86_400)), "yesterday");
        assert_eq!(age(day(0), day(12 * 86_400)), "12 days ago");
    }
}
