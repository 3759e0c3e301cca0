//! Input that was made to hurt: lines and records of many megabytes, depth without end, letters that are
//! none, nothing at all. Every byte is accounted for, and what was not taken is said.

use wordkeep::ingest::{Answers, ZoneAnswer};

use super::told::{Input, told};

const MEBI: usize = 1024 * 1024;

fn input(name: &str, bytes: Vec<u8>) -> Input {
    Input {
        path: name.into(),
        files: vec![(name.to_owned(), bytes)],
        answers: Answers {
            zone: Some(ZoneAnswer {
                name: "Asia/Tokyo".to_owned(),
                source: wordkeep::domain::ZoneSource::Operator,
            }),
            ..Answers::default()
        },
    }
}

/// What was read, without the words themselves.
fn remarks(name: &str, bytes: Vec<u8>) -> Vec<String> {
    let told = told(&input(name, bytes));
    let is_remark = |line: &&str| {
        line.starts_with("    !") || line.starts_with("  ") && line.ends_with("rejected")
    };
    told.lines().filter(is_remark).map(str::to_owned).collect()
}

fn ends(lines: &[String], end: &str) {
    let last = lines.last().map(|line| line.trim());
    assert_eq!(last, Some(end), "{lines:?}");
}

fn says(lines: &[String], words: &str) {
    assert!(
        lines.iter().any(|line| line.contains(words)),
        "{words}: {lines:?}"
    );
}

const PAGE: &str = "<body><div class=\"history\">";

/// A message of a Telegram page.
fn message(number: u32, inside: &str) -> String {
    format!(
        "<div class=\"message default\" id=\"message{number}\"><div class=\"body\"><div class=\"date\" \
         title=\"01.06.2024 10:00:0{number}\"></div><div class=\"from_name\">A</div><div \
         class=\"text\">{inside}</div></div></div>"
    )
}

#[test]
fn c3_a_line_of_many_megabytes_is_taken_in_pieces() {
    let mut chat = b"[LINE] Chat history with A\n\n2024/01/02(\xE7\x81\xAB)\n10:00\tA\t".to_vec();
    chat.resize(chat.len() + 17 * MEBI, b'x');
    chat.extend_from_slice(b"\n10:01\tA\tand on\n");
    let lines = remarks("line.txt", chat);
    says(&lines, "16 MiB");
    ends(&lines, "3 messages, 1 notes, 0 rejected");
}

#[test]
fn c3_a_record_of_a_page_is_bounded_in_size_and_depth() {
    let long = "x".repeat(3 * MEBI);
    let deep = "<div>".repeat(100_000) + "deep" + &"</div>".repeat(100_000);
    let open = "<b>".repeat(100_000);
    let page = [
        PAGE,
        &message(1, "first"),
        &message(2, &long),
        &message(3, &deep),
        &message(4, &open),
        &message(5, "last"),
    ];
    let lines = remarks("messages.html", page.concat().into_bytes());
    says(&lines, "longer than 2 MiB");
    ends(&lines, "4 messages, 1 notes, 1 rejected");
}

#[test]
fn c3_a_row_of_a_million_cells_and_a_quote_without_end_are_rejected() {
    let head = "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime\n";
    let good = "1,2,1,0,0,1704179045,2,hello,2024\n";
    let wide = ",".repeat(MEBI) + "\n";
    let open = "2,2,1,0,0,1704179046,2,\"never closed\n3,2,1,0,0,1704179047,2,lost,2024\n";
    let table = [head, good, &wide, good, open].concat();
    let lines = remarks("messages.csv", table.into_bytes());
    ends(&lines, "2 messages, 2 notes, 2 rejected");
}

#[test]
fn c3_letters_that_are_none_are_kept_as_bytes_and_said() {
    for (name, chat) in [
        ("line.txt", b"[LINE] Chat history with \xC3\x84\n\n2024.01.02 Tuesday\n10:00\tA\ta\xFFb\n10:01\t\xC3\x84\tc\n10:02\t\xC3\x84\td\n10:03\t\xC3\x84\te\n".to_vec()),
        ("chat.txt", b"[2019-12-24, 12:23] A: a\xFFb\n[2019-12-24, 12:24] A: c\n".to_vec()),
        ("messages.html", [PAGE.as_bytes(), message(1, "a?b").replace('?', "\u{1}").as_bytes()].concat().into_iter().map(|byte| if byte == 1 { 0xFF } else { byte }).collect()),
    ] {
        says(&remarks(name, chat), "bytes");
    }
}

#[test]
fn c3_an_empty_file_and_a_head_without_messages_are_no_chats() {
    for text in [
        "",
        "\n",
        "[LINE] Chat history with A\nSaved on: 2024/01/02 10:00\n",
        PAGE,
        "<html><body><div class=\"hChatLog\"></div></body></html>",
        "Date,User\n",
    ] {
        let read = told(&input("thing.txt", text.as_bytes().to_vec()));
        assert_eq!(read, "- thing.txt\n", "{text}");
    }
}
