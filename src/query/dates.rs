//! Dates of a query: what is read, what is never guessed, and the instants they stand for. There is
//! no clock: the present is an argument.

use chrono::{
    DateTime, Datelike, Days, LocalResult, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeDelta, TimeZone, Timelike,
};
use chrono_tz::Tz;

use super::analysis::fold;
use super::ast::{DateSpec, Lapse, LapseUnit};
use super::resolved::TimeRange;
use crate::domain::Timestamp;

/// Why a text is not a date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DateError {
    /// It has several readings, or one that must not be guessed: the ISO forms.
    Ambiguous(Vec<NaiveDate>),
    /// A date in another spelling, and the ISO form.
    Respell(NaiveDate),
    /// No date at all.
    Invalid,
}

/// A date that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct DateReading {
    pub spec: DateSpec,
    /// A month without a year was given the latest one begun (W05).
    pub year_supplied: bool,
}

/// Month names by number, folded, besides their first three letters in English.
const MONTHS: [&[&str]; 12] = [
    &[
        "january", "enero", "janeiro", "januar", "janvier", "gennaio",
    ],
    &[
        "february",
        "febrero",
        "fevereiro",
        "februar",
        "fevrier",
        "febbraio",
    ],
    &["march", "marzo", "marco", "marz", "mars"],
    &["april", "abril", "avril", "aprile"],
    &["may", "mayo", "maio", "mai", "maggio"],
    &["june", "junio", "junho", "juni", "juin", "giugno"],
    &["july", "julio", "julho", "juli", "juillet", "luglio"],
    &["august", "agosto", "aout"],
    &[
        "september",
        "septiembre",
        "setembro",
        "septembre",
        "settembre",
    ],
    &[
        "october", "octubre", "outubro", "oktober", "octobre", "ottobre",
    ],
    &["november", "noviembre", "novembro", "novembre"],
    &[
        "december",
        "diciembre",
        "dezembro",
        "dezember",
        "decembre",
        "dicembre",
    ],
];
/// Letters of the short English month names.
const SHORT_MONTH: usize = 3;

/// Reads one date.
pub(super) fn read_date(text: &str, today: NaiveDate) -> Result<DateReading, DateError> {
    let plain = |spec| DateReading {
        spec,
        year_supplied: false,
    };
    let folded = fold(text.trim());
    match folded.as_str() {
        "today" => return Ok(plain(DateSpec::Today)),
        "yesterday" => return Ok(plain(DateSpec::Yesterday)),
        _ => {}
    }
    if let Some(ago) = folded.strip_prefix('-').and_then(read_lapse) {
        return Ok(plain(DateSpec::Ago(ago)));
    }
    if let Some(spec) = read_iso(&folded) {
        return Ok(plain(spec));
    }
    if let Some(reading) = read_month_name(&folded, today) {
        return Ok(reading);
    }
    Err(read_foreign(&folded))
}

fn digits(text: &str, len: usize) -> Option<u32> {
    let ok = text.len() == len && text.bytes().all(|byte| byte.is_ascii_digit());
    ok.then(|| text.parse().ok()).flatten()
}

fn read_iso(text: &str) -> Option<DateSpec> {
    let (date, time) = match text.split_once('t') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4).filter(|year| *year > 0)? as i32;
    let month = match parts.next() {
        None => return time.is_none().then_some(DateSpec::Year(year)),
        Some(month) => digits(month, 2)?,
    };
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let day = match parts.next() {
        None => return time.is_none().then_some(DateSpec::Month(year, month)),
        Some(day) => first.with_day(digits(day, 2)?)?,
    };
    if parts.next().is_some() {
        return None;
    }
    match time {
        None => Some(DateSpec::Day(day)),
        Some(time) => Some(DateSpec::Minute(day.and_time(read_clock(time)?))),
    }
}

fn read_clock(text: &str) -> Option<NaiveTime> {
    let (hour, minute) = text.split_once(':')?;
    NaiveTime::from_hms_opt(digits(hour, 2)?, digits(minute, 2)?, 0)
}

fn read_month_name(text: &str, today: NaiveDate) -> Option<DateReading> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == '-' || c == '/' || c == ',')
        .filter(|word| !word.is_empty() && *word != "de" && *word != "of")
        .collect();
    let month = |word: &str| {
        MONTHS.iter().zip(1u32..).find_map(|(names, month)| {
            let short = names.first().is_some_and(|name| {
                word.len() == SHORT_MONTH && name.starts_with(word) || word == "sept" && month == 9
            });
            (short || names.contains(&word)).then_some(month)
        })
    };
    match words.as_slice() {
        [name] => {
            let month = month(name)?;
            let year = today.year() - i32::from(month > today.month());
            Some(DateReading {
                spec: DateSpec::Month(year, month),
                year_supplied: true,
            })
        }
        [name, year] | [year, name] if month(name).is_some() => Some(DateReading {
            spec: DateSpec::Month(digits(year, 4)? as i32, month(name)?),
            year_supplied: false,
        }),
        [name, year] => Some(DateReading {
            spec: DateSpec::Month(digits(name, 4)? as i32, month(year)?),
            year_supplied: false,
        }),
        _ => None,
    }
}

/// The centuries of two-digit years that are offered as choices.
const CENTURY: i32 = 2000;

fn read_foreign(text: &str) -> DateError {
    let parts: Vec<&str> = text.split(['/', '.', '-']).collect();
    let [a, b, c] = parts.as_slice() else {
        return DateError::Invalid;
    };
    let number = |part: &str| {
        let ok = !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
        ok.then(|| part.parse::<u32>().ok()).flatten()
    };
    let (Some(x), Some(y), Some(z)) = (number(a), number(b), number(c)) else {
        return DateError::Invalid;
    };
    if a.len() == 4 {
        return match NaiveDate::from_ymd_opt(x as i32, y, z) {
            Some(date) => DateError::Respell(date),
            None => DateError::Invalid,
        };
    }
    let year = |value: u32, text: &str| match text.len() {
        4 => Some(value as i32),
        2 => Some(CENTURY + value as i32),
        _ => None,
    };
    let mut readings: Vec<NaiveDate> = Vec::new();
    let mut add = |year: Option<i32>, month, day| {
        if let Some(date) = year.and_then(|year| NaiveDate::from_ymd_opt(year, month, day))
            && !readings.contains(&date)
        {
            readings.push(date);
        }
    };
    add(year(z, c), y, x);
    add(year(z, c), x, y);
    if a.len() == 2 && c.len() == 2 {
        add(year(x, a), y, z);
    }
    if readings.is_empty() {
        DateError::Invalid
    } else {
        DateError::Ambiguous(readings)
    }
}

/// Reads a length of time such as `90d`, `2w`, `30min`.
pub(super) fn read_lapse(text: &str) -> Option<Lapse> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = (text.get(..split)?, text.get(split..)?);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "min" => LapseUnit::Minute,
        "h" => LapseUnit::Hour,
        "d" => LapseUnit::Day,
        "w" => LapseUnit::Week,
        "m" | "mo" => LapseUnit::Month,
        "y" => LapseUnit::Year,
        _ => return None,
    };
    let count = count
        .parse()
        .ok()
        .filter(|count| *count <= LAPSE_COUNT_MAX)?;
    let lapse = Lapse { count, unit };
    (lapse.micros() <= LAPSE_DAYS_MAX * Timestamp::MICROS_PER_DAY).then_some(lapse)
}

/// Largest count of a length of time.
const LAPSE_COUNT_MAX: u32 = 1_000_000;
/// Longest length of time, in days: a thousand years, so that every date it leads to has four
/// digits.
const LAPSE_DAYS_MAX: i64 = 365_000;

impl LapseUnit {
    /// The letters as typed.
    pub const fn letters(self) -> &'static str {
        match self {
            LapseUnit::Minute => "min",
            LapseUnit::Hour => "h",
            LapseUnit::Day => "d",
            LapseUnit::Week => "w",
            LapseUnit::Month => "m",
            LapseUnit::Year => "y",
        }
    }
}

impl Lapse {
    /// Its length in microseconds; months and years, which have no fixed length, count 30 and 365
    /// days.
    pub fn micros(self) -> i64 {
        let minutes: i64 = match self.unit {
            LapseUnit::Minute => 1,
            LapseUnit::Hour => 60,
            LapseUnit::Day => 1_440,
            LapseUnit::Week => 7 * 1_440,
            LapseUnit::Month => 30 * 1_440,
            LapseUnit::Year => 365 * 1_440,
        };
        minutes * i64::from(self.count) * 60 * Timestamp::MICROS_PER_SECOND
    }

    /// The local minute that long before `now`. Days and longer units give midnight of that day.
    pub fn before(self, now: NaiveDateTime) -> Option<DateSpec> {
        let today = now.date();
        let count = self.count;
        match self.unit {
            LapseUnit::Minute | LapseUnit::Hour => {
                let then = now.checked_sub_signed(TimeDelta::microseconds(self.micros()))?;
                let then =
                    then.date()
                        .and_time(NaiveTime::from_hms_opt(then.hour(), then.minute(), 0)?);
                Some(DateSpec::Minute(then))
            }
            LapseUnit::Day => today
                .checked_sub_days(Days::new(count.into()))
                .map(DateSpec::Day),
            LapseUnit::Week => today
                .checked_sub_days(Days::new(7 * u64::from(count)))
                .map(DateSpec::Day),
            LapseUnit::Month => today
                .checked_sub_months(Months::new(count))
                .map(DateSpec::Day),
            LapseUnit::Year => today
                .checked_sub_months(Months::new(count.saturating_mul(12)))
                .map(DateSpec::Day),
        }
    }
}

/// The local date and time of an instant in a zone.
pub(super) fn local(at: Timestamp, zone: Tz) -> NaiveDateTime {
    let utc = DateTime::from_timestamp_micros(at.0)
        .unwrap_or_default()
        .naive_utc();
    utc + TimeDelta::seconds(
        zone.offset_from_utc_datetime(&utc)
            .fix()
            .local_minus_utc()
            .into(),
    )
}

/// The instant of a local time: the earlier one where it happened twice, the end of the gap where
/// it never happened.
pub(super) fn instant(at: NaiveDateTime, zone: Tz) -> Timestamp {
    let mut tried = at;
    for _ in 0..GAP_STEPS_MAX {
        match zone.from_local_datetime(&tried) {
            LocalResult::Single(found) | LocalResult::Ambiguous(found, _) => {
                return Timestamp(found.timestamp_micros());
            }
            LocalResult::None => tried += TimeDelta::minutes(GAP_STEP_MINUTES),
        }
    }
    Timestamp(at.and_utc().timestamp_micros())
}

/// Zones change by quarters of an hour at the finest in the years of chat.
const GAP_STEP_MINUTES: i64 = 15;
/// Two days: islands have skipped whole days at the date line.
const GAP_STEPS_MAX: usize = 2 * 24 * 4;

impl DateSpec {
    /// The same date without reference to the day it is asked on.
    #[must_use]
    pub fn absolute(self, now: NaiveDateTime) -> DateSpec {
        let day = now.date();
        match self {
            DateSpec::Today => DateSpec::Day(day),
            DateSpec::Yesterday => DateSpec::Day(day.pred_opt().unwrap_or(day)),
            DateSpec::Ago(lapse) => lapse.before(now).unwrap_or(DateSpec::Day(NaiveDate::MIN)),
            other => other,
        }
    }

    /// Its first local minute and the first one after it.
    pub(super) fn edges(self, now: NaiveDateTime) -> (NaiveDateTime, NaiveDateTime) {
        let begin = |date: NaiveDate| date.and_time(NaiveTime::MIN);
        let day = |year, month| NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MIN);
        match self.absolute(now) {
            DateSpec::Year(year) => (begin(day(year, 1)), begin(day(year + 1, 1))),
            DateSpec::Month(year, month) => {
                let first = day(year, month);
                let next = first.checked_add_months(Months::new(1)).unwrap_or(first);
                (begin(first), begin(next))
            }
            DateSpec::Minute(minute) => (minute, minute + TimeDelta::minutes(1)),
            DateSpec::Day(date) => (begin(date), begin(date.succ_opt().unwrap_or(date))),
            // `absolute` leaves none of these.
            DateSpec::Today | DateSpec::Yesterday | DateSpec::Ago(_) => (now, now),
        }
    }

    /// The instants it covers in a zone.
    pub fn range(self, now: NaiveDateTime, zone: Tz) -> TimeRange {
        let (begin, end) = self.edges(now);
        TimeRange {
            since: Some(instant(begin, zone)),
            until: Some(instant(end, zone)),
        }
    }

    /// The ISO form, or the relative form as typed.
    pub fn print(self) -> String {
        match self {
            DateSpec::Year(year) => format!("{year:04}"),
            DateSpec::Month(year, month) => format!("{year:04}-{month:02}"),
            DateSpec::Day(day) => day.format("%Y-%m-%d").to_string(),
            DateSpec::Minute(minute) => minute.format("%Y-%m-%dT%H:%M").to_string(),
            DateSpec::Today => "today".to_owned(),
            DateSpec::Yesterday => "yesterday".to_owned(),
            DateSpec::Ago(lapse) => format!("-{}", lapse.print()),
        }
    }
}

impl Lapse {
    /// The form as typed.
    pub fn print(self) -> String {
        format!("{}{}", self.count, self.unit.letters())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn today() -> NaiveDate {
        NaiveDate::from_ymd_opt(2025, 3, 31).unwrap()
    }

    fn read(text: &str) -> Result<String, DateError> {
        read_date(text, today()).map(|reading| reading.spec.print())
    }

    #[test]
    fn s6_the_forms_of_dates_are_read() {
        for (text, expected) in [
            ("2024", "2024"),
            ("2024-03", "2024-03"),
            ("2024-03-05", "2024-03-05"),
            ("2024-03-05T14:30", "2024-03-05T14:30"),
            ("TODAY", "today"),
            ("-7d", "-7d"),
            ("march 2024", "2024-03"),
            ("2024-Mar", "2024-03"),
            ("março de 2024", "2024-03"),
            ("march", "2025-03"),
            ("april", "2024-04"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        assert!(read_date("april", today()).unwrap().year_supplied);
    }

    #[test]
    fn s6_ambiguous_dates_are_never_guessed() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d).unwrap();
        assert_eq!(
            read("05/03/2024"),
            Err(DateError::Ambiguous(vec![day(2024, 3, 5), day(2024, 5, 3)]))
        );
        assert_eq!(
            read("25.12.2024"),
            Err(DateError::Ambiguous(vec![day(2024, 12, 25)]))
        );
        assert_eq!(
            read("2024/12/25"),
            Err(DateError::Respell(day(2024, 12, 25)))
        );
        for invalid in [
            "2024-13",
            "2024-02-30",
            "24",
            "soon",
            "",
            "-d",
            "2024-03-05T25:00",
            "é",
        ] {
            assert_eq!(read(invalid), Err(DateError::Invalid), "{invalid}");
        }
    }

    #[test]
    fn s6_days_follow_the_clock_of_the_zone() {
        let zone = chrono_tz::Europe::Lisbon;
        let now = today().and_time(NaiveTime::MIN);
        let hours = |spec: DateSpec| {
            let range = spec.range(now, zone);
            let (since, until) = (range.since.unwrap().0, range.until.unwrap().0);
            (until - since) / (3_600 * Timestamp::MICROS_PER_SECOND)
        };
        let day = |m, d| DateSpec::Day(NaiveDate::from_ymd_opt(2025, m, d).unwrap());
        assert_eq!(hours(day(3, 30)), 23);
        assert_eq!(hours(day(3, 29)), 24);
        assert_eq!(hours(day(10, 26)), 25);
    }

    #[test]
    fn a_skipped_day_is_empty() {
        let skipped = DateSpec::Day(NaiveDate::from_ymd_opt(2011, 12, 30).unwrap());
        let range = skipped.range(today().and_time(NaiveTime::MIN), chrono_tz::Pacific::Apia);
        assert_eq!(range.since, range.until);
    }
}
