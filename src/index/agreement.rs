//! The law of the house: the index answers what the exact evaluator answers. Random messages,
//! random queries as text, compared message by message.

use super::testing::*;
use super::*;
use crate::domain::{ConversationNo, Kind, MessageNo, Presence, Scope, Timestamp};
use crate::query::{
    Evaluator, Neighbours, NoDirectory, NoFacts, ParseContext, Purpose, Record, ResolveContext,
    Resolved, parse, resolve,
};

/// Random pairs of corpus and queries; each corpus is asked this many queries.
const CORPORA: u64 = 12;
const QUERIES: u32 = 80;

/// A small repeatable generator (splitmix64 of Steele, Lea and Flood).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ mixed >> 31) % sides as u64) as usize
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        // Skewed: the first words come most often.
        let place = self.roll(from.len()).min(self.roll(from.len()));
        from[place]
    }
}

const WORDS: &[&str] = &[
    "deal",
    "price",
    "cafe",
    "café",
    "deals",
    "e-mail",
    "mail",
    "promise",
    "promised",
    "don't",
    "dont",
    "INV-2024/17",
    "U.S.A.",
    "usa",
    "ana@acme.example",
    "acme",
    "1,200.50",
    "€500",
    "今天天气",
    "天气",
    "ราคา",
    "👍",
    "👍🏽",
    "https://acme.example/a?b=1",
    "@ana",
    "l'offre",
    "offre",
    "naïve",
    "naive",
    "file_v2.pdf",
    "10%",
    "#price",
    "São",
    "sao",
];

fn sentence(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..dice.roll(9)).map(|_| dice.pick(WORDS)).collect();
    words.join([" ", " ", ", ", "/", "-"][dice.roll(5)])
}

fn corpus(dice: &mut Dice) -> Vec<Message> {
    let count = 20 + dice.roll(120) as u64;
    (1..=count)
        .map(|no| {
            let mut message = Message::new(no, &sentence(dice));
            message.conversation = dice.roll(4) as u32;
            message.account = (dice.roll(3) == 0).then_some(1);
            // From the end of 2023 into 2024, some at equal times.
            message.sent = 1_703_000_000_000_000 + dice.roll(60) as i64 * 43_200_000_000;
            for _ in 0..dice.roll(6).saturating_sub(3) {
                message.versions.push(sentence(dice));
                message.presence = message.presence.with(Presence::EDITED);
            }
            if dice.roll(5) == 0 {
                message.filenames = vec![dice.pick(WORDS).to_owned(), "offer v2.pdf".to_owned()];
                message.presence = message.presence.with(Presence::ATTACHMENT);
            }
            if dice.roll(6) == 0 {
                message.reactions = vec![["👍", "❤️", "😀"][dice.roll(3)].to_owned()];
                message.presence = message.presence.with(Presence::REACTION);
            }
            if dice.roll(12) == 0 {
                message.kind = Kind::SystemMembership;
            }
            message.thread = (dice.roll(5) == 0).then(|| 1 + dice.roll(no as usize) as u64);
            message
        })
        .collect()
}

fn word_of(dice: &mut Dice) -> String {
    let word = dice.pick(WORDS);
    match dice.roll(9) {
        0 => "pri*".to_owned(),
        1 => "*ea*".to_owned(),
        2 => "d?al".to_owned(),
        3 => "promse~".to_owned(),
        4 => "promise^stem:en".to_owned(),
        5 => "/deals?|caf./".to_owned(),
        _ => word.to_owned(),
    }
}

fn phrase_of(dice: &mut Dice) -> String {
    let words: Vec<&str> = (0..1 + dice.roll(3))
        .map(|_| {
            if dice.roll(6) == 0 {
                "*"
            } else {
                dice.pick(WORDS)
            }
        })
        .collect();
    let slop = match dice.roll(3) {
        0 => format!("~{}", 1 + dice.roll(4)),
        _ => String::new(),
    };
    format!("\"{}\"{slop}", words.join(" "))
}

fn leaf(dice: &mut Dice) -> String {
    let near = 1 + dice.roll(4);
    match dice.roll(24) {
        0..=5 => word_of(dice),
        6..=8 => phrase_of(dice),
        9 => format!("({} w/{near} {})", word_of(dice), word_of(dice)),
        10 => format!("({} pre/{near} {})", word_of(dice), phrase_of(dice)),
        11 => format!("({} not w/{near} {})", word_of(dice), word_of(dice)),
        12 => format!("({{start}} w/{near} {})", word_of(dice)),
        13 => format!("({} w/{near} {{end}})", word_of(dice)),
        14 => format!(
            "(({} OR {}) pre/{near} {})",
            word_of(dice),
            word_of(dice),
            word_of(dice)
        ),
        15 => format!("filename:{}", dice.pick(WORDS)),
        16 => [
            "on:2024-01-03",
            "before:2023-12-25",
            "since:2024-01-01",
            "date:2023-12-20..2024-01-05T14:30",
        ][dice.roll(4)]
        .to_owned(),
        17 => [
            "has:attachment",
            "is:edited",
            "is:original",
            "is:system",
            "has:reaction",
        ][dice.roll(5)]
        .to_owned(),
        18 => ["amount:>400", "amount:500..800eur", "currency:eur"][dice.roll(3)].to_owned(),
        19 => ["dow:sat,sun", "time:18:00..08:00", "time:09:00..12:30"][dice.roll(3)].to_owned(),
        20 => [
            "ext:pdf",
            "size:>10kb",
            "reaction:👍",
            "url:acme.example",
            "emoji:👍",
        ][dice.roll(5)]
        .to_owned(),
        21 => format!("{} w/2msg {}", word_of(dice), word_of(dice)),
        22 => format!("({} AND {})@day", word_of(dice), word_of(dice)),
        _ => ["text:/[a-z] deal/", "*", "filename:*", "has:link"][dice.roll(4)].to_owned(),
    }
}

fn query(dice: &mut Dice, depth: u32) -> String {
    if depth == 0 || dice.roll(3) == 0 {
        return leaf(dice);
    }
    let (left, right) = (query(dice, depth - 1), query(dice, depth - 1));
    match dice.roll(4) {
        0 => format!("({left} OR {right})"),
        1 => format!("(NOT {left})"),
        _ => format!("({left} AND {right})"),
    }
}

fn scope(dice: &mut Dice) -> Scope {
    let mut scope = if dice.roll(2) == 0 {
        Scope::everything()
    } else {
        Scope::nothing()
    };
    for conversation in 0..4 {
        match dice.roll(4) {
            0 => scope.conversations.insert(ConversationNo(conversation)),
            1 if dice.roll(3) == 0 => scope.denied.insert(ConversationNo(conversation)),
            _ => scope
                .accounts
                .insert(crate::domain::AccountNo(conversation)),
        };
    }
    let withheld = (0..60).filter(|_| dice.roll(6) == 0).map(MessageNo);
    scope.withheld = std::sync::Arc::new(withheld.collect());
    scope
}

struct Conversations<'a> {
    messages: &'a [Message],
    scope: &'a Scope,
}

fn inside(message: &Message, scope: &Scope) -> bool {
    let account = message.account.map(crate::domain::AccountNo);
    let allowed = scope.allows(ConversationNo(message.conversation), account);
    allowed && scope.shows(MessageNo(message.no))
}

impl Neighbours for Conversations<'_> {
    fn visit(&self, conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>)) {
        let mut members: Vec<&Message> = self
            .messages
            .iter()
            .filter(|message| message.conversation == conversation.0 && inside(message, self.scope))
            .collect();
        members.sort_by_key(|message| (message.sent, message.order, message.no));
        for message in members {
            message.record(|record| visit(record));
        }
    }
}

fn expected(messages: &[Message], scope: &Scope, query: &Resolved) -> Vec<u64> {
    let neighbours = Conversations { messages, scope };
    let mut members: Vec<&Message> = messages
        .iter()
        .filter(|message| inside(message, scope))
        .collect();
    // Conversation by conversation, as the evaluator likes it.
    members.sort_by_key(|message| message.conversation);
    let mut evaluator = Evaluator::new(query);
    let mut hits: Vec<u64> = members
        .into_iter()
        .filter(|message| message.record(|record| evaluator.matches(record, &neighbours, &NoFacts)))
        .map(|message| message.no)
        .collect();
    hits.sort_unstable();
    hits
}

fn read(text: &str) -> Option<Resolved> {
    let zone = chrono_tz::Europe::Lisbon;
    let context = ParseContext {
        zone,
        now: NOW,
        strict: false,
        purpose: Purpose::Search,
    };
    let ast = parse(text, &context).ast?;
    Some(resolve(
        &ast,
        &NoDirectory,
        &ResolveContext { zone, now: NOW },
    ))
}

#[derive(Default)]
struct Seen {
    asked: u32,
    exact: u32,
    with_hits: u32,
}

fn ask(index: &Index, messages: &[Message], dice: &mut Dice, seed: u64, seen: &mut Seen) {
    for _ in 0..QUERIES {
        let strict = ["", "", "", " accent:strict"][dice.roll(4)];
        let text = format!("{}{strict}", query(dice, 3));
        let scope = scope(dice);
        let Some(resolved) = read(&text) else {
            continue;
        };
        let expected = expected(messages, &scope, &resolved);
        let (candidates, exact) = index.candidates(&resolved, &scope).unwrap();
        let mut found: Vec<u64> = candidates.iter().map(|no| no.0).collect();
        found.sort_unstable();
        seen.asked += 1;
        seen.with_hits += u32::from(!expected.is_empty());
        if exact {
            seen.exact += 1;
            assert_eq!(found, expected, "seed {seed}: {text}\n{:?}", resolved.root);
        } else {
            let missing = expected.iter().find(|no| found.binary_search(no).is_err());
            assert_eq!(missing, None, "seed {seed}: {text}\n{:?}", resolved.root);
            for no in found {
                let message = messages.iter().find(|message| message.no == no).unwrap();
                assert!(inside(message, &scope), "seed {seed}: {text}");
            }
        }
    }
}

#[test]
fn s10_the_index_answers_what_the_evaluator_answers() {
    let mut seen = Seen::default();
    for seed in 0..CORPORA {
        let mut dice = Dice(seed);
        let mut messages = corpus(&mut dice);
        let cuts = [1, 2, 7][dice.roll(3)];
        let size = messages.len().div_ceil(cuts);
        let batches: Vec<Vec<Message>> = messages.chunks(size).map(<[Message]>::to_vec).collect();
        let (_world, index) = World::with(&batches);
        ask(&index, &messages, &mut dice, seed, &mut seen);
        // After replacements, deletions and merges the law still holds.
        let mut writer = index.writer();
        for message in &mut messages {
            if dice.roll(5) == 0 {
                let sent = Timestamp(message.sent);
                message.versions.push(sentence(&mut dice));
                add(&mut writer, message, Novelty::Replaces(sent));
            }
        }
        let gone: Vec<Message> = messages.extract_if(.., |_| dice.roll(6) == 0).collect();
        for message in &gone {
            writer
                .delete(MessageNo(message.no), Timestamp(message.sent))
                .unwrap();
        }
        writer.commit_all().unwrap();
        ask(&index, &messages, &mut dice, seed, &mut seen);
        writer.rewrite_dirty().unwrap();
        ask(&index, &messages, &mut dice, seed, &mut seen);
    }
    println!(
        "{} queries, {} exact, {} with hits",
        seen.asked, seen.exact, seen.with_hits
    );
    assert!(seen.asked > 2_000 && seen.exact * 3 > seen.asked * 2);
    assert!(
        seen.with_hits * 2 > seen.asked,
        "{} of {}",
        seen.with_hits,
        seen.asked
    );
}
