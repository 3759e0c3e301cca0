//! Archives that leave the house: tar in one canonical form, written as a stream and read back so
//! strictly that every byte of the file is accounted for.
//!
//! Format facts: POSIX.1-2008 `pax`, "ustar Interchange Format". The canonical form takes every
//! freedom out of it: regular files only, mode 0444, no owner, one time for all entries, sizes and
//! numbers in octal with a closing NUL, NUL padding, exactly two empty blocks at the end. What is
//! not byte for byte what [`BundleWriter`] writes is refused by [`BundleReader`].

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::domain::Timestamp;

/// Bytes of a block: a header is one, contents are padded to whole ones.
pub const BLOCK_BYTES: usize = 512;
/// Longest name of an entry, in bytes.
pub const ENTRY_NAME_BYTES_MAX: usize = 100;
/// Longest entry, in bytes: eleven octal digits hold no more.
pub const ENTRY_BYTES_MAX: u64 = (1 << 33) - 1;
/// Largest time in seconds that eleven octal digits hold.
const SECONDS_MAX: i64 = (1 << 33) - 1;
/// Empty blocks that end an archive.
const END_BLOCKS: usize = 2;

const AT_SIZE: usize = 124;
const AT_CHECKSUM: usize = 148;

/// Where the contents of an entry lie in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: u64,
    /// Length in bytes, padding not counted.
    pub length: u64,
}

/// The header of an entry. The name must fit; the time is cut to whole seconds.
fn header(name: &str, length: u64, time: Timestamp) -> io::Result<[u8; BLOCK_BYTES]> {
    let safe = |letter: u8| letter.is_ascii_alphanumeric() || b"._-/".contains(&letter);
    let is_name = (1..=ENTRY_NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(safe)
        && name
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..");
    if !is_name {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("\"{name}\" is not a name of a bundle"),
        ));
    }
    if length > ENTRY_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{name}: more than {ENTRY_BYTES_MAX} bytes; ask for less at a time"),
        ));
    }
    let mut block = [0; BLOCK_BYTES];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    let seconds = time.seconds().clamp(0, SECONDS_MAX);
    put(0, name.as_bytes());
    put(100, b"0000444\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(AT_SIZE, format!("{length:011o}\0").as_bytes());
    put(136, format!("{seconds:011o}\0").as_bytes());
    // The checksum counts its own field as blanks.
    put(AT_CHECKSUM, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    let sum = format!("{sum:06o}\0 ");
    block[AT_CHECKSUM..AT_CHECKSUM + sum.len()].copy_from_slice(sum.as_bytes());
    Ok(block)
}

const fn padding(length: u64) -> usize {
    (BLOCK_BYTES - (length % BLOCK_BYTES as u64) as usize) % BLOCK_BYTES
}

/// Writes an archive into something that can be sought in: the length of an entry is put into its
/// header when the entry ends, so that nothing is held in memory.
pub struct BundleWriter<W: Write + Seek> {
    inner: W,
    time: Timestamp,
    /// Bytes written so far; everything goes through here, so nobody is asked where it stands.
    position: u64,
    open: Option<(String, u64)>,
}

impl<W: Write + Seek> BundleWriter<W> {
    /// An archive that begins where `inner` is empty; every entry gets this time.
    pub fn new(inner: W, time: Timestamp) -> Self {
        Self {
            inner,
            time,
            position: 0,
            open: None,
        }
    }

    /// Begins an entry; the one before must have been ended.
    pub fn begin(&mut self, name: &str) -> io::Result<()> {
        debug_assert!(self.open.is_none(), "an entry inside an entry");
        let block = header(name, 0, self.time)?;
        let start = self.position;
        self.put(&block)?;
        self.open = Some((name.to_owned(), start));
        Ok(())
    }

    /// Ends the entry and says where its contents lie. They are handed to `inner` and flushed.
    pub fn end(&mut self) -> io::Result<Span> {
        let Some((name, at)) = self.open.take() else {
            return Err(io::Error::other("no entry was begun"));
        };
        let start = at + BLOCK_BYTES as u64;
        let length = self.position - start;
        let block = header(&name, length, self.time)?;
        self.put(&[0; BLOCK_BYTES][..padding(length)])?;
        self.inner.seek(SeekFrom::Start(at))?;
        self.inner.write_all(&block)?;
        self.inner.seek(SeekFrom::Start(self.position))?;
        self.inner.flush()?;
        Ok(Span { start, length })
    }

    /// Ends the archive and gives back what it was written into.
    pub fn finish(mut self) -> io::Result<W> {
        debug_assert!(self.open.is_none(), "the last entry was not ended");
        self.put(&[0; END_BLOCKS * BLOCK_BYTES])?;
        self.inner.flush()?;
        Ok(self.inner)
    }

    /// Bytes written so far.
    pub const fn position(&self) -> u64 {
        self.position
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.inner.write_all(bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write + Seek> Write for BundleWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.position += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Why an archive is not one in canonical form.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The medium failed.
    #[error("it could not be read: {0}")]
    Unreadable(#[from] io::Error),
    /// A byte is not what the writer would have written.
    #[error("at byte {offset}: {what}")]
    NotCanonical {
        /// Where in the archive, counted from 0.
        offset: u64,
        /// What was expected there.
        what: &'static str,
    },
}

/// An entry of an archive that is being read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleEntry {
    /// Its name.
    pub name: String,
    /// Where its contents lie.
    pub span: Span,
    /// The time of the archive, in whole seconds.
    pub time: Timestamp,
}

/// Reads an archive from front to back. Ask for the next entry, read its contents to the end, ask
/// for the next; `None` is given once the end and nothing behind it was seen.
pub struct BundleReader<R: Read> {
    inner: R,
    position: u64,
    /// Bytes of the current entry that were not read yet.
    left: u64,
    padding: usize,
    time: Option<Timestamp>,
}

impl<R: Read> BundleReader<R> {
    /// An archive that begins with the first byte of `inner`.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            position: 0,
            left: 0,
            padding: 0,
            time: None,
        }
    }

    /// The next entry; `None` at the end. What was left unread of the one before is passed over.
    pub fn next_entry(&mut self) -> Result<Option<BundleEntry>, BundleError> {
        while self.left > 0 {
            let mut chunk = [0; 8 * BLOCK_BYTES];
            if self.read(&mut chunk)? == 0 {
                return Err(self.broken("the file ends inside an entry"));
            }
        }
        let mut block = [0; BLOCK_BYTES];
        let filled = self.padding;
        self.take(&mut block[..filled])?;
        if let Some(at) = block[..filled].iter().position(|byte| *byte != 0) {
            return Err(self.broken_at(filled - at, "the padding is not empty"));
        }
        self.padding = 0;
        self.take(&mut block)?;
        if block == [0; BLOCK_BYTES] {
            return self.end().map(|()| None);
        }
        self.entry(&block).map(Some)
    }

    fn entry(&mut self, block: &[u8; BLOCK_BYTES]) -> Result<BundleEntry, BundleError> {
        let name_len = block[..ENTRY_NAME_BYTES_MAX]
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or(ENTRY_NAME_BYTES_MAX);
        let name = std::str::from_utf8(&block[..name_len]).ok();
        let length = octal(&block[AT_SIZE..AT_SIZE + 11]);
        let seconds = octal(&block[136..147]);
        let (Some(name), Some(length), Some(seconds)) = (name, length, seconds) else {
            return Err(self.broken_at(BLOCK_BYTES, "this is not the header of an entry"));
        };
        let time = Timestamp::from_seconds(i64::try_from(seconds).unwrap_or(i64::MAX));
        let expected = header(name, length, *self.time.get_or_insert(time))
            .map_err(|_| self.broken_at(BLOCK_BYTES, "this is not the header of an entry"))?;
        if let Some(at) = (0..BLOCK_BYTES).find(|at| block[*at] != expected[*at]) {
            return Err(self.broken_at(
                BLOCK_BYTES - at,
                "the header is not as this program writes it",
            ));
        }
        self.left = length;
        self.padding = padding(length);
        Ok(BundleEntry {
            name: name.to_owned(),
            span: Span {
                start: self.position,
                length,
            },
            time,
        })
    }

    /// The second empty block, and nothing behind it.
    fn end(&mut self) -> Result<(), BundleError> {
        let mut block = [0; BLOCK_BYTES];
        self.take(&mut block)?;
        if block != [0; BLOCK_BYTES] {
            return Err(self.broken_at(BLOCK_BYTES, "the end is not empty"));
        }
        match self.inner.read(&mut block)? {
            0 => Ok(()),
            _ => Err(self.broken("something stands behind the end")),
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> Result<(), BundleError> {
        match self.inner.read_exact(buffer) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.broken("the file ends too early"))
            }
            Err(error) => Err(error.into()),
            Ok(()) => {
                self.position += buffer.len() as u64;
                Ok(())
            }
        }
    }

    fn broken(&self, what: &'static str) -> BundleError {
        self.broken_at(0, what)
    }

    fn broken_at(&self, back: usize, what: &'static str) -> BundleError {
        let offset = self.position.saturating_sub(back as u64);
        BundleError::NotCanonical { offset, what }
    }
}

impl<R: Read> Read for BundleReader<R> {
    /// Reads on in the current entry.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(buffer.len(), |left| left.min(buffer.len()));
        let count = self.inner.read(&mut buffer[..most])?;
        self.left -= count as u64;
        self.position += count as u64;
        Ok(count)
    }
}

fn octal(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, digit| {
        let digit = (b'0'..=b'7').contains(digit).then(|| digit - b'0')?;
        value.checked_mul(8)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn written(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer =
            BundleWriter::new(Cursor::new(Vec::new()), Timestamp(1_700_000_000_000_000));
        for (name, bytes) in entries {
            writer.begin(name).unwrap();
            writer.write_all(bytes).unwrap();
            writer.end().unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BundleError> {
        let mut reader = BundleReader::new(bytes);
        let mut found = Vec::new();
        while let Some(entry) = reader.next_entry()? {
            let mut contents = Vec::new();
            reader.read_to_end(&mut contents)?;
            found.push((entry.name, contents));
        }
        Ok(found)
    }

    #[test]
    fn what_is_written_reads_back_and_lies_where_it_was_said() {
        let long = vec![7; 1_500];
        let mut writer = BundleWriter::new(Cursor::new(Vec::new()), Timestamp(5_000_000));
        writer.begin("a/long.bin").unwrap();
        writer.write_all(&long).unwrap();
        let span = writer.end().unwrap();
        let bytes = writer.finish().unwrap().into_inner();
        let range = span.start as usize..(span.start + span.length) as usize;
        assert_eq!(&bytes[range], &long[..]);
        assert_eq!(read(&bytes).unwrap(), [("a/long.bin".to_owned(), long)]);
        assert_eq!(bytes.len() % BLOCK_BYTES, 0);
    }

    #[test]
    fn names_that_leave_the_bundle_are_not_written() {
        for name in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            "a b",
            "ä",
            &"x".repeat(101),
        ] {
            let mut writer = BundleWriter::new(Cursor::new(Vec::new()), Timestamp(0));
            assert!(writer.begin(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn an_entry_that_is_not_read_is_passed_over() {
        let bytes = written(&[("a", &[1; 700]), ("b", b"two")]);
        let mut reader = BundleReader::new(&bytes[..]);
        assert_eq!(reader.next_entry().unwrap().unwrap().name, "a");
        assert_eq!(reader.next_entry().unwrap().unwrap().span.length, 3);
        assert_eq!(reader.next_entry().unwrap(), None);
    }

    #[test]
    fn the_order_of_tools_reads_it() {
        // Field by field, as POSIX says where they stand.
        let bytes = written(&[("README.txt", b"hello")]);
        assert_eq!(&bytes[..11], b"README.txt\0");
        assert_eq!(&bytes[124..136], b"00000000005\0");
        assert_eq!(&bytes[136..148], b"14524770400\0");
        assert_eq!(&bytes[257..265], b"ustar\x0000");
        let sum: u32 = (0..512)
            .map(|at| {
                if (148..156).contains(&at) {
                    32
                } else {
                    u32::from(bytes[at])
                }
            })
            .sum();
        assert_eq!(&bytes[148..156], format!("{sum:06o}\0 ").as_bytes());
    }

    proptest! {
        #[test]
        fn any_flipped_bit_outside_the_contents_is_found(at: prop::sample::Index, bit in 0..8u32) {
            let contents: &[u8] = b"some contents";
            let sound = written(&[("a", contents), ("b", &[9; 512]), ("c", &[])]);
            let at = at.index(sound.len());
            let mut bytes = sound.clone();
            bytes[at] ^= 1 << bit;
            let before = read(&sound).unwrap();
            match read(&bytes) {
                Err(_) => {}
                // A name or a length may change into another good one; then the contents tell.
                Ok(after) => prop_assert_ne!(after, before, "byte {}", at),
            }
        }

        #[test]
        fn a_cut_or_longer_archive_is_found(at: prop::sample::Index, more in 1..600usize) {
            let sound = written(&[("a", b"some contents"), ("b", &[9; 512])]);
            prop_assert!(read(&sound[..at.index(sound.len())]).is_err());
            let mut longer = sound;
            longer.extend(vec![0; more]);
            prop_assert!(read(&longer).is_err());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let _ = read(&bytes);
        }
    }
}
