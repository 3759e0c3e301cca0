//! Times as tables write them.

use chrono::format::{Item, StrftimeItems};

use crate::domain::{Precision, Timestamp};
use crate::ingest::calendar::civil_days;
use crate::ingest::zone::LocalClock;

/// How the times of a table are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2024-01-02T10:11:12.123Z` and kin (RFC 3339; a blank for the T and a missing offset are
    /// accepted, the latter only with a zone).
    Rfc3339,
    /// A count of units since 1970; the unit in microseconds.
    Unix(i64),
    /// A pattern of strftime, as `chrono` understands it.
    Pattern(String),
}

/// A time of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instant {
    /// The instant.
    pub sent: Timestamp,
    /// The printed local time in microseconds, where no offset was printed.
    pub local: Option<i64>,
    /// How sharp it is.
    pub precision: Precision,
    /// Whether the local time was doubtful.
    pub doubtful: bool,
}

/// A time read but not yet placed in a zone.
enum Read {
    Instant(i64, Precision),
    Local(i64, Precision),
}

impl TimeFormat {
    /// The format of a word in a mapping file.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "rfc3339" => Some(Self::Rfc3339),
            "unix" => Some(Self::Unix(Timestamp::MICROS_PER_SECOND)),
            "unix_ms" => Some(Self::Unix(1_000)),
            "unix_us" => Some(Self::Unix(1)),
            pattern if pattern.contains('%') => {
                let sound = StrftimeItems::new(pattern).all(|item| item != Item::Error);
                sound.then(|| Self::Pattern(pattern.to_owned()))
            }
            _ => None,
        }
    }

    /// The instant of a text; `None` when it is not of the format, or is local without a clock.
    pub fn read(&self, text: &str, clock: Option<&mut LocalClock>) -> Option<Instant> {
        let read = match self {
            Self::Rfc3339 => rfc3339(text.as_bytes())?,
            Self::Unix(unit) => unix(text, *unit)?,
            Self::Pattern(pattern) => by_pattern(text, pattern)?,
        };
        match read {
            Read::Instant(micros, precision) => Some(Instant {
                sent: Timestamp(micros),
                local: None,
                precision,
                doubtful: false,
            }),
            Read::Local(micros, precision) => {
                let (sent, doubtful) = clock?.instant(micros);
                Some(Instant {
                    sent,
                    local: Some(micros),
                    precision,
                    doubtful,
                })
            }
        }
    }
}

fn precision_of_decimals(count: usize) -> Precision {
    match count {
        0 => Precision::Second,
        1..=3 => Precision::Milli,
        _ => Precision::Micro,
    }
}

/// A count of units, with or without decimals; exact, never through a float.
fn unix(text: &str, unit_micros: i64) -> Option<Read> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(decimals) {
        return None;
    }
    let mut micros = whole.parse::<i64>().ok()?.checked_mul(unit_micros)?;
    let mut place = unit_micros / 10;
    for digit in decimals.bytes() {
        micros = micros.checked_add(i64::from(digit - b'0') * place)?;
        place /= 10;
    }
    let decimals_of_second = match unit_micros {
        1_000_000 => decimals.len(),
        1_000 => 3 + decimals.len(),
        _ => 6,
    };
    Some(Read::Instant(
        sign * micros,
        precision_of_decimals(decimals_of_second),
    ))
}

/// A number of exactly `count` digits at the front of `text`.
fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    let run = text.get(at..at + count)?;
    run.iter().try_fold(0, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + i64::from(byte - b'0'))
    })
}

fn rfc3339(text: &[u8]) -> Option<Read> {
    let mark = |at: usize, marks: &[u8]| text.get(at).is_some_and(|byte| marks.contains(byte));
    let marks_fit = mark(4, b"-") && mark(7, b"-") && mark(10, b"Tt ") && mark(13, b":");
    if !marks_fit || !mark(16, b":") {
        return None;
    }
    let days = civil_days(
        digits(text, 0, 4)? as i32,
        digits(text, 5, 2)? as u16,
        digits(text, 8, 2)? as u16,
    )?;
    let (hour, minute, second) = (
        digits(text, 11, 2)?,
        digits(text, 14, 2)?,
        digits(text, 17, 2)?,
    );
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = ((days * 24 + hour) * 60 + minute) * 60 + second;
    micros *= Timestamp::MICROS_PER_SECOND;
    let mut at = 19;
    let mut decimals = 0;
    if mark(at, b".,") {
        at += 1;
        let mut place = 100_000;
        while let Some(digit) = digits(text, at, 1) {
            micros += digit * place;
            place /= 10;
            decimals += 1;
            at += 1;
        }
        if decimals == 0 {
            return None;
        }
    }
    let precision = precision_of_decimals(decimals);
    match text.get(at..)? {
        [] => Some(Read::Local(micros, precision)),
        [b'Z' | b'z'] => Some(Read::Instant(micros, precision)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let minutes = match rest.len() {
                5 if rest[2] == b':' => digits(rest, 0, 2)? * 60 + digits(rest, 3, 2)?,
                4 => digits(rest, 0, 2)? * 60 + digits(rest, 2, 2)?,
                2 => digits(rest, 0, 2)? * 60,
                _ => return None,
            };
            let shift = minutes * 60 * Timestamp::MICROS_PER_SECOND;
            let east = if *sign == b'+' { shift } else { -shift };
            Some(Read::Instant(micros - east, precision))
        }
        _ => None,
    }
}

fn by_pattern(text: &str, pattern: &str) -> Option<Read> {
    let precision = if pattern.contains("%f") || pattern.contains("%.") {
        Precision::Micro
    } else if ["%S", "%T", "%s", "%X", "%r", "%c", "%+"]
        .iter()
        .any(|part| pattern.contains(part))
    {
        Precision::Second
    } else if ["%M", "%R"].iter().any(|part| pattern.contains(part)) {
        Precision::Minute
    } else {
        Precision::Day
    };
    if let Ok(instant) = chrono::DateTime::parse_from_str(text, pattern) {
        return Some(Read::Instant(instant.timestamp_micros(), precision));
    }
    let local = match chrono::NaiveDateTime::parse_from_str(text, pattern) {
        Ok(local) => local,
        Err(_) => chrono::NaiveDate::parse_from_str(text, pattern)
            .ok()?
            .and_hms_opt(0, 0, 0)?,
    };
    Some(Read::Local(local.and_utc().timestamp_micros(), precision))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(format: &str, text: &str, seconds_utc: Option<&str>, precision: Precision) {
        let mut clock = LocalClock::new("Europe/Berlin").unwrap();
        let read = TimeFormat::from_name(format)
            .unwrap()
            .read(text, Some(&mut clock));
        let expected = seconds_utc.map(|text| {
            let utc = chrono::DateTime::parse_from_rfc3339(text).unwrap();
            Timestamp(utc.timestamp_micros())
        });
        assert_eq!(read.map(|read| read.sent), expected, "{text}");
        if let Some(read) = read {
            assert_eq!(read.precision, precision, "{text}");
        }
    }

    #[test]
    fn every_form_of_time_is_read() {
        check(
            "rfc3339",
            "2015-08-12T13:11:45.561Z",
            Some("2015-08-12T13:11:45.561Z"),
            Precision::Milli,
        );
        check(
            "rfc3339",
            "2015-08-12 13:11:45",
            Some("2015-08-12T11:11:45Z"),
            Precision::Second,
        );
        check(
            "rfc3339",
            "2015-08-12T13:11:45.123456789+05:30",
            Some("2015-08-12T07:41:45.123456Z"),
            Precision::Micro,
        );
        check(
            "unix",
            "1439385105",
            Some("2015-08-12T13:11:45Z"),
            Precision::Second,
        );
        check(
            "unix",
            "1439385105.000200",
            Some("2015-08-12T13:11:45.0002Z"),
            Precision::Micro,
        );
        check(
            "unix_ms",
            "1439385105561",
            Some("2015-08-12T13:11:45.561Z"),
            Precision::Milli,
        );
        check(
            "%d.%m.%Y %H:%M",
            "12.08.2015 13:11",
            Some("2015-08-12T11:11:00Z"),
            Precision::Minute,
        );
        check(
            "%d.%m.%Y",
            "12.08.2015",
            Some("2015-08-11T22:00:00Z"),
            Precision::Day,
        );
        check(
            "%Y-%m-%d %H:%M:%S %z",
            "2015-08-12 13:11:45 +0100",
            Some("2015-08-12T12:11:45Z"),
            Precision::Second,
        );
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2015-02-30T00:00:00Z",
            "2015-08-12T24:00:00Z",
            "yesterday",
            "2015-08-12T13:11:45.Z",
            "2015-08-12T13:11:45Zx",
        ] {
            check("rfc3339", text, None, Precision::None);
        }
        check("unix", "12e3", None, Precision::None);
        check("unix", "99999999999999999999", None, Precision::None);
        check("%d.%m.%Y", "31.02.2015", None, Precision::None);
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "[0-9T:.Z+ -]{0,40}") {
            for name in ["rfc3339", "unix", "unix_us", "%d.%m.%Y"] {
                let _ = TimeFormat::from_name(name).unwrap().read(&text, None);
            }
        }
    }
}
