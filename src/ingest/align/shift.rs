//! Finds by rare texts how far the clock of a source stands from that of the conversation: another
//! zone, a zone without its summer time.

use std::collections::BTreeMap;

use super::identity::{Anchor, anchors};
use super::key::Sighting;

/// Zones stand apart by whole quarters of an hour; microseconds.
const QUARTER: i64 = 15 * 60 * 1_000_000;
/// What stands a day apart, in quarters, was said every day; few zones stand further apart.
const QUARTERS_MAX: i64 = 24 * 4 - 1;
/// Fewer rare texts that both have do not prove a shift.
const ANCHORS_MIN: usize = 20;
/// Fewer of them say nothing at all.
const TELLING_MIN: usize = 3;
/// So many of a thousand rare texts must stand apart as those around them do.
const AGREEING_MIN: usize = 950;
/// Rare texts on either side whose shift counts: a shift that changes, with summer time, changes for
/// all that follow.
const AROUND: usize = 5;

/// How the clock of a source stands to that of the conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shift {
    /// It stands as that does, or nothing tells.
    None,
    /// It stands apart: these are the incoming messages at the times of the conversation.
    Moved(Vec<Sighting>),
    /// Most rare texts that both have stand apart, and they are too few or too much at odds to say by
    /// how much.
    Unclear {
        /// Rare texts that both have.
        rare: usize,
        /// Those that stand apart.
        apart: usize,
    },
}

/// A rare text of the source: when it stands there, and how many quarters of an hour later it stands
/// in the conversation.
#[derive(Clone, Copy, Debug)]
struct Common {
    at: i64,
    quarters: i64,
}

/// Holds the incoming messages of a source against those of the conversation it continues.
pub fn shift<'k>(
    known: impl Iterator<Item = &'k Sighting> + Clone,
    incoming: &[Sighting],
) -> Shift {
    let common = common(&anchors(known.clone()), &anchors(incoming.iter()));
    let apart = common.iter().filter(|one| one.quarters != 0).count();
    if common.len() < TELLING_MIN || apart * 2 < common.len() && apart < ANCHORS_MIN {
        return Shift::None;
    }
    let around: Vec<Common> = (0..common.len())
        .map(|place| Common {
            quarters: usual(&common, place),
            ..common[place]
        })
        .collect();
    if around.iter().all(|one| one.quarters == 0) {
        return Shift::None;
    }
    let agree = common
        .iter()
        .zip(&around)
        .filter(|(one, usual)| one.quarters == usual.quarters)
        .count();
    if common.len() < ANCHORS_MIN || agree * 1_000 < common.len() * AGREEING_MIN {
        let rare = common.len();
        return Shift::Unclear { rare, apart };
    }
    Shift::Moved(moved(known, incoming, &around))
}

/// The rare texts both have, by their time in the source.
fn common(known: &[Anchor], incoming: &[Anchor]) -> Vec<Common> {
    let known: BTreeMap<u64, i64> = known.iter().map(|one| (one.text, one.at)).collect();
    let mut common: Vec<Common> = incoming
        .iter()
        .filter(|one| one.at != 0)
        .filter_map(|one| {
            let there = known.get(&one.text).filter(|at| **at != 0)?;
            let quarters = (there - one.at + QUARTER / 2).div_euclid(QUARTER);
            (quarters.abs() <= QUARTERS_MAX).then_some(Common {
                at: one.at,
                quarters,
            })
        })
        .collect();
    common.sort_unstable_by_key(|one| one.at);
    common
}

/// By how much the texts around a place mostly stand apart; the less where as many say so.
fn usual(common: &[Common], place: usize) -> i64 {
    let from = place.saturating_sub(AROUND);
    let to = (place + AROUND + 1).min(common.len());
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for one in &common[from..to] {
        *counts.entry(one.quarters).or_default() += 1;
    }
    let mut best = (0, 0);
    for (quarters, count) in counts {
        if count > best.1 || count == best.1 && quarters.abs() < i64::abs(best.0) {
            best = (quarters, count);
        }
    }
    best.0
}

/// The incoming messages at the times of the conversation. Where the shift changes between two rare
/// texts, the message goes where the conversation has it.
fn moved<'k>(
    known: impl Iterator<Item = &'k Sighting>,
    incoming: &[Sighting],
    around: &[Common],
) -> Vec<Sighting> {
    let here: std::collections::BTreeSet<(u128, i64)> =
        known.filter_map(|one| Some((one.key.0, one.at?))).collect();
    let by = |place: usize| around.get(place).map(|one| one.quarters * QUARTER);
    incoming
        .iter()
        .map(|sighting| {
            let Some(at) = sighting.at else {
                return *sighting;
            };
            let next = around.partition_point(|one| one.at < at);
            let after = by(next).or_else(|| by(around.len() - 1));
            let before = next.checked_sub(1).and_then(by).or(after);
            let shifts = [before, after].into_iter().flatten();
            let fits = |shift: &i64| here.contains(&(sighting.key.0, at + shift));
            let chosen = shifts.clone().find(fits).or(before).unwrap_or(0);
            Sighting {
                at: Some(at + chosen),
                ..*sighting
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, Precision, Presence, Timestamp};
    use crate::ingest::align::Facts;

    const HOUR: i64 = 3_600;

    fn said(seconds: i64, text: &str) -> Sighting {
        Sighting::of(&Facts {
            sender: Some("Ana"),
            body: text,
            kind: Kind::Text,
            presence: Presence::default(),
            file_is_here: false,
            sent: Some(Timestamp::from_seconds(seconds)),
            precision: Precision::Second,
            source_id: None,
        })
    }

    /// A message every four hours; each third is an "ok".
    fn chat(count: i64, moved: impl Fn(i64) -> i64) -> Vec<Sighting> {
        let one = |n: i64| {
            let text = match n % 3 {
                0 => "ok".to_owned(),
                _ => format!("words of message {n}"),
            };
            said(1_000_000 + n * 4 * HOUR + moved(n), &text)
        };
        (0..count).map(one).collect()
    }

    fn times(sightings: &[Sighting]) -> Vec<Option<i64>> {
        sightings.iter().map(|one| one.at).collect()
    }

    #[test]
    fn another_zone_and_a_lost_summer_are_found() {
        let known = chat(90, |_| 0);
        let shifts: [fn(i64) -> i64; 3] = [
            |_| -9 * HOUR,
            |_| 3 * HOUR + 1_800,
            |n| if (30..60).contains(&n) { HOUR } else { 0 },
        ];
        for moved in shifts {
            match shift(known.iter(), &chat(90, moved)) {
                Shift::Moved(found) => assert_eq!(times(&found), times(&known)),
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn the_same_clock_is_left_alone_and_few_texts_prove_nothing() {
        let known = chat(90, |_| 0);
        assert_eq!(shift(known.iter(), &known), Shift::None);
        let one_off = chat(90, |n| if n == 40 { 5 * HOUR } else { 0 });
        assert_eq!(shift(known.iter(), &one_off), Shift::None);
        assert_eq!(
            shift(known[..12].iter(), &chat(12, |_| HOUR)),
            Shift::Unclear { rare: 8, apart: 8 }
        );
        assert_eq!(shift(known[..3].iter(), &chat(3, |_| HOUR)), Shift::None);
        let wild = chat(90, |n| n * n % 23 * HOUR);
        assert!(matches!(
            shift(known.iter(), &wild),
            Shift::Unclear { rare: 60, .. }
        ));
    }
}
