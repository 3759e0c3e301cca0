//! Policies as the log tells them: every version with its terms and its author, and whether one
//! weakens what a lock keeps, or weakens at all without a second person and seven days.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::{Draft, Entry};
use super::super::terms::Terms;
use super::{WAIT_MICROS, told};
use crate::domain::{Lock, PolicyAction, Timestamp};

/// Days a weakening edit waits before it counts.
const WEAKENING_DAYS: i64 = 7;

/// Whether a version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Draft,
    Enabled,
    Disabled,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Version {
    state: State,
    author: String,
    terms: Terms,
    #[serde(with = "told::instant")]
    counts_from: Timestamp,
}

/// Every policy so far: its versions by number.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Policies {
    known: BTreeMap<String, BTreeMap<u64, Version>>,
    /// A restore brought rules that are in no entry.
    restored: bool,
}

impl Policies {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let state = match entry.draft.action {
            Action::PolicyWrite => State::Draft,
            Action::PolicyEnable => State::Enabled,
            Action::PolicyDisable => State::Disabled,
            Action::BackupRestore => {
                self.known.clear();
                self.restored = true;
                return;
            }
            Action::DispositionPlan => return self.check_plan(entry, wrong),
            _ => return,
        };
        self.version(entry, state, wrong);
    }

    /// Author of a version on a locked class, by `policy:version`.
    pub(super) fn locked_author(&self, version: &str) -> Option<&str> {
        let version = self.by_name(version)?;
        (version.terms.lock != Lock::None).then_some(version.author.as_str())
    }

    fn by_name(&self, name: &str) -> Option<&Version> {
        let (policy, number) = name.rsplit_once(':')?;
        self.known.get(policy)?.get(&number.parse().ok()?)
    }

    fn version(&mut self, entry: &Entry, state: State, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let policy = draft.objects.first().cloned().unwrap_or_default();
        let (Some(number), Some(terms)) = (draft.number("version"), Terms::read(draft)) else {
            wrong.push(format!("a version of policy {policy} without its terms"));
            return;
        };
        let author = match state {
            State::Draft => draft.actor.id.as_str(),
            _ => draft.fact_word("author").unwrap_or_default(),
        };
        let told = draft
            .number("counts_from")
            .and_then(|at| at.try_into().ok());
        let version = Version {
            state,
            author: author.to_owned(),
            terms,
            counts_from: told.map_or(entry.t_c, Timestamp),
        };
        if state != State::Draft {
            self.check_change(&policy, &version, entry, wrong);
        }
        let versions = self.known.entry(policy.clone()).or_default();
        if versions
            .keys()
            .next_back()
            .is_some_and(|last| *last >= number)
        {
            wrong.push(format!(
                "version {number} of policy {policy} is not its next"
            ));
        }
        versions.insert(number, version);
    }

    /// What is put in force must be what was written, and must not be weaker unlawfully.
    fn check_change(&self, policy: &str, after: &Version, entry: &Entry, wrong: &mut Vec<String>) {
        let versions = self.known.get(policy);
        let written = versions.and_then(|all| match after.state {
            State::Enabled => {
                let mut newest = all.values().rev();
                newest.find(|version| version.state == State::Draft)
            }
            // What ends is what counts now: a version may wait for its seven days behind it.
            _ => in_force(all, entry.t_c),
        });
        match written {
            Some(written) if written.terms != after.terms || written.author != after.author => {
                wrong.push(format!(
                    "what counts of policy {policy} is not what was written by {}",
                    written.author
                ));
            }
            None if !self.restored => wrong.push(format!("policy {policy} was never written")),
            _ => {}
        }
        let Some(before) = versions.and_then(|all| in_force(all, entry.t_c)) else {
            return;
        };
        let Some(way) = weaker(before, after, &entry.draft) else {
            return;
        };
        let lock = before.terms.lock;
        if let Lock::Compliance(until) = lock
            && lock.is_shut(entry.t_c)
        {
            wrong.push(format!(
                "policy {policy} gets {way}, and a compliance lock keeps it until {}",
                until.0
            ));
            return;
        }
        if entry.draft.actor.id == after.author {
            wrong.push(format!(
                "policy {policy} gets {way} by its author {} alone",
                after.author
            ));
        }
        let earliest = entry
            .t_c
            .plus_days(WEAKENING_DAYS)
            .0
            .saturating_sub(WAIT_MICROS);
        if after.counts_from.0 < earliest {
            wrong.push(format!(
                "policy {policy} gets {way}, and it counts before {WEAKENING_DAYS} days are over"
            ));
        }
    }

    /// A list of what is due stands on versions that are in force.
    fn check_plan(&self, entry: &Entry, wrong: &mut Vec<String>) {
        for name in &entry.draft.policy_versions {
            let counts = match self.by_name(name) {
                Some(version) => {
                    version.state == State::Enabled && version.counts_from <= entry.t_c
                }
                None => self.restored,
            };
            if !counts {
                wrong.push(format!("a list stands on {name}, which was not in force"));
            }
        }
    }
}

/// The version of a policy that counts at an instant.
fn in_force(versions: &BTreeMap<u64, Version>, at: Timestamp) -> Option<&Version> {
    let mut counting = versions
        .values()
        .rev()
        .filter(|version| version.state != State::Draft && version.counts_from <= at);
    counting
        .next()
        .filter(|version| version.state == State::Enabled)
}

fn weaker(before: &Version, after: &Version, draft: &Draft) -> Option<&'static str> {
    if after.state == State::Disabled {
        // The end of a default that only lets go lets nothing more go.
        let harmless =
            before.terms.action == PolicyAction::Delete && before.terms.level == "organisation";
        return (!harmless).then_some("an end");
    }
    let scope = draft.fact_word("scope") == Some("other");
    let way = after.terms.weaker_than(&before.terms);
    way.or(scope.then_some("a narrower scope"))
}
