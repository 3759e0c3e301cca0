//! What lies beside an entry in its container: the files that messages name by paths.

use std::collections::BTreeMap;

use super::container::{Container, Entry};

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

/// The folder of a name, without the slash behind it; empty at the root.
pub fn folder_of(name: &str) -> &str {
    name.rsplit_once('/').map_or("", |(folder, _)| folder)
}
