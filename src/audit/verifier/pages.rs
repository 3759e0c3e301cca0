//! Pages of entries: read one after the other, hashed and parsed elsewhere.

use super::super::entry::Entry;
use super::super::error::{AuditError, Result};
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

/// A page as it was read from files or rows, before anything in it is looked at.
pub(super) struct Read {
    /// The entries up to the first hole; `None` without entries, or when they could not be read.
    pub page: Option<Page>,
    /// What to say of the page before its entries are judged.
    pub trouble: Option<Trouble>,
}

/// What went wrong with reading a page.
pub(super) struct Trouble {
    pub index: u64,
    pub what: String,
    /// Nothing is proved broken: it could not be read.
    pub unread: bool,
}

impl Read {
    /// Without entries: only the hashes are at hand.
    pub const NOTHING: Read = Read {
        page: None,
        trouble: None,
    };

    /// A page from `start` on that should hold `wanted` entries.
    pub fn new(read: Result<Page>, start: u64, wanted: u64) -> Read {
        let trouble = |index, what, unread| Trouble {
            index,
            what,
            unread,
        };
        match read {
            Ok(page) => Read {
                trouble: ((page.len() as u64) < wanted).then(|| {
                    let hole = start + page.len() as u64;
                    trouble(hole, "an entry is missing".to_owned(), false)
                }),
                page: Some(page),
            },
            Err(error) => {
                let unread = matches!(error, AuditError::Unreadable(_) | AuditError::Store(_));
                Read {
                    page: None,
                    trouble: Some(trouble(start, error.to_string(), unread)),
                }
            }
        }
    }

    /// Hashes and reads the entries.
    pub fn parse(self) -> ParsedPage {
        ParsedPage {
            entries: self
                .page
                .map(|page| page.entries().map(Parsed::read).collect()),
            trouble: self.trouble,
        }
    }
}

/// A page whose entries were hashed and read.
pub(super) struct ParsedPage {
    pub entries: Option<Vec<Parsed>>,
    pub trouble: Option<Trouble>,
}

/// Stored entries from `start` on, up to the first hole.
pub(super) fn stored_page(rows: &Rows, start: u64, wanted: u64) -> Result<Page> {
    let mut page = Page::default();
    rows.each_audit_entry(EntryNo(start), EntryNo(start + wanted), |seq, entry| {
        if seq.0 == start + page.len() as u64 {
            page.bytes.extend_from_slice(entry);
            page.lengths.push(entry.len());
        }
    })?;
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
