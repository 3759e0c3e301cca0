//! What a manifest and the mail around it promise of each other, and who and what its events refer to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::{App, ConversationKind};
use crate::ingest::json::Text;

/// Bytes of the mail that are looked at for its headers.
pub(super) const HEADERS_BYTES_MAX: usize = 64 * 1024;

/// People that the title of a conversation without a name lists, at most.
const TITLE_NAMES_MAX: usize = 5;

/// A participant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Participant {
    pub id: Option<Text>,
    display: Option<String>,
    email: Option<String>,
    account_id: Option<Text>,
    #[serde(rename = "avatar")]
    _avatar: Value,
    #[serde(rename = "custom")]
    _custom: Value,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Participant {
    /// The name to show.
    pub fn label(&self) -> &str {
        let shown = [
            self.display.as_deref(),
            self.email.as_deref(),
            self.handle(),
        ];
        let id = self.id.as_ref().map_or("", |id| id.0.as_str());
        let named = shown.into_iter().flatten().find(|name| !name.is_empty());
        named.unwrap_or(id)
    }

    /// What the platform knows them by, beyond this file.
    pub fn handle(&self) -> Option<&str> {
        let account = self.account_id.as_ref().map(|id| id.0.as_str());
        let handles = [account, self.email.as_deref()];
        handles.into_iter().flatten().find(|text| !text.is_empty())
    }
}

/// A conversation.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Talk {
    pub id: Option<Text>,
    platform: Option<String>,
    display: Option<String>,
    #[serde(rename = "type")]
    form: Option<String>,
    pub participants: Vec<Text>,
    #[serde(rename = "custodian")]
    _custodian: Value,
    #[serde(rename = "icon")]
    _icon: Value,
    #[serde(rename = "custom")]
    _custom: Value,
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

impl Talk {
    /// A conversation that is not listed.
    pub fn unlisted(id: Option<&Text>) -> Self {
        Self {
            id: id.cloned(),
            ..Self::default()
        }
    }

    /// The name to show: its own, else who takes part.
    pub fn title(&self, people: &BTreeMap<String, Participant>) -> String {
        let known = self.participants.iter().filter_map(|id| people.get(&id.0));
        let names: Vec<&str> = known
            .map(Participant::label)
            .take(TITLE_NAMES_MAX)
            .collect();
        let shown = self.display.as_deref().filter(|name| !name.is_empty());
        match (shown, names.as_slice()) {
            (Some(name), _) => name.to_owned(),
            (None, []) => self.id.clone().unwrap_or_default().0,
            (None, names) => names.join(", "),
        }
    }

    /// What tells it from the conversations of other files: ids are only unique inside one, unless the
    /// slices of one conversation say by a common id of their collection that they belong together.
    pub fn key(&self, collection: Option<&str>, people: &BTreeMap<String, Participant>) -> String {
        let id = self.id.as_ref().map_or("", |id| id.0.as_str());
        let platform = self.platform.as_deref().unwrap_or_default();
        if let Some(collection) = collection.filter(|text| !text.is_empty()) {
            return format!("{platform} | {collection} | {id}");
        }
        let known = |id: &Text| people.get(&id.0);
        let name = |person: &Participant| person.handle().unwrap_or(person.label()).to_owned();
        let mut who: Vec<String> = self
            .participants
            .iter()
            .filter_map(known)
            .map(name)
            .collect();
        who.sort_unstable();
        let title = self.title(people);
        format!("{platform} | {title} | {id} | {}", who.join(" | "))
    }

    /// The shape of it.
    pub fn kind(&self) -> ConversationKind {
        match self.form.as_deref() {
            Some("direct") if self.participants.len() > 2 => ConversationKind::Group,
            Some("direct") => ConversationKind::Direct,
            Some("channel") => ConversationKind::Channel,
            _ => ConversationKind::Unknown,
        }
    }

    /// The platform, where it is one of those we know by name.
    pub fn app(&self) -> App {
        let letters = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.collect::<String>().to_ascii_lowercase()
        };
        let platform = letters(self.platform.as_deref().unwrap_or_default());
        let platform = match platform.as_str() {
            "microsoftteams" | "msteams" => "teams",
            "facebookmessenger" | "facebook" => "messenger",
            "sms" | "mms" | "text" | "textmessage" => "sms",
            "email" => "mail",
            other => other,
        };
        let named = App::ALL
            .into_iter()
            .find(|app| letters(app.name()) == platform);
        named.unwrap_or(App::Other)
    }
}

/// What the headers of the mail say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Headers {
    pub version: Option<String>,
    pub events: Option<u64>,
    pub collection: Option<String>,
}

impl Headers {
    /// Reads them from how the mail begins.
    pub fn read(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let lines = text.lines().take_while(|line| !line.trim().is_empty());
        let mut headers = Self::default();
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            let value = value.trim().to_owned();
            match name.to_ascii_lowercase().as_str() {
                "x-rsmf-version" => headers.version = Some(value),
                "x-rsmf-eventcount" => headers.events = value.parse().ok(),
                "x-rsmf-eventcollectionid" => headers.collection = Some(value),
                _ => {}
            }
        }
        headers
    }
}

/// What the first reading counts and finds.
#[derive(Debug, Default)]
pub(super) struct Learned {
    pub version: Option<String>,
    pub collection: Option<String>,
    pub people: BTreeMap<String, Participant>,
    pub talks: BTreeMap<String, Talk>,
    pub events: u64,
    /// Events with a time that names no zone.
    pub local: u64,
    /// Ids of events, to find parents that are not there.
    pub ids: BTreeSet<String>,
    /// Participants and conversations without an id.
    pub nameless: u64,
    /// Members that the format does not know, such as a name that is misspelt.
    pub unknown: BTreeSet<String>,
}

/// Names of unknown members that are told, at most.
const UNKNOWN_TOLD_MAX: usize = 20;

impl Learned {
    /// Notes members that the format does not know.
    pub fn odd(&mut self, of: &str, rest: &Map<String, Value>) {
        for name in rest.keys() {
            if self.unknown.len() < UNKNOWN_TOLD_MAX {
                self.unknown.insert(format!("{of}.{name}"));
            }
        }
    }

    /// What of the whole breaks the rules of the format, in words.
    pub fn violations(&self, headers: Option<&Headers>) -> Vec<String> {
        let mut found = Vec::new();
        let version = self.version.as_deref();
        if version.is_none() {
            found.push("the manifest names no version".to_owned());
        }
        if let Some(headers) = headers {
            match (headers.version.as_deref(), version) {
                (None, _) => found.push("the mail has no header X-RSMF-Version".to_owned()),
                (Some(mail), Some(own)) if mail != own => found.push(format!(
                    "the mail says version {mail}, the manifest inside it {own}"
                )),
                _ => {}
            }
            if let Some(told) = headers.events.filter(|told| *told != self.events) {
                found.push(format!(
                    "the mail promises {told} events, the manifest holds {}",
                    self.events
                ));
            }
        }
        if self.nameless > 0 {
            found.push(format!(
                "{} participants or conversations have no id; what refers to them cannot be resolved",
                self.nameless
            ));
        }
        let lost = self.talks.values().flat_map(|talk| &talk.participants);
        let lost: BTreeSet<&str> = lost
            .filter(|id| !self.people.contains_key(&id.0))
            .map(|id| id.0.as_str())
            .collect();
        if !lost.is_empty() {
            let ids: Vec<&str> = lost.into_iter().take(UNKNOWN_TOLD_MAX).collect();
            found.push(format!(
                "conversations name participants that are not listed: {}",
                ids.join(", ")
            ));
        }
        if !self.unknown.is_empty() {
            let names: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
            found.push(format!(
                "members that the format does not know, which may be misspelt: {}",
                names.join(", ")
            ));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_known_by_any_spelling() {
        let app = |platform: &str| {
            Talk {
                platform: Some(platform.to_owned()),
                ..Talk::default()
            }
            .app()
        };
        assert_eq!(app("Microsoft Teams"), App::Teams);
        assert_eq!(app("slack"), App::Slack);
        assert_eq!(app("WhatsApp"), App::WhatsApp);
        assert_eq!(app("skype"), App::Other);
    }

    #[test]
    fn headers_of_the_mail_are_read_to_their_end() {
        let mail = b"From: a\r\nX-RSMF-Version: 2.0.0\r\nX-RSMF-EventCount: 3\r\n\r\nX-RSMF-EventCount: 9\r\n";
        let headers = Headers::read(mail);
        assert_eq!(headers.version.as_deref(), Some("2.0.0"));
        assert_eq!(headers.events, Some(3));
    }
}
