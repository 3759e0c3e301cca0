//! The reading side of a sealed stream: any page, checked before it is given.

use std::fmt;
use std::ops::Range;

use super::*;

/// Opens the pages of one stream in any order. It holds no file: the caller fetches the sealed
/// bytes, so one reader serves any number of threads.
pub struct StreamReader {
    cipher: Cipher,
    header_hash: Digest,
    geometry: Geometry,
}

impl StreamReader {
    /// Checks header, commitment and geometry.
    ///
    /// `header` is the start of the file (at least [`HEADER_LEN`] bytes), `file_len` the length of
    /// the whole file. [`Error::WrongKey`] means another key, name or kind; [`Error::Length`] a file
    /// that no writer leaves behind. Damage in the pages shows when they open.
    pub fn open(
        header: &[u8],
        file_len: u64,
        key: &Key,
        kind: StreamKind,
        name: &str,
        page_len: usize,
    ) -> Result<Self> {
        let parsed = StreamHeader::parse(header)?;
        let geometry = Geometry::of_file(file_len, page_len)?;
        let derived = StreamKey::derive(key, &parsed.salt, kind, name);
        let committed = equal(&derived.commitment, &parsed.commitment);
        if !committed || parsed.kind != kind as u8 {
            return Err(Error::WrongKey);
        }
        Ok(Self {
            cipher: derived.cipher,
            header_hash: sha256(&parsed.to_bytes()),
            geometry,
        })
    }

    /// How the file falls into pages.
    pub const fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Number of pages, at least 1.
    pub const fn page_count(&self) -> u64 {
        self.geometry.page_count()
    }

    /// Length of the plaintext in bytes. It is what the file's length says; proved once the last
    /// page has opened.
    pub const fn plain_len(&self) -> u64 {
        self.geometry.plain_len()
    }

    /// Plain bytes of page `n`; 0 beyond the end.
    pub fn page_plain_len(&self, n: u64) -> usize {
        self.geometry.page_plain_len(n)
    }

    /// Where the sealed page `n` lies in the file; empty beyond the end.
    pub fn page_file_range(&self, n: u64) -> Range<u64> {
        self.geometry.page_file_range(n)
    }

    /// Opens page `n` from its sealed bytes (exactly [`StreamReader::page_file_range`]) into the
    /// front of `out` and gives the number of plain bytes. No allocation; on failure `out` holds
    /// nothing of the plaintext.
    pub fn open_page(&self, n: u64, sealed: &[u8], out: &mut [u8]) -> Result<usize> {
        let plain_len = self.page_plain_len(n);
        if n >= self.page_count() || sealed.len() != plain_len + TAG_LEN {
            return Err(Error::Length);
        }
        let Some(out) = out.get_mut(..plain_len) else {
            return Err(Error::Length);
        };
        let last = n + 1 == self.page_count();
        let aad = PageAad::new(&self.header_hash, n, last.then_some(self.plain_len()));
        self.cipher
            .open_into(&Nonce::chunk(n, last), aad.bytes(), sealed, out)?;
        Ok(plain_len)
    }

    /// Opens consecutive whole pages from `first` on: `sealed` is their joined bytes in the file,
    /// `out` takes exactly their plaintext. For reads of long ranges in one go.
    pub fn open_pages(&self, first: u64, sealed: &[u8], out: &mut [u8]) -> Result<()> {
        let (mut page, mut sealed, mut out) = (first, sealed, out);
        while !sealed.is_empty() {
            let plain_len = self.page_plain_len(page);
            let Some((one, rest)) = sealed.split_at_checked(plain_len + TAG_LEN) else {
                return Err(Error::Length);
            };
            let Some((place, more)) = out.split_at_mut_checked(plain_len) else {
                return Err(Error::Length);
            };
            self.open_page(page, one, place)?;
            (page, sealed, out) = (page + 1, rest, more);
        }
        match out.len() {
            0 => Ok(()),
            _ => Err(Error::Length),
        }
    }
}

impl fmt::Debug for StreamReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StreamReader")
            .field("geometry", &self.geometry)
            .finish_non_exhaustive()
    }
}
