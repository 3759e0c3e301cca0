//! What lies beside an entry in its container: the files that messages name by paths.

use std::collections::BTreeMap;

use super::container::{Container, Entry};
use super::detect::{Found, HEAD_BYTES};
use super::format::{Claim, Format};

/// A folder: the archive it lies in, and its name without the slash behind it.
pub type Folder<'e> = (Option<u32>, &'e str);

/// The folder that an entry lies in.
pub fn place_of(entry: &Entry) -> Folder<'_> {
    (entry.parent, folder_of(&entry.name))
}

/// Files that lie in the folder of an entry or below it, by their path from there on.
pub fn files_beside(container: &Container<'_>, entry: &Entry) -> BTreeMap<String, u32> {
    let folder = folder_of(&entry.name);
    let beside = container.entries().iter().filter(|other| {
        other.parent == entry.parent && other.refused.is_none() && other.ordinal != entry.ordinal
    });
    let path = |other: &Entry| {
        let below = match folder {
            "" => Some(other.name.as_str()),
            _ => other.name.strip_prefix(folder)?.strip_prefix('/'),
        };
        Some((below?.to_owned(), other.ordinal))
    };
    beside.filter_map(path).collect()
}

/// The files that came along with a chat: those in the same archive or handed in together,
/// by their names without a path.
pub fn names_beside(container: &Container<'_>, main: u32) -> BTreeMap<String, u32> {
    let entries = container.entries();
    let parent = entries[main as usize].parent;
    let beside = entries
        .iter()
        .filter(|entry| entry.ordinal != main && entry.parent == parent && entry.refused.is_none());
    beside
        .map(|entry| (entry.file_name().to_owned(), entry.ordinal))
        .collect()
}

/// Entries of one folder whose names say which part of the same thing they are, in the order of the
/// parts: `part` gives, for the name of a file, what it is a part of, and its number.
pub fn parted(entries: &[Entry], part: impl Fn(&str) -> Option<(String, u32)>) -> Vec<Vec<u32>> {
    let mut whole: BTreeMap<(Folder<'_>, String), Vec<(u32, u32)>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.refused.is_none()) {
        if let Some((name, number)) = part(entry.file_name()) {
            let parts = whole.entry((place_of(entry), name)).or_default();
            parts.push((number, entry.ordinal));
        }
    }
    let sorted = whole.into_values().map(|mut parts| {
        parts.sort_unstable();
        parts.into_iter().map(|(_, ordinal)| ordinal).collect()
    });
    sorted.collect()
}

/// The chats of a format that are made of several parts, which are claimed one by one.
pub fn gathered(
    format: &dyn Format,
    container: &mut Container<'_>,
    parted: Vec<Vec<u32>>,
) -> Vec<Found> {
    let mut found = Vec::new();
    for parts in parted.into_iter().filter(|parts| parts.len() > 1) {
        let mut claimed = Vec::new();
        for part in parts {
            let entry = container.entries()[part as usize].clone();
            let head = container.head(part, HEAD_BYTES).unwrap_or_default();
            if format.claim(&entry, &head) != Claim::No {
                claimed.push(part);
            }
        }
        if let [first, _, ..] = claimed[..] {
            found.push(Found::gathered(format.name(), first, claimed));
        }
    }
    found
}

/// The parts that are read with an entry, itself first: those of [`gathered`] that the format claims.
pub fn parts_of(
    format: &dyn Format,
    container: &mut Container<'_>,
    parted: Vec<Vec<u32>>,
    main: u32,
) -> Vec<u32> {
    let holding = parted.into_iter().filter(|parts| parts.contains(&main));
    let found = gathered(format, container, holding.collect());
    let mut parts = vec![main];
    let first = found.into_iter().find(|found| found.entry == main);
    parts.extend(first.into_iter().flat_map(|found| found.parts));
    parts
}

/// The folder of a name, without the slash behind it; empty at the root.
pub fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
