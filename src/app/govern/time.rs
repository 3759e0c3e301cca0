//! The compliance clock between processes: kept with the record, and purging frozen when in doubt.

use super::super::{AppError, Appliance, Result};
use crate::audit::{Action, Draft, Entry, EntryActor};
use crate::domain::{EntryNo, FreezeReason, Now, Timestamp};
use crate::retention::Present;
use crate::retention::clock::{ClockAlarm, Quality};
use crate::store::{Rows, WriteTx};

/// Jumps up to this are those of a clock being set right, in microseconds: one minute.
const JUMP_MICROS: i64 = 60 * Timestamp::MICROS_PER_SECOND;

/// Between two heartbeats in the log, in microseconds: one hour.
const BEAT_MICROS: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;
/// Where the time of the last heartbeat is kept.
const HEARTBEAT: &str = "heartbeat";

impl Appliance {
    /// Keeps the clock with the record, and every hour and at each jump in the log. A jump freezes
    /// purging until two people lift it. Call it every minute while the product runs.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn keep_clock(&self) -> Result<()> {
        let (row, alarm) = self.clock.stand();
        let now = self.clock.now();
        let jumped = alarm.filter(|alarm| size_of(*alarm) > JUMP_MICROS);
        let kept = self.change(now, |tx| {
            tx.put_clock(&row)?;
            self.beat(tx, now, jumped)?;
            let standing = tx
                .freezes()?
                .into_iter()
                .any(|freeze| freeze.lifted.is_none() && freeze.reason == FreezeReason::ClockDoubt);
            let Some(alarm) = jumped.filter(|_| !standing) else {
                return Ok(());
            };
            self.freeze_by_itself(tx, now, FreezeReason::ClockDoubt, &words_of(alarm))
        });
        // What could not be written must not be forgotten: purging would go on after a jump.
        if let (Err(_), Some(alarm)) = (&kept, alarm) {
            self.clock.raise(alarm);
        }
        kept
    }

    /// Writes a heartbeat when the last one is an hour ago, and when the clock jumped.
    pub(super) fn beat(
        &self,
        tx: &WriteTx<'_>,
        now: Now,
        jumped: Option<ClockAlarm>,
    ) -> Result<()> {
        let kept = tx.fact(HEARTBEAT)?;
        let last = match kept.and_then(|bytes| bytes.try_into().ok()) {
            Some(bytes) => i64::from_be_bytes(bytes),
            None => self.beginning(tx)?.0,
        };
        if jumped.is_none() && now.compliance.0.saturating_sub(last) < BEAT_MICROS {
            return Ok(());
        }
        let draft = Draft::new(EntryActor::system(), Action::ClockHeartbeat, self.request())
            .word("quality", self.clock_quality().name());
        let draft = match jumped {
            Some(alarm) => draft
                .word("alarm", name_of(alarm))
                .count("jump", u64::try_from(size_of(alarm)).unwrap_or(0)),
            None => draft,
        };
        self.log(tx, now, draft, None)?;
        Ok(tx.put_fact(HEARTBEAT, &now.compliance.0.to_be_bytes())?)
    }

    /// When the log began: before its first heartbeat, its first entry is one.
    fn beginning(&self, rows: &Rows) -> Result<Timestamp> {
        let first = rows.audit_entries(EntryNo(0), EntryNo(1))?.pop();
        let Some(first) = first else {
            return Ok(Timestamp::ALWAYS);
        };
        let entry = Entry::parse(&first.entry).map_err(AppError::Integrity)?;
        Ok(entry.t_c)
    }

    /// How near compliance time is.
    pub fn clock_quality(&self) -> Quality {
        self.clock.quality()
    }

    /// Whether a clock jumped and the freeze for it does not stand yet.
    pub(super) fn clock_in_doubt(&self) -> bool {
        let jumped = |alarm: ClockAlarm| size_of(alarm) > JUMP_MICROS;
        self.clock.alarm().is_some_and(jumped) || self.clock_quality() == Quality::Gap
    }

    /// The moment in which the rules are asked.
    pub(super) fn present(&self, rows: &Rows) -> Result<Present> {
        Ok(Present {
            now: self.clock.now(),
            trusted: self.clock_quality() != Quality::Gap,
            frozen: rows.standing_freeze()?.map(|freeze| freeze.reason),
        })
    }
}

const fn size_of(alarm: ClockAlarm) -> i64 {
    match alarm {
        ClockAlarm::WallWentBack(micros)
        | ClockAlarm::BootWentBack(micros)
        | ClockAlarm::WallRanAhead(micros)
        | ClockAlarm::CreditExceeded(micros)
        | ClockAlarm::RowAheadOfLog(micros) => micros,
    }
}

const fn name_of(alarm: ClockAlarm) -> &'static str {
    match alarm {
        ClockAlarm::WallWentBack(_) => "wall_went_back",
        ClockAlarm::BootWentBack(_) => "boot_went_back",
        ClockAlarm::WallRanAhead(_) => "wall_ran_ahead",
        ClockAlarm::CreditExceeded(_) => "credit_exceeded",
        ClockAlarm::RowAheadOfLog(_) => "row_ahead_of_log",
    }
}

fn words_of(alarm: ClockAlarm) -> String {
    let seconds = size_of(alarm) / Timestamp::MICROS_PER_SECOND;
    match alarm {
        ClockAlarm::WallWentBack(_) => format!("the wall clock went back by {seconds} s"),
        ClockAlarm::BootWentBack(_) => format!("the boot clock went back by {seconds} s"),
        ClockAlarm::WallRanAhead(_) => {
            format!("the wall clock ran {seconds} s ahead of the boot clock")
        }
        ClockAlarm::CreditExceeded(_) => {
            format!("{seconds} s passed while the computer was off, more than the credit of a year")
        }
        ClockAlarm::RowAheadOfLog(_) => {
            format!("what was kept of the clock is {seconds} s ahead of the log; it was not taken")
        }
    }
}
