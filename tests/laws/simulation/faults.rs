//! Calls that change files and fail, in the middle of an act: `tests/support/faulty.c`, a library
//! that this program is started with (LD_PRELOAD), lets any call below a directory of a walk fail
//! with EIO or ENOSPC. It is told by names of files that do not exist. Without it nothing fails.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::act::Act;
use crate::chance::Chance;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
/// Places of a walk whose calls may fail: the data, what the computer remembers, the backups.
const DATA: &str = "data";
const HOME: &str = "home";
const TARGET: &str = "target";
/// Calls that opening makes, about.
const OPENING: usize = 60;

/// A call that is going to fail.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    errno: i32,
    /// 0: this call alone; 1: every one after it, too; 2: it is done by half, those after it fail.
    lasting: u8,
    nth: usize,
    below: &'static str,
}

impl fmt::Display for Fault {
    fn fmt(&self, into: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.errno == EIO { "EIO" } else { "ENOSPC" };
        let how = ["", " and all after it", " by half and all after it"][usize::from(self.lasting)];
        write!(
            into,
            "{name} at call {}{how} below {}",
            self.nth, self.below
        )
    }
}

impl Fault {
    /// A fault of an act.
    pub fn of(act: &Act, chance: &mut Chance) -> Fault {
        let calls = match act {
            Act::Import(_) | Act::Rebuild | Act::Run(..) => 240,
            Act::Backup => 160,
            Act::Rotate => 60,
            _ => 16,
        };
        let below = match (act, chance.below(8)) {
            (Act::Backup, 0..=3) => TARGET,
            (_, 0) => HOME,
            _ => DATA,
        };
        Self::chosen(calls, below, chance)
    }

    /// A fault of opening.
    pub fn of_opening(chance: &mut Chance) -> Fault {
        Self::chosen(OPENING, DATA, chance)
    }

    fn chosen(calls: usize, below: &'static str, chance: &mut Chance) -> Fault {
        // A full disk stays full for a while; a bad sector is one, or a disk that goes.
        let (errno, lasting) = *chance.one(&[(EIO, 0), (EIO, 1), (ENOSPC, 1), (ENOSPC, 2)]);
        let calls = if below == HOME { 6 } else { calls };
        // The first calls of an act are in every one of them, the last in few.
        let calls = 1 + chance.below(calls);
        Fault {
            errno,
            lasting,
            nth: 1 + chance.below(calls),
            below,
        }
    }

    /// From now on it waits for its call.
    pub fn arm(&self, root: &Path) {
        let prefix = root.join(self.below);
        let (errno, lasting, nth) = (self.errno, self.lasting, self.nth);
        let order = format!("/faulty/{errno}/{lasting}/{nth}/{}/", prefix.display());
        let _ = std::fs::remove_file(order);
    }

    /// It waits no more. Gives the call that failed.
    pub fn disarm(&self, root: &Path) -> Option<String> {
        let order = format!("/faulty/{}/", root.join(self.below).display());
        let struck = std::fs::read_link(order).ok()?;
        Some(format!("{self}: {}", struck.display()))
    }
}

/// Whether calls of this program can be made to fail.
pub fn may_fail() -> bool {
    let nobody = "/nobody/";
    let armed = std::fs::remove_file(format!("/faulty/{EIO}/0/1/{nobody}")).is_ok();
    let _ = std::fs::read_link(format!("/faulty/{nobody}"));
    armed
}

/// Builds the library; `None` where there is no compiler for it.
fn library(dir: &Path) -> Option<PathBuf> {
    let library = dir.join("libfaulty.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/faulty.c");
    let built = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .status();
    built
        .is_ok_and(|status| status.success())
        .then_some(library)
}

/// The short form of the campaign with calls that fail: this program once more, with the library.
#[test]
fn calls_that_fail_break_no_law() {
    if may_fail() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let Some(library) = library(dir.path()).filter(|_| cfg!(target_os = "linux")) else {
        eprintln!("SKIPPED: no compiler for tests/support/faulty.c here; no call was made to fail");
        return;
    };
    let number = |name: &str, else_: &str| std::env::var(name).unwrap_or_else(|_| else_.to_owned());
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["law_", "--nocapture", "--test-threads", "1"])
        .env("LD_PRELOAD", library)
        .env("WORDKEEP_FIRST", number("WORDKEEP_FIRST", "5000"))
        .env("WORDKEEP_SEEDS", number("WORDKEEP_SEEDS", "160"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}\n{errors}");
    assert!(told.contains("calls failed"), "{told}");
    println!("{told}");
}
