//! The hits by month as bars: each is a link to the hits of that month alone.

use maud::{Markup, html};

use super::super::part;
use crate::domain::SearchId;
use crate::search::Facet;

/// Most bars; a longer time is shown by year.
const BARS_MAX: usize = 72;
/// Width of a bar with the gap behind it, in units of the picture.
const STEP: usize = 10;
/// Width of a bar.
const BAR: usize = 8;
/// Height of the longest bar.
const HEIGHT: u64 = 48;
/// Bars between two years that are named below them, at least.
const NAMED_EVERY: usize = 12;

/// A month or a year with its hits.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bar {
    /// As a query says it: `2024` or `2024-03`.
    period: String,
    count: u64,
}

/// The period of an address: `2024` or `2024-03`.
pub(super) fn period(text: &str) -> Option<&str> {
    let digits = |part: &str, length| {
        part.len() == length && part.bytes().all(|digit| digit.is_ascii_digit())
    };
    let is_one = match text.split_once('-') {
        None => digits(text, 4),
        Some((year, month)) => {
            let named = month
                .parse()
                .is_ok_and(|month: u32| (1..=12).contains(&month));
            digits(year, 4) && digits(month, 2) && named
        }
    };
    is_one.then_some(text)
}

/// Every month of the years with a hit, empty ones among them; by year where there are many.
fn bars(facet: &Facet) -> Vec<Bar> {
    let mut counted: Vec<(usize, u64)> = facet
        .values
        .iter()
        .filter_map(|value| {
            let (year, month) = value.id.split_once('-')?;
            let (year, month): (usize, usize) = (year.parse().ok()?, month.parse().ok()?);
            Some((year * 12 + month.checked_sub(1)?, value.count))
        })
        .collect();
    counted.sort_unstable();
    let (Some((first, _)), Some((last, _))) = (counted.first(), counted.last()) else {
        return Vec::new();
    };
    // Whole years, so that few bars are as broad as many and the ends can be read.
    let (first_year, last_year) = (first / 12, last / 12);
    let by_year = (last_year - first_year + 1) * 12 > BARS_MAX;
    let (step, places) = match by_year {
        true => (12, first_year..=last_year),
        false => (1, first_year * 12..=last_year * 12 + 11),
    };
    places
        .map(|place| Bar {
            period: match by_year {
                true => format!("{place:04}"),
                false => format!("{:04}-{:02}", place / 12, place % 12 + 1),
            },
            count: counted
                .iter()
                .filter(|(month, _)| month / step == place)
                .map(|(_, count)| count)
                .sum(),
        })
        .collect()
}

/// The bars, the table that says the same in words, nothing where there is no hit.
pub(super) fn histogram(search: &SearchId, facet: Option<&Facet>) -> Markup {
    let bars = facet.map(bars).unwrap_or_default();
    let most = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let by = match bars.first().is_some_and(|bar| bar.period.len() == 4) {
        true => "year",
        false => "month",
    };
    html! {
        @if let (Some(first), Some(last)) = (bars.first(), bars.last()) {
            section.months aria-label={ "Hits by " (by) } {
                (picture(search, &bars, most))
                p.axis aria-hidden="true" { span { (first.period) } span { (last.period) } }
                details {
                    summary { "Hits by " (by) " as a list" }
                    ul.columns {
                        @for bar in bars.iter().filter(|bar| bar.count > 0) {
                            li {
                                a href={ "/s/" (search) "/during/" (bar.period) } { (bar.period) }
                                " " span.figure { (part::number(bar.count)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn picture(search: &SearchId, bars: &[Bar], most: u64) -> Markup {
    html! {
        svg.bars viewBox={ "0 0 " (bars.len() * STEP) " " (HEIGHT) } preserveAspectRatio="none" role="group"
            aria-label={ "Most in one bar: " (part::number(most)) } {
            @for (place, bar) in bars.iter().enumerate() {
                @let height = (bar.count * HEIGHT).div_ceil(most);
                @let words = format!("{}: {}", bar.period, part::count(bar.count, "hit", "hits"));
                @if bar.count > 0 {
                    a href={ "/s/" (search) "/during/" (bar.period) } aria-label=(words) {
                        rect.reach x=(place * STEP) y="0" width=(STEP) height=(HEIGHT) {}
                        rect x=(place * STEP + 1) y=(HEIGHT - height) width=(BAR) height=(height) {}
                    }
                }
                @if place > 0 && bar.period.ends_with("-01") && bars.len() > NAMED_EVERY {
                    line x1=(place * STEP) y1="0" x2=(place * STEP) y2=(HEIGHT) {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::{FacetField, FacetValue};

    fn by_month(counts: &[(&str, u64)]) -> Facet {
        let value = |(id, count): &(&str, u64)| FacetValue {
            id: (*id).to_owned(),
            label: (*id).to_owned(),
            count: *count,
        };
        Facet {
            field: FacetField::Month,
            values: counts.iter().map(value).collect(),
        }
    }

    #[test]
    fn x1_months_without_a_hit_stand_between_the_others() {
        let bars = bars(&by_month(&[("2024-02", 3), ("2023-11", 9)]));
        let shown: Vec<(&str, u64)> = bars
            .iter()
            .map(|bar| (bar.period.as_str(), bar.count))
            .collect();
        assert_eq!(
            (bars.len(), shown[0], shown[23]),
            (24, ("2023-01", 0), ("2024-12", 0))
        );
        assert_eq!(
            shown[10..14],
            [
                ("2023-11", 9),
                ("2023-12", 0),
                ("2024-01", 0),
                ("2024-02", 3)
            ]
        );
    }

    #[test]
    fn x1_a_long_time_is_shown_by_year_and_loses_no_hit() {
        let bars = bars(&by_month(&[("2010-05", 1), ("2023-11", 9), ("2023-01", 4)]));
        assert_eq!(bars.len(), 14);
        assert_eq!(
            bars[13],
            Bar {
                period: "2023".to_owned(),
                count: 13
            }
        );
        assert_eq!(bars.iter().map(|bar| bar.count).sum::<u64>(), 14);
    }

    #[test]
    fn x1_only_months_and_years_are_periods() {
        for text in ["2024", "2024-03", "2024-12"] {
            assert_eq!(period(text), Some(text));
        }
        for text in [
            "",
            "24",
            "2024-13",
            "2024-3",
            "2024 OR x",
            "2024-03-05",
            "*",
        ] {
            assert_eq!(period(text), None, "{text}");
        }
    }

    #[test]
    fn x1_every_bar_is_a_link_and_geometry_alone() {
        let search: SearchId = "srch_00000000000000000000000000".parse().unwrap();
        let facet = by_month(&[("2024-02", 3), ("2023-11", 9)]);
        let shown = histogram(&search, Some(&facet)).into_string();
        assert_eq!(shown.matches("/during/2023-11\"").count(), 2);
        assert!(!shown.contains("style"));
        assert!(shown.contains("2024-02: 3 hits"));
        assert!(histogram(&search, None).into_string().is_empty());
    }
}
