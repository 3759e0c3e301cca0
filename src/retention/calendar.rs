//! Calendar time: when a period that began at an instant is over, in the zone of its policy.
//!
//! The rule: the local day of the beginning, plus months (the end of month clamps), plus days; due
//! is the first instant of the day after that. One instant, in every zone: where midnight is left
//! out by a change of clocks the day begins when the clocks show its first time, and where midnight
//! comes twice the second one counts. Late, never early.

use chrono::{Days, Months, NaiveDateTime, NaiveTime, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::domain::{Period, Timestamp};

/// Minutes looked at behind a midnight that the clocks leave out. The largest jump there ever was
/// left out a whole day (Samoa, 30 December 2011).
const GAP_MINUTES_MAX: i64 = 26 * 60;

/// The due instant of a period that began at `from`. `NEVER` for a period without end, for a
/// beginning that is `NEVER` itself, and beyond the calendar (some 260,000 years).
pub fn due(from: Timestamp, period: Period, zone: Tz) -> Timestamp {
    let Period::Calendar { months, days } = period else {
        return Timestamp::NEVER;
    };
    due_in_calendar(from, months, days, zone).unwrap_or(Timestamp::NEVER)
}

fn due_in_calendar(from: Timestamp, months: u32, days: u32, zone: Tz) -> Option<Timestamp> {
    if from == Timestamp::ALWAYS {
        // Nothing began so early; a beginning that is not known never ends.
        return None;
    }
    let began = chrono::DateTime::from_timestamp_micros(from.0)?.with_timezone(&zone);
    let day = began
        .date_naive()
        .checked_add_months(Months::new(months))?
        .checked_add_days(Days::new(u64::from(days)))?
        .succ_opt()?;
    first_instant(day.and_time(NaiveTime::MIN), zone)
}

/// The instant at which the clocks of a zone first show a local time or a later one, the second
/// time if they show it twice.
fn first_instant(local: NaiveDateTime, zone: Tz) -> Option<Timestamp> {
    (0..=GAP_MINUTES_MAX).find_map(|minutes| {
        let shown = local.checked_add_signed(TimeDelta::minutes(minutes))?;
        let instant = zone.from_local_datetime(&shown).latest()?;
        Some(Timestamp(instant.timestamp_micros()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(zone: Tz, text: &str) -> Timestamp {
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        Timestamp(
            zone.from_local_datetime(&local)
                .latest()
                .unwrap()
                .timestamp_micros(),
        )
    }

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn months_clamp_before_days_are_added() {
        let utc = Tz::UTC;
        for (from, length, due_day) in [
            ("2024-02-29 12:00", "P1Y", "2025-03-01 00:00"),
            ("2024-01-31 23:59", "P1M", "2024-03-01 00:00"),
            ("2023-01-31 00:00", "P1M", "2023-03-01 00:00"),
            ("2023-01-31 00:00", "P1M1D", "2023-03-02 00:00"),
            ("2024-02-29 00:00", "P4Y", "2028-03-01 00:00"),
            ("2023-05-05 00:00", "P0D", "2023-05-06 00:00"),
            ("2023-12-31 10:00", "P1D", "2024-01-02 00:00"),
        ] {
            let due = due(at(utc, from), period(length), utc);
            assert_eq!(due, at(utc, due_day), "{from} + {length}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_zone() {
        let tokyo = Tz::Asia__Tokyo;
        // 16:00 UTC is already the next day in Tokyo.
        let from = at(Tz::UTC, "2024-03-09 16:00");
        assert_eq!(
            due(from, period("P1D"), tokyo),
            at(tokyo, "2024-03-12 00:00")
        );
    }

    #[test]
    fn a_midnight_left_out_or_shown_twice_is_one_instant() {
        // São Paulo skipped 00:00-01:00 on 4 November 2018.
        let sao_paulo = Tz::America__Sao_Paulo;
        let from = at(sao_paulo, "2018-10-03 09:00");
        assert_eq!(
            due(from, period("P1M"), sao_paulo),
            at(sao_paulo, "2018-11-04 01:00")
        );
        // Havana shows 00:00-01:00 twice on 3 November 2019; the second one counts.
        let havana = Tz::America__Havana;
        let from = at(havana, "2019-11-01 09:00");
        assert_eq!(
            due(from, period("P1D"), havana),
            at(Tz::UTC, "2019-11-03 05:00")
        );
        // Apia had no 30 December 2011 at all.
        let apia = Tz::Pacific__Apia;
        let from = at(apia, "2011-12-28 09:00");
        assert_eq!(due(from, period("P1D"), apia), at(apia, "2011-12-31 00:00"));
    }

    #[test]
    fn without_end_and_beyond_the_calendar_is_never() {
        let utc = Tz::UTC;
        assert_eq!(due(Timestamp(0), Period::Infinite, utc), Timestamp::NEVER);
        for from in [Timestamp::NEVER, Timestamp::ALWAYS, Timestamp(i64::MAX - 1)] {
            assert_eq!(due(from, period("P1Y"), utc), Timestamp::NEVER);
        }
    }
}
