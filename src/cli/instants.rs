//! Times as people type them in flags.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeZone};
use chrono_tz::Tz;

use super::failure::Failure;
use crate::app::AppError;
use crate::domain::Timestamp;

/// Reads a day (`2024-02-11`), a local time (`2024-02-11 10:44`) or an instant of RFC 3339.
/// A local time that comes twice a year is taken the first time.
pub(super) fn instant(text: &str, zone: Tz) -> Result<Timestamp, Failure> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Ok(Timestamp(exact.timestamp_micros()));
    }
    local(text)
        .and_then(|local| zone.from_local_datetime(&local).earliest())
        .map(|found| Timestamp(found.timestamp_micros()))
        .ok_or_else(|| {
            AppError::Usage(format!(
                "\"{text}\" is no time in {zone}; write 2024-02-11, \"2024-02-11 10:44\" or \
                 2024-02-11T10:44:00Z"
            ))
            .into()
        })
}

fn local(text: &str) -> Option<NaiveDateTime> {
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(day.and_time(NaiveTime::MIN));
    }
    [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
    ]
    .iter()
    .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_those_of_the_zone() {
        let zone = chrono_tz::Europe::Berlin;
        let seconds = |text| instant(text, zone).unwrap().seconds();
        assert_eq!(seconds("2024-07-03"), 1_719_957_600);
        assert_eq!(seconds("2024-07-03 02:00"), 1_719_964_800);
        assert_eq!(seconds("2024-07-03T00:00:00Z"), 1_719_964_800);
        assert!(instant("yesterday", zone).is_err());
        assert!(
            instant("2024-03-31 02:30", zone).is_err(),
            "the hour that is skipped"
        );
    }
}
