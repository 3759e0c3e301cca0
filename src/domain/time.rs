//! Instants and how sharply a source knew them. There is no clock here: `Now` is handed down.

/// An instant: microseconds since 1970-01-01T00:00:00Z, negative before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Earlier than every instant: "since always", the bound of nothing.
    pub const ALWAYS: Timestamp = Timestamp(i64::MIN);
    /// Later than every instant: a due date that does not come.
    pub const NEVER: Timestamp = Timestamp(i64::MAX);

    /// Microseconds in one second.
    pub const MICROS_PER_SECOND: i64 = 1_000_000;
    /// Microseconds in one day of 86,400 seconds.
    pub const MICROS_PER_DAY: i64 = 86_400 * Self::MICROS_PER_SECOND;

    /// The instant `seconds` after the epoch; saturates at the ends of the range.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(Self::MICROS_PER_SECOND))
    }

    /// The instant `millis` after the epoch; saturates at the ends of the range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(Self::MICROS_PER_SECOND)
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// The instant `days` days of 86,400 seconds later; saturates, and `NEVER` and `ALWAYS` stay.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        if self.0 == Self::NEVER.0 || self.0 == Self::ALWAYS.0 {
            return self;
        }
        Self(
            self.0
                .saturating_add(days.saturating_mul(Self::MICROS_PER_DAY)),
        )
    }

    /// Year, month (1-12) and day (1-31) in UTC of the proleptic Gregorian calendar
    /// (the civil-from-days algorithm of Howard Hinnant, "chrono-compatible low-level date
    /// algorithms").
    pub const fn civil_utc(self) -> (i32, u8, u8) {
        let days = self.0.div_euclid(Self::MICROS_PER_DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * shifted_month + 2) / 5 + 1) as u8;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        } as u8;
        let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
        (year as i32, month, day)
    }
}

/// How sharply the source recorded a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// The source gave no time; it was placed by order.
    None,
    /// Only the day.
    Day,
    /// Whole minutes (WhatsApp on Android).
    Minute,
    /// Whole seconds.
    Second,
    /// Milliseconds.
    Milli,
    /// Microseconds or finer.
    Micro,
}

impl Precision {
    /// The length of one unit in microseconds; 0 when there is no time at all.
    pub const fn unit_micros(self) -> i64 {
        match self {
            Precision::None => 0,
            Precision::Day => Timestamp::MICROS_PER_DAY,
            Precision::Minute => 60 * Timestamp::MICROS_PER_SECOND,
            Precision::Second => Timestamp::MICROS_PER_SECOND,
            Precision::Milli => 1_000,
            Precision::Micro => 1,
        }
    }
}

/// The present, read once by `app` and handed down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Compliance time: may be slow, never fast.
    pub compliance: Timestamp,
    /// The wall clock of the host.
    pub wall: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_of_known_instants() {
        assert_eq!(Timestamp(0).civil_utc(), (1970, 1, 1));
        assert_eq!(
            Timestamp::from_seconds(951_782_400).civil_utc(),
            (2000, 2, 29)
        );
        assert_eq!(Timestamp(-1).civil_utc(), (1969, 12, 31));
        assert_eq!(
            Timestamp::from_seconds(4_102_444_799).civil_utc(),
            (2099, 12, 31)
        );
    }
}
