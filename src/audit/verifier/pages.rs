//! Pages of entries: read one after the other, hashed and parsed by all cores.

use std::num::NonZero;

use super::super::entry::Entry;
use super::super::error::Result;
use super::PAGE;
use crate::crypto::{Digest, leaf_hash};
use crate::domain::EntryNo;
use crate::store::Rows;

/// An entry, hashed and read.
pub(super) struct Parsed {
    pub leaf: Digest,
    pub entry: std::result::Result<Entry, String>,
}

impl Parsed {
    fn read(bytes: &[u8]) -> Parsed {
        Parsed {
            leaf: leaf_hash(bytes),
            entry: Entry::parse(bytes),
        }
    }
}

/// Hashes and reads entries, in their order, by all cores where there are many.
pub(super) fn parse_all(entries: &[&[u8]]) -> Vec<Parsed> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = entries.len().div_ceil(cores).max(PAGE as usize);
    let read =
        |part: &[&[u8]]| -> Vec<Parsed> { part.iter().map(|entry| Parsed::read(entry)).collect() };
    let mut parts = entries.chunks(share);
    let own = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || read(part))).collect();
        let mut all = read(own);
        for other in others {
            match other.join() {
                Ok(mut part) => all.append(&mut part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// Stored entries from `start` on, up to the first hole.
pub(super) fn stored_page(rows: &Rows, start: u64, wanted: u64) -> Result<Page> {
    let rows = rows.audit_entries(EntryNo(start), EntryNo(start + wanted))?;
    let mut page = Page::default();
    for (row, index) in rows.iter().zip(start..) {
        if row.seq.0 != index {
            break;
        }
        page.bytes.extend_from_slice(&row.entry);
        page.lengths.push(row.entry.len());
    }
    Ok(page)
}

/// Bytes of the length in front of an entry in a tile.
pub(super) const ENTRY_LEN_BYTES: usize = 2;

/// Entries one after the other in one buffer, `before` bytes in front of each.
#[derive(Default)]
pub(super) struct Page {
    pub bytes: Vec<u8>,
    pub lengths: Vec<usize>,
    pub before: usize,
}

impl Page {
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    pub fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.lengths.iter().map_while(move |length| {
            let (entry, after) = rest.get(self.before..)?.split_at_checked(*length)?;
            rest = after;
            Some(entry)
        })
    }
}
