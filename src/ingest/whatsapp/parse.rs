//! The second pass: lines become messages.

use std::borrow::Cow;
use std::io::Read;

use crate::domain::{App, ConversationKind, Kind, Note, NoteKind, Precision, Presence};
use crate::ingest::answers::{
    Answers, Outcome, Question, QuestionKind, Refusal, Summary, ZoneAnswer,
};
use crate::ingest::container::{Container, Entry};
use crate::ingest::error::Result;
use crate::ingest::format::{Claim, Format};
use crate::ingest::lines::{Encoding, LINE_PIECE_BYTES, Line, Lines};
use crate::ingest::message::{Frame, ParsedAttachment, ParsedMessage, Sink};
use crate::ingest::printed::{Header, HeaderReader, Printed};
use crate::ingest::zone::LocalClock;

use super::author::{Split, label, phone};
use super::body::{Media, media_days, presence_of_name, read};
use super::learn::{Learned, Learning, Outside, learn};
use super::system;

/// A note quotes at most this many bytes.
const QUOTED_BYTES_MAX: usize = 64 * 1024;

/// The reader of WhatsApp's text export.
#[derive(Clone, Copy, Debug)]
pub struct WhatsApp;

impl Format for WhatsApp {
    fn name(&self) -> &'static str {
        "whatsapp"
    }

    fn refers(&self, _answers: &Answers) -> bool {
        false
    }

    fn has_keys(&self) -> bool {
        false
    }

    /// By its heads. Another tool heads its lines `[2019-12-24, 12:23]`: a phone prints seconds in
    /// brackets, so what has only such heads is hardly its own, nor is a file of marked-up text.
    fn claim(&self, entry: &Entry, head: &[u8]) -> Claim {
        let mut reader = HeaderReader::default();
        let Ok(mut lines) = Lines::new(head) else {
            return Claim::No;
        };
        if entry.file_name().to_ascii_lowercase().ends_with(".md") {
            return Claim::No;
        }
        let (mut strong, mut weak, mut place) = (0, 0, 0);
        let mut own = false;
        let mut first = false;
        while let Ok(Some(line)) = lines.next() {
            if let Some(header) = reader.read(line.content()) {
                let is_weak = header.shape.enclosure.is_weak();
                first |= !is_weak && place == 0;
                strong += u32::from(!is_weak);
                own |= !is_weak && !header.shape.is_dated_log();
                weak += u32::from(is_weak && is_credible(&header, &line));
            }
            place += 1;
        }
        match strong {
            0 if weak == 0 => Claim::No,
            1.. if own && (first || strong > 1) => Claim::Yes(strong),
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
        let entry = container.entries()[main as usize].clone();
        let outside = Outside {
            entry: &entry.display_name,
            written: entry.modified,
            answers,
        };
        let mut questions = Vec::new();
        let learned = match container.read(main, |bytes| learn(bytes, outside))? {
            Learning::Ready(learned) => Some(learned),
            Learning::Ask(asked) => {
                questions = asked;
                None
            }
            Learning::Refused(reason) => {
                return Ok(Outcome::Refused(Refusal {
                    reason,
                    places: Vec::new(),
                    total: 0,
                }));
            }
        };
        let zone = answers
            .zone
            .as_ref()
            .and_then(|zone| LocalClock::new(&zone.name).map(|clock| (zone.clone(), clock)));
        if zone.is_none() {
            questions.push(zone_question(&entry, answers.zone.as_ref()));
        }
        let (Some(learned), Some((zone, clock))) = (learned, zone) else {
            return Ok(Outcome::Ask(questions));
        };
        let media = media_of(container, main);
        let title = title(container, &entry, answers);
        let mut writer = Writer::new(*learned, zone, clock, &entry, title, media, sink);
        container.read(main, |bytes| writer.run(bytes))?;
        writer.unreferenced(container.entries())?;
        Ok(Outcome::Done(Box::new(writer.summary)))
    }
}

fn zone_question(entry: &Entry, wrong: Option<&ZoneAnswer>) -> Question {
    let reason = match wrong {
        Some(zone) => format!(
            "there is no zone named {}; give an IANA name such as Europe/Lisbon",
            zone.name
        ),
        None => "the file carries no zone; in which zone did the exporting phone stand?".to_owned(),
    };
    Question {
        kind: QuestionKind::Zone,
        entry: entry.display_name.clone(),
        reason,
        readings: Vec::new(),
        preselect: None,
    }
}

/// The files that came along with a chat: its neighbours in the same archive, or all files handed
/// in together.
fn media_of(container: &Container<'_>, main: u32) -> Media {
    let entries = container.entries();
    let parent = entries[main as usize].parent;
    let beside = entries
        .iter()
        .filter(|entry| entry.ordinal != main && entry.parent == parent && entry.refused.is_none());
    beside
        .map(|entry| (entry.file_name().to_owned(), entry.ordinal))
        .collect()
}

/// The name of the conversation, from the name the app gives its files.
fn title(container: &Container<'_>, entry: &Entry, answers: &Answers) -> String {
    if let Some(title) = &answers.conversation_title {
        return title.clone();
    }
    let named = match entry.parent {
        Some(parent) if entry.file_name() == "_chat.txt" => &container.entries()[parent as usize],
        _ => entry,
    };
    let name = named.file_name();
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let between = |before: &str, after: &str| {
        let inner = stem.strip_prefix(before)?.strip_suffix(after)?;
        (!inner.trim().is_empty()).then(|| inner.trim().to_owned())
    };
    [
        ("WhatsApp Chat with ", ""),
        ("WhatsApp Chat - ", ""),
        ("WhatsApp Chat mit ", ""),
        ("Chat de WhatsApp con ", ""),
        ("Conversa do WhatsApp com ", ""),
        ("Discussion WhatsApp avec ", ""),
        ("Chat WhatsApp con ", ""),
        ("与", "的 WhatsApp 聊天"),
        ("與", "的 WhatsApp 對話"),
    ]
    .into_iter()
    .find_map(|(before, after)| between(before, after))
    .unwrap_or_else(|| stem.to_owned())
}

/// A message whose lines are still coming.
#[derive(Debug)]
struct Open {
    printed_seconds: i64,
    seconds: bool,
    rest: usize,
    start: u64,
    line: u64,
    /// The author of the pieces before, when a message was too long for one piece.
    carried: Option<String>,
}

/// Turns lines into messages and hands them out.
struct Writer<'s> {
    learned: Learned,
    passed: Vec<u32>,
    zone: ZoneAnswer,
    clock: LocalClock,
    entry: u32,
    entry_name: String,
    title: String,
    conversation_kind: ConversationKind,
    media: Media,
    named: std::collections::BTreeSet<u32>,
    raw: Vec<u8>,
    text: Vec<u8>,
    encoding: Encoding,
    end_len: usize,
    open: Option<Open>,
    summary: Summary,
    sink: &'s mut dyn Sink,
}

impl<'s> Writer<'s> {
    fn new(
        learned: Learned,
        zone: ZoneAnswer,
        clock: LocalClock,
        entry: &Entry,
        title: String,
        media: Media,
        sink: &'s mut dyn Sink,
    ) -> Self {
        let conversation_kind = match learned.authors.len() {
            0 | 1 => ConversationKind::Unknown,
            2 => ConversationKind::Direct,
            _ => ConversationKind::Group,
        };
        let summary = Summary {
            format: "whatsapp",
            orders: learned.decisions.clone(),
            zone: Some(zone.clone()),
            ..Summary::default()
        };
        Self {
            passed: vec![0; learned.trusted.len()],
            learned,
            zone,
            clock,
            entry: entry.ordinal,
            entry_name: entry.display_name.clone(),
            title,
            conversation_kind,
            media,
            named: std::collections::BTreeSet::new(),
            raw: Vec::new(),
            text: Vec::new(),
            encoding: Encoding::Utf8,
            end_len: 0,
            open: None,
            summary,
            sink,
        }
    }

    fn run(&mut self, bytes: &mut dyn Read) -> Result<()> {
        let mut lines = Lines::new(bytes)?;
        let mut reader = HeaderReader::default();
        self.encoding = lines.encoding();
        if !lines.mark().is_empty() {
            let mark = lines.mark().to_vec();
            self.frame(&mark, 0)?;
        }
        if self.learned.buddhist {
            self.note(
                NoteKind::Assumption,
                (0, 0),
                0,
                "years are counted from the Buddha; 543 was taken off each",
            )?;
        }
        while let Some(line) = lines.next()? {
            self.summary.lines += u64::from(!line.continues);
            self.line(&mut reader, &line)?;
        }
        self.finish()
    }

    fn line(&mut self, reader: &mut HeaderReader, line: &Line<'_>) -> Result<()> {
        let header = match line.continues {
            true => None,
            false => reader.read(line.content()),
        };
        if let Some(header) = header {
            if let Some(seconds) = self.opens(&header, line) {
                self.finish()?;
                self.open = Some(Open {
                    printed_seconds: seconds,
                    seconds: header.shape.seconds,
                    rest: header.rest,
                    start: line.offset,
                    line: self.summary.lines,
                    carried: None,
                });
            } else if self.open.is_some() && is_credible(&header, line) {
                let span = (line.offset, line.offset + line.raw.len() as u64);
                let reason = "the line looks like a header but does not fit the file's own; it stays in the message before";
                self.note(NoteKind::HeaderLikeLine, span, self.summary.lines, reason)?;
            }
        }
        if self.open.is_none() {
            return self.before_first(line);
        }
        if self.raw.len() + line.raw.len() > LINE_PIECE_BYTES && !self.raw.is_empty() {
            self.cut_piece()?;
        }
        self.raw.extend_from_slice(line.raw);
        if self.encoding != Encoding::Utf8 {
            self.text.extend_from_slice(line.text);
        }
        self.end_len = line.end_len;
        Ok(())
    }

    /// The local time of a header that opens a message, or `None`.
    fn opens(&mut self, header: &Header, line: &Line<'_>) -> Option<i64> {
        let style = self
            .learned
            .trusted
            .iter()
            .position(|trusted| trusted.shape == header.shape)?;
        let trusted = &self.learned.trusted[style];
        let place = self.passed[style];
        self.passed[style] += 1;
        if !trusted.outliers.is_empty() && trusted.outliers.binary_search(&place).is_ok() {
            return None;
        }
        if trusted.shape.enclosure.is_weak() && !self.weak_author_is_known(header, line) {
            return None;
        }
        let printed = Printed::new(header.parts, header.second_of_day);
        printed.local_seconds(trusted.order, self.learned.years)
    }

    /// A header with nothing around its date is believed only before a name met elsewhere or a
    /// number.
    fn weak_author_is_known(&self, header: &Header, line: &Line<'_>) -> bool {
        let rest = &line.content()[header.rest..];
        self.learned.authors.split(rest).is_some_and(|split| {
            let name = &rest[..split.author];
            let number =
                || std::str::from_utf8(name).is_ok_and(|name| phone(label(name)).is_some());
            self.learned.authors.met(name, 2) || number()
        })
    }

    /// Lines before the first header: blank ones are frame, others are rejected.
    fn before_first(&mut self, line: &Line<'_>) -> Result<()> {
        self.frame(line.raw, line.offset)?;
        if line.content().iter().all(u8::is_ascii_whitespace) {
            return Ok(());
        }
        self.summary.rejected += 1;
        self.summary.notes += 1;
        let quoted = &line.text[..line.text.len().min(QUOTED_BYTES_MAX)];
        self.sink.note(Note {
            kind: NoteKind::Rejected,
            entry: self.entry_name.clone(),
            start: line.offset,
            end: line.offset + line.raw.len() as u64,
            line: self.summary.lines,
            raw: String::from_utf8_lossy(quoted).into_owned(),
            reason: "the line stands before the first message and belongs to none".to_owned(),
        })?;
        Ok(())
    }

    /// Hands out what is open as one piece of a message that is too long, and goes on.
    fn cut_piece(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let next = open.start + self.raw.len() as u64;
        let author = self.author_of(&open);
        let reason = "the message is longer than 16 MiB and was cut into pieces";
        self.note(NoteKind::Limit, (open.start, next), open.line, reason)?;
        let following = Open {
            rest: 0,
            start: next,
            carried: Some(author.unwrap_or_default()),
            ..open
        };
        self.end_len = 0;
        self.open = Some(open);
        self.finish()?;
        self.open = Some(following);
        Ok(())
    }

    fn author_of(&self, open: &Open) -> Option<String> {
        if let Some(carried) = &open.carried {
            return Some(carried.clone());
        }
        let letters = match self.encoding {
            Encoding::Utf8 => &self.raw,
            _ => &self.text,
        };
        let rest = &letters[open.rest.min(letters.len())..];
        let split = self.learned.authors.split(rest)?;
        Some(label(&String::from_utf8_lossy(&rest[..split.author])).to_owned())
    }

    /// Hands out the open message.
    fn finish(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let raw = std::mem::take(&mut self.raw);
        let text = std::mem::take(&mut self.text);
        let letters = match self.encoding {
            Encoding::Utf8 => &raw,
            _ => &text,
        };
        let rest = &letters[open.rest..letters.len() - self.end_len];
        let handed = self.hand_out(&open, &raw, rest);
        // The buffers are kept, so that ordinary messages allocate nothing.
        (self.raw, self.text) = (raw, text);
        self.raw.clear();
        self.text.clear();
        handed
    }

    fn hand_out(&mut self, open: &Open, raw: &[u8], rest: &[u8]) -> Result<()> {
        let span = (open.start, open.start + raw.len() as u64);
        let split = match &open.carried {
            Some(_) => None,
            None => self.learned.authors.split(rest),
        };
        let Split { author, body } = split.unwrap_or(Split { author: 0, body: 0 });
        let author = String::from_utf8_lossy(&rest[..author]);
        let body = String::from_utf8_lossy(&rest[body..]);
        if matches!(body, Cow::Owned(_)) || matches!(author, Cow::Owned(_)) {
            let reason = "some bytes are no UTF-8; they show as U+FFFD, the bytes are kept";
            self.note(NoteKind::Encoding, span, open.line, reason)?;
        }
        let sender = match &open.carried {
            Some(carried) => Some(carried.as_str()).filter(|name| !name.is_empty()),
            None => split.map(|_| label(&author)),
        };
        let (kind, presence, attachment) = self.tags(&body, sender.is_some());
        if let Some(file) = &attachment {
            self.note_file(file, span, open.line)?;
        }
        let local = open.printed_seconds.saturating_mul(1_000_000);
        let (sent, doubtful) = self.clock.instant(local);
        let precision = match open.seconds {
            true => Precision::Second,
            false => Precision::Minute,
        };
        self.sink.message(&ParsedMessage {
            conversation_key: &self.title,
            conversation_title: &self.title,
            conversation_kind: self.conversation_kind,
            app: App::WhatsApp,
            sender_label: sender,
            sender_handle: sender.and_then(phone).as_deref(),
            body: &body,
            kind,
            sent: Some(sent),
            local: Some(local),
            precision,
            zone_source: self.zone.source,
            order: self.summary.messages,
            attachments: attachment.as_slice(),
            presence: presence.with(LocalClock::doubts(self.zone.source, doubtful)),
            raw,
            span,
            entry: self.entry,
            ..ParsedMessage::BARE
        })?;
        self.summary.messages += 1;
        self.summary.saw(Some(sent));
        Ok(())
    }

    /// Remembers a file that was named, and notes one that did not come along with its neighbours.
    fn note_file(
        &mut self,
        file: &ParsedAttachment<'_>,
        span: (u64, u64),
        line: u64,
    ) -> Result<()> {
        self.named.extend(file.entry);
        if file.entry.is_some() || file.name.is_empty() || self.media.is_empty() {
            return Ok(());
        }
        let reason = format!("the file {} did not come along", file.name);
        self.note(NoteKind::MissingMedia, span, line, &reason)
    }

    /// Kind, facts and file of a body. A mark of direction at its start says that the platform
    /// wrote it.
    fn tags<'b>(
        &self,
        body: &'b str,
        has_author: bool,
    ) -> (Kind, Presence, Option<ParsedAttachment<'b>>) {
        if !has_author {
            return (system::kind_of(body), Presence::SYSTEM, None);
        }
        let reading = read(body, &self.media);
        let generated = body.starts_with('\u{200E}') && reading.kind == Kind::Text;
        if generated && reading.presence == Presence::default() {
            return (system::kind_of(body), Presence::SYSTEM, None);
        }
        (reading.kind, reading.presence, reading.attachment)
    }

    /// Media that came along and no message names.
    fn unreferenced(&mut self, entries: &[Entry]) -> Result<()> {
        let media = std::mem::take(&mut self.media);
        for (name, ordinal) in &media {
            let is_media =
                media_days(name).is_some() || presence_of_name(name) != Presence::default();
            if self.named.contains(ordinal) || !is_media {
                continue;
            }
            self.summary.notes += 1;
            self.sink.note(Note {
                kind: NoteKind::UnreferencedMedia,
                entry: entries[*ordinal as usize].display_name.clone(),
                start: 0,
                end: entries[*ordinal as usize].size,
                line: 0,
                raw: String::new(),
                reason: "no message of the chat names this file; it is kept as an attachment of the conversation".to_owned(),
            })?;
        }
        Ok(())
    }

    fn frame(&mut self, raw: &[u8], offset: u64) -> Result<()> {
        self.sink.frame(Frame {
            entry: self.entry,
            span: (offset, offset + raw.len() as u64),
            raw,
        })?;
        Ok(())
    }

    fn note(&mut self, kind: NoteKind, span: (u64, u64), line: u64, reason: &str) -> Result<()> {
        self.summary.notes += 1;
        self.sink.note(Note {
            kind,
            entry: self.entry_name.clone(),
            start: span.0,
            end: span.1,
            line,
            raw: String::new(),
            reason: reason.to_owned(),
        })?;
        Ok(())
    }
}

/// Whether a rejected header is worth a note: a weak one needs an author behind it.
fn is_credible(header: &Header, line: &Line<'_>) -> bool {
    !header.shape.enclosure.is_weak()
        || memchr::memmem::find(&line.content()[header.rest..], b": ").is_some()
}
