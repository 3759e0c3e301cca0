//! The limits of a container, and the reader that enforces them while bytes are inflated.

use std::io::{self, Read};

/// Most bytes all entries of one import may expand to.
pub const EXPANDED_BYTES_MAX: u64 = 64 * 1024 * 1024 * 1024;
/// Most expanded bytes per compressed byte, counted after [`RATIO_FREE_BYTES`].
pub const RATIO_MAX: u64 = 250;
/// Expanded bytes of an entry before its ratio counts.
pub const RATIO_FREE_BYTES: u64 = 1024 * 1024;
/// Most entries of one import, nested archives included.
pub const ENTRIES_MAX: usize = 1_000_000;
/// An archive in an archive in an archive is read; what lies deeper stays an attachment.
pub const NESTED_DEPTH_MAX: u32 = 3;
/// A nested archive larger than this stays an attachment, because it is held in memory; bytes.
pub const NESTED_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Nested archives that are held in memory at once, together; bytes. What more there are is unpacked again
/// when it is read again.
pub const NESTED_HELD_BYTES_MAX: usize = 128 * 1024 * 1024;

/// The limits of one import. The operator may lower them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Most expanded bytes in all; the caller lowers it to a quarter of the free space.
    pub expanded_bytes: u64,
    /// Most expanded bytes per compressed byte.
    pub ratio: u64,
    /// Most entries.
    pub entries: usize,
    /// Deepest nesting that is opened.
    pub depth: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            expanded_bytes: EXPANDED_BYTES_MAX,
            ratio: RATIO_MAX,
            entries: ENTRIES_MAX,
            depth: NESTED_DEPTH_MAX,
        }
    }
}

/// A limit was reached while bytes were being inflated.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Exceeded(pub String);

/// What one import has expanded so far. An entry read twice counts once.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// Expanded bytes in all.
    pub total: u64,
    /// The furthest byte read of each entry.
    pub furthest: Vec<u64>,
}

/// Counts what comes out of an entry and stops at the limits.
pub struct Metered<'a, R> {
    inner: R,
    budget: Budget,
    spent: &'a mut Spent,
    entry: usize,
    compressed: u64,
    position: u64,
}

impl<'a, R: Read> Metered<'a, R> {
    /// A reader of an entry whose compressed form has `compressed` bytes.
    pub fn new(
        inner: R,
        budget: Budget,
        spent: &'a mut Spent,
        entry: usize,
        compressed: u64,
    ) -> Self {
        Self {
            inner,
            budget,
            spent,
            entry,
            compressed,
            position: 0,
        }
    }

    fn check(&self) -> Result<(), Exceeded> {
        if self.position > RATIO_FREE_BYTES
            && self.position > self.compressed.saturating_mul(self.budget.ratio)
        {
            return Err(Exceeded(format!(
                "the entry expands to more than {} times its size, which no chat does; nothing more is read from it",
                self.budget.ratio
            )));
        }
        if self.spent.total > self.budget.expanded_bytes {
            return Err(Exceeded(format!(
                "the container expands to more than {} bytes; raise the limit or import its parts one by one",
                self.budget.expanded_bytes
            )));
        }
        Ok(())
    }
}

impl<R: Read> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        if let Some(furthest) = self.spent.furthest.get_mut(self.entry) {
            let more = self.position.saturating_sub(*furthest);
            *furthest += more;
            self.spent.total += more;
        }
        self.check().map_err(io::Error::other)?;
        Ok(count)
    }
}
