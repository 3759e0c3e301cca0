//! Messages that tell of each other, through the whole product: answers, reactions, mentions, edits.

use wordkeep::app::{Appliance, MessageStory, SearchRequest, Session};
use wordkeep::domain::Presence;

use crate::house::{Place, count, import, log_in};

const EXPORT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/tests/fixtures/formats/telegram/full.json"
);

/// The one message that a query finds.
fn story(appliance: &Appliance, session: &Session, query: &str) -> MessageStory {
    let found = appliance.search(session, &SearchRequest::new(query));
    let hits = found.unwrap().answer.hits;
    let [hit] = hits.as_slice() else {
        panic!("{query} finds {} messages", hits.len());
    };
    appliance.message(session, hit.line.id).unwrap()
}

#[test]
fn c3_answers_reactions_mentions_and_edits_are_found_and_come_once() {
    let dir = tempfile::tempdir().unwrap();
    let appliance = Place::new(dir.path()).create();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let first = import(&appliance, &root, EXPORT.as_ref()).unwrap();
    assert_eq!((first.counts.fresh, first.counts.rejected), (8, 1));
    let looks = |appliance: &Appliance| {
        let all = |query| count(appliance, &rec, query);
        assert_eq!(all("*"), 8);
        assert_eq!(all("has:reaction"), 1);
        assert_eq!(all("reaction:👍"), 1);
        assert_eq!(all("has:mention"), 1);
        assert_eq!(all("is:edited"), 1);
        let answer = story(appliance, &rec, "is:reply");
        assert_eq!(answer.versions[0].body, "deal\u{1} 👍");
        let offer = story(appliance, &rec, "has:reaction");
        assert_eq!(answer.reply_to, Some(offer.id));
        assert!(offer.presence.has(Presence::EDITED));
        assert_eq!(offer.sender.as_deref(), Some("Rui Melo"));
        // Rui writes in another chat of the export alone, and is found by his name where he is called.
        let call = story(appliance, &rec, "mention:\"Rui Melo\"");
        assert_eq!(call.versions[0].body, "Rui look at @nordwind");
    };
    looks(&appliance);
    let again = import(&appliance, &root, EXPORT.as_ref()).unwrap();
    assert_eq!((again.counts.fresh, again.counts.revised), (0, 0));
    looks(&appliance);
    // What is joined stays joined over a restart and a new index.
    drop((appliance, root, rec));
    let appliance = Place::new(dir.path()).open().unwrap();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    appliance.rebuild_index(&root, &mut |_, _| ()).unwrap();
    assert_eq!(count(&appliance, &rec, "is:reply"), 1);
    assert_eq!(count(&appliance, &rec, "reaction:👍"), 1);
    assert_eq!(count(&appliance, &rec, "mention:\"Rui Melo\""), 1);
}

#[test]
fn c3_who_is_only_mentioned_leaves_no_name_behind() {
    let dir = tempfile::tempdir().unwrap();
    let appliance = Place::new(dir.path()).create();
    let root = log_in(&appliance, "root");
    import(&appliance, &root, EXPORT.as_ref()).unwrap();
    let names = appliance.archive().directory().unwrap();
    let mut labels: Vec<&str> = names
        .handles
        .values()
        .map(|one| one.label.as_str())
        .collect();
    labels.sort_unstable();
    assert_eq!(labels, ["Ana Reis", "João", "Rui Melo", "user88"]);
}

/// A room of Matrix as Element exports it, with some events.
fn room(dir: &std::path::Path, name: &str, events: &[serde_json::Value]) -> std::path::PathBuf {
    let room = serde_json::json!({
        "room_name": "Nordwind", "room_creator": "@rui:example.org", "topic": "",
        "export_date": "11/02/2024", "exported_by": "@rui:example.org", "messages": events,
    });
    let path = dir.join(name);
    std::fs::write(&path, room.to_string()).unwrap();
    path
}

fn said(id: &str, at: u64, content: serde_json::Value) -> serde_json::Value {
    serde_json::json!({
        "type": "m.room.message", "room_id": "!r:example.org", "sender": "@rui:example.org",
        "event_id": id, "origin_server_ts": 1_707_648_000_000u64 + at * 1_000, "content": content,
    })
}

fn edit(id: &str, at: u64, body: &str) -> serde_json::Value {
    let new = serde_json::json!({"msgtype": "m.text", "body": body});
    let content = serde_json::json!({
        "msgtype": "m.text", "body": format!("* {body}"), "m.new_content": new,
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$a"},
    });
    said(id, at, content)
}

#[test]
fn c5_words_that_come_back_are_the_words_of_today() {
    let dir = tempfile::tempdir().unwrap();
    let appliance = Place::new(dir.path()).create();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let first = said(
        "$a",
        0,
        serde_json::json!({"msgtype": "m.text", "body": "ten"}),
    );
    let events = [
        first.clone(),
        edit("$b", 60, "eleven"),
        edit("$c", 120, "ten"),
    ];
    let path = room(dir.path(), "export.json", &events);
    import(&appliance, &root, &path).unwrap();
    let bodies = |appliance: &Appliance| {
        let story = story(appliance, &rec, "is:edited");
        let bodies = story.versions.into_iter().map(|version| version.body);
        bodies.collect::<Vec<_>>()
    };
    assert_eq!(bodies(&appliance), ["ten", "eleven", "ten"]);
    let more = said(
        "$d",
        180,
        serde_json::json!({"msgtype": "m.text", "body": "good"}),
    );
    let events = [&events[..], &[more]].concat();
    let path = room(dir.path(), "later.json", &events);
    let again = import(&appliance, &root, &path).unwrap();
    assert_eq!((again.counts.fresh, again.counts.revised), (1, 0));
    assert_eq!(bodies(&appliance), ["ten", "eleven", "ten"]);
}

#[test]
fn c5_edits_of_a_message_that_never_came_are_one_message() {
    let dir = tempfile::tempdir().unwrap();
    let appliance = Place::new(dir.path()).create();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let path = room(
        dir.path(),
        "export.json",
        &[edit("$b", 60, "eleven"), edit("$c", 120, "twelve")],
    );
    import(&appliance, &root, &path).unwrap();
    assert_eq!(count(&appliance, &rec, "*"), 1);
    let story = story(&appliance, &rec, "*");
    let bodies: Vec<&str> = story.versions.iter().map(|one| one.body.as_str()).collect();
    assert_eq!(bodies, ["eleven", "twelve"]);
}
