//! Pages of lists: an envelope, and a sealed mark that leads to the next page.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::refusal::Refusal;
use crate::app::{Appliance, Session};

/// Items of a page when nobody says.
const ITEMS_DEFAULT: usize = 100;
/// Most items of a page.
const ITEMS_MAX: usize = 1_000;

/// How many there are.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(super) struct Total {
    /// The number.
    pub value: u64,
    /// Always "exact": nothing is estimated.
    pub relation: &'static str,
}

impl Total {
    pub(super) const fn exact(value: u64) -> Total {
        Total {
            value,
            relation: "exact",
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct Listing<T> {
    pub items: Vec<T>,
    /// Leads to the next page; `null` on the last.
    pub next_cursor: Option<String>,
    pub total: Total,
}

/// Where a page begins and how long it is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paged {
    cursor: Option<String>,
    limit: Option<usize>,
}

impl Paged {
    fn limit(&self) -> Result<usize, Refusal> {
        limited(self.limit)
    }

    /// The page of a whole list. Items have a place that never changes, ascending as they came:
    /// what comes in while somebody turns pages stands at the end, and nothing is seen twice.
    pub(super) fn page<T, S>(
        &self,
        appliance: &Appliance,
        session: &Session,
        list: &str,
        mut items: Vec<T>,
        place: impl Fn(&T) -> u128,
        show: impl Fn(&T) -> S,
    ) -> Result<Listing<S>, Refusal> {
        let limit = self.limit()?;
        let total = Total::exact(items.len() as u64);
        items.sort_by_key(&place);
        if let Some(cursor) = &self.cursor {
            let after: u128 = appliance
                .open_mark(session, list, cursor)
                .and_then(|text| text.parse().ok())
                .ok_or_else(foreign)?;
            items.retain(|item| place(item) > after);
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let next_cursor = items
            .last()
            .filter(|_| more)
            .map(|last| appliance.seal_mark(session, list, &place(last).to_string()));
        Ok(Listing {
            items: items.iter().map(show).collect(),
            next_cursor,
            total,
        })
    }
}

/// A number of items that may be asked for.
pub(super) fn limited(limit: Option<usize>) -> Result<usize, Refusal> {
    match limit {
        None => Ok(ITEMS_DEFAULT),
        Some(limit @ 1..=ITEMS_MAX) => Ok(limit),
        Some(_) => Err(Refusal::usage(format!(
            "\"limit\" is 1 to {ITEMS_MAX}; a cursor leads to the next page."
        ))),
    }
}

/// A mark that we did not give, or gave to somebody else or for another list.
pub(super) fn foreign() -> Refusal {
    Refusal::usage("The cursor belongs to another list or another person; begin without one.")
}
