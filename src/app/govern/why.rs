//! The words of "why is this message still here": the same on a page and on the command line.

use super::simulate::Why;
use crate::domain::{Blocker, HoldId, HoldNo, PolicyId, PolicyRef, Reason, Timestamp};

/// What a sentence is about, where somebody can go on from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// A policy.
    Policy(PolicyId),
    /// A hold.
    Hold(HoldId),
}

/// One sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Its words, without a full stop.
    pub text: String,
    /// What it is about.
    pub about: Option<About>,
}

impl Why {
    /// The verdict as a sentence; `local` writes an instant.
    pub fn verdict_sentence(&self, local: &dyn Fn(Timestamp) -> String) -> Sentence {
        let local = &|time| dated(time, local);
        let text = match self.verdict.blocker {
            None => "It may go: put it on a list".to_owned(),
            Some(Blocker::Held(hold)) => {
                let (name, id) = self.hold(hold);
                return Sentence {
                    text: format!("It stays: {name} protects it; two people can release it"),
                    about: id.map(About::Hold),
                };
            }
            Some(Blocker::NothingDeletes) => {
                "It stays: no policy lets it go; a records officer can write one".to_owned()
            }
            Some(Blocker::Locked(until)) => format!(
                "It stays until {}: a compliance lock, which nobody can lift",
                local(until)
            ),
            Some(Blocker::Retained(Timestamp::NEVER)) => {
                "It stays: a policy keeps it without end, or waits for an event".to_owned()
            }
            Some(Blocker::Retained(until)) => {
                format!("It stays until {}: a policy keeps it", local(until))
            }
            Some(Blocker::NotDue(due)) => format!("It is not due before {}", local(due)),
            Some(Blocker::ClockBehind(due)) => format!(
                "It is due since {} by one clock and not by the other",
                local(due)
            ),
            Some(Blocker::ClockDoubt) => "It stays while the clock is in doubt".to_owned(),
            Some(Blocker::Frozen(reason)) => format!(
                "It stays: purging is frozen ({}); two people can lift it",
                reason.name()
            ),
        };
        plain(text)
    }

    /// Every reason as a sentence, in the order of the rules.
    pub fn reason_sentences(&self, local: &dyn Fn(Timestamp) -> String) -> Vec<Sentence> {
        let local = |time| dated(time, local);
        let mut sentences: Vec<Sentence> = Vec::new();
        for sentence in self.reasons.iter().filter_map(|one| self.rule(one, &local)) {
            // What is not theirs to see has no name: how many there are is not told either.
            if sentence.about.is_some() || !sentences.contains(&sentence) {
                sentences.push(sentence);
            }
        }
        sentences
    }

    fn hold(&self, no: HoldNo) -> (String, Option<HoldId>) {
        let known = self.holds.iter().find(|(known, _, _)| *known == no);
        match known {
            Some((_, id, name)) => (format!("hold {id} \"{name}\""), Some(*id)),
            // Not theirs to see: neither its name nor how many there are.
            None => ("a hold".to_owned(), None),
        }
    }

    /// A sentence that begins with a policy.
    fn of_policy(&self, policy: PolicyRef, goes_on: &str) -> Sentence {
        let known = self.policies.iter().find(|(no, _, _)| *no == policy.no);
        let version = policy.version;
        match known {
            Some((_, id, name)) => Sentence {
                text: format!("policy {id} \"{name}\" version {version} {goes_on}"),
                about: Some(About::Policy(*id)),
            },
            None => plain(format!("a policy {goes_on}")),
        }
    }

    /// What is a policy.
    fn rule(&self, reason: &Reason, local: &dyn Fn(Timestamp) -> String) -> Option<Sentence> {
        let since = |t0: Option<Timestamp>| t0.map_or_else(|| "not begun".to_owned(), local);
        Some(match reason {
            Reason::Retains {
                policy,
                trigger,
                t0,
                until,
            } => {
                let (until, begun) = (local(*until), since(*t0));
                let goes_on = format!("keeps it until {until} ({}: {begun})", trigger.name());
                self.of_policy(*policy, &goes_on)
            }
            Reason::Locks { policy, until, .. } => {
                self.of_policy(*policy, &format!("locked it until {}", local(*until)))
            }
            Reason::Deletes {
                policy,
                trigger,
                t0,
                from,
                wins,
            } => {
                let goes_on = format!(
                    "lets it go from {} on ({}: {}){}",
                    local(*from),
                    trigger.name(),
                    since(*t0),
                    if *wins { ", and decides" } else { "" }
                );
                self.of_policy(*policy, &goes_on)
            }
            Reason::ClaimedTimeNotTaken {
                policy, instead, ..
            } => {
                let instead = local(*instead);
                let goes_on = format!("counts from {instead}: its claimed time is not believed");
                self.of_policy(*policy, &goes_on)
            }
            Reason::EventUnknown { policy, .. } => self.of_policy(*policy, "waits for its event"),
            other => return self.circumstance(other, local),
        })
    }

    /// What is no policy: labels, holds, floors, clocks.
    fn circumstance(
        &self,
        reason: &Reason,
        local: &dyn Fn(Timestamp) -> String,
    ) -> Option<Sentence> {
        let text = match reason {
            Reason::LockRecorded { until } => {
                format!("a lock recorded with it: until {}", local(*until))
            }
            Reason::Extended { until } => {
                format!("a reviewer extended it until {}", local(*until))
            }
            Reason::Labelled { label, from, own } => {
                let known = self.labels.iter().find(|(no, _, _)| no == label);
                let name = known.map_or("?", |(_, _, name)| name.as_str());
                let whose = match own {
                    true => "its own label",
                    false => "the label of its conversation",
                };
                format!("{whose}: \"{name}\" since {}", local(*from))
            }
            Reason::Held { hold, until, .. } => {
                let (name, id) = self.hold(*hold);
                let text = match *until {
                    Timestamp::NEVER => format!("{name} protects it"),
                    until => format!("{name}, released, protects it until {}", local(until)),
                };
                return Some(Sentence {
                    text,
                    about: id.map(About::Hold),
                });
            }
            Reason::Floor { until } => {
                format!("thirty days after it came in: until {}", local(*until))
            }
            Reason::Clock {
                compliance,
                wall,
                trusted,
                ..
            } => format!(
                "compliance time {}, wall clock {}{}",
                local(*compliance),
                local(*wall),
                if *trusted { "" } else { ", in doubt" }
            ),
            Reason::Frozen { reason } => format!("purging is frozen: {}", reason.name()),
            _ => return None,
        };
        Some(plain(text))
    }
}

fn plain(text: String) -> Sentence {
    Sentence { text, about: None }
}

fn dated(time: Timestamp, local: &dyn Fn(Timestamp) -> String) -> String {
    match time {
        Timestamp::NEVER => "no date".to_owned(),
        Timestamp::ALWAYS => "always".to_owned(),
        time => local(time),
    }
}
