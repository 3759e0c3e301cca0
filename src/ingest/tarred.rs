//! The entries of a tar archive: where the bytes of each regular file lie; links and devices refused.
//!
//! Format facts: POSIX.1-2008 `pax`, "ustar Interchange Format" and "pax Extended Header"; GNU long
//! names (type `L`) and sparse files (type `S`): GNU tar manual, "Basic Tar Format".

use std::io::{self, Read, Seek};

use tar::{Archive, EntryType, PaxExtensions};

use crate::domain::Timestamp;

/// Bytes of a block.
const BLOCK_BYTES: usize = 512;
/// Longest extended header that is read; bytes.
const EXTENSION_BYTES_MAX: u64 = 1024 * 1024;
/// Longest name that is kept, in bytes: no file system has longer paths.
const NAME_BYTES_MAX: usize = 4_096;

/// One entry of an archive, folders left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TarredEntry {
    /// Its name; what is not UTF-8 in it is replaced.
    pub name: String,
    /// Where its bytes begin in the archive.
    pub start: u64,
    /// How many there are.
    pub length: u64,
    /// When it was last written.
    pub modified: Option<Timestamp>,
    /// Why it is not read; `None` when it is.
    pub refused: Option<String>,
}

/// What an archive lists.
#[derive(Debug, Default)]
pub struct Listing {
    /// The entries in the order of the archive.
    pub entries: Vec<TarredEntry>,
    /// Remarks on the archive as a whole.
    pub remarks: Vec<String>,
}

/// Whether the bytes begin a tar archive: a header whose checksum is right.
pub fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.first_chunk::<BLOCK_BYTES>() else {
        return false;
    };
    let digits = &block[148..156];
    let text: String = digits.iter().map(|byte| char::from(*byte)).collect();
    let Ok(told) = u32::from_str_radix(text.trim_matches(['\0', ' ']), 8) else {
        return false;
    };
    // The checksum counts its own field as blanks.
    let own: u32 = digits.iter().map(|byte| u32::from(*byte)).sum();
    let all: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[0] != 0 && all - own + 8 * u32::from(b' ') == told
}

/// What extended headers say of the entry behind them.
#[derive(Default)]
struct Told {
    name: Option<String>,
    size: Option<u64>,
    modified: Option<Timestamp>,
    is_sparse: bool,
}

/// Walks an archive of `length` bytes, at most `entries_max` entries. A damaged place ends the walk; what
/// was found before is given.
///
/// # Errors
/// What the medium reports while the archive is opened.
pub fn list<R: Read + Seek>(reader: R, length: u64, entries_max: usize) -> io::Result<Listing> {
    let mut archive = Archive::new(reader);
    let mut listing = Listing::default();
    let mut told = Told::default();
    for entry in archive.entries_with_seek()?.raw(true) {
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                listing.remarks.push(format!(
                    "the archive is damaged behind its entry {}: {error}; what comes after is not read",
                    listing.entries.len()
                ));
                break;
            }
        };
        let kind = entry.header().entry_type();
        if extends(kind) {
            match extension(&mut entry, kind, &mut told) {
                Ok(()) => continue,
                Err(reason) => {
                    listing.remarks.push(reason);
                    break;
                }
            }
        }
        let told = std::mem::take(&mut told);
        if kind.is_dir() {
            continue;
        }
        if listing.entries.len() >= entries_max {
            let reason = "the archive lists more entries than the limit; the rest is not read";
            listing.remarks.push(reason.to_owned());
            break;
        }
        let found = found(&entry, kind, told, length);
        // What the rest of the archive would be read by is not to be trusted any more.
        let sized_apart = found.length != entry.header().entry_size().unwrap_or(0);
        listing.entries.push(found);
        if sized_apart {
            let reason = "an entry has another size in its extended header than in its own; what comes after it is not read";
            listing.remarks.push(reason.to_owned());
            break;
        }
    }
    Ok(listing)
}

fn extends(kind: EntryType) -> bool {
    kind.is_gnu_longname()
        || kind.is_gnu_longlink()
        || kind.is_pax_local_extensions()
        || kind.is_pax_global_extensions()
}

/// Takes what an extended header says, or says why it cannot be read.
fn extension<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    kind: EntryType,
    told: &mut Told,
) -> Result<(), String> {
    if entry.size() > EXTENSION_BYTES_MAX {
        return Err(format!(
            "an extended header of the archive has {} bytes, which only a crafted archive has; what comes after is not read",
            entry.size()
        ));
    }
    let mut bytes = Vec::new();
    if let Err(error) = entry.take(EXTENSION_BYTES_MAX).read_to_end(&mut bytes) {
        return Err(format!(
            "an extended header of the archive breaks off: {error}"
        ));
    }
    if kind.is_gnu_longname() {
        told.name = Some(text(
            bytes.split(|byte| *byte == 0).next().unwrap_or(&bytes),
        ));
    }
    if kind.is_pax_local_extensions() {
        for (key, value) in PaxExtensions::new(&bytes)
            .filter_map(Result::ok)
            .filter_map(|one| Some((one.key().ok()?.to_owned(), text(one.value_bytes()))))
        {
            match key.as_str() {
                "path" => told.name = Some(value),
                "size" => told.size = value.parse().ok(),
                "mtime" => {
                    let seconds = value.split('.').next().unwrap_or(&value).parse();
                    told.modified = seconds.ok().map(Timestamp::from_seconds);
                }
                key if key.starts_with("GNU.sparse.") => told.is_sparse = true,
                _ => {}
            }
        }
    }
    Ok(())
}

fn found<R: Read>(
    entry: &tar::Entry<'_, R>,
    kind: EntryType,
    told: Told,
    archive_length: u64,
) -> TarredEntry {
    let header = entry.header();
    let start = entry.raw_file_position();
    let length = told.size.or(header.entry_size().ok()).unwrap_or(0);
    let refused = match kind {
        _ if told.is_sparse => Some("a sparse file, not read".to_owned()),
        EntryType::Regular | EntryType::Continuous => None,
        EntryType::Link | EntryType::Symlink => Some("a link, not followed".to_owned()),
        EntryType::Char | EntryType::Block | EntryType::Fifo => {
            Some("a device, not read".to_owned())
        }
        EntryType::GNUSparse => Some("a sparse file, not read".to_owned()),
        other => Some(format!("an entry of the unknown type {}", other.as_byte())),
    };
    let is_whole = start.saturating_add(length) <= archive_length;
    let cut = (!is_whole)
        .then(|| "its data would end behind the archive; ask for a complete copy".to_owned());
    let written = header.mtime().ok().filter(|seconds| *seconds > 0);
    let written = written.and_then(|seconds| i64::try_from(seconds).ok());
    let mut name = told.name.unwrap_or_else(|| text(&header.path_bytes()));
    let too_long = (name.len() > NAME_BYTES_MAX).then(|| {
        name.truncate(name.floor_char_boundary(NAME_BYTES_MAX));
        format!("its name is longer than {NAME_BYTES_MAX} bytes")
    });
    let refused = refused.or(too_long);
    TarredEntry {
        name,
        start,
        length,
        modified: told.modified.or(written.map(Timestamp::from_seconds)),
        refused: refused.or(cut),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mtime(1_700_000_000);
            header.set_mode(0o644);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn listed(bytes: &[u8]) -> Listing {
        list(io::Cursor::new(bytes), bytes.len() as u64, 100).unwrap()
    }

    #[test]
    fn entries_lie_where_the_archive_has_them() {
        let long = format!("{}/chat.txt", "folder/".repeat(30));
        let bytes = archive(&[("a.txt", b"one"), (&long, b"three")]);
        assert!(is_tar(&bytes));
        let listing = listed(&bytes);
        assert!(listing.remarks.is_empty());
        assert_eq!(listing.entries[1].name, long);
        for (entry, wanted) in listing.entries.iter().zip([b"one".as_slice(), b"three"]) {
            let start = entry.start as usize;
            assert_eq!(&bytes[start..start + entry.length as usize], wanted);
            assert_eq!(entry.modified, Some(Timestamp::from_seconds(1_700_000_000)));
        }
    }

    #[test]
    fn links_and_devices_are_named_and_not_followed() {
        let mut builder = tar::Builder::new(Vec::new());
        for (kind, name) in [
            (EntryType::Symlink, "soft"),
            (EntryType::Link, "hard"),
            (EntryType::Fifo, "pipe"),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(0);
            builder
                .append_link(&mut header, name, "/etc/passwd")
                .unwrap();
        }
        let listing = listed(&builder.into_inner().unwrap());
        assert_eq!(listing.entries.len(), 3);
        assert!(listing.entries.iter().all(|entry| entry.refused.is_some()));
    }

    #[test]
    fn a_cut_archive_gives_what_is_whole_in_it() {
        let bytes = archive(&[("a.txt", b"one"), ("b.txt", &[7; 2_000])]);
        let listing = listed(&bytes[..2_000]);
        let refused: Vec<bool> = listing
            .entries
            .iter()
            .map(|one| one.refused.is_some())
            .collect();
        assert_eq!(refused, [false, true]);
        for cut in 0..bytes.len() {
            listed(&bytes[..cut]);
        }
    }

    #[test]
    fn what_is_no_archive_is_not_taken_for_one() {
        assert!(!is_tar(b""));
        assert!(!is_tar(&[0; 1_024]));
        assert!(!is_tar(&b"13/01/2024, 10:00 - Ana: hi\n".repeat(40)));
    }
}
