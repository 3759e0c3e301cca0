//! Ends in time by two clocks: compliance time never goes back and may be slow, the wall clock goes on
//! while the computer sleeps. Whichever comes first ends a log-in.

use crate::domain::{Now, Timestamp};

/// Microseconds in one minute.
pub(super) const MINUTE: i64 = 60 * Timestamp::MICROS_PER_SECOND;

/// The instant so many microseconds later, on both clocks.
pub(super) const fn after(now: Now, micros: i64) -> Now {
    Now {
        compliance: Timestamp(now.compliance.0.saturating_add(micros)),
        wall: Timestamp(now.wall.0.saturating_add(micros)),
    }
}

/// The instant so many microseconds earlier, on both clocks.
pub(super) const fn before(now: Now, micros: i64) -> Now {
    after(now, -micros)
}

/// Whether either clock has come to the end.
pub(super) fn is_over(end: Now, now: Now) -> bool {
    end.compliance <= now.compliance || end.wall <= now.wall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_clock_ends_it() {
        let now = Now {
            compliance: Timestamp(10),
            wall: Timestamp(100),
        };
        let end = after(now, 5);
        assert!(!is_over(end, now));
        assert!(!is_over(end, after(now, 4)));
        assert!(is_over(end, after(now, 5)));
        let slept = Now {
            wall: Timestamp(105),
            ..now
        };
        assert!(is_over(end, slept));
        let set_back = Now {
            compliance: Timestamp(15),
            wall: Timestamp(0),
        };
        assert!(is_over(end, set_back));
    }
}
