//! Hits that somebody chose, and what can be done with them. They travel by their ids alone; a query
//! stands in no address.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect};
use maud::{Markup, html};
use serde::Deserialize;

use super::super::super::assets::address;
use super::super::super::guard::Who;
use super::super::super::house::House;
use super::super::super::posted::Asked;
use super::super::super::refusal::Refusal;
use super::super::frame::Frame;
use super::super::{Page, part};
use crate::app::{Appliance, KeptSearch, Session};
use crate::domain::{MessageId, Right, SearchId};

/// Most messages that are chosen one by one: an address holds their ids.
const CHOSEN_MAX: usize = 100;

/// What somebody chose, as an address or a form carries it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub(in crate::http::page) struct Chosen {
    /// The search they stand in.
    pub search: String,
    /// Ids, separated by blanks.
    pub hits: String,
    /// `1` for every hit of the search.
    pub all: String,
}

/// What was chosen, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http::page) enum Choice {
    /// These.
    Messages(Vec<MessageId>),
    /// Every hit of this search of theirs.
    Everything(KeptSearch),
}

impl Choice {
    /// In words, for a heading.
    pub(in crate::http::page) fn words(&self) -> String {
        match self {
            Choice::Messages(ids) => {
                part::count(ids.len() as u64, "chosen message", "chosen messages")
            }
            Choice::Everything(_) => "every hit of a search".to_owned(),
        }
    }
}

impl Chosen {
    /// Whether an address says anything of it.
    pub(in crate::http::page) fn is_empty(&self) -> bool {
        self.search.is_empty() && self.hits.is_empty()
    }

    /// What was chosen.
    ///
    /// # Errors
    /// When it is nothing, too much, or not theirs.
    pub(in crate::http::page) fn read(
        &self,
        appliance: &Appliance,
        session: &Session,
    ) -> Result<Choice, Refusal> {
        if self.all == "1" {
            let id: SearchId = self.search.parse().map_err(|_| Refusal::not_found())?;
            return Ok(Choice::Everything(appliance.kept_search(session, id)?));
        }
        messages(self.hits.split_whitespace()).map(Choice::Messages)
    }

    /// Behind the question mark of an address.
    pub(in crate::http::page) fn tail(&self) -> String {
        let is_plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
        let plain = |text: &str| -> String { text.chars().filter(is_plain).collect() };
        let hits: Vec<String> = self.hits.split_whitespace().map(plain).collect();
        format!(
            "search={}&hits={}&all={}",
            plain(&self.search),
            hits.join("+"),
            plain(&self.all)
        )
    }

    /// The same in a form.
    pub(in crate::http::page) fn fields(&self) -> Markup {
        html! {
            input type="hidden" name="search" value=(self.search);
            input type="hidden" name="hits" value=(self.hits);
            input type="hidden" name="all" value=(self.all);
        }
    }
}

/// Ids as typed or chosen.
///
/// # Errors
/// When there is none, one is not an id, or there are too many.
pub(in crate::http::page) fn messages<'a>(
    ids: impl Iterator<Item = &'a str>,
) -> Result<Vec<MessageId>, Refusal> {
    let ids: Result<Vec<MessageId>, _> = ids.map(str::parse).collect();
    let ids = ids.map_err(|_| Refusal::not_found())?;
    match ids.len() {
        0 => Err(Refusal::usage(
            "Choose hits first: tick the boxes beside them, or \"all\" for every hit of the query.",
        )),
        count if count > CHOSEN_MAX => Err(Refusal::usage(format!(
            "At most {CHOSEN_MAX} messages are chosen one by one; choose every hit of a narrower query."
        ))),
        _ => Ok(ids),
    }
}

/// What somebody may do with hits.
const ACTS: [(&str, &str, Right); 3] = [
    ("label", "Label…", Right::MarkRecords),
    ("hold", "Hold…", Right::PlaceHolds),
    ("export", "Export…", Right::Export),
];

/// Whether there is anything that somebody may do with hits.
pub(super) fn may_choose(frame: &Frame) -> bool {
    ACTS.iter().any(|(_, _, right)| frame.may(*right))
}

/// The box beside a hit.
pub(super) fn tick(id: MessageId, by: &str) -> Markup {
    html! {
        input.tick type="checkbox" name="hit" value=(id) form="chosen" aria-label={ "Choose the message of " (by) };
    }
}

/// What is chosen and what can be done with it: stays in sight while the hits are read.
pub(super) fn bar(frame: &Frame, kept: &KeptSearch, total: u64) -> Markup {
    html! {
        @if may_choose(frame) {
            script src=(address("hits.js")) defer {}
            form #chosen.chosen method="get" action={ "/s/" (kept.id) "/chosen" } aria-label="What to do with hits" {
                span.tally aria-live="polite" data-none="Tick hits, or all of them" { "Tick hits, or all of them" }
                label.check {
                    input type="checkbox" name="all" value="1";
                    span { "all " (part::number(total)) " of this query" }
                }
                span.acts {
                    @for (act, words, right) in ACTS {
                        @if frame.may(right) {
                            button type="submit" name="act" value=(act) { (words) }
                        }
                    }
                }
            }
        }
    }
}

/// From the boxes to the page of the act.
pub(super) async fn act(
    State(house): State<Arc<House>>,
    who: Who,
    Path(id): Path<String>,
    Asked(fields): Asked<Vec<(String, String)>>,
) -> Page {
    let id: SearchId = id.parse().map_err(|_| Refusal::not_found())?;
    let of = |name: &str| {
        let name = name.to_owned();
        fields
            .iter()
            .filter(move |(field, _)| *field == name)
            .map(|(_, value)| value.as_str())
    };
    let all = of("all").any(|value| value == "1");
    let session = who.session.clone();
    house
        .ask(move |appliance| appliance.kept_search(&session, id).map(drop))
        .await?;
    let hits = match (all, of("hit").next()) {
        (true, _) => Vec::new(),
        (false, None) => return Ok(Redirect::to(&format!("/s/{id}?none=1")).into_response()),
        (false, Some(_)) => messages(of("hit"))?,
    };
    let names: Vec<String> = hits.iter().map(ToString::to_string).collect();
    let chosen = Chosen {
        search: id.to_string(),
        hits: names.join(" "),
        all: if all { "1" } else { "" }.to_owned(),
    };
    let to = match of("act").next() {
        Some("label") => format!("/labels/put?{}", chosen.tail()),
        Some("hold") => format!("/matters?{}", chosen.tail()),
        Some("export") if all => format!("/s/{id}/export"),
        Some("export") => format!("/s/{id}/export/{}", names.join(".")),
        _ => return Err(Refusal::usage("Say what is to be done with them.")),
    };
    Ok(Redirect::to(&to).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_what_is_chosen_travels_by_ids_alone() {
        let chosen = Chosen {
            search: "srch_1&x=<b>".to_owned(),
            hits: "msg_1 msg_2\"".to_owned(),
            all: String::new(),
        };
        assert_eq!(chosen.tail(), "search=srch_1xb&hits=msg_1+msg_2&all=");
        assert!(!chosen.fields().into_string().contains("<b>"));
        assert!(messages([].into_iter()).is_err());
        assert!(messages(["msg_zzz"].into_iter()).is_err());
        let id = MessageId(7).to_string();
        let many = vec![id.as_str(); CHOSEN_MAX + 1];
        assert!(messages(many.into_iter()).is_err());
        assert_eq!(messages([id.as_str()].into_iter()), Ok(vec![MessageId(7)]));
    }
}
