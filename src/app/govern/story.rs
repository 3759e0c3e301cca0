//! One policy with all its versions, how its scope reads, and what the rules in force let go now.

use std::collections::BTreeMap;

use super::super::clock::Stopwatch;
use super::super::search::zone;
use super::super::{AppError, Appliance, Reading, Result, SearchRequest, Session};
use super::policy::{PolicyLine, policy_of};
use super::simulate::DueNow;
use super::spread::policy_name;
use crate::audit::Action;
use crate::domain::{PolicyId, PolicyState, PolicyVersion, Right, Scope};
use crate::query::Purpose;
use crate::retention::{PolicyWords, simulate_watched};
use crate::store::{PolicyVersionRow, Rows};

/// A version as shown.
#[derive(Clone, Debug)]
pub struct VersionLine {
    /// What it says.
    pub version: PolicyVersion,
    /// What people call it.
    pub name: String,
    /// The scope as it is kept.
    pub scope: String,
    /// The scope as a sentence.
    pub read_as: String,
    /// The event that starts its period; empty where none does.
    pub event: String,
    /// The label it belongs to; empty where none.
    pub label: String,
    /// The law or rule it follows.
    pub citation: String,
    /// Why it was written.
    pub reason: String,
    /// Login of its author.
    pub author: String,
    /// Login of the second person, where one was needed.
    pub approved_by: Option<String>,
}

/// A policy with all its versions.
#[derive(Clone, Debug)]
pub struct PolicyStory {
    /// As listed.
    pub line: PolicyLine,
    /// Every version, newest first.
    pub versions: Vec<VersionLine>,
    /// Why its newest draft cannot be enabled yet; `None` where nothing is missing, or no draft
    /// waits.
    pub missing: Option<String>,
    /// Whether whoever looks wrote the newest version: then what weakens needs somebody else.
    pub is_own: bool,
}

impl PolicyStory {
    /// The draft that waits, if one does.
    pub fn draft(&self) -> Option<&VersionLine> {
        let newest = self.versions.first();
        newest.filter(|line| line.version.state == PolicyState::Draft)
    }
}

impl Appliance {
    /// A policy with all its versions.
    ///
    /// # Errors
    /// For who may not see the rules; when there is no such policy.
    pub fn policy(&self, session: &Session, id: PolicyId) -> Result<PolicyStory> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let line = self
            .policies(session)?
            .into_iter()
            .find(|line| line.id == id);
        let line = line.ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let rows = self.archive.store().read()?;
        let no = policy_of(&rows, id)?;
        let mut versions = Vec::new();
        let of_it = rows.policy_versions()?.into_iter();
        for row in of_it.filter(|row| row.version.id.no == no) {
            versions.push(self.version_line(&rows, &row)?);
        }
        versions.sort_by_key(|line| std::cmp::Reverse(line.version.id.version));
        let missing = self.missing_to_enable(&rows, &line.newest)?;
        Ok(PolicyStory {
            is_own: line.newest.author == session.actor.no,
            missing,
            line,
            versions,
        })
    }

    /// How the scope of a policy is read, before it is written. Nothing is changed.
    ///
    /// # Errors
    /// For anybody but a records officer; `Query` with every problem and its place.
    pub fn check_policy_scope(
        &self,
        session: &Session,
        text: &str,
        zone: Option<&str>,
    ) -> Result<Reading> {
        self.require(session, Right::WriteRules, Action::PolicyWrite)?;
        let names = self.names()?;
        let request = SearchRequest {
            zone: zone.map(str::to_owned),
            ..SearchRequest::new(text)
        };
        let everything = Scope::everything();
        self.understand(&request, Purpose::PolicyScope, &names, &everything)
            .map(|(_, reading)| reading)
    }

    /// What is due now by the rules in force, counted over what whoever asks sees. Nothing is changed.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn due_now(&self, session: &Session) -> Result<DueNow> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let watch = Stopwatch::start();
        let at = self.clock.now().compliance;
        let rows = self.archive.store().read()?;
        let book = self.book(&rows)?;
        let narrow = self.narrow(&rows, session)?;
        let inside = |no| narrow.as_ref().is_none_or(|narrow| narrow.sees(no));
        let found = simulate_watched(
            &self.archive,
            &rows,
            (&book, &book),
            at,
            &inside,
            &mut |_| true,
        )?;
        let mut ids = BTreeMap::new();
        for (no, id) in rows.policies()? {
            if self.shows_policy(&rows, narrow.as_ref(), no)? {
                ids.insert(no, id);
            }
        }
        drop(rows);
        let mut by_policy: BTreeMap<PolicyId, (String, u64)> = BTreeMap::new();
        for (policy, count) in &found.by_policy {
            if let Some(id) = ids.get(&policy.no) {
                let name = policy_name(&book, policy.no);
                by_policy.entry(*id).or_insert((name, 0)).1 += count;
            }
        }
        self.log_rules_read(session, "due", by_policy.len())?;
        Ok(DueNow {
            found,
            by_policy: by_policy
                .into_iter()
                .map(|(id, (name, count))| (id, name, count))
                .collect(),
            took: watch.elapsed(),
        })
    }

    fn version_line(&self, rows: &Rows, row: &PolicyVersionRow) -> Result<VersionLine> {
        let words = PolicyWords::from_texts(self.archive.open_texts(rows, row.text_no)?)?;
        let version = row.version;
        let mut label = String::new();
        if let Some(no) = version.level.label() {
            let known = rows.labels()?.into_iter().find(|known| known.no == no);
            if let Some(known) = known {
                [label] = self.words(rows, known.text_no)?;
            }
        }
        Ok(VersionLine {
            read_as: self.scope_as_sentence(&words.scope, version.zone.name()),
            name: words.name,
            scope: words.scope,
            event: words.event,
            label,
            citation: words.citation,
            reason: words.reason,
            author: self.login_of(rows, version.author)?,
            approved_by: match row.approved_by {
                Some(no) => Some(self.login_of(rows, no)?),
                None => None,
            },
            version,
        })
    }

    /// A kept scope as a sentence; in its canonical form where names in it are gone.
    fn scope_as_sentence(&self, scope: &str, named: &str) -> String {
        let request = SearchRequest {
            zone: zone(named).is_ok().then(|| named.to_owned()),
            ..SearchRequest::new(scope)
        };
        let everything = Scope::everything();
        let read = self
            .names()
            .and_then(|names| self.understand(&request, Purpose::Search, &names, &everything));
        read.map_or_else(|_| scope.to_owned(), |(_, reading)| reading.read_as)
    }
}
