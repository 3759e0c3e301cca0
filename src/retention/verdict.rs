//! The verdict on one record: what keeps it, what lets it go, and since when both are settled.
//!
//! The order of principles (Microsoft Learn, "the principles of retention"): a hold blocks; keeping
//! beats deleting; the longest keeping wins; a label that lets go beats a scope, a scope beats the
//! organisation; among equals the shortest wins. Without a policy everything is kept.

use super::calendar::due;
use super::facts::{Facts, Present};
use super::rules::{FLOOR_DAYS, FUTURE_MICROS, Known, Rules, ScopeRef, Term};
use crate::domain::{
    Blocker, Disposition, HoldNo, LabelNo, LabelSpan, Lock, PolicyRef, PolicyVersion, Reason,
    SourceTrust, Timestamp, Trigger, Verdict,
};

/// The verdict on a record. `matches` answers for the scopes of the rules, exactly and never from
/// the index. Allocates nothing.
pub fn verdict(
    rules: &Rules,
    facts: &Facts<'_>,
    present: &Present,
    matches: &mut impl FnMut(ScopeRef) -> bool,
) -> Verdict {
    judge(rules, facts, present, matches, &mut Silent)
}

/// The verdict with every reason: each policy, lock, label, hold, clock, due date and what stands
/// in the way.
pub fn explain(
    rules: &Rules,
    facts: &Facts<'_>,
    present: &Present,
    matches: &mut impl FnMut(ScopeRef) -> bool,
) -> (Verdict, Vec<Reason>) {
    let mut reasons = Vec::new();
    let verdict = judge(rules, facts, present, matches, &mut reasons);
    for reason in &mut reasons {
        if let Reason::Deletes { policy, wins, .. } = reason {
            *wins = Some(*policy) == verdict.winner;
        }
    }
    (verdict, reasons)
}

/// Who hears the reasons.
trait Listener {
    /// Whether anybody listens; if not, what only serves reasons is skipped.
    const LISTENS: bool;
    /// Takes one reason.
    fn hear(&mut self, reason: Reason);
}

struct Silent;

impl Listener for Silent {
    const LISTENS: bool = false;
    fn hear(&mut self, _reason: Reason) {}
}

impl Listener for Vec<Reason> {
    const LISTENS: bool = true;
    fn hear(&mut self, reason: Reason) {
        self.push(reason);
    }
}

/// A policy that lets go, from when on.
#[derive(Clone, Copy)]
struct Delete {
    rank: u8,
    t0: Timestamp,
    from: Timestamp,
    policy: PolicyRef,
    disposition: Disposition,
}

impl Delete {
    /// Whether it goes before another: nearest level, then shortest, then the elder policy.
    fn beats(&self, other: &Delete) -> bool {
        (other.rank, self.from, self.policy) < (self.rank, other.from, other.policy)
    }
}

/// What the policies say together.
struct Tally {
    retain_until: Timestamp,
    locked_until: Timestamp,
    winner: Option<Delete>,
}

fn judge<L: Listener>(
    rules: &Rules,
    facts: &Facts<'_>,
    present: &Present,
    matches: &mut impl FnMut(ScopeRef) -> bool,
    listener: &mut L,
) -> Verdict {
    let at = present.now.compliance;
    let tally = weigh(rules, facts, at, matches, listener);
    let floor = facts.ingested.plus_days(FLOOR_DAYS);
    let delete_from = tally.winner.map_or(Timestamp::NEVER, |winner| winner.from);
    let reviewed = Disposition::Reviewed(1);
    let mut verdict = Verdict {
        held_by: held(rules, at, matches, listener),
        retain_until: tally.retain_until,
        locked_until: tally.locked_until,
        delete_from,
        floor,
        due: tally.retain_until.max(delete_from).max(floor),
        winner: tally.winner.map(|winner| winner.policy),
        t0: tally.winner.map_or(Timestamp::NEVER, |winner| winner.t0),
        disposition: tally.winner.map_or(reviewed, |winner| winner.disposition),
        eligible: false,
        blocker: None,
    };
    verdict.blocker = blocker(&verdict, present);
    verdict.eligible = verdict.blocker.is_none();
    if L::LISTENS {
        conclude(&verdict, facts, present, listener);
    }
    verdict
}

/// Weighs every version that applies or that once applied under a compliance lock.
fn weigh<L: Listener>(
    rules: &Rules,
    facts: &Facts<'_>,
    at: Timestamp,
    matches: &mut impl FnMut(ScopeRef) -> bool,
    listener: &mut L,
) -> Tally {
    let mut tally = Tally {
        retain_until: facts.locked_until.max(facts.extended_until),
        locked_until: facts.locked_until,
        winner: None,
    };
    let carried = facts.label_at(at);
    for (place, term) in rules.terms().iter().enumerate() {
        let now = term.in_force(at)
            && (term.version.level.label())
                .is_none_or(|label| carried.is_some_and(|span| span.label == label));
        let locked = term.ever_locked(at)
            && term.version.action.retains()
            && facts.ingested <= term.ended
            && (term.version.level.label())
                .is_none_or(|label| labels_during(facts, Some(label), term, at).next().is_some());
        if (now || locked) && matches(ScopeRef::Term(place)) {
            if now {
                apply(&mut tally, rules, facts, term, carried, listener);
            }
            if locked {
                apply_lock(&mut tally, rules, facts, term, at, listener);
            }
        }
    }
    tally
}

/// A version in force: keeps, lets go, or both.
fn apply<L: Listener>(
    tally: &mut Tally,
    rules: &Rules,
    facts: &Facts<'_>,
    term: &Term,
    carried: Option<&LabelSpan>,
    listener: &mut L,
) {
    let version = &term.version;
    let t0 = match version.trigger {
        Trigger::LabelApplied => carried.map(|span| span.from),
        Trigger::Event(key) => rules.event(key).and_then(|known: Known| known.current),
        _ => Some(claimed(version, facts)),
    };
    let until = t0.map_or(Timestamp::NEVER, |t0| due(t0, version.period, version.zone));
    if version.action.retains() {
        tally.retain_until = tally.retain_until.max(until);
    }
    if version.action.deletes() {
        let delete = Delete {
            rank: version.level.rank(),
            t0: t0.unwrap_or(Timestamp::NEVER),
            from: until,
            policy: version.id,
            disposition: version.disposition,
        };
        if tally.winner.is_none_or(|winner| delete.beats(&winner)) {
            tally.winner = Some(delete);
        }
    }
    if L::LISTENS {
        tell(version, facts, t0, until, listener);
    }
}

/// A version whose compliance lock once applied: its R stays for ever.
fn apply_lock<L: Listener>(
    tally: &mut Tally,
    rules: &Rules,
    facts: &Facts<'_>,
    term: &Term,
    at: Timestamp,
    listener: &mut L,
) {
    let version = &term.version;
    let t0 = match version.trigger {
        Trigger::LabelApplied => labels_during(facts, version.level.label(), term, at)
            .map(|span| span.from)
            .max(),
        Trigger::Event(key) => rules.event(key).map(|known| known.ever),
        _ => Some(claimed(version, facts)),
    };
    let Some(t0) = t0 else {
        // An event that is not known yet: kept without end, but nothing is promised for ever.
        tally.retain_until = Timestamp::NEVER;
        return;
    };
    let until = due(t0, version.period, version.zone);
    tally.locked_until = tally.locked_until.max(until);
    tally.retain_until = tally.retain_until.max(until);
    if L::LISTENS {
        listener.hear(Reason::Locks {
            policy: version.id,
            t0,
            until,
        });
    }
}

/// The spans in which the record carried a label (any, when none is named) while a version was in
/// force: a label of the conversation counts where the message carries none of its own. Bounds
/// count on both sides: what happened within one instant of a clock that stands still happened.
fn labels_during<'f>(
    facts: &'f Facts<'_>,
    label: Option<LabelNo>,
    term: &Term,
    at: Timestamp,
) -> impl Iterator<Item = &'f LabelSpan> + use<'f> {
    let from = term.version.valid_from.max(facts.ingested);
    let until = term.ended.min(at);
    let labels = facts.labels;
    labels.iter().filter(move |span| {
        let (from, until) = (from.max(span.from), until.min(span.until));
        let shows = |at: Timestamp| {
            from <= at && at <= until && (span.own || !labels.iter().any(|own| hides(own, at)))
        };
        label.is_none_or(|label| span.label == label)
            && (shows(from)
                || labels
                    .iter()
                    .any(|own| own.own && (shows(own.from) || shows(own.until))))
    })
}

/// Whether a label of the message itself hides that of its conversation at an instant.
fn hides(span: &LabelSpan, at: Timestamp) -> bool {
    span.own && span.from < at && at < span.until
}

/// Whether the claimed time of sending lies further in the future than a wrong zone explains.
fn is_future(facts: &Facts<'_>) -> bool {
    facts.sent.0 > facts.ingested.0.saturating_add(FUTURE_MICROS)
}

/// The beginning of a period that the record itself gives.
fn claimed(version: &PolicyVersion, facts: &Facts<'_>) -> Timestamp {
    match version.trigger {
        Trigger::Ingested => facts.ingested,
        Trigger::LastActivity => facts.last_activity,
        _ if is_future(facts) || is_unproven(version, facts) => facts.ingested,
        _ => facts.sent,
    }
}

/// Under a lock the times of a file from a person do not count.
fn is_unproven(version: &PolicyVersion, facts: &Facts<'_>) -> bool {
    version.lock != Lock::None && facts.trust == SourceTrust::PersonFile
}

fn held<L: Listener>(
    rules: &Rules,
    at: Timestamp,
    matches: &mut impl FnMut(ScopeRef) -> bool,
    listener: &mut L,
) -> Option<HoldNo> {
    let mut first = None;
    for (place, hold) in rules.holds().iter().enumerate() {
        if !hold.protects_at(at) || !matches(ScopeRef::Hold(place)) {
            continue;
        }
        first = first.or(Some(hold.no));
        if !L::LISTENS {
            break;
        }
        listener.hear(Reason::Held {
            hold: hold.no,
            matter: hold.matter,
            until: hold.ends(),
        });
    }
    first
}

/// What stands in the way, the hardest first.
fn blocker(verdict: &Verdict, present: &Present) -> Option<Blocker> {
    let due = verdict.due;
    let (compliance, wall) = (present.now.compliance, present.now.wall);
    if let Some(hold) = verdict.held_by {
        return Some(Blocker::Held(hold));
    }
    if verdict.winner.is_none() {
        return Some(Blocker::NothingDeletes);
    }
    match (due <= compliance, due <= wall) {
        (true, true) => {}
        (false, false) if compliance < verdict.locked_until => {
            return Some(Blocker::Locked(verdict.locked_until));
        }
        (false, false) if compliance < verdict.retain_until => {
            return Some(Blocker::Retained(verdict.retain_until));
        }
        (false, false) => return Some(Blocker::NotDue(due)),
        _ => return Some(Blocker::ClockBehind(due)),
    }
    if due == Timestamp::NEVER {
        return Some(Blocker::NotDue(due));
    }
    if !present.trusted {
        return Some(Blocker::ClockDoubt);
    }
    present.frozen.map(Blocker::Frozen)
}

/// The reasons that one version in force gives.
fn tell(
    version: &PolicyVersion,
    facts: &Facts<'_>,
    t0: Option<Timestamp>,
    until: Timestamp,
    listener: &mut impl Listener,
) {
    let (policy, trigger) = (version.id, version.trigger);
    if version.action.retains() {
        listener.hear(Reason::Retains {
            policy,
            trigger,
            t0,
            until,
        });
    }
    if version.action.deletes() {
        listener.hear(Reason::Deletes {
            policy,
            trigger,
            t0,
            from: until,
            wins: false,
        });
    }
    match trigger {
        Trigger::Sent if is_future(facts) || is_unproven(version, facts) => {
            listener.hear(Reason::ClaimedTimeNotTaken {
                policy,
                instead: facts.ingested,
                future: is_future(facts),
            });
        }
        Trigger::Event(key) if t0.is_none() => {
            listener.hear(Reason::EventUnknown { policy, key });
        }
        _ => {}
    }
}

/// The reasons that come once for each record.
fn conclude(verdict: &Verdict, facts: &Facts<'_>, present: &Present, listener: &mut impl Listener) {
    if facts.locked_until > Timestamp::ALWAYS {
        listener.hear(Reason::LockRecorded {
            until: facts.locked_until,
        });
    }
    if facts.extended_until > Timestamp::ALWAYS {
        listener.hear(Reason::Extended {
            until: facts.extended_until,
        });
    }
    if let Some(span) = facts.label_at(present.now.compliance) {
        listener.hear(Reason::Labelled {
            label: span.label,
            from: span.from,
            own: span.own,
        });
    }
    listener.hear(Reason::Floor {
        until: verdict.floor,
    });
    listener.hear(Reason::Clock {
        compliance: present.now.compliance,
        wall: present.now.wall,
        due: verdict.due,
        trusted: present.trusted,
    });
    if let Some(reason) = present.frozen {
        listener.hear(Reason::Frozen { reason });
    }
    listener.hear(Reason::Outcome {
        blocker: verdict.blocker,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FreezeReason, HoldNo, LabelNo, Now, PolicyNo};

    #[test]
    fn a_label_of_the_message_hides_that_of_its_conversation_strictly_inside_its_span() {
        let span = |own| LabelSpan {
            label: LabelNo(1),
            from: Timestamp(10),
            until: Timestamp(20),
            own,
        };
        let hidden: Vec<i64> = (8..23)
            .filter(|at| hides(&span(true), Timestamp(*at)))
            .collect();
        assert_eq!(hidden, (11..20).collect::<Vec<_>>());
        assert!((8..23).all(|at| !hides(&span(false), Timestamp(at))));
    }

    fn verdict(due: i64, locked: i64, retained: i64) -> Verdict {
        Verdict {
            held_by: None,
            retain_until: Timestamp(retained),
            locked_until: Timestamp(locked),
            delete_from: Timestamp(due),
            floor: Timestamp::ALWAYS,
            due: Timestamp(due),
            winner: Some(PolicyRef {
                no: PolicyNo(1),
                version: 1,
            }),
            t0: Timestamp(0),
            disposition: Disposition::Reviewed(2),
            eligible: false,
            blocker: None,
        }
    }

    fn present(compliance: i64, wall: i64) -> Present {
        Present {
            now: Now {
                compliance: Timestamp(compliance),
                wall: Timestamp(wall),
            },
            trusted: true,
            frozen: None,
        }
    }

    #[test]
    fn h2_the_hardest_obstacle_is_named_and_none_outlasts_its_instant() {
        let before = present(50, 50);
        let at = Timestamp;
        assert_eq!(
            blocker(&verdict(100, 51, 51), &before),
            Some(Blocker::Locked(at(51)))
        );
        assert_eq!(
            blocker(&verdict(100, 50, 51), &before),
            Some(Blocker::Retained(at(51)))
        );
        assert_eq!(
            blocker(&verdict(100, 50, 50), &before),
            Some(Blocker::NotDue(at(100)))
        );
        assert_eq!(blocker(&verdict(50, 0, 0), &before), None);
        assert_eq!(
            blocker(&verdict(51, 0, 0), &present(50, 51)),
            Some(Blocker::ClockBehind(at(51)))
        );
        assert_eq!(
            blocker(&verdict(51, 0, 0), &present(51, 50)),
            Some(Blocker::ClockBehind(at(51)))
        );
        let doubted = Present {
            trusted: false,
            ..present(50, 50)
        };
        assert_eq!(
            blocker(&verdict(50, 0, 0), &doubted),
            Some(Blocker::ClockDoubt)
        );
        let frozen = Present {
            frozen: Some(FreezeReason::Legal),
            ..present(50, 50)
        };
        assert!(matches!(
            blocker(&verdict(50, 0, 0), &frozen),
            Some(Blocker::Frozen(_))
        ));
        let held = Verdict {
            held_by: Some(HoldNo(3)),
            ..verdict(50, 0, 0)
        };
        assert_eq!(blocker(&held, &frozen), Some(Blocker::Held(HoldNo(3))));
        let nothing = Verdict {
            winner: None,
            ..verdict(50, 0, 0)
        };
        assert_eq!(blocker(&nothing, &before), Some(Blocker::NothingDeletes));
        let never = verdict(Timestamp::NEVER.0, 0, 0);
        let end = present(i64::MAX, i64::MAX);
        assert_eq!(
            blocker(&never, &end),
            Some(Blocker::NotDue(Timestamp::NEVER))
        );
    }
}
