//! The compliance clock between processes: kept with the record, and purging frozen when in doubt.

use super::super::{Appliance, Result};
use crate::audit::{Action, Draft, EntryActor};
use crate::domain::{FreezeNo, FreezeReason, Timestamp};
use crate::retention::Present;
use crate::retention::clock::{ClockAlarm, Quality};
use crate::store::{FreezeRow, Rows};

/// Jumps up to this are those of a clock being set right, in microseconds: one minute.
const JUMP_MICROS: i64 = 60 * Timestamp::MICROS_PER_SECOND;

impl Appliance {
    /// Keeps the clock with the record. A jump freezes purging until two people lift it.
    pub(in crate::app) fn keep_clock(&self) -> Result<()> {
        let (row, alarm) = self.clock.stand();
        let now = self.clock.now();
        let jumped = alarm.filter(|alarm| size_of(*alarm) > JUMP_MICROS);
        self.change(now, |tx| {
            tx.put_clock(&row)?;
            let standing = tx
                .freezes()?
                .into_iter()
                .any(|freeze| freeze.lifted.is_none() && freeze.reason == FreezeReason::ClockDoubt);
            let Some(alarm) = jumped.filter(|_| !standing) else {
                return Ok(());
            };
            let text_no = self.archive.seal_texts(tx, &[&words_of(alarm)])?;
            let no = tx.insert_freeze(&FreezeRow {
                no: FreezeNo(0),
                reason: FreezeReason::ClockDoubt,
                since: now.compliance,
                set_by: None,
                text_no: Some(text_no),
                lift_requested_by: None,
                lifted: None,
            })?;
            let draft = Draft::new(EntryActor::system(), Action::FreezeSet, self.request())
                .word("freeze", no)
                .word("why", FreezeReason::ClockDoubt.name());
            self.log(tx, now, draft, None).map(drop)
        })
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
        | ClockAlarm::CreditExceeded(micros) => micros,
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
    }
}
