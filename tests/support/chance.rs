//! Repeatable chance for generated tests: one seed, one sequence (splitmix64).
#![allow(dead_code, reason = "no test program uses all of it")]

/// A sequence of numbers that looks random.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed ^ 0x5DEE_CE66_D1CE_4E5B)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// A number from `start` to before `end`.
    pub fn between(&mut self, start: i64, end: i64) -> i64 {
        start + (self.next() % (end - start).max(1) as u64) as i64
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of them.
    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// One of them, the first ones far more often.
    pub fn skewed<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let end = 1 + self.below(of.len());
        let end = 1 + self.below(end);
        &of[self.below(end)]
    }
}
