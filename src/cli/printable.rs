//! Values as people read them: numbers, sizes, times, and foreign text made safe for a terminal.

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;

use crate::domain::Timestamp;

/// Foreign text as one line without anything that steers a terminal: control and direction
/// characters are shown by their number.
pub(super) fn line(text: &str) -> String {
    safe(text, |letter| match letter {
        '\n' => Some("⏎"),
        '\t' => Some(" "),
        '\r' => Some(""),
        _ => None,
    })
}

/// The same, with line breaks kept.
pub(super) fn lines(text: &str) -> String {
    safe(text, |letter| match letter {
        '\n' => Some("\n"),
        '\t' => Some(" "),
        '\r' => Some(""),
        _ => None,
    })
}

fn safe(text: &str, known: impl Fn(char) -> Option<&'static str>) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match known(letter) {
            Some(instead) => out.push_str(instead),
            None if letter.is_control() || steers_direction(letter) => {
                out.push_str(&format!("<U+{:04X}>", letter as u32));
            }
            None => out.push(letter),
        }
    }
    out
}

/// Characters that reorder what stands around them (Unicode UAX #9, explicit directional
/// formatting): in a terminal they can make a line say something else.
fn steers_direction(letter: char) -> bool {
    matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A whole number with commas between thousands.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn instant(time: Timestamp) -> DateTime<Utc> {
    // Times out of the range of the calendar library are shown as its epoch.
    Utc.timestamp_micros(time.0).single().unwrap_or_default()
}

/// An instant in a zone with its offset, to the second.
pub(super) fn in_zone(time: Timestamp, zone: Tz) -> String {
    let local = instant(time).with_timezone(&zone);
    local.format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// An instant for programs: RFC 3339 in UTC.
pub(super) fn rfc3339(time: Timestamp) -> String {
    instant(time).format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
}

/// A local time that has no zone yet, to the minute.
pub(super) fn wall(time: Timestamp) -> String {
    instant(time).format("%Y-%m-%d %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_shown_not_sent() {
        assert_eq!(line("a\u{1b}[31mb\nc"), "a<U+001B>[31mb⏎c");
        assert_eq!(lines("a\r\nb\u{202e}c"), "a\nb<U+202E>c");
        assert_eq!(line("שלום 👍🏽 é"), "שלום 👍🏽 é");
    }

    #[test]
    fn numbers_have_commas() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn times_say_their_zone() {
        let time = Timestamp::from_seconds(1_720_000_000);
        assert_eq!(
            in_zone(time, chrono_tz::Europe::Lisbon),
            "2024-07-03 10:46:40 +01:00"
        );
        assert_eq!(rfc3339(time), "2024-07-03T09:46:40Z");
    }
}
