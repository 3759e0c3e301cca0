//! Which entries of a container are one workspace: lists at its root, a folder for each conversation, a
//! file for each day.

use std::collections::{BTreeMap, BTreeSet};

use crate::ingest::container::Entry;

/// Lists that tell of conversations and people; a workspace has one at least.
const TOLD_BY: [&str; 6] = [
    "channels.json",
    "groups.json",
    "dms.json",
    "mpims.json",
    "users.json",
    "org_users.json",
];
/// Lists that belong to it and hold nobody's words.
const BESIDE: [&str; 4] = [
    "integration_logs.json",
    "canvases.json",
    "content_flags.json",
    "lists.json",
];

/// A file of messages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    /// As its name says; in which zone nobody knows.
    pub date: String,
    /// The folder it lies in.
    pub folder: String,
    pub entry: u32,
}

/// The entries of one workspace.
#[derive(Clone, Debug, Default)]
pub(super) struct Workspace {
    /// The lists at the root, with the name that tells what each is of.
    pub lists: Vec<(&'static str, u32)>,
    pub days: Vec<Day>,
    /// Other files, by the id that their names hold.
    pub files: BTreeMap<String, u32>,
}

impl Workspace {
    /// The entry that stands for it.
    pub fn main(&self) -> Option<u32> {
        self.lists.first().map(|(_, entry)| *entry)
    }

    /// Every entry that is read.
    pub fn parts(&self) -> Vec<u32> {
        let lists = self.lists.iter().map(|(_, entry)| *entry);
        lists.chain(self.days.iter().map(|day| day.entry)).collect()
    }
}

/// The workspaces of a container.
pub(super) fn workspaces(entries: &[Entry]) -> Vec<Workspace> {
    let mut found: BTreeMap<(Option<u32>, String), Workspace> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.refused.is_none()) {
        let name = entry.name.replace('\\', "/");
        let (folder, file) = name.rsplit_once('/').unwrap_or(("", &name));
        if folder.split('/').any(|part| part == "__MACOSX") {
            continue;
        }
        let list = TOLD_BY.iter().chain(&BESIDE).find(|list| **list == file);
        if let Some(list) = list {
            let place = (entry.parent, folder.to_owned());
            let workspace = found.entry(place).or_default();
            workspace.lists.push((list, entry.ordinal));
        } else if let (Some(date), false) = (date_of(file), folder.is_empty()) {
            let (root, folder) = folder.rsplit_once('/').unwrap_or(("", folder));
            let place = (entry.parent, root.to_owned());
            found.entry(place).or_default().days.push(Day {
                date: date.to_owned(),
                folder: folder.to_owned(),
                entry: entry.ordinal,
            });
        }
    }
    found.retain(|_, one| {
        let told = one.lists.iter().any(|(list, _)| TOLD_BY.contains(list));
        told && !one.days.is_empty()
    });
    for ((parent, root), one) in &mut found {
        one.lists.sort_by_key(|(list, _)| rank(list));
        one.days.sort();
        let parts = one.parts().into_iter().collect();
        one.files = files(entries, *parent, root, &parts);
    }
    found.into_values().collect()
}

fn rank(list: &str) -> usize {
    let all = TOLD_BY.iter().chain(&BESIDE);
    all.into_iter()
        .position(|one| *one == list)
        .unwrap_or(usize::MAX)
}

/// The date in the name of a day's file.
fn date_of(file: &str) -> Option<&str> {
    let date = file.strip_suffix(".json")?;
    let fits = date.len() == 10
        && date.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    fits.then_some(date)
}

/// Files that came along: whoever fetched them wrote their ids into their names or folders.
fn files(
    entries: &[Entry],
    parent: Option<u32>,
    root: &str,
    parts: &BTreeSet<u32>,
) -> BTreeMap<String, u32> {
    let mut files = BTreeMap::new();
    for entry in entries {
        let inside = entry.parent == parent && entry.name.starts_with(root);
        if !inside || entry.refused.is_some() || parts.contains(&entry.ordinal) {
            continue;
        }
        let words = entry.name.split(['/', '\\', '-', '_', '.']);
        for id in words.filter(|word| is_file_id(word)) {
            files.entry(id.to_owned()).or_insert(entry.ordinal);
        }
    }
    files
}

fn is_file_id(word: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    word.len() >= 6 && word.starts_with('F') && word.bytes().all(plain)
}
