//! The use-cases of retention policies: write, simulate, enable, end, list.
//!
//! A policy is written as a draft, simulated over the whole archive, and only then enabled. An edit
//! is the next version. What weakens a version in force needs a second person and seven days; what
//! a compliance lock forbids is refused, and the refusal is logged.

use chrono_tz::Tz;

use super::super::search::zone;
use super::super::{AppError, Appliance, Result, Session};
use super::words;
use crate::audit::{Action, Appended, Outcome};
use crate::domain::{
    Disposition, Level, Lock, Period, PolicyAction, PolicyId, PolicyNo, PolicyRef, PolicyState,
    PolicyVersion, Right, STAGES_MAX, Scope as Sight, Timestamp, Trigger,
};
use crate::query::{Code, Purpose};
use crate::retention::{
    Edit, EventWords, PolicyWords, Scope, ScopeChange, ScopeContext, WEAKENING_DAYS, check_version,
    edit, may_enable, scope_change,
};
use crate::store::{PolicyVersionRow, Rows};

/// A version of a policy as asked for.
#[derive(Clone, Debug)]
pub struct NewPolicy {
    /// The policy it is the next version of; `None` begins a new one.
    pub of: Option<PolicyId>,
    /// What people call it.
    pub name: String,
    /// Which records, in the query language.
    pub scope: String,
    /// What it does.
    pub action: PolicyAction,
    /// How long.
    pub period: Period,
    /// Zone of its calendar; `None` is that of the workspace.
    pub zone: Option<String>,
    /// What starts the period: `sent`, `ingested`, `last_activity`, `label_applied`, or an event
    /// such as `employee_left(emp42)`.
    pub trigger: String,
    /// The label it belongs to, by name or id.
    pub label: Option<String>,
    /// Whether it is the default of the organisation.
    pub organisation: bool,
    /// How hard it is to weaken.
    pub lock: Lock,
    /// Distinct reviewers of what is due; `None` = one. 0 destroys without review.
    pub reviewers: Option<u8>,
    /// The law or rule it follows.
    pub citation: String,
    /// Why it is written.
    pub reason: String,
    /// Warnings of the scope accepted by code.
    pub accept: Vec<Code>,
}

/// A policy as listed: its newest version and what is in force.
#[derive(Clone, Debug)]
pub struct PolicyLine {
    /// Its public id.
    pub id: PolicyId,
    /// What people call it.
    pub name: String,
    /// The scope as it is kept.
    pub scope: String,
    /// The law or rule it follows.
    pub citation: String,
    /// The newest version.
    pub newest: PolicyVersion,
    /// The number of the version in force, if one is.
    pub in_force: Option<u32>,
    /// Its latest simulation, of whichever version.
    pub simulated: Option<LastSimulation>,
}

impl PolicyLine {
    /// How it stands, in words.
    pub fn standing(&self) -> &'static str {
        match (self.in_force, self.newest.state) {
            (Some(_), PolicyState::Draft) => "in force, draft waits",
            (Some(_), PolicyState::Disabled) => "in force, ends",
            (Some(_), PolicyState::Enabled) => "in force",
            (None, PolicyState::Enabled) => "waits",
            (None, state) => state.name(),
        }
    }
}

/// The latest simulation of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastSimulation {
    /// The version that was tried.
    pub version: u32,
    /// When it ran.
    pub ran: Timestamp,
    /// The day it looked at.
    pub as_of: Timestamp,
    /// Records looked at.
    pub records: u64,
    /// Records that would be due.
    pub due: u64,
    /// Whether no rule and no hold changed since.
    pub is_fresh: bool,
}

/// What came of enabling or ending a policy.
#[derive(Clone, Debug)]
pub struct PolicyChanged {
    /// The version that was written.
    pub version: PolicyRef,
    /// From when on it counts.
    pub counts_from: Timestamp,
    /// In which ways it is weaker than the version it replaces.
    pub weaker: Vec<&'static str>,
    /// The audit entry.
    pub audit: Appended,
}

impl Appliance {
    /// Writes a draft. Nothing is in force until it is simulated and enabled.
    ///
    /// # Errors
    /// For anybody but a records officer; when the scope is ambiguous or a word is missing.
    pub fn write_policy(
        &self,
        session: &Session,
        new: &NewPolicy,
    ) -> Result<(PolicyId, PolicyRef, Appended)> {
        self.require(session, Right::WriteRules, Action::PolicyWrite)?;
        let name = words::name("the name of the policy", &new.name)?;
        let reason = words::reason(&new.reason)?;
        let zone = zone(new.zone.as_deref().unwrap_or(&self.zone_name()))?;
        let scope = self.policy_scope(&new.scope, zone, &new.accept)?;
        let (trigger, event) = self.trigger_of(&new.trigger)?;
        let disposition = disposition_of(new.reviewers)?;
        let citation = match new.citation.trim() {
            "" => "",
            given => words::reason(given)?,
        };
        let now = self.clock.now();
        let fresh = PolicyId(self.new_id());
        self.change(now, |tx| {
            let (id, no) = match new.of {
                None => (fresh, tx.insert_policy(fresh, now.compliance)?),
                Some(id) => (id, policy_of(tx, id)?),
            };
            let level = match (&new.label, new.organisation) {
                (Some(label), _) => Level::Label(self.label_of(tx, label)?.no),
                (None, true) => Level::Organisation,
                (None, false) => Level::Scoped,
            };
            let sealed = PolicyWords {
                name: name.to_owned(),
                scope: scope.canonical.clone(),
                citation: citation.to_owned(),
                reason: reason.to_owned(),
                event: event.clone(),
            };
            let text_no = self.archive.seal_texts(tx, &sealed.texts())?;
            let version = PolicyVersion {
                id: PolicyRef { no, version: 0 },
                state: PolicyState::Draft,
                action: new.action,
                period: new.period,
                zone,
                trigger,
                level,
                lock: new.lock,
                disposition,
                valid_from: now.compliance,
                created: now.compliance,
                author: session.actor.no,
            };
            check_version(&version).map_err(|error| AppError::Usage(error.to_string()))?;
            let written = tx.insert_policy_version(&PolicyVersionRow {
                version,
                approved_by: None,
                text_no,
            })?;
            let draft = self
                .draft(session, Action::PolicyWrite)
                .object(id)
                .count("version", u64::from(written.version))
                .terms(&version);
            let payload = sealed.texts().join("\n");
            let entry = self.log(tx, now, draft, Some(payload.as_bytes()))?;
            Ok((id, written, entry))
        })
    }

    /// Enables the newest draft of a policy. It needs a simulation that is newer than the last
    /// change of any rule. What weakens the version in force needs another person than its author,
    /// and counts after seven days.
    ///
    /// # Errors
    /// `Blocked` with what is missing: the simulation, the second person, or a compliance lock.
    pub fn enable_policy(
        &self,
        session: &Session,
        id: PolicyId,
        reason: &str,
    ) -> Result<PolicyChanged> {
        self.require(session, Right::WriteRules, Action::PolicyEnable)?;
        let reason = words::reason(reason)?;
        let rows = self.archive.store().read()?;
        let draft = newest_of(&rows, policy_of(&rows, id)?)?;
        if draft.version.state != PolicyState::Draft {
            return Err(AppError::Conflict(format!(
                "the newest version of {id} is no draft: write the next one first"
            )));
        }
        let simulated = rows.last_simulation(draft.version.id)?;
        may_enable(simulated.as_ref(), rows.epochs()?)?;
        drop(rows);
        let after = PolicyVersion {
            state: PolicyState::Enabled,
            ..draft.version
        };
        self.put_in_force(session, id, &after, draft.text_no, reason)
    }

    /// Why a draft cannot be enabled yet; `None` when nothing is missing, or it is no draft.
    pub(super) fn missing_to_enable(
        &self,
        rows: &Rows,
        newest: &PolicyVersion,
    ) -> Result<Option<String>> {
        if newest.state != PolicyState::Draft {
            return Ok(None);
        }
        let simulated = rows.last_simulation(newest.id)?;
        let missing = may_enable(simulated.as_ref(), rows.epochs()?).err();
        Ok(missing.map(|error| error.to_string()))
    }

    /// Ends a policy: what it kept is no longer kept by it.
    ///
    /// # Errors
    /// As [`Appliance::enable_policy`]; when no version of it is in force.
    pub fn disable_policy(
        &self,
        session: &Session,
        id: PolicyId,
        reason: &str,
    ) -> Result<PolicyChanged> {
        self.require(session, Right::WriteRules, Action::PolicyDisable)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let current = in_force(&rows, policy_of(&rows, id)?, now.compliance)?
            .ok_or_else(|| AppError::NotFound(format!("a version of {id} in force")))?;
        drop(rows);
        let after = PolicyVersion {
            state: PolicyState::Disabled,
            ..current.version
        };
        self.put_in_force(session, id, &after, current.text_no, reason)
    }

    /// Every policy with its newest version.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn policies(&self, session: &Session) -> Result<Vec<PolicyLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let narrow = self.narrow(&rows, session)?;
        let mut lines = Vec::new();
        for (no, id) in rows.policies()? {
            if !self.shows_policy(&rows, narrow.as_ref(), no)? {
                continue;
            }
            let newest = newest_of(&rows, no)?;
            let words = PolicyWords::from_texts(self.archive.open_texts(&rows, newest.text_no)?)?;
            lines.push(PolicyLine {
                id,
                name: words.name,
                scope: words.scope,
                citation: words.citation,
                newest: newest.version,
                in_force: in_force(&rows, no, now.compliance)?.map(|row| row.version.id.version),
                // Its figures are of the whole archive.
                simulated: match narrow {
                    None => last_simulation(&rows, newest.version.id)?,
                    Some(_) => None,
                },
            });
        }
        drop(rows);
        self.log_rules_read(session, "policies", lines.len())?;
        Ok(lines)
    }

    fn put_in_force(
        &self,
        session: &Session,
        id: PolicyId,
        after: &PolicyVersion,
        text_no: u64,
        reason: &str,
    ) -> Result<PolicyChanged> {
        let action = || match after.state {
            PolicyState::Disabled => Action::PolicyDisable,
            _ => Action::PolicyEnable,
        };
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let before = in_force(&rows, after.id.no, now.compliance)?;
        let scope = self.scope_change(&rows, before.as_ref(), text_no)?;
        drop(rows);
        let needed = edit(
            before.as_ref().map(|row| &row.version),
            after,
            scope,
            now.compliance,
        );
        let by = session.actor.no;
        let (ways, counts_from, approved_by) = match needed {
            Edit::Strengthens => (Vec::new(), now.compliance, None),
            Edit::Refused { ways, until } => {
                self.refuse_change(session, action(), id)?;
                let first = ways.first().map_or("it is weaker", |way| way.name());
                return Err(AppError::Blocked(format!(
                    "a compliance lock keeps policy {id} as it is until {} ({first}); nobody can \
                     lift it before",
                    day_of(until)
                )));
            }
            Edit::Weakens { ways, earliest, .. } => {
                let author = match after.state {
                    PolicyState::Disabled => before.as_ref().map(|row| row.version.author),
                    _ => Some(after.author),
                };
                if author == Some(by) {
                    let first = ways.first().map_or("it is weaker", |way| way.name());
                    return Err(AppError::Blocked(format!(
                        "this weakens policy {id} ({first}): another records officer than its \
                         author must do it, and it counts after {WEAKENING_DAYS} days"
                    )));
                }
                (ways, earliest, Some(by))
            }
        };
        let weaker: Vec<&'static str> = ways.iter().map(|way| way.name()).collect();
        self.change(now, |tx| {
            let version = tx.insert_policy_version(&PolicyVersionRow {
                version: PolicyVersion {
                    valid_from: counts_from,
                    created: now.compliance,
                    ..*after
                },
                approved_by,
                text_no,
            })?;
            let draft = self
                .draft(session, action())
                .object(id)
                .count("version", u64::from(version.version))
                .terms(after)
                .word("scope", scope.name())
                .instant("counts_from", counts_from)
                .count("weaker", weaker.len() as u64)
                .word("author", self.user_id(tx, after.author)?);
            let audit = self.log(tx, now, draft, Some(reason.as_bytes()))?;
            Ok(PolicyChanged {
                version,
                counts_from,
                weaker: weaker.clone(),
                audit,
            })
        })
    }

    /// A refusal by a lock is in the log before it is told.
    fn refuse_change(&self, session: &Session, action: Action, id: PolicyId) -> Result<()> {
        let now = self.clock.now();
        self.change(now, |tx| {
            let draft = self.draft(session, action).object(id);
            self.log(tx, now, draft.result(Outcome::Refused), None)
                .map(drop)
        })
    }

    fn scope_change(
        &self,
        rows: &Rows,
        before: Option<&PolicyVersionRow>,
        text_no: u64,
    ) -> Result<ScopeChange> {
        let Some(before) = before else {
            return Ok(ScopeChange::Same);
        };
        let scope_of = |text_no: u64| -> Result<Scope> {
            let words = PolicyWords::from_texts(self.archive.open_texts(rows, text_no)?)?;
            self.stored_scope(&words.scope, before.version.zone)
        };
        let (elder, newer) = (scope_of(before.text_no)?, scope_of(text_no)?);
        Ok(scope_change(&elder, &newer))
    }

    /// Reads the scope of a new version; names are those of the whole archive.
    fn policy_scope(&self, text: &str, zone: Tz, accepted: &[Code]) -> Result<Scope> {
        let names = self.names()?;
        let everything = Sight::everything();
        let scoped = names.within(&self.archive, &everything, None);
        let context = ScopeContext {
            purpose: Purpose::PolicyScope,
            zone,
            now: self.clock.now().wall,
            accepted,
        };
        Ok(Scope::read(text, &scoped, &context)?)
    }

    /// Reads the scope of a version as it was kept.
    pub(super) fn stored_scope(&self, text: &str, zone: Tz) -> Result<Scope> {
        let names = self.names()?;
        let everything = Sight::everything();
        let scoped = names.within(&self.archive, &everything, None);
        let context = ScopeContext {
            purpose: Purpose::PolicyScope,
            zone,
            now: self.clock.now().wall,
            accepted: &[],
        };
        Ok(Scope::stored(text, &scoped, &context, "a policy", false)?)
    }

    fn trigger_of(&self, text: &str) -> Result<(Trigger, String)> {
        let plain = match text.trim().replace('-', "_").to_lowercase().as_str() {
            "sent" => Some(Trigger::Sent),
            "ingested" => Some(Trigger::Ingested),
            "last_activity" => Some(Trigger::LastActivity),
            "label_applied" => Some(Trigger::LabelApplied),
            _ => None,
        };
        if let Some(trigger) = plain {
            return Ok((trigger, String::new()));
        }
        let words = EventWords::read(text).map_err(|_| {
            AppError::Usage(format!(
                "\"{text}\" starts no period; write sent, ingested, last_activity, label_applied or \
                 an event such as employee_left(emp42)"
            ))
        })?;
        let event = format!("{}({})", words.kind, words.key);
        Ok((Trigger::Event(words.lookup(&self.archive)), event))
    }
}

/// The policy of an id.
pub(super) fn policy_of(rows: &Rows, id: PolicyId) -> Result<PolicyNo> {
    let found = rows.policies()?.into_iter().find(|(_, known)| *known == id);
    found
        .map(|(no, _)| no)
        .ok_or_else(|| AppError::NotFound(id.to_string()))
}

/// The newest version of a policy.
pub(super) fn newest_of(rows: &Rows, no: PolicyNo) -> Result<PolicyVersionRow> {
    let versions = rows.policy_versions()?.into_iter();
    versions
        .filter(|row| row.version.id.no == no)
        .max_by_key(|row| row.version.id.version)
        .ok_or_else(|| AppError::NotFound(format!("a version of policy {no}")))
}

/// The latest simulation of the newest version, or of the nearest before it that has one.
fn last_simulation(rows: &Rows, newest: PolicyRef) -> Result<Option<LastSimulation>> {
    let epochs = rows.epochs()?;
    for version in (1..=newest.version).rev() {
        let tried = PolicyRef { version, ..newest };
        if let Some(row) = rows.last_simulation(tried)? {
            return Ok(Some(LastSimulation {
                version,
                ran: row.ran,
                as_of: row.as_of,
                records: row.records,
                due: row.eligible,
                is_fresh: row.epochs == epochs,
            }));
        }
    }
    Ok(None)
}

/// The version of a policy in force at an instant.
fn in_force(rows: &Rows, no: PolicyNo, at: Timestamp) -> Result<Option<PolicyVersionRow>> {
    let versions = rows.policy_versions()?.into_iter();
    let newest = versions
        .filter(|row| row.version.id.no == no && row.version.valid_from <= at)
        .filter(|row| row.version.state != PolicyState::Draft)
        .max_by_key(|row| row.version.id.version);
    Ok(newest.filter(|row| row.version.state == PolicyState::Enabled))
}

fn disposition_of(reviewers: Option<u8>) -> Result<Disposition> {
    match reviewers.unwrap_or(1) {
        0 => Ok(Disposition::Auto),
        count if count <= STAGES_MAX => Ok(Disposition::Reviewed(count)),
        _ => Err(AppError::Usage(format!(
            "what is due is reviewed by at most {STAGES_MAX} people"
        ))),
    }
}

/// The day of an instant in UTC.
fn day_of(at: Timestamp) -> String {
    let (year, month, day) = at.civil_utc();
    format!("{year:04}-{month:02}-{day:02}")
}
