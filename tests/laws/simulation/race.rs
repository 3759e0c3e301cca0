//! Hold against purge on the real archive: a hold that is placed by another thread at a point of
//! the running purge either counts, or is answered with what became of its message.
//!
//! `WORDKEEP_RACES` says how many interleavings are tried, `WORDKEEP_FIRST` from which on,
//! `WORDKEEP_SEED` tries one again.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::act::{Act, WORDS};
use crate::chance::Chance;
use crate::engine::{Deed, entries, live};
use crate::host::{Aside, fast_dir, hush};
use crate::seeds::{number, templates};
use crate::walk::{Template, Walk};
use crate::world::{Target, World};

/// Interleavings of a short run.
const RACES: u64 = 120;
/// Points that a purge of this size passes.
const POINTS: usize = 56;
/// Points inside a transaction: whoever wants to write waits for its end.
const INSIDE: [&str; 3] = ["erase.judged", "erase.index_written", "sign.committed"];
/// How long a point waits for the hold that is placed at it.
const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Came {
    /// It was durable before the decision: everything it names survived.
    First,
    /// It was durable after the decision, and protects what is left.
    Later,
    /// It was answered that its message was disposed of.
    Answered,
    /// The purge passed fewer points.
    Never,
}

struct Race<'a> {
    walk: &'a mut Walk,
    target: Target,
    /// The point at which the hold is placed, and the one at which the process dies.
    hold_at: i64,
    die_at: Option<i64>,
    /// Whether the purge waits at the point until the hold is placed.
    waits: bool,
}

impl Race<'_> {
    fn run(self) -> Result<Came, String> {
        let (tell, told) = channel::<()>();
        let (answer, answered) = channel::<()>();
        let fuse = Arc::clone(&self.walk.site.fuse);
        fuse.aside(Some(self.at_the_point(tell, answered)));
        if let Some(point) = self.die_at {
            fuse.light(point);
        }
        let (known, world) = (self.walk.known.clone(), self.walk.world.clone());
        let site = &mut self.walk.site;
        let (site, target) = (&*site, &self.target);
        let placed = std::thread::scope(|scope| {
            let deed = Deed {
                site,
                known: &known,
            };
            let holding = scope.spawn(move || {
                let deed = Deed {
                    site,
                    known: deed.known,
                };
                told.recv().ok()?;
                let placed = deed.place(target, 0);
                let _ = answer.send(());
                Some(placed)
            });
            let deed = Deed {
                site,
                known: &known,
            };
            let purged = catch_unwind(AssertUnwindSafe(|| deed.perform(&Act::Run(0, 2))));
            let blown = fuse.put_out();
            // The end of the sender ends the waiting thread, if it was never asked.
            fuse.aside(None);
            // The process may die in the thread that places the hold, too.
            let placed = match (holding.join(), blown) {
                // What dies with the process answers nobody.
                (Ok(Some(Err(_))) | Err(_), Some(_)) => None,
                (Ok(placed), _) => placed,
                (Err(_), None) => return Err("placing the hold panicked".to_owned()),
            };
            match (purged, blown) {
                (Ok(Err(why)), None) => Err(format!("the purge was refused: {why}")),
                (Err(_), None) => Err("the purge panicked".to_owned()),
                _ => Ok(placed),
            }
        })?;
        finish(self.walk)?;
        judge(self.walk, &world, &self.target, placed)
    }

    fn at_the_point(&self, tell: std::sync::mpsc::Sender<()>, answered: Receiver<()>) -> Aside {
        let (hold_at, waits) = (self.hold_at, self.waits);
        let left = Mutex::new((hold_at, Some((tell, answered))));
        Arc::new(move |name| {
            let mut left = left.lock().unwrap();
            left.0 -= 1;
            let ends = if left.0 == 0 { left.1.take() } else { None };
            // Who places the hold reaches points too.
            drop(left);
            let Some((tell, answered)) = ends else { return };
            if tell.send(()).is_ok() && waits && !INSIDE.contains(&name) {
                let _ = answered.recv_timeout(PATIENCE);
            }
        })
    }
}

/// Opens again and runs the list to its end.
fn finish(walk: &mut Walk) -> Result<(), String> {
    walk.site.open()?;
    let rows = walk.site.app().archive().store().read().unwrap();
    let done = rows
        .disposition(wordkeep::domain::BatchNo(1))
        .unwrap()
        .unwrap();
    drop(rows);
    if done.state == wordkeep::store::DispositionState::Certified {
        return Ok(());
    }
    let deed = Deed {
        site: &walk.site,
        known: &walk.known,
    };
    deed.perform(&Act::Run(0, 3)).map(drop)
}

fn judge(
    walk: &mut Walk,
    before: &World,
    target: &Target,
    placed: Option<Result<(), String>>,
) -> Result<Came, String> {
    let left: BTreeSet<u64> = live(walk.site.app(), &mut walk.known)?
        .into_keys()
        .collect();
    let (_, names) = entries(walk.site.app(), walk.logged);
    let place_of = |name: &str| names.iter().position(|entry| entry == name);
    let (hold, decided) = (place_of("hold.place Done"), place_of("erase.slice Done"));
    let named = |no: &u64| before.aims_at(target, Some(*no), &before.live[no]);
    let lost: Vec<u64> = before
        .live
        .keys()
        .filter(|no| named(no) && !left.contains(no))
        .copied()
        .collect();
    let others: Vec<&u64> = before
        .live
        .keys()
        .filter(|no| !named(no) && left.contains(no))
        .collect();
    if !others.is_empty() {
        return Err(format!("{others:?} were due and free, and are left"));
    }
    let is_first = hold.is_some() && (decided.is_none() || hold < decided);
    match (placed, is_first) {
        (None, true) if !lost.is_empty() => Err(format!("{lost:?} are gone under a hold")),
        (None, _) => Ok(Came::Never),
        (Some(Ok(())), true) if lost.is_empty() => Ok(Came::First),
        (Some(Ok(())), true) => Err(format!("{lost:?} are gone under a hold that came first")),
        (Some(Ok(())), false) if matches!(target, Target::Ids(_)) && !lost.is_empty() => {
            Err(format!("a hold was placed on {lost:?}, which were gone"))
        }
        (Some(Ok(())), false) => Ok(Came::Later),
        (Some(Err(why)), _) if why.contains("already disposed of: list 1") && !lost.is_empty() => {
            Ok(Came::Answered)
        }
        // Who writes nowhere any more and has no name is nobody's custodian.
        (Some(Err(why)), _)
            if matches!(target, Target::Person(_))
                && why.contains("NotFound")
                && !lost.is_empty() =>
        {
            Ok(Came::Answered)
        }
        (Some(Err(why)), _) => Err(format!("the hold was refused: {why}")),
    }
}

fn race(template: &Template, root: &Path, seed: u64) -> Result<Came, String> {
    let mut chance = Chance::new(seed);
    let mut walk = template.fork(root);
    walk.site.hands.pass(1_000_000);
    let numbers: Vec<u64> = walk.world.live.keys().copied().collect();
    let target = match chance.below(5) {
        0 | 1 => Target::Ids(BTreeSet::from([*chance.one(&numbers)])),
        2 => Target::Person(chance.below(3) as u8),
        3 => Target::Chat(chance.below(3) as u8),
        _ => Target::Word((*chance.one(&WORDS)).to_owned()),
    };
    let race = Race {
        target,
        hold_at: 1 + chance.below(POINTS) as i64,
        die_at: chance.once_in(2).then(|| 1 + chance.below(POINTS) as i64),
        waits: !chance.once_in(3),
        walk: &mut walk,
    };
    let came = race.run();
    walk.site.drop_all();
    std::fs::remove_dir_all(root).unwrap();
    came
}

#[test]
fn hold_races_purge() {
    hush();
    let dir = fast_dir();
    let templates = templates(dir.path());
    let first = number("WORDKEEP_SEED")
        .or(number("WORDKEEP_FIRST"))
        .unwrap_or(0);
    let races = match number("WORDKEEP_SEED") {
        Some(_) => 1,
        None => number("WORDKEEP_RACES").unwrap_or(RACES),
    };
    let threads = number("WORDKEEP_THREADS").unwrap_or(2);
    let next = AtomicU64::new(first);
    let came: Mutex<std::collections::BTreeMap<Came, u64>> = Mutex::default();
    let broken: Mutex<Vec<(u64, String)>> = Mutex::default();
    let began = Instant::now();
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (next, came, broken, template) = (&next, &came, &broken, &templates[1]);
            let root = dir.path().join(format!("race{thread}"));
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first + races {
                        return;
                    }
                    match race(template, &root, seed) {
                        Ok(one) => *came.lock().unwrap().entry(one).or_default() += 1,
                        Err(why) => {
                            println!("hold against purge, seed {seed}: {why}");
                            broken.lock().unwrap().push((seed, why));
                        }
                    }
                    if (seed + 1).is_multiple_of(2_000) {
                        println!(
                            "{} interleavings in {:.0} s",
                            seed + 1 - first,
                            began.elapsed().as_secs_f64()
                        );
                    }
                }
            });
        }
    });
    let (came, broken) = (came.into_inner().unwrap(), broken.into_inner().unwrap());
    println!(
        "{races} interleavings in {:.1} s: {came:?}, {} broken",
        began.elapsed().as_secs_f64(),
        broken.len()
    );
    assert!(broken.is_empty(), "{broken:#?}");
    for kind in [Came::First, Came::Later, Came::Answered] {
        assert!(
            came.contains_key(&kind) || races < RACES,
            "{kind:?} never came"
        );
    }
}
