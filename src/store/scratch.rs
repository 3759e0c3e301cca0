//! A sealed file that is written and read at any place, under a key that lives in memory only.
//!
//! Like a staged file it loses its name as soon as it is open, so that whatever ends the process takes
//! key and file along. Each page is sealed anew whenever it leaves memory, under a number that is
//! never used twice, so that an elder state of a page does not open.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::staging::nameless;
use super::{DataDirectory, StoreError};
use crate::crypto::{Cipher, Entropy, Key, Nonce, TAG_LEN};

/// Plain bytes of a page: 64 KiB.
const PAGE_BYTES: usize = 64 << 10;
/// Bytes of a page in the file.
const SEALED_BYTES: usize = PAGE_BYTES + TAG_LEN;

/// A sealed file of any length.
pub struct Scratch {
    file: File,
    state: Mutex<State>,
}

struct State {
    cipher: Cipher,
    /// Under which number each page of the file was sealed last; 0 where it never was.
    sealed: Vec<u64>,
    /// Numbers used so far.
    numbers: u64,
    /// Plain length.
    length: u64,
    /// The page in memory.
    page: usize,
    plain: Zeroizing<Vec<u8>>,
    is_changed: bool,
}

impl std::fmt::Debug for Scratch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scratch")
    }
}

impl Scratch {
    /// Begins an empty file in the directory for what is staged.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn begin(directory: &DataDirectory, entropy: &dyn Entropy) -> Result<Scratch, StoreError> {
        let (file, _) = nameless(directory, entropy)?;
        Ok(Scratch {
            file,
            state: Mutex::new(State {
                cipher: Cipher::new(&Key::random(entropy)),
                sealed: Vec::new(),
                numbers: 0,
                length: 0,
                page: 0,
                plain: Zeroizing::new(vec![0; PAGE_BYTES]),
                is_changed: false,
            }),
        })
    }

    /// Plain length in bytes.
    pub fn len(&self) -> u64 {
        self.state().length
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes at `offset`, at most to the end of a page, and says how much. What lies between the end
    /// and a later offset reads as zeros.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let (page, from) = place(offset)?;
        self.turn_to(&mut state, page)?;
        let count = bytes.len().min(PAGE_BYTES - from);
        state.plain[from..from + count].copy_from_slice(&bytes[..count]);
        state.is_changed = true;
        state.length = state.length.max(offset + count as u64);
        Ok(count)
    }

    /// Fills the front of `buffer` with what stands at `offset`: at most to the end of a page; 0 is
    /// the end of the file.
    ///
    /// # Errors
    /// When the disk fails, or the bytes are not those that were written.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let left = state.length.saturating_sub(offset);
        if left == 0 {
            return Ok(0);
        }
        let (page, from) = place(offset)?;
        self.turn_to(&mut state, page)?;
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let count = buffer.len().min(PAGE_BYTES - from).min(left);
        buffer[..count].copy_from_slice(&state.plain[from..from + count]);
        Ok(count)
    }

    /// Something to write with, from the start on.
    pub fn pen(&self) -> ScratchPen<'_> {
        ScratchPen {
            scratch: self,
            at: 0,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings a page into memory; the one before leaves it sealed.
    fn turn_to(&self, state: &mut State, page: usize) -> io::Result<()> {
        if state.page == page {
            return Ok(());
        }
        if state.is_changed {
            self.put_away(state)?;
        }
        let number = state.sealed.get(page).copied().unwrap_or(0);
        state.plain.fill(0);
        if number > 0 {
            let mut sealed = vec![0; SEALED_BYTES];
            self.file.read_exact_at(&mut sealed, at_file(page))?;
            let mut plain = Zeroizing::new(Vec::with_capacity(PAGE_BYTES));
            state
                .cipher
                .open(
                    &Nonce::chunk(number, false),
                    &aad(page),
                    &sealed,
                    &mut plain,
                )
                .map_err(io::Error::other)?;
            state.plain = plain;
        }
        state.page = page;
        Ok(())
    }

    fn put_away(&self, state: &mut State) -> io::Result<()> {
        let (page, number) = (state.page, state.numbers + 1);
        let mut sealed = Vec::with_capacity(SEALED_BYTES);
        // The number is used up, whatever becomes of the page.
        state.numbers = number;
        state
            .cipher
            .seal(
                &Nonce::chunk(number, false),
                &aad(page),
                &state.plain,
                &mut sealed,
            )
            .map_err(io::Error::other)?;
        self.file.write_all_at(&sealed, at_file(page))?;
        if state.sealed.len() <= page {
            state.sealed.resize(page + 1, 0);
        }
        state.sealed[page] = number;
        state.is_changed = false;
        Ok(())
    }
}

fn place(offset: u64) -> io::Result<(usize, usize)> {
    let page = usize::try_from(offset / PAGE_BYTES as u64).map_err(io::Error::other)?;
    Ok((page, (offset % PAGE_BYTES as u64) as usize))
}

const fn at_file(page: usize) -> u64 {
    page as u64 * SEALED_BYTES as u64
}

const fn aad(page: usize) -> [u8; 8] {
    (page as u64).to_be_bytes()
}

/// Writes into a [`Scratch`] from a place that can be moved.
pub struct ScratchPen<'s> {
    scratch: &'s Scratch,
    at: u64,
}

impl Write for ScratchPen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.scratch.write_at(self.at, bytes)?;
        self.at += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for ScratchPen<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.scratch.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for ScratchPen<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.scratch.len().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    fn scratch() -> (tempfile::TempDir, DataDirectory, Scratch) {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDirectory::create(&dir.path().join("data"), None).unwrap();
        let scratch = Scratch::begin(&data, &SeededEntropy::new(7)).unwrap();
        (dir, data, scratch)
    }

    #[test]
    fn what_is_written_anywhere_reads_back_and_is_sealed_on_disk() {
        let (dir, data, scratch) = scratch();
        let secret = b"the price is nine thousand; ".repeat(10_000);
        let mut model = Vec::new();
        let mut pen = scratch.pen();
        pen.write_all(&secret).unwrap();
        model.extend_from_slice(&secret);
        // Places before, across pages and behind the end, in any order.
        for (at, word) in [
            (5usize, "five"),
            (65_530, "across two pages"),
            (300_000, "gap"),
            (0, "x"),
        ] {
            pen.seek(SeekFrom::Start(at as u64)).unwrap();
            pen.write_all(word.as_bytes()).unwrap();
            if model.len() < at + word.len() {
                model.resize(at + word.len(), 0);
            }
            model[at..at + word.len()].copy_from_slice(word.as_bytes());
        }
        assert_eq!(scratch.len(), model.len() as u64);
        let mut read = Vec::new();
        scratch.pen().read_to_end(&mut read).unwrap();
        assert!(read == model);
        assert_eq!(data.files_with(&["nine thousand"]).unwrap(), 0);
        let folder = dir.path().join("data/staging");
        assert_eq!(std::fs::read_dir(folder).unwrap().count(), 0);
        let mut sealed = vec![0; scratch.file.metadata().unwrap().len() as usize];
        assert!(sealed.len() > 4 * PAGE_BYTES);
        scratch.file.read_exact_at(&mut sealed, 0).unwrap();
        assert!(memchr::memmem::find(&sealed, b"nine thousand").is_none());
    }

    #[test]
    fn an_elder_state_of_a_page_does_not_open() {
        let (_dir, _data, scratch) = scratch();
        let write = |at: usize, word: &[u8]| scratch.write_at(at as u64, word).unwrap();
        write(0, b"first");
        write(PAGE_BYTES, b"turns the page");
        let mut elder = vec![0; SEALED_BYTES];
        scratch.file.read_exact_at(&mut elder, 0).unwrap();
        write(0, b"later");
        write(PAGE_BYTES, b"again");
        scratch.file.write_all_at(&elder, 0).unwrap();
        assert!(scratch.read_at(0, &mut [0; 5]).is_err());
    }
}
