//! What was read, as lines that somebody can review.

use std::fs;
use std::io::{copy, sink};
use std::path::{Path, PathBuf};

use wordkeep::domain::{Note, Presence, Timestamp, ZoneSource};
use wordkeep::ingest::{
    Answers, Budget, Container, DateOrder, Frame, MemorySource, Outcome, ParsedMessage, Sink,
    Source, Stop, ZoneAnswer, detect, import, local_time,
};

/// One fixture: what is handed in, and the answers to what it asks.
#[derive(Clone)]
pub struct Input {
    pub path: PathBuf,
    /// Names, as of a folder that is handed in whole, and bytes.
    pub files: Vec<(String, Vec<u8>)>,
    pub answers: Answers,
}

impl Input {
    pub fn read(path: &Path) -> Input {
        let mut files = Vec::new();
        gather(path, path.parent().unwrap(), &mut files);
        let mut answers = path.to_owned().into_os_string();
        answers.push(".answers");
        let lines = fs::read_to_string(answers).unwrap_or_default();
        Input {
            path: path.to_owned(),
            files,
            answers: answers_of(&lines),
        }
    }
}

fn gather(path: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
    if path.is_dir() {
        super::within(path)
            .iter()
            .for_each(|below| gather(below, root, files));
        return;
    }
    let name = path.strip_prefix(root).unwrap().display().to_string();
    files.push((name, fs::read(path).unwrap()));
}

fn answers_of(lines: &str) -> Answers {
    let mut answers = Answers {
        now: Some(Timestamp::from_seconds(1_760_000_000)),
        ..Answers::default()
    };
    for line in lines.lines() {
        let (name, value) = line.split_once('=').unwrap();
        match name {
            "zone" => {
                answers.zone = Some(ZoneAnswer {
                    name: value.to_owned(),
                    source: ZoneSource::Operator,
                });
            }
            "order" => answers.date_order = DateOrder::from_name(value),
            "me" => answers.me = Some(value.to_owned()),
            "headers" => answers.trust_headers = Some(value == "yes"),
            "rest" => answers.import_rest = value == "yes",
            "start" => answers.start = local_time(value),
            other => panic!("no answer is called {other}"),
        }
    }
    answers
}

/// Names of facts, in the order of their bits.
const FACTS: [(&str, Presence); 18] = [
    ("attachment", Presence::ATTACHMENT),
    ("image", Presence::IMAGE),
    ("video", Presence::VIDEO),
    ("audio", Presence::AUDIO),
    ("voice", Presence::VOICE),
    ("file", Presence::FILE),
    ("location", Presence::LOCATION),
    ("contact", Presence::CONTACT),
    ("poll", Presence::POLL),
    ("quote", Presence::QUOTE),
    ("edited", Presence::EDITED),
    ("deleted", Presence::DELETED),
    ("forwarded", Presence::FORWARDED),
    ("system", Presence::SYSTEM),
    ("disappearing", Presence::DISAPPEARING),
    ("zone-assumed", Presence::ZONE_ASSUMED),
    ("time-assumed", Presence::TIME_ASSUMED),
    ("time-ambiguous", Presence::TIME_AMBIGUOUS),
];

/// Writes down what comes, and holds every entry to its bytes.
#[derive(Default)]
pub struct Teller {
    pub lines: Vec<String>,
    pub messages: u64,
    /// For each entry how far its bytes went out.
    reached: std::collections::BTreeMap<u32, Vec<(u64, u64)>>,
}

fn shown(text: &str) -> String {
    text.replace('\n', "\n      | ")
}

impl Teller {
    fn span(&mut self, entry: u32, span: (u64, u64), raw: &[u8]) {
        if !raw.is_empty() {
            assert_eq!(span.1 - span.0, raw.len() as u64);
            self.reached.entry(entry).or_default().push(span);
        }
    }

    fn told(&mut self, message: &ParsedMessage<'_>) {
        let kind = format!("{:?}", message.conversation_kind).to_lowercase();
        let sent = message
            .sent
            .map_or("-".to_owned(), |sent| sent.0.to_string());
        self.lines.push(format!(
            "{:>3} {} [{} | {} | {kind}]",
            message.order,
            message.app.name(),
            message.conversation_key,
            message.conversation_title
        ));
        let zone = format!("{:?}", message.zone_source).to_lowercase();
        let precision = format!("{:?}", message.precision).to_lowercase();
        self.lines.push(format!(
            "    at {sent} {precision} {zone} local {:?}",
            message.local
        ));
        self.lines.push(format!(
            "    by {:?} <{}>",
            message.sender_label,
            message.sender_handle.unwrap_or_default()
        ));
        let facts = FACTS.iter().filter(|(_, fact)| message.presence.has(*fact));
        let facts: Vec<&str> = facts.map(|(name, _)| *name).collect();
        self.lines
            .push(format!("    {} {}", message.kind.name(), facts.join(" ")));
        let links = [
            ("id", message.source_id),
            ("answers", message.reply_to),
            ("thread", message.thread),
            ("amends", message.amends),
        ];
        for (name, id) in links.into_iter().filter_map(|(name, id)| Some((name, id?))) {
            self.lines
                .push(format!("    {name} {id} {:?}", message.id_scope));
        }
        for earlier in message.earlier {
            let written = earlier.written.map(|at| at.0);
            self.lines
                .push(format!("    was {written:?} {}", shown(&earlier.body)));
        }
        if let Some(edited) = message.edited {
            self.lines.push(format!("    edited {}", edited.0));
        }
        for reaction in message.reactions {
            let by = reaction.by.join(", ");
            self.lines.push(format!(
                "    reaction {} x{} {by}",
                reaction.value, reaction.count
            ));
        }
        for person in message.mentions {
            let handle = person.handle.unwrap_or_default();
            self.lines
                .push(format!("    names {} <{handle}>", person.label));
        }
        for file in message.attachments {
            self.lines
                .push(format!("    file {:?} {:?}", file.name, file.entry));
        }
        self.lines.push(format!("      | {}", shown(message.body)));
    }
}

impl Sink for Teller {
    fn message(&mut self, message: &ParsedMessage<'_>) -> Result<(), Stop> {
        assert_eq!(message.order, self.messages, "places count up");
        self.messages += 1;
        self.span(message.entry, message.span, message.raw);
        self.told(message);
        Ok(())
    }

    fn note(&mut self, note: Note) -> Result<(), Stop> {
        self.lines.push(format!(
            "    ! {} {} {}..{}: {}",
            note.kind.name(),
            note.entry,
            note.start,
            note.end,
            note.reason
        ));
        Ok(())
    }

    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Stop> {
        self.span(frame.entry, frame.span, frame.raw);
        Ok(())
    }
}

/// Reads an input and writes down what came out.
pub fn told(input: &Input) -> String {
    let sources = input
        .files
        .iter()
        .map(|(name, bytes)| Box::new(MemorySource::new(name, bytes.clone())) as Box<dyn Source>);
    let mut container = Container::open(sources.collect(), Budget::default()).unwrap();
    let detection = detect(&mut container).unwrap();
    let mut lines = Vec::new();
    let name = |container: &Container<'_>, entry: u32| {
        container.entries()[entry as usize].display_name.clone()
    };
    for found in &detection.chats {
        let entry = name(&container, found.entry);
        lines.push(format!(
            "= {entry}: {}{}",
            found.formats.join(" or "),
            if found.sure { "" } else { ", perhaps" }
        ));
        let mut teller = Teller::default();
        let outcome = import(&mut container, found, &input.answers, &mut teller);
        lines.append(&mut teller.lines);
        match outcome {
            Ok(Outcome::Done(summary)) => {
                assert_eq!(summary.messages, teller.messages);
                lines.push(format!(
                    "  {} messages, {} notes, {} rejected",
                    summary.messages, summary.notes, summary.rejected
                ));
                for entry in found.parts.iter().chain([&found.entry]) {
                    let spans = teller.reached.remove(entry).unwrap_or_default();
                    // What an archive says of it is not trusted; one damaged in it has no end.
                    let size = container.read(*entry, |bytes| Ok(copy(bytes, &mut sink())?));
                    let mut at = 0;
                    for (start, end) in spans {
                        assert_eq!(start, at, "{}: a hole or an overlap", input.path.display());
                        at = end;
                    }
                    if let Ok(size) = size {
                        assert_eq!(at, size, "{}: bytes are missing", input.path.display());
                    }
                }
                assert!(
                    teller.reached.is_empty(),
                    "bytes of entries nobody said are read"
                );
            }
            Ok(Outcome::Ask(questions)) => {
                for question in questions {
                    lines.push(format!("  ? {:?}: {}", question.kind, question.reason));
                }
            }
            Ok(Outcome::Refused(refusal)) => lines.push(format!("  refused: {}", refusal.reason)),
            Err(error) => lines.push(format!("  failed: {error}")),
        }
    }
    for other in &detection.others {
        lines.push(format!("- {}", name(&container, *other)));
    }
    lines.join("\n") + "\n"
}
