//! Small random archives: seeded, deterministic, with every kind of word the analyser knows.
#![allow(dead_code, reason = "no test program uses all of it")]

use std::collections::BTreeSet;

use wordkeep::domain::{
    AccountNo, App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo,
    Presence, Scope, Timestamp,
};
use wordkeep::query::analysis::facts_of;
use wordkeep::query::ast::StemLanguage;
use wordkeep::query::{
    AttachmentFact, ConversationMatch, Directory, FactTest, FactValues, Facts, Field, NamePattern,
    Neighbours, ObjectMatch, PersonMatch, Record,
};

/// A small deterministic source of numbers (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    /// Whether something that happens `percent` times of a hundred happens.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// One of a list, the first much oftener than the last.
    pub fn pick_skewed<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        let a = self.below(list.len());
        let b = self.below(a + 1);
        &list[b]
    }
}

/// The words of the texts: about forty, the first ones frequent.
pub const VOCABULARY: &[&str] = &[
    "discount",
    "price",
    "refund",
    "the",
    "deal",
    "promise",
    "café",
    "promised",
    "not",
    "cafe",
    "日本語",
    "e-mail",
    "👍",
    "São",
    "delivery",
    "Straße",
    "strasse",
    "10%",
    "ราคา",
    "1,200.50",
    "don't",
    "€500",
    "@ana",
    "日本",
    "#price",
    "INV-2024/17",
    "ana@acme.example",
    "👍🏽",
    "https://acme.example/a?b=1",
    "U.S.A.",
    "file_v2.pdf",
    "l'offre",
    "Ana's",
    "+351 912-345-678",
    "naïve",
    "colour",
    "color",
    ":tada:",
    "한국어",
    "iPhone手机",
    "1200.50",
    "usa",
    "Скидка",
    "סכום",
];

const JOINERS: &[&str] = &[" ", " ", " ", " ", " ", ", ", ". ", " - ", "\n", "! ", ""];
const FILENAMES: &[&str] = &[
    "offer_v2.pdf",
    "photo.JPG",
    "price list.xlsx",
    "日本語.pdf",
    "discount.txt",
];
const REACTIONS: &[&str] = &["👍", "👍🏽", "🎉", "❤️"];
const APPS: &[App] = &[App::WhatsApp, App::Telegram, App::Slack];
const KINDS: &[ConversationKind] = &[
    ConversationKind::Direct,
    ConversationKind::Group,
    ConversationKind::Channel,
];

/// One message that owns its parts.
#[derive(Clone, Debug)]
pub struct Message {
    /// Row number.
    pub no: MessageNo,
    /// Conversation.
    pub conversation: ConversationNo,
    /// Account.
    pub account: Option<AccountNo>,
    /// Sender.
    pub sender: Option<HandleNo>,
    /// Time.
    pub sent: Timestamp,
    /// Source order.
    pub order: u64,
    /// Platform.
    pub app: App,
    /// Kind.
    pub kind: Kind,
    /// Shape of the conversation.
    pub conversation_kind: ConversationKind,
    /// Bits.
    pub presence: Presence,
    /// Import.
    pub import: ImportNo,
    /// Thread.
    pub thread: Option<MessageNo>,
    /// Answered message.
    pub reply_to: Option<MessageNo>,
    /// Versions, oldest first.
    pub versions: Vec<String>,
    /// File names.
    pub filenames: Vec<String>,
    /// Extracted texts.
    pub extracted: Vec<String>,
    /// Reactions.
    pub reactions: Vec<String>,
    /// Mentions.
    pub mentions: Vec<HandleNo>,
    /// Extension, type and size of each attachment.
    pub attachments: Vec<(String, String, u64)>,
}

impl Message {
    /// Lends the message as a record.
    pub fn with<R>(&self, act: impl FnOnce(&Record<'_>) -> R) -> R {
        let versions: Vec<&str> = self.versions.iter().map(String::as_str).collect();
        let filenames: Vec<&str> = self.filenames.iter().map(String::as_str).collect();
        let extracted: Vec<&str> = self.extracted.iter().map(String::as_str).collect();
        let reactions: Vec<&str> = self.reactions.iter().map(String::as_str).collect();
        let attachments: Vec<AttachmentFact<'_>> = self
            .attachments
            .iter()
            .map(|(ext, mime, size)| AttachmentFact {
                ext,
                mime,
                size: *size,
            })
            .collect();
        act(&Record {
            no: self.no,
            conversation: self.conversation,
            account: self.account,
            sender: self.sender,
            sent: self.sent,
            order: self.order,
            app: self.app,
            kind: self.kind,
            conversation_kind: self.conversation_kind,
            presence: self.presence,
            import: self.import,
            thread: self.thread,
            reply_to: self.reply_to,
            versions: &versions,
            filenames: &filenames,
            extracted: &extracted,
            reactions: &reactions,
            mentions: &self.mentions,
            attachments: &attachments,
        })
    }

    fn key(&self) -> (Timestamp, u64, MessageNo) {
        (self.sent, self.order, self.no)
    }
}

/// A person of the archive with the handles they write from.
#[derive(Clone, Debug)]
pub struct Person {
    /// Printed id.
    pub id: String,
    /// Name.
    pub label: String,
    /// Handles with the address each stands for.
    pub handles: Vec<(HandleNo, String)>,
}

/// A small archive.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Messages in order of their numbers.
    pub messages: Vec<Message>,
    /// Conversations with printed id and title.
    pub conversations: Vec<(ConversationNo, String, String)>,
    /// People; the first is the asker.
    pub people: Vec<Person>,
    /// What the asker sees.
    pub scope: Scope,
}

/// The people of every archive: two share a first name, one has two handles.
const PEOPLE: &[(&str, &[(u32, &str)])] = &[
    (
        "Ana Sousa",
        &[(1, "+351912345678"), (2, "ana@acme.example")],
    ),
    ("Rui Melo", &[(3, "@rui")]),
    ("João Lima", &[(4, "+351 900 000 001")]),
    ("Ana Melo", &[(5, "@anam")]),
];
const TITLES: &[&str] = &[
    "Sales Iberia",
    "Nordwind",
    "Ana Sousa",
    "日本 team",
    "Sales DACH",
    "Lunch",
];
/// Noon of 2024-03-30 UTC: the change to summer time in Europe is near.
const BASE_SECONDS: i64 = 1_711_800_000;

/// The archive of a seed, of at most `most` messages (1..=400).
pub fn corpus(seed: u64, most: usize) -> Corpus {
    let mut rng = Rng(seed);
    let count = 1 + rng.below(most.clamp(1, 400));
    let chats = 1 + rng.below(TITLES.len());
    let mut sent = BASE_SECONDS - rng.below(200_000) as i64;
    let mut messages: Vec<Message> = Vec::with_capacity(count);
    for no in 1..=count as u64 {
        sent += *rng.pick_skewed(&[0, 5, 40, 400, 3_000, 20_000, 90_000]);
        let message = message(&mut rng, no, sent, chats, &messages);
        messages.push(message);
    }
    let conversations = TITLES
        .iter()
        .take(chats)
        .zip(1u32..)
        .map(|(title, no)| {
            (
                ConversationNo(no),
                format!("cnv_{no:026}"),
                (*title).to_owned(),
            )
        })
        .collect();
    let people = PEOPLE
        .iter()
        .zip(1..)
        .map(|((label, handles), no)| Person {
            id: format!("per_{no:026}"),
            label: (*label).to_owned(),
            handles: handles
                .iter()
                .map(|(no, text)| (HandleNo(*no), (*text).to_owned()))
                .collect(),
        })
        .collect();
    Corpus {
        messages,
        conversations,
        people,
        scope: Scope::everything(),
    }
}

fn message(rng: &mut Rng, no: u64, sent: i64, chats: usize, earlier: &[Message]) -> Message {
    let conversation = ConversationNo(1 + rng.below(chats) as u32);
    let conversation_kind = KINDS[conversation.0 as usize % KINDS.len()];
    let app = APPS[conversation.0 as usize % APPS.len()];
    let mut presence = Presence::default();
    let mut kind = Kind::Text;
    let mut sender = Some(HandleNo(1 + rng.below(5) as u32));
    if rng.chance(6) {
        kind = Kind::SystemMembership;
        sender = None;
        presence = presence.with(Presence::SYSTEM);
    }
    let mut versions = vec![text(rng)];
    if rng.chance(15) {
        versions.push(text(rng));
        presence = presence.with(Presence::EDITED);
        if rng.chance(30) {
            versions.push(text(rng));
        }
    }
    if rng.chance(8) {
        presence = presence.with(Presence::DELETED);
    }
    let same_chat: Vec<MessageNo> = earlier
        .iter()
        .filter(|one| one.conversation == conversation)
        .map(|one| one.no)
        .collect();
    let (mut thread, mut reply_to) = (None, None);
    if !same_chat.is_empty() && app == App::Slack && rng.chance(30) {
        thread = Some(*rng.pick(&same_chat));
    } else if !same_chat.is_empty() && rng.chance(25) {
        reply_to = Some(*rng.pick(&same_chat));
        presence = presence.with(Presence::REPLY);
    }
    let mut message = Message {
        no: MessageNo(no),
        conversation,
        account: rng.chance(70).then(|| AccountNo(1 + rng.below(2) as u32)),
        sender,
        sent: Timestamp::from_seconds(sent),
        order: no,
        app,
        kind,
        conversation_kind,
        presence,
        import: ImportNo(1 + rng.below(2) as u32),
        thread,
        reply_to,
        versions,
        filenames: Vec::new(),
        extracted: Vec::new(),
        reactions: Vec::new(),
        mentions: Vec::new(),
        attachments: Vec::new(),
    };
    decorate(rng, &mut message);
    message
}

fn decorate(rng: &mut Rng, message: &mut Message) {
    if rng.chance(20) {
        let name = *rng.pick(FILENAMES);
        let ext = name.rsplit('.').next().unwrap_or("");
        let mime = match ext {
            "pdf" => "application/pdf",
            "JPG" => "image/jpeg",
            _ => "",
        };
        let size = *rng.pick(&[0, 900, 5_000_000, 1 << 20]);
        message.filenames.push(name.to_owned());
        message
            .attachments
            .push((ext.to_owned(), mime.to_owned(), size));
        message.presence = message.presence.with(Presence::ATTACHMENT);
        if rng.chance(50) {
            message.extracted.push(text(rng));
        }
    }
    if rng.chance(15) {
        message.reactions.push((*rng.pick(REACTIONS)).to_owned());
        message.presence = message.presence.with(Presence::REACTION);
    }
    if rng.chance(15) {
        message.mentions.push(HandleNo(1 + rng.below(5) as u32));
        message.presence = message.presence.with(Presence::MENTION);
    }
    for version in &message.versions {
        message.presence = message.presence.with(facts_of(version).presence);
    }
}

/// A text of nought to a dozen words, now and then a longer one.
fn text(rng: &mut Rng) -> String {
    let words = if rng.chance(4) { 60 } else { rng.below(12) };
    let mut out = String::new();
    for _ in 0..words {
        let word: &&str = rng.pick_skewed(VOCABULARY);
        out.push_str(word);
        let joiner: &&str = rng.pick(JOINERS);
        out.push_str(joiner);
    }
    out
}

impl Corpus {
    /// The same archive seen through a random scope.
    pub fn narrowed(&self, rng: &mut Rng) -> Corpus {
        let mut scope = Scope::everything();
        if rng.chance(50) {
            scope.everything = false;
            for (no, _, _) in &self.conversations {
                if rng.chance(60) {
                    scope.conversations.insert(*no);
                }
            }
            if rng.chance(40) {
                scope.accounts.insert(AccountNo(1));
            }
        }
        if rng.chance(30) {
            scope.denied.insert(self.conversations[0].0);
        }
        Corpus {
            scope,
            ..self.clone()
        }
    }

    /// The messages inside the scope, in order of their numbers.
    pub fn visible(&self) -> impl Iterator<Item = &Message> {
        self.messages
            .iter()
            .filter(|one| self.scope.allows(one.conversation, one.account))
    }
}

impl Neighbours for Corpus {
    fn visit(&self, conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>)) {
        let mut members: Vec<&Message> = self
            .visible()
            .filter(|one| one.conversation == conversation)
            .collect();
        members.sort_by_key(|one| one.key());
        for member in members {
            member.with(|record| visit(record));
        }
    }
}

impl Directory for Corpus {
    fn people(&self, name: &NamePattern) -> Vec<PersonMatch> {
        self.people
            .iter()
            .filter(|person| {
                name.is_id(&person.id)
                    || name.matches_label(&person.label)
                    || person
                        .handles
                        .iter()
                        .any(|(_, text)| name.matches_handle(text))
            })
            .map(found)
            .collect()
    }

    fn me(&self) -> Option<PersonMatch> {
        self.people.first().map(found)
    }

    fn conversations(&self, name: &NamePattern) -> Vec<ConversationMatch> {
        self.conversations
            .iter()
            .filter(|(_, id, title)| name.is_id(id) || name.matches_label(title))
            .map(|(no, id, title)| ConversationMatch {
                id: id.clone(),
                label: title.clone(),
                no: *no,
            })
            .collect()
    }

    fn conversations_with(&self, handles: &BTreeSet<HandleNo>) -> BTreeSet<ConversationNo> {
        self.visible()
            .filter(|one| one.sender.is_some_and(|sender| handles.contains(&sender)))
            .map(|one| one.conversation)
            .collect()
    }

    fn message(&self, id: &str) -> Option<MessageNo> {
        let no: u64 = id.strip_prefix("msg_")?.parse().ok()?;
        self.visible().find(|one| one.no.0 == no).map(|one| one.no)
    }

    fn imports(&self, name: &NamePattern) -> Vec<(ImportNo, ObjectMatch)> {
        [1u32, 2]
            .into_iter()
            .filter(|no| name.is_id(&format!("imp_{no}")))
            .map(|no| {
                let id = format!("imp_{no}");
                let label = format!("import {no}");
                (ImportNo(no), ObjectMatch { id, label })
            })
            .collect()
    }

    fn objects(&self, field: Field, name: &NamePattern) -> Vec<ObjectMatch> {
        ["urgent", "later"]
            .into_iter()
            .filter(|label| field == Field::Tag && name.matches_label(label))
            .map(|label| ObjectMatch {
                id: label.to_owned(),
                label: label.to_owned(),
            })
            .collect()
    }

    fn language(&self) -> StemLanguage {
        StemLanguage::English
    }
}

/// Every third message is urgent, every fifth comes later.
impl Facts for Corpus {
    fn holds(&self, record: &Record<'_>, test: &FactTest) -> bool {
        let tags: Vec<&str> = [(3, "urgent"), (5, "later")]
            .into_iter()
            .filter(|(every, _)| record.no.0.is_multiple_of(*every))
            .map(|(_, tag)| tag)
            .collect();
        match (&test.values, test.field) {
            (FactValues::Any, Field::Tag) => !tags.is_empty(),
            (FactValues::OneOf(ids), Field::Tag) => tags.iter().any(|tag| ids.contains(*tag)),
            _ => false,
        }
    }
}

fn found(person: &Person) -> PersonMatch {
    PersonMatch {
        id: person.id.clone(),
        label: person.label.clone(),
        handles: person.handles.iter().map(|(no, _)| *no).collect(),
    }
}
