//! A small deterministic generator for made-up data. Never for keys.

/// The splitmix64 generator of Sebastiano Vigna (public domain reference `splitmix64.c`): 64 bits
/// of state, every seed is good, equal seeds give equal sequences on every machine.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Starts the sequence of a seed.
    pub const fn new(seed: u64) -> Chance {
        Chance { state: seed }
    }

    /// A sequence of its own for a named part, so that a change in one part leaves the others.
    pub fn branch(&self, part: u64) -> Chance {
        let mut mixed = Chance::new(self.state ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        let state = mixed.next();
        Chance { state }
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `limit`; 0 when the limit is 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        // The high half of the product: the bias is below limit / 2^64, invisible here.
        ((self.next() as u128 * limit as u128) >> 64) as u64
    }

    /// A number from `low` to `high`, both included; `low` when they are the wrong way round.
    pub const fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        low + self.below((high - low) as u64 + 1) as i64
    }

    /// True in `percent` of a hundred draws.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of the values. The list must not be empty.
    pub fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len() as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of the reference program for seed 1234567.
        let mut chance = Chance::new(1_234_567);
        assert_eq!(chance.next(), 6_457_827_717_110_365_317);
        assert_eq!(chance.next(), 3_203_168_211_198_807_973);
        assert_eq!(chance.next(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn draws_stay_inside_their_bounds_and_reach_them() {
        let mut chance = Chance::new(7);
        let draws: Vec<i64> = (0..1000).map(|_| chance.between(-2, 2)).collect();
        assert!(draws.iter().all(|draw| (-2..=2).contains(draw)));
        assert!((-2..=2).all(|value| draws.contains(&value)));
        assert_eq!(chance.below(0), 0);
        assert_eq!(chance.between(5, 1), 5);
    }

    #[test]
    fn branches_differ_from_each_other_and_repeat() {
        let root = Chance::new(1);
        assert_eq!(root.branch(3).next(), root.branch(3).next());
        assert_ne!(root.branch(3).next(), root.branch(4).next());
    }
}
