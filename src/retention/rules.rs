//! The rules in force: versions of policies, holds and events, as plain values.

use std::collections::BTreeMap;

use crate::domain::{
    Event, EventKey, EventNo, Hold, Lock, PolicyRef, PolicyState, PolicyVersion, Timestamp,
};

/// Days a record stays at least, counted from when it was taken in.
pub const FLOOR_DAYS: i64 = 30;
/// A claimed time so far behind the moment of taking in is not believed, in microseconds: 24 h.
pub const FUTURE_MICROS: i64 = Timestamp::MICROS_PER_DAY;

/// Asks whether a scope matches the record at hand, by its place in the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScopeRef {
    /// The scope of [`Rules::terms`] at this place.
    Term(usize),
    /// The scope of [`Rules::holds`] at this place.
    Hold(usize),
}

/// A version that is or was in force, or will be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// What it says.
    pub version: PolicyVersion,
    /// First instant at which a later version replaces it; `NEVER` while none does.
    pub ended: Timestamp,
}

impl Term {
    /// Whether it is in force at an instant.
    pub fn in_force(&self, at: Timestamp) -> bool {
        self.version.state == PolicyState::Enabled
            && self.version.valid_from <= at
            && at < self.ended
    }

    /// Whether it carries a compliance lock and was in force at some instant up to `at`, be it only
    /// the one at which it was replaced: what it kept then it keeps for ever.
    pub fn ever_locked(&self, at: Timestamp) -> bool {
        self.version.state == PolicyState::Enabled
            && matches!(self.version.lock, Lock::Compliance(_))
            && self.version.valid_from <= at
            && self.version.valid_from <= self.ended
    }
}

/// When an event happened, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// The latest that is not corrected.
    pub current: Option<Timestamp>,
    /// The latest that was ever recorded, corrected or not: what locks count from.
    pub ever: Timestamp,
}

/// The rules, ready to be asked. They change with every edit: make them anew.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    terms: Vec<Term>,
    holds: Vec<Hold>,
    events: BTreeMap<EventKey, Known>,
}

impl Rules {
    /// Puts rules together. `versions` and `holds` are everything there ever was, in any order;
    /// drafts are left out here. Every event counts from when it was recorded on: hand in those
    /// recorded so far.
    pub fn new(versions: &[PolicyVersion], holds: &[Hold], events: &[Event]) -> Rules {
        let mut terms: Vec<Term> = versions
            .iter()
            .filter(|version| version.state != PolicyState::Draft)
            .map(|version| Term {
                version: *version,
                ended: end_of(version.id, versions),
            })
            .collect();
        terms.sort_by_key(|term| term.version.id);
        let mut holds = holds.to_vec();
        holds.sort_by_key(|hold| hold.no);
        Rules {
            terms,
            holds,
            events: known(events),
        }
    }

    /// The versions, by policy and version; without drafts.
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The holds, released ones too, by number.
    pub fn holds(&self) -> &[Hold] {
        &self.holds
    }

    /// What is known of an event.
    pub fn event(&self, key: EventKey) -> Option<Known> {
        self.events.get(&key).copied()
    }

    /// The version of every policy that is in force at an instant.
    pub fn in_force(&self, at: Timestamp) -> impl Iterator<Item = &Term> {
        self.terms.iter().filter(move |term| term.in_force(at))
    }
}

/// First instant at which a later version counts.
fn end_of(id: PolicyRef, versions: &[PolicyVersion]) -> Timestamp {
    versions
        .iter()
        .filter(|later| later.state != PolicyState::Draft)
        .filter(|later| later.id.no == id.no && later.id.version > id.version)
        .map(|later| later.valid_from)
        .min()
        .unwrap_or(Timestamp::NEVER)
}

fn known(events: &[Event]) -> BTreeMap<EventKey, Known> {
    let corrected: std::collections::BTreeSet<EventNo> =
        events.iter().filter_map(|event| event.corrects).collect();
    let mut known: BTreeMap<EventKey, Known> = BTreeMap::new();
    for event in events {
        let entry = known.entry(event.key).or_insert(Known {
            current: None,
            ever: event.at,
        });
        entry.ever = entry.ever.max(event.at);
        if !corrected.contains(&event.no) {
            entry.current = entry.current.max(Some(event.at));
        }
    }
    known
}
