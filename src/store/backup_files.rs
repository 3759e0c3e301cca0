//! The files of a backup: written under a temporary name and renamed as a whole, read back by name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use super::StoreError;
use crate::crypto::{Digest, Hasher};

/// Bytes read at a time while a file is hashed or copied.
const CHUNK_BYTES: usize = 1 << 20;
/// What the name of an unfinished backup ends with.
const UNFINISHED: &str = ".part";

/// A backup that is being written: `<target>/<name>.part` until [`BackupDraft::finish`].
#[derive(Debug)]
pub struct BackupDraft {
    target: PathBuf,
    name: String,
    files: BackupFiles,
}

impl BackupDraft {
    /// Begins one below `target`, which is made when absent. A draft of the same name goes.
    pub fn begin(target: &Path, name: &str) -> Result<BackupDraft, StoreError> {
        make_dir(target)?;
        let root = target.join(format!("{name}{UNFINISHED}"));
        if target.join(name).exists() {
            return Err(StoreError::Exists(target.join(name)));
        }
        remove_tree(&root)?;
        make_dir(&root)?;
        Ok(BackupDraft {
            target: target.to_owned(),
            name: name.to_owned(),
            files: BackupFiles { root },
        })
    }

    /// Removes what a killed backup of this name left; none is no error.
    pub fn discard(target: &Path, name: &str) -> Result<(), StoreError> {
        remove_tree(&target.join(format!("{name}{UNFINISHED}")))
    }

    /// The files written so far.
    pub fn files(&self) -> &BackupFiles {
        &self.files
    }

    /// Makes everything durable and gives the backup its name; where it lies now.
    pub fn finish(self) -> Result<PathBuf, StoreError> {
        sync_tree(&self.files.root)?;
        let whole = self.target.join(&self.name);
        fs::rename(&self.files.root, &whole).map_err(|error| StoreError::file(&whole, error))?;
        sync_dir(&self.target)?;
        Ok(whole)
    }
}

/// A directory with the files of a backup. Names use `/` and never leave it.
#[derive(Clone, Debug)]
pub struct BackupFiles {
    root: PathBuf,
}

impl BackupFiles {
    /// The files below `root`, whether it exists or not.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a file lies. A name that leaves the directory is `Corrupt`.
    pub fn path(&self, name: &str) -> Result<PathBuf, StoreError> {
        let is_below = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        match is_below && !name.is_empty() {
            true => Ok(self.root.join(name)),
            false => Err(StoreError::Corrupt(format!(
                "a backup names the file {name:?}, which lies outside of it"
            ))),
        }
    }

    /// Whether the directory exists.
    pub fn exists(&self) -> bool {
        self.root.is_dir()
    }

    /// Writes a file whole: temporary name, fsync, rename, fsync of its directory.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.path(name)?;
        let parent = path.parent().unwrap_or(&self.root).to_owned();
        make_dir(&parent)?;
        super::directory::replace_file(&path, bytes)
    }

    /// Takes a file into the backup: a hard link where the file system allows, else a copy. The
    /// file must be one that is never changed in place.
    pub fn take(&self, from: &Path, name: &str) -> Result<(), StoreError> {
        let to = self.path(name)?;
        make_dir(to.parent().unwrap_or(&self.root))?;
        match fs::hard_link(from, &to) {
            Ok(()) => Ok(()),
            Err(_) => copy_file(from, &to),
        }
    }

    /// Copies a file out of the backup.
    pub fn give(&self, name: &str, to: &Path) -> Result<(), StoreError> {
        if let Some(parent) = to.parent() {
            make_dir(parent)?;
        }
        copy_file(&self.path(name)?, to)
    }

    /// Reads a file of at most `bytes_max` bytes; `None` when there is none.
    pub fn read(&self, name: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(name)?;
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(StoreError::file(path, error)),
            Ok(_) => super::directory::read_bounded(&path, bytes_max).map(Some),
        }
    }

    /// Length and SHA-256 of a file; `None` when there is none.
    pub fn digest(&self, name: &str) -> Result<Option<(u64, Digest)>, StoreError> {
        let path = self.path(name)?;
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(|error| StoreError::file(&path, error))?,
        };
        let mut hasher = Hasher::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut length = 0;
        loop {
            let count = file
                .read(&mut chunk)
                .map_err(|error| StoreError::file(&path, error))?;
            if count == 0 {
                return Ok(Some((length, hasher.finish())));
            }
            hasher.update(&chunk[..count]);
            length += count as u64;
        }
    }

    /// The names of all files, in order.
    pub fn names(&self) -> Result<Vec<String>, StoreError> {
        let mut names = Vec::new();
        let mut folders = vec![self.root.clone()];
        while let Some(folder) = folders.pop() {
            let failed = |error| StoreError::file(&folder, error);
            for entry in fs::read_dir(&folder).map_err(failed)? {
                let path = entry.map_err(failed)?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(name) = path.strip_prefix(&self.root) {
                    names.push(name.to_string_lossy().into_owned());
                }
            }
        }
        names.sort();
        Ok(names)
    }
}

/// Reads a file from anywhere, at most `bytes_max` bytes.
pub fn read_file(path: &Path, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
    super::directory::read_bounded(path, bytes_max)
}

/// Replaces a file whole, durably, readable for its owner only; its directory is made when absent.
pub fn replace_whole_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    if let Some(parent) = path.parent() {
        make_dir(parent)?;
    }
    super::directory::replace_file(path, bytes)
}

fn copy_file(from: &Path, to: &Path) -> Result<(), StoreError> {
    let copy = || -> io::Result<()> {
        let mut source = File::open(from)?;
        let mut sink = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(to)?;
        io::copy(&mut source, &mut sink)?;
        sink.flush()?;
        sink.sync_all()
    };
    copy().map_err(|error| StoreError::file(to, error))
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StoreError::file(path, error))
}

fn remove_tree(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::file(path, error)),
        _ => Ok(()),
    }
}

fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| StoreError::file(path, error))
}

/// Syncs every directory below, deepest last seen first; the files were synced when written.
fn sync_tree(root: &Path) -> Result<(), StoreError> {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |error| StoreError::file(&folder, error);
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                folders.push(path);
            }
        }
        sync_dir(&folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_becomes_whole_or_stays_a_draft() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("target");
        let draft = BackupDraft::begin(&target, "one").unwrap();
        draft.files().write("log/tile/0", b"x").unwrap();
        assert!(!target.join("one").exists());
        drop(draft);
        assert!(target.join("one.part").exists(), "killed: still no backup");
        let draft = BackupDraft::begin(&target, "one").unwrap();
        assert_eq!(draft.files().names().unwrap(), Vec::<String>::new());
        draft.files().write("log/tile/0", b"y").unwrap();
        let files = BackupFiles::new(&draft.finish().unwrap());
        assert_eq!(files.names().unwrap(), ["log/tile/0"]);
        assert_eq!(files.read("log/tile/0", 9).unwrap().unwrap(), b"y");
        assert!(BackupDraft::begin(&target, "one").is_err());
    }

    #[test]
    fn no_name_leaves_the_backup() {
        let files = BackupFiles::new(Path::new("/nowhere"));
        for name in ["", "../x", "/etc/passwd", "a/../../b", "./a"] {
            assert!(files.path(name).is_err(), "{name}");
        }
        assert!(files.path("blobs/ab").is_ok());
    }
}
