//! What every page keeps to, whoever asks: structure, labels, no script in it, no address elsewhere,
//! words of people in their own direction and in no title and no address.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use wordkeep::domain::Role;
use wordkeep::http::ROUTES;

use crate::html::{Document, Element};
use crate::served::{CANARY, Served, TITLE, WRITER, Who, served};

/// Attributes that hold addresses.
const ADDRESSES: [&str; 11] = [
    "href",
    "src",
    "srcset",
    "action",
    "formaction",
    "poster",
    "data",
    "hx-get",
    "hx-post",
    "hx-put",
    "hx-delete",
];
/// Parts of htmx that need evaluation, and fail without it silently.
const FORBIDDEN_HTMX: [&str; 4] = ["hx-on", "hx-ext", "hx-preserve", "hx-vars"];

/// Every breach of one page, in words.
fn breaches(document: &Document, fragment: bool, signed_in: bool) -> Vec<String> {
    let mut found = Vec::new();
    if !fragment {
        structure(document, &mut found);
    }
    let mut ids = BTreeSet::new();
    for element in &document.elements {
        if let Some(id) = element.get("id")
            && (id.is_empty() || !ids.insert(id))
        {
            found.push(format!("the id \"{id}\" stands twice"));
        }
        inline(element, &mut found);
        addresses(element, &mut found);
    }
    for element in &document.elements {
        for name in [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "aria-controls",
        ] {
            for id in element.get(name).unwrap_or("").split(' ') {
                if !id.is_empty() && !ids.contains(id) {
                    found.push(format!("{name}=\"{id}\" names nothing"));
                }
            }
        }
    }
    forms(document, signed_in, &mut found);
    labels(document, &mut found);
    people(document, &mut found);
    found
}

fn structure(document: &Document, found: &mut Vec<String>) {
    for (name, times) in [("h1", 1), ("main", 1), ("title", 1), ("html", 1)] {
        // A drawing has titles of its own.
        let is_drawn = |one: &Element| {
            let mut around = one.around.iter();
            around.any(|place| document.elements[*place].name == "svg")
        };
        let count = document.named(name).filter(|one| !is_drawn(one)).count();
        if count != times {
            found.push(format!("<{name}> stands {count} times"));
        }
    }
    for (name, attribute) in [("html", "lang"), ("img", "alt")] {
        for element in document.named(name) {
            if !element.has(attribute) {
                found.push(format!("<{name}> without {attribute}"));
            }
        }
    }
    for element in document.named("h1").chain(document.named("title")) {
        if element.text.trim().is_empty() {
            found.push(format!("<{}> is empty", element.name));
        }
    }
}

fn inline(element: &Element, found: &mut Vec<String>) {
    let name = &element.name;
    if name == "style" || name == "base" || name == "iframe" || name == "object" {
        found.push(format!("<{name}> has no place in a page"));
    }
    if name == "script" && (!element.text.is_empty() || !element.has("src")) {
        found.push("a script in the page itself".to_owned());
    }
    for (attribute, value) in &element.attributes {
        let forbidden = FORBIDDEN_HTMX.iter().any(|one| {
            attribute
                .strip_prefix("data-")
                .unwrap_or(attribute)
                .starts_with(one)
        });
        let evaluated = attribute.starts_with("hx-") && value.contains("js:");
        if attribute == "style" || attribute.starts_with("on") || forbidden || evaluated {
            found.push(format!("<{name} {attribute}=\"{value}\">"));
        }
    }
}

fn addresses(element: &Element, found: &mut Vec<String>) {
    for name in ADDRESSES {
        let Some(value) = element.get(name) else {
            continue;
        };
        let ours = value.starts_with('#') || value.starts_with('?');
        let ours = ours || (value.starts_with('/') && !value.starts_with("//"));
        if !ours || value.contains('\\') {
            found.push(format!("{name}=\"{value}\" leads out of the house"));
        }
        let value = value.to_lowercase();
        // A first name alone may stand in an id by chance.
        let writer = WRITER.to_lowercase();
        let writers = ["%20", "+", " "].map(|gap| writer.replace(' ', gap));
        let title = TITLE.split(' ').next().unwrap().to_lowercase();
        let words = writers.iter().map(String::as_str);
        if words
            .chain([CANARY, &title])
            .any(|word| value.contains(word))
        {
            found.push(format!("{name}=\"{value}\" holds words of people"));
        }
    }
}

fn forms(document: &Document, signed_in: bool, found: &mut Vec<String>) {
    for (place, form) in document.elements.iter().enumerate() {
        if form.name != "form" {
            continue;
        }
        let to = form.get("action").unwrap_or("(here)");
        match form.get("method").map(str::to_lowercase).as_deref() {
            Some("post") => {
                let marked = document.inside(place).any(|element| {
                    element.name == "input"
                        && element.get("name") == Some("csrf")
                        && element.get("value").is_some_and(|value| value.len() == 64)
                });
                // Who signs in has no session yet that a mark could belong to.
                let outside = matches!(
                    to,
                    "/sign-in" | "/enter" | "/setup" | "/unlock" | "/notice" | "/notice/confirm"
                );
                if signed_in && !outside && !marked {
                    found.push(format!("the form to {to} carries no mark"));
                }
            }
            Some("get") => {
                let marked = document
                    .inside(place)
                    .any(|element| element.get("name") == Some("csrf"));
                if marked {
                    found.push(format!(
                        "the form to {to} would put its mark into an address"
                    ));
                }
            }
            _ => found.push(format!("the form to {to} does not say its method")),
        }
    }
}

fn labels(document: &Document, found: &mut Vec<String>) {
    for element in &document.elements {
        let quiet = matches!(element.get("type"), Some("hidden" | "submit"));
        let control = matches!(element.name.as_str(), "input" | "select" | "textarea");
        let within = |name: &str| {
            let mut around = element.around.iter();
            around.any(|place| document.elements[*place].name == name)
        };
        let named_by = |id: &str| {
            document
                .named("label")
                .any(|label| label.get("for") == Some(id))
        };
        let labelled = element.has("aria-label")
            || element.has("aria-labelledby")
            || within("label")
            || element.get("id").is_some_and(named_by);
        if control && !quiet && !labelled {
            let name = element.get("name").unwrap_or("?");
            found.push(format!("<{} name=\"{name}\"> has no label", element.name));
        }
        let clickable = matches!(element.name.as_str(), "button" | "a" | "summary");
        let says = !element.text.trim().is_empty() || element.has("aria-label");
        if clickable && !says {
            found.push(format!("<{}> says nothing", element.name));
        }
    }
}

/// Words that people wrote stand in their own direction, where nothing is processed.
fn people(document: &Document, found: &mut Vec<String>) {
    let mut said = BTreeSet::new();
    for (text, around) in &document.texts {
        let around: Vec<&Element> = around
            .iter()
            .map(|place| &document.elements[*place])
            .collect();
        let in_head = around.iter().any(|element| element.name == "head");
        let directed = around
            .iter()
            .any(|element| element.name == "bdi" || element.get("dir") == Some("auto"));
        // A field holds what somebody typed as text, and processes nothing.
        let left_alone = around
            .iter()
            .any(|element| element.has("hx-disable") || element.name == "textarea");
        for word in [CANARY, WRITER, TITLE] {
            if !text.contains(word) {
                continue;
            }
            if in_head {
                said.insert(format!("\"{word}\" stands in the head of the page"));
            } else if !directed || !left_alone {
                let inner = around.last().map_or("?", |element| &element.name);
                said.insert(format!(
                    "\"{word}\" stands in <{inner}> without its own direction or processed"
                ));
            }
        }
    }
    found.extend(said);
}

/// Whether a page is one that is loaded into another.
fn is_fragment(body: &str) -> bool {
    !body.starts_with("<!DOCTYPE html>")
}

/// Every page of a person, with its path.
fn pages(served: &Served, who: Who) -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for route in ROUTES.iter().copied().flatten() {
        if route.method != Method::GET || route.is_api() || !who.may_take(route.access) {
            continue;
        }
        let path = served.path(route, who);
        let answer = served.get(who, &path);
        if answer.kind().starts_with("text/html") {
            pages.push((path, answer.body));
        }
    }
    pages
}

#[test]
fn m6_every_page_is_well_formed_labelled_marked_and_without_script_of_its_own() {
    let served = served();
    let (mut found, mut seen, mut words) = (Vec::new(), 0, 0);
    for who in Who::all() {
        for (path, body) in pages(&served, who) {
            seen += 1;
            words += usize::from(body.contains(CANARY));
            let document = match Document::read(&body) {
                Ok(document) => document,
                Err(why) => {
                    found.push(format!("{who} {path}: {why}"));
                    continue;
                }
            };
            let laws = breaches(&document, is_fragment(&body), who != Who::Outsider);
            found.extend(laws.into_iter().map(|law| format!("{who} {path}: {law}")));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(seen >= 20 && words >= 2, "{seen} pages, {words} with words");
}

#[test]
fn m6_every_page_of_a_role_can_be_opened() {
    let served = served();
    let mut wrong = Vec::new();
    for role in Role::ALL {
        let who = Who::Person(role);
        for route in ROUTES.iter().copied().flatten() {
            let closed = matches!(route.path, "/setup" | "/unlock");
            // There is no provider here: single sign-on has laws of its own.
            let closed = closed || route.path.contains("/sso/");
            let api = route.is_api() || route.method != Method::GET;
            // Without a provider these lead nowhere; with one, to it and back (`sso.rs`).
            let away = route.path.starts_with("/sso/") || route.path == "/users/sso/test";
            if api || closed || away || !who.may_take(route.access) {
                continue;
            }
            let path = served.path(route, who);
            let answer = served.get(who, &path);
            let open = answer.status == StatusCode::OK || answer.status == StatusCode::SEE_OTHER;
            // Only the own conversations of a manager, the own searches of a reader; no message is
            // within the sight of an auditor, so none is there to ask about.
            let unseen = role == Role::Auditor && route.path.starts_with("/m/");
            // Administrators and managers have nothing to export.
            let exports = role == Role::Administrator && route.path.starts_with("/exports/");
            // The job of the harness counted no terms.
            let exports = exports || route.path.starts_with("/terms/{");
            let narrowed = answer.status == StatusCode::NOT_FOUND
                && (role == Role::Manager || unseen || exports || route.path.contains("{no}"));
            if !open && !narrowed {
                wrong.push(format!("{who} {path}: {}", answer.status));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn m6_hostile_words_leave_as_text() {
    let served = served();
    let lawyer = Who::Person(Role::Lawyer);
    let slice = served.slice(1_000);
    let hostile = slice
        .messages
        .iter()
        .find(|message| message.body.contains("onerror"));
    let hostile = hostile.unwrap();
    let path = format!("/c/{}?at={}", served.ids["c"], hostile.id);
    let page = served.get(lawyer, &path);
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("&lt;img src=x"), "the message is shown");
    let document = Document::read(&page.body).unwrap();
    assert!(document.named("img").next().is_none());
    assert_eq!(breaches(&document, false, true), Vec::<String>::new());
}

/// Each law fails on a page that breaks it.
#[test]
fn the_laws_of_pages_find_what_is_planted() {
    let frame = |content: &str| {
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>A page</title></head><body><main>\
             <h1>One</h1>{content}</main></body></html>"
        )
    };
    let sound = Document::read(&frame("<p>fine</p>")).unwrap();
    assert_eq!(breaches(&sound, false, true), Vec::<String>::new());
    for (planted, law) in [
        ("<p style=\"color:red\">x</p>", "style"),
        ("<p onclick=\"x()\">x</p>", "onclick"),
        ("<p hx-on:click=\"x()\">x</p>", "hx-on"),
        ("<a href=\"https://example.com/\">x</a>", "out of the house"),
        ("<a href=\"//example.com/\">x</a>", "out of the house"),
        ("<p id=\"a\">x</p><p id=\"a\">y</p>", "twice"),
        ("<form method=\"post\" action=\"/x\"></form>", "no mark"),
        ("<form action=\"/x\"></form>", "method"),
        ("<input name=\"query\">", "no label"),
        ("<h1>Two</h1>", "h1"),
        ("<script>1</script>", "script"),
        ("<p>quetzalix</p>", "direction"),
        ("<p dir=\"auto\">quetzalix</p>", "processed"),
        ("<a href=\"/search?q=quetzalix\">x</a>", "words of people"),
        ("<label for=\"gone\">x</label>", "names nothing"),
        ("<button></button>", "says nothing"),
    ] {
        let document = Document::read(&frame(planted)).unwrap();
        let found = breaches(&document, false, true).join("; ");
        assert!(found.contains(law), "{planted}: {found}");
    }
}
