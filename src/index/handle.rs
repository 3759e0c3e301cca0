//! One sealed file, open for reading at any place.

use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use tantivy::HasLen;
use tantivy::directory::{FileHandle, OwnedBytes};

use super::cache::{Buffer, Cache, FileId};
use super::error::FileFailure;
use super::keys::KeyId;
use crate::crypto::{HEADER_LEN, INDEX_PAGE_LEN, Key, StreamKind, StreamReader};

/// Every file begins with the id of its key in clear (little endian), so that a file finds its key
/// without any other record, also after a crash. A changed id fails the commitment behind it.
pub(super) const KEY_ID_LEN: usize = 8;
/// Most sealed pages read from disk in one call (1 MiB).
const PAGES_PER_READ: u64 = 64;
/// The engine names its merge threads so. A merge reads long ranges once: keeping them would push
/// out what the searches use. Its short reads go list by list through the same pages, so pages are
/// kept for it too.
const MERGE_THREAD: &str = "merge_thread";

/// An open file and the cipher of its pages.
pub(super) struct SealedFile {
    file: File,
    id: FileId,
    name: String,
    reader: StreamReader,
    cache: Arc<Cache>,
}

/// The id of the key a file was sealed under.
pub(super) fn key_id_of(file: &File, name: &str) -> io::Result<KeyId> {
    let mut bytes = [0; KEY_ID_LEN];
    file.read_exact_at(&mut bytes, 0).map_err(|error| {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            failure(name, "cut or extended: shorter than its header")
        } else {
            error
        }
    })?;
    Ok(KeyId(u64::from_le_bytes(bytes)))
}

fn failure(name: &str, reason: &str) -> io::Error {
    FileFailure {
        file: name.to_owned(),
        reason: reason.to_owned(),
    }
    .into_io()
}

impl SealedFile {
    /// Checks the header and the length. `name` is shown in errors, `stream_name` is bound.
    pub fn open(
        path: &Path,
        name: String,
        stream_name: &str,
        find: impl FnOnce(KeyId) -> io::Result<Key>,
        cache: Arc<Cache>,
    ) -> io::Result<SealedFile> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let key_id = key_id_of(&file, &name)?;
        let mut header = [0; HEADER_LEN];
        let body = len.saturating_sub(KEY_ID_LEN as u64);
        if body < HEADER_LEN as u64 {
            return Err(failure(&name, "cut or extended: shorter than its header"));
        }
        file.read_exact_at(&mut header, KEY_ID_LEN as u64)?;
        let key = find(key_id)?;
        let kind = StreamKind::Index;
        let reader = StreamReader::open(&header, body, &key, kind, stream_name, INDEX_PAGE_LEN)
            .map_err(|error| FileFailure::of_sealing(&name, &error))?;
        Ok(SealedFile {
            file,
            id: cache.new_file(),
            name,
            reader,
            cache,
        })
    }

    /// Opens the last page: it alone proves that nothing was cut off or put behind.
    pub fn prove_end(&self) -> io::Result<()> {
        self.page(self.reader.page_count() - 1).map(drop)
    }

    /// Opens every page without keeping any.
    pub fn prove_all(&self) -> io::Result<()> {
        let len = self.reader.plain_len();
        let mut plain = vec![0; PAGES_PER_READ as usize * INDEX_PAGE_LEN];
        let mut page = 0;
        while page < self.reader.page_count() {
            let end = (page + PAGES_PER_READ).min(self.reader.page_count());
            let bytes = (end * INDEX_PAGE_LEN as u64).min(len) - page * INDEX_PAGE_LEN as u64;
            self.open_pages(page..end, &mut plain[..bytes as usize])?;
            page = end;
        }
        Ok(())
    }

    /// Drops and wipes what the cache holds of this file.
    pub fn forget(&self) {
        self.cache.forget(self.id);
    }

    fn read_sealed(&self, at: Range<u64>, sealed: &mut Vec<u8>) -> io::Result<()> {
        sealed.resize((at.end - at.start) as usize, 0);
        self.file
            .read_exact_at(sealed, KEY_ID_LEN as u64 + at.start)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => failure(&self.name, "cut while it was open"),
                _ => error,
            })
    }

    fn open_pages(&self, pages: Range<u64>, plain: &mut [u8]) -> io::Result<()> {
        let (mut page, mut plain) = (pages.start, plain);
        let mut sealed = Vec::new();
        while page < pages.end {
            let end = (page + PAGES_PER_READ).min(pages.end);
            let start = self.reader.page_file_range(page).start;
            self.read_sealed(start..self.reader.page_file_range(end - 1).end, &mut sealed)?;
            let bytes: usize = (page..end)
                .map(|page| self.reader.page_plain_len(page))
                .sum();
            let (now, rest) = plain.split_at_mut(bytes);
            self.reader
                .open_pages(page, &sealed, now)
                .map_err(|error| FileFailure::of_sealing(&self.name, &error))?;
            (page, plain) = (end, rest);
        }
        Ok(())
    }

    fn page(&self, page: u64) -> io::Result<OwnedBytes> {
        if let Some(bytes) = self.cache.page(self.id, page) {
            return Ok(bytes);
        }
        let bytes = filled(self.reader.page_plain_len(page), |plain| {
            self.open_pages(page..page + 1, plain)
        })?;
        self.cache.keep_page(self.id, page, &bytes);
        Ok(OwnedBytes::new(bytes))
    }

    /// Whole pages go straight into the result, the ragged ends through the page cache.
    fn fill_range(&self, start: u64, end: u64, out: &mut [u8]) -> io::Result<()> {
        let page_len = INDEX_PAGE_LEN as u64;
        let (mut at, mut out) = (start, out);
        while at < end {
            let page = at / page_len;
            let inside = (at % page_len) as usize;
            let page_end = page * page_len + self.reader.page_plain_len(page) as u64;
            if inside == 0 && page_end <= end {
                let whole = if end == self.reader.plain_len() {
                    self.reader.page_count()
                } else {
                    end / page_len
                };
                let bytes = ((whole * page_len).min(end) - at) as usize;
                let (now, rest) = out.split_at_mut(bytes);
                self.open_pages(page..whole, now)?;
                (at, out) = (at + bytes as u64, rest);
            } else {
                let bytes = (page_end.min(end) - at) as usize;
                let (now, rest) = out.split_at_mut(bytes);
                now.copy_from_slice(&self.page(page)?[inside..inside + bytes]);
                (at, out) = (at + bytes as u64, rest);
            }
        }
        Ok(())
    }
}

/// An `Arc<[u8]>` filled in place: allocated once, no `unsafe`, no copy.
fn filled(len: usize, fill: impl FnOnce(&mut [u8]) -> io::Result<()>) -> io::Result<Buffer> {
    let mut bytes: Buffer = std::iter::repeat_n(0, len).collect();
    match Arc::get_mut(&mut bytes) {
        Some(plain) => fill(plain)?,
        None => return Err(io::Error::other("a fresh buffer has one owner")),
    }
    Ok(bytes)
}

fn on_merge_thread() -> bool {
    std::thread::current()
        .name()
        .is_some_and(|name| name.starts_with(MERGE_THREAD))
}

impl FileHandle for SealedFile {
    fn read_bytes(&self, range: Range<usize>) -> io::Result<OwnedBytes> {
        let (start, end) = (range.start as u64, range.end as u64);
        if start >= end {
            return Ok(OwnedBytes::empty());
        }
        if end > self.reader.plain_len() {
            return Err(failure(&self.name, "a place beyond its end was asked for"));
        }
        let page_len = INDEX_PAGE_LEN as u64;
        let first = start / page_len;
        if (end - 1) / page_len == first {
            let inside = (start % page_len) as usize;
            let inside = inside..inside + (end - start) as usize;
            return Ok(self.page(first)?.slice(inside));
        }
        if let Some(bytes) = self.cache.range(self.id, start, end) {
            return Ok(bytes);
        }
        let bytes = filled((end - start) as usize, |out| {
            self.fill_range(start, end, out)
        })?;
        if !on_merge_thread() {
            self.cache.keep_range(self.id, start, end, &bytes);
        }
        Ok(OwnedBytes::new(bytes))
    }
}

impl HasLen for SealedFile {
    fn len(&self) -> usize {
        self.reader.plain_len() as usize
    }
}

impl fmt::Debug for SealedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedFile({})", self.name)
    }
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        self.forget();
    }
}
