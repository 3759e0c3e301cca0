//! The program killed at random instants while it imports, holds, destroys and backs up: what it
//! acknowledged is there, nothing is half destroyed, everything verifies.
//!
//! `tests/crash/kills.sh 1000` makes a thousand cycles; the short form makes a few.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::chance::Chance;
use crate::house::files_below;
use crate::ripe::{DOOMED, HELD, Ripe, Stock};

/// Cycles of a short run.
const CYCLES: u64 = 20;
/// Cycles that one house lives through.
const LIVES: u64 = 12;
/// Messages of every import.
const MESSAGES: usize = 30;
/// Longest time a program may take, in milliseconds.
const MILLIS_MAX: u64 = 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Work {
    Import,
    Hold,
    Purge,
    Backup,
}

/// What the parent knows to be durable: it was acknowledged.
#[derive(Default)]
struct Ledger {
    imports: Vec<String>,
    holds: usize,
    backups: usize,
    is_purged: bool,
}

/// What came of a cycle.
enum Ended {
    Killed,
    Done,
}

/// Starts the program and kills it at an instant, unless it ends before.
fn killed(ripe: &Ripe, user: &str, words: &[&str], after: Duration) -> Result<Ended, String> {
    let mut command = ripe.program(user, words);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let began = Instant::now();
    while began.elapsed() < after {
        if let Some(status) = child.try_wait().unwrap() {
            let told = child.wait_with_output().unwrap();
            return match status.success() {
                true => Ok(Ended::Done),
                false => Err(String::from_utf8_lossy(&told.stderr).into_owned()),
            };
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    Ok(Ended::Killed)
}

/// The acknowledged is there, and nothing is half there.
fn judge(ledger: &Ledger, stock: &Stock, tag: &str) -> Result<(), String> {
    for known in &ledger.imports {
        let found = stock.tagged(known);
        if found != MESSAGES {
            return Err(format!(
                "{known} was acknowledged, {found} of its messages are there"
            ));
        }
    }
    if ![0, MESSAGES].contains(&stock.tagged(tag)) {
        return Err(format!("{tag} is half there"));
    }
    let doomed = stock.tagged("doomed");
    if ![0, DOOMED].contains(&doomed) || ledger.is_purged && (doomed > 0 || !stock.is_certified) {
        return Err(format!(
            "{doomed} of {DOOMED} due messages are left, {}",
            ledger.is_purged
        ));
    }
    if stock.tagged("held") != HELD || stock.holds < ledger.holds + 1 {
        return Err(format!(
            "{} held messages, {} holds",
            stock.tagged("held"),
            stock.holds
        ));
    }
    match stock.backups < ledger.backups {
        true => Err(format!(
            "{} backups of {} are known",
            stock.backups, ledger.backups
        )),
        false => Ok(()),
    }
}

/// One house, killed again and again.
struct Life<'a> {
    ripe: Ripe,
    ledger: Ledger,
    chance: &'a mut Chance,
    longest: &'a mut [f64; 4],
}

impl Life<'_> {
    /// One cycle; whether it was killed.
    fn cycle(&mut self, no: u64) -> Result<(Work, bool), String> {
        let purges = !self.ledger.is_purged && self.chance.once_in(2);
        let work = match (purges, self.chance.below(3)) {
            (true, _) => Work::Purge,
            (_, 0) => Work::Import,
            (_, 1) => Work::Hold,
            _ => Work::Backup,
        };
        let tag = format!(
            "fresh{}x",
            ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"][no as usize % 12]
        );
        let root = self.ripe.place.root.clone();
        let (target, matter) = (
            root.join("target").display().to_string(),
            self.ripe.matter.to_string(),
        );
        let export = self.ripe.export(&tag, MESSAGES).display().to_string();
        let (user, words): (&str, Vec<&str>) = match work {
            Work::Import => ("root", vec!["import", &export, "--tz", "UTC"]),
            Work::Hold => (
                "law",
                vec![
                    "hold",
                    "add",
                    "claim",
                    "--matter",
                    &matter,
                    "--query",
                    "heldword*",
                    "--reason",
                    "a letter",
                ],
            ),
            Work::Purge => ("rec", vec!["dispose", "run", "1", "--confirm", "1"]),
            Work::Backup => ("root", vec!["backup", "create", "--to", &target]),
        };
        // A little longer than it ever took: every instant of it is as likely as any other.
        let most = &mut self.longest[work as usize];
        let after =
            Duration::from_micros((self.chance.below(1_000_000) as f64 * *most * 1.1) as u64);
        let began = Instant::now();
        let ended = killed(&self.ripe, user, &words, after)?;
        let was_killed = matches!(ended, Ended::Killed);
        if !was_killed {
            *most = (*most)
                .max(began.elapsed().as_secs_f64())
                .min(MILLIS_MAX as f64 / 1_000.0);
            match work {
                Work::Import => self.ledger.imports.push(tag.clone()),
                Work::Hold => self.ledger.holds += 1,
                Work::Purge => self.ledger.is_purged = true,
                Work::Backup => self.ledger.backups += 1,
            }
        } else {
            *most *= 1.005;
        }
        let stock = self.ripe.stock()?;
        judge(&self.ledger, &stock, &tag)?;
        self.ledger.is_purged |= stock.is_certified;
        Ok((work, was_killed))
    }

    /// What was cut off goes on to its end; nothing that went stands in any file.
    fn end(&self) -> Result<(), String> {
        if !self.ripe.stock()?.is_certified {
            self.ripe.finish()?;
            let stock = self.ripe.stock()?;
            if stock.tagged("doomed") > 0 || !stock.is_certified {
                return Err("the list was not finished".to_owned());
            }
        }
        for path in files_below(&self.ripe.place.data()) {
            let bytes = std::fs::read(&path).unwrap();
            if memchr::memmem::find(&bytes, b"doomedword").is_some() {
                return Err(format!("{} holds plain words", path.display()));
            }
        }
        Ok(())
    }
}

#[test]
fn kills_lose_nothing_that_was_acknowledged_and_halve_nothing() {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let cycles = number("WORDKEEP_KILLS").unwrap_or(CYCLES);
    let seed = number("WORDKEEP_SEED").unwrap_or(1);
    let dir = tempfile::tempdir().unwrap();
    let planted = Ripe::plant(&dir.path().join("planted"));
    let mut chance = Chance::new(seed);
    // Seconds each kind of work takes; learned on the way.
    let mut longest = [0.15, 0.05, 0.2, 0.2];
    let (mut kills, mut done) = ([0u64; 4], [0u64; 4]);
    let mut no = 0;
    let began = Instant::now();
    while kills.iter().sum::<u64>() < cycles {
        let mut life = Life {
            ripe: planted.copied(&dir.path().join("life")),
            ledger: Ledger::default(),
            chance: &mut chance,
            longest: &mut longest,
        };
        for cycle in 0..LIVES {
            no += 1;
            match life.cycle(cycle) {
                Ok((work, true)) => kills[work as usize] += 1,
                Ok((work, false)) => done[work as usize] += 1,
                Err(why) => panic!("cycle {no} of seed {seed}: {why}"),
            }
        }
        life.end()
            .unwrap_or_else(|why| panic!("after cycle {no} of seed {seed}: {why}"));
        if no % (LIVES * 10) == 0 {
            println!(
                "{no} cycles, {kills:?} killed, {:.0} s",
                began.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "{} kills (import, hold, purge, backup: {kills:?}), {done:?} ended before, in {:.0} s: 0 lost, \
         0 half destroyed",
        kills.iter().sum::<u64>(),
        began.elapsed().as_secs_f64()
    );
}
