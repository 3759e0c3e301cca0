//! C1: a WhatsApp export of any locale and either platform reads exactly, or asks.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test may fail like the test"
)]

use crate::support::collect::{Collect, in_utc, run};
use crate::support::locale_matrix::{Local, NATIVE_DIGITS, ROWS, Said, chat, print};
use wordkeep::domain::Timestamp;
use wordkeep::ingest::{Answers, Outcome, QuestionKind};

/// Every locale with both platforms and its digits.
fn matrix() -> Vec<(usize, &'static str, bool, Option<char>)> {
    let mut all = Vec::new();
    for (place, row) in ROWS.iter().enumerate() {
        for locale in row.locales.split(' ') {
            let zero = NATIVE_DIGITS.iter().find(|(native, _)| *native == locale);
            for ios in [false, true] {
                all.push((place, locale, ios, None));
                all.extend(zero.map(|(_, zero)| (place, locale, ios, Some(*zero))));
            }
        }
    }
    all
}

fn micros(local: Local, seconds: bool) -> i64 {
    let date = chrono::NaiveDate::from_ymd_opt(local.year as i32, local.month, local.day).unwrap();
    let second = if seconds { local.second } else { 0 };
    let time = date.and_hms_opt(local.hour, local.minute, second).unwrap();
    time.and_utc().timestamp_micros()
}

fn compare(name: &str, said: &[Said], ios: bool, collect: &Collect) {
    assert_eq!(collect.messages.len(), said.len(), "{name}");
    for (said, kept) in said.iter().zip(&collect.messages) {
        assert_eq!(kept.sender.as_deref(), Some(said.author), "{name}");
        assert_eq!(kept.body, said.body, "{name}");
        assert_eq!(
            kept.local,
            Some(micros(said.local, ios)),
            "{name}: {:?}",
            said.local
        );
    }
}

#[test]
fn c1_every_locale_reads_exactly_over_more_than_a_month() {
    let said = chat(None);
    let mut files = 0;
    for (place, locale, ios, zero) in matrix() {
        let name = format!("{locale} ios={ios} digits={zero:?}");
        let text = print(&ROWS[place], locale, ios, zero, &said);
        let (collect, outcome) = run(&[("chat.txt", text.as_bytes())], &in_utc());
        let Some(Outcome::Done(_)) = outcome else {
            panic!("{name}: {outcome:?}\n{}", &text[..300]);
        };
        assert!(collect.bytes == text.as_bytes(), "{name}");
        compare(&name, &said, ios, &collect);
        files += 1;
    }
    assert!(files >= 208 + 18, "{files} files");
}

#[test]
fn c1_an_undecidable_day_is_right_or_asked_in_every_locale() {
    let mut asked = 0;
    for day in [
        (2024, 3, 4),
        (2012, 11, 10),
        (2023, 5, 5),
        (2024, 2, 20),
        (2011, 12, 9),
    ] {
        let said = chat(Some(day));
        for (place, locale, ios, zero) in matrix() {
            let name = format!("{locale} ios={ios} digits={zero:?} {day:?}");
            let text = print(&ROWS[place], locale, ios, zero, &said);
            // The file may have been written long after.
            let answers = Answers {
                now: Some(Timestamp::from_seconds(1_750_000_000)),
                ..in_utc()
            };
            let (collect, outcome) = run(&[("chat.txt", text.as_bytes())], &answers);
            match outcome {
                Some(Outcome::Done(_)) => compare(&name, &said, ios, &collect),
                Some(Outcome::Ask(questions)) => {
                    assert!(collect.messages.is_empty(), "{name}: asked and admitted");
                    assert!(
                        questions
                            .iter()
                            .all(|question| question.kind == QuestionKind::DateOrder)
                    );
                    let offered = &questions[0].readings;
                    let truth = micros(said[0].local, ios) / 86_400_000_000;
                    let holds = offered.iter().any(|reading| {
                        reading
                            .first
                            .is_some_and(|first| first.0 / 86_400_000_000 == truth)
                    });
                    assert!(holds, "{name}: the truth is among the readings");
                    asked += 1;
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
    assert!(asked > 0);
}
