//! The first pass over a file: which header styles it has, which of them are its own, how their
//! dates read, and which lines only look like headers.

use std::io::Read;

use crate::domain::Timestamp;
use crate::ingest::answers::{Answers, DateOrder, OrderDecision, Question};
use crate::ingest::error::Result;
use crate::ingest::lines::Lines;
use crate::ingest::printed::{
    Evidence, Header, HeaderReader, MediaDate, Printed, Shape, Years, credible_bound, decided,
    is_buddhist_year, is_foreign_year, outliers, trust_question,
};

use super::author::Authors;
use super::body::media_days_of_line;

/// Most styles one file is believed to have; lines of further styles stay in the body.
const STYLES_MAX: usize = 32;
/// Most media names whose dates are kept as evidence per style.
const MEDIA_DATES_MAX: usize = 10_000;

/// One style and its headers.
#[derive(Debug)]
struct Style {
    shape: Shape,
    headers: Vec<Printed>,
    media: Vec<MediaDate>,
}

impl Style {
    fn evidence(&self, years: Years, written: Option<Timestamp>) -> Evidence<'_> {
        Evidence {
            shape: &self.shape,
            headers: &self.headers,
            media: &self.media,
            written: written.map(Timestamp::seconds),
            years,
        }
    }

    /// The times of the headers in local seconds; `None` for what is no date under a reading.
    fn times(&self, order: DateOrder, years: Years) -> Vec<Option<i64>> {
        let read = |printed: &Printed| printed.local_seconds(order, years);
        self.headers.iter().map(read).collect()
    }
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
    let headers = &collected.styles[own].headers;
    let written = credible_bound(headers, outside.written, outside.answers.now);
    let outside = Outside { written, ..outside };
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
        let evidence = style.evidence(years, outside.written);
        let (order, reason) = match decided(&evidence, outside.entry, outside.answers) {
            Ok(decision) => decision,
            Err(question) => {
                questions.push(question);
                continue;
            }
        };
        let outliers = match trust {
            Some(true) => Vec::new(),
            _ => outliers(&style.times(order, years), outside.written),
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
    questions.extend(doubt(
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

/// What is asked about headers of second styles and those against the order of time.
fn doubt(
    styles: &[Style],
    own: usize,
    doubtful: &[usize],
    against_time: usize,
    outside: Outside<'_>,
) -> Option<Question> {
    let second: usize = doubtful
        .iter()
        .map(|place| styles[*place].headers.len())
        .sum();
    let (count, all) = (second + against_time, styles[own].headers.len() + second);
    let style = styles[own].shape.describe();
    trust_question(count, all, &style, outside.entry, outside.answers)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::answers::QuestionKind;

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
