//! What was handed in, as one table of entries: files beside each other, and archives opened in
//! place: zip, tar, files packed by gzip or Zstandard, and mails that are RSMF. Nothing is ever unpacked to a disk; an entry's
//! name is a label, never a path.

use std::io::{self, Read};
use std::rc::Rc;

use crate::domain::{Note, NoteKind, Timestamp};

use super::budget::{Budget, Metered, NESTED_BYTES_MAX, Spent};
use super::error::{IngestError, Result};
use super::inflated::{Codec, Inflated, Streams};
use super::mailed;
use super::nested::{Inside, Nested, Shelf};
use super::source::{Cursor, Shared, Source};
use super::tarred;
use super::zipped::{self, ZippedEntry};

/// Bytes looked at to tell an archive from a document.
const PROBE_BYTES: usize = 8 * 1024;
/// The magic bytes of a zip archive with entries.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// How the bytes of an entry are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// A file of its own.
    Plain,
    /// In an archive, uncompressed.
    Stored,
    /// Compressed.
    Deflated,
    /// In an archive, under a password or by a method that is not read.
    Unreadable,
}

/// One entry of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the table, from 0. Tells entries of one name apart.
    pub ordinal: u32,
    /// The name as the container has it, decoded.
    pub name: String,
    /// The name fit to be shown: control and direction marks and backslashes escaped.
    pub display_name: String,
    /// Length in bytes as declared; never trusted.
    pub size: u64,
    /// Length in bytes as packed.
    pub packed_size: u64,
    /// How it is packed.
    pub packing: Packing,
    /// When it was last written. In archives this is the local time of whoever packed it.
    pub modified: Option<Timestamp>,
    /// How deep it lies: 0 for a file handed in, 1 inside an archive.
    pub depth: u32,
    /// The ordinal of the archive it lies in.
    pub parent: Option<u32>,
    /// Why it is not read; `None` when it is.
    pub refused: Option<String>,
}

impl Entry {
    /// The last part of the name.
    pub fn file_name(&self) -> &str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(&self.name)
    }
}

/// Where the bytes of an entry are.
enum Place {
    Source(usize),
    Zip(usize, Rc<ZippedEntry>),
    /// So many bytes of a source, from one on.
    Slice(usize, u64, u64),
    /// The file of this number in a mail.
    Mail(usize, usize),
}

/// What holds entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Zip,
    Tar,
    Packed(Codec),
    Mail,
}

impl Kind {
    /// What begins like this; documents in zip clothes are none.
    fn of(head: &[u8]) -> Option<Kind> {
        if is_zip(head) {
            return Some(Kind::Zip);
        }
        if let Some(codec) = Codec::of(head) {
            return Some(Kind::Packed(codec));
        }
        if mailed::is_rsmf(head) {
            return Some(Kind::Mail);
        }
        tarred::is_tar(head).then_some(Kind::Tar)
    }
}

/// Everything handed in for one import.
pub struct Container<'a> {
    sources: Vec<Shared<'a>>,
    shelf: Shelf,
    streams: Streams<'a>,
    entries: Vec<Entry>,
    places: Vec<Place>,
    notes: Vec<Note>,
    budget: Budget,
    spent: Spent,
}

impl<'a> Container<'a> {
    /// Walks the sources once into the table of entries. Archives that cannot be read are listed
    /// as refused; the rest goes on.
    ///
    /// # Errors
    /// [`IngestError::Source`] when a medium fails.
    pub fn open(sources: Vec<Box<dyn Source + 'a>>, budget: Budget) -> Result<Self> {
        let mut container = Self {
            sources: Vec::new(),
            shelf: Shelf::default(),
            streams: Streams::default(),
            entries: Vec::new(),
            places: Vec::new(),
            notes: Vec::new(),
            budget,
            spent: Spent::default(),
        };
        for source in sources {
            container.add_file(source)?;
        }
        Ok(container)
    }

    /// The table, in order of ordinals.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What was odd about the container itself.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// Hands the bytes of an entry, from the first, to `take`. Reading fails when a limit of the
    /// budget is reached.
    ///
    /// # Errors
    /// [`IngestError::Entry`] when there is no such entry or it was refused, and whatever `take`
    /// answers.
    pub fn read<T>(
        &mut self,
        ordinal: u32,
        take: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let index = ordinal as usize;
        let entry = self.entries.get(index).ok_or(IngestError::Entry(ordinal))?;
        if entry.refused.is_some() {
            return Err(IngestError::Entry(ordinal));
        }
        let packed = entry.packed_size;
        match &self.places[index] {
            Place::Source(source) => take(&mut Cursor::new(&mut self.sources[*source])?),
            Place::Zip(source, zipped) => {
                let cursor = Cursor::new(&mut self.sources[*source])?;
                let (budget, spent) = (self.budget, &mut self.spent);
                zipped.read(cursor, |inflating| {
                    take(&mut Metered::new(inflating, budget, spent, index, packed))
                })
            }
            Place::Slice(source, start, length) => {
                let cursor = Cursor::at(&mut self.sources[*source], *start)?;
                take(&mut cursor.take(*length))
            }
            Place::Mail(source, number) => {
                let bytes = mailed::file(&mut self.sources[*source], *number)?;
                take(&mut bytes.as_slice())
            }
        }
    }

    /// The first bytes of an entry, at most `length`.
    ///
    /// # Errors
    /// As [`Container::read`], and what the medium reports.
    pub fn head(&mut self, ordinal: u32, length: usize) -> Result<Vec<u8>> {
        self.read(ordinal, |bytes| {
            let mut head = Vec::new();
            bytes.take(length as u64).read_to_end(&mut head)?;
            Ok(head)
        })
    }

    fn add_file(&mut self, source: Box<dyn Source + 'a>) -> Result<()> {
        let name = source.name().to_owned();
        let modified = source.modified();
        self.sources.push(Shared::new(source));
        let index = self.sources.len() - 1;
        let size = Cursor::new(&mut self.sources[index])
            .and_then(|mut cursor| io::Seek::seek(&mut cursor, io::SeekFrom::End(0)))?;
        let ordinal = self.add_entry(
            Entry {
                ordinal: 0,
                display_name: String::new(),
                name,
                size,
                packed_size: size,
                packing: Packing::Plain,
                modified,
                depth: 0,
                parent: None,
                refused: None,
            },
            Place::Source(index),
        );
        let Some(ordinal) = ordinal else {
            return Ok(());
        };
        let head = self.head(ordinal, PROBE_BYTES)?;
        match Kind::of(&head) {
            Some(kind) => self.open_archive(ordinal, index, kind),
            None => Ok(()),
        }
    }

    /// Appends an entry; `None` when the limit of entries is reached.
    fn add_entry(&mut self, mut entry: Entry, place: Place) -> Option<u32> {
        if self.entries.len() >= self.budget.entries {
            return None;
        }
        let ordinal = self.entries.len() as u32;
        entry.ordinal = ordinal;
        entry.display_name = escaped(&entry.name);
        let odd_name = entry.display_name != entry.name || is_path_like(&entry.name);
        if odd_name {
            self.note(
                &entry,
                NoteKind::Other,
                "the name looks like a path or hides letters; it is only a label here".to_owned(),
            );
        }
        if let Some(reason) = entry.refused.clone() {
            self.note(&entry, NoteKind::EntryRefused, reason);
        }
        self.entries.push(entry);
        self.places.push(place);
        self.spent.furthest.push(0);
        Some(ordinal)
    }

    fn note(&mut self, entry: &Entry, kind: NoteKind, reason: String) {
        self.notes.push(Note {
            kind,
            entry: entry.display_name.clone(),
            start: 0,
            end: 0,
            line: 0,
            raw: String::new(),
            reason,
        });
    }

    fn remark(&mut self, ordinal: u32, kind: NoteKind, reason: String) {
        let entry = self.entries[ordinal as usize].clone();
        self.note(&entry, kind, reason);
    }

    fn refuse(&mut self, ordinal: u32, reason: String) {
        self.remark(ordinal, NoteKind::EntryRefused, reason.clone());
        self.entries[ordinal as usize].refused = Some(reason);
    }

    /// Lists an archive's entries behind it, and opens the archives among them.
    fn open_archive(&mut self, archive: u32, source: usize, kind: Kind) -> Result<()> {
        let first = self.entries.len() as u32;
        match kind {
            Kind::Zip => self.open_zip(archive, source)?,
            Kind::Tar => self.open_tar(archive, source)?,
            Kind::Packed(codec) => return self.open_packed(archive, source, codec),
            Kind::Mail => self.open_mail(archive, source)?,
        }
        for ordinal in first..self.entries.len() as u32 {
            if self.entries[ordinal as usize].refused.is_none() {
                self.open_nested(ordinal)?;
            }
        }
        Ok(())
    }

    fn open_zip(&mut self, archive: u32, source: usize) -> Result<()> {
        let depth = self.entries[archive as usize].depth + 1;
        let room = self.budget.entries - self.entries.len();
        let cursor = Cursor::new(&mut self.sources[source])?;
        let listed = match zipped::list(cursor, room)? {
            Ok(listed) => listed,
            Err(reason) => {
                self.refuse(archive, reason);
                return Ok(());
            }
        };
        for reason in listed.remarks {
            self.remark(archive, NoteKind::Limit, reason);
        }
        for zipped in listed.entries {
            let entry = Entry {
                depth,
                parent: Some(archive),
                ..zipped.entry()
            };
            for remark in zipped.remarks() {
                let mut shown = entry.clone();
                shown.display_name = escaped(&shown.name);
                self.note(&shown, NoteKind::Other, remark.clone());
            }
            self.add_entry(entry, Place::Zip(source, Rc::new(zipped)));
        }
        Ok(())
    }

    fn open_tar(&mut self, archive: u32, source: usize) -> Result<()> {
        let depth = self.entries[archive as usize].depth + 1;
        let room = self.budget.entries - self.entries.len();
        let mut cursor = Cursor::new(&mut self.sources[source])?;
        let length = io::Seek::seek(&mut cursor, io::SeekFrom::End(0))?;
        io::Seek::seek(&mut cursor, io::SeekFrom::Start(0))?;
        let listed = tarred::list(cursor, length, room)?;
        for reason in listed.remarks {
            self.remark(archive, NoteKind::Limit, reason);
        }
        for tarred in listed.entries {
            let entry = Entry {
                ordinal: 0,
                name: tarred.name,
                display_name: String::new(),
                size: tarred.length,
                packed_size: tarred.length,
                packing: match tarred.refused {
                    Some(_) => Packing::Unreadable,
                    None => Packing::Stored,
                },
                modified: tarred.modified,
                depth,
                parent: Some(archive),
                refused: tarred.refused,
            };
            self.add_entry(entry, Place::Slice(source, tarred.start, tarred.length));
        }
        Ok(())
    }

    fn open_mail(&mut self, archive: u32, source: usize) -> Result<()> {
        let entry = self.entries[archive as usize].clone();
        let files = match mailed::list(&mut self.sources[source])? {
            Ok(files) => files,
            Err(reason) => {
                self.refuse(archive, reason);
                return Ok(());
            }
        };
        for (number, file) in files.into_iter().enumerate() {
            self.spent.total += file.bytes;
            let file = Entry {
                ordinal: 0,
                name: file.name,
                display_name: String::new(),
                size: file.bytes,
                packed_size: file.bytes,
                packing: Packing::Stored,
                depth: entry.depth + 1,
                parent: Some(archive),
                ..entry.clone()
            };
            self.add_entry(file, Place::Mail(source, number));
        }
        Ok(())
    }

    /// Opens a packed file: an archive inside it as if it lay bare, anything else as its one entry.
    fn open_packed(&mut self, archive: u32, source: usize, codec: Codec) -> Result<()> {
        let entry = self.entries[archive as usize].clone();
        let shared = self.sources[source].clone();
        // What an archive around it declares is not believed.
        let packed = io::Seek::seek(
            &mut Cursor::new(&mut self.sources[source])?,
            io::SeekFrom::End(0),
        )?;
        let left = (self.budget.expanded_bytes).saturating_sub(self.spent.total);
        let measured = Inflated::measure(shared, codec, packed, &self.budget, left, &self.streams);
        let measured = match measured {
            Ok(measured) => measured,
            Err(reason) => {
                self.refuse(archive, reason);
                return Ok(());
            }
        };
        self.spent.total += measured.length;
        if let Some(reason) = measured.remark {
            self.remark(archive, NoteKind::Other, reason);
        }
        let name = measured.source.name().to_owned();
        self.sources.push(Shared::new(Box::new(measured.source)));
        let inside = self.sources.len() - 1;
        let mut head = Vec::new();
        let cursor = Cursor::new(&mut self.sources[inside])?;
        cursor.take(PROBE_BYTES as u64).read_to_end(&mut head)?;
        if let Some(kind @ (Kind::Tar | Kind::Zip)) = Kind::of(&head) {
            return self.open_archive(archive, inside, kind);
        }
        let inner = Entry {
            ordinal: 0,
            name,
            display_name: String::new(),
            size: measured.length,
            packing: Packing::Deflated,
            depth: entry.depth + 1,
            parent: Some(archive),
            ..entry
        };
        self.add_entry(inner, Place::Slice(inside, 0, measured.length));
        Ok(())
    }

    /// Opens an archive inside an archive, if it is one and the limits allow.
    fn open_nested(&mut self, ordinal: u32) -> Result<()> {
        let entry = self.entries[ordinal as usize].clone();
        // What cannot be read says so when it is asked for.
        let Ok(head) = self.head(ordinal, PROBE_BYTES) else {
            return Ok(());
        };
        let Some(kind) = Kind::of(&head) else {
            return Ok(());
        };
        if entry.depth >= self.budget.depth || entry.size > NESTED_BYTES_MAX {
            let reason = "the archive lies too deep or is too large to be opened in place; it is kept as an attachment";
            self.note(&entry, NoteKind::Limit, reason.to_owned());
            return Ok(());
        }
        let bytes = match self.head(ordinal, NESTED_BYTES_MAX as usize) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.note(&entry, NoteKind::EntryRefused, error.to_string());
                return Ok(());
            }
        };
        let inside = match &self.places[ordinal as usize] {
            Place::Source(source) => Inside::Slice(self.sources[*source].clone(), 0, entry.size),
            Place::Zip(source, zipped) => {
                Inside::Zip(self.sources[*source].clone(), Rc::clone(zipped))
            }
            Place::Slice(source, start, length) => {
                Inside::Slice(self.sources[*source].clone(), *start, *length)
            }
            Place::Mail(source, number) => Inside::Mail(self.sources[*source].clone(), *number),
        };
        let nested = Nested::new(&entry.name, entry.modified, bytes, inside, &self.shelf);
        self.sources.push(Shared::new(Box::new(nested)));
        self.open_archive(ordinal, self.sources.len() - 1, kind)
    }
}

/// Whether the bytes begin a zip archive that is not a document in zip clothes.
fn is_zip(head: &[u8]) -> bool {
    let empty = head.starts_with(b"PK\x05\x06");
    empty
        || head.starts_with(ZIP_MAGIC)
            && infer::get(head).is_none_or(|kind| kind.mime_type() == "application/zip")
}

/// The name with everything escaped that could deceive the eye.
fn escaped(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for letter in name.chars() {
        let deceives = letter.is_control()
            || letter == '\\'
            || matches!(letter, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}' | '\u{FEFF}');
        if deceives {
            shown.extend(letter.escape_unicode());
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Whether a name would leave its folder, or name a device, if it were a path.
fn is_path_like(name: &str) -> bool {
    let reserved = |part: &str| {
        let stem = part.split('.').next().unwrap_or(part).to_ascii_uppercase();
        let numbered = stem.len() == 4
            && (stem.starts_with("COM") || stem.starts_with("LPT"))
            && stem.ends_with(|digit: char| digit.is_ascii_digit());
        numbered || matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
    };
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/') || drive || name.split('/').any(|part| part == ".." || reserved(part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::MemorySource;

    #[test]
    fn names_that_deceive_are_escaped() {
        assert_eq!(escaped("a\u{202E}gpj.exe"), "a\\u{202e}gpj.exe");
        assert_eq!(escaped("日本 é.txt"), "日本 é.txt");
        for name in [
            "../a",
            "/etc/passwd",
            "C:x",
            "a/../../b",
            "aux.txt",
            "x/COM1",
        ] {
            assert!(is_path_like(name), "{name}");
        }
        assert!(!is_path_like("a/b..c/com.txt"));
    }

    #[test]
    fn several_plain_files_lie_beside_each_other() {
        let sources: Vec<Box<dyn Source>> = vec![
            Box::new(MemorySource::new("a.txt", *b"one")),
            Box::new(MemorySource::new("b.txt", *b"two")),
        ];
        let mut container = Container::open(sources, Budget::default()).unwrap();
        assert_eq!(container.entries().len(), 2);
        assert_eq!(container.head(1, 10).unwrap(), b"two");
        assert!(container.head(2, 1).is_err());
    }
}
