//! Chats that are made up, printed as LINE and KakaoTalk print them, and read again: the same messages, to
//! the minute and the letter.

use proptest::prelude::*;
use wordkeep::ingest::{
    Answers, Budget, Container, MemorySource, Outcome, ParsedMessage, Sink, Stop, ZoneAnswer,
    detect, import,
};

const SENDERS: [&str; 4] = ["山田 花子", "Ana: Silva", "田中", "[관리] 박"];
/// Pieces of words: what looks like a head, a day, a quote, but is words.
const PIECES: [&str; 9] = [
    "ok",
    "see you at 10:15",
    "he said \"no\" twice",
    "価格は 3,000 円",
    "10:15",
    "2025/04/01",
    "a : b",
    "-----",
    "그래요?",
];

/// A message: who, what, and how many minutes after the one before.
#[derive(Clone, Debug)]
struct Said {
    sender: usize,
    lines: Vec<usize>,
    minutes: i64,
}

fn said() -> impl Strategy<Value = Said> {
    let lines = proptest::collection::vec(0..PIECES.len() + 1, 1..4);
    (0..SENDERS.len(), lines, 0..2_000i64).prop_map(|(sender, mut lines, minutes)| {
        // A blank line stands within words only.
        let last = lines.len() - 1;
        for place in [0, last] {
            lines[place] %= PIECES.len();
        }
        Said {
            sender,
            lines,
            minutes,
        }
    })
}

impl Said {
    fn body(&self) -> String {
        let line = |piece: &usize| PIECES.get(*piece).copied().unwrap_or_default();
        self.lines.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// What is expected and what was read: local minutes, sender, words.
type Shown = (i64, Option<String>, String);

#[derive(Default)]
struct Reader(Vec<Shown>);

impl Sink for Reader {
    fn message(&mut self, message: &ParsedMessage<'_>) -> Result<(), Stop> {
        self.0.push((
            message.local.unwrap_or_default() / 60_000_000,
            message.sender_label.map(str::to_owned),
            message.body.to_owned(),
        ));
        Ok(())
    }

    fn note(&mut self, _note: wordkeep::domain::Note) -> Result<(), Stop> {
        Ok(())
    }
}

fn read(name: &str, text: &str) -> Vec<Shown> {
    let source = MemorySource::new(name, text.as_bytes().to_vec());
    let mut container = Container::open(vec![Box::new(source)], Budget::default()).unwrap();
    let detection = detect(&mut container).unwrap();
    let answers = Answers {
        zone: Some(ZoneAnswer {
            name: "Asia/Tokyo".to_owned(),
            source: wordkeep::domain::ZoneSource::Operator,
        }),
        ..Answers::default()
    };
    let mut reader = Reader::default();
    let outcome = import(&mut container, &detection.chats[0], &answers, &mut reader);
    assert!(matches!(outcome, Ok(Outcome::Done(_))), "{outcome:?}");
    reader.0
}

/// Prints a chat: at each new day `day`, for each message `line`.
fn printed(
    chat: &[Said],
    head: &str,
    day: impl Fn(chrono::NaiveDateTime) -> String,
    line: impl Fn(chrono::NaiveDateTime, &str, &str) -> String,
) -> (String, Vec<Shown>) {
    let mut text = head.to_owned();
    let mut expected = Vec::new();
    let mut today = None;
    // 2024-01-02 00:00.
    let mut minute = 28_402_560;
    for said in chat {
        minute += said.minutes;
        let at = chrono::DateTime::from_timestamp(minute * 60, 0)
            .unwrap()
            .naive_utc();
        if today.replace(at.date()) != Some(at.date()) {
            text += &day(at);
        }
        let (sender, body) = (SENDERS[said.sender], said.body());
        text += &line(at, sender, &body);
        expected.push((minute, Some(sender.to_owned()), body));
    }
    (text, expected)
}

fn weekday(at: chrono::NaiveDateTime, names: [&'static str; 7]) -> &'static str {
    use chrono::Datelike;
    names[at.weekday().num_days_from_sunday() as usize]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn c3_what_line_prints_is_read_as_it_was_said(
        chat in proptest::collection::vec(said(), 1..25),
        doubled in any::<bool>(),
    ) {
        let names = ["日", "月", "火", "水", "木", "金", "土"];
        let quoted = |body: &str| match (body.contains('\n'), doubled) {
            (false, _) => body.to_owned(),
            (true, true) => format!("\"{}\"", body.replace('"', "\"\"")),
            (true, false) => format!("\"{body}\""),
        };
        let (text, expected) = printed(
            &chat,
            "[LINE] 会のトーク履歴\n保存日時：2030/01/01 00:00\n",
            |at| format!("\n{}({})\n", at.format("%Y/%m/%d"), weekday(at, names)),
            |at, sender, body| format!("{}\t{sender}\t{}\n", at.format("%H:%M"), quoted(body)),
        );
        prop_assert_eq!(read("chat.txt", &text), expected);
    }

    #[test]
    fn c3_what_kakaotalk_prints_is_read_as_it_was_said(
        chat in proptest::collection::vec(said(), 1..25),
    ) {
        let names = ["일요일", "월요일", "화요일", "수요일", "목요일", "금요일", "토요일"];
        let clock = |at: chrono::NaiveDateTime| {
            let half = if at.format("%p").to_string() == "AM" { "오전" } else { "오후" };
            format!("{half} {}", at.format("%-I:%M"))
        };
        let (text, expected) = printed(
            &chat,
            "여행 님과 카카오톡 대화\n저장한 날짜 : 2030-01-01 10:00:00\n\n",
            |at| format!("--------------- {} {} ---------------\n", at.format("%Y년 %-m월 %-d일"), weekday(at, names)),
            |at, sender, body| format!("[{sender}] [{}] {body}\n", clock(at)),
        );
        prop_assert_eq!(read("windows.txt", &text), expected.clone());
        let (text, expected) = printed(
            &chat,
            "여행 님과 카카오톡 대화\n저장한 날짜 : 2030년 1월 1일 오전 9:00\n\n",
            |at| format!("\n{} {}\n", at.format("%Y년 %-m월 %-d일"), weekday(at, names)),
            |at, sender, body| format!("{} {}, {sender} : {body}\n", at.format("%Y년 %-m월 %-d일"), clock(at)),
        );
        prop_assert_eq!(read("android.txt", &text), expected);
    }
}
