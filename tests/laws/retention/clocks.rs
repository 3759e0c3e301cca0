//! The law of the clock: over random walks of wall clock, boot clock, restarts, sleep and lies it
//! is never faster than the computer ran, seven days a year apart, and never goes back.

use wordkeep::domain::Timestamp;
use wordkeep::retention::clock::{
    CREDIT_MICROS, Quality, Reading, Step, YEAR_MICROS, attest, first, quality, step,
};

use super::chance::Chance;

const SECOND: i64 = Timestamp::MICROS_PER_SECOND;
const DAY: i64 = Timestamp::MICROS_PER_DAY;
/// Steps of one walk.
const STEPS: usize = 60;
/// Walks of a usual run; `WORDKEEP_WALKS=1000000` for a campaign.
const WALKS: u64 = 20_000;

fn walks() -> u64 {
    let told = std::env::var("WORDKEEP_WALKS").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(WALKS)
}

/// A host whose boot clock tells the truth and whose wall clock says whatever it likes.
struct Host {
    truth: i64,
    booted: i64,
    start: u16,
    wall_error: i64,
}

impl Host {
    fn reading(&self) -> Reading {
        let mut boot_id = [0; 16];
        boot_id[..2].copy_from_slice(&self.start.to_be_bytes());
        Reading {
            wall: Timestamp(self.truth.saturating_add(self.wall_error)),
            boot_micros: self.truth - self.booted,
            boot_id,
        }
    }

    /// Lets something happen; says for how long the computer was off.
    fn live(&mut self, chance: &mut Chance) -> i64 {
        let awake = chance.between(0, 40) * chance.between(1, DAY / 10);
        self.truth += awake;
        match chance.below(8) {
            0 => self.wall_error += chance.between(-3_650, 3_650) * DAY,
            1 => self.wall_error += chance.between(-7_200, 7_200) * SECOND,
            2 => self.wall_error = 0,
            // The battery is empty: the clock begins in 1970.
            3 => self.wall_error = -self.truth,
            4 | 5 => {
                let off = chance.between(0, 30) * chance.between(0, DAY);
                self.truth += off;
                self.booted = self.truth;
                self.start += 1;
                self.truth += chance.between(0, 90) * SECOND;
                return off;
            }
            _ => {}
        }
        0
    }
}

/// The most credit that was taken in any rolling year of compliance time.
fn most_in_a_year(taken: &[(i64, i64)]) -> i64 {
    taken
        .iter()
        .map(|(end, _)| {
            let year = taken
                .iter()
                .filter(|(at, _)| at <= end && *at > end - YEAR_MICROS);
            year.map(|(_, micros)| micros).sum()
        })
        .max()
        .unwrap_or(0)
}

fn walk(seed: u64) {
    let mut chance = Chance::new(seed);
    let truth = 50 * 365 * DAY;
    let mut host = Host {
        truth,
        booted: truth - chance.between(0, 100) * DAY,
        start: 1,
        wall_error: 0,
    };
    let mut state = first(host.reading());
    let (mut ran, mut taken) = (0, Vec::new());
    for _ in 0..STEPS {
        let before = host.truth;
        let off = host.live(&mut chance);
        ran += host.truth - before - off;
        let Step {
            state: next,
            quality: told,
            credited,
            alarm,
        } = step(&state, host.reading());
        assert!(
            next.compliance >= state.compliance,
            "seed {seed}: went back"
        );
        assert!(credited >= 0);
        if credited > 0 {
            taken.push((next.compliance.0, credited));
        }
        let credit: i64 = taken.iter().map(|(_, micros)| micros).sum();
        let gained = next.compliance.0 - truth;
        assert!(
            gained <= ran + credit,
            "seed {seed}: faster than the computer ran"
        );
        assert_eq!(told, quality(&next));
        if let Some(alarm) = alarm {
            assert!(credited <= CREDIT_MICROS, "{alarm:?}");
        }
        let behind = next.wall.0 - next.compliance.0;
        assert_eq!(told == Quality::Gap, behind > 3_600 * SECOND);
        state = next;
    }
    assert!(
        most_in_a_year(&taken) <= CREDIT_MICROS,
        "seed {seed}: credit"
    );
    // Without the credit there is nothing: what is left is what the computer ran.
    let credit: i64 = taken.iter().map(|(_, micros)| micros).sum();
    assert!(state.compliance.0 - truth - credit <= ran);
}

#[test]
fn law_the_clock_is_never_fast() {
    for seed in 0..walks() {
        walk(seed);
    }
}

#[test]
fn a_true_clock_is_followed_to_the_microsecond() {
    let mut host = Host {
        truth: 1_000 * DAY,
        booted: 0,
        start: 1,
        wall_error: 0,
    };
    let mut state = first(host.reading());
    for minute in 1..=10_000 {
        host.truth += 60 * SECOND;
        let next = step(&state, host.reading());
        assert_eq!((next.alarm, next.quality), (None, Quality::FreeRunning));
        assert_eq!(next.state.compliance.0, 1_000 * DAY + minute * 60 * SECOND);
        state = next.state;
    }
}

#[test]
fn evidence_only_ever_moves_forward() {
    let mut chance = Chance::new(7);
    let host = Host {
        truth: 1_000 * DAY,
        booted: 0,
        start: 1,
        wall_error: 0,
    };
    let mut state = first(host.reading());
    for _ in 0..1_000 {
        let proven = Timestamp(chance.between(0, 3_000) * DAY);
        let next = attest(&state, proven);
        assert_eq!(next.compliance, state.compliance.max(proven));
        state = next;
    }
}
