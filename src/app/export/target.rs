//! The file an export is written into: private, new, and gone again unless it is kept.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::app::{AppError, Result};
use crate::ingest::Span;

/// Bytes read back at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// A file that is being written. Dropped without [`Target::keep`], it is removed.
pub(super) struct Target {
    path: PathBuf,
    file: File,
    kept: bool,
}

impl Target {
    /// Makes the file, which must not exist; only its owner may read it.
    pub fn create(path: &Path) -> Result<Target> {
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let file = opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(path),
            _ => AppError::file(path, &error),
        })?;
        Ok(Target {
            path: path.to_owned(),
            file,
            kept: false,
        })
    }

    /// The file, to be written from its start on.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Reads a part that was written and flushed, independent of the writing.
    pub fn part(&self, span: Span) -> Part<'_> {
        Part {
            file: &self.file,
            at: span.start,
            left: span.length,
        }
    }

    /// Makes it durable under its name.
    pub fn sync(&self) -> Result<()> {
        let failed = |error: io::Error| AppError::file(&self.path, &error);
        self.file.sync_all().map_err(failed)?;
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }

    /// Lets it stay.
    pub fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done here; the outcome in the log says that the export failed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The refusal of a name that is taken.
pub(super) fn taken(path: &Path) -> AppError {
    AppError::Conflict(format!(
        "{} exists already: name a new file",
        path.display()
    ))
}

/// A part of the file, read by position.
pub(super) struct Part<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl io::Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

impl<'a> Part<'a> {
    /// The part with a buffer, to be read line by line.
    pub fn lines(self) -> io::BufReader<Part<'a>> {
        io::BufReader::with_capacity(CHUNK_BYTES, self)
    }
}
