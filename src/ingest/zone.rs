//! From printed local time to an instant, in a zone somebody named.

use std::str::FromStr;

use chrono::{LocalResult, TimeZone};
use chrono_tz::Tz;

use crate::domain::{Presence, Timestamp, ZoneSource};

/// Length of the span of local time for which one look at the zone's table is kept; seconds.
/// Every change of offset since 1970 fell on a quarter of an hour.
const KEPT_SECONDS: i64 = 900;
/// How far past a gap the local clock is looked at to find the offset before it; seconds.
const GAP_MAX_SECONDS: i64 = 26 * 3_600;

/// A zone, ready to turn many local times into instants.
#[derive(Clone, Debug)]
pub struct LocalClock {
    zone: Tz,
    kept: Option<(i64, i64, bool)>,
}

impl LocalClock {
    /// The clock of an IANA zone; `None` when there is no zone of this name.
    pub fn new(name: &str) -> Option<Self> {
        let zone = Tz::from_str(name).ok()?;
        Some(Self { zone, kept: None })
    }

    /// The instant of a local time, both in microseconds, and whether it was doubtful: a local
    /// time that happened twice means the earlier instant, one that never happened is shifted
    /// forward by the length of the gap.
    pub fn instant(&mut self, local_micros: i64) -> (Timestamp, bool) {
        let local = local_micros.div_euclid(Timestamp::MICROS_PER_SECOND);
        let span = local.div_euclid(KEPT_SECONDS);
        let (offset, doubtful) = match self.kept {
            Some((kept, offset, doubtful)) if kept == span => (offset, doubtful),
            _ => {
                let (offset, doubtful) = self.offset(local);
                self.kept = Some((span, offset, doubtful));
                (offset, doubtful)
            }
        };
        let shift = offset.saturating_mul(Timestamp::MICROS_PER_SECOND);
        (Timestamp(local_micros.saturating_sub(shift)), doubtful)
    }

    /// What is said of a time that was placed by a zone from this source, doubtful or not.
    pub fn doubts(source: ZoneSource, doubtful: bool) -> Presence {
        let assumed = matches!(source, ZoneSource::Default | ZoneSource::Inferred);
        let facts = [
            (assumed, Presence::ZONE_ASSUMED),
            (doubtful, Presence::TIME_AMBIGUOUS),
        ];
        let told = facts.into_iter().filter(|(is, _)| *is);
        told.fold(Presence::default(), |all, (_, fact)| all.with(fact))
    }

    /// Seconds east of Greenwich at a local time.
    fn offset(&self, local: i64) -> (i64, bool) {
        match self.result(local) {
            LocalResult::Single(offset) => (offset, false),
            LocalResult::Ambiguous(one, other) => (one.max(other), true),
            LocalResult::None => {
                // In a gap the offset before it holds: the result lies as far behind the gap as
                // the printed time lies behind its beginning.
                let before = (1..=GAP_MAX_SECONDS / KEPT_SECONDS)
                    .find_map(|step| self.result(local - step * KEPT_SECONDS).earliest());
                (before.unwrap_or(0), true)
            }
        }
    }

    fn result(&self, local: i64) -> LocalResult<i64> {
        let Some(naive) = chrono::DateTime::from_timestamp(local, 0) else {
            return LocalResult::None;
        };
        self.zone
            .offset_from_local_datetime(&naive.naive_utc())
            .map(|offset| i64::from(chrono::Offset::fix(&offset).local_minus_utc()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zone: &str, local: &str, utc: &str, doubtful: bool) {
        let micros = |text: &str| {
            chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M")
                .unwrap()
                .and_utc()
                .timestamp_micros()
        };
        let mut clock = LocalClock::new(zone).unwrap();
        let expected = (Timestamp(micros(utc)), doubtful);
        assert_eq!(clock.instant(micros(local)), expected, "{local} in {zone}");
    }

    #[test]
    fn summer_and_winter_have_their_offsets() {
        check(
            "Europe/Berlin",
            "2024-07-01 12:00",
            "2024-07-01 10:00",
            false,
        );
        check(
            "Europe/Berlin",
            "2024-01-01 12:00",
            "2024-01-01 11:00",
            false,
        );
        check(
            "Asia/Kathmandu",
            "2024-01-01 12:00",
            "2024-01-01 06:15",
            false,
        );
    }

    #[test]
    fn a_doubled_hour_means_the_earlier_instant() {
        check(
            "Europe/Berlin",
            "2024-10-27 02:30",
            "2024-10-27 00:30",
            true,
        );
        check(
            "America/New_York",
            "2024-11-03 01:30",
            "2024-11-03 05:30",
            true,
        );
    }

    #[test]
    fn a_missing_hour_is_shifted_forward() {
        // 02:30 never was: 03:30 summer time.
        check(
            "Europe/Berlin",
            "2024-03-31 02:30",
            "2024-03-31 01:30",
            true,
        );
        check(
            "Australia/Lord_Howe",
            "2024-10-06 02:15",
            "2024-10-05 15:45",
            true,
        );
        // A whole day was left out.
        check("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 22:00", true);
    }

    #[test]
    fn an_unknown_zone_is_none() {
        assert!(LocalClock::new("Europe/Atlantis").is_none());
    }
}
