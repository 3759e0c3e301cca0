//! Text transcripts: lines that open a message, lines that go on with it, lines between. A format
//! says what a line is; here is what every format of lines needs beside that.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use encoding_rs::Encoding as Legacy;

use crate::domain::{App, ConversationKind, Kind, NoteKind, Precision, Presence, Timestamp};

use super::answers::{
    Answers, OrderDecision, Outcome, Question, QuestionKind, Refusal, ZoneAnswer,
};
use super::beside::names_beside;
use super::container::{Container, Entry};
use super::detect::HEAD_BYTES;
use super::error::Result;
use super::lines::{Encoding, LINE_PIECE_BYTES, Line, Lines};
use super::message::{ParsedAttachment, ParsedMessage, ParsedPerson, ParsedReaction, Sink};
use super::printed::{outliers, trust_question};
use super::teller::Teller;
use super::zone::LocalClock;

/// Most different names one file is believed to have.
const SENDERS_MAX: usize = 65_536;

/// The word of transcripts for who exported them.
const ME: &str = "Me";

/// Names of the files that came along, to the ordinals of their entries.
pub type Files = BTreeMap<String, u32>;

/// The head of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The printed local time in microseconds as if it were UTC; `None` where none is printed.
    pub local: Option<i64>,
    /// How sharply it is printed.
    pub precision: Precision,
    /// Who wrote it; `None` for notices of the platform.
    pub sender: Option<String>,
    /// Whom alone it was written to, where the line says so.
    pub to: Option<String>,
    /// Offset in the line of its words.
    pub body: usize,
}

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineIs {
    /// It opens a message.
    Opens(Opening),
    /// It goes on with the message before.
    GoesOn,
    /// It goes on with the message before although it resembles something else: what is to be said.
    Resembles(&'static str),
    /// It stands between messages: a heading, the name of a day.
    Between,
}

/// What the words of a message tell.
#[derive(Clone, Debug)]
pub struct Words<'b> {
    /// The words, without what the format only puts around them.
    pub body: Cow<'b, str>,
    /// What sort of message.
    pub kind: Kind,
    /// Facts beside the words.
    pub presence: Presence,
    /// Files it carries or names.
    pub attachments: Vec<ParsedAttachment<'b>>,
    /// Reactions the words hold.
    pub reactions: Vec<ParsedReaction<'b>>,
}

impl<'b> Words<'b> {
    /// Words that are nothing but words; a notice where nobody wrote them.
    pub fn plain(body: &'b str, sender: Option<&str>) -> Self {
        let (kind, presence) = match sender {
            Some(_) => (Kind::Text, Presence::default()),
            None => (Kind::System, Presence::SYSTEM),
        };
        Self {
            body: Cow::Borrowed(body),
            kind,
            presence,
            attachments: Vec::new(),
            reactions: Vec::new(),
        }
    }

    /// The same as another kind, with facts more.
    #[must_use]
    pub fn told(mut self, kind: Kind, presence: Presence) -> Self {
        self.kind = kind;
        self.presence = self.presence.with(presence);
        self
    }

    /// The same with a file it carries or names; one without a name came without.
    #[must_use]
    pub fn carrying(mut self, name: &'b str, files: &Files) -> Self {
        self.presence = self.presence.with(Presence::ATTACHMENT);
        self.attachments.push(ParsedAttachment {
            name: Cow::Borrowed(name),
            entry: files.get(name).copied(),
        });
        self
    }
}

/// A format of lines. The same script sees the whole file twice: first to learn, then, after
/// [`Script::settle`], to tell.
pub trait Script {
    /// The name of the format.
    fn name(&self) -> &'static str;

    /// The platform.
    fn app(&self) -> App;

    /// What a line (without its end) is.
    fn line(&mut self, line: &str) -> LineIs;

    /// A further file of the same chat begins.
    fn turn(&mut self) {}

    /// Ends the first reading, and begins anew: what must be asked, beside the zone.
    fn settle(&mut self, entry: &Entry, answers: &Answers) -> Vec<Question>;

    /// What the words of a message tell.
    fn words<'b>(&self, opening: &Opening, body: &'b str, files: &Files) -> Words<'b>;

    /// The encoding of files that are not Unicode.
    fn legacy(&self) -> Option<&'static Legacy> {
        None
    }

    /// The name of the conversation, once learned.
    fn title(&self) -> Option<String> {
        None
    }

    /// The kind of the conversation, once learned; else the number of senders tells.
    fn kind(&self) -> Option<ConversationKind> {
        None
    }

    /// Whether every head carries its date, once learned, so that a quoted one can be told by the
    /// run of time.
    fn is_dated(&self) -> bool {
        false
    }

    /// How its dates were read, once learned.
    fn orders(&self) -> Vec<OrderDecision> {
        Vec::new()
    }

    /// What was assumed, once learned.
    fn assumed(&self) -> Vec<String> {
        Vec::new()
    }
}

/// How the letters of a file are written.
#[derive(Clone, Copy, Debug)]
struct Letters(Option<&'static Legacy>);

impl Letters {
    /// An encoding before Unicode is believed where most lines of the head that are more than
    /// ASCII are no UTF-8.
    fn of(head: &[u8], legacy: Option<&'static Legacy>) -> Letters {
        let Ok(mut lines) = Lines::new(head) else {
            return Letters(None);
        };
        if lines.encoding() != Encoding::Utf8 || !lines.mark().is_empty() {
            return Letters(None);
        }
        let (mut unicode, mut foreign) = (0, 0);
        while let Ok(Some(line)) = lines.next() {
            // The head may end inside of a letter.
            let checked = std::str::from_utf8(line.content());
            let cut = |error: std::str::Utf8Error| error.error_len().is_none();
            let is_utf8 = checked.is_ok() || checked.is_err_and(cut);
            unicode += u32::from(is_utf8 && !line.content().is_ascii());
            foreign += u32::from(!is_utf8);
        }
        Letters(legacy.filter(|_| foreign > unicode))
    }

    /// The text of some bytes, and whether some of them were none.
    fn decode<'l>(self, bytes: &'l [u8]) -> (Cow<'l, str>, bool) {
        match self.0 {
            Some(legacy) => legacy.decode_without_bom_handling(bytes),
            None => {
                let text = String::from_utf8_lossy(bytes);
                let faulty = matches!(text, Cow::Owned(_));
                (text, faulty)
            }
        }
    }
}

/// Runs a script over the head of an entry: how many lines opened messages.
pub fn openings(script: &mut dyn Script, head: &[u8]) -> u32 {
    let letters = Letters::of(head, script.legacy());
    let Ok(mut lines) = Lines::new(head) else {
        return 0;
    };
    let mut opened = 0;
    while let Ok(Some(line)) = lines.next() {
        let (text, _) = letters.decode(line.content());
        opened += u32::from(matches!(script.line(&text), LineIs::Opens(_)));
    }
    opened
}

/// The text of the head's first lines, at most `count`, for readers that look at headings.
pub fn first_lines(head: &[u8], count: usize, legacy: Option<&'static Legacy>) -> Vec<String> {
    let letters = Letters::of(head, legacy);
    let mut first = Vec::new();
    let Ok(mut lines) = Lines::new(head) else {
        return first;
    };
    while let Ok(Some(line)) = lines.next() {
        if first.len() >= count {
            break;
        }
        first.push(letters.decode(line.content()).0.into_owned());
    }
    first
}

/// The zone of local times, ready for use.
#[derive(Clone, Debug)]
pub struct Clocked {
    /// The zone and who said it.
    pub zone: ZoneAnswer,
    clock: LocalClock,
}

impl Clocked {
    /// The zone that was answered.
    ///
    /// # Errors
    /// The question, when none was or there is none of the name.
    pub fn of(entry: &Entry, answers: &Answers) -> std::result::Result<Clocked, Question> {
        let reason = match &answers.zone {
            Some(zone) => match LocalClock::new(&zone.name) {
                Some(clock) => {
                    return Ok(Clocked {
                        zone: zone.clone(),
                        clock,
                    });
                }
                None => format!(
                    "there is no zone named {}; give an IANA name such as Europe/Lisbon",
                    zone.name
                ),
            },
            None => {
                "the file carries no zone; in which zone did the exporting device stand?".to_owned()
            }
        };
        Err(Question {
            kind: QuestionKind::Zone,
            entry: entry.display_name.clone(),
            reason,
            readings: Vec::new(),
            preselect: None,
        })
    }

    /// The instant of a local time, and what is to be said of it.
    pub fn place(&mut self, local: i64) -> (Timestamp, Presence) {
        let (sent, doubtful) = self.clock.instant(local);
        (sent, LocalClock::doubts(self.zone.source, doubtful))
    }
}

/// The name of a conversation: as answered, as the file says, else as the file is called.
pub fn title_of(entry: &Entry, answers: &Answers, told: Option<String>) -> String {
    let told = told.map(|title| title.trim().to_owned());
    let told = told.filter(|title| !title.is_empty());
    if let Some(title) = answers.conversation_title.clone().or(told) {
        return title;
    }
    let name = entry.file_name();
    name.rsplit_once('.')
        .map_or(name, |(stem, _)| stem)
        .to_owned()
}

/// The kind of a conversation by the number of people who wrote.
pub fn kind_of(senders: usize) -> ConversationKind {
    match senders {
        0 | 1 => ConversationKind::Unknown,
        2 => ConversationKind::Direct,
        _ => ConversationKind::Group,
    }
}

/// A refusal without places.
pub fn refused(reason: &str) -> Outcome {
    Outcome::Refused(Refusal {
        reason: reason.to_owned(),
        places: Vec::new(),
        total: 0,
    })
}

/// What the first reading found.
#[derive(Debug, Default)]
struct Learned {
    /// Names, by the order in which they were met.
    senders: BTreeMap<String, u32>,
    /// The time of every head, in local seconds.
    times: Vec<Option<i64>>,
    /// Whose each is.
    whose: Vec<Option<u32>>,
}

impl Learned {
    fn add(&mut self, opening: Opening) {
        let seconds = |micros: i64| micros.div_euclid(Timestamp::MICROS_PER_SECOND);
        self.times.push(opening.local.map(seconds));
        let next = self.senders.len();
        let room = next < SENDERS_MAX;
        let number = opening.sender.and_then(|sender| {
            let known = self.senders.get(&sender).copied();
            known.or_else(|| {
                let number = u32::try_from(next).ok().filter(|_| room)?;
                self.senders.insert(sender, number);
                Some(number)
            })
        });
        self.whose.push(number);
    }

    fn part(
        &mut self,
        script: &mut dyn Script,
        letters: Letters,
        bytes: &mut dyn Read,
    ) -> Result<()> {
        let mut lines = Lines::new(bytes)?;
        while let Some(line) = lines.next()? {
            if line.continues {
                continue;
            }
            let (text, _) = letters.decode(line.content());
            if let LineIs::Opens(opening) = script.line(&text) {
                self.add(opening);
            }
        }
        Ok(())
    }

    /// Places of heads that do not fit the run of time.
    fn against_time(&self, script: &dyn Script, answers: &Answers) -> Vec<u32> {
        let told = script.is_dated() && !self.times.contains(&None);
        match told && answers.trust_headers != Some(true) {
            true => outliers(&self.times, None),
            false => Vec::new(),
        }
    }

    /// How many people wrote, without those of heads that open nothing.
    fn people(&self, against_time: &[u32]) -> usize {
        let fits = |place: usize| {
            u32::try_from(place).is_ok_and(|place| against_time.binary_search(&place).is_err())
        };
        let whose = self.whose.iter().enumerate();
        let people: BTreeSet<u32> = whose
            .filter(|(place, _)| fits(*place))
            .filter_map(|(_, number)| *number)
            .collect();
        people.len()
    }
}

/// The first reading of all parts.
fn learn(
    script: &mut dyn Script,
    container: &mut Container<'_>,
    parts: &[(u32, Letters)],
) -> Result<Learned> {
    let mut learned = Learned::default();
    for (part, letters) in parts {
        script.turn();
        container.read(*part, |bytes| learned.part(script, *letters, bytes))?;
    }
    Ok(learned)
}

/// Reads an entry by a script.
///
/// # Errors
/// What the container and the sink report.
pub fn import(
    script: &mut dyn Script,
    container: &mut Container<'_>,
    main: u32,
    answers: &Answers,
    sink: &mut dyn Sink,
) -> Result<Outcome> {
    import_parts(script, container, &[main], answers, sink)
}

/// Reads entries that are parts of one chat, in their order.
///
/// # Errors
/// What the container and the sink report.
pub fn import_parts(
    script: &mut dyn Script,
    container: &mut Container<'_>,
    parts: &[u32],
    answers: &Answers,
    sink: &mut dyn Sink,
) -> Result<Outcome> {
    let Some(main) = parts.first().copied() else {
        return Ok(refused("there is nothing to read"));
    };
    let entry = container.entries()[main as usize].clone();
    let mut lettered = Vec::with_capacity(parts.len());
    for part in parts {
        let head = container.head(*part, HEAD_BYTES)?;
        lettered.push((*part, Letters::of(&head, script.legacy())));
    }
    let mut learned = learn(script, container, &lettered)?;
    if learned.times.is_empty() {
        return Ok(refused("the file has no line that opens a message"));
    }
    let mut questions = script.settle(&entry, answers);
    if questions.is_empty() && script.is_dated() && learned.times.contains(&None) {
        // Only now the dates can be read.
        learned = learn(script, container, &lettered)?;
        questions = script.settle(&entry, answers);
    }
    let against_time = learned.against_time(script, answers);
    let (count, all) = (against_time.len(), learned.times.len());
    let asked = trust_question(count, all, "date and time", &entry.display_name, answers);
    questions.extend(asked);
    let clocked = Clocked::of(&entry, answers).map_err(|question| questions.push(question));
    let Ok(clocked) = clocked else {
        return Ok(Outcome::Ask(questions));
    };
    if !questions.is_empty() {
        return Ok(Outcome::Ask(questions));
    }
    let mut teller = Teller::new(script.name(), &entry, sink);
    teller.summary.zone = Some(clocked.zone.clone());
    teller.summary.orders = script.orders();
    let mut writer = Writer {
        kind: script
            .kind()
            .unwrap_or_else(|| kind_of(learned.people(&against_time))),
        title: title_of(&entry, answers, script.title()),
        files: names_beside(container, main),
        me: answers.me.clone(),
        script,
        teller,
        letters: Letters(None),
        clocked,
        against_time,
        passed: 0,
        open: None,
        raw: Vec::new(),
        text: String::new(),
        solid: Solid::default(),
        faulty: false,
    };
    writer.assumed()?;
    for (part, letters) in lettered {
        writer.teller.turn_to(&container.entries()[part as usize]);
        writer.letters = letters;
        writer.script.turn();
        container.read(part, |bytes| writer.run(bytes))?;
    }
    Ok(writer.teller.done())
}

/// A message whose lines are still coming.
#[derive(Debug)]
struct Open {
    opening: Opening,
    start: u64,
}

/// How far the open message reaches without the blank lines at its end.
#[derive(Clone, Copy, Debug, Default)]
struct Solid {
    raw: usize,
    text: usize,
    /// Length of the last line's end.
    end: usize,
}

/// The second reading: lines become messages.
struct Writer<'w, 's> {
    script: &'w mut dyn Script,
    teller: Teller<'s>,
    letters: Letters,
    clocked: Clocked,
    kind: ConversationKind,
    title: String,
    files: Files,
    me: Option<String>,
    /// Places of heads that open nothing.
    against_time: Vec<u32>,
    passed: u32,
    open: Option<Open>,
    raw: Vec<u8>,
    text: String,
    solid: Solid,
    faulty: bool,
}

impl Writer<'_, '_> {
    fn assumed(&mut self) -> Result<()> {
        for assumed in self.script.assumed() {
            self.teller.note(NoteKind::Assumption, (0, 0), &assumed)?;
        }
        Ok(())
    }

    fn run(&mut self, bytes: &mut dyn Read) -> Result<()> {
        let mut lines = Lines::new(bytes)?;
        let mark = lines.mark().to_vec();
        self.teller.frame(&mark, 0)?;
        if let Some(legacy) = self.letters.0 {
            let reason = format!("the file is not Unicode; it was read as {}", legacy.name());
            self.teller.note(NoteKind::Encoding, (0, 0), &reason)?;
        }
        while let Some(line) = lines.next()? {
            self.teller.summary.lines += u64::from(!line.continues);
            self.line(&line)?;
        }
        self.finish(true)
    }

    fn line(&mut self, line: &Line<'_>) -> Result<()> {
        let letters = self.letters;
        let (text, faulty) = letters.decode(line.text);
        let content = &text[..text.len().saturating_sub(line.end_len)];
        let is = match line.continues {
            true => LineIs::GoesOn,
            false => self.script.line(content),
        };
        match is {
            LineIs::Opens(opening) => {
                let place = self.passed;
                self.passed += 1;
                if self.against_time.binary_search(&place).is_ok() {
                    let span = (line.offset, line.offset + line.raw.len() as u64);
                    let reason = "the line looks like a head but steps out of the run of time; it stays in the message before";
                    self.teller.note(NoteKind::HeaderLikeLine, span, reason)?;
                } else {
                    self.finish(false)?;
                    self.open = Some(Open {
                        opening,
                        start: line.offset,
                    });
                }
            }
            LineIs::Between => {
                self.finish(true)?;
                return self.teller.frame(line.raw, line.offset);
            }
            LineIs::Resembles(reason) => {
                let span = (line.offset, line.offset + line.raw.len() as u64);
                self.teller.note(NoteKind::HeaderLikeLine, span, reason)?;
            }
            LineIs::GoesOn => {}
        }
        if self.open.is_none() {
            return self.before_first(line, content);
        }
        self.gather(line, &text, !content.is_empty(), faulty)
    }

    /// Puts a line to the open message.
    fn gather(&mut self, line: &Line<'_>, text: &str, solid: bool, faulty: bool) -> Result<()> {
        if self.raw.len() + line.raw.len() > LINE_PIECE_BYTES && !self.raw.is_empty() {
            self.cut_piece()?;
        }
        self.raw.extend_from_slice(line.raw);
        self.text.push_str(text);
        self.faulty |= faulty;
        if solid || self.solid.raw == 0 {
            self.solid = Solid {
                raw: self.raw.len(),
                text: self.text.len(),
                end: line.end_len,
            };
        }
        Ok(())
    }

    /// Lines before the first head: blank ones are frame, others are rejected.
    fn before_first(&mut self, line: &Line<'_>, content: &str) -> Result<()> {
        if content.trim().is_empty() {
            return self.teller.frame(line.raw, line.offset);
        }
        let reason = "the line stands before the first message and belongs to none";
        self.teller.reject(line.raw, line.offset, reason)
    }

    /// Hands out what is open as one piece of a message that is too long, and goes on.
    fn cut_piece(&mut self) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let next = open.start + self.raw.len() as u64;
        let reason = "the message is longer than 16 MiB and was cut into pieces";
        self.teller
            .note(NoteKind::Limit, (open.start, next), reason)?;
        let following = Opening {
            body: 0,
            ..open.opening.clone()
        };
        self.solid = Solid {
            raw: self.raw.len(),
            text: self.text.len(),
            end: 0,
        };
        self.open = Some(open);
        self.finish(false)?;
        self.open = Some(Open {
            opening: following,
            start: next,
        });
        Ok(())
    }

    /// Hands out the open message. Blank lines at its end are its own, unless what follows it
    /// stands between messages.
    fn finish(&mut self, between: bool) -> Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let raw = std::mem::take(&mut self.raw);
        let text = std::mem::take(&mut self.text);
        let solid = std::mem::take(&mut self.solid);
        let faulty = std::mem::take(&mut self.faulty);
        let whole = match between {
            true => solid,
            false => Solid {
                raw: raw.len(),
                text: text.len(),
                end: match solid.raw == raw.len() {
                    true => solid.end,
                    false => line_end(&text),
                },
            },
        };
        let end = whole.text.saturating_sub(whole.end);
        let body = text
            .get(open.opening.body.min(end)..end)
            .unwrap_or_default();
        self.hand_out(&open, &raw[..whole.raw], body, faulty)?;
        self.teller
            .frame(&raw[whole.raw..], open.start + whole.raw as u64)
    }

    fn hand_out(&mut self, open: &Open, raw: &[u8], body: &str, faulty: bool) -> Result<()> {
        let span = (open.start, open.start + raw.len() as u64);
        if faulty {
            let reason = "some bytes are no letters of the file's encoding; they show as U+FFFD, the bytes are kept";
            self.teller.note(NoteKind::Encoding, span, reason)?;
        }
        let opening = &open.opening;
        let mut words = self.script.words(opening, body, &self.files);
        let own = self.me.as_deref().unwrap_or(ME);
        let by = words.reactions.iter_mut().flat_map(|one| &mut one.by);
        by.filter(|name| *name == ME)
            .for_each(|name| *name = Cow::Owned(own.to_owned()));
        for file in &words.attachments {
            if file.entry.is_none() && !file.name.is_empty() && !self.files.is_empty() {
                let reason = format!("the file {} did not come along", file.name);
                self.teller.note(NoteKind::MissingMedia, span, &reason)?;
            }
        }
        let (sent, doubts) = match opening.local {
            Some(local) => {
                let (sent, doubts) = self.clocked.place(local);
                (Some(sent), doubts)
            }
            None => (None, Presence::TIME_ASSUMED),
        };
        let label = match (opening.sender.as_deref(), self.me.as_deref()) {
            (Some(ME), Some(me)) => Some(me),
            (sender, _) => sender,
        };
        let to = opening.to.as_deref().map(|label| ParsedPerson {
            label,
            handle: None,
        });
        self.teller.message(&ParsedMessage {
            conversation_key: &self.title,
            conversation_title: &self.title,
            conversation_kind: self.kind,
            app: self.script.app(),
            sender_label: label,
            sender_handle: label.and_then(super::whatsapp::phone).as_deref(),
            body: &words.body,
            kind: words.kind,
            sent,
            local: opening.local,
            precision: opening.precision,
            zone_source: self.clocked.zone.source,
            reactions: &words.reactions,
            mentions: to.as_slice(),
            attachments: &words.attachments,
            presence: words.presence.with(doubts),
            raw,
            span,
            ..ParsedMessage::BARE
        })
    }
}

/// Length of the line end that a text ends with.
fn line_end(text: &str) -> usize {
    match text.as_bytes() {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    }
}
