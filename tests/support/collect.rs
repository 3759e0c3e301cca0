//! A sink that keeps everything, and the one function through which tests import.

use wordkeep::domain::{Kind, Note, Precision, Presence, Timestamp};
use wordkeep::ingest::align::{Facts, Sighting};
use wordkeep::ingest::raw::Templates;
use wordkeep::ingest::{
    Answers, Budget, Container, Frame, MemorySource, Outcome, ParsedMessage, Sink, Source, Stop,
    ZoneAnswer, detect, import,
};

/// One message, copied.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    pub conversation: String,
    pub sender: Option<String>,
    pub handle: Option<String>,
    pub body: String,
    pub kind: Kind,
    pub sent: Option<Timestamp>,
    pub local: Option<i64>,
    pub precision: Precision,
    pub presence: Presence,
    pub source_id: Option<String>,
    pub reply_to: Option<String>,
    pub attachment: Option<(String, Option<u32>)>,
    pub raw: Vec<u8>,
}

impl Kept {
    /// The short form in which messages are compared.
    pub fn sighting(&self) -> Sighting {
        Sighting::of(&Facts {
            sender: self.sender.as_deref(),
            body: &self.body,
            kind: self.kind,
            presence: self.presence,
            file_is_here: self
                .attachment
                .as_ref()
                .is_some_and(|(_, entry)| entry.is_some()),
            sent: self.sent,
            precision: self.precision,
            source_id: self.source_id.as_deref(),
        })
    }
}

/// Keeps messages, notes, and the raw bytes of messages and frames in order.
#[derive(Default)]
pub struct Collect {
    pub messages: Vec<Kept>,
    pub notes: Vec<Note>,
    pub bytes: Vec<u8>,
    pub templates: Templates,
}

impl Sink for Collect {
    fn message(&mut self, message: &ParsedMessage<'_>) -> Result<(), Stop> {
        assert_eq!(
            message.span.0,
            self.bytes.len() as u64,
            "a span begins where the last ended"
        );
        assert_eq!(message.order, self.messages.len() as u64);
        self.bytes.extend_from_slice(message.raw);
        assert_eq!(message.span.1, self.bytes.len() as u64);
        self.messages.push(Kept {
            conversation: message.conversation_key.to_owned(),
            sender: message.sender_label.map(str::to_owned),
            handle: message.sender_handle.map(str::to_owned),
            body: message.body.to_owned(),
            kind: message.kind,
            sent: message.sent,
            local: message.local,
            precision: message.precision,
            presence: message.presence,
            source_id: message.source_id.map(str::to_owned),
            reply_to: message.reply_to.map(str::to_owned),
            attachment: message
                .attachments
                .first()
                .map(|file| (file.name.to_string(), file.entry)),
            raw: message.raw.to_vec(),
        });
        Ok(())
    }

    fn note(&mut self, note: Note) -> Result<(), Stop> {
        self.notes.push(note);
        Ok(())
    }

    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Stop> {
        assert_eq!(frame.span.0, self.bytes.len() as u64);
        self.bytes.extend_from_slice(frame.raw);
        Ok(())
    }

    fn templates(&mut self, templates: &Templates) -> Result<(), Stop> {
        assert!(
            self.messages.is_empty(),
            "templates come before the first message"
        );
        self.templates = templates.clone();
        Ok(())
    }
}

/// Answers with a zone that has no daylight saving.
pub fn in_utc() -> Answers {
    Answers {
        zone: Some(ZoneAnswer {
            name: "UTC".to_owned(),
            source: wordkeep::domain::ZoneSource::Operator,
        }),
        ..Answers::default()
    }
}

/// Opens files, detects, and imports the first chat found.
pub fn run(files: &[(&str, &[u8])], answers: &Answers) -> (Collect, Option<Outcome>) {
    let sources: Vec<Box<dyn Source>> = files
        .iter()
        .map(|(name, bytes)| Box::new(MemorySource::new(name, bytes.to_vec())) as Box<dyn Source>)
        .collect();
    let mut container = Container::open(sources, Budget::default()).expect("memory reads");
    let found = detect(&mut container).expect("memory reads");
    let mut collect = Collect::default();
    let outcome = found
        .chats
        .first()
        .map(|chat| import(&mut container, chat, answers, &mut collect).expect("memory reads"));
    collect.notes.extend(container.notes().iter().cloned());
    (collect, outcome)
}

/// Imports one file that must be taken whole, every byte accounted for.
pub fn done(name: &str, bytes: &[u8], answers: &Answers) -> Collect {
    let (collect, outcome) = run(&[(name, bytes)], answers);
    assert!(matches!(outcome, Some(Outcome::Done(_))), "{outcome:?}");
    assert!(collect.bytes == bytes, "messages and frames are the file");
    collect
}
