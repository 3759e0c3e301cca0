//! Files on their way into the bundle: each is hashed while it is written.

use std::io::{self, BufWriter, Write};

use super::manifest::FileLine;
use super::target::Pen;
use crate::crypto::{Hasher, hex};
use crate::domain::Timestamp;
use crate::ingest::{BundleWriter, Span};

/// Bytes collected before they are written.
const BUFFER_BYTES: usize = 1 << 18;

/// The bundle while it is written.
pub(super) struct Packing<'f> {
    bundle: BundleWriter<BufWriter<Pen<'f>>>,
    name: String,
    hasher: Hasher,
    /// Every file that was ended, in order.
    pub files: Vec<FileLine>,
}

impl<'f> Packing<'f> {
    /// A bundle in an empty file; every entry carries this time.
    pub fn new(pen: Pen<'f>, time: Timestamp) -> Self {
        Self {
            bundle: BundleWriter::new(BufWriter::with_capacity(BUFFER_BYTES, pen), time),
            name: String::new(),
            hasher: Hasher::new(),
            files: Vec::new(),
        }
    }

    /// Begins a file.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        self.bundle.begin(name)?;
        name.clone_into(&mut self.name);
        self.hasher = Hasher::new();
        Ok(())
    }

    /// Ends it and says where it lies.
    pub fn end(&mut self) -> io::Result<Span> {
        let span = self.bundle.end()?;
        let hasher = std::mem::replace(&mut self.hasher, Hasher::new());
        self.files.push(FileLine {
            name: std::mem::take(&mut self.name),
            sha256: hex(&hasher.finish()),
            size: span.length,
        });
        Ok(span)
    }

    /// A whole file at once.
    pub fn file(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name)?;
        self.write_all(bytes)?;
        self.end().map(drop)
    }

    /// Ends the bundle and gives its length.
    pub fn finish(self) -> io::Result<u64> {
        let mut inner = self.bundle.finish()?;
        io::Seek::stream_position(&mut inner)
    }
}

impl Write for Packing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.bundle.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.bundle.flush()
    }
}

/// Takes bytes for their hash and number alone.
pub(super) struct Measure {
    hasher: Hasher,
    /// Bytes so far.
    pub bytes: u64,
}

impl Measure {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            hasher: Hasher::new(),
            bytes: 0,
        }
    }

    /// SHA-256 in hex.
    pub fn finish(self) -> String {
        hex(&self.hasher.finish())
    }
}

impl Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
