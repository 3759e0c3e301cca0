//! The second half of the tour: a hold, a policy, and the lawful end of old messages, by a clock that
//! the tour moves itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::super::clock::{HostClock, SystemClock};
use super::super::import::{ImportRequest, Progress};
use super::super::{
    AppError, Appliance, HoldTarget, NewHold, NewPolicy, Result, Review, SearchRequest,
    verify_certificate,
};
use super::{DemoEvent, Staff};
use crate::crypto::{Entropy, random_bytes};
use crate::domain::{BatchNo, Lock, Period, PolicyAction, Timestamp};
use crate::retention::clock::Reading;

/// What the hold of the tour protects.
const HELD: &str = "with:\"Katrin Vogel\"";
/// What its policy lets go.
const SCOPE: &str = "date:2024";
/// Days in which nothing that came in may go, and one more.
const FLOOR_DAYS: i64 = 31;
/// Days in which an approved list can be called back, and one more.
const RECALL_DAYS: i64 = 8;

/// The clocks of this computer, with days put before them: a tour has no time to wait.
#[derive(Debug)]
pub(super) struct DemoClock {
    host: SystemClock,
    ahead: AtomicI64,
}

impl DemoClock {
    /// The present of this computer, for now.
    pub(super) fn new(entropy: &dyn Entropy) -> Arc<DemoClock> {
        Arc::new(DemoClock {
            host: SystemClock::new(random_bytes(entropy)),
            ahead: AtomicI64::new(0),
        })
    }

    fn pass(&self, days: i64) {
        let micros = days * Timestamp::MICROS_PER_DAY;
        self.ahead.fetch_add(micros, Ordering::Relaxed);
    }
}

impl HostClock for DemoClock {
    fn reading(&self) -> Reading {
        let host = self.host.reading();
        let ahead = self.ahead.load(Ordering::Relaxed);
        Reading {
            wall: Timestamp(host.wall.0.saturating_add(ahead)),
            boot_micros: host.boot_micros.saturating_add(ahead),
            boot_id: host.boot_id,
        }
    }
}

/// Holds, lets a policy in force, waits, destroys what is due, and proves it.
pub(super) fn let_go(
    appliance: &Appliance,
    staff: &Staff,
    clock: &DemoClock,
    exports: &[ImportRequest],
    progress: &dyn Progress,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<()> {
    hold(appliance, staff, tell)?;
    policy(appliance, staff, tell)?;
    clock.pass(FLOOR_DAYS);
    tell(DemoEvent::Passed(FLOOR_DAYS));
    let batch = list(appliance, staff, tell)?;
    clock.pass(RECALL_DAYS);
    tell(DemoEvent::Passed(RECALL_DAYS));
    let erased = appliance.run_disposition(&staff.officer, batch)?;
    tell(DemoEvent::Destroyed(batch, &erased));
    let gone = appliance.search(&staff.lawyer, &SearchRequest::new(SCOPE))?;
    tell(DemoEvent::Left(&gone));
    certify(appliance, staff, batch, tell)?;
    let mut came_again = Vec::new();
    for export in exports {
        came_again.push(appliance.import(&staff.officer, export, progress)?);
    }
    tell(DemoEvent::CameAgain(&came_again));
    Ok(())
}

/// The same without a word: one list is destroyed and certified.
pub(super) fn let_one_list_go(
    appliance: &Appliance,
    staff: &Staff,
    clock: &DemoClock,
) -> Result<()> {
    let mut quiet = |_: DemoEvent<'_>| ();
    hold(appliance, staff, &mut quiet)?;
    policy(appliance, staff, &mut quiet)?;
    clock.pass(FLOOR_DAYS);
    let batch = list(appliance, staff, &mut quiet)?;
    clock.pass(RECALL_DAYS);
    appliance.run_disposition(&staff.officer, batch)?;
    certify(appliance, staff, batch, &mut quiet)
}

fn hold(appliance: &Appliance, staff: &Staff, tell: &mut dyn FnMut(DemoEvent<'_>)) -> Result<()> {
    let (matter, _) = appliance.open_matter(&staff.lawyer, "Vogel Gastro", "DEMO-1")?;
    let new = NewHold {
        matter,
        name: "Delivery to Vogel".to_owned(),
        target: HoldTarget::Query(HELD.to_owned()),
        reason: "a claim about the delivery is expected".to_owned(),
        grace_days: None,
        keep_context: 0,
        zone: None,
        accept: Vec::new(),
    };
    let placed = appliance.place_hold(&staff.lawyer, &new)?;
    let extent = appliance.hold_extent(&staff.lawyer, placed.id)?;
    tell(DemoEvent::Held(&new, HELD, &extent));
    Ok(())
}

fn policy(appliance: &Appliance, staff: &Staff, tell: &mut dyn FnMut(DemoEvent<'_>)) -> Result<()> {
    let new = NewPolicy {
        of: None,
        name: "old chats".to_owned(),
        scope: SCOPE.to_owned(),
        action: PolicyAction::Delete,
        period: Period::years(1),
        zone: None,
        trigger: "sent".to_owned(),
        label: None,
        organisation: false,
        lock: Lock::None,
        reviewers: None,
        citation: "GDPR art. 5(1)(e)".to_owned(),
        reason: "nobody needs them any more".to_owned(),
        accept: Vec::new(),
    };
    let (id, _, _) = appliance.write_policy(&staff.officer, &new)?;
    if let Err(refused) = appliance.enable_policy(&staff.officer, id, "as decided") {
        tell(DemoEvent::NotEnabled(&new, &refused));
    }
    let as_of = appliance.now().compliance.plus_days(FLOOR_DAYS);
    let simulated = appliance.simulate_policy(&staff.officer, id, Some(as_of))?;
    tell(DemoEvent::Simulated(&simulated));
    let enabled = appliance.enable_policy(&staff.officer, id, "as decided")?;
    tell(DemoEvent::Enabled(&enabled));
    Ok(())
}

/// Puts what is due on a list and has it approved by two others.
fn list(
    appliance: &Appliance,
    staff: &Staff,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<BatchNo> {
    let planned = appliance.plan_disposition(&staff.officer)?;
    tell(DemoEvent::Listed(&planned));
    let reason = "looked at the samples";
    let approve = |who| {
        appliance
            .review_disposition(who, planned.batch, Review::Approve, reason)
            .map(|(line, _)| line)
    };
    if let Err(refused) = approve(&staff.officer) {
        tell(DemoEvent::NotApproved(&refused));
    }
    let mut approved = approve(&staff.second)?;
    if approved.runs_from.is_none() {
        approved = approve(&staff.lawyer)?;
    }
    tell(DemoEvent::Approved(&approved));
    Ok(planned.batch)
}

/// The certificate, verified with the key of the log and nothing else; then with a byte changed.
fn certify(
    appliance: &Appliance,
    staff: &Staff,
    batch: BatchNo,
    tell: &mut dyn FnMut(DemoEvent<'_>),
) -> Result<()> {
    let document = appliance.certificate(&staff.officer, batch)?;
    let key = appliance.archive().log_verifier();
    let certificate = verify_certificate(&document, key)?;
    let mut changed = document.clone();
    if let Some(byte) = changed.iter_mut().rev().find(|byte| byte.is_ascii_digit()) {
        *byte = if *byte == b'9' { b'8' } else { *byte + 1 };
    }
    match verify_certificate(&changed, key) {
        Err(refused) => tell(DemoEvent::Certified(&certificate, &refused)),
        Ok(_) => {
            return Err(AppError::Integrity(
                "a changed certificate was taken for sound".to_owned(),
            ));
        }
    }
    Ok(())
}
