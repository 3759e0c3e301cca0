//! Days and minutes of made-up time: plain arithmetic on the proleptic Gregorian calendar.

use crate::domain::Timestamp;

/// Seconds in one day.
pub const DAY_SECONDS: i64 = 86_400;
/// Seconds in one minute.
pub const MINUTE_SECONDS: i64 = 60;

/// A local time without zone: seconds since 1970-01-01 00:00 on the clock of the exporting phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Local(pub i64);

impl Local {
    /// The clock time of a civil date. Month 1-12; a day beyond the month runs into the next.
    pub const fn at(year: i64, month: i64, day: i64, hour: i64, minute: i64) -> Local {
        // Days from civil, the inverse of the algorithm that `domain::Timestamp` uses.
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let shifted_month = if month > 2 { month - 3 } else { month + 9 };
        let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * 146_097 + day_of_era - 719_468;
        Local(days * DAY_SECONDS + hour * 3_600 + minute * MINUTE_SECONDS)
    }

    /// Later by seconds.
    pub const fn plus(self, seconds: i64) -> Local {
        Local(self.0 + seconds)
    }

    /// Year, month and day.
    pub const fn date(self) -> (i32, u8, u8) {
        Timestamp::from_seconds(self.0).civil_utc()
    }

    /// Hour, minute and second.
    pub const fn clock(self) -> (i64, i64, i64) {
        let second = self.0.rem_euclid(DAY_SECONDS);
        (second / 3_600, second / 60 % 60, second % 60)
    }

    /// Day of the week, 0 for Monday.
    pub const fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0.div_euclid(DAY_SECONDS) + 3).rem_euclid(7) as usize
    }

    /// The same clock time on the next day that is neither Saturday nor Sunday, `days` working
    /// days later.
    pub const fn working_days_later(self, days: i64) -> Local {
        let mut day = self;
        let mut left = days;
        while left > 0 {
            day = day.plus(DAY_SECONDS);
            if day.weekday() < 5 {
                left -= 1;
            }
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_reads_back() {
        for (year, month, day) in [(1970, 1, 1), (2024, 2, 29), (2025, 12, 31), (2026, 3, 1)] {
            let local = Local::at(year, month, day, 23, 59);
            assert_eq!(
                local.date(),
                (year as i32, month as u8, day as u8),
                "{local:?}"
            );
            assert_eq!(local.clock(), (23, 59, 0));
        }
    }

    #[test]
    fn working_days_skip_the_weekend() {
        let friday = Local::at(2025, 3, 14, 9, 0);
        assert_eq!(friday.weekday(), 4);
        assert_eq!(friday.working_days_later(1), Local::at(2025, 3, 17, 9, 0));
        assert_eq!(friday.working_days_later(6), Local::at(2025, 3, 24, 9, 0));
    }
}
