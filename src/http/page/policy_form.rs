//! The form in which a policy is written: its scope is read back before anything is kept.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::{Asked, Posted};
use super::super::refusal::Refusal;
use super::form;
use super::frame::{Frame, Section};
use super::policies::{load, policy_id};
use super::{Page, part};
use crate::app::{LabelLine, NewPolicy, Reading, VersionLine};
use crate::domain::{Disposition, Level, Lock, PolicyAction, Right, STAGES_MAX, Trigger};
use crate::query::Code;

/// A policy as typed.
#[derive(Clone, Default, Deserialize)]
pub(in crate::http) struct Typed {
    #[serde(default)]
    of: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    period: String,
    #[serde(default)]
    zone: String,
    #[serde(default)]
    trigger: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    level: String,
    #[serde(default)]
    label: String,
    #[serde(default)]
    lock: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    reviewers: String,
    #[serde(default)]
    citation: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    accept: String,
    /// `write`, else check.
    #[serde(default)]
    act: String,
}

#[derive(Deserialize)]
pub(in crate::http) struct Of {
    #[serde(default)]
    of: String,
}

/// What stands in the choices.
struct Choices {
    labels: Vec<LabelLine>,
}

async fn choices(house: &Arc<House>, who: &Who) -> Result<Choices, Refusal> {
    let session = who.session.clone();
    let labels = house
        .ask(move |appliance| appliance.labels(&session))
        .await?;
    Ok(Choices { labels })
}

pub(in crate::http) async fn begin(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Asked(of): Asked<Of>,
) -> Page {
    let choices = choices(&house, &who).await?;
    let zone = form::zone(&house).await?;
    let mut typed = Typed {
        scope: "*".to_owned(),
        action: PolicyAction::RetainThenDelete.name().to_owned(),
        period: "P7Y".to_owned(),
        zone: zone.name().to_owned(),
        trigger: Trigger::Sent.name().to_owned(),
        reviewers: "1".to_owned(),
        ..Typed::default()
    };
    if !of.of.is_empty() {
        let (story, _) = load(&house, &who, policy_id(&of.of)?).await?;
        if let Some(newest) = story.versions.first() {
            typed = Typed::from(newest, zone);
        }
        typed.of = story.line.id.to_string();
    }
    Ok(view(&frame, &choices, &typed, None, None))
}

impl Typed {
    /// The next version begins as the newest stands.
    fn from(line: &VersionLine, zone: chrono_tz::Tz) -> Typed {
        let version = &line.version;
        let day = |until: crate::domain::Timestamp| {
            let utc = chrono::DateTime::from_timestamp_micros(until.0).unwrap_or_default();
            utc.with_timezone(&zone).format("%Y-%m-%d").to_string()
        };
        Typed {
            name: line.name.clone(),
            scope: line.scope.clone(),
            action: version.action.name().to_owned(),
            period: version.period.to_string(),
            zone: version.zone.name().to_owned(),
            trigger: version.trigger.name().to_owned(),
            event: line.event.clone(),
            level: version.level.name().to_owned(),
            label: line.label.clone(),
            lock: version.lock.name().to_owned(),
            until: match version.lock {
                Lock::None => String::new(),
                Lock::Governance(until) | Lock::Compliance(until) => day(until),
            },
            reviewers: match version.disposition {
                Disposition::Auto => "0".to_owned(),
                Disposition::Reviewed(count) => count.to_string(),
            },
            citation: line.citation.clone(),
            ..Typed::default()
        }
    }

    fn policy(&self, zone: chrono_tz::Tz) -> Result<NewPolicy, Refusal> {
        let until = form::day(&self.until, zone)?;
        let lock = match (self.lock.as_str(), until) {
            ("governance", Some(until)) => Lock::Governance(until),
            ("compliance", Some(until)) => Lock::Compliance(until),
            ("governance" | "compliance", None) => {
                return Err(Refusal::usage("Say until which day the lock holds."));
            }
            _ => Lock::None,
        };
        let period = self.period.trim().parse();
        let accept = form::accepted(&self.accept);
        Ok(NewPolicy {
            of: match self.of.as_str() {
                "" => None,
                id => Some(policy_id(id)?),
            },
            name: self.name.clone(),
            scope: self.scope.trim().to_owned(),
            action: PolicyAction::from_name(&self.action)
                .ok_or_else(|| Refusal::usage("Choose what the policy does."))?,
            period: period.map_err(|error: crate::domain::PeriodError| {
                Refusal::usage(format!("The period: {error}."))
            })?,
            zone: Some(self.zone.trim().to_owned()).filter(|zone| !zone.is_empty()),
            trigger: match self.trigger.as_str() {
                "event" => self.event.trim().to_owned(),
                plain => plain.to_owned(),
            },
            label: (self.level == "label").then(|| self.label.clone()),
            organisation: self.level == "organisation",
            lock,
            reviewers: Some(
                self.reviewers
                    .trim()
                    .parse()
                    .map_err(|_| Refusal::usage("Say how many people review what is due."))?,
            ),
            citation: self.citation.clone(),
            reason: self.reason.clone(),
            accept: Code::ALL
                .iter()
                .copied()
                .filter(|code| accept.iter().any(|name| name == code.name()))
                .collect(),
        })
    }
}

pub(in crate::http) async fn go_on(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Posted(typed): Posted<Typed>,
) -> Page {
    let choices = choices(&house, &who).await?;
    let zone = form::zone(&house).await?;
    let session = who.session.clone();
    if typed.act == "write" {
        let answer = match typed.policy(zone) {
            Err(refusal) => Err(refusal),
            Ok(new) => {
                house
                    .ask(move |appliance| appliance.write_policy(&session, &new))
                    .await
            }
        };
        return match answer {
            Ok((id, _, entry)) => Ok(form::after(
                &format!("/policies/{id}"),
                "written",
                entry.seq,
            )),
            Err(refusal) => {
                let refusal = form::at_its_place(refusal)?;
                Ok(view(&frame, &choices, &typed, None, Some(&refusal)))
            }
        };
    }
    let (scope, named) = (typed.scope.trim().to_owned(), typed.zone.trim().to_owned());
    let reading = house
        .ask(move |appliance| {
            let zone = Some(named.as_str()).filter(|zone| !zone.is_empty());
            appliance.check_policy_scope(&session, &scope, zone)
        })
        .await;
    match reading {
        Ok(reading) => Ok(view(&frame, &choices, &typed, Some(&reading), None)),
        Err(refusal) => {
            let refusal = form::at_its_place(refusal)?;
            Ok(view(&frame, &choices, &typed, None, Some(&refusal)))
        }
    }
}

fn view(
    frame: &Frame,
    choices: &Choices,
    typed: &Typed,
    reading: Option<&Reading>,
    refusal: Option<&Refusal>,
) -> Response {
    let frame = frame.clone().at(Section::Retention, "Write a policy");
    let back = match typed.of.as_str() {
        "" => "/retention".to_owned(),
        id => format!("/policies/{id}"),
    };
    debug_assert!(frame.may(Right::WriteRules) || frame.role().is_none());
    let content = html! {
        p { a.back href=(back) { "← Back" } }
        h1 { @if typed.of.is_empty() { "Write a policy" } @else { "Write the next version" } }
        p.aside { "A draft does nothing: it is simulated, then enabled." }
        (form::refused(refusal))
        form method="post" action="/policies/new" {
            (frame.mark())
            input type="hidden" name="of" value=(typed.of);
            label.field {
                span { "Name" }
                input name="name" value=(typed.name) maxlength="200" dir="auto" autocomplete="off";
            }
            (scope(typed, reading))
            (form::acceptance(refusal))
            div.cards { (what(typed)) (when(typed)) (rank(typed, choices)) (strictness(typed)) }
            label.field {
                span { "Law or rule it follows" }
                input name="citation" value=(typed.citation) maxlength="2000" dir="auto" autocomplete="off";
            }
            label.field {
                span { "Reason" }
                textarea name="reason" maxlength="2000" dir="auto" rows="3" { (typed.reason) }
            }
            button.primary type="submit" name="act" value="write" { "Write the draft" }
        }
    };
    form::again(&frame, &content, refusal)
}

fn scope(typed: &Typed, reading: Option<&Reading>) -> Markup {
    html! {
        label.field {
            span { "Which records" }
            textarea name="scope" rows="2" required dir="auto" spellcheck="false" maxlength="10000" {
                (typed.scope)
            }
            small { "In the words of a search; * is everything. It is read strictly: whatever could be read in two ways is refused." }
        }
        p { button type="submit" name="act" value="check" { "Read it back" } }
        @if let Some(reading) = reading {
            div.reading role="status" {
                p { span.label { "Read as" } " " (part::words(&reading.read_as)) }
                ul.notes {
                    @for note in &reading.problems {
                        li { code { (note.code.name()) } " " span hx-disable { (note.message) } }
                    }
                }
            }
        }
    }
}

fn choice(name: &str, now: &str, values: &[(&str, &str)]) -> Markup {
    html! {
        select name=(name) {
            @for (value, words) in values {
                option value=(value) selected[*value == now] { (words) }
            }
        }
    }
}

fn what(typed: &Typed) -> Markup {
    const ACTIONS: [(&str, &str); 3] = [
        ("retain", "keep"),
        ("delete", "let go after it"),
        ("retain_then_delete", "keep, then let go after it"),
    ];
    html! {
        fieldset {
            legend { "What it does" }
            label.field { span { "Action" } (choice("action", &typed.action, &ACTIONS)) }
            label.field {
                span { "Period" }
                input name="period" value=(typed.period) required autocomplete="off" maxlength="40";
                small { "P7Y, P18M, P90D or infinite" }
            }
        }
    }
}

fn when(typed: &Typed) -> Markup {
    const TRIGGERS: [(&str, &str); 5] = [
        ("sent", "when it was sent"),
        ("ingested", "when it was taken in"),
        ("last_activity", "last activity in the conversation"),
        ("label_applied", "when the label was applied"),
        ("event", "an event"),
    ];
    html! {
        fieldset {
            legend { "When the period begins" }
            label.field { span { "Begins" } (choice("trigger", &typed.trigger, &TRIGGERS)) }
            label.field {
                span { "Event" }
                input name="event" value=(typed.event) autocomplete="off" maxlength="200"
                    placeholder="employee_left(emp42)";
            }
            label.field {
                span { "Zone of its calendar" }
                input name="zone" value=(typed.zone) autocomplete="off" maxlength="64";
            }
        }
    }
}

fn rank(typed: &Typed, choices: &Choices) -> Markup {
    let levels = [
        (Level::Scoped.name(), "scoped"),
        (Level::Organisation.name(), "default of the organisation"),
        ("label", "records with a label"),
    ];
    html! {
        fieldset {
            legend { "Level" }
            label.field { span { "Level" } (choice("level", &typed.level, &levels)) }
            label.field {
                span { "Label" }
                select name="label" disabled[choices.labels.is_empty()] {
                    @for label in &choices.labels {
                        option value=(label.name) selected[label.name == typed.label] { (label.name) }
                    }
                }
                small { "A label stands before a scope, a scope before the organisation." }
            }
        }
    }
}

fn strictness(typed: &Typed) -> Markup {
    const LOCKS: [(&str, &str); 3] = [
        ("none", "none"),
        ("governance", "governance: two people can weaken it"),
        ("compliance", "compliance: nobody can weaken it"),
    ];
    html! {
        fieldset {
            legend { "Lock and review" }
            label.field { span { "Lock" } (choice("lock", &typed.lock, &LOCKS)) }
            label.field {
                span { "Locked until" }
                input type="date" name="until" value=(typed.until);
            }
            label.field {
                span { "People who review what is due" }
                input type="number" name="reviewers" min="0" max=(STAGES_MAX) value=(typed.reviewers) required;
                small { "0 lets it go without review." }
            }
        }
    }
}
