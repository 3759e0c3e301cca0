//! The fields of the language: names, aliases, classes and what their values look like.

/// Where the answer of a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A fact of the record.
    Record,
    /// The directory of people and clients.
    Directory,
    /// Changeable state of the workspace, asked at query time.
    Workspace,
    /// Computed by a job, with a watermark.
    Job,
    /// Depends on who asks.
    Personal,
}

/// The form of the values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueKind {
    /// Free text with the whole grammar of words inside parentheses.
    Text,
    /// A name, alias, number, address or id of a person.
    Person,
    /// A name or id of something else.
    Name,
    /// One of a fixed list.
    Choice(&'static [&'static str]),
    /// A date.
    Date,
    /// A date or a range of dates.
    DateRange,
    /// A length of time such as `90d`.
    Duration,
    /// A range of times of day.
    TimeOfDay,
    /// Days of the week.
    Weekday,
    /// Bytes with a unit.
    Size,
    /// Money with or without currency.
    Amount,
    /// A currency code or sign.
    Currency,
    /// A pattern over a short code (`ext:`, `mime:`, `sha256:`, `url:`), wildcards allowed.
    Code,
    /// An emoji.
    Emoji,
    /// A directive of the whole query.
    Directive,
}

const APPS: &[&str] = &[
    "other",
    "whatsapp",
    "telegram",
    "slack",
    "teams",
    "line",
    "matrix",
    "discord",
    "messenger",
    "instagram",
    "signal",
    "imessage",
    "googlechat",
    "googlevoice",
    "kakaotalk",
    "wechat",
    "viber",
    "zoom",
    "mattermost",
    "rocketchat",
    "mail",
    "irc",
    "sms",
];
const TYPES: &[&str] = &["dm", "group", "channel", "broadcast"];
const HAS: &[&str] = &[
    "attachment",
    "image",
    "video",
    "audio",
    "voice",
    "file",
    "link",
    "location",
    "contact",
    "poll",
    "reaction",
    "mention",
    "quote",
    "amount",
    "date",
    "phone",
    "email",
    "iban",
    "promise",
    "note",
    "tag",
];
const IS: &[&str] = &[
    "edited",
    "deleted",
    "original",
    "forwarded",
    "reply",
    "system",
    "disappearing",
    "duplicate",
    "held",
    "expiring",
    "reviewed",
    "privileged",
    "redacted",
    "exported",
    "starred",
    "unread-by-me",
];
const PROMISES: &[&str] = &[
    "discount",
    "delivery",
    "refund",
    "price",
    "exclusivity",
    "payment",
    "other",
];
const STATUSES: &[&str] = &["open", "kept", "broken", "disputed"];
const REVIEWS: &[&str] = &["unreviewed", "responsive", "not-responsive", "privileged"];

macro_rules! fields {
    ($($(#[$doc:meta])* $variant:ident $name:literal [$($alias:literal),*] $class:ident $kind:expr;)*) => {
        /// A field of the language.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Field {$($(#[$doc])* $variant,)*}

        impl Field {
            /// Every field, in the order of the help page.
            pub const ALL: &'static [Field] = &[$(Field::$variant,)*];

            /// The main name, as the canonical form prints it.
            pub const fn name(self) -> &'static str {
                match self {$(Field::$variant => $name,)*}
            }

            /// Other names that are read.
            pub const fn aliases(self) -> &'static [&'static str] {
                match self {$(Field::$variant => &[$($alias),*],)*}
            }

            /// Where the answer comes from. Single values may differ; see [`Field::class_of`].
            pub const fn class(self) -> Class {
                match self {$(Field::$variant => Class::$class,)*}
            }

            /// What the values look like.
            pub const fn kind(self) -> ValueKind {
                match self {$(Field::$variant => $kind,)*}
            }
        }
    };
}

fields! {
    /// Who sent it.
    From "from" [] Record ValueKind::Person;
    /// Who received it: the other people of the conversation.
    To "to" [] Record ValueKind::Person;
    /// Who takes part in the conversation.
    With "with" ["participants"] Record ValueKind::Person;
    /// Who is mentioned in it.
    Mention "mention" [] Record ValueKind::Person;
    /// The company's own person whose data it is.
    Custodian "custodian" [] Directory ValueKind::Person;
    /// The human behind the seat at that time.
    Operator "operator" ["holder"] Directory ValueKind::Person;
    /// The company-owned account.
    Seat "seat" [] Directory ValueKind::Name;
    /// The client.
    Client "client" [] Directory ValueKind::Name;
    /// The organisation.
    Org "org" [] Directory ValueKind::Name;
    /// A member of the conversation at that time.
    VisibleTo "visible_to" [] Directory ValueKind::Person;
    /// The conversation by title.
    In "in" ["chat", "group", "channel"] Record ValueKind::Name;
    /// The platform.
    App "app" [] Record ValueKind::Choice(APPS);
    /// The shape of the conversation.
    Type "type" [] Record ValueKind::Choice(TYPES);
    /// The thread, by the id of its first message.
    Thread "thread" [] Record ValueKind::Name;
    /// The conversation by id.
    Conv "conv" [] Record ValueKind::Name;
    /// The source of capture.
    Source "source" [] Record ValueKind::Name;
    /// The import that brought it.
    Import "import" [] Record ValueKind::Name;
    /// On that day, month or year.
    On "on" [] Record ValueKind::Date;
    /// Before it begins.
    Before "before" [] Record ValueKind::Date;
    /// After it ends.
    After "after" [] Record ValueKind::Date;
    /// From its beginning.
    Since "since" [] Record ValueKind::Date;
    /// To its end.
    Until "until" [] Record ValueKind::Date;
    /// Inside a range of dates.
    Date "date" ["during"] Record ValueKind::DateRange;
    /// Longer ago than.
    OlderThan "older_than" [] Record ValueKind::Duration;
    /// Not longer ago than.
    NewerThan "newer_than" [] Record ValueKind::Duration;
    /// Time of day.
    Time "time" [] Record ValueKind::TimeOfDay;
    /// Day of the week.
    Dow "dow" [] Record ValueKind::Weekday;
    /// The zone of every date and time of the query.
    Tz "tz" [] Record ValueKind::Directive;
    /// The words of the message.
    Text "text" [] Record ValueKind::Text;
    /// Names of attachments.
    Filename "filename" [] Record ValueKind::Text;
    /// Text extracted from attachments.
    Attachment "attachment" [] Record ValueKind::Text;
    /// Extension of an attachment.
    Ext "ext" [] Record ValueKind::Code;
    /// Type of an attachment.
    Mime "mime" [] Record ValueKind::Code;
    /// Size of an attachment.
    Size "size" [] Record ValueKind::Size;
    /// Language of the message.
    Lang "lang" [] Record ValueKind::Code;
    /// An address on the web, with or without scheme.
    Url "url" [] Record ValueKind::Code;
    /// SHA-256 of an attachment.
    Sha256 "sha256" [] Record ValueKind::Code;
    /// An emoji in the text.
    Emoji "emoji" [] Record ValueKind::Emoji;
    /// A reaction to the message.
    Reaction "reaction" [] Record ValueKind::Emoji;
    /// What the message contains.
    Has "has" [] Record ValueKind::Choice(HAS);
    /// The state of the message.
    Is "is" [] Record ValueKind::Choice(IS);
    /// An amount of money in the text.
    Amount "amount" [] Record ValueKind::Amount;
    /// A currency in the text.
    Currency "currency" [] Record ValueKind::Currency;
    /// A promise of that kind.
    Promise "promise" [] Job ValueKind::Choice(PROMISES);
    /// When the promise is due.
    Due "due" [] Job ValueKind::DateRange;
    /// What became of the promise.
    Status "status" [] Job ValueKind::Choice(STATUSES);
    /// The matter.
    Matter "matter" [] Workspace ValueKind::Name;
    /// The legal hold.
    Hold "hold" [] Workspace ValueKind::Name;
    /// The tag.
    Tag "tag" [] Workspace ValueKind::Name;
    /// The decision of the review.
    Review "review" [] Workspace ValueKind::Choice(REVIEWS);
    /// Who reviewed it.
    Reviewer "reviewer" [] Workspace ValueKind::Person;
    /// A note on it.
    Note "note" [] Workspace ValueKind::Name;
    /// The retention policy.
    Policy "policy" [] Workspace ValueKind::Name;
    /// When it expires.
    Expires "expires" [] Workspace ValueKind::DateRange;
    /// The production it went out with.
    Produced "produced" [] Workspace ValueKind::Name;
    /// Its page number in a production.
    Bates "bates" [] Workspace ValueKind::Name;
    /// Compare exact forms only.
    Accent "accent" [] Record ValueKind::Directive;
    /// Strict mode for this query.
    Strict "strict" [] Record ValueKind::Directive;
}

impl Field {
    /// The field of a name or alias, case-blind.
    pub fn from_name(name: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|field| {
            field.name().eq_ignore_ascii_case(name)
                || field
                    .aliases()
                    .iter()
                    .any(|alias| alias.eq_ignore_ascii_case(name))
        })
    }

    /// The class of one value: `is:` and `has:` reach over several.
    pub fn class_of(self, choice: &str) -> Class {
        match (self, choice) {
            (Field::Has, "promise") => Class::Job,
            (Field::Has, "note" | "tag") => Class::Workspace,
            (
                Field::Is,
                "held" | "expiring" | "reviewed" | "privileged" | "redacted" | "exported",
            ) => Class::Workspace,
            (Field::Is, "starred" | "unread-by-me") => Class::Personal,
            _ => self.class(),
        }
    }

    /// Whether its answer depends on the zone of the query.
    pub const fn needs_zone(self) -> bool {
        matches!(
            self.kind(),
            ValueKind::Date
                | ValueKind::DateRange
                | ValueKind::Duration
                | ValueKind::TimeOfDay
                | ValueKind::Weekday
        )
    }

    /// Names near to an unknown one, nearest first, at most three.
    pub fn nearest(name: &str) -> Vec<&'static str> {
        let name = name.to_lowercase();
        let mut near: Vec<(u32, &'static str)> = Field::ALL
            .iter()
            .flat_map(|field| std::iter::once(field.name()).chain(field.aliases().iter().copied()))
            .filter_map(|known| {
                let most = if name.len() > SHORT_NAME {
                    NEAR_EDITS
                } else {
                    1
                };
                let distance = (1..=most)
                    .find(|edits| super::analysis::osa_distance_at_most(&name, known, *edits))?;
                (known.len() > distance as usize).then_some((distance, known))
            })
            .collect();
        near.sort_unstable();
        near.truncate(NEAR_NAMES);
        near.into_iter().map(|(_, known)| known).collect()
    }
}

/// Edits up to which a field name counts as near.
const NEAR_EDITS: u32 = 2;
/// Names up to this length count as near at one edit only.
const SHORT_NAME: usize = 4;
/// How many near names are offered.
const NEAR_NAMES: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_unique() {
        let mut names: Vec<&str> = Field::ALL
            .iter()
            .flat_map(|field| std::iter::once(field.name()).chain(field.aliases().iter().copied()))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn near_names_are_found() {
        assert_eq!(Field::nearest("form").first(), Some(&"from"));
        assert_eq!(Field::nearest("Untill"), vec!["until"]);
        assert!(Field::nearest("zzzzzz").is_empty());
    }

    #[test]
    fn every_platform_is_a_choice_of_app() {
        let names: Vec<&str> = crate::domain::App::ALL
            .iter()
            .map(|app| app.name())
            .collect();
        assert_eq!(names, APPS);
    }
}
