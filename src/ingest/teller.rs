//! Tells the sink what a reader of records found, and keeps the books of it: every byte of an entry
//! in one message or frame, every message counted, every refusal with its place.

use serde::de::DeserializeOwned;

use crate::domain::{Note, NoteKind};

use super::answers::{Outcome, Summary};
use super::container::Entry;
use super::credential::without_credentials;
use super::error::Result;
use super::json::{Ending, Part, read_record};
use super::message::{Frame, ParsedAttachment, ParsedMessage, Sink};

/// A note quotes at most this many bytes.
const QUOTED_BYTES_MAX: usize = 64 * 1024;

/// A record as the scanner found it.
#[derive(Clone, Copy, Debug)]
pub struct Slip<'p> {
    /// Its bytes verbatim.
    pub raw: &'p [u8],
    /// Offset of the first.
    pub at: u64,
}

impl Slip<'_> {
    /// Its first byte in its entry and one past its last.
    pub fn span(&self) -> (u64, u64) {
        (self.at, self.at + self.raw.len() as u64)
    }
}

/// The books of one import.
pub struct Teller<'s> {
    sink: &'s mut dyn Sink,
    entry: u32,
    entry_name: String,
    /// Whether the entry lies in an archive.
    is_inside: bool,
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
            is_inside: entry.parent.is_some(),
            summary: Summary {
                format,
                ..Summary::default()
            },
        }
    }

    /// Goes on with another entry of the same import.
    pub fn turn_to(&mut self, entry: &Entry) {
        self.entry = entry.ordinal;
        self.entry_name.clone_from(&entry.display_name);
        self.is_inside = entry.parent.is_some();
    }

    /// How the reading of one entry of several came out. One that lies damaged in its archive is a gap
    /// that is told, and the others are read.
    ///
    /// # Errors
    /// When the medium itself fails, or the sink wants no more.
    pub fn part(&mut self, read: Result<()>) -> Result<()> {
        match read {
            Err(error) if self.is_inside && error.is_of_entry() => {
                let reason = format!("this entry cannot be read to its end: {error}");
                self.note(NoteKind::Gap, (0, 0), &reason)
            }
            read => read,
        }
    }

    /// Tells whatever a scan hands out that is no record; a record comes back, to be told by the reader
    /// of the format. Members are for whoever learns.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn besides<'p>(&mut self, part: Part<'p>) -> Result<Option<Slip<'p>>> {
        match part {
            Part::Record { raw, at, .. } => return Ok(Some(Slip { raw, at })),
            Part::Frame { raw, at } => self.frame(raw, at)?,
            Part::Member { .. } => {}
            Part::Cut { raw, at } => self.reject(raw, at, "the file ends inside this message")?,
            Part::TooLong { head, at, end } => {
                let reason =
                    "this record is longer than 64 MiB; it was left out, this is how it begins";
                self.quote(head, (at, end), reason)?;
            }
        }
        Ok(None)
    }

    /// Reads a record. One that cannot be read is told as rejected; what was mended is noted.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn read<T: DeserializeOwned>(&mut self, slip: &Slip<'_>) -> Result<Option<T>> {
        // A list would be read by the places of its elements.
        if slip.raw.first() != Some(&b'{') {
            return self
                .reject(slip.raw, slip.at, "it is no object")
                .map(|()| None);
        }
        match read_record(slip.raw) {
            Err(reason) => self.reject(slip.raw, slip.at, &reason).map(|()| None),
            Ok((record, fault)) => {
                if let Some(told) = fault.told() {
                    self.note(NoteKind::Encoding, slip.span(), told)?;
                }
                Ok(Some(record))
            }
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

    /// Tells which files of a message did not come along.
    ///
    /// # Errors
    /// When the sink wants no more.
    pub fn missing(&mut self, files: &[ParsedAttachment<'_>], span: (u64, u64)) -> Result<()> {
        for missing in files.iter().filter(|one| one.entry.is_none()) {
            let reason = match missing.name.as_ref() {
                "" => "a file without a name did not come along with the export".to_owned(),
                name => format!("{name:?} did not come along with the export"),
            };
            self.note(NoteKind::MissingMedia, span, &reason)?;
        }
        Ok(())
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
        let quoted = String::from_utf8_lossy(&raw[..raw.len().min(QUOTED_BYTES_MAX)]);
        let quoted = without_credentials(&quoted).into_owned();
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
            reason: without_credentials(reason).into_owned(),
        })?)
    }
}
