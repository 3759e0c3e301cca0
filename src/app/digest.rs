//! The use-case "what happened in the log lately": what whoever watches the house asks first.

use std::collections::BTreeMap;

use super::{AppError, Appliance, Result, Session};
use crate::audit::{Action, Appended, Entry, Outcome};
use crate::domain::{EntryNo, Right, Role, Timestamp};
use crate::store::Rows;

/// Latest entries that are looked through.
pub const DIGEST_ENTRIES_MAX: u64 = 20_000;
/// Unusual acts that are shown.
const UNUSUAL_MAX: usize = 12;
/// Entries read at once.
const PAGE: u64 = 1_000;

/// Acts that are done rarely and reach far: each is worth a look.
const FAR_REACHING: [Action; 24] = [
    Action::BackupRestore,
    Action::RestoreConfirm,
    Action::ClockAdvance,
    Action::ConfigChange,
    Action::EraseIntent,
    Action::EscrowReplace,
    Action::ExportTake,
    Action::FactorRemove,
    Action::FreezeLift,
    Action::HoldRelease,
    Action::HoldReleaseRequest,
    Action::KeyRotate,
    Action::LogExport,
    Action::PayloadPrune,
    Action::PolicyDisable,
    Action::RecoveryCreate,
    Action::SlotAdd,
    Action::SlotRemove,
    Action::TokenCreate,
    Action::UserAdd,
    Action::UserEnable,
    Action::UserGrant,
    Action::UserPassword,
    Action::UserRole,
];

/// Somebody who can sign in, for a review of who may do what.
#[derive(Clone, Debug)]
pub struct AccessLine {
    /// Public id.
    pub id: String,
    /// Log-in name.
    pub login: String,
    /// Job title.
    pub role: Role,
    /// Whether they may no longer sign in.
    pub disabled: bool,
    /// Whether a second factor is asked.
    pub second_factor: bool,
    /// The last time they signed in, among the entries that were looked through.
    pub last: Option<Timestamp>,
    /// What they did since, and before, among those entries.
    pub acts: u64,
}

/// The latest entries of the log, told in short.
#[derive(Clone, Debug)]
pub struct LogDigest {
    /// Entries there are.
    pub size: u64,
    /// From which entry on they were looked through.
    pub from: u64,
    /// When the asker signed in the time before this one, and entries since.
    pub last_visit: Option<(Timestamp, u64)>,
    /// The last verification, by anybody.
    pub verified: Option<Entry>,
    /// Entries since that verification.
    pub since_verified: u64,
    /// Unusual acts, latest first: refused, failed, or far-reaching.
    pub unusual: Vec<Entry>,
    /// How many of them there are.
    pub unusual_count: u64,
    /// Who can sign in.
    pub people: Vec<AccessLine>,
    /// The entry of this reading.
    pub audit: Appended,
}

/// What somebody did among the entries: when they signed in last, and how many are theirs.
type Seen = BTreeMap<String, (Option<Timestamp>, u64)>;

/// Who can sign in.
fn access(rows: &Rows, seen: &Seen) -> Result<Vec<AccessLine>> {
    let mut people = Vec::new();
    for user in rows.users()? {
        let id = user.id.to_string();
        let (last, acts) = seen.get(&id).copied().unwrap_or_default();
        let factor = rows.second_factor(user.no)?;
        people.push(AccessLine {
            id,
            login: user.login,
            role: user.role,
            disabled: user.disabled,
            second_factor: factor.is_some_and(|factor| factor.in_use),
            last,
            acts,
        });
    }
    Ok(people)
}

fn is_unusual(entry: &Entry) -> bool {
    let draft = &entry.draft;
    draft.result != Outcome::Done || FAR_REACHING.contains(&draft.action)
}

impl Appliance {
    /// Looks through the latest [`DIGEST_ENTRIES_MAX`] entries. That they were read is durable in the log
    /// before anything is shown.
    ///
    /// # Errors
    /// For who may not read the log.
    pub fn log_digest(&self, session: &Session) -> Result<LogDigest> {
        self.require(session, Right::ReadAudit, Action::LogRead)?;
        let rows = self.archive.store().read()?;
        let size = rows.audit_edge()?.map_or(0, |(size, _)| size);
        let from = size.saturating_sub(DIGEST_ENTRIES_MAX);
        let own = session.actor.id.to_string();
        let (mut visits, mut verified, mut unusual) = (Vec::new(), None, Vec::new());
        let mut unusual_count = 0;
        let mut seen = Seen::new();
        let mut upper = size;
        while upper > from {
            let lower = upper.saturating_sub(PAGE).max(from);
            let page = rows.audit_entries(EntryNo(lower), EntryNo(upper))?;
            for row in page.iter().rev() {
                let entry = Entry::parse(&row.entry).map_err(|what| {
                    AppError::Integrity(format!("audit entry {}: {what}", row.seq))
                })?;
                let draft = &entry.draft;
                let is_login = draft.action == Action::Login && draft.result == Outcome::Done;
                let known = seen.entry(draft.actor.id.clone()).or_default();
                known.1 += 1;
                if is_login {
                    known.0.get_or_insert(entry.t_c);
                    if draft.actor.id == own && visits.len() < 2 {
                        visits.push((entry.t_c, entry.seq.0));
                    }
                }
                if verified.is_none() && draft.action == Action::VerifyRun {
                    verified = Some(entry.clone());
                }
                if is_unusual(&entry) {
                    unusual_count += 1;
                    if unusual.len() < UNUSUAL_MAX {
                        unusual.push(entry);
                    }
                }
            }
            upper = lower;
        }
        let people = access(&rows, &seen)?;
        drop(rows);
        let now = self.clock.now();
        let audit = self.change(now, |tx| {
            let draft = self
                .draft(session, Action::LogRead)
                .word("what", "digest")
                .count("entries", size - from);
            self.log(tx, now, draft, None)
        })?;
        let since = |seq: u64| size.saturating_sub(seq + 1);
        Ok(LogDigest {
            size,
            from,
            last_visit: visits.get(1).map(|(at, seq)| (*at, since(*seq))),
            since_verified: verified
                .as_ref()
                .map_or(size, |entry: &Entry| since(entry.seq.0)),
            verified,
            unusual,
            unusual_count,
            people,
            audit,
        })
    }
}
