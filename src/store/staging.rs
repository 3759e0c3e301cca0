//! Staging: bytes on their way in, sealed under a key that lives in memory only.
//!
//! A staged file loses its name as soon as it is open. Whatever ends the process takes key and file
//! along: nothing is left to be read, and nothing to be tidied up.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{DataDirectory, StoreError};
use crate::crypto::{
    BLOB_PAGE_LEN, Entropy, HEADER_LEN, Key, StreamKind, StreamReader, StreamWriter, TAG_LEN, hex,
    random_bytes,
};

/// What the pages of a staged file are bound to: each has a key of its own, so one word does.
const LABEL: &str = "staging";

/// An empty file among what is staged. It has lost its name already; the name it had is given for
/// messages.
pub(super) fn nameless(
    directory: &DataDirectory,
    entropy: &dyn Entropy,
) -> Result<(File, PathBuf), StoreError> {
    let folder = directory.root().join("staging");
    let path = folder.join(hex(&random_bytes::<16>(entropy)));
    let open = || -> io::Result<File> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)?;
        let file = OpenOptions::new()
            .create_new(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    };
    match open() {
        Ok(file) => Ok((file, path)),
        Err(error) => Err(StoreError::file(&path, error)),
    }
}

/// A file that is being staged, front to back.
pub struct StagedWriter {
    stream: StreamWriter<File>,
    key: Key,
    path: PathBuf,
}

impl StagedWriter {
    /// Begins an empty file in the directory for it.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn begin(directory: &DataDirectory, entropy: &dyn Entropy) -> Result<Self, StoreError> {
        let (file, path) = nameless(directory, entropy)?;
        let key = Key::random(entropy);
        let kind = StreamKind::Staging;
        let stream = StreamWriter::new(file, &key, kind, LABEL, BLOB_PAGE_LEN, entropy)
            .map_err(|error| StoreError::file(&path, error))?;
        Ok(Self { stream, key, path })
    }

    /// Plain bytes so far.
    pub const fn received(&self) -> u64 {
        self.stream.plain_len()
    }

    /// Adds bytes at the end. After an error the file is of no use any more.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.stream
            .write_all(bytes)
            .map_err(|error| StoreError::file(&self.path, error))
    }

    /// Ends it: from here on it is read, never written.
    ///
    /// # Errors
    /// When the last page cannot be written or the whole not be read back.
    pub fn finish(self) -> Result<StagedFile, StoreError> {
        let path = self.path;
        let failed = |error: io::Error| StoreError::file(&path, error);
        let file = self.stream.finish().map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut header = [0; HEADER_LEN];
        file.read_exact_at(&mut header, 0).map_err(failed)?;
        let kind = StreamKind::Staging;
        let stream = StreamReader::open(&header, length, &self.key, kind, LABEL, BLOB_PAGE_LEN)
            .map_err(|error| StoreError::Corrupt(format!("a staged file: {error}")))?;
        Ok(StagedFile { file, stream })
    }
}

/// A staged file. Its bytes go with the last value that knows it.
#[derive(Debug)]
pub struct StagedFile {
    file: File,
    stream: StreamReader,
}

impl StagedFile {
    /// Plain length in bytes.
    pub const fn len(&self) -> u64 {
        self.stream.plain_len()
    }

    /// Whether there is nothing in it.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads a staged file at any place, a page at a time.
pub struct StagedReader {
    staged: Arc<StagedFile>,
    page: Option<u64>,
    plain: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
}

impl StagedReader {
    /// A reader that has read nothing yet.
    pub fn new(staged: Arc<StagedFile>) -> Self {
        Self {
            staged,
            page: None,
            plain: Zeroizing::new(Vec::new()),
            sealed: Vec::new(),
        }
    }

    /// Fills the front of `buffer` with what stands at `offset`: at most to the end of a page; 0 is
    /// the end of the file.
    ///
    /// # Errors
    /// When the disk fails, or the bytes are not those that were written.
    pub fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.staged.len() {
            return Ok(0);
        }
        let page = offset / BLOB_PAGE_LEN as u64;
        if self.page != Some(page) {
            self.load(page)?;
        }
        let from = (offset % BLOB_PAGE_LEN as u64) as usize;
        let there = self.plain.get(from..).unwrap_or_default();
        let count = there.len().min(buffer.len());
        buffer[..count].copy_from_slice(&there[..count]);
        Ok(count)
    }

    fn load(&mut self, page: u64) -> io::Result<()> {
        self.page = None;
        let stream = &self.staged.stream;
        let plain_len = stream.page_plain_len(page);
        self.sealed.resize(plain_len + TAG_LEN, 0);
        self.plain.resize(plain_len, 0);
        let place = stream.page_file_range(page).start;
        self.staged.file.read_exact_at(&mut self.sealed, place)?;
        stream
            .open_page(page, &self.sealed, &mut self.plain)
            .map_err(io::Error::other)?;
        self.page = Some(page);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    fn staged(bytes: &[u8]) -> (tempfile::TempDir, DataDirectory, StagedFile) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(&dir.path().join("data"), None).unwrap();
        let mut writer = StagedWriter::begin(&data, &SeededEntropy::new(7)).unwrap();
        for piece in bytes.chunks(10_000) {
            writer.append(piece).unwrap();
        }
        assert_eq!(writer.received(), bytes.len() as u64);
        let file = writer.finish().unwrap();
        (dir, data, file)
    }

    fn read(file: StagedFile, from: u64, step: usize) -> Vec<u8> {
        let mut reader = StagedReader::new(Arc::new(file));
        let (mut bytes, mut piece) = (Vec::new(), vec![0; step]);
        loop {
            let at = from + bytes.len() as u64;
            match reader.read_at(at, &mut piece).unwrap() {
                0 => return bytes,
                count => bytes.extend_from_slice(&piece[..count]),
            }
        }
    }

    #[test]
    fn what_was_staged_reads_back_from_any_place() {
        let bytes: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
        for (from, step) in [(0, 1 << 20), (0, 777), (65_535, 3_000), (131_072, 65_536)] {
            let (_dir, _data, file) = staged(&bytes);
            assert_eq!(file.len(), bytes.len() as u64);
            assert_eq!(
                read(file, from, step),
                bytes[from as usize..],
                "{from} {step}"
            );
        }
        let (_dir, _data, file) = staged(b"");
        assert!(file.is_empty());
        assert_eq!(read(file, 0, 10), b"");
    }

    #[test]
    fn nothing_in_the_data_directory_tells_of_it() {
        let secret = b"the price is nine thousand".repeat(5_000);
        let (dir, data, file) = staged(&secret);
        assert_eq!(data.files_with(&["nine thousand"]).unwrap(), 0);
        let folder = dir.path().join("data/staging");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "it has no name");
        let mut sealed = vec![0; file.file.metadata().unwrap().len() as usize];
        file.file.read_exact_at(&mut sealed, 0).unwrap();
        assert!(memchr::memmem::find(&sealed, b"nine thousand").is_none());
    }
}
