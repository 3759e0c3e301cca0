//! A time of day by itself, as transcripts print it under the heading of a day.

use super::shapes::{DAY_WORDS, DayPart};

/// A time of day and how far it reaches in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hour {
    /// Seconds since midnight.
    pub second_of_day: u32,
    /// Whether seconds are printed.
    pub seconds: bool,
    /// Bytes it takes.
    pub length: usize,
}

/// The time of day a text begins with: `9:05`, `09:05:30`, `午後3:05`, `오후 3:05`, `03:05PM`,
/// `3:05 p.m.`.
pub fn hour_of(text: &str) -> Option<Hour> {
    let before = day_word(text);
    let mut at = before.map_or(0, |(_, length)| length);
    at += usize::from(before.is_some()) * blank(&text[at..]);
    let hour = number(text, &mut at, 1)?;
    eat(text, &mut at)?;
    let minute = number(text, &mut at, 2)?;
    // A colon without digits behind it ends the head.
    let behind = text.as_bytes().get(at + 1).is_some_and(u8::is_ascii_digit);
    let with_seconds = behind && text[at..].starts_with(':');
    let second = match with_seconds {
        true => {
            at += 1;
            number(text, &mut at, 2)?
        }
        false => 0,
    };
    if hour > 23
        || minute > 59
        || second > 59
        || text.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
    {
        return None;
    }
    let gap = blank(&text[at..]);
    let after = match before {
        Some(_) => None,
        None => day_word(&text[at + gap..]),
    };
    at += after.map_or(0, |(_, length)| gap + length);
    let part = before.or(after).map(|(part, _)| part);
    let hour = part.map_or(hour, |part| part.hour(hour));
    Some(Hour {
        second_of_day: u32::from(hour) * 3_600 + u32::from(minute) * 60 + u32::from(second),
        seconds: with_seconds,
        length: at,
    })
}

/// A day word at the start, with its length. A word of Latin letters must end there.
fn day_word(text: &str) -> Option<(DayPart, usize)> {
    let met = |word: &str| {
        text.get(..word.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(word))
    };
    let (word, part) = DAY_WORDS.iter().find(|(word, _)| met(word))?;
    let goes_on = text[word.len()..].starts_with(char::is_alphanumeric);
    let latin = word.ends_with(|letter: char| letter.is_ascii_alphabetic());
    (!(latin && goes_on)).then_some((*part, word.len()))
}

/// Length of one blank at the start.
fn blank(text: &str) -> usize {
    let first = text.chars().next();
    first.map_or(0, |letter| match letter {
        ' ' | '\u{A0}' | '\u{202F}' => letter.len_utf8(),
        _ => 0,
    })
}

fn eat(text: &str, at: &mut usize) -> Option<()> {
    text[*at..].starts_with(':').then(|| *at += 1)
}

/// A number of one or two digits, at least `least`.
fn number(text: &str, at: &mut usize, least: usize) -> Option<u8> {
    let digits = text[*at..]
        .bytes()
        .take(2)
        .take_while(u8::is_ascii_digit)
        .count();
    if digits < least {
        return None;
    }
    let number = text[*at..*at + digits].parse().ok()?;
    *at += digits;
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_in_every_style() {
        for (text, hour, minute, length) in [
            ("9:05\tx", 9, 5, 4),
            ("09:05 x", 9, 5, 5),
            ("午後3:05\t", 15, 5, 10),
            ("오전 12:05, x", 0, 5, 12),
            ("03:05PM\t", 15, 5, 7),
            ("3:05 p.m. x", 15, 5, 9),
            ("下午03:04\t", 15, 4, 11),
            ("15:04: x", 15, 4, 5),
        ] {
            let read = hour_of(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (read.second_of_day, read.length),
                (hour * 3_600 + minute * 60, length),
                "{text}"
            );
        }
        for text in ["x", "12", "12:5", "25:00", "12:345", "12.30"] {
            assert_eq!(hour_of(text), None, "{text}");
        }
    }
}
