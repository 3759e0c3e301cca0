//! C3: tables by mapping: exact, closed against bad dates, cheap to keep.

use crate::support::collect::{done, in_utc, run};
use wordkeep::domain::{NoteKind, Precision, Presence, Timestamp};
use wordkeep::ingest::raw::{Fields, raw_form, rebuild};
use wordkeep::ingest::{Answers, Mapping, Outcome, QuestionKind};

fn by(mapping: &str) -> Answers {
    Answers {
        mapping: Some(Mapping::from_json(mapping).unwrap()),
        ..Answers::default()
    }
}

const CORPUS: &str = r#"{"conversation":"conversation","sender":"sender","ts":"ts","ts_optional":true,"body":"text","id":"id","id_scope":"global","reply_to":"reply_to","app":"source"}"#;

#[test]
fn c3_rows_of_the_corpus_form_become_messages() {
    let rows = concat!(
        r#"{"source": "irc", "conversation": "room", "ts": "2015-08-12T13:11:45.561Z", "sender": "Ana", "text": "h\u00e9 \ud83d\ude00", "id": "1"}"#,
        "\n",
        "\n",
        r#"{"source": "irc", "conversation": "room", "sender": "Bo", "text": "line\nline", "id": "2", "reply_to": ["1", "0"]}"#,
        "\r\n",
        r#"{"source": "irc", "conversation": "other", "ts": null, "sender": null, "text": 12.50}"#,
    );
    let collect = done("a.jsonl", rows.as_bytes(), &by(CORPUS));
    let [first, second, third] = collect.messages.as_slice() else {
        panic!("{}", collect.messages.len());
    };
    assert_eq!(
        (first.body.as_str(), first.sent),
        ("hé 😀", Some(Timestamp(1_439_385_105_561_000)))
    );
    assert_eq!(
        (first.precision, first.source_id.as_deref()),
        (Precision::Milli, Some("1"))
    );
    assert_eq!(
        (second.body.as_str(), second.reply_to.as_deref()),
        ("line\nline", Some("1"))
    );
    assert!(second.presence.has(Presence::TIME_ASSUMED));
    assert_eq!(
        (third.body.as_str(), third.sender.as_deref(), third.sent),
        ("12.50", None, None)
    );
}

#[test]
fn c3_one_bad_date_refuses_the_file_unless_the_rest_is_wanted() {
    let rows = "{\"c\":\"x\",\"s\":\"a\",\"b\":\"1\",\"t\":\"2024-01-02T03:04:05Z\"}\n{\"c\":\"x\",\"s\":\"a\",\"b\":\"2\",\"t\":\"soon\"}\nnot json\n{\"c\":\"x\",\"s\":\"a\",\"b\":\"4\"}\n";
    let mapping = r#"{"conversation":"c","sender":"s","body":"b","ts":"t"}"#;
    let (collect, outcome) = run(&[("a.jsonl", rows.as_bytes())], &by(mapping));
    let Some(Outcome::Refused(refusal)) = outcome else {
        panic!("{outcome:?}");
    };
    assert!(collect.messages.is_empty());
    let lines: Vec<u64> = refusal.places.iter().map(|place| place.line).collect();
    assert_eq!((refusal.total, lines), (3, vec![2, 3, 4]));
    let rest = Answers {
        import_rest: true,
        ..by(mapping)
    };
    let collect = done("a.jsonl", rows.as_bytes(), &rest);
    assert_eq!(collect.messages.len(), 1);
    assert_eq!(
        collect
            .notes
            .iter()
            .filter(|note| note.kind == NoteKind::Rejected)
            .count(),
        3
    );
}

#[test]
fn c3_a_table_without_mapping_asks_with_its_columns() {
    let (_, outcome) = run(&[("a.jsonl", br#"{"who":"a","what":"b"}"#)], &in_utc());
    let Some(Outcome::Ask(questions)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(questions[0].kind, QuestionKind::Mapping);
    assert!(questions[0].reason.contains("who, what"));
}

#[test]
fn c3_odd_json_is_noted_and_never_panics() {
    let deep = format!(
        "{{\"b\":\"x\",\"d\":{}1{}}}\n",
        "[".repeat(200_000),
        "]".repeat(200_000)
    );
    let rows = format!(
        "{{\"b\":\"one\",\"b\":\"two\"}}\n{{\"b\":\"lone \\ud83d\"}}\n{deep}{{\"b\":\"\u{0}\"}}\n{{\"b\":1}} x\n"
    );
    let mapping = r#"{"conversation":{"constant":"c"},"sender":"s","body":"b"}"#;
    let answers = Answers {
        import_rest: true,
        ..by(mapping)
    };
    let collect = done("a.jsonl", rows.as_bytes(), &answers);
    let bodies: Vec<&str> = collect
        .messages
        .iter()
        .map(|kept| kept.body.as_str())
        .collect();
    assert_eq!(bodies, ["two", "lone \u{FFFD}"]);
    let kinds: Vec<NoteKind> = collect.notes.iter().map(|note| note.kind).collect();
    assert_eq!(
        kinds,
        [
            NoteKind::Other,
            NoteKind::Encoding,
            NoteKind::Rejected,
            NoteKind::Rejected,
            NoteKind::Rejected
        ]
    );
}

#[test]
fn c3_the_raw_form_of_a_row_is_small_and_exact() {
    let mut rows = String::new();
    for place in 0..600 {
        let reply = match place % 3 {
            0 => format!(r#", "reply_to": "id{}""#, place / 2),
            _ => String::new(),
        };
        rows += &format!(
            "{{\"source\": \"gitter\", \"conversation\": \"room {}\", \"ts\": \"2015-08-12T13:11:{:02}.561Z\", \"sender\": \"Ana {}\", \"text\": \"words \\\"{place}\\\" and more\\n\", \"id\": \"id{place}\"{reply}}}\n",
            place % 2,
            place % 60,
            place % 5,
        );
    }
    let collect = done("a.jsonl", rows.as_bytes(), &by(CORPUS));
    assert_eq!(collect.messages.len(), 600);
    let mut total = 0;
    for kept in &collect.messages {
        let fields = Fields {
            body: &kept.body,
            sender: kept.sender.as_deref(),
            conversation: &kept.conversation,
            source_id: kept.source_id.as_deref(),
            reply_to: kept.reply_to.as_deref(),
            sent: kept.sent,
        };
        let mut form = Vec::new();
        raw_form(&kept.raw, &fields, &collect.templates, &mut form);
        let mut again = Vec::new();
        rebuild(&form, &fields, &collect.templates, &mut again).unwrap();
        assert_eq!(again, kept.raw);
        total += form.len();
    }
    assert!(total <= 600 * 3, "{total} bytes for 600 rows");
}

#[test]
fn c3_separated_values_of_every_dialect_read_alike() {
    let mapping = r#"{"conversation":{"constant":"c"},"sender":"who","body":"what","ts":"when","ts_format":"%d.%m.%Y %H:%M","zone":"Europe/Berlin","id":"no"}"#;
    let plain = "no,who,when,what\n1,Ana,31.12.2023 23:59,\"hi, \"\"you\"\"\nthere\"\n\n2,Bo,01.01.2024 00:01,=SUM(A1)\n";
    let semicolons = "sep=;\r\nno;who;when;what\r\n1;Ana;31.12.2023 23:59;\"hi, \"\"you\"\"\nthere\"\r\n2;Bo;01.01.2024 00:01;=SUM(A1)";
    let mut utf16 = vec![0xFE, 0xFF];
    utf16.extend(plain.encode_utf16().flat_map(u16::to_be_bytes));
    for bytes in [
        plain.as_bytes(),
        semicolons.as_bytes(),
        format!("\u{FEFF}{plain}").as_bytes(),
        &utf16,
    ] {
        let collect = done("a.csv", bytes, &by(mapping));
        let bodies: Vec<&str> = collect
            .messages
            .iter()
            .map(|kept| kept.body.as_str())
            .collect();
        assert_eq!(bodies, ["hi, \"you\"\nthere", "=SUM(A1)"]);
        assert_eq!(
            collect.messages[0].sent,
            Some(Timestamp::from_seconds(1_704_063_540))
        );
        assert_eq!(collect.messages[1].source_id.as_deref(), Some("2"));
    }
}

#[test]
fn c3_rows_that_are_not_utf8_are_read_as_windows_1252_and_noted() {
    let mapping = r#"{"conversation":{"constant":"c"},"sender":{"column":1},"body":{"column":2},"header":false}"#;
    let collect = done("a.csv", b"Ana,gr\xFC\xDFe\nBo,ok\n", &by(mapping));
    assert_eq!(collect.messages[0].body, "gr\u{fc}\u{df}e");
    assert_eq!(collect.notes.len(), 1);
}

#[test]
fn c3_a_column_that_is_not_there_is_named() {
    let mapping = r#"{"conversation":"room","sender":"who","body":"what"}"#;
    let (_, outcome) = run(&[("a.csv", b"who,what\na,b\n")], &by(mapping));
    assert!(matches!(outcome, Some(Outcome::Refused(refusal)) if refusal.reason.contains("room")));
}

proptest::proptest! {
    #[test]
    fn c3_records_and_frames_are_the_table(text in "[a-c,;\"'\n\r\u{e9}]{0,80}", cut in 0usize..80) {
        let mapping = r#"{"conversation":{"constant":"c"},"sender":{"column":1},"body":{"column":2},"header":false}"#;
        let mut bytes = text.into_bytes();
        bytes.truncate(cut);
        let (collect, outcome) = run(&[("a.csv", &bytes)], &by(mapping));
        if let Some(Outcome::Done(_)) = outcome {
            assert!(collect.bytes == bytes);
        }
    }
}
