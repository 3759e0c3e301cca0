//! The times of Google Takeout: a full sentence in the language of the account, always in UTC.

use crate::domain::Timestamp;
use crate::ingest::calendar::civil_days;

/// Names of the months, by the languages of CLDR in which Takeout was seen or is likely.
const MONTHS: [&[&str]; 12] = [
    &[
        "january",
        "januar",
        "jänner",
        "janvier",
        "enero",
        "janeiro",
        "gennaio",
        "januari",
        "styczeń",
        "stycznia",
        "января",
    ],
    &[
        "february",
        "februar",
        "février",
        "febrero",
        "fevereiro",
        "febbraio",
        "februari",
        "lutego",
        "февраля",
    ],
    &[
        "march",
        "märz",
        "mars",
        "marzo",
        "março",
        "maart",
        "marca",
        "марта",
    ],
    &["april", "avril", "abril", "aprile", "kwietnia", "апреля"],
    &[
        "may", "mai", "mayo", "maio", "maggio", "mei", "maj", "maja", "мая",
    ],
    &[
        "june", "juni", "juin", "junio", "junho", "giugno", "czerwca", "июня",
    ],
    &[
        "july", "juli", "juillet", "julio", "julho", "luglio", "lipca", "июля",
    ],
    &[
        "august",
        "août",
        "agosto",
        "augustus",
        "augusti",
        "sierpnia",
        "августа",
    ],
    &[
        "september",
        "septembre",
        "septiembre",
        "setembro",
        "settembre",
        "września",
        "сентября",
    ],
    &[
        "october",
        "oktober",
        "octobre",
        "octubre",
        "outubro",
        "ottobre",
        "października",
        "октября",
    ],
    &[
        "november",
        "novembre",
        "noviembre",
        "novembro",
        "listopada",
        "ноября",
    ],
    &[
        "december",
        "dezember",
        "décembre",
        "diciembre",
        "dezembro",
        "dicembre",
        "grudnia",
        "декабря",
    ],
];
/// What says that the hours are those of the afternoon.
const AFTERNOON: [&str; 6] = ["pm", "p.m.", "p. m.", "下午", "午後", "오후"];
/// What says that they are those of the morning.
const MORNING: [&str; 6] = ["am", "a.m.", "a. m.", "上午", "午前", "오전"];

/// The instant of a sentence; `None` when it cannot be read beyond doubt.
pub(super) fn instant(sentence: &str) -> Option<Timestamp> {
    let text = sentence
        .to_lowercase()
        .replace(['\u{202f}', '\u{a0}', '\u{2009}'], " ");
    if !text.contains("utc") && !text.contains("gmt") {
        return None;
    }
    let (clock, rest) = clock(&text)?;
    let numbers = numbers(&rest);
    let numbered = ['年', '년'].iter().any(|mark| rest.contains(*mark));
    let (year, month, day) = match numbers.as_slice() {
        [year, month, day] if numbered => (*year, *month, *day),
        [one, other] => {
            let month = month(&rest)?;
            let (year, day) = if *one > 31 {
                (*one, *other)
            } else {
                (*other, *one)
            };
            (year, month, day)
        }
        _ => return None,
    };
    let year = i32::try_from(year)
        .ok()
        .filter(|year| (1990..2400).contains(year))?;
    let days = civil_days(year, u16::try_from(month).ok()?, u16::try_from(day).ok()?)?;
    Some(Timestamp::from_seconds(days * 86_400 + clock))
}

/// The time of day in seconds, and the sentence without it.
fn clock(text: &str) -> Option<(i64, String)> {
    let word = text
        .split_whitespace()
        .find(|word| word.matches(':').count() == 2)?;
    let digits = |letter: char| letter.is_ascii_digit() || letter == ':';
    let from = word.find(digits)?;
    let time = &word[from..];
    let time = &time[..time.find(|letter| !digits(letter)).unwrap_or(time.len())];
    let parts: Option<Vec<i64>> = time.split(':').map(|part| part.parse().ok()).collect();
    let [hour, minute, second] = parts?[..] else {
        return None;
    };
    let rest = text.replacen(time, " ", 1);
    let words: Vec<&str> = rest.split([' ', ',']).collect();
    let says = |marks: &[&str]| {
        marks
            .iter()
            .any(|mark| match mark.is_ascii() && !mark.contains(' ') {
                true => words.contains(mark),
                false => rest.contains(mark),
            })
    };
    let hour = match (says(&AFTERNOON), says(&MORNING)) {
        (true, true) => return None,
        (false, false) => hour,
        (afternoon, _) if (1..=12).contains(&hour) => hour % 12 + if afternoon { 12 } else { 0 },
        _ => return None,
    };
    let fits = hour < 24 && minute < 60 && second < 61;
    fits.then(|| ((hour * 60 + minute) * 60 + second, rest))
}

fn numbers(text: &str) -> Vec<u32> {
    let runs = text.split(|letter: char| !letter.is_ascii_digit());
    runs.filter_map(|run| run.parse().ok()).collect()
}

/// The month that is named; `None` when none is, or several are.
fn month(text: &str) -> Option<u32> {
    let words: Vec<&str> = text.split(|letter: char| !letter.is_alphabetic()).collect();
    let named = |names: &&[&str]| names.iter().any(|name| words.contains(name));
    let mut months = (1..).zip(MONTHS).filter(|(_, names)| named(names));
    let (month, _) = months.next()?;
    months.next().is_none().then_some(month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_several_languages_are_the_same_instant() {
        for sentence in [
            "Tuesday, January 2, 2024 at 3:04:05\u{202f}PM UTC",
            "Tuesday, January 2, 2024 at 3:04:05 PM UTC",
            "Tuesday, 2 January 2024 at 15:04:05 UTC",
            "2024年1月2日星期二 UTC 15:04:05",
            "2024年1月2日星期二 UTC 下午3:04:05",
            "Dienstag, 2. Januar 2024 um 15:04:05 UTC",
            "mardi 2 janvier 2024 à 15:04:05 UTC",
            "martes, 2 de enero de 2024, 15:04:05 UTC",
            "terça-feira, 2 de janeiro de 2024 às 15:04:05 UTC",
        ] {
            assert_eq!(
                instant(sentence),
                Some(Timestamp::from_seconds(1_704_207_845)),
                "{sentence}"
            );
        }
        assert_eq!(
            instant("Monday, May 6, 2024 at 12:00:00 AM UTC"),
            Some(Timestamp::from_seconds(1_714_953_600))
        );
    }

    #[test]
    fn what_is_in_doubt_is_not_read() {
        for sentence in [
            "",
            "Tuesday, January 2, 2024 at 3:04:05 PM",
            "Tuesday, Blursday 2, 2024 at 3:04:05 PM UTC",
            "Tuesday, January 32, 2024 at 3:04:05 PM UTC",
            "Tuesday, January 2, 2024 at 13:04:05 PM UTC",
            "January or March 2, 2024 at 3:04:05 PM UTC",
            "2024-01-02 15:04:05 UTC",
        ] {
            assert_eq!(instant(sentence), None, "{sentence}");
        }
    }
}
