//! The first pass over a file: which header styles it has, which of them are its own, how their
//! dates read, and which lines only look like headers.

use std::io::Read;

use crate::domain::Timestamp;
use crate::ingest::answers::{Answers, DateOrder, OrderDecision, Question, QuestionKind, Reading};
use crate::ingest::error::Result;
use crate::ingest::lines::Lines;

use super::author::Authors;
use super::body::media_days_of_line;
use super::header::{Header, HeaderReader};
use super::order::{
    Evidence, MediaDate, Printed, STEP_BACK_MAX, Verdict, Years, decide, is_buddhist_year,
    is_foreign_year,
};
use super::shapes::Shape;

/// Most styles one file is believed to have; lines of further styles stay in the body.
const STYLES_MAX: usize = 32;
/// Most media names whose dates are kept as evidence per style.
const MEDIA_DATES_MAX: usize = 10_000;
/// From this share of all headers on (one in so many), headers of a second style or against the
/// order of time are asked about instead of being kept in the body.
const DOUBTFUL_SHARE: usize = 10;
/// Fewer doubtful headers are never asked about.
const DOUBTFUL_MIN: usize = 2;

/// Seconds of a day: local clocks differ from the clock that dated the file by less.
const DAY: i64 = 86_400;

/// One style and its headers.
#[derive(Debug)]
struct Style {
    shape: Shape,
    headers: Vec<Printed>,
    media: Vec<MediaDate>,
}

/// A style whose headers open messages.
#[derive(Clone, Debug)]
pub struct Trusted {
    /// The style.
    pub shape: Shape,
    /// How its dates read.
    pub order: DateOrder,
    /// Places among the style's headers, ascending, of those that open nothing.
    pub outliers: Vec<u32>,
}

/// What the second pass needs to know.
#[derive(Debug)]
pub struct Learned {
    /// The styles that open messages.
    pub trusted: Vec<Trusted>,
    /// How each was decided.
    pub decisions: Vec<OrderDecision>,
    /// The names of the file.
    pub authors: Authors,
    /// Which two-digit years are possible.
    pub years: Years,
    /// Whether years are counted from the Buddha.
    pub buddhist: bool,
}

/// How the first pass ended.
#[derive(Debug)]
pub enum Learning {
    /// Everything is decided.
    Ready(Box<Learned>),
    /// Something must be asked.
    Ask(Vec<Question>),
    /// The file cannot be read; the reason.
    Refused(String),
}

/// What is known from outside the file.
#[derive(Clone, Copy, Debug)]
pub struct Outside<'a> {
    /// The entry's name, for questions.
    pub entry: &'a str,
    /// When the file was written: no message is later, if that is credible.
    pub written: Option<Timestamp>,
    /// What the operator answered.
    pub answers: &'a Answers,
}

/// What one pass over the lines collects.
#[derive(Debug, Default)]
struct Collected {
    styles: Vec<Style>,
    authors: Authors,
    first_line_style: Option<usize>,
}

/// Reads the whole file once.
///
/// # Errors
/// What the source reports.
pub fn learn(bytes: &mut dyn Read, outside: Outside<'_>) -> Result<Learning> {
    let collected = collect(bytes)?;
    Ok(conclude(collected, outside))
}

fn collect(bytes: &mut dyn Read) -> Result<Collected> {
    let mut lines = Lines::new(bytes)?;
    let mut reader = HeaderReader::default();
    let mut collected = Collected::default();
    let mut current: Option<(usize, Printed)> = None;
    let mut first_line = true;
    while let Some(line) = lines.next()? {
        if line.continues {
            continue;
        }
        let content = line.content();
        if let Some(header) = reader.read(content) {
            current = collected.add(&header, &content[header.rest..]);
            if first_line {
                collected.first_line_style = current.map(|(style, _)| style);
            }
        }
        first_line = false;
        if let Some((style, printed)) = current
            && let Some(days) = media_days_of_line(content)
        {
            let media = &mut collected.styles[style].media;
            if media.len() < MEDIA_DATES_MAX {
                media.push(MediaDate { printed, days });
            }
        }
    }
    collected.authors.settle();
    Ok(collected)
}

impl Collected {
    fn add(&mut self, header: &Header, rest: &[u8]) -> Option<(usize, Printed)> {
        let printed = Printed::new(header.parts, header.second_of_day);
        let known = self
            .styles
            .iter()
            .position(|style| style.shape == header.shape);
        let place = match known {
            Some(place) => place,
            None if self.styles.len() < STYLES_MAX => {
                self.styles.push(Style {
                    shape: header.shape,
                    headers: Vec::new(),
                    media: Vec::new(),
                });
                self.styles.len() - 1
            }
            None => return None,
        };
        self.styles[place].headers.push(printed);
        self.authors.learn(rest);
        Some((place, printed))
    }

    /// The file's own style: that of its first line; else the most frequent, the strong before
    /// the weak.
    fn own_style(&self) -> Option<usize> {
        self.first_line_style.or_else(|| {
            (0..self.styles.len()).max_by_key(|place| {
                let style = &self.styles[*place];
                let earlier = usize::MAX - place;
                (
                    !style.shape.enclosure.is_weak(),
                    style.headers.len(),
                    earlier,
                )
            })
        })
    }
}

fn conclude(collected: Collected, outside: Outside<'_>) -> Learning {
    let Some(own) = collected.own_style() else {
        return Learning::Refused("the file has no line that opens a message".to_owned());
    };
    if let Some(refusal) = foreign_calendar(&collected.styles[own]) {
        return Learning::Refused(refusal);
    }
    let outside = Outside {
        written: credible_bound(&collected.styles[own], outside),
        ..outside
    };
    let years = Years::until(outside.written);
    let trust = outside.answers.trust_headers;
    let mut questions = Vec::new();
    let mut trusted = Vec::new();
    let mut decisions = Vec::new();
    let mut doubtful = Vec::new();
    for (place, style) in collected.styles.iter().enumerate() {
        let second = place != own;
        if second && (style.shape.enclosure.is_weak() || trust == Some(false)) {
            continue;
        }
        if second && trust.is_none() {
            doubtful.push(place);
            continue;
        }
        let (order, reason) = match decided(style, years, outside) {
            Ok(decision) => decision,
            Err(question) => {
                questions.push(question);
                continue;
            }
        };
        let outliers = match trust {
            Some(true) => Vec::new(),
            _ => outliers(style, order, years, outside.written),
        };
        decisions.push(OrderDecision {
            shape: style.shape.describe(),
            headers: (style.headers.len() - outliers.len()) as u64,
            order,
            reason,
        });
        trusted.push(Trusted {
            shape: style.shape,
            order,
            outliers,
        });
    }
    let against_time = trusted.first().map_or(0, |trusted| trusted.outliers.len());
    questions.extend(trust_question(
        &collected.styles,
        own,
        &doubtful,
        against_time,
        outside,
    ));
    if !questions.is_empty() {
        return Learning::Ask(questions);
    }
    let buddhist = is_buddhist(&collected.styles[own]);
    Learning::Ready(Box::new(Learned {
        trusted,
        decisions,
        authors: collected.authors,
        years,
        buddhist,
    }))
}

/// The date of the file, else the present, if at least half of the file's headers lie before it
/// under some reading. Copying and packing can give a file any date.
fn credible_bound(own: &Style, outside: Outside<'_>) -> Option<Timestamp> {
    let years = Years::until(None);
    let holds = |bound: &Timestamp| {
        let last = bound.seconds() + DAY;
        DateOrder::ALL.into_iter().any(|order| {
            let before = |printed: &&Printed| {
                printed
                    .local_seconds(order, years)
                    .is_some_and(|seconds| seconds <= last)
            };
            2 * own.headers.iter().filter(before).count() >= own.headers.len()
        })
    };
    [outside.written, outside.answers.now]
        .into_iter()
        .flatten()
        .find(holds)
}

/// Whether the first date of a style counts its years from the Buddha.
fn is_buddhist(own: &Style) -> bool {
    let first = own.headers.first();
    first.is_some_and(|printed| is_buddhist_year(&own.shape, printed.parts()))
}

fn foreign_calendar(own: &Style) -> Option<String> {
    let parts = own.headers.first()?.parts();
    is_foreign_year(&own.shape, parts).then(|| {
        format!(
            "the dates ({}/{}/{}) look like the Persian or an Islamic calendar, which is not read; \
             export again with the phone set to the Gregorian calendar",
            parts[0], parts[1], parts[2]
        )
    })
}

/// The order of day and month of a style: by evidence, else by answer, else a question.
fn decided(style: &Style, years: Years, outside: Outside<'_>) -> Decided {
    let written = outside.written.map(Timestamp::seconds);
    let verdict = decide(&Evidence {
        shape: &style.shape,
        headers: &style.headers,
        media: &style.media,
        written,
        years,
    });
    match (verdict, outside.answers.date_order) {
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
            entry: outside.entry.to_owned(),
            reason,
            readings,
            preselect,
        }),
    }
}

/// A decision with its reason, or the question in its place.
type Decided = std::result::Result<(DateOrder, String), Question>;

/// Places of headers that do not fit the run of time: the longest run that never steps back is
/// the file's own, and a header must lie within two days of its neighbours in that run, and not
/// after the file.
fn outliers(style: &Style, order: DateOrder, years: Years, written: Option<Timestamp>) -> Vec<u32> {
    let bound = written.map_or(i64::MAX, |instant| instant.seconds() + DAY);
    let times: Vec<i64> = style
        .headers
        .iter()
        .map(|printed| match printed.local_seconds(order, years) {
            Some(seconds) if seconds <= bound => seconds,
            _ => i64::MAX,
        })
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
/// of them to be quotations beyond doubt.
fn trust_question(
    styles: &[Style],
    own: usize,
    doubtful: &[usize],
    against_time: usize,
    outside: Outside<'_>,
) -> Option<Question> {
    if outside.answers.trust_headers.is_some() {
        return None;
    }
    let second: usize = doubtful
        .iter()
        .map(|place| styles[*place].headers.len())
        .sum();
    let count = second + against_time;
    let all = styles[own].headers.len() + second;
    if count < DOUBTFUL_MIN || count * DOUBTFUL_SHARE < all {
        return None;
    }
    let answer = |answer: &str| Reading {
        answer: answer.to_owned(),
        first: None,
        last: None,
    };
    Some(Question {
        kind: QuestionKind::TrustHeaders,
        entry: outside.entry.to_owned(),
        reason: format!(
            "{count} of {all} lines look like headers but have another style than the first ({}) or \
             step back in time; \"yes\" makes them messages of their own, \"no\" keeps them as words \
             of the message before",
            styles[own].shape.describe()
        ),
        readings: vec![answer("yes"), answer("no")],
        preselect: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, answers: &Answers) -> Learning {
        let outside = Outside {
            entry: "a.txt",
            written: None,
            answers,
        };
        learn(&mut text.as_bytes(), outside).unwrap()
    }

    fn ready(text: &str) -> Learned {
        match run(text, &Answers::default()) {
            Learning::Ready(learned) => *learned,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_style_of_the_first_line_is_the_files_own() {
        let mut text = String::from("13/01/2024, 10:00 - Ana: look\n");
        text += "[1/13/2024, 9:00:01 AM] Bob: quoted\n";
        for minute in 0..30 {
            text += &format!("13/01/2024, 10:{minute:02} - Ana: ok\n");
        }
        let learned = ready(&text);
        assert_eq!(learned.trusted.len(), 1);
        assert_eq!(learned.trusted[0].order, DateOrder::DayFirst);
        assert!(learned.trusted[0].outliers.is_empty());
    }

    #[test]
    fn quotations_from_the_past_and_the_future_are_outliers() {
        let mut text = String::new();
        for day in 1..=28 {
            text += &format!("{day:02}/01/2024, 10:00 - Ana: ok\n");
            if day == 14 {
                text += "05/06/2023, 10:00 - Bob: old quote\n20/01/2024, 10:00 - Bob: jump ahead\n";
            }
        }
        assert_eq!(ready(&text).trusted[0].outliers, [14, 15]);
    }

    #[test]
    fn many_headers_of_another_style_are_asked_about() {
        let text =
            "13/01/2024, 10:00 - Ana: a\n[14/01/2024, 9:00:01] B: b\n[14/01/2024, 9:00:02] B: c\n";
        let Learning::Ask(questions) = run(text, &Answers::default()) else {
            panic!("decided silently");
        };
        assert_eq!(questions[0].kind, QuestionKind::TrustHeaders);
        let yes = Answers {
            trust_headers: Some(true),
            ..Answers::default()
        };
        assert!(matches!(run(text, &yes), Learning::Ready(learned) if learned.trusted.len() == 2));
    }

    #[test]
    fn a_persian_calendar_is_refused_by_name() {
        let Learning::Refused(reason) = run("1402/10/11, 10:00 - a: b\n", &Answers::default())
        else {
            panic!("taken");
        };
        assert!(reason.contains("Persian"));
    }
}
