//! Who is who: the lists of people and conversations.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::ConversationKind;

/// The first that says anything.
pub(super) fn chosen<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Option<&'a str> {
    let mut said = texts.into_iter().flatten();
    said.find(|text| !text.trim().is_empty())
}

/// One of the lists of people.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct User {
    id: Option<String>,
    team_id: Option<String>,
    name: Option<String>,
    real_name: Option<String>,
    profile: Option<Profile>,
}

/// How somebody shows themselves.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Profile {
    display_name: Option<String>,
    real_name: Option<String>,
    name: Option<String>,
    bot_id: Option<String>,
}

impl Profile {
    /// The name that is shown.
    pub fn shown(&self) -> Option<&str> {
        let names = [&self.display_name, &self.real_name, &self.name];
        chosen(names.map(Option::as_deref))
    }
}

/// One of the lists of conversations.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Listed {
    id: Option<String>,
    name: Option<String>,
    previous_names: Option<Vec<String>>,
    members: Option<Vec<String>>,
}

/// A conversation, as its messages need it.
#[derive(Clone, Debug)]
pub(super) struct Chat {
    pub key: String,
    pub title: String,
    pub kind: ConversationKind,
    /// Whether a list names it.
    pub listed: bool,
}

/// People and conversations of a workspace.
#[derive(Debug, Default)]
pub(super) struct Directory {
    names: BTreeMap<String, String>,
    team: Option<String>,
    /// Conversations by the folder their messages lie in.
    folders: BTreeMap<String, Chat>,
    /// The same by the names they had before.
    former: BTreeMap<String, Chat>,
    /// Direct conversations and the ids of their members: names may be told later.
    members: BTreeMap<String, Vec<String>>,
}

impl Directory {
    /// Takes somebody.
    pub fn person(&mut self, user: &User) {
        let profile = user.profile.as_ref();
        let shown = profile.and_then(Profile::shown);
        let name = chosen([shown, user.real_name.as_deref(), user.name.as_deref()]);
        let bot = profile.and_then(|profile| profile.bot_id.as_deref());
        if let Some(name) = name {
            for id in [user.id.as_deref(), bot].into_iter().flatten() {
                self.names.insert(id.to_owned(), name.to_owned());
            }
        }
        if self.team.is_none() {
            self.team.clone_from(&user.team_id);
        }
    }

    /// Takes somebody whom no list names, as a record shows them.
    pub fn guest(&mut self, id: &str, profile: &Profile) {
        if let (Some(name), false) = (profile.shown(), self.names.contains_key(id)) {
            self.names.insert(id.to_owned(), name.to_owned());
        }
    }

    /// Takes a conversation of one of the lists.
    pub fn conversation(&mut self, list: &str, listed: Listed) {
        let Some(id) = chosen([listed.id.as_deref()]).map(str::to_owned) else {
            return;
        };
        let kind = match list {
            "channels.json" => ConversationKind::Channel,
            "dms.json" => ConversationKind::Direct,
            _ => ConversationKind::Group,
        };
        let members = listed.members.unwrap_or_default();
        let name = listed.name.filter(|name| !name.is_empty());
        let chat = Chat {
            key: id.clone(),
            title: name.clone().unwrap_or_else(|| id.clone()),
            kind,
            listed: true,
        };
        if matches!(list, "dms.json" | "mpims.json") && !members.is_empty() {
            self.members.insert(id.clone(), members);
        }
        // A conversation that changed its name may lie in a folder of each.
        for folder in listed.previous_names.unwrap_or_default() {
            self.former.insert(folder, chat.clone());
        }
        if let Some(name) = name {
            self.folders.insert(name, chat.clone());
        }
        self.folders.insert(id, chat);
    }

    /// The name of somebody; `None` for people of other workspaces that no list names.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// The conversation whose messages lie in a folder.
    pub fn chat(&self, folder: &str) -> Chat {
        // What is called so today goes before what was called so.
        let known = self.folders.get(folder).or(self.former.get(folder));
        let Some(chat) = known else {
            let team = self.team.as_deref().unwrap_or("unknown team");
            let kind = match folder.as_bytes().first() {
                Some(b'D') if is_id(folder) => ConversationKind::Direct,
                _ => ConversationKind::Unknown,
            };
            let key = match is_id(folder) {
                true => folder.to_owned(),
                false => format!("{team} {folder}"),
            };
            return Chat {
                key,
                title: folder.to_owned(),
                kind,
                listed: false,
            };
        };
        let mut chat = chat.clone();
        if let Some(members) = self.members.get(&chat.key) {
            let named = members.iter().map(|id| self.name(id).unwrap_or(id));
            chat.title = named.collect::<Vec<_>>().join(", ");
        }
        chat
    }
}

fn is_id(folder: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    folder.len() >= 6 && folder.bytes().all(plain)
}
