//! Days of the Gregorian calendar.

/// Days since 1970-01-01 of a Gregorian date, or `None` when there is no such day (days-from-civil
/// of Howard Hinnant, "chrono-compatible low-level date algorithms").
pub fn civil_days(year: i32, month: u16, day: u16) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    if day == 0 || day > length {
        return None;
    }
    let shifted_year = i64::from(year) - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Some(era * 146_097 + day_of_era - 719_468)
}

/// The local time that somebody typed, in microseconds as if it were UTC: `2024-05-06 09:15`, with
/// seconds or without, with a blank or a `T` before the time. `None` when it is no such time.
pub fn local_time(text: &str) -> Option<i64> {
    let text = text.trim().replacen('T', " ", 1);
    ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        .into_iter()
        .find_map(|format| chrono::NaiveDateTime::parse_from_str(&text, format).ok())
        .map(|local| local.and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_times_are_read_and_nothing_else() {
        let day = civil_days(2024, 5, 6).map(|days| days * 86_400_000_000);
        let at = |seconds: i64| day.map(|day| day + seconds * 1_000_000);
        assert_eq!(local_time("2024-05-06 09:15"), at(33_300));
        assert_eq!(local_time(" 2024-05-06T09:15:01 "), at(33_301));
        for text in [
            "2024-05-06",
            "06/05/2024 09:15",
            "2024-02-30 09:15",
            "now",
            "",
        ] {
            assert_eq!(local_time(text), None, "{text}");
        }
    }

    #[test]
    fn days_agree_with_the_calendar() {
        assert_eq!(civil_days(1970, 1, 1), Some(0));
        assert_eq!(civil_days(2000, 2, 29), Some(11_016));
        assert_eq!(civil_days(1969, 12, 31), Some(-1));
        for (year, month, day) in [
            (2023, 2, 29),
            (2024, 13, 1),
            (2024, 0, 1),
            (2024, 4, 31),
            (2024, 1, 0),
        ] {
            assert_eq!(civil_days(year, month, day), None);
        }
    }
}
