//! Whether an edit weakens what was promised, what stands in its way, and who could lift that.

use crate::domain::{
    Blocker, Disposition, Hold, Lock, PolicyAction, PolicyState, PolicyVersion, Timestamp,
};

/// Days a weakening edit waits before it counts.
pub const WEAKENING_DAYS: i64 = 7;

/// How the scope of a version differs from that of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeChange {
    /// It says the same.
    Same,
    /// It surely covers all it covered, and more ([`Scope::surely_covers`](super::Scope)).
    Wider,
    /// Anything else: something may have left it.
    Other,
}

impl ScopeChange {
    /// The name in the log.
    pub const fn name(self) -> &'static str {
        match self {
            ScopeChange::Same => "same",
            ScopeChange::Wider => "wider",
            ScopeChange::Other => "other",
        }
    }
}

/// One way in which an edit lets more go, or lets it go earlier, or makes that easier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weakening {
    /// The period is shorter, or cannot be compared.
    ShorterPeriod,
    /// It no longer keeps.
    Action,
    /// Something may have left its scope.
    NarrowerScope,
    /// More records are let go than before.
    LetsMoreGo,
    /// The period begins elsewhere.
    Trigger,
    /// The days are those of another zone.
    Zone,
    /// It stands at another level.
    Level,
    /// The lock is softer or opens earlier.
    Lock,
    /// Fewer people look at what is due.
    FewerReviewers,
    /// The policy ends.
    Disabled,
}

impl Weakening {
    /// Whether a lock forbids it. Letting more go by a wider scope keeps everything that was kept.
    pub const fn is_against_lock(self) -> bool {
        !matches!(self, Weakening::LetsMoreGo)
    }

    /// What it is, in words.
    pub const fn name(self) -> &'static str {
        match self {
            Weakening::ShorterPeriod => "the period is not surely as long as it was",
            Weakening::Action => "it no longer keeps",
            Weakening::NarrowerScope => "something may have left the scope",
            Weakening::LetsMoreGo => "more records are let go",
            Weakening::Trigger => "the period begins elsewhere",
            Weakening::Zone => "days are counted in another zone",
            Weakening::Level => "it stands at another level",
            Weakening::Lock => "the lock is softer or opens earlier",
            Weakening::FewerReviewers => "fewer people look at what is due",
            Weakening::Disabled => "the policy ends",
        }
    }
}

/// What an edit needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit {
    /// Nothing weakens: it may count at once.
    Strengthens,
    /// A second person, and seven days: it counts from then on.
    Weakens {
        /// In which ways.
        ways: Vec<Weakening>,
        /// Earliest `valid_from`.
        earliest: Timestamp,
        /// Whether a governance lock is passed by: a reason is needed, and it stands on the
        /// certificates.
        bypass: bool,
    },
    /// A compliance lock stands in the way.
    Refused {
        /// In which ways it weakens.
        ways: Vec<Weakening>,
        /// Until when the lock stands.
        until: Timestamp,
    },
}

/// What an edit of a version needs. `before` is the version in force, `None` for a new policy,
/// which promises nothing yet. Drafts are free: nothing counts until it is enabled.
pub fn edit(
    before: Option<&PolicyVersion>,
    after: &PolicyVersion,
    scope: ScopeChange,
    now: Timestamp,
) -> Edit {
    let Some(before) = before else {
        return Edit::Strengthens;
    };
    let ways = weakenings(before, after, scope);
    if ways.is_empty() {
        return Edit::Strengthens;
    }
    let locked = before.lock.is_shut(now) && ways.iter().any(|way| way.is_against_lock());
    if locked && let Lock::Compliance(until) = before.lock {
        return Edit::Refused { ways, until };
    }
    Edit::Weakens {
        ways,
        earliest: now.plus_days(WEAKENING_DAYS),
        bypass: locked,
    }
}

/// Every way in which a version is weaker than the one it replaces. What cannot be compared counts
/// as weaker.
pub fn weakenings(
    before: &PolicyVersion,
    after: &PolicyVersion,
    scope: ScopeChange,
) -> Vec<Weakening> {
    let mut ways = Vec::new();
    let mut note = |found: bool, way: Weakening| {
        if found {
            ways.push(way);
        }
    };
    if after.state != PolicyState::Enabled {
        // The end of a default that only lets go lets nothing more go; at a nearer level it may
        // have stood before a shorter one.
        let harmless = before.action == PolicyAction::Delete && before.level.rank() == 1;
        note(!harmless, Weakening::Disabled);
        return ways;
    }
    note(
        !after.period.is_at_least(before.period),
        Weakening::ShorterPeriod,
    );
    let (elder, newer) = (before.action, after.action);
    note(elder.retains() && !newer.retains(), Weakening::Action);
    note(scope == ScopeChange::Other, Weakening::NarrowerScope);
    note(
        newer.deletes() && (!elder.deletes() || scope == ScopeChange::Wider),
        Weakening::LetsMoreGo,
    );
    note(before.trigger != after.trigger, Weakening::Trigger);
    note(before.zone != after.zone, Weakening::Zone);
    note(level_matters(before, after), Weakening::Level);
    note(
        after.lock.rank() < before.lock.rank() || after.lock.until() < before.lock.until(),
        Weakening::Lock,
    );
    note(
        newer.deletes() && reviewers(after.disposition) < reviewers(before.disposition),
        Weakening::FewerReviewers,
    );
    ways
}

/// A level only matters where something is let go, or where a label decides what is in the scope.
fn level_matters(before: &PolicyVersion, after: &PolicyVersion) -> bool {
    let lets_go = before.action.deletes() || after.action.deletes();
    before.level != after.level
        && (lets_go || before.level.label().is_some() || after.level.label().is_some())
}

fn reviewers(disposition: Disposition) -> u8 {
    match disposition {
        Disposition::Auto => 0,
        Disposition::Reviewed(count) => count,
    }
}

/// Who could lift what stands in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifter {
    /// Nobody; only time, until this instant.
    Nobody(Timestamp),
    /// Two people of legal release the hold; then its grace runs.
    TwoOfLegal,
    /// A records officer and a second person, with a reason, after seven days.
    TwoWithReason,
    /// A records officer writes a policy.
    RecordsOfficer,
    /// Time alone, until this instant.
    Time(Timestamp),
    /// Whoever records the event that is awaited.
    Event,
    /// Evidence of the time, or two people who advance the clock.
    Evidence,
    /// Two people lift the freeze.
    TwoForFreeze,
}

/// Who could lift a blocker.
pub fn lifter(blocker: Blocker) -> Lifter {
    match blocker {
        Blocker::Held(_) => Lifter::TwoOfLegal,
        Blocker::NothingDeletes => Lifter::RecordsOfficer,
        Blocker::Locked(until) => Lifter::Nobody(until),
        Blocker::Retained(Timestamp::NEVER) | Blocker::NotDue(Timestamp::NEVER) => Lifter::Event,
        Blocker::Retained(_) => Lifter::TwoWithReason,
        Blocker::NotDue(due) => Lifter::Time(due),
        Blocker::ClockBehind(_) | Blocker::ClockDoubt => Lifter::Evidence,
        Blocker::Frozen(_) => Lifter::TwoForFreeze,
    }
}

/// Who could end the protection of a hold: two people, or, once released, its grace.
pub fn lifter_of_hold(hold: &Hold) -> Lifter {
    match hold.release {
        None => Lifter::TwoOfLegal,
        Some(_) => Lifter::Nobody(hold.ends()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{LabelNo, Level, PolicyNo, PolicyRef, Trigger, UserNo};
    use chrono_tz::Tz;
    use std::collections::BTreeSet;

    fn version(action: PolicyAction, level: Level) -> PolicyVersion {
        PolicyVersion {
            id: PolicyRef {
                no: PolicyNo(1),
                version: 1,
            },
            state: PolicyState::Enabled,
            action,
            period: "P1Y".parse().expect("a period"),
            zone: Tz::UTC,
            trigger: Trigger::Sent,
            level,
            lock: Lock::None,
            disposition: Disposition::Reviewed(2),
            valid_from: Timestamp(0),
            created: Timestamp(0),
            author: UserNo(1),
        }
    }

    #[test]
    fn h7_another_level_is_weaker_where_something_goes_or_a_label_decides() {
        use PolicyAction::{Retain, RetainThenDelete};
        let (wide, near) = (Level::Organisation, Level::Scoped);
        let label = Level::Label(LabelNo(1));
        let weaker = |before: (PolicyAction, Level), after: (PolicyAction, Level)| {
            let (before, after) = (version(before.0, before.1), version(after.0, after.1));
            weakenings(&before, &after, ScopeChange::Same).contains(&Weakening::Level)
        };
        assert!(!weaker((Retain, wide), (Retain, near)));
        assert!(weaker((RetainThenDelete, wide), (Retain, near)));
        assert!(weaker((Retain, wide), (RetainThenDelete, near)));
        assert!(weaker((Retain, wide), (Retain, label)));
        assert!(weaker((Retain, label), (Retain, wide)));
        assert!(!weaker((RetainThenDelete, near), (RetainThenDelete, near)));
    }

    #[test]
    fn every_weakening_has_a_name_of_its_own_and_all_but_one_are_against_a_lock() {
        use Weakening::*;
        let all = [
            ShorterPeriod,
            Action,
            NarrowerScope,
            LetsMoreGo,
            Trigger,
            Zone,
            Level,
            Lock,
            FewerReviewers,
            Disabled,
        ];
        let names: BTreeSet<&str> = all.iter().map(|way| way.name()).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|name| name.len() > 10));
        let free: Vec<Weakening> = all
            .into_iter()
            .filter(|way| !way.is_against_lock())
            .collect();
        assert_eq!(free, [LetsMoreGo]);
    }
}
