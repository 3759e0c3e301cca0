//! The wall clock: read here and nowhere below.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::domain::{Now, Timestamp};

/// Tells the time to use-cases. Compliance time never runs backwards: it continues from the last
/// time the record knows.
pub struct Clock {
    compliance: AtomicI64,
}

impl Clock {
    /// A clock whose compliance time continues from `last`.
    pub fn starting_after(last: Timestamp) -> Self {
        Self {
            compliance: AtomicI64::new(last.0),
        }
    }

    /// The present.
    pub fn now(&self) -> Now {
        let wall = wall();
        let before = self.compliance.fetch_max(wall.0, Ordering::Relaxed);
        Now {
            compliance: Timestamp(before.max(wall.0)),
            wall,
        }
    }
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
