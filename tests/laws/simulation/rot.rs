//! Bit rot: a byte of a file at rest is another one. Whatever is opened and read afterwards either
//! says so by name or is what it was: a byte may do no harm, and never silent harm.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use wordkeep::app::{VerifyRequest, verify_log};

use crate::act::WORDS;
use crate::chance::Chance;
use crate::deeds;
use crate::disk::{picture, write_at};
use crate::engine::{lines, lines_of, live, patient};
use crate::host::{last_panic, quietly};
use crate::house::files_below;
use crate::laws::{Law, Violation};
use crate::walk::{Walk, differences};

/// Directories of a walk that outlive a process.
const AT_REST: [&str; 3] = ["data", "home", "target"];

/// What became of a byte.
enum Came {
    /// Somebody named it.
    Named(String),
    /// Everything is what it was.
    Harmless,
}

impl Walk {
    /// Closes, or dies; changes a byte; looks at everything; puts the byte back and opens again.
    pub fn rot(&mut self, chance: &mut Chance) -> Result<(), Violation> {
        if self
            .world
            .lists
            .iter()
            .any(|list| list.decided && !list.checked)
        {
            // What opening finishes is finished before.
            self.reopen(true, chance)?;
        }
        let now = self.moment().now;
        deeds::end_imports(&mut self.world, now);
        if chance.once_in(3) {
            // What the log has not published yet can be told from a torn write by nobody.
            let tended = self.site.app().tend();
            tended.map_err(|error| self.broken(Law::Open, error))?;
            self.crashed("", chance);
        } else {
            let closed = self.site.app().close();
            closed.map_err(|error| self.broken(Law::Open, error))?;
            self.site.drop_all();
        }
        let root = self.site.root.clone();
        let kept = root.join("kept");
        let there = AT_REST.iter().filter(|part| root.join(part).is_dir());
        for part in there {
            picture(&root.join(part), &kept.join(part));
        }
        let class = self.change_a_byte(chance);
        let seen = self.look_at_rotten();
        self.site.drop_all();
        for part in AT_REST {
            let _ = std::fs::remove_dir_all(root.join(part));
            if kept.join(part).is_dir() {
                std::fs::rename(kept.join(part), root.join(part)).unwrap();
            }
        }
        let named = match seen? {
            Came::Named(why) => {
                self.told.push(format!("  named: {why}"));
                true
            }
            Came::Harmless => false,
        };
        let (known, harmless) = self.tally.rotten.entry(class).or_default();
        *(if named { known } else { harmless }) += 1;
        self.site.open().map_err(|why| self.broken(Law::Open, why))
    }

    /// Changes one byte of one file. Every kind of file is as likely as every other.
    fn change_a_byte(&mut self, chance: &mut Chance) -> String {
        let root = &self.site.root;
        let mut kinds: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
        for part in AT_REST {
            for path in files_below(&root.join(part)) {
                if std::fs::metadata(&path).unwrap().len() > 0 {
                    kinds.entry(kind_of(root, &path)).or_default().push(path);
                }
            }
        }
        let kinds: Vec<(String, Vec<PathBuf>)> = kinds.into_iter().collect();
        let (kind, files) = chance.one(&kinds);
        let path = chance.one(files);
        let bytes = std::fs::read(path).unwrap();
        let at = chance.below(bytes.len());
        let byte = bytes[at] ^ (1 + chance.below(255) as u8);
        write_at(path, at as u64, &[byte]);
        let path = path.strip_prefix(root).unwrap().display();
        let (length, was) = (bytes.len(), bytes[at]);
        self.told.push(format!(
            "  byte {at} of {length} of {path}: {was} became {byte}"
        ));
        kind.clone()
    }

    fn look_at_rotten(&mut self) -> Result<Came, Violation> {
        let offline = self.verified_offline();
        let site = &mut self.site;
        match catch_unwind(AssertUnwindSafe(|| site.open())) {
            Ok(Ok(())) => {}
            Ok(Err(why)) => return Ok(Came::Named(format!("opening: {why}"))),
            Err(_) => return Err(self.broken(Law::Readable, last_panic())),
        }
        let noticed = self.site.app().notices().first().cloned().or(offline);
        let asked = quietly(|| catch_unwind(AssertUnwindSafe(|| self.all_is_as_it_was())));
        let differ = match asked {
            Ok(Ok(differ)) => differ,
            Ok(Err(why)) => return Ok(Came::Named(why)),
            // What the questions of this test unwrap is an error that the product named.
            Err(_) if last_panic().starts_with("tests/") => return Ok(Came::Named(last_panic())),
            Err(_) => return Err(self.broken(Law::Readable, last_panic())),
        };
        let verified = catch_unwind(AssertUnwindSafe(|| self.verified()));
        let verified = verified.map_err(|_| self.broken(Law::Readable, last_panic()))?;
        match (verified, differ) {
            (Some(why), _) => Ok(Came::Named(format!("verify: {why}"))),
            (None, None) => match noticed {
                Some(notice) => Ok(Came::Named(notice)),
                None => self.backups_are_as_they_were(),
            },
            (None, Some(differ)) => Err(self.broken(
                Law::Readable,
                format!("a byte changed and nobody says so: {differ}"),
            )),
        }
    }

    /// What differs, if anything; or the error that somebody named.
    fn all_is_as_it_was(&self) -> Result<Option<String>, String> {
        let app = self.site.app();
        let mut known = self.known.clone();
        let there = live(app, &mut known)?;
        let wanted = lines_of(&self.world);
        let differ = differences(&wanted, &lines(app, &there, &known));
        if !differ.is_empty() {
            return Ok(Some(format!("{differ:?}")));
        }
        for word in WORDS {
            let request = patient(word);
            let answer = app.search(&self.site.people[1], &request);
            let found = answer.map_err(|error| error.to_string())?.answer.total;
            let records = self.world.live.values();
            let has = records.filter(|record| crate::world::World::has(record, word));
            let wanted = has.count() as u64;
            if found != wanted {
                return Ok(Some(format!("{found} hits for {word}, not {wanted}")));
            }
        }
        let moment = self.moment();
        let verdicts = self.verdicts().map_err(|violation| violation.why)?;
        for no in self.world.live.keys() {
            let (found, wanted) = (verdicts.get(no), self.world.say(*no, &moment));
            if found != Some(&wanted) {
                return Ok(Some(format!("message {no}: {found:?}, not {wanted:?}")));
            }
        }
        Ok(None)
    }

    /// What `verify` says of the log without any key.
    fn verified_offline(&self) -> Option<String> {
        let settings = self.site.place().settings();
        match verify_log(&settings.data, &settings.pins(), &VerifyRequest::default()) {
            Err(error) => Some(error.to_string()),
            Ok(report) if report.exit_code() >= 6 => Some(report.to_json()),
            Ok(_) => None,
        }
    }

    /// What `verify` says against it.
    fn verified(&self) -> Option<String> {
        let app = self.site.app();
        let request = VerifyRequest::default();
        match app.verify(&self.site.people[2], &request, &mut |_, _, _| ()) {
            Err(error) => Some(error.to_string()),
            Ok(report) if report.exit_code() >= 6 => Some(report.to_json()),
            Ok(_) => None,
        }
    }

    fn backups_are_as_they_were(&mut self) -> Result<Came, Violation> {
        for no in 0..self.world.backups.len() {
            match self.restore(no) {
                Err(violation) if matches!(violation.law, Law::Readable | Law::Open) => {
                    return Ok(Came::Named(violation.why));
                }
                restored => restored?,
            }
        }
        Ok(Came::Harmless)
    }
}

/// The kind of a file: where it lies, and how its name ends when its names are numbers.
fn kind_of(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Vec<String> = below
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let numbered = |part: &String| part.bytes().any(|byte| byte.is_ascii_digit());
    let kept: Vec<&str> = parts
        .iter()
        .map(|part| match numbered(part) {
            true => part.rsplit_once('.').map_or("*", |(_, end)| end),
            false => part.as_str(),
        })
        .collect();
    kept.join("/")
}
