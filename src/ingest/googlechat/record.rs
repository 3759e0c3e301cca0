//! One message: its members, and what they mean for us.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::Kind;
use crate::ingest::message::{ParsedPerson, ParsedReaction};

/// A file name on disk shorter than this is not taken for a longer one that was cut; characters.
const CUT_NAME_MIN: usize = 20;

/// Somebody.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Person {
    pub name: Option<String>,
    pub email: Option<String>,
}

impl Person {
    /// The name that is shown.
    pub fn shown(&self) -> Option<&str> {
        let names = [&self.name, &self.email].map(Option::as_deref);
        names.into_iter().flatten().find(|name| !name.is_empty())
    }
}

/// A message; what is not read stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub creator: Option<Person>,
    pub created_date: Option<String>,
    pub updated_date: Option<String>,
    pub text: Option<String>,
    pub message_id: Option<String>,
    pub attached_files: Option<Vec<File>>,
    pub annotations: Option<Vec<Annotation>>,
    pub quoted_message_metadata: Option<Quoted>,
    pub message_state: Option<String>,
    pub deletion_metadata: Option<serde_json::Value>,
    pub reactions: Option<Vec<Reaction>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub original_name: Option<String>,
    pub export_name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotation {
    user_mention_metadata: Option<Mention>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Mention {
    user: Option<Person>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Quoted {
    pub message_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    emoji: Emoji,
    reactor_emails: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Emoji {
    unicode: Option<String>,
}

impl Record {
    /// Whether it was taken away.
    pub fn is_deleted(&self) -> bool {
        self.message_state.as_deref() == Some("DELETED") || self.deletion_metadata.is_some()
    }

    /// What sort of message.
    pub fn kind(&self) -> Kind {
        let wordless = self.text.as_deref().unwrap_or_default().is_empty();
        match () {
            () if wordless && self.is_deleted() => Kind::Deleted,
            () if wordless && self.attached_files.iter().flatten().count() > 0 => Kind::Media,
            () => Kind::Text,
        }
    }

    /// The message that begins its topic, where that is another one: ids are conversation, topic and
    /// message, and the first message of a topic goes by its name.
    pub fn thread(&self) -> Option<String> {
        let (rest, message) = self.message_id.as_deref()?.rsplit_once('/')?;
        let (_, topic) = rest.rsplit_once('/')?;
        (topic != message).then(|| format!("{rest}/{topic}"))
    }

    /// Reactions, by the names of those who gave them as far as the members are told.
    pub fn reactions<'r>(&'r self, members: &'r [Person]) -> Vec<ParsedReaction<'r>> {
        let name = |email: &'r String| {
            let mut known = members.iter();
            let known = known.find(|one| one.email.as_ref() == Some(email));
            let name = known.and_then(Person::shown).unwrap_or(email);
            Cow::Borrowed(name)
        };
        let parsed = self.reactions.iter().flatten().map(|reaction| {
            let by: Vec<Cow<'_, str>> =
                reaction.reactor_emails.iter().flatten().map(name).collect();
            ParsedReaction {
                value: Cow::Borrowed(reaction.emoji.unicode.as_deref().unwrap_or_default()),
                count: by.len() as u32,
                by,
            }
        });
        parsed.collect()
    }

    /// Whom it addresses.
    pub fn mentions(&self) -> Vec<ParsedPerson<'_>> {
        let marked = self.annotations.iter().flatten();
        let people = marked.filter_map(|one| one.user_mention_metadata.as_ref()?.user.as_ref());
        let named = people.filter_map(|person| {
            let handle = person.email.as_deref();
            person.shown().map(|label| ParsedPerson { label, handle })
        });
        named.collect()
    }
}

/// The file of a name, as it lies on the disk: a long name was cut, and is the one that begins so.
pub(super) fn file_named(files: &BTreeMap<String, u32>, name: &str) -> Option<u32> {
    if let Some(entry) = files.get(name) {
        return Some(*entry);
    }
    let (stem, kind) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut cut = files.iter().filter(|(path, _)| {
        let (short, own) = path.rsplit_once('.').unwrap_or((path, ""));
        own == kind && short.chars().count() >= CUT_NAME_MIN && stem.starts_with(short)
    });
    let (_, entry) = cut.next()?;
    cut.next().is_none().then_some(*entry)
}
