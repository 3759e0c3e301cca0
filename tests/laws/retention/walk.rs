//! Due instants once more, by walking the calendar day by day: what `due` is compared with.

use chrono::{Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use wordkeep::domain::{Period, Timestamp};

const QUARTER: i64 = 900_000_000;

/// The due instant, by walking: days one by one to the due day, quarters of an hour to midnight.
pub fn due(from: Timestamp, period: Period, zone: Tz) -> Timestamp {
    let Period::Calendar { months, days } = period else {
        return Timestamp::NEVER;
    };
    let local = |micros: i64| {
        zone.timestamp_micros(micros)
            .single()
            .map(|time| time.naive_local())
    };
    let begun = local(from.0).unwrap().date();
    let (mut year, mut month) = (begun.year(), begun.month());
    for _ in 0..months {
        (year, month) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
    }
    let mut day = (1..=begun.day())
        .rev()
        .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
        .unwrap();
    for _ in 0..=days {
        day = day.succ_opt().unwrap();
    }
    let midnight = day.and_hms_opt(0, 0, 0).unwrap();
    let utc = midnight.and_utc().timestamp_micros();
    // Every zone is within a day of UTC, and a skipped day makes it one more.
    let shown: Vec<i64> = (utc / QUARTER - 30 * 4..utc / QUARTER + 54 * 4)
        .map(|quarter| quarter * QUARTER)
        .filter(|micros| local(*micros).is_some_and(|time| time >= midnight))
        .collect();
    let exact = shown
        .iter()
        .filter(|at| local(**at) == Some(midnight))
        .max();
    Timestamp(*exact.or(shown.first()).unwrap())
}
