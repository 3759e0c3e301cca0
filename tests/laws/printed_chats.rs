//! Chats that other programs print, through the whole product: LINE's text and Telegram's pages are
//! found by who wrote, by what they answer and carry, and by what became of them; the same again
//! is nothing new, by whatever road it comes.

use std::path::{Path, PathBuf};

use serde_json::json;
use wordkeep::app::import::{ImportReceipt, ImportRequest, SilentProgress};
use wordkeep::app::{AppError, SearchRequest};
use wordkeep::ingest::QuestionKind;
use wordkeep::store::ImportCounts;

use crate::house::{copy_tree, count};
use crate::{Office, office};

fn fixture(name: &str) -> PathBuf {
    let formats = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats");
    formats.join(name)
}

impl Office {
    fn bring(&self, path: &Path, zone: Option<&str>) -> Result<ImportReceipt, AppError> {
        let request = ImportRequest {
            path: path.to_owned(),
            zone: zone.map(str::to_owned),
            ..ImportRequest::default()
        };
        self.appliance.import(&self.root, &request, &SilentProgress)
    }

    fn counts(&self, path: &Path, zone: Option<&str>) -> ImportCounts {
        self.bring(path, zone).unwrap().counts
    }

    fn finds(&self, cases: &[(&str, u64)]) {
        for (query, expected) in cases {
            let found = count(&self.appliance, &self.officer, query);
            assert_eq!(found, *expected, "{query}");
        }
    }

    /// The words that the only message a query finds answers.
    fn answered(&self, query: &str) -> Option<String> {
        let found = self
            .appliance
            .search(&self.officer, &SearchRequest::new(query))
            .unwrap();
        assert_eq!(found.answer.hits.len(), 1, "{query}");
        let story = |id| self.appliance.message(&self.officer, id).unwrap();
        let answered = story(found.answer.hits[0].line.id).reply_to?;
        Some(story(answered).versions[0].body.clone())
    }
}

#[test]
fn c3_a_line_chat_is_found_by_who_wrote_what_became_of_it_and_is_known_again() {
    let office = office();
    let chat = fixture("line/ja-group.txt");
    let first = office.counts(&chat, Some("Asia/Tokyo"));
    assert_eq!((first.fresh, first.rejected), (18, 0));
    office.finds(&[
        ("from:夏目", 5),
        ("from:\"山田 花子\"", 5),
        ("回覧板", 1),
        ("午後に取りに行きます", 1),
        ("has:image", 2),
        ("has:voice", 1),
        ("is:deleted", 1),
        ("is:system", 4),
        ("app:line", 18),
    ]);
    // The very file, and a later export: a day more, saved on another day.
    assert_eq!(office.counts(&chat, Some("Asia/Tokyo")).known, 18);
    let text = std::fs::read_to_string(&chat).unwrap();
    let later = text.replacen("2025/04/20 21:15", "2025/04/21 08:00", 1)
        + "\n\n2025/04/20(日)\n07:30\t夏目\tまた明日\n";
    let path = office.dir.path().join("later.txt");
    std::fs::write(&path, later).unwrap();
    let again = office.counts(&path, Some("Asia/Tokyo"));
    assert_eq!((again.fresh, again.known, again.revised), (1, 18, 0));
    office.finds(&[("はい", 2), ("from:夏目", 6), ("app:line", 19)]);
}

#[test]
fn c3_pages_of_telegram_are_found_by_names_answers_and_files_and_known_again() {
    let office = office();
    let folder = office.dir.path().join("pages");
    copy_tree(&fixture("telegram-html/export"), &folder);
    let first = office.bring(&folder, None).unwrap();
    assert_eq!((first.counts.fresh, first.counts.rejected), (10, 0));
    office.finds(&[
        ("from:Ana", 3),
        ("from:Bob", 4),
        ("is:reply", 1),
        ("is:forwarded", 1),
        ("has:reaction", 1),
        ("has:poll persuasion", 1),
        ("filename:plan", 1),
        ("has:image", 1),
    ]);
    let answered = office.answered("is:reply").unwrap();
    assert!(answered.starts_with("two lines\nand bold"), "{answered}");
    // Another page around the same messages.
    let page = folder.join("messages.html");
    let text = std::fs::read_to_string(&page).unwrap();
    std::fs::write(&page, text.replacen("page_wrap", "page_wrap dark", 1)).unwrap();
    let again = office.bring(&folder, None).unwrap().counts;
    assert_eq!((again.fresh, again.revised), (0, 0));
    assert_eq!(office.all(), 10);
}

/// A chat of two over a year, as JSON and as a page whose clock shows `offset` hours all year round,
/// in a place where summer has an hour more.
fn both_ways(into: &Path, messages: i64, answers: bool) -> (PathBuf, PathBuf) {
    let mut records = Vec::new();
    let mut page = String::from(
        "<html><body><div class=\"page_header\"><div class=\"text bold\">Zoe</div></div>\
         <div class=\"history\">\n",
    );
    for n in 1..=messages {
        let at = 1_672_560_000 + n * 365 * 86_400 / messages;
        let (name, id) = [("Zoe", "user7"), ("Ana Reis", "user9")][n as usize % 2];
        let words = match n % 4 {
            0 => "ok".to_owned(),
            _ => format!("the {n}th crate left the harbour"),
        };
        let summer = (1_679_792_400..1_698_541_200).contains(&at);
        let wall =
            chrono::DateTime::from_timestamp(at + if summer { 3_600 } else { 0 }, 0).unwrap();
        let mut record = json!({
            "id": n, "type": "message", "date": wall.format("%Y-%m-%dT%H:%M:%S").to_string(),
            "date_unixtime": at.to_string(), "from": name, "from_id": id, "text": words,
        });
        let mut reply = String::new();
        if answers && n % 10 == 0 {
            record["reply_to_message_id"] = json!(n - 1);
            reply = format!(
                "<div class=\"reply_to details\">In reply to <a href=\"#go_to_message{}\">this \
                 message</a></div>",
                n - 1
            );
        }
        records.push(record);
        page += &format!(
            "<div class=\"message default clearfix\" id=\"message{n}\"><div class=\"body\">\
             <div class=\"pull_right date details\" title=\"{} UTC+00:00\">-</div>\
             <div class=\"from_name\">\n{name}\n</div>{reply}<div class=\"text\">\n{words}\n</div>\
             </div></div>\n",
            wall.format("%d.%m.%Y %H:%M:%S")
        );
    }
    page += "</div></body></html>\n";
    let chat = json!({"name": "Zoe", "type": "personal_chat", "id": 7, "messages": records});
    let (json, html) = (into.join("result.json"), into.join("messages.html"));
    std::fs::write(&json, chat.to_string()).unwrap();
    std::fs::write(&html, page).unwrap();
    (json, html)
}

#[test]
fn c6_a_page_whose_clock_knows_no_summer_is_the_chat_that_json_told() {
    for json_first in [true, false] {
        let office = office();
        let (json, html) = both_ways(office.dir.path(), 120, true);
        let (first, second) = match json_first {
            true => (json, html),
            false => (html, json),
        };
        assert_eq!(office.counts(&first, None).fresh, 120);
        // JSON says which chat it is; that a page is that chat, somebody has to say.
        let lines = office.appliance.conversations(&office.officer).unwrap();
        let request = ImportRequest {
            path: second,
            conversation: (!json_first).then(|| lines[0].id),
            ..ImportRequest::default()
        };
        let again = office
            .appliance
            .import(&office.root, &request, &SilentProgress)
            .unwrap()
            .counts;
        assert_eq!((again.fresh, again.known, again.revised), (0, 120, 0));
        office.finds(&[("*", 120), ("ok", 30), ("is:reply", 12), ("from:Zoe", 60)]);
        let answered = office.answered("is:reply 90th");
        assert_eq!(answered.as_deref(), Some("the 89th crate left the harbour"));
    }
}

#[test]
fn c6_a_short_page_at_other_hours_asks_for_its_zone_and_fits_with_it() {
    let office = office();
    let (json, html) = both_ways(office.dir.path(), 20, false);
    assert_eq!(office.counts(&json, None).fresh, 20);
    let AppError::Questions(questions) = office.bring(&html, None).unwrap_err() else {
        panic!("no question");
    };
    let kinds: Vec<QuestionKind> = questions.iter().map(|question| question.kind).collect();
    assert_eq!(kinds, [QuestionKind::Zone]);
    let again = office.counts(&html, Some("Europe/Lisbon"));
    assert_eq!((again.fresh, again.known), (0, 20));
}

#[test]
fn c3_a_meeting_without_a_date_is_asked_about_and_placed_by_the_answer() {
    let office = office();
    let chat = fixture("zoom/undated.txt");
    let AppError::Questions(questions) = office.bring(&chat, None).unwrap_err() else {
        panic!("no question");
    };
    let kinds: Vec<QuestionKind> = questions.iter().map(|question| question.kind).collect();
    assert_eq!(kinds, [QuestionKind::Start]);
    assert_eq!(office.all(), 0);
    let request = ImportRequest {
        path: chat,
        zone: Some("Europe/Lisbon".to_owned()),
        start: wordkeep::ingest::local_time("2024-05-06 09:10"),
        ..ImportRequest::default()
    };
    let receipt = office
        .appliance
        .import(&office.root, &request, &SilentProgress)
        .unwrap();
    assert_eq!(receipt.counts.fresh, 1);
    office.finds(&[("on:2024-05-06 from:Alice hello", 1)]);
}
