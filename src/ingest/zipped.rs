//! The directory of a zip archive, entry by entry: duplicates kept, overlaps refused, lies noted.
//!
//! Format facts: PKWARE APPNOTE 4.3.7 (local header), 4.3.12 (central directory), 4.4.4 (flags).

use std::io::{self, Read, Seek, SeekFrom};

use zip::read::{Config, OwnedZipFileEntry};
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

use crate::domain::Timestamp;

use super::container::{Entry, Packing};
use super::error::Result;

/// Length of a local header before name and extra field; bytes.
const LOCAL_HEADER_BYTES: usize = 30;
/// General purpose bit 3: sizes follow the data, the local header has zeros.
const FLAG_SIZES_FOLLOW: u16 = 1 << 3;

/// One entry of an archive, readable again and again.
pub struct ZippedEntry {
    entry: OwnedZipFileEntry,
    name: String,
    refused: Option<String>,
    remarks: Vec<String>,
}

/// What the directory of an archive lists.
pub struct Listing {
    /// The entries in directory order, folders left out.
    pub entries: Vec<ZippedEntry>,
    /// Remarks on the archive as a whole.
    pub remarks: Vec<String>,
}

/// Walks the directory of an archive, at most `entries_max` entries. The inner error says why the
/// archive as a whole is refused.
///
/// # Errors
/// What the medium reports.
pub fn list<R: Read + Seek>(
    mut reader: R,
    entries_max: usize,
) -> io::Result<std::result::Result<Listing, String>> {
    let length = reader.seek(SeekFrom::End(0))?;
    let mut archive = match ZipIterable::try_new(&mut reader, Config::default()) {
        Ok(archive) => archive,
        Err(error) => {
            return Ok(Err(format!(
                "the archive has no readable directory ({error}); it may be cut off, ask for a complete copy"
            )));
        }
    };
    let mut listing = Listing {
        entries: Vec::new(),
        remarks: Vec::new(),
    };
    let files = match archive.files() {
        Ok(files) => files,
        Err(error) => {
            return Ok(Err(format!(
                "the directory of the archive cannot be read: {error}"
            )));
        }
    };
    for file in files {
        if listing.entries.len() >= entries_max {
            listing.remarks.push(
                "the archive lists more entries than the limit; the rest is not read".to_owned(),
            );
            break;
        }
        match file {
            Ok(file) if file.is_dir() => {}
            Ok(file) => listing.entries.push(ZippedEntry::new(file.into())),
            Err(error) => {
                listing
                    .remarks
                    .push(format!("the directory of the archive breaks off: {error}"));
                break;
            }
        }
    }
    let mut ranges = Vec::with_capacity(listing.entries.len());
    for (place, zipped) in listing.entries.iter_mut().enumerate() {
        if let Some((start, end)) = zipped.check_local_header(&mut reader, length)? {
            ranges.push((start, end, place));
        }
    }
    refuse_overlaps(&mut listing.entries, ranges);
    Ok(Ok(listing))
}

/// Refuses every entry whose bytes another entry claims too.
fn refuse_overlaps(entries: &mut [ZippedEntry], mut ranges: Vec<(u64, u64, usize)>) {
    ranges.sort_unstable();
    let mut reach: Option<(u64, usize)> = None;
    for (start, end, place) in ranges {
        if let Some((reached, owner)) = reach
            && start < reached
        {
            for place in [owner, place] {
                entries[place].refused = Some(
                    "its bytes overlap another entry's, which only a crafted archive has"
                        .to_owned(),
                );
            }
        }
        if reach.is_none_or(|(reached, _)| end > reached) {
            reach = Some((end, place));
        }
    }
}

impl ZippedEntry {
    fn new(entry: OwnedZipFileEntry) -> Self {
        let mut remarks = Vec::new();
        let name = match std::str::from_utf8(entry.name_raw()) {
            Ok(name) => name.to_owned(),
            Err(_) => {
                remarks.push("the name is not UTF-8; it was read as code page 437".to_owned());
                entry.name_raw().iter().map(|byte| cp437(*byte)).collect()
            }
        };
        let readable = matches!(
            entry.compression(),
            CompressionMethod::Stored | CompressionMethod::Deflated
        );
        let refused = if entry.encrypted() {
            Some("encrypted, not read".to_owned())
        } else if !readable {
            Some(format!(
                "packed by a method that is not read ({})",
                entry.compression()
            ))
        } else if entry.is_symlink() {
            Some("a link, not followed".to_owned())
        } else {
            None
        };
        Self {
            entry,
            name,
            refused,
            remarks,
        }
    }

    /// The entry as the table shows it; place and depth are the container's to set.
    pub fn entry(&self) -> Entry {
        Entry {
            ordinal: 0,
            name: self.name.clone(),
            display_name: String::new(),
            size: self.entry.size(),
            packed_size: self.entry.compressed_size(),
            packing: match self.entry.compression() {
                _ if self.refused.is_some() => Packing::Unreadable,
                CompressionMethod::Stored => Packing::Stored,
                _ => Packing::Deflated,
            },
            modified: self.modified(),
            depth: 0,
            parent: None,
            refused: self.refused.clone(),
        }
    }

    /// What was odd about it.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The printed local time of last writing, as if it were UTC. The first day the format can
    /// hold stands for "not known".
    fn modified(&self) -> Option<Timestamp> {
        let time = self.entry.last_modified()?;
        if (time.year(), time.month(), time.day()) == (1980, 1, 1) {
            return None;
        }
        let date = chrono::NaiveDate::from_ymd_opt(
            i32::from(time.year()),
            u32::from(time.month()),
            u32::from(time.day()),
        )?;
        let clock = date.and_hms_opt(
            u32::from(time.hour()),
            u32::from(time.minute()),
            u32::from(time.second()),
        )?;
        Some(Timestamp::from_seconds(clock.and_utc().timestamp()))
    }

    /// Hands the inflated bytes to `take`.
    ///
    /// # Errors
    /// When the local header or the data cannot be read, and whatever `take` answers.
    pub fn read<T>(
        &self,
        mut medium: impl Read + Seek,
        take: impl FnOnce(&mut dyn Read) -> Result<T>,
    ) -> Result<T> {
        let mut inflating = self
            .entry
            .as_ref()
            .with_reader(&mut medium, ZipReadOptions::new())
            .map_err(io::Error::other)?;
        take(&mut inflating)
    }

    /// Compares the local header with the directory, which wins; the range of bytes the entry
    /// claims, or `None` when it was refused.
    fn check_local_header<R: Read + Seek>(
        &mut self,
        reader: &mut R,
        length: u64,
    ) -> io::Result<Option<(u64, u64)>> {
        let start = self.entry.header_start();
        let mut header = [0u8; LOCAL_HEADER_BYTES];
        let whole = start.saturating_add(LOCAL_HEADER_BYTES as u64) <= length;
        if whole {
            reader.seek(SeekFrom::Start(start))?;
            reader.read_exact(&mut header)?;
        }
        if !whole || !header.starts_with(b"PK\x03\x04") {
            self.refused =
                Some("its place in the archive holds no entry; ask for a complete copy".to_owned());
            return Ok(None);
        }
        let short = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
        let long = |at: usize| {
            u32::from_le_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]])
        };
        let (flags, name_len, extra_len) = (short(6), short(26), short(28));
        let mut name = vec![0u8; usize::from(name_len)];
        let data_start =
            start + LOCAL_HEADER_BYTES as u64 + u64::from(name_len) + u64::from(extra_len);
        let end = data_start.saturating_add(self.entry.compressed_size());
        if end > length {
            self.refused =
                Some("its data would end behind the archive; ask for a complete copy".to_owned());
            return Ok(None);
        }
        reader.read_exact(&mut name)?;
        let sizes_differ = flags & FLAG_SIZES_FOLLOW == 0
            && long(22) != u32::MAX
            && u64::from(long(22)) != self.entry.size();
        if name != self.entry.name_raw() || sizes_differ {
            self.remarks.push("its own header and the directory of the archive disagree; the directory was believed".to_owned());
        }
        Ok(Some((start, end)))
    }
}

/// The letter of a byte in code page 437, the encoding of names without the UTF-8 flag
/// (APPNOTE appendix D).
fn cp437(byte: u8) -> char {
    const UPPER: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{A0}";
    match byte.checked_sub(0x80) {
        None => char::from(byte),
        Some(place) => UPPER.chars().nth(usize::from(place)).unwrap_or('?'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_page_437_has_its_letters() {
        assert_eq!(
            (cp437(b'A'), cp437(0x80), cp437(0xE1), cp437(0xFF)),
            ('A', 'Ç', 'ß', '\u{A0}')
        );
    }
}
