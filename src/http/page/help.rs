//! Help that stands in the house itself: keys, and who can use the pages with what.

mod criteria;

use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use axum::routing::{get, post};
use maud::html;
use serde::Deserialize;

use super::super::cookie;
use super::super::posted::Posted;
use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section, role_name};
use crate::domain::{Right, Role};
use criteria::{CRITERIA, Stand};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/help", Access::SignedIn, || get(index)),
    Route::get("/help/tour", Access::SignedIn, || get(tour)),
    Route::get("/help/keys", Access::SignedIn, || get(keys)),
    Route::post("/help/keys", Access::SignedIn, || post(switch)),
    Route::get("/help/accessibility", Access::SignedIn, || {
        get(accessibility)
    }),
];

async fn index(frame: Frame) -> Page {
    let content = html! {
        h1 { "Help" }
        div.cards {
            a.card.duty href="/help/tour" {
                h2 { "Tour" }
                p { "What there is to try, in ten minutes." }
            }
            a.card.duty href="/help/keys" {
                h2 { "Keyboard" }
                p { "Every key, and how to do without them." }
            }
            a.card.duty href="/help/api" {
                h2 { "API" }
                p { "What programs can ask and do, operation by operation." }
            }
            a.card.duty href="/problems" {
                h2 { "What can be wrong" }
                p { "Every refusal, what it means and what to do." }
            }
            a.card.duty href="/help/accessibility" {
                h2 { "Accessibility" }
                p { "What the pages promise, criterion by criterion, and what is still open." }
            }
        }
    };
    Ok(frame.at(Section::Outside, "Help").page(&content))
}

/// Every key the pages know, with what it does.
const KEYS: [(&[&str], &str); 20] = [
    (&["/"], "To the query, where the page has one"),
    (&["j"], "Next row, hit or message"),
    (&["k"], "Row, hit or message before"),
    (&["Enter"], "Open what is focused"),
    (&["Space"], "Preview of the hit that is focused"),
    (&["x"], "Choose the hit that is focused"),
    (
        &["X"],
        "Choose every hit from the one chosen last to this one",
    ),
    (
        &["n"],
        "Next hit of your search, in a conversation; next page of hits",
    ),
    (&["p"], "Hit before"),
    (
        &["c"],
        "Copy how to cite the message that is focused: who, when, id, SHA-256",
    ),
    (&["]"], "Next day, in a conversation"),
    (&["["], "Day before"),
    (
        &["Page Down", "Page Up"],
        "Next message, message before, in a conversation",
    ),
    (&["g", "s"], "Search"),
    (&["g", "c"], "Conversations"),
    (&["g", "m"], "Matters"),
    (&["g", "r"], "Retention"),
    (&["g", "a"], "Audit"),
    (&["g", "h"], "Home"),
    (&["?"], "This page"),
];

async fn keys(frame: Frame) -> Page {
    let content = html! {
        h1 { "Keyboard" }
        p {
            "Everything can be done with Tab, Enter and Space alone. The keys below are quicker ways; \
             they do nothing while you type in a field, nor together with Ctrl, Alt or Cmd, and the \
             keys of your browser stay what they are. Two keys are pressed one after the other."
        }
        div.scroll {
            table.grid {
                thead { tr { th { "Key" } th { "What it does" } } }
                tbody {
                    @for (keys, what) in KEYS {
                        tr {
                            th scope="row" {
                                @for key in keys { kbd { (key) } " " }
                            }
                            td { (what) }
                        }
                    }
                }
            }
        }
        @let on = frame.has_keys();
        form method="post" action="/help/keys" {
            (frame.mark())
            p {
                "Single keys are " strong { @if on { "on" } @else { "off" } } " in this browser. "
                button type="submit" name="keys" value=(if on { "off" } else { "on" }) {
                    @if on { "Switch them off" } @else { "Switch them on" }
                }
            }
        }
    };
    Ok(frame.at(Section::Outside, "Keyboard").page(&content))
}

async fn accessibility(frame: Frame) -> Page {
    let met = CRITERIA
        .iter()
        .filter(|one| one.stand == Stand::Met)
        .count();
    let none = CRITERIA
        .iter()
        .filter(|one| one.stand == Stand::None)
        .count();
    let content = html! {
        h1 { "Accessibility" }
        p {
            "The pages aim at WCAG 2.2, level AA. They work without script, with the keyboard alone, in \
             light, dark and forced colours, and without movement where your system asks for that. \
             Machines check every page; screen readers were not tried yet."
        }
        p {
            "Of " (CRITERIA.len()) " criteria " (met) " are met, " (none) " have nothing to be met on, "
            (CRITERIA.len() - met - none) " are open."
        }
        div.scroll {
            table.grid {
                thead { tr { th { "Criterion" } th { "Level" } th { "About" } th { "Stands" } th { "How" } } }
                tbody {
                    @for one in &CRITERIA {
                        tr {
                            th scope="row" { (one.number) }
                            td { (one.level) }
                            td { (one.about) }
                            td {
                                @match one.stand {
                                    Stand::Met => span.chip.good { "met" },
                                    Stand::None => span.chip { "nothing of it" },
                                    Stand::Open => span.chip.warn { "open" },
                                }
                            }
                            td { (one.how) }
                        }
                    }
                }
            }
        }
        p { "Messages keep the direction of their own script, whatever the language of the pages." }
    };
    Ok(frame.at(Section::Outside, "Accessibility").page(&content))
}

/// A step of the tour: what to do, where, and who may.
struct Step {
    title: &'static str,
    text: &'static str,
    way: (&'static str, &'static str),
    /// All of them are needed.
    rights: &'static [Right],
}

/// What there is to try, in the order of a first morning.
const TOUR: [Step; 10] = [
    Step {
        title: "Find a promise",
        text: "Ask for discount OR rebate. Read how the query was understood, and that the count is exact.",
        way: ("Search", "/search"),
        rights: &[Right::ReadContent],
    },
    Step {
        title: "See it where it was said",
        text: "Open a hit, then go from hit to hit: n and p, or the buttons above the messages.",
        way: ("Search", "/search"),
        rights: &[Right::ReadContent],
    },
    Step {
        title: "See what was changed afterwards",
        text: "Ask for is:edited, open the details of a message, and look at what changed and at its source line.",
        way: ("Search", "/search"),
        rights: &[Right::ReadContent],
    },
    Step {
        title: "Bring a chat in",
        text: "Choose an exported chat. What the file leaves open is asked with its evidence; twice is once.",
        way: ("Import", "/imports"),
        rights: &[Right::Import],
    },
    Step {
        title: "Hold what a case needs",
        text: "Open a matter, describe what must stay, look at what that protects, and place the hold.",
        way: ("Matters", "/matters"),
        rights: &[Right::PlaceHolds],
    },
    Step {
        title: "Put a label on a message",
        text: "Make a label, then put it on a message or a conversation. Policies may name it.",
        way: ("Labels", "/labels"),
        rights: &[Right::MarkRecords],
    },
    Step {
        title: "Ask why something is still here",
        text: "In the details of a message: every policy, hold, label and date that has a say.",
        way: ("Conversations", "/c"),
        rights: &[Right::ReadContent, Right::ReadRules],
    },
    Step {
        title: "Simulate a policy",
        text: "Write a policy and see over the whole archive what it would let go, before it is enabled.",
        way: ("Retention", "/retention"),
        rights: &[Right::WriteRules],
    },
    Step {
        title: "Approve a list",
        text: "Look through what is due, take out what must stay, approve the rest. A week can call it off.",
        way: ("Disposition", "/dispositions"),
        rights: &[Right::ReviewDisposition],
    },
    Step {
        title: "Prove that nothing was changed",
        text: "Verify the log and the record, and read who searched for what.",
        way: ("Verify", "/audit/verify"),
        rights: &[Right::Verify],
    },
];

fn is_open(frame: &Frame, step: &Step) -> bool {
    step.rights.iter().all(|right| frame.may(*right))
}

async fn tour(frame: Frame) -> Page {
    let content = html! {
        h1 { "A tour in ten minutes" }
        p { "What you may do comes first; the rest is done by others here. Ticks are yours alone and are not kept." }
        ol.tour {
            @for step in TOUR.iter().filter(|step| is_open(&frame, step)) {
                li.card {
                    label.check { input type="checkbox"; strong { (step.title) } }
                    p { (step.text) }
                    p { a.button href=(step.way.1) { (step.way.0) } }
                }
            }
        }
        @let others = TOUR.iter().filter(|step| !is_open(&frame, step));
        @if others.clone().next().is_some() {
            h2 { "Done by others" }
            ul.rows {
                @for step in others {
                    li {
                        strong { (step.title) } ": "
                        @for (place, role) in Role::ALL.iter().filter(|role| step.rights.iter().all(|right| role.may(*right))).enumerate() {
                            @if place > 0 { ", " }
                            (role_name(*role))
                        }
                    }
                }
            }
        }
    };
    Ok(frame.at(Section::Outside, "Tour").page(&content))
}

#[derive(Deserialize)]
struct Switch {
    #[serde(default)]
    keys: String,
}

/// Switches the single keys on or off, for this browser.
async fn switch(Posted(switch): Posted<Switch>) -> Page {
    let cookie = cookie::keys(switch.keys != "off");
    Ok((
        AppendHeaders([(header::SET_COOKIE, cookie)]),
        Redirect::to("/help/keys"),
    )
        .into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_keys_names_those_of_the_script() {
        let script = include_str!("../assets/keys.js");
        let singles = KEYS.iter().filter(|(keys, _)| keys.len() == 1);
        for (keys, _) in singles.filter(|(keys, _)| keys[0] != "Enter") {
            let key = if keys[0] == "Space" { " " } else { keys[0] };
            let (quoted, bare) = (format!("\"{key}\":"), format!("{key}:"));
            assert!(
                script.contains(&quoted) || script.contains(&bare),
                "{keys:?}"
            );
        }
        for (keys, _) in KEYS.iter().filter(|(keys, _)| keys[0] == "g") {
            assert!(script.contains(&format!("{}: \"/", keys[1])), "{keys:?}");
        }
    }
}
