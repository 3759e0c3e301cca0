//! Section 4 of the trust page once more, in sets and loops and without any cleverness: what the
//! engine is compared with. It shares the nouns with the engine and nothing else.

use wordkeep::domain::{
    LabelNo, Lock, PolicyAction, PolicyState, PolicyVersion, SourceTrust, Timestamp, Trigger,
};
use wordkeep::retention::Present;

use super::walk::due;
use super::world::{Rec, World};

const DAY: i64 = 86_400_000_000;

/// What the oracle says of a record.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub held: bool,
    pub retain_until: Timestamp,
    pub locked_until: Timestamp,
    pub delete_from: Timestamp,
    pub floor: Timestamp,
    pub eligible: bool,
}

/// First instant at which a later version stands in the place of this one.
fn ended(world: &World, version: &PolicyVersion) -> Timestamp {
    let mut end = Timestamp::NEVER;
    for later in &world.versions {
        let follows = later.id.no == version.id.no && later.id.version > version.id.version;
        if follows && later.state != PolicyState::Draft && later.valid_from < end {
            end = later.valid_from;
        }
    }
    end
}

/// The label that counts at an instant and since when.
fn label(rec: &Rec, at: Timestamp) -> Option<(LabelNo, Timestamp)> {
    for own in [true, false] {
        let on = rec
            .labels
            .iter()
            .filter(|span| span.own == own && span.from <= at && at < span.until);
        if let Some(last) = on.max_by_key(|span| span.from) {
            return Some((last.label, last.from));
        }
    }
    None
}

/// When the labels came that the record showed at some instant of the closed interval.
fn labels_shown(rec: &Rec, from: Timestamp, until: Timestamp) -> Vec<(LabelNo, Timestamp)> {
    let mut instants = vec![from];
    for span in &rec.labels {
        instants.extend([span.from, span.until]);
    }
    instants.retain(|at| from <= *at && *at <= until);
    let mut shown = Vec::new();
    for at in instants {
        for span in &rec.labels {
            let inside = span.from <= at && at <= span.until;
            let hidden = rec
                .labels
                .iter()
                .any(|o| o.own && o.from < at && at < o.until);
            if inside && (span.own || !hidden) {
                shown.push((span.label, span.from));
            }
        }
    }
    shown
}

fn events(world: &World, trigger: Trigger, with_corrected: bool) -> Option<Timestamp> {
    let Trigger::Event(key) = trigger else {
        return None;
    };
    let corrected = |no| world.events.iter().any(|event| event.corrects == Some(no));
    world
        .events
        .iter()
        .filter(|event| event.key == key && (with_corrected || !corrected(event.no)))
        .map(|event| event.at)
        .max()
}

/// The beginning of a period where neither label nor event gives it.
fn begun(version: &PolicyVersion, rec: &Rec) -> Timestamp {
    let person = rec.trust == SourceTrust::PersonFile && version.lock != Lock::None;
    match version.trigger {
        Trigger::Ingested => rec.ingested,
        Trigger::LastActivity => rec.last_activity,
        _ if person || rec.sent.0 > rec.ingested.0 + DAY => rec.ingested,
        _ => rec.sent,
    }
}

fn held(world: &World, rec: &Rec, now: Timestamp) -> bool {
    world.holds.iter().any(|hold| {
        let open = hold
            .release
            .is_none_or(|release| now.0 < release.at.0 + i64::from(hold.grace_days.max(14)) * DAY);
        world.hold_scopes[&hold.no] & rec.tags != 0 && hold.from <= now && open
    })
}

pub fn say(world: &World, rec: &Rec, present: &Present) -> Said {
    let now = present.now.compliance;
    let matching = |version: &&PolicyVersion| {
        version.state == PolicyState::Enabled && world.scopes[&version.id] & rec.tags != 0
    };
    let mut retain = vec![rec.locked_until, rec.extended_until];
    let mut locked = vec![rec.locked_until];
    let mut deletes = Vec::new();
    for version in world.versions.iter().filter(matching) {
        let end = ended(world, version);
        let end_of = |t0: Timestamp| due(t0, version.period, version.zone);
        let wanted = version.level.label();
        let carried = label(rec, now);
        let labelled = wanted.is_none() || wanted == carried.map(|(label, _)| label);
        if version.valid_from <= now && now < end && labelled {
            let t0 = match version.trigger {
                Trigger::LabelApplied => carried.map(|(_, from)| from),
                Trigger::Event(_) => events(world, version.trigger, false),
                _ => Some(begun(version, rec)),
            };
            let until = t0.map_or(Timestamp::NEVER, end_of);
            if version.action != PolicyAction::Delete {
                retain.push(until);
            }
            if version.action != PolicyAction::Retain {
                deletes.push((version.level.rank(), until));
            }
        }
        let from = version.valid_from.max(rec.ingested);
        let compliance = matches!(version.lock, Lock::Compliance(_));
        let keeps = compliance && version.action != PolicyAction::Delete;
        if !keeps || version.valid_from > now.min(end) || rec.ingested > end {
            continue;
        }
        let shown: Vec<Timestamp> = labels_shown(rec, from, end.min(now))
            .into_iter()
            .filter(|(label, _)| wanted.is_none_or(|wanted| wanted == *label))
            .map(|(_, from)| from)
            .collect();
        if wanted.is_some() && shown.is_empty() {
            continue;
        }
        let t0 = match version.trigger {
            Trigger::LabelApplied => shown.into_iter().max(),
            Trigger::Event(_) => events(world, version.trigger, true),
            _ => Some(begun(version, rec)),
        };
        locked.extend(t0.map(end_of));
        retain.push(t0.map_or(Timestamp::NEVER, end_of));
    }
    let locked_until = locked.into_iter().max().unwrap();
    let retain_until = retain.into_iter().max().unwrap().max(locked_until);
    let nearest = deletes.iter().map(|(rank, _)| *rank).max();
    let of_nearest = deletes.iter().filter(|(rank, _)| Some(*rank) == nearest);
    let delete_from = of_nearest.map(|(_, from)| *from).min();
    let delete_from = delete_from.unwrap_or(Timestamp::NEVER);
    let floor = Timestamp(rec.ingested.0 + 30 * DAY);
    let held = held(world, rec, now);
    let ripe = [retain_until, delete_from, floor]
        .into_iter()
        .all(|at| at != Timestamp::NEVER && at <= now && at <= present.now.wall);
    Said {
        held,
        retain_until,
        locked_until,
        delete_from,
        floor,
        eligible: ripe && !held && present.trusted && present.frozen.is_none(),
    }
}
