//! The forms of notices, the letter they lead to, and the templates.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::{self, Did};
use super::frame::{Frame, Section};
use super::{Page, part};
use crate::app::{
    CustodianLine, Letter, NewCustodian, NoticeLine, NoticeOrder, NoticeReport, NoticeTemplate,
    REMIND_DAYS, REMIND_DAYS_MAX, TEXT_CHARS_MAX,
};
use crate::audit::Appended;
use crate::domain::{HoldId, NoticeKind, NoticeLanguage, Right};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/notices/templates", Access::With(Right::ReadRules), || {
        get(templates)
    }),
    Route::post(
        "/notices/templates",
        Access::With(Right::PlaceHolds),
        || post(write),
    ),
];

/// A custodian as typed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Custodian {
    #[serde(default)]
    name: String,
    #[serde(default)]
    language: String,
    #[serde(default)]
    address: String,
    #[serde(default)]
    seat: String,
    #[serde(default)]
    manager: String,
    #[serde(default)]
    manager_address: String,
    #[serde(default)]
    silent: String,
}

impl Custodian {
    /// What is known of somebody, to be corrected.
    pub(super) fn of(line: &CustodianLine) -> Custodian {
        Custodian {
            name: line.name.clone(),
            language: line.language.tag().to_owned(),
            address: line.address.clone(),
            seat: line.seat.clone(),
            manager: line.manager.clone(),
            manager_address: line.manager_address.clone(),
            silent: if line.silent { "yes" } else { "" }.to_owned(),
        }
    }

    pub(super) fn custodian(&self) -> Result<NewCustodian, Refusal> {
        Ok(NewCustodian {
            name: self.name.clone(),
            language: language_of(&self.language)?,
            address: self.address.clone(),
            seat: self.seat.clone(),
            manager: self.manager.clone(),
            manager_address: self.manager_address.clone(),
            silent: !self.silent.is_empty(),
        })
    }
}

fn language_of(tag: &str) -> Result<NoticeLanguage, Refusal> {
    match tag.trim() {
        "" => Ok(NoticeLanguage::English),
        tag => NoticeLanguage::from_tag(tag)
            .ok_or_else(|| Refusal::usage("There are no notices in this language.")),
    }
}

/// What is to be sent, as typed.
#[derive(Clone, Default, Deserialize)]
pub(super) struct Order {
    #[serde(default)]
    keep: String,
    #[serde(default)]
    contact: String,
    #[serde(default)]
    days: String,
}

impl Order {
    pub(super) fn order(&self, hold: HoldId) -> Result<NoticeOrder, Refusal> {
        let remind_days = match self.days.trim() {
            "" => REMIND_DAYS,
            text => text
                .parse()
                .map_err(|_| Refusal::usage("The days until a reminder are a whole number."))?,
        };
        Ok(NoticeOrder {
            hold,
            custodians: Vec::new(),
            keep: self.keep.clone(),
            contact: self.contact.clone(),
            remind_days,
        })
    }
}

fn languages(chosen: &str) -> Markup {
    html! {
        select name="language" {
            @for language in NoticeLanguage::ALL {
                option value=(language.tag()) lang=(language.tag()) selected[language.tag() == chosen] {
                    (language.own_name())
                }
            }
        }
    }
}

fn text(name: &str, label: &str, value: &str, hint: &str) -> Markup {
    html! {
        label.field {
            span { (label) }
            input name=(name) value=(value) required[name == "name"] dir="auto" autocomplete="off"
                maxlength="200";
            @if !hint.is_empty() { small { (hint) } }
        }
    }
}

/// The form of a custodian: a new one, or one to be corrected.
pub(super) fn custodian(frame: &Frame, path: &str, typed: &Custodian, is_new: bool) -> Markup {
    html! {
        section.card id=[is_new.then_some("add")] {
            h2 { @if is_new { "Add custodian" } @else { "Correct what is known" } }
            form method="post" action=(path) {
                (frame.mark())
                (text("name", "Name", &typed.name, ""))
                label.field { span { "Language" } (languages(&typed.language)) }
                (text("address", "E-mail address", &typed.address, "Without one the letter is printed."))
                (text("seat", "Seat or handle", &typed.seat, ""))
                (text("manager", "Manager", &typed.manager, "Told when reminders are of no use."))
                (text("manager_address", "E-mail address of the manager", &typed.manager_address, ""))
                label.check {
                    input type="checkbox" name="silent" value="yes" checked[!typed.silent.is_empty()];
                    span { "Silent: known to counsel alone, and sent nothing" }
                }
                button.primary[is_new] type="submit" { @if is_new { "Add" } @else { "Correct" } }
            }
        }
    }
}

/// The form that issues notices.
pub(super) fn issue(frame: &Frame, report: &NoticeReport, typed: Option<&Order>) -> Markup {
    let last = report.last_text();
    let first = Order {
        keep: last.map(|text| text.keep.clone()).unwrap_or_default(),
        contact: last.map(|text| text.contact.clone()).unwrap_or_default(),
        days: REMIND_DAYS.to_string(),
    };
    let typed = typed.unwrap_or(&first);
    let waiting = report.custodians.iter().filter(|line| !line.silent).count();
    html! {
        @if waiting > 0 {
            section.card #issue {
                h2 { "Issue notices" }
                p {
                    "Everybody named with the hold who has not got these words gets them; who is silent \
                     gets nothing. Changed words are a new version, and wait for a new answer."
                }
                form method="post" action={ "/holds/" (report.hold) "/notices" } {
                    (frame.mark())
                    label.field {
                        span { "What must be kept" }
                        textarea name="keep" rows="3" required maxlength="2000" dir="auto" { (typed.keep) }
                        small { "In words that custodians understand; it is part of the notice." }
                    }
                    label.field {
                        span { "Whom to ask" }
                        input name="contact" value=(typed.contact) required maxlength="200" dir="auto"
                            autocomplete="off";
                    }
                    label.field {
                        span { "Days until a reminder is due" }
                        input type="number" name="days" min="1" max=(REMIND_DAYS_MAX) value=(typed.days);
                    }
                    button.primary type="submit" { "Issue notices" }
                }
            }
        }
    }
}

/// What can be done about a notice.
pub(super) fn acts(
    frame: &Frame,
    line: &CustodianLine,
    notice: &NoticeLine,
    waits: bool,
) -> Markup {
    let path = format!("/notices/{}", notice.id);
    let button = |act: &str, words: &str| {
        html! {
            form.inline method="post" action={ (path) "/" (act) } {
                (frame.mark())
                button type="submit" { (words) }
            }
        }
    };
    let reasoned = |act: &str, title: &str, words: &str, hint: &str| {
        html! {
            details {
                summary { (title) }
                form method="post" action={ (path) "/" (act) } {
                    (frame.mark())
                    (form::reason(""))
                    p { small { (hint) } }
                    button type="submit" { (words) }
                }
            }
        }
    };
    html! {
        div.inline {
            (button("letter", "Make the letter"))
            @if waits {
                (button("remind", "Send reminder"))
                @if !line.manager.is_empty() { (button("escalate", "Tell the manager")) }
            }
        }
        @if waits {
            (reasoned("confirm", "Confirmed otherwise…", "Write it down",
                "How the custodian confirmed it: on paper, by word. Its link is dead then."))
            (reasoned("withdraw", "Call it back…", "Call it back", "Its link is dead at once."))
        }
        @if notice.kind == NoticeKind::Hold {
            p { small { "A letter has a new link; the one before is dead then." } }
        }
    }
}

/// A letter, shown once: to be printed, or taken as a file.
pub(super) fn letter(frame: &Frame, letter: &Letter, origin: &str, audit: &Appended) -> Response {
    let frame = frame.clone().at(Section::Matters, "Letter");
    let (language, path) = (letter.language, format!("/notices/{}/file", letter.notice));
    let content = html! {
        (part::done("The letter is made. Nothing was sent: print it, or open the file in a mail program.", audit.seq))
        section.card {
            h1 lang=(language.tag()) { (part::name(&letter.subject)) }
            p { (part::name(&letter.to)) " " @if !letter.address.is_empty() { (part::name(&letter.address)) } }
            div lang=(language.tag()) dir=(if language.is_rtl() { "rtl" } else { "ltr" }) {
                p { (part::words(&letter.text(origin))) }
            }
        }
        form method="post" action=(path) {
            (frame.mark())
            input type="hidden" name="what" value=(letter.what.name());
            input type="hidden" name="token" value=(letter.token);
            button.primary type="submit" { "Take as e-mail file" }
            @if !letter.token.is_empty() {
                p { small { "Its link is shown this once; a new letter has a new one." } }
            }
        }
    };
    frame.page(&content)
}

/// A template as typed.
#[derive(Clone, Default, Deserialize)]
struct Typed {
    kind: String,
    language: String,
    subject: String,
    body: String,
}

async fn templates(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(did): Asked<Did>,
) -> Page {
    listed(&house, frame, &who, Some(&did), None, None).await
}

async fn listed(
    house: &Arc<House>,
    frame: Frame,
    who: &Who,
    did: Option<&Did>,
    typed: Option<&Typed>,
    refusal: Option<&Refusal>,
) -> Page {
    let session = who.session.clone();
    let templates = house.ask(move |one| one.notice_templates(&session)).await?;
    let frame = frame.at(Section::Matters, "Templates of notices");
    let may = frame.may(Right::PlaceHolds);
    let content = html! {
        p { a.back href="/matters" { "← Matters" } }
        h1 { "Templates of notices" }
        @if let Some(did) = did { (did.notice(&[("written", "The template has a new version. What was sent stays as it was.")])) }
        (form::refused(refusal))
        p {
            "Fields in braces are filled in when a notice is issued: " code { "{matter}" } ", "
            code { "{hold}" } ", " code { "{keep}" } ", " code { "{contact}" } "; in reminders and \
            escalations also " code { "{custodian}" } " and " code { "{date}" } "."
        }
        @for template in &templates { (one(&frame, template, typed, may)) }
    };
    Ok(form::again(&frame, &content, refusal))
}

fn one(frame: &Frame, template: &NoticeTemplate, typed: Option<&Typed>, may: bool) -> Markup {
    let (kind, language) = (template.kind, template.language);
    let is_this = |typed: &&Typed| typed.kind == kind.name() && typed.language == language.tag();
    let typed = typed.filter(is_this);
    let subject = typed.map_or(&template.subject, |typed| &typed.subject);
    let body = typed.map_or(&template.body, |typed| &typed.body);
    html! {
        details open[typed.is_some()] {
            summary {
                (kind_words(kind)) ", " span lang=(language.tag()) { (language.own_name()) } " · v" (template.version)
                @if template.created.is_none() { " · as it came" }
            }
            @if may {
                form method="post" action="/notices/templates" {
                    (frame.mark())
                    input type="hidden" name="kind" value=(kind.name());
                    input type="hidden" name="language" value=(language.tag());
                    label.field {
                        span { "Subject" }
                        input name="subject" value=(subject) required maxlength="200" dir="auto" autocomplete="off";
                    }
                    label.field {
                        span { "Text" }
                        textarea name="body" rows="10" required maxlength=(TEXT_CHARS_MAX) dir="auto" { (body) }
                    }
                    button type="submit" { "Write a new version" }
                }
            } @else {
                p { strong { (part::name(subject)) } }
                p { (part::words(body)) }
            }
        }
    }
}

const fn kind_words(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Hold => "Notice of a hold",
        NoticeKind::Release => "Notice of a release",
        NoticeKind::Reminder => "Reminder",
        NoticeKind::Escalation => "Escalation to the manager",
    }
}

async fn write(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Typed>,
) -> Page {
    let kind = NoticeKind::from_name(&typed.kind).ok_or_else(Refusal::not_found)?;
    let language = language_of(&typed.language)?;
    let (session, new) = (who.session.clone(), typed.clone());
    let written = house
        .ask(move |one| {
            one.write_notice_template(&session, kind, language, &new.subject, &new.body)
        })
        .await;
    match written {
        Ok((_, audit)) => Ok(form::after("/notices/templates", "written", audit.seq)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            listed(&house, frame, &who, None, Some(&typed), Some(&refusal)).await
        }
    }
}
