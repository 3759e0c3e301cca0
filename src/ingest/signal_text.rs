//! The text that signal-export writes of Signal's conversations: `[2019-12-24, 12:23] Jane: words`,
//! and since its version 2 `[2019-12-24 12:23:05] Jane: words` in a file `chat.md`.
//!
//! Format facts: carderne/signal-export, `sigexport/models.py` (`Message.to_md`).
//!
//! What it cannot tell: there are no ids and no zone; the exporter is `Me`. Quotations, reactions
//! and links to media stand in the words and stay there as written.

use std::borrow::Cow;

use crate::domain::{App, Kind, Precision, Presence};

use super::answers::{Answers, Outcome, Question};
use super::calendar::civil_days;
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::message::{ParsedReaction, Sink};
use super::transcript::{Files, LineIs, Opening, Script, Words, import, openings};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// What the tool writes for who is not known.
const NOBODY: &str = "No-Sender";
/// What the tool writes for a deleted message.
const DELETED: &str = "(This message was deleted)";
/// Beginnings of what it writes for calls.
const CALLS: [&str; 7] = [
    "Incoming call",
    "Incoming voice call",
    "Incoming video call",
    "Outgoing call",
    "Outgoing voice call",
    "Outgoing video call",
    "Missed v",
];

/// The reader of signal-export's text.
#[derive(Clone, Copy, Debug)]
pub struct SignalText;

impl Format for SignalText {
    fn name(&self) -> &'static str {
        "signal-export"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    /// By its older head, which no other export prints. The newer one is also that of a chat from
    /// WhatsApp on phones of some countries: there the name of the file breaks the tie.
    fn claim(&self, entry: &Entry, head: &[u8]) -> Claim {
        let mut script = SignalScript::default();
        let count = openings(&mut script, head);
        let named = entry.file_name().to_ascii_lowercase().ends_with(".md");
        match count {
            0 => Claim::No,
            count if script.seconds == Some(false) || named => Claim::Yes(count),
            _ => Claim::No,
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
        let mut script = SignalScript {
            folder: folder_of(&entry),
            ..SignalScript::default()
        };
        import(&mut script, container, main, answers, sink)
    }
}

/// The folder a chat lies in, which is called as the conversation is, where the file's own name
/// says nothing.
fn folder_of(entry: &Entry) -> Option<String> {
    let (folder, file) = entry.name.rsplit_once('/')?;
    let says_nothing = matches!(file, "chat.md" | "index.md");
    let name = folder.rsplit('/').next().unwrap_or(folder);
    (says_nothing && !name.is_empty()).then(|| name.to_owned())
}

/// Reads the lines.
#[derive(Debug, Default)]
struct SignalScript {
    folder: Option<String>,
    /// Whether the heads of the file print seconds: all do or none.
    seconds: Option<bool>,
}

impl SignalScript {
    fn opening(&mut self, line: &str) -> Option<Opening> {
        let (local, seconds, end) = stamp(line)?;
        let rest = &line[end..];
        let (sender, _) = rest.split_once(": ").or_else(|| rest.split_once(':'))?;
        if *self.seconds.get_or_insert(seconds) != seconds {
            return None;
        }
        let colon = end + sender.len() + 1;
        Some(Opening {
            local: Some(local),
            precision: match seconds {
                true => Precision::Second,
                false => Precision::Minute,
            },
            sender: Some(sender.to_owned()).filter(|sender| sender != NOBODY),
            to: None,
            body: colon + usize::from(line[colon..].starts_with(' ')),
        })
    }
}

impl Script for SignalScript {
    fn name(&self) -> &'static str {
        "signal-export"
    }

    fn app(&self) -> App {
        App::Signal
    }

    fn title(&self) -> Option<String> {
        self.folder.clone()
    }

    fn is_dated(&self) -> bool {
        true
    }

    fn settle(&mut self, _entry: &Entry, _answers: &Answers) -> Vec<Question> {
        Vec::new()
    }

    fn line(&mut self, line: &str) -> LineIs {
        self.opening(line).map_or(LineIs::GoesOn, LineIs::Opens)
    }

    fn words<'b>(&self, _opening: &Opening, body: &'b str, files: &Files) -> Words<'b> {
        // The tool writes down no notices; a sender it does not know is still one who wrote.
        let mut words = Words::plain(body, Some(NOBODY));
        let text = body.trim_end_matches(' ');
        if text == DELETED {
            return words.told(Kind::Deleted, Presence::DELETED);
        }
        if CALLS.iter().any(|begin| text.starts_with(begin)) && is_call(text) {
            return words.told(Kind::Call, Presence::default());
        }
        if body.starts_with("\n\n> ") || body.starts_with("\r\n\r\n> ") {
            words.presence = words.presence.with(Presence::QUOTE);
        }
        words.reactions = reactions(body);
        for (name, is_image) in links(body) {
            let what = match is_image {
                true => Presence::IMAGE,
                false => Presence::FILE,
            };
            words.presence = words.presence.with(what);
            words = words.carrying(name, files);
        }
        let text = text.trim();
        let linked = text.starts_with("![") || text.starts_with('[');
        let wordless = linked && text.ends_with(')') && !text.contains('\n');
        if wordless && !words.attachments.is_empty() {
            words.kind = Kind::Media;
        }
        words
    }
}

/// Whether a text is nothing but what the tool writes of a call: the kind, and in brackets how it
/// ended.
fn is_call(text: &str) -> bool {
    let kind = text.split_once(" (").map_or(text, |(kind, _)| kind);
    let closed = kind.len() == text.len() || text.ends_with(')');
    closed && kind.ends_with("call") && !text.contains('\n')
}

/// Local microseconds of the date in brackets at the start, whether it has seconds, and where the
/// sender begins.
fn stamp(line: &str) -> Option<(i64, bool, usize)> {
    let (date, rest) = line.strip_prefix('[')?.split_at_checked(10)?;
    let mut parts = date.split('-');
    let mut part = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<u16>().ok().filter(|_| digits)
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let days = civil_days(i32::from(year), month, day)?;
    let (time, seconds) = match rest.strip_prefix(", ") {
        Some(rest) => (rest.get(..5)?, false),
        None => (rest.strip_prefix(' ')?.get(..8)?, true),
    };
    let numbers = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|_| digits)
    };
    let mut clock = time.split(':').map(numbers);
    let (hour, minute) = (clock.next()??, clock.next()??);
    let second = match seconds {
        true => clock.next()??,
        false => 0,
    };
    let end = if seconds { 20 } else { 18 };
    let closed = line.get(end..end + 2) == Some("] ");
    (hour < 24 && minute < 60 && second < 60 && closed).then_some((
        (days * DAY + hour * 3_600 + minute * 60 + second) * SECOND,
        seconds,
        end + 2,
    ))
}

/// The reactions in the line `(- Ana: 👍, Bob: ❤ -)`.
fn reactions(body: &str) -> Vec<ParsedReaction<'_>> {
    let list = body.lines().find_map(|line| {
        let (list, _) = line.strip_prefix("(- ")?.split_once(" -)")?;
        Some(list)
    });
    let each = list.unwrap_or_default().split(", ");
    each.filter_map(|one| one.rsplit_once(": "))
        .map(|(name, emoji)| ParsedReaction {
            value: Cow::Borrowed(emoji),
            count: 1,
            by: vec![Cow::Borrowed(name)],
        })
        .collect()
}

/// The names of media that the words link to in the tool's way, and whether each is a picture:
/// `![name](./media/name)`.
fn links(body: &str) -> Vec<(&str, bool)> {
    let mut links = Vec::new();
    let mut rest = body;
    while let Some(at) = rest.find("](./media/") {
        let before = &rest[..at];
        let Some(open) = before.rfind('[') else {
            rest = &rest[at + 2..];
            continue;
        };
        links.push((&before[open + 1..], before[..open].ends_with('!')));
        rest = &rest[at + 2..];
    }
    links
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_heads_are_read_and_no_other() {
        let day = civil_days(2019, 12, 24).unwrap() * DAY;
        let at = |hour: i64, minute: i64, second: i64| {
            (day + hour * 3_600 + minute * 60 + second) * SECOND
        };
        assert_eq!(
            stamp("[2019-12-24, 12:23] Jane: x"),
            Some((at(12, 23, 0), false, 20))
        );
        assert_eq!(
            stamp("[2019-12-24 12:23:05] Jane: x"),
            Some((at(12, 23, 5), true, 22))
        );
        for line in [
            "[24/12/2019, 12:23] x: y",
            "[2019-12-24, 12:23",
            "[2019-12-é4, 12:23] a: b",
            "",
        ] {
            assert_eq!(stamp(line), None, "{line}");
        }
    }
}
