//! C1, C7: genuine samples, forged headers, and damage: every byte is accounted for.

use proptest::prelude::*;

use crate::support::collect::{Collect, done, in_utc, run};
use crate::support::locale_matrix::{ROWS, chat, print};
use wordkeep::domain::{Kind, NoteKind, Presence, Timestamp};
use wordkeep::ingest::{Answers, Outcome, QuestionKind};

fn sample(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/whatsapp/");
    std::fs::read(format!("{folder}{name}")).unwrap()
}

#[test]
fn c1_the_chat_miner_samples_give_their_targets() {
    let target: Vec<serde_json::Value> = serde_json::from_slice(&sample("target.json")).unwrap();
    for name in [
        "test__mmddyy__24hrs.txt",
        "test_ddmmyy_24hrs.txt",
        "test_mmddyy_24hrs.txt",
        "test_mmddyyyy_12hrs.txt",
        "test_yyyymmdd_24hrs.txt",
    ] {
        let collect = done(name, &sample(name), &in_utc());
        assert_eq!(collect.messages.len(), 9, "{name}");
        for wanted in &target {
            let found = collect.messages.iter().find(|kept| {
                let local = chrono::DateTime::from_timestamp_micros(kept.local.unwrap()).unwrap();
                wanted["timestamp"] == local.format("%Y-%m-%dT%H:%M:%S").to_string()
            });
            let found = found.unwrap_or_else(|| panic!("{name}: no message at {wanted}"));
            assert_eq!(wanted["author"], found.sender.clone().unwrap(), "{name}");
            // The target joins lines; we keep them.
            assert_eq!(wanted["message"], found.body.replace('\n', " "), "{name}");
        }
        let point = &collect.messages[1];
        assert_eq!(
            (point.sender.as_deref(), point.body.as_str()),
            (Some("John Doe"), ".")
        );
        let kinds: Vec<Kind> = collect
            .messages
            .iter()
            .filter(|kept| kept.sender.is_none())
            .map(|kept| kept.kind)
            .collect();
        assert_eq!(
            kinds,
            [Kind::SystemCreated, Kind::SystemMembership],
            "{name}"
        );
    }
}

#[test]
fn c1_the_ios_sample_keeps_notices_and_left_out_images() {
    let name = "chat_loader_ios_us_12h.txt";
    let collect = done(name, &sample(name), &in_utc());
    assert_eq!(collect.messages.len(), 12);
    assert_eq!(collect.messages[0].kind, Kind::SystemEncryption);
    assert_eq!(collect.messages[0].sender.as_deref(), Some("Dr. Feather"));
    let images = collect
        .messages
        .iter()
        .filter(|kept| kept.kind == Kind::Media && kept.presence.has(Presence::IMAGE));
    assert_eq!(images.count(), 3);
    assert_eq!(collect.messages[11].local, Some(1_692_134_716_000_000));
    assert!(collect.notes.is_empty());
}

#[test]
fn c1_a_file_of_mixed_styles_is_asked_about_and_then_read_whole() {
    let bytes = sample("mixed_formats.txt");
    let (collect, outcome) = run(&[("mixed_formats.txt", &bytes)], &in_utc());
    let Some(Outcome::Ask(questions)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(collect.messages.is_empty());
    assert!(
        questions
            .iter()
            .any(|question| question.kind == QuestionKind::TrustHeaders)
    );
    let trusting = Answers {
        trust_headers: Some(true),
        ..in_utc()
    };
    let collect = done("mixed_formats.txt", &bytes, &trusting);
    let senders: Vec<&str> = collect
        .messages
        .iter()
        .filter_map(|kept| kept.sender.as_deref())
        .collect();
    assert_eq!(
        senders,
        [
            "James",
            "User name",
            "User 2",
            "User 1",
            "~ User name 2",
            "~ User 2",
            "User 1",
            "User 2",
            "User 3",
            "User 4"
        ]
    );
    assert_eq!(collect.messages[9].kind, Kind::Deleted);
    let doubting = Answers {
        trust_headers: Some(false),
        ..in_utc()
    };
    let collect = done("mixed_formats.txt", &bytes, &doubting);
    assert_eq!(collect.messages.len(), 1);
    let noted = collect
        .notes
        .iter()
        .filter(|note| note.kind == NoteKind::HeaderLikeLine);
    assert_eq!(noted.count(), 9, "every header kept in the body is noted");
}

#[test]
fn c1_a_zone_is_asked_for_and_an_unknown_one_named() {
    let text = b"13/01/2024, 10:00 - Ana: hi\n";
    let (_, outcome) = run(&[("a.txt", text)], &Answers::default());
    assert!(
        matches!(outcome, Some(Outcome::Ask(questions)) if questions[0].kind == QuestionKind::Zone)
    );
}

#[test]
fn c1_a_clock_set_back_gives_the_earlier_instant_and_a_mark() {
    let mut answers = in_utc();
    answers.zone.as_mut().unwrap().name = "Europe/Berlin".to_owned();
    let text =
        "26/10/2024, 10:00 - Ana: a\n27/10/2024, 02:30 - Ana: b\n31/03/2025, 02:30 - Ana: c\n";
    let collect = done("a.txt", text.as_bytes(), &answers);
    let doubtful: Vec<bool> = collect
        .messages
        .iter()
        .map(|kept| kept.presence.has(Presence::TIME_AMBIGUOUS))
        .collect();
    assert_eq!(doubtful, [false, true, false]);
    assert_eq!(
        collect.messages[1].sent,
        Some(Timestamp::from_seconds(1_729_989_000))
    );
}

#[test]
fn c1_text_in_utf16_and_old_line_ends_reads_the_same() {
    let text = "13/01/2024, 10:00 - Ana: çok\n13/01/2024, 10:01 - Bo: two\nlines\n";
    let plain = done("a.txt", text.as_bytes(), &in_utc());
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let wide = done("a.txt", &utf16, &in_utc());
    let bodies = |collect: &Collect| {
        collect
            .messages
            .iter()
            .map(|kept| kept.body.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(bodies(&wide), bodies(&plain));
    let dos = done("a.txt", text.replace('\n', "\r\n").as_bytes(), &in_utc());
    assert_eq!(dos.messages[1].body, "two\r\nlines");
    let marked = done("a.txt", format!("\u{FEFF}{text}").as_bytes(), &in_utc());
    assert_eq!(bodies(&marked), bodies(&plain));
}

#[test]
fn c1_media_beside_the_chat_are_found_missing_and_left_over() {
    let text = "13/01/2024, 10:00 - Ana: IMG-20240113-WA0001.jpg (file attached)\n13/01/2024, 10:01 - Ana: IMG-20240113-WA0002.jpg (file attached)\nnice\n";
    let files: &[(&str, &[u8])] = &[
        ("WhatsApp Chat with Ana.txt", text.as_bytes()),
        ("IMG-20240113-WA0001.jpg", b"\xFF\xD8\xFF\xE0 picture"),
        ("IMG-20240113-WA0009.jpg", b"\xFF\xD8\xFF\xE0 picture"),
    ];
    let (collect, outcome) = run(files, &in_utc());
    assert!(matches!(outcome, Some(Outcome::Done(_))));
    assert_eq!(collect.messages[0].conversation, "Ana");
    assert_eq!(
        collect.messages[0].attachment,
        Some(("IMG-20240113-WA0001.jpg".to_owned(), Some(1)))
    );
    assert_eq!(
        collect.messages[1].attachment,
        Some(("IMG-20240113-WA0002.jpg".to_owned(), None))
    );
    let kinds: Vec<NoteKind> = collect.notes.iter().map(|note| note.kind).collect();
    assert_eq!(kinds, [NoteKind::MissingMedia, NoteKind::UnreferencedMedia]);
}

/// A chat whose messages hold forged headers. Forged lines carry the word `forged`.
fn with_forgeries(forgeries: &[(usize, String)], days: i64) -> String {
    let start = chrono::NaiveDate::from_ymd_opt(2024, 1, 13).unwrap();
    let mut text = String::new();
    for place in 0..60 {
        let day = start + chrono::Duration::days(place as i64 * days / 60);
        text += &format!(
            "{}, 10:{place:02} - {}: true {place}\n",
            day.format("%d/%m/%Y"),
            ["Ana", "Bo"][place % 2]
        );
        for (at, line) in forgeries.iter().filter(|(at, _)| *at == place) {
            text += &format!("{line} {at}\n");
        }
    }
    text
}

fn a_forgery() -> impl Strategy<Value = String> {
    prop_oneof![
        // The file's own style, long before.
        (1u32..28, 1u32..12, 0u32..59).prop_map(|(day, month, minute)| format!(
            "{day:02}/{month:02}/2022, 11:{minute:02} - Eve: forged"
        )),
        // The file's own style, after the file was written.
        (13u32..28, 1u32..12)
            .prop_map(|(day, month)| format!("{day:02}/{month:02}/2031, 11:00 - Ana: forged")),
        // Another style, any date.
        (1u32..28, 1u32..12)
            .prop_map(|(day, month)| format!("[{day:02}/{month:02}/24, 11:00:01] Bo: forged")),
        (1u32..28, 1u32..12)
            .prop_map(|(day, month)| format!("2024-{month:02}-{day:02} 10:30:00 Eve: forged")),
        (1u32..28, 1u32..12)
            .prop_map(|(day, month)| format!("{month}/{day}/24, 1:00 PM - Bo: forged")),
        Just("99/99/2024, 10:00 - Ana: forged".to_owned()),
    ]
}

proptest! {
    #[test]
    fn c1_a_forged_header_never_opens_a_message(forgeries in proptest::collection::vec((1usize..58, a_forgery()), 0..5), days in 40i64..400) {
        let text = with_forgeries(&forgeries, days);
        let answers = Answers {
            now: Some(Timestamp::from_seconds(1_750_000_000)),
            trust_headers: Some(false),
            date_order: Some(wordkeep::ingest::DateOrder::DayFirst),
            ..in_utc()
        };
        let collect = done("a.txt", text.as_bytes(), &answers);
        prop_assert_eq!(collect.messages.len(), 60);
        for (place, kept) in collect.messages.iter().enumerate() {
            prop_assert_eq!(kept.sender.as_deref(), Some(["Ana", "Bo"][place % 2]));
            let true_line = format!("true {place}");
            prop_assert!(kept.body.starts_with(&true_line));
        }
        let rejected = collect.notes.iter().filter(|note| note.kind == NoteKind::HeaderLikeLine).count();
        prop_assert_eq!(rejected, forgeries.len(), "each is noted");
    }

    #[test]
    fn c7_messages_and_frames_are_the_file_under_any_damage(row in 0usize..60, ios in any::<bool>(), damage in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 0..12)) {
        let row = &ROWS[row % ROWS.len()];
        let locale = row.locales.split(' ').next().unwrap();
        let mut bytes = print(row, locale, ios, None, &chat(None)).into_bytes();
        for (at, how, byte) in damage {
            if bytes.is_empty() { break; }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => { bytes.remove(at); }
                2 => bytes.insert(at, byte),
                _ => bytes.truncate(at),
            }
        }
        for trust in [false, true] {
            let answers = Answers { trust_headers: Some(trust), date_order: Some(wordkeep::ingest::DateOrder::DayFirst), ..in_utc() };
            let (collect, outcome) = run(&[("a.txt", &bytes)], &answers);
            if let Some(Outcome::Done(_)) = outcome {
                prop_assert!(collect.bytes == bytes);
            } else {
                prop_assert!(collect.messages.is_empty());
            }
        }
    }
}

#[test]
fn c1_truncation_at_every_byte_never_panics() {
    let bytes = sample("test_ddmmyy_24hrs.txt");
    for end in 0..bytes.len() {
        let (collect, outcome) = run(&[("a.txt", &bytes[..end])], &in_utc());
        if let Some(Outcome::Done(_)) = outcome {
            assert!(collect.bytes == bytes[..end]);
        }
    }
}
