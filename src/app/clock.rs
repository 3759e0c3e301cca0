//! The wall clock: read here and nowhere below.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::crypto::from_hex;
use crate::domain::{Now, Timestamp};
use crate::retention::clock::{ClockAlarm, Quality, Reading, attest, first, quality, resume, step};
use crate::store::ClockRow;

/// What the clocks of the host say; a made-up one stands in for it in tests and demonstrations.
pub trait HostClock: Send + Sync {
    /// All of them, at one moment.
    fn reading(&self) -> Reading;
}

/// The clocks of this computer. Since this process began, time is measured by its own stop watch,
/// which is finer than what the system tells of its start, and does not count sleep.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    began: Instant,
    boot_micros: i64,
    boot_id: [u8; 16],
}

impl SystemClock {
    /// Begins to watch. Where the system does not tell of its start, `fallback` names this process
    /// as one of its own; that can only make compliance time slower.
    pub fn new(fallback: [u8; 16]) -> Self {
        let began = Instant::now();
        match (since_boot(), boot_id()) {
            (Some(boot_micros), Some(boot_id)) => Self {
                began,
                boot_micros,
                boot_id,
            },
            _ => Self {
                began,
                boot_micros: 0,
                boot_id: fallback,
            },
        }
    }
}

impl HostClock for SystemClock {
    fn reading(&self) -> Reading {
        let elapsed = i64::try_from(self.began.elapsed().as_micros()).unwrap_or(i64::MAX);
        Reading {
            wall: wall(),
            boot_micros: self.boot_micros.saturating_add(elapsed),
            boot_id: self.boot_id,
        }
    }
}

/// Tells the time to use-cases. Compliance time continues from the last time the record knows: it
/// may be slow, never fast.
pub struct Clock {
    host: Arc<dyn HostClock>,
    state: Mutex<Ticking>,
}

struct Ticking {
    row: ClockRow,
    alarm: Option<ClockAlarm>,
}

impl Clock {
    /// Continues from the row that was kept last, and never before the last entry of the log. A row
    /// that is ahead of the log by more than a heartbeat raises an alarm and is not believed.
    pub fn resumed(host: Arc<dyn HostClock>, kept: Option<ClockRow>, last: Timestamp) -> Self {
        let reading = host.reading();
        let (kept, doubt) = match kept {
            Some(kept) => resume(kept, last),
            None => (first(reading), None),
        };
        // Whatever passed since the row was kept counts from the row. A process that died wrote
        // entries later than its row: to count from them would count that time twice.
        let stepped = step(&kept, reading);
        let mut row = stepped.state;
        row.compliance = row.compliance.max(last);
        Self {
            host,
            state: Mutex::new(Ticking {
                row,
                alarm: doubt.or(stepped.alarm),
            }),
        }
    }

    /// The present.
    pub fn now(&self) -> Now {
        let ticking = self.tick();
        Now {
            compliance: ticking.row.compliance,
            wall: ticking.row.wall,
        }
    }

    /// What is to be kept, and the alarm that was raised since this was asked last.
    pub fn stand(&self) -> (ClockRow, Option<ClockAlarm>) {
        let mut ticking = self.tick();
        let alarm = ticking.alarm.take();
        (ticking.row.clone(), alarm)
    }

    /// Takes an alarm back that could not be told: it waits again.
    pub fn raise(&self, alarm: ClockAlarm) {
        let mut ticking = self.tick();
        ticking.alarm = ticking.alarm.or(Some(alarm));
    }

    /// The alarm that waits to be told, if there is one.
    pub fn alarm(&self) -> Option<ClockAlarm> {
        self.tick().alarm
    }

    /// The clock as it would be kept now.
    pub fn row(&self) -> ClockRow {
        self.tick().row.clone()
    }

    /// How near compliance time is.
    pub fn quality(&self) -> Quality {
        quality(&self.tick().row)
    }

    /// Takes evidence into account that it is `proven` or later.
    pub fn attest(&self, proven: Timestamp) {
        let mut ticking = self.tick();
        ticking.row = attest(&ticking.row, proven);
    }

    fn tick(&self) -> MutexGuard<'_, Ticking> {
        let mut ticking = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let stepped = step(&ticking.row, self.host.reading());
        ticking.row = stepped.state;
        ticking.alarm = ticking.alarm.or(stepped.alarm);
        ticking
    }
}

/// Microseconds since the computer started (proc(5), `/proc/uptime`).
fn since_boot() -> Option<i64> {
    let told = std::fs::read_to_string("/proc/uptime").ok()?;
    let seconds: f64 = told.split(' ').next()?.parse().ok()?;
    Some((seconds * 1e6) as i64)
}

/// Which start of the computer this is (proc(5), `/proc/sys/kernel/random/boot_id`).
fn boot_id() -> Option<[u8; 16]> {
    let told = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let digits: String = told.chars().filter(char::is_ascii_hexdigit).collect();
    from_hex(&digits)?.try_into().ok()
}

/// The wall clock of the host.
pub fn wall() -> Timestamp {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
        Err(before) => Timestamp(-i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX)),
    }
}

/// Measures how long something takes; handed to rooms that must keep a time budget.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    pub fn elapsed(&self) -> std::time::Duration {
        self.0.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Standing(Reading);

    impl HostClock for Standing {
        fn reading(&self) -> Reading {
            self.0
        }
    }

    #[test]
    fn what_passed_before_a_crash_counts_once() {
        const HOUR: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;
        let reading = |micros| Reading {
            wall: Timestamp(micros),
            boot_micros: micros,
            boot_id: [1; 16],
        };
        let kept = Some(first(reading(HOUR)));
        // The process wrote to the log three hours after it kept its clock, and died at once.
        let host = Arc::new(Standing(reading(4 * HOUR)));
        let clock = Clock::resumed(host, kept, Timestamp(4 * HOUR));
        assert_eq!(clock.now().compliance, Timestamp(4 * HOUR));
        assert!(clock.stand().1.is_none());
    }
}
