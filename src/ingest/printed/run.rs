//! Which headers fit the run of time, and what is asked where too many do not.

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
