//! Parts of forms that many pages show alike: the refusal at its place, reasons, confirmations.

use std::sync::Arc;

use axum::response::{IntoResponse, Redirect, Response};
use chrono_tz::Tz;
use maud::{Markup, html};
use serde::Deserialize;

use super::super::house::House;
use super::super::refusal::Refusal;
use super::conversation::{midnight, parse_day};
use super::frame::Frame;
use super::{part, search};
use crate::domain::{EntryNo, Timestamp};
use crate::query::{Code, Severity};

/// Values of one count that are shown; the rest is one line.
const VALUES: usize = 12;

/// What an address says of an act that is just done: which, and its entry.
#[derive(Deserialize)]
pub(super) struct Did {
    done: Option<u64>,
    #[serde(default)]
    did: String,
}

impl Did {
    /// The notice, from the words that the page has for its acts.
    pub(super) fn notice(&self, words: &[(&str, &str)]) -> Markup {
        let known = words.iter().find(|(act, _)| *act == self.did);
        let text = known.map_or("Done.", |(_, text)| *text);
        html! { @if let Some(no) = self.done { (part::done(text, EntryNo(no))) } }
    }
}

/// The way to a page that says what was done.
pub(super) fn after(path: &str, did: &str, entry: EntryNo) -> Response {
    Redirect::to(&format!("{path}?did={did}&done={}", entry.0)).into_response()
}

/// The zone of the workspace.
pub(super) async fn zone(house: &Arc<House>) -> Result<Tz, Refusal> {
    house
        .ask(|appliance| Ok(appliance.zone_name().parse().unwrap_or(Tz::UTC)))
        .await
}

/// The first instant of a typed day; `None` where none was typed.
pub(super) fn day(text: &str, zone: Tz) -> Result<Option<Timestamp>, Refusal> {
    match text.trim() {
        "" => Ok(None),
        text => Ok(Some(midnight(parse_day(text)?, zone))),
    }
}

/// A refusal that the form can show at its place; what is no matter of its fields goes on as it is.
pub(super) fn at_its_place(refusal: Refusal) -> Result<Refusal, Refusal> {
    match refusal.status.as_u16() {
        400 | 404 | 409 | 422 => Ok(refusal),
        _ => Err(refusal),
    }
}

/// The page with the form as it was sent, and the status of what was refused.
pub(super) fn again(frame: &Frame, content: &Markup, refusal: Option<&Refusal>) -> Response {
    let mut response = frame.page(content);
    if let Some(refusal) = refusal {
        *response.status_mut() = refusal.status;
    }
    response
}

/// What was refused and why: the fixed place is above the fields.
pub(super) fn refused(refusal: Option<&Refusal>) -> Markup {
    html! {
        @if let Some(refusal) = refusal {
            section.refused role="alert" {
                h2 { (refusal.title) }
                @if refusal.faults.is_empty() { p { (refusal.detail) } }
                @else { pre.carets hx-disable dir="ltr" { (refusal.detail) } }
            }
        }
    }
}

/// The warnings among what was refused, to be accepted all at once; nothing where an error is.
pub(super) fn acceptance(refusal: Option<&Refusal>) -> Markup {
    let faults = refusal.map_or(&[][..], |refusal| &refusal.faults);
    let mut codes: Vec<&str> = faults.iter().map(|fault| fault.code.as_str()).collect();
    codes.dedup();
    let is_warning = |code: &&str| {
        let known = Code::ALL.iter().find(|known| known.name() == *code);
        known.is_some_and(|known| known.severity() < Severity::Error)
    };
    html! {
        @if !codes.is_empty() && codes.iter().all(is_warning) {
            label.check {
                input type="checkbox" name="accept" value=(codes.join(" "));
                span { "I have read these warnings and accept them: " (codes.join(", ")) }
            }
        }
    }
}

/// The codes that a form accepts.
pub(super) fn accepted(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The field for a reason.
pub(super) fn reason(value: &str) -> Markup {
    html! {
        label.field {
            span { "Reason" }
            textarea name="reason" required maxlength="2000" dir="auto" rows="3" { (value) }
            small { "It is kept sealed; the audit log names it by its hash." }
        }
    }
}

/// The field in which a name or number is typed once more, before something that counts.
pub(super) fn confirmation(what: &str) -> Markup {
    html! {
        label.field {
            span { "To confirm, type " bdi hx-disable { (what) } }
            input name="confirm" required autocomplete="off" spellcheck="false" dir="auto"
                maxlength="200";
        }
    }
}

/// Whether a confirmation names what it has to.
///
/// # Errors
/// A refusal that says what to type.
pub(super) fn confirmed(typed: &str, what: &str) -> Result<(), Refusal> {
    match typed.trim() == what.trim() {
        true => Ok(()),
        false => Err(Refusal::usage(format!(
            "Nothing was done: to confirm, type {what} in the last field."
        ))),
    }
}

/// Exact counts under a heading, most first as given.
pub(super) fn counts(title: &str, values: &[(String, u64)]) -> Markup {
    let most = values.iter().map(|(_, count)| *count).max().unwrap_or(1);
    let rest: u64 = values.iter().skip(VALUES).map(|(_, count)| count).sum();
    html! {
        section.card {
            h2 { (title) }
            @if values.is_empty() { p.aside { "None." } }
            @else {
                div.scroll { table.grid.counts { tbody {
                    @for (name, count) in values.iter().take(VALUES) {
                        tr {
                            th scope="row" {
                                @if name.is_empty() { "notices of the platform" }
                                @else { (part::name(name)) }
                            }
                            td { (search::bar(*count, most.max(1))) }
                            td.figure { (part::number(*count)) }
                        }
                    }
                    @if values.len() > VALUES {
                        tr {
                            th scope="row" { "and " (part::number((values.len() - VALUES) as u64)) " more" }
                            td {}
                            td.figure { (part::number(rest)) }
                        }
                    }
                } } }
            }
        }
    }
}

/// Numbers as names of counts.
pub(super) fn named<T: ToString>(values: impl IntoIterator<Item = (T, u64)>) -> Vec<(String, u64)> {
    let named = values
        .into_iter()
        .map(|(name, count)| (name.to_string(), count));
    named.collect()
}

/// A line of numbered steps.
pub(super) fn step(here: usize, steps: &[&str]) -> Markup {
    html! {
        ol.steps aria-label="Steps" {
            @for (no, name) in steps.iter().enumerate() {
                li aria-current=[(no + 1 == here).then_some("step")] { (name) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::refusal::Fault;
    use super::*;

    fn with_code(code: &str) -> Refusal {
        let mut refusal = Refusal::usage("x");
        refusal.faults.push(Fault {
            code: code.to_owned(),
            span: None,
            message: String::new(),
        });
        refusal
    }

    #[test]
    fn only_warnings_can_be_accepted() {
        let code_of = |severity| {
            let mut codes = Code::ALL.iter();
            codes
                .find(|code| code.severity() == severity)
                .map(|code| code.name())
        };
        let warning = with_code(code_of(Severity::Warning).unwrap());
        let error = with_code(code_of(Severity::Error).unwrap());
        assert!(
            acceptance(Some(&warning))
                .into_string()
                .contains("checkbox")
        );
        assert!(!acceptance(Some(&error)).into_string().contains("checkbox"));
        assert!(acceptance(None).into_string().is_empty());
    }

    #[test]
    fn a_confirmation_names_the_thing() {
        assert!(confirmed(" 7 ", "7").is_ok());
        assert!(confirmed("8", "7").is_err());
        assert!(confirmed("", "7").is_err());
    }

    #[test]
    fn names_in_counts_are_escaped() {
        let shown = counts("By person", &[("<b>x</b>".to_owned(), 2)]).into_string();
        assert!(shown.contains("&lt;b&gt;x") && shown.contains("<bdi"));
    }
}
