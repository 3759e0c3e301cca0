//! Anchors outside the house: once a day the state of the log goes as one line into a file that
//! whoever holds the data should not be able to change: on another disk, a write-once share, a printer.
//!
//! A line is `TIME ORIGIN ENTRIES ROOT LIFE`: compliance time (RFC 3339), name of the log, number of
//! entries, root in base64, and which life of the data directory (a restored one goes on in another
//! way; `-` for the first).

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use chrono::{DateTime, SecondsFormat};

use super::check::{Finding, Standing, finding};
use super::files::read_text;
use super::{AppError, Appliance, Result};
use crate::crypto::{Checkpoint, hex};
use crate::domain::Timestamp;

/// Between two lines, in microseconds: a day.
const ANCHOR_EVERY: i64 = Timestamp::MICROS_PER_DAY;
/// Without a line for so long something is wrong, in microseconds: three days.
const ANCHOR_LATE: i64 = 3 * Timestamp::MICROS_PER_DAY;
/// Longest file of anchors, in bytes: a line a day for more than two centuries.
const ANCHORS_BYTES_MAX: u64 = 16 << 20;
/// Longest line, in bytes; the last one is read from so near the end.
const LINE_BYTES_MAX: u64 = 1_024;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Anchor {
    at: Timestamp,
    life: String,
    checkpoint: Checkpoint,
}

impl Anchor {
    fn to_line(&self) -> Option<String> {
        let at = DateTime::from_timestamp_micros(self.at.0)?;
        let text = self.checkpoint.to_text();
        let mut words: Vec<&str> = text.lines().collect();
        let at = at.to_rfc3339_opts(SecondsFormat::Micros, true);
        words.insert(0, &at);
        words.push(&self.life);
        Some(words.join(" ") + "\n")
    }

    fn read(line: &str) -> Option<Anchor> {
        let words: Vec<&str> = line.split(' ').collect();
        let [at, origin, size, root, life] = words[..] else {
            return None;
        };
        let at = DateTime::parse_from_rfc3339(at).ok()?;
        Some(Anchor {
            at: Timestamp(at.timestamp_micros()),
            life: life.to_owned(),
            checkpoint: Checkpoint::parse(&format!("{origin}\n{size}\n{root}\n")).ok()?,
        })
    }
}

/// The anchors of a file of lines, as three lines each: those of the log and the life that the last
/// line is of. `None` when it is no such file.
///
/// # Errors
/// `Usage` when it is one and a line of it cannot be read.
pub fn anchors_in(text: &str) -> Result<Option<Vec<String>>> {
    let first = text.lines().next().unwrap_or_default();
    if first.split(' ').count() != 5 {
        return Ok(None);
    }
    let read = |(number, line): (usize, &str)| Anchor::read(line).ok_or_else(|| damaged(number));
    let mut read: Vec<Anchor> = (1..).zip(text.lines()).map(read).collect::<Result<_>>()?;
    if let Some(last) = read.last().cloned() {
        read.retain(|one| one.life == last.life && one.checkpoint.origin == last.checkpoint.origin);
    }
    Ok(Some(
        read.iter().map(|one| one.checkpoint.to_text()).collect(),
    ))
}

fn damaged(number: usize) -> AppError {
    AppError::Usage(format!("line {number} is no anchor: it was changed or cut"))
}

impl Appliance {
    /// Adds a line to every file of anchors whose last one is a day old. What cannot be written is
    /// told in the log of the program and by `check`, and stops nothing.
    pub(super) fn anchor(&self, checkpoint: &Checkpoint) {
        for path in &self.settings.anchor_files {
            if let Err(error) = self.anchor_in(path, checkpoint) {
                tracing::warn!("{}: no anchor could be written: {error}", path.display());
            }
        }
    }

    fn anchor_in(&self, path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
        let at = self.clock.now().compliance;
        let life = self.life();
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .mode(0o644)
            .open(path)?;
        let last = last_line(&mut file)?;
        let known = last
            .as_deref()
            .and_then(Anchor::read)
            .filter(|last| last.checkpoint.origin == checkpoint.origin && last.life == life);
        if known.is_some_and(|last| at.0 < last.at.0.saturating_add(ANCHOR_EVERY)) {
            return Ok(());
        }
        let anchor = Anchor {
            at,
            life,
            checkpoint: checkpoint.clone(),
        };
        let Some(line) = anchor.to_line() else {
            return Ok(());
        };
        // A line that was cut off by a full disk stays what it is: the next one begins anew.
        let begins = if last.is_some_and(|last| !last.is_empty()) && !ends_whole(&mut file)? {
            "\n"
        } else {
            ""
        };
        file.write_all(format!("{begins}{line}").as_bytes())?;
        file.sync_all()
    }

    /// Anchors of this life of this log, from every file.
    ///
    /// # Errors
    /// When a file is not there or cannot be read, or a line of it cannot: it was changed.
    pub(super) fn anchors(&self) -> Result<Vec<Checkpoint>> {
        let origin = &self.archive.log_verifier().name;
        let life = self.life();
        let mut found = Vec::new();
        for path in &self.settings.anchor_files {
            if !path.exists() {
                return Err(AppError::Io(format!(
                    "{}: there is no such file of anchors: is its disk mounted, may the service \
                     append to it?",
                    path.display()
                )));
            }
            let text = read_text(path, ANCHORS_BYTES_MAX)?;
            for (number, line) in (1..).zip(text.lines()) {
                let anchor = Anchor::read(line).ok_or_else(|| {
                    AppError::Integrity(format!("{}: {}", path.display(), damaged(number)))
                })?;
                if anchor.checkpoint.origin == *origin && anchor.life == life {
                    found.push(anchor.checkpoint);
                }
            }
        }
        Ok(found)
    }

    /// How the anchors stand; nothing where no file is named for them.
    pub(super) fn check_anchors(&self) -> Option<Finding> {
        let now = self.clock.now().compliance;
        let life = self.life();
        let mut files = self.settings.anchor_files.iter();
        let late = files.find(|path| {
            let read = File::open(path).and_then(|mut file| last_line(&mut file));
            let last = read.ok().flatten().and_then(|line| Anchor::read(&line));
            let fresh = last.is_some_and(|last| {
                last.life == life && now.0 < last.at.0.saturating_add(ANCHOR_LATE)
            });
            !fresh
        });
        let count = self.settings.anchor_files.len();
        match late {
            _ if count == 0 => None,
            Some(path) => Some(finding(
                "anchors",
                Standing::Bad,
                format!(
                    "{} has no line of these three days: is it mounted, may the service append to it?",
                    path.display()
                ),
            )),
            None => Some(finding(
                "anchors",
                Standing::Good,
                format!("a line a day in {count} file(s) outside"),
            )),
        }
    }

    /// Which life of the data directory this is.
    fn life(&self) -> String {
        match self.archive.restored() {
            Ok(Some(mark)) => hex(&mark.incarnation[..]),
            _ => "-".to_owned(),
        }
    }
}

/// The last line of a file, without its end; `None` of an empty one.
fn last_line(file: &mut File) -> io::Result<Option<String>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LINE_BYTES_MAX)))?;
    let mut tail = Vec::new();
    file.take(LINE_BYTES_MAX).read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    Ok(tail.lines().next_back().map(str::to_owned))
}

fn ends_whole(file: &mut File) -> io::Result<bool> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(1)))?;
    let mut last = [0];
    Ok(file.read(&mut last)? == 0 || last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn anchor(at: i64, size: u64) -> Anchor {
        Anchor {
            at: Timestamp(at),
            life: "-".to_owned(),
            checkpoint: Checkpoint {
                origin: "example/sto_1".to_owned(),
                size,
                root: [size as u8; 32],
            },
        }
    }

    proptest! {
        #[test]
        fn a3_a_line_reads_back(at in 0..4_000_000_000_000_000i64, size: u64) {
            let anchor = anchor(at, size);
            let line = anchor.to_line().expect("an instant of this age");
            prop_assert_eq!(Anchor::read(line.trim_end()), Some(anchor));
        }
    }

    #[test]
    fn a3_what_is_no_anchor_is_told_by_its_line() {
        let line = anchor(5, 7).to_line().expect("an instant of this age");
        let read = anchors_in(&line.repeat(2)).expect("whole").expect("lines");
        assert_eq!(read, vec![anchor(5, 7).checkpoint.to_text(); 2]);
        assert_eq!(
            anchors_in("example/sto_1\n5\nAAAA\n").expect("another form"),
            None
        );
        let cut = format!("{line}{}", &line[..40]);
        assert!(
            anchors_in(&cut)
                .expect_err("cut")
                .to_string()
                .contains("line 2")
        );
    }
}
