//! Decides which part of a printed date is the day: a list of evidence in a fixed order, and a
//! question when none of it decides. There is no default.

use crate::domain::Timestamp;

use super::shapes::{Shape, YearPlace, usual_order_is_year_first};
use crate::ingest::answers::{Answers, DateOrder, Question, QuestionKind, Reading};
use crate::ingest::calendar::civil_days;

/// WhatsApp began in 2009; no two-digit year means an earlier one.
const YEAR_MIN: i32 = 2009;
/// Years from here on are counted from the Buddha; 543 is taken off.
const BUDDHIST_FROM: i32 = 2400;
/// Years the Buddhist era is ahead.
const BUDDHIST_AHEAD: i32 = 543;
/// A step back by more than this is no reordering of a phone; seconds.
pub const STEP_BACK_MAX: i64 = 48 * 3_600;
/// So many backward steps more speak against a reading.
const STEPS_BACK_MORE: u64 = 3;
/// So many different values make a part "run" while a constant part is the year. Fewer could be
/// the same day of several years.
const RUNNING_VALUES_MIN: usize = 6;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// A printed date and time in one word: three parts of 14 bits, second of day of 17.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printed(u64);

impl Printed {
    /// Packs the numbers of a header.
    pub fn new(parts: [u16; 3], second_of_day: u32) -> Self {
        let [first, second, third] = parts.map(u64::from);
        Self(first << 45 | second << 31 | third << 17 | u64::from(second_of_day))
    }

    /// The numbers of the date in printed order.
    pub const fn parts(self) -> [u16; 3] {
        [
            (self.0 >> 45 & 0x3FFF) as u16,
            (self.0 >> 31 & 0x3FFF) as u16,
            (self.0 >> 17 & 0x3FFF) as u16,
        ]
    }

    /// Seconds since 1970-01-01 00:00 local time under a reading; `None` when there is no such
    /// date.
    pub fn local_seconds(self, order: DateOrder, years: Years) -> Option<i64> {
        let days = days(order, self.parts(), years)?;
        Some(days * DAY + (self.0 & 0x1_FFFF) as i64)
    }
}

/// Which two-digit years are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Years {
    /// The last possible year.
    pub max: i32,
}

impl Years {
    /// The years up to the one after the file was written; far ahead when nobody knows.
    pub fn until(written: Option<Timestamp>) -> Self {
        Self {
            max: written.map_or(2098, |instant| instant.civil_utc().0) + 1,
        }
    }
}

/// Whether a four-digit year belongs to the Persian or an Islamic calendar.
pub fn is_foreign_year(shape: &Shape, parts: [u16; 3]) -> bool {
    let year = match shape.year {
        YearPlace::First => parts[0],
        YearPlace::Last => parts[2],
        YearPlace::Unsaid => return false,
    };
    (1300..=1500).contains(&year)
}

/// Whether a four-digit year is counted from the Buddha.
pub fn is_buddhist_year(shape: &Shape, parts: [u16; 3]) -> bool {
    let year = match shape.year {
        YearPlace::First => parts[0],
        YearPlace::Last => parts[2],
        YearPlace::Unsaid => return false,
    };
    i32::from(year) >= BUDDHIST_FROM
}

/// Days since 1970-01-01 of a printed date under a reading.
fn days(order: DateOrder, parts: [u16; 3], years: Years) -> Option<i64> {
    let (year, month, day) = match order {
        DateOrder::DayFirst => (parts[2], parts[1], parts[0]),
        DateOrder::MonthFirst => (parts[2], parts[0], parts[1]),
        DateOrder::YearFirst => (parts[0], parts[1], parts[2]),
    };
    let year = match i32::from(year) {
        short @ 0..=99 => {
            let year = 2000 + short;
            (YEAR_MIN..=years.max).contains(&year).then_some(year)?
        }
        buddhist if buddhist >= BUDDHIST_FROM => buddhist - BUDDHIST_AHEAD,
        year @ 1900..=2399 => year,
        _ => return None,
    };
    civil_days(year, month, day)
}

/// A date that a media name in the file gives beside a printed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaDate {
    /// The header of the message that names the file.
    pub printed: Printed,
    /// Days since 1970-01-01 by the name.
    pub days: i64,
}

/// Everything one file says about one style.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The style.
    pub shape: &'a Shape,
    /// Its headers in file order.
    pub headers: &'a [Printed],
    /// Dates by media names.
    pub media: &'a [MediaDate],
    /// When the file was written, as local seconds, if known.
    pub written: Option<i64>,
    /// Possible years.
    pub years: Years,
}

/// What the list of evidence says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// One reading holds, for this reason.
    Decided(DateOrder, String),
    /// Nothing decides: the readings, the reason why not, and which to offer first.
    Open(Vec<Reading>, String, Option<usize>),
}

/// How a reading fits the headers.
#[derive(Clone, Copy, Debug)]
struct Fit {
    order: DateOrder,
    invalid: u64,
    steps_back: u64,
    first: i64,
    last: i64,
}

/// Goes through the evidence in its fixed order; the first that leaves one reading decides.
pub fn decide(evidence: &Evidence<'_>) -> Verdict {
    if evidence.shape.year == YearPlace::First {
        let reason = "the year stands first, and year first is always year-month-day";
        return Verdict::Decided(DateOrder::YearFirst, reason.to_owned());
    }
    let mut fits = possible_orders(evidence.shape)
        .map(|order| fit(order, evidence))
        .to_vec();
    if evidence.shape.year == YearPlace::Last {
        fits.retain(|fit| fit.order != DateOrder::YearFirst);
    }
    let all = fits.clone();
    fits.retain(|fit| fit.invalid == 0);
    match fits.as_slice() {
        [] => {
            return open(
                evidence,
                &all,
                "no order of day and month makes every date a date",
            );
        }
        [only] => return Verdict::Decided(only.order, out_of_range_reason(only.order, evidence)),
        _ => {}
    }
    if let Some(verdict) = by_constant_year(evidence, &mut fits) {
        return verdict;
    }
    if all_agree(evidence, &fits) {
        let reason = "every date reads the same either way";
        return Verdict::Decided(fits[0].order, reason.to_owned());
    }
    by_media(evidence, &fits)
        .or_else(|| by_steps(&fits))
        .or_else(|| by_future(evidence, &fits))
        .unwrap_or_else(|| open(evidence, &fits, "every date of the file fits each order"))
}

/// The order of day and month with its reason: by evidence, else by answer, else the question about
/// `entry`.
///
/// # Errors
/// The question, when neither decides.
pub fn decided(
    evidence: &Evidence<'_>,
    entry: &str,
    answers: &Answers,
) -> Result<(DateOrder, String), Question> {
    match (decide(evidence), answers.date_order) {
        (Verdict::Decided(order, reason), _) => Ok((order, reason)),
        (Verdict::Open(readings, ..), Some(answer))
            if readings
                .iter()
                .any(|reading| reading.answer == answer.name()) =>
        {
            Ok((answer, "the operator said so".to_owned()))
        }
        (Verdict::Open(readings, reason, preselect), _) => Err(Question {
            kind: QuestionKind::DateOrder,
            entry: entry.to_owned(),
            reason,
            readings,
            preselect,
        }),
    }
}

fn possible_orders(shape: &Shape) -> [DateOrder; 3] {
    if usual_order_is_year_first(shape) {
        [
            DateOrder::YearFirst,
            DateOrder::DayFirst,
            DateOrder::MonthFirst,
        ]
    } else {
        DateOrder::ALL
    }
}

fn fit(order: DateOrder, evidence: &Evidence<'_>) -> Fit {
    let mut fit = Fit {
        order,
        invalid: 0,
        steps_back: 0,
        first: i64::MAX,
        last: i64::MIN,
    };
    let mut before = i64::MIN;
    for printed in evidence.headers {
        let Some(seconds) = printed.local_seconds(order, evidence.years) else {
            fit.invalid += 1;
            continue;
        };
        fit.steps_back += u64::from(before != i64::MIN && seconds < before - STEP_BACK_MAX);
        before = seconds;
        fit.first = fit.first.min(seconds);
        fit.last = fit.last.max(seconds);
    }
    fit
}

/// Rule 1 and 2: names the number that leaves only one order.
fn out_of_range_reason(order: DateOrder, evidence: &Evidence<'_>) -> String {
    let maximum = |place: usize| {
        let parts = evidence
            .headers
            .iter()
            .map(|printed| printed.parts()[place]);
        parts.max().unwrap_or(0)
    };
    match order {
        DateOrder::DayFirst => format!("a first part of {} can only be a day", maximum(0)),
        DateOrder::MonthFirst => format!("a second part of {} can only be a day", maximum(1)),
        DateOrder::YearFirst => format!(
            "a last part of {} can only be a day, since years before {YEAR_MIN} and after the file \
             was written are impossible",
            maximum(2)
        ),
    }
}

/// Rule 1: a part that stays while another runs is the year.
fn by_constant_year(evidence: &Evidence<'_>, fits: &mut Vec<Fit>) -> Option<Verdict> {
    if !fits.iter().any(|fit| fit.order == DateOrder::YearFirst) {
        return None;
    }
    let values = |place: usize| {
        let mut seen = [0u64; 2];
        for printed in evidence.headers {
            let part = usize::from(printed.parts()[place]).min(127);
            seen[part / 64] |= 1 << (part % 64);
        }
        (seen[0].count_ones() + seen[1].count_ones()) as usize
    };
    let (first, last) = (values(0), values(2));
    if last == 1 && first >= RUNNING_VALUES_MIN {
        fits.retain(|fit| fit.order != DateOrder::YearFirst);
    } else if first == 1 && last >= RUNNING_VALUES_MIN {
        fits.retain(|fit| fit.order == DateOrder::YearFirst);
    }
    match fits.as_slice() {
        [only] => Some(Verdict::Decided(
            only.order,
            "the part that stays while the others run is the year".to_owned(),
        )),
        _ => None,
    }
}

fn all_agree(evidence: &Evidence<'_>, fits: &[Fit]) -> bool {
    evidence.headers.iter().all(|printed| {
        let mut readings = fits
            .iter()
            .map(|fit| printed.local_seconds(fit.order, evidence.years));
        let first = readings.next();
        readings.all(|reading| Some(reading) == first)
    })
}

/// Rule 3: a media name gives the date of its message.
fn by_media(evidence: &Evidence<'_>, fits: &[Fit]) -> Option<Verdict> {
    let matches = |order: DateOrder| {
        let same_day = |media: &&MediaDate| {
            media
                .printed
                .local_seconds(order, evidence.years)
                .is_some_and(|seconds| seconds.div_euclid(DAY) == media.days)
        };
        evidence.media.iter().filter(same_day).count()
    };
    let mut met = fits.iter().filter(|fit| matches(fit.order) > 0);
    let only = met.next()?;
    if met.next().is_some() {
        return None;
    }
    let count = matches(only.order);
    Some(Verdict::Decided(
        only.order,
        format!("{count} media names in the file give the same date under this order alone"),
    ))
}

/// Rule 4: messages run forward in time.
fn by_steps(fits: &[Fit]) -> Option<Verdict> {
    let best = fits.iter().min_by_key(|fit| fit.steps_back)?;
    let clear = fits
        .iter()
        .filter(|fit| fit.order != best.order)
        .all(|fit| fit.steps_back >= best.steps_back + STEPS_BACK_MORE);
    clear.then(|| {
        Verdict::Decided(
            best.order,
            "under any other order the file would step back in time again and again".to_owned(),
        )
    })
}

/// Rule 5: nothing is later than the file itself.
fn by_future(evidence: &Evidence<'_>, fits: &[Fit]) -> Option<Verdict> {
    let bound = evidence.written? + DAY;
    let mut possible = fits.iter().filter(|fit| fit.last <= bound);
    let only = possible.next()?;
    possible.next().is_none().then(|| {
        Verdict::Decided(
            only.order,
            "under any other order messages would be later than the file".to_owned(),
        )
    })
}

/// Rule 7: ask, with the first and last date under each reading.
fn open(evidence: &Evidence<'_>, fits: &[Fit], reason: &str) -> Verdict {
    let instant = |seconds: i64| {
        let known = seconds != i64::MAX && seconds != i64::MIN;
        known.then(|| Timestamp::from_seconds(seconds))
    };
    let readings = fits
        .iter()
        .map(|fit| Reading {
            answer: fit.order.name().to_owned(),
            first: instant(fit.first),
            last: instant(fit.last),
        })
        .collect();
    let least_invalid = fits.iter().enumerate().min_by_key(|(_, fit)| fit.invalid);
    Verdict::Open(
        readings,
        format!(
            "{reason} ({} headers of the style {})",
            evidence.headers.len(),
            evidence.shape.describe()
        ),
        least_invalid.map(|(place, _)| place),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::printed::HeaderReader;

    fn check(dates: &[&str], written: Option<i64>, media: Option<(&str, i64)>) -> Verdict {
        let read = |date: &str| {
            let line = format!("{date}, 10:15 - a: b");
            HeaderReader::default().read(line.as_bytes()).unwrap()
        };
        let shape = read(dates[0]).shape;
        let printed = |date: &&str| {
            let header = read(date);
            Printed::new(header.parts, header.second_of_day)
        };
        let headers: Vec<Printed> = dates.iter().map(printed).collect();
        let media: Vec<MediaDate> = media
            .iter()
            .map(|(date, days)| MediaDate {
                printed: printed(date),
                days: *days,
            })
            .collect();
        decide(&Evidence {
            shape: &shape,
            headers: &headers,
            media: &media,
            written,
            years: Years::until(written.map(Timestamp::from_seconds)),
        })
    }

    fn order(verdict: &Verdict) -> Option<DateOrder> {
        match verdict {
            Verdict::Decided(order, _) => Some(*order),
            Verdict::Open(..) => None,
        }
    }

    #[test]
    fn a_part_above_twelve_decides() {
        let verdict = check(&["01/02/2024", "13/02/2024"], None, None);
        assert_eq!(order(&verdict), Some(DateOrder::DayFirst));
        let verdict = check(&["01/02/2024", "01/13/2024"], None, None);
        assert_eq!(order(&verdict), Some(DateOrder::MonthFirst));
    }

    #[test]
    fn contradicting_parts_are_asked() {
        assert_eq!(
            order(&check(&["13/02/2024", "02/13/2024"], None, None)),
            None
        );
    }

    #[test]
    fn an_undecidable_day_is_asked_with_both_dates() {
        let Verdict::Open(readings, ..) = check(&["01/02/2024"], None, None) else {
            panic!("a single ambiguous date was decided");
        };
        let days: Vec<_> = readings
            .iter()
            .map(|reading| reading.first.unwrap().civil_utc())
            .collect();
        assert_eq!(days, [(2024, 2, 1), (2024, 1, 2)]);
    }

    #[test]
    fn a_media_name_decides() {
        let day = civil_days(2024, 2, 1).unwrap();
        let verdict = check(&["01/02/2024"], None, Some(("01/02/2024", day)));
        assert_eq!(order(&verdict), Some(DateOrder::DayFirst));
        let other = check(&["01/02/2024"], None, Some(("01/02/2024", day + 5)));
        assert_eq!(order(&other), None);
    }

    #[test]
    fn the_direction_of_time_decides() {
        let days: Vec<String> = (1..=3)
            .flat_map(|month| (1..=12).map(move |day| format!("{day:02}/{month:02}/2024")))
            .collect();
        let days: Vec<&str> = days.iter().map(String::as_str).collect();
        // Month first would step back only at each new month: two steps, which is too few.
        assert_eq!(order(&check(&days, None, None)), None);
        let longer: Vec<String> = (1..=6)
            .flat_map(|month| (1..=12).map(move |day| format!("{day:02}/{month:02}/2024")))
            .collect();
        let longer: Vec<&str> = longer.iter().map(String::as_str).collect();
        assert_eq!(
            order(&check(&longer, None, None)),
            Some(DateOrder::DayFirst)
        );
    }

    #[test]
    fn nothing_is_later_than_the_file() {
        let written = civil_days(2024, 3, 1).unwrap() * DAY;
        let verdict = check(&["02/03/2024", "03/03/2024"], Some(written), None);
        assert_eq!(order(&verdict), None, "neither fits");
        let verdict = check(&["01/02/2024", "12/01/2024"], Some(written), None);
        assert_eq!(order(&verdict), Some(DateOrder::DayFirst));
    }

    #[test]
    fn equal_parts_need_no_question() {
        assert!(order(&check(&["05/05/2024"], None, None)).is_some());
    }

    #[test]
    fn the_same_day_of_several_years_is_not_taken_for_year_first() {
        assert_eq!(order(&check(&["15/03/23", "15/03/24"], None, None)), None);
    }

    #[test]
    fn a_buddhist_year_is_brought_back() {
        let printed = Printed::new([1, 2, 2567], 60);
        let seconds = printed.local_seconds(DateOrder::DayFirst, Years { max: 2030 });
        assert_eq!(seconds, Some(civil_days(2024, 2, 1).unwrap() * DAY + 60));
    }
}
