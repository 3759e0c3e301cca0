//! The engine's directory over sealed files.
//!
//! - Files written once are sealed streams of 16 KiB pages under the key of their segment; the
//!   name of the file, its part and the index are bound, so files cannot be exchanged.
//! - `meta.json` is sealed under `index_meta` with its generation (see `meta`).
//! - `.managed.json` does not exist: the list of files the engine may collect *is* the listing of
//!   the directory, so it can neither be lost nor forged, and no file costs a rewrite of it.
//! - Lock files stay empty.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tantivy::directory::error::{DeleteError, LockError, OpenReadError, OpenWriteError};
use tantivy::directory::{
    AntiCallToken, Directory, DirectoryLock, FileHandle, Lock, TerminatingWrite, WatchCallback,
    WatchCallbackList, WatchHandle,
};

use super::cache::Cache;
use super::error::{Error, FileFailure, Result, shown};
use super::handle::{SealedFile, key_id_of};
use super::keys::{KeyId, SegmentKeys};
use super::meta::{self, MetaState};
use crate::crypto::{Entropy, INDEX_PAGE_LEN, Key, StreamKind, StreamWriter};

const META: &str = "meta.json";
const MANAGED: &str = ".managed.json";
/// Where a rewritten list of segments waits for its rename.
const META_DRAFT: &str = ".meta.json.draft";
/// What the engine's writer expects beneath its own buffer: nothing, the pages are the buffer.
const WRITE_BUFFER_BYTES: usize = 0;

/// What all parts of one index share.
#[derive(Clone)]
pub(super) struct Surroundings {
    /// Names the index in every key derivation: the store's id.
    pub index_id: Arc<str>,
    pub keys: Arc<dyn SegmentKeys>,
    pub entropy: Arc<dyn Entropy>,
    pub cache: Arc<Cache>,
    /// Leave files unsealed: the benchmark's control.
    #[cfg(feature = "plain-control")]
    pub plain: bool,
}

/// One part's directory.
#[derive(Clone)]
pub(super) struct SealedDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    part: String,
    around: Surroundings,
    handles: Mutex<HashMap<PathBuf, Weak<SealedFile>>>,
    segments: Mutex<Segments>,
    list: Mutex<MetaState>,
    watchers: WatchCallbackList,
    failure: Mutex<Option<FileFailure>>,
}

#[derive(Default)]
struct Segments {
    /// Key and living files of every segment by its name.
    living: HashMap<String, SegmentFiles>,
    /// Keys of segments whose last file is gone.
    retired: Vec<KeyId>,
}

struct SegmentFiles {
    key: KeyId,
    files: BTreeSet<PathBuf>,
}

/// The guarded values are whole after every statement, so a panic elsewhere does not spoil them.
/// How often a lock is tried again, and the pause between: half a second in all.
const LOCK_TRIES: u32 = 50;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn segment_of(path: &Path) -> String {
    let name = path.to_string_lossy();
    name.split('.').next().unwrap_or_default().to_owned()
}

fn is_sealed_file(name: &str) -> bool {
    name != META && !name.starts_with('.')
}

impl SealedDirectory {
    /// Opens or creates the directory of a part and reads the list of its segments, if there is
    /// one.
    ///
    /// # Errors
    /// A damaged list, by name.
    pub fn open(root: PathBuf, part: String, around: Surroundings) -> Result<SealedDirectory> {
        fs::create_dir_all(&root).map_err(|error| Error::io(&part, error))?;
        let directory = SealedDirectory {
            inner: Arc::new(Inner {
                root,
                part,
                around,
                handles: Mutex::default(),
                segments: Mutex::default(),
                list: Mutex::default(),
                watchers: WatchCallbackList::default(),
                failure: Mutex::default(),
            }),
        };
        directory.find_segments()?;
        if directory.inner.root.join(META).exists() {
            let (_, state) = directory
                .read_list()
                .map_err(|error| directory.named(META, error))?;
            *lock(&directory.inner.list) = state;
        }
        Ok(directory)
    }

    /// The place of the list of segments now.
    pub fn list(&self) -> MetaState {
        lock(&self.inner.list).clone()
    }

    /// The part's name.
    pub fn part(&self) -> &str {
        &self.inner.part
    }

    /// Keys of segments whose files are all gone, each given once.
    pub fn take_retired(&self) -> Vec<KeyId> {
        std::mem::take(&mut lock(&self.inner.segments).retired)
    }

    /// Gives keys back that could not be destroyed yet.
    pub fn put_back_retired(&self, keys: &[KeyId]) {
        lock(&self.inner.segments).retired.extend_from_slice(keys);
    }

    /// Segment names and keys of all files on disk.
    pub fn segment_keys(&self) -> Vec<(String, KeyId)> {
        let segments = lock(&self.inner.segments);
        let mut keys: Vec<_> = segments
            .living
            .iter()
            .map(|(name, segment)| (name.clone(), segment.key))
            .collect();
        keys.sort();
        keys
    }

    /// Whether any file of a segment is on disk.
    pub fn holds(&self, segment: &str) -> bool {
        lock(&self.inner.segments).living.contains_key(segment)
    }

    /// Removes files the list does not name, left by a crash before a commit: whole segments, and
    /// lists of deletions of living segments, whose names the next commit would need again. A loss
    /// of power may have left nothing of them but the name.
    pub fn sweep(&self, living: &HashSet<PathBuf>) -> Result<()> {
        let names = names_below(&self.inner.root);
        let names = names.map_err(|error| Error::io(&self.inner.part, error))?;
        let stale = names
            .into_iter()
            .filter(|name| is_sealed_file(name))
            .map(PathBuf::from)
            .filter(|file| !living.contains(file));
        for path in stale {
            match self.delete(&path) {
                Ok(()) | Err(DeleteError::FileDoesNotExist(_)) => {}
                Err(DeleteError::IoError { io_error, .. }) => {
                    let error = io::Error::new(io_error.kind(), io_error.to_string());
                    return Err(self.named(&path.to_string_lossy(), error));
                }
            }
        }
        Ok(())
    }

    /// Opens every page of every file that the list of segments names.
    ///
    /// # Errors
    /// The first file that is not what was written.
    pub fn prove_all(&self, living: &HashSet<PathBuf>) -> Result<()> {
        let files: Vec<PathBuf> = lock(&self.inner.segments)
            .living
            .values()
            .flat_map(|segment| segment.files.iter())
            .filter(|file| living.contains(*file))
            .cloned()
            .collect();
        for path in files {
            self.handle(&path)
                .and_then(|handle| handle.prove_all())
                .map_err(|error| self.named(&path.to_string_lossy(), error))?;
        }
        Ok(())
    }

    /// The error of the room behind an error of the engine: the engine drops what a failure said
    /// on some of its ways, so the directory remembers the last one.
    pub fn explain(&self, error: tantivy::TantivyError) -> Error {
        match lock(&self.inner.failure).take() {
            Some(failure) => Error::Damaged {
                file: failure.file,
                reason: failure.reason,
            },
            None => Error::Engine(error),
        }
    }

    /// Whether a read failed since the last question, as an error.
    pub fn take_failure(&self) -> Option<Error> {
        let failure = lock(&self.inner.failure).take()?;
        Some(Error::Damaged {
            file: failure.file,
            reason: failure.reason,
        })
    }

    fn named(&self, name: &str, error: io::Error) -> Error {
        let inner = error
            .get_ref()
            .and_then(|source| source.downcast_ref::<FileFailure>());
        match inner {
            Some(failure) => Error::Damaged {
                file: failure.file.clone(),
                reason: failure.reason.clone(),
            },
            None => Error::io(shown(&self.inner.part, Path::new(name)), error),
        }
    }

    fn note(&self, error: io::Error) -> io::Error {
        let failure = error
            .get_ref()
            .and_then(|source| source.downcast_ref::<FileFailure>());
        if let Some(failure) = failure {
            *lock(&self.inner.failure) = Some(failure.clone());
        }
        error
    }

    fn path(&self, name: &Path) -> PathBuf {
        self.inner.root.join(name)
    }

    fn shown(&self, name: &Path) -> String {
        shown(&self.inner.part, name)
    }

    fn stream_name(&self, name: &Path) -> String {
        format!(
            "wordkeep/v1/index/{}/{}/{}",
            self.inner.around.index_id,
            self.inner.part,
            name.display()
        )
    }

    fn find_segments(&self) -> Result<()> {
        let found = segments_below(&self.inner.root, &self.inner.part)?;
        lock(&self.inner.segments).living = found;
        Ok(())
    }

    /// The keys of all segments in a directory that need not be sound.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn keys_below(root: &Path, part: &str) -> Result<Vec<KeyId>> {
        let segments = segments_below(root, part)?;
        let keys: BTreeSet<KeyId> = segments.values().map(|segment| segment.key).collect();
        Ok(keys.into_iter().collect())
    }

    fn find_key(&self, id: KeyId, name: &str) -> io::Result<Key> {
        let found = self.inner.around.keys.find(id).map_err(io::Error::other)?;
        found.ok_or_else(|| {
            FileFailure {
                file: name.to_owned(),
                reason: "its key does not exist".to_owned(),
            }
            .into_io()
        })
    }

    /// The key of the segment a new file belongs to; the first file of a segment takes a new one.
    fn key_for_writing(&self, path: &Path) -> io::Result<(KeyId, Key)> {
        let name = segment_of(path);
        let known = lock(&self.inner.segments)
            .living
            .get(&name)
            .map(|segment| segment.key);
        let (id, key) = match known {
            Some(id) => (id, self.find_key(id, &self.shown(path))?),
            None => self.inner.around.keys.take().map_err(io::Error::other)?,
        };
        let mut segments = lock(&self.inner.segments);
        let segment = segments.living.entry(name).or_insert_with(|| SegmentFiles {
            key: id,
            files: BTreeSet::new(),
        });
        segment.files.insert(path.to_owned());
        Ok((id, key))
    }

    /// The file is gone, or was never made. The key of a segment retires with its last file.
    fn strike_off(&self, path: &Path) {
        let mut segments = lock(&self.inner.segments);
        let name = segment_of(path);
        if let Some(segment) = segments.living.get_mut(&name) {
            segment.files.remove(path);
            if segment.files.is_empty() {
                let key = segment.key;
                segments.living.remove(&name);
                segments.retired.push(key);
            }
        }
    }

    fn handle(&self, path: &Path) -> io::Result<Arc<SealedFile>> {
        let known = lock(&self.inner.handles).get(path).and_then(Weak::upgrade);
        if let Some(handle) = known {
            return Ok(handle);
        }
        let shown = self.shown(path);
        let file = SealedFile::open(
            &self.path(path),
            shown.clone(),
            &self.stream_name(path),
            |id| self.find_key(id, &shown),
            Arc::clone(&self.inner.around.cache),
        )
        .map_err(|error| missing(error, &shown))?;
        // The length is bound by the last page alone, so it is opened before anything is read.
        file.prove_end()?;
        let handle = Arc::new(file);
        lock(&self.inner.handles).insert(path.to_owned(), Arc::downgrade(&handle));
        Ok(handle)
    }

    fn read_list(&self) -> io::Result<(Vec<u8>, MetaState)> {
        let file = fs::read(self.path(Path::new(META)))?;
        let around = &self.inner.around;
        let key = around.keys.meta_key().map_err(io::Error::other)?;
        meta::open(&file, &key, (&around.index_id, &self.inner.part))
    }

    fn write_list(&self, json: &[u8]) -> io::Result<()> {
        let around = &self.inner.around;
        let key = around.keys.meta_key().map_err(io::Error::other)?;
        let mut list = lock(&self.inner.list);
        let place = (&*around.index_id, &*self.inner.part);
        let (file, state) = meta::seal(json, list.next(json)?, &key, place, &*around.entropy)?;
        let draft = self.path(Path::new(META_DRAFT));
        let mut out = File::create(&draft)?;
        out.write_all(&file)?;
        out.sync_data()?;
        fs::rename(&draft, self.path(Path::new(META)))?;
        self.sync_directory()?;
        *list = state;
        Ok(())
    }

    fn managed_list(&self) -> io::Result<Vec<u8>> {
        let names: Vec<String> = names_below(&self.inner.root)?
            .into_iter()
            .filter(|name| is_sealed_file(name) || name == META)
            .collect();
        serde_json::to_vec(&names).map_err(io::Error::other)
    }
}

/// A file the list names must be there: the engine would take some for optional and go on.
fn missing(error: io::Error, shown: &str) -> io::Error {
    if error.kind() != io::ErrorKind::NotFound {
        return error;
    }
    FileFailure {
        file: shown.to_owned(),
        reason: "it is missing".to_owned(),
    }
    .into_io()
}

fn names_below(root: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.push(name);
        }
    }
    Ok(names)
}

fn segments_below(root: &Path, part: &str) -> Result<HashMap<String, SegmentFiles>> {
    let names = names_below(root).map_err(|error| Error::io(part, error))?;
    let mut segments: HashMap<String, SegmentFiles> = HashMap::new();
    for name in names.iter().filter(|name| is_sealed_file(name)) {
        let path = PathBuf::from(name);
        let key =
            File::open(root.join(name)).and_then(|file| key_id_of(&file, &shown(part, &path)));
        // A file without a whole header is debris of a crash, or damage that shows when the
        // engine opens it.
        let Ok(key) = key else { continue };
        let segment = segments
            .entry(segment_of(&path))
            .or_insert_with(|| SegmentFiles {
                key,
                files: BTreeSet::new(),
            });
        segment.files.insert(path);
    }
    Ok(segments)
}

impl fmt::Debug for SealedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedDirectory({})", self.inner.part)
    }
}

fn open_error(path: &Path, error: io::Error) -> OpenReadError {
    if error.kind() == io::ErrorKind::NotFound {
        OpenReadError::FileDoesNotExist(path.to_owned())
    } else {
        OpenReadError::wrap_io_error(error, path.to_owned())
    }
}

impl Directory for SealedDirectory {
    fn get_file_handle(
        &self,
        path: &Path,
    ) -> std::result::Result<Arc<dyn FileHandle>, OpenReadError> {
        #[cfg(feature = "plain-control")]
        if self.inner.around.plain {
            return super::plain::open(&self.path(path)).map_err(|error| open_error(path, error));
        }
        let handle = self
            .handle(path)
            .map_err(|error| open_error(path, self.note(error)))?;
        Ok(Arc::new(Noting {
            file: handle,
            directory: self.clone(),
        }))
    }

    fn delete(&self, path: &Path) -> std::result::Result<(), DeleteError> {
        fs::remove_file(self.path(path)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => DeleteError::FileDoesNotExist(path.to_owned()),
            _ => DeleteError::IoError {
                io_error: Arc::new(error),
                filepath: path.to_owned(),
            },
        })?;
        // A search that began before goes on reading the file, and may open it once more.
        let mut handles = lock(&self.inner.handles);
        if let Some(handle) = handles.get(path).and_then(Weak::upgrade) {
            handle.forget();
        }
        handles.retain(|_, handle| handle.strong_count() > 0);
        drop(handles);
        self.strike_off(path);
        Ok(())
    }

    fn exists(&self, path: &Path) -> std::result::Result<bool, OpenReadError> {
        if path == Path::new(MANAGED) {
            return Ok(true);
        }
        self.path(path)
            .try_exists()
            .map_err(|error| open_error(path, error))
    }

    fn open_write(
        &self,
        path: &Path,
    ) -> std::result::Result<io::BufWriter<Box<dyn TerminatingWrite + Send + Sync>>, OpenWriteError>
    {
        let failed = |error| OpenWriteError::wrap_io_error(error, path.to_owned());
        #[cfg(feature = "plain-control")]
        if self.inner.around.plain {
            return super::plain::create(&self.path(path)).map_err(failed);
        }
        let (id, key) = self.key_for_writing(path).map_err(failed)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(self.path(path))
            .map_err(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => OpenWriteError::FileAlreadyExists(path.to_owned()),
                _ => {
                    self.strike_off(path);
                    failed(error)
                }
            })?;
        file.write_all(&id.0.to_le_bytes()).map_err(failed)?;
        let stream = StreamWriter::new(
            file,
            &key,
            StreamKind::Index,
            &self.stream_name(path),
            INDEX_PAGE_LEN,
            &*self.inner.around.entropy,
        )
        .map_err(failed)?;
        let writer: Box<dyn TerminatingWrite + Send + Sync> = Box::new(SealedWriter {
            stream: Some(stream),
        });
        Ok(io::BufWriter::with_capacity(WRITE_BUFFER_BYTES, writer))
    }

    fn atomic_read(&self, path: &Path) -> std::result::Result<Vec<u8>, OpenReadError> {
        let read = match path.to_str() {
            Some(MANAGED) => self.managed_list(),
            Some(META) => self.read_list().map(|(json, _)| json),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        };
        read.map_err(|error| open_error(path, self.note(error)))
    }

    fn atomic_write(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        match path.to_str() {
            Some(MANAGED) => Ok(()),
            Some(META) => self.write_list(data),
            _ => Err(io::Error::other("only the list of segments is rewritten")),
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        File::open(&self.inner.root)?.sync_data()
    }

    fn acquire_lock(&self, lock: &Lock) -> std::result::Result<DirectoryLock, LockError> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.path(&lock.filepath))
            .map_err(LockError::wrap_io_error)?;
        if lock.is_blocking {
            file.lock().map_err(LockError::wrap_io_error)?;
        } else {
            // A process that is being started by another thread holds every open file until its
            // program begins, this lock too: that is over in no time. Nobody else can have it, since
            // the data directory has a lock of its own.
            let mut patience = LOCK_TRIES;
            while file.try_lock().is_err() {
                patience = patience.checked_sub(1).ok_or(LockError::LockBusy)?;
                std::thread::sleep(LOCK_PAUSE);
            }
        }
        // The lock falls with the file.
        Ok(DirectoryLock::from(Box::new(file)))
    }

    fn watch(&self, watch_callback: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(self.inner.watchers.subscribe(watch_callback))
    }
}

/// A handle that tells the directory which file a failed read belongs to.
struct Noting {
    file: Arc<SealedFile>,
    directory: SealedDirectory,
}

impl FileHandle for Noting {
    fn read_bytes(
        &self,
        range: std::ops::Range<usize>,
    ) -> io::Result<tantivy::directory::OwnedBytes> {
        self.file
            .read_bytes(range)
            .map_err(|error| self.directory.note(error))
    }
}

impl tantivy::HasLen for Noting {
    fn len(&self) -> usize {
        self.file.len()
    }
}

impl fmt::Debug for Noting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.file.fmt(f)
    }
}

/// Seals what the engine writes; `terminate` writes the last page and waits for the disk.
struct SealedWriter {
    stream: Option<StreamWriter<File>>,
}

fn ended() -> io::Error {
    io::Error::other("the file was ended already")
}

impl Write for SealedWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.as_mut().ok_or_else(ended)?.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl TerminatingWrite for SealedWriter {
    fn terminate_ref(&mut self, _: AntiCallToken) -> io::Result<()> {
        let stream = self.stream.take().ok_or_else(ended)?;
        stream.finish()?.sync_data()
    }
}
