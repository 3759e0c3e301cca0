//! KakaoTalk's exports: the text of Windows, Android and iOS, and the table of the Mac.
//!
//! What it cannot tell: there are no ids and no zone; media are named by words alone and stored
//! under other names. Windows prints notices without a time: those of known wording get the time
//! of the message before, sharp to the day; all others stay words of that message. A head of Windows
//! that somebody quotes on a line of its own opens a message: nothing tells it from a head.

use std::collections::BTreeSet;

use encoding_rs::{EUC_KR, Encoding};

use crate::domain::{App, ConversationKind, Kind, NoteKind, Precision, Presence};

use super::answers::{Answers, Outcome, Question};
use super::beside::{gathered, parted, parts_of};
use super::calendar::civil_days;
use super::container::{Container, Entry};
use super::detect::Found;
use super::error::Result;
use super::format::{Claim, Format};
use super::message::{ParsedMessage, Sink};
use super::printed::{DayRun, hour_of};
use super::rows::{FOREIGN, Row, each_row, first_row};
use super::teller::Teller;
use super::transcript::{
    Clocked, Files, LineIs, Opening, Script, Words, first_lines, import_parts, kind_of, openings,
    title_of,
};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// Hyphens that a rule begins and ends with, at least.
const RULE_MIN: usize = 5;
/// What is said of the rule of a day that was only quoted.
const QUOTED_DAY: &str =
    "the line names a day but steps out of the run of days; it stays in the message before";
/// Most names that are kept to know notices by.
const NAMES_MAX: usize = 65_536;

/// What stands before the date of the export.
const SAVED: [&str; 3] = ["저장한 날짜", "Date Saved", "保存した日付"];
/// What the first line says behind the name of the conversation.
const TITLES: [&str; 3] = [" 님과 카카오톡 대화", " 카카오톡 대화", "의 카카오톡 대화"];
/// What stands behind a name in notices of Windows, which carry no time.
const NOTICES: [&str; 4] = [
    "님이 들어왔습니다.",
    "님이 나갔습니다.",
    "님을 내보냈습니다.",
    "님이 퇴장했습니다.",
];
/// Words that stand for what was not exported, and what it was.
const MEDIA: [(&str, Presence); 9] = [
    ("사진", Presence::IMAGE),
    ("이모티콘", Presence::IMAGE),
    ("동영상", Presence::VIDEO),
    ("음성메시지", Presence::VOICE),
    ("음성 메시지", Presence::VOICE),
    ("(사진)", Presence::IMAGE),
    ("(이모티콘)", Presence::IMAGE),
    ("Photo", Presence::IMAGE),
    ("Emoticons", Presence::IMAGE),
];
/// Placeholders of messages that were deleted.
const DELETED: [&str; 4] = [
    "메시지가 삭제되었습니다.",
    "삭제된 메시지입니다.",
    "메시지를 가렸습니다.",
    "This message was deleted.",
];
/// Beginnings of what is said of calls.
const CALLS: [&str; 6] = [
    "보이스톡 ",
    "페이스톡 ",
    "그룹콜 ",
    "라이브톡 ",
    "Voice Call ",
    "Video Call ",
];

/// The reader of KakaoTalk's exports.
#[derive(Clone, Copy, Debug)]
pub struct KakaoTalk;

impl Format for KakaoTalk {
    fn name(&self) -> &'static str {
        "kakaotalk"
    }

    /// The parts of one export are one chat.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let talks = talks(container.entries());
        Ok(gathered(self, container, talks))
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        if is_table(head) {
            return Claim::Yes(2);
        }
        let first = first_lines(head, 3, Some(EUC_KR));
        let is_head = |line: &String| {
            SAVED.iter().any(|word| line.starts_with(word))
                || TITLES.iter().any(|word| line.ends_with(word))
        };
        // A further part of an export may begin in the middle of a day.
        let mut within = KakaoScript {
            today: Some(0),
            ..KakaoScript::default()
        };
        match openings(&mut KakaoScript::default(), head) {
            0 if first.iter().any(is_head) && openings(&mut within, head) > 0 => Claim::Maybe,
            0 => Claim::No,
            count if count > 1 || first.iter().any(is_head) => Claim::Yes(count),
            _ => Claim::Maybe,
        }
    }

    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome> {
        let head = container.head(main, super::detect::HEAD_BYTES)?;
        match is_table(&head) {
            true => table(container, main, answers, sink),
            false => {
                let parted = talks(container.entries());
                let parts = parts_of(self, container, parted, main);
                import_parts(
                    &mut KakaoScript::default(),
                    container,
                    &parts,
                    answers,
                    sink,
                )
            }
        }
    }
}

/// The parts of exports that were cut: `Talk_2025.10.10 09_00-1.txt`, `-2.txt` and so on.
fn talks(entries: &[Entry]) -> Vec<Vec<u32>> {
    parted(entries, |name| {
        let (talk, number) = name.strip_suffix(".txt")?.rsplit_once('-')?;
        let is_talk = talk.starts_with("Talk_") || talk.starts_with("KakaoTalk");
        Some((talk.to_owned(), number.parse().ok()?)).filter(|_| is_talk)
    })
}

/// Whether a head is that of the Mac's table: `Date,User,Message` and a time with seconds.
fn is_table(head: &[u8]) -> bool {
    first_row(head, b',').is_some_and(|names| names == ["Date", "User", "Message"])
}

/// Reads the table of the Mac.
fn table(
    container: &mut Container<'_>,
    main: u32,
    answers: &Answers,
    sink: &mut dyn Sink,
) -> Result<Outcome> {
    let entry = container.entries()[main as usize].clone();
    let clocked = match Clocked::of(&entry, answers) {
        Ok(clocked) => clocked,
        Err(question) => return Ok(Outcome::Ask(vec![question])),
    };
    let senders = container.read(main, |bytes| {
        let mut senders = BTreeSet::new();
        each_row(bytes, b',', &mut |row| {
            if let Row::Cells { cells, number, .. } = row
                && number > 0
                && senders.len() < NAMES_MAX
            {
                senders.extend(cells.into_iter().nth(1));
            }
            Ok(())
        })?;
        Ok(senders)
    })?;
    let mut teller = Teller::new("kakaotalk", &entry, sink);
    teller.summary.zone = Some(clocked.zone.clone());
    let mut reading = Reading {
        teller,
        clocked,
        title: title_of(&entry, answers, None),
        kind: kind_of(senders.len()),
    };
    container.read(main, |bytes| {
        each_row(bytes, b',', &mut |row| reading.row(row))
    })?;
    Ok(reading.teller.done())
}

/// The second reading of the Mac's table.
struct Reading<'s> {
    teller: Teller<'s>,
    clocked: Clocked,
    title: String,
    kind: ConversationKind,
}

impl Reading<'_> {
    fn row(&mut self, row: Row<'_>) -> Result<()> {
        let (cells, raw, at, foreign) = match row {
            Row::Frame { raw, at } => return self.teller.frame(raw, at),
            Row::Cells {
                raw, at, number: 0, ..
            } => return self.teller.frame(raw, at),
            Row::Cells {
                cells,
                raw,
                at,
                foreign,
                ..
            } => (cells, raw, at, foreign),
        };
        let [date, sender, body] = cells.as_slice() else {
            let reason = "the row has not the three cells of the table";
            return self.teller.reject(raw, at, reason);
        };
        let Some(local) = printed_second(date) else {
            let reason = "the row has no readable date";
            return self.teller.reject(raw, at, reason);
        };
        let span = (at, at + raw.len() as u64);
        if foreign {
            self.teller.note(NoteKind::Encoding, span, FOREIGN)?;
        }
        let sender = Some(sender.as_str()).filter(|sender| !sender.is_empty());
        let words = words_of(sender, body, &Files::default());
        let (sent, doubts) = self.clocked.place(local);
        self.teller.message(&ParsedMessage {
            conversation_key: &self.title,
            conversation_title: &self.title,
            conversation_kind: self.kind,
            app: App::KakaoTalk,
            sender_label: sender,
            body: &words.body,
            kind: words.kind,
            sent: Some(sent),
            local: Some(local),
            precision: Precision::Second,
            zone_source: self.clocked.zone.source,
            attachments: &words.attachments,
            presence: words.presence.with(doubts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}

/// `2024-01-02 15:04:05` as local microseconds.
fn printed_second(text: &str) -> Option<i64> {
    let format = "%Y-%m-%d %H:%M:%S";
    let local = chrono::NaiveDateTime::parse_from_str(text.trim(), format).ok()?;
    Some(local.and_utc().timestamp_micros())
}

/// Reads the lines.
#[derive(Debug, Default)]
struct KakaoScript {
    title: Option<String>,
    /// Days since 1970-01-01, by the rule of a day (Windows).
    today: Option<i64>,
    /// Whether heads carry dates of their own (Android, iOS) or stand below the rule of a day
    /// (Windows): the first head tells, what looks like the other is words.
    dated: Option<bool>,
    /// The time of the message before.
    last: Option<i64>,
    names: BTreeSet<String>,
    /// Whether the message before is a notice, which no line goes on with.
    after_notice: bool,
    /// Whether no message of the file was met yet.
    at_head: bool,
    /// Number of the line, from 1, over all parts.
    number: u64,
    /// The rules of days (Windows).
    run: DayRun,
    settled: bool,
}

impl KakaoScript {
    /// Whether a line is a heading of the file or names a day.
    fn between(&mut self, line: &str) -> bool {
        let text = line.trim();
        if self.last.is_none() || self.at_head {
            let title = TITLES.iter().find_map(|end| text.strip_suffix(end));
            if let Some(title) = title {
                self.title = Some(title.to_owned());
                return true;
            }
            if SAVED.iter().any(|word| text.starts_with(word)) {
                return true;
            }
        }
        let bare = text.trim_matches('-');
        let ruled = text.len() >= bare.len() + 2 * RULE_MIN;
        let Some((day, rest)) = korean_date(bare.trim_start()) else {
            return false;
        };
        let weekday = rest.trim();
        let names_a_day = weekday.ends_with("요일") && weekday.chars().count() == 3;
        // A bare day is a heading on phones, whose heads say the day themselves.
        if !names_a_day || !(ruled || self.dated == Some(true) || self.last.is_none()) {
            return false;
        }
        if ruled && self.run.is_quoted(self.number) {
            return false;
        }
        if ruled {
            if !self.settled {
                self.run.meet(self.number, day);
            }
            self.today = Some(day);
            // A notice without a time is of this day, not of the message before.
            self.last = self.last.map(|last| last.max(day * DAY * SECOND));
        }
        true
    }

    /// A head of Windows: `[name] [오후 3:05] words`.
    fn bracketed(&self, line: &str) -> Option<Opening> {
        let today = self.today?;
        let inner = line.strip_prefix('[')?;
        let (at, hour) = inner.match_indices("] [").find_map(|(at, between)| {
            let hour = hour_of(&inner[at + between.len()..])?;
            let end = at + between.len() + hour.length;
            inner[end..].starts_with(']').then_some((at, hour))
        })?;
        let end = 1 + at + 3 + hour.length + 1;
        let blank = usize::from(line[end..].starts_with(' '));
        Some(Opening {
            local: Some((today * DAY + i64::from(hour.second_of_day)) * SECOND),
            precision: Precision::Minute,
            sender: Some(inner[..at].to_owned()),
            to: None,
            body: end + blank,
        })
    }

    /// A head of a phone: `2025년 10월 10일 오전 10:09, name : words`, or with points in the date.
    fn dated(&self, line: &str) -> Option<Opening> {
        let (day, rest) = korean_date(line).or_else(|| pointed_date(line))?;
        let hour = hour_of(rest)?;
        let at = line.len() - rest.len() + hour.length;
        let opening = |sender: Option<&str>, body: usize| Opening {
            local: Some((day * DAY + i64::from(hour.second_of_day)) * SECOND),
            precision: Precision::Minute,
            sender: sender.map(str::to_owned),
            to: None,
            body,
        };
        if let Some(rest) = line[at..].strip_prefix(", ") {
            return Some(match rest.split_once(" : ") {
                Some((sender, _)) => opening(Some(sender), at + 2 + sender.len() + 3),
                // An empty message ends behind its colon.
                None => match rest.strip_suffix(" :") {
                    Some(sender) => opening(Some(sender), line.len()),
                    None => opening(None, at + 2),
                },
            });
        }
        line[at..].starts_with(": ").then(|| opening(None, at + 2))
    }

    /// A notice of Windows: a name that is known or follows another notice, and words that are.
    fn notice(&self, line: &str) -> Option<Opening> {
        let known = |end: &str| {
            line.strip_suffix(end)
                .is_some_and(|name| self.after_notice || self.names.contains(name))
        };
        let local = self.last.filter(|_| self.dated == Some(false))?;
        NOTICES.into_iter().any(known).then_some(Opening {
            local: Some(local),
            precision: Precision::Day,
            sender: None,
            to: None,
            body: 0,
        })
    }
}

impl Script for KakaoScript {
    fn name(&self) -> &'static str {
        "kakaotalk"
    }

    fn app(&self) -> App {
        App::KakaoTalk
    }

    fn legacy(&self) -> Option<&'static Encoding> {
        Some(EUC_KR)
    }

    fn title(&self) -> Option<String> {
        self.title.clone()
    }

    fn is_dated(&self) -> bool {
        self.dated == Some(true)
    }

    fn turn(&mut self) {
        self.at_head = true;
    }

    fn settle(&mut self, entry: &Entry, answers: &Answers) -> Vec<Question> {
        self.today = None;
        self.last = None;
        self.after_notice = false;
        self.number = 0;
        self.settled = true;
        let asked = self.run.settle(&entry.display_name, answers);
        asked.into_iter().collect()
    }

    fn line(&mut self, line: &str) -> LineIs {
        self.number += 1;
        if self.between(line) {
            return LineIs::Between;
        }
        if self.run.is_quoted(self.number) {
            return LineIs::Resembles(QUOTED_DAY);
        }
        let opening = match self.dated {
            Some(true) => self.dated(line),
            Some(false) => self.bracketed(line).or_else(|| self.notice(line)),
            None => self.dated(line).or_else(|| self.bracketed(line)),
        };
        let Some(opening) = opening else {
            return LineIs::GoesOn;
        };
        self.last = opening.local;
        self.at_head = false;
        self.after_notice = opening.sender.is_none();
        self.dated.get_or_insert_with(|| !line.starts_with('['));
        if let Some(sender) = &opening.sender
            && self.names.len() < NAMES_MAX
        {
            self.names.insert(sender.clone());
        }
        LineIs::Opens(opening)
    }

    fn words<'b>(&self, opening: &Opening, body: &'b str, files: &Files) -> Words<'b> {
        words_of(opening.sender.as_deref(), body, files)
    }
}

/// What the words of a message tell, on every device.
fn words_of<'b>(sender: Option<&str>, body: &'b str, files: &Files) -> Words<'b> {
    let words = Words::plain(body, sender);
    if DELETED.contains(&body) {
        return words.told(Kind::Deleted, Presence::DELETED);
    }
    if sender.is_none() {
        let membership =
            NOTICES.iter().any(|end| body.ends_with(end)) || body.ends_with("초대했습니다.");
        return match membership {
            true => words.told(Kind::SystemMembership, Presence::default()),
            false => words,
        };
    }
    if let Some((_, what)) = MEDIA.iter().find(|(word, _)| *word == body) {
        return words.told(Kind::Media, *what).carrying("", files);
    }
    let many = body
        .strip_prefix("사진 ")
        .and_then(|rest| rest.strip_suffix('장'));
    if many.is_some_and(|count| count.bytes().all(|byte| byte.is_ascii_digit())) {
        return words.told(Kind::Media, Presence::IMAGE).carrying("", files);
    }
    if let Some(name) = body
        .strip_prefix("파일: ")
        .filter(|name| !name.contains('\n'))
    {
        return words
            .told(Kind::Media, Presence::FILE)
            .carrying(name, files);
    }
    if CALLS.iter().any(|begin| body.starts_with(begin)) && !body.contains('\n') {
        return words.told(Kind::Call, Presence::default());
    }
    words
}

/// A date in words at the start, as days since 1970-01-01, and what follows: `2023년 5월 10일 …`.
fn korean_date(line: &str) -> Option<(i64, &str)> {
    let (year, rest) = number(line, 4)?;
    let (month, rest) = number(rest.strip_prefix('년')?.trim_start_matches(' '), 2)?;
    let (day, rest) = number(rest.strip_prefix('월')?.trim_start_matches(' '), 2)?;
    let rest = rest.strip_prefix('일')?.trim_start_matches(' ');
    Some((civil_days(i32::from(year), month, day)?, rest))
}

/// A date with points at the start: `2025. 10. 23. …`.
fn pointed_date(line: &str) -> Option<(i64, &str)> {
    let (year, rest) = number(line, 4)?;
    let (month, rest) = number(rest.strip_prefix(". ")?, 2)?;
    let (day, rest) = number(rest.strip_prefix(". ")?, 2)?;
    let rest = rest.strip_prefix(". ")?;
    Some((civil_days(i32::from(year), month, day)?, rest))
}

/// A number of at most so many digits at the start; a year has all four.
fn number(text: &str, digits: usize) -> Option<(u16, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let fits = length > 0 && length <= digits && (digits < 4 || length == 4);
    let number = text.get(..length)?.parse().ok().filter(|_| fits)?;
    Some((number, &text[length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_both_styles_are_read() {
        let day = civil_days(2023, 5, 10).unwrap();
        assert_eq!(korean_date("2023년 5월 10일 수요일"), Some((day, "수요일")));
        assert_eq!(
            pointed_date("2023. 5. 10. 15:04: x"),
            Some((day, "15:04: x"))
        );
        assert_eq!(korean_date("23년 5월 10일"), None);
    }
}
