//! Help that stands in the house itself: keys, and who can use the pages with what.

use axum::routing::get;
use maud::html;

use super::super::route::{Access, Route};
use super::Page;
use super::frame::{Frame, Section};

pub(in crate::http) const ROUTES: &[Route] = &[
    Route::get("/help", Access::SignedIn, || get(index)),
    Route::get("/help/keys", Access::SignedIn, || get(keys)),
    Route::get("/help/accessibility", Access::SignedIn, || {
        get(accessibility)
    }),
];

async fn index(frame: Frame) -> Page {
    let content = html! {
        h1 { "Help" }
        div.cards {
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
const KEYS: [(&[&str], &str); 12] = [
    (&["/"], "To the query, where the page has one"),
    (&["j"], "Next row, hit or message"),
    (&["k"], "Row, hit or message before"),
    (&["Enter"], "Open what is focused"),
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
    };
    Ok(frame.at(Section::Outside, "Keyboard").page(&content))
}

/// Criteria of WCAG 2.2 that pages like these fail most, with how they are met here.
const CRITERIA: [(&str, &str, &str); 17] = [
    (
        "1.1.1",
        "Text for what is not text",
        "Pictures are the mark and bars beside numbers; both are hidden from readers, the words and numbers stand beside them.",
    ),
    (
        "1.3.1",
        "Structure",
        "One heading of the first rank, landmarks, tables with headings, a label for every field.",
    ),
    (
        "1.4.1",
        "Not by colour alone",
        "Every state is a word; colour repeats it.",
    ),
    (
        "1.4.3",
        "Contrast",
        "Colours are tokens with at least 4.5 to 1, light and dark.",
    ),
    (
        "1.4.4, 1.4.10",
        "Large text, narrow windows",
        "200 % text and 320 px need no scrolling sideways, except in tables.",
    ),
    (
        "1.4.11",
        "Contrast of controls",
        "Borders of fields and the focus ring have at least 3 to 1.",
    ),
    (
        "2.1.1, 2.1.2",
        "Keyboard",
        "Everything is a link, a button or a field; nothing holds the focus.",
    ),
    (
        "2.1.4",
        "Single keys",
        "They are off in fields, and everything they do can be done without them. They cannot be switched off or changed yet.",
    ),
    (
        "2.4.1",
        "Skipping",
        "The first stop of every page leads to its content.",
    ),
    (
        "2.4.3, 2.4.7",
        "Focus",
        "Its order is that of the page, and it is always visible.",
    ),
    (
        "2.4.11",
        "Focus not covered",
        "What sticks to the top leaves room for it.",
    ),
    (
        "2.5.7",
        "No dragging needed",
        "Files can be chosen as well as dropped.",
    ),
    (
        "2.5.8",
        "Size of targets",
        "Buttons and links in lists are at least 24 px high.",
    ),
    (
        "3.3.1, 3.3.3",
        "Errors",
        "They stand in words above the form, which stays filled.",
    ),
    (
        "3.3.7",
        "Nothing asked twice",
        "What was answered is kept; the password is asked again only before dangerous acts.",
    ),
    (
        "3.3.8",
        "Signing in",
        "Password managers and pasting work; no puzzle is asked.",
    ),
    (
        "4.1.3",
        "Messages of state",
        "What was done and what came later is announced without taking the focus.",
    ),
];

async fn accessibility(frame: Frame) -> Page {
    let content = html! {
        h1 { "Accessibility" }
        p {
            "The pages aim at WCAG 2.2, level AA. They work without script, with the keyboard alone, in \
             light, dark and forced colours, and without movement where your system asks for that. The \
             table says how, and names what is still open. Screen readers were not tried yet."
        }
        div.scroll {
            table.grid {
                thead { tr { th { "Criterion" } th { "What" } th { "How it stands" } } }
                tbody {
                    @for (number, what, how) in CRITERIA {
                        tr { th scope="row" { (number) } td { (what) } td { (how) } }
                    }
                }
            }
        }
        p { "Messages keep the direction of their own script, whatever the language of the pages." }
    };
    Ok(frame.at(Section::Outside, "Accessibility").page(&content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_keys_names_those_of_the_script() {
        let script = include_str!("../assets/keys.js");
        let singles = KEYS.iter().filter(|(keys, _)| keys.len() == 1);
        for (keys, _) in singles.filter(|(keys, _)| keys[0] != "Enter") {
            let (quoted, bare) = (format!("\"{}\":", keys[0]), format!("{}:", keys[0]));
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
