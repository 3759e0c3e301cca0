//! Which headers fit the run of time, and what is asked where too many do not.

use std::collections::BTreeSet;

use crate::domain::Timestamp;
use crate::ingest::answers::{Answers, DateOrder, Question, QuestionKind, Reading};

use super::order::{Printed, STEP_BACK_MAX, Years};

/// From this share of all headers on (one in so many), headers of a second style or against the
/// order of time are asked about instead of being kept in the body.
const DOUBTFUL_SHARE: usize = 10;
/// Fewer doubtful headers are never asked about.
const DOUBTFUL_MIN: usize = 2;
/// Seconds of a day: local clocks differ from the clock that dated the file by less.
const DAY: i64 = 86_400;
/// Most headings of days that are held against each other: a day each of some centuries.
const HEADINGS_MAX: usize = 200_000;

/// The date of the file, else the present, if at least half of the file's headers lie before it
/// under some reading. Copying and packing can give a file any date.
pub fn credible_bound(
    headers: &[Printed],
    written: Option<Timestamp>,
    now: Option<Timestamp>,
) -> Option<Timestamp> {
    let years = Years::until(None);
    let holds = |bound: &Timestamp| {
        let last = bound.seconds() + DAY;
        DateOrder::ALL.into_iter().any(|order| {
            let before = |printed: &&Printed| {
                printed
                    .local_seconds(order, years)
                    .is_some_and(|seconds| seconds <= last)
            };
            2 * headers.iter().filter(before).count() >= headers.len()
        })
    };
    [written, now].into_iter().flatten().find(holds)
}

/// Places of times that do not fit the run of time: the longest run that never steps back is the
/// file's own, and a time must lie within two days of its neighbours in that run, and not after
/// `written`. Times are local seconds; `None` is a date that does not exist.
pub fn outliers(times: &[Option<i64>], written: Option<Timestamp>) -> Vec<u32> {
    let bound = written.map_or(i64::MAX, |instant| instant.seconds() + DAY);
    let possible = |time: &Option<i64>| time.filter(|seconds| *seconds <= bound);
    let times: Vec<i64> = times
        .iter()
        .map(|time| possible(time).unwrap_or(i64::MAX))
        .collect();
    if never_steps_back(&times) {
        return Vec::new();
    }
    let run = longest_run(&times);
    let mut outliers = Vec::new();
    let mut passed = 0;
    for (place, time) in times.iter().enumerate() {
        while run.get(passed).is_some_and(|next| (*next as usize) < place) {
            passed += 1;
        }
        let before = passed
            .checked_sub(1)
            .map_or(i64::MIN, |last| times[run[last] as usize]);
        let after = run
            .get(passed)
            .map_or(i64::MAX, |next| times[*next as usize]);
        let fits = *time != i64::MAX
            && *time >= before.saturating_sub(STEP_BACK_MAX)
            && *time <= after.saturating_add(STEP_BACK_MAX);
        if !fits {
            outliers.push(place as u32);
        }
    }
    outliers
}

/// Whether no time is impossible or more than two days before an earlier one.
fn never_steps_back(times: &[i64]) -> bool {
    let mut maximum = i64::MIN;
    times.iter().all(|time| {
        let fits = *time != i64::MAX && *time >= maximum.saturating_sub(STEP_BACK_MAX);
        maximum = maximum.max(*time);
        fits
    })
}

/// Places of a longest run of times that never steps back (patience sorting), impossible times
/// left out.
fn longest_run(times: &[i64]) -> Vec<u32> {
    let mut tops: Vec<u32> = Vec::new();
    let mut below = vec![u32::MAX; times.len()];
    for (place, time) in times
        .iter()
        .enumerate()
        .filter(|(_, time)| **time != i64::MAX)
    {
        let pile = match tops.last() {
            Some(top) if times[*top as usize] <= *time => tops.len(),
            _ => tops.partition_point(|top| times[*top as usize] <= *time),
        };
        if pile > 0 {
            below[place] = tops[pile - 1];
        }
        if pile == tops.len() {
            tops.push(place as u32);
        } else {
            tops[pile] = place as u32;
        }
    }
    let mut run = Vec::with_capacity(tops.len());
    let mut next = tops.last().copied();
    while let Some(place) = next {
        run.push(place);
        next = Some(below[place as usize]).filter(|place| *place != u32::MAX);
    }
    run.reverse();
    run
}

/// The question whether second styles and backward times open messages, when there are too many
/// of them to be quotations beyond doubt: `count` of `all` headers, beside those of `style`.
pub fn trust_question(
    count: usize,
    all: usize,
    style: &str,
    entry: &str,
    answers: &Answers,
) -> Option<Question> {
    if answers.trust_headers.is_some() || count < DOUBTFUL_MIN || count * DOUBTFUL_SHARE < all {
        return None;
    }
    let answer = |answer: &str| Reading {
        answer: answer.to_owned(),
        first: None,
        last: None,
    };
    Some(Question {
        kind: QuestionKind::TrustHeaders,
        entry: entry.to_owned(),
        reason: format!(
            "{count} of {all} lines look like headers but have another style than the first ({style}) \
             or step back in time; \"yes\" makes them messages of their own, \"no\" keeps them as \
             words of the message before"
        ),
        readings: vec![answer("yes"), answer("no")],
        preselect: None,
    })
}

/// Headings of days by the numbers of their lines, for files whose messages print a time alone: one
/// that steps out of the run of days was only quoted.
#[derive(Debug, Default)]
pub struct DayRun {
    met: Vec<(u64, i64)>,
    quoted: BTreeSet<u64>,
}

impl DayRun {
    /// Counts a heading of a day, in days since 1970-01-01.
    pub fn meet(&mut self, line: u64, day: i64) {
        if self.met.len() < HEADINGS_MAX {
            self.met.push((line, day));
        }
    }

    /// Ends the counting: the question about those that do not fit, where there are many.
    pub fn settle(&mut self, entry: &str, answers: &Answers) -> Option<Question> {
        let met = std::mem::take(&mut self.met);
        if answers.trust_headers == Some(true) {
            return None;
        }
        // Nothing stands before the first that could quote it.
        let begin = met
            .first()
            .map_or(i64::MIN, |(_, day)| day * DAY - STEP_BACK_MAX);
        let time = |(_, day): &(u64, i64)| Some(day * DAY).filter(|time| *time >= begin);
        let times: Vec<Option<i64>> = met.iter().map(time).collect();
        let quoted = outliers(&times, None);
        let lines = quoted.iter().filter_map(|place| met.get(*place as usize));
        self.quoted.extend(lines.map(|(line, _)| *line));
        trust_question(quoted.len(), met.len(), "the name of a day", entry, answers)
    }

    /// Whether the heading in a line was only quoted.
    pub fn is_quoted(&self, line: u64) -> bool {
        self.quoted.contains(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_steps_out_of_the_run_was_quoted() {
        let mut days = DayRun::default();
        for (line, day) in [
            (1, 100),
            (5, 101),
            (9, 20),
            (12, 102),
            (20, 9_000),
            (30, 103),
        ] {
            days.meet(line, day);
        }
        let trusting = Answers {
            trust_headers: Some(false),
            ..Answers::default()
        };
        assert_eq!(days.settle("chat.txt", &trusting), None);
        let quoted: Vec<u64> = (0..40).filter(|line| days.is_quoted(*line)).collect();
        assert_eq!(quoted, [9, 20]);
    }
}
