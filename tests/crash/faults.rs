//! Faults of the operating system: every call that changes a file fails once with EIO, once with
//! ENOSPC, and once kills the program, while it imports, destroys, backs up and rotates keys. It
//! says what happened or dies; afterwards everything opens, nothing is lost, nothing half destroyed.
//!
//! `tests/crash/faults.sh 4000` tries so many; the short form a few of each kind. Where nobody may
//! trace, nothing is tested, and that is said.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::chance::Chance;
use crate::ripe::{DOOMED, HELD, Ripe};

/// Faults of a short run.
const FAULTS: usize = 32;
/// Messages of the import.
const MESSAGES: usize = 30;
/// Calls that change files or their names.
const CALLS: &[&str] = &[
    "write",
    "pwrite64",
    "writev",
    "pwritev",
    "openat",
    "open",
    "creat",
    "fsync",
    "fdatasync",
    "sync_file_range",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "mkdir",
    "mkdirat",
    "link",
    "linkat",
    "symlink",
    "ftruncate",
    "truncate",
    "fallocate",
    "copy_file_range",
    "sendfile",
    "fchmod",
    "chmod",
    "flock",
];
const DEEDS: &[&str] = &["error=EIO", "error=ENOSPC", "signal=KILL"];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Import,
    Purge,
    Backup,
    Rotate,
}

const WORKS: [Work; 4] = [Work::Import, Work::Purge, Work::Backup, Work::Rotate];

/// One fault: the n-th call of a name fails like this.
#[derive(Clone, Debug)]
struct Fault {
    work: Work,
    call: String,
    deed: &'static str,
    nth: usize,
}

/// Whether calls of a program may be traced here, and made to fail.
pub fn may_trace(scratch: &Path) -> bool {
    let tried = Command::new("strace")
        .args(["-f", "-o"])
        .arg(scratch.join("tried"))
        .args(["-e", "inject=fsync:error=EIO:when=1", "true"])
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}

/// A program under the eyes of strace.
fn traced(ripe: &Ripe, work: Work, log: &Path, inject: Option<&str>) -> (bool, String) {
    let root = &ripe.place.root;
    let (export, target) = (root.join("WhatsApp Chat - fresh.zip"), root.join("target"));
    let (export, target) = (export.display().to_string(), target.display().to_string());
    let (user, words): (&str, Vec<&str>) = match work {
        Work::Import => ("root", vec!["import", &export, "--tz", "UTC"]),
        Work::Purge => ("rec", vec!["dispose", "run", "1", "--confirm", "1"]),
        Work::Backup => ("root", vec!["backup", "create", "--to", &target]),
        Work::Rotate => ("root", vec!["keys", "rotate"]),
    };
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "--seccomp-bpf", "-o"]).arg(log);
    // Not every system has every call.
    let calls: Vec<String> = CALLS.iter().map(|call| format!("?{call}")).collect();
    command.args(["-e", &format!("trace={}", calls.join(","))]);
    if let Some(inject) = inject {
        command.args(["-e", &format!("inject={inject}")]);
    }
    command.arg(env!("CARGO_BIN_EXE_wordkeep"));
    ripe.tell(&mut command, user, &words);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let mut told = String::from_utf8_lossy(&output.stderr).into_owned();
    told.push_str(&String::from_utf8_lossy(&output.stdout));
    (output.status.success(), told)
}

/// How often the busiest thread makes each call: faults are counted by thread.
fn counted(log: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(log).unwrap();
    let mut by_thread: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in text.lines() {
        let Some((thread, call)) = line.split_once(' ') else {
            continue;
        };
        let Some((name, _)) = call.trim_start().split_once('(') else {
            continue;
        };
        if CALLS.contains(&name) {
            *by_thread
                .entry((name.to_owned(), thread.to_owned()))
                .or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((name, _), count) in by_thread {
        let known = most.entry(name).or_insert(0);
        *known = count.max(*known);
    }
    most
}

/// What must hold after a fault, whatever it was.
fn judge(ripe: &Ripe, fault: &Fault, succeeded: bool, told: &str) -> Result<(), String> {
    if told.contains("panicked") {
        return Err(format!("it panicked: {told}"));
    }
    // Nothing can be told through a descriptor that fails.
    let is_mute = fault.call.starts_with("write") || fault.deed.contains("KILL");
    if !succeeded && told.trim().is_empty() && !is_mute {
        return Err("it failed without a word".to_owned());
    }
    let stock = ripe.stock()?;
    let (fresh, doomed) = (stock.tagged("fresh"), stock.tagged("doomed"));
    if ![0, MESSAGES].contains(&fresh) || ![0, DOOMED].contains(&doomed) {
        return Err(format!(
            "{fresh} of {MESSAGES} new, {doomed} of {DOOMED} due messages are there"
        ));
    }
    if stock.tagged("held") != HELD || stock.holds != 1 {
        return Err("something held is gone".to_owned());
    }
    let done = match fault.work {
        Work::Import => fresh == MESSAGES,
        Work::Purge => doomed == 0 && stock.is_certified,
        Work::Backup => stock.backups == 1,
        Work::Rotate => true,
    };
    if succeeded && !done {
        return Err(format!("it said that it was done: {told}"));
    }
    if fault.work == Work::Purge && !stock.is_certified {
        ripe.finish()?;
        let stock = ripe.stock()?;
        if stock.tagged("doomed") > 0 || stock.tagged("held") != HELD {
            return Err("the list did not come to its end".to_owned());
        }
    }
    Ok(())
}

/// Which calls may fail, and how often each is made.
fn planned(planted: &Ripe, scratch: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    for work in WORKS {
        let ripe = planted.copied(&scratch.join("fault"));
        let log = scratch.join("log");
        let (succeeded, told) = traced(&ripe, work, &log, None);
        assert!(succeeded, "{work:?} without a fault: {told}");
        let calls = counted(&log);
        println!("{work:?}: {calls:?}");
        for (call, count) in calls {
            for deed in DEEDS {
                for nth in 1..=count {
                    faults.push(Fault {
                        work,
                        call: call.clone(),
                        deed,
                        nth,
                    });
                }
            }
        }
    }
    faults
}

/// So many of them: every kind in turn, and of each kind spread over its calls.
fn chosen(faults: Vec<Fault>, most: usize, chance: &mut Chance) -> Vec<Fault> {
    let mut kinds: BTreeMap<(Work, String, &str), Vec<Fault>> = BTreeMap::new();
    for fault in faults {
        kinds
            .entry((fault.work, fault.call.clone(), fault.deed))
            .or_default()
            .push(fault);
    }
    let mut kinds: Vec<Vec<Fault>> = kinds.into_values().collect();
    for kind in &mut kinds {
        for last in (1..kind.len()).rev() {
            kind.swap(last, chance.below(last + 1));
        }
    }
    for last in (1..kinds.len()).rev() {
        kinds.swap(last, chance.below(last + 1));
    }
    let mut chosen = Vec::new();
    while chosen.len() < most && kinds.iter().any(|kind| !kind.is_empty()) {
        for kind in &mut kinds {
            chosen.extend(kind.pop().filter(|_| chosen.len() < most));
        }
    }
    chosen
}

#[test]
fn faults_of_every_file_call_lose_nothing_and_halve_nothing() {
    let dir = tempfile::tempdir().unwrap();
    if !may_trace(dir.path()) {
        eprintln!("SKIPPED: strace is missing or may not trace here; no fault was tried");
        return;
    }
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<usize>().ok())
    };
    let planted = Ripe::plant(&dir.path().join("planted"));
    planted.export("fresh", MESSAGES);
    let seed = number("WORDKEEP_SEED").unwrap_or(1) as u64;
    let all = planned(&planted, dir.path());
    let known = all.len();
    let faults = chosen(
        all,
        number("WORDKEEP_FAULTS").unwrap_or(FAULTS),
        &mut Chance::new(seed),
    );
    let (began, tried) = (Instant::now(), faults.len());
    let mut ended: BTreeMap<(Work, bool), usize> = BTreeMap::new();
    let mut broken = Vec::new();
    for (no, fault) in faults.iter().enumerate() {
        let ripe = planted.copied(&dir.path().join("fault"));
        let inject = format!("{}:{}:when={}", fault.call, fault.deed, fault.nth);
        let (succeeded, told) = traced(&ripe, fault.work, &dir.path().join("log"), Some(&inject));
        *ended.entry((fault.work, succeeded)).or_default() += 1;
        if let Err(why) = judge(&ripe, fault, succeeded, &told) {
            println!("{fault:?}: {why}\n  it told: {told}");
            broken.push((fault.clone(), why));
        }
        if (no + 1) % 200 == 0 {
            println!(
                "{} faults in {:.0} s, {} broken",
                no + 1,
                began.elapsed().as_secs_f64(),
                broken.len()
            );
        }
    }
    println!(
        "{tried} of {known} faults in {:.0} s, (work, succeeded all the same): {ended:?}, {} broken",
        began.elapsed().as_secs_f64(),
        broken.len()
    );
    assert!(broken.is_empty(), "{broken:#?}");
}
