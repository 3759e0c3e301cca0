//! The data directory: its layout, its lock, and files that are replaced as a whole.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fs4::TryLockError;
use memchr::memmem::Finder;

use super::StoreError;

/// Name of the file of unlock slots inside the keys directory.
pub const SLOTS_FILE: &str = "slots";
/// Name of the file of the keyhold inside the keys directory.
pub const KEYHOLD_FILE: &str = "keyhold";
/// Longest key file that is read, in bytes.
const KEY_FILE_BYTES_MAX: u64 = 1 << 20;

/// An opened and locked data directory. The lock ends with the value.
#[derive(Debug)]
pub struct DataDirectory {
    root: PathBuf,
    keys: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the layout in `root`, which must be absent or empty, with keys in `keys` (default
    /// `root/keys`), and locks it. Everything is readable by the owner only.
    pub fn create(root: &Path, keys: Option<&Path>) -> Result<Self, StoreError> {
        if root.join("wordkeep.db").exists() || root.join("keys").exists() {
            return Err(StoreError::Exists(root.to_owned()));
        }
        let keys = keys.map_or_else(|| root.join("keys"), Path::to_owned);
        // Keys that lie elsewhere may be those of another data directory: they are never replaced.
        if keys.join(SLOTS_FILE).exists() || keys.join(KEYHOLD_FILE).exists() {
            return Err(StoreError::Exists(keys));
        }
        for dir in [root.to_owned(), keys.clone()]
            .into_iter()
            .chain(["blobs", "index", "staging", "spool", "log"].map(|name| root.join(name)))
        {
            make_dir(&dir)?;
        }
        let lock = lock(root)?;
        sync_dir(root)?;
        Ok(Self {
            root: root.to_owned(),
            keys,
            _lock: lock,
        })
    }

    /// Locks the data directory at `root`. Fails with `Missing` or `Locked`.
    pub fn open(root: &Path, keys: Option<&Path>) -> Result<Self, StoreError> {
        if !root.join("wordkeep.db").is_file() {
            return Err(StoreError::Missing(root.to_owned()));
        }
        let keys = keys.map_or_else(|| root.join("keys"), Path::to_owned);
        Ok(Self {
            root: root.to_owned(),
            keys,
            _lock: lock(root)?,
        })
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Path of the database.
    pub fn database(&self) -> PathBuf {
        self.root.join("wordkeep.db")
    }

    /// Directory of the sealed search index.
    pub fn index(&self) -> PathBuf {
        self.root.join("index")
    }

    /// Directory in which a search index is built anew beside the one in use.
    pub fn index_draft(&self) -> PathBuf {
        self.root.join("index.new")
    }

    /// Removes an unfinished draft of the index; none is no error.
    pub fn drop_index_draft(&self) -> Result<(), StoreError> {
        remove_tree(&self.index_draft())
    }

    /// Puts the draft in the place of the index, whose files go. It can be repeated after a crash
    /// at any point: without a draft only what is left of the old index is removed.
    pub fn promote_index_draft(&self) -> Result<(), StoreError> {
        let (draft, index) = (self.index_draft(), self.index());
        let old = self.root.join("index.old");
        if draft.exists() {
            remove_tree(&old)?;
            if index.exists() {
                fs::rename(&index, &old).map_err(|error| StoreError::file(&index, error))?;
            }
            fs::rename(&draft, &index).map_err(|error| StoreError::file(&draft, error))?;
            sync_dir(&self.root)?;
        }
        remove_tree(&old)
    }

    /// Directory of sealed blobs.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// Directory of hash tiles and checkpoints of the audit log.
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Reads a file of the keys directory, at most 1 MiB.
    pub fn read_key_file(&self, name: &str) -> Result<Vec<u8>, StoreError> {
        read_bounded(&self.keys.join(name), KEY_FILE_BYTES_MAX)
    }

    /// Replaces a file of the keys directory: temporary file, fsync, rename, fsync of the directory.
    pub fn write_key_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        replace_file(&self.keys.join(name), bytes)
    }

    /// Overwrites a file of the keys directory in place and syncs it: the old bytes must not stay
    /// behind in a block that a rename would merely let go. `bytes` must have the old length.
    pub fn overwrite_key_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.keys.join(name);
        let mut file = OpenOptions::new()
            .write(true)
            .open(&path)
            .map_err(|error| StoreError::file(&path, error))?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .map_err(|error| StoreError::file(&path, error))
    }

    /// Makes an empty file that only the owner may read, unless it is there.
    pub(super) fn make_private(&self, path: &Path) -> Result<(), StoreError> {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map(drop)
            .map_err(|error| StoreError::file(path, error))
    }

    /// Writes a file under `log/` (hashes and signatures only), replacing an elder whole.
    /// `name` may hold directories, separated by `/`.
    pub fn write_log_file(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.log().join(name);
        if let Some(parent) = path.parent() {
            make_dir(parent)?;
        }
        replace_file(&path, bytes)
    }

    /// Reads a file under `log/`; `None` when there is none. At most 1 MiB.
    pub fn read_log_file(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.log().join(name);
        match read_bounded(&path, KEY_FILE_BYTES_MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError::File { source, .. })
                if source.kind() == std::io::ErrorKind::NotFound =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Removes a file under `log/`, for instance a partial tile that a wider one replaced. One that
    /// is gone already is no error.
    pub fn remove_log_file(&self, name: &str) -> Result<(), StoreError> {
        let path = self.log().join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::file(path, error))
            }
            _ => Ok(()),
        }
    }
}

/// Bytes of a file that are looked through at a time.
const SCAN_BYTES: usize = 1 << 20;

impl DataDirectory {
    /// In how many files of database, index, blobs, staging and spool one of the words stands
    /// readable. Words are compared as UTF-8 and as UTF-16LE.
    pub fn files_with(&self, words: &[&str]) -> Result<u64, StoreError> {
        let mut needles: Vec<Vec<u8>> = Vec::new();
        for word in words {
            needles.push(word.as_bytes().to_vec());
            needles.push(word.encode_utf16().flat_map(u16::to_le_bytes).collect());
        }
        if needles.is_empty() {
            return Ok(0);
        }
        let finders: Vec<Finder<'_>> = needles.iter().map(Finder::new).collect();
        let mut waiting = vec![self.index(), self.blobs()];
        waiting.extend(["staging", "spool"].map(|name| self.root.join(name)));
        for end in ["", "-wal", "-shm"] {
            waiting.push(self.root.join(format!("wordkeep.db{end}")));
        }
        let mut hits = 0;
        while let Some(path) = waiting.pop() {
            let failed = |error| StoreError::file(&path, error);
            match fs::metadata(&path) {
                // Gone meanwhile: then nothing of it is readable.
                Err(_) => {}
                Ok(meta) if meta.is_dir() => {
                    for entry in fs::read_dir(&path).map_err(failed)? {
                        waiting.push(entry.map_err(failed)?.path());
                    }
                }
                Ok(_) => hits += u64::from(holds_any(&path, &finders).map_err(failed)?),
            }
        }
        Ok(hits)
    }
}

fn holds_any(path: &Path, finders: &[Finder<'_>]) -> std::io::Result<bool> {
    let longest = finders.iter().map(|finder| finder.needle().len()).max();
    let overlap = longest.unwrap_or(1).saturating_sub(1);
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut buffer = vec![0; overlap + SCAN_BYTES];
    // The end of the piece before stands in front of each piece: a word may lie across both.
    let mut kept = 0;
    loop {
        let read = file.read(&mut buffer[kept..])?;
        if read == 0 {
            return Ok(false);
        }
        let filled = kept + read;
        let piece = &buffer[..filled];
        if finders.iter().any(|finder| finder.find(piece).is_some()) {
            return Ok(true);
        }
        kept = filled.min(overlap);
        buffer.copy_within(filled - kept..filled, 0);
    }
}

fn remove_tree(path: &Path) -> Result<(), StoreError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::file(path, error))
        }
        _ => Ok(()),
    }
}

fn make_dir(path: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| StoreError::file(path, error))
}

fn lock(root: &Path) -> Result<File, StoreError> {
    let path = root.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| StoreError::file(&path, error))?;
    // A process that another thread is just starting holds every open file until its program begins.
    for _ in 0..LOCK_TRIES {
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(StoreError::file(path, error)),
        }
    }
    Err(StoreError::Locked(root.to_owned()))
}

/// How often the lock is tried, and the pause between: half a second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

pub(super) fn read_bounded(path: &Path, bytes_max: u64) -> Result<Vec<u8>, StoreError> {
    let file = File::open(path).map_err(|error| StoreError::file(path, error))?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| StoreError::file(path, error))?;
    if bytes.len() as u64 > bytes_max {
        return Err(StoreError::Corrupt(format!(
            "{}: longer than allowed",
            path.display()
        )));
    }
    Ok(bytes)
}

pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let temporary = path.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)
    };
    write().map_err(|error| StoreError::file(path, error))?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes the names inside a directory durable.
fn sync_dir(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|dir| dir.sync_all())
        .map_err(|error| StoreError::file(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_process_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("data");
        let first = DataDirectory::create(&root, None).unwrap();
        fs::write(first.database(), b"x").unwrap();
        assert!(matches!(
            DataDirectory::open(&root, None),
            Err(StoreError::Locked(_))
        ));
        drop(first);
        assert!(DataDirectory::open(&root, None).is_ok());
    }

    #[test]
    fn a_new_directory_never_replaces_an_old_one() {
        let dir = tempfile::tempdir().unwrap();
        drop(DataDirectory::create(dir.path(), None).unwrap());
        assert!(matches!(
            DataDirectory::create(dir.path(), None),
            Err(StoreError::Exists(_))
        ));
    }
}
