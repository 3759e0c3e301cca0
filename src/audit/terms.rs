//! The terms of a policy version as facts of an entry: enough for a stranger to see whether a later
//! version is weaker. Scopes and citations are texts and stay in the payload.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::entry::{Draft, INTEGER_MAX};
use super::replay::ToldTerms;
use crate::crypto::hex;
use crate::domain::{
    Disposition, Level, Lock, Period, PolicyAction, PolicyVersion, Timestamp, Trigger,
};

/// What of a version can be compared without its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "ToldTerms", try_from = "ToldTerms")]
pub(super) struct Terms {
    pub(super) action: PolicyAction,
    pub(super) period: Period,
    pub(super) zone: Tz,
    pub(super) lock: Lock,
    pub(super) reviewers: u64,
    /// What starts the period, as a word.
    pub(super) trigger: String,
    /// How near it stands, as a word.
    pub(super) level: String,
}

impl Draft {
    /// Adds an instant in microseconds; one beyond what JSON keeps exactly (the year 2255) is told
    /// as that.
    pub fn instant(self, name: &str, at: Timestamp) -> Self {
        let micros = at.0.clamp(0, INTEGER_MAX);
        self.count(name, u64::try_from(micros).unwrap_or(0))
    }

    /// Adds the terms of a version: action, period, zone, lock, lock_until, reviewers, trigger, level.
    pub fn terms(self, version: &PolicyVersion) -> Self {
        let draft = self
            .word("action", version.action.name())
            .word("period", version.period)
            .word("zone", version.zone.name())
            .word("lock", version.lock.name())
            .word("trigger", trigger_word(version.trigger))
            .word("level", level_word(version.level))
            .count("reviewers", u64::from(reviewers(version.disposition)));
        match version.lock {
            Lock::None => draft,
            Lock::Governance(until) | Lock::Compliance(until) => draft.instant("lock_until", until),
        }
    }
}

impl Terms {
    /// Reads what [`Draft::terms`] wrote; `None` where something is missing.
    pub(super) fn read(draft: &Draft) -> Option<Terms> {
        let word = |name| draft.fact_word(name).map(str::to_owned);
        let told = ToldTerms {
            action: word("action")?,
            period: word("period")?,
            zone: word("zone")?,
            lock: word("lock")?,
            lock_until: draft.number("lock_until").and_then(|at| at.try_into().ok()),
            reviewers: draft.number("reviewers")?,
            trigger: word("trigger")?,
            level: word("level")?,
        };
        told.try_into().ok()
    }

    /// The first way in which these terms surely keep less than those they replace.
    pub(super) fn weaker_than(&self, before: &Terms) -> Option<&'static str> {
        let deletes = self.action.deletes() || before.action.deletes();
        let labelled = self.level.starts_with(LABEL) || before.level.starts_with(LABEL);
        let ways = [
            (!self.period.is_at_least(before.period), "a shorter period"),
            (
                before.action.retains() && !self.action.retains(),
                "an action that no longer keeps",
            ),
            (
                self.lock.rank() < before.lock.rank() || self.lock.until() < before.lock.until(),
                "a softer or shorter lock",
            ),
            (self.trigger != before.trigger, "another trigger"),
            (self.zone != before.zone, "another zone"),
            (
                self.level != before.level && (deletes || labelled),
                "another level",
            ),
            (
                self.action.deletes() && self.reviewers < before.reviewers,
                "fewer reviewers",
            ),
        ];
        ways.iter().find(|(found, _)| *found).map(|(_, name)| *name)
    }
}

/// How the level of a label begins.
const LABEL: &str = "label:";

fn trigger_word(trigger: Trigger) -> String {
    match trigger {
        Trigger::Event(key) => format!("event:{}", hex(&key.0)),
        other => other.name().to_owned(),
    }
}

fn level_word(level: Level) -> String {
    match level {
        Level::Label(label) => format!("{LABEL}{label}"),
        other => other.name().to_owned(),
    }
}

const fn reviewers(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Auto => 0,
        Disposition::Reviewed(count) => count,
    }
}

#[cfg(test)]
mod tests {
    use super::super::action::Action;
    use super::super::entry::EntryActor;
    use super::*;
    use crate::domain::{LabelNo, PolicyNo, PolicyRef, PolicyState, UserNo};

    fn version(years: u32, lock: Lock) -> PolicyVersion {
        PolicyVersion {
            id: PolicyRef {
                no: PolicyNo(1),
                version: 1,
            },
            state: PolicyState::Enabled,
            action: PolicyAction::RetainThenDelete,
            period: Period::years(years),
            zone: Tz::Europe__Lisbon,
            trigger: Trigger::Sent,
            level: Level::Scoped,
            lock,
            disposition: Disposition::Reviewed(2),
            valid_from: Timestamp(5),
            created: Timestamp(5),
            author: UserNo(3),
        }
    }

    fn terms(version: &PolicyVersion) -> Terms {
        let draft = Draft::new(EntryActor::system(), Action::PolicyEnable, "r").terms(version);
        Terms::read(&draft).expect("what was written reads")
    }

    #[test]
    fn h7_every_way_of_keeping_less_is_seen() {
        let until = Timestamp(1_000);
        let before = version(7, Lock::Compliance(until));
        assert_eq!(terms(&before).weaker_than(&terms(&before)), None);
        let longer = version(8, Lock::Compliance(Timestamp(2_000)));
        assert_eq!(terms(&longer).weaker_than(&terms(&before)), None);
        let weaker = |after: PolicyVersion| terms(&after).weaker_than(&terms(&before)).is_some();
        assert!(weaker(version(6, before.lock)));
        assert!(weaker(version(7, Lock::Compliance(Timestamp(999)))));
        assert!(weaker(version(7, Lock::Governance(until))));
        assert!(weaker(version(7, Lock::None)));
        let (action, trigger) = (PolicyAction::Delete, Trigger::Ingested);
        assert!(weaker(PolicyVersion { action, ..before }));
        assert!(weaker(PolicyVersion { trigger, ..before }));
        let (zone, level) = (Tz::UTC, Level::Label(LabelNo(4)));
        assert!(weaker(PolicyVersion { zone, ..before }));
        assert!(weaker(PolicyVersion { level, ..before }));
        let disposition = Disposition::Reviewed(1);
        assert!(weaker(PolicyVersion {
            disposition,
            ..before
        }));
    }

    #[test]
    fn terms_without_a_part_are_none() {
        let whole = Draft::new(EntryActor::system(), Action::PolicyEnable, "r")
            .terms(&version(1, Lock::Compliance(Timestamp::NEVER)));
        assert!(Terms::read(&whole).is_some());
        for name in whole.facts.keys() {
            let mut part = whole.clone();
            part.facts.remove(name);
            assert!(Terms::read(&part).is_none(), "{name}");
        }
    }
}
