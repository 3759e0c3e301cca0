//! The sealed index against the same index unsealed, on real chats: indexing, size, and every class
//! of query, interleaved in one process, answers compared.
//!
//! `WORDKEEP_CORPUS` names the corpus (default `../shared/corpus`), `WORDKEEP_BENCH_MESSAGES` the
//! number of messages (default: the corpus once; beyond it, the corpus is repeated with a mark in
//! every hundredth word). `WORDKEEP_BENCH_CACHE` sets the cache in bytes.
//!
//! The same comparison follows with a cache of one sixth of the index, and at last a fresh process
//! opens the sealed index, answers every class, and tells the time to its first hit and its memory.
//!
//! `cargo bench --features plain-control --bench index_speed`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot go on has nothing better to do than to stop"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use wordkeep::crypto::{Entropy, Key, SeededEntropy};
use wordkeep::domain::{
    App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo, Presence, Scope,
    StoreId, Timestamp,
};
use wordkeep::index::{
    Anchor, Answer, Index, IndexConfig, KeyError, KeyId, Novelty, Order, Page, PartName,
    SegmentKeys, Words,
};
use wordkeep::query::analysis::{Analysis, analyse, exact, fold};
use wordkeep::query::ast::{Expr, ExprKind, Piece, Pieces, Query, TextField};
use wordkeep::query::{
    Glob, Near, Node, Predicate, Record, Resolved, Slot, SpanQuery, TermPattern, TextLeaf,
    TimeRange,
};

const NOW: Timestamp = Timestamp(1_750_000_000_000_000);
/// Messages between commits, as in an import.
const COMMIT_EVERY: usize = 100_000;
/// How often a query is asked of each: as often as fits into [`ASKED_MS`], within these bounds.
const REPEATS: (usize, usize) = (20, 200);
const ASKED_MS: f64 = 300.0;
/// How often a fresh process opens the index; the first may still wait for the disk.
const FRESH_PROCESSES: usize = 3;

/// Keys that any process can make again from their numbers.
#[derive(Default)]
struct Keys(AtomicU64);

impl SegmentKeys for Keys {
    fn take(&self) -> Result<(KeyId, Key), KeyError> {
        let id = KeyId(self.0.fetch_add(1, Ordering::Relaxed) + 1);
        Ok((id, Key::random(&SeededEntropy::new(id.0))))
    }

    fn find(&self, id: KeyId) -> Result<Option<Key>, KeyError> {
        Ok(Some(Key::random(&SeededEntropy::new(id.0))))
    }

    fn drop_keys(&self, _: &[KeyId]) -> Result<(), KeyError> {
        Ok(())
    }

    fn meta_key(&self) -> Result<Key, KeyError> {
        Ok(Key::from_bytes([9; 32]))
    }
}

struct Message {
    conversation: u32,
    sender: u32,
    sent: i64,
    text: String,
}

fn main() {
    let asked: Vec<String> = env::args().collect();
    if let [_, command, root, sender] = asked.as_slice()
        && command == "fresh"
    {
        return answer_fresh(Path::new(root), sender.parse().expect("a number"));
    }
    let corpus = env::var("WORDKEEP_CORPUS").unwrap_or("../shared/corpus".to_owned());
    let chats = PathBuf::from(corpus).join("chats");
    if !chats.is_dir() {
        println!(
            "SKIPPED: no corpus at {}; set WORDKEEP_CORPUS",
            chats.display()
        );
        return;
    }
    let messages = load(&chats);
    let bytes: usize = messages.iter().map(|message| message.text.len()).sum();
    println!(
        "{} messages, {:.1} bytes of text each",
        messages.len(),
        bytes as f64 / messages.len() as f64
    );
    let analysis = clocked(|| analyse_all(&messages));
    println!(
        "analysis alone: {}",
        per_message(analysis.1, messages.len())
    );
    let root = tempfile::tempdir().expect("a temporary directory");
    let (plain, sealed) = build_both(root.path(), &messages);
    let bytes = sizes(&plain, &sealed, messages.len());
    let sender = HandleNo(messages[0].sender);
    compare(&plain, &sealed, sender);
    let kept = anchors(&sealed);
    drop((messages, sealed));
    let sixth = (bytes / 6) as usize;
    println!("with a cache of one sixth of the index, {sixth} bytes");
    let small = open(&root.path().join("sealed"), false, Some(sixth), &kept);
    compare(&plain, &small, sender);
    // Joining segments goes on in a reopened index too.
    write_anchors(&root.path().join("sealed.anchors"), &anchors(&small));
    drop((plain, small));
    for _ in 0..FRESH_PROCESSES {
        let fresh = Command::new(env::current_exe().expect("a bench knows its own file"))
            .arg("fresh")
            .arg(root.path().join("sealed"))
            .arg(sender.0.to_string())
            .status();
        assert!(fresh.expect("a second process").success());
    }
}

/// Builds both twice, in turn, and prints the less disturbed run of each.
fn build_both(root: &Path, messages: &[Message]) -> (Index, Index) {
    let run = |name: &str, plain| clocked(|| build(&root.join(name), messages, plain));
    let (_, plain_before) = run("plain-before", true);
    let (_, sealed_before) = run("sealed-before", false);
    let (plain, plain_cost) = run("plain", true);
    let (sealed, sealed_cost) = run("sealed", false);
    let (plain_cost, sealed_cost) = (plain_cost.or(plain_before), sealed_cost.or(sealed_before));
    println!("plain:  {}", per_message(plain_cost, messages.len()));
    println!("sealed: {}", per_message(sealed_cost, messages.len()));
    println!(
        "indexing ratio: wall {:.3}, cpu {:.3}",
        sealed_cost.wall.as_secs_f64() / plain_cost.wall.as_secs_f64(),
        sealed_cost.cpu.as_secs_f64() / plain_cost.cpu.as_secs_f64(),
    );
    (plain, sealed)
}

/// What a process has in memory now, in bytes (proc(5), `VmRSS`).
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

/// Bytes of the dictionaries below a directory: what every open segment keeps in memory.
fn dictionaries(root: &Path) -> u64 {
    let entries = fs::read_dir(root).expect("the index can be listed");
    let sizes = entries.map(|entry| {
        let path = entry.expect("the index can be listed").path();
        let is_dictionary = path.extension().is_some_and(|name| name == "term");
        match fs::metadata(&path) {
            Ok(meta) if meta.is_dir() => dictionaries(&path),
            Ok(meta) if is_dictionary => meta.len(),
            _ => 0,
        }
    });
    sizes.sum()
}

/// Opens the index in a process that did nothing else yet, and answers.
fn answer_fresh(root: &Path, sender: u32) {
    let before = resident();
    let began = Instant::now();
    let anchors = read_anchors(&root.with_extension("anchors"));
    let index = open(root, false, None, &anchors);
    let query = resolved(plain_word("restaurant"));
    let (answer, _) = ask(&index, &query, Order::Newest, &Scope::everything());
    assert!(!answer.hits.is_empty());
    let first = began.elapsed().as_secs_f64() * 1e3;
    let mut most = 0;
    for (_, node, order, scope) in classes(HandleNo(sender)) {
        ask(&index, &resolved(node), order, &scope);
        most = most.max(resident());
    }
    let (held, words) = (index.cache_use().bytes as u64, dictionaries(root));
    let beyond = most.saturating_sub(before + held + words);
    println!(
        "fresh process: {} messages, first hit after {first:.1} ms; memory {:.1} MB, of it cache \
         {:.1}, dictionaries {:.1}, beyond them {:.1}",
        index
            .stats()
            .expect("stats")
            .iter()
            .map(|part| part.messages)
            .sum::<u64>(),
        (most - before) as f64 / 1e6,
        held as f64 / 1e6,
        words as f64 / 1e6,
        beyond as f64 / 1e6,
    );
}

#[derive(Clone, Copy)]
struct Spent {
    wall: Duration,
    cpu: Duration,
}

impl Spent {
    /// The less disturbed of two runs, each time by itself.
    fn or(self, other: Spent) -> Spent {
        Spent {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }
}

/// Wall and processor time of the whole process (proc(5), fields 14 and 15, 100 ticks a second).
fn clocked<T>(work: impl FnOnce() -> T) -> (T, Spent) {
    let cpu = || {
        let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let ticks: u64 = stat
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|field| field.parse::<u64>().ok())
            .sum();
        Duration::from_millis(ticks * 10)
    };
    let (start, before) = (Instant::now(), cpu());
    let value = work();
    let spent = Spent {
        wall: start.elapsed(),
        cpu: cpu().saturating_sub(before),
    };
    (value, spent)
}

fn per_message(spent: Spent, count: usize) -> String {
    format!(
        "{:.2} s, {:.0} messages/s, {:.2} us of processor time each",
        spent.wall.as_secs_f64(),
        count as f64 / spent.wall.as_secs_f64(),
        spent.cpu.as_secs_f64() * 1e6 / count as f64
    )
}

fn load(chats: &Path) -> Vec<Message> {
    let mut files: Vec<PathBuf> = fs::read_dir(chats)
        .expect("the corpus can be read")
        .map(|entry| entry.expect("the corpus can be read").path())
        .collect();
    files.sort();
    let (mut conversations, mut senders) = (HashMap::new(), HashMap::new());
    let mut messages = Vec::new();
    for file in files {
        let file = fs::File::open(file).expect("the corpus can be read");
        let lines = BufReader::new(zstd::Decoder::new(file).expect("zstd"));
        for line in lines.lines() {
            let line: serde_json::Value =
                serde_json::from_str(&line.expect("utf-8")).expect("one object a line");
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            let next = conversations.len() as u32;
            let conversation = *conversations.entry(text("conversation")).or_insert(next);
            let next = senders.len() as u32;
            let sender = *senders.entry(text("sender")).or_insert(next);
            // Sources without times are laid over two years, a message every minute.
            let sent = chrono::DateTime::parse_from_rfc3339(&text("ts")).map_or_else(
                |_| 1_640_995_200_000_000 + (messages.len() as i64 % 1_000_000) * 60_000_000,
                |at| at.timestamp_micros(),
            );
            messages.push(Message {
                conversation,
                sender,
                sent,
                text: text("text"),
            });
        }
    }
    let wanted = env::var("WORDKEEP_BENCH_MESSAGES")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(messages.len());
    grow(messages, wanted)
}

fn grow(mut messages: Vec<Message>, wanted: usize) -> Vec<Message> {
    let once = messages.len();
    messages.truncate(wanted);
    for place in once..wanted {
        let round = place / once;
        let source = &messages[place % once];
        let mut words = 0;
        let text: Vec<String> = source
            .text
            .split(' ')
            .map(|word| {
                words += 1;
                if (place + words) % 100 == 0 {
                    format!("{word}x{round}")
                } else {
                    word.to_owned()
                }
            })
            .collect();
        let message = Message {
            conversation: source.conversation + (round as u32) * 100_000,
            sender: source.sender,
            sent: source.sent + round as i64 * 7_000_000,
            text: text.join(" "),
        };
        messages.push(message);
    }
    messages
}

fn analyse_all(messages: &[Message]) -> u64 {
    let mut analysis = Analysis::new();
    let mut terms = 0;
    for message in messages {
        analyse(&message.text, &mut analysis);
        terms += analysis.len() as u64;
    }
    terms
}

/// What a store would keep of an index between two openings.
fn anchors(index: &Index) -> BTreeMap<PartName, Anchor> {
    let committed = index.committed().into_iter();
    committed.map(|part| (part.part, part.anchor)).collect()
}

/// The same as lines of a file, for another process.
fn write_anchors(path: &Path, anchors: &BTreeMap<PartName, Anchor>) {
    let lines = anchors.iter().map(|(part, anchor)| {
        let hash: Vec<String> = anchor.hash.iter().map(u8::to_string).collect();
        let (generation, revision) = (anchor.generation, anchor.revision);
        format!("{part} {generation} {revision} {}\n", hash.join(" "))
    });
    fs::write(path, lines.collect::<String>()).expect("a temporary file");
}

fn read_anchors(path: &Path) -> BTreeMap<PartName, Anchor> {
    let text = fs::read_to_string(path).expect("a temporary file");
    let anchor = |line: &str| {
        let (part, rest) = line.split_once(' ')?;
        let mut numbers = rest
            .split(' ')
            .map_while(|number| number.parse::<u64>().ok());
        let (generation, revision) = (numbers.next()?, numbers.next()?);
        let hash: Vec<u8> = numbers.map(|byte| byte as u8).collect();
        let hash = hash.try_into().ok()?;
        Some((
            part.parse().ok()?,
            Anchor {
                generation,
                revision,
                hash,
            },
        ))
    };
    text.lines().filter_map(anchor).collect()
}

fn open(
    root: &Path,
    plain: bool,
    cache_bytes: Option<usize>,
    anchors: &BTreeMap<PartName, Anchor>,
) -> Index {
    let mut config = IndexConfig::new(StoreId(1));
    config.plain = plain;
    let wanted = env::var("WORDKEEP_BENCH_CACHE").ok();
    if let Some(bytes) = cache_bytes.or_else(|| wanted.and_then(|bytes| bytes.parse().ok())) {
        config.cache_bytes = bytes;
    }
    let keys: Arc<dyn SegmentKeys> = Arc::new(Keys::default());
    let entropy: Arc<dyn Entropy> = Arc::new(SeededEntropy::new(1));
    Index::open(root, keys, entropy, config, anchors)
        .expect("the index opens")
        .index
}

fn build(root: &Path, messages: &[Message], plain: bool) -> Index {
    let index = open(root, plain, None, &BTreeMap::new());
    let mut writer = index.writer();
    let mut analysis = Analysis::new();
    for (no, message) in (1..).zip(messages) {
        analyse(&message.text, &mut analysis);
        let versions = [message.text.as_str()];
        let record = Record {
            no: MessageNo(no),
            conversation: ConversationNo(message.conversation),
            account: None,
            sender: Some(HandleNo(message.sender)),
            sent: Timestamp(message.sent),
            order: no,
            app: App::Slack,
            kind: Kind::Text,
            conversation_kind: ConversationKind::Group,
            presence: Presence::default(),
            import: ImportNo(1),
            thread: None,
            reply_to: None,
            versions: &versions,
            filenames: &[],
            extracted: &[],
            reactions: &[],
            mentions: &[],
            attachments: &[],
        };
        let words = Words {
            versions: &[&analysis],
            ..Words::default()
        };
        writer.add(&record, words, Novelty::New, NOW).expect("adds");
        if no as usize % COMMIT_EVERY == 0 {
            writer.commit_all().expect("commits");
        }
    }
    writer.close().expect("closes");
    index
}

/// Prints the sizes and gives that of the sealed index, in bytes.
fn sizes(plain: &Index, sealed: &Index, messages: usize) -> u64 {
    let total = |index: &Index| -> (u64, u32, u64) {
        let stats = index.stats().expect("stats");
        (
            stats.iter().map(|part| part.bytes).sum(),
            stats.iter().map(|part| part.segments).sum(),
            stats.iter().map(|part| part.messages).sum(),
        )
    };
    let ((plain, _, _), (sealed, segments, found)) = (total(plain), total(sealed));
    assert_eq!(found, messages as u64, "every message is in the index");
    println!(
        "size: plain {:.1}, sealed {:.1} bytes a message (ratio {:.4}), {segments} segments",
        plain as f64 / messages as f64,
        sealed as f64 / messages as f64,
        sealed as f64 / plain as f64
    );
    sealed
}

fn word(word: &str) -> TermPattern {
    TermPattern::literal(fold(word), exact(word), false)
}

fn term(text: &str) -> SpanQuery {
    SpanQuery::Term(vec![word(text)])
}

fn text(span: SpanQuery) -> Node {
    Node::Text(TextLeaf {
        field: TextField::Text,
        span,
    })
}

fn plain_word(text_of: &str) -> Node {
    text(term(text_of))
}

fn phrase(words: &[&str]) -> Node {
    let slots = words
        .iter()
        .map(|text| Slot::Term {
            any: vec![word(text)],
            overlap: 0,
        })
        .collect();
    text(SpanQuery::Phrase(slots))
}

fn near(left: &str, right: &str, ordered: bool, negated: bool) -> Node {
    text(SpanQuery::Near(Box::new(Near {
        left: term(left),
        right: term(right),
        ordered,
        negated,
        distance: 5,
    })))
}

fn wildcard(pieces: Vec<Piece>) -> Node {
    let pieces = Pieces(pieces);
    let glob = || Glob::new(&pieces, fold);
    text(SpanQuery::Term(vec![TermPattern::wildcard(
        glob(),
        glob(),
        false,
    )]))
}

fn resolved(root: Node) -> Resolved {
    let query = Query {
        root: Expr::from(ExprKind::Everything),
        zone: None,
        accent_strict: false,
        strict: false,
    };
    Resolved {
        root,
        canonical: query.clone(),
        absolute: query,
        zone: chrono_tz::UTC,
        names: Vec::new(),
        problems: Vec::new(),
    }
}

/// Name, query, order and scope of every class.
fn classes(sender: HandleNo) -> Vec<(&'static str, Node, Order, Scope)> {
    let all = Scope::everything;
    let (the, i) = (|| plain_word("the"), || plain_word("i"));
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let sender = Node::Fact(Predicate::Sender(BTreeSet::from([sender])));
    let range = |since: i64, days: i64| {
        Node::Fact(Predicate::Sent(TimeRange {
            since: Some(Timestamp(since)),
            until: Some(Timestamp(since + days * Timestamp::MICROS_PER_DAY)),
        }))
    };
    let mut some = Scope::nothing();
    some.conversations = (0..200).map(ConversationNo).collect();
    let weekday = Node::Fact(Predicate::Weekday {
        zone: chrono_tz::Europe::Lisbon,
        days: 0b110_0000,
    });
    let window = SpanQuery::Window {
        words: vec![term("want"), term("restaurant")],
        positions: 7,
    };
    vec![
        ("rare word", plain_word("jurong"), Order::Newest, all()),
        ("usual word", plain_word("restaurant"), Order::Newest, all()),
        ("frequent word", the(), Order::Newest, all()),
        ("frequent word, oldest", the(), Order::Oldest, all()),
        (
            "rare AND frequent",
            Node::And(vec![plain_word("jurong"), the()]),
            Order::Newest,
            all(),
        ),
        (
            "frequent AND frequent",
            Node::And(vec![i(), the()]),
            Order::Newest,
            all(),
        ),
        (
            "OR of four",
            Node::Or(vec![
                plain_word("price"),
                plain_word("deal"),
                plain_word("offer"),
                the(),
            ]),
            Order::Newest,
            all(),
        ),
        (
            "AND NOT",
            Node::And(vec![the(), Node::Not(Box::new(i()))]),
            Order::Newest,
            all(),
        ),
        ("everything", Node::Everything, Order::Newest, all()),
        (
            "phrase of two",
            phrase(&["of", "the"]),
            Order::Newest,
            all(),
        ),
        (
            "phrase of three",
            phrase(&["i", "want", "to"]),
            Order::Newest,
            all(),
        ),
        (
            "w/5",
            near("want", "the", false, false),
            Order::Newest,
            all(),
        ),
        ("pre/5", near("i", "the", true, false), Order::Newest, all()),
        (
            "not w/5",
            near("want", "to", false, true),
            Order::Newest,
            all(),
        ),
        ("slop window", text(window), Order::Newest, all()),
        (
            "prefix",
            wildcard(vec![literal("rest"), Piece::AnyRun]),
            Order::Newest,
            all(),
        ),
        (
            "infix",
            wildcard(vec![Piece::AnyRun, literal("count"), Piece::AnyRun]),
            Order::Newest,
            all(),
        ),
        (
            "fuzzy 1",
            text(SpanQuery::Term(vec![TermPattern::fuzzy(
                "receive", "receive", 1, false,
            )])),
            Order::Newest,
            all(),
        ),
        (
            "sender AND word",
            Node::And(vec![sender, the()]),
            Order::Newest,
            all(),
        ),
        (
            "week AND word",
            Node::And(vec![range(1_439_000_000_000_000, 7), the()]),
            Order::Newest,
            all(),
        ),
        (
            "ragged month",
            range(1_650_000_012_345_678, 31),
            Order::Newest,
            all(),
        ),
        ("word inside 200 chats", the(), Order::Newest, some.clone()),
        (
            "weekend AND word",
            Node::And(vec![plain_word("restaurant"), weekday]),
            Order::Newest,
            all(),
        ),
        ("best of one", plain_word("restaurant"), Order::Best, all()),
        (
            "best of two",
            Node::And(vec![i(), plain_word("want")]),
            Order::Best,
            all(),
        ),
        (
            "best inside 200 chats",
            plain_word("want"),
            Order::Best,
            some,
        ),
    ]
}

fn ask(index: &Index, query: &Resolved, order: Order, scope: &Scope) -> (Answer, Duration) {
    let start = Instant::now();
    let answer = index
        .search(query, scope, Page::first(order, 50))
        .expect("answers");
    (answer, start.elapsed())
}

/// The least disturbed run: on a shared machine the median measures the neighbours.
fn least(times: Vec<Duration>) -> f64 {
    times.into_iter().min().unwrap_or_default().as_secs_f64() * 1e3
}

fn compare(plain: &Index, sealed: &Index, sender: HandleNo) {
    println!(
        "{:<24}{:>10}{:>11}{:>11}{:>8}{:>8}",
        "class", "hits", "plain ms", "sealed ms", "ratio", "plain/p"
    );
    let mut ratios: Vec<(f64, &str)> = Vec::new();
    for (name, node, order, scope) in classes(sender) {
        let query = resolved(node);
        ask(plain, &query, order, &scope);
        let (expected, once) = ask(plain, &query, order, &scope);
        let repeats = (ASKED_MS / (once.as_secs_f64() * 1e3)) as usize;
        let repeats = repeats.clamp(REPEATS.0, REPEATS.1);
        let (found, cold) = ask(sealed, &query, order, &scope);
        assert_eq!(expected.total, found.total, "{name}");
        let numbers = |answer: &Answer| answer.hits.iter().map(|hit| hit.no).collect::<Vec<_>>();
        assert_eq!(numbers(&expected), numbers(&found), "{name}");
        // Each is asked right after the other, so both find the processor's caches full of the
        // other's bytes. The control is every second answer of the plain one against the rest.
        let (mut a, mut b, mut control) = (Vec::new(), Vec::new(), Vec::new());
        let before = sealed.cache_use().misses;
        for round in 0..repeats {
            let plain = ask(plain, &query, order, &scope).1;
            if round % 2 == 0 {
                a.push(plain)
            } else {
                control.push(plain)
            }
            b.push(ask(sealed, &query, order, &scope).1);
        }
        let (a, b, control) = (least(a), least(b), least(control));
        let (a, control) = (a.min(control), a.max(control) / a.min(control));
        println!(
            "{name:<24}{:>10}{a:>11.3}{b:>11.3}{:>8.3}{:>8.3}   first {:.1} ms, then {:.1} misses",
            found.total,
            b / a,
            control,
            cold.as_secs_f64() * 1e3,
            (sealed.cache_use().misses - before) as f64 / repeats as f64
        );
        ratios.push((b / a, name));
    }
    let mean =
        (ratios.iter().map(|(ratio, _)| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    let worst =
        ratios.iter().copied().fold(
            (0.0, ""),
            |worst, ratio| if ratio.0 > worst.0 { ratio } else { worst },
        );
    println!(
        "geometric mean {mean:.3}, worst {:.3} ({}), {} classes",
        worst.0,
        worst.1,
        ratios.len()
    );
    println!("cache: {:?}", sealed.cache_use());
}
