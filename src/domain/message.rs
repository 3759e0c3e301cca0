//! What a message is made of, apart from its words.

use super::{HandleNo, Timestamp};

/// The platform a message was written on. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(
    missing_docs,
    reason = "the names of the platforms say all there is to say"
)]
pub enum App {
    Other = 0,
    WhatsApp = 1,
    Telegram = 2,
    Slack = 3,
    Teams = 4,
    Line = 5,
    Matrix = 6,
    Discord = 7,
    Messenger = 8,
    Instagram = 9,
    Signal = 10,
    IMessage = 11,
    GoogleChat = 12,
    GoogleVoice = 13,
    KakaoTalk = 14,
    WeChat = 15,
    Viber = 16,
    Zoom = 17,
    Mattermost = 18,
    RocketChat = 19,
    Mail = 20,
    Irc = 21,
    Sms = 22,
}

impl App {
    /// Every platform, in the order of its number.
    pub const ALL: [App; 23] = [
        App::Other,
        App::WhatsApp,
        App::Telegram,
        App::Slack,
        App::Teams,
        App::Line,
        App::Matrix,
        App::Discord,
        App::Messenger,
        App::Instagram,
        App::Signal,
        App::IMessage,
        App::GoogleChat,
        App::GoogleVoice,
        App::KakaoTalk,
        App::WeChat,
        App::Viber,
        App::Zoom,
        App::Mattermost,
        App::RocketChat,
        App::Mail,
        App::Irc,
        App::Sms,
    ];

    /// The name used in queries, mappings and reports: lower case, no blanks.
    pub const fn name(self) -> &'static str {
        match self {
            App::Other => "other",
            App::WhatsApp => "whatsapp",
            App::Telegram => "telegram",
            App::Slack => "slack",
            App::Teams => "teams",
            App::Line => "line",
            App::Matrix => "matrix",
            App::Discord => "discord",
            App::Messenger => "messenger",
            App::Instagram => "instagram",
            App::Signal => "signal",
            App::IMessage => "imessage",
            App::GoogleChat => "googlechat",
            App::GoogleVoice => "googlevoice",
            App::KakaoTalk => "kakaotalk",
            App::WeChat => "wechat",
            App::Viber => "viber",
            App::Zoom => "zoom",
            App::Mattermost => "mattermost",
            App::RocketChat => "rocketchat",
            App::Mail => "mail",
            App::Irc => "irc",
            App::Sms => "sms",
        }
    }

    /// The platform of a name, case-blind; `None` when there is none such.
    pub fn from_name(name: &str) -> Option<App> {
        App::ALL
            .into_iter()
            .find(|app| app.name().eq_ignore_ascii_case(name))
    }

    /// The platform of a stored number; unknown numbers are `Other`.
    pub fn from_number(number: u8) -> App {
        App::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(App::Other)
    }
}

/// The shape of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ConversationKind {
    /// The source does not say.
    #[default]
    Unknown = 0,
    /// Two people.
    Direct = 1,
    /// A closed group.
    Group = 2,
    /// A channel that members join.
    Channel = 3,
    /// One to many, without answers.
    Broadcast = 4,
}

impl ConversationKind {
    /// The kind of a stored number; unknown numbers are `Unknown`.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Direct,
            2 => Self::Group,
            3 => Self::Channel,
            4 => Self::Broadcast,
            _ => Self::Unknown,
        }
    }
}

/// What sort of message the source shows. A tag: it never removes the author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Words by a person, with or without attachments.
    Text = 0,
    /// An attachment without words of its own.
    Media = 1,
    /// A place.
    Location = 2,
    /// A contact card.
    Contact = 3,
    /// A poll.
    Poll = 4,
    /// A call, taken or missed.
    Call = 5,
    /// A placeholder of a message that was deleted before the export.
    Deleted = 6,
    /// A notice by the platform that no finer kind below names.
    System = 7,
    /// The notice of end-to-end encryption.
    SystemEncryption = 8,
    /// A group or channel was created.
    SystemCreated = 9,
    /// Somebody was added, removed, joined or left.
    SystemMembership = 10,
    /// Subject, icon or description changed.
    SystemSubject = 11,
    /// A number or security code changed.
    SystemIdentity = 12,
    /// The disappearing-message timer changed.
    SystemTimer = 13,
    /// A kind the reader does not know; its raw record is kept.
    Unknown = 14,
}

impl Kind {
    /// The name in exports and answers: lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Text => "text",
            Kind::Media => "media",
            Kind::Location => "location",
            Kind::Contact => "contact",
            Kind::Poll => "poll",
            Kind::Call => "call",
            Kind::Deleted => "deleted",
            Kind::System => "system",
            Kind::SystemEncryption => "system-encryption",
            Kind::SystemCreated => "system-created",
            Kind::SystemMembership => "system-membership",
            Kind::SystemSubject => "system-subject",
            Kind::SystemIdentity => "system-identity",
            Kind::SystemTimer => "system-timer",
            Kind::Unknown => "unknown",
        }
    }

    /// Every kind, in the order of its number.
    pub const ALL: [Kind; 15] = [
        Kind::Text,
        Kind::Media,
        Kind::Location,
        Kind::Contact,
        Kind::Poll,
        Kind::Call,
        Kind::Deleted,
        Kind::System,
        Kind::SystemEncryption,
        Kind::SystemCreated,
        Kind::SystemMembership,
        Kind::SystemSubject,
        Kind::SystemIdentity,
        Kind::SystemTimer,
        Kind::Unknown,
    ];

    /// The kind of a stored number; unknown numbers are `Unknown`.
    pub fn from_number(number: u8) -> Kind {
        Kind::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Kind::Unknown)
    }

    /// Whether the platform wrote it rather than a person (`is:system`).
    pub const fn is_system(self) -> bool {
        matches!(
            self,
            Kind::System
                | Kind::SystemEncryption
                | Kind::SystemCreated
                | Kind::SystemMembership
                | Kind::SystemSubject
                | Kind::SystemIdentity
                | Kind::SystemTimer
        )
    }
}

/// A set of yes/no facts about a message (`has:` and `is:`), stored as bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Presence(pub u32);

impl Presence {
    #![expect(
        missing_docs,
        reason = "each constant is the query value of the same name"
    )]
    pub const ATTACHMENT: Presence = Presence(1);
    pub const IMAGE: Presence = Presence(1 << 1);
    pub const VIDEO: Presence = Presence(1 << 2);
    pub const AUDIO: Presence = Presence(1 << 3);
    pub const VOICE: Presence = Presence(1 << 4);
    pub const FILE: Presence = Presence(1 << 5);
    pub const LINK: Presence = Presence(1 << 6);
    pub const LOCATION: Presence = Presence(1 << 7);
    pub const CONTACT: Presence = Presence(1 << 8);
    pub const POLL: Presence = Presence(1 << 9);
    pub const REACTION: Presence = Presence(1 << 10);
    pub const MENTION: Presence = Presence(1 << 11);
    pub const QUOTE: Presence = Presence(1 << 12);
    pub const AMOUNT: Presence = Presence(1 << 13);
    pub const DATE: Presence = Presence(1 << 14);
    pub const PHONE: Presence = Presence(1 << 15);
    pub const EMAIL: Presence = Presence(1 << 16);
    pub const IBAN: Presence = Presence(1 << 17);
    pub const EDITED: Presence = Presence(1 << 18);
    pub const DELETED: Presence = Presence(1 << 19);
    pub const FORWARDED: Presence = Presence(1 << 20);
    pub const REPLY: Presence = Presence(1 << 21);
    pub const SYSTEM: Presence = Presence(1 << 22);
    pub const DISAPPEARING: Presence = Presence(1 << 23);
    pub const DUPLICATE: Presence = Presence(1 << 24);
    /// The zone of the time was assumed, not recorded.
    pub const ZONE_ASSUMED: Presence = Presence(1 << 25);
    /// The local time happened twice (daylight saving) or never.
    pub const TIME_AMBIGUOUS: Presence = Presence(1 << 26);
    /// The source gave no time; the message was placed by order.
    pub const TIME_ASSUMED: Presence = Presence(1 << 27);

    /// The facts that hold, of some with whether they do.
    pub fn of<const N: usize>(facts: [(bool, Presence); N]) -> Presence {
        let held = facts.into_iter().filter(|(holds, _)| *holds);
        held.fold(Presence::default(), |all, (_, fact)| all.with(fact))
    }

    /// Whether every bit of `other` is set.
    pub const fn has(self, other: Presence) -> bool {
        self.0 & other.0 == other.0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn with(self, other: Presence) -> Presence {
        Presence(self.0 | other.0)
    }
}

/// Where the zone of a local time came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ZoneSource {
    /// The record carries an instant or an offset.
    Record = 0,
    /// The file states a zone.
    File = 1,
    /// The person who imported said so.
    Operator = 2,
    /// Inferred by comparison with another source.
    Inferred = 3,
    /// Nobody said; the default of the workspace was taken.
    Default = 4,
}

/// How far a platform's message id reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum IdScope {
    /// Unique on the whole platform.
    Global = 0,
    /// Unique in one chat.
    Chat = 1,
    /// Unique in one chat as one account sees it.
    AccountChat = 2,
}

/// What people answered to a message with one sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The sign: an emoji, or the name that the platform gives it.
    pub value: String,
    /// How many gave it, as the source counts.
    pub count: u32,
    /// Who gave it, as far as the source tells, by the names it shows; it may tell fewer than it counts.
    pub by: Vec<String>,
}

/// What a version holds besides words and files, where its source tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extras {
    /// The platform's id of the message that begins the thread it stands in.
    pub thread: Option<String>,
    /// When these words replaced earlier ones.
    pub edited: Option<Timestamp>,
    /// Reactions, in the order of the source.
    pub reactions: Vec<Reaction>,
    /// Who is addressed by name.
    pub mentions: Vec<HandleNo>,
}

impl Extras {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Extras::default()
    }
}

/// A file a message carries or names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The name as the source wrote it; a label, never a path.
    pub name: String,
    /// Whether the bytes came along.
    pub state: AttachmentState,
}

/// Whether the bytes of an attachment are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttachmentState {
    /// The bytes are in the container.
    Present {
        /// Length in bytes.
        size: u64,
        /// SHA-256 of the bytes; kept inside sealed content only.
        sha256: [u8; 32],
        /// Type by magic bytes, such as `image/jpeg`.
        mime: String,
    },
    /// The message names it, the export left it out.
    NotExported,
    /// In the container, but no message names it.
    Unreferenced,
    /// Present but unreadable; the reason in words.
    Failed(String),
}
