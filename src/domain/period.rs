//! A length of calendar time: years, months and days, or without end.

use std::fmt;
use std::str::FromStr;

/// Longest period in years; what is meant to last longer is `infinite`.
pub const PERIOD_YEARS_MAX: u32 = 1_000;
/// Months and days of the longest period.
const MONTHS_MAX: u32 = PERIOD_YEARS_MAX * 12;
const DAYS_MAX: u32 = PERIOD_YEARS_MAX * 366;

/// How long a policy keeps, in calendar terms. The text form is that of ISO 8601 without times
/// (`P7Y`, `P18M`, `P1Y6M`, `P90D`, `P2W`), or `infinite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// Months are added first, the end of month clamps; then days.
    Calendar {
        /// Months; twelve for each year.
        months: u32,
        /// Days.
        days: u32,
    },
    /// Without end.
    Infinite,
}

/// Why a text is not a period.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// The form is wrong.
    #[error("\"{0}\" is not a period; write P7Y, P18M, P90D, P1Y6M or infinite")]
    Form(String),
    /// Longer than any archive lives.
    #[error("\"{0}\" is longer than {PERIOD_YEARS_MAX} years; write infinite")]
    TooLong(String),
}

impl Period {
    /// A period of whole years.
    pub const fn years(years: u32) -> Period {
        Period::Calendar {
            months: years.saturating_mul(12),
            days: 0,
        }
    }

    /// A period of days.
    pub const fn days(days: u32) -> Period {
        Period::Calendar { months: 0, days }
    }

    /// Whether this period ends no earlier than `other` from every day of every calendar: a month
    /// counts as 28 days where it has to be long and as 31 where it has to be short. Periods that
    /// cannot be compared (`P1M` and `P30D`) are longer in neither direction.
    pub fn is_at_least(self, other: Period) -> bool {
        const MONTH_LEAST: u64 = 28;
        const MONTH_MOST: u64 = 31;
        match (self, other) {
            (Period::Infinite, _) => true,
            (_, Period::Infinite) => false,
            (
                Period::Calendar { months, days },
                Period::Calendar {
                    months: other_months,
                    days: other_days,
                },
            ) => {
                let (months, days) = (u64::from(months), u64::from(days));
                let (other_months, other_days) = (u64::from(other_months), u64::from(other_days));
                if months >= other_months {
                    days + (months - other_months) * MONTH_LEAST >= other_days
                } else {
                    days >= other_days + (other_months - months) * MONTH_MOST
                }
            }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Period::Infinite => f.write_str("infinite"),
            Period::Calendar { months: 0, days } => write!(f, "P{days}D"),
            Period::Calendar { months, days } => {
                f.write_str("P")?;
                if months >= 12 {
                    write!(f, "{}Y", months / 12)?;
                }
                if !months.is_multiple_of(12) {
                    write!(f, "{}M", months % 12)?;
                }
                if days > 0 {
                    write!(f, "{days}D")?;
                }
                Ok(())
            }
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Period, PeriodError> {
        if text.eq_ignore_ascii_case("infinite") {
            return Ok(Period::Infinite);
        }
        let wrong = || PeriodError::Form(text.to_owned());
        let too_long = || PeriodError::TooLong(text.to_owned());
        let mut rest = text.strip_prefix(['P', 'p']).ok_or_else(wrong)?;
        if rest.is_empty() {
            return Err(wrong());
        }
        let (mut months, mut days, mut rank) = (0u32, 0u32, 0);
        while !rest.is_empty() {
            let digits = rest
                .find(|letter: char| !letter.is_ascii_digit())
                .ok_or_else(wrong)?;
            if digits == 0 {
                return Err(wrong());
            }
            let count: u32 = rest[..digits].parse().map_err(|_| too_long())?;
            let (place, per_month, per_day) = match rest.as_bytes()[digits].to_ascii_uppercase() {
                b'Y' => (1, 12, 0),
                b'M' => (2, 1, 0),
                b'W' => (3, 0, 7),
                b'D' => (4, 0, 1),
                _ => return Err(wrong()),
            };
            if place <= rank {
                return Err(wrong());
            }
            rank = place;
            let add = |sum: u32, unit: u32| {
                count
                    .checked_mul(unit)
                    .and_then(|more| more.checked_add(sum))
            };
            months = add(months, per_month).ok_or_else(too_long)?;
            days = add(days, per_day).ok_or_else(too_long)?;
            rest = &rest[digits + 1..];
        }
        if months > MONTHS_MAX || days > DAYS_MAX {
            return Err(too_long());
        }
        Ok(Period::Calendar { months, days })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_read_and_print() {
        for text in ["P7Y", "P90D", "P1Y6M", "P3Y2M5D", "P0D", "infinite"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
        assert_eq!("P18M".parse::<Period>().unwrap().to_string(), "P1Y6M");
        assert_eq!("p2w".parse(), Ok(Period::days(14)));
        for text in [
            "", "P", "7Y", "PY", "P7", "P7X", "P1M1Y", "P1Y1Y", "P-1Y", "PT1H",
        ] {
            assert!(matches!(text.parse::<Period>(), Err(PeriodError::Form(_))));
        }
        for text in ["P1001Y", "P99999999999Y", "P4294967295W", "P4000000000D"] {
            assert!(matches!(
                text.parse::<Period>(),
                Err(PeriodError::TooLong(_))
            ));
        }
    }

    #[test]
    fn only_what_is_longer_on_every_day_is_longer() {
        let is = |long: &str, short: &str| {
            long.parse::<Period>()
                .unwrap()
                .is_at_least(short.parse().unwrap())
        };
        assert!(is("P7Y", "P7Y") && is("P7Y", "P84M") && is("infinite", "P7Y"));
        assert!(is("P31D", "P1M") && !is("P30D", "P1M"));
        assert!(is("P1M", "P28D") && !is("P1M", "P29D"));
        assert!(!is("P7Y", "infinite") && is("infinite", "infinite"));
        assert!(!is("P1Y", "P13M") && is("P1Y31D", "P13M"));
    }
}
