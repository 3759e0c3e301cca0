//! A Slack workspace through the whole product: what its export tells is found, the same again is known, and
//! a later export brings what is new.

use std::path::{Path, PathBuf};

use wordkeep::app::import::ImportRequest;
use wordkeep::store::ImportCounts;

use crate::house::{count, import, zipped};
use crate::{Heard, Office, office};

const USERS: &str = r#"[
 {"id":"U01ANA","team_id":"T0NORD","name":"ana","profile":{"real_name":"Ana Reis","display_name":"Ana Reis"}},
 {"id":"U02RUI","team_id":"T0NORD","name":"rui","profile":{"real_name":"Rui Melo","display_name":""}}
]"#;
const CHANNELS: &str = r#"[{"id":"C0SALES01","name":"sales","members":["U01ANA","U02RUI"]}]"#;
const SUNDAY: &str = r#"[
 {"type":"message","text":"The gadolinium can leave with 10% off by Friday, <@U02RUI>","user":"U01ANA","ts":"1707648247.000300","thread_ts":"1707648247.000300","reply_count":1,"edited":{"user":"U01ANA","ts":"1707648250.000000"},"reactions":[{"name":"tada","users":["U02RUI"],"count":1}]},
 {"type":"message","text":"lunch is at noon","user":"U02RUI","ts":"1707648300.000300"},
 {"type":"message","text":"deal, send the praseodymium as well","user":"U02RUI","ts":"1707648310.000400","thread_ts":"1707648247.000300"},
 {"type":"message","text":"here it is","user":"U01ANA","ts":"1707648600.000800","files":[{"id":"F0OFFER01","name":"offer-2024.txt","mimetype":"text/plain"},{"id":"F0GONE002","name":"gone.pdf"}]},
 {"type":"message","subtype":"message_changed","hidden":true,"ts":"1707648800.001100","message":{"type":"message","user":"U02RUI","text":"no deal, keep the praseodymium","ts":"1707648310.000400","thread_ts":"1707648247.000300","edited":{"user":"U02RUI","ts":"1707648800.000000"}},"previous_message":{"type":"message","user":"U02RUI","text":"deal, send the praseodymium as well","ts":"1707648310.000400"}}
]"#;
const MONDAY: &str = r#"[
 {"type":"message","text":"the europium is on its way","user":"U01ANA","ts":"1707734647.000300"},
 {"type":"message","text":"thanks","user":"U02RUI","ts":"1707734700.000300","thread_ts":"1707648247.000300"}
]"#;
const OFFER: &[u8] = b"ten crates";

/// An export with some days of one channel.
fn export(office: &Office, name: &str, days: &[(&str, &str)]) -> PathBuf {
    let lists = [("users.json", USERS), ("channels.json", CHANNELS)];
    let texts = lists.iter().chain(days);
    let texts = texts.map(|(name, text)| (*name, text.as_bytes()));
    let files = [("files/F0OFFER01-offer-2024.txt", OFFER)];
    zipped(office.dir.path(), name, texts.chain(files))
}

fn took(office: &Office, export: &Path) -> ImportCounts {
    let receipt = import(&office.appliance, &office.root, export).unwrap();
    assert_eq!(receipt.counts.rejected, 0);
    receipt.counts
}

#[test]
fn c3_what_a_slack_export_tells_is_found() {
    let office = office();
    let days = [("sales/2024-02-11.json", SUNDAY)];
    let first = took(&office, &export(&office, "nord.zip", &days));
    assert_eq!((first.fresh, first.known), (4, 0), "{first:?}");
    let found = |query: &str| count(&office.appliance, &office.officer, query);
    for (query, hits) in [
        ("*", 4),
        ("in:sales app:slack", 4),
        ("from:\"Rui Melo\"", 2),
        ("mention:\"Rui Melo\"", 1),
        ("gadolinium has:mention", 1),
        ("has:reaction", 1),
        ("reaction:tada", 1),
        // What was said before an edit is found as well as what it became.
        ("\"send the praseodymium\"", 1),
        ("\"keep the praseodymium\"", 1),
        ("is:edited", 2),
        ("is:reply", 1),
        // An answer and what it answers stand in one thread, what is said between them does not.
        ("(gadolinium AND praseodymium)@thread", 1),
        ("(gadolinium AND lunch)@thread", 0),
        ("filename:offer", 1),
        ("filename:gone", 1),
        ("has:attachment", 1),
    ] {
        let told = found(query);
        let least_one = query.contains("@thread") && hits == 1;
        assert!(told == hits || (least_one && told > 0), "{query}: {told}");
    }
}

#[test]
fn c6_a_slack_export_again_is_known_and_a_later_one_brings_its_days() {
    let office = office();
    let sunday = ("sales/2024-02-11.json", SUNDAY);
    let first = took(&office, &export(&office, "first.zip", &[sunday]));
    assert_eq!(first.fresh, 4);
    let again = [sunday, ("integration_logs.json", "[]")];
    let again = took(&office, &export(&office, "again.zip", &again));
    // Four messages, and the record that one of them was changed.
    assert_eq!(
        (again.fresh, again.known, again.revised),
        (0, 5, 0),
        "{again:?}"
    );
    // Something was edited since, without a record of it.
    let edited = SUNDAY.replace("lunch is at noon", "lunch is at one");
    let days = [
        ("sales/2024-02-11.json", edited.as_str()),
        ("sales/2024-02-12.json", MONDAY),
    ];
    let later = took(&office, &export(&office, "later.zip", &days));
    assert_eq!(
        (later.fresh, later.known, later.revised),
        (2, 4, 1),
        "{later:?}"
    );
    let found = |query: &str| count(&office.appliance, &office.officer, query);
    assert_eq!((found("*"), found("europium")), (6, 1));
    assert_eq!((found("noon"), found("\"at one\"")), (1, 1));
    // The answer of the second day stands in the thread of the first.
    assert!(found("(gadolinium AND thanks)@thread") > 0);
}

/// What people send each other is no chat of its own: nothing is asked about it.
#[test]
fn c3_a_table_among_the_files_is_a_file() {
    let office = office();
    let table = "name,price,when\nGold,1,2024-01-01\nTin,2,2024-01-02\n";
    let days = [
        ("sales/2024-02-12.json", MONDAY),
        ("files/F0GONE002-gone.csv", table),
    ];
    let path = export(&office, "tables.zip", &days);
    let receipt = import(&office.appliance, &office.root, &path).unwrap();
    assert_eq!(receipt.counts.fresh, 2);
    let told = receipt
        .remarks
        .iter()
        .filter(|note| note.entry.ends_with("gone.csv"));
    assert_eq!(told.count(), 1, "{:?}", receipt.remarks);
}

/// A workspace of many days: how far the import is counts all its files.
#[test]
fn c3_progress_of_an_import_of_many_files_counts_them_all() {
    let office = office();
    let day = |day: u64| {
        let lines: Vec<String> = (0..1_000)
            .map(|n| {
                let ts = 1_707_600_000 + day * 86_400 + n * 60;
                format!(r#"{{"type":"message","text":"said {n} of {day}","user":"U01ANA","ts":"{ts}.000100"}}"#)
            })
            .collect();
        format!("[{}]", lines.join(",\n"))
    };
    let texts: Vec<(String, String)> = (0..10)
        .map(|one| (format!("sales/2024-03-{:02}.json", one + 1), day(one)))
        .collect();
    let days: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let request = ImportRequest {
        path: export(&office, "many.zip", &days),
        ..ImportRequest::default()
    };
    let heard = Heard::default();
    let took = office.appliance.import(&office.root, &request, &heard);
    assert_eq!(took.unwrap().counts.fresh, 10_000);
    heard.assert_shares(&[0.41, 0.82]);
}

/// One day that lies damaged in the archive is a gap that is told; the others come.
#[test]
fn c3_a_damaged_day_of_a_workspace_costs_itself() {
    let office = office();
    let days = [
        ("sales/2024-02-11.json", SUNDAY),
        ("sales/2024-02-12.json", MONDAY),
    ];
    let path = export(&office, "damaged.zip", &days);
    let mut bytes = std::fs::read(&path).unwrap();
    let name = days[0].0.as_bytes();
    let at = bytes.windows(name.len()).position(|some| some == name);
    bytes[at.unwrap() + name.len() + 20] ^= 0xff;
    std::fs::write(&path, bytes).unwrap();
    let receipt = import(&office.appliance, &office.root, &path).unwrap();
    let found = |query: &str| count(&office.appliance, &office.officer, query);
    assert_eq!(found("europium"), 1);
    let told = |note: &&wordkeep::domain::Note| note.entry.ends_with("2024-02-11.json");
    let id = receipt.id.unwrap();
    let notes = office.appliance.import_notes(&office.officer, id).unwrap();
    assert!(notes.iter().any(|note| told(&note)), "{notes:?}");
}
