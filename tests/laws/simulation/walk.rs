//! One simulation: acts one after the other, each compared with what the oracle says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use wordkeep::app::VerifyRequest;
use wordkeep::crypto::RecoveryKey;
use wordkeep::domain::FreezeReason;
use wordkeep::retention::clock::Quality;
use wordkeep::store::EraseState;

use crate::act::{self, Act};
use crate::chance::Chance;
use crate::deeds::{self, Expected};
use crate::disk;
use crate::engine::{Deed, Known, Live, entries, lines, lines_of, live, number};
use crate::faults::Fault;
use crate::host::{Site, last_panic};
use crate::house::copy_tree;
use crate::laws::{Judged, Law, Tally, Violation};
use crate::world::{DAY, Freeze, Moment, World};

/// Opening is tried so often after a crash, each time but the last with a fuse of its own.
const OPENINGS: usize = 3;

/// One simulation under way.
pub struct Walk {
    pub site: Site,
    pub world: World,
    pub known: Known,
    pub tally: Tally,
    pub recovery: Option<Arc<RecoveryKey>>,
    /// Latest lock of every message so far.
    pub locked: BTreeMap<u64, i64>,
    /// Entries of the log that were looked at.
    pub logged: u64,
    /// A clock was set or the computer was off: the archive may stop destruction by itself.
    pub doubtful: bool,
    /// Calls failed in a process that lives on since.
    pub lives_on: bool,
    pub told: Vec<String>,
    /// Every message as it was opened last.
    live: Live,
}

/// What befalls an act.
#[derive(Clone, Copy, Debug)]
pub enum Harm {
    /// The process dies at the n-th point.
    Dies(i64),
    /// A call that changes a file fails.
    Fails(Fault),
}

/// A walk to begin others with: a directory and everything that is known of it.
pub struct Template {
    pub walk: Walk,
}

impl Template {
    /// A walk of its own from here on, below `root`.
    pub fn fork(&self, root: &Path) -> Walk {
        let from = &self.walk;
        copy_tree(&from.site.root, root);
        let site = Site::closed(root, from.site.hands.copied(), from.site.people.clone());
        let mut walk = Walk {
            site,
            world: from.world.clone(),
            known: from.known.clone(),
            tally: Tally::default(),
            recovery: from.recovery.clone(),
            locked: from.locked.clone(),
            logged: from.logged,
            doubtful: from.doubtful,
            lives_on: from.lives_on,
            told: Vec::new(),
            live: Live::new(),
        };
        walk.site.open().unwrap();
        walk
    }
}

impl Walk {
    /// A new archive that knows a matter, labels and a recovery key.
    pub fn begin(root: &Path) -> Walk {
        let site = Site::create(root);
        let app = site.app();
        let (matter, _) = app.open_matter(&site.people[1], "Nordwind", "").unwrap();
        let known = Known {
            matter: Some(matter),
            ..Known::default()
        };
        for label in act::LABELS {
            app.create_label(&site.people[1], label).unwrap();
        }
        let (recovery, _) = app.create_recovery_key(&site.people[0]).unwrap();
        app.test_recovery_key(&site.people[0], &recovery).unwrap();
        let (logged, _) = entries(app, 0);
        Walk {
            site,
            world: World::default(),
            known,
            tally: Tally::default(),
            recovery: Some(Arc::new(recovery)),
            locked: BTreeMap::new(),
            logged,
            doubtful: false,
            lives_on: false,
            told: Vec::new(),
            live: Live::new(),
        }
    }

    /// The moment as the archive sees it.
    pub fn moment(&self) -> Moment {
        let app = self.site.app();
        let now = app.now();
        let frozen = app
            .archive()
            .store()
            .read()
            .unwrap()
            .standing_freeze()
            .unwrap();
        Moment {
            now: now.compliance.0,
            wall: now.wall.0,
            stopped: frozen.is_some() || app.clock_quality() == Quality::Gap,
        }
    }

    /// Some acts by chance, then everything that was approved is carried out, then everything is
    /// verified.
    pub fn wander(&mut self, chance: &mut Chance, acts: usize) -> Result<(), Violation> {
        if chance.once_in(4) {
            self.step(&Act::Backup, None, chance)?;
        }
        for _ in 0..acts {
            let now = self.moment().now;
            let act = act::next(&self.world, chance, now);
            let (times, points) = act.points();
            let harm = match chance.once_in(times) {
                true => Some(Harm::Dies(1 + chance.below(points) as i64)),
                false if chance.once_in(2 * times) => Some(Harm::Fails(Fault::of(&act, chance))),
                false => None,
            };
            self.step(&act, harm, chance)?;
        }
        self.carry_out(chance)?;
        if chance.once_in(4) {
            self.step(&Act::Rot, None, chance)?;
        }
        if !self.world.backups.is_empty() && chance.once_in(3) {
            self.step(&Act::Restore(0), None, chance)?;
        }
        self.verify()
    }

    /// One act, with a fuse that blows at a point of it, or without.
    pub fn step(
        &mut self,
        act: &Act,
        harm: Option<Harm>,
        chance: &mut Chance,
    ) -> Result<(), Violation> {
        // Something always passes between two acts.
        self.site.hands.pass(1_000_000);
        self.told.push(format!("{act:?} {harm:?}"));
        match act {
            Act::Pass(days) => self.pass(*days)?,
            Act::Set(micros) => self.set_clock(*micros, chance)?,
            Act::Reopen | Act::Crash => self.reopen(matches!(act, Act::Reopen), chance)?,
            Act::Restart(micros) => {
                self.site
                    .app()
                    .close()
                    .map_err(|error| self.broken(Law::Open, error))?;
                self.site.drop_all();
                self.site.hands.restart(*micros);
                self.doubtful = true;
                self.open_again(chance)?;
            }
            Act::Rot => self.rot(chance)?,
            Act::Restore(no) => return self.restore(*no),
            _ => return self.deed(act, harm, chance),
        }
        let before = self.world.clone();
        self.look(act, &before, None)
    }

    fn pass(&mut self, days: i64) -> Result<(), Violation> {
        let before = self.moment();
        self.site.hands.pass(days * DAY);
        let after = self.moment();
        self.tally.clock += 1;
        match after.now - before.now <= days * DAY && after.now >= before.now {
            true => Ok(()),
            false => Err(self.broken(Law::Clock, "compliance time was fast")),
        }
    }

    fn set_clock(&mut self, micros: i64, chance: &mut Chance) -> Result<(), Violation> {
        let before = self.moment();
        self.site.hands.set(micros);
        self.doubtful = true;
        let after = self.moment();
        self.tally.clock += 1;
        if after.now != before.now {
            return Err(self.broken(
                Law::Clock,
                "compliance time followed a wall clock that was set",
            ));
        }
        self.reopen(true, chance)?;
        match self.moment().stopped || micros.abs() < DAY / 1_440 {
            true => Ok(()),
            false => Err(self.broken(Law::Clock, "a clock was set and destruction goes on")),
        }
    }

    pub fn reopen(&mut self, in_order: bool, chance: &mut Chance) -> Result<(), Violation> {
        if in_order {
            self.site
                .app()
                .close()
                .map_err(|error| self.broken(Law::Open, error))?;
        }
        match in_order {
            true => self.site.drop_all(),
            false => self.crashed("", chance),
        }
        self.open_again(chance)
    }

    /// The files stay as they stand at this moment: what is let go of in order afterwards writes
    /// into a copy that nobody looks at. Sometimes the power goes too.
    pub fn crashed(&mut self, point: &str, chance: &mut Chance) {
        let (data, image) = (self.site.place().data(), self.site.root.join("image"));
        disk::picture(&data, &image);
        self.site.drop_all();
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::rename(&image, &data).unwrap();
        if chance.once_in(2) {
            self.tally.lost += disk::lose(&data, point, chance);
        }
    }

    /// Opens, and sometimes dies in doing so, and opens again.
    fn open_again(&mut self, chance: &mut Chance) -> Result<(), Violation> {
        for try_no in 1..=OPENINGS {
            let mut fault = None;
            if try_no < OPENINGS && chance.once_in(4) {
                self.site.fuse.light(1 + chance.below(12) as i64);
            } else if try_no < OPENINGS && chance.once_in(4) {
                fault = Some(Fault::of_opening(chance));
            }
            let site = &mut self.site;
            fault.iter().for_each(|fault| fault.arm(&site.root));
            let opened = catch_unwind(AssertUnwindSafe(|| site.open()));
            let struck = fault.and_then(|fault| fault.disarm(&self.site.root));
            match (opened, self.site.fuse.put_out()) {
                (Ok(Ok(())), _) => {
                    self.lives_on = false;
                    let now = self.moment().now;
                    deeds::end_imports(&mut self.world, now);
                    self.world = self.finished(self.world.clone());
                    return Ok(());
                }
                (Ok(Err(why)), None) if struck.is_some() => {
                    self.struck(struck.as_deref(), &Err(why));
                }
                (_, Some(point)) => {
                    self.tally.crash(point);
                    self.told.push(format!("  died at {point} while opening"));
                    self.crashed(point, chance);
                }
                (Ok(Err(why)), None) => return Err(self.broken(Law::Open, why)),
                (Err(_), None) => {
                    let why = format!("{}; {struck:?}", last_panic());
                    return Err(self.broken(Law::Open, why));
                }
            }
        }
        Ok(())
    }

    fn deed(
        &mut self,
        act: &Act,
        harm: Option<Harm>,
        chance: &mut Chance,
    ) -> Result<(), Violation> {
        let moment = self.moment();
        let before = self.world.clone();
        let mut expected = deeds::expected(&before, act, &moment);
        if let Act::Backup = act {
            expected.stages.push(deeds::backup(&before));
        }
        let due_before = act.protects().then(|| self.due()).transpose()?;
        match &harm {
            Some(Harm::Dies(nth)) => self.site.fuse.light(*nth),
            Some(Harm::Fails(fault)) => fault.arm(&self.site.root),
            None => {}
        }
        let deed = Deed {
            site: &self.site,
            known: &self.known,
        };
        let done = catch_unwind(AssertUnwindSafe(|| deed.perform(act)));
        let blown = self.site.fuse.put_out();
        let struck = match &harm {
            Some(Harm::Fails(fault)) => fault.disarm(&self.site.root),
            _ => None,
        };
        match (done, blown) {
            (_, Some(point)) => {
                self.tally.crash(point);
                self.told.push(format!("  died at {point}"));
                self.crashed(point, chance);
                self.open_again(chance)?;
                let stages = self.reopened(&before, expected);
                self.settle_on(stages)?;
            }
            (Ok(outcome), None) if struck.is_some() => {
                self.struck(struck.as_deref(), &outcome.clone().map(drop));
                self.failed(act, &before, expected, outcome, chance)?;
            }
            (Ok(outcome), None) => self.settle(act, &before, expected, outcome)?,
            (Err(_), None) => {
                let why = format!("{}; {struck:?}", last_panic());
                return Err(self.broken(Law::Open, why));
            }
        }
        self.look(act, &before, due_before)
    }

    fn struck(&mut self, call: Option<&str>, outcome: &Result<(), String>) {
        let call = call.unwrap_or_default();
        self.told.push(format!("  {call}; {outcome:?}"));
        let kind = call
            .rsplit(": ")
            .next()
            .and_then(|name| name.split(' ').next());
        let errno = call.split(' ').next().unwrap_or_default();
        let kind = format!("{errno} {}", kind.unwrap_or_default());
        *self.tally.faults.entry(kind).or_default() += 1;
    }

    /// After an act in which calls failed: it is done, or it said what failed and stands at one of
    /// its stages. The process lives on, or is started again.
    fn failed(
        &mut self,
        act: &Act,
        before: &World,
        expected: Expected,
        outcome: Result<[u64; 4], String>,
        chance: &mut Chance,
    ) -> Result<(), Violation> {
        let again = chance.once_in(2);
        self.lives_on = true;
        if again {
            self.site.drop_all();
            self.open_again(chance)?;
        }
        match (&outcome, act) {
            (Ok(_), _) => self.settle(act, before, expected, outcome),
            (Err(_), _) if again => {
                let stages = self.reopened(before, expected);
                self.settle_on(stages)
            }
            (Err(_), Act::Import(_)) => {
                self.settle_on(deeds::endless(before, &expected, self.moment().now))
            }
            (Err(_), _) => {
                let mut stages = expected.stages;
                stages.insert(0, before.clone());
                self.settle_on(stages)
            }
        }
    }

    /// Whether a run may refuse what is due: a clock that was set waits to be written down, or a failed
    /// repair left a part of the index closed, in which something destroyed could be found. Either must
    /// be true, and must end: the clock stands frozen once it is written down, and the repair succeeds.
    fn waits(&self, act: &Act, why: &str) -> Result<bool, Violation> {
        if !matches!(act, Act::Run(..)) {
            return Ok(false);
        }
        if why.contains("the clock is in doubt") {
            return self.is_in_doubt();
        }
        if self.lives_on && why.contains("repair the index") {
            let deed = Deed {
                site: &self.site,
                known: &self.known,
            };
            return match deed.perform(&Act::Rebuild) {
                Ok(_) => Ok(true),
                Err(error) => {
                    let why = format!("the index cannot be repaired: {error}");
                    Err(self.broken(Law::Open, why))
                }
            };
        }
        Ok(false)
    }

    fn is_in_doubt(&self) -> Result<bool, Violation> {
        let app = self.site.app();
        let kept = app.keep_clock().map_err(|error| error.to_string());
        kept.map_err(|why| self.broken(Law::Open, why))?;
        let freezes = app.archive().store().read().unwrap().freezes().unwrap();
        let stands = freezes
            .iter()
            .any(|freeze| freeze.reason == FreezeReason::ClockDoubt && freeze.lifted.is_none());
        // A freeze that two people lifted does not make up for time nobody has evidence of.
        let gap = app.clock_quality() == Quality::Gap;
        Ok(self.doubtful && (stands || gap))
    }

    /// After a whole act: the last stage, and the answer that goes with it.
    fn settle(
        &mut self,
        act: &Act,
        before: &World,
        expected: Expected,
        outcome: Result<[u64; 4], String>,
    ) -> Result<(), Violation> {
        if let (Err(why), false) = (&outcome, expected.refused)
            && self.waits(act, why)?
        {
            self.tally.refusals += 1;
            let mut stages = expected.stages;
            stages.insert(0, before.clone());
            return self.settle_on(stages);
        }
        self.world = expected
            .stages
            .last()
            .cloned()
            .unwrap_or_else(|| before.clone());
        match (&outcome, expected.refused) {
            (Ok(counts), false) => {
                if let Act::Import(_) = act
                    && *counts != expected.counts
                {
                    let why = format!("counted {counts:?}, not {:?}", expected.counts);
                    return Err(self.broken(Law::Conservation, why));
                }
                if let Act::Search(word) = act {
                    let has = |record: &&crate::world::Record| World::has(record, word);
                    let there = before.live.values().filter(has).count() as u64;
                    // What a failing disk kept from the index is owned up to, and is only missing.
                    let owned_up = counts[1] == 0 && counts[0] < there;
                    if counts[0] != there && !owned_up {
                        let why = format!("{} hits for {word}, not {there}", counts[0]);
                        return Err(self.broken(Law::I4, why));
                    }
                }
                Ok(())
            }
            (Err(_), true) => {
                self.tally.refusals += 1;
                Ok(())
            }
            (Err(why), false) => {
                let law = if let Act::Run(..) = act {
                    Law::I8
                } else {
                    Law::Open
                };
                Err(self.broken(law, format!("refused: {why}")))
            }
            (Ok(_), true) => Err(self.broken(Law::Open, "it was not refused")),
        }
    }

    /// The stages an act may have come to in an archive that was opened since.
    fn reopened(&self, before: &World, expected: Expected) -> Vec<World> {
        let now = self.moment().now;
        let mut stages = expected.stages;
        stages.insert(0, before.clone());
        for stage in &mut stages {
            deeds::end_imports(stage, now);
        }
        stages
            .into_iter()
            .map(|stage| self.finished(stage))
            .collect()
    }

    /// Opening finishes a purge that said that everything is decided. One that was cut off between
    /// the last decision and that word waits to be run again.
    fn finished(&self, mut world: World) -> World {
        let rows = self.site.app().archive().store().read().unwrap();
        let mut is_new = false;
        for (no, list) in world.lists.iter_mut().enumerate() {
            let batch = rows.erase_batch(no as u64 + 1).unwrap();
            let checked = batch.is_some_and(|row| row.state >= EraseState::Checked);
            is_new |= list.decided && !list.checked && checked;
            list.checked |= list.decided && checked;
        }
        if is_new {
            deeds::forget_who_was_seen(&mut world);
        }
        world
    }

    /// After a crash: whichever stage the archive stands in, and no other.
    fn settle_on(&mut self, stages: Vec<World>) -> Result<(), Violation> {
        let live = self.seen()?;
        let mut nearest: Option<(usize, World, Vec<String>)> = None;
        for mut stage in stages.into_iter().rev() {
            self.adopt_doubts(&mut stage)?;
            number(&mut stage, &live, &mut self.known);
            let found = lines(self.site.app(), &live, &self.known);
            let differ = differences(&lines_of(&stage), &found);
            if nearest
                .as_ref()
                .is_none_or(|(least, _, _)| differ.len() < *least)
            {
                nearest = Some((differ.len(), stage, differ));
            }
        }
        let (_, stage, differ) = nearest.unwrap();
        self.world = stage;
        self.live = live;
        match differ.is_empty() {
            true => Ok(()),
            false => Err(self.broken(self.law_of(&differ), format!("half done: {differ:?}"))),
        }
    }

    fn seen(&mut self) -> Result<Live, Violation> {
        live(self.site.app(), &mut self.known).map_err(|why| self.broken(Law::Readable, why))
    }

    /// The archive may stop destruction by itself when a clock is in doubt, and for nothing else.
    fn adopt_doubts(&self, world: &mut World) -> Result<(), Violation> {
        let rows = self
            .site
            .app()
            .archive()
            .store()
            .read()
            .unwrap()
            .freezes()
            .unwrap();
        for row in rows.iter().skip(world.freezes.len()) {
            if row.reason == FreezeReason::ClockDoubt && self.doubtful {
                world.freezes.push(Freeze {
                    no: row.no.0,
                    asked: None,
                    lifted: false,
                });
            }
        }
        Ok(())
    }

    /// Everything that must hold after every act.
    fn look(
        &mut self,
        act: &Act,
        before: &World,
        due_before: Option<BTreeSet<u64>>,
    ) -> Result<(), Violation> {
        if act.touches_messages() || self.live.is_empty() {
            self.live = self.seen()?;
        }
        let mut world = std::mem::take(&mut self.world);
        self.adopt_doubts(&mut world)?;
        number(&mut world, &self.live, &mut self.known);
        self.world = world;
        let found = lines(self.site.app(), &self.live, &self.known);
        let differ = differences(&lines_of(&self.world), &found);
        if !differ.is_empty() {
            return Err(self.broken(self.law_of(&differ), format!("{differ:?}")));
        }
        Judged {
            walk: self,
            act,
            before,
            due_before,
        }
        .all()
    }

    /// Which law a difference breaks: `+` the archive has it and should not, `-` the other way.
    fn law_of(&self, differ: &[String]) -> Law {
        let now = self.moment().now;
        for line in differ {
            if let Some(no) = line
                .strip_prefix("+gone ")
                .and_then(|no| no.parse::<u64>().ok())
            {
                let held = self.world.live.contains_key(&no) && self.world.held(no, now);
                return if held { Law::I1 } else { Law::I3 };
            }
            if line.starts_with("-gone") {
                return Law::I8;
            }
            if line.starts_with("-live") || line.starts_with("+live") {
                return Law::Conservation;
            }
        }
        Law::I5
    }

    /// Whatever is approved and not stopped must go within a day of the end of its window.
    fn carry_out(&mut self, chance: &mut Chance) -> Result<(), Violation> {
        for no in 0..self.world.lists.len() {
            let list = &self.world.lists[no];
            let waits =
                list.stage == crate::world::Stage::Approved && list.items.len() > list.off.len();
            if waits && !self.moment().stopped {
                self.step(&Act::Pass(8), None, chance)?;
                self.step(&Act::Run(no, 2), None, chance)?;
            }
        }
        Ok(())
    }

    /// The archive, the log and the books agree, to the record.
    pub fn verify(&mut self) -> Result<(), Violation> {
        let request = VerifyRequest::default();
        let report = self
            .site
            .app()
            .verify(&self.site.people[2], &request, &mut |_, _, _| ());
        let report = report.map_err(|error| self.broken(Law::Conservation, error))?;
        let record = report.record.as_ref().unwrap();
        let there = self.world.live.len() as u64;
        self.tally.law(Law::Conservation);
        if report.exit_code() >= 6 || record.live != there || record.logged != there {
            return Err(self.broken(Law::Conservation, report.to_json()));
        }
        Ok(())
    }

    pub fn broken(&self, law: Law, why: impl ToString) -> Violation {
        Violation {
            law,
            why: why.to_string(),
            told: self.told.clone(),
        }
    }
}

/// What one of them has and the other has not.
pub fn differences(wanted: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<String> {
    let missing = wanted.difference(found).map(|line| format!("-{line}"));
    let extra = found.difference(wanted).map(|line| format!("+{line}"));
    missing.chain(extra).collect()
}
