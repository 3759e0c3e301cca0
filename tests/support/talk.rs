//! Generated conversations: few words, many ways to write them, several versions, odd times.
#![allow(dead_code, reason = "no test program uses all of it")]
#![allow(
    clippy::expect_used,
    reason = "the helpers of a test may fail like the test"
)]

use wordkeep::domain::{
    App, Attachment, AttachmentState, ConversationKind, ConversationNo, HandleNo, Kind, Presence,
    Timestamp,
};

use crate::chance::Chance;
use crate::world::{Said, World};

/// The words of the corpus, the common ones first.
pub const WORDS: &[&str] = &[
    "discount",
    "the",
    "we",
    "deal",
    "promise",
    "price",
    "ana",
    "signed",
    "not",
    "10%",
    "today",
    "can",
    "Sign",
    "café",
    "cafe",
    "joão",
    "€500",
    "don't",
    "今天可以",
    "今天",
    "手机",
    "วันนี้ไป",
    "👍",
    "e-mail",
    "INV-2024/17",
    "INV",
    "promised",
    "promises",
    "colour",
    "color",
    "signing",
    "or",
    "and",
    "1,200.50",
    "1200.50",
    "1.200",
    "USD 1,200.50",
    "+351 912-345-678",
    "ana@acme.example",
    "acme",
    "https://acme.example/a?b=1",
    "@ana",
    "#price",
    "U.S.A.",
    "usa",
    "file_v2.pdf",
    "dont",
    "l'offre",
    "offre",
    "Ana's",
    "iPhone手机",
    "👍🏽",
    ":smile:",
    "😄",
    "straße",
    "strasse",
    "Русский",
    "ελληνικά",
    "مرحبا",
    "naïve",
    "naive",
    "co-operate",
    "12/03/2024",
    "x",
    "re: no",
    "…",
    "discounts",
    "dicsount",
    "İstanbul",
    "한국어",
    "カタカナ",
    "ひらがな",
    "a/b",
    "it's",
    "Δ",
    "ﬁne",
    "fine",
    "zero\u{200b}width",
];

const JOINTS: &[&str] = &[
    " ", " ", " ", " ", " ", ", ", ". ", "\n", "-", "/", " — ", "", "!  ",
];
const APPS: &[App] = &[App::WhatsApp, App::Telegram, App::Slack];
const KINDS: &[ConversationKind] = &[
    ConversationKind::Direct,
    ConversationKind::Group,
    ConversationKind::Channel,
    ConversationKind::Unknown,
];
const SYSTEM: &[Kind] = &[Kind::System, Kind::SystemMembership, Kind::SystemEncryption];
const NAMES: &[(&str, Option<&str>)] = &[
    ("Ana Sousa", Some("+351 912 345 678")),
    ("Rui Melo", Some("@rui")),
    ("João Ana", None),
    ("李雷", Some("li@acme.example")),
];
const TITLES: &[&str] = &[
    "Acme deals",
    "Ana",
    "Board",
    "価格 deals",
    "Ops / night",
    "Café",
];
const FILES: &[(&str, &str)] = &[
    ("quote_v2.pdf", "application/pdf"),
    ("photo.JPG", "image/jpeg"),
    ("Ana price.xlsx", ""),
    ("discount", "text/plain"),
];
const PRESENCE: &[Presence] = &[
    Presence::EDITED,
    Presence::DELETED,
    Presence::FORWARDED,
    Presence::REPLY,
    Presence::LINK,
    Presence::AMOUNT,
    Presence::IMAGE,
    Presence::REACTION,
];
/// 2022-12-30T20:00:00Z: the corpora cross a new year, so that they have two parts.
const BEGIN: i64 = 1_672_430_400;

/// One thing that happens in a corpus.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message.
    Said(Said),
    /// Other words of the n-th message said.
    Revised(usize, String),
}

/// A corpus on paper: put it into as many worlds as needed.
#[derive(Clone, Debug)]
pub struct Talk {
    /// The conversations by title.
    pub rooms: Vec<(&'static str, App, ConversationKind)>,
    /// What happens, in order.
    pub events: Vec<Event>,
}

fn words(chance: &mut Chance) -> String {
    let mut body = String::new();
    for turn in 0..chance.below(11) {
        if turn > 0 {
            let joint: &str = chance.one::<&str>(JOINTS);
            body.push_str(joint);
        }
        let word: &str = chance.skewed::<&str>(WORDS);
        body.push_str(word);
    }
    body
}

fn attachment(chance: &mut Chance) -> Attachment {
    let (name, mime) = *chance.one(FILES);
    let state = match chance.below(3) {
        0 => AttachmentState::NotExported,
        _ => AttachmentState::Present {
            size: 1 << chance.below(26),
            sha256: [3; 32],
            mime: mime.to_owned(),
        },
    };
    Attachment {
        name: name.to_owned(),
        state,
    }
}

fn said(chance: &mut Chance, rooms: usize, at: i64, order: u64) -> Said {
    let conversation = ConversationNo(1 + chance.below(rooms) as u32);
    let sender = HandleNo(1 + chance.below(NAMES.len()) as u32);
    let mut said = Said::new(
        conversation,
        sender,
        Timestamp::from_seconds(at),
        words(chance),
    );
    said.order = order;
    if chance.once_in(9) {
        said.kind = *chance.one(SYSTEM);
        if chance.once_in(2) {
            said.sender = None;
        }
    }
    for _ in 0..chance.below(3) {
        if chance.once_in(2) {
            said.presence = said.presence.with(*chance.one(PRESENCE));
        }
    }
    if chance.once_in(7) {
        said.presence = said.presence.with(Presence::ATTACHMENT);
        said.attachments = (0..=chance.below(2)).map(|_| attachment(chance)).collect();
    }
    said
}

impl Talk {
    /// A corpus of up to `most` messages in one to six conversations.
    pub fn generate(chance: &mut Chance, most: usize) -> Talk {
        let rooms: Vec<_> = TITLES[..1 + chance.below(TITLES.len())]
            .iter()
            .map(|title| (*title, *chance.one(APPS), *chance.one(KINDS)))
            .collect();
        let mut at = BEGIN;
        let mut events = Vec::new();
        let mut count = 0;
        for order in 1..=1 + chance.below(most) as u64 {
            // Often the same second, sometimes a pause, rarely days.
            at += match chance.below(12) {
                0..4 => 0,
                4..10 => chance.between(1, 900),
                10 => chance.between(3_600, 30_000),
                _ => chance.between(0, 200_000),
            };
            events.push(Event::Said(said(chance, rooms.len(), at, order)));
            count += 1;
            if chance.once_in(8) {
                events.push(Event::Revised(chance.below(count), words(chance)));
            }
        }
        Talk { rooms, events }
    }

    /// Puts the corpus into a new world, with a commit after every `every` events.
    pub fn settle(&self, seed: u64, every: usize) -> World {
        let mut world = World::new(seed);
        for (title, app, kind) in &self.rooms {
            world.conversation(title, *app, *kind);
        }
        for (label, handle) in NAMES {
            world.handle(label, *handle, App::WhatsApp);
        }
        world.commit();
        let mut numbers = Vec::new();
        let mut pending: Vec<&Said> = Vec::new();
        for (turn, event) in self.events.iter().enumerate() {
            match event {
                Event::Said(said) => {
                    world.put(said.clone());
                    pending.push(said);
                }
                Event::Revised(which, body) => {
                    // A revision needs the number of what it revises.
                    commit(&mut world, &mut pending, &mut numbers);
                    world.revise(numbers[*which], body);
                    world.commit();
                }
            }
            if (turn + 1) % every == 0 {
                commit(&mut world, &mut pending, &mut numbers);
            }
        }
        commit(&mut world, &mut pending, &mut numbers);
        world
    }
}

/// Commits and learns the numbers of what was said, in the order it was said.
fn commit(
    world: &mut World,
    pending: &mut Vec<&Said>,
    numbers: &mut Vec<wordkeep::domain::MessageNo>,
) {
    if pending.is_empty() {
        return;
    }
    world.commit();
    let rows = world.archive.store().read().expect("rows");
    for said in pending.drain(..) {
        let found = rows
            .messages_between(
                said.conversation,
                said.sent,
                Timestamp(said.sent.0 + 1),
                u32::MAX,
            )
            .expect("readable rows");
        let row = found.iter().find(|row| row.order == said.order);
        numbers.push(row.expect("what was said").no);
    }
}
