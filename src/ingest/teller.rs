//! Tells the sink what a reader of records found, and keeps the books of it: every byte of an entry
//! in one message or frame, every message counted, every refusal with its place.

use crate::domain::{Note, NoteKind};

use super::answers::{Outcome, Summary};
use super::container::Entry;
use super::error::Result;
use super::json::Ending;
use super::message::{Frame, ParsedMessage, Sink};

/// A note quotes at most this many bytes.
const QUOTED_BYTES_MAX: usize = 64 * 1024;

/// The books of one import.
pub struct Teller<'s> {
    sink: &'s mut dyn Sink,
    entry: u32,
    entry_name: String,
    /// What was found so far.
    pub summary: Summary,
}

impl<'s> Teller<'s> {
    /// Begins with an entry.
    pub fn new(format: &'static str, entry: &Entry, sink: &'s mut dyn Sink) -> Self {
        Self {
            sink,
            entry: entry.ordinal,
            entry_name: entry.display_name.clone(),
            summary: Summary {
                format,
                ..Summary::default()
            },
        }
    }

    /// Tells a message. Its place in the order and its entry are put in here.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn message(&mut self, message: &ParsedMessage<'_>) -> Result<()> {
        self.sink.message(&ParsedMessage {
            order: self.summary.messages,
            entry: self.entry,
            ..message.clone()
        })?;
        self.summary.messages += 1;
        self.summary.saw(message.sent);
        Ok(())
    }

    /// Tells bytes that are no message.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn frame(&mut self, raw: &[u8], at: u64) -> Result<()> {
        if raw.is_empty() {
            return Ok(());
        }
        let span = (at, at + raw.len() as u64);
        let entry = self.entry;
        Ok(self.sink.frame(Frame { entry, span, raw })?)
    }

    /// Tells a remark on a place.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn note(&mut self, kind: NoteKind, span: (u64, u64), reason: &str) -> Result<()> {
        self.put(kind, span, String::new(), reason)
    }

    /// Tells a record that could not be read: its bytes go out as a frame, the note quotes them.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn reject(&mut self, raw: &[u8], at: u64, reason: &str) -> Result<()> {
        self.frame(raw, at)?;
        self.quote(raw, (at, at + raw.len() as u64), reason)
    }

    /// As [`Teller::reject`], where the bytes of the place went out as frames before.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn quote(&mut self, raw: &[u8], span: (u64, u64), reason: &str) -> Result<()> {
        let quoted = String::from_utf8_lossy(&raw[..raw.len().min(QUOTED_BYTES_MAX)]).into_owned();
        self.summary.rejected += 1;
        self.put(NoteKind::Rejected, span, quoted, reason)
    }

    /// Tells how a JSON document ended, where it did not end well.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn ending(&mut self, ending: Ending) -> Result<()> {
        if let Some(at) = ending.damaged {
            let reason = "from here on the file is not quite JSON; what could be read was read";
            self.note(NoteKind::Other, (at, ending.bytes), reason)?;
        }
        if ending.cut {
            let reason = "the file ends before its lists do: it was cut off, the last messages may \
                          be missing; export it again";
            self.note(NoteKind::Gap, (ending.bytes, ending.bytes), reason)?;
        }
        Ok(())
    }

    /// The end of the import.
    pub fn done(self) -> Outcome {
        Outcome::Done(Box::new(self.summary))
    }

    fn put(
        &mut self,
        kind: NoteKind,
        (start, end): (u64, u64),
        raw: String,
        reason: &str,
    ) -> Result<()> {
        self.summary.notes += 1;
        Ok(self.sink.note(Note {
            kind,
            entry: self.entry_name.clone(),
            start,
            end,
            line: 0,
            raw,
            reason: reason.to_owned(),
        })?)
    }
}
