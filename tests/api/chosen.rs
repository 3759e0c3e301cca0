//! Hits that are chosen on the page of a search, with what can be done with them; how hits are shown; and
//! reports on many terms at once.

use axum::http::StatusCode;
use wordkeep::domain::Role;
use wordkeep::search::Order;

use crate::house::count;
use crate::served::{Served, Who, served, settled};

const LAW: Who = Who::Person(Role::Lawyer);
const REC: Who = Who::Person(Role::RecordsOfficer);
const MAN: Who = Who::Person(Role::Manager);

/// The page of a search of somebody.
fn asked(served: &Served, role: Role, query: &str) -> String {
    let session = served.session(role);
    let app = &served.court.appliance;
    let id = app.keep_search(&session, query, Order::Newest).unwrap();
    format!("/s/{id}")
}

/// The messages that can be chosen on a page, in its order.
fn boxes(body: &str) -> Vec<String> {
    body.split("name=\"hit\" value=\"")
        .skip(1)
        .map(|rest| rest[..rest.find('"').unwrap()].to_owned())
        .collect()
}

#[test]
fn x1_hits_are_chosen_and_labelled_held_or_exported_by_who_may() {
    let served = served();
    let page = asked(&served, Role::Lawyer, "quetzalixword3");
    let hits = boxes(&served.get(LAW, &page).body);
    assert!(hits.len() > 1, "{hits:?}");
    let chosen = |act: &str| {
        let path = format!("{page}/chosen?hit={}&hit={}&act={act}", hits[0], hits[1]);
        let answer = served.get(LAW, &path);
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        answer.location().to_owned()
    };
    // Label: two, then every one, each in one entry.
    let label = served.get(LAW, &chosen("label"));
    assert!(
        label.body.contains("Label 2 chosen messages"),
        "{}",
        label.body
    );
    let labels = served.court.appliance.labels(&served.court.law).unwrap();
    let name = labels[0].id.to_string();
    let (search, two) = (page.rsplit('/').next().unwrap(), hits[..2].join(" "));
    let fields = [("label", name.as_str()), ("search", search), ("hits", &two)];
    let done = served.post_form(LAW, "/labels/put", &fields);
    let job = settled(&served, LAW, done.location());
    assert!(
        job.body.contains("2 messages carry the label."),
        "{}",
        job.body
    );
    let carried = || served.court.appliance.labels(&served.court.law).unwrap()[0].messages;
    assert_eq!(carried(), 2);
    let all = [("label", name.as_str()), ("search", search), ("all", "1")];
    let done = served.post_form(LAW, "/labels/put", &all);
    settled(&served, LAW, done.location());
    let total = count(&served.court.appliance, &served.court.law, "quetzalixword3");
    assert_eq!(carried(), total);
    // Hold: the form is filled, in the matter that is chosen.
    let matters = served.get(LAW, &chosen("hold"));
    assert!(
        matters
            .body
            .contains("In which matter to hold 2 chosen messages?")
    );
    let way = matters.body.split("/hold?search=").nth(1).unwrap();
    let tail = way[..way.find('"').unwrap()].replace("&amp;", "&");
    let matter = served.court.appliance.matters(&served.court.law).unwrap()[0].id;
    let form = served.get(LAW, &format!("/matters/{matter}/hold?search={tail}"));
    for id in &hits[..2] {
        assert!(form.body.contains(id.as_str()));
    }
    let everything = format!("/matters/{matter}/hold?search={search}&all=1");
    assert!(
        served
            .get(LAW, &everything)
            .body
            .contains("quetzalixword3</textarea>")
    );
    // Export: only these, and nobody's choice reaches into the search of somebody else.
    let export = served.get(LAW, &chosen("export"));
    assert!(
        export.body.contains("Export 2 chosen messages"),
        "{}",
        export.body
    );
    let foreign = served.get(REC, &format!("{page}/chosen?hit={}&act=label", hits[0]));
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let none = served.get(LAW, &format!("{page}/chosen?act=label"));
    let again = served.get(LAW, none.location());
    assert!(again.body.contains("Choose hits first"), "{}", again.body);
}

#[test]
fn e1_an_export_of_chosen_hits_holds_these_and_says_so() {
    let served = served();
    let page = asked(&served, Role::Lawyer, "quetzalixword3");
    let hits = boxes(&served.get(LAW, &page).body);
    let path = format!("{page}/export/{}.{}", hits[0], hits[1]);
    let begun = served.post_form(LAW, &path, &[("reason", "the court asks")]);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    let job = settled(&served, LAW, begun.location());
    assert!(
        job.body.contains("2 messages are in the bundle"),
        "{}",
        job.body
    );
    let elsewhere = boxes(
        &served
            .get(LAW, &asked(&served, Role::Lawyer, "quetzalixword4"))
            .body,
    );
    let others: Vec<_> = elsewhere.iter().filter(|id| !hits.contains(id)).collect();
    let path = format!("{page}/export/{}", others[0]);
    let begun = served.post_form(LAW, &path, &[("reason", "the court asks")]);
    let job = settled(&served, LAW, begun.location());
    assert!(
        job.body.contains("one of the chosen messages is a hit"),
        "{}",
        job.body
    );
}

#[test]
fn x1_who_can_do_nothing_with_hits_chooses_none() {
    let served = served();
    let page = served.get(MAN, &asked(&served, Role::Manager, "quetzalixword3"));
    assert_eq!(page.status, StatusCode::OK);
    let acts = ["value=\"label\"", "value=\"hold\"", "value=\"export\""];
    let may = acts.iter().any(|act| page.body.contains(act));
    assert_eq!(!boxes(&page.body).is_empty(), may);
}

#[test]
fn x1_the_address_keeps_how_hits_are_shown() {
    let served = served();
    let page = asked(&served, Role::Lawyer, "quetzalix*");
    let shown = |tail: &str| served.get(LAW, &format!("{page}{tail}")).body;
    let lines = |body: &str| body.matches("line context").count();
    assert_eq!(lines(&shown("?lines=0")), 0);
    assert!(shown("?by=day").contains("class=\"by-day\""));
    assert!(shown("?by=flat").contains("class=\"place\""));
    let next = shown("?lines=3&by=day");
    let way = next.split("rel=\"next\" href=\"").nth(1).unwrap();
    assert!(
        way.contains("lines=3&amp;by=day&amp;after="),
        "{}",
        &way[..200]
    );
}

#[test]
fn s9_a_report_counts_every_term_and_what_only_it_finds() {
    let served = served();
    let app = &served.court.appliance;
    let law = &served.court.law;
    let terms = [
        "quetzalixword3",
        "quetzalixword*",
        "nothinglikethis",
        "on:05/03/2024",
    ];
    let terms: Vec<String> = terms.iter().map(ToString::to_string).collect();
    let report = app.term_report(law, &terms, &mut |_, _, _| true).unwrap();
    for line in report.lines.iter().filter(|line| line.refused.is_none()) {
        assert_eq!(line.messages, count(app, law, &line.text), "{}", line.text);
        let people: u64 = line.by_person.iter().map(|(_, count)| count).sum();
        assert!(people <= line.messages);
        assert!(line.conversations <= line.conversation_days);
    }
    let [one, all, nothing, unclear] = report.lines.as_slice() else {
        panic!("{report:?}");
    };
    assert!(one.messages > 0 && one.unique == 0);
    assert_eq!(all.unique, all.messages - one.messages);
    assert_eq!((nothing.messages, nothing.unique), (0, 0));
    assert!(unclear.refused.as_ref().unwrap().starts_with("Q009"));
    assert_eq!(report.messages, all.messages);
    let stopped = app.term_report(law, &terms, &mut |_, _, _| false);
    assert!(stopped.is_err());
    assert!(app.term_report(law, &[], &mut |_, _, _| true).is_err());
    // Somebody who sees less counts less.
    let narrow = app.term_report(&served.session(Role::Manager), &terms, &mut |_, _, _| true);
    assert!(narrow.unwrap().messages < report.messages);
}

#[test]
fn s9_the_page_takes_typed_terms_and_a_table_and_gives_one_back() {
    let served = served();
    let mark = served.csrf(Role::Lawyer);
    let typed = [("terms", "quetzalixword3\n\n<b>bold</b>")];
    let file = "term\r\n\"\"\"about the shipment\"\"\",x\r\n=1+1\r\n";
    let begun = served.post_file(LAW, "/terms", &mark, &typed, file);
    assert_eq!(begun.status, StatusCode::SEE_OTHER, "{}", begun.body);
    let page = settled(&served, LAW, begun.location());
    assert_eq!(page.status, StatusCode::OK);
    for words in [
        "quetzalixword3",
        "&lt;b&gt;bold",
        "&quot;about the shipment&quot;",
        "audit #",
    ] {
        assert!(page.body.contains(words), "no {words} in {}", page.body);
    }
    let job = begun.location().rsplit('=').next().unwrap();
    let table = served.get(LAW, &format!("/terms/{job}/report.csv"));
    assert!(table.kind().starts_with("text/csv"));
    assert!(table.body.contains("'=1+1"), "{}", table.body);
    let foreign = served.get(REC, &format!("/terms/{job}/report.csv"));
    assert_eq!(foreign.status, StatusCode::NOT_FOUND);
    let empty = served.post_file(LAW, "/terms", &mark, &[("terms", " ")], "");
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
    assert!(empty.body.contains("1 to 1000 terms"), "{}", empty.body);
}
