//! Letters: what is sent, on paper or by a mail program of the sender's choice. This house sends none.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use chrono::DateTime;

use super::super::super::{AppError, Appliance, Result, Session};
use super::builtin::way_in;
use super::template::merge;
use crate::audit::{Action, Appended};
use crate::auth::{AuthError, make_notice_link, open_notice_link};
use crate::domain::{NoticeActKind, NoticeId, NoticeKind, NoticeLanguage, Now, Right, Timestamp};
use crate::store::{NoticeRow, Rows, WriteTx};

/// Characters of base64 in one line (RFC 2045, section 6.8).
const LINE_CHARS: usize = 76;
/// Bytes of text in one encoded word, so that the word stays below 75 characters (RFC 2047, section 2).
const WORD_BYTES: usize = 42;

/// What a letter is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterFor {
    /// The notice itself, or that the hold is released.
    Notice,
    /// A reminder.
    Reminder,
    /// To the manager.
    Escalation,
}

impl LetterFor {
    /// The name in requests.
    pub const fn name(self) -> &'static str {
        match self {
            LetterFor::Notice => "notice",
            LetterFor::Reminder => "reminder",
            LetterFor::Escalation => "escalation",
        }
    }

    /// What a name stands for.
    pub fn from_name(name: &str) -> Option<LetterFor> {
        [
            LetterFor::Notice,
            LetterFor::Reminder,
            LetterFor::Escalation,
        ]
        .into_iter()
        .find(|what| what.name() == name)
    }
}

/// A letter, ready to be printed or sent.
#[derive(Clone)]
pub struct Letter {
    /// The notice it is about.
    pub notice: NoticeId,
    /// What it is for.
    pub what: LetterFor,
    /// In which language it is written.
    pub language: NoticeLanguage,
    /// To whom.
    pub to: String,
    /// Their address; may be empty.
    pub address: String,
    /// Subject.
    pub subject: String,
    /// What it says, without the link.
    pub body: String,
    /// The token of the link; it is shown this once. Empty where there is no link.
    pub token: String,
    /// Until when the link opens the notice.
    pub until: Option<Timestamp>,
    /// When it was written, by the wall clock.
    pub written: Timestamp,
}

impl std::fmt::Debug for Letter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Letter({} for {})", self.what.name(), self.notice)
    }
}

impl Letter {
    /// The address that opens the notice, at a server that browsers name `origin`; `None` where there is
    /// no link. What stands behind the hash is sent to no server and stands in no log.
    pub fn link(&self, origin: &str) -> Option<String> {
        (!self.token.is_empty()).then(|| format!("{origin}/notice#{}", self.token))
    }

    /// All of it as text, with the link at its end.
    pub fn text(&self, origin: &str) -> String {
        match (self.link(origin), self.until) {
            (Some(link), Some(until)) => {
                let way = merge(way_in(self.language), &[("date", &day(until))]);
                format!("{}\n\n{way}\n{link}\n", self.body)
            }
            _ => format!("{}\n", self.body),
        }
    }

    /// A message for a mail program (RFC 5322, MIME): it opens as a draft, and has no sender.
    pub fn eml(&self, origin: &str) -> Vec<u8> {
        let at = DateTime::from_timestamp_micros(self.written.0).unwrap_or_default();
        let mut out = String::new();
        if !self.address.is_empty() {
            out.push_str(&format!("To: {} <{}>\r\n", encoded(&self.to), self.address));
        }
        out.push_str(&format!("Subject: {}\r\n", encoded(&self.subject)));
        out.push_str(&format!(
            "Date: {}\r\n",
            at.format("%a, %d %b %Y %H:%M:%S +0000")
        ));
        out.push_str("X-Unsent: 1\r\nMIME-Version: 1.0\r\n");
        out.push_str(&format!("Content-Language: {}\r\n", self.language.tag()));
        out.push_str("Content-Type: text/plain; charset=utf-8\r\n");
        out.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
        let text = self
            .text(origin)
            .replace("\r\n", "\n")
            .replace('\n', "\r\n");
        let body = BASE64_STANDARD.encode(text);
        for line in body.as_bytes().chunks(LINE_CHARS) {
            out.push_str(&String::from_utf8_lossy(line));
            out.push_str("\r\n");
        }
        out.into_bytes()
    }
}

/// Text of a header as encoded words (RFC 2047).
fn encoded(text: &str) -> String {
    let mut words = Vec::new();
    let mut piece = String::new();
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        if piece.len() + letter.len_utf8() > WORD_BYTES {
            words.push(std::mem::take(&mut piece));
        }
        piece.push(letter);
    }
    words.push(piece);
    let words: Vec<String> = words
        .iter()
        .map(|word| format!("=?utf-8?B?{}?=", BASE64_STANDARD.encode(word)))
        .collect();
    words.join("\r\n ")
}

/// A day as every language writes it here (ISO 8601).
fn day(at: Timestamp) -> String {
    let at = DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    at.format("%Y-%m-%d").to_string()
}

impl Appliance {
    /// Writes the letter of a notice, with a new link in the place of an elder one.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the notice was called back.
    pub fn make_letter(&self, session: &Session, id: NoticeId) -> Result<(Letter, Appended)> {
        self.require(session, Right::PlaceHolds, Action::NoticeLetter)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let notice = self.shown_notice(tx, session, id)?;
            let acts = tx.notice_acts(notice.no)?;
            if acts.iter().any(|act| act.kind == NoticeActKind::Withdrawn) {
                return Err(AppError::Conflict(format!("{id} was called back")));
            }
            let letter = self.write_letter(tx, &notice, LetterFor::Notice, now)?;
            self.act(
                tx,
                notice.no,
                NoticeActKind::Letter,
                Some(session),
                None,
                now,
            )?;
            let draft = self.draft(session, Action::NoticeLetter).object(id);
            let entry = self.log(tx, now, draft, None)?;
            Ok((letter, entry))
        })
    }

    /// The same letter once more, for whoever still has its token in hand: as a file, say.
    ///
    /// # Errors
    /// [`AuthError::Link`] when the link is not the one of this notice any more.
    pub fn letter_again(
        &self,
        session: &Session,
        id: NoticeId,
        what: LetterFor,
        token: &str,
    ) -> Result<Letter> {
        self.require(session, Right::PlaceHolds, Action::NoticeLetter)?;
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let notice = self.shown_notice(&rows, session, id)?;
        let mut letter = self.letter_of(&rows, &notice, what, now)?;
        if has_link(&notice, what) {
            if open_notice_link(&rows, token, now)? != notice.no {
                return Err(AuthError::Link.into());
            }
            token.trim().clone_into(&mut letter.token);
            letter.until = rows.notice_link_ends(notice.no)?.map(|ends| ends.wall);
        }
        Ok(letter)
    }

    /// A letter with a new link, where it has one.
    pub(super) fn write_letter(
        &self,
        tx: &WriteTx<'_>,
        notice: &NoticeRow,
        what: LetterFor,
        now: Now,
    ) -> Result<Letter> {
        let mut letter = self.letter_of(tx, notice, what, now)?;
        if has_link(notice, what) {
            let (token, ends) = make_notice_link(tx, notice.no, now, &*self.entropy)?;
            letter.token = token.to_string();
            letter.until = Some(ends.wall);
        }
        Ok(letter)
    }

    fn letter_of(
        &self,
        rows: &Rows,
        notice: &NoticeRow,
        what: LetterFor,
        now: Now,
    ) -> Result<Letter> {
        let unknown = || AppError::NotFound(notice.id.to_string());
        let custodian = rows.custodian(notice.custodian)?.ok_or_else(unknown)?;
        let hold = rows.hold(custodian.hold)?.ok_or_else(unknown)?;
        let [name, address, _, manager, manager_address] = self.words(rows, custodian.text_no)?;
        let text = self.sent_text(rows, notice.text)?;
        let (to, address) = match what {
            LetterFor::Escalation if manager.is_empty() => {
                return Err(AppError::Usage(
                    "no manager is named with this custodian: name one first".to_owned(),
                ));
            }
            LetterFor::Escalation => (manager, manager_address),
            LetterFor::Notice | LetterFor::Reminder => (name.clone(), address),
        };
        let (matter, hold) = self.names_of_hold(rows, &hold)?;
        let kind = match what {
            LetterFor::Notice => None,
            LetterFor::Reminder => Some(NoticeKind::Reminder),
            LetterFor::Escalation => Some(NoticeKind::Escalation),
        };
        let (subject, body) = match kind {
            None => (text.subject.clone(), text.body.clone()),
            Some(kind) => {
                let template = self.notice_template(rows, kind, text.language)?;
                let date = day(notice.issued);
                let (subject, cover) = template.merged(&[
                    ("matter", &matter),
                    ("hold", &hold),
                    ("contact", &text.contact),
                    ("custodian", &name),
                    ("date", &date),
                ]);
                (
                    subject,
                    format!("{cover}\n\n――――――\n\n{}\n\n{}", text.subject, text.body),
                )
            }
        };
        Ok(Letter {
            notice: notice.id,
            what,
            language: text.language,
            to,
            address,
            subject,
            body,
            token: String::new(),
            until: None,
            written: now.wall,
        })
    }
}

/// Whether a letter carries a link: who manages somebody does not answer for them.
fn has_link(notice: &NoticeRow, what: LetterFor) -> bool {
    notice.kind == NoticeKind::Hold && what != LetterFor::Escalation
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter() -> Letter {
        Letter {
            notice: NoticeId(1),
            what: LetterFor::Notice,
            language: NoticeLanguage::Arabic,
            to: "Mar\u{ed}a\r\nBcc: eve@example.com".to_owned(),
            address: "maria@example.com".to_owned(),
            subject: "يرجى الاحتفاظ بسجلاتك: دعوى طويلة الاسم جدا جدا".to_owned(),
            body: "first\n.\nlast".to_owned(),
            token: "ab12".to_owned(),
            until: Some(Timestamp(0)),
            written: Timestamp(0),
        }
    }

    #[test]
    fn h11_a_mail_has_short_plain_lines_and_no_header_of_a_strangers_making() {
        let eml = String::from_utf8(letter().eml("https://keep.example")).unwrap();
        let (head, body) = eml.split_once("\r\n\r\n").unwrap();
        assert!(eml.lines().all(|line| line.is_ascii() && line.len() <= 998));
        let names: Vec<&str> = head
            .split("\r\n")
            .filter(|line| !line.starts_with(' '))
            .map(|line| line.split(':').next().unwrap())
            .collect();
        assert_eq!(
            names,
            [
                "To",
                "Subject",
                "Date",
                "X-Unsent",
                "MIME-Version",
                "Content-Language",
                "Content-Type",
                "Content-Transfer-Encoding"
            ]
        );
        assert!(
            head.contains("Date: Thu, 01 Jan 1970 00:00:00 +0000"),
            "{head}"
        );
        for word in head.split("=?utf-8?B?").skip(1) {
            assert!(word.split("?=").next().unwrap().len() <= 60);
        }
        let text = BASE64_STANDARD.decode(body.replace("\r\n", "")).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.starts_with("first\r\n.\r\nlast\r\n"), "{text}");
        assert!(text.contains("https://keep.example/notice#ab12"), "{text}");
    }

    #[test]
    fn h11_a_letter_without_a_link_says_no_more_than_its_body() {
        let mut plain = letter();
        plain.token.clear();
        assert_eq!(plain.text("https://keep.example"), "first\n.\nlast\n");
        assert!(!format!("{:?}", letter()).contains("ab12"));
    }
}
