//! How a query was read: the sentence, the notes with their repairs, and both readings of a query that
//! can be read in two ways, side by side.

use maud::{Markup, html};

use super::super::frame::Frame;
use super::super::part;
use crate::app::{Appliance, SearchAnswer, SearchRequest, Session};
use crate::query::{Code, Problem, Severity, render_carets};
use crate::search::Order;

/// Another reading of the query, counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OtherReading {
    /// The query that says it without doubt.
    text: String,
    /// What it means.
    read_as: String,
    /// Hits; `None` where counting takes too long.
    count: Option<u64>,
    /// Whether the query was read so.
    taken: bool,
}

fn mixed(answer: &SearchAnswer) -> Option<&Problem> {
    let mut problems = answer.reading.problems.iter();
    problems.find(|problem| problem.code == Code::W01)
}

/// Both readings of a query that mixes AND and OR; none for other queries.
///
/// # Errors
/// As a search, except where it would take too long.
pub(super) fn other(
    appliance: &Appliance,
    session: &Session,
    answer: &SearchAnswer,
) -> crate::app::Result<Vec<OtherReading>> {
    let mut readings = Vec::new();
    for (place, repair) in mixed(answer)
        .iter()
        .flat_map(|problem| problem.suggestions.iter().enumerate())
    {
        let text = repair.apply(&answer.reading.text);
        let mut request = SearchRequest::new(text.clone());
        request.count_only = true;
        let counted = appliance.search(session, &request);
        let taken = place == 0;
        readings.push(match counted {
            Ok(counted) => OtherReading {
                text,
                read_as: counted.reading.read_as,
                count: Some(counted.answer.total),
                taken,
            },
            Err(crate::app::AppError::Budget(_)) => OtherReading {
                read_as: text.clone(),
                text,
                count: None,
                taken,
            },
            Err(error) => return Err(error),
        });
    }
    Ok(readings)
}

/// The two readings, each with its count and a way to choose it.
pub(super) fn both(
    frame: &Frame,
    order: Order,
    answer: &SearchAnswer,
    readings: &[OtherReading],
) -> Markup {
    html! {
        @if !readings.is_empty() {
            section.readings aria-labelledby="two-ways" {
                h2 #two-ways { "This query can be read in two ways" }
                p.aside { (mixed(answer).map_or("", |problem| &problem.message)) "." }
                div.cards {
                    @for reading in readings {
                        div.card {
                            p.head {
                                strong {
                                    @match reading.count {
                                        Some(count) => (part::count(count, "message", "messages")),
                                        None => "too long to count",
                                    }
                                }
                                @if reading.taken { " " span.chip { "shown below" } }
                            }
                            p { span hx-disable dir="auto" { (reading.read_as) } }
                            form method="post" action="/search" {
                                (frame.mark())
                                input type="hidden" name="query" value=(reading.text);
                                input type="hidden" name="order" value=(order.name());
                                button type="submit" { "Read it so" }
                                " " code hx-disable dir="auto" { (reading.text) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// How the query was read, and what is worth knowing about that.
pub(super) fn reading(frame: &Frame, order: Order, answer: &SearchAnswer) -> Markup {
    let reading = &answer.reading;
    let notes = reading.problems.iter().chain(&answer.answer.notes);
    html! {
        div.reading {
            p { span.label { "Read as" } " " span hx-disable dir="auto" { (reading.read_as) } }
            ul.notes {
                // Both readings of W01 stand below, with their counts.
                @for note in notes.filter(|note| note.code != Code::W01) {
                    li {
                        (code(note)) " " span hx-disable dir="auto" { (note.message) }
                        (repairs(frame, order, &reading.text, note))
                    }
                }
            }
            details {
                summary { "Canonical form" }
                code.block hx-disable { (reading.canonical) }
            }
        }
    }
}

fn code(problem: &Problem) -> Markup {
    html! {
        @if problem.severity() == Severity::Warning { span.chip.warn { (problem.code.name()) } }
        @else { code { (problem.code.name()) } }
    }
}

/// The repairs of a problem, one click each.
fn repairs(frame: &Frame, order: Order, text: &str, problem: &Problem) -> Markup {
    html! {
        @for repair in &problem.suggestions {
            form.repair method="post" action="/search" {
                (frame.mark())
                input type="hidden" name="query" value=(repair.apply(text));
                input type="hidden" name="order" value=(order.name());
                button.link type="submit" { span hx-disable dir="auto" { (repair.label) } }
                @if !repair.text.trim().is_empty() && repair.text != repair.label {
                    " " code hx-disable dir="auto" { (repair.text) }
                }
            }
        }
    }
}

/// A query that did not run: every problem at its place, with its repairs.
pub(super) fn unclear(frame: &Frame, order: Order, text: &str, problems: &[Problem]) -> Markup {
    html! {
        section.refused role="alert" {
            h2 { "The query is not clear" }
            @for problem in problems {
                pre.carets hx-disable dir="ltr" { (without_help(text, problem)) }
                (repairs(frame, order, text, problem))
            }
        }
    }
}

/// The lines of a problem; its repairs stand below as buttons.
fn without_help(text: &str, problem: &Problem) -> String {
    let bare = Problem {
        suggestions: Vec::new(),
        ..problem.clone()
    };
    render_carets(text, &[bare])
}
