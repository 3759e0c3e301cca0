//! Files of the host that use-cases touch: secrets, configuration, sources of imports.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{AppError, Result};
use crate::domain::Timestamp;
use crate::ingest::Source;

/// Reads a text file of at most `bytes_max` bytes.
pub fn read_text(path: &Path, bytes_max: u64) -> Result<String> {
    let bytes = read_bytes(path, bytes_max)?;
    String::from_utf8(bytes)
        .map_err(|_| AppError::Configuration(format!("{}: not UTF-8 text", path.display())))
}

/// Reads a file of at most `bytes_max` bytes.
pub fn read_bytes(path: &Path, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|error| AppError::Configuration(format!("{}: {error}", path.display())))?;
    if bytes.len() as u64 > bytes_max {
        return Err(AppError::Configuration(format!(
            "{}: too long",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Writes a secret that only the owner may read; never replaces a file.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    write_private(path, bytes, OpenOptions::new().create_new(true))
}

/// Writes a secret that only the owner may read, replacing an elder: whoever is cut off leaves the
/// one or the other, and nothing between.
pub fn replace_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let draft = path.with_extension("new");
    write_private(
        &draft,
        bytes,
        OpenOptions::new().create(true).truncate(true),
    )?;
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let folder = folder.unwrap_or_else(|| Path::new("."));
    fs::rename(&draft, path)
        .and_then(|()| File::open(folder)?.sync_all())
        .map_err(|error| AppError::file(path, &error))
}

fn write_private(path: &Path, bytes: &[u8], options: &mut OpenOptions) -> Result<()> {
    let mut write = || -> io::Result<()> {
        if let Some(parent) = path.parent() {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
        }
        let mut file = options.write(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| AppError::file(path, &error))
}

/// A file on disk as a source of an import.
pub struct FileSource {
    file: File,
    name: String,
    length: u64,
    modified: Option<Timestamp>,
}

impl FileSource {
    /// Opens a regular file; it goes by its own name.
    pub fn open(path: &Path) -> Result<FileSource> {
        let name = path.file_name().unwrap_or_default();
        FileSource::named(path, name.to_string_lossy().into_owned())
    }

    /// Opens a regular file of a folder, which goes by its path from there, told with slashes, the folder's
    /// own name in front: what lies beside what is part of what a format tells.
    pub fn open_in(folder: &Path, path: &Path) -> Result<FileSource> {
        let own = match folder.file_name() {
            Some(own) => Some(own.to_owned()),
            None => folder
                .canonicalize()
                .ok()
                .and_then(|folder| folder.file_name().map(ToOwned::to_owned)),
        };
        let below = path.strip_prefix(folder).unwrap_or(path);
        let own = own.iter().map(|own| own.to_string_lossy());
        let below = below.iter().map(|part| part.to_string_lossy());
        FileSource::named(path, own.chain(below).collect::<Vec<_>>().join("/"))
    }

    fn named(path: &Path, name: String) -> Result<FileSource> {
        let failed = |error: io::Error| AppError::file(path, &error);
        let file = File::open(path).map_err(failed)?;
        let meta = file.metadata().map_err(failed)?;
        if !meta.is_file() {
            return Err(AppError::Usage(format!(
                "{}: not a regular file",
                path.display()
            )));
        }
        let modified = meta
            .modified()
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_micros()).ok())
            .map(Timestamp);
        Ok(FileSource {
            file,
            name,
            length: meta.len(),
            modified,
        })
    }
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.length)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.modified
    }
}

/// The regular files of a folder and the folders below it, in order of their paths.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error: io::Error| AppError::file(&folder, &error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            // Links are not followed: an import takes what lies in the folder.
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_replaced_whole_whatever_a_crash_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pins/one");
        replace_secret(&path, b"the first state").unwrap();
        fs::write(path.with_extension("new"), b"cut o").unwrap();
        assert_eq!(read_bytes(&path, 100).unwrap(), b"the first state");
        replace_secret(&path, b"later").unwrap();
        assert_eq!(read_bytes(&path, 100).unwrap(), b"later");
        assert_eq!(files_below(dir.path()).unwrap(), [path]);
    }
}
