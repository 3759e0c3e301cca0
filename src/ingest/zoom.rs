//! The chat of a Zoom meeting, as the cloud saves it (`00:58:04<tab>Alex:<tab>words`, counted from the
//! start) and as the program saves it (`09:15:32<tab> From Alice to Everyone:`).
//!
//! What it cannot tell: the file has no date. It stands in the name of the folder,
//! `2024-05-06 09.15.00 Topic 123`, else in that of the file or of the archive, else it is asked for.
//! A meeting of more than half a day without a word in between would lose a day. There are no ids
//! and no zone. Whom a private message was written to is kept as a mention.

use crate::domain::{App, ConversationKind, Precision, Presence};

use super::answers::{Answers, Outcome, Question, QuestionKind};
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::message::Sink;
use super::transcript::{Files, LineIs, Opening, Script, Words, import, openings};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// A step back by more than this means that midnight passed; seconds.
const MIDNIGHT: i64 = 12 * 3_600;
/// What private messages are marked with.
const PRIVATE: [&str; 4] = [
    "(Direct Message)",
    "(direct message)",
    "(Privately)",
    "(privately)",
];
/// What stands for everybody.
const EVERYBODY: [&str; 2] = ["Everyone", "everyone"];

/// The reader of Zoom's chat files.
#[derive(Clone, Copy, Debug)]
pub struct Zoom;

impl Format for Zoom {
    fn name(&self) -> &'static str {
        "zoom"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        match openings(&mut ZoomScript::default(), head) {
            0 => Claim::No,
            count => Claim::Yes(count),
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let entry = container.entries()[main as usize].clone();
        let archive = entry
            .parent
            .map(|parent| container.entries()[parent as usize].name.clone());
        let places = std::iter::once(&entry.name).chain(&archive);
        let named = places.filter_map(|name| start_of(name)).next();
        let said = answers.start.map(|start| (start.div_euclid(SECOND), None));
        let is_said = named.is_none();
        let (start, topic) = named.or(said).unzip();
        let mut script = ZoomScript {
            start,
            topic: topic.flatten(),
            said: is_said,
            last: start.unwrap_or_default(),
        };
        import(&mut script, container, main, answers, sink)
    }
}

/// The start of the meeting in local seconds, and its topic, from a name with a folder
/// `YYYY-MM-DD HH.MM.SS Topic 123456789`.
fn start_of(name: &str) -> Option<(i64, Option<String>)> {
    name.split(['/', '\\']).find_map(|part| {
        let format = "%Y-%m-%d %H.%M.%S";
        let stamp = part.get(..19)?;
        let start = chrono::NaiveDateTime::parse_from_str(stamp, format).ok()?;
        let topic = part[19..].trim();
        let number = |word: &str| word.len() >= 9 && word.bytes().all(|byte| byte.is_ascii_digit());
        let topic = match topic.rsplit_once(' ') {
            Some((topic, last)) if number(last) => topic,
            _ => topic,
        };
        let topic = topic.strip_suffix(".txt").unwrap_or(topic).trim();
        let topic = Some(topic.to_owned()).filter(|topic| !topic.is_empty());
        Some((start.and_utc().timestamp(), topic))
    })
}

/// Reads the lines.
#[derive(Debug, Default)]
struct ZoomScript {
    /// When the meeting began, in local seconds; `None` where nothing says so.
    start: Option<i64>,
    topic: Option<String>,
    /// Whether somebody said so.
    said: bool,
    /// The local second of the message before.
    last: i64,
}

impl ZoomScript {
    /// The moment of a time of day, which may lie behind midnight.
    fn moment(&mut self, second_of_day: i64) -> i64 {
        let mut moment = self.last.div_euclid(DAY) * DAY + second_of_day;
        if moment < self.last - MIDNIGHT {
            moment += DAY;
        }
        self.last = moment;
        moment
    }

    /// A line of the cloud: an offset, a name with a colon, words.
    fn cloud(&mut self, offset: i64, line: &str) -> Option<Opening> {
        let rest = line[8..].strip_prefix('\t')?;
        let (name, _) = rest.split_once('\t')?;
        let sender = name.strip_suffix(':')?.trim();
        if sender.is_empty() || name.starts_with(' ') {
            return None;
        }
        Some(Opening {
            local: Some((self.start.unwrap_or_default() + offset) * SECOND),
            precision: Precision::Second,
            sender: Some(sender.to_owned()),
            to: None,
            body: 9 + name.len() + 1,
        })
    }

    /// A line of the program: a time of day, `From` a name, `to` another.
    fn local(&mut self, second: i64, line: &str) -> Option<Opening> {
        let rest = &line[8..];
        let from = rest.trim_start_matches([' ', '\t']).strip_prefix("From ")?;
        if rest.starts_with("From ") {
            return None;
        }
        let start = line.len() - from.len();
        // The newer way ends the line with the colon and writes the words below; the older one
        // has blanks around it.
        let (names, body) = match (from.split_once(" : "), from.trim_end().strip_suffix(':')) {
            (Some((names, _)), _) => (names, start + names.len() + 3),
            (None, Some(names)) => (names, line.len()),
            (None, None) => return None,
        };
        let (sender, to) = match names.split_once(" to ") {
            Some((sender, to)) => (sender, Some(to)),
            None => (names, None),
        };
        let to = to.map(|to| {
            let to = to.trim();
            let bare = PRIVATE.iter().find_map(|mark| to.strip_suffix(mark));
            bare.unwrap_or(to).trim().to_owned()
        });
        let sender = sender.trim();
        if sender.is_empty() {
            return None;
        }
        let moment = self.moment(second);
        Some(Opening {
            local: Some(moment * SECOND),
            precision: Precision::Second,
            sender: Some(sender.to_owned()),
            to: to.filter(|to| !EVERYBODY.contains(&to.as_str())),
            body,
        })
    }
}

impl Script for ZoomScript {
    fn name(&self) -> &'static str {
        "zoom"
    }

    fn app(&self) -> App {
        App::Zoom
    }

    fn title(&self) -> Option<String> {
        self.topic.clone()
    }

    fn kind(&self) -> Option<ConversationKind> {
        Some(ConversationKind::Group)
    }

    fn assumed(&self) -> Vec<String> {
        let reason = "the file has no date; it was dated by the beginning that was answered";
        self.said.then(|| reason.to_owned()).into_iter().collect()
    }

    fn settle(&mut self, entry: &Entry, _answers: &Answers) -> Vec<Question> {
        self.last = self.start.unwrap_or_default();
        let undated = Question {
            kind: QuestionKind::Start,
            entry: entry.display_name.clone(),
            reason:
                "the file has no date, and no folder named like 2024-05-06 09.15.00 Topic came \
                     with it; on which day and at what time did the meeting begin, on the clock of \
                     the computer that saved it?"
                    .to_owned(),
            readings: Vec::new(),
            preselect: None,
        };
        match self.start {
            Some(_) => Vec::new(),
            None => vec![undated],
        }
    }

    fn line(&mut self, line: &str) -> LineIs {
        let Some(second) = clock(line) else {
            return LineIs::GoesOn;
        };
        let opening = match self.local(second, line) {
            Some(opening) => Some(opening),
            None => self.cloud(second, line),
        };
        opening.map_or(LineIs::GoesOn, LineIs::Opens)
    }

    fn words<'b>(&self, opening: &Opening, body: &'b str, files: &Files) -> Words<'b> {
        // The words below a head stand behind a tabulator, each line of them or the first alone.
        let below = body
            .strip_prefix("\r\n")
            .or_else(|| body.strip_prefix(['\n', '\r']));
        let mut words = Words::plain(body, opening.sender.as_deref());
        if let Some(below) = below {
            let inner = below.strip_prefix('\t').unwrap_or(below);
            words.body = match inner.contains("\n\t") {
                true => inner.replace("\n\t", "\n").into(),
                false => inner.into(),
            };
        }
        let name = words.body.trim_end().to_owned();
        if let Some((known, _)) = files.get_key_value(&name) {
            let entry = files.get(known).copied();
            words.presence = words
                .presence
                .with(Presence::ATTACHMENT)
                .with(Presence::FILE);
            words.attachments.push(super::message::ParsedAttachment {
                name: name.into(),
                entry,
            });
        }
        words
    }
}

/// Seconds of the `HH:MM:SS` a line begins with.
fn clock(line: &str) -> Option<i64> {
    let text = line.get(..8)?;
    let mut parts = text.split(':');
    let mut part = || {
        let part = parts.next()?;
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    };
    let (hour, minute, second) = (part()?, part()?, part()?);
    (hour < 24 && minute < 60 && second < 60).then_some(hour * 3_600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::calendar::civil_days;

    #[test]
    fn the_start_is_found_in_a_folder() {
        let day = civil_days(2024, 5, 6).unwrap() * DAY;
        assert_eq!(
            start_of("Zoom/2024-05-06 09.15.00 Weekly sync 81234567890/meeting_saved_chat.txt"),
            Some((day + 9 * 3_600 + 15 * 60, Some("Weekly sync".to_owned())))
        );
        assert_eq!(start_of("meeting_saved_chat.txt"), None);
    }

    #[test]
    fn midnight_passes() {
        let start = 22 * 3_600;
        let mut script = ZoomScript {
            start: Some(start),
            last: start,
            ..ZoomScript::default()
        };
        assert_eq!(script.moment(23 * 3_600), 23 * 3_600);
        assert_eq!(script.moment(600), DAY + 600);
        assert_eq!(script.moment(590), DAY + 590);
    }
}
