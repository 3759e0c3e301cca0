//! What can happen in a simulation, and the choice of what happens next.

use std::collections::BTreeSet;

use crate::chance::Chance;
use crate::world::{DAY, Event, Key, On, Stage, Target, Trigger, Version, World};

/// Chats, people that write, words that scopes ask for.
pub const CHATS: u8 = 3;
pub const WRITERS: [&str; 3] = ["Ana Reis", "Bo Lund", "Cy Park"];
pub const WORDS: [&str; 3] = ["harbour", "invoice", "lantern"];
pub const LABELS: [&str; 2] = ["contract", "trivia"];
/// Periods of policies in days: short, so that a simulated year sees all of them end.
const PERIODS: [i64; 5] = [20, 60, 200, 400, 700];

/// A row of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub key: Key,
    pub sender: u8,
    pub sent: i64,
    pub body: String,
}

/// An act of review.
#[derive(Clone, Copy, Debug)]
pub enum Review {
    Approve,
    Exclude(u64),
    Extend(u64, i64),
    Cancel,
}

/// One thing that happens. People are named by their place in `PEOPLE`.
#[derive(Clone, Debug)]
pub enum Act {
    Import(Vec<Row>),
    Place(Target, usize),
    Release(usize, u8),
    Label(u32, On),
    Unlabel(On),
    Happen(Event),
    /// Written by its author, simulated, enabled by somebody.
    Policy(Version, u8),
    End(u32, u8),
    Plan(u8),
    Review(usize, u8, Review),
    Run(usize, u8),
    Freeze,
    Lift(usize, u8),
    Pass(i64),
    Set(i64),
    Reopen,
    Crash,
    Restart(i64),
    Rotate,
    Rebuild,
    Search(String),
    Backup,
    Restore(usize),
    /// A byte of a file changes while nobody looks.
    Rot,
}

impl Act {
    /// Whether messages may come, go, or be sealed anew by it.
    pub fn touches_messages(&self) -> bool {
        let comes_and_goes = matches!(self, Act::Import(_) | Act::Run(..) | Act::Rotate);
        let opens = matches!(self, Act::Reopen | Act::Crash | Act::Restart(_));
        comes_and_goes || opens || matches!(self, Act::Rebuild | Act::Backup)
    }

    /// A crash comes once in so many times, at one of so many points.
    pub fn points(&self) -> (usize, usize) {
        match self {
            Act::Run(..) => (2, 48),
            Act::Import(_) => (4, 6),
            Act::Backup | Act::Rotate | Act::Rebuild => (2, 6),
            _ => (8, 2),
        }
    }
}

/// A word that stands in one version of one message alone: letters only, so that it stays whole.
pub fn own_word(key: Key, version: usize) -> String {
    let letters = |mut number: u64| {
        let mut text = String::new();
        loop {
            text.push(char::from(b'a' + (number % 20) as u8));
            number /= 20;
            if number == 0 {
                return text;
            }
        }
    };
    let (chat, id) = (u64::from(key.0), u64::from(key.1));
    format!(
        "qz{}x{}v{}z",
        letters(chat),
        letters(id),
        letters(version as u64)
    )
}

fn body(chance: &mut Chance, key: Key, version: usize) -> String {
    let mut text = own_word(key, version);
    for word in WORDS {
        if chance.once_in(3) {
            text.push(' ');
            text.push_str(word);
        }
    }
    text
}

/// What is imported: new messages, known ones again, edited ones, disposed ones.
fn rows(world: &World, chance: &mut Chance, now: i64) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let used = |key: &Key| {
        world.live.values().any(|one| one.key == *key)
            || world.gone.values().any(|gone| gone == key)
    };
    if !chance.once_in(4) {
        for _ in 0..1 + chance.below(5) {
            let chat = chance.below(CHATS.into()) as u8;
            let mut key = (chat, 0);
            while used(&key) || rows.iter().any(|row| row.key == key) {
                key.1 += 1;
            }
            let sent = match chance.below(12) {
                0 => now + chance.between(0, 40) * DAY,
                1 => now - chance.between(0, 30) * DAY,
                _ => now - chance.between(100, 800) * DAY,
            };
            let body = body(chance, key, 0);
            let sender = chance.below(WRITERS.len()) as u8;
            rows.push(Row {
                key,
                sender,
                sent: sent / 1_000_000 * 1_000_000,
                body,
            });
        }
    }
    for record in world.live.values() {
        if chance.once_in(5) {
            let versions = record.versions.len();
            let body = match chance.once_in(3) && versions < 3 {
                true => body(chance, record.key, versions),
                false => record.versions[versions - 1].clone(),
            };
            rows.push(Row {
                key: record.key,
                sender: record.sender,
                sent: record.sent,
                body,
            });
        }
    }
    let gone: Vec<Key> = world.gone.values().copied().collect();
    for key in gone {
        let is_live = world.live.values().any(|one| one.key == key);
        if chance.once_in(3) && !is_live && rows.iter().all(|row| row.key != key) {
            let body = body(chance, key, 0);
            let sent = (now - chance.between(300, 700) * DAY) / 1_000_000 * 1_000_000;
            rows.push(Row {
                key,
                sender: 0,
                sent,
                body,
            });
        }
    }
    rows.sort_by_key(|row| (row.key.0, row.sent, row.key.1));
    rows
}

fn target(world: &World, chance: &mut Chance) -> Target {
    let numbers: Vec<u64> = world.live.keys().copied().collect();
    let people: Vec<u8> = world.live.values().map(|record| record.sender).collect();
    match chance.below(4) {
        0 if !numbers.is_empty() => {
            let ids = (0..1 + chance.below(3)).map(|_| *chance.one(&numbers));
            Target::Ids(ids.collect::<BTreeSet<u64>>())
        }
        1 if !people.is_empty() => Target::Person(*chance.one(&people)),
        2 if !numbers.is_empty() => Target::Chat(world.live[chance.one(&numbers)].key.0),
        _ => Target::Word((*chance.one(&WORDS)).to_owned()),
    }
}

fn policy(world: &World, chance: &mut Chance, now: i64) -> Act {
    let author = 2 + chance.below(2) as u8;
    let enabler = 2 + chance.below(2) as u8;
    let known: Vec<u32> = world
        .versions
        .iter()
        .map(|version| version.policy)
        .collect();
    let fresh = known.iter().max().map_or(1, |last| last + 1);
    let again = known.is_empty() || chance.once_in(2) && fresh < 6;
    if !again {
        // The next version of a policy differs in its period alone.
        let of = *chance.one(&known);
        let newest = world.versions.iter().filter(|version| version.policy == of);
        let newest = newest.max_by_key(|version| version.version).unwrap();
        let days = *chance.one(&PERIODS);
        return Act::Policy(
            Version {
                days,
                author,
                ..newest.clone()
            },
            enabler,
        );
    }
    let (retains, deletes) =
        *chance.one(&[(false, true), (false, true), (true, false), (true, true)]);
    let label = chance
        .once_in(5)
        .then(|| 1 + chance.below(LABELS.len()) as u32);
    let trigger = match chance.below(8) {
        0 => Trigger::Ingested,
        1 => Trigger::LastActivity,
        2 => Trigger::Event(chance.below(2) as u8),
        3 if label.is_some() => Trigger::Label,
        _ => Trigger::Sent,
    };
    let lock = (retains && chance.once_in(3)).then(|| now + chance.between(10, 300) * DAY);
    let version = Version {
        policy: fresh,
        version: 0,
        enabled: false,
        draft: true,
        retains,
        deletes,
        days: *chance.one(&PERIODS),
        trigger,
        level: match label {
            Some(_) => 3,
            None => 1 + chance.below(2) as u8,
        },
        label,
        lock,
        word: (!chance.once_in(3)).then(|| (*chance.one(&WORDS)).to_owned()),
        from: 0,
        author,
    };
    Act::Policy(version, enabler)
}

/// What is done about a list, mostly what brings it nearer to its end.
fn about(world: &World, chance: &mut Chance, now: i64) -> Option<Act> {
    let open = |stage: Stage| matches!(stage, Stage::Review | Stage::Approved);
    let lists: Vec<usize> = (0..world.lists.len())
        .filter(|no| open(world.lists[*no].stage))
        .collect();
    let no = *lists
        .last()
        .filter(|_| !chance.once_in(4))
        .or_else(|| lists.first())?;
    let list = &world.lists[no];
    let items: Vec<u64> = list.items.keys().copied().collect();
    if chance.once_in(6) {
        let review = match chance.below(4) {
            0 => Review::Exclude(*chance.one(&items)),
            1 => Review::Extend(*chance.one(&items), now + chance.between(1, 100) * DAY),
            2 => Review::Cancel,
            _ => Review::Approve,
        };
        return Some(Act::Review(no, 1 + chance.below(4) as u8, review));
    }
    Some(match list.stage {
        Stage::Review => {
            let unseen: Vec<u8> = [1, 3, 4]
                .into_iter()
                .filter(|who| list.approvals.iter().all(|(by, _)| by != who))
                .collect();
            Act::Review(no, *chance.one(&unseen), Review::Approve)
        }
        _ => {
            let ripe = list.approvals.iter().all(|(_, at)| at + 7 * DAY <= now);
            match ripe || chance.once_in(5) {
                true => Act::Run(no, 2 + chance.below(2) as u8),
                false => Act::Pass(8),
            }
        }
    })
}

/// Chooses what happens next.
pub fn next(world: &World, chance: &mut Chance, now: i64) -> Act {
    let numbers: Vec<u64> = world.live.keys().copied().collect();
    let on = |chance: &mut Chance| match chance.once_in(3) || numbers.is_empty() {
        true => On::Chat(chance.below(CHATS.into()) as u8),
        false => On::Message(*chance.one(&numbers)),
    };
    loop {
        return match chance.below(100) {
            0..=9 => Act::Import(rows(world, chance, now)),
            10..=17 => {
                let around = if chance.once_in(4) {
                    1 + chance.below(2)
                } else {
                    0
                };
                let target = target(world, chance);
                let narrow = matches!(target, Target::Ids(_) | Target::Word(_));
                Act::Place(target, if narrow { around } else { 0 })
            }
            18..=24 if !world.holds.is_empty() => {
                let no = chance.below(world.holds.len());
                Act::Release(no, 1 + chance.below(3) as u8)
            }
            25..=27 => Act::Label(1 + chance.below(LABELS.len()) as u32, on(chance)),
            28 => Act::Unlabel(on(chance)),
            29..=31 => {
                let key = chance.below(2) as u8;
                let known: Vec<usize> = (0..world.events.len())
                    .filter(|no| world.events[*no].key == key)
                    .collect();
                let corrects =
                    (!known.is_empty() && chance.once_in(3)).then(|| *chance.one(&known));
                let at = now + chance.between(-300, 60) * DAY;
                Act::Happen(Event { key, at, corrects })
            }
            32..=42 => policy(world, chance, now),
            43 if !world.versions.is_empty() => {
                let known: Vec<u32> = world
                    .versions
                    .iter()
                    .map(|version| version.policy)
                    .collect();
                Act::End(*chance.one(&known), 2 + chance.below(2) as u8)
            }
            44..=52 => Act::Plan(2 + chance.below(2) as u8),
            53..=77 => match about(world, chance, now) {
                Some(act) => act,
                None => Act::Plan(2),
            },
            78 => Act::Freeze,
            79..=80 if !world.freezes.is_empty() => {
                Act::Lift(chance.below(world.freezes.len()), 1 + chance.below(4) as u8)
            }
            81..=85 | 87 => Act::Pass(*chance.one(&[1, 8, 31, 31, 90, 200, 500])),
            86 => Act::Rot,
            88 => Act::Set(*chance.one(&[-2 * DAY, -DAY / 24, DAY / 48, DAY, 3_650 * DAY])),
            89..=90 => Act::Reopen,
            91..=92 => Act::Crash,
            93 => Act::Restart(*chance.one(&[DAY / 24, DAY, 5 * DAY, 60 * DAY])),
            94 => Act::Rotate,
            95 => Act::Rebuild,
            96..=97 => Act::Search((*chance.one(&WORDS)).to_owned()),
            98 => Act::Backup,
            99 if !world.backups.is_empty() => Act::Restore(chance.below(world.backups.len())),
            _ => continue,
        };
    }
}
