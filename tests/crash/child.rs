//! The child process: imports, searches, rebuilds, rotates, and dies at a named point.

use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Signal, getpid, kill_process};
use wordkeep::app::{Appliance, Witnesses};
use wordkeep::archive::Milestones;

use crate::house::{Place, import, log_in, secret};

/// So few that imports and rebuilds of this size commit on their way too.
const COMMIT_MESSAGES: u64 = 30;
const ROOT: &str = "WORDKEEP_CHILD_ROOT";
const STOP: &str = "WORDKEEP_CHILD_STOP";

/// How a child ends.
#[derive(Clone, Copy, Debug)]
pub enum Death {
    Kill,
    Terminate,
}

/// Where it ends: `milestone#n` is the n-th time the milestone is reached.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub milestone: &'static str,
    pub nth: u32,
    pub death: Death,
}

struct Watcher {
    milestone: String,
    nth: u32,
    signal: Signal,
    seen: AtomicU32,
}

impl Milestones for Watcher {
    fn reached(&self, name: &'static str) {
        if name == self.milestone && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.nth {
            kill_process(getpid(), self.signal).unwrap();
            // A signal to the own process may come a moment later: nothing more is done meanwhile.
            loop {
                std::thread::park();
            }
        }
    }
}

/// What became of a child.
pub struct Ended {
    /// What it said was durable, in order.
    pub acknowledged: Vec<String>,
    /// Everything it printed.
    pub printed: String,
    /// Whether it reached its end instead of its stop.
    pub finished: bool,
}

/// Runs a child over the house at `root`; every `*.zip` in `exports` is imported.
pub fn run(root: &Path, stop: Option<Stop>) -> Ended {
    run_as("child::child", root, stop)
}

/// Runs the test `name` as a child over what lies at `root`.
pub fn run_as(name: &str, root: &Path, stop: Option<Stop>) -> Ended {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(ROOT, root);
    if let Some(stop) = stop {
        let death = match stop.death {
            Death::Kill => "kill",
            Death::Terminate => "term",
        };
        command.env(STOP, format!("{}#{}#{death}", stop.milestone, stop.nth));
    }
    let output = command.output().unwrap();
    let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
    printed.push_str(&String::from_utf8_lossy(&output.stderr));
    let acknowledged: Vec<String> = printed
        .lines()
        .filter_map(|line| line.split_once("DURABLE ").map(|(_, what)| what.to_owned()))
        .collect();
    let finished = printed.contains("FINISHED");
    assert!(
        finished || stop.is_some(),
        "a child without a stop must finish: {printed}"
    );
    Ended {
        acknowledged,
        printed,
        finished,
    }
}

/// The orders of this process, if it is a child: where, and who stops it.
pub fn orders() -> Option<(std::path::PathBuf, Option<Arc<dyn Milestones>>)> {
    let root = std::env::var(ROOT).ok()?;
    let stop = std::env::var(STOP).unwrap_or_default();
    let orders: Vec<&str> = stop.split('#').collect();
    let watcher = match orders[..] {
        [milestone, nth, death] => Some(Arc::new(Watcher {
            milestone: milestone.to_owned(),
            nth: nth.parse().unwrap(),
            signal: if death == "kill" {
                Signal::KILL
            } else {
                Signal::TERM
            },
            seen: AtomicU32::new(0),
        })),
        _ => None,
    };
    let watcher = watcher.map(|watcher| watcher as Arc<dyn Milestones>);
    Some((root.into(), watcher))
}

pub fn say(what: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{what}").unwrap();
    out.flush().unwrap();
}

/// Not a law of its own: what a child process runs. Without orders there is nothing to do.
#[test]
fn child() {
    let Some((root, milestones)) = orders() else {
        return;
    };
    let place = Place { root };
    let witnesses = Witnesses {
        clock: None,
        milestones,
        seals: Some(crate::seals::SealFile::of(&place)),
    };
    let mut settings = place.settings();
    settings.archive.commit_messages = COMMIT_MESSAGES;
    let appliance = Appliance::open_watched(settings, &secret(), witnesses).unwrap();
    let (root, rec) = (log_in(&appliance, "root"), log_in(&appliance, "rec"));
    let mut exports: Vec<_> = std::fs::read_dir(place.root.join("exports"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    exports.sort();
    for export in exports {
        let receipt = import(&appliance, &root, &export).unwrap();
        say(&format!("DURABLE {}", receipt.name));
    }
    crate::canary::ask(&appliance, &rec);
    appliance.rebuild_index(&rec, &mut |_, _| ()).unwrap();
    appliance.rotate_keys(&root, &secret()).unwrap();
    appliance.close().unwrap();
    say("FINISHED");
}
