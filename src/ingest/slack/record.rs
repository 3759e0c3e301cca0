//! One record of a day's file: its members, and what they mean for us.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::people::{Directory, Profile, chosen};
use super::words;
use crate::domain::{Kind, Presence, Timestamp};
use crate::ingest::credential::without_credentials;
use crate::ingest::json::Text;
use crate::ingest::message::{ParsedAttachment, ParsedVersion};

/// The members that are read; everything else stays in the raw bytes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Record {
    pub ts: Option<Text>,
    pub subtype: Option<String>,
    pub user: Option<String>,
    pub bot_id: Option<String>,
    pub username: Option<String>,
    pub text: Option<String>,
    pub thread_ts: Option<Text>,
    pub edited: Option<Edited>,
    pub deleted_ts: Option<Text>,
    pub message: Option<Box<Record>>,
    pub files: Option<Vec<File>>,
    pub file: Option<File>,
    pub reactions: Option<Vec<Reaction>>,
    pub blocks: Option<Vec<Value>>,
    pub attachments: Option<Vec<Value>>,
    pub user_profile: Option<Profile>,
    pub bot_profile: Option<Named>,
    /// Members of other names: earlier words stand under names that differ.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// When words were last changed.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Edited {
    pub ts: Option<Text>,
}

/// Anything with a name.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Named {
    pub name: Option<String>,
}

/// A file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    id: Option<String>,
    name: Option<String>,
    title: Option<String>,
    mimetype: Option<String>,
}

/// A reaction.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reaction {
    pub name: Option<String>,
    pub count: u32,
    pub users: Option<Vec<String>>,
}

/// An instant as Slack writes it: seconds, a stop, microseconds. Never a float.
pub(super) fn instant(ts: &str) -> Option<Timestamp> {
    let (seconds, decimals) = ts.split_once('.').unwrap_or((ts, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.is_empty() || !plain(seconds) || !plain(decimals) {
        return None;
    }
    let micros: i64 = format!("{decimals:0<6}").get(..6)?.parse().ok()?;
    let seconds: i64 = seconds.parse().ok()?;
    let whole = seconds.checked_mul(Timestamp::MICROS_PER_SECOND)?;
    whole.checked_add(micros).map(Timestamp)
}

fn text(ts: &Option<Text>) -> Option<&str> {
    ts.as_ref().map(|ts| ts.0.as_str())
}

impl Record {
    /// Its id, which is its instant.
    pub fn id(&self) -> Option<&str> {
        text(&self.ts)
    }

    /// The message whose words this one replaces or takes away.
    pub fn amends(&self) -> Option<&str> {
        match self.subtype.as_deref()? {
            "message_changed" => self.message.as_ref()?.id(),
            "message_deleted" => text(&self.deleted_ts),
            _ => None,
        }
    }

    /// Where the words stand: a change holds the message as it became.
    pub fn inner(&self) -> &Record {
        match (self.subtype.as_deref(), &self.message) {
            (Some("message_changed"), Some(message)) => message,
            _ => self,
        }
    }

    /// The id of who wrote it.
    pub fn author_id(&self) -> Option<&str> {
        chosen([self.user.as_deref(), self.bot_id.as_deref()])
    }

    /// The name the record itself gives its author.
    pub fn author(&self) -> Option<&str> {
        let profile = self.user_profile.as_ref().and_then(Profile::shown);
        let bot = self
            .bot_profile
            .as_ref()
            .and_then(|bot| bot.name.as_deref());
        chosen([self.username.as_deref(), profile, bot])
    }

    /// The name to show for its author. A bot may go by another name in every message.
    pub fn label<'r>(&'r self, directory: &'r Directory) -> Option<&'r str> {
        let listed = self.author_id().and_then(|id| directory.name(id));
        let own = self.username.as_deref();
        chosen([own, listed, self.author(), self.author_id()])
    }

    /// When its words were last changed.
    pub fn edited(&self) -> Option<Timestamp> {
        instant(text(&self.edited.as_ref()?.ts)?)
    }

    /// The message that begins its thread.
    pub fn thread(&self) -> Option<&str> {
        text(&self.thread_ts)
    }

    /// The message it answers: that which begins its thread, unless it is that one.
    pub fn reply_to(&self) -> Option<&str> {
        self.thread().filter(|thread| Some(*thread) != self.id())
    }

    /// What sort of message.
    pub fn kind(&self) -> Kind {
        let files = self.files().next().is_some();
        match self.subtype.as_deref() {
            Some("message_deleted" | "tombstone") => Kind::Deleted,
            Some("file_share" | "bot_message" | "me_message" | "thread_broadcast") | None
                if files && self.is_wordless() =>
            {
                Kind::Media
            }
            None => Kind::Text,
            Some(subtype) => kind_of(subtype),
        }
    }

    fn is_wordless(&self) -> bool {
        words::body(self).is_empty()
    }

    /// What its members tell beside the words.
    pub fn presence(&self) -> Presence {
        let shares = |attachment: &Value| attachment.get("is_share") == Some(&Value::Bool(true));
        let mut attachments = self.attachments.iter().flatten();
        let mime = |kind: &str| {
            let mut mimes = self.files().filter_map(|file| file.mimetype.as_deref());
            mimes.any(|mime| mime.starts_with(kind))
        };
        Presence::of([
            (self.kind().is_system(), Presence::SYSTEM),
            (self.kind() == Kind::Deleted, Presence::DELETED),
            (attachments.any(shares), Presence::FORWARDED),
            (mime("image/"), Presence::IMAGE),
            (mime("video/"), Presence::VIDEO),
            (mime("audio/"), Presence::AUDIO),
            (self.sent().is_none(), Presence::TIME_ASSUMED),
        ])
    }

    /// When it was sent.
    pub fn sent(&self) -> Option<Timestamp> {
        instant(self.id()?)
    }

    fn files(&self) -> impl Iterator<Item = &File> {
        self.files.iter().flatten().chain(&self.file)
    }

    /// The files it carries or names, looked for among those that came along.
    pub fn attachments(&self, files: &BTreeMap<String, u32>) -> Vec<ParsedAttachment<'_>> {
        let parsed = self.files().map(|file| {
            let id = file.id.as_deref();
            let name = chosen([file.name.as_deref(), file.title.as_deref(), id]);
            ParsedAttachment {
                name: without_credentials(name.unwrap_or_default()),
                entry: id.and_then(|id| files.get(id)).copied(),
            }
        });
        parsed.collect()
    }

    /// Earlier words that differ from those of today, of the record and of the message in it.
    pub fn all_earlier(&self, body: &str) -> Vec<ParsedVersion<'static>> {
        let mut earlier = self.earlier();
        if !std::ptr::eq(self, self.inner()) {
            earlier.extend(self.inner().earlier());
        }
        earlier.retain(|version| version.body != body && !version.body.is_empty());
        earlier
    }

    /// Earlier words: any member with words and an instant of its own. The message at the root of the
    /// thread, which some records repeat, is another one.
    fn earlier(&self) -> Vec<ParsedVersion<'static>> {
        let nested = self.rest.iter().filter(|(name, _)| *name != "root");
        let version = |(_, value): (&String, &Value)| {
            value.get("text")?.as_str()?;
            value.get("ts")?;
            let record = Record::deserialize(value).ok()?;
            Some(ParsedVersion {
                written: record.edited(),
                body: Cow::Owned(words::body(&record)),
            })
        };
        nested.filter_map(version).collect()
    }
}

fn kind_of(subtype: &str) -> Kind {
    match subtype {
        "bot_message"
        | "me_message"
        | "file_share"
        | "file_comment"
        | "file_mention"
        | "thread_broadcast"
        | "reply_broadcast"
        | "message_changed"
        | "message_replied"
        | "assistant_app_thread" => Kind::Text,
        "channel_join" | "channel_leave" | "group_join" | "group_leave" | "bot_add"
        | "bot_remove" | "bot_enable" | "bot_disable" => Kind::SystemMembership,
        "channel_topic" | "channel_purpose" | "channel_name" | "group_topic" | "group_purpose"
        | "group_name" => Kind::SystemSubject,
        "channel_archive"
        | "channel_unarchive"
        | "group_archive"
        | "group_unarchive"
        | "pinned_item"
        | "unpinned_item"
        | "channel_posting_permissions"
        | "channel_convert_to_private"
        | "channel_convert_to_public"
        | "reminder_add"
        | "ekm_access_denied" => Kind::System,
        "huddle_thread" | "sh_room_created" | "sh_room_shared" => Kind::Call,
        _ => Kind::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_to_the_microsecond() {
        let at = |ts| instant(ts).map(|at| at.0);
        assert_eq!(at("1681413317.397479"), Some(1_681_413_317_397_479));
        assert_eq!(at("1681413317.3"), Some(1_681_413_317_300_000));
        assert_eq!(at("1681413317"), Some(1_681_413_317_000_000));
        assert_eq!(
            (at(""), at("x.1"), at("1.x"), at(".5")),
            (None, None, None, None)
        );
        assert_eq!(at("99999999999999999999.0"), None);
    }
}
