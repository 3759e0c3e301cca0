//! Beside a conversation: its months, each a way to its first day, and who wrote how much.

use maud::{Markup, html};

use super::super::{part, search};
use crate::app::ConversationFigures;
use crate::domain::{ConversationId, SearchId};

/// Most months that are shown one by one; a longer time is shown by year.
const MONTHS_MAX: usize = 48;
/// People that are shown.
const PEOPLE: usize = 30;

/// A month or a year with its messages, and the day to jump to.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    name: String,
    day: String,
    count: u64,
}

/// The months, or the years where there are many.
fn spans(months: &[(String, u64)]) -> Vec<Span> {
    if months.len() <= MONTHS_MAX {
        let span = |(month, count): &(String, u64)| Span {
            name: month.clone(),
            day: format!("{month}-01"),
            count: *count,
        };
        return months.iter().map(span).collect();
    }
    let mut years: Vec<Span> = Vec::new();
    for (month, count) in months {
        let year = month.split('-').next().unwrap_or_default();
        match years.last_mut() {
            Some(last) if last.name == year => last.count += count,
            _ => years.push(Span {
                name: year.to_owned(),
                day: format!("{month}-01"),
                count: *count,
            }),
        }
    }
    years
}

/// Months and people.
pub(super) fn beside(
    id: ConversationId,
    from: Option<SearchId>,
    figures: &ConversationFigures,
) -> Markup {
    let spans = spans(&figures.months);
    let most = |counts: &mut dyn Iterator<Item = u64>| counts.max().unwrap_or(1).max(1);
    let most_messages = most(&mut spans.iter().map(|span| span.count));
    let most_written = most(&mut figures.people.iter().map(|(_, count)| *count));
    let tail = from.map_or_else(String::new, |search| format!("&from={search}"));
    html! {
        section.facet {
            h2 { "Months" }
            ul {
                @for span in &spans {
                    li {
                        a.value href={ "/c/" (id) "?day=" (span.day) (tail) } { (span.name) }
                        (search::bar(span.count, most_messages))
                        span.figure { (part::number(span.count)) }
                    }
                }
            }
        }
        section.facet {
            h2 { "People" }
            ul {
                @for (name, count) in figures.people.iter().take(PEOPLE) {
                    li {
                        span.value { @if name.is_empty() { "notices" } @else { (part::name(name)) } }
                        (search::bar(*count, most_written))
                        span.figure { (part::number(*count)) }
                    }
                }
            }
            @if figures.people.len() > PEOPLE {
                small { "and " (part::number((figures.people.len() - PEOPLE) as u64)) " more" }
            }
        }
        p { (part::entry(figures.audit)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_a_long_conversation_is_shown_by_year_and_loses_no_message() {
        let months: Vec<(String, u64)> = (0..60)
            .map(|no| (format!("{}-{:02}", 2019 + no / 12, no % 12 + 1), no))
            .collect();
        let by_year = spans(&months);
        assert_eq!((by_year.len(), by_year[0].day.as_str()), (5, "2019-01-01"));
        let sum: u64 = by_year.iter().map(|span| span.count).sum();
        assert_eq!(sum, (0..60).sum::<u64>());
        assert_eq!(spans(&months[..3]).len(), 3);
    }
}
