//! The story from its first entry to its last: who acted by which right, what came in and went, and
//! what the rules about holds, freezes, policies and dispositions say to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::crypto::TILE_WIDTH;
use crate::domain::{EntryNo, Right, Role, Timestamp};

use super::super::action::{Action, Phase};
use super::super::beginning::PRUNE_DAYS_MIN;
use super::super::entry::{Entry, EntryActor, Fact, Outcome};
use super::claims::Claims;
use super::disposals::{Disposal, Disposals};
use super::freezes::Freezes;
use super::holds::Holds;
use super::notices::Notices;
use super::policies::Policies;
use super::told;
use super::watch::Watch;

/// A rule an entry breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The entry.
    pub seq: EntryNo,
    /// The rule, in words, with the ids.
    pub what: String,
}

/// What is known of a user at one point of the log.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Standing {
    #[serde(with = "told::role")]
    role: Role,
    disabled: bool,
}

/// The conservation equation as the log tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conservation {
    /// Messages that came in as new, over all imports.
    pub imported: u64,
    /// Messages that were destroyed.
    pub disposed: u64,
}

impl Conservation {
    /// Messages that must be live.
    pub const fn live(&self) -> u64 {
        self.imported.saturating_sub(self.disposed)
    }
}

/// Replays entries in their order and collects what breaks a rule.
///
/// What it knows at one place of the log can be written down and taken up there again: that is what
/// stands in the stead of entries that were pruned.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    users: BTreeMap<String, Standing>,
    #[serde(with = "told::maybe")]
    last: Option<Timestamp>,
    next: u64,
    /// Intents without an outcome, by their stem and first object with a space between.
    open: BTreeMap<String, u64>,
    counts: Conservation,
    holds: Holds,
    notices: Notices,
    watch: Watch,
    freezes: Freezes,
    claims: Claims,
    policies: Policies,
    disposals: Disposals,
    #[serde(skip)]
    violations: Vec<Violation>,
}

impl Replay {
    /// Starts before the first entry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next entry.
    pub fn take(&mut self, entry: &Entry) {
        self.check_order(entry);
        if entry.draft.result == Outcome::Done {
            self.check_actor(entry);
            self.follow_users(entry);
            self.follow_rules(entry);
        }
        // What an import brought before it was cut off is whole and stays.
        if entry.draft.result != Outcome::Refused {
            self.follow_counts(entry);
        }
        self.follow_phases(entry);
    }

    /// What broke a rule, in the order of the log.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// What the log says came in and was destroyed.
    pub const fn conservation(&self) -> Conservation {
        self.counts
    }

    /// Every destruction that was begun.
    pub fn disposals(&self) -> Vec<Disposal> {
        self.disposals.disposals()
    }

    /// Intents without an outcome, oldest first: work that runs, or that a crash cut off.
    pub fn open_intents(&self) -> Vec<EntryNo> {
        let mut open: Vec<_> = self.open.values().copied().map(EntryNo).collect();
        open.sort_unstable();
        open
    }

    /// Entries that were taken, or stand behind what was taken up.
    pub const fn taken(&self) -> u64 {
        self.next
    }

    /// Compliance time of the last of them.
    pub const fn last(&self) -> Option<Timestamp> {
        self.last
    }

    fn violate(&mut self, entry: &Entry, what: String) {
        self.violations.push(Violation {
            seq: entry.seq,
            what,
        });
    }

    fn check_order(&mut self, entry: &Entry) {
        if entry.seq.0 != self.next {
            let expected = self.next;
            self.violate(
                entry,
                format!(
                    "it says it is entry {}, and stands at {expected}",
                    entry.seq
                ),
            );
        }
        if self.last.is_some_and(|last| entry.t_c < last) {
            self.violate(entry, "compliance time goes back".to_owned());
        }
        if self.next == 0 && entry.draft.action != Action::StoreCreate {
            self.violate(entry, "the log does not begin with store.create".to_owned());
        }
        if self.next > 0 && entry.draft.action == Action::StoreCreate {
            self.violate(entry, "a store is created once".to_owned());
        }
        self.last = self.last.max(Some(entry.t_c));
        self.next += 1;
    }

    /// The actor exists, is enabled, acts in the role it has now, and the role carries the right.
    fn check_actor(&mut self, entry: &Entry) {
        let actor = &entry.draft.actor;
        let (name, right) = (entry.draft.action.name(), entry.draft.action.right());
        let wrong = match self.users.get(&actor.id) {
            _ if actor.id == EntryActor::SYSTEM => system_wrong(actor, right),
            None => Some("who was never added".to_owned()),
            Some(user) if user.disabled => Some("who was disabled then".to_owned()),
            Some(user) if actor.role != Some(user.role) => {
                Some(format!("whose role was {} then", user.role.name()))
            }
            Some(user) if right.is_some_and(|right| !user.role.may(right)) => Some(format!(
                "whose role {} has no right to it",
                user.role.name()
            )),
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let what = format!("{name} by {}, {wrong}", actor.id);
            self.violate(entry, what);
        }
    }

    /// Holds, freezes, policies and dispositions.
    fn follow_rules(&mut self, entry: &Entry) {
        let mut wrong = Vec::new();
        self.holds.take(entry, &mut wrong);
        self.notices.take(entry, &mut wrong);
        self.watch.take(entry, &mut wrong);
        self.freezes.take(entry, &mut wrong);
        self.claims.take(entry, &mut wrong);
        self.policies.take(entry, &mut wrong);
        self.disposals.take(entry, &self.policies, &mut wrong);
        check_pruning(entry, &mut wrong);
        for what in wrong {
            self.violate(entry, what);
        }
    }

    fn follow_users(&mut self, entry: &Entry) {
        let draft = &entry.draft;
        let known = matches!(
            draft.action,
            Action::UserAdd | Action::UserRole | Action::UserDisable | Action::UserEnable
        );
        let Some(user) = draft.objects.first().filter(|_| known) else {
            return;
        };
        let role = match draft.facts.get("role") {
            Some(Fact::Word(word)) => Role::from_name(word),
            _ => None,
        };
        let wrong = match (&draft.action, role, self.users.get_mut(user)) {
            (Action::UserAdd, Some(role), None) => {
                let disabled = false;
                self.users.insert(user.clone(), Standing { role, disabled });
                None
            }
            (Action::UserAdd, Some(_), Some(_)) => Some("a user is added twice"),
            (Action::UserRole, Some(role), Some(standing)) => {
                standing.role = role;
                None
            }
            (Action::UserDisable, _, Some(standing)) => {
                standing.disabled = true;
                None
            }
            (Action::UserEnable, _, Some(standing)) => {
                standing.disabled = false;
                None
            }
            (Action::UserAdd | Action::UserRole, None, _) => Some("it names no role"),
            _ => Some("it changes a user who was never added"),
        };
        if let Some(wrong) = wrong {
            self.violate(entry, format!("{}: {wrong}", draft.action.name()));
        }
    }

    /// Seen = fresh + known + revised + rejected, to the record; and nothing goes that never came.
    fn follow_counts(&mut self, entry: &Entry) {
        let before = self.counts;
        self.add_counts(entry);
        let after = self.counts;
        if after.disposed > after.imported && before.disposed <= before.imported {
            let what = format!(
                "{} messages came in by then, and {} were destroyed",
                after.imported, after.disposed
            );
            self.violate(entry, what);
        }
    }

    fn add_counts(&mut self, entry: &Entry) {
        let count = |name: &str| match entry.draft.facts.get(name) {
            Some(Fact::Number(number)) => u64::try_from(*number).ok(),
            _ => None,
        };
        if entry.draft.action == Action::BackupRestore {
            // What was destroyed after the backup stays destroyed.
            match count("disposed") {
                Some(disposed) => self.counts.disposed += disposed,
                None => self.violate(entry, "a restore without its counts".to_owned()),
            }
        }
        if entry.draft.action == Action::EraseSlice {
            match count("erased") {
                Some(erased) => self.counts.disposed += erased,
                None => self.violate(entry, "a slice of a purge without its counts".to_owned()),
            }
        }
        if entry.draft.action != Action::ImportOutcome {
            return;
        }
        let parts = ["fresh", "known", "revised", "rejected"].map(count);
        // It stands only where something destroyed came again.
        let disposed = count("disposed").unwrap_or(0);
        let sum: Option<u64> = parts
            .into_iter()
            .sum::<Option<u64>>()
            .map(|sum| sum + disposed);
        match (count("seen"), sum, parts[0]) {
            (Some(seen), Some(sum), Some(fresh)) if seen == sum => self.counts.imported += fresh,
            (Some(seen), Some(sum), _) => {
                let what = format!("an import saw {seen} messages and accounts for {sum}");
                self.violate(entry, what);
            }
            _ => self.violate(entry, "an import without its counts".to_owned()),
        }
    }

    /// An outcome needs its intent. The pair is found by the act's stem and its first object.
    fn follow_phases(&mut self, entry: &Entry) {
        self.follow_exports(entry);
        let phase = entry.draft.action.phase();
        if phase == Phase::Whole {
            return;
        }
        let name = entry.draft.action.name();
        let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
        let object = entry.draft.objects.first().cloned().unwrap_or_default();
        let key = pair(stem, &object);
        match phase {
            Phase::Intent if entry.draft.result == Outcome::Done => {
                self.open.insert(key, entry.seq.0);
            }
            Phase::Outcome if self.open.remove(&key).is_none() => {
                self.violate(entry, format!("{name} without an intent before it"));
            }
            _ => {}
        }
    }
}

impl Replay {
    /// What was exported was intended before: the intent is durable before a byte leaves.
    fn follow_exports(&mut self, entry: &Entry) {
        if entry.draft.action != Action::ExportMade {
            return;
        }
        let object = entry.draft.objects.first().cloned().unwrap_or_default();
        if !self.open.contains_key(&pair("export", &object)) {
            let what = "messages were exported without an intent before it".to_owned();
            self.violate(entry, what);
        }
    }
}

/// Entries go only behind a year, in whole tiles, and never the one that says so.
fn check_pruning(entry: &Entry, wrong: &mut Vec<String>) {
    if entry.draft.action != Action::LogPrune {
        return;
    }
    let (Some(entries), Some(until)) = (entry.draft.number("entries"), entry.draft.number("until"))
    else {
        wrong.push("the log is pruned, and it is not said how far".to_owned());
        return;
    };
    let whole = entries > 0 && entries % u64::from(TILE_WIDTH) == 0;
    if !whole || entries > entry.seq.0 {
        wrong.push(format!(
            "{entries} entries of the log cannot be pruned here"
        ));
    }
    let until = Timestamp(i64::try_from(until).unwrap_or(i64::MAX));
    if entry.t_c < until.plus_days(PRUNE_DAYS_MIN) {
        wrong.push(format!(
            "entries of the log are pruned before they are {PRUNE_DAYS_MIN} days old"
        ));
    }
}

/// What an intent and its outcome have in common; no word of an entry has a space.
fn pair(stem: &str, object: &str) -> String {
    format!("{stem} {object}")
}

/// The house itself reads no content; for the rest it may act, as at the first start.
fn system_wrong(actor: &EntryActor, right: Option<Right>) -> Option<String> {
    if actor.role.is_some() {
        return Some("which has no role".to_owned());
    }
    match right {
        Some(Right::ReadContent | Right::Export) => Some("which reads no content".to_owned()),
        Some(Right::RequestDisposition | Right::ReviewDisposition) => {
            Some("which destroys nothing of its own accord".to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
