//! Notices of a hold as the lawyer sees them: custodians, what they were sent, who has not answered.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Hidden, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::import_report::download;
use super::{Page, notice_forms as forms, part, sso};
use crate::app::{
    Appliance, CustodianLine, Letter, LetterFor, NoticeLine, NoticeReport, NoticeStanding, Session,
};
use crate::audit::Appended;
use crate::domain::{CustodianId, HoldId, NoticeActKind, NoticeId, NoticeKind, Right, Timestamp};

const SEE: Access = Access::With(Right::ReadRules);
const ACT: Access = Access::With(Right::PlaceHolds);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/holds/{id}/notices", SEE, || get(report)),
    Route::post("/holds/{id}/notices", ACT, || post(issue)),
    Route::post("/holds/{id}/custodians", ACT, || post(add)),
    Route::get("/custodians/{id}", SEE, || get(show)),
    Route::post("/custodians/{id}", ACT, || post(change)),
    Route::get("/notices/overdue", SEE, || get(overdue)),
    Route::post("/notices/{id}/letter", ACT, || post(letter)),
    Route::post("/notices/{id}/remind", ACT, || post(remind)),
    Route::post("/notices/{id}/escalate", ACT, || post(escalate)),
    Route::post("/notices/{id}/file", ACT, || post(file)),
    Route::post("/notices/{id}/confirm", ACT, || post(confirm)),
    Route::post("/notices/{id}/withdraw", ACT, || post(withdraw)),
];

/// What the pages say after an act.
pub(super) const DONE: &[(&str, &str)] = &[
    (
        "named",
        "The custodian is named with the hold. Nothing was sent.",
    ),
    (
        "issued",
        "The notices are issued. Make the letters next: this house sends no mail itself.",
    ),
    ("changed", "It is corrected."),
    (
        "confirmed",
        "It is written down that the custodian confirmed the notice.",
    ),
    (
        "withdrawn",
        "The notice is called back, and its link is dead.",
    ),
];

/// The part of a hold's page: who is named with it, and how their notices stand.
pub(super) fn section(report: &NoticeReport, frame: &Frame, zone: Tz) -> Markup {
    let path = format!("/holds/{}/notices", report.hold);
    html! {
        section {
            h2 { "Custodians and notices" }
            @if report.custodians.is_empty() {
                p { "Nobody is named with this hold: nobody was told to keep anything." }
            } @else { (table(report, zone)) (figures(report)) }
            @if frame.may(Right::PlaceHolds) && !report.released {
                p {
                    a.button href={ (path) "#add" } { "Add custodian" } " "
                    @if !report.custodians.is_empty() {
                        a.button href={ (path) "#issue" } { "Issue notices…" } " "
                    }
                    a.button.quiet href=(path) { "Report" }
                }
            } @else { p { a.button.quiet href=(path) { "Report" } } }
        }
    }
}

fn figures(report: &NoticeReport) -> Markup {
    let count = |standing| part::number(report.count(standing));
    html! {
        p.aside {
            (count(NoticeStanding::Acknowledged)) " confirmed · "
            (count(NoticeStanding::Pending)) " pending · "
            (count(NoticeStanding::Overdue)) " overdue"
        }
    }
}

fn table(report: &NoticeReport, zone: Tz) -> Markup {
    html! {
        div.scroll {
            table.grid {
                thead { tr {
                    th scope="col" { "Custodian" } th scope="col" { "Notice" } th scope="col" { "Sent" }
                    th scope="col" { "Answer" } th scope="col" { "Last reminder" }
                    th scope="col" { "Escalated" } th scope="col" { "Seat" }
                } }
                tbody {
                    @for line in &report.custodians { (row(line, report.at, zone)) }
                }
            }
        }
    }
}

fn row(line: &CustodianLine, now: Timestamp, zone: Tz) -> Markup {
    let day = |at| part::time(at, zone, part::DAY);
    let current = line.current();
    let last = |kind| current.and_then(|notice| notice.last(kind));
    html! {
        tr {
            th scope="row" { a href={ "/custodians/" (line.id) } { (part::name(&line.name)) } }
            td {
                @match current {
                    _ if line.silent => "silent",
                    None => "none yet",
                    Some(notice) => { "v" (notice.text.version) " " (notice.text.language.tag()) }
                }
            }
            td { @if let Some(notice) = current { (day(notice.issued)) } @else { "–" } }
            td { @match current {
                Some(notice) => (answer(notice, now, zone)),
                None => "–",
            } }
            td { @if let Some(act) = last(NoticeActKind::Reminded) { (day(act.at)) } @else { "–" } }
            td {
                @if let Some(act) = last(NoticeActKind::Escalated) {
                    (part::name(&line.manager)) ", " (day(act.at))
                } @else { "–" }
            }
            td { @if line.seat.is_empty() { "–" } @else { (part::name(&line.seat)) } }
        }
    }
}

/// How a notice was answered, or for how long it waits.
fn answer(notice: &NoticeLine, now: Timestamp, zone: Tz) -> Markup {
    let waits = now.0.saturating_sub(notice.issued.0).max(0) / Timestamp::MICROS_PER_DAY;
    html! {
        @match notice.standing {
            NoticeStanding::Acknowledged => {
                span.chip.good {
                    "confirmed "
                    @if let Some(act) = notice.answer() { (part::time(act.at, zone, part::DAY)) }
                }
            }
            NoticeStanding::Pending => span.chip.warn { "pending " (waits) " d" },
            NoticeStanding::Overdue => {
                span.chip.bad {
                    "overdue " (waits) " d: "
                    @if notice.is_for_manager() { "tell the manager" } @else { "remind" }
                }
            }
            other => span.chip { (other.name()) },
        }
    }
}

fn hold_id(text: &str) -> Result<HoldId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

fn notice_id(text: &str) -> Result<NoticeId, Refusal> {
    text.parse().map_err(|_| Refusal::not_found())
}

async fn report(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
) -> Page {
    let page = Reported {
        did: Some(&did),
        ..Reported::of(hold_id(&id)?)
    };
    reported(&house, frame, &who, &page).await
}

/// What stands on the page of a report besides the report.
struct Reported<'a> {
    id: HoldId,
    did: Option<&'a Did>,
    custodian: forms::Custodian,
    order: Option<&'a forms::Order>,
    refusal: Option<&'a Refusal>,
}

impl Reported<'_> {
    fn of(id: HoldId) -> Self {
        Reported {
            id,
            did: None,
            custodian: forms::Custodian::default(),
            order: None,
            refusal: None,
        }
    }
}

async fn reported(house: &Arc<House>, frame: Frame, who: &Who, page: &Reported<'_>) -> Page {
    let (session, id) = (who.session.clone(), page.id);
    let report = house
        .ask(move |appliance| appliance.notice_report(&session, id))
        .await?;
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Matters, "Notices of a hold");
    let may = frame.may(Right::PlaceHolds) && !report.released;
    let content = html! {
        p { a.back href={ "/holds/" (id) } { "← " (part::name(&report.hold_name)) } }
        h1 { "Notices of " (part::name(&report.hold_name)) }
        p.aside {
            "Matter " (part::name(&report.matter)) " · as of " (part::time(report.at, zone, part::MINUTE))
            " · print this page, or save it as PDF, for the file"
        }
        @if let Some(did) = page.did { (did.notice(DONE)) }
        (form::refused(page.refusal))
        @if report.custodians.is_empty() {
            (part::empty("Nobody is named with this hold", "Custodians are the people who are told to keep what they have.", None))
        } @else {
            (table(&report, zone))
            (figures(&report))
            @for line in &report.custodians { (told(line, zone)) }
        }
        @if may {
            (forms::issue(&frame, &report, page.order))
            (forms::custodian(&frame, &format!("/holds/{id}/custodians"), &page.custodian, true))
            p { a href="/notices/templates" { "Templates of notices" } " · " a href="/notices/overdue" { "Overdue over all holds" } }
        }
    };
    Ok(form::again(&frame, &content, page.refusal))
}

/// Everything that was sent to one custodian, and what became of it.
fn told(line: &CustodianLine, zone: Tz) -> Markup {
    html! {
        @for notice in &line.notices {
            section.card {
                h2 {
                    (part::name(&line.name)) ": "
                    @if notice.kind == NoticeKind::Release { "release " } @else { "notice " }
                    "v" (notice.text.version)
                }
                (history(notice, zone))
            }
        }
    }
}

fn history(notice: &NoticeLine, zone: Tz) -> Markup {
    let minute = |at| part::time(at, zone, part::MINUTE);
    html! {
        ul.rows {
            li { (minute(notice.issued)) " issued by " (part::name(&notice.issued_by)) }
            @for act in &notice.acts {
                li {
                    (minute(act.at)) " " (act_words(act.kind))
                    @if let Some(by) = &act.by { " by " (part::name(by)) }
                    @if !act.reason.is_empty() { ": " (part::words(&act.reason)) }
                }
            }
        }
        p.aside {
            "Text v" (notice.text.version) " (" (notice.text.language.own_name()) ", template "
            (notice.text.template) "), SHA-256 " code { (notice.text.hash) }
        }
    }
}

const fn act_words(kind: NoticeActKind) -> &'static str {
    match kind {
        NoticeActKind::Letter => "letter made",
        NoticeActKind::ReminderDue => "a reminder is due",
        NoticeActKind::EscalationDue => "the manager is to be told",
        NoticeActKind::Reminded => "reminded",
        NoticeActKind::Escalated => "manager told",
        NoticeActKind::Acknowledged => "confirmed by the custodian",
        NoticeActKind::AcknowledgedFor => "confirmation written down",
        NoticeActKind::Withdrawn => "called back",
    }
}

async fn issue(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<forms::Order>,
) -> Page {
    let id = hold_id(&id)?;
    let session = who.session.clone();
    let issued = match typed.order(id) {
        Err(refusal) => Err(refusal),
        Ok(order) => {
            house
                .ask(move |appliance| appliance.issue_notices(&session, &order))
                .await
        }
    };
    let entry = issued.and_then(|issued| {
        issued.audit.ok_or_else(|| {
            Refusal::usage("Everybody who is not silent has these words already: nothing was sent.")
        })
    });
    match entry {
        Ok(entry) => Ok(form::after(
            &format!("/holds/{id}/notices"),
            "issued",
            entry.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let page = Reported {
                order: Some(&typed),
                refusal: Some(&refusal),
                ..Reported::of(id)
            };
            reported(&house, frame, &who, &page).await
        }
    }
}

async fn add(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<forms::Custodian>,
) -> Page {
    let id = hold_id(&id)?;
    let session = who.session.clone();
    let added = match typed.custodian() {
        Err(refusal) => Err(refusal),
        Ok(new) => {
            house
                .ask(move |appliance| appliance.add_custodian(&session, id, &new))
                .await
        }
    };
    match added {
        Ok((_, audit)) => Ok(form::after(
            &format!("/holds/{id}/notices"),
            "named",
            audit.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let page = Reported {
                custodian: typed,
                refusal: Some(&refusal),
                ..Reported::of(id)
            };
            reported(&house, frame, &who, &page).await
        }
    }
}

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
) -> Page {
    let id: CustodianId = id.parse().map_err(|_| Refusal::not_found())?;
    let line = load(&house, &who, id).await?;
    shown(&house, frame, &line, Some(&did), None).await
}

async fn load(house: &House, who: &Who, id: CustodianId) -> Result<CustodianLine, Refusal> {
    let session = who.session.clone();
    house
        .ask(move |appliance| appliance.custodian(&session, id))
        .await
}

async fn shown(
    house: &Arc<House>,
    frame: Frame,
    line: &CustodianLine,
    did: Option<&Did>,
    refusal: Option<&Refusal>,
) -> Page {
    let zone = form::zone(house).await?;
    let frame = frame.at(Section::Matters, "Custodian");
    let may = frame.may(Right::PlaceHolds);
    let content = html! {
        p { a.back href={ "/holds/" (line.hold) "/notices" } { "← Notices of the hold" } }
        h1 { (part::name(&line.name)) }
        @if let Some(did) = did { (did.notice(DONE)) }
        (form::refused(refusal))
        (facts(line))
        @for notice in line.notices.iter().rev() { (one(&frame, line, notice, zone)) }
        @if line.notices.is_empty() && !line.silent {
            p { "Nothing was sent yet." }
        }
        @if may {
            (forms::custodian(&frame, &format!("/custodians/{}", line.id), &forms::Custodian::of(line), false))
        }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn facts(line: &CustodianLine) -> Markup {
    let or_none = |text: &str| html! { @if text.is_empty() { "–" } @else { (part::name(text)) } };
    html! {
        dl.facts {
            dt { "Language" } dd { (line.language.own_name()) }
            dt { "Address" } dd { (or_none(&line.address)) }
            dt { "Seat" } dd { (or_none(&line.seat)) }
            dt { "Manager" } dd { (or_none(&line.manager)) " " (or_none(&line.manager_address)) }
            @if line.silent { dt { "Silent" } dd { "Known to counsel alone: they are sent nothing." } }
            dt { "Number" } dd { code { (line.id) } }
        }
    }
}

/// One notice with its words, its history and what can be done about it.
fn one(frame: &Frame, line: &CustodianLine, notice: &NoticeLine, zone: Tz) -> Markup {
    let waits = matches!(
        notice.standing,
        NoticeStanding::Pending | NoticeStanding::Overdue
    );
    html! {
        section.card {
            h2 {
                @if notice.kind == NoticeKind::Release { "Release " } @else { "Notice " }
                "v" (notice.text.version) " " span.chip { (notice.standing.name()) }
            }
            details {
                summary { (part::name(&notice.text.subject)) }
                p dir="auto" { (part::words(&notice.text.body)) }
            }
            (history(notice, zone))
            @if let Some(ends) = notice.link_ends {
                p.aside { "Its link opens it until " (part::time(ends, zone, part::DAY)) "." }
            }
            @if frame.may(Right::PlaceHolds) && notice.standing != NoticeStanding::Withdrawn {
                (forms::acts(frame, line, notice, waits))
            }
        }
    }
}

async fn change(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(typed): Posted<forms::Custodian>,
) -> Page {
    let id: CustodianId = id.parse().map_err(|_| Refusal::not_found())?;
    let session = who.session.clone();
    let changed = match typed.custodian() {
        Err(refusal) => Err(refusal),
        Ok(new) => {
            house
                .ask(move |one| one.change_custodian(&session, id, &new))
                .await
        }
    };
    match changed {
        Ok(audit) => Ok(form::after(
            &format!("/custodians/{id}"),
            "changed",
            audit.seq,
        )),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            let line = load(&house, &who, id).await?;
            shown(&house, frame, &line, None, Some(&refusal)).await
        }
    }
}

async fn overdue(State(house): State<Arc<House>>, frame: Frame, who: Who) -> Page {
    let session = who.session.clone();
    let (lines, now) = house
        .ask(move |one| Ok((one.overdue_notices(&session)?, one.now().compliance)))
        .await?;
    let zone = form::zone(&house).await?;
    let content = html! {
        p { a.back href="/matters" { "← Matters" } }
        h1 { "Overdue notices" }
        @if lines.is_empty() {
            (part::empty("Nobody is overdue", "Whoever does not confirm a notice in its days stands here.", None))
        } @else {
            div.scroll { table.grid {
                thead { tr {
                    th scope="col" { "Custodian" } th scope="col" { "Hold" } th scope="col" { "Sent" }
                    th scope="col" { "Answer" }
                } }
                tbody {
                    @for line in &lines { tr {
                        th scope="row" {
                            a href={ "/custodians/" (line.custodian.id) } { (part::name(&line.custodian.name)) }
                        }
                        td { a href={ "/holds/" (line.custodian.hold) } { (part::name(&line.hold_name)) } }
                        td { (part::time(line.notice.issued, zone, part::DAY)) }
                        td { (answer(&line.notice, now, zone)) }
                    } }
                }
            } }
        }
    };
    Ok(frame.at(Section::Matters, "Overdue notices").page(&content))
}

/// Makes a letter, shows it once with its link, and gives it as a file.
async fn written(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    headers: &HeaderMap,
    id: &str,
    make: impl FnOnce(&Appliance, &Session, NoticeId) -> crate::app::Result<(Letter, Appended)>
    + Send
    + 'static,
) -> Page {
    let id = notice_id(id)?;
    let origin = sso::origin(house, headers)?;
    let session = who.session.clone();
    match house.ask(move |one| make(one, &session, id)).await {
        Ok((letter, audit)) => Ok(forms::letter(&frame, &letter, &origin, &audit)),
        Err(refusal) => told_why(house, frame, who, id, refusal).await,
    }
}

async fn told_why(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    id: NoticeId,
    refusal: Refusal,
) -> Page {
    let refusal = form::at_its_place(refusal)?;
    let session = who.session.clone();
    let line = house
        .ask(move |one| one.custodian_of_notice(&session, id))
        .await?;
    shown(house, frame, &line, None, Some(&refusal)).await
}

async fn letter(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Page {
    written(&house, frame, &who, &headers, &id, Appliance::make_letter).await
}

async fn remind(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Page {
    written(&house, frame, &who, &headers, &id, Appliance::remind_notice).await
}

async fn escalate(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Page {
    written(
        &house,
        frame,
        &who,
        &headers,
        &id,
        Appliance::escalate_notice,
    )
    .await
}

#[derive(Deserialize)]
struct Wanted {
    what: String,
    token: Hidden,
}

async fn file(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Path(id): Path<String>,
    Posted(wanted): Posted<Wanted>,
) -> Page {
    let id = notice_id(&id)?;
    let what = LetterFor::from_name(&wanted.what).ok_or_else(Refusal::not_found)?;
    let origin = sso::origin(&house, &headers)?;
    let letter = house
        .ask(move |one| one.letter_again(&who.session, id, what, &wanted.token))
        .await?;
    let name = format!("{}-{id}.eml", what.name());
    Ok(download(&name, "message/rfc822", letter.eml(&origin)))
}

#[derive(Default, Deserialize)]
struct Why {
    #[serde(default)]
    reason: String,
}

async fn ended(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    id: &str,
    did: &str,
    act: impl FnOnce(&Appliance, &Session, NoticeId) -> crate::app::Result<Appended> + Send + 'static,
) -> Result<Response, Refusal> {
    let id = notice_id(id)?;
    let session = who.session.clone();
    match house.ask(move |one| act(one, &session, id)).await {
        Ok(audit) => {
            let session = who.session.clone();
            let line = house
                .ask(move |one| one.custodian_of_notice(&session, id))
                .await?;
            Ok(form::after(
                &format!("/custodians/{}", line.id),
                did,
                audit.seq,
            ))
        }
        Err(refusal) => told_why(house, frame, who, id, refusal).await,
    }
}

async fn confirm(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(why): Posted<Why>,
) -> Page {
    ended(
        &house,
        frame,
        &who,
        &id,
        "confirmed",
        move |one, session, id| one.confirm_notice_for(session, id, &why.reason),
    )
    .await
}

async fn withdraw(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Posted(why): Posted<Why>,
) -> Page {
    ended(
        &house,
        frame,
        &who,
        &id,
        "withdrawn",
        move |one, session, id| one.withdraw_notice(session, id, &why.reason),
    )
    .await
}
