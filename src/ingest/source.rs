//! Where bytes come from: a named thing that can be read at any offset.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::domain::Timestamp;

/// Bytes that can be read at any offset, as often as the reader likes. Files, sealed uploads and
/// byte ranges asked over a pipe all look like this; `ingest` itself opens nothing.
pub trait Source {
    /// The name the bytes arrived under. A label, never a path.
    fn name(&self) -> &str;
    /// Length in bytes, or `None` when only reading to the end tells.
    fn len(&self) -> Option<u64>;
    /// Reads up to `buffer.len()` bytes that start at `offset`; 0 means the end was reached.
    ///
    /// # Errors
    /// Whatever the medium reports; the import stops and can be repeated.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
    /// When the file was last written, if the medium knows.
    fn modified(&self) -> Option<Timestamp>;
    /// Whether the length is known to be 0.
    fn is_empty(&self) -> bool {
        self.len() == Some(0)
    }
}

/// A source over bytes in memory: small files, and tests.
#[derive(Clone, Debug)]
pub struct MemorySource {
    name: String,
    bytes: Vec<u8>,
    modified: Option<Timestamp>,
}

impl MemorySource {
    /// A source of these bytes under this name, of unknown date.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.into(),
            modified: None,
        }
    }

    /// The same source with a date of last writing.
    #[must_use]
    pub fn modified_at(mut self, instant: Timestamp) -> Self {
        self.modified = Some(instant);
        self
    }
}

impl Source for MemorySource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.bytes.len() as u64)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        let count = buffer.len().min(self.bytes.len() - start);
        buffer[..count].copy_from_slice(&self.bytes[start..start + count]);
        Ok(count)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.modified
    }
}

/// A source that several readers go through.
#[derive(Clone)]
pub struct Shared<'a> {
    name: String,
    inner: Rc<RefCell<Box<dyn Source + 'a>>>,
}

impl<'a> Shared<'a> {
    /// Shares a source.
    pub fn new(source: Box<dyn Source + 'a>) -> Self {
        Self {
            name: source.name().to_owned(),
            inner: Rc::new(RefCell::new(source)),
        }
    }
}

impl Source for Shared<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        self.inner.borrow().len()
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.inner.borrow_mut().read_at(offset, buffer)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.inner.borrow().modified()
    }
}

/// A source as `Read + Seek`, which the archive readers want.
pub struct Cursor<'a> {
    source: &'a mut dyn Source,
    position: u64,
    length: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor at an offset.
    ///
    /// # Errors
    /// As [`Cursor::new`].
    pub fn at(source: &'a mut dyn Source, offset: u64) -> io::Result<Self> {
        Ok(Self {
            position: offset,
            ..Cursor::new(source)?
        })
    }

    /// A cursor at the first byte.
    ///
    /// # Errors
    /// What the medium reports while the length is being found.
    pub fn new(source: &'a mut dyn Source) -> io::Result<Self> {
        let length = match source.len() {
            Some(length) => length,
            None => measure(source)?,
        };
        Ok(Self {
            source,
            position: 0,
            length,
        })
    }
}

/// The length of a source that does not know its own, by reading it to the end.
fn measure(source: &mut dyn Source) -> io::Result<u64> {
    let mut buffer = vec![0u8; 64 * 1024];
    let mut length = 0;
    loop {
        match source.read_at(length, &mut buffer)? {
            0 => return Ok(length),
            count => length += count as u64,
        }
    }
}

impl Read for Cursor<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Cursor<'_> {
    fn seek(&mut self, target: SeekFrom) -> io::Result<u64> {
        let position = match target {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(delta) => self.length.checked_add_signed(delta),
            SeekFrom::Current(delta) => self.position.checked_add_signed(delta),
        };
        match position {
            Some(position) => {
                self.position = position;
                Ok(position)
            }
            None => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a seek before the first byte",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_and_seeks_like_a_file() {
        let mut source = MemorySource::new("a", *b"0123456789");
        let mut cursor = Cursor::new(&mut source).unwrap();
        let mut two = [0u8; 2];
        cursor.seek(SeekFrom::End(-3)).unwrap();
        cursor.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"78");
        assert!(cursor.seek(SeekFrom::Current(-100)).is_err());
        cursor.seek(SeekFrom::Start(0)).unwrap();
        cursor.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
    }
}
