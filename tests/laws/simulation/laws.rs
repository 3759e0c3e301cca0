//! The laws that must hold after every act, each on its own.

use std::collections::{BTreeMap, BTreeSet};

use wordkeep::app::verify_certificate;
use wordkeep::domain::{BatchNo, MessageNo, Scope, Timestamp};
use wordkeep::retention::{Book, Present, survey};
use wordkeep::search::NameIndex;

use crate::act::{Act, own_word};
use crate::engine::{entries, lines_of};
use crate::walk::{Walk, differences};
use crate::world::{DAY, List, Moment, NEVER, Said, Span, Stage, World};

/// One act of so many that change nothing is judged all the same.
const REST: u64 = 4;

/// What a simulation must never break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// Nothing leaves while it is held.
    I1,
    /// Locks never open earlier.
    I2,
    /// What goes was due, by the list that was approved.
    I3,
    /// What is gone has no key, no row, no word in the index.
    I4,
    /// A change has its entry, and an entry its change.
    I5,
    /// Verdicts are those of the oracle.
    I6,
    /// More protection lets nothing more go.
    I7,
    /// What is due, approved and free goes.
    I8,
    /// Imported less disposed of is what is there.
    Conservation,
    /// What is there can be read.
    Readable,
    /// Compliance time is never fast.
    Clock,
    /// Nothing but what the rules refuse is refused.
    Open,
}

/// A broken law with the acts that led to it.
#[derive(Clone, Debug)]
pub struct Violation {
    pub law: Law,
    pub why: String,
    pub told: Vec<String>,
}

/// How often each law had something to say: a law that was never asked was not tested.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub laws: BTreeMap<Law, u64>,
    pub crashes: BTreeMap<&'static str, u64>,
    pub refusals: u64,
    pub clock: u64,
    pub acts: u64,
    pub disposed: u64,
    pub restored: u64,
    pub lost: u64,
    /// Calls that failed, by name and error.
    pub faults: BTreeMap<String, u64>,
    /// Bytes that changed, by the kind of their file: named by somebody, harmless.
    pub rotten: BTreeMap<String, (u64, u64)>,
    pub days: i64,
}

impl Tally {
    pub fn law(&mut self, law: Law) {
        *self.laws.entry(law).or_default() += 1;
    }

    pub fn crash(&mut self, point: &'static str) {
        *self.crashes.entry(point).or_default() += 1;
    }

    pub fn add(&mut self, other: &Tally) {
        for (law, count) in &other.laws {
            *self.laws.entry(*law).or_default() += count;
        }
        for (point, count) in &other.crashes {
            *self.crashes.entry(point).or_default() += count;
        }
        self.refusals += other.refusals;
        self.clock += other.clock;
        self.acts += other.acts;
        self.disposed += other.disposed;
        self.restored += other.restored;
        self.lost += other.lost;
        for (call, count) in &other.faults {
            *self.faults.entry(call.clone()).or_default() += count;
        }
        for (kind, (named, harmless)) in &other.rotten {
            let sum = self.rotten.entry(kind.clone()).or_default();
            sum.0 += named;
            sum.1 += harmless;
        }
        self.days += other.days;
    }
}

impl Act {
    /// Whether it only protects: nothing may become due by it.
    pub fn protects(&self) -> bool {
        match self {
            Act::Place(..) | Act::Freeze => true,
            Act::Policy(version, _) => !version.deletes,
            _ => false,
        }
    }
}

impl Walk {
    /// What the archive says of every live message.
    pub fn verdicts(&self) -> Result<BTreeMap<u64, Said>, crate::laws::Violation> {
        let app = self.site.app();
        let archive = app.archive();
        let rows = archive.store().read().unwrap();
        let names = NameIndex::new(archive.directory().unwrap().into());
        let everything = Scope::everything();
        let scoped = names.within(archive, &everything, None);
        let book = Book::load(archive, &rows, &scoped);
        let book = book.map_err(|error| self.broken(Law::I6, error))?;
        drop(rows);
        let moment = self.moment();
        let present = Present {
            now: wordkeep::domain::Now {
                compliance: Timestamp(moment.now),
                wall: Timestamp(moment.wall),
            },
            trusted: !moment.stopped,
            frozen: None,
        };
        let mut verdicts = BTreeMap::new();
        let looked = survey(archive, &[&book], &present, |looked| {
            let verdict = &looked.verdicts[0];
            let said = Said {
                held: verdict.held_by.is_some(),
                retain_until: verdict.retain_until.0,
                locked_until: verdict.locked_until.0,
                delete_from: verdict.delete_from.0,
                floor: verdict.floor.0,
                eligible: verdict.eligible,
                winner: verdict.winner.map(|policy| (policy.no.0, policy.version)),
            };
            verdicts.insert(looked.row.no.0, said);
            Ok(())
        });
        looked.map_err(|error| self.broken(Law::I6, error))?;
        Ok(verdicts)
    }

    /// What the archive would let go now.
    pub fn due(&self) -> Result<BTreeSet<u64>, Violation> {
        let verdicts = self.verdicts()?;
        let due = verdicts.into_iter().filter(|(_, said)| said.eligible);
        Ok(due.map(|(no, _)| no).collect())
    }
}

/// A walk after an act.
pub struct Judged<'a> {
    pub walk: &'a mut Walk,
    pub act: &'a Act,
    pub before: &'a World,
    pub due_before: Option<BTreeSet<u64>>,
}

impl Judged<'_> {
    pub fn all(mut self) -> Result<(), Violation> {
        self.walk.tally.acts += 1;
        let moment = self.walk.moment();
        self.gone_for_good()?;
        self.entries()?;
        // Where nothing changed and no time passed, verdicts are asked for now and then only.
        let waits = matches!(self.act, Act::Pass(_) | Act::Set(_) | Act::Restart(_));
        let same = lines_of(self.before) == lines_of(&self.walk.world);
        let rests = same && !waits && self.due_before.is_none();
        if rests && !self.walk.tally.acts.is_multiple_of(REST) {
            return Ok(());
        }
        let verdicts = self.walk.verdicts()?;
        self.agreement(&verdicts, &moment)?;
        self.more_protection(&verdicts)?;
        self.certificates(&moment)
    }

    /// I6, and I2 on the way; I1 was asked of every held message that was on a list.
    fn agreement(
        &mut self,
        verdicts: &BTreeMap<u64, Said>,
        moment: &Moment,
    ) -> Result<(), Violation> {
        let walk = &mut *self.walk;
        for no in walk.world.live.keys() {
            let (said, found) = (walk.world.say(*no, moment), verdicts.get(no));
            walk.tally
                .laws
                .entry(Law::I6)
                .and_modify(|count| *count += 1)
                .or_insert(1);
            if found != Some(&said) {
                let why = format!("message {no}: {found:?}, not {said:?} at {moment:?}");
                return Err(walk.broken(Law::I6, why));
            }
            let known = walk.locked.entry(*no).or_insert(said.locked_until);
            if said.locked_until > 0 {
                *walk.tally.laws.entry(Law::I2).or_default() += 1;
            }
            // The end of time is no promise: it is the date of an event that is not known yet.
            if said.locked_until < *known && *known != NEVER {
                let why = format!(
                    "message {no}: locked until {} and now {}",
                    known, said.locked_until
                );
                return Err(walk.broken(Law::I2, why));
            }
            *known = said.locked_until;
        }
        Ok(())
    }

    fn more_protection(&mut self, verdicts: &BTreeMap<u64, Said>) -> Result<(), Violation> {
        let Some(before) = &self.due_before else {
            return Ok(());
        };
        self.walk.tally.law(Law::I7);
        let more = verdicts
            .iter()
            .find(|(no, said)| said.eligible && !before.contains(no));
        match more {
            Some((no, _)) => Err(self
                .walk
                .broken(Law::I7, format!("message {no} is due by it"))),
            None => Ok(()),
        }
    }

    /// I4: no row, no content, no key, no word of what is gone.
    fn gone_for_good(&mut self) -> Result<(), Violation> {
        let asks = matches!(
            self.act,
            Act::Run(..) | Act::Crash | Act::Reopen | Act::Import(_) | Act::Rebuild
        );
        if self.walk.world.gone.is_empty() || !asks {
            return Ok(());
        }
        let walk = &*self.walk;
        let archive = walk.site.app().archive();
        let rows = archive.store().read().unwrap();
        let busy = walk
            .world
            .lists
            .iter()
            .any(|list| list.begun && !list.checked);
        for (no, key) in &walk.world.gone {
            let broken =
                |why: &str| Err(walk.broken(Law::I4, format!("message {no} {key:?}: {why}")));
            let number = MessageNo(*no);
            if rows.message(number).unwrap().is_some() || !rows.contents(*no).unwrap().is_empty() {
                return broken("rows are left");
            }
            if archive.disposed(number).unwrap().is_none() {
                return broken("it does not answer that it was disposed of");
            }
            let again = walk.world.live.values().any(|record| record.key == *key);
            for version in 0..3 {
                let word = own_word(*key, version);
                if !busy && !again && archive.index().word_frequency(&word).unwrap() > 0 {
                    return broken("its words are in the index");
                }
            }
        }
        let keys: BTreeSet<u64> = rows
            .data_keys()
            .unwrap()
            .iter()
            .map(|row| u64::from(row.id.0))
            .collect();
        for no in 1..=walk.world.lists.len() as u64 {
            if rows
                .erase_keys(no)
                .unwrap()
                .iter()
                .any(|key| keys.contains(key))
            {
                return Err(walk.broken(Law::I4, format!("a key of list {no} is left")));
            }
        }
        drop(rows);
        self.walk.tally.law(Law::I4);
        Ok(())
    }

    /// I5: what changed has exactly one entry each.
    fn entries(&mut self) -> Result<(), Violation> {
        let (size, names) = entries(self.walk.site.app(), self.walk.logged);
        self.walk.logged = size;
        let wanted = leaves(self.before, &self.walk.world);
        let mut found: BTreeMap<&str, usize> = wanted.keys().map(|name| (*name, 0)).collect();
        for name in &names {
            if let Some(count) = name
                .strip_suffix(" Done")
                .and_then(|name| found.get_mut(name))
            {
                *count += 1;
            }
        }
        let show = |of: &BTreeMap<&str, usize>| -> BTreeSet<String> {
            of.iter()
                .map(|(name, count)| format!("{count} {name}"))
                .collect()
        };
        let differ = differences(&show(&wanted), &show(&found));
        if !differ.is_empty() {
            return Err(self
                .walk
                .broken(Law::I5, format!("{differ:?} in {names:?}")));
        }
        let batches = names
            .iter()
            .filter(|name| *name == "import.batch Done")
            .count();
        let came = self.walk.world.live.len() > self.before.live.len();
        if batches > 1 || came && batches == 0 {
            return Err(self
                .walk
                .broken(Law::I5, format!("{batches} entries of a batch")));
        }
        let changes: usize = wanted.values().sum();
        *self.walk.tally.laws.entry(Law::I5).or_default() += changes as u64;
        Ok(())
    }

    /// I3 from the certificate; I1 and I8 from what went and what stayed.
    fn certificates(&mut self, moment: &Moment) -> Result<(), Violation> {
        let Act::Run(no, _) = *self.act else {
            return Ok(());
        };
        let (old, new) = (&self.before.lists[no], &self.walk.world.lists[no]);
        let goes = self.walk.world.gone.len() - self.before.gone.len();
        self.walk.tally.disposed += goes as u64;
        if !old.decided && new.decided {
            let items = old.items.keys().filter(|item| !old.off.contains(item));
            for item in items.filter(|item| self.before.live.contains_key(item)) {
                match self.before.held(*item, moment.now) {
                    true => self.walk.tally.law(Law::I1),
                    false => self.walk.tally.law(Law::I8),
                }
            }
        }
        if old.stage == Stage::Done || new.stage != Stage::Done {
            return Ok(());
        }
        let app = self.walk.site.app();
        let batch = BatchNo(no as u64 + 1);
        let broken = |why: &str| Err(self.walk.broken(Law::I3, format!("list {batch}: {why}")));
        let document = app.certificate(&self.walk.site.people[2], batch).unwrap();
        let Ok(certificate) = verify_certificate(&document, app.archive().log_verifier()) else {
            return broken("its certificate does not verify");
        };
        let fates = app
            .archive()
            .store()
            .read()
            .unwrap()
            .erase_items(batch.0)
            .unwrap();
        let erased = fates
            .iter()
            .filter(|item| self.walk.world.gone.contains_key(&item.no.0));
        let own =
            erased.filter(|item| matches!(item.fate, wordkeep::store::EraseFate::Erased { .. }));
        let people: BTreeSet<&str> = certificate
            .approvals
            .iter()
            .map(|one| one.by.as_str())
            .collect();
        let last = certificate
            .approvals
            .iter()
            .map(|one| one.at)
            .max()
            .unwrap_or(NEVER);
        let late = |item: &wordkeep::retention::Item| item.due > moment.now;
        if certificate.items.len() != own.count() || certificate.items.iter().any(late) {
            return broken("its items are not those that went");
        }
        if people.len() < new.needed || people.contains(certificate.batch.requested_by.as_str()) {
            return broken("it was not approved by enough others");
        }
        if last + 7 * DAY > moment.now || last < certificate.batch.computed {
            return broken("nobody could call it back");
        }
        self.walk.tally.law(Law::I3);
        Ok(())
    }
}

/// The entries that a change of the world must have, by name.
fn leaves(before: &World, after: &World) -> BTreeMap<&'static str, usize> {
    let count = |of: fn(&World) -> usize| of(after).saturating_sub(of(before));
    let applied = count(|world| world.spans.len());
    let ended = count(|world| ended(world, |span| span.until != NEVER));
    BTreeMap::from([
        ("hold.place", count(|world| world.holds.len())),
        ("hold.release.request", count(|world| asked(world).0)),
        ("hold.release", count(|world| asked(world).1)),
        ("event.record", count(|world| world.events.len())),
        ("policy.write", count(|world| versions(world, true, false))),
        ("policy.enable", count(|world| versions(world, false, true))),
        (
            "policy.disable",
            count(|world| versions(world, false, false)),
        ),
        ("label.apply", applied),
        ("label.remove", ended.saturating_sub(applied)),
        ("disposition.plan", count(|world| world.lists.len())),
        ("disposition.review", count(reviews)),
        (
            "disposition.cancel",
            count(|world| lists(world, |list| list.stage == Stage::Cancelled)),
        ),
        (
            "erase.intent",
            count(|world| lists(world, |list| list.begun)),
        ),
        (
            "certificate.make",
            count(|world| lists(world, |list| list.stage == Stage::Done)),
        ),
        ("freeze.set", count(|world| world.freezes.len())),
        ("freeze.lift.request", count(|world| lifts(world).0)),
        ("freeze.lift", count(|world| lifts(world).1)),
    ])
}

/// Holds whose release somebody asked for, and those that are released.
fn asked(world: &World) -> (usize, usize) {
    let asked = world.holds.iter().filter(|hold| hold.asked.is_some());
    let released = world.holds.iter().filter(|hold| hold.released.is_some());
    (asked.count(), released.count())
}

fn versions(world: &World, draft: bool, enabled: bool) -> usize {
    let versions = world.versions.iter();
    versions
        .filter(|one| one.draft == draft && one.enabled == enabled)
        .count()
}

fn lists(world: &World, is: fn(&List) -> bool) -> usize {
    world.lists.iter().filter(|list| is(list)).count()
}

fn reviews(world: &World) -> usize {
    let acts = world
        .lists
        .iter()
        .map(|list| list.approvals.len() + list.off.len());
    acts.sum()
}

fn ended(world: &World, is: fn(&Span) -> bool) -> usize {
    world.spans.iter().filter(|span| is(span)).count()
}

/// Freezes that somebody asked to lift, and those that are lifted.
fn lifts(world: &World) -> (usize, usize) {
    let asked = world.freezes.iter().filter(|freeze| freeze.asked.is_some());
    let lifted = world.freezes.iter().filter(|freeze| freeze.lifted);
    (asked.count(), lifted.count())
}
