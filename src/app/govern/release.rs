//! What becomes purgeable when a hold is released, told before it is.

use std::collections::BTreeMap;

use super::super::{AppError, Appliance, Result, Session};
use super::spread::policy_name;
use crate::audit::{Action, Appended};
use crate::domain::{HoldId, HoldNo, MessageId, MessageNo, PolicyNo, Right, Timestamp};
use crate::retention::{ItemOutcome, Present, item_outcome, survey};

/// Messages shown as samples of what a release frees.
const SAMPLES_MAX: usize = 10;

/// What a release would do.
#[derive(Clone, Debug, Default)]
pub struct Consequences {
    /// Messages that no hold protects any more once the grace is over.
    pub released: u64,
    /// Those of them that a policy or a request for erasure then lets go.
    pub purgeable: u64,
    /// Names of the policies, with how many each lets go; requests have no name.
    pub by_policy: Vec<(String, u64)>,
    /// Those that a request for erasure waits for.
    pub requested: u64,
    /// Up to ten of what becomes purgeable.
    pub samples: Vec<MessageId>,
    /// When the grace would be over if it began now.
    pub from: Timestamp,
}

/// The first of two voices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it was given.
    pub at: Timestamp,
    /// Login of who gave it.
    pub by: String,
    /// Whether whoever looks gave it: then somebody else has to agree.
    pub is_own: bool,
    /// Why.
    pub reason: String,
}

/// A hold after a voice for its release.
#[derive(Clone, Debug)]
pub struct Released {
    /// How it stands.
    pub standing: super::hold::HoldStanding,
    /// What its release does, as of now.
    pub consequences: Consequences,
    /// The audit entry.
    pub audit: Appended,
}

impl Appliance {
    /// Says what a release would do. Nothing is changed.
    ///
    /// # Errors
    /// For who may not release; when there is no such hold.
    pub fn preview_release(&self, session: &Session, id: HoldId) -> Result<Consequences> {
        self.require(session, Right::ReleaseHolds, Action::HoldReleaseRequest)?;
        let consequences = self.consequences(session, id)?;
        self.log_rules_read(session, "hold.release", 1)?;
        Ok(consequences)
    }

    /// Looks at every message under the rules with the hold and without it, at the end of a grace
    /// that begins now; at those that whoever asks sees.
    pub(super) fn consequences(&self, session: &Session, id: HoldId) -> Result<Consequences> {
        let rows = self.archive.store().read()?;
        let row = self.shown_hold(&rows, session, id)?;
        let narrow = self.narrow(&rows, session)?;
        if row.hold.release.is_some() {
            return Err(AppError::Conflict(format!("hold {id} is released already")));
        }
        let (with, mut without) = (self.book(&rows)?, self.book(&rows)?);
        let requests = rows.withheld()?;
        drop(rows);
        let hold: HoldNo = row.hold.no;
        without.try_without_hold(hold);
        let now = self.clock.now().compliance;
        let from = now.plus_days(i64::from(row.hold.grace_days));
        let present = Present::as_of(from);
        let mut found = Consequences {
            from,
            ..Consequences::default()
        };
        let mut by_policy: BTreeMap<PolicyNo, u64> = BTreeMap::new();
        let mut samples: Vec<MessageNo> = Vec::new();
        survey(&self.archive, &[&with, &without], &present, |looked| {
            let [before, after] = looked.verdicts else {
                return Ok(());
            };
            if narrow
                .as_ref()
                .is_some_and(|narrow| !narrow.sees(looked.row.conversation))
            {
                return Ok(());
            }
            if before.held_by.is_none() || after.held_by.is_some() {
                return Ok(());
            }
            found.released += 1;
            let asked = requests.contains(&looked.row.no);
            let goes = asked && item_outcome(after, &present) == ItemOutcome::Erase;
            found.requested += u64::from(goes);
            if let (true, Some(winner)) = (after.eligible, after.winner) {
                *by_policy.entry(winner.no).or_default() += 1;
            }
            if goes || after.eligible {
                found.purgeable += 1;
                if samples.len() < SAMPLES_MAX {
                    samples.push(looked.row.no);
                }
            }
            Ok(())
        })?;
        for (no, count) in by_policy {
            let name = policy_name(&without, no);
            found.by_policy.push((name, count));
        }
        let rows = self.archive.store().read()?;
        for no in samples {
            found.samples.extend(self.public_id(&rows, no)?);
        }
        Ok(found)
    }
}
