//! Hostile records in formats of records: each costs itself, is told with its place, and the records before
//! and behind it are read.

use std::path::PathBuf;

use wordkeep::domain::Timestamp;
use wordkeep::ingest::Answers;

use super::told::{Input, told};

/// A format by its smallest export: what stands before its records, between two, and behind them; a record
/// with its number, `{n}`; files beside it.
struct Small {
    format: &'static str,
    name: &'static str,
    before: &'static str,
    between: &'static str,
    behind: &'static str,
    record: &'static str,
    beside: &'static [(&'static str, &'static str)],
}

const SMALL: &[Small] = &[
    Small {
        format: "slack",
        name: "w/sales/2024-02-11.json",
        before: "[",
        between: ",",
        behind: "]",
        record: r#"{"type":"message","text":"said {n}","user":"U1","ts":"170764824{n}.000300"}"#,
        beside: &[("w/channels.json", r#"[{"id":"C1","name":"sales"}]"#)],
    },
    Small {
        format: "discord",
        name: "general.json",
        before: r#"{"guild":{"id":"1","name":"g"},"channel":{"id":"2","name":"c"},"dateRange":{},"messages":["#,
        between: ",",
        behind: "]}",
        record: r#"{"id":"120618891449938739{n}","type":"Default","content":"said {n}","author":{"id":"1","name":"a"}}"#,
        beside: &[],
    },
    Small {
        format: "messenger",
        name: "message_1.json",
        before: r#"{"participants":[{"name":"a"},{"name":"b"}],"messages":["#,
        between: ",",
        behind: r#"],"title":"b","thread_path":"inbox/b_1"}"#,
        record: r#"{"sender_name":"a","timestamp_ms":170764824700{n},"content":"said {n}"}"#,
        beside: &[],
    },
    Small {
        format: "matrix",
        name: "export.json",
        before: r#"{"room_name":"r","exported_by":"a","messages":["#,
        between: ",",
        behind: "]}",
        record: r#"{"event_id":"${n}","sender":"@a:x","origin_server_ts":170764824700{n},"type":"m.room.message","content":{"msgtype":"m.text","body":"said {n}"}}"#,
        beside: &[],
    },
    Small {
        format: "teams",
        name: "messages_1.json",
        before: "[",
        between: ",",
        behind: "]",
        record: r#"{"id":"170764824700{n}","chatId":"19:x@thread.v2","messageType":"message","createdDateTime":"2024-02-11T10:44:0{n}Z","body":{"contentType":"text","content":"said {n}"}}"#,
        beside: &[],
    },
    Small {
        format: "googlechat",
        name: "Google Chat/Groups/DM x/messages.json",
        before: r#"{"messages":["#,
        between: ",",
        behind: "]}",
        record: r#"{"creator":{"name":"a"},"created_date":"Tuesday, January 2, 2024 at 3:04:0{n} PM UTC","text":"said {n}","message_id":"x/{n}/{n}"}"#,
        beside: &[(
            "Google Chat/Groups/DM x/group_info.json",
            "{\"members\":[]}",
        )],
    },
    Small {
        format: "mattermost",
        name: "import.jsonl",
        before: "{\"type\":\"version\",\"version\":1}\n",
        between: "\n",
        behind: "\n",
        record: r#"{"type":"post","post":{"team":"t","channel":"c","user":"a","message":"said {n}","create_at":170764824700{n}}}"#,
        beside: &[],
    },
    Small {
        format: "rocketchat",
        name: "rocketchat_message.json",
        before: "",
        between: "\n",
        behind: "\n",
        record: r#"{"_id":"m{n}","rid":"r","msg":"said {n}","ts":170764824700{n},"u":{"_id":"1","username":"a"}}"#,
        beside: &[],
    },
];

impl Small {
    /// The export with something between its first record and its second.
    fn read_with(&self, hostile: &[u8]) -> String {
        let record = |n: &str| self.record.replace("{n}", n).into_bytes();
        let parts = [
            self.before.as_bytes().to_vec(),
            record("1"),
            self.between.as_bytes().to_vec(),
            hostile.to_vec(),
            self.between.as_bytes().to_vec(),
            record("2"),
            self.behind.as_bytes().to_vec(),
        ];
        self.read(parts.concat())
    }

    fn read(&self, bytes: Vec<u8>) -> String {
        let mut files = vec![(self.name.to_owned(), bytes)];
        let beside = self.beside.iter();
        files.extend(beside.map(|(name, text)| (name.to_string(), text.as_bytes().to_vec())));
        told(&Input {
            path: PathBuf::from(self.name),
            files,
            answers: Answers {
                now: Some(Timestamp::from_seconds(1_760_000_000)),
                ..Answers::default()
            },
        })
    }
}

fn nested(depth: usize) -> Vec<u8> {
    [
        b"{\"x\":".to_vec(),
        b"[".repeat(depth),
        b"]".repeat(depth),
        b"}".to_vec(),
    ]
    .concat()
}

/// Of wrong types, or longer than a record may be.
#[test]
fn c3_a_hostile_record_costs_itself_alone() {
    let long = [b"{\"x\":\"".to_vec(), vec![b'a'; 65 << 20], b"\"}".to_vec()];
    let long = long.concat();
    for small in SMALL {
        let mut hostile: Vec<&[u8]> = vec![br#"["no object"]"#, b"7", br#""text""#];
        if matches!(small.format, "slack" | "mattermost") {
            hostile.push(&long);
        }
        for record in hostile {
            let read = small.read_with(record);
            let format = small.format;
            assert!(read.contains(&format!(": {format}\n")), "{format}: {read}");
            let both = read.contains("said 1") && read.contains("said 2");
            assert!(both && read.contains("! rejected"), "{format}: {read}");
            assert!(read.contains("2 messages"), "{format}: {read}");
            assert!(read.contains("1 rejected"), "{format}: {read}");
        }
    }
}

/// Whoever looks into it rejects it; whoever needs nothing of it keeps it as it is.
#[test]
fn c3_depth_beyond_measure_is_rejected_or_kept_unread() {
    for small in SMALL {
        let read = small.read_with(&nested(200_000));
        let both = read.contains("said 1") && read.contains("said 2");
        assert!(both, "{}: {read}", small.format);
        let rejected = read.contains("2 messages") && read.contains("1 rejected");
        let kept = read.contains("3 messages") && read.contains("0 rejected");
        let framed = read.contains("2 messages") && read.contains("0 rejected");
        assert!(rejected || kept || framed, "{}: {read}", small.format);
    }
}

#[test]
fn c3_letters_that_are_none_are_noted_and_the_record_is_read() {
    for small in SMALL {
        let record = small.record.replace("{n}", "3").into_bytes();
        let at = record.windows(4).position(|part| part == b"said").unwrap();
        let mut broken = record.clone();
        broken.splice(at..at, [0xff, 0x00, 0xc3]);
        let read = small.read_with(&broken);
        assert!(read.contains("! encoding"), "{}: {read}", small.format);
        assert!(read.contains("3 messages"), "{}: {read}", small.format);
    }
}

#[test]
fn c3_an_empty_export_is_no_chat_and_no_trouble() {
    for small in SMALL {
        for bytes in ["", "\n", "[]", "{}", "null", "\u{feff}"] {
            let read = small.read(bytes.as_bytes().to_vec());
            assert!(!read.contains("failed"), "{}: {read}", small.format);
        }
    }
}
