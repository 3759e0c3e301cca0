//! Reading as a browser does it: months, both readings of a query, from hit to hit, one message, labels,
//! events, the recovery kit.

use axum::http::{StatusCode, header};
use wordkeep::app::{LabelOn, SearchRequest, WalkRequest};
use wordkeep::domain::{MessageId, Role, SearchId, Timestamp};
use wordkeep::search::Order;

use crate::served::{Answer, CANARY, Served, TITLE, Who, served};

const LAWYER: Who = Who::Person(Role::Lawyer);
const OFFICER: Who = Who::Person(Role::RecordsOfficer);
const MANAGER: Who = Who::Person(Role::Manager);
const ROOT: Who = Who::Person(Role::Administrator);

fn total(served: &Served, query: &str) -> u64 {
    let app = &served.court.appliance;
    let mut request = SearchRequest::new(query);
    request.count_only = true;
    app.search(&served.court.law, &request)
        .unwrap()
        .answer
        .total
}

/// Asks as the page does, and follows to the hits.
fn asked(served: &Served, fields: &[(&str, &str)]) -> Answer {
    let sent = served.post_form(LAWYER, "/search", fields);
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    served.get(LAWYER, sent.location())
}

/// What stands between two pieces of a page, each time.
fn between<'a>(body: &'a str, before: &'a str, after: &'a str) -> impl Iterator<Item = &'a str> {
    body.split(before)
        .skip(1)
        .filter_map(move |rest| Some(rest.split_once(after)?.0))
}

#[test]
fn x1_every_bar_leads_to_just_the_hits_it_counts() {
    let served = served();
    let sent = served.post_form(LAWYER, "/search", &[("query", "shipment OR invoice")]);
    let counts = served.get(LAWYER, &format!("{}/counts", sent.location()));
    let bars: Vec<(&str, u64)> = between(&counts.body, "/during/", "</a>")
        .filter_map(|bar| {
            let (period, label) = bar.split_once("\" aria-label=\"")?;
            let count = label.split_once(": ")?.1.split_once(' ')?.0;
            Some((period, count.replace(',', "").parse().ok()?))
        })
        .collect();
    assert!(!bars.is_empty(), "{}", counts.body);
    let sum: u64 = bars.iter().map(|(_, count)| count).sum();
    assert_eq!(sum, total(&served, "shipment OR invoice"));
    for (period, count) in bars {
        let way = served.get(LAWYER, &format!("{}/during/{period}", sent.location()));
        assert_eq!(way.status, StatusCode::SEE_OTHER);
        let id: SearchId = way.location().strip_prefix("/s/").unwrap().parse().unwrap();
        let kept = served
            .court
            .appliance
            .kept_search(&served.session(Role::Lawyer), id);
        let text = kept.unwrap().text;
        assert_eq!(text, format!("(shipment OR invoice) AND date:{period}"));
        assert_eq!(total(&served, &text), count, "{text}");
    }
    let wrong = served.get(LAWYER, &format!("{}/during/2024-13", sent.location()));
    assert_eq!(wrong.status, StatusCode::NOT_FOUND);
}

#[test]
fn x1_a_narrowed_query_keeps_its_directives_and_its_meaning() {
    let served = served();
    let app = &served.court.appliance;
    for (query, clause) in [
        ("shipment", "date:2023"),
        ("shipment OR invoice", "date:2023"),
        ("(shipment OR invoice) tz:Europe/Lisbon", "date:2023-12"),
        ("shipment OR invoice tz:Asia/Tokyo", "app:whatsapp"),
        ("NOT shipment", "app:whatsapp"),
    ] {
        let text = app.narrowed_query(query, clause).unwrap();
        let all = total(&served, query);
        let narrowed = total(&served, &text);
        let outside = total(
            &served,
            &app.narrowed_query(query, &format!("-{clause}")).unwrap(),
        );
        assert_eq!(narrowed + outside, all, "{text}");
    }
}

#[test]
fn x1_both_readings_of_a_mixed_query_stand_with_the_counts_of_their_searches() {
    let served = served();
    let page = asked(&served, &[("query", "shipment OR invoice Ana")]);
    let cards: Vec<&str> = between(&page.body, "<div class=\"card\">", "</form>").collect();
    assert_eq!(cards.len(), 2, "{}", page.body);
    for card in cards {
        let count: u64 = between(card, "<strong>", " message")
            .next()
            .unwrap()
            .parse()
            .unwrap();
        let query = between(card, "name=\"query\" value=\"", "\"")
            .next()
            .unwrap();
        let query = query.replace("&quot;", "\"");
        assert_eq!(total(&served, &query), count, "{query}");
        let chosen = asked(&served, &[("query", &query)]);
        assert!(
            !chosen.body.contains("two-ways"),
            "{query} can be read in one way"
        );
    }
    let clear = asked(&served, &[("query", "shipment")]);
    assert!(!clear.body.contains("two-ways"));
}

#[test]
fn x1_a_query_that_is_not_clear_comes_with_repairs_that_mend_it() {
    let served = served();
    let page = asked(&served, &[("query", "from:Ana (shipment")]);
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    let forms = between(&page.body, "<form class=\"repair\"", "</form>");
    let repairs: Vec<String> = forms
        .filter_map(|form| between(form, "name=\"query\" value=\"", "\"").next())
        .map(|query| query.replace("&quot;", "\""))
        .collect();
    assert!(!repairs.is_empty(), "{}", page.body);
    for query in repairs {
        let mended = asked(&served, &[("query", &query)]);
        assert!(!mended.body.contains("Q006"), "{query}");
    }
}

fn walk_request(served: &Served, search: SearchId, at: Option<MessageId>) -> WalkRequest {
    WalkRequest {
        search,
        conversation: served.ids["c"].parse().unwrap(),
        at,
        first: Timestamp(i64::MIN),
        last: Timestamp(i64::MAX),
    }
}

#[test]
fn x1_from_hit_to_hit_every_hit_of_the_conversation_is_met_once_and_in_order() {
    let served = served();
    let app = &served.court.appliance;
    let law = &served.court.law;
    let conversation = &served.ids["c"];
    let search = app.keep_search(law, "shipment", Order::Newest).unwrap();
    let all = total(&served, &format!("shipment conv:{conversation}"));
    let mut walk = app.walk(law, &walk_request(&served, search, None)).unwrap();
    assert_eq!((walk.total, walk.place), (all, None));
    let mut met = Vec::new();
    while let Some(next) = walk.after {
        let before = met.last().copied();
        met.push(next);
        walk = app
            .walk(law, &walk_request(&served, search, Some(next)))
            .unwrap();
        assert_eq!(walk.place, Some(met.len() as u64));
        assert_eq!(walk.before, before);
    }
    assert_eq!(met.len() as u64, all);
    assert!(all > 2, "{all}");
    let slice = served.slice(1_000);
    for (id, places) in &walk.marks {
        let message = slice
            .messages
            .iter()
            .find(|message| message.id == *id)
            .unwrap();
        for place in places {
            assert_eq!(message.body[place.clone()].to_lowercase(), "shipment");
        }
    }
    assert_eq!(walk.marks.len() as u64, all);
}

#[test]
fn m6_a_walk_shows_nothing_of_what_the_asker_does_not_see() {
    let served = served();
    let app = &served.court.appliance;
    let manager = served.session(Role::Manager);
    let search = app.keep_search(&manager, CANARY, Order::Newest).unwrap();
    let others = app.conversations(&served.court.law).unwrap();
    let unseen = others
        .iter()
        .find(|line| !line.title.contains(TITLE))
        .unwrap();
    let mut request = walk_request(&served, search, None);
    assert!(app.walk(&manager, &request).unwrap().total > 0);
    request.conversation = unseen.id;
    assert!(app.walk(&manager, &request).is_err());
    // A search of somebody else leads nowhere either.
    request.conversation = served.ids["c"].parse().unwrap();
    request.search = app
        .keep_search(&served.court.law, CANARY, Order::Newest)
        .unwrap();
    assert!(app.walk(&manager, &request).is_err());
    let mut of_others = SearchRequest::new(format!("conv:{}", unseen.id));
    of_others.limit = 1;
    let answer = app.search(&served.court.law, &of_others).unwrap();
    let message = answer.answer.hits[0].line.id;
    for path in [
        format!("/m/{message}"),
        format!("/c/{}/around?at={message}", unseen.id),
    ] {
        let request = served
            .request(MANAGER, &axum::http::Method::GET, &path)
            .header("hx-request", "true");
        let hidden = served.send(request.body(axum::body::Body::empty()).unwrap());
        assert_eq!(hidden.status, StatusCode::NOT_FOUND, "{path}");
        assert!(!hidden.body.contains(CANARY));
    }
}

#[test]
fn x1_a_message_shows_the_line_of_its_source_as_it_was() {
    let served = served();
    let slice = served.slice(1_000);
    let message = slice
        .messages
        .iter()
        .find(|one| one.body.contains("onerror"))
        .unwrap();
    let story = served
        .court
        .appliance
        .message(&served.court.law, message.id)
        .unwrap();
    let raw = story.versions[0].source.raw.clone().unwrap();
    assert!(
        raw.starts_with("[28/12/2023, 10:00:00] Ana Reis: <img src=x"),
        "{raw}"
    );
    assert_eq!(raw.len() as u64, story.versions[0].source.bytes);
    let page = served.get(LAWYER, &format!("/m/{}", message.id));
    assert!(page.body.contains("&lt;img src=x onerror"));
    assert!(
        page.body.contains("⟨U+202E⟩"),
        "what directs the text is seen"
    );
}

#[test]
fn d4_a_label_is_put_and_taken_off_on_pages_each_with_its_entry() {
    let served = served();
    let message = served.ids["m"].clone();
    let on: MessageId = message.parse().unwrap();
    let put = served.post_form(
        OFFICER,
        "/labels/put",
        &[("message", &message), ("label", "contract")],
    );
    assert_eq!(put.status, StatusCode::SEE_OTHER, "{}", put.body);
    let page = served.get(OFFICER, put.location());
    assert!(
        page.body.contains("audit #") && page.body.contains("contract"),
        "{}",
        page.body
    );
    let app = &served.court.appliance;
    let carried = || {
        app.labels_on(&served.court.rec, LabelOn::Message(on))
            .unwrap()
    };
    assert_eq!(carried().len(), 1);
    let bare = served.post_form(
        OFFICER,
        "/labels/take-off",
        &[("message", &message), ("reason", " ")],
    );
    assert_eq!(bare.status, StatusCode::BAD_REQUEST, "a reason is needed");
    assert_eq!(carried().len(), 1);
    let off = [("message", message.as_str()), ("reason", "not a contract")];
    let taken = served.post_form(OFFICER, "/labels/take-off", &off);
    assert_eq!(taken.status, StatusCode::SEE_OTHER, "{}", taken.body);
    assert_eq!(carried(), []);
}

#[test]
fn d4_an_event_is_recorded_and_corrected_on_its_page() {
    let served = served();
    let event = [
        ("kind", "employee_left"),
        ("key", "emp42"),
        ("at", "2026-02-28"),
        ("reason", "notice of HR"),
    ];
    let done = served.post_form(OFFICER, "/events", &event);
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    assert!(
        served
            .get(OFFICER, done.location())
            .body
            .contains("audit #")
    );
    let app = &served.court.appliance;
    let no = app.events(&served.court.rec).unwrap().last().unwrap().no;
    let no = no.0.to_string();
    let mut other = event.to_vec();
    other.push(("corrects", &no));
    other[1].1 = "emp43";
    let refused = served.post_form(OFFICER, "/events", &other);
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    assert!(refused.body.contains("emp43"), "the form stays filled");
    other[1].1 = "emp42";
    let corrected = served.post_form(OFFICER, "/events", &other);
    assert_eq!(
        corrected.status,
        StatusCode::SEE_OTHER,
        "{}",
        corrected.body
    );
}

#[test]
fn t2_a_recovery_kit_counts_when_its_characters_were_typed() {
    let served = served();
    let early = served.post_form(ROOT, "/setup/keys", &[("proof", "ABCD")]);
    assert!(
        early.body.contains("Download the kit first"),
        "{}",
        early.body
    );
    let kit = served.post_form(ROOT, "/setup/kit", &[]);
    let disposition = kit.headers.get(header::CONTENT_DISPOSITION).unwrap();
    assert!(disposition.to_str().unwrap().starts_with("attachment"));
    assert_eq!(kit.headers.get(header::CACHE_CONTROL).unwrap(), "no-store");
    let again = served.post_form(ROOT, "/setup/kit", &[]);
    assert_eq!(again.body, kit.body, "a lost file is given once more");
    let key = kit.body.lines().next().unwrap();
    let letters: Vec<char> = key
        .chars()
        .skip("WKREC1".len())
        .filter(|one| *one != '-')
        .collect();
    let proof: String = [3, 9, 17, 22]
        .map(|place| letters[place - 1])
        .iter()
        .collect();
    let tested = || {
        let figures = served
            .court
            .appliance
            .system_figures(&served.court.rec)
            .unwrap();
        figures.recovery.is_some_and(|(_, tested)| tested.is_some())
    };
    let wrong = served.post_form(ROOT, "/setup/keys", &[("proof", "0000")]);
    assert!(wrong.body.contains("not the characters") && !wrong.body.contains(key));
    assert!(!tested());
    let right = served.post_form(ROOT, "/setup/keys", &[("proof", &proof.to_lowercase())]);
    assert_eq!(right.location(), "/setup/organisation", "{}", right.body);
    assert!(tested());
}

#[test]
fn x1_the_zone_of_the_house_counts_from_the_next_page_on() {
    let served = served();
    let fields = [("organisation", "Nordwind"), ("zone", "Asia/Tokyo")];
    let named = served.post_form(ROOT, "/setup/organisation", &fields);
    assert_eq!(named.location(), "/setup/chat", "{}", named.body);
    assert_eq!(served.court.appliance.zone_name(), "Asia/Tokyo");
    let page = served.get(LAWYER, &format!("/c/{}", served.ids["c"]));
    assert!(page.body.contains("times in Asia/Tokyo") && page.body.contains("Nordwind"));
    let wrong = served.post_form(ROOT, "/setup/organisation", &[("zone", "Moon/Base")]);
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert_eq!(served.court.appliance.zone_name(), "Asia/Tokyo");
}

#[test]
fn x1_sample_data_is_never_mixed_with_messages_that_are_here() {
    let served = served();
    assert!(!served.court.appliance.may_load_sample().unwrap());
    let page = served.get(ROOT, "/setup/chat");
    assert!(!page.body.contains("/setup/sample"));
    let look = served.post_form(ROOT, "/setup/look", &[]);
    assert_eq!(look.status, StatusCode::NOT_FOUND);
    let refused = served
        .court
        .appliance
        .load_sample(&served.court.root, &mut |_, _| {});
    assert!(refused.is_err());
}
