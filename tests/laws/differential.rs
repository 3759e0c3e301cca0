//! The differential law: what the index answers is what the evaluator answers over the record, for
//! generated corpora and queries of the whole language.
//!
//! `WORDKEEP_PAIRS` sets how many pairs of corpus and query are run; the full law is 10,000.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/asking.rs"]
mod asking;
#[path = "../support/chance.rs"]
mod chance;
#[path = "../support/corpus_gen.rs"]
mod corpus_gen;
#[path = "../support/query_gen.rs"]
mod query_gen;
#[path = "../support/questions.rs"]
mod questions;
#[path = "../support/talk.rs"]
mod talk;
#[path = "../support/world.rs"]
mod world;

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use asking::{names, understood};
use chance::Chance;
use questions::question;
use talk::Talk;
use wordkeep::archive::Archive;
use wordkeep::domain::{MessageNo, Scope};
use wordkeep::query::{HitSpan, NoFacts, Node, Resolved, print};
use wordkeep::search::{Budget, NameIndex, Order, PAGE_HITS_MAX, Page, Scanned, Search};
use world::World;

/// Pairs run by default.
const PAIRS_DEFAULT: usize = 600;
/// Queries asked of one corpus.
const QUERIES_PER_CORPUS: usize = 60;
/// Share of pairs that have to find something, in percent.
const FOUND_PERCENT_MIN: usize = 50;
/// Queries asked before and after a rebuild.
const QUERIES_OF_REBUILD: usize = 500;
/// Failing pairs shown at most.
const SHOWN_MAX: usize = 12;

/// One answer, comparable.
#[derive(Debug, PartialEq)]
struct Found {
    total: u64,
    hits: Vec<(MessageNo, Vec<HitSpan>)>,
}

fn by_scan(scanned: &[Scanned], gone: &HashSet<MessageNo>) -> Found {
    let hits: Vec<_> = scanned
        .iter()
        .filter(|found| !gone.contains(&found.key.no))
        .map(|found| (found.key.no, found.matched.clone()))
        .collect();
    Found {
        total: hits.len() as u64,
        hits,
    }
}

fn by_index(search: &Search<'_>, order: Order) -> Result<Found, String> {
    let page = Page {
        order,
        limit: PAGE_HITS_MAX,
        ..Page::default()
    };
    let answer = search.page(&page).map_err(|error| error.to_string())?;
    let hits = answer.hits.into_iter().map(|hit| (hit.key.no, hit.matched));
    Ok(Found {
        total: answer.total,
        hits: hits.collect(),
    })
}

/// The same corpus, settled in one way.
struct Settled {
    how: &'static str,
    world: World,
    names: NameIndex,
    gone: HashSet<MessageNo>,
}

impl Settled {
    fn new(how: &'static str, talk: &Talk, seed: u64, every: usize) -> Settled {
        let world = talk.settle(seed, every);
        Settled {
            how,
            names: names(&world.archive),
            world,
            gone: HashSet::new(),
        }
    }

    /// Deletes some messages from the index.
    fn delete_some(&mut self, chance: &mut Chance) {
        let mut writer = self.world.archive.index().writer();
        for message in self.world.messages() {
            if chance.once_in(5) {
                writer.delete(message.row.no, message.row.sent).unwrap();
                self.gone.insert(message.row.no);
            }
        }
        writer.close().unwrap();
        self.how = "after deletions";
    }

    fn compare(&self, scope: &Scope, text: &str) -> Compared {
        let names = self.names.within(&self.world.archive, scope, None);
        let Ok(resolved) = understood(&names, text) else {
            return Compared::NotAQuery;
        };
        // The record still holds what was deleted from the index: neighbours would differ.
        if !self.gone.is_empty() && joins(&resolved.root) {
            return Compared::NotAQuery;
        }
        let search = Search {
            archive: &self.world.archive,
            picture: None,
            names: &names,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget::endless(),
        };
        self.compare_orders(&search, &resolved, text)
    }

    fn compare_orders(&self, search: &Search<'_>, resolved: &Resolved, text: &str) -> Compared {
        let mut found = 0;
        for order in [Order::Newest, Order::Oldest] {
            let expected = by_scan(&search.scan(order).unwrap(), &self.gone);
            found = expected.total;
            let failed = match by_index(search, order) {
                Ok(answer) if answer == expected => continue,
                Ok(answer) => difference(&answer, &expected),
                Err(error) => error,
            };
            return Compared::Differs(format!(
                "{}, {order:?}: {text}\n    {failed}\n    {:?}",
                self.how, resolved.root
            ));
        }
        Compared::Agrees(found)
    }
}

enum Compared {
    NotAQuery,
    Agrees(u64),
    Differs(String),
}

fn joins(node: &Node) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().any(joins),
        Node::Not(inner) | Node::Whole(inner) => joins(inner),
        Node::MessageProximity(_) | Node::Group(_) => true,
        _ => false,
    }
}

fn difference(answer: &Found, expected: &Found) -> String {
    let set = |found: &Found| -> BTreeMap<u64, Vec<HitSpan>> {
        found
            .hits
            .iter()
            .map(|(no, spans)| (no.0, spans.clone()))
            .collect()
    };
    let (answered, scanned) = (set(answer), set(expected));
    let missing: Vec<_> = scanned
        .keys()
        .filter(|no| !answered.contains_key(no))
        .take(5)
        .collect();
    let surplus: Vec<_> = answered
        .keys()
        .filter(|no| !scanned.contains_key(no))
        .take(5)
        .collect();
    format!(
        "index {} scan {}; missing {missing:?}, surplus {surplus:?}, same hits: {}",
        answer.total,
        expected.total,
        answered == scanned
    )
}

fn random_scope(chance: &mut Chance, rooms: usize) -> Scope {
    let mut some = || {
        (1..=rooms as u32)
            .filter(|_| chance.once_in(2))
            .map(wordkeep::domain::ConversationNo)
            .collect()
    };
    let (conversations, denied) = (some(), some());
    match chance.below(3) {
        0 => Scope {
            everything: true,
            denied,
            ..Scope::default()
        },
        1 => Scope {
            conversations,
            denied,
            ..Scope::default()
        },
        _ => Scope {
            conversations,
            ..Scope::default()
        },
    }
}

#[derive(Default)]
struct Tally {
    pairs: usize,
    found: usize,
    skipped: usize,
    failures: Vec<String>,
}

impl Tally {
    fn note(&mut self, seed: u64, compared: Compared) {
        match compared {
            Compared::NotAQuery => self.skipped += 1,
            Compared::Agrees(total) => {
                self.pairs += 1;
                self.found += usize::from(total > 0);
            }
            Compared::Differs(how) => {
                self.pairs += 1;
                self.failures.push(format!("seed {seed}: {how}"));
            }
        }
    }
}

/// Asks one corpus every query of a seed.
fn run_corpus(seed: u64, queries: usize, tally: &mut Tally) {
    let mut chance = Chance::new(seed);
    let most = *chance.one(&[3, 60, 200, 400, 400]);
    let talk = Talk::generate(&mut chance, most);
    let one = Settled::new("one segment", &talk, seed, usize::MAX);
    let every = 1 + talk.events.len() / (2 + chance.below(6));
    let many = Settled::new("many segments", &talk, seed, every);
    let mut deleted = Settled::new("many segments", &talk, seed, every);
    deleted.delete_some(&mut chance);
    for _ in 0..queries {
        // Trees of the whole grammar in turn with queries about the people of this corpus.
        let text = match chance.once_in(2) {
            true => print(&query_gen::query(chance.next(), 3)),
            false => question(&mut chance),
        };
        let scope = random_scope(&mut chance, talk.rooms.len());
        let everything = Scope::everything();
        tally.note(seed, one.compare(&everything, &text));
        for settled in [&one, &many, &deleted] {
            if let Compared::Differs(how) = settled.compare(&scope, &text) {
                tally
                    .failures
                    .push(format!("seed {seed}, {scope:?}: {how}"));
            }
        }
        for settled in [&many, &deleted] {
            if let Compared::Differs(how) = settled.compare(&everything, &text) {
                tally.failures.push(format!("seed {seed}: {how}"));
            }
        }
    }
}

#[test]
fn s10_index_and_evaluator_give_the_same_answers() {
    let pairs = std::env::var("WORDKEEP_PAIRS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(PAIRS_DEFAULT);
    let first = std::env::var("WORDKEEP_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let mut tally = Tally::default();
    for seed in first.. {
        run_corpus(seed, QUERIES_PER_CORPUS, &mut tally);
        if tally.pairs >= pairs || tally.failures.len() >= SHOWN_MAX {
            break;
        }
    }
    println!(
        "{} pairs of corpus and query, {} found something, {} texts were no queries",
        tally.pairs, tally.found, tally.skipped
    );
    assert!(
        tally.failures.is_empty(),
        "{} failures; the first:\n{}",
        tally.failures.len(),
        tally.failures[..tally.failures.len().min(SHOWN_MAX)].join("\n")
    );
    assert!(
        tally.found * 100 >= tally.pairs * FOUND_PERCENT_MIN,
        "only {} of {} pairs found anything",
        tally.found,
        tally.pairs
    );
}

/// Answers of an archive to the queries, newest first.
fn answers(archive: &Archive, queries: &[String]) -> Vec<Found> {
    let (index, everything) = (names(archive), Scope::everything());
    let names = index.within(archive, &everything, None);
    let answer = |text: &String| {
        let resolved = understood(&names, text).unwrap();
        let search = Search {
            archive,
            picture: None,
            names: &names,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget::endless(),
        };
        by_index(&search, Order::Newest).unwrap()
    };
    queries.iter().map(answer).collect()
}

/// As many readable queries as wanted, of the whole grammar and about the people of the corpus.
fn readable_queries(archive: &Archive, chance: &mut Chance) -> Vec<String> {
    let (index, everything) = (names(archive), Scope::everything());
    let names = index.within(archive, &everything, None);
    let mut queries = Vec::new();
    while queries.len() < QUERIES_OF_REBUILD {
        let text = match chance.once_in(2) {
            true => print(&query_gen::query(chance.next(), 3)),
            false => question(chance),
        };
        if understood(&names, &text).is_ok() {
            queries.push(text);
        }
    }
    queries
}

#[test]
fn s10_a_rebuilt_index_answers_as_before_and_searches_go_on_meanwhile() {
    let mut chance = Chance::new(11);
    let talk = Talk::generate(&mut chance, 400);
    let world = talk.settle(11, 1 + talk.events.len() / 5);
    let queries = readable_queries(&world.archive, &mut chance);
    let before = answers(&world.archive, &queries);
    let found = before.iter().filter(|answer| answer.total > 0).count();
    assert!(found * 100 >= queries.len() * FOUND_PERCENT_MIN, "{found}");
    let (asked, rebuilt) = (AtomicU64::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let searching = scope.spawn(|| {
            for (text, answer) in queries.iter().zip(&before).cycle() {
                if rebuilt.load(Ordering::SeqCst) {
                    break;
                }
                let again = answers(&world.archive, std::slice::from_ref(text));
                assert_eq!(again, std::slice::from_ref(answer), "{text}");
                asked.fetch_add(1, Ordering::SeqCst);
            }
        });
        // In the middle of the rebuild it waits until searches were answered.
        let mut waits = |_, _| {
            let start = asked.load(Ordering::SeqCst);
            while asked.load(Ordering::SeqCst) < start + 10 && !searching.is_finished() {
                std::thread::yield_now();
            }
        };
        let done = world
            .archive
            .rebuild_index(world.now(), &mut waits, |_, _| Ok(()))
            .unwrap();
        rebuilt.store(true, Ordering::SeqCst);
        assert_eq!(done.messages, world.messages().len() as u64);
        searching.join().unwrap();
    });
    assert!(asked.into_inner() >= 10);
    assert!(
        before == answers(&world.archive, &queries),
        "after a rebuild beside the old index"
    );
    // Without the directory nothing is left to search; opening makes it again from the record.
    let world = world.reopened_without_index();
    assert!(!world.archive.refused_parts().is_empty());
    world.archive.repair_index(world.now()).unwrap();
    assert!(
        before == answers(&world.archive, &queries),
        "after the index was dropped"
    );
}
