//! Which entries of a container are one download.

use std::collections::BTreeMap;

use crate::ingest::beside::{Folder, folder_of, place_of};
use crate::ingest::container::Entry;

/// The file that tells about a conversation.
const GROUP_FILE: &str = "group_info.json";

/// The entries of one download.
#[derive(Debug, Default)]
pub(super) struct Download {
    /// Messages, and what tells about their conversation.
    pub chats: BTreeMap<u32, Option<u32>>,
    /// What tells about the account.
    pub others: Vec<u32>,
}

impl Download {
    /// The entry that stands for it.
    pub fn main(&self) -> Option<u32> {
        self.chats.keys().next().copied()
    }

    /// Every entry that is read.
    pub fn parts(&self) -> Vec<u32> {
        let groups = self.chats.values().flatten();
        let all = self.chats.keys().chain(groups).chain(&self.others);
        all.copied().collect()
    }
}

/// The downloads of a container, by the names of their entries: conversations lie in `Groups`, the account
/// in `Users`; a folder that was taken out of a download has what tells about it beside its messages.
pub(super) fn downloads(entries: &[Entry]) -> Vec<Download> {
    let entries = entries.iter().filter(|entry| entry.refused.is_none());
    let groups = entries.clone().filter(|one| one.file_name() == GROUP_FILE);
    let groups: BTreeMap<Folder<'_>, u32> =
        groups.map(|one| (place_of(one), one.ordinal)).collect();
    let mut downloads: BTreeMap<Folder<'_>, Download> = BTreeMap::new();
    for entry in entries {
        let folder = folder_of(&entry.name);
        let (above, _) = folder.rsplit_once('/').unwrap_or_default();
        let inside = |among: &str| {
            let root = above.strip_suffix(among)?;
            (root.is_empty() || root.ends_with('/')).then_some(root)
        };
        match entry.file_name() {
            "messages.json" => {
                let group = groups.get(&place_of(entry)).copied();
                if let Some(root) = inside("Groups").or(group.map(|_| above)) {
                    let download = downloads.entry((entry.parent, root)).or_default();
                    download.chats.insert(entry.ordinal, group);
                }
            }
            "user_info.json" => {
                if let Some(root) = inside("Users") {
                    let download = downloads.entry((entry.parent, root)).or_default();
                    download.others.push(entry.ordinal);
                }
            }
            _ => {}
        }
    }
    downloads.into_values().collect()
}
