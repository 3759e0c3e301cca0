//! Policies and their versions: written once, never edited.

use rusqlite::{OptionalExtension, Row};

use super::{Rows, StoreError, WriteTx};
use crate::domain::{
    Disposition, EventKey, LabelNo, Level, Lock, Period, PolicyAction, PolicyId, PolicyNo,
    PolicyRef, PolicyState, PolicyVersion, TenantNo, Timestamp, Trigger, UserNo,
};

/// One version of a policy with the number of its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyVersionRow {
    /// What it says.
    pub version: PolicyVersion,
    /// The second person, where a weakening needed one.
    pub approved_by: Option<UserNo>,
    /// Content number of its words.
    pub text_no: u64,
}

const COLUMNS: &str = "policy, version, state, action, months, days, zone, trigger, event, level, \
                       label, lock, lock_until, reviewers, valid_from, created, author, \
                       approved_by, text_no";

fn corrupt(what: &str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(
        0,
        rusqlite::types::Type::Integer,
        format!("policy_version: {what} is of no known kind").into(),
    )
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<PolicyVersionRow> {
    Ok(PolicyVersionRow {
        version: PolicyVersion {
            id: PolicyRef {
                no: PolicyNo(row.get(0)?),
                version: row.get(1)?,
            },
            state: PolicyState::from_number(row.get(2)?).ok_or_else(|| corrupt("state"))?,
            action: PolicyAction::from_number(row.get(3)?).ok_or_else(|| corrupt("action"))?,
            period: match (row.get(4)?, row.get(5)?) {
                (Some(months), Some(days)) => Period::Calendar { months, days },
                _ => Period::Infinite,
            },
            zone: row
                .get::<_, String>(6)?
                .parse()
                .map_err(|_| corrupt("zone"))?,
            trigger: read_trigger(row.get(7)?, row.get(8)?)?,
            level: match row.get::<_, u8>(9)? {
                1 => Level::Organisation,
                2 => Level::Scoped,
                3 => Level::Label(LabelNo(row.get(10)?)),
                _ => return Err(corrupt("level")),
            },
            lock: read_lock(row.get(11)?, row.get(12)?)?,
            disposition: match row.get::<_, u8>(13)? {
                0 => Disposition::Auto,
                count => Disposition::Reviewed(count),
            },
            valid_from: Timestamp(row.get(14)?),
            created: Timestamp(row.get(15)?),
            author: UserNo(row.get(16)?),
        },
        approved_by: row.get::<_, Option<u32>>(17)?.map(UserNo),
        text_no: row.get(18)?,
    })
}

fn read_trigger(number: u8, event: Option<[u8; 16]>) -> rusqlite::Result<Trigger> {
    match (number, event) {
        (0, _) => Ok(Trigger::Sent),
        (1, _) => Ok(Trigger::Ingested),
        (2, _) => Ok(Trigger::LastActivity),
        (3, _) => Ok(Trigger::LabelApplied),
        (4, Some(key)) => Ok(Trigger::Event(EventKey(key))),
        _ => Err(corrupt("trigger")),
    }
}

fn read_lock(number: u8, until: Option<i64>) -> rusqlite::Result<Lock> {
    match (number, until) {
        (0, _) => Ok(Lock::None),
        (1, Some(until)) => Ok(Lock::Governance(Timestamp(until))),
        (2, Some(until)) => Ok(Lock::Compliance(Timestamp(until))),
        _ => Err(corrupt("lock")),
    }
}

fn trigger_numbers(trigger: &Trigger) -> (u8, Option<&[u8]>) {
    match trigger {
        Trigger::Sent => (0, None),
        Trigger::Ingested => (1, None),
        Trigger::LastActivity => (2, None),
        Trigger::LabelApplied => (3, None),
        Trigger::Event(key) => (4, Some(&key.0[..])),
    }
}

impl Rows {
    /// Every version of every policy, drafts and disabled ones too, by policy and version.
    pub fn policy_versions(&self) -> Result<Vec<PolicyVersionRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "select {COLUMNS} from policy_version order by policy, version"
        ))?;
        let rows = statement.query_map([], read_row)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// One version.
    pub fn policy_version(&self, id: PolicyRef) -> Result<Option<PolicyVersionRow>, StoreError> {
        Ok(self
            .connection
            .prepare_cached(&format!(
                "select {COLUMNS} from policy_version where policy = ?1 and version = ?2"
            ))?
            .query_row((id.no.0, id.version), read_row)
            .optional()?)
    }

    /// The public id of every policy, by number.
    pub fn policies(&self) -> Result<Vec<(PolicyNo, PolicyId)>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("select no, id from policy order by no")?;
        let rows = statement.query_map([], |row| {
            Ok((
                PolicyNo(row.get(0)?),
                PolicyId(u128::from_be_bytes(row.get(1)?)),
            ))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

impl WriteTx<'_> {
    /// Adds a policy without versions.
    pub fn insert_policy(&self, id: PolicyId, created: Timestamp) -> Result<PolicyNo, StoreError> {
        self.connection()
            .prepare_cached("insert into policy (tenant, id, created) values (?1, ?2, ?3)")?
            .execute((TenantNo::FIRST.0, &id.0.to_be_bytes()[..], created.0))?;
        self.last_no("policies are used up").map(PolicyNo)
    }

    /// Adds a version; its version number is ignored and the next one given.
    pub fn insert_policy_version(&self, row: &PolicyVersionRow) -> Result<PolicyRef, StoreError> {
        let version = &row.version;
        let next: u32 = self
            .connection()
            .prepare_cached(
                "select coalesce(max(version), 0) + 1 from policy_version where policy = ?1",
            )?
            .query_row([version.id.no.0], |row| row.get(0))?;
        let (months, days) = match version.period {
            Period::Calendar { months, days } => (Some(months), Some(days)),
            Period::Infinite => (None, None),
        };
        let (trigger, event) = trigger_numbers(&version.trigger);
        let reviewers = match version.disposition {
            Disposition::Auto => 0,
            Disposition::Reviewed(count) => count,
        };
        let lock_until = (version.lock != Lock::None).then(|| version.lock.until().0);
        self.connection()
            .prepare_cached(&format!(
                "insert into policy_version ({COLUMNS}, tenant)
                 values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                   ?17, ?18, ?19, ?20)"
            ))?
            .execute(rusqlite::params![
                version.id.no.0,
                next,
                version.state as u8,
                version.action as u8,
                months,
                days,
                version.zone.name(),
                trigger,
                event,
                version.level.rank(),
                version.level.label().map(|label| label.0),
                version.lock.rank(),
                lock_until,
                reviewers,
                version.valid_from.0,
                version.created.0,
                version.author.0,
                row.approved_by.map(|user| user.0),
                row.text_no,
                TenantNo::FIRST.0,
            ])?;
        self.rules_changed()?;
        Ok(PolicyRef {
            no: version.id.no,
            version: next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;
    use super::*;

    #[test]
    fn every_kind_of_version_reads_back() {
        let scratch = scratch();
        let store = scratch.open();
        let tx = store.write().unwrap();
        let no = tx.insert_policy(PolicyId(9), Timestamp(1)).unwrap();
        let base = PolicyVersion {
            id: PolicyRef { no, version: 0 },
            state: PolicyState::Draft,
            action: PolicyAction::Retain,
            period: Period::years(7),
            zone: chrono_tz::Europe::Berlin,
            trigger: Trigger::Sent,
            level: Level::Organisation,
            lock: Lock::None,
            disposition: Disposition::Reviewed(2),
            valid_from: Timestamp(5),
            created: Timestamp(6),
            author: UserNo(1),
        };
        let kinds = [
            base,
            PolicyVersion {
                state: PolicyState::Enabled,
                action: PolicyAction::Delete,
                period: Period::Infinite,
                trigger: Trigger::Event(EventKey([3; 16])),
                level: Level::Label(LabelNo(4)),
                lock: Lock::Compliance(Timestamp(99)),
                disposition: Disposition::Auto,
                ..base
            },
            PolicyVersion {
                state: PolicyState::Disabled,
                action: PolicyAction::RetainThenDelete,
                trigger: Trigger::LastActivity,
                level: Level::Scoped,
                lock: Lock::Governance(Timestamp(-1)),
                ..base
            },
        ];
        let before = tx.epochs().unwrap().rule;
        for (place, version) in kinds.into_iter().enumerate() {
            let mut row = PolicyVersionRow {
                version,
                approved_by: Some(UserNo(2)),
                text_no: 70,
            };
            row.version.id = tx.insert_policy_version(&row).unwrap();
            assert_eq!(row.version.id.version as usize, place + 1);
            assert_eq!(tx.policy_version(row.version.id).unwrap(), Some(row));
        }
        assert_eq!(tx.policy_versions().unwrap().len(), 3);
        assert_eq!(tx.policies().unwrap(), [(no, PolicyId(9))]);
        assert_eq!(tx.epochs().unwrap().rule, before + 3);
    }
}
