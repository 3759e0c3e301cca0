//! How hits are shown: how many messages around each, and grouped by what. It stands in the address.

use maud::{Markup, html};
use serde::Deserialize;

use crate::domain::SearchId;

/// Messages that can be shown around each hit.
const LINES: [u32; 4] = [0, 1, 3, 5];

/// What hits stand together by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum By {
    #[default]
    Conversation,
    Day,
    /// One below the other.
    Nothing,
}

impl By {
    const ALL: [(By, &'static str, &'static str); 3] = [
        (By::Conversation, "conversation", "conversation"),
        (By::Day, "day", "day"),
        (By::Nothing, "flat", "nothing"),
    ];
}

/// As an address says it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct AskedView {
    lines: String,
    by: String,
    /// Somebody wanted to do something with hits and chose none.
    none: String,
}

impl AskedView {
    /// What to say first.
    pub(super) fn notice(&self) -> Markup {
        html! {
            @if self.none == "1" {
                p.notice.warn role="alert" {
                    "Choose hits first: tick the boxes beside them, or \"all\" for every hit of the query."
                }
            }
        }
    }
}

/// How hits are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct View {
    /// Messages before and after each.
    pub lines: u32,
    pub by: By,
}

impl Default for View {
    fn default() -> Self {
        View {
            lines: 1,
            by: By::default(),
        }
    }
}

impl View {
    /// What an address asks for; what it does not say is as always.
    pub(super) fn of(asked: &AskedView) -> View {
        let lines = asked.lines.parse().ok();
        let by = By::ALL.iter().find(|(_, name, _)| *name == asked.by);
        View {
            lines: lines
                .filter(|lines| LINES.contains(lines))
                .unwrap_or(View::default().lines),
            by: by.map_or(By::default(), |(by, ..)| *by),
        }
    }

    /// The address of the hits shown so; `after` is where the page before ended.
    pub(super) fn address(self, search: SearchId, after: Option<&str>) -> String {
        let usual = View::default();
        let mut parts = Vec::new();
        if self.lines != usual.lines {
            parts.push(format!("lines={}", self.lines));
        }
        if self.by != usual.by {
            let name = By::ALL.iter().find(|(by, ..)| *by == self.by);
            parts.extend(name.map(|(_, name, _)| format!("by={name}")));
        }
        parts.extend(after.map(|after| format!("after={after}")));
        match parts.is_empty() {
            true => format!("/s/{search}"),
            false => format!("/s/{search}?{}", parts.join("&")),
        }
    }

    /// The ways to show them, the one that is taken marked.
    pub(super) fn chooser(self, search: SearchId) -> Markup {
        html! {
            nav.view aria-label="How hits are shown" {
                span.some {
                span { "Around each" }
                @for lines in LINES {
                    a href=(View { lines, ..self }.address(search, None)) aria-current=[(lines == self.lines).then_some("true")]
                        aria-label={ (lines) " messages around each hit" } { (lines) }
                }
                }
                span.some {
                span { "Grouped by" }
                @for (by, _, words) in By::ALL {
                    a href=(View { by, ..self }.address(search, None)) aria-current=[(by == self.by).then_some("true")] { (words) }
                }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_the_address_says_how_hits_are_shown_and_nothing_else() {
        let search: SearchId = "srch_00000000000000000000000000".parse().unwrap();
        let plain = View::of(&AskedView::default()).address(search, None);
        assert_eq!(plain, format!("/s/{search}"));
        let asked = AskedView {
            lines: "5".to_owned(),
            by: "day".to_owned(),
            ..AskedView::default()
        };
        let view = View::of(&asked);
        assert_eq!((view.lines, view.by), (5, By::Day));
        let address = view.address(search, Some("abc"));
        assert_eq!(address, format!("/s/{search}?lines=5&by=day&after=abc"));
        let wrong = AskedView {
            lines: "7".to_owned(),
            by: "\"><b>".to_owned(),
            ..AskedView::default()
        };
        assert_eq!(View::of(&wrong), View::default());
    }
}
