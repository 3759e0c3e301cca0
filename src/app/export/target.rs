//! The file an export is written into: private, new, and gone again unless it is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, linkat, open};
use rustix::io::Errno;

use crate::app::{AppError, Result};
use crate::ingest::Span;
use crate::store::Scratch;

/// Bytes read back at a time.
const CHUNK_BYTES: usize = 1 << 18;

/// What the bytes go into.
enum Medium {
    /// The file that was asked for.
    Plain(File),
    /// A sealed file among what is staged.
    Sealed(Arc<Scratch>),
}

impl Medium {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Medium::Plain(file) => file.read_at(buffer, at),
            Medium::Sealed(scratch) => scratch.read_at(at, buffer),
        }
    }
}

/// A file that is being written. It has no name until it is whole, where the file system can do
/// that, so that even a killed process leaves nothing; elsewhere it is removed when it is dropped
/// without [`Target::keep`].
pub(super) struct Target {
    path: PathBuf,
    medium: Medium,
    /// Whether something lies under the name that must go if it is not kept.
    named: bool,
}

impl Target {
    /// Begins the file, whose name must be free; only its owner may read it.
    pub fn create(path: &Path) -> Result<Target> {
        if path.symlink_metadata().is_ok() {
            return Err(taken(path));
        }
        let (file, named) = match nameless(folder_of(path)) {
            Some(file) => (file, false),
            None => (create_named(path)?, true),
        };
        Ok(Target {
            path: path.to_owned(),
            medium: Medium::Plain(file),
            named,
        })
    }

    /// Writes into a sealed file, which never has a name.
    pub fn sealed(scratch: Arc<Scratch>) -> Target {
        Target {
            path: PathBuf::new(),
            medium: Medium::Sealed(scratch),
            named: false,
        }
    }

    /// The sealed file, where it is one.
    pub fn sealed_file(&self) -> Option<Arc<Scratch>> {
        match &self.medium {
            Medium::Plain(_) => None,
            Medium::Sealed(scratch) => Some(Arc::clone(scratch)),
        }
    }

    /// Something to write with, from the start on.
    pub fn pen(&self) -> Pen<'_> {
        Pen {
            medium: &self.medium,
            at: 0,
        }
    }

    /// Reads a part that was written and flushed, independent of the writing.
    pub fn part(&self, span: Span) -> Part<'_> {
        Part {
            medium: &self.medium,
            at: span.start,
            left: span.length,
        }
    }

    /// Gives it its name, which must still be free, and makes both durable. What is sealed has none.
    pub fn publish(&mut self) -> Result<()> {
        let Medium::Plain(file) = &self.medium else {
            return Ok(());
        };
        let failed = |error: io::Error| AppError::file(&self.path, &error);
        file.sync_all().map_err(failed)?;
        if !self.named {
            let open = format!("/proc/self/fd/{}", file.as_raw_fd());
            match linkat(CWD, open, CWD, &self.path, AtFlags::SYMLINK_FOLLOW) {
                Err(Errno::EXIST) => return Err(taken(&self.path)),
                linked => linked.map_err(|error| failed(error.into()))?,
            }
            self.named = true;
        }
        File::open(folder_of(&self.path))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }

    /// Lets it stay.
    pub fn keep(mut self) {
        self.named = false;
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if self.named {
            // Nothing more can be done here; the outcome in the log says that the export failed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A file without a name in this folder; `None` where the file system knows no such thing, or where
/// it could not be named later.
fn nameless(folder: &Path) -> Option<File> {
    if !Path::new("/proc/self/fd").is_dir() {
        return None;
    }
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    let file = open(folder, flags, Mode::RUSR | Mode::WUSR).ok()?;
    Some(File::from(file))
}

fn create_named(path: &Path) -> Result<File> {
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    opened.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => AppError::file(path, &error),
    })
}

/// The refusal of a name that is taken.
pub(super) fn taken(path: &Path) -> AppError {
    AppError::Conflict(format!(
        "{} exists already: name a new file",
        path.display()
    ))
}

/// Writes from a place that can be moved.
pub(super) struct Pen<'a> {
    medium: &'a Medium,
    at: u64,
}

impl io::Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = match self.medium {
            Medium::Plain(file) => file.write_at(bytes, self.at)?,
            Medium::Sealed(scratch) => scratch.write_at(self.at, bytes)?,
        };
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl io::Seek for Pen<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            // Nobody who writes a bundle asks where it ends.
            SeekFrom::End(_) => None,
        };
        self.at = at.ok_or(io::ErrorKind::Unsupported)?;
        Ok(self.at)
    }
}

/// A part of the file, read by position.
pub(super) struct Part<'a> {
    medium: &'a Medium,
    at: u64,
    left: u64,
}

impl io::Read for Part<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.medium.read_at(&mut buffer[..most], self.at)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    fn whole(target: &Target, length: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let span = Span { start: 0, length };
        target.part(span).read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_not_kept_is_gone_and_what_is_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.tar");
        let mut target = Target::create(&path).unwrap();
        target.pen().write_all(b"some bytes").unwrap();
        assert_eq!(whole(&target, 4), b"some");
        target.publish().unwrap();
        assert!(path.exists());
        drop(target);
        assert!(!path.exists());
        let mut target = Target::create(&path).unwrap();
        target.pen().write_all(b"kept").unwrap();
        target.publish().unwrap();
        target.keep();
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        assert!(matches!(Target::create(&path), Err(AppError::Conflict(_))));
    }

    #[test]
    fn a_name_that_was_taken_meanwhile_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.tar");
        let mut target = Target::create(&path).unwrap();
        if target.named {
            return; // The name was taken from the start on.
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        fs::write(&path, b"mine").unwrap();
        assert!(matches!(target.publish(), Err(AppError::Conflict(_))));
        drop(target);
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }

    #[test]
    fn without_nameless_files_it_is_removed_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out.tar");
        let file = create_named(&path).unwrap();
        let target = Target {
            path: path.clone(),
            medium: Medium::Plain(file),
            named: true,
        };
        assert!(matches!(create_named(&path), Err(AppError::Conflict(_))));
        drop(target);
        assert!(!path.exists());
    }
}
