//! An archive inside an archive as a source: unpacked into memory when it is read, and forgotten when the
//! memory for such archives is used up.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use super::budget::{NESTED_BYTES_MAX, NESTED_HELD_BYTES_MAX};
use super::mailed;
use super::source::{Cursor, Shared, Source};
use super::zipped::ZippedEntry;
use crate::domain::Timestamp;

/// Where the bytes of a nested archive lie in the archive around it.
pub enum Inside<'a> {
    /// An entry of a zip.
    Zip(Shared<'a>, Rc<ZippedEntry>),
    /// So many bytes of a source, from one on.
    Slice(Shared<'a>, u64, u64),
    /// The file of this number in a mail.
    Mail(Shared<'a>, usize),
}

impl Inside<'_> {
    /// The bytes, at most [`NESTED_BYTES_MAX`].
    ///
    /// # Errors
    /// What the medium reports, and when the archive around it is damaged there.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self {
            Inside::Zip(source, entry) => {
                let medium = Cursor::new(source)?;
                let unpacked = entry.read(medium, |unpacking| {
                    Ok(unpacking.take(NESTED_BYTES_MAX).read_to_end(&mut bytes)?)
                });
                unpacked.map_err(io::Error::other)?;
            }
            Inside::Slice(source, start, length) => {
                let slice = Cursor::at(source, *start)?.take(*length);
                slice.take(NESTED_BYTES_MAX).read_to_end(&mut bytes)?;
            }
            Inside::Mail(source, number) => bytes = mailed::file(source, *number)?,
        }
        Ok(bytes)
    }
}

/// The bytes of an archive, and its number.
type Held = (u64, Rc<Vec<u8>>);

/// What is held in memory of nested archives, the least used first.
#[derive(Clone, Default)]
pub struct Shelf {
    held: Rc<RefCell<Vec<Held>>>,
    /// How many archives were put on it.
    next: Rc<RefCell<u64>>,
}

impl Shelf {
    /// A number for one more archive.
    fn number(&self) -> u64 {
        let mut next = self.next.borrow_mut();
        *next += 1;
        *next
    }

    /// What is held under a number, now the most used.
    fn get(&self, number: u64) -> Option<Rc<Vec<u8>>> {
        let mut held = self.held.borrow_mut();
        let at = held.iter().position(|(one, _)| *one == number)?;
        let found = held.remove(at);
        let bytes = Rc::clone(&found.1);
        held.push(found);
        Some(bytes)
    }

    /// Holds the bytes of an archive, and lets go of others where they are too many together.
    fn put(&self, number: u64, bytes: Vec<u8>) -> Rc<Vec<u8>> {
        let bytes = Rc::new(bytes);
        let mut held = self.held.borrow_mut();
        held.push((number, Rc::clone(&bytes)));
        let mut total: usize = held.iter().map(|(_, bytes)| bytes.len()).sum();
        while total > NESTED_HELD_BYTES_MAX && held.len() > 1 {
            total -= held.remove(0).1.len();
        }
        bytes
    }
}

/// A nested archive.
pub struct Nested<'a> {
    name: String,
    modified: Option<Timestamp>,
    length: u64,
    inside: Inside<'a>,
    shelf: Shelf,
    number: u64,
}

impl<'a> Nested<'a> {
    /// An archive whose bytes were just read from `inside`.
    pub fn new(
        name: &str,
        modified: Option<Timestamp>,
        bytes: Vec<u8>,
        inside: Inside<'a>,
        shelf: &Shelf,
    ) -> Self {
        let (number, length) = (shelf.number(), bytes.len() as u64);
        shelf.put(number, bytes);
        Self {
            name: name.to_owned(),
            modified,
            length,
            inside,
            shelf: shelf.clone(),
            number,
        }
    }
}

impl Source for Nested<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.length)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = match self.shelf.get(self.number) {
            Some(bytes) => bytes,
            None => self.shelf.put(self.number, self.inside.read()?),
        };
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let count = buffer.len().min(bytes.len() - start);
        buffer[..count].copy_from_slice(&bytes[start..start + count]);
        Ok(count)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.modified
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::MemorySource;

    #[test]
    fn what_was_let_go_is_read_again() {
        let shelf = Shelf::default();
        let size = NESTED_HELD_BYTES_MAX / 2 - 1;
        let mut archives: Vec<Nested<'_>> = (0..4u8)
            .map(|fill| {
                let bytes = vec![fill; size];
                let source = Shared::new(Box::new(MemorySource::new("a", bytes.clone())));
                let inside = Inside::Slice(source, 0, size as u64);
                Nested::new("a", None, bytes, inside, &shelf)
            })
            .collect();
        for round in 0..2 {
            for (fill, archive) in archives.iter_mut().enumerate() {
                let mut byte = [9];
                let at = (size - 1 - round) as u64;
                assert_eq!(archive.read_at(at, &mut byte).unwrap(), 1);
                assert_eq!(usize::from(byte[0]), fill);
            }
        }
        let held: usize = shelf
            .held
            .borrow()
            .iter()
            .map(|(_, bytes)| bytes.len())
            .sum();
        assert!(held <= NESTED_HELD_BYTES_MAX);
    }
}
