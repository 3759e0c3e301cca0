//! LINE's text export, as the phones print it in Japanese, English, Chinese and Thai, and as the
//! program for computers prints it.
//!
//! What it cannot tell: members of one name are one, for the file knows people by their names
//! alone; in files of the computer program a blank ends the name, so a name with blanks is
//! known only where the same words begin all its lines. There are no ids, no zone, no media.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use encoding_rs::{Encoding, SHIFT_JIS};

use crate::domain::{App, ConversationKind, Kind, Precision, Presence};

use super::answers::{Answers, Outcome, Question};
use super::calendar::civil_days;
use super::container::{Container, Entry};
use super::error::Result;
use super::format::{Claim, Format};
use super::message::Sink;
use super::printed::{DayRun, hour_of};
use super::transcript::{Files, LineIs, Opening, Script, Words, first_lines, import, openings};

/// Microseconds of a second.
const SECOND: i64 = 1_000_000;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// No heading of a day is longer; bytes.
const DAY_BYTES_MAX: usize = 64;
/// A day's letters beside its numbers: longer ones are words.
const WEEKDAY_LETTERS_MAX: usize = 12;
/// Years from here on are counted from the Buddha; 543 is taken off.
const BUDDHIST_FROM: i32 = 2400;
/// Most first words that are counted as names in files without tabulators.
const NAMES_MAX: usize = 4_096;
/// So many lines must begin alike before more than their first word is believed a name.
const NAMED_MIN: u32 = 3;

/// A quote that reaches over more lines was none.
const QUOTED_LINES_MAX: u64 = 1_000;
/// Behind so many quotes that were never closed no further one is believed.
const STRAYS_MAX: usize = 100_000;
/// What is said of what looks like a message within words in quotes.
const QUOTED_HEAD: &str =
    "the line looks like a message but stands within words in quotes; it stays there";
/// What is said of a heading that was only quoted.
const QUOTED_DAY: &str =
    "the line names a day but steps out of the run of days; it stays in the message before";
/// What is said of a heading whose date is none.
const NO_SUCH_DAY: &str = "the line looks like the name of a day, but its date is no such day of the week; it stays in the \
                           message before, and what follows keeps the day before it";

/// What the head of the file begins with.
const MARK: &str = "[LINE]";
/// What stands before the date of the export, in its second line.
const SAVED: [&str; 6] = [
    "保存日時",
    "Saved on",
    "儲存日期",
    "保存日期",
    "บันทึกวันที่",
    "บันทึกเมื่อ",
];
/// What stands before and behind the name of the conversation, and what that tells of its kind.
const TITLES: [(&str, &str, ConversationKind); 12] = [
    ("", "とのトーク履歴", ConversationKind::Direct),
    ("", "のトーク履歴", ConversationKind::Group),
    ("Chat history with ", "", ConversationKind::Direct),
    ("Chat history in ", "", ConversationKind::Group),
    ("與", "的聊天記錄", ConversationKind::Direct),
    ("与", "的聊天记录", ConversationKind::Direct),
    ("與", "的聊天紀錄", ConversationKind::Direct),
    ("", "的聊天記錄", ConversationKind::Group),
    ("", "的聊天记录", ConversationKind::Group),
    ("", "的聊天紀錄", ConversationKind::Group),
    ("ประวัติการแชทกับ", "", ConversationKind::Direct),
    ("ประวัติการแชทใน", "", ConversationKind::Group),
];
/// Placeholders of what was not exported.
const MEDIA: [(&str, Presence); 28] = [
    ("[写真]", Presence::IMAGE),
    ("[スタンプ]", Presence::IMAGE),
    ("[動画]", Presence::VIDEO),
    ("[ファイル]", Presence::FILE),
    ("[ボイスメッセージ]", Presence::VOICE),
    ("[Photo]", Presence::IMAGE),
    ("[Sticker]", Presence::IMAGE),
    ("[Video]", Presence::VIDEO),
    ("[File]", Presence::FILE),
    ("[Voice message]", Presence::VOICE),
    ("[照片]", Presence::IMAGE),
    ("[圖片]", Presence::IMAGE),
    ("[貼圖]", Presence::IMAGE),
    ("[贴图]", Presence::IMAGE),
    ("[影片]", Presence::VIDEO),
    ("[视频]", Presence::VIDEO),
    ("[檔案]", Presence::FILE),
    ("[文件]", Presence::FILE),
    ("[語音訊息]", Presence::VOICE),
    ("[语音消息]", Presence::VOICE),
    ("[รูป]", Presence::IMAGE),
    ("[รูปภาพ]", Presence::IMAGE),
    ("[สติกเกอร์]", Presence::IMAGE),
    ("[วิดีโอ]", Presence::VIDEO),
    ("[ไฟล์]", Presence::FILE),
    ("[ข้อความเสียง]", Presence::VOICE),
    ("[連絡先]", Presence::CONTACT),
    ("[位置情報]", Presence::LOCATION),
];
/// Ends of notices that words were taken back.
const UNSENT: [&str; 5] = [
    "メッセージの送信を取り消しました",
    "unsent a message",
    "已收回訊息",
    "收回了訊息",
    "ยกเลิกข้อความ",
];
/// Ends of notices about who belongs to a group, without their last stop.
const MEMBERSHIP: [&str; 11] = [
    "が参加しました",
    "が退出しました",
    "が退会しました",
    "招待しました",
    "joined the group",
    "left the group",
    "joined the chat",
    "left the chat",
    "加入聊天",
    "離開群組",
    "ออกจากกลุ่ม",
];
/// Names of the days of the week, Sunday first; longer ones before those they begin with.
const WEEKDAYS: [[&str; 6]; 7] = [
    ["sunday", "sun", "日", "일요일", "อาทิตย์", "อา"],
    ["monday", "mon", "月", "월요일", "จันทร์", "จ"],
    ["tuesday", "tue", "火", "화요일", "อังคาร", "อ"],
    ["wednesday", "wed", "水", "수요일", "พุธ", "พ"],
    ["thursday", "thu", "木", "목요일", "พฤหัสบดี", "พฤ"],
    ["friday", "fri", "金", "금요일", "ศุกร์", "ศ"],
    ["saturday", "sat", "土", "토요일", "เสาร์", "ส"],
];
/// The same in Chinese, behind the word for week.
const WEEKDAYS_COUNTED: [&str; 7] = ["日", "一", "二", "三", "四", "五", "六"];

/// The reader of LINE's text export.
#[derive(Clone, Copy, Debug)]
pub struct LineChat;

impl Format for LineChat {
    fn name(&self) -> &'static str {
        "line"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    /// By its head and one message; without a head, by messages under the heading of a day.
    fn claim(&self, _entry: &Entry, head: &[u8]) -> Claim {
        let first = first_lines(head, 3, Some(SHIFT_JIS));
        let marked = first.iter().any(|line| line.trim_start().starts_with(MARK));
        let mut script = LineScript::default();
        match openings(&mut script, head) {
            0 => Claim::No,
            count if marked || script.days.tabs && count > 1 => Claim::Yes(count),
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
        import(&mut LineScript::default(), container, main, answers, sink)
    }
}

/// Names as lines without tabulators begin: the words all lines of one first word share.
#[derive(Debug, Default)]
struct Names {
    counted: BTreeMap<String, (Vec<String>, u32)>,
}

impl Names {
    fn learn(&mut self, rest: &str) {
        let mut words = rest.split(' ').map(str::to_owned);
        let Some(first) = words.next() else { return };
        let words: Vec<String> = words.take(4).collect();
        // The last word of a line is never part of a name: something was said.
        let shared = words.split_last().map_or(&[][..], |(_, before)| before);
        let room = self.counted.len() < NAMES_MAX;
        match self.counted.get_mut(&first) {
            Some((known, count)) => {
                let same = known.iter().zip(shared).take_while(|(a, b)| a == b).count();
                known.truncate(same);
                *count += 1;
            }
            None if room => {
                self.counted.insert(first, (shared.to_vec(), 1));
            }
            None => {}
        }
    }

    /// Length of the name a line begins with.
    fn length(&self, rest: &str) -> Option<usize> {
        let (first, _) = rest.split_once(' ')?;
        let more = match self.counted.get(first) {
            Some((shared, count)) if *count >= NAMED_MIN => {
                shared.iter().map(|word| word.len() + 1).sum()
            }
            _ => 0,
        };
        Some(first.len() + more)
    }
}

/// Reads the lines.
#[derive(Debug, Default)]
struct LineScript {
    title: Option<String>,
    kind: Option<ConversationKind>,
    names: Names,
    settled: bool,
    /// Whether lines were met whose parts are parted by blanks.
    blanks: bool,
    days: Days,
    /// Number of the line, from 1.
    number: u64,
    /// The quote that was opened and goes on.
    quote: Option<Quote>,
    /// Lines whose quote is never closed: words that begin with one.
    strays: BTreeSet<u64>,
    /// The headings of days.
    run: DayRun,
}

/// Words of several lines stand in quotes.
#[derive(Clone, Copy, Debug)]
struct Quote {
    /// The line that opened it.
    line: u64,
    /// Lines it reached over so far.
    lines: u64,
    /// Quotes met in it.
    marks: usize,
}

/// Where in the run of days the script stands.
#[derive(Debug, Default)]
struct Days {
    /// Days since 1970-01-01.
    today: Option<i64>,
    /// Whether a head or a blank line stood before.
    fresh: bool,
    tabs: bool,
}

impl LineScript {
    fn heading(&mut self, line: &str) -> bool {
        if let Some(rest) = line.trim_start().strip_prefix(MARK) {
            if self.days.today.is_some() {
                return false;
            }
            let rest = rest.trim();
            let inner = |(before, behind, kind): &(&str, &str, ConversationKind)| {
                let name = rest.strip_prefix(before)?.strip_suffix(behind)?;
                Some((name.trim().to_owned(), *kind))
            };
            let (title, kind) = TITLES
                .iter()
                .find_map(inner)
                .unwrap_or((rest.to_owned(), ConversationKind::Unknown));
            self.title = Some(title);
            self.kind = Some(kind).filter(|kind| *kind != ConversationKind::Unknown);
            return true;
        }
        self.days.today.is_none() && SAVED.iter().any(|word| line.starts_with(word))
    }

    /// The message a line opens.
    fn opening(&mut self, line: &str) -> Option<Opening> {
        let today = self.days.today?;
        let hour = hour_of(line)?;
        let local = (today * DAY + i64::from(hour.second_of_day)) * SECOND;
        let opening = |sender: Option<&str>, body: usize| Opening {
            local: Some(local),
            precision: match hour.seconds {
                true => Precision::Second,
                false => Precision::Minute,
            },
            sender: sender.map(str::to_owned),
            to: None,
            body,
        };
        let rest = &line[hour.length..];
        if let Some(rest) = rest.strip_prefix('\t') {
            self.days.tabs = true;
            let start = hour.length + 1;
            return Some(match rest.split_once('\t') {
                Some(("", _)) => opening(None, start + 1),
                Some((sender, _)) => opening(Some(sender), start + sender.len() + 1),
                None => opening(None, start),
            });
        }
        let rest = rest.strip_prefix(' ').filter(|_| !self.days.tabs)?;
        let start = hour.length + 1;
        self.blanks = true;
        if !self.settled {
            self.names.learn(rest);
        }
        let (sender, body) = match self.names.length(rest) {
            Some(length) if length < rest.len() => (Some(&rest[..length]), start + length + 1),
            _ => (None, start),
        };
        Some(opening(sender, body))
    }

    /// Whether a line with a head still belongs to words in quotes. A quote that is not closed
    /// before another one is opened was none; the first reading finds such.
    fn is_quoted(&mut self, body: &str) -> bool {
        let Some(quote) = self.quote else {
            return false;
        };
        if !self.settled && body.starts_with('"') {
            self.strays.insert(quote.line);
            self.quote = None;
        }
        self.quote.is_some()
    }

    /// Opens a quote, where the words of a message begin with one that goes on.
    fn open_quote(&mut self, body: &str) {
        let marks = body.matches('"').count();
        let last = self.strays.last().copied();
        let believed =
            self.strays.len() < STRAYS_MAX || last.is_some_and(|last| self.number < last);
        let opens = believed
            && body.starts_with('"')
            && marks % 2 == 1
            && !self.strays.contains(&self.number);
        self.quote = opens.then_some(Quote {
            line: self.number,
            lines: 0,
            marks,
        });
    }

    /// Looks for the end of a quote in a line that goes on.
    fn go_on(&mut self, line: &str) {
        let Some(quote) = &mut self.quote else {
            return;
        };
        quote.marks += line.matches('"').count();
        quote.lines += 1;
        let closed = line.ends_with('"') && quote.marks % 2 == 0;
        let stray = !self.settled && quote.lines > QUOTED_LINES_MAX;
        if stray {
            self.strays.insert(quote.line);
        }
        if closed || stray {
            self.quote = None;
        }
    }
}

impl Script for LineScript {
    fn name(&self) -> &'static str {
        "line"
    }

    fn app(&self) -> App {
        App::Line
    }

    fn legacy(&self) -> Option<&'static Encoding> {
        Some(SHIFT_JIS)
    }

    fn title(&self) -> Option<String> {
        self.title.clone()
    }

    fn kind(&self) -> Option<ConversationKind> {
        self.kind
    }

    fn assumed(&self) -> Vec<String> {
        let reason = "names end at a blank in this file; those with blanks are told only where all \
                      their lines begin alike";
        self.blanks.then(|| reason.to_owned()).into_iter().collect()
    }

    fn settle(&mut self, entry: &Entry, answers: &Answers) -> Vec<Question> {
        self.settled = true;
        self.days = Days::default();
        self.strays
            .extend(self.quote.take().map(|quote| quote.line));
        self.number = 0;
        let asked = self.run.settle(&entry.display_name, answers);
        asked.into_iter().collect()
    }

    fn line(&mut self, line: &str) -> LineIs {
        let fresh = std::mem::replace(&mut self.days.fresh, line.is_empty());
        let quoted = self.quote.is_some();
        self.number += 1;
        if !quoted && self.heading(line) {
            self.days.fresh = true;
            return LineIs::Between;
        }
        let heads_a_day = !quoted && (fresh || self.days.today.is_none() || !self.days.tabs);
        match heading_of(line).filter(|_| heads_a_day) {
            Some(Some(_)) if self.run.is_quoted(self.number) => {
                return LineIs::Resembles(QUOTED_DAY);
            }
            Some(Some(day)) => {
                if !self.settled {
                    self.run.meet(self.number, day);
                }
                self.days.today = Some(day);
                return LineIs::Between;
            }
            Some(None) => return LineIs::Resembles(NO_SUCH_DAY),
            None => {}
        }
        if let Some(opening) = self.opening(line) {
            let body = line.get(opening.body..).unwrap_or_default();
            if !self.is_quoted(body) {
                self.open_quote(body);
                return LineIs::Opens(opening);
            }
            self.go_on(line);
            return LineIs::Resembles(QUOTED_HEAD);
        }
        self.go_on(line);
        LineIs::GoesOn
    }

    fn words<'b>(&self, opening: &Opening, body: &'b str, _files: &Files) -> Words<'b> {
        let mut words = Words::plain(body, opening.sender.as_deref());
        if body.contains('\n') || body.contains('\r') {
            words.body = unquoted(body);
            return words;
        }
        if body.starts_with('☎') {
            return words.told(Kind::Call, Presence::default());
        }
        let said = body.trim_end_matches(['.', '。']);
        if UNSENT.iter().any(|end| said.ends_with(end)) && opening.sender.is_none() {
            return words.told(Kind::Deleted, Presence::DELETED);
        }
        if opening.sender.is_none() {
            let membership = MEMBERSHIP.iter().any(|end| said.ends_with(end));
            return match membership {
                true => words.told(Kind::SystemMembership, Presence::default()),
                false => words,
            };
        }
        match MEDIA.iter().find(|(mark, _)| *mark == body) {
            Some((_, Presence::CONTACT)) => words.told(Kind::Contact, Presence::CONTACT),
            Some((_, Presence::LOCATION)) => words.told(Kind::Location, Presence::LOCATION),
            Some((_, what)) => words
                .told(Kind::Media, *what)
                .carrying("", &Files::default()),
            None => words,
        }
    }
}

/// Words of several lines without the quotes around them. Quotes within are doubled by some
/// versions: they are halved where every one of them is.
fn unquoted(body: &str) -> Cow<'_, str> {
    let inner = body
        .strip_prefix('"')
        .and_then(|body| body.strip_suffix('"'));
    let Some(inner) = inner else {
        return Cow::Borrowed(body);
    };
    let alone = inner.replace("\"\"", "");
    match inner.contains('"') && !alone.contains('"') {
        true => Cow::Owned(inner.replace("\"\"", "\"")),
        false => Cow::Borrowed(inner),
    }
}

/// The day a line names and nothing else, as days since 1970-01-01: `2025/04/18(金)`,
/// `2024.01.02 Tuesday`, `Tue, 01/02/2024`, `2024/1/2週二`. The day of the week must be that of the
/// date, else it is no day; it also tells day from month where the year stands last.
fn heading_of(line: &str) -> Option<Option<i64>> {
    if line.is_empty() || line.len() > DAY_BYTES_MAX || line.contains('\t') {
        return None;
    }
    let from = line.find(|letter: char| letter.is_ascii_digit())?;
    let digits = |letter: char| letter.is_ascii_digit() || matches!(letter, '/' | '.' | '-');
    let to = line[from..]
        .find(|letter| !digits(letter))
        .map_or(line.len(), |at| from + at);
    let around = format!("{}{}", &line[..from], &line[to..]);
    let weekday = weekday_of(&around)?;
    let date = line[from..to].trim_end_matches('.');
    let mut parts = date.split(['/', '.', '-']).map(str::parse::<u16>);
    let (first, second, third) = (
        parts.next()?.ok()?,
        parts.next()?.ok()?,
        parts.next()?.ok()?,
    );
    if parts.next().is_some() {
        return None;
    }
    let readings = match first > 31 {
        true => vec![(first, second, third)],
        // Month first is what LINE prints; the day of the week may say otherwise.
        false => vec![(third, first, second), (third, second, first)],
    };
    let day = |(year, month, day): (u16, u16, u16)| {
        let year = match i32::from(year) {
            buddhist if buddhist >= BUDDHIST_FROM => buddhist - 543,
            year => year,
        };
        civil_days(year, month, day).filter(|_| year >= 2_000)
    };
    // 1970-01-01 was a Thursday.
    let fits = |days: &i64| (days + 4).rem_euclid(7) == weekday;
    Some(readings.into_iter().filter_map(day).find(fits))
}

/// The day of the week some letters name, Sunday being 0.
fn weekday_of(letters: &str) -> Option<i64> {
    let word: String = letters
        .chars()
        .filter(|letter| !letter.is_whitespace() && !"(),.:（）".contains(*letter))
        .flat_map(char::to_lowercase)
        .collect();
    if word.is_empty() || word.chars().count() > WEEKDAY_LETTERS_MAX {
        return None;
    }
    let counted = ["週", "周", "星期", "禮拜", "礼拜"]
        .iter()
        .find_map(|week| word.strip_prefix(week));
    if let Some(number) = counted {
        let place = WEEKDAYS_COUNTED.iter().position(|name| *name == number)?;
        return i64::try_from(place).ok();
    }
    let bare = word.strip_suffix("曜日").unwrap_or(&word);
    let bare = bare.strip_prefix("วัน").unwrap_or(bare);
    let place = WEEKDAYS.iter().position(|names| names.contains(&bare))?;
    i64::try_from(place).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_days_are_read_in_every_style() {
        let day = civil_days(2024, 1, 2);
        for line in [
            "2024/01/02(火)",
            "2024.01.02 Tuesday",
            "Tue, 01/02/2024",
            "2024/1/2週二",
            "2024/01/02（星期二）",
            "อ. 02/01/2567",
        ] {
            assert_eq!(heading_of(line), Some(day), "{line}");
        }
        for line in ["2024/01/02", "see 2024/01/02 for more words", ""] {
            assert_eq!(heading_of(line), None, "{line}");
        }
        assert_eq!(heading_of("2024/01/02(水)"), Some(None));
    }

    #[test]
    fn quotes_around_several_lines_go_and_those_within_stay() {
        assert_eq!(unquoted("\"a\nb\""), "a\nb");
        assert_eq!(unquoted("\"say \"\"hi\"\"\nb\""), "say \"hi\"\nb");
        assert_eq!(unquoted("\"say \"hi\"\nb\""), "say \"hi\"\nb");
        assert_eq!(unquoted("\"a\nb"), "\"a\nb");
    }
}
