//! The compliance clock: it may be slow, never fast.
//!
//! While the computer runs, time passes as the slower of wall clock and boot clock says. What
//! passed while it was off is claimed by the wall clock alone: of that, seven days in a rolling year
//! are taken on credit, the rest waits for evidence. (The shape is that of the ComplianceClock of
//! SnapLock, which catches up one week in a year at most.)
//!
//! Every function is pure: the state before and a reading give the state after.

use crate::domain::Timestamp;
use crate::store::ClockRow;

/// Most time taken without evidence in one rolling year, in microseconds: seven days.
pub const CREDIT_MICROS: i64 = 7 * Timestamp::MICROS_PER_DAY;
/// A rolling year of compliance time, in microseconds.
pub const YEAR_MICROS: i64 = 365 * Timestamp::MICROS_PER_DAY;
/// So far the clock may lag behind the wall clock and still be trusted, in microseconds: one hour.
pub const LAG_MICROS: i64 = 3_600 * Timestamp::MICROS_PER_SECOND;
/// So long evidence keeps the clock attested, in microseconds of compliance time: one day.
pub const ATTESTED_MICROS: i64 = Timestamp::MICROS_PER_DAY;
/// The row may be so far ahead of the last heartbeat in the log: one hour between heartbeats and
/// one minute between rows, in microseconds.
pub const HEARTBEAT_MICROS: i64 = 3_660 * Timestamp::MICROS_PER_SECOND;
/// Forward steps of the wall clock while running up to this pass silently, in microseconds: 10 s.
const STEP_MICROS: i64 = 10 * Timestamp::MICROS_PER_SECOND;

/// What the clocks of the host say at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// Microseconds since the computer started, sleep included.
    pub boot_micros: i64,
    /// Which start of the computer it is; another value after every start.
    pub boot_id: [u8; 16],
}

/// How far compliance time can be believed to be near.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Evidence stood behind it within the last day.
    Attested,
    /// It runs by the clocks of the host.
    FreeRunning,
    /// It lags behind the wall clock: time passed that nothing proves. Nothing is destroyed.
    Gap,
}

impl Quality {
    /// The name in the log and on certificates.
    pub const fn name(self) -> &'static str {
        match self {
            Quality::Attested => "attested",
            Quality::FreeRunning => "free-running",
            Quality::Gap => "gap",
        }
    }
}

/// Something the log has to hear about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockAlarm {
    /// The wall clock went back by so many microseconds; compliance time stood still.
    WallWentBack(i64),
    /// The boot clock went back within one start of the computer, which it cannot.
    BootWentBack(i64),
    /// The wall clock ran ahead of the boot clock by so many microseconds; they were not taken.
    WallRanAhead(i64),
    /// The computer was off, and so many microseconds of that exceed the credit of the year.
    CreditExceeded(i64),
    /// What was kept of the clock is so many microseconds ahead of the log; it was not taken.
    RowAheadOfLog(i64),
}

/// The clock after a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What to keep; write it every minute and at each jump.
    pub state: ClockRow,
    /// How near it is.
    pub quality: Quality,
    /// What the log has to hear about. An alarm freezes purging for doubt.
    pub alarm: Option<ClockAlarm>,
    /// Microseconds that were taken on credit in this step.
    pub credited: i64,
}

/// The clock of a fresh data directory. Nothing is stored yet that could be destroyed too early,
/// so it begins at the wall clock.
pub fn first(reading: Reading) -> ClockRow {
    ClockRow {
        compliance: reading.wall,
        wall: reading.wall,
        boot_micros: reading.boot_micros,
        boot_id: reading.boot_id,
        attested: None,
        credits: Vec::new(),
    }
}

/// Takes the clock on to a reading.
pub fn step(before: &ClockRow, reading: Reading) -> Step {
    let wall = reading.wall.0.saturating_sub(before.wall.0);
    let same_start = reading.boot_id == before.boot_id;
    let boot = if same_start {
        reading.boot_micros.saturating_sub(before.boot_micros)
    } else {
        // All of this start lies behind the last reading, which was made in an earlier one.
        reading.boot_micros.max(0)
    };
    let mut state = ClockRow {
        wall: reading.wall,
        boot_micros: reading.boot_micros,
        boot_id: reading.boot_id,
        ..before.clone()
    };
    let mut credited = 0;
    let mut alarm = None;
    if wall < 0 {
        alarm = Some(ClockAlarm::WallWentBack(wall.saturating_neg()));
    } else if boot < 0 {
        alarm = Some(ClockAlarm::BootWentBack(boot.saturating_neg()));
    } else {
        let proven = wall.min(boot);
        advance(&mut state, proven);
        let claimed = wall - proven;
        if !same_start {
            credited = claimed.min(credit_left(&state));
            take_credit(&mut state, credited);
            let beyond = claimed - credited;
            alarm = (beyond > LAG_MICROS).then_some(ClockAlarm::CreditExceeded(beyond));
        } else if claimed > STEP_MICROS {
            alarm = Some(ClockAlarm::WallRanAhead(claimed));
        }
    }
    Step {
        quality: quality(&state),
        state,
        alarm,
        credited,
    }
}

/// Takes evidence into account that it is `proven` or later: a time-stamp token, authenticated
/// network time, signed times of two platforms, or two people who say so. Never turns time back.
#[must_use]
pub fn attest(before: &ClockRow, proven: Timestamp) -> ClockRow {
    let mut state = before.clone();
    state.compliance = state.compliance.max(proven);
    state.attested = Some(state.compliance);
    state
}

/// How near the clock is.
pub fn quality(state: &ClockRow) -> Quality {
    let lag = state.wall.0.saturating_sub(state.compliance.0);
    if lag > LAG_MICROS {
        return Quality::Gap;
    }
    let age = |at: Timestamp| state.compliance.0.saturating_sub(at.0);
    match state.attested {
        Some(at) if age(at) <= ATTESTED_MICROS => Quality::Attested,
        _ => Quality::FreeRunning,
    }
}

/// Whether the stored row cannot be right: it is further ahead of the last heartbeat in the log
/// than a row can be. Purging then freezes for doubt.
pub fn is_ahead_of_log(row: Timestamp, heartbeat: Timestamp) -> bool {
    row.0.saturating_sub(heartbeat.0) > HEARTBEAT_MICROS
}

/// The clock that goes on from what was kept, held against the last entry of the log, which is never
/// before its last heartbeat. A row that is further ahead than a row can be is not believed: time
/// goes on from the log, which can only be slow, and the alarm says so. A row behind the log goes on
/// from the row: what passed since it was kept is added by the next step, and once.
pub fn resume(kept: ClockRow, log: Timestamp) -> (ClockRow, Option<ClockAlarm>) {
    let ahead = is_ahead_of_log(kept.compliance, log);
    let alarm = ClockAlarm::RowAheadOfLog(kept.compliance.0.saturating_sub(log.0));
    let compliance = match ahead {
        true => log,
        false => kept.compliance,
    };
    (ClockRow { compliance, ..kept }, ahead.then_some(alarm))
}

/// Microseconds of credit that are left at this compliance time.
pub fn credit_left(state: &ClockRow) -> i64 {
    let year_ago = state.compliance.0.saturating_sub(YEAR_MICROS);
    let used: i64 = state
        .credits
        .iter()
        .filter(|(at, _)| at.0 > year_ago)
        .map(|(_, micros)| *micros)
        .fold(0, i64::saturating_add);
    CREDIT_MICROS.saturating_sub(used).max(0)
}

fn advance(state: &mut ClockRow, micros: i64) {
    state.compliance = Timestamp(state.compliance.0.saturating_add(micros));
}

fn take_credit(state: &mut ClockRow, micros: i64) {
    if micros <= 0 {
        return;
    }
    advance(state, micros);
    let year_ago = state.compliance.0.saturating_sub(YEAR_MICROS);
    state.credits.retain(|(at, _)| at.0 > year_ago);
    state.credits.push((state.compliance, micros));
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = Timestamp::MICROS_PER_DAY;

    fn reading(wall: i64, boot: i64, start: u8) -> Reading {
        Reading {
            wall: Timestamp(wall),
            boot_micros: boot,
            boot_id: [start; 16],
        }
    }

    #[test]
    fn the_slower_of_the_two_clocks_counts() {
        let state = first(reading(1_000, 10, 1));
        let next = step(&state, reading(1_500, 400, 1));
        assert_eq!(
            (next.state.compliance, next.alarm),
            (Timestamp(1_390), None)
        );
        let next = step(&next.state, reading(1_600, 900, 1));
        assert_eq!(next.state.compliance, Timestamp(1_490));
    }

    #[test]
    fn a_wall_clock_that_goes_back_stops_time_once() {
        let state = first(reading(10 * DAY, 0, 1));
        let next = step(&state, reading(9 * DAY, 5, 1));
        assert_eq!(next.state.compliance, Timestamp(10 * DAY));
        assert_eq!(next.alarm, Some(ClockAlarm::WallWentBack(DAY)));
        let next = step(&next.state, reading(9 * DAY + 7, 12, 1));
        assert_eq!(next.state.compliance, Timestamp(10 * DAY + 7));
    }

    #[test]
    fn evidence_closes_a_gap_and_never_turns_time_back() {
        let state = first(reading(0, 0, 1));
        let next = step(&state, reading(60 * DAY, 0, 2));
        assert_eq!(next.quality, Quality::Gap);
        let state = attest(&next.state, Timestamp(60 * DAY));
        assert_eq!(quality(&state), Quality::Attested);
        assert_eq!(attest(&state, Timestamp(5)).compliance, state.compliance);
        let later = step(&state, reading(62 * DAY, 2 * DAY, 2));
        assert_eq!(later.quality, Quality::FreeRunning);
    }

    #[test]
    fn credit_comes_back_after_a_year() {
        let state = first(reading(0, 0, 1));
        let next = step(&state, reading(5 * DAY, 0, 2));
        assert_eq!((next.credited, next.alarm), (5 * DAY, None));
        assert_eq!(credit_left(&next.state), 2 * DAY);
        let year = step(&next.state, reading(370 * DAY, 365 * DAY, 2));
        assert_eq!(credit_left(&year.state), CREDIT_MICROS);
    }

    #[test]
    fn a_wall_clock_that_runs_ahead_within_a_start_is_told_beyond_a_step() {
        let state = first(reading(0, 0, 1));
        let alarm = |ahead: i64| step(&state, reading(100 + ahead, 100, 1)).alarm;
        assert_eq!(alarm(STEP_MICROS), None);
        let beyond = STEP_MICROS + 1;
        assert_eq!(alarm(beyond), Some(ClockAlarm::WallRanAhead(beyond)));
    }

    #[test]
    fn credit_that_is_a_year_old_is_forgotten() {
        let mut state = first(reading(0, 0, 1));
        state.credits = vec![(Timestamp(0), 3), (Timestamp(1), 4)];
        state.compliance = Timestamp(YEAR_MICROS - 5);
        take_credit(&mut state, 5);
        let kept: Vec<i64> = state.credits.iter().map(|(_, micros)| *micros).collect();
        assert_eq!(kept, [4, 5]);
    }

    #[test]
    fn a_row_far_ahead_of_the_log_is_in_doubt() {
        let hour = 3_600 * Timestamp::MICROS_PER_SECOND;
        assert!(!is_ahead_of_log(Timestamp(hour), Timestamp(0)));
        assert!(is_ahead_of_log(Timestamp(2 * hour), Timestamp(0)));
        let kept = first(reading(2 * hour, 0, 1));
        let (row, alarm) = resume(kept.clone(), Timestamp(hour));
        assert_eq!((row.compliance, alarm), (Timestamp(2 * hour), None));
        let (row, alarm) = resume(kept.clone(), Timestamp(3 * hour));
        assert_eq!((row.compliance, alarm), (Timestamp(2 * hour), None));
        let (row, alarm) = resume(kept, Timestamp(0));
        assert_eq!(row.compliance, Timestamp(0));
        assert_eq!(alarm, Some(ClockAlarm::RowAheadOfLog(2 * hour)));
    }
}
