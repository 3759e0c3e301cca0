//! Notices of holds: custodians named, notices issued, letters made, answers written down.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::routing::{get, patch, post};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::guard::Who;
use super::super::house::House;
use super::super::page::sso::origin;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::json::{Answer, Given, Instant, Named, answer, id, read};
use super::operation::{Gives, Operation, Shape};
use super::paging::Paged;
use super::state::{Seen, tagged, tagged_as};
use crate::app::{
    Appliance, CustodianLine, LetterFor, NewCustodian, NoticeLine, NoticeOrder, NoticeTemplate,
    OverdueLine, REMIND_DAYS, Session,
};
use crate::domain::{ApiScope, NoticeId, NoticeKind, NoticeLanguage, Right};

const TOPIC: &str = "Notices";
const SEE: Access = Access::With(Right::ReadRules);
const ACT: Access = Access::With(Right::PlaceHolds);

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/api/v1/holds/{id}/notices", SEE, || get(report)).doing(Operation::read(
        TOPIC,
        "listNotices",
        "Lists everybody named with a hold, with what they were sent and what became of it",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Custodian>()),
    )),
    Route::post("/api/v1/holds/{id}/custodians", ACT, || post(name)).doing(
        Operation::read(
            TOPIC,
            "addCustodian",
            "Names somebody with a hold; nothing is sent by this",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Custodian>()),
        )
        .starting(Shape::of::<CustodianOrder>()),
    ),
    Route::post("/api/v1/holds/{id}/notices", ACT, || post(issue)).doing(
        Operation::read(
            TOPIC,
            "issueNotices",
            "Issues notices to custodians who have not got these words; who is silent gets none",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Issued>()),
        )
        .starting(Shape::of::<IssueOrder>()),
    ),
    Route::get("/api/v1/notices", SEE, || get(overdue)).doing(Operation::read(
        TOPIC,
        "listOverdueNotices",
        "Lists the notices, over all holds, that wait for an answer too long",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Overdue>()),
    )),
    Route::get("/api/v1/notices/{id}", SEE, || get(show)).doing(Operation::read(
        TOPIC,
        "showNotice",
        "Shows a notice with its words",
        ApiScope::PolicyRead,
        Gives::One(Shape::of::<Notice>()),
    )),
    Route::new(Method::PATCH, "/api/v1/notices/{id}", ACT, || patch(end)).doing(
        Operation::read(
            TOPIC,
            "endNotice",
            "Writes down that a custodian confirmed a notice, or calls it back",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Notice>()),
        )
        .changing(Some(Shape::of::<NoticeEnd>())),
    ),
    Route::post("/api/v1/notices/{id}/letters", ACT, || post(letter)).doing(
        Operation::read(
            TOPIC,
            "makeLetter",
            "Makes a letter with a new link: the notice, a reminder, or one to the manager",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<Letter>()),
        )
        .starting(Shape::of::<LetterOrder>()),
    ),
    Route::get("/api/v1/notice-templates", SEE, || get(templates)).doing(Operation::read(
        TOPIC,
        "listNoticeTemplates",
        "Lists the newest version of every template",
        ApiScope::PolicyRead,
        Gives::Page(Shape::of::<Template>()),
    )),
    Route::post("/api/v1/notice-templates", ACT, || post(write)).doing(
        Operation::read(
            TOPIC,
            "writeNoticeTemplate",
            "Writes the next version of a template; what was sent stays as it was",
            ApiScope::HoldWrite,
            Gives::One(Shape::of::<TemplateWritten>()),
        )
        .starting(Shape::of::<TemplateOrder>()),
    ),
];

/// Somebody to be named with a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CustodianOrder {
    name: String,
    /// en, pt, es, de or ar; en when absent.
    #[serde(default)]
    language: String,
    #[serde(default)]
    address: String,
    /// Seat or handle.
    #[serde(default)]
    seat: String,
    /// Who is told when reminders are of no use.
    #[serde(default)]
    manager: String,
    #[serde(default)]
    manager_address: String,
    /// Known to counsel alone, and sent nothing.
    #[serde(default)]
    silent: bool,
}

/// Somebody named with a hold.
#[derive(Serialize, ToSchema)]
struct Custodian {
    id: String,
    hold: String,
    name: String,
    language: &'static str,
    address: String,
    seat: String,
    manager: String,
    manager_address: String,
    silent: bool,
    added: Instant,
    /// Oldest first.
    notices: Vec<Notice>,
}

/// A notice that was sent to a custodian.
#[derive(Serialize, ToSchema)]
struct Notice {
    id: String,
    /// hold or release.
    kind: &'static str,
    /// sent, pending, overdue, acknowledged, withdrawn or ended.
    state: &'static str,
    language: &'static str,
    /// Version of the words, and of the template they were made from.
    version: u32,
    template: u32,
    /// SHA-256 of language, subject and body.
    text: String,
    subject: String,
    body: String,
    issued: Instant,
    /// Days without an answer after which a reminder is due.
    remind_days: u16,
    /// Until when its link opens it; null when there is none.
    link_ends: Option<Instant>,
    acts: Vec<NoticeDeed>,
}

/// Something that became of a notice.
#[derive(Serialize, ToSchema)]
struct NoticeDeed {
    /// letter, reminder_due, escalation_due, reminded, escalated, acknowledged, acknowledged_for or
    /// withdrawn.
    kind: &'static str,
    at: Instant,
    /// Login of who did it; null: the custodian, or the house itself.
    by: Option<String>,
    reason: String,
}

/// What is to be sent.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct IssueOrder {
    /// What must be kept, in words that custodians understand.
    keep: String,
    /// Whom to ask.
    contact: String,
    /// Ids of custodians; everybody who is not silent when absent.
    #[serde(default)]
    custodians: Vec<String>,
    /// Days without an answer after which a reminder is due; 7 when absent.
    #[serde(default)]
    remind_days: Option<u16>,
}

/// What was sent.
#[derive(Serialize, ToSchema)]
struct Issued {
    /// Ids of the new notices.
    issued: Vec<String>,
    /// Custodians who had these words already.
    current: usize,
    /// Custodians who are silent and were sent nothing.
    silent: usize,
    /// Number of the last entry in the audit log; null when nothing was sent.
    audit: Option<u64>,
}

/// A notice that waits too long.
#[derive(Serialize, ToSchema)]
struct Overdue {
    hold: String,
    custodian: String,
    name: String,
    /// reminder or escalation.
    next: &'static str,
    notice: Notice,
}

/// What becomes of a notice.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoticeEnd {
    /// acknowledged or withdrawn.
    state: String,
    /// How it was confirmed, or why it is called back.
    reason: String,
}

/// A letter as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LetterOrder {
    /// notice, reminder or escalation.
    what: String,
}

/// A letter. Its link is told this once; the one before is dead.
#[derive(Serialize, ToSchema)]
struct Letter {
    to: String,
    address: String,
    subject: String,
    /// All of it, with the link at its end.
    text: String,
    /// The address that opens the notice; null where a letter has none.
    link: Option<String>,
    /// A message for a mail program (RFC 5322).
    eml: String,
    /// Number of the entry in the audit log.
    audit: u64,
}

/// A template.
#[derive(Serialize, ToSchema)]
struct Template {
    /// hold, release, reminder or escalation.
    kind: &'static str,
    language: &'static str,
    /// 1 is the program's own.
    version: u32,
    subject: String,
    body: String,
    /// SHA-256 of language, subject and body.
    text: String,
}

/// A template as asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TemplateOrder {
    /// hold, release, reminder or escalation.
    kind: String,
    language: String,
    /// With fields in braces.
    subject: String,
    /// With fields in braces: matter, hold, keep, contact; custodian and date where somebody is reminded.
    body: String,
}

/// A version that was written.
#[derive(Serialize, ToSchema)]
struct TemplateWritten {
    version: u32,
    /// Number of the entry in the audit log.
    audit: u64,
}

async fn report(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Asked(paged): Asked<Paged>,
) -> Answer {
    let hold = id(&name)?;
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.notice_report(&who.session, hold)?.custodians;
            let place = |line: &CustodianLine| line.id.0;
            paged.page(appliance, &who.session, "notices", lines, place, custodian)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn name(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Given(order): Given<CustodianOrder>,
) -> Answer {
    let hold = id(&name)?;
    let new = NewCustodian {
        language: match order.language.as_str() {
            "" => NoticeLanguage::English,
            tag => language(tag)?,
        },
        name: order.name,
        address: order.address,
        seat: order.seat,
        manager: order.manager,
        manager_address: order.manager_address,
        silent: order.silent,
    };
    let named = house
        .try_ask(move |appliance| {
            let (id, _) = appliance.add_custodian(&who.session, hold, &new)?;
            Ok(custodian(&appliance.custodian(&who.session, id)?))
        })
        .await?;
    tagged_as(StatusCode::CREATED, &named)
}

async fn issue(
    State(house): State<Arc<House>>,
    who: Who,
    Named(name): Named<String>,
    Given(order): Given<IssueOrder>,
) -> Answer {
    let custodians = order.custodians.iter().map(|id| read("custodians", id));
    let order = NoticeOrder {
        hold: id(&name)?,
        custodians: custodians.collect::<Result<_, _>>()?,
        keep: order.keep,
        contact: order.contact,
        remind_days: order.remind_days.unwrap_or(REMIND_DAYS),
    };
    let issued = house
        .ask(move |appliance| appliance.issue_notices(&who.session, &order))
        .await?;
    let shown = Issued {
        issued: issued.issued.iter().map(ToString::to_string).collect(),
        current: issued.current,
        silent: issued.silent,
        audit: issued.audit.map(|entry| entry.seq.0),
    };
    answer(StatusCode::CREATED, &shown)
}

async fn overdue(State(house): State<Arc<House>>, who: Who, Asked(paged): Asked<Paged>) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.overdue_notices(&who.session)?;
            let place = |line: &OverdueLine| line.notice.id.0;
            let show = |line: &OverdueLine| Overdue {
                hold: line.custodian.hold.to_string(),
                custodian: line.custodian.id.to_string(),
                name: line.custodian.name.clone(),
                next: match line.notice.is_for_manager() {
                    true => "escalation",
                    false => "reminder",
                },
                notice: notice(&line.notice),
            };
            paged.page(appliance, &who.session, "overdue", lines, place, show)
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn show(State(house): State<Arc<House>>, who: Who, Named(name): Named<String>) -> Answer {
    let wanted = id(&name)?;
    let found = house
        .try_ask(move |appliance| one(appliance, &who.session, wanted))
        .await?;
    tagged(&found)
}

async fn end(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(end): Given<NoticeEnd>,
) -> Answer {
    let (seen, wanted) = (Seen::read(&headers)?, id(&name)?);
    let ended = house
        .try_change(move |appliance| {
            let session = &who.session;
            seen.check(&one(appliance, session, wanted)?)?;
            match end.state.as_str() {
                "acknowledged" => appliance.confirm_notice_for(session, wanted, &end.reason)?,
                "withdrawn" => appliance.withdraw_notice(session, wanted, &end.reason)?,
                _ => {
                    return Err(Refusal::usage("\"state\" is acknowledged or withdrawn."));
                }
            };
            one(appliance, session, wanted)
        })
        .await?;
    tagged(&ended)
}

async fn letter(
    State(house): State<Arc<House>>,
    who: Who,
    headers: HeaderMap,
    Named(name): Named<String>,
    Given(order): Given<LetterOrder>,
) -> Answer {
    let wanted = id(&name)?;
    let what = LetterFor::from_name(&order.what)
        .ok_or_else(|| Refusal::usage("\"what\" is notice, reminder or escalation."))?;
    let origin = origin(&house, &headers)?;
    let (letter, entry) = house
        .ask(move |appliance| match what {
            LetterFor::Notice => appliance.make_letter(&who.session, wanted),
            LetterFor::Reminder => appliance.remind_notice(&who.session, wanted),
            LetterFor::Escalation => appliance.escalate_notice(&who.session, wanted),
        })
        .await?;
    let shown = Letter {
        text: letter.text(&origin),
        link: letter.link(&origin),
        eml: String::from_utf8_lossy(&letter.eml(&origin)).into_owned(),
        to: letter.to,
        address: letter.address,
        subject: letter.subject,
        audit: entry.seq.0,
    };
    answer(StatusCode::CREATED, &shown)
}

async fn templates(
    State(house): State<Arc<House>>,
    who: Who,
    Asked(paged): Asked<Paged>,
) -> Answer {
    let page = house
        .try_ask(move |appliance| {
            let lines = appliance.notice_templates(&who.session)?;
            let place = |one: &NoticeTemplate| (one.kind as u128) << 8 | one.language as u128;
            let show = |one: &NoticeTemplate| Template {
                kind: one.kind.name(),
                language: one.language.tag(),
                version: one.version,
                subject: one.subject.clone(),
                body: one.body.clone(),
                text: one.hash.clone(),
            };
            paged.page(
                appliance,
                &who.session,
                "notice-templates",
                lines,
                place,
                show,
            )
        })
        .await?;
    answer(StatusCode::OK, &page)
}

async fn write(
    State(house): State<Arc<House>>,
    who: Who,
    Given(order): Given<TemplateOrder>,
) -> Answer {
    let kind = NoticeKind::from_name(&order.kind)
        .ok_or_else(|| Refusal::usage("\"kind\" is hold, release, reminder or escalation."))?;
    let language = language(&order.language)?;
    let (version, entry) = house
        .ask(move |appliance| {
            let (subject, body) = (&order.subject, &order.body);
            appliance.write_notice_template(&who.session, kind, language, subject, body)
        })
        .await?;
    let audit = entry.seq.0;
    answer(StatusCode::CREATED, &TemplateWritten { version, audit })
}

fn language(tag: &str) -> Result<NoticeLanguage, Refusal> {
    NoticeLanguage::from_tag(tag).ok_or_else(|| {
        let tags = NoticeLanguage::ALL.map(NoticeLanguage::tag).join(", ");
        Refusal::usage(format!("\"language\" is one of {tags}."))
    })
}

fn one(appliance: &Appliance, session: &Session, id: NoticeId) -> Result<Notice, Refusal> {
    let line = appliance.custodian_of_notice(session, id)?;
    let found = line.notices.iter().find(|notice| notice.id == id);
    found.map(notice).ok_or_else(Refusal::not_found)
}

fn custodian(line: &CustodianLine) -> Custodian {
    Custodian {
        id: line.id.to_string(),
        hold: line.hold.to_string(),
        name: line.name.clone(),
        language: line.language.tag(),
        address: line.address.clone(),
        seat: line.seat.clone(),
        manager: line.manager.clone(),
        manager_address: line.manager_address.clone(),
        silent: line.silent,
        added: Instant(line.added),
        notices: line.notices.iter().map(notice).collect(),
    }
}

fn notice(line: &NoticeLine) -> Notice {
    Notice {
        id: line.id.to_string(),
        kind: line.kind.name(),
        state: line.standing.name(),
        language: line.text.language.tag(),
        version: line.text.version,
        template: line.text.template,
        text: line.text.hash.clone(),
        subject: line.text.subject.clone(),
        body: line.text.body.clone(),
        issued: Instant(line.issued),
        remind_days: line.remind_days,
        link_ends: line.link_ends.map(Instant),
        acts: line
            .acts
            .iter()
            .map(|act| NoticeDeed {
                kind: act.kind.name(),
                at: Instant(act.at),
                by: act.by.clone(),
                reason: act.reason.clone(),
            })
            .collect(),
    }
}
