//! Many simulations, by several threads; and the laws as tests over them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use crate::act::{Act, Review, Row, WORDS, own_word};
use crate::chance::Chance;
use crate::faults::may_fail;
use crate::host::{BEGIN, fast_dir, hush, last_panic};
use crate::laws::{Law, Tally, Violation};
use crate::walk::{Template, Walk};
use crate::world::{DAY, Target, Trigger, Version};

/// Seeds of a short run.
const SEEDS: u64 = 160;
/// Acts of one seed.
const ACTS: usize = 9;
/// A long run tells how far it is after so many seeds.
const TOLD_AFTER: u64 = 1_000;

pub fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Messages of some age, three to a chat and a month.
fn old_talk() -> Act {
    let mut rows = Vec::new();
    for id in 0..4 {
        for chat in 0..3u8 {
            let key = (chat, id);
            let word = WORDS[(id as usize + usize::from(chat)) % WORDS.len()];
            rows.push(Row {
                key,
                sender: ((id + u32::from(chat)) % 3) as u8,
                sent: BEGIN - (700 - i64::from(id) * 150) * DAY,
                body: format!("{} {word}", own_word(key, 0)),
            });
        }
    }
    rows.sort_by_key(|row| (row.key.0, row.sent));
    Act::Import(rows)
}

fn deletes(days: i64) -> Act {
    let version = Version {
        policy: 1,
        version: 0,
        enabled: false,
        draft: true,
        retains: false,
        deletes: true,
        days,
        trigger: Trigger::Sent,
        level: 2,
        label: None,
        lock: None,
        word: None,
        from: 0,
        author: 2,
    };
    Act::Policy(version, 2)
}

/// Where simulations begin: with some talk; with a list that may be run; after a purge.
pub fn templates(root: &Path) -> Vec<Template> {
    let approve = |who| Act::Review(0, who, Review::Approve);
    let mut acts = vec![old_talk(), Act::Pass(40)];
    let mut templates = Vec::new();
    for (no, more) in [
        Vec::new(),
        vec![
            deletes(200),
            Act::Plan(2),
            approve(1),
            approve(3),
            Act::Pass(8),
        ],
        vec![
            Act::Place(Target::Word(WORDS[0].to_owned()), 0),
            Act::Run(0, 2),
        ],
    ]
    .into_iter()
    .enumerate()
    {
        acts.extend(more);
        let mut walk = Walk::begin(&root.join(format!("template{no}")));
        for act in &acts {
            let stepped = walk.step(act, None, &mut Chance::new(0));
            stepped.unwrap_or_else(|violation| panic!("{violation:#?}"));
        }
        // From now on the computer remembers the log.
        walk.verify().unwrap();
        walk.site.app().close().unwrap();
        walk.site.drop_all();
        templates.push(Template { walk });
    }
    templates
}

/// Walks one seed.
pub fn walk(templates: &[Template], root: &Path, seed: u64) -> (Tally, Option<Violation>) {
    let mut chance = Chance::new(seed);
    let template = chance.below(templates.len());
    let mut walk = templates[template].fork(root);
    let begun = walk.site.hands.wall();
    let wandered = catch_unwind(AssertUnwindSafe(|| walk.wander(&mut chance, ACTS)));
    let broken = match wandered {
        Ok(wandered) => wandered.err(),
        Err(_) => Some(walk.broken(Law::Open, last_panic())),
    };
    walk.site.drop_all();
    if broken.is_none() && number("WORDKEEP_SEED").is_some() {
        println!("{:#?}", walk.told);
    }
    walk.tally.days = (walk.site.hands.wall() - begun) / DAY;
    std::fs::remove_dir_all(root).unwrap();
    (std::mem::take(&mut walk.tally), broken)
}

/// What came of many seeds.
pub struct Campaign {
    pub seeds: u64,
    pub tally: Tally,
    pub violations: Vec<(u64, Violation)>,
}

/// Walks the seeds from `first` on.
pub fn campaign(first: u64, seeds: u64, threads: u64) -> Campaign {
    hush();
    let dir = fast_dir();
    let templates = templates(dir.path());
    let next = AtomicU64::new(first);
    let began = Instant::now();
    let sum = Mutex::new(Campaign {
        seeds: 0,
        tally: Tally::default(),
        violations: Vec::new(),
    });
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, sum, templates) = (&next, &sum, &templates);
            let root = dir.path().join(format!("walk{thread}"));
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + seeds {
                        return;
                    }
                    let (tally, broken) = walk(templates, &root, seed);
                    let mut sum = sum.lock().unwrap();
                    sum.tally.add(&tally);
                    sum.seeds += 1;
                    if let Some(violation) = broken {
                        tell(seed, &violation);
                        sum.violations.push((seed, violation));
                    }
                    if sum.seeds.is_multiple_of(TOLD_AFTER) {
                        let rate = sum.seeds as f64 / began.elapsed().as_secs_f64();
                        println!(
                            "{} seeds, {rate:.1}/s, {} broken",
                            sum.seeds,
                            sum.violations.len()
                        );
                    }
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{} seeds in {seconds:.1} s ({:.1}/s), {} violations: {} acts, {} days, {} refusals, {} \
         crashes at {} points, {} files lost or torn, {} disposed of, {} restores, laws asked {:?}",
        sum.seeds,
        sum.seeds as f64 / seconds,
        sum.violations.len(),
        sum.tally.acts,
        sum.tally.days,
        sum.tally.refusals,
        sum.tally.crashes.values().sum::<u64>(),
        sum.tally.crashes.len(),
        sum.tally.lost,
        sum.tally.disposed,
        sum.tally.restored,
        sum.tally.laws
    );
    println!("crashes: {:?}", sum.tally.crashes);
    println!("calls failed: {:?}", sum.tally.faults);
    println!("bytes changed, (named, harmless): {:?}", sum.tally.rotten);
    sum
}

fn tell(seed: u64, violation: &Violation) {
    println!(
        "law {:?} is broken by seed {seed}: {}",
        violation.law, violation.why
    );
    for line in &violation.told {
        println!("    {line}");
    }
    println!(
        "  again: WORDKEEP_SEED={seed}{} cargo test --release --test simulation law_ -- --nocapture",
        match may_fail() {
            true => " LD_PRELOAD=.../libfaulty.so",
            false => "",
        }
    );
}

/// The one campaign that all laws look at.
fn walked() -> &'static Campaign {
    static CAMPAIGN: OnceLock<Campaign> = OnceLock::new();
    CAMPAIGN.get_or_init(|| {
        let threads = number("WORDKEEP_THREADS").unwrap_or(2);
        match number("WORDKEEP_SEED") {
            Some(seed) => campaign(seed, 1, 1),
            None => campaign(
                number("WORDKEEP_FIRST").unwrap_or(0),
                number("WORDKEEP_SEEDS").unwrap_or(SEEDS),
                threads,
            ),
        }
    })
}

fn holds(law: Law) {
    let walked = walked();
    let broken: Vec<u64> = walked
        .violations
        .iter()
        .filter(|(_, violation)| violation.law == law)
        .map(|(seed, _)| *seed)
        .collect();
    assert!(
        broken.is_empty(),
        "law {law:?} is broken by the seeds {broken:?}"
    );
    let asked = walked.tally.laws.get(&law).copied().unwrap_or(0);
    assert!(
        asked > 0 || walked.seeds < SEEDS,
        "law {law:?} was never asked"
    );
}

#[test]
fn law_i1_nothing_leaves_while_it_is_held() {
    holds(Law::I1);
}

#[test]
fn law_i2_a_lock_never_opens_earlier() {
    holds(Law::I2);
}

#[test]
fn law_i3_what_went_was_due_and_its_certificate_says_so() {
    holds(Law::I3);
}

#[test]
fn law_i4_what_is_gone_has_no_key_no_row_and_no_word() {
    holds(Law::I4);
}

#[test]
fn law_i5_every_change_has_exactly_one_entry() {
    holds(Law::I5);
}

#[test]
fn law_i6_verdicts_are_those_of_the_oracle() {
    holds(Law::I6);
}

#[test]
fn law_i7_more_protection_lets_nothing_more_go() {
    holds(Law::I7);
}

#[test]
fn law_i8_what_is_due_approved_and_free_goes() {
    holds(Law::I8);
}

#[test]
fn law_conservation_is_exact_and_everything_else_holds_too() {
    holds(Law::Conservation);
    let others = walked().violations.iter();
    let others = others.filter(|(_, violation)| violation.law > Law::Conservation);
    let others: Vec<_> = others
        .map(|(seed, violation)| (seed, violation.law))
        .collect();
    assert!(others.is_empty(), "{others:?}");
}
