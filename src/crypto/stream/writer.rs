//! The writing side of a sealed stream: front to back, the last page held back.

use std::io::{self, Write};

use zeroize::Zeroizing;

use super::*;

/// Seals what is written to it. Nothing is a stream before [`StreamWriter::finish`]: without the
/// last page no reader takes it.
///
/// A stream is written by one run, front to back. After a failed write the writer refuses to go
/// on, because the page may lie on the disk already and its nonce is used: begin a new stream.
pub struct StreamWriter<W: Write> {
    pub(super) inner: W,
    cipher: Cipher,
    header_hash: Digest,
    page_len: usize,
    /// The page that is held back, since it may be the last.
    held: Zeroizing<Vec<u8>>,
    sealed: Vec<u8>,
    next_page: u64,
    plain_len: u64,
    broken: bool,
}

impl<W: Write> StreamWriter<W> {
    /// Draws a salt, derives the key and writes the header.
    pub fn new(
        mut inner: W,
        key: &Key,
        kind: StreamKind,
        name: &str,
        page_len: usize,
        entropy: &dyn Entropy,
    ) -> io::Result<Self> {
        let page_len = checked_page_len(page_len).map_err(io::Error::other)?;
        let salt = random_bytes(entropy);
        let observer = entropy.observer();
        let StreamKey { cipher, commitment } = StreamKey::watched(key, &salt, kind, name, observer);
        let header = StreamHeader {
            kind: kind as u8,
            salt,
            commitment,
        }
        .to_bytes();
        inner.write_all(&header)?;
        Ok(Self {
            inner,
            cipher,
            header_hash: sha256(&header),
            page_len,
            held: Zeroizing::new(Vec::with_capacity(page_len)),
            sealed: Vec::with_capacity(page_len + TAG_LEN),
            next_page: 0,
            plain_len: 0,
            broken: false,
        })
    }

    /// Plain bytes written so far.
    pub const fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// The writer below, for instance to ask for its length; do not write to it.
    pub const fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Seals the last page and gives the writer below back, neither flushed nor synced.
    pub fn finish(mut self) -> io::Result<W> {
        let held = std::mem::take(&mut self.held);
        self.emit(&held, Some(self.plain_len))?;
        Ok(self.inner)
    }

    fn emit(&mut self, plain: &[u8], total: Option<u64>) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other(
                "an earlier write failed: begin a new stream",
            ));
        }
        if self.next_page >= PAGE_COUNT_MAX {
            return Err(io::Error::other(Error::Limit(
                "a stream ends at 2^32 pages: split the data",
            )));
        }
        let page = self.next_page;
        self.next_page += 1;
        self.broken = true;
        let aad = PageAad::new(&self.header_hash, page, total);
        self.sealed.clear();
        self.cipher
            .seal(
                &Nonce::chunk(page, total.is_some()),
                aad.bytes(),
                plain,
                &mut self.sealed,
            )
            .map_err(io::Error::other)?;
        self.inner.write_all(&self.sealed)?;
        self.broken = false;
        Ok(())
    }

    fn emit_held(&mut self) -> io::Result<()> {
        let mut held = std::mem::take(&mut self.held);
        let outcome = self.emit(&held, None);
        held.clear();
        self.held = held;
        outcome
    }
}

impl<W: Write> Write for StreamWriter<W> {
    /// Takes at most two pages a call; a full page leaves only when a byte follows it.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if self.held.len() == self.page_len {
            self.emit_held()?;
        }
        let whole_page_to_spare = self.held.is_empty() && bytes.len() > self.page_len;
        let taken = if whole_page_to_spare {
            self.emit(&bytes[..self.page_len], None)?;
            self.page_len
        } else {
            let room = self.page_len - self.held.len();
            let taken = room.min(bytes.len());
            self.held.extend_from_slice(&bytes[..taken]);
            taken
        };
        self.plain_len += taken as u64;
        Ok(taken)
    }

    /// Flushes the writer below; the page held back stays held.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
