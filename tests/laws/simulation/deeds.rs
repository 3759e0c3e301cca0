//! What an act does to the world, by the rules of the trust page: every stage a crash may leave it
//! in, and whether it is refused.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::{Act, Review, Row};
use crate::world::{
    ALWAYS, Backup, DAY, Freeze, Hold, List, Moment, NEVER, On, Record, Span, Stage, Target,
    Version, World,
};

/// Numbers of messages that the archive has not numbered yet begin here.
pub const UNNUMBERED: u64 = 1 << 60;

/// What is to come of an act.
pub struct Expected {
    /// The worlds it goes through, the last being the end. None: it changes nothing.
    pub stages: Vec<World>,
    pub refused: bool,
    /// What an import counts: new, known, revised, disposed of before.
    pub counts: [u64; 4],
}

fn done(stages: Vec<World>) -> Expected {
    Expected {
        stages,
        refused: false,
        counts: [0; 4],
    }
}

fn refused(stages: Vec<World>) -> Expected {
    Expected {
        refused: true,
        ..done(stages)
    }
}

/// One change, or a refusal without any.
fn changed(before: &World, change: impl FnOnce(&mut World) -> bool) -> Expected {
    let mut after = before.clone();
    match change(&mut after) {
        true => done(vec![after]),
        false => refused(Vec::new()),
    }
}

pub fn expected(world: &World, act: &Act, moment: &Moment) -> Expected {
    let now = moment.now;
    match act {
        Act::Import(rows) => import(world, rows, now),
        Act::Place(target, around) => changed(world, |after| place(after, target, *around, now)),
        Act::Release(no, who) => changed(world, |after| release(&mut after.holds[*no], *who, now)),
        Act::Label(label, on) => changed(world, |after| {
            let there = exists(after, *on);
            if there {
                end_span(after, *on, now);
                let (label, on) = (*label, *on);
                after.spans.push(Span {
                    label,
                    on,
                    from: now,
                    until: NEVER,
                });
            }
            there
        }),
        Act::Unlabel(on) => changed(world, |after| {
            exists(after, *on) && end_span(after, *on, now)
        }),
        Act::Happen(event) => changed(world, |after| {
            after.events.push(*event);
            true
        }),
        Act::Policy(version, who) => policy(world, version, *who, now),
        Act::End(no, who) => end(world, *no, *who, now),
        Act::Plan(who) => changed(world, |after| plan(after, *who, moment)),
        Act::Review(no, who, review) => {
            changed(world, |after| reviewed(after, *no, *who, *review, now))
        }
        Act::Run(no, _) => run(world, *no, moment),
        Act::Freeze => changed(world, |after| {
            let no = after.freezes.len() as u32 + 1;
            after.freezes.push(Freeze {
                no,
                asked: None,
                lifted: false,
            });
            true
        }),
        Act::Lift(no, who) => changed(world, |after| lift(&mut after.freezes[*no], *who)),
        _ => done(Vec::new()),
    }
}

/// What is left of imports that could not end: they end when the next one begins, or the archive
/// is opened.
pub fn end_imports(world: &mut World, now: i64) {
    world.running = 0;
    for record in world.live.values_mut() {
        record.ingested = record.ingested.min(now);
    }
}

/// Who was seen in a chat is forgotten with its last message.
pub fn forget_who_was_seen(world: &mut World) {
    let full: BTreeSet<u8> = world.live.values().map(|record| record.key.0).collect();
    world.members.retain(|(chat, _)| full.contains(chat));
}

/// The stages of an import that may not have been able to write down its end.
pub fn endless(before: &World, expected: &Expected, now: i64) -> Vec<World> {
    let mut stages = expected.stages.clone();
    let mut ended = before.clone();
    end_imports(&mut ended, now);
    for whole in [&ended].into_iter().chain(&expected.stages) {
        let mut endless = whole.clone();
        endless.running = 1;
        for (no, record) in &mut endless.live {
            if !before.live.contains_key(no) {
                record.ingested = NEVER;
            }
        }
        stages.push(endless);
    }
    stages.extend([ended, before.clone()]);
    stages
}

fn import(before: &World, rows: &[Row], now: i64) -> Expected {
    let mut after = before.clone();
    // Nobody hands in nothing.
    if rows.is_empty() {
        return done(vec![after]);
    }
    end_imports(&mut after, now);
    let mut counts = [0; 4];
    for row in rows {
        let known = after.live.values_mut().find(|record| record.key == row.key);
        if let Some(record) = known {
            match record.versions.last() == Some(&row.body) {
                true => counts[1] += 1,
                false => {
                    counts[2] += 1;
                    record.versions.push(row.body.clone());
                }
            }
            continue;
        }
        let record = Record {
            key: row.key,
            sender: row.sender,
            sent: row.sent,
            versions: vec![row.body.clone()],
            ingested: now,
            extended: ALWAYS,
            locked: ALWAYS,
        };
        let was = before.gone.values().any(|key| *key == row.key);
        if was && !before.wants(&record, now) {
            counts[3] += 1;
            continue;
        }
        counts[0] += 1;
        after.members.insert((row.key.0, row.sender));
        after.chats.insert(row.key.0);
        after.live.insert(UNNUMBERED + counts[0], record);
    }
    Expected {
        counts,
        ..done(vec![after])
    }
}

fn place(after: &mut World, target: &Target, around: usize, now: i64) -> bool {
    after.holds.push(Hold {
        target: target.clone(),
        from: now,
        asked: None,
        released: None,
        grace: 30,
        around,
    });
    match target {
        Target::Ids(ids) => ids.iter().all(|no| after.live.contains_key(no)),
        Target::Chat(chat) => after.chats.contains(chat),
        Target::Person(who) => after.live.values().any(|record| record.sender == *who),
        Target::Word(_) => true,
    }
}

fn release(hold: &mut Hold, who: u8, now: i64) -> bool {
    if hold.released.is_some() || hold.asked == Some(who) {
        return false;
    }
    match hold.asked {
        None => hold.asked = Some(who),
        Some(_) => hold.released = Some(now),
    }
    true
}

fn exists(world: &World, on: On) -> bool {
    match on {
        On::Message(no) => world.live.contains_key(&no),
        On::Chat(chat) => world.chats.contains(&chat),
    }
}

fn end_span(after: &mut World, on: On, now: i64) -> bool {
    let mut open = after
        .spans
        .iter_mut()
        .filter(|span| span.on == on && span.until == NEVER);
    open.next().map(|span| span.until = now).is_some()
}

/// The version of a policy in force.
fn in_force(world: &World, policy: u32, now: i64) -> Option<&Version> {
    let known = world
        .versions
        .iter()
        .filter(|version| version.policy == policy);
    let counting = known.filter(|version| !version.draft && version.from <= now);
    let newest = counting.max_by_key(|version| version.version)?;
    newest.enabled.then_some(newest)
}

fn next_version(world: &World, policy: u32) -> u32 {
    world
        .versions
        .iter()
        .filter(|version| version.policy == policy)
        .count() as u32
        + 1
}

/// When a change counts: at once, a week later, or never. `weaker` than the version before it.
fn counts_from(before: Option<&Version>, weaker: bool, is_author: bool, now: i64) -> Option<i64> {
    match before {
        Some(before) if weaker => {
            let locked = before.lock.is_some_and(|until| now < until);
            (!locked && !is_author).then_some(now + 7 * DAY)
        }
        _ => Some(now),
    }
}

fn policy(world: &World, version: &Version, who: u8, now: i64) -> Expected {
    let no = version.policy;
    let mut drafted = world.clone();
    let draft = Version {
        version: next_version(world, no),
        draft: true,
        enabled: false,
        from: now,
        ..version.clone()
    };
    drafted.versions.push(draft.clone());
    let before = in_force(world, no, now);
    let weaker = before.is_some_and(|before| draft.days < before.days);
    let Some(from) = counts_from(before, weaker, draft.author == who, now) else {
        return refused(vec![drafted]);
    };
    let mut enabled = drafted.clone();
    enabled.versions.push(Version {
        version: draft.version + 1,
        draft: false,
        enabled: true,
        from,
        ..draft
    });
    done(vec![drafted, enabled])
}

fn end(world: &World, no: u32, who: u8, now: i64) -> Expected {
    changed(world, |after| {
        let Some(before) = in_force(world, no, now) else {
            return false;
        };
        let harmless = !before.retains && before.level == 1;
        let is_author = before.author == who;
        let Some(from) = counts_from(Some(before), !harmless, is_author, now) else {
            return false;
        };
        after.versions.push(Version {
            version: next_version(world, no),
            enabled: false,
            draft: false,
            from,
            ..before.clone()
        });
        true
    })
}

/// Everything that is due, with the number of versions it has and the policy behind it.
pub fn due(world: &World, moment: &Moment) -> BTreeMap<u64, (usize, (u32, u32))> {
    let mut due = BTreeMap::new();
    for (no, record) in &world.live {
        let said = world.say(*no, moment);
        if let Some(policy) = said.winner.filter(|_| said.eligible) {
            due.insert(*no, (record.versions.len(), policy));
        }
    }
    due
}

fn plan(after: &mut World, asked: u8, moment: &Moment) -> bool {
    let items = due(after, moment);
    let many = items.len() * 100 > after.live.len();
    let is_due = !items.is_empty();
    after.lists.push(List {
        items,
        off: BTreeSet::new(),
        approvals: Vec::new(),
        needed: 1 + usize::from(many),
        stage: Stage::Review,
        asked,
        begun: false,
        decided: false,
        checked: false,
    });
    is_due
}

/// Authors of locked versions behind a list.
fn barred(world: &World, list: &List) -> BTreeSet<u8> {
    let behind = |version: &&Version| {
        let id = (version.policy, version.version);
        version.lock.is_some() && list.items.values().any(|(_, policy)| *policy == id)
    };
    world
        .versions
        .iter()
        .filter(behind)
        .map(|version| version.author)
        .collect()
}

fn reviewed(after: &mut World, no: usize, who: u8, review: Review, now: i64) -> bool {
    let barred = barred(after, &after.lists[no]);
    let list = &mut after.lists[no];
    let open = matches!(list.stage, Stage::Review | Stage::Approved) && !list.begun;
    match review {
        _ if !open => return false,
        Review::Approve => {
            let again = list.approvals.iter().any(|(by, _)| *by == who);
            let may = list.stage == Stage::Review && who != list.asked && !barred.contains(&who);
            if again || !may {
                return false;
            }
            list.approvals.push((who, now));
            if list.approvals.len() >= list.needed {
                list.stage = Stage::Approved;
            }
        }
        Review::Exclude(item) | Review::Extend(item, _) => {
            let listed = list.items.contains_key(&item) && !list.off.contains(&item);
            let Some(record) = after.live.get_mut(&item).filter(|_| listed) else {
                return false;
            };
            list.off.insert(item);
            if let Review::Extend(_, until) = review {
                record.extended = record.extended.max(until);
            }
        }
        Review::Cancel => list.stage = Stage::Cancelled,
    }
    true
}

fn run(world: &World, no: usize, moment: &Moment) -> Expected {
    let list = &world.lists[no];
    let elsewhere = world.lists.iter().enumerate();
    let mut elsewhere =
        elsewhere.filter(|(other, list)| *other != no && list.begun && !list.checked);
    let frozen = world.freezes.iter().any(|freeze| !freeze.lifted);
    let last = list
        .approvals
        .iter()
        .map(|(_, at)| *at)
        .max()
        .unwrap_or(NEVER);
    let left = list.items.len() > list.off.len();
    let ripe = list.stage == Stage::Approved && last + 7 * DAY <= moment.now && left;
    if frozen || !ripe || elsewhere.next().is_some() {
        return refused(Vec::new());
    }
    let mut begun = world.clone();
    begun.lists[no].begun = true;
    for (item, record) in &mut begun.live {
        record.locked = world.say(*item, moment).locked_until;
    }
    let mut decided = begun.clone();
    if !list.decided {
        if moment.stopped {
            // The clock is in doubt: it is written down, and nothing follows.
            return refused(vec![begun]);
        }
        decide(world, &mut decided, no, moment);
    }
    // In a transaction of its own.
    let mut nameless = decided.clone();
    forget_who_was_seen(&mut nameless);
    let mut checked = nameless.clone();
    checked.lists[no].checked = true;
    let mut certified = checked.clone();
    certified.lists[no].stage = Stage::Done;
    done(vec![begun, decided, nameless, checked, certified])
}

/// Whatever is still as it was listed and still due goes; the rest drops out.
fn decide(before: &World, after: &mut World, no: usize, moment: &Moment) {
    let list = &before.lists[no];
    for (item, (versions, policy)) in &list.items {
        let unchanged = before
            .live
            .get(item)
            .is_some_and(|record| record.versions.len() == *versions);
        if list.off.contains(item) || !unchanged {
            continue;
        }
        let said = before.say(*item, moment);
        if said.eligible && said.winner == Some(*policy) {
            after
                .live
                .remove(item)
                .map(|record| after.gone.insert(*item, record.key));
        }
    }
    after.lists[no].decided = true;
}

fn lift(freeze: &mut Freeze, who: u8) -> bool {
    if freeze.lifted || freeze.asked == Some(who) {
        return false;
    }
    match freeze.asked {
        None => freeze.asked = Some(who),
        Some(_) => freeze.lifted = true,
    }
    true
}

/// A backup of the world as it stands.
pub fn backup(world: &World) -> World {
    let mut after = world.clone();
    let live = world.live.clone();
    after.backups.push(Backup { live });
    after
}
